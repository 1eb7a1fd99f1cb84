/* Aim: what a module says of its commands reaches the server whole, and what Redis refuses is refused.
 * Method: the message that would be sent is written down as text and compared; mistakes are made one by
 * one. */
#include <errno.h>

#include "host_kit.h"

static tr_host_command command = {.handle = 7, .fullname = (char *)"x.cmd"};
static char said[16 * 1024];
static uint8_t outcome;

#define SAY(...) snprintf(said + strlen(said), sizeof said - strlen(said), __VA_ARGS__)

static void say_texts(const char *name, const tr_wire_list *list) {
    SAY("%s=", name);
    for (uint32_t i = 0; i < list->count; i++) {
        SAY("%.*s,", (int)list->items.texts[i].len, (const char *)list->items.texts[i].at);
    }
    SAY(" ");
}

static void say_numbers(const char *name, const tr_wire_list *list) {
    SAY("%s=", name);
    for (uint32_t i = 0; i < list->count; i++) SAY("%lld,", (long long)list->items.i64s[i]);
    SAY(" ");
}

static void say_info(const tr_msg_command_info *m) {
    SAY("%u %.*s|%.*s|%.*s|%.*s arity=%lld ", m->command, (int)m->summary.len, (const char *)m->summary.at,
        (int)m->complexity.len, (const char *)m->complexity.at, (int)m->since.len, (const char *)m->since.at,
        (int)m->tips.len, (const char *)m->tips.at, (long long)m->arity);
    say_texts("since", &m->history_since);
    say_texts("changes", &m->history_changes);
    say_texts("notes", &m->spec_notes);
    say_numbers("flags", &m->spec_flags);
    say_numbers("begin", &m->spec_begin);
    say_texts("keywords", &m->spec_keywords);
    say_numbers("from", &m->spec_from);
    say_numbers("find", &m->spec_find);
    say_numbers("numbers", &m->spec_numbers);
    say_texts("args", &m->arg_names);
    say_numbers("parents", &m->arg_parents);
    say_numbers("types", &m->arg_types);
    say_numbers("specs", &m->arg_specs);
    say_texts("tokens", &m->arg_tokens);
    say_texts("summaries", &m->arg_summaries);
    say_texts("asince", &m->arg_since);
    say_texts("deprecated", &m->arg_deprecated);
    say_texts("displays", &m->arg_displays);
    say_numbers("aflags", &m->arg_flags);
    SAY("present=%llu", (unsigned long long)m->present);
}

static const uint64_t *key_positions, *key_flags;
static uint32_t key_count;

static void answer(tr_msg_type type, const void *body, void *out) {
    if (type == TR_MSG_COMMAND_INFO) {
        say_info(body);
        ((tr_msg_command_info_answer *)out)->outcome = outcome;
    } else if (type == TR_MSG_COMMAND_CATEGORIES) {
        const tr_msg_command_categories *m = body;
        SAY("%u:%.*s", m->command, (int)m->categories.len, (const char *)m->categories.at);
        ((tr_msg_command_categories_answer *)out)->outcome = outcome;
    } else if (type == TR_MSG_ADD_CATEGORY) {
        const tr_msg_add_category *m = body;
        SAY("+%.*s", (int)m->name.len, (const char *)m->name.at);
        ((tr_msg_add_category_answer *)out)->outcome = outcome;
    } else if (type == TR_MSG_COMMAND_KEYS) {
        const tr_msg_command_keys *m = body;
        say_texts("argv", &m->argv);
        *(tr_msg_command_keys_answer *)out =
            (tr_msg_command_keys_answer){.outcome = outcome,
                                         .positions = {.count = key_count, .packed = (const uint8_t *)key_positions},
                                         .flags = {.count = key_count, .packed = (const uint8_t *)key_flags}};
    } else {
        CHECK(!"this is not asked");
    }
}

static void begin(void) {
    kit_ask = answer;
    kit_log_count = 0;
    said[0] = '\0';
    outcome = 0;
    errno = 0;
    command.described = false;
    tr_host_here.loading = true;
}

static int set(const RedisModuleCommandInfo *info) {
    return tr_rm_SetCommandInfo((RedisModuleCommand *)(void *)&command, info);
}

/* ------------------------------------------------------------------ descriptions */

