/* Aim: requests become the commands that Redis sees, or its errors, however the bytes come.
 * Method: tables of requests and transcripts (parser_run.h); each is fed whole, byte by byte, at
 * every split, in random chunks, with bytes after it and from the end of a guarded page; then
 * limits, big arguments, moves, lost allocations. */
#include "resp/parser.h"

#include "check.h"
#include "guard.h"
#include "parser_run.h"

typedef struct request {
    const char *bytes;
    size_t len;
    const char *want;
} request;

#define REQ(bytes, want) {bytes, sizeof(bytes) - 1, want}

#define BULKS_1_TO_8                                                                               \
    "$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n"                                                \
    "$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n8\r\n"

/* Whole requests: each ends idle. */
static const request valid[] = {
    REQ("", "."),
    REQ("*1\r\n$4\r\nPING\r\n", "[PING]."),
    REQ("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n", "[SET|key|value]."),
    REQ("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n", "[GET|a][GET|b]."),
    REQ("*2\r\n$4\r\necho\r\n$12\r\nabcdefghijkl\r\n", "[echo|abcdefghijkl]."),
    REQ("*1\r\n$0\r\n\r\n", "[]."),
    REQ("*2\r\n$0\r\n\r\n$0\r\n\r\n", "[|]."),
    REQ("*2\r\n$1\r\n\0\r\n$2\r\n\r\n\r\n", "[\\00|\\0d\\0a]."),
    REQ("*0\r\n", "."),
    REQ("*-1\r\n", "."),
    REQ("*-10\r\n*0\r\n*1\r\n$1\r\na\r\n*0\r\n", "[a]."),
    REQ("*-9223372036854775808\r\n", "."),
    /* the two bytes after a line or an argument are not looked at */
    REQ("*1\rX$1\rXaXX", "[a]."),
    REQ("*1\r\n$4\r\nPING__*1\r\n$1\r\na\0\0", "[PING][a]."),
    REQ("*1\r\n$10\r\n0123456789\r\n", "[0123456789]."),
    REQ("*9\r\n" BULKS_1_TO_8 "$1\r\n9\r\n",
        "[1|2|3|4|5|6|7|8|9]."),
    REQ("*17\r\n" BULKS_1_TO_8 BULKS_1_TO_8 "$1\r\na\r\n",
        "[1|2|3|4|5|6|7|8|1|2|3|4|5|6|7|8|a]."),
    /* inline */
    REQ("PING\r\n", "[PING]."),
    REQ("PING\n", "[PING]."),
    REQ("\r\n", "."),
    REQ("\n", "."),
    REQ("\n\r\n  \r\n\t\nPING\n", "[PING]."),
    REQ("\r\r\n", "."),
    REQ("  set \t a   b  \r\n", "[set|a|b]."),
    REQ("a\rb\n", "[a|b]."),
    REQ("a\tb\n", "[a|b]."),
    REQ("a\vb\fc d\n", "[a\\0bb\\0cc|d]."),
    REQ("\va \f\vb\n", "[a|b]."),
    REQ("a\r\r\n", "[a]."),
    REQ("$1\r\n", "[$1]."),
    REQ("+OK\r\n:1\n", "[+OK][:1]."),
    REQ("\x80\xff\n", "[\\80\\ff]."),
    REQ("set k \"a b\"\n", "[set|k|a\\20b]."),
    REQ("set k 'a b'\n", "[set|k|a\\20b]."),
    REQ("set \"\" ''\n", "[set||]."),
    REQ("\"\"\n", "[]."),
    REQ("ab\"c d\" e\n", "[abc\\20d|e]."),
    REQ("ab'c d' e\r\n", "[abc\\20d|e]."),
    REQ("\"a\"\t\"b\"\r'c'\v'd'\f\n", "[a|b|c|d]."),
    REQ("\"\\n\\r\\t\\b\\a\\\\\\\"\\q\\'\"\n", "[\\0a\\0d\\09\\08\\07\\5c\"q']."),
    REQ("\"\\x41\\xfF\\x00\\x7e\"\n", "[A\\ff\\00~]."),
    REQ("\"\\x4\\x4g\\xg4\\x\"\n", "[x4x4gxg4x]."),
    REQ("\"\\x/4\\x:4\\x4/\\x`4\"\n", "[x/4x:4x4/x`4]."),
    REQ("\"\\X41\"\n", "[X41]."),
    REQ("'\\n\\'\\\"\\x41'\n", "[\\5cn'\\5c\"\\5cx41]."),
    REQ("a\\nb \\x41\n", "[a\\5cnb|\\5cx41]."),
    REQ("\"it's\" '\"'\n", "[it's|\"]."),
    REQ("1 2 3 4 5 6 7 8 9 10\n", "[1|2|3|4|5|6|7|8|9|10]."),
    REQ("PING\r\n*1\r\n$4\r\nPING\r\nPING\n", "[PING][PING][PING]."),
};

