/* need.h - memory of the host program: what can't be had ends the process.
 *
 * A helper is expendable: without memory it dies with a report that says so, and the server goes on.
 * So nothing here returns NULL. Blocks are malloc's, from any thread. A module's own memory
 * (RedisModule_Alloc) is counted apart, in api_memory.c.
 */
#ifndef TR_HOST_NEED_H
#define TR_HOST_NEED_H

#include <stddef.h>
#include <stdint.h>

/* Free with free(). Zero bytes give a block as well. */
void *tr_need(size_t bytes);
void *tr_need_zeroed(size_t bytes);
void *tr_need_more(void *p, size_t bytes);
char *tr_need_copy(const void *p, size_t len); /* with a NUL behind it */

/* Bytes that grow. Plain data, {0} is empty. */
typedef struct tr_bytes {
    char *p;
    size_t len;
    size_t cap;
} tr_bytes;

/* Room for more bytes behind the ones there are; where they go. */
char *tr_bytes_room(tr_bytes *b, size_t more);
void tr_bytes_add(tr_bytes *b, const void *p, size_t len);
void tr_bytes_text(tr_bytes *b, const char *text);
void tr_bytes_format(tr_bytes *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Frees; empty and usable again. */
void tr_bytes_drop(tr_bytes *b);

/* Numbers that grow, for the lists of messages. */
typedef struct tr_numbers {
    uint64_t *at;
    uint32_t count;
    uint32_t cap;
} tr_numbers;

void tr_numbers_add(tr_numbers *n, uint64_t value);
void tr_numbers_drop(tr_numbers *n);

#endif
