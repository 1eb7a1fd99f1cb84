/* The latency monitor: which delays are kept, by second and name, and where the engine's own come from. */
#include <stdlib.h>

#include "observe_kit.h"

static void watch_from(world *w, int64_t threshold_ms) {
    w->g->settings.latency_threshold_ms = threshold_ms;
    tr_engine_apply(w->g);
}

static const tr_latency_event *find(const world *w, const char *name) {
    return tr_latency_find(&w->g->x, name, strlen(name));
}

static void sample(world *w, const char *name, int64_t ms) {
    tr_exec_turn(&w->g->x);
    tr_exec_begin(&w->g->x);
    tr_latency_sample(&w->g->x, name, ms);
}

static void test_seconds_and_ring(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    sample(w, "a", 1000);
    CHECK(find(w, "a") == NULL); /* switched off */
    watch_from(w, 10);
    sample(w, "a", 9);
    CHECK(find(w, "a") == NULL);
    sample(w, "a", 10);
    sample(w, "a", 30);
    sample(w, "a", 20);
    CHECK_EQ_INT(find(w, "a")->at, 1);
    CHECK_EQ_INT(tr_latency_newest(find(w, "a"))->ms, 30);
    for (int i = 0; i < TR_DELAYS + 5; i++) {
        pass_us(w, 1000000);
        sample(w, "a", 11 + i);
    }
    int64_t times[TR_DELAYS], amounts[TR_DELAYS], max;
    CHECK_EQ_INT(tr_api_latency_delays(w->g, "a", 1, times, amounts, &max), TR_DELAYS);
    CHECK_EQ_INT(max, 11 + TR_DELAYS + 4);
    CHECK_EQ_INT(amounts[0], 16);
    CHECK_EQ_INT(amounts[TR_DELAYS - 1], max);
    CHECK_EQ_INT(times[TR_DELAYS - 1] - times[0], TR_DELAYS - 1);
    CHECK_EQ_INT(tr_api_latency_delays(w->g, "b", 1, times, amounts, &max), -1);
    end(w);
    free(w);
}

/* What modules have measured is kept even while nothing else is. */
static void test_told_delays(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    tr_exec_turn(&w->g->x);
    tr_latency_told(&w->g->x, "a", 0);
    CHECK(find(w, "a") != NULL);
    tr_latency_told(&w->g->x, "b", -1);
    CHECK(find(w, "b") == NULL);
    watch_from(w, 10);
    tr_latency_told(&w->g->x, "b", 9);
    CHECK(find(w, "b") == NULL);
    tr_latency_told(&w->g->x, "b", 10);
    CHECK_EQ_INT(tr_latency_newest(find(w, "b"))->ms, 10);
    end(w);
    free(w);
}

static void test_names_are_bounded(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    watch_from(w, 1);
    char name[300];
    for (int i = 0; i < TR_LATENCY_EVENTS_MAX + 10; i++) {
        sprintf(name, "event-%d", i);
        sample(w, name, 5);
    }
    CHECK_EQ_INT(w->g->x.latency_events.count, TR_LATENCY_EVENTS_MAX);
    CHECK_EQ_INT(tr_api_latency_reset(w->g, "event-3", 7), 1);
    CHECK_EQ_INT(tr_api_latency_reset(w->g, "event-3", 7), 0);
    CHECK_EQ_STR(tr_api_latency_event(w->g, 3), "event-4");
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    sample(w, name, 5);
    sample(w, name, 6);
    CHECK_EQ_INT(strlen(tr_api_latency_event(w->g, TR_LATENCY_EVENTS_MAX - 1)), TR_LATENCY_NAME_MAX - 1);
    CHECK(tr_api_latency_event(w->g, TR_LATENCY_EVENTS_MAX) == NULL);
    CHECK_EQ_INT(tr_api_latency_reset(w->g, NULL, 0), TR_LATENCY_EVENTS_MAX);
    CHECK_EQ_INT(tr_latency_memory(&w->g->x), 0);
    end(w);
    free(w);
}

