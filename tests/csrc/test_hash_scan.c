/* Aim: a scan reports each node that was there from its start to its end at least once, and nothing
 * that is not there, while the table grows, shrinks, moves buckets or loses the nodes that are
 * being visited. Method: some nodes stay, the others come and go in tides between the steps of a
 * scan, all from a seed. */
#include "ds/hash.h"

#include "base/err.h"
#include "check.h"
#include "hash_kit.h"

static void note(void *ctx, tr_hnode *node) {
    person *p = (person *)node;
    CHECK(p->inside);
    p->visits++;
}

/* Moves the number of guests towards target, a few at a time. */
static void tide(town *t, uint32_t stay, size_t target) {
    uint64_t burst = tr_rng_below(&t->rng, 80);
    for (uint64_t i = 0; i < burst && t->inside_count != target; i++) {
        int want = t->inside_count < target;
        uint32_t guests = t->size - stay;
        uint32_t id = stay + (uint32_t)tr_rng_below(&t->rng, guests);
        for (uint32_t k = 0; k < guests && t->people[id].inside == want; k++) {
            id = id + 1 == t->size ? stay : id + 1;
        }
        town_toggle(t, id);
    }
}

typedef struct resizes {
    int grew;
    int shrank;
    int amid; /* scans that were stepped with both tables in use */
} resizes;

static void scan_in_tides(town *t, uint32_t stay, resizes *seen) {
    for (uint32_t id = 0; id < t->size; id++) t->people[id].visits = 0;
    size_t target = stay + tr_rng_below(&t->rng, t->size - stay + 1);
    uint64_t cursor = 0;
    uint8_t exp = t->hash.exp[0];
    do {
        seen->amid += tr_hash_rehashing(&t->hash);
        cursor = tr_hash_scan(&t->hash, cursor, note, NULL);
        tide(t, stay, target);
        if (t->inside_count == target) target = stay + tr_rng_below(&t->rng, t->size - stay + 1);
        tr_hash_rehash(&t->hash, (int)tr_rng_below(&t->rng, 3));
        if (tr_rng_below(&t->rng, 4) == 0) tr_hash_shrink(&t->hash);
        seen->grew += t->hash.exp[0] > exp;
        seen->shrank += t->hash.exp[0] < exp;
        exp = t->hash.exp[0];
    } while (cursor != 0);
    tr_hash_check(&t->hash);
    for (uint32_t id = 0; id < stay; id++) CHECK(t->people[id].visits >= 1);
}

static void test_scan_in_tides(void) {
    resizes seen = {0};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        town t;
        uint32_t stay = 1 + (uint32_t)(seed % 37);
        town_init(&t, 1500, seed % 5 == 0 ? 0x7ff00001u : UINT32_MAX, seed);
        for (uint32_t id = 0; id < stay; id++) town_enter(&t, id);
        for (int i = 0; i < 4; i++) scan_in_tides(&t, stay, &seen);
        town_release(&t);
    }
    CHECK(seen.grew > 100 && seen.shrank > 100 && seen.amid > 1000); /* else this shows nothing */
}

static int scan_all(town *t) {
    int steps = 0;
    uint64_t cursor = 0;
    do {
        cursor = tr_hash_scan(&t->hash, cursor, note, NULL);
        steps++;
    } while (cursor != 0);
    return steps;
}

static void test_scan_at_rest_sees_each_once(void) {
    town t;
    town_init(&t, 777, UINT32_MAX, 1);
    CHECK_EQ_INT(scan_all(&t), 1);
    for (uint32_t id = 0; id < t.size; id++) {
        town_enter(&t, id);
        if (id % 97 != 0 && id != t.size - 1) continue;
        for (uint32_t i = 0; i < t.size; i++) t.people[i].visits = 0;
        scan_all(&t);
        for (uint32_t i = 0; i < t.size; i++) CHECK_EQ_INT(t.people[i].visits, i <= id);
    }
    town_release(&t);
}

static void test_scan_amid_a_resize_sees_each_once(void) {
    town t;
    town_init(&t, 65, UINT32_MAX, 2);
    for (uint32_t id = 0; id < t.size; id++) town_enter(&t, id);
    CHECK(tr_hash_rehashing(&t.hash));
    do {
        for (uint32_t i = 0; i < t.size; i++) t.people[i].visits = 0;
        scan_all(&t);
        for (uint32_t i = 0; i < t.size; i++) CHECK_EQ_INT(t.people[i].visits, 1);
    } while (tr_hash_rehash(&t.hash, 1));
    town_release(&t);
}

/* Ends the visited node inside the visit, as expiry does. */
static void leave_visit(void *ctx, tr_hnode *node) {
    town *t = ctx;
    person *p = (person *)node;
    p->visits++;
    if (p->id % 3 == 0) return;
    tr_hash_unlink(&t->hash, tr_hash_link_of(&t->hash, node));
    p->inside = 0;
    t->inside_count--;
    node->next = (tr_hnode *)(uintptr_t)8; /* whoever follows this has read freed memory */
}

static void test_unlink_inside_a_visit(void) {
    for (uint32_t size = 1; size < 400; size += 13) {
        town t;
        town_init(&t, size, size % 2 ? UINT32_MAX : 0xf, size);
        for (uint32_t id = 0; id < size; id++) town_enter(&t, id);
        uint64_t cursor = 0;
        do {
            cursor = tr_hash_scan(&t.hash, cursor, leave_visit, &t);
            tr_hash_check(&t.hash);
        } while (cursor != 0);
        CHECK_EQ_INT(tr_hash_count(&t.hash), (size + 2) / 3);
        for (uint32_t id = 0; id < size; id++) CHECK_EQ_INT(t.people[id].visits, 1);
        town_release(&t);
    }
}

/* Puts newcomers in from inside a visit: nothing may move under the scan. */
static void enter_visit(void *ctx, tr_hnode *node) {
    town *t = ctx;
    ((person *)node)->visits++;
    for (int i = 0; i < 3 && t->inside_count < t->size; i++) {
        uint32_t id = town_anyone(t);
        if (!t->people[id].inside) town_enter(t, id);
    }
}

static void test_insert_inside_a_visit(void) {
    town t;
    town_init(&t, 4000, UINT32_MAX, 3);
    for (uint32_t id = 0; id < 20; id++) town_enter(&t, id);
    uint64_t cursor = 0;
    do {
        cursor = tr_hash_scan(&t.hash, cursor, enter_visit, &t);
        tr_hash_check(&t.hash);
    } while (cursor != 0);
    for (uint32_t id = 0; id < 20; id++) CHECK(t.people[id].visits >= 1);
    CHECK(t.inside_count > 20);
    town_release(&t);
}

static void test_hostile_cursors(void) {
    town t;
    town_init(&t, 100, UINT32_MAX, 4);
    for (uint32_t id = 0; id < t.size; id++) town_enter(&t, id);
    for (int i = 0; i < 2000; i++) tr_hash_scan(&t.hash, tr_rng_next(&t.rng), note, NULL);
    tr_hash_scan(&t.hash, UINT64_MAX, note, NULL);
    CHECK_EQ_INT(t.hash.resize_pauses, 0);
    town_release(&t);
}

int main(void) {
    RUN(test_scan_in_tides);
    RUN(test_scan_at_rest_sees_each_once);
    RUN(test_scan_amid_a_resize_sees_each_once);
    RUN(test_unlink_inside_a_visit);
    RUN(test_insert_inside_a_visit);
    RUN(test_hostile_cursors);
    return CHECK_DONE();
}
