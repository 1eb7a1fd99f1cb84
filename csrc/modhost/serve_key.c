/* Keys and string values for helpers. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "modhost/modhost.h"
#include "modhost/serve_key.h"
#include "modhost/values.h"
#include "store/store.h"

#define READING 1u /* the module API's bits of a mode */
#define WRITING 2u
#define NO_TOUCH (1u << 16)
#define NO_NOTIFY (1u << 17)
#define NO_STATS (1u << 18)
#define NO_EXPIRE (1u << 19)
#define NO_EFFECTS (1u << 20)
#define ACCESS_EXPIRED (1u << 21)
#define MODES (READING | WRITING | NO_TOUCH | NO_NOTIFY | NO_STATS | NO_EXPIRE | NO_EFFECTS | ACCESS_EXPIRED)
#define IS_OPEN (1u << 31) /* ours: a mode may be 0 */
#define OPTION_NO_IMPLICIT_SIGNAL 2u
#define KEYS_FIRST 16
#define STRING_BYTES_MAX ((uint64_t)512 * 1024 * 1024) /* that a truncation may make */

static tr_store *store_of(const tr_helper *h) {
    return h->m->x->store;
}

/* ---- handles ---- */

static int grow(tr_helper *h) {
    uint32_t cap = h->key_cap == 0 ? KEYS_FIRST : h->key_cap * 2;
    if (cap > TR_OPEN_KEYS_MAX) cap = TR_OPEN_KEYS_MAX;
    if (cap == h->key_cap) return TR_ELIMIT;
    tr_open_key *keys = tr_realloc(h->m->mem, h->keys, cap * sizeof(*keys));
    if (keys == NULL) return TR_ENOMEM;
    h->keys = keys;
    for (uint32_t i = cap; i-- > h->key_cap;) {
        keys[i] = (tr_open_key){.next_free = h->key_free};
        h->key_free = i + 1;
    }
    h->key_cap = cap;
    return TR_OK;
}

/* A slot with the name; *handle is not 0. */
static int open_slot(tr_helper *h, tr_db *db, const tr_wire_bytes *name, uint32_t mode, uint32_t *handle) {
    if (h->key_free == 0) {
        int rc = grow(h);
        if (rc != TR_OK) return rc;
    }
    tr_open_key *k = &h->keys[h->key_free - 1];
    char *copy = tr_alloc(h->m->mem, name->len);
    if (copy == NULL) return TR_ENOMEM;
    if (name->len != 0) memcpy(copy, name->at, name->len);
    *handle = h->key_free;
    h->key_free = k->next_free;
    *k = (tr_open_key){.db = db, .name = copy, .len = name->len, .mode = mode | IS_OPEN, .unit = tr_helper_unit(h)};
    return TR_OK;
}

/* Who changes a key through a handle need not say so: its closing does. */
static void close_slot(tr_helper *h, tr_open_key *k) {
    tr_store *store = store_of(h);
    if (k->mode & WRITING && !(h->options & OPTION_NO_IMPLICIT_SIGNAL) && store->wants & TR_WANTS_CHANGED)
        store->hooks.changed(store->hooks.ctx, k->db, k->name, k->len);
    tr_free(h->m->mem, k->name);
    if (h->chosen != NULL && k >= h->chosen && k < h->chosen + TR_CHOSEN_KEYS_MAX) {
        *k = (tr_open_key){0};
        h->chosen_count--;
        return;
    }
    *k = (tr_open_key){.next_free = h->key_free};
    h->key_free = (uint32_t)(k - h->keys) + 1;
}

void tr_modhost_close_keys(tr_helper *h) {
    const tr_unit *unit = h->state == TR_HELPER_DOWN ? NULL : tr_helper_unit(h);
    for (uint32_t i = 0; i < h->key_cap; i++) {
        tr_open_key *k = &h->keys[i];
        if (k->mode != 0 && (unit == NULL || k->unit == unit)) close_slot(h, k);
    }
    for (uint32_t i = 0; i < TR_CHOSEN_KEYS_MAX && h->chosen_count != 0; i++) {
        tr_open_key *k = &h->chosen[i];
        if (k->mode != 0 && (unit == NULL || k->unit == unit)) close_slot(h, k);
    }
}

