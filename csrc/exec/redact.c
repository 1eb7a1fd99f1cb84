#include "exec/redact.h"

#include <string.h>
#include <strings.h>

#include "base/assert.h"

/* Directives whose values are secrets, as in the table of the configuration (a test compares them). */
static const char *const secret_directives[] = {
    "masterauth", "masteruser", "requirepass", "tls-client-key-file-pass", "tls-key-file-pass",
};

static const struct {
    const char *fullname;
    tr_secret_rule rule;
} rules[] = {
    {"auth", TR_SECRET_ALL},           {"hello", TR_SECRET_HELLO},       {"config|set", TR_SECRET_CONFIG},
    {"migrate", TR_SECRET_MIGRATE},    {"acl|setuser", TR_SECRET_ALL},   {"acl|deluser", TR_SECRET_ALL},
    {"acl|getuser", TR_SECRET_ALL},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int is_word(const tr_arg *arg, const char *word) {
    return arg->len == strlen(word) && strncasecmp(arg->ptr, word, arg->len) == 0;
}

void tr_redact_begin(tr_redactor *r, const tr_command *cmd, const tr_arg *argv) {
    *r = (tr_redactor){.argv = argv};
    if (TR_LIKELY(!(cmd->flags & TR_CMD_SECRETS))) return;
    for (size_t i = 0; i < COUNT(rules); i++) {
        if (strcmp(rules[i].fullname, cmd->fullname) == 0) r->rule = rules[i].rule;
    }
    tr_assert(r->rule != TR_SECRET_NONE); /* the table of commands and this one belong together */
    r->pass = cmd->parent != NULL;        /* the subcommand's name */
}

static int is_secret_directive(const tr_arg *name) {
    for (size_t i = 0; i < COUNT(secret_directives); i++) {
        if (is_word(name, secret_directives[i])) return 1;
    }
    return 0;
}

/* argv[i] is where an option may stand: what follows it? */
static void note_option(tr_redactor *r, int i) {
    const tr_arg *arg = &r->argv[i];
    if (r->rule == TR_SECRET_CONFIG) {
        if (is_secret_directive(arg)) r->hide = 1;
        else r->pass = 1;
    } else if (r->rule == TR_SECRET_HELLO) {
        if (is_word(arg, "AUTH")) r->hide = 2;
        else if (is_word(arg, "SETNAME")) r->pass = 1;
    } else if (i > 5) { /* MIGRATE: host, port, key, database, timeout */
        if (is_word(arg, "AUTH")) r->hide = 1;
        else if (is_word(arg, "AUTH2")) r->hide = 2;
        else if (is_word(arg, "KEYS")) r->rule = TR_SECRET_NONE;
    }
}

int tr__redact_ask(tr_redactor *r, int i) {
    tr_debug_assert(i >= 1);
    if (r->pass > 0) {
        r->pass--;
        return 0;
    }
    if (r->rule == TR_SECRET_ALL) return 1;
    if (r->hide > 0) {
        r->hide--;
        return 1;
    }
    note_option(r, i);
    return 0;
}
