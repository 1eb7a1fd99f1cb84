#include "sandbox/host/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "sandbox/host/call_reply.h"

#define HEADER_MAX (1 + TR_INT_TEXT + 2) /* a kind, a number, the end of the line */
#define CODE_MAX 31                      /* where Redis stops looking for the end of an error's code */
#define OPEN_FIRST 8
#define FORMAT_LETTERS 3
#define REPLY_BYTES_MAX 537000000 /* what the messages take */

/* Writes kind, number, line end; how many bytes that are. to holds HEADER_MAX. */
static size_t put_header(char *to, char kind, uint64_t number) {
    to[0] = kind;
    size_t len = 1 + tr_num_format_uint(to + 1, number);
    to[len++] = '\r';
    to[len++] = '\n';
    return len;
}

/* kind, text, line end. Line ends in the text, which would end it too early, become spaces. */
static void add_line(tr_reply *reply, char kind, const char *text, size_t len) {
    char *to = tr_bytes_room(&reply->out, len + 3);
    *to++ = kind;
    for (size_t i = 0; i < len; i++) to[i] = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
    to[len] = '\r';
    to[len + 1] = '\n';
    reply->out.len += len + 3;
}

static void add_text(tr_reply *reply, const char *text) {
    tr_bytes_add(&reply->out, text, strlen(text));
}

void tr_reply_init(tr_reply *reply, uint8_t resp) {
    *reply = (tr_reply){.resp = resp};
}

void tr_reply_drop(tr_reply *reply) {
    tr_bytes_drop(&reply->out);
    tr_bytes_drop(&reply->codes);
    free(reply->open);
    *reply = (tr_reply){.resp = reply->resp};
}

/* ------------------------------------------------------------------ groups */

/* What a group is in the reply's version. */
static char group_kind(const tr_reply *reply, tr_group group, uint64_t *count) {
    if (reply->resp >= 3) return (char)group;
    if (group == TR_GROUP_ATTRIBUTE || group == TR_GROUP_PUSH) {
        tr_host_die(TR_DIE_HOST, "RESP2 has neither attributes nor pushes");
    }
    if (group == TR_GROUP_MAP) *count *= 2;
    return '*';
}

void tr_reply_add_group(tr_reply *reply, tr_group group, uint64_t count) {
    char kind = group_kind(reply, group, &count);
    reply->out.len += put_header(tr_bytes_room(&reply->out, HEADER_MAX), kind, count);
}

void tr_reply_postpone(tr_reply *reply) {
    if (reply->open_count == reply->open_cap) {
        reply->open_cap = reply->open_cap == 0 ? OPEN_FIRST : reply->open_cap * 2;
        reply->open = tr_need_more(reply->open, reply->open_cap * sizeof *reply->open);
    }
    reply->open[reply->open_count++] = reply->out.len;
}

int tr_reply_set_length(tr_reply *reply, tr_group group, uint64_t count) {
    if (reply->open_count == 0) return 0;
    size_t at = reply->open[--reply->open_count];
    char header[HEADER_MAX];
    char kind = group_kind(reply, group, &count);
    size_t len = put_header(header, kind, count);
    tr_bytes_room(&reply->out, len);
    char *to = reply->out.p + at;
    memmove(to + len, to, reply->out.len - at);
    memcpy(to, header, len);
    reply->out.len += len;
    return 1;
}

/* How many elements there are from an offset on; one that is cut short counts. */
static uint64_t count_elements(const tr_reply *reply, size_t at) {
    uint64_t count = 0;
    while (at < reply->out.len) {
        count++;
        size_t len = tr_call_reply_scan(reply->out.p + at, reply->out.len - at);
        if (len == 0) break;
        at += len;
    }
    return count;
}

/* ------------------------------------------------------------------ errors */

void tr_reply_count_error(tr_reply *reply, const char *text, size_t len) {
    reply->failed = true;
    if (reply->code_count == TR_REPLY_CODES_MAX) return;
    const char *end = memchr(text, ' ', len < CODE_MAX ? len : CODE_MAX);
    if (end == NULL) {
        tr_bytes_add(&reply->codes, "ERR", 4);
    } else {
        tr_bytes_add(&reply->codes, text, (size_t)(end - text));
        tr_bytes_add(&reply->codes, "", 1);
    }
    reply->code_count++;
}

void tr_reply_add_error(tr_reply *reply, const char *text, size_t len) {
    while (len != 0 && (text[len - 1] == '\r' || text[len - 1] == '\n')) len--;
    size_t at = reply->out.len + 1;
    add_line(reply, '-', text, len);
    tr_reply_count_error(reply, reply->out.p + at, len);
}

