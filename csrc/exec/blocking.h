/* blocking.h - clients that wait: for keys, for a moment, for somebody's word.
 *
 *   (database, key) --> waiter -> waiter -> ...     in the order in which they came
 *          | signalled
 *        ready list --> tr_blocking_serve() --> ops->ready() of each waiter of the key, the first one first
 *
 * A waiter is part of whoever makes clients wait (blocking commands, blocks of modules); a client has at most one. The
 * table keeps nothing else of it but its links, its deadline and that the client is blocked. What follows, replies
 * included, is the owner's; he calls tr_blocking_release() when the client goes on.
 *
 * A signal only notes the key: serving comes right after the command that made it, so a waiter sees the key as that
 * command left it, and before other clients' commands. ready() is called once for each waiter and signal; a waiter
 * that got nothing keeps its place.
 *
 * Cost: waiting, leaving O(keys), signal O(1), serve O(waiters of the keys). No memory: TR_ENOMEM, nothing has changed.
 * One thread; time comes in.
 */
#ifndef TR_EXEC_BLOCKING_H
#define TR_EXEC_BLOCKING_H

#include "base/arg.h"
#include "ds/hash.h"
#include "ds/ttlheap.h"
#include "exec/client.h"

struct tr_exec;
struct tr_waiter;
struct tr_wait_key;

#define TR_BLOCKING_FOREVER INT64_MAX

/* Why somebody from outside ends the waiting: CLIENT UNBLOCK. */
typedef enum tr_unblock { TR_UNBLOCK_TIMEOUT, TR_UNBLOCK_ERROR } tr_unblock;

/* What the owner of a waiter does; called with the waiter in place, each may release it. */
typedef struct tr_waiter_ops {
    /* A key that it waits for was signalled. removed: it isn't there. */
    void (*ready)(struct tr_waiter *w, int db_id, const char *key, size_t len, int removed);
    /* The deadline has come; it is forgotten. */
    void (*timeout)(struct tr_waiter *w);
    /* CLIENT UNBLOCK. 1: done, or under way; 0: this client can't be unblocked. */
    int (*unblock)(struct tr_waiter *w, tr_unblock how);
    /* The client goes. Must release. */
    void (*gone)(struct tr_waiter *w);
} tr_waiter_ops;

typedef struct tr_wait_link {
    struct tr_wait_link *prev, *next; /* waiters of the same key */
    struct tr_wait_key *key;
    struct tr_waiter *waiter;
} tr_wait_link;

typedef struct tr_waiter {
    const tr_waiter_ops *ops;
    tr_client *client;     /* NULL: it doesn't wait, or no longer */
    tr_wait_link *links;   /* owned by the table */
    uint32_t link_count;
    uint32_t slot;         /* in the heap of deadlines; 0: none */
    int on_removal;        /* wants to hear of keys that go, too */
} tr_waiter;

typedef struct tr_blocking {
    struct tr_exec *x;
    tr_hash keys;
    tr_ttlheap deadlines;
    struct tr_wait_key *ready_first, *ready_last;
    uint64_t clients;      /* that wait */
    uint64_t key_waiters;  /* of them, for keys */
    uint64_t removals;     /* of them, with on_removal */
    int serving;
} tr_blocking;

void tr_blocking_init(tr_blocking *b, struct tr_exec *x);
/* Nobody may wait any more. */
void tr_blocking_close(tr_blocking *b);

/* The client waits from now on: for count keys of the database (each counts once), 0: for none; until the deadline,
 * in milliseconds since 1970, or for ever. w has ops and on_removal set. TR_ENOMEM. */
int tr_blocking_wait(tr_blocking *b, tr_waiter *w, tr_client *c, int db_id, const tr_arg *keys, uint32_t count,
                     int64_t deadline_ms);
/* Keys and deadline are given up; the client still waits: for its owner. */
void tr_blocking_forget(tr_blocking *b, tr_waiter *w);
/* The client waits no longer. */
void tr_blocking_release(tr_blocking *b, tr_waiter *w);

/* The key may be what somebody waits for: it was added, touched, or has gone. */
void tr_blocking_signal(tr_blocking *b, int db_id, const char *key, size_t len);
/* The databases were flushed (-1: all) or swapped. */
void tr_blocking_flushed(tr_blocking *b, int db_id);
void tr_blocking_swapped(tr_blocking *b, int db_a, int db_b);
/* Serves the keys that were signalled, and those that are signalled meanwhile. */
void tr_blocking_serve(tr_blocking *b);
static inline int tr_blocking_has_ready(const tr_blocking *b) {
    return b->ready_first != NULL;
}
/* Calls timeout() for all whose deadline is here. */
void tr_blocking_check(tr_blocking *b, int64_t now_ms);

/* CLIENT UNBLOCK. 1: it was blocked and isn't any more, or won't be soon. */
int tr_blocking_unblock(tr_client *c, tr_unblock how);
/* The client is about to be released. */
void tr_blocking_client_gone(tr_client *c);

#endif
