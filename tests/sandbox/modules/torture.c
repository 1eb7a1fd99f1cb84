/* torture.c - a module that changes keys and values of its own, and dies amid that on request.
 *
 *     TORTURE.ADD key n            adds to a counter of its own type; the sum
 *     TORTURE.GET key              the sum, or null
 *     TORTURE.MIRROR from to       RM_Calls SET to <value of from>; plain keys
 *     TORTURE.DIE way key n other  adds, sets `other`, deletes `other`:gone, then dies
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "redismodule.h"

typedef struct counter {
    long long sum;
    long long changes;
} counter;

static RedisModuleType *counter_type;

static void *counter_load(RedisModuleIO *io, int encver) {
    if (encver != 0) return NULL;
    counter *c = RedisModule_Alloc(sizeof(*c));
    c->sum = RedisModule_LoadSigned(io);
    c->changes = RedisModule_LoadSigned(io);
    return c;
}

static void counter_save(RedisModuleIO *io, void *value) {
    const counter *c = value;
    RedisModule_SaveSigned(io, c->sum);
    RedisModule_SaveSigned(io, c->changes);
}

static void counter_rewrite(RedisModuleIO *io, RedisModuleString *key, void *value) {
    const counter *c = value;
    RedisModule_EmitAOF(io, "TORTURE.ADD", "sl", key, c->sum);
}

static void counter_free(void *value) {
    RedisModule_Free(value);
}

/* The counter of a key that is open for writing; NULL after an error reply. */
static counter *open_counter(RedisModuleCtx *ctx, RedisModuleKey *key) {
    int type = RedisModule_KeyType(key);
    if (type == REDISMODULE_KEYTYPE_EMPTY) {
        counter *c = RedisModule_Calloc(1, sizeof(*c));
        RedisModule_ModuleTypeSetValue(key, counter_type, c);
        return c;
    }
    if (RedisModule_ModuleTypeGetType(key) != counter_type) {
        RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
        return NULL;
    }
    return RedisModule_ModuleTypeGetValue(key);
}

static counter *add(RedisModuleCtx *ctx, RedisModuleString *name, RedisModuleString *number) {
    long long n;
    if (RedisModule_StringToLongLong(number, &n) != REDISMODULE_OK) {
        RedisModule_ReplyWithError(ctx, "ERR not a number");
        return NULL;
    }
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
    counter *c = open_counter(ctx, key);
    if (c != NULL) {
        c->sum += n;
        c->changes++;
    }
    RedisModule_CloseKey(key);
    return c;
}

static int cmd_add(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    counter *c = add(ctx, argv[1], argv[2]);
    if (c == NULL) return REDISMODULE_OK;
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, c->sum);
}

static int cmd_get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
    if (key == NULL) return RedisModule_ReplyWithNull(ctx);
    if (RedisModule_ModuleTypeGetType(key) == counter_type) {
        const counter *c = RedisModule_ModuleTypeGetValue(key);
        RedisModule_ReplyWithLongLong(ctx, c->sum);
    } else {
        RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
    }
    RedisModule_CloseKey(key);
    return REDISMODULE_OK;
}

static int cmd_mirror(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    RedisModuleCallReply *got = RedisModule_Call(ctx, "GET", "s", argv[1]);
    if (got == NULL || RedisModule_CallReplyType(got) != REDISMODULE_REPLY_STRING) {
        return RedisModule_ReplyWithNull(ctx);
    }
    RedisModuleString *value = RedisModule_CreateStringFromCallReply(got);
    RedisModuleCallReply *set = RedisModule_Call(ctx, "SET", "!ss", argv[2], value);
    if (set == NULL) return RedisModule_ReplyWithError(ctx, "ERR SET did not run");
    return RedisModule_ReplyWithString(ctx, value);
}

/* ------------------------------------------------------------------ ways to die */

static volatile int *volatile nowhere = NULL;
static volatile int zero = 0, thousand = 1000;

