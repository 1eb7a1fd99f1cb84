#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/siphash.h"
#include "store/store.h"
#include "store/store_impl.h"

#define RANDOM_KEY_TRIES 100

uint32_t tr_db_hash(const tr_db *db, const char *key, size_t len) {
    return (uint32_t)tr_siphash(key, len, db->store->hash_key);
}

static tr_entry *find(tr_db *db, uint32_t hash, const char *key, size_t len) {
    tr_hnode **link = tr_hash_find_eq(&db->keys, hash, tr_entry_eq, key, len);
    return link ? (tr_entry *)*link : NULL;
}

static void expire_lazily(tr_db *db, tr_entry *e) {
    db->store->stats.expired_lazy++;
    tr_db_expire_now(db, e);
}

/* The entry if it is still alive; one that is due dies here, or is not seen where time deletes
 * nothing. */
static tr_entry *find_alive(tr_db *db, uint32_t hash, const char *key, size_t len) {
    tr_entry *e = find(db, hash, key, len);
    if (e == NULL || e->ttl_slot == 0 || TR_LIKELY(!tr_db_is_expired(db, e))) return e;
    if (!db->store->keep_expired) expire_lazily(db, e);
    return NULL;
}

/* The same for who will change the key: where time deletes nothing, he gets the entry that is due,
 * as it is still there. */
static tr_entry *find_to_change(tr_db *db, uint32_t hash, const char *key, size_t len) {
    tr_entry *e = find(db, hash, key, len);
    if (e == NULL || e->ttl_slot == 0 || TR_LIKELY(!tr_db_is_expired(db, e)) || db->store->keep_expired) return e;
    expire_lazily(db, e);
    return NULL;
}

tr_entry *tr_db_peek(tr_db *db, const char *key, size_t len) {
    return find(db, tr_db_hash(db, key, len), key, len);
}

tr_entry *tr_db_look(tr_db *db, const tr_arg *key) {
    return find_to_change(db, tr_db_hash(db, key->ptr, key->len), key->ptr, key->len);
}

/* e is what was found for a reader: hit or miss. */
static tr_entry *counted(tr_db *db, const tr_arg *key, tr_entry *e) {
    tr_store *store = db->store;
    if (e == NULL) {
        store->stats.keyspace_misses++;
        tr_db_event(db, TR_EV_KEY_MISS, "keymiss", key->ptr, key->len);
        return NULL;
    }
    store->stats.keyspace_hits++;
    return e;
}

tr_entry *tr_db_read_no_touch(tr_db *db, const tr_arg *key) {
    return counted(db, key, find_alive(db, tr_db_hash(db, key->ptr, key->len), key->ptr, key->len));
}

tr_entry *tr_db_read(tr_db *db, const tr_arg *key) {
    tr_entry *e = tr_db_read_no_touch(db, key);
    if (e != NULL) tr_store_touch(db->store, e);
    return e;
}

tr_entry *tr_db_read_hash(tr_db *db, const tr_arg *key, uint32_t *hash) {
    *hash = tr_db_hash(db, key->ptr, key->len);
    tr_entry *e = counted(db, key, find_to_change(db, *hash, key->ptr, key->len));
    if (e != NULL) tr_store_touch(db->store, e);
    return e;
}

tr_entry *tr_db_write_hash(tr_db *db, const tr_arg *key, uint32_t *hash) {
    *hash = tr_db_hash(db, key->ptr, key->len);
    tr_entry *e = find_to_change(db, *hash, key->ptr, key->len);
    if (e != NULL) tr_store_touch(db->store, e);
    return e;
}

tr_entry *tr_db_write(tr_db *db, const tr_arg *key) {
    uint32_t hash;
    return tr_db_write_hash(db, key, &hash);
}

static void free_value_of(tr_store *store, const tr_entry *e) {
    tr_enc enc = tr_entry_enc(e);
    tr__store_free_value(store, tr_entry_type(e), enc, enc == TR_ENC_EMB ? NULL : tr_entry_ptr(e));
}

/* Tells the table and the heap that `from`, already freed or moved by realloc, now lives at
 * `to`. */
static void entry_moved(tr_db *db, tr_hnode **link, tr_entry *to) {
    tr_hash_moved(link, &to->node);
    if (to->ttl_slot != 0) tr_ttlheap_moved(&db->ttl, to->ttl_slot, to);
}

