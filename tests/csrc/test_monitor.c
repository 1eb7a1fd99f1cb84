/* MONITOR seen by several clients: which commands are shown, how and in which order, and what is hidden. */
#include <stdlib.h>

#include "observe_kit.h"

#define TIME "+1000.000000 "
#define HEAD TIME "[0 ?:0] "

static const char *watch(world *w, int who, int asker, const char *line) {
    ask(w, asker, line);
    take_a_turn(w);
    return got(w, who);
}

static void test_lines(void) {
    static const char *const cases[][2] = {
        {"PING", HEAD "\"PING\"\r\n"},
        {"set k \"a\\x00\\xff\\n\\r\\t\\a\\b\\\"\\\\' \\x7f\\x1b~\"",
         HEAD "\"set\" \"k\" \"a\\x00\\xff\\n\\r\\t\\a\\b\\\"\\\\' \\x7f\\x1b~\"\r\n"},
        {"ECHO \"\"", HEAD "\"ECHO\" \"\"\r\n"},
        {"GET", ""},
        {"NOSUCH x", ""},
        {"SELECT 3", TIME "[3 ?:0] \"SELECT\" \"3\"\r\n"},
        {"SELECT 0", TIME "[0 ?:0] \"SELECT\" \"0\"\r\n"},
        {"CONFIG GET port", ""},
        {"SLOWLOG LEN", ""},
        {"MONITOR", ""},
        {"RESET", HEAD "\"RESET\"\r\n"},
    };
    world *w = malloc(sizeof(*w));
    begin(w);
    CHECK_EQ_STR(ask(w, 0, "MONITOR"), "+OK\r\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ_STR(watch(w, 0, 1, cases[i][0]), cases[i][1]);
    }
    CHECK_EQ_STR(ask(w, 1, "CLIENT ID"), "+OK\r\n");
    pass_us(w, 1234567);
    tr_exec_turn(&w->g->x);
    ask(w, 1, "PING");
    take_a_turn(w);
    CHECK_EQ_STR(got(w, 0), HEAD "\"CLIENT\" \"ID\"\r\n+1001.234567 [0 ?:0] \"PING\"\r\n");
    end(w);
    free(w);
}

static void test_secrets(void) {
    static const char *const cases[][2] = {
        {"AUTH secret", "\"AUTH\" \"(redacted)\""},
        {"AUTH user secret", "\"AUTH\" \"(redacted)\" \"(redacted)\""},
        {"AUTH a secret c", "\"AUTH\" \"(redacted)\" \"(redacted)\" \"(redacted)\""},
        {"HELLO 3 SETNAME auth AUTH u secret",
         "\"HELLO\" \"3\" \"SETNAME\" \"auth\" \"AUTH\" \"(redacted)\" \"(redacted)\""},
        {"HELLO 3 auth u secret SETNAME x",
         "\"HELLO\" \"3\" \"auth\" \"(redacted)\" \"(redacted)\" \"SETNAME\" \"x\""},
        {"HELLO 9 AUTH u secret", "\"HELLO\" \"9\" \"AUTH\" \"(redacted)\" \"(redacted)\""},
        {"HELLO 2 AUTH secret", "\"HELLO\" \"2\" \"AUTH\" \"(redacted)\""},
        {"HELLO 2 SETNAME me", "\"HELLO\" \"2\" \"SETNAME\" \"me\""},
    };
    world *w = malloc(sizeof(*w));
    begin(w);
    ask(w, 0, "MONITOR");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char want[256];
        snprintf(want, sizeof(want), HEAD "%s\r\n", cases[i][1]);
        CHECK_EQ_STR(watch(w, 0, 1, cases[i][0]), want);
    }
    end(w);
    free(w);
}

