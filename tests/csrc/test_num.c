/* Aim: numbers are read and written as Redis does, with any neighbours in memory and any locale.
 * Method: tables of facts (from a stock server, and for the shortest form of doubles from recorded
 * replies of a newer one), round trips of random values, the slow printf forms as truth where there
 * is one. */
#include "base/num.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/digits.h"
#include "base/rng.h"
#include "check.h"
#include "guard.h"

/* ---- integers ---- */

static const struct {
    const char *text;
    int ok;
    int64_t value;
} ints[] = {
    {"0", 1, 0},
    {"-1", 1, -1},
    {"7", 1, 7},
    {"10", 1, 10},
    {"9223372036854775807", 1, INT64_MAX},
    {"-9223372036854775807", 1, -INT64_MAX},
    {"-9223372036854775808", 1, INT64_MIN},
    {"9223372036854775808", 0, 0},
    {"-9223372036854775809", 0, 0},
    {"18446744073709551615", 0, 0},
    {"18446744073709551616", 0, 0},
    {"99999999999999999999", 0, 0},
    {"-99999999999999999999", 0, 0},
    {"100000000000000000000", 0, 0},
    {"", 0, 0},
    {"-", 0, 0},
    {"-0", 0, 0},
    {"+1", 0, 0},
    {"01", 0, 0},
    {"-01", 0, 0},
    {"00", 0, 0},
    {" 1", 0, 0},
    {"1 ", 0, 0},
    {"1a", 0, 0},
    {"a", 0, 0},
    {"--1", 0, 0},
    {"1.0", 0, 0},
    {"1e3", 0, 0},
    {"0x10", 0, 0},
    {"/", 0, 0},
    {":", 0, 0},
};

static void test_parse_int(void) {
    guard g = guard_new(64);
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        size_t n = strlen(ints[i].text);
        int64_t v = 4711;
        CHECK_EQ_INT(tr_num_parse_int(guard_put(&g, ints[i].text, n), n, &v), ints[i].ok);
        CHECK_EQ_INT(v, ints[i].ok ? ints[i].value : 4711);
    }
    int64_t v;
    CHECK_EQ_INT(tr_num_parse_int("1\0", 2, &v), 0);
    CHECK_EQ_INT(tr_num_parse_int("12345", 3, &v), 1);
    CHECK_EQ_INT(v, 123);
    guard_free(&g);
}

static void test_parse_uint(void) {
    uint64_t v = 1;
    CHECK_EQ_INT(tr_num_parse_uint("18446744073709551615", 20, &v), 1);
    CHECK(v == UINT64_MAX);
    CHECK_EQ_INT(tr_num_parse_uint("18446744073709551616", 20, &v), 0);
    CHECK_EQ_INT(tr_num_parse_uint("18446744073709551620", 20, &v), 0);
    CHECK_EQ_INT(tr_num_parse_uint("99999999999999999999", 20, &v), 0);
    CHECK(v == UINT64_MAX);
    CHECK_EQ_INT(tr_num_parse_uint("0", 1, &v), 1);
    CHECK(v == 0);
    CHECK_EQ_INT(tr_num_parse_uint("-1", 2, &v), 0);
    CHECK_EQ_INT(tr_num_parse_uint("-0", 2, &v), 0);
    CHECK_EQ_INT(tr_num_parse_uint("00", 2, &v), 0);
    CHECK_EQ_INT(tr_num_parse_uint("", 0, &v), 0);
}

static void check_int(int64_t v) {
    char out[TR_INT_TEXT + 1];
    char want[TR_INT_TEXT + 1];
    int64_t back;
    out[TR_INT_TEXT] = '#';
    size_t n = tr_num_format_int(out, v);
    CHECK_EQ_MEM(out, n, want, (size_t)snprintf(want, sizeof(want), "%" PRId64, v));
    CHECK(tr_num_parse_int(out, n, &back) && back == v);
    CHECK_EQ_MEM(out, tr_num_format_uint(out, (uint64_t)v), want,
                 (size_t)snprintf(want, sizeof(want), "%" PRIu64, (uint64_t)v));
    CHECK(out[TR_INT_TEXT] == '#');
}

static void test_format_int(void) {
    tr_rng rng = {.state = 1};
    int64_t power = 1;
    for (int i = 0; i < 19; i++, power *= 10) {
        for (int64_t near = -2; near <= 2; near++) {
            check_int(power + near);
            check_int(-power + near);
        }
        if (i == 18) break;
    }
    check_int(INT64_MAX);
    check_int(INT64_MIN);
    for (int i = 0; i < 20000; i++) check_int((int64_t)(tr_rng_next(&rng) >> (i % 64)));
}

