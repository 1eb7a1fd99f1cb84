#include "resp/parser.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/num.h"

#define ARGV_FIRST_MAX 1024  /* argv slots made on the mere promise of a count */
#define QUICK_DIGITS 9       /* digits of a length that the quick way reads */
#define LINE_END 2           /* CR LF */

/* A step either goes on with the next state, completes a command, or returns TR_E... */
enum { STEP_ON = 0, STEP_COMMAND = 1 };

_Static_assert(TR_ARGV_KEEP >= TR_ARGV_INLINE, "inline slots are always kept");
_Static_assert(TR_BIG_ARG > TR_UNAUTH_BULK_MAX, "a big argument needs authentication");

static const char *place(const tr_parser *p, const tr_buf *buf) {
    return buf->data + buf->rpos + p->pos;
}

static size_t available(const tr_parser *p, const tr_buf *buf) {
    tr_assert(p->pos <= tr_buf_unread(buf));
    return tr_buf_unread(buf) - p->pos;
}

static int fail(tr_parser *p, int code, const char *text) {
    tr_assert(code < 0 && text != NULL);
    tr_blob_drop(p->mem, p->big);
    p->big = NULL;
    tr_parser_done_slow(p);
    p->state = TR_PARSE_FAILED;
    p->failure = code;
    p->error = text;
    return code;
}

static int fail_proto(tr_parser *p, const char *text) {
    return fail(p, TR_EPROTO, text);
}

static int fail_nomem(tr_parser *p) {
    return fail(p, TR_ENOMEM, "out of memory");
}

/* The request asked for nothing: on to the next one. */
static int skip_request(tr_parser *p, tr_buf *buf) {
    buf->rpos += p->pos;
    p->pos = 0;
    p->state = TR_PARSE_START;
    return STEP_ON;
}

static int complete(tr_parser *p, tr_buf *buf) {
    tr_debug_assert(p->argc > 0 && p->big == NULL);
    p->command_bytes = p->pos + p->big_bytes;
    buf->rpos += p->pos;
    p->pos = 0;
    p->state = TR_PARSE_START;
    return STEP_COMMAND;
}

/* Makes at least one more slot in argv. */
static int grow_argv(tr_parser *p) {
    int64_t cap = (int64_t)p->argv_cap * 2;
    int64_t promised = p->argc + p->args_left;
    if (promised > ARGV_FIRST_MAX) promised = ARGV_FIRST_MAX;
    if (cap < promised) cap = promised;
    if (cap > INT32_MAX) cap = INT32_MAX;
    tr_assert(cap > p->argc);
    tr_arg *held = p->argv == p->inline_argv ? NULL : p->argv;
    tr_arg *argv = tr_realloc(p->mem, held, (size_t)cap * sizeof(*argv));
    if (argv == NULL) return fail_nomem(p);
    if (held == NULL) memcpy(argv, p->inline_argv, sizeof(p->inline_argv));
    p->argv = argv;
    p->argv_cap = (int)cap;
    if (cap > TR_ARGV_KEEP) p->dirty = 1;
    return STEP_ON;
}

/* The number of "*<n>\r\n" or "$<n>\r\n" when it is short, plain and all there: bytes of the
 * line. 0: look closer. */
static inline size_t quick_number(const char *at, const char *end, int64_t *out) {
    if (TR_UNLIKELY(end - at < 4)) return 0;
    unsigned digit = (unsigned)(unsigned char)at[1] - '0';
    if (TR_UNLIKELY(digit > 9)) return 0;
    if (TR_LIKELY(at[2] == '\r')) {
        *out = digit;
        return 4;
    }
    if (digit == 0) return 0;
    int64_t n = digit;
    for (const char *q = at + 2; end - q >= LINE_END && q <= at + 1 + QUICK_DIGITS; q++) {
        if (*q == '\r') {
            *out = n;
            return (size_t)(q - at) + LINE_END;
        }
        digit = (unsigned)(unsigned char)*q - '0';
        if (digit > 9) return 0;
        n = n * 10 + digit;
    }
    return 0;
}

