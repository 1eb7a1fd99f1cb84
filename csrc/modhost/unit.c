/* Units: from a command to its message, from the answer to the client. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/keys.h"
#include "exec/latency_events.h"
#include "exec/redact.h"
#include "exec/reply.h"
#include "modhost/internal.h"
#include "modhost/values.h"
#include "resp/check.h"
#include "store/undo.h"

#define NS_PER_MS 1000000
#define BODY_AT TR_WIRE_HEADER_BYTES /* in a message */
#define UNSENT 1 /* the id of a request until it has its own */

/* All zeros, but for a buffer that is empty. */
static tr_unit *take_spare(tr_modhost *m) {
    tr_unit *unit = m->spare;
    if (unit == NULL) return tr_zalloc(m->mem, sizeof *unit);
    tr_buf message = unit->message;
    m->spare = unit->next;
    m->spare_count--;
    *unit = (tr_unit){.message = message};
    return unit;
}

static void free_unit(tr_modhost *m, tr_unit *unit) {
    tr_buf_release(m->mem, &unit->message);
    tr_free(m->mem, unit);
}

void tr__units_trim(tr_modhost *m, uint32_t keep) {
    while (m->spare_count > keep) free_unit(m, take_spare(m));
}

tr_unit *tr_unit_new(tr_helper *h, tr_unit_kind kind, tr_msg_type type, const void *body) {
    tr_mem *mem = h->m->mem;
    tr_unit *unit = take_spare(h->m);
    if (unit == NULL) return NULL;
    unit->kind = (uint8_t)kind;
    unit->type = (uint16_t)type;
    if (tr_wire_encode(mem, &unit->message, (uint16_t)type, TR_WIRE_QUEUED, UNSENT, body) != TR_OK) {
        tr__unit_free(h->m, unit);
        return NULL;
    }
    return unit;
}

void tr__unit_free(tr_modhost *m, tr_unit *unit) {
    for (tr_caller *caller = m->caller; caller != NULL; caller = caller->outer) {
        if (caller->unit == unit) caller->unit = NULL;
    }
    tr_propagation_drop(m->mem, &unit->propagation);
    tr_free(m->mem, unit->hidden);
    if (m->spare_count == TR_MODHOST_SPARE_MAX || unit->message.cap > TR_MODHOST_SPARE_BYTES_MAX) {
        free_unit(m, unit);
        return;
    }
    unit->message.rpos = unit->message.wpos = 0;
    unit->next = m->spare;
    m->spare = unit;
    m->spare_count++;
}

void tr_helper_queue(tr_helper *h, tr_unit *unit) {
    unit->next = NULL;
    if (h->pending_last != NULL) h->pending_last->next = unit;
    else h->pending = unit;
    h->pending_last = unit;
    h->pending_count++;
}

tr_wire_bytes *tr__wire_args(tr_mem *mem, tr_wire_bytes few[TR_FEW_ARGS], const tr_arg *argv, int argc) {
    tr_wire_bytes *items = argc <= TR_FEW_ARGS ? few : tr_alloc(mem, (size_t)argc * sizeof *items);
    for (int i = 0; items != NULL && i < argc; i++)
        items[i] = (tr_wire_bytes){.at = (const uint8_t *)argv[i].ptr, .len = (uint32_t)argv[i].len};
    return items;
}

void tr__wire_args_free(tr_mem *mem, const tr_wire_bytes *few, tr_wire_bytes *items) {
    if (items != few) tr_free(mem, items);
}

void tr_unit_argv(const tr_unit *unit, tr_arg *argv) {
    tr_msg_run_command m;
    const uint8_t *body = (const uint8_t *)unit->message.data + unit->message.rpos + BODY_AT;
    const char *why = tr_wire_decode(TR_MSG_RUN_COMMAND, body, tr_buf_unread(&unit->message) - BODY_AT, &m);
    tr_assert(why == NULL && m.argv.count == (uint32_t)unit->argc);
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    for (int i = 0; tr_wire_next(&m.argv, &cursor, &item); i++)
        argv[i] = (tr_arg){.ptr = (const char *)item.at, .len = item.len};
}

int tr_modhost_hide(tr_mem *mem, uint8_t **hidden, int argc, uint32_t position) {
    tr_assert(position < (uint32_t)argc);
    if (*hidden == NULL) *hidden = tr_zalloc(mem, (size_t)argc);
    if (*hidden == NULL) return TR_ENOMEM;
    (*hidden)[position] = 1;
    return TR_OK;
}

void tr_modhost_cover(tr_arg *argv, int argc, const uint8_t *hidden) {
    for (int i = 0; hidden != NULL && i < argc; i++) {
        if (hidden[i]) argv[i].ptr = TR_REDACTED, argv[i].len = sizeof(TR_REDACTED) - 1; /* a blob stays its owner's */
    }
}

