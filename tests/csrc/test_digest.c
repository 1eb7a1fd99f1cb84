/* Two keyspaces with the same data have the same signature, however they came to it; a difference
 * anywhere changes it. Method: scripts that end in the same state are compared with DEBUG DIGEST;
 * tests/commands/test_debug.py compares with a stock server. */
#include <stdlib.h>

#include "check.h"
#include "cmd_harness.h"

#define NOTHING "+0000000000000000000000000000000000000000"

/* The signature after these commands, parted by ';'. */
static char *digest_after(const char *commands) {
    static char text[2][64];
    static int next;
    cmd_harness *h = harness_new(2);
    char *all = strdup(commands), *rest = all;
    for (char *one = strtok_r(all, ";", &rest); one != NULL; one = strtok_r(NULL, ";", &rest))
        harness_run(h, one);
    char *out = text[next++ & 1];
    snprintf(out, sizeof(text[0]), "%s", harness_run(h, "DEBUG DIGEST"));
    free(all);
    harness_free(h);
    return out;
}

static void same_data_same_digest(void) {
    static const char *const pairs[][2] = {
        {"SET a 1;SET b 2;SET c 3", "SET c 3;SET a 1;SET b 2"},
        {"SET a 12", "SET a 1;APPEND a 2"},
        {"SET a 12", "SET a 10;INCRBY a 2"},
        {"SET a v EX 10", "SET a v PX 5000"},
        {"SET a v;SELECT 1;SET b w", "SELECT 1;SET b w;SELECT 0;SET a v"},
        {"DEBUG POPULATE 100",
         "DEBUG POPULATE 300;DEBUG POPULATE 400 other;FLUSHALL;DEBUG POPULATE 100"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        CHECK_EQ_STR(digest_after(pairs[i][0]), digest_after(pairs[i][1]));
}

static void other_data_other_digest(void) {
    static const char *const pairs[][2] = {
        {"SET a 1", "SET a 2"},
        {"SET a 1", "SET b 1"},
        {"SET a 1", "SET a 1 EX 10"},
        {"SET a 1", "SELECT 1;SET a 1"},
        {"SET a 1", "SET a 1;SET b 1"},
        {"SET a b;SET c d", "SET a d;SET c b"},
        {"SET a 1", "PING"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        CHECK(strcmp(digest_after(pairs[i][0]), digest_after(pairs[i][1])) != 0);
}

static void nothing_has_no_digest(void) {
    CHECK_EQ_STR(digest_after("PING"), NOTHING);
    CHECK_EQ_STR(digest_after("SET a 1;DEL a"), NOTHING);
}

/* While the table grows, keys are in two arrays. */
static void each_key_counts_once_during_a_resize(void) {
    char commands[64];
    for (int n = 1; n < 70; n++) {
        cmd_harness *h = harness_new(2);
        snprintf(commands, sizeof(commands), "DEBUG POPULATE %d", n);
        harness_run(h, commands);
        char before[64];
        snprintf(before, sizeof(before), "%s", harness_run(h, "DEBUG DIGEST"));
        tr_hash *keys = &h->store.dbs[0].keys;
        while (tr_hash_rehashing(keys)) tr_hash_rehash(keys, 1);
        CHECK_EQ_STR(harness_run(h, "DEBUG DIGEST"), before);
        harness_free(h);
    }
}

int main(void) {
    RUN(same_data_same_digest);
    RUN(other_data_other_digest);
    RUN(nothing_has_no_digest);
    RUN(each_key_counts_once_during_a_resize);
    return CHECK_DONE();
}
