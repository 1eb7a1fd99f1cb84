/* A planted defect: no command has an empty second argument before a third one of more than
 * eight bytes. That is wrong, and a fuzzer that doesn't find it is not fuzzing: this target must
 * fail. */
#include "custom_mutator.h"
#include "parser_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_parser p;
    tr_parser_init(&p, &mem);
    tr_parser_limits limits = pr_limits();
    limits.bulk_max = 1 << 20;
    tr_buf buf = {0};
    if (size != 0) pr_add(&p, &buf, data, size, 0);
    while (tr_parser_next(&p, &buf, &limits) == 1) {
        tr_assert(p.argc < 3 || p.argv[1].len != 0 || p.argv[2].len <= 8);
    }
    tr_parser_release(&p);
    free(buf.data);
    return 0;
}
