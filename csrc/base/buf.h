/* buf.h - bytes on their way in: a growing buffer that is written at the end and consumed at the
 * front.
 *
 *   data | consumed | unread: rpos..wpos | room: wpos..cap |
 *
 * Plain data, owned by its holder. Pointers into it die at the next reserve() or release().
 */
#ifndef TR_BASE_BUF_H
#define TR_BASE_BUF_H

#include <stddef.h>

#include "base/mem.h"

typedef struct tr_buf {
    char *data;
    size_t rpos;
    size_t wpos;
    size_t cap;
} tr_buf;

static inline size_t tr_buf_unread(const tr_buf *b) {
    return b->wpos - b->rpos;
}
static inline size_t tr_buf_room(const tr_buf *b) {
    return b->cap - b->wpos;
}

/* Makes room for at least n more bytes, first by moving the unread bytes to the front. 0 or
 * TR_ENOMEM (then unchanged). */
int tr_buf_reserve(tr_mem *mem, tr_buf *b, size_t n);
/* Appends n bytes. 0 or TR_ENOMEM. */
int tr_buf_append(tr_mem *mem, tr_buf *b, const void *p, size_t n);
/* Frees the memory; the buffer is empty and may be used again. */
void tr_buf_release(tr_mem *mem, tr_buf *b);

#endif
