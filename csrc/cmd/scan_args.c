#include "cmd/scan_args.h"

#include <string.h>
#include <strings.h>

#include "base/glob.h"
#include "base/num.h"
#include "exec/exec.h"
#include "exec/reply.h"

static int is_space(char ch) {
    return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

/* Digits as C's strtoull takes them: space and a sign in front, "-1" the largest number, all
 * bytes used. 1 and *out, or 0. */
static int parse_lenient(const char *p, size_t n, uint64_t *out) {
    size_t i = 0;
    while (i < n && is_space(p[i])) i++;
    int negative = i < n && p[i] == '-';
    if (i < n && (p[i] == '-' || p[i] == '+')) i++;
    if (i == n) return 0;
    uint64_t v = 0;
    for (; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return 0;
        if (__builtin_mul_overflow(v, 10, &v)) return 0;
        if (__builtin_add_overflow(v, (uint64_t)(p[i] - '0'), &v)) return 0;
    }
    *out = negative ? 0 - v : v;
    return 1;
}

/* Clients that treat the cursor as text get away with forms that no server ever sends; only a
 * plain negative number and what is no number at all are refused. A NUL ends the text. */
int tr_scan_parse_cursor(tr_client *c, int i, tr_scan_args *out) {
    const tr_arg *arg = &c->argv[i];
    size_t len = strnlen(arg->ptr, arg->len);
    int64_t strict;
    *out = (tr_scan_args){.count = TR_SCAN_COUNT};
    int ok = tr_num_parse_int(arg->ptr, len, &strict) ? strict >= 0 : 1;
    if (ok && parse_lenient(arg->ptr, len, &out->cursor)) return 1;
    tr_reply_error(c, "ERR invalid cursor");
    return 0;
}

static tr_type type_of_name(const tr_store *store, const tr_arg *name) {
    for (int t = 0; t < TR_TYPE_COUNT; t++) {
        const tr_type_ops *ops = store->types[t];
        if (ops == NULL || ops->name_of != NULL || strlen(ops->name) != name->len) continue;
        if (strncasecmp(ops->name, name->ptr, name->len) == 0) return (tr_type)t;
    }
    return TR_MODULE; /* or nobody's: the name decides */
}

/* One option and its value at argv[i]: how many arguments it took, or 0 after the error reply. */
static int parse_option(tr_client *c, int i, tr_scan_kind kind, tr_scan_args *out) {
    int has_value = i + 1 < c->argc;
    if (has_value && tr_arg_is(c, i, "COUNT")) {
        if (!tr_arg_int(c, i + 1, &out->count)) return 0;
        if (out->count >= 1) return 2;
    } else if (has_value && tr_arg_is(c, i, "MATCH")) {
        const tr_arg *pattern = &c->argv[i + 1];
        out->pattern = pattern->len == 1 && pattern->ptr[0] == '*' ? NULL : pattern;
        return 2;
    } else if (has_value && kind == TR_SCAN_KEYS && tr_arg_is(c, i, "TYPE")) {
        out->by_type = 1;
        out->type = type_of_name(c->x->store, &c->argv[i + 1]);
        out->type_name = &c->argv[i + 1];
        return 2;
    } else if (tr_arg_is(c, i, "NOVALUES")) {
        out->no_values = 1;
        if (kind == TR_SCAN_HASH) return 1;
        tr_reply_error(c, "ERR NOVALUES option can only be used in HSCAN");
        return 0;
    }
    tr_reply_error(c, TR_MSG_SYNTAX);
    return 0;
}

int tr_scan_parse_options(tr_client *c, int first, tr_scan_kind kind, tr_scan_args *out) {
    for (int i = first; i < c->argc;) {
        int taken = parse_option(c, i, kind, out);
        if (taken == 0) return 0;
        i += taken;
    }
    return 1;
}

int tr_scan_matches(const tr_scan_args *args, const char *p, size_t len) {
    const tr_arg *pattern = args->pattern;
    return pattern == NULL || tr_glob_match(pattern->ptr, pattern->len, p, len, 0);
}

int64_t tr_scan_steps_max(const tr_scan_args *args) {
    int64_t steps;
    return __builtin_mul_overflow(args->count, TR_SCAN_VISITS_RATIO, &steps) ? INT64_MAX : steps;
}

void tr_scan_reply_head(tr_client *c, uint64_t cursor, size_t count) {
    char text[TR_INT_TEXT];
    tr_reply_array(c, 2);
    tr_reply_bulk(c, text, tr_num_format_uint(text, cursor));
    tr_reply_array(c, count);
}