/* ------------------------------------------------------------------ single values */

void tr_reply_add_raw(tr_reply *reply, const void *p, size_t len) {
    tr_bytes_add(&reply->out, p, len);
}

void tr_reply_add_integer(tr_reply *reply, int64_t value) {
    char text[TR_INT_TEXT];
    add_line(reply, ':', text, tr_num_format_int(text, value));
}

void tr_reply_add_simple(tr_reply *reply, const char *text) {
    add_line(reply, '+', text, strlen(text));
}

void tr_reply_add_bulk(tr_reply *reply, const void *p, size_t len) {
    char *to = tr_bytes_room(&reply->out, HEADER_MAX + len + 2);
    size_t head = put_header(to, '$', len);
    to += head;
    if (len != 0) memcpy(to, p, len);
    to[len] = '\r';
    to[len + 1] = '\n';
    reply->out.len += head + len + 2;
}

void tr_reply_add_verbatim(tr_reply *reply, const char *p, size_t len, const char *format) {
    if (reply->resp < 3) {
        tr_reply_add_bulk(reply, p, len);
        return;
    }
    char *to = tr_bytes_room(&reply->out, HEADER_MAX + FORMAT_LETTERS + 1 + len + 2);
    size_t head = put_header(to, '=', len + FORMAT_LETTERS + 1);
    for (int i = 0; i < FORMAT_LETTERS; i++) to[head++] = *format == '\0' ? ' ' : *format++;
    to[head++] = ':';
    to += head;
    if (len != 0) memcpy(to, p, len);
    to[len] = '\r';
    to[len + 1] = '\n';
    reply->out.len += head + len + 2;
}

void tr_reply_add_null(tr_reply *reply) {
    add_text(reply, reply->resp < 3 ? "$-1\r\n" : "_\r\n");
}

void tr_reply_add_null_array(tr_reply *reply) {
    add_text(reply, reply->resp < 3 ? "*-1\r\n" : "_\r\n");
}

void tr_reply_add_bool(tr_reply *reply, bool value) {
    if (reply->resp < 3) add_text(reply, value ? ":1\r\n" : ":0\r\n");
    else add_text(reply, value ? "#t\r\n" : "#f\r\n");
}

/* Text of a number: of a type of its own, or a bulk string. */
static void add_number(tr_reply *reply, char kind, const char *text, size_t len) {
    if (reply->resp < 3) tr_reply_add_bulk(reply, text, len);
    else add_line(reply, kind, text, len);
}

void tr_reply_add_double(tr_reply *reply, double value) {
    char text[TR_DOUBLE_TEXT];
    add_number(reply, ',', text, tr_num_format_double(text, value));
}

void tr_reply_add_long_double(tr_reply *reply, long double value) {
    char text[TR_LDOUBLE_TEXT];
    add_number(reply, ',', text, tr_num_format_ldouble(text, sizeof text, value));
}

void tr_reply_add_big_number(tr_reply *reply, const char *p, size_t len) {
    add_number(reply, '(', p, len);
}

/* ------------------------------------------------------------------ the end */

/* What a command may be answered with: nothing, or one whole reply, and pushes around it. */
static bool is_answer(const tr_reply *reply) {
    int values = 0;
    for (size_t at = 0; at < reply->out.len;) {
        const char *p = reply->out.p + at;
        size_t len = tr_call_reply_scan(p, reply->out.len - at);
        if (len == 0) return false;
        values += *p != TR_GROUP_PUSH;
        at += len;
    }
    return values <= 1;
}

/* An error takes the place of all that was written. */
static void replace(tr_reply *reply, const char *complaint, const char *error) {
    tr_host_log(3, 1, complaint, strlen(complaint));
    reply->out.len = 0;
    tr_reply_add_error(reply, error, strlen(error));
}

static void close_open(tr_reply *reply) {
    if (reply->open_count == 0) return;
    static const char complaint[] = "a reply was left with postponed lengths that nobody set";
    tr_host_log(3, 1, complaint, sizeof complaint - 1);
    while (reply->open_count != 0) {
        size_t at = reply->open[reply->open_count - 1];
        tr_reply_set_length(reply, TR_GROUP_ARRAY, count_elements(reply, at));
    }
}

void tr_reply_finish(tr_reply *reply) {
    close_open(reply);
    if (reply->out.len > REPLY_BYTES_MAX) {
        replace(reply, "a reply was too large and became an error", "ERR the module's reply is too large");
    } else if (!is_answer(reply)) {
        replace(reply, "a command was not answered with one whole reply: it became an error",
                "ERR the module's reply is not one whole value");
    }
}