static tr_entry *make_entry(tr_store *store, const char *key, size_t key_len, uint32_t hash,
                            tr_enc enc, size_t value_len) {
    if (key_len > TR_KEY_MAX) return NULL;
    tr_entry *e = tr_alloc(store->mem, tr__entry_size(key_len, enc, value_len));
    if (e == NULL) return NULL;
    e->node = (tr_hnode){.hash = hash, .bits = tr_store_new_lru(store) << 8};
    e->ttl_slot = 0;
    e->lens = (uint32_t)key_len;
    memcpy(e->key, key, key_len);
    return e;
}

/* The value will not be under its key any more. */
static void tell_leaving(tr_db *db, const tr_entry *e) {
    const tr_type_ops *ops = db->store->types[tr_entry_type(e)];
    if (ops->leaves != NULL) ops->leaves(db, e);
}

/* The same as prepare() for a key whose old entry the undo log wants. */
static tr_entry *prepare_kept(tr_db *db, tr_entry *old, tr_enc enc, size_t value_len, int flags) {
    size_t key_len = tr_entry_key_len(old);
    tr_entry *e = make_entry(db->store, old->key, key_len, old->node.hash, enc, value_len);
    if (e == NULL) return NULL;
    e->node.bits = old->node.bits;
    if (tr__undo_replace(db, old, e, flags & TR_KEEP_TTL) == TR_OK) return e;
    tr_free(db->store->mem, e);
    return NULL;
}

/* An entry for the key whose value part fits value_len bytes (TR_ENC_EMB) or a word, with the old
 * value freed and lens set to the key's length alone. NULL: no memory, nothing changed. `keep`
 * bytes of the old allocation are reused when they fit well. */
static tr_entry *prepare(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash, tr_enc enc,
                         size_t value_len, int flags) {
    tr_store *store = db->store;
    if (old == NULL) {
        tr_debug_assert(find(db, hash, key->ptr, key->len) == NULL);
        if (TR_UNLIKELY(store->undo_depth != 0) && tr__undo_adding(db, hash, key->ptr, key->len) != TR_OK) return NULL;
        tr_entry *e = make_entry(store, key->ptr, key->len, hash, enc, value_len);
        if (e != NULL) tr_hash_insert(&db->keys, &e->node);
        return e;
    }
    if (TR_UNLIKELY(tr_entry_type(old) != TR_STRING)) tell_leaving(db, old);
    if (TR_UNLIKELY(store->undo_depth != 0) && !tr__undo_has(db, old))
        return prepare_kept(db, old, enc, value_len, flags);
    size_t key_len = tr_entry_key_len(old);
    size_t need = tr__entry_size(key_len, enc, value_len);
    size_t have = tr_mem_usable(old);
    tr_entry *e = old;
    if (need > have || have - need > have / 2) {
        tr_hnode **link = tr_hash_link_of(&db->keys, &old->node);
        tr_type type = tr_entry_type(old);
        tr_enc old_enc = tr_entry_enc(old);
        /* A word-sized old value must survive until the new room is there. */
        void *word = old_enc == TR_ENC_EMB ? NULL : tr_entry_ptr(old);
        e = tr_realloc(store->mem, old, need);
        if (e == NULL) return NULL;
        entry_moved(db, link, e);
        tr__store_free_value(store, type, old_enc, word);
    } else {
        free_value_of(store, old);
    }
    e->lens = (uint32_t)key_len;
    if (e->ttl_slot != 0 && !(flags & TR_KEEP_TTL)) tr_ttlheap_drop(&db->ttl, e->ttl_slot);
    return e;
}

static tr_entry *finish(tr_db *db, int is_new, tr_entry *e, tr_type type, tr_enc enc) {
    tr_store *store = db->store;
    tr_entry_set_kind(e, type, enc);
    if (!is_new) return e;
    if (store->wants & TR_WANTS_ADDED) store->hooks.added(store->hooks.ctx, db, type, e->key, tr_entry_key_len(e));
    tr_db_event(db, TR_EV_NEW, "new", e->key, tr_entry_key_len(e));
    return e;
}

tr_entry *tr_db_set_integer(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash, int64_t n, int flags) {
    tr_entry *e = prepare(db, old, key, hash, TR_ENC_INT, 0, flags);
    if (e == NULL) return NULL;
    tr_entry_set_int(e, n);
    return finish(db, old == NULL, e, TR_STRING, TR_ENC_INT);
}

