/* Keys of a command, sent along with it.
 *
 * Opening a key for an answer costs a hop to the helper and back. Where the keys of a command stand is known from
 * its key specs, so what open_key would answer goes ahead of the command (known_keys), and the helper opens them by a
 * message that needs no answer (open_known). What a command before it in the batch has changed is not told: the helper
 * knows what it changed itself, by the number of messages that had been served when this was written.
 */
#include <string.h>

#include "base/err.h"
#include "exec/keys.h"
#include "modhost/internal.h"
#include "modhost/serve_key.h"
#include "store/store.h"

#define KNOWN_BYTES_MAX 1024 /* of a string value */
#define SOON_MS 1000         /* keys that may expire within this are asked for */

/* Notes where in the unit's message the keys of its command are. argv: as it was encoded. */
void tr__known_note(tr_helper *h, tr_unit *unit, const tr_arg *argv) {
    tr_keys keys;
    size_t end = tr_buf_unread(&unit->message), at = end;
    if (unit->cmd->key_spec_count == 0) return;
    tr_keys_init(&keys, h->m->mem);
    if (tr_keys_get(unit->cmd, argv, unit->argc, 0, &keys) == TR_OK) {
        /* The arguments are the end of the message. */
        for (int i = unit->argc; i-- > 0;) {
            at -= argv[i].len;
            for (int n = 0; n < keys.count && unit->known_count < TR_UNIT_KNOWN_MAX; n++) {
                if (keys.positions[n] != i) continue;
                unit->known[unit->known_count++] =
                    (tr_known_key){.position = (uint32_t)i, .at = (uint32_t)at, .len = (uint32_t)argv[i].len};
            }
            at -= sizeof(uint32_t);
        }
    }
    tr_keys_clear(&keys);
}

typedef struct known_lists {
    uint64_t positions[TR_UNIT_KNOWN_MAX], kinds[TR_UNIT_KNOWN_MAX], lengths[TR_UNIT_KNOWN_MAX];
    int64_t expires_ms[TR_UNIT_KNOWN_MAX];
    uint64_t types[TR_UNIT_KNOWN_MAX], tokens[TR_UNIT_KNOWN_MAX];
    tr_wire_bytes values[TR_UNIT_KNOWN_MAX];
    tr_view views[TR_UNIT_KNOWN_MAX];
    uint32_t count;
} known_lists;

static void add_key(tr_helper *h, tr_db *db, const tr_unit *unit, const tr_known_key *key, known_lists *out) {
    const char *name = unit->message.data + unit->message.rpos + key->at;
    tr_entry *e = tr_db_peek(db, name, key->len);
    int64_t expire_ms = e == NULL ? -1 : tr_db_expire_at(db, e);
    if (expire_ms != -1 && expire_ms <= db->store->now_ms + SOON_MS) return;
    tr_msg_open_key_answer told = {0};
    tr_modhost_describe(h, db, e, &told);
    uint32_t i = out->count++;
    out->positions[i] = key->position;
    out->kinds[i] = told.kind;
    out->lengths[i] = told.length;
    out->expires_ms[i] = told.expire_ms;
    out->types[i] = told.type;
    out->tokens[i] = told.token;
    out->values[i] = (tr_wire_bytes){0};
    if (e == NULL || tr_entry_type(e) != TR_STRING) return;
    tr_entry_view(e, &out->views[i]);
    size_t len = out->views[i].len < KNOWN_BYTES_MAX ? out->views[i].len : KNOWN_BYTES_MAX;
    out->values[i] = (tr_wire_bytes){.at = (const uint8_t *)out->views[i].ptr, .len = (uint32_t)len};
}

int tr__known_send(tr_helper *h, const tr_unit *unit) {
    if (unit->known_count == 0 || h->ring.late_count != 0) return TR_OK; /* what is late has not been served */
    tr_db *db = &h->m->x->store->dbs[unit->db_id];
    known_lists lists;
    lists.count = 0;
    for (uint32_t i = 0; i < unit->known_count; i++) add_key(h, db, unit, &unit->known[i], &lists);
    if (lists.count == 0) return TR_OK;
    tr_msg_known_keys m = {
        .unit = unit->request_id,
        .seen = h->ring.stats.messages_in,
        .db = (uint32_t)unit->db_id,
        .positions = {.count = lists.count, .items.u64s = lists.positions},
        .kinds = {.count = lists.count, .items.u64s = lists.kinds},
        .lengths = {.count = lists.count, .items.u64s = lists.lengths},
        .expires_ms = {.count = lists.count, .items.i64s = lists.expires_ms},
        .types = {.count = lists.count, .items.u64s = lists.types},
        .tokens = {.count = lists.count, .items.u64s = lists.tokens},
        .values = {.count = lists.count, .items.texts = lists.values},
    };
    return tr__helper_say(h, TR_MSG_KNOWN_KEYS, &m);
}
