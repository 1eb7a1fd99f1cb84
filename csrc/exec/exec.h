/* exec.h - running commands: one dispatch for every caller, and what is counted on the way.
 *
 *   client.argv -> find command -> arity -> permissions -> memory -> pause -> run -> statistics -> wait or go on
 *
 * tr_execute() serves clients, scripts, modules and loading alike. A command's handler is a C
 * function or a Python one; an asynchronous Python one leaves the client waiting (TR_WAIT_PYTHON)
 * until tr_exec_finish(). Owns the table of clients, the statistics and the pause; borrows store,
 * clock and memory account. One thread.
 */
#ifndef TR_EXEC_EXEC_H
#define TR_EXEC_EXEC_H

#include <stdint.h>

#include "base/clock.h"
#include "exec/blocking.h"
#include "exec/client.h"
#include "exec/latency.h"
#include "exec/latency_events.h"
#include "exec/monitor.h"
#include "exec/notify.h"
#include "exec/pubsub.h"
#include "exec/renames.h"
#include "exec/runtime_commands.h"
#include "exec/slowlog.h"
#include "store/store.h"

#define TR_ERROR_KINDS_MAX 128 /* different first words of errors that are counted one by one */
#define TR_ERROR_KIND_LEN 32
#define TR_BUSY_TEXT_MAX 256 /* bytes of what a module says while it keeps everybody waiting */
#define TR_STRING_MAX_DEFAULT ((int64_t)512 << 20)
#define TR_UNKNOWN_ARGS_MAX 128 /* bytes of arguments shown with an unknown command */

/* What Python (or a test) hangs in. Functions may be NULL. */
struct tr_propagation;

/* Server events, by the numbers of the module API. */
enum {
    TR_HAPPENS_FLUSH = 2,     /* subevent: 0 begins, 1 ends; numbers: 1 not in background, database (-1: all) */
    TR_HAPPENS_CLIENT = 4,    /* 0 connected, 1 gone; flags, id, port, database; address */
    TR_HAPPENS_SHUTDOWN = 5,
    TR_HAPPENS_CRON = 8,      /* runs a second */
    TR_HAPPENS_MODULE = 9,    /* 0 loaded, 1 unloaded; version; name */
    TR_HAPPENS_SWAP = 11,     /* both databases */
    TR_HAPPENS_CONFIG = 16,   /* names of directives */
    TR_HAPPENS_KEY = 17,      /* one of those below; database; key */
};
enum { TR_KEY_WAS_DELETED, TR_KEY_HAS_EXPIRED, TR_KEY_WAS_EVICTED };

typedef struct tr_happening {
    uint32_t event, subevent; /* TR_HAPPENS_... */
    uint32_t number_count, text_count;
    int64_t numbers[4];
    const char *text;         /* borrowed; of several texts each has a NUL behind it */
    size_t len;
} tr_happening;

typedef struct tr_exec_hooks {
    void *ctx;
    void *python_ctx;
    /* With python_ctx: runs a synchronous Python command: it writes its reply into the client. */
    void (*call_python)(void *python_ctx, tr_client *c);
    /* With python_ctx: 1 when user and password are right. user NULL: the default user. */
    int (*authenticate)(void *python_ctx, tr_client *c, const char *user, size_t user_len,
                        const char *pass, size_t pass_len);
    /* With module_ctx: runs a module's command, or queues it: then the client has one more unit. */
    void (*run_module)(void *module_ctx, tr_client *c);
    void *module_ctx;
    /* With module_ctx: shows a command to filters of modules, which may change argv. NULL while there is none. */
    void (*filter)(void *module_ctx, tr_client *c);
    /* With module_ctx: a command has ended and x->after has bits, which it clears. */
    void (*after)(void *module_ctx);
    /* With module_ctx: something happens that modules may want to hear of. NULL while none does. */
    void (*happens)(void *module_ctx, const tr_happening *what);
    /* With ctx: commands for AOF and replicas, one transaction; borrowed. */
    void (*propagate)(void *ctx, const struct tr_propagation *commands);
    /* With ctx: the client waits for Python from now on. */
    void (*waiting)(void *ctx, tr_client *c);
    /* With ctx: a message for the client stands in its output; it may be any client, and must not be closed now. */
    void (*pushed)(void *ctx, tr_client *c);
    /* With ctx: writes the address of the client's end, TR_CLIENT_ADDR_MAX bytes at most; the length, or 0: nobody
     * knows it. */
    size_t (*address)(void *ctx, const tr_client *c, char *out);
} tr_exec_hooks;

