/* latency.h - how long things take, as counts in buckets: 4 per power of two of nanoseconds, 1 ns
 * to about 18 minutes. Plain data of fixed size. Cost: one count-leading-zeros and one
 * increment. */
#ifndef TR_EXEC_LATENCY_H
#define TR_EXEC_LATENCY_H

#include <stdint.h>

#define TR_LATENCY_SUB_BITS 2
#define TR_LATENCY_BUCKETS (40 << TR_LATENCY_SUB_BITS)

typedef struct tr_latency {
    uint64_t count;
    uint32_t buckets[TR_LATENCY_BUCKETS];
} tr_latency;

/* Bucket b holds durations from tr_latency_floor(b) up to just below tr_latency_floor(b + 1). */
static inline unsigned tr_latency_bucket(uint64_t ns) {
    if (ns < (1u << TR_LATENCY_SUB_BITS)) return (unsigned)ns;
    unsigned top = 63u - (unsigned)__builtin_clzll(ns);
    unsigned sub = (unsigned)(ns >> (top - TR_LATENCY_SUB_BITS)) & ((1u << TR_LATENCY_SUB_BITS) - 1);
    unsigned bucket = ((top - TR_LATENCY_SUB_BITS + 1) << TR_LATENCY_SUB_BITS) + sub;
    return bucket < TR_LATENCY_BUCKETS ? bucket : TR_LATENCY_BUCKETS - 1;
}
static inline uint64_t tr_latency_floor(unsigned bucket) {
    if (bucket < (1u << TR_LATENCY_SUB_BITS)) return bucket;
    unsigned sub = bucket & ((1u << TR_LATENCY_SUB_BITS) - 1);
    unsigned shift = (bucket >> TR_LATENCY_SUB_BITS) - 1;
    return (uint64_t)((1u << TR_LATENCY_SUB_BITS) + sub) << shift;
}
static inline void tr_latency_add(tr_latency *h, uint64_t ns) {
    h->count++;
    h->buckets[tr_latency_bucket(ns)]++;
}

#endif
