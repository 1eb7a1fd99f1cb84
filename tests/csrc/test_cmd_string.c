/* The string commands: each option and each refusal as a step of a script that runs in RESP2 and
 * RESP3; the events and the count of changes they leave; and each allocation of each of them
 * failing in turn. */
#include <stdlib.h>

#include "base/rng.h"
#include "check.h"
#include "cmd_harness.h"

#define NIL "$-1", "_"
#define SYNTAX "-ERR syntax error"
#define NOT_INT "-ERR value is not an integer or out of range"
#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define EXPIRE_OF(name) "-ERR invalid expire time in '" name "' command"
#define TOO_LONG "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"

static void set_and_get(void) {
    static const cmd_step steps[] = {
        {"GET k", NIL},
        {"SET k hello", "+OK"},
        {"GET k", "$5 hello"},
        {"GET K", NIL},
        {"SET k 0012", "+OK"},
        {"SET n 12", "+OK"},
        {"SET e \"\"", "+OK"},
        {"GET e", "$0 "},
        {"@dump", "0:e=(embstr) 0:k=0012(embstr) 0:n=12(int)"},
        {"GET n", "$2 12"},
        {"SET k v NX", NIL},
        {"SET new v NX", "+OK"},
        {"SET none v XX", NIL},
        {"SET k v XX", "+OK"},
        {"SET k v NX XX", SYNTAX},
        {"SET k v XX NX", SYNTAX},
        {"SET k v NX NX", NIL},
        {"SET k w GET", "$1 v"},
        {"SET k x NX GET", "$1 w"},
        {"GET k", "$1 w"},
        {"SET fresh x NX GET", NIL},
        {"GET fresh", "$1 x"},
        {"SET nokey x XX GET", NIL},
        {"EXISTS nokey", ":0"},
        {"SET k", "-ERR wrong number of arguments for 'set' command"},
        {"SET k v FOO", SYNTAX},
        {"SET k v PERSIST", SYNTAX},
        {"@list l", ""},
        {"GET l", WRONGTYPE},
        {"SET l v GET", WRONGTYPE},
        {"SET l v NX GET", WRONGTYPE},
        {"TYPE l", "+list"},
        {"SET l v", "+OK"},
        {"TYPE l", "+string"},
        {"SETNX l w", ":0"},
        {"SETNX l2 w", ":1"},
        {"STRLEN l2", ":1"},
        {"STRLEN nokey", ":0"},
        {"SET m -9223372036854775808", "+OK"},
        {"STRLEN m", ":20"},
        {"GETSET m x", "$20 -9223372036854775808"},
        {"GETSET none1 x", NIL},
        {"GETSET none1 y", "$1 x"},
        {"GETDEL none1", "$1 y"},
        {"GETDEL none1", NIL},
        {"@list l", ""},
        {"GETSET l x", WRONGTYPE},
        {"GETDEL l", WRONGTYPE},
        {"STRLEN l", WRONGTYPE},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void set_with_deadlines(void) {
    static const cmd_step steps[] = {
        {"SET k v EX 10", "+OK"},
        {"PTTL k", ":10000"},
        {"SET k v", "+OK"},
        {"TTL k", ":-1"},
        {"SET k v PX 1500", "+OK"},
        {"SET k w KEEPTTL", "+OK"},
        {"PTTL k", ":1500"},
        {"@advance 1500", ""},
        {"GET k", "$1 w"},
        {"@advance 1", ""},
        {"GET k", NIL},
        {"SET k v EXAT 1700000100", "+OK"},
        {"PEXPIRETIME k", ":1700000100000"},
        {"SET k v PXAT 1700000100001", "+OK"},
        {"PEXPIRETIME k", ":1700000100001"},
        {"SET k v EX 10 EX 20", "+OK"},
        {"TTL k", ":20"},
        {"SET k v KEEPTTL EX 10", SYNTAX},
        {"SET k v EX 10 KEEPTTL", SYNTAX},
        {"SET k v EX 10 PX 10", SYNTAX},
        {"SET k v EXAT 10 PXAT 10", SYNTAX},
        {"SET k v EX", SYNTAX},
        {"SET k v EX abc FOO", SYNTAX},
        {"SET k v EX abc", NOT_INT},
        {"SET k v EX 0", EXPIRE_OF("set")},
        {"SET k v PX -1", EXPIRE_OF("set")},
        {"SET k v EX 9223372036854775", EXPIRE_OF("set")},
        {"SET k v EX 9223372036854776", EXPIRE_OF("set")},
        {"SET k v PX 9223372036854775807", EXPIRE_OF("set")},
        {"SET k v EXAT 9223372036854775", "+OK"},
        {"SET k v PXAT 9223372036854775807", "+OK"},
        {"EXPIRETIME k", ":9223372036854776"},
        {"SET k v EXAT 1", "+OK"},
        {"DBSIZE", ":1"},
        {"EXISTS k", ":0"},
        {"DBSIZE", ":0"},
        {"@list l", ""},
        {"SET l v EX 0 GET", EXPIRE_OF("set")},
        {"SET l v EX 10 GET", WRONGTYPE},
        {"SETEX k 10 v", "+OK"},
        {"TTL k", ":10"},
        {"SETEX k 0 v", EXPIRE_OF("setex")},
        {"SETEX k abc v", NOT_INT},
        {"PSETEX k 2500 w", "+OK"},
        {"PTTL k", ":2500"},
        {"PSETEX k -5 w", EXPIRE_OF("psetex")},
        {"GET k", "$1 w"},
        {"GETSET k x", "$1 w"},
        {"TTL k", ":-1"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void getex(void) {
    static const cmd_step steps[] = {
        {"GETEX k", NIL},
        {"GETEX k EX abc", NIL},
        {"GETEX k FOO", SYNTAX},
        {"SET k v", "+OK"},
        {"@events", NULL},
        {"GETEX k", "$1 v"},
        {"@events", ""},
        {"GETEX k EX 10", "$1 v"},
        {"PTTL k", ":10000"},
        {"GETEX k PX 20", "$1 v"},
        {"PTTL k", ":20"},
        {"GETEX k PERSIST", "$1 v"},
        {"GETEX k PERSIST", "$1 v"},
        {"TTL k", ":-1"},
        {"@events", "0:expire:k 0:expire:k 0:persist:k"},
        {"GETEX k EXAT 1700000010", "$1 v"},
        {"TTL k", ":10"},
        {"GETEX k PXAT 1700000010001", "$1 v"},
        {"PTTL k", ":10001"},
        {"GETEX k PERSIST EX 10", SYNTAX},
        {"GETEX k EX 10 PERSIST", SYNTAX},
        {"GETEX k KEEPTTL", SYNTAX},
        {"GETEX k NX", SYNTAX},
        {"GETEX k EX", SYNTAX},
        {"GETEX k EX 0", EXPIRE_OF("getex")},
        {"GETEX k PXAT -1", EXPIRE_OF("getex")},
        {"@events", NULL},
        {"@dirty", NULL},
        {"GETEX k PXAT 1700000000000", "$1 v"},
        {"@events", "0:del:k"},
        {"@dirty", "1"},
        {"EXISTS k", ":0"},
        {"@list l", ""},
        {"GETEX l EX abc", WRONGTYPE},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void many_at_once(void) {
    static const cmd_step steps[] = {
        {"MGET a b", "*2 $-1 $-1", "*2 _ _"},
        {"MSET a 1 b two", "+OK"},
        {"@events", "0:keymiss:a 0:keymiss:b 0:new:a 0:set:a 0:new:b 0:set:b"},
        {"@dirty", "2"},
        {"@list l", ""},
        {"MGET a l b none", "*4 $1 1 $-1 $3 two $-1", "*4 $1 1 _ $3 two _"},
        {"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"},
        {"MSETNX a 1 b", "-ERR wrong number of arguments for 'msetnx' command"},
        {"MSET a x a y l z", "+OK"},
        {"@dump", "0:a=y(embstr) 0:b=two(embstr) 0:l=z(embstr)"},
        {"MSETNX c 1 a 2", ":0"},
        {"EXISTS c", ":0"},
        {"MSETNX c 1 d 2 c 3", ":1"},
        {"MGET c d", "*2 $1 3 $1 2"},
        {"SET a 1 EX 10", "+OK"},
        {"MSET a 2", "+OK"},
        {"TTL a", ":-1"},
        {"SET old 1 PX 1", "+OK"},
        {"@advance 2", ""},
        {"@events", NULL},
        {"MSET old 2", "+OK"},
        {"@events", "0:expired:old 0:new:old 0:set:old"},
        {"SET old 1 PX 1", "+OK"},
        {"@advance 2", ""},
        {"MSETNX old 3", ":1"},
        {"GET old", "$1 3"},
        {"MSET big aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "+OK"},
        {"OBJECT ENCODING big", "$3 raw"},
        {"STRLEN big", ":72"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void numbers(void) {
    static const cmd_step steps[] = {
        {"INCR n", ":1"},
        {"INCRBY n 41", ":42"},
        {"DECR n", ":41"},
        {"DECRBY n 1", ":40"},
        {"DECRBY n -2", ":42"},
        {"@events", "0:new:n 0:incrby:n 0:incrby:n 0:incrby:n 0:incrby:n 0:incrby:n"},
        {"@dirty", "5"},
        {"EXPIRE n 100", ":1"},
        {"INCR n", ":43"},
        {"TTL n", ":100"},
        {"SET n 9223372036854775806", "+OK"},
        {"INCR n", ":9223372036854775807"},
        {"INCR n", "-ERR increment or decrement would overflow"},
        {"SET n -9223372036854775808", "+OK"},
        {"DECR n", "-ERR increment or decrement would overflow"},
        {"DECRBY n -9223372036854775808", "-ERR decrement would overflow"},
        {"INCRBY n 1.5", NOT_INT},
        {"INCRBY none abc", NOT_INT},
        {"SET s \" 1\"", "+OK"},
        {"INCR s", NOT_INT},
        {"SET s 007", "+OK"},
        {"INCR s", NOT_INT},
        {"SET s \"\"", "+OK"},
        {"INCR s", NOT_INT},
        {"SET s 1", "+OK"},
        {"APPEND s 2", ":2"},
        {"OBJECT ENCODING s", "$3 raw"},
        {"INCR s", ":13"},
        {"OBJECT ENCODING s", "$3 int"},
        {"SET s 1 EX 100", "+OK"},
        {"APPEND s 2", ":2"},
        {"INCR s", ":13"},
        {"TTL s", ":100"},
        {"@list l", ""},
        {"INCR l", WRONGTYPE},
        {"INCRBYFLOAT l 1", WRONGTYPE},
        {"INCRBYFLOAT f 10.5", "$4 10.5"},
        {"@events", NULL},
        {"INCRBYFLOAT f 0.1", "$4 10.6"},
        {"@events", "0:incrbyfloat:f"},
        {"INCRBYFLOAT f -0.6", "$2 10"},
        {"OBJECT ENCODING f", "$6 embstr"},
        {"INCRBYFLOAT f 5.0e3", "$4 5010"},
        {"INCRBYFLOAT f abc", "-ERR value is not a valid float"},
        {"INCRBYFLOAT f \"1 \"", "-ERR value is not a valid float"},
        {"INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity"},
        {"SET f 3.0e3", "+OK"},
        {"INCRBYFLOAT f 200", "$4 3200"},
        {"SET f x", "+OK"},
        {"INCRBYFLOAT f 1", "-ERR value is not a valid float"},
        {"PSETEX f 100 1", "+OK"},
        {"INCRBYFLOAT f 1.25", "$4 2.25"},
        {"PTTL f", ":100"},
        {"SET f 1e300", "+OK"},
        {"STRLEN f", ":5"},
        {"INCRBYFLOAT f 0", NULL},
        {"STRLEN f", ":301"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void ranges(void) {
    static const cmd_step steps[] = {
        {"APPEND k ab", ":2"},
        {"APPEND k cd", ":4"},
        {"@events", "0:new:k 0:append:k 0:append:k"},
        {"GET k", "$4 abcd"},
        {"APPEND n 12", ":2"},
        {"OBJECT ENCODING n", "$3 int"},
        {"APPEND n 3", ":3"},
        {"GET n", "$3 123"},
        {"APPEND e \"\"", ":0"},
        {"EXISTS e", ":1"},
        {"EXPIRE k 100", ":1"},
        {"APPEND k e", ":5"},
        {"TTL k", ":100"},
        {"GETRANGE k 0 -1", "$5 abcde"},
        {"GETRANGE k 1 3", "$3 bcd"},
        {"GETRANGE k -3 -2", "$2 cd"},
        {"GETRANGE k -2 -3", "$0 "},
        {"GETRANGE k 3 1", "$0 "},
        {"GETRANGE k 4 100", "$1 e"},
        {"GETRANGE k 5 5", "$0 "},
        {"GETRANGE k -100 0", "$1 a"},
        {"GETRANGE k -100 -200", "$0 "},
        {"GETRANGE k -200 -100", "$0 "},
        {"GETRANGE k -9223372036854775808 9223372036854775807", "$5 abcde"},
        {"GETRANGE none 0 -1", "$0 "},
        {"GETRANGE e 0 -1", "$0 "},
        {"GETRANGE e -1 -1", "$0 "},
        {"GETRANGE n 1 1", "$1 2"},
        {"SUBSTR k 0 1", "$2 ab"},
        {"GETRANGE k a 1", NOT_INT},
        {"GETRANGE none 1 a", NOT_INT},
        {"@list l", ""},
        {"GETRANGE l 0 1", WRONGTYPE},
        {"APPEND l x", WRONGTYPE},
        {"SETRANGE l 0 x", WRONGTYPE},
        {"SETRANGE l 0 \"\"", WRONGTYPE},
        {"@events", NULL},
        {"@dirty", NULL},
        {"SETRANGE k 1 XY", ":5"},
        {"GET k", "$5 aXYde"},
        {"TTL k", ":100"},
        {"SETRANGE k 4 EFG", ":7"},
        {"SETRANGE k 9 Z", ":10"},
        {"GET k", "$10 aXYdEFG\\x00\\x00Z"},
        {"SETRANGE k 20 \"\"", ":10"},
        {"SETRANGE none 0 \"\"", ":0"},
        {"EXISTS none", ":0"},
        {"SETRANGE z 2 x", ":3"},
        {"GET z", "$3 \\x00\\x00x"},
        {"@dirty", "4"},
        {"SETRANGE k -1 x", "-ERR offset is out of range"},
        {"SETRANGE k abc x", NOT_INT},
        {"SETRANGE k 536870912 x", TOO_LONG},
        {"SETRANGE none 9223372036854775807 x", TOO_LONG},
        {"SETRANGE k 9223372036854775807 \"\"", ":10"},
        {"@string-max 12", ""},
        {"APPEND k xx", ":12"},
        {"APPEND k x", TOO_LONG},
        {"SETRANGE k 12 x", TOO_LONG},
        {"SETRANGE k 11 x", ":12"},
        {"SETRANGE i 1 x", ":2"},
        {"SET i 777", "+OK"},
        {"SETRANGE i 1 8", ":3"},
        {"@dump", "0:e=(embstr) 0:i=787(raw) 0:k=aXYdEFG\\x00\\x00Zxx(raw)+100000 0:l=?(listpack) "
                  "0:n=123(raw) 0:z=\\x00\\x00x(raw)"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void run_unread(cmd_harness *h, const tr_arg *argv, int argc) {
    h->c.argv = argv;
    h->c.argc = argc;
    tr_execute(&h->c);
}

/* Replies of big values share the value with the output: a change before they leave must not
 * show in them. */
static void big_values_are_shared_and_copied(void) {
    enum { SIZE = 20000 };
    static char command[SIZE + 32], want[SIZE + 32];
    cmd_harness *h = harness_new(2);
    size_t n = (size_t)sprintf(command, "SET k ");
    memset(command + n, 'a', SIZE);
    CHECK_EQ_STR(harness_run(h, command), "+OK");
    const tr_blob *blob = tr_entry_ptr(tr_db_peek(h->c.db, "k", 1));
    const tr_arg get[] = {{.ptr = "GET", .len = 3}, {.ptr = "k", .len = 1}};
    const tr_arg set[] = {{.ptr = "SETRANGE", .len = 8},
                          {.ptr = "k", .len = 1},
                          {.ptr = "0", .len = 1},
                          {.ptr = "b", .len = 1}};
    run_unread(h, get, 2);
    CHECK_EQ_INT(blob->refs, 2);
    run_unread(h, set, 4);
    n = (size_t)sprintf(want, "$%d ", SIZE);
    memset(want + n, 'a', SIZE);
    CHECK(strncmp(harness_run(h, "PING"), want, n + SIZE) == 0);
    CHECK_EQ_STR(harness_run(h, "GETRANGE k 0 1"), "$2 ba");
    CHECK_EQ_STR(harness_run(h, "GETRANGE k 19999 30000"), "$1 a");
    harness_free(h);
}

static void set_keeps_the_blob(void) {
    cmd_harness *h = harness_new(2);
    tr_blob *blob = tr_blob_new(&h->mem, NULL, 100000, 0);
    memset(blob->data, 'x', blob->len);
    const tr_arg value = {.ptr = blob->data, .len = blob->len, .blob = blob};
    const tr_arg set[] = {{.ptr = "SET", .len = 3}, {.ptr = "k", .len = 1}, value};
    const tr_arg mset[] = {{.ptr = "MSET", .len = 4}, {.ptr = "k2", .len = 2}, value};
    CHECK_EQ_STR(harness_run_args(h, set, 3), "+OK");
    CHECK_EQ_INT(blob->refs, 2);
    CHECK(tr_entry_ptr(tr_db_peek(h->c.db, "k", 1)) == blob);
    CHECK_EQ_STR(harness_run_args(h, mset, 3), "+OK");
    CHECK_EQ_INT(blob->refs, 3);
    tr_blob_drop(&h->mem, blob);
    harness_free(h);
}

/* How often a key was used is not forgotten when its value is replaced. */
static void replaced_keys_keep_their_frequency(void) {
    static const char *const sets[] = {"SET k x", "MSET k 1", "SET k 2 GET", "INCRBYFLOAT k 1"};
    cmd_harness *h = harness_new(2);
    harness_run(h, "@policy 2");
    harness_run(h, "SET k v");
    for (int i = 0; i < 500; i++) harness_run(h, "GET k");
    int64_t used = strtoll(harness_run(h, "OBJECT FREQ k") + 1, NULL, 10);
    CHECK(used > 8);
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        harness_run(h, sets[i]);
        CHECK(strtoll(harness_run(h, "OBJECT FREQ k") + 1, NULL, 10) >= used);
    }
    harness_free(h);
}

static void lcs(void) {
    static const cmd_step steps[] = {
        {"MSET a ohmytext b mynewtext", "+OK"},
        {"LCS a b", "$6 mytext"},
        {"LCS a b LEN", ":6"},
        {"LCS a b IDX", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6",
         "%2 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6"},
        {"LCS a b IDX MINMATCHLEN 4", "*4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6",
         "%2 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6"},
        {"LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
         "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6",
         "%2 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6"},
        {"LCS a b IDX MINMATCHLEN 5", "*4 $7 matches *0 $3 len :6", "%2 $7 matches *0 $3 len :6"},
        {"LCS a b WITHMATCHLEN", "$6 mytext"},
        {"LCS a b LEN MINMATCHLEN -3", ":6"},
        {"LCS a b MINMATCHLEN", SYNTAX},
        {"LCS a b MINMATCHLEN x", NOT_INT},
        {"LCS a b FOO", SYNTAX},
        {"LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."},
        {"LCS a none", "$0 "},
        {"LCS a none LEN", ":0"},
        {"LCS none none IDX", "*4 $7 matches *0 $3 len :0", "%2 $7 matches *0 $3 len :0"},
        {"LCS a a", "$8 ohmytext"},
        {"MSET c ab d ba", "+OK"},
        {"LCS c d", "$1 b"},
        {"@list l", ""},
        {"LCS a l FOO", "-ERR The specified keys must contain string values"},
        {"LCS l a", "-ERR The specified keys must contain string values"},
        {"SET n 1234", "+OK"},
        {"SET m 2345", "+OK"},
        {"LCS n m", "$3 234"},
        {"@string-max 359", ""},
        {"LCS a b",
         "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"},
        {"@string-max 360", ""},
        {"LCS a b", "$6 mytext"},
    };
    CHECK(harness_script(STEPS(steps)));
}

/* The answer is a subsequence of both strings, and no longer one exists (by trying every
 * subsequence of a short one). */
static void lcs_of_random_strings(void) {
    tr_rng rng = {.state = 7};
    for (int round = 0; round < 300; round++) {
        char a[16], b[16], command[128];
        size_t la = tr_rng_below(&rng, 9), lb = tr_rng_below(&rng, 9);
        for (size_t i = 0; i < la; i++) a[i] = (char)('a' + tr_rng_below(&rng, 3));
        for (size_t i = 0; i < lb; i++) b[i] = (char)('a' + tr_rng_below(&rng, 3));
        a[la] = b[lb] = '\0';
        int best = 0;
        for (unsigned set = 0; set < 1u << la; set++) {
            size_t at = 0;
            int len = 0;
            for (size_t i = 0; i < la; i++) {
                if (!(set >> i & 1)) continue;
                while (at < lb && b[at] != a[i]) at++;
                if (at++ >= lb) break;
                len++;
            }
            if (len == __builtin_popcount(set) && len > best) best = len;
        }
        cmd_harness *h = harness_new(2);
        sprintf(command, "MSET a \"%s\" b \"%s\"", a, b);
        harness_run(h, command);
        CHECK_EQ_INT(strtol(harness_run(h, "LCS a b LEN") + 1, NULL, 10), best);
        const char *reply = harness_run(h, "LCS a b");
        CHECK_EQ_INT(strtol(reply + 1, NULL, 10), best);
        const char *pa = a, *pb = b;
        for (const char *p = strchr(reply, ' ') + 1; *p != '\0'; p++) {
            while (*pa != '\0' && *pa != *p) pa++;
            while (*pb != '\0' && *pb != *p) pb++;
            CHECK(*pa++ == *p && *pb++ == *p);
        }
        harness_free(h);
    }
}

static void events_of_set(void) {
    static const cmd_step steps[] = {
        {"SET k v EX 10", "+OK"},
        {"@events", "0:new:k 0:set:k 0:expire:k"},
        {"SET k v KEEPTTL", "+OK"},
        {"@events", "0:set:k"},
        {"SET k v NX", NULL},
        {"SET k v GET", NULL},
        {"GETDEL k", "$1 v"},
        {"@events", "0:set:k 0:del:k"},
        {"@dirty", "4"},
        {"SETEX k 10 v", "+OK"},
        {"@events", "0:new:k 0:set:k 0:expire:k"},
        {"@dirty", "1"},
    };
    CHECK(harness_script(STEPS(steps)));
}

#define LONG44 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void memory_fails(void) {
    static const cmd_step setup[] = {
        {"PING"},
        {"MSET a 1 b " LONG44 " c " LONG44 "bb d text"},
        {"SET t v EX 100"},
        {"@list l"},
    };
    static const char *const commands[] = {
        "GET a", "GET c", "MGET a b c", "STRLEN c", "SET a " LONG44 "cc", "SET b 1",
        "SET new " LONG44 "cc", "SET new x EX 10", "SET d x EX 10", "SET t x PX 1", "SET l x",
        "SET c x GET", "SET t " LONG44 " KEEPTTL GET", "SET l " LONG44 "x EX 5", "SETNX new x",
        "SETEX new 10 x", "PSETEX c 10 x", "GETSET c x", "GETDEL c", "GETEX d EX 10",
        "GETEX t PERSIST", "GETEX a PXAT 1", "MSET a 2 b 2 new " LONG44 "xx l x new2 y",
        "MSETNX n1 1 n2 " LONG44 "xx n3 x", "INCR a", "INCR new", "INCRBYFLOAT a 1.5",
        "INCRBYFLOAT new 1e300", "APPEND a 1", "APPEND b x", "APPEND c x", "APPEND new x",
        "SETRANGE a 1 x", "SETRANGE c 100 x", "SETRANGE new 50 x", "GETRANGE c 0 10", "LCS b c",
        "LCS b c IDX", "LCS b c LEN",
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        CHECK(harness_fail_sweep(STEPS(setup), commands[i]) >= 0);
    CHECK(harness_fail_sweep(STEPS(setup), "MSET n1 " LONG44 "x n2 " LONG44 "y") >= 4);
    CHECK(harness_fail_sweep(NULL, 0, "SET new x EX 10") >= 2);
}

int main(void) {
    RUN(set_and_get);
    RUN(set_with_deadlines);
    RUN(getex);
    RUN(many_at_once);
    RUN(numbers);
    RUN(ranges);
    RUN(big_values_are_shared_and_copied);
    RUN(set_keeps_the_blob);
    RUN(replaced_keys_keep_their_frequency);
    RUN(lcs);
    RUN(lcs_of_random_strings);
    RUN(events_of_set);
    RUN(memory_fails);
    return CHECK_DONE();
}
