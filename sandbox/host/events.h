/* events.h - what the module waits for besides the server: timers, descriptors, one-shots.
 *
 * Kept and looked after here, without a message: the descriptors are the helper's own. What has come due asks
 * for the floor (baton.c), one thing at a time; its callback runs on the main thread once that is granted, as a
 * unit of its own. So a thing that was taken back meanwhile is simply not there when the grant comes.
 *
 * Functions of the module API add and remove from any thread; a lock orders them. Callbacks run without it.
 */
#ifndef TR_HOST_EVENTS_H
#define TR_HOST_EVENTS_H

#include <poll.h>

#include "sandbox/host/host.h"

/* As in the messages ask_floor and grant_floor. */
typedef enum tr_purpose {
    TR_FOR_THREAD,
    TR_FOR_TIMER,
    TR_FOR_FD,
    TR_FOR_ONE_SHOT,
    TR_FOR_AFTER,
    TR_FOR_LOAD,
    TR_FOR_UNLOAD,
    TR_FOR_NOTHING = -1,
} tr_purpose;

#define TR_EVENTS_FDS_MAX 65536 /* numbers of descriptors that a module may add */

/* ------------------------------------------------------------------ any thread */

uint64_t tr_events_add_timer(int64_t after_ms, RedisModuleTimerProc run, void *data, uint32_t db);
/* 1: it was pending; *data, where wanted, is what it was given. */
int tr_events_stop_timer(uint64_t id, void **data);
int tr_events_timer_info(uint64_t id, uint64_t *remaining_ms, void **data);
/* mask: REDISMODULE_EVENTLOOP_... . 0, or an errno: it is no descriptor, or none that can be waited for. */
int tr_events_add_fd(int fd, int mask, RedisModuleEventLoopFunc run, void *data);
void tr_events_drop_fd(int fd, int mask);
void tr_events_add_one_shot(RedisModuleEventLoopOneShotFunc run, void *data);

/* ------------------------------------------------------------------ the main thread */

void tr_events_init(void);
/* When the next timer is due, CLOCK_MONOTONIC; INT64_MAX: there is none. */
int64_t tr_events_next_ns(void);
/* What is due now and wants the floor; kinds take turns. *due_us: since when, as ask_floor has it. */
tr_purpose tr_events_due(int64_t now_ns, int64_t *due_us);
/* 1 when something of the kind is due. */
int tr_events_is_due(tr_purpose purpose, int64_t now_ns);
/* The descriptors that are to be watched behind the first, which is the caller's; how many there are of the
 * module's. *fds stays until the next call. */
nfds_t tr_events_watch(struct pollfd **fds);
/* After poll(): notes which are ready. */
void tr_events_noted(const struct pollfd *fds, nfds_t count);
/* With the floor: one callback of this kind. 0: nothing was due any more. */
int tr_events_run(tr_purpose purpose);

#endif
