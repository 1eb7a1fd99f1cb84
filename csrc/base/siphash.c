#include "base/siphash.h"

#include <string.h>

typedef struct sip {
    uint64_t v0, v1, v2, v3;
} sip;

static inline uint64_t rotl(uint64_t x, int by) {
    return (x << by) | (x >> (64 - by));
}

static inline void sip_round(sip *s) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
}

/* One round per word: the 1 of SipHash-1-3. */
static inline void sip_absorb(sip *s, uint64_t word) {
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t load64(const unsigned char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint32_t load32(const unsigned char *p) {
    uint32_t word;
    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap32(word);
#endif
    return word;
}

/* The last n (0..7) bytes as a little-endian number; reads no others, needs no loop. */
static inline uint64_t load_tail(const unsigned char *p, size_t n) {
    if (n >= 4) return load32(p) | ((uint64_t)load32(p + n - 4) << (8 * (n - 4)));
    if (n == 0) return 0;
    return p[0] | ((uint64_t)p[n / 2] << (8 * (n / 2))) | ((uint64_t)p[n - 1] << (8 * (n - 1)));
}

/* Adds 0x20 to each byte that is 'A'..'Z', all eight at once; bytes >= 0x80 stay. */
static inline uint64_t fold_case(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t low7 = word & (0x7f * ones);
    uint64_t from_a = low7 + (0x80 - 'A') * ones;     /* top bit set: >= 'A' */
    uint64_t after_z = low7 + (0x80 - 'Z' - 1) * ones; /* top bit set: > 'Z' */
    uint64_t upper = (from_a ^ after_z) & ~word & (0x80 * ones);
    return word + (upper >> 2);
}

/* nocase is a constant at both calls, so the compiler makes two functions of this one. */
static inline __attribute__((always_inline)) uint64_t
sip13(const unsigned char *p, size_t n, const uint64_t key[2], int nocase) {
    sip s = {
        .v0 = key[0] ^ 0x736f6d6570736575u,
        .v1 = key[1] ^ 0x646f72616e646f6du,
        .v2 = key[0] ^ 0x6c7967656e657261u,
        .v3 = key[1] ^ 0x7465646279746573u,
    };
    const unsigned char *end = p + (n & ~(size_t)7);
    for (; p != end; p += 8) {
        uint64_t word = load64(p);
        sip_absorb(&s, nocase ? fold_case(word) : word);
    }
    uint64_t tail = load_tail(p, n & 7);
    if (nocase) tail = fold_case(tail);
    sip_absorb(&s, tail | ((uint64_t)n << 56));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t tr_siphash(const void *p, size_t n, const uint64_t key[2]) {
    return sip13(p, n, key, 0);
}

uint64_t tr_siphash_nocase(const void *p, size_t n, const uint64_t key[2]) {
    return sip13(p, n, key, 1);
}
