/* Aim: each reply has exactly the bytes of its protocol version, wherever the chunks break.
 * Method: a table of calls with both texts; then gaps, shared values, chunk edges, and every
 * allocation failing once. */
#include "resp/writer.h"

#include <math.h>

#include "base/num.h"
#include "check.h"
#include "out_bytes.h"

typedef struct bench {
    tr_mem mem;
    tr_out_pool pool;
    tr_outq q;
    tr_writer w;
} bench;

static void bench_init(bench *b, int proto) {
    tr_mem_init(&b->mem);
    tr_out_pool_init(&b->pool, &b->mem);
    tr_outq_init(&b->q, &b->pool);
    b->w = (tr_writer){.q = &b->q, .proto = proto};
}

static void bench_release(bench *b) {
    tr_outq_clear(&b->q);
    tr_out_pool_release(&b->pool);
    CHECK_EQ_INT(b->mem.used, 0);
}

/* What was written so far; empties the queue. */
static void expect(bench *b, const char *want, size_t want_len) {
    tr_outq_check(&b->q);
    CHECK_EQ_INT(b->q.failed, 0);
    out_bytes out = out_bytes_get(&b->q);
    CHECK_EQ_MEM(out.at, out.len, want, want_len);
    if (out.len != want_len || memcmp(out.at, want, want_len) != 0) {
        fprintf(stderr, "  got:  %s\n  want: %s\n", out.at, want);
    }
    free(out.at);
    tr_outq_consume(&b->q, b->q.bytes);
}

#define EXPECT(b, text) expect(b, text, sizeof(text) - 1)

/* The call under both protocols. */
#define BOTH(call, resp2, resp3)                                                                   \
    do {                                                                                           \
        bench b;                                                                                   \
        tr_writer *w = &b.w;                                                                       \
        bench_init(&b, 2);                                                                         \
        call;                                                                                      \
        EXPECT(&b, resp2);                                                                         \
        w->proto = 3;                                                                              \
        call;                                                                                      \
        EXPECT(&b, resp3);                                                                         \
        bench_release(&b);                                                                         \
    } while (0)
#define SAME(call, text) BOTH(call, text, text)

static void test_lines(void) {
    SAME(tr_w_ok(w), "+OK\r\n");
    SAME(tr_w_simple(w, "PONG", 4), "+PONG\r\n");
    SAME(tr_w_simple(w, "", 0), "+\r\n");
    SAME(tr_w_simple(w, "a\rb\nc", 5), "+a b c\r\n");
    SAME(tr_w_error(w, "ERR no", 6), "-ERR no\r\n");
    SAME(tr_w_error(w, "ERR \r\n\0x\n", 9), "-ERR   \0x \r\n");
    SAME(tr_w_errorf(w, "ERR %s", "no"), "-ERR no\r\n");
    SAME(tr_w_errorf(w, "ERR %s", "a\nb\r\n\n"), "-ERR a b\r\n");
    SAME(tr_w_errorf(w, "%s", "\r\n"), "-\r\n");
    SAME(tr_w_errorf(w, "%s%c%d", "ERR '", 0, 7), "-ERR '\0007\r\n");
}

static void test_numbers(void) {
    static const int64_t numbers[] = {0, 1, 9, 10, 11, 99, 100, 101, 12345, 1000000, INT32_MAX,
                                      INT64_MAX, INT64_MIN, -1, -9, -10, -99, -100};
    bench b;
    bench_init(&b, 2);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char digits[TR_INT_TEXT + 1], want[64];
        int n = snprintf(digits, sizeof(digits), "%lld", (long long)numbers[i]);
        tr_w_int(&b.w, numbers[i]);
        expect(&b, want, (size_t)snprintf(want, sizeof(want), ":%s\r\n", digits));
        tr_w_bulk_int(&b.w, numbers[i]);
        expect(&b, want, (size_t)snprintf(want, sizeof(want), "$%d\r\n%s\r\n", n, digits));
        if (numbers[i] < 0) continue;
        tr_w_array(&b.w, (size_t)numbers[i]);
        expect(&b, want, (size_t)snprintf(want, sizeof(want), "*%s\r\n", digits));
    }
    bench_release(&b);
}

