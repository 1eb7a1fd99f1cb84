/* Aim: dicts are maps in order, whatever is done to them, and iterators find their way while they change. Method:
 * random calls against a sorted array of keys, a check of the tree's structure on the way; then the corners by
 * hand. DICT_SEED and DICT_STEPS choose another run. */
#include "host_kit.h"
#include "sandbox/host/keytree.h"

#define KEYS_MAX 400
#define KEY_BYTES 8
#define ITERATORS 4

struct RedisModuleDict {
    tr_keytree tree; /* as api_dict.c has it: for tr_keytree_check() */
};

/* ------------------------------------------------------------------ the model */

typedef struct key {
    size_t len;
    unsigned char p[KEY_BYTES];
} key;

typedef struct model {
    int count;
    key keys[KEYS_MAX];
    void *values[KEYS_MAX];
} model;

typedef struct model_iterator {
    enum { END, SEEKED, STEPPED } state;
    key at;
} model_iterator;

static int order(const key *a, const key *b) {
    int by_bytes = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);
    return by_bytes != 0 ? by_bytes : (a->len > b->len) - (a->len < b->len);
}

/* Index of the first key that is not below this one. */
static int model_at(const model *m, const key *k) {
    int i = 0;
    while (i < m->count && order(&m->keys[i], k) < 0) i++;
    return i;
}

static bool model_has(const model *m, const key *k) {
    int i = model_at(m, k);
    return i < m->count && order(&m->keys[i], k) == 0;
}

static void model_set(model *m, const key *k, void *value) {
    int i = model_at(m, k);
    if (!model_has(m, k)) {
        memmove(&m->keys[i + 1], &m->keys[i], (size_t)(m->count - i) * sizeof(key));
        memmove(&m->values[i + 1], &m->values[i], (size_t)(m->count - i) * sizeof(void *));
        m->count++;
    }
    m->keys[i] = *k;
    m->values[i] = value;
}

static void model_del(model *m, const key *k) {
    int i = model_at(m, k);
    m->count--;
    memmove(&m->keys[i], &m->keys[i + 1], (size_t)(m->count - i) * sizeof(key));
    memmove(&m->values[i], &m->values[i + 1], (size_t)(m->count - i) * sizeof(void *));
}

/* Index of the element that the operator means; outside of the array: none. */
static int model_seek(const model *m, const char *op, const key *k) {
    int i = model_at(m, k);
    bool there = model_has(m, k);
    if (strcmp(op, "^") == 0) return 0;
    if (strcmp(op, "$") == 0) return m->count - 1;
    if (strcmp(op, "==") == 0) return there ? i : -1;
    if (strcmp(op, ">=") == 0) return i;
    if (strcmp(op, ">") == 0) return there ? i + 1 : i;
    if (strcmp(op, "<=") == 0) return there ? i : i - 1;
    return i - 1;
}

static int model_step(const model *m, model_iterator *it, bool forward) {
    if (it->state == END) return -1;
    bool stays = it->state == SEEKED;
    return model_seek(m, forward ? (stays ? ">=" : ">") : (stays ? "<=" : "<"), &it->at);
}

static void model_go(const model *m, model_iterator *it, int i, int state) {
    it->state = i < 0 || i >= m->count ? END : state;
    if (it->state != END) it->at = m->keys[i];
}

/* ------------------------------------------------------------------ random calls */

static uint64_t random_state;

static unsigned roll(unsigned sides) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % sides;
}

/* Few different bytes, so that keys share beginnings and are each other's beginnings. */
static key some_key(void) {
    static const unsigned char bytes[] = {0x00, 0x01, 'a', 'b', 0x7f, 0x80, 0xff};
    key k = {.len = roll(4) == 0 ? roll(KEY_BYTES + 1) : roll(4)};
    for (size_t i = 0; i < k.len; i++) k.p[i] = bytes[roll(sizeof(bytes))];
    if (k.len == 1) k.p[0] = (unsigned char)roll(256); /* and forks as wide as can be */
    return k;
}

