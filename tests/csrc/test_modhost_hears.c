/* Modules, the server's end: what they see and hear of others' commands: filters, keyspace events, server events. */
#include "modhost_stage.h"

/* ------------------------------------------------------------------ filters, events */

static void test_filters(void) {
    open_all();
    p.filters = 1;
    p.filter_flags = 1;
    p.filtered_to = "SET k filtered";
    h = mk_serving(&w, &p, "x");
    mk_say(&a, "plain", NULL);
    GOT(a, "+OK\r\n");
    mk_say(&a, "GET", "k", NULL);
    GOT(a, "$8\r\nfiltered\r\n");
    /* A command that waits is shown once, and what was made of it runs. */
    p.filtered_to = "SET k paused";
    p.seen[0] = '\0';
    tr_exec_pause(&w.x, TR_PAUSE_ALL, w.x.now_us / 1000 + 100000);
    mk_say(&a, "plain", NULL);
    CHECK_EQ_INT(a.c.wait, TR_WAIT_PAUSE);
    tr_exec_unpause(&w.x);
    mk_retry(&a);
    GOT(a, "+OK\r\n");
    CHECK_EQ_STR(p.seen, "f:plain ");
    /* While it has the floor it can't be asked: the command waits, and is shown when the floor is back. */
    p.seen[0] = '\0';
    mk_say(&a, "x.do", "hang", NULL);
    wait_until_left();
    mk_say(&b, "plain", NULL);
    CHECK_EQ_INT(b.c.wait, TR_WAIT_TURN);
    mk_let_go(&p);
    mk_run(&w);
    mk_retry(&b);
    GOT(b, "+OK\r\n");
    CHECK_EQ_STR(p.seen, "f:x.do f:plain ");
    /* It dies over a filter: the command runs as it is, and later ones are not shown. */
    p.dies_at_filter = 1;
    mk_say(&b, "GET", "k", NULL);
    GOT(b, "$6\r\npaused\r\n");
    CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
    CHECK(w.x.hooks.filter == NULL);
    mk_run(&w);
    restart();
    CHECK(w.x.hooks.filter != NULL);
    close_all();
}

static void test_filters_and_calls(void) {
    open_all();
    p.filters = 1;
    p.filter_flags = 1; /* not its own calls */
    h = mk_serving(&w, &p, "x");
    p2.filters = 1;
    mk_serving(&w, &p2, "y");
    mk_say(&a, "x.do", "call", "SET", "k", "v", NULL);
    mk_run(&w);
    CHECK_EQ_STR(p.seen, "f:x.do ");
    CHECK_EQ_STR(p2.seen, "f:x.do f:SET ");
    GOT(a, "+OK\r\n");
    /* It dies over its own call: that doesn't run any more, what was called before is undone. */
    p2.seen[0] = '\0';
    p2.dies_at_filter = 3;
    mk_say(&a, "y.do", "calls", "2", "INCR", "n", NULL);
    mk_run(&w);
    CHECK(starts(mk_got(&a), "-MODULECRASH y: "));
    CHECK_EQ_STR(p2.seen, "f:y.do f:INCR ");
    mk_say(&a, "EXISTS", "n", NULL);
    GOT(a, ":0\r\n");
    close_all();
}

static void test_key_events(void) {
    open_all();
    p.key_events = 1u << 2 | 1u << 3;
    h = mk_serving(&w, &p, "x");
    mk_say(&a, "SET", "k", "v", NULL);
    CHECK_EQ_STR(p.seen, "set:k ");
    p.seen[0] = '\0';
    mk_say(&a, "MULTI", NULL);
    mk_say(&a, "APPEND", "k", "w", NULL);
    mk_say(&a, "x.do", "call", "DEL", "k", NULL);
    mk_say(&a, "EXEC", NULL);
    mk_run(&w);
    CHECK_EQ_STR(p.seen, "append:k del:k ");
    p.seen[0] = '\0';
    mk_say(&a, "x.do", "calls", "2", "SET", "j", "v", NULL);
    mk_say(&a, "x.do", "notify", "n", NULL);
    mk_say(&a, "x.do", "job", NULL);
    mk_run(&w);
    /* Those of a unit come behind it; a job is a unit behind what was handed over. */
    CHECK(strstr(p.seen, "set:j set:j ") != NULL);
    CHECK(strstr(p.seen, "touched:n ") != NULL);
    CHECK(strstr(p.seen, "job ") != NULL);
    CHECK_EQ_INT(strlen(p.seen), strlen("set:j set:j touched:n job "));
    mk_got(&a);
    p.dies_at_event = 1;
    mk_say(&a, "DEL", "j", NULL);
    GOT(a, ":1\r\n");
    mk_run(&w);
    CHECK_EQ_STR(h->running, "the callback of an event");
    CHECK_EQ_INT(w.store.notify_mask & TR_EV_GENERIC, 0);
    mk_say(&a, "SET", "j", "v", NULL);
    GOT(a, "+OK\r\n");
    p.dies_at_event = 0;
    restart();
    close_all();
}

static int64_t standing_still(void *ctx) {
    (void)ctx;
    return 1;
}

static void test_server_events(void) {
    open_all();
    p.events = 1u << 2 | 1u << 9 | 1u << 11 | 1u << 17 | 1u << 1;
    p.key_events = 1u << 2;
    h = mk_serving(&w, &p, "x");
    CHECK_EQ_STR(p.seen, ""); /* nothing of itself */
    p.seen[0] = '\0';
    mk_say(&a, "SET", "k", "v", NULL);
    mk_say(&a, "DEL", "k", NULL);
    CHECK_EQ_STR(p.seen, "e17.0,0,k del:k ");
    p.seen[0] = '\0';
    mk_say(&a, "MULTI", NULL);
    mk_say(&a, "FLUSHALL", NULL);
    mk_say(&a, "SWAPDB", "0", "1", NULL);
    mk_say(&a, "FLUSHDB", "ASYNC", NULL);
    mk_say(&a, "EXEC", NULL);
    CHECK_EQ_STR(p.seen, "e2.0,1,-1 e2.1,1,-1 e11.0,0,1 e2.0,0,0 e2.1,0,0 ");
    p.seen[0] = '\0';
    tr_helper *other = mk_serving(&w, &p2, "y");
    CHECK_EQ_INT(tr_helper_unload(other), TR_OK);
    mk_run(&w);
    tr_helper_unloaded(other, 1);
    mk_run(&w);
    CHECK_EQ_STR(p.seen, "e9.0,7,y e9.1,7,y ");
    p.seen[0] = '\0';
    /* Outside of commands: in the next turn. */
    mk_say(&a, "SET", "k", "v", "PX", "1", NULL);
    tr_store_set_time(&w.store, w.store.now_ms + 1000);
    CHECK_EQ_INT(tr_store_expire_due(&w.store, 1000000, standing_still, NULL), 1);
    CHECK_EQ_STR(p.seen, "expire:k ");
    mk_run(&w);
    CHECK_EQ_STR(p.seen, "expire:k e17.1,0,k ");
    say_and_run(&a, "die", NULL);
    CHECK(w.x.hooks.happens == NULL);
    mk_say(&a, "FLUSHALL", NULL);
    CHECK(w.m.told == NULL);
    p.seen[0] = '\0';
    restart();
    CHECK_EQ_STR(p.seen, ""); /* not loaded anew: it was never gone */
    CHECK(w.x.hooks.happens != NULL);
    close_all();
}

int main(void) {
    RUN(test_filters);
    RUN(test_filters_and_calls);
    RUN(test_key_events);
    RUN(test_server_events);
    return CHECK_DONE();
}
