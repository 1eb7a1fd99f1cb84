#include "sandbox/wire/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

/* The same on every architecture; older headers don't have it. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define NS 1000000000

typedef struct two_words { /* struct futex_waitv, by its offsets */
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
} two_words;

_Static_assert(sizeof(two_words) == 24, "as the kernel has it");

#define WORD_OF_32_BITS 2u

static struct timespec *at(int64_t ns, struct timespec *when) {
    if (ns == INT64_MAX) return NULL;
    if (ns < 0) ns = 0;
    when->tv_sec = (time_t)(ns / NS);
    when->tv_nsec = (long)(ns % NS);
    return when;
}

int64_t tr_futex_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS + now.tv_nsec;
}

void tr_futex_wait(tr_futex_word *word, uint32_t value, int64_t deadline_ns) {
    struct timespec when;
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, at(deadline_ns, &when), NULL,
            FUTEX_BITSET_MATCH_ANY);
}

int tr_futex_wait_two(tr_futex_word *word, uint32_t value, tr_futex_word *life,
                      int64_t deadline_ns) {
    /* The kernel wakes for a dead holder only where somebody is marked as waiting. */
    uint32_t seen = atomic_fetch_or(life, FUTEX_WAITERS) | FUTEX_WAITERS;
    if ((seen & FUTEX_OWNER_DIED) != 0 || (seen & FUTEX_TID_MASK) == 0) return 0;
    two_words words[2] = {
        {.value = value, .address = (uintptr_t)word, .flags = WORD_OF_32_BITS},
        {.value = seen, .address = (uintptr_t)life, .flags = WORD_OF_32_BITS},
    };
    struct timespec when;
    long rc = syscall(SYS_futex_waitv, words, 2, 0, at(deadline_ns, &when), CLOCK_MONOTONIC);
    return rc < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL) ? TR_ENOTSUP : 0;
}

void tr_futex_wake(tr_futex_word *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

tr_futex_word *tr_futex_life_word(pthread_mutex_t *lock) {
#ifdef __GLIBC__
    size_t offset = offsetof(pthread_mutex_t, __data.__lock);
#else
    size_t offset = sizeof(int); /* musl: after the type */
#endif
    return (tr_futex_word *)(void *)((char *)lock + offset);
}

int tr_futex_life_holds(tr_futex_word *life) {
    uint32_t seen = atomic_load(life);
    return (seen & FUTEX_OWNER_DIED) == 0 && (seen & FUTEX_TID_MASK) != 0;
}
