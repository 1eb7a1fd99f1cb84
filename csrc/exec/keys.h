/* keys.h - which arguments of a command are keys, and what it does with each.
 *
 * Reads the key specs of the command table, or asks the command's keys_fn where specs can't tell
 * (flags that depend on options, keys that follow no rule). Used by ACL checks, client tracking,
 * COMMAND GETKEYS and whoever needs to know before the command runs. argv is borrowed for the call
 * and never kept; the result holds positions in it, not bytes.
 *
 * The caller owns a tr_keys, usually on its stack: TR_KEYS_INLINE keys fit without allocation.
 *
 *     tr_keys keys;
 *     tr_keys_init(&keys, mem);
 *     rc = tr_keys_get(cmd, argv, argc, 0, &keys);
 *     for (i = 0; i < keys.count; i++) use argv[keys.positions[i]], keys.flags[i]
 *     tr_keys_clear(&keys);
 *
 * Cost: O(keys), O(arguments) where a keyword is searched. Limit: argc. Fails with TR_EINVAL when
 * the arguments contradict the spec (a count of keys that is no number or too large): the command
 * itself will refuse them, so checks on keys treat that as "no keys"; with TR_ENOMEM. The result is
 * then empty.
 */
#ifndef TR_EXEC_KEYS_H
#define TR_EXEC_KEYS_H

#include <stdint.h>

#include "base/arg.h"
#include "base/mem.h"
#include "exec/command.h"

#define TR_KEYS_INLINE 16

typedef struct tr_keys {
    int *positions;    /* in argv; points to inline_positions until it grows */
    uint32_t *flags;   /* TR_KEY_..., one for each position */
    int count;
    int cap;
    tr_mem *mem;
    int inline_positions[TR_KEYS_INLINE];
    uint32_t inline_flags[TR_KEYS_INLINE];
} tr_keys;

/* For tr_keys_get(): also positions that are no keys but are routed like one. */
#define TR_KEYS_WITH_NOT_KEYS 1u

/* mem is borrowed until tr_keys_clear(). */
void tr_keys_init(tr_keys *keys, tr_mem *mem);
/* Frees what grew; the result is empty and usable again. */
void tr_keys_clear(tr_keys *keys);
/* Appends one. 0 or TR_ENOMEM; then unchanged. */
int tr_keys_add(tr_keys *keys, int position, uint32_t flags);

/* Replaces the content of keys. argv[0] is the command's name (of a subcommand: its container's).
 * 0, TR_EINVAL or TR_ENOMEM. cmd has to be the one that argv resolves to; argc need not fit its
 * arity. */
int tr_keys_get(const tr_command *cmd, const tr_arg *argv, int argc, unsigned options,
                tr_keys *keys);
/* Only the specs, for the functions below and tests; appends. */
int tr_keys_from_spec(const tr_key_spec *spec, const tr_arg *argv, int argc, tr_keys *keys);

/* Functions that commands.json names as "get_keys". */
tr_command_keys_fn tr_getkeys_set; /* SET: with GET it reads, without it only overwrites */

#endif
