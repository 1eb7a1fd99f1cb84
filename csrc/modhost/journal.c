#include "modhost/journal.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"

/* ------------------------------------------------------------------ values */

static int has_token(const tr_hnode *node, const void *key, size_t len) {
    (void)len;
    return ((const tr_module_value *)node)->token == *(const uint64_t *)key;
}

void tr_journal_init(tr_journal *j, tr_mem *mem, const uint64_t seed[2]) {
    *j = (tr_journal){.mem = mem, .seed = {seed[0], seed[1]}};
    tr_hash_init(&j->by_token, mem, has_token);
}

static uint32_t hash_of(uint64_t token) {
    return (uint32_t)((token * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

void tr_journal_set_token(tr_module_value *v, uint64_t token) {
    tr_hash *table = &v->home->by_token;
    if (v->token != 0) tr_hash_unlink(table, tr_hash_link_of(table, &v->by_token));
    v->token = token;
    if (token == 0) return;
    v->by_token.hash = hash_of(token);
    tr_hash_insert(table, &v->by_token);
}

tr_module_value *tr_journal_by_token(tr_journal *j, uint64_t token) {
    if (token == 0) return NULL;
    tr_hnode **link = tr_hash_find(&j->by_token, hash_of(token), &token, sizeof(token));
    return link == NULL ? NULL : (tr_module_value *)*link;
}

tr_module_value *tr_journal_new_value(tr_journal *j, struct tr_module_type *type) {
    tr_module_value *v = tr_zalloc(j->mem, sizeof(*v));
    if (v == NULL) return NULL;
    v->home = j;
    v->type = type;
    v->live = 1;
    v->next = j->values;
    if (v->next != NULL) v->next->prev = v;
    j->values = v;
    j->value_count++;
    j->live_count++;
    return v;
}

static void drop_base(tr_mem *mem, tr_module_value *v) {
    if (v->base == NULL) return;
    if (v->home != NULL) v->home->base_bytes -= v->base_len;
    tr_free(mem, v->base);
    v->base = NULL;
    v->base_len = 0;
}

static void free_if_unneeded(tr_mem *mem, tr_module_value *v) {
    tr_journal *j = v->home;
    if (v->live || v->mentions != 0) return;
    drop_base(mem, v);
    tr_free(mem, v->staged);
    if (j != NULL) {
        tr_journal_set_token(v, 0);
        if (v->prev != NULL) v->prev->next = v->next;
        else j->values = v->next;
        if (v->next != NULL) v->next->prev = v->prev;
        j->value_count--;
    }
    tr_free(mem, v);
}

void tr_journal_value_dies(tr_mem *mem, tr_module_value *v) {
    tr_assert(v->live);
    v->live = 0;
    if (v->home != NULL) v->home->live_count--;
    free_if_unneeded(mem, v);
}

void tr_journal_let_go(tr_mem *mem, tr_module_value *v) {
    tr_assert(v->mentions != 0);
    v->mentions--;
    free_if_unneeded(mem, v);
}

/* ------------------------------------------------------------------ entries */

static void append(tr_journal *j, tr_jentry *e) {
    e->stamp = j->stamp;
    e->next = NULL;
    e->prev = j->last;
    if (j->last != NULL) j->last->next = e;
    else j->first = e;
    j->last = e;
    j->count++;
    j->bytes += e->bytes;
}

static void mention(tr_module_value *v) {
    if (v == NULL) return;
    v->mentions++;
    v->last = NULL;
}

void tr_journal_drop(tr_journal *j, tr_jentry *e) {
    if (e->prev != NULL) e->prev->next = e->next;
    else j->first = e->next;
    if (e->next != NULL) e->next->prev = e->prev;
    else j->last = e->prev;
    j->count--;
    j->bytes -= e->bytes;
    if (e->value != NULL) {
        if (e->value->last == e) e->value->last = NULL;
        tr_journal_let_go(j->mem, e->value);
    }
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].value != NULL) tr_journal_let_go(j->mem, e->names[i].value);
    }
    for (uint32_t i = 0; i < e->made_count; i++) tr_journal_let_go(j->mem, e->made[i]);
    tr_free(j->mem, e->payload);
    tr_free(j->mem, e);
}

static char *copy_bytes(tr_mem *mem, const void *p, size_t len) {
    char *copy = tr_alloc(mem, len + 1);
    if (copy != NULL && len != 0) memcpy(copy, p, len);
    return copy;
}

int tr_journal_add_payload(tr_journal *j, tr_module_value *v, uint32_t encver, const tr_arg *payload,
                           tr_jentry **before) {
    tr_jentry *e = tr_zalloc(j->mem, sizeof(*e));
    if (e == NULL) return TR_ENOMEM;
    e->payload = copy_bytes(j->mem, payload->ptr, payload->len);
    if (e->payload == NULL) {
        tr_free(j->mem, e);
        return TR_ENOMEM;
    }
    e->kind = TR_JOURNAL_PAYLOAD;
    e->encver = encver;
    e->payload_len = payload->len;
    e->bytes = sizeof(*e) + payload->len;
    e->value = v;
    append(j, e);
    *before = v->last;
    mention(v);
    v->last = e;
    return TR_OK;
}

