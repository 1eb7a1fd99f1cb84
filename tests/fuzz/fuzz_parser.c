/* However a stream of bytes is cut and wherever its pieces lie, the parser yields the same
 * commands and the same end as for the whole stream, authenticated or not; losing an allocation
 * gives no other outcome than TR_ENOMEM; and nothing stays allocated. */
#include "custom_mutator.h"
#include "parser_run.h"

#define BYTEWISE_MAX 300 /* longer inputs are not fed byte by byte */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What chunk sizes and failures are drawn from: the bytes alone, so that a file replays. */
static uint64_t seed_of(const uint8_t *data, size_t size) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ data[i]) * 1099511628211u;
    return hash;
}

static void check_same(tr_mem *mem, const pr_feed *feed, const pr_text *want, size_t want_bytes) {
    pr_text got = {0};
    size_t bytes = 0;
    pr_run(mem, feed, &got, &bytes);
    tr_assert(mem->used == 0);
    tr_assert(got.len == want->len && memcmp(got.at, want->at, want->len) == 0);
    tr_assert(bytes == want_bytes);
    free(got.at);
}

/* All that came before the lost allocation must be right. */
static void check_no_memory(pr_feed feed, const pr_text *want, uint64_t nth) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_mem_fail_at(&mem, nth);
    pr_text got = {0};
    int rc = pr_run(&mem, &feed, &got, NULL);
    tr_assert(mem.used == 0);
    tr_assert(rc == TR_ENOMEM || mem.fail_count == 0 || want->at[want->len - 1] == '~');
    size_t same = rc == TR_ENOMEM ? got.len - 1 : got.len;
    tr_assert(same <= want->len && memcmp(got.at, want->at, same) == 0);
    free(got.at);
}

static void check_all_ways(const uint8_t *data, size_t size, int unauthenticated) {
    tr_mem mem;
    tr_mem_init(&mem);
    uint64_t seed = seed_of(data, size);
    pr_text want = {0};
    size_t bytes = 0;
    pr_feed feed = {.data = data, .len = size, .step = INT32_MAX, .limits = pr_limits()};
    feed.limits.bulk_max = 1 << 20; /* so that no input makes the runs reserve more */
    feed.limits.unauthenticated = unauthenticated;
    pr_run(&mem, &feed, &want, &bytes);
    tr_assert(mem.used == 0);
    check_no_memory(feed, &want, 1 + seed % 5);

    feed.seed = seed;
    feed.wants = 1;
    feed.step = size < 64 ? -8 : -(int64_t)(size / 8);
    check_same(&mem, &feed, &want, bytes);
    feed.wants = 0;
    feed.rebases = 1;
    feed.first = size == 0 ? 0 : 1 + (size_t)(seed % size);
    feed.step = INT32_MAX;
    check_same(&mem, &feed, &want, bytes);
    feed.wants = 1;
    feed.step = size <= BYTEWISE_MAX ? 1 : (int64_t)(size / 3);
    check_same(&mem, &feed, &want, bytes);
    free(want.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_all_ways(data, size, 0);
    check_all_ways(data, size, 1);
    return 0;
}
