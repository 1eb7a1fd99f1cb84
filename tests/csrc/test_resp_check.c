/* tr_resp_check: what is one whole reply, and what only looks like one. */
#include "check.h"

#include <stdlib.h>

#include "resp/check.h"

/* The length of the text as a whole reply, from memory of exactly its size. */
static size_t check(const char *text, int proto) {
    size_t len = strlen(text);
    char *exact = malloc(len + 1);
    memcpy(exact, text, len);
    size_t got = tr_resp_check(exact, len, proto);
    free(exact);
    return got;
}

static void test_whole(void) {
    static const char *const both[] = {
        "+\r\n",      "+OK\r\n",         "-ERR x\r\n",           ":0\r\n",      ":-12\r\n",  ":+3\r\n",
        "$0\r\n\r\n", "$3\r\na\r\n\r\n", "$-1\r\n",              "*0\r\n",      "*-1\r\n",  "*2\r\n:1\r\n$-1\r\n",
        "*1\r\n*2\r\n*0\r\n+x\r\n",
    };
    static const char *const three[] = {
        "_\r\n", "#t\r\n", "#f\r\n", ",1.5\r\n", ",inf\r\n",
        "(-123456789012345678901234567890\r\n", "(\r\n", "(12 3x\r\n",
        "!3\r\nERR\r\n", "=7\r\ntxt:abc\r\n", "~1\r\n:1\r\n",
        "%1\r\n+k\r\n:1\r\n", ">1\r\n+x\r\n", "|1\r\n+k\r\n+v\r\n:1\r\n",
    };
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        CHECK_EQ_INT(check(both[i], 2), strlen(both[i]));
        CHECK_EQ_INT(check(both[i], 3), strlen(both[i]));
    }
    for (size_t i = 0; i < sizeof three / sizeof *three; i++) {
        CHECK_EQ_INT(check(three[i], 2), 0);
        CHECK_EQ_INT(check(three[i], 3), strlen(three[i]));
        char inside[64];
        snprintf(inside, sizeof inside, "*2\r\n%s:1\r\n", three[i]);
        CHECK_EQ_INT(check(inside, 3), strlen(inside));
    }
    CHECK_EQ_INT(check("+OK\r\n+more\r\n", 2), 5);
}

/* No beginning of a reply is one. */
static void test_cut(void) {
    const char *text = "*3\r\n$3\r\nabc\r\n%1\r\n+k\r\n,1\r\n|1\r\n+a\r\n+b\r\n_\r\n";
    CHECK_EQ_INT(check(text, 3), strlen(text));
    for (size_t len = 0; len < strlen(text); len++) {
        char cut[64];
        memcpy(cut, text, len);
        cut[len] = '\0';
        CHECK_EQ_INT(check(cut, 3), 0);
    }
}

static void test_wrong(void) {
    static const char *const wrong[] = {
        "", "OK\r\n", "+a\nb\r\n", "+a\rb\r\n", "+OK\n", ":\r\n", ":x\r\n", ":-\r\n", ":1 \r\n",
        "$\r\n", "$-2\r\n", "$3\r\nabcd\r\n", "$3\r\nabc\n\r", "$99999999999\r\n", "*-2\r\n",
        "*x\r\n", "#x\r\n", "#tt\r\n", "_x\r\n", ",\r\n", "(1\n\r\n", "%-1\r\n", "~-1\r\n",
        "|1\r\n+k\r\n+v\r\n", "$18446744073709551615\r\n", "*9999999999\r\n",
        "%9999999999\r\n:1\r\n", "\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_EQ_INT(check(wrong[i], 3), 0);
}

static void test_depth(void) {
    enum { DEPTH = 100000 };
    char *deep = malloc(DEPTH * 4 + 8);
    for (int i = 0; i < DEPTH; i++) memcpy(deep + 4 * i, "*1\r\n", 4);
    memcpy(deep + DEPTH * 4, ":1\r\n", 5);
    CHECK_EQ_INT(check(deep, 2), DEPTH * 4 + 4);
    deep[DEPTH * 4] = '\0';
    CHECK_EQ_INT(check(deep, 2), 0);
    free(deep);
}

static void test_answers(void) {
    static const char *const good[] = {"", ":1\r\n", ">1\r\n+x\r\n", ">1\r\n+x\r\n:1\r\n", ":1\r\n>0\r\n>1\r\n+x\r\n"};
    static const char *const bad[] = {":1\r\n:2\r\n", ":1\r\n>0\r\n:1\r\n", ":1\r\n>1\r\n", ":1", "|1\r\n+k\r\n+v\r\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(tr_resp_check_answer(good[i], strlen(good[i]), 3));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!tr_resp_check_answer(bad[i], strlen(bad[i]), 3));
    CHECK(tr_resp_check_answer(good[1], strlen(good[1]), 2));
    CHECK(!tr_resp_check_answer(good[2], strlen(good[2]), 2));
}

int main(void) {
    RUN(test_whole);
    RUN(test_cut);
    RUN(test_wrong);
    RUN(test_depth);
    RUN(test_answers);
    return CHECK_DONE();
}
