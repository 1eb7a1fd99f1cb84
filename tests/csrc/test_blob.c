/* Aim: a blob lives as long as its last share, and growing keeps its bytes. Method: each path once,
 * with and without memory. */
#include "base/blob.h"

#include "check.h"

static void test_new(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_blob *blob = tr_blob_new(&mem, "hello", 5, 0);
    CHECK_EQ_MEM(blob->data, blob->len, "hello", 5);
    CHECK_EQ_INT(blob->refs, 1);
    CHECK(blob->cap >= 5);
    tr_blob *roomy = tr_blob_new(&mem, "hello", 5, 1000);
    CHECK_EQ_MEM(roomy->data, roomy->len, "hello", 5);
    CHECK(roomy->cap >= 1000);
    tr_blob *empty = tr_blob_new(&mem, NULL, 0, 0);
    CHECK_EQ_INT(empty->len, 0);
    tr_blob *raw = tr_blob_new(&mem, NULL, 300, 0);
    CHECK_EQ_INT(raw->len, 300);
    memset(raw->data, 7, raw->cap); /* all of cap may be written */
    tr_blob_drop(&mem, blob);
    tr_blob_drop(&mem, roomy);
    tr_blob_drop(&mem, empty);
    tr_blob_drop(&mem, raw);
    tr_blob_drop(&mem, NULL);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_shares(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_blob *blob = tr_blob_new(&mem, "x", 1, 0);
    CHECK(tr_blob_share(blob) == blob);
    CHECK(tr_blob_share(blob) == blob);
    CHECK_EQ_INT(blob->refs, 3);
    tr_blob_drop(&mem, blob);
    tr_blob_drop(&mem, blob);
    CHECK_EQ_INT(blob->refs, 1);
    CHECK_EQ_MEM(blob->data, blob->len, "x", 1);
    CHECK(mem.used > 0);
    tr_blob_drop(&mem, blob);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_grow(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_blob *blob = tr_blob_new(&mem, "abc", 3, 0);
    CHECK(tr_blob_grow(&mem, blob, blob->cap) == blob);
    CHECK_EQ_INT(mem.alloc_count, 1);
    blob = tr_blob_grow(&mem, blob, 100000);
    CHECK(blob->cap >= 100000);
    CHECK_EQ_MEM(blob->data, blob->len, "abc", 3);
    CHECK_EQ_INT(blob->refs, 1);
    memset(blob->data, 1, blob->cap);
    CHECK(tr_blob_grow(&mem, blob, 10) == blob); /* never smaller */
    CHECK(blob->cap >= 100000);
    tr_blob_drop(&mem, blob);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_no_memory(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_mem_fail_at(&mem, 1);
    CHECK(tr_blob_new(&mem, "abc", 3, 0) == NULL);
    CHECK(tr_blob_new(&mem, NULL, 0, SIZE_MAX) == NULL);
    CHECK(tr_blob_new(&mem, NULL, 0, TR_ALLOC_MAX) == NULL);
    CHECK_EQ_INT(mem.used, 0);
    tr_blob *blob = tr_blob_new(&mem, "abc", 3, 0);
    size_t used = mem.used;
    size_t cap = blob->cap;
    tr_mem_fail_at(&mem, 1);
    CHECK(tr_blob_grow(&mem, blob, 5000) == NULL);
    CHECK(tr_blob_grow(&mem, blob, SIZE_MAX) == NULL);
    CHECK_EQ_MEM(blob->data, blob->len, "abc", 3);
    CHECK_EQ_INT(blob->cap, cap);
    CHECK_EQ_INT(mem.used, used);
    tr_blob_drop(&mem, blob);
    CHECK_EQ_INT(mem.used, 0);
}

int main(void) {
    RUN(test_new);
    RUN(test_shares);
    RUN(test_grow);
    RUN(test_no_memory);
    return CHECK_DONE();
}
