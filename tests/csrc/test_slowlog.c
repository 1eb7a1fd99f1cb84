/* The slow log: what enters it and what it keeps, secrets, limits that change, memory that fails. */
#include <stdlib.h>

#include "observe_kit.h"

static void limit(world *w, int64_t than_us, uint64_t max_len) {
    w->g->settings.slowlog_than_us = than_us;
    w->g->settings.slowlog_max_len = max_len;
    tr_engine_apply(w->g);
}

static void test_what_enters(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    ask(w, 0, "LOLWUT VERSION 9999");
    ask(w, 0, "PING");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":0\r\n");
    ask(w, 0, "LOLWUT VERSION 10000");
    ask(w, 0, "LOLWUT VERSION 2000000");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG GET"),
                 "*2\r\n"
                 "*6\r\n:1\r\n:1002\r\n:2000000\r\n*3\r\n$6\r\nLOLWUT\r\n$7\r\nVERSION\r\n$7\r\n2000000\r\n"
                 "$3\r\n?:0\r\n$0\r\n\r\n"
                 "*6\r\n:0\r\n:1000\r\n:10000\r\n*3\r\n$6\r\nLOLWUT\r\n$7\r\nVERSION\r\n$5\r\n10000\r\n"
                 "$3\r\n?:0\r\n$0\r\n\r\n");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG RESET"), "+OK\r\n");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG GET"), "*0\r\n");
    limit(w, -1, 128);
    ask(w, 0, "LOLWUT VERSION 5000000");
    limit(w, 0, 0);
    ask(w, 0, "LOLWUT VERSION 5000000");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":0\r\n");
    limit(w, INT64_MAX, 128);
    ask(w, 0, "LOLWUT VERSION 5000000");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":0\r\n");
    limit(w, 0, 128);
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":0\r\n"); /* itself is in only when it has ended */
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":1\r\n");
    CHECK_EQ_INT(w->g->x.slowlog.newest->id, 3); /* ids go on after a reset */
    end(w);
    free(w);
}

/* The second slow command of a turn is logged although the first was slower. */
static void test_several_in_a_turn(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    ask(w, 0, "LOLWUT VERSION 90000");
    ask(w, 0, "LOLWUT VERSION 20000");
    ask(w, 0, "LOLWUT VERSION 30000");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":3\r\n");
    end(w);
    free(w);
}

static void test_counts(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    static const char bad[] = "-ERR count should be greater than or equal to -1\r\n";
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG GET -2"), bad);
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG GET x"), bad);
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG GET 1 2"),
                 "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n");
    for (int i = 0; i < 15; i++) ask(w, 0, "LOLWUT VERSION 20000");
    CHECK(strncmp(ask(w, 0, "SLOWLOG GET"), "*10\r\n", 5) == 0);
    CHECK(strncmp(ask(w, 0, "SLOWLOG GET 3"), "*3\r\n*6\r\n:14\r\n", 13) == 0);
    CHECK(strncmp(ask(w, 0, "SLOWLOG GET 100"), "*15\r\n", 5) == 0);
    CHECK(strncmp(ask(w, 0, "SLOWLOG GET -1"), "*15\r\n", 5) == 0);
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG GET 0"), "*0\r\n");
    limit(w, 10000, 4);
    ask(w, 0, "LOLWUT VERSION 20000");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":4\r\n");
    CHECK_EQ_INT(w->g->x.slowlog.oldest->id, 12);
    CHECK_EQ_INT(tr_slowlog_from(&w->g->x.slowlog, 0)->id, 12);
    CHECK_EQ_INT(tr_slowlog_from(&w->g->x.slowlog, 14)->id, 14);
    CHECK(tr_slowlog_from(&w->g->x.slowlog, 16) == NULL);
    end(w);
    free(w);
}

static void test_long_commands(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    limit(w, 0, 128);
    char line[8192] = "DEL", *at = line + 3;
    for (int i = 1; i < 40; i++) at += sprintf(at, " k%d", i);
    ask(w, 0, line);
    const tr_slow *e = w->g->x.slowlog.newest;
    CHECK_EQ_INT(e->argc, 40);
    CHECK_EQ_INT(e->arg_count, TR_SLOW_ARGS);
    CHECK_EQ_MEM(e->args[30].ptr, e->args[30].len, "k30", 3);
    CHECK_EQ_MEM(e->args[31].ptr, e->args[31].len, "... (9 more arguments)", 22);
    at = line + sprintf(line, "DEL");
    for (int i = 1; i < 32; i++) at += sprintf(at, " k%d", i);
    ask(w, 0, line);
    e = w->g->x.slowlog.newest;
    CHECK_EQ_INT(e->arg_count, 32);
    CHECK_EQ_MEM(e->args[31].ptr, e->args[31].len, "k31", 3);
    char value[200];
    memset(value, 'v', sizeof(value));
    sprintf(line, "ECHO %.128s", value);
    ask(w, 0, line);
    CHECK_EQ_MEM(w->g->x.slowlog.newest->args[1].ptr, w->g->x.slowlog.newest->args[1].len, value, 128);
    sprintf(line, "ECHO %.129s", value);
    ask(w, 0, line);
    e = w->g->x.slowlog.newest;
    CHECK_EQ_MEM(e->args[1].ptr + 128, e->args[1].len - 128, "... (1 more bytes)", 18);
    end(w);
    free(w);
}

