/* Aim: however many threads, timers, descriptors and one-shots of a module want the floor, each gets it, one at a time
 * and in its order, what is posted leaves in its order, and the main thread never sleeps through a wake-up.
 *
 * Method: the host's own files run in this process; the engine is a thread that keeps the protocol's table and grants
 * what is asked for. A wake-up that gets lost ends in the test's time limit. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "../csrc/check.h"
#include "ring_kit.h"
#include "sandbox/host/baton.h"
#include "sandbox/host/events.h"
#include "sandbox/host/link.h"

#define THREADS 4
#define TIMES 150
#define POSTS 100
#define LAST_US 9999 /* the clock of the last grant, which ends it */

static rk_end engine;
static int host_fd;

/* What the engine saw; its thread's own until it has ended. */
static struct seen {
    int grants, refused, unused, drops, posts;
    int try_refusals; /* that are still to be made */
    uint64_t last_post[THREADS];
    int out_of_order;
    const char *wrong;
} seen;

typedef struct plan {
    int grants, posts; /* the end: so many of each, and no more */
    int try_refusals;
} plan;

static void open_channel(void) {
    tr_host *h = &tr_host_here;
    rk_engine(&engine, 256, 16);
    host_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    engine.ring.wake_fd = host_fd;
    tr_mem_init(&h->mem);
    tr_assert(tr_shm_attach(&h->shm, dup(engine.shm.fd)) == 0);
    tr_ring_init(&h->ring, &h->shm, &h->mem, TR_FROM_HOST);
    tr_session_init(&h->session, TR_FROM_HOST, TR_DATA);
    tr_session_set_phase(&h->session, TR_STATE_IDLE);
    h->serving = true;
    tr_baton_init(host_fd);
}

/* ------------------------------------------------------------------ the engine's thread */

static void say(tr_session *s, tr_msg_type type, uint32_t flags, uint64_t id, const void *body) {
    const char *why = tr_session_send(s, (uint16_t)type, flags, &id);
    if (why != NULL && seen.wrong == NULL) seen.wrong = why;
    engine.out.rpos = engine.out.wpos = 0;
    tr_assert(tr_wire_encode(&engine.mem, &engine.out, (uint16_t)type, flags, id, body) == 0);
    tr_assert(tr_ring_put(&engine.ring, engine.out.data, engine.out.wpos, rk_soon()) == 0);
}

static void grant(tr_session *s, uint64_t ask, uint8_t purpose) {
    tr_msg_grant_floor m = {.ask = ask, .purpose = purpose, .now_us = ask == 0 ? LAST_US : 1000};
    say(s, TR_MSG_GRANT_FLOOR, TR_WIRE_QUEUED, 0, &m);
}

static void take_post(const tr_msg_unblock_client *m) {
    uint64_t thread = m->block / 1000, number = m->block % 1000;
    seen.posts++;
    if (thread >= THREADS || number != seen.last_post[thread] + 1) seen.out_of_order++;
    else seen.last_post[thread] = number;
}

static void take(tr_session *s, const tr_wire_header *header, const void *body) {
    const tr_msg_ask_floor *ask = body;
    const tr_msg_grant_floor_answer *back = body;
    switch (header->type) {
        case TR_MSG_ASK_FLOOR: grant(s, ask->ask, ask->purpose); break;
        case TR_MSG_DROP_ASK: seen.drops++; break;
        case TR_MSG_UNBLOCK_CLIENT: take_post(body); break;
        case TR_MSG_GRANT_FLOOR_ANSWER:
            if (back->outcome == 0) seen.grants++;
            else seen.unused++;
            break;
        case TR_MSG_TRY_FLOOR: {
            tr_msg_try_floor_answer answer = {.granted = seen.try_refusals == 0};
            uint64_t number = ((const tr_msg_try_floor *)body)->ask;
            say(s, TR_MSG_TRY_FLOOR_ANSWER, 0, header->request_id, &answer);
            if (answer.granted) grant(s, number, TR_FOR_THREAD);
            else seen.try_refusals--, seen.refused++;
            break;
        }
        default: seen.wrong = "another message"; break;
    }
}

