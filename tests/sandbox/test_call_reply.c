/* Aim: what a module sees of a reply is what was sent, and bytes that are no reply show as one of
 * type unknown. Method: replies of every type are taken apart; then each truncation and each changed
 * byte of them is parsed in memory of exactly that size, and looked at all over. */
#include <limits.h>
#include <math.h>

#include "host_kit.h"
#include "sandbox/host/call_reply.h"

static RedisModuleCallReply *made(const char *p, size_t len) {
    return tr_call_reply_new(NULL, memcpy(tr_need(len), p, len), len);
}

static RedisModuleCallReply *of(const char *text) {
    return made(text, strlen(text));
}

static int type_of(const char *text) {
    RedisModuleCallReply *reply = of(text);
    int type = tr_rm_CallReplyType(reply);
    tr_rm_FreeCallReply(reply);
    return type;
}

static void test_strings(void) {
    size_t len = 99;
    RedisModuleCallReply *reply = of("$5\r\na\r\nb\n\r\n");
    CHECK_EQ_INT(tr_rm_CallReplyType(reply), REDISMODULE_REPLY_STRING);
    CHECK_EQ_INT(tr_rm_CallReplyLength(reply), 5);
    const char *p = tr_rm_CallReplyStringPtr(reply, &len);
    CHECK_EQ_MEM(p, len, "a\r\nb\n", 5);
    CHECK(tr_rm_CallReplyStringPtr(reply, NULL) == p);
    CHECK_EQ_INT(tr_rm_CallReplyInteger(reply), LLONG_MIN);
    CHECK_EQ_INT(tr_rm_CallReplyBool(reply), INT_MIN);
    CHECK(tr_rm_CallReplyDouble(reply) == (double)LLONG_MIN);
    CHECK(tr_rm_CallReplyBigNumber(reply, &len) == NULL);
    CHECK(tr_rm_CallReplyArrayElement(reply, 0) == NULL);
    CHECK(tr_rm_CallReplyAttribute(reply) == NULL);
    tr_rm_FreeCallReply(reply);
    reply = of("+OK\r\n");
    CHECK_EQ_INT(tr_rm_CallReplyType(reply), REDISMODULE_REPLY_STRING);
    p = tr_rm_CallReplyStringPtr(reply, &len);
    CHECK_EQ_MEM(p, len, "OK", 2);
    tr_rm_FreeCallReply(reply);
    reply = of("-ERR no\r\n");
    CHECK_EQ_INT(tr_rm_CallReplyType(reply), REDISMODULE_REPLY_ERROR);
    p = tr_rm_CallReplyStringPtr(reply, &len);
    CHECK_EQ_MEM(p, len, "ERR no", 6);
    CHECK_EQ_INT(tr_rm_CallReplyLength(reply), 6);
    tr_rm_FreeCallReply(reply);
}

static void test_scalars(void) {
    RedisModuleCallReply *reply = of(":-42\r\n");
    CHECK_EQ_INT(tr_rm_CallReplyInteger(reply), -42);
    CHECK_EQ_INT(tr_rm_CallReplyLength(reply), 0);
    CHECK(!tr_call_reply_resp3(reply));
    tr_rm_FreeCallReply(reply);
    reply = of(",-1.5e3\r\n");
    CHECK(tr_rm_CallReplyDouble(reply) == -1500);
    CHECK_EQ_INT(tr_rm_CallReplyType(reply), REDISMODULE_REPLY_DOUBLE);
    CHECK(tr_call_reply_resp3(reply));
    tr_rm_FreeCallReply(reply);
    reply = of(",-inf\r\n");
    CHECK(isinf(tr_rm_CallReplyDouble(reply)) && tr_rm_CallReplyDouble(reply) < 0);
    tr_rm_FreeCallReply(reply);
    reply = of("#t\r\n");
    CHECK_EQ_INT(tr_rm_CallReplyBool(reply), 1);
    CHECK_EQ_INT(tr_rm_CallReplyType(reply), REDISMODULE_REPLY_BOOL);
    tr_rm_FreeCallReply(reply);
    reply = of("(123456789012345678901234567890\r\n");
    size_t len;
    const char *p = tr_rm_CallReplyBigNumber(reply, &len);
    CHECK_EQ_MEM(p, len, "123456789012345678901234567890", 30);
    CHECK(tr_rm_CallReplyStringPtr(reply, NULL) == NULL);
    CHECK_EQ_INT(tr_rm_CallReplyLength(reply), 0);
    tr_rm_FreeCallReply(reply);
    reply = of("=8\r\nmkd:text\r\n");
    const char *format;
    p = tr_rm_CallReplyVerbatim(reply, &len, &format);
    CHECK_EQ_MEM(p, len, "text", 4);
    CHECK_EQ_MEM(format, (size_t)3, "mkd", (size_t)3);
    tr_rm_FreeCallReply(reply);
    CHECK_EQ_INT(type_of("$-1\r\n"), REDISMODULE_REPLY_NULL);
    CHECK_EQ_INT(type_of("*-1\r\n"), REDISMODULE_REPLY_NULL);
    CHECK_EQ_INT(type_of("_\r\n"), REDISMODULE_REPLY_NULL);
    CHECK_EQ_INT(tr_rm_CallReplyType(NULL), REDISMODULE_REPLY_UNKNOWN);
}

