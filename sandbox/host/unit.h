/* unit.h - what the module does with its values while it has the floor, so that they outlive this process.
 *
 *   a request of the server --> tr_unit_begins
 *       each message of ours --> tr_unit_says
 *   before our answer        --> tr_unit_answers: values_now, if need be
 *   after it                 --> tr_unit_ended
 *
 * Values that were opened for writing, set or copied may have changed. If the server can bring that about by running
 * what was propagated again (replayable.h has the rule, which it judges by too), nothing is sent. Else their
 * payloads are,
 * as only now and only here they are known. Nothing is done until the server has asked for it (keep_values).
 */
#ifndef TR_HOST_UNIT_H
#define TR_HOST_UNIT_H

#include "sandbox/host/host.h"

typedef struct tr_host_unit {
    struct tr_host_unit *outer;
    uint16_t type;      /* of the request */
    bool replicated;    /* something, for everybody, a command of this module */
    bool foreign;       /* did what running it again would not do */
    tr_numbers written; /* tokens */
} tr_host_unit;

void tr_unit_begins(tr_host_unit *unit, uint16_t type);
void tr_unit_ended(void);
/* Before a request or one-way message of ours leaves. */
void tr_unit_says(tr_msg_type type, const void *body);
/* The server's answer to a request of ours. */
void tr_unit_hears(tr_msg_type type, const void *body, const void *answer);
/* An answer of ours is about to leave. */
void tr_unit_answers(void);
/* A value was made for the unit that asked the server for a copy. */
void tr_unit_copied(uint64_t token);

#endif
