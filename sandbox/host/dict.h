/* dict.h - the ordered map of RedisModule_CreateDict(), for contexts that free one. */
#ifndef TR_HOST_DICT_H
#define TR_HOST_DICT_H

#include "sandbox/host/host.h"

/* What the pointers point to stays. */
void tr_dict_free(RedisModuleDict *d);

#endif
