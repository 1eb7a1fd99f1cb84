/* Group 21: blocked clients; see block.h. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/block.h"
#include "sandbox/host/events.h"
#include "sandbox/host/link.h"
#include "sandbox/host/reply.h"
#include "sandbox/wire/futex.h"

/* Bits of block_client, and of the answer's effects. */
enum { HAS_REPLY = 1, HAS_TIMEOUT = 2, HAS_FREE = 8 };
enum { ON_REMOVAL = 1 };
enum { EFFECT_BLOCKED = 1, EFFECT_ERROR = 4 };
enum { WHY_UNBLOCKED, WHY_KEY, WHY_TIMEOUT, WHY_GONE, WHY_FREE };

#define FIRST_PLACES 64

/* By place; the place is the lower half of the number. Free ones are a list. */
static struct blocks {
    pthread_mutex_t lock; /* of all here, and of unblocked and the replies of every block */
    RedisModuleBlockedClient **places;
    uint32_t *generations;
    uint32_t *next_free; /* place + 1 */
    uint32_t cap, first_free;
} blocks = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void more_places(void) {
    uint32_t had = blocks.cap;
    blocks.cap = had == 0 ? FIRST_PLACES : had * 2;
    blocks.places = tr_need_more(blocks.places, blocks.cap * sizeof *blocks.places);
    blocks.generations = tr_need_more(blocks.generations, blocks.cap * sizeof *blocks.generations);
    blocks.next_free = tr_need_more(blocks.next_free, blocks.cap * sizeof *blocks.next_free);
    for (uint32_t i = blocks.cap; i-- > had;) {
        blocks.places[i] = NULL;
        blocks.generations[i] = 0;
        blocks.next_free[i] = blocks.first_free;
        blocks.first_free = i + 1;
    }
}

static void enter(RedisModuleBlockedClient *bc) {
    pthread_mutex_lock(&blocks.lock);
    if (blocks.first_free == 0) more_places();
    bc->place = blocks.first_free - 1;
    blocks.first_free = blocks.next_free[bc->place];
    blocks.places[bc->place] = bc;
    bc->id = (uint64_t)++blocks.generations[bc->place] << 32 | (bc->place + 1);
    tr_host_here.blocked++;
    pthread_mutex_unlock(&blocks.lock);
}

/* NULL: it is closed. */
static RedisModuleBlockedClient *find(uint64_t id) {
    uint32_t place = (uint32_t)id - 1;
    pthread_mutex_lock(&blocks.lock);
    RedisModuleBlockedClient *bc = (uint32_t)id != 0 && place < blocks.cap ? blocks.places[place] : NULL;
    if (bc != NULL && bc->id != id) bc = NULL;
    pthread_mutex_unlock(&blocks.lock);
    return bc;
}

RedisModuleBlockedClient *tr_block_hold(RedisModuleBlockedClient *bc) {
    atomic_fetch_add(&bc->refs, 1);
    return bc;
}

void tr_block_let_go(RedisModuleBlockedClient *bc) {
    if (atomic_fetch_sub(&bc->refs, 1) != 1) return;
    tr_reply_drop(&bc->reply);
    free(bc);
}

/* The end of it, private data excepted. */
static void leave(RedisModuleBlockedClient *bc) {
    pthread_mutex_lock(&blocks.lock);
    blocks.places[bc->place] = NULL;
    blocks.next_free[bc->place] = blocks.first_free;
    blocks.first_free = bc->place + 1;
    tr_host_here.blocked--;
    pthread_mutex_unlock(&blocks.lock);
    tr_block_let_go(bc);
}

