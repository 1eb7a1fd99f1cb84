#include "resp/writer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/num.h"

#define ERROR_TEXT 256 /* bytes of a formatted error that need no second pass */

_Static_assert(TR_W_HEAD_MAX >= TR_INT_TEXT - 1 + 3, "a head is a type byte, a number, CR and LF");
_Static_assert(TR_SHARE_MIN + 2 * TR_W_HEAD_MAX <= TR_OUT_CHUNK, "a copied bulk fits a chunk");

static char *put_crlf(char *at) {
    memcpy(at, "\r\n", 2);
    return at + 2;
}

/* Kind, number, CR, LF; returns the end. */
static inline char *put_head(char *at, char kind, uint64_t n) {
    *at++ = kind;
    if (TR_LIKELY(n < 10)) {
        *at++ = (char)('0' + n);
    } else if (n < 100) {
        *at++ = (char)('0' + n / 10);
        *at++ = (char)('0' + n % 10);
    } else {
        at += tr_num_format_uint(at, n);
    }
    return put_crlf(at);
}

static void head(tr_writer *w, char kind, uint64_t n) {
    char *at = tr_outq_reserve(w->q, TR_W_HEAD_MAX);
    if (TR_UNLIKELY(at == NULL)) return;
    tr_outq_commit(w->q, (size_t)(put_head(at, kind, n) - at));
}

static size_t doubled(size_t pairs) {
    tr_assert(pairs <= SIZE_MAX / 2);
    return pairs * 2;
}

/* A line: kind, s, CR LF; CR and LF in s become spaces. */
static void line(tr_writer *w, char kind, const char *s, size_t n) {
    tr_assert(n < TR_ALLOC_MAX);
    char *at = tr_outq_reserve(w->q, n + 3);
    if (TR_UNLIKELY(at == NULL)) return;
    at[0] = kind;
    for (size_t i = 0; i < n; i++) at[i + 1] = s[i] == '\r' || s[i] == '\n' ? ' ' : s[i];
    put_crlf(at + 1 + n);
    tr_outq_commit(w->q, n + 3);
}

void tr_w_simple(tr_writer *w, const char *s, size_t n) {
    line(w, '+', s, n);
}

void tr_w_error(tr_writer *w, const char *s, size_t n) {
    line(w, '-', s, n);
}

static void error_trimmed(tr_writer *w, const char *s, size_t n) {
    while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == '\n')) n--;
    line(w, '-', s, n);
}

void tr_w_errorf(tr_writer *w, const char *fmt, ...) {
    char small[ERROR_TEXT];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(small, sizeof(small), fmt, args);
    tr_assert(n >= 0);
    if ((size_t)n < sizeof(small)) {
        error_trimmed(w, small, (size_t)n);
    } else {
        char *text = tr_alloc(w->q->pool->mem, (size_t)n + 1);
        if (text != NULL) {
            vsnprintf(text, (size_t)n + 1, fmt, again);
            error_trimmed(w, text, (size_t)n);
            tr_free(w->q->pool->mem, text);
        } else {
            tr_outq_fail(w->q);
        }
    }
    va_end(again);
    va_end(args);
}

void tr_w__int_slow(tr_writer *w, int64_t n) {
    char *at = tr_outq_reserve(w->q, TR_W_HEAD_MAX);
    if (TR_UNLIKELY(at == NULL)) return;
    *at = ':';
    size_t len = 1 + tr_num_format_int(at + 1, n);
    put_crlf(at + len);
    tr_outq_commit(w->q, len + 2);
}

void tr_w_bulk(tr_writer *w, const void *p, size_t n) {
    if (TR_UNLIKELY(n >= TR_SHARE_MIN)) { /* may fill up one chunk and go on in the next */
        head(w, '$', n);
        tr_outq_append(w->q, p, n);
        tr_outq_append(w->q, "\r\n", 2);
        return;
    }
    char *at = tr_outq_reserve(w->q, n + TR_W_HEAD_MAX + 2);
    if (TR_UNLIKELY(at == NULL)) return;
    char *end = put_head(at, '$', n);
    if (TR_LIKELY(n != 0)) memcpy(end, p, n);
    end = put_crlf(end + n);
    tr_outq_commit(w->q, (size_t)(end - at));
}

