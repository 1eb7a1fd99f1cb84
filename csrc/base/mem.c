#include "base/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void tr_mem_init(tr_mem *mem) {
    memset(mem, 0, sizeof(*mem));
}

void tr_mem_fail_at(tr_mem *mem, uint64_t nth) {
    mem->fail_in = nth;
    mem->fail_every = 0;
}

void tr_mem_fail_every(tr_mem *mem, uint64_t n) {
    mem->fail_in = mem->fail_every = n;
}

void tr_mem_note_peak(tr_mem *mem) {
    if (mem->used > mem->peak) mem->peak = mem->used;
}

void tr_mem_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

size_t tr_mem_describe(char *out, size_t cap) {
    size_t len = 0;
#ifdef __GLIBC__
    FILE *file = fmemopen(out, cap, "w");
    if (file != NULL) {
        int whole = malloc_info(0, file) == 0 && fflush(file) == 0 && ferror(file) == 0;
        long end = ftell(file);
        len = whole && end > 0 && (size_t)end <= cap ? (size_t)end : 0;
        fclose(file);
    }
#endif
    if (len != 0) return len;
    len = (size_t)snprintf(out, cap, "The allocator does not tell");
    return len < cap ? len : cap - 1;
}

size_t tr_mem_usable(const void *p) {
    return malloc_usable_size((void *)(uintptr_t)p);
}

size_t tr_mem_size(const void *p) {
    return tr_mem_usable(p) + sizeof(size_t);
}

static int refuses(tr_mem *mem, size_t size) {
    if (TR_UNLIKELY(mem->fail_in != 0) && --mem->fail_in == 0) {
        mem->fail_in = mem->fail_every;
        mem->fail_count++;
        return 1;
    }
    if (TR_UNLIKELY(size > TR_ALLOC_MAX)) {
        mem->fail_count++;
        return 1;
    }
    return 0;
}

static void *counted(tr_mem *mem, void *p) {
    if (TR_UNLIKELY(p == NULL)) {
        mem->fail_count++;
        return NULL;
    }
    mem->used += tr_mem_size(p);
    mem->alloc_count++;
    return p;
}

void *tr_alloc(tr_mem *mem, size_t size) {
    if (refuses(mem, size)) return NULL;
    return counted(mem, malloc(size ? size : 1));
}

void *tr_zalloc(tr_mem *mem, size_t size) {
    if (refuses(mem, size)) return NULL;
    return counted(mem, calloc(1, size ? size : 1));
}

void *tr_realloc(tr_mem *mem, void *p, size_t size) {
    if (p == NULL) return tr_alloc(mem, size);
    if (refuses(mem, size)) return NULL;
    size_t before = tr_mem_size(p);
    void *q = realloc(p, size ? size : 1);
    if (TR_UNLIKELY(q == NULL)) {
        mem->fail_count++;
        return NULL;
    }
    tr_assert(mem->used >= before);
    mem->used += tr_mem_size(q) - before;
    return q;
}

void tr_free(tr_mem *mem, void *p) {
    if (p == NULL) return;
    size_t size = tr_mem_size(p);
    tr_assert(mem->used >= size);
    mem->used -= size;
    mem->free_count++;
    free(p);
}
