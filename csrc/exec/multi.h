/* multi.h - transactions: the queue of a client between MULTI and EXEC, and the keys it watches.
 *
 * A queued command owns a copy of its arguments (big ones by a share of their blob). EXEC runs the queue in one go and
 * nothing runs in between. A watched key stands in one table of the engine, with the clients that watch it; a
 * change of it (tr_store_hooks.changed), a flush or a swap makes their next EXEC fail.
 *
 * A client without MULTI and WATCH has no tr_multi. Limits: the memory of the account; a queue is bounded by the
 * client's query buffer rate only, as in Redis. No memory while queueing: the command gets an error and EXEC aborts.
 */
#ifndef TR_EXEC_MULTI_H
#define TR_EXEC_MULTI_H

#include "exec/client.h"

struct tr_exec;

typedef struct tr_queued {
    const tr_command *cmd;
    tr_arg *argv; /* owned, with the bytes behind it */
    int argc;
} tr_queued;

typedef struct tr_watched {
    struct tr_watched *next;        /* of the same client */
    struct tr_watched *prev_on_key; /* of the same key */
    struct tr_watched *next_on_key;
    struct tr_watch_key *key;
    tr_client *client;
    int expired;                    /* was due already when WATCH came: its going is no change */
} tr_watched;

typedef struct tr_multi {
    int active;      /* between MULTI and EXEC or DISCARD */
    int running;     /* EXEC runs the queue */
    int aborted;     /* a command could not be queued */
    int touched;     /* a watched key changed */
    uint64_t flags;  /* TR_CMD_... of all queued ones */
    tr_queued *queue;
    int count;
    int cap;
    size_t bytes;    /* of the queued arguments */
    tr_watched *watched;
    int watched_count;
} tr_multi;

/* 1 when the client is between MULTI and EXEC. */
static inline int tr_multi_active(const tr_client *c) {
    return c->multi != NULL && c->multi->active;
}
/* MULTI. TR_ENOMEM. */
int tr_multi_begin(tr_client *c);
/* Appends the client's current command. TR_ENOMEM: EXEC will abort. */
int tr_multi_queue(tr_client *c, const tr_command *cmd);
/* A command was refused while queueing. */
void tr_multi_abort(tr_client *c);
/* Drops the queue and the watches. */
void tr_multi_end(tr_client *c);
/* WATCH of one key in the client's database. TR_ENOMEM; twice is once. */
int tr_multi_watch(tr_client *c, const tr_arg *key);
void tr_multi_unwatch(tr_client *c);
/* 1 when EXEC has to fail: a watched key changed or has expired since. */
int tr_multi_is_stale(tr_client *c);
/* For a client that goes. */
void tr_multi_release(tr_client *c);
/* Bytes held for the client. */
size_t tr_multi_memory(const tr_client *c);

/* The store's hooks. */
void tr_multi_key_changed(struct tr_exec *x, tr_db *db, const char *key, size_t len);
void tr_multi_flushed(struct tr_exec *x, int db_id);
void tr_multi_swapped(struct tr_exec *x, int a, int b);

#endif
