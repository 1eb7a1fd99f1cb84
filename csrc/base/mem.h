/* mem.h - every allocation of the engine goes through here and is counted.
 *
 * A tr_mem is an account: whoever allocates names the account, so used_memory is exact per engine
 * (several engines may live in one process, each on one thread). Sizes are what malloc really
 * handed out, plus its header word. The account must outlive what was allocated from it.
 *
 * Fails with NULL only; the account is then unchanged. Tests make the n-th allocation from now fail
 * with tr_mem_fail_at(), or every n-th with tr_mem_fail_every(); 0 switches that off. The bound
 * TR_ALLOC_MAX stops absurd sizes before malloc.
 */
#ifndef TR_BASE_MEM_H
#define TR_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#define TR_ALLOC_MAX ((size_t)1 << 46)

typedef struct tr_mem {
    size_t used;       /* bytes, allocator overhead included */
    size_t peak;       /* highest value of used, kept by tr_mem_note_peak() */
    uint64_t alloc_count;
    uint64_t free_count;
    uint64_t fail_in;  /* 1: the next allocation fails; 0: none does */
    uint64_t fail_every; /* fail_in again after one failed */
    uint64_t fail_count; /* allocations that failed, made to or not */
} tr_mem;

void tr_mem_init(tr_mem *mem);
void tr_mem_fail_at(tr_mem *mem, uint64_t nth);
void tr_mem_fail_every(tr_mem *mem, uint64_t n);
void tr_mem_note_peak(tr_mem *mem);

/* Owned by the caller until tr_free(). Uninitialised / zeroed. NULL: out of memory. */
void *tr_alloc(tr_mem *mem, size_t size);
void *tr_zalloc(tr_mem *mem, size_t size);
/* Steals p on success only: on NULL p is still valid and still the caller's. */
void *tr_realloc(tr_mem *mem, void *p, size_t size);
/* NULL is allowed. */
void tr_free(tr_mem *mem, void *p);
/* Bytes that p accounts for, and bytes of it that may be used. */
size_t tr_mem_size(const void *p);
size_t tr_mem_usable(const void *p);

/* Gives free pages back to the system, where the allocator can. Process-wide. */
void tr_mem_trim(void);
/* What the allocator tells of itself, as text without a NUL (XML with glibc); bytes written, cap > 64.
 * Process-wide, not of one account. */
size_t tr_mem_describe(char *out, size_t cap);

#endif
