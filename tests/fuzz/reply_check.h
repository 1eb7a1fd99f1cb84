/* reply_check.h - is this what a Redis client can read? Knows RESP2 and RESP3 by itself and shares
 * no code with the engine's writer, so that it can't share its mistakes.
 *
 * Strict where clients are: lengths and numbers without leading zeros, no CR or LF inside a line,
 * a verbatim string has its three letters and a colon. */
#ifndef TR_FUZZ_REPLY_CHECK_H
#define TR_FUZZ_REPLY_CHECK_H

#include <stddef.h>

#define RC_RESP2 1u /* what only RESP2 has: $-1, *-1 */
#define RC_RESP3 2u /* what only RESP3 has */

typedef struct rc_counts {
    size_t replies; /* whole ones, pushes not counted */
    size_t pushes;
} rc_counts;

/* Reads whole replies until the end of the bytes. NULL: all is well; else what is wrong, and *at is
 * where. A reply that is cut off is wrong, too. */
const char *rc_check(const char *p, size_t len, unsigned allowed, rc_counts *counts, size_t *at);

#endif
