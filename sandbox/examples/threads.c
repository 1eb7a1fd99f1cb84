/* threads.c - answers that take their time: threads, timers, clients that wait.
 *
 *     THREADS.SUM n               a thread adds the numbers from 1 to n, without disturbing anybody
 *     THREADS.INCR key times      a thread increments the key, taking the server's lock each time
 *     THREADS.TIMER milliseconds  the answer comes when a timer fires
 *     THREADS.WAIT milliseconds   nobody ever answers: the time runs out, or CLIENT UNBLOCK ends it
 *     THREADS.TICKS               how many timers have fired so far
 */
#include "redismodule.h"

#include <pthread.h>

/* What a thread works on; it owns all of it. */
struct job {
    RedisModuleBlockedClient *client;
    RedisModuleString *key;
    long long number;
};

/* Counts what timers have done. Timers run with the server's lock held, as commands do. */
static long long ticks;

static void *add_up(void *data) {
    struct job *job = data;
    RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(job->client);
    unsigned long long sum = 0;
    for (long long i = 1; i <= job->number; i++)
        sum += (unsigned long long)i;
    RedisModule_ReplyWithLongLong(ctx, (long long)sum); /* a client's own reply needs no lock */
    RedisModule_FreeThreadSafeContext(ctx);
    RedisModule_UnblockClient(job->client, NULL);
    RedisModule_Free(job);
    return NULL;
}

static void *increment(void *data) {
    struct job *job = data;
    RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(job->client);
    long long last = 0;
    for (long long i = 0; i < job->number; i++) {
        RedisModule_ThreadSafeContextLock(ctx);
        RedisModuleCallReply *reply = RedisModule_Call(ctx, "INCR", "!s", job->key);
        if (reply != NULL) {
            last = RedisModule_CallReplyInteger(reply);
            RedisModule_FreeCallReply(reply);
        }
        RedisModule_ThreadSafeContextUnlock(ctx);
    }
    RedisModule_ReplyWithLongLong(ctx, last);
    RedisModule_ThreadSafeContextLock(ctx);
    RedisModule_FreeString(NULL, job->key);
    RedisModule_ThreadSafeContextUnlock(ctx);
    RedisModule_FreeThreadSafeContext(ctx);
    RedisModule_UnblockClient(job->client, NULL);
    RedisModule_Free(job);
    return NULL;
}

/* Blocks the client and hands it to a thread of its own. */
static int start(RedisModuleCtx *ctx, void *(*work)(void *), RedisModuleString *key,
                 long long number) {
    pthread_t thread;
    struct job *job = RedisModule_Alloc(sizeof(*job));
    job->client = RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0);
    job->key = key == NULL ? NULL : RedisModule_HoldString(NULL, key);
    job->number = number;
    if (pthread_create(&thread, NULL, work, job) != 0) {
        RedisModule_AbortBlock(job->client);
        if (job->key != NULL)
            RedisModule_FreeString(NULL, job->key);
        RedisModule_Free(job);
        return RedisModule_ReplyWithError(ctx, "ERR there is no thread left");
    }
    pthread_detach(thread);
    return REDISMODULE_OK;
}

/* Reads a positive number, or answers the error and returns 0. */
static int read_number(RedisModuleCtx *ctx, RedisModuleString *text, long long *number) {
    if (RedisModule_StringToLongLong(text, number) == REDISMODULE_OK && *number > 0)
        return 1;
    RedisModule_ReplyWithError(ctx, "ERR a positive number was expected");
    return 0;
}

static int threads_sum(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long number;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    if (!read_number(ctx, argv[1], &number))
        return REDISMODULE_OK;
    return start(ctx, add_up, NULL, number);
}

static int threads_incr(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long number;
    if (argc != 3)
        return RedisModule_WrongArity(ctx);
    if (!read_number(ctx, argv[2], &number))
        return REDISMODULE_OK;
    return start(ctx, increment, argv[1], number);
}

static void fired(RedisModuleCtx *ctx, void *data) {
    REDISMODULE_NOT_USED(ctx);
    ticks++;
    RedisModule_UnblockClient(data, (void *)(intptr_t)ticks);
}

static int answer_tick(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    void *tick = RedisModule_GetBlockedClientPrivateData(ctx);
    return RedisModule_ReplyWithLongLong(ctx, (intptr_t)tick);
}

static int threads_timer(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long milliseconds;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    if (!read_number(ctx, argv[1], &milliseconds))
        return REDISMODULE_OK;
    RedisModuleBlockedClient *client = RedisModule_BlockClient(ctx, answer_tick, NULL, NULL, 0);
    RedisModule_CreateTimer(ctx, milliseconds, fired, client);
    return REDISMODULE_OK;
}

static int time_is_up(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    return RedisModule_ReplyWithSimpleString(ctx, "time is up");
}

static int threads_wait(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long milliseconds;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    if (read_number(ctx, argv[1], &milliseconds))
        RedisModule_BlockClient(ctx, NULL, time_is_up, NULL, milliseconds);
    return REDISMODULE_OK;
}

static int threads_ticks(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    if (argc != 1)
        return RedisModule_WrongArity(ctx);
    return RedisModule_ReplyWithLongLong(ctx, ticks);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "threads", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR ||
        RedisModule_CreateCommand(ctx, "threads.sum", threads_sum, "blocking", 0, 0, 0) ||
        RedisModule_CreateCommand(ctx, "threads.incr", threads_incr, "write blocking", 1, 1, 1) ||
        RedisModule_CreateCommand(ctx, "threads.timer", threads_timer, "blocking", 0, 0, 0) ||
        RedisModule_CreateCommand(ctx, "threads.wait", threads_wait, "blocking", 0, 0, 0) ||
        RedisModule_CreateCommand(ctx, "threads.ticks", threads_ticks, "fast", 0, 0, 0))
        return REDISMODULE_ERR;
    return REDISMODULE_OK;
}
