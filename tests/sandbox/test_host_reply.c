/* Aim: replies are the bytes that Redis sends, in both versions of RESP. Method: each function of
 * the module API is called and what was written compared; mistakes of a module end it or are logged. */
#include <limits.h>
#include <math.h>

#include "host_kit.h"
#include "resp/check.h"
#include "sandbox/host/block.h"
#include "sandbox/host/call_reply.h"
#include "sandbox/host/reply.h"

static RedisModuleCtx ctx;

/* A context of a command of this version; the text that came out must be that. */
#define REPLY(version, calls, want)                                                                \
    do {                                                                                           \
        begin(version);                                                                            \
        calls;                                                                                     \
        CHECK_EQ_STR(written(), want);                                                                 \
    } while (0)

static char shown[64 * 1024];

static void begin(uint8_t version) {
    memset(&ctx, 0, sizeof ctx);
    ctx.flags = TR_CTX_COMMAND;
    tr_reply_init(&ctx.reply, version);
    kit_log_count = 0;
}

/* The bytes as they stand. */
static const char *written(void) {
    CHECK(ctx.reply.out.len < sizeof shown);
    if (ctx.reply.out.len != 0) memcpy(shown, ctx.reply.out.p, ctx.reply.out.len);
    shown[ctx.reply.out.len] = '\0';
    tr_reply_drop(&ctx.reply);
    return shown;
}

/* ... after what is done before they are sent. */
static const char *end(void) {
    tr_reply_finish(&ctx.reply);
    return written();
}

static void test_plain_values(void) {
    for (uint8_t version = 2; version <= 3; version++) {
        REPLY(version, tr_rm_ReplyWithLongLong(&ctx, INT64_MIN), ":-9223372036854775808\r\n");
        REPLY(version, tr_rm_ReplyWithSimpleString(&ctx, "OK"), "+OK\r\n");
        REPLY(version, tr_rm_ReplyWithCString(&ctx, "abc"), "$3\r\nabc\r\n");
        REPLY(version, tr_rm_ReplyWithStringBuffer(&ctx, NULL, 0), "$0\r\n\r\n");
        REPLY(version, tr_rm_ReplyWithEmptyString(&ctx), "$0\r\n\r\n");
        REPLY(version, tr_rm_ReplyWithEmptyArray(&ctx), "*0\r\n");
        REPLY(version, tr_rm_ReplyWithArray(&ctx, 3), "*3\r\n");
    }
    RedisModuleString s = {.p = (char *)"a b", .len = 3};
    REPLY(2, tr_rm_ReplyWithString(&ctx, &s), "$3\r\na b\r\n");
}

static void test_values_of_resp3(void) {
    REPLY(2, tr_rm_ReplyWithNull(&ctx), "$-1\r\n");
    REPLY(3, tr_rm_ReplyWithNull(&ctx), "_\r\n");
    REPLY(2, tr_rm_ReplyWithNullArray(&ctx), "*-1\r\n");
    REPLY(3, tr_rm_ReplyWithNullArray(&ctx), "_\r\n");
    REPLY(2, tr_rm_ReplyWithBool(&ctx, 9), ":1\r\n");
    REPLY(2, tr_rm_ReplyWithBool(&ctx, 0), ":0\r\n");
    REPLY(3, tr_rm_ReplyWithBool(&ctx, 9), "#t\r\n");
    REPLY(3, tr_rm_ReplyWithBool(&ctx, 0), "#f\r\n");
    REPLY(2, tr_rm_ReplyWithMap(&ctx, 2), "*4\r\n");
    REPLY(3, tr_rm_ReplyWithMap(&ctx, 2), "%2\r\n");
    REPLY(2, tr_rm_ReplyWithSet(&ctx, 2), "*2\r\n");
    REPLY(3, tr_rm_ReplyWithSet(&ctx, 0), "~0\r\n");
    REPLY(2, tr_rm_ReplyWithBigNumber(&ctx, "12345678901234567890123", 23), "$23\r\n12345678901234567890123\r\n");
    REPLY(3, tr_rm_ReplyWithBigNumber(&ctx, "-1", 2), "(-1\r\n");
    REPLY(2, tr_rm_ReplyWithVerbatimString(&ctx, "x\ny", 3), "$3\r\nx\ny\r\n");
    REPLY(3, tr_rm_ReplyWithVerbatimString(&ctx, "x\ny", 3), "=7\r\ntxt:x\ny\r\n");
    REPLY(3, tr_rm_ReplyWithVerbatimStringType(&ctx, "", 0, "m"), "=4\r\nm  :\r\n");
    REPLY(3, tr_rm_ReplyWithVerbatimStringType(&ctx, "x", 1, "markdown"), "=5\r\nmar:x\r\n");
}

