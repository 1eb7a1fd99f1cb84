/* What the server asks of values: each request runs a callback of the value's type. */
#include <stdlib.h>

#include "sandbox/host/digest.h"
#include "sandbox/host/host.h"
#include "sandbox/host/link.h"
#include "sandbox/host/type.h"
#include "sandbox/host/unit.h"

enum { DONE = 0, REFUSED = 1, TOO_SHORT = 2 };

/* The value, when it is of this type. NULL: it has gone since, for one because the module took it back. */
static tr_token *token_of(uint32_t type, uint64_t number) {
    tr_token *token = tr_tokens_find(tr_host_tokens(), number);
    return token != NULL && token->type->handle == type ? token : NULL;
}

/* Names are made for the call, since the callback may keep a reference. */
static RedisModuleString *name_of(const tr_wire_bytes *name) {
    return tr_string_new(name->at, name->len);
}

static tr_wire_bytes bytes_of(const tr_bytes *b) {
    return (tr_wire_bytes){.at = (const uint8_t *)b->p, .len = (uint32_t)b->len};
}

static void free_value(const RedisModuleType *type, void *value) {
    if (type->methods.free != NULL) type->methods.free(value);
}

/* ------------------------------------------------------------------ saving and loading */

void tr_serve_type_load(const tr_wire_header *header, const void *body) {
    const tr_msg_type_load *ask = body;
    tr_msg_type_load_answer answer = {.outcome = REFUSED};
    RedisModuleType *type = tr_type_by_handle(ask->type);
    if (type == NULL || type->methods.rdb_load == NULL) {
        tr_link_answer(header, &answer);
        return;
    }
    RedisModuleString *name = name_of(&ask->name);
    RedisModuleIO io = {.type = type, .db = (int)ask->db, .key = name,
                        .in = {.p = ask->payload.at, .len = ask->payload.len}};
    void *value = type->methods.rdb_load(&io, (int)ask->encver);
    if (value == NULL) {
        answer.outcome = io.failed ? TOO_SHORT : REFUSED;
    } else if (io.failed || !tr_items_end(&io.in)) {
        answer.outcome = TOO_SHORT;
        free_value(type, value);
    } else {
        answer.outcome = DONE;
        answer.token = tr_tokens_add(tr_host_tokens(), type, value);
        tr_tokens_seen(tr_host_tokens(), answer.token, (int)ask->db, name);
    }
    tr_io_release(&io);
    tr_string_free(name);
    tr_link_answer(header, &answer);
}

void tr_serve_type_save(const tr_wire_header *header, const void *body) {
    const tr_msg_type_save *ask = body;
    tr_msg_type_save_answer answer = {.outcome = REFUSED};
    tr_bytes payload = {0};
    const tr_token *token = token_of(ask->type, ask->token);
    if (token != NULL) {
        RedisModuleString *name = name_of(&ask->name);
        if (tr_type_save(token->type, token->value, (int)ask->db, name, &payload)) {
            tr_items_add_end(&payload);
            answer.outcome = DONE;
            answer.payload = bytes_of(&payload);
        }
        tr_string_free(name);
    }
    tr_link_answer(header, &answer);
    tr_bytes_drop(&payload);
}

void tr_serve_type_rewrite(const tr_wire_header *header, const void *body) {
    const tr_msg_type_rewrite *ask = body;
    tr_msg_type_rewrite_answer answer = {.outcome = REFUSED};
    const tr_token *token = token_of(ask->type, ask->token);
    if (token == NULL || token->type->methods.aof_rewrite == NULL) {
        tr_link_answer(header, &answer);
        return;
    }
    RedisModuleString *name = name_of(&ask->name);
    RedisModuleIO io = {.type = token->type, .db = (int)ask->db, .key = name, .rewrites = true};
    token->type->methods.aof_rewrite(&io, name, token->value);
    tr_wire_bytes *items = tr_argv_to_wire(io.args, (int)io.arg_count, &answer.args);
    answer.arg_counts = (tr_wire_list){.count = io.counts.count, .items = {.u64s = io.counts.at}};
    answer.outcome = io.failed ? REFUSED : DONE;
    tr_link_answer(header, &answer);
    free(items);
    tr_io_release(&io);
    tr_string_free(name);
}

void tr_serve_type_aux_save(const tr_wire_header *header, const void *body) {
    const tr_msg_type_aux_save *ask = body;
    tr_msg_type_aux_save_answer answer = {.outcome = DONE};
    const RedisModuleType *type = tr_type_by_handle(ask->type);
    RedisModuleIO io = {.type = type, .db = -1};
    if (type != NULL) {
        bool may_be_nothing = type->methods.aux_save2 != NULL;
        RedisModuleTypeAuxSaveFunc save = may_be_nothing ? type->methods.aux_save2 : type->methods.aux_save;
        if (save != NULL) {
            save(&io, ask->when);
            if (io.out.len != 0 || !may_be_nothing) tr_items_add_end(&io.out);
        }
    }
    if (io.failed) answer.outcome = REFUSED;
    else answer.payload = bytes_of(&io.out);
    tr_link_answer(header, &answer);
    tr_io_release(&io);
}

