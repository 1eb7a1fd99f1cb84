/* crash.c - goes wrong in every way on request. For testing walls: a bare server dies of it.
 *
 *     CRASH.WAYS              the ways, as words
 *     CRASH.NOW way           goes that way in the command; "none" answers OK
 *     CRASH.THREAD way        goes that way in a thread; answers OK first
 *
 *     loadmodule crash.so [load way] [unload way]      goes that way while loading or unloading
 */
#include "redismodule.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define HOG_BYTES (64UL << 20)
#define OVERRUN_BYTES 4096
#define GARBAGE_BYTES 4096
#define FRAME_BYTES 4096

/* Values that the compiler must not see through: it would take mistakes out or refuse them. */
static volatile int zero;
static char *volatile nowhere;
static char *volatile wild = (char *)0x5a5a5a5a5a5a;

static void go_nowhere(void) {
}

static void read_null(void) {
    zero = *nowhere;
}

static void write_null(void) {
    *nowhere = 1;
}

static void write_wild(void) {
    *wild = 1;
}

static void write_code(void) {
    *(volatile char *)(uintptr_t)go_nowhere = 1;
}

static void jump_wild(void) {
    ((void (*)(void))(uintptr_t)wild)();
}

static void end_normally(void) {
    exit(0);
}

static void end_at_once(void) {
    _exit(0);
}

static void kill_itself(void) {
    raise(SIGKILL);
}

static int recurse(int depth) {
    volatile char frame[FRAME_BYTES];
    frame[0] = (char)depth;
    if (zero != 0)
        return 0;
    return recurse(depth + 1) + frame[0];
}

static void overflow_stack(void) {
    zero = recurse(0) & zero;
}

static void divide(void) {
    volatile int smallest = INT_MIN;
    zero = smallest / zero;
}

static void illegal_instruction(void) {
    __builtin_trap();
}

static void loop(void) {
    while (zero == 0)
        continue;
}

static void hog_memory(void) {
    char *bytes;
    while ((bytes = malloc(HOG_BYTES)) != NULL)
        memset(bytes, 1, HOG_BYTES);
    abort();
}

static void free_twice(void) {
    char *volatile bytes = malloc(100);
    char *volatile again = bytes;
    free(bytes);
    free(again);
    abort(); /* this allocator did not notice */
}

static void overrun_heap(void) {
    char *volatile small = malloc(16);
    char *volatile next = malloc(OVERRUN_BYTES);
    volatile size_t size = OVERRUN_BYTES;
    memset(small, 0x5a, size);
    free(next);
    free(small);
    abort(); /* this allocator did not notice */
}

static void close_files(void) {
    for (long fd = 0, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close((int)fd);
}

static void wait_forever(void) {
    for (;;)
        pause();
}

/* Writes nonsense to whatever is open for writing: sockets, pipes, memory shared with others. */
static void write_garbage(void) {
    char garbage[GARBAGE_BYTES];
    RedisModule_GetRandomBytes((unsigned char *)garbage, sizeof(garbage));
    for (long fd = 3, end = sysconf(_SC_OPEN_MAX); fd < end; fd++) {
        int flags = fcntl((int)fd, F_GETFL);
        if (flags == -1 || fcntl((int)fd, F_SETFL, flags | O_NONBLOCK) == -1)
            continue;
        ssize_t written = write((int)fd, garbage, sizeof(garbage));
        REDISMODULE_NOT_USED(written);
    }
}

static void use_freed_string(void) {
    RedisModuleString *string = RedisModule_CreateString(NULL, "gone", 4);
    RedisModule_FreeString(NULL, string);
    RedisModule_FreeString(NULL, string);
    RedisModule_FreeString(NULL, (RedisModuleString *)(uintptr_t)wild);
}

static void assert_false(void) {
    RedisModule_Assert(zero != 0);
}

static const struct {
    const char *name;
    void (*go)(void);
} ways[] = {
    {"none", go_nowhere},
    {"read-null", read_null},
    {"write-null", write_null},
    {"write-wild", write_wild},
    {"write-code", write_code},
    {"jump-wild", jump_wild},
    {"abort", abort},
    {"assert", assert_false},
    {"exit", end_normally},
    {"exit-now", end_at_once},
    {"kill", kill_itself},
    {"stack", overflow_stack},
    {"divide", divide},
    {"illegal", illegal_instruction},
    {"loop", loop},
    {"hog", hog_memory},
    {"double-free", free_twice},
    {"overrun", overrun_heap},
    {"bad-handle", use_freed_string},
    {"close-files", close_files},
    {"wait", wait_forever},
    {"garbage", write_garbage},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* What RedisModule_OnUnload() is to do; the arguments of loadmodule say. */
static void (*at_unload)(void) = go_nowhere;

/* Returns the function for a word, NULL when there is none. */
static void (*find_way(RedisModuleString *word))(void) {
    const char *name = RedisModule_StringPtrLen(word, NULL);
    for (size_t i = 0; i < WAYS; i++)
        if (strcmp(name, ways[i].name) == 0)
            return ways[i].go;
    return NULL;
}

static int crash_ways(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    if (argc != 1)
        return RedisModule_WrongArity(ctx);
    RedisModule_ReplyWithArray(ctx, WAYS);
    for (size_t i = 0; i < WAYS; i++)
        RedisModule_ReplyWithCString(ctx, ways[i].name);
    return REDISMODULE_OK;
}

static int crash_now(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    void (*go)(void) = find_way(argv[1]);
    if (go == NULL)
        return RedisModule_ReplyWithError(ctx, "ERR no such way; CRASH.WAYS lists them");
    go();
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static void *in_thread(void *way) {
    size_t index = (size_t)(uintptr_t)way;
    ways[index].go();
    return NULL;
}

static int crash_thread(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    pthread_t thread;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    void (*go)(void) = find_way(argv[1]);
    if (go == NULL)
        return RedisModule_ReplyWithError(ctx, "ERR no such way; CRASH.WAYS lists them");
    size_t index = 0;
    while (ways[index].go != go)
        index++;
    if (pthread_create(&thread, NULL, in_thread, (void *)(uintptr_t)index) != 0)
        return RedisModule_ReplyWithError(ctx, "ERR there is no thread left");
    pthread_detach(thread);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (RedisModule_Init(ctx, "crash", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR ||
        RedisModule_CreateCommand(ctx, "crash.ways", crash_ways, "fast", 0, 0, 0) ||
        RedisModule_CreateCommand(ctx, "crash.now", crash_now, "admin", 0, 0, 0) ||
        RedisModule_CreateCommand(ctx, "crash.thread", crash_thread, "admin", 0, 0, 0))
        return REDISMODULE_ERR;
    for (int i = 0; i + 1 < argc; i += 2) {
        const char *when = RedisModule_StringPtrLen(argv[i], NULL);
        void (*go)(void) = find_way(argv[i + 1]);
        if (go == NULL)
            return REDISMODULE_ERR;
        if (strcmp(when, "load") == 0)
            go();
        else if (strcmp(when, "unload") == 0)
            at_unload = go;
        else
            return REDISMODULE_ERR;
    }
    return REDISMODULE_OK;
}

int RedisModule_OnUnload(RedisModuleCtx *ctx) {
    REDISMODULE_NOT_USED(ctx);
    at_unload();
    return REDISMODULE_OK;
}
