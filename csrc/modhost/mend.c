/* A unit was undone, and the values of other helpers that its commands have changed go back with it.
 *
 * The log of the store has the keys, the processes have the values. So what such units put into journals is taken
 * out again, and the values that those entries changed are dirty: their process frees them and gets them anew, from
 * base and journal, as after a restart, but only them and those that their entries need or change as well:
 *
 *   X was 1 --> add X Y --> sum Z X | (undone) add X Y      X is dirty; Y: "add X Y" changed it; Z stays as it is
 *
 * Its timers, clients and variables are left alone. What can't be brought about like this is left to a restart: the
 * process is ended when a unit of its own, further out, has such a value open, when there is too much of it, or when
 * something goes wrong on the way.
 */
#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "modhost/internal.h"
#include "modhost/values_impl.h"
#include "store/undo.h"

static tr_mem *mem_of(const tr_values *values) {
    return values->h->m->mem;
}

static tr_store *store_of(const tr_values *values) {
    return values->h->m->x->store;
}

/* ------------------------------------------------------------------ what no entry tells */

static void drop_unkept(tr_values *values) {
    tr_unkept *first = values->unkept;
    values->unkept = first->next;
    first->value->unkept = 0;
    tr_journal_let_go(mem_of(values), first->value);
    tr_free(mem_of(values), first);
}

int tr__unkept_note(tr_values *values, tr_module_value *v) {
    if (v == NULL || store_of(values)->undo_depth < 2) return TR_OK; /* only its own unit can be undone */
    const tr_store *store = store_of(values);
    uint64_t outermost = tr_undo_stamp_of(store, 0);
    uint64_t outer = tr_undo_stamp_of(store, (size_t)store->undo_depth - 2);
    while (values->unkept != NULL && values->unkept->stamp < outermost) drop_unkept(values);
    if (v->unkept >= outer) return TR_OK;
    tr_unkept *u = tr_alloc(mem_of(values), sizeof(*u));
    if (u == NULL) return TR_ENOMEM;
    *u = (tr_unkept){.next = values->unkept, .value = v, .stamp = tr_undo_stamp(store)};
    values->unkept = u;
    v->unkept = u->stamp;
    tr_journal_hold(v);
    return TR_OK;
}

/* ------------------------------------------------------------------ what is taken out */

static void add_dirty(tr_values *values, tr_module_value *v) {
    if (v->dirty) return;
    v->dirty = 1;
    v->next_dirty = values->dirty;
    values->dirty = v;
    tr_journal_hold(v);
}

static void add_live(tr_values *values, tr_module_value *v) {
    if (v != NULL && v->live) add_dirty(values, v);
}

static void drop_dirty(tr_values *values) {
    tr_module_value *v = values->dirty;
    values->dirty = v->next_dirty;
    v->next_dirty = NULL;
    v->dirty = v->marked = 0;
    tr_journal_let_go(mem_of(values), v);
}

static void all_dirty(tr_values *values, const tr_jentry *e) {
    if (e->kind == TR_JOURNAL_PAYLOAD) add_live(values, e->value);
    if (e->kind != TR_JOURNAL_COMMANDS) return;
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].written) add_live(values, e->names[i].value);
    }
}

/* The keys are as before, the values are not, and nothing can be done. */
static void give_up(tr_values *values, uint64_t count) {
    if (count == 0 || values->h->state != TR_HELPER_SERVING) return;
    values->not_taken_back += count;
    values->h->events |= TR_HELPER_EVENT_NOT_TAKEN_BACK;
    values->h->m->hooks.event(values->h->m->hooks.ctx);
}

/* What no entry tells of. 1: it is not to be had back. */
static uint64_t take_unkept(tr_values *values) {
    tr_module_value *v = values->unkept->value;
    int is_new = v->unkept != 0 && v->live;
    uint64_t count = 0;
    if (is_new && v->covered && tr__values_kept(values)) {
        add_dirty(values, v);
    } else if (is_new) {
        count = 1;
        if (v->token == 0) values->loses = 1; /* the module had it back, and has dropped it */
    }
    drop_unkept(values);
    return count;
}

static void take_back(tr_values *values, uint64_t stamp) {
    tr_journal *j = &values->journal;
    uint64_t helpless = 0;
    tr__values_unlinked_since(values, stamp);
    while (values->unkept != NULL && values->unkept->stamp >= stamp) helpless += take_unkept(values);
    while (j->last != NULL && j->last->stamp >= stamp) {
        all_dirty(values, j->last);
        tr_journal_drop(j, j->last);
    }
    give_up(values, helpless);
}

