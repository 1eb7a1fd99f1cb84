/* local.c - shows what the functions of the module API answer that need no server: strings, dicts, memory,
 * clocks. A command does the calls that its arguments name and replies with what came.
 *
 *     LOCAL.MAKE kind argument...      a string from a number: ll, ull, d, ld, human, id, printf, copy, zeros
 *     LOCAL.READ kind text             a number of a string: ll, ull, d, ld, id; [0 or 1, number]
 *     LOCAL.COMPARE a b                -1, 0, 1
 *     LOCAL.APPEND held text...        one after the other to a string that is held so often
 *     LOCAL.DICT call...               calls on a new dict, see below; an array of what each gave
 *     LOCAL.HOLD                       strings and dicts that a context with automatic memory gives up, or not
 *     LOCAL.POOL bytes...              distances of the pool's pieces; -1 for NULL
 *     LOCAL.MEMORY                     truths about blocks; an array of ones
 *     LOCAL.QUERY | LOCAL.SUBEVENT id subevent | LOCAL.SHARED name
 *     LOCAL.CLOCKS | LOCAL.RANDOM n | LOCAL.HEX n | LOCAL.LOG level text | LOCAL.LATENCY event ms
 *     LOCAL.THREADS n lines            n threads without a lock use strings, dicts, memory, clocks and the log; counts
 *     LOCAL.DEFRAG                     what a module outside of a run may ask: 0 registered
 */
#include <pthread.h>
#include <string.h>

#include "redismodule.h"

#define TEXT_BYTES 6000

typedef RedisModuleCtx Ctx;
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

/* ------------------------------------------------------------------ strings */

static String *make(Ctx *ctx, String **argv, int argc) {
    const char *value = text_of(argv[2]);
    if (is(argv[1], "ll")) return RedisModule_CreateStringFromLongLong(ctx, strtoll(value, NULL, 10));
    if (is(argv[1], "ull")) return RedisModule_CreateStringFromULongLong(ctx, strtoull(value, NULL, 10));
    if (is(argv[1], "d")) return RedisModule_CreateStringFromDouble(ctx, strtod(value, NULL));
    if (is(argv[1], "ld")) return RedisModule_CreateStringFromLongDouble(ctx, strtold(value, NULL), 0);
    if (is(argv[1], "human")) return RedisModule_CreateStringFromLongDouble(ctx, strtold(value, NULL), 1);
    if (is(argv[1], "zeros")) return RedisModule_CreateString(ctx, NULL, (size_t)number(argv[2]));
    if (is(argv[1], "copy")) return RedisModule_CreateStringFromString(ctx, argv[2]);
    if (is(argv[1], "printf")) return RedisModule_CreateStringPrintf(ctx, "[%s] %d %5.2f %%", value, -argc, 1.5);
    RedisModuleStreamID id = {strtoull(value, NULL, 10), argc > 3 ? strtoull(text_of(argv[3]), NULL, 10) : 0};
    return RedisModule_CreateStringFromStreamID(ctx, &id);
}

static int make_command(Ctx *ctx, String **argv, int argc) {
    if (argc < 3) return RedisModule_WrongArity(ctx);
    String *made = make(ctx, argv, argc);
    RedisModule_ReplyWithString(ctx, made);
    RedisModule_FreeString(ctx, made);
    return REDISMODULE_OK;
}

static int read_number(const String *kind, const String *s, char *out) {
    long long ll = 0;
    unsigned long long ull = 0;
    double d = 0;
    long double ld = 0;
    RedisModuleStreamID id = {0, 0};
    int answer;
    if (is(kind, "ll")) {
        answer = RedisModule_StringToLongLong(s, &ll);
        snprintf(out, TEXT_BYTES, "%lld", ll);
    } else if (is(kind, "ull")) {
        answer = RedisModule_StringToULongLong(s, &ull);
        snprintf(out, TEXT_BYTES, "%llu", ull);
    } else if (is(kind, "d")) {
        answer = RedisModule_StringToDouble(s, &d);
        snprintf(out, TEXT_BYTES, "%a", d);
    } else if (is(kind, "ld")) {
        answer = RedisModule_StringToLongDouble(s, &ld);
        snprintf(out, TEXT_BYTES, "%La", ld);
    } else {
        answer = RedisModule_StringToStreamID(s, &id);
        snprintf(out, TEXT_BYTES, "%llu-%llu", (unsigned long long)id.ms, (unsigned long long)id.seq);
    }
    return answer;
}

