/* Clients, contexts, messages. */
#include <errno.h>
#include <string.h>

#include "sandbox/host/link.h"

/* Flags of a context that speak of its client, not of the server. */
#define FLAGS_OF_CLIENTS                                                                           \
    (REDISMODULE_CTX_FLAGS_LUA | REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_REPLICATED |  \
     REDISMODULE_CTX_FLAGS_MULTI_DIRTY | REDISMODULE_CTX_FLAGS_DENY_BLOCKING |                     \
     REDISMODULE_CTX_FLAGS_RESP3)

unsigned long long tr_rm_GetClientId(RedisModuleCtx *ctx) {
    TR_NOTE(GetClientId, ctx);
    return ctx->client_id;
}

int tr_rm_GetContextFlags(RedisModuleCtx *ctx) {
    TR_NOTE(GetContextFlags, ctx);
    if (ctx != NULL) return (int)ctx->context_flags;
    return (int)(tr_host_here.context_flags & ~(uint64_t)FLAGS_OF_CLIENTS);
}

/* ------------------------------------------------------------------ what is known of a client */

static int ask_info(const char *function, uint64_t id, tr_msg_client_info_answer *out, tr_answer *hold) {
    tr_link_ask(function, TR_MSG_CLIENT_INFO, &(tr_msg_client_info){.client_id = id}, out, hold);
    return out->found;
}

/* The text as a string that the context may free. */
static RedisModuleString *string_of(RedisModuleCtx *ctx, tr_wire_bytes text) {
    RedisModuleString *s = tr_string_new(text.at, text.len);
    tr_ctx_own(ctx, TR_AUTO_STRING, s);
    return s;
}

int tr_rm_GetClientInfoById(void *ci, uint64_t id) {
    TR_NOTE(GetClientInfoById, ci, id);
    tr_answer hold = {0};
    tr_msg_client_info_answer info;
    int found = ask_info("RedisModule_GetClientInfoById", id, &info, &hold);
    RedisModuleClientInfoV1 *out = ci;
    int rc = found && (ci == NULL || out->version == REDISMODULE_CLIENTINFO_VERSION);
    if (rc && ci != NULL) {
        *out = (RedisModuleClientInfoV1){.version = REDISMODULE_CLIENTINFO_VERSION,
                                         .flags = info.flags,
                                         .id = id,
                                         .port = info.port,
                                         .db = (uint16_t)info.db};
        size_t len = info.address.len < sizeof out->addr ? info.address.len : sizeof out->addr - 1;
        if (len != 0) memcpy(out->addr, info.address.at, len);
    }
    tr_answer_drop(&hold);
    return rc ? REDISMODULE_OK : REDISMODULE_ERR;
}

RedisModuleString *tr_rm_GetClientNameById(RedisModuleCtx *ctx, uint64_t id) {
    TR_NOTE(GetClientNameById, ctx, id);
    tr_answer hold = {0};
    tr_msg_client_info_answer info;
    int found = ask_info("RedisModule_GetClientNameById", id, &info, &hold);
    RedisModuleString *name = found && info.name.len != 0 ? string_of(ctx, info.name) : NULL;
    tr_answer_drop(&hold);
    return name;
}

RedisModuleString *tr_rm_GetClientUserNameById(RedisModuleCtx *ctx, uint64_t id) {
    TR_NOTE(GetClientUserNameById, ctx, id);
    tr_answer hold = {0};
    tr_msg_client_info_answer info;
    int found = ask_info("RedisModule_GetClientUserNameById", id, &info, &hold);
    RedisModuleString *name = found && info.user.len != 0 ? string_of(ctx, info.user) : NULL;
    tr_answer_drop(&hold);
    if (name == NULL) errno = found ? ENOTSUP : ENOENT;
    return name;
}

int tr_rm_SetClientNameById(uint64_t id, RedisModuleString *name) {
    TR_NOTE(SetClientNameById, id, name);
    tr_answer hold = {0};
    tr_msg_set_client_name ask = {.client_id = id, .name = tr_string_wire(name)};
    tr_msg_set_client_name_answer done;
    tr_link_ask("RedisModule_SetClientNameById", TR_MSG_SET_CLIENT_NAME, &ask, &done, &hold);
    tr_answer_drop(&hold);
    if (done.outcome == 0) return REDISMODULE_OK;
    errno = done.outcome == 1 ? ENOENT : EINVAL;
    return REDISMODULE_ERR;
}

RedisModuleString *tr_rm_GetClientCertificate(RedisModuleCtx *ctx, uint64_t id) {
    TR_NOTE(GetClientCertificate, ctx, id);
    tr_answer hold = {0};
    tr_msg_client_certificate ask = {.client_id = id};
    tr_msg_client_certificate_answer answer;
    tr_link_ask("RedisModule_GetClientCertificate", TR_MSG_CLIENT_CERTIFICATE, &ask, &answer, &hold);
    RedisModuleString *pem = answer.found ? string_of(ctx, answer.pem) : NULL;
    tr_answer_drop(&hold);
    return pem;
}

int tr_rm_RedactClientCommandArgument(RedisModuleCtx *ctx, int pos) {
    TR_NOTE(RedactClientCommandArgument, ctx, pos);
    if (ctx == NULL || (ctx->flags & TR_CTX_COMMAND) == 0 || (ctx->flags & TR_CTX_NO_CLIENT) != 0) {
        return REDISMODULE_ERR;
    }
    if (pos <= 0 || pos >= ctx->argc) return REDISMODULE_ERR;
    /* At once: the command may crash. */
    tr_link_tell("RedisModule_RedactClientCommandArgument", TR_MSG_REDACT, &(tr_msg_redact){.position = (uint32_t)pos});
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ messages */

static int publish(const char *function, RedisModuleString *channel, RedisModuleString *message, bool shard) {
    tr_answer hold = {0};
    tr_msg_publish ask = {
        .shard = shard, .channel = tr_string_wire(channel), .message = tr_string_wire(message)};
    tr_msg_publish_answer answer;
    tr_link_ask(function, TR_MSG_PUBLISH, &ask, &answer, &hold);
    tr_answer_drop(&hold);
    return (int)answer.receivers;
}

int tr_rm_PublishMessage(RedisModuleCtx *ctx, RedisModuleString *channel, RedisModuleString *message) {
    TR_NOTE(PublishMessage, ctx, channel, message);
    return publish("RedisModule_PublishMessage", channel, message, false);
}

int tr_rm_PublishMessageShard(RedisModuleCtx *ctx, RedisModuleString *channel, RedisModuleString *message) {
    TR_NOTE(PublishMessageShard, ctx, channel, message);
    return publish("RedisModule_PublishMessageShard", channel, message, true);
}
