/* blockapi.c - blocked clients, timers, threads and descriptors as a test sees them.
 *
 *     BLK.WAIT name ms how        blocks; letters of how: r reply, t timeout, f free, d disconnect callback, u: that
 *                                 one unblocks, m measures time, i replies at once as well
 *     BLK.UNBLOCK name value      from the command
 *     BLK.ABORT name
 *     BLK.THREAD name value lock  a thread replies with the value and unblocks; lock 1: replies with the lock held
 *     BLK.KEYS how ms key [key ..]  blocks for keys; d in how: also for keys that go
 *     BLK.PUSH key count          so many tokens, each serves one client that waits for the key
 *     BLK.TIMER name ms value     a timer unblocks
 *     BLK.TIMERS                  what creating, asking and stopping say
 *     BLK.ORDER name ms [ms ..]   timers; the client hears in which order they fired
 *     BLK.PIPE name               a descriptor that becomes readable unblocks; and what closing its other end gives
 *     BLK.FDS                     what is refused
 *     BLK.ONESHOT name            a thread hands a function to the event loop, which unblocks
 *     BLK.COUNT name threads times  threads increment one number with the lock held
 *     BLK.TRY name                a thread tries the lock until it has it
 *     BLK.CPUS                    a thread replies with how many CPUs it may use
 *     BLK.LOG                     callbacks that ran since, and forgets them
 */
#define _GNU_SOURCE
#include "redismodule.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES 64
#define LINES 256
#define TEXT 128
#define LINE (2 * TEXT)

struct waiting {
    char name[TEXT];
    RedisModuleBlockedClient *client;
    int unblocks; /* when it disconnects */
};

static struct waiting waiting[NAMES];
static char lines[LINES][LINE];
static int line_count;
static char token_key[NAMES][TEXT];
static long long tokens[NAMES];

static const char *text_of(RedisModuleString *s) {
    return RedisModule_StringPtrLen(s, NULL);
}

static void note(const char *what, const char *which) {
    if (line_count < LINES) snprintf(lines[line_count++], LINE, "%s %s", what, which);
}

static struct waiting *slot_of(RedisModuleBlockedClient *client) {
    for (int i = 0; i < NAMES; i++)
        if (waiting[i].client == client) return &waiting[i];
    return NULL;
}

static struct waiting *slot_named(RedisModuleString *name) {
    for (int i = 0; i < NAMES; i++)
        if (waiting[i].client != NULL && strcmp(waiting[i].name, text_of(name)) == 0) return &waiting[i];
    return NULL;
}

/* Steals what the name stands for. */
static RedisModuleBlockedClient *take(RedisModuleString *name) {
    struct waiting *w = slot_named(name);
    if (w == NULL) return NULL;
    RedisModuleBlockedClient *client = w->client;
    w->client = NULL;
    return client;
}

static struct waiting *keep(RedisModuleString *name, RedisModuleBlockedClient *client) {
    struct waiting *w = slot_of(NULL);
    if (w == NULL) abort();
    snprintf(w->name, TEXT, "%s", text_of(name));
    w->client = client;
    w->unblocks = 0;
    return w;
}

static char *copy(const char *text) {
    return RedisModule_Strdup(text);
}

/* ------------------------------------------------------------------ callbacks */

static int on_reply(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    const char *data = RedisModule_GetBlockedClientPrivateData(ctx);
    RedisModule_ReplyWithArray(ctx, 5);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedReplyRequest(ctx));
    RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedTimeoutRequest(ctx));
    RedisModule_ReplyWithCString(ctx, data == NULL ? "(none)" : data);
    RedisModule_ReplyWithLongLong(ctx, argc);
    RedisModule_ReplyWithString(ctx, argv[0]);
    return REDISMODULE_OK;
}

static int on_timeout(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argc);
    struct waiting *w = slot_of(RedisModule_GetBlockedClientHandle(ctx));
    note("timeout", w == NULL ? "(nobody)" : w->name);
    RedisModule_ReplyWithArray(ctx, 3);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedReplyRequest(ctx));
    RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedTimeoutRequest(ctx));
    RedisModule_ReplyWithString(ctx, argv[1]);
    return REDISMODULE_OK;
}

