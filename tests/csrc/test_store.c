/* The keyspace against what it promises: values in all forms, expiry by the clock alone, every
 * eviction policy, background freeing, hooks, failing allocations. */
#include "store/store.h"

#include <stdlib.h>

#include "base/err.h"
#include "check.h"

static const uint64_t seed[2] = {42, 4711};

typedef struct fixture {
    tr_mem mem;
    tr_store store;
} fixture;

static void open_store(fixture *f) {
    tr_mem_init(&f->mem);
    CHECK_EQ_INT(tr_store_init(&f->store, &f->mem, 3, seed), TR_OK);
    tr_store_set_time(&f->store, 1000000);
}

static void close_store(fixture *f) {
    tr_store_check(&f->store);
    tr_store_release(&f->store);
    CHECK_EQ_INT(f->mem.used, 0);
}

static tr_arg arg(const char *text) {
    return (tr_arg){.ptr = text, .len = strlen(text)};
}

static tr_entry *set(tr_db *db, const char *key, const char *value, int flags) {
    tr_arg k = arg(key), v = arg(value);
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(db, &k, &hash);
    return tr_db_set_string(db, old, &k, hash, &v, flags);
}

static tr_entry *peek(tr_db *db, const char *key) {
    return tr_db_peek(db, key, strlen(key));
}

static int64_t fixed_clock(void *ctx) {
    return *(int64_t *)ctx;
}

static uint64_t expire_all(tr_store *store) {
    int64_t now = 0;
    return tr_store_expire_due(store, 1000000, fixed_clock, &now);
}

static void check_value(const tr_entry *e, const char *want, tr_enc enc) {
    tr_view view;
    CHECK(e != NULL);
    if (e == NULL) return;
    tr_entry_view(e, &view);
    CHECK_EQ_MEM(view.ptr, view.len, want, strlen(want));
    CHECK_EQ_INT(tr_entry_enc(e), enc);
    CHECK_EQ_INT(tr_entry_string_len(e), (int64_t)strlen(want));
}

static void test_values_change_their_form(void) {
    fixture f;
    open_store(&f);
    tr_db *db = &f.store.dbs[0];
    char longer[200];
    memset(longer, 'z', sizeof(longer));
    longer[199] = '\0';
    char forty_four[45];
    memset(forty_four, 'e', 44);
    forty_four[44] = '\0';
    const char *values[] = {"",     "short",    "12345", "-9223372036854775808", "9223372036854775808",
                            "0123", forty_four, longer};
    const tr_enc encs[] = {TR_ENC_EMB, TR_ENC_EMB, TR_ENC_INT, TR_ENC_INT,
                           TR_ENC_EMB, TR_ENC_EMB, TR_ENC_EMB, TR_ENC_RAW};
    for (int from = 0; from < 8; from++) {
        for (int to = 0; to < 8; to++) {
            set(db, "key", values[from], 0);
            check_value(peek(db, "key"), values[from], encs[from]);
            tr_db_set_expire(db, peek(db, "key"), 5000000);
            set(db, "key", values[to], to % 2 ? TR_KEEP_TTL : 0);
            check_value(peek(db, "key"), values[to], encs[to]);
            CHECK_EQ_INT(tr_db_expire_at(db, peek(db, "key")), to % 2 ? 5000000 : -1);
            tr_store_check(&f.store);
        }
    }
    CHECK_EQ_INT(tr_hash_count(&db->keys), 1);
    close_store(&f);
}

static void test_own_blob_copies_what_is_shared(void) {
    fixture f;
    open_store(&f);
    tr_db *db = &f.store.dbs[0];
    const char *starts[] = {"77", "embedded", "a value that is too long to stand inside the entry itself, by far"};
    for (int i = 0; i < 3; i++) {
        tr_entry *e = set(db, "k", starts[i], 0);
        tr_blob *blob = tr_db_own_blob(db, &e, 500);
        CHECK(blob != NULL && blob->cap >= 500 && blob->refs == 1);
        check_value(e, starts[i], TR_ENC_RAW);
        tr_blob *shared = tr_blob_share(blob);
        tr_blob *other = tr_db_own_blob(db, &e, 500);
        CHECK(other != shared && shared->refs == 1 && other->refs == 1);
        other->data[0] = '#';
        CHECK(shared->data[0] == starts[i][0]);
        tr_blob_drop(&f.mem, shared);
    }
    close_store(&f);
}

