/* control.h - the control channel: a SEQPACKET socket, a message a packet.
 *
 * Greeting and load_module are taken by the main thread before there are others; afterwards a thread of its own answers
 * the engine's Python while the module runs. Sending is safe from any thread.
 */
#ifndef TR_HOST_CONTROL_H
#define TR_HOST_CONTROL_H

#include "sandbox/host/life.h"

/* Sends; a channel that is gone ends the process. request_id 0: a one-way message. */
void tr_control_send(tr_msg_type type, uint64_t request_id, const void *body);
/* As tr_control_send(), but never waits and never ends the process: for one that ends anyway. */
void tr_control_send_last(tr_msg_type type, const void *body);
/* Greets and waits for load_module: *header, and the body in *m, which borrows from memory that stays. */
void tr_control_greet(tr_wire_header *header, tr_msg_load_module *m);
/* Starts the thread. */
void tr_control_start(void);
/* The request unload_module, waited for and taken. Its grant comes by the other channel, and may be here first. */
uint64_t tr_control_unload_request(void);

#endif
