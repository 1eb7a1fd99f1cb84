/* num.h - numbers from text and text from numbers, with Redis' exact rules. No locale, no
 * allocation. */
#ifndef TR_BASE_NUM_H
#define TR_BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

#define TR_INT_TEXT 21          /* bytes that hold any int64 with sign and NUL */
#define TR_DOUBLE_TEXT 40       /* any double as the functions below write it, NUL included */
#define TR_LDOUBLE_TEXT (5 * 1024) /* any long double in fixed notation, NUL included */

/* Strict decimal int64 as Redis takes it for values: no spaces, no '+', no leading zeros, "-0" is
 * not one. 1 and *out, or 0. */
int tr_num_parse_int(const char *p, size_t n, int64_t *out);
/* The same without sign. 1 and *out, or 0. */
int tr_num_parse_uint(const char *p, size_t n, uint64_t *out);
/* Writes decimal digits, returns how many (no NUL). out holds TR_INT_TEXT. */
size_t tr_num_format_int(char *out, int64_t v);
size_t tr_num_format_uint(char *out, uint64_t v);
/* Float as commands take it (ZADD): whole text, no leading space, inf/infinity in any case, hex as
 * strtod; NaN, overflow and underflow to zero refused; so is text of TR_LDOUBLE_TEXT bytes or more.
 * 1 or 0. */
int tr_num_parse_double(const char *p, size_t n, double *out);
/* Long double as INCRBYFLOAT takes it: whole text, no leading space, the same refusals. 1 or 0. */
int tr_num_parse_ldouble(const char *p, size_t n, long double *out);
/* Shortest text that reads back as the same double, in Redis' form. Whole numbers up to 2^62 have
 * no point; larger ones get at most seven zeros behind their digits. Fractions stay as they are with at
 * most six places, or between 0.001 and 10000; all else is 1e+20, 1e-10, 1.2345678912345679e+8.
 * Also -0, inf, -inf, nan. */
size_t tr_num_format_double(char *out, double d);
/* 17 significant digits as %.17g has them, so 0.1 is 0.10000000000000001: what ZSCAN shows for
 * scores in a skip list. */
size_t tr_num_format_double_17g(char *out, double d);
/* INCRBYFLOAT's text: 17 digits after the point, trailing zeros and point trimmed. 0 when cap is
 * too small. */
size_t tr_num_format_ldouble(char *out, size_t cap, long double v);

#endif