/* Looks for the end of the line at pos: 1 and *len, the bytes before it; TR_EMORE; TR_ELIMIT. A
 * NUL hides the rest, as in Redis, until the line is too long. */
static int find_end(tr_parser *p, const tr_buf *buf, char end, size_t *len) {
    const char *line = place(p, buf);
    size_t avail = available(p, buf);
    size_t seen = avail < TR_INLINE_MAX + 1 ? avail : TR_INLINE_MAX + 1;
    tr_assert(p->scan <= seen);
    if (p->scan < seen && line[p->scan] != '\0') {
        const char *from = line + p->scan;
        const char *hit = memchr(from, end, seen - p->scan);
        size_t span = hit != NULL ? (size_t)(hit - from) : seen - p->scan;
        const char *nul = memchr(from, '\0', span);
        p->scan += nul != NULL ? (size_t)(nul - from) : span;
        if (hit != NULL && nul == NULL) {
            *len = p->scan;
            return 1;
        }
    }
    return avail > TR_INLINE_MAX ? TR_ELIMIT : TR_EMORE;
}

/* The count of arguments is known; its line is len bytes long. */
static int take_count(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits, int64_t n,
                      size_t len) {
    if (n > limits->multibulk_max || n > TR_MULTIBULK_MAX) {
        return fail_proto(p, "Protocol error: invalid multibulk length");
    }
    if (n > TR_UNAUTH_MULTIBULK_MAX && limits->unauthenticated) {
        return fail_proto(p, "Protocol error: unauthenticated multibulk length");
    }
    p->pos = len;
    p->scan = 0;
    if (n <= 0) return skip_request(p, buf);
    p->args_left = n;
    p->state = TR_PARSE_BULK_LEN;
    return STEP_ON;
}

static int step_start(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits) {
    if (tr_buf_unread(buf) == 0) return TR_EMORE;
    const char *at = buf->data + buf->rpos;
    tr_debug_assert(p->pos == 0 && p->big == NULL);
    p->base = at;
    p->argc = 0;
    p->args_left = 0;
    p->scan = 0;
    p->big_bytes = 0;
    if (*at != '*') {
        p->state = TR_PARSE_INLINE;
        return STEP_ON;
    }
    int64_t n;
    size_t len = quick_number(at, buf->data + buf->wpos, &n);
    if (TR_LIKELY(len != 0)) return take_count(p, buf, limits, n, len);
    p->state = TR_PARSE_MULTI;
    return STEP_ON;
}

static int step_multi(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits) {
    size_t len = 0;
    int rc = find_end(p, buf, '\r', &len);
    if (rc == TR_ELIMIT) return fail_proto(p, "Protocol error: too big mbulk count string");
    if (rc != 1 || available(p, buf) < len + LINE_END) return TR_EMORE;
    const char *line = place(p, buf);
    tr_assert(*line == '*' && len > 0);
    int64_t n;
    if (!tr_num_parse_int(line + 1, len - 1, &n)) {
        return fail_proto(p, "Protocol error: invalid multibulk length");
    }
    return take_count(p, buf, limits, n, len + LINE_END);
}

/* The line with the length of an argument, looked at closely. */
static int take_length(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits) {
    size_t len = 0;
    int rc = find_end(p, buf, '\r', &len);
    if (rc == TR_ELIMIT) return fail_proto(p, "Protocol error: too big bulk count string");
    if (rc != 1 || available(p, buf) < len + LINE_END) return TR_EMORE;
    const char *line = place(p, buf);
    if (*line != '$') {
        snprintf(p->error_text, sizeof(p->error_text), "Protocol error: expected '$', got '%c'",
                 *line == '\r' || *line == '\n' ? ' ' : *line);
        return fail_proto(p, p->error_text);
    }
    int64_t n;
    if (!tr_num_parse_int(line + 1, len - 1, &n) || n < 0 || n > limits->bulk_max) {
        return fail_proto(p, "Protocol error: invalid bulk length");
    }
    if (n > TR_UNAUTH_BULK_MAX && limits->unauthenticated) {
        return fail_proto(p, "Protocol error: unauthenticated bulk length");
    }
    p->pos += len + LINE_END;
    p->scan = 0;
    p->bulk_len = (size_t)n;
    p->state = TR_PARSE_BULK;
    return STEP_ON;
}

