/* Aim: what is put comes out whole and in order, nobody sleeps through a message or a death, and no
 * content of the shared memory makes the reader fail otherwise than with a code. Method: both ends
 * in one process for what is exact, a second process for waiting and dying, and a process that
 * scribbles over the memory while the other end reads. */
#include "check.h"
#include "ring_kit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/rng.h"

#define SLOT 64
#define SLOTS 8

static void pair(rk_end *engine, rk_end *host) {
    rk_engine(engine, SLOT, SLOTS);
    rk_host(host, engine->shm.fd);
}

static void geometry(void) {
    tr_shm shm;
    static const tr_shm_geometry bad[] = {
        {0, 8, 1}, {63, 8, 1}, {96, 8, 1}, {1 << 17, 8, 1}, {64, 1, 1}, {64, 9, 1},
        {64, 1 << 17, 1}, {64, 8, 0}, {64, 8, 3}, {64, 8, 1 << 17},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_EQ_INT(tr_shm_create(&shm, &bad[i]), TR_EINVAL);
    }
    CHECK_EQ_INT(tr_shm_create(&shm, NULL), 0);
    CHECK(ftruncate(shm.fd, 4096) != 0); /* sealed */
    CHECK(ftruncate(shm.fd, 1 << 30) != 0);
    tr_shm other;
    shm.head->slot_bytes = 100;
    CHECK_EQ_INT(tr_shm_attach(&other, dup(shm.fd)), TR_EPROTO);
    shm.head->slot_bytes = 512;
    CHECK_EQ_INT(tr_shm_attach(&other, dup(shm.fd)), TR_EPROTO); /* not of that size */
    shm.head->slot_bytes = TR_SHM_SLOT_BYTES;
    shm.head->magic = 0;
    CHECK_EQ_INT(tr_shm_attach(&other, dup(shm.fd)), TR_EPROTO);
    tr_shm_close(&shm);
    CHECK_EQ_INT(tr_shm_attach(&other, memfd_create("empty", 0)), TR_EPROTO);
}

/* Sizes around slots, often enough to wrap many times; one message a flush, and many. */
static void in_order(void) {
    rk_end engine, host;
    pair(&engine, &host);
    CHECK_EQ_INT(tr_ring_take(&host.ring, &host.in, &host.header), TR_EAGAIN);
    uint64_t id = 1;
    for (size_t len = 0; len < 400; len++, id++) {
        CHECK_EQ_INT(rk_put(&engine, id, len, 0), 0);
        CHECK_EQ_INT(tr_ring_take(&host.ring, &host.in, &host.header), TR_EAGAIN);
        tr_ring_flush(&engine.ring);
        CHECK_EQ_INT(tr_ring_take(&host.ring, &host.in, &host.header), 0);
        CHECK(rk_is(&host, id, len));
        CHECK_EQ_INT(tr_ring_take(&host.ring, &host.in, &host.header), TR_EAGAIN);
    }
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < SLOTS; i++) CHECK_EQ_INT(rk_put(&host, id + i, 3, 0), 0);
        CHECK_EQ_INT(rk_put(&host, 99, 3, 0), TR_EAGAIN); /* full, and flushed by that */
        for (size_t i = 0; i < SLOTS; i++) {
            CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), 0);
            CHECK(rk_is(&engine, id + i, 3));
        }
        id += SLOTS;
    }
    CHECK_EQ_INT(rk_close(&engine), 0);
    CHECK_EQ_INT(rk_close(&host), 0);
}

/* A message that doesn't fit and isn't fetched gets stuck, and the ring with it. */
static void stuck(void) {
    rk_end engine, host;
    pair(&engine, &host);
    CHECK_EQ_INT(rk_put(&engine, 1, 4096, 0), TR_EIO);
    CHECK_EQ_INT(rk_put(&engine, 2, 1, 0), TR_EIO);
    CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), TR_EIO);
    CHECK_EQ_INT(tr_ring_take(&host.ring, &host.in, &host.header), TR_EAGAIN);
    CHECK_EQ_INT(rk_close(&engine), 0);
    CHECK_EQ_INT(rk_close(&host), 0);
}

