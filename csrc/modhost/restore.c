/* A new process gets its values back: bases first, then the journal in its order. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "modhost/internal.h"
#include "modhost/values_impl.h"
#include "sandbox/wire/replayable.h"

#define KEY_ABSENT 0 /* kinds of the message open_key */
#define KEY_MODULE 6
#define ERRNO_REFUSED 1 /* of calls, which are not made again */
#define BODY_BYTES_MAX 1024

static tr_mem *mem_of(const tr_values *values) {
    return values->h->m->mem;
}

/* ------------------------------------------------------------------ the keyspace of an entry */

/* The name behind a handle that was given out in this entry; NULL: none was. */
static tr_jname *name_of(tr_replay *replay, uint32_t handle) {
    return handle == 0 || handle > replay->view.name_count ? NULL : &replay->view.names[handle - 1];
}

static void put_value(tr_mem *mem, tr_jname *n, tr_module_value *v) {
    if (v != NULL) tr_journal_hold(v);
    if (n->value != NULL) tr_journal_let_go(mem, n->value);
    n->value = v;
}

static int serve_open(tr_values *values, const tr_wire_header *header, const tr_msg_open_key *m) {
    tr_replay *replay = values->replay;
    tr_msg_open_key_answer answer = {.expire_ms = -1};
    const char *name = m->name.at == NULL ? "" : (const char *)m->name.at;
    tr_jname *n = tr_touched_add(&values->journal, &replay->view, m->db, name, m->name.len, NULL);
    if (n == NULL) return TR_ENOMEM;
    tr_module_value *v = n->value;
    if (v != NULL && v->token != 0) {
        answer.kind = KEY_MODULE;
        answer.expire_ms = n->expire_ms;
        answer.type = v->type->handle;
        answer.token = v->token;
        /* Not to be changed: what it had later would be changed with it. */
        if (replay->mends && !v->dirty && m->mode & TR_MODE_WRITE) replay->diverged = 1;
    }
    if (answer.kind != KEY_ABSENT || m->mode & TR_MODE_WRITE) answer.key = (uint32_t)(n - replay->view.names) + 1;
    return tr_helper_answer(values->h, header, &answer);
}

/* The n-th value that the unit makes is the n-th one that it made then. */
static int serve_set(tr_values *values, const tr_msg_set_value *m) {
    tr_replay *replay = values->replay;
    tr_jname *n = name_of(replay, m->key);
    if (n == NULL || m->token == 0 || tr_journal_by_token(&values->journal, m->token) != NULL)
        return tr_helper_wrong(values->h, "a value that can't be set");
    const tr_jentry *entry = replay->entry;
    if (entry == NULL || replay->made == entry->made_count || entry->made[replay->made]->type->handle != m->type) {
        replay->diverged = 1;
        return TR_OK;
    }
    tr_module_value *v = entry->made[replay->made++];
    if (m->keep_old && n->value != NULL) tr_journal_set_token(n->value, 0);
    tr_journal_set_token(v, m->token);
    n->expire_ms = m->keep_old ? n->expire_ms : -1;
    put_value(mem_of(values), n, v);
    return TR_OK;
}

static int serve_key_exists(tr_values *values, const tr_wire_header *header, const tr_msg_key_exists *m) {
    const char *name = m->name.at == NULL ? "" : (const char *)m->name.at;
    const tr_jname *n = tr_touched_find(&values->journal, &values->replay->view, m->db, name, m->name.len);
    tr_msg_key_exists_answer answer = {.exists = n != NULL && n->value != NULL};
    return tr_helper_answer(values->h, header, &answer);
}

/* What a unit may ask besides: an answer of zeros, as of a server that has nothing. A unit that asks for such things
 * is not put down as commands, so it went another way this time. */
static int serve_nothing(tr_values *values, const tr_wire_header *header) {
    const tr_wire_spec *spec = tr_wire_spec_of(header->type);
    uint64_t zeros[BODY_BYTES_MAX / sizeof(uint64_t)] = {0};
    if (spec->role != TR_REQUEST) return TR_OK;
    if (!tr_wire_replayable(header->type)) values->replay->diverged = 1;
    if (header->type == TR_MSG_CALL) {
        tr_msg_call_answer refused = {.outcome = 1, .errno_value = ERRNO_REFUSED};
        return tr_helper_answer(values->h, header, &refused);
    }
    tr_assert(tr_wire_spec_of((uint16_t)(header->type + 1))->struct_bytes <= sizeof(zeros));
    return tr_helper_answer(values->h, header, zeros);
}

