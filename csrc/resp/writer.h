/* writer.h - replies as RESP2 or RESP3 into an output queue.
 *
 * Each function appends one element. Aggregates take their count of elements (maps: of pairs) and are
 * followed by their elements; where the count is not known yet, tr_w_defer() leaves a gap which
 * tr_w_defer_end() fills. RESP2 gets the down-conversion that Redis does: maps and sets as arrays, doubles and
 * big numbers as bulks, booleans as 0/1, verbatim as bulk, attributes not at all (the caller asks tr_w_wants_attr()).
 * No memory: the queue's `failed` is set; nothing is returned here, the owner of the queue looks once per command.
 */
#ifndef TR_RESP_WRITER_H
#define TR_RESP_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/outq.h"

#define TR_SHARE_MIN 8192 /* bytes from which a value is shared with the output instead of copied */

typedef struct tr_writer {
    tr_outq *q;
    int proto;         /* 2 or 3 */
} tr_writer;

/* A gap for a count. Borrowed from the queue: no part of the queue may leave before tr_w_defer_end(). */
typedef struct tr_w_gap {
    tr_outq *q;
    tr_out_node *node; /* the node of its own that will hold the header */
} tr_w_gap;

void tr_w_simple(tr_writer *w, const char *s, size_t n); /* +OK: no CR or LF inside (they are replaced by spaces) */
void tr_w_error(tr_writer *w, const char *s, size_t n);  /* "ERR ...": without '-', CR and LF replaced by spaces */
void tr_w_errorf(tr_writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tr_w_int(tr_writer *w, int64_t n);
void tr_w_bulk(tr_writer *w, const void *p, size_t n);
void tr_w_bulk_blob(tr_writer *w, tr_blob *blob, size_t off, size_t n); /* shares from TR_SHARE_MIN on */
void tr_w_bulk_int(tr_writer *w, int64_t n);             /* the number as a bulk */
void tr_w_cstr(tr_writer *w, const char *s);             /* bulk */
void tr_w_null(tr_writer *w);        /* $-1 or _ */
void tr_w_null_array(tr_writer *w);  /* *-1 or _ */
void tr_w_array(tr_writer *w, size_t n);
void tr_w_map(tr_writer *w, size_t pairs);
void tr_w_set(tr_writer *w, size_t n);
void tr_w_push(tr_writer *w, size_t n);
void tr_w_attr(tr_writer *w, size_t pairs);
int tr_w_wants_attr(const tr_writer *w);
void tr_w_double(tr_writer *w, double d);                /* bulk in RESP2 */
void tr_w_bool(tr_writer *w, int yes);
void tr_w_bignum(tr_writer *w, const char *digits, size_t n);
void tr_w_verbatim(tr_writer *w, const char *fmt3, const void *p, size_t n);
void tr_w_raw(tr_writer *w, const void *p, size_t n);    /* bytes that are RESP already */
/* kind: '*', '%', '~', '>' as in RESP3; in RESP2 the count of a map is doubled and the kind becomes '*'. */
tr_w_gap tr_w_defer(tr_writer *w);
void tr_w_defer_end(tr_writer *w, tr_w_gap gap, char kind, size_t count);

#endif
