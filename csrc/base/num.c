#include "base/num.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/digits.h"

#define UINT_DIGITS_MAX 20

/* ---- integers ---- */

int tr_num_parse_uint(const char *p, size_t n, uint64_t *out) {
    if (n == 0 || n > UINT_DIGITS_MAX) return 0;
    if (p[0] == '0' && n > 1) return 0;
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned)(unsigned char)p[i] - '0';
        if (digit > 9) return 0;
        if (i == UINT_DIGITS_MAX - 1 &&
            (v > UINT64_MAX / 10 || (v == UINT64_MAX / 10 && digit > UINT64_MAX % 10))) {
            return 0;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return 1;
}

int tr_num_parse_int(const char *p, size_t n, int64_t *out) {
    uint64_t v;
    if (n > 0 && p[0] == '-') {
        if (!tr_num_parse_uint(p + 1, n - 1, &v) || v == 0 || v > (uint64_t)INT64_MAX + 1) return 0;
        *out = (int64_t)(0 - v);
        return 1;
    }
    if (!tr_num_parse_uint(p, n, &v) || v > INT64_MAX) return 0;
    *out = (int64_t)v;
    return 1;
}

size_t tr_num_format_uint(char *out, uint64_t v) {
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char text[UINT_DIGITS_MAX];
    char *at = text + sizeof(text);
    for (; v >= 100; v /= 100) {
        at -= 2;
        memcpy(at, pairs + v % 100 * 2, 2);
    }
    if (v >= 10) {
        at -= 2;
        memcpy(at, pairs + v * 2, 2);
    } else {
        *--at = (char)('0' + v);
    }
    size_t n = (size_t)(text + sizeof(text) - at);
    memcpy(out, at, n);
    return n;
}

size_t tr_num_format_int(char *out, int64_t v) {
    if (v >= 0) return tr_num_format_uint(out, (uint64_t)v);
    out[0] = '-';
    return 1 + tr_num_format_uint(out + 1, 0 - (uint64_t)v);
}

/* ---- floats from text ---- */

/* The C locale as an object: the libraries hand out a constant, nothing is allocated. */
static locale_t c_locale(void) {
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    tr_assert(locale != (locale_t)0);
    return locale;
}

static int is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* At most 15 digits and a power of ten up to 10^22 are exact as doubles, so that one division gives
 * the right rounding. Takes [-]digits[.digits], which is what scores look like; 0 means: not that
 * simple. */
static int parse_simple_double(const char *p, size_t n, double *out) {
    static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    int negative = n > 0 && p[0] == '-';
    size_t start = (size_t)negative;
    size_t digits = 0;
    size_t point = n;
    uint64_t v = 0;
    if (n == start || n - start > 16) return 0;
    for (size_t i = start; i < n; i++) {
        unsigned digit = (unsigned)(unsigned char)p[i] - '0';
        if (digit <= 9) {
            v = v * 10 + digit;
            digits++;
        } else if (p[i] == '.' && point == n) {
            point = i;
        } else {
            return 0;
        }
    }
    if (digits == 0 || digits > 15) return 0;
    double d = (double)v;
    if (point != n) d /= power[n - point - 1];
    *out = negative ? -d : d;
    return 1;
}

static int parse_double_text(const char *text, size_t n, double *out) {
    locale_t locale = c_locale();
    char *end;
    errno = 0;
    double d = strtod_l(text, &end, locale);
    int range = errno == ERANGE && (isinf(d) || d == 0);
    freelocale(locale);
    if (end != text + n || range || isnan(d)) return 0;
    *out = d;
    return 1;
}

int tr_num_parse_double(const char *p, size_t n, double *out) {
    char text[TR_LDOUBLE_TEXT];
    if (parse_simple_double(p, n, out)) return 1;
    if (n == 0 || n >= sizeof(text) || is_space(p[0])) return 0;
    memcpy(text, p, n);
    text[n] = '\0';
    return parse_double_text(text, n, out);
}

int tr_num_parse_ldouble(const char *p, size_t n, long double *out) {
    char text[TR_LDOUBLE_TEXT];
    if (n == 0 || n >= sizeof(text) || is_space(p[0])) return 0;
    memcpy(text, p, n);
    text[n] = '\0';
    locale_t locale = c_locale();
    char *end;
    errno = 0;
    long double v = strtold_l(text, &end, locale);
    int range = errno == ERANGE && (isinf(v) || v == 0);
    freelocale(locale);
    if (end != text + n || range || isnan(v)) return 0;
    *out = v;
    return 1;
}

