/* custom_mutator.h - puts our mutator beside libFuzzer's own in the target that includes it. */
#ifndef TR_FUZZ_CUSTOM_MUTATOR_H
#define TR_FUZZ_CUSTOM_MUTATOR_H

#ifdef TR_FUZZ_LIBFUZZER
#include "mutator.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* One time in four what libFuzzer knows to do with bytes it has seen compared, else what we know
 * of RESP. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    tr_rng rng = {seed};
    if (tr_rng_below(&rng, 4) == 0) return LLVMFuzzerMutate(data, size, max);
    return tr_fuzz_mutate(data, size, max, &rng);
}
#endif

#endif
