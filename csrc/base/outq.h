/* outq.h - bytes on their way out: a queue of chunks and of shared blobs.
 *
 *    head -> [data: rpos..wpos] -> [blob: blob_pos..blob_end][data: rpos..wpos] -> ... <- tail
 *
 * A node is a stretch of a shared blob (or none), then bytes of its own. Replies are written
 * into the own bytes of the tail; large values are put in as shares of their blob, whose node
 * keeps a little room for the small replies around the next value, so that a row of large values
 * costs no chunks. The queue leaves by iovecs. Chunks come from the pool and go back to it as
 * soon as they are empty, so that an idle connection holds none. Fails only with no memory: then
 * `failed` is set and stays set, the rest is dropped, nothing leaves any more, and the owner
 * must close the connection (a reply with a hole must never leave). Bounds: a chunk is
 * TR_OUT_CHUNK bytes or exactly one larger piece.
 */
#ifndef TR_BASE_OUTQ_H
#define TR_BASE_OUTQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/assert.h"
#include "base/blob.h"
#include "base/mem.h"

#define TR_OUT_CHUNK 16384
#define TR_OUT_POOL_MAX 64 /* spare chunks that the pool keeps */
#define TR_OUT_LITTLE 200 /* own bytes of the first node for somebody who seldom gets output */
#define TR_OUT_BLOB_ROOM 64 /* own bytes of a node that was made for a blob */

typedef struct tr_out_node {
    struct tr_out_node *next;
    tr_blob *blob; /* share; NULL: none, or all of it has left */
    size_t blob_pos;
    size_t blob_end;
    size_t rpos;
    size_t wpos;
    size_t cap;
    char data[];
} tr_out_node;

typedef struct tr_out_pool {
    tr_mem *mem;
    tr_out_node *spare;
    size_t spare_count;
} tr_out_pool;

typedef struct tr_outq {
    tr_out_pool *pool;
    tr_out_node *head;
    tr_out_node *tail; /* NULL: empty, or failed */
    size_t bytes;      /* waiting to leave */
    size_t memory;     /* bytes that the nodes hold, blob shares with their length */
    size_t node_count;
    int failed;        /* 1 after an allocation failed; sticky */
} tr_outq;

void tr_out_pool_init(tr_out_pool *pool, tr_mem *mem);
/* Frees the spare chunks; the pool is empty and may be used again. */
void tr_out_pool_release(tr_out_pool *pool);

/* The queue borrows the pool, which must outlive it. */
void tr_outq_init(tr_outq *q, tr_out_pool *pool);
/* Drops what waits. Clears failed. */
void tr_outq_clear(tr_outq *q);
char *tr_outq_reserve_slow(tr_outq *q, size_t n);
char *tr_outq_reserve_little_slow(tr_outq *q, size_t n);
/* As if an allocation for the queue had failed. */
void tr_outq_fail(tr_outq *q);
/* Adds a copy of n bytes, which may be split between chunks. */
void tr_outq_append(tr_outq *q, const void *p, size_t n);
/* Adds blob->data[off..off+len) without copying; takes a share of its own. */
void tr_outq_append_blob(tr_outq *q, tr_blob *blob, size_t off, size_t len);
/* Moves all of src to the end of dst; src is empty after it. Both use the same pool. A failed
 * src makes dst fail. */
void tr_outq_splice(tr_outq *dst, tr_outq *src);
/* Fills up to max iovecs from the front, returns how many. Borrowed until the next change. */
int tr_outq_iov(const tr_outq *q, struct iovec *iov, int max);
/* n bytes from the front have left; n <= bytes. */
void tr_outq_consume(tr_outq *q, size_t n);
/* Bytes of memory that the queue holds (blob shares count with their length). O(1). */
size_t tr_outq_memory(const tr_outq *q);
/* Asserts what must hold; for tests. */
void tr_outq_check(const tr_outq *q);

/* A pointer to n > 0 contiguous bytes at the end, to be filled and then committed (no more than
 * n). NULL: failed. */
static inline char *tr_outq_reserve(tr_outq *q, size_t n) {
    tr_out_node *t = q->tail;
    if (TR_LIKELY(t != NULL && t->cap - t->wpos >= n)) return t->data + t->wpos;
    return tr_outq_reserve_slow(q, n);
}
/* The same for messages to many queues at once, each of which gets few: nodes begin small and grow fourfold up to a
 * chunk. */
static inline char *tr_outq_reserve_little(tr_outq *q, size_t n) {
    tr_out_node *t = q->tail;
    if (TR_LIKELY(t != NULL && t->cap - t->wpos >= n)) return t->data + t->wpos;
    return tr_outq_reserve_little_slow(q, n);
}
static inline void tr_outq_commit(tr_outq *q, size_t n) {
    tr_debug_assert(q->tail != NULL && n <= q->tail->cap - q->tail->wpos);
    q->tail->wpos += n;
    q->bytes += n;
}

#endif
