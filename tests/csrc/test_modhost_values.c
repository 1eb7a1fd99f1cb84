/* Values of modules: what one module's command does to another's values goes with it when it dies, whatever happens on
 * the way. Numbers are compared before and after, in the process that lives on and in the one that comes after it. */
#include "check.h"
#include "modhost/values.h"
#include "modhost_values_kit.h"

static mk_world w;
static mk_host p, p2;
static mk_numbers numbers;
static mk_client a;
static tr_helper *h, *other;

static const char *said(const char *const *words) {
    const char *v[8] = {0};
    for (int i = 0; i < 8 && words[i] != NULL; i++) v[i] = words[i];
    mk_say(&a, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], NULL);
    mk_run(&w);
    return mk_got(&a);
}

#define SAY(...) said((const char *const[8]){__VA_ARGS__})

/* x has values, y runs commands. */
static void begin(void) {
    mk_open(&w);
    mk_host_init(&p);
    mk_host_init(&p2);
    p2.commands[0] = "y.do";
    mk_has_numbers(&p, &numbers);
    mk_client_open(&a, &w);
    h = mk_serving(&w, &p, "x");
    other = mk_serving(&w, &p2, "y");
    CHECK_EQ_STR(SAY("x.do", "add", "k", "5"), "+OK\r\n");
    CHECK_EQ_STR(SAY("x.do", "put", "l", "7"), "+OK\r\n");
    CHECK_EQ_STR(SAY("x.do", "two", "k", "l"), "+OK\r\n");
    CHECK_EQ_STR(SAY("x.do", "put", "m", "1"), "+OK\r\n");
}

static void end(void) {
    mk_client_close(&a);
    CHECK_EQ_INT(mk_close(&w), 0);
    mk_host_end(&p);
    mk_host_end(&p2);
}

static void serve_again(tr_helper *helper, mk_host *host) {
    for (int i = 0; i < 3 && helper->state != TR_HELPER_SERVING; i++) {
        int is_down = helper->state == TR_HELPER_NEW || helper->state == TR_HELPER_DOWN;
        if (is_down) CHECK_EQ_INT(mk_start(helper, host), TR_OK);
        mk_run(&w);
    }
    CHECK_EQ_INT(helper->state, TR_HELPER_SERVING);
}

static void check_as_before(void) {
    CHECK_EQ_STR(SAY("x.do", "read", "k"), ":12\r\n");
    CHECK_EQ_STR(SAY("x.do", "read", "l"), ":7\r\n");
    CHECK_EQ_STR(SAY("x.do", "read", "m"), ":1\r\n");
    CHECK_EQ_STR(SAY("DBSIZE"), ":3\r\n");
}

/* The value is as before, in this process and in the next. */
static void check_both(void) {
    serve_again(other, &p2);
    check_as_before();
    tr_modhost_cron(&w.m);
    CHECK_EQ_STR(SAY("x.do", "numbers"), ":3\r\n");
    tr_helper_fail(h, TR_FAIL_ASKED, "to see what the next one has");
    serve_again(h, &p);
    check_as_before();
}

static const char *const deeds[][6] = {
    {"x.do", "add", "k", "100"},  {"x.do", "put", "k", "100"}, {"x.do", "two", "l", "k"}, {"x.do", "add", "new", "1"},
    {"DEL", "k"},                 {"RENAME", "k", "l"},        {"COPY", "k", "new"},      {"SET", "k", "plain"},
    {"COPY", "k", "l", "REPLACE"}, {"FLUSHALL"},               {"MOVE", "k", "1"},
};

static void test_each_deed(void) {
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        const char *const *d = deeds[i];
        begin();
        CHECK(strstr(SAY("y.do", "die", d[0], d[1], d[2], d[3]), "MODULECRASH") != NULL);
        CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
        CHECK_EQ_INT(h->stats.crashes, 0);
        CHECK_EQ_INT(tr_values_statistics(h).not_kept, 0);
        check_both();
        end();
    }
}

/* No value that the command had nothing to do with is made anew. */
static void test_the_others_are_left_alone(void) {
    begin();
    SAY("y.do", "die", "x.do", "add", "m", "1");
    CHECK_EQ_INT(numbers.loads, 1);
    check_as_before();
    check_both();
    end();
}

static void test_it_dies_of_it(void) {
    begin();
    numbers.dies_at_load = 1;
    SAY("y.do", "die", "x.do", "put", "l", "1");
    CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
    serve_again(h, &p);
    check_both();
    end();
}

static void test_it_takes_nothing_back(void) {
    begin();
    numbers.refuses_load = 1;
    SAY("y.do", "die", "x.do", "put", "l", "1");
    CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
    serve_again(h, &p);
    check_both();
    end();
}