static void test_expiry_by_the_clock(void) {
    fixture f;
    open_store(&f);
    tr_db *db = &f.store.dbs[1];
    tr_db_set_expire(db, set(db, "soon", "1", 0), 1000010);
    tr_db_set_expire(db, set(db, "later", "2", 0), 1000020);
    set(db, "never", "3", 0);
    tr_store_set_time(&f.store, 1000010);
    tr_arg soon = arg("soon"), later = arg("later");
    CHECK(tr_db_read(db, &soon) != NULL); /* the very millisecond still counts */
    CHECK_EQ_INT(expire_all(&f.store), 0);
    tr_store_set_time(&f.store, 1000011);
    f.store.keep_expired = 1;
    CHECK(tr_db_read(db, &soon) == NULL);
    CHECK(peek(db, "soon") != NULL);
    f.store.keep_expired = 0;
    CHECK(tr_db_read(db, &soon) == NULL);
    CHECK(peek(db, "soon") == NULL);
    CHECK_EQ_INT(f.store.stats.expired_keys, 1);
    tr_store_set_time(&f.store, 2000000);
    f.store.active_expire = 0;
    CHECK_EQ_INT(expire_all(&f.store), 0);
    f.store.active_expire = 1;
    CHECK_EQ_INT(expire_all(&f.store), 1);
    CHECK(peek(db, "later") == NULL && peek(db, "never") != NULL);
    CHECK(tr_db_write(db, &later) == NULL);
    CHECK_EQ_INT(db->ttl.count, 0);
    close_store(&f);
}

static void test_active_expiry_stops_at_its_budget(void) {
    fixture f;
    open_store(&f);
    char key[32];
    for (int i = 0; i < 3 * TR_EXPIRE_RUN_MAX; i++) {
        tr_db *db = &f.store.dbs[i % 3];
        sprintf(key, "k%d", i);
        tr_db_set_expire(db, set(db, key, "v", 0), 1000001);
    }
    tr_store_set_time(&f.store, 1000002);
    int64_t now = 0;
    uint64_t first = tr_store_expire_due(&f.store, 0, fixed_clock, &now);
    CHECK_EQ_INT(first, TR_EXPIRE_RUN_MAX);
    CHECK_EQ_INT(f.store.stats.expired_time_cap, 1);
    CHECK_EQ_INT(expire_all(&f.store), 2 * TR_EXPIRE_RUN_MAX);
    close_store(&f);
}

static void test_move_copy_rename(void) {
    fixture f;
    open_store(&f);
    tr_db *a = &f.store.dbs[0], *b = &f.store.dbs[2];
    const char *values[] = {"1234", "embedded", "a value that is too long to stand inside the entry itself, by far"};
    const tr_enc encs[] = {TR_ENC_INT, TR_ENC_EMB, TR_ENC_RAW};
    for (int i = 0; i < 3; i++) {
        tr_arg to = arg("another:key"), back = arg("k");
        tr_db_set_expire(a, set(a, "k", values[i], 0), 7000000);
        CHECK_EQ_INT(tr_db_copy(a, peek(a, "k"), b, &to), TR_OK);
        tr_entry *copy = peek(b, to.ptr);
        check_value(copy, values[i], encs[i]);
        check_value(peek(a, "k"), values[i], encs[i]);
        CHECK_EQ_INT(tr_db_expire_at(b, copy), 7000000);
        tr_db_delete(a, peek(a, "k"));
        tr_entry *moved = tr_db_move(b, copy, a, &back);
        check_value(moved, values[i], encs[i]);
        CHECK_EQ_INT(tr_db_expire_at(a, moved), 7000000);
        CHECK_EQ_INT(tr_hash_count(&b->keys), 0);
        tr_store_check(&f.store);
        tr_db_delete(a, moved);
    }
    close_store(&f);
}

