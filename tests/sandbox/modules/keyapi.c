/* keyapi.c - does with keys and calls what its arguments say, and replies with what came of each.
 *
 *     KEYAPI.KEY name mode step...    opens the key, then: type | len | ttl most | abs | expire ms | expireat ms |
 *                                     del | unlink | set text | read | write offset text | trunc length | lru |
 *                                     setlru ms | lfu | setlfu n | name | db | call command argument | close
 *     KEYAPI.DB step...               exists key | size | random | select n | selected | signal key | scan |
 *                                     scandel key
 *     KEYAPI.CALL modifiers command argument...      [errno, reply]
 *     KEYAPI.FORMAT format            errno of a call of PING with this format
 *     KEYAPI.SAY argument...          what calls made of each kind of argument
 *     KEYAPI.REPLICATE modifiers command argument... the return value
 *     KEYAPI.TRAFFIC                  AvoidReplicaTraffic()
 *     KEYAPI.CRASH step...            set key text | own key text | del key | expire key ms | write key text | call
 *                                     command | deep n; then uses a null pointer
 *     KEYAPI.DEEP n                   calls itself n times
 */
#include <errno.h>
#include <string.h>

#include "redismodule.h"

#define BOTH (REDISMODULE_READ | REDISMODULE_WRITE)

typedef RedisModuleCtx Ctx;
typedef RedisModuleKey Key;
typedef RedisModuleString String;

static int is(const String *s, const char *text) {
    size_t length;
    const char *p = RedisModule_StringPtrLen(s, &length);
    return length == strlen(text) && memcmp(p, text, length) == 0;
}

static long long number(const String *s) {
    long long value = 0;
    RedisModule_StringToLongLong(s, &value);
    return value;
}

static const char *text_of(const String *s) {
    return RedisModule_StringPtrLen(s, NULL);
}

/* ------------------------------------------------------------------ keys */

/* A step without arguments; 0: it is none. */
static int do_short(Ctx *ctx, Key **key, const String *step) {
    long long lru = -7;
    size_t length = 0;
    if (is(step, "type")) return RedisModule_ReplyWithLongLong(ctx, RedisModule_KeyType(*key)), 1;
    if (is(step, "len")) return RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_ValueLength(*key)), 1;
    if (is(step, "abs")) return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetAbsExpire(*key)), 1;
    if (is(step, "del")) return RedisModule_ReplyWithLongLong(ctx, RedisModule_DeleteKey(*key)), 1;
    if (is(step, "unlink")) return RedisModule_ReplyWithLongLong(ctx, RedisModule_UnlinkKey(*key)), 1;
    if (is(step, "name"))
        return RedisModule_ReplyWithString(ctx, (String *)RedisModule_GetKeyNameFromModuleKey(*key)), 1;
    if (is(step, "db")) return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetDbIdFromModuleKey(*key)), 1;
    if (is(step, "lru") || is(step, "lfu")) {
        int rc = is(step, "lru") ? RedisModule_GetLRU(*key, &lru) : RedisModule_GetLFU(*key, &lru);
        RedisModule_ReplyWithArray(ctx, 2);
        RedisModule_ReplyWithLongLong(ctx, rc);
        return RedisModule_ReplyWithLongLong(ctx, lru < 0 ? lru : lru / 5000), 1;
    }
    if (is(step, "read")) {
        const char *p = RedisModule_StringDMA(*key, &length, REDISMODULE_READ);
        if (p == NULL) return RedisModule_ReplyWithNull(ctx), 1;
        return RedisModule_ReplyWithStringBuffer(ctx, p, length), 1;
    }
    if (is(step, "close")) {
        RedisModule_CloseKey(*key);
        *key = NULL;
        return RedisModule_ReplyWithLongLong(ctx, RedisModule_KeyType(*key)), 1;
    }
    return 0;
}

/* A step with the arguments behind it; how many it has taken, or -1. */
static int do_long(Ctx *ctx, Key *key, String **argv, int argc) {
    if (argc < 2) return -1;
    long long n = number(argv[1]);
    if (is(argv[0], "ttl")) {
        long long left = RedisModule_GetExpire(key);
        RedisModule_ReplyWithLongLong(ctx, left > n - 20000 && left <= n ? 1 : left);
    } else if (is(argv[0], "expire")) {
        RedisModule_ReplyWithLongLong(ctx, RedisModule_SetExpire(key, n));
    } else if (is(argv[0], "expireat")) {
        RedisModule_ReplyWithLongLong(ctx, RedisModule_SetAbsExpire(key, n));
    } else if (is(argv[0], "set")) {
        RedisModule_ReplyWithLongLong(ctx, RedisModule_StringSet(key, argv[1]));
    } else if (is(argv[0], "trunc")) {
        RedisModule_ReplyWithLongLong(ctx, RedisModule_StringTruncate(key, (size_t)n));
    } else if (is(argv[0], "setlru")) {
        RedisModule_ReplyWithLongLong(ctx, RedisModule_SetLRU(key, n));
    } else if (is(argv[0], "setlfu")) {
        RedisModule_ReplyWithLongLong(ctx, RedisModule_SetLFU(key, n));
    } else if (is(argv[0], "write") && argc > 2) {
        size_t length, more;
        char *p = RedisModule_StringDMA(key, &length, BOTH);
        const char *from = RedisModule_StringPtrLen(argv[2], &more);
        if (p != NULL && (size_t)n + more <= length) memcpy(p + n, from, more);
        RedisModule_ReplyWithLongLong(ctx, p == NULL ? -1 : (long long)length);
        return 3;
    } else if (is(argv[0], "call") && argc > 2) {
        RedisModuleCallReply *reply = RedisModule_Call(ctx, text_of(argv[1]), "s", argv[2]);
        if (reply == NULL) RedisModule_ReplyWithLongLong(ctx, errno);
        else RedisModule_ReplyWithCallReply(ctx, reply);
        return 3;
    } else {
        return -1;
    }
    return 2;
}