static void test_groups(void) {
    static const char text[] = "*3\r\n%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n~1\r\n_\r\n*1\r\n-E x\r\n";
    RedisModuleCallReply *reply = of(text);
    CHECK_EQ_INT(tr_rm_CallReplyLength(reply), 3);
    RedisModuleCallReply *map = tr_rm_CallReplyArrayElement(reply, 0);
    CHECK_EQ_INT(tr_rm_CallReplyType(map), REDISMODULE_REPLY_MAP);
    CHECK_EQ_INT(tr_rm_CallReplyLength(map), 2);
    RedisModuleCallReply *key = NULL, *value = NULL;
    CHECK_EQ_INT(tr_rm_CallReplyMapElement(map, 1, &key, &value), REDISMODULE_OK);
    CHECK_EQ_MEM(tr_rm_CallReplyStringPtr(key, NULL), (size_t)1, "b", (size_t)1);
    CHECK_EQ_INT(tr_rm_CallReplyType(value), REDISMODULE_REPLY_ARRAY);
    CHECK_EQ_INT(tr_rm_CallReplyMapElement(map, 0, NULL, &value), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_CallReplyInteger(value), 1);
    CHECK_EQ_INT(tr_rm_CallReplyMapElement(map, 2, &key, &value), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_CallReplyAttributeElement(map, 0, &key, &value), REDISMODULE_ERR);
    CHECK(tr_rm_CallReplyArrayElement(map, 0) == NULL);
    RedisModuleCallReply *set = tr_rm_CallReplyArrayElement(reply, 1);
    CHECK_EQ_INT(tr_rm_CallReplyType(set), REDISMODULE_REPLY_SET);
    CHECK_EQ_INT(tr_rm_CallReplyType(tr_rm_CallReplySetElement(set, 0)), REDISMODULE_REPLY_NULL);
    CHECK(tr_rm_CallReplySetElement(set, 1) == NULL);
    RedisModuleCallReply *last = tr_rm_CallReplyArrayElement(reply, 2);
    size_t len;
    const char *p = tr_rm_CallReplyProto(last, &len);
    CHECK_EQ_MEM(p, len, "*1\r\n-E x\r\n", strlen("*1\r\n-E x\r\n"));
    CHECK(tr_call_reply_resp3(map) && tr_call_reply_resp3(reply) && !tr_call_reply_resp3(last));
    CHECK(tr_rm_CallReplyArrayElement(reply, 3) == NULL);
    tr_rm_FreeCallReply(last); /* a part: nothing happens */
    CHECK_EQ_INT(tr_rm_CallReplyType(last), REDISMODULE_REPLY_ARRAY);
    p = tr_rm_CallReplyProto(reply, &len);
    CHECK_EQ_MEM(p, len, text, sizeof text - 1);
    tr_rm_FreeCallReply(reply);
}

static void test_attributes(void) {
    RedisModuleCallReply *reply = of("*1\r\n|1\r\n+ttl\r\n|0\r\n:60\r\n$1\r\nv\r\n");
    RedisModuleCallReply *element = tr_rm_CallReplyArrayElement(reply, 0), *key, *value;
    CHECK_EQ_INT(tr_rm_CallReplyType(element), REDISMODULE_REPLY_STRING);
    size_t len;
    tr_rm_CallReplyProto(element, &len);
    CHECK_EQ_INT(len, strlen("|1\r\n+ttl\r\n|0\r\n:60\r\n$1\r\nv\r\n"));
    RedisModuleCallReply *extra = tr_rm_CallReplyAttribute(element);
    CHECK_EQ_INT(tr_rm_CallReplyType(extra), REDISMODULE_REPLY_ATTRIBUTE);
    CHECK_EQ_INT(tr_rm_CallReplyLength(extra), 1);
    CHECK_EQ_INT(tr_rm_CallReplyAttributeElement(extra, 0, &key, &value), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_CallReplyInteger(value), 60);
    CHECK_EQ_INT(tr_rm_CallReplyLength(tr_rm_CallReplyAttribute(value)), 0);
    CHECK(tr_call_reply_resp3(reply));
    tr_rm_CallReplyProto(extra, &len);
    CHECK_EQ_INT(len, strlen("|1\r\n+ttl\r\n|0\r\n:60\r\n"));
    tr_rm_FreeCallReply(reply);
}

