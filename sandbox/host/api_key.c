/* Keys: opened, looked at, deleted, expired; and string values. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/baton.h"
#include "sandbox/host/key.h"
#include "sandbox/host/link.h"

#define STRING_BYTES_MAX ((size_t)512 * 1024 * 1024) /* that StringTruncate() makes */

/* ------------------------------------------------------------------ open and close */

RedisModuleKey *tr_rm_OpenKey(RedisModuleCtx *ctx, RedisModuleString *keyname, int mode) {
    TR_NOTE(OpenKey, ctx, keyname, mode);
    RedisModuleKey *key = tr_key_new(ctx, keyname, ctx->db, mode & _REDISMODULE_OPEN_KEY_ALL);
    tr_key_open(key);
    if (key->handle == 0) {
        tr_key_close(key);
        return NULL;
    }
    tr_ctx_own(ctx, TR_AUTO_KEY, key);
    return key;
}

void tr_rm_CloseKey(RedisModuleKey *kp) {
    TR_NOTE(CloseKey, kp);
    if (kp != NULL) tr_key_close(kp);
}

int tr_rm_KeyExists(RedisModuleCtx *ctx, RedisModuleString *keyname) {
    TR_NOTE(KeyExists, ctx, keyname);
    tr_msg_key_exists m = {.db = ctx->db, .name = tr_string_wire(keyname)};
    tr_msg_key_exists_answer out;
    tr_answer answer = {0};
    tr_link_ask("KeyExists", TR_MSG_KEY_EXISTS, &m, &out, &answer);
    tr_answer_drop(&answer);
    return out.exists;
}

/* ------------------------------------------------------------------ what it is */

int tr_rm_KeyType(RedisModuleKey *kp) {
    TR_NOTE(KeyType, kp);
    if (kp == NULL) return REDISMODULE_KEYTYPE_EMPTY;
    tr_key_refresh(kp);
    return kp->kind;
}

size_t tr_rm_ValueLength(RedisModuleKey *kp) {
    TR_NOTE(ValueLength, kp);
    if (kp == NULL) return 0;
    tr_key_refresh(kp);
    return kp->length;
}

const RedisModuleString *tr_rm_GetKeyNameFromModuleKey(RedisModuleKey *key) {
    TR_NOTE(GetKeyNameFromModuleKey, key);
    return key == NULL ? NULL : key->name;
}

int tr_rm_GetDbIdFromModuleKey(RedisModuleKey *key) {
    TR_NOTE(GetDbIdFromModuleKey, key);
    return key == NULL ? -1 : (int)key->db;
}

/* ------------------------------------------------------------------ its end */

static int may_write(const RedisModuleKey *key) {
    return key != NULL && (key->mode & REDISMODULE_WRITE) != 0;
}

static int is_empty(RedisModuleKey *key) {
    tr_key_refresh(key);
    return key->kind == REDISMODULE_KEYTYPE_EMPTY;
}

static int delete_key(const char *function, RedisModuleKey *key, int lazily) {
    if (!may_write(key)) return REDISMODULE_ERR;
    if (is_empty(key)) return REDISMODULE_OK;
    tr_msg_delete_key m = {.key = tr_key_handle(key), .lazily = (uint8_t)lazily};
    tr_link_tell(function, TR_MSG_DELETE_KEY, &m);
    tr_key_drop_dma(key);
    tr_key_emptied(key);
    return REDISMODULE_OK;
}

int tr_rm_DeleteKey(RedisModuleKey *key) {
    TR_NOTE(DeleteKey, key);
    return delete_key("DeleteKey", key, 0);
}

int tr_rm_UnlinkKey(RedisModuleKey *key) {
    TR_NOTE(UnlinkKey, key);
    return delete_key("UnlinkKey", key, 1);
}

static int64_t now_ms(void) {
    return tr_host_here.now_us / 1000;
}

mstime_t tr_rm_GetExpire(RedisModuleKey *key) {
    TR_NOTE(GetExpire, key);
    if (key == NULL || is_empty(key) || key->expire_ms == -1) return REDISMODULE_NO_EXPIRE;
    int64_t left = key->expire_ms - now_ms();
    return left > 0 ? left : 0;
}