static int read_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    char out[TEXT_BYTES];
    int answer = read_number(argv[1], argv[2], out);
    RedisModule_ReplyWithArray(ctx, answer == REDISMODULE_OK ? 2 : 1);
    RedisModule_ReplyWithLongLong(ctx, answer);
    if (answer == REDISMODULE_OK) RedisModule_ReplyWithCString(ctx, out);
    return REDISMODULE_OK;
}

static int compare_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    int order = RedisModule_StringCompare(argv[1], argv[2]);
    return RedisModule_ReplyWithLongLong(ctx, (order > 0) - (order < 0));
}

static int append_command(Ctx *ctx, String **argv, int argc) {
    if (argc < 2) return RedisModule_WrongArity(ctx);
    long long held = number(argv[1]);
    String *s = RedisModule_CreateString(NULL, "", 0);
    for (long long i = 1; i < held; i++) RedisModule_RetainString(NULL, s);
    RedisModule_ReplyWithArray(ctx, argc - 1);
    for (int i = 2; i < argc; i++) {
        size_t length;
        const char *p = RedisModule_StringPtrLen(argv[i], &length);
        RedisModule_ReplyWithLongLong(ctx, RedisModule_StringAppendBuffer(ctx, s, p, length));
    }
    RedisModule_TrimStringAllocation(s);
    RedisModule_ReplyWithString(ctx, s);
    for (long long i = 0; i < held; i++) RedisModule_FreeString(NULL, s);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ dicts */

/* A call is a name and its arguments, in one argument each:
 *     set k v | replace k v | get k | del k | size
 *     start op k | seek op k | next | prev | nextc | prevc | compare op k | stop */
struct dict_run {
    Ctx *ctx;
    RedisModuleDict *dict;
    RedisModuleDictIter *iterator;
    String **argv;
    int at, argc;
};

static String *argument(struct dict_run *run) {
    return run->at < run->argc ? run->argv[run->at++] : run->argv[0];
}

static void reply_step(struct dict_run *run, const char *key, size_t length, void *value) {
    if (key == NULL) {
        RedisModule_ReplyWithNull(run->ctx);
        return;
    }
    RedisModule_ReplyWithArray(run->ctx, 2);
    RedisModule_ReplyWithStringBuffer(run->ctx, key, length);
    RedisModule_ReplyWithLongLong(run->ctx, (long long)(intptr_t)value);
}

static void walk(struct dict_run *run, const String *call) {
    void *value = NULL;
    size_t length = 0;
    if (is(call, "nextc") || is(call, "prevc")) {
        void *(*step)(RedisModuleDictIter *, size_t *, void **) =
            is(call, "nextc") ? RedisModule_DictNextC : RedisModule_DictPrevC;
        const char *key = step(run->iterator, &length, &value);
        reply_step(run, key, length, value);
    } else {
        String *(*step)(Ctx *, RedisModuleDictIter *, void **) =
            is(call, "next") ? RedisModule_DictNext : RedisModule_DictPrev;
        String *key = step(run->ctx, run->iterator, &value);
        const char *p = key == NULL ? NULL : RedisModule_StringPtrLen(key, &length);
        reply_step(run, p, length, value);
        if (key != NULL) RedisModule_FreeString(run->ctx, key);
    }
}

static void change(struct dict_run *run, const String *call) {
    String *key = argument(run);
    void *old = (void *)-1;
    if (is(call, "set")) {
        void *value = (void *)(intptr_t)number(argument(run));
        RedisModule_ReplyWithLongLong(run->ctx, RedisModule_DictSet(run->dict, key, value));
    } else if (is(call, "replace")) {
        void *value = (void *)(intptr_t)number(argument(run));
        RedisModule_ReplyWithLongLong(run->ctx, RedisModule_DictReplace(run->dict, key, value));
    } else if (is(call, "get")) {
        int nokey = -1;
        void *value = RedisModule_DictGet(run->dict, key, &nokey);
        RedisModule_ReplyWithArray(run->ctx, 2);
        RedisModule_ReplyWithLongLong(run->ctx, nokey);
        RedisModule_ReplyWithLongLong(run->ctx, (long long)(intptr_t)value);
    } else {
        int answer = RedisModule_DictDel(run->dict, key, &old);
        RedisModule_ReplyWithArray(run->ctx, 2);
        RedisModule_ReplyWithLongLong(run->ctx, answer);
        RedisModule_ReplyWithLongLong(run->ctx, (long long)(intptr_t)old);
    }
}

static void seek(struct dict_run *run, const String *call) {
    const char *op = text_of(argument(run));
    String *key = argument(run);
    if (is(call, "start")) {
        if (run->iterator != NULL) RedisModule_DictIteratorStop(run->iterator);
        run->iterator = RedisModule_DictIteratorStart(run->dict, op, key);
        RedisModule_ReplyWithNull(run->ctx);
    } else if (is(call, "seek")) {
        RedisModule_ReplyWithLongLong(run->ctx, RedisModule_DictIteratorReseek(run->iterator, op, key));
    } else {
        RedisModule_ReplyWithLongLong(run->ctx, RedisModule_DictCompare(run->iterator, op, key));
    }
}

static int dict_command(Ctx *ctx, String **argv, int argc) {
    struct dict_run run = {ctx, RedisModule_CreateDict(ctx), NULL, argv, 1, argc};
    int calls = 0;
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
    for (; run.at < argc; calls++) {
        String *call = argument(&run);
        int seeks = is(call, "start") || is(call, "seek") || is(call, "compare");
        if (seeks && run.iterator == NULL && !is(call, "start")) {
            RedisModule_ReplyWithError(ctx, "ERR no iterator");
        } else if (seeks) {
            seek(&run, call);
        } else if (is(call, "size")) {
            RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_DictSize(run.dict));
        } else if (is(call, "next") || is(call, "prev") || is(call, "nextc") || is(call, "prevc")) {
            walk(&run, call);
        } else {
            change(&run, call);
        }
    }
    RedisModule_ReplySetArrayLength(ctx, calls);
    if (run.iterator != NULL) RedisModule_DictIteratorStop(run.iterator);
    RedisModule_FreeDict(ctx, run.dict);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ memory */

/* What outlives a context: strings that it was asked to give up, in each way. */
static String *kept[3];

static int hold_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModule_AutoMemory(ctx);
    if (kept[0] == NULL) {
        kept[0] = RedisModule_CreateStringPrintf(ctx, "retained %s", text_of(argv[1]));
        RedisModule_RetainString(ctx, kept[0]);
        kept[1] = RedisModule_CreateStringPrintf(NULL, "free %s", text_of(argv[1]));
        RedisModule_HoldString(ctx, kept[1]);
        kept[2] = argv[1];
        RedisModule_RetainString(ctx, kept[2]);
        RedisModule_FreeString(ctx, RedisModule_CreateString(ctx, "x", 1));
        RedisModule_CreateString(ctx, "y", 1);
        RedisModule_CreateDict(ctx);
        return RedisModule_ReplyWithNull(ctx);
    }
    RedisModule_ReplyWithArray(ctx, 3);
    for (int i = 0; i < 3; i++) {
        RedisModule_ReplyWithString(ctx, kept[i]);
        RedisModule_FreeString(NULL, kept[i]);
        kept[i] = NULL;
    }
    return REDISMODULE_OK;
}