static void test_whole(void) {
    RedisModuleCommandHistoryEntry history[] = {{"1.0", "began"}, {"2.0", "more"}, {0}};
    RedisModuleCommandKeySpec specs[] = {
        {.notes = "n",
         .flags = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS,
         .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,
         .bs.index.pos = 2,
         .find_keys_type = REDISMODULE_KSPEC_FK_OMITTED},
        {.flags = REDISMODULE_CMD_KEY_RW,
         .begin_search_type = REDISMODULE_KSPEC_BS_KEYWORD,
         .bs.keyword = {.keyword = "STORE", .startfrom = -2},
         .find_keys_type = REDISMODULE_KSPEC_FK_RANGE,
         .fk.range = {.lastkey = -1, .keystep = 2, .limit = 3}},
        {.flags = REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_INSERT,
         .begin_search_type = REDISMODULE_KSPEC_BS_UNKNOWN,
         .find_keys_type = REDISMODULE_KSPEC_FK_KEYNUM,
         .fk.keynum = {.keynumidx = 4, .firstkey = 5, .keystep = 6}},
        {0}};
    RedisModuleCommandArg inner[] = {{.name = "one", .type = REDISMODULE_ARG_TYPE_PURE_TOKEN, .token = "ONE"},
                                     {.name = "two", .type = REDISMODULE_ARG_TYPE_INTEGER, .display_text = "2"},
                                     {0}};
    RedisModuleCommandArg args[] = {
        {.name = "key", .type = REDISMODULE_ARG_TYPE_KEY, .key_spec_index = 1, .summary = "s", .since = "1.1"},
        {.name = "which",
         .type = REDISMODULE_ARG_TYPE_ONEOF,
         .flags = REDISMODULE_CMD_ARG_OPTIONAL | REDISMODULE_CMD_ARG_MULTIPLE,
         .subargs = inner},
        {.name = "last", .type = REDISMODULE_ARG_TYPE_STRING, .key_spec_index = -1, .deprecated_since = "3"},
        {0}};
    RedisModuleCommandInfo info = {.version = REDISMODULE_COMMAND_INFO_VERSION,
                                   .summary = "sum",
                                   .since = "1.0",
                                   .history = history,
                                   .tips = "",
                                   .arity = -3,
                                   .key_specs = specs,
                                   .args = args};
    begin();
    CHECK_EQ_INT(set(&info), REDISMODULE_OK);
    CHECK_EQ_STR(said, "7 sum||1.0| arity=-3 since=1.0,2.0, changes=began,more, notes=n,,, flags=17,2,68, begin=2,3,1, "
                       "keywords=,STORE,, from=2,-2,0, find=2,2,3, numbers=0,1,0,-1,2,3,4,5,6, "
                       "args=key,which,one,two,last, parents=-1,-1,1,1,-1, types=3,7,6,1,0, specs=1,-1,-1,-1,-1, "
                       "tokens=,,ONE,,, summaries=s,,,,, asince=1.1,,,,, deprecated=,,,,3, displays=,,,2,, "
                       "aflags=0,3,0,0,0, present=13");
    CHECK_EQ_INT(set(&info), REDISMODULE_ERR); /* not twice */
    CHECK_EQ_INT(errno, EEXIST);
}

static void test_wider_strides(void) {
    /* A newer module, whose records have more behind them. */
    struct {
        RedisModuleCommandHistoryEntry entry;
        int more;
    } history[] = {{{"1", "a"}, 9}, {{"2", "b"}, 9}, {{0}, 9}};
    RedisModuleCommandInfoVersion version = *REDISMODULE_COMMAND_INFO_VERSION;
    version.sizeof_historyentry = sizeof *history;
    RedisModuleCommandInfo info = {.version = &version, .history = &history[0].entry};
    begin();
    CHECK_EQ_INT(set(&info), REDISMODULE_OK);
    CHECK(strstr(said, "since=1,2, changes=a,b, ") != NULL);
}

static void test_what_may_be_said_again(void) {
    RedisModuleCommandKeySpec plain[] = {{.flags = REDISMODULE_CMD_KEY_RO,
                                          .begin_search_type = REDISMODULE_KSPEC_BS_INDEX,
                                          .find_keys_type = REDISMODULE_KSPEC_FK_RANGE},
                                         {0}};
    RedisModuleCommandInfo info = {.version = REDISMODULE_COMMAND_INFO_VERSION, .arity = 2, .key_specs = plain};
    begin();
    CHECK_EQ_INT(set(&info), REDISMODULE_OK);
    CHECK_EQ_INT(set(&info), REDISMODULE_OK);
    plain[0].begin_search_type = REDISMODULE_KSPEC_BS_UNKNOWN;
    CHECK_EQ_INT(set(&info), REDISMODULE_OK);
    CHECK_EQ_INT(set(&info), REDISMODULE_ERR);
    CHECK_EQ_INT(errno, EEXIST);
    begin();
    outcome = 1;
    CHECK_EQ_INT(set(&info), REDISMODULE_ERR);
    CHECK_EQ_INT(errno, EINVAL);
    CHECK(!command.described);
}