static void test_numbers(void) {
    static const struct {
        double value;
        const char *text;
    } doubles[] = {{0.1, "0.1"}, {-0.0, "-0"}, {1e17, "100000000000000000"}, {5e-324, "5e-324"},
                   {INFINITY, "inf"}, {-INFINITY, "-inf"}, {NAN, "nan"}, {3.0, "3"}};
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        char want[64];
        snprintf(want, sizeof want, ",%s\r\n", doubles[i].text);
        REPLY(3, tr_rm_ReplyWithDouble(&ctx, doubles[i].value), want);
        snprintf(want, sizeof want, "$%zu\r\n%s\r\n", strlen(doubles[i].text), doubles[i].text);
        REPLY(2, tr_rm_ReplyWithDouble(&ctx, doubles[i].value), want);
    }
    REPLY(3, tr_rm_ReplyWithLongDouble(&ctx, 3.14159265358979323846L), ",3.14159265358979324\r\n");
    REPLY(2, tr_rm_ReplyWithLongDouble(&ctx, -0.5L), "$4\r\n-0.5\r\n");
    REPLY(3, tr_rm_ReplyWithLongDouble(&ctx, -0.0L), ",0\r\n");
    REPLY(2, tr_rm_ReplyWithLongDouble(&ctx, -INFINITY), "$4\r\n-inf\r\n");
    begin(3);
    tr_rm_ReplyWithLongDouble(&ctx, 1e4932L);
    CHECK_EQ_INT(ctx.reply.out.len, 1 + 4933 + 2);
    written();
}

