/* Keys and databases: expiry, deletion, renaming, copying, moving, walking, and what OBJECT and
 * MEMORY tell; each option and refusal as a step of a script that runs in RESP2 and RESP3,
 * events and counts of changes, and failing allocations. */
#include <stdlib.h>

#include "base/rng.h"
#include "check.h"
#include "cmd_harness.h"

#define NIL "$-1", "_"
#define SYNTAX "-ERR syntax error"
#define NOT_INT "-ERR value is not an integer or out of range"
#define NOT_INT32 "-ERR value is out of range, value must between -2147483648 and 2147483647"
#define DB_RANGE "-ERR DB index is out of range"
#define SAME "-ERR source and destination objects are the same"
#define LONG44 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define EXPIRE_OF(name) "-ERR invalid expire time in '" name "' command"

static void expiry(void) {
    static const cmd_step steps[] = {
        {"SET k v", "+OK"},
        {"TTL k", ":-1"},
        {"PTTL k", ":-1"},
        {"EXPIRETIME k", ":-1"},
        {"PEXPIRETIME k", ":-1"},
        {"TTL none", ":-2"},
        {"PTTL none", ":-2"},
        {"EXPIRETIME none", ":-2"},
        {"PEXPIRETIME none", ":-2"},
        {"@events", NULL},
        {"@dirty", NULL},
        {"EXPIRE none 10", ":0"},
        {"EXPIRE k 10", ":1"},
        {"PEXPIRE k 2500", ":1"},
        {"TTL k", ":3"},
        {"PTTL k", ":2500"},
        {"EXPIREAT k 1700000100", ":1"},
        {"EXPIRETIME k", ":1700000100"},
        {"PEXPIREAT k 1700000100500", ":1"},
        {"EXPIRETIME k", ":1700000101"},
        {"PEXPIRETIME k", ":1700000100500"},
        {"PERSIST k", ":1"},
        {"PERSIST k", ":0"},
        {"PERSIST none", ":0"},
        {"@events", "0:expire:k 0:expire:k 0:expire:k 0:expire:k 0:persist:k"},
        {"@dirty", "5"},
        {"EXPIRE k 9223372036854775807", EXPIRE_OF("expire")},
        {"EXPIRE k -9223372036854775808", EXPIRE_OF("expire")},
        {"EXPIRE k 9223372036854775", EXPIRE_OF("expire")},
        {"EXPIREAT k 9223372036854776", EXPIRE_OF("expireat")},
        {"PEXPIRE k 9223372036854775807", EXPIRE_OF("pexpire")},
        {"PEXPIREAT k 9223372036854775807", ":1"},
        {"EXPIRETIME k", ":9223372036854776"},
        {"EXPIRE k abc", NOT_INT},
        {"EXPIRE k 1.5", NOT_INT},
        {"EXPIRE k abc FOO", "-ERR Unsupported option FOO"},
        {"EXPIRE k abc NX XX",
         "-ERR NX and XX, GT or LT options at the same time are not compatible"},
        {"EXPIRE k 10 NX GT",
         "-ERR NX and XX, GT or LT options at the same time are not compatible"},
        {"EXPIRE k 10 LT NX",
         "-ERR NX and XX, GT or LT options at the same time are not compatible"},
        {"EXPIRE k 10 GT LT", "-ERR GT and LT options at the same time are not compatible"},
        {"EXPIRE k 10 GT LT foo", "-ERR Unsupported option foo"},
        {"EXPIRE k", "-ERR wrong number of arguments for 'expire' command"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void conditions_of_expiry(void) {
    static const cmd_step steps[] = {
        {"SET k v", "+OK"},
        {"EXPIRE k 10 XX", ":0"},
        {"EXPIRE k 10 GT", ":0"},
        {"EXPIRE k 10 XX GT", ":0"},
        {"EXPIRE k 10 LT", ":1"},
        {"EXPIRE k 20 LT", ":0"},
        {"EXPIRE k 10 LT", ":0"},
        {"EXPIRE k 5 LT", ":1"},
        {"EXPIRE k 5 GT", ":0"},
        {"EXPIRE k 6 GT", ":1"},
        {"EXPIRE k 100 NX", ":0"},
        {"EXPIRE k 100 XX", ":1"},
        {"EXPIRE k 50 XX LT", ":1"},
        {"EXPIRE k 60 xx gt", ":1"},
        {"TTL k", ":60"},
        {"PERSIST k", ":1"},
        {"EXPIRE k 7 NX NX", ":1"},
        {"EXPIRE k -1 GT", ":0"},
        {"PERSIST k", ":1"},
        {"EXPIRE k -1 XX", ":0"},
        {"EXISTS k", ":1"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void deadlines_in_the_past(void) {
    static const cmd_step steps[] = {
        {"MSET a 1 b 2 c 3 d 4 e 5", "+OK"},
        {"@events", NULL},
        {"@dirty", NULL},
        {"EXPIRE a 0", ":1"},
        {"EXPIRE b -1", ":1"},
        {"PEXPIREAT c -5", ":1"},
        {"EXPIREAT d 1700000000", ":1"},
        {"PEXPIRE e -9223372036854775808", ":1"},
        {"DBSIZE", ":0"},
        {"@events", "0:del:a 0:del:b 0:del:c 0:del:d 0:del:e"},
        {"@dirty", "5"},
        {"SET a 1 PX 5", "+OK"},
        {"SET b 1 PX 5", "+OK"},
        {"SET c 1 PX 5", "+OK"},
        {"@advance 6", ""},
        {"@events", NULL},
        {"@dirty", NULL},
        {"EXPIRE a 10", ":0"},
        {"DEL b", ":0"},
        {"TTL c", ":-2"},
        {"@events", "0:expired:a 0:expired:b 0:expired:c 0:keymiss:c"},
        {"@dirty", "0"},
    };
    CHECK(harness_script(STEPS(steps)));
}

/* Where time deletes nothing a key that is due is not seen by readers, but is there for those
 * who change it. */
static void expired_keys_that_are_kept(void) {
    static const cmd_step steps[] = {
        {"SET a 1 PX 1", "+OK"},
        {"SET b 1 PX 1", "+OK"},
        {"SET c 1 PX 1", "+OK"},
        {"SET d text PX 1", "+OK"},
        {"SET e 1 PX 1", "+OK"},
        {"@advance 5", ""},
        {"@keep-expired 1", ""},
        {"GET a", NIL},
        {"EXISTS a", ":0"},
        {"KEYS *", "*0"},
        {"SCAN 0", "*2 $1 0 *0"},
        {"DBSIZE", ":5"},
        {"SET a 2", "+OK"},
        {"GET a", "$1 2"},
        {"SET b 2 GET", "$1 1"},
        {"MSET c 2", "+OK"},
        {"RENAME d e", "+OK"},
        {"DBSIZE", ":4"},
        {"SET x 1 EXAT 1", "+OK"},
        {"EXPIRE a -1", ":1"},
        {"DBSIZE", ":5"},
        {"@keep-expired 0", ""},
        {"EXISTS x a e", ":0"},
        {"@dump", "0:b=2(int) 0:c=2(int)"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void deletion_and_existence(void) {
    static const cmd_step steps[] = {
        {"MSET a 1 b 2 c 3", "+OK"},
        {"@list l", ""},
        {"@events", NULL},
        {"@dirty", NULL},
        {"EXISTS a b none a", ":3"},
        {"TOUCH a none a l", ":3"},
        {"@events", "0:keymiss:none 0:keymiss:none"},
        {"DEL a none a", ":1"},
        {"UNLINK b l none", ":2"},
        {"@events", "0:del:a 0:del:b 0:del:l"},
        {"@dirty", "3"},
        {"DBSIZE", ":1"},
        {"TYPE c", "+string"},
        {"TYPE none", "+none"},
        {"@list l", ""},
        {"TYPE l", "+list"},
        {"DEL", "-ERR wrong number of arguments for 'del' command"},
        {"FLUSHDB FOO", SYNTAX},
        {"FLUSHDB SYNC ASYNC", SYNTAX},
        {"FLUSHALL BAD", SYNTAX},
        {"@dirty", "0"},
        {"FLUSHDB", "+OK"},
        {"@dirty", "2"},
        {"FLUSHDB", "+OK"},
        {"@dirty", "0"},
        {"MSET a 1 b 2", "+OK"},
        {"SELECT 1", "+OK"},
        {"SET c 1 EX 10", "+OK"},
        {"@dirty", NULL},
        {"FLUSHDB async", "+OK"},
        {"@dirty", "1"},
        {"@dump", "0:a=1(int) 0:b=2(int)"},
        {"@list l", ""},
        {"FLUSHALL sync", "+OK"},
        {"@dirty", "3"},
        {"@dump", ""},
        {"SET c 1 EX 10", "+OK"},
        {"FLUSHALL ASYNC", "+OK"},
        {"@dump", ""},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void renaming(void) {
    static const cmd_step steps[] = {
        {"RENAME none x", "-ERR no such key"},
        {"RENAME none none", "-ERR no such key"},
        {"RENAMENX none x", "-ERR no such key"},
        {"SET a 1 EX 10", "+OK"},
        {"@events", NULL},
        {"@dirty", NULL},
        {"RENAME a a", "+OK"},
        {"RENAMENX a a", ":0"},
        {"@dirty", "0"},
        {"RENAME a b", "+OK"},
        {"@events", "0:new:b 0:rename_from:a 0:rename_to:b"},
        {"@dirty", "1"},
        {"@dump", "0:b=1(int)+10000"},
        {"MSET c text d other", "+OK"},
        {"EXPIRE d 50", ":1"},
        {"RENAMENX c d", ":0"},
        {"@events", NULL},
        {"RENAME c d", "+OK"},
        {"@events", "0:new:d 0:rename_from:c 0:rename_to:d"},
        {"@dump", "0:b=1(int)+10000 0:d=text(embstr)"},
        {"RENAMENX d e", ":1"},
        {"RENAME b e", "+OK"},
        {"@dump", "0:e=1(int)+10000"},
        {"@list l", ""},
        {"RENAME e l", "+OK"},
        {"TYPE l", "+string"},
        {"@list k", ""},
        {"RENAME k l", "+OK"},
        {"TYPE l", "+list"},
        {"TTL l", ":-1"},
        {"SET x 1 PX 5", "+OK"},
        {"SET y 1", "+OK"},
        {"@advance 6", ""},
        {"RENAMENX y x", ":1"},
        {"PSETEX z 5 1", "+OK"},
        {"@advance 6", ""},
        {"RENAME z x", "-ERR no such key"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void copying(void) {
    static const cmd_step steps[] = {
        {"COPY none x", ":0"},
        {"SET a text EX 10", "+OK"},
        {"@events", NULL},
        {"@dirty", NULL},
        {"COPY a b", ":1"},
        {"@events", "0:new:b 0:copy_to:b"},
        {"@dirty", "1"},
        {"COPY a b", ":0"},
        {"COPY a a", SAME},
        {"COPY a a DB 0 REPLACE", SAME},
        {"COPY a a DB 1", ":1"},
        {"@events", "1:new:a 1:copy_to:a"},
        {"COPY a c DB 0 DB 2", ":1"},
        {"COPY a b FOO", SYNTAX},
        {"COPY a b DB", SYNTAX},
        {"COPY a b DB x", NOT_INT},
        {"COPY a b DB 99999999999", NOT_INT32},
        {"COPY a b DB -1", DB_RANGE},
        {"COPY a b DB 4", DB_RANGE},
        {"@dump",
         "0:a=text(embstr)+10000 0:b=text(embstr)+10000 1:a=text(embstr)+10000 "
         "2:c=text(embstr)+10000"},
        {"SET n 42", "+OK"},
        {"COPY n b REPLACE", ":1"},
        {"COPY n l", ":1"},
        {"@list l", ""},
        {"COPY l b replace", ":1"},
        {"TYPE b", "+list"},
        {"DEL l", ":1"},
        {"COPY b l", ":1"},
        {"@dump",
         "0:a=text(embstr)+10000 0:b=?(listpack) 0:l=?(listpack) 0:n=42(int) "
         "1:a=text(embstr)+10000 "
                  "2:c=text(embstr)+10000"},
        {"@clear", ""},
        {"SET big " LONG44 LONG44 "aaaaa",
         "+OK"},
        {"COPY big twin", ":1"},
        {"SETRANGE big 0 b", ":93"},
        {"GETRANGE big 0 1", "$2 ba"},
        {"GETRANGE twin 0 1", "$2 aa"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void moving(void) {
    static const cmd_step steps[] = {
        {"MOVE none 1", ":0"},
        {"MOVE none 0", SAME},
        {"MOVE none x", NOT_INT},
        {"MOVE none 99999999999", NOT_INT32},
        {"MOVE none 4", DB_RANGE},
        {"MOVE none -1", DB_RANGE},
        {"SET a 1 EX 10", "+OK"},
        {"@events", NULL},
        {"@dirty", NULL},
        {"MOVE a 1", ":1"},
        {"@events", "1:new:a 0:move_from:a 1:move_to:a"},
        {"@dirty", "1"},
        {"SET a 2", "+OK"},
        {"MOVE a 1", ":0"},
        {"@dump", "0:a=2(int) 1:a=1(int)+10000"},
        {"SWAPDB 0 1", "+OK"},
        {"@dump", "0:a=1(int)+10000 1:a=2(int)"},
        {"SWAPDB 1 1", "+OK"},
        {"@dirty", "3"},
        {"SWAPDB x 1", "-ERR invalid first DB index"},
        {"SWAPDB 99999999999 y", "-ERR invalid first DB index"},
        {"SWAPDB 0 y", "-ERR invalid second DB index"},
        {"SWAPDB 0 99999999999", "-ERR invalid second DB index"},
        {"SWAPDB 0 4", DB_RANGE},
        {"SWAPDB -1 0", DB_RANGE},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void walking(void) {
    static const cmd_step steps[] = {
        {"KEYS *", "*0"},
        {"RANDOMKEY", NIL},
        {"SCAN 0", "*2 $1 0 *0"},
        {"SET one 1", "+OK"},
        {"KEYS *", "*1 $3 one"},
        {"KEYS o?e", "*1 $3 one"},
        {"KEYS O*", "*0"},
        {"RANDOMKEY", "$3 one"},
        {"SCAN 0", "*2 $1 0 *1 $3 one"},
        {"SCAN 0 MATCH o* COUNT 5 TYPE string", "*2 $1 0 *1 $3 one"},
        {"SCAN 0 type STRING match *", "*2 $1 0 *1 $3 one"},
        {"SCAN 0 MATCH x*", "*2 $1 0 *0"},
        {"SCAN 0 TYPE list", "*2 $1 0 *0"},
        {"SCAN 0 TYPE nosuch", "*2 $1 0 *0"},
        {"@list l", ""},
        {"SCAN 0 TYPE list", "*2 $1 0 *1 $1 l"},
        {"DEL l", ":1"},
        {"SCAN 0 COUNT 0", SYNTAX},
        {"SCAN 0 COUNT -1", SYNTAX},
        {"SCAN 0 COUNT abc", NOT_INT},
        {"SCAN 0 COUNT", SYNTAX},
        {"SCAN 0 MATCH", SYNTAX},
        {"SCAN 0 TYPE", SYNTAX},
        {"SCAN 0 FOO", SYNTAX},
        {"SCAN 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"},
        {"SCAN 0 COUNT 9223372036854775807", "*2 $1 0 *1 $3 one"},
        {"SCAN abc", "-ERR invalid cursor"},
        {"SCAN abc FOO", "-ERR invalid cursor"},
        {"SCAN -1", "-ERR invalid cursor"},
        {"SCAN \"\"", "-ERR invalid cursor"},
        {"SCAN \" \"", "-ERR invalid cursor"},
        {"SCAN -", "-ERR invalid cursor"},
        {"SCAN \"0 \"", "-ERR invalid cursor"},
        {"SCAN 18446744073709551616", "-ERR invalid cursor"},
        {"SCAN 99999999999999999999999", "-ERR invalid cursor"},
        {"SCAN 18446744073709551615", NULL},
        {"SCAN +0", "*2 $1 0 *1 $3 one"},
        {"SCAN \" 00\"", "*2 $1 0 *1 $3 one"},
        {"SCAN \"0\\x00x\"", "*2 $1 0 *1 $3 one"},
        {"PEXPIRE one 5", ":1"},
        {"@advance 6", ""},
        {"KEYS *", "*0"},
        {"DBSIZE", ":1"},
        {"SCAN 0", "*2 $1 0 *0"},
        {"DBSIZE", ":0"},
        {"SET one 1 PX 1", "+OK"},
        {"@advance 2", ""},
        {"RANDOMKEY", NIL},
        {"DBSIZE", ":0"},
    };
    CHECK(harness_script(STEPS(steps)));
}

/* Every key that was there from the first SCAN to the last is returned, whatever else comes and
 * goes. */
static void scans_are_complete(void) {
    enum { KEPT = 700 };
    static char seen[KEPT];
    char command[64];
    tr_rng rng = {.state = 3};
    cmd_harness *h = harness_new(2);
    memset(seen, 0, sizeof(seen));
    for (int i = 0; i < KEPT; i++) {
        sprintf(command, "SET kept:%d x", i);
        harness_run(h, command);
    }
    uint64_t cursor = 0;
    int rounds = 0;
    do {
        sprintf(command, "SCAN %" PRIu64 " COUNT 7 MATCH kept:*", cursor);
        char *reply = strdup(harness_run(h, command));
        char *p = strchr(reply, ' ') + 1;
        cursor = strtoull(strchr(p, ' ') + 1, NULL, 10);
        while ((p = strstr(p, "kept:")) != NULL) {
            seen[strtol(p + 5, NULL, 10)] = 1;
            p++;
        }
        free(reply);
        for (int i = 0; i < 30; i++) {
            int other = (int)tr_rng_below(&rng, 4000);
            sprintf(command, rounds < 60 ? "SET other:%d x" : "DEL other:%d", other);
            harness_run(h, command);
        }
    } while (cursor != 0 && ++rounds < 100000);
    CHECK_EQ_INT(cursor, 0);
    for (int i = 0; i < KEPT; i++) CHECK(seen[i]);
    CHECK(strncmp(harness_run(h, "KEYS kept:*"), "*700 ", 5) == 0);
    CHECK(strncmp(harness_run(h, "SCAN 0 COUNT 100000 MATCH kept:*"), "*2 $1 0 *700 ", 13) == 0);
    harness_free(h);
}

static void objects(void) {
    static const cmd_step steps[] = {
        {"OBJECT ENCODING none", NIL},
        {"OBJECT REFCOUNT none", NIL},
        {"OBJECT IDLETIME none", NIL},
        {"OBJECT FREQ none", NIL},
        {"@events", ""},
        {"MSET i 9999 j 10000 m -1 e text r aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "+OK"},
        {"@list l", ""},
        {"OBJECT ENCODING i", "$3 int"},
        {"OBJECT ENCODING e", "$6 embstr"},
        {"OBJECT ENCODING r", "$3 raw"},
        {"OBJECT ENCODING l", "$8 listpack"},
        {"OBJECT REFCOUNT i", ":2147483647"},
        {"OBJECT REFCOUNT j", ":1"},
        {"OBJECT REFCOUNT m", ":1"},
        {"OBJECT REFCOUNT e", ":1"},
        {"OBJECT REFCOUNT l", ":1"},
        {"OBJECT IDLETIME e", ":0"},
        {"@advance 5000", ""},
        {"OBJECT IDLETIME e", ":5"},
        {"TTL e", ":-1"},
        {"EXISTS e", ":1"},
        {"TYPE e", "+string"},
        {"OBJECT IDLETIME e", ":5"},
        {"TOUCH e", ":1"},
        {"OBJECT IDLETIME e", ":0"},
        {"OBJECT FREQ e",
         "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
         "that when "
                          "switching between policies at runtime LRU and LFU data will take "
                          "some time to adjust."},
        {"@policy 1", ""},
        {"OBJECT REFCOUNT i", ":2147483647"},
        {"@maxmemory 1000000000", ""},
        {"OBJECT REFCOUNT i", ":1"},
        {"@policy 8", ""},
        {"OBJECT REFCOUNT i", ":2147483647"},
        {"@policy 2", ""},
        {"OBJECT REFCOUNT i", ":1"},
        {"SET f x", "+OK"},
        {"OBJECT FREQ f", ":5"},
        {"OBJECT IDLETIME f",
         "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
                              "switching between policies at runtime LRU and LFU data will take "
                              "some time to adjust."},
        {"MEMORY USAGE none", NIL},
        {"MEMORY USAGE none SAMPLES x", NOT_INT},
        {"MEMORY USAGE e SAMPLES -1", SYNTAX},
        {"MEMORY USAGE e SAMPLES", SYNTAX},
        {"MEMORY USAGE e FOO 1", SYNTAX},
        {"OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"},
        {"OBJECT NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP."},
    };
    CHECK(harness_script(STEPS(steps)));
}

static int64_t usage(cmd_harness *h, const char *command) {
    const char *reply = harness_run(h, command);
    return reply[0] == ':' ? strtoll(reply + 1, NULL, 10) : -1;
}

/* MEMORY USAGE of a key is what the account gets back when it goes. */
static void usage_is_what_deletion_frees(void) {
    static const char *const sets[] = {"SET k 1", "SET k text", "SET k " LONG44 "aa", "@list k"};
    cmd_harness *h = harness_new(2);
    harness_run(h, "DEL k"); /* what the first call of a command keeps is here now */
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        harness_run(h, sets[i]);
        int64_t told = usage(h, "MEMORY USAGE k");
        CHECK_EQ_INT(usage(h, "MEMORY USAGE k SAMPLES 0 SAMPLES 5"), told);
        size_t before = h->mem.used;
        harness_run(h, "DEL k");
        CHECK_EQ_INT(before - h->mem.used, told);
    }
    harness_free(h);
}

static void memory_fails(void) {
    static const cmd_step setup[] = {
        {"PING"},    {"MSET a 1 b text c " LONG44 "bb"},
        {"@list l"}, {"SET t v EX 100"},
        {"COPY c c DB 1"},
    };
    static const char *const commands[] = {
        "DEL a b c l none", "UNLINK a", "EXISTS a b", "TYPE a", "TOUCH a", "EXPIRE a 10",
        "EXPIRE t 10", "EXPIRE t -1", "PERSIST t", "TTL t", "RENAME a b", "RENAME c l",
        "RENAME t a", "RENAME l new", "RENAMENX c new", "COPY a new", "COPY c new", "COPY l new",
        "COPY t new", "COPY t a REPLACE", "COPY l a REPLACE", "COPY t c DB 1 REPLACE",
        "COPY c c DB 2", "MOVE t 1", "MOVE t 2", "MOVE c 1", "MOVE l 3", "DBSIZE", "FLUSHDB",
        "FLUSHALL", "FLUSHALL ASYNC", "SWAPDB 0 1", "KEYS *", "SCAN 0 COUNT 100",
        "OBJECT ENCODING a", "MEMORY USAGE a",
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        CHECK(harness_fail_sweep(STEPS(setup), commands[i]) >= 0);
    CHECK(harness_fail_sweep(STEPS(setup), "COPY t new") >= 1);
    CHECK(harness_fail_sweep(STEPS(setup), "MOVE t 2") >= 2);
}

/* A SCAN that finds more than it has room for at hand. */
static void memory_fails_for_long_scans(void) {
    static cmd_step setup[301];
    static char commands[300][24];
    setup[0][0] = "PING";
    for (int i = 0; i < 300; i++) {
        sprintf(commands[i], "SET k%d v", i);
        setup[i + 1][0] = commands[i];
    }
    CHECK(harness_fail_sweep(STEPS(setup), "SCAN 0 COUNT 1000") >= 2);
}

int main(void) {
    RUN(expiry);
    RUN(conditions_of_expiry);
    RUN(deadlines_in_the_past);
    RUN(expired_keys_that_are_kept);
    RUN(deletion_and_existence);
    RUN(renaming);
    RUN(copying);
    RUN(moving);
    RUN(walking);
    RUN(scans_are_complete);
    RUN(objects);
    RUN(usage_is_what_deletion_frees);
    RUN(memory_fails);
    RUN(memory_fails_for_long_scans);
    return CHECK_DONE();
}
