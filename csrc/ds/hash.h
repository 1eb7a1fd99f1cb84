/* hash.h - a hash table of nodes that live inside their owner's structs (intrusive, chained).
 *
 *   table[0] | . | . | -> node -> node | ...     being emptied, bucket by bucket, into
 *   table[1] | . | -> node | ...                 while a resize is under way
 *
 * The table never owns nodes; it owns its bucket arrays only. The owner computes the 32-bit hash and stores it in the
 * node before the insert. Resizing is incremental: each insert and unlink moves TR_HASH_STEP_BUCKETS buckets; cron may call
 * tr_hash_rehash_us-like loops with tr_hash_rehash(). If the memory for a larger array is not there, the table goes on with longer
 * chains and tries again at the next doubling: insert never fails.
 *
 * Cost: find, insert, unlink O(1) amortised. A scan with a stateless cursor returns each node that was there from its start to
 * its end at least once, whatever resizes happen meanwhile (reverse-binary cursor).
 */
#ifndef TR_DS_HASH_H
#define TR_DS_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define TR_HASH_MIN_BUCKETS 4
#define TR_HASH_STEP_BUCKETS 1
#define TR_HASH_EMPTY_VISITS 10 /* empty buckets that one step may look at per bucket that it moves */

typedef struct tr_hnode {
    struct tr_hnode *next;
    uint32_t hash;
    uint32_t bits; /* the owner's; the table does not touch it */
} tr_hnode;

typedef int tr_hash_eq_fn(const tr_hnode *node, const void *key, size_t len); /* 1: this node has that key */
typedef void tr_hash_visit_fn(void *ctx, tr_hnode *node);

typedef struct tr_hash {
    tr_mem *mem;
    tr_hash_eq_fn *eq;
    tr_hnode **table[2];
    uint8_t exp[2];      /* table[i] has 1 << exp[i] buckets when it is not NULL */
    int8_t resize_pauses; /* > 0: no steps (a scan or iterator is inside) and no shrinking */
    size_t used[2];
    size_t rehash_at;    /* next bucket of table[0] to move; SIZE_MAX: no resize under way */
} tr_hash;

void tr_hash_init(tr_hash *h, tr_mem *mem, tr_hash_eq_fn *eq);
/* Frees the arrays; the nodes are the owner's. */
void tr_hash_release(tr_hash *h);
/* Calls visit for every node and empties the table; visit may free the node. */
void tr_hash_drain(tr_hash *h, tr_hash_visit_fn *visit, void *ctx);
static inline size_t tr_hash_count(const tr_hash *h) {
    return h->used[0] + h->used[1];
}
size_t tr_hash_buckets(const tr_hash *h); /* of both arrays */
static inline int tr_hash_rehashing(const tr_hash *h) {
    return h->rehash_at != SIZE_MAX;
}
/* The link that points to the node with that key (so *link is the node), or NULL. Borrowed until the next insert, unlink or rehash. */
tr_hnode **tr_hash_find(tr_hash *h, uint32_t hash, const void *key, size_t len);
/* The node must not be in a table; its key must not be in this one. */
void tr_hash_insert(tr_hash *h, tr_hnode *node);
/* Takes *link out and returns it. */
tr_hnode *tr_hash_unlink(tr_hash *h, tr_hnode **link);
/* The node moved in memory (realloc): *link gets the new address. The hash is unchanged. */
void tr_hash_moved(tr_hnode **link, tr_hnode *node);
/* The link of a node that is known to be inside. */
tr_hnode **tr_hash_link_of(tr_hash *h, const tr_hnode *node);
/* Moves up to n buckets; 1 while there is more to do. */
int tr_hash_rehash(tr_hash *h, int n);
/* Makes room for count nodes at once (loading); TR_ENOMEM or 0. Shrinks to fit when far too large: tr_hash_shrink(). */
int tr_hash_reserve(tr_hash *h, size_t count);
void tr_hash_shrink(tr_hash *h);
/* A random node (random bucket, then random in the chain), or NULL when empty; r1, r2 are random bits from the caller;
 * tries are bounded: falls back to a linear walk from the random place. */
tr_hnode *tr_hash_random(tr_hash *h, uint64_t r1, uint64_t r2);
/* Up to max nodes from consecutive buckets at a random place; the count. For eviction's samples. */
int tr_hash_sample(tr_hash *h, uint64_t r, tr_hnode **out, int max);
/* One step of a scan: visits the bucket(s) of the cursor, returns the next cursor, 0 at the end. visit may unlink and free the visited node
 * (steps of a resize are paused inside). */
uint64_t tr_hash_scan(tr_hash *h, uint64_t cursor, tr_hash_visit_fn *visit, void *ctx);
/* Bytes held by the arrays. */
size_t tr_hash_memory(const tr_hash *h);
/* Walks everything and asserts that it is sound. */
void tr_hash_check(const tr_hash *h);
/* Chain lengths and such as text for DEBUG HTSTATS; returns bytes written. */
size_t tr_hash_stats(const tr_hash *h, char *out, size_t cap);

#endif
