#include "exec/blocking.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/siphash.h"
#include "exec/exec.h"

typedef struct tr_wait_key {
    tr_hnode node;
    tr_wait_link *first, *last;
    struct tr_wait_key *next_ready;
    uint8_t ready;   /* is in the ready list */
    uint8_t held;    /* is being served: must stay */
    int db_id;
    size_t len;
    char key[];
} tr_wait_key;

typedef struct key_ref {
    int db_id;
    const char *key;
    size_t len;
} key_ref;

static int same_key(const tr_hnode *node, const void *want, size_t unused) {
    (void)unused;
    const tr_wait_key *k = (const tr_wait_key *)node;
    const key_ref *ref = want;
    return k->db_id == ref->db_id && k->len == ref->len && memcmp(k->key, ref->key, ref->len) == 0;
}

static uint32_t hash_of(const tr_blocking *b, const key_ref *ref) {
    return (uint32_t)tr_siphash(ref->key, ref->len, b->x->store->hash_key) ^ (uint32_t)ref->db_id * 0x9e3779b9u;
}

static tr_wait_key *find_key(tr_blocking *b, const key_ref *ref) {
    tr_hnode **link = tr_hash_find_eq(&b->keys, hash_of(b, ref), same_key, ref, 0);
    return link == NULL ? NULL : (tr_wait_key *)*link;
}

void tr_blocking_init(tr_blocking *b, tr_exec *x) {
    memset(b, 0, sizeof *b);
    b->x = x;
    tr_hash_init(&b->keys, x->mem, same_key);
    tr_ttlheap_init(&b->deadlines, x->mem, offsetof(tr_waiter, slot));
}

void tr_blocking_close(tr_blocking *b) {
    tr_assert(b->clients == 0);
    tr_blocking_serve(b); /* keys that were signalled and that nobody waits for any more */
    tr_assert(tr_hash_count(&b->keys) == 0);
    tr_hash_release(&b->keys);
    tr_ttlheap_release(&b->deadlines);
}

/* The store tells of keys that come and go only while somebody waits for that. */
static void set_wants(tr_blocking *b) {
    tr_exec *x = b->x;
    if (b->key_waiters != 0) x->store->wants |= TR_WANTS_ADDED;
    else x->store->wants &= ~TR_WANTS_ADDED;
    if (b->removals != 0) x->store->wants |= TR_WANTS_CHANGED;
    else if (tr_hash_count(&x->watched) == 0) x->store->wants &= ~TR_WANTS_CHANGED;
}

/* ------------------------------------------------------------------ links */

static tr_wait_key *key_for(tr_blocking *b, const key_ref *ref) {
    tr_wait_key *k = find_key(b, ref);
    if (k != NULL) return k;
    k = tr_alloc(b->x->mem, sizeof *k + ref->len);
    if (k == NULL) return NULL;
    *k = (tr_wait_key){.node = {.hash = hash_of(b, ref)}, .db_id = ref->db_id, .len = ref->len};
    memcpy(k->key, ref->key, ref->len);
    tr_hash_insert(&b->keys, &k->node);
    return k;
}

static void drop_key_if_unused(tr_blocking *b, tr_wait_key *k) {
    if (k->first != NULL || k->ready || k->held) return;
    tr_hash_unlink(&b->keys, tr_hash_link_of(&b->keys, &k->node));
    tr_free(b->x->mem, k);
}

static void join(tr_wait_key *k, tr_wait_link *link) {
    link->key = k;
    link->prev = k->last;
    if (k->last != NULL) k->last->next = link;
    else k->first = link;
    k->last = link;
}

static void part(tr_blocking *b, tr_wait_link *link) {
    tr_wait_key *k = link->key;
    if (link->prev != NULL) link->prev->next = link->next;
    else k->first = link->next;
    if (link->next != NULL) link->next->prev = link->prev;
    else k->last = link->prev;
    drop_key_if_unused(b, k);
}

static void drop_links(tr_blocking *b, tr_waiter *w) {
    if (w->links == NULL) return;
    for (uint32_t i = 0; i < w->link_count; i++) part(b, &w->links[i]);
    tr_free(b->x->mem, w->links);
    w->links = NULL;
    w->link_count = 0;
    b->key_waiters--;
    if (w->on_removal) b->removals--;
    set_wants(b);
}

static int has_link(const tr_waiter *w, const tr_wait_key *k) {
    /* One that has joined the key already is its last, if it is this waiter's. */
    return k->last != NULL && k->last->waiter == w;
}

static int add_links(tr_blocking *b, tr_waiter *w, int db_id, const tr_arg *keys, uint32_t count) {
    if (count == 0) return TR_OK;
    w->links = tr_zalloc(b->x->mem, count * sizeof *w->links);
    if (w->links == NULL) return TR_ENOMEM;
    b->key_waiters++;
    if (w->on_removal) b->removals++;
    for (uint32_t i = 0; i < count; i++) {
        key_ref ref = {db_id, keys[i].ptr, keys[i].len};
        tr_wait_key *k = key_for(b, &ref);
        if (k == NULL) {
            drop_links(b, w);
            return TR_ENOMEM;
        }
        if (has_link(w, k)) continue;
        tr_wait_link *link = &w->links[w->link_count++];
        link->waiter = w;
        join(k, link);
    }
    set_wants(b);
    return TR_OK;
}

/* ------------------------------------------------------------------ waiting */