/* What never ends well; or, with '+', not yet. */
static const request invalid[] = {
    REQ("*\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*+1\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*01\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*1 \r\n", "!Protocol error: invalid multibulk length"),
    REQ("* 1\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*-0\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*-\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*a\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*1a\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*1\n\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*2147483648\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*9223372036854775807\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*9223372036854775808\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*-9223372036854775809\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*99999999999999999999999\r\n", "!Protocol error: invalid multibulk length"),
    REQ("*1\r\n$-1\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$+1\r\na\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$01\r\na\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$1 \r\na\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$1x\r\na\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$536870913\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$9999999999\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$99999999999\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$9223372036854775807\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n$2000000000000000000000\r\n", "!Protocol error: invalid bulk length"),
    REQ("*1\r\n4\r\nPING\r\n", "!Protocol error: expected '$', got '4'"),
    REQ("*1\r\nPING\r\n", "!Protocol error: expected '$', got 'P'"),
    REQ("*2\r\n$1\r\na\r\n\r\n", "!Protocol error: expected '$', got ' '"),
    REQ("*1\r\n\n\r\n", "!Protocol error: expected '$', got ' '"),
    REQ("*1\r\n\x01\r\n", "!Protocol error: expected '$', got '\x01'"),
    REQ("*1\r\n\xff\r\n", "!Protocol error: expected '$', got '\xff'"),
    REQ("*1\r\n*1\r\n", "!Protocol error: expected '$', got '*'"),
    REQ("*1\r\n5\r\n", "!Protocol error: expected '$', got '5'"),
    REQ("*1\r\n$1\r\na\r\n*1\r\n:1\r\n", "[a]!Protocol error: expected '$', got ':'"),
    REQ("*1\r\n$1\r\nab\r\n*1\r\n", "[a]+"),
    REQ("\"a\n", "!Protocol error: unbalanced quotes in request"),
    REQ("'a\n", "!Protocol error: unbalanced quotes in request"),
    REQ("\"\n", "!Protocol error: unbalanced quotes in request"),
    REQ("'\n", "!Protocol error: unbalanced quotes in request"),
    REQ("a\"b\n", "!Protocol error: unbalanced quotes in request"),
    REQ("\"a\"b\n", "!Protocol error: unbalanced quotes in request"),
    REQ("'a'b\n", "!Protocol error: unbalanced quotes in request"),
    REQ("'a'\"b\"\n", "!Protocol error: unbalanced quotes in request"),
    REQ("\"a\\\"\n", "!Protocol error: unbalanced quotes in request"),
    REQ("\"a\\\n", "!Protocol error: unbalanced quotes in request"),
    REQ("'a\\'\n", "!Protocol error: unbalanced quotes in request"),
    REQ("'a\\\n", "!Protocol error: unbalanced quotes in request"),
    REQ("\"\\x4\n", "!Protocol error: unbalanced quotes in request"),
    REQ("PING\nset k \"v\n", "[PING]!Protocol error: unbalanced quotes in request"),
    /* a NUL hides the end of its line */
    REQ("PI\0NG\n", "+"),
    REQ("\0\n", "+"),
    REQ("PING\n\0\nPING\n", "[PING]+"),
    REQ("*\0\r\n", "+"),
    REQ("*1\0\r\n$1\r\na\r\n", "+"),
    REQ("*1\r\n$\0\r\n", "+"),
    REQ("*1\r\n\0\r\n", "+"),
    REQ("*1\r\n$1\0\r\na\r\n", "+"),
    REQ("*1\r\n$1\r\na\r\n*1\r\n$\0", "[a]+"),
};