/* The hot loop: all arguments that are there as a whole, up to the slots there are. */
static int step_bulk_len(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits) {
    const char *at = place(p, buf);
    const char *end = buf->data + buf->wpos;
    int64_t bulk_max = limits->bulk_max;
    if (TR_UNLIKELY(limits->unauthenticated) && bulk_max > TR_UNAUTH_BULK_MAX) {
        bulk_max = TR_UNAUTH_BULK_MAX;
    }
    tr_arg *arg = p->argv + p->argc;
    int64_t slots = p->argv_cap - p->argc;
    int64_t wanted = p->args_left < slots ? p->args_left : slots;
    int64_t got = 0;
    while (got < wanted) {
        int64_t n;
        size_t len = quick_number(at, end, &n);
        if (TR_UNLIKELY(len == 0 || *at != '$' || n > bulk_max)) break;
        if (TR_UNLIKELY((end - at) - (int64_t)len < n + LINE_END)) break;
        at += len;
        arg->ptr = at;
        arg->len = (size_t)n;
        arg->blob = NULL;
        arg++;
        got++;
        at += n + LINE_END;
    }
    p->argc += (int)got;
    p->args_left -= got;
    if (got != 0) p->scan = 0;
    p->pos = (size_t)(at - (buf->data + buf->rpos));
    if (TR_LIKELY(p->args_left == 0)) return complete(p, buf);
    if (p->argc == p->argv_cap) return grow_argv(p);
    return take_length(p, buf, limits);
}

/* Puts the argument into its slot; on to the next one. */
static int add_arg(tr_parser *p, tr_buf *buf, const char *ptr, tr_blob *blob) {
    tr_assert(p->argc < p->argv_cap && p->args_left > 0);
    p->argv[p->argc++] = (tr_arg){.ptr = ptr, .len = p->bulk_len, .blob = blob};
    if (--p->args_left == 0) return complete(p, buf);
    p->state = TR_PARSE_BULK_LEN;
    return STEP_ON;
}

static int step_bulk(tr_parser *p, tr_buf *buf) {
    if (available(p, buf) >= p->bulk_len + LINE_END) {
        const char *ptr = place(p, buf);
        p->pos += p->bulk_len + LINE_END;
        return add_arg(p, buf, ptr, NULL);
    }
    if (p->bulk_len < TR_BIG_ARG) return TR_EMORE;
    size_t whole = p->bulk_len + LINE_END;
    if (whole > TR_ALLOC_MAX - sizeof(tr_blob)) return fail_nomem(p); /* no use to begin */
    p->big = tr_blob_new(p->mem, NULL, 0, whole < TR_BIG_FIRST ? whole : TR_BIG_FIRST);
    if (p->big == NULL) return fail_nomem(p);
    p->state = TR_PARSE_BIG;
    return STEP_ON;
}

/* Room for `need` bytes of the big argument, and for more where it has to grow. 0: no memory. */
static int make_room(tr_parser *p, size_t need) {
    if (need <= p->big->cap) return 1;
    size_t whole = p->bulk_len + LINE_END;
    size_t cap = p->big->cap * TR_BIG_GROWTH;
    if (cap < need) cap = need;
    tr_blob *grown = tr_blob_grow(p->mem, p->big, cap < whole ? cap : whole);
    if (grown == NULL) return 0;
    p->big = grown;
    return 1;
}

/* big->len counts what has come, CR LF included, until all is there. */
static int step_big(tr_parser *p, tr_buf *buf) {
    size_t avail = available(p, buf);
    size_t left = p->bulk_len + LINE_END - p->big->len;
    size_t n = avail < left ? avail : left;
    /* where more is to come, there is room for some of it */
    if (!make_room(p, p->big->len + n + (n < left))) return fail_nomem(p);
    tr_blob *big = p->big;
    memcpy(big->data + big->len, place(p, buf), n);
    big->len += n;
    if (n == avail) { /* taken out of the buffer: the next bytes may come here */
        buf->wpos -= n;
        p->big_bytes += n;
    } else {
        p->pos += n;
    }
    if (n < left) return TR_EMORE;
    big->len = p->bulk_len;
    p->big = NULL;
    p->dirty = 1;
    return add_arg(p, buf, big->data, big);
}

