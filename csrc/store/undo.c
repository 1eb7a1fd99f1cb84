/* The log that takes changes back; db.c and store.c say what changes. */
#include "store/undo.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "store/store.h"
#include "store/store_impl.h"

typedef enum record_kind {
    ABSENT, /* there was no such key */
    ENTRY,  /* the key had this entry */
    EXPIRY, /* the key's expiry was another one; its value is not recorded */
    MOVED,  /* the key had this entry, whose value went to the key of the record before this one */
    FLUSHED,
    SWAPPED,
} record_kind;

typedef struct tr_undo_record {
    tr_hnode node;                /* while it is the newest one of its key */
    struct tr_undo_record *older; /* of the same key */
    struct tr_undo_record *before;
    uint64_t serial;
    int64_t when;                 /* -1: no expiry */
    tr_entry *entry;              /* owned */
    tr_doomed *doomed;            /* FLUSHED: owned, holds the keys */
    tr_ttlheap ttl;               /* FLUSHED */
    size_t bytes;
    int db_id;
    int other_db_id;              /* SWAPPED */
    uint8_t kind;
    uint8_t stale;                /* the key has got a value that a later record waits for */
    uint8_t in_background;        /* FLUSHED */
    uint32_t key_len;             /* of key; 0 with an entry */
    char key[];
} tr_undo_record;

typedef struct name {
    int db_id;
    const char *ptr;
    size_t len;
} name;

static int has_key(const tr_undo_record *r) {
    return r->kind <= MOVED;
}

static name name_of(const tr_undo_record *r) {
    if (r->entry != NULL) return (name){r->db_id, r->entry->key, tr_entry_key_len(r->entry)};
    return (name){r->db_id, r->key, r->key_len};
}

static int same_name(const tr_hnode *node, const void *key, size_t len) {
    const name *want = key;
    name is = name_of((const tr_undo_record *)node);
    return is.db_id == want->db_id && is.len == len && memcmp(is.ptr, want->ptr, len) == 0;
}

static uint32_t hash_of(int db_id, uint32_t key_hash) {
    return key_hash ^ (uint32_t)db_id * 0x9e3779b1u;
}

/* ---- the log ---- */

static tr_undo_record *new_record(tr_store *store, int kind, int db_id, const char *key, size_t len) {
    tr_undo_record *r = tr_alloc(store->mem, sizeof(*r) + len);
    if (r == NULL && len == 0 && store->undo.spare != NULL) {
        r = store->undo.spare;
        store->undo.spare = r->before;
    }
    if (r == NULL) return NULL;
    *r = (tr_undo_record){.kind = (uint8_t)kind, .db_id = db_id, .when = -1, .key_len = (uint32_t)len};
    if (len != 0) memcpy(r->key, key, len);
    return r;
}

static tr_hnode **newest(tr_store *store, uint32_t hash, const name *n) {
    return tr_hash_find_eq(&store->undo.keys, hash_of(n->db_id, hash), same_name, n, n->len);
}

/* hash: the key's; anything for records without one. */
static void append(tr_store *store, tr_undo_record *r, uint32_t hash) {
    tr_undo *undo = &store->undo;
    r->serial = ++undo->serial;
    r->before = undo->last;
    undo->last = r;
    r->bytes += tr_mem_size(r);
    undo->bytes += r->bytes;
    if (!has_key(r)) return;
    name n = name_of(r);
    r->node.hash = hash_of(r->db_id, hash);
    tr_hnode **link = newest(store, hash, &n);
    if (link == NULL) {
        tr_hash_insert(&undo->keys, &r->node);
        return;
    }
    r->older = (tr_undo_record *)*link;
    r->node.next = r->older->node.next;
    tr_hash_moved(link, &r->node);
}

static tr_undo_record *take_last(tr_store *store) {
    tr_undo *undo = &store->undo;
    tr_undo_record *r = undo->last;
    undo->last = r->before;
    undo->bytes -= r->bytes;
    if (!has_key(r)) return r;
    tr_hnode **link = tr_hash_link_of(&undo->keys, &r->node);
    if (r->older == NULL) {
        tr_hash_unlink(&undo->keys, link);
    } else {
        r->older->node.next = r->node.next;
        tr_hash_moved(link, &r->older->node);
    }
    return r;
}

