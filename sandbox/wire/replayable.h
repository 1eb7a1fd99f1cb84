/* replayable.h - which messages a unit may send and still be brought about again by its propagated commands alone.
 *
 * Host and engine judge each unit by the messages between them: only one whose messages are all of these, whose
 * keys hold
 * nothing but values of its own module, and that propagated commands of its own module, can be run again later with
 * the
 * same outcome. Whatever asks the server for something else (other keys, commands, the time of others) can't.
 */
#ifndef TR_WIRE_REPLAYABLE_H
#define TR_WIRE_REPLAYABLE_H

#include "sandbox/wire/protocol.h"

/* Those that come from any thread, whatever a unit does. */
static inline int tr_wire_is_aside(uint16_t type) {
    switch ((tr_msg_type)type) {
    case TR_MSG_MEMORY_USED:
    case TR_MSG_LATENCY_SAMPLE:
    case TR_MSG_SNAPSHOT_PART:
    case TR_MSG_SNAPSHOT_END:
    case TR_MSG_ASK_FLOOR:
    case TR_MSG_DROP_ASK:
    case TR_MSG_TRY_FLOOR:
    case TR_MSG_UNBLOCK_CLIENT:
    case TR_MSG_HEARTBEAT:
        return 1;
    default:
        return 0;
    }
}

static inline int tr_wire_replayable(uint16_t type) {
    switch ((tr_msg_type)type) {
    case TR_MSG_OPEN_KEY:
    case TR_MSG_OPEN_KNOWN:
    case TR_MSG_CLOSE_KEY:
    case TR_MSG_DELETE_KEY:
    case TR_MSG_SET_EXPIRE:
    case TR_MSG_SET_VALUE:
    case TR_MSG_SIGNAL_MODIFIED:
    case TR_MSG_SELECT_DB:
    case TR_MSG_REPLICATE:
    case TR_MSG_REPLICATE_VERBATIM:
    case TR_MSG_NOTIFY_KEYSPACE:
    case TR_MSG_NOTIFY_CLASSES:
    case TR_MSG_SIGNAL_READY:
    case TR_MSG_VALUES_NOW:
        return 1;
    default:
        return tr_wire_is_aside(type);
    }
}

#endif