/* What C's isspace() takes in the C locale; not every one of them ends a word. */
static int is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape after the backslash at `at`: its byte into *out; returns the bytes of it, the
 * backslash included. */
static size_t take_escape(const char *at, const char *end, char *out) {
    if (end - at >= 4 && at[1] == 'x' && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
        *out = (char)(hex_digit(at[2]) * 16 + hex_digit(at[3]));
        return 4;
    }
    switch (at[1]) {
    case 'n': *out = '\n'; break;
    case 'r': *out = '\r'; break;
    case 't': *out = '\t'; break;
    case 'b': *out = '\b'; break;
    case 'a': *out = '\a'; break;
    default: *out = at[1]; break;
    }
    return 2;
}

/* The quoted part whose opening quote is at `at`: its bytes to *out, which moves. Returns the
 * place after the closing quote, or NULL: unbalanced. out never passes what was read, so both
 * may be in one text. */
static const char *take_quoted(const char *at, const char *end, char **out) {
    char quote = *at++;
    while (at < end) {
        if (*at == quote) return at + 1 == end || is_blank(at[1]) ? at + 1 : NULL;
        if (*at == '\\' && at + 1 < end && quote == '"') {
            at += take_escape(at, end, (*out)++);
            continue;
        }
        if (*at == '\\' && at + 1 < end && at[1] == '\'') at++;
        *(*out)++ = *at++;
    }
    return NULL;
}

/* Cuts text into argv; writes to it only from the first quote on. */
static int split_words(tr_parser *p, char *text, size_t len) {
    const char *at = text, *end = text + len;
    for (;;) {
        while (at < end && is_blank(*at)) at++;
        if (at == end) return STEP_ON;
        if (p->argc == p->argv_cap && grow_argv(p) != STEP_ON) return p->failure;
        char *word = text + (at - text), *out = word;
        for (int quoted = 0; !quoted && at < end; ) {
            char c = *at;
            if (c == ' ' || c == '\t' || c == '\r') break;
            if (c == '"' || c == '\'') {
                at = take_quoted(at, end, &out);
                if (at == NULL) {
                    return fail_proto(p, "Protocol error: unbalanced quotes in request");
                }
                quoted = 1; /* the closing quote ends the word */
            } else {
                at++;
                out++;
            }
        }
        p->argv[p->argc++] = (tr_arg){.ptr = word, .len = (size_t)(out - word)};
    }
}

static int step_inline(tr_parser *p, tr_buf *buf) {
    size_t len = 0;
    int rc = find_end(p, buf, '\n', &len);
    if (rc == TR_ELIMIT) return fail_proto(p, "Protocol error: too big inline request");
    if (rc != 1) return TR_EMORE;
    char *text = buf->data + buf->rpos;
    p->pos = len + 1;
    if (len > 0 && text[len - 1] == '\r') len--;
    if (memchr(text, '"', len) != NULL || memchr(text, '\'', len) != NULL) {
        p->inline_copy = tr_alloc(p->mem, len);
        if (p->inline_copy == NULL) return fail_nomem(p);
        p->dirty = 1;
        text = memcpy(p->inline_copy, text, len);
    }
    rc = split_words(p, text, len);
    if (rc != STEP_ON) return rc;
    return p->argc == 0 ? skip_request(p, buf) : complete(p, buf);
}

