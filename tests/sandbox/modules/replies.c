/* replies.c - a command for each way to reply, so that the bytes of two servers can be compared.
 *
 *   replies.<function> [...]   what the function makes of values that are known to be hard
 *   replies.call RESP COMMAND [...]        the reply of a command, handed on unseen
 *   replies.look RESP COMMAND [...]        ... looked at first
 *   replies.walk RESP COMMAND [...]        ... taken apart: a text of types, lengths and values
 *   replies.part RESP INDEX COMMAND [...]  one element of it, handed on
 *
 * A function that the server doesn't have is answered with +absent.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redismodule.h"

#define UNUSED(x) (void)(x)
#define ABSENT(ctx, function)                                                                      \
    if ((function) == NULL) return RedisModule_ReplyWithSimpleString((ctx), "absent")

typedef RedisModuleString **args;

static const double doubles[] = {
    0, -0.0, 1, -1, 0.1, 0.5, 1.5, 3.141592653589793, 1e10, 1e17, 1e21, 1e100, 1.7976931348623157e308,
    5e-324, 1e-5, 1e-10, 0.001, 123456.789, 4611686018427387904.0, 9007199254740993.0, -1234.5};

static int longlong(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    static const long long values[] = {0, 1, -1, 9, 10, 31, 32, 33, 999, 10000, INT_MAX, LLONG_MAX, LLONG_MIN};
    RedisModule_ReplyWithArray(ctx, sizeof values / sizeof *values);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) RedisModule_ReplyWithLongLong(ctx, values[i]);
    return REDISMODULE_OK;
}

static int error(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    return RedisModule_ReplyWithError(ctx, RedisModule_StringPtrLen(argv[1], NULL));
}

static int errorformat(RedisModuleCtx *ctx, args argv, int argc) {
    ABSENT(ctx, RedisModule_ReplyWithErrorFormat);
    if (argc != 2) return RedisModule_WrongArity(ctx);
    const char *text = RedisModule_StringPtrLen(argv[1], NULL);
    return RedisModule_ReplyWithErrorFormat(ctx, "CODE%d %s: %.2f\r\n", 7, text, 0.5);
}

static int simplestring(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    return RedisModule_ReplyWithSimpleString(ctx, RedisModule_StringPtrLen(argv[1], NULL));
}

static int array(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, 4);
    RedisModule_ReplyWithArray(ctx, 0);
    RedisModule_ReplyWithEmptyArray(ctx);
    RedisModule_ReplyWithNullArray(ctx);
    RedisModule_ReplyWithArray(ctx, 1);
    return RedisModule_ReplyWithNull(ctx);
}

static int map(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithMap(ctx, 2);
    RedisModule_ReplyWithCString(ctx, "empty");
    RedisModule_ReplyWithMap(ctx, 0);
    RedisModule_ReplyWithCString(ctx, "one");
    RedisModule_ReplyWithMap(ctx, 1);
    RedisModule_ReplyWithLongLong(ctx, 1);
    return RedisModule_ReplyWithLongLong(ctx, 2);
}

static int set(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithSet(ctx, 2);
    RedisModule_ReplyWithSet(ctx, 0);
    return RedisModule_ReplyWithLongLong(ctx, 5);
}

static int attribute(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, 3);
    int rc = RedisModule_ReplyWithAttribute(ctx, 1);
    if (rc == REDISMODULE_OK) {
        RedisModule_ReplyWithCString(ctx, "key");
        RedisModule_ReplyWithCString(ctx, "value");
    }
    RedisModule_ReplyWithLongLong(ctx, rc);
    rc = RedisModule_ReplyWithAttribute(ctx, 0);
    RedisModule_ReplyWithLongLong(ctx, rc);
    rc = RedisModule_ReplyWithAttribute(ctx, REDISMODULE_POSTPONED_LEN);
    if (rc == REDISMODULE_OK) {
        RedisModule_ReplyWithCString(ctx, "later");
        RedisModule_ReplyWithBool(ctx, 1);
    }
    RedisModule_ReplySetAttributeLength(ctx, 1);
    return RedisModule_ReplyWithLongLong(ctx, rc);
}

static int postponed(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
    RedisModule_ReplyWithMap(ctx, REDISMODULE_POSTPONED_LEN);
    RedisModule_ReplySetMapLength(ctx, 0);
    RedisModule_ReplyWithSet(ctx, REDISMODULE_POSTPONED_LEN);
    for (int i = 0; i < 20; i++) {
        RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
        for (int j = 0; j < i; j++) RedisModule_ReplyWithLongLong(ctx, j);
        RedisModule_ReplySetArrayLength(ctx, i);
    }
    RedisModule_ReplySetSetLength(ctx, 20);
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN); /* closed as something else */
    RedisModule_ReplyWithLongLong(ctx, 1);
    RedisModule_ReplyWithLongLong(ctx, 2);
    RedisModule_ReplySetMapLength(ctx, 1);
    for (int i = 0; i < 100; i++) RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
    RedisModule_ReplyWithCString(ctx, "deep");
    for (int i = 0; i < 100; i++) RedisModule_ReplySetArrayLength(ctx, 1);
    RedisModule_ReplySetArrayLength(ctx, 4);
    RedisModule_ReplySetArrayLength(ctx, 9); /* nothing is open: only logged */
    return REDISMODULE_OK;
}

