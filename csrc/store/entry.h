/* entry.h - one key with its value, in one allocation where the value is short.
 *
 *   | node: next, hash, bits | ttl_slot | lens | key bytes | value |
 *
 *   bits    lru:24 | enc:4 | type:4
 *   lens    TR_ENC_EMB: value length:8 | key length:24; else the key's length
 *   value   TR_ENC_EMB: the bytes; TR_ENC_INT: an int64; else a pointer (a tr_blob for TR_ENC_RAW); the last two
 *           stand unaligned right behind the key, read and written by the two functions below
 *
 * A 16-byte key with a 32-byte value takes 72 bytes. The database that an entry is in owns it;
 * entries move in memory when their value changes its size, so a pointer to one dies at the next
 * change of its key.
 */
#ifndef TR_STORE_ENTRY_H
#define TR_STORE_ENTRY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arg.h"
#include "base/blob.h"
#include "base/num.h"
#include "ds/hash.h"

#define TR_EMB_VALUE_MAX 44                    /* longest embedded value; where Redis says embstr */
#define TR_EMB_KEY_MAX (((uint32_t)1 << 24) - 1) /* longest key that may have one */
#define TR_KEY_MAX UINT32_MAX

typedef enum tr_type {
    TR_STRING,
    TR_LIST,
    TR_SET,
    TR_ZSET,
    TR_HASH,
    TR_MODULE,
    TR_STREAM,
    TR_TYPE_COUNT,
} tr_type;

typedef enum tr_enc {
    TR_ENC_RAW, /* a blob; also what every other type has until it says otherwise */
    TR_ENC_INT,
    TR_ENC_EMB,
} tr_enc;

typedef struct tr_entry {
    tr_hnode node;
    uint32_t ttl_slot; /* in the database's tr_ttlheap; 0: no expiry */
    uint32_t lens;
    char key[];
} tr_entry;

_Static_assert(offsetof(tr_entry, key) == 24, "the header is 24 bytes");

static inline tr_type tr_entry_type(const tr_entry *e) {
    return (tr_type)(e->node.bits & 15u);
}
static inline tr_enc tr_entry_enc(const tr_entry *e) {
    return (tr_enc)((e->node.bits >> 4) & 15u);
}
static inline uint32_t tr_entry_lru(const tr_entry *e) {
    return e->node.bits >> 8;
}
static inline void tr_entry_set_lru(tr_entry *e, uint32_t lru24) {
    e->node.bits = (e->node.bits & 255u) | lru24 << 8;
}
static inline void tr_entry_set_kind(tr_entry *e, tr_type type, tr_enc enc) {
    e->node.bits = (e->node.bits & ~255u) | (uint32_t)enc << 4 | (uint32_t)type;
}
static inline size_t tr_entry_key_len(const tr_entry *e) {
    return tr_entry_enc(e) == TR_ENC_EMB ? (e->lens & TR_EMB_KEY_MAX) : e->lens;
}
static inline void *tr_entry_ptr(const tr_entry *e) {
    void *ptr;
    memcpy(&ptr, e->key + e->lens, sizeof(ptr));
    return ptr;
}
static inline void tr_entry_set_ptr(tr_entry *e, void *ptr) {
    memcpy(e->key + e->lens, &ptr, sizeof(ptr));
}
static inline int64_t tr_entry_int(const tr_entry *e) {
    int64_t n;
    memcpy(&n, e->key + e->lens, sizeof(n));
    return n;
}
static inline void tr_entry_set_int(tr_entry *e, int64_t n) {
    memcpy(e->key + e->lens, &n, sizeof(n));
}

/* The bytes of a string value. ptr points into the entry, its blob or text[]; it dies with the next
 * change of the key, or the view. */
typedef struct tr_view {
    const char *ptr;
    size_t len;
    tr_blob *blob; /* borrowed; NULL: not in a blob */
    char text[TR_INT_TEXT];
} tr_view;

/* e must be a string. */
void tr_entry_view(const tr_entry *e, tr_view *view);
/* The length of a string value without making its text. */
size_t tr_entry_string_len(const tr_entry *e);
/* 1 and *n when the string is an integer in the range of int64. */
int tr_entry_string_int(const tr_entry *e, int64_t *n);
int tr_entry_eq(const tr_hnode *node, const void *key, size_t len);

#endif
