#include "store/digest.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/assert.h"

#define EXPIRE_MARK "!!expire!!"

static void xor_bytes(unsigned char *digest, const unsigned char *other) {
    for (int i = 0; i < TR_SHA1_BYTES; i++) digest[i] ^= other[i];
}

void tr_digest_xor(unsigned char digest[TR_SHA1_BYTES], const void *p, size_t n) {
    unsigned char hash[TR_SHA1_BYTES];
    tr_sha1(p, n, hash);
    xor_bytes(digest, hash);
}

void tr_digest_mix(unsigned char digest[TR_SHA1_BYTES], const void *p, size_t n) {
    tr_digest_xor(digest, p, n);
    unsigned char before[TR_SHA1_BYTES];
    memcpy(before, digest, sizeof(before));
    tr_sha1(before, sizeof(before), digest);
}

static void mix_number(unsigned char digest[TR_SHA1_BYTES], uint32_t n) {
    uint32_t big_endian = htonl(n);
    tr_digest_mix(digest, &big_endian, sizeof(big_endian));
}

static void add_value(unsigned char digest[TR_SHA1_BYTES], const tr_db *db, const tr_entry *e) {
    mix_number(digest, (uint32_t)tr_entry_type(e));
    const tr_type_ops *type = db->store->types[tr_entry_type(e)];
    tr_assert(type != NULL && type->digest != NULL);
    type->digest(db, e, digest);
    if (e->ttl_slot != 0) tr_digest_xor(digest, EXPIRE_MARK, strlen(EXPIRE_MARK));
}

void tr_digest_value(unsigned char digest[TR_SHA1_BYTES], const tr_db *db, const tr_entry *e) {
    memset(digest, 0, TR_SHA1_BYTES);
    add_value(digest, db, e);
}

typedef struct walk {
    const tr_db *db;
    unsigned char *digest;
} walk;

static void add_key(void *ctx, tr_hnode *node) {
    walk *w = ctx;
    const tr_entry *e = (const tr_entry *)node;
    unsigned char one[TR_SHA1_BYTES] = {0};
    tr_digest_mix(one, e->key, tr_entry_key_len(e));
    add_value(one, w->db, e);
    tr_digest_xor(w->digest, one, sizeof(one));
}

void tr_digest_store(unsigned char digest[TR_SHA1_BYTES], tr_store *store) {
    memset(digest, 0, TR_SHA1_BYTES);
    for (int i = 0; i < store->db_count; i++) {
        tr_db *db = &store->dbs[i];
        if (tr_hash_count(&db->keys) == 0) continue;
        mix_number(digest, (uint32_t)i);
        walk w = {.db = db, .digest = digest};
        tr_hash_pause(&db->keys); /* while nothing moves, a scan meets each key once */
        uint64_t cursor = 0;
        do cursor = tr_hash_scan(&db->keys, cursor, add_key, &w);
        while (cursor != 0);
        tr_hash_resume(&db->keys);
    }
}
