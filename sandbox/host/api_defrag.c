/* Defragmentation. The module's memory is its own process's heap, which nothing defragments. So
 * callbacks are taken and never called, and no RedisModuleDefragCtx ever comes to be. These functions
 * answer what they answer outside of a run: nothing moves, there is no time, there is no cursor. A
 * context that a module made up is not looked at. */
#include "sandbox/host/host.h"
#include "sandbox/host/memory.h"

int tr_rm_RegisterDefragFunc(RedisModuleCtx *ctx, RedisModuleDefragFunc func) {
    TR_NOTE(RegisterDefragFunc, ctx, (uintptr_t)func);
    return REDISMODULE_OK;
}

int tr_rm_RegisterDefragCallbacks(RedisModuleCtx *ctx, RedisModuleDefragFunc start,
                                  RedisModuleDefragFunc end) {
    TR_NOTE(RegisterDefragCallbacks, ctx, (uintptr_t)start, (uintptr_t)end);
    return REDISMODULE_OK;
}

/* NULL: the block stays where it is. */
void *tr_rm_DefragAlloc(RedisModuleDefragCtx *ctx, void *ptr) {
    TR_NOTE(DefragAlloc, ctx, ptr);
    return NULL;
}

/* A new block and the end of one, for modules that move their data by themselves. */
void *tr_rm_DefragAllocRaw(RedisModuleDefragCtx *ctx, size_t size) {
    TR_NOTE(DefragAllocRaw, ctx, size);
    return tr_memory_alloc(size);
}

void tr_rm_DefragFreeRaw(RedisModuleDefragCtx *ctx, void *ptr) {
    TR_NOTE(DefragFreeRaw, ctx, ptr);
    tr_memory_free(ptr);
}

RedisModuleString *tr_rm_DefragRedisModuleString(RedisModuleDefragCtx *ctx, RedisModuleString *str) {
    TR_NOTE(DefragRedisModuleString, ctx, str);
    return NULL;
}

int tr_rm_DefragShouldStop(RedisModuleDefragCtx *ctx) {
    TR_NOTE(DefragShouldStop, ctx);
    return 1;
}

int tr_rm_DefragCursorSet(RedisModuleDefragCtx *ctx, unsigned long cursor) {
    TR_NOTE(DefragCursorSet, ctx, cursor);
    return REDISMODULE_ERR;
}

int tr_rm_DefragCursorGet(RedisModuleDefragCtx *ctx, unsigned long *cursor) {
    TR_NOTE(DefragCursorGet, ctx, cursor);
    return REDISMODULE_ERR;
}

int tr_rm_GetDbIdFromDefragCtx(RedisModuleDefragCtx *ctx) {
    TR_NOTE(GetDbIdFromDefragCtx, ctx);
    return -1;
}

const RedisModuleString *tr_rm_GetKeyNameFromDefragCtx(RedisModuleDefragCtx *ctx) {
    TR_NOTE(GetKeyNameFromDefragCtx, ctx);
    return NULL;
}
