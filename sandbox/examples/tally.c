/* tally.c - a data type of its own: how often each word was counted.
 *
 *     TALLY.ADD key word [by]     counts; answers the new number
 *     TALLY.GET key word          the number, 0 for a word that was never counted
 *     TALLY.ALL key               all words with their numbers, in order: a map
 *
 * A value is a dictionary whose pointers are the numbers themselves. The type has all callbacks
 * that make it at home in the server: saved, loaded, rewritten, copied, measured, compared, freed.
 */
#include "redismodule.h"

#define TALLY_ENCODING 0

struct tally {
    RedisModuleDict *words; /* word -> (void *) number */
    size_t bytes;           /* of the words, for MEMORY USAGE */
};

/* The type, as the server knows it. It has no other place: callbacks get no context. */
static RedisModuleType *tally_type;

static struct tally *tally_new(void) {
    struct tally *tally = RedisModule_Alloc(sizeof(*tally));
    tally->words = RedisModule_CreateDict(NULL);
    tally->bytes = 0;
    return tally;
}

static void tally_free(void *value) {
    struct tally *tally = value;
    RedisModule_FreeDict(NULL, tally->words);
    RedisModule_Free(tally);
}

static long long tally_count(struct tally *tally, const char *word, size_t length, long long by) {
    long long old = (intptr_t)RedisModule_DictGetC(tally->words, (void *)word, length, NULL);
    void *number = (void *)(intptr_t)(old + by);
    if (RedisModule_DictSetC(tally->words, (void *)word, length, number) == REDISMODULE_OK)
        tally->bytes += length;
    else
        RedisModule_DictReplaceC(tally->words, (void *)word, length, number);
    return old + by;
}

static void tally_save(RedisModuleIO *rdb, void *value) {
    struct tally *tally = value;
    size_t length;
    void *number;
    const char *word;
    RedisModule_SaveUnsigned(rdb, RedisModule_DictSize(tally->words));
    RedisModuleDictIter *iterator = RedisModule_DictIteratorStartC(tally->words, "^", NULL, 0);
    while ((word = RedisModule_DictNextC(iterator, &length, &number)) != NULL) {
        RedisModule_SaveStringBuffer(rdb, word, length);
        RedisModule_SaveSigned(rdb, (intptr_t)number);
    }
    RedisModule_DictIteratorStop(iterator);
}

static void *tally_load(RedisModuleIO *rdb, int encoding) {
    if (encoding != TALLY_ENCODING)
        return NULL;
    struct tally *tally = tally_new();
    for (uint64_t left = RedisModule_LoadUnsigned(rdb); left > 0; left--) {
        size_t length;
        char *word = RedisModule_LoadStringBuffer(rdb, &length);
        int64_t number = word == NULL ? 0 : RedisModule_LoadSigned(rdb);
        if (RedisModule_IsIOError(rdb)) {
            RedisModule_Free(word);
            tally_free(tally);
            return NULL;
        }
        tally_count(tally, word, length, number);
        RedisModule_Free(word);
    }
    return tally;
}

static void tally_rewrite(RedisModuleIO *aof, RedisModuleString *key, void *value) {
    struct tally *tally = value;
    size_t length;
    void *number;
    const char *word;
    RedisModuleDictIter *iterator = RedisModule_DictIteratorStartC(tally->words, "^", NULL, 0);
    while ((word = RedisModule_DictNextC(iterator, &length, &number)) != NULL)
        RedisModule_EmitAOF(aof, "TALLY.ADD", "sbl", key, word, length,
                            (long long)(intptr_t)number);
    RedisModule_DictIteratorStop(iterator);
}

static void tally_digest(RedisModuleDigest *digest, void *value) {
    struct tally *tally = value;
    size_t length;
    void *number;
    const char *word;
    RedisModuleDictIter *iterator = RedisModule_DictIteratorStartC(tally->words, "^", NULL, 0);
    while ((word = RedisModule_DictNextC(iterator, &length, &number)) != NULL) {
        RedisModule_DigestAddStringBuffer(digest, word, length);
        RedisModule_DigestAddLongLong(digest, (intptr_t)number);
        RedisModule_DigestEndSequence(digest);
    }
    RedisModule_DictIteratorStop(iterator);
}

static void *tally_copy(RedisModuleString *from, RedisModuleString *to, const void *value) {
    const struct tally *old = value;
    struct tally *tally = tally_new();
    size_t length;
    void *number;
    const char *word;
    REDISMODULE_NOT_USED(from);
    REDISMODULE_NOT_USED(to);
    RedisModuleDictIter *iterator = RedisModule_DictIteratorStartC(old->words, "^", NULL, 0);
    while ((word = RedisModule_DictNextC(iterator, &length, &number)) != NULL)
        tally_count(tally, word, length, (intptr_t)number);
    RedisModule_DictIteratorStop(iterator);
    return tally;
}