static void test_scalars(void) {
    BOTH(tr_w_double(w, 1.5), "$3\r\n1.5\r\n", ",1.5\r\n");
    BOTH(tr_w_double(w, 3), "$1\r\n3\r\n", ",3\r\n");
    BOTH(tr_w_double(w, INFINITY), "$3\r\ninf\r\n", ",inf\r\n");
    BOTH(tr_w_double(w, -INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
    BOTH(tr_w_bool(w, 1), ":1\r\n", "#t\r\n");
    BOTH(tr_w_bool(w, 0), ":0\r\n", "#f\r\n");
    BOTH(tr_w_bool(w, -7), ":1\r\n", "#t\r\n");
    BOTH(tr_w_bignum(w, "123456789012345678901234567890", 30),
         "$30\r\n123456789012345678901234567890\r\n", "(123456789012345678901234567890\r\n");
}

static void test_bulks(void) {
    SAME(tr_w_bulk(w, "value", 5), "$5\r\nvalue\r\n");
    SAME(tr_w_bulk(w, "", 0), "$0\r\n\r\n");
    SAME(tr_w_bulk(w, NULL, 0), "$0\r\n\r\n");
    SAME(tr_w_bulk(w, "\r\n\0", 3), "$3\r\n\r\n\0\r\n");
    SAME(tr_w_bulk(w, "0123456789", 10), "$10\r\n0123456789\r\n");
    SAME(tr_w_cstr(w, "text"), "$4\r\ntext\r\n");
    SAME(tr_w_cstr(w, ""), "$0\r\n\r\n");
    SAME(tr_w_raw(w, ":1\r\n", 4), ":1\r\n");
    SAME(tr_w_raw(w, NULL, 0), "");
    BOTH(tr_w_null(w), "$-1\r\n", "_\r\n");
    BOTH(tr_w_null_array(w), "*-1\r\n", "_\r\n");
    BOTH(tr_w_verbatim(w, "txt", "Some string", 11), "$11\r\nSome string\r\n",
         "=15\r\ntxt:Some string\r\n");
    BOTH(tr_w_verbatim(w, "a", "", 0), "$0\r\n\r\n", "=4\r\na  :\r\n");
    BOTH(tr_w_verbatim(w, "markdown", "x", 1), "$1\r\nx\r\n", "=5\r\nmar:x\r\n");
}

static void test_aggregates(void) {
    SAME(tr_w_array(w, 0), "*0\r\n");
    SAME(tr_w_array(w, 10), "*10\r\n");
    BOTH(tr_w_map(w, 0), "*0\r\n", "%0\r\n");
    BOTH(tr_w_map(w, 7), "*14\r\n", "%7\r\n");
    BOTH(tr_w_set(w, 3), "*3\r\n", "~3\r\n");
    BOTH(tr_w_push(w, 3), "*3\r\n", ">3\r\n");
    bench b;
    bench_init(&b, 2);
    CHECK(!tr_w_wants_attr(&b.w));
    b.w.proto = 3;
    CHECK(tr_w_wants_attr(&b.w));
    tr_w_attr(&b.w, 1);
    EXPECT(&b, "|1\r\n");
    bench_release(&b);
}

static void deferred(tr_writer *w, char kind, size_t count) {
    tr_w_gap gap = tr_w_defer(w);
    for (size_t i = 0; i < count; i++) tr_w_int(w, (int64_t)i);
    tr_w_defer_end(w, gap, kind, kind == '%' ? count / 2 : count);
}

static void nested(tr_writer *w) {
    tr_w_ok(w);
    tr_w_gap outer = tr_w_defer(w);
    deferred(w, '~', 0);
    tr_w_gap inner = tr_w_defer(w);
    tr_w_cstr(w, "k");
    deferred(w, '*', 1);
    tr_w_defer_end(w, inner, '%', 1);
    tr_w_defer_end(w, outer, '>', 2);
    tr_w_ok(w);
}

static void test_gaps(void) {
    SAME(deferred(w, '*', 0), "*0\r\n");
    SAME(deferred(w, '*', 2), "*2\r\n:0\r\n:1\r\n");
    BOTH(deferred(w, '~', 1), "*1\r\n:0\r\n", "~1\r\n:0\r\n");
    BOTH(deferred(w, '>', 1), "*1\r\n:0\r\n", ">1\r\n:0\r\n");
    BOTH(deferred(w, '%', 2), "*2\r\n:0\r\n:1\r\n", "%1\r\n:0\r\n:1\r\n");
    SAME(deferred(w, '*', 11),
         "*11\r\n:0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n");
    BOTH(nested(w), "+OK\r\n*2\r\n*0\r\n*2\r\n$1\r\nk\r\n*1\r\n:0\r\n+OK\r\n",
         "+OK\r\n>2\r\n~0\r\n%1\r\n$1\r\nk\r\n*1\r\n:0\r\n+OK\r\n");
}

/* A gap at every distance from a chunk's end, with contents that go on in further nodes. */
static void test_gap_edges(void) {
    bench b;
    bench_init(&b, 3);
    tr_blob *blob = tr_blob_new(&b.mem, NULL, TR_SHARE_MIN, 0);
    memset(blob->data, 'b', blob->len);
    char *want = malloc(200000);
    char filler[TR_OUT_CHUNK];
    tr_assert(want != NULL);
    memset(filler, 'f', sizeof(filler));
    for (size_t left = 0; left < 60; left++) {
        size_t n = sizeof(filler) - left;
        tr_w_raw(&b.w, filler, n);
        tr_w_gap gap = tr_w_defer(&b.w);
        tr_w_bulk(&b.w, filler, 3);
        tr_w_bulk_blob(&b.w, blob, 0, blob->len);
        tr_w_gap inner = tr_w_defer(&b.w); /* in the room of the blob's node */
        tr_w_int(&b.w, 123);
        tr_w_defer_end(&b.w, inner, '~', 1);
        tr_w_bulk(&b.w, filler, 5000);
        tr_w_defer_end(&b.w, gap, '*', 4);
        memcpy(want, filler, n);
        int k = snprintf(want + n, 100000,
                         "*4\r\n$3\r\nfff\r\n$8192\r\n%.*s\r\n~1\r\n:123\r\n$5000\r\n",
                         (int)blob->len, blob->data);
        n += (size_t)k;
        memset(want + n, 'f', 5000);
        memcpy(want + n + 5000, "\r\n", 3);
        expect(&b, want, n + 5002);
    }
    CHECK_EQ_INT(blob->refs, 1);
    tr_blob_drop(&b.mem, blob);
    free(want);
    bench_release(&b);
}

/* Bulks of all interesting sizes at all interesting places: copied, split, or shared. */
static void test_edges(void) {
    static const size_t sizes[] = {0, 1, 9, 10, 99, 100, 999, 1000, TR_SHARE_MIN - 1, TR_SHARE_MIN,
                                   TR_SHARE_MIN + 1, TR_OUT_CHUNK, TR_OUT_CHUNK + 1, 100000};
    bench b;
    bench_init(&b, 3);
    tr_blob *blob = tr_blob_new(&b.mem, NULL, 100001, 0);
    for (size_t i = 0; i < blob->len; i++) blob->data[i] = (char)('a' + i % 23);
    char *want = malloc(400000);
    tr_assert(want != NULL);
    for (size_t left = 0; left < 50; left++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            size_t n = TR_OUT_CHUNK - left;
            tr_w_raw(&b.w, blob->data, n);
            memcpy(want, blob->data, n);
            for (int kind = 0; kind < 3; kind++) {
                if (kind == 0) tr_w_bulk(&b.w, blob->data + 1, sizes[i]);
                if (kind == 1) tr_w_bulk_blob(&b.w, blob, 1, sizes[i]);
                if (kind == 2) tr_w_verbatim(&b.w, "txt", blob->data + 1, sizes[i]);
                n += (size_t)snprintf(want + n, 64, kind == 2 ? "=%zu\r\ntxt:" : "$%zu\r\n",
                                      sizes[i] + (kind == 2 ? 4 : 0));
                memcpy(want + n, blob->data + 1, sizes[i]);
                n += sizes[i];
                memcpy(want + n, "\r\n", 2);
                n += 2;
                tr_w_ok(&b.w);
                memcpy(want + n, "+OK\r\n", 5);
                n += 5;
            }
            CHECK_EQ_INT(blob->refs, sizes[i] < TR_SHARE_MIN ? 1 : 2);
            expect(&b, want, n);
            CHECK_EQ_INT(blob->refs, 1);
        }
    }
    tr_blob_drop(&b.mem, blob);
    free(want);
    bench_release(&b);
}

/* A row of shared values costs no chunks. */
static void test_shared_row(void) {
    bench b;
    bench_init(&b, 2);
    tr_blob *blob = tr_blob_new(&b.mem, NULL, 10000, 0);
    memset(blob->data, 'x', blob->len);
    tr_w_array(&b.w, 50);
    for (int i = 0; i < 50; i++) tr_w_bulk_blob(&b.w, blob, 0, 10000);
    CHECK_EQ_INT(b.q.node_count, 51);
    CHECK(tr_outq_memory(&b.q) < 50 * 10000 + TR_OUT_CHUNK + 51 * 200);
    tr_blob_drop(&b.mem, blob);
    bench_release(&b);
}

static void test_long_errors(void) {
    bench b;
    bench_init(&b, 2);
    for (size_t len = 250; len < 270; len++) {
        char text[300], want[320];
        memset(text, 'e', len);
        text[len - 1] = '\0';
        tr_w_errorf(&b.w, "%s\n", text);
        expect(&b, want, (size_t)snprintf(want, sizeof(want), "-%s\r\n", text));
    }
    bench_release(&b);
}

static void write_everything(tr_writer *w, tr_blob *blob) {
    char long_text[400];
    memset(long_text, 'l', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    tr_w_gap gap = tr_w_defer(w);
    for (int i = 0; i < 60; i++) {
        tr_w_ok(w);
        tr_w_simple(w, "PONG", 4);
        tr_w_error(w, "ERR no", 6);
        tr_w_errorf(w, "ERR %d", i);
        tr_w_errorf(w, "ERR %s", long_text);
        tr_w_int(w, i % 10);
        tr_w_int(w, i * 1000);
        tr_w_bulk(w, long_text, 100);
        tr_w_bulk(w, blob->data, blob->len);
        tr_w_bulk_blob(w, blob, 0, 100);
        tr_w_bulk_blob(w, blob, 0, blob->len);
        tr_w_bulk_int(w, i);
        tr_w_cstr(w, long_text);
        tr_w_null(w);
        tr_w_null_array(w);
        tr_w_array(w, 1);
        tr_w_map(w, 1);
        tr_w_set(w, 1);
        tr_w_push(w, 1);
        tr_w_double(w, 1.5);
        tr_w_bool(w, 1);
        tr_w_bignum(w, "12", 2);
        tr_w_verbatim(w, "txt", long_text, 200);
        tr_w_raw(w, ":1\r\n", 4);
        tr_w_gap inner = tr_w_defer(w);
        tr_w_defer_end(w, inner, '%', 1);
    }
    tr_w_defer_end(w, gap, '*', 60);
}

/* The n-th allocation fails, for every n: failed is set, all later calls do nothing, nothing
 * leaks. */
static void test_no_memory(void) {
    for (int proto = 2; proto <= 3; proto++) {
        int failed = 1;
        uint64_t nth = 0;
        for (; failed; nth++) {
            bench b;
            bench_init(&b, proto);
            tr_blob *blob = tr_blob_new(&b.mem, NULL, 9000, 0);
            memset(blob->data, 'b', blob->len);
            if (nth > 0) tr_mem_fail_at(&b.mem, nth);
            else tr_outq_fail(&b.q);
            write_everything(&b.w, blob);
            failed = b.q.failed;
            CHECK_EQ_INT(b.mem.fail_count, nth > 0 && failed);
            tr_outq_check(&b.q);
            size_t bytes = b.q.bytes;
            tr_mem_fail_at(&b.mem, 0);
            if (failed) write_everything(&b.w, blob);
            if (failed) CHECK_EQ_INT(b.q.bytes, bytes);
            tr_outq_clear(&b.q);
            CHECK_EQ_INT(blob->refs, 1);
            tr_blob_drop(&b.mem, blob);
            bench_release(&b);
        }
        CHECK(nth > 100);
    }
}

int main(void) {
    RUN(test_lines);
    RUN(test_numbers);
    RUN(test_scalars);
    RUN(test_bulks);
    RUN(test_aggregates);
    RUN(test_gaps);
    RUN(test_gap_edges);
    RUN(test_edges);
    RUN(test_shared_row);
    RUN(test_long_errors);
    RUN(test_no_memory);
    return CHECK_DONE();
}
