/* The server's end of modules when memory runs out: the n-th allocation fails, for n = 1, 2, ... until none does.
 * Whatever fails, each command gets one reply: what it asked for, or an error; and nothing is leaked. */
#include "check.h"
#include "exec/multi.h"
#include "modhost_kit.h"
#include "resp/check.h"

static mk_world w;
static mk_host p, p2;
static mk_client a, b;
static tr_helper *h;

/* A story in which the n-th allocation fails. */
typedef void story(uint64_t n);

static void begin(void) {
    mk_open(&w);
    mk_host_init(&p);
    mk_host_init(&p2);
    p2.commands[0] = "y.do";
    mk_client_open(&a, &w);
    mk_client_open(&b, &w);
}

/* 1: the failure came about. */
static int end(void) {
    int failed = w.mem.fail_count != 0;
    tr_mem_fail_at(&w.mem, 0);
    mk_client_close(&a);
    mk_client_close(&b);
    CHECK_EQ_INT(mk_close(&w), 0);
    mk_host_end(&p);
    mk_host_end(&p2);
    return failed;
}

/* Fails helpers that can't even be given the floor, as Python does, and starts them again. */
static void serve_again(tr_helper *helper, mk_host *host) {
    tr_mem_fail_at(&w.mem, 0);
    for (int i = 0; i < 3 && helper->state != TR_HELPER_SERVING; i++) {
        int is_down = helper->state == TR_HELPER_NEW || helper->state == TR_HELPER_DOWN;
        if (is_down) CHECK_EQ_INT(mk_start(helper, host), TR_OK);
        mk_run(&w);
    }
    CHECK_EQ_INT(helper->state, TR_HELPER_SERVING);
    if (host->registered[0] != 0) fprintf(stderr, "not registered: %d\n", host->registered[0]);
}

/* The client has got exactly this, or one error in its place, or was told to go because its reply was lost. */
static int is_or_error(mk_client *k, const char *want) {
    if (k->c.flags & TR_CLIENT_CLOSE_NOW || k->c.out.failed) return 1;
    const char *got = mk_got(k);
    if (strcmp(got, want) == 0) return 1;
    if (got[0] == '-' && strchr(got, '\n') == got + strlen(got) - 1) return 1;
    fprintf(stderr, "got \"%s\", not \"%s\"\n", got, want);
    return 0;
}

static int story_of(story *tell) {
    uint64_t n = 0;
    int failed;
    do {
        n++;
        begin();
        tell(n);
        failed = end();
        if (check_failures > 20) break;
    } while (failed);
    printf("     %d allocations\n", (int)n - 1);
    return (int)n - 1;
}

/* ------------------------------------------------------------------ stories */

static void load(uint64_t n) {
    p.module_name = "x";
    p.key_events = 1u << 2;
    p.filters = 1;
    tr_mem_fail_at(&w.mem, n);
    h = tr_modhost_add(&w.m, "x");
    if (h == NULL) return;
    int rc = mk_start(h, &p);
    CHECK(rc == TR_OK || rc == TR_ENOMEM);
    if (rc == TR_OK) mk_run(&w);
    CHECK(h->state == TR_HELPER_SERVING || h->state == TR_HELPER_DOWN || h->state == TR_HELPER_NEW);
    if (h->state != TR_HELPER_SERVING) CHECK(w.mem.fail_count != 0);
    if (h->state == TR_HELPER_DOWN) CHECK_EQ_INT(h->failed, TR_FAIL_MEMORY);
    serve_again(h, &p);
    mk_say(&a, "x.do", "ok", NULL);
    mk_run(&w);
    CHECK_EQ_STR(mk_got(&a), "+OK\r\n");
}

