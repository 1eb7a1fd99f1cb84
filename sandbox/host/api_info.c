/* INFO: the module's sections, and the server's fields. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "sandbox/host/info.h"
#include "sandbox/host/link.h"

/* ------------------------------------------------------------------ sections of the module */

struct RedisModuleInfoCtx {
    const tr_msg_run_info *wanted;
    const char *module;
    tr_bytes text;
    bool any_section; /* was written */
    bool in_section;  /* one that is wanted */
    bool in_dict;
};

int tr_rm_RegisterInfoFunc(RedisModuleCtx *ctx, RedisModuleInfoFunc cb) {
    TR_NOTE(RegisterInfoFunc, ctx);
    tr_answer hold = {0};
    tr_msg_register_info_answer answer;
    tr_host_here.info = cb;
    tr_link_ask("RedisModule_RegisterInfoFunc", TR_MSG_REGISTER_INFO, &(tr_msg_register_info){0}, &answer, &hold);
    tr_answer_drop(&hold);
    return answer.outcome == 0 ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_InfoEndDictField(RedisModuleInfoCtx *ctx) {
    TR_NOTE(InfoEndDictField, ctx);
    if (!ctx->in_dict) return REDISMODULE_ERR;
    ctx->in_dict = false;
    if (ctx->text.p[ctx->text.len - 1] == ',') ctx->text.len--;
    tr_bytes_text(&ctx->text, "\r\n");
    return REDISMODULE_OK;
}

/* 1 when the name is among those asked for, in any case of letters. */
static int is_asked_for(const tr_msg_run_info *wanted, const char *name) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes one;
    size_t len = strlen(name);
    while (tr_wire_next(&wanted->sections, &cursor, &one)) {
        if (one.len == len && strncasecmp((const char *)one.at, name, len) == 0) return 1;
    }
    return 0;
}

int tr_rm_InfoAddSection(RedisModuleInfoCtx *ctx, const char *name) {
    TR_NOTE(InfoAddSection, ctx, name);
    tr_bytes full = {0};
    tr_bytes_text(&full, ctx->module);
    if (name != NULL && *name != '\0') tr_bytes_format(&full, "_%s", name);
    tr_bytes_add(&full, "", 1);
    if (ctx->in_dict) tr_rm_InfoEndDictField(ctx);
    ctx->in_section =
        ctx->wanted->all || is_asked_for(ctx->wanted, full.p) || is_asked_for(ctx->wanted, ctx->module);
    if (ctx->in_section) {
        tr_bytes_format(&ctx->text, "%s# %s\r\n", ctx->any_section ? "\r\n" : "", full.p);
        ctx->any_section = true;
    }
    tr_bytes_drop(&full);
    return ctx->in_section ? REDISMODULE_OK : REDISMODULE_ERR;
}

/* Names of dicts must not look like lines of their own. */
static void add_safe(tr_bytes *text, const char *name) {
    size_t len = strlen(name);
    char *to = tr_bytes_room(text, len);
    for (size_t i = 0; i < len; i++) to[i] = strchr("#:\r\n", name[i]) == NULL ? name[i] : '_';
    text->len += len;
}

int tr_rm_InfoBeginDictField(RedisModuleInfoCtx *ctx, const char *name) {
    TR_NOTE(InfoBeginDictField, ctx, name);
    if (!ctx->in_section) return REDISMODULE_ERR;
    if (ctx->in_dict) tr_rm_InfoEndDictField(ctx);
    add_safe(&ctx->text, ctx->module);
    tr_bytes_text(&ctx->text, "_");
    add_safe(&ctx->text, name);
    tr_bytes_text(&ctx->text, ":");
    ctx->in_dict = true;
    return REDISMODULE_OK;
}

static int add_field(RedisModuleInfoCtx *ctx, const char *field, const char *value, size_t len) {
    if (!ctx->in_section) return REDISMODULE_ERR;
    if (ctx->in_dict) tr_bytes_format(&ctx->text, "%s=", field);
    else tr_bytes_format(&ctx->text, "%s_%s:", ctx->module, field);
    tr_bytes_add(&ctx->text, value, len);
    tr_bytes_text(&ctx->text, ctx->in_dict ? "," : "\r\n");
    return REDISMODULE_OK;
}

int tr_rm_InfoAddFieldString(RedisModuleInfoCtx *ctx, const char *field, RedisModuleString *value) {
    TR_NOTE(InfoAddFieldString, ctx, field, value);
    return add_field(ctx, field, value->p, value->len);
}

int tr_rm_InfoAddFieldCString(RedisModuleInfoCtx *ctx, const char *field, const char *value) {
    TR_NOTE(InfoAddFieldCString, ctx, field, value);
    return add_field(ctx, field, value, strlen(value));
}

int tr_rm_InfoAddFieldDouble(RedisModuleInfoCtx *ctx, const char *field, double value) {
    TR_NOTE(InfoAddFieldDouble, ctx, field);
    char text[TR_DOUBLE_TEXT];
    return add_field(ctx, field, text, tr_num_format_double_17g(text, value));
}

int tr_rm_InfoAddFieldLongLong(RedisModuleInfoCtx *ctx, const char *field, long long value) {
    TR_NOTE(InfoAddFieldLongLong, ctx, field, value);
    char text[TR_INT_TEXT];
    return add_field(ctx, field, text, tr_num_format_int(text, value));
}

int tr_rm_InfoAddFieldULongLong(RedisModuleInfoCtx *ctx, const char *field, unsigned long long value) {
    TR_NOTE(InfoAddFieldULongLong, ctx, field, value);
    char text[TR_INT_TEXT];
    return add_field(ctx, field, text, tr_num_format_uint(text, value));
}