static void on_free(RedisModuleCtx *ctx, void *data) {
    note(RedisModule_BlockedClientDisconnected(ctx) ? "free-gone" : "free", data);
    RedisModule_Free(data);
}

static void on_disconnect(RedisModuleCtx *ctx, RedisModuleBlockedClient *client) {
    REDISMODULE_NOT_USED(ctx);
    struct waiting *w = slot_of(client);
    note("disconnect", w == NULL ? "(nobody)" : w->name);
    if (w == NULL || !w->unblocks) return;
    w->client = NULL;
    RedisModule_UnblockClient(client, copy("left"));
}

/* ------------------------------------------------------------------ waiting and being woken */

static int blk_wait(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long ms;
    if (argc != 4 || RedisModule_StringToLongLong(argv[2], &ms) != REDISMODULE_OK) return RedisModule_WrongArity(ctx);
    const char *how = text_of(argv[3]);
    RedisModuleBlockedClient *client =
        RedisModule_BlockClient(ctx, strchr(how, 'r') ? on_reply : NULL, strchr(how, 't') ? on_timeout : NULL,
                                strchr(how, 'f') ? on_free : NULL, ms);
    if (strchr(how, 'd')) RedisModule_SetDisconnectCallback(client, on_disconnect);
    struct waiting *w = keep(argv[1], client);
    w->unblocks = strchr(how, 'u') != NULL;
    if (strchr(how, 'm')) {
        char line[TEXT];
        int end = RedisModule_BlockedClientMeasureTimeEnd(client);
        int start = RedisModule_BlockedClientMeasureTimeStart(client);
        snprintf(line, sizeof line, "%d %d %d", end, start, RedisModule_BlockedClientMeasureTimeEnd(client));
        note("measure", line);
    }
    if (strchr(how, 'i')) RedisModule_ReplyWithSimpleString(ctx, "at once");
    return REDISMODULE_OK;
}

static int blk_unblock(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModuleBlockedClient *client = take(argv[1]);
    if (client == NULL) return RedisModule_ReplyWithError(ctx, "ERR nobody of that name");
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_UnblockClient(client, copy(text_of(argv[2]))));
}

static int blk_abort(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModuleBlockedClient *client = take(argv[1]);
    if (client == NULL) return RedisModule_ReplyWithError(ctx, "ERR nobody of that name");
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_AbortBlock(client));
}

struct work {
    RedisModuleBlockedClient *client;
    char text[TEXT];
    long long number, number2;
};

static void start(void *(*run)(void *), struct work *work) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, work) != 0) abort();
    pthread_detach(thread);
}

static struct work *new_work(RedisModuleBlockedClient *client, const char *text, long long number) {
    struct work *work = RedisModule_Calloc(1, sizeof *work);
    work->client = client;
    snprintf(work->text, TEXT, "%s", text);
    work->number = number;
    return work;
}

static void *reply_and_unblock(void *data) {
    struct work *work = data;
    RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(work->client);
    if (work->number) RedisModule_ThreadSafeContextLock(ctx);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithCString(ctx, work->text);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_IsBlockedReplyRequest(ctx));
    if (work->number) RedisModule_ThreadSafeContextUnlock(ctx);
    RedisModule_FreeThreadSafeContext(ctx);
    RedisModule_UnblockClient(work->client, NULL);
    RedisModule_Free(work);
    return NULL;
}

