/* Server events. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/link.h"

/* The version of the record that each event has; 0: none that is looked at. */
static const uint8_t record_versions[_REDISMODULE_EVENT_NEXT] = {
    [REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED] = REDISMODULE_REPLICATIONINFO_VERSION,
    [REDISMODULE_EVENT_FLUSHDB] = REDISMODULE_FLUSHINFO_VERSION,
    [REDISMODULE_EVENT_CLIENT_CHANGE] = REDISMODULE_CLIENTINFO_VERSION,
    [REDISMODULE_EVENT_CRON_LOOP] = REDISMODULE_CRON_LOOP_VERSION,
    [REDISMODULE_EVENT_MODULE_CHANGE] = REDISMODULE_MODULE_CHANGE_VERSION,
    [REDISMODULE_EVENT_LOADING_PROGRESS] = REDISMODULE_LOADING_PROGRESS_VERSION,
    [REDISMODULE_EVENT_SWAPDB] = REDISMODULE_SWAPDBINFO_VERSION,
    [REDISMODULE_EVENT_KEY] = REDISMODULE_KEYINFO_VERSION,
};

int tr_rm_SubscribeToServerEvent(RedisModuleCtx *ctx, RedisModuleEvent event, RedisModuleEventCallback callback) {
    TR_NOTE(SubscribeToServerEvent, ctx, event.id, event.dataver);
    if (event.id >= _REDISMODULE_EVENT_NEXT) return REDISMODULE_ERR;
    uint8_t version = record_versions[event.id];
    if (version != 0 && event.dataver > version) return REDISMODULE_ERR; /* made for a newer server */
    tr_host *here = &tr_host_here;
    bool wanted = callback != NULL;
    if (wanted != (here->events[event.id] != NULL)) {
        tr_answer hold = {0};
        tr_msg_subscribe_event ask = {.event = event.id, .wanted = wanted};
        tr_msg_subscribe_event_answer answer;
        tr_link_ask("RedisModule_SubscribeToServerEvent", TR_MSG_SUBSCRIBE_EVENT, &ask, &answer, &hold);
        tr_answer_drop(&hold);
        if (answer.outcome != 0) return REDISMODULE_ERR;
        here->event_versions[event.id] = event.dataver;
    }
    here->events[event.id] = callback;
    return REDISMODULE_OK;
}

/* What an event's record is made of. Numbers and texts come in the order of its members; what the engine left
 * out is 0 or empty. */
typedef struct record {
    union {
        RedisModuleReplicationInfo role;
        RedisModuleFlushInfo flush;
        RedisModuleClientInfo client;
        RedisModuleCronLoop cron;
        RedisModuleModuleChange module;
        RedisModuleLoadingProgress loading;
        RedisModuleSwapDbInfo swap;
        RedisModuleConfigChange config;
        RedisModuleKeyInfo key;
    } as;
    char nothing[1]; /* an empty text */
    char **texts;    /* copies that end with a NUL; owned */
    uint32_t text_count;
    RedisModuleString *name; /* of the open key; owned */
} record;

static int64_t number(const tr_msg_server_event *m, uint32_t i) {
    return i < m->numbers.count ? tr_wire_i64_at(&m->numbers, i) : 0;
}

static char *text(record *r, uint32_t i) {
    return i < r->text_count ? r->texts[i] : r->nothing;
}

static void take_texts(record *r, const tr_msg_server_event *m) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes one;
    r->texts = tr_need(m->texts.count * sizeof *r->texts);
    while (tr_wire_next(&m->texts, &cursor, &one)) r->texts[r->text_count++] = tr_need_copy(one.at, one.len);
}

/* Key: db, name. The key is open for as long as the callback runs: for reading, when it is still there. */
static void open_key(record *r, RedisModuleCtx *ctx, const tr_msg_server_event *m) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes name = {0};
    tr_wire_next(&m->texts, &cursor, &name);
    ctx->db = (uint32_t)number(m, 0);
    r->name = tr_string_new(name.len == 0 ? "" : (const void *)name.at, name.len);
    int mode = REDISMODULE_READ | REDISMODULE_OPEN_KEY_NOTOUCH | REDISMODULE_OPEN_KEY_NONOTIFY |
               REDISMODULE_OPEN_KEY_NOSTATS | REDISMODULE_OPEN_KEY_NOEXPIRE | REDISMODULE_OPEN_KEY_NOEFFECTS;
    RedisModuleKey *key = tr_rm_OpenKey(ctx, r->name, mode);
    /* It is gone: empty, but it has its name. */
    if (key == NULL) key = tr_rm_OpenKey(ctx, r->name, mode | REDISMODULE_WRITE);
    r->as.key = (RedisModuleKeyInfo){.version = REDISMODULE_KEYINFO_VERSION, .key = key};
}

