/* The values of a helper: its types, values under keys, what the process is to free. */
#include "modhost/values.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "modhost/serve_key.h"
#include "modhost/values_impl.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define ENCVER_MAX 1023

enum { REGISTERED = 0, TAKEN = 1, INVALID = 2, NOT_NOW = 3 };

static tr_mem *mem_of(const tr_values *values) {
    return values->h->m->mem;
}

tr_values *tr__values_of(tr_helper *h) {
    if (h->values != NULL) return h->values;
    tr_values *values = tr_zalloc(h->m->mem, sizeof(*values));
    if (values == NULL) return NULL;
    values->h = h;
    values->unlinked_end = &values->unlinked;
    values->not_wanted = h->m->forgets_values;
    tr_journal_init(&values->journal, h->m->mem, h->m->x->store->hash_key);
    h->values = values;
    return values;
}

void tr_modhost_values_release(tr_helper *h) {
    tr_values *values = h->values;
    if (values == NULL) return;
    tr_modhost_values_lost(h);
    tr_journal_release(&values->journal);
    for (uint32_t i = 0; i < values->type_count; i++) tr_free(mem_of(values), values->types[i]);
    tr_free(mem_of(values), values->types);
    tr_free(mem_of(values), values);
    h->values = NULL;
}

/* ------------------------------------------------------------------ types */

static tr_module_type *type_by_name(const tr_values *values, const char *name) {
    for (uint32_t i = 0; values != NULL && i < values->type_count; i++) {
        if (strcmp(values->types[i]->name, name) == 0) return values->types[i];
    }
    return NULL;
}

/* A type of that name belongs to somebody else, who may be down but still has keys. */
static int is_taken(const tr_helper *h, const char *name) {
    for (const tr_helper *other = h->m->helpers; other != NULL; other = other->next) {
        if (other != h && other->state != TR_HELPER_GONE && type_by_name(other->values, name) != NULL) return 1;
    }
    return 0;
}

static tr_module_type *type_by_handle(const tr_values *values, uint32_t handle) {
    if (values == NULL || handle == 0 || handle > values->type_count) return NULL;
    tr_module_type *type = values->types[handle - 1];
    return type->registered ? type : NULL;
}

static tr_module_type *add_type(tr_values *values, const char *name) {
    tr_mem *mem = mem_of(values);
    tr_module_type *type = tr_zalloc(mem, sizeof(*type));
    if (type == NULL) return NULL;
    tr_module_type **types = tr_realloc(mem, values->types, (values->type_count + 1) * sizeof(*types));
    if (types == NULL) {
        tr_free(mem, type);
        return NULL;
    }
    values->types = types;
    types[values->type_count++] = type;
    memcpy(type->name, name, TR_TYPE_NAME_LEN + 1);
    type->home = values;
    type->handle = values->type_count;
    return type;
}

static int register_type(tr_helper *h, const tr_msg_register_type *m, uint32_t *handle) {
    char name[TR_TYPE_NAME_LEN + 1] = {0};
    if (h->state != TR_HELPER_LOADING) return NOT_NOW;
    if (m->name.len != TR_TYPE_NAME_LEN || m->encver > ENCVER_MAX) return INVALID;
    memcpy(name, m->name.at, TR_TYPE_NAME_LEN);
    if (strspn(name, LETTERS) != TR_TYPE_NAME_LEN) return INVALID;
    tr_module_type *type = type_by_name(h->values, name);
    if (is_taken(h, name) || (type != NULL && type->registered)) return TAKEN;
    tr_values *values = tr__values_of(h);
    if (values == NULL) return TR_ENOMEM;
    if (type == NULL && values->type_count == TR_TYPES_MAX) return INVALID;
    if (type == NULL) type = add_type(values, name);
    if (type == NULL) return TR_ENOMEM;
    type->encver = m->encver;
    type->methods = m->methods;
    type->aux_when = m->aux_when;
    type->registered = 1;
    *handle = type->handle;
    return REGISTERED;
}

int tr_modhost_register_type(tr_helper *h, const tr_wire_header *header, const void *body) {
    tr_msg_register_type_answer answer = {0};
    int rc = register_type(h, body, &answer.type);
    if (rc < 0) return rc;
    answer.outcome = (uint8_t)rc;
    return tr_helper_answer(h, header, &answer);
}

const tr_module_type *tr_values_type(const tr_helper *h, uint32_t n) {
    return h->values == NULL || n >= h->values->type_count ? NULL : h->values->types[n];
}

/* ------------------------------------------------------------------ values under keys */

tr_module_value *tr__value_of(const tr_values *values, const tr_entry *e) {
    if (values == NULL || e == NULL || tr_entry_type(e) != TR_MODULE) return NULL;
    tr_module_value *v = tr_entry_ptr(e);
    return v->home == &values->journal ? v : NULL;
}