static void run_as(const request *r, pr_feed feed, const char *how, size_t detail) {
    tr_mem mem;
    tr_mem_init(&mem);
    pr_text text = {0};
    feed.data = r->bytes;
    feed.len = r->len;
    if (feed.limits.bulk_max == 0) feed.limits = pr_limits();
    pr_run(&mem, &feed, &text, NULL);
    CHECK_EQ_STR(text.at, r->want);
    if (strcmp(text.at, r->want) != 0) fprintf(stderr, "  fed %s (%zu)\n", how, detail);
    CHECK_EQ_INT(mem.used, 0);
    free(text.at);
}

static void feed_all_ways(const request *r) {
    run_as(r, (pr_feed){.step = INT32_MAX}, "whole", 0);
    run_as(r, (pr_feed){.step = 1}, "byte by byte", 0);
    run_as(r, (pr_feed){.step = 1, .rebases = 1, .wants = 1}, "byte by byte, rebased", 0);
    for (size_t at = 1; at < r->len; at++) {
        run_as(r, (pr_feed){.first = at, .step = INT32_MAX}, "split", at);
        run_as(r, (pr_feed){.first = at, .step = 1, .rebases = 1}, "split, then bytes", at);
    }
    for (uint64_t seed = 1; seed < 20; seed++) {
        run_as(r, (pr_feed){.step = -7, .seed = seed}, "in chunks", seed);
    }
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void test_tables(void) {
    for (size_t i = 0; i < COUNT(valid); i++) feed_all_ways(&valid[i]);
    for (size_t i = 0; i < COUNT(invalid); i++) feed_all_ways(&invalid[i]);
}

/* A request does not see what follows it. */
static void test_trailing(void) {
    static const request tails[] = {
        REQ("*1\r\n$1\r\nt\r\n", "[t]."), REQ("t\n", "[t]."), REQ("*", "+"),
        REQ("*1\r\n$5\r\nab", "+"),
        REQ("\n", "."), REQ("*1\r\n$1x\r\n", "!Protocol error: invalid bulk length"),
    };
    for (size_t i = 0; i < COUNT(valid); i++) {
        for (size_t k = 0; k < COUNT(tails); k++) {
            char bytes[512], want[512];
            size_t len = valid[i].len + tails[k].len;
            tr_assert(len <= sizeof(bytes));
            memcpy(bytes, valid[i].bytes, valid[i].len);
            memcpy(bytes + valid[i].len, tails[k].bytes, tails[k].len);
            snprintf(want, sizeof(want), "%.*s%s", (int)strlen(valid[i].want) - 1, valid[i].want,
                     tails[k].want);
            request r = {bytes, len, want};
            run_as(&r, (pr_feed){.step = INT32_MAX}, "whole, with a tail", k);
            run_as(&r, (pr_feed){.step = 1}, "byte by byte, with a tail", k);
        }
    }
}

/* From the end of a guarded page: every beginning of every request reads nothing beyond it. */
static void test_truncations(void) {
    guard g = guard_new(4096);
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser_limits limits = pr_limits();
    const request *tables[] = {valid, invalid};
    size_t counts[] = {COUNT(valid), COUNT(invalid)};
    for (size_t i = 0; i < counts[0] + counts[1]; i++) {
        const request *r = i < counts[0] ? &tables[0][i] : &tables[1][i - counts[0]];
        for (size_t len = 0; len <= r->len; len++) {
            tr_buf buf = {.data = guard_put(&g, r->bytes, len), .wpos = len, .cap = len};
            tr_parser p;
            tr_parser_init(&p, &mem);
            int rc;
            while ((rc = tr_parser_next(&p, &buf, &limits)) == 1) tr_parser_check(&p, &buf);
            tr_parser_check(&p, &buf);
            if (i < counts[0]) CHECK_EQ_INT(rc, TR_EMORE);
            else CHECK(rc == TR_EMORE || rc == TR_EPROTO);
            if (i < counts[0] && len == r->len) CHECK(tr_parser_idle(&p));
            tr_parser_release(&p);
        }
    }
    CHECK_EQ_INT(mem.used, 0);
    guard_free(&g);
}

/* start, count times the filler, end. */
static request long_line(const char *start, char filler, size_t count, const char *end,
                         const char *want) {
    size_t a = strlen(start), b = strlen(end);
    char *bytes = malloc(a + count + b);
    tr_assert(bytes != NULL);
    memcpy(bytes, start, a);
    memset(bytes + a, filler, count);
    memcpy(bytes + a + count, end, b);
    return (request){bytes, a + count + b, want};
}

static void test_long_lines(void) {
    const size_t max = TR_INLINE_MAX;
    const request cases[] = {
        long_line("", 'a', max, "\n", "[<65536:1f0c0019bbd72325>]."),
        long_line("", 'a', max, "", "+"),
        long_line("", 'a', max + 1, "", "!Protocol error: too big inline request"),
        long_line("", 'a', max + 1, "\n", "!Protocol error: too big inline request"),
        long_line("", '\0', max, "", "+"),
        long_line("", '\0', max, "\n", "!Protocol error: too big inline request"),
        long_line("*", '1', max - 1, "", "+"),
        long_line("*", '1', max - 1, "\r", "+"),
        long_line("*", '1', max - 1, "\r\n", "!Protocol error: invalid multibulk length"),
        long_line("*", '1', max, "", "!Protocol error: too big mbulk count string"),
        long_line("*", '1', max, "\r\n", "!Protocol error: too big mbulk count string"),
        long_line("*", '\0', max, "", "!Protocol error: too big mbulk count string"),
        long_line("*1\r\n$", '1', max - 1, "", "+"),
        long_line("*1\r\n$", '1', max - 1, "\r", "+"),
        long_line("*1\r\n$", '1', max - 1, "\r\n", "!Protocol error: invalid bulk length"),
        long_line("*1\r\n$", '1', max, "", "!Protocol error: too big bulk count string"),
        long_line("*1\r\n$", '\0', max, "", "!Protocol error: too big bulk count string"),
        long_line("*1\r\n", '\0', max + 1, "", "!Protocol error: too big bulk count string"),
        long_line("*1\r\nx", 'x', max, "\r\n", "!Protocol error: too big bulk count string"),
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        run_as(&cases[i], (pr_feed){.step = INT32_MAX}, "whole", i);
        run_as(&cases[i], (pr_feed){.step = 1000}, "in thousands", i);
        run_as(&cases[i], (pr_feed){.first = cases[i].len - 3, .step = 1}, "slow end", i);
        free((char *)(uintptr_t)cases[i].bytes);
    }
}

static void test_limits(void) {
    const tr_parser_limits anonymous = {TR_MULTIBULK_MAX, 512 << 20, 1};
    const tr_parser_limits narrow = {3, 5, 0};
    const tr_parser_limits master = {TR_MULTIBULK_MAX, INT64_MAX, 0};
    const tr_parser_limits tight = {TR_MULTIBULK_MAX, 100, 1};
    const struct {
        tr_parser_limits limits;
        request r;
    } cases[] = {
        {anonymous, REQ("*10\r\n", "+")},
        {anonymous, REQ("*11\r\n", "!Protocol error: unauthenticated multibulk length")},
        {anonymous, REQ("*1000000000\r\n", "!Protocol error: unauthenticated multibulk length")},
        {anonymous, REQ("*10000000000\r\n", "!Protocol error: invalid multibulk length")},
        {anonymous, REQ("*1\r\n$16384\r\n", "+")},
        {anonymous, REQ("*1\r\n$16385\r\n", "!Protocol error: unauthenticated bulk length")},
        {anonymous, REQ("*1\r\n$536870912\r\n", "!Protocol error: unauthenticated bulk length")},
        {anonymous, REQ("*1\r\n$536870913\r\n", "!Protocol error: invalid bulk length")},
        {anonymous, REQ("*2\r\n$4\r\nAUTH\r\n$3\r\nabc\r\n", "[AUTH|abc].")},
        {tight, REQ("*1\r\n$101\r\n", "!Protocol error: invalid bulk length")},
        {narrow, REQ("*4\r\n", "!Protocol error: invalid multibulk length")},
        {narrow, REQ("*3\r\n$5\r\n12345\r\n$6\r\n", "!Protocol error: invalid bulk length")},
        {narrow, REQ("*1\r\n$6\r\n123456\r\n", "!Protocol error: invalid bulk length")},
        {narrow, REQ("1 2 3 4 123456\n", "[1|2|3|4|123456].")},
        {master, REQ("*2147483647\r\n", "+")},
        {{INT64_MAX, 512 << 20, 0},
         REQ("*2147483648\r\n", "!Protocol error: invalid multibulk length")},
        {master, REQ("*1\r\n$9223372036854775807\r\n", "~")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const request *r = &cases[i].r;
        run_as(r, (pr_feed){.step = INT32_MAX, .limits = cases[i].limits}, "whole", i);
        run_as(r, (pr_feed){.step = 1, .limits = cases[i].limits}, "byte by byte", i);
    }
}

/* An argument of the length whose bytes tell their place. */
static void put_bulk(pr_text *t, size_t len) {
    char head[32];
    int n = snprintf(head, sizeof(head), "$%zu\r\n", len);
    pr_put(t, head, (size_t)n);
    for (size_t i = 0; i < len; i++) pr_put(t, &"0123456789\r\nabc"[i % 15], 1);
    pr_put(t, "\r\n", 2);
}

static pr_text big_pipeline(void) {
    static const size_t sizes[] = {3,         TR_BIG_ARG - 1, TR_BIG_ARG, TR_BIG_ARG + 1, 0, 70000,
                                   200000, 1,              40000};
    pr_text t = {0};
    pr_put(&t, "*9\r\n", 4);
    for (size_t i = 0; i < COUNT(sizes); i++) put_bulk(&t, sizes[i]);
    pr_put(&t, "*1\r\n", 4);
    put_bulk(&t, 100000);
    pr_put(&t, "PING \"x\"\r\n*1\r\n", 14);
    put_bulk(&t, 50000);
    return t;
}

/* Big arguments, fed in chunks of all sizes: into the buffer, or where the parser wants them. */
static void test_big(void) {
    static const int64_t steps[] = {31, 1000, 16384, 32768, 65536, INT32_MAX, -3, -70000, -200000};
    tr_mem mem;
    tr_mem_init(&mem);
    pr_text data = big_pipeline(), want = {0}, got = {0};
    size_t want_bytes = 0, bytes = 0;
    pr_feed feed = {.data = data.at, .len = data.len, .step = INT32_MAX, .limits = pr_limits()};
    CHECK_EQ_INT(pr_run(&mem, &feed, &want, &want_bytes), TR_EMORE);
    CHECK(want.at[want.len - 1] == '.');
    CHECK_EQ_INT(want_bytes, data.len);
    for (size_t i = 0; i < COUNT(steps) * 4; i++) {
        feed.step = steps[i / 4];
        feed.wants = i & 1;
        feed.rebases = (i & 2) != 0;
        feed.seed = i;
        pr_run(&mem, &feed, &got, &bytes);
        CHECK_EQ_STR(got.at, want.at);
        CHECK_EQ_INT(bytes, data.len);
        CHECK_EQ_INT(mem.used, 0);
    }
    free(data.at);
    free(want.at);
    free(got.at);
}

/* The owner's view of a big argument: want, fed, shares, and what is counted. */
static void test_want(void) {
    tr_mem mem, other;
    tr_mem_init(&mem);
    tr_mem_init(&other);
    tr_parser_limits limits = pr_limits();
    tr_parser p;
    tr_buf buf = {0};
    char *at = NULL;
    size_t len = 0;
    tr_parser_init(&p, &mem);
    CHECK(tr_parser_idle(&p));
    CHECK_EQ_INT(tr_parser_want(&p, &at, &len), 0);
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
    CHECK_EQ_INT(tr_buf_append(&other, &buf, "*2\r\n$3\r\nSET\r\n$40000\r\nabc", 24), 0);
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
    CHECK(!tr_parser_idle(&p));
    CHECK(tr_parser_memory(&p) > 40000);
    CHECK_EQ_INT(tr_parser_want(&p, &at, &len), 1);
    CHECK_EQ_INT(len, 40000 - 3 + 2);
    memset(at, 'x', len);
    tr_parser_fed(&p, len - 1);
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
    CHECK_EQ_INT(tr_parser_want(&p, &at, &len), 1);
    CHECK_EQ_INT(len, 1);
    *at = '\n';
    tr_parser_fed(&p, len);
    CHECK_EQ_INT(tr_parser_want(&p, &at, &len), 0);
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), 1);
    CHECK_EQ_INT(tr_buf_unread(&buf), 0);
    CHECK_EQ_INT(p.argc, 2);
    CHECK_EQ_INT(p.command_bytes, 21 + 40000 + 2);
    CHECK_EQ_INT(p.argv[1].len, 40000);
    CHECK_EQ_MEM(p.argv[1].ptr, 4, "abcx", 4);
    CHECK_EQ_INT(p.argv[1].blob->len, 40000);
    CHECK(tr_parser_memory(&p) > 40000);
    tr_blob *kept = tr_blob_share(p.argv[1].blob); /* what SET does */
    tr_parser_done(&p);
    CHECK_EQ_INT(tr_parser_memory(&p), 0);
    CHECK_EQ_INT(kept->refs, 1);
    tr_blob_drop(&mem, kept);
    CHECK_EQ_INT(mem.used, 0);
    tr_buf_release(&other, &buf);
    tr_parser_release(&p);
}

