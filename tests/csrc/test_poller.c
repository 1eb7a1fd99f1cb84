/* One conformance suite, run on each backend: registrations, readiness, hang-ups, fairness,
 * blocking and waking, failures. What a backend may do differently is asked for by its kind.
 * Nothing here measures time: waits without end are used where something must come, so a lost
 * event shows as a hang and not as a flaky pass. */
#include "net/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "net/poller_impl.h"
#include "net/sock.h"
#include "sock_kit.h"

#define READ TR_POLL_READ
#define WRITE TR_POLL_WRITE
#define EVENTS_MAX 2048

static tr_poller_kind kind; /* the backend under test */

typedef struct pair {
    int mine;
    int theirs;
} pair;

static pair new_pair(void) {
    int fds[2] = {-1, -1};
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    return (pair){fds[0], fds[1]};
}

static pair new_tcp_pair(void) {
    int listener = -1, mine = -1, theirs = -1;
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", 0, 16, &listener), TR_OK);
    CHECK_EQ_INT(tr_sock_connect_tcp("127.0.0.1", tr_sock_port(listener), &theirs), TR_OK);
    struct pollfd arrived = {.fd = listener, .events = POLLIN};
    CHECK_EQ_INT(poll(&arrived, 1, -1), 1);
    CHECK_EQ_INT(tr_sock_accept(listener, &mine), TR_OK);
    tr_sock_close(listener);
    return (pair){mine, theirs};
}

static void close_pair(pair s) {
    close(s.mine);
    close(s.theirs);
}

static void say(int fd) {
    CHECK_EQ_INT(write(fd, "x", 1), 1);
}

static void hear(int fd) {
    char c = 0;
    CHECK_EQ_INT(read(fd, &c, 1), 1);
    CHECK_EQ_INT(c, 'x');
}

static tr_poller *new_poller(tr_mem *mem) {
    tr_poller *p = NULL;
    tr_mem_init(mem);
    CHECK_EQ_INT(tr_poller_open(mem, kind, &p), TR_OK);
    return p;
}

static void end_poller(tr_mem *mem, tr_poller *p) {
    tr_poller_close(p);
    CHECK_EQ_INT(mem->used, 0);
}

/* What one look says about data; 0 when nothing. Each registration may show up once. */
static uint32_t look(tr_poller *p, const void *data) {
    static tr_poll_event events[EVENTS_MAX];
    int n = tr_poller_wait(p, events, EVENTS_MAX, 0);
    CHECK(n >= 0);
    uint32_t ready = 0;
    for (int i = 0; i < n; i++) {
        CHECK(events[i].ready != 0);
        if (events[i].data != data) continue;
        CHECK_EQ_INT(ready, 0);
        ready = events[i].ready;
    }
    return ready;
}

static void test_open(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    const char *const names[] = {"epoll", "epoll", "poll", "select"};
    CHECK_EQ_STR(tr_poller_name(p), names[kind]);
    CHECK(mem.used > 0);
    end_poller(&mem, p);
    tr_poller_close(NULL);
    tr_poller *untouched = (tr_poller *)&mem;
    CHECK_EQ_INT(tr_poller_open(&mem, (tr_poller_kind)99, &untouched), TR_ENOTSUP);
    CHECK(untouched == (tr_poller *)&mem);
}

static void test_registrations(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    int tag;
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ), TR_ENOENT);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_ENOENT);
    CHECK_EQ_INT(tr_poller_remove(p, 1000000), TR_ENOENT);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &tag), TR_OK);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &tag), TR_EEXIST);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, WRITE, NULL), TR_EEXIST);
    CHECK_EQ_INT(look(p, &tag), 0);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, 0), TR_OK);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &tag), TR_EEXIST);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ | WRITE), TR_OK);
    CHECK_EQ_INT(look(p, &tag), WRITE);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_OK);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_ENOENT);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ), TR_ENOENT);
    CHECK_EQ_INT(look(p, &tag), 0);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, 0, &tag), TR_OK);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_OK);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, WRITE, &tag), TR_OK);
    CHECK_EQ_INT(look(p, &tag), WRITE);
    /* Left registered: close forgets it and leaves it open. */
    end_poller(&mem, p);
    say(s.mine);
    close_pair(s);
}