tr_open_key *tr_modhost_key(tr_helper *h, uint32_t handle) {
    if (handle >= TR_CHOSEN_KEY) {
        uint32_t at = handle - TR_CHOSEN_KEY;
        if (h->chosen == NULL || at >= TR_CHOSEN_KEYS_MAX) return NULL;
        return h->chosen[at].mode == 0 ? NULL : &h->chosen[at];
    }
    if (handle == 0 || handle > h->key_cap) return NULL;
    tr_open_key *k = &h->keys[handle - 1];
    return k->mode == 0 ? NULL : k;
}

tr_entry *tr_modhost_entry(const tr_open_key *k) {
    return tr_db_peek(k->db, k->name, k->len);
}

static void touched_foreign(tr_helper *h) {
    tr_unit *unit = tr_helper_unit(h);
    if (unit != NULL) unit->called = 1;
}

/* The open key for a handle that must be good, for writing where that is wanted. 0 or what ends the helper. */
static int key_of(tr_helper *h, uint32_t handle, int for_writing, tr_open_key **out) {
    tr_open_key *k = tr_modhost_key(h, handle);
    if (k == NULL) return tr_helper_wrong(h, "a key that is not open");
    if (for_writing && !(k->mode & WRITING)) return tr_helper_wrong(h, "a change of a key that is open for reading");
    *out = k;
    return TR_OK;
}

static int db_of(tr_helper *h, uint32_t id, tr_db **out) {
    tr_store *store = store_of(h);
    if (id >= (uint32_t)store->db_count) return tr_helper_wrong(h, "a database that does not exist");
    *out = &store->dbs[id];
    return TR_OK;
}

static tr_arg arg_of(const tr_open_key *k) {
    return (tr_arg){.ptr = k->name, .len = k->len};
}

/* ---- opening ---- */

/* What the key has for somebody who comes with this mode. */
static tr_entry *look_up(tr_db *db, const tr_wire_bytes *name, uint32_t mode) {
    tr_store *store = db->store;
    const char *key = (const char *)name->at;
    int writes = (mode & WRITING) != 0;
    if (mode & NO_EFFECTS) mode |= NO_TOUCH | NO_NOTIFY | NO_STATS | NO_EXPIRE;
    tr_entry *e = tr_db_peek(db, key, name->len);
    if (e != NULL && !(mode & ACCESS_EXPIRED) && tr_db_is_expired(db, e)) {
        if (!store->keep_expired && !(mode & NO_EXPIRE)) {
            store->stats.expired_lazy++;
            tr_db_expire_now(db, e);
            e = NULL;
        } else if (!store->keep_expired || !writes) {
            e = NULL;
        }
    }
    if (e != NULL && !(mode & NO_TOUCH)) tr_store_touch(store, e);
    if (writes) return e;
    if (e != NULL) {
        if (!(mode & NO_STATS)) store->stats.keyspace_hits++;
        return e;
    }
    if (!(mode & NO_STATS)) store->stats.keyspace_misses++;
    if (!(mode & NO_NOTIFY)) tr_db_event(db, TR_EV_KEY_MISS, "keymiss", key, name->len);
    return NULL;
}

static const uint8_t kinds[TR_TYPE_COUNT] = {
    [TR_STRING] = 1, [TR_LIST] = 2, [TR_HASH] = 3, [TR_SET] = 4, [TR_ZSET] = 5, [TR_MODULE] = 6, [TR_STREAM] = 7,
};

void tr_modhost_describe(tr_helper *h, const tr_db *db, const tr_entry *e, tr_msg_open_key_answer *out) {
    out->expire_ms = -1;
    if (e == NULL) return;
    out->kind = kinds[tr_entry_type(e)];
    out->expire_ms = tr_db_expire_at(db, e);
    if (tr_entry_type(e) == TR_STRING) out->length = tr_entry_string_len(e);
    if (tr_entry_type(e) == TR_MODULE) tr_modhost_value_of(h, e, &out->type, &out->token);
}

