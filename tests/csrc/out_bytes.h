/* out_bytes.h - what an output queue holds, as plain bytes, gathered through its iovecs. */
#ifndef TR_TESTS_OUT_BYTES_H
#define TR_TESTS_OUT_BYTES_H

#include <stdlib.h>
#include <string.h>

#include "base/outq.h"

typedef struct out_bytes {
    char *at;
    size_t len;
} out_bytes;

/* The caller frees at. `max` iovecs a time, so the queue is read the way a socket would take it. */
static inline out_bytes out_bytes_get(const tr_outq *q) {
    int max = (int)(2 * q->node_count) + 1;
    struct iovec *iov = calloc((size_t)max, sizeof(*iov));
    out_bytes out = {.at = malloc(q->bytes + 1)};
    tr_assert(iov != NULL && out.at != NULL);
    int n = tr_outq_iov(q, iov, max);
    tr_assert(n < max);
    for (int i = 0; i < n; i++) {
        tr_assert(iov[i].iov_len > 0 && out.len + iov[i].iov_len <= q->bytes);
        memcpy(out.at + out.len, iov[i].iov_base, iov[i].iov_len);
        out.len += iov[i].iov_len;
    }
    out.at[out.len] = '\0';
    free(iov);
    return out;
}

#endif
