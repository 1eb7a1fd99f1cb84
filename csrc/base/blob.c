#include "base/blob.h"

#include <string.h>

#include "base/assert.h"

tr_blob *tr_blob_new(tr_mem *mem, const char *p, size_t len, size_t cap) {
    if (cap < len) cap = len;
    if (cap > TR_ALLOC_MAX - sizeof(tr_blob)) return NULL;
    tr_blob *blob = tr_alloc(mem, sizeof(tr_blob) + cap);
    if (blob == NULL) return NULL;
    blob->refs = 1;
    blob->len = len;
    blob->cap = tr_mem_usable(blob) - sizeof(tr_blob);
    tr_assert(blob->cap >= cap);
    if (p != NULL && len != 0) memcpy(blob->data, p, len);
    return blob;
}

tr_blob *tr_blob_share(tr_blob *blob) {
    tr_assert(blob->refs > 0);
    blob->refs++;
    return blob;
}

void tr_blob_drop(tr_mem *mem, tr_blob *blob) {
    if (blob == NULL) return;
    tr_assert(blob->refs > 0);
    if (--blob->refs == 0) tr_free(mem, blob);
}

tr_blob *tr_blob_grow(tr_mem *mem, tr_blob *blob, size_t cap) {
    tr_assert(blob->refs == 1);
    if (cap <= blob->cap) return blob;
    if (cap > TR_ALLOC_MAX - sizeof(tr_blob)) return NULL;
    tr_blob *grown = tr_realloc(mem, blob, sizeof(tr_blob) + cap);
    if (grown == NULL) return NULL;
    grown->cap = tr_mem_usable(grown) - sizeof(tr_blob);
    return grown;
}