int tr__replay_serve(tr_values *values, const tr_wire_header *header, const void *body) {
    tr_replay *replay = values->replay;
    switch ((tr_msg_type)header->type) {
    case TR_MSG_OPEN_KEY:
        return serve_open(values, header, body);
    case TR_MSG_SET_VALUE:
        return serve_set(values, body);
    case TR_MSG_KEY_EXISTS:
        return serve_key_exists(values, header, body);
    case TR_MSG_DELETE_KEY: {
        tr_jname *n = name_of(replay, ((const tr_msg_delete_key *)body)->key);
        if (n == NULL) return tr_helper_wrong(values->h, "a key that is not open");
        put_value(mem_of(values), n, NULL);
        return TR_OK;
    }
    case TR_MSG_SET_EXPIRE: {
        const tr_msg_set_expire *m = body;
        tr_jname *n = name_of(replay, m->key);
        if (n != NULL) n->expire_ms = m->expire_ms;
        return TR_OK;
    }
    default:
        return serve_nothing(values, header);
    }
}

/* ------------------------------------------------------------------ steps */

/* What the process is asked next for a step. */
typedef struct question {
    tr_msg_type type;
    union {
        tr_msg_type_load load;
        tr_msg_type_copy copy;
        tr_msg_run_command run;
    } body;
    tr_wire_bytes *items; /* owned: of the command */
} question;

/* The answers to all of them. */
typedef union reply {
    tr_msg_type_load_answer load;
    tr_msg_type_copy_answer copy;
    tr_msg_run_command_answer run;
} reply;

/* The value of a payload. 0: it can't be had. */
static int ask_load(tr_module_value *v, uint32_t encver, const char *p, size_t len, question *q) {
    v->lost = 1;
    if (!v->type->registered) return 0;
    q->type = TR_MSG_TYPE_LOAD;
    q->body.load = (tr_msg_type_load){
        .type = v->type->handle,
        .encver = encver,
        .payload = {.at = (const uint8_t *)p, .len = (uint32_t)len},
    };
    return 1;
}

/* The old one of the process, if any, goes. */
static int loaded(tr_values *values, tr_module_value *v, const tr_msg_type_load_answer *answer) {
    tr_helper *h = values->h;
    if (answer->outcome != 0 || answer->token == 0) return TR_OK;
    if (tr_journal_by_token(&values->journal, answer->token) != NULL) {
        tr_helper_fail(h, TR_FAIL_PROTOCOL, "a token that was used before");
        return TR_ECLOSED;
    }
    uint64_t types[] = {v->type->handle}, tokens[] = {v->token};
    tr_journal_set_token(v, answer->token);
    v->lost = 0;
    if (tokens[0] == 0) return TR_OK;
    tr_msg_type_free tell = {
        .types = {.count = 1, .items.u64s = types}, .tokens = {.count = 1, .items.u64s = tokens}};
    return tr_helper_tell(h, TR_MSG_TYPE_FREE, &tell);
}

static int ask_copy(const tr_jentry *e, question *q) {
    const tr_jname *from = &e->names[0], *to = &e->names[1];
    e->value->lost = 1;
    if (from->value->token == 0) return 0;
    q->type = TR_MSG_TYPE_COPY;
    q->body.copy = (tr_msg_type_copy){
        .type = from->value->type->handle,
        .token = from->value->token,
        .from_db = from->db,
        .to_db = to->db,
        .from_name = {.at = (const uint8_t *)from->name, .len = from->len},
        .to_name = {.at = (const uint8_t *)to->name, .len = to->len},
    };
    return 1;
}

static void copied(tr_values *values, const tr_jentry *e, const tr_msg_type_copy_answer *answer) {
    if (answer->token == 0 || tr_journal_by_token(&values->journal, answer->token) != NULL) return;
    tr_journal_set_token(e->value, answer->token);
    e->value->lost = 0;
}

