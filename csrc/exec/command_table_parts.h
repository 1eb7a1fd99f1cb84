/* command_table_parts.h - what the generated table hands to command.c, and to nobody else.
 *
 * The hash of a name is (head ^ rotl(tail, 1)) * multiplier. Its top bits choose a displacement; the
 * bits from 32 on plus that displacement, under slot_mask, are the only slot where the name can be.
 */
#ifndef TR_EXEC_COMMAND_TABLE_PARTS_H
#define TR_EXEC_COMMAND_TABLE_PARTS_H

#include <stdint.h>

#include "exec/command.h"

typedef struct tr_command_table {
    uint64_t multiplier;
    uint32_t bucket_shift;
    uint32_t slot_mask;
    uint16_t count;                /* subcommands included */
    const uint16_t *displacements; /* by hash >> bucket_shift */
    const uint16_t *slots;         /* index into top plus one; 0: empty */
    const tr_command *top;         /* sorted by name, without subcommands */
    const tr_command *const *by_id;
} tr_command_table;

extern const tr_command_table tr__command_table;

#endif
