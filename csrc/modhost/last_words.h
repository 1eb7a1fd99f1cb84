/* last_words.h - what a dead helper left in the shared memory, in a few words.
 *
 * For the error that the client gets at once; the whole record is read by Python later. The memory may hold anything.
 */
#ifndef TR_MODHOST_LAST_WORDS_H
#define TR_MODHOST_LAST_WORDS_H

#include <stddef.h>

#include "sandbox/wire/shm.h"

/* "SIGSEGV", "exit(3)", "killed". NUL-ended. */
void tr_last_words(const tr_shm *shm, char *out, size_t cap);
/* 1: the process that the pidfd stands for has ended. */
int tr_last_words_is_dead(int pidfd);

#endif
