/* A source that uses every kind of thing that redismodule.h has: it must compile without a warning as C and as C++, and
 * two files of one module may include the header. */
#include "redismodule.h"

#include <string.h>

#ifdef __cplusplus
#define ENTRY extern "C"
#else
#define ENTRY
#endif

static int answer(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    RedisModule_Assert(argc > 0);
    RedisModuleClientInfo info = REDISMODULE_CLIENTINFO_INITIALIZER_V1;
    if (RedisModule_IsAOFClient(RedisModule_GetClientId(ctx)))
        return RedisModule_ReplyWithNull(ctx);
    if (RedisModule_GetClientInfoById(&info, RedisModule_GetClientId(ctx)) != REDISMODULE_OK)
        return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
    RedisModule_Log(ctx, REDISMODULE_LOGLEVEL_DEBUG, "%s %d", info.addr, info.port);
    if (RMAPI_FUNC_SUPPORTED(RedisModule_ReplyWithErrorFormat) && info.db > 9)
        return RedisModule_ReplyWithErrorFormat(ctx, "ERR database %d", info.db);
    return RedisModule_ReplyWithDouble(ctx, argc == 1 ? REDISMODULE_POSITIVE_INFINITE
                                                      : REDISMODULE_NEGATIVE_INFINITE);
}

static void note_event(RedisModuleCtx *ctx, RedisModuleEvent event, uint64_t subevent, void *data) {
    REDISMODULE_NOT_USED(ctx);
    REDISMODULE_NOT_USED(event);
    REDISMODULE_NOT_USED(subevent);
    RedisModuleFlushInfo *flush = (RedisModuleFlushInfo *)data;
    REDISMODULE_NOT_USED(flush->dbnum);
}

static void describe(RedisModuleCtx *ctx) {
    RedisModuleCommandArg args[2];
    RedisModuleCommandInfo info;
    memset(args, 0, sizeof(args));
    memset(&info, 0, sizeof(info));
    args[0].name = "key";
    args[0].type = REDISMODULE_ARG_TYPE_KEY;
    info.version = REDISMODULE_COMMAND_INFO_VERSION;
    info.args = args;
    RedisModule_SetCommandInfo(RedisModule_GetCommand(ctx, "use.header"), &info);
}

ENTRY int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
ENTRY int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "use", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR ||
        RedisModule_CreateCommand(ctx, "use.header", answer, "readonly", 0, 0, 0) == REDISMODULE_ERR)
        return REDISMODULE_ERR;
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_FlushDB, note_event);
    describe(ctx);
    return REDISMODULE_OK;
}