/* x calls y, which has x change a value, and dies: x's own command goes on and its change stays. */
static void test_a_call_amid_a_call(void) {
    begin();
    CHECK(strstr(SAY("x.do", "call", "y.do", "die", "x.do", "add", "k", "100"), "MODULECRASH") != NULL);
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
    check_both();
    end();
}

/* Another one's command goes on after a death amid it; what it did before stays, and is undone when it dies too. */
static void test_one_of_two_deaths(void) {
    mk_host p3;
    begin();
    mk_host_init(&p3);
    p3.commands[0] = "z.do";
    tr_helper *third = mk_serving(&w, &p3, "z");
    CHECK(strstr(SAY("z.do", "call", "y.do", "die", "x.do", "put", "k", "100"), "MODULECRASH") != NULL);
    CHECK_EQ_INT(third->state, TR_HELPER_SERVING);
    serve_again(other, &p2);
    check_as_before();
    CHECK(strstr(SAY("z.do", "die", "y.do", "call", "x.do", "put", "k", "100"), "MODULECRASH") != NULL);
    CHECK_EQ_INT(other->state, TR_HELPER_SERVING);
    serve_again(third, &p3);
    check_both();
    end();
    mk_host_end(&p3);
}

/* Nothing says what the value is now, but what it was is known. */
static void test_a_payload_that_does_not_come(void) {
    begin();
    numbers.is_mute = 1;
    SAY("y.do", "die", "x.do", "put", "l", "100");
    numbers.is_mute = 0;
    check_both();
    end();
}

static void test_values_that_are_not_kept(void) {
    uint8_t events;
    begin();
    tr_modhost_keep_values(&w.m, 0);
    mk_say(&a, "y.do", "die", "x.do", "add", "k", "100", NULL);
    while (h->events == 0 && tr_modhost_turn(&w.m)) continue;
    while (w.m.floor != NULL) {
        if (!w.m.floor->ready) mk_wait(w.m.floor);
        tr_modhost_turn(&w.m);
    }
    CHECK(tr_modhost_take_event(&w.m, &events) == h);
    CHECK_EQ_INT(events, TR_HELPER_EVENT_NOT_TAKEN_BACK);
    serve_again(other, &p2);
    mk_got(&a);
    CHECK_EQ_STR(SAY("x.do", "read", "k"), ":112\r\n");
    SAY("y.do", "die", "x.do", "read", "k");
    CHECK_EQ_INT(h->events, 0);
    end();
}

/* The n-th allocation fails: whatever that ends, all is as before once everybody serves again. */
static void test_no_memory(void) {
    static const char *const stories[][4] = {
        {"x.do", "put", "k", "1"}, {"x.do", "two", "k", "l"}, {"COPY", "k", "l", "REPLACE"},
        {"x.do", "add", "new", "1"}};
    int allocations = 0;
    for (int i = 0; i < 4; i++) {
        const char *const *d = stories[i];
        for (uint64_t n = 1, failed = 1; failed; n++) {
            begin();
            mk_say(&a, "y.do", "die", d[0], d[1], d[2], d[3], NULL);
            tr_mem_fail_at(&w.mem, n);
            mk_run(&w);
            failed = w.mem.fail_count != 0;
            tr_mem_fail_at(&w.mem, 0);
            mk_client_close(&a);
            mk_client_open(&a, &w);
            serve_again(h, &p);
            check_both();
            end();
            allocations++;
        }
    }
    CHECK(allocations > 40);
}

/* ------------------------------------------------------------------ a new process gets its values */

/* x died and its next process hangs amid the n-th value that it is to load. */
static void begin_restore(int n) {
    begin();
    CHECK_EQ_STR(SAY("SET", "plain", "p"), "+OK\r\n");
    tr_helper_fail(h, TR_FAIL_ASKED, "to have it restored");
    numbers.hangs_at_load = n;
    CHECK_EQ_INT(mk_start(h, &p), TR_OK);
    while (!atomic_load(&numbers.hangs)) {
        mk_take_events(&w);
        if (!tr_modhost_turn(&w.m) && w.m.floor != NULL) mk_wait(w.m.floor);
        if (h->state == TR_HELPER_RESTORING && h->parked_ring) mk_wait(h);
    }
    while (tr_modhost_turn(&w.m)) continue;
    CHECK_EQ_INT(h->state, TR_HELPER_RESTORING);
    w.restores = 0;
}

/* Nobody waits for it: a command while it is restored. */
static const char *now(const char *const *words) {
    const char *v[8] = {0};
    for (int i = 0; i < 8 && words[i] != NULL; i++) v[i] = words[i];
    mk_say(&a, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], NULL);
    while (tr_modhost_turn(&w.m) || w.m.floor != NULL) {
        if (w.m.floor != NULL) mk_wait(w.m.floor);
    }
    CHECK_EQ_INT(h->state, TR_HELPER_RESTORING);
    return mk_got(&a);
}