mstime_t tr_rm_GetAbsExpire(RedisModuleKey *key) {
    TR_NOTE(GetAbsExpire, key);
    return key == NULL || is_empty(key) ? REDISMODULE_NO_EXPIRE : key->expire_ms;
}

/* when: since 1970, or never. */
static int set_expire(const char *function, RedisModuleKey *key, int64_t when) {
    tr_msg_set_expire m = {.key = tr_key_handle(key), .expire_ms = when};
    tr_link_tell(function, TR_MSG_SET_EXPIRE, &m);
    size_t known = key->have;
    char *value = key->value;
    key->value = NULL; /* the string is what it was */
    tr_key_changed(key);
    key->value = value;
    key->have = known;
    key->expire_ms = when;
    return REDISMODULE_OK;
}

static int may_expire(RedisModuleKey *key, mstime_t expire) {
    return may_write(key) && !is_empty(key) && (expire >= 0 || expire == REDISMODULE_NO_EXPIRE);
}

int tr_rm_SetExpire(RedisModuleKey *key, mstime_t expire) {
    TR_NOTE(SetExpire, key, expire);
    if (!may_expire(key, expire)) return REDISMODULE_ERR;
    int64_t when = REDISMODULE_NO_EXPIRE;
    if (expire != REDISMODULE_NO_EXPIRE && __builtin_add_overflow(expire, now_ms(), &when)) return REDISMODULE_ERR;
    return set_expire("SetExpire", key, when);
}

int tr_rm_SetAbsExpire(RedisModuleKey *key, mstime_t expire) {
    TR_NOTE(SetAbsExpire, key, expire);
    if (!may_expire(key, expire)) return REDISMODULE_ERR;
    return set_expire("SetAbsExpire", key, expire);
}

/* ------------------------------------------------------------------ its use */

/* *value stays as it is where the policy keeps no such figure. */
static int get_age(const char *function, RedisModuleKey *key, int frequency, long long *value) {
    *value = -1;
    if (key == NULL || is_empty(key)) return REDISMODULE_ERR;
    tr_msg_get_age m = {.key = tr_key_handle(key), .frequency = (uint8_t)frequency};
    tr_msg_get_age_answer out;
    tr_answer answer = {0};
    tr_link_ask(function, TR_MSG_GET_AGE, &m, &out, &answer);
    tr_answer_drop(&answer);
    if (out.outcome == 0) *value = out.value;
    return REDISMODULE_OK;
}

