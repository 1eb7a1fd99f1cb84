/* Aim: what goes in comes out, in order, whatever mix of copies, reservations, shares, splices
 * and partial sends; and memory is counted, pooled and given back. Method: random steps against
 * one flat byte string; then single facts. */
#include "base/outq.h"

#include "base/rng.h"
#include "check.h"
#include "out_bytes.h"

#define FLAT_MAX (4 << 20)

/* The stupid truth: all bytes in one row. */
typedef struct flat {
    char *at;
    size_t len;
} flat;

static void flat_add(flat *f, const void *p, size_t n) {
    tr_assert(f->len + n <= FLAT_MAX);
    memcpy(f->at + f->len, p, n);
    f->len += n;
}

static void flat_drop(flat *f, size_t n) {
    memmove(f->at, f->at + n, f->len - n);
    f->len -= n;
}

static void same(const tr_outq *q, const flat *f) {
    tr_outq_check(q);
    CHECK_EQ_INT(q->bytes, f->len);
    out_bytes out = out_bytes_get(q);
    CHECK_EQ_MEM(out.at, out.len, f->at, f->len);
    free(out.at);
}

static size_t some_size(tr_rng *rng) {
    static const size_t sizes[] = {1, 5, 60, 64, 65, 300, 5000, TR_OUT_CHUNK - 1, TR_OUT_CHUNK,
                                   TR_OUT_CHUNK + 1, 50000};
    size_t n = sizes[tr_rng_below(rng, sizeof(sizes) / sizeof(sizes[0]))];
    return tr_rng_below(rng, 2) ? n : 1 + (size_t)tr_rng_below(rng, n);
}

static void step(tr_mem *mem, tr_rng *rng, tr_outq *q, flat *f, tr_blob *blob, const char *noise) {
    size_t n = some_size(rng);
    const char *from = noise + tr_rng_below(rng, 1000);
    switch (tr_rng_below(rng, 6)) {
    case 0:
        tr_outq_append(q, from, n);
        flat_add(f, from, n);
        break;
    case 1: {
        char *at = tr_outq_reserve(q, n);
        CHECK(at != NULL);
        size_t used = (size_t)tr_rng_below(rng, n + 1);
        memcpy(at, from, used);
        tr_outq_commit(q, used);
        flat_add(f, from, used);
        break;
    }
    case 2: {
        size_t off = (size_t)tr_rng_below(rng, blob->len), len = some_size(rng);
        if (len > blob->len - off) len = blob->len - off;
        tr_outq_append_blob(q, blob, off, len);
        flat_add(f, blob->data + off, len);
        break;
    }
    case 3: {
        tr_outq other;
        tr_outq_init(&other, q->pool);
        tr_outq_append(&other, from, n);
        if (tr_rng_below(rng, 2)) tr_outq_append_blob(&other, blob, 0, 1);
        flat_add(f, from, n);
        if (other.bytes > n) flat_add(f, blob->data, 1);
        tr_outq_splice(q, &other);
        CHECK(other.head == NULL && other.tail == NULL && other.bytes == 0 && other.memory == 0);
        break;
    }
    case 4:
        n = (size_t)tr_rng_below(rng, 2) ? n : q->bytes;
        if (n > q->bytes) n = q->bytes;
        tr_outq_consume(q, n);
        flat_drop(f, n);
        break;
    default:
        tr_outq_consume(q, 0);
        break;
    }
}

static void test_random(void) {
    char *noise = malloc(60000);
    tr_assert(noise != NULL);
    for (int i = 0; i < 60000; i++) noise[i] = (char)(i * 31 + i / 256);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        tr_mem mem;
        tr_mem_init(&mem);
        tr_rng rng = {seed};
        tr_out_pool pool;
        tr_outq q;
        tr_out_pool_init(&pool, &mem);
        tr_outq_init(&q, &pool);
        flat f = {.at = malloc(FLAT_MAX)};
        tr_assert(f.at != NULL);
        tr_blob *blob = tr_blob_new(&mem, noise, 60000, 0);
        int before = check_failures;
        for (int i = 0; i < 400 && check_failures == before; i++) {
            step(&mem, &rng, &q, &f, blob, noise);
            same(&q, &f);
            if (f.len > FLAT_MAX - 200000) {
                tr_outq_clear(&q);
                f.len = 0;
            }
        }
        if (check_failures != before) fprintf(stderr, "  seed %llu\n", (unsigned long long)seed);
        tr_outq_consume(&q, q.bytes);
        CHECK(q.head == NULL && q.tail == NULL && q.memory == 0 && q.node_count == 0);
        CHECK_EQ_INT(blob->refs, 1);
        tr_blob_drop(&mem, blob);
        tr_out_pool_release(&pool);
        CHECK_EQ_INT(mem.used, 0);
        free(f.at);
    }
    free(noise);
}

