/* A new process gets its values back: bases first, then the journal in its order. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
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

/* ------------------------------------------------------------------ entries */

/* Makes the value of a payload; the old one of the process, if any, goes. 0, or it has failed. */
static int load(tr_values *values, tr_module_value *v, uint32_t encver, const char *p, size_t len) {
    tr_helper *h = values->h;
    tr_msg_type_load ask = {
        .type = v->type->handle,
        .encver = encver,
        .payload = {.at = (const uint8_t *)p, .len = (uint32_t)len},
    };
    tr_msg_type_load_answer answer;
    tr_buf hold = {0};
    v->lost = 1;
    if (!v->type->registered) return TR_OK;
    int rc = tr_helper_ask(h, TR_MSG_TYPE_LOAD, &ask, &answer, &hold);
    tr_buf_release(mem_of(values), &hold);
    if (rc != TR_OK) return rc;
    if (answer.outcome != 0 || answer.token == 0) return TR_OK;
    if (tr_journal_by_token(&values->journal, answer.token) != NULL) {
        tr_helper_fail(h, TR_FAIL_PROTOCOL, "a token that was used before");
        return TR_ECLOSED;
    }
    uint64_t types[] = {v->type->handle}, tokens[] = {v->token};
    tr_journal_set_token(v, answer.token);
    v->lost = 0;
    if (tokens[0] == 0) return TR_OK;
    tr_msg_type_free tell = {
        .types = {.count = 1, .items.u64s = types}, .tokens = {.count = 1, .items.u64s = tokens}};
    return tr_helper_tell(h, TR_MSG_TYPE_FREE, &tell);
}

static int copy(tr_values *values, const tr_jentry *e) {
    tr_helper *h = values->h;
    const tr_jname *from = &e->names[0], *to = &e->names[1];
    tr_msg_type_copy ask = {
        .type = from->value->type->handle,
        .token = from->value->token,
        .from_db = from->db,
        .to_db = to->db,
        .from_name = {.at = (const uint8_t *)from->name, .len = from->len},
        .to_name = {.at = (const uint8_t *)to->name, .len = to->len},
    };
    tr_msg_type_copy_answer answer;
    tr_buf hold = {0};
    e->value->lost = 1;
    if (from->value->token == 0) return TR_OK;
    int rc = tr_helper_ask(h, TR_MSG_TYPE_COPY, &ask, &answer, &hold);
    tr_buf_release(mem_of(values), &hold);
    if (rc != TR_OK) return rc;
    if (answer.token == 0 || tr_journal_by_token(&values->journal, answer.token) != NULL) return TR_OK;
    tr_journal_set_token(e->value, answer.token);
    e->value->lost = 0;
    return TR_OK;
}

