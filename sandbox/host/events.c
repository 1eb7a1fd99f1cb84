#include "sandbox/host/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "ds/ttlheap.h"
#include "sandbox/host/baton.h"
#include "sandbox/wire/futex.h"

#define NS_PER_MS INT64_C(1000000)
#define KINDS 3 /* timer, descriptor, one-shot: what takes turns */

typedef struct timer {
    uint32_t heap_slot; /* 0: the place is free */
    uint32_t generation;
    uint32_t place;
    uint32_t next_free; /* place + 1 */
    uint32_t db;
    RedisModuleTimerProc run;
    void *data;
} timer;

typedef struct watch {
    int fd;
    int mask;  /* REDISMODULE_EVENTLOOP_... that are wanted */
    int ready; /* ... that were seen; it isn't watched until they are served */
    RedisModuleEventLoopFunc readable, writable;
    void *data;
} watch;

typedef struct one_shot {
    struct one_shot *next;
    RedisModuleEventLoopOneShotFunc run;
    void *data;
} one_shot;

static struct events {
    pthread_mutex_t lock;
    _Atomic uint32_t count; /* of all; a look without the lock */
    tr_mem mem;
    tr_ttlheap heap;
    timer **timers; /* by place; a pointer, since the heap points to them */
    uint32_t timer_cap, free_timer; /* place + 1; 0: all are taken */
    watch *watches;
    uint32_t watch_count, watch_cap, ready_count;
    uint32_t next_watch; /* where the search for a ready one begins */
    one_shot *first, *last;
    struct pollfd *polled; /* the main thread's own */
    nfds_t polled_cap;
    int last_kind;
} events = {.lock = PTHREAD_MUTEX_INITIALIZER};

void tr_events_init(void) {
    tr_mem_init(&events.mem);
    tr_ttlheap_init(&events.heap, &events.mem, offsetof(timer, heap_slot));
}

static void lock(void) {
    pthread_mutex_lock(&events.lock);
}

static void unlock(void) {
    pthread_mutex_unlock(&events.lock);
}

/* ------------------------------------------------------------------ timers */

static uint64_t id_of(uint32_t place, uint32_t generation) {
    return (uint64_t)generation << 32 | (place + 1);
}

/* NULL: it has fired, was stopped, or never was. */
static timer *find_timer(uint64_t id) {
    uint32_t place = (uint32_t)id - 1;
    if ((uint32_t)id == 0 || place >= events.timer_cap) return NULL;
    timer *t = events.timers[place];
    return t->heap_slot != 0 && t->generation == id >> 32 ? t : NULL;
}

/* A place of a timer that is none. */
static uint32_t take_place(void) {
    if (events.free_timer == 0) {
        uint32_t had = events.timer_cap;
        events.timer_cap = had == 0 ? 16 : had * 2;
        events.timers = tr_need_more(events.timers, events.timer_cap * sizeof(timer *));
        for (uint32_t i = events.timer_cap; i-- > had;) {
            events.timers[i] = tr_need_zeroed(sizeof(timer));
            events.timers[i]->place = i;
            events.timers[i]->next_free = events.free_timer;
            events.free_timer = i + 1;
        }
    }
    uint32_t place = events.free_timer - 1;
    events.free_timer = events.timers[place]->next_free;
    return place;
}

static void end_timer(timer *t) {
    tr_ttlheap_drop(&events.heap, t->heap_slot);
    t->next_free = events.free_timer;
    events.free_timer = t->place + 1;
    tr_host_here.timers--;
    atomic_fetch_sub(&events.count, 1);
}

uint64_t tr_events_add_timer(int64_t after_ms, RedisModuleTimerProc run, void *data, uint32_t db) {
    int64_t now_ns = tr_futex_now_ns();
    int64_t due_ns = after_ms > (INT64_MAX - now_ns) / NS_PER_MS ? INT64_MAX - 1 : now_ns + after_ms * NS_PER_MS;
    lock();
    uint32_t place = take_place();
    timer *t = events.timers[place];
    t->generation++;
    t->run = run;
    t->data = data;
    t->db = db;
    if (tr_ttlheap_add(&events.heap, t, due_ns) != 0) tr_host_die(TR_DIE_MEMORY, "out of memory");
    tr_host_here.timers++;
    atomic_fetch_add(&events.count, 1);
    uint64_t id = id_of(place, t->generation);
    unlock();
    if (!tr_baton_mine()) tr_baton_nudge();
    return id;
}

int tr_events_stop_timer(uint64_t id, void **data) {
    lock();
    timer *t = find_timer(id);
    if (t != NULL) {
        if (data != NULL) *data = t->data;
        end_timer(t);
    }
    unlock();
    return t != NULL;
}

