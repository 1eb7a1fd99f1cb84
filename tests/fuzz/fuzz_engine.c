/* Any bytes sent to connections, whatever else happens meanwhile, never crash, hang or leak the
 * engine; replies are always well-formed RESP; and cutting the bytes elsewhere, or sending them
 * over sockets, gives the same replies and the same keyspace. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "custom_mutator.h"
#include "engine_run.h"

#define BYTEWISE_MAX 1000 /* longer inputs are not fed byte by byte */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_again(const uint8_t *data, size_t size, er_way way, const er_outcome *want) {
    er_outcome got;
    way.seed = er_hash(data, size);
    er_run(data, size, &way, &got);
    if (want->comparable && got.comparable) {
        tr_assert(got.len == want->len && memcmp(got.text, want->text, got.len) == 0);
        tr_assert(memcmp(got.digest, want->digest, sizeof(got.digest)) == 0);
    }
    free(got.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    er_outcome whole;
    const er_way way = {0};
    er_run(data, size, &way, &whole);
    size_t bytewise = size <= BYTEWISE_MAX ? ER_BYTEWISE : size / 4;
    run_again(data, size, (er_way){.chunk_max = bytewise}, &whole);
    run_again(data, size, (er_way){.chunk_max = 2 + size / 8, .sockets = 1}, &whole);
    free(whole.text);
    return 0;
}