static void test_attributes(void) {
    begin(2);
    CHECK_EQ_INT(tr_rm_ReplyWithAttribute(&ctx, 1), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_ReplyWithAttribute(&ctx, REDISMODULE_POSTPONED_LEN), REDISMODULE_ERR);
    tr_rm_ReplySetAttributeLength(&ctx, 1);
    tr_rm_ReplySetPushLength(&ctx, 1);
    CHECK_EQ_INT(kit_log_count, 0);
    CHECK_EQ_STR(written(), "");
    begin(3);
    CHECK_EQ_INT(tr_rm_ReplyWithAttribute(&ctx, 1), REDISMODULE_OK);
    tr_rm_ReplyWithLongLong(&ctx, 1);
    tr_rm_ReplyWithLongLong(&ctx, 2);
    tr_rm_ReplyWithAttribute(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplySetAttributeLength(&ctx, 0);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplyWithNull(&ctx);
    tr_rm_ReplySetPushLength(&ctx, 1);
    CHECK_EQ_STR(written(), "|1\r\n:1\r\n:2\r\n|0\r\n>1\r\n_\r\n");
    RedisModuleCtx closing;
    begin(2);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    closing = ctx;
    CHECK_DIES(TR_DIE_HOST, tr_reply_set_length(&closing.reply, TR_GROUP_PUSH, 1));
    written();
}

static void test_postponed(void) {
    begin(3);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplyWithMap(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplySetMapLength(&ctx, 0);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN); /* what it is, is told at the end */
    tr_rm_ReplyWithLongLong(&ctx, 7);
    tr_rm_ReplySetSetLength(&ctx, 1);
    tr_rm_ReplyWithNull(&ctx);
    tr_rm_ReplySetArrayLength(&ctx, 3);
    CHECK_EQ_INT(kit_log_count, 0);
    CHECK_EQ_STR(written(), "*3\r\n%0\r\n~1\r\n:7\r\n_\r\n");
    begin(2);
    tr_rm_ReplyWithMap(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplySetMapLength(&ctx, 5);
    tr_rm_ReplySetArrayLength(&ctx, 5);
    CHECK_EQ_INT(kit_log_count, 1);
    CHECK(strstr(kit_log_text, "ReplySetArrayLength") != NULL);
    CHECK_EQ_STR(written(), "*10\r\n");
    begin(2);
    for (int i = 0; i < 1000; i++) tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    for (int i = 0; i < 1000; i++) tr_rm_ReplySetArrayLength(&ctx, i);
    CHECK(strncmp(written(), "*999\r\n*998\r\n", 12) == 0);
}

static void test_lengths_that_nobody_sets(void) {
    begin(3);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplyWithLongLong(&ctx, 1);
    tr_rm_ReplyWithMap(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplyWithArray(&ctx, 2);
    tr_rm_ReplyWithLongLong(&ctx, 2);
    tr_rm_ReplyWithLongLong(&ctx, 3);
    tr_rm_ReplyWithAttribute(&ctx, 0);
    tr_rm_ReplyWithCString(&ctx, "x");
    const char *text = end();
    CHECK_EQ_STR(text, "*2\r\n:1\r\n*2\r\n*2\r\n:2\r\n:3\r\n|0\r\n$1\r\nx\r\n");
    CHECK_EQ_INT(kit_log_count, 1);
    CHECK_EQ_INT(kit_log_level, 3);
    CHECK_EQ_INT(tr_call_reply_scan(text, strlen(text)), strlen(text));
}

#define NOT_WHOLE "-ERR the module's reply is not one whole value\r\n"

/* Sent as it is, it would end the process, or the client would take the next reply for a part of it. */
static void test_what_is_no_reply(void) {
    begin(2);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplyWithArray(&ctx, 2); /* and the second one is missing */
    tr_rm_ReplyWithLongLong(&ctx, 2);
    CHECK_EQ_STR(end(), NOT_WHOLE);
    CHECK_EQ_INT(kit_log_count, 2);
    begin(2);
    tr_rm_ReplyWithLongLong(&ctx, 1);
    tr_rm_ReplyWithLongLong(&ctx, 2);
    tr_reply_finish(&ctx.reply);
    CHECK(ctx.reply.failed);
    CHECK_EQ_INT(ctx.reply.code_count, 1);
    CHECK_EQ_STR(written(), NOT_WHOLE);
    begin(3);
    tr_rm_ReplyWithAttribute(&ctx, 1);
    tr_rm_ReplyWithNull(&ctx);
    tr_rm_ReplyWithNull(&ctx);
    CHECK_EQ_STR(end(), NOT_WHOLE);
    begin(3);
    tr_rm_ReplyWithMap(&ctx, LONG_MAX);
    tr_rm_ReplyWithNull(&ctx);
    CHECK_EQ_STR(end(), NOT_WHOLE);
    begin(3); /* a push is no reply */
    tr_rm_ReplyWithLongLong(&ctx, 1);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    tr_rm_ReplySetPushLength(&ctx, 0);
    CHECK_EQ_STR(end(), ":1\r\n>0\r\n");
    CHECK_EQ_INT(kit_log_count, 0);
}

static void test_line_ends_in_lines(void) {
    REPLY(2, tr_rm_ReplyWithSimpleString(&ctx, "two\r\nlines\n"), "+two  lines \r\n");
    REPLY(3, tr_rm_ReplyWithSimpleString(&ctx, ""), "+\r\n");
    REPLY(3, tr_rm_ReplyWithBigNumber(&ctx, "12\r\n3", 5), "(12  3\r\n");
    REPLY(2, tr_rm_ReplyWithBigNumber(&ctx, "12\r\n3", 5), "$5\r\n12\r\n3\r\n");
    REPLY(3, tr_rm_ReplyWithBigNumber(&ctx, "", 0), "(\r\n");
    REPLY(3, tr_rm_ReplyWithVerbatimStringType(&ctx, "x\r\n", 3, "\r\n"), "=7\r\n\r\n :x\r\n\r\n");
}

static uint64_t random_state;

static unsigned roll(unsigned sides) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % sides;
}

/* One of the functions, with text that means something to RESP. */
static void reply_at_random(RedisModuleCallReply *const *replies, unsigned reply_count) {
    static const char alphabet[] = "\r\n\r\n\0$*-+:(,_#>|%~=19 ax";
    static const long lengths[] = {0, 1, 1, 2, 3, REDISMODULE_POSTPONED_LEN, REDISMODULE_POSTPONED_LEN, 1000000,
                                   LONG_MAX};
    static char text[70001];
    size_t len = roll(50) == 0 ? sizeof text - 1 : roll(12);
    for (size_t i = 0; i < len; i++) text[i] = alphabet[roll(sizeof alphabet - 1)];
    text[len] = '\0';
    long count = lengths[roll(sizeof lengths / sizeof *lengths)];
    RedisModuleString string = {.p = text, .len = len};
    switch (roll(26)) {
    case 0: tr_rm_ReplyWithError(&ctx, text); break;
    case 1: tr_rm_ReplyWithErrorFormat(&ctx, "%s %d", text, 1); break;
    case 2: tr_rm_ReplyWithSimpleString(&ctx, text); break;
    case 3: tr_rm_ReplyWithStringBuffer(&ctx, text, len); break;
    case 4: tr_rm_ReplyWithCString(&ctx, text); break;
    case 5: tr_rm_ReplyWithString(&ctx, &string); break;
    case 6: tr_rm_ReplyWithVerbatimString(&ctx, text, len); break;
    case 7: tr_rm_ReplyWithVerbatimStringType(&ctx, text, len, text); break;
    case 8: tr_rm_ReplyWithBigNumber(&ctx, text, len); break;
    case 9: tr_rm_ReplyWithArray(&ctx, count); break;
    case 10: tr_rm_ReplyWithMap(&ctx, count); break;
    case 11: tr_rm_ReplyWithSet(&ctx, count); break;
    case 12: tr_rm_ReplyWithAttribute(&ctx, count); break;
    case 13: tr_rm_ReplySetArrayLength(&ctx, (long)roll(4)); break;
    case 14: tr_rm_ReplySetMapLength(&ctx, (long)roll(3)); break;
    case 15: tr_rm_ReplySetSetLength(&ctx, (long)roll(3)); break;
    case 16: tr_rm_ReplySetAttributeLength(&ctx, (long)roll(3)); break;
    case 17: tr_rm_ReplySetPushLength(&ctx, (long)roll(3)); break;
    case 18: tr_rm_ReplyWithNull(&ctx); break;
    case 19: tr_rm_ReplyWithNullArray(&ctx); break;
    case 20: tr_rm_ReplyWithBool(&ctx, (int)roll(2)); break;
    case 21: tr_rm_ReplyWithDouble(&ctx, roll(2) == 0 ? NAN : -1.0 / (double)roll(9)); break;
    case 22: tr_rm_ReplyWithLongDouble(&ctx, roll(2) == 0 ? (long double)NAN : 1.0L / roll(9)); break;
    case 23: tr_rm_ReplyWithLongLong(&ctx, (long long)random_state); break;
    case 24: tr_rm_WrongArity(&ctx); break;
    default: tr_rm_ReplyWithCallReply(&ctx, replies[roll(reply_count)]);
    }
}

/* Whatever is replied with, in whatever order, the engine takes what comes out. */
static void test_replies_at_random(void) {
    static const char *const texts[] = {"*2\r\n$1\r\na\r\n-BAD x\r\n", ">1\r\n:1\r\n+x\r\n", "",
                                        "%1\r\n+a\r\n(x\r\n", "|1\r\n+a\r\n+b\r\n#t\r\n", "+x\r\n>0\r\n",
                                        "!3\r\nERR\r\n"};
    enum { TEXTS = sizeof texts / sizeof *texts, ROUNDS = 40000 };
    RedisModuleCallReply *replies[TEXTS];
    for (unsigned i = 0; i < TEXTS; i++) {
        replies[i] = tr_call_reply_new(NULL, tr_need_copy(texts[i], strlen(texts[i])), strlen(texts[i]));
    }
    unsigned replaced = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        random_state = round;
        uint8_t version = (uint8_t)(2 + roll(2));
        begin(version);
        for (unsigned calls = 1 + roll(8); calls != 0; calls--) reply_at_random(replies, TEXTS);
        tr_reply_finish(&ctx.reply);
        int fits = tr_resp_check_answer(ctx.reply.out.p, ctx.reply.out.len, version);
        if (!fits) fprintf(stderr, "round %u: ", round);
        CHECK(fits);
        size_t size = strlen(NOT_WHOLE);
        replaced += ctx.reply.out.len == size && memcmp(ctx.reply.out.p, NOT_WHOLE, size) == 0;
        tr_reply_drop(&ctx.reply);
    }
    CHECK(replaced > ROUNDS / 10 && replaced < ROUNDS * 9 / 10);
    for (unsigned i = 0; i < TEXTS; i++) tr_rm_FreeCallReply(replies[i]);
}

static void test_wrong_lengths(void) {
    begin(2);
    CHECK_DIES(TR_DIE_HOST, tr_rm_ReplyWithArray(&ctx, -2));
    CHECK(strstr(kit_death_text, "ReplyWithArray") != NULL && strstr(kit_death_text, "-2") != NULL);
    tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN);
    CHECK_DIES(TR_DIE_HOST, tr_rm_ReplySetArrayLength(&ctx, -1));
    written();
}

