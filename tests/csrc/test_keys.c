/* Aim: keys are found where a command has them, and hostile arguments give an error or fewer keys, never a read
 * outside of argv. Method: command lines against the positions and flags that a stock server reports; specs that no
 * command here has are written out; then every allocation fails once. */
#include "exec/keys.h"

#include <stdlib.h>

#include "base/err.h"
#include "check.h"
#include "table_handlers.h"

#define WORDS_MAX 64

/* A command line, split at blanks; exactly argc arguments are allocated, so that tools see a read past them. */
typedef struct line {
    char text[512];
    tr_arg *argv;
    int argc;
} line;

static void line_init(line *l, const char *text) {
    tr_arg words[WORDS_MAX];
    l->argc = 0;
    snprintf(l->text, sizeof(l->text), "%s", text);
    for (char *word = strtok(l->text, " "); word != NULL; word = strtok(NULL, " "))
        words[l->argc++] = (tr_arg){.ptr = word, .len = strlen(word)};
    l->argv = malloc((size_t)l->argc * sizeof(tr_arg));
    memcpy(l->argv, words, (size_t)l->argc * sizeof(tr_arg));
}

/* "1:RO 3:OW" as numbers: "1:1 3:4"; or the error's code. */
static void describe(int rc, const tr_keys *keys, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    if (rc < 0)
        snprintf(out, size, "%s", rc == TR_EINVAL ? "EINVAL" : tr_err_text(rc));
    for (int i = 0; rc == 0 && i < keys->count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%d:%x", i ? " " : "",
                                 keys->positions[i], keys->flags[i]);
}

static void check_command(const char *text, const char *want) {
    tr_mem mem;
    tr_keys keys;
    line l;
    char got[512];
    const tr_command *cmd;

    tr_mem_init(&mem);
    line_init(&l, text);
    tr_keys_init(&keys, &mem);
    cmd = tr_command_resolve(l.argv, l.argc);
    CHECK(cmd != NULL);
    describe(tr_keys_get(cmd, l.argv, l.argc, 0, &keys), &keys, got, sizeof(got));
    CHECK_EQ_STR(got, want);
    tr_keys_clear(&keys);
    CHECK_EQ_INT(mem.used, 0);
    free(l.argv);
}

static void check_spec(const tr_key_spec *spec, const char *text, const char *want) {
    tr_mem mem;
    tr_keys keys;
    line l;
    char got[512];

    tr_mem_init(&mem);
    line_init(&l, text);
    tr_keys_init(&keys, &mem);
    describe(tr_keys_from_spec(spec, l.argv, l.argc, &keys), &keys, got, sizeof(got));
    CHECK_EQ_STR(got, want);
    tr_keys_clear(&keys);
    free(l.argv);
}

static void test_commands(void) {
    check_command("GET a", "1:11");
    check_command("MSET a 1 b 2", "1:24 3:24");
    check_command("MGET a b c", "1:11 2:11 3:11");
    check_command("DEL a b", "1:88 2:88");
    check_command("COPY a b", "1:11 2:24");
    check_command("OBJECT ENCODING a", "2:1");
    check_command("MEMORY USAGE a", "2:1");
    check_command("PING", "");
    check_command("CLIENT LIST", "");
    check_command("GET", "");
    check_command("MSET", "");
    check_command("RENAME a", "1:92");
}

static void test_set_depends_on_get(void) {
    check_command("SET a b", "1:24");
    check_command("SET a b get", "1:32");
    check_command("SET a b EX 5 GET", "1:32");
    check_command("SET a GET", "1:24"); /* that is the value */
    check_command("SET get get NX", "1:24");
    check_command("SET", "");
}

static void test_counted(void) {
    const tr_key_spec eval = {.flags = TR_KEY_RW, .begin = TR_BEGIN_INDEX, .begin_index = 2,
                              .find = TR_FIND_KEYNUM, .keynum_index = 0, .first_key = 1,
                              .key_step = 1};
    check_spec(&eval, "EVAL x 2 a b c", "3:2 4:2");
    check_spec(&eval, "EVAL x 0 a", "");
    check_spec(&eval, "EVAL x", "");
    check_spec(&eval, "EVAL x -1 a", "EINVAL");
    check_spec(&eval, "EVAL x abc a", "EINVAL");
    check_spec(&eval, "EVAL x 2 a", "EINVAL");
    check_spec(&eval, "EVAL x 9223372036854775807 a", "EINVAL");
    check_spec(&eval, "EVAL x 2147483647 a", "EINVAL");
    check_spec(&eval, "EVAL x 99999999999999999999 a", "EINVAL");
}