int tr_modhost_redact(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header;
    const tr_msg_redact *m = body;
    tr_unit *unit = tr_helper_unit(h);
    /* One that asks for positions of keys has no unit: what it hides there is nowhere to be seen. */
    if (unit == NULL || unit->kind != TR_UNIT_COMMAND || m->position == 0 || m->position >= (uint32_t)unit->argc)
        return TR_OK;
    int rc = tr_modhost_hide(h->m->mem, &unit->hidden, unit->argc, m->position);
    /* Amid EXEC or a call the dispatch shows the command as the client has it: an array that is its own by now. */
    const tr_client *c = unit->nested ? unit->nested_client : NULL;
    if (rc == TR_OK && c != NULL && c->argc == unit->argc)
        tr_modhost_cover((tr_arg *)(uintptr_t)c->argv, c->argc, unit->hidden);
    return rc;
}

void tr__unit_begins(tr_helper *h, tr_unit *unit, int64_t now_ns) {
    tr_modhost *m = h->m;
    unit->began_ns = now_ns;
    unit->undo_mark = tr_undo_begin(m->x->store);
    h->deadline_ns = m->command_ms > 0 ? unit->began_ns + m->command_ms * 1000000 : INT64_MAX;
}

/* The client that the unit is for, if it is still there. */
static tr_client *client_of(tr_helper *h, const tr_unit *unit) {
    if (unit->nested) return unit->nested_client;
    return unit->client_id == 0 ? NULL : tr_client_by_id(h->m->x, unit->client_id);
}

/* How long it has had the floor, nanoseconds. */
static uint64_t duration_of(const tr_unit *unit) {
    return (uint64_t)(unit->ended_ns - unit->began_ns);
}

/* It gives the floor back; LATENCY gets to know. */
static void note_end(tr_helper *h, tr_unit *unit) {
    if (unit->began_ns == 0) return;
    unit->ended_ns = tr_clock_mono_ns(h->m->x->clock);
    uint64_t ns = duration_of(unit);
    if (ns >= NS_PER_MS) tr_latency_sample(h->m->x, TR_LATENCY_MODULE_CALL, (int64_t)(ns / NS_PER_MS));
}

int tr_unit_commit(tr_helper *h, tr_unit *unit) {
    tr_exec *x = h->m->x;
    tr_modhost_close_keys(h);
    int rc = tr_values_unit_ends(h, unit);
    if (rc != TR_OK) return rc;
    h->deadline_ns = INT64_MAX;
    note_end(h, unit);
    h->stats.units++;
    h->stats.ns += duration_of(unit);
    tr_modhost_unit_ends(h, unit);
    tr_undo_commit(x->store, unit->undo_mark);
    tr__modhost_taken_back(h->m); /* a mark around it may have waited for its end */
    unit->done = 1;
    return TR_OK;
}

/* Its reply is complete: the client goes on. */
static void settle(tr_helper *h, tr_unit *unit, tr_client *c, int failed) {
    tr_modhost *m = h->m;
    if (unit->nested || unit->kind != TR_UNIT_COMMAND || c == NULL) return;
    uint64_t ns = duration_of(unit);
    tr_arg *argv = tr_exec_looks(m->x, ns) ? tr_alloc(m->mem, (size_t)unit->argc * sizeof *argv) : NULL;
    if (argv != NULL) tr_unit_argv(unit, argv);
    if (argv != NULL) tr_modhost_cover(argv, unit->argc, unit->hidden);
    /* One that was refused did not even begin. */
    int64_t now_ns = unit->ended_ns != 0 ? unit->ended_ns : tr_clock_mono_ns(m->x->clock);
    tr_exec_unit_done(c, unit->cmd, argv, argv ? unit->argc : 0, now_ns, ns, failed);
    tr_free(m->mem, argv);
    m->hooks.output(m->hooks.ctx, c);
    if (c->units == 0) m->hooks.go_on(m->hooks.ctx, c);
}

static void write_reply(tr_helper *h, tr_unit *unit, tr_client *c, const tr_msg_run_command_answer *answer) {
    tr_exec *x = h->m->x;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes code;
    while (tr_wire_next(&answer->error_codes, &cursor, &code)) tr_exec_count_error(x, (const char *)code.at, code.len);
    if (c == NULL || unit->silent) return;
    tr_w_raw(&c->w, answer->reply.at, answer->reply.len);
    if (answer->error_codes.count != 0) c->flags |= TR_CLIENT_FAILED_COMMAND;
}

enum { EFFECT_BLOCKED = 1, EFFECT_VERBATIM = 2, EFFECT_CLOSE = 16 };