static int blk_thread(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long lock;
    if (argc != 4 || RedisModule_StringToLongLong(argv[3], &lock) != REDISMODULE_OK) return RedisModule_WrongArity(ctx);
    RedisModuleBlockedClient *client = take(argv[1]);
    if (client == NULL) return RedisModule_ReplyWithError(ctx, "ERR nobody of that name");
    start(reply_and_unblock, new_work(client, text_of(argv[2]), lock));
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

/* ------------------------------------------------------------------ keys */

static long long *tokens_of(const char *key) {
    for (int i = 0; i < NAMES; i++) {
        if (token_key[i][0] == '\0') snprintf(token_key[i], TEXT, "%s", key);
        if (strcmp(token_key[i], key) == 0) return &tokens[i];
    }
    abort();
}

static int on_key(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModuleString *key = RedisModule_GetBlockedClientReadyKey(ctx);
    const char *data = RedisModule_GetBlockedClientPrivateData(ctx);
    long long *left = tokens_of(text_of(key));
    note("key", text_of(key));
    if (*left == 0) return REDISMODULE_ERR;
    (*left)--;
    RedisModule_ReplyWithArray(ctx, 4);
    RedisModule_ReplyWithString(ctx, key);
    RedisModule_ReplyWithLongLong(ctx, argc);
    RedisModule_ReplyWithString(ctx, argv[2]);
    RedisModule_ReplyWithCString(ctx, data);
    return REDISMODULE_OK;
}

static int blk_keys(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long ms;
    if (argc < 4 || RedisModule_StringToLongLong(argv[2], &ms) != REDISMODULE_OK) return RedisModule_WrongArity(ctx);
    const char *how = text_of(argv[1]);
    RedisModuleCmdFunc timeout = strchr(how, 't') ? on_timeout : NULL;
    RedisModuleBlockedClient *client;
    if (strchr(how, 'd') && RedisModule_BlockClientOnKeysWithFlags != NULL) {
        client = RedisModule_BlockClientOnKeysWithFlags(ctx, on_key, timeout, on_free, ms, argv + 3, argc - 3,
                                                        copy("data"), REDISMODULE_BLOCK_UNBLOCK_DELETED);
    } else {
        client = RedisModule_BlockClientOnKeys(ctx, on_key, timeout, on_free, ms, argv + 3, argc - 3, copy("data"));
    }
    if (strchr(how, 'n')) keep(argv[3], client);
    return REDISMODULE_OK;
}

static int blk_push(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long count;
    if (argc != 3 || RedisModule_StringToLongLong(argv[2], &count) != REDISMODULE_OK)
        return RedisModule_WrongArity(ctx);
    *tokens_of(text_of(argv[1])) += count;
    RedisModule_SignalKeyAsReady(ctx, argv[1]);
    return RedisModule_ReplyWithLongLong(ctx, *tokens_of(text_of(argv[1])));
}

/* ------------------------------------------------------------------ timers */

static void fire(RedisModuleCtx *ctx, void *data) {
    REDISMODULE_NOT_USED(ctx);
    struct work *work = data;
    RedisModule_UnblockClient(work->client, copy(work->text));
    RedisModule_Free(work);
}

static int blk_timer(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long ms;
    if (argc != 4 || RedisModule_StringToLongLong(argv[2], &ms) != REDISMODULE_OK) return RedisModule_WrongArity(ctx);
    RedisModuleBlockedClient *client = RedisModule_BlockClient(ctx, on_reply, NULL, on_free, 0);
    RedisModule_CreateTimer(ctx, ms, fire, new_work(client, text_of(argv[3]), 0));
    return REDISMODULE_OK;
}

static int blk_timers(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    void *data = NULL;
    uint64_t left = 0;
    RedisModuleTimerID first = RedisModule_CreateTimer(ctx, 100000, fire, &left);
    RedisModuleTimerID second = RedisModule_CreateTimer(ctx, 100000, fire, &data);
    RedisModule_ReplyWithArray(ctx, 9);
    RedisModule_ReplyWithLongLong(ctx, first != second);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_GetTimerInfo(ctx, first, &left, &data));
    RedisModule_ReplyWithLongLong(ctx, left > 90000 && left <= 100000 && data == &left);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_GetTimerInfo(ctx, first, NULL, NULL));
    RedisModule_ReplyWithLongLong(ctx, RedisModule_StopTimer(ctx, second, &data));
    RedisModule_ReplyWithLongLong(ctx, data == &data);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_StopTimer(ctx, second, &data));
    RedisModule_ReplyWithLongLong(ctx, RedisModule_GetTimerInfo(ctx, second, &left, &data));
    RedisModule_ReplyWithLongLong(ctx, RedisModule_StopTimer(ctx, first, NULL));
    return REDISMODULE_OK;
}

struct order {
    RedisModuleBlockedClient *client;
    int left;
    char fired[TEXT];
};

struct one_of {
    struct order *order;
    int number;
};

static void fire_in_order(RedisModuleCtx *ctx, void *data) {
    REDISMODULE_NOT_USED(ctx);
    struct one_of *one = data;
    struct order *order = one->order;
    size_t at = strlen(order->fired);
    snprintf(order->fired + at, TEXT - at, "%d ", one->number);
    RedisModule_Free(one);
    if (--order->left != 0) return;
    RedisModule_UnblockClient(order->client, copy(order->fired));
    RedisModule_Free(order);
}

