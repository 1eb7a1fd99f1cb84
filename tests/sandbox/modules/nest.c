/* nest.c - numbers under keys, and commands that run others: loaded several times under names of two letters, one may
 * call what another one has, and die of it. Its arguments: the name; "bare" for a type that is neither saved nor
 * loaded.
 *
 *     xx.ADD key n      adds, replicated as it is           xx.QUIET key n    adds, and tells nobody
 *     xx.SUM to from    the sum of both, replicated         xx.SWAP key n     another value in place of it
 *     xx.GET key        the number                          xx.DROP key       deletes the key
 *     xx.COUNT          how many values it has in memory    xx.CALLS          commands that this process has run
 *     xx.RUN word...    runs commands, separated by ";", and replies how many failed; the command "die" ends it
 *     xx.HOLD key word...   adds 1000, does as RUN, adds 1 to what it has had in hand since; replies the number
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redismodule.h"

static RedisModuleType *type;
static long long values, calls;

static long long *value_new(long long n) {
    long long *v = RedisModule_Alloc(sizeof(*v));
    *v = n;
    values++;
    return v;
}

static void value_free(void *value) {
    values--;
    memset(value, 0x55, sizeof(long long));
    RedisModule_Free(value);
}

static void save(RedisModuleIO *io, void *value) {
    RedisModule_SaveSigned(io, *(long long *)value);
}

static void *load(RedisModuleIO *io, int encoding) {
    (void)encoding;
    return value_new(RedisModule_LoadSigned(io));
}

static void *copy(RedisModuleString *from, RedisModuleString *to, const void *value) {
    (void)from, (void)to;
    return value_new(*(const long long *)value);
}

static long long *open_value(RedisModuleCtx *ctx, RedisModuleString *name, int make, RedisModuleKey **out) {
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
    if (out != NULL) *out = key;
    if (RedisModule_KeyType(key) == REDISMODULE_KEYTYPE_EMPTY && make) {
        long long *v = value_new(0);
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
    calls++;
    if (argc != 3 || RedisModule_StringToLongLong(argv[2], &n)) return RedisModule_WrongArity(ctx);
    long long *v = open_value(ctx, argv[1], 1, NULL);
    if (v == NULL) return wrong_type(ctx);
    *v += n;
    if (strstr(RedisModule_StringPtrLen(argv[0], NULL), "QUIET") == NULL) RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, *v);
}

static int sum(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    calls++;
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[2], REDISMODULE_READ);
    long long other = 0;
    if (key != NULL && RedisModule_ModuleTypeGetType(key) == type)
        other = *(long long *)RedisModule_ModuleTypeGetValue(key);
    long long *v = open_value(ctx, argv[1], 1, NULL);
    if (v == NULL) return wrong_type(ctx);
    *v += other;
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, *v);
}

static int swap(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long n;
    RedisModuleKey *key;
    void *old = NULL;
    RedisModule_AutoMemory(ctx);
    calls++;
    if (argc != 3 || RedisModule_StringToLongLong(argv[2], &n)) return RedisModule_WrongArity(ctx);
    if (open_value(ctx, argv[1], 0, &key) == NULL) return wrong_type(ctx);
    RedisModule_ModuleTypeReplaceValue(key, type, value_new(n), &old);
    value_free(old);
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, n);
}

static int get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
    if (key == NULL) return RedisModule_ReplyWithNull(ctx);
    if (RedisModule_ModuleTypeGetType(key) != type) return wrong_type(ctx);
    return RedisModule_ReplyWithLongLong(ctx, *(long long *)RedisModule_ModuleTypeGetValue(key));
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

static int count(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    return RedisModule_ReplyWithLongLong(ctx, values);
}

static int count_calls(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    return RedisModule_ReplyWithLongLong(ctx, calls);
}

static int is(RedisModuleString *word, const char *text) {
    return strcmp(RedisModule_StringPtrLen(word, NULL), text) == 0;
}

/* Runs commands; how many failed. */
static int run_all(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    int failed = 0;
    for (int at = 0; at < argc;) {
        int end = at;
        while (end < argc && !is(argv[end], ";")) end++;
        if (is(argv[at], "die")) abort();
        const char *name = RedisModule_StringPtrLen(argv[at], NULL);
        size_t words = (size_t)(end - at - 1);
        RedisModuleCallReply *reply = RedisModule_Call(ctx, name, "!v", argv + at + 1, words);
        failed += reply == NULL || RedisModule_CallReplyType(reply) == REDISMODULE_REPLY_ERROR;
        if (reply != NULL) RedisModule_FreeCallReply(reply);
        at = end + 1;
    }
    return failed;
}

static int run(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    return RedisModule_ReplyWithLongLong(ctx, run_all(ctx, argv + 1, argc - 1));
}

static int hold(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModule_AutoMemory(ctx);
    if (argc < 2) return RedisModule_WrongArity(ctx);
    long long *v = open_value(ctx, argv[1], 1, NULL);
    if (v == NULL) return wrong_type(ctx);
    *v += 1000;
    run_all(ctx, argv + 2, argc - 2);
    *v += 1;
    return RedisModule_ReplyWithLongLong(ctx, *v);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    static const struct {
        const char *name;
        RedisModuleCmdFunc run;
    } commands[] = {{"add", add},   {"quiet", add},       {"sum", sum},           {"swap", swap}, {"get", get},
                    {"drop", drop}, {"count", count}, {"calls", count_calls}, {"run", run},   {"hold", hold}};
    char name[3] = "nn", full[32];
    *(void **)&RedisModule_GetApi = ((void **)ctx)[0]; /* the name is needed before Init */
    RedisModule_GetApi("RedisModule_StringPtrLen", (void **)&RedisModule_StringPtrLen);
    int bare = argc > 1 && is(argv[1], "bare");
    if (argc > 0) snprintf(name, sizeof(name), "%s", RedisModule_StringPtrLen(argv[0], NULL));
    if (RedisModule_Init(ctx, name, 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    RedisModuleTypeMethods methods = {.version = REDISMODULE_TYPE_METHOD_VERSION,
                                      .rdb_save = bare ? NULL : save,
                                      .rdb_load = bare ? NULL : load,
                                      .copy = copy,
                                      .free = value_free};
    snprintf(full, sizeof(full), "%s-number", name);
    type = RedisModule_CreateDataType(ctx, full, 0, &methods);
    if (type == NULL) return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        int keys = commands[i].run != run && commands[i].run != count && commands[i].run != count_calls;
        int last = commands[i].run == sum ? 2 : keys;
        snprintf(full, sizeof(full), "%s.%s", name, commands[i].name);
        if (RedisModule_CreateCommand(ctx, full, commands[i].run, "write", keys, last, keys)) return REDISMODULE_ERR;
    }
    return REDISMODULE_OK;
}
