/* Aim: what happens in the server reaches the module's callbacks with the record that belongs to it, and what a
 * module tells of keys reaches the server. Method: both ends of the channel are this test; each record is
 * written down as text by a callback. */
#include <inttypes.h>

#include "host_kit.h"

static char said[4096];
static uint8_t outcome;

#define SAY(...) snprintf(said + strlen(said), sizeof said - strlen(said), __VA_ARGS__)

/* ------------------------------------------------------------------ what stands in for the rest */

static int open_ctxs;

void tr_ctx_init(RedisModuleCtx *ctx, uint32_t flags) {
    memset(ctx, 0, sizeof *ctx);
    ctx->flags = flags;
    open_ctxs++;
}

void tr_ctx_release(RedisModuleCtx *ctx) {
    (void)ctx;
    open_ctxs--;
}

static int the_key;

RedisModuleKey *tr_rm_OpenKey(RedisModuleCtx *ctx, RedisModuleString *name, int mode) {
    SAY("open %u %s %d;", ctx->db, name->p, (mode & REDISMODULE_READ) != 0 && (mode & REDISMODULE_WRITE) == 0);
    return (RedisModuleKey *)(void *)&the_key;
}

void tr_rm_CloseKey(RedisModuleKey *key) {
    CHECK((void *)key == &the_key);
    SAY("close;");
}

int tr_rm_SubscribeToServerEvent(RedisModuleCtx *ctx, RedisModuleEvent event, RedisModuleEventCallback callback);
tr_serve_fn tr_serve_server_event;

static void ask(tr_msg_type type, const void *body, void *out) {
    if (type == TR_MSG_SUBSCRIBE_EVENT) {
        const tr_msg_subscribe_event *m = body;
        SAY("event %" PRIu64 " %d;", m->event, m->wanted);
        ((tr_msg_subscribe_event_answer *)out)->outcome = outcome;
    } else if (type == TR_MSG_SUBSCRIBE_KEYSPACE) {
        const tr_msg_subscribe_keyspace *m = body;
        SAY("keys %" PRIu64 " %u;", m->classes, m->subscription);
        ((tr_msg_subscribe_keyspace_answer *)out)->outcome = outcome;
    } else if (type == TR_MSG_NOTIFY_CLASSES) {
        ((tr_msg_notify_classes_answer *)out)->classes = 12;
    } else {
        CHECK(!"this is not asked");
    }
}

static void tell(tr_msg_type type, const void *body) {
    if (type == TR_MSG_NOTIFY_KEYSPACE) {
        const tr_msg_notify_keyspace *m = body;
        SAY("notify %" PRIu64 " %u %.*s %.*s;", m->event_class, m->db, (int)m->event.len, (const char *)m->event.at,
            (int)m->name.len, (const char *)m->name.at);
    } else if (type == TR_MSG_ADD_JOB) {
        SAY("job %" PRIu64 ";", ((const tr_msg_add_job *)body)->job);
    } else {
        CHECK(!"this is not told");
    }
}

static void answered(const void *body) {
    (void)body;
    SAY("done.");
}

static void begin(void) {
    kit_ask = ask;
    kit_tell = tell;
    kit_answer = answered;
    said[0] = '\0';
    outcome = 0;
}

/* ------------------------------------------------------------------ server events */

static void happened(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t subevent, void *data) {
    SAY("%" PRIu64 "v%" PRIu64 ".%" PRIu64 " ", event.id, event.dataver, subevent);
    CHECK_EQ_INT(ctx->flags & TR_CTX_NO_CLIENT, TR_CTX_NO_CLIENT);
    switch (event.id) {
    case REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED: {
        const RedisModuleReplicationInfo *r = data;
        SAY("%" PRIu64 ",%d,%s,%d,%s,%s,%" PRIu64 ",%" PRIu64 ";", r->version, r->master, r->masterhost, r->masterport,
            r->replid1, r->replid2, r->repl1_offset, r->repl2_offset);
        break;
    }
    case REDISMODULE_EVENT_FLUSHDB: {
        const RedisModuleFlushInfo *r = data;
        SAY("%" PRIu64 ",%d,%d;", r->version, r->sync, r->dbnum);
        break;
    }
    case REDISMODULE_EVENT_CLIENT_CHANGE: {
        const RedisModuleClientInfo *r = data;
        SAY("%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%d,%d of %" PRIu64 " %u;", r->version, r->flags, r->id, r->addr,
            r->port, r->db, ctx->client_id, ctx->db);
        break;
    }
    case REDISMODULE_EVENT_CRON_LOOP: SAY("%d;", ((const RedisModuleCronLoop *)data)->hz); break;
    case REDISMODULE_EVENT_MODULE_CHANGE: {
        const RedisModuleModuleChange *r = data;
        SAY("%" PRIu64 ",%s,%d;", r->version, r->module_name, r->module_version);
        break;
    }
    case REDISMODULE_EVENT_LOADING_PROGRESS: {
        const RedisModuleLoadingProgress *r = data;
        SAY("%d,%d;", r->hz, r->progress);
        break;
    }
    case REDISMODULE_EVENT_SWAPDB: {
        const RedisModuleSwapDbInfo *r = data;
        SAY("%d,%d;", r->dbnum_first, r->dbnum_second);
        break;
    }
    case REDISMODULE_EVENT_CONFIG: {
        const RedisModuleConfigChange *r = data;
        SAY("%" PRIu64 ",%u", r->version, r->num_changes);
        for (uint32_t i = 0; i < r->num_changes; i++) SAY(",%s", r->config_names[i]);
        SAY(";");
        break;
    }
    case REDISMODULE_EVENT_KEY: CHECK(((const RedisModuleKeyInfo *)data)->key != NULL); SAY("key;"); break;
    default: SAY("%s;", data == NULL ? "nothing" : "something"); break;
    }
}

