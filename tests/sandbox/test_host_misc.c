/* Aim: the small local functions: digests, log lines, clocks, random bytes, queries, shared functions, and what is
 * left of defragmentation. Method: each by hand; the digest against one made by Python's hashlib by the same rule. */
#include <time.h>

#include "host_kit.h"
#include "sandbox/host/digest.h"

#define THREADS 4
#define NAMES 200

/* ------------------------------------------------------------------ digests */

static void test_digest_value(void) {
    RedisModuleDigest md;
    RedisModuleString *key = tr_string_new("k", 1);
    tr_digest_begin(&md, key, 3);
    CHECK_EQ_INT(tr_rm_GetDbIdFromDigest(&md), 3);
    CHECK(tr_rm_GetKeyNameFromDigest(&md) == key);
    tr_rm_DigestAddStringBuffer(&md, "field", 5);
    tr_rm_DigestAddLongLong(&md, -42);
    tr_rm_DigestEndSequence(&md);
    tr_rm_DigestAddStringBuffer(&md, "", 0);
    tr_rm_DigestEndSequence(&md);
    char hex[2 * TR_SHA1_BYTES + 1];
    for (int i = 0; i < TR_SHA1_BYTES; i++) snprintf(hex + 2 * i, 3, "%02x", tr_digest_result(&md)[i]);
    CHECK_EQ_STR(hex, "c732a74604c7832e1c4c79b0c60436df8e9907ac");
    tr_string_free(key);
}

static void add_all(RedisModuleDigest *md, const char *const *sequences, int count) {
    tr_digest_begin(md, NULL, -1);
    for (int i = 0; i < count; i++) {
        for (const char *p = sequences[i]; *p != '\0'; p++) tr_rm_DigestAddStringBuffer(md, p, 1);
        tr_rm_DigestEndSequence(md);
    }
}

static bool same(const RedisModuleDigest *a, const RedisModuleDigest *b) {
    return memcmp(tr_digest_result(a), tr_digest_result(b), TR_SHA1_BYTES) == 0;
}

static void test_digest_order(void) {
    RedisModuleDigest one, other;
    add_all(&one, (const char *const[]){"ab", "cd"}, 2);
    add_all(&other, (const char *const[]){"cd", "ab"}, 2);
    CHECK(same(&one, &other));
    add_all(&other, (const char *const[]){"ba", "cd"}, 2);
    CHECK(!same(&one, &other));
    add_all(&other, (const char *const[]){"abcd"}, 1);
    CHECK(!same(&one, &other));
    add_all(&other, (const char *const[]){"ab", "cd"}, 2);
    tr_rm_DigestAddLongLong(&other, 1);
    CHECK(same(&one, &other)); /* not ended */
    tr_rm_DigestEndSequence(&other);
    CHECK(!same(&one, &other));
}

/* ------------------------------------------------------------------ log and latency */

static void check_line(const char *level, int want) {
    tr_rm_Log(NULL, level, "n%d", 5);
    CHECK_EQ_INT(kit_log_level, want);
    CHECK_EQ_INT(kit_log_source, 0);
    CHECK_EQ_STR(kit_log_text, "<module> n5");
}

static void test_log(void) {
    check_line("debug", 0);
    check_line("VERBOSE", 1);
    check_line("notice", 2);
    check_line("Warning", 3);
    check_line("no such level", 1);
    RedisModuleCtx ctx = {0};
    tr_rm_Log(&ctx, "notice", "early");
    CHECK_EQ_STR(kit_log_text, "<module> early");
    char name[] = "mine";
    tr_host_here.module_name = name;
    tr_rm_Log(&ctx, "notice", "%s", "late");
    CHECK_EQ_STR(kit_log_text, "<mine> late");
    tr_rm_Log(NULL, "notice", "none");
    CHECK_EQ_STR(kit_log_text, "<module> none");
    tr_host_here.module_name = NULL;
}

static void test_log_is_cut(void) {
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tr_rm_Log(NULL, "notice", "%s", text);
    CHECK_EQ_INT(strlen(kit_log_text), 1023);
    tr_host_here.module_name = text;
    RedisModuleCtx ctx = {0};
    tr_rm_Log(&ctx, "notice", "what counts");
    CHECK_EQ_STR(kit_log_text, "what counts");
    tr_host_here.module_name = NULL;
}