static int set_age(const char *function, RedisModuleKey *key, int frequency, long long value) {
    if (key == NULL || is_empty(key)) return REDISMODULE_ERR;
    tr_msg_set_age m = {.key = tr_key_handle(key), .frequency = (uint8_t)frequency, .value = value};
    tr_msg_set_age_answer out;
    tr_answer answer = {0};
    tr_link_ask(function, TR_MSG_SET_AGE, &m, &out, &answer);
    tr_answer_drop(&answer);
    return out.outcome == 0 ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_GetLRU(RedisModuleKey *key, mstime_t *lru_idle) {
    TR_NOTE(GetLRU, key, lru_idle);
    long long value;
    int rc = get_age("GetLRU", key, 0, &value);
    *lru_idle = value;
    return rc;
}

int tr_rm_SetLRU(RedisModuleKey *key, mstime_t lru_idle) {
    TR_NOTE(SetLRU, key, lru_idle);
    return set_age("SetLRU", key, 0, lru_idle);
}

int tr_rm_GetLFU(RedisModuleKey *key, long long *lfu_freq) {
    TR_NOTE(GetLFU, key, lfu_freq);
    return get_age("GetLFU", key, 1, lfu_freq);
}

int tr_rm_SetLFU(RedisModuleKey *key, long long lfu_freq) {
    TR_NOTE(SetLFU, key, lfu_freq);
    return set_age("SetLFU", key, 1, lfu_freq);
}

/* ------------------------------------------------------------------ databases */

int tr_rm_GetSelectedDb(RedisModuleCtx *ctx) {
    TR_NOTE(GetSelectedDb, ctx);
    return (int)ctx->db;
}

int tr_rm_SelectDb(RedisModuleCtx *ctx, int newid) {
    TR_NOTE(SelectDb, ctx, newid);
    if (newid < 0) return REDISMODULE_ERR;
    if (!tr_baton_mine()) { /* nobody can be asked; a database that is not there is found when it is used */
        ctx->db = (uint32_t)newid;
        return REDISMODULE_OK;
    }
    tr_msg_select_db m = {.db = (uint32_t)newid};
    tr_msg_select_db_answer out;
    tr_answer answer = {0};
    tr_link_ask("SelectDb", TR_MSG_SELECT_DB, &m, &out, &answer);
    tr_answer_drop(&answer);
    if (out.outcome != 0) return REDISMODULE_ERR;
    ctx->db = (uint32_t)newid;
    return REDISMODULE_OK;
}

unsigned long long tr_rm_DbSize(RedisModuleCtx *ctx) {
    TR_NOTE(DbSize, ctx);
    tr_msg_db_size m = {.db = ctx->db};
    tr_msg_db_size_answer out;
    tr_answer answer = {0};
    tr_link_ask("DbSize", TR_MSG_DB_SIZE, &m, &out, &answer);
    tr_answer_drop(&answer);
    return out.keys;
}

RedisModuleString *tr_rm_RandomKey(RedisModuleCtx *ctx) {
    TR_NOTE(RandomKey, ctx);
    tr_msg_random_key m = {.db = ctx->db};
    tr_msg_random_key_answer out;
    tr_answer answer = {0};
    RedisModuleString *name = NULL;
    tr_link_ask("RandomKey", TR_MSG_RANDOM_KEY, &m, &out, &answer);
    if (out.found) {
        name = tr_string_new(out.name.at, out.name.len);
        tr_ctx_own(ctx, TR_AUTO_STRING, name);
    }
    tr_answer_drop(&answer);
    return name;
}

int tr_rm_SignalModifiedKey(RedisModuleCtx *ctx, RedisModuleString *keyname) {
    TR_NOTE(SignalModifiedKey, ctx, keyname);
    tr_msg_signal_modified m = {.db = ctx->db, .name = tr_string_wire(keyname)};
    tr_link_tell("SignalModifiedKey", TR_MSG_SIGNAL_MODIFIED, &m);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ strings */

int tr_rm_StringSet(RedisModuleKey *key, RedisModuleString *str) {
    TR_NOTE(StringSet, key, str);
    if (!may_write(key) || key->iterator != NULL) return REDISMODULE_ERR;
    tr_msg_string_set m = {.key = tr_key_handle(key), .value = tr_string_wire(str)};
    tr_key_drop_dma(key);
    tr_link_tell("StringSet", TR_MSG_STRING_SET, &m);
    tr_key_emptied(key);
    key->kind = REDISMODULE_KEYTYPE_STRING;
    key->length = str->len;
    return REDISMODULE_OK;
}

char *tr_rm_StringDMA(RedisModuleKey *key, size_t *len, int mode) {
    TR_NOTE(StringDMA, key, len, mode);
    if (key == NULL || is_empty(key)) {
        *len = 0;
        return (char *)(uintptr_t)""; /* there is nothing to write to */
    }
    if (key->kind != REDISMODULE_KEYTYPE_STRING) return NULL;
    return tr_key_dma(key, (mode & REDISMODULE_WRITE) != 0 && may_write(key), len);
}

int tr_rm_StringTruncate(RedisModuleKey *key, size_t newlen) {
    TR_NOTE(StringTruncate, key, newlen);
    if (!may_write(key) || newlen > STRING_BYTES_MAX) return REDISMODULE_ERR;
    int empty = is_empty(key);
    if (empty && newlen == 0) return REDISMODULE_OK;
    if (!empty && key->kind != REDISMODULE_KEYTYPE_STRING) return REDISMODULE_ERR;
    tr_msg_string_truncate m = {.key = tr_key_handle(key), .length = newlen};
    tr_link_tell("StringTruncate", TR_MSG_STRING_TRUNCATE, &m);
    tr_key_drop_dma(key);
    tr_key_changed(key);
    key->kind = REDISMODULE_KEYTYPE_STRING;
    key->length = newlen;
    return REDISMODULE_OK;
}
