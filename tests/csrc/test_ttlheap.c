/* Aim: the first of the heap is always the earliest, and each owner knows its slot. Method: random
 * steps against a linear search over all owners; then memory and limits. */
#include "ds/ttlheap.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/rng.h"
#include "check.h"

#define OWNERS 300

typedef struct owner {
    char something_before[12];
    uint32_t slot;
    int64_t when; /* the truth, while slot is not 0 */
} owner;

typedef struct fixture {
    tr_mem mem;
    tr_ttlheap heap;
    tr_rng rng;
    owner owners[OWNERS];
} fixture;

static void fixture_init(fixture *f, uint64_t seed) {
    memset(f, 0, sizeof(*f));
    f->rng.state = seed;
    tr_mem_init(&f->mem);
    tr_ttlheap_init(&f->heap, &f->mem, offsetof(owner, slot));
}

static void fixture_release(fixture *f) {
    tr_ttlheap_release(&f->heap);
    CHECK_EQ_INT(f->mem.used, 0);
    CHECK(tr_ttlheap_peek(&f->heap) == NULL);
}

static void same(fixture *f) {
    tr_ttlheap_check(&f->heap);
    uint32_t count = 0;
    int64_t earliest = INT64_MAX;
    for (int i = 0; i < OWNERS; i++) {
        const owner *o = &f->owners[i];
        if (o->slot == 0) continue;
        count++;
        if (o->when < earliest) earliest = o->when;
        CHECK_EQ_INT(tr_ttlheap_when(&f->heap, o->slot), o->when);
        CHECK(f->heap.items[o->slot].owner == o);
    }
    CHECK_EQ_INT(f->heap.count, count);
    const tr_ttl_item *first = tr_ttlheap_peek(&f->heap);
    CHECK((first != NULL) == (count > 0));
    if (first != NULL) {
        CHECK_EQ_INT(first->when, earliest);
        CHECK_EQ_INT(((const owner *)first->owner)->when, earliest);
    }
}

static int64_t some_time(fixture *f) {
    switch (tr_rng_below(&f->rng, 8)) {
    case 0:
        return INT64_MAX;
    case 1:
        return INT64_MIN + (int64_t)tr_rng_below(&f->rng, 3);
    default:
        return (int64_t)tr_rng_below(&f->rng, 500) - 50; /* many are equal */
    }
}

static void add(fixture *f, owner *o, int64_t when) {
    CHECK_EQ_INT(tr_ttlheap_add(&f->heap, o, when), TR_OK);
    o->when = when;
    CHECK(o->slot != 0);
}

static void random_step(fixture *f, unsigned grow_of_10) {
    owner *o = &f->owners[tr_rng_below(&f->rng, OWNERS)];
    if (o->slot == 0) {
        if (tr_rng_below(&f->rng, 10) < grow_of_10) add(f, o, some_time(f));
        return;
    }
    if (tr_rng_below(&f->rng, 10) < grow_of_10) {
        o->when = some_time(f);
        tr_ttlheap_change(&f->heap, o->slot, o->when);
    } else {
        tr_ttlheap_drop(&f->heap, o->slot);
        CHECK_EQ_INT(o->slot, 0);
    }
}

static void test_random_steps(void) {
    for (uint64_t seed = 1; seed <= 6; seed++) {
        fixture f;
        fixture_init(&f, seed);
        for (int i = 0; i < 4000; i++) {
            random_step(&f, i / 700 % 2 ? 2 : 8);
            same(&f);
        }
        fixture_release(&f);
    }
}

static void test_comes_out_in_order(void) {
    fixture f;
    fixture_init(&f, 7);
    for (int i = 0; i < OWNERS; i++) add(&f, &f.owners[i], some_time(&f));
    int64_t before = INT64_MIN;
    while (f.heap.count > 0) {
        owner *o = tr_ttlheap_peek(&f.heap)->owner;
        CHECK(o->when >= before);
        before = o->when;
        tr_ttlheap_drop(&f.heap, o->slot);
        same(&f);
    }
    CHECK(f.heap.cap <= 16); /* the room went back on the way */
    fixture_release(&f);
}

static void test_moved_owner(void) {
    fixture f;
    fixture_init(&f, 8);
    for (int i = 0; i < 20; i++) add(&f, &f.owners[i], 20 - i);
    owner elsewhere = f.owners[7];
    tr_ttlheap_moved(&f.heap, elsewhere.slot, &elsewhere);
    memset(&f.owners[7], 0, sizeof(f.owners[7]));
    tr_ttlheap_check(&f.heap);
    tr_ttlheap_change(&f.heap, elsewhere.slot, -1);
    CHECK(tr_ttlheap_peek(&f.heap)->owner == &elsewhere);
    CHECK_EQ_INT(elsewhere.slot, 1);
    tr_ttlheap_drop(&f.heap, elsewhere.slot);
    CHECK_EQ_INT(elsewhere.slot, 0);
    same(&f);
    fixture_release(&f);
}

static void test_no_memory(void) {
    fixture f;
    fixture_init(&f, 9);
    for (int i = 0; i < OWNERS; i++) {
        tr_mem_fail_at(&f.mem, 1);
        uint64_t failed = f.mem.fail_count;
        int rc = tr_ttlheap_add(&f.heap, &f.owners[i], OWNERS - i);
        CHECK_EQ_INT(rc, f.mem.fail_count > failed ? TR_ENOMEM : TR_OK);
        if (rc == TR_OK) f.owners[i].when = OWNERS - i;
        CHECK_EQ_INT(f.owners[i].slot != 0, rc == TR_OK);
        same(&f);
        tr_mem_fail_at(&f.mem, 0);
        if (rc == TR_ENOMEM) add(&f, &f.owners[i], OWNERS - i);
        same(&f);
    }
    CHECK(f.mem.fail_count >= 5);
    CHECK_EQ_INT(tr_ttlheap_memory(&f.heap), f.mem.used);
    for (int i = 0; i < OWNERS; i++) { /* giving memory back may fail too */
        tr_mem_fail_at(&f.mem, 1);
        tr_ttlheap_drop(&f.heap, f.owners[i].slot);
        same(&f);
    }
    fixture_release(&f);
}

static void test_reserve(void) {
    fixture f;
    fixture_init(&f, 11);
    for (int i = 0; i < OWNERS; i++) {
        tr_mem_fail_at(&f.mem, 1);
        int rc = tr_ttlheap_reserve(&f.heap);
        CHECK(rc == TR_OK || rc == TR_ENOMEM);
        tr_mem_fail_at(&f.mem, 0);
        if (rc == TR_ENOMEM) CHECK_EQ_INT(tr_ttlheap_reserve(&f.heap), TR_OK);
        tr_mem_fail_at(&f.mem, 1);
        add(&f, &f.owners[i], i);
        same(&f);
    }
    fixture_release(&f);
}

static void test_limit(void) {
    fixture f;
    fixture_init(&f, 10);
    add(&f, &f.owners[0], 1);
    f.heap.count = UINT32_MAX - 1; /* no such memory is needed: the limit is asked first */
    CHECK_EQ_INT(tr_ttlheap_add(&f.heap, &f.owners[1], 2), TR_ELIMIT);
    CHECK_EQ_INT(f.owners[1].slot, 0);
    f.heap.count = 1;
    same(&f);
    fixture_release(&f);
}

int main(void) {
    RUN(test_random_steps);
    RUN(test_comes_out_in_order);
    RUN(test_moved_owner);
    RUN(test_no_memory);
    RUN(test_reserve);
    RUN(test_limit);
    return CHECK_DONE();
}
