/* Checkpoints: new bases, so that the journal may forget. */
#include "base/clock.h"
#include "base/err.h"
#include "exec/exec.h"
#include "modhost/values_impl.h"

enum { DONE = 0 };

static void end(tr_values *values, int ok) {
    int rc = tr_journal_checkpoint_ends(&values->journal, ok);
    values->snapshot = 0;
    if (rc == TR_OK) {
        values->checkpoints++;
        values->hurry = 0;
        values->here_fails = 0;
    } else {
        values->checkpoints_failed++;
    }
}

void tr__checkpoint_lost(tr_values *values) {
    if (values->snapshot == 0) return;
    if (values->snapshot_here) values->here_fails = 1;
    end(values, 0);
}

/* By a child, so that nobody waits. What saves may crash or hang there and not here, and the other way round: after a
 * child that has failed the process itself does it, unless it died of that. */
static int is_for_here(const tr_values *values, size_t bytes) {
    return !values->here_fails && (bytes <= TR_CHECKPOINT_HERE_MAX || values->in_child_fails);
}

static void child_fails(tr_values *values) {
    values->in_child_fails = 1;
    if (!values->here_fails) return;
    values->rest_until_ns = tr_clock_mono_ns(values->h->m->x->clock) + (int64_t)TR_CHECKPOINT_REST_MS * 1000000;
}

/* The journal is worth less than what it takes up. */
static int is_due(const tr_values *values) {
    const tr_journal *j = &values->journal;
    size_t bytes_max = j->base_bytes > TR_JOURNAL_BYTES_MIN ? j->base_bytes : TR_JOURNAL_BYTES_MIN;
    return values->hurry || j->bytes > bytes_max || j->count > TR_JOURNAL_ENTRIES_MAX;
}

static int begin(tr_values *values, int in_child) {
    tr_helper *h = values->h;
    tr_msg_snapshot ask = {
        .number = ++values->snapshots, .in_child = (uint8_t)in_child, .time_ms = TR_CHECKPOINT_MS_MAX};
    tr_msg_snapshot_answer answer;
    tr_buf hold = {0};
    values->snapshot = ask.number;
    values->snapshot_here = !in_child;
    values->snapshot_ns = tr_clock_mono_ns(h->m->x->clock);
    tr_journal_checkpoint_begins(&values->journal);
    values->frozen++;
    int rc = tr_helper_ask(h, TR_MSG_SNAPSHOT, &ask, &answer, &hold);
    values->frozen--;
    tr_buf_release(h->m->mem, &hold);
    if (values->snapshot != ask.number) return TR_ECLOSED; /* it was given up meanwhile */
    if (rc == TR_OK && answer.outcome == DONE) {
        if (!in_child) end(values, 1);
        return TR_OK;
    }
    end(values, 0);
    return rc == TR_OK ? TR_ENOTSUP : rc;
}

/* Between units, so the state of the journal is that of the process. */
void tr__checkpoint_cron(tr_values *values) {
    const tr_journal *j = &values->journal;
    if (values->snapshot != 0) {
        int64_t ns = tr_clock_mono_ns(values->h->m->x->clock) - values->snapshot_ns;
        /* Twice the time: its end has not even been told. */
        if (ns > (int64_t)TR_CHECKPOINT_MS_MAX * 2 * 1000000) end(values, 0);
        return;
    }
    if (!is_due(values)) return;
    if (values->rest_until_ns != 0 && tr_clock_mono_ns(values->h->m->x->clock) < values->rest_until_ns) return;
    values->rest_until_ns = 0;
    if (!values->hurry) tr_journal_sweep(&values->journal);
    if (!is_due(values)) return;
    if (!is_for_here(values, j->base_bytes + j->bytes)) {
        if (begin(values, 1) != TR_ENOTSUP) return;
        child_fails(values);
        if (values->here_fails) return;
    }
    values->in_child_fails = 0;
    begin(values, 0);
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
    if (m->outcome != DONE) child_fails(values);
    return TR_OK;
}
