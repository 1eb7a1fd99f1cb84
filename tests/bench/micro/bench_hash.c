/* What a lookup costs: ns per find, hit and miss, in tables that do and do not fit the caches, with
 * 16-byte keys hashed by SipHash-1-3. Each number is the best of some rounds over keys in random
 * order.
 *
 *   gcc -O2 -DNDEBUG -D_GNU_SOURCE -Icsrc tests/bench/micro/bench_hash.c csrc/ds/hash.c \
 *       csrc/base/mem.c csrc/base/siphash.c csrc/base/assert.c -o bench_hash && ./bench_hash
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "ds/hash.h"

#define KEY_BYTES 16
#define BATCH 16
#define ROUNDS 3

typedef struct entry {
    tr_hnode node;
    char key[KEY_BYTES];
} entry;

static const uint64_t secret[2] = {1, 2};

static int entry_eq(const tr_hnode *node, const void *key, size_t len) {
    return memcmp(((const entry *)node)->key, key, KEY_BYTES) == 0;
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void make_key(char *key, uint64_t number) {
    memcpy(key, "key:", 4);
    for (int i = KEY_BYTES - 1; i >= 4; i--, number /= 10) key[i] = (char)('0' + number % 10);
}

static size_t find_one_by_one(tr_hash *h, const char *keys, size_t n) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const char *key = keys + i * KEY_BYTES;
        uint32_t hash = (uint32_t)tr_siphash(key, KEY_BYTES, secret);
        found += tr_hash_find_eq(h, hash, entry_eq, key, KEY_BYTES) != NULL;
    }
    return found;
}

static size_t find_in_batches(tr_hash *h, const char *keys, size_t n) {
    size_t found = 0;
    for (size_t i = 0; i + BATCH <= n; i += BATCH) {
        uint32_t hash[BATCH];
        for (int k = 0; k < BATCH; k++) {
            hash[k] = (uint32_t)tr_siphash(keys + (i + k) * KEY_BYTES, KEY_BYTES, secret);
            tr_hash_prefetch(h, hash[k]);
        }
        for (int k = 0; k < BATCH; k++) tr_hash_prefetch_node(h, hash[k]);
        for (int k = 0; k < BATCH; k++) {
            const char *key = keys + (i + k) * KEY_BYTES;
            found += tr_hash_find_eq(h, hash[k], entry_eq, key, KEY_BYTES) != NULL;
        }
    }
    return found;
}

typedef size_t find_fn(tr_hash *h, const char *keys, size_t n);

static void report(const char *what, tr_hash *h, const char *keys, size_t n, find_fn *find) {
    double best = 1e18;
    size_t found = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns();
        found = find(h, keys, n);
        double took = (now_ns() - start) / (double)n;
        if (took < best) best = took;
    }
    printf("  %-16s %6.1f ns (%zu of %zu found)\n", what, best, found, n);
}

static void bench(size_t count) {
    tr_mem mem;
    tr_hash h;
    tr_rng rng = {.state = 1};
    size_t asked = 1 << 20;
    entry *entries = malloc(count * sizeof(*entries));
    char *hits = malloc(asked * KEY_BYTES);
    char *misses = malloc(asked * KEY_BYTES);
    tr_assert(entries != NULL && hits != NULL && misses != NULL);
    tr_mem_init(&mem);
    tr_hash_init(&h, &mem, entry_eq);
    double start = now_ns();
    for (size_t i = 0; i < count; i++) {
        make_key(entries[i].key, i);
        entries[i].node.hash = (uint32_t)tr_siphash(entries[i].key, KEY_BYTES, secret);
        tr_hash_insert(&h, &entries[i].node);
    }
    printf("%zu keys: insert %.1f ns, growing from nothing\n", count,
           (now_ns() - start) / (double)count);
    while (tr_hash_rehash(&h, 100)) {
    }
    for (size_t i = 0; i < asked; i++) {
        make_key(hits + i * KEY_BYTES, tr_rng_below(&rng, count));
        make_key(misses + i * KEY_BYTES, count + tr_rng_below(&rng, count));
    }
    report("hit", &h, hits, asked, find_one_by_one);
    report("miss", &h, misses, asked, find_one_by_one);
    report("hit, batches", &h, hits, asked, find_in_batches);
    report("miss, batches", &h, misses, asked, find_in_batches);
    tr_hash_release(&h);
    free(entries);
    free(hits);
    free(misses);
}

int main(void) {
    bench(1000);
    bench(100000);
    bench(1000000);
    return 0;
}
