/* Landlock: which files may be opened, TCP, and what may be reached outside of the jail. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/jail_impl.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

/* Rights that are younger than the headers that we may be built with; the kernel's ABI decides. */
#define RIGHT(bit) (UINT64_C(1) << (bit))
#define FS_EXECUTE RIGHT(0)
#define FS_WRITE_FILE RIGHT(1)
#define FS_READ_FILE RIGHT(2)
#define FS_READ_DIR RIGHT(3)
#define FS_FIRST_ABI (RIGHT(13) - 1)
#define FS_REFER RIGHT(13)     /* ABI 2: moving and linking between folders */
#define FS_TRUNCATE RIGHT(14)  /* ABI 3 */
#define FS_IOCTL_DEV RIGHT(15) /* ABI 5: ioctl on devices */
#define FS_DEVICES (RIGHT(6) | RIGHT(11)) /* creating character and block devices */
#define NET_BIND_TCP RIGHT(0)             /* ABI 4 */
#define NET_CONNECT_TCP RIGHT(1)
#define SCOPE_ABSTRACT_UNIX RIGHT(0) /* ABI 6 */
#define SCOPE_SIGNAL RIGHT(1)

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_TCP 4
#define ABI_IOCTL 5
#define ABI_SCOPE 6

/* What a rule on a file that is no folder may hold. */
#define FS_ON_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

typedef struct ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scope;
} ruleset;

int tr__jail_landlock_abi(const char **why) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi > 0) return (int)abi;
    *why = errno == EOPNOTSUPP ? "Landlock is switched off in this kernel"
                               : "this kernel has no Landlock";
    return 0;
}

static uint64_t known_fs_rights(int abi) {
    uint64_t rights = FS_FIRST_ABI;
    if (abi >= ABI_REFER) rights |= FS_REFER;
    if (abi >= ABI_TRUNCATE) rights |= FS_TRUNCATE;
    if (abi >= ABI_IOCTL) rights |= FS_IOCTL_DEV;
    return rights;
}

/* The kernel refuses what it does not know, so tell only what it has. */
static size_t ruleset_size(int abi) {
    return abi >= ABI_SCOPE ? 24 : abi >= ABI_TCP ? 16 : 8;
}

static int add_rules(const tr_jail *jail, int rules, uint64_t handled, tr_jail_report *report) {
    for (size_t i = 0; i < jail->path_count; i++) {
        struct stat st;
        uint64_t rights = FS_READ_FILE | FS_READ_DIR;
        if (jail->policy.exec_allowed) rights |= FS_EXECUTE;
        if (jail->path_writable[i]) rights = handled & ~(FS_DEVICES | FS_EXECUTE | FS_IOCTL_DEV);
        if (fstat(jail->path_fds[i], &st) != 0) return tr__jail_failed(report, "fstat");
        if (!S_ISDIR(st.st_mode)) rights &= FS_ON_FILES;
        struct landlock_path_beneath_attr rule = {
            .allowed_access = rights & handled,
            .parent_fd = jail->path_fds[i],
        };
        if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
            return tr__jail_failed(report, "landlock_add_rule");
        }
    }
    return 0;
}

static void write_verdicts(const tr_jail *jail, tr_jail_report *report) {
    int abi = jail->landlock_abi;
    if (abi == 0) {
        const char *why = "";
        tr__jail_landlock_abi(&why);
        tr__jail_unsupported(report, TR_JAIL_FILES, why);
        tr__jail_unsupported(report, TR_JAIL_TCP, why);
        tr__jail_unsupported(report, TR_JAIL_SCOPE, why);
        return;
    }
    tr__jail_on(report, TR_JAIL_FILES);
    if (jail->policy.network != TR_JAIL_NET_NONE) {
        tr__jail_off(report, TR_JAIL_TCP, "the policy grants the network");
    } else if (abi < ABI_TCP) {
        tr__jail_unsupported(report, TR_JAIL_TCP, "Landlock of this kernel is older than ABI 4");
    } else {
        tr__jail_on(report, TR_JAIL_TCP);
    }
    if (abi < ABI_SCOPE) {
        tr__jail_unsupported(report, TR_JAIL_SCOPE, "Landlock of this kernel is older than ABI 6");
    } else {
        tr__jail_on(report, TR_JAIL_SCOPE);
    }
}

int tr__jail_landlock_enter(const tr_jail *jail, tr_jail_report *report) {
    int abi = jail->landlock_abi;
    if (abi == 0) {
        write_verdicts(jail, report);
        return 0;
    }
    ruleset set = {.fs = known_fs_rights(abi)};
    if (jail->policy.network == TR_JAIL_NET_NONE) set.net = NET_BIND_TCP | NET_CONNECT_TCP;
    set.scope = SCOPE_SIGNAL;
    if (jail->policy.network != TR_JAIL_NET_ALL) set.scope |= SCOPE_ABSTRACT_UNIX;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &set, ruleset_size(abi), 0);
    if (rules < 0) return tr__jail_failed(report, "landlock_create_ruleset");
    int rc = add_rules(jail, rules, set.fs, report);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
        rc = tr__jail_failed(report, "landlock_restrict_self");
    }
    close(rules);
    if (rc == 0) write_verdicts(jail, report);
    return rc;
}
