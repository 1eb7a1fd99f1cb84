/* call_reply.h - the reply of a command that a module called: raw RESP, taken apart when it is asked for.
 *
 *   bytes:  *2\r\n $1\r\na\r\n %1\r\n :1\r\n #t\r\n
 *   nodes:  [ array ][ a | map ][ 1 | true ]          children side by side, one block for all
 *
 * The first look at a reply parses all of it, in two passes: one judges the bytes and counts, one
 * fills the nodes. Neither recurses, so depth costs no stack. Bytes that are no RESP, are cut short or go
 * on behind the reply give a reply of type unknown; a group is not believed to hold more than the
 * bytes behind it could.
 *
 * The root owns bytes and nodes. What is inside lives as long as it does, and freeing it alone does
 * nothing. One thread at a time.
 */
#ifndef TR_HOST_CALL_REPLY_H
#define TR_HOST_CALL_REPLY_H

#include "sandbox/host/host.h"

typedef struct tr_reply_root tr_reply_root;

struct RedisModuleCallReply {
    const char *at;  /* raw, attribute included; the rest is set once it is parsed */
    size_t len;
    tr_reply_root *root;
    RedisModuleCallReply *attribute; /* NULL: none */
    int8_t type;                     /* REDISMODULE_REPLY_... */
    bool resp3;                      /* has something in it that RESP2 doesn't know */
    size_t count;                    /* bytes of a string, elements, pairs */
    union {
        int64_t integer; /* and booleans */
        double number;
        const char *text;            /* of strings, big numbers; of a verbatim string behind its format */
        RedisModuleCallReply *items; /* of pairs: key, value, key, value */
    } as;
};

/* A promise: a reply that is still to come. What stands behind it is api_call.c's. */
typedef void tr_promise_free(void *promise);

struct tr_reply_root {
    RedisModuleCallReply self; /* first: the root is a reply */
    RedisModuleCtx *ctx;       /* that owns it, if AutoMemory() was said; NULL */
    char *bytes;               /* owned */
    RedisModuleCallReply *nodes; /* owned; all but the root; NULL: none, or it is not parsed */
    size_t node_count;
    bool parsed;
    void *promise;             /* NULL: an ordinary reply */
    tr_promise_free *promise_free;
};

/* Steals bytes (malloc's), which hold one reply. ctx, which may be NULL, is where strings made of
 * the reply go; the reply itself is given to it with tr_ctx_own(TR_AUTO_REPLY). */
RedisModuleCallReply *tr_call_reply_new(RedisModuleCtx *ctx, char *bytes, size_t len);
/* promise is handed to promise_free with the reply. */
RedisModuleCallReply *tr_call_reply_new_promise(RedisModuleCtx *ctx, void *promise, tr_promise_free *promise_free);
/* NULL when it is no promise. */
void *tr_call_reply_promise(const RedisModuleCallReply *reply);
/* Frees a root, without telling its context. */
void tr_call_reply_free(RedisModuleCallReply *reply);

/* Judges the first reply in len bytes: how many it takes, 0 when it isn't one whole reply. */
size_t tr_call_reply_scan(const char *p, size_t len);

/* Raw bytes of the reply; sets how many. */
const char *tr_call_reply_raw(const RedisModuleCallReply *reply, size_t *len);
/* 1 when a client of RESP2 can't be given it. */
int tr_call_reply_resp3(RedisModuleCallReply *reply);
/* Calls found for each error in a root, at any depth. Text without '-' and line end. */
void tr_call_reply_errors(RedisModuleCallReply *reply, void (*found)(void *arg, const char *text, size_t len),
                          void *arg);

#endif
