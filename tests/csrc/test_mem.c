/* Aim: the account is exact, failures are counted and change nothing. Method: each path once, then
 * a random mix against the sum of what is alive. */
#include "base/mem.h"

#include "base/rng.h"
#include "check.h"

static void test_counts_what_is_alive(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    char *p = tr_alloc(&mem, 100);
    CHECK(p != NULL && tr_mem_usable(p) >= 100);
    CHECK_EQ_INT(mem.used, tr_mem_size(p));
    CHECK_EQ_INT(tr_mem_size(p), tr_mem_usable(p) + sizeof(size_t));
    memset(p, 1, tr_mem_usable(p));
    unsigned char *z = tr_zalloc(&mem, 1000);
    CHECK(z != NULL);
    for (int i = 0; i < 1000; i++) CHECK_EQ_INT(z[i], 0);
    CHECK_EQ_INT(mem.used, tr_mem_size(p) + tr_mem_size(z));
    CHECK_EQ_INT(mem.alloc_count, 2);
    tr_mem_note_peak(&mem);
    size_t peak = mem.used;
    tr_free(&mem, p);
    tr_free(&mem, z);
    tr_free(&mem, NULL);
    tr_mem_note_peak(&mem);
    CHECK_EQ_INT(mem.used, 0);
    CHECK_EQ_INT(mem.peak, peak);
    CHECK_EQ_INT(mem.free_count, 2);
}

static void test_nothing_is_something(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    void *p = tr_alloc(&mem, 0);
    void *z = tr_zalloc(&mem, 0);
    CHECK(p != NULL && z != NULL && p != z);
    p = tr_realloc(&mem, p, 0);
    CHECK(p != NULL);
    tr_free(&mem, p);
    tr_free(&mem, z);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_realloc(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    char *p = tr_realloc(&mem, NULL, 10);
    CHECK(p != NULL);
    CHECK_EQ_INT(mem.alloc_count, 1);
    memcpy(p, "0123456789", 10);
    p = tr_realloc(&mem, p, 100000);
    CHECK_EQ_MEM(p, 10, "0123456789", 10);
    CHECK_EQ_INT(mem.used, tr_mem_size(p));
    p = tr_realloc(&mem, p, 5);
    CHECK_EQ_MEM(p, 5, "01234", 5);
    CHECK_EQ_INT(mem.used, tr_mem_size(p));
    tr_free(&mem, p);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_made_to_fail(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    char *p = tr_alloc(&mem, 10);
    size_t used = mem.used;
    tr_mem_fail_at(&mem, 1);
    CHECK(tr_alloc(&mem, 1) == NULL);
    tr_mem_fail_at(&mem, 1);
    CHECK(tr_zalloc(&mem, 1) == NULL);
    tr_mem_fail_at(&mem, 1);
    CHECK(tr_realloc(&mem, p, 100) == NULL); /* p is still ours */
    tr_mem_fail_at(&mem, 1);
    CHECK(tr_realloc(&mem, NULL, 100) == NULL);
    CHECK_EQ_INT(mem.fail_count, 4);
    CHECK_EQ_INT(mem.used, used);
    CHECK_EQ_INT(mem.alloc_count, 1);
    tr_mem_fail_at(&mem, 3);
    void *a = tr_alloc(&mem, 1);
    void *b = tr_alloc(&mem, 1);
    CHECK(a != NULL && b != NULL && tr_alloc(&mem, 1) == NULL);
    void *c = tr_alloc(&mem, 1);
    CHECK(c != NULL); /* only that one */
    tr_mem_fail_at(&mem, 1);
    tr_mem_fail_at(&mem, 0);
    void *d = tr_alloc(&mem, 1);
    CHECK(d != NULL);
    tr_free(&mem, a);
    tr_free(&mem, b);
    tr_free(&mem, c);
    tr_free(&mem, d);
    tr_free(&mem, p);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_made_to_fail_again_and_again(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_mem_fail_every(&mem, 3);
    for (int i = 1; i <= 9; i++) {
        void *p = tr_alloc(&mem, 1);
        CHECK((p == NULL) == (i % 3 == 0));
        tr_free(&mem, p);
    }
    CHECK_EQ_INT(mem.fail_count, 3);
    tr_mem_fail_at(&mem, 1);
    CHECK(tr_alloc(&mem, 1) == NULL);
    void *last = tr_alloc(&mem, 1);
    CHECK(last != NULL);
    tr_free(&mem, last);
}

static void test_absurd_sizes(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    void *p = tr_alloc(&mem, 1);
    CHECK(tr_alloc(&mem, TR_ALLOC_MAX + 1) == NULL);
    CHECK(tr_zalloc(&mem, SIZE_MAX) == NULL);
    CHECK(tr_realloc(&mem, p, SIZE_MAX) == NULL);
    CHECK_EQ_INT(mem.fail_count, 3);
    tr_free(&mem, p);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_random_mix(void) {
    tr_mem mem;
    tr_rng rng = {.state = 1};
    void *alive[64] = {0};
    tr_mem_init(&mem);
    for (int i = 0; i < 20000; i++) {
        void **p = &alive[tr_rng_below(&rng, 64)];
        size_t size = (size_t)tr_rng_below(&rng, 5000);
        uint64_t kind = tr_rng_below(&rng, 4);
        if (kind == 0) {
            tr_free(&mem, *p);
            *p = NULL;
        } else if (kind == 1 && *p == NULL) {
            *p = tr_zalloc(&mem, size);
        } else {
            *p = tr_realloc(&mem, *p, size);
        }
        if (i % 50 != 0) continue;
        size_t sum = 0;
        for (int k = 0; k < 64; k++) sum += alive[k] != NULL ? tr_mem_size(alive[k]) : 0;
        CHECK_EQ_INT(mem.used, sum);
    }
    for (int k = 0; k < 64; k++) tr_free(&mem, alive[k]);
    CHECK_EQ_INT(mem.used, 0);
    CHECK_EQ_INT(mem.alloc_count, mem.free_count);
}

/* Process-wide: what was freed goes back, and nobody's account changes. */
static void test_trim_and_describe(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    void *p = tr_alloc(&mem, 100);
    size_t used = mem.used;
    tr_mem_trim();
    char text[65536];
    size_t len = tr_mem_describe(text, sizeof(text));
    CHECK(len > 20 && len <= sizeof(text));
#ifdef __GLIBC__
    CHECK(memcmp(text, "<malloc", 7) == 0);
    CHECK(memcmp(text + len - 10, "</malloc>\n", 10) == 0);
#endif
    char shorter[80]; /* too small for the truth: says so instead of half of it */
    len = tr_mem_describe(shorter, sizeof(shorter));
    CHECK_EQ_MEM(shorter, len, "The allocator does not tell", 27);
    CHECK_EQ_INT(mem.used, used);
    tr_free(&mem, p);
}

int main(void) {
    RUN(test_counts_what_is_alive);
    RUN(test_nothing_is_something);
    RUN(test_realloc);
    RUN(test_made_to_fail);
    RUN(test_made_to_fail_again_and_again);
    RUN(test_absurd_sizes);
    RUN(test_random_mix);
    RUN(test_trim_and_describe);
    return CHECK_DONE();
}
