/* outq.h - bytes on their way out: a queue of chunks and of shared blobs.
 *
 *   head -> [chunk: rpos..wpos] -> [blob share: off..end] -> [chunk] <- tail
 *
 * Replies are written into the tail chunk; large values are put in as shares of their blob. The
 * queue leaves by iovecs. Chunks come from the pool and go back to it as soon as they are empty, so that an idle connection
 * holds none. Fails only with no memory: then `failed` is set and stays set, the rest is dropped, and the owner must
 * close the connection (a reply with a hole must never leave).
 * Bounds: a chunk is TR_OUT_CHUNK bytes or exactly one larger piece.
 */
#ifndef TR_BASE_OUTQ_H
#define TR_BASE_OUTQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/blob.h"
#include "base/mem.h"

#define TR_OUT_CHUNK 16384
#define TR_OUT_POOL_MAX 64 /* spare chunks that the pool keeps */

typedef struct tr_out_node {
    struct tr_out_node *next;
    tr_blob *blob; /* share; NULL: a chunk */
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
    tr_out_node *tail;
    size_t bytes;      /* waiting to leave */
    size_t node_count;
    int failed;        /* 1 after an allocation failed; sticky */
} tr_outq;

void tr_out_pool_init(tr_out_pool *pool, tr_mem *mem);
void tr_out_pool_release(tr_out_pool *pool);

void tr_outq_init(tr_outq *q, tr_out_pool *pool);
/* Drops what waits. Clears failed. */
void tr_outq_clear(tr_outq *q);
/* A pointer to n contiguous bytes at the end, to be filled and then committed (no more than n). NULL: failed. */
char *tr_outq_reserve_slow(tr_outq *q, size_t n);
void tr_outq_append(tr_outq *q, const void *p, size_t n);
/* Adds blob->data[off..off+len) without copying; takes a share of its own. */
void tr_outq_append_blob(tr_outq *q, tr_blob *blob, size_t off, size_t len);
/* Moves all of src to the end of dst; src is empty after it. Both use the same pool. */
void tr_outq_splice(tr_outq *dst, tr_outq *src);
/* Fills up to max iovecs from the front, returns how many. Borrowed until the next change. */
int tr_outq_iov(const tr_outq *q, struct iovec *iov, int max);
/* n bytes from the front have left. */
void tr_outq_consume(tr_outq *q, size_t n);
/* Bytes of memory that the queue holds (blob shares count with their length). */
size_t tr_outq_memory(const tr_outq *q);
void tr_outq_check(const tr_outq *q);

static inline char *tr_outq_reserve(tr_outq *q, size_t n) {
    tr_out_node *t = q->tail;
    if (t != NULL && t->blob == NULL && t->cap - t->wpos >= n) return t->data + t->wpos;
    return tr_outq_reserve_slow(q, n);
}
static inline void tr_outq_commit(tr_outq *q, size_t n) {
    q->tail->wpos += n;
    q->bytes += n;
}

#endif