tr_entry *tr_db_set_plain(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash,
                          const char *p, size_t len, int flags) {
    if (len <= TR_EMB_VALUE_MAX && key->len <= TR_EMB_KEY_MAX) {
        tr_entry *e = prepare(db, old, key, hash, TR_ENC_EMB, len, flags);
        if (e == NULL) return NULL;
        memcpy(e->key + e->lens, p, len);
        e->lens |= (uint32_t)len << 24;
        return finish(db, old == NULL, e, TR_STRING, TR_ENC_EMB);
    }
    tr_blob *blob = tr_blob_new(db->store->mem, p, len, len);
    if (blob == NULL) return NULL;
    tr_entry *e = tr_db_set_value(db, old, key, hash, TR_STRING, TR_ENC_RAW, blob, flags);
    if (e == NULL) tr_blob_drop(db->store->mem, blob);
    return e;
}

tr_entry *tr_db_set_string(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash, const tr_arg *value, int flags) {
    int64_t n;
    if (value->len < TR_INT_TEXT && tr_num_parse_int(value->ptr, value->len, &n))
        return tr_db_set_integer(db, old, key, hash, n, flags);
    if (value->blob == NULL) return tr_db_set_plain(db, old, key, hash, value->ptr, value->len, flags);
    tr_blob *blob = tr_blob_share(value->blob);
    tr_entry *e = tr_db_set_value(db, old, key, hash, TR_STRING, TR_ENC_RAW, blob, flags);
    if (e == NULL) tr_blob_drop(db->store->mem, blob);
    return e;
}

tr_entry *tr_db_set_value(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash, tr_type type,
                          tr_enc enc, void *value, int flags) {
    tr_assert(enc != TR_ENC_EMB && (type != TR_STRING || enc == TR_ENC_RAW));
    tr_entry *e = prepare(db, old, key, hash, enc, 0, flags);
    if (e == NULL) return NULL;
    tr_entry_set_ptr(e, value);
    return finish(db, old == NULL, e, type, enc);
}

tr_blob *tr_db_own_blob(tr_db *db, tr_entry **e, size_t cap) {
    tr_mem *mem = db->store->mem;
    tr_assert(tr_entry_type(*e) == TR_STRING);
    if (tr_entry_enc(*e) == TR_ENC_RAW) {
        if (tr_db_will_change(db, *e) != TR_OK) return NULL; /* the log shares the blob then */
        tr_blob *blob = tr_entry_ptr(*e);
        int alone = blob->refs == 1;
        tr_blob *grown = alone ? tr_blob_grow(mem, blob, cap) : tr_blob_new(mem, blob->data, blob->len, cap);
        if (grown == NULL) return NULL;
        if (!alone) tr_blob_drop(mem, blob);
        tr_entry_set_ptr(*e, grown);
        return grown;
    }
    tr_view view;
    tr_entry_view(*e, &view);
    tr_blob *own = tr_blob_new(mem, view.ptr, view.len, cap);
    if (own == NULL) return NULL;
    tr_arg key = {.ptr = (*e)->key, .len = tr_entry_key_len(*e)};
    tr_entry *moved = tr_db_set_value(db, *e, &key, (*e)->node.hash, TR_STRING, TR_ENC_RAW, own, TR_KEEP_TTL);
    if (moved == NULL) {
        tr_blob_drop(mem, own);
        return NULL;
    }
    *e = moved;
    return own;
}

/* What tr_db_put() will need for the undo log. */
static int will_put(tr_db *db, const tr_arg *key, uint32_t hash) {
    if (find(db, hash, key->ptr, key->len) != NULL) return tr__undo_reserve(db->store);
    return tr__undo_adding(db, hash, key->ptr, key->len);
}

/* An entry that has been taken out dies, or is the undo log's. */
static void part_with(tr_db *db, tr_entry *e, int kept) {
    if (kept != 1) tr__store_free_entry(db->store, e);
}

/* Offers the entry to the undo log before it is taken out; 1: the log has it. */
static int offer(tr_db *db, tr_entry *e) {
    if (TR_UNLIKELY(tr_entry_type(e) != TR_STRING)) tell_leaving(db, e);
    if (TR_LIKELY(db->store->undo_depth == 0)) return 0;
    int kept = tr__undo_keep(db, e);
    if (kept < 0) tr__undo_break(db->store);
    return kept;
}

