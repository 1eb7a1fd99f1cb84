/* When any one allocation fails while any bytes are served, the engine goes on: replies stay
 * well-formed, the keyspace sound, the next client is served, and all memory comes back. */
#include <stdlib.h>

#include "custom_mutator.h"
#include "engine_run.h"

#define FAILURES 3 /* places tried per input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    er_outcome whole, got;
    er_way way = {0};
    er_run(data, size, &way, &whole);
    uint64_t places = whole.allocations, where = er_hash(data, size);
    free(whole.text);
    for (uint64_t i = 0; i < FAILURES && i < places; i++) {
        way.fail_at = 1 + (where >> (16 * i)) % places;
        way.chunk_max = i == 0 ? 0 : 1 + size / (8 * i);
        way.sockets = i & 1;
        er_run(data, size, &way, &got);
        free(got.text);
    }
    return 0;
}
