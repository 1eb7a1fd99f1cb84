/* MONITOR and SLOWLOG: what the dispatch notes of commands, shown to clients. LATENCY is Python's. */
#include "base/err.h"
#include "exec/exec.h"
#include "exec/multi.h"
#include "exec/reply.h"

#define SLOW_SHOWN 10 /* entries of SLOWLOG GET without a count */

/* A second MONITOR gets no reply, as in Redis. */
void tr_cmd_monitor(tr_client *c) {
    if (c->owner != NULL || (c->multi != NULL && c->multi->running)) {
        tr_reply_error(c, "ERR MONITOR isn't allowed for DENY BLOCKING client");
        return;
    }
    if (c->flags & (TR_CLIENT_MONITOR | TR_CLIENT_REPLICA)) return;
    if (tr_monitor_add(c) != TR_OK) tr_reply_error(c, TR_MSG_NO_MEMORY);
    else tr_reply_ok(c);
}

static void reply_slow(tr_client *c, const tr_slow *e) {
    tr_reply_array(c, 6);
    tr_reply_int(c, (int64_t)e->id);
    tr_reply_int(c, e->time_s);
    tr_reply_int(c, e->us);
    tr_reply_array(c, (size_t)e->arg_count);
    for (int i = 0; i < e->arg_count; i++) tr_reply_bulk(c, e->args[i].ptr, e->args[i].len);
    tr_reply_bulk(c, e->addr.ptr, e->addr.len);
    tr_reply_bulk(c, e->name.ptr, e->name.len);
}

void tr_cmd_slowlog_get(tr_client *c) {
    static const char bad_count[] = "ERR count should be greater than or equal to -1";
    const tr_slowlog *log = &c->x->slowlog;
    int64_t count = SLOW_SHOWN;
    if (c->argc > 3) {
        tr_reply_errorf(c, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try SLOWLOG HELP.",
                        (int)(c->argv[1].len < 128 ? c->argv[1].len : 128), c->argv[1].ptr);
        return;
    }
    if (c->argc == 3 && !tr_arg_int_or(c, 2, &count, bad_count)) return;
    if (count < -1) {
        tr_reply_error(c, bad_count);
        return;
    }
    if (count == -1 || (uint64_t)count > log->count) count = (int64_t)log->count;
    tr_reply_array(c, (size_t)count);
    const tr_slow *e = log->newest;
    for (int64_t i = 0; i < count; i++, e = e->older) reply_slow(c, e);
}

void tr_cmd_slowlog_len(tr_client *c) {
    tr_reply_int(c, (int64_t)c->x->slowlog.count);
}

void tr_cmd_slowlog_reset(tr_client *c) {
    tr_slowlog_reset(c->x);
    tr_reply_ok(c);
}