/* An entry is one block: | entry | names | made | commands | arguments | bytes |. */
typedef struct layout {
    char *at;
} layout;

static void *cut(layout *l, size_t bytes) {
    void *p = l->at;
    l->at += bytes;
    return p;
}

static char *put(layout *l, const char *p, size_t len) {
    char *copy = cut(l, len);
    if (len != 0) memcpy(copy, p, len);
    return copy;
}

static void put_name(layout *l, tr_jname *to, const tr_jname *from) {
    *to = *from;
    to->name = put(l, from->name, from->len);
    mention(to->value);
}

int tr_journal_add_copy(tr_journal *j, const tr_jname *from, const tr_jname *to) {
    size_t bytes = sizeof(tr_jentry) + 2 * sizeof(tr_jname) + from->len + to->len;
    tr_jentry *e = tr_zalloc(j->mem, bytes);
    if (e == NULL) return TR_ENOMEM;
    layout l = {.at = (char *)(e + 1)};
    e->kind = TR_JOURNAL_COPY;
    e->bytes = bytes;
    e->names = cut(&l, 2 * sizeof(tr_jname));
    e->name_count = 2;
    put_name(&l, &e->names[0], from);
    put_name(&l, &e->names[1], to);
    e->value = to->value;
    mention(e->value);
    append(j, e);
    return TR_OK;
}

static size_t size_of_commands(const tr_touched *r, const tr_jcommand *commands, uint32_t count) {
    size_t bytes = sizeof(tr_jentry) + r->name_count * sizeof(tr_jname) + r->made_count * sizeof(tr_module_value *) +
                   count * sizeof(tr_jcommand);
    for (uint32_t i = 0; i < r->name_count; i++) bytes += r->names[i].len;
    for (uint32_t i = 0; i < count; i++) {
        bytes += (size_t)commands[i].argc * sizeof(tr_arg);
        for (int k = 0; k < commands[i].argc; k++) bytes += commands[i].argv[k].len;
    }
    return bytes;
}

int tr_journal_add_commands(tr_journal *j, const tr_touched *r, const tr_jcommand *commands, uint32_t count) {
    size_t bytes = size_of_commands(r, commands, count);
    tr_jentry *e = tr_zalloc(j->mem, bytes);
    if (e == NULL) return TR_ENOMEM;
    layout l = {.at = (char *)(e + 1)};
    e->kind = TR_JOURNAL_COMMANDS;
    e->bytes = bytes;
    e->names = cut(&l, r->name_count * sizeof(tr_jname));
    e->name_count = r->name_count;
    e->made = cut(&l, r->made_count * sizeof(tr_module_value *));
    e->made_count = r->made_count;
    e->commands = cut(&l, count * sizeof(tr_jcommand));
    e->command_count = count;
    for (uint32_t i = 0; i < count; i++) {
        e->commands[i] = commands[i];
        e->commands[i].argv = cut(&l, (size_t)commands[i].argc * sizeof(tr_arg));
    }
    for (uint32_t i = 0; i < r->name_count; i++) put_name(&l, &e->names[i], &r->names[i]);
    for (uint32_t i = 0; i < r->made_count; i++) mention(e->made[i] = r->made[i]);
    for (uint32_t i = 0; i < count; i++) {
        for (int k = 0; k < commands[i].argc; k++) {
            const tr_arg *arg = &commands[i].argv[k];
            e->commands[i].argv[k] = (tr_arg){.ptr = put(&l, arg->ptr, arg->len), .len = arg->len};
        }
    }
    tr_assert(l.at == (char *)e + bytes);
    append(j, e);
    return TR_OK;
}

/* ------------------------------------------------------------------ less of it */

static int writes_marked(const tr_jentry *e) {
    for (uint32_t i = 0; i < e->name_count; i++) {
        if (e->names[i].written && e->names[i].value != NULL && e->names[i].value->marked) return 1;
    }
    for (uint32_t i = 0; i < e->made_count; i++) {
        if (e->made[i]->marked) return 1;
    }
    return 0;
}

/* Whether the entry is needed for what is marked; marks what it needs in turn, in the state before it. */
static int is_needed(tr_jentry *e) {
    switch ((tr_jkind)e->kind) {
        case TR_JOURNAL_PAYLOAD: {
            int needed = e->value->marked;
            e->value->marked = 0;
            return needed;
        }
        case TR_JOURNAL_COPY: {
            int needed = e->value->marked;
            e->value->marked = 0;
            if (needed) e->names[0].value->marked = 1;
            return needed;
        }
        case TR_JOURNAL_COMMANDS: {
            if (!writes_marked(e)) return 0;
            for (uint32_t i = 0; i < e->made_count; i++) e->made[i]->marked = 0;
            for (uint32_t i = 0; i < e->name_count; i++) {
                if (e->names[i].value != NULL) e->names[i].value->marked = 1;
            }
            return 1;
        }
    }
    return 1;
}