/* Chunks go back to the pool once empty, the pool is bounded, larger pieces are freed. */
static void test_pool(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_out_pool pool;
    tr_outq q;
    tr_out_pool_init(&pool, &mem);
    tr_outq_init(&q, &pool);
    char *big = calloc(1, (TR_OUT_POOL_MAX + 10) * TR_OUT_CHUNK);
    tr_assert(big != NULL);
    tr_outq_append(&q, "x", 1);
    CHECK_EQ_INT(q.node_count, 1);
    CHECK_EQ_INT(tr_outq_memory(&q), sizeof(tr_out_node) + TR_OUT_CHUNK);
    tr_outq_consume(&q, 1);
    CHECK_EQ_INT(pool.spare_count, 1);
    CHECK_EQ_INT(tr_outq_memory(&q), 0);
    uint64_t allocs = mem.alloc_count;
    tr_outq_append(&q, "y", 1);
    CHECK_EQ_INT(mem.alloc_count, allocs);
    CHECK_EQ_INT(pool.spare_count, 0);
    for (int i = 0; i < TR_OUT_POOL_MAX + 10; i++) {
        CHECK(tr_outq_reserve(&q, TR_OUT_CHUNK) != NULL);
        tr_outq_commit(&q, TR_OUT_CHUNK);
    }
    tr_outq_check(&q);
    tr_outq_clear(&q);
    CHECK_EQ_INT(pool.spare_count, TR_OUT_POOL_MAX);
    tr_outq_append(&q, "z", 1);
    size_t pooled = mem.used;
    tr_outq_append(&q, big, TR_OUT_POOL_MAX * TR_OUT_CHUNK);
    CHECK_EQ_INT(q.node_count, 2); /* the chunk is filled up, the rest is one piece */
    CHECK_EQ_INT(q.tail->cap, TR_OUT_POOL_MAX * TR_OUT_CHUNK - (TR_OUT_CHUNK - 1));
    tr_outq_consume(&q, q.bytes - 1);
    CHECK_EQ_INT(q.node_count, 1);
    tr_outq_consume(&q, 1);
    CHECK_EQ_INT(mem.used, pooled);
    tr_out_pool_release(&pool);
    CHECK_EQ_INT(mem.used, 0);
    tr_outq_append(&q, "a", 1); /* both are usable again */
    tr_outq_clear(&q);
    tr_out_pool_release(&pool);
    CHECK_EQ_INT(mem.used, 0);
    free(big);
}

/* A share keeps its blob alive until its last byte has left; small replies ride in its node. */
static void test_shares(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_out_pool pool;
    tr_outq q;
    tr_out_pool_init(&pool, &mem);
    tr_outq_init(&q, &pool);
    tr_blob *blob = tr_blob_new(&mem, "0123456789", 10, 0);
    tr_outq_append_blob(&q, blob, 3, 0);
    CHECK(q.head == NULL && blob->refs == 1);
    tr_outq_append_blob(&q, blob, 2, 5);
    tr_outq_append(&q, "abc", 3);
    tr_outq_append_blob(&q, blob, 9, 1);
    CHECK_EQ_INT(q.node_count, 2);
    CHECK_EQ_INT(blob->refs, 3);
    CHECK_EQ_INT(tr_outq_memory(&q), 2 * (sizeof(tr_out_node) + TR_OUT_BLOB_ROOM) + 6);
    struct iovec iov[4];
    CHECK_EQ_INT(tr_outq_iov(&q, iov, 4), 3);
    CHECK_EQ_MEM(iov[0].iov_base, iov[0].iov_len, "23456", 5);
    CHECK_EQ_MEM(iov[1].iov_base, iov[1].iov_len, "abc", 3);
    CHECK_EQ_MEM(iov[2].iov_base, iov[2].iov_len, "9", 1);
    CHECK_EQ_INT(tr_outq_iov(&q, iov, 0), 0);
    CHECK_EQ_INT(tr_outq_iov(&q, iov, 1), 1);
    CHECK_EQ_INT(tr_outq_iov(&q, iov, 2), 2);
    tr_outq_consume(&q, 4);
    CHECK_EQ_INT(blob->refs, 3);
    CHECK_EQ_INT(tr_outq_iov(&q, iov, 4), 3);
    CHECK_EQ_MEM(iov[0].iov_base, iov[0].iov_len, "6", 1);
    tr_outq_check(&q);
    tr_outq_consume(&q, 1);
    CHECK_EQ_INT(blob->refs, 2);
    tr_outq_check(&q);
    tr_outq_consume(&q, 2);
    CHECK_EQ_INT(tr_outq_iov(&q, iov, 4), 2);
    CHECK_EQ_MEM(iov[0].iov_base, iov[0].iov_len, "c", 1);
    tr_outq_clear(&q);
    CHECK_EQ_INT(blob->refs, 1);
    tr_blob_drop(&mem, blob);
    tr_out_pool_release(&pool);
    CHECK_EQ_INT(mem.used, 0);
}

