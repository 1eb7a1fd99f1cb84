/* Aim: a module's memory is counted to the byte, told of when it moved much, and never NULL but where that is said.
 * Method: the counters before and after each call, from several threads too. */
#include <malloc.h>

#include "host_kit.h"
#include "sandbox/host/memory.h"

#define THREADS 4
#define ROUNDS 20000

static uint64_t used(void) {
    return atomic_load(&tr_host_here.used_bytes);
}

static void test_counts(void) {
    uint64_t before = used();
    char *p = tr_rm_Alloc(1000);
    CHECK_EQ_INT(used() - before, malloc_usable_size(p) + sizeof(size_t));
    CHECK_EQ_INT(tr_rm_MallocSize(p), malloc_usable_size(p));
    CHECK_EQ_INT(tr_rm_MallocUsableSize(p), malloc_usable_size(p));
    p[999] = 'x';
    p = tr_rm_Realloc(p, 100000);
    CHECK_EQ_INT(p[999], 'x');
    CHECK_EQ_INT(used() - before, malloc_usable_size(p) + sizeof(size_t));
    uint64_t high = used();
    p = tr_rm_Realloc(p, 10);
    CHECK_EQ_INT(used() - before, malloc_usable_size(p) + sizeof(size_t));
    CHECK(tr_host_here.peak_bytes >= high);
    CHECK(tr_rm_Realloc(p, 0) == NULL);
    CHECK_EQ_INT(used(), before);
    tr_rm_Free(NULL);
    CHECK_EQ_INT(used(), before);
}

static void test_kinds(void) {
    uint64_t before = used();
    char *zeros = tr_rm_Calloc(10, 20);
    for (int i = 0; i < 200; i++) CHECK_EQ_INT(zeros[i], 0);
    char *copy = tr_rm_Strdup("text");
    CHECK_EQ_STR(copy, "text");
    void *empty = tr_rm_Alloc(0), *none = tr_rm_Calloc(0, 8), *first = tr_rm_Realloc(NULL, 5);
    CHECK(empty != NULL && none != NULL && first != NULL);
    tr_rm_Free(zeros);
    tr_rm_Free(copy);
    tr_rm_Free(empty);
    tr_rm_Free(none);
    tr_rm_Free(first);
    CHECK_EQ_INT(used(), before);
}

static void test_tries(void) {
    uint64_t before = used();
    CHECK(tr_rm_TryAlloc(SIZE_MAX) == NULL);
    CHECK(tr_rm_TryAlloc((size_t)1 << 60) == NULL);
    CHECK(tr_rm_TryCalloc(SIZE_MAX / 2, 4) == NULL);
    CHECK(tr_rm_TryCalloc((size_t)1 << 32, (size_t)1 << 32) == NULL);
    char *p = tr_rm_TryAlloc(10);
    p[9] = 'z';
    CHECK(tr_rm_TryRealloc(p, SIZE_MAX - 1) == NULL);
    CHECK_EQ_INT(p[9], 'z');
    p = tr_rm_TryRealloc(p, 20);
    CHECK_EQ_INT(p[9], 'z');
    CHECK(tr_rm_TryRealloc(p, 0) == NULL);
    void *zeros = tr_rm_TryCalloc(3, 3);
    CHECK(zeros != NULL);
    tr_rm_Free(zeros);
    CHECK_EQ_INT(used(), before);
}

static void test_dies(void) {
    CHECK_DIES(TR_DIE_MEMORY, tr_rm_Alloc(SIZE_MAX));
    CHECK_DIES(TR_DIE_MEMORY, tr_rm_Calloc(SIZE_MAX, 2));
    CHECK_DIES(TR_DIE_MEMORY, tr_rm_Realloc(NULL, SIZE_MAX));
    CHECK_DIES(TR_DIE_MEMORY, tr_string_new(NULL, SIZE_MAX));
    RedisModuleCtx ctx = {0};
    CHECK_DIES(TR_DIE_MEMORY, tr_rm_PoolAlloc(&ctx, SIZE_MAX));
}

/* Blocks of another allocator's that a module gives to Free must not make the count a huge number. */
static void test_foreign_blocks(void) {
    CHECK_EQ_INT(used(), 0);
    tr_rm_Free(malloc(100000));
    CHECK_EQ_INT(used(), 0);
}