tr_entry *tr_db_make_string(tr_db *db, const tr_arg *key, uint32_t hash, const tr_arg *value) {
    tr_store *store = db->store;
    int64_t n;
    int is_int = value->len < TR_INT_TEXT && tr_num_parse_int(value->ptr, value->len, &n);
    int is_emb = !is_int && value->blob == NULL && value->len <= TR_EMB_VALUE_MAX && key->len <= TR_EMB_KEY_MAX;
    tr_enc enc = is_int ? TR_ENC_INT : is_emb ? TR_ENC_EMB : TR_ENC_RAW;
    if (TR_UNLIKELY(store->undo_depth != 0) && will_put(db, key, hash) != TR_OK) return NULL;
    tr_entry *e = make_entry(store, key->ptr, key->len, hash, enc, value->len);
    if (e == NULL) return NULL;
    if (is_int) {
        tr_entry_set_int(e, n);
    } else if (is_emb) {
        memcpy(e->key + e->lens, value->ptr, value->len);
        e->lens |= (uint32_t)value->len << 24;
    } else {
        tr_blob *blob = value->blob ? tr_blob_share(value->blob)
                                    : tr_blob_new(store->mem, value->ptr, value->len, value->len);
        if (blob == NULL) {
            tr_free(store->mem, e);
            return NULL;
        }
        tr_entry_set_ptr(e, blob);
    }
    tr_entry_set_kind(e, TR_STRING, enc);
    return e;
}

void tr_db_discard(tr_db *db, tr_entry *e) {
    tr_assert(e->ttl_slot == 0);
    tr__store_free_entry(db->store, e);
}

void tr_db_put(tr_db *db, tr_entry *e) {
    tr_assert(e->ttl_slot == 0);
    tr_entry *old = find_to_change(db, e->node.hash, e->key, tr_entry_key_len(e));
    if (old == NULL) {
        tr_hash_insert(&db->keys, &e->node);
        finish(db, 1, e, tr_entry_type(e), tr_entry_enc(e));
        return;
    }
    int kept = offer(db, old);
    tr_hnode **link = tr_hash_link_of(&db->keys, &old->node);
    if (old->ttl_slot != 0) tr_ttlheap_drop(&db->ttl, old->ttl_slot);
    tr_entry_set_lru(e, tr_entry_lru(old));
    tr_store_touch(db->store, e);
    e->node.next = old->node.next;
    tr_hash_moved(link, &e->node);
    part_with(db, old, kept);
}

void tr__db_take_out(tr_db *db, tr_entry *e) {
    if (e->ttl_slot != 0) tr_ttlheap_drop(&db->ttl, e->ttl_slot);
    tr_hash_unlink(&db->keys, tr_hash_link_of(&db->keys, &e->node));
}

void tr_db_delete(tr_db *db, tr_entry *e) {
    int kept = offer(db, e);
    tr__db_take_out(db, e);
    part_with(db, e, kept);
}

/* Puts a new entry whose value is in place under its key and expiry, instead of what that key had;
 * frees nothing on failure. tied: see tr__undo_settling(). */
static int settle(tr_db *to, tr_entry *e, int64_t when, int tied) {
    size_t len = tr_entry_key_len(e);
    if (when >= 0 && tr_ttlheap_add(&to->ttl, e, when) != TR_OK) return TR_ENOMEM;
    tr_entry *old = find(to, e->node.hash, e->key, len);
    int kept = 0;
    if (TR_UNLIKELY(to->store->undo_depth != 0)) {
        tr_arg key = {.ptr = e->key, .len = len};
        kept = tr__undo_settling(to, e->node.hash, &key, old, tied);
        if (kept < 0) {
            if (e->ttl_slot != 0) tr_ttlheap_drop(&to->ttl, e->ttl_slot);
            return TR_ENOMEM;
        }
    }
    if (old != NULL) {
        tell_leaving(to, old);
        tr__db_take_out(to, old);
        part_with(to, old, kept);
    }
    tr_hash_insert(&to->keys, &e->node);
    return TR_OK;
}

/* An entry under another key with the old one's kind and LRU; EMB values are copied, words are left
 * to the caller. */