int tr_parser_next(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits) {
    if (p->state == TR_PARSE_START) {
        tr_parser_done(p);
    } else if (p->base != buf->data + buf->rpos) {
        tr_parser_rebase(p, p->base, buf->data + buf->rpos);
    }
    int rc = STEP_ON;
    while (rc == STEP_ON) {
        switch (p->state) {
        case TR_PARSE_START: rc = step_start(p, buf, limits); break;
        case TR_PARSE_MULTI: rc = step_multi(p, buf, limits); break;
        case TR_PARSE_BULK_LEN: rc = step_bulk_len(p, buf, limits); break;
        case TR_PARSE_BULK: rc = step_bulk(p, buf); break;
        case TR_PARSE_BIG: rc = step_big(p, buf); break;
        case TR_PARSE_INLINE: rc = step_inline(p, buf); break;
        case TR_PARSE_FAILED: rc = p->failure; break;
        }
    }
    return rc;
}

void tr_parser_init(tr_parser *p, tr_mem *mem) {
    *p = (tr_parser){.mem = mem, .argv_cap = TR_ARGV_INLINE};
    p->argv = p->inline_argv;
}

void tr_parser_release(tr_parser *p) {
    tr_blob_drop(p->mem, p->big);
    tr_parser_done_slow(p);
    if (p->argv != p->inline_argv) tr_free(p->mem, p->argv);
    tr_parser_init(p, p->mem);
}

void tr_parser_done_slow(tr_parser *p) {
    for (int i = 0; i < p->argc; i++) tr_blob_drop(p->mem, p->argv[i].blob);
    p->argc = 0;
    tr_free(p->mem, p->inline_copy);
    p->inline_copy = NULL;
    if (p->argv_cap > TR_ARGV_KEEP) {
        tr_free(p->mem, p->argv);
        p->argv = p->inline_argv;
        p->argv_cap = TR_ARGV_INLINE;
    }
    p->dirty = 0;
}

int tr_parser_want(tr_parser *p, char **at, size_t *len) {
    if (p->state != TR_PARSE_BIG) return 0;
    size_t left = p->bulk_len + LINE_END - p->big->len;
    size_t room = p->big->cap - p->big->len;
    if (left == 0 || room == 0) return 0;
    *at = p->big->data + p->big->len;
    *len = left < room ? left : room;
    return 1;
}

void tr_parser_fed(tr_parser *p, size_t n) {
    tr_assert(p->state == TR_PARSE_BIG);
    tr_assert(n <= p->bulk_len + LINE_END - p->big->len && n <= p->big->cap - p->big->len);
    p->big->len += n;
    p->big_bytes += n;
}

void tr_parser_rebase(tr_parser *p, const char *from, const char *to) {
    if (p->state == TR_PARSE_START || p->state == TR_PARSE_FAILED) return;
    tr_assert(from == p->base);
    for (int i = 0; i < p->argc; i++) {
        tr_arg *arg = &p->argv[i];
        if (arg->blob == NULL) arg->ptr = to + (arg->ptr - from);
    }
    p->base = to;
}

int tr_parser_idle(const tr_parser *p) {
    return p->state == TR_PARSE_START;
}

size_t tr_parser_memory(const tr_parser *p) {
    size_t bytes = 0;
    if (p->argv != p->inline_argv) bytes += tr_mem_size(p->argv);
    if (p->inline_copy != NULL) bytes += tr_mem_size(p->inline_copy);
    if (p->big != NULL) bytes += tr_mem_size(p->big);
    for (int i = 0; p->dirty && i < p->argc; i++) {
        if (p->argv[i].blob != NULL) bytes += tr_mem_size(p->argv[i].blob);
    }
    return bytes;
}

void tr_parser_check(const tr_parser *p, const tr_buf *buf) {
    tr_assert(p->argc <= p->argv_cap);
    tr_assert((p->argv == p->inline_argv) == (p->argv_cap == TR_ARGV_INLINE));
    tr_assert(p->argv_cap <= TR_ARGV_KEEP || p->dirty);
    tr_assert((p->big != NULL) == (p->state == TR_PARSE_BIG));
    tr_assert((p->error != NULL) == (p->state == TR_PARSE_FAILED));
    if (p->state == TR_PARSE_START) tr_assert(p->pos == 0);
    if (p->state == TR_PARSE_FAILED) return;
    tr_assert(p->pos <= tr_buf_unread(buf));
    if (p->big == NULL) return;
    tr_assert(p->big->len <= p->bulk_len + LINE_END && p->big->len <= p->big->cap);
}
