/* runtime_commands.h - commands that come and go while the server runs: those of modules.
 *
 * They stand beside the static table (command.h) in a dictionary of their own, which is asked after a miss. Each has a
 * tr_command like the static ones, so whoever has one needs not know which kind it is; its id is above
 * tr_command_count(). A command that goes is unlinked but stays allocated until the engine closes: clients, MULTI
 * queues and statistics may still point to it (its helper answers for it). Registering the same name again revives it.
 */
#ifndef TR_EXEC_RUNTIME_COMMANDS_H
#define TR_EXEC_RUNTIME_COMMANDS_H

#include "base/buf.h"
#include "ds/hash.h"
#include "exec/command.h"

struct tr_exec;
struct tr_runtime_command;

/* Part of tr_exec. */
typedef struct tr_runtime {
    tr_hash by_name;
    struct tr_runtime_command *first, *last;
    uint16_t count; /* ever made */
} tr_runtime;

#define TR_RUNTIME_COMMANDS_MAX 30000

typedef struct tr_runtime_command {
    tr_hnode node;  /* by name, for those without parent */
    tr_command cmd; /* name and fullname are owned */
    struct tr_runtime_command *next;     /* all, the oldest first */
    struct tr_runtime_command *subs;     /* of a container */
    struct tr_runtime_command *next_sub;
    void *owner;       /* a tr_helper; borrowed */
    uint32_t handle;   /* as the owner's process knows it; given anew at each restart */
    uint8_t live;      /* registered now */
    uint8_t down;      /* live, but its process is gone */
    uint8_t listed;    /* in the dictionary */
    uint8_t getkeys;   /* the module tells positions of keys itself */
    uint8_t getchannels;
    uint8_t blocks;    /* has blocked a client */
    tr_key_spec *specs; /* owned; cmd.key_specs */
    tr_buf info;       /* body of the message command_info; empty: none */
} tr_runtime_command;

void tr_runtime_init(struct tr_exec *x);
/* The owner's command of this name: made, or revived. parent NULL: none. *out. 0, TR_EEXIST (the name is taken),
 * TR_ENOMEM, TR_EINVAL (no name, or a long one), TR_ELIMIT. Name, flags, arity -1, no keys; the caller fills the rest
 * in. */
int tr_runtime_add(struct tr_exec *x, void *owner, tr_runtime_command *parent, const char *name, size_t len,
                   tr_runtime_command **out);
/* All of an owner go: found no longer. */
void tr_runtime_drop(struct tr_exec *x, const void *owner);
/* Its process is gone but may come back: the names stay taken and found, registering them again gives the same ones. */
void tr_runtime_mark_down(struct tr_exec *x, const void *owner);
/* Those that were not registered again since tr_runtime_mark_down() go. */
void tr_runtime_drop_down(struct tr_exec *x, const void *owner);
/* One that turned out to be wrong. */
void tr_runtime_forget(struct tr_exec *x, tr_runtime_command *r);
/* Live ones, any case; NULL: none. */
tr_runtime_command *tr_runtime_find(const struct tr_exec *x, const char *name, size_t len);
tr_runtime_command *tr_runtime_find_sub(const tr_runtime_command *parent, const char *name, size_t len);
/* The one that this tr_command is part of. cmd->id must be above the static ones. */
tr_runtime_command *tr_runtime_of(const tr_command *cmd);
void tr_runtime_release(struct tr_exec *x);

#endif
