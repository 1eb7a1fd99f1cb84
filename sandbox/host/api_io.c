/* What the callbacks of a data type save, load and emit. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox/host/call_args.h"
#include "sandbox/host/host.h"
#include "sandbox/host/type.h"

#define LONG_DOUBLE_TEXT 64 /* bytes of one in hexadecimal, with room to spare */
#define LOG_LINE_MAX 1024   /* longest line of LogIOError */

/* ------------------------------------------------------------------ saving */

void tr_rm_SaveUnsigned(RedisModuleIO *io, uint64_t value) {
    TR_NOTE(SaveUnsigned, io, value);
    if (!io->failed) tr_items_add_unsigned(&io->out, value);
}

void tr_rm_SaveSigned(RedisModuleIO *io, int64_t value) {
    TR_NOTE(SaveSigned, io, value);
    if (!io->failed) tr_items_add_unsigned(&io->out, (uint64_t)value);
}

void tr_rm_SaveString(RedisModuleIO *io, RedisModuleString *s) {
    TR_NOTE(SaveString, io, s);
    if (!io->failed) tr_items_add_string(&io->out, s->p, s->len);
}

void tr_rm_SaveStringBuffer(RedisModuleIO *io, const char *str, size_t len) {
    TR_NOTE(SaveStringBuffer, io, str, len);
    if (!io->failed) tr_items_add_string(&io->out, str, len);
}

void tr_rm_SaveDouble(RedisModuleIO *io, double value) {
    TR_NOTE(SaveDouble, io);
    if (!io->failed) tr_items_add_double(&io->out, value);
}

void tr_rm_SaveFloat(RedisModuleIO *io, float value) {
    TR_NOTE(SaveFloat, io);
    if (!io->failed) tr_items_add_float(&io->out, value);
}

void tr_rm_SaveLongDouble(RedisModuleIO *io, long double value) {
    char text[LONG_DOUBLE_TEXT];
    TR_NOTE(SaveLongDouble, io);
    if (io->failed) return;
    int len = snprintf(text, sizeof(text), "%La", value);
    tr_items_add_string(&io->out, text, (size_t)len);
}

/* ------------------------------------------------------------------ loading */

/* A load that found nothing or something else. Who has not said that it looks at IsIOError would go on with a value
 * that was never saved. */
static void load_failed(RedisModuleIO *io) {
    io->failed = true;
    if (tr_host_here.options & REDISMODULE_OPTIONS_HANDLE_IO_ERRORS) return;
    tr_host_die(TR_DIE_HOST,
                "loading a value of type %s under the key \"%.128s\": what was saved ends, or has another kind of "
                "item, "
                "after %zu bytes, and the module has not set REDISMODULE_OPTIONS_HANDLE_IO_ERRORS",
                io->type->name, io->key == NULL ? "" : io->key->p, io->in.at);
}

uint64_t tr_rm_LoadUnsigned(RedisModuleIO *io) {
    uint64_t value = 0;
    TR_NOTE(LoadUnsigned, io);
    if (io->failed) return 0;
    if (!tr_items_unsigned(&io->in, &value)) load_failed(io);
    return io->failed ? 0 : value;
}

int64_t tr_rm_LoadSigned(RedisModuleIO *io) {
    uint64_t value = 0;
    TR_NOTE(LoadSigned, io);
    if (io->failed) return 0;
    if (!tr_items_unsigned(&io->in, &value)) load_failed(io);
    return io->failed ? 0 : (int64_t)value;
}

double tr_rm_LoadDouble(RedisModuleIO *io) {
    double value = 0;
    TR_NOTE(LoadDouble, io);
    if (io->failed) return 0;
    if (!tr_items_double(&io->in, &value)) load_failed(io);
    return io->failed ? 0 : value;
}

float tr_rm_LoadFloat(RedisModuleIO *io) {
    float value = 0;
    TR_NOTE(LoadFloat, io);
    if (io->failed) return 0;
    if (!tr_items_float(&io->in, &value)) load_failed(io);
    return io->failed ? 0 : value;
}

/* NULL: failed, and noted. */
static char *load_text(RedisModuleIO *io, size_t *len, void *(*make)(size_t bytes)) {
    if (io->failed) return NULL;
    char *text = tr_items_string(&io->in, len, make);
    if (text == NULL) load_failed(io);
    return text;
}

