/* The undo log against a memory of what was: random changes under nested marks, with and without failing allocations;
 * whatever is rolled back leaves the keyspace as it was, expiry included, and nothing is freed twice or never. */
#include "store/undo.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/siphash.h"
#include "check.h"
#include "store/digest.h"
#include "store/store.h"

#define DBS 3
#define NAMES 12

static const uint64_t seed[2] = {42, 4711};

typedef struct fixture {
    tr_mem mem;
    tr_store store;
    tr_rng rng;
    int changed, flushed, swapped;
    char last_changed[64];
} fixture;

/* ---- a type of its own: a number behind a pointer ---- */

static void free_number(tr_store *store, tr_enc enc, void *ptr) {
    (void)enc;
    tr_free(store->mem, ptr);
}

static int copy_number(tr_store *store, tr_enc enc, const void *ptr, void **out) {
    (void)enc;
    int64_t *copy = tr_alloc(store->mem, sizeof(*copy));
    if (copy == NULL) return TR_ENOMEM;
    memcpy(copy, ptr, sizeof(*copy));
    *out = copy;
    return TR_OK;
}

static void digest_number(const tr_db *db, const tr_entry *e, unsigned char digest[20]) {
    (void)db;
    tr_digest_mix(digest, tr_entry_ptr(e), sizeof(int64_t));
}

static const tr_type_ops number_ops = {
    .name = "number", .free_value = free_number, .copy_value = copy_number, .digest = digest_number};
/* As TR_MODULE: can't be copied, never changes inside. */
static const tr_type_ops foreign_ops = {.name = "foreign", .free_value = free_number, .digest = digest_number};

static void on_changed(void *ctx, tr_db *db, const char *key, size_t len) {
    fixture *f = ctx;
    f->changed++;
    snprintf(f->last_changed, sizeof(f->last_changed), "%d:%.*s", db->id, (int)len, key);
}

static void on_flushed(void *ctx, int db_id) {
    (void)db_id;
    ((fixture *)ctx)->flushed++;
}

static void on_swapped(void *ctx, int a, int b) {
    (void)a, (void)b;
    ((fixture *)ctx)->swapped++;
}

static void open_store(fixture *f, uint64_t state) {
    memset(f, 0, sizeof(*f));
    tr_mem_init(&f->mem);
    CHECK_EQ_INT(tr_store_init(&f->store, &f->mem, DBS, seed), TR_OK);
    f->store.types[TR_LIST] = &number_ops;
    f->store.types[TR_MODULE] = &foreign_ops;
    f->store.hooks = (tr_store_hooks){.ctx = f, .changed = on_changed, .flushed = on_flushed, .swapped = on_swapped};
    f->store.wants = TR_WANTS_CHANGED;
    f->rng.state = state;
    tr_store_set_time(&f->store, 1000000);
}

static void close_store(fixture *f) {
    tr_store_check(&f->store);
    tr_store_release(&f->store);
    CHECK_EQ_INT(f->mem.used, 0);
}

/* ---- what the keyspace is ---- */

typedef struct image {
    unsigned char digest[TR_SHA1_BYTES];
    uint64_t expiry; /* over all keys: name and when */
    size_t keys, expiring;
} image;

typedef struct walk {
    tr_db *db;
    image *out;
} walk;

static void visit(void *ctx, tr_hnode *node) {
    walk *w = ctx;
    const tr_entry *e = (const tr_entry *)node;
    struct {
        uint64_t key;
        int64_t when, db_id, type;
    } part = {tr_siphash(e->key, tr_entry_key_len(e), seed), tr_db_expire_at(w->db, e), w->db->id, tr_entry_type(e)};
    w->out->expiry += tr_siphash(&part, sizeof(part), seed);
    w->out->keys++;
}

static image look(tr_store *store) {
    image out = {.keys = 0};
    tr_digest_store(out.digest, store);
    for (int i = 0; i < store->db_count; i++) {
        tr_db *db = &store->dbs[i];
        walk w = {db, &out};
        tr_hash_pause(&db->keys);
        uint64_t cursor = 0;
        do cursor = tr_hash_scan(&db->keys, cursor, visit, &w);
        while (cursor != 0);
        tr_hash_resume(&db->keys);
        out.expiring += db->ttl.count;
    }
    return out;
}

