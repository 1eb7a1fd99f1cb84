/* session.h - who may say what now: states, once, and whose answer is due.
 *
 * Each side of each channel keeps one and shows it every message that it sends and that came.
 *
 * On the data channel the floor is the engine's queued requests: while one of them is not answered,
 * the host has the floor. They are answered in their order. For the first of them the host may ask
 * back, the engine amid that question may ask too, and so on: a stack, on which only the last
 * question may be answered. A detached request stands beside queue and stack; on the control
 * channel all are.
 *
 * Plain data, a few KB; no cost but a comparison or two per message.
 */
#ifndef TR_WIRE_SESSION_H
#define TR_WIRE_SESSION_H

#include "sandbox/wire/protocol.h"

#define TR_SESSION_DETACHED_MAX 16

typedef struct tr_asked {
    uint64_t id;
    uint16_t type;
    uint8_t by; /* tr_wire_side */
} tr_asked;

typedef struct tr_session {
    uint8_t side;    /* tr_wire_side: ours */
    uint8_t channel; /* tr_wire_channel */
    uint16_t phase;  /* tr_state */
    uint64_t next_id;
    uint32_t queue_first;
    uint32_t queue_count;
    uint32_t depth;
    uint32_t detached_count;
    tr_asked queue[TR_WIRE_QUEUE_MAX];
    tr_asked stack[TR_WIRE_NEST_MAX];
    tr_asked detached[TR_SESSION_DETACHED_MAX];
    uint8_t seen[TR_WIRE_MESSAGES]; /* of the messages that may come once */
} tr_session;

/* Begins in state greeting. */
void tr_session_init(tr_session *session, tr_wire_side side, tr_wire_channel channel);
/* Greeting, ready, loading, unloading, or idle for a module that serves: the floor is told apart
 * from idle here. */
void tr_session_set_phase(tr_session *session, tr_state phase);
tr_state tr_session_state(const tr_session *session);

/* We are about to send, with these header flags. For a request and a one-way message sets *id, for
 * an answer *id is the request's already. NULL: send it; else why not: our own mistake, or a bound was
 * reached. */
const char *tr_session_send(tr_session *session, uint16_t type, uint32_t flags, uint64_t *id);
/* This came. NULL: it may; else the reason to hang up. */
const char *tr_session_came(tr_session *session, const tr_wire_header *header);

#endif
