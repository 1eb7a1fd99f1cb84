/* server.c - a module that looks at the server from all sides: what it says of itself and of clients, what it
 * shows to filters and tells of keys, and what it makes of a module's own commands and INFO.
 *
 *   server.field SECTION NAME    a field of INFO, as text, number, double; and whether it is one
 *   server.client                the calling client: what is known of it
 *   server.name ID NAME          names a client
 *   server.publish CHANNEL TEXT  ... and server.spublish
 *   server.keys COMMAND [...]    positions and flags of the keys of a command
 *   server.where [KEY] CHANNEL   reports its own positions: the first argument is read, the last one a channel
 *   server.current               its own name
 *   server.multi                 1 inside of MULTI, 2 with RESP3
 *   server.notify EVENT KEY      tells of a change
 *   server.seen                  the changes that it was told of, and the jobs that ran
 *   server.twice TEXT            is shown to the filter, which makes "echo TEXTTEXT" of it
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "redismodule.h"

#define UNUSED(x) (void)(x)
#define SEEN_MAX 4096

typedef RedisModuleString **args;

static char seen[SEEN_MAX];
static RedisModuleCommandFilter *filter;

static void note(const char *what, const char *text) {
    size_t len = strlen(seen);
    snprintf(seen + len, sizeof seen - len, "%s%s ", what, text);
}

static const char *text_of(RedisModuleString *s) {
    return RedisModule_StringPtrLen(s, NULL);
}

static void reply_string(RedisModuleCtx *ctx, RedisModuleString *s) {
    if (s == NULL) RedisModule_ReplyWithNull(ctx);
    else RedisModule_ReplyWithString(ctx, s);
    if (s != NULL) RedisModule_FreeString(ctx, s);
}

static int field(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModuleServerInfoData *data = RedisModule_GetServerInfo(ctx, text_of(argv[1]));
    const char *name = text_of(argv[2]), *text = RedisModule_ServerInfoGetFieldC(data, name);
    int bad[3];
    RedisModule_ReplyWithArray(ctx, 8);
    reply_string(ctx, RedisModule_ServerInfoGetField(ctx, data, name));
    RedisModule_ReplyWithCString(ctx, text == NULL ? "none" : text);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_ServerInfoGetFieldSigned(data, name, &bad[0]));
    RedisModule_ReplyWithLongLong(ctx, (long long)RedisModule_ServerInfoGetFieldUnsigned(data, name, &bad[1]));
    RedisModule_ReplyWithDouble(ctx, RedisModule_ServerInfoGetFieldDouble(data, name, &bad[2]));
    for (int i = 0; i < 3; i++) RedisModule_ReplyWithLongLong(ctx, bad[i]);
    RedisModule_FreeServerInfo(ctx, data);
    return REDISMODULE_OK;
}

static int client(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    uint64_t id = RedisModule_GetClientId(ctx);
    RedisModuleClientInfo info = REDISMODULE_CLIENTINFO_INITIALIZER_V1, wrong = {.version = 2};
    RedisModule_ReplyWithArray(ctx, 11);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_GetClientInfoById(&info, id));
    RedisModule_ReplyWithLongLong(ctx, info.id == id);
    RedisModule_ReplyWithLongLong(ctx, (long long)info.flags);
    RedisModule_ReplyWithLongLong(ctx, info.db);
    RedisModule_ReplyWithCString(ctx, info.addr);
    RedisModule_ReplyWithLongLong(ctx, info.port != 0);
    RedisModule_ReplyWithLongLong(ctx, RedisModule_GetClientInfoById(&wrong, id));
    RedisModule_ReplyWithLongLong(ctx, RedisModule_GetClientInfoById(NULL, UINT64_MAX / 2));
    reply_string(ctx, RedisModule_GetClientNameById(ctx, id));
    reply_string(ctx, RedisModule_GetClientUserNameById(ctx, id));
    reply_string(ctx, RedisModule_GetClientCertificate(ctx, id));
    return REDISMODULE_OK;
}

static int name(RedisModuleCtx *ctx, args argv, int argc) {
    long long id;
    if (argc != 3) return RedisModule_WrongArity(ctx);
    if (RedisModule_StringToLongLong(argv[1], &id) != REDISMODULE_OK) id = (long long)RedisModule_GetClientId(ctx);
    errno = 0;
    int rc = RedisModule_SetClientNameById((uint64_t)id, argv[2]);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithLongLong(ctx, rc);
    return RedisModule_ReplyWithLongLong(ctx, rc == REDISMODULE_OK ? 0 : errno);
}

static int publish(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_PublishMessage(ctx, argv[1], argv[2]));
}

static int spublish(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_PublishMessageShard(ctx, argv[1], argv[2]));
}

static int keys(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc < 2) return RedisModule_WrongArity(ctx);
    int count = 0, *flags = NULL;
    errno = 0;
    int *found = RedisModule_GetCommandKeysWithFlags(ctx, argv + 1, argc - 1, &count, &flags);
    if (found == NULL) return RedisModule_ReplyWithLongLong(ctx, -errno);
    RedisModule_ReplyWithArray(ctx, count * 2L);
    for (int i = 0; i < count; i++) {
        RedisModule_ReplyWithLongLong(ctx, found[i]);
        RedisModule_ReplyWithLongLong(ctx, flags[i]);
    }
    RedisModule_Free(found);
    RedisModule_Free(flags);
    return REDISMODULE_OK;
}

static int where(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    if (RedisModule_IsKeysPositionRequest(ctx)) {
        if (argc > 2) RedisModule_KeyAtPosWithFlags(ctx, 1, REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS);
        if (argc > 3) RedisModule_KeyAtPos(ctx, 2);
        RedisModule_KeyAtPos(ctx, 0);
        return REDISMODULE_OK;
    }
    if (RedisModule_IsChannelsPositionRequest(ctx)) {
        RedisModule_ChannelAtPosWithFlags(ctx, argc - 1, REDISMODULE_CMD_CHANNEL_PUBLISH);
        return REDISMODULE_OK;
    }
    RedisModule_KeyAtPos(ctx, 1); /* nobody asked: nothing happens */
    return RedisModule_ReplyWithLongLong(ctx, argc);
}