static const char *some_operator(void) {
    static const char *const all[] = {">=", ">", "<=", "<", "==", "^", "$"};
    return all[roll(sizeof(all) / sizeof(*all))];
}

typedef struct world {
    model m;
    RedisModuleDict *d;
    model_iterator expected[ITERATORS];
    RedisModuleDictIter *iterators[ITERATORS];
} world;

static void change(world *w) {
    key k = some_key();
    void *value = (void *)(uintptr_t)roll(1000), *old = NULL;
    bool there = model_has(&w->m, &k);
    unsigned what = roll(3);
    if (what == 0 && (there || w->m.count < KEYS_MAX)) {
        CHECK_EQ_INT(tr_rm_DictSetC(w->d, k.p, k.len, value), there);
        if (!there) model_set(&w->m, &k, value);
    } else if (what == 1 && (there || w->m.count < KEYS_MAX)) {
        CHECK_EQ_INT(tr_rm_DictReplaceC(w->d, k.p, k.len, value), there);
        model_set(&w->m, &k, value);
    } else {
        void *had = there ? w->m.values[model_at(&w->m, &k)] : NULL;
        CHECK_EQ_INT(tr_rm_DictDelC(w->d, k.p, k.len, &old), !there);
        CHECK(old == had);
        if (there) model_del(&w->m, &k);
    }
}

static void look(world *w) {
    key k = some_key();
    int nokey;
    void *value = tr_rm_DictGetC(w->d, k.p, k.len, &nokey);
    CHECK_EQ_INT(!nokey, model_has(&w->m, &k));
    CHECK(value == (nokey ? NULL : w->m.values[model_at(&w->m, &k)]));
    CHECK_EQ_INT(tr_rm_DictSize(w->d), w->m.count);
}

static void reseek(world *w, int which) {
    const char *op = some_operator();
    key k = some_key();
    if (w->iterators[which] == NULL || roll(4) == 0) {
        if (w->iterators[which] != NULL) tr_rm_DictIteratorStop(w->iterators[which]);
        w->iterators[which] = tr_rm_DictIteratorStartC(w->d, op, k.p, k.len);
    } else {
        CHECK_EQ_INT(tr_rm_DictIteratorReseekC(w->iterators[which], op, k.p, k.len), 1);
    }
    model_go(&w->m, &w->expected[which], model_seek(&w->m, op, &k), SEEKED);
}

static void walk(world *w, int which) {
    if (w->iterators[which] == NULL) return;
    bool forward = roll(3) != 0;
    model_iterator *expected = &w->expected[which];
    int i = model_step(&w->m, expected, forward);
    model_go(&w->m, expected, i, STEPPED);
    size_t len;
    void *value;
    void *p = forward ? tr_rm_DictNextC(w->iterators[which], &len, &value)
                      : tr_rm_DictPrevC(w->iterators[which], &len, &value);
    CHECK_EQ_INT(p != NULL, expected->state != END);
    if (p == NULL) return;
    CHECK_EQ_MEM(p, len, expected->at.p, expected->at.len);
    CHECK(value == w->m.values[i]);
}

static void compare(world *w, int which) {
    if (w->iterators[which] == NULL) return;
    static const char *const all[] = {">=", ">", "<=", "<", "=="};
    const char *op = all[roll(5)];
    key k = some_key();
    int by = order(&w->expected[which].at, &k);
    bool holds = (by == 0 && op[1] == '=') || (by > 0 && op[0] == '>') || (by < 0 && op[0] == '<');
    if (w->expected[which].state == END) holds = false;
    CHECK_EQ_INT(tr_rm_DictCompareC(w->iterators[which], op, k.p, k.len), holds ? REDISMODULE_OK : REDISMODULE_ERR);
}

