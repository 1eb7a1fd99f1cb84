/* Aim: the table holds what was put in and nothing else, grows, shrinks and survives without
 * memory. Method: random steps against a flag per node, with hashes that are good, poor and all the
 * same; then single facts. Scans have a program of their own: test_hash_scan.c. */
#include "ds/hash.h"

#include "base/err.h"
#include "check.h"
#include "hash_kit.h"

/* ---- against the truth ---- */

static void same(town *t) {
    tr_hash_check(&t->hash);
    CHECK_EQ_INT(tr_hash_count(&t->hash), t->inside_count);
    for (uint32_t id = 0; id < t->size; id++) {
        tr_hnode **link = town_find(t, id);
        if (t->people[id].inside) {
            CHECK(link != NULL && *link == &t->people[id].node);
            CHECK(tr_hash_link_of(&t->hash, &t->people[id].node) == link);
        } else {
            CHECK(link == NULL);
        }
    }
}

static void random_picks(town *t) {
    tr_hnode *picks[8];
    tr_hnode *one = tr_hash_random(&t->hash, tr_rng_next(&t->rng), tr_rng_next(&t->rng));
    int n = tr_hash_sample(&t->hash, tr_rng_next(&t->rng), picks, 8);
    CHECK((one != NULL) == (t->inside_count > 0));
    CHECK((n > 0) == (t->inside_count > 0));
    CHECK(n >= 0 && (size_t)n <= t->inside_count && n <= 8);
    CHECK(one == NULL || ((person *)one)->inside);
    for (int i = 0; i < n; i++) {
        CHECK(((person *)picks[i])->inside);
        for (int j = 0; j < i; j++) CHECK(picks[i] != picks[j]);
    }
}

/* grow_of_10: how many of ten steps put somebody in. */
static void random_step(town *t, unsigned grow_of_10) {
    uint64_t kind = tr_rng_below(&t->rng, 100);
    uint32_t id = town_anyone(t);
    if (kind < 80) {
        int want = tr_rng_below(&t->rng, 10) < grow_of_10;
        for (uint32_t i = 0; i < t->size && t->people[id].inside == want; i++) {
            id = (id + 1) % t->size;
        }
        town_toggle(t, id);
    } else if (kind < 84) {
        tr_hash_rehash(&t->hash, (int)tr_rng_below(&t->rng, 4));
    } else if (kind < 86) {
        tr_hash_shrink(&t->hash);
    } else if (kind < 88) {
        CHECK_EQ_INT(tr_hash_reserve(&t->hash, tr_rng_below(&t->rng, 2u * t->size)), TR_OK);
    } else if (kind < 90 && t->hash.resize_pauses == 0) {
        tr_hash_pause(&t->hash);
    } else if (kind < 94 && t->hash.resize_pauses > 0) {
        tr_hash_resume(&t->hash);
    } else {
        random_picks(t);
    }
}

static void run_against_truth(uint32_t size, uint32_t spread, int steps, uint64_t seed) {
    town t;
    town_init(&t, size, spread, seed);
    for (int i = 0; i < steps; i++) {
        unsigned grow = i / (steps / 8 + 1) % 2 ? 2 : 8; /* tides */
        random_step(&t, grow);
        same(&t);
    }
    while (t.hash.resize_pauses > 0) tr_hash_resume(&t.hash);
    town_release(&t);
}

static void test_random_steps(void) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run_against_truth(8, UINT32_MAX, 800, seed);
        run_against_truth(150, UINT32_MAX, 3000, seed);
        run_against_truth(60, 0x3, 1500, seed);
        run_against_truth(60, 0xc0000000u, 800, seed);
        run_against_truth(30, 0, 600, seed);
    }
}

/* ---- size ---- */