static void test_tells(void) {
    kit_post_count = 0;
    tr_rm_Free(tr_rm_Alloc(10 * TR_MEMORY_TOLD_BYTES));
    CHECK_EQ_INT(kit_post_count, 0); /* no module is there yet */
    tr_host_here.serving = true;
    void *p = tr_rm_Alloc(TR_MEMORY_TOLD_BYTES);
    CHECK_EQ_INT(kit_post_count, 1);
    CHECK_EQ_INT(kit_post_type, TR_MSG_MEMORY_USED);
    CHECK_EQ_INT(kit_memory_used.used_bytes, used());
    CHECK_EQ_INT(kit_memory_used.peak_bytes, tr_host_here.peak_bytes);
    void *few = tr_rm_Alloc(TR_MEMORY_TOLD_BYTES / 2);
    CHECK_EQ_INT(kit_post_count, 1);
    void *more = tr_rm_Alloc(TR_MEMORY_TOLD_BYTES / 2);
    CHECK_EQ_INT(kit_post_count, 2);
    tr_rm_Free(more);
    CHECK_EQ_INT(kit_post_count, 2);
    tr_rm_Free(p);
    CHECK_EQ_INT(kit_post_count, 3);
    CHECK_EQ_INT(kit_memory_used.used_bytes, used());
    tr_rm_Free(few);
    tr_host_here.serving = false;
}

static void *churn(void *seed) {
    unsigned state = *(unsigned *)seed;
    void *held[8] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        state = state * 1103515245 + 12345;
        void **slot = &held[(state >> 16) % 8];
        *slot = tr_memory_realloc(*slot, (state >> 20) % 3 == 0 ? 0 : 1 + (state >> 18) % 5000);
        if (*slot == NULL && (state & 256) != 0) *slot = tr_memory_alloc(1 + (state >> 18) % 300);
    }
    for (int i = 0; i < 8; i++) tr_memory_free(held[i]);
    return NULL;
}

static void test_threads(void) {
    uint64_t before = used();
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    for (int i = 0; i < THREADS; i++) {
        seeds[i] = (unsigned)i;
        CHECK_EQ_INT(pthread_create(&threads[i], NULL, churn, &seeds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CHECK_EQ_INT(used(), before);
}

static void test_pool(void) {
    uint64_t before = used();
    RedisModuleCtx ctx = {0};
    CHECK(tr_rm_PoolAlloc(&ctx, 0) == NULL);
    CHECK(ctx.pool == NULL);
    char *first = tr_rm_PoolAlloc(&ctx, 1);
    CHECK(tr_rm_PoolAlloc(&ctx, 1) == first + 1);
    CHECK(tr_rm_PoolAlloc(&ctx, 2) == first + 2);
    CHECK(tr_rm_PoolAlloc(&ctx, 3) == first + 4);
    CHECK(tr_rm_PoolAlloc(&ctx, 5) == first + 8);
    CHECK(tr_rm_PoolAlloc(&ctx, 100) == first + 16);
    CHECK(tr_rm_PoolAlloc(&ctx, 2) == first + 116);
    CHECK(tr_rm_PoolAlloc(&ctx, 8) == first + 120);
    char *big = tr_rm_PoolAlloc(&ctx, 100000);
    memset(big, 'x', 100000);
    char *rest = tr_rm_PoolAlloc(&ctx, 8000);
    CHECK((uintptr_t)rest % sizeof(void *) == 0);
    CHECK(tr_rm_PoolAlloc(&ctx, 192) == rest + 8000);
    CHECK(tr_rm_PoolAlloc(&ctx, 1) != rest + 8192);
    CHECK(used() - before > 100000 + 3 * 8192);
    tr_pool_release(ctx.pool);
    CHECK_EQ_INT(used(), before);
    tr_pool_release(NULL);
}

static void test_ratio(void) {
    kit_ratio = 0.25;
    CHECK(tr_rm_GetUsedMemoryRatio() == 0.25f);
    CHECK_EQ_INT(kit_asked, TR_MSG_MEMORY_RATIO);
}

int main(void) {
    RUN(test_foreign_blocks);
    RUN(test_counts);
    RUN(test_kinds);
    RUN(test_tries);
    RUN(test_dies);
    RUN(test_tells);
    RUN(test_threads);
    RUN(test_pool);
    RUN(test_ratio);
    return CHECK_DONE();
}
