#include "exec/multi.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/siphash.h"
#include "exec/exec.h"

#define QUEUE_FIRST 8 /* slots of a new queue */

/* A key that somebody watches, in tr_exec.watched. */
typedef struct tr_watch_key {
    tr_hnode node;
    tr_watched *first;
    int db_id;
    size_t len;
    char key[];
} tr_watch_key;

typedef struct key_ref {
    int db_id;
    const char *key;
    size_t len;
} key_ref;

static int same_key(const tr_hnode *node, const void *want, size_t len) {
    (void)len;
    const tr_watch_key *k = (const tr_watch_key *)node;
    const key_ref *ref = want;
    return k->db_id == ref->db_id && k->len == ref->len && memcmp(k->key, ref->key, ref->len) == 0;
}

static uint32_t hash_ref(const tr_exec *x, const key_ref *ref) {
    return (uint32_t)tr_siphash(ref->key, ref->len, x->store->hash_key) ^ (uint32_t)ref->db_id * 0x9e3779b9u;
}

static tr_watch_key *find_key(tr_exec *x, const key_ref *ref) {
    tr_hnode **link = tr_hash_find_eq(&x->watched, hash_ref(x, ref), same_key, ref, 0);
    return link ? (tr_watch_key *)*link : NULL;
}

static tr_multi *state_of(tr_client *c) {
    if (c->multi == NULL) c->multi = tr_zalloc(c->x->mem, sizeof(tr_multi));
    return c->multi;
}

static void drop_state(tr_client *c) {
    tr_multi *m = c->multi;
    if (m == NULL || m->active || m->running || m->watched != NULL) return;
    tr_free(c->x->mem, m->queue);
    tr_free(c->x->mem, m);
    c->multi = NULL;
}

int tr_multi_begin(tr_client *c) {
    tr_multi *m = state_of(c);
    if (m == NULL) return TR_ENOMEM;
    m->active = 1;
    return TR_OK;
}

void tr_multi_abort(tr_client *c) {
    if (tr_multi_active(c)) c->multi->aborted = 1;
}

static int grow_queue(tr_client *c, tr_multi *m) {
    if (m->count < m->cap) return TR_OK;
    int cap = m->cap ? m->cap * 2 : QUEUE_FIRST;
    tr_queued *queue = tr_realloc(c->x->mem, m->queue, (size_t)cap * sizeof(*queue));
    if (queue == NULL) return TR_ENOMEM;
    m->queue = queue;
    m->cap = cap;
    return TR_OK;
}

/* One allocation: the argument table and the bytes of those that have no blob. NULL: no memory. */
static tr_arg *copy_args(tr_client *c, size_t *bytes) {
    size_t size = (size_t)c->argc * sizeof(tr_arg);
    for (int i = 0; i < c->argc; i++) size += c->argv[i].blob ? 0 : c->argv[i].len;
    tr_arg *argv = tr_alloc(c->x->mem, size);
    if (argv == NULL) return NULL;
    char *at = (char *)(argv + c->argc);
    *bytes = tr_mem_size(argv);
    for (int i = 0; i < c->argc; i++) {
        argv[i] = c->argv[i];
        if (argv[i].blob != NULL) {
            tr_blob_share(argv[i].blob);
            *bytes += argv[i].len;
            continue;
        }
        memcpy(at, argv[i].ptr, argv[i].len);
        argv[i].ptr = at;
        at += argv[i].len;
    }
    return argv;
}

int tr_multi_queue(tr_client *c, const tr_command *cmd) {
    tr_multi *m = c->multi;
    tr_assert(tr_multi_active(c));
    size_t bytes = 0;
    tr_arg *argv = grow_queue(c, m) == TR_OK ? copy_args(c, &bytes) : NULL;
    if (argv == NULL) {
        m->aborted = 1;
        return TR_ENOMEM;
    }
    m->queue[m->count++] = (tr_queued){.cmd = cmd, .argv = argv, .argc = c->argc};
    m->flags |= cmd->flags;
    m->bytes += bytes;
    return TR_OK;
}

static void drop_queue(tr_client *c) {
    tr_multi *m = c->multi;
    for (int i = 0; i < m->count; i++) {
        for (int j = 0; j < m->queue[i].argc; j++) tr_blob_drop(c->x->mem, m->queue[i].argv[j].blob);
        tr_free(c->x->mem, m->queue[i].argv);
    }
    m->count = 0;
    m->bytes = 0;
    m->flags = 0;
    m->active = m->aborted = m->running = 0;
}

void tr_multi_end(tr_client *c) {
    if (c->multi == NULL) return;
    drop_queue(c);
    tr_multi_unwatch(c);
}

void tr_multi_release(tr_client *c) {
    tr_multi_end(c);
    tr_assert(c->multi == NULL);
}

size_t tr_multi_memory(const tr_client *c) {
    const tr_multi *m = c->multi;
    if (m == NULL) return 0;
    size_t table = m->queue ? tr_mem_size(m->queue) : 0;
    return tr_mem_size(m) + table + m->bytes + (size_t)m->watched_count * sizeof(tr_watched);
}

