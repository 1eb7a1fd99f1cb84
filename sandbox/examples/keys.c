/* keys.c - strings and their keys: open, read, write, change in place, expire, delete; calls.
 *
 *     KEYS.SET key value [milliseconds]   write, perhaps for a while
 *     KEYS.GET key                        read
 *     KEYS.UPPER key                      letters become capitals, in place; answers the length
 *     KEYS.TTL key                        milliseconds left; -1 without an end, -2 without a key
 *     KEYS.TYPE key                       the type, as a word
 *     KEYS.DEL key [key ...]              how many there were
 *     KEYS.CALL command [argument ...]    what the command answers
 *     KEYS.SUM key [key ...]              the sum of numbers, each read with GET
 */
#include "redismodule.h"

#include <ctype.h>
#include <errno.h>

/* Answers the error and tells so, when the key holds anything but a string or nothing. */
static int refuse_other_types(RedisModuleCtx *ctx, RedisModuleKey *key) {
    int type = RedisModule_KeyType(key);
    if (type == REDISMODULE_KEYTYPE_EMPTY || type == REDISMODULE_KEYTYPE_STRING)
        return 0;
    RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
    return 1;
}

static int keys_set(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long milliseconds = REDISMODULE_NO_EXPIRE;
    if (argc != 3 && argc != 4)
        return RedisModule_WrongArity(ctx);
    if (argc == 4 && RedisModule_StringToLongLong(argv[3], &milliseconds) != REDISMODULE_OK)
        milliseconds = 0;
    if (argc == 4 && milliseconds <= 0)
        return RedisModule_ReplyWithError(ctx, "ERR milliseconds must be a positive number");
    RedisModule_AutoMemory(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    if (refuse_other_types(ctx, key))
        return REDISMODULE_OK;
    RedisModule_StringSet(key, argv[2]);
    RedisModule_SetExpire(key, milliseconds);
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int keys_get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    size_t length;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
    if (key == NULL)
        return RedisModule_ReplyWithNull(ctx);
    if (refuse_other_types(ctx, key))
        return REDISMODULE_OK;
    const char *bytes = RedisModule_StringDMA(key, &length, REDISMODULE_READ);
    return RedisModule_ReplyWithStringBuffer(ctx, bytes, length);
}

static int keys_upper(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    size_t length;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    if (refuse_other_types(ctx, key))
        return REDISMODULE_OK;
    if (RedisModule_KeyType(key) == REDISMODULE_KEYTYPE_EMPTY)
        return RedisModule_ReplyWithLongLong(ctx, 0);
    char *bytes = RedisModule_StringDMA(key, &length, REDISMODULE_READ | REDISMODULE_WRITE);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)toupper((unsigned char)bytes[i]);
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, (long long)length);
}

static int keys_ttl(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
    return RedisModule_ReplyWithLongLong(ctx, key == NULL ? -2 : RedisModule_GetExpire(key));
}

static int keys_type(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    static const char *const words[] = {
        [REDISMODULE_KEYTYPE_EMPTY] = "none",     [REDISMODULE_KEYTYPE_STRING] = "string",
        [REDISMODULE_KEYTYPE_LIST] = "list",      [REDISMODULE_KEYTYPE_HASH] = "hash",
        [REDISMODULE_KEYTYPE_SET] = "set",        [REDISMODULE_KEYTYPE_ZSET] = "sorted set",
        [REDISMODULE_KEYTYPE_MODULE] = "module",  [REDISMODULE_KEYTYPE_STREAM] = "stream",
    };
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
    return RedisModule_ReplyWithSimpleString(ctx, words[RedisModule_KeyType(key)]);
}

static int keys_del(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    const int mode = REDISMODULE_READ | REDISMODULE_WRITE;
    long long deleted = 0;
    if (argc < 2)
        return RedisModule_WrongArity(ctx);
    for (int i = 1; i < argc; i++) {
        RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[i], mode);
        if (RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY &&
            RedisModule_DeleteKey(key) == REDISMODULE_OK)
            deleted++;
        RedisModule_CloseKey(key);
    }
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, deleted);
}

static int keys_call(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc < 2)
        return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    const char *command = RedisModule_StringPtrLen(argv[1], NULL);
    RedisModuleCallReply *reply =
        RedisModule_Call(ctx, command, "!v", argv + 2, (size_t)(argc - 2));
    if (reply != NULL)
        return RedisModule_ReplyWithCallReply(ctx, reply);
    if (errno == ENOENT)
        return RedisModule_ReplyWithError(ctx, "ERR there is no such command");
    if (errno == EINVAL)
        return RedisModule_ReplyWithError(ctx, "ERR the command takes other arguments");
    return RedisModule_ReplyWithError(ctx, "ERR the command can't be called");
}

static int keys_sum(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long sum = 0, value;
    if (argc < 2)
        return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    for (int i = 1; i < argc; i++) {
        RedisModuleCallReply *reply = RedisModule_Call(ctx, "GET", "s", argv[i]);
        int type = reply == NULL ? REDISMODULE_REPLY_UNKNOWN : RedisModule_CallReplyType(reply);
        if (type == REDISMODULE_REPLY_ERROR)
            return RedisModule_ReplyWithCallReply(ctx, reply);
        if (type != REDISMODULE_REPLY_STRING)
            continue;
        RedisModuleString *text = RedisModule_CreateStringFromCallReply(reply);
        if (RedisModule_StringToLongLong(text, &value) != REDISMODULE_OK)
            return RedisModule_ReplyWithError(ctx, "ERR a value is not a number");
        sum += value;
    }
    return RedisModule_ReplyWithLongLong(ctx, sum);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    static const struct {
        const char *name, *flags;
        RedisModuleCmdFunc function;
        int first_key, last_key;
    } commands[] = {
        {"keys.set", "write deny-oom", keys_set, 1, 1},
        {"keys.get", "readonly fast", keys_get, 1, 1},
        {"keys.upper", "write", keys_upper, 1, 1},
        {"keys.ttl", "readonly fast", keys_ttl, 1, 1},
        {"keys.type", "readonly fast", keys_type, 1, 1},
        {"keys.del", "write", keys_del, 1, -1},
        {"keys.call", "write", keys_call, 0, 0},
        {"keys.sum", "readonly", keys_sum, 1, -1},
    };
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "keys", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR)
        return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        int first = commands[i].first_key, last = commands[i].last_key, step = first > 0;
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].function,
                                      commands[i].flags, first, last, step) == REDISMODULE_ERR)
            return REDISMODULE_ERR;
    }
    return REDISMODULE_OK;
}