static void test_level_triggered(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    int tag;
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &tag), TR_OK);
    say(s.theirs);
    say(s.theirs);
    CHECK_EQ_INT(look(p, &tag), READ);
    CHECK_EQ_INT(look(p, &tag), READ);
    hear(s.mine);
    CHECK_EQ_INT(look(p, &tag), READ);
    hear(s.mine);
    CHECK_EQ_INT(look(p, &tag), 0);
    close_pair(s);
    end_poller(&mem, p);
}

static void test_write_readiness(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    int tag;
    static char block[65536];
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ | WRITE, &tag), TR_OK);
    CHECK_EQ_INT(look(p, &tag), WRITE);
    say(s.theirs);
    CHECK_EQ_INT(look(p, &tag), READ | WRITE);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ), TR_OK);
    CHECK_EQ_INT(look(p, &tag), READ);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ | WRITE), TR_OK);
    while (write(s.mine, block, sizeof(block)) > 0) continue;
    CHECK_EQ_INT(errno, EAGAIN);
    CHECK_EQ_INT(look(p, &tag), READ);
    while (read(s.theirs, block, sizeof(block)) > 0) continue;
    CHECK_EQ_INT(look(p, &tag), READ | WRITE);
    close_pair(s);
    end_poller(&mem, p);
}

static void test_hang_up(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    const uint32_t masks[] = {READ, WRITE, READ | WRITE};
    for (int i = 0; i < 3; i++) {
        pair s = new_pair();
        int tag;
        CHECK_EQ_INT(tr_poller_add(p, s.mine, masks[i], &tag), TR_OK);
        close(s.theirs);
        CHECK_EQ_INT(look(p, &tag), masks[i]);
        CHECK_EQ_INT(look(p, &tag), masks[i]);
        CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_OK);
        CHECK_EQ_INT(look(p, &tag), 0);
        close(s.mine);
    }
    end_poller(&mem, p);
}

/* The other end of a pipe goes away: the one kind of descriptor that shows an error and nothing
 * else. */
static void test_broken_pipe(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    int ends[2], tag;
    CHECK_EQ_INT(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    static char block[65536];
    while (write(ends[1], block, sizeof(block)) > 0) continue;
    CHECK_EQ_INT(tr_poller_add(p, ends[1], WRITE, &tag), TR_OK);
    CHECK_EQ_INT(look(p, &tag), 0);
    close(ends[0]);
    CHECK_EQ_INT(look(p, &tag), WRITE);
    CHECK_EQ_INT(tr_poller_remove(p, ends[1]), TR_OK);
    close(ends[1]);
    CHECK_EQ_INT(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    CHECK_EQ_INT(tr_poller_add(p, ends[0], READ, &tag), TR_OK);
    close(ends[1]);
    CHECK_EQ_INT(look(p, &tag), READ);
    CHECK_EQ_INT(tr_poller_remove(p, ends[0]), TR_OK);
    close(ends[0]);
    end_poller(&mem, p);
}

static void test_half_closed(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_tcp_pair();
    int tag;
    tr_poll_event ev = {0};
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &tag), TR_OK);
    CHECK_EQ_INT(look(p, &tag), 0);
    CHECK_EQ_INT(shutdown(s.theirs, SHUT_WR), 0);
    CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, -1), 1);
    CHECK(ev.data == &tag);
    CHECK_EQ_INT(ev.ready, READ);
    close_pair(s);
    end_poller(&mem, p);
}