/* The codes counted so far, each with a space behind it. */
static const char *codes(void) {
    static char text[4096];
    size_t len = 0;
    const char *p = ctx.reply.codes.p;
    for (uint32_t i = 0; i < ctx.reply.code_count; i++, p += strlen(p) + 1) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s ", p);
    }
    return text;
}

static void test_errors(void) {
    REPLY(2, tr_rm_ReplyWithError(&ctx, "ERR what"), "-ERR what\r\n");
    REPLY(3, tr_rm_ReplyWithError(&ctx, "-ERR what"), "--ERR what\r\n");
    REPLY(2, tr_rm_ReplyWithError(&ctx, ""), "-\r\n");
    REPLY(2, tr_rm_ReplyWithError(&ctx, "\r\n"), "-\r\n");
    REPLY(2, tr_rm_ReplyWithError(&ctx, "A b\r\nc\n\r\n"), "-A b  c\r\n");
    REPLY(2, tr_rm_ReplyWithErrorFormat(&ctx, "CODE %d %s\n", 5, "x\ny"), "-CODE 5 x y\r\n");
    begin(2);
    CHECK(!ctx.reply.failed);
    tr_rm_ReplyWithError(&ctx, "WRONGTYPE a b");
    tr_rm_ReplyWithErrorFormat(&ctx, "%s", "nospace");
    tr_rm_ReplyWithError(&ctx, "ABCDEFGHIJKLMNOPQRSTUVWXYZ1234 x");
    tr_rm_ReplyWithError(&ctx, "ABCDEFGHIJKLMNOPQRSTUVWXYZ12345 x");
    CHECK(ctx.reply.failed);
    CHECK_EQ_STR(codes(), "WRONGTYPE ERR ABCDEFGHIJKLMNOPQRSTUVWXYZ1234 ERR ");
    for (int i = 0; i < 100; i++) tr_rm_ReplyWithError(&ctx, "ERR x");
    CHECK_EQ_INT(ctx.reply.code_count, TR_REPLY_CODES_MAX);
    written();
}

