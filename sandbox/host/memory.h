/* memory.h - the module's own memory: what it asked for, and what it keeps in strings and dicts.
 *
 * It is counted in tr_host_here.used_bytes and peak_bytes, as malloc really handed it out plus the
 * header word of each block. The server hears of it when it moved by TR_MEMORY_TOLD_BYTES since the
 * last time. The module frees such blocks by RedisModule_Free(), so whatever an API function hands
 * out for that must come from here.
 *
 * From any thread. Never NULL but for the tr_memory_try functions: what can't be had ends the
 * process. Cost: malloc's and two atomic additions.
 */
#ifndef TR_HOST_MEMORY_H
#define TR_HOST_MEMORY_H

#include <stddef.h>

#define TR_MEMORY_TOLD_BYTES ((size_t)256 * 1024)

void *tr_memory_alloc(size_t bytes);
void *tr_memory_zeroed(size_t count, size_t bytes);
/* NULL: not to be had; nothing happened. Zero bytes give a block as well. */
void *tr_memory_try_alloc(size_t bytes);
void *tr_memory_try_zeroed(size_t count, size_t bytes);
/* Steals p, which may be NULL. Zero bytes free it: NULL. */
void *tr_memory_realloc(void *p, size_t bytes);
/* Steals p unless NULL comes back for bytes that are not zero. */
void *tr_memory_try_realloc(void *p, size_t bytes);
/* NULL is allowed. */
void tr_memory_free(void *p);

#endif