static void test_broken(void) {
    static const char *const texts[] = {
        "",        "+",         "+\r",       "+x\n",        "x\r\n",       ":\r\n",       ":1.5\r\n",
        ":+1\r\n", ":01\r\n",   "$1\r\n\r\n", "$-2\r\n",    "$01\r\na\r\n", "$1\r\nab\r\n", "$3\r\nab\r\n",
        "*1\r\n",  "*-2\r\n",   "~-1\r\n",   "%-1\r\n",     "%1\r\n:1\r\n", "*2\r\n:1\r\n", "|0\r\n",
        "_x\r\n",  "#\r\n",     "#x\r\n",    "#tt\r\n",     ",\r\n",        ", 1\r\n",      ",1x\r\n",
        "=3\r\nabc\r\n", "=4\r\nabcd\r\n", "=-1\r\n", ">1\r\n", ">1\r\n:1\r\n:2\r\n", ":1\r\n:2\r\n",
        "*1000000000\r\n:1\r\n", "%9223372036854775807\r\n:1\r\n", "*18446744073709551615\r\n:1\r\n",
        "$18446744073709551615\r\na\r\n", "$9223372036854775807\r\na\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int type = type_of(texts[i]);
        if (type != REDISMODULE_REPLY_UNKNOWN) fprintf(stderr, "text %zu: ", i);
        CHECK_EQ_INT(type, REDISMODULE_REPLY_UNKNOWN);
    }
}

/* Looks at everything that a reply has; how many nodes there were. */
static size_t see(RedisModuleCallReply *reply) {
    volatile char sink = 0;
    size_t seen = 1, len = 0;
    const char *p = tr_rm_CallReplyProto(reply, &len);
    if (len != 0) sink ^= p[0] ^ p[len - 1];
    RedisModuleCallReply *key = tr_rm_CallReplyAttribute(reply), *value;
    if (key != NULL) seen += see(key);
    p = tr_rm_CallReplyStringPtr(reply, &len);
    if (p != NULL && len != 0) sink ^= p[0] ^ p[len - 1];
    int type = tr_rm_CallReplyType(reply);
    size_t count = tr_rm_CallReplyLength(reply);
    for (size_t i = 0; i < count; i++) {
        if (type == REDISMODULE_REPLY_ARRAY) seen += see(tr_rm_CallReplyArrayElement(reply, i));
        if (type == REDISMODULE_REPLY_SET) seen += see(tr_rm_CallReplySetElement(reply, i));
        if (type == REDISMODULE_REPLY_MAP) tr_rm_CallReplyMapElement(reply, i, &key, &value);
        else if (type == REDISMODULE_REPLY_ATTRIBUTE) tr_rm_CallReplyAttributeElement(reply, i, &key, &value);
        else continue;
        seen += see(key) + see(value);
    }
    (void)sink;
    return seen;
}

static void test_damaged(void) {
    static const char text[] = "*5\r\n|1\r\n+a\r\n,1\r\n%1\r\n$2\r\nab\r\n~2\r\n#t\r\n_\r\n=5\r\ntxt:x\r\n"
                               "*1\r\n*1\r\n*0\r\n(12\r\n-E x\r\n";
    size_t len = sizeof text - 1;
    RedisModuleCallReply *reply = made(text, len);
    CHECK_EQ_INT(see(reply), 15);
    tr_rm_FreeCallReply(reply);
    for (size_t i = 0; i < len; i++) {
        reply = made(text, i);
        CHECK_EQ_INT(tr_rm_CallReplyType(reply), REDISMODULE_REPLY_UNKNOWN);
        tr_rm_FreeCallReply(reply);
    }
    char copy[sizeof text];
    size_t whole = 0;
    for (size_t i = 0; i < len; i++) {
        for (int c = 0; c < 256; c++) {
            memcpy(copy, text, sizeof copy);
            copy[i] = (char)c;
            reply = made(copy, len);
            see(reply);
            whole += tr_rm_CallReplyType(reply) != REDISMODULE_REPLY_UNKNOWN;
            tr_rm_FreeCallReply(reply);
        }
    }
    CHECK(whole > len && whole < len * 256);
}