static tr_watch_key *key_for(tr_exec *x, const key_ref *ref) {
    tr_watch_key *k = find_key(x, ref);
    if (k != NULL) return k;
    k = tr_alloc(x->mem, sizeof(*k) + ref->len);
    if (k == NULL) return NULL;
    *k = (tr_watch_key){.node = {.hash = hash_ref(x, ref)}, .db_id = ref->db_id, .len = ref->len};
    memcpy(k->key, ref->key, ref->len);
    tr_hash_insert(&x->watched, &k->node);
    x->store->wants |= TR_WANTS_CHANGED;
    return k;
}

static void drop_key_if_unused(tr_exec *x, tr_watch_key *k) {
    if (k->first != NULL) return;
    tr_hash_unlink(&x->watched, tr_hash_link_of(&x->watched, &k->node));
    tr_free(x->mem, k);
    if (tr_hash_count(&x->watched) == 0 && x->blocking.removals == 0) x->store->wants &= ~TR_WANTS_CHANGED;
}

int tr_multi_watch(tr_client *c, const tr_arg *key) {
    tr_exec *x = c->x;
    key_ref ref = {.db_id = c->db->id, .key = key->ptr, .len = key->len};
    tr_multi *m = state_of(c);
    if (m == NULL) return TR_ENOMEM;
    for (const tr_watched *w = m->watched; w != NULL; w = w->next) {
        if (same_key(&w->key->node, &ref, 0)) return TR_OK;
    }
    tr_watched *w = tr_zalloc(x->mem, sizeof(*w));
    tr_watch_key *k = w ? key_for(x, &ref) : NULL;
    if (k == NULL) {
        tr_free(x->mem, w);
        drop_state(c);
        return TR_ENOMEM;
    }
    const tr_entry *e = tr_db_peek(c->db, key->ptr, key->len);
    *w = (tr_watched){.next = m->watched, .next_on_key = k->first, .key = k, .client = c};
    w->expired = e != NULL && tr_db_is_expired(c->db, e);
    if (k->first) k->first->prev_on_key = w;
    k->first = w;
    m->watched = w;
    m->watched_count++;
    return TR_OK;
}

void tr_multi_unwatch(tr_client *c) {
    tr_multi *m = c->multi;
    if (m == NULL) return;
    while (m->watched != NULL) {
        tr_watched *w = m->watched;
        m->watched = w->next;
        if (w->prev_on_key) w->prev_on_key->next_on_key = w->next_on_key;
        else w->key->first = w->next_on_key;
        if (w->next_on_key) w->next_on_key->prev_on_key = w->prev_on_key;
        drop_key_if_unused(c->x, w->key);
        tr_free(c->x->mem, w);
    }
    m->watched_count = 0;
    m->touched = 0;
    drop_state(c);
}

int tr_multi_is_stale(tr_client *c) {
    const tr_multi *m = c->multi;
    if (m->touched) return 1;
    for (const tr_watched *w = m->watched; w != NULL; w = w->next) {
        if (w->expired) continue;
        tr_db *db = &c->x->store->dbs[w->key->db_id];
        const tr_entry *e = tr_db_peek(db, w->key->key, w->key->len);
        if (e != NULL && tr_db_is_expired(db, e)) return 1;
    }
    return 0;
}

/* gone: the key is not there (any more). */
static void touch(tr_watch_key *k, int gone) {
    for (tr_watched *w = k->first; w != NULL; w = w->next_on_key) {
        if (w->expired && gone) {
            w->expired = 0; /* the one that was due has gone: no change */
        } else {
            w->client->multi->touched = 1;
        }
    }
}

void tr_multi_key_changed(tr_exec *x, tr_db *db, const char *key, size_t len) {
    key_ref ref = {.db_id = db->id, .key = key, .len = len};
    tr_watch_key *k = find_key(x, &ref);
    if (k == NULL) return;
    const tr_entry *e = tr_db_peek(db, key, len);
    touch(k, e == NULL || tr_db_is_expired(db, e));
}

typedef struct sweep {
    tr_exec *x;
    int a, b; /* databases; -1: all */
} sweep;

static int holds(tr_exec *x, int db_id, const tr_watch_key *k) {
    return tr_db_peek(&x->store->dbs[db_id], k->key, k->len) != NULL;
}

static void sweep_key(void *ctx, tr_hnode *node) {
    const sweep *s = ctx;
    tr_watch_key *k = (tr_watch_key *)node;
    if (s->a != -1 && k->db_id != s->a && k->db_id != s->b) return;
    if (holds(s->x, k->db_id, k) || (s->a != -1 && (holds(s->x, s->a, k) || holds(s->x, s->b, k)))) touch(k, 0);
}

static void sweep_all(tr_exec *x, int a, int b) {
    sweep s = {.x = x, .a = a, .b = b};
    if (tr_hash_count(&x->watched) == 0) return;
    uint64_t cursor = 0;
    do cursor = tr_hash_scan(&x->watched, cursor, sweep_key, &s);
    while (cursor != 0);
}

void tr_multi_flushed(tr_exec *x, int db_id) {
    sweep_all(x, db_id, db_id);
}

void tr_multi_swapped(tr_exec *x, int a, int b) {
    sweep_all(x, a, b);
}