static int pool_command(Ctx *ctx, String **argv, int argc) {
    char *before = NULL;
    RedisModule_ReplyWithArray(ctx, argc - 1);
    for (int i = 1; i < argc; i++) {
        size_t bytes = (size_t)number(argv[i]);
        char *p = RedisModule_PoolAlloc(ctx, bytes);
        if (p != NULL) memset(p, 'x', bytes);
        RedisModule_ReplyWithLongLong(ctx, p == NULL ? -1 : before == NULL ? 0 : (long long)(p - before));
        before = p == NULL ? before : p;
    }
    return REDISMODULE_OK;
}

static int memory_command(Ctx *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
    char *block = RedisModule_Alloc(100), *zeros = RedisModule_Calloc(10, 10), *copy = RedisModule_Strdup("copy");
    char *tried = RedisModule_TryAlloc(10), *nothing = RedisModule_Alloc(0);
    String *s = RedisModule_CreateString(NULL, NULL, 1000);
    RedisModuleDict *dict = RedisModule_CreateDict(NULL);
    size_t empty = RedisModule_MallocSizeDict(dict);
    RedisModule_DictSetC(dict, "a key", 5, NULL);
    block = RedisModule_Realloc(block, 10000);
    float ratio = RedisModule_GetUsedMemoryRatio();
    const int truths[] = {
        RedisModule_MallocSize(block) >= 10000,
        RedisModule_MallocUsableSize == NULL || RedisModule_MallocUsableSize(block) >= 10000,
        zeros[0] == 0 && zeros[99] == 0,
        strcmp(copy, "copy") == 0,
        tried != NULL && nothing != NULL,
        RedisModule_TryAlloc((size_t)1 << 62) == NULL,
        RedisModule_MallocSizeString(s) >= 1000 && RedisModule_MallocSizeString(s) < 3000,
        RedisModule_MallocSizeDict(dict) > empty,
        RedisModule_TryRealloc == NULL || RedisModule_TryRealloc(tried, (size_t)1 << 62) == NULL,
        RedisModule_TryCalloc == NULL || RedisModule_TryCalloc((size_t)1 << 40, (size_t)1 << 40) == NULL,
        ratio >= 0 && ratio < 1000,
    };
    RedisModule_ReplyWithArray(ctx, sizeof(truths) / sizeof(truths[0]));
    for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++) RedisModule_ReplyWithLongLong(ctx, truths[i]);
    char *blocks[] = {block, zeros, copy, tried, nothing};
    for (int i = 0; i < 5; i++) RedisModule_Free(blocks[i]);
    RedisModule_FreeString(NULL, s);
    RedisModule_FreeDict(NULL, dict);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ queries, clocks, chance, log */

