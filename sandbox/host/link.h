/* link.h - the data channel, as the rest of the host sees it: ask, tell, answer.
 *
 * Only who has the floor may ask or tell (baton.h): the thread that runs a callback of the module,
 * or that holds the module's lock. A module that calls such a function without is ended with a
 * report that says so.
 *
 * A channel that fails ends the process: the engine is gone, or has given us up.
 */
#ifndef TR_HOST_LINK_H
#define TR_HOST_LINK_H

#include "sandbox/host/host.h"

/* An answer; what was decoded of it borrows from hold. {0} at first. */
typedef struct tr_answer {
    tr_buf hold;
} tr_answer;

/* Sends a request of the type and waits; requests of the engine that come meanwhile are served. The
 * answer's body is decoded into *body_out, valid until tr_answer_drop(). function names the API function
 * for the report when the floor is missing. */
void tr_link_ask(const char *function, tr_msg_type type, const void *body, void *body_out,
                 tr_answer *answer);
void tr_answer_drop(tr_answer *answer);
/* Writes a one-way message; it leaves with the next ask or answer. */
void tr_link_tell(const char *function, tr_msg_type type, const void *body);
/* Answers a request of the engine's. */
void tr_link_answer(const tr_wire_header *request, const void *body);

/* From any thread, with or without the floor, for messages that need none (unblock_client,
 * memory_used, latency_sample): they leave soon, in the order of the calls. What body borrows is copied. */
void tr_link_post(tr_msg_type type, const void *body);

/* The main thread's life: serves until the engine goes. */
_Noreturn void tr_link_serve(void);
/* Waits for one request of the engine's and serves it. */
void tr_link_serve_one(void);

#endif
