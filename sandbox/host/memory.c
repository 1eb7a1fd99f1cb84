#include "sandbox/host/memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sandbox/host/link.h"

/* With malloc's header word, as the engine counts its own. */
static size_t block_bytes(void *p) {
    return malloc_usable_size(p) + sizeof(size_t);
}

/* One of the threads that see a big move tells of it: the one whose exchange succeeds. */
static void tell(uint64_t used) {
    uint64_t told = atomic_load_explicit(&tr_host_here.told_bytes, memory_order_relaxed);
    uint64_t moved = used > told ? used - told : told - used;
    if (moved < TR_MEMORY_TOLD_BYTES) return;
    if (!(tr_host_here.loading || tr_host_here.serving || tr_host_here.unloading)) return;
    if (!atomic_compare_exchange_strong(&tr_host_here.told_bytes, &told, used)) return;
    tr_msg_memory_used body = {
        .used_bytes = used,
        .peak_bytes = atomic_load_explicit(&tr_host_here.peak_bytes, memory_order_relaxed),
    };
    tr_link_post(TR_MSG_MEMORY_USED, &body);
}

static void count_more(size_t bytes) {
    uint64_t used =
        atomic_fetch_add_explicit(&tr_host_here.used_bytes, bytes, memory_order_relaxed) + bytes;
    uint64_t peak = atomic_load_explicit(&tr_host_here.peak_bytes, memory_order_relaxed);
    while (used > peak &&
           !atomic_compare_exchange_weak_explicit(&tr_host_here.peak_bytes, &peak, used,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    tell(used);
}

/* A module may hand us blocks that came from elsewhere, which were never added: the count stops at
 * nothing. */
static void count_less(size_t bytes) {
    uint64_t used = atomic_load_explicit(&tr_host_here.used_bytes, memory_order_relaxed);
    uint64_t left;
    do {
        left = used > bytes ? used - bytes : 0;
    } while (!atomic_compare_exchange_weak_explicit(&tr_host_here.used_bytes, &used, left,
                                                    memory_order_relaxed, memory_order_relaxed));
    tell(left);
}

static void *counted(void *p) {
    if (p != NULL) count_more(block_bytes(p));
    return p;
}

static void *needed(void *p, size_t bytes) {
    if (p == NULL) tr_host_die(TR_DIE_MEMORY, "out of memory: the module asked for %zu bytes", bytes);
    return p;
}

void *tr_memory_try_alloc(size_t bytes) {
    if (bytes > TR_ALLOC_MAX) return NULL;
    return counted(malloc(bytes == 0 ? 1 : bytes));
}

void *tr_memory_try_zeroed(size_t count, size_t bytes) {
    if (bytes != 0 && count > TR_ALLOC_MAX / bytes) return NULL;
    size_t all = count * bytes;
    return counted(calloc(1, all == 0 ? 1 : all));
}

void *tr_memory_try_realloc(void *p, size_t bytes) {
    if (p == NULL) return tr_memory_try_alloc(bytes);
    if (bytes == 0) {
        tr_memory_free(p);
        return NULL;
    }
    if (bytes > TR_ALLOC_MAX) return NULL;
    size_t before = block_bytes(p);
    void *q = realloc(p, bytes);
    if (q == NULL) return NULL;
    size_t after = block_bytes(q);
    if (after > before) count_more(after - before);
    if (after < before) count_less(before - after);
    return q;
}

void *tr_memory_alloc(size_t bytes) {
    return needed(tr_memory_try_alloc(bytes), bytes);
}

void *tr_memory_zeroed(size_t count, size_t bytes) {
    void *p = tr_memory_try_zeroed(count, bytes);
    if (p == NULL) {
        tr_host_die(TR_DIE_MEMORY, "out of memory: the module asked for %zu times %zu bytes", count,
                    bytes);
    }
    return p;
}

void *tr_memory_realloc(void *p, size_t bytes) {
    void *q = tr_memory_try_realloc(p, bytes);
    return p != NULL && bytes == 0 ? NULL : needed(q, bytes);
}

void tr_memory_free(void *p) {
    if (p == NULL) return;
    size_t bytes = block_bytes(p);
    free(p);
    count_less(bytes);
}
