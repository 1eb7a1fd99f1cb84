/* serve_key.h - the keys that helpers have open.
 *
 * A handle is a slot of tr_helper.keys: database, name and mode, no entry, since entries move and go. Whoever uses a
 * handle looks the entry up again. A slot belongs to the unit that opened it and is closed with it at the latest;
 * closing one that is open for writing tells watchers, unless the module asked for silence. Handles are bounded by
 * TR_OPEN_KEYS_MAX: one more ends the helper, as do handles that are not open and writes through handles for reading.
 */
#ifndef TR_MODHOST_SERVE_KEY_H
#define TR_MODHOST_SERVE_KEY_H

#include "modhost/modhost.h"

#define TR_OPEN_KEYS_MAX 65536        /* of one helper at a time; a module that opens more has forgotten them */
#define TR_OPEN_KEY_BYTES_MAX 65536   /* of a string that come with the answer to open_key */
#define TR_SCAN_BATCH_MAX 1024        /* keys asked for in one batch */
#define TR_SCAN_KEYS_MAX 65536        /* that one batch may hold: what the message takes; chains are never so long */

/* NULL: it isn't open. Borrowed until the next open_key. */
tr_open_key *tr_modhost_key(tr_helper *h, uint32_t handle);
/* What the key has now, due or not; NULL: nothing. */
tr_entry *tr_modhost_entry(const tr_open_key *k);
/* What is told of a key; e may be NULL. */
void tr_modhost_describe(tr_helper *h, const tr_db *db, const tr_entry *e, tr_msg_open_key_answer *out);
/* Of a TR_MODULE value: the helper's handle of the type and the value's token; zeros: they are not this helper's. */
void tr_modhost_value_of(const tr_helper *h, const tr_entry *e, uint32_t *type, uint64_t *token);

#endif
