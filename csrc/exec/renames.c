#include "exec/renames.h"

#include "base/err.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static tr_rename *find_item(const tr_renames *r, const char *name, size_t len) {
    for (int i = 0; i < r->count; i++) {
        tr_rename *item = &r->items[i];
        if (item->len != len) continue;
        size_t n = 0;
        while (n < len && item->name[n] == lower(name[n])) n++;
        if (n == len) return item;
    }
    return NULL;
}

const tr_command *tr_renames_find(const tr_renames *r, const char *name, size_t len) {
    const tr_rename *item = find_item(r, name, len);
    return item ? item->cmd : tr_command_find(name, len);
}

/* A name that stands for nothing so far. 0, TR_ENOMEM or TR_ELIMIT. */
static int add_name(tr_renames *r, tr_mem *mem, const char *name, size_t len) {
    if (find_item(r, name, len) != NULL) return TR_OK;
    if (r->count == TR_RENAMES_MAX) return TR_ELIMIT;
    tr_rename *items = tr_realloc(mem, r->items, ((size_t)r->count + 1) * sizeof(*items));
    if (items == NULL) return TR_ENOMEM;
    r->items = items;
    char *copy = tr_alloc(mem, len);
    if (copy == NULL) return TR_ENOMEM;
    for (size_t i = 0; i < len; i++) copy[i] = lower(name[i]);
    items[r->count++] = (tr_rename){.name = copy, .len = len, .cmd = tr_command_find(name, len)};
    return TR_OK;
}

int tr_renames_add(tr_renames *r, tr_mem *mem, const char *from, size_t from_len, const char *to, size_t to_len) {
    const tr_command *cmd = tr_renames_find(r, from, from_len);
    if (cmd == NULL) return TR_ENOENT;
    if (to_len != 0 && tr_renames_find(r, to, to_len) != NULL) {
        int same = to_len == from_len && tr_renames_find(r, to, to_len) == cmd;
        for (size_t i = 0; same && i < to_len; i++) same = lower(from[i]) == lower(to[i]);
        return same ? TR_OK : TR_EEXIST;
    }
    int rc = add_name(r, mem, from, from_len);
    if (rc == TR_OK && to_len != 0) rc = add_name(r, mem, to, to_len);
    if (rc != TR_OK) return rc; /* a name added on the way means what it meant */
    find_item(r, from, from_len)->cmd = NULL;
    if (to_len != 0) find_item(r, to, to_len)->cmd = cmd;
    return TR_OK;
}

void tr_renames_release(tr_renames *r, tr_mem *mem) {
    for (int i = 0; i < r->count; i++) tr_free(mem, r->items[i].name);
    tr_free(mem, r->items);
    *r = (tr_renames){0};
}
