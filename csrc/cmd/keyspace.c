/* Keys whatever they hold: DEL, UNLINK, EXISTS, TOUCH, TYPE, RENAME, RENAMENX, COPY, MOVE; and
 * whole databases: DBSIZE, FLUSHDB, FLUSHALL, SWAPDB. */
#include <string.h>

#include "base/err.h"
#include "exec/exec.h"
#include "exec/reply.h"

static void delete_keys(tr_client *c) {
    int64_t count = 0;
    for (int i = 1; i < c->argc; i++) {
        const tr_arg *key = &c->argv[i];
        tr_entry *e = tr_db_look(c->db, key);
        if (e == NULL) continue;
        tr_db_delete(c->db, e);
        tr_db_changed(c->db, TR_EV_GENERIC, "del", key->ptr, key->len);
        count++;
    }
    tr_reply_int(c, count);
}

void tr_cmd_del(tr_client *c) {
    delete_keys(c);
}

void tr_cmd_unlink(tr_client *c) {
    delete_keys(c);
}

void tr_cmd_exists(tr_client *c) {
    int64_t count = 0;
    for (int i = 1; i < c->argc; i++) count += tr_db_read_no_touch(c->db, &c->argv[i]) != NULL;
    tr_reply_int(c, count);
}

void tr_cmd_touch(tr_client *c) {
    int64_t count = 0;
    for (int i = 1; i < c->argc; i++) count += tr_db_read(c->db, &c->argv[i]) != NULL;
    tr_reply_int(c, count);
}

void tr_cmd_type(tr_client *c) {
    const tr_entry *e = tr_db_read_no_touch(c->db, &c->argv[1]);
    tr_reply_simple(c, e ? tr_entry_type_name(c->x->store, e) : "none");
}

static int same_name(const tr_arg *a, const tr_arg *b) {
    return a->len == b->len && memcmp(a->ptr, b->ptr, a->len) == 0;
}

/* 1, or 0 after the reply: nothing was renamed. */
static int rename_key(tr_client *c, int if_free) {
    const tr_arg *from = &c->argv[1], *to = &c->argv[2];
    tr_entry *e = tr_db_write(c->db, from);
    if (e == NULL) {
        tr_reply_error(c, TR_MSG_NO_KEY);
        return 0;
    }
    if (same_name(from, to)) {
        if (!if_free) return 1;
        tr_reply_int(c, 0);
        return 0;
    }
    if (tr_db_write(c->db, to) != NULL && if_free) {
        tr_reply_int(c, 0);
        return 0;
    }
    if (tr_db_move(c->db, e, c->db, to) == NULL) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return 0;
    }
    tr_db_changed(c->db, TR_EV_GENERIC, "rename_from", from->ptr, from->len);
    tr_db_tell(c->db, TR_EV_GENERIC, "rename_to", to->ptr, to->len);
    return 1;
}

void tr_cmd_rename(tr_client *c) {
    if (rename_key(c, 0)) tr_reply_ok(c);
}

void tr_cmd_renamenx(tr_client *c) {
    if (rename_key(c, 1)) tr_reply_int(c, 1);
}

/* argv[i] as one of the databases, or NULL after the error reply. */
static tr_db *db_of(tr_client *c, int i) {
    int id;
    if (!tr_arg_int32(c, i, &id)) return NULL;
    if (id >= 0 && id < c->x->store->db_count) return &c->x->store->dbs[id];
    tr_reply_error(c, TR_MSG_DB_RANGE);
    return NULL;
}

typedef struct copy_options {
    tr_db *to;
    int replace;
} copy_options;

/* 1, or 0 after the error reply. */
static int parse_copy(tr_client *c, copy_options *o) {
    *o = (copy_options){.to = c->db};
    for (int i = 3; i < c->argc; i++) {
        if (tr_arg_is(c, i, "REPLACE")) {
            o->replace = 1;
        } else if (tr_arg_is(c, i, "DB") && i + 1 < c->argc) {
            o->to = db_of(c, ++i);
            if (o->to == NULL) return 0;
        } else {
            tr_reply_error(c, TR_MSG_SYNTAX);
            return 0;
        }
    }
    return 1;
}

