/* digest.c - a data type whose digest is made of the pieces that its values are.
 *
 *     DIGEST.SET key piece...     text, :number, / ends a sequence, @ the key's name and database
 */
#include "redismodule.h"

struct pieces {
    int count;
    RedisModuleString *all[];
};

static RedisModuleType *pieces_type;

static void pieces_free(void *value) {
    struct pieces *pieces = value;
    for (int i = 0; i < pieces->count; i++) RedisModule_FreeString(NULL, pieces->all[i]);
    RedisModule_Free(pieces);
}

static void pieces_digest(RedisModuleDigest *md, void *value) {
    struct pieces *pieces = value;
    for (int i = 0; i < pieces->count; i++) {
        size_t length;
        const char *p = RedisModule_StringPtrLen(pieces->all[i], &length);
        if (length == 1 && p[0] == '/') {
            RedisModule_DigestEndSequence(md);
        } else if (length == 1 && p[0] == '@') {
            p = RedisModule_StringPtrLen(RedisModule_GetKeyNameFromDigest(md), &length);
            RedisModule_DigestAddStringBuffer(md, p, length);
            RedisModule_DigestAddLongLong(md, RedisModule_GetDbIdFromDigest(md));
        } else if (length > 1 && p[0] == ':') {
            RedisModule_DigestAddLongLong(md, strtoll(p + 1, NULL, 10));
        } else {
            RedisModule_DigestAddStringBuffer(md, p, length);
        }
    }
}

static int digest_command(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (argc < 2) return RedisModule_WrongArity(ctx);
    struct pieces *pieces = RedisModule_Alloc(sizeof(*pieces) + (size_t)argc * sizeof(RedisModuleString *));
    pieces->count = argc - 2;
    for (int i = 0; i < pieces->count; i++) pieces->all[i] = RedisModule_CreateStringFromString(NULL, argv[i + 2]);
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_WRITE);
    RedisModule_ModuleTypeSetValue(key, pieces_type, pieces);
    RedisModule_CloseKey(key);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    if (RedisModule_Init(ctx, "digest", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    RedisModuleTypeMethods methods = {
        .version = REDISMODULE_TYPE_METHOD_VERSION, .free = pieces_free, .digest = pieces_digest};
    pieces_type = RedisModule_CreateDataType(ctx, "tr-pieces", 0, &methods);
    if (pieces_type == NULL) return REDISMODULE_ERR;
    return RedisModule_CreateCommand(ctx, "digest.set", digest_command, "write", 1, 1, 1);
}