static void test_peer_reset(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    const uint32_t masks[] = {READ, WRITE, READ | WRITE};
    for (int i = 0; i < 3; i++) {
        pair s = new_tcp_pair();
        int tag, err = 0;
        socklen_t len;
        struct linger abort_at_close = {.l_onoff = 1};
        len = sizeof(abort_at_close);
        CHECK_EQ_INT(setsockopt(s.theirs, SOL_SOCKET, SO_LINGER, &abort_at_close, len), 0);
        close(s.theirs);
        struct pollfd reset = {.fd = s.mine, .events = POLLIN};
        CHECK_EQ_INT(poll(&reset, 1, -1), 1);
        CHECK_EQ_INT(tr_poller_add(p, s.mine, masks[i], &tag), TR_OK);
        CHECK_EQ_INT(look(p, &tag), masks[i]);
        len = sizeof(err);
        CHECK_EQ_INT(getsockopt(s.mine, SOL_SOCKET, SO_ERROR, &err, &len), 0);
        CHECK_EQ_INT(err, ECONNRESET);
        CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_OK);
        close(s.mine);
    }
    end_poller(&mem, p);
}

static void test_silent(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair(), t = new_pair();
    int tag, other;
    CHECK_EQ_INT(tr_poller_add(p, s.mine, 0, &tag), TR_OK);
    CHECK_EQ_INT(tr_poller_add(p, t.mine, READ, &other), TR_OK);
    CHECK_EQ_INT(tr_poller_set(p, t.mine, 0), TR_OK);
    say(s.theirs);
    close(s.theirs);
    close(t.theirs);
    CHECK_EQ_INT(look(p, &tag), 0);
    CHECK_EQ_INT(look(p, &other), 0);
    CHECK_EQ_INT(tr_poller_block(p, 0), 0);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ), TR_OK);
    CHECK_EQ_INT(look(p, &tag), READ);
    CHECK_EQ_INT(look(p, &other), 0);
    close(s.mine);
    close(t.mine);
    end_poller(&mem, p);
}

/* A number that is closed and opened again brings nothing over from its earlier life. */
static void test_descriptor_reuse(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    int before, after;
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &before), TR_OK);
    say(s.theirs);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_OK);
    pair t = new_pair();
    CHECK_EQ_INT(dup2(t.mine, s.mine), s.mine);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &after), TR_OK);
    CHECK_EQ_INT(look(p, &before), 0);
    CHECK_EQ_INT(look(p, &after), 0);
    say(t.theirs);
    CHECK_EQ_INT(look(p, &after), READ);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_OK);
    close_pair(s);
    close_pair(t);
    end_poller(&mem, p);
}

/* Clients that come and go leave nothing behind. */
static void test_churn(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &s), TR_OK);
    size_t used = mem.used;
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_OK);
        CHECK_EQ_INT(tr_poller_add(p, s.mine, i % 2 ? READ : 0, &s), TR_OK);
    }
    CHECK_EQ_INT(mem.used, used);
    close_pair(s);
    end_poller(&mem, p);
}

/* A set() to the same mask asks nobody: only epoll would notice that the descriptor is gone. */
static void test_closed_too_early(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    int tag;
    int noticed = kind == TR_POLLER_EPOLL || kind == TR_POLLER_AUTO ? TR_EIO : TR_OK;
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &tag), TR_OK);
    close_pair(s);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ), TR_OK);
    CHECK_EQ_INT(tr_poller_set(p, s.mine, READ | WRITE), noticed);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), noticed);
    CHECK_EQ_INT(tr_poller_remove(p, s.mine), TR_ENOENT);
    CHECK_EQ_INT(look(p, &tag), 0);
    end_poller(&mem, p);
}

