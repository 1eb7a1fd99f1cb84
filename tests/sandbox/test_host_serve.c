/* Aim: filters, INFO and facts about clients: what the server asks of the module and the other way round.
 * Method: both ends of the channel are this test; texts are compared with what a stock server prints. */
#include <errno.h>

#include "host_kit.h"
#include "sandbox/host/info.h"

/* Not in the header as long as the server doesn't serve it. */
int tr_rm_RedactClientCommandArgument(RedisModuleCtx *ctx, int pos);

static char said[8192];

#define SAY(...) snprintf(said + strlen(said), sizeof said - strlen(said), __VA_ARGS__)
#define BYTES(text) ((tr_wire_bytes){.at = (const uint8_t *)(text), .len = (uint32_t)strlen(text)})

static uint8_t outcome;
static const char *server_text = "";
static tr_msg_client_info_answer client;

static void ask(tr_msg_type type, const void *body, void *out) {
    switch (type) {
    case TR_MSG_REGISTER_FILTER: {
        static uint32_t last;
        SAY("filter %llu;", (unsigned long long)((const tr_msg_register_filter *)body)->flags);
        *(tr_msg_register_filter_answer *)out = (tr_msg_register_filter_answer){.outcome = outcome, .filter = ++last};
        break;
    }
    case TR_MSG_REGISTER_INFO: *(tr_msg_register_info_answer *)out = (tr_msg_register_info_answer){0}; break;
    case TR_MSG_SERVER_INFO: {
        const tr_msg_server_info *m = body;
        SAY("info %.*s;", (int)m->section.len, (const char *)m->section.at);
        *(tr_msg_server_info_answer *)out = (tr_msg_server_info_answer){.text = BYTES(server_text)};
        break;
    }
    case TR_MSG_CLIENT_INFO:
        SAY("client %llu;", (unsigned long long)((const tr_msg_client_info *)body)->client_id);
        *(tr_msg_client_info_answer *)out = client;
        break;
    case TR_MSG_SET_CLIENT_NAME: {
        const tr_msg_set_client_name *m = body;
        SAY("name %llu %.*s;", (unsigned long long)m->client_id, (int)m->name.len, (const char *)m->name.at);
        ((tr_msg_set_client_name_answer *)out)->outcome = outcome;
        break;
    }
    case TR_MSG_CLIENT_CERTIFICATE:
        *(tr_msg_client_certificate_answer *)out =
            (tr_msg_client_certificate_answer){.found = outcome == 0, .pem = BYTES("PEM")};
        break;
    case TR_MSG_PUBLISH: {
        const tr_msg_publish *m = body;
        SAY("publish %d %.*s %.*s;", m->shard, (int)m->channel.len, (const char *)m->channel.at, (int)m->message.len,
            (const char *)m->message.at);
        ((tr_msg_publish_answer *)out)->receivers = 3;
        break;
    }
    default: CHECK(!"this is not asked");
    }
}

static void tell(tr_msg_type type, const void *body) {
    if (type == TR_MSG_UNREGISTER_FILTER) SAY("no filter %u;", ((const tr_msg_unregister_filter *)body)->filter);
    else if (type == TR_MSG_REDACT) SAY("redact %u;", ((const tr_msg_redact *)body)->position);
    else CHECK(!"this is not told");
}

static void begin(void) {
    kit_ask = ask;
    kit_tell = tell;
    said[0] = '\0';
    outcome = 0;
    client = (tr_msg_client_info_answer){0};
    tr_host_here.module_name = (char *)"mod";
}

/* ------------------------------------------------------------------ filters */

static RedisModuleString *text(const char *p) {
    return tr_string_new(p, strlen(p));
}

static void see(RedisModuleCommandFilterCtx *f) {
    SAY("see %llu %d;", tr_rm_CommandFilterGetClientId(f), tr_rm_CommandFilterArgsCount(f));
    CHECK(tr_rm_CommandFilterArgGet(f, -1) == NULL && tr_rm_CommandFilterArgGet(f, 2) == NULL);
    CHECK_EQ_STR(tr_rm_CommandFilterArgGet(f, 1)->p, "b");
    CHECK_EQ_INT(tr_rm_CommandFilterArgInsert(f, 3, NULL), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_CommandFilterArgInsert(f, -1, NULL), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_CommandFilterArgReplace(f, 2, NULL), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_CommandFilterArgDelete(f, 2), REDISMODULE_ERR);
}