/* What the innermost mark has of the key: a kind, or -1: a change has to be recorded. */
static int recorded(tr_store *store, int db_id, uint32_t hash, const char *key, size_t len) {
    name n = {db_id, key, len};
    tr_hnode **link = newest(store, hash, &n);
    if (link == NULL) return -1;
    const tr_undo_record *r = (tr_undo_record *)*link;
    return r->serial <= store->undo.floor || r->stale ? -1 : r->kind;
}

static int is_recorded(tr_db *db, uint32_t hash, const char *key, size_t len) {
    int kind = recorded(db->store, db->id, hash, key, len);
    return kind != -1 && kind != EXPIRY;
}

/* Notes the entry's expiry in the record and sees to it that it can be given back. */
static int note_expiry(tr_db *db, tr_undo_record *r, const tr_entry *e) {
    if (e->ttl_slot == 0) return TR_OK;
    if (tr_ttlheap_keep(&db->ttl) != TR_OK) return TR_ENOMEM;
    db->store->undo.expiring = 1;
    r->when = tr_db_expire_at(db, e);
    return TR_OK;
}

static size_t bytes_of(const tr_entry *e) {
    size_t bytes = tr_mem_size(e);
    if (tr_entry_type(e) != TR_STRING || tr_entry_enc(e) != TR_ENC_RAW) return bytes;
    return bytes + tr_mem_size(tr_entry_ptr(e));
}

/* ---- what changes say ---- */

void tr__undo_break(tr_store *store) {
    store->undo.broken = 1;
}

int tr__undo_has(tr_db *db, const tr_entry *e) {
    return is_recorded(db, e->node.hash, e->key, tr_entry_key_len(e));
}

static int record_absent(tr_db *db, uint32_t hash, const char *key, size_t len) {
    tr_undo_record *r = new_record(db->store, ABSENT, db->id, key, len);
    if (r == NULL) return TR_ENOMEM;
    append(db->store, r, hash);
    return TR_OK;
}

int tr__undo_adding(tr_db *db, uint32_t hash, const char *key, size_t len) {
    return is_recorded(db, hash, key, len) ? TR_OK : record_absent(db, hash, key, len);
}

/* The entry is the log's from now on. */
static void give(tr_db *db, tr_undo_record *r, tr_entry *e) {
    r->entry = e;
    r->bytes = bytes_of(e);
    append(db->store, r, e->node.hash);
}

/* The same for one that leaves the keyspace: its expiry goes first, so the room for it is there. */
static void give_leaving(tr_db *db, tr_undo_record *r, tr_entry *e) {
    r->when = tr_db_expire_at(db, e);
    if (e->ttl_slot != 0) {
        tr_ttlheap_drop(&db->ttl, e->ttl_slot);
        int rc = tr_ttlheap_keep(&db->ttl);
        tr_assert(rc == TR_OK);
        db->store->undo.expiring = 1;
    }
    give(db, r, e);
}

int tr__undo_keep(tr_db *db, tr_entry *e) {
    if (tr__undo_has(db, e)) return 0;
    tr_undo_record *r = new_record(db->store, ENTRY, db->id, NULL, 0);
    if (r == NULL) return TR_ENOMEM;
    give_leaving(db, r, e);
    return 1;
}

int tr__undo_replace(tr_db *db, tr_entry *e, tr_entry *by, int keep_ttl) {
    tr_undo_record *r = new_record(db->store, ENTRY, db->id, NULL, 0);
    if (r == NULL) return TR_ENOMEM;
    if (keep_ttl && note_expiry(db, r, e) != TR_OK) {
        tr_free(db->store->mem, r);
        return TR_ENOMEM;
    }
    tr_hnode **link = tr_hash_link_of(&db->keys, &e->node);
    by->node.next = e->node.next;
    tr_hash_moved(link, &by->node);
    if (!keep_ttl || e->ttl_slot == 0) {
        give_leaving(db, r, e);
        return TR_OK;
    }
    by->ttl_slot = e->ttl_slot;
    tr_ttlheap_moved(&db->ttl, by->ttl_slot, by);
    e->ttl_slot = 0;
    give(db, r, e);
    return TR_OK;
}

int tr__undo_reserve(tr_store *store) {
    tr_undo_record *r = tr_alloc(store->mem, sizeof(*r));
    if (r == NULL) return TR_ENOMEM;
    r->before = store->undo.spare;
    store->undo.spare = r;
    return TR_OK;
}

