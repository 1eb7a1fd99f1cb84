/* Who else may have the floor: threads, timers and descriptors of a helper ask for it. */
#include <string.h>

#include "base/err.h"
#include "modhost/internal.h"

void tr__helper_queue_first(tr_helper *h, tr_unit *unit) {
    tr_unit **at = &h->pending;
    while (*at != NULL && ((*at)->kind == TR_UNIT_LIFE || (*at)->kind == TR_UNIT_BLOCKED)) at = &(*at)->next;
    unit->next = *at;
    *at = unit;
    if (unit->next == NULL) h->pending_last = unit;
    h->pending_count++;
}

/* 1: one of these waits for the floor already. */
static int has_ask(const tr_helper *h, uint64_t ask) {
    for (const tr_unit *unit = h->pending; unit != NULL; unit = unit->next)
        if (unit->kind == TR_UNIT_GRANT && unit->number == ask) return 1;
    for (const tr_unit *unit = h->handed; unit != NULL; unit = unit->next)
        if (unit->kind == TR_UNIT_GRANT && unit->number == ask) return 1;
    return 0;
}

/* The grant of an ask, to be queued. 0 or a code that fails the helper. */
static int new_grant(tr_helper *h, uint64_t ask, uint8_t purpose, tr_unit **out) {
    tr_modhost *m = h->m;
    if (ask == 0 || has_ask(h, ask)) return tr_helper_wrong(h, "an ask for the floor with a bad number");
    if (h->asks == TR_MODHOST_ASKS_MAX) return TR_ELIMIT;
    tr_msg_grant_floor body = {.ask = ask,
                               .purpose = purpose,
                               .now_us = m->x->now_us,
                               .context_flags = tr_modhost_context_flags(m, NULL)};
    tr_unit *unit = tr_unit_new(h, TR_UNIT_GRANT, TR_MSG_GRANT_FLOOR, &body);
    if (unit == NULL) return TR_ENOMEM;
    unit->number = ask;
    h->asks++;
    *out = unit;
    return TR_OK;
}

int tr_modhost_ask_floor(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_ask_floor *m = body;
    tr_unit *unit;
    (void)header;
    int rc = new_grant(h, m->ask, m->purpose, &unit);
    if (rc == TR_OK) tr_helper_queue(h, unit);
    return rc;
}

/* Nobody else runs, and nothing of this helper waits: the floor can be had now. */
static int is_free(const tr_helper *h) {
    return h->state == TR_HELPER_SERVING && h->handed == NULL && h->pending == NULL && h->m->floor == NULL &&
           h->m->x->hold == 0;
}

int tr_modhost_try_floor(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_try_floor *m = body;
    tr_msg_try_floor_answer answer = {.granted = (uint8_t)is_free(h)};
    tr_unit *unit;
    int rc = answer.granted ? new_grant(h, m->ask, 0, &unit) : TR_OK;
    if (rc == TR_OK && answer.granted) tr_helper_queue(h, unit);
    return rc == TR_OK ? tr_helper_answer(h, header, &answer) : rc;
}

int tr_modhost_drop_ask(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_drop_ask *m = body;
    (void)header;
    tr_unit *before = NULL;
    for (tr_unit *unit = h->pending; unit != NULL; before = unit, unit = unit->next) {
        if (unit->kind != TR_UNIT_GRANT || unit->number != m->ask) continue;
        if (before != NULL) before->next = unit->next;
        else h->pending = unit->next;
        if (h->pending_last == unit) h->pending_last = before;
        h->pending_count--;
        h->asks--;
        tr__unit_free(h->m, unit);
        break;
    }
    return TR_OK; /* a grant that is on its way comes back unused */
}

int tr_modhost_grant_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message) {
    tr_msg_grant_floor_answer answer;
    int rc = tr__decode(h, header, message, &answer);
    if (rc != TR_OK) return rc;
    if (answer.ask != unit->number) return tr_helper_wrong(h, "the floor comes back from another ask");
    h->asks--;
    return tr_unit_commit(h, unit);
}

void tr__grants_lost(tr_helper *h) {
    tr_unit *unit = h->pending;
    h->pending = h->pending_last = NULL;
    h->pending_count = 0;
    h->asks = 0;
    while (unit != NULL) {
        tr_unit *next = unit->next;
        if (unit->kind == TR_UNIT_GRANT || unit->kind == TR_UNIT_BLOCKED) tr__unit_free(h->m, unit);
        else tr_helper_queue(h, unit);
        unit = next;
    }
}

int tr_modhost_yield(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_yield *m = body;
    tr_exec *x = h->m->x;
    if (m->text.len != 0) {
        size_t len = m->text.len < sizeof x->busy_text - 1 ? m->text.len : sizeof x->busy_text - 1;
        memcpy(x->busy_text, m->text.at, len);
        x->busy_text[len] = '\0';
    }
    /* It says itself that it is alive and takes its time. */
    if (h->deadline_ns != INT64_MAX)
        h->deadline_ns = tr_clock_mono_ns(x->clock) + h->m->command_ms * 1000000;
    tr_exec_begin(x);
    tr_msg_yield_answer answer = {.now_us = x->now_us};
    return tr_helper_answer(h, header, &answer);
}