/* 200 ready ones through a window of seven: each is seen once before any is seen twice. */
static void test_many(void) {
    enum { MANY = 200, WINDOW = 7 };
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    static pair s[MANY];
    static int seen[MANY];
    memset(seen, 0, sizeof(seen));
    for (int i = 0; i < MANY; i++) {
        s[i] = new_pair();
        CHECK_EQ_INT(tr_poller_add(p, s[i].mine, READ, &seen[i]), TR_OK);
    }
    for (int i = 0; i < MANY; i++) say(s[i].theirs);
    for (int left = MANY; left > 0;) {
        tr_poll_event events[WINDOW];
        int n = tr_poller_wait(p, events, WINDOW, 0);
        CHECK_EQ_INT(n, left < WINDOW ? n : WINDOW);
        for (int i = 0; i < n && left > 0; i++, left--) {
            int *mark = events[i].data;
            CHECK_EQ_INT((*mark)++, 0);
        }
        if (n <= 0) break;
    }
    for (int i = 0; i < MANY; i++) CHECK_EQ_INT(seen[i], 1);
    static tr_poll_event all[EVENTS_MAX];
    CHECK_EQ_INT(tr_poller_wait(p, all, EVENTS_MAX, 0), MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ_INT(tr_poller_remove(p, s[i].mine), TR_OK);
        close_pair(s[i]);
    }
    end_poller(&mem, p);
}

/* More ready ones than any backend takes from the kernel at once. */
static void test_more_than_a_batch(void) {
    enum { MANY = 1500 };
    if (kind == TR_POLLER_SELECT) return; /* it cannot hold so many */
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    static int fds[MANY], seen[MANY];
    static tr_poll_event events[EVENTS_MAX];
    memset(seen, 0, sizeof(seen));
    for (int i = 0; i < MANY; i++) {
        fds[i] = fcntl(s.mine, F_DUPFD_CLOEXEC, 0);
        CHECK(fds[i] >= 0);
        CHECK_EQ_INT(tr_poller_add(p, fds[i], WRITE, &seen[i]), TR_OK);
    }
    int total = 0;
    for (int turn = 0; turn < 2 && total < MANY; turn++) {
        int n = tr_poller_wait(p, events, EVENTS_MAX, 0);
        CHECK(n > 0);
        for (int i = 0; i < n; i++) {
            int *mark = events[i].data;
            total += *mark == 0;
            *mark = 1;
        }
    }
    CHECK_EQ_INT(total, MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ_INT(tr_poller_remove(p, fds[i]), TR_OK);
        close(fds[i]);
    }
    close_pair(s);
    end_poller(&mem, p);
}

static uint32_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

typedef struct walker {
    pair s;
    int there, unread;
    uint32_t mask;
    uint32_t expected; /* of the next look */
} walker;

/* Random adds, sets, removes, bytes and reads against a plain array that knows what must be
 * reported. */
static void test_random_walk(void) {
    enum { SLOTS = 40, STEPS = 4000 };
    static walker truth[SLOTS];
    uint64_t seed = 7;
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    memset(truth, 0, sizeof(truth));
    for (int i = 0; i < SLOTS; i++) truth[i].s = new_pair();
    for (int step = 0; step < STEPS && check_failures == 0; step++) {
        int i = (int)(next_random(&seed) % SLOTS);
        uint32_t mask = next_random(&seed) % 4;
        int fd = truth[i].s.mine;
        switch (next_random(&seed) % 5) {
        case 0:
            CHECK_EQ_INT(tr_poller_add(p, fd, mask, &truth[i]), truth[i].there ? TR_EEXIST : TR_OK);
            if (!truth[i].there) truth[i].mask = mask;
            truth[i].there = 1;
            break;
        case 1:
            CHECK_EQ_INT(tr_poller_set(p, fd, mask), truth[i].there ? TR_OK : TR_ENOENT);
            if (truth[i].there) truth[i].mask = mask;
            break;
        case 2:
            CHECK_EQ_INT(tr_poller_remove(p, fd), truth[i].there ? TR_OK : TR_ENOENT);
            truth[i].there = 0;
            break;
        case 3:
            if (truth[i].unread < 100) {
                say(truth[i].s.theirs);
                truth[i].unread++;
            }
            break;
        default:
            if (truth[i].unread > 0) {
                hear(fd);
                truth[i].unread--;
            }
        }
        int want = 0;
        for (int j = 0; j < SLOTS; j++) {
            uint32_t now = WRITE | (truth[j].unread > 0 ? READ : 0);
            truth[j].expected = truth[j].there ? now & truth[j].mask : 0;
            want += truth[j].expected != 0;
        }
        tr_poll_event events[SLOTS + 1];
        int n = tr_poller_wait(p, events, SLOTS + 1, 0);
        CHECK_EQ_INT(n, want);
        for (int j = 0; j < n; j++) {
            walker *w = events[j].data;
            CHECK_EQ_INT(events[j].ready, w->expected);
            w->expected = 0;
        }
    }
    for (int i = 0; i < SLOTS; i++) close_pair(truth[i].s);
    end_poller(&mem, p);
}

