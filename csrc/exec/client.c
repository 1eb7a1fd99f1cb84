#include "exec/client.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "exec/multi.h"

static uint32_t hash_id(uint64_t id) {
    return (uint32_t)((id * 0x9e3779b97f4a7c15u) >> 32);
}

void tr_client_init(tr_client *c, tr_exec *x, uint64_t id, uint32_t flags) {
    memset(c, 0, sizeof(*c));
    c->id = id;
    c->x = x;
    c->db = &x->store->dbs[0];
    c->flags = flags | (x->password_set ? 0 : TR_CLIENT_AUTHENTICATED);
    tr_outq_init(&c->out, &x->pool);
    c->w = (tr_writer){.q = &c->out, .proto = 2};
    c->created_us = c->active_us = x->now_us;
    c->by_id.hash = hash_id(id);
    tr_hash_insert(&x->clients, &c->by_id);
    if (!(flags & TR_CLIENT_INTERNAL)) x->client_count++;
}

static void drop_text(tr_client *c, tr_text *text) {
    tr_free(c->x->mem, text->ptr);
    *text = (tr_text){0};
}

void tr_client_release(tr_client *c) {
    tr_exec *x = c->x;
    tr_blocking_client_gone(c);
    tr_hash_unlink(&x->clients, tr_hash_link_of(&x->clients, &c->by_id));
    if (!(c->flags & TR_CLIENT_INTERNAL)) {
        tr_assert(x->client_count > 0);
        x->client_count--;
    }
    if (c->wait == TR_WAIT_PAUSE) x->paused_clients--;
    tr_multi_release(c);
    tr_free(x->mem, c->filtered);
    tr_pubsub_leave(c);
    tr_monitor_drop(c);
    tr_outq_clear(&c->out);
    drop_text(c, &c->addr);
    drop_text(c, &c->name);
    drop_text(c, &c->lib_name);
    drop_text(c, &c->lib_ver);
}

void tr_client_reset(tr_client *c) {
    uint32_t kept = TR_CLIENT_UNIX | TR_CLIENT_FED | TR_CLIENT_LOCAL | TR_CLIENT_INTERNAL |
                    TR_CLIENT_CLOSE_NOW | TR_CLIENT_CLOSE_AFTER_REPLY;
    tr_monitor_drop(c);
    c->flags &= kept;
    if (!c->x->password_set) c->flags |= TR_CLIENT_AUTHENTICATED;
    tr_multi_end(c);
    tr_pubsub_leave(c);
    c->db = &c->x->store->dbs[0];
    c->w.proto = 2;
    drop_text(c, &c->name);
}

int tr_client_set_text(tr_client *c, tr_text *text, const char *p, size_t len) {
    if (len > TR_CLIENT_NAME_MAX) return TR_EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '!' || p[i] > '~') return TR_EINVAL;
    }
    char *copy = NULL;
    if (len != 0) {
        copy = tr_alloc(c->x->mem, len);
        if (copy == NULL) return TR_ENOMEM;
        memcpy(copy, p, len);
    }
    drop_text(c, text);
    *text = (tr_text){.ptr = copy, .len = len};
    return TR_OK;
}

const char *tr_client_addr(tr_client *c, size_t *len) {
    static const char nobody[] = "?:0";
    const tr_exec_hooks *hooks = &c->x->hooks;
    char name[TR_CLIENT_ADDR_MAX];
    if (c->addr.ptr == NULL) {
        size_t n = hooks->address ? hooks->address(hooks->ctx, c, name) : 0;
        char *copy = n != 0 ? tr_alloc(c->x->mem, n) : NULL;
        if (copy == NULL) {
            *len = sizeof(nobody) - 1;
            return nobody;
        }
        memcpy(copy, name, n);
        c->addr = (tr_text){.ptr = copy, .len = n};
    }
    *len = c->addr.len;
    return c->addr.ptr;
}

static int same_id(const tr_hnode *node, const void *key, size_t len) {
    (void)len;
    return ((const tr_client *)node)->id == *(const uint64_t *)key;
}

tr_client *tr_client_by_id(tr_exec *x, uint64_t id) {
    tr_hnode **link = tr_hash_find_eq(&x->clients, hash_id(id), same_id, &id, sizeof(id));
    return link ? (tr_client *)*link : NULL;
}