typedef struct tr_command_stats {
    uint64_t calls;
    uint64_t ns;
    uint64_t rejected;
    uint64_t failed;
    tr_latency *latency; /* owned; NULL until the first call or when latency tracking is off */
} tr_command_stats;

typedef struct tr_error_kind {
    char code[TR_ERROR_KIND_LEN];
    uint64_t count;
} tr_error_kind;

typedef struct tr_exec_stats {
    uint64_t commands;
    uint64_t errors;          /* error replies */
    uint64_t unknown_commands;
    uint64_t auth_failures;
} tr_exec_stats;

/* Commands that somebody may want to read about in the log; how often, and the last one of each. */
typedef struct tr_exec_notes {
    uint64_t flushes, flushed_keys, flush_client;
    uint64_t swaps, swap_client;
    int flush_db; /* -1: all */
    int flush_lazy;
    int swap_first, swap_second;
    uint64_t busy, busy_client; /* commands that ran for longer than tr_exec.busy_ms; the last one */
    int64_t busy_ns;
    const char *busy_command;   /* borrowed for ever */
} tr_exec_notes;

/* Bits of tr_exec.hold: why commands of clients don't run at once. */
enum {
    TR_HOLD_PAUSE = 1, /* CLIENT PAUSE */
    TR_HOLD_FLOOR = 2, /* a module runs and takes its time: commands wait */
    TR_HOLD_BUSY = 4,  /* ... for longer than busy-reply-threshold: they are refused */
};

/* Bits of tr_exec.after: what is to be done when the command that runs has ended. */
enum { TR_AFTER_TELL = 1 }; /* modules are to hear what happened to keys */

typedef enum tr_pause { TR_PAUSE_NONE, TR_PAUSE_WRITES, TR_PAUSE_ALL } tr_pause;

typedef struct tr_exec {
    tr_mem *mem;
    tr_store *store;
    const tr_clock *clock;
    tr_out_pool pool;
    tr_outq sink;             /* takes replies that nobody wants */
    tr_hash clients;          /* by id */
    tr_hash watched;          /* keys that somebody watches; see multi.h */
    tr_pubsub pubsub;
    tr_notify notify;
    uint64_t next_client_id;
    uint64_t client_count;    /* without TR_CLIENT_INTERNAL */
    int64_t now_us;           /* wall clock of this run of commands */
    int64_t wall_offset_ns;   /* wall minus monotonic, measured once a turn */
    int64_t stopwatch_ns;     /* monotonic: when the running command began, or the last one ended */
    tr_command_stats *stats;  /* by command id */
    tr_error_kind *errors;
    int error_kind_count;
    tr_exec_stats totals;
    tr_exec_notes notes;
    tr_renames renames;
    int64_t slowest_ns;       /* of the commands since tr_exec_turn() */
    const tr_command *slowest;
    uint32_t hold;            /* TR_HOLD_... */
    uint32_t after;           /* TR_AFTER_... */
    char busy_text[TR_BUSY_TEXT_MAX]; /* for who is refused by TR_HOLD_BUSY; empty: a general one */
    tr_blocking blocking;     /* clients that wait */
    tr_runtime runtime;       /* commands of modules */
    int64_t look_ns;          /* a command that takes longer concerns monitors, slow log, latency events or the log */
    int64_t notable_ns;       /* the smaller of both: the one figure that is looked at after every command */
    int64_t busy_ms;          /* busy-reply-threshold; 0: none */
    tr_feed feed;
    tr_slowlog slowlog;
    tr_latency_events latency_events;
    tr_pause pause;
    int64_t pause_until_ms;
    uint64_t paused_clients;
    int64_t string_max;       /* bytes of the longest string that a command may make (proto-max-bulk-len) */
    int password_set;         /* new clients must authenticate */
    int latency_tracking;
    int debug_enabled;        /* TR_DEBUG_...: who may use DEBUG */
    int module_enabled;       /* TR_DEBUG_...: who may use MODULE */
    tr_exec_hooks hooks;
} tr_exec;