static void no_memory(void) {
    rk_end engine, host;
    pair(&engine, &host);
    CHECK_EQ_INT(rk_put(&engine, 1, 300, 0), 0);
    tr_ring_flush(&engine.ring);
    tr_mem_fail_at(&host.mem, 1);
    CHECK_EQ_INT(tr_ring_take(&host.ring, &host.in, &host.header), TR_ENOMEM);
    CHECK_EQ_INT(tr_ring_take(&host.ring, &host.in, &host.header), 0);
    CHECK(rk_is(&host, 1, 300));
    CHECK_EQ_INT(rk_close(&engine), 0);
    CHECK_EQ_INT(rk_close(&host), 0);
}

/* ------------------------------------------------------------------ two processes */

#define TURNS 2000

static void play_echo(rk_end *host) {
    rk_greet(host);
    for (uint64_t i = 1; i <= TURNS; i++) {
        size_t len = i % 500;
        tr_assert(rk_receive(host) == 0);
        tr_assert(rk_is(host, i, len));
        tr_assert(rk_put(host, i, len, rk_soon()) == 0);
        tr_ring_flush(&host->ring);
    }
}

static void ping_pong(void) {
    for (int64_t spin = 0; spin <= TR_RING_SPIN_NS; spin += TR_RING_SPIN_NS) {
        rk_end engine;
        rk_engine(&engine, SLOT, 16);
        engine.ring.spin_ns = spin;
        pid_t pid = rk_spawn(&engine, play_echo);
        rk_meet(&engine);
        int good = 0;
        for (uint64_t i = 1; i <= TURNS; i++) {
            size_t len = i % 500;
            if (rk_put(&engine, i, len, rk_soon()) != 0) break;
            if (rk_receive(&engine) != 0) break;
            good += rk_is(&engine, i, len);
        }
        CHECK_EQ_INT(good, TURNS);
        CHECK_EQ_INT(rk_receive(&engine), TR_ECLOSED); /* it has done its part and left */
        CHECK_EQ_INT(rk_reap(pid), 0);
        CHECK_EQ_INT(rk_close(&engine), 0);
    }
}

/* Both have much to say, and say it before they listen. */
static void play_flood(rk_end *host) {
    rk_greet(host);
    for (uint64_t i = 1; i <= 100; i++) tr_assert(rk_put(host, i, 20000, rk_soon()) == 0);
    for (uint64_t i = 1; i <= 100; i++) {
        tr_assert(rk_receive(host) == 0);
        tr_assert(rk_is(host, i, 20000));
    }
}

static void flood(void) {
    rk_end engine;
    rk_engine(&engine, SLOT, 16);
    pid_t pid = rk_spawn(&engine, play_flood);
    rk_meet(&engine);
    int good = 0;
    for (uint64_t i = 1; i <= 100; i++) CHECK_EQ_INT(rk_put(&engine, i, 20000, rk_soon()), 0);
    for (uint64_t i = 1; i <= 100; i++) {
        good += rk_receive(&engine) == 0 && rk_is(&engine, i, 20000);
    }
    CHECK_EQ_INT(good, 100);
    CHECK_EQ_INT(rk_receive(&engine), TR_ECLOSED);
    CHECK_EQ_INT(rk_reap(pid), 0);
    CHECK_EQ_INT(rk_close(&engine), 0);
}

/* One message, much larger than the ring. */
static void play_large(rk_end *host) {
    rk_greet(host);
    tr_assert(rk_receive(host) == 0);
    tr_assert(rk_is(host, 7, 3000000));
    tr_assert(rk_put(host, 8, 3000000, rk_soon()) == 0);
    tr_ring_flush(&host->ring);
}

