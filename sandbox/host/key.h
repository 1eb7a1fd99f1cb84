/* key.h - an open key, as the module has it.
 *
 *   OpenKey --> open_key: handle, kind, length, expiry, the first bytes of a string
 *   writes  --> one-way messages; what they make of the key is known here
 *
 * What is known of a key is good as long as nothing else was done to the keyspace: tr_host.keys_epoch counts that, and
 * who reads calls tr_key_refresh() first. Handles of the server end with the floor; a key that a module keeps beyond
 * that is opened anew when it is used.
 *
 * StringDMA() gives the module a copy of the value. What it writes there is seen by comparing with a second copy,
 * and sent before anything else is: tr_keys_flush(), called by link.c ahead of each request, and of each answer that
 * gives the floor back (tr_keys_floor_ends()).
 */
#ifndef TR_HOST_KEY_H
#define TR_HOST_KEY_H

#include "sandbox/host/host.h"

#define TR_KEY_WINDOW_BYTES 1024 /* of a string value that come with opening; beyond costs a round trip */

struct RedisModuleKey {
    RedisModuleKey *next, *prev;   /* of the context */
    RedisModuleCtx *ctx;
    RedisModuleString *name;       /* held */
    uint32_t db;
    int mode;
    uint32_t handle;               /* 0: the server has none */
    uint64_t floor;                /* tr_host.floors when the handle was given */
    uint64_t epoch;                /* tr_host.keys_epoch that what follows is true for */
    uint8_t kind;                  /* REDISMODULE_KEYTYPE_... */
    uint64_t length;               /* bytes or elements */
    int64_t expire_ms;             /* -1: never */
    uint32_t type;                 /* of a module's value: handle of the type; 0: another module's */
    uint64_t token;                /* of a module's value */
    char *value;                   /* owned; the string as it was, `have` bytes of it; NULL: none */
    size_t have;
    char *dma, *dma_was;           /* owned; the module's copy, and what it was; NULL: none */
    size_t dma_len;
    uint64_t dma_epoch;            /* that the copy is true for */
    RedisModuleKey *next_dma;      /* of those that the module may have written to */
    uint8_t writes_dma;            /* it is among them */
    void *iterator;                /* of the file of its type */
    void (*iterator_free)(RedisModuleKey *key);
};

/* A key that is known without having been opened (a scan's); no handle, in the context's list. name is held. */
RedisModuleKey *tr_key_new(RedisModuleCtx *ctx, RedisModuleString *name, uint32_t db, int mode);
/* Opens it in the server as its mode says; the handle is 0 when it is for reading and isn't there. */
void tr_key_open(RedisModuleKey *key);
/* As CloseKey, without the note; the context's AutoMemory() is told. */
void tr_key_close(RedisModuleKey *key);
/* All of the context. */
void tr_keys_close(RedisModuleCtx *ctx);
/* Makes what is known of it true. */
void tr_key_refresh(RedisModuleKey *key);
/* A handle that the server takes now; opens it anew when needed. 0: a key opened for reading is not there any more. */
uint32_t tr_key_handle(RedisModuleKey *key);
/* The key was changed through this handle: others know less, this one what it is told next. */
void tr_key_changed(RedisModuleKey *key);
/* The key has no value now; as after DeleteKey. */
void tr_key_emptied(RedisModuleKey *key);
/* Something else may have changed any key. */
static inline void tr_keys_changed(void) {
    tr_host_here.keys_epoch++;
}

/* The value as bytes that the module may look at and, with write, write to; *len is set. Of a string only. */
char *tr_key_dma(RedisModuleKey *key, int write, size_t *len);
/* What the module was given is no more. */
void tr_key_drop_dma(RedisModuleKey *key);
/* What was written to copies goes to the server. */
void tr_keys_flush(void);
/* The same; handles are void afterwards when this was the outermost stretch. */
void tr_keys_floor_ends(void);

#endif
