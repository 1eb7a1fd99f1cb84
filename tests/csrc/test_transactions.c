/* Transactions seen by several clients: queueing, aborts, watches in every way a key can change, memory that fails. */
#include "check.h"
#include "engine/api.h"
#include "engine/engine.h"

#include "base/err.h"

static const uint64_t seed[2] = {5, 6};

typedef struct world {
    tr_engine *g;
    uint64_t a, b;
} world;

static void begin(world *w) {
    CHECK_EQ_INT(tr_engine_open(4, TR_POLLER_AUTO, seed, &w->g), TR_OK);
    w->g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000000000, .fake_mono_ns = 1};
    tr_exec_turn(&w->g->x);
    w->a = tr_engine_open_fed(w->g, 0);
    w->b = tr_engine_open_fed(w->g, 0);
}

static void end(world *w) {
    tr_store_check(&w->g->store);
    tr_engine_close(w->g);
}

static void pass_ms(world *w, int64_t ms) {
    w->g->clock.fake_wall_us += ms * 1000;
    w->g->clock.fake_mono_ns += ms * 1000000;
}

static const char *ask(world *w, uint64_t id, const char *line) {
    static char text[8192];
    char request[1024];
    snprintf(request, sizeof(request), "%s\r\n", line);
    tr_api_feed(w->g, id, request, strlen(request));
    size_t n = 0, len;
    const char *p;
    while (tr_api_fed_output(w->g, id, &p, &len)) {
        memcpy(text + n, p, len);
        n += len;
        tr_api_fed_consume(w->g, id, len);
    }
    text[n] = '\0';
    return text;
}

static void test_queue_and_run(void) {
    world w;
    begin(&w);
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "-ERR EXEC without MULTI\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "DISCARD"), "-ERR DISCARD without MULTI\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "MULTI"), "+OK\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "MULTI"), "-ERR MULTI calls can not be nested\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "WATCH k"), "-ERR WATCH inside MULTI is not allowed\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "SET k 1"), "+QUEUED\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "INCR k"), "+QUEUED\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "UNWATCH"), "+QUEUED\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "APPEND"), "-ERR wrong number of arguments for 'append' command\r\n");
    CHECK_EQ_STR(ask(&w, w.b, "GET k"), "$-1\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "MULTI"), "+OK\r\n");
    ask(&w, w.a, "SET k abc");
    ask(&w, w.a, "INCR k");
    ask(&w, w.a, "UNWATCH");
    ask(&w, w.a, "GET k");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"),
                 "*4\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n$3\r\nabc\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "MULTI"), "+OK\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "*0\r\n");
    CHECK(tr_api_client_of(w.g, w.a)->multi == NULL);
    end(&w);
}

static void test_what_runs_and_what_may_not(void) {
    world w;
    begin(&w);
    ask(&w, w.a, "MULTI");
    CHECK_EQ_STR(ask(&w, w.a, "SHUTDOWN"), "-ERR Command not allowed inside a transaction\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
    ask(&w, w.a, "MULTI");
    ask(&w, w.a, "SET k 1");
    CHECK_EQ_STR(ask(&w, w.a, "RESET"), "+RESET\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "-ERR EXEC without MULTI\r\n");
    ask(&w, w.a, "MULTI");
    ask(&w, w.a, "SET k 1");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC 1"),
                 "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n");
    CHECK_EQ_STR(ask(&w, w.a, "GET k"), "$-1\r\n");
    end(&w);
}

typedef struct watch_case {
    const char *before, *change, *after; /* by b; after: NULL or one more */
    int stale;
} watch_case;

static const watch_case watch_cases[] = {
    {NULL, "SET k 1", NULL, 1},
    {"SET k 1", "DEL k", NULL, 1},
    {"SET k 1", "DEL k", "SET k 1", 1},
    {"SET k 1", "EXPIRE k 100", NULL, 1},
    {"SET k 1", "GET k", NULL, 0},
    {"SET other 1", "DEL other", NULL, 0},
    {"SET k 1", "FLUSHALL", NULL, 1},
    {NULL, "FLUSHALL", NULL, 0},
    {"SET k 1", "FLUSHDB", NULL, 1},
    {"SET k 1", "SWAPDB 0 1", NULL, 1},
    {NULL, "SWAPDB 0 1", NULL, 0},
    {NULL, "SWAPDB 1 2", NULL, 0},
    {"SET k 1", "RENAME k x", NULL, 1},
    {"SET x 1", "RENAME x k", NULL, 1},
    {"SET k 1", "SELECT 1", "SET k 2", 0},
};

static void test_watch(void) {
    for (size_t i = 0; i < sizeof(watch_cases) / sizeof(watch_cases[0]); i++) {
        const watch_case *t = &watch_cases[i];
        world w;
        begin(&w);
        if (t->before) ask(&w, w.b, t->before);
        CHECK_EQ_STR(ask(&w, w.a, "WATCH k unrelated k"), "+OK\r\n");
        ask(&w, w.b, t->change);
        if (t->after) ask(&w, w.b, t->after);
        ask(&w, w.a, "MULTI");
        ask(&w, w.a, "PING");
        CHECK_EQ_STR(ask(&w, w.a, "EXEC"), t->stale ? "*-1\r\n" : "*1\r\n+PONG\r\n");
        CHECK_EQ_INT(tr_hash_count(&w.g->x.watched), 0);
        CHECK_EQ_INT(w.g->store.wants & TR_WANTS_CHANGED, 0);
        end(&w);
    }
}

static void test_watch_and_expiry(void) {
    world w;
    begin(&w);
    ask(&w, w.b, "SET k 1 PX 10");
    ask(&w, w.a, "WATCH k");
    pass_ms(&w, 20);
    ask(&w, w.a, "MULTI");
    ask(&w, w.a, "PING");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "*-1\r\n"); /* it expired in between */
    ask(&w, w.b, "SET k 1 PX 10");
    w.g->store.active_expire = 0;
    pass_ms(&w, 20);
    ask(&w, w.a, "WATCH k");
    CHECK_EQ_STR(ask(&w, w.b, "GET k"), "$-1\r\n"); /* goes now, but was due before the WATCH */
    ask(&w, w.a, "MULTI");
    ask(&w, w.a, "PING");
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "*1\r\n+PONG\r\n");
    end(&w);
}

