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

int main(void) {
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
