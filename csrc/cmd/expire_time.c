#include "cmd/expire_time.h"

#include "base/assert.h"
#include "exec/exec.h"
#include "exec/reply.h"

static int refuse(tr_client *c) {
    tr_assert(c->cmd != NULL);
    tr_reply_errorf(c, "ERR invalid expire time in '%s' command", c->cmd->fullname);
    return 0;
}

/* *n becomes milliseconds since 1970; 0: it does not fit. */
static int to_deadline(const tr_client *c, tr_time_unit unit, tr_time_base base, int64_t *n) {
    if (unit == TR_SECONDS && __builtin_mul_overflow(*n, 1000, n)) return 0;
    if (base == TR_FROM_NOW && __builtin_add_overflow(*n, c->x->store->now_ms, n)) return 0;
    return 1;
}

int tr_arg_deadline(tr_client *c, int i, tr_time_unit unit, tr_time_base base, int64_t *when_ms) {
    int64_t n;
    if (!tr_arg_int(c, i, &n)) return 0;
    if (!to_deadline(c, unit, base, &n)) return refuse(c);
    *when_ms = n;
    return 1;
}

int tr_arg_positive_deadline(tr_client *c, int i, tr_time_unit unit, tr_time_base base,
                             int64_t *when_ms) {
    int64_t n;
    if (!tr_arg_int(c, i, &n)) return 0;
    if (n <= 0 || !to_deadline(c, unit, base, &n)) return refuse(c);
    *when_ms = n;
    return 1;
}

int tr_deadline_passed(const tr_client *c, int64_t when_ms) {
    return when_ms <= c->x->store->now_ms && !c->x->store->keep_expired;
}
