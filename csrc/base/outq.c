#include "base/outq.h"

#include <string.h>

void tr_out_pool_init(tr_out_pool *pool, tr_mem *mem) {
    *pool = (tr_out_pool){.mem = mem};
}

void tr_out_pool_release(tr_out_pool *pool) {
    while (pool->spare != NULL) {
        tr_out_node *node = pool->spare;
        pool->spare = node->next;
        tr_free(pool->mem, node);
        pool->spare_count--;
    }
    tr_assert(pool->spare_count == 0);
}

/* A node with cap own bytes, and blob as its share (stolen on success) or NULL. NULL: no memory. */
static tr_out_node *node_new(tr_out_pool *pool, size_t cap) {
    tr_out_node *node = pool->spare;
    if (cap == TR_OUT_CHUNK && node != NULL) {
        pool->spare = node->next;
        pool->spare_count--;
    } else {
        if (cap > TR_ALLOC_MAX - sizeof(*node)) return NULL;
        node = tr_alloc(pool->mem, sizeof(*node) + cap);
        if (node == NULL) return NULL;
        node->cap = cap;
    }
    node->next = NULL;
    node->blob = NULL;
    node->blob_pos = node->blob_end = 0;
    node->rpos = node->wpos = 0;
    tr_assert(node->cap == cap);
    return node;
}

static void node_free(tr_out_pool *pool, tr_out_node *node) {
    tr_blob_drop(pool->mem, node->blob);
    if (node->cap != TR_OUT_CHUNK || pool->spare_count >= TR_OUT_POOL_MAX) {
        tr_free(pool->mem, node);
        return;
    }
    node->next = pool->spare;
    pool->spare = node;
    pool->spare_count++;
}

/* Own bytes and what is still held of the blob's stretch. */
static size_t node_memory(const tr_out_node *node) {
    return sizeof(*node) + node->cap + (node->blob_end - node->blob_pos);
}

static size_t node_bytes(const tr_out_node *node) {
    return (node->blob_end - node->blob_pos) + (node->wpos - node->rpos);
}

static void link_tail(tr_outq *q, tr_out_node *node) {
    if (q->tail != NULL) q->tail->next = node;
    else q->head = node;
    q->tail = node;
    q->node_count++;
    q->memory += node_memory(node);
}

/* Without a tail, no fast path finds room; the nodes stay until clear(), as somebody may still
 * borrow them. */
void tr_outq_fail(tr_outq *q) {
    q->failed = 1;
    q->tail = NULL;
}

void tr_outq_init(tr_outq *q, tr_out_pool *pool) {
    *q = (tr_outq){.pool = pool};
}

void tr_outq_clear(tr_outq *q) {
    tr_out_node *node = q->head;
    while (node != NULL) {
        tr_out_node *next = node->next;
        node_free(q->pool, node);
        node = next;
    }
    *q = (tr_outq){.pool = q->pool};
}

static char *reserve_node(tr_outq *q, size_t cap) {
    if (q->failed) return NULL;
    tr_out_node *node = node_new(q->pool, cap);
    if (node == NULL) {
        tr_outq_fail(q);
        return NULL;
    }
    link_tail(q, node);
    return node->data;
}

char *tr_outq_reserve_slow(tr_outq *q, size_t n) {
    return reserve_node(q, n > TR_OUT_CHUNK ? n : TR_OUT_CHUNK);
}

char *tr_outq_reserve_little_slow(tr_outq *q, size_t n) {
    size_t cap = q->tail != NULL ? q->tail->cap * 4 : TR_OUT_LITTLE;
    if (cap < TR_OUT_LITTLE) cap = TR_OUT_LITTLE;
    if (cap > TR_OUT_CHUNK) cap = TR_OUT_CHUNK;
    return reserve_node(q, n > cap ? n : cap);
}

void tr_outq_append(tr_outq *q, const void *p, size_t n) {
    const char *from = p;
    tr_out_node *t = q->tail;
    size_t room = t != NULL ? t->cap - t->wpos : 0;
    if (room > n) room = n;
    if (room > 0) {
        memcpy(t->data + t->wpos, from, room);
        tr_outq_commit(q, room);
    }
    if (room == n) return;
    char *at = tr_outq_reserve_slow(q, n - room);
    if (at == NULL) return;
    memcpy(at, from + room, n - room);
    tr_outq_commit(q, n - room);
}