static void test_latency(void) {
    kit_post_count = 0;
    tr_rm_LatencyAddSample("my-event", 250);
    CHECK_EQ_INT(kit_post_count, 1);
    CHECK_EQ_INT(kit_post_type, TR_MSG_LATENCY_SAMPLE);
    CHECK_EQ_INT(kit_latency.latency_ms, 250);
    CHECK_EQ_STR(kit_latency_event, "my-event");
    char longest[600];
    memset(longest, 'e', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    tr_rm_LatencyAddSample(longest, 1);
    CHECK_EQ_INT(strlen(kit_latency_event), 512);
}

/* ------------------------------------------------------------------ clocks and chance */

static int64_t now_us(clockid_t which) {
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void test_clocks(void) {
    int64_t before = now_us(CLOCK_REALTIME);
    int64_t us = tr_rm_Microseconds();
    int64_t ms = tr_rm_Milliseconds();
    int64_t after = now_us(CLOCK_REALTIME);
    CHECK(before <= us && us <= after);
    CHECK(before / 1000 <= ms && ms <= after / 1000);
    uint64_t first = tr_rm_MonotonicMicroseconds(), second = tr_rm_MonotonicMicroseconds();
    CHECK(first <= second);
    CHECK(second <= (uint64_t)now_us(CLOCK_MONOTONIC));
    tr_host_here.now_us = 1234567;
    CHECK_EQ_INT(tr_rm_CachedMicroseconds(), 1234567);
}

static void test_random(void) {
    unsigned char a[1000], b[1000];
    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    tr_rm_GetRandomBytes(a, 999);
    tr_rm_GetRandomBytes(b, 999);
    CHECK(memcmp(a, b, 999) != 0);
    CHECK_EQ_INT(a[999], 0);
    CHECK(memcmp(a, a + 500, 400) != 0);
    char hex[41] = "";
    hex[40] = '!';
    tr_rm_GetRandomHexChars(hex, 40);
    CHECK_EQ_INT(hex[40], '!');
    hex[40] = '\0';
    CHECK_EQ_INT(strspn(hex, "0123456789abcdef"), 40);
    tr_rm_GetRandomBytes(a, 0);
}

/* ------------------------------------------------------------------ queries */

static int supported(uint64_t event, uint64_t subevent) {
    return tr_rm_IsSubEventSupported((RedisModuleEvent){.id = event, .dataver = 1}, subevent);
}

static void test_queries(void) {
    CHECK_EQ_INT(tr_rm_GetContextFlagsAll(), (1 << 25) - 1);
    CHECK_EQ_INT(tr_rm_GetModuleOptionsAll(), 15);
    CHECK_EQ_INT(tr_rm_GetKeyspaceNotificationFlagsAll(), (1 << 15) - 1);
    CHECK_EQ_INT(tr_rm_GetOpenKeyModesAll(), 3 | 63 << 16);
    CHECK_EQ_INT(tr_rm_GetTypeMethodVersion(), 5);
    tr_host_here.server_version = 7 << 16 | 4 << 8 | 1;
    CHECK_EQ_INT(tr_rm_GetServerVersion(), 0x070401);
    static const uint8_t counts[] = {2, 6, 2, 5, 2, 0, 2, 2, 0, 2, 2, 0, 0, 2, 3, 2, 1, 4};
    for (uint64_t id = 0; id < sizeof(counts); id++)
        for (uint64_t sub = 0; sub < 8; sub++) CHECK_EQ_INT(supported(id, sub), sub < counts[id]);
    CHECK_EQ_INT(supported(18, 0), 0);
    CHECK_EQ_INT(supported(UINT64_MAX, 0), 0);
}

/* ------------------------------------------------------------------ shared functions and defragmentation */

static int some_function(void) {
    return 5;
}

static void *export_names(void *done) {
    char name[20];
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        *(int *)done += tr_rm_ExportSharedAPI(NULL, name, done) == REDISMODULE_OK;
    }
    return NULL;
}

static void test_shared(void) {
    char name[] = "one";
    void *address = (void *)(uintptr_t)some_function;
    CHECK(tr_rm_GetSharedAPI(NULL, "one") == NULL);
    CHECK_EQ_INT(tr_rm_ExportSharedAPI(NULL, name, address), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_ExportSharedAPI(NULL, "one", NULL), REDISMODULE_ERR);
    name[0] = 'x';
    CHECK(tr_rm_GetSharedAPI(NULL, "one") == address);
    CHECK(tr_rm_GetSharedAPI(NULL, "on") == NULL);
    /* Of those who race to export a name one wins, and that one's address is found. */
    pthread_t threads[THREADS];
    int done[THREADS] = {0}, all = 0;
    for (int i = 0; i < THREADS; i++) CHECK_EQ_INT(pthread_create(&threads[i], NULL, export_names, &done[i]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) all += done[i];
    CHECK_EQ_INT(all, NAMES);
    CHECK(tr_rm_GetSharedAPI(NULL, "f0") != NULL);
    CHECK(tr_rm_GetSharedAPI(NULL, "f199") != NULL);
}

static void defrag_nothing(RedisModuleDefragCtx *ctx) {
    (void)ctx;
    CHECK(false);
}

static void test_defrag(void) {
    unsigned long cursor = 7;
    RedisModuleString *s = tr_string_new("x", 1);
    CHECK_EQ_INT(tr_rm_RegisterDefragFunc(NULL, defrag_nothing), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_RegisterDefragCallbacks(NULL, defrag_nothing, defrag_nothing), REDISMODULE_OK);
    CHECK(tr_rm_DefragAlloc(NULL, s) == NULL);
    CHECK(tr_rm_DefragRedisModuleString(NULL, s) == NULL);
    CHECK_EQ_INT(tr_rm_DefragShouldStop(NULL), 1);
    CHECK_EQ_INT(tr_rm_DefragCursorSet(NULL, 1), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_DefragCursorGet(NULL, &cursor), REDISMODULE_ERR);
    CHECK_EQ_INT(cursor, 7);
    CHECK_EQ_INT(tr_rm_GetDbIdFromDefragCtx(NULL), -1);
    CHECK(tr_rm_GetKeyNameFromDefragCtx(NULL) == NULL);
    uint64_t before = tr_host_here.used_bytes;
    void *raw = tr_rm_DefragAllocRaw(NULL, 100);
    CHECK(tr_host_here.used_bytes > before);
    tr_rm_DefragFreeRaw(NULL, raw);
    CHECK_EQ_INT(tr_host_here.used_bytes, before);
    tr_string_free(s);
}

int main(void) {
    RUN(test_digest_value);
    RUN(test_digest_order);
    RUN(test_log);
    RUN(test_log_is_cut);
    RUN(test_latency);
    RUN(test_clocks);
    RUN(test_random);
    RUN(test_queries);
    RUN(test_shared);
    RUN(test_defrag);
    return CHECK_DONE();
}