/* With the floor: frees the private data and ends it. client_id 0: the client is gone. */
static void close_block(RedisModuleBlockedClient *bc, uint64_t client_id) {
    if (bc->free_privdata != NULL && bc->privdata != NULL) {
        RedisModuleCtx ctx;
        tr_ctx_init(&ctx, TR_CTX_NO_CLIENT | (client_id == 0 ? TR_CTX_BLOCKED_GONE : 0));
        ctx.client_id = client_id;
        ctx.db = bc->db;
        ctx.blocked = bc;
        bc->free_privdata(&ctx, bc->privdata);
        ctx.blocked = NULL;
        tr_ctx_end(&ctx);
        tr_ctx_release(&ctx);
    }
    leave(bc);
}

/* ------------------------------------------------------------------ blocking */

/* Why the client of this context can't be blocked; NULL: it can. */
static const char *why_refused(const RedisModuleCtx *ctx, int64_t timeout_ms) {
    if ((ctx->flags & TR_CTX_BLOCKED_REPLY) != 0)
        return "ERR Blocking module command called from Reply callback context";
    if ((ctx->context_flags & REDISMODULE_CTX_FLAGS_LUA) != 0)
        return "ERR Blocking module command called from Lua script";
    if ((ctx->context_flags & (REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_DENY_BLOCKING)) != 0)
        return "ERR Blocking module command called from transaction";
    if (timeout_ms > INT64_MAX - tr_host_here.now_us / 1000) return "ERR timeout is out of range";
    return NULL;
}

static void tell(const RedisModuleBlockedClient *bc, int64_t timeout_ms, RedisModuleString **keys, int count,
                 int flags) {
    tr_msg_block_client m = {
        .block = bc->id,
        .timeout_ms = timeout_ms,
        .callbacks = (bc->on_reply != NULL ? HAS_REPLY : 0) | (bc->on_timeout != NULL ? HAS_TIMEOUT : 0) |
                     (bc->free_privdata != NULL ? HAS_FREE : 0),
        .flags = (flags & REDISMODULE_BLOCK_UNBLOCK_DELETED) != 0 ? ON_REMOVAL : 0,
    };
    tr_wire_bytes *items = tr_argv_to_wire(keys, count, &m.keys);
    tr_link_tell("RedisModule_BlockClient", TR_MSG_BLOCK_CLIENT, &m);
    free(items);
}

typedef struct wish {
    RedisModuleCmdFunc on_reply, on_timeout;
    tr_free_privdata *free_privdata;
    long long timeout_ms;
    RedisModuleString **keys;
    int key_count;
    void *privdata;
    int flags;
} wish;

static RedisModuleBlockedClient *block(RedisModuleCtx *ctx, const wish *w) {
    if (ctx == NULL || (ctx->flags & (TR_CTX_COMMAND | TR_CTX_BLOCKED_REPLY)) == 0) {
        tr_host_die(TR_DIE_HOST, "RedisModule_BlockClient: no client runs a command here");
    }
    RedisModuleBlockedClient *bc = tr_need_zeroed(sizeof *bc);
    bc->refs = 1;
    bc->client_id = ctx->client_id;
    bc->db = ctx->db;
    bc->on_reply = w->on_reply;
    bc->on_timeout = w->on_timeout;
    bc->free_privdata = w->free_privdata;
    bc->privdata = w->privdata;
    bc->for_keys = w->key_count != 0;
    bc->closes_by_run = bc->for_keys || w->on_reply != NULL || w->free_privdata != NULL;
    bc->measured_from_ns = -1;
    tr_reply_init(&bc->reply, ctx->reply.resp);
    enter(bc);
    const char *why = why_refused(ctx, w->timeout_ms);
    if (why != NULL) {
        bc->untold = true;
        tr_reply_add_error(&ctx->reply, why, strlen(why));
        return bc;
    }
    ctx->effects |= EFFECT_BLOCKED;
    tell(bc, w->timeout_ms, w->keys, w->key_count, w->flags);
    return bc;
}

