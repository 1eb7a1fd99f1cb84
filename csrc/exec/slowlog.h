/* slowlog.h - the commands that took long: the newest so many of them, each with what it was asked and by whom.
 *
 * An entry is one allocation with a copy of all it shows: at most TR_SLOW_ARGS arguments of TR_SLOW_ARG_BYTES bytes,
 * secrets redacted. The newest is taken in whole, then the oldest beyond max_len go. Without memory for an entry there
 * is none.
 */
#ifndef TR_EXEC_SLOWLOG_H
#define TR_EXEC_SLOWLOG_H

#include "exec/client.h"

#define TR_SLOW_ARGS 32
#define TR_SLOW_ARG_BYTES 128
#define TR_SLOW_MAX_LEN_DEFAULT 128
#define TR_SLOW_THAN_US_DEFAULT 10000

struct tr_exec;

typedef struct tr_slow {
    struct tr_slow *newer, *older;
    uint64_t id;
    int64_t time_s;         /* when it ended, since 1970 */
    int64_t us;             /* how long it took */
    uint64_t client_id;
    const tr_command *cmd;
    int argc;               /* what it had */
    int arg_count;          /* what is kept; the last one may tell how many more there were */
    tr_text addr, name;     /* inside of this allocation, as the arguments */
    tr_text args[];
} tr_slow;

typedef struct tr_slowlog {
    tr_slow *newest, *oldest;
    uint64_t count;
    uint64_t next_id;
    size_t bytes;           /* of all entries */
    int64_t than_us;        /* slowlog-log-slower-than; negative: nothing is logged */
    uint64_t max_len;       /* slowlog-max-len; 0: nothing is logged */
} tr_slowlog;

/* 1 when commands of some length are logged. */
static inline int tr_slowlog_is_on(const tr_slowlog *log) {
    return log->than_us >= 0 && log->max_len != 0;
}
/* The client's current command took ns; it is logged if that is long enough. */
void tr_slowlog_note(tr_client *c, const tr_command *cmd, int64_t ns);
/* Ids go on. */
void tr_slowlog_reset(struct tr_exec *x);
/* The oldest entry from this id on; NULL: none. */
const tr_slow *tr_slowlog_from(const tr_slowlog *log, uint64_t id);

#endif