/* 1; 0: the module has no such command any more; or TR_ENOMEM. */
static int ask_run(tr_values *values, const tr_jcommand *command, question *q) {
    tr_helper *h = values->h;
    tr_exec *x = h->m->x;
    const tr_command *cmd = tr_exec_resolve(x, command->argv, command->argc);
    if (cmd == NULL || cmd->handler_kind != TR_HANDLER_MODULE || tr_runtime_of(cmd)->owner != h) return 0;
    q->items = tr_alloc(mem_of(values), (size_t)command->argc * sizeof(*q->items));
    if (q->items == NULL) return TR_ENOMEM;
    for (int i = 0; i < command->argc; i++) {
        const tr_arg *arg = &command->argv[i];
        q->items[i] = (tr_wire_bytes){.at = (const uint8_t *)arg->ptr, .len = (uint32_t)arg->len};
    }
    q->type = TR_MSG_RUN_COMMAND;
    q->body.run = (tr_msg_run_command){
        .command = tr_runtime_of(cmd)->handle,
        .context_flags = tr_modhost_context_flags(h->m, NULL),
        .db = command->db,
        .resp = 2,
        .now_us = x->now_us,
        .argv = {.count = (uint32_t)command->argc, .items.texts = q->items},
    };
    return 1;
}

/* What the entry would have changed is not known any more. */
static void lose(const tr_jentry *e) {
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].written && e->names[i].value != NULL) e->names[i].value->lost = 1;
    }
    for (uint32_t i = 0; i < e->made_count; i++) e->made[i]->lost = 1;
}

static int reads_lost(const tr_jentry *e) {
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].value != NULL && e->names[i].value->lost) return 1;
    }
    return 0;
}

/* A step begins, with a base or an entry. 0, 1: there is nothing to be done, or TR_ENOMEM. */
static int begin_base(tr_values *values, tr_step *step, tr_module_value *v) {
    v->lost = 0;
    if (v->base == NULL) return 1;
    if (v->failures >= TR_REPLAY_FAILURES_MAX) {
        v->lost = 1;
        return 1;
    }
    v->failures++;
    step->v = v;
    values->replay = &step->replay;
    return TR_OK;
}

static int begin_entry(tr_values *values, tr_step *step, tr_jentry *e) {
    int is_run = e->kind == TR_JOURNAL_COMMANDS;
    if (e->failures >= TR_REPLAY_FAILURES_MAX || (is_run && reads_lost(e))) {
        if (e->value != NULL) e->value->lost = 1;
        lose(e);
        return 1;
    }
    for (uint32_t i = 0; is_run && i < e->name_count; i++) {
        const tr_jname *n = &e->names[i];
        tr_jname *here = tr_touched_add(&values->journal, &step->replay.view, n->db, n->name, n->len, n->value);
        if (here == NULL) {
            tr_touched_release(&values->journal, &step->replay.view);
            return TR_ENOMEM;
        }
        here->expire_ms = n->expire_ms;
    }
    e->failures++;
    step->e = e;
    step->replay.entry = e;
    values->replay = &step->replay;
    return TR_OK;
}

/* 1: *q is to be asked; 0: the step is over; or TR_ENOMEM. */
static int next_question(tr_values *values, tr_step *step, question *q) {
    const tr_jentry *e = step->e;
    uint32_t n = step->asked++;
    *q = (question){0};
    if (e == NULL) return n == 0 ? ask_load(step->v, step->v->base_encver, step->v->base, step->v->base_len, q) : 0;
    switch ((tr_jkind)e->kind) {
    case TR_JOURNAL_PAYLOAD:
        return n == 0 ? ask_load(e->value, e->encver, e->payload, e->payload_len, q) : 0;
    case TR_JOURNAL_COPY:
        return n == 0 ? ask_copy(e, q) : 0;
    case TR_JOURNAL_COMMANDS:
        if (n >= e->command_count) return 0;
        int rc = ask_run(values, &e->commands[n], q);
        if (rc == 0) step->replay.diverged = 1;
        return rc;
    }
    return 0;
}

static int answered(tr_values *values, tr_step *step, const reply *got) {
    const tr_jentry *e = step->e;
    if (e == NULL || e->kind == TR_JOURNAL_PAYLOAD) return loaded(values, e == NULL ? step->v : e->value, &got->load);
    if (e->kind == TR_JOURNAL_COPY) copied(values, e, &got->copy);
    return TR_OK;
}

static void leave_step(tr_values *values, tr_step *step) {
    values->replay = NULL;
    tr_touched_release(&values->journal, &step->replay.view);
}

static void end_step(tr_values *values, tr_step *step) {
    tr_jentry *e = step->e;
    const tr_replay *replay = &step->replay;
    if (e == NULL) step->v->failures--;
    else e->failures--;
    if (e != NULL && e->kind == TR_JOURNAL_COMMANDS && (replay->diverged || replay->made != e->made_count)) lose(e);
    leave_step(values, step);
}

