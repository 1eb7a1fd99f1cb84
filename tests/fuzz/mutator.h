/* mutator.h - changes to an input that keep it close to RESP: it knows type bytes, lengths, line
 * ends, arguments and inline commands. Deterministic: the same generator state makes the same
 * change. */
#ifndef TR_FUZZ_MUTATOR_H
#define TR_FUZZ_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/* Changes data in place; returns its new size, at most max. */
size_t tr_fuzz_mutate(uint8_t *data, size_t size, size_t max, tr_rng *rng);

#endif