static void test_grows_at_one_per_bucket(void) {
    town t;
    town_init(&t, 5000, UINT32_MAX, 1);
    CHECK_EQ_INT(tr_hash_buckets(&t.hash), 1);
    CHECK_EQ_INT(tr_hash_memory(&t.hash), 0);
    town_enter(&t, 0);
    CHECK_EQ_INT(t.mem.alloc_count, 0); /* the first one lives in the struct */
    size_t most_moves = 0;
    for (uint32_t id = 1; id < t.size; id++) {
        size_t before = t.hash.used[1];
        int was = tr_hash_rehashing(&t.hash);
        town_enter(&t, id);
        if (was && tr_hash_rehashing(&t.hash) && t.hash.used[1] - before > most_moves) {
            most_moves = t.hash.used[1] - before;
        }
        CHECK(tr_hash_count(&t.hash) <= tr_hash_buckets(&t.hash));
        CHECK(tr_hash_buckets(&t.hash) <= 4 * tr_hash_count(&t.hash));
    }
    CHECK(most_moves >= 2); /* steps do move */
    CHECK(most_moves <= 12); /* but one bucket each: the longest chain and the newcomer */
    CHECK_EQ_INT(t.mem.used, tr_hash_memory(&t.hash));
    tr_hash_check(&t.hash);
    while (tr_hash_rehash(&t.hash, 100)) {
    }
    CHECK_EQ_INT(tr_hash_buckets(&t.hash), 8192);
    CHECK(!tr_hash_rehashing(&t.hash));
    town_release(&t);
}

static void test_shrinks_on_its_own(void) {
    town t;
    town_init(&t, 4096, UINT32_MAX, 2);
    for (uint32_t id = 0; id < t.size; id++) town_enter(&t, id);
    for (uint32_t id = t.size; id-- > 0;) {
        int at_rest = !tr_hash_rehashing(&t.hash);
        size_t buckets = tr_hash_buckets(&t.hash);
        town_leave(&t, id);
        int sparse = buckets > TR_HASH_MIN_BUCKETS && id < buckets / TR_HASH_AUTO_SHRINK;
        int reacted = tr_hash_rehashing(&t.hash) || tr_hash_buckets(&t.hash) < buckets;
        if (at_rest) CHECK(sparse == reacted);
    }
    CHECK(tr_hash_buckets(&t.hash) <= 16);
    tr_hash_check(&t.hash);
    town_release(&t);
}

static void test_shrink_for_cron(void) {
    town t;
    town_init(&t, 256, UINT32_MAX, 3);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, 256), TR_OK);
    CHECK_EQ_INT(tr_hash_buckets(&t.hash), 256);
    for (uint32_t id = 0; id < 32; id++) town_enter(&t, id);
    tr_hash_shrink(&t.hash);
    CHECK(!tr_hash_rehashing(&t.hash)); /* one of eight is in use */
    town_leave(&t, 0);
    tr_hash_pause(&t.hash);
    tr_hash_shrink(&t.hash);
    CHECK(!tr_hash_rehashing(&t.hash));
    tr_hash_resume(&t.hash);
    tr_hash_shrink(&t.hash);
    CHECK(tr_hash_rehashing(&t.hash));
    while (tr_hash_rehash(&t.hash, 1)) tr_hash_check(&t.hash);
    CHECK_EQ_INT(tr_hash_buckets(&t.hash), 32);
    for (uint32_t id = 1; id < 32; id++) town_leave(&t, id);
    tr_hash_shrink(&t.hash);
    CHECK_EQ_INT(t.mem.used, 0); /* nobody inside: no array */
    town_enter(&t, 7);
    same(&t);
    town_release(&t);
}

static void test_reserve(void) {
    town t;
    town_init(&t, 1000, UINT32_MAX, 4);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, 0), TR_OK);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, 1), TR_OK);
    CHECK_EQ_INT(t.mem.alloc_count, 0);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, 1000), TR_OK);
    CHECK_EQ_INT(tr_hash_buckets(&t.hash), 1024);
    for (uint32_t id = 0; id < t.size; id++) town_enter(&t, id);
    CHECK_EQ_INT(t.mem.alloc_count, 1);
    CHECK_EQ_INT(tr_hash_buckets(&t.hash), 1024);
    tr_mem_fail_at(&t.mem, 1);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, 5000), TR_ENOMEM);
    same(&t);
    tr_mem_fail_at(&t.mem, 1);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, SIZE_MAX), TR_ENOMEM); /* no endless search for it */
    town_release(&t);
}

static void test_pause_stops_all_moves(void) {
    town t;
    town_init(&t, 3000, UINT32_MAX, 5);
    for (uint32_t id = 0; id < 65; id++) town_enter(&t, id);
    CHECK(tr_hash_rehashing(&t.hash));
    tr_hash_pause(&t.hash);
    tr_hash_pause(&t.hash);
    size_t at = t.hash.rehash_at;
    for (uint32_t id = 65; id < t.size; id++) town_enter(&t, id);
    for (uint32_t id = 65; id < t.size; id++) town_leave(&t, id);
    CHECK_EQ_INT(tr_hash_rehash(&t.hash, 1000), 0);
    CHECK_EQ_INT(t.hash.rehash_at, at);
    tr_hash_resume(&t.hash);
    CHECK_EQ_INT(tr_hash_rehash(&t.hash, 1000), 0);
    CHECK(tr_hash_rehashing(&t.hash));
    tr_hash_resume(&t.hash);
    while (tr_hash_rehash(&t.hash, 10)) {
    }
    CHECK(!tr_hash_rehashing(&t.hash));
    same(&t);
    town_release(&t);
}