#define NOW(...) now((const char *const[8]){__VA_ARGS__})

static void end_restore(void) {
    mk_let_go(&p);
    mk_run(&w);
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
    CHECK_EQ_INT(w.restores, 1);
}

static int64_t got_number(const char *reply) {
    CHECK(reply[0] == ':');
    return strtoll(reply + 1, NULL, 10);
}

static void test_others_do_not_wait(void) {
    begin_restore(1);
    CHECK_EQ_STR(NOW("GET", "plain"), "$1\r\np\r\n");
    CHECK(strncmp(NOW("x.do", "read", "k"), "-MODULEDOWN", 11) == 0);
    CHECK_EQ_STR(NOW("EXISTS", "k", "l", "m"), ":3\r\n");
    CHECK_EQ_STR(NOW("y.do", "ok"), "+OK\r\n");
    CHECK_EQ_STR(NOW("y.do", "call", "EXISTS", "k"), ":1\r\n");
    CHECK(strstr(NOW("y.do", "call", "x.do", "read", "k"), "MODULEDOWN") != NULL);
    CHECK(!tr_helper_has_work(h)); /* its eventfd tells */
    end_restore();
    CHECK_EQ_STR(SAY("DEL", "plain"), ":1\r\n");
    check_both();
    end();
}

/* What becomes of the keys when this is done to them before the n-th value is there. */
typedef struct deed {
    const char *words[5];
    int64_t k, l, m, n; /* -1: it is not there, or holds no number */
} deed;

static const deed meanwhile[] = {
    {{"DEL", "k"}, -1, 7, 1, -1},
    {{"UNLINK", "l"}, 12, -1, 1, -1},
    {{"RENAME", "k", "n"}, -1, 7, 1, 12},
    {{"RENAME", "l", "k"}, 7, -1, 1, -1},
    {{"SET", "m", "x"}, 12, 7, -1, -1},
    {{"MOVE", "l", "1"}, 12, -1, 1, -1},
    {{"PEXPIREAT", "k", "1"}, -1, 7, 1, -1},
    {{"FLUSHALL"}, -1, -1, -1, -1},
    {{"FLUSHDB", "ASYNC"}, -1, -1, -1, -1},
    {{"COPY", "k", "n"}, 12, 7, 1, -1}, /* as when the process is down */
    {{"PERSIST", "k"}, 12, 7, 1, -1},
    {{"MEMORY", "USAGE", "k"}, 12, 7, 1, -1},
    {{"OBJECT", "ENCODING", "k"}, 12, 7, 1, -1},
    {{"DEBUG", "DIGEST-VALUE", "k"}, 12, 7, 1, -1},
    {{"TYPE", "k"}, 12, 7, 1, -1},
    {{"SWAPDB", "0", "1"}, -1, -1, -1, -1},
};

static int64_t number_at(const char *key) {
    const char *got = SAY("x.do", "read", key);
    return got[0] == ':' ? got_number(got) : -1;
}

static void check_numbers(const deed *d) {
    CHECK_EQ_INT(number_at("k"), d->k);
    CHECK_EQ_INT(number_at("l"), d->l);
    CHECK_EQ_INT(number_at("m"), d->m);
    CHECK_EQ_INT(number_at("n"), d->n);
}

static void test_what_is_done_meanwhile(void) {
    for (size_t i = 0; i < sizeof meanwhile / sizeof *meanwhile; i++) {
        for (int n = 1; n <= 2; n++) { /* of the payloads of l and m */
            const deed *d = &meanwhile[i];
            begin_restore(n);
            NOW(d->words[0], d->words[1], d->words[2], d->words[3]);
            end_restore();
            check_numbers(d);
            while (w.store.doomed != NULL) tr_store_lazyfree(&w.store, 1000);
            tr_modhost_cron(&w.m);
            int there = (d->k >= 0) + (d->l >= 0) + (d->m >= 0) + (d->n >= 0);
            if (strcmp(d->words[0], "MOVE") == 0) there++;
            if (strcmp(d->words[0], "SWAPDB") == 0) there = 3;
            CHECK_EQ_INT(got_number(SAY("x.do", "numbers")), there);
            tr_helper_fail(h, TR_FAIL_ASKED, "to see what the next one has");
            serve_again(h, &p);
            check_numbers(d);
            CHECK_EQ_INT(got_number(SAY("x.do", "numbers")), there);
            end();
        }
    }
}

