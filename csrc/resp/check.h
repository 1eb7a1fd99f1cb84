/* check.h - is this one whole reply? For bytes that somebody else made and a client will get.
 *
 * One pass, no memory, any depth; what clients need to find the end of a reply is looked at: lengths, line ends, the
 * digits of integers. Texts of lines hold no CR or LF; what a big number or a double says is for whoever reads it.
 */
#ifndef TR_RESP_CHECK_H
#define TR_RESP_CHECK_H

#include <stddef.h>

/* The length of the first whole reply in the bytes, for this version of the protocol (2 or 3); 0: there is none. */
size_t tr_resp_check(const char *p, size_t len, int proto);

/* 1: the bytes are what one command may be answered with: nothing, or one whole reply; any number of pushes, which
 * clients take for no reply, around it. 0: they are something else. */
int tr_resp_check_answer(const char *p, size_t len, int proto);

#endif
