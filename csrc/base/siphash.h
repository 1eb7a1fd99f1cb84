/* siphash.h - SipHash-1-3 with a 128-bit key: hash codes that a client can't aim at. nocase folds
 * ASCII letters. */
#ifndef TR_BASE_SIPHASH_H
#define TR_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t tr_siphash(const void *p, size_t n, const uint64_t key[2]);
uint64_t tr_siphash_nocase(const void *p, size_t n, const uint64_t key[2]);

#endif