/* A command may steal a share; what it leaves is dropped by the next call. */
static void test_steal(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser_limits limits = pr_limits();
    pr_text data = {0};
    pr_put(&data, "*2\r\n", 4);
    put_bulk(&data, 50000);
    put_bulk(&data, 60000);
    tr_parser p;
    tr_parser_init(&p, &mem);
    tr_buf buf = {0};
    for (size_t half = 0; half < 2; half++) {
        size_t cut = data.len / 3;
        pr_add(&p, &buf, data.at, cut, 0);
        CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
        pr_add(&p, &buf, data.at + cut, cut, 0);
        CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
        pr_add(&p, &buf, data.at + cut * 2, data.len - cut * 2, 0);
        CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), 1);
        CHECK(p.argv[0].blob != NULL && p.argv[1].blob != NULL);
        tr_blob *stolen = p.argv[0].blob;
        p.argv[0].blob = NULL;
        CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
        CHECK_EQ_INT(mem.used, tr_mem_size(stolen));
        tr_blob_drop(&mem, stolen);
    }
    tr_parser_release(&p);
    free(buf.data);
    free(data.at);
}

/* From TR_BIG_ARG on, a bulk that is not all there gets a blob; one that is stays in the buffer. */
static void test_big_bound(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser_limits limits = pr_limits();
    for (size_t len = TR_BIG_ARG - 1; len <= TR_BIG_ARG; len++) {
        for (size_t missing = 0; missing < 2; missing++) {
            pr_text data = {0};
            char *at = NULL;
            size_t want = 0;
            pr_put(&data, "*1\r\n", 4);
            put_bulk(&data, len);
            tr_parser p;
            tr_parser_init(&p, &mem);
            tr_buf buf = {.data = data.at, .wpos = data.len - missing, .cap = data.len};
            CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), missing ? TR_EMORE : 1);
            int blob = missing && len == TR_BIG_ARG;
            CHECK_EQ_INT(tr_parser_want(&p, &at, &want), blob);
            CHECK_EQ_INT(want, blob);
            CHECK_EQ_INT(mem.used != 0, blob);
            tr_parser_release(&p);
            free(data.at);
        }
    }
}