/* It dies amid a value: after so many deaths the value is left out, its key goes, the others are there. */
static void test_a_value_that_kills(void) {
    begin();
    tr_helper_fail(h, TR_FAIL_ASKED, "to have it restored");
    for (int i = 0; i < TR_REPLAY_FAILURES_MAX; i++) {
        numbers.dies_at_load = 2; /* that of m */
        CHECK_EQ_INT(mk_start(h, &p), TR_OK);
        mk_run(&w);
        CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
        CHECK_EQ_STR(h->running, "its values, given back");
        CHECK_EQ_STR(SAY("EXISTS", "m"), ":1\r\n");
    }
    serve_again(h, &p);
    CHECK_EQ_INT(number_at("m"), -1);
    CHECK_EQ_STR(SAY("EXISTS", "m"), ":0\r\n");
    CHECK_EQ_INT(number_at("k"), 12);
    CHECK_EQ_INT(number_at("l"), 7);
    CHECK_EQ_INT(tr_values_statistics(h).lost, 1);
    end();
}

/* It dies, hangs, or is ended in the middle; the next one gets all. */
static void test_ends_amid_it(void) {
    for (int way = 0; way < 3; way++) {
        begin_restore(2);
        NOW("DEL", "plain");
        if (way == 0) tr_helper_fail(h, TR_FAIL_ASKED, "to see it ended amid it");
        if (way == 1) mk_host_end(&p);
        if (way == 2) {
            h->deadline_ns = 0;
            tr_modhost_cron(&w.m);
        }
        mk_run(&w);
        CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
        mk_let_go(&p);
        serve_again(h, &p);
        check_both();
        end();
    }
}

/* module-durability is switched off before all is there: all comes, and is kept no longer. */
static void test_kept_no_longer(void) {
    begin_restore(2);
    tr_modhost_keep_values(&w.m, 0);
    CHECK(tr_values_statistics(h).journal_entries != 0);
    NOW("DEL", "plain");
    end_restore();
    CHECK_EQ_INT(tr_values_statistics(h).journal_entries, 0);
    check_as_before();
    end();
}

/* Keys that are moved about while those that are lost are looked for. */
static void test_lost_keys_that_move(void) {
    begin();
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof key, "key:%d", i);
        CHECK_EQ_STR(SAY("x.do", "put", key, "1"), "+OK\r\n");
    }
    tr_helper_fail(h, TR_FAIL_ASKED, "to have it restored");
    numbers.refuses_all = 1;
    CHECK_EQ_INT(mk_start(h, &p), TR_OK);
    for (int turns = 0; h->state != TR_HELPER_SERVING; turns++) {
        mk_take_events(&w);
        if (!tr_modhost_turn(&w.m) && w.m.floor != NULL) mk_wait(w.m.floor);
        if (h->state != TR_HELPER_RESTORING) continue;
        if (h->parked_ring) mk_wait(h);
        mk_say(&a, "SWAPDB", "0", "1", NULL);
        mk_got(&a);
    }
    CHECK_EQ_INT(tr_hash_count(&w.store.dbs[0].keys) + tr_hash_count(&w.store.dbs[1].keys), 0);
    end();
}

static void test_no_memory_for_it(void) {
    for (uint64_t n = 1, failed = 1; failed; n++) {
        begin();
        tr_helper_fail(h, TR_FAIL_ASKED, "to have it restored");
        int rc = mk_start(h, &p);
        while (rc == TR_OK && h->state == TR_HELPER_LOADING) {
            mk_take_events(&w);
            if (!tr_modhost_turn(&w.m) && w.m.floor != NULL) mk_wait(w.m.floor);
        }
        tr_mem_fail_at(&w.mem, n);
        mk_run(&w);
        failed = w.mem.fail_count != 0;
        tr_mem_fail_at(&w.mem, 0);
        if (failed) CHECK(h->state == TR_HELPER_SERVING || h->failed == TR_FAIL_MEMORY);
        serve_again(h, &p);
        check_both();
        end();
        CHECK(n < 200);
    }
}

int main(void) {
    RUN(test_others_do_not_wait);
    RUN(test_what_is_done_meanwhile);
    RUN(test_a_value_that_kills);
    RUN(test_ends_amid_it);
    RUN(test_kept_no_longer);
    RUN(test_lost_keys_that_move);
    RUN(test_no_memory_for_it);
    RUN(test_each_deed);
    RUN(test_the_others_are_left_alone);
    RUN(test_it_dies_of_it);
    RUN(test_it_takes_nothing_back);
    RUN(test_a_call_amid_a_call);
    RUN(test_one_of_two_deaths);
    RUN(test_a_payload_that_does_not_come);
    RUN(test_values_that_are_not_kept);
    RUN(test_no_memory);
    return CHECK_DONE();
}
