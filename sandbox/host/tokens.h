/* tokens.h - the values of this process' data types, by the numbers under which the server knows them.
 *
 * A token is never 0 and never given twice, so the server may hold one for as long as it likes: what is gone is not
 * found. Beside the value stands where it was last seen, for callbacks that want to know and are not told by the
 * server.
 *
 * Cost O(1). Used by who has the floor.
 */
#ifndef TR_HOST_TOKENS_H
#define TR_HOST_TOKENS_H

#include <stdint.h>

#include "sandbox/host/host.h"

typedef struct tr_token {
    uint64_t number; /* 0: the place is free */
    RedisModuleType *type;
    void *value;
    RedisModuleString *key; /* shared; NULL: never seen under one */
    int db;
} tr_token;

typedef struct tr_tokens {
    tr_token *places; /* a power of two of them, at most half of them taken */
    uint64_t count;
    uint64_t cap;
    uint64_t last; /* number given last */
} tr_tokens;

/* The number of a new value. */
uint64_t tr_tokens_add(tr_tokens *t, RedisModuleType *type, void *value);
/* Borrowed until the next add or drop; NULL: none. */
tr_token *tr_tokens_find(const tr_tokens *t, uint64_t number);
/* Forgets it; the value is the caller's. 1: it was there. */
int tr_tokens_drop(tr_tokens *t, uint64_t number);
void tr_tokens_seen(tr_tokens *t, uint64_t number, int db, RedisModuleString *key);
void tr_tokens_release(tr_tokens *t);

#endif
