/* watch.h - what happened that the owner may want to log, since it last asked.
 *
 * Noted where it happens, at the cost of a few stores; nothing here is ever waited for, and a flood of one kind is one
 * number. tr_watch_take() hands it over and begins anew.
 */
#ifndef TR_ENGINE_WATCH_H
#define TR_ENGINE_WATCH_H

#include <stdint.h>

#include "exec/exec.h"
#include "net/sock.h"

#define TR_SIGN_MAX 8 /* a word that gives a browser away, NUL included */

struct tr_engine;
struct tr_obituary;

typedef struct tr_watch {
    uint64_t rejected, denied; /* connections: too many clients, protected mode */
    char rejected_addr[TR_NAME_MAX], denied_addr[TR_NAME_MAX]; /* of the last one */
    uint64_t cross_protocol, cross_client; /* connections of browsers; the last one's client */
    char cross_addr[TR_NAME_MAX], cross_sign[TR_SIGN_MAX];
    uint64_t turn_ns, turn_commands; /* the longest turn of the loop */
    const char *slowest;             /* the longest command in it, borrowed for ever; NULL: it ran none */
    int64_t slowest_ns;
    uint64_t evicted_keys, evicted_bytes;
    uint64_t slow_next;              /* id of the next entry of the slow log */
    tr_exec_notes notes;
} tr_watch;

/* The socket of a connection that is turned away, before it is closed. */
void tr__watch_refused(uint64_t *count, char *addr, int fd);
/* The end of a connection whose obituary says that it was a browser's. */
void tr__watch_cross_protocol(struct tr_engine *g, const struct tr_obituary *o);
/* A turn has ended. */
void tr__watch_turn(struct tr_engine *g, uint64_t ns, uint64_t commands);
void tr_watch_take(struct tr_engine *g, tr_watch *out);

#endif