static void large(void) {
    rk_end engine;
    rk_engine(&engine, 256, 64);
    pid_t pid = rk_spawn(&engine, play_large);
    rk_meet(&engine);
    CHECK_EQ_INT(rk_put(&engine, 7, 3000000, rk_soon()), 0);
    CHECK_EQ_INT(rk_receive(&engine), 0);
    CHECK(rk_is(&engine, 8, 3000000));
    CHECK_EQ_INT(rk_reap(pid), 0);
    CHECK_EQ_INT(rk_close(&engine), 0);
}

/* ------------------------------------------------------------------ death */

/* Says its last words, waits for a message, and goes the way that the byte in it names. */
static void play_die(rk_end *host) {
    rk_greet(host);
    tr_assert(rk_receive(host) == 0);
    uint64_t way = host->header.request_id;
    tr_assert(rk_put(host, 2, 10, rk_soon()) == 0);
    tr_ring_flush(&host->ring);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    if (way == 1) raise(SIGKILL);
    if (way == 2) _exit(0);
    if (way == 3) raise(SIGSEGV);
    if (way == 4) abort();
}

static void dies(void) {
    for (int old_kernel = 0; old_kernel <= 1; old_kernel++) {
        for (uint64_t way = 1; way <= 4; way++) {
            rk_end engine;
            rk_engine(&engine, SLOT, 16);
            pid_t pid = rk_spawn(&engine, play_die);
            rk_meet(&engine);
            engine.ring.without_waitv = old_kernel;
            CHECK_EQ_INT(rk_put(&engine, way, 0, rk_soon()), 0);
            CHECK_EQ_INT(rk_receive(&engine), 0);
            CHECK(rk_is(&engine, 2, 10));
            CHECK_EQ_INT(rk_receive(&engine), TR_ECLOSED);
            CHECK_EQ_INT(engine.ring.without_waitv, old_kernel);
            CHECK_EQ_INT(rk_put(&engine, 9, 0, rk_soon()), TR_ECLOSED);
            CHECK_EQ_INT(tr_ring_park(&engine.ring), TR_ECLOSED);
            rk_reap(pid);
            CHECK_EQ_INT(rk_close(&engine), 0);
        }
    }
}

static void play_leave(rk_end *host) {
    rk_greet(host);
    tr_assert(rk_receive(host) == 0);
}

/* Whoever waits for room hears of a death, too. */
static void dies_while_we_write(void) {
    rk_end engine;
    rk_engine(&engine, SLOT, 16);
    pid_t pid = rk_spawn(&engine, play_leave);
    rk_meet(&engine);
    CHECK_EQ_INT(rk_put(&engine, 1, 0, rk_soon()), 0);
    int rc = 0;
    for (uint64_t i = 2; rc == 0 && i < 100; i++) rc = rk_put(&engine, i, 0, rk_soon());
    CHECK_EQ_INT(rc, TR_ECLOSED);
    rk_reap(pid);
    CHECK_EQ_INT(rk_close(&engine), 0);

    rk_engine(&engine, SLOT, 16);
    CHECK_EQ_INT(tr_ring_watch(&engine.ring), TR_ECLOSED); /* nobody ever held the lock */
    CHECK_EQ_INT(rk_close(&engine), 0);
}

static void play_hang(rk_end *host) {
    rk_greet(host);
    for (;;) pause();
}

static void hangs(void) {
    rk_end engine;
    rk_engine(&engine, SLOT, 16);
    pid_t pid = rk_spawn(&engine, play_hang);
    rk_meet(&engine);
    CHECK_EQ_INT(tr_ring_wait(&engine.ring, tr_futex_now_ns() + 2000000), TR_EAGAIN);
    CHECK_EQ_INT(tr_ring_wait(&engine.ring, 0), TR_EAGAIN);
    engine.ring.spin_ns = TR_RING_SPIN_NS;
    CHECK_EQ_INT(tr_ring_wait(&engine.ring, tr_futex_now_ns() + 1000), TR_EAGAIN);
    CHECK_EQ_INT(kill(pid, SIGKILL), 0);
    CHECK_EQ_INT(rk_receive(&engine), TR_ECLOSED);
    rk_reap(pid);
    CHECK_EQ_INT(rk_close(&engine), 0);
}

