/* Aim: strings are made, read, shared and changed as modules of Redis know it. Method: each function with the
 * values at which its rule turns; what a stock server does with the same calls is in test_local.py. */
#include <math.h>

#include "host_kit.h"
#include "sandbox/host/memory.h"

static RedisModuleString *text(const char *p) {
    return tr_string_new(p, strlen(p));
}

/* Takes the string. */
static void check_text(RedisModuleString *s, const char *want) {
    size_t len;
    const char *p = tr_rm_StringPtrLen(s, &len);
    CHECK_EQ_MEM(p, len, want, strlen(want));
    CHECK_EQ_STR(p, want);
    tr_rm_FreeString(NULL, s);
}

static void test_makes(void) {
    check_text(tr_rm_CreateString(NULL, "abcdef", 3), "abc");
    check_text(tr_rm_CreateStringFromLongLong(NULL, INT64_MIN), "-9223372036854775808");
    check_text(tr_rm_CreateStringFromULongLong(NULL, UINT64_MAX), "18446744073709551615");
    check_text(tr_rm_CreateStringFromDouble(NULL, 0.1), "0.1");
    check_text(tr_rm_CreateStringFromDouble(NULL, -0.0), "-0");
    check_text(tr_rm_CreateStringFromDouble(NULL, 3), "3");
    check_text(tr_rm_CreateStringFromDouble(NULL, -INFINITY), "-inf");
    check_text(tr_rm_CreateStringFromDouble(NULL, NAN), "nan");
    RedisModuleStreamID id = {.ms = UINT64_MAX, .seq = 7};
    check_text(tr_rm_CreateStringFromStreamID(NULL, &id), "18446744073709551615-7");
    RedisModuleString *one = text("one");
    RedisModuleString *copy = tr_rm_CreateStringFromString(NULL, one);
    CHECK(copy != one);
    check_text(copy, "one");
    tr_string_free(one);
}

static void test_long_doubles(void) {
    check_text(tr_rm_CreateStringFromLongDouble(NULL, 3.5L, 1), "3.5");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, 100L, 1), "100");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, -0.0L, 1), "0");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, 1e-20L, 1), "0");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, 1e20L, 1), "100000000000000000000");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, 1e20L, 0), "1e+20");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, 0.1L, 0), "0.1");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, 0.1, 0), "0.10000000000000001");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, -0.0L, 0), "-0");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, INFINITY, 0), "inf");
    check_text(tr_rm_CreateStringFromLongDouble(NULL, -INFINITY, 1), "-inf");
    RedisModuleString *longest = tr_rm_CreateStringFromLongDouble(NULL, -0x1p16383L, 1);
    CHECK_EQ_INT(longest->len, 4933);
    tr_string_free(longest);
}

static void test_zeroed_room(void) {
    RedisModuleString *s = tr_rm_CreateString(NULL, NULL, 5);
    CHECK_EQ_MEM(s->p, s->len, "\0\0\0\0\0", 5);
    tr_string_free(s);
    check_text(tr_rm_CreateString(NULL, NULL, 0), "");
}

static void test_printf(void) {
    check_text(tr_rm_CreateStringPrintf(NULL, "%s-%d%%", "a", 7), "a-7%");
    check_text(tr_rm_CreateStringPrintf(NULL, "%s", ""), "");
    char want[3000];
    for (size_t len = 1000; len < sizeof(want); len += len < 1050 ? 1 : 500) {
        memset(want, 'x', len);
        want[len] = '\0';
        check_text(tr_rm_CreateStringPrintf(NULL, "%s", want), want);
    }
}

static void test_null_string(void) {
    size_t len = 0;
    const char *p = tr_rm_StringPtrLen(NULL, &len);
    CHECK_EQ_INT(len, strlen(p));
    CHECK(len != 0);
    CHECK(tr_rm_StringPtrLen(NULL, NULL) == p);
}

static void test_counts(void) {
    uint64_t before = tr_host_here.used_bytes;
    RedisModuleString *s = text("shared");
    CHECK(tr_rm_HoldString(NULL, s) == s);
    tr_rm_RetainString(NULL, s);
    CHECK_EQ_INT(s->refs, 3);
    tr_rm_FreeString(NULL, s);
    tr_rm_FreeString(NULL, s);
    CHECK_EQ_INT(s->refs, 1);
    CHECK(tr_host_here.used_bytes > before);
    tr_rm_FreeString(NULL, s);
    CHECK_EQ_INT(tr_host_here.used_bytes, before);
    RedisModuleString dead = {.refs = 0};
    CHECK_DIES(TR_DIE_HOST, tr_rm_FreeString(NULL, &dead));
}

