#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/host/link.h"
#include "sandbox/host/memory.h"

#define POOL_BLOCK_BYTES ((size_t)8 * 1024)

void *tr_rm_Alloc(size_t bytes) {
    TR_NOTE(Alloc, bytes);
    return tr_memory_alloc(bytes);
}

void *tr_rm_TryAlloc(size_t bytes) {
    TR_NOTE(TryAlloc, bytes);
    return tr_memory_try_alloc(bytes);
}

void *tr_rm_Calloc(size_t nmemb, size_t size) {
    TR_NOTE(Calloc, nmemb, size);
    return tr_memory_zeroed(nmemb, size);
}

void *tr_rm_TryCalloc(size_t nmemb, size_t size) {
    TR_NOTE(TryCalloc, nmemb, size);
    return tr_memory_try_zeroed(nmemb, size);
}

void *tr_rm_Realloc(void *ptr, size_t bytes) {
    TR_NOTE(Realloc, ptr, bytes);
    return tr_memory_realloc(ptr, bytes);
}

void *tr_rm_TryRealloc(void *ptr, size_t bytes) {
    TR_NOTE(TryRealloc, ptr, bytes);
    return tr_memory_try_realloc(ptr, bytes);
}

void tr_rm_Free(void *ptr) {
    TR_NOTE(Free, ptr);
    tr_memory_free(ptr);
}

char *tr_rm_Strdup(const char *str) {
    TR_NOTE(Strdup, str);
    size_t bytes = strlen(str) + 1;
    return memcpy(tr_memory_alloc(bytes), str, bytes);
}

/* ------------------------------------------------------------------ the pool of a context */

struct tr_pool_block {
    tr_pool_block *next;
    size_t size;
    size_t used;
    _Alignas(max_align_t) char bytes[];
};

/* Small pieces lie at multiples of the power of two that holds them, at most of a pointer. */
static size_t pool_alignment(size_t bytes) {
    size_t alignment = sizeof(void *);
    while (alignment / 2 >= bytes) alignment /= 2;
    return alignment;
}

void *tr_rm_PoolAlloc(RedisModuleCtx *ctx, size_t bytes) {
    TR_NOTE(PoolAlloc, ctx, bytes);
    if (bytes == 0) return NULL;
    size_t alignment = pool_alignment(bytes);
    tr_pool_block *block = ctx->pool;
    size_t at = block == NULL ? 0 : (block->used + alignment - 1) / alignment * alignment;
    if (block == NULL || at > block->size || block->size - at < bytes) {
        size_t size = bytes > POOL_BLOCK_BYTES ? bytes : POOL_BLOCK_BYTES;
        if (size > SIZE_MAX / 2) tr_host_die(TR_DIE_MEMORY, "out of memory: %zu bytes of a pool", bytes);
        block = tr_memory_alloc(sizeof(*block) + size);
        *block = (tr_pool_block){.next = ctx->pool, .size = size};
        ctx->pool = block;
        at = 0;
    }
    block->used = at + bytes;
    return block->bytes + at;
}

void tr_pool_release(tr_pool_block *pool) {
    while (pool != NULL) {
        tr_pool_block *next = pool->next;
        tr_memory_free(pool);
        pool = next;
    }
}

void tr_rm_AutoMemory(RedisModuleCtx *ctx) {
    TR_NOTE(AutoMemory, ctx);
    ctx->flags |= TR_CTX_AUTO;
}

/* ------------------------------------------------------------------ how much */

size_t tr_rm_MallocSize(void *ptr) {
    TR_NOTE(MallocSize, ptr);
    return tr_mem_usable(ptr);
}

size_t tr_rm_MallocUsableSize(void *ptr) {
    TR_NOTE(MallocUsableSize, ptr);
    return tr_mem_usable(ptr);
}

size_t tr_rm_MallocSizeString(RedisModuleString *str) {
    TR_NOTE(MallocSizeString, str);
    return tr_mem_usable(str) + (str->p == str->small ? 0 : tr_mem_usable(str->p));
}

float tr_rm_GetUsedMemoryRatio(void) {
    TR_NOTE(GetUsedMemoryRatio);
    tr_msg_memory_ratio body = {0};
    tr_msg_memory_ratio_answer told;
    tr_answer answer = {0};
    tr_link_ask("GetUsedMemoryRatio", TR_MSG_MEMORY_RATIO, &body, &told, &answer);
    float ratio = (float)told.ratio;
    tr_answer_drop(&answer);
    return ratio;
}