/* All of the step, and the server waits. rc: how it began. */
static int run_step(tr_values *values, tr_step *step, int rc) {
    question q;
    reply got;
    if (rc != TR_OK) return rc == 1 ? TR_OK : rc;
    while ((rc = next_question(values, step, &q)) == 1) {
        tr_buf hold = {0};
        rc = tr_helper_ask(values->h, q.type, &q.body, &got, &hold);
        tr_buf_release(mem_of(values), &hold);
        tr_free(mem_of(values), q.items);
        if (rc == TR_OK) rc = answered(values, step, &got);
        if (rc != TR_OK) break;
    }
    if (rc == TR_OK) end_step(values, step);
    else leave_step(values, step);
    return rc;
}

int tr__mend_base(tr_values *values, tr_module_value *v) {
    tr_step step = {.replay.mends = 1};
    return run_step(values, &step, begin_base(values, &step, v));
}

int tr__mend_entry(tr_values *values, tr_jentry *e) {
    tr_step step = {.replay.mends = 1};
    return run_step(values, &step, begin_entry(values, &step, e));
}

/* ------------------------------------------------------------------ what nothing describes */

typedef struct lost_walk {
    const tr_values *values;
    tr_buf names; /* of one step: u32 length, bytes */
} lost_walk;

static int is_lost(const tr_values *values, const tr_entry *e) {
    const tr_module_value *v = tr__value_of(values, e);
    return v != NULL && (v->token == 0 || v->lost);
}

/* Only notes the name: who hears of a deletion may change other keys. */
static void note_lost(void *ctx, tr_hnode *node) {
    lost_walk *walk = ctx;
    const tr_entry *e = (const tr_entry *)node;
    tr_mem *mem = mem_of(walk->values);
    uint32_t len = (uint32_t)tr_entry_key_len(e);
    if (!is_lost(walk->values, e) || tr_buf_reserve(mem, &walk->names, sizeof(len) + len) != TR_OK) return;
    tr_buf_append(mem, &walk->names, &len, sizeof(len));
    tr_buf_append(mem, &walk->names, e->key, len);
}

static uint64_t drop_noted(lost_walk *walk, tr_db *db) {
    uint64_t count = 0;
    while (tr_buf_unread(&walk->names) != 0) {
        uint32_t len;
        memcpy(&len, walk->names.data + walk->names.rpos, sizeof(len));
        const char *name = walk->names.data + walk->names.rpos + sizeof(len);
        walk->names.rpos += sizeof(len) + len;
        tr_entry *e = tr_db_peek(db, name, len);
        if (e == NULL || !is_lost(walk->values, e)) continue;
        tr_db_delete(db, e);
        tr_db_changed(db, TR_EV_GENERIC, "del", name, len);
        count++;
    }
    return count;
}

/* Deletes the keys of lost values; how many. */
uint64_t tr__values_drop_lost(tr_values *values) {
    tr_store *store = values->h->m->x->store;
    lost_walk walk = {.values = values};
    uint64_t count = 0;
    for (int i = 0; i < store->db_count; i++) {
        uint64_t cursor = 0;
        do {
            cursor = tr_hash_scan(&store->dbs[i].keys, cursor, note_lost, &walk);
            count += drop_noted(&walk, &store->dbs[i]);
        } while (cursor != 0);
    }
    tr_buf_release(mem_of(values), &walk.names);
    return count;
}

/* ------------------------------------------------------------------ in turns */

enum { BASES, ENTRIES, LOOK, SWEEP }; /* stages */

/* The value that is next is held, so it stays in its place whatever becomes of its key. */
static void go_to(tr_values *values, tr_module_value *v) {
    tr_module_value *before = values->restore.value;
    if (v != NULL) tr_journal_hold(v);
    values->restore.value = v;
    if (before == NULL) return;
    /* Its key went while it was loaded, and no entry needs it. */
    if (!before->live && before->mentions == 1) tr__values_give_back(values, before);
    tr_journal_let_go(mem_of(values), before);
}

static void go_to_stage(tr_values *values, int stage) {
    tr_restore *r = &values->restore;
    r->stage = (uint8_t)stage;
    r->any_lost = 0;
    r->db = 0;
    r->cursor = 0;
    r->entry = values->journal.first;
    go_to(values, stage == BASES || stage == LOOK ? values->journal.values : NULL);
}

static int finish(tr_values *values) {
    tr_helper *h = values->h;
    values->lost = values->restore.lost;
    values->lost_all += values->lost;
    tr__restore_lost(values);
    tr__values_settle_keep(values);
    return tr__helper_restored(h);
}

