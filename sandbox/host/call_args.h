/* call_args.h - the arguments of RedisModule_Call and its kin: a command's name, a format, what the format says.
 *
 *   c  const char *        s  RedisModuleString *        b  const char *, size_t
 *   l  long long           v  RedisModuleString **, size_t
 *
 * Every other character is a modifier, takes no argument and may stand anywhere.
 */
#ifndef TR_HOST_CALL_ARGS_H
#define TR_HOST_CALL_ARGS_H

#include <stdarg.h>

#include "sandbox/host/host.h"

/* Bits as in the message call. */
enum {
    TR_CALL_REPLICATE = 1,
    TR_CALL_NOT_AOF = 2,
    TR_CALL_NOT_REPLICAS = 4,
    TR_CALL_AS_USER = 8,
    TR_CALL_SCRIPT_RULES = 16,
    TR_CALL_NO_WRITES = 32,
    TR_CALL_ERRORS = 64,
    TR_CALL_DENY_OOM = 128,
    TR_CALL_DRY_RUN = 256,
    TR_CALL_MAY_BLOCK = 512,
};

typedef struct tr_call_args {
    RedisModuleString **argv; /* owned, with a reference to each; the name is the first */
    int argc, cap;
    uint64_t flags;           /* TR_CALL_... */
    uint8_t resp;             /* of the reply; 0: that of the client */
} tr_call_args;

/* 1, or 0: the format has a character that means nothing. Drop it in any case. */
int tr_call_args_read(tr_call_args *args, const char *name, const char *format, va_list *values);
void tr_call_args_drop(tr_call_args *args);

#endif
