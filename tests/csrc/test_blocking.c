/* Aim: clients that wait for keys are asked in the order in which they came, once for each signal, whatever the others
 * do meanwhile; deadlines come in their order; nothing is left behind.
 *
 * Method: waiters that write down what they are told and do what their script says. No memory: each allocation fails
 * once. */
#include "cmd_harness.h"
#include "base/err.h"
#include "check.h"
#include "exec/blocking.h"

#include <stdlib.h>

#define CLIENTS 8

typedef struct probe {
    tr_waiter waiter; /* first */
    tr_client client;
    char name;
    int leaves;            /* when it is asked */
    struct probe *expels;  /* who leaves then */
    struct probe *joins;   /* who comes then, for the same key */
} probe;

static cmd_harness *h;
static probe probes[CLIENTS];
static char told[256];

static void tell(char what, char who) {
    size_t at = strlen(told);
    told[at] = what;
    told[at + 1] = who;
    told[at + 2] = ' ';
    told[at + 3] = '\0';
}

static void leave(probe *p) {
    tr_blocking_release(&h->x.blocking, &p->waiter);
}

static int wait_for(probe *p, const char *keys, int64_t deadline_ms) {
    tr_arg args[16];
    uint32_t count = 0;
    for (const char *k = keys; *k != '\0'; k++) args[count++] = (tr_arg){.ptr = k, .len = 1};
    return tr_blocking_wait(&h->x.blocking, &p->waiter, &p->client, 0, args, count, deadline_ms);
}

static void on_ready(tr_waiter *w, int db_id, const char *key, size_t len, int removed) {
    probe *p = (probe *)(void *)w;
    CHECK_EQ_INT(db_id, 0);
    CHECK_EQ_INT(len, 1);
    tell(removed ? '-' : key[0], p->name);
    probe *expelled = p->expels, *joining = p->joins;
    p->expels = p->joins = NULL;
    char name[2] = {key[0], '\0'};
    if (expelled != NULL) leave(expelled);
    if (joining != NULL) CHECK_EQ_INT(wait_for(joining, name, TR_BLOCKING_FOREVER), 0);
    if (p->leaves) leave(p);
}

static void on_timeout(tr_waiter *w) {
    probe *p = (probe *)(void *)w;
    tell('t', p->name);
    leave(p);
}

static int on_unblock(tr_waiter *w, tr_unblock how) {
    probe *p = (probe *)(void *)w;
    tell(how == TR_UNBLOCK_ERROR ? 'e' : 'u', p->name);
    leave(p);
    return 1;
}

static void on_gone(tr_waiter *w) {
    probe *p = (probe *)(void *)w;
    tell('g', p->name);
    leave(p);
}

static const tr_waiter_ops ops = {on_ready, on_timeout, on_unblock, on_gone};

static void begin(void) {
    h = harness_new(2);
    memset(probes, 0, sizeof probes);
    for (int i = 0; i < CLIENTS; i++) {
        probes[i].name = (char)('A' + i);
        probes[i].waiter.ops = &ops;
        tr_client_init(&probes[i].client, &h->x, (uint64_t)(100 + i), 0);
    }
    told[0] = '\0';
}

static void end(void) {
    for (int i = 0; i < CLIENTS; i++) tr_client_release(&probes[i].client);
    CHECK_EQ_INT(h->x.blocking.clients, 0);
    CHECK_EQ_INT(h->x.store->wants & TR_WANTS_ADDED, 0);
    harness_free(h);
}

static void signal_key(const char *key) {
    tr_blocking_signal(&h->x.blocking, 0, key, 1);
}

static const char *served(void) {
    static char result[sizeof told];
    tr_blocking_serve(&h->x.blocking);
    strcpy(result, told);
    told[0] = '\0';
    return result;
}

