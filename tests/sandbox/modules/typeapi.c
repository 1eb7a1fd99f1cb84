/* typeapi.c - a data type with all its callbacks, for tests: a number with what it was called before.
 *
 *     TV.ADD key n          adds, replicated as it is            TV.QUIET key n   adds, and tells nobody
 *     TV.SUM to from...     the sum of others, replicated        TV.GET key       the number
 *     TV.SWAP key n         another value in place of it         TV.DROP key      deletes the key
 *     TV.NEST key n         calls TV.ADD, then adds itself       TV.SAVED key     what the type saves, as a string
 *     TV.LOAD key string    a value of such a string             TV.SHORT string  loads it, answers whether that failed
 *     TV.COPY from to       COPY, amid a change of both          TV.DIE           ends the process amid a change
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redismodule.h"

#define ENCODING 3

struct value {
    long long n;
    long long changes;
    double half;
};

static RedisModuleType *type;

static struct value *value_new(long long n) {
    struct value *v = RedisModule_Calloc(1, sizeof(*v));
    v->n = n;
    v->half = (double)n / 2;
    return v;
}

static void set(struct value *v, long long n) {
    v->n = n;
    v->half = (double)n / 2;
    v->changes++;
}

static void save(RedisModuleIO *io, void *value) {
    const struct value *v = value;
    char digits[32];
    RedisModule_SaveSigned(io, v->n);
    RedisModule_SaveUnsigned(io, (uint64_t)v->changes);
    RedisModule_SaveDouble(io, v->half);
    RedisModule_SaveFloat(io, (float)v->half);
    RedisModule_SaveLongDouble(io, (long double)v->n / 4);
    int len = sprintf(digits, "%lld", v->n);
    RedisModule_SaveStringBuffer(io, digits, (size_t)len);
    RedisModuleString *text = RedisModule_CreateStringPrintf(NULL, "n=%lld", v->n);
    RedisModule_SaveString(io, text);
    RedisModule_FreeString(NULL, text);
}

static void *load(RedisModuleIO *io, int encoding) {
    size_t len;
    long long n = RedisModule_LoadSigned(io);
    struct value *v = value_new(n);
    v->changes = (long long)RedisModule_LoadUnsigned(io);
    double half = RedisModule_LoadDouble(io);
    float less = RedisModule_LoadFloat(io);
    long double quarter = RedisModule_LoadLongDouble(io);
    char *digits = RedisModule_LoadStringBuffer(io, &len);
    RedisModuleString *text = RedisModule_LoadString(io);
    int good = !RedisModule_IsIOError(io) && encoding == ENCODING && half == v->half && less == (float)v->half &&
               quarter == (long double)n / 4;
    if (good) {
        char wanted[32];
        good = len == (size_t)sprintf(wanted, "%lld", n) && memcmp(digits, wanted, len) == 0;
        const char *p = RedisModule_StringPtrLen(text, &len);
        sprintf(wanted, "n=%lld", n);
        good = good && len == strlen(wanted) && memcmp(p, wanted, len) == 0;
    }
    if (digits != NULL) RedisModule_Free(digits);
    if (text != NULL) RedisModule_FreeString(NULL, text);
    if (good) return v;
    RedisModule_LogIOError(io, "warning", "no value of this type");
    RedisModule_Free(v);
    return NULL;
}

static void rewrite(RedisModuleIO *io, RedisModuleString *key, void *value) {
    RedisModule_EmitAOF(io, "TV.ADD", "sl", key, ((struct value *)value)->n);
}

static void digest(RedisModuleDigest *md, void *value) {
    RedisModule_DigestAddLongLong(md, ((struct value *)value)->n);
    RedisModule_DigestEndSequence(md);
}

static size_t memory(RedisModuleKeyOptCtx *ctx, const void *value, size_t samples) {
    REDISMODULE_NOT_USED(value);
    size_t len;
    RedisModule_StringPtrLen(RedisModule_GetKeyNameFromOptCtx(ctx), &len);
    return 100000 + len * 1000 + samples;
}

static void *copy(RedisModuleKeyOptCtx *ctx, const void *value) {
    size_t len;
    const struct value *old = value;
    const char *to = RedisModule_StringPtrLen(RedisModule_GetToKeyNameFromOptCtx(ctx), &len);
    if (len == 7 && memcmp(to, "refused", 7) == 0) return NULL;
    struct value *v = value_new(old->n);
    v->changes = old->changes;
    return v;
}

static struct value *open_value(RedisModuleCtx *ctx, RedisModuleString *name, int make, RedisModuleKey **out) {
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
    if (out != NULL) *out = key;
    if (RedisModule_KeyType(key) == REDISMODULE_KEYTYPE_EMPTY && make) {
        struct value *v = value_new(0);
        RedisModule_ModuleTypeSetValue(key, type, v);
        return v;
    }
    return RedisModule_ModuleTypeGetType(key) == type ? RedisModule_ModuleTypeGetValue(key) : NULL;
}

static int wrong_type(RedisModuleCtx *ctx) {
    return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
}

static int add(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long n;
    RedisModule_AutoMemory(ctx);
    if (argc != 3 || RedisModule_StringToLongLong(argv[2], &n)) return RedisModule_WrongArity(ctx);
    const char *name = RedisModule_StringPtrLen(argv[0], NULL);
    int is_quiet = name[3] == 'q' || name[3] == 'Q', is_nested = name[3] == 'n' || name[3] == 'N';
    struct value *v = open_value(ctx, argv[1], 1, NULL);
    if (v == NULL) return wrong_type(ctx);
    if (is_nested) {
        set(v, v->n + 1000);
        RedisModule_FreeCallReply(RedisModule_Call(ctx, "TV.ADD", "!sl", argv[1], n));
    }
    set(v, v->n + n);
    if (!is_quiet && !is_nested) RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, v->n);
}

static int sum(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long n = 0;
    RedisModule_AutoMemory(ctx);
    if (argc < 3) return RedisModule_WrongArity(ctx);
    for (int i = 2; i < argc; i++) {
        RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[i], REDISMODULE_READ);
        if (key != NULL && RedisModule_ModuleTypeGetType(key) == type)
            n += ((struct value *)RedisModule_ModuleTypeGetValue(key))->n;
    }
    struct value *v = open_value(ctx, argv[1], 1, NULL);
    if (v == NULL) return wrong_type(ctx);
    set(v, n);
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, n);
}

static int get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
    if (key == NULL) return RedisModule_ReplyWithNull(ctx);
    if (RedisModule_ModuleTypeGetType(key) != type) return wrong_type(ctx);
    const struct value *v = RedisModule_ModuleTypeGetValue(key);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithLongLong(ctx, v->n);
    return RedisModule_ReplyWithLongLong(ctx, v->changes);
}

static int swap(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long n;
    RedisModuleKey *key;
    void *old = NULL;
    RedisModule_AutoMemory(ctx);
    if (argc != 3 || RedisModule_StringToLongLong(argv[2], &n)) return RedisModule_WrongArity(ctx);
    if (open_value(ctx, argv[1], 0, &key) == NULL) return wrong_type(ctx);
    RedisModule_ModuleTypeReplaceValue(key, type, value_new(n), &old);
    long long before = ((struct value *)old)->n;
    RedisModule_Free(old);
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, before);
}

static int drop(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModuleKey *key;
    RedisModule_AutoMemory(ctx);
    if (argc != 2) return RedisModule_WrongArity(ctx);
    int there = open_value(ctx, argv[1], 0, &key) != NULL;
    if (there) RedisModule_DeleteKey(key);
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, there);
}

static int saved(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    if (argc != 2) return RedisModule_WrongArity(ctx);
    struct value *v = open_value(ctx, argv[1], 0, NULL);
    if (v == NULL) return wrong_type(ctx);
    return RedisModule_ReplyWithString(ctx, RedisModule_SaveDataTypeToString(ctx, v, type));
}

static int load_string(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    struct value *v = RedisModule_LoadDataTypeFromStringEncver(argv[2], type, ENCODING);
    if (v == NULL) return RedisModule_ReplyWithError(ctx, "ERR no such value");
    RedisModule_ModuleTypeSetValue(key, type, v);
    return RedisModule_ReplyWithLongLong(ctx, v->n);
}

static int copy_both(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    if (argc != 3) return RedisModule_WrongArity(ctx);
    struct value *v = open_value(ctx, argv[1], 1, NULL);
    if (v == NULL) return wrong_type(ctx);
    set(v, v->n + 7);
    RedisModule_FreeCallReply(RedisModule_Call(ctx, "COPY", "!ssc", argv[1], argv[2], "REPLACE"));
    return RedisModule_ReplyWithLongLong(ctx, v->n);
}

static int die(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    if (argc != 2) return RedisModule_WrongArity(ctx);
    struct value *v = open_value(ctx, argv[1], 1, NULL);
    if (v != NULL) set(v, 666);
    RedisModule_ReplicateVerbatim(ctx);
    abort();
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    static const struct {
        const char *name;
        RedisModuleCmdFunc run;
        int last;
    } commands[] = {{"tv.add", add, 1},         {"tv.quiet", add, 1},  {"tv.nest", add, 1},   {"tv.sum", sum, -1},
                    {"tv.get", get, 1},         {"tv.swap", swap, 1},  {"tv.drop", drop, 1},  {"tv.saved", saved, 1},
                    {"tv.load", load_string, 1}, {"tv.copy", copy_both, 2}, {"tv.die", die, 1}};
    RedisModuleTypeMethods methods = {
        .version = REDISMODULE_TYPE_METHOD_VERSION,
        .rdb_save = save,
        .rdb_load = load,
        .aof_rewrite = rewrite,
        .digest = digest,
        .copy2 = copy,
        .mem_usage2 = memory,
        .free = RedisModule_Free,
    };
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "typeapi", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    methods.free = RedisModule_Free; /* known only now */
    RedisModule_SetModuleOptions(ctx, REDISMODULE_OPTIONS_HANDLE_IO_ERRORS);
    if (RedisModule_CreateDataType(ctx, "eight-ch", ENCODING, &methods) != NULL ||
        RedisModule_CreateDataType(ctx, "ten-letter", ENCODING, &methods) != NULL ||
        RedisModule_CreateDataType(ctx, "bad.chars", ENCODING, &methods) != NULL ||
        RedisModule_CreateDataType(ctx, "typeapi-v", 1024, &methods) != NULL)
        return REDISMODULE_ERR;
    type = RedisModule_CreateDataType(ctx, "typeapi-v", ENCODING, &methods);
    if (type == NULL) return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, "write", 1, commands[i].last, 1))
            return REDISMODULE_ERR;
    }
    return REDISMODULE_OK;
}