static int push(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    ABSENT(ctx, RedisModule_ReplySetPushLength);
    if (RedisModule_ReplyWithAttribute(ctx, REDISMODULE_POSTPONED_LEN) == REDISMODULE_OK) {
        RedisModule_ReplyWithCString(ctx, "invalidate");
        RedisModule_ReplyWithLongLong(ctx, 1);
    }
    RedisModule_ReplySetPushLength(ctx, 2);
    return RedisModule_ReplyWithLongLong(ctx, 3);
}

static int unclosed(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
    RedisModule_ReplyWithLongLong(ctx, 1);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithLongLong(ctx, 2);
    return RedisModule_ReplyWithLongLong(ctx, 3);
}

static int strings(RedisModuleCtx *ctx, args argv, int argc) {
    RedisModule_ReplyWithArray(ctx, 6 + argc);
    RedisModule_ReplyWithStringBuffer(ctx, "a\0\r\nb", 5);
    RedisModule_ReplyWithStringBuffer(ctx, "", 0);
    RedisModule_ReplyWithCString(ctx, "text");
    RedisModule_ReplyWithCString(ctx, "");
    RedisModule_ReplyWithEmptyString(ctx);
    for (int i = 0; i < argc; i++) RedisModule_ReplyWithString(ctx, argv[i]);
    RedisModuleString *number = RedisModule_CreateStringFromLongLong(ctx, -12);
    RedisModule_ReplyWithString(ctx, number);
    RedisModule_FreeString(ctx, number);
    return REDISMODULE_OK;
}

static int verbatim(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, 6);
    RedisModule_ReplyWithVerbatimString(ctx, "some\ntext", 9);
    RedisModule_ReplyWithVerbatimString(ctx, "", 0);
    RedisModule_ReplyWithVerbatimStringType(ctx, "# head", 6, "mkd");
    RedisModule_ReplyWithVerbatimStringType(ctx, "x", 1, "ab");
    RedisModule_ReplyWithVerbatimStringType(ctx, "x", 1, "");
    return RedisModule_ReplyWithVerbatimStringType(ctx, "x", 1, "abcdef");
}

static int null(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithNull(ctx);
    return RedisModule_ReplyWithNullArray(ctx);
}

static int boolean(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, 3);
    RedisModule_ReplyWithBool(ctx, 0);
    RedisModule_ReplyWithBool(ctx, 1);
    return RedisModule_ReplyWithBool(ctx, -7);
}

static int replydouble(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    size_t count = sizeof doubles / sizeof *doubles;
    RedisModule_ReplyWithArray(ctx, (long)count + 2);
    for (size_t i = 0; i < count; i++) RedisModule_ReplyWithDouble(ctx, doubles[i]);
    RedisModule_ReplyWithDouble(ctx, INFINITY);
    return RedisModule_ReplyWithDouble(ctx, -INFINITY);
}

static int longdouble(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    size_t count = sizeof doubles / sizeof *doubles;
    RedisModule_ReplyWithArray(ctx, (long)count + 5);
    for (size_t i = 0; i < count; i++) RedisModule_ReplyWithLongDouble(ctx, doubles[i]);
    RedisModule_ReplyWithLongDouble(ctx, 0.1L);
    RedisModule_ReplyWithLongDouble(ctx, 3.14159265358979323846L);
    RedisModule_ReplyWithLongDouble(ctx, 1e4900L);
    RedisModule_ReplyWithLongDouble(ctx, INFINITY);
    return RedisModule_ReplyWithLongDouble(ctx, -INFINITY);
}

