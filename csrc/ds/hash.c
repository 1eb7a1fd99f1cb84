#include "ds/hash.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/rng.h"

#define HASH_MIN_EXP 2
#define HASH_FAIR_CHAIN 8   /* tr_hash_random() is fair among chains up to this long */
#define HASH_RANDOM_TRIES 256
#define HASH_STATS_CHAIN 50 /* longer chains are counted as one kind */

_Static_assert(1 << HASH_MIN_EXP == TR_HASH_MIN_BUCKETS, "the two say the same");

static inline size_t buckets_of(const tr_hash *h, int i) {
    return (size_t)1 << h->exp[i];
}

static inline size_t mask_of(const tr_hash *h, int i) {
    return buckets_of(h, i) - 1;
}

static inline tr_hnode **array_of(tr_hash *h, int i) {
    return i == 0 && h->table[0] == NULL ? &h->lone : h->table[i];
}

/* Bucket number `at` of both tables in a row; those of table[0] that a resize has emptied are left
 * out. */
static inline size_t places(const tr_hash *h) {
    return buckets_of(h, 0) - h->rehash_at + (h->table[1] != NULL ? buckets_of(h, 1) : 0);
}

static inline tr_hnode **place(tr_hash *h, size_t at) {
    size_t first = buckets_of(h, 0) - h->rehash_at;
    return at < first ? &array_of(h, 0)[h->rehash_at + at] : &h->table[1][at - first];
}

/* The smallest size with more buckets than count: a shrunken table has room for one more. */
static uint8_t exp_for(size_t count) {
    uint8_t exp = HASH_MIN_EXP;
    while (exp < TR_HASH_EXP_MAX && ((size_t)1 << exp) <= count) exp++;
    return exp;
}

void tr_hash_init(tr_hash *h, tr_mem *mem, tr_hash_eq_fn *eq) {
    *h = (tr_hash){.mem = mem, .eq = eq};
}

void tr_hash_release(tr_hash *h) {
    tr_free(h->mem, h->table[0]);
    tr_free(h->mem, h->table[1]);
    tr_hash_init(h, h->mem, h->eq);
}

static void visit_chain(tr_hnode *node, tr_hash_visit_fn *visit, void *ctx) {
    while (node != NULL) {
        tr_hnode *next = node->next;
        visit(ctx, node);
        node = next;
    }
}

void tr_hash_drain(tr_hash *h, tr_hash_visit_fn *visit, void *ctx) {
    tr_assert(h->resize_pauses == 0);
    tr_hash old = *h;
    tr_hash_init(h, old.mem, old.eq);
    size_t n = places(&old);
    for (size_t at = 0; at < n; at++) visit_chain(*place(&old, at), visit, ctx);
    tr_hash_release(&old);
}

size_t tr_hash_buckets(const tr_hash *h) {
    return buckets_of(h, 0) + (h->table[1] != NULL ? buckets_of(h, 1) : 0);
}

size_t tr_hash_memory(const tr_hash *h) {
    size_t bytes = h->table[0] != NULL ? tr_mem_size(h->table[0]) : 0;
    return bytes + (h->table[1] != NULL ? tr_mem_size(h->table[1]) : 0);
}

void tr_hash_pause(tr_hash *h) {
    tr_assert(h->resize_pauses < INT8_MAX);
    h->resize_pauses++;
}

void tr_hash_resume(tr_hash *h) {
    tr_assert(h->resize_pauses > 0);
    h->resize_pauses--;
}

/* ---- resizing ---- */

static void move_bucket(tr_hash *h, size_t at) {
    tr_hnode **from = array_of(h, 0);
    tr_hnode *node = from[at];
    from[at] = NULL;
    while (node != NULL) {
        tr_hnode *next = node->next;
        tr_hnode **to = &h->table[1][node->hash & mask_of(h, 1)];
        node->next = *to;
        *to = node;
        h->used[0]--;
        h->used[1]++;
        node = next;
    }
}

static void finish_resize(tr_hash *h) {
    tr_assert(h->used[0] == 0);
    tr_free(h->mem, h->table[0]);
    h->table[0] = h->table[1];
    h->exp[0] = h->exp[1];
    h->used[0] = h->used[1];
    h->table[1] = NULL;
    h->exp[1] = 0;
    h->used[1] = 0;
    h->rehash_at = 0;
}

