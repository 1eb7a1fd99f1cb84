/* events.c - a module that hears of what happens in the server, and hides an argument.
 *
 *   events.seen           what happened since the last time, one word for each event
 *   events.cron           1 when the clockwork of the server has been heard of
 *   events.hide N ARG ... hides the argument at this position
 */
#include <stdio.h>
#include <string.h>

#include "redismodule.h"

#define UNUSED(x) (void)(x)
#define SEEN_MAX 4096

typedef RedisModuleString **args;

static char seen[SEEN_MAX];
static int cron;

static void note(const char *text) {
    size_t len = strlen(seen);
    snprintf(seen + len, sizeof seen - len, "%s ", text);
}

static void flushed(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    const RedisModuleFlushInfo *info = data;
    char text[64];
    UNUSED(ctx);
    snprintf(text, sizeof text, "flush-%d:%d:%d:%d", (int)sub, (int)info->version, info->sync, info->dbnum);
    note(text);
    UNUSED(e);
}

static void swapped(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    const RedisModuleSwapDbInfo *info = data;
    char text[64];
    UNUSED(ctx);
    UNUSED(e);
    snprintf(text, sizeof text, "swap-%d:%d:%d", (int)sub, info->dbnum_first, info->dbnum_second);
    note(text);
}

static void clients(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    const RedisModuleClientInfo *info = data;
    char text[128];
    UNUSED(e);
    snprintf(text, sizeof text, "client-%d:%s:%d:%d:%d", (int)sub, info->addr, info->port != 0, info->db,
             RedisModule_GetClientId(ctx) == info->id);
    note(text);
}

static void configured(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    const RedisModuleConfigChange *info = data;
    char text[256];
    UNUSED(ctx);
    UNUSED(e);
    snprintf(text, sizeof text, "config-%d:%d", (int)sub, (int)info->num_changes);
    note(text);
    for (uint32_t i = 0; i < info->num_changes; i++) note(info->config_names[i]);
}

static void modules(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    const RedisModuleModuleChange *info = data;
    char text[128];
    UNUSED(ctx);
    UNUSED(e);
    snprintf(text, sizeof text, "module-%d:%s:%d", (int)sub, info->module_name, info->module_version);
    note(text);
}

static void ticks(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    UNUSED(ctx);
    UNUSED(e);
    UNUSED(sub);
    cron = ((RedisModuleCronLoop *)data)->hz > 0;
}

static void ends(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    UNUSED(e);
    UNUSED(data);
    RedisModule_Log(ctx, "warning", "heard of the shutdown: %d", (int)sub);
}

static void keys(RedisModuleCtx *ctx, RedisModuleEvent e, uint64_t sub, void *data) {
    const RedisModuleKeyInfo *info = data;
    char text[128];
    UNUSED(ctx);
    UNUSED(e);
    const RedisModuleString *name = RedisModule_GetKeyNameFromModuleKey(info->key);
    snprintf(text, sizeof text, "key-%d:%s", (int)sub, name == NULL ? "" : RedisModule_StringPtrLen(name, NULL));
    note(text);
}

static int show_seen(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithCString(ctx, seen);
    seen[0] = '\0';
    return REDISMODULE_OK;
}

static int show_cron(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    return RedisModule_ReplyWithLongLong(ctx, cron);
}

static int hide(RedisModuleCtx *ctx, args argv, int argc) {
    long long position;
    if (argc < 2 || RedisModule_StringToLongLong(argv[1], &position) != REDISMODULE_OK)
        return RedisModule_WrongArity(ctx);
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_RedactClientCommandArgument(ctx, (int)position));
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    if (RedisModule_Init(ctx, "events", 3, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    if (RedisModule_CreateCommand(ctx, "events.seen", show_seen, "", 0, 0, 0) != REDISMODULE_OK ||
        RedisModule_CreateCommand(ctx, "events.cron", show_cron, "", 0, 0, 0) != REDISMODULE_OK ||
        RedisModule_CreateCommand(ctx, "events.hide", hide, "", 0, 0, 0) != REDISMODULE_OK) {
        return REDISMODULE_ERR;
    }
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_FlushDB, flushed);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_SwapDB, swapped);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_ClientChange, clients);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Config, configured);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_ModuleChange, modules);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_CronLoop, ticks);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Shutdown, ends);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Persistence, modules);
    RedisModule_SubscribeToServerEvent(ctx, RedisModuleEvent_Key, keys); /* stock 7.0 has none */
    return REDISMODULE_OK;
}