static void step_is_over(tr_values *values) {
    tr_restore *r = &values->restore;
    r->step = (tr_step){0};
    if (r->stage == BASES) go_to(values, r->value->next);
    else r->entry = r->entry->next;
}

/* Asks what is next in the step, or ends it. */
static int ask_next(tr_values *values) {
    tr_restore *r = &values->restore;
    question q;
    int rc = next_question(values, &r->step, &q);
    if (rc == 0) {
        end_step(values, &r->step);
        step_is_over(values);
        return 1;
    }
    if (rc == 1) rc = tr__helper_post(values->h, q.type, &q.body, &r->asked_id);
    tr_free(mem_of(values), q.items);
    if (rc != TR_OK) return rc;
    r->asked = (uint16_t)q.type;
    return 1;
}

static int take_answer(tr_values *values, int64_t until_ns) {
    tr_restore *r = &values->restore;
    reply got;
    int rc = tr__helper_answer_of(values->h, (tr_msg_type)r->asked, r->asked_id, until_ns, &got);
    if (rc != 1) return rc;
    r->asked = 0;
    rc = answered(values, &r->step, &got);
    return rc == TR_OK ? ask_next(values) : rc;
}

static int begin_next(tr_values *values) {
    tr_restore *r = &values->restore;
    int is_base = r->stage == BASES;
    if (is_base ? r->value == NULL : r->entry == NULL) {
        go_to_stage(values, r->stage + 1);
        return 1;
    }
    int rc = is_base ? begin_base(values, &r->step, r->value) : begin_entry(values, &r->step, r->entry);
    if (rc == TR_OK) return ask_next(values);
    if (rc == 1) step_is_over(values);
    return rc;
}

/* Dead values were needed on the way, the process may free them; are keys to go? */
static int look(tr_values *values) {
    tr_restore *r = &values->restore;
    tr_module_value *v = r->value;
    for (int i = 0; i < TR_RESTORE_LOOKS && v != NULL; i++, v = v->next) {
        if (!v->live && v->token != 0) tr__values_give_back(values, v);
        if (v->live && (v->token == 0 || v->lost)) r->any_lost = 1;
    }
    go_to(values, v);
    if (v != NULL) return 1;
    if (!r->any_lost) return finish(values);
    if (r->passes++ == TR_RESTORE_PASSES_MAX) {
        values->loses = 1; /* cron has the last word */
        return finish(values);
    }
    go_to_stage(values, SWEEP);
    return 1;
}

/* Keys may be renamed and databases swapped between turns, so one pass is not always enough. */
static int sweep(tr_values *values) {
    tr_restore *r = &values->restore;
    tr_store *store = values->h->m->x->store;
    lost_walk walk = {.values = values};
    if (r->db == store->db_count) {
        go_to_stage(values, LOOK);
        return 1;
    }
    tr_db *db = &store->dbs[r->db];
    r->cursor = tr_hash_scan(&db->keys, r->cursor, note_lost, &walk);
    r->lost += drop_noted(&walk, db);
    tr_buf_release(mem_of(values), &walk.names);
    if (r->cursor == 0) r->db++;
    return 1;
}

/* 1: it went on; 0: the time is over; or a code that fails the helper. */
static int advance(tr_values *values, int64_t until_ns) {
    const tr_restore *r = &values->restore;
    if (r->asked != 0) return take_answer(values, until_ns);
    if (tr_clock_mono_ns(values->h->m->x->clock) >= until_ns) return 0;
    if (r->stage <= ENTRIES) return begin_next(values);
    return r->stage == LOOK ? look(values) : sweep(values);
}

void tr__restore_lost(tr_values *values) {
    leave_step(values, &values->restore.step);
    go_to(values, NULL);
    values->restore = (tr_restore){0};
}

int tr__restore_begin(tr_helper *h) {
    tr_values *values = h->values;
    if (values == NULL || values->journal.values == NULL) return 0;
    values->restore = (tr_restore){0};
    go_to_stage(values, BASES);
    return 1;
}

void tr__restore_turn(tr_helper *h) {
    tr_values *values = h->values;
    int64_t until_ns = tr_clock_mono_ns(h->m->x->clock) + TR_RESTORE_SLICE_NS;
    int rc = 1;
    tr__helper_wake(h);
    while (rc == 1 && h->state == TR_HELPER_RESTORING) rc = advance(values, until_ns);
    if (rc == 0 && values->restore.asked != 0) rc = tr__helper_leave(h);
    if (rc < 0) tr__helper_broke(h, rc);
}