/* Refused with EINVAL, and a line of the log tells why. */
static void check_refused(RedisModuleCommandInfo info, const char *why) {
    begin();
    if (info.version == NULL && strstr(why, "version") == NULL) info.version = REDISMODULE_COMMAND_INFO_VERSION;
    CHECK_EQ_INT(set(&info), REDISMODULE_ERR);
    CHECK_EQ_INT(errno, EINVAL);
    CHECK_EQ_INT(kit_log_count, 1);
    if (strstr(kit_log_text, why) == NULL) fprintf(stderr, "said: %s\n", kit_log_text);
    CHECK(strstr(kit_log_text, why) != NULL);
    CHECK_EQ_STR(said, "");
}

static void check_spec_refused(RedisModuleCommandKeySpec spec, const char *why) {
    RedisModuleCommandKeySpec specs[] = {spec, {0}};
    check_refused((RedisModuleCommandInfo){.key_specs = specs}, why);
}

static void check_arg_refused(RedisModuleCommandArg arg, const char *why) {
    RedisModuleCommandArg args[] = {{.name = "fine"}, arg, {0}};
    args[1].name = "wrong";
    check_refused((RedisModuleCommandInfo){.args = args}, why);
}

static void test_mistakes(void) {
    check_refused((RedisModuleCommandInfo){0}, "version");
    RedisModuleCommandHistoryEntry history[] = {{"1", "x"}, {"2", NULL}, {0}};
    check_refused((RedisModuleCommandInfo){.history = history}, "history entry 1");
    const RedisModuleKeySpecBeginSearchType index = REDISMODULE_KSPEC_BS_INDEX;
    check_spec_refused((RedisModuleCommandKeySpec){.begin_search_type = index}, "one flag of");
    check_spec_refused((RedisModuleCommandKeySpec){.begin_search_type = index, .flags = 3}, "one flag of");
    check_spec_refused((RedisModuleCommandKeySpec){.begin_search_type = index, .flags = 2 | 32 | 64}, "several");
    check_spec_refused((RedisModuleCommandKeySpec){.begin_search_type = REDISMODULE_KSPEC_BS_KEYWORD, .flags = 1},
                       "keyword");
    check_spec_refused((RedisModuleCommandKeySpec){.begin_search_type = 9, .flags = 1}, "begins");
    check_spec_refused((RedisModuleCommandKeySpec){.begin_search_type = index, .flags = 1, .find_keys_type = 9},
                       "goes on");
    check_arg_refused((RedisModuleCommandArg){.type = 9}, "type 9");
    check_arg_refused((RedisModuleCommandArg){.type = REDISMODULE_ARG_TYPE_PURE_TOKEN}, "token");
    check_arg_refused((RedisModuleCommandArg){.type = REDISMODULE_ARG_TYPE_KEY, .key_spec_index = -1}, "names no key");
    check_arg_refused((RedisModuleCommandArg){.type = REDISMODULE_ARG_TYPE_STRING, .key_spec_index = 1}, "is no key");
    check_arg_refused((RedisModuleCommandArg){.flags = 8}, "flags");
    check_arg_refused((RedisModuleCommandArg){.type = REDISMODULE_ARG_TYPE_BLOCK}, "without members");
    RedisModuleCommandArg loop[] = {{.name = "loop", .type = REDISMODULE_ARG_TYPE_BLOCK}, {0}};
    check_arg_refused((RedisModuleCommandArg){.type = REDISMODULE_ARG_TYPE_STRING, .subargs = loop}, "has members");
    loop[0].subargs = loop;
    check_refused((RedisModuleCommandInfo){.args = loop}, "more than 4096");
    begin();
    tr_host_here.loading = false;
    RedisModuleCommandInfo late = {.version = REDISMODULE_COMMAND_INFO_VERSION, .summary = "x"};
    CHECK_EQ_INT(set(&late), REDISMODULE_ERR);
    CHECK_EQ_STR(said, "");
}

/* ------------------------------------------------------------------ categories */