/* ---- doubles from text ---- */

static const struct {
    const char *text;
    int ok;
    double value;
} doubles[] = {
    {"0", 1, 0.0},
    {"-0", 1, -0.0},
    {"3", 1, 3},
    {"+3", 1, 3},
    {"007", 1, 7},
    {"3.25", 1, 3.25},
    {"-3.25", 1, -3.25},
    {".5", 1, 0.5},
    {"-.5", 1, -0.5},
    {"5.", 1, 5},
    {"0.1", 1, 0.1},
    {"123456789012345", 1, 123456789012345.0},
    {"1234567890123456", 1, 1234567890123456.0},
    {"0.000000000000001", 1, 1e-15},
    {"9007199254740993", 1, 9007199254740992.0},
    {"1e5", 1, 1e5},
    {"1E+5", 1, 1e5},
    {"1e-400", 0, 0},
    {"1e400", 0, 0},
    {"-1e400", 0, 0},
    {"5e-324", 1, 5e-324},
    {"1e-320", 1, 1e-320},
    {"2e-324", 0, 0},
    {"1.7976931348623157e308", 1, 1.7976931348623157e308},
    {"1.7976931348623159e308", 0, 0},
    {"inf", 1, INFINITY},
    {"+inf", 1, INFINITY},
    {"-INF", 1, -INFINITY},
    {"Infinity", 1, INFINITY},
    {"infinit", 0, 0},
    {"nan", 0, 0},
    {"-NaN", 0, 0},
    {"nan(1)", 0, 0},
    {"0x10", 1, 16},
    {"0x1p3", 1, 8},
    {"0x", 0, 0},
    {"", 0, 0},
    {"-", 0, 0},
    {".", 0, 0},
    {"-.", 0, 0},
    {"1.2.3", 0, 0},
    {"1,5", 0, 0},
    {"1e", 0, 0},
    {" 1", 0, 0},
    {"\t1", 0, 0},
    {"\n1", 0, 0},
    {"\v1", 0, 0},
    {"\f1", 0, 0},
    {"\r1", 0, 0},
    {"1 ", 0, 0},
    {"1_0", 0, 0},
    {"--1", 0, 0},
};

static void test_parse_double(void) {
    guard g = guard_new(TR_LDOUBLE_TEXT);
    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        size_t n = strlen(doubles[i].text);
        const char *text = guard_put(&g, doubles[i].text, n);
        double d = 4711;
        long double ld = 4711;
        CHECK_EQ_INT(tr_num_parse_double(text, n, &d), doubles[i].ok);
        CHECK(d == (doubles[i].ok ? doubles[i].value : 4711));
        if (doubles[i].ok) {
            CHECK_EQ_INT(signbit(d) != 0, signbit(doubles[i].value) != 0);
            CHECK_EQ_INT(tr_num_parse_ldouble(text, n, &ld), 1);
            CHECK((double)ld == d || isinf(d));
        }
    }
    double d = 4711;
    CHECK_EQ_INT(tr_num_parse_double("1\0", 2, &d), 0);
    CHECK_EQ_INT(tr_num_parse_double("1\0002", 3, &d), 0);
    CHECK(d == 4711);
    guard_free(&g);
}

static void test_long_texts(void) {
    char text[TR_LDOUBLE_TEXT];
    double d = 1;
    long double ld = 1;
    memset(text, '1', sizeof(text));
    memcpy(text, "0.", 2);
    CHECK_EQ_INT(tr_num_parse_double(text, sizeof(text) - 1, &d), 1);
    CHECK(d == 1.0 / 9);
    CHECK_EQ_INT(tr_num_parse_ldouble(text, sizeof(text) - 1, &ld), 1);
    CHECK(ld == 1.0L / 9);
    CHECK_EQ_INT(tr_num_parse_double(text, sizeof(text), &d), 0);
    CHECK_EQ_INT(tr_num_parse_ldouble(text, sizeof(text), &ld), 0);
}

/* The short way (few digits, no exponent) gives the same double as the library. */
static void test_short_way(void) {
    tr_rng rng = {.state = 2};
    for (int i = 0; i < 100000; i++) {
        char text[40];
        double d;
        uint64_t digits = tr_rng_below(&rng, 100000000000000000u) >> tr_rng_below(&rng, 56);
        int n = snprintf(text, sizeof(text), "%s%" PRIu64 ".%0*" PRIu64, i % 2 ? "-" : "",
                         digits / 1000, (int)(i % 7), digits % 1000);
        CHECK_EQ_INT(tr_num_parse_double(text, (size_t)n, &d), 1);
        CHECK(d == strtod(text, NULL));
    }
}