/* ---- floats as text ---- */

static size_t put_text(char *out, const char *text) {
    size_t n = strlen(text);
    memcpy(out, text, n);
    return n;
}

/* Digits with zeros behind them. */
static size_t put_whole(char *out, const char *digits, int n, int zeros) {
    memcpy(out, digits, (size_t)n);
    memset(out + n, '0', (size_t)zeros);
    return (size_t)(n + zeros);
}

/* Digits with a point among or before them; whole is how many are in front of it, <= 0: none. */
static size_t put_fraction(char *out, const char *digits, int n, int whole) {
    size_t at = 0;
    if (whole <= 0) {
        at = put_text(out, "0.");
        memset(out + at, '0', (size_t)-whole);
        at += (size_t)-whole;
        whole = 0;
    } else {
        memcpy(out, digits, (size_t)whole);
        at = (size_t)whole;
        out[at++] = '.';
    }
    memcpy(out + at, digits + whole, (size_t)(n - whole));
    return at + (size_t)(n - whole);
}

static size_t put_exponent(char *out, const char *digits, int n, int exp10) {
    size_t at = 0;
    out[at++] = digits[0];
    if (n > 1) {
        out[at++] = '.';
        memcpy(out + at, digits + 1, (size_t)(n - 1));
        at += (size_t)(n - 1);
    }
    out[at++] = 'e';
    out[at++] = exp10 < 0 ? '-' : '+';
    return at + tr_num_format_uint(out + at, (uint64_t)abs(exp10));
}

/* Which of the three forms is chosen is Redis' rule, not ours: whole numbers get up to seven
 * zeros added, fractions stay without exponent when they are short behind the point or have few
 * digits before or zeros behind it. */
static size_t format_digits(char *out, double d) {
    char digits[TR_DIGITS_MAX];
    int exp10;
    int n = tr_digits(digits, &exp10, d);
    int scientific = exp10 + n - 1; /* the exponent with one digit before the point */
    if (exp10 >= 0 && abs(scientific) < n + 7) return put_whole(out, digits, n, exp10);
    if (exp10 < 0 && (exp10 > -7 || abs(scientific) < 4)) {
        return put_fraction(out, digits, n, n + exp10);
    }
    return put_exponent(out, digits, n, scientific);
}

size_t tr_num_format_double(char *out, double d) {
    if (isnan(d)) return put_text(out, "nan");
    if (isinf(d)) return put_text(out, d < 0 ? "-inf" : "inf");
    if (d == 0) return put_text(out, signbit(d) ? "-0" : "0");
    if (fabs(d) <= (double)(INT64_MAX / 2) && d == (double)(int64_t)d) {
        return tr_num_format_int(out, (int64_t)d);
    }
    if (d > 0) return format_digits(out, d);
    out[0] = '-';
    return 1 + format_digits(out + 1, -d);
}

/* printf of one number in the C locale, whatever the process has set for itself. */
static size_t print_plain(char *out, size_t cap, const char *format, long double v) {
    locale_t locale = c_locale();
    locale_t before = uselocale(locale);
    int printed = snprintf(out, cap, format, v);
    uselocale(before);
    freelocale(locale);
    tr_assert(printed > 0 && (size_t)printed < cap);
    return (size_t)printed;
}

size_t tr_num_format_double_17g(char *out, double d) {
    if (isnan(d)) return put_text(out, "nan");
    return print_plain(out, TR_DOUBLE_TEXT, "%.17Lg", d);
}

size_t tr_num_format_ldouble(char *out, size_t cap, long double v) {
    char text[TR_LDOUBLE_TEXT];
    if (isnan(v) || isinf(v)) {
        const char *name = isnan(v) ? "nan" : v < 0 ? "-inf" : "inf";
        return strlen(name) <= cap ? put_text(out, name) : 0;
    }
    size_t n = print_plain(text, sizeof(text), "%.17Lf", v);
    while (text[n - 1] == '0') n--;
    if (text[n - 1] == '.') n--;
    const char *from = text;
    if (n == 2 && text[0] == '-' && text[1] == '0') from = text + --n;
    if (n > cap) return 0;
    memcpy(out, from, n);
    return n;
}
