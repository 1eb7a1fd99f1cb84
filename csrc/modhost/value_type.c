/* What the rooms below may ask of a key that holds a module's value. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "modhost/values_impl.h"
#include "store/digest.h"
#include "store/undo.h"

static tr_values *values_of(const tr_module_value *v) {
    return v->home == NULL ? NULL : v->type->home;
}

static tr_wire_bytes bytes_of(const char *p, size_t len) {
    return (tr_wire_bytes){.at = (const uint8_t *)p, .len = (uint32_t)len};
}

static tr_wire_bytes key_of(const tr_entry *e) {
    return bytes_of(e->key, tr_entry_key_len(e));
}

/* Its process can be asked about it now. */
static int is_there(const tr_module_value *v) {
    return v->home != NULL && v->token != 0 && v->type->home->h->state == TR_HELPER_SERVING;
}

static void free_value(tr_store *store, tr_enc enc, void *ptr) {
    tr_module_value *v = ptr;
    (void)enc;
    if (v->home != NULL) tr__values_give_back(v->type->home, v);
    tr_journal_value_dies(store->mem, v);
}

/* The process hears of it later: nothing may fail or be served amid a change of the keyspace. */
static void leaves(tr_db *db, const tr_entry *e) {
    tr_module_value *v = tr_entry_ptr(e);
    tr_values *values = values_of(v);
    if (values == NULL || !is_there(v) || !(v->type->methods & TR_TYPE_UNLINKS)) return;
    size_t len = tr_entry_key_len(e);
    tr_unlinked *u = tr_alloc(db->store->mem, sizeof(*u) + len);
    if (u == NULL) return; /* the callback is a courtesy: the value is freed all the same */
    *u = (tr_unlinked){.value = v, .stamp = tr_undo_stamp(db->store), .db = (uint32_t)db->id, .len = (uint32_t)len};
    memcpy(u->name, e->key, len);
    tr_journal_hold(v);
    *values->unlinked_end = u;
    values->unlinked_end = &u->next;
}

static const char *type_name(const tr_entry *e) {
    const tr_module_value *v = tr_entry_ptr(e);
    return v->home == NULL ? "module" : v->type->name;
}

static const char *encoding_name(const tr_entry *e) {
    (void)e;
    return "raw";
}

/* Asks its process about the value. Nothing may change meanwhile: who asks holds entries, or walks through them. */
static int ask(const tr_module_value *v, tr_msg_type type, const void *body, void *answer, tr_buf *hold) {
    tr_values *values = values_of(v);
    values->frozen++;
    int rc = tr_helper_ask(values->h, type, body, answer, hold);
    values->frozen--;
    return rc;
}

static size_t memory(tr_db *db, const tr_entry *e, int64_t samples) {
    const tr_module_value *v = tr_entry_ptr(e);
    size_t bytes = tr_mem_size(v);
    if (!is_there(v) || !(v->type->methods & TR_TYPE_MEM_USAGE)) return bytes;
    tr_msg_type_mem_usage body = {
        .type = v->type->handle,
        .token = v->token,
        .samples = samples == INT64_MAX ? 0 : (uint64_t)samples,
        .db = (uint32_t)db->id,
        .name = key_of(e),
    };
    tr_msg_type_mem_usage_answer answer;
    tr_buf hold = {0};
    tr_mem *mem = db->store->mem;
    if (ask(v, TR_MSG_TYPE_MEM_USAGE, &body, &answer, &hold) == TR_OK)
        bytes += answer.size_bytes > TR_ALLOC_MAX ? TR_ALLOC_MAX : (size_t)answer.size_bytes;
    tr_buf_release(mem, &hold);
    return bytes;
}