static void command(uint64_t n) {
    h = mk_serving(&w, &p, "x");
    tr_mem_fail_at(&w.mem, n);
    mk_say(&a, "x.do", "call", "SET", "k", "v", NULL);
    mk_say(&b, "x.do", "count", NULL);
    mk_run(&w);
    if (h->state != TR_HELPER_SERVING) CHECK_EQ_INT(h->failed, TR_FAIL_MEMORY);
    serve_again(h, &p);
    CHECK_EQ_INT(a.c.units, 0);
    CHECK_EQ_INT(b.c.units, 0);
    int stays = w.mem.fail_count == 0;
    CHECK(is_or_error(&a, "+OK\r\n"));
    CHECK(is_or_error(&b, ":1\r\n"));
    if (stays) {
        mk_say(&a, "GET", "k", NULL);
        CHECK_EQ_STR(mk_got(&a), "$1\r\nv\r\n");
    }
}

static void transaction(uint64_t n) {
    h = mk_serving(&w, &p, "x");
    tr_helper *other = mk_serving(&w, &p2, "y");
    mk_say(&a, "MULTI", NULL);
    mk_say(&a, "x.do", "call", "y.do", "call", "INCR", "k", NULL);
    mk_say(&a, "x.do", "ok", NULL);
    mk_got(&a);
    tr_mem_fail_at(&w.mem, n);
    mk_say(&a, "EXEC", NULL);
    mk_run(&w);
    CHECK_EQ_INT(a.c.units, 0);
    CHECK(a.c.multi == NULL || !a.c.multi->running);
    int whole = w.mem.fail_count == 0;
    serve_again(h, &p);
    serve_again(other, &p2);
    if (!(a.c.flags & TR_CLIENT_CLOSE_NOW) && !a.c.out.failed) {
        const char *got = mk_got(&a);
        if (whole) CHECK_EQ_STR(got, "*2\r\n:1\r\n+OK\r\n");
        CHECK_EQ_INT(tr_resp_check(got, strlen(got), 2), strlen(got));
    }
    mk_say(&b, "x.do", "ok", NULL);
    mk_run(&w);
    CHECK_EQ_STR(mk_got(&b), "+OK\r\n");
}

static void crash_and_restart(uint64_t n) {
    p.key_events = 1u << 2;
    p.filters = 1;
    h = mk_serving(&w, &p, "x");
    mk_say(&a, "SET", "k", "before", NULL);
    mk_got(&a);
    mk_say(&a, "x.do", "die", "SET", "k", "lost", NULL);
    mk_say(&b, "x.do", "count", NULL);
    tr_mem_fail_at(&w.mem, n);
    mk_run(&w);
    CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
    CHECK(is_or_error(&a, "an error"));
    int rc = mk_start(h, &p);
    if (rc == TR_OK) mk_run(&w);
    int failed = w.mem.fail_count != 0;
    if (!failed) CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
    serve_again(h, &p);
    CHECK(is_or_error(&b, ":1\r\n"));
    mk_say(&b, "GET", "k", NULL);
    if (!(b.c.flags & TR_CLIENT_CLOSE_NOW)) CHECK_EQ_STR(mk_got(&b), "$6\r\nbefore\r\n");
}

static void events(uint64_t n) {
    p.key_events = 1u << 2 | 1u << 3;
    p.filters = 1;
    p.filtered_to = "SET k v";
    h = mk_serving(&w, &p, "x");
    tr_mem_fail_at(&w.mem, n);
    mk_say(&a, "plain", NULL);
    mk_say(&b, "x.do", "job", NULL);
    mk_run(&w);
    CHECK(is_or_error(&a, "+OK\r\n"));
    int whole = w.mem.fail_count == 0;
    serve_again(h, &p);
    CHECK(is_or_error(&b, "+OK\r\n"));
    if (whole) CHECK_EQ_STR(p.seen, "f:plain set:k f:x.do job ");
}

static void test_load(void) {
    CHECK(story_of(load) > 10);
}

static void test_command(void) {
    CHECK(story_of(command) > 5);
}

static void test_transaction(void) {
    CHECK(story_of(transaction) > 10);
}

static void test_crash_and_restart(void) {
    CHECK(story_of(crash_and_restart) > 5);
}

static void test_events(void) {
    CHECK(story_of(events) > 5);
}

int main(void) {
    RUN(test_load);
    RUN(test_command);
    RUN(test_transaction);
    RUN(test_crash_and_restart);
    RUN(test_events);
    return CHECK_DONE();
}