/* ------------------------------------------------------------------ parking */

static void parks(void) {
    rk_end engine, host;
    pair(&engine, &host);
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    uint64_t count;
    host.ring.wake_fd = fd;
    CHECK_EQ_INT(tr_ring_park(&engine.ring), 0);
    CHECK(read(fd, &count, sizeof count) < 0 && errno == EAGAIN);
    CHECK_EQ_INT(rk_put(&host, 5, 1, 0), 0);
    CHECK(read(fd, &count, sizeof count) < 0 && errno == EAGAIN);
    tr_ring_flush(&host.ring);
    CHECK_EQ_INT(read(fd, &count, sizeof count), sizeof count);
    tr_ring_unpark(&engine.ring);
    CHECK_EQ_INT(tr_ring_park(&engine.ring), 1); /* something is there */
    tr_ring_unpark(&engine.ring);
    CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), 0);
    CHECK(rk_is(&engine, 5, 1));
    CHECK_EQ_INT(rk_put(&host, 6, 1, 0), 0);
    tr_ring_flush(&host.ring); /* nobody is parked: no wake-up */
    CHECK(read(fd, &count, sizeof count) < 0 && errno == EAGAIN);
    close(fd);
    CHECK_EQ_INT(rk_close(&engine), 0);
    CHECK_EQ_INT(rk_close(&host), 0);
}

static void heat(void) {
    rk_end engine;
    rk_engine(&engine, SLOT, 16);
    int64_t now = 1000000000;
    for (int i = 0; i < TR_RING_HOT_CALLS; i++) tr_ring_note_call(&engine.ring, now += 1000);
    CHECK_EQ_INT(engine.ring.spin_ns, TR_RING_SPIN_NS);
    for (int i = 0; i < TR_RING_HOT_CALLS; i++) {
        tr_ring_note_call(&engine.ring, now += i % 5 == 0 ? 2 * TR_RING_SPIN_NS : 1000);
    }
    CHECK_EQ_INT(engine.ring.spin_ns, 0); /* 80 % are not enough */
    CHECK_EQ_INT(tr_ring_follow(&engine.ring, 0), 0);
    CHECK_EQ_INT(engine.ring.cpu_followed, sched_getcpu());
    CHECK_EQ_INT(rk_close(&engine), 0);
}

/* ------------------------------------------------------------------ for the race detector */

static void *echo_thread(void *arg) {
    rk_end *host = arg;
    for (uint64_t i = 1; i <= TURNS; i++) {
        tr_assert(rk_receive(host) == 0);
        tr_assert(rk_put(host, i, host->header.length - 12, rk_soon()) == 0);
        tr_ring_flush(&host->ring);
    }
    return NULL;
}

static void threads(void) {
    rk_end engine, host;
    rk_engine(&engine, SLOT, 16);
    rk_host(&host, dup(engine.shm.fd));
    tr_shm_close(&host.shm);
    host.shm = engine.shm; /* the same mapping, so that the detector sees both */
    pthread_t thread;
    CHECK_EQ_INT(pthread_create(&thread, NULL, echo_thread, &host), 0);
    int good = 0;
    for (uint64_t i = 1; i <= TURNS; i++) {
        size_t len = i * 13 % 1500;
        if (rk_put(&engine, i, len, rk_soon()) != 0 || rk_receive(&engine) != 0) break;
        good += rk_is(&engine, i, len);
    }
    CHECK_EQ_INT(good, TURNS);
    pthread_join(thread, NULL);
    host.shm.base = NULL;
    host.shm.fd = -1;
    CHECK_EQ_INT(rk_close(&host), 0);
    CHECK_EQ_INT(rk_close(&engine), 0);
}