static void digest(const tr_db *db, const tr_entry *e, unsigned char out[TR_SHA1_BYTES]) {
    const tr_module_value *v = tr_entry_ptr(e);
    if (!is_there(v) || !(v->type->methods & TR_TYPE_DIGESTS)) return;
    if (tr_helper_unit(values_of(v)->h) != NULL) return; /* should it fail, the keys of a walk would be taken back */
    tr_msg_type_digest body = {
        .type = v->type->handle, .token = v->token, .db = (uint32_t)db->id, .name = key_of(e)};
    tr_msg_type_digest_answer answer;
    tr_buf hold = {0};
    int rc = ask(v, TR_MSG_TYPE_DIGEST, &body, &answer, &hold);
    if (rc == TR_OK && answer.digest.len == TR_SHA1_BYTES) tr_digest_xor(out, answer.digest.at, TR_SHA1_BYTES);
    tr_buf_release(db->store->mem, &hold);
}

/* ------------------------------------------------------------------ copies */

/* The process makes a second value. 0 and *token, or why not. */
static int ask_for_copy(const tr_module_value *v, const tr_jname *from, const tr_jname *to, uint64_t *token) {
    tr_helper *h = values_of(v)->h;
    tr_msg_type_copy body = {
        .type = v->type->handle,
        .token = v->token,
        .from_db = from->db,
        .to_db = to->db,
        .from_name = bytes_of(from->name, from->len),
        .to_name = bytes_of(to->name, to->len),
    };
    tr_msg_type_copy_answer answer;
    tr_buf hold = {0};
    int rc = ask(v, TR_MSG_TYPE_COPY, &body, &answer, &hold);
    tr_buf_release(h->m->mem, &hold);
    if (rc != TR_OK) return TR_EAGAIN;
    if (answer.token == 0) return TR_EINVAL;
    if (tr_journal_by_token(v->home, answer.token) != NULL) {
        tr_helper_fail(h, TR_FAIL_PROTOCOL, "a token that was used before");
        return TR_EAGAIN;
    }
    *token = answer.token;
    return TR_OK;
}

/* Puts down where the copy comes from. Amid a unit of its helper its payload comes with the unit. */
static int keep_copy(tr_values *values, const tr_jname *from, const tr_jname *to) {
    const tr_unit *unit = tr_helper_unit(values->h);
    if (!tr__values_kept(values) || !to->value->covered) return TR_OK;
    if (unit == NULL) return tr_journal_add_copy(tr__values_journal(values), from, to);
    tr_deeds *deeds = tr__deeds_of(values, unit);
    return deeds == NULL ? TR_ENOMEM : tr_touched_made(&values->journal, &deeds->touched, to->value);
}

static int copy_entry(tr_db *from, const tr_entry *e, tr_db *to, const tr_arg *key, void **out) {
    tr_module_value *v = tr_entry_ptr(e);
    tr_values *values = values_of(v);
    uint64_t token = 0;
    if (values == NULL || !is_there(v)) return TR_EAGAIN;
    if (!(v->type->methods & TR_TYPE_COPIES)) return TR_ENOTSUP;
    tr_module_value *copy = tr_journal_new_value(&values->journal, v->type);
    if (copy == NULL) return TR_ENOMEM;
    copy->covered = v->covered;
    tr_jname a = {.value = v, .expire_ms = -1, .db = (uint32_t)from->id, .len = (uint32_t)tr_entry_key_len(e)};
    tr_jname b = {.value = copy, .expire_ms = -1, .db = (uint32_t)to->id, .len = (uint32_t)key->len};
    a.name = (char *)(uintptr_t)e->key;
    b.name = (char *)(uintptr_t)key->ptr;
    int rc = ask_for_copy(v, &a, &b, &token);
    if (rc == TR_OK) {
        tr_journal_set_token(copy, token);
        rc = keep_copy(values, &a, &b);
    }
    if (rc != TR_OK) {
        free_value(from->store, TR_ENC_RAW, copy);
        return rc;
    }
    *out = copy;
    return TR_OK;
}

static const tr_type_ops module_ops = {
    .name = "module",
    .name_of = type_name,
    .free_value = free_value,
    .leaves = leaves,
    .copy_entry = copy_entry,
    .memory = memory,
    .encoding_name = encoding_name,
    .digest = digest,
};

void tr_values_install(tr_store *store) {
    store->types[TR_MODULE] = &module_ops;
}
