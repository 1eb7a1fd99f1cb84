/* Checkpoints: new bases, so that the journal may forget. */
#include "base/clock.h"
#include "base/err.h"
#include "exec/exec.h"
#include "modhost/values_impl.h"

enum { DONE = 0, NO_CHILD = 2 };

static int64_t mono_ns(const tr_values *values) {
    return tr_clock_mono_ns(values->h->m->x->clock);
}

/* What saves may crash, hang or be refused again and again: each time it rests longer. */
static void rest(tr_values *values) {
    int64_t ms = (int64_t)TR_CHECKPOINT_REST_MS_MIN << values->fails;
    if (ms < TR_CHECKPOINT_REST_MS_MAX) values->fails++;
    else ms = TR_CHECKPOINT_REST_MS_MAX;
    values->rest_until_ns = mono_ns(values) + ms * 1000000;
}

static int stop(tr_values *values, int ok) {
    int rc = tr_journal_checkpoint_ends(&values->journal, ok);
    values->snapshot = 0;
    if (rc != TR_OK) values->checkpoints_failed++;
    return rc;
}

static void end(tr_values *values, int ok) {
    if (stop(values, ok) != TR_OK) {
        rest(values);
        return;
    }
    values->checkpoints++;
    values->hurry = 0;
    values->here_fails = 0;
    values->fails = 0;
}

void tr__checkpoint_lost(tr_values *values) {
    if (values->snapshot == 0) return;
    stop(values, 0);
    if (values->h->state != TR_HELPER_DOWN) return; /* its values have changed under it: the next one may begin */
    if (values->snapshot_here) values->here_fails = 1;
    rest(values);
}

/* The journal is worth less than what it takes up. */
static int is_due(const tr_values *values) {
    const tr_journal *j = &values->journal;
    size_t bytes_max = j->base_bytes > TR_JOURNAL_BYTES_MIN ? j->base_bytes : TR_JOURNAL_BYTES_MIN;
    return values->hurry || j->bytes > bytes_max || j->count > TR_JOURNAL_ENTRIES_MAX;
}

/* 1: begun, or done; 0: no child can be made. Else it has failed. */
static int begin(tr_values *values, int in_child) {
    tr_helper *h = values->h;
    tr_msg_snapshot ask = {.number = ++values->snapshots,
                           .in_child = (uint8_t)in_child,
                           .time_ms = in_child ? TR_CHECKPOINT_MS_MAX : TR_CHECKPOINT_HERE_MS_MAX};
    tr_msg_snapshot_answer answer;
    tr_buf hold = {0};
    values->snapshot = ask.number;
    values->snapshot_here = !in_child;
    values->snapshot_ns = mono_ns(values);
    tr_journal_checkpoint_begins(&values->journal);
    values->frozen++;
    int rc = tr_helper_ask(h, TR_MSG_SNAPSHOT, &ask, &answer, &hold);
    values->frozen--;
    tr_buf_release(h->m->mem, &hold);
    if (values->snapshot != ask.number) return TR_ECLOSED; /* it was given up meanwhile */
    if (rc == TR_OK && answer.outcome == DONE) {
        if (!in_child) end(values, 1);
        return 1;
    }
    if (rc == TR_OK && in_child && answer.outcome == NO_CHILD && !values->here_fails) {
        tr_journal_checkpoint_ends(&values->journal, 0); /* another begins at once */
        values->snapshot = 0;
        return 0;
    }
    end(values, 0);
    return rc == TR_OK ? TR_ENOTSUP : rc;
}

/* Between units, so the state of the journal is that of the process. A child makes it, so that nobody waits for what
 * saves, or dies of it; the process itself only where there can't be a child, and not again once that has killed it. */
void tr__checkpoint_cron(tr_values *values) {
    if (values->snapshot != 0) {
        /* Twice the time: its end has not even been told. */
        if (mono_ns(values) - values->snapshot_ns > (int64_t)TR_CHECKPOINT_MS_MAX * 2 * 1000000) end(values, 0);
        return;
    }
    if (!is_due(values)) return;
    if (values->rest_until_ns != 0 && mono_ns(values) < values->rest_until_ns) return;
    values->rest_until_ns = 0;
    if (!values->hurry) tr_journal_sweep(&values->journal);
    if (!is_due(values)) return;
    if (begin(values, 1) == 0) begin(values, 0);
}

int tr_modhost_snapshot_part(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_snapshot_part *m = body;
    tr_values *values = h->values;
    (void)header;
    if (values == NULL || values->snapshot == 0 || m->number != values->snapshot) return TR_OK;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes payload;
    for (uint32_t i = 0; tr_wire_next(&m->payloads, &cursor, &payload); i++) {
        tr_module_value *v = tr_journal_by_token(&values->journal, tr_wire_u64_at(&m->tokens, i));
        if (v == NULL || !v->marked) continue;
        if (tr_journal_stage(&values->journal, v, v->type->encver, payload.at, payload.len) == TR_OK) continue;
        end(values, 0);
        return TR_OK;
    }
    return TR_OK;
}

int tr_modhost_snapshot_end(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_snapshot_end *m = body;
    tr_values *values = h->values;
    (void)header;
    if (values == NULL || values->snapshot == 0 || m->number != values->snapshot) return TR_OK;
    end(values, m->outcome == DONE);
    return TR_OK;
}
