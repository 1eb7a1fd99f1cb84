/* Whatever bytes are taken for the reply of a command, it is of type unknown or can be walked through:
 * its parts lie behind each other in it, fill it but for its head and line ends, and nothing outside
 * is read. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "custom_mutator.h"
#include "sandbox/host/call_reply.h"

/* A push, which modules can't look into, perhaps behind attributes. */
static int may_be_push(const char *at, size_t size) {
    return size != 0 && (*at == '>' || *at == '|') && memchr(at, '>', size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ------------------------------------------------------------------ what stands in for the host */

tr_host tr_host_here;

void tr_host_die(tr_death kind, const char *fmt, ...) {
    (void)kind, (void)fmt;
    abort();
}

void tr_note(uint32_t function, uint32_t flags, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    (void)function, (void)flags, (void)a, (void)b, (void)c, (void)d;
}

void tr_ctx_own(RedisModuleCtx *ctx, tr_auto_kind kind, void *p) {
    (void)ctx, (void)kind, (void)p;
}

int tr_ctx_disown(RedisModuleCtx *ctx, tr_auto_kind kind, void *p) {
    (void)ctx, (void)kind, (void)p;
    return 0;
}

RedisModuleString *tr_string_new(const void *p, size_t len) {
    RedisModuleString *s = tr_need_zeroed(sizeof *s + len + 1);
    s->p = memcpy(s->small, p, len);
    s->len = len;
    return s;
}

/* ------------------------------------------------------------------ the walk */

#define DEPTH_MAX 1000

static const char *check_reply(RedisModuleCallReply *reply, const char *from, const char *to, int depth);

/* The part begins where the last one ended; where it ends. */
static const char *check_part(RedisModuleCallReply *part, const char *at, const char *to, int depth) {
    tr_assert(part != NULL);
    size_t len;
    tr_assert(tr_rm_CallReplyProto(part, &len) == at);
    return check_reply(part, at, to, depth + 1);
}

/* The parts of a group, the first of them at; where the last one ends. */
static const char *check_parts(RedisModuleCallReply *reply, const char *at, const char *to, int depth) {
    int type = tr_rm_CallReplyType(reply);
    size_t count = tr_rm_CallReplyLength(reply);
    for (size_t i = 0; i < count; i++) {
        RedisModuleCallReply *key = NULL, *value = NULL;
        if (type == REDISMODULE_REPLY_ARRAY) key = tr_rm_CallReplyArrayElement(reply, i);
        else if (type == REDISMODULE_REPLY_SET) key = tr_rm_CallReplySetElement(reply, i);
        else if (type == REDISMODULE_REPLY_MAP) tr_rm_CallReplyMapElement(reply, i, &key, &value);
        else tr_rm_CallReplyAttributeElement(reply, i, &key, &value);
        at = check_part(key, at, to, depth);
        if (value != NULL) at = check_part(value, at, to, depth);
    }
    tr_assert(tr_rm_CallReplyArrayElement(reply, count) == NULL);
    tr_assert(tr_rm_CallReplyMapElement(reply, count, NULL, NULL) == REDISMODULE_ERR);
    return at;
}

/* Behind the head of a group, from is its first byte. */
static const char *behind_head(const char *from, const char *to) {
    const char *end = memchr(from, '\n', (size_t)(to - from));
    tr_assert(end != NULL);
    return end + 1;
}

static void check_scalar(RedisModuleCallReply *reply, const char *from, const char *to) {
    size_t len = 0;
    const char *format;
    const char *text = tr_rm_CallReplyStringPtr(reply, &len);
    if (text == NULL) text = tr_rm_CallReplyBigNumber(reply, &len);
    if (text == NULL) text = tr_rm_CallReplyVerbatim(reply, &len, &format);
    if (text != NULL) tr_assert(text > from && text + len + 2 == to);
    RedisModuleString *s = tr_rm_CreateStringFromCallReply(reply);
    free(s);
}

static const char *check_reply(RedisModuleCallReply *reply, const char *from, const char *to, int depth) {
    size_t len;
    const char *at = tr_rm_CallReplyProto(reply, &len);
    tr_assert(at == from && len >= 3 && len <= (size_t)(to - from));
    const char *end = at + len;
    if (depth == DEPTH_MAX) return end;
    RedisModuleCallReply *extra = tr_rm_CallReplyAttribute(reply);
    if (extra != NULL) { /* of several the last one is kept */
        const char *extra_at = tr_rm_CallReplyProto(extra, &len);
        tr_assert(extra_at >= from && extra_at + len < end);
        at = check_parts(extra, behind_head(extra_at, end), end, depth + 1);
        tr_assert(at == extra_at + len);
    }
    int type = tr_rm_CallReplyType(reply);
    tr_assert(type != REDISMODULE_REPLY_PROMISE);
    if (type == REDISMODULE_REPLY_UNKNOWN) { /* a push: modules can't look into it */
        tr_assert(*at == '>');
        return end;
    }
    if (type == REDISMODULE_REPLY_ARRAY || type == REDISMODULE_REPLY_SET || type == REDISMODULE_REPLY_MAP ||
        type == REDISMODULE_REPLY_ATTRIBUTE) {
        tr_assert(check_parts(reply, behind_head(at, end), end, depth) == end);
    } else {
        check_scalar(reply, at, end);
    }
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *bytes = tr_need(size);
    if (size != 0) memcpy(bytes, data, size);
    size_t whole = tr_call_reply_scan(bytes, size);
    tr_assert(whole <= size);
    RedisModuleCallReply *reply = tr_call_reply_new(NULL, bytes, size);
    if (tr_rm_CallReplyType(reply) == REDISMODULE_REPLY_UNKNOWN) {
        tr_assert(size == 0 || whole != size || may_be_push(bytes, size));
    } else {
        tr_assert(whole == size);
        tr_assert(check_reply(reply, bytes, bytes + size, 0) == bytes + size);
    }
    tr_rm_FreeCallReply(reply);
    if (whole != 0 && whole != size) { /* the first reply alone is one */
        reply = tr_call_reply_new(NULL, memcpy(tr_need(whole), data, whole), whole);
        tr_assert(tr_rm_CallReplyType(reply) != REDISMODULE_REPLY_UNKNOWN || may_be_push((const char *)data, whole));
        tr_rm_FreeCallReply(reply);
    }
    return 0;
}