static void test_flush_and_swap(void) {
    fixture f;
    open_store(&f);
    char key[32];
    for (int i = 0; i < 2000; i++) {
        sprintf(key, "k%d", i);
        tr_db_set_expire(&f.store.dbs[i % 2], set(&f.store.dbs[i % 2], key, "value", 0), 9000000);
    }
    tr_store_swap(&f.store, 0, 2);
    CHECK_EQ_INT(tr_hash_count(&f.store.dbs[0].keys), 0);
    CHECK_EQ_INT(f.store.dbs[2].ttl.count, 1000);
    tr_store_check(&f.store);
    CHECK_EQ_INT(tr_store_flush(&f.store, 2, 1), 1000);
    CHECK_EQ_INT(f.store.doomed_count, 1000);
    while (tr_store_lazyfree(&f.store, 10)) tr_store_check(&f.store);
    CHECK_EQ_INT(f.store.stats.lazyfreed_objects, 1000);
    CHECK_EQ_INT(f.store.doomed_count, 0);
    CHECK_EQ_INT(tr_store_flush(&f.store, -1, 0), 1000);
    set(&f.store.dbs[0], "left", "over", 0);
    CHECK_EQ_INT(tr_store_flush(&f.store, -1, 1), 1);
    close_store(&f); /* with a flush in the background */
}

typedef struct told {
    int changed, events, added, gone, flushed;
    char last[32];
} told;

static void on_changed(void *ctx, tr_db *db, const char *key, size_t len) {
    (void)db, (void)key, (void)len;
    ((told *)ctx)->changed++;
}
static void on_event(void *ctx, tr_db *db, tr_event_class cls, const char *name, const char *key, size_t len) {
    (void)db, (void)cls, (void)key, (void)len;
    ((told *)ctx)->events++;
    strcpy(((told *)ctx)->last, name);
}
static void on_added(void *ctx, tr_db *db, tr_type type, const char *key, size_t len) {
    (void)db, (void)type, (void)key, (void)len;
    ((told *)ctx)->added++;
}
static void on_gone(void *ctx, tr_db *db, tr_gone why, const char *key, size_t len) {
    (void)db, (void)key, (void)len;
    CHECK_EQ_INT(why, TR_GONE_EXPIRED);
    ((told *)ctx)->gone++;
}
static void on_flushed(void *ctx, int db_id) {
    (void)db_id;
    ((told *)ctx)->flushed++;
}

static void test_hooks_are_told_when_they_are_wanted(void) {
    fixture f;
    told t = {0};
    open_store(&f);
    f.store.hooks = (tr_store_hooks){&t, on_changed, on_event, on_added, on_gone, on_flushed, NULL};
    tr_db *db = &f.store.dbs[0];
    set(db, "k", "v", 0);
    tr_db_changed(db, TR_EV_STRING, "set", "k", 1);
    CHECK_EQ_INT(t.changed + t.events + t.added, 0);
    CHECK_EQ_INT(f.store.dirty, 1);
    f.store.wants = TR_WANTS_CHANGED | TR_WANTS_ADDED | TR_WANTS_GONE;
    f.store.notify_mask = TR_EV_STRING | TR_EV_EXPIRED | TR_EV_NEW;
    set(db, "other", "v", 0);
    CHECK_EQ_STR(t.last, "new");
    tr_db_changed(db, TR_EV_STRING, "set", "other", 5);
    CHECK_EQ_STR(t.last, "set");
    tr_db_changed(db, TR_EV_GENERIC, "del", "other", 5);
    CHECK_EQ_STR(t.last, "set");
    CHECK_EQ_INT(t.added, 1);
    CHECK_EQ_INT(t.changed, 2);
    tr_db_set_expire(db, peek(db, "k"), 1);
    CHECK_EQ_INT(expire_all(&f.store), 1);
    CHECK_EQ_STR(t.last, "expired");
    CHECK_EQ_INT(t.gone, 1);
    tr_store_flush(&f.store, 0, 0);
    CHECK_EQ_INT(t.flushed, 1);
    close_store(&f);
}