static void test_timeouts(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    tr_poll_event ev;
    CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, 0), 0);
    CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, 1), 0);
    CHECK_EQ_INT(tr_poller_block(p, 0), 0);
    CHECK_EQ_INT(tr_poller_block(p, 1), 0);
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &s), TR_OK);
    CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, 0), 0);
    CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, 1500), 0);
    CHECK_EQ_INT(tr_poller_block(p, 1500), 0);
    say(s.theirs);
    /* Something is ready: no length of waiting matters, and none is an error. */
    const int64_t waits_us[] = {-1, 0, 1, 1500, INT64_C(1000000), INT64_C(86400) * 365 * 1000000};
    for (size_t i = 0; i < sizeof(waits_us) / sizeof(waits_us[0]); i++) {
        CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, waits_us[i]), 1);
        CHECK_EQ_INT(tr_poller_block(p, waits_us[i]), 1);
    }
    close_pair(s);
    end_poller(&mem, p);
}

static int is_readable(int fd) {
    struct pollfd look_at = {.fd = fd, .events = POLLIN};
    return poll(&look_at, 1, 0) == 1;
}

static void test_own_descriptor(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &s), TR_OK);
    int fd = tr_poller_fd(p);
    if (kind == TR_POLLER_POLL || kind == TR_POLLER_SELECT) {
        CHECK_EQ_INT(fd, TR_ENOTSUP);
    } else {
        CHECK(fd >= 0);
        CHECK_EQ_INT(is_readable(fd), 0);
        say(s.theirs);
        CHECK_EQ_INT(is_readable(fd), 1);
        CHECK_EQ_INT(look(p, &s), READ);
        CHECK_EQ_INT(is_readable(fd), 1);
        hear(s.mine);
        CHECK_EQ_INT(is_readable(fd), 0);
        /* A wake-up is for block() only and disturbs no loop that watches the descriptor. */
        tr_poller_wake(p);
        CHECK_EQ_INT(is_readable(fd), 0);
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    close_pair(s);
    end_poller(&mem, p);
}

typedef struct blocker {
    tr_poller *p;
    pthread_barrier_t start;
    int result;
} blocker;

static void *block_for_ever(void *arg) {
    blocker *b = arg;
    pthread_barrier_wait(&b->start);
    b->result = tr_poller_block(b->p, -1);
    return NULL;
}

static pthread_t start_blocker(blocker *b, tr_poller *p) {
    pthread_t thread;
    *b = (blocker){.p = p, .result = 99};
    CHECK_EQ_INT(pthread_barrier_init(&b->start, NULL, 2), 0);
    CHECK_EQ_INT(pthread_create(&thread, NULL, block_for_ever, b), 0);
    pthread_barrier_wait(&b->start);
    return thread;
}

static int end_blocker(blocker *b, pthread_t thread) {
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    pthread_barrier_destroy(&b->start);
    return b->result;
}