/* Before authentication a bulk is refused even when all of it has come. */
static void test_unauthenticated_bulk(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser_limits limits = pr_limits();
    limits.unauthenticated = 1;
    for (size_t len = TR_UNAUTH_BULK_MAX; len <= TR_UNAUTH_BULK_MAX + 1; len++) {
        pr_text data = {0};
        pr_put(&data, "*1\r\n", 4);
        put_bulk(&data, len);
        tr_parser p;
        tr_parser_init(&p, &mem);
        tr_buf buf = {.data = data.at, .wpos = data.len, .cap = data.len};
        int allowed = len == TR_UNAUTH_BULK_MAX;
        CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), allowed ? 1 : TR_EPROTO);
        if (!allowed) CHECK_EQ_STR(p.error, "Protocol error: unauthenticated bulk length");
        tr_parser_release(&p);
        free(data.at);
    }
}

/* argv grows with the command and shrinks after it. */
static void test_many_args(void) {
    static const int counts[] = {8, 9, 64, 65, 1000, 1023, 1024, 1025, 5000, 1};
    for (size_t i = 0; i < COUNT(counts); i++) {
        tr_mem mem;
        tr_mem_init(&mem);
        tr_parser_limits limits = pr_limits();
        tr_parser p;
        tr_parser_init(&p, &mem);
        pr_text data = {0}, words = {0};
        char head[32];
        pr_put(&data, head, (size_t)snprintf(head, sizeof(head), "*%d\r\n", counts[i]));
        for (int k = 0; k < counts[i]; k++) {
            put_bulk(&data, (size_t)k % 20);
            pr_put(&words, "word ", 5);
        }
        pr_put(&words, "'q'", 3);
        pr_put(&words, "\r\n", 2);
        for (int round = 0; round < 2; round++) {
            const pr_text *source = round == 0 ? &data : &words;
            tr_buf buf = {.data = source->at, .wpos = source->len, .cap = source->len};
            CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), 1);
            tr_parser_check(&p, &buf);
            CHECK_EQ_INT(p.argc, counts[i] + round);
            CHECK_EQ_INT(p.command_bytes, source->len);
            CHECK_EQ_INT(p.argv[p.argc - 1].len, round == 0 ? (p.argc - 1) % 20 : 1);
            CHECK_EQ_INT(tr_parser_memory(&p), mem.used);
            tr_parser_done(&p);
            tr_parser_check(&p, &buf);
            CHECK(p.argv_cap <= TR_ARGV_KEEP);
            CHECK_EQ_INT(tr_parser_memory(&p), mem.used);
        }
        tr_parser_release(&p);
        CHECK_EQ_INT(mem.used, 0);
        free(data.at);
        free(words.at);
    }
}

