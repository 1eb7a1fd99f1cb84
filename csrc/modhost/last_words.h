/* last_words.h - what a dead helper left in the shared memory, or else the kernel knows, in a few words.
 *
 * For the error that the client gets at once; the whole record is read by Python later. The memory may hold anything.
 */
#ifndef TR_MODHOST_LAST_WORDS_H
#define TR_MODHOST_LAST_WORDS_H

#include <stddef.h>
#include <sys/types.h>

#include "sandbox/wire/shm.h"

/* "SIGSEGV", "exit(3)", "exit status 3" (of one that went by itself and left nothing), "its main
 * thread ended", "killed". NUL-ended. The process may be no child of ours, or none (pidfd -1); a child can still be
 * waited for. Waits up to a tenth of a second for one that left nothing and has not quite ended. */
void tr_last_words(const tr_shm *shm, int pidfd, pid_t pid, char *out, size_t cap);
/* 1: the process that the pidfd stands for has ended. */
int tr_last_words_is_dead(int pidfd);

#endif
