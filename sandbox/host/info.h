/* info.h - the copy of the server's INFO that a module got from GetServerInfo. */
#ifndef TR_HOST_INFO_H
#define TR_HOST_INFO_H

#include "sandbox/host/host.h"

/* Frees it, without telling its context. */
void tr_info_free(RedisModuleServerInfoData *data);

#endif
