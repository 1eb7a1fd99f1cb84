/* MEMORY PURGE and MALLOC-STATS, also with no memory. MEMORY USAGE is tested with the generic
 * commands. */
#include "check.h"
#include "cmd_harness.h"

static void purge(void) {
    static const cmd_step steps[] = {
        {"SET k v", "+OK"},
        {"MEMORY PURGE", "+OK"},
        {"GET k", "$1 v"},
        {"MEMORY PURGE x", "-ERR wrong number of arguments for 'memory|purge' command"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void malloc_stats(void) {
    for (int proto = 2; proto <= 3; proto++) {
        cmd_harness *h = harness_new(proto);
        size_t used = h->mem.used;
        const char *text = harness_run(h, "MEMORY MALLOC-STATS");
        CHECK(text[0] == (proto == 2 ? '$' : '='));
        CHECK(proto == 2 || strstr(text, " txt:") != NULL);
        harness_run(h, "PING");
        CHECK(h->mem.used < used + 100000);
        harness_free(h);
    }
    cmd_harness *h = harness_new(2);
    tr_mem_fail_at(&h->mem, 1);
    CHECK_EQ_STR(harness_run(h, "MEMORY MALLOC-STATS"), "-OOM the server is out of memory");
    harness_free(h);
}

int main(void) {
    RUN(purge);
    RUN(malloc_stats);
    return CHECK_DONE();
}
