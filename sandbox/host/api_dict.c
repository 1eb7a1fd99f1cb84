#include <string.h>

#include "base/mem.h"
#include "sandbox/host/dict.h"
#include "sandbox/host/keytree.h"
#include "sandbox/host/memory.h"

struct RedisModuleDict {
    tr_keytree tree;
};

typedef enum iterator_state {
    AT_END,  /* nothing more, in both directions, until the next seek */
    SEEKED,  /* on an element that the next step returns, whichever way it goes */
    STEPPED, /* on the element that was returned last */
} iterator_state;

/* The key is a copy: it outlives its element, and finds the place again in a dict that was changed. */
struct RedisModuleDictIter {
    RedisModuleDict *dict; /* borrowed */
    iterator_state state;
    uint64_t changes;      /* of the tree when leaf was found */
    tr_keytree_leaf *leaf; /* valid while the tree has not changed */
    unsigned char *key;
    size_t len, cap;
};

/* ------------------------------------------------------------------ the dict */

RedisModuleDict *tr_rm_CreateDict(RedisModuleCtx *ctx) {
    TR_NOTE(CreateDict, ctx);
    RedisModuleDict *d = tr_memory_zeroed(1, sizeof(*d));
    tr_ctx_own(ctx, TR_AUTO_DICT, d);
    return d;
}

void tr_dict_free(RedisModuleDict *d) {
    tr_keytree_drop(&d->tree);
    tr_memory_free(d);
}

void tr_rm_FreeDict(RedisModuleCtx *ctx, RedisModuleDict *d) {
    TR_NOTE(FreeDict, ctx, d);
    if (ctx != NULL) tr_ctx_disown(ctx, TR_AUTO_DICT, d);
    tr_dict_free(d);
}

uint64_t tr_rm_DictSize(RedisModuleDict *d) {
    TR_NOTE(DictSize, d);
    return d->tree.count;
}

size_t tr_rm_MallocSizeDict(RedisModuleDict *dict) {
    TR_NOTE(MallocSizeDict, dict);
    return tr_mem_usable(dict) + dict->tree.bytes;
}

static int set(RedisModuleDict *d, const void *key, size_t len, void *value, bool replaces) {
    bool is_new;
    tr_keytree_leaf *leaf = tr_keytree_add(&d->tree, key, len, &is_new);
    if (is_new || replaces) leaf->value = value;
    return is_new ? REDISMODULE_OK : REDISMODULE_ERR;
}

static void *get(RedisModuleDict *d, const void *key, size_t len, int *nokey) {
    const tr_keytree_leaf *leaf = tr_keytree_find(&d->tree, key, len);
    if (nokey != NULL) *nokey = leaf == NULL;
    return leaf == NULL ? NULL : leaf->value;
}

static int del(RedisModuleDict *d, const void *key, size_t len, void **oldval) {
    tr_keytree_leaf *leaf = tr_keytree_find(&d->tree, key, len);
    if (leaf == NULL) return REDISMODULE_ERR;
    if (oldval != NULL) *oldval = leaf->value;
    tr_keytree_remove(&d->tree, leaf);
    return REDISMODULE_OK;
}

int tr_rm_DictSetC(RedisModuleDict *d, void *key, size_t keylen, void *ptr) {
    TR_NOTE(DictSetC, d, key, keylen, ptr);
    return set(d, key, keylen, ptr, false);
}

int tr_rm_DictSet(RedisModuleDict *d, RedisModuleString *key, void *ptr) {
    TR_NOTE(DictSet, d, key, ptr);
    return set(d, key->p, key->len, ptr, false);
}

int tr_rm_DictReplaceC(RedisModuleDict *d, void *key, size_t keylen, void *ptr) {
    TR_NOTE(DictReplaceC, d, key, keylen, ptr);
    return set(d, key, keylen, ptr, true);
}

