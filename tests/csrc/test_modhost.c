/* Modules, the server's end: units and their order, whoever waits for them, and what remains of a helper that dies. */
#include <sched.h>

#include "exec/keys.h"
#include "modhost_stage.h"

/* ------------------------------------------------------------------ commands */

static void test_command(void) {
    open_serving();
    mk_say(&a, "x.do", "ok", NULL);
    CHECK_EQ_INT(a.c.units, 1);
    GOT(a, "");
    mk_run(&w);
    GOT(a, "+OK\r\n");
    CHECK_EQ_INT(a.c.units, 0);
    CHECK_EQ_INT(w.go_on_count, 1);
    mk_say(&a, "X.DO", "say", "$3\r\nabc\r\n", NULL);
    mk_run(&w);
    GOT(a, "$3\r\nabc\r\n");
    mk_say(&a, "x.do", "call", "SET", "k", "v", NULL);
    mk_run(&w);
    mk_say(&a, "GET", "k", NULL);
    GOT(a, "+OK\r\n$1\r\nv\r\n");
    mk_say(&a, "x.do", "say", "-ERR no\r\n", NULL);
    mk_run(&w);
    GOT(a, "-ERR no\r\n");
    const tr_runtime_command *r = tr_runtime_find(&w.x, "x.do", 4);
    CHECK(r != NULL);
    CHECK_EQ_INT(w.x.stats[r->cmd.id].calls, 4);
    CHECK_EQ_INT(w.x.stats[r->cmd.id].failed, 1);
    CHECK_EQ_INT(h->stats.commands, 4);
    close_all();
}

static void test_order_of_a_batch(void) {
    open_serving();
    for (int i = 0; i < 300; i++) mk_say(i % 2 ? &a : &b, "x.do", "count", NULL);
    CHECK_EQ_INT(h->pending_count, a.c.units + b.c.units);
    mk_run(&w);
    char odd[MK_TEXT_MAX] = "", even[MK_TEXT_MAX] = "";
    for (int i = 0; i < 300; i++) {
        char *to = i % 2 ? even : odd;
        snprintf(to + strlen(to), MK_TEXT_MAX - strlen(to), ":%d\r\n", i + 1);
    }
    GOT(a, even);
    GOT(b, odd);
    close_all();
}

static void test_client_is_gone(void) {
    open_serving();
    mk_say(&a, "x.do", "call", "SET", "k", "of-a", NULL);
    mk_say(&b, "x.do", "count", NULL);
    mk_client_close(&a);
    mk_run(&w);
    GOT(b, ":1\r\n");
    mk_say(&b, "GET", "k", NULL);
    GOT(b, "$4\r\nof-a\r\n");
    mk_client_open(&a, &w);
    close_all();
}

static void test_reply_skip_and_close(void) {
    open_serving();
    mk_say(&a, "CLIENT", "REPLY", "SKIP", NULL);
    mk_say(&a, "x.do", "count", NULL);
    mk_say(&a, "x.do", "count", NULL);
    mk_run(&w);
    GOT(a, ":2\r\n");
    mk_say(&a, "CLIENT", "REPLY", "OFF", NULL);
    say_and_run(&a, "count", NULL);
    GOT(a, "");
    say_and_run(&a, "die", NULL);
    GOT(a, "");
    restart();
    mk_say(&a, "CLIENT", "REPLY", "ON", NULL);
    GOT(a, "+OK\r\n");
    say_and_run(&a, "close", NULL);
    GOT(a, "+OK\r\n");
    CHECK(a.c.flags & TR_CLIENT_CLOSE_AFTER_REPLY);
    close_all();
}

