#include "sandbox/host/baton.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "sandbox/host/events.h"
#include "sandbox/host/link.h"
#include "sandbox/wire/futex.h"

#define LOOK_NS INT64_C(1000000) /* how long descriptors go unlooked at while commands keep coming */
#define NS_PER_S INT64_C(1000000000)

enum { WAITING, GRANTED, REFUSED };

/* A thread that wants the floor; lies on its stack. */
typedef struct want {
    struct want *next;
    pthread_cond_t turn;
    uint64_t ask;     /* 0: not asked yet */
    uint64_t request; /* of try_floor */
    bool trying;
    int state;
} want;

/* A message that leaves with the next chance: encoded, for tr_session_send() still to be judged. */
typedef struct post {
    struct post *next;
    uint16_t type;
    tr_buf bytes;
} post;

static struct baton {
    pthread_mutex_t lock; /* of what follows up to the posts */
    pthread_cond_t back;
    want *first;
    _Atomic uint32_t wanted; /* how many there are; a look without the lock */
    uint32_t asked; /* asks of threads that are under way */
    bool lent;
    _Atomic bool idle; /* the main thread waits for work */
    pthread_mutex_t post_lock;
    tr_mem post_mem;
    post *post_first, *post_last;
    _Atomic uint32_t posted;
    /* the main thread's own */
    uint64_t last_ask;
    uint64_t event_ask; /* 0: none is under way */
    int event_purpose;
    int64_t looked_ns;  /* at descriptors */
} baton = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .back = PTHREAD_COND_INITIALIZER,
           .post_lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool mine;

void tr_baton_init(int wake_fd) {
    mine = true;
    tr_mem_init(&baton.post_mem);
    tr_host_here.ring.own_fd = wake_fd;
    tr_events_init();
}

int tr_baton_mine(void) {
    return mine;
}

void tr_baton_nudge(void) {
    if (tr_host_here.forked) return;
    tr_ring_nudge(&tr_host_here.ring);
}

uint64_t tr_baton_next_ask(void) {
    return ++baton.last_ask;
}

/* ------------------------------------------------------------------ threads that want the floor */

static void line_up(want *w) {
    want **at = &baton.first;
    while (*at != NULL) at = &(*at)->next;
    *at = w;
    atomic_fetch_add(&baton.wanted, 1);
}

static void leave_line(want *w) {
    want **at = &baton.first;
    while (*at != w) at = &(*at)->next;
    *at = w->next;
    atomic_fetch_sub(&baton.wanted, 1);
    if (w->ask != 0) baton.asked--;
}

/* With the lock. A thread that is cancelled amid this would leave its want behind, so it isn't. */
static int wait_for_turn(bool trying) {
    want w = {.trying = trying, .turn = PTHREAD_COND_INITIALIZER};
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    line_up(&w);
    tr_baton_nudge();
    while (w.state == WAITING) pthread_cond_wait(&w.turn, &baton.lock);
    mine = w.state == GRANTED;
    pthread_cond_destroy(&w.turn);
    pthread_setcancelstate(old, NULL);
    return mine;
}

void tr_baton_take(const char *function) {
    if (mine) tr_host_die(TR_DIE_HOST, "%s: this thread has the lock already", function);
    pthread_mutex_lock(&baton.lock);
    (void)wait_for_turn(false);
    pthread_mutex_unlock(&baton.lock);
}

int tr_baton_try(void) {
    int got = 0;
    if (mine) return 0;
    pthread_mutex_lock(&baton.lock);
    if (baton.idle && baton.first == NULL) got = wait_for_turn(true);
    pthread_mutex_unlock(&baton.lock);
    return got;
}

void tr_baton_give(const char *function) {
    pthread_mutex_lock(&baton.lock);
    if (!mine || !baton.lent) tr_host_die(TR_DIE_HOST, "%s: this thread hasn't taken the lock", function);
    mine = false;
    baton.lent = false;
    pthread_cond_signal(&baton.back);
    pthread_mutex_unlock(&baton.lock);
}

int tr_baton_lend(uint64_t ask) {
    pthread_mutex_lock(&baton.lock);
    want *w = baton.first;
    while (w != NULL && w->ask != ask) w = w->next;
    int found = w != NULL && ask != 0;
    if (found) {
        leave_line(w);
        mine = false;
        baton.lent = true;
        w->state = GRANTED;
        pthread_cond_signal(&w->turn);
        while (baton.lent) pthread_cond_wait(&baton.back, &baton.lock);
        mine = true;
    }
    pthread_mutex_unlock(&baton.lock);
    return found;
}