static int current(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    return RedisModule_ReplyWithCString(ctx, RedisModule_GetCurrentCommandName(ctx));
}

static int multi(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    int flags = RedisModule_GetContextFlags(ctx);
    return RedisModule_ReplyWithLongLong(ctx, !!(flags & REDISMODULE_CTX_FLAGS_MULTI) +
                                                  2 * !!(flags & REDISMODULE_CTX_FLAGS_RESP3) +
                                                  4 * !(flags & REDISMODULE_CTX_FLAGS_MASTER));
}

/* ------------------------------------------------------------------ changes of keys */

static void job(RedisModuleCtx *ctx, void *data) {
    UNUSED(ctx);
    note("job:", data);
}

static void end_of_job(void *data) {
    note("freed:", data);
}

static int changed(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
    char text[256];
    snprintf(text, sizeof text, "%d:%s:%s", type, event, text_of(key));
    note("", text);
    if (strcmp(text_of(key), "work") == 0) {
        if (RedisModule_AddPostNotificationJob == NULL) note("", "job:data freed:data");
        else RedisModule_AddPostNotificationJob(ctx, job, (void *)"data", end_of_job);
    }
    return REDISMODULE_OK;
}

static int lists(RedisModuleCtx *ctx, int type, const char *event, RedisModuleString *key) {
    UNUSED(ctx);
    UNUSED(type);
    UNUSED(key);
    note("list-", event);
    return REDISMODULE_OK;
}

static int notify(RedisModuleCtx *ctx, args argv, int argc) {
    if (argc != 3) return RedisModule_WrongArity(ctx);
    RedisModule_ReplyWithArray(ctx, 2);
    RedisModule_ReplyWithLongLong(
        ctx, RedisModule_NotifyKeyspaceEvent(ctx, REDISMODULE_NOTIFY_GENERIC, text_of(argv[1]), argv[2]));
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_GetNotifyKeyspaceEvents());
}