static tr_entry *copy_entry(tr_store *store, const tr_entry *e) {
    size_t size = tr__entry_size(tr_entry_key_len(e), tr_entry_enc(e), e->lens >> 24);
    tr_entry *copy = tr_alloc(store->mem, size);
    if (copy == NULL) return NULL;
    memcpy(copy, e, size);
    copy->ttl_slot = 0;
    if (tr_entry_type(e) == TR_STRING) {
        if (tr_entry_enc(e) == TR_ENC_RAW) tr_blob_share(tr_entry_ptr(e));
        return copy;
    }
    void *value;
    if (store->types[tr_entry_type(e)]->copy_value(store, tr_entry_enc(e), tr_entry_ptr(e), &value) != TR_OK) {
        tr_free(store->mem, copy);
        return NULL;
    }
    tr_entry_set_ptr(copy, value);
    return copy;
}

int tr__undo_changing(tr_db *db, tr_entry *e) {
    tr_store *store = db->store;
    tr_type type = tr_entry_type(e);
    if (tr__undo_has(db, e) || (type != TR_STRING && store->types[type]->copy_value == NULL) || type == TR_MODULE)
        return TR_OK;
    tr_entry *copy = copy_entry(store, e);
    tr_undo_record *r = copy ? new_record(store, ENTRY, db->id, NULL, 0) : NULL;
    if (r == NULL || note_expiry(db, r, e) != TR_OK) {
        if (copy != NULL) tr__store_free_entry(store, copy);
        tr_free(store->mem, r);
        return TR_ENOMEM;
    }
    give(db, r, copy);
    return TR_OK;
}

int tr__undo_expiry(tr_db *db, tr_entry *e) {
    size_t len = tr_entry_key_len(e);
    if (recorded(db->store, db->id, e->node.hash, e->key, len) != -1) return TR_OK;
    tr_undo_record *r = new_record(db->store, EXPIRY, db->id, e->key, len);
    if (r == NULL) return TR_ENOMEM;
    if (note_expiry(db, r, e) != TR_OK) {
        tr_free(db->store->mem, r);
        return TR_ENOMEM;
    }
    append(db->store, r, e->node.hash);
    return TR_OK;
}

int tr__undo_settling(tr_db *to, uint32_t hash, const tr_arg *key, tr_entry *old, int tied) {
    if (!tied && is_recorded(to, hash, key->ptr, key->len)) return 0;
    if (old == NULL) {
        int rc = record_absent(to, hash, key->ptr, key->len);
        if (rc != TR_OK) return rc;
    } else {
        tr_undo_record *r = new_record(to->store, ENTRY, to->id, NULL, 0);
        if (r == NULL) return TR_ENOMEM;
        give_leaving(to, r, old);
    }
    to->store->undo.last->stale = (uint8_t)tied;
    return old != NULL;
}

tr_undo_record *tr__undo_new(tr_store *store) {
    return new_record(store, ENTRY, 0, NULL, 0);
}

void tr__undo_moved(tr_db *from, tr_entry *e, tr_undo_record *r, int tied) {
    tr_assert(!tied || from->store->undo.last->stale);
    r->db_id = from->id;
    r->kind = tied ? MOVED : ENTRY;
    give_leaving(from, r, e);
}

int tr__undo_flushing(tr_db *db, int in_background) {
    tr_store *store = db->store;
    tr_undo_record *r = new_record(store, FLUSHED, db->id, NULL, 0);
    tr_doomed *doomed = r ? tr_zalloc(store->mem, sizeof(*doomed)) : NULL;
    if (doomed == NULL) {
        tr_free(store->mem, r);
        return TR_ENOMEM;
    }
    doomed->keys = db->keys;
    r->doomed = doomed;
    r->ttl = db->ttl;
    r->in_background = (uint8_t)in_background;
    tr_hash_init(&db->keys, store->mem, tr_entry_eq);
    tr_ttlheap_init(&db->ttl, store->mem, offsetof(tr_entry, ttl_slot));
    append(store, r, 0);
    return TR_OK;
}