static void test_wrong_arity(void) {
    tr_host_command command = {.fullname = (char *)"container|Sub"};
    REPLY(2, (ctx.command = &command, tr_rm_WrongArity(&ctx)),
          "-ERR wrong number of arguments for 'container|Sub' command\r\n");
}

static void test_nobody_listens(void) {
    for (int i = 0; i < 2; i++) {
        begin(2);
        ctx.flags = i == 0 ? TR_CTX_NO_CLIENT : TR_CTX_THREAD;
        CHECK_EQ_INT(tr_rm_ReplyWithLongLong(&ctx, 1), REDISMODULE_OK);
        CHECK_EQ_INT(tr_rm_ReplyWithError(&ctx, "ERR x"), REDISMODULE_OK);
        CHECK_EQ_INT(tr_rm_WrongArity(&ctx), REDISMODULE_OK);
        CHECK_EQ_INT(tr_rm_ReplyWithArray(&ctx, REDISMODULE_POSTPONED_LEN), REDISMODULE_OK);
        tr_rm_ReplySetArrayLength(&ctx, 1);
        CHECK(!ctx.reply.failed);
        CHECK_EQ_INT(kit_log_count, 0);
        CHECK_EQ_STR(written(), "");
    }
}

/* A thread's replies are gathered with the client that waits for them. */
static void test_reply_of_a_thread(void) {
    RedisModuleBlockedClient blocked = {0};
    tr_reply_init(&blocked.reply, 2);
    begin(2);
    ctx.flags = TR_CTX_THREAD;
    ctx.blocked = &blocked;
    CHECK_EQ_INT(tr_rm_ReplyWithLongLong(&ctx, 1), REDISMODULE_OK);
    CHECK_EQ_STR(written(), "");
    CHECK(blocked.reply.out.len == 4 && memcmp(blocked.reply.out.p, ":1\r\n", 4) == 0);
    tr_reply_drop(&blocked.reply);
}