static int key_command(Ctx *ctx, String **argv, int argc) {
    if (argc < 3) return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    Key *key = RedisModule_OpenKey(ctx, argv[1], (int)number(argv[2]));
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_ARRAY_LEN);
    long count = 1;
    RedisModule_ReplyWithLongLong(ctx, key != NULL);
    for (int i = 3; key != NULL && i < argc; count++) {
        int taken = do_short(ctx, &key, argv[i]);
        if (taken == 0) taken = do_long(ctx, key, argv + i, argc - i);
        if (taken < 0) break;
        i += taken;
    }
    RedisModule_ReplySetArrayLength(ctx, count);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ databases */

typedef struct seen {
    long long keys, letters, strings;
    String *del;
} seen;

static void visit(Ctx *ctx, String *name, Key *key, void *data) {
    seen *s = data;
    size_t length;
    RedisModule_StringPtrLen(name, &length);
    s->keys++;
    s->letters += (long long)length + (long long)RedisModule_ValueLength(key);
    if (RedisModule_StringDMA(key, &length, REDISMODULE_READ) != NULL) s->strings += (long long)length;
    if (s->del == NULL) return;
    Key *other = RedisModule_OpenKey(ctx, s->del, REDISMODULE_WRITE);
    RedisModule_DeleteKey(other);
    RedisModule_CloseKey(other);
}

static int scan(Ctx *ctx, String *del) {
    seen s = {.del = del};
    RedisModuleScanCursor *cursor = RedisModule_ScanCursorCreate();
    while (RedisModule_Scan(ctx, cursor, visit, &s)) {
    }
    int again = RedisModule_Scan(ctx, cursor, visit, &s);
    int error = errno;
    RedisModule_ScanCursorRestart(cursor);
    RedisModule_ScanCursorDestroy(cursor);
    RedisModule_ReplyWithArray(ctx, 5);
    RedisModule_ReplyWithLongLong(ctx, del == NULL ? s.keys : 0);
    RedisModule_ReplyWithLongLong(ctx, del == NULL ? s.letters : 0);
    RedisModule_ReplyWithLongLong(ctx, del == NULL ? s.strings : 0);
    RedisModule_ReplyWithLongLong(ctx, again);
    return RedisModule_ReplyWithLongLong(ctx, error == ENOENT);
}

static int db_command(Ctx *ctx, String **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_ARRAY_LEN);
    long count = 0;
    for (int i = 1; i < argc; i++, count++) {
        String *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (is(argv[i], "size")) {
            RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_DbSize(ctx));
        } else if (is(argv[i], "random")) {
            String *name = RedisModule_RandomKey(ctx);
            if (name == NULL) RedisModule_ReplyWithNull(ctx);
            else RedisModule_ReplyWithString(ctx, name);
        } else if (is(argv[i], "selected")) {
            RedisModule_ReplyWithLongLong(ctx, RedisModule_GetSelectedDb(ctx));
        } else if (is(argv[i], "scan")) {
            scan(ctx, NULL);
        } else if (next == NULL) {
            break;
        } else if (is(argv[i], "scandel")) {
            scan(ctx, next), i++;
        } else if (is(argv[i], "exists")) {
            RedisModule_ReplyWithLongLong(ctx, RedisModule_KeyExists(ctx, next)), i++;
        } else if (is(argv[i], "select")) {
            RedisModule_ReplyWithLongLong(ctx, RedisModule_SelectDb(ctx, (int)number(next))), i++;
        } else if (is(argv[i], "signal")) {
            RedisModule_ReplyWithLongLong(ctx, RedisModule_SignalModifiedKey(ctx, next)), i++;
        } else {
            break;
        }
    }
    RedisModule_ReplySetArrayLength(ctx, count);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ calls */