void tr_outq_append_blob(tr_outq *q, tr_blob *blob, size_t off, size_t len) {
    tr_assert(off <= blob->len && len <= blob->len - off);
    if (q->failed || len == 0) return;
    tr_out_node *node = node_new(q->pool, TR_OUT_BLOB_ROOM);
    if (node == NULL) {
        tr_outq_fail(q);
        return;
    }
    node->blob = tr_blob_share(blob);
    node->blob_pos = off;
    node->blob_end = off + len;
    link_tail(q, node);
    q->bytes += len;
}

void tr_outq_splice(tr_outq *dst, tr_outq *src) {
    tr_assert(dst != src && dst->pool == src->pool);
    if (src->failed) tr_outq_fail(dst);
    if (dst->failed || src->head == NULL) {
        tr_outq_clear(src);
        return;
    }
    if (dst->tail == NULL) {
        *dst = *src;
    } else if (src->head == src->tail && src->head->blob == NULL &&
               src->bytes <= dst->tail->cap - dst->tail->wpos) {
        tr_outq_append(dst, src->head->data + src->head->rpos, src->bytes);
        tr_outq_clear(src);
        return;
    } else {
        dst->tail->next = src->head;
        dst->tail = src->tail;
        dst->bytes += src->bytes;
        dst->memory += src->memory;
        dst->node_count += src->node_count;
    }
    *src = (tr_outq){.pool = src->pool};
}

int tr_outq_iov(const tr_outq *q, struct iovec *iov, int max) {
    if (q->failed) return 0;
    int n = 0;
    for (tr_out_node *node = q->head; node != NULL && n < max; node = node->next) {
        if (node->blob != NULL) {
            iov[n].iov_base = node->blob->data + node->blob_pos;
            iov[n++].iov_len = node->blob_end - node->blob_pos;
        }
        if (node->wpos > node->rpos && n < max) {
            iov[n].iov_base = node->data + node->rpos;
            iov[n++].iov_len = node->wpos - node->rpos;
        }
    }
    return n;
}

/* Takes up to n bytes off the front of the node; returns how many. */
static size_t node_consume(tr_outq *q, tr_out_node *node, size_t n) {
    size_t taken = 0;
    if (node->blob != NULL) {
        size_t left = node->blob_end - node->blob_pos;
        taken = left < n ? left : n;
        node->blob_pos += taken;
        q->memory -= taken;
        if (taken < left) return taken;
        tr_blob_drop(q->pool->mem, node->blob);
        node->blob = NULL;
        node->blob_pos = node->blob_end = 0;
    }
    size_t own = node->wpos - node->rpos;
    if (own > n - taken) own = n - taken;
    node->rpos += own;
    return taken + own;
}

void tr_outq_consume(tr_outq *q, size_t n) {
    tr_assert(n <= q->bytes);
    q->bytes -= n;
    while (q->head != NULL) {
        tr_out_node *node = q->head;
        n -= node_consume(q, node, n);
        if (node_bytes(node) != 0) break;
        q->head = node->next;
        q->node_count--;
        q->memory -= node_memory(node);
        node_free(q->pool, node);
    }
    if (q->head == NULL) q->tail = NULL;
    tr_assert(n == 0);
}

size_t tr_outq_memory(const tr_outq *q) {
    return q->memory;
}

void tr_outq_check(const tr_outq *q) {
    size_t bytes = 0, memory = 0, count = 0;
    const tr_out_node *last = NULL;
    for (const tr_out_node *node = q->head; node != NULL; node = node->next) {
        tr_assert(node->rpos <= node->wpos);
        tr_assert(node->wpos <= node->cap);
        tr_assert(node->blob_pos <= node->blob_end);
        if (node->blob != NULL) tr_assert(node->blob_end <= node->blob->len);
        else tr_assert(node->blob_end == 0);
        bytes += node_bytes(node);
        memory += node_memory(node);
        count++;
        last = node;
    }
    tr_assert(bytes == q->bytes);
    tr_assert(memory == q->memory);
    tr_assert(count == q->node_count);
    tr_assert(q->failed ? q->tail == NULL : q->tail == last);
    tr_assert(q->pool->spare_count <= TR_OUT_POOL_MAX);
}
