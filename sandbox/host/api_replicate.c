/* What the module wants AOF and replicas to have. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/call_args.h"
#include "sandbox/host/link.h"

#define NOT_AOF 1u /* bits of the message */
#define NOT_REPLICAS 2u

static void send_command(RedisModuleCtx *ctx, const tr_call_args *args) {
    tr_msg_replicate m = {.db = ctx->db};
    if (args->flags & TR_CALL_NOT_AOF) m.flags |= NOT_AOF;
    if (args->flags & TR_CALL_NOT_REPLICAS) m.flags |= NOT_REPLICAS;
    if (m.flags == (NOT_AOF | NOT_REPLICAS)) return;
    tr_wire_bytes *items = tr_argv_to_wire(args->argv, args->argc, &m.argv);
    tr_link_tell("Replicate", TR_MSG_REPLICATE, &m);
    free(items);
}

int tr_rm_Replicate(RedisModuleCtx *ctx, const char *cmdname, const char *fmt, ...) {
    TR_NOTE(Replicate, ctx, cmdname, fmt);
    if (!tr_host_has_command(cmdname, strlen(cmdname))) return REDISMODULE_ERR;
    tr_call_args args;
    va_list values;
    va_start(values, fmt);
    int good = tr_call_args_read(&args, cmdname, fmt, &values);
    va_end(values);
    if (good) send_command(ctx, &args);
    tr_call_args_drop(&args);
    return good ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_ReplicateVerbatim(RedisModuleCtx *ctx) {
    TR_NOTE(ReplicateVerbatim, ctx);
    if ((ctx->flags & TR_CTX_COMMAND) == 0) return REDISMODULE_OK; /* there is no command to be repeated */
    tr_msg_replicate_verbatim m = {0};
    tr_link_tell("ReplicateVerbatim", TR_MSG_REPLICATE_VERBATIM, &m);
    ctx->flags |= TR_CTX_REPLICATED;
    return REDISMODULE_OK;
}

int tr_rm_AvoidReplicaTraffic(void) {
    TR_NOTE(AvoidReplicaTraffic);
    tr_msg_avoid_replica_traffic m = {0};
    tr_msg_avoid_replica_traffic_answer out;
    tr_answer answer = {0};
    tr_link_ask("AvoidReplicaTraffic", TR_MSG_AVOID_REPLICA_TRAFFIC, &m, &out, &answer);
    tr_answer_drop(&answer);
    return out.avoid;
}