void tr_serve_try_floor_answer(const tr_wire_header *header, const void *body) {
    const tr_msg_try_floor_answer *m = body;
    if (m->granted) return; /* the grant itself follows */
    pthread_mutex_lock(&baton.lock);
    want *w = baton.first;
    while (w != NULL && w->request != header->request_id) w = w->next;
    if (w != NULL) {
        leave_line(w);
        w->state = REFUSED;
        pthread_cond_signal(&w->turn);
    }
    pthread_mutex_unlock(&baton.lock);
}

/* ------------------------------------------------------------------ what leaves */

/* Judges and writes an encoded message. The request's id, where it is one, must be the next. */
static void put(uint16_t type, const tr_buf *bytes, uint64_t *id) {
    tr_host *h = &tr_host_here;
    const char *why = tr_session_send(&h->session, type, 0, id);
    if (why != NULL) tr_host_die(TR_DIE_HOST, "%s: %s", tr_wire_spec_of(type)->name, why);
    int rc = tr_ring_put(&h->ring, bytes->data, tr_buf_unread(bytes), TR_RING_NO_DEADLINE);
    if (rc == TR_ENOMEM) tr_host_die(TR_DIE_MEMORY, "out of memory");
    /* a ring that has failed is seen by who reads it next */
}

static uint64_t try_floor(uint64_t ask) {
    tr_host *h = &tr_host_here;
    tr_msg_try_floor m = {.ask = ask};
    tr_buf bytes = {0};
    uint64_t id = h->session.next_id + 1;
    if (tr_wire_encode(&h->mem, &bytes, TR_MSG_TRY_FLOOR, 0, id, &m) != 0) tr_host_die(TR_DIE_MEMORY, "out of memory");
    put(TR_MSG_TRY_FLOOR, &bytes, &id);
    tr_buf_release(&h->mem, &bytes);
    return id;
}

void tr_link_post(tr_msg_type type, const void *body) {
    if (tr_host_here.forked) return;
    post *p = tr_need_zeroed(sizeof *p);
    p->type = (uint16_t)type;
    pthread_mutex_lock(&baton.post_lock);
    int rc = tr_wire_encode(&baton.post_mem, &p->bytes, p->type, 0, 0, body);
    if (rc == TR_ENOMEM) tr_host_die(TR_DIE_MEMORY, "out of memory");
    if (rc != 0) tr_host_die(TR_DIE_HOST, "%s: too long", tr_wire_spec_of(p->type)->name);
    if (baton.post_last == NULL) baton.post_first = p;
    else baton.post_last->next = p;
    baton.post_last = p;
    atomic_fetch_add(&baton.posted, 1);
    pthread_mutex_unlock(&baton.post_lock);
    if (!mine) tr_baton_nudge();
}

static post *take_post(void) {
    pthread_mutex_lock(&baton.post_lock);
    post *p = baton.post_first;
    if (p != NULL) {
        baton.post_first = p->next;
        if (p->next == NULL) baton.post_last = NULL;
        atomic_fetch_sub(&baton.posted, 1);
    }
    pthread_mutex_unlock(&baton.post_lock);
    return p;
}

void tr_baton_send_posts(void) {
    while (atomic_load(&baton.posted) != 0) {
        uint64_t id;
        post *p = take_post();
        if (p == NULL) return;
        put(p->type, &p->bytes, &id);
        pthread_mutex_lock(&baton.post_lock);
        tr_buf_release(&baton.post_mem, &p->bytes);
        pthread_mutex_unlock(&baton.post_lock);
        free(p);
    }
}

/* ------------------------------------------------------------------ asking for the floor */

static int64_t wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void ask_floor(uint64_t ask, tr_purpose purpose, int64_t due_us) {
    tr_msg_ask_floor m = {.ask = ask, .purpose = (uint8_t)purpose, .due_us = due_us};
    tr_link_tell("ask_floor", TR_MSG_ASK_FLOOR, &m);
}