void tr_serve_type_aux_load(const tr_wire_header *header, const void *body) {
    const tr_msg_type_aux_load *ask = body;
    tr_msg_type_aux_load_answer answer = {.outcome = REFUSED};
    const RedisModuleType *type = tr_type_by_handle(ask->type);
    if (type != NULL && type->methods.aux_load != NULL) {
        RedisModuleIO io = {.type = type, .db = -1, .in = {.p = ask->payload.at, .len = ask->payload.len}};
        int rc = type->methods.aux_load(&io, (int)ask->encver, ask->when);
        if (io.failed) answer.outcome = TOO_SHORT;
        else if (rc == REDISMODULE_OK) answer.outcome = tr_items_end(&io.in) ? DONE : TOO_SHORT;
        tr_io_release(&io);
    }
    tr_link_answer(header, &answer);
}

/* ------------------------------------------------------------------ the life of a value */

void tr_serve_type_free(const tr_wire_header *header, const void *body) {
    const tr_msg_type_free *tell = body;
    (void)header;
    for (uint32_t i = 0; i < tell->tokens.count; i++) {
        uint64_t number = tr_wire_u64_at(&tell->tokens, i);
        const tr_token *token = token_of((uint32_t)tr_wire_u64_at(&tell->types, i), number);
        if (token == NULL) continue;
        const RedisModuleType *type = token->type;
        void *value = token->value;
        tr_tokens_drop(tr_host_tokens(), number);
        free_value(type, value);
    }
}

void tr_serve_type_unlink(const tr_wire_header *header, const void *body) {
    const tr_msg_type_unlink *tell = body;
    (void)header;
    const tr_token *token = token_of(tell->type, tell->token);
    if (token == NULL) return;
    const RedisModuleTypeMethods *m = &token->type->methods;
    RedisModuleString *name = name_of(&tell->name);
    RedisModuleKeyOptCtx at = {.from_key = name, .from_db = (int)tell->db, .to_db = -1};
    if (m->unlink2 != NULL) m->unlink2(&at, token->value);
    else if (m->unlink != NULL) m->unlink(name, token->value);
    tr_string_free(name);
}

void tr_serve_type_copy(const tr_wire_header *header, const void *body) {
    const tr_msg_type_copy *ask = body;
    tr_msg_type_copy_answer answer = {0};
    const tr_token *token = token_of(ask->type, ask->token);
    if (token == NULL) {
        tr_link_answer(header, &answer);
        return;
    }
    RedisModuleType *type = token->type;
    RedisModuleString *from = name_of(&ask->from_name), *to = name_of(&ask->to_name);
    RedisModuleKeyOptCtx at = {.from_key = from, .to_key = to, .from_db = (int)ask->from_db, .to_db = (int)ask->to_db};
    void *copy = NULL;
    if (type->methods.copy2 != NULL) copy = type->methods.copy2(&at, token->value);
    else if (type->methods.copy != NULL) copy = type->methods.copy(from, to, token->value);
    if (copy != NULL) {
        answer.token = tr_tokens_add(tr_host_tokens(), type, copy);
        tr_tokens_seen(tr_host_tokens(), answer.token, at.to_db, to);
        tr_unit_copied(answer.token);
    }
    tr_string_free(from);
    tr_string_free(to);
    tr_link_answer(header, &answer);
}

/* ------------------------------------------------------------------ what a value is like */

void tr_serve_type_mem_usage(const tr_wire_header *header, const void *body) {
    const tr_msg_type_mem_usage *ask = body;
    tr_msg_type_mem_usage_answer answer = {0};
    const tr_token *token = token_of(ask->type, ask->token);
    if (token != NULL) {
        const RedisModuleTypeMethods *m = &token->type->methods;
        RedisModuleString *name = name_of(&ask->name);
        RedisModuleKeyOptCtx at = {.from_key = name, .from_db = (int)ask->db, .to_db = -1};
        if (m->mem_usage2 != NULL) answer.size_bytes = m->mem_usage2(&at, token->value, (size_t)ask->samples);
        else if (m->mem_usage != NULL) answer.size_bytes = m->mem_usage(token->value);
        tr_string_free(name);
    }
    tr_link_answer(header, &answer);
}

void tr_serve_type_free_effort(const tr_wire_header *header, const void *body) {
    const tr_msg_type_free_effort *ask = body;
    tr_msg_type_free_effort_answer answer = {.effort = 1};
    const tr_token *token = token_of(ask->type, ask->token);
    if (token != NULL) {
        const RedisModuleTypeMethods *m = &token->type->methods;
        RedisModuleString *name = name_of(&ask->name);
        RedisModuleKeyOptCtx at = {.from_key = name, .from_db = (int)ask->db, .to_db = -1};
        if (m->free_effort2 != NULL) answer.effort = m->free_effort2(&at, token->value);
        else if (m->free_effort != NULL) answer.effort = m->free_effort(name, token->value);
        tr_string_free(name);
    }
    tr_link_answer(header, &answer);
}

void tr_serve_type_digest(const tr_wire_header *header, const void *body) {
    const tr_msg_type_digest *ask = body;
    tr_msg_type_digest_answer answer = {0};
    const tr_token *token = token_of(ask->type, ask->token);
    RedisModuleString *name = name_of(&ask->name);
    RedisModuleDigest digest;
    tr_digest_begin(&digest, name, (int)ask->db);
    if (token != NULL && token->type->methods.digest != NULL) token->type->methods.digest(&digest, token->value);
    answer.digest = (tr_wire_bytes){.at = tr_digest_result(&digest), .len = TR_SHA1_BYTES};
    tr_link_answer(header, &answer);
    tr_string_free(name);
}