static void test_transaction(void) {
    open_serving();
    mk_say(&a, "MULTI", NULL);
    mk_say(&a, "x.do", "call", "INCR", "k", NULL);
    mk_say(&a, "INCR", "k", NULL);
    mk_say(&a, "x.do", "call", "x.do", "call", "INCR", "k", NULL); /* a call of its own amid its question */
    mk_say(&a, "EXEC", NULL);
    GOT(a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:2\r\n:3\r\n");
    CHECK_EQ_INT(a.c.units, 0);
    mk_say(&a, "MULTI", NULL);
    mk_say(&a, "x.do", "call", "INCR", "k", NULL);
    mk_say(&a, "x.do", "die", "SET", "k", "lost", NULL);
    mk_say(&a, "INCR", "k", NULL);
    mk_say(&a, "x.do", "ok", NULL);
    mk_say(&a, "EXEC", NULL);
    const char *got = mk_got(&a);
    const char *errors = strstr(got, "*4\r\n:4\r\n-MODULECRASH x: ");
    CHECK(errors != NULL);
    if (errors != NULL) CHECK(strstr(errors, "\r\n:5\r\n-MODULEDOWN x: ") != NULL);
    mk_run(&w);
    restart();
    close_all();
}

static void test_nested_too_deep(void) {
    const char *words[MK_ARGS_MAX];
    open_serving();
    for (int i = 0; i < 14; i++) words[i] = i % 2 ? "call" : "x.do";
    mk_say(&a, words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7], words[8], words[9],
           words[10], words[11], "INCR", "k", NULL);
    mk_run(&w);
    GOT(a, ":1\r\n");
    close_all();
}

static void test_two_modules(void) {
    open_serving();
    tr_helper *other = mk_serving(&w, &p2, "y");
    mk_say(&a, "x.do", "call", "y.do", "call", "x.do", "call", "INCR", "k", NULL);
    mk_say(&b, "y.do", "call", "x.do", "call", "y.do", "count", NULL);
    mk_run(&w);
    GOT(a, ":1\r\n");
    GOT(b, ":1\r\n");
    /* The one that is called dies amid it: its caller goes on. */
    mk_say(&a, "x.do", "call", "y.do", "die", "SET", "k", "lost", NULL);
    mk_run(&w);
    CHECK(starts(mk_got(&a), "-MODULECRASH y: "));
    CHECK_EQ_INT(other->state, TR_HELPER_DOWN);
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
    mk_say(&a, "GET", "k", NULL);
    GOT(a, "$1\r\n1\r\n");
    /* The one that calls dies after the called one has changed something: all of it goes. */
    CHECK_EQ_INT(mk_start(other, &p2), TR_OK);
    mk_run(&w);
    mk_say(&a, "x.do", "die", "y.do", "call", "INCR", "k", NULL);
    mk_run(&w);
    GOT_CRASH(a);
    mk_say(&a, "GET", "k", NULL);
    GOT(a, "$1\r\n1\r\n");
    CHECK_EQ_INT(other->state, TR_HELPER_SERVING);
    close_all();
}

/* The first module has more to do than goes in one batch, and always gets more. */
static void test_modules_take_turns(void) {
    open_serving();
    mk_serving(&w, &p2, "y");
    for (int i = 0; i < TR_MODHOST_BATCH_MAX * 2; i++) mk_say(&a, "x.do", "count", NULL);
    mk_say(&b, "y.do", "count", NULL);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(tr_modhost_turn(&w.m), 1);
        mk_say(&a, "x.do", "count", NULL);
    }
    GOT(b, ":1\r\n");
    CHECK(h->pending_count >= TR_MODHOST_BATCH_MAX);
    mk_run(&w);
    mk_got(&a);
    close_all();
}

/* ------------------------------------------------------------------ the floor */

static int cpus_of(pid_t thread) {
    cpu_set_t set;
    CHECK_EQ_INT(sched_getaffinity(thread, sizeof set, &set), 0);
    return CPU_COUNT(&set);
}