static int same(const image *a, const image *b) {
    return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0 && a->expiry == b->expiry && a->keys == b->keys &&
           a->expiring == b->expiring;
}

/* ---- random changes ---- */

static uint64_t below(fixture *f, uint64_t n) {
    return tr_rng_below(&f->rng, n);
}

static tr_db *any_db(fixture *f) {
    return &f->store.dbs[below(f, DBS)];
}

/* Names in a ring of buffers, so that two are there at once. */
static tr_arg any_name(fixture *f) {
    static char names[4][16];
    static int at;
    char *name = names[at++ % 4];
    return (tr_arg){.ptr = name, .len = (size_t)sprintf(name, "key:%d", (int)below(f, NAMES))};
}

static const char long_text[] = "a value that is too long to stand inside of the entry itself, by far, and that grows";

static tr_arg any_value(fixture *f) {
    static char text[128];
    size_t len;
    switch (below(f, 3)) {
    case 0:
        len = (size_t)sprintf(text, "%d", (int)below(f, 100000));
        break;
    case 1:
        len = (size_t)sprintf(text, "text %d", (int)below(f, 100000));
        break;
    default:
        len = (size_t)sprintf(text, "%d %s", (int)below(f, 100000), long_text);
    }
    return (tr_arg){.ptr = text, .len = len};
}

static tr_entry *any_entry(fixture *f, tr_db **db) {
    *db = any_db(f);
    tr_arg key = any_name(f);
    return tr_db_peek(*db, key.ptr, key.len);
}

static void change_set(fixture *f) {
    tr_db *db = any_db(f);
    tr_arg key = any_name(f), value = any_value(f);
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(db, &key, &hash);
    tr_db_set_string(db, old, &key, hash, &value, below(f, 2) ? TR_KEEP_TTL : 0);
}

static void change_set_number(fixture *f) {
    tr_db *db = any_db(f);
    tr_arg key = any_name(f);
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(db, &key, &hash);
    int64_t *n = tr_alloc(&f->mem, sizeof(*n));
    if (n == NULL) return;
    *n = (int64_t)below(f, 1000);
    tr_type type = below(f, 2) ? TR_LIST : TR_MODULE;
    if (tr_db_set_value(db, old, &key, hash, type, TR_ENC_RAW, n, below(f, 2) ? TR_KEEP_TTL : 0) == NULL)
        tr_free(&f->mem, n);
}

/* INCR, APPEND and a push, as their commands do it. */
static void change_inside(fixture *f) {
    tr_db *db;
    tr_entry *e = any_entry(f, &db);
    if (e == NULL || tr_entry_type(e) == TR_MODULE) return;
    if (tr_entry_type(e) == TR_LIST) {
        if (tr_db_will_change(db, e) == TR_OK) ++*(int64_t *)tr_entry_ptr(e);
    } else if (tr_entry_enc(e) == TR_ENC_INT && below(f, 2)) {
        if (tr_db_will_change(db, e) == TR_OK) tr_entry_set_int(e, tr_entry_int(e) + 1);
    } else {
        size_t len = tr_entry_string_len(e);
        tr_blob *blob = tr_db_own_blob(db, &e, len + 3);
        if (blob == NULL) return;
        memcpy(blob->data + len, "...", 3);
        blob->len = len + 3;
        blob->data[0] ^= 1;
    }
}

static void change_put(fixture *f) {
    tr_db *db = any_db(f);
    tr_entry *made[3];
    int n = 0;
    for (; n < 3; n++) {
        tr_arg key = any_name(f), value = any_value(f);
        made[n] = tr_db_make_string(db, &key, tr_db_hash(db, key.ptr, key.len), &value);
        if (made[n] == NULL) break;
    }
    int all = n == 3 && below(f, 4) != 0;
    for (int i = 0; i < n; i++) {
        if (all) tr_db_put(db, made[i]);
        else tr_db_discard(db, made[i]);
    }
}

