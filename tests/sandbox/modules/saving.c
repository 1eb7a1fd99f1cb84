/* saving.c - a data type whose values are saved in any way that goes wrong, for tests of checkpoints.
 *
 *     SV.FILL key string   adds one to the value, which has these bytes then; answers the number
 *     SV.GET key           the number, and what saved it last, as it was loaded: 0 nothing yet, 1 the process that
 *                          served commands then, 2 another
 *     SV.MODE how          what a process that serves no commands does when it saves: "well", "null", "abort", "exit",
 *                          "exit-now", "loop", "leave" (by system call), "ask", "assert", "log", "wait" (for SV.GO);
 *                          "slow": any process takes its time for each value
 *     SV.FULL              opens files until it may not open more: a pipe to a child can't be made either; how many
 *     SV.SAVERS            how many processes have begun to save, besides those that serve commands
 *     SV.PARENT            the parent of the one that began last, as it saw it: 1 it was the process that serves
 *     SV.GO                lets those that wait go on
 *     SV.FORK how          "fork", "_Fork", "daemon", "thread", "vfork", "spawn": the errno, 0 for none
 *     SV.CHILD             forks a process that sleeps forever; its id
 *     SV.DIE               writes to a null pointer
 *
 * The module's argument is the mode at first. "always": any process dies as it saves.
 */
#define _GNU_SOURCE /* _Fork */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "redismodule.h"

struct value {
    long long n;
    long long saved_by;
    size_t length;
    char *bytes;
};

/* Of this process and its children. */
struct shared {
    _Atomic int savers, parent_known, go;
};

static RedisModuleType *type;
static struct shared *shared;
static volatile pid_t home;
static char mode[16] = "well";
static volatile int *volatile nowhere;

static void wait_for_go(void) {
    struct timespec little = {.tv_nsec = 1000000};
    while (!atomic_load(&shared->go)) nanosleep(&little, NULL);
}

static int is(const char *how) {
    return strcmp(mode, how) == 0;
}

static void go_wrong(RedisModuleIO *io) {
    if (is("null")) *nowhere = 1;
    if (is("abort")) abort();
    if (is("exit")) exit(3);
    if (is("exit-now")) _exit(4);
    if (is("leave")) syscall(SYS_exit_group, 5);
    if (is("assert")) RedisModule__Assert("one == two", __FILE__, __LINE__);
    if (is("log")) RedisModule_LogIOError(io, "warning", "a line of the child's");
    if (is("wait")) wait_for_go();
    if (is("ask")) {
        RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(NULL);
        RedisModuleString *name = RedisModule_CreateString(NULL, "key", 3);
        RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
    }
    while (is("loop")) continue;
}

static void save(RedisModuleIO *io, void *p) {
    struct timespec long_time = {.tv_nsec = 60000000};
    if (is("always")) *nowhere = 1;
    if (is("slow")) nanosleep(&long_time, NULL);
    static pid_t known;
    const struct value *v = p;
    int elsewhere = getpid() != home;
    if (elsewhere && known != getpid()) {
        known = getpid();
        atomic_store(&shared->parent_known, getppid() == home);
        atomic_fetch_add(&shared->savers, 1);
        go_wrong(io);
    }
    RedisModule_SaveSigned(io, v->n);
    RedisModule_SaveSigned(io, 1 + elsewhere);
    RedisModule_SaveStringBuffer(io, v->bytes, v->length);
}

static void *load(RedisModuleIO *io, int encoding) {
    struct value *v = RedisModule_Calloc(1, sizeof(*v));
    REDISMODULE_NOT_USED(encoding);
    v->n = RedisModule_LoadSigned(io);
    v->saved_by = RedisModule_LoadSigned(io);
    v->bytes = RedisModule_LoadStringBuffer(io, &v->length);
    return v;
}

static void give_back(void *p) {
    struct value *v = p;
    RedisModule_Free(v->bytes);
    RedisModule_Free(v);
}

static int fill(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    size_t length;
    const char *bytes = RedisModule_StringPtrLen(argv[2], &length);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    struct value *v = RedisModule_ModuleTypeGetValue(key);
    if (v == NULL) {
        v = RedisModule_Calloc(1, sizeof(*v));
        RedisModule_ModuleTypeSetValue(key, type, v);
    }
    v->bytes = RedisModule_Realloc(v->bytes, length + 1);
    v->length = length;
    memcpy(v->bytes, bytes, length);
    v->n++;
    RedisModule_CloseKey(key);
    RedisModule_ReplicateVerbatim(ctx);
    return RedisModule_ReplyWithLongLong(ctx, v->n);
}

