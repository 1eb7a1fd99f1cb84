/* What the other rooms may ask of any type, answered for strings. */
#include "store/digest.h"
#include "store/store.h"

static size_t string_memory(tr_db *db, const tr_entry *e, int64_t samples) {
    (void)db, (void)samples;
    return tr_entry_enc(e) == TR_ENC_RAW ? tr_mem_size(tr_entry_ptr(e)) : 0;
}

static const char *string_encoding(const tr_entry *e) {
    switch (tr_entry_enc(e)) {
    case TR_ENC_INT:
        return "int";
    case TR_ENC_EMB:
        return "embstr";
    default:
        return "raw";
    }
}

static void string_digest(const tr_db *db, const tr_entry *e, unsigned char digest[20]) {
    (void)db;
    tr_view view;
    tr_entry_view(e, &view);
    tr_digest_mix(digest, view.ptr, view.len);
}

const tr_type_ops tr_string_ops = {
    .name = "string",
    .memory = string_memory,
    .encoding_name = string_encoding,
    .digest = string_digest,
};