static void test_range_with_limit(void) {
    const tr_key_spec xread = {.flags = TR_KEY_RO, .begin = TR_BEGIN_KEYWORD, .begin_index = 1,
                               .keyword = "STREAMS", .find = TR_FIND_RANGE, .last_key = -1,
                               .key_step = 1, .limit = 2};
    check_spec(&xread, "XREAD COUNT 1 STREAMS a b 0 0", "4:1 5:1");
    check_spec(&xread, "XREAD streams a b 0", "2:1");
    check_spec(&xread, "XREAD streams a", "");
    check_spec(&xread, "XREAD a STREAMS", "");
    check_spec(&xread, "XREAD a b", "");
    check_spec(&xread, "XREAD COUNT streams streams a 0", "3:1");
}

static void test_keyword_from_the_end(void) {
    const tr_key_spec migrate = {.flags = TR_KEY_RW, .begin = TR_BEGIN_KEYWORD, .begin_index = -2,
                                 .keyword = "KEYS", .find = TR_FIND_RANGE, .last_key = -1,
                                 .key_step = 1};
    check_spec(&migrate, "MIGRATE h 1 0 0 KEYS a b", "6:2 7:2");
    check_spec(&migrate, "MIGRATE h 1 KEYS 0 KEYS a b", "6:2 7:2");
    check_spec(&migrate, "MIGRATE h 1 0 0 KEYS", "");
    check_spec(&migrate, "KEYS a b", "");
    check_spec(&migrate, "M", "");
}

static void test_keyword_past_the_end(void) {
    const tr_key_spec store = {.flags = TR_KEY_OW, .begin = TR_BEGIN_KEYWORD, .begin_index = 6,
                               .keyword = "STORE", .find = TR_FIND_RANGE, .key_step = 1};
    check_spec(&store, "GEORADIUS k 1 1 1 m STORE d", "7:4");
    check_spec(&store, "GEORADIUS k STORE 1 1 m", "");
    check_spec(&store, "GEORADIUS k", "");
}

static void test_not_keys_only_when_wanted(void) {
    const tr_key_spec channel = {.flags = TR_KEY_NOT_KEY, .begin = TR_BEGIN_INDEX, .begin_index = 1,
                                 .find = TR_FIND_RANGE, .last_key = -1, .key_step = 1};
    const tr_command spublish = {.name = "spublish", .key_specs = &channel, .key_spec_count = 1};
    tr_mem mem;
    tr_keys keys;
    line l;

    tr_mem_init(&mem);
    line_init(&l, "SPUBLISH a m");
    tr_keys_init(&keys, &mem);
    CHECK_EQ_INT(tr_keys_get(&spublish, l.argv, l.argc, 0, &keys), 0);
    CHECK_EQ_INT(keys.count, 0);
    CHECK_EQ_INT(tr_keys_get(&spublish, l.argv, l.argc, TR_KEYS_WITH_NOT_KEYS, &keys), 0);
    CHECK_EQ_INT(keys.count, 2);
    CHECK(!tr_command_has_keys(&spublish));
    free(l.argv);
}

static void test_many_keys_and_no_memory(void) {
    enum { KEYS = 1000 };
    tr_arg argv[KEYS + 1];
    tr_mem mem;
    tr_keys keys;
    const tr_command *del = tr_command_find("del", 3);
    int rc = TR_ENOMEM;
    uint64_t nth;

    tr_mem_init(&mem);
    tr_keys_init(&keys, &mem);
    for (int i = 0; i <= KEYS; i++)
        argv[i] = (tr_arg){.ptr = "k", .len = 1};
    for (nth = 1; rc == TR_ENOMEM && nth < 100; nth++) {
        tr_mem_fail_at(&mem, nth);
        rc = tr_keys_get(del, argv, KEYS + 1, 0, &keys);
        CHECK(rc == 0 || (rc == TR_ENOMEM && keys.count == 0 && mem.used == 0));
    }
    CHECK(nth > 2 && nth < 100);
    CHECK_EQ_INT(rc, 0);
    CHECK_EQ_INT(keys.count, KEYS);
    for (int i = 0; i < keys.count; i++)
        CHECK(keys.positions[i] == i + 1 && keys.flags[i] == (TR_KEY_RM | TR_KEY_DELETE));
    tr_keys_clear(&keys);
    CHECK_EQ_INT(mem.used, 0);
    CHECK_EQ_INT(keys.cap, TR_KEYS_INLINE);
}

int main(void) {
    RUN(test_commands);
    RUN(test_set_depends_on_get);
    RUN(test_counted);
    RUN(test_range_with_limit);
    RUN(test_keyword_from_the_end);
    RUN(test_keyword_past_the_end);
    RUN(test_not_keys_only_when_wanted);
    RUN(test_many_keys_and_no_memory);
    return CHECK_DONE();
}
