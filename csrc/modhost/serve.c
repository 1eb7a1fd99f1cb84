/* What a helper may ask: from message to function. */
#include "base/err.h"
#include "modhost/internal.h"
#include "modhost/values.h"

/* X(MESSAGE, name): what is served. What is not ends a helper that sends it. */
#define SERVED(X)                                                                                                      \
    X(REGISTER_COMMAND, register_command)                                                                              \
    X(COMMAND_INFO, command_info)                                                                                      \
    X(COMMAND_CATEGORIES, command_categories)                                                                          \
    X(ADD_CATEGORY, add_category)                                                                                      \
    X(COMMAND_KEYS, command_keys)                                                                                      \
    X(MODULE_OPTIONS, module_options)                                                                                  \
    X(NAME_BUSY, name_busy)                                                                                            \
    X(MEMORY_USED, memory_used)                                                                                        \
    X(MEMORY_RATIO, memory_ratio)                                                                                      \
    X(REDACT, redact)                                                                                                  \
    X(LATENCY_SAMPLE, latency_sample)                                                                                  \
    X(REGISTER_FILTER, register_filter)                                                                                \
    X(UNREGISTER_FILTER, unregister_filter)                                                                            \
    X(SUBSCRIBE_EVENT, subscribe_event)                                                                                \
    X(SUBSCRIBE_KEYSPACE, subscribe_keyspace)                                                                          \
    X(NOTIFY_KEYSPACE, notify_keyspace)                                                                                \
    X(NOTIFY_CLASSES, notify_classes)                                                                                  \
    X(ADD_JOB, add_job)                                                                                                \
    X(REGISTER_INFO, register_info)                                                                                    \
    X(SERVER_INFO, server_info)                                                                                        \
    X(PUBLISH, publish)                                                                                                \
    X(CLIENT_INFO, client_info)                                                                                        \
    X(SET_CLIENT_NAME, set_client_name)                                                                                \
    X(CLIENT_CERTIFICATE, client_certificate)                                                                          \
    X(ASK_FLOOR, ask_floor)                                                                                            \
    X(DROP_ASK, drop_ask)                                                                                              \
    X(TRY_FLOOR, try_floor)                                                                                            \
    X(YIELD, yield)                                                                                                    \
    X(BLOCK_CLIENT, block_client)                                                                                      \
    X(UNBLOCK_CLIENT, unblock_client)                                                                                  \
    X(SIGNAL_READY, signal_ready)                                                                                      \
    X(OPEN_KEY, open_key)                                                                                              \
    X(OPEN_KNOWN, open_known)                                                                                          \
    X(CLOSE_KEY, close_key)                                                                                            \
    X(DELETE_KEY, delete_key)                                                                                          \
    X(SET_EXPIRE, set_expire)                                                                                          \
    X(KEY_EXISTS, key_exists)                                                                                          \
    X(DB_SIZE, db_size)                                                                                                \
    X(RANDOM_KEY, random_key)                                                                                          \
    X(GET_AGE, get_age)                                                                                                \
    X(SET_AGE, set_age)                                                                                                \
    X(SELECT_DB, select_db)                                                                                            \
    X(SIGNAL_MODIFIED, signal_modified)                                                                                \
    X(STRING_SET, string_set)                                                                                          \
    X(STRING_GET, string_get)                                                                                          \
    X(STRING_WRITE, string_write)                                                                                      \
    X(STRING_TRUNCATE, string_truncate)                                                                                \
    X(SCAN, scan)                                                                                                      \
    X(CALL, call)                                                                                                      \
    X(ABORT_PROMISE, abort_promise)                                                                                    \
    X(REPLICATE, replicate)                                                                                            \
    X(REPLICATE_VERBATIM, replicate_verbatim)                                                                          \
    X(AVOID_REPLICA_TRAFFIC, avoid_replica_traffic)                                                                    \
    X(REGISTER_TYPE, register_type)                                                                                    \
    X(SET_VALUE, set_value)                                                                                            \
    X(VALUES_NOW, values_now)                                                                                          \
    X(SNAPSHOT_PART, snapshot_part)                                                                                    \
    X(SNAPSHOT_END, snapshot_end)

static tr_modhost_serve *server_of(uint16_t type) {
    switch ((tr_msg_type)type) {
#define TR_X(MESSAGE, name) case TR_MSG_##MESSAGE: return tr_modhost_##name;
        SERVED(TR_X)
#undef TR_X
        default: return NULL;
    }
}

int tr__decode(tr_helper *h, const tr_wire_header *header, const tr_buf *message, void *body) {
    const uint8_t *bytes = (const uint8_t *)message->data + message->rpos + TR_WIRE_HEADER_BYTES;
    const char *why = tr_wire_decode(header->type, bytes, header->length, body);
    return why == NULL ? TR_OK : tr_helper_wrong(h, why);
}

int tr__serve(tr_helper *h, const tr_wire_header *header, const tr_buf *message) {
    tr_modhost_serve *serve = server_of(header->type);
    const tr_wire_spec *spec = tr_wire_spec_of(header->type);
    if (serve == NULL || spec->struct_bytes > TR_BODY_BYTES_MAX) {
        return tr_helper_wrong(h, "a message that is not served");
    }
    tr__body_room body;
    int rc = tr__decode(h, header, message, &body);
    if (rc == TR_OK) rc = tr_values_message(h, header, &body);
    if (rc != 0) return rc < 0 ? rc : TR_OK;
    return serve(h, header, &body);
}