static const char *why_no_copy(int rc) {
    switch (rc) {
    case TR_ENOTSUP:
        return "ERR not supported for this module key";
    case TR_EINVAL:
        return "ERR module key failed to copy";
    case TR_EAGAIN:
        return "MODULEDOWN the module that has the value can't be asked";
    default:
        return TR_MSG_NO_MEMORY;
    }
}

void tr_cmd_copy(tr_client *c) {
    const tr_arg *from = &c->argv[1], *to = &c->argv[2];
    copy_options o;
    if (!parse_copy(c, &o)) return;
    if (o.to == c->db && same_name(from, to)) {
        tr_reply_error(c, TR_MSG_SAME);
        return;
    }
    tr_entry *e = tr_db_read(c->db, from);
    if (e == NULL || (tr_db_write(o.to, to) != NULL && !o.replace)) {
        tr_reply_int(c, 0);
        return;
    }
    int rc = tr_db_copy(c->db, e, o.to, to);
    if (rc != TR_OK) {
        tr_reply_error(c, why_no_copy(rc));
        return;
    }
    tr_db_changed(o.to, TR_EV_GENERIC, "copy_to", to->ptr, to->len);
    tr_reply_int(c, 1);
}

void tr_cmd_move(tr_client *c) {
    const tr_arg *key = &c->argv[1];
    tr_db *to = db_of(c, 2);
    if (to == NULL) return;
    if (to == c->db) {
        tr_reply_error(c, TR_MSG_SAME);
        return;
    }
    tr_entry *e = tr_db_write(c->db, key);
    if (e == NULL || tr_db_write(to, key) != NULL) {
        tr_reply_int(c, 0);
        return;
    }
    if (tr_db_move(c->db, e, to, key) == NULL) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    tr_db_changed(c->db, TR_EV_GENERIC, "move_from", key->ptr, key->len);
    tr_db_tell(to, TR_EV_GENERIC, "move_to", key->ptr, key->len);
    tr_reply_int(c, 1);
}

void tr_cmd_dbsize(tr_client *c) {
    tr_reply_int(c, (int64_t)tr_hash_count(&c->db->keys));
}

/* db_id -1: all of them. */
static void flush(tr_client *c, int db_id) {
    tr_store *store = c->x->store;
    int in_background = c->argc == 2 && tr_arg_is(c, 1, "ASYNC");
    if (c->argc > 1 && !in_background && !(c->argc == 2 && tr_arg_is(c, 1, "SYNC"))) {
        tr_reply_error(c, TR_MSG_SYNTAX);
        return;
    }
    uint64_t keys = tr_store_flush(store, db_id, in_background);
    store->dirty += keys;
    tr_exec_note_flush(c, db_id, keys, in_background);
    tr_reply_ok(c);
}

void tr_cmd_flushdb(tr_client *c) {
    flush(c, c->db->id);
}

void tr_cmd_flushall(tr_client *c) {
    flush(c, -1);
}

/* argv[i] as an int, or 0 after this error. */
static int index_of(tr_client *c, int i, int *out, const char *error) {
    int64_t n;
    if (!tr_arg_int_or(c, i, &n, error)) return 0;
    *out = (int)n;
    if (n == *out) return 1;
    tr_reply_error(c, error);
    return 0;
}

void tr_cmd_swapdb(tr_client *c) {
    tr_store *store = c->x->store;
    int a, b;
    if (!index_of(c, 1, &a, "ERR invalid first DB index")) return;
    if (!index_of(c, 2, &b, "ERR invalid second DB index")) return;
    if (a < 0 || a >= store->db_count || b < 0 || b >= store->db_count) {
        tr_reply_error(c, TR_MSG_DB_RANGE);
        return;
    }
    if (tr_store_swap(store, a, b) != TR_OK) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    store->dirty++;
    tr_exec_note_swap(c, a, b);
    tr_reply_ok(c);
}
