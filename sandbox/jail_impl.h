/* jail_impl.h - how the parts of the jail talk to each other; for sandbox/jail*.c only.
 *
 * Each part puts up its own walls and writes their verdicts. A part returns 0 also when a wall is
 * unsupported; jail.c compares with policy.required. Other results end the entering.
 */
#ifndef TR_SANDBOX_JAIL_IMPL_H
#define TR_SANDBOX_JAIL_IMPL_H

#include "sandbox/jail.h"

/* The address sanitizer reserves terabytes, and its runtime reads /proc at odd times. */
#if defined(__SANITIZE_ADDRESS__)
#define TR_JAIL_SANITIZED 1
#else
#define TR_JAIL_SANITIZED 0
#endif

void tr__jail_on(tr_jail_report *report, tr_jail_wall wall);
void tr__jail_off(tr_jail_report *report, tr_jail_wall wall, const char *reason);
void tr__jail_unsupported(tr_jail_report *report, tr_jail_wall wall, const char *reason);
/* Writes report->failure with the text of errno; returns TR_EIO. */
int tr__jail_failed(tr_jail_report *report, const char *what);

/* jail_rlimit.c: MEMORY, OPEN_FILES, TASKS, CPU, FILE_SIZE, CORE and the USER_NAMESPACE that makes
 * TASKS count for this process alone. */
int tr__jail_rlimit_enter(const tr_jail *jail, tr_jail_report *report);

/* jail_landlock.c: FILES, TCP, SCOPE. The ABI is 0 when the kernel has none; why gets the reason,
 * and is left alone otherwise. */
int tr__jail_landlock_abi(const char **why);
int tr__jail_landlock_enter(const tr_jail *jail, tr_jail_report *report);

/* jail_seccomp.c: FILTER_LOADING or FILTER_SERVING. */
int tr__jail_seccomp_enter(const tr_jail *jail, tr_jail_stage stage, tr_jail_report *report);

#endif