static void test_commands(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    watch_from(w, 5);
    ask(w, 0, "LOLWUT VERSION 4999");
    CHECK(find(w, "command") == NULL);
    ask(w, 0, "MULTI");
    ask(w, 0, "LOLWUT VERSION 4000");
    ask(w, 0, "LOLWUT VERSION 3000");
    ask(w, 0, "EXEC");
    CHECK(find(w, "fast-command") != NULL || find(w, "command") != NULL); /* EXEC as a whole */
    CHECK_EQ_INT(find(w, "command")->max_ms, 7);
    watch_from(w, 0);
    ask(w, 0, "LOLWUT VERSION 90000");
    CHECK_EQ_INT(find(w, "command")->max_ms, 7);
    end(w);
    free(w);
}

static void be_slow(void *ctx, tr_db *db, const char *key, size_t len) {
    (void)db, (void)key, (void)len;
    pass_us(ctx, 7000);
}

static void test_eviction_and_expiry(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    watch_from(w, 5);
    char line[64];
    for (int i = 0; i < 300; i++) {
        sprintf(line, "SET evicted:%d %040d", i, i);
        ask(w, 0, line);
    }
    tr_store_hooks kept = w->g->store.hooks;
    w->g->store.hooks.ctx = w;
    w->g->store.hooks.changed = be_slow;
    w->g->store.wants |= TR_WANTS_CHANGED;
    w->g->settings.maxmemory = w->g->mem.used - 2000;
    tr_api_set_policy(w->g, TR_ALLKEYS_RANDOM);
    tr_engine_apply(w->g);
    ask(w, 0, "PING");
    CHECK(w->g->store.stats.evicted_keys > 2);
    CHECK_EQ_INT(find(w, "eviction-del")->max_ms, 7);
    CHECK_EQ_INT(find(w, "eviction-cycle")->max_ms, 7 * w->g->store.stats.evicted_keys);
    w->g->settings.maxmemory = 0;
    tr_engine_apply(w->g);
    w->g->store.wants &= ~TR_WANTS_CHANGED;
    ask(w, 0, "SET dies 1 PX 1");
    w->g->store.wants |= TR_WANTS_CHANGED;
    pass_us(w, 5000);
    tr_engine_cron(w->g);
    CHECK_EQ_INT(find(w, "expire-cycle")->max_ms, 7);
    w->g->store.wants &= ~TR_WANTS_CHANGED;
    w->g->store.hooks = kept;
    end(w);
    free(w);
}

static void test_turns(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    watch_from(w, 5);
    for (int i = 0; i < TR_TURN_COMMANDS; i++) say(w, 0, "PING"); /* none of them in a turn */
    CHECK(find(w, "pump-turn") == NULL);
    char *many = malloc(100000);
    size_t n = 0;
    for (int i = 0; i < TR_TURN_COMMANDS; i++) n += (size_t)sprintf(many + n, "PING\r\n");
    n += (size_t)sprintf(many + n, "LOLWUT VERSION 9000\r\n");
    tr_api_feed(w->g, w->id[0], many, n); /* more than one go: the rest runs in the turn */
    take_a_turn(w);
    CHECK_EQ_INT(find(w, "pump-turn")->max_ms, 9);
    free(many);
    got(w, 0);
    end(w);
    free(w);
}

static void test_no_memory(void) {
    world *w = malloc(sizeof(*w));
    begin(w);
    watch_from(w, 1);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        tr_mem_fail_at(&w->g->mem, nth);
        sample(w, "a", 5);
        CHECK(find(w, "a") == NULL);
    }
    sample(w, "a", 5);
    CHECK(find(w, "a") != NULL);
    end(w);
    free(w);
}

int main(void) {
    RUN(test_seconds_and_ring);
    RUN(test_told_delays);
    RUN(test_names_are_bounded);
    RUN(test_commands);
    RUN(test_eviction_and_expiry);
    RUN(test_turns);
    RUN(test_no_memory);
    return CHECK_DONE();
}