static int show_seen(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    RedisModule_ReplyWithCString(ctx, seen);
    seen[0] = '\0';
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ filter */

static void twice(RedisModuleCommandFilterCtx *f) {
    if (RedisModule_CommandFilterArgsCount(f) != 2) return;
    size_t len;
    const char *word = RedisModule_StringPtrLen(RedisModule_CommandFilterArgGet(f, 0), &len);
    if (len != 12 || strncasecmp(word, "server.twice", 12) != 0) return;
    RedisModuleString *text = RedisModule_CreateStringFromString(NULL, RedisModule_CommandFilterArgGet(f, 1));
    RedisModule_StringAppendBuffer(NULL, text, text_of(text), strlen(text_of(RedisModule_CommandFilterArgGet(f, 1))));
    RedisModule_CommandFilterArgReplace(f, 0, RedisModule_CreateString(NULL, "echo", 4));
    RedisModule_CommandFilterArgInsert(f, 1, text);
    RedisModule_CommandFilterArgDelete(f, 2);
}

static int unfilter(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    return RedisModule_ReplyWithLongLong(ctx, RedisModule_UnregisterCommandFilter(ctx, filter));
}

/* ------------------------------------------------------------------ INFO and descriptions */

static void info(RedisModuleInfoCtx *ctx, int for_crash_report) {
    RedisModule_InfoAddSection(ctx, "");
    RedisModule_InfoAddFieldLongLong(ctx, "crash", for_crash_report);
    RedisModule_InfoAddSection(ctx, "Numbers");
    RedisModule_InfoAddFieldDouble(ctx, "tenth", 0.1);
    RedisModule_InfoAddFieldLongLong(ctx, "low", -5);
    RedisModule_InfoAddFieldULongLong(ctx, "high", UINT64_MAX);
    RedisModule_InfoBeginDictField(ctx, "di:ct#");
    RedisModule_InfoAddFieldCString(ctx, "a", "text");
    RedisModule_InfoAddFieldLongLong(ctx, "b", 2);
    RedisModule_InfoAddFieldDouble(ctx, "c", 2.5);
    RedisModule_InfoEndDictField(ctx);
    RedisModule_InfoBeginDictField(ctx, "empty");
    RedisModule_InfoBeginDictField(ctx, "open");
    RedisModule_InfoAddFieldULongLong(ctx, "d", 4);
    RedisModule_InfoAddSection(ctx, "Texts");
    RedisModule_InfoAddFieldCString(ctx, "plain", "some text");
}

static int described(RedisModuleCtx *ctx, args argv, int argc) {
    UNUSED(argv);
    return RedisModule_ReplyWithLongLong(ctx, argc);
}

static int describe(RedisModuleCtx *ctx) {
    RedisModuleCommandHistoryEntry history[] = {{"1.1.0", "a word more"}, {0}};
    RedisModuleCommandKeySpec specs[] = {{.notes = "the first",
                                          .flags = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS,
                                          .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,
                                          .bs.index.pos = 1,
                                          .find_keys_type = REDISMODULE_KSPEC_FK_OMITTED},
                                         {.flags = REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_UPDATE,
                                          .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,
                                          .bs.index.pos = 2,
                                          .find_keys_type = REDISMODULE_KSPEC_FK_RANGE,
                                          .fk.range = {.lastkey = -1, .keystep = 2, .limit = 0}},
                                         {0}};
    RedisModuleCommandArg inner[] = {{.name = "one", .type = REDISMODULE_ARG_TYPE_PURE_TOKEN, .token = "ONE"},
                                     {.name = "two", .type = REDISMODULE_ARG_TYPE_INTEGER},
                                     {0}};
    RedisModuleCommandArg list[] = {
        {.name = "key", .type = REDISMODULE_ARG_TYPE_KEY, .key_spec_index = 0, .summary = "where"},
        {.name = "others",
         .type = REDISMODULE_ARG_TYPE_KEY,
         .key_spec_index = 1,
         .flags = REDISMODULE_CMD_ARG_MULTIPLE},
        {.name = "how",
         .type = REDISMODULE_ARG_TYPE_ONEOF,
         .flags = REDISMODULE_CMD_ARG_OPTIONAL,
         .token = "HOW",
         .since = "1.1.0",
         .subargs = inner},
        {0}};
    RedisModuleCommandInfo full = {.version = REDISMODULE_COMMAND_INFO_VERSION,
                                   .summary = "Counts its arguments",
                                   .complexity = "O(1)",
                                   .since = "1.0.0",
                                   .history = history,
                                   .tips = "nondeterministic_output request_policy:all_shards",
                                   .arity = -3,
                                   .key_specs = specs,
                                   .args = list};
    RedisModuleCommandInfo empty = {.version = REDISMODULE_COMMAND_INFO_VERSION, .summary = "again"};
    RedisModuleCommand *command = RedisModule_GetCommand(ctx, "SERVER.described");
    if (command == NULL || RedisModule_GetCommand(ctx, "get") != NULL) return REDISMODULE_ERR;
    if (RedisModule_SetCommandInfo(command, &full) != REDISMODULE_OK) return REDISMODULE_ERR;
    return RedisModule_SetCommandInfo(command, &empty) == REDISMODULE_OK || errno != EEXIST;
}

static const struct {
    const char *name, *flags;
    RedisModuleCmdFunc run;
    int first, last, step;
} commands[] = {{"server.field", "readonly", field, 0, 0, 0},
                {"server.client", "fast", client, 0, 0, 0},
                {"server.name", "", name, 0, 0, 0},
                {"server.publish", "pubsub", publish, 0, 0, 0},
                {"server.spublish", "pubsub", spublish, 0, 0, 0},
                {"server.keys", "", keys, 0, 0, 0},
                {"server.where", "getkeys-api getchannels-api readonly", where, 0, 0, 0},
                {"server.current", "", current, 0, 0, 0},
                {"server.multi", "", multi, 0, 0, 0},
                {"server.notify", "write", notify, 2, 2, 1},
                {"server.seen", "", show_seen, 0, 0, 0},
                {"server.unfilter", "", unfilter, 0, 0, 0},
                {"server.described", "readonly fast", described, 1, 1, 1}};

/* 1 when a command that Redis refuses is not refused. */
static int accepts_nonsense(RedisModuleCtx *ctx) {
    static const char *const names[] = {"get", "SERVER.field"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (RedisModule_CreateCommand(ctx, names[i], current, "", 0, 0, 0) == REDISMODULE_OK) return 1;
    }
    static const char *const flags[] = {"write  fast", "nonsense", " write", "write "};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (RedisModule_CreateCommand(ctx, "server.flags", current, flags[i], 0, 0, 0) == REDISMODULE_OK) return 1;
    }
    RedisModuleCommand *plain = RedisModule_GetCommand(ctx, "server.current");
    return RedisModule_CreateSubcommand(plain, "sub", current, "", 0, 0, 0) == REDISMODULE_OK;
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    UNUSED(argv);
    UNUSED(argc);
    if (RedisModule_Init(ctx, "server", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, commands[i].flags, commands[i].first,
                                      commands[i].last, commands[i].step) != REDISMODULE_OK) {
            return REDISMODULE_ERR;
        }
    }
    if (accepts_nonsense(ctx) || describe(ctx) != REDISMODULE_OK) return REDISMODULE_ERR;
    filter = RedisModule_RegisterCommandFilter(ctx, twice, 0);
    if (filter == NULL || RedisModule_RegisterInfoFunc(ctx, info) != REDISMODULE_OK) return REDISMODULE_ERR;
    if (RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_STRING | REDISMODULE_NOTIFY_GENERIC, changed) !=
        REDISMODULE_OK) {
        return REDISMODULE_ERR;
    }
    return RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_LIST, lists);
}
