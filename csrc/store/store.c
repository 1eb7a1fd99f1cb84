#include "store/store.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "store/store_impl.h"

int tr_store_init(tr_store *store, tr_mem *mem, int db_count, const uint64_t seed[2]) {
    memset(store, 0, sizeof(*store));
    if (db_count < 1 || db_count > TR_DB_MAX) return TR_EINVAL;
    store->dbs = tr_zalloc(mem, (size_t)db_count * sizeof(tr_db));
    if (store->dbs == NULL) return TR_ENOMEM;
    store->mem = mem;
    store->db_count = db_count;
    store->active_expire = 1;
    store->maxmemory_samples = 5;
    store->lfu_log_factor = 10;
    store->lfu_decay_minutes = 1;
    store->hash_key[0] = seed[0];
    store->hash_key[1] = seed[1];
    store->types[TR_STRING] = &tr_string_ops;
    store->rng.state = seed[0] ^ seed[1];
    for (int i = 0; i < db_count; i++) {
        tr_db *db = &store->dbs[i];
        db->store = store;
        db->id = i;
        tr_hash_init(&db->keys, mem, tr_entry_eq);
        tr_ttlheap_init(&db->ttl, mem, offsetof(tr_entry, ttl_slot));
    }
    return TR_OK;
}

void tr__store_free_value(tr_store *store, tr_type type, tr_enc enc, void *word) {
    if (type != TR_STRING) {
        tr_assert(store->types[type] != NULL);
        store->types[type]->free_value(store, enc, word);
    } else if (enc == TR_ENC_RAW) {
        tr_blob_drop(store->mem, word);
    }
}

void tr__store_free_entry(tr_store *store, tr_entry *e) {
    tr_enc enc = tr_entry_enc(e);
    tr__store_free_value(store, tr_entry_type(e), enc, enc == TR_ENC_EMB ? NULL : tr_entry_ptr(e));
    tr_free(store->mem, e);
}

static void free_visited(void *ctx, tr_hnode *node) {
    tr__store_free_entry(ctx, (tr_entry *)node);
}

void tr_store_release(tr_store *store) {
    if (store->dbs == NULL) return;
    while (store->undo_depth > 0) tr_undo_commit(store, (size_t)store->undo_depth - 1);
    for (int i = 0; i < store->db_count; i++) {
        tr_db *db = &store->dbs[i];
        tr_hash_drain(&db->keys, free_visited, store);
        tr_hash_release(&db->keys);
        tr_ttlheap_release(&db->ttl);
    }
    while (store->doomed != NULL) tr_store_lazyfree(store, TR_LAZYFREE_STEP);
    tr_store_release_pool(store);
    tr_free(store->mem, store->dbs);
    store->dbs = NULL;
}

void tr_store_set_time(tr_store *store, int64_t now_ms) {
    store->now_ms = now_ms;
    store->lru_clock = (uint32_t)(now_ms / 1000) & 0xffffffu;
}

void tr__store_doom(tr_store *store, tr_doomed *d, int in_background) {
    if (!in_background) {
        tr_hash_drain(&d->keys, free_visited, store);
        tr_hash_release(&d->keys);
        tr_free(store->mem, d);
        return;
    }
    d->cursor = 0;
    d->next = store->doomed;
    store->doomed = d;
    store->doomed_count += tr_hash_count(&d->keys);
}

/* Hands the keys to the background; 0 when there is no memory for that. */
static int doom(tr_store *store, tr_db *db) {
    tr_doomed *d = tr_alloc(store->mem, sizeof(*d));
    if (d == NULL) return 0;
    d->keys = db->keys;
    tr__store_doom(store, d, 1);
    tr_hash_init(&db->keys, store->mem, tr_entry_eq);
    return 1;
}

static uint64_t flush_db(tr_store *store, tr_db *db, int in_background) {
    uint64_t count = tr_hash_count(&db->keys);
    if (count == 0) return 0;
    if (store->undo_depth != 0) {
        if (tr__undo_flushing(db, in_background) == TR_OK) return count;
        tr__undo_break(store);
    }
    if (store->undo_depth != 0) {
        tr_ttlheap_clear(&db->ttl); /* the log counts on its room */
    } else {
        tr_ttlheap_release(&db->ttl);
        tr_ttlheap_init(&db->ttl, store->mem, offsetof(tr_entry, ttl_slot));
    }
    if (in_background && doom(store, db)) return count;
    tr_hash_drain(&db->keys, free_visited, store);
    tr_hash_release(&db->keys);
    tr_hash_init(&db->keys, store->mem, tr_entry_eq);
    return count;
}

uint64_t tr_store_flush(tr_store *store, int db_id, int in_background) {
    uint64_t count = 0;
    if (store->hooks.flushed) store->hooks.flushed(store->hooks.ctx, db_id);
    for (int i = 0; i < store->db_count; i++) {
        if (db_id == -1 || db_id == i) count += flush_db(store, &store->dbs[i], in_background);
    }
    return count;
}

void tr__store_swap(tr_store *store, int a, int b) {
    tr_hash keys = store->dbs[a].keys;
    tr_ttlheap ttl = store->dbs[a].ttl;
    store->dbs[a].keys = store->dbs[b].keys;
    store->dbs[a].ttl = store->dbs[b].ttl;
    store->dbs[b].keys = keys;
    store->dbs[b].ttl = ttl;
    tr_store_release_pool(store);
    if (store->hooks.swapped) store->hooks.swapped(store->hooks.ctx, a, b);
}

int tr_store_swap(tr_store *store, int a, int b) {
    tr_assert(a >= 0 && a < store->db_count && b >= 0 && b < store->db_count);
    if (a == b) return TR_OK;
    if (store->undo_depth != 0 && tr__undo_swapping(store, a, b) != TR_OK) return TR_ENOMEM;
    tr__store_swap(store, a, b);
    return TR_OK;
}

typedef struct lazy_step {
    tr_store *store;
    tr_hash *keys;
    int freed;
} lazy_step;

static void lazy_visit(void *ctx, tr_hnode *node) {
    lazy_step *step = ctx;
    tr_hash_unlink(step->keys, tr_hash_link_of(step->keys, node));
    tr__store_free_entry(step->store, (tr_entry *)node);
    step->freed++;
}

int tr_store_lazyfree(tr_store *store, int max) {
    lazy_step step = {.store = store};
    while (store->doomed != NULL && step.freed < max) {
        tr_doomed *d = store->doomed;
        int before = step.freed;
        step.keys = &d->keys;
        d->cursor = tr_hash_scan(&d->keys, d->cursor, lazy_visit, &step);
        uint64_t freed = (uint64_t)(step.freed - before);
        store->doomed_count -= freed;
        store->stats.lazyfreed_objects += freed;
        if (tr_hash_count(&d->keys) != 0) continue;
        store->doomed = d->next;
        tr_hash_release(&d->keys);
        tr_free(store->mem, d);
    }
    return store->doomed != NULL;
}

void tr_store_check(tr_store *store) {
    for (int i = 0; i < store->db_count; i++) {
        tr_db *db = &store->dbs[i];
        tr_assert(db->id == i && db->store == store);
        tr_hash_check(&db->keys);
        tr_ttlheap_check(&db->ttl);
        tr_assert(db->ttl.count <= tr_hash_count(&db->keys));
        for (uint32_t slot = 1; slot <= db->ttl.count; slot++) {
            tr_entry *e = db->ttl.items[slot].owner;
            tr_assert(e->ttl_slot == slot);
            tr_assert(tr_db_peek(db, e->key, tr_entry_key_len(e)) == e);
        }
    }
}