RedisModuleBlockedClient *tr_rm_BlockClient(RedisModuleCtx *ctx, RedisModuleCmdFunc reply_callback,
                                            RedisModuleCmdFunc timeout_callback,
                                            void (*free_privdata)(RedisModuleCtx *, void *), long long timeout_ms) {
    TR_NOTE(BlockClient, ctx, reply_callback, timeout_callback, timeout_ms);
    wish w = {.on_reply = reply_callback,
              .on_timeout = timeout_callback,
              .free_privdata = free_privdata,
              .timeout_ms = timeout_ms};
    return block(ctx, &w);
}


/* For callbacks of AUTH alone; no client of this server is ever being authenticated by a module. */
RedisModuleBlockedClient *tr_rm_BlockClientOnAuth(RedisModuleCtx *ctx, RedisModuleAuthCallback reply_callback,
                                                  void (*free_privdata)(RedisModuleCtx *, void *)) {
    static const char error[] = "ERR a module can block a client on AUTH only while it authenticates it";
    TR_NOTE(BlockClientOnAuth, ctx, reply_callback, free_privdata);
    tr_reply_add_error(&ctx->reply, error, sizeof error - 1);
    return NULL;
}

RedisModuleBlockedClient *tr_rm_BlockClientOnKeys(RedisModuleCtx *ctx, RedisModuleCmdFunc reply_callback,
                                                  RedisModuleCmdFunc timeout_callback,
                                                  void (*free_privdata)(RedisModuleCtx *, void *),
                                                  long long timeout_ms, RedisModuleString **keys, int numkeys,
                                                  void *privdata) {
    TR_NOTE(BlockClientOnKeys, ctx, reply_callback, timeout_ms, numkeys);
    wish w = {reply_callback, timeout_callback, free_privdata, timeout_ms, keys, numkeys, privdata, 0};
    return block(ctx, &w);
}

RedisModuleBlockedClient *tr_rm_BlockClientOnKeysWithFlags(RedisModuleCtx *ctx, RedisModuleCmdFunc reply_callback,
                                                           RedisModuleCmdFunc timeout_callback,
                                                           void (*free_privdata)(RedisModuleCtx *, void *),
                                                           long long timeout_ms, RedisModuleString **keys, int numkeys,
                                                           void *privdata, int flags) {
    TR_NOTE(BlockClientOnKeysWithFlags, ctx, reply_callback, timeout_ms, numkeys);
    wish w = {reply_callback, timeout_callback, free_privdata, timeout_ms, keys, numkeys, privdata, flags};
    return block(ctx, &w);
}

void tr_rm_SetDisconnectCallback(RedisModuleBlockedClient *bc, RedisModuleDisconnectFunc callback) {
    TR_NOTE(SetDisconnectCallback, bc, callback);
    bc->on_disconnect = callback;
}

void tr_rm_SignalKeyAsReady(RedisModuleCtx *ctx, RedisModuleString *key) {
    TR_NOTE(SignalKeyAsReady, ctx, key);
    tr_msg_signal_ready m = {.db = ctx->db, .name = tr_string_wire(key)};
    tr_link_tell("RedisModule_SignalKeyAsReady", TR_MSG_SIGNAL_READY, &m);
}

/* ------------------------------------------------------------------ unblocking, from any thread */

static void close_untold(void *bc) {
    close_block(bc, 0);
}

/* Once for each block. Afterwards it may be gone. */
static void unblock(RedisModuleBlockedClient *bc, bool aborted) {
    bool closes_by_run = aborted && !bc->for_keys ? bc->free_privdata != NULL : bc->closes_by_run;
    if (bc->untold) {
        tr_events_add_one_shot(close_untold, bc);
        return;
    }
    tr_reply_finish(&bc->reply);
    tr_msg_unblock_client m = {
        .block = bc->id,
        .aborted = aborted && !bc->for_keys,
        .reply = {(const uint8_t *)bc->reply.out.p, (uint32_t)bc->reply.out.len},
        .background_us = bc->measured_us,
    };
    RedisModuleBlockedClient *held = tr_block_hold(bc);
    tr_link_post(TR_MSG_UNBLOCK_CLIENT, &m);
    if (!closes_by_run) leave(bc);
    tr_block_let_go(held);
}