static size_t tally_memory(const void *value) {
    const struct tally *tally = value;
    size_t words = RedisModule_DictSize(tally->words);
    return sizeof(*tally) + tally->bytes + words * 2 * sizeof(void *);
}

static size_t tally_free_effort(RedisModuleString *key, const void *value) {
    const struct tally *tally = value;
    REDISMODULE_NOT_USED(key);
    return RedisModule_DictSize(tally->words);
}

/* Opens the key; answers the error and returns 0 when it holds something else. */
static int open_tally(RedisModuleCtx *ctx, RedisModuleString *name, int mode,
                      RedisModuleKey **key) {
    RedisModule_AutoMemory(ctx);
    *key = RedisModule_OpenKey(ctx, name, mode);
    if (RedisModule_KeyType(*key) == REDISMODULE_KEYTYPE_EMPTY ||
        RedisModule_ModuleTypeGetType(*key) == tally_type)
        return 1;
    RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
    return 0;
}

static int cmd_add(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModuleKey *key;
    long long by = 1;
    size_t length;
    if (argc != 3 && argc != 4)
        return RedisModule_WrongArity(ctx);
    if (argc == 4 && RedisModule_StringToLongLong(argv[3], &by) != REDISMODULE_OK)
        return RedisModule_ReplyWithError(ctx, "ERR the third argument must be a number");
    if (!open_tally(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE, &key))
        return REDISMODULE_OK;
    struct tally *tally = RedisModule_ModuleTypeGetValue(key);
    if (tally == NULL) {
        tally = tally_new();
        RedisModule_ModuleTypeSetValue(key, tally_type, tally);
    }
    const char *word = RedisModule_StringPtrLen(argv[2], &length);
    long long number = tally_count(tally, word, length, by);
    RedisModule_ReplicateVerbatim(ctx);
    RedisModule_NotifyKeyspaceEvent(ctx, REDISMODULE_NOTIFY_MODULE, "tally.add", argv[1]);
    return RedisModule_ReplyWithLongLong(ctx, number);
}

static int cmd_get(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModuleKey *key;
    void *number = NULL;
    if (argc != 3)
        return RedisModule_WrongArity(ctx);
    if (!open_tally(ctx, argv[1], REDISMODULE_READ, &key))
        return REDISMODULE_OK;
    if (key != NULL) {
        struct tally *tally = RedisModule_ModuleTypeGetValue(key);
        number = RedisModule_DictGet(tally->words, argv[2], NULL);
    }
    return RedisModule_ReplyWithLongLong(ctx, (intptr_t)number);
}

static int cmd_all(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModuleKey *key;
    size_t length;
    void *number;
    const char *word;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    if (!open_tally(ctx, argv[1], REDISMODULE_READ, &key))
        return REDISMODULE_OK;
    if (key == NULL)
        return RedisModule_ReplyWithMap(ctx, 0);
    struct tally *tally = RedisModule_ModuleTypeGetValue(key);
    RedisModule_ReplyWithMap(ctx, (long)RedisModule_DictSize(tally->words));
    RedisModuleDictIter *iterator = RedisModule_DictIteratorStartC(tally->words, "^", NULL, 0);
    while ((word = RedisModule_DictNextC(iterator, &length, &number)) != NULL) {
        RedisModule_ReplyWithStringBuffer(ctx, word, length);
        RedisModule_ReplyWithLongLong(ctx, (intptr_t)number);
    }
    RedisModule_DictIteratorStop(iterator);
    return REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    RedisModuleTypeMethods methods = {
        .version = REDISMODULE_TYPE_METHOD_VERSION,
        .rdb_save = tally_save,
        .rdb_load = tally_load,
        .aof_rewrite = tally_rewrite,
        .digest = tally_digest,
        .copy = tally_copy,
        .mem_usage = tally_memory,
        .free_effort = tally_free_effort,
        .free = tally_free,
    };
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "tally", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR)
        return REDISMODULE_ERR;
    RedisModule_SetModuleOptions(ctx, REDISMODULE_OPTIONS_HANDLE_IO_ERRORS);
    tally_type = RedisModule_CreateDataType(ctx, "tally-typ", TALLY_ENCODING, &methods);
    if (tally_type == NULL ||
        RedisModule_CreateCommand(ctx, "tally.add", cmd_add, "write deny-oom", 1, 1, 1) ||
        RedisModule_CreateCommand(ctx, "tally.get", cmd_get, "readonly fast", 1, 1, 1) ||
        RedisModule_CreateCommand(ctx, "tally.all", cmd_all, "readonly", 1, 1, 1))
        return REDISMODULE_ERR;
    return REDISMODULE_OK;
}