static void test_order(void) {
    begin();
    harness_run(h, "SET x 1");
    harness_run(h, "SET y 1");
    CHECK_EQ_INT(wait_for(&probes[0], "xyx", TR_BLOCKING_FOREVER), 0);
    CHECK_EQ_INT(wait_for(&probes[1], "y", TR_BLOCKING_FOREVER), 0);
    CHECK_EQ_INT(wait_for(&probes[2], "yx", TR_BLOCKING_FOREVER), 0);
    CHECK_EQ_INT(h->x.blocking.clients, 3);
    CHECK_EQ_STR(served(), "");
    signal_key("y");
    signal_key("x");
    signal_key("y");
    signal_key("z");
    CHECK_EQ_STR(served(), "yA yB yC xA xC ");
    signal_key("x");
    leave(&probes[0]);
    CHECK_EQ_STR(served(), "xC ");
    end();
}

static void test_who_leaves_and_comes_meanwhile(void) {
    begin();
    harness_run(h, "SET x 1");
    for (int i = 0; i < 5; i++) CHECK_EQ_INT(wait_for(&probes[i], "x", TR_BLOCKING_FOREVER), 0);
    probes[0].leaves = 1;
    probes[1].expels = &probes[2]; /* the next one */
    probes[3].expels = &probes[1]; /* one before */
    probes[3].joins = &probes[5];
    probes[4].leaves = 1;
    signal_key("x");
    CHECK_EQ_STR(served(), "xA xB xD xE ");
    signal_key("x");
    CHECK_EQ_STR(served(), "xD xF ");
    probes[3].leaves = probes[5].leaves = 1;
    probes[3].joins = &probes[6];
    signal_key("x");
    CHECK_EQ_STR(served(), "xD xF ");
    leave(&probes[6]);
    signal_key("x");
    CHECK_EQ_STR(served(), "");
    end();
}

static void test_a_key_that_is_not_there(void) {
    begin();
    CHECK_EQ_INT(wait_for(&probes[0], "x", TR_BLOCKING_FOREVER), 0);
    probes[1].waiter.on_removal = 1;
    CHECK_EQ_INT(wait_for(&probes[1], "x", TR_BLOCKING_FOREVER), 0);
    signal_key("x");
    CHECK_EQ_STR(served(), "-B ");
    harness_run(h, "SET x 1"); /* a string is nothing to wait for */
    CHECK_EQ_STR(served(), "");
    harness_run(h, "DEL x");
    CHECK_EQ_STR(served(), "-B ");
    harness_run(h, "SET x 1");
    harness_run(h, "FLUSHALL");
    CHECK_EQ_STR(served(), "-B ");
    leave(&probes[1]);
    harness_run(h, "SET x 1");
    harness_run(h, "DEL x");
    CHECK_EQ_STR(served(), "");
    harness_run(h, "@list x");
    signal_key("x");
    CHECK_EQ_STR(served(), "xA ");
    end();
}

static void test_databases_that_are_swapped(void) {
    begin();
    CHECK_EQ_INT(wait_for(&probes[0], "x", TR_BLOCKING_FOREVER), 0);
    harness_run(h, "SELECT 1");
    harness_run(h, "SET x 1");
    CHECK_EQ_STR(served(), "");
    harness_run(h, "SWAPDB 0 1");
    CHECK_EQ_STR(served(), "xA ");
    end();
}

static void test_deadlines(void) {
    begin();
    int64_t now_ms = HARNESS_EPOCH_MS;
    CHECK_EQ_INT(wait_for(&probes[0], "x", now_ms + 30), 0);
    CHECK_EQ_INT(wait_for(&probes[1], "", now_ms + 10), 0);
    CHECK_EQ_INT(wait_for(&probes[2], "", TR_BLOCKING_FOREVER), 0);
    CHECK_EQ_INT(wait_for(&probes[3], "", now_ms + 20), 0);
    CHECK_EQ_INT(wait_for(&probes[4], "", now_ms + 20), 0);
    tr_blocking_forget(&h->x.blocking, &probes[4].waiter);
    tr_blocking_check(&h->x.blocking, now_ms + 9);
    CHECK_EQ_STR(served(), "");
    tr_blocking_check(&h->x.blocking, now_ms + 10);
    CHECK_EQ_STR(served(), "tB ");
    tr_blocking_check(&h->x.blocking, now_ms + 1000);
    CHECK_EQ_STR(served(), "tD tA ");
    CHECK_EQ_INT(h->x.blocking.clients, 2);
    end();
}

