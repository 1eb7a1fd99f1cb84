/* renames.h - commands that redis.conf has given another name, or none (rename-command).
 *
 * A short list of exceptions to the table of commands: a name in it stands for the command beside it, or for nothing.
 * Everything else about a renamed command stays: its own name in errors, statistics and COMMAND.
 * Cost: O(names) for a look-up. While the list is empty nobody looks.
 */
#ifndef TR_EXEC_RENAMES_H
#define TR_EXEC_RENAMES_H

#include <stddef.h>

#include "base/mem.h"
#include "exec/command.h"

#define TR_RENAMES_MAX 2048

typedef struct tr_rename {
    char *name; /* owned, in lower case */
    size_t len;
    const tr_command *cmd; /* NULL: no command has this name any more */
} tr_rename;

/* Zeroed: empty. */
typedef struct tr_renames {
    tr_rename *items; /* owned */
    int count;
} tr_renames;

/* The command that `from` means is called `to` from now on; with an empty `to` nothing. TR_ENOENT: there is no `from`;
 * TR_EEXIST: `to` is a command already; TR_ENOMEM, TR_ELIMIT. Nothing has changed then. */
int tr_renames_add(tr_renames *r, tr_mem *mem, const char *from, size_t from_len, const char *to, size_t to_len);
/* As tr_command_find(), with the exceptions. */
const tr_command *tr_renames_find(const tr_renames *r, const char *name, size_t len);
void tr_renames_release(tr_renames *r, tr_mem *mem);

#endif