static void test_left_running(void) {
    open_serving();
    int all = cpus_of(0);
    CHECK_EQ_INT(cpus_of(p.tid), all); /* what is started while it loads has all of them, too */
    say_and_run(&a, "ok", NULL);
    GOT(a, "+OK\r\n");
    CHECK_EQ_INT(cpus_of(p.tid), 1);
    w.floor_back_count = 0; /* on a busy machine the first steps may have been left running, too */
    mk_say(&a, "x.do", "hang", "SET", "k", "v", NULL);
    while (w.m.floor == NULL || !(w.x.hold & TR_HOLD_FLOOR)) tr_modhost_turn(&w.m);
    CHECK_EQ_INT(tr_modhost_turn(&w.m), 0);
    CHECK_EQ_INT(cpus_of(p.tid), all);
    mk_say(&b, "GET", "k", NULL);
    CHECK_EQ_INT(b.c.wait, TR_WAIT_TURN);
    mk_let_go(&p);
    mk_run(&w);
    CHECK_EQ_INT(w.floor_back_count, 1);
    CHECK_EQ_INT(w.x.hold, 0);
    mk_retry(&b);
    GOT(a, "+OK\r\n");
    GOT(b, "$1\r\nv\r\n");
    close_all();
}

static void test_busy(void) {
    open_serving();
    w.floor_back_count = 0;
    w.m.busy_ms = 1;
    w.clock = (tr_clock){.fake = 1, .fake_wall_us = 1700000000000000, .fake_mono_ns = 1000};
    mk_say(&a, "x.do", "hang", NULL);
    wait_until_left();
    mk_say(&b, "PING", NULL);
    CHECK_EQ_INT(b.c.wait, TR_WAIT_TURN);
    tr_modhost_cron(&w.m);
    CHECK_EQ_INT(w.floor_back_count, 0);
    w.clock.fake_mono_ns += 2000000;
    tr_modhost_cron(&w.m);
    CHECK_EQ_INT(w.floor_back_count, 1);
    mk_retry(&b);
    CHECK(starts(mk_got(&b), "-BUSY "));
    mk_let_go(&p);
    mk_run(&w);
    CHECK_EQ_INT(w.x.hold, 0);
    CHECK_EQ_INT(w.floor_back_count, 2);
    mk_say(&b, "PING", NULL);
    GOT(b, "+PONG\r\n");
    GOT(a, "+OK\r\n");
    close_all();
}

static void test_timeout(void) {
    open_serving();
    w.m.command_ms = 1;
    mk_say(&a, "x.do", "hang", "SET", "k", "v", NULL);
    mk_say(&b, "x.do", "count", NULL);
    while (w.failures == 0) {
        tr_modhost_turn(&w.m);
        tr_modhost_cron(&w.m);
        mk_take_events(&w);
    }
    CHECK_EQ_INT(h->failed, TR_FAIL_TIMEOUT);
    CHECK(w.m.floor == NULL && w.x.hold == 0);
    GOT_CRASH(a);
    mk_say(&a, "EXISTS", "k", NULL);
    GOT(a, ":0\r\n");
    w.m.command_ms = 0;
    restart();
    GOT(b, ":1\r\n"); /* it had been handed over behind: run by the next process */
    /* Amid another command there is no next turn. */
    w.m.command_ms = 1;
    mk_say(&a, "MULTI", NULL);
    mk_say(&a, "x.do", "hang", NULL);
    mk_say(&a, "EXEC", NULL);
    CHECK(strstr(mk_got(&a), "*1\r\n-MODULECRASH x: timeout while running x.do; report x-") != NULL);
    close_all();
}

/* Whoever ends a helper from outside while it was left running gives the floor back. */
static void test_failed_from_outside(void) {
    open_serving();
    mk_say(&a, "x.do", "hang", NULL);
    wait_until_left();
    mk_say(&b, "PING", NULL);
    CHECK_EQ_INT(b.c.wait, TR_WAIT_TURN);
    tr_helper_fail(h, TR_FAIL_ASKED, "somebody wants it");
    CHECK(tr_modhost_has_work(&w.m));
    mk_run(&w);
    CHECK(w.m.floor == NULL && w.x.hold == 0);
    mk_retry(&b);
    GOT(b, "+PONG\r\n");
    CHECK(starts(mk_got(&a), "-MODULECRASH x: somebody wants it while running x.do; report x-"));
    restart();
    say_and_run(&a, "ok", NULL);
    GOT(a, "+OK\r\n");
    /* The same, and started again before the next turn. */
    mk_say(&a, "x.do", "hang", NULL);
    wait_until_left();
    tr_helper_fail(h, TR_FAIL_ASKED, "somebody wants it");
    CHECK_EQ_INT(mk_start(h, &p), TR_OK);
    mk_run(&w);
    CHECK(w.m.floor == NULL && w.x.hold == 0);
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
    close_all();
}