static int bignumber(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithBigNumber(ctx, "3492890328409238509324850943850943825024385", 43);
    return RedisModule_ReplyWithBigNumber(ctx, "-1", 2);
}

/* As the number, whatever it says. */
static int number(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    size_t len;
    const char *text = RedisModule_StringPtrLen(argv[1], &len);
    return RedisModule_ReplyWithBigNumber(ctx, text, len);
}

/* A text and the name of its format. */
static int formatted(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    size_t len;
    const char *text = RedisModule_StringPtrLen(argv[1], &len);
    return RedisModule_ReplyWithVerbatimStringType(ctx, text, len, RedisModule_StringPtrLen(argv[2], NULL));
}

/* An array that is announced with one element more than it gets. */
static int lacking(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithArray(ctx, 2);
    return RedisModule_ReplyWithLongLong(ctx, 1);
}

static int twice(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithLongLong(ctx, 1);
    return RedisModule_ReplyWithLongLong(ctx, 2);
}

static int nothing(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(ctx);
    UNUSED(argv);
    UNUSED(argc);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ replies of commands */

/* Calls the command from argv[first] on; NULL: an error was replied. */
static RedisModuleCallReply *call(RedisModuleCtx *ctx, args argv, int argc, int first) {
    if (argc <= first) {
        RedisModule_WrongArity(ctx);
        return NULL;
    }
    long long resp = 2;
    RedisModule_StringToLongLong(argv[1], &resp);
    const char *name = RedisModule_StringPtrLen(argv[first], NULL);
    RedisModuleCallReply *reply = RedisModule_Call(ctx, name, resp == 3 ? "v3E" : resp == 2 ? "vE" : "v0E",
                                                   argv + first + 1, (size_t)(argc - first - 1));
    if (reply == NULL) RedisModule_ReplyWithError(ctx, "ERR no reply");
    return reply;
}

static void hand_on(RedisModuleCtx *ctx, RedisModuleCallReply *reply) {
    if (RedisModule_ReplyWithCallReply(ctx, reply) != REDISMODULE_OK) {
        RedisModule_ReplyWithSimpleString(ctx, "refused");
    }
}

static int callreply(RedisModuleCtx *ctx, args argv, int argc) {
    RedisModuleCallReply *reply = call(ctx, argv, argc, 2);
    if (reply == NULL) return REDISMODULE_OK;
    hand_on(ctx, reply);
    RedisModule_FreeCallReply(reply);
    return REDISMODULE_OK;
}

static int look(RedisModuleCtx *ctx, args argv, int argc) {
    RedisModuleCallReply *reply = call(ctx, argv, argc, 2);
    if (reply == NULL) return REDISMODULE_OK;
    (void)RedisModule_CallReplyType(reply);
    hand_on(ctx, reply);
    RedisModule_FreeCallReply(reply);
    return REDISMODULE_OK;
}

typedef struct text {
    char *p;
    size_t len;
} text;

static void add(text *t, const char *p, size_t len) {
    t->p = RedisModule_Realloc(t->p, t->len + len + 1);
    memcpy(t->p + t->len, p, len);
    t->len += len;
}

static void add_number(text *t, const char *fmt, long long value) {
    char line[64];
    add(t, line, (size_t)snprintf(line, sizeof line, fmt, value));
}

static void walk_one(text *t, RedisModuleCallReply *reply) {
    size_t len = 0;
    const char *format = "";
    RedisModule_CallReplyProto(reply, &len);
    add_number(t, "[%lld ", (long long)len);
    RedisModuleCallReply *extra = RedisModule_CallReplyAttribute(reply);
    if (extra != NULL) {
        add(t, "with ", 5);
        walk_one(t, extra);
    }
    int type = RedisModule_CallReplyType(reply);
    add_number(t, "%lld", type);
    add_number(t, ":%lld ", (long long)RedisModule_CallReplyLength(reply));
    add_number(t, "%lld ", RedisModule_CallReplyInteger(reply));
    add_number(t, "%lld ", RedisModule_CallReplyBool(reply));
    char line[64];
    add(t, line, (size_t)snprintf(line, sizeof line, "%.17g ", RedisModule_CallReplyDouble(reply)));
    const char *p = RedisModule_CallReplyStringPtr(reply, &len);
    if (p != NULL) add(t, p, len);
    p = RedisModule_CallReplyBigNumber(reply, &len);
    if (p != NULL) add(t, p, len);
    p = RedisModule_CallReplyVerbatim(reply, &len, &format);
    if (p != NULL) {
        add(t, format, 3);
        add(t, p, len);
    }
    RedisModuleString *s = RedisModule_CreateStringFromCallReply(reply);
    if (s != NULL) {
        p = RedisModule_StringPtrLen(s, &len);
        add(t, "=", 1);
        add(t, p, len);
        RedisModule_FreeString(NULL, s);
    }
    size_t count = RedisModule_CallReplyLength(reply);
    for (size_t i = 0; i <= count && type != REDISMODULE_REPLY_STRING && type != REDISMODULE_REPLY_ERROR; i++) {
        RedisModuleCallReply *key = NULL, *value = NULL;
        key = RedisModule_CallReplyArrayElement(reply, i);
        if (key == NULL) key = RedisModule_CallReplySetElement(reply, i);
        if (key == NULL && RedisModule_CallReplyMapElement(reply, i, &key, &value) != REDISMODULE_OK &&
            RedisModule_CallReplyAttributeElement(reply, i, &key, &value) != REDISMODULE_OK) {
            add(t, ".", 1);
            continue;
        }
        walk_one(t, key);
        if (value != NULL) walk_one(t, value);
        RedisModule_FreeCallReply(key); /* nothing happens: it belongs to the whole */
    }
    add(t, "]", 1);
}

static int walk(RedisModuleCtx *ctx, args argv, int argc) {
    RedisModuleCallReply *reply = call(ctx, argv, argc, 2);
    if (reply == NULL) return REDISMODULE_OK;
    text t = {NULL, 0};
    walk_one(&t, reply);
    RedisModule_ReplyWithStringBuffer(ctx, t.p, t.len);
    RedisModule_Free(t.p);
    RedisModule_FreeCallReply(reply);
    return REDISMODULE_OK;
}

static int part(RedisModuleCtx *ctx, args argv, int argc) {
    RedisModuleCallReply *reply = call(ctx, argv, argc, 3);
    if (reply == NULL) return REDISMODULE_OK;
    long long index = 0;
    RedisModule_StringToLongLong(argv[2], &index);
    RedisModuleCallReply *element = RedisModule_CallReplyArrayElement(reply, (size_t)index);
    if (element == NULL) RedisModule_CallReplyMapElement(reply, (size_t)index, NULL, &element);
    if (element == NULL) RedisModule_ReplyWithNull(ctx);
    else hand_on(ctx, element);
    RedisModule_FreeCallReply(reply);
    return REDISMODULE_OK;
}

static const struct {
    const char *name;
    RedisModuleCmdFunc run;
} commands[] = {{"replies.longlong", longlong},
                {"replies.error", error},
                {"replies.errorformat", errorformat},
                {"replies.simplestring", simplestring},
                {"replies.array", array},
                {"replies.map", map},
                {"replies.set", set},
                {"replies.attribute", attribute},
                {"replies.postponed", postponed},
                {"replies.push", push},
                {"replies.unclosed", unclosed},
                {"replies.strings", strings},
                {"replies.verbatim", verbatim},
                {"replies.null", null},
                {"replies.bool", boolean},
                {"replies.double", replydouble},
                {"replies.longdouble", longdouble},
                {"replies.bignumber", bignumber},
                {"replies.number", number},
                {"replies.formatted", formatted},
                {"replies.lacking", lacking},
                {"replies.twice", twice},
                {"replies.nothing", nothing},
                {"replies.call", callreply},
                {"replies.look", look},
                {"replies.walk", walk},
                {"replies.part", part}};

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    if (RedisModule_Init(ctx, "replies", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, "write", 0, 0, 0) != REDISMODULE_OK) {
            return REDISMODULE_ERR;
        }
    }
    RedisModuleCommand *container;
    if (RedisModule_CreateCommand(ctx, "replies.container", NULL, "", 0, 0, 0) != REDISMODULE_OK) {
        return REDISMODULE_ERR;
    }
    container = RedisModule_GetCommand(ctx, "replies.container");
    return RedisModule_CreateSubcommand(container, "Error", error, "", 0, 0, 0);
}