/* ------------------------------------------------------------------ hostile peers */

static void bad_words(void) {
    static const uint32_t heads[] = {SLOTS + 1, UINT32_MAX, 1u << 31};
    for (size_t i = 0; i < 3; i++) {
        rk_end engine, host;
        pair(&engine, &host);
        atomic_store(&host.shm.head->head[TR_FROM_HOST].value, heads[i]);
        CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), TR_EPROTO);
        CHECK_EQ_STR(engine.ring.why, "the peer's head is beyond the ring");
        CHECK_EQ_INT(rk_put(&engine, 1, 0, 0), TR_EPROTO);
        CHECK_EQ_INT(rk_close(&engine), 0);

        rk_engine(&engine, SLOT, SLOTS);
        atomic_store(&engine.shm.head->tail[TR_FROM_HOST].value, heads[i]);
        int rc = 0;
        for (int j = 0; rc == 0 && j < 2 * SLOTS; j++) rc = rk_put(&engine, 1, 0, 0);
        CHECK_EQ_INT(rc, TR_EPROTO);
        CHECK_EQ_INT(rk_close(&engine), 0);
        CHECK_EQ_INT(rk_close(&host), 0);
    }
}

/* A length that changes before it is judged, a head that goes back, a header of the other side. */
static void bad_messages(void) {
    rk_end engine, host;
    pair(&engine, &host);
    CHECK_EQ_INT(rk_put(&host, 1, 100, 0), 0);
    CHECK_EQ_INT(rk_put(&host, 2, 0, 0), 0);
    tr_ring_flush(&host.ring);
    CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), 0);
    CHECK(rk_is(&engine, 1, 100));
    host.shm.slots_at[TR_FROM_HOST][3 * SLOT + 20] = 9; /* length of the second one */
    CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), 0);
    CHECK_EQ_INT(engine.header.length, 9);
    CHECK_EQ_INT(engine.in.wpos, TR_WIRE_HEADER_BYTES + 9);
    CHECK_EQ_INT(rk_put(&host, 3, 1000, 0), TR_EIO); /* the beginning of a long one */
    CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), TR_EAGAIN);
    CHECK_EQ_INT(engine.ring.partial_need, TR_WIRE_HEADER_BYTES + 8 + 1000);
    atomic_store(&host.shm.head->head[TR_FROM_HOST].value, 1);
    CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), TR_EPROTO);
    CHECK_EQ_INT(rk_close(&engine), 0);
    CHECK_EQ_INT(rk_close(&host), 0);

    pair(&engine, &host);
    CHECK_EQ_INT(rk_put(&host, 1, 1, 0), 0);
    host.shm.slots_at[TR_FROM_HOST][6] = TR_MSG_CALL_DONE; /* the engine's to send */
    tr_ring_flush(&host.ring);
    CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), TR_EPROTO);
    CHECK_EQ_INT(rk_close(&engine), 0);
    CHECK_EQ_INT(rk_close(&host), 0);
}

/* Begins a message of 48 MB and fills it slot by slot, as fast as they are emptied. */
static void play_drip(rk_end *host) {
    rk_greet(host);
    tr_assert(rk_put(host, 2, 900, 0) == 0);
    uint32_t length = 48 << 20;
    memcpy(host->shm.slots_at[TR_FROM_HOST] + SLOT + 20, &length, sizeof length);
    tr_shm_word *head = &host->shm.head->head[TR_FROM_HOST];
    for (uint32_t filled = 1;; filled++) {
        while (filled - atomic_load(&host->shm.head->tail[TR_FROM_ENGINE].value) >= 16) {}
        atomic_store(&head->value, filled);
        tr_futex_word *bell = &host->shm.head->doorbell[TR_FROM_ENGINE].value;
        if (atomic_load(bell) != 0 && atomic_exchange(bell, 0) != 0) tr_futex_wake(bell);
    }
}