static void test_parse_ldouble(void) {
    static const struct {
        const char *text;
        int ok;
        long double value;
    } facts[] = {
        {"0.1", 1, 0.1L},
        {"-10.25", 1, -10.25L},
        {"123456789.123456789", 1, 123456789.123456789L},
        {"1e4000", 1, 1e4000L},
        {"1e-4940", 1, 1e-4940L},
        {"1e5000", 0, 0},
        {"1e-5000", 0, 0},
        {"0x10", 1, 16},
        {"inf", 1, INFINITY},
        {"nan", 0, 0},
        {" 1", 0, 0},
        {"1x", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        long double v = 4711;
        CHECK_EQ_INT(tr_num_parse_ldouble(facts[i].text, strlen(facts[i].text), &v), facts[i].ok);
        CHECK(v == (facts[i].ok ? facts[i].value : 4711));
    }
}

/* ---- doubles as text ---- */

/* From replies of the reference server; those with a comment tell the rule's edges. */
static const char *const shortest[] = {
    "0", "-0", "1", "-1", "3", "3.14", "0.1", "0.3", "-2.5", "3.375", "10.25", "100", "1000000",
    "100000000000000000", /* whole numbers up to 2^62 go as integers */
    "185185183518518528", "4611686018427387904", "-4611686018427387904", "3479099956230698",
    "9223372036854776000", /* then: up to seven zeros */
    "-9223372036854776000", "5123456789040000000", "5.1234567892e+18",
    "1.2345678901234568e+29", "1e+20", "-1e+22", "5e+18", "1e+100",
    "1.7976931348623157e+308", "5e-324", "2.2250738585072014e-308",
    "0.1277562975883484", "190.44242984775784", "-179.99997049570084", "12.75848776102066",
    "1000.0000000000001", /* four digits before the point stay, five do not */
    "1.4784257565013813e+4", "1.0570242529631314e+4", "1.2345678912345679e+8",
    "123456.789", "12345678.123456", /* six places stay with anything before them */
    "1.23456781234567e+7", "0.000001", "1e-7", "1e-10", "0.000123", "0.0012345678", "1.2345678e-4",
    "inf", "-inf",
};

static void test_format_double(void) {
    for (size_t i = 0; i < sizeof(shortest) / sizeof(shortest[0]); i++) {
        char out[TR_DOUBLE_TEXT];
        size_t n = tr_num_format_double(out, strtod(shortest[i], NULL));
        out[n] = '\0';
        CHECK_EQ_STR(out, shortest[i]);
    }
    char out[TR_DOUBLE_TEXT];
    CHECK_EQ_MEM(out, tr_num_format_double(out, NAN), "nan", 3);
    CHECK_EQ_MEM(out, tr_num_format_double(out, -NAN), "nan", 3);
}

static int digits_in(const char *text, size_t n) {
    int count = 0;
    for (size_t i = 0; i < n && text[i] != 'e'; i++) {
        count += text[i] >= (count == 0 ? '1' : '0') && text[i] <= '9';
    }
    return count;
}

/* The fewest digits with which printf finds the same double again. */
static int fewest_digits(double d) {
    for (int n = 1; n < 17; n++) {
        char text[40];
        snprintf(text, sizeof(text), "%.*e", n - 1, d);
        if (strtod(text, NULL) == d) return n;
    }
    return 17;
}

static double random_double(tr_rng *rng) {
    double d;
    do {
        uint64_t bits = tr_rng_next(rng);
        memcpy(&d, &bits, sizeof(d));
    } while (isnan(d) || isinf(d));
    return d;
}

static void test_doubles_read_back(void) {
    tr_rng rng = {.state = 3};
    int longer = 0;
    size_t longest = 0;
    for (int i = 0; i < 60000; i++) {
        char out[TR_DOUBLE_TEXT];
        double d = random_double(&rng);
        if (i % 3 == 1) d = (double)(int64_t)tr_rng_next(&rng) / 1048576.0;
        if (i % 3 == 2) d = ldexp(1.0, (int)(i % 2098) - 1074) * (i % 2 ? 1 : 3);
        size_t n = tr_num_format_double(out, d);
        out[n] = '\0';
        CHECK(strtod(out, NULL) == d);
        if (n > longest) longest = n;
        if (strchr(out, 'e') != NULL) longer += digits_in(out, n) > fewest_digits(d);
    }
    CHECK(longest <= 25 && longest < TR_DOUBLE_TEXT);
    CHECK(longer < 60); /* the method misses the shortest about once in a thousand */
}

static void test_17g(void) {
    tr_rng rng = {.state = 4};
    char out[TR_DOUBLE_TEXT];
    CHECK_EQ_MEM(out, tr_num_format_double_17g(out, 0.1), "0.10000000000000001", 19);
    CHECK_EQ_MEM(out, tr_num_format_double_17g(out, 10.25), "10.25", 5);
    CHECK_EQ_MEM(out, tr_num_format_double_17g(out, -NAN), "nan", 3);
    CHECK_EQ_MEM(out, tr_num_format_double_17g(out, -INFINITY), "-inf", 4);
    for (int i = 0; i < 5000; i++) {
        char want[TR_DOUBLE_TEXT];
        double d = random_double(&rng);
        CHECK_EQ_MEM(out, tr_num_format_double_17g(out, d), want,
                     (size_t)snprintf(want, sizeof(want), "%.17g", d));
    }
}

static void test_digits(void) {
    static const struct {
        double d;
        const char *digits;
        int exp10;
    } facts[] = {
        {1, "1", 0},
        {10, "1", 1},
        {0.1, "1", -1},
        {123.456, "123456", -3},
        {5e-324, "5", -324},
        {1.7976931348623157e308, "17976931348623157", 292},
    };
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        char out[TR_DIGITS_MAX];
        int exp10;
        int n = tr_digits(out, &exp10, facts[i].d);
        CHECK_EQ_MEM(out, (size_t)n, facts[i].digits, strlen(facts[i].digits));
        CHECK_EQ_INT(exp10, facts[i].exp10);
    }
}

