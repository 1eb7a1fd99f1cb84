/* What a unit does with keys: names in the order in which they were opened, with an index when there are many. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/siphash.h"
#include "modhost/journal.h"

#define PLAIN_SEARCH_MAX 8 /* names that are looked through one by one */
#define FIRST_NAMES 4
#define FIRST_INDEX 32

static int is_name(const tr_jname *n, uint32_t db, const char *name, size_t len) {
    return n->db == db && n->len == len && memcmp(n->name, name, len) == 0;
}

/* The place in the index where the name is, or would be. */
static uint32_t *slot_of(const tr_journal *j, const tr_touched *r, uint32_t db, const char *name, size_t len) {
    uint32_t mask = r->index_cap - 1;
    uint32_t at = (uint32_t)(tr_siphash(name, len, j->seed) + db) & mask;
    while (r->index[at] != 0 && !is_name(&r->names[r->index[at] - 1], db, name, len)) at = (at + 1) & mask;
    return &r->index[at];
}

tr_jname *tr_touched_find(const tr_journal *j, const tr_touched *r, uint32_t db, const char *name, size_t len) {
    if (r->index != NULL) {
        uint32_t place = *slot_of(j, r, db, name, len);
        return place == 0 ? NULL : &r->names[place - 1];
    }
    for (uint32_t i = 0; i < r->name_count; i++) {
        if (is_name(&r->names[i], db, name, len)) return &r->names[i];
    }
    return NULL;
}

/* An index of all names with room for as many again. */
static int make_index(tr_journal *j, tr_touched *r) {
    uint32_t cap = FIRST_INDEX;
    while (cap < (r->name_count + 1) * 4) cap *= 2;
    uint32_t *index = tr_zalloc(j->mem, cap * sizeof(*index));
    if (index == NULL) return TR_ENOMEM;
    tr_free(j->mem, r->index);
    r->index = index;
    r->index_cap = cap;
    for (uint32_t i = 0; i < r->name_count; i++) {
        const tr_jname *n = &r->names[i];
        *slot_of(j, r, n->db, n->name, n->len) = i + 1;
    }
    return TR_OK;
}

static int make_room(tr_journal *j, tr_touched *r) {
    if (r->name_count == r->name_cap) {
        uint32_t cap = r->name_cap == 0 ? FIRST_NAMES : r->name_cap * 2;
        tr_jname *names = tr_realloc(j->mem, r->names, cap * sizeof(*names));
        if (names == NULL) return TR_ENOMEM;
        r->names = names;
        r->name_cap = cap;
    }
    int small = r->name_count < PLAIN_SEARCH_MAX;
    return small || (r->index != NULL && (r->name_count + 1) * 2 <= r->index_cap) ? TR_OK : make_index(j, r);
}

tr_jname *tr_touched_add(tr_journal *j, tr_touched *r, uint32_t db, const char *name, size_t len,
                         tr_module_value *value) {
    tr_jname *n = tr_touched_find(j, r, db, name, len);
    if (n != NULL) return n;
    tr_assert(len <= UINT32_MAX);
    if (make_room(j, r) != TR_OK) return NULL;
    char *copy = tr_alloc(j->mem, len + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, name, len);
    n = &r->names[r->name_count++];
    *n = (tr_jname){.value = value, .expire_ms = -1, .db = db, .len = (uint32_t)len, .name = copy};
    if (value != NULL) tr_journal_hold(value);
    if (r->index != NULL) *slot_of(j, r, db, name, len) = r->name_count;
    return n;
}

int tr_touched_made(tr_journal *j, tr_touched *r, tr_module_value *v) {
    if (r->made_count == r->made_cap) {
        uint32_t cap = r->made_cap == 0 ? FIRST_NAMES : r->made_cap * 2;
        tr_module_value **made = tr_realloc(j->mem, r->made, cap * sizeof(*made));
        if (made == NULL) return TR_ENOMEM;
        r->made = made;
        r->made_cap = cap;
    }
    r->made[r->made_count++] = v;
    tr_journal_hold(v);
    return TR_OK;
}

void tr_touched_release(tr_journal *j, tr_touched *r) {
    for (uint32_t i = 0; i < r->name_count; i++) {
        if (r->names[i].value != NULL) tr_journal_let_go(j->mem, r->names[i].value);
        tr_free(j->mem, r->names[i].name);
    }
    for (uint32_t i = 0; i < r->made_count; i++) tr_journal_let_go(j->mem, r->made[i]);
    tr_free(j->mem, r->names);
    tr_free(j->mem, r->index);
    tr_free(j->mem, r->made);
    *r = (tr_touched){0};
}
