/* Names of commands by rename-command: what each name means after one change, after several, and after those that are
 * refused; every allocation fails once. */
#include "exec/renames.h"

#include <string.h>

#include "base/err.h"
#include "check.h"

static int change(tr_renames *r, tr_mem *mem, const char *from, const char *to) {
    return tr_renames_add(r, mem, from, strlen(from), to, strlen(to));
}

/* The full name of the command behind a name, "": none. */
static const char *meaning(const tr_renames *r, const char *name) {
    const tr_command *cmd = tr_renames_find(r, name, strlen(name));
    return cmd ? cmd->fullname : "";
}

static void test_nothing_renamed(void) {
    tr_renames r = {0};
    CHECK_EQ_STR(meaning(&r, "get"), "get");
    CHECK_EQ_STR(meaning(&r, "GeT"), "get");
    CHECK_EQ_STR(meaning(&r, "nosuch"), "");
    CHECK_EQ_STR(meaning(&r, ""), "");
}

static void test_another_name_or_none(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_renames r = {0};
    CHECK_EQ_INT(change(&r, &mem, "GET", "fetch-It"), TR_OK);
    CHECK_EQ_INT(change(&r, &mem, "config", ""), TR_OK);
    CHECK_EQ_STR(meaning(&r, "get"), "");
    CHECK_EQ_STR(meaning(&r, "FETCH-it"), "get");
    CHECK_EQ_STR(meaning(&r, "fetch-i"), "");
    CHECK_EQ_STR(meaning(&r, "CONFIG"), "");
    CHECK_EQ_STR(meaning(&r, "set"), "set");
    tr_renames_release(&r, &mem);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_one_after_the_other(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_renames r = {0};
    CHECK_EQ_INT(change(&r, &mem, "get", "a"), TR_OK);
    CHECK_EQ_INT(change(&r, &mem, "A", "b"), TR_OK);
    CHECK_EQ_STR(meaning(&r, "a"), "");
    CHECK_EQ_STR(meaning(&r, "b"), "get");
    CHECK_EQ_INT(change(&r, &mem, "set", "get"), TR_OK); /* the name is free */
    CHECK_EQ_STR(meaning(&r, "get"), "set");
    CHECK_EQ_INT(change(&r, &mem, "b", "set"), TR_OK);
    CHECK_EQ_STR(meaning(&r, "SET"), "get");
    CHECK_EQ_INT(change(&r, &mem, "set", "SET"), TR_OK);
    CHECK_EQ_STR(meaning(&r, "set"), "get");
    tr_renames_release(&r, &mem);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_refused(void) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_renames r = {0};
    CHECK_EQ_INT(change(&r, &mem, "nosuch", "x"), TR_ENOENT);
    CHECK_EQ_INT(change(&r, &mem, "config|get", ""), TR_ENOENT);
    CHECK_EQ_INT(change(&r, &mem, "get", "SET"), TR_EEXIST);
    CHECK_EQ_INT(change(&r, &mem, "get", ""), TR_OK);
    CHECK_EQ_INT(change(&r, &mem, "get", "x"), TR_ENOENT);
    CHECK_EQ_STR(meaning(&r, "set"), "set");
    CHECK_EQ_STR(meaning(&r, "x"), "");
    tr_renames_release(&r, &mem);
}

static void test_out_of_memory(void) {
    for (uint64_t nth = 1;; nth++) {
        tr_mem mem;
        tr_mem_init(&mem);
        tr_renames r = {0};
        tr_mem_fail_at(&mem, nth);
        int rc = change(&r, &mem, "get", "fetch");
        CHECK_EQ_STR(meaning(&r, "get"), rc == TR_OK ? "" : "get");
        CHECK_EQ_STR(meaning(&r, "fetch"), rc == TR_OK ? "get" : "");
        tr_renames_release(&r, &mem);
        CHECK_EQ_INT(mem.used, 0);
        if (rc == TR_OK) {
            CHECK(nth > 2);
            return;
        }
        CHECK_EQ_INT(rc, TR_ENOMEM);
    }
}

int main(void) {
    RUN(test_nothing_renamed);
    RUN(test_another_name_or_none);
    RUN(test_one_after_the_other);
    RUN(test_refused);
    RUN(test_out_of_memory);
    return CHECK_DONE();
}