/* ------------------------------------------------------------------ what a crash leaves behind */

static void test_crash(void) {
    open_serving();
    mk_say(&a, "SET", "k", "before", NULL);
    mk_say(&a, "x.do", "die", "SET", "k", "lost", NULL);
    mk_say(&b, "x.do", "count", NULL);
    mk_say(&b, "x.do", "call", "GET", "k", NULL);
    mk_run(&w);
    CHECK_EQ_INT(w.failures, 1);
    CHECK_EQ_INT(h->failed, TR_FAIL_DIED);
    CHECK_EQ_STR(h->running, "x.do");
    GOT(b, "");
    CHECK_EQ_INT(b.c.units, 2);
    CHECK_EQ_INT(h->pending_count, 2);
    CHECK(starts(mk_got(&a), "+OK\r\n-MODULECRASH x: "));
    mk_say(&a, "x.do", "ok", NULL);
    GOT_DOWN(a);
    restart();
    GOT(b, ":1\r\n$6\r\nbefore\r\n");
    CHECK_EQ_INT(b.c.units, 0);
    close_all();
}

static void test_lies(void) {
    static const char *const replies[] = {"OK",   "+OK",  "+OK\r\n+OK\r\n", "*2\r\n:1\r\n", "$5\r\nabc\r\n",
                                          "_\r\n", "%0\r\n"};
    open_serving();
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        say_and_run(&a, "say", replies[i]);
        CHECK_EQ_INT(h->failed, TR_FAIL_PROTOCOL);
        CHECK(strstr(mk_got(&a), "-MODULECRASH x: protocol violation (a reply that is not one value) while") != NULL);
        restart();
    }
    mk_say(&a, "x.do", "lie", NULL);
    mk_say(&b, "x.do", "count", NULL);
    mk_run(&w);
    CHECK_EQ_INT(h->failed, TR_FAIL_PROTOCOL);
    GOT_CRASH(a);
    restart();
    GOT(b, ":1\r\n");
    mk_say(&a, "x.do", "none", NULL);
    mk_run(&w);
    GOT(a, "");
    CHECK_EQ_INT(a.c.units, 0);
    close_all();
}

static void test_fails_in_every_state(void) {
    open_all();
    h = tr_modhost_add(&w.m, "x");
    tr_helper_fail(h, TR_FAIL_ASKED, "no process");
    CHECK_EQ_INT(h->state, TR_HELPER_NEW);
    p.dies_at_load = 1;
    CHECK_EQ_INT(mk_start(h, &p), TR_OK);
    CHECK_EQ_INT(h->state, TR_HELPER_LOADING);
    mk_run(&w);
    CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
    CHECK_EQ_STR(h->running, "its load or unload function");
    CHECK(tr_runtime_find(&w.x, "x.do", 4) == NULL);
    p.dies_at_load = 0;
    CHECK_EQ_INT(mk_start(h, &p), TR_OK);
    tr_helper_fail(h, TR_FAIL_ASKED, "before it has the floor");
    CHECK(h->pending == NULL);
    CHECK_EQ_STR(h->running, "nothing for the server");
    restart();
    CHECK_EQ_INT(tr_helper_unload(h), TR_OK);
    tr_helper_fail(h, TR_FAIL_ASKED, "before it could unload");
    CHECK(h->pending == NULL);
    restart();
    mk_say(&a, "x.do", "count", NULL);
    tr_helper_fail(h, TR_FAIL_ASKED, "before it got the command");
    restart();
    GOT(a, ":1\r\n");
    tr_helper_fail(h, TR_FAIL_ASKED, "once");
    tr_helper_fail(h, TR_FAIL_ASKED, "twice");
    CHECK_EQ_STR(h->reason, "once");
    close_all();
}

