/* parser.h - commands out of bytes: RESP requests and inline commands. Sans-IO.
 *
 * The owner reads bytes into a tr_buf and calls tr_parser_next() until it returns TR_EMORE. Each call
 * that returns 1 leaves one command in argv[0..argc), borrowed from the buffer until the next call on
 * the parser or on the buffer. Partial commands keep their state: no byte is looked at twice.
 *
 * A bulk of TR_BIG_ARG bytes or more is gathered in a blob of its own: tr_parser_want() tells the
 * owner where to read its rest, so the bytes go from the socket to the value with no copy.
 *
 * The owner may move or grow the buffer while a command is partial: it then calls
 * tr_parser_rebase() with the bytes' old and new place.
 *
 * Protocol errors: tr_parser_next() returns TR_EPROTO and `error` holds the text that follows
 * "ERR " in the reply (static or in error_text). The parser stays failed. Out of memory: TR_ENOMEM, also final.
 */
#ifndef TR_RESP_PARSER_H
#define TR_RESP_PARSER_H

#include <stdint.h>

#include "base/arg.h"
#include "base/blob.h"
#include "base/buf.h"
#include "base/mem.h"

#define TR_INLINE_MAX 65536      /* bytes of an inline request or of a length line; Redis' own bound */
#define TR_MULTIBULK_MAX INT32_MAX /* arguments of one command; Redis' own bound */
#define TR_BIG_ARG 32768         /* bytes from which a bulk gets a blob of its own */
#define TR_ARGV_KEEP 64          /* argv slots that stay allocated between commands */
#define TR_ARGV_INLINE 8         /* argv slots inside the parser */

/* Limits that the owner may change at any time; an unauthenticated client gets tighter ones
 * (Redis: 10 arguments, 16384 bytes a bulk). */
typedef struct tr_parser_limits {
    int64_t multibulk_max;
    int64_t bulk_max; /* proto-max-bulk-len */
    int unauthenticated; /* 1: the error texts say so, as Redis' do */
} tr_parser_limits;

typedef enum tr_parser_state {
    TR_PARSE_START,    /* first byte of a request decides: RESP or inline */
    TR_PARSE_MULTI,    /* in "*<n>\r\n" */
    TR_PARSE_BULK_LEN, /* in "$<n>\r\n" */
    TR_PARSE_BULK,     /* in the bytes of an argument */
    TR_PARSE_BIG,      /* in the bytes of an argument that has a blob of its own */
    TR_PARSE_INLINE,
    TR_PARSE_FAILED,
} tr_parser_state;

typedef struct tr_parser {
    tr_mem *mem;
    tr_parser_state state;
    int argc;
    int argv_cap;
    tr_arg *argv;        /* inline_argv or allocated */
    int64_t args_left;
    int64_t bulk_len;
    size_t scan;         /* bytes of the current line already searched for its end, from buf->rpos */
    size_t command_bytes; /* bytes of the current or last command as received, for accounting and MONITOR */
    tr_blob *big;        /* being filled; one share */
    char *inline_copy;   /* unquoted words of an inline command */
    const char *error;
    char error_text[128];
    tr_arg inline_argv[TR_ARGV_INLINE];
} tr_parser;

void tr_parser_init(tr_parser *p, tr_mem *mem);
/* Frees all that it holds. */
void tr_parser_release(tr_parser *p);
/* 1: a command with argc >= 1 is in argv (empty requests are skipped silently); TR_EMORE, TR_EPROTO, TR_ENOMEM. Consumes
 * the bytes of the command from buf (its bytes stay in place until the owner changes the buffer). */
int tr_parser_next(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits);
/* The command is done: drops its blobs. Called by the owner after each executed command and before the next tr_parser_next(). */
void tr_parser_done(tr_parser *p);
/* Where the rest of a big argument wants to be read: 1 and *at, *len (len > 0), or 0: read into the buffer. */
int tr_parser_want(tr_parser *p, char **at, size_t *len);
/* The owner has put n bytes where tr_parser_want() said. */
void tr_parser_fed(tr_parser *p, size_t n);
/* The bytes that began at `from` have moved to `to`. */
void tr_parser_rebase(tr_parser *p, const char *from, const char *to);
/* True between commands: no partial request is held. */
int tr_parser_idle(const tr_parser *p);
/* Bytes of memory held besides the struct itself. */
size_t tr_parser_memory(const tr_parser *p);

#endif