/* What the key has is no value of this module's. */
static void note_foreign(tr_helper *h, const tr_entry *e, const tr_msg_open_key_answer *told) {
    if (e != NULL && told->type == 0) touched_foreign(h);
}

int tr_modhost_open_key(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_open_key *m = body;
    tr_msg_open_key_answer answer = {0};
    tr_db *db = NULL;
    int rc = db_of(h, m->db, &db);
    if (rc != TR_OK) return rc;
    if (m->mode & ~MODES) return tr_helper_wrong(h, "an unknown mode of a key");
    tr_entry *e = look_up(db, &m->name, m->mode);
    tr_modhost_describe(h, db, e, &answer);
    note_foreign(h, e, &answer);
    rc = tr_values_opened(h, db, (const char *)m->name.at, m->name.len, m->mode, e);
    if (rc != TR_OK) return rc;
    if (e != NULL || m->mode & WRITING) {
        rc = open_slot(h, db, &m->name, m->mode, &answer.key);
        if (rc != TR_OK) return rc;
    }
    tr_view view;
    if (e != NULL && tr_entry_type(e) == TR_STRING && m->want_bytes != 0) {
        tr_entry_view(e, &view);
        size_t len = view.len < m->want_bytes ? view.len : m->want_bytes;
        if (len > TR_OPEN_KEY_BYTES_MAX) len = TR_OPEN_KEY_BYTES_MAX;
        answer.value = (tr_wire_bytes){.at = (const uint8_t *)view.ptr, .len = (uint32_t)len};
    }
    return tr_helper_answer(h, header, &answer);
}

/* A free slot of the helper's choice for the name. */
static int open_chosen(tr_helper *h, tr_db *db, const tr_msg_open_known *m) {
    uint32_t at = m->key - TR_CHOSEN_KEY;
    if (m->key < TR_CHOSEN_KEY || at >= TR_CHOSEN_KEYS_MAX) return tr_helper_wrong(h, "a handle that can't be chosen");
    if (h->chosen == NULL) {
        h->chosen = tr_zalloc(h->m->mem, TR_CHOSEN_KEYS_MAX * sizeof *h->chosen);
        if (h->chosen == NULL) return TR_ENOMEM;
    }
    tr_open_key *k = &h->chosen[at];
    if (k->mode != 0) return tr_helper_wrong(h, "a handle that is open already");
    char *copy = tr_alloc(h->m->mem, m->name.len);
    if (copy == NULL) return TR_ENOMEM;
    if (m->name.len != 0) memcpy(copy, m->name.at, m->name.len);
    *k = (tr_open_key){.db = db, .name = copy, .len = m->name.len, .mode = m->mode | IS_OPEN};
    k->unit = tr_helper_unit(h);
    h->chosen_count++;
    return TR_OK;
}

int tr_modhost_open_known(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_open_known *m = body;
    tr_msg_open_key_answer told = {0};
    tr_db *db = NULL;
    (void)header;
    int rc = db_of(h, m->db, &db);
    if (rc != TR_OK) return rc;
    if (m->mode & ~MODES) return tr_helper_wrong(h, "an unknown mode of a key");
    tr_entry *e = look_up(db, &m->name, m->mode);
    tr_modhost_describe(h, db, e, &told);
    note_foreign(h, e, &told);
    rc = tr_values_opened(h, db, (const char *)m->name.at, m->name.len, m->mode, e);
    return rc != TR_OK || m->key == 0 ? rc : open_chosen(h, db, m);
}

int tr_modhost_close_key(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_close_key *m = body;
    tr_open_key *k = NULL;
    (void)header;
    int rc = key_of(h, m->key, 0, &k);
    if (rc == TR_OK) close_slot(h, k);
    return rc;
}

/* ---- what becomes of a key ---- */

int tr_modhost_delete_key(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_delete_key *m = body;
    tr_open_key *k = NULL;
    (void)header;
    int rc = key_of(h, m->key, 1, &k);
    if (rc != TR_OK) return rc;
    tr_entry *e = tr_modhost_entry(k);
    if (e != NULL) tr_db_delete(k->db, e);
    return TR_OK;
}

