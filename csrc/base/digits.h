/* digits.h - the decimal digits of a double, as few as read back as the same double.
 *
 * The method is Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately
 * with Integers", 2010): 64-bit integers and one table of powers of ten. Its answer always reads
 * back, is the shortest for all but about one double in a thousand, and is the one that Redis
 * gives; that is why it is not a slower exact method.
 */
#ifndef TR_BASE_DIGITS_H
#define TR_BASE_DIGITS_H

#define TR_DIGITS_MAX 18

/* d is d1d2..dn * 10^exp10. Returns n; out gets the digits as characters, without NUL. d must be
 * finite and > 0. */
int tr_digits(char out[TR_DIGITS_MAX], int *exp10, double d);

#endif
