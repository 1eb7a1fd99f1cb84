/* obituary.h - what the log wants to know of a connection that ended badly.
 *
 * Written while the socket is still open, because its address is gone afterwards, and only for ends that are rare: the
 * peer's leaving and QUIT get none. Whoever takes a CLOSED event takes the obituary by the client's id; a list of the
 * engine's keeps it until then. Without memory, or with TR_OBITUARIES_MAX waiting, there is none.
 */
#ifndef TR_ENGINE_OBITUARY_H
#define TR_ENGINE_OBITUARY_H

#include <stdint.h>

#include "net/sock.h"

#define TR_OBITUARIES_MAX 10000
#define TR_OBITUARY_DETAIL_MAX 128

struct tr_conn;
struct tr_engine;

typedef struct tr_obituary {
    struct tr_obituary *next;
    uint64_t id;
    uint64_t commands;
    uint64_t pending_bytes; /* TR_CLOSE_OUTPUT_LIMIT: output; TR_CLOSE_QUERY_LIMIT: input; else the client's memory */
    uint64_t limit_bytes;   /* the limit that was broken; 0: no matter of a limit */
    int64_t age_us;
    int64_t idle_us;
    int out_class;          /* tr_out_class */
    int soft;               /* 1: it was the soft limit of the output */
    char addr[TR_NAME_MAX]; /* empty: the kernel does not know any more */
    char detail[TR_OBITUARY_DETAIL_MAX]; /* what was wrong with the protocol, or the word that gave a browser away */
} tr_obituary;

/* Before the socket is closed; conn->close_reason is set. */
void tr__obituary_write(struct tr_conn *conn);
/* Moves it to *out; 0: there is none. */
int tr_obituary_take(struct tr_engine *g, uint64_t id, tr_obituary *out);
void tr__obituaries_release(struct tr_engine *g);

#endif