static void test_block_and_wake(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    blocker b;
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &s), TR_OK);
    for (int round = 0; round < 50; round++) {
        pthread_t thread = start_blocker(&b, p);
        tr_poller_wake(p);
        CHECK_EQ_INT(end_blocker(&b, thread), 0);
        thread = start_blocker(&b, p);
        say(s.theirs);
        CHECK_EQ_INT(end_blocker(&b, thread), 1);
        CHECK_EQ_INT(look(p, &s), READ); /* block() took nothing */
        hear(s.mine);
    }
    close_pair(s);
    end_poller(&mem, p);
}

static void test_wake_counts_once(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    CHECK_EQ_INT(tr_poller_add(p, s.mine, READ, &s), TR_OK);
    /* Before the block, several times: it ends at once, and then none is left. */
    for (int i = 0; i < 3; i++) tr_poller_wake(p);
    CHECK_EQ_INT(is_readable(p->wake_fd), 1);
    CHECK_EQ_INT(tr_poller_block(p, -1), 0);
    CHECK_EQ_INT(is_readable(p->wake_fd), 0);
    CHECK_EQ_INT(tr_poller_block(p, 0), 0);
    /* With something ready as well. */
    tr_poller_wake(p);
    say(s.theirs);
    CHECK_EQ_INT(tr_poller_block(p, -1), 1);
    CHECK_EQ_INT(is_readable(p->wake_fd), 0);
    /* wait() does not know of it. */
    tr_poller_wake(p);
    tr_poll_event events[4];
    CHECK_EQ_INT(tr_poller_wait(p, events, 4, 0), 1);
    CHECK_EQ_INT(is_readable(p->wake_fd), 1);
    errno = 123;
    tr_poller_wake(p);
    CHECK_EQ_INT(errno, 123);
    close_pair(s);
    end_poller(&mem, p);
}

static void on_signal(int number) {
    (void)number;
}

typedef struct pest {
    pthread_t target;
    atomic_int stop;
} pest;

static void *send_signals(void *arg) {
    pest *it = arg;
    while (!atomic_load(&it->stop)) {
        pthread_kill(it->target, SIGUSR1);
        sched_yield();
    }
    return NULL;
}

/* A thread sends signals until it is told that the wait has ended, so one of them falls into the
 * wait. */
static void test_signal(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    struct sigaction act = {.sa_handler = on_signal}, before;
    CHECK_EQ_INT(sigaction(SIGUSR1, &act, &before), 0);
    pest it = {.target = pthread_self()};
    pthread_t thread;
    tr_poll_event ev;
    CHECK_EQ_INT(pthread_create(&thread, NULL, send_signals, &it), 0);
    CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, -1), 0);
    CHECK_EQ_INT(tr_poller_wait(p, &ev, 1, INT64_C(3600) * 1000000), 0);
    CHECK_EQ_INT(tr_poller_block(p, -1), 0);
    atomic_store(&it.stop, 1);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    CHECK_EQ_INT(sigaction(SIGUSR1, &before, NULL), 0);
    end_poller(&mem, p);
}

/* Make the n-th allocation fail for n = 1, 2, ... until all is registered. What failed can be
 * asked for again, and what was there still reports. */
