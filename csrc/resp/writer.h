/* writer.h - replies as RESP2 or RESP3 into an output queue.
 *
 * Each function appends one element. Aggregates take their count of elements (maps: of pairs)
 * and are followed by their elements; where the count is not known yet, tr_w_defer() leaves a
 * gap which tr_w_defer_end() fills. RESP2 gets the down-conversion that Redis does: maps and
 * sets as arrays, doubles and big numbers as bulks, booleans as 0/1, verbatim as bulk,
 * attributes not at all (the caller asks tr_w_wants_attr()). No memory: the queue's `failed` is
 * set; nothing is returned here, the owner of the queue looks once per command. On a failed
 * queue every function does nothing.
 *
 * A gap is TR_W_HEAD_MAX bytes in a chunk, closed up once the count is known: no node, no
 * allocation of its own. Gaps nest: the last one opened is the first one filled.
 */
#ifndef TR_RESP_WRITER_H
#define TR_RESP_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/blob.h"
#include "base/outq.h"

#define TR_SHARE_MIN 8192 /* bytes from which a value is shared with the output instead of copied */
#define TR_W_HEAD_MAX 24  /* bytes that hold any type byte, 64-bit number, CR and LF */

typedef struct tr_writer {
    tr_outq *q;
    int proto;         /* 2 or 3 */
} tr_writer;

/* A gap for a count. Borrowed from the queue: no part of the queue may leave, and it may not be
 * spliced, before tr_w_defer_end(). */
typedef struct tr_w_gap {
    tr_outq *q;
    tr_out_node *node; /* NULL: the queue has failed */
    size_t pos;        /* of the gap in the node's own bytes */
} tr_w_gap;

/* Text after '+'. CR and LF inside become spaces. */
void tr_w_simple(tr_writer *w, const char *s, size_t n);
/* Text after '-', "ERR ...". CR and LF inside become spaces. */
void tr_w_error(tr_writer *w, const char *s, size_t n);
/* As tr_w_error; CRs and LFs at the end of the text are dropped. */
void tr_w_errorf(tr_writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tr_w_bulk(tr_writer *w, const void *p, size_t n);
/* blob->data[off..off+n); shares from TR_SHARE_MIN on. */
void tr_w_bulk_blob(tr_writer *w, tr_blob *blob, size_t off, size_t n);
void tr_w_bulk_int(tr_writer *w, int64_t n);             /* the number as a bulk */
void tr_w_cstr(tr_writer *w, const char *s);             /* bulk */
void tr_w_null_array(tr_writer *w);  /* *-1 or _ */
void tr_w_array(tr_writer *w, size_t n);
void tr_w_map(tr_writer *w, size_t pairs);
void tr_w_set(tr_writer *w, size_t n);
void tr_w_push(tr_writer *w, size_t n);
void tr_w_attr(tr_writer *w, size_t pairs);              /* only where tr_w_wants_attr() */
int tr_w_wants_attr(const tr_writer *w);
void tr_w_double(tr_writer *w, double d);                /* bulk in RESP2 */
void tr_w_bool(tr_writer *w, int yes);
void tr_w_bignum(tr_writer *w, const char *digits, size_t n);
/* fmt3: three letters; a shorter one is filled up with spaces. */
void tr_w_verbatim(tr_writer *w, const char *fmt3, const void *p, size_t n);
void tr_w_raw(tr_writer *w, const void *p, size_t n);    /* bytes that are RESP already */
tr_w_gap tr_w_defer(tr_writer *w);
/* kind: '*', '%', '~', '>' as in RESP3; in RESP2 the count of a map is doubled and the kind
 * becomes '*'. */
void tr_w_defer_end(tr_writer *w, tr_w_gap gap, char kind, size_t count);

/* The out-of-line ends of the inline functions below. */
void tr_w__int_slow(tr_writer *w, int64_t n);

/* n bytes that the compiler can see; one or two stores. */
static inline void tr_w__literal(tr_writer *w, const char *s, size_t n) {
    char *at = tr_outq_reserve(w->q, n);
    if (TR_UNLIKELY(at == NULL)) return;
    memcpy(at, s, n);
    tr_outq_commit(w->q, n);
}

static inline void tr_w_ok(tr_writer *w) {
    tr_w__literal(w, "+OK\r\n", 5);
}

/* $-1 or _ */
static inline void tr_w_null(tr_writer *w) {
    if (w->proto >= 3) tr_w__literal(w, "_\r\n", 3);
    else tr_w__literal(w, "$-1\r\n", 5);
}

static inline void tr_w_int(tr_writer *w, int64_t n) {
    if (TR_UNLIKELY((uint64_t)n > 9)) {
        tr_w__int_slow(w, n);
        return;
    }
    const char text[4] = {':', (char)('0' + n), '\r', '\n'};
    tr_w__literal(w, text, sizeof(text));
}

#endif
