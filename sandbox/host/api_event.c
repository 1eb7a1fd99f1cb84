/* Keyspace notifications, and jobs for the end of a unit. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/link.h"

/* ------------------------------------------------------------------ keyspace notifications */

int tr_rm_SubscribeToKeyspaceEvents(RedisModuleCtx *ctx, int types, RedisModuleNotificationFunc cb) {
    TR_NOTE(SubscribeToKeyspaceEvents, ctx, types);
    tr_host *here = &tr_host_here;
    tr_answer hold = {0};
    tr_msg_subscribe_keyspace ask = {.classes = (uint64_t)(uint32_t)types, .subscription = here->watch_count};
    tr_msg_subscribe_keyspace_answer answer;
    here->watches = tr_need_more(here->watches, (here->watch_count + 1) * sizeof *here->watches);
    here->watches[here->watch_count++] = cb;
    tr_link_ask("RedisModule_SubscribeToKeyspaceEvents", TR_MSG_SUBSCRIBE_KEYSPACE, &ask, &answer, &hold);
    tr_answer_drop(&hold);
    return answer.outcome == 0 ? REDISMODULE_OK : REDISMODULE_ERR;
}

void tr_serve_keyspace_event(const tr_wire_header *header, const void *body) {
    const tr_msg_keyspace_event *m = body;
    tr_host *here = &tr_host_here;
    here->context_flags = m->context_flags;
    char *event = tr_need_copy(m->event.at, m->event.len);
    RedisModuleString *key = tr_string_new(m->name.len == 0 ? "" : (const void *)m->name.at, m->name.len);
    for (uint32_t i = 0; i < m->subscriptions.count; i++) {
        uint64_t number = tr_wire_u64_at(&m->subscriptions, i);
        if (number >= here->watch_count) continue;
        RedisModuleCtx ctx;
        tr_ctx_init(&ctx, TR_CTX_NO_CLIENT);
        ctx.context_flags = m->context_flags;
        ctx.db = m->db;
        here->depth++;
        here->watches[number](&ctx, (int)m->event_class, event, key);
        here->depth--;
        tr_ctx_release(&ctx);
    }
    tr_string_free(key);
    free(event);
    tr_link_answer(header, &(tr_msg_keyspace_event_answer){0});
}

int tr_rm_NotifyKeyspaceEvent(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
    TR_NOTE(NotifyKeyspaceEvent, ctx, type, event, key);
    if (ctx == NULL) return REDISMODULE_ERR;
    tr_msg_notify_keyspace tell = {
        .event_class = (uint64_t)(uint32_t)type,
        .db = ctx->db,
        .event = {.at = (const uint8_t *)event, .len = (uint32_t)strlen(event)},
        .name = tr_string_wire(key),
    };
    tr_link_tell("RedisModule_NotifyKeyspaceEvent", TR_MSG_NOTIFY_KEYSPACE, &tell);
    return REDISMODULE_OK;
}

int tr_rm_GetNotifyKeyspaceEvents(void) {
    TR_NOTE(GetNotifyKeyspaceEvents);
    tr_answer hold = {0};
    tr_msg_notify_classes ask = {0};
    tr_msg_notify_classes_answer answer;
    tr_link_ask("RedisModule_GetNotifyKeyspaceEvents", TR_MSG_NOTIFY_CLASSES, &ask, &answer, &hold);
    tr_answer_drop(&hold);
    return (int)answer.classes;
}

/* ------------------------------------------------------------------ jobs */

typedef struct tr_job {
    struct tr_job *next;
    uint64_t id;
    RedisModulePostNotificationJobFunc run;
    void *data;
    void (*free_data)(void *);
    uint32_t db;
} tr_job;

int tr_rm_AddPostNotificationJob(RedisModuleCtx *ctx, RedisModulePostNotificationJobFunc callback, void *pd,
                                 void (*free_pd)(void *)) {
    TR_NOTE(AddPostNotificationJob, ctx, pd);
    const uint64_t replica = REDISMODULE_CTX_FLAGS_SLAVE | REDISMODULE_CTX_FLAGS_READONLY;
    if ((ctx->context_flags & REDISMODULE_CTX_FLAGS_LOADING) != 0) return REDISMODULE_ERR;
    if ((ctx->context_flags & replica) == replica) return REDISMODULE_ERR;
    tr_job *job = tr_need(sizeof *job);
    *job = (tr_job){.next = tr_host_here.jobs,
                    .id = ++tr_host_here.next_job,
                    .run = callback,
                    .data = pd,
                    .free_data = free_pd,
                    .db = ctx->db};
    tr_host_here.jobs = job;
    tr_link_tell("RedisModule_AddPostNotificationJob", TR_MSG_ADD_JOB, &(tr_msg_add_job){.job = job->id});
    return REDISMODULE_OK;
}

void tr_serve_run_job(const tr_wire_header *header, const void *body) {
    const tr_msg_run_job *m = body;
    tr_host *here = &tr_host_here;
    here->context_flags = m->context_flags;
    tr_job **at = &here->jobs;
    while (*at != NULL && (*at)->id != m->job) at = &(*at)->next;
    tr_job *job = *at;
    if (job != NULL) {
        *at = job->next;
        RedisModuleCtx ctx;
        tr_ctx_init(&ctx, TR_CTX_NO_CLIENT);
        ctx.context_flags = m->context_flags;
        ctx.db = job->db;
        here->depth++;
        job->run(&ctx, job->data);
        if (job->free_data != NULL) job->free_data(job->data);
        here->depth--;
        tr_ctx_release(&ctx);
        free(job);
    }
    tr_link_answer(header, &(tr_msg_run_job_answer){0});
}
