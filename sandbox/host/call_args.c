#include "sandbox/host/call_args.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define FIRST_ARGS 8

/* Steals the reference. */
static void add(tr_call_args *args, RedisModuleString *s) {
    if (args->argc == args->cap) {
        args->cap = args->cap == 0 ? FIRST_ARGS : args->cap * 2;
        args->argv = tr_need_more(args->argv, (size_t)args->cap * sizeof *args->argv);
    }
    args->argv[args->argc++] = s;
}

static void add_number(tr_call_args *args, long long value) {
    char text[TR_INT_TEXT];
    add(args, tr_string_new(text, tr_num_format_int(text, value)));
}

/* 1 when the character is a modifier. */
static int modify(tr_call_args *args, char c) {
    switch (c) {
    case '!': args->flags |= TR_CALL_REPLICATE; return 1;
    case 'A': args->flags |= TR_CALL_NOT_AOF; return 1;
    case 'R': args->flags |= TR_CALL_NOT_REPLICAS; return 1;
    case '3': args->resp = 3; return 1;
    case '0': args->resp = 0; return 1;
    case 'C': args->flags |= TR_CALL_AS_USER; return 1;
    case 'S': args->flags |= TR_CALL_SCRIPT_RULES; return 1;
    case 'W': args->flags |= TR_CALL_NO_WRITES; return 1;
    case 'M': args->flags |= TR_CALL_DENY_OOM; return 1;
    case 'E': args->flags |= TR_CALL_ERRORS; return 1;
    case 'D': args->flags |= TR_CALL_DRY_RUN | TR_CALL_ERRORS; return 1;
    case 'K': args->flags |= TR_CALL_MAY_BLOCK; return 1;
    default: return 0;
    }
}

int tr_call_args_read(tr_call_args *args, const char *name, const char *format, va_list *values) {
    *args = (tr_call_args){.resp = 2};
    add(args, tr_string_new(name, strlen(name)));
    for (const char *c = format; *c != '\0'; c++) {
        if (*c == 'c') {
            const char *text = va_arg(*values, const char *);
            add(args, tr_string_new(text, strlen(text)));
        } else if (*c == 's') {
            add(args, tr_string_hold(va_arg(*values, RedisModuleString *)));
        } else if (*c == 'b') {
            const char *p = va_arg(*values, const char *);
            add(args, tr_string_new(p, va_arg(*values, size_t)));
        } else if (*c == 'l') {
            add_number(args, va_arg(*values, long long));
        } else if (*c == 'v') {
            RedisModuleString **strings = va_arg(*values, RedisModuleString **);
            size_t count = va_arg(*values, size_t);
            for (size_t i = 0; i < count; i++) add(args, tr_string_hold(strings[i]));
        } else if (!modify(args, *c)) {
            return 0;
        }
    }
    return 1;
}

void tr_call_args_drop(tr_call_args *args) {
    for (int i = 0; i < args->argc; i++) tr_string_free(args->argv[i]);
    free(args->argv);
    *args = (tr_call_args){0};
}