static void test_transactions(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    ask(w, 0, "MONITOR");
    ask(w, 1, "MULTI");
    ask(w, 1, "SET k 1");
    ask(w, 1, "CONFIG GET port");
    ask(w, 1, "SELECT 1");
    ask(w, 1, "SET k 2");
    CHECK_EQ_STR(watch(w, 0, 1, "EXEC"),
                 HEAD "\"MULTI\"\r\n" HEAD "\"SET\" \"k\" \"1\"\r\n" TIME "[1 ?:0] \"SELECT\" \"1\"\r\n"
                                         TIME "[1 ?:0] \"SET\" \"k\" \"2\"\r\n" TIME "[1 ?:0] \"EXEC\"\r\n");
    ask(w, 2, "MULTI");
    ask(w, 2, "MONITOR");
    CHECK_EQ_STR(ask(w, 2, "EXEC"), "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
    CHECK_EQ_INT(w->g->x.feed.count, 1);
    end(w);
    free(w);
}

static void test_what_a_monitor_may_do(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    CHECK_EQ_STR(ask(w, 0, "MONITOR"), "+OK\r\n");
    CHECK_EQ_STR(ask(w, 0, "MONITOR"), "");
    say(w, 1, "PING");
    say(w, 1, "ECHO x");
    CHECK_EQ_STR(ask(w, 0, "PING"), HEAD "\"PING\"\r\n" HEAD "\"ECHO\" \"x\"\r\n+PONG\r\n");
    take_a_turn(w);
    CHECK_EQ_STR(got(w, 0), HEAD "\"PING\"\r\n");
    CHECK_EQ_STR(ask(w, 0, "GET k"), "-ERR Replica can't interact with the keyspace\r\n");
    CHECK_EQ_STR(ask(w, 0, "SET k v"), "-ERR Replica can't interact with the keyspace\r\n");
    tr_api_pause(w->g, 1, INT64_MAX);
    CHECK_EQ_STR(ask(w, 0, "ECHO not_paused"), "$10\r\nnot_paused\r\n");
    tr_engine_unpause(w->g);
    take_a_turn(w);
    got(w, 0);
    ask(w, 0, "CLIENT REPLY SKIP");
    take_a_turn(w);
    CHECK_EQ_STR(got(w, 0), HEAD "\"CLIENT\" \"REPLY\" \"SKIP\"\r\n");
    ask(w, 0, "PING");
    take_a_turn(w);
    CHECK_EQ_STR(got(w, 0), "");
    ask(w, 0, "CLIENT REPLY OFF");
    CHECK_EQ_STR(watch(w, 0, 1, "PING"), "");
    CHECK_EQ_STR(ask(w, 0, "CLIENT REPLY ON"), "+OK\r\n");
    take_a_turn(w);
    CHECK_EQ_STR(got(w, 0), HEAD "\"CLIENT\" \"REPLY\" \"ON\"\r\n");
    CHECK(w->g->x.look_ns < 0);
    CHECK_EQ_STR(ask(w, 0, "RESET"), "+RESET\r\n");
    CHECK_EQ_STR(watch(w, 0, 1, "PING"), "");
    CHECK_EQ_STR(ask(w, 0, "GET k"), "$-1\r\n");
    CHECK(w->g->x.look_ns > 0);
    CHECK_EQ_INT(tr_monitor_memory(&w->g->x), 0);
    end(w);
    free(w);
}

/* Lines inside of its own transaction wait until the reply is whole. */
static void test_own_transaction(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    ask(w, 0, "MONITOR");
    say(w, 0, "MULTI");
    for (int i = 0; i < 1000; i++) say(w, 0, "ECHO aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    ask(w, 0, "PING");
    const char *reply = ask(w, 0, "EXEC");
    CHECK(strncmp(reply, "*1001\r\n$40\r\n", 12) == 0);
    const char *bad = strstr(reply, "ECHO");
    CHECK(bad == NULL);
    take_a_turn(w);
    const char *lines = got(w, 0);
    int count = 0;
    for (const char *p = lines; (p = strstr(p, "ECHO")) != NULL; p++) count++;
    CHECK_EQ_INT(count, 1000);
    size_t len = strlen(lines);
    CHECK_EQ_STR(lines + len - 8, "\"EXEC\"\r\n");
    end(w);
    free(w);
}

static void test_fan_out_shares(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    ask(w, 0, "MONITOR");
    ask(w, 2, "MONITOR");
    char line[256];
    snprintf(line, sizeof(line), "ECHO %0100d", 0);
    for (int i = 0; i < 1000; i++) say(w, 1, line);
    got(w, 1);
    take_a_turn(w);
    const tr_out_node *one = tr_api_client_of(w->g, w->id[0])->out.head;
    const tr_out_node *other = tr_api_client_of(w->g, w->id[2])->out.head;
    int shared = 0;
    for (; one != NULL && other != NULL; one = one->next, other = other->next) {
        shared += one->blob != NULL && one->blob == other->blob;
    }
    CHECK(one == NULL && other == NULL);
    CHECK(shared >= 8);
    char *first = malloc(KIT_TEXT_MAX);
    strcpy(first, got(w, 0));
    CHECK_EQ_STR(got(w, 2), first);
    free(first);
    CHECK(w->g->x.feed.piece_count <= 1);
    end(w);
    free(w);
}

static void test_big_lines(void) {
    enum { SIZE = 100000 };
    world *w = malloc(sizeof(*w));
    char *value = malloc(SIZE + 64), *want = malloc(4 * SIZE + 256);
    begin(w);
    ask(w, 0, "MONITOR");
    for (int how = 0; how < 2; how++) {
        size_t n = (size_t)sprintf(value, "*2\r\n$4\r\nECHO\r\n$%d\r\n", SIZE);
        memset(value + n, how ? '\x01' : 'x', SIZE);
        memcpy(value + n + SIZE, "\r\n", 2);
        CHECK_EQ_INT(tr_api_feed(w->g, w->id[1], value, n + SIZE + 2), TR_OK);
        got(w, 1);
        char *at = want + sprintf(want, HEAD "\"ECHO\" \"");
        for (int i = 0; i < SIZE; i++) at += sprintf(at, how ? "\\x01" : "x");
        strcpy(at, "\"\r\n");
        take_a_turn(w);
        CHECK_EQ_STR(got(w, 0), want);
    }
    say(w, 1, "PING");
    got(w, 1);
    take_a_turn(w);
    CHECK_EQ_STR(got(w, 0), HEAD "\"PING\"\r\n");
    CHECK(tr_monitor_memory(&w->g->x) < 40000);
    end(w);
    free(value);
    free(want);
    free(w);
}

static void test_leaving(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    for (int i = 0; i < KIT_CLIENTS; i++) ask(w, i, "MONITOR");
    CHECK_EQ_INT(w->g->x.feed.count, 3);
    say(w, 1, "PING");
    tr_engine_kill(w->g, w->id[1], TR_CLOSE_KILLED, 0);
    take_a_turn(w);
    CHECK_EQ_INT(w->g->x.feed.count, 2);
    CHECK_EQ_STR(got(w, 0), HEAD "\"PING\"\r\n");
    CHECK_EQ_STR(got(w, 2), HEAD "\"PING\"\r\n");
    say(w, 0, "QUIT");
    CHECK_EQ_STR(got(w, 0), "+OK\r\n");
    take_a_turn(w);
    CHECK_EQ_STR(got(w, 2), HEAD "\"QUIT\"\r\n");
    end(w);
    free(w);
}

/* Either everything is there, or the monitor is gone: no gaps. */
static void test_each_allocation_fails_once(void) {
    int failures = 0, gone = 0;
    for (uint64_t nth = 1; nth < 40; nth++) {
        world *w = malloc(sizeof(*w));
        begin(w);
        uint64_t before = w->g->mem.fail_count;
        ask(w, 1, "ECHO warm");
        tr_mem_fail_at(&w->g->mem, nth);
        const char *reply = ask(w, 0, "MONITOR");
        int watches = strcmp(reply, "+OK\r\n") == 0;
        int ran = 0;
        for (int i = 0; i < 400; i++) ran += *ask(w, 1, "ECHO aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") == '$';
        take_a_turn(w);
        failures += w->g->mem.fail_count != before;
        tr_mem_fail_at(&w->g->mem, 0);
        if (watches && tr_api_client_of(w->g, w->id[0]) != NULL) {
            int count = 0;
            for (const char *p = got(w, 0); (p = strstr(p, "ECHO")) != NULL; p++) count++;
            CHECK_EQ_INT(count, ran);
        } else {
            gone++;
        }
        end(w);
        free(w);
    }
    CHECK(failures >= 5);
    CHECK(gone >= 3);
}

int main(void) {
    RUN(test_lines);
    RUN(test_secrets);
    RUN(test_transactions);
    RUN(test_what_a_monitor_may_do);
    RUN(test_own_transaction);
    RUN(test_fan_out_shares);
    RUN(test_big_lines);
    RUN(test_leaving);
    RUN(test_each_allocation_fails_once);
    return CHECK_DONE();
}
