/* Strings as a whole: GET, MGET, MSET, MSETNX, STRLEN. MSET makes all it needs before it changes
 * anything. */
#include "exec/exec.h"
#include "exec/reply.h"

void tr_cmd_get(tr_client *c) {
    const tr_entry *e = tr_db_read(c->db, &c->argv[1]);
    if (e == NULL) {
        tr_reply_null(c);
    } else if (TR_LIKELY(tr_entry_type(e) == TR_STRING)) {
        tr_reply_string(c, e);
    } else {
        tr_reply_error(c, TR_MSG_WRONGTYPE);
    }
}

void tr_cmd_strlen(tr_client *c) {
    const tr_entry *e = tr_db_read(c->db, &c->argv[1]);
    if (!tr_reply_unless_type(c, e, TR_STRING)) return;
    tr_reply_int(c, e ? (int64_t)tr_entry_string_len(e) : 0);
}

void tr_cmd_mget(tr_client *c) {
    tr_reply_array(c, (size_t)c->argc - 1);
    for (int i = 1; i < c->argc; i++) {
        const tr_entry *e = tr_db_read(c->db, &c->argv[i]);
        if (e == NULL || tr_entry_type(e) != TR_STRING) {
            tr_reply_null(c);
        } else {
            tr_reply_string(c, e);
        }
    }
}

static void discard_all(tr_client *c, tr_hnode *made) {
    while (made != NULL) {
        tr_entry *e = (tr_entry *)made;
        made = made->next;
        tr_db_discard(c->db, e);
    }
}

/* Entries for all pairs of the command, in order, linked by their nodes and in no database yet.
 * NULL after the error reply. Hints the memory about the buckets that put_all() will look at. */
static tr_hnode *make_all(tr_client *c) {
    tr_hnode *made = NULL;
    tr_hnode **end = &made;
    for (int i = 1; i < c->argc; i += 2) {
        const tr_arg *key = &c->argv[i];
        uint32_t hash = tr_db_hash(c->db, key->ptr, key->len);
        tr_hash_prefetch(&c->db->keys, hash);
        tr_entry *e = tr_db_make_string(c->db, key, hash, key + 1);
        if (e == NULL) {
            discard_all(c, made);
            tr_reply_error(c, TR_MSG_NO_MEMORY);
            return NULL;
        }
        e->node.next = NULL;
        *end = &e->node;
        end = &e->node.next;
    }
    return made;
}

static void put_all(tr_client *c, tr_hnode *made) {
    const tr_arg *key = &c->argv[1];
    tr_hnode *next;
    for (tr_hnode *node = made; node != NULL; node = next, key += 2) {
        next = node->next;
        tr_db_put(c->db, (tr_entry *)node);
        tr_db_changed(c->db, TR_EV_STRING, "set", key->ptr, key->len);
    }
}

void tr_cmd_mset(tr_client *c) {
    if (c->argc % 2 == 0) {
        tr_reply_arity(c);
        return;
    }
    tr_hnode *made = make_all(c);
    if (made == NULL) return;
    put_all(c, made);
    tr_reply_ok(c);
}

void tr_cmd_msetnx(tr_client *c) {
    if (c->argc % 2 == 0) {
        tr_reply_arity(c);
        return;
    }
    for (int i = 1; i < c->argc; i += 2) {
        if (tr_db_write(c->db, &c->argv[i]) == NULL) continue;
        tr_reply_int(c, 0);
        return;
    }
    tr_hnode *made = make_all(c);
    if (made == NULL) return;
    put_all(c, made);
    tr_reply_int(c, 1);
}
