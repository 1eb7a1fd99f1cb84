/* blob.h - a counted byte buffer, shared between the keyspace, arguments and replies.
 *
 *   | refs | len | cap | data ... cap bytes ... |
 *
 * Large values travel as blobs so that nobody copies them: the parser reads a big argument straight
 * into one, SET keeps it, GET puts a share of it into the output. Whoever wants to change one must
 * hold the only share (refs == 1), or copy first. Not for threads.
 */
#ifndef TR_BASE_BLOB_H
#define TR_BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

typedef struct tr_blob {
    size_t refs;
    size_t len;
    size_t cap;
    char data[];
} tr_blob;

/* A new blob with one share, len bytes long, at least cap of room; p may be NULL: bytes undefined. NULL: no memory. */
tr_blob *tr_blob_new(tr_mem *mem, const char *p, size_t len, size_t cap);
/* Takes one more share. */
tr_blob *tr_blob_share(tr_blob *blob);
/* Gives one share back; the last one frees. NULL is allowed. */
void tr_blob_drop(tr_mem *mem, tr_blob *blob);
/* Steals the caller's only share and returns the blob with room for cap bytes; NULL: no memory, blob unchanged. */
tr_blob *tr_blob_grow(tr_mem *mem, tr_blob *blob, size_t cap);

#endif
