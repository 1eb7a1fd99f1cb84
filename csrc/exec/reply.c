#include "exec/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/assert.h"
#include "exec/exec.h"

#define ERROR_TEXT_MAX 1024 /* bytes of a formatted error */

void tr_reply_error_len(tr_client *c, const char *text, size_t len) {
    c->flags |= TR_CLIENT_FAILED_COMMAND;
    /* What a module is answered counts when it hands it on to a client. */
    if (!(c->flags & TR_CLIENT_INTERNAL)) tr_exec_count_error(c->x, text, len);
    tr_w_error(&c->w, text, len);
}

void tr_reply_error(tr_client *c, const char *text) {
    tr_reply_error_len(c, text, strlen(text));
}

void tr_reply_errorf(tr_client *c, const char *fmt, ...) {
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    tr_reply_error_len(c, text, len);
}

void tr_reply_arity(tr_client *c) {
    tr_assert(c->cmd != NULL);
    tr_reply_errorf(c, "ERR wrong number of arguments for '%s' command", c->cmd->fullname);
}

int tr_arg_int_or(tr_client *c, int i, int64_t *out, const char *error) {
    if (tr_num_parse_int(c->argv[i].ptr, c->argv[i].len, out)) return 1;
    tr_reply_error(c, error);
    return 0;
}

int tr_arg_int(tr_client *c, int i, int64_t *out) {
    return tr_arg_int_or(c, i, out, TR_MSG_NOT_INT);
}

int tr_arg_int32(tr_client *c, int i, int *out) {
    int64_t n;
    if (!tr_arg_int(c, i, &n)) return 0;
    if (n < INT32_MIN || n > INT32_MAX) {
        tr_reply_errorf(c, "ERR value is out of range, value must between %d and %d", INT32_MIN, INT32_MAX);
        return 0;
    }
    *out = (int)n;
    return 1;
}

int tr_arg_is(const tr_client *c, int i, const char *word) {
    size_t len = strlen(word);
    return c->argv[i].len == len && strncasecmp(c->argv[i].ptr, word, len) == 0;
}

int tr_reply_unless_type(tr_client *c, const tr_entry *e, tr_type type) {
    if (e == NULL || tr_entry_type(e) == type) return 1;
    tr_reply_error(c, TR_MSG_WRONGTYPE);
    return 0;
}