static int unblock_with(RedisModuleBlockedClient *bc, void *privdata, bool aborted) {
    if (bc->for_keys && bc->on_timeout == NULL) return REDISMODULE_ERR; /* it answers for such a client */
    pthread_mutex_lock(&blocks.lock);
    bool first = !bc->unblocked;
    bc->unblocked = true;
    if (first && !bc->for_keys) bc->privdata = privdata;
    pthread_mutex_unlock(&blocks.lock);
    if (first) unblock(bc, aborted);
    return REDISMODULE_OK;
}

int tr_rm_UnblockClient(RedisModuleBlockedClient *bc, void *privdata) {
    TR_NOTE(UnblockClient, bc, privdata);
    return unblock_with(bc, privdata, false);
}

int tr_rm_AbortBlock(RedisModuleBlockedClient *bc) {
    TR_NOTE(AbortBlock, bc);
    bc->on_reply = NULL;
    bc->on_disconnect = NULL;
    return unblock_with(bc, NULL, true);
}

/* ------------------------------------------------------------------ what is known of it */

void *tr_rm_BlockClientGetPrivateData(RedisModuleBlockedClient *bc) {
    TR_NOTE(BlockClientGetPrivateData, bc);
    return bc->privdata;
}

void tr_rm_BlockClientSetPrivateData(RedisModuleBlockedClient *bc, void *private_data) {
    TR_NOTE(BlockClientSetPrivateData, bc, private_data);
    bc->privdata = private_data;
}

int tr_rm_IsBlockedReplyRequest(RedisModuleCtx *ctx) {
    TR_NOTE(IsBlockedReplyRequest, ctx);
    return (ctx->flags & TR_CTX_BLOCKED_REPLY) != 0;
}

int tr_rm_IsBlockedTimeoutRequest(RedisModuleCtx *ctx) {
    TR_NOTE(IsBlockedTimeoutRequest, ctx);
    return (ctx->flags & TR_CTX_BLOCKED_TIMEOUT) != 0;
}

/* A thread's context knows the client, not the data. */
void *tr_rm_GetBlockedClientPrivateData(RedisModuleCtx *ctx) {
    TR_NOTE(GetBlockedClientPrivateData, ctx);
    return ctx->blocked == NULL || (ctx->flags & TR_CTX_THREAD) != 0 ? NULL : ctx->blocked->privdata;
}

RedisModuleString *tr_rm_GetBlockedClientReadyKey(RedisModuleCtx *ctx) {
    TR_NOTE(GetBlockedClientReadyKey, ctx);
    return ctx->ready_key;
}

RedisModuleBlockedClient *tr_rm_GetBlockedClientHandle(RedisModuleCtx *ctx) {
    TR_NOTE(GetBlockedClientHandle, ctx);
    return ctx->blocked;
}

int tr_rm_BlockedClientDisconnected(RedisModuleCtx *ctx) {
    TR_NOTE(BlockedClientDisconnected, ctx);
    return (ctx->flags & TR_CTX_BLOCKED_GONE) != 0;
}

int tr_rm_BlockedClientMeasureTimeStart(RedisModuleBlockedClient *bc) {
    TR_NOTE(BlockedClientMeasureTimeStart, bc);
    bc->measured_from_ns = tr_futex_now_ns();
    return REDISMODULE_OK;
}

