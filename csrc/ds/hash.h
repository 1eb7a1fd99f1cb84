/* hash.h - a hash table of nodes that live inside their owner's structs (intrusive, chained).
 *
 *   table[0] | . | . | -> node -> node | ...     being emptied, bucket by bucket, into
 *                  ^ rehash_at
 *   table[1] | . | -> node | ...                 while a resize is under way
 *
 * The table never owns nodes; it owns its bucket arrays only. The owner computes the 32-bit hash
 * and stores it in the node before the insert. The struct holds no pointer to itself, so it may be
 * moved while nobody holds a link.
 *
 * Resizing is incremental: each insert and unlink moves TR_HASH_STEP_BUCKETS buckets (find moves
 * none, so links live through finds); cron may help with tr_hash_rehash(). A node's place is a
 * function of its hash alone, also during a resize: its bucket of table[0] when that is at or
 * behind rehash_at, else its bucket of table[1]. So each lookup reads one bucket. Grows to twice
 * the size at one node per bucket, shrinks below one node per TR_HASH_AUTO_SHRINK buckets. If the
 * memory for a larger array is not there, the table goes on with longer chains and tries again
 * after every sixteenth of its size: insert never fails (the first bucket is part of the struct).
 *
 * Cost: find, insert, unlink O(1) amortised. A scan with a stateless cursor returns each node that
 * was there from its start to its end at least once, whatever resizes happen meanwhile
 * (reverse-binary cursor).
 */
#ifndef TR_DS_HASH_H
#define TR_DS_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define TR_HASH_MIN_BUCKETS 4
#define TR_HASH_STEP_BUCKETS 1
#define TR_HASH_EMPTY_VISITS 10 /* empty buckets that a step may look at per bucket it moves */
#define TR_HASH_AUTO_SHRINK 10  /* unlink shrinks when fewer than 1/10 of the buckets have a node */
#define TR_HASH_CRON_SHRINK 8   /* tr_hash_shrink() does so below 1/8 */
#define TR_HASH_EXP_MAX 32      /* the hash has no more bits to tell buckets apart */

typedef struct tr_hnode {
    struct tr_hnode *next;
    uint32_t hash;
    uint32_t bits; /* the owner's; the table does not touch it */
} tr_hnode;

/* 1: this node has that key. */
typedef int tr_hash_eq_fn(const tr_hnode *node, const void *key, size_t len);
typedef void tr_hash_visit_fn(void *ctx, tr_hnode *node);

typedef struct tr_hash {
    tr_mem *mem;
    tr_hash_eq_fn *eq;
    tr_hnode **table[2];  /* table[1] NULL: no resize under way */
    tr_hnode *lone;       /* the only bucket while table[0] is NULL */
    uint8_t exp[2];       /* table[i] has 1 << exp[i] buckets */
    int8_t resize_pauses; /* > 0: a scan or iterator is inside: no steps, no new sizes */
    size_t used[2];
    size_t rehash_at;     /* next bucket of table[0] to move; 0 when no resize is under way */
} tr_hash;

void tr_hash_init(tr_hash *h, tr_mem *mem, tr_hash_eq_fn *eq);
/* Frees the arrays; the nodes are the owner's. Empty and usable afterwards. */
void tr_hash_release(tr_hash *h);
/* Empties the table, then calls visit for every node that it held; visit may free the node. */
void tr_hash_drain(tr_hash *h, tr_hash_visit_fn *visit, void *ctx);
static inline size_t tr_hash_count(const tr_hash *h) {
    return h->used[0] + h->used[1];
}
size_t tr_hash_buckets(const tr_hash *h); /* of both arrays */
static inline int tr_hash_rehashing(const tr_hash *h) {
    return h->table[1] != NULL;
}
/* Between these two, buckets stay where they are; pauses nest. */
void tr_hash_pause(tr_hash *h);
void tr_hash_resume(tr_hash *h);