static void *run_engine(void *data) {
    const plan *p = data;
    tr_session session;
    tr_session_init(&session, TR_FROM_ENGINE, TR_DATA);
    tr_session_set_phase(&session, TR_STATE_IDLE);
    memset(&seen, 0, sizeof seen);
    seen.try_refusals = p->try_refusals;
    while ((seen.grants < p->grants || seen.posts < p->posts) && seen.wrong == NULL) {
        union {
            uint8_t bytes[1024];
            uint64_t aligned;
        } body;
        tr_assert(tr_ring_receive(&engine.ring, &engine.in, &engine.header, rk_soon()) == 0);
        seen.wrong = tr_session_came(&session, &engine.header);
        const uint8_t *at = (const uint8_t *)engine.in.data + engine.in.rpos + TR_WIRE_HEADER_BYTES;
        tr_assert(tr_wire_decode(engine.header.type, at, engine.header.length, &body) == NULL);
        take(&session, &engine.header, &body);
        tr_ring_flush(&engine.ring);
    }
    grant(&session, 0, TR_FOR_ONE_SHOT); /* unused: it only wakes the main thread */
    tr_ring_flush(&engine.ring);
    while (session.queue_count != 0) {
        tr_assert(tr_ring_receive(&engine.ring, &engine.in, &engine.header, rk_soon()) == 0);
        if (tr_session_came(&session, &engine.header) != NULL) break;
    }
    return NULL;
}

/* The main thread serves until the plan is fulfilled. */
static void serve(plan p) {
    pthread_t thread;
    tr_session_init(&tr_host_here.session, TR_FROM_HOST, TR_DATA);
    tr_session_set_phase(&tr_host_here.session, TR_STATE_IDLE);
    tr_host_here.now_us = 0;
    CHECK_EQ_INT(pthread_create(&thread, NULL, run_engine, &p), 0);
    while (tr_host_here.now_us != LAST_US) {
        tr_wait_for_work();
        tr_link_serve_one();
    }
    tr_ring_flush(&tr_host_here.ring);
    pthread_join(thread, NULL);
    CHECK_EQ_STR(seen.wrong == NULL ? "" : seen.wrong, "");
    CHECK_EQ_INT(seen.grants, p.grants);
    CHECK_EQ_INT(seen.posts, p.posts);
    CHECK(tr_baton_mine());
}

/* ------------------------------------------------------------------ threads */

static int inside, total; /* with the floor */
static atomic_int trouble;

static void *lock_often(void *data) {
    (void)data;
    for (int i = 0; i < TIMES; i++) {
        if (tr_baton_mine()) trouble++;
        tr_baton_take("test");
        if (!tr_baton_mine() || inside++ != 0) trouble++;
        total++;
        inside--;
        tr_baton_give("test");
    }
    return NULL;
}

static void start(pthread_t *threads, void *(*run)(void *)) {
    static int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK_EQ_INT(pthread_create(&threads[i], NULL, run, &numbers[i]), 0);
    }
}

static void join(pthread_t *threads) {
    for (int i = 0; i < THREADS; i++) CHECK_EQ_INT(pthread_join(threads[i], NULL), 0);
}

static void test_threads_take_turns(void) {
    pthread_t threads[THREADS];
    total = 0;
    start(threads, lock_often);
    serve((plan){.grants = THREADS * TIMES});
    join(threads);
    CHECK_EQ_INT(total, THREADS * TIMES);
    CHECK_EQ_INT(trouble, 0);
}

static void *try_often(void *data) {
    (void)data;
    for (int got = 0; got < 20;) {
        if (!tr_baton_try()) continue;
        if (inside++ != 0) trouble++;
        inside--;
        got++;
        tr_baton_give("test");
    }
    return NULL;
}

static void test_threads_that_try(void) {
    pthread_t threads[THREADS];
    CHECK_EQ_INT(tr_baton_try(), 0); /* this thread has it */
    start(threads, try_often);
    serve((plan){.grants = THREADS * 20, .try_refusals = 10});
    join(threads);
    CHECK_EQ_INT(seen.refused, 10);
    CHECK_EQ_INT(trouble, 0);
}

static void *post_often(void *data) {
    uint64_t thread = (uint64_t)*(int *)data;
    for (uint64_t i = 1; i <= POSTS; i++) {
        tr_msg_unblock_client m = {.block = thread * 1000 + i};
        tr_link_post(TR_MSG_UNBLOCK_CLIENT, &m);
        if (i % 10 != 0) continue;
        tr_baton_take("test");
        tr_baton_give("test");
    }
    return NULL;
}

static void test_posts_keep_their_order(void) {
    pthread_t threads[THREADS];
    start(threads, post_often);
    serve((plan){.grants = THREADS * POSTS / 10, .posts = THREADS * POSTS});
    join(threads);
    CHECK_EQ_INT(seen.out_of_order, 0);
}

/* ------------------------------------------------------------------ timers, descriptors, one-shots */

static int fired[64], fired_count;

static void fire(RedisModuleCtx *ctx, void *data) {
    CHECK((ctx->flags & TR_CTX_NO_CLIENT) != 0);
    CHECK(tr_baton_mine());
    fired[fired_count++] = *(int *)data;
}