int tr__undo_swapping(tr_store *store, int a, int b) {
    tr_undo_record *r = new_record(store, SWAPPED, a, NULL, 0);
    if (r == NULL) return TR_ENOMEM;
    r->other_db_id = b;
    append(store, r, 0);
    store->undo.swapped = store->undo.floor = r->serial;
    return TR_OK;
}

/* ---- taking back ---- */

static void tell_changed(tr_db *db, const name *n) {
    tr_store *store = db->store;
    if (store->wants & TR_WANTS_CHANGED) store->hooks.changed(store->hooks.ctx, db, n->ptr, n->len);
}

/* Puts the entry back under its expiry. */
static void put_back(tr_db *db, tr_undo_record *r) {
    tr_entry *e = r->entry;
    tr_hash_insert(&db->keys, &e->node);
    if (r->when < 0) return;
    tr_ttlheap_unkeep(&db->ttl, 1);
    int rc = tr_ttlheap_add(&db->ttl, e, r->when);
    tr_assert(rc == TR_OK);
}

/* The value that the record before this one's key has got by the move. 0: it isn't there, as the log isn't whole. */
static int take_value_back(tr_store *store, tr_undo_record *r) {
    tr_assert(store->undo.last->stale);
    name n = name_of(store->undo.last);
    tr_db *to = &store->dbs[n.db_id];
    tr_entry *e = tr_db_peek(to, n.ptr, n.len);
    if (e == NULL) {
        tr_assert(store->undo.broken);
        return 0;
    }
    tr_entry_set_ptr(r->entry, tr_entry_ptr(e));
    tr__db_take_out(to, e);
    tr_free(store->mem, e);
    return 1;
}

static void restore_key(tr_store *store, tr_undo_record *r, uint32_t hash) {
    tr_db *db = &store->dbs[r->db_id];
    name n = name_of(r);
    tr_hnode **link = tr_hash_find_eq(&db->keys, hash, tr_entry_eq, n.ptr, n.len);
    tr_entry *now = link ? (tr_entry *)*link : NULL;
    if (now != NULL) {
        tr__db_take_out(db, now);
        tr__store_free_entry(store, now);
    }
    if (r->kind == MOVED && !take_value_back(store, r)) {
        if (r->when >= 0) tr_ttlheap_unkeep(&db->ttl, 1);
        tell_changed(db, &n);
        tr_free(store->mem, r->entry);
        return;
    }
    if (r->entry != NULL) put_back(db, r);
    tell_changed(db, &n);
}

static void restore_expiry(tr_store *store, const tr_undo_record *r) {
    tr_db *db = &store->dbs[r->db_id];
    name n = name_of(r);
    tr_entry *e = tr_db_peek(db, n.ptr, n.len);
    if (r->when >= 0) tr_ttlheap_unkeep(&db->ttl, 1);
    if (e == NULL) {
        tr_assert(store->undo.broken);
        return;
    }
    if (r->when < 0) {
        if (e->ttl_slot != 0) tr_ttlheap_drop(&db->ttl, e->ttl_slot);
    } else if (e->ttl_slot != 0) {
        tr_ttlheap_change(&db->ttl, e->ttl_slot, r->when);
    } else {
        int rc = tr_ttlheap_add(&db->ttl, e, r->when);
        tr_assert(rc == TR_OK);
    }
    tell_changed(db, &n);
}

static void free_visited(void *ctx, tr_hnode *node) {
    tr__store_free_entry(ctx, (tr_entry *)node);
}

static void restore_db(tr_store *store, tr_undo_record *r) {
    tr_db *db = &store->dbs[r->db_id];
    if (store->hooks.flushed) store->hooks.flushed(store->hooks.ctx, r->db_id);
    tr_ttlheap_release(&db->ttl);
    tr_hash_drain(&db->keys, free_visited, store);
    tr_hash_release(&db->keys);
    db->keys = r->doomed->keys;
    db->ttl = r->ttl;
    tr_free(store->mem, r->doomed);
    /* Whoever watches one of these keys saw none since the flush. */
    if (store->hooks.flushed) store->hooks.flushed(store->hooks.ctx, r->db_id);
}