static void test_two_watchers_and_a_leaver(void) {
    world w;
    begin(&w);
    ask(&w, w.a, "WATCH k");
    ask(&w, w.b, "WATCH k j");
    tr_engine_kill(w.g, w.b, TR_CLOSE_KILLED, 0);
    int more, busy;
    tr_engine_poll(w.g, 0, 0, 0, &more, &busy);
    CHECK_EQ_INT(tr_hash_count(&w.g->x.watched), 1);
    CHECK_EQ_STR(ask(&w, w.a, "UNWATCH"), "+OK\r\n");
    CHECK_EQ_INT(tr_hash_count(&w.g->x.watched), 0);
    end(&w);
}

static void test_pause_and_memory_at_exec(void) {
    world w;
    begin(&w);
    ask(&w, w.a, "MULTI");
    CHECK_EQ_STR(ask(&w, w.a, "SET k 1"), "+QUEUED\r\n");
    w.g->store.maxmemory = 1;
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "-EXECABORT Transaction discarded because of: OOM command not allowed when used "
                                       "memory > 'maxmemory'.\r\n");
    w.g->store.maxmemory = 0;
    ask(&w, w.a, "MULTI");
    ask(&w, w.a, "SET k 2");
    tr_api_pause(w.g, 0, INT64_MAX);
    CHECK_EQ_STR(ask(&w, w.a, "EXEC"), "");
    tr_engine_unpause(w.g);
    int more, busy;
    tr_engine_poll(w.g, 0, 0, 0, &more, &busy);
    CHECK_EQ_STR(ask(&w, w.a, "ECHO a"), "*1\r\n+OK\r\n$1\r\na\r\n");
    end(&w);
}

static void test_each_allocation_fails_once(void) {
    int failures = 0;
    for (uint64_t nth = 1; nth < 60; nth++) {
        world w;
        begin(&w);
        uint64_t before = w.g->mem.fail_count;
        tr_mem_fail_at(&w.g->mem, nth);
        ask(&w, w.a, "WATCH k l");
        ask(&w, w.a, "MULTI");
        for (int i = 0; i < 10; i++) ask(&w, w.a, "APPEND k a_rather_long_value_that_does_not_fit_the_entry");
        ask(&w, w.a, "EXEC");
        failures += w.g->mem.fail_count != before;
        tr_mem_fail_at(&w.g->mem, 0);
        ask(&w, w.a, "DISCARD");
        CHECK_EQ_STR(ask(&w, w.b, "PING"), "+PONG\r\n");
        end(&w);
    }
    CHECK(failures > 20);
}

int main(void) {
    RUN(test_queue_and_run);
    RUN(test_what_runs_and_what_may_not);
    RUN(test_watch);
    RUN(test_watch_and_expiry);
    RUN(test_two_watchers_and_a_leaver);
    RUN(test_pause_and_memory_at_exec);
    RUN(test_each_allocation_fails_once);
    return CHECK_DONE();
}
