/* parser.h - commands out of bytes: RESP requests and inline commands. Sans-IO.
 *
 * The owner reads bytes into a tr_buf and calls tr_parser_next() until it returns TR_EMORE. Each
 * call that returns 1 leaves one command in argv[0..argc), borrowed from the buffer until the
 * next call on the parser or on the buffer. Partial commands keep their state: no byte is looked
 * at twice.
 *
 * A partial command stays unread in the buffer (rpos at its first byte, `pos` tells how far it
 * was parsed):
 *
 *    | *3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$100000\r\n |            blob: | bytes of the value, CR LF |
 *    rpos                                          rpos + pos = wpos
 *
 * A bulk of TR_BIG_ARG bytes or more that has not come as a whole is gathered in a blob of its
 * own: tr_parser_want() tells the owner where to read its rest, so the bytes go from the socket
 * to the value with no copy. An owner that puts them into the buffer all the same is right too;
 * they are then copied. The blob grows with what comes, so that a promised length costs nothing.
 *
 * The owner may move or grow the buffer while a command is partial. tr_parser_next() sees it by
 * itself; an owner that looks at argv before that calls tr_parser_rebase() with the unread
 * bytes' old and new place.
 *
 * Protocol errors: tr_parser_next() returns TR_EPROTO and `error` holds the text that follows
 * "ERR " in the reply (static or in error_text). The parser stays failed. Out of memory:
 * TR_ENOMEM, also final.
 *
 * As in Redis a line is looked for up to its first NUL byte, and two bytes after a length or an
 * argument are skipped unseen. Unlike Redis, where it depends on the sizes of the reads, a line
 * of more than TR_INLINE_MAX bytes is always refused.
 */
#ifndef TR_RESP_PARSER_H
#define TR_RESP_PARSER_H

#include <stdint.h>

#include "base/arg.h"
#include "base/blob.h"
#include "base/buf.h"
#include "base/mem.h"

#define TR_INLINE_MAX 65536 /* bytes of an inline request or of a length line; Redis' own bound */
#define TR_MULTIBULK_MAX INT32_MAX /* arguments of one command; Redis' own bound */
#define TR_UNAUTH_MULTIBULK_MAX 10 /* the same before authentication; Redis' own bounds */
#define TR_UNAUTH_BULK_MAX 16384
#define TR_BIG_ARG 32768         /* bytes from which a partial bulk gets a blob of its own */
#define TR_BIG_FIRST 65536       /* room of such a blob to begin with */
#define TR_BIG_GROWTH 4          /* times as much when that is full */
#define TR_ARGV_KEEP 64          /* argv slots that stay allocated between commands */
#define TR_ARGV_INLINE 8         /* argv slots inside the parser */

/* Limits that the owner may change at any time. While unauthenticated is set, TR_UNAUTH_... hold
 * besides, with error texts of their own; the other two fields stay as they are. */
typedef struct tr_parser_limits {
    int64_t multibulk_max; /* TR_MULTIBULK_MAX */
    int64_t bulk_max;      /* proto-max-bulk-len; INT64_MAX on the link to a master */
    int unauthenticated;
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
    int dirty;           /* tr_parser_done() has something to free */
    int failure;         /* TR_EPROTO or TR_ENOMEM once state is TR_PARSE_FAILED */
    tr_arg *argv;        /* inline_argv or allocated */
    int64_t args_left;   /* of the current command still to come, the one in work included */
    size_t bulk_len;     /* of the argument in work */
    size_t pos;          /* bytes of the partial command already parsed, from buf->rpos */
    size_t scan;         /* bytes of the current line already searched for its end, from pos */
    const char *base;    /* where the partial command began when it was looked at last */
    size_t command_bytes; /* bytes of the current or last command as received, for accounting */
    size_t big_bytes;    /* of them the ones that are not in the buffer */
    tr_blob *big;        /* being filled, CR LF included; one share */
    char *inline_copy;   /* unquoted words of an inline command */
    const char *error;
    char error_text[128];
    tr_arg inline_argv[TR_ARGV_INLINE];
} tr_parser;

/* Never to be copied or moved: argv may point inside. */
void tr_parser_init(tr_parser *p, tr_mem *mem);
/* Frees all that it holds. */
void tr_parser_release(tr_parser *p);
/* 1: a command with argc >= 1 is in argv (empty requests are skipped silently); TR_EMORE,
 * TR_EPROTO, TR_ENOMEM. Consumes the bytes of the command from buf (its bytes stay in place
 * until the owner changes the buffer). */
int tr_parser_next(tr_parser *p, tr_buf *buf, const tr_parser_limits *limits);
void tr_parser_done_slow(tr_parser *p);
/* The command is done: drops its blobs. Called by the owner after each executed command, else
 * tr_parser_next() does it. A command may steal an argument's share: it then sets the argument's
 * blob to NULL. */
static inline void tr_parser_done(tr_parser *p) {
    if (__builtin_expect(p->dirty, 0)) tr_parser_done_slow(p);
}
/* Where the rest of a big argument wants to be read: 1 and *at, *len (len > 0), or 0: read into
 * the buffer. */
int tr_parser_want(tr_parser *p, char **at, size_t *len);
/* The owner has put n bytes where tr_parser_want() said; n <= len. */
void tr_parser_fed(tr_parser *p, size_t n);
/* The bytes that began at `from` have moved to `to`; nothing between commands. */
void tr_parser_rebase(tr_parser *p, const char *from, const char *to);
/* True between commands: no partial request is held. */
int tr_parser_idle(const tr_parser *p);
/* Bytes of memory held besides the struct itself. */
size_t tr_parser_memory(const tr_parser *p);
/* Asserts what must hold; for tests. */
void tr_parser_check(const tr_parser *p, const tr_buf *buf);

#endif
