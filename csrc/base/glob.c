#include "base/glob.h"

static inline unsigned char fold(unsigned char c, int nocase) {
    return nocase && c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

/* Ranges go over signed bytes: 0x80-0xff come before 0x00, as in a Redis on x86. */
static inline int in_range(signed char from, signed char to, signed char c) {
    return from <= to ? c >= from && c <= to : c >= to && c <= from;
}

/* p is behind the '['. Returns where the pattern goes on: behind the ']', or at the end when there
 * is none. A range needs two more bytes and takes even ']' as its upper end, as in "[a-]". */
static const unsigned char *match_set(const unsigned char *p, const unsigned char *end,
                                      unsigned char c, int nocase, int *matches) {
    int negated = p < end && *p == '^';
    int found = 0;
    if (negated) p++;
    while (p < end && *p != ']') {
        if (*p == '\\' && end - p >= 2) {
            found |= p[1] == c;
            p += 2;
        } else if (end - p >= 3 && p[1] == '-') {
            found |= in_range((signed char)fold(p[0], nocase), (signed char)fold(p[2], nocase),
                              (signed char)fold(c, nocase));
            p += 3;
        } else {
            found |= fold(*p, nocase) == fold(c, nocase);
            p++;
        }
    }
    *matches = found != negated;
    return p < end ? p + 1 : end;
}

/* One element of the pattern, not a star, against one byte. Returns the next element, NULL: no
 * match. Long sets count as many steps. */
static const unsigned char *match_one(const unsigned char *p, const unsigned char *end,
                                      unsigned char c, int nocase, long *steps) {
    if (*p == '?') return p + 1;
    if (*p == '[') {
        int matches;
        const unsigned char *next = match_set(p + 1, end, c, nocase, &matches);
        *steps += next - p;
        return matches ? next : NULL;
    }
    if (*p == '\\' && end - p >= 2) p++;
    return fold(*p, nocase) == fold(c, nocase) ? p + 1 : NULL;
}

int tr_glob_match(const char *pattern, size_t pattern_len, const char *s, size_t len, int nocase) {
    const unsigned char *p = (const unsigned char *)pattern;
    const unsigned char *p_end = p + pattern_len;
    const unsigned char *at = (const unsigned char *)s;
    const unsigned char *end = at + len;
    const unsigned char *star = NULL; /* what follows the last star */
    const unsigned char *star_at = NULL; /* the text that it was last tried on */
    if (len == 0) return pattern_len == 0;
    for (long steps = 0; at < end; steps++) {
        if (steps >= TR_GLOB_STEPS_MAX) return 0;
        if (p < p_end && *p == '*') {
            while (p < p_end && *p == '*') p++;
            if (p == p_end) return 1;
            star = p;
            star_at = at;
            continue;
        }
        const unsigned char *next = p < p_end ? match_one(p, p_end, *at, nocase, &steps) : NULL;
        if (next != NULL) {
            p = next;
            at++;
        } else if (star != NULL) {
            p = star;
            at = ++star_at;
        } else {
            return 0;
        }
    }
    while (p < p_end && *p == '*') p++;
    return p == p_end;
}