/* Each of the three ways in which a string and its context part. */
static void test_auto_memory(void) {
    RedisModuleCtx ctx = {0};
    RedisModuleString *s = tr_rm_CreateString(&ctx, "x", 1);
    CHECK_EQ_INT(ctx.auto_count, 0);
    tr_rm_FreeString(&ctx, s);
    tr_rm_AutoMemory(&ctx);
    s = tr_rm_CreateString(&ctx, "x", 1);
    CHECK_EQ_INT(ctx.auto_count, 1);
    tr_rm_RetainString(&ctx, s); /* the reference of the context is the module's now */
    CHECK_EQ_INT(ctx.auto_count, 0);
    CHECK_EQ_INT(s->refs, 1);
    tr_rm_RetainString(&ctx, s);
    CHECK_EQ_INT(s->refs, 2);
    CHECK(tr_rm_HoldString(&ctx, s) == s);
    CHECK_EQ_INT(s->refs, 3);
    CHECK_EQ_INT(ctx.auto_count, 1);
    tr_rm_FreeString(&ctx, s);
    CHECK_EQ_INT(ctx.auto_count, 0);
    CHECK_EQ_INT(s->refs, 2);
    tr_string_free(s);
    tr_string_free(s);
    free(ctx.autos);
}

static void test_appends(void) {
    RedisModuleString *s = text("ab");
    CHECK_EQ_INT(tr_rm_StringAppendBuffer(NULL, s, "cd", 2), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_StringAppendBuffer(NULL, s, NULL, 0), REDISMODULE_OK);
    CHECK_EQ_STR(s->p, "abcd");
    char want[20000];
    for (int i = 0; i < 19990; i++) {
        want[i] = (char)('a' + i % 26);
        if (i >= 4) tr_rm_StringAppendBuffer(NULL, s, &want[i], 1);
    }
    CHECK_EQ_MEM(s->p, s->len, want, 19990);
    CHECK_EQ_INT(s->p[s->len], 0);
    CHECK(s->cap > s->len);
    size_t before = tr_rm_MallocSizeString(s);
    tr_rm_TrimStringAllocation(s);
    CHECK_EQ_INT(s->cap, s->len);
    CHECK(tr_rm_MallocSizeString(s) < before);
    CHECK_EQ_MEM(s->p, s->len, want, 19990);
    CHECK_EQ_INT(s->p[s->len], 0);
    tr_rm_TrimStringAllocation(s);
    tr_rm_TrimStringAllocation(NULL);
    tr_string_hold(s);
    kit_log_count = 0;
    CHECK_EQ_INT(tr_rm_StringAppendBuffer(NULL, s, "x", 1), REDISMODULE_ERR);
    CHECK_EQ_INT(kit_log_count, 1);
    CHECK_EQ_INT(kit_log_level, 3);
    CHECK_EQ_INT(s->len, 19990);
    CHECK_DIES(TR_DIE_MEMORY, (tr_string_free(s), tr_rm_StringAppendBuffer(NULL, s, "x", SIZE_MAX - 5)));
    tr_string_free(s);
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len) {
    RedisModuleString *x = tr_string_new(a, a_len), *y = tr_string_new(b, b_len);
    int order = tr_rm_StringCompare(x, y);
    CHECK_EQ_INT(tr_rm_StringCompare(y, x), -order);
    tr_string_free(x);
    tr_string_free(y);
    return order;
}

static void test_compares(void) {
    CHECK_EQ_INT(compare("", 0, "", 0), 0);
    CHECK_EQ_INT(compare("", 0, "a", 1), -1);
    CHECK_EQ_INT(compare("abc", 3, "abc", 3), 0);
    CHECK_EQ_INT(compare("ab", 2, "abc", 3), -1);
    CHECK_EQ_INT(compare("b", 1, "abc", 3), 1);
    CHECK_EQ_INT(compare("\xff", 1, "a", 1), 1);
    CHECK_EQ_INT(compare("a\0b", 3, "a\0c", 3), -1);
}

static void check_int(const char *p, int ok, long long want) {
    RedisModuleString *s = text(p);
    long long value = 77;
    CHECK_EQ_INT(tr_rm_StringToLongLong(s, &value), ok ? REDISMODULE_OK : REDISMODULE_ERR);
    CHECK_EQ_INT(value, ok ? want : 77);
    tr_string_free(s);
}

static void check_uint(const char *p, size_t len, int ok, unsigned long long want) {
    RedisModuleString *s = tr_string_new(p, len);
    unsigned long long value = 77;
    CHECK_EQ_INT(tr_rm_StringToULongLong(s, &value), ok ? REDISMODULE_OK : REDISMODULE_ERR);
    if (ok) CHECK(value == want);
    tr_string_free(s);
}