static void edit(RedisModuleCommandFilterCtx *f) {
    for (int i = 0; i < 5; i++) CHECK_EQ_INT(tr_rm_CommandFilterArgInsert(f, 0, text("x")), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_CommandFilterArgInsert(f, 7, text("end")), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_CommandFilterArgReplace(f, 6, text("B")), REDISMODULE_OK);
    for (int i = 0; i < 4; i++) CHECK_EQ_INT(tr_rm_CommandFilterArgDelete(f, 0), REDISMODULE_OK);
}

static void say_filtered(const void *body) {
    const tr_msg_run_filter_answer *m = body;
    SAY("changed %d:", m->changed);
    for (uint32_t i = 0; i < m->argv.count; i++) {
        SAY(" %.*s", (int)m->argv.items.texts[i].len, (const char *)m->argv.items.texts[i].at);
    }
    SAY(";");
}

/* Shows "a b" to filters with these handles. */
static void filter(const uint64_t *handles, uint32_t count) {
    static const uint8_t packed[] = {1, 0, 0, 0, 'a', 1, 0, 0, 0, 'b'};
    tr_wire_header header = {0};
    tr_msg_run_filter m = {.filters = {.count = count, .packed = (const uint8_t *)handles, .packed_bytes = count * 8},
                           .client_id = 42,
                           .argv = {.count = 2, .packed = packed, .packed_bytes = sizeof packed}};
    kit_answer = say_filtered;
    tr_serve_run_filter(&header, &m);
}

static void test_filters(void) {
    begin();
    RedisModuleCommandFilter *one = tr_rm_RegisterCommandFilter(NULL, see, 0);
    RedisModuleCommandFilter *two = tr_rm_RegisterCommandFilter(NULL, edit, REDISMODULE_CMDFILTER_NOSELF);
    CHECK_EQ_STR(said, "filter 0;filter 1;");
    CHECK_EQ_INT(tr_host_here.filter_count, 2);
    begin();
    filter((const uint64_t[]){1}, 1);
    CHECK_EQ_STR(said, "see 42 2;changed 0:;");
    begin();
    filter((const uint64_t[]){1, 2, 77}, 3);
    CHECK_EQ_STR(said, "see 42 2;changed 1: x a B end;");
    begin();
    CHECK_EQ_INT(tr_rm_UnregisterCommandFilter(NULL, one), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_UnregisterCommandFilter(NULL, one), REDISMODULE_ERR);
    CHECK_EQ_STR(said, "no filter 1;");
    CHECK_EQ_INT(tr_rm_UnregisterCommandFilter(NULL, two), REDISMODULE_OK);
    CHECK_EQ_INT(tr_host_here.filter_count, 0);
    begin();
    outcome = 1;
    CHECK(tr_rm_RegisterCommandFilter(NULL, see, 0) == NULL);
}

/* ------------------------------------------------------------------ INFO */

static void tell_all(RedisModuleInfoCtx *ctx, int crash) {
    RedisModuleString *value = text("a b");
    CHECK_EQ_INT(tr_rm_InfoAddFieldLongLong(ctx, "early", 1), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_InfoBeginDictField(ctx, "early"), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_InfoEndDictField(ctx), REDISMODULE_ERR);
    int first = tr_rm_InfoAddSection(ctx, "");
    tr_rm_InfoAddFieldLongLong(ctx, "crash", crash);
    int second = tr_rm_InfoAddSection(ctx, "Second");
    SAY("%d%d;", first, second);
    tr_rm_InfoAddFieldString(ctx, "text", value);
    tr_rm_InfoAddFieldCString(ctx, "ctext", "c");
    tr_rm_InfoAddFieldDouble(ctx, "double", 0.1);
    tr_rm_InfoAddFieldLongLong(ctx, "long", -5);
    tr_rm_InfoAddFieldULongLong(ctx, "ulong", UINT64_MAX);
    tr_rm_InfoBeginDictField(ctx, "di:ct#");
    tr_rm_InfoAddFieldCString(ctx, "a", "1");
    tr_rm_InfoAddFieldLongLong(ctx, "b", 2);
    tr_rm_InfoEndDictField(ctx);
    tr_rm_InfoBeginDictField(ctx, "empty");
    tr_rm_InfoBeginDictField(ctx, "open");
    tr_rm_InfoAddFieldDouble(ctx, "d", 2);
    tr_string_free(value);
}

static void say_info(const void *body) {
    const tr_msg_run_info_answer *m = body;
    SAY("%.*s", (int)m->text.len, (const char *)m->text.at);
}