/* The event with numbers 1, 2, ... and these texts, each of one letter. */
static const char *fire(uint64_t event, uint32_t numbers, const char *texts) {
    static const int64_t all[] = {1, 2, 3, 4};
    uint8_t packed[64];
    uint32_t count = (uint32_t)strlen(texts);
    for (uint32_t i = 0; i < count; i++) memcpy(packed + i * 5, (uint8_t[]){1, 0, 0, 0, (uint8_t)texts[i]}, 5);
    tr_wire_header header = {0};
    tr_msg_server_event m = {
        .event = event,
        .subevent = 1,
        .context_flags = 2,
        .now_us = 77,
        .numbers = {.count = numbers, .packed = (const uint8_t *)all, .packed_bytes = numbers * 8},
        .texts = {.count = count, .packed = packed, .packed_bytes = count * 5}};
    begin();
    tr_serve_server_event(&header, &m);
    CHECK_EQ_INT(open_ctxs, 0);
    CHECK_EQ_INT(tr_host_here.depth, 0);
    CHECK_EQ_INT(tr_host_here.now_us, 77);
    return said;
}

static int subscribe(uint64_t event, uint64_t version, RedisModuleEventCallback callback) {
    return tr_rm_SubscribeToServerEvent(NULL, (RedisModuleEvent){.id = event, .dataver = version}, callback);
}

static void test_subscribing(void) {
    begin();
    CHECK_EQ_INT(subscribe(18, 1, happened), REDISMODULE_ERR);
    CHECK_EQ_INT(subscribe(REDISMODULE_EVENT_FLUSHDB, 2, happened), REDISMODULE_ERR);
    CHECK_EQ_INT(subscribe(REDISMODULE_EVENT_SHUTDOWN, 1, NULL), REDISMODULE_OK);
    CHECK_EQ_STR(said, "");
    outcome = 1;
    CHECK_EQ_INT(subscribe(REDISMODULE_EVENT_SHUTDOWN, 99, happened), REDISMODULE_ERR);
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_SHUTDOWN, 0, ""), "done.");
    begin();
    CHECK_EQ_INT(subscribe(REDISMODULE_EVENT_SHUTDOWN, 1, happened), REDISMODULE_OK);
    CHECK_EQ_INT(subscribe(REDISMODULE_EVENT_SHUTDOWN, 1, happened), REDISMODULE_OK);
    CHECK_EQ_STR(said, "event 5 1;"); /* the server is told once */
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_SHUTDOWN, 0, ""), "5v1.1 nothing;done.");
    begin();
    CHECK_EQ_INT(subscribe(REDISMODULE_EVENT_SHUTDOWN, 1, NULL), REDISMODULE_OK);
    CHECK_EQ_STR(said, "event 5 0;");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_SHUTDOWN, 0, ""), "done.");
    CHECK_EQ_STR(fire(99, 0, ""), "done.");
}