static void test_park(void) {
    open_serving();
    mk_say(&a, "x.do", "die", NULL);
    mk_say(&b, "x.do", "count", NULL);
    w.parks = 1;
    mk_run(&w);
    GOT_CRASH(a);
    GOT(b, "-MODULEDOWN x: it has crashed and is not started again\r\n");
    CHECK_EQ_INT(h->state, TR_HELPER_PARKED);
    mk_say(&a, "x.do", "ok", NULL);
    GOT(a, "-MODULEDOWN x: it has crashed and is not started again\r\n");
    close_all();
}

static void test_restart_with_other_commands(void) {
    open_all();
    p.commands[1] = "x.old";
    h = mk_serving(&w, &p, "x");
    const tr_command *kept = tr_exec_find(&w.x, "x.do", 4);
    mk_say(&a, "x.do", "die", NULL);
    mk_say(&b, "x.old", "count", NULL);
    mk_run(&w);
    GOT_CRASH(a);
    CHECK(tr_exec_find(&w.x, "x.old", 5) != NULL); /* the name is still its own */
    p.commands[0] = "x.new";
    p.commands[1] = "x.do";
    restart();
    GOT(b, "-MODULEDOWN the module has no such command any more\r\n");
    CHECK(tr_exec_find(&w.x, "x.old", 5) == NULL);
    CHECK(tr_exec_find(&w.x, "x.new", 5) != NULL);
    CHECK(tr_exec_find(&w.x, "x.do", 4) == kept);
    say_and_run(&a, "count", NULL);
    GOT(a, ":1\r\n");
    close_all();
}

/* A start anew that is given up: nobody waits for it any longer. */
static void test_given_up(void) {
    open_serving();
    mk_say(&a, "x.do", "die", NULL);
    mk_say(&b, "x.do", "count", NULL);
    mk_run(&w);
    GOT_CRASH(a);
    CHECK_EQ_INT(mk_start(h, &p), TR_OK);
    uint8_t events = 0;
    while (!(events & TR_HELPER_EVENT_LOADED)) {
        tr_modhost_turn(&w.m);
        if (w.m.floor != NULL && !w.m.floor->ready) mk_wait(w.m.floor);
        tr_modhost_take_event(&w.m, &events);
    }
    tr_helper_loaded(h, 0);
    CHECK_EQ_INT(h->state, TR_HELPER_GONE);
    GOT_DOWN(b);
    CHECK_EQ_INT(b.c.units, 0);
    CHECK(h->pending == NULL);
    mk_say(&b, "x.do", "count", NULL);
    CHECK(starts(mk_got(&b), "-ERR unknown command"));
    close_all();
}

static void test_unload(void) {
    open_serving();
    mk_say(&a, "x.do", "count", NULL);
    CHECK_EQ_INT(tr_helper_unload(h), TR_EAGAIN);
    mk_run(&w);
    CHECK_EQ_INT(tr_helper_unload(h), TR_OK);
    mk_say(&a, "x.do", "count", NULL);
    CHECK(starts(mk_got(&a), ":1\r\n-MODULEDOWN "));
    w.loads = 0;
    mk_run(&w);
    CHECK_EQ_INT(w.loads, 1);
    CHECK_EQ_INT(h->state, TR_HELPER_UNLOADING);
    tr_helper_unloaded(h, 0); /* its unload function said no */
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
    say_and_run(&a, "count", NULL);
    GOT(a, ":2\r\n");
    CHECK_EQ_INT(tr_helper_unload(h), TR_OK);
    mk_run(&w);
    tr_helper_unloaded(h, 1);
    CHECK_EQ_INT(h->state, TR_HELPER_GONE);
    mk_say(&a, "x.do", "count", NULL);
    CHECK(starts(mk_got(&a), "-ERR unknown command"));
    /* The name is free again, for another module too. */
    p2.commands[0] = "x.do";
    tr_helper *other = mk_serving(&w, &p2, "x");
    CHECK_EQ_INT(other->state, TR_HELPER_SERVING);
    CHECK_EQ_INT(p2.registered[0], 0);
    CHECK_EQ_STR(p2.seen, "");
    say_and_run(&a, "count", NULL);
    GOT(a, ":1\r\n");
    close_all();
}