/* In the order in which they came. */
static void ask_for_threads(void) {
    if (atomic_load(&baton.wanted) == 0) return;
    pthread_mutex_lock(&baton.lock);
    for (want *w = baton.first; w != NULL && baton.asked < TR_BATON_ASKS_MAX; w = w->next) {
        if (w->ask != 0) continue;
        w->ask = tr_baton_next_ask();
        baton.asked++;
        if (w->trying) w->request = try_floor(w->ask);
        else ask_floor(w->ask, TR_FOR_THREAD, wall_us());
    }
    pthread_mutex_unlock(&baton.lock);
}

/* One ask is under way at a time. Returns until when there is nothing to ask for. */
static int64_t ask_for_events(void) {
    int64_t next_ns = tr_events_next_ns(), due_us;
    int64_t now_ns = tr_futex_now_ns();
    if (baton.event_ask != 0) {
        if (tr_events_is_due((tr_purpose)baton.event_purpose, now_ns)) return INT64_MAX;
        tr_msg_drop_ask m = {.ask = baton.event_ask};
        tr_link_tell("drop_ask", TR_MSG_DROP_ASK, &m);
        baton.event_ask = 0;
    }
    tr_purpose purpose = tr_events_due(now_ns, &due_us);
    if (purpose == TR_FOR_NOTHING) return next_ns;
    baton.event_purpose = purpose;
    baton.event_ask = tr_baton_next_ask();
    ask_floor(baton.event_ask, purpose, due_us);
    return INT64_MAX;
}

int tr_baton_run_event(uint64_t ask) {
    if (ask == 0 || ask != baton.event_ask) return 0;
    baton.event_ask = 0;
    return tr_events_run((tr_purpose)baton.event_purpose);
}

/* ------------------------------------------------------------------ waiting */

static void drain(int fd) {
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got; /* empty: somebody else's wake-up, as good */
}

/* Looks at the descriptors, and waits for them and the ring until then. */
static void poll_until(struct pollfd *fds, nfds_t count, int64_t until_ns) {
    struct timespec timeout = {0}, *given = &timeout;
    int64_t now_ns = tr_futex_now_ns();
    fds[0] = (struct pollfd){.fd = tr_host_here.ring.own_fd, .events = POLLIN};
    if (until_ns == INT64_MAX) {
        given = NULL;
    } else if (until_ns > now_ns) {
        timeout.tv_sec = (time_t)((until_ns - now_ns) / NS_PER_S);
        timeout.tv_nsec = (long)((until_ns - now_ns) % NS_PER_S);
    }
    int ready = ppoll(fds, count + 1, given, NULL);
    if (ready <= 0) return;
    if (fds[0].revents != 0) drain(fds[0].fd);
    tr_events_noted(fds + 1, count);
}

/* 0: something has come, or the ring has failed; else TR_EAGAIN: there may be something to ask for. */
static int sleep_until(int64_t until_ns) {
    tr_ring *ring = &tr_host_here.ring;
    struct pollfd *fds;
    nfds_t count = tr_events_watch(&fds);
    if (count == 0) return tr_ring_wait_nudged(ring, until_ns);
    int rc = tr_ring_park(ring);
    if (rc == 0) {
        poll_until(fds, count, atomic_load(&ring->nudged) ? 0 : until_ns);
        baton.looked_ns = tr_futex_now_ns();
    } else if (rc > 0 && tr_futex_now_ns() - baton.looked_ns >= LOOK_NS) {
        poll_until(fds, count, 0);
        baton.looked_ns = tr_futex_now_ns();
        int64_t ignored;
        if (tr_events_due(baton.looked_ns, &ignored) == TR_FOR_NOTHING || baton.event_ask != 0) rc = 1;
        else rc = 0; /* ask first */
    }
    tr_ring_unpark(ring);
    return rc == 0 ? TR_EAGAIN : 0;
}

void tr_wait_for_work(void) {
    tr_ring *ring = &tr_host_here.ring;
    int rc = TR_EAGAIN;
    while (rc == TR_EAGAIN) {
        int64_t until_ns = INT64_MAX;
        atomic_store(&ring->nudged, 0);
        tr_baton_send_posts();
        if (tr_host_here.serving) {
            ask_for_threads();
            until_ns = ask_for_events();
        }
        if (tr_host_here.handed != NULL) return; /* what was said above leaves with the next answer */
        tr_ring_flush(ring);
        atomic_store(&baton.idle, true);
        rc = sleep_until(until_ns);
        atomic_store(&baton.idle, false);
    }
}