static int command_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message) {
    tr_msg_run_command_answer answer;
    int rc = tr__decode(h, header, message, &answer);
    if (rc != TR_OK) return rc;
    if (!tr_resp_check_answer((const char *)answer.reply.at, answer.reply.len, unit->proto)) {
        return tr_helper_wrong(h, "a reply that is not one value");
    }
    tr_client *c = client_of(h, unit);
    unit->effects = answer.effects;
    if (answer.effects & EFFECT_VERBATIM) unit->verbatim = 1;
    h->stats.commands++;
    rc = tr_unit_commit(h, unit);
    if (rc != TR_OK) return rc;
    write_reply(h, unit, c, &answer);
    if (tr_modhost_has_blocked(h, unit)) return TR_OK;
    if (c != NULL && answer.effects & EFFECT_CLOSE) c->flags |= TR_CLIENT_CLOSE_AFTER_REPLY;
    settle(h, unit, c, answer.error_codes.count != 0);
    return TR_OK;
}

int tr_modhost_get_keys(tr_modhost *m, const tr_command *cmd, const tr_arg *argv, int argc, tr_keys *keys) {
    const tr_runtime_command *r = tr_runtime_of(cmd);
    tr_helper *h = (tr_helper *)r->owner;
    tr_wire_bytes few[TR_FEW_ARGS];
    tr_wire_bytes *items = tr__wire_args(m->mem, few, argv, argc);
    if (items == NULL) return TR_ENOMEM;
    tr_msg_run_command ask = {.command = r->handle,
                              .purpose = 1,
                              .resp = 2,
                              .now_us = m->x->now_us,
                              .argv = {.count = (uint32_t)argc, .items.texts = items}};
    tr_msg_run_command_answer answer;
    tr_buf hold = {0};
    int rc = tr_helper_ask(h, TR_MSG_RUN_COMMAND, &ask, &answer, &hold);
    for (uint32_t i = 0; rc == TR_OK && i < answer.positions.count; i++) {
        uint64_t position = tr_wire_u64_at(&answer.positions, i);
        if (position >= (uint64_t)argc) rc = TR_EINVAL;
        else rc = tr_keys_add(keys, (int)position, (uint32_t)tr_wire_u64_at(&answer.position_flags, i));
    }
    tr_buf_release(m->mem, &hold);
    tr__wire_args_free(m->mem, few, items);
    return rc;
}

/* The floor for loading or unloading has come back. */
static int life_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message) {
    tr_msg_grant_floor_answer answer;
    int rc = tr__decode(h, header, message, &answer);
    if (rc != TR_OK) return rc;
    rc = tr_unit_commit(h, unit);
    if (rc != TR_OK) return rc;
    h->events |= TR_HELPER_EVENT_LOADED;
    h->m->hooks.event(h->m->hooks.ctx);
    return TR_OK;
}

int tr__unit_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message) {
    switch ((tr_unit_kind)unit->kind) {
        case TR_UNIT_COMMAND: return command_answered(h, unit, header, message);
        case TR_UNIT_LIFE: return life_answered(h, unit, header, message);
        case TR_UNIT_EVENT: return tr_unit_commit(h, unit);
        case TR_UNIT_GRANT: return tr_modhost_grant_answered(h, unit, header, message);
        case TR_UNIT_BLOCKED: return tr_modhost_blocked_answered(h, unit, header, message);
    }
    return tr_helper_wrong(h, "an answer to nothing");
}

static void reply_error(tr_helper *h, tr_unit *unit, const char *error) {
    tr_client *c = client_of(h, unit);
    if (c != NULL && !unit->silent) tr_reply_error(c, error);
    settle(h, unit, c, 1);
}

void tr__unit_crashed(tr_helper *h, tr_unit *unit) {
    note_end(h, unit);
    char error[TR_HELPER_ERROR_MAX];
    if (unit->began_ns != 0 && tr_undo_rollback(h->m->x->store, unit->undo_mark) != TR_OK) {
        size_t len = strlen(h->reason);
        snprintf(h->reason + len, sizeof h->reason - len, " (no memory to undo all that it did)");
    }
    tr__modhost_taken_back(h->m);
    tr__helper_crash_text(h, error);
    unit->done = -1;
    if (unit->kind == TR_UNIT_COMMAND) reply_error(h, unit, error);
    if (unit->kind == TR_UNIT_BLOCKED) tr_modhost_blocked_crashed(h, unit, error);
}

void tr__unit_refused(tr_helper *h, tr_unit *unit, const char *error) {
    unit->done = -1;
    if (unit->kind == TR_UNIT_COMMAND) reply_error(h, unit, error);
    if (unit->kind == TR_UNIT_BLOCKED) tr_modhost_blocked_crashed(h, unit, error);
}
