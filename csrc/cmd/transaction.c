/* MULTI, EXEC, DISCARD, WATCH, UNWATCH. Queueing itself is the dispatch's (exec/exec.c). */
#include "base/err.h"
#include "exec/exec.h"
#include "exec/multi.h"
#include "exec/reply.h"

void tr_cmd_multi(tr_client *c) {
    if (tr_multi_active(c)) {
        tr_reply_error(c, "ERR MULTI calls can not be nested");
    } else if (tr_multi_begin(c) != TR_OK) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
    } else {
        tr_reply_ok(c);
    }
}

void tr_cmd_discard(tr_client *c) {
    if (!tr_multi_active(c)) {
        tr_reply_error(c, "ERR DISCARD without MULTI");
        return;
    }
    tr_multi_end(c);
    tr_reply_ok(c);
}

void tr_cmd_exec(tr_client *c) {
    if (!tr_multi_active(c)) {
        tr_reply_error(c, "ERR EXEC without MULTI");
    } else if (c->multi->aborted) {
        tr_reply_error(c, "EXECABORT Transaction discarded because of previous errors.");
        tr_multi_end(c);
    } else if (tr_multi_is_stale(c)) {
        tr_reply_null_array(c);
        tr_multi_end(c);
    } else {
        tr_exec_run_queue(c);
    }
}

void tr_cmd_watch(tr_client *c) {
    if (tr_multi_active(c)) {
        tr_reply_error(c, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (int i = 1; i < c->argc; i++) {
        if (tr_multi_watch(c, &c->argv[i]) == TR_OK) continue;
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    tr_reply_ok(c);
}

void tr_cmd_unwatch(tr_client *c) {
    if (!tr_multi_active(c)) tr_multi_unwatch(c);
    tr_reply_ok(c);
}
