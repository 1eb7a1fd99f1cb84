#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "sandbox/host/host.h"
#include "sandbox/host/memory.h"

#define PRINTED_BYTES 1024               /* what CreateStringPrintf() tries without a block */
#define STREAM_ID_TEXT 127               /* bytes of the longest text that may be an id */
#define GROW_BYTES_MAX ((size_t)1 << 20) /* strings double until they grow by this */

/* ------------------------------------------------------------------ made */

/* The context frees it, when it frees things. */
static RedisModuleString *lent(RedisModuleCtx *ctx, RedisModuleString *s) {
    tr_ctx_own(ctx, TR_AUTO_STRING, s);
    return s;
}

RedisModuleString *tr_rm_CreateString(RedisModuleCtx *ctx, const char *ptr, size_t len) {
    TR_NOTE(CreateString, ctx, ptr, len);
    return lent(ctx, tr_string_new(ptr, len));
}

RedisModuleString *tr_rm_CreateStringFromLongLong(RedisModuleCtx *ctx, long long ll) {
    TR_NOTE(CreateStringFromLongLong, ctx, ll);
    char text[TR_INT_TEXT];
    return lent(ctx, tr_string_new(text, tr_num_format_int(text, ll)));
}

RedisModuleString *tr_rm_CreateStringFromULongLong(RedisModuleCtx *ctx, unsigned long long ull) {
    TR_NOTE(CreateStringFromULongLong, ctx, ull);
    char text[TR_INT_TEXT];
    return lent(ctx, tr_string_new(text, tr_num_format_uint(text, ull)));
}

RedisModuleString *tr_rm_CreateStringFromDouble(RedisModuleCtx *ctx, double d) {
    TR_NOTE(CreateStringFromDouble, ctx);
    char text[TR_DOUBLE_TEXT];
    return lent(ctx, tr_string_new(text, tr_num_format_double(text, d)));
}

RedisModuleString *tr_rm_CreateStringFromLongDouble(RedisModuleCtx *ctx, long double ld,
                                                    int humanfriendly) {
    TR_NOTE(CreateStringFromLongDouble, ctx, humanfriendly);
    char text[TR_LDOUBLE_TEXT];
    size_t len;
    if (isinf(ld)) {
        len = (size_t)snprintf(text, sizeof(text), ld > 0 ? "inf" : "-inf");
    } else if (isnan(ld)) {
        len = (size_t)snprintf(text, sizeof(text), "nan");
    } else if (humanfriendly) {
        len = tr_num_format_ldouble(text, sizeof(text), ld);
    } else {
        len = (size_t)snprintf(text, sizeof(text), "%.17Lg", ld);
    }
    return lent(ctx, tr_string_new(text, len));
}

RedisModuleString *tr_rm_CreateStringFromString(RedisModuleCtx *ctx, const RedisModuleString *str) {
    TR_NOTE(CreateStringFromString, ctx, str);
    return lent(ctx, tr_string_new(str->p, str->len));
}

RedisModuleString *tr_rm_CreateStringFromStreamID(RedisModuleCtx *ctx,
                                                  const RedisModuleStreamID *id) {
    TR_NOTE(CreateStringFromStreamID, ctx, id);
    char text[2 * TR_INT_TEXT];
    size_t len = tr_num_format_uint(text, id->ms);
    text[len++] = '-';
    len += tr_num_format_uint(text + len, id->seq);
    return lent(ctx, tr_string_new(text, len));
}

RedisModuleString *tr_rm_CreateStringPrintf(RedisModuleCtx *ctx, const char *fmt, ...) {
    TR_NOTE(CreateStringPrintf, ctx, fmt);
    char text[PRINTED_BYTES];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (len < 0) tr_host_die(TR_DIE_HOST, "RedisModule_CreateStringPrintf: the format can't be written");
    RedisModuleString *s = tr_string_new((size_t)len < sizeof(text) ? text : NULL, (size_t)len);
    if ((size_t)len >= sizeof(text)) vsnprintf(s->p, s->len + 1, fmt, again);
    va_end(again);
    return lent(ctx, s);
}

/* ------------------------------------------------------------------ held */

void tr_rm_FreeString(RedisModuleCtx *ctx, RedisModuleString *str) {
    TR_NOTE(FreeString, ctx, str);
    if (ctx != NULL) tr_ctx_disown(ctx, TR_AUTO_STRING, str);
    tr_string_free(str);
}

void tr_rm_RetainString(RedisModuleCtx *ctx, RedisModuleString *str) {
    TR_NOTE(RetainString, ctx, str);
    /* What the context would have dropped at its end goes over to the module. */
    if (ctx == NULL || !tr_ctx_disown(ctx, TR_AUTO_STRING, str)) tr_string_hold(str);
}

RedisModuleString *tr_rm_HoldString(RedisModuleCtx *ctx, RedisModuleString *str) {
    TR_NOTE(HoldString, ctx, str);
    return lent(ctx, tr_string_hold(str));
}

