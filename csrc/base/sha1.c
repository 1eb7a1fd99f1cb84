#include "base/sha1.h"

#include <stdint.h>
#include <string.h>

#define BLOCK 64
#define ROUNDS 80
#define LENGTH_AT 56 /* where a block's last 8 bytes hold the length */

static uint32_t rotl(uint32_t x, int n) {
    return x << n | x >> (32 - n);
}

static uint32_t load32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store32(unsigned char *p, uint32_t x) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(x >> (24 - 8 * i));
}

static void take_block(uint32_t h[5], const unsigned char *p) {
    static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[ROUNDS];
    for (int i = 0; i < 16; i++) w[i] = load32(p + 4 * i);
    for (int i = 16; i < ROUNDS; i++) w[i] = rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t parity = b ^ c ^ d;
        uint32_t choice = (b & c) | (~b & d);
        uint32_t majority = (b & c) | (b & d) | (c & d);
        uint32_t f = i < 20 ? choice : i >= 40 && i < 60 ? majority : parity;
        uint32_t next = rotl(a, 5) + f + e + constants[i / 20] + w[i];
        e = d;
        d = c;
        c = rotl(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void tr_sha1(const void *p, size_t n, unsigned char out[TR_SHA1_BYTES]) {
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const unsigned char *at = p;
    size_t left = n;
    for (; left >= BLOCK; left -= BLOCK, at += BLOCK) take_block(h, at);
    unsigned char last[2 * BLOCK] = {0};
    if (left != 0) memcpy(last, at, left);
    last[left] = 0x80;
    size_t end = left < LENGTH_AT ? BLOCK : 2 * BLOCK;
    uint64_t bits = (uint64_t)n * 8;
    store32(last + end - 8, (uint32_t)(bits >> 32));
    store32(last + end - 4, (uint32_t)bits);
    for (size_t i = 0; i < end; i += BLOCK) take_block(h, last + i);
    for (int i = 0; i < 5; i++) store32(out + 4 * i, h[i]);
}