int tr_hash_rehash(tr_hash *h, int n) {
    if (h->table[1] == NULL || h->resize_pauses > 0) return 0;
    int64_t empty_left = (int64_t)n * TR_HASH_EMPTY_VISITS;
    while (h->used[0] > 0) {
        tr_assert(h->rehash_at < buckets_of(h, 0));
        if (array_of(h, 0)[h->rehash_at] != NULL) {
            if (n-- <= 0) return 1;
            move_bucket(h, h->rehash_at);
        } else if (empty_left-- <= 0) {
            return 1;
        }
        h->rehash_at++;
    }
    finish_resize(h);
    return 0;
}

static int start_resize(tr_hash *h, uint8_t exp) {
    tr_assert(h->table[1] == NULL);
    tr_assert(h->resize_pauses == 0);
    tr_hnode **array = tr_zalloc(h->mem, sizeof(*array) << exp);
    if (array == NULL) return TR_ENOMEM;
    h->table[1] = array;
    h->exp[1] = exp;
    h->rehash_at = 0;
    /* Nothing to move, or one bucket only: done at once. */
    if (h->used[0] == 0 || h->table[0] == NULL) tr_hash_rehash(h, 1);
    return TR_OK;
}

/* Tried again at each sixteenth of the size: memory may be back, and failing each time would cost
 * every insert. */
static void grow_when_full(tr_hash *h) {
    size_t size = buckets_of(h, 0);
    if (h->used[0] < size || h->table[1] != NULL || h->resize_pauses > 0) return;
    size_t every = size >= 16 ? size / 16 : 1;
    if ((h->used[0] & (every - 1)) != 0) return;
    uint8_t exp = exp_for(h->used[0]);
    if (exp > h->exp[0]) (void)start_resize(h, exp);
}

static void shrink_below(tr_hash *h, size_t per_node) {
    if (h->table[0] == NULL || h->table[1] != NULL || h->resize_pauses > 0) return;
    if (h->used[0] == 0) {
        tr_hash_release(h);
        return;
    }
    if (h->exp[0] <= HASH_MIN_EXP || h->used[0] >= buckets_of(h, 0) / per_node) return;
    uint8_t exp = exp_for(h->used[0]);
    if (exp < h->exp[0]) (void)start_resize(h, exp);
}

void tr_hash_shrink(tr_hash *h) {
    shrink_below(h, TR_HASH_CRON_SHRINK);
}

int tr_hash_reserve(tr_hash *h, size_t count) {
    if (h->table[1] != NULL || h->resize_pauses > 0 || count <= 1) return TR_OK;
    uint8_t exp = exp_for(count - 1);
    if (exp <= h->exp[0]) return TR_OK;
    return start_resize(h, exp);
}

/* ---- nodes ---- */

tr_hnode **tr_hash_find(tr_hash *h, uint32_t hash, const void *key, size_t len) {
    return tr_hash_find_eq(h, hash, h->eq, key, len);
}

/* Which table a node with that hash is in. */
static inline int table_of(const tr_hash *h, uint32_t hash) {
    return (hash & mask_of(h, 0)) < h->rehash_at;
}

void tr_hash_insert(tr_hash *h, tr_hnode *node) {
    grow_when_full(h);
    if (TR_UNLIKELY(h->table[1] != NULL)) tr_hash_rehash(h, TR_HASH_STEP_BUCKETS);
    tr_hnode **bucket = tr_hash_bucket(h, node->hash);
    node->next = *bucket;
    *bucket = node;
    h->used[table_of(h, node->hash)]++;
}

tr_hnode *tr_hash_unlink(tr_hash *h, tr_hnode **link) {
    tr_hnode *node = *link;
    int in = table_of(h, node->hash);
    tr_assert(h->used[in] > 0);
    *link = node->next;
    node->next = NULL;
    h->used[in]--;
    if (TR_UNLIKELY(h->table[1] != NULL)) {
        tr_hash_rehash(h, TR_HASH_STEP_BUCKETS);
    } else {
        /* An empty table keeps its smallest array: a queue that goes empty and full again would pay
         * each time. */
        if (h->exp[0] > HASH_MIN_EXP) shrink_below(h, TR_HASH_AUTO_SHRINK);
    }
    return node;
}

