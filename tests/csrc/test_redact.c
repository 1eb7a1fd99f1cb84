/* Which arguments are hidden: every command with secrets, also those that the server does not have yet. */
#include "check.h"
#include "exec/redact.h"

#define WORDS_MAX 16

/* A letter for each argument but the first: x hidden, . shown. */
static const char *hidden(const char *fullname, int is_sub, const char *line) {
    static char letters[WORDS_MAX + 1];
    static const tr_command parent = {.fullname = "parent"};
    char words[256];
    tr_arg argv[WORDS_MAX];
    int argc = 0;
    strcpy(words, line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = (tr_arg){.ptr = word, .len = strlen(word)};
    }
    tr_command cmd = {.fullname = fullname, .flags = TR_CMD_SECRETS, .parent = is_sub ? &parent : NULL};
    tr_redactor r;
    tr_redact_begin(&r, &cmd, argv);
    for (int i = 1; i < argc; i++) letters[i - 1] = tr_redact_ask(&r, i) ? 'x' : '.';
    letters[argc > 0 ? argc - 1 : 0] = '\0';
    return letters;
}

static void test_rules(void) {
    static const struct {
        const char *fullname;
        int is_sub;
        const char *line, *want;
    } cases[] = {
        {"auth", 0, "AUTH p", "x"},
        {"auth", 0, "AUTH u p more", "xxx"},
        {"hello", 0, "HELLO", ""},
        {"hello", 0, "HELLO 3 AUTH u p SETNAME n", "..xx.."},
        {"hello", 0, "HELLO 3 SETNAME AUTH AUTH u", "....x"},
        {"hello", 0, "HELLO AUTH u p", ".xx"},
        {"config|set", 1, "CONFIG SET requirepass p maxmemory 1 tls-key-file-pass p", "..x...x"},
        {"config|set", 1, "CONFIG SET timeout requirepass masterUSER p", "....x"},
        {"migrate", 0, "MIGRATE h 1 k 0 10", "....."},
        {"migrate", 0, "MIGRATE h 1 auth 0 10 COPY AUTH p", ".......x"},
        {"migrate", 0, "MIGRATE h 1 k 0 10 auth2 u p REPLACE", "......xx."},
        {"migrate", 0, "MIGRATE h 1 k 0 10 KEYS AUTH k AUTH2 k k", "..........."},
        {"acl|setuser", 1, "ACL SETUSER u on >p", ".xxx"},
        {"acl|deluser", 1, "ACL DELUSER u v", ".xx"},
        {"acl|getuser", 1, "ACL GETUSER u", ".x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ_STR(hidden(cases[i].fullname, cases[i].is_sub, cases[i].line), cases[i].want);
    }
}

static void test_others_have_none(void) {
    const tr_command cmd = {.fullname = "get"};
    const tr_arg argv[] = {{.ptr = "GET", .len = 3}, {.ptr = "AUTH", .len = 4}};
    tr_redactor r;
    tr_redact_begin(&r, &cmd, argv);
    CHECK_EQ_INT(tr_redact_ask(&r, 1), 0);
}

int main(void) {
    RUN(test_rules);
    RUN(test_others_have_none);
    return CHECK_DONE();
}
