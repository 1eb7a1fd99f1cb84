#include "base/buf.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"

#define BUF_MIN 512

int tr_buf_reserve(tr_mem *mem, tr_buf *b, size_t n) {
    tr_assert(b->rpos <= b->wpos && b->wpos <= b->cap);
    if (tr_buf_room(b) >= n) return TR_OK;
    size_t unread = tr_buf_unread(b);
    if (n > TR_ALLOC_MAX - unread) return TR_ENOMEM;
    if (b->rpos >= unread && b->cap - unread >= n) {
        memcpy(b->data, b->data + b->rpos, unread);
        b->rpos = 0;
        b->wpos = unread;
        return TR_OK;
    }
    size_t cap = b->cap < BUF_MIN ? BUF_MIN : b->cap;
    /* Room in proportion to what is copied: a full buffer that is read byte by byte must not be
     * copied for each. */
    while (cap < unread + n || cap - unread < unread / 2) cap *= 2;
    char *data = tr_alloc(mem, cap);
    if (data == NULL) return TR_ENOMEM;
    if (unread != 0) memcpy(data, b->data + b->rpos, unread);
    tr_free(mem, b->data);
    *b = (tr_buf){.data = data, .rpos = 0, .wpos = unread, .cap = tr_mem_usable(data)};
    return TR_OK;
}

int tr_buf_append(tr_mem *mem, tr_buf *b, const void *p, size_t n) {
    int rc = tr_buf_reserve(mem, b, n);
    if (rc != TR_OK) return rc;
    if (n != 0) memcpy(b->data + b->wpos, p, n);
    b->wpos += n;
    return TR_OK;
}

void tr_buf_release(tr_mem *mem, tr_buf *b) {
    tr_free(mem, b->data);
    *b = (tr_buf){0};
}