/* Loading and unloading again and again takes up nothing. */
static void test_vacant(void) {
    open_serving();
    CHECK_EQ_INT(tr_helper_unload(h), TR_OK);
    mk_run(&w);
    tr_helper_unloaded(h, 1);
    uint32_t before = h->id;
    mk_host_end(&p);
    size_t used = w.mem.used;
    for (int i = 0; i < TR_MODHOST_HELPERS_MAX * 2; i++) {
        tr_helper *other = tr_modhost_add(&w.m, "y");
        CHECK(other != NULL && other->id == before + (uint32_t)i + 1);
        tr_helper_loaded(other, 0); /* given up */
    }
    CHECK(w.mem.used <= used);
    p.commands[0] = "x.do";
    h = mk_serving(&w, &p, "x");
    say_and_run(&a, "count", NULL);
    GOT(a, ":1\r\n");
    CHECK_EQ_INT(w.m.helpers == h && h->next == NULL, 1);
    close_all();
}

static void test_names_taken(void) {
    open_serving();
    p2.commands[0] = "X.DO";
    p2.commands[1] = "GET";
    p2.commands[2] = "two words";
    p2.commands[3] = "x.mine";
    p2.commands[4] = "x.mine";
    mk_serving(&w, &p2, "x");
    CHECK_EQ_STR(p2.seen, "busy ");
    CHECK_EQ_INT(p2.registered[0], 1);
    CHECK_EQ_INT(p2.registered[1], 1);
    CHECK_EQ_INT(p2.registered[2], 2);
    CHECK_EQ_INT(p2.registered[3], 0);
    CHECK_EQ_INT(p2.registered[4], 1);
    close_all();
}

/* What the module hides is neither shown to monitors nor logged, nor reported when it dies. */
static void test_redact(void) {
    open_serving();
    mk_say(&b, "MONITOR", NULL);
    w.x.slowlog.than_us = 0;
    tr_exec_look_at(&w.x);
    mk_say(&a, "x.do", "redact", "3", "secret", "shown", NULL);
    mk_run(&w);
    mk_say(&a, "MULTI", NULL);
    mk_say(&a, "x.do", "redact", "4", "shown", "secret", NULL);
    mk_say(&a, "EXEC", NULL);
    mk_say(&a, "x.do", "call", "x.do", "redact", "3", "secret", NULL);
    mk_run(&w);
    const char *seen = mk_got(&b);
    CHECK(strstr(seen, "\"x.do\" \"redact\" \"3\" \"(redacted)\" \"shown\"\r\n") != NULL);
    CHECK(strstr(seen, "\"x.do\" \"redact\" \"4\" \"shown\" \"(redacted)\"\r\n") != NULL);
    const tr_slow *first = tr_slowlog_from(&w.x.slowlog, 0);
    while (first != NULL && first->argc != 5) first = first->newer;
    CHECK(first != NULL && first->arg_count == 5);
    if (first != NULL) CHECK_EQ_MEM(first->args[3].ptr, first->args[3].len, "(redacted)", 10);
    if (first != NULL) CHECK_EQ_MEM(first->args[4].ptr, first->args[4].len, "shown", 5);
    mk_say(&a, "x.do", "redact", "2", "die", NULL);
    mk_run(&w);
    uint32_t lens[] = {4, 6, 10, 3};
    const char *at = h->running_argv.data + h->running_argv.rpos;
    for (int i = 0; i < 4; at += 4 + lens[i++]) CHECK(memcmp(at, &lens[i], 4) == 0);
    close_all();
}