static long option(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : atol(text);
}

static void test_random_calls(void) {
    static world w;
    long steps = option("DICT_STEPS", 60000);
    random_state = (uint64_t)option("DICT_SEED", 1);
    w.d = tr_rm_CreateDict(NULL);
    for (long i = 0; i < steps && check_failures == 0; i++) {
        int which = (int)roll(ITERATORS);
        switch (roll(8)) {
        case 0: reseek(&w, which); break;
        case 1: look(&w); break;
        case 2: compare(&w, which); break;
        case 3:
        case 4: change(&w); break;
        default: walk(&w, which);
        }
        if (i % 16 == 0) tr_keytree_check(&w.d->tree);
        if (check_failures != 0) fprintf(stderr, "at step %ld\n", i);
    }
    for (int i = 0; i < ITERATORS; i++)
        if (w.iterators[i] != NULL) tr_rm_DictIteratorStop(w.iterators[i]);
    CHECK(w.m.count > 50);
    tr_rm_FreeDict(NULL, w.d);
}

/* ------------------------------------------------------------------ corners */

static RedisModuleDict *of(const char *words) {
    RedisModuleDict *d = tr_rm_CreateDict(NULL);
    for (const char *p = words; *p != '\0'; p++) {
        size_t len = strcspn(p, " ");
        tr_rm_DictSetC(d, (void *)(uintptr_t)p, len, (void *)(uintptr_t)len);
        p += len;
        if (*p == '\0') break;
    }
    return d;
}

/* What the usual loop does that empties a dict: the key that is removed and sought is the iterator's own. */
static void test_delete_while_walking(void) {
    RedisModuleDict *d = of("a ab abc abcdefghijklmnop b ba c");
    RedisModuleDictIter *di = tr_rm_DictIteratorStartC(d, "^", NULL, 0);
    size_t len;
    char *p;
    int seen = 0;
    while ((p = tr_rm_DictNextC(di, &len, NULL)) != NULL) {
        CHECK_EQ_INT(tr_rm_DictDelC(d, p, len, NULL), REDISMODULE_OK);
        CHECK_EQ_INT(tr_rm_DictIteratorReseekC(di, ">", p, len), 1);
        seen++;
    }
    CHECK_EQ_INT(seen, 7);
    CHECK_EQ_INT(tr_rm_DictSize(d), 0);
    CHECK(tr_rm_DictNextC(di, &len, NULL) == NULL);
    tr_rm_FreeDict(NULL, d);
    tr_rm_DictIteratorStop(di);
}

static void test_operators(void) {
    RedisModuleDict *d = of("x");
    RedisModuleDictIter *di = tr_rm_DictIteratorStartC(d, "?", "x", 1);
    CHECK(tr_rm_DictNextC(di, NULL, NULL) == NULL);
    CHECK_EQ_INT(tr_rm_DictIteratorReseekC(di, "", "x", 1), 0);
    CHECK_EQ_INT(tr_rm_DictIteratorReseekC(di, "==", "y", 1), 1);
    CHECK(tr_rm_DictPrevC(di, NULL, NULL) == NULL);
    CHECK_EQ_INT(tr_rm_DictCompareC(di, "==", "x", 1), REDISMODULE_ERR); /* at the end */
    CHECK_EQ_INT(tr_rm_DictIteratorReseekC(di, "==", "x", 1), 1);
    CHECK_EQ_INT(tr_rm_DictCompareC(di, "==", "x", 1), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_DictCompareC(di, "=", "x", 1), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_DictCompareC(di, "", "x", 1), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_DictCompareC(di, ">=", "x\0", 2), REDISMODULE_ERR);
    CHECK_EQ_INT(tr_rm_DictCompareC(di, "<", "x\0", 2), REDISMODULE_OK);
    tr_rm_DictIteratorStop(di);
    tr_rm_FreeDict(NULL, d);
}

