/* Values of the module's data types under keys. */
#include "sandbox/host/host.h"
#include "sandbox/host/key.h"
#include "sandbox/host/link.h"
#include "sandbox/host/type.h"

/* What is known of the value under the key; NULL: it isn't one of ours. */
static const tr_token *token_of(RedisModuleKey *key) {
    if (key == NULL) return NULL;
    tr_key_refresh(key);
    return key->kind != REDISMODULE_KEYTYPE_MODULE ? NULL : tr_tokens_find(tr_host_tokens(), key->token);
}

RedisModuleType *tr_rm_ModuleTypeGetType(RedisModuleKey *key) {
    TR_NOTE(ModuleTypeGetType, key);
    const tr_token *token = token_of(key);
    return token == NULL ? NULL : token->type;
}

void *tr_rm_ModuleTypeGetValue(RedisModuleKey *key) {
    TR_NOTE(ModuleTypeGetValue, key);
    const tr_token *token = token_of(key);
    if (token == NULL) return NULL;
    void *value = token->value;
    tr_tokens_seen(tr_host_tokens(), key->token, (int)key->db, key->name);
    return value;
}

static void put_value(const char *function, RedisModuleKey *key, RedisModuleType *type, void *value, bool keep_old) {
    tr_tokens *tokens = tr_host_tokens();
    tr_msg_set_value tell = {.key = tr_key_handle(key), .type = type->handle, .keep_old = keep_old};
    tell.token = tr_tokens_add(tokens, type, value);
    tr_tokens_seen(tokens, tell.token, (int)key->db, key->name);
    tr_link_tell(function, TR_MSG_SET_VALUE, &tell);
    int64_t expire_ms = keep_old ? key->expire_ms : -1;
    tr_key_emptied(key);
    key->kind = REDISMODULE_KEYTYPE_MODULE;
    key->type = type->handle;
    key->token = tell.token;
    key->expire_ms = expire_ms;
}

int tr_rm_ModuleTypeSetValue(RedisModuleKey *key, RedisModuleType *mt, void *value) {
    TR_NOTE(ModuleTypeSetValue, key, mt, value);
    if (!(key->mode & REDISMODULE_WRITE) || key->iterator != NULL) return REDISMODULE_ERR;
    put_value("ModuleTypeSetValue", key, mt, value, false);
    return REDISMODULE_OK;
}

int tr_rm_ModuleTypeReplaceValue(RedisModuleKey *key, RedisModuleType *mt, void *new_value, void **old_value) {
    TR_NOTE(ModuleTypeReplaceValue, key, mt, new_value, old_value);
    if (!(key->mode & REDISMODULE_WRITE) || key->iterator != NULL) return REDISMODULE_ERR;
    const tr_token *old = token_of(key);
    if (old == NULL || old->type != mt) return REDISMODULE_ERR;
    uint64_t gone = old->number;
    if (old_value != NULL) *old_value = old->value;
    put_value("ModuleTypeReplaceValue", key, mt, new_value, true);
    tr_tokens_drop(tr_host_tokens(), gone);
    return REDISMODULE_OK;
}