static void test_timers(void) {
    static int numbers[40];
    uint64_t ids[40];
    void *data;
    uint64_t left;
    fired_count = 0;
    for (int i = 0; i < 40; i++) {
        numbers[i] = i;
        ids[i] = tr_events_add_timer((i * 7) % 10 * 3, fire, &numbers[i], 0);
    }
    for (int i = 0; i < 40; i += 4) {
        CHECK_EQ_INT(tr_events_stop_timer(ids[i], &data), 1);
        CHECK(data == &numbers[i]);
        CHECK_EQ_INT(tr_events_stop_timer(ids[i], &data), 0);
        CHECK_EQ_INT(tr_events_timer_info(ids[i], &left, NULL), 0);
    }
    CHECK_EQ_INT(tr_host_here.timers, 30);
    serve((plan){.grants = 30});
    CHECK_EQ_INT(fired_count, 30);
    for (int i = 1; i < fired_count; i++) {
        int before = fired[i - 1] * 7 % 10, now = fired[i] * 7 % 10;
        CHECK(before < now || (before == now && fired[i - 1] < fired[i]));
        CHECK(fired[i] % 4 != 0);
    }
    CHECK_EQ_INT(tr_host_here.timers, 0);
    CHECK_EQ_INT(tr_events_next_ns() == INT64_MAX, 1);
}

static void test_numbers_of_timers(void) {
    int number = 1;
    uint64_t first = tr_events_add_timer(1000000, fire, &number, 0);
    CHECK_EQ_INT(tr_events_stop_timer(first, NULL), 1);
    uint64_t second = tr_events_add_timer(INT64_MAX, fire, &number, 0);
    CHECK(first != second); /* the place is the same, the number isn't */
    CHECK_EQ_INT(tr_events_stop_timer(first, NULL), 0);
    CHECK_EQ_INT(tr_events_stop_timer(0, NULL), 0);
    CHECK_EQ_INT(tr_events_stop_timer(UINT64_MAX, NULL), 0);
    CHECK_EQ_INT(tr_events_stop_timer(second, NULL), 1);
}

static int pipe_ends[2];
static char read_bytes[8];
static int read_count;

static void on_readable(int fd, void *data, int mask) {
    CHECK(data == read_bytes && fd == pipe_ends[0]);
    ssize_t got = read(fd, read_bytes + read_count, 1);
    if (got == 1) read_count++;
    else tr_events_drop_fd(fd, mask);
}

static void close_pipe(void *data) {
    (void)data;
    close(pipe_ends[1]);
}

static void *write_to_pipe(void *data) {
    (void)data;
    if (write(pipe_ends[1], "abc", 3) != 3) trouble++;
    tr_events_add_one_shot(close_pipe, NULL);
    return NULL;
}

static void test_descriptors_and_one_shots(void) {
    pthread_t thread;
    CHECK_EQ_INT(pipe(pipe_ends), 0);
    CHECK_EQ_INT(tr_events_add_fd(pipe_ends[0], REDISMODULE_EVENTLOOP_READABLE, on_readable, read_bytes), 0);
    CHECK_EQ_INT(pthread_create(&thread, NULL, write_to_pipe, NULL), 0);
    serve((plan){.grants = 5}); /* three bytes, the end, the one-shot */
    pthread_join(thread, NULL);
    CHECK_EQ_STR(read_bytes, "abc");
    struct pollfd *fds;
    CHECK_EQ_INT(tr_events_watch(&fds), 0);
    close(pipe_ends[0]);
    CHECK_EQ_INT(tr_events_add_fd(pipe_ends[0], REDISMODULE_EVENTLOOP_READABLE, on_readable, NULL), EBADF);
    CHECK_EQ_INT(trouble, 0);
}

/* While a descriptor is watched, the main thread waits in poll(): threads must reach it there as well. */
static void test_threads_beside_a_descriptor(void) {
    CHECK_EQ_INT(pipe(pipe_ends), 0);
    CHECK_EQ_INT(tr_events_add_fd(pipe_ends[0], REDISMODULE_EVENTLOOP_READABLE, on_readable, read_bytes), 0);
    test_threads_take_turns();
    test_posts_keep_their_order();
    tr_events_drop_fd(pipe_ends[0], REDISMODULE_EVENTLOOP_READABLE);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

int main(void) {
    open_channel();
    RUN(test_threads_take_turns);
    RUN(test_threads_that_try);
    RUN(test_posts_keep_their_order);
    RUN(test_timers);
    RUN(test_numbers_of_timers);
    RUN(test_descriptors_and_one_shots);
    RUN(test_threads_beside_a_descriptor);
    return CHECK_DONE();
}
