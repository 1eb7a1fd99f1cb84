/* futex.h - sleeping on words of shared memory, and the word that tells whether a process lives.
 *
 * The words may be changed by somebody who wants us to fail: a sleep ends for no reason, or at its
 * deadline, and says nothing; who slept looks again.
 */
#ifndef TR_WIRE_FUTEX_H
#define TR_WIRE_FUTEX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* How long at most a death goes unnoticed where a sleep can't watch two words. */
#define TR_FUTEX_SLICE_NS 1000000

typedef _Atomic uint32_t tr_futex_word;

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t tr_futex_now_ns(void);
/* Sleeps while the word has the value, until the deadline; INT64_MAX: none. */
void tr_futex_wait(tr_futex_word *word, uint32_t value, int64_t deadline_ns);
/* The same, but ends also when the life word's holder dies. 0, or TR_ENOTSUP: the kernel can't. */
int tr_futex_wait_two(tr_futex_word *word, uint32_t value, tr_futex_word *life,
                      int64_t deadline_ns);
void tr_futex_wake(tr_futex_word *word);
/* The word of a robust process-shared lock that the kernel marks. */
tr_futex_word *tr_futex_life_word(pthread_mutex_t *lock);
/* Whether somebody who lives holds the lock. */
int tr_futex_life_holds(tr_futex_word *life);

/* A breath while spinning. */
static inline void tr_futex_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
