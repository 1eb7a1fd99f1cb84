#include "exec/monitor.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/num.h"
#include "exec/exec.h"
#include "exec/redact.h"

#define HEAD_MAX (64 + TR_CLIENT_ADDR_MAX) /* bytes before the first argument */
#define COPY_MAX 1024                      /* a stretch up to this is copied into the output instead of shared */
#define PIECES_FIRST 4

/* How a byte is written: 0 as it is, 1 as \xHH, else as a backslash and this letter. */
static const unsigned char escapes[256] = {
    [0 ... 6] = 1,    ['\a'] = 'a', ['\b'] = 'b',   ['\t'] = 't',    ['\n'] = 'n',   [11 ... 12] = 1,
    ['\r'] = 'r',     [14 ... 31] = 1, ['"'] = '"', ['\\'] = '\\',   [127 ... 255] = 1,
};

static tr_blob *last_piece(const tr_feed *f) {
    return f->piece_count ? f->pieces[f->piece_count - 1] : NULL;
}

int tr_monitor_add(tr_client *c) {
    tr_feed *f = &c->x->feed;
    tr_assert(c->monitor == NULL);
    tr_monitor *m = tr_alloc(c->x->mem, sizeof(*m));
    if (m == NULL) return TR_ENOMEM;
    const tr_blob *piece = last_piece(f);
    *m = (tr_monitor){.client = c, .prev = f->last};
    if (piece != NULL) m->piece = f->piece_count - 1, m->pos = piece->len;
    if (f->last) f->last->next = m;
    else f->first = m;
    f->last = m;
    f->count++;
    c->monitor = m;
    c->flags |= TR_CLIENT_MONITOR;
    tr_exec_look_at(c->x);
    return TR_OK;
}

void tr_monitor_drop(tr_client *c) {
    tr_feed *f = &c->x->feed;
    tr_monitor *m = c->monitor;
    if (m == NULL) return;
    if (m->prev) m->prev->next = m->next;
    else f->first = m->next;
    if (m->next) m->next->prev = m->prev;
    else f->last = m->prev;
    f->count--;
    tr_free(c->x->mem, m);
    c->monitor = NULL;
    c->flags &= ~(uint32_t)TR_CLIENT_MONITOR;
    if (f->count == 0) tr_monitor_release(c->x);
    tr_exec_look_at(c->x);
}

void tr_monitor_release(tr_exec *x) {
    tr_feed *f = &x->feed;
    tr_assert(f->count == 0);
    for (size_t i = 0; i < f->piece_count; i++) tr_blob_drop(x->mem, f->pieces[i]);
    tr_free(x->mem, f->pieces);
    *f = (tr_feed){0};
}

size_t tr_monitor_memory(const tr_exec *x) {
    const tr_feed *f = &x->feed;
    size_t bytes = f->pieces ? tr_mem_size(f->pieces) : 0;
    for (size_t i = 0; i < f->piece_count; i++) bytes += tr_mem_size(f->pieces[i]);
    return bytes;
}

/* Room for so many bytes at the end of the last piece, which may be a new one. NULL: no memory. */
static char *reserve(tr_exec *x, size_t need) {
    tr_feed *f = &x->feed;
    tr_blob *piece = last_piece(f);
    if (TR_LIKELY(piece != NULL && piece->cap - piece->len >= need)) return piece->data + piece->len;
    if (f->piece_count == f->piece_cap) {
        size_t cap = f->piece_cap ? f->piece_cap * 2 : PIECES_FIRST;
        tr_blob **pieces = tr_realloc(x->mem, f->pieces, cap * sizeof(*pieces));
        if (pieces == NULL) return NULL;
        f->pieces = pieces;
        f->piece_cap = cap;
    }
    piece = tr_blob_new(x->mem, NULL, 0, need > TR_FEED_PIECE ? need : TR_FEED_PIECE);
    if (piece == NULL) return NULL;
    f->pieces[f->piece_count++] = piece;
    return piece->data;
}

static size_t escaped_len(const tr_arg *arg) {
    size_t len = 0;
    for (size_t i = 0; i < arg->len; i++) {
        unsigned char how = escapes[(unsigned char)arg->ptr[i]];
        len += how == 0 ? 1 : how == 1 ? 4 : 2;
    }
    return len;
}

static char *write_escaped(char *to, const tr_arg *arg) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = (const unsigned char *)arg->ptr;
    for (size_t i = 0; i < arg->len; i++) {
        unsigned char how = escapes[p[i]];
        if (TR_LIKELY(how == 0)) {
            *to++ = (char)p[i];
            continue;
        }
        *to++ = '\\';
        if (how != 1) {
            *to++ = (char)how;
            continue;
        }
        *to++ = 'x';
        *to++ = digits[p[i] >> 4];
        *to++ = digits[p[i] & 15];
    }
    return to;
}

static char *write_text(char *to, const char *text, size_t len) {
    memcpy(to, text, len);
    return to + len;
}

