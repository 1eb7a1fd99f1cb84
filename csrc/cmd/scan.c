/* Walking through the keys: KEYS, SCAN, RANDOMKEY. */
#include <string.h>
#include <strings.h>

#include "base/glob.h"
#include "cmd/scan_args.h"
#include "exec/exec.h"
#include "exec/reply.h"

#define FOUND_INLINE 128 /* keys that one SCAN collects without an allocation */

typedef struct keys_walk {
    tr_client *c;
    const tr_arg *pattern;
    size_t count;
} keys_walk;

static void visit_for_keys(void *ctx, tr_hnode *node) {
    keys_walk *walk = ctx;
    const tr_entry *e = (const tr_entry *)node;
    size_t len = tr_entry_key_len(e);
    const tr_arg *pattern = walk->pattern; /* NULL: every key */
    if (pattern != NULL && !tr_glob_match(pattern->ptr, pattern->len, e->key, len, 0)) return;
    if (tr_db_is_expired(walk->c->db, e)) return;
    tr_reply_bulk(walk->c, e->key, len);
    walk->count++;
}

void tr_cmd_keys(tr_client *c) {
    const tr_arg *pattern = &c->argv[1];
    int is_all = pattern->len == 1 && pattern->ptr[0] == '*'; /* which finds the empty key, too */
    keys_walk walk = {.c = c, .pattern = is_all ? NULL : pattern};
    uint64_t cursor = 0;
    tr_w_gap gap = tr_w_defer(&c->w);
    /* Nothing changes the table meanwhile, so the scan meets each key once. */
    do cursor = tr_hash_scan(&c->db->keys, cursor, visit_for_keys, &walk);
    while (cursor != 0);
    tr_w_defer_end(&c->w, gap, '*', walk.count);
}

void tr_cmd_randomkey(tr_client *c) {
    const tr_entry *e = tr_db_random(c->db);
    if (e == NULL) {
        tr_reply_null(c);
    } else {
        tr_reply_bulk(c, e->key, tr_entry_key_len(e));
    }
}

/* What one SCAN has found so far. Entries are borrowed: the command changes none but those it
 * leaves out. */
typedef struct scan_walk {
    tr_db *db;
    const tr_scan_args *args;
    size_t seen;
    size_t count, cap;
    tr_entry **found; /* `room`, or owned */
    int failed;       /* no memory */
    tr_entry *room[FOUND_INLINE];
} scan_walk;

static int add_found(scan_walk *walk, tr_entry *e) {
    if (walk->count == walk->cap) {
        tr_mem *mem = walk->db->store->mem;
        size_t size = walk->cap * 2 * sizeof(*walk->found);
        int is_first = walk->found == walk->room;
        tr_entry **more = is_first ? tr_alloc(mem, size) : tr_realloc(mem, walk->found, size);
        if (more == NULL) return 0;
        if (is_first) memcpy(more, walk->room, sizeof(walk->room));
        walk->found = more;
        walk->cap *= 2;
    }
    walk->found[walk->count++] = e;
    return 1;
}

static int is_of_type(const tr_store *store, const tr_scan_args *args, const tr_entry *e) {
    if (tr_entry_type(e) != args->type) return 0;
    if (args->type != TR_MODULE) return 1;
    const char *name = tr_entry_type_name(store, e);
    return strlen(name) == args->type_name->len && strncasecmp(name, args->type_name->ptr, args->type_name->len) == 0;
}

static void visit_for_scan(void *ctx, tr_hnode *node) {
    scan_walk *walk = ctx;
    tr_entry *e = (tr_entry *)node;
    const tr_scan_args *args = walk->args;
    walk->seen++;
    if (args->by_type && !is_of_type(walk->db->store, args, e)) return;
    if (!tr_scan_matches(args, e->key, tr_entry_key_len(e))) return;
    if (TR_UNLIKELY(tr_db_is_expired(walk->db, e))) {
        if (!walk->db->store->keep_expired) tr_db_expire_now(walk->db, e);
        return;
    }
    if (!add_found(walk, e)) walk->failed = 1;
}

void tr_cmd_scan(tr_client *c) {
    tr_scan_args args;
    if (!tr_scan_parse_cursor(c, 1, &args)) return;
    if (!tr_scan_parse_options(c, 2, TR_SCAN_KEYS, &args)) return;
    scan_walk walk;
    walk.db = c->db;
    walk.args = &args;
    walk.seen = walk.count = 0;
    walk.cap = FOUND_INLINE;
    walk.found = walk.room;
    walk.failed = 0;
    uint64_t cursor = args.cursor;
    int64_t steps = tr_scan_steps_max(&args);
    do cursor = tr_hash_scan(&c->db->keys, cursor, visit_for_scan, &walk);
    while (cursor != 0 && --steps > 0 && walk.seen < (uint64_t)args.count && !walk.failed);
    if (walk.failed) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
    } else {
        tr_scan_reply_head(c, cursor, walk.count);
        for (size_t i = 0; i < walk.count; i++) {
            const tr_entry *e = walk.found[i];
            tr_reply_bulk(c, e->key, tr_entry_key_len(e));
        }
    }
    if (walk.found != walk.room) tr_free(c->x->mem, walk.found);
}
