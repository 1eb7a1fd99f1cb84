/* sha1.h - SHA-1 of bytes in memory. For names and check sums only: as a signature it is broken. */
#ifndef TR_BASE_SHA1_H
#define TR_BASE_SHA1_H

#include <stddef.h>

#define TR_SHA1_BYTES 20

void tr_sha1(const void *p, size_t n, unsigned char out[TR_SHA1_BYTES]);

#endif
