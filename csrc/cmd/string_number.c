/* Strings as numbers: INCR, INCRBY, DECR, DECRBY, INCRBYFLOAT. */
#include <math.h>

#include "base/err.h"
#include "exec/exec.h"
#include "exec/reply.h"

#define MSG_OVERFLOW "ERR increment or decrement would overflow"

static void add(tr_client *c, int64_t by) {
    const tr_arg *key = &c->argv[1];
    uint32_t hash;
    int64_t n = 0;
    tr_entry *e = tr_db_write_hash(c->db, key, &hash);
    if (!tr_reply_unless_type(c, e, TR_STRING)) return;
    if (e != NULL && !tr_entry_string_int(e, &n)) {
        tr_reply_error(c, TR_MSG_NOT_INT);
        return;
    }
    if (__builtin_add_overflow(n, by, &n)) {
        tr_reply_error(c, MSG_OVERFLOW);
        return;
    }
    if (e != NULL && tr_entry_enc(e) == TR_ENC_INT && tr_db_will_change(c->db, e) == TR_OK) {
        tr_entry_set_int(e, n);
    } else if (tr_db_set_integer(c->db, e, key, hash, n, TR_KEEP_TTL) == NULL) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    tr_db_changed(c->db, TR_EV_STRING, "incrby", key->ptr, key->len);
    tr_reply_int(c, n);
}

void tr_cmd_incr(tr_client *c) {
    add(c, 1);
}

void tr_cmd_decr(tr_client *c) {
    add(c, -1);
}

void tr_cmd_incrby(tr_client *c) {
    int64_t by;
    if (tr_arg_int(c, 2, &by)) add(c, by);
}

void tr_cmd_decrby(tr_client *c) {
    int64_t by;
    if (!tr_arg_int(c, 2, &by)) return;
    if (by == INT64_MIN) {
        tr_reply_error(c, "ERR decrement would overflow");
        return;
    }
    add(c, -by);
}

/* The entry's value as a float, 0 for none. 1, or 0 after the error reply. */
static int float_of(tr_client *c, const tr_entry *e, long double *out) {
    *out = 0;
    if (e == NULL) return 1;
    tr_view v;
    tr_entry_view(e, &v);
    if (tr_num_parse_ldouble(v.ptr, v.len, out)) return 1;
    tr_reply_error(c, TR_MSG_NOT_FLOAT);
    return 0;
}

void tr_cmd_incrbyfloat(tr_client *c) {
    const tr_arg *key = &c->argv[1];
    uint32_t hash;
    long double n, by;
    tr_entry *e = tr_db_write_hash(c->db, key, &hash);
    if (!tr_reply_unless_type(c, e, TR_STRING) || !float_of(c, e, &n)) return;
    if (!tr_num_parse_ldouble(c->argv[2].ptr, c->argv[2].len, &by)) {
        tr_reply_error(c, TR_MSG_NOT_FLOAT);
        return;
    }
    n += by;
    if (isnan(n) || isinf(n)) {
        tr_reply_error(c, "ERR increment would produce NaN or Infinity");
        return;
    }
    char text[TR_LDOUBLE_TEXT];
    size_t len = tr_num_format_ldouble(text, sizeof(text), n);
    if (tr_db_set_plain(c->db, e, key, hash, text, len, TR_KEEP_TTL) == NULL) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    tr_db_changed(c->db, TR_EV_STRING, "incrbyfloat", key->ptr, key->len);
    tr_reply_bulk(c, text, len);
}