static RedisModuleCallReply *reply_of(const char *text) {
    return tr_call_reply_new(NULL, tr_need_copy(text, strlen(text)), strlen(text));
}

static void test_handing_on(void) {
    RedisModuleCallReply *old = reply_of("*2\r\n$1\r\na\r\n-BAD x\r\n");
    REPLY(2, tr_rm_ReplyWithCallReply(&ctx, old), "*2\r\n$1\r\na\r\n-BAD x\r\n");
    begin(3);
    CHECK_EQ_INT(tr_rm_ReplyWithCallReply(&ctx, old), REDISMODULE_OK);
    CHECK(ctx.reply.failed);
    CHECK_EQ_STR(codes(), "BAD ");
    written();
    begin(2); /* of a part the errors are not counted */
    tr_rm_ReplyWithCallReply(&ctx, tr_rm_CallReplyArrayElement(old, 1));
    CHECK(!ctx.reply.failed);
    CHECK_EQ_STR(written(), "-BAD x\r\n");
    RedisModuleCallReply *new = reply_of("*2\r\n:1\r\n*1\r\n#t\r\n");
    begin(2);
    CHECK_EQ_INT(tr_rm_ReplyWithCallReply(&ctx, new), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_ReplyWithCallReply(&ctx, tr_rm_CallReplyArrayElement(new, 1)), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_ReplyWithCallReply(&ctx, tr_rm_CallReplyArrayElement(new, 0)), REDISMODULE_OK);
    CHECK_EQ_STR(written(), ":1\r\n");
    REPLY(3, tr_rm_ReplyWithCallReply(&ctx, new), "*2\r\n:1\r\n*1\r\n#t\r\n");
    RedisModuleCallReply *pushed = reply_of(">1\r\n+x\r\n:1\r\n");
    begin(2);
    CHECK_EQ_INT(tr_rm_ReplyWithCallReply(&ctx, pushed), REDISMODULE_ERR);
    REPLY(3, tr_rm_ReplyWithCallReply(&ctx, pushed), ">1\r\n+x\r\n:1\r\n");
    tr_rm_FreeCallReply(old);
    tr_rm_FreeCallReply(new);
    tr_rm_FreeCallReply(pushed);
}

int main(void) {
    RUN(test_plain_values);
    RUN(test_values_of_resp3);
    RUN(test_numbers);
    RUN(test_attributes);
    RUN(test_postponed);
    RUN(test_lengths_that_nobody_sets);
    RUN(test_what_is_no_reply);
    RUN(test_line_ends_in_lines);
    RUN(test_replies_at_random);
    RUN(test_wrong_lengths);
    RUN(test_errors);
    RUN(test_wrong_arity);
    RUN(test_nobody_listens);
    RUN(test_reply_of_a_thread);
    RUN(test_handing_on);
    return CHECK_DONE();
}