static void test_reads_integers(void) {
    check_int("-9223372036854775808", 1, INT64_MIN);
    check_int("0", 1, 0);
    const char *bad[] = {"", "-", "+1", " 1", "1 ", "01", "-0", "1.0", "0x1", "9223372036854775808"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) check_int(bad[i], 0, 0);
    check_uint("18446744073709551615", 20, 1, UINT64_MAX);
    check_uint("+1", 2, 1, 1);
    check_uint(" 01", 3, 1, 1);
    check_uint("12\0x", 4, 1, 12);
    check_uint(" -1", 3, 1, UINT64_MAX);
    check_uint("-1", 2, 0, 0);
    check_uint("", 0, 0, 0);
    check_uint("1 ", 2, 0, 0);
    check_uint("18446744073709551616", 20, 0, 0);
}

static void check_double(const char *p, int ok, double want) {
    RedisModuleString *s = text(p);
    double value = 0;
    long double wide = 0;
    CHECK_EQ_INT(tr_rm_StringToDouble(s, &value), ok ? REDISMODULE_OK : REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_StringToLongDouble(s, &wide), ok ? REDISMODULE_OK : REDISMODULE_ERR);
    if (ok) CHECK(value == want && (double)wide == want);
    tr_string_free(s);
}

static void test_reads_floats(void) {
    check_double("1.5", 1, 1.5);
    check_double("-inf", 1, -INFINITY);
    check_double("0x10", 1, 16);
    check_double("+1e3", 1, 1000);
    const char *bad[] = {"", " 1", "1 ", "1e", "nan", "x", "1e99999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) check_double(bad[i], 0, 0);
}

static void check_id(const char *p, int ok, uint64_t ms, uint64_t seq) {
    RedisModuleString *s = text(p);
    RedisModuleStreamID id = {.ms = 5, .seq = 6};
    CHECK_EQ_INT(tr_rm_StringToStreamID(s, &id), ok ? REDISMODULE_OK : REDISMODULE_ERR);
    CHECK(id.ms == (ok ? ms : 5) && id.seq == (ok ? seq : 6));
    tr_string_free(s);
}

static void test_reads_ids(void) {
    check_id("-", 1, 0, 0);
    check_id("+", 1, UINT64_MAX, UINT64_MAX);
    check_id("12", 1, 12, 0);
    check_id("12-34", 1, 12, 34);
    check_id("18446744073709551615-18446744073709551615", 1, UINT64_MAX, UINT64_MAX);
    const char *bad[] = {"", "-1", "1-", "1-2-3", "x", "1-x", "*", "1-*", "(1", "18446744073709551616-0"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) check_id(bad[i], 0, 0, 0);
    char zeros[200];
    memset(zeros, '0', sizeof(zeros));
    zeros[126] = '7';
    zeros[127] = '\0';
    check_id(zeros, 1, 7, 0);
    zeros[126] = '0';
    zeros[127] = '7';
    zeros[128] = '\0';
    check_id(zeros, 0, 0, 0);
}

static void test_argv(void) {
    RedisModuleString *words[] = {text("SET"), tr_string_new("k\0y", 3), text("")};
    tr_wire_list list;
    tr_wire_bytes *items = tr_argv_to_wire(words, 3, &list);
    tr_mem mem;
    tr_mem_init(&mem);
    tr_buf out = {0};
    tr_msg_run_filter body = {.argv = list};
    CHECK_EQ_INT(tr_wire_encode(&mem, &out, TR_MSG_RUN_FILTER, 0, 1, &body), 0);
    free(items);
    tr_msg_run_filter got;
    const uint8_t *bytes = (const uint8_t *)out.data + TR_WIRE_HEADER_BYTES;
    CHECK(tr_wire_decode(TR_MSG_RUN_FILTER, bytes, tr_buf_unread(&out) - TR_WIRE_HEADER_BYTES, &got) == NULL);
    int argc;
    RedisModuleString **argv = tr_argv_from_wire(&got.argv, &argc);
    CHECK_EQ_INT(argc, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(tr_rm_StringCompare(argv[i], words[i]), 0);
        tr_string_free(words[i]);
    }
    tr_buf_release(&mem, &out);
    CHECK_EQ_STR(argv[0]->p, "SET");
    tr_argv_free(argv, argc);
    tr_wire_list none = {0};
    argv = tr_argv_from_wire(&none, &argc);
    CHECK_EQ_INT(argc, 0);
    tr_argv_free(argv, argc);
}

int main(void) {
    RUN(test_makes);
    RUN(test_long_doubles);
    RUN(test_zeroed_room);
    RUN(test_printf);
    RUN(test_null_string);
    RUN(test_counts);
    RUN(test_auto_memory);
    RUN(test_appends);
    RUN(test_compares);
    RUN(test_reads_integers);
    RUN(test_reads_floats);
    RUN(test_reads_ids);
    RUN(test_argv);
    CHECK_EQ_INT(tr_host_here.used_bytes, 0);
    return CHECK_DONE();
}