static void take_back(tr_store *store) {
    tr_undo_record *r = take_last(store);
    switch ((record_kind)r->kind) {
    case ABSENT:
    case ENTRY:
    case MOVED:
        restore_key(store, r, r->node.hash ^ hash_of(r->db_id, 0));
        break;
    case EXPIRY:
        restore_expiry(store, r);
        break;
    case FLUSHED:
        restore_db(store, r);
        break;
    case SWAPPED:
        tr__store_swap(store, r->db_id, r->other_db_id);
        break;
    }
    tr_free(store->mem, r);
}

/* ---- marks ---- */

enum { STAYS = 1, TAKEN_BACK }; /* how a mark ended */

/* The record's work stays; what it kept goes. */
static void forget(tr_store *store) {
    tr_undo_record *r = take_last(store);
    if (r->doomed != NULL) {
        tr_ttlheap_release(&r->ttl);
        tr__store_doom(store, r->doomed, r->in_background);
    }
    if (r->kind == MOVED) tr_free(store->mem, r->entry);
    else if (r->entry != NULL) tr__store_free_entry(store, r->entry);
    tr_free(store->mem, r);
}

static void end_outermost(tr_store *store) {
    tr_undo *undo = &store->undo;
    while (undo->last != NULL) forget(store);
    while (undo->spare != NULL) {
        tr_undo_record *r = undo->spare;
        undo->spare = r->before;
        tr_free(store->mem, r);
    }
    for (int i = 0; undo->expiring && i < store->db_count; i++) {
        tr_ttlheap *ttl = &store->dbs[i].ttl;
        if (ttl->kept != 0) tr_ttlheap_unkeep(ttl, ttl->kept);
    }
    tr_assert(tr_hash_count(&undo->keys) == 0 && undo->bytes == 0);
    tr_hash_release(&undo->keys);
    undo->expiring = undo->broken = 0;
}

static void end_innermost(tr_store *store) {
    tr_undo *undo = &store->undo;
    if (--store->undo_depth == 0) {
        end_outermost(store);
        return;
    }
    uint64_t mark = undo->marks[store->undo_depth - 1];
    undo->floor = undo->swapped > mark ? undo->swapped : mark;
}

int tr_undo_may_begin(const tr_store *store) {
    return store->undo_depth < TR_UNDO_DEPTH_MAX;
}

size_t tr_undo_begin(tr_store *store) {
    tr_undo *undo = &store->undo;
    tr_assert(tr_undo_may_begin(store));
    if (store->undo_depth == 0) tr_hash_init(&undo->keys, store->mem, same_name);
    undo->marks[store->undo_depth] = undo->floor = undo->serial;
    undo->ended[store->undo_depth] = 0;
    undo->stamps[store->undo_depth] = ++undo->stamp;
    return (size_t)store->undo_depth++;
}

uint64_t tr_undo_stamp(const tr_store *store) {
    return store->undo_depth == 0 ? 0 : store->undo.stamp;
}

uint64_t tr_undo_stamp_of(const tr_store *store, size_t mark) {
    tr_assert(mark < (size_t)store->undo_depth);
    return store->undo.stamps[mark];
}

uint64_t tr_undo_taken_back(tr_store *store) {
    uint64_t stamp = store->undo.taken_back;
    store->undo.taken_back = 0;
    return stamp;
}

/* Notes how the mark ended, and ends all that have nothing open inside of them. */
static void end_mark(tr_store *store, size_t mark, int how) {
    tr_undo *undo = &store->undo;
    tr_assert(mark < (size_t)store->undo_depth && !undo->ended[mark]);
    undo->ended[mark] = (uint8_t)how;
    while (store->undo_depth > 0 && undo->ended[store->undo_depth - 1]) {
        int top = store->undo_depth - 1;
        while (undo->ended[top] == TAKEN_BACK && undo->last != NULL && undo->last->serial > undo->marks[top])
            take_back(store);
        if (undo->ended[top] == TAKEN_BACK && (undo->taken_back == 0 || undo->taken_back > undo->stamps[top]))
            undo->taken_back = undo->stamps[top];
        end_innermost(store);
    }
}

void tr_undo_commit(tr_store *store, size_t mark) {
    end_mark(store, mark, STAYS);
}

int tr_undo_rollback(tr_store *store, size_t mark) {
    int rc = store->undo.broken ? TR_ENOMEM : TR_OK;
    end_mark(store, mark, TAKEN_BACK);
    return rc;
}

int tr_undo_is_whole(const tr_store *store) {
    return !store->undo.broken;
}
