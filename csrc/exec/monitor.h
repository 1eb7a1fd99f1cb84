/* monitor.h - MONITOR: every command that runs, as a line for those who watch.
 *
 *   command --> line --> pieces (blobs, filled one after the other) --> share of each piece to each monitor
 *
 * A line is made once, however many monitors there are. It waits in the feed until the end of the turn or until the
 * monitor runs a command of its own, so that a line never lands inside a reply. Small stretches are copied into a
 * monitor's output, larger ones are shares of the pieces. The pieces are owned by the feed; those that nobody needs any
 * more go at the end of the turn. No memory for a line: every monitor's output fails, and with it its connection,
 * because a gap must not go unnoticed. Without monitors this costs nothing: the dispatch does not come here.
 */
#ifndef TR_EXEC_MONITOR_H
#define TR_EXEC_MONITOR_H

#include "base/blob.h"
#include "exec/client.h"

#define TR_FEED_PIECE (16 * 1024 - 64) /* bytes of a piece; a longer line has one of its own */

struct tr_exec;

typedef struct tr_monitor {
    struct tr_monitor *prev, *next;
    tr_client *client;
    size_t piece, pos; /* how far it has come */
} tr_monitor;

typedef struct tr_feed {
    tr_monitor *first, *last; /* oldest first; each is owned by its client */
    uint32_t count;
    int waiting;              /* there are lines that have not been handed out */
    int failed;               /* a line was lost */
    tr_blob **pieces;
    size_t piece_count, piece_cap;
} tr_feed;

/* The client watches from now on. TR_ENOMEM. */
int tr_monitor_add(tr_client *c);
/* It does not watch any more; nothing happens when it did not. */
void tr_monitor_drop(tr_client *c);
/* The client's current command, which may be shown. For the dispatch, and for commands with TR_CMD_SKIP_MONITOR that
 * show themselves before they begin. */
void tr_monitor_show(tr_client *c, const tr_command *cmd);
/* This monitor gets what waits for it. */
void tr_monitor_catch_up(tr_client *c);
/* All of them do, and tr_exec_hooks.pushed is told of each. */
void tr_monitor_hand_out(struct tr_exec *x);
size_t tr_monitor_memory(const struct tr_exec *x);
/* All monitors are gone. */
void tr_monitor_release(struct tr_exec *x);

#endif
