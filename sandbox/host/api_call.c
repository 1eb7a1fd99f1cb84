/* Commands that the module calls. */
#include <errno.h>
#include <stdlib.h>

#include "sandbox/host/call_args.h"
#include "sandbox/host/call_reply.h"
#include "sandbox/host/key.h"
#include "sandbox/host/known.h"
#include "sandbox/host/link.h"

/* The reply, or NULL with errno. */
static RedisModuleCallReply *ask(RedisModuleCtx *ctx, const tr_call_args *args) {
    tr_msg_call m = {.db = ctx->db, .client_id = ctx->client_id, .flags = args->flags, .resp = args->resp};
    m.user = args->flags & TR_CALL_AS_USER ? ctx->user : 0;
    tr_msg_call_answer out;
    tr_answer answer = {0};
    RedisModuleCallReply *reply = NULL;
    tr_wire_bytes *items = tr_argv_to_wire(args->argv, args->argc, &m.argv);
    tr_link_ask("Call", TR_MSG_CALL, &m, &out, &answer);
    free(items);
    tr_keys_changed();
    tr_known_all_changed();
    if (out.outcome == 0) reply = tr_call_reply_new(ctx, tr_need_copy(out.reply.at, out.reply.len), out.reply.len);
    tr_answer_drop(&answer);
    errno = (int)out.errno_value;
    return reply;
}

RedisModuleCallReply *tr_rm_Call(RedisModuleCtx *ctx, const char *cmdname, const char *fmt, ...) {
    TR_NOTE(Call, ctx, cmdname, fmt);
    tr_call_args args;
    va_list values;
    va_start(values, fmt);
    int good = tr_call_args_read(&args, cmdname, fmt, &values);
    va_end(values);
    RedisModuleCallReply *reply = good ? ask(ctx, &args) : NULL;
    int error = good ? errno : EBADF;
    tr_call_args_drop(&args);
    errno = error;
    return reply;
}