static void test_categories(void) {
    RedisModuleCommand *c = (RedisModuleCommand *)(void *)&command;
    begin();
    CHECK_EQ_INT(tr_rm_SetCommandACLCategories(c, "read fast"), REDISMODULE_OK);
    CHECK_EQ_STR(said, "7:read fast");
    outcome = 1;
    CHECK_EQ_INT(tr_rm_SetCommandACLCategories(c, "nonsense"), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_SetCommandACLCategories(NULL, "read"), REDISMODULE_ERR);
    begin();
    CHECK_EQ_INT(tr_rm_AddACLCategory(NULL, "mine"), REDISMODULE_OK);
    CHECK_EQ_STR(said, "+mine");
    static const int errors[] = {0, EBUSY, EINVAL, ENOMEM, EINVAL};
    for (outcome = 1; outcome <= 4; outcome++) {
        CHECK_EQ_INT(tr_rm_AddACLCategory(NULL, "mine"), REDISMODULE_ERR);
        CHECK_EQ_INT(errno, errors[outcome]);
    }
    begin();
    tr_host_here.loading = false;
    CHECK_EQ_INT(tr_rm_AddACLCategory(NULL, "mine"), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_SetCommandACLCategories(c, "read"), REDISMODULE_ERR);
    CHECK_EQ_STR(said, "");
    begin();
    char longest[5000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK_EQ_INT(tr_rm_AddACLCategory(NULL, longest), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_SetCommandACLCategories(c, longest), REDISMODULE_ERR);
    CHECK_EQ_STR(said, "");
}

/* ------------------------------------------------------------------ positions */

static void test_positions(void) {
    RedisModuleCtx ctx = {.flags = TR_CTX_COMMAND};
    CHECK_EQ_INT(tr_rm_IsKeysPositionRequest(&ctx), 0);
    CHECK_EQ_INT(tr_rm_IsChannelsPositionRequest(&ctx), 0);
    tr_rm_KeyAtPos(&ctx, 1);
    tr_rm_ChannelAtPosWithFlags(&ctx, 1, 1);
    CHECK_EQ_INT(ctx.positions.count, 0);
    ctx.flags = TR_CTX_KEYS;
    CHECK_EQ_INT(tr_rm_IsKeysPositionRequest(&ctx), 1);
    tr_rm_KeyAtPos(&ctx, 3);
    tr_rm_KeyAtPos(&ctx, 0);
    tr_rm_KeyAtPosWithFlags(&ctx, 1, REDISMODULE_CMD_KEY_RO);
    tr_rm_ChannelAtPosWithFlags(&ctx, 4, 1);
    CHECK_EQ_INT(ctx.positions.count, 2);
    CHECK_EQ_INT(ctx.positions.at[0], 3);
    CHECK_EQ_INT(ctx.position_flags.at[0], 2 | 16 | 32);
    CHECK_EQ_INT(ctx.position_flags.at[1], 1);
    ctx.flags = TR_CTX_CHANNELS;
    CHECK_EQ_INT(tr_rm_IsChannelsPositionRequest(&ctx), 1);
    tr_rm_ChannelAtPosWithFlags(&ctx, 4, REDISMODULE_CMD_CHANNEL_PUBLISH);
    CHECK_EQ_INT(ctx.position_flags.at[2], 2);
    tr_numbers_drop(&ctx.positions);
    tr_numbers_drop(&ctx.position_flags);
}

static void test_keys_of_commands(void) {
    static const uint64_t positions[] = {1, 3}, flags[] = {17, 2};
    RedisModuleString *argv[] = {tr_string_new("mset", 4), tr_string_new("a", 1)};
    int count = 99, *out_flags;
    begin();
    key_positions = positions, key_flags = flags, key_count = 2;
    int *keys = tr_rm_GetCommandKeysWithFlags(NULL, argv, 2, &count, &out_flags);
    CHECK_EQ_STR(said, "argv=mset,a, ");
    CHECK_EQ_INT(count, 2);
    CHECK(keys[0] == 1 && keys[1] == 3 && out_flags[0] == 17 && out_flags[1] == 2);
    tr_rm_Free(keys);
    tr_rm_Free(out_flags);
    keys = tr_rm_GetCommandKeys(NULL, argv, 2, &count);
    CHECK(keys != NULL && keys[1] == 3);
    tr_rm_Free(keys);
    static const int errors[] = {0, ENOENT, EINVAL, 0};
    key_count = 0;
    for (outcome = 1; outcome <= 3; outcome++) {
        errno = 99;
        CHECK(tr_rm_GetCommandKeys(NULL, argv, 2, &count) == NULL);
        CHECK_EQ_INT(errno, errors[outcome]);
    }
    for (int i = 0; i < 2; i++) tr_string_free(argv[i]);
}

static void test_current_command(void) {
    RedisModuleCtx ctx = {.command = &command};
    CHECK_EQ_STR(tr_rm_GetCurrentCommandName(&ctx), "x.cmd");
    ctx.command = NULL;
    CHECK(tr_rm_GetCurrentCommandName(&ctx) == NULL);
    CHECK(tr_rm_GetCurrentCommandName(NULL) == NULL);
}

int main(void) {
    RUN(test_whole);
    RUN(test_wider_strides);
    RUN(test_what_may_be_said_again);
    RUN(test_mistakes);
    RUN(test_categories);
    RUN(test_positions);
    RUN(test_keys_of_commands);
    RUN(test_current_command);
    return CHECK_DONE();
}
