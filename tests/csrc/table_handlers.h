/* table_handlers.h - handlers that do nothing, so that a test can link the command table without the rooms above it. */
#ifndef TR_TESTS_TABLE_HANDLERS_H
#define TR_TESTS_TABLE_HANDLERS_H

#include "command_table.h"

#define TR_X(name)                                                                                 \
    void name(struct tr_client *c) {                                                               \
        (void)c;                                                                                   \
    }
TR_C_HANDLERS(TR_X)
#undef TR_X

#endif
