/* command.h - what the engine knows about each command: the table and its look-up.
 *
 * The table is generated from trioredis/commands/commands.json and never changes at run time; every
 * pointer that these functions return is static and lives for ever. A container ("client") and each
 * subcommand ("client|list") are entries of their own, with ids of their own. Commands that arrive
 * at run time (modules) are not in here: runtime_commands.h.
 *
 *   name bytes --lower case, packed in two words--> hash --displacement table--> slot --> tr_command
 *
 * Cost: tr_command_find() is one multiplication, two small table reads and the comparison of two
 * words (names past 16 bytes: and one pass over the bytes). tr_command_find_sub() looks at each
 * subcommand of the parent. Nothing allocates and nothing fails; a name that is not there gives
 * NULL.
 */
#ifndef TR_EXEC_COMMAND_H
#define TR_EXEC_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/arg.h"

struct tr_client;
struct tr_keys;

/* What a command does and when it may run; COMMAND INFO shows those up to TR_CMD_MOVABLEKEYS. */
enum {
    TR_CMD_WRITE = 1 << 0,
    TR_CMD_READONLY = 1 << 1,
    TR_CMD_DENYOOM = 1 << 2,             /* refused when memory is over the limit */
    TR_CMD_MODULE = 1 << 3,              /* came with a module */
    TR_CMD_ADMIN = 1 << 4,
    TR_CMD_PUBSUB = 1 << 5,
    TR_CMD_NOSCRIPT = 1 << 6,
    TR_CMD_BLOCKING = 1 << 7,
    TR_CMD_LOADING = 1 << 8,             /* allowed while data is loaded at start */
    TR_CMD_STALE = 1 << 9,               /* allowed on a replica that lost its master */
    TR_CMD_SKIP_MONITOR = 1 << 10,
    TR_CMD_SKIP_SLOWLOG = 1 << 11,
    TR_CMD_ASKING = 1 << 12,
    TR_CMD_FAST = 1 << 13,
    TR_CMD_NO_AUTH = 1 << 14,            /* allowed before authentication */
    TR_CMD_MAY_REPLICATE = 1 << 15,      /* may be propagated without being a write */
    TR_CMD_NO_MANDATORY_KEYS = 1 << 16,
    TR_CMD_PROTECTED = 1 << 17,          /* needs enable-debug-command or the like */
    TR_CMD_NO_ASYNC_LOADING = 1 << 18,
    TR_CMD_NO_MULTI = 1 << 19,
    TR_CMD_ALLOW_BUSY = 1 << 20,         /* allowed while a script runs too long */
    TR_CMD_TOUCHES_ARBITRARY_KEYS = 1 << 21,
    TR_CMD_MOVABLEKEYS = 1 << 22,        /* first_key/last_key/key_step do not tell the whole truth */
    TR_CMD_SECRETS = 1 << 23,            /* some arguments must not be shown; see redact.h */
};

/* ACL categories, in the order in which ACL CAT lists them. */
enum {
    TR_CAT_KEYSPACE = 1 << 0,
    TR_CAT_READ = 1 << 1,
    TR_CAT_WRITE = 1 << 2,
    TR_CAT_SET = 1 << 3,
    TR_CAT_SORTEDSET = 1 << 4,
    TR_CAT_LIST = 1 << 5,
    TR_CAT_HASH = 1 << 6,
    TR_CAT_STRING = 1 << 7,
    TR_CAT_BITMAP = 1 << 8,
    TR_CAT_HYPERLOGLOG = 1 << 9,
    TR_CAT_GEO = 1 << 10,
    TR_CAT_STREAM = 1 << 11,
    TR_CAT_PUBSUB = 1 << 12,
    TR_CAT_ADMIN = 1 << 13,
    TR_CAT_FAST = 1 << 14,
    TR_CAT_SLOW = 1 << 15,
    TR_CAT_BLOCKING = 1 << 16,
    TR_CAT_DANGEROUS = 1 << 17,
    TR_CAT_CONNECTION = 1 << 18,
    TR_CAT_TRANSACTION = 1 << 19,
    TR_CAT_SCRIPTING = 1 << 20,
};

/* What a command does with a key: one of the first four, and any of the others. */
enum {
    TR_KEY_RO = 1 << 0,             /* reads the value, or its metadata */
    TR_KEY_RW = 1 << 1,             /* changes the value, depending on what it was */
    TR_KEY_OW = 1 << 2,             /* overwrites, whatever it was */
    TR_KEY_RM = 1 << 3,             /* removes the key */
    TR_KEY_ACCESS = 1 << 4,         /* the user learns something of the value */
    TR_KEY_UPDATE = 1 << 5,
    TR_KEY_INSERT = 1 << 6,
    TR_KEY_DELETE = 1 << 7,
    TR_KEY_NOT_KEY = 1 << 8,        /* no key, but routed like one (shard channels) */
    TR_KEY_INCOMPLETE = 1 << 9,     /* the spec may miss some of the keys */
    TR_KEY_VARIABLE_FLAGS = 1 << 10 /* other arguments change the flags; see keys_fn */
};