static void test_out_of_memory(void) {
    enum { MANY = 150 };
    static pair s[MANY];
    for (int i = 0; i < MANY; i++) {
        s[i] = new_pair();
        say(s[i].theirs);
    }
    uint64_t refused = 0;
    for (uint64_t n = 1, done = 0; !done; n++) {
        tr_mem mem;
        tr_mem_init(&mem);
        tr_mem_fail_at(&mem, n);
        tr_poller *p = NULL;
        int rc = tr_poller_open(&mem, kind, &p);
        if (rc != TR_OK) {
            CHECK_EQ_INT(rc, TR_ENOMEM);
            CHECK(p == NULL);
            CHECK_EQ_INT(mem.used, 0);
            refused++;
            CHECK_EQ_INT(tr_poller_open(&mem, kind, &p), TR_OK);
        }
        for (int i = 0; i < MANY; i++) {
            rc = tr_poller_add(p, s[i].mine, READ, &s[i]);
            if (rc == TR_OK) continue;
            CHECK_EQ_INT(rc, TR_ENOMEM);
            refused++;
            CHECK_EQ_INT(tr_poller_remove(p, s[i].mine), TR_ENOENT);
            CHECK_EQ_INT(look(p, &s[i]), 0);
            CHECK_EQ_INT(look(p, &s[0]), i > 0 ? READ : 0);
            CHECK_EQ_INT(tr_poller_add(p, s[i].mine, READ, &s[i]), TR_OK);
        }
        done = mem.fail_in != 0; /* the work needed fewer than n */
        /* Changes of masks need no memory at all. */
        tr_mem_fail_at(&mem, 1);
        for (int i = 0; i < MANY; i++) CHECK_EQ_INT(tr_poller_set(p, s[i].mine, 0), TR_OK);
        for (int i = MANY - 1; i >= 0; i--) CHECK_EQ_INT(tr_poller_set(p, s[i].mine, READ), TR_OK);
        CHECK_EQ_INT(look(p, &s[MANY - 1]), READ);
        for (int i = 0; i < MANY; i++) CHECK_EQ_INT(tr_poller_remove(p, s[i].mine), TR_OK);
        CHECK_EQ_INT(mem.fail_in, 1);
        end_poller(&mem, p);
    }
    CHECK(refused >= 2);
    for (int i = 0; i < MANY; i++) close_pair(s[i]);
}

static void test_no_descriptors_left(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    int free_fd = lowest_free();
    int needed = kind == TR_POLLER_POLL || kind == TR_POLLER_SELECT ? 1 : 2;
    for (int given = 0; given <= needed; given++) {
        struct rlimit before = limit_descriptors((rlim_t)(free_fd + given));
        tr_poller *p = NULL;
        CHECK_EQ_INT(tr_poller_open(&mem, kind, &p), given < needed ? TR_EFDS : TR_OK);
        CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
        tr_poller_close(p);
        CHECK_EQ_INT(mem.used, 0);
        CHECK_EQ_INT(lowest_free(), free_fd);
    }
}

static void test_high_descriptors(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    pair s = new_pair();
    int high = fcntl(s.mine, F_DUPFD_CLOEXEC, FD_SETSIZE);
    CHECK(high >= FD_SETSIZE);
    int fits = kind != TR_POLLER_SELECT;
    CHECK_EQ_INT(tr_poller_add(p, high, READ, &s), fits ? TR_OK : TR_ELIMIT);
    CHECK_EQ_INT(tr_poller_remove(p, high), fits ? TR_OK : TR_ENOENT);
    int edge = fcntl(s.mine, F_DUPFD_CLOEXEC, FD_SETSIZE - 1);
    CHECK_EQ_INT(edge, FD_SETSIZE - 1);
    CHECK_EQ_INT(tr_poller_add(p, edge, READ | WRITE, &s), TR_OK);
    say(s.theirs);
    CHECK_EQ_INT(look(p, &s), READ | WRITE);
    CHECK_EQ_INT(tr_poller_remove(p, edge), TR_OK);
    CHECK_EQ_INT(tr_poller_add(p, TR_POLLER_FD_MAX, READ, &s), TR_ELIMIT);
    close(high);
    close(edge);
    /* No number is left for the wake-up descriptor that select could hold. */
    static int filler[FD_SETSIZE];
    int filled = 0;
    for (int fd = dup(0); fd >= 0; fd = dup(0)) {
        if (fd >= FD_SETSIZE) {
            close(fd);
            break;
        }
        filler[filled++] = fd;
    }
    tr_poller *q = NULL;
    CHECK_EQ_INT(tr_poller_open(&mem, kind, &q), fits ? TR_OK : TR_ELIMIT);
    tr_poller_close(q);
    CHECK_EQ_INT(lowest_free(), FD_SETSIZE);
    while (filled > 0) close(filler[--filled]);
    close_pair(s);
    end_poller(&mem, p);
}

