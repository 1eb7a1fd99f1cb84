#include "sandbox/host/key.h"

#include <stdlib.h>
#include <string.h>

#include "sandbox/host/baton.h"
#include "sandbox/host/known.h"
#include "sandbox/host/link.h"

#define QUIET REDISMODULE_OPEN_KEY_NOEFFECTS

RedisModuleKey *tr_key_new(RedisModuleCtx *ctx, RedisModuleString *name, uint32_t db, int mode) {
    RedisModuleKey *key = tr_need_zeroed(sizeof *key);
    key->ctx = ctx;
    key->name = tr_string_hold(name);
    key->db = db;
    key->mode = mode;
    key->expire_ms = -1;
    key->epoch = tr_host_here.keys_epoch;
    key->next = ctx->keys;
    if (ctx->keys != NULL) ctx->keys->prev = key;
    ctx->keys = key;
    return key;
}

/* ------------------------------------------------------------------ what is known */

static void forget_value(RedisModuleKey *key) {
    free(key->value);
    key->value = NULL;
    key->have = 0;
}

static void learn(RedisModuleKey *key, const tr_msg_open_key_answer *answer) {
    forget_value(key);
    key->kind = answer->kind;
    key->length = answer->length;
    key->expire_ms = answer->expire_ms;
    key->type = answer->type;
    key->token = answer->token;
    key->epoch = tr_host_here.keys_epoch;
    if (answer->kind != REDISMODULE_KEYTYPE_STRING) return;
    key->value = tr_need_copy(answer->value.at, answer->value.len);
    key->have = answer->value.len;
}

/* Asks with this mode; the handle that came, learnt or not. */
static uint32_t open_with(RedisModuleKey *key, int mode) {
    tr_msg_open_key m = {.db = key->db,
                         .mode = (uint32_t)mode,
                         .want_bytes = TR_KEY_WINDOW_BYTES,
                         .name = tr_string_wire(key->name)};
    tr_msg_open_key_answer out;
    tr_answer answer = {0};
    tr_link_ask("OpenKey", TR_MSG_OPEN_KEY, &m, &out, &answer);
    learn(key, &out);
    tr_answer_drop(&answer);
    return out.key;
}

static void close_handle(uint32_t handle) {
    tr_msg_close_key m = {.key = handle};
    if (handle == 0) return;
    tr_link_tell("CloseKey", TR_MSG_CLOSE_KEY, &m);
    tr_known_close(handle);
}

static int has_handle(const RedisModuleKey *key) {
    return key->handle != 0 && key->floor == tr_host_here.floors;
}

void tr_key_open(RedisModuleKey *key) {
    tr_msg_open_key_answer known;
    if (tr_known_open(key->ctx, key->db, key->name, key->mode, &known)) {
        learn(key, &known);
        key->handle = known.key;
    } else {
        key->handle = open_with(key, key->mode);
    }
    key->floor = tr_host_here.floors;
}

uint32_t tr_key_handle(RedisModuleKey *key) {
    if (has_handle(key)) return key->handle;
    key->handle = open_with(key, (key->mode & (REDISMODULE_READ | REDISMODULE_WRITE)) | QUIET);
    key->floor = tr_host_here.floors;
    return key->handle;
}

void tr_key_refresh(RedisModuleKey *key) {
    if (key->epoch == tr_host_here.keys_epoch && key->floor == tr_host_here.floors) return;
    if (key->floor != tr_host_here.floors) {
        key->handle = 0;
        tr_key_handle(key);
        return;
    }
    close_handle(open_with(key, REDISMODULE_READ | QUIET));
}

void tr_key_changed(RedisModuleKey *key) {
    tr_keys_changed();
    tr_known_changed(key->db, key->name);
    key->epoch = tr_host_here.keys_epoch;
    forget_value(key);
}

void tr_key_emptied(RedisModuleKey *key) {
    tr_key_changed(key);
    key->kind = REDISMODULE_KEYTYPE_EMPTY;
    key->length = key->token = 0;
    key->type = 0;
    key->expire_ms = -1;
}

/* ------------------------------------------------------------------ copies that the module writes to */

