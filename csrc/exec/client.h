/* client.h - one client: who it is, what it asks, what it gets. Knows nothing of sockets.
 *
 * The connection (engine/conn.h) that embeds it owns it, fills argv before each command and sends
 * what stands in `out`. Lua, modules and loading make clients of their own without a connection.
 * Strings are owned by the client.
 */
#ifndef TR_EXEC_CLIENT_H
#define TR_EXEC_CLIENT_H

#include <stdint.h>

#include "base/arg.h"
#include "base/outq.h"
#include "ds/hash.h"
#include "exec/command.h"
#include "resp/writer.h"
#include "store/store.h"

#define TR_CLIENT_NAME_MAX 65536 /* bytes of a client's name, library name or version */
#define TR_CLIENT_UNITS_MAX 256  /* module commands of one client that have not replied */
#define TR_CLIENT_ADDR_MAX 160   /* of an address, NUL included */

struct tr_exec;
struct tr_monitor;
struct tr_multi;
struct tr_waiter;
struct tr_subscriber;

typedef enum tr_client_flag {
    TR_CLIENT_AUTHENTICATED = 1 << 0,
    TR_CLIENT_UNIX = 1 << 1,          /* came over a Unix socket */
    TR_CLIENT_FED = 1 << 2,           /* has no socket: bytes are fed by the owner */
    TR_CLIENT_NO_EVICT = 1 << 3,
    TR_CLIENT_NO_TOUCH = 1 << 4,
    TR_CLIENT_REPLY_OFF = 1 << 5,
    TR_CLIENT_REPLY_SKIP = 1 << 6,      /* this command's reply is dropped */
    TR_CLIENT_REPLY_SKIP_NEXT = 1 << 7, /* the next one's */
    TR_CLIENT_CLOSE_AFTER_REPLY = 1 << 8,
    TR_CLIENT_CLOSE_NOW = 1 << 9,
    TR_CLIENT_REPLICA = 1 << 10,
    TR_CLIENT_PUBSUB = 1 << 11,
    TR_CLIENT_MONITOR = 1 << 12,
    TR_CLIENT_FAILED_COMMAND = 1 << 13, /* the running command replied with an error */
    TR_CLIENT_INTERNAL = 1 << 14,       /* ours: not in CLIENT LIST, not counted */
    TR_CLIENT_LOCAL = 1 << 15,          /* from this machine: loopback, Unix socket or fed */
    TR_CLIENT_FILTERED = 1 << 18,       /* filters of modules have seen the command that runs or waits */
    TR_CLIENT_UNITS = 1 << 16,          /* has module commands that have not replied: units > 0 */
    TR_CLIENT_MAY_BLOCK = 1 << 17,      /* ... and one of them may block it: nothing may follow */
    TR_CLIENT_ANY_MEMORY = 1 << 19,     /* its commands run whatever maxmemory says */
} tr_client_flag;

/* Why a client does not go on with its input. */
typedef enum tr_wait {
    TR_WAIT_NONE,
    TR_WAIT_PYTHON, /* an asynchronous Python command runs */
    TR_WAIT_PAUSE,  /* CLIENT PAUSE; the command is tried again afterwards */
    TR_WAIT_KEYS,   /* a blocking command */
    TR_WAIT_TURN,   /* the next command: until the floor is back, or the client's module commands have replied */
} tr_wait;

typedef struct tr_text {
    char *ptr; /* owned; NULL: none */
    size_t len;
} tr_text;

typedef struct tr_client {
    tr_hnode by_id;       /* in tr_exec.clients; the hash is of the id */
    uint64_t id;
    struct tr_exec *x;
    tr_db *db;
    const tr_arg *argv;   /* borrowed while a command runs */
    int argc;
    uint32_t flags;
    tr_wait wait;
    const void *owner;    /* the helper whose call this client runs: it is no connection; borrowed, only compared */
    tr_arg *filtered;     /* owned; argv as filters of modules made it; NULL: as it came */
    uint32_t units;       /* module commands that have not replied */
    struct tr_waiter *waiter; /* blocked by it; NULL: not blocked. Borrowed */
    const void *units_of; /* the helper that runs them; borrowed, only compared */
    const tr_command *cmd;      /* running */
    const tr_command *last_cmd;
    tr_writer w;
    tr_outq out;
    tr_text name;
    tr_text lib_name;
    tr_text lib_ver;
    tr_text addr;           /* see tr_client_addr() */
    struct tr_multi *multi; /* owned; NULL: neither MULTI nor WATCH */
    struct tr_subscriber *pubsub; /* owned; NULL: listens to nothing */
    struct tr_monitor *monitor; /* owned; NULL: it does not watch */
    int64_t created_us;   /* wall clock */
    int64_t active_us;    /* last input; wall clock */
    uint64_t commands;
    uint64_t bytes_in;
    uint64_t bytes_out;
} tr_client;

/* A command of this client runs and may be in the middle of its reply. */
static inline int tr_client_is_executing(const tr_client *c) {
    return c->cmd != NULL && c->wait == TR_WAIT_NONE;
}
void tr_client_init(tr_client *c, struct tr_exec *x, uint64_t id, uint32_t flags);
/* Takes it out of the tables and frees what it owns, not the struct. */
void tr_client_release(tr_client *c);
/* As after connecting, but still the same connection (RESET). */
void tr_client_reset(tr_client *c);
/* 0, TR_EINVAL (spaces, control or high bytes), TR_ENOMEM. Empty: unset. */
int tr_client_set_text(tr_client *c, tr_text *text, const char *p, size_t len);
/* The address of its end as CLIENT LIST shows it, "?:0" when there is none; asked for once and kept. Borrowed. */
const char *tr_client_addr(tr_client *c, size_t *len);
tr_client *tr_client_by_id(struct tr_exec *x, uint64_t id);

#endif
