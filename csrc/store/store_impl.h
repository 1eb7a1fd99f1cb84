/* store_impl.h - what the files of this room share and nobody else sees. */
#ifndef TR_STORE_STORE_IMPL_H
#define TR_STORE_STORE_IMPL_H

#include "store/store.h"

/* word: what stands behind the key; anything for TR_ENC_EMB and TR_ENC_INT. */
void tr__store_free_value(tr_store *store, tr_type type, tr_enc enc, void *word);
/* The entry, already out of its table, and its value. */
void tr__store_free_entry(tr_store *store, tr_entry *e);

#endif