static void change_gone(fixture *f) {
    tr_db *db;
    tr_entry *e = any_entry(f, &db);
    if (e == NULL) return;
    if (below(f, 2)) tr_db_delete(db, e);
    else tr_db_expire_now(db, e);
}

static void change_place(fixture *f) {
    tr_db *from, *to = any_db(f);
    tr_entry *e = any_entry(f, &from);
    tr_arg key = any_name(f);
    if (e == NULL || tr_db_peek(to, key.ptr, key.len) == e) return;
    if (tr_entry_type(e) == TR_MODULE || below(f, 2)) tr_db_move(from, e, to, &key);
    else tr_db_copy(from, e, to, &key);
}

static void change_expiry(fixture *f) {
    tr_db *db;
    tr_entry *e = any_entry(f, &db);
    if (e == NULL) return;
    if (below(f, 3) == 0) tr_db_persist(db, e);
    else tr_db_set_expire(db, e, (int64_t)(2000000 + below(f, 1000)));
}

static void change_at_random(fixture *f) {
    switch (below(f, 24)) {
    case 0:
        tr_store_flush(&f->store, (int)below(f, DBS + 1) - 1, (int)below(f, 2));
        break;
    case 1:
        tr_store_swap(&f->store, (int)below(f, DBS), (int)below(f, DBS));
        break;
    case 2:
    case 3:
    case 4:
        change_put(f);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        change_gone(f);
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        change_place(f);
        break;
    case 13:
    case 14:
    case 15:
        change_expiry(f);
        break;
    case 16:
    case 17:
    case 18:
        change_inside(f);
        break;
    case 19:
    case 20:
        change_set_number(f);
        break;
    default:
        change_set(f);
    }
}

/* ---- the property ---- */

typedef struct totals {
    int rollbacks, broken, compared;
} totals;

static void roll_back(fixture *f, const image *before, totals *t) {
    int whole = tr_undo_is_whole(&f->store);
    tr_mem_fail_every(&f->mem, 1); /* needs no memory */
    int rc = tr_undo_rollback(&f->store, (size_t)f->store.undo_depth - 1);
    tr_mem_fail_every(&f->mem, 0);
    CHECK_EQ_INT(rc, whole ? TR_OK : TR_ENOMEM);
    t->rollbacks++;
    t->broken += !whole;
    tr_store_check(&f->store);
    if (!whole) return;
    image now = look(&f->store);
    CHECK(same(&now, before));
    t->compared++;
}

/* fail: allocations fail now and then. */
static totals run_at_random(uint64_t state, int steps, int fail) {
    fixture f;
    totals t = {0, 0, 0};
    image before[8];
    open_store(&f, state);
    for (int i = 0; i < steps; i++) {
        int depth = f.store.undo_depth;
        switch (below(&f, 16)) {
        case 0:
        case 1:
            if (depth == 8) break;
            before[depth] = look(&f.store);
            CHECK_EQ_INT(tr_undo_begin(&f.store), depth);
            break;
        case 2:
            if (depth > 0) roll_back(&f, &before[depth - 1], &t);
            break;
        case 3:
            if (depth > 0) tr_undo_commit(&f.store, (size_t)depth - 1);
            break;
        default:
            if (fail && below(&f, 3) == 0) tr_mem_fail_at(&f.mem, 1 + below(&f, 4));
            change_at_random(&f);
            tr_mem_fail_at(&f.mem, 0);
        }
        if (i % 16 == 0) tr_store_check(&f.store);
        if (below(&f, 8) == 0) tr_store_lazyfree(&f.store, 10);
    }
    while (f.store.undo_depth > 0) roll_back(&f, &before[f.store.undo_depth - 1], &t);
    CHECK_EQ_INT(f.store.undo.bytes, 0);
    close_store(&f);
    return t;
}