/* Fills the record of the event; what the callback is given, NULL: nothing. */
static void *fill(record *r, RedisModuleCtx *ctx, const tr_msg_server_event *m) {
    switch (m->event) {
    case REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED:
        r->as.role = (RedisModuleReplicationInfo){.version = REDISMODULE_REPLICATIONINFO_VERSION,
                                                  .master = (int)number(m, 0),
                                                  .masterhost = text(r, 0),
                                                  .masterport = (int)number(m, 1),
                                                  .replid1 = text(r, 1),
                                                  .replid2 = text(r, 2),
                                                  .repl1_offset = (uint64_t)number(m, 2),
                                                  .repl2_offset = (uint64_t)number(m, 3)};
        return r;
    case REDISMODULE_EVENT_FLUSHDB:
        r->as.flush = (RedisModuleFlushInfo){.version = REDISMODULE_FLUSHINFO_VERSION,
                                             .sync = (int32_t)number(m, 0),
                                             .dbnum = (int32_t)number(m, 1)};
        return r;
    case REDISMODULE_EVENT_CLIENT_CHANGE:
        r->as.client = (RedisModuleClientInfo){.version = REDISMODULE_CLIENTINFO_VERSION,
                                               .flags = (uint64_t)number(m, 0),
                                               .id = (uint64_t)number(m, 1),
                                               .port = (uint16_t)number(m, 2),
                                               .db = (uint16_t)number(m, 3)};
        strncpy(r->as.client.addr, text(r, 0), sizeof r->as.client.addr - 1);
        ctx->client_id = r->as.client.id;
        ctx->client_flags = r->as.client.flags;
        ctx->db = r->as.client.db;
        return r;
    case REDISMODULE_EVENT_CRON_LOOP:
        r->as.cron = (RedisModuleCronLoop){.version = REDISMODULE_CRON_LOOP_VERSION, .hz = (int32_t)number(m, 0)};
        return r;
    case REDISMODULE_EVENT_MODULE_CHANGE:
        r->as.module = (RedisModuleModuleChange){.version = REDISMODULE_MODULE_CHANGE_VERSION,
                                                 .module_name = text(r, 0),
                                                 .module_version = (int32_t)number(m, 0)};
        return r;
    case REDISMODULE_EVENT_LOADING_PROGRESS:
        r->as.loading = (RedisModuleLoadingProgress){.version = REDISMODULE_LOADING_PROGRESS_VERSION,
                                                     .hz = (int32_t)number(m, 0),
                                                     .progress = (int32_t)number(m, 1)};
        return r;
    case REDISMODULE_EVENT_SWAPDB:
        r->as.swap = (RedisModuleSwapDbInfo){.version = REDISMODULE_SWAPDBINFO_VERSION,
                                             .dbnum_first = (int32_t)number(m, 0),
                                             .dbnum_second = (int32_t)number(m, 1)};
        return r;
    case REDISMODULE_EVENT_CONFIG: /* of this one Redis leaves the version 0 */
        r->as.config = (RedisModuleConfigChange){.num_changes = r->text_count, .config_names = (const char **)r->texts};
        return r;
    case REDISMODULE_EVENT_KEY: open_key(r, ctx, m); return r;
    default: return NULL;
    }
}

static void drop(record *r, const tr_msg_server_event *m) {
    if (m->event == REDISMODULE_EVENT_KEY) {
        if (r->as.key.key != NULL) tr_rm_CloseKey(r->as.key.key);
        tr_string_free(r->name);
    }
    for (uint32_t i = 0; i < r->text_count; i++) free(r->texts[i]);
    free(r->texts);
}

void tr_serve_server_event(const tr_wire_header *header, const void *body) {
    const tr_msg_server_event *m = body;
    tr_host *here = &tr_host_here;
    here->now_us = m->now_us;
    here->context_flags = m->context_flags;
    RedisModuleEventCallback callback = m->event < _REDISMODULE_EVENT_NEXT ? here->events[m->event] : NULL;
    if (callback != NULL) {
        RedisModuleCtx ctx;
        tr_ctx_init(&ctx, TR_CTX_NO_CLIENT);
        ctx.context_flags = m->context_flags;
        record r = {0};
        take_texts(&r, m);
        void *data = fill(&r, &ctx, m);
        here->depth++;
        callback(&ctx, (RedisModuleEvent){.id = m->event, .dataver = here->event_versions[m->event]}, m->subevent,
                 data == NULL ? NULL : &r.as);
        here->depth--;
        drop(&r, m);
        tr_ctx_release(&ctx);
    }
    tr_link_answer(header, &(tr_msg_server_event_answer){0});
}