static int asked(int (*query)(void)) {
    return query == NULL ? -1 : query();
}

static int query_command(Ctx *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
    RedisModule_ReplyWithArray(ctx, 6);
    RedisModule_ReplyWithLongLong(ctx, asked(RedisModule_GetContextFlagsAll));
    RedisModule_ReplyWithLongLong(ctx, asked(RedisModule_GetModuleOptionsAll));
    RedisModule_ReplyWithLongLong(ctx, asked(RedisModule_GetKeyspaceNotificationFlagsAll));
    RedisModule_ReplyWithLongLong(ctx, asked(RedisModule_GetOpenKeyModesAll));
    RedisModule_ReplyWithLongLong(ctx, asked(RedisModule_GetServerVersion));
    return RedisModule_ReplyWithLongLong(ctx, asked(RedisModule_GetTypeMethodVersion));
}

static int subevent_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModuleEvent event = {(uint64_t)number(argv[1]), 1};
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_IsSubEventSupported(event, (uint64_t)number(argv[2])));
}

/* A stock server keeps the address of an exported name, not its bytes: a name from an argument would change later. */
static int shared_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    const char *name = text_of(argv[1]);
    void *before = RedisModule_GetSharedAPI(ctx, name), *address = (void *)(uintptr_t)number;
    RedisModule_ReplyWithArray(ctx, 4);
    RedisModule_ReplyWithLongLong(ctx, before != NULL);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_ExportSharedAPI(ctx, RedisModule_Strdup(name), address));
    RedisModule_ReplyWithLongLong(ctx, RedisModule_ExportSharedAPI(ctx, name, NULL));
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetSharedAPI(ctx, name) == address);
}

static int clocks_command(Ctx *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
    RedisModule_ReplyWithArray(ctx, 5);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_Milliseconds());
    RedisModule_ReplyWithLongLong(ctx, RedisModule_Microseconds == NULL ? -1 : RedisModule_Microseconds());
    RedisModule_ReplyWithLongLong(ctx, RedisModule_CachedMicroseconds == NULL ? -1 : RedisModule_CachedMicroseconds());
    RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_MonotonicMicroseconds());
    return RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_MonotonicMicroseconds());
}