enum { TR_DEBUG_NO, TR_DEBUG_LOCAL, TR_DEBUG_YES };

/* It has authenticated, or nobody needs to: the password may have been taken away since it came. */
static inline int tr_client_may_enter(const tr_client *c) {
    return c->flags & TR_CLIENT_AUTHENTICATED || !c->x->password_set;
}

/* 0 or TR_ENOMEM. */
int tr_exec_init(tr_exec *x, tr_mem *mem, tr_store *store, const tr_clock *clock);
/* All clients must be released. */
void tr_exec_release(tr_exec *x);
/* Monitors, slow log, latency events or busy_ms have changed: sets look_ns. */
void tr_exec_look_at(tr_exec *x);
/* tr_store_make_room(), with the time that it takes as latency events. */
int tr_exec_make_room(tr_exec *x);
/* Wall clock at the end of the last command, or at the beginning of this run, microseconds. */
static inline int64_t tr_exec_clock_us(const tr_exec *x) {
    return (x->stopwatch_ns + x->wall_offset_ns) / 1000;
}
/* A turn of the loop begins: compares the clocks, forgets the slowest command. */
void tr_exec_turn(tr_exec *x);
/* A run of commands begins: sets the wall clock for the store, starts the stopwatch. */
void tr_exec_begin(tr_exec *x);
/* The command that a name means to clients; NULL: none. */
const tr_command *tr_exec_find(const tr_exec *x, const char *name, size_t len);
/* The command or subcommand in argv, by those names; NULL: none. */
const tr_command *tr_exec_resolve(const tr_exec *x, const tr_arg *argv, int argc);
/* Runs the command in c->argv, c->argc >= 1. Afterwards c->wait tells whether the client may go
 * on. */
void tr_execute(tr_client *c);
/* EXEC: runs what the client has queued, in one go, and replies; the queue and the watches are gone afterwards. */
void tr_exec_run_queue(tr_client *c);
/* Static commands and those of modules, gone ones included: ids are below. */
int tr_exec_command_count(const tr_exec *x);
/* A module command that was queued for this client has replied, after so long. Its arguments are borrowed, and needed
 * only where tr_exec_looks() says so; argc 0: they are not there. */
void tr_exec_unit_done(tr_client *c, const tr_command *cmd, const tr_arg *argv, int argc, int64_t now_ns, uint64_t ns,
                       int failed);
/* 1 when somebody wants to see a command that took so long. */
static inline int tr_exec_looks(const tr_exec *x, uint64_t ns) {
    return (int64_t)ns > x->look_ns;
}
/* The asynchronous Python command of this client has replied. */
void tr_exec_finish(tr_client *c);
/* CLIENT PAUSE; the longer of two ends and the stronger of two modes wins. */
void tr_exec_pause(tr_exec *x, tr_pause mode, int64_t until_ms);
void tr_exec_unpause(tr_exec *x);
/* 1 when a pause is over by now: it is then cleared, and the waiting clients should be tried
 * again. */
int tr_exec_pause_ended(tr_exec *x);
/* CONFIG RESETSTAT. */
void tr_exec_reset_stats(tr_exec *x);
/* For FLUSHDB, FLUSHALL and SWAPDB. */
void tr_exec_note_flush(const tr_client *c, int db_id, uint64_t keys, int lazy);
void tr_exec_note_swap(const tr_client *c, int first, int second);
void tr_exec_count_error(tr_exec *x, const char *text, size_t len);

#endif