static void test_rollback_restores_what_was(void) {
    totals sum = {0, 0, 0};
    for (uint64_t state = 1; state <= 400; state++) {
        int failures = check_failures;
        totals t = run_at_random(state, 300, 0);
        sum.compared += t.compared;
        CHECK_EQ_INT(t.broken, 0);
        if (failures != check_failures) {
            fprintf(stderr, "the seed was %d\n", (int)state);
            return;
        }
    }
    CHECK(sum.compared > 3000);
}

static void test_rollback_when_memory_is_short(void) {
    totals sum = {0, 0, 0};
    for (uint64_t state = 1; state <= 600; state++) {
        int failures = check_failures;
        totals t = run_at_random(1000 + state, 200, 1);
        sum.compared += t.compared;
        sum.broken += t.broken;
        if (failures != check_failures) {
            fprintf(stderr, "the seed was %d\n", 1000 + (int)state);
            return;
        }
    }
    CHECK(sum.compared > 1000 && sum.broken > 100);
}

/* ---- single traits ---- */

static tr_entry *set(tr_db *db, const char *key, const char *value) {
    tr_arg k = {.ptr = key, .len = strlen(key)}, v = {.ptr = value, .len = strlen(value)};
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(db, &k, &hash);
    return tr_db_set_string(db, old, &k, hash, &v, 0);
}

static void check_string(tr_db *db, const char *key, const char *want) {
    tr_entry *e = tr_db_peek(db, key, strlen(key));
    CHECK((e == NULL) == (want == NULL));
    if (e == NULL || want == NULL) return;
    tr_view view;
    tr_entry_view(e, &view);
    CHECK_EQ_MEM(view.ptr, view.len, want, strlen(want));
}

static void test_inner_marks(void) {
    fixture f;
    open_store(&f, 1);
    tr_db *db = &f.store.dbs[0];
    set(db, "a", "0");
    size_t outer = tr_undo_begin(&f.store);
    set(db, "a", "1");
    size_t inner = tr_undo_begin(&f.store);
    set(db, "a", "2");
    set(db, "b", "2");
    CHECK_EQ_INT(tr_undo_rollback(&f.store, inner), TR_OK);
    check_string(db, "a", "1");
    check_string(db, "b", NULL);
    inner = tr_undo_begin(&f.store);
    set(db, "a", "3");
    tr_undo_commit(&f.store, inner);
    check_string(db, "a", "3");
    CHECK_EQ_INT(tr_undo_rollback(&f.store, outer), TR_OK);
    check_string(db, "a", "0");
    CHECK_EQ_INT(f.store.undo_depth, 0);
    close_store(&f);
}

static void test_an_outer_mark_may_end_first(void) {
    fixture f;
    open_store(&f, 1);
    tr_db *db = &f.store.dbs[0];
    set(db, "a", "0");
    size_t outer = tr_undo_begin(&f.store);
    set(db, "a", "1");
    size_t middle = tr_undo_begin(&f.store);
    set(db, "b", "1");
    size_t inner = tr_undo_begin(&f.store);
    set(db, "c", "1");
    CHECK_EQ_INT(tr_undo_rollback(&f.store, outer), TR_OK);
    set(db, "d", "1");
    tr_undo_commit(&f.store, inner);
    CHECK_EQ_INT(f.store.undo_depth, 2);
    set(db, "e", "1");
    tr_undo_commit(&f.store, middle);
    CHECK_EQ_INT(f.store.undo_depth, 0);
    check_string(db, "a", "0");
    CHECK_EQ_INT(tr_hash_count(&db->keys), 1);
    outer = tr_undo_begin(&f.store);
    inner = tr_undo_begin(&f.store);
    tr_undo_commit(&f.store, outer);
    set(db, "a", "2");
    CHECK_EQ_INT(tr_undo_rollback(&f.store, inner), TR_OK);
    CHECK_EQ_INT(f.store.undo_depth, 0);
    check_string(db, "a", "0");
    close_store(&f);
}