static const char *run_info(bool all, const char *section) {
    uint8_t packed[64] = {(uint8_t)strlen(section)};
    memcpy(packed + 4, section, strlen(section));
    tr_wire_header header = {0};
    tr_msg_run_info m = {.all = all};
    if (!all) m.sections = (tr_wire_list){.count = 1, .packed = packed, .packed_bytes = (uint32_t)strlen(section) + 4};
    begin();
    kit_answer = say_info;
    tr_serve_run_info(&header, &m);
    return said;
}

#define FIRST "# mod\r\nmod_crash:0\r\n"
#define SECOND                                                                                     \
    "# mod_Second\r\nmod_text:a b\r\nmod_ctext:c\r\nmod_double:0.10000000000000001\r\nmod_long:-5\r\n" \
    "mod_ulong:18446744073709551615\r\nmod_di_ct_:a=1,b=2\r\nmod_empty:\r\nmod_open:d=2\r\n"

static void test_info_of_the_module(void) {
    begin();
    CHECK_EQ_STR(run_info(true, ""), ""); /* nothing is registered yet */
    CHECK_EQ_INT(tr_rm_RegisterInfoFunc(NULL, tell_all), REDISMODULE_OK);
    CHECK_EQ_STR(run_info(true, ""), "00;" FIRST "\r\n" SECOND);
    CHECK_EQ_STR(run_info(false, "mod"), "00;" FIRST "\r\n" SECOND);
    CHECK_EQ_STR(run_info(false, "MOD_second"), "10;" SECOND);
    CHECK_EQ_STR(run_info(false, "other"), "11;");
}

static void test_info_of_the_server(void) {
    begin();
    server_text = "# Server\r\na:1\r\nb:x:y\r\n\r\n# Next\r\na:2\r\nneg:-7\r\nd:0.5\r\nnothing:\r\nno colon\r\nlast:9";
    RedisModuleCtx ctx = {.flags = TR_CTX_AUTO};
    RedisModuleServerInfoData *data = tr_rm_GetServerInfo(&ctx, "server");
    CHECK_EQ_STR(said, "info server;");
    CHECK_EQ_INT(ctx.auto_count, 1);
    int bad = 99;
    CHECK_EQ_INT(tr_rm_ServerInfoGetFieldSigned(data, "a", &bad), 1); /* the first one counts */
    CHECK_EQ_INT(bad, REDISMODULE_OK);
    CHECK_EQ_STR(tr_rm_ServerInfoGetFieldC(data, "b"), "x:y");
    CHECK_EQ_STR(tr_rm_ServerInfoGetFieldC(data, "nothing"), "");
    CHECK_EQ_STR(tr_rm_ServerInfoGetFieldC(data, "last"), "9");
    CHECK(tr_rm_ServerInfoGetFieldC(data, "# Server") == NULL && tr_rm_ServerInfoGetFieldC(data, "absent") == NULL);
    CHECK_EQ_INT(tr_rm_ServerInfoGetFieldSigned(data, "neg", NULL), -7);
    CHECK_EQ_INT(tr_rm_ServerInfoGetFieldUnsigned(data, "neg", &bad), 0);
    CHECK_EQ_INT(bad, REDISMODULE_ERR);
    CHECK(tr_rm_ServerInfoGetFieldDouble(data, "d", &bad) == 0.5);
    CHECK_EQ_INT(bad, REDISMODULE_OK);
    CHECK(tr_rm_ServerInfoGetFieldDouble(data, "absent", &bad) == 0);
    CHECK_EQ_INT(bad, REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_ServerInfoGetFieldSigned(data, "d", &bad), 0);
    CHECK_EQ_INT(bad, REDISMODULE_ERR);
    RedisModuleString *s = tr_rm_ServerInfoGetField(&ctx, data, "b");
    CHECK_EQ_STR(s->p, "x:y");
    CHECK_EQ_INT(ctx.auto_count, 2);
    CHECK(tr_rm_ServerInfoGetField(&ctx, data, "absent") == NULL);
    tr_ctx_disown(&ctx, TR_AUTO_STRING, s);
    tr_string_free(s);
    tr_rm_FreeServerInfo(&ctx, data);
    CHECK_EQ_INT(ctx.auto_count, 0);
    free(ctx.autos);
    server_text = "";
    data = tr_rm_GetServerInfo(NULL, NULL);
    CHECK(tr_rm_ServerInfoGetFieldC(data, "") == NULL);
    tr_rm_FreeServerInfo(NULL, data);
}

/* ------------------------------------------------------------------ clients */

