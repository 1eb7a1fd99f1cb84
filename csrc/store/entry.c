#include "store/entry.h"

#include "base/assert.h"

void tr_entry_view(const tr_entry *e, tr_view *view) {
    tr_debug_assert(tr_entry_type(e) == TR_STRING);
    view->blob = NULL;
    switch (tr_entry_enc(e)) {
    case TR_ENC_EMB:
        view->ptr = e->key + (e->lens & TR_EMB_KEY_MAX);
        view->len = e->lens >> 24;
        return;
    case TR_ENC_INT:
        view->ptr = view->text;
        view->len = tr_num_format_int(view->text, tr_entry_int(e));
        return;
    default:
        view->blob = tr_entry_ptr(e);
        view->ptr = view->blob->data;
        view->len = view->blob->len;
    }
}

size_t tr_entry_string_len(const tr_entry *e) {
    tr_view view;
    tr_entry_view(e, &view);
    return view.len;
}

int tr_entry_string_int(const tr_entry *e, int64_t *n) {
    if (tr_entry_enc(e) == TR_ENC_INT) {
        *n = tr_entry_int(e);
        return 1;
    }
    tr_view view;
    tr_entry_view(e, &view);
    return tr_num_parse_int(view.ptr, view.len, n);
}

int tr_entry_eq(const tr_hnode *node, const void *key, size_t len) {
    const tr_entry *e = (const tr_entry *)node;
    return tr_entry_key_len(e) == len && memcmp(e->key, key, len) == 0;
}