int tr_events_timer_info(uint64_t id, uint64_t *remaining_ms, void **data) {
    lock();
    timer *t = find_timer(id);
    if (t != NULL) {
        int64_t left_ns = tr_ttlheap_when(&events.heap, t->heap_slot) - tr_futex_now_ns();
        if (remaining_ms != NULL) *remaining_ms = left_ns > 0 ? (uint64_t)(left_ns / NS_PER_MS) : 0;
        if (data != NULL) *data = t->data;
    }
    unlock();
    return t != NULL;
}

int64_t tr_events_next_ns(void) {
    if (atomic_load(&events.count) == 0) return INT64_MAX;
    lock();
    const tr_ttl_item *first = tr_ttlheap_peek(&events.heap);
    int64_t when = first == NULL ? INT64_MAX : first->when;
    unlock();
    return when;
}

static int run_timer(void) {
    lock();
    const tr_ttl_item *first = tr_ttlheap_peek(&events.heap);
    if (first == NULL || first->when > tr_futex_now_ns()) {
        unlock();
        return 0;
    }
    timer *t = first->owner;
    timer fired = *t;
    end_timer(t);
    unlock();
    RedisModuleCtx ctx;
    tr_ctx_init(&ctx, TR_CTX_NO_CLIENT);
    ctx.db = fired.db;
    fired.run(&ctx, fired.data);
    tr_ctx_end(&ctx);
    tr_ctx_release(&ctx);
    return 1;
}

/* ------------------------------------------------------------------ descriptors */

static watch *find_watch(int fd) {
    for (uint32_t i = 0; i < events.watch_count; i++)
        if (events.watches[i].fd == fd) return &events.watches[i];
    return NULL;
}

/* What can't be waited for: as a poller of the system would refuse it. 0 or an errno. */
static int why_unwatchable(int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0) return errno;
    return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? EPERM : 0;
}

int tr_events_add_fd(int fd, int mask, RedisModuleEventLoopFunc run, void *data) {
    int why = why_unwatchable(fd);
    if (why != 0) return why;
    lock();
    watch *w = find_watch(fd);
    if (w == NULL) {
        if (events.watch_count == events.watch_cap) {
            events.watch_cap = events.watch_cap == 0 ? 8 : events.watch_cap * 2;
            events.watches = tr_need_more(events.watches, events.watch_cap * sizeof *w);
        }
        w = &events.watches[events.watch_count++];
        *w = (watch){.fd = fd};
        atomic_fetch_add(&events.count, 1);
    }
    w->mask |= mask;
    w->data = data;
    if ((mask & REDISMODULE_EVENTLOOP_READABLE) != 0) w->readable = run;
    if ((mask & REDISMODULE_EVENTLOOP_WRITABLE) != 0) w->writable = run;
    unlock();
    if (!tr_baton_mine()) tr_baton_nudge();
    return 0;
}

void tr_events_drop_fd(int fd, int mask) {
    lock();
    watch *w = find_watch(fd);
    if (w != NULL) {
        w->mask &= ~mask;
        if (w->mask == 0) {
            if (w->ready != 0) events.ready_count--;
            *w = events.watches[--events.watch_count];
            atomic_fetch_sub(&events.count, 1);
        }
    }
    unlock();
}

static short poll_events_of(int mask) {
    short wanted = 0;
    if ((mask & REDISMODULE_EVENTLOOP_READABLE) != 0) wanted |= POLLIN;
    if ((mask & REDISMODULE_EVENTLOOP_WRITABLE) != 0) wanted |= POLLOUT;
    return wanted;
}

/* What happened to a descriptor; an error or the other end's closing is both. */
static int mask_of(short revents) {
    int mask = 0;
    if ((revents & POLLIN) != 0) mask |= REDISMODULE_EVENTLOOP_READABLE;
    if ((revents & POLLOUT) != 0) mask |= REDISMODULE_EVENTLOOP_WRITABLE;
    if ((revents & (POLLERR | POLLHUP)) != 0) mask |= REDISMODULE_EVENTLOOP_READABLE | REDISMODULE_EVENTLOOP_WRITABLE;
    return mask;
}

nfds_t tr_events_watch(struct pollfd **fds) {
    nfds_t count = 0;
    *fds = NULL;
    if (atomic_load(&events.count) == 0) return 0;
    lock();
    if (events.polled_cap < events.watch_count + 1) {
        events.polled_cap = events.watch_cap + 1;
        events.polled = tr_need_more(events.polled, events.polled_cap * sizeof *events.polled);
    }
    for (uint32_t i = 0; i < events.watch_count; i++) {
        const watch *w = &events.watches[i];
        if (w->ready != 0) continue;
        events.polled[1 + count++] = (struct pollfd){.fd = w->fd, .events = poll_events_of(w->mask)};
    }
    unlock();
    *fds = events.polled;
    return count;
}

