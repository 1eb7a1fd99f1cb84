/* Client replies. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/block.h"
#include "sandbox/host/call_reply.h"
#include "sandbox/host/host.h"
#include "sandbox/host/reply.h"

/* Where replies of the context go; NULL: nobody reads them. */
static tr_reply *target(RedisModuleCtx *ctx) {
    if (ctx == NULL || (ctx->flags & TR_CTX_NO_CLIENT) != 0) return NULL;
    if ((ctx->flags & TR_CTX_THREAD) != 0) return ctx->blocked == NULL ? NULL : tr_block_reply(ctx->blocked);
    return &ctx->reply;
}

static bool takes_resp3(RedisModuleCtx *ctx) {
    const tr_reply *reply = target(ctx);
    return (reply == NULL ? ctx->reply.resp : reply->resp) >= 3;
}

/* ------------------------------------------------------------------ errors */

int tr_rm_WrongArity(RedisModuleCtx *ctx) {
    TR_NOTE(WrongArity, ctx);
    tr_reply *reply = target(ctx);
    if (reply == NULL) return REDISMODULE_OK;
    tr_bytes text = {0};
    tr_bytes_format(&text, "ERR wrong number of arguments for '%s' command",
                    ctx->command == NULL ? "" : ctx->command->fullname);
    tr_reply_add_error(reply, text.p, text.len);
    tr_bytes_drop(&text);
    ctx->effects |= TR_EFFECT_ARITY;
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithError(RedisModuleCtx *ctx, const char *err) {
    TR_NOTE(ReplyWithError, ctx, err);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_error(reply, err, strlen(err));
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithErrorFormat(RedisModuleCtx *ctx, const char *fmt, ...) {
    TR_NOTE(ReplyWithErrorFormat, ctx, fmt);
    tr_reply *reply = target(ctx);
    if (reply == NULL) return REDISMODULE_OK;
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len < 0) tr_host_die(TR_DIE_HOST, "RedisModule_ReplyWithErrorFormat() was given what printf() refuses");
    tr_reply_add_error(reply, text, (size_t)len);
    free(text);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ groups */

static int add_group(RedisModuleCtx *ctx, const char *function, tr_group group, long len) {
    tr_reply *reply = target(ctx);
    if (reply == NULL) return REDISMODULE_OK;
    if (len == REDISMODULE_POSTPONED_LEN) {
        tr_reply_postpone(reply);
        return REDISMODULE_OK;
    }
    if (len < 0) tr_host_die(TR_DIE_HOST, "RedisModule_%s() was given the length %ld", function, len);
    tr_reply_add_group(reply, group, (uint64_t)len);
    return REDISMODULE_OK;
}

static void set_length(RedisModuleCtx *ctx, const char *function, tr_group group, long len) {
    tr_reply *reply = target(ctx);
    if (reply == NULL) return;
    if (len < 0) tr_host_die(TR_DIE_HOST, "RedisModule_%s() was given the length %ld", function, len);
    if (tr_reply_set_length(reply, group, (uint64_t)len)) return;
    tr_bytes text = {0};
    tr_bytes_format(&text, "RedisModule_%s() was called, but no length is postponed", function);
    tr_host_log(3, 1, text.p, text.len);
    tr_bytes_drop(&text);
}

int tr_rm_ReplyWithArray(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplyWithArray, ctx, len);
    return add_group(ctx, "ReplyWithArray", TR_GROUP_ARRAY, len);
}

int tr_rm_ReplyWithMap(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplyWithMap, ctx, len);
    return add_group(ctx, "ReplyWithMap", TR_GROUP_MAP, len);
}

int tr_rm_ReplyWithSet(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplyWithSet, ctx, len);
    return add_group(ctx, "ReplyWithSet", TR_GROUP_SET, len);
}

int tr_rm_ReplyWithAttribute(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplyWithAttribute, ctx, len);
    if (!takes_resp3(ctx)) return REDISMODULE_ERR;
    return add_group(ctx, "ReplyWithAttribute", TR_GROUP_ATTRIBUTE, len);
}

int tr_rm_ReplyWithNullArray(RedisModuleCtx *ctx) {
    TR_NOTE(ReplyWithNullArray, ctx);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_null_array(reply);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithEmptyArray(RedisModuleCtx *ctx) {
    TR_NOTE(ReplyWithEmptyArray, ctx);
    return add_group(ctx, "ReplyWithEmptyArray", TR_GROUP_ARRAY, 0);
}

void tr_rm_ReplySetArrayLength(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplySetArrayLength, ctx, len);
    set_length(ctx, "ReplySetArrayLength", TR_GROUP_ARRAY, len);
}

void tr_rm_ReplySetMapLength(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplySetMapLength, ctx, len);
    set_length(ctx, "ReplySetMapLength", TR_GROUP_MAP, len);
}