void tr__modhost_taken_back(tr_modhost *m) {
    uint64_t stamp = tr_undo_taken_back(m->x->store);
    if (stamp == 0) return;
    for (tr_helper *h = m->helpers; h != NULL; h = h->next) {
        if (h->values == NULL) continue;
        take_back(h->values, stamp);
        if (h->values->dirty != NULL) m->mends = 1;
    }
}

void tr__mend_lost(tr_values *values) {
    while (values->unkept != NULL) drop_unkept(values);
    while (values->dirty != NULL) drop_dirty(values);
    values->loses = 0;
}

/* ------------------------------------------------------------------ what goes with it */

static tr_module_value *leader_of(tr_module_value *v) {
    while (v->group != v) v = v->group = v->group->group;
    return v;
}

static void join(tr_module_value *a, tr_module_value *b) {
    leader_of(a)->group = leader_of(b);
}

typedef void visit(tr_values *values, tr_module_value *v);

static void visit_all(tr_values *values, const tr_jentry *e, visit *fn) {
    if (e->value != NULL) fn(values, e->value);
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].value != NULL) fn(values, e->names[i].value);
    }
    for (uint32_t i = 0; i < e->made_count; i++) fn(values, e->made[i]);
}

static void stand_alone(tr_values *values, tr_module_value *v) {
    (void)values;
    v->group = v;
    v->marked = 0;
    v->changes = v->dirty;
    v->described = v->base != NULL;
}

static void describe(const tr_jentry *e) {
    if (e->value != NULL) e->value->described = 1;
    for (uint32_t i = 0; i < e->made_count; i++) e->made[i]->described = 1;
}

/* The process has it as the entry found it: it may be read as it is. */
static int is_as_then(const tr_module_value *v) {
    return v->live && !v->changes;
}

/* Whose state follows from whose; entries come in the opposite order. */
static void connect(const tr_jentry *e) {
    tr_module_value *leader = e->value;
    for (uint32_t i = 0; i < e->name_count && leader == NULL; i++) {
        if (e->names[i].written) leader = e->names[i].value;
    }
    if (leader == NULL && e->made_count != 0) leader = e->made[0];
    if (leader == NULL) return;
    for (uint32_t i = 0; i < e->name_count; i++) {
        tr_module_value *v = e->names[i].value;
        if (v != NULL && (e->names[i].written || !is_as_then(v))) join(v, leader);
    }
    for (uint32_t i = 0; i < e->made_count; i++) join(e->made[i], leader);
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].written && e->names[i].value != NULL) e->names[i].value->changes = 1;
    }
    leader->changes = 1;
    for (uint32_t i = 0; i < e->made_count; i++) e->made[i]->changes = 1;
}

static void spread_to(tr_values *values, tr_module_value *v) {
    if (leader_of(v)->marked) add_dirty(values, v);
}

/* All that has to be made anew becomes dirty. */
static void spread(tr_values *values) {
    tr_journal *j = &values->journal;
    for (const tr_jentry *e = j->first; e != NULL; e = e->next) visit_all(values, e, stand_alone);
    for (tr_module_value *v = values->dirty; v != NULL; v = v->next_dirty) stand_alone(values, v);
    for (const tr_jentry *e = j->first; e != NULL; e = e->next) describe(e);
    for (const tr_jentry *e = j->last; e != NULL; e = e->prev) connect(e);
    for (tr_module_value *v = values->dirty; v != NULL; v = v->next_dirty) leader_of(v)->marked = 1;
    for (const tr_jentry *e = j->first; e != NULL; e = e->next) visit_all(values, e, spread_to);
}

static int changes_dirty(const tr_jentry *e) {
    if (e->kind != TR_JOURNAL_COMMANDS) return e->value->dirty;
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].written && e->names[i].value != NULL && e->names[i].value->dirty) return 1;
    }
    for (uint32_t i = 0; i < e->made_count; i++) {
        if (e->made[i]->dirty) return 1;
    }
    return 0;
}

/* ------------------------------------------------------------------ the values again */

/* Code of the module that waits for an answer further out may point to it. */
static int is_in_use(const tr_values *values) {
    for (const tr_deeds *deeds = values->deeds; deeds != NULL; deeds = deeds->outer) {
        const tr_touched *r = &deeds->touched;
        for (uint32_t i = 0; i < r->name_count; i++) {
            if (r->names[i].value != NULL && r->names[i].value->dirty) return 1;
        }
        for (uint32_t i = 0; i < r->made_count; i++) {
            if (r->made[i]->dirty) return 1;
        }
    }
    return 0;
}