int tr_rm_DictReplace(RedisModuleDict *d, RedisModuleString *key, void *ptr) {
    TR_NOTE(DictReplace, d, key, ptr);
    return set(d, key->p, key->len, ptr, true);
}

void *tr_rm_DictGetC(RedisModuleDict *d, void *key, size_t keylen, int *nokey) {
    TR_NOTE(DictGetC, d, key, keylen, nokey);
    return get(d, key, keylen, nokey);
}

void *tr_rm_DictGet(RedisModuleDict *d, RedisModuleString *key, int *nokey) {
    TR_NOTE(DictGet, d, key, nokey);
    return get(d, key->p, key->len, nokey);
}

int tr_rm_DictDelC(RedisModuleDict *d, void *key, size_t keylen, void *oldval) {
    TR_NOTE(DictDelC, d, key, keylen, oldval);
    return del(d, key, keylen, oldval);
}

int tr_rm_DictDel(RedisModuleDict *d, RedisModuleString *key, void *oldval) {
    TR_NOTE(DictDel, d, key, oldval);
    return del(d, key->p, key->len, oldval);
}

/* ------------------------------------------------------------------ iterators */

/* The leaf's key becomes the iterator's; a leaf of NULL is the end. */
static void go_to(RedisModuleDictIter *di, tr_keytree_leaf *leaf, iterator_state state) {
    di->leaf = leaf;
    di->changes = di->dict->tree.changes;
    di->state = leaf == NULL ? AT_END : state;
    if (leaf == NULL) return;
    if (leaf->len > di->cap || di->key == NULL) {
        tr_memory_free(di->key);
        di->cap = leaf->len * 2;
        di->key = tr_memory_alloc(di->cap);
    }
    memcpy(di->key, leaf->key, leaf->len);
    di->len = leaf->len;
}

/* 1: the operator is one, whether or not there is such an element. The key may be the iterator's own. */
static int seek(RedisModuleDictIter *di, const char *op, const void *key, size_t len) {
    const tr_keytree *tree = &di->dict->tree;
    bool or_equal = op[0] != '\0' && op[1] == '=';
    tr_keytree_leaf *leaf = NULL;
    int known = 1;
    switch (op[0]) {
    case '>': leaf = tr_keytree_after(tree, key, len, or_equal); break;
    case '<': leaf = tr_keytree_before(tree, key, len, or_equal); break;
    case '=': leaf = tr_keytree_find(tree, key, len); break;
    case '^': leaf = tr_keytree_first(tree); break;
    case '$': leaf = tr_keytree_last(tree); break;
    default: known = 0;
    }
    go_to(di, leaf, SEEKED);
    return known;
}

static RedisModuleDictIter *start(RedisModuleDict *d, const char *op, const void *key, size_t len) {
    RedisModuleDictIter *di = tr_memory_zeroed(1, sizeof(*di));
    di->dict = d;
    seek(di, op, key, len);
    return di;
}

RedisModuleDictIter *tr_rm_DictIteratorStartC(RedisModuleDict *d, const char *op, void *key,
                                              size_t keylen) {
    TR_NOTE(DictIteratorStartC, d, op, key, keylen);
    return start(d, op, key, keylen);
}

RedisModuleDictIter *tr_rm_DictIteratorStart(RedisModuleDict *d, const char *op,
                                             RedisModuleString *key) {
    TR_NOTE(DictIteratorStart, d, op, key);
    return start(d, op, key->p, key->len);
}

/* The dict may be gone already. */
void tr_rm_DictIteratorStop(RedisModuleDictIter *di) {
    TR_NOTE(DictIteratorStop, di);
    tr_memory_free(di->key);
    tr_memory_free(di);
}

/* 1 and 0, not OK and ERR: so Redis answers, and modules are written to that. */
int tr_rm_DictIteratorReseekC(RedisModuleDictIter *di, const char *op, void *key, size_t keylen) {
    TR_NOTE(DictIteratorReseekC, di, op, key, keylen);
    return seek(di, op, key, keylen);
}

