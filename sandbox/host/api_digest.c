#include "sandbox/host/digest.h"

#include <string.h>

#include "base/num.h"

/* ------------------------------------------------------------------ mixing */

static void mix_beside(unsigned char digest[TR_SHA1_BYTES], const void *p, size_t len) {
    unsigned char hash[TR_SHA1_BYTES];
    tr_sha1(p, len, hash);
    for (int i = 0; i < TR_SHA1_BYTES; i++) digest[i] ^= hash[i];
}

/* Each piece changes what the ones before it have left, so their order counts. */
static void mix_in_order(unsigned char digest[TR_SHA1_BYTES], const void *p, size_t len) {
    unsigned char before[TR_SHA1_BYTES];
    mix_beside(digest, p, len);
    memcpy(before, digest, sizeof(before));
    tr_sha1(before, sizeof(before), digest);
}

void tr_digest_begin(RedisModuleDigest *md, RedisModuleString *key, int db) {
    *md = (RedisModuleDigest){.key = key, .db = db};
}

const unsigned char *tr_digest_result(const RedisModuleDigest *md) {
    return md->all;
}

/* ------------------------------------------------------------------ for the module */

void tr_rm_DigestAddStringBuffer(RedisModuleDigest *md, const char *ele, size_t len) {
    TR_NOTE(DigestAddStringBuffer, md, ele, len);
    mix_in_order(md->sequence, ele, len);
}

void tr_rm_DigestAddLongLong(RedisModuleDigest *md, long long ele) {
    TR_NOTE(DigestAddLongLong, md, ele);
    char text[TR_INT_TEXT];
    mix_in_order(md->sequence, text, tr_num_format_int(text, ele));
}

void tr_rm_DigestEndSequence(RedisModuleDigest *md) {
    TR_NOTE(DigestEndSequence, md);
    mix_beside(md->all, md->sequence, sizeof(md->sequence));
    memset(md->sequence, 0, sizeof(md->sequence));
}

int tr_rm_GetDbIdFromDigest(RedisModuleDigest *dig) {
    TR_NOTE(GetDbIdFromDigest, dig);
    return dig->db;
}

const RedisModuleString *tr_rm_GetKeyNameFromDigest(RedisModuleDigest *dig) {
    TR_NOTE(GetKeyNameFromDigest, dig);
    return dig->key;
}