/* ---- without memory ---- */

static void test_no_memory_at_all(void) {
    town t;
    town_init(&t, 600, UINT32_MAX, 6);
    for (uint32_t id = 0; id < 500; id++) {
        tr_mem_fail_at(&t.mem, 1);
        town_enter(&t, id);
    }
    CHECK_EQ_INT(tr_hash_buckets(&t.hash), 1);
    same(&t);
    tr_mem_fail_at(&t.mem, 0);
    town_enter(&t, 500);
    CHECK(tr_hash_buckets(&t.hash) >= 501); /* memory is back */
    same(&t);
    town_release(&t);
}

static void test_growth_is_tried_again_now_and_then(void) {
    town t;
    town_init(&t, 4096, UINT32_MAX, 7);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, 1024), TR_OK);
    for (uint32_t id = 0; id < 1024; id++) town_enter(&t, id);
    for (uint32_t id = 1024; id < 1500; id++) {
        tr_mem_fail_at(&t.mem, 1);
        town_enter(&t, id);
    }
    CHECK(t.mem.fail_count >= 7 && t.mem.fail_count <= 8); /* once per 64 */
    tr_mem_fail_at(&t.mem, 0);
    for (uint32_t id = 1500; id < 1600; id++) town_enter(&t, id);
    CHECK(tr_hash_rehashing(&t.hash));
    same(&t);
    town_release(&t);
}

static void test_each_allocation_fails_once(void) {
    for (uint64_t nth = 1;; nth++) {
        town t;
        town_init(&t, 300, UINT32_MAX, 8);
        tr_mem_fail_at(&t.mem, nth);
        for (uint32_t id = 0; id < t.size; id++) town_enter(&t, id);
        same(&t);
        for (uint32_t id = 0; id < t.size; id++) town_leave(&t, id);
        same(&t);
        int failed = t.mem.fail_count > 0;
        town_release(&t);
        if (!failed) {
            CHECK(nth > 8);
            break;
        }
    }
}

/* ---- the rest ---- */

static void free_visit(void *ctx, tr_hnode *node) {
    (*(int *)ctx)++;
    free(node);
}

static void test_drain(void) {
    tr_mem mem;
    tr_hash h;
    tr_mem_init(&mem);
    tr_hash_init(&h, &mem, person_eq);
    for (int n = 0; n < 200; n += 7) {
        for (int i = 0; i < n; i++) {
            person *p = calloc(1, sizeof(*p));
            tr_assert(p != NULL);
            p->node.hash = (uint32_t)i * 2654435761u;
            tr_hash_insert(&h, &p->node);
        }
        int seen = 0;
        tr_hash_drain(&h, free_visit, &seen);
        CHECK_EQ_INT(seen, n);
        CHECK_EQ_INT(tr_hash_count(&h), 0);
        CHECK_EQ_INT(mem.used, 0);
        tr_hash_check(&h);
    }
    tr_hash_release(&h);
}

static void test_moved(void) {
    town t;
    town_init(&t, 100, 0x1f, 9);
    for (uint32_t id = 0; id < t.size; id++) town_enter(&t, id);
    person copy = t.people[42];
    tr_hash_moved(town_find(&t, 42), &copy.node);
    memset(&t.people[42], 0xee, sizeof(t.people[42]));
    CHECK(*town_find(&t, 42) == &copy.node);
    CHECK(*tr_hash_link_of(&t.hash, &copy.node) == &copy.node);
    tr_hash_check(&t.hash);
    town_release(&t);
}

static int never_eq(const tr_hnode *node, const void *key, size_t len) {
    (*(int *)(uintptr_t)key)++;
    return 0;
}

static void test_eq_is_asked_for_equal_hashes_only(void) {
    town t;
    int asked = 0;
    town_init(&t, 64, UINT32_MAX, 10);
    for (uint32_t id = 0; id < t.size; id++) town_enter(&t, id);
    for (uint32_t hash = 0; hash < 256; hash++) {
        CHECK(tr_hash_find_eq(&t.hash, hash, never_eq, &asked, 0) == NULL);
        tr_hash_prefetch(&t.hash, hash);
        tr_hash_prefetch_node(&t.hash, hash);
    }
    CHECK_EQ_INT(asked, 0);
    CHECK(tr_hash_find_eq(&t.hash, town_hash(&t, 5), never_eq, &asked, 0) == NULL);
    CHECK_EQ_INT(asked, 1);
    town_release(&t);
}

