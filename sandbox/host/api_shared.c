/* Functions that modules lend each other. Pointers mean something in one process only, and a helper
 * has one module: it finds what it exported itself, and no one else's. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/host.h"

/* Of a list that only grows, newest first; so it can be read at any time. */
typedef struct tr_shared_function {
    struct tr_shared_function *next;
    void *address;
    char name[];
} shared_function;

static const shared_function *find(const shared_function *first, const char *name) {
    while (first != NULL && strcmp(first->name, name) != 0) first = first->next;
    return first;
}

int tr_rm_ExportSharedAPI(RedisModuleCtx *ctx, const char *apiname, void *func) {
    TR_NOTE(ExportSharedAPI, ctx, apiname, func);
    size_t bytes = strlen(apiname) + 1;
    shared_function *added = tr_need(sizeof(*added) + bytes);
    added->address = func;
    memcpy(added->name, apiname, bytes);
    shared_function *first = atomic_load(&tr_host_here.shared);
    do {
        if (find(first, apiname) != NULL) {
            free(added);
            return REDISMODULE_ERR;
        }
        added->next = first;
    } while (!atomic_compare_exchange_weak(&tr_host_here.shared, &first, added));
    return REDISMODULE_OK;
}

void *tr_rm_GetSharedAPI(RedisModuleCtx *ctx, const char *apiname) {
    TR_NOTE(GetSharedAPI, ctx, apiname);
    const shared_function *found = find(atomic_load(&tr_host_here.shared), apiname);
    return found == NULL ? NULL : found->address;
}
