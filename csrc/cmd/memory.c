/* MEMORY PURGE and MALLOC-STATS: what the C library's allocator can do and tell. */
#include <stdio.h>

#include "base/mem.h"
#include "exec/exec.h"
#include "exec/reply.h"

#define STATS_TEXT_MAX 262144 /* bytes of malloc_info(); a few hundred for each thread that allocated */

void tr_cmd_memory_purge(tr_client *c) {
    tr_mem_trim();
    tr_reply_ok(c);
}

void tr_cmd_memory_malloc_stats(tr_client *c) {
    char *text = tr_alloc(c->x->mem, STATS_TEXT_MAX);
    if (text == NULL) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    tr_w_verbatim(&c->w, "txt", text, tr_mem_describe(text, STATS_TEXT_MAX));
    tr_free(c->x->mem, text);
}
