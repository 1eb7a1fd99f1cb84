/* Group 5: registering commands, and running them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox/host/known.h"
#include "sandbox/host/link.h"

#define FLAG_WORD_MAX 32

static bool has_word(const char *words, const char *word) {
    size_t len = strlen(word);
    while (*words != '\0') {
        size_t n = strcspn(words, " ");
        if (n == len && strncasecmp(words, word, len) == 0) return true;
        words += n;
        words += strspn(words, " ");
    }
    return false;
}

static tr_host_command *command_of(uint32_t handle) {
    for (tr_host_command *c = tr_host_here.commands; c != NULL; c = c->next) {
        if (c->handle == handle) return c;
    }
    return NULL;
}

/* What Redis refuses: it would be mistaken for a subcommand, a category, or several words. */
static bool is_name(const char *name) {
    return *name != '\0' && name[strcspn(name, " \r\n|@=,")] == '\0';
}

/* Words are separated by one space; an empty one is as wrong as an unknown one. */
static bool has_empty_word(const char *words) {
    size_t len = strlen(words);
    return len != 0 && (words[0] == ' ' || words[len - 1] == ' ' || strstr(words, "  ") != NULL);
}

/* Registers with the engine and keeps what it needs to run. NULL after errno. */
static tr_host_command *add_command(tr_host_command *parent, const char *name, RedisModuleCmdFunc run,
                                    const char *flags, int first, int last, int step) {
    if (flags == NULL) flags = "";
    if (!is_name(name) || has_empty_word(flags)) {
        errno = EINVAL;
        return NULL;
    }
    tr_msg_register_command m = {
        .parent = parent == NULL ? 0 : parent->handle,
        .name = {(const uint8_t *)name, (uint32_t)strlen(name)},
        .flags = {(const uint8_t *)flags, (uint32_t)strlen(flags)},
        .first_key = first,
        .last_key = last,
        .key_step = step,
        .container = run == NULL,
    };
    tr_msg_register_command_answer answer;
    tr_answer hold = {0};
    tr_link_ask("RedisModule_CreateCommand", TR_MSG_REGISTER_COMMAND, &m, &answer, &hold);
    tr_answer_drop(&hold);
    if (answer.outcome != 0) {
        errno = answer.outcome == 1 ? EBUSY : answer.outcome == 2 ? EINVAL : EPERM;
        return NULL;
    }
    tr_bytes full = {0};
    if (parent != NULL) tr_bytes_format(&full, "%s|", parent->fullname);
    tr_bytes_add(&full, name, strlen(name) + 1);
    tr_host_command *c = tr_need_zeroed(sizeof *c);
    c->parent = parent;
    c->handle = answer.command;
    c->fullname = full.p;
    c->run = run;
    c->getkeys = has_word(flags, "getkeys-api");
    c->getchannels = has_word(flags, "getchannels-api");
    c->next = tr_host_here.commands;
    tr_host_here.commands = c;
    return c;
}

int tr_rm_CreateCommand(RedisModuleCtx *ctx, const char *name, RedisModuleCmdFunc cmdfunc, const char *strflags,
                        int firstkey, int lastkey, int keystep) {
    TR_NOTE(CreateCommand, ctx, name, cmdfunc);
    if (!tr_host_here.loading) return REDISMODULE_ERR;
    tr_host_command *c = add_command(NULL, name, cmdfunc, strflags, firstkey, lastkey, keystep);
    return c == NULL ? REDISMODULE_ERR : REDISMODULE_OK;
}

int tr_rm_CreateSubcommand(RedisModuleCommand *parent, const char *name, RedisModuleCmdFunc cmdfunc,
                           const char *strflags, int firstkey, int lastkey, int keystep) {
    TR_NOTE(CreateSubcommand, parent, name, cmdfunc);
    tr_host_command *container = (tr_host_command *)(void *)parent;
    if (!tr_host_here.loading || container->parent != NULL || container->run != NULL) return REDISMODULE_ERR;
    tr_host_command *c = add_command(container, name, cmdfunc, strflags, firstkey, lastkey, keystep);
    return c == NULL ? REDISMODULE_ERR : REDISMODULE_OK;
}

/* Only its own: a module gets no hold of others' commands. */
RedisModuleCommand *tr_rm_GetCommand(RedisModuleCtx *ctx, const char *name) {
    TR_NOTE(GetCommand, ctx, name);
    for (tr_host_command *c = tr_host_here.commands; c != NULL; c = c->next) {
        if (strcasecmp(c->fullname, name) == 0) return (RedisModuleCommand *)(void *)c;
    }
    return NULL;
}

static void answer_command(const tr_wire_header *header, RedisModuleCtx *ctx) {
    tr_reply *r = &ctx->reply;
    tr_reply_finish(r);
    if (r->failed) ctx->effects |= TR_EFFECT_FAILED;
    tr_wire_bytes *codes = r->code_count == 0 ? NULL : tr_need(r->code_count * sizeof *codes);
    const char *code = r->codes.p;
    for (uint32_t i = 0; i < r->code_count; i++) {
        codes[i] = (tr_wire_bytes){(const uint8_t *)code, (uint32_t)strlen(code)};
        code += codes[i].len + 1;
    }
    tr_msg_run_command_answer answer = {
        .reply = {(const uint8_t *)r->out.p, (uint32_t)r->out.len},
        .effects = ctx->effects,
        .error_codes = {.count = r->code_count, .items.texts = codes},
        .positions = {.count = ctx->positions.count, .items.u64s = ctx->positions.at},
        .position_flags = {.count = ctx->position_flags.count, .items.u64s = ctx->position_flags.at},
        .redacted = {.count = ctx->redacted.count, .items.u64s = ctx->redacted.at},
    };
    tr_link_answer(header, &answer);
    free(codes);
}

void tr_serve_run_command(const tr_wire_header *header, const void *body) {
    const tr_msg_run_command *m = body;
    tr_host_command *c = command_of(m->command);
    if (c == NULL || c->run == NULL) tr_host_die(TR_DIE_HOST, "the server runs a command that is not there");
    tr_host_here.now_us = m->now_us;
    tr_host_here.context_flags = m->context_flags;
    RedisModuleCtx ctx;
    tr_ctx_init(&ctx, TR_CTX_COMMAND | (m->purpose == 1 ? TR_CTX_KEYS : 0) | (m->purpose == 2 ? TR_CTX_CHANNELS : 0));
    ctx.command = c;
    ctx.client_id = m->client_id;
    ctx.client_flags = m->client_flags;
    ctx.context_flags = m->context_flags;
    ctx.db = m->db;
    ctx.reply.resp = m->resp;
    if (m->user.len != 0) ctx.user_name = tr_string_new(m->user.at, m->user.len);
    ctx.argv = tr_argv_from_wire(&m->argv, &ctx.argc);
    ctx.known = tr_known_take(header->request_id);
    tr_note(header->type, TR_RECORDER_CALLBACK, m->command, m->client_id, (uint64_t)ctx.argc, 0);
    c->run(&ctx, ctx.argv, ctx.argc);
    tr_ctx_end(&ctx);
    answer_command(header, &ctx);
    tr_ctx_release(&ctx);
}