void tr_hash_moved(tr_hnode **link, tr_hnode *node) {
    *link = node;
}

tr_hnode **tr_hash_link_of(tr_hash *h, const tr_hnode *node) {
    tr_hnode **link = tr_hash_bucket(h, node->hash);
    while (*link != node) {
        tr_assert(*link != NULL);
        link = &(*link)->next;
    }
    return link;
}

/* ---- random nodes ---- */

static size_t chain_length(const tr_hnode *node) {
    size_t n = 0;
    for (; node != NULL; node = node->next) n++;
    return n;
}

static tr_hnode *nth_of_chain(tr_hnode *node, size_t n) {
    while (n-- > 0) node = node->next;
    return node;
}

/* A bucket is accepted in proportion to its chain: a ticket of HASH_FAIR_CHAIN is drawn and the
 * chain's nodes hold the first ones. A bucket with two nodes then wins twice as often as one with a
 * single node. */
tr_hnode *tr_hash_random(tr_hash *h, uint64_t r1, uint64_t r2) {
    if (tr_hash_count(h) == 0) return NULL;
    tr_rng rng = {.state = r1 ^ (r2 << 32 | r2 >> 32)};
    size_t n = places(h);
    for (int i = 0; i < HASH_RANDOM_TRIES; i++) {
        tr_hnode *chain = *place(h, tr_rng_below(&rng, n));
        if (chain == NULL) continue;
        size_t len = chain_length(chain);
        uint64_t ticket = tr_rng_below(&rng, HASH_FAIR_CHAIN);
        if (len > HASH_FAIR_CHAIN) return nth_of_chain(chain, tr_rng_below(&rng, len));
        if (ticket < len) return nth_of_chain(chain, ticket);
    }
    size_t at = tr_rng_below(&rng, n);
    while (*place(h, at) == NULL) at = at + 1 == n ? 0 : at + 1;
    tr_hnode *chain = *place(h, at);
    return nth_of_chain(chain, tr_rng_below(&rng, chain_length(chain)));
}

int tr_hash_sample(tr_hash *h, uint64_t r, tr_hnode **out, int max) {
    if (max <= 0 || tr_hash_count(h) == 0) return 0;
    tr_rng rng = {.state = r};
    size_t n = places(h);
    size_t at = tr_rng_below(&rng, n);
    size_t enough = (size_t)max * TR_HASH_EMPTY_VISITS;
    int got = 0;
    for (size_t seen = 0; seen < n && got < max && (got == 0 || seen < enough); seen++) {
        for (tr_hnode *node = *place(h, at); node != NULL && got < max; node = node->next) {
            out[got++] = node;
        }
        at = at + 1 == n ? 0 : at + 1;
    }
    tr_assert(got > 0);
    return got;
}

/* ---- scan ---- */

static uint64_t reverse_bits(uint64_t v) {
    v = ((v >> 1) & 0x5555555555555555u) | ((v & 0x5555555555555555u) << 1);
    v = ((v >> 2) & 0x3333333333333333u) | ((v & 0x3333333333333333u) << 2);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0fu) | ((v & 0x0f0f0f0f0f0f0f0fu) << 4);
    return __builtin_bswap64(v);
}

/* Counts up from the highest bit of the mask down: buckets that a doubling splits or a halving
 * joins stay neighbours in this order, so a cursor means the same set of visited hashes in a table
 * of any size. */
static uint64_t next_cursor(uint64_t cursor, uint64_t mask) {
    return reverse_bits(reverse_bits(cursor | ~mask) + 1);
}