/* A small row moves into the room that is left; any other row is linked. */
static void test_splice(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_out_pool pool;
    tr_outq a, b;
    tr_out_pool_init(&pool, &mem);
    tr_outq_init(&a, &pool);
    tr_outq_init(&b, &pool);
    tr_outq_splice(&a, &b);
    CHECK(a.head == NULL && a.tail == NULL);
    tr_outq_append(&b, "one ", 4);
    tr_outq_splice(&a, &b);
    CHECK(a.bytes == 4 && b.head == NULL);
    tr_outq_append(&b, "two ", 4);
    tr_outq_splice(&a, &b);
    CHECK_EQ_INT(a.node_count, 1);
    CHECK(tr_outq_reserve(&a, TR_OUT_CHUNK - 9) != NULL); /* a new chunk that stays empty */
    CHECK_EQ_INT(a.node_count, 1);
    tr_outq_commit(&a, TR_OUT_CHUNK - 9);
    tr_outq_append(&b, "three", 5);
    tr_outq_splice(&a, &b);
    CHECK_EQ_INT(a.node_count, 2);
    tr_outq_check(&a);
    tr_outq_consume(&a, TR_OUT_CHUNK - 1);
    out_bytes out = out_bytes_get(&a);
    CHECK_EQ_STR(out.at, "three");
    free(out.at);
    tr_blob *blob = tr_blob_new(&mem, "four", 4, 0);
    tr_outq_append_blob(&b, blob, 0, 4);
    tr_outq_splice(&a, &b);
    CHECK_EQ_INT(a.node_count, 2);
    out = out_bytes_get(&a);
    CHECK_EQ_STR(out.at, "threefour");
    free(out.at);
    tr_outq_clear(&a);
    tr_blob_drop(&mem, blob);
    tr_out_pool_release(&pool);
    CHECK_EQ_INT(mem.used, 0);
}

/* No memory: failed is sticky, nothing more goes in or out, clear() makes it good. */
static void test_failed(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_out_pool pool;
    tr_outq q, other;
    tr_out_pool_init(&pool, &mem);
    tr_outq_init(&q, &pool);
    tr_outq_init(&other, &pool);
    tr_blob *blob = tr_blob_new(&mem, "0123456789", 10, 0);
    char noise[TR_OUT_CHUNK] = {0};
    for (int kind = 0; kind < 4; kind++) {
        struct iovec iov[4];
        tr_outq_append(&q, noise, 10);
        tr_mem_fail_at(&mem, 1);
        if (kind == 0) tr_outq_append(&q, noise, sizeof(noise));
        if (kind == 1) tr_outq_append_blob(&q, blob, 0, 10);
        if (kind == 2) CHECK(tr_outq_reserve(&q, sizeof(noise)) == NULL);
        if (kind == 3) tr_outq_fail(&q);
        tr_mem_fail_at(&mem, 0);
        CHECK_EQ_INT(q.failed, 1);
        tr_outq_check(&q);
        size_t bytes = q.bytes;
        tr_outq_append(&q, "a", 1);
        tr_outq_append_blob(&q, blob, 0, 1);
        CHECK(tr_outq_reserve(&q, 1) == NULL);
        tr_outq_append(&other, "a", 1);
        tr_outq_splice(&q, &other);
        CHECK(other.head == NULL && !other.failed);
        CHECK_EQ_INT(q.bytes, bytes);
        CHECK_EQ_INT(tr_outq_iov(&q, iov, 4), 0);
        tr_outq_check(&q);
        CHECK_EQ_INT(blob->refs, 1);
        tr_outq_append(&other, "kept", 4);
        tr_outq_splice(&other, &q); /* a hole may not travel */
        CHECK(other.failed && !q.failed && q.head == NULL);
        tr_outq_clear(&other);
        tr_outq_check(&q);
        tr_out_pool_release(&pool);
    }
    CHECK(tr_outq_reserve(&q, TR_ALLOC_MAX) == NULL);
    CHECK_EQ_INT(q.failed, 1);
    tr_outq_clear(&q);
    tr_blob_drop(&mem, blob);
    CHECK_EQ_INT(mem.used, 0);
}

int main(void) {
    RUN(test_random);
    RUN(test_pool);
    RUN(test_shares);
    RUN(test_splice);
    RUN(test_failed);
    return CHECK_DONE();
}