void tr_rm_ReplySetSetLength(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplySetSetLength, ctx, len);
    set_length(ctx, "ReplySetSetLength", TR_GROUP_SET, len);
}

void tr_rm_ReplySetAttributeLength(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplySetAttributeLength, ctx, len);
    if (takes_resp3(ctx)) set_length(ctx, "ReplySetAttributeLength", TR_GROUP_ATTRIBUTE, len);
}

void tr_rm_ReplySetPushLength(RedisModuleCtx *ctx, long len) {
    TR_NOTE(ReplySetPushLength, ctx, len);
    if (takes_resp3(ctx)) set_length(ctx, "ReplySetPushLength", TR_GROUP_PUSH, len);
}

/* ------------------------------------------------------------------ strings */

static int add_bulk(RedisModuleCtx *ctx, const char *p, size_t len) {
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_bulk(reply, p, len);
    return REDISMODULE_OK;
}

static int add_verbatim(RedisModuleCtx *ctx, const char *p, size_t len, const char *format) {
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_verbatim(reply, p, len, format);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithSimpleString(RedisModuleCtx *ctx, const char *msg) {
    TR_NOTE(ReplyWithSimpleString, ctx, msg);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_simple(reply, msg);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithStringBuffer(RedisModuleCtx *ctx, const char *buf, size_t len) {
    TR_NOTE(ReplyWithStringBuffer, ctx, buf, len);
    return add_bulk(ctx, buf, len);
}

int tr_rm_ReplyWithCString(RedisModuleCtx *ctx, const char *buf) {
    TR_NOTE(ReplyWithCString, ctx, buf);
    return add_bulk(ctx, buf, strlen(buf));
}

int tr_rm_ReplyWithString(RedisModuleCtx *ctx, RedisModuleString *str) {
    TR_NOTE(ReplyWithString, ctx, str);
    return add_bulk(ctx, str->p, str->len);
}

int tr_rm_ReplyWithEmptyString(RedisModuleCtx *ctx) {
    TR_NOTE(ReplyWithEmptyString, ctx);
    return add_bulk(ctx, "", 0);
}

int tr_rm_ReplyWithVerbatimString(RedisModuleCtx *ctx, const char *buf, size_t len) {
    TR_NOTE(ReplyWithVerbatimString, ctx, buf, len);
    return add_verbatim(ctx, buf, len, "txt");
}

int tr_rm_ReplyWithVerbatimStringType(RedisModuleCtx *ctx, const char *buf, size_t len, const char *ext) {
    TR_NOTE(ReplyWithVerbatimStringType, ctx, buf, len, ext);
    return add_verbatim(ctx, buf, len, ext);
}

/* ------------------------------------------------------------------ other values */

int tr_rm_ReplyWithLongLong(RedisModuleCtx *ctx, long long ll) {
    TR_NOTE(ReplyWithLongLong, ctx, ll);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_integer(reply, ll);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithNull(RedisModuleCtx *ctx) {
    TR_NOTE(ReplyWithNull, ctx);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_null(reply);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithBool(RedisModuleCtx *ctx, int b) {
    TR_NOTE(ReplyWithBool, ctx, b);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_bool(reply, b != 0);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithLongDouble(RedisModuleCtx *ctx, long double d) {
    TR_NOTE(ReplyWithLongDouble, ctx);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_long_double(reply, d);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithDouble(RedisModuleCtx *ctx, double d) {
    TR_NOTE(ReplyWithDouble, ctx);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_double(reply, d);
    return REDISMODULE_OK;
}

int tr_rm_ReplyWithBigNumber(RedisModuleCtx *ctx, const char *bignum, size_t len) {
    TR_NOTE(ReplyWithBigNumber, ctx, bignum, len);
    tr_reply *reply = target(ctx);
    if (reply != NULL) tr_reply_add_big_number(reply, bignum, len);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ replies of commands */

static void count_error(void *arg, const char *text, size_t len) {
    tr_reply_count_error(arg, text, len);
}

/* The errors of a whole reply are counted for the client that gets it, those of a part are not. */
int tr_rm_ReplyWithCallReply(RedisModuleCtx *ctx, RedisModuleCallReply *reply) {
    TR_NOTE(ReplyWithCallReply, ctx, reply);
    tr_reply *to = target(ctx);
    if (to == NULL) return REDISMODULE_OK;
    if (to->resp < 3 && tr_call_reply_resp3(reply)) return REDISMODULE_ERR;
    size_t len;
    const char *p = tr_call_reply_raw(reply, &len);
    tr_reply_add_raw(to, p, len);
    if (reply == &reply->root->self) tr_call_reply_errors(reply, count_error, to);
    return REDISMODULE_OK;
}