static void test_records(void) {
    for (uint64_t event = 0; event < 18; event++) {
        begin();
        CHECK_EQ_INT(subscribe(event, 1, happened), REDISMODULE_OK);
    }
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED, 4, "abc"), "0v1.1 1,1,a,2,b,c,3,4;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_PERSISTENCE, 0, ""), "1v1.1 nothing;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_FLUSHDB, 2, ""), "2v1.1 1,1,2;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_CLIENT_CHANGE, 4, "a"), "4v1.1 1,1,2,a,3,4 of 2 4;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_CRON_LOOP, 1, ""), "8v1.1 1;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_MODULE_CHANGE, 1, "m"), "9v1.1 1,m,1;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_LOADING_PROGRESS, 2, ""), "10v1.1 1,2;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_SWAPDB, 2, ""), "11v1.1 1,2;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_CONFIG, 0, "xy"), "16v1.1 0,2,x,y;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_KEY, 1, "k"), "open 1 k 1;17v1.1 key;close;done.");
    /* What is missing in a message is empty. */
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED, 0, ""), "0v1.1 1,0,,0,,,0,0;done.");
    CHECK_EQ_STR(fire(REDISMODULE_EVENT_KEY, 0, ""), "open 0  1;17v1.1 key;close;done.");
}

/* ------------------------------------------------------------------ keys */

static void work(RedisModuleCtx *ctx, void *data) {
    SAY("work %u %s;", ctx->db, (const char *)data);
}

static void work_is_over(void *data) {
    SAY("free %s;", (const char *)data);
}

static int changed(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
    SAY("%d %s %s in %u;", type, event, key->p, ctx->db);
    tr_rm_AddPostNotificationJob(ctx, work, (void *)"data", work_is_over);
    return REDISMODULE_OK;
}

static int also(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
    (void)ctx, (void)type, (void)event, (void)key;
    SAY("also;");
    return REDISMODULE_OK;
}

static void run_job(uint64_t id) {
    tr_wire_header header = {0};
    begin();
    tr_serve_run_job(&header, &(tr_msg_run_job){.job = id});
    CHECK_EQ_INT(open_ctxs, 0);
}

static void test_keys(void) {
    begin();
    CHECK_EQ_INT(tr_rm_SubscribeToKeyspaceEvents(NULL, 8, changed), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_SubscribeToKeyspaceEvents(NULL, 4, also), REDISMODULE_OK);
    CHECK_EQ_STR(said, "keys 8 0;keys 4 1;");
    static const uint64_t both[] = {1, 0, 9};
    tr_wire_header header = {0};
    tr_msg_keyspace_event m = {.event_class = 8,
                               .subscriptions = {.count = 3, .packed = (const uint8_t *)both, .packed_bytes = 24},
                               .db = 3,
                               .event = {.at = (const uint8_t *)"set...", .len = 3},
                               .name = {.at = (const uint8_t *)"key...", .len = 3}};
    begin();
    tr_serve_keyspace_event(&header, &m);
    CHECK_EQ_STR(said, "also;8 set key in 3;job 1;done.");
    CHECK_EQ_INT(open_ctxs, 0);
    run_job(7);
    CHECK_EQ_STR(said, "done.");
    run_job(1);
    CHECK_EQ_STR(said, "work 3 data;free data;done.");
    run_job(1);
    CHECK_EQ_STR(said, "done.");
    CHECK_EQ_INT(tr_rm_GetNotifyKeyspaceEvents(), 12);
}

static void test_jobs_are_refused(void) {
    RedisModuleCtx ctx = {.context_flags = REDISMODULE_CTX_FLAGS_LOADING};
    begin();
    CHECK_EQ_INT(tr_rm_AddPostNotificationJob(&ctx, work, NULL, NULL), REDISMODULE_ERR);
    ctx.context_flags = REDISMODULE_CTX_FLAGS_SLAVE | REDISMODULE_CTX_FLAGS_READONLY;
    CHECK_EQ_INT(tr_rm_AddPostNotificationJob(&ctx, work, NULL, NULL), REDISMODULE_ERR);
    CHECK_EQ_STR(said, "");
    ctx.context_flags = REDISMODULE_CTX_FLAGS_SLAVE;
    CHECK_EQ_INT(tr_rm_AddPostNotificationJob(&ctx, work, (void *)"x", NULL), REDISMODULE_OK);
    run_job(2);
    CHECK_EQ_STR(said, "work 0 x;done.");
}

static void test_telling(void) {
    RedisModuleCtx ctx = {.db = 2};
    RedisModuleString *key = tr_string_new("k", 1);
    begin();
    CHECK_EQ_INT(tr_rm_NotifyKeyspaceEvent(&ctx, 4, "hello", key), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_NotifyKeyspaceEvent(NULL, 4, "hello", key), REDISMODULE_ERR);
    CHECK_EQ_STR(said, "notify 4 2 hello k;");
    tr_string_free(key);
}

int main(void) {
    RUN(test_subscribing);
    RUN(test_records);
    RUN(test_keys);
    RUN(test_jobs_are_refused);
    RUN(test_telling);
    return CHECK_DONE();
}
