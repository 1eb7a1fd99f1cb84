/* type.h - data types of the module, and what their callbacks read from and write to.
 *
 * Values stay in this process; the server knows each by a token (tokens.h). A type's callbacks run when the server
 * asks
 * (tr_serve_type_...), with a RedisModuleIO that is a payload in memory: written from empty, or read to its end.
 */
#ifndef TR_HOST_TYPE_H
#define TR_HOST_TYPE_H

#include "sandbox/host/host.h"
#include "sandbox/host/items.h"
#include "sandbox/host/tokens.h"

#define TR_TYPE_NAME_LEN 9
#define TR_TYPE_ENCVER_MAX 1023

struct RedisModuleType {
    struct RedisModuleType *next;
    uint32_t handle; /* from the server */
    int encver;
    char name[TR_TYPE_NAME_LEN + 1];
    RedisModuleTypeMethods methods; /* whole; what the module's version lacks is NULL */
};

struct RedisModuleIO {
    const RedisModuleType *type;
    tr_bytes out;  /* what was saved */
    tr_items in;   /* what is loaded */
    bool failed;
    bool rewrites; /* EmitAOF is for this one */
    int db;        /* -1: unknown */
    RedisModuleString *key; /* borrowed; NULL: unknown */
    RedisModuleCtx *ctx;    /* made when it is asked for */
    RedisModuleString **args; /* of the commands that were emitted, one after the other */
    uint32_t arg_count, arg_cap;
    tr_numbers counts; /* arguments of each */
};

struct RedisModuleKeyOptCtx {
    const RedisModuleString *from_key, *to_key; /* NULL: none */
    int from_db, to_db;                         /* -1: none */
};

/* The payload of the value, without the end. 0: the module failed. */
int tr_type_save(const RedisModuleType *type, void *value, int db, RedisModuleString *key, tr_bytes *out);
/* For the end of an IO: its context and what it made are freed. */
void tr_io_release(RedisModuleIO *io);
/* The tokens of this process. */
tr_tokens *tr_host_tokens(void);
RedisModuleType *tr_type_by_handle(uint32_t handle);

/* Names in the log the types whose values can't be kept: who runs the module is to know before the first crash. */
void tr_types_warn(void);

#endif