const char *tr_rm_StringPtrLen(const RedisModuleString *str, size_t *len) {
    TR_NOTE(StringPtrLen, str, len);
    static const char none[] = "(NULL string reply referenced in module)";
    if (len != NULL) *len = str == NULL ? sizeof(none) - 1 : str->len;
    return str == NULL ? none : str->p;
}

int tr_rm_StringCompare(const RedisModuleString *a, const RedisModuleString *b) {
    TR_NOTE(StringCompare, a, b);
    size_t common = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->p, b->p, common);
    if (order == 0) order = (a->len > b->len) - (a->len < b->len);
    return (order > 0) - (order < 0);
}

/* ------------------------------------------------------------------ changed */

/* The first room lies behind the struct, where it can't grow: then the bytes move to a block apart. */
static void make_room(RedisModuleString *s, size_t more) {
    if (s->cap - s->len >= more) return;
    if (more > SIZE_MAX / 2 - s->len) tr_host_die(TR_DIE_MEMORY, "out of memory: %zu bytes more", more);
    size_t len = s->len + more;
    size_t cap = len + (len < GROW_BYTES_MAX ? len : GROW_BYTES_MAX);
    bool apart = s->p != s->small;
    char *p = tr_memory_realloc(apart ? s->p : NULL, cap + 1);
    if (!apart) memcpy(p, s->p, s->len + 1);
    s->p = p;
    s->cap = cap;
}

int tr_rm_StringAppendBuffer(RedisModuleCtx *ctx, RedisModuleString *str, const char *buf, size_t len) {
    TR_NOTE(StringAppendBuffer, ctx, str, buf, len);
    if (atomic_load_explicit(&str->refs, memory_order_acquire) != 1) {
        static const char text[] = "RedisModule_StringAppendBuffer: the string is held more than once, "
                                   "so it can't be changed";
        tr_host_log(3, 1, text, sizeof(text) - 1);
        return REDISMODULE_ERR;
    }
    make_room(str, len);
    if (len != 0) memcpy(str->p + str->len, buf, len);
    str->len += len;
    str->p[str->len] = '\0';
    return REDISMODULE_OK;
}

void tr_rm_TrimStringAllocation(RedisModuleString *str) {
    TR_NOTE(TrimStringAllocation, str);
    if (str == NULL || str->p == str->small || str->cap == str->len) return;
    str->p = tr_memory_realloc(str->p, str->len + 1);
    str->cap = str->len;
}

/* ------------------------------------------------------------------ read as numbers */

int tr_rm_StringToLongLong(const RedisModuleString *str, long long *ll) {
    TR_NOTE(StringToLongLong, str, ll);
    int64_t value;
    if (!tr_num_parse_int(str->p, str->len, &value)) return REDISMODULE_ERR;
    *ll = value;
    return REDISMODULE_OK;
}

/* As lax as Redis is here: text up to the first NUL, what strtoull() takes of signs, spaces and leading
 * zeros; only plain negative numbers are refused. */
static bool read_unsigned(const char *text, unsigned long long *out) {
    int64_t plain;
    if (tr_num_parse_int(text, strlen(text), &plain)) {
        if (plain < 0) return false;
        *out = (unsigned long long)plain;
        return true;
    }
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0') return false;
    *out = value;
    return true;
}

int tr_rm_StringToULongLong(const RedisModuleString *str, unsigned long long *ull) {
    TR_NOTE(StringToULongLong, str, ull);
    return read_unsigned(str->p, ull) ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_StringToDouble(const RedisModuleString *str, double *d) {
    TR_NOTE(StringToDouble, str, d);
    return tr_num_parse_double(str->p, str->len, d) ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_StringToLongDouble(const RedisModuleString *str, long double *d) {
    TR_NOTE(StringToLongDouble, str, d);
    return tr_num_parse_ldouble(str->p, str->len, d) ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_StringToStreamID(const RedisModuleString *str, RedisModuleStreamID *id) {
    TR_NOTE(StringToStreamID, str, id);
    if (str->len > STREAM_ID_TEXT) return REDISMODULE_ERR;
    char text[STREAM_ID_TEXT + 1];
    memcpy(text, str->p, str->len + 1);
    if (strcmp(text, "-") == 0 || strcmp(text, "+") == 0) {
        id->ms = id->seq = text[0] == '-' ? 0 : UINT64_MAX;
        return REDISMODULE_OK;
    }
    unsigned long long ms, seq = 0;
    char *dash = strchr(text, '-');
    if (dash != NULL) *dash = '\0';
    if (!read_unsigned(text, &ms)) return REDISMODULE_ERR;
    if (dash != NULL && !read_unsigned(dash + 1, &seq)) return REDISMODULE_ERR;
    id->ms = ms;
    id->seq = seq;
    return REDISMODULE_OK;
}
