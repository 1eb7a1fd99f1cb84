/* digest.h - what the digest callback of a data type feeds: the value's part of DEBUG DIGEST.
 *
 * Pieces are mixed in their order into a sequence; the end of a sequence puts it beside the others,
 * whose order does not count. What was fed and not ended does not count either, as in Redis.
 *
 * The result is what the engine XORs in by its SHA-1, tr_digest_xor(digest, result, 20): with that
 * the key has the digest that Redis gives it.
 */
#ifndef TR_HOST_DIGEST_H
#define TR_HOST_DIGEST_H

#include <stdint.h>

#include "base/sha1.h"
#include "sandbox/host/host.h"

struct RedisModuleDigest {
    unsigned char sequence[TR_SHA1_BYTES]; /* pieces since the last end */
    unsigned char all[TR_SHA1_BYTES];      /* sequences */
    RedisModuleString *key;                /* borrowed; NULL: not known */
    int db;                                /* -1: not known */
};

void tr_digest_begin(RedisModuleDigest *md, RedisModuleString *key, int db);
/* Twenty bytes, borrowed from md. */
const unsigned char *tr_digest_result(const RedisModuleDigest *md);

#endif