static int random_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    size_t length = (size_t)number(argv[1]);
    char *bytes = RedisModule_PoolAlloc(ctx, length);
    if (is(argv[0], "local.hex")) {
        RedisModule_GetRandomHexChars(bytes, length);
    } else {
        RedisModule_GetRandomBytes((unsigned char *)bytes, length);
    }
    return RedisModule_ReplyWithStringBuffer(ctx, bytes, length);
}

static int log_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModule_Log(ctx, text_of(argv[1]), "%s", text_of(argv[2]));
    RedisModule_Log(NULL, text_of(argv[1]), "%s", text_of(argv[2]));
    return RedisModule_ReplyWithNull(ctx);
}

static int latency_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModule_LatencyAddSample(text_of(argv[1]), number(argv[2]));
    return RedisModule_ReplyWithNull(ctx);
}

#define THREADS_MAX 8
#define THREAD_KEYS 500

struct worker {
    pthread_t thread;
    int number, lines;
    long long done; /* keys that came back in order */
};

static void *work(void *given) {
    struct worker *worker = given;
    RedisModuleDict *dict = RedisModule_CreateDict(NULL);
    for (int i = 0; i < THREAD_KEYS; i++) {
        String *key = RedisModule_CreateStringPrintf(NULL, "key:%d:%06d", worker->number, i);
        char *block = RedisModule_Alloc(5000);
        memset(block, 'x', 5000);
        RedisModule_StringAppendBuffer(NULL, key, block, 3);
        RedisModule_DictSet(dict, key, block);
        RedisModule_FreeString(NULL, key);
    }
    RedisModuleDictIter *iterator = RedisModule_DictIteratorStartC(dict, "^", NULL, 0);
    void *block;
    String *key, *before = NULL;
    while ((key = RedisModule_DictNext(NULL, iterator, &block)) != NULL) {
        worker->done += before == NULL || RedisModule_StringCompare(before, key) < 0;
        if (before != NULL) RedisModule_FreeString(NULL, before);
        before = key;
        RedisModule_Free(block);
    }
    RedisModule_FreeString(NULL, before);
    RedisModule_DictIteratorStop(iterator);
    RedisModule_FreeDict(NULL, dict);
    for (int i = 0; i < worker->lines; i++) RedisModule_Log(NULL, "notice", "line %d of %d", i, worker->number);
    return NULL;
}

static int threads_command(Ctx *ctx, String **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    struct worker workers[THREADS_MAX];
    int count = (int)number(argv[1]);
    if (count < 0 || count > THREADS_MAX) return RedisModule_ReplyWithError(ctx, "ERR so many threads");
    RedisModule_ReplyWithArray(ctx, count);
    for (int i = 0; i < count; i++) {
        workers[i] = (struct worker){.number = i, .lines = (int)number(argv[2])};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) abort();
    }
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        RedisModule_ReplyWithLongLong(ctx, workers[i].done);
    }
    return REDISMODULE_OK;
}

static void defrag_nothing(RedisModuleDefragCtx *ctx) {
    (void)ctx;
}

static int defrag_command(Ctx *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_RegisterDefragFunc(ctx, defrag_nothing));
}

/* ------------------------------------------------------------------ the module */

int RedisModule_OnLoad(Ctx *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
    static const struct {
        const char *name;
        RedisModuleCmdFunc run;
    } commands[] = {
        {"local.make", make_command},     {"local.read", read_command},         {"local.compare", compare_command},
        {"local.append", append_command}, {"local.dict", dict_command},         {"local.hold", hold_command},
        {"local.pool", pool_command},     {"local.memory", memory_command},     {"local.query", query_command},
        {"local.shared", shared_command}, {"local.subevent", subevent_command}, {"local.clocks", clocks_command},
        {"local.random", random_command}, {"local.hex", random_command},        {"local.log", log_command},
        {"local.defrag", defrag_command}, {"local.latency", latency_command},
        {"local.threads", threads_command},
    };
    if (RedisModule_Init(ctx, "local", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, "", 0, 0, 0) != REDISMODULE_OK)
            return REDISMODULE_ERR;
    return REDISMODULE_OK;
}