void tr_journal_sweep(tr_journal *j) {
    tr_assert(!j->in_checkpoint);
    for (tr_module_value *v = j->values; v != NULL; v = v->next) v->marked = v->live;
    for (tr_jentry *e = j->last, *before; e != NULL; e = before) {
        before = e->prev;
        if (!is_needed(e)) tr_journal_drop(j, e);
    }
    for (tr_module_value *v = j->values; v != NULL; v = v->next) {
        if (!v->marked) drop_base(j->mem, v);
        v->marked = 0;
    }
}

/* ------------------------------------------------------------------ checkpoints */

static void drop_staged(tr_mem *mem, tr_module_value *v) {
    tr_free(mem, v->staged);
    v->staged = NULL;
    v->staged_len = 0;
}

void tr_journal_checkpoint_begins(tr_journal *j) {
    tr_assert(!j->in_checkpoint);
    j->in_checkpoint = 1;
    j->mark = j->last;
    for (tr_module_value *v = j->values; v != NULL; v = v->next) {
        v->marked = v->live;
        v->last = NULL; /* what comes now must not go before the mark */
    }
}

int tr_journal_stage(tr_journal *j, tr_module_value *v, uint32_t encver, const void *p, size_t len) {
    if (!j->in_checkpoint || !v->marked) return TR_EINVAL;
    char *staged = copy_bytes(j->mem, p, len);
    if (staged == NULL) return TR_ENOMEM;
    drop_staged(j->mem, v);
    v->staged = staged;
    v->staged_len = len;
    v->staged_encver = encver;
    return TR_OK;
}

static void use_staged(tr_journal *j, tr_module_value *v) {
    drop_base(j->mem, v);
    v->base = v->staged;
    v->base_len = v->staged_len;
    v->base_encver = v->staged_encver;
    v->staged = NULL;
    v->staged_len = 0;
    j->base_bytes += v->base_len;
}

static void drop_to(tr_journal *j, const tr_jentry *mark) {
    while (mark != NULL) {
        tr_jentry *e = j->first;
        tr_assert(e != NULL);
        if (e == mark) mark = NULL;
        tr_journal_drop(j, e);
    }
}

int tr_journal_checkpoint_ends(tr_journal *j, int ok) {
    tr_assert(j->in_checkpoint);
    for (const tr_module_value *v = j->values; ok && v != NULL; v = v->next) {
        /* One that has died may still be needed by what came after the mark. */
        if (v->marked && v->covered && v->staged == NULL && !v->lost) ok = 0;
    }
    j->in_checkpoint = 0;
    for (tr_module_value *v = j->values; v != NULL; v = v->next) {
        v->marked = 0;
        if (v->staged == NULL) continue;
        if (ok) use_staged(j, v);
        else drop_staged(j->mem, v);
    }
    if (ok) drop_to(j, j->mark);
    j->mark = NULL;
    return ok ? TR_OK : TR_EAGAIN;
}

void tr_journal_forget(tr_journal *j) {
    tr_assert(!j->in_checkpoint);
    while (j->first != NULL) tr_journal_drop(j, j->first);
    for (tr_module_value *v = j->values; v != NULL; v = v->next) drop_base(j->mem, v);
}

void tr_journal_release(tr_journal *j) {
    while (j->first != NULL) tr_journal_drop(j, j->first);
    for (tr_module_value *v = j->values, *next; v != NULL; v = next) {
        next = v->next;
        tr_assert(v->live);
        drop_base(j->mem, v);
        drop_staged(j->mem, v);
        tr_journal_set_token(v, 0);
        v->home = NULL;
        v->type = NULL;
        v->next = v->prev = NULL;
    }
    j->values = NULL;
    tr_hash_release(&j->by_token);
}

void tr_journal_check(const tr_journal *j) {
    uint64_t values = 0, live = 0, entries = 0, mentions = 0, mentioned = 0;
    size_t bytes = 0, base_bytes = 0;
    for (const tr_module_value *v = j->values; v != NULL; v = v->next) {
        tr_assert(v->home == j && (v->next == NULL || v->next->prev == v));
        tr_assert(v->live || v->mentions != 0);
        tr_assert(v->last == NULL || (v->last->kind == TR_JOURNAL_PAYLOAD && v->last->value == v));
        values++;
        live += v->live;
        mentions += v->mentions;
        base_bytes += v->base_len;
    }
    for (const tr_jentry *e = j->first; e != NULL; e = e->next) {
        tr_assert(e->next == NULL ? j->last == e : e->next->prev == e);
        entries++;
        bytes += e->bytes;
        mentioned += e->made_count + (e->value != NULL);
        for (uint32_t i = 0; i < e->name_count; i++) mentioned += e->names[i].value != NULL;
    }
    tr_assert(values == j->value_count && live == j->live_count && entries == j->count);
    tr_assert(bytes == j->bytes && base_bytes == j->base_bytes);
    tr_assert(mentioned <= mentions); /* open units hold some too */
}