int tr_blocking_wait(tr_blocking *b, tr_waiter *w, tr_client *c, int db_id, const tr_arg *keys, uint32_t count,
                     int64_t deadline_ms) {
    tr_assert(c->waiter == NULL && w->client == NULL && w->ops != NULL);
    w->links = NULL;
    w->link_count = 0;
    w->slot = 0;
    int rc = add_links(b, w, db_id, keys, count);
    if (rc == TR_OK && deadline_ms != TR_BLOCKING_FOREVER) rc = tr_ttlheap_add(&b->deadlines, w, deadline_ms);
    if (rc != TR_OK) {
        drop_links(b, w);
        return TR_ENOMEM;
    }
    w->client = c;
    c->waiter = w;
    b->clients++;
    return TR_OK;
}

void tr_blocking_forget(tr_blocking *b, tr_waiter *w) {
    drop_links(b, w);
    if (w->slot != 0) tr_ttlheap_drop(&b->deadlines, w->slot);
}

void tr_blocking_release(tr_blocking *b, tr_waiter *w) {
    if (w->client == NULL) return;
    tr_assert(w->client->waiter == w);
    tr_blocking_forget(b, w);
    w->client->waiter = NULL;
    w->client = NULL;
    b->clients--;
}

int tr_blocking_unblock(tr_client *c, tr_unblock how) {
    return c->waiter == NULL ? 0 : c->waiter->ops->unblock(c->waiter, how);
}

void tr_blocking_client_gone(tr_client *c) {
    if (c->waiter == NULL) return;
    c->waiter->ops->gone(c->waiter);
    tr_assert(c->waiter == NULL);
}

void tr_blocking_check(tr_blocking *b, int64_t now_ms) {
    for (;;) {
        const tr_ttl_item *first = tr_ttlheap_peek(&b->deadlines);
        if (first == NULL || first->when > now_ms) return;
        tr_waiter *w = first->owner;
        tr_ttlheap_drop(&b->deadlines, w->slot);
        w->ops->timeout(w);
    }
}

/* ------------------------------------------------------------------ signals */

static void make_ready(tr_blocking *b, tr_wait_key *k) {
    if (k->ready) return;
    k->ready = 1;
    k->next_ready = NULL;
    if (b->ready_last != NULL) b->ready_last->next_ready = k;
    else b->ready_first = k;
    b->ready_last = k;
}

void tr_blocking_signal(tr_blocking *b, int db_id, const char *key, size_t len) {
    if (b->key_waiters == 0) return;
    key_ref ref = {db_id, key, len};
    tr_wait_key *k = find_key(b, &ref);
    if (k != NULL) make_ready(b, k);
}

typedef struct sweep {
    tr_blocking *b;
    int db_a, db_b; /* -1: all */
} sweep;

static void sweep_key(void *ctx, tr_hnode *node) {
    const sweep *s = ctx;
    tr_wait_key *k = (tr_wait_key *)node;
    if (s->db_a == -1 || k->db_id == s->db_a || k->db_id == s->db_b) make_ready(s->b, k);
}

static void sweep_keys(tr_blocking *b, int db_a, int db_b) {
    sweep s = {b, db_a, db_b};
    uint64_t cursor = 0;
    if (b->key_waiters == 0) return;
    do {
        cursor = tr_hash_scan(&b->keys, cursor, sweep_key, &s);
    } while (cursor != 0);
}

void tr_blocking_flushed(tr_blocking *b, int db_id) {
    if (b->removals != 0) sweep_keys(b, db_id, db_id);
}

void tr_blocking_swapped(tr_blocking *b, int db_a, int db_b) {
    sweep_keys(b, db_a, db_b);
}

/* ------------------------------------------------------------------ serving */

static int is_there(const tr_blocking *b, const tr_wait_key *k) {
    tr_db *db = &b->x->store->dbs[k->db_id];
    const tr_entry *e = tr_db_peek(db, k->key, k->len);
    return e != NULL && !tr_db_is_expired(db, e);
}

static tr_wait_key *take_ready(tr_blocking *b) {
    tr_wait_key *k = b->ready_first;
    b->ready_first = k->next_ready;
    if (b->ready_first == NULL) b->ready_last = NULL;
    k->ready = 0;
    return k;
}

/* The owners may release any waiter meanwhile: after each call the walk goes on from a place that is still there.
 * Who joins meanwhile stands at the end and saw the key as it is; it isn't asked. */
static void serve_key(tr_blocking *b, tr_wait_key *k) {
    int removed = !is_there(b, k);
    tr_wait_link mark = {.key = k}, end = {.key = k}; /* no waiters: they only keep places */
    k->held = 1;
    join(k, &end);
    mark.next = k->first;
    k->first->prev = &mark;
    k->first = &mark;
    while (mark.next != &end) {
        tr_wait_link *link = mark.next;
        /* mark moves behind link */
        if (mark.prev != NULL) mark.prev->next = link;
        else k->first = link;
        link->prev = mark.prev;
        mark.next = link->next;
        mark.prev = link;
        link->next->prev = &mark;
        link->next = &mark;
        tr_waiter *w = link->waiter;
        if (w == NULL || (removed && !w->on_removal)) continue;
        w->ops->ready(w, k->db_id, k->key, k->len, removed);
    }
    part(b, &mark);
    k->held = 0;
    part(b, &end);
}

void tr_blocking_serve(tr_blocking *b) {
    if (b->serving) return; /* whoever serves comes to these, too */
    b->serving = 1;
    while (b->ready_first != NULL) {
        tr_wait_key *k = take_ready(b);
        if (k->first != NULL) serve_key(b, k);
        else drop_key_if_unused(b, k);
    }
    b->serving = 0;
}
