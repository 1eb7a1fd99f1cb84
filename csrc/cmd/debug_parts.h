/* debug_parts.h - what the files behind DEBUG have of each other. */
#ifndef TR_CMD_DEBUG_PARTS_H
#define TR_CMD_DEBUG_PARTS_H

#include "exec/client.h"

#define TR_DEBUG_TYPES                                                                             \
    "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"

/* DEBUG PROTOCOL: a sample of the type that argv[2] names. */
void tr_debug_protocol(tr_client *c);

#endif