RedisModuleString *tr_rm_LoadString(RedisModuleIO *io) {
    size_t len;
    TR_NOTE(LoadString, io);
    char *text = load_text(io, &len, tr_need);
    if (text == NULL) return NULL;
    RedisModuleString *s = tr_string_new(text, len);
    free(text);
    return s;
}

char *tr_rm_LoadStringBuffer(RedisModuleIO *io, size_t *lenptr) {
    size_t len = 0;
    TR_NOTE(LoadStringBuffer, io, lenptr);
    char *text = load_text(io, &len, tr_rm_Alloc);
    if (lenptr != NULL) *lenptr = len;
    return text;
}

long double tr_rm_LoadLongDouble(RedisModuleIO *io) {
    size_t len;
    TR_NOTE(LoadLongDouble, io);
    char *text = load_text(io, &len, tr_need);
    if (text == NULL) return 0;
    char *end;
    long double value = strtold(text, &end);
    if (end == text || *end != '\0') value = 0;
    free(text);
    return value;
}

/* ------------------------------------------------------------------ around them */

int tr_rm_IsIOError(RedisModuleIO *io) {
    TR_NOTE(IsIOError, io);
    return io->failed;
}

RedisModuleCtx *tr_rm_GetContextFromIO(RedisModuleIO *io) {
    TR_NOTE(GetContextFromIO, io);
    if (io->ctx == NULL) {
        io->ctx = tr_need(sizeof(*io->ctx));
        tr_ctx_init(io->ctx, TR_CTX_NO_CLIENT);
    }
    return io->ctx;
}

const RedisModuleString *tr_rm_GetKeyNameFromIO(RedisModuleIO *io) {
    TR_NOTE(GetKeyNameFromIO, io);
    return io->key;
}

int tr_rm_GetDbIdFromIO(RedisModuleIO *io) {
    TR_NOTE(GetDbIdFromIO, io);
    return io->db;
}

static int level_of(const char *word) {
    static const char *const words[] = {"debug", "verbose", "notice", "warning"};
    for (int i = 0; i < 4; i++) {
        if (strcasecmp(word, words[i]) == 0) return i;
    }
    return 1;
}

void tr_rm_LogIOError(RedisModuleIO *io, const char *levelstr, const char *fmt, ...) {
    char line[LOG_LINE_MAX];
    va_list ap;
    TR_NOTE(LogIOError, io, levelstr, fmt);
    va_start(ap, fmt);
    int len = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (len < 0) return;
    tr_host_log(level_of(levelstr), 2, line, len < LOG_LINE_MAX ? (size_t)len : LOG_LINE_MAX - 1);
}

void tr_io_release(RedisModuleIO *io) {
    if (io->ctx != NULL) {
        tr_ctx_release(io->ctx);
        free(io->ctx);
    }
    for (uint32_t i = 0; i < io->arg_count; i++) tr_string_free(io->args[i]);
    free(io->args);
    tr_numbers_drop(&io->counts);
    tr_bytes_drop(&io->out);
}

/* ------------------------------------------------------------------ commands that make a value anew */

static void add_command(RedisModuleIO *io, const tr_call_args *args) {
    if (io->arg_cap - io->arg_count < (uint32_t)args->argc) {
        io->arg_cap = (io->arg_count + (uint32_t)args->argc) * 2;
        io->args = tr_need_more(io->args, io->arg_cap * sizeof(*io->args));
    }
    for (int i = 0; i < args->argc; i++) io->args[io->arg_count++] = tr_string_hold(args->argv[i]);
    tr_numbers_add(&io->counts, (uint64_t)args->argc);
}

static void emit_failed(RedisModuleIO *io) {
    io->failed = true;
    errno = EINVAL;
}

void tr_rm_EmitAOF(RedisModuleIO *io, const char *cmdname, const char *fmt, ...) {
    TR_NOTE(EmitAOF, io, cmdname, fmt);
    if (io->failed) return;
    if (!tr_host_has_command(cmdname, strlen(cmdname))) {
        emit_failed(io);
        return;
    }
    tr_call_args args;
    va_list values;
    va_start(values, fmt);
    int good = tr_call_args_read(&args, cmdname, fmt, &values);
    va_end(values);
    if (!good) emit_failed(io);
    else if (io->rewrites) add_command(io, &args);
    tr_call_args_drop(&args);
}