static int is_too_much(const tr_values *values) {
    size_t bytes = 0;
    uint64_t count = 0;
    for (const tr_module_value *v = values->dirty; v != NULL; v = v->next_dirty, count++) bytes += v->base_len;
    for (const tr_jentry *e = values->journal.first; e != NULL; e = e->next) {
        if (!changes_dirty(e)) continue;
        bytes += e->bytes;
        count++;
    }
    return bytes > TR_MEND_BYTES_MAX || count > TR_MEND_STEPS_MAX;
}

static int is_described(const tr_values *values) {
    for (const tr_module_value *v = values->dirty; v != NULL; v = v->next_dirty) {
        if (!v->described) return 0;
    }
    return 1;
}

/* The process frees them. Those that are dead it has freed already. */
static int free_dirty(tr_values *values) {
    uint64_t types[TR_FREES_BATCH], tokens[TR_FREES_BATCH];
    int rc = TR_OK;
    for (tr_module_value *v = values->dirty; rc == TR_OK && v != NULL;) {
        uint32_t count = 0;
        for (; v != NULL && count < TR_FREES_BATCH; v = v->next_dirty) {
            if (v->live && v->token != 0) {
                types[count] = v->type->handle;
                tokens[count++] = v->token;
            }
            tr_journal_set_token(v, 0);
        }
        tr_msg_type_free tell = {
            .types = {.count = count, .items.u64s = types}, .tokens = {.count = count, .items.u64s = tokens}};
        if (count != 0) rc = tr_helper_tell(values->h, TR_MSG_TYPE_FREE, &tell);
    }
    return rc;
}

static int make_anew(tr_values *values) {
    int rc = free_dirty(values);
    tr_module_value *v = rc == TR_OK ? values->dirty : NULL;
    while (v != NULL && (rc = tr__mend_base(values, v)) == TR_OK) v = v->next_dirty;
    tr_jentry *e = rc == TR_OK ? values->journal.first : NULL;
    while (e != NULL && (!changes_dirty(e) || (rc = tr__mend_entry(values, e)) == TR_OK)) e = e->next;
    return rc; /* after a failure neither need be there any more */
}

/* 1: all that live are there again. */
static int settle(tr_values *values) {
    int all = 1;
    while (values->dirty != NULL) {
        tr_module_value *v = values->dirty;
        if (!v->live) tr__values_give_back(values, v);
        else if (v->token == 0 || v->lost) all = 0;
        drop_dirty(values);
    }
    return all;
}

static void mend(tr_values *values) {
    tr_helper *h = values->h;
    uint64_t count = 0;
    for (const tr_module_value *v = values->dirty; v != NULL; v = v->next_dirty) count += v->live;
    if (tr__values_send_dead(values) != TR_OK) return; /* it has failed, and will have all anew */
    tr__checkpoint_lost(values);                       /* it goes by numbers that are about to change */
    spread(values);
    if (!is_described(values)) {
        while (values->dirty != NULL) drop_dirty(values);
        give_up(values, count);
        return;
    }
    if (is_in_use(values)) {
        tr_helper_fail(h, TR_FAIL_ASKED, "a module that it called has crashed, and with it a value in use is undone");
        return;
    }
    if (is_too_much(values)) {
        tr_helper_fail(h, TR_FAIL_ASKED, "a module has crashed that had changed values of this one");
        return;
    }
    int rc = make_anew(values);
    if (h->state != TR_HELPER_SERVING) return;
    if (rc != TR_OK) tr_helper_fail(h, TR_FAIL_MEMORY, "its values could not be given back");
    else if (!settle(values)) tr_helper_fail(h, TR_FAIL_ASKED, "it does not take a value back");
}

void tr__modhost_mend(tr_modhost *m) {
    tr__modhost_taken_back(m);
    if (!m->mends || m->mending) return;
    m->mending = 1;
    for (tr_helper *h = m->helpers; h != NULL;) {
        if (h->values != NULL && h->values->dirty != NULL && tr__helper_can_be_asked(h)) {
            mend(h->values);
            h = m->helpers; /* one may have failed of it, and what that one did is undone */
        } else {
            h = h->next;
        }
    }
    m->mending = m->mends = 0;
    for (const tr_helper *h = m->helpers; h != NULL; h = h->next) m->mends |= h->values != NULL && h->values->dirty;
}