/* The modifiers and a v behind them. */
static const char *format_of(Ctx *ctx, const String *modifiers) {
    return text_of(RedisModule_CreateStringPrintf(ctx, "%sv", text_of(modifiers)));
}

static void reply_call(Ctx *ctx, RedisModuleCallReply *reply, int error) {
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithLongLong(ctx, error);
    if (reply == NULL) RedisModule_ReplyWithNull(ctx);
    else RedisModule_ReplyWithCallReply(ctx, reply);
}

static int call_command(Ctx *ctx, String **argv, int argc) {
    if (argc < 3) return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    errno = 0;
    RedisModuleCallReply *reply =
        RedisModule_Call(ctx, text_of(argv[2]), format_of(ctx, argv[1]), argv + 3, (size_t)(argc - 3));
    reply_call(ctx, reply, reply == NULL ? errno : 0);
    return REDISMODULE_OK;
}

static int format_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    RedisModuleCallReply *reply = RedisModule_Call(ctx, "PING", text_of(argv[1]));
    return RedisModule_ReplyWithLongLong(ctx, reply == NULL ? errno : 0);
}

static int say_command(Ctx *ctx, String **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    RedisModule_ReplyWithArray(ctx, 4);
    RedisModule_ReplyWithCallReply(ctx, RedisModule_Call(ctx, "ECHO", "c", "a word"));
    RedisModule_ReplyWithCallReply(ctx, RedisModule_Call(ctx, "ECHO", "b", "cut here", (size_t)3));
    RedisModule_ReplyWithCallReply(ctx, RedisModule_Call(ctx, "ECHO", "l", -42LL));
    RedisModule_ReplyWithCallReply(
        ctx, RedisModule_Call(ctx, "MSET", "cl!scv", "n", 7LL, argv[0], "first", argv, (size_t)argc - (argc % 2)));
    return REDISMODULE_OK;
}

static int replicate_command(Ctx *ctx, String **argv, int argc) {
    if (argc < 3) return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    int rc = RedisModule_Replicate(ctx, text_of(argv[2]), format_of(ctx, argv[1]), argv + 3, (size_t)(argc - 3));
    return RedisModule_ReplyWithLongLong(ctx, rc);
}

static int traffic_command(Ctx *ctx, String **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_AvoidReplicaTraffic());
}

static int deep_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    long long n = number(argv[1]);
    RedisModuleCallReply *reply = n == 0 ? RedisModule_Call(ctx, "INCR", "c", "deep")
                                         : RedisModule_Call(ctx, "KEYAPI.DEEP", "l", n - 1);
    return RedisModule_ReplyWithCallReply(ctx, reply);
}

/* ------------------------------------------------------------------ crashes */

/* One step of a command that does not survive; how many arguments it took. */
static int prepare(Ctx *ctx, String **argv, int argc) {
    if (is(argv[0], "call")) return RedisModule_Call(ctx, text_of(argv[1]), "!"), 2;
    if (is(argv[0], "deep")) return RedisModule_Call(ctx, "KEYAPI.DEEP", "s", argv[1]), 2;
    if (is(argv[0], "set") && argc > 2) return RedisModule_Call(ctx, "SET", "!ss", argv[1], argv[2]), 3;
    Key *key = RedisModule_OpenKey(ctx, argv[1], BOTH);
    if (is(argv[0], "del")) return RedisModule_DeleteKey(key), 2;
    if (is(argv[0], "own") && argc > 2) RedisModule_StringSet(key, argv[2]);
    if (is(argv[0], "expire") && argc > 2) RedisModule_SetExpire(key, number(argv[2]));
    if (is(argv[0], "write") && argc > 2) {
        size_t length;
        char *p = RedisModule_StringDMA(key, &length, BOTH);
        memset(p, *text_of(argv[2]), length);
    }
    RedisModule_CloseKey(key);
    return 3;
}

static int crash_command(Ctx *ctx, String **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    for (int i = 1; i + 1 < argc;) i += prepare(ctx, argv + i, argc - i);
    RedisModule_DbSize(ctx); /* whatever was said has been heard */
    *(volatile int *)NULL = 1;
    return REDISMODULE_OK;
}

int RedisModule_OnLoad(Ctx *ctx, String **argv, int argc) {
    static const struct {
        const char *name, *flags;
        RedisModuleCmdFunc function;
    } commands[] = {
        {"keyapi.key", "write", key_command},         {"keyapi.db", "write", db_command},
        {"keyapi.call", "write", call_command},       {"keyapi.format", "readonly", format_command},
        {"keyapi.say", "write", say_command},         {"keyapi.replicate", "write", replicate_command},
        {"keyapi.traffic", "readonly", traffic_command}, {"keyapi.crash", "write", crash_command},
        {"keyapi.deep", "write", deep_command},
    };
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "keyapi", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].function, commands[i].flags, 0, 0, 0) ==
            REDISMODULE_ERR)
            return REDISMODULE_ERR;
    }
    return REDISMODULE_OK;
}
