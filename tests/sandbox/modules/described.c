/* described.c - commands with all that can be said of them, so that COMMAND of two servers can be compared.
 *
 *   described.read KEY, described.pairs KEY VALUE [...]   keys told by three numbers
 *   described.own KEY [...]                               ... and by the command itself
 *   described.full ...                                    described with every field there is
 *   described.box one|two ...                             a container; one is described, two is not
 *   described.place0 ... described.place6 ...             keys at odd places
 *   described.acl                                         has categories, where there is a function for them
 *   described.empty                                       a container of nothing
 */
#include <string.h>

#include "redismodule.h"

#define UNUSED(x) (void)(x)

static int nothing(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    UNUSED(argv);
    return RedisModule_ReplyWithLongLong(ctx, argc);
}

static int own(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    UNUSED(argv);
    if (!RedisModule_IsKeysPositionRequest(ctx)) return RedisModule_ReplyWithLongLong(ctx, argc);
    for (int i = 1; i < argc; i += 2) RedisModule_KeyAtPos(ctx, i);
    return REDISMODULE_OK;
}

static RedisModuleCommandHistoryEntry history[] = {{"1.1", "takes more"}, {"1.2.0", "takes\r\nless"}, {0}};

static RedisModuleCommandKeySpec specs[] = {
    {.notes = "the first",
     .flags = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS,
     .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,
     .bs.index.pos = 1},
    {.notes = "as many as said",
     .flags = REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_UPDATE,
     .begin_search_type = REDISMODULE_KSPEC_BS_KEYWORD,
     .bs.keyword = {"KEYS", 2},
     .find_keys_type = REDISMODULE_KSPEC_FK_KEYNUM,
     .fk.keynum = {0, 1, 1}},
    {.flags = REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_DELETE | REDISMODULE_CMD_KEY_INCOMPLETE,
     .begin_search_type = REDISMODULE_KSPEC_BS_UNKNOWN,
     .find_keys_type = REDISMODULE_KSPEC_FK_UNKNOWN},
    {0}};

#define AT(pos_, last_, step_)                                                                     \
    {.flags = REDISMODULE_CMD_KEY_RW,                                                              \
     .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,                                              \
     .bs.index.pos = (pos_),                                                                       \
     .find_keys_type = REDISMODULE_KSPEC_FK_RANGE,                                                 \
     .fk.range = {(last_), (step_), 0}}

/* Where keys may be; in the three numbers it is another thing each time. */
static RedisModuleCommandKeySpec places[][4] = {
    {AT(1, 0, 1), AT(2, 1, 1), {0}},
    {AT(1, 0, 1), AT(3, 0, 1), {0}},
    {AT(1, 1, 1), AT(3, -1, 1), {0}},
    {AT(2, -2, 3), {0}},
    {AT(1, 2, 2), AT(2, 0, 1), {0}},
    {{.flags = REDISMODULE_CMD_KEY_RW,
      .begin_search_type = REDISMODULE_KSPEC_BS_KEYWORD,
      .bs.keyword = {"AT", -1}},
     {0}},
    {{.flags = REDISMODULE_CMD_KEY_RW,
      .begin_search_type = REDISMODULE_KSPEC_BS_UNKNOWN,
      .find_keys_type = REDISMODULE_KSPEC_FK_UNKNOWN},
     AT(4, 0, 1),
     {0}},
};

static RedisModuleCommandArg choice[] = {
    {.name = "fast", .type = REDISMODULE_ARG_TYPE_PURE_TOKEN, .token = "FAST", .display_text = "quick"},
    {.name = "slow",
     .type = REDISMODULE_ARG_TYPE_INTEGER,
     .token = "SLOW",
     .since = "1.1",
     .deprecated_since = "1.2",
     .display_text = "ms"},
    {0}};

static RedisModuleCommandArg args[] = {
    {.name = "key",
     .type = REDISMODULE_ARG_TYPE_KEY,
     .key_spec_index = 0,
     .summary = "where",
     .display_text = "the-key"},
    {.name = "how", .type = REDISMODULE_ARG_TYPE_ONEOF, .flags = REDISMODULE_CMD_ARG_OPTIONAL, .subargs = choice},
    {.name = "more",
     .type = REDISMODULE_ARG_TYPE_KEY,
     .key_spec_index = 1,
     .token = "KEYS",
     .flags = REDISMODULE_CMD_ARG_MULTIPLE | REDISMODULE_CMD_ARG_MULTIPLE_TOKEN,
     .display_text = "keys"},
    {0}};

static const RedisModuleCommandInfo full = {.version = REDISMODULE_COMMAND_INFO_VERSION,
                                            .summary = "Says all",
                                            .complexity = "O(N)",
                                            .since = "1.0.0",
                                            .history = history,
                                            .tips = "nondeterministic_output request_policy:all_shards",
                                            .arity = -3,
                                            .key_specs = specs,
                                            .args = args};
static const RedisModuleCommandInfo little = {.version = REDISMODULE_COMMAND_INFO_VERSION,
                                              .summary = "Says little",
                                              .history = history};

static int describe(RedisModuleCtx *ctx, const char *name, const RedisModuleCommandInfo *info) {
    RedisModuleCommand *command = RedisModule_GetCommand(ctx, name);
    return command == NULL ? REDISMODULE_ERR : RedisModule_SetCommandInfo(command, info);
}

static int describe_places(RedisModuleCtx *ctx) {
    int failed = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char name[] = "described.place0";
        name[sizeof name - 2] = (char)('0' + i);
        RedisModuleCommandInfo info = {.version = REDISMODULE_COMMAND_INFO_VERSION, .key_specs = places[i]};
        failed |= RedisModule_CreateCommand(ctx, name, nothing, "", i % 2 == 0 ? 0 : 1, i % 2 == 0 ? 0 : 1, 1) |
                  describe(ctx, name, &info);
    }
    return failed;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    if (RedisModule_Init(ctx, "described", 12, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    int failed = RedisModule_CreateCommand(ctx, "described.read", nothing, "readonly fast", 1, 1, 1) |
                 RedisModule_CreateCommand(ctx, "described.pairs", nothing, "write deny-oom", 1, -1, 2) |
                 RedisModule_CreateCommand(ctx, "described.own", own, "write getkeys-api", 1, 1, 1) |
                 RedisModule_CreateCommand(ctx, "described.full", nothing, "write admin pubsub", 1, 1, 1) |
                 RedisModule_CreateCommand(ctx, "described.acl", nothing, "write fast", 0, 0, 0) |
                 RedisModule_CreateCommand(ctx, "described.box", NULL, "", 0, 0, 0) |
                 RedisModule_CreateCommand(ctx, "described.empty", NULL, "", 0, 0, 0);
    RedisModuleCommand *box = RedisModule_GetCommand(ctx, "described.box");
    failed |= RedisModule_CreateSubcommand(box, "one", nothing, "readonly", 2, 2, 1) |
              RedisModule_CreateSubcommand(box, "two", nothing, "", 0, 0, 0) |
              describe(ctx, "described.full", &full) | describe(ctx, "described.box|one", &little) |
              describe(ctx, "described.box", &little) | describe_places(ctx);
    if (RedisModule_SetCommandACLCategories != NULL) {
        RedisModuleCommand *one = RedisModule_GetCommand(ctx, "described.acl");
        failed |= RedisModule_SetCommandACLCategories(one, "keyspace slow") |
                  RedisModule_SetCommandACLCategories(one, "read slow");
    }
    return failed == 0 ? REDISMODULE_OK : REDISMODULE_ERR;
}
