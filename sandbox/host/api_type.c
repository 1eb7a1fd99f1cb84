/* Data types: making one, values as strings, and the contexts of the callbacks. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/host.h"
#include "sandbox/host/link.h"
#include "sandbox/host/type.h"

#define LOG_WARNING 3 /* as in the message log */
#define LOG_OF_HOST 1

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

tr_tokens *tr_host_tokens(void) {
    if (tr_host_here.tokens == NULL) tr_host_here.tokens = tr_need_zeroed(sizeof(tr_tokens));
    return tr_host_here.tokens;
}

RedisModuleType *tr_type_by_handle(uint32_t handle) {
    for (RedisModuleType *t = tr_host_here.types; t != NULL; t = t->next) {
        if (t->handle == handle) return t;
    }
    return NULL;
}

/* ------------------------------------------------------------------ making one */

/* Name and version make one number of 64 bits in saved files, where 0 means nothing. */
static int may_be_type(const char *name, int encver) {
    static const char nothing[] = "AAAAAAAAA";
    if (name == NULL || strlen(name) != TR_TYPE_NAME_LEN || strspn(name, LETTERS) != TR_TYPE_NAME_LEN) return 0;
    if (encver < 0 || encver > TR_TYPE_ENCVER_MAX) return 0;
    return encver != 0 || strcmp(name, nothing) != 0;
}

/* How much of the struct there is in a module that was compiled for this version of it. */
static size_t methods_bytes(uint64_t version) {
    static const size_t bytes[] = {
        0,
        offsetof(RedisModuleTypeMethods, aux_load),
        offsetof(RedisModuleTypeMethods, free_effort),
        offsetof(RedisModuleTypeMethods, mem_usage2),
        offsetof(RedisModuleTypeMethods, aux_save2),
        sizeof(RedisModuleTypeMethods),
    };
    size_t last = sizeof(bytes) / sizeof(bytes[0]) - 1;
    return bytes[version < last ? version : last];
}

/* Bits in the order of the message register_type. */
static uint64_t methods_present(const RedisModuleTypeMethods *m) {
    const bool has[] = {
        m->rdb_load != NULL,
        m->rdb_save != NULL,
        m->aof_rewrite != NULL,
        m->mem_usage != NULL || m->mem_usage2 != NULL,
        m->digest != NULL,
        m->free != NULL,
        m->aux_load != NULL,
        m->aux_save != NULL,
        m->free_effort != NULL || m->free_effort2 != NULL,
        m->unlink != NULL || m->unlink2 != NULL,
        m->copy != NULL || m->copy2 != NULL,
        m->defrag != NULL,
        m->aux_save2 != NULL,
    };
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++) bits |= (uint64_t)has[i] << i;
    return bits;
}

static void warn_uncovered(const RedisModuleType *type) {
    if (type->methods.rdb_save != NULL && type->methods.rdb_load != NULL) return;
    tr_bytes text = {0};
    tr_bytes_format(&text, "values of type %s don't survive a crash: it has no rdb_save or no rdb_load", type->name);
    tr_host_log(LOG_WARNING, LOG_OF_HOST, text.p, text.len);
    tr_bytes_drop(&text);
}

void tr_types_warn(void) {
    for (const RedisModuleType *type = tr_host_here.types; type != NULL; type = type->next) warn_uncovered(type);
}

RedisModuleType *tr_rm_CreateDataType(RedisModuleCtx *ctx, const char *name, int encver,
                                      RedisModuleTypeMethods *typemethods) {
    TR_NOTE(CreateDataType, ctx, name, encver, typemethods);
    tr_host *h = &tr_host_here;
    if (!h->loading || typemethods->version == 0 || !may_be_type(name, encver)) return NULL;
    RedisModuleType *type = tr_need_zeroed(sizeof(*type));
    memcpy(&type->methods, typemethods, methods_bytes(typemethods->version));
    memcpy(type->name, name, TR_TYPE_NAME_LEN);
    type->encver = encver;
    tr_msg_register_type ask = {
        .name = {.at = (const uint8_t *)type->name, .len = TR_TYPE_NAME_LEN},
        .encver = (uint32_t)encver,
        .methods = methods_present(&type->methods),
        .aux_when = (uint32_t)type->methods.aux_save_triggers,
    };
    tr_msg_register_type_answer got;
    tr_answer answer = {0};
    tr_link_ask("CreateDataType", TR_MSG_REGISTER_TYPE, &ask, &got, &answer);
    tr_answer_drop(&answer);
    if (got.outcome != 0) {
        free(type);
        return NULL;
    }
    type->handle = got.type;
    type->next = h->types;
    h->types = type;
    h->type_count++;
    tr_bytes_add(&h->type_names, type->name, sizeof(type->name));
    return type;
}

/* ------------------------------------------------------------------ values as strings */

int tr_type_save(const RedisModuleType *type, void *value, int db, RedisModuleString *key, tr_bytes *out) {
    RedisModuleIO io = {.type = type, .db = db, .key = key};
    if (type->methods.rdb_save == NULL) return 0;
    type->methods.rdb_save(&io, value);
    int ok = !io.failed;
    if (ok) {
        *out = io.out;
        io.out = (tr_bytes){0};
    }
    tr_io_release(&io);
    return ok;
}

RedisModuleString *tr_rm_SaveDataTypeToString(RedisModuleCtx *ctx, void *data, const RedisModuleType *mt) {
    tr_bytes payload = {0};
    TR_NOTE(SaveDataTypeToString, ctx, data, mt);
    if (!tr_type_save(mt, data, -1, NULL, &payload)) return NULL;
    RedisModuleString *s = tr_string_new(payload.p, payload.len);
    tr_bytes_drop(&payload);
    tr_ctx_own(ctx, TR_AUTO_STRING, s);
    return s;
}

static void *load_from(const RedisModuleString *str, const RedisModuleType *mt, int encver) {
    RedisModuleIO io = {.type = mt, .db = -1, .in = {.p = (const uint8_t *)str->p, .len = str->len}};
    if (mt->methods.rdb_load == NULL) return NULL;
    void *value = mt->methods.rdb_load(&io, encver);
    tr_io_release(&io);
    return value;
}

void *tr_rm_LoadDataTypeFromStringEncver(const RedisModuleString *str, const RedisModuleType *mt, int encver) {
    TR_NOTE(LoadDataTypeFromStringEncver, str, mt, encver);
    return load_from(str, mt, encver);
}

void *tr_rm_LoadDataTypeFromString(const RedisModuleString *str, const RedisModuleType *mt) {
    TR_NOTE(LoadDataTypeFromString, str, mt);
    return load_from(str, mt, 0);
}

/* ------------------------------------------------------------------ contexts of callbacks */

const RedisModuleString *tr_rm_GetKeyNameFromOptCtx(RedisModuleKeyOptCtx *ctx) {
    TR_NOTE(GetKeyNameFromOptCtx, ctx);
    return ctx->from_key;
}

const RedisModuleString *tr_rm_GetToKeyNameFromOptCtx(RedisModuleKeyOptCtx *ctx) {
    TR_NOTE(GetToKeyNameFromOptCtx, ctx);
    return ctx->to_key;
}

int tr_rm_GetDbIdFromOptCtx(RedisModuleKeyOptCtx *ctx) {
    TR_NOTE(GetDbIdFromOptCtx, ctx);
    return ctx->from_db;
}

int tr_rm_GetToDbIdFromOptCtx(RedisModuleKeyOptCtx *ctx) {
    TR_NOTE(GetToDbIdFromOptCtx, ctx);
    return ctx->to_db;
}