static void test_ends_from_outside(void) {
    begin();
    CHECK_EQ_INT(tr_blocking_unblock(&probes[0].client, TR_UNBLOCK_ERROR), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ_INT(wait_for(&probes[i], "x", TR_BLOCKING_FOREVER), 0);
    CHECK_EQ_INT(tr_blocking_unblock(&probes[0].client, TR_UNBLOCK_ERROR), 1);
    CHECK_EQ_INT(tr_blocking_unblock(&probes[1].client, TR_UNBLOCK_TIMEOUT), 1);
    tr_blocking_client_gone(&probes[2].client);
    CHECK_EQ_STR(served(), "eA uB gC ");
    end();
}

/* The end comes before the signal was heard. */
static void test_a_signal_that_nobody_hears(void) {
    begin();
    CHECK_EQ_INT(wait_for(&probes[0], "x", TR_BLOCKING_FOREVER), 0);
    signal_key("x");
    leave(&probes[0]);
    end();
}

/* A crowd that comes, goes and is asked at random, against a list. */
static void test_a_crowd(void) {
    begin();
    harness_run(h, "SET x 1");
    int queue[CLIENTS], count = 0;
    srand(7);
    for (int round = 0; round < 3000; round++) {
        int i = rand() % CLIENTS, at = 0;
        while (at < count && queue[at] != i) at++;
        if (at == count) {
            probes[i].leaves = rand() % 4 == 0;
            CHECK_EQ_INT(wait_for(&probes[i], "ax", TR_BLOCKING_FOREVER), 0);
            queue[count++] = i;
        } else if (rand() % 2) {
            leave(&probes[i]);
            memmove(queue + at, queue + at + 1, (size_t)(--count - at) * sizeof *queue);
        } else {
            char want[sizeof told] = "";
            int left = 0;
            for (int k = 0; k < count; k++) {
                sprintf(want + strlen(want), "x%c ", probes[queue[k]].name);
                if (!probes[queue[k]].leaves) queue[left++] = queue[k];
            }
            count = left;
            signal_key("x");
            CHECK_EQ_STR(served(), want);
        }
        CHECK_EQ_INT(h->x.blocking.clients, count);
    }
    end();
}

static void test_no_memory(void) {
    int failures = 0;
    for (uint64_t nth = 1;; nth++) {
        begin();
        CHECK_EQ_INT(wait_for(&probes[0], "w", TR_BLOCKING_FOREVER), 0);
        probes[1].waiter.on_removal = 1;
        tr_mem_fail_at(&h->mem, nth);
        int rc = wait_for(&probes[1], "xyz", HARNESS_EPOCH_MS + 5);
        uint64_t failed = h->mem.fail_count;
        tr_mem_fail_at(&h->mem, 0);
        if (rc != 0) {
            failures++;
            CHECK_EQ_INT(rc, TR_ENOMEM);
            CHECK(probes[1].client.waiter == NULL);
            CHECK_EQ_INT(h->x.blocking.clients, 1);
            CHECK_EQ_INT(h->x.blocking.key_waiters, 1);
            CHECK_EQ_INT(h->x.blocking.removals, 0);
            CHECK_EQ_INT(tr_hash_count(&h->x.blocking.keys), 1);
        }
        end();
        if (failed == 0) break; /* the table of keys does without more room */
    }
    CHECK(failures >= 5); /* links, three keys, the heap */
}

int main(void) {
    RUN(test_order);
    RUN(test_who_leaves_and_comes_meanwhile);
    RUN(test_a_key_that_is_not_there);
    RUN(test_databases_that_are_swapped);
    RUN(test_deadlines);
    RUN(test_ends_from_outside);
    RUN(test_a_signal_that_nobody_hears);
    RUN(test_a_crowd);
    RUN(test_no_memory);
    return CHECK_DONE();
}