static void test_deep(void) {
    size_t depth = 200000, len = depth * 4 + 4;
    char *text = tr_need(len);
    for (size_t i = 0; i < depth; i++) memcpy(text + i * 4, "*1\r\n", 4);
    memcpy(text + depth * 4, ":7\r\n", 4);
    RedisModuleCallReply *reply = tr_call_reply_new(NULL, text, len), *inner = reply;
    for (size_t i = 0; i < depth; i++) inner = tr_rm_CallReplyArrayElement(inner, 0);
    CHECK_EQ_INT(tr_rm_CallReplyInteger(inner), 7);
    tr_rm_FreeCallReply(reply);
}

static void count(void *arg, const char *text, size_t len) {
    char **to = arg;
    *to += snprintf(*to, 16, "%.*s;", (int)len, text);
}

static void test_errors(void) {
    char text[64] = "", *to = text;
    RedisModuleCallReply *reply = of("*3\r\n-A x\r\n%1\r\n:1\r\n-B\r\n|1\r\n+a\r\n-C\r\n:1\r\n");
    tr_call_reply_errors(reply, count, &to);
    tr_rm_FreeCallReply(reply);
    reply = of("-D\r\n");
    tr_call_reply_errors(reply, count, &to);
    CHECK_EQ_INT(strlen(text), strlen("A x;B;C;D;"));
    CHECK(strstr(text, "A x;") != NULL && strstr(text, "B;") != NULL && strstr(text, "C;D;") != NULL);
    tr_rm_FreeCallReply(reply);
}

static void test_strings_of_replies(void) {
    RedisModuleCtx ctx = {.flags = TR_CTX_AUTO};
    RedisModuleCallReply *reply = tr_call_reply_new(&ctx, tr_need_copy(":12\r\n", 5), 5);
    CHECK_EQ_INT(ctx.auto_count, 1);
    RedisModuleString *s = tr_rm_CreateStringFromCallReply(reply);
    CHECK_EQ_MEM(s->p, s->len, "12", (size_t)2);
    CHECK_EQ_INT(ctx.auto_count, 2);
    CHECK_EQ_INT(tr_ctx_disown(&ctx, TR_AUTO_STRING, s), 1);
    tr_string_free(s);
    tr_rm_FreeCallReply(reply);
    CHECK_EQ_INT(ctx.auto_count, 0);
    free(ctx.autos);
    ctx = (RedisModuleCtx){0};
    reply = tr_call_reply_new(&ctx, tr_need_copy("-E\r\n", 4), 4);
    s = tr_rm_CreateStringFromCallReply(reply);
    CHECK_EQ_MEM(s->p, s->len, "E", (size_t)1);
    tr_string_free(s);
    tr_rm_FreeCallReply(reply);
    reply = of("*0\r\n");
    CHECK(tr_rm_CreateStringFromCallReply(reply) == NULL);
    tr_rm_FreeCallReply(reply);
    CHECK(tr_rm_CreateStringFromCallReply(NULL) == NULL);
}

static void note_freed(void *promise) {
    ++*(int *)promise;
}

static void test_promises(void) {
    int freed = 0;
    RedisModuleCallReply *reply = tr_call_reply_new_promise(NULL, &freed, note_freed);
    CHECK_EQ_INT(tr_rm_CallReplyType(reply), REDISMODULE_REPLY_PROMISE);
    CHECK(tr_call_reply_promise(reply) == &freed);
    CHECK_EQ_INT(tr_rm_CallReplyLength(reply), 0);
    tr_rm_FreeCallReply(reply);
    CHECK_EQ_INT(freed, 1);
    tr_rm_FreeCallReply(NULL);
    CHECK(tr_call_reply_promise(NULL) == NULL);
}

int main(void) {
    RUN(test_strings);
    RUN(test_scalars);
    RUN(test_groups);
    RUN(test_attributes);
    RUN(test_broken);
    RUN(test_damaged);
    RUN(test_deep);
    RUN(test_errors);
    RUN(test_strings_of_replies);
    RUN(test_promises);
    return CHECK_DONE();
}