typedef enum tr_key_begin {
    TR_BEGIN_UNKNOWN,
    TR_BEGIN_INDEX,   /* the first key is argument `begin_index` */
    TR_BEGIN_KEYWORD, /* it follows `keyword`, searched from `begin_index` (negative: from the end, backwards) */
} tr_key_begin;

typedef enum tr_key_find {
    TR_FIND_UNKNOWN,
    TR_FIND_RANGE,  /* up to last_key, counted from the first; negative: from the end, of 1/limit of the rest */
    TR_FIND_KEYNUM, /* an argument tells how many: positions relative to where the search began */
} tr_key_find;

/* Where some of a command's keys are. A command has one for each kind of use. */
typedef struct tr_key_spec {
    uint32_t flags;      /* TR_KEY_... */
    uint8_t begin;       /* tr_key_begin */
    uint8_t find;        /* tr_key_find */
    int begin_index;
    const char *keyword; /* upper case; NULL unless begin is TR_BEGIN_KEYWORD */
    int last_key;        /* range */
    int limit;           /* range; 0 and 1: no limit */
    int keynum_index;    /* keynum: where the count is */
    int first_key;       /* keynum: where the first key is */
    int key_step;        /* both */
} tr_key_spec;

typedef enum tr_handler_kind {
    TR_HANDLER_CONTAINER, /* has subcommands only */
    TR_HANDLER_C,         /* fn is set; the others leave it NULL */
    TR_HANDLER_PY_SYNC,   /* a Python function, called by the engine's boundary */
    TR_HANDLER_PY_ASYNC,  /* a coroutine, run by the client's task */
    TR_HANDLER_MODULE,    /* a module's, in a process of its own; see runtime_commands.h */
} tr_handler_kind;

typedef enum tr_group {
    TR_GROUP_GENERIC,
    TR_GROUP_STRING,
    TR_GROUP_LIST,
    TR_GROUP_SET,
    TR_GROUP_SORTED_SET,
    TR_GROUP_HASH,
    TR_GROUP_PUBSUB,
    TR_GROUP_TRANSACTIONS,
    TR_GROUP_CONNECTION,
    TR_GROUP_SERVER,
    TR_GROUP_SCRIPTING,
    TR_GROUP_HYPERLOGLOG,
    TR_GROUP_CLUSTER,
    TR_GROUP_GEO,
    TR_GROUP_STREAM,
    TR_GROUP_BITMAP,
    TR_GROUP_MODULE,
} tr_group;

/* Runs the command that the client's argv holds, and writes the reply. */
typedef void tr_command_fn(struct tr_client *c);
/* Finds the keys where specs can't tell. Adds to `keys`; 0, TR_EINVAL (arguments make no sense) or
 * TR_ENOMEM. */
typedef int tr_command_keys_fn(const tr_arg *argv, int argc, struct tr_keys *keys);

typedef struct tr_command {
    /* Read for every command: one cache line. */
    uint64_t name_head;      /* first 8 bytes of name, little endian, zero padded */
    uint64_t name_tail;      /* last 8 bytes of a name longer than 8, else 0 */
    uint64_t flags;          /* TR_CMD_... */
    tr_command_fn *fn;       /* set where handler_kind is TR_HANDLER_C, else NULL */
    uint64_t acl_categories; /* TR_CAT_... */
    const struct tr_command *subcommands;
    int arity;               /* arguments, the name(s) included; negative: at least that many */
    uint16_t id;             /* 0 ... tr_command_count() - 1 */
    uint16_t subcommand_count;
    uint8_t name_len;
    uint8_t handler_kind;    /* tr_handler_kind */
    uint8_t key_spec_count;
    uint8_t group;           /* tr_group */

    int first_key, last_key, key_step; /* in the old form; first_key 0: no keys */
    const struct tr_command *parent;   /* NULL: none */
    const tr_key_spec *key_specs;
    tr_command_keys_fn *keys_fn;       /* NULL: the specs tell everything */
    const char *name;                  /* "list", lower case; of a subcommand its last part */
    const char *fullname;              /* "client|list" */
} tr_command;

/* Any case. NULL: there is no such command. "client|list" is not looked up here: split it first. */
const tr_command *tr_command_find(const char *name, size_t len);
/* Any case. parent has subcommands, or gives NULL. */
const tr_command *tr_command_find_sub(const tr_command *parent, const char *name, size_t len);
/* The command that argv means, a container's subcommand if it names one. NULL: no such command, or
 * a container with a first argument that is no subcommand of it. A container alone is returned as
 * it is. */
const tr_command *tr_command_resolve(const tr_arg *argv, int argc);
/* id < tr_command_count(), asserted. Ids follow fullname's order and change when commands are
 * added. */
const tr_command *tr_command_by_id(uint16_t id);
/* Containers and subcommands included. */
uint16_t tr_command_count(void);
/* argc (name included) fits the command's arity: 1 or 0. */
static inline int tr_command_arity_ok(const tr_command *cmd, int argc) {
    return cmd->arity >= 0 ? argc == cmd->arity : argc >= -cmd->arity;
}
/* Has at least one key (shard channels don't count): 1 or 0. */
int tr_command_has_keys(const tr_command *cmd);

#endif
