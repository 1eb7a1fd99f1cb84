/* hello.c - the smallest useful module: one command, which answers with a random number.
 *
 *     redis-cli HELLOMODULE.RAND
 */
#include "redismodule.h"

static int hello_rand(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    if (argc != 1)
        return RedisModule_WrongArity(ctx);
    return RedisModule_ReplyWithLongLong(ctx, rand());
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "hellomodule", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR)
        return REDISMODULE_ERR;
    return RedisModule_CreateCommand(ctx, "hellomodule.rand", hello_rand, "fast random", 0, 0, 0);
}
