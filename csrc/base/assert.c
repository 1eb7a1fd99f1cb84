#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void tr_assert_failed(const char *fact, const char *file, int line) {
    fprintf(stderr, "trioredis: assertion failed at %s:%d: %s\n", file, line, fact);
    abort();
}
