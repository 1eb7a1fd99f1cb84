/* digest.h - signatures of values and of the whole keyspace, as DEBUG DIGEST gives them.
 *
 * Servers that hold the same data give the same signature, whatever the order and the encodings:
 *
 *   mix(d, x)   d = SHA1(d ^ SHA1(x))            order matters: the parts of one key
 *   xor(d, x)   d = d ^ SHA1(x)                  order does not: the keys, the members of a set
 *
 * A value is mix(its type as 32 bits, big end first), then what its type says, then, if it expires,
 * xor("!!expire!!"); when it does is left out. A type's digest function (tr_type_ops) mixes the
 * content only.
 */
#ifndef TR_STORE_DIGEST_H
#define TR_STORE_DIGEST_H

#include <stddef.h>

#include "base/sha1.h"
#include "store/store.h"

void tr_digest_xor(unsigned char digest[TR_SHA1_BYTES], const void *p, size_t n);
void tr_digest_mix(unsigned char digest[TR_SHA1_BYTES], const void *p, size_t n);
/* Sets digest to the value's signature. */
void tr_digest_value(unsigned char digest[TR_SHA1_BYTES], const tr_db *db, const tr_entry *e);
/* Sets digest to the signature of all databases; zeros when they are empty. Reads every value. */
void tr_digest_store(unsigned char digest[TR_SHA1_BYTES], tr_store *store);

#endif