/* Sends the part that differs from what was there. */
static void send_written(RedisModuleKey *key) {
    size_t first = 0, end = key->dma_len;
    if (memcmp(key->dma, key->dma_was, key->dma_len) == 0) return;
    while (key->dma[first] == key->dma_was[first]) first++;
    while (key->dma[end - 1] == key->dma_was[end - 1]) end--;
    memcpy(key->dma_was + first, key->dma + first, end - first);
    uint32_t handle = tr_key_handle(key);
    if (handle == 0) return;
    tr_msg_string_write m = {.key = handle,
                             .offset = first,
                             .value = {.at = (const uint8_t *)key->dma + first, .len = (uint32_t)(end - first)}};
    int known = key->epoch == tr_host_here.keys_epoch;
    tr_link_tell("StringDMA", TR_MSG_STRING_WRITE, &m);
    forget_value(key);
    tr_keys_changed();
    tr_known_changed(key->db, key->name);
    if (known) key->epoch = key->dma_epoch = tr_host_here.keys_epoch;
}

void tr_keys_flush(void) {
    tr_host *h = &tr_host_here;
    RedisModuleKey *list = h->dma_keys;
    if (list == NULL) return;
    h->dma_keys = NULL; /* sending flushes too */
    for (RedisModuleKey *key = list; key != NULL; key = key->next_dma) send_written(key);
    h->dma_keys = list;
}

void tr_keys_floor_ends(void) {
    tr_host *h = &tr_host_here;
    tr_keys_flush();
    if (h->depth > 1) return;
    h->floors++;
    tr_known_close_all();
    for (; h->dma_keys != NULL; h->dma_keys = h->dma_keys->next_dma) h->dma_keys->writes_dma = 0;
}

/* The whole string, copied to p; 0: it is another value by now. */
static int fetch(RedisModuleKey *key, char *p) {
    if (key->value != NULL && key->have == key->length) {
        memcpy(p, key->value, key->have);
        return 1;
    }
    uint32_t handle = tr_key_handle(key);
    if (handle == 0) return 0;
    tr_msg_string_get m = {.key = handle, .bytes_max = key->length};
    tr_msg_string_get_answer out;
    tr_answer answer = {0};
    tr_link_ask("StringDMA", TR_MSG_STRING_GET, &m, &out, &answer);
    int good = out.outcome == 0 && out.value.len == key->length;
    if (good && out.value.len != 0) memcpy(p, out.value.at, out.value.len);
    tr_answer_drop(&answer);
    return good;
}

/* Makes the copy true; where its length is the same it stays in its place. */
static int load_dma(RedisModuleKey *key) {
    char *p = tr_need(key->length + 1);
    if (!fetch(key, p)) {
        free(p);
        return 0;
    }
    p[key->length] = '\0';
    if (key->dma != NULL && key->dma_len == key->length) {
        memcpy(key->dma, p, key->length);
        if (key->dma_was != NULL) memcpy(key->dma_was, p, key->length);
        free(p);
    } else {
        tr_key_drop_dma(key);
        key->dma = p;
        key->dma_len = key->length;
    }
    key->dma_epoch = key->epoch;
    return 1;
}

char *tr_key_dma(RedisModuleKey *key, int write, size_t *len) {
    tr_host *h = &tr_host_here;
    int good = key->dma != NULL && key->dma_epoch == key->epoch && key->dma_len == key->length;
    if (!good && !load_dma(key)) return NULL;
    if (write && !key->writes_dma) {
        free(key->dma_was);
        key->dma_was = tr_need_copy(key->dma, key->dma_len);
        key->writes_dma = 1;
        key->next_dma = h->dma_keys;
        h->dma_keys = key;
    }
    *len = key->dma_len;
    return key->dma;
}

void tr_key_drop_dma(RedisModuleKey *key) {
    if (key->writes_dma) {
        RedisModuleKey **link = &tr_host_here.dma_keys;
        while (*link != key) link = &(*link)->next_dma;
        *link = key->next_dma;
        key->writes_dma = 0;
    }
    free(key->dma);
    free(key->dma_was);
    key->dma = key->dma_was = NULL;
}

/* ------------------------------------------------------------------ the end */

void tr_key_close(RedisModuleKey *key) {
    RedisModuleCtx *ctx = key->ctx;
    tr_ctx_disown(ctx, TR_AUTO_KEY, key);
    if (key->iterator_free != NULL) key->iterator_free(key);
    if (tr_baton_mine()) { /* else the floor has ended, and its handles with it */
        if (key->writes_dma) tr_keys_flush();
        if (has_handle(key)) close_handle(key->handle);
    }
    tr_key_drop_dma(key);
    if (key->prev != NULL) key->prev->next = key->next;
    else ctx->keys = key->next;
    if (key->next != NULL) key->next->prev = key->prev;
    forget_value(key);
    tr_string_free(key->name);
    free(key);
}

void tr_keys_close(RedisModuleCtx *ctx) {
    while (ctx->keys != NULL) tr_key_close(ctx->keys);
}