void tr_modhost_value_of(const tr_helper *h, const tr_entry *e, uint32_t *type, uint64_t *token) {
    const tr_module_value *v = tr__value_of(h->values, e);
    *type = v == NULL || v->token == 0 ? 0 : v->type->handle;
    *token = v == NULL ? 0 : v->token;
}

/* The unit that runs has set the value under a key that it has open. */
static int note_set(tr_values *values, tr_module_value *v) {
    const tr_unit *unit = tr_helper_unit(values->h);
    if (unit == NULL || !tr__values_kept(values)) return TR_OK;
    tr_deeds *deeds = tr__deeds_of(values, unit);
    return deeds == NULL ? TR_ENOMEM : tr_touched_made(&values->journal, &deeds->touched, v);
}

/* As when the key had been deleted before it was set. */
static void tell_new(tr_db *db, const tr_arg *key) {
    tr_store *store = db->store;
    if (store->wants & TR_WANTS_ADDED) store->hooks.added(store->hooks.ctx, db, TR_MODULE, key->ptr, key->len);
    tr_db_event(db, TR_EV_NEW, "new", key->ptr, key->len);
}

/* Puts the value under the key; steals it. */
static int put_value(tr_values *values, const tr_open_key *k, tr_entry *old, tr_module_value *v, int keep_old) {
    tr_arg key = {.ptr = k->name, .len = k->len};
    uint32_t hash = tr_db_hash(k->db, key.ptr, key.len);
    int rc = note_set(values, v);
    tr_module_value *back = keep_old ? tr_entry_ptr(old) : NULL;
    uint64_t token = back == NULL ? 0 : back->token;
    if (back != NULL) tr_journal_set_token(back, 0); /* the module has it again: it is not to be freed */
    int flags = keep_old ? TR_KEEP_TTL : 0;
    if (rc == TR_OK && tr_db_set_value(k->db, old, &key, hash, TR_MODULE, TR_ENC_RAW, v, flags) != NULL) {
        if (old != NULL && !keep_old) tell_new(k->db, &key);
        return TR_OK;
    }
    if (back != NULL) tr_journal_set_token(back, token);
    tr_journal_value_dies(mem_of(values), v);
    return TR_ENOMEM;
}

int tr_modhost_set_value(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_set_value *m = body;
    tr_values *values = h->values;
    (void)header;
    tr_module_type *type = type_by_handle(values, m->type);
    const tr_open_key *k = tr_modhost_key(h, m->key);
    if (type == NULL) return tr_helper_wrong(h, "a value of a type that was not registered");
    if (k == NULL || !(k->mode & TR_MODE_WRITE))
        return tr_helper_wrong(h, "a value for a key that is not open for writing");
    if (m->token == 0 || tr_journal_by_token(&values->journal, m->token) != NULL)
        return tr_helper_wrong(h, "a token that was used before");
    tr_entry *old = tr_modhost_entry(k);
    if (m->keep_old && tr__value_of(values, old) == NULL) return tr_helper_wrong(h, "a value in place of none");
    tr_module_value *v = tr_journal_new_value(&values->journal, type);
    if (v == NULL) return TR_ENOMEM;
    v->covered = (uint8_t)tr__type_is_covered(type);
    tr_journal_set_token(v, m->token);
    return put_value(values, k, old, v, m->keep_old);
}

/* ------------------------------------------------------------------ what is to be freed */

void tr__values_give_back(tr_values *values, tr_module_value *v) {
    if (v->token == 0 || v->freed) return;
    tr_journal_hold(v);
    v->freed = 1;
    v->next_freed = values->freed;
    values->freed = v;
    values->freed_count++;
}

static void drop_next_unlinked(tr_values *values, tr_unlinked **link) {
    tr_unlinked *u = *link;
    *link = u->next;
    if (values->unlinked_end == &u->next) values->unlinked_end = link;
    tr_journal_let_go(mem_of(values), u->value);
    tr_free(mem_of(values), u);
}

void tr__values_unlinked_since(tr_values *values, uint64_t stamp) {
    for (tr_unlinked **link = &values->unlinked; *link != NULL;) {
        if ((*link)->stamp >= stamp) drop_next_unlinked(values, link);
        else link = &(*link)->next;
    }
}

static int tell_unlinked(tr_values *values, tr_unlinked **link) {
    const tr_unlinked *first = *link;
    tr_msg_type_unlink tell = {
        .type = first->value->type->handle,
        .token = first->value->token,
        .db = first->db,
        .name = {.at = (const uint8_t *)first->name, .len = first->len},
    };
    int rc = tr_helper_tell(values->h, TR_MSG_TYPE_UNLINK, &tell);
    if (rc == TR_OK) drop_next_unlinked(values, link);
    return rc;
}

