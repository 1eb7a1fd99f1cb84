/* rng.h - a small seeded generator (splitmix64). Not for secrets. The seed comes from whoever owns it. */
#ifndef TR_BASE_RNG_H
#define TR_BASE_RNG_H

#include <stdint.h>

typedef struct tr_rng {
    uint64_t state;
} tr_rng;

static inline uint64_t tr_rng_next(tr_rng *rng) {
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 <= result < bound; bound > 0. */
static inline uint64_t tr_rng_below(tr_rng *rng, uint64_t bound) {
    return (uint64_t)(((unsigned __int128)tr_rng_next(rng) * bound) >> 64);
}

#endif