static int run(tr_values *values, const tr_jcommand *command) {
    tr_helper *h = values->h;
    tr_exec *x = h->m->x;
    const tr_command *cmd = tr_exec_resolve(x, command->argv, command->argc);
    if (cmd == NULL || cmd->handler_kind != TR_HANDLER_MODULE || tr_runtime_of(cmd)->owner != h) {
        values->replay->diverged = 1;
        return TR_OK;
    }
    tr_wire_bytes *items = tr_alloc(mem_of(values), (size_t)command->argc * sizeof(*items));
    if (items == NULL) return TR_ENOMEM;
    for (int i = 0; i < command->argc; i++)
        items[i] = (tr_wire_bytes){.at = (const uint8_t *)command->argv[i].ptr, .len = (uint32_t)command->argv[i].len};
    tr_msg_run_command ask = {
        .command = tr_runtime_of(cmd)->handle,
        .context_flags = tr_modhost_context_flags(h->m, NULL),
        .db = command->db,
        .resp = 2,
        .now_us = x->now_us,
        .argv = {.count = (uint32_t)command->argc, .items.texts = items},
    };
    tr_msg_run_command_answer answer;
    tr_buf hold = {0};
    int rc = tr_helper_ask(h, TR_MSG_RUN_COMMAND, &ask, &answer, &hold);
    tr_buf_release(mem_of(values), &hold);
    tr_free(mem_of(values), items);
    return rc;
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

static int run_commands(tr_values *values, const tr_jentry *e) {
    tr_replay *replay = values->replay;
    int rc = TR_OK;
    for (uint32_t i = 0; rc == TR_OK && i < e->name_count; i++) {
        const tr_jname *n = &e->names[i];
        tr_jname *here = tr_touched_add(&values->journal, &replay->view, n->db, n->name, n->len, n->value);
        if (here == NULL) rc = TR_ENOMEM;
        else here->expire_ms = n->expire_ms;
    }
    for (uint32_t i = 0; rc == TR_OK && i < e->command_count; i++) rc = run(values, &e->commands[i]);
    if (rc == TR_OK && (replay->diverged || replay->made != e->made_count)) lose(e);
    return rc;
}

int tr__restore_entry(tr_values *values, tr_jentry *e, int mends) {
    tr_replay replay = {.entry = e, .mends = (uint8_t)mends};
    int rc = TR_OK;
    if (e->failures >= TR_REPLAY_FAILURES_MAX || (e->kind == TR_JOURNAL_COMMANDS && reads_lost(e))) {
        if (e->value != NULL) e->value->lost = 1;
        lose(e);
        return TR_OK;
    }
    e->failures++;
    values->replay = &replay;
    switch ((tr_jkind)e->kind) {
    case TR_JOURNAL_PAYLOAD:
        rc = load(values, e->value, e->encver, e->payload, e->payload_len);
        break;
    case TR_JOURNAL_COPY:
        rc = copy(values, e);
        break;
    case TR_JOURNAL_COMMANDS:
        rc = run_commands(values, e);
        break;
    }
    values->replay = NULL;
    tr_touched_release(&values->journal, &replay.view);
    if (rc == TR_OK) e->failures--;
    return rc;
}

int tr__restore_base(tr_values *values, tr_module_value *v, int mends) {
    tr_replay replay = {.mends = (uint8_t)mends};
    int rc = TR_OK;
    v->lost = 0;
    if (v->base == NULL) return TR_OK;
    values->replay = &replay;
    v->failures++;
    if (v->failures > TR_REPLAY_FAILURES_MAX) v->lost = 1;
    else rc = load(values, v, v->base_encver, v->base, v->base_len);
    if (rc == TR_OK) v->failures--;
    values->replay = NULL;
    tr_touched_release(&values->journal, &replay.view);
    return rc;
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

/* Deletes the keys of lost values; how many. Only when there are some is the keyspace looked through. */
uint64_t tr__values_drop_lost(tr_values *values) {
    tr_store *store = values->h->m->x->store;
    lost_walk walk = {.values = values};
    uint64_t count = 0;
    int any = 0;
    for (const tr_module_value *v = values->journal.values; v != NULL && !any; v = v->next)
        any = v->live && (v->token == 0 || v->lost);
    for (int i = 0; any && i < store->db_count; i++) {
        uint64_t cursor = 0;
        do {
            cursor = tr_hash_scan(&store->dbs[i].keys, cursor, note_lost, &walk);
            count += drop_noted(&walk, &store->dbs[i]);
        } while (cursor != 0);
    }
    tr_buf_release(mem_of(values), &walk.names);
    return count;
}

/* Dead values were needed on the way; the process may free them. */
static void give_dead_back(tr_values *values) {
    for (tr_module_value *v = values->journal.values, *next; v != NULL; v = next) {
        next = v->next;
        if (!v->live && v->token != 0) tr__values_give_back(values, v);
    }
}

int tr_modhost_values_restore(tr_helper *h) {
    tr_values *values = h->values;
    if (values == NULL) return TR_OK;
    int rc = TR_OK;
    tr_module_value *v = values->journal.values;
    while (v != NULL && (rc = tr__restore_base(values, v, 0)) == TR_OK) v = v->next;
    tr_jentry *e = rc == TR_OK ? values->journal.first : NULL;
    while (e != NULL && (rc = tr__restore_entry(values, e, 0)) == TR_OK) e = e->next;
    if (rc != TR_OK) {
        if (h->state == TR_HELPER_SERVING) tr_helper_fail(h, TR_FAIL_MEMORY, "its values could not be given back");
        return TR_ECLOSED;
    }
    give_dead_back(values);
    values->lost = tr__values_drop_lost(values);
    values->lost_all += values->lost;
    tr_msg_keep_values tell = {.wanted = (uint8_t)tr__values_kept(values)};
    rc = tr_helper_tell(h, TR_MSG_KEEP_VALUES, &tell);
    return rc == TR_OK ? tr__values_send_back(values) : rc;
}