void tr_serve_run_info(const tr_wire_header *header, const void *body) {
    const tr_msg_run_info *m = body;
    RedisModuleInfoCtx ctx = {.wanted = m, .module = tr_host_here.module_name == NULL ? "" : tr_host_here.module_name};
    tr_host_here.depth++;
    if (tr_host_here.info != NULL) tr_host_here.info(&ctx, m->crash);
    tr_host_here.depth--;
    if (ctx.in_dict) tr_rm_InfoEndDictField(&ctx);
    tr_msg_run_info_answer answer = {
        .text = {.at = (const uint8_t *)ctx.text.p, .len = (uint32_t)ctx.text.len}};
    tr_link_answer(header, &answer);
    tr_bytes_drop(&ctx.text);
}

/* ------------------------------------------------------------------ fields of the server */

typedef struct info_field {
    const char *name;
    const char *value; /* both end with a NUL */
    size_t len;
} info_field;

struct RedisModuleServerInfoData {
    char *text; /* owned; names and values point into it */
    info_field *fields;
    size_t count;
};

/* Lines of the form name:value, the headings left out. */
static void split(RedisModuleServerInfoData *data) {
    size_t lines = 1;
    for (const char *p = data->text; (p = strstr(p, "\r\n")) != NULL; p += 2) lines++;
    data->fields = tr_need(lines * sizeof *data->fields);
    for (char *line = data->text, *next; line != NULL; line = next) {
        next = strstr(line, "\r\n");
        size_t len = next == NULL ? strlen(line) : (size_t)(next - line);
        if (next != NULL) {
            *next = '\0';
            next += 2;
        }
        char *colon = *line == '#' ? NULL : memchr(line, ':', len);
        if (colon == NULL) continue;
        *colon = '\0';
        data->fields[data->count++] =
            (info_field){.name = line, .value = colon + 1, .len = len - (size_t)(colon + 1 - line)};
    }
}

RedisModuleServerInfoData *tr_rm_GetServerInfo(RedisModuleCtx *ctx, const char *section) {
    TR_NOTE(GetServerInfo, ctx, section);
    tr_answer hold = {0};
    tr_msg_server_info ask = {0};
    tr_msg_server_info_answer answer;
    if (section != NULL) {
        ask.section = (tr_wire_bytes){.at = (const uint8_t *)section, .len = (uint32_t)strlen(section)};
    }
    tr_link_ask("RedisModule_GetServerInfo", TR_MSG_SERVER_INFO, &ask, &answer, &hold);
    RedisModuleServerInfoData *data = tr_need_zeroed(sizeof *data);
    data->text = tr_need_copy(answer.text.at, answer.text.len);
    tr_answer_drop(&hold);
    split(data);
    tr_ctx_own(ctx, TR_AUTO_INFO, data);
    return data;
}

void tr_info_free(RedisModuleServerInfoData *data) {
    free(data->text);
    free(data->fields);
    free(data);
}

void tr_rm_FreeServerInfo(RedisModuleCtx *ctx, RedisModuleServerInfoData *data) {
    TR_NOTE(FreeServerInfo, ctx, data);
    if (ctx != NULL) tr_ctx_disown(ctx, TR_AUTO_INFO, data);
    tr_info_free(data);
}

/* The first one of that name; NULL: there is none. */
static const info_field *find(const RedisModuleServerInfoData *data, const char *name) {
    for (size_t i = 0; i < data->count; i++) {
        if (strcmp(data->fields[i].name, name) == 0) return &data->fields[i];
    }
    return NULL;
}

RedisModuleString *tr_rm_ServerInfoGetField(RedisModuleCtx *ctx, RedisModuleServerInfoData *data,
                                            const char *field) {
    TR_NOTE(ServerInfoGetField, ctx, data, field);
    const info_field *found = find(data, field);
    if (found == NULL) return NULL;
    RedisModuleString *s = tr_string_new(found->value, found->len);
    tr_ctx_own(ctx, TR_AUTO_STRING, s);
    return s;
}

const char *tr_rm_ServerInfoGetFieldC(RedisModuleServerInfoData *data, const char *field) {
    TR_NOTE(ServerInfoGetFieldC, data, field);
    const info_field *found = find(data, field);
    return found == NULL ? NULL : found->value;
}

static void tell(int *out_err, int ok) {
    if (out_err != NULL) *out_err = ok ? REDISMODULE_OK : REDISMODULE_ERR;
}

long long tr_rm_ServerInfoGetFieldSigned(RedisModuleServerInfoData *data, const char *field, int *out_err) {
    TR_NOTE(ServerInfoGetFieldSigned, data, field);
    const info_field *found = find(data, field);
    int64_t value = 0;
    tell(out_err, found != NULL && tr_num_parse_int(found->value, found->len, &value));
    return value;
}

unsigned long long tr_rm_ServerInfoGetFieldUnsigned(RedisModuleServerInfoData *data, const char *field,
                                                    int *out_err) {
    TR_NOTE(ServerInfoGetFieldUnsigned, data, field);
    const info_field *found = find(data, field);
    uint64_t value = 0;
    tell(out_err, found != NULL && tr_num_parse_uint(found->value, found->len, &value));
    return value;
}

double tr_rm_ServerInfoGetFieldDouble(RedisModuleServerInfoData *data, const char *field, int *out_err) {
    TR_NOTE(ServerInfoGetFieldDouble, data, field);
    const info_field *found = find(data, field);
    double value = 0;
    tell(out_err, found != NULL && tr_num_parse_double(found->value, found->len, &value));
    return value;
}
