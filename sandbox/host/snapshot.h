/* snapshot.h - payloads of values on their way to the server: a few at the end of a unit, or all of them.
 *
 * A batch leaves when it is large enough, so one message never has much more than TR_BATCH_BYTES. A snapshot of all
 * values is made at once, or by a forked child: that one writes to a pipe, a thread of ours takes it from there and
 * posts it. The child runs nothing but the callbacks that save; the kernel ends it when its time is over, and with us.
 * Whatever happens to it costs the snapshot only.
 */
#ifndef TR_HOST_SNAPSHOT_H
#define TR_HOST_SNAPSHOT_H

#include "sandbox/host/host.h"
#include "sandbox/host/tokens.h"

#define TR_BATCH_BYTES ((size_t)1 << 20)
#define TR_PAYLOAD_BYTES_MAX ((size_t)512 << 20) /* what a message can take */

typedef struct tr_values_batch {
    tr_msg_type type; /* TR_MSG_VALUES_NOW, TR_MSG_SNAPSHOT_PART */
    bool posted;      /* by a thread that has no floor */
    uint64_t number;  /* of the snapshot */
    tr_numbers tokens;
    tr_numbers ends;  /* of each payload in bytes */
    tr_bytes bytes;
} tr_values_batch;

/* Saves the value. 0: it can't be saved. */
int tr_values_batch_add(tr_values_batch *batch, const tr_token *token);
/* What is left; the batch is empty then. */
void tr_values_batch_send(tr_values_batch *batch);

#endif