int tr_rm_DictIteratorReseek(RedisModuleDictIter *di, const char *op, RedisModuleString *key) {
    TR_NOTE(DictIteratorReseek, di, op, key);
    return seek(di, op, key->p, key->len);
}

/* The element to return now: forward the next one, else the one before. */
static const tr_keytree_leaf *step(RedisModuleDictIter *di, bool forward) {
    if (di->state == AT_END) return NULL;
    const tr_keytree *tree = &di->dict->tree;
    bool stays = di->state == SEEKED;
    tr_keytree_leaf *leaf = di->leaf;
    if (di->changes != tree->changes) {
        leaf = forward ? tr_keytree_after(tree, di->key, di->len, stays)
                       : tr_keytree_before(tree, di->key, di->len, stays);
    } else if (!stays) {
        leaf = forward ? tr_keytree_next(leaf) : tr_keytree_prev(leaf);
    }
    go_to(di, leaf, STEPPED);
    return leaf;
}

static void *step_bytes(RedisModuleDictIter *di, bool forward, size_t *keylen, void **dataptr) {
    const tr_keytree_leaf *leaf = step(di, forward);
    if (leaf == NULL) return NULL;
    if (keylen != NULL) *keylen = di->len;
    if (dataptr != NULL) *dataptr = leaf->value;
    return di->key;
}

static RedisModuleString *step_string(RedisModuleCtx *ctx, RedisModuleDictIter *di, bool forward,
                                      void **dataptr) {
    const tr_keytree_leaf *leaf = step(di, forward);
    if (leaf == NULL) return NULL;
    if (dataptr != NULL) *dataptr = leaf->value;
    RedisModuleString *key = tr_string_new(di->key, di->len);
    tr_ctx_own(ctx, TR_AUTO_STRING, key);
    return key;
}

void *tr_rm_DictNextC(RedisModuleDictIter *di, size_t *keylen, void **dataptr) {
    TR_NOTE(DictNextC, di, keylen, dataptr);
    return step_bytes(di, true, keylen, dataptr);
}

void *tr_rm_DictPrevC(RedisModuleDictIter *di, size_t *keylen, void **dataptr) {
    TR_NOTE(DictPrevC, di, keylen, dataptr);
    return step_bytes(di, false, keylen, dataptr);
}

RedisModuleString *tr_rm_DictNext(RedisModuleCtx *ctx, RedisModuleDictIter *di, void **dataptr) {
    TR_NOTE(DictNext, ctx, di, dataptr);
    return step_string(ctx, di, true, dataptr);
}

RedisModuleString *tr_rm_DictPrev(RedisModuleCtx *ctx, RedisModuleDictIter *di, void **dataptr) {
    TR_NOTE(DictPrev, ctx, di, dataptr);
    return step_string(ctx, di, false, dataptr);
}

/* Whether "element op key" holds for the element that the iterator is on; at the end nothing does. */
static int compare(const RedisModuleDictIter *di, const char *op, const void *key, size_t len) {
    if (di->state == AT_END || op[0] == '\0') return REDISMODULE_ERR;
    bool or_equal = op[1] == '=';
    size_t common = di->len < len ? di->len : len;
    int order = common == 0 ? 0 : memcmp(di->key, key, common);
    if (order == 0) order = (di->len > len) - (di->len < len);
    if (order == 0) return or_equal ? REDISMODULE_OK : REDISMODULE_ERR;
    return op[0] == (order > 0 ? '>' : '<') ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_DictCompareC(RedisModuleDictIter *di, const char *op, void *key, size_t keylen) {
    TR_NOTE(DictCompareC, di, op, key, keylen);
    return compare(di, op, key, keylen);
}

int tr_rm_DictCompare(RedisModuleDictIter *di, const char *op, RedisModuleString *key) {
    TR_NOTE(DictCompare, di, op, key);
    return compare(di, op, key->p, key->len);
}
