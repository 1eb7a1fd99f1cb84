/* observe_kit.h - an engine with fed clients and a clock set by hand, for tests of what watches commands.
 *
 * LOLWUT VERSION n takes n microseconds, so that commands can be slow.
 */
#ifndef TR_TESTS_OBSERVE_KIT_H
#define TR_TESTS_OBSERVE_KIT_H

#include "check.h"
#include "engine/api.h"
#include "engine/engine.h"

#include "base/err.h"
#include "base/num.h"

#define KIT_CLIENTS 3
#define KIT_TEXT_MAX (1 << 20)

typedef struct world {
    tr_engine *g;
    uint64_t id[KIT_CLIENTS];
    char text[KIT_TEXT_MAX];
} world;

static void pass_us(world *w, int64_t us) {
    w->g->clock.fake_wall_us += us;
    w->g->clock.fake_mono_ns += us * 1000;
}

static void kit_call_python(void *ctx, tr_client *c) {
    int64_t us;
    int lasts = strcmp(tr_api_client_command(c), "lolwut") == 0 && c->argc == 3;
    if (lasts && tr_num_parse_int(c->argv[2].ptr, c->argv[2].len, &us)) pass_us(ctx, us);
    tr_api_reply(c, "+OK\r\n", 5);
}

static int kit_authenticate(void *ctx, tr_client *c, const char *user, size_t user_len, const char *pass,
                            size_t pass_len) {
    (void)ctx, (void)c, (void)user, (void)user_len, (void)pass, (void)pass_len;
    return 0;
}

static void begin(world *w) {
    static const uint64_t seed[2] = {7, 8};
    CHECK_EQ_INT(tr_engine_open(4, TR_POLLER_AUTO, seed, &w->g), TR_OK);
    w->g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000000000, .fake_mono_ns = 1000};
    tr_api_set_hooks(w->g, w, kit_call_python, kit_authenticate);
    tr_exec_turn(&w->g->x);
    for (int i = 0; i < KIT_CLIENTS; i++) w->id[i] = tr_engine_open_fed(w->g, 0);
}

static void end(world *w) {
    tr_store_check(&w->g->store);
    tr_engine_close(w->g);
}

static void take_a_turn(world *w) {
    int more, busy;
    tr_engine_poll(w->g, 0, 0, 0, &more, &busy);
}

/* What a client has got, as text. */
static const char *got(world *w, int who) {
    size_t n = 0, len;
    const char *p;
    while (tr_api_fed_output(w->g, w->id[who], &p, &len)) {
        CHECK(n + len < KIT_TEXT_MAX);
        memcpy(w->text + n, p, len);
        n += len;
        tr_api_fed_consume(w->g, w->id[who], len);
    }
    w->text[n] = '\0';
    return w->text;
}

static void say(world *w, int who, const char *line) {
    tr_api_feed(w->g, w->id[who], line, strlen(line));
    tr_api_feed(w->g, w->id[who], "\r\n", 2);
}

static const char *ask(world *w, int who, const char *line) {
    say(w, who, line);
    return got(w, who);
}

#endif