/* Nothing is held that could move: before the first request, after one, after an error. */
static void test_rebase_of_nothing(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser_limits limits = pr_limits();
    tr_parser p;
    tr_parser_init(&p, &mem);
    char bytes[] = "PING\n*x\r\n", other[8];
    tr_buf buf = {.data = bytes, .wpos = sizeof(bytes) - 1, .cap = sizeof(bytes) - 1};
    tr_parser_rebase(&p, bytes, other);
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), 1);
    tr_parser_rebase(&p, bytes, other);
    CHECK(p.argv[0].ptr == bytes);
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EPROTO);
    tr_parser_rebase(&p, bytes, other);
    CHECK_EQ_STR(p.error, "Protocol error: invalid multibulk length");
    CHECK(!tr_parser_idle(&p));
    tr_parser_release(&p);
    CHECK(tr_parser_idle(&p));
    CHECK_EQ_INT(mem.used, 0);
}

/* A promise of arguments costs no more than a bounded number of slots. */
static void test_promise(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser_limits limits = pr_limits();
    tr_parser p;
    tr_parser_init(&p, &mem);
    char bytes[] = "*2000000000\r\n" BULKS_1_TO_8 "$1\r\n9\r\n";
    tr_buf buf = {.data = bytes, .wpos = sizeof(bytes) - 1, .cap = sizeof(bytes) - 1};
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
    CHECK_EQ_INT(p.argc, 9);
    CHECK(mem.used < 1100 * sizeof(tr_arg));
    tr_parser_release(&p);
    CHECK_EQ_INT(mem.used, 0);
}