void tr_w_bulk_blob(tr_writer *w, tr_blob *blob, size_t off, size_t n) {
    tr_assert(off <= blob->len && n <= blob->len - off);
    if (n < TR_SHARE_MIN) {
        tr_w_bulk(w, blob->data + off, n);
        return;
    }
    head(w, '$', n);
    tr_outq_append_blob(w->q, blob, off, n);
    tr_outq_append(w->q, "\r\n", 2);
}

void tr_w_bulk_int(tr_writer *w, int64_t n) {
    char text[TR_INT_TEXT];
    tr_w_bulk(w, text, tr_num_format_int(text, n));
}

void tr_w_cstr(tr_writer *w, const char *s) {
    tr_w_bulk(w, s, strlen(s));
}

void tr_w_null_array(tr_writer *w) {
    if (w->proto >= 3) tr_w__literal(w, "_\r\n", 3);
    else tr_w__literal(w, "*-1\r\n", 5);
}

void tr_w_array(tr_writer *w, size_t n) {
    head(w, '*', n);
}

void tr_w_map(tr_writer *w, size_t pairs) {
    if (w->proto >= 3) head(w, '%', pairs);
    else head(w, '*', doubled(pairs));
}

void tr_w_set(tr_writer *w, size_t n) {
    head(w, w->proto >= 3 ? '~' : '*', n);
}

void tr_w_push(tr_writer *w, size_t n) {
    head(w, w->proto >= 3 ? '>' : '*', n);
}

void tr_w_attr(tr_writer *w, size_t pairs) {
    tr_assert(tr_w_wants_attr(w));
    head(w, '|', pairs);
}

int tr_w_wants_attr(const tr_writer *w) {
    return w->proto >= 3;
}

/* In RESP3 a line of its own type, in RESP2 a bulk; p has no CR or LF. */
static void scalar(tr_writer *w, char kind, const char *p, size_t n) {
    if (w->proto >= 3) line(w, kind, p, n);
    else tr_w_bulk(w, p, n);
}

void tr_w_double(tr_writer *w, double d) {
    char text[TR_DOUBLE_TEXT];
    scalar(w, ',', text, tr_num_format_double(text, d));
}

void tr_w_bool(tr_writer *w, int yes) {
    if (w->proto < 3) tr_w__literal(w, yes ? ":1\r\n" : ":0\r\n", 4);
    else tr_w__literal(w, yes ? "#t\r\n" : "#f\r\n", 4);
}

void tr_w_bignum(tr_writer *w, const char *digits, size_t n) {
    scalar(w, '(', digits, n);
}

void tr_w_verbatim(tr_writer *w, const char *fmt3, const void *p, size_t n) {
    if (w->proto < 3) {
        tr_w_bulk(w, p, n);
        return;
    }
    tr_assert(n < TR_ALLOC_MAX);
    char tag[4] = {' ', ' ', ' ', ':'};
    memcpy(tag, fmt3, strnlen(fmt3, 3));
    head(w, '=', n + sizeof(tag));
    tr_outq_append(w->q, tag, sizeof(tag));
    tr_outq_append(w->q, p, n);
    tr_outq_append(w->q, "\r\n", 2);
}

void tr_w_raw(tr_writer *w, const void *p, size_t n) {
    tr_outq_append(w->q, p, n);
}

tr_w_gap tr_w_defer(tr_writer *w) {
    tr_w_gap gap = {.q = w->q};
    char *at = tr_outq_reserve(w->q, TR_W_HEAD_MAX);
    if (TR_UNLIKELY(at == NULL)) return gap;
    gap.node = w->q->tail;
    gap.pos = gap.node->wpos;
    tr_assert(at == gap.node->data + gap.pos);
    tr_outq_commit(w->q, TR_W_HEAD_MAX);
    return gap;
}

void tr_w_defer_end(tr_writer *w, tr_w_gap gap, char kind, size_t count) {
    tr_assert(gap.q == w->q);
    if (w->q->failed) return;
    tr_out_node *node = gap.node;
    tr_assert(node != NULL && node->rpos <= gap.pos && gap.pos + TR_W_HEAD_MAX <= node->wpos);
    if (w->proto < 3) {
        if (kind == '%') count = doubled(count);
        kind = '*';
    }
    char *at = node->data + gap.pos;
    char *end = put_head(at, kind, count);
    size_t spare = TR_W_HEAD_MAX - (size_t)(end - at);
    memmove(end, at + TR_W_HEAD_MAX, node->wpos - gap.pos - TR_W_HEAD_MAX);
    node->wpos -= spare;
    w->q->bytes -= spare;
}