static int blk_order(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    struct order *order = RedisModule_Calloc(1, sizeof *order);
    order->client = RedisModule_BlockClient(ctx, on_reply, NULL, on_free, 0);
    order->left = argc - 2;
    for (int i = 2; i < argc; i++) {
        long long ms;
        if (RedisModule_StringToLongLong(argv[i], &ms) != REDISMODULE_OK) abort();
        struct one_of *one = RedisModule_Alloc(sizeof *one);
        *one = (struct one_of){order, i - 2};
        RedisModule_CreateTimer(ctx, ms, fire_in_order, one);
    }
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ descriptors and one-shots */

struct pipes {
    RedisModuleBlockedClient *client;
    int ends[2];
    int reads;
    char seen[TEXT];
};

static void on_readable(int fd, void *data, int mask) {
    struct pipes *p = data;
    char byte;
    ssize_t got = read(fd, &byte, 1);
    size_t at = strlen(p->seen);
    snprintf(p->seen + at, TEXT - at, "%d/%zd ", mask, got);
    p->reads++;
    if (p->reads == 1) RedisModule_EventLoopDel(p->ends[1], REDISMODULE_EVENTLOOP_WRITABLE);
    if (p->reads == 2) close(p->ends[1]);
    if (got != 0) return;
    RedisModule_EventLoopDel(fd, REDISMODULE_EVENTLOOP_READABLE);
    close(fd);
    RedisModule_UnblockClient(p->client, copy(p->seen));
    RedisModule_Free(p);
}

static void on_writable(int fd, void *data, int mask) {
    struct pipes *p = data;
    size_t at = strlen(p->seen);
    snprintf(p->seen + at, TEXT - at, "w%d ", mask);
    if (write(fd, "ab", 2) != 2) abort();
    RedisModule_EventLoopDel(fd, REDISMODULE_EVENTLOOP_WRITABLE);
}

static int blk_pipe(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    struct pipes *p = RedisModule_Calloc(1, sizeof *p);
    if (pipe(p->ends) != 0) abort();
    p->client = RedisModule_BlockClient(ctx, on_reply, NULL, on_free, 0);
    RedisModule_EventLoopAdd(p->ends[0], REDISMODULE_EVENTLOOP_READABLE, on_readable, p);
    RedisModule_EventLoopAdd(p->ends[1], REDISMODULE_EVENTLOOP_WRITABLE, on_writable, p);
    return REDISMODULE_OK;
}

static void reply_errno(RedisModuleCtx *ctx, int result) {
    RedisModule_ReplyWithLongLong(ctx, result == REDISMODULE_OK ? 0 : errno);
}

static int blk_fds(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    RedisModule_ReplyWithArray(ctx, 8);
    reply_errno(ctx, RedisModule_EventLoopAdd(-1, REDISMODULE_EVENTLOOP_READABLE, on_readable, NULL));
    reply_errno(ctx, RedisModule_EventLoopAdd(1 << 24, REDISMODULE_EVENTLOOP_READABLE, on_readable, NULL));
    reply_errno(ctx, RedisModule_EventLoopAdd(900, 4, on_readable, NULL));
    reply_errno(ctx, RedisModule_EventLoopAdd(900, REDISMODULE_EVENTLOOP_READABLE, NULL, NULL));
    reply_errno(ctx, RedisModule_EventLoopAdd(900, REDISMODULE_EVENTLOOP_READABLE, on_readable, NULL));
    reply_errno(ctx, RedisModule_EventLoopDel(-1, REDISMODULE_EVENTLOOP_READABLE));
    reply_errno(ctx, RedisModule_EventLoopDel(900, 8));
    reply_errno(ctx, RedisModule_EventLoopAddOneShot(NULL, NULL));
    return REDISMODULE_OK;
}

static void once(void *data) {
    RedisModule_UnblockClient(data, copy("once"));
}

static void *hand_over(void *data) {
    struct work *work = data;
    RedisModule_EventLoopAddOneShot(once, work->client);
    RedisModule_Free(work);
    return NULL;
}

static int blk_oneshot(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    start(hand_over, new_work(RedisModule_BlockClient(ctx, on_reply, NULL, on_free, 0), "", 0));
    return REDISMODULE_OK;
}

static void *count_cpus(void *data) {
    struct work *work = data;
    cpu_set_t set;
    RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(work->client);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) abort();
    RedisModule_ReplyWithLongLong(ctx, CPU_COUNT(&set));
    RedisModule_FreeThreadSafeContext(ctx);
    RedisModule_UnblockClient(work->client, NULL);
    RedisModule_Free(work);
    return NULL;
}

