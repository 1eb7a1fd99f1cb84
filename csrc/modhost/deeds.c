/* What a unit does with the values of its helper, and how that gets into the journal. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "modhost/values_impl.h"
#include "sandbox/wire/replayable.h"
#include "store/undo.h"

static tr_mem *mem_of(const tr_values *values) {
    return values->h->m->mem;
}

tr_journal *tr__values_journal(tr_values *values) {
    values->journal.stamp = tr_undo_stamp(values->h->m->x->store);
    return &values->journal;
}

tr_deeds *tr__deeds_of(tr_values *values, const tr_unit *unit) {
    if (values->deeds != NULL && values->deeds->unit == unit) return values->deeds;
    tr_deeds *deeds = tr_zalloc(mem_of(values), sizeof(*deeds));
    if (deeds == NULL) return NULL;
    deeds->unit = unit;
    deeds->outer = values->deeds;
    values->deeds = deeds;
    return deeds;
}

static void drop_payload(tr_values *values, tr_deeds *deeds) {
    tr_payload *first = deeds->payloads;
    deeds->payloads = first->next;
    first->value->pending--;
    tr_journal_let_go(mem_of(values), first->value);
    tr_free(mem_of(values), first);
}

void tr__deeds_drop(tr_values *values) {
    tr_deeds *deeds = values->deeds;
    values->deeds = deeds->outer;
    while (deeds->payloads != NULL) drop_payload(values, deeds);
    tr_touched_release(&values->journal, &deeds->touched);
    tr_free(mem_of(values), deeds);
}

/* ------------------------------------------------------------------ while it runs */

int tr_values_opened(tr_helper *h, const tr_db *db, const char *name, size_t len, uint32_t mode, const tr_entry *e) {
    tr_values *values = h->values;
    const tr_unit *unit = tr_helper_unit(h);
    tr_module_value *v = tr__value_of(values, e);
    int is_put_down = tr__values_kept(values) && (v == NULL || v->covered);
    if (!is_put_down && mode & TR_MODE_WRITE && tr__unkept_note(values, v) != TR_OK) return TR_ENOMEM;
    if (unit == NULL || !tr__values_kept(values)) return TR_OK;
    tr_deeds *deeds = tr__deeds_of(values, unit);
    if (deeds == NULL) return TR_ENOMEM;
    if (e != NULL && (v == NULL || !v->covered)) {
        deeds->foreign = 1;
        return TR_OK;
    }
    tr_jname *n = tr_touched_find(&values->journal, &deeds->touched, (uint32_t)db->id, name, len);
    if (n == NULL) {
        n = tr_touched_add(&values->journal, &deeds->touched, (uint32_t)db->id, name, len, v);
        if (n == NULL) return TR_ENOMEM;
        n->expire_ms = e == NULL ? -1 : tr_db_expire_at(db, e);
    }
    if (mode & TR_MODE_WRITE) n->written = 1;
    return TR_OK;
}

/* Puts down what a message says of its unit. */
static int note(tr_values *values, const tr_unit *unit, uint16_t type) {
    if (tr_wire_replayable(type)) return TR_OK;
    tr_deeds *deeds = tr__deeds_of(values, unit);
    if (deeds == NULL) return TR_ENOMEM;
    deeds->foreign = 1;
    return TR_OK;
}

int tr_values_message(tr_helper *h, const tr_wire_header *header, const void *body) {
    tr_values *values = h->values;
    if (values != NULL && values->frozen != 0 && !tr_wire_is_aside(header->type))
        return tr_helper_wrong(h, "a request amid a question about a value");
    if (!tr__values_kept(values)) return 0;
    if (values->replay != NULL && !tr_wire_is_aside(header->type)) {
        int rc = tr__replay_serve(values, header, body);
        return rc == TR_OK ? 1 : rc;
    }
    const tr_unit *unit = tr_helper_unit(h);
    return unit == NULL ? 0 : note(values, unit, header->type);
}

/* ------------------------------------------------------------------ payloads of the process */

static int stage(tr_values *values, tr_deeds *deeds, tr_module_value *v, const tr_wire_bytes *bytes) {
    tr_payload *payload = tr_alloc(mem_of(values), sizeof(*payload) + bytes->len);
    if (payload == NULL) return TR_ENOMEM;
    payload->value = v;
    payload->before = NULL;
    payload->len = bytes->len;
    if (bytes->len != 0) memcpy(payload->bytes, bytes->at, bytes->len);
    tr_journal_hold(v);
    v->pending++;
    payload->next = deeds->payloads;
    deeds->payloads = payload;
    return TR_OK;
}

/* Outside of any unit of the helper. */
static int add_now(tr_values *values, tr_module_value *v, const tr_wire_bytes *bytes) {
    tr_jentry *before;
    tr_arg payload = {.ptr = (const char *)bytes->at, .len = bytes->len};
    tr_journal *j = tr__values_journal(values);
    int rc = tr_journal_add_payload(j, v, v->type->encver, &payload, &before);
    if (rc == TR_OK && before != NULL && j->stamp == 0) tr_journal_drop(j, before);
    return rc;
}

int tr_modhost_values_now(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_values_now *m = body;
    tr_values *values = h->values;
    (void)header;
    if (!tr__values_kept(values)) return TR_OK;
    if (h->state == TR_HELPER_RESTORING) return tr_helper_wrong(h, "values before it has those that it had");
    const tr_unit *unit = tr_helper_unit(h);
    tr_deeds *deeds = unit == NULL ? NULL : tr__deeds_of(values, unit);
    if (unit != NULL && deeds == NULL) return TR_ENOMEM;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes payload;
    for (uint32_t i = 0; tr_wire_next(&m->payloads, &cursor, &payload); i++) {
        tr_module_value *v = tr_journal_by_token(&values->journal, tr_wire_u64_at(&m->tokens, i));
        if (v == NULL || !v->covered) continue; /* it has gone in the meantime */
        int rc = deeds != NULL ? stage(values, deeds, v, &payload) : add_now(values, v, &payload);
        if (rc != TR_OK) return rc;
    }
    return TR_OK;
}