/* COMMAND GETKEYS with one spec: from where, how, and what it finds; words are those of the command. */
static void check_keys(uint64_t begin, const char *keyword, int64_t from, uint64_t find, const int64_t numbers[3],
                       const char *want) {
    uint64_t flags[] = {0}, begins[] = {begin}, finds[] = {find};
    int64_t froms[] = {from};
    tr_wire_bytes note = {0}, words[] = {{(const uint8_t *)keyword, (uint32_t)strlen(keyword)}};
    tr_msg_command_info info = {
        .spec_notes = {.count = 1, .items.texts = &note},     .spec_flags = {.count = 1, .items.u64s = flags},
        .spec_begin = {.count = 1, .items.u64s = begins},     .spec_keywords = {.count = 1, .items.texts = words},
        .spec_from = {.count = 1, .items.i64s = froms},       .spec_find = {.count = 1, .items.u64s = finds},
        .spec_numbers = {.count = 3, .items.i64s = numbers},
    };
    open_all();
    p.info = &info;
    h = mk_serving(&w, &p, "x");
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
    tr_arg argv[] = {{.ptr = "x.do", .len = 4}, {.ptr = "a", .len = 1}, {.ptr = "keys", .len = 4},
                     {.ptr = "2", .len = 1},    {.ptr = "b", .len = 1}, {.ptr = "c", .len = 1}};
    tr_keys keys;
    tr_keys_init(&keys, &w.mem);
    int rc = tr_keys_get(tr_exec_find(&w.x, "x.do", 4), argv, 6, 0, &keys);
    char got[64] = "";
    if (rc != TR_OK) snprintf(got, sizeof got, "error");
    for (int i = 0; rc == TR_OK && i < keys.count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%d ", keys.positions[i]);
    CHECK_EQ_STR(got, want);
    tr_keys_clear(&keys);
    close_all();
}

static void test_key_specs(void) {
    enum { UNKNOWN = 1, INDEX = 2, KEYWORD = 3, RANGE = 2, KEYNUM = 3 };
    check_keys(INDEX, "", 1, RANGE, (int64_t[]){0, 1, 0}, "1 ");
    check_keys(KEYWORD, "Keys", 1, RANGE, (int64_t[]){-1, 1, 0}, "3 4 5 ");
    check_keys(KEYWORD, "keys", -1, KEYNUM, (int64_t[]){0, 1, 1}, "4 5 ");
    check_keys(KEYWORD, "nowhere", 1, RANGE, (int64_t[]){-1, 1, 0}, "");
    check_keys(UNKNOWN, "", 1, RANGE, (int64_t[]){0, 1, 0}, "error");
    check_keys(INDEX, "", 1, UNKNOWN, (int64_t[]){0, 1, 0}, "error");
    /* What nobody can mean. */
    check_keys(INDEX, "", -3, RANGE, (int64_t[]){0, 1, 0}, "error");
    check_keys(INDEX, "", INT64_MIN, RANGE, (int64_t[]){0, 1, 0}, "error");
    check_keys(KEYWORD, "", 1, RANGE, (int64_t[]){0, 1, 0}, "error");
    check_keys(KEYWORD, "keys", INT64_MAX, RANGE, (int64_t[]){0, 1, 0}, "error");
    check_keys(INDEX, "", 1, RANGE, (int64_t[]){0, 0, 0}, "error");
    check_keys(INDEX, "", 1, RANGE, (int64_t[]){INT32_MAX, 1, 0}, "error");
    check_keys(INDEX, "", 3, KEYNUM, (int64_t[]){-3, 1, 1}, "error");
    check_keys(INDEX, "", 3, KEYNUM, (int64_t[]){0, -9, 1}, "error");
    check_keys(INDEX, "", 3, KEYNUM, (int64_t[]){0, 1, 1048576}, "error");
}

int main(void) {
    RUN(test_command);
    RUN(test_order_of_a_batch);
    RUN(test_client_is_gone);
    RUN(test_reply_skip_and_close);
    RUN(test_transaction);
    RUN(test_nested_too_deep);
    RUN(test_two_modules);
    RUN(test_modules_take_turns);
    RUN(test_left_running);
    RUN(test_busy);
    RUN(test_timeout);
    RUN(test_failed_from_outside);
    RUN(test_crash);
    RUN(test_lies);
    RUN(test_fails_in_every_state);
    RUN(test_park);
    RUN(test_restart_with_other_commands);
    RUN(test_given_up);
    RUN(test_unload);
    RUN(test_vacant);
    RUN(test_names_taken);
    RUN(test_redact);
    RUN(test_key_specs);
    return CHECK_DONE();
}