/* The one bucket where nodes with that hash live. Borrowed as a link is. */
static inline tr_hnode **tr_hash_bucket(tr_hash *h, uint32_t hash) {
    size_t at = hash & (((size_t)1 << h->exp[0]) - 1);
    if (at < h->rehash_at) return &h->table[1][hash & (((size_t)1 << h->exp[1]) - 1)];
    return h->table[0] != NULL ? &h->table[0][at] : &h->lone;
}
/* tr_hash_find() for callers whose eq is a constant, so that the compiler can inline it. */
static inline tr_hnode **tr_hash_find_eq(tr_hash *h, uint32_t hash, tr_hash_eq_fn *eq,
                                         const void *key, size_t len) {
    tr_hnode **link = tr_hash_bucket(h, hash);
    for (tr_hnode *node = *link; node != NULL; link = &node->next, node = *link) {
        if (node->hash == hash && eq(node, key, len)) return link;
    }
    return NULL;
}
/* For batches of lookups: first all buckets, then (their lines have come) the first nodes. Hints
 * only. */
static inline void tr_hash_prefetch(tr_hash *h, uint32_t hash) {
    __builtin_prefetch(tr_hash_bucket(h, hash));
}
static inline void tr_hash_prefetch_node(tr_hash *h, uint32_t hash) {
    __builtin_prefetch(*tr_hash_bucket(h, hash));
}
/* The link that points to the node with that key (so *link is the node), or NULL. Borrowed until
 * the next insert, unlink or rehash. */
tr_hnode **tr_hash_find(tr_hash *h, uint32_t hash, const void *key, size_t len);
/* The node must not be in a table; its key must not be in this one. */
void tr_hash_insert(tr_hash *h, tr_hnode *node);
/* Takes *link out and returns it. */
tr_hnode *tr_hash_unlink(tr_hash *h, tr_hnode **link);
/* The node moved in memory (realloc): *link gets the new address. The hash is unchanged. */
void tr_hash_moved(tr_hnode **link, tr_hnode *node);
/* The link of a node that is known to be inside. */
tr_hnode **tr_hash_link_of(tr_hash *h, const tr_hnode *node);
/* Moves up to n buckets; 1 while there is more to do (0 while paused). */
int tr_hash_rehash(tr_hash *h, int n);
/* Makes room for count nodes at once (loading); TR_ENOMEM or 0. A hint: does nothing while a resize
 * is under way or paused. */
int tr_hash_reserve(tr_hash *h, size_t count);
/* For cron: starts to shrink to fit when there are TR_HASH_CRON_SHRINK times more buckets than
 * nodes, or frees the array when there is none. */
void tr_hash_shrink(tr_hash *h);
/* A random node, or NULL when empty; r1, r2 are random bits from the caller. All nodes are equally
 * likely (but for chains beyond eight nodes); tries are bounded: falls back to a linear walk from
 * the random place. */
tr_hnode *tr_hash_random(tr_hash *h, uint64_t r1, uint64_t r2);
/* Up to max nodes from consecutive buckets at a random place; the count, at least 1 if there is any
 * node. For eviction's samples. */
int tr_hash_sample(tr_hash *h, uint64_t r, tr_hnode **out, int max);
/* One step of a scan: visits the bucket(s) of the cursor, returns the next cursor, 0 at the end.
 * visit may unlink and free the visited node, no other (resizing is paused inside). */
uint64_t tr_hash_scan(tr_hash *h, uint64_t cursor, tr_hash_visit_fn *visit, void *ctx);
/* Bytes held by the arrays. */
size_t tr_hash_memory(const tr_hash *h);
/* Walks everything and asserts that it is sound. */
void tr_hash_check(const tr_hash *h);
/* Chain lengths and such as text for DEBUG HTSTATS, NUL-terminated and cut at cap; returns bytes
 * written without the NUL. */
size_t tr_hash_stats(const tr_hash *h, char *out, size_t cap);

#endif