/* Drops that keep coming don't move the deadline. */
static void drips(void) {
    rk_end engine;
    rk_engine(&engine, SLOT, 16);
    pid_t pid = rk_spawn(&engine, play_drip);
    rk_meet(&engine);
    CHECK_EQ_INT(tr_ring_receive(&engine.ring, &engine.in, &engine.header,
                                 tr_futex_now_ns() + 3000000),
                 TR_EAGAIN);
    CHECK(engine.ring.partial_need > (48 << 20));
    kill(pid, SIGKILL);
    rk_reap(pid);
    CHECK_EQ_INT(rk_close(&engine), 0);
}

/* Writes at random all over the memory, more often into what matters, until it is killed. */
static void play_scribble(rk_end *host) {
    tr_rng rng = {(uint64_t)getpid()};
    tr_shm_head *head = host->shm.head;
    rk_greet(host);
    for (;;) {
        uint32_t value = (uint32_t)tr_rng_next(&rng);
        switch (tr_rng_below(&rng, 4)) {
        case 0:
            head->head[tr_rng_below(&rng, 2)].value = value % 64;
            break;
        case 1:
            head->tail[tr_rng_below(&rng, 2)].value = value % 64;
            break;
        case 2:
            host->shm.base[tr_rng_below(&rng, host->shm.bytes)] = (uint8_t)value;
            break;
        default:
            rk_put(host, value, value % 200, 0);
            host->ring.failed = 0;
            host->ring.room = 16;
            tr_ring_flush(&host->ring);
        }
    }
}

/* Whatever comes is a message within its bounds or the end; one code is final. */
static void scribbled(void) {
    int ends[3] = {0};
    for (int round = 0; round < 150; round++) {
        rk_end engine;
        rk_engine(&engine, SLOT, 16);
        pid_t pid = rk_spawn(&engine, play_scribble);
        int rc = 0;
        for (int i = 0; i < 200 && rc == 0; i++) {
            rc = tr_ring_receive(&engine.ring, &engine.in, &engine.header,
                                 tr_futex_now_ns() + 2000000);
            if (rc == 0) {
                size_t whole = TR_WIRE_HEADER_BYTES + (size_t)engine.header.length;
                CHECK_EQ_INT(tr_buf_unread(&engine.in), whole);
                CHECK(engine.header.length <= tr_wire_spec_of(engine.header.type)->max);
                rc = rk_put(&engine, 1 + (uint64_t)i, 70, tr_futex_now_ns() + 2000000);
            }
        }
        CHECK(rc <= 0);
        ends[rc == 0 ? 0 : rc == TR_EPROTO ? 1 : 2]++;
        if (rc == TR_EPROTO) {
            while (engine.ring.late_count != 0) { /* what came before the break is still good */
                CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), 0);
            }
            CHECK_EQ_INT(tr_ring_take(&engine.ring, &engine.in, &engine.header), TR_EPROTO);
        }
        kill(pid, SIGKILL);
        rk_reap(pid);
        CHECK_EQ_INT(rk_close(&engine), 0);
    }
    CHECK(ends[1] > 0);
    printf("     held %d, broke the protocol %d, otherwise %d\n", ends[0], ends[1], ends[2]);
}

int main(void) {
    RUN(geometry);
    RUN(in_order);
    RUN(stuck);
    RUN(no_memory);
    RUN(ping_pong);
    RUN(flood);
    RUN(large);
    RUN(dies);
    RUN(dies_while_we_write);
    RUN(hangs);
    RUN(parks);
    RUN(heat);
    RUN(threads);
    RUN(bad_words);
    RUN(bad_messages);
    RUN(drips);
    RUN(scribbled);
    return CHECK_DONE();
}