void tr_events_noted(const struct pollfd *fds, nfds_t count) {
    lock();
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].revents == 0) continue;
        watch *w = find_watch(fds[i].fd);
        if (w == NULL || w->ready != 0) continue;
        if ((fds[i].revents & POLLNVAL) != 0) { /* closed without a word: as a poller forgets it */
            *w = events.watches[--events.watch_count];
            atomic_fetch_sub(&events.count, 1);
            continue;
        }
        w->ready = mask_of(fds[i].revents);
        if (w->ready != 0) events.ready_count++;
    }
    unlock();
}

/* Takes the next ready one: a copy, and what it is ready for as of now. 0: it isn't any more. */
static int take_ready(watch *out) {
    for (uint32_t i = 0; i < events.watch_count; i++) {
        watch *w = &events.watches[(events.next_watch + i) % events.watch_count];
        if (w->ready == 0) continue;
        events.next_watch = (uint32_t)(w - events.watches) + 1;
        events.ready_count--;
        w->ready = 0;
        struct pollfd now = {.fd = w->fd, .events = poll_events_of(w->mask)};
        if (poll(&now, 1, 0) != 1) continue;
        *out = *w;
        out->ready = mask_of(now.revents);
        if (out->ready != 0) return 1;
    }
    return 0;
}

static int run_fd(void) {
    watch fired;
    lock();
    int found = take_ready(&fired);
    unlock();
    if (!found) return 0;
    if ((fired.mask & fired.ready & REDISMODULE_EVENTLOOP_READABLE) != 0)
        fired.readable(fired.fd, fired.data, fired.ready);
    lock();
    const watch *w = find_watch(fired.fd); /* the callback may have taken it out, or changed it */
    if (w != NULL) {
        int ready = fired.ready;
        fired = *w;
        fired.ready = ready;
    }
    unlock();
    if (w != NULL && (fired.mask & fired.ready & REDISMODULE_EVENTLOOP_WRITABLE) != 0)
        fired.writable(fired.fd, fired.data, fired.ready);
    return 1;
}

/* ------------------------------------------------------------------ one-shots */

void tr_events_add_one_shot(RedisModuleEventLoopOneShotFunc run, void *data) {
    one_shot *o = tr_need(sizeof *o);
    *o = (one_shot){.run = run, .data = data};
    lock();
    if (events.last == NULL) events.first = o;
    else events.last->next = o;
    events.last = o;
    atomic_fetch_add(&events.count, 1);
    unlock();
    if (!tr_baton_mine()) tr_baton_nudge();
}

static int run_one_shot(void) {
    lock();
    one_shot *o = events.first;
    if (o != NULL) {
        events.first = o->next;
        if (o->next == NULL) events.last = NULL;
        atomic_fetch_sub(&events.count, 1);
    }
    unlock();
    if (o == NULL) return 0;
    o->run(o->data);
    free(o);
    return 1;
}

/* ------------------------------------------------------------------ what is due */

static int is_due(tr_purpose purpose, int64_t now_ns) {
    const tr_ttl_item *first = tr_ttlheap_peek(&events.heap);
    switch (purpose) {
        case TR_FOR_TIMER: return first != NULL && first->when <= now_ns;
        case TR_FOR_FD: return events.ready_count != 0;
        case TR_FOR_ONE_SHOT: return events.first != NULL;
        default: return 0;
    }
}

int tr_events_is_due(tr_purpose purpose, int64_t now_ns) {
    lock();
    int due = is_due(purpose, now_ns);
    unlock();
    return due;
}

static int64_t due_since_us(tr_purpose purpose, int64_t now_ns) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    if (purpose == TR_FOR_TIMER) us -= (now_ns - tr_ttlheap_peek(&events.heap)->when) / 1000;
    return us;
}

tr_purpose tr_events_due(int64_t now_ns, int64_t *due_us) {
    tr_purpose found = TR_FOR_NOTHING;
    if (atomic_load(&events.count) == 0) return found;
    lock();
    for (int i = 1; i <= KINDS && found == TR_FOR_NOTHING; i++) {
        int kind = (events.last_kind + i) % KINDS;
        tr_purpose purpose = (tr_purpose)(TR_FOR_TIMER + kind);
        if (!is_due(purpose, now_ns)) continue;
        found = purpose;
        events.last_kind = kind;
        *due_us = due_since_us(purpose, now_ns);
    }
    unlock();
    return found;
}

int tr_events_run(tr_purpose purpose) {
    switch (purpose) {
        case TR_FOR_TIMER: return run_timer();
        case TR_FOR_FD: return run_fd();
        case TR_FOR_ONE_SHOT: return run_one_shot();
        default: return 0;
    }
}
