/* modhost_stage.h - what tests of the server's end of modules begin with: a world, two hosts that tests play, two
 * clients, and words for what is always checked. */
#ifndef TR_TESTS_MODHOST_STAGE_H
#define TR_TESTS_MODHOST_STAGE_H

#include "check.h"
#include "modhost_kit.h"

static mk_world w;
static mk_host p, p2;
static mk_client a, b;
static tr_helper *h;

static void open_all(void) {
    mk_open(&w);
    mk_host_init(&p);
    mk_host_init(&p2);
    p2.commands[0] = "y.do";
    mk_client_open(&a, &w);
    mk_client_open(&b, &w);
}

static void open_serving(void) {
    open_all();
    h = mk_serving(&w, &p, "x");
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
}

static void close_all(void) {
    mk_client_close(&a);
    mk_client_close(&b);
    CHECK_EQ_INT(mk_close(&w), 0);
    mk_host_end(&p);
    mk_host_end(&p2);
}

static void say_and_run(mk_client *k, const char *what, const char *arg) {
    mk_say(k, "x.do", what, arg, NULL);
    mk_run(&w);
}

#define GOT(k, want) CHECK_EQ_STR(mk_got(&k), want)

static int starts(const char *text, const char *with) {
    int yes = strncmp(text, with, strlen(with)) == 0;
    if (!yes) fprintf(stderr, "it is \"%s\"\n", text);
    return yes;
}

#define GOT_CRASH(k) CHECK(starts(mk_got(&k), "-MODULECRASH x: "))
#define GOT_DOWN(k) CHECK(starts(mk_got(&k), "-MODULEDOWN "))

static void restart(void) {
    CHECK_EQ_INT(h->state, TR_HELPER_DOWN);
    CHECK_EQ_INT(mk_start(h, &p), TR_OK);
    mk_run(&w);
    CHECK_EQ_INT(h->state, TR_HELPER_SERVING);
}

/* A unit has been left running. */
static void wait_until_left(void) {
    do tr_modhost_turn(&w.m);
    while (!(w.x.hold & TR_HOLD_FLOOR));
}

#endif