static int tell_freed(tr_values *values) {
    uint64_t types[TR_FREES_BATCH], tokens[TR_FREES_BATCH];
    uint32_t count = 0;
    for (tr_module_value *v = values->freed; v != NULL && count < TR_FREES_BATCH; v = v->next_freed) {
        types[count] = v->type->handle;
        tokens[count++] = v->token;
    }
    tr_msg_type_free tell = {
        .types = {.count = count, .items.u64s = types}, .tokens = {.count = count, .items.u64s = tokens}};
    int rc = tr_helper_tell(values->h, TR_MSG_TYPE_FREE, &tell);
    while (rc == TR_OK && count-- > 0) {
        tr_module_value *v = values->freed;
        values->freed = v->next_freed;
        values->freed_count--;
        v->freed = 0;
        tr_journal_let_go(mem_of(values), v);
    }
    return rc;
}

int tr__values_send_back(tr_values *values) {
    int rc = TR_OK;
    if (values->h->state != TR_HELPER_SERVING) return TR_EAGAIN;
    while (rc == TR_OK && values->unlinked != NULL) rc = tell_unlinked(values, &values->unlinked);
    while (rc == TR_OK && values->freed != NULL) rc = tell_freed(values);
    return rc;
}

int tr__values_send_dead(tr_values *values) {
    int rc = TR_OK;
    for (tr_unlinked **link = &values->unlinked; rc == TR_OK && *link != NULL;) {
        if ((*link)->value->live) link = &(*link)->next;
        else rc = tell_unlinked(values, link);
    }
    while (rc == TR_OK && values->freed != NULL) rc = tell_freed(values);
    return rc;
}

/* ------------------------------------------------------------------ the process' end */

void tr_modhost_values_lost(tr_helper *h) {
    tr_values *values = h->values;
    if (values == NULL) return;
    tr__checkpoint_lost(values);
    while (values->deeds != NULL) tr__deeds_drop(values);
    while (values->unlinked != NULL) drop_next_unlinked(values, &values->unlinked);
    tr__mend_lost(values);
    tr__restore_lost(values);
    while (values->freed != NULL) {
        tr_module_value *v = values->freed;
        values->freed = v->next_freed;
        v->freed = 0;
        tr_journal_let_go(mem_of(values), v);
    }
    values->freed_count = 0;
    for (tr_module_value *v = values->journal.values; v != NULL; v = v->next) tr_journal_set_token(v, 0);
    for (uint32_t i = 0; i < values->type_count; i++) values->types[i]->registered = 0;
}

static void keep(tr_helper *h, int wanted) {
    tr_values *values = h->values;
    if (!wanted) {
        tr__checkpoint_lost(values);
        tr_journal_forget(&values->journal);
    }
    values->not_wanted = !wanted;
    values->hurry = wanted && values->journal.live_count != 0;
    tr_msg_keep_values tell = {.wanted = (uint8_t)wanted};
    if (h->state == TR_HELPER_SERVING) tr_helper_tell(h, TR_MSG_KEEP_VALUES, &tell);
}

void tr_modhost_keep_values(tr_modhost *m, int wanted) {
    if (m->forgets_values != wanted) return;
    m->forgets_values = !wanted;
    for (tr_helper *h = m->helpers; h != NULL; h = h->next) {
        /* What is being given back is needed until it is there. */
        if (h->values != NULL && h->state != TR_HELPER_RESTORING) keep(h, wanted);
    }
}

void tr__values_settle_keep(tr_values *values) {
    int wanted = !values->h->m->forgets_values;
    if (values->not_wanted == wanted) keep(values->h, wanted);
}

int tr_values_are_given_back(const tr_helper *h) {
    return h->values != NULL && h->values->replay != NULL;
}

int tr_values_serves(tr_helper *h) {
    tr_values *values = h->values;
    if (values == NULL) return TR_OK;
    tr_msg_keep_values tell = {.wanted = (uint8_t)tr__values_kept(values)};
    int rc = tr_helper_tell(h, TR_MSG_KEEP_VALUES, &tell);
    return rc == TR_OK ? tr__values_send_back(values) : rc;
}

tr_values_stats tr_values_statistics(const tr_helper *h) {
    const tr_values *values = h->values;
    if (values == NULL) return (tr_values_stats){0};
    tr_values_stats stats = {
        .types = values->type_count,
        .values = values->journal.live_count,
        .base_bytes = values->journal.base_bytes,
        .journal_bytes = values->journal.bytes,
        .journal_entries = values->journal.count,
        .checkpoints = values->checkpoints,
        .checkpoints_failed = values->checkpoints_failed,
        .lost = values->lost,
        .lost_all = values->lost_all,
        .not_kept = values->not_kept,
        .not_taken_back = values->not_taken_back,
    };
    for (uint32_t i = 0; i < values->type_count; i++) stats.uncovered_types += !tr__type_is_covered(values->types[i]);
    return stats;
}

void tr_values_cron(tr_helper *h) {
    tr_values *values = h->values;
    if (values == NULL || h->state != TR_HELPER_SERVING || h->handed != NULL) return;
    if (values->loses && values->dirty == NULL) {
        uint64_t lost = tr__values_drop_lost(values);
        values->loses = 0;
        values->lost_all += lost;
    }
    if (tr__values_send_back(values) == TR_OK && tr__values_kept(values)) tr__checkpoint_cron(values);
}
