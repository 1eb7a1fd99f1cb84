/* guard.h - memory whose end is the end of a page that has an untouchable neighbour. */
#ifndef TR_TESTS_GUARD_H
#define TR_TESTS_GUARD_H

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

typedef struct guard {
    char *start;
    size_t size; /* without the neighbour */
} guard;

static inline guard guard_new(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard g = {.size = (size + page - 1) / page * page};
    g.start = mmap(NULL, g.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tr_assert(g.start != MAP_FAILED);
    tr_assert(mprotect(g.start + g.size, page, PROT_NONE) == 0);
    return g;
}

/* Puts n bytes against the end. */
static inline char *guard_put(const guard *g, const void *p, size_t n) {
    tr_assert(n <= g->size);
    char *at = g->start + g->size - n;
    memcpy(at, p, n);
    return at;
}

static inline void guard_free(guard *g) {
    munmap(g->start, g->size + (size_t)sysconf(_SC_PAGESIZE));
}

#endif
