/* latency_events.h - the latency monitor: delays by the name of what caused them, the worst of each second.
 *
 * An event comes into being with its first delay, and stays until it is reset. It keeps the newest TR_DELAYS of them
 * in a ring. At most TR_LATENCY_EVENTS_MAX names are known at a time, others are dropped, as is a delay without memory
 * for its event. Nothing is recorded while the threshold is 0.
 */
#ifndef TR_EXEC_LATENCY_EVENTS_H
#define TR_EXEC_LATENCY_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#define TR_DELAYS 160
#define TR_LATENCY_EVENTS_MAX 256
#define TR_LATENCY_NAME_MAX 128 /* bytes of an event's name, NUL included; what is beyond is cut */

/* Names of the engine's own events; modules add theirs. */
#define TR_LATENCY_COMMAND "command"
#define TR_LATENCY_FAST_COMMAND "fast-command"
#define TR_LATENCY_EXPIRE_CYCLE "expire-cycle"
#define TR_LATENCY_EVICTION_CYCLE "eviction-cycle"
#define TR_LATENCY_EVICTION_DEL "eviction-del"
#define TR_LATENCY_PUMP_TURN "pump-turn"
#define TR_LATENCY_MODULE_CALL "module-call"
#define TR_LATENCY_FORK "fork"

struct tr_exec;

typedef struct tr_delay {
    int64_t time_s; /* since 1970; 0: none */
    int64_t ms;
} tr_delay;

typedef struct tr_latency_event {
    char name[TR_LATENCY_NAME_MAX];
    int64_t max_ms;
    int at;         /* where the next delay goes */
    tr_delay delays[TR_DELAYS];
} tr_latency_event;

typedef struct tr_latency_events {
    int64_t threshold_ms; /* latency-monitor-threshold; 0: off */
    tr_latency_event **all; /* owned, in the order in which they came */
    int count, cap;
} tr_latency_events;

/* Something has taken so long, by the wall clock of the running command: kept when it is at or above the threshold. The
 * name may be anybody's. */
void tr_latency_sample(struct tr_exec *x, const char *event, int64_t ms);
/* The same for a delay that somebody else has measured: a threshold of 0 keeps all of these, as in Redis. */
void tr_latency_told(struct tr_exec *x, const char *event, int64_t ms);
/* NULL: there is no such one. */
const tr_latency_event *tr_latency_find(const struct tr_exec *x, const char *event, size_t len);
/* The newest delay. */
const tr_delay *tr_latency_newest(const tr_latency_event *e);
/* Forgets one event (1 or 0), or all of them (their count). */
int tr_latency_reset(struct tr_exec *x, const char *event, size_t len);
int tr_latency_reset_all(struct tr_exec *x);
size_t tr_latency_memory(const struct tr_exec *x);

#endif