/* ------------------------------------------------------------------ at its end */

/* It is for everybody, and ours: running it again changes nothing but our values. */
static int is_own(const tr_values *values, const tr_propagated *one) {
    const tr_command *cmd = tr_exec_resolve(values->h->m->x, one->argv, one->argc);
    if (one->flags != 0 || cmd == NULL || cmd->handler_kind != TR_HANDLER_MODULE) return 0;
    return tr_runtime_of(cmd)->owner == values->h;
}

/* Its commands alone bring about what it did. */
static int can_run_again(const tr_values *values, const tr_deeds *deeds, const tr_unit *unit) {
    if (unit->kind == TR_UNIT_EVENT || unit == values->h->inner) return 0;
    if (deeds->foreign || unit->propagation.count == 0) return 0;
    for (const tr_propagated *one = unit->propagation.first; one != NULL; one = one->next) {
        if (!is_own(values, one)) return 0;
    }
    return 1;
}

static int add_commands(tr_values *values, const tr_deeds *deeds, tr_unit *unit) {
    tr_jcommand *commands = tr_alloc(mem_of(values), unit->propagation.count * sizeof(*commands));
    if (commands == NULL) return TR_ENOMEM;
    uint32_t count = 0;
    for (tr_propagated *one = unit->propagation.first; one != NULL; one = one->next)
        commands[count++] = (tr_jcommand){.db = (uint32_t)one->db_id, .argc = one->argc, .argv = one->argv};
    int rc = tr_journal_add_commands(tr__values_journal(values), &deeds->touched, commands, count);
    tr_free(mem_of(values), commands);
    return rc;
}

static int may_have_changed(const tr_module_value *v) {
    return v != NULL && v->live && v->covered;
}

/* Values that it may have changed and whose state nobody has sent are noted, in case that is to be taken back. */
static int note_missing(tr_values *values, const tr_deeds *deeds) {
    const tr_touched *r = &deeds->touched;
    int rc = TR_OK;
    for (uint32_t i = 0; i < r->name_count && rc == TR_OK; i++) {
        tr_module_value *v = r->names[i].value;
        if (r->names[i].written && may_have_changed(v) && v->pending == 0) rc = tr__unkept_note(values, v);
    }
    return rc;
}

/* How many values it may have changed; *missing: some of them without a payload. */
static uint32_t changed(const tr_deeds *deeds, int *missing) {
    const tr_touched *r = &deeds->touched;
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->name_count; i++) {
        const tr_jname *n = &r->names[i];
        if (!n->written || !may_have_changed(n->value)) continue;
        count++;
        if (!*missing) *missing = n->value->pending == 0;
    }
    for (uint32_t i = 0; i < r->made_count; i++) {
        if (!may_have_changed(r->made[i])) continue;
        count++;
        if (!*missing) *missing = r->made[i]->pending == 0;
    }
    return count;
}

/* An entry that was made needless goes, unless it is what would count when a unit around this one is undone. */
static void drop_needless(tr_values *values, const tr_deeds *deeds, tr_jentry *e) {
    size_t mark = deeds->unit->undo_mark;
    uint64_t stamp = mark == 0 ? 0 : tr_undo_stamp_of(values->h->m->x->store, mark - 1);
    if (e->stamp >= stamp) tr_journal_drop(&values->journal, e);
}

/* Payloads in the order in which they came: the last of a value counts. */
static int add_payloads(tr_values *values, tr_deeds *deeds) {
    tr_payload *turned = NULL;
    tr_journal *j = tr__values_journal(values);
    int rc = TR_OK;
    while (deeds->payloads != NULL) {
        tr_payload *p = deeds->payloads;
        deeds->payloads = p->next;
        p->next = turned;
        turned = p;
    }
    deeds->payloads = turned;
    for (tr_payload *p = turned; p != NULL && rc == TR_OK; p = p->next) {
        tr_module_value *v = p->value;
        tr_arg payload = {.ptr = p->bytes, .len = p->len};
        if (v->live) rc = tr_journal_add_payload(j, v, v->type->encver, &payload, &p->before);
    }
    /* Nothing goes before all are there: who fails here is undone. */
    for (tr_payload *p = turned; p != NULL && rc == TR_OK; p = p->next) {
        if (p->before != NULL) drop_needless(values, deeds, p->before);
    }
    return rc;
}

int tr_values_unit_ends(tr_helper *h, tr_unit *unit) {
    tr_values *values = h->values;
    if (values == NULL || values->deeds == NULL || values->deeds->unit != unit) return TR_OK;
    tr_deeds *deeds = values->deeds;
    int missing = 0, rc = TR_OK;
    uint32_t count = changed(deeds, &missing);
    if (deeds->payloads != NULL) {
        rc = add_payloads(values, deeds);
    } else if (count != 0 && can_run_again(values, deeds, unit)) {
        rc = add_commands(values, deeds, unit);
        missing = 0;
    }
    if (rc == TR_OK && count != 0 && missing) {
        values->not_kept++;
        values->hurry = 1;
        rc = note_missing(values, deeds);
    }
    tr__deeds_drop(values);
    return rc;
}
