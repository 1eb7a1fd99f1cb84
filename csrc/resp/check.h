/* check.h - is this one whole reply? For bytes that somebody else made and a client will get.
 *
 * One pass, no memory, bounded depth; what the types promise (lengths, line ends, digits) is looked at, texts of
 * lines hold no CR or LF.
 */
#ifndef TR_RESP_CHECK_H
#define TR_RESP_CHECK_H

#include <stddef.h>

#define TR_RESP_DEPTH_MAX 128 /* aggregates inside each other */

/* The length of the first whole reply in the bytes, for this version of the protocol (2 or 3); 0: there is none. */
size_t tr_resp_check(const char *p, size_t len, int proto);

#endif