static void fill(tr_store *store, int count) {
    char key[32];
    for (int i = 0; i < count; i++) {
        tr_db *db = &store->dbs[i % 2];
        tr_store_set_time(store, 1000000 + (int64_t)i * 1000);
        sprintf(key, "key:%d", i);
        tr_entry *e = set(db, key, "a value that is too long to stand inside the entry itself, by far", 0);
        if (i % 3 == 0) tr_db_set_expire(db, e, 100000000 - (int64_t)i * 1000);
    }
}

static int survivors(tr_store *store, int from, int to) {
    char key[32];
    int n = 0;
    for (int i = from; i < to; i++) {
        sprintf(key, "key:%d", i);
        n += peek(&store->dbs[i % 2], key) != NULL;
    }
    return n;
}

static void test_every_eviction_policy(void) {
    const tr_policy policies[] = {TR_VOLATILE_LRU, TR_VOLATILE_LFU, TR_VOLATILE_RANDOM,
                                  TR_VOLATILE_TTL, TR_ALLKEYS_LRU,  TR_ALLKEYS_LFU,
                                  TR_ALLKEYS_RANDOM};
    const int count = 3000;
    for (size_t p = 0; p < sizeof(policies) / sizeof(policies[0]); p++) {
        fixture f;
        open_store(&f);
        f.store.policy = policies[p];
        f.store.maxmemory_samples = 10;
        fill(&f.store, count);
        CHECK_EQ_INT(tr_store_make_room(&f.store), TR_OK);
        f.store.maxmemory = f.mem.used - f.mem.used / 10;
        CHECK_EQ_INT(tr_store_make_room(&f.store), TR_OK);
        CHECK(!tr_store_over_limit(&f.store));
        int64_t evicted = (int64_t)f.store.stats.evicted_keys;
        CHECK(evicted > count / 20 && evicted < count / 3);
        CHECK_EQ_INT(count - evicted, survivors(&f.store, 0, count));
        int volatile_left = (int)(f.store.dbs[0].ttl.count + f.store.dbs[1].ttl.count);
        if (!(policies[p] & TR_POLICY_ALLKEYS)) CHECK_EQ_INT(volatile_left, count / 3 - evicted);
        if (policies[p] == TR_ALLKEYS_LRU)
            CHECK(survivors(&f.store, 0, count / 2) < survivors(&f.store, count / 2, count));
        if (policies[p] == TR_VOLATILE_TTL) /* the last ones die first */
            CHECK_EQ_INT(survivors(&f.store, count - 60, count), 40);
        close_store(&f);
    }
}

static void test_noeviction_and_nothing_left(void) {
    fixture f;
    open_store(&f);
    fill(&f.store, 10);
    f.store.maxmemory = 1;
    CHECK_EQ_INT(tr_store_make_room(&f.store), TR_ENOMEM);
    CHECK_EQ_INT(f.store.stats.evicted_keys, 0);
    f.store.policy = TR_VOLATILE_LRU;
    CHECK_EQ_INT(tr_store_make_room(&f.store), TR_ENOMEM);
    CHECK_EQ_INT(f.store.stats.evicted_keys, 4);
    close_store(&f);
}

static void test_lfu_counts_and_decays(void) {
    fixture f;
    open_store(&f);
    f.store.policy = TR_ALLKEYS_LFU;
    tr_entry *e = set(&f.store.dbs[0], "k", "v", 0);
    CHECK_EQ_INT(tr_store_lfu_now(&f.store, e), TR_LFU_START);
    tr_arg k = arg("k");
    for (int i = 0; i < 1000; i++) tr_db_read(&f.store.dbs[0], &k);
    uint32_t high = tr_store_lfu_now(&f.store, e);
    CHECK(high > TR_LFU_START + 5 && high < 60);
    tr_store_set_time(&f.store, 1000000 + 3 * 60000);
    CHECK_EQ_INT(tr_store_lfu_now(&f.store, e), high - 3);
    tr_store_set_time(&f.store, 1000000 + 500 * 60000);
    CHECK_EQ_INT(tr_store_lfu_now(&f.store, e), 0);
    f.store.no_touch = 1;
    tr_db_read(&f.store.dbs[0], &k);
    CHECK_EQ_INT(tr_store_lfu_now(&f.store, e), 0);
    close_store(&f);
}

