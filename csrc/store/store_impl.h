/* store_impl.h - what the files of this room share and nobody else sees. */
#ifndef TR_STORE_STORE_IMPL_H
#define TR_STORE_STORE_IMPL_H

#include "store/store.h"

/* word: what stands behind the key; anything for TR_ENC_EMB and TR_ENC_INT. */
void tr__store_free_value(tr_store *store, tr_type type, tr_enc enc, void *word);
/* The entry, already out of its table, and its value. */
void tr__store_free_entry(tr_store *store, tr_entry *e);

/* Takes it out of its table and heap. */
void tr__db_take_out(tr_db *db, tr_entry *e);
/* Frees the keys and d (stolen), now or in the background. */
void tr__store_doom(tr_store *store, tr_doomed *d, int in_background);
void tr__store_swap(tr_store *store, int a, int b);

static inline size_t tr__entry_size(size_t key_len, tr_enc enc, size_t value_len) {
    return sizeof(tr_entry) + key_len + (enc == TR_ENC_EMB ? value_len : sizeof(void *));
}

/* undo.c: what changes say while store->undo_depth > 0 */
typedef struct tr_undo_record tr_undo_record;
/* A change could not be recorded and happened all the same. */
void tr__undo_break(tr_store *store);
/* 1: the innermost mark has this key, value and all: changes need no record. */
int tr__undo_has(tr_db *db, const tr_entry *e);
/* A key that isn't there will be made. 0 or TR_ENOMEM. */
int tr__undo_adding(tr_db *db, uint32_t hash, const char *key, size_t len);
/* The entry leaves: 1: it is the log's now, without expiry, to be taken out of its table; 0: not needed; TR_ENOMEM. */
int tr__undo_keep(tr_db *db, tr_entry *e);
/* Puts `by`, of the same key, in place of the entry, which isn't recorded yet and is the log's from then on; the
 * expiry goes to `by`, or away. 0 or TR_ENOMEM. */
int tr__undo_replace(tr_db *db, tr_entry *e, tr_entry *by, int keep_ttl);
/* One more tr__undo_keep() than before can't fail. 0 or TR_ENOMEM. */
int tr__undo_reserve(tr_store *store);
/* The entry's expiry will change. 0 or TR_ENOMEM. */
int tr__undo_expiry(tr_db *db, tr_entry *e);
/* The key will get an entry in place of `old` (NULL: it had none), which can't fail any more. As tr__undo_keep() for
 * old. tied: the value is one that tr__undo_moved() will note right after. */
int tr__undo_settling(tr_db *to, uint32_t hash, const tr_arg *key, tr_entry *old, int tied);
/* A record for tr__undo_moved(); NULL: no memory. */
tr_undo_record *tr__undo_new(tr_store *store);
/* The entry leaves and is the log's, its value went to another key: a share, or (tied) the value itself. Steals r. */
void tr__undo_moved(tr_db *from, tr_entry *e, tr_undo_record *r, int tied);
/* Takes keys and expiries out of the database. 0 or TR_ENOMEM. */
int tr__undo_flushing(tr_db *db, int in_background);
int tr__undo_swapping(tr_store *store, int a, int b);

#endif
