/* SET, its relatives, and the commands that read a string and change its life: GETSET, GETDEL,
 * GETEX. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "cmd/expire_time.h"
#include "exec/exec.h"
#include "exec/reply.h"

enum {
    OPT_NX = 1 << 0,
    OPT_XX = 1 << 1,
    OPT_GET = 1 << 2,
    OPT_KEEPTTL = 1 << 3,
    OPT_PERSIST = 1 << 4,
    OPT_EX = 1 << 5,
    OPT_PX = 1 << 6,
    OPT_EXAT = 1 << 7,
    OPT_PXAT = 1 << 8,
};
#define OPT_DEADLINES (OPT_EX | OPT_PX | OPT_EXAT | OPT_PXAT)
#define OPT_LIVES (OPT_DEADLINES | OPT_KEEPTTL | OPT_PERSIST)

/* One option word: who knows it, and what must not have come before it. */
typedef struct option_word {
    const char *word;
    uint32_t bit;
    uint32_t excludes;
    int in_set, in_getex;
} option_word;

static const option_word option_words[] = {
    {"EX", OPT_EX, OPT_LIVES & ~OPT_EX, 1, 1},
    {"PX", OPT_PX, OPT_LIVES & ~OPT_PX, 1, 1},
    {"NX", OPT_NX, OPT_XX, 1, 0},
    {"XX", OPT_XX, OPT_NX, 1, 0},
    {"GET", OPT_GET, 0, 1, 0},
    {"KEEPTTL", OPT_KEEPTTL, OPT_LIVES & ~OPT_KEEPTTL, 1, 0},
    {"EXAT", OPT_EXAT, OPT_LIVES & ~OPT_EXAT, 1, 1},
    {"PXAT", OPT_PXAT, OPT_LIVES & ~OPT_PXAT, 1, 1},
    {"PERSIST", OPT_PERSIST, OPT_LIVES & ~OPT_PERSIST, 0, 1},
};

typedef struct set_options {
    uint32_t bits;
    int deadline_at; /* argument that says when; 0: none */
    int64_t when_ms; /* with one of OPT_DEADLINES */
} set_options;

static const option_word *option_of(const tr_client *c, int i) {
    for (size_t w = 0; w < sizeof(option_words) / sizeof(option_words[0]); w++) {
        if (tr_arg_is(c, i, option_words[w].word)) return &option_words[w];
    }
    return NULL;
}

/* The arguments from `first` on. 1, or 0 after the error reply. */
static int parse_options(tr_client *c, int first, int is_getex, set_options *o) {
    *o = (set_options){0};
    for (int i = first; i < c->argc; i++) {
        const option_word *w = option_of(c, i);
        int known = w != NULL && (is_getex ? w->in_getex : w->in_set);
        int has_value = known && w->bit & OPT_DEADLINES;
        if (!known || o->bits & w->excludes || (has_value && i + 1 == c->argc)) {
            tr_reply_error(c, TR_MSG_SYNTAX);
            return 0;
        }
        o->bits |= w->bit;
        if (has_value) o->deadline_at = ++i;
    }
    return 1;
}

/* The deadline's value, once it is its turn to be looked at. 1, or 0 after the error reply. */
static int parse_deadline(tr_client *c, set_options *o) {
    if (o->deadline_at == 0) return 1;
    tr_time_unit unit = o->bits & (OPT_EX | OPT_EXAT) ? TR_SECONDS : TR_MILLISECONDS;
    tr_time_base base = o->bits & (OPT_EX | OPT_PX) ? TR_FROM_NOW : TR_SINCE_1970;
    return tr_arg_positive_deadline(c, o->deadline_at, unit, base, &o->when_ms);
}

/* A string value that outlives its entry until the reply is written. */
typedef struct held {
    int exists;
    tr_blob *blob; /* share */
    size_t len;
    char text[TR_EMB_VALUE_MAX];
} held;

_Static_assert(TR_EMB_VALUE_MAX >= TR_INT_TEXT, "text takes integers too");

static void hold(held *h, const tr_entry *e) {
    h->exists = e != NULL;
    h->blob = NULL;
    if (e == NULL) return;
    tr_view v;
    tr_entry_view(e, &v);
    h->len = v.len;
    if (v.blob != NULL) {
        h->blob = tr_blob_share(v.blob);
    } else {
        memcpy(h->text, v.ptr, v.len);
    }
}

static void drop_held(tr_client *c, held *h) {
    tr_blob_drop(c->x->mem, h->blob);
}

static void reply_held(tr_client *c, const held *h) {
    if (!h->exists) {
        tr_reply_null(c);
    } else if (h->blob != NULL) {
        tr_w_bulk_blob(&c->w, h->blob, 0, h->len);
    } else {
        tr_reply_bulk(c, h->text, h->len);
    }
}

/* Sets argv[1] and its deadline, if any, and tells of it. 1, or 0 after the error reply, with
 * nothing changed. */
