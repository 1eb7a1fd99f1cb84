/* Parts of strings: APPEND, GETRANGE, SUBSTR, SETRANGE. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "exec/reply.h"

/* Bytes up to which a growing string doubles; beyond, it gets that much more. */
#define GROW_DOUBLE_MAX ((size_t)1 << 20)

/* 1, or 0 after the error reply. */
static int check_size(tr_client *c, size_t have, size_t more) {
    size_t total;
    if (!__builtin_add_overflow(have, more, &total) && total <= (size_t)c->x->string_max) return 1;
    tr_reply_error(c, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return 0;
}

/* Room for a string of that length that may grow on. */
static size_t roomy(size_t len) {
    return len < GROW_DOUBLE_MAX ? len * 2 : len + GROW_DOUBLE_MAX;
}

/* The entry's own blob with room for `need` bytes, and for more where it had to grow. NULL: no
 * memory. */
static tr_blob *own_blob(tr_client *c, tr_entry *e, size_t need) {
    if (tr_entry_enc(e) == TR_ENC_RAW) {
        if (tr_db_will_change(c->db, e) != TR_OK) return NULL;
        tr_blob *blob = tr_entry_ptr(e);
        if (blob->refs == 1 && blob->cap >= need) return blob;
    }
    return tr_db_own_blob(c->db, &e, roomy(need));
}

void tr_cmd_append(tr_client *c) {
    const tr_arg *key = &c->argv[1];
    const tr_arg *more = &c->argv[2];
    uint32_t hash;
    size_t len = more->len;
    tr_entry *e = tr_db_write_hash(c->db, key, &hash);
    if (e == NULL) {
        if (tr_db_set_string(c->db, NULL, key, hash, more, 0) == NULL) {
            tr_reply_error(c, TR_MSG_NO_MEMORY);
            return;
        }
    } else {
        if (!tr_reply_unless_type(c, e, TR_STRING)) return;
        if (!check_size(c, tr_entry_string_len(e), len)) return;
        tr_blob *blob = own_blob(c, e, tr_entry_string_len(e) + len);
        if (blob == NULL) {
            tr_reply_error(c, TR_MSG_NO_MEMORY);
            return;
        }
        memcpy(blob->data + blob->len, more->ptr, len);
        blob->len += len;
        len = blob->len;
    }
    tr_db_changed(c->db, TR_EV_STRING, "append", key->ptr, key->len);
    tr_reply_int(c, (int64_t)len);
}

/* SETRANGE on a key that has no string: zeros, then the bytes. *len becomes the length. */
static int set_range_of_new(tr_client *c, uint32_t hash, size_t offset, size_t *len) {
    const tr_arg *part = &c->argv[3];
    *len = offset + part->len;
    tr_blob *blob = tr_blob_new(c->x->mem, NULL, *len, 0);
    if (blob == NULL) return 0;
    memset(blob->data, 0, offset);
    memcpy(blob->data + offset, part->ptr, part->len);
    const tr_arg *key = &c->argv[1];
    if (tr_db_set_value(c->db, NULL, key, hash, TR_STRING, TR_ENC_RAW, blob, 0) != NULL) return 1;
    tr_blob_drop(c->x->mem, blob);
    return 0;
}

/* The same on one that has a string, *len long so far. */
static int set_range_of_old(tr_client *c, tr_entry *e, size_t offset, size_t *len) {
    const tr_arg *part = &c->argv[3];
    size_t end = offset + part->len;
    tr_blob *blob = own_blob(c, e, end > *len ? end : *len);
    if (blob == NULL) return 0;
    tr_assert(blob->len == *len);
    if (offset > *len) memset(blob->data + *len, 0, offset - *len);
    memcpy(blob->data + offset, part->ptr, part->len);
    if (end > *len) *len = blob->len = end;
    return 1;
}

void tr_cmd_setrange(tr_client *c) {
    const tr_arg *key = &c->argv[1];
    size_t part_len = c->argv[3].len;
    uint32_t hash;
    int64_t offset;
    if (!tr_arg_int(c, 2, &offset)) return;
    if (offset < 0) {
        tr_reply_error(c, "ERR offset is out of range");
        return;
    }
    tr_entry *e = tr_db_write_hash(c->db, key, &hash);
    if (!tr_reply_unless_type(c, e, TR_STRING)) return;
    size_t len = e ? tr_entry_string_len(e) : 0;
    if (part_len == 0) {
        tr_reply_int(c, (int64_t)len);
        return;
    }
    if (!check_size(c, (size_t)offset, part_len)) return;
    size_t at = (size_t)offset;
    if (!(e ? set_range_of_old(c, e, at, &len) : set_range_of_new(c, hash, at, &len))) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    tr_db_changed(c->db, TR_EV_STRING, "setrange", key->ptr, key->len);
    tr_reply_int(c, (int64_t)len);
}

void tr_cmd_getrange(tr_client *c) {
    int64_t start, end;
    if (!tr_arg_int(c, 2, &start) || !tr_arg_int(c, 3, &end)) return;
    const tr_entry *e = tr_db_read(c->db, &c->argv[1]);
    if (!tr_reply_unless_type(c, e, TR_STRING)) return;
    tr_view v = {0};
    if (e != NULL) tr_entry_view(e, &v);
    int64_t len = (int64_t)v.len;
    int reversed = start < 0 && end < 0 && start > end;
    if (start < 0) start += len;
    if (end < 0) end += len;
    if (start < 0) start = 0;
    if (end >= len) end = len - 1;
    if (reversed || start > end) {
        tr_reply_bulk(c, "", 0);
    } else if (v.blob != NULL) {
        tr_w_bulk_blob(&c->w, v.blob, (size_t)start, (size_t)(end - start + 1));
    } else {
        tr_reply_bulk(c, v.ptr + start, (size_t)(end - start + 1));
    }
}

void tr_cmd_substr(tr_client *c) {
    tr_cmd_getrange(c);
}
