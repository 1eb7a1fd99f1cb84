/* reply.h - how commands answer: short names for the writer of the client that asked.
 *
 * Errors go through here and nowhere else, so that they are counted once, by their first word.
 */
#ifndef TR_EXEC_REPLY_H
#define TR_EXEC_REPLY_H

#include <string.h>

#include "exec/client.h"

#define TR_MSG_WRONGTYPE "WRONGTYPE Operation against a key holding the wrong kind of value"
#define TR_MSG_SYNTAX "ERR syntax error"
#define TR_MSG_NO_KEY "ERR no such key"
#define TR_MSG_NOT_INT "ERR value is not an integer or out of range"
#define TR_MSG_NOT_FLOAT "ERR value is not a valid float"
#define TR_MSG_RANGE "ERR index out of range"
#define TR_MSG_OOM "OOM command not allowed when used memory > 'maxmemory'."
#define TR_MSG_NO_MEMORY "OOM the server is out of memory" /* malloc said no */
#define TR_MSG_SAME "ERR source and destination objects are the same"
#define TR_MSG_DB_RANGE "ERR DB index is out of range"

/* text: "CODE message", without the '-'. */
void tr_reply_error(tr_client *c, const char *text);
void tr_reply_error_len(tr_client *c, const char *text, size_t len);
void tr_reply_errorf(tr_client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The running command has a wrong number of arguments, beyond what its table entry tells. */
void tr_reply_arity(tr_client *c);

static inline void tr_reply_ok(tr_client *c) {
    tr_w_ok(&c->w);
}
static inline void tr_reply_simple(tr_client *c, const char *s) {
    tr_w_simple(&c->w, s, strlen(s));
}
static inline void tr_reply_int(tr_client *c, int64_t n) {
    tr_w_int(&c->w, n);
}
static inline void tr_reply_bulk(tr_client *c, const void *p, size_t n) {
    tr_w_bulk(&c->w, p, n);
}
static inline void tr_reply_cstr(tr_client *c, const char *s) {
    tr_w_cstr(&c->w, s);
}
static inline void tr_reply_null(tr_client *c) {
    tr_w_null(&c->w);
}
static inline void tr_reply_null_array(tr_client *c) {
    tr_w_null_array(&c->w);
}
static inline void tr_reply_array(tr_client *c, size_t n) {
    tr_w_array(&c->w, n);
}
static inline void tr_reply_map(tr_client *c, size_t pairs) {
    tr_w_map(&c->w, pairs);
}
static inline void tr_reply_view(tr_client *c, const tr_view *v) {
    if (v->blob != NULL) {
        tr_w_bulk_blob(&c->w, v->blob, 0, v->len);
    } else {
        tr_w_bulk(&c->w, v->ptr, v->len);
    }
}
/* The string value of an entry as a bulk. */
static inline void tr_reply_string(tr_client *c, const tr_entry *e) {
    tr_view v;
    if (tr_entry_enc(e) == TR_ENC_INT) {
        tr_w_bulk_int(&c->w, tr_entry_int(e));
        return;
    }
    tr_entry_view(e, &v);
    tr_reply_view(c, &v);
}

/* argv[i] as int64: 1 and *out, or 0 after TR_MSG_NOT_INT (or the text given). */
int tr_arg_int(tr_client *c, int i, int64_t *out);
int tr_arg_int_or(tr_client *c, int i, int64_t *out, const char *error);
/* argv[i] as int32 (database numbers and such): the same, or an error that names the range. */
int tr_arg_int32(tr_client *c, int i, int *out);
/* 1 when argv[i] is this word, in any case. */
int tr_arg_is(const tr_client *c, int i, const char *word);
/* 1 when e is NULL or has the type; else 0 after TR_MSG_WRONGTYPE. */
int tr_reply_unless_type(tr_client *c, const tr_entry *e, tr_type type);

#endif
