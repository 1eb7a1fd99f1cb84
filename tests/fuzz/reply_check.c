#include "reply_check.h"

#include <string.h>

#define DEPTH_MAX 8      /* no reply of ours nests deeper */
#define DIGITS_MAX 19
#define NUMBER_MAX 512   /* characters of a number */

typedef struct reader {
    const char *p;
    const char *end;
    unsigned allowed;
    const char *wrong;
} reader;

typedef struct line {
    const char *at;
    size_t len;
} line;

static int fail(reader *r, const char *wrong) {
    if (r->wrong == NULL) r->wrong = wrong;
    return 0;
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* What stands before the next CR LF. */
static int take_line(reader *r, line *out) {
    const char *at = r->p;
    while (r->p < r->end && *r->p != '\r' && *r->p != '\n') r->p++;
    if (r->end - r->p < 2) return fail(r, "a line without an end");
    if (r->p[0] != '\r' || r->p[1] != '\n') return fail(r, "a lone CR or LF in a line");
    *out = (line){.at = at, .len = (size_t)(r->p - at)};
    r->p += 2;
    return 1;
}

/* The digits as Redis writes them: no plus, no leading zero, no minus zero. */
static int integer(const char *p, size_t len) {
    size_t minus = len > 0 && p[0] == '-';
    if (len == minus || len - minus > DIGITS_MAX) return 0;
    if (p[minus] == '0' && (len > 1)) return 0;
    for (size_t i = minus; i < len; i++) {
        if (!is_digit(p[i])) return 0;
    }
    return 1;
}

/* A length or count; -1 where RESP2 has it as null. */
static int take_count(reader *r, int may_be_null, long long *out) {
    line l;
    if (!take_line(r, &l)) return 0;
    if (l.len == 2 && memcmp(l.at, "-1", 2) == 0) {
        if (!may_be_null || !(r->allowed & RC_RESP2)) return fail(r, "a null of RESP2");
        *out = -1;
        return 1;
    }
    if (!integer(l.at, l.len) || l.at[0] == '-' || l.len > 12) return fail(r, "a bad length");
    *out = 0;
    for (size_t i = 0; i < l.len; i++) *out = *out * 10 + (l.at[i] - '0');
    return 1;
}

static int take_bulk(reader *r, int may_be_null, line *out) {
    long long len;
    *out = (line){0};
    if (!take_count(r, may_be_null, &len)) return 0;
    if (len < 0) return 1;
    if (r->end - r->p < 2 || len > r->end - r->p - 2) return fail(r, "a bulk that is cut off");
    *out = (line){.at = r->p, .len = (size_t)len};
    r->p += len;
    if (r->p[0] != '\r' || r->p[1] != '\n') return fail(r, "a bulk without an end");
    r->p += 2;
    return 1;
}

static int take_integer(reader *r) {
    line l;
    if (!take_line(r, &l)) return 0;
    return integer(l.at, l.len) ? 1 : fail(r, "a bad integer");
}

static int take_double(reader *r) {
    line l;
    if (!take_line(r, &l)) return 0;
    static const char *const words[] = {"inf", "-inf", "nan"};
    for (size_t i = 0; i < 3; i++) {
        if (l.len == strlen(words[i]) && memcmp(l.at, words[i], l.len) == 0) return 1;
    }
    if (l.len == 0 || l.len > NUMBER_MAX) return fail(r, "a bad double");
    for (size_t i = 0; i < l.len; i++) {
        if (!is_digit(l.at[i]) && strchr("+-.eE", l.at[i]) == NULL) return fail(r, "a bad double");
    }
    return is_digit(l.at[l.len - 1]) ? 1 : fail(r, "a bad double");
}

static int take_bignum(reader *r) {
    line l;
    if (!take_line(r, &l)) return 0;
    size_t minus = l.len > 0 && l.at[0] == '-';
    if (l.len == minus) return fail(r, "a bad big number");
    for (size_t i = minus; i < l.len; i++) {
        if (!is_digit(l.at[i])) return fail(r, "a bad big number");
    }
    return 1;
}

static int take_bool(reader *r) {
    line l;
    if (!take_line(r, &l)) return 0;
    return l.len == 1 && (l.at[0] == 't' || l.at[0] == 'f') ? 1 : fail(r, "a bad boolean");
}

static int take_null(reader *r) {
    line l;
    if (!take_line(r, &l)) return 0;
    return l.len == 0 ? 1 : fail(r, "a null with something in it");
}

static int take_verbatim(reader *r) {
    line l;
    if (!take_bulk(r, 0, &l)) return 0;
    return l.len >= 4 && l.at[3] == ':' ? 1 : fail(r, "a verbatim string without its kind");
}

static int take_value(reader *r, int depth);

static int take_values(reader *r, int depth, long long each, int may_be_null) {
    long long count;
    if (!take_count(r, may_be_null, &count)) return 0;
    for (long long i = 0; i < count * each; i++) {
        if (!take_value(r, depth + 1)) return 0;
    }
    return 1;
}

static int take_value(reader *r, int depth) {
    line ignored;
    if (depth > DEPTH_MAX) return fail(r, "nested too deeply");
    if (r->p >= r->end) return fail(r, "a reply that is cut off");
    char type = *r->p++;
    if (strchr(",#_(=!%~>|", type) != NULL && type != '\0' && !(r->allowed & RC_RESP3)) {
        return fail(r, "a type of RESP3");
    }
    switch (type) {
    case '+':
    case '-': return take_line(r, &ignored);
    case ':': return take_integer(r);
    case '$': return take_bulk(r, 1, &ignored);
    case '!': return take_bulk(r, 0, &ignored);
    case '*': return take_values(r, depth, 1, 1);
    case '~':
    case '>': return take_values(r, depth, 1, 0);
    case '%': return take_values(r, depth, 2, 0);
    case '|': return take_values(r, depth, 2, 0) && take_value(r, depth); /* it belongs to one */
    case ',': return take_double(r);
    case '#': return take_bool(r);
    case '_': return take_null(r);
    case '(': return take_bignum(r);
    case '=': return take_verbatim(r);
    default: return fail(r, "no type of a reply");
    }
}

const char *rc_check(const char *p, size_t len, unsigned allowed, rc_counts *counts, size_t *at) {
    reader r = {.p = p, .end = p + len, .allowed = allowed};
    *counts = (rc_counts){0};
    while (r.p < r.end) {
        int push = *r.p == '>';
        if (!take_value(&r, 0)) {
            *at = (size_t)(r.p - p);
            return r.wrong;
        }
        if (push) counts->pushes++;
        else counts->replies++;
    }
    return NULL;
}