static int store_value(tr_client *c, tr_entry *old, uint32_t hash, const tr_arg *value,
                       const set_options *o) {
    const tr_arg *key = &c->argv[1];
    int has_deadline = (o->bits & OPT_DEADLINES) != 0;
    int keeps = has_deadline || o->bits & OPT_KEEPTTL;
    tr_entry *e = NULL;
    if (!has_deadline || tr_db_reserve_expire(c->db) == TR_OK)
        e = tr_db_set_string(c->db, old, key, hash, value, keeps ? TR_KEEP_TTL : 0);
    if (TR_UNLIKELY(e == NULL)) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return 0;
    }
    tr_db_changed(c->db, TR_EV_STRING, "set", key->ptr, key->len);
    if (has_deadline) {
        int rc = tr_db_set_expire(c->db, e, o->when_ms);
        tr_assert(rc == TR_OK);
        tr_db_event(c->db, TR_EV_GENERIC, "expire", key->ptr, key->len);
    }
    return 1;
}

/* SET with GET: the old value is the reply, also where NX or XX keep it. */
static void set_and_get(tr_client *c, const set_options *o) {
    uint32_t hash;
    tr_entry *old = tr_db_read_hash(c->db, &c->argv[1], &hash);
    if (!tr_reply_unless_type(c, old, TR_STRING)) return;
    held before;
    hold(&before, old);
    int refused = old != NULL ? o->bits & OPT_NX : o->bits & OPT_XX;
    if (refused || store_value(c, old, hash, &c->argv[2], o)) reply_held(c, &before);
    drop_held(c, &before);
}

void tr_cmd_set(tr_client *c) {
    set_options o = {0};
    if (c->argc > 3 && !(parse_options(c, 3, 0, &o) && parse_deadline(c, &o))) return;
    if (o.bits & OPT_GET) {
        set_and_get(c, &o);
        return;
    }
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(c->db, &c->argv[1], &hash);
    if (TR_UNLIKELY(old != NULL ? o.bits & OPT_NX : o.bits & OPT_XX)) {
        tr_reply_null(c);
        return;
    }
    if (TR_LIKELY(store_value(c, old, hash, &c->argv[2], &o))) tr_reply_ok(c);
}

void tr_cmd_setnx(tr_client *c) {
    const set_options o = {0};
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(c->db, &c->argv[1], &hash);
    if (old != NULL) {
        tr_reply_int(c, 0);
    } else if (store_value(c, NULL, hash, &c->argv[2], &o)) {
        tr_reply_int(c, 1);
    }
}

static void set_for_a_time(tr_client *c, uint32_t bit) {
    set_options o = {.bits = bit, .deadline_at = 2};
    if (!parse_deadline(c, &o)) return;
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(c->db, &c->argv[1], &hash);
    if (store_value(c, old, hash, &c->argv[3], &o)) tr_reply_ok(c);
}

void tr_cmd_setex(tr_client *c) {
    set_for_a_time(c, OPT_EX);
}

void tr_cmd_psetex(tr_client *c) {
    set_for_a_time(c, OPT_PX);
}

void tr_cmd_getset(tr_client *c) {
    const set_options o = {0};
    set_and_get(c, &o);
}

void tr_cmd_getdel(tr_client *c) {
    const tr_arg *key = &c->argv[1];
    tr_entry *e = tr_db_read(c->db, key);
    if (!tr_reply_unless_type(c, e, TR_STRING)) return;
    if (e == NULL) {
        tr_reply_null(c);
        return;
    }
    tr_reply_string(c, e);
    tr_db_delete(c->db, e);
    tr_db_changed(c->db, TR_EV_GENERIC, "del", key->ptr, key->len);
}

void tr_cmd_getex(tr_client *c) {
    const tr_arg *key = &c->argv[1];
    set_options o;
    if (!parse_options(c, 2, 1, &o)) return;
    tr_entry *e = tr_db_read(c->db, key);
    if (e == NULL) {
        tr_reply_null(c);
        return;
    }
    if (!tr_reply_unless_type(c, e, TR_STRING) || !parse_deadline(c, &o)) return;
    int past = o.bits & (OPT_EXAT | OPT_PXAT) && tr_deadline_passed(c, o.when_ms);
    if (o.bits & OPT_DEADLINES && !past && tr_db_set_expire(c->db, e, o.when_ms) != TR_OK) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    tr_reply_string(c, e);
    if (past) {
        tr_db_delete(c->db, e);
        tr_db_changed(c->db, TR_EV_GENERIC, "del", key->ptr, key->len);
    } else if (o.bits & OPT_DEADLINES) {
        tr_db_changed(c->db, TR_EV_GENERIC, "expire", key->ptr, key->len);
    } else if (o.bits & OPT_PERSIST && tr_db_persist(c->db, e)) {
        tr_db_changed(c->db, TR_EV_GENERIC, "persist", key->ptr, key->len);
    }
}
