/* ending.c - a module whose process ends in ways that leave no record, or does not end and should, for tests.
 *
 *     EN.SIGNAL number   sends that signal to itself, with its default action
 *     EN.LEAVE status    leaves by system call
 *     EN.THREAD how      ends the thread that serves, by "libc" or by "call"
 *     EN.SHUT            closes all descriptors: OK
 *     EN.FINE            OK
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "redismodule.h"

static long long number_of(RedisModuleString *text) {
    long long n = 0;
    RedisModule_StringToLongLong(text, &n);
    return n;
}

static int signal_self(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    int number = (int)number_of(argv[1]);
    signal(number, SIG_DFL);
    raise(number);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int leave(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    syscall(SYS_exit_group, (int)number_of(argv[1]));
    return REDISMODULE_OK;
}

static int end_thread(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc != 2) return RedisModule_WrongArity(ctx);
    if (strcmp(RedisModule_StringPtrLen(argv[1], NULL), "libc") == 0) pthread_exit(NULL);
    syscall(SYS_exit, 0);
    return REDISMODULE_OK;
}

static int shut(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    for (long fd = 0, end = sysconf(_SC_OPEN_MAX); fd < end; fd++) close((int)fd);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static int fine(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "ending", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    struct {
        const char *name;
        RedisModuleCmdFunc run;
    } commands[] = {{"en.signal", signal_self},
                    {"en.leave", leave},
                    {"en.thread", end_thread},
                    {"en.shut", shut},
                    {"en.fine", fine}};
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, "", 0, 0, 0) != REDISMODULE_OK)
            return REDISMODULE_ERR;
    }
    return REDISMODULE_OK;
}
