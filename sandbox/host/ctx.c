#include <stdlib.h>
#include <string.h>

#include "sandbox/host/call_reply.h"
#include "sandbox/host/dict.h"
#include "sandbox/host/host.h"
#include "sandbox/host/info.h"
#include "sandbox/host/key.h"
#include "sandbox/host/known.h"

#define FIRST_AUTOS 8
#define RESP_DEFAULT 2

void tr_ctx_init(RedisModuleCtx *ctx, uint32_t flags) {
    memset(ctx, 0, sizeof *ctx);
    ctx->get_api = (void *)(uintptr_t)tr_loader_get_api;
    ctx->flags = flags;
    ctx->now_us = tr_host_here.now_us;
    tr_reply_init(&ctx->reply, RESP_DEFAULT);
}

void tr_ctx_own(RedisModuleCtx *ctx, tr_auto_kind kind, void *p) {
    if (ctx == NULL || (ctx->flags & TR_CTX_AUTO) == 0) return;
    if (ctx->auto_count == ctx->auto_cap) {
        ctx->auto_cap = ctx->auto_cap == 0 ? FIRST_AUTOS : ctx->auto_cap * 2;
        ctx->autos = tr_need_more(ctx->autos, ctx->auto_cap * sizeof *ctx->autos);
    }
    ctx->autos[ctx->auto_count++] = (tr_auto){.kind = kind, .p = p};
}

int tr_ctx_disown(RedisModuleCtx *ctx, tr_auto_kind kind, void *p) {
    if (ctx == NULL) return 0;
    for (uint32_t i = ctx->auto_count; i-- > 0;) { /* mostly one of the last */
        tr_auto *one = &ctx->autos[i];
        if (one->p != p || one->kind != kind) continue;
        *one = ctx->autos[--ctx->auto_count];
        return 1;
    }
    return 0;
}

/* What AutoMemory() has, by its kind. A key closes itself in the context's list. */
static void free_auto(const tr_auto *one) {
    switch (one->kind) {
        case TR_AUTO_STRING: tr_string_free(one->p); break;
        case TR_AUTO_DICT: tr_dict_free(one->p); break;
        case TR_AUTO_REPLY: tr_call_reply_free(one->p); break;
        case TR_AUTO_INFO: tr_info_free(one->p); break;
        default: break;
    }
}

void tr_ctx_end(RedisModuleCtx *ctx) {
    tr_keys_close(ctx); /* those of AutoMemory() too */
    while (ctx->auto_count != 0) {
        tr_auto one = ctx->autos[--ctx->auto_count];
        free_auto(&one);
    }
}

void tr_ctx_release(RedisModuleCtx *ctx) {
    tr_ctx_end(ctx);
    free(ctx->autos);
    tr_known_free(ctx->known);
    tr_argv_free(ctx->argv, ctx->argc);
    if (ctx->user_name != NULL) tr_string_free(ctx->user_name);
    if (ctx->ready_key != NULL) tr_string_free(ctx->ready_key);
    tr_reply_drop(&ctx->reply);
    tr_numbers_drop(&ctx->positions);
    tr_numbers_drop(&ctx->position_flags);
    tr_numbers_drop(&ctx->redacted);
    tr_pool_release(ctx->pool);
}