static void by_null(void) {
    *nowhere = 1;
}

static void by_division(void) {
    zero = thousand / zero;
}

static int deeper(int n) {
    volatile char room[65536];
    memset((void *)(uintptr_t)room, n, sizeof(room));
    return n < 0 ? 0 : deeper(n + 1) + room[n % 100];
}

static void by_stack(void) {
    zero = deeper(0);
}

static void by_exit(void) {
    exit(7);
}

static void by_exit_now(void) {
    _exit(8);
}

static void by_kill(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
}

static void by_memory(void) {
    for (;;) memset(RedisModule_Alloc(1 << 24), 1, 1 << 24);
}

static void by_assertion(void) {
    RedisModule_Assert(zero != 0);
}

static void by_loop(void) {
    while (zero == 0) continue;
}

static void *thread_body(void *arg) {
    *nowhere = 2;
    return arg;
}

static void by_thread(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_body, NULL) != 0) abort();
    pthread_join(thread, NULL);
}

/* Whatever is writable and shared: the channel to the server. */
static void by_garbage(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    if (maps == NULL) abort(); /* the walls keep it from looking */
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from, to;
        char mode[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3 || strcmp(mode, "rw-s") != 0) continue;
        memset((void *)from, 0xa5, to - from);
    }
    fclose(maps);
}

static const struct {
    const char *name;
    void (*go)(void);
} ways[] = {
    {"null", by_null},     {"division", by_division},   {"stack", by_stack},         {"abort", abort},
    {"exit", by_exit},     {"exit-now", by_exit_now},   {"kill", by_kill},           {"memory", by_memory},
    {"loop", by_loop},     {"assertion", by_assertion}, {"thread", by_thread},       {"garbage", by_garbage},
};

static int cmd_die(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 5) return RedisModule_WrongArity(ctx);
    const char *way = RedisModule_StringPtrLen(argv[1], NULL);
    if (add(ctx, argv[2], argv[3]) == NULL) return REDISMODULE_OK;
    RedisModule_ReplicateVerbatim(ctx);
    RedisModuleString *gone = RedisModule_CreateStringPrintf(ctx, "%s:gone", RedisModule_StringPtrLen(argv[4], NULL));
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[4], REDISMODULE_WRITE);
    RedisModule_StringSet(key, argv[3]);
    RedisModule_CloseKey(key);
    key = RedisModule_OpenKey(ctx, gone, REDISMODULE_WRITE);
    RedisModule_DeleteKey(key);
    RedisModule_CloseKey(key);
    RedisModuleCallReply *reply = RedisModule_Call(ctx, "INCR", "s", gone);
    if (reply != NULL) RedisModule_FreeCallReply(reply);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i].name, way) == 0) ways[i].go();
    }
    RedisModule_FreeString(ctx, gone);
    return RedisModule_ReplyWithError(ctx, "ERR still alive");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    RedisModuleTypeMethods methods = {.version = REDISMODULE_TYPE_METHOD_VERSION,
                                      .rdb_load = counter_load,
                                      .rdb_save = counter_save,
                                      .aof_rewrite = counter_rewrite,
                                      .free = counter_free};
    if (RedisModule_Init(ctx, "torture", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    counter_type = RedisModule_CreateDataType(ctx, "torture-1", 0, &methods);
    if (counter_type == NULL || RedisModule_CreateCommand(ctx, "torture.add", cmd_add, "write deny-oom", 1, 1, 1) ||
        RedisModule_CreateCommand(ctx, "torture.get", cmd_get, "readonly", 1, 1, 1) ||
        RedisModule_CreateCommand(ctx, "torture.mirror", cmd_mirror, "write", 1, 2, 1) ||
        RedisModule_CreateCommand(ctx, "torture.die", cmd_die, "write", 2, 2, 1))
        return REDISMODULE_ERR;
    return REDISMODULE_OK;
}