/* A regular file is always ready; epoll refuses it instead. */
static void test_regular_file(void) {
    tr_mem mem;
    tr_poller *p = new_poller(&mem);
    FILE *file = tmpfile();
    CHECK(file != NULL);
    int fits = kind == TR_POLLER_POLL || kind == TR_POLLER_SELECT;
    CHECK_EQ_INT(tr_poller_add(p, fileno(file), READ, file), fits ? TR_OK : TR_ENOTSUP);
    CHECK_EQ_INT(look(p, file), fits ? READ : 0);
    CHECK_EQ_INT(tr_poller_add(p, fileno(file), READ, file), fits ? TR_EEXIST : TR_ENOTSUP);
    CHECK_EQ_INT(tr_poller_remove(p, fileno(file)), fits ? TR_OK : TR_ENOENT);
    fclose(file);
    end_poller(&mem, p);
}

#if defined(SYS_epoll_pwait2)
/* From here on epoll_pwait2 fails with err in this process. */
static int forbid_epoll_pwait2(int err) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

/* Run in a child: the number of failures, or 100 when filters are not to be had here. */
static int run_on_old_kernel(int err) {
    int failures_before = check_failures;
    if (forbid_epoll_pwait2(err) != 0) return 100;
    CHECK_EQ_INT(syscall(SYS_epoll_pwait2, -1, NULL, 0, NULL, NULL, 0), -1);
    CHECK_EQ_INT(errno, err);
    test_timeouts();
    test_signal();
    test_level_triggered();
    return check_failures - failures_before;
}

/* Kernels before 5.11 have no epoll_pwait2, and some containers forbid it. */
static void test_old_kernel(void) {
    const int errors[] = {ENOSYS, EPERM};
    for (int i = 0; i < 2; i++) {
        fflush(NULL);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) _exit(run_on_old_kernel(errors[i]));
        int status = -1;
        CHECK_EQ_INT(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status));
        if (WEXITSTATUS(status) == 100) {
            printf("skip test_old_kernel: no system call filters\n");
        } else {
            CHECK_EQ_INT(WEXITSTATUS(status), 0);
        }
    }
}
#endif

static void run_suite(void) {
    RUN(test_open);
    RUN(test_registrations);
    RUN(test_level_triggered);
    RUN(test_write_readiness);
    RUN(test_hang_up);
    RUN(test_broken_pipe);
    RUN(test_half_closed);
    RUN(test_peer_reset);
    RUN(test_silent);
    RUN(test_descriptor_reuse);
    RUN(test_churn);
    RUN(test_closed_too_early);
    RUN(test_many);
    RUN(test_more_than_a_batch);
    RUN(test_random_walk);
    RUN(test_timeouts);
    RUN(test_own_descriptor);
    RUN(test_block_and_wake);
    RUN(test_wake_counts_once);
    RUN(test_signal);
    RUN(test_out_of_memory);
    RUN(test_no_descriptors_left);
    RUN(test_high_descriptors);
    RUN(test_regular_file);
}

int main(void) {
    struct rlimit limit;
    CHECK_EQ_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit before = limit_descriptors(limit.rlim_max < 4096 ? limit.rlim_max : 4096);
    const tr_poller_kind kinds[] = {
        TR_POLLER_AUTO,
        TR_POLLER_EPOLL,
        TR_POLLER_POLL,
        TR_POLLER_SELECT,
    };
    const char *const names[] = {"auto", "epoll", "poll", "select"};
    for (int i = 0; i < 4; i++) {
        kind = kinds[i];
        printf("backend %s\n", names[i]);
        run_suite();
    }
#if defined(SYS_epoll_pwait2)
    kind = TR_POLLER_EPOLL;
    RUN(test_old_kernel);
#endif
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    return CHECK_DONE();
}