static void test_strings_as_keys(void) {
    RedisModuleDict *d = tr_rm_CreateDict(NULL);
    RedisModuleString *k = tr_string_new("k\0y", 3);
    int one, two, nokey = -1;
    void *old = NULL;
    CHECK_EQ_INT(tr_rm_DictSet(d, k, &one), REDISMODULE_OK);
    CHECK_EQ_INT(tr_rm_DictSet(d, k, &two), REDISMODULE_ERR);
    CHECK(tr_rm_DictGet(d, k, &nokey) == &one);
    CHECK_EQ_INT(nokey, 0);
    CHECK_EQ_INT(tr_rm_DictReplace(d, k, &two), REDISMODULE_ERR);
    RedisModuleDictIter *di = tr_rm_DictIteratorStart(d, ">=", k);
    RedisModuleCtx ctx = {.flags = TR_CTX_AUTO};
    RedisModuleString *same = tr_rm_DictNext(&ctx, di, &old);
    CHECK(old == &two);
    CHECK_EQ_INT(tr_rm_StringCompare(k, same), 0);
    CHECK_EQ_INT(ctx.auto_count, 1);
    CHECK_EQ_INT(tr_rm_DictCompare(di, "==", k), REDISMODULE_OK);
    CHECK(tr_rm_DictPrev(&ctx, di, NULL) == NULL);
    CHECK_EQ_INT(tr_rm_DictIteratorReseek(di, "$", k), 1);
    tr_rm_FreeString(&ctx, same);
    tr_rm_DictIteratorStop(di);
    CHECK_EQ_INT(tr_rm_DictDel(d, k, &old), REDISMODULE_OK);
    CHECK(old == &two);
    CHECK_EQ_INT(tr_rm_DictDel(d, k, &old), REDISMODULE_ERR);
    CHECK(tr_rm_DictGet(d, k, NULL) == NULL);
    tr_string_free(k);
    tr_rm_FreeDict(NULL, d);
    free(ctx.autos);
}

static void test_auto_memory(void) {
    RedisModuleCtx ctx = {.flags = TR_CTX_AUTO};
    RedisModuleDict *d = tr_rm_CreateDict(&ctx);
    CHECK_EQ_INT(ctx.auto_count, 1);
    CHECK(ctx.autos[0].kind == TR_AUTO_DICT && ctx.autos[0].p == d);
    tr_rm_FreeDict(&ctx, d);
    CHECK_EQ_INT(ctx.auto_count, 0);
    free(ctx.autos);
}

/* Each key is the beginning of the next: the deepest tree that so many bytes can give. */
static void test_deep(void) {
    enum { DEEP = 20000 };
    static char bytes[DEEP];
    memset(bytes, 'a', sizeof(bytes));
    RedisModuleDict *d = tr_rm_CreateDict(NULL);
    size_t empty = tr_rm_MallocSizeDict(d);
    for (size_t len = 1; len <= DEEP; len += 40) CHECK_EQ_INT(tr_rm_DictSetC(d, bytes, len, NULL), REDISMODULE_OK);
    tr_keytree_check(&d->tree);
    CHECK(tr_rm_MallocSizeDict(d) > empty + DEEP);
    RedisModuleDictIter *di = tr_rm_DictIteratorStartC(d, "$", NULL, 0);
    size_t len, want = 19961;
    while (tr_rm_DictPrevC(di, &len, NULL) != NULL) {
        CHECK_EQ_INT(len, want);
        want -= 40;
    }
    tr_rm_DictIteratorStop(di);
    tr_rm_FreeDict(NULL, d);
}

int main(void) {
    RUN(test_random_calls);
    RUN(test_delete_while_walking);
    RUN(test_operators);
    RUN(test_strings_as_keys);
    RUN(test_auto_memory);
    RUN(test_deep);
    CHECK_EQ_INT(tr_host_here.used_bytes, 0);
    return CHECK_DONE();
}
