/* Command filters. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/link.h"

struct RedisModuleCommandFilter {
    RedisModuleCommandFilter *next;
    RedisModuleCommandFilterFunc run;
    uint32_t handle; /* from the engine */
};

/* A command that is shown to the filters. */
struct RedisModuleCommandFilterCtx {
    RedisModuleString **argv; /* owned, and so are the strings */
    int argc, cap;
    uint64_t client_id;
    bool changed;
};

/* ------------------------------------------------------------------ registering */

RedisModuleCommandFilter *tr_rm_RegisterCommandFilter(RedisModuleCtx *ctx, RedisModuleCommandFilterFunc cb,
                                                      int flags) {
    TR_NOTE(RegisterCommandFilter, ctx, flags);
    tr_answer hold = {0};
    tr_msg_register_filter ask = {.flags = (uint64_t)flags};
    tr_msg_register_filter_answer answer;
    tr_link_ask("RedisModule_RegisterCommandFilter", TR_MSG_REGISTER_FILTER, &ask, &answer, &hold);
    tr_answer_drop(&hold);
    if (answer.outcome != 0) return NULL;
    RedisModuleCommandFilter *filter = tr_need(sizeof *filter);
    *filter = (RedisModuleCommandFilter){.next = tr_host_here.filters, .run = cb, .handle = answer.filter};
    tr_host_here.filters = filter;
    tr_host_here.filter_count++;
    return filter;
}

int tr_rm_UnregisterCommandFilter(RedisModuleCtx *ctx, RedisModuleCommandFilter *filter) {
    TR_NOTE(UnregisterCommandFilter, ctx, filter);
    RedisModuleCommandFilter **at = &tr_host_here.filters;
    while (*at != NULL && *at != filter) at = &(*at)->next;
    if (*at == NULL) return REDISMODULE_ERR;
    tr_link_tell("RedisModule_UnregisterCommandFilter", TR_MSG_UNREGISTER_FILTER,
                 &(tr_msg_unregister_filter){.filter = filter->handle});
    *at = filter->next;
    tr_host_here.filter_count--;
    free(filter);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ the command at hand */

int tr_rm_CommandFilterArgsCount(RedisModuleCommandFilterCtx *fctx) {
    TR_NOTE(CommandFilterArgsCount, fctx);
    return fctx->argc;
}

RedisModuleString *tr_rm_CommandFilterArgGet(RedisModuleCommandFilterCtx *fctx, int pos) {
    TR_NOTE(CommandFilterArgGet, fctx, pos);
    return pos < 0 || pos >= fctx->argc ? NULL : fctx->argv[pos];
}

/* The argument becomes the command's: the caller's reference is taken over. */
int tr_rm_CommandFilterArgInsert(RedisModuleCommandFilterCtx *fctx, int pos, RedisModuleString *arg) {
    TR_NOTE(CommandFilterArgInsert, fctx, pos, arg);
    if (pos < 0 || pos > fctx->argc) return REDISMODULE_ERR;
    if (fctx->argc == fctx->cap) {
        fctx->cap = fctx->cap * 2 + 1;
        fctx->argv = tr_need_more(fctx->argv, (size_t)fctx->cap * sizeof(RedisModuleString *));
    }
    memmove(fctx->argv + pos + 1, fctx->argv + pos, (size_t)(fctx->argc - pos) * sizeof(RedisModuleString *));
    fctx->argv[pos] = arg;
    fctx->argc++;
    fctx->changed = true;
    return REDISMODULE_OK;
}

int tr_rm_CommandFilterArgReplace(RedisModuleCommandFilterCtx *fctx, int pos, RedisModuleString *arg) {
    TR_NOTE(CommandFilterArgReplace, fctx, pos, arg);
    if (pos < 0 || pos >= fctx->argc) return REDISMODULE_ERR;
    tr_string_free(fctx->argv[pos]);
    fctx->argv[pos] = arg;
    fctx->changed = true;
    return REDISMODULE_OK;
}

int tr_rm_CommandFilterArgDelete(RedisModuleCommandFilterCtx *fctx, int pos) {
    TR_NOTE(CommandFilterArgDelete, fctx, pos);
    if (pos < 0 || pos >= fctx->argc) return REDISMODULE_ERR;
    tr_string_free(fctx->argv[pos]);
    fctx->argc--;
    memmove(fctx->argv + pos, fctx->argv + pos + 1, (size_t)(fctx->argc - pos) * sizeof(RedisModuleString *));
    fctx->changed = true;
    return REDISMODULE_OK;
}

unsigned long long tr_rm_CommandFilterGetClientId(RedisModuleCommandFilterCtx *fctx) {
    TR_NOTE(CommandFilterGetClientId, fctx);
    return fctx->client_id;
}

/* ------------------------------------------------------------------ the engine asks */

/* A filter may have been unregistered while the message was under way: NULL. */
static RedisModuleCommandFilter *find(uint64_t handle) {
    RedisModuleCommandFilter *filter = tr_host_here.filters;
    while (filter != NULL && filter->handle != handle) filter = filter->next;
    return filter;
}

void tr_serve_run_filter(const tr_wire_header *header, const void *body) {
    const tr_msg_run_filter *m = body;
    RedisModuleCommandFilterCtx fctx = {.client_id = m->client_id};
    fctx.argv = tr_argv_from_wire(&m->argv, &fctx.argc);
    fctx.cap = fctx.argc;
    tr_host_here.depth++;
    for (uint32_t i = 0; i < m->filters.count; i++) {
        RedisModuleCommandFilter *filter = find(tr_wire_u64_at(&m->filters, i));
        if (filter != NULL) filter->run(&fctx);
    }
    tr_host_here.depth--;
    tr_msg_run_filter_answer answer = {.changed = fctx.changed};
    tr_wire_bytes *items = fctx.changed ? tr_argv_to_wire(fctx.argv, fctx.argc, &answer.argv) : NULL;
    tr_link_answer(header, &answer);
    free(items);
    tr_argv_free(fctx.argv, fctx.argc);
}