/* "+seconds.micros [db address]" */
static char *write_head(char *to, tr_client *c, int64_t us) {
    size_t len;
    const char *addr = tr_client_addr(c, &len);
    *to++ = '+';
    to += tr_num_format_int(to, us / 1000000);
    *to++ = '.';
    int64_t micros = us % 1000000;
    for (int i = 5; i >= 0; i--, micros /= 10) to[i] = (char)('0' + micros % 10);
    to = write_text(to + 6, " [", 2);
    to += tr_num_format_int(to, c->db->id);
    *to++ = ' ';
    if (c->flags & TR_CLIENT_UNIX) {
        to = write_text(to, "unix:", 5);
        if (len >= 2 && memcmp(addr + len - 2, ":0", 2) == 0) len -= 2; /* the path alone */
    }
    to = write_text(to, addr, len);
    *to++ = ']';
    return to;
}

static size_t line_len_max(tr_client *c, const tr_command *cmd) {
    size_t len = HEAD_MAX + 2;
    for (int i = 0; i < c->argc; i++) len += 4 * c->argv[i].len + 3 + sizeof(TR_REDACTED);
    if (TR_LIKELY(len <= TR_FEED_PIECE)) return len;
    tr_redactor r; /* for a long line it is worth the trouble to know better */
    tr_redact_begin(&r, cmd, c->argv);
    len = HEAD_MAX + 2;
    for (int i = 0; i < c->argc; i++) {
        int secret = i > 0 && tr_redact_ask(&r, i);
        len += 3 + (secret ? sizeof(TR_REDACTED) : escaped_len(&c->argv[i]));
    }
    return len;
}

static char *write_args(char *to, tr_client *c, const tr_command *cmd) {
    static const tr_arg redacted = {.ptr = TR_REDACTED, .len = sizeof(TR_REDACTED) - 1};
    tr_redactor r;
    tr_redact_begin(&r, cmd, c->argv);
    for (int i = 0; i < c->argc; i++) {
        int secret = i > 0 && tr_redact_ask(&r, i);
        *to++ = ' ';
        *to++ = '"';
        to = write_escaped(to, secret ? &redacted : &c->argv[i]);
        *to++ = '"';
    }
    return write_text(to, "\r\n", 2);
}

void tr_monitor_show(tr_client *c, const tr_command *cmd) {
    tr_exec *x = c->x;
    tr_feed *f = &x->feed;
    if (f->count == 0) return;
    f->waiting = 1;
    size_t need = line_len_max(c, cmd);
    char *line = reserve(x, need);
    if (TR_UNLIKELY(line == NULL)) {
        f->failed = 1;
        return;
    }
    char *end = write_args(write_head(line, c, tr_exec_clock_us(x)), c, cmd);
    tr_assert((size_t)(end - line) <= need);
    tr_blob *piece = last_piece(f);
    piece->len += (size_t)(end - line);
    if (TR_UNLIKELY(c->monitor != NULL && c->flags & TR_CLIENT_REPLY_SKIP)) {
        /* The line about the command whose reply is skipped goes with it. */
        c->monitor->piece = f->piece_count - 1;
        c->monitor->pos = piece->len;
    }
}

static int is_deaf(const tr_client *c) {
    return (c->flags & (TR_CLIENT_REPLY_OFF | TR_CLIENT_CLOSE_AFTER_REPLY | TR_CLIENT_CLOSE_NOW)) != 0;
}

void tr_monitor_catch_up(tr_client *c) {
    tr_feed *f = &c->x->feed;
    tr_monitor *m = c->monitor;
    if (f->failed) tr_outq_fail(&c->out);
    for (; m->piece < f->piece_count; m->piece++, m->pos = 0) {
        tr_blob *piece = f->pieces[m->piece];
        size_t len = piece->len - m->pos;
        if (len == 0 || is_deaf(c)) {
            m->pos = piece->len;
        } else if (len <= COPY_MAX) {
            tr_outq_append(&c->out, piece->data + m->pos, len);
        } else {
            tr_outq_append_blob(&c->out, piece, m->pos, len);
        }
        m->pos = piece->len;
        if (m->piece + 1 == f->piece_count) return;
    }
}

/* Everybody has got everything: what is not shared may be filled anew, the rest goes. */
static void tidy(tr_exec *x) {
    tr_feed *f = &x->feed;
    for (size_t i = 0; i + 1 < f->piece_count; i++) tr_blob_drop(x->mem, f->pieces[i]);
    tr_blob *piece = last_piece(f);
    f->piece_count = 0;
    if (piece != NULL && piece->cap > TR_FEED_PIECE * 2) {
        tr_blob_drop(x->mem, piece);
        piece = NULL;
    }
    if (piece != NULL) {
        if (piece->refs == 1) piece->len = 0;
        f->pieces[f->piece_count++] = piece;
    }
    for (tr_monitor *m = f->first; m != NULL; m = m->next) {
        m->piece = 0;
        m->pos = piece ? piece->len : 0;
    }
}

void tr_monitor_hand_out(tr_exec *x) {
    tr_feed *f = &x->feed;
    f->waiting = 0;
    for (tr_monitor *m = f->first; m != NULL; m = m->next) {
        uint64_t before = m->client->out.bytes;
        tr_monitor_catch_up(m->client);
        if (x->hooks.pushed == NULL) continue;
        if (m->client->out.bytes != before || m->client->out.failed) x->hooks.pushed(x->hooks.ctx, m->client);
    }
    f->failed = 0;
    tidy(x);
}
