/* hash_kit.h - a population of nodes with numbers as keys, and the stupid truth about which of them
 * are in the table. */
#ifndef TR_TESTS_HASH_KIT_H
#define TR_TESTS_HASH_KIT_H

#include <stdlib.h>

#include "base/assert.h"
#include "base/rng.h"
#include "ds/hash.h"

typedef struct person {
    tr_hnode node;
    uint32_t id;
    int inside;  /* the truth */
    int visits;
} person;

typedef struct town {
    tr_mem mem;
    tr_hash hash;
    tr_rng rng;
    uint32_t spread; /* and-mask over a good hash: 0 makes all of them clash */
    person *people;
    uint32_t size;
    size_t inside_count;
} town;

static inline uint32_t town_hash(const town *t, uint32_t id) {
    tr_rng mix = {.state = id};
    return (uint32_t)tr_rng_next(&mix) & t->spread;
}

static inline int person_eq(const tr_hnode *node, const void *key, size_t len) {
    const person *p = (const person *)node;
    return len == sizeof(p->id) && p->id == *(const uint32_t *)key;
}

static inline void town_init(town *t, uint32_t size, uint32_t spread, uint64_t seed) {
    *t = (town){.rng = {seed}, .spread = spread, .size = size};
    tr_mem_init(&t->mem);
    tr_hash_init(&t->hash, &t->mem, person_eq);
    t->people = calloc(size, sizeof(*t->people));
    tr_assert(t->people != NULL);
    for (uint32_t id = 0; id < size; id++) {
        t->people[id].id = id;
        t->people[id].node.hash = town_hash(t, id);
    }
}

static inline void town_release(town *t) {
    tr_hash_release(&t->hash);
    tr_assert(t->mem.used == 0);
    free(t->people);
}

static inline tr_hnode **town_find(town *t, uint32_t id) {
    return tr_hash_find(&t->hash, town_hash(t, id), &id, sizeof(id));
}

static inline void town_enter(town *t, uint32_t id) {
    person *p = &t->people[id];
    tr_assert(!p->inside);
    tr_hash_insert(&t->hash, &p->node);
    p->inside = 1;
    t->inside_count++;
}

static inline void town_leave(town *t, uint32_t id) {
    person *p = &t->people[id];
    tr_hnode **link = town_find(t, id);
    tr_assert(p->inside);
    tr_assert(link != NULL && *link == &p->node);
    tr_assert(tr_hash_unlink(&t->hash, link) == &p->node);
    p->inside = 0;
    t->inside_count--;
}

static inline uint32_t town_anyone(town *t) {
    return (uint32_t)tr_rng_below(&t->rng, t->size);
}

/* In or out, whichever it is not. */
static inline void town_toggle(town *t, uint32_t id) {
    if (t->people[id].inside) {
        town_leave(t, id);
    } else {
        town_enter(t, id);
    }
}

#endif