/* ---- long doubles as text ---- */

static void test_format_ldouble(void) {
    static const struct {
        long double value;
        const char *text;
    } facts[] = {
        {0.0L, "0"},
        {-0.0L, "0"},
        {-1e-30L, "0"},
        {3, "3"},
        {-3, "-3"},
        {100, "100"},
        {10.25L, "10.25"},
        {0.1L, "0.1"},
        {1e-10L, "0.0000000001"},
        {123456789.123456789L, "123456789.12345678899873747"},
        {999.1L, "999.09999999999999998"},
        {100000000000000000.0L, "100000000000000000"},
        {9223372036854775808.0L, "9223372036854775808"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };
    guard g = guard_new(64);
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        size_t n = strlen(facts[i].text);
        char *out = g.start + g.size - n;
        CHECK_EQ_MEM(out, tr_num_format_ldouble(out, n, facts[i].value), facts[i].text, n);
        CHECK_EQ_INT(tr_num_format_ldouble(out, n - 1, facts[i].value), 0);
    }
    guard_free(&g);
    char out[TR_LDOUBLE_TEXT];
    size_t n = tr_num_format_ldouble(out, sizeof(out), -1.1e4932L);
    CHECK_EQ_INT(n, 4934);
    CHECK(memchr(out, '.', n) == NULL);
}

/* ---- locale ---- */

/* Some installed locale whose point is a comma; without one there is nothing to test. */
static int set_comma_locale(void) {
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "nl_NL.UTF-8"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (setlocale(LC_ALL, names[i]) != NULL) return 1;
    }
    return 0;
}

static void test_locale_does_not_matter(void) {
    if (!set_comma_locale()) {
        printf("skipped: no locale with a decimal comma is installed\n");
        return;
    }
    test_parse_double();
    test_parse_ldouble();
    test_format_ldouble();
    char out[TR_DOUBLE_TEXT];
    CHECK_EQ_MEM(out, tr_num_format_double_17g(out, 10.25), "10.25", 5);
    CHECK_EQ_STR(localeconv()->decimal_point, ","); /* and the process keeps its own */
    setlocale(LC_ALL, "C");
}

int main(void) {
    RUN(test_parse_int);
    RUN(test_parse_uint);
    RUN(test_format_int);
    RUN(test_parse_double);
    RUN(test_long_texts);
    RUN(test_short_way);
    RUN(test_parse_ldouble);
    RUN(test_format_double);
    RUN(test_doubles_read_back);
    RUN(test_17g);
    RUN(test_digits);
    RUN(test_format_ldouble);
    RUN(test_locale_does_not_matter);
    return CHECK_DONE();
}