static int blk_cpus(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    start(count_cpus, new_work(RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0), "", 0));
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ the lock */

static long long counter; /* with the lock */
static _Atomic int inside;

struct crowd {
    RedisModuleBlockedClient *client;
    long long times;
    _Atomic int left;
    _Atomic int together;
};

static void *count_up(void *data) {
    struct crowd *crowd = data;
    RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(crowd->client);
    for (long long i = 0; i < crowd->times; i++) {
        RedisModule_ThreadSafeContextLock(ctx);
        if (inside++ != 0) crowd->together = 1;
        long long was = counter;
        counter = was + 1;
        inside--;
        RedisModule_ThreadSafeContextUnlock(ctx);
    }
    RedisModule_FreeThreadSafeContext(ctx);
    if (--crowd->left != 0) return NULL;
    RedisModule_UnblockClient(crowd->client, copy(crowd->together ? "together" : "apart"));
    RedisModule_Free(crowd);
    return NULL;
}

static int blk_count(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    long long threads, times;
    if (argc != 3 || RedisModule_StringToLongLong(argv[1], &threads) != REDISMODULE_OK ||
        RedisModule_StringToLongLong(argv[2], &times) != REDISMODULE_OK)
        return RedisModule_WrongArity(ctx);
    RedisModule_FreeThreadSafeContext(RedisModule_GetDetachedThreadSafeContext(ctx));
    struct crowd *crowd = RedisModule_Calloc(1, sizeof *crowd);
    crowd->client = RedisModule_BlockClient(ctx, on_reply, NULL, on_free, 0);
    crowd->times = times;
    crowd->left = (int)threads;
    for (long long i = 0; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, count_up, crowd) != 0) abort();
        pthread_detach(thread);
    }
    return REDISMODULE_OK;
}

static int blk_counted(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    RedisModule_ReplyWithLongLong(ctx, inside != 0 ? -1 : counter);
    return REDISMODULE_OK;
}

static void *try_lock(void *data) {
    struct work *work = data;
    RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(work->client);
    while (RedisModule_ThreadSafeContextTryLock(ctx) != REDISMODULE_OK)
        if (errno != EBUSY) abort();
    RedisModule_ReplyWithLongLong(ctx, ++counter);
    RedisModule_ThreadSafeContextUnlock(ctx);
    RedisModule_FreeThreadSafeContext(ctx);
    RedisModule_UnblockClient(work->client, NULL);
    RedisModule_Free(work);
    return NULL;
}

static int blk_try(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    start(try_lock, new_work(RedisModule_BlockClient(ctx, NULL, NULL, NULL, 0), "", 0));
    return REDISMODULE_OK;
}

static int blk_log(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    RedisModule_ReplyWithArray(ctx, line_count);
    for (int i = 0; i < line_count; i++) RedisModule_ReplyWithCString(ctx, lines[i]);
    line_count = 0;
    return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    static const struct {
        const char *name;
        RedisModuleCmdFunc run;
    } commands[] = {
        {"blk.wait", blk_wait}, {"blk.unblock", blk_unblock}, {"blk.abort", blk_abort},
        {"blk.thread", blk_thread}, {"blk.keys", blk_keys}, {"blk.push", blk_push},
        {"blk.timer", blk_timer}, {"blk.timers", blk_timers}, {"blk.order", blk_order},
        {"blk.pipe", blk_pipe}, {"blk.fds", blk_fds}, {"blk.oneshot", blk_oneshot},
        {"blk.count", blk_count}, {"blk.try", blk_try}, {"blk.log", blk_log},
        {"blk.counted", blk_counted}, {"blk.cpus", blk_cpus},
    };
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "blockapi", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, "", 0, 0, 0) == REDISMODULE_ERR)
            return REDISMODULE_ERR;
    return REDISMODULE_OK;
}
