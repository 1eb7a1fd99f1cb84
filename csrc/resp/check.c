#include "resp/check.h"

#include <stdint.h>
#include <string.h>

#define COUNT_DIGITS_MAX 10
#define VALUE_BYTES_MIN 3 /* _ CR LF */

typedef struct scan {
    const char *p;
    const char *end;
} scan;

/* The text of a line after its type byte; moves behind CR LF. NULL: not a line. */
static const char *take_line(scan *s, size_t *len) {
    const char *cr = memchr(s->p, '\r', (size_t)(s->end - s->p));
    if (cr == NULL || s->end - cr < 2 || cr[1] != '\n') return NULL;
    const char *text = s->p;
    *len = (size_t)(cr - text);
    if (memchr(text, '\n', *len) != NULL) return NULL;
    s->p = cr + 2;
    return text;
}

/* A count or length: digits only. 1 or 0. */
static int take_count(scan *s, uint64_t *out) {
    size_t len;
    const char *text = take_line(s, &len);
    if (text == NULL || len == 0 || len > COUNT_DIGITS_MAX) return 0;
    *out = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return 0;
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    }
    return 1;
}

static int take_integer(scan *s) {
    size_t len;
    const char *text = take_line(s, &len);
    if (text == NULL) return 0;
    size_t i = len != 0 && (text[0] == '-' || text[0] == '+');
    if (i == len) return 0;
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return 0;
    }
    return 1;
}

static int take_bulk(scan *s) {
    uint64_t n;
    if (!take_count(s, &n) || (uint64_t)(s->end - s->p) < n + 2) return 0;
    s->p += n;
    if (s->p[0] != '\r' || s->p[1] != '\n') return 0;
    s->p += 2;
    return 1;
}

/* "$-1" and "*-1": nothing. 1: it was there. */
static int take_null(scan *s) {
    if (s->end - s->p < 4 || memcmp(s->p, "-1\r\n", 4) != 0) return 0;
    s->p += 4;
    return 1;
}

/* One value without its elements: *more of them follow. 1 or 0. */
static int take_value(scan *s, int proto, uint64_t *more) {
    size_t len;
    const char *text;
    char type = *s->p++;
    *more = 0;
    switch (type) {
        case '+':
        case '-': return take_line(s, &len) != NULL;
        case ':': return take_integer(s);
        case '$': return take_null(s) || take_bulk(s);
        case '*': return take_null(s) || take_count(s, more);
        default: break;
    }
    if (proto < 3) return 0;
    switch (type) {
        case '_': return (text = take_line(s, &len)) != NULL && len == 0;
        case '#': return (text = take_line(s, &len)) != NULL && len == 1 && (*text == 't' || *text == 'f');
        case ',': return (text = take_line(s, &len)) != NULL && len != 0;
        case '(': return take_line(s, &len) != NULL;
        case '!':
        case '=': return take_bulk(s);
        case '~':
        case '>': return take_count(s, more);
        case '%': *more = 0; return take_count(s, more) && ((*more *= 2), 1);
        case '|': return take_count(s, more) && ((*more = *more * 2 + 1), 1); /* and the value that it is about */
        default: return 0;
    }
}

size_t tr_resp_check(const char *p, size_t len, int proto) {
    scan s = {p, p + len};
    uint64_t missing = 1; /* values that still have to come, at whatever depth */
    do {
        uint64_t more;
        if (s.p == s.end || !take_value(&s, proto, &more)) return 0;
        missing += more - 1;
        if (missing > (size_t)(s.end - s.p) / VALUE_BYTES_MIN) return 0;
    } while (missing != 0);
    return (size_t)(s.p - p);
}

int tr_resp_check_answer(const char *p, size_t len, int proto) {
    int replies = 0;
    for (size_t at = 0; at < len;) {
        size_t one = tr_resp_check(p + at, len - at, proto);
        if (one == 0) return 0;
        replies += p[at] != '>';
        at += one;
    }
    return replies <= 1;
}