static void test_idle_time(void) {
    fixture f;
    open_store(&f);
    tr_entry *e = set(&f.store.dbs[0], "k", "v", 0);
    tr_store_set_time(&f.store, 1000000 + 7000);
    CHECK_EQ_INT(tr_store_idle_ms(&f.store, e), 7000);
    tr_arg k = arg("k");
    tr_db_read_no_touch(&f.store.dbs[0], &k);
    CHECK_EQ_INT(tr_store_idle_ms(&f.store, e), 7000);
    tr_db_read(&f.store.dbs[0], &k);
    CHECK_EQ_INT(tr_store_idle_ms(&f.store, e), 0);
    close_store(&f);
}

static void test_random_key_skips_the_dead(void) {
    fixture f;
    open_store(&f);
    tr_db *db = &f.store.dbs[0];
    CHECK(tr_db_random(db) == NULL);
    tr_db_set_expire(db, set(db, "dead", "v", 0), 1);
    CHECK(tr_db_random(db) == NULL);
    CHECK_EQ_INT(tr_hash_count(&db->keys), 0);
    set(db, "alive", "v", 0);
    CHECK(tr_db_random(db) == peek(db, "alive"));
    close_store(&f);
}

/* A mix of changes with each allocation failing once: the store stays sound, and a failed change
 * changes nothing. */
static void test_each_allocation_fails_once(void) {
    const char *longer = "a value that is too long to stand inside the entry itself, by far";
    int failures = 0;
    for (uint64_t nth = 1; nth < 60; nth++) {
        fixture f;
        open_store(&f);
        tr_db *db = &f.store.dbs[0];
        set(db, "a", "1", 0);
        set(db, "b", longer, 0);
        set(db, "d", "embedded", 0);
        tr_mem_fail_at(&f.mem, nth);
        uint64_t before = f.mem.fail_count;
        if (set(db, "a", longer, 0) == NULL) check_value(peek(db, "a"), "1", TR_ENC_INT);
        if (set(db, "b", "embedded", 0) == NULL) check_value(peek(db, "b"), longer, TR_ENC_RAW);
        tr_arg c = arg("c"), z = arg("z");
        if (tr_db_copy(db, peek(db, "b"), db, &c) != TR_OK) CHECK(peek(db, "c") == NULL);
        if (tr_db_move(db, peek(db, "d"), &f.store.dbs[1], &z) == NULL)
            check_value(peek(db, "d"), "embedded", TR_ENC_EMB);
        tr_entry *e = peek(db, "a");
        if (tr_db_own_blob(db, &e, 5000) == NULL) CHECK(e == peek(db, "a"));
        if (tr_db_set_expire(db, peek(db, "a"), 5) != TR_OK) CHECK_EQ_INT(tr_db_expire_at(db, peek(db, "a")), -1);
        char key[16];
        for (int i = 0; i < 20; i++) {
            sprintf(key, "n%d", i);
            set(db, key, "v", 0);
        }
        tr_store_flush(&f.store, 0, 1);
        failures += f.mem.fail_count != before;
        tr_mem_fail_at(&f.mem, 0);
        close_store(&f);
    }
    CHECK(failures > 15 && failures < 59); /* and the run was long enough to get through without one */
}

int main(void) {
    RUN(test_values_change_their_form);
    RUN(test_own_blob_copies_what_is_shared);
    RUN(test_expiry_by_the_clock);
    RUN(test_active_expiry_stops_at_its_budget);
    RUN(test_move_copy_rename);
    RUN(test_flush_and_swap);
    RUN(test_hooks_are_told_when_they_are_wanted);
    RUN(test_every_eviction_policy);
    RUN(test_noeviction_and_nothing_left);
    RUN(test_lfu_counts_and_decays);
    RUN(test_idle_time);
    RUN(test_random_key_skips_the_dead);
    RUN(test_each_allocation_fails_once);
    return CHECK_DONE();
}
