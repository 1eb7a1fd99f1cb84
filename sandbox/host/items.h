/* items.h - saved values of module types: numbers and strings one after the other, each with what it is.
 *
 *   | opcode | payload | opcode | payload | ... | 0 |          opcode: a length
 *
 *   length    00xxxxxx | 01xxxxxx byte | 0x80 4 bytes | 0x81 8 bytes      big end first
 *   2         an integer: a length; a signed one as the 64 bits that it has
 *   3, 4      float and double, little end first
 *   5         a string: a length and the bytes; or 0xc0, 0xc1, 0xc2 and an integer of 1, 2, 4 bytes, little end
 *             first, in place of its digits; or 0xc3, two lengths and compressed bytes (read, never written)
 *
 * That is how an RDB file has them, so a payload is what stands in one behind the id of the type.
 *
 * Writing can't fail (need.h). Reading takes any bytes: a reader is over at the first item that isn't whole or isn't
 * what was asked for, and stays there.
 */
#ifndef TR_HOST_ITEMS_H
#define TR_HOST_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/host/need.h"

#define TR_ITEM_STRING_MAX ((uint64_t)512 << 20) /* bytes of a string that a reader makes */

typedef enum tr_item {
    TR_ITEM_END = 0,
    TR_ITEM_UNSIGNED = 2,
    TR_ITEM_FLOAT = 3,
    TR_ITEM_DOUBLE = 4,
    TR_ITEM_STRING = 5,
} tr_item;

void tr_items_add_unsigned(tr_bytes *out, uint64_t value);
void tr_items_add_float(tr_bytes *out, float value);
void tr_items_add_double(tr_bytes *out, double value);
void tr_items_add_string(tr_bytes *out, const char *p, size_t len);
void tr_items_add_end(tr_bytes *out);

typedef struct tr_items {
    const uint8_t *p; /* borrowed */
    size_t len;
    size_t at;
    bool failed;
} tr_items;

/* 1 and the result, or 0 and the reader has failed. */
int tr_items_unsigned(tr_items *in, uint64_t *value);
int tr_items_float(tr_items *in, float *value);
int tr_items_double(tr_items *in, double *value);
/* Makes the string in a block that make(bytes + 1) gives; a NUL is added. NULL: failed. */
char *tr_items_string(tr_items *in, size_t *len, void *(*make)(size_t bytes));
int tr_items_end(tr_items *in);

#endif