uint64_t tr_hash_scan(tr_hash *h, uint64_t cursor, tr_hash_visit_fn *visit, void *ctx) {
    if (tr_hash_count(h) == 0) return 0;
    tr_hash_pause(h);
    if (h->table[1] == NULL) {
        uint64_t mask = mask_of(h, 0);
        visit_chain(array_of(h, 0)[cursor & mask], visit, ctx);
        cursor = next_cursor(cursor, mask);
    } else {
        int small = h->exp[0] > h->exp[1];
        uint64_t few = mask_of(h, small);
        uint64_t many = mask_of(h, !small);
        visit_chain(array_of(h, small)[cursor & few], visit, ctx);
        do { /* all buckets of the larger table that the small one's bucket stands for */
            visit_chain(array_of(h, !small)[cursor & many], visit, ctx);
            cursor = next_cursor(cursor, many);
        } while (cursor & (few ^ many));
    }
    tr_hash_resume(h);
    return cursor;
}

/* ---- looking at it ---- */

static size_t check_array(const tr_hash *h, int i) {
    tr_hnode *const *array = i == 0 && h->table[0] == NULL ? &h->lone : h->table[i];
    size_t count = 0;
    for (size_t at = 0; at < buckets_of(h, i); at++) {
        for (const tr_hnode *node = array[at]; node != NULL; node = node->next) {
            tr_assert((node->hash & mask_of(h, i)) == at);
            tr_assert(table_of(h, node->hash) == i);
            count++;
            tr_assert(count <= h->used[i]);
        }
    }
    return count;
}

void tr_hash_check(const tr_hash *h) {
    tr_assert(h->resize_pauses >= 0);
    tr_assert(h->exp[0] <= TR_HASH_EXP_MAX && h->exp[1] <= TR_HASH_EXP_MAX);
    tr_assert(h->table[0] != NULL ? h->lone == NULL : h->exp[0] == 0);
    tr_assert(check_array(h, 0) == h->used[0]);
    if (h->table[1] != NULL) {
        tr_assert(h->rehash_at < buckets_of(h, 0));
        tr_assert(check_array(h, 1) == h->used[1]);
    } else {
        tr_assert(h->rehash_at == 0);
        tr_assert(h->used[1] == 0);
    }
}

typedef struct chain_counts {
    size_t of_length[HASH_STATS_CHAIN + 1]; /* the last one: this long or longer */
    size_t longest;
    size_t slots;
} chain_counts;

static void count_chains(tr_hnode *const *array, size_t n, chain_counts *out) {
    *out = (chain_counts){0};
    for (size_t at = 0; at < n; at++) {
        size_t len = chain_length(array[at]);
        out->of_length[len < HASH_STATS_CHAIN ? len : HASH_STATS_CHAIN]++;
        if (len > 0) out->slots++;
        if (len > out->longest) out->longest = len;
    }
}

/* snprintf at the end of what is there; the text is cut when it does not fit. */
#define PUT(...)                                                                                   \
    do {                                                                                           \
        int put = snprintf(out + at, cap - at, __VA_ARGS__);                                       \
        at = put < 0 || (size_t)put >= cap - at ? cap - 1 : at + (size_t)put;                      \
    } while (0)

static size_t stats_of_array(const tr_hash *h, int i, char *out, size_t cap) {
    tr_hnode *const *array = i == 0 && h->table[0] == NULL ? &h->lone : h->table[i];
    size_t n = buckets_of(h, i);
    size_t at = 0;
    chain_counts c;
    count_chains(array, n, &c);
    PUT("Hash table %d stats (%s):\n table size: %zu\n number of elements: %zu\n", i,
        i == 0 ? "main hash table" : "rehashing target", n, h->used[i]);
    if (c.slots == 0) return at;
    PUT(" different slots: %zu\n max chain length: %zu\n", c.slots, c.longest);
    PUT(" avg chain length: %.02f\n Chain length distribution:\n",
        (double)h->used[i] / (double)c.slots);
    for (size_t len = 0; len <= HASH_STATS_CHAIN; len++) {
        if (c.of_length[len] == 0) continue;
        PUT("   %s%zu: %zu (%.02f%%)\n", len == HASH_STATS_CHAIN ? ">= " : "", len,
            c.of_length[len], 100.0 * (double)c.of_length[len] / (double)n);
    }
    return at;
}

size_t tr_hash_stats(const tr_hash *h, char *out, size_t cap) {
    if (cap == 0) return 0;
    out[0] = '\0';
    size_t at = stats_of_array(h, 0, out, cap);
    if (h->table[1] != NULL) at += stats_of_array(h, 1, out + at, cap - at);
    return at;
}