static void check_newest(const world *w, const char *want) {
    const tr_slow *e = w->g->x.slowlog.newest;
    char text[1024] = "";
    for (int i = 0; e && i < e->arg_count; i++) {
        if (i > 0) strcat(text, " ");
        strncat(text, e->args[i].ptr, e->args[i].len);
    }
    CHECK_EQ_STR(text, want);
}

static void test_secrets_and_names(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    limit(w, 0, 128);
    static const char *const cases[][2] = {
        {"AUTH secret", "AUTH (redacted)"},
        {"CONFIG SET maxmemory 0 RequirePass secret timeout 0 masterauth secret",
         "CONFIG SET maxmemory 0 RequirePass (redacted) timeout 0 masterauth (redacted)"},
        {"CONFIG SET timeout requirepass secret", "CONFIG SET timeout requirepass secret"},
        {"CONFIG GET requirepass", "CONFIG GET requirepass"},
        {"HELLO 2 AUTH u secret SETNAME me", "HELLO 2 AUTH (redacted) (redacted) SETNAME me"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask(w, 0, cases[i][0]);
        check_newest(w, cases[i][1]);
    }
    tr_client *c = tr_api_client_of(w->g, w->id[0]);
    CHECK_EQ_INT(tr_client_set_text(c, &c->name, "somebody", 8), TR_OK);
    ask(w, 0, "PING");
    const tr_slow *e = w->g->x.slowlog.newest;
    CHECK_EQ_MEM(e->name.ptr, e->name.len, "somebody", 8);
    CHECK_EQ_INT(e->client_id, w->id[0]);
    tr_api_slow read;
    CHECK_EQ_INT(tr_api_slow_from(w->g, e->id, &read), 1);
    CHECK_EQ_STR(read.command, "ping");
    CHECK_EQ_INT(tr_api_slow_from(w->g, e->id + 1, &read), 0);
    end(w);
    free(w);
}

static void test_transactions(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    ask(w, 0, "MULTI");
    ask(w, 0, "LOLWUT VERSION 20000");
    ask(w, 0, "PING");
    ask(w, 0, "EXEC");
    CHECK_EQ_STR(ask(w, 0, "SLOWLOG LEN"), ":1\r\n"); /* the command, not EXEC */
    check_newest(w, "LOLWUT VERSION 20000");
    end(w);
    free(w);
}

static void test_no_memory_no_entry(void) {
    int failures = 0;
    for (uint64_t nth = 1; nth < 6; nth++) {
        world *w = malloc(sizeof(*w));
        begin(w);
        ask(w, 0, "PING");
        tr_mem_fail_at(&w->g->mem, nth);
        ask(w, 0, "LOLWUT VERSION 20000");
        int failed = w->g->mem.fail_count != 0;
        tr_mem_fail_at(&w->g->mem, 0);
        failures += failed;
        if (tr_api_client_of(w->g, w->id[0]) != NULL) {
            CHECK_EQ_STR(ask(w, 0, "PING"), "+PONG\r\n");
            if (!failed) CHECK_EQ_INT(w->g->x.slowlog.count, 1);
        }
        end(w);
        free(w);
    }
    CHECK(failures >= 1);
}

static void test_busy(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    w->g->settings.busy_reply_ms = 100;
    limit(w, -1, 0);
    ask(w, 0, "LOLWUT VERSION 99999");
    ask(w, 0, "MULTI");
    ask(w, 0, "LOLWUT VERSION 60000");
    ask(w, 0, "LOLWUT VERSION 60000");
    ask(w, 0, "EXEC");
    CHECK_EQ_INT(w->g->x.notes.busy, 1);
    CHECK_EQ_STR(w->g->x.notes.busy_command, "exec");
    CHECK_EQ_INT(w->g->x.notes.busy_ns, 120000000);
    CHECK_EQ_INT(w->g->x.notes.busy_client, w->id[0]);
    end(w);
    free(w);
}

int main(void) {
    RUN(test_what_enters);
    RUN(test_several_in_a_turn);
    RUN(test_counts);
    RUN(test_long_commands);
    RUN(test_secrets_and_names);
    RUN(test_transactions);
    RUN(test_no_memory_no_entry);
    RUN(test_busy);
    return CHECK_DONE();
}