static int get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ);
    struct value *v = RedisModule_ModuleTypeGetValue(key);
    if (v == NULL) return RedisModule_ReplyWithNull(ctx);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithLongLong(ctx, v->n);
    RedisModule_ReplyWithLongLong(ctx, v->saved_by);
    RedisModule_CloseKey(key);
    return REDISMODULE_OK;
}

static int take_mode(RedisModuleString *given) {
    size_t len;
    const char *how = RedisModule_StringPtrLen(given, &len);
    if (len >= sizeof(mode)) return 0;
    memcpy(mode, how, len + 1);
    return 1;
}

static int set_mode(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    if (!take_mode(argv[1])) return RedisModule_ReplyWithError(ctx, "ERR no such mode");
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int savers(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    return RedisModule_ReplyWithLongLong(ctx, atomic_load(&shared->savers));
}

static int parent(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    return RedisModule_ReplyWithLongLong(ctx, atomic_load(&shared->parent_known));
}

static int go(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    atomic_store(&shared->go, 1);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int leave_or_errno(pid_t child) {
    if (child == 0) syscall(SYS_exit_group, 0);
    return child < 0 ? errno : 0;
}

static void *in_thread(void *got) {
    *(int *)got = leave_or_errno(fork());
    return NULL;
}

static int do_fork(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    int got = -1;
    if (argc != 2) return RedisModule_WrongArity(ctx);
    const char *how = RedisModule_StringPtrLen(argv[1], NULL);
    if (strcmp(how, "fork") == 0) got = leave_or_errno(fork());
    if (strcmp(how, "_Fork") == 0) got = leave_or_errno(_Fork());
    if (strcmp(how, "daemon") == 0) got = daemon(1, 1) == 0 ? 0 : errno;
    if (strcmp(how, "spawn") == 0) {
        char *words[] = {"/bin/true", NULL};
        got = posix_spawn(&(pid_t){0}, words[0], NULL, NULL, words, NULL);
    }
    if (strcmp(how, "vfork") == 0) {
        pid_t child = vfork();
        if (child == 0) _exit(0);
        got = child < 0 ? errno : 0;
    }
    if (strcmp(how, "thread") == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, in_thread, &got) == 0) pthread_join(thread, NULL);
    }
    return RedisModule_ReplyWithLongLong(ctx, got);
}

static int child(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    pid_t pid = fork();
    while (pid == 0) pause();
    return RedisModule_ReplyWithLongLong(ctx, pid);
}

static int full(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    int count = 0;
    while (dup(STDERR_FILENO) >= 0) count++;
    return RedisModule_ReplyWithLongLong(ctx, count);
}

static int die(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(ctx);
    REDISMODULE_NOT_USED(argv);
    *nowhere = argc;
    return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModuleTypeMethods methods = {
        .version = REDISMODULE_TYPE_METHOD_VERSION, .rdb_save = save, .rdb_load = load, .free = give_back};
    struct {
        const char *name;
        RedisModuleCmdFunc run;
        const char *flags;
        int key;
    } commands[] = {
        {"sv.fill", fill, "write deny-oom", 1}, {"sv.get", get, "readonly", 1}, {"sv.mode", set_mode, "", 0},
        {"sv.savers", savers, "", 0},           {"sv.parent", parent, "", 0},   {"sv.go", go, "", 0},
        {"sv.fork", do_fork, "", 0},            {"sv.child", child, "", 0},     {"sv.die", die, "", 0},
        {"sv.full", full, "", 0},
    };
    if (RedisModule_Init(ctx, "saving", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    home = getpid();
    if (argc == 1) take_mode(argv[0]);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return REDISMODULE_ERR;
    type = RedisModule_CreateDataType(ctx, "saving-tp", 1, &methods);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        int key = commands[i].key;
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, commands[i].flags, key, key, key) !=
            REDISMODULE_OK)
            return REDISMODULE_ERR;
    }
    return type == NULL ? REDISMODULE_ERR : REDISMODULE_OK;
}
