/* parser_run.h - runs the parser over some bytes, fed in a given way, and writes down what came
 * out.
 *
 * The transcript is text: each command as [arg|arg], then how it ended: "." idle, "+" in the
 * middle of a request, "!..." a protocol error, "~" no memory. Two ways of feeding the same
 * bytes must give the same transcript. The bytes always lie in an allocation that ends with
 * them, so that a sanitizer sees every step too far.
 */
#ifndef TR_TESTS_PARSER_RUN_H
#define TR_TESTS_PARSER_RUN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/rng.h"
#include "resp/parser.h"

#define PR_SHOWN_MAX 48 /* longer arguments are shown as their length and a hash */

typedef struct pr_text {
    char *at;
    size_t len;
    size_t cap;
} pr_text;

/* How to feed: the first chunk, then chunks of `step` bytes, or of 1..-step random bytes. */
typedef struct pr_feed {
    const void *data;
    size_t len;
    size_t first; /* 0: none */
    int64_t step;
    uint64_t seed;
    int wants;    /* 1: big arguments are read straight into their blob */
    int rebases;  /* 1: tr_parser_rebase() is called after each move */
    tr_parser_limits limits;
} pr_feed;

static inline tr_parser_limits pr_limits(void) {
    return (tr_parser_limits){.multibulk_max = TR_MULTIBULK_MAX, .bulk_max = 512 << 20};
}

static inline void pr_put(pr_text *t, const void *p, size_t n) {
    if (t->cap - t->len < n + 1) {
        t->cap = (t->len + n + 1) * 2;
        t->at = realloc(t->at, t->cap);
        tr_assert(t->at != NULL);
    }
    memcpy(t->at + t->len, p, n);
    t->len += n;
    t->at[t->len] = '\0';
}

static inline void pr_put_arg(pr_text *t, const tr_arg *arg) {
    char text[64];
    tr_assert(arg->blob == NULL || (arg->ptr == arg->blob->data && arg->len == arg->blob->len));
    if (arg->len > PR_SHOWN_MAX) {
        uint64_t hash = 14695981039346656037u;
        for (size_t i = 0; i < arg->len; i++) {
            hash = (hash ^ (unsigned char)arg->ptr[i]) * 1099511628211u;
        }
        int n = snprintf(text, sizeof(text), "<%zu:%016llx>", arg->len, (unsigned long long)hash);
        pr_put(t, text, (size_t)n);
        return;
    }
    for (size_t i = 0; i < arg->len; i++) {
        unsigned char c = (unsigned char)arg->ptr[i];
        if (c > 0x20 && c < 0x7f && strchr("[]|\\<>", c) == NULL) {
            pr_put(t, &arg->ptr[i], 1);
        } else {
            snprintf(text, sizeof(text), "\\%02x", c);
            pr_put(t, text, 3);
        }
    }
}

static inline void pr_put_command(pr_text *t, const tr_parser *p) {
    for (int i = 0; i < p->argc; i++) {
        pr_put(t, i == 0 ? "[" : "|", 1);
        pr_put_arg(t, &p->argv[i]);
    }
    pr_put(t, "]", 1);
}

static inline void pr_put_end(pr_text *t, const tr_parser *p, int rc) {
    if (rc == TR_EPROTO) {
        pr_put(t, "!", 1);
        pr_put(t, p->error, strlen(p->error));
    } else if (rc == TR_ENOMEM) {
        pr_put(t, "~", 1);
    } else {
        tr_assert(rc == TR_EMORE);
        pr_put(t, tr_parser_idle(p) ? "." : "+", 1);
    }
}

/* Moves the unread bytes to a new allocation that ends with the n bytes added. */
static inline void pr_add(tr_parser *p, tr_buf *buf, const void *data, size_t n, int rebases) {
    size_t unread = tr_buf_unread(buf);
    char *to = malloc(unread + n);
    tr_assert(to != NULL);
    if (unread != 0) memcpy(to, buf->data + buf->rpos, unread);
    memcpy(to + unread, data, n);
    if (rebases && unread != 0) tr_parser_rebase(p, buf->data + buf->rpos, to);
    free(buf->data);
    *buf = (tr_buf){.data = to, .wpos = unread + n, .cap = unread + n};
}

static inline size_t pr_chunk(const pr_feed *feed, size_t off, tr_rng *rng) {
    size_t n = feed->len - off;
    size_t max;
    if (off == 0 && feed->first != 0) max = feed->first;
    else if (feed->step > 0) max = (size_t)feed->step;
    else max = 1 + (size_t)tr_rng_below(rng, (uint64_t)-feed->step);
    return n < max ? n : max;
}

/* The whole run; the caller frees text->at. bytes may be NULL: sum of command_bytes. Leaves
 * nothing allocated from mem. */
static inline int pr_run(tr_mem *mem, const pr_feed *feed, pr_text *text, size_t *bytes) {
    tr_parser p;
    tr_buf buf = {0};
    tr_rng rng = {feed->seed};
    size_t off = 0, sum = 0;
    tr_parser_init(&p, mem);
    text->len = 0;
    pr_put(text, "", 0);
    int rc;
    for (;;) {
        while ((rc = tr_parser_next(&p, &buf, &feed->limits)) == 1) {
            tr_parser_check(&p, &buf);
            tr_assert(p.argc > 0);
            pr_put_command(text, &p);
            sum += p.command_bytes;
            if (rng.state & 1) tr_parser_done(&p); /* it must not matter who calls it */
        }
        tr_parser_check(&p, &buf);
        if (rc != TR_EMORE || off == feed->len) break;
        size_t n = pr_chunk(feed, off, &rng), want = 0;
        char *at = NULL;
        if (feed->wants && tr_parser_want(&p, &at, &want)) {
            if (n > want) n = want;
            memcpy(at, (const char *)feed->data + off, n);
            tr_parser_fed(&p, n);
        } else {
            pr_add(&p, &buf, (const char *)feed->data + off, n, feed->rebases);
        }
        off += n;
    }
    tr_assert(rc == TR_EMORE || tr_parser_next(&p, &buf, &feed->limits) == rc);
    pr_put_end(text, &p, rc);
    if (bytes != NULL) *bytes = sum;
    tr_parser_release(&p);
    tr_assert(tr_parser_memory(&p) == 0);
    free(buf.data);
    return rc;
}

#endif