int tr_modhost_set_expire(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_set_expire *m = body;
    tr_open_key *k = NULL;
    (void)header;
    int rc = key_of(h, m->key, 1, &k);
    if (rc != TR_OK) return rc;
    if (m->expire_ms < -1) return tr_helper_wrong(h, "an expiry before 1970");
    tr_entry *e = tr_modhost_entry(k);
    if (e == NULL) return TR_OK;
    if (m->expire_ms >= 0) return tr_db_set_expire(k->db, e, m->expire_ms);
    tr_db_persist(k->db, e);
    return TR_OK;
}

int tr_modhost_key_exists(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_key_exists *m = body;
    tr_db *db = NULL;
    int rc = db_of(h, m->db, &db);
    if (rc != TR_OK) return rc;
    touched_foreign(h);
    tr_msg_key_exists_answer answer = {.exists = look_up(db, &m->name, READING | NO_TOUCH) != NULL};
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_db_size(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_db_size *m = body;
    tr_db *db = NULL;
    int rc = db_of(h, m->db, &db);
    if (rc != TR_OK) return rc;
    touched_foreign(h);
    tr_msg_db_size_answer answer = {.keys = tr_hash_count(&db->keys)};
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_random_key(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_random_key *m = body;
    tr_db *db = NULL;
    int rc = db_of(h, m->db, &db);
    if (rc != TR_OK) return rc;
    touched_foreign(h);
    const tr_entry *e = tr_db_random(db);
    tr_msg_random_key_answer answer = {.found = e != NULL};
    if (e != NULL) answer.name = (tr_wire_bytes){.at = (const uint8_t *)e->key, .len = (uint32_t)tr_entry_key_len(e)};
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_get_age(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_get_age *m = body;
    const tr_store *store = store_of(h);
    tr_open_key *k = NULL;
    int rc = key_of(h, m->key, 0, &k);
    if (rc != TR_OK) return rc;
    const tr_entry *e = tr_modhost_entry(k);
    int is_lfu = (store->policy & TR_POLICY_LFU) != 0;
    tr_msg_get_age_answer answer = {.outcome = e == NULL || is_lfu != m->frequency};
    if (answer.outcome == 0)
        answer.value = is_lfu ? (int64_t)tr_store_lfu_now(store, e) : (int64_t)tr_store_idle_ms(store, e);
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_set_age(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_set_age *m = body;
    const tr_store *store = store_of(h);
    tr_open_key *k = NULL;
    int rc = key_of(h, m->key, 0, &k);
    if (rc != TR_OK) return rc;
    tr_entry *e = tr_modhost_entry(k);
    int is_lfu = (store->policy & TR_POLICY_LFU) != 0;
    int fits = m->value >= 0 && (!is_lfu || m->value <= UINT8_MAX);
    tr_msg_set_age_answer answer = {.outcome = e == NULL || is_lfu != m->frequency || !fits};
    if (answer.outcome == 0) {
        uint32_t fresh = tr_store_new_lru(store);
        uint32_t lru = is_lfu ? (fresh & ~(uint32_t)UINT8_MAX) | (uint32_t)m->value
                              : fresh - (uint32_t)(m->value / 1000);
        tr_entry_set_lru(e, lru & 0xffffffu);
    }
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_select_db(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_select_db *m = body;
    tr_store *store = store_of(h);
    tr_unit *unit = tr_helper_unit(h);
    tr_msg_select_db_answer answer = {.outcome = m->db >= (uint32_t)store->db_count};
    if (answer.outcome == 0 && unit != NULL) {
        tr_client *c = unit->nested ? unit->nested_client : tr_client_by_id(h->m->x, unit->client_id);
        unit->db_id = (int)m->db;
        if (c != NULL) c->db = &store->dbs[m->db];
    }
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_signal_modified(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_signal_modified *m = body;
    tr_store *store = store_of(h);
    tr_db *db = NULL;
    (void)header;
    int rc = db_of(h, m->db, &db);
    if (rc != TR_OK) return rc;
    if (store->wants & TR_WANTS_CHANGED)
        store->hooks.changed(store->hooks.ctx, db, (const char *)m->name.at, m->name.len);
    return TR_OK;
}

/* ---- string values ---- */

/* To Redis the module's string is a new key whatever was there: it says so to who waits for the key. */
static void tell_new(tr_db *db, const tr_arg *key) {
    tr_store *store = db->store;
    if (store->wants & TR_WANTS_ADDED) store->hooks.added(store->hooks.ctx, db, TR_STRING, key->ptr, key->len);
    tr_db_event(db, TR_EV_NEW, "new", key->ptr, key->len);
}

int tr_modhost_string_set(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_string_set *m = body;
    tr_open_key *k = NULL;
    (void)header;
    int rc = key_of(h, m->key, 1, &k);
    if (rc != TR_OK) return rc;
    touched_foreign(h);
    tr_arg key = arg_of(k);
    tr_entry *old = tr_modhost_entry(k);
    uint32_t hash = tr_db_hash(k->db, key.ptr, key.len);
    const char *p = m->value.at != NULL ? (const char *)m->value.at : "";
    if (tr_db_set_plain(k->db, old, &key, hash, p, m->value.len, 0) == NULL) return TR_ENOMEM;
    if (old != NULL) tell_new(k->db, &key);
    return TR_OK;
}

int tr_modhost_string_get(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_string_get *m = body;
    tr_open_key *k = NULL;
    tr_view view;
    int rc = key_of(h, m->key, 0, &k);
    if (rc != TR_OK) return rc;
    const tr_entry *e = tr_modhost_entry(k);
    tr_msg_string_get_answer answer = {.outcome = e == NULL || tr_entry_type(e) != TR_STRING};
    if (answer.outcome == 0) {
        touched_foreign(h);
        tr_entry_view(e, &view);
        uint64_t at = m->offset < view.len ? m->offset : view.len;
        uint64_t len = view.len - at < m->bytes_max ? view.len - at : m->bytes_max;
        answer.length = view.len;
        answer.value = (tr_wire_bytes){.at = (const uint8_t *)view.ptr + at, .len = (uint32_t)len};
    }
    return tr_helper_answer(h, header, &answer);
}

/* The module wrote through a pointer that may be older than the value: what doesn't fit any more is lost, as it
 * would be there. */
int tr_modhost_string_write(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_string_write *m = body;
    tr_open_key *k = NULL;
    (void)header;
    int rc = key_of(h, m->key, 1, &k);
    if (rc != TR_OK) return rc;
    tr_entry *e = tr_modhost_entry(k);
    if (e == NULL || tr_entry_type(e) != TR_STRING || m->value.len == 0) return TR_OK;
    size_t len = tr_entry_string_len(e);
    if (m->offset > len || m->value.len > len - m->offset) return TR_OK;
    touched_foreign(h);
    tr_blob *blob = tr_db_own_blob(k->db, &e, len);
    if (blob == NULL) return TR_ENOMEM;
    memcpy(blob->data + m->offset, m->value.at, m->value.len);
    return TR_OK;
}

static int make_zeros(tr_open_key *k, size_t len) {
    tr_mem *mem = k->db->store->mem;
    tr_blob *blob = tr_blob_new(mem, NULL, len, len);
    if (blob == NULL) return TR_ENOMEM;
    memset(blob->data, 0, len);
    tr_arg key = arg_of(k);
    uint32_t hash = tr_db_hash(k->db, key.ptr, key.len);
    if (tr_db_set_value(k->db, NULL, &key, hash, TR_STRING, TR_ENC_RAW, blob, 0) != NULL) return TR_OK;
    tr_blob_drop(mem, blob);
    return TR_ENOMEM;
}

int tr_modhost_string_truncate(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_string_truncate *m = body;
    tr_open_key *k = NULL;
    (void)header;
    int rc = key_of(h, m->key, 1, &k);
    if (rc != TR_OK) return rc;
    if (m->length > STRING_BYTES_MAX) return tr_helper_wrong(h, "a string longer than there may be");
    touched_foreign(h);
    tr_entry *e = tr_modhost_entry(k);
    if (e == NULL) return m->length == 0 ? TR_OK : make_zeros(k, m->length);
    if (tr_entry_type(e) != TR_STRING) return TR_OK;
    size_t len = tr_entry_string_len(e);
    tr_blob *blob = tr_db_own_blob(k->db, &e, m->length > len ? m->length : len);
    if (blob == NULL) return TR_ENOMEM;
    if (m->length > len) memset(blob->data + len, 0, m->length - len);
    blob->len = m->length;
    return TR_OK;
}

/* ---- walking ---- */

/* Columns of the answer; each grows on its own. */
typedef struct batch {
    tr_helper *h;
    tr_db *db;
    tr_buf names, kinds, lengths, expires, types, tokens;
    uint32_t count;
    int rc;
} batch;

static void add_u64(batch *b, tr_buf *column, uint64_t value) {
    if (b->rc == TR_OK) b->rc = tr_buf_append(b->h->m->mem, column, &value, sizeof(value));
}

static void visit(void *ctx, tr_hnode *node) {
    batch *b = ctx;
    const tr_entry *e = (const tr_entry *)node;
    if (b->count == TR_SCAN_KEYS_MAX) {
        b->rc = TR_ELIMIT;
        return;
    }
    tr_msg_open_key_answer about = {0};
    tr_modhost_describe(b->h, b->db, e, &about);
    note_foreign(b->h, e, &about);
    tr_wire_bytes name = {.at = (const uint8_t *)e->key, .len = (uint32_t)tr_entry_key_len(e)};
    if (b->rc == TR_OK) b->rc = tr_buf_append(b->h->m->mem, &b->names, &name, sizeof(name));
    add_u64(b, &b->kinds, about.kind);
    add_u64(b, &b->lengths, about.length);
    add_u64(b, &b->expires, (uint64_t)about.expire_ms);
    add_u64(b, &b->types, about.type);
    add_u64(b, &b->tokens, about.token);
    b->count++;
}

static const void *items(const tr_buf *column) {
    return column->data + column->rpos;
}

static int answer_batch(const batch *b, const tr_wire_header *header, uint64_t cursor) {
    uint32_t n = b->count;
    tr_msg_scan_answer answer = {.cursor = cursor};
    answer.names = (tr_wire_list){.count = n, .items.texts = n ? items(&b->names) : NULL};
    answer.kinds = (tr_wire_list){.count = n, .items.u64s = n ? items(&b->kinds) : NULL};
    answer.lengths = (tr_wire_list){.count = n, .items.u64s = n ? items(&b->lengths) : NULL};
    answer.expires_ms = (tr_wire_list){.count = n, .items.i64s = n ? items(&b->expires) : NULL};
    answer.types = (tr_wire_list){.count = n, .items.u64s = n ? items(&b->types) : NULL};
    answer.tokens = (tr_wire_list){.count = n, .items.u64s = n ? items(&b->tokens) : NULL};
    return tr_helper_answer(b->h, header, &answer);
}

int tr_modhost_scan(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_scan *m = body;
    batch b = {.h = h};
    int rc = db_of(h, m->db, &b.db);
    if (rc != TR_OK) return rc;
    touched_foreign(h);
    uint32_t want = m->count < TR_SCAN_BATCH_MAX ? m->count : TR_SCAN_BATCH_MAX;
    uint64_t cursor = m->cursor;
    int empty_left = TR_SCAN_BATCH_MAX * TR_HASH_EMPTY_VISITS;
    do cursor = tr_hash_scan(&b.db->keys, cursor, visit, &b);
    while (cursor != 0 && b.count < want && b.rc == TR_OK && empty_left-- > 0);
    rc = b.rc == TR_OK ? answer_batch(&b, header, cursor) : b.rc;
    tr_buf *columns[] = {&b.names, &b.kinds, &b.lengths, &b.expires, &b.types, &b.tokens};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) tr_buf_release(h->m->mem, columns[i]);
    return rc;
}