static void test_hooks_hear_of_it(void) {
    fixture f;
    open_store(&f, 1);
    set(&f.store.dbs[1], "a", "0");
    size_t mark = tr_undo_begin(&f.store);
    set(&f.store.dbs[1], "a", "1");
    f.changed = 0;
    CHECK_EQ_INT(tr_undo_rollback(&f.store, mark), TR_OK);
    CHECK_EQ_INT(f.changed, 1);
    CHECK_EQ_STR(f.last_changed, "1:a");
    mark = tr_undo_begin(&f.store);
    tr_store_flush(&f.store, 1, 0);
    tr_store_swap(&f.store, 1, 2);
    f.flushed = f.swapped = 0;
    CHECK_EQ_INT(tr_undo_rollback(&f.store, mark), TR_OK);
    CHECK(f.flushed == 2 && f.swapped == 1);
    check_string(&f.store.dbs[1], "a", "0");
    close_store(&f);
}

static void test_many_changes_of_a_key_are_one_record(void) {
    fixture f;
    open_store(&f, 1);
    tr_db *db = &f.store.dbs[0];
    set(db, "a", "text");
    size_t mark = tr_undo_begin(&f.store);
    for (int i = 0; i < 1000; i++) {
        set(db, "a", i % 2 ? "1" : long_text);
        tr_db_set_expire(db, tr_db_peek(db, "a", 1), 2000000 + i);
        if (i % 10 == 0) tr_db_delete(db, tr_db_peek(db, "a", 1));
    }
    CHECK_EQ_INT(f.store.undo.serial, 1);
    CHECK_EQ_INT(tr_undo_rollback(&f.store, mark), TR_OK);
    check_string(db, "a", "text");
    close_store(&f);
}

static void test_nothing_is_evicted_meanwhile(void) {
    fixture f;
    open_store(&f, 1);
    set(&f.store.dbs[0], "a", long_text);
    f.store.policy = TR_ALLKEYS_RANDOM;
    f.store.maxmemory = 1;
    size_t mark = tr_undo_begin(&f.store);
    CHECK_EQ_INT(tr_store_make_room(&f.store), TR_ENOMEM);
    check_string(&f.store.dbs[0], "a", long_text);
    tr_undo_commit(&f.store, mark);
    tr_store_make_room(&f.store);
    check_string(&f.store.dbs[0], "a", NULL);
    close_store(&f);
}

static void test_a_flush_in_the_background_goes_on_after_the_commit(void) {
    fixture f;
    open_store(&f, 1);
    char key[16];
    for (int i = 0; i < 100; i++) {
        sprintf(key, "k%d", i);
        set(&f.store.dbs[0], key, "v");
    }
    size_t mark = tr_undo_begin(&f.store);
    CHECK_EQ_INT(tr_store_flush(&f.store, -1, 1), 100);
    CHECK_EQ_INT(f.store.doomed_count, 0);
    tr_undo_commit(&f.store, mark);
    CHECK_EQ_INT(f.store.doomed_count, 100);
    while (tr_store_lazyfree(&f.store, 7)) {
    }
    close_store(&f);
}

static void test_a_store_may_close_amid_a_mark(void) {
    fixture f;
    open_store(&f, 1);
    set(&f.store.dbs[0], "a", "0");
    tr_undo_begin(&f.store);
    set(&f.store.dbs[0], "a", "1");
    tr_undo_begin(&f.store);
    tr_store_flush(&f.store, -1, 0);
    CHECK(tr_undo_may_begin(&f.store));
    while (tr_undo_may_begin(&f.store)) tr_undo_begin(&f.store);
    CHECK_EQ_INT(f.store.undo_depth, TR_UNDO_DEPTH_MAX);
    close_store(&f);
}

int main(void) {
    RUN(test_rollback_restores_what_was);
    RUN(test_rollback_when_memory_is_short);
    RUN(test_inner_marks);
    RUN(test_an_outer_mark_may_end_first);
    RUN(test_hooks_hear_of_it);
    RUN(test_many_changes_of_a_key_are_one_record);
    RUN(test_nothing_is_evicted_meanwhile);
    RUN(test_a_flush_in_the_background_goes_on_after_the_commit);
    RUN(test_a_store_may_close_amid_a_mark);
    return CHECK_DONE();
}