static tr_entry *rekeyed(tr_db *from, const tr_entry *e, tr_db *to, const tr_arg *key) {
    tr_store *store = from->store;
    tr_enc enc = tr_entry_enc(e);
    uint32_t hash = tr_db_hash(to, key->ptr, key->len);
    tr_assert(find(to, hash, key->ptr, key->len) != e);
    size_t value_len = enc == TR_ENC_EMB ? e->lens >> 24 : 0;
    tr_entry *n = make_entry(store, key->ptr, key->len, hash, enc, value_len);
    if (n == NULL) return NULL;
    n->node.bits = e->node.bits;
    if (enc == TR_ENC_EMB) {
        tr_assert(key->len <= TR_EMB_KEY_MAX);
        memcpy(n->key + key->len, e->key + tr_entry_key_len(e), value_len);
        n->lens = (uint32_t)key->len | (uint32_t)value_len << 24;
    } else {
        tr_entry_set_int(n, tr_entry_int(e));
    }
    return n;
}

tr_entry *tr_db_move(tr_db *from, tr_entry *e, tr_db *to, const tr_arg *key) {
    tr_store *store = from->store;
    if (tr_entry_enc(e) == TR_ENC_EMB && key->len > TR_EMB_KEY_MAX && tr_db_own_blob(from, &e, 0) == NULL) return NULL;
    int64_t when = tr_db_expire_at(from, e);
    tr_entry *n = rekeyed(from, e, to, key);
    if (n == NULL) return NULL;
    int recorded = TR_UNLIKELY(store->undo_depth != 0) && !tr__undo_has(from, e);
    int tied = recorded && tr_entry_type(e) != TR_STRING;
    tr_undo_record *record = recorded ? tr__undo_new(store) : NULL;
    if ((recorded && record == NULL) || settle(to, n, when, tied) != TR_OK) {
        tr_free(store->mem, record);
        tr_free(store->mem, n);
        return NULL;
    }
    if (recorded) {
        if (!tied && tr_entry_enc(n) == TR_ENC_RAW) tr_blob_share(tr_entry_ptr(n));
        tr__undo_moved(from, e, record, tied);
    }
    tr__db_take_out(from, e);
    if (!recorded) tr_free(store->mem, e); /* its value lives on in n */
    return finish(to, 1, n, tr_entry_type(n), tr_entry_enc(n));
}

/* The value of a copy, in place of that of the original. */
static int copy_value(tr_db *from, tr_entry *e, tr_db *to, const tr_arg *key, tr_entry *n) {
    tr_store *store = from->store;
    const tr_type_ops *ops = store->types[tr_entry_type(e)];
    if (tr_entry_type(e) == TR_STRING) {
        if (tr_entry_enc(e) == TR_ENC_RAW) tr_blob_share(tr_entry_ptr(n));
        return TR_OK;
    }
    void *value;
    int rc = ops->copy_entry != NULL ? ops->copy_entry(from, e, to, key, &value)
                                     : ops->copy_value(store, tr_entry_enc(e), tr_entry_ptr(e), &value);
    if (rc == TR_OK) tr_entry_set_ptr(n, value);
    return rc;
}

int tr_db_copy(tr_db *from, tr_entry *e, tr_db *to, const tr_arg *key) {
    tr_store *store = from->store;
    if (tr_entry_enc(e) == TR_ENC_EMB && key->len > TR_EMB_KEY_MAX && tr_db_own_blob(from, &e, 0) == NULL)
        return TR_ENOMEM;
    tr_entry *n = rekeyed(from, e, to, key);
    if (n == NULL) return TR_ENOMEM;
    tr_entry_set_lru(n, tr_store_new_lru(store));
    int64_t when = tr_db_expire_at(from, e);
    int rc = copy_value(from, e, to, key, n);
    if (rc != TR_OK) {
        tr_free(store->mem, n);
        return rc;
    }
    if (settle(to, n, when, 0) != TR_OK) {
        tr__store_free_entry(store, n);
        return TR_ENOMEM;
    }
    finish(to, 1, n, tr_entry_type(n), tr_entry_enc(n));
    return TR_OK;
}

tr_entry *tr_db_random(tr_db *db) {
    tr_rng *rng = &db->store->rng;
    for (int i = 0; i < RANDOM_KEY_TRIES; i++) {
        tr_entry *e = (tr_entry *)tr_hash_random(&db->keys, tr_rng_next(rng), tr_rng_next(rng));
        if (e == NULL || !tr_db_is_expired(db, e)) return e;
        if (db->store->keep_expired) continue;
        expire_lazily(db, e);
    }
    return NULL;
}

void tr_db_tell(tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len) {
    tr_store *store = db->store;
    if (store->wants & TR_WANTS_CHANGED) store->hooks.changed(store->hooks.ctx, db, key, len);
    tr_db_event(db, cls, event, key, len);
}
