/* Aim: what is appended is read in order, whatever was consumed and moved in between. Method:
 * random steps against a counter (byte i of the stream is a function of i), with and without
 * memory; then each path of reserve once. */
#include "base/buf.h"

#include "base/err.h"
#include "base/rng.h"
#include "check.h"

static char byte_at(uint64_t i) {
    return (char)(i * 131 ^ i >> 7);
}

static int unread_is(const tr_buf *b, uint64_t first) {
    for (size_t i = b->rpos; i < b->wpos; i++) {
        if (b->data[i] != byte_at(first + (i - b->rpos))) return 0;
    }
    return b->rpos <= b->wpos && b->wpos <= b->cap;
}

static void run_random(uint64_t seed, unsigned fail_of_100) {
    tr_mem mem;
    tr_buf b = {0};
    tr_rng rng = {.state = seed};
    uint64_t written = 0;
    uint64_t consumed = 0;
    tr_mem_init(&mem);
    for (int i = 0; i < 5000; i++) {
        char piece[3000];
        size_t n = (size_t)tr_rng_below(&rng, tr_rng_below(&rng, 10) == 0 ? sizeof(piece) : 200);
        if (tr_rng_below(&rng, 2) == 0) {
            n = n < tr_buf_unread(&b) ? n : tr_buf_unread(&b);
            b.rpos += n;
            consumed += n;
        } else {
            for (size_t k = 0; k < n; k++) piece[k] = byte_at(written + k);
            tr_buf before = b;
            tr_mem_fail_at(&mem, tr_rng_below(&rng, 100) < fail_of_100);
            int rc = tr_buf_append(&mem, &b, piece, n);
            tr_mem_fail_at(&mem, 0);
            CHECK(rc == TR_OK || (rc == TR_ENOMEM && memcmp(&b, &before, sizeof(b)) == 0));
            if (rc == TR_OK) written += n;
        }
        CHECK_EQ_INT(tr_buf_unread(&b), written - consumed);
        CHECK(unread_is(&b, consumed));
    }
    CHECK(written > 100000);
    CHECK_EQ_INT(fail_of_100 > 0, mem.fail_count > 0);
    tr_buf_release(&mem, &b);
    CHECK_EQ_INT(mem.used, 0);
    CHECK(b.data == NULL && b.cap == 0 && b.rpos == 0 && b.wpos == 0);
}

static void test_random_steps(void) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run_random(seed, 0);
        run_random(seed, 50);
    }
}

static void test_reserve_moves_before_it_grows(void) {
    tr_mem mem;
    tr_buf b = {0};
    tr_mem_init(&mem);
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, 0), TR_OK);
    CHECK(b.data == NULL);
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, 1), TR_OK);
    CHECK(tr_buf_room(&b) >= 1);
    size_t cap = b.cap;
    memset(b.data, 'a', cap);
    b.wpos = cap;
    b.rpos = cap - 10;
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, cap - 10), TR_OK);
    CHECK_EQ_INT(mem.alloc_count, 1);
    CHECK_EQ_INT(b.rpos, 0);
    CHECK_EQ_INT(tr_buf_unread(&b), 10);
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, cap - 9), TR_OK); /* one byte too many for that */
    CHECK_EQ_INT(mem.alloc_count, 2);
    CHECK(b.cap >= cap + 1);
    CHECK_EQ_INT(tr_buf_unread(&b), 10);
    CHECK_EQ_MEM(b.data, 10, "aaaaaaaaaa", 10);
    tr_buf_release(&mem, &b);
}

/* A full buffer of which little was consumed gets room for many more bytes, not for one at the
 * price of a copy. */
static void test_moves_are_worth_it(void) {
    tr_mem mem;
    tr_buf b = {0};
    tr_mem_init(&mem);
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, 1000), TR_OK);
    b.wpos = b.cap;
    memset(b.data, 'b', b.cap);
    b.rpos = 1;
    size_t unread = tr_buf_unread(&b);
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, 1), TR_OK);
    CHECK(tr_buf_room(&b) >= unread / 2);
    tr_buf_release(&mem, &b);
}

static void test_absurd_size(void) {
    tr_mem mem;
    tr_buf b = {0};
    tr_mem_init(&mem);
    CHECK_EQ_INT(tr_buf_append(&mem, &b, "abc", 3), TR_OK);
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, SIZE_MAX), TR_ENOMEM);
    CHECK_EQ_INT(tr_buf_reserve(&mem, &b, TR_ALLOC_MAX), TR_ENOMEM);
    CHECK_EQ_MEM(b.data + b.rpos, tr_buf_unread(&b), "abc", 3);
    tr_buf_release(&mem, &b);
    CHECK_EQ_INT(mem.used, 0);
}

int main(void) {
    RUN(test_random_steps);
    RUN(test_reserve_moves_before_it_grows);
    RUN(test_moves_are_worth_it);
    RUN(test_absurd_size);
    return CHECK_DONE();
}
