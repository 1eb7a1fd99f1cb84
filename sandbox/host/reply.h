/* reply.h - builds the reply of a command as RESP of the client's version.
 *
 *   out:  *2\r\n :1\r\n | $3\r\nabc\r\n
 *                       ^ open: a header is still to come here
 *
 * What a client of RESP2 doesn't know is written as what Redis gives it instead: maps and sets as arrays,
 * doubles, big numbers and verbatim strings as bulk strings, booleans as integers, null as a null
 * bulk string or array. There is nothing instead of attributes and pushes: who writes them looks
 * at resp first.
 *
 * A length may be postponed: the header is inserted when it is known, which moves what was written
 * since. The last one postponed is the first one set; which kind it is, is told then. Those never set
 * get the number of elements that follow, so a module's mistake leaves valid RESP.
 *
 * Whatever a module writes, tr_reply_finish() leaves what the engine takes: nothing or one whole reply, pushes aside.
 *
 * Plain data, owned by one context, one thread at a time. Memory that can't be had ends the process.
 */
#ifndef TR_HOST_REPLY_H
#define TR_HOST_REPLY_H

#include "sandbox/host/host.h"

typedef enum tr_group {
    TR_GROUP_ARRAY = '*',
    TR_GROUP_MAP = '%',
    TR_GROUP_SET = '~',
    TR_GROUP_ATTRIBUTE = '|', /* resp 3 only, as pushes */
    TR_GROUP_PUSH = '>',
} tr_group;

/* count: of pairs in a map or attribute. */
void tr_reply_add_group(tr_reply *reply, tr_group group, uint64_t count);
void tr_reply_postpone(tr_reply *reply);
/* 1: the last postponed length is set; 0: none is open. */
int tr_reply_set_length(tr_reply *reply, tr_group group, uint64_t count);

void tr_reply_add_integer(tr_reply *reply, int64_t value);
/* A simple string; line ends in it become spaces. */
void tr_reply_add_simple(tr_reply *reply, const char *text);
void tr_reply_add_bulk(tr_reply *reply, const void *p, size_t len);
/* format is cut or filled with spaces to three letters. */
void tr_reply_add_verbatim(tr_reply *reply, const char *p, size_t len, const char *format);
void tr_reply_add_null(tr_reply *reply);
void tr_reply_add_null_array(tr_reply *reply);
void tr_reply_add_bool(tr_reply *reply, bool value);
void tr_reply_add_double(tr_reply *reply, double value);
void tr_reply_add_long_double(tr_reply *reply, long double value);
/* p: any text; line ends in it become spaces for resp 3. */
void tr_reply_add_big_number(tr_reply *reply, const char *p, size_t len);

/* Counts an error whose text, without '-' and line end, was written otherwise. */
void tr_reply_count_error(tr_reply *reply, const char *text, size_t len);

#endif