static void test_facts_of_clients(void) {
    begin();
    RedisModuleClientInfo info = REDISMODULE_CLIENTINFO_INITIALIZER_V1;
    CHECK_EQ_INT(tr_rm_GetClientInfoById(&info, 5), REDISMODULE_ERR);
    CHECK(tr_rm_GetClientUserNameById(NULL, 5) == NULL);
    CHECK_EQ_INT(errno, ENOENT);
    client = (tr_msg_client_info_answer){.found = 1, .flags = 9, .port = 6000, .db = 3, .address = BYTES("::1")};
    CHECK_EQ_INT(tr_rm_GetClientInfoById(NULL, 5), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_GetClientInfoById(&info, 5), REDISMODULE_OK);
    CHECK(info.version == 1 && info.flags == 9 && info.id == 5 && info.port == 6000 && info.db == 3);
    CHECK_EQ_STR(info.addr, "::1");
    info.version = 2;
    CHECK_EQ_INT(tr_rm_GetClientInfoById(&info, 5), REDISMODULE_ERR);
    info.version = 1;
    client.address = BYTES("a very long path of a socket that can't be shown whole in the record");
    CHECK_EQ_INT(tr_rm_GetClientInfoById(&info, 5), REDISMODULE_OK);
    CHECK_EQ_INT(strlen(info.addr), sizeof info.addr - 1);
    CHECK(tr_rm_GetClientNameById(NULL, 5) == NULL);
    CHECK(tr_rm_GetClientUserNameById(NULL, 5) == NULL);
    CHECK_EQ_INT(errno, ENOTSUP);
    client.name = BYTES("me");
    client.user = BYTES("default");
    RedisModuleString *name = tr_rm_GetClientNameById(NULL, 5), *user = tr_rm_GetClientUserNameById(NULL, 5);
    CHECK_EQ_STR(name->p, "me");
    CHECK_EQ_STR(user->p, "default");
    begin();
    CHECK_EQ_INT(tr_rm_SetClientNameById(8, name), REDISMODULE_OK);
    CHECK_EQ_STR(said, "name 8 me;");
    outcome = 1;
    CHECK_EQ_INT(tr_rm_SetClientNameById(8, name), REDISMODULE_ERR);
    CHECK_EQ_INT(errno, ENOENT);
    CHECK(tr_rm_GetClientCertificate(NULL, 1) == NULL);
    outcome = 2;
    CHECK_EQ_INT(tr_rm_SetClientNameById(8, name), REDISMODULE_ERR);
    CHECK_EQ_INT(errno, EINVAL);
    begin();
    RedisModuleString *pem = tr_rm_GetClientCertificate(NULL, 1);
    CHECK_EQ_STR(pem->p, "PEM");
    CHECK_EQ_INT(tr_rm_PublishMessage(NULL, name, user), 3);
    CHECK_EQ_INT(tr_rm_PublishMessageShard(NULL, user, name), 3);
    CHECK_EQ_STR(said, "publish 0 me default;publish 1 default me;");
    tr_string_free(name), tr_string_free(user), tr_string_free(pem);
}

static void test_facts_of_contexts(void) {
    RedisModuleCtx ctx = {.flags = TR_CTX_COMMAND,
                          .client_id = 6,
                          .context_flags = REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_MASTER,
                          .argc = 3};
    begin();
    CHECK_EQ_INT(tr_rm_GetClientId(&ctx), 6);
    CHECK_EQ_INT(tr_rm_GetContextFlags(&ctx), ctx.context_flags);
    tr_host_here.context_flags = ctx.context_flags;
    CHECK_EQ_INT(tr_rm_GetContextFlags(NULL), REDISMODULE_CTX_FLAGS_MASTER);
    CHECK_EQ_INT(tr_rm_RedactClientCommandArgument(&ctx, 2), REDISMODULE_OK);
    CHECK_EQ_STR(said, "redact 2;");
    CHECK_EQ_INT(tr_rm_RedactClientCommandArgument(&ctx, 0), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_RedactClientCommandArgument(&ctx, 3), REDISMODULE_ERR);
    ctx.flags |= TR_CTX_NO_CLIENT;
    CHECK_EQ_INT(tr_rm_RedactClientCommandArgument(&ctx, 1), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_RedactClientCommandArgument(NULL, 1), REDISMODULE_ERR);
}

int main(void) {
    RUN(test_filters);
    RUN(test_info_of_the_module);
    RUN(test_info_of_the_server);
    RUN(test_facts_of_clients);
    RUN(test_facts_of_contexts);
    return CHECK_DONE();
}