/* 64 nodes drawn 64,000 times: chi-square of a fair draw is below 104 in 999 of 1000 cases (63
 * degrees of freedom). */
static void check_fair(uint32_t size, uint32_t filler, uint64_t seed) {
    town t;
    int drawn[64] = {0};
    town_init(&t, size, UINT32_MAX, seed);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, filler), TR_OK);
    for (uint32_t id = 0; id < 64; id++) town_enter(&t, id);
    for (int i = 0; i < 64000; i++) {
        drawn[((person *)tr_hash_random(&t.hash, tr_rng_next(&t.rng), tr_rng_next(&t.rng)))->id]++;
    }
    double chi = 0;
    for (int i = 0; i < 64; i++) chi += (drawn[i] - 1000.0) * (drawn[i] - 1000.0) / 1000.0;
    CHECK(chi < 104);
    town_release(&t);
}

static void test_random_is_fair(void) {
    check_fair(64, 0, 11);
    check_fair(64, 64, 12);
    check_fair(64, 256, 13);
    check_fair(64, 34, 14);
}

static void test_random_in_a_desert(void) {
    town t;
    town_init(&t, 4, UINT32_MAX, 15);
    CHECK(tr_hash_random(&t.hash, 1, 2) == NULL);
    CHECK_EQ_INT(tr_hash_reserve(&t.hash, 1 << 16), TR_OK);
    int seen[2] = {0};
    for (uint32_t id = 0; id < 2; id++) town_enter(&t, id);
    for (int i = 0; i < 200; i++) {
        tr_hnode *pick;
        seen[((person *)tr_hash_random(&t.hash, tr_rng_next(&t.rng), 0))->id]++;
        CHECK_EQ_INT(tr_hash_sample(&t.hash, tr_rng_next(&t.rng), &pick, 1), 1);
        CHECK(((person *)pick)->inside);
    }
    CHECK(seen[0] > 0 && seen[1] > 0);
    CHECK_EQ_INT(tr_hash_sample(&t.hash, 1, NULL, 0), 0);
    town_release(&t);
}

static void test_stats(void) {
    town t;
    char text[4096];
    char longer[4096];
    town_init(&t, 200, 0x3f, 16);
    CHECK(tr_hash_stats(&t.hash, text, sizeof(text)) > 0);
    CHECK(strstr(text, "table size: 1\n number of elements: 0\n") != NULL);
    for (uint32_t id = 0; id < 65; id++) town_enter(&t, id);
    CHECK(tr_hash_rehashing(&t.hash));
    size_t n = tr_hash_stats(&t.hash, text, sizeof(text));
    CHECK_EQ_INT(n, strlen(text));
    CHECK(strstr(text, "Hash table 0 stats (main hash table):\n table size: 64\n") != NULL);
    CHECK(strstr(text, "Hash table 1 stats (rehashing target):\n table size: 128\n") != NULL);
    CHECK(strstr(text, " max chain length: ") != NULL);
    for (size_t cap = 0; cap <= n + 1; cap++) {
        memset(longer, 'x', sizeof(longer));
        size_t got = tr_hash_stats(&t.hash, longer, cap);
        CHECK_EQ_INT(got, cap == 0 ? 0 : cap - 1 < n ? cap - 1 : n);
        CHECK(memcmp(longer, text, got) == 0);
        CHECK(longer[cap] == 'x');
    }
    town_release(&t);
}

int main(void) {
    RUN(test_random_steps);
    RUN(test_grows_at_one_per_bucket);
    RUN(test_shrinks_on_its_own);
    RUN(test_shrink_for_cron);
    RUN(test_reserve);
    RUN(test_pause_stops_all_moves);
    RUN(test_no_memory_at_all);
    RUN(test_growth_is_tried_again_now_and_then);
    RUN(test_each_allocation_fails_once);
    RUN(test_drain);
    RUN(test_moved);
    RUN(test_eq_is_asked_for_equal_hashes_only);
    RUN(test_random_is_fair);
    RUN(test_random_in_a_desert);
    RUN(test_stats);
    return CHECK_DONE();
}