/* A promise of bytes costs no more than some times what has come, and room to begin with. */
static void test_promise_of_bytes(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser_limits limits = pr_limits();
    tr_parser p;
    tr_parser_init(&p, &mem);
    char bytes[] = "*2\r\n$4\r\nECHO\r\n$536870912\r\nand then little";
    tr_buf buf = {.data = bytes, .wpos = sizeof(bytes) - 1, .cap = sizeof(bytes) - 1};
    CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
    for (size_t come = 15; come < 10 << 20;) {
        char *at = NULL;
        size_t len = 0;
        CHECK_EQ_INT(tr_parser_want(&p, &at, &len), 1);
        if (len > 50000) len = 50000;
        memset(at, 'x', len);
        tr_parser_fed(&p, len);
        come += len;
        CHECK_EQ_INT(tr_parser_next(&p, &buf, &limits), TR_EMORE);
        CHECK(mem.used < TR_BIG_GROWTH * come + TR_BIG_FIRST + 4096);
    }
    tr_parser_release(&p);
    CHECK_EQ_INT(mem.used, 0);
}

/* The n-th allocation fails, for every n until none is left to fail. */
static void test_no_memory(void) {
    pr_text data = big_pipeline(), text = {0};
    pr_put(&data, "*200\r\n", 6);
    for (int k = 0; k < 200; k++) put_bulk(&data, 2);
    for (int k = 0; k < 100; k++) pr_put(&data, "w 'q' ", 6);
    pr_put(&data, "\n", 1);
    for (int wants = 0; wants < 2; wants++) {
        uint64_t nth = 0;
        int rc = TR_ENOMEM;
        while (rc == TR_ENOMEM) {
            tr_mem mem;
            tr_mem_init(&mem);
            tr_mem_fail_at(&mem, ++nth);
            pr_feed feed = {.data = data.at, .len = data.len, .step = 20000, .wants = wants,
                            .limits = pr_limits()};
            rc = pr_run(&mem, &feed, &text, NULL);
            CHECK_EQ_INT(mem.used, 0);
            CHECK_EQ_INT(mem.fail_count, rc == TR_ENOMEM);
        }
        CHECK_EQ_INT(rc, TR_EMORE);
        CHECK(nth > 10);
    }
    free(data.at);
    free(text.at);
}

int main(void) {
    RUN(test_tables);
    RUN(test_trailing);
    RUN(test_truncations);
    RUN(test_long_lines);
    RUN(test_limits);
    RUN(test_big);
    RUN(test_want);
    RUN(test_steal);
    RUN(test_big_bound);
    RUN(test_unauthenticated_bulk);
    RUN(test_many_args);
    RUN(test_rebase_of_nothing);
    RUN(test_promise);
    RUN(test_promise_of_bytes);
    RUN(test_no_memory);
    return CHECK_DONE();
}