int tr_rm_BlockedClientMeasureTimeEnd(RedisModuleBlockedClient *bc) {
    TR_NOTE(BlockedClientMeasureTimeEnd, bc);
    if (bc->measured_from_ns < 0) return REDISMODULE_ERR; /* never started */
    bc->measured_us += (uint64_t)(tr_futex_now_ns() - bc->measured_from_ns) / 1000;
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ callbacks */

static void answer(const tr_wire_header *header, RedisModuleCtx *ctx, int outcome) {
    tr_reply *r = &ctx->reply;
    tr_reply_finish(r);
    tr_wire_bytes *codes = tr_need((r->code_count + 1) * sizeof *codes);
    const char *code = r->codes.p;
    for (uint32_t i = 0; i < r->code_count; i++) {
        codes[i] = (tr_wire_bytes){(const uint8_t *)code, (uint32_t)strlen(code)};
        code += codes[i].len + 1;
    }
    tr_msg_run_blocked_answer m = {
        .outcome = (uint8_t)outcome,
        .reply = {(const uint8_t *)r->out.p, (uint32_t)r->out.len},
        .effects = ctx->effects | (r->failed ? EFFECT_ERROR : 0),
        .error_codes = {.count = r->code_count, .items.texts = codes},
    };
    tr_link_answer(header, &m);
    free(codes);
}

static uint32_t flags_of(uint8_t why) {
    switch (why) {
        case WHY_UNBLOCKED:
        case WHY_KEY: return TR_CTX_BLOCKED_REPLY;
        case WHY_TIMEOUT: return TR_CTX_BLOCKED_TIMEOUT;
        case WHY_GONE: return TR_CTX_BLOCKED_GONE | TR_CTX_NO_CLIENT;
        default: return TR_CTX_NO_CLIENT;
    }
}

/* Runs the callback. 1: the block is to be closed; 0: it stays open. *outcome: as in the answer. */
static int run(RedisModuleCtx *ctx, RedisModuleBlockedClient *bc, uint8_t why, int *outcome) {
    *outcome = 0;
    switch (why) {
        case WHY_UNBLOCKED:
            if (bc->on_reply != NULL) bc->on_reply(ctx, ctx->argv, ctx->argc);
            return 1;
        case WHY_KEY:
            *outcome = bc->unblocked || bc->on_reply == NULL ||
                       bc->on_reply(ctx, ctx->argv, ctx->argc) != REDISMODULE_OK;
            return *outcome == 0;
        case WHY_TIMEOUT:
            *outcome = bc->unblocked && !bc->for_keys; /* that was sooner */
            if (*outcome == 0 && bc->on_timeout != NULL) bc->on_timeout(ctx, ctx->argv, ctx->argc);
            return bc->for_keys;
        case WHY_GONE:
            if (bc->on_disconnect != NULL) bc->on_disconnect(ctx, bc);
            *outcome = bc->unblocked; /* then that closes it */
            return bc->for_keys && !bc->unblocked;
        default: return 1;
    }
}

void tr_serve_run_blocked(const tr_wire_header *header, const void *body) {
    const tr_msg_run_blocked *m = body;
    RedisModuleBlockedClient *bc = find(m->block);
    RedisModuleCtx ctx;
    int outcome = 1; /* closed meanwhile */
    tr_host_here.now_us = m->now_us;
    tr_ctx_init(&ctx, flags_of(m->why));
    tr_note(header->type, TR_RECORDER_CALLBACK, m->block, m->why, m->client_id, 0);
    ctx.client_id = m->client_id;
    ctx.client_flags = m->client_flags;
    ctx.context_flags = m->context_flags;
    ctx.db = m->db;
    ctx.reply.resp = m->resp;
    ctx.argv = tr_argv_from_wire(&m->argv, &ctx.argc);
    if (m->why == WHY_KEY) ctx.ready_key = tr_string_new(m->ready_key.at, m->ready_key.len);
    if (bc != NULL) {
        ctx.blocked = tr_block_hold(bc);
        int closes = run(&ctx, bc, m->why, &outcome);
        /* One whose time ran out is on its way already. */
        if (closes) close_block(bc, m->why == WHY_TIMEOUT && !bc->unblocked ? 0 : m->client_id);
        ctx.blocked = NULL;
        tr_block_let_go(bc);
    }
    tr_ctx_end(&ctx);
    answer(header, &ctx, outcome);
    tr_ctx_release(&ctx);
}
