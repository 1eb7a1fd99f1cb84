#include "sandbox/host/known.h"

#include <stdlib.h>
#include <string.h>

#include "sandbox/host/key.h"
#include "sandbox/host/link.h"
#include "sandbox/host/unit.h"

#define KEYS_MAX 8 /* as the message has it */

typedef struct tr_known {
    struct tr_known *next;
    uint64_t unit;
    uint64_t seen;
    uint32_t db;
    uint32_t count;
    uint32_t positions[KEYS_MAX];
    tr_msg_open_key_answer keys[KEYS_MAX];
    char values[]; /* one after the other */
} tr_known;

static struct {
    tr_known *first, **end;
    uint64_t changed[TR_KNOWN_CHANGES]; /* number of the message; 0: never */
    uint64_t all_changed;
    uint64_t open[TR_KNOWN_HANDLES / 64];
} here;

void tr_serve_known_keys(const tr_wire_header *header, const void *body) {
    const tr_msg_known_keys *m = body;
    (void)header;
    size_t bytes = 0;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes value;
    while (tr_wire_next(&m->values, &cursor, &value)) bytes += value.len;
    tr_known *known = tr_need(sizeof *known + bytes);
    *known = (tr_known){.unit = m->unit, .seen = m->seen, .db = m->db, .count = m->positions.count};
    char *at = known->values;
    cursor = (tr_wire_cursor){0};
    for (uint32_t i = 0; i < known->count; i++) {
        tr_wire_next(&m->values, &cursor, &value);
        if (value.len != 0) memcpy(at, value.at, value.len);
        known->positions[i] = (uint32_t)tr_wire_u64_at(&m->positions, i);
        known->keys[i] = (tr_msg_open_key_answer){
            .kind = (uint8_t)tr_wire_u64_at(&m->kinds, i),
            .length = tr_wire_u64_at(&m->lengths, i),
            .expire_ms = tr_wire_i64_at(&m->expires_ms, i),
            .type = (uint32_t)tr_wire_u64_at(&m->types, i),
            .token = tr_wire_u64_at(&m->tokens, i),
            .value = {.at = (const uint8_t *)at, .len = value.len},
        };
        at += value.len;
    }
    if (here.first == NULL) here.end = &here.first;
    *here.end = known;
    here.end = &known->next;
}

tr_known *tr_known_take(uint64_t request_id) {
    tr_known *known = here.first;
    if (known == NULL || known->unit != request_id) return NULL; /* they come in the order of the commands */
    here.first = known->next;
    return known;
}

void tr_known_free(tr_known *known) {
    free(known);
}

/* ------------------------------------------------------------------ what we have changed */

static uint64_t *place_of(uint32_t db, const char *name, size_t len) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ db;
    for (size_t i = 0; i < len; i++) hash = (hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
    return &here.changed[(hash ^ hash >> 32) & (TR_KNOWN_CHANGES - 1)];
}

/* The message that changes it is the one before this number, or this one. */
static uint64_t number_now(void) {
    return tr_host_here.ring.stats.messages_out + 1;
}

void tr_known_changed(uint32_t db, const RedisModuleString *name) {
    *place_of(db, name->p, name->len) = number_now();
}

void tr_known_all_changed(void) {
    here.all_changed = number_now();
}

/* ------------------------------------------------------------------ handles of our choice */

/* 0: all are open. */
static uint32_t choose(void) {
    for (uint32_t i = 0; i < TR_KNOWN_HANDLES / 64; i++) {
        if (here.open[i] == UINT64_MAX) continue;
        uint32_t bit = (uint32_t)__builtin_ctzll(~here.open[i]);
        here.open[i] |= UINT64_C(1) << bit;
        return TR_KNOWN_HANDLE + i * 64 + bit;
    }
    return 0;
}

void tr_known_close(uint32_t handle) {
    if (handle < TR_KNOWN_HANDLE) return;
    uint32_t at = handle - TR_KNOWN_HANDLE;
    here.open[at / 64] &= ~(UINT64_C(1) << at % 64);
}

void tr_known_close_all(void) {
    memset(here.open, 0, sizeof here.open);
}

/* ------------------------------------------------------------------ opening */

static const tr_msg_open_key_answer *find(const RedisModuleCtx *ctx, uint32_t db, const RedisModuleString *name) {
    const tr_known *known = ctx->known;
    if (known->db != db || here.all_changed > known->seen) return NULL;
    for (uint32_t i = 0; i < known->count; i++) {
        if (known->positions[i] >= (uint32_t)ctx->argc) continue;
        const RedisModuleString *arg = ctx->argv[known->positions[i]];
        if (arg->len != name->len || memcmp(arg->p, name->p, name->len) != 0) continue;
        return *place_of(db, name->p, name->len) > known->seen ? NULL : &known->keys[i];
    }
    return NULL;
}

int tr_known_open(RedisModuleCtx *ctx, uint32_t db, const RedisModuleString *name, int mode,
                  tr_msg_open_key_answer *out) {
    if (ctx == NULL || ctx->known == NULL || mode & ~(REDISMODULE_READ | REDISMODULE_WRITE)) return 0;
    tr_keys_flush(); /* what was written to copies is a change, too */
    const tr_msg_open_key_answer *told = find(ctx, db, name);
    if (told == NULL) return 0;
    *out = *told;
    if (told->kind != REDISMODULE_KEYTYPE_EMPTY || mode & REDISMODULE_WRITE) {
        out->key = choose();
        if (out->key == 0) return 0;
    }
    tr_msg_open_known m = {.key = out->key, .db = db, .mode = (uint32_t)mode, .name = tr_string_wire(name)};
    tr_link_tell("OpenKey", TR_MSG_OPEN_KNOWN, &m);
    const tr_msg_open_key asked = {.db = db, .mode = (uint32_t)mode, .name = m.name};
    tr_unit_hears(TR_MSG_OPEN_KEY, &asked, out);
    return 1;
}
