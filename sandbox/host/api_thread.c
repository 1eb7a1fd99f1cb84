/* Group 22: contexts of threads, the lock, Yield. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/baton.h"
#include "sandbox/host/block.h"
#include "sandbox/host/link.h"
#include "sandbox/wire/futex.h"

#define YIELD_NS INT64_C(100000000) /* between two yields that the server hears of */

static RedisModuleCtx *thread_context(void) {
    RedisModuleCtx *ctx = tr_need(sizeof *ctx);
    tr_ctx_init(ctx, TR_CTX_THREAD);
    return ctx;
}

RedisModuleCtx *tr_rm_GetThreadSafeContext(RedisModuleBlockedClient *bc) {
    TR_NOTE(GetThreadSafeContext, bc);
    RedisModuleCtx *ctx = thread_context();
    if (bc == NULL) return ctx;
    ctx->blocked = tr_block_hold(bc);
    ctx->client_id = bc->client_id;
    ctx->reply.resp = bc->reply.resp;
    ctx->db = bc->db;
    return ctx;
}

RedisModuleCtx *tr_rm_GetDetachedThreadSafeContext(RedisModuleCtx *ctx) {
    TR_NOTE(GetDetachedThreadSafeContext, ctx);
    return thread_context();
}

void tr_rm_FreeThreadSafeContext(RedisModuleCtx *ctx) {
    TR_NOTE(FreeThreadSafeContext, ctx);
    RedisModuleBlockedClient *bc = ctx->blocked;
    ctx->blocked = NULL;
    tr_ctx_end(ctx);
    tr_ctx_release(ctx);
    free(ctx);
    if (bc != NULL) tr_block_let_go(bc);
}

/* What a context of a thread knows of the server is as of when it got the lock. */
static void learn(RedisModuleCtx *ctx) {
    if (ctx == NULL) return;
    ctx->now_us = tr_host_here.now_us;
    ctx->context_flags = tr_host_here.context_flags;
}

void tr_rm_ThreadSafeContextLock(RedisModuleCtx *ctx) {
    TR_NOTE(ThreadSafeContextLock, ctx);
    tr_baton_take("RedisModule_ThreadSafeContextLock");
    learn(ctx);
}

int tr_rm_ThreadSafeContextTryLock(RedisModuleCtx *ctx) {
    TR_NOTE(ThreadSafeContextTryLock, ctx);
    if (!tr_baton_try()) {
        errno = EBUSY;
        return REDISMODULE_ERR;
    }
    learn(ctx);
    return REDISMODULE_OK;
}

void tr_rm_ThreadSafeContextUnlock(RedisModuleCtx *ctx) {
    TR_NOTE(ThreadSafeContextUnlock, ctx);
    tr_baton_give("RedisModule_ThreadSafeContextUnlock");
}

/* Modules call it often, the server wants to hear of it now and then. */
void tr_rm_Yield(RedisModuleCtx *ctx, int flags, const char *busy_reply) {
    static _Thread_local int64_t next_ns;
    TR_NOTE(Yield, ctx, flags, busy_reply);
    int64_t now_ns = tr_futex_now_ns();
    if (now_ns < next_ns) return;
    next_ns = now_ns + YIELD_NS;
    if (busy_reply == NULL) busy_reply = "";
    tr_msg_yield m = {.flags = (flags & REDISMODULE_YIELD_FLAG_CLIENTS) != 0,
                      .text = {(const uint8_t *)busy_reply, (uint32_t)strnlen(busy_reply, 4096)}};
    tr_msg_yield_answer answer;
    tr_answer hold = {0};
    tr_link_ask("RedisModule_Yield", TR_MSG_YIELD, &m, &answer, &hold);
    tr_answer_drop(&hold);
    tr_host_here.now_us = answer.now_us;
    if (ctx != NULL) ctx->now_us = answer.now_us;
}
