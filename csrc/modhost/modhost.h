/* modhost.h - the server's end of modules in processes of their own (helpers).
 *
 *   client command --> tr_modhost_run() --> helper->pending --> handed over in a batch --> answers --> client
 *                                                                   | the helper asks back: serve_*.c
 *
 * A unit is one stretch of time in which a helper has the floor: a command, a granted ask (thread, timer,
 * descriptor), a callback of a blocked client. While a unit runs nobody else touches the keyspace; what it changes is
 * in the undo log of the store until it ends. Units of one helper run in the order in which they were handed over,
 * those of several helpers one after the other.
 *
 * tr_modhost_turn() hands over what waits and serves the helper for up to TR_MODHOST_WAIT_NS; a unit that takes
 * longer
 * is left running: the helper's eventfd is in the engine's poller, so the next turn goes on with it. Meanwhile
 * x->hold has TR_HOLD_FLOOR: other clients' commands wait (TR_WAIT_TURN), or get -BUSY after busy_ms. Units that
 * begin amid another command (EXEC, a script, a call from another module) are waited for to their end, at most
 * command_ms.
 *
 * Nothing of a helper is trusted. What breaks the protocol, its limits or its deadline, or dies, is failed
 * (tr_helper_fail): the unit's changes are undone, its client gets -MODULECRASH, units that were handed over behind
 * it go back to pending, the process is killed, and Python hears of it and may attach a new process to the same
 * helper (tr_helper_attach). A helper is never freed while the engine lives: commands point to it.
 *
 * One thread, that of the engine. Borrowed: exec, store, account.
 */
#ifndef TR_MODHOST_MODHOST_H
#define TR_MODHOST_MODHOST_H

#include "exec/exec.h"
#include "exec/runtime_commands.h"
#include "modhost/propagation.h"
#include "sandbox/wire/protocol.h"
#include "sandbox/wire/recorder.h"
#include "sandbox/wire/ring.h"
#include "sandbox/wire/session.h"

#define TR_MODHOST_WAIT_NS 1000000   /* how long a turn waits for a unit before other work of the process goes on */
#define TR_CALL_DEPTH_MAX 24           /* calls amid calls: each takes two of TR_WIRE_NEST_MAX places */
#define TR_MODHOST_SEND_MS 5000      /* how long a helper may leave the ring full, where command_ms sets no bound */
#define TR_MODHOST_HELPERS_MAX 256
#define TR_MODHOST_PENDING_MAX 100000 /* units of one helper that wait */
#define TR_MODHOST_SPARE_MAX 1024     /* units that are kept for the next ones; cron halves them */
#define TR_MODHOST_SPARE_BYTES_MAX 512 /* with messages up to this size */
#define TR_MODHOST_BATCH_MAX 128      /* handed over at once; below TR_WIRE_QUEUE_MAX */
#define TR_MODHOST_CATEGORIES_MAX 43  /* bits that the built-in ones leave */
#define TR_MODHOST_ASKS_MAX 1024      /* asks of one helper for the floor that wait */
#define TR_MODHOST_BLOCKS_MAX 1000000 /* clients that one helper keeps blocked, gone ones included */
#define TR_HELPER_NAME_MAX 64         /* bytes of a module's name, the NUL included */
#define TR_HELPER_REASON_MAX 256
#define TR_HELPER_REPORT_MAX 48       /* bytes of a report's id */
#define TR_HELPER_ARGV_BYTES_MAX 4096 /* of the command that is kept for a report */

struct tr_modhost;
struct tr_helper;

typedef enum tr_helper_state {
    TR_HELPER_NEW,       /* no process yet */
    TR_HELPER_LOADING,   /* a process is there, the module isn't */
    TR_HELPER_SERVING,
    TR_HELPER_DOWN,      /* crashed; a new process may be attached */
    TR_HELPER_PARKED,    /* crashed too often, or not to be restarted */
    TR_HELPER_UNLOADING,
    TR_HELPER_GONE,      /* unloaded */
    TR_HELPER_RESTORING, /* the module is there again and gets its values back; as good as down till then */
} tr_helper_state;

/* Why a helper was failed. */
typedef enum tr_fail_kind {
    TR_FAIL_NONE,
    TR_FAIL_DIED,     /* the process ended: a signal, exit, killed from outside */
    TR_FAIL_PROTOCOL, /* it broke the protocol */
    TR_FAIL_TIMEOUT,  /* a unit took longer than command_ms */
    TR_FAIL_LIMIT,    /* it flooded us or wanted too much */
    TR_FAIL_MEMORY,   /* we have no memory to serve it */
    TR_FAIL_ASKED,    /* the owner wanted it */
} tr_fail_kind;

typedef enum tr_unit_kind {
    TR_UNIT_COMMAND,
    TR_UNIT_LIFE,    /* grant_floor for loading or unloading */
    TR_UNIT_GRANT,   /* grant_floor that was asked for */
    TR_UNIT_BLOCKED, /* run_blocked */
    TR_UNIT_EVENT,   /* keyspace_event, run_job: answered with nothing */
} tr_unit_kind;

#define TR_UNIT_KNOWN_MAX 8   /* keys of a command that are told ahead of it */
#define TR_CHOSEN_KEYS_MAX 256 /* handles that a helper chooses, open at once */
#define TR_CHOSEN_KEY 0x80000000u

/* Where a key of a command is. */
typedef struct tr_known_key {
    uint32_t position; /* in argv */
    uint32_t at, len;  /* in the message */
} tr_known_key;

typedef struct tr_unit {
    struct tr_unit *next;   /* in the queue that it is in; of a nested one: the unit outside */
    uint8_t kind;           /* tr_unit_kind */
    uint8_t silent;         /* the reply is dropped: CLIENT REPLY */
    uint8_t nested;         /* runs amid another command */
    uint8_t proto;          /* of the reply */
    uint16_t type;          /* tr_msg_type of the message */
    uint64_t client_id;     /* 0: none */
    uint64_t request_id;    /* once handed over */
    uint64_t number;        /* TR_UNIT_GRANT: the ask; TR_UNIT_BLOCKED, or a command that blocks: the block */
    int64_t began_ns;       /* when it got the floor; 0: it has not */
    int64_t ended_ns;       /* when it gave it back */
    const tr_command *cmd;
    tr_client *nested_client; /* of a nested unit: alive as long as it is */
    int db_id;
    size_t undo_mark;
    tr_buf message;         /* encoded: the request as it is handed over; header first */
    tr_known_key known[TR_UNIT_KNOWN_MAX];
    uint32_t known_count;
    int argc;               /* of the command, in message: see tr_unit_argv() */
    uint8_t *hidden;        /* argc of them, 1: not to be shown; owned; NULL: none is */
    /* what the unit did */
    uint64_t effects;       /* as of run_command_answer */
    uint8_t verbatim;       /* ReplicateVerbatim was said */
    uint8_t called;         /* ran RM_Call, or touched a key that isn't the module's own value */
    tr_propagation propagation;
    int done;               /* answered; or failed: -1 */
} tr_unit;

/* A key that the helper has open. */
typedef struct tr_open_key {
    tr_db *db;
    char *name;      /* owned */
    uint32_t len;
    uint32_t mode;   /* REDISMODULE_READ, ... as the module gave it; 0: the slot is free */
    uint32_t next_free;
    const tr_unit *unit; /* that opened it; only compared */
} tr_open_key;

typedef struct tr_helper_stats {
    uint64_t commands, units, crashes, restarts, ns, blocked;
} tr_helper_stats;

struct tr_values;  /* types.c: module types and what is kept of their values */
struct tr_blocks;  /* blocked.c */
struct tr_filters;

/* A callback for keyspace events. */
typedef struct tr_key_listener {
    uint64_t classes; /* REDISMODULE_NOTIFY_... */
    uint32_t number;  /* as the helper knows it */
} tr_key_listener;

typedef struct tr_helper {
    struct tr_modhost *m;
    struct tr_helper *next;
    uint32_t id;
    uint8_t state; /* tr_helper_state */
    uint8_t parked_ring;     /* the ring writes to our eventfd */
    uint8_t ready;           /* it has the floor, was left running, and its eventfd was written to */
    uint8_t watched;         /* its descriptors are in the poller */
    uint8_t named;           /* SetModuleAttribs was said */
    const char *wrong;       /* what tr_helper_wrong() was told; static */
    char name[TR_HELPER_NAME_MAX]; /* the module's; the file's until SetModuleAttribs */
    int64_t version, api_version;
    uint64_t options;        /* REDISMODULE_OPTIONS_... */
    tr_shm shm;
    tr_ring ring;
    tr_session session;
    int wake_fd;             /* our eventfd, in the poller; owned */
    int host_wake_fd;        /* its eventfd; owned */
    int pidfd;               /* in the poller; owned; -1 */
    pid_t pid;
    tr_unit *pending, *pending_last;
    uint32_t pending_count;
    uint32_t asks;           /* for the floor, that wait or are granted */
    tr_unit *handed, *handed_last; /* in the order of handing over: the first one runs */
    uint32_t handed_count;
    tr_unit *inner;          /* the innermost unit that began amid a question of this helper; NULL: none */
    int64_t deadline_ns;     /* of the running unit; INT64_MAX: none */
    tr_open_key *keys;
    uint32_t key_cap, key_free;
    tr_open_key *chosen;     /* owned; those with handles of the helper's choice; NULL: none was ever there */
    uint32_t chosen_count;
    uint32_t command_count;  /* handles of commands given to this process */
    uint64_t used_bytes, peak_bytes; /* as it says */
    struct tr_values *values;
    struct tr_blocks *blocks;
    struct tr_filters *filters;
    tr_key_listener *subscriptions; /* owned */
    uint32_t subscription_count;
    uint64_t events_wanted;  /* server events, by their numbers */
    uint8_t has_info;        /* RegisterInfoFunc was called */
    tr_helper_stats stats;
    /* the last failure, until Python has taken it */
    uint8_t failed;          /* tr_fail_kind */
    uint8_t events;          /* TR_HELPER_EVENT_... not taken yet */
    char reason[TR_HELPER_REASON_MAX];
    char report[TR_HELPER_REPORT_MAX];
    char running[TR_HELPER_NAME_MAX * 2]; /* the command that ran, or what kind of unit; empty: none */
    uint64_t running_client;
    int64_t running_us;
    tr_buf running_argv;     /* u32 length, bytes; cut to TR_HELPER_ARGV_BYTES_MAX */
    tr_buf answer;           /* the message being looked at */
} tr_helper;

enum { /* for Python */
    TR_HELPER_EVENT_LOADED = 1,  /* the floor for loading or unloading has come back */
    TR_HELPER_EVENT_FAILED = 2,
    TR_HELPER_EVENT_RESTORED = 8, /* tr_helper_loaded() said that it would come: it serves */
    TR_HELPER_EVENT_NOT_TAKEN_BACK = 4, /* values stayed changed by a unit that was undone; statistics say how many */
};

/* A call that runs, on the stack of who runs it. */
typedef struct tr_caller {
    struct tr_caller *outer;
    tr_unit *unit;   /* NULL: it is no more, or there was none */
    uint8_t outside; /* there was none */
} tr_caller;

typedef struct tr_modhost_hooks {
    void *ctx;
    /* The client has no units left and may go on with its input, or has output to be sent. */
    void (*go_on)(void *ctx, tr_client *c);
    void (*output)(void *ctx, tr_client *c);
    /* The floor is back: clients in TR_WAIT_TURN are to be tried again. */
    void (*floor_back)(void *ctx);
    /* Watch this descriptor for the helper, or no longer. 0 or an error. */
    int (*watch)(void *ctx, int fd, tr_helper *h);
    void (*unwatch)(void *ctx, int fd);
    /* There is an event to be taken by tr_modhost_take_event(). */
    void (*event)(void *ctx);
    /* Where the client comes from: 1 and both, or 0: unknown. May be NULL. */
    int (*address)(void *ctx, const tr_client *c, char *out, size_t cap, uint16_t *port);
} tr_modhost_hooks;

typedef struct tr_modhost {
    tr_exec *x;
    tr_mem *mem;
    tr_helper *helpers;       /* the oldest first */
    uint32_t next_helper_id;
    tr_helper *floor;         /* who has it at the bottom of all nesting; NULL: the engine */
    tr_helper *served;        /* who had it last; NULL: nobody yet */
    tr_unit *spare;           /* not in use */
    uint32_t spare_count;
    uint32_t report_count;
    int64_t command_ms;       /* module-command-timeout; 0: none */
    int64_t busy_ms;          /* busy-reply-threshold */
    int64_t floor_ns;         /* when the floor was given */
    uint8_t mends;            /* some helper has values that are to be made anew */
    uint8_t mending;
    uint8_t forgets_values;   /* module-durability is off */
    tr_caller *caller;        /* whose call runs now, innermost; NULL: none does */
    uint32_t call_depth;
    char categories[TR_MODHOST_CATEGORIES_MAX][TR_HELPER_NAME_MAX]; /* of ACL, that modules added */
    int category_count;
    struct tr_told *told, *told_last; /* events that modules are to hear of; events.c */
    uint32_t told_count;
    uint64_t told_lost;       /* for want of memory, or too many */
    int telling;
    uint64_t events_wanted;   /* by any helper */
    uint64_t classes_wanted;  /* of keyspace events, by any helper */
    tr_modhost_hooks hooks;
} tr_modhost;

/* ------------------------------------------------------------------ the owner's side: engine, Python */

void tr_modhost_init(tr_modhost *m, tr_exec *x, tr_mem *mem);
/* Kills what is left. All clients must be closed. */
void tr_modhost_release(tr_modhost *m);
/* A new helper in state NEW. NULL: no memory or too many. */
tr_helper *tr_modhost_add(tr_modhost *m, const char *name);
tr_helper *tr_modhost_helper(tr_modhost *m, uint32_t id);
/* New shared memory and eventfds for a process that is to be started; *shm_fd and the eventfds stay ours, the new
 * process gets duplicates: shm, host_wake (it waits on that one), engine_wake (it writes to that one). State NEW or
 * DOWN. 0, TR_ENOMEM, TR_EIO. */
int tr_helper_prepare(tr_helper *h, int *shm_fd, int *host_wake_fd, int *engine_wake_fd);
/* The process has been started and has greeted: pidfd is stolen. Then it is granted the floor to load the module:
 * TR_HELPER_EVENT_LOADED comes when it is back, or FAILED. 0 or a negative code. */
int tr_helper_attach(tr_helper *h, pid_t pid, int pidfd);
/* Python has the load's answer: the module serves from now on; or (ok 0, in any state) it is given up and GONE.
 * 1: it gets its values back first, and TR_HELPER_EVENT_RESTORED or FAILED comes; else 0. */
int tr_helper_loaded(tr_helper *h, int ok);
/* Grants the floor for unloading; LOADED comes. TR_EAGAIN: timers, blocked clients, units or values of its types are
 * there (reason tells). */
int tr_helper_unload(tr_helper *h);
/* After the unload function agreed, or for a module that is parked: commands go, the helper is GONE. ok 0: it goes on
 * serving. */
void tr_helper_unloaded(tr_helper *h, int ok);
/* Ends it: as after a crash of this kind. */
void tr_helper_fail(tr_helper *h, tr_fail_kind kind, const char *why);
/* After FAILED was taken: it will not be restarted; clients that wait get -MODULEDOWN. */
void tr_helper_park(tr_helper *h);
/* The next helper with events, which are cleared: *events. NULL: none. */
tr_helper *tr_modhost_take_event(tr_modhost *m, uint8_t *events);
/* Something happens (x->hooks.happens): modules hear of it when the command that runs has ended. ctx: the modhost. */
void tr_modhost_happens(void *ctx, const tr_happening *what);
/* A client has come or goes. */
void tr_modhost_client_changed(tr_modhost *m, const tr_client *c, int is_gone);
/* Hands over, serves, waits. 1: there is more to do at once. */
int tr_modhost_turn(tr_modhost *m);
/* A descriptor of the helper is ready. */
void tr_modhost_ready(tr_helper *h);
/* Deadlines; from cron. */
void tr_modhost_cron(tr_modhost *m);
/* Something can be handed over to it. */
static inline int tr_helper_has_work(const tr_helper *h) {
    if (h->state == TR_HELPER_RESTORING) return h->ready || !h->parked_ring;
    if (h->pending == NULL) return 0;
    if (h->state == TR_HELPER_SERVING) return 1;
    int lives = h->state == TR_HELPER_LOADING || h->state == TR_HELPER_UNLOADING;
    return lives && h->pending->kind == TR_UNIT_LIFE;
}
static inline int tr_modhost_has_work(const tr_modhost *m) {
    if (m->floor != NULL) return m->floor->ready; /* else its eventfd tells */
    if (m->told != NULL) return 1;
    for (const tr_helper *h = m->helpers; h != NULL; h = h->next)
        if (tr_helper_has_work(h)) return 1;
    return 0;
}

/* Positions of keys, by asking the module (a command flagged getkeys-api). Adds to keys. 0, TR_EAGAIN, TR_ECLOSED,
 * TR_EINVAL, TR_ENOMEM. */
int tr_modhost_get_keys(tr_modhost *m, const tr_command *cmd, const tr_arg *argv, int argc, struct tr_keys *keys);
/* What the module adds to INFO, appended to *out: all sections, or those named ("<module>_<section>" or the module's
 * name). TR_ENOENT: it has nothing to say; TR_EAGAIN: it is busy; TR_ECLOSED: it failed; TR_ENOMEM. */
int tr_modhost_info(tr_helper *h, int all, int for_crash, const tr_arg *sections, int count, tr_buf *out);
/* x->hooks.run_module: runs or queues the client's command, whose handler_kind is TR_HANDLER_MODULE. */
void tr_modhost_run(void *ctx, tr_client *c);

/* ------------------------------------------------------------------ for the serve_*.c files */

/* Serves one kind of request or one-way message of a helper. body is decoded, borrowed for the call. 0, or after a
 * mistake that ends the helper: the return of tr_helper_wrong(). */
typedef int tr_modhost_serve(tr_helper *h, const tr_wire_header *header, const void *body);

/* Notes why the helper is to be ended; -> TR_EPROTO. */
int tr_helper_wrong(tr_helper *h, const char *why);
/* Answers the request. 0, or a code that is to be returned. */
int tr_helper_answer(tr_helper *h, const tr_wire_header *request, const void *body);
/* Sends a request and waits for the answer, serving what the helper asks meanwhile; at most command_ms. type is one
 * of
 * the engine's requests; the answer is decoded into *out and borrows from *hold, which the caller releases with
 * tr_buf_release(mem, hold). Works amid a question of this helper (nested), or, when it has no floor, as a unit of
 * its own. 0, TR_EAGAIN: it is busy with a unit that was left running, or it isn't serving; TR_ECLOSED: it failed
 * meanwhile. */
int tr_helper_ask(tr_helper *h, tr_msg_type type, const void *body, void *out, tr_buf *hold);
/* A one-way message; leaves with the next flush. 0 or it was failed. */
int tr_helper_tell(tr_helper *h, tr_msg_type type, const void *body);
/* The unit that runs in this helper now (innermost); NULL: none. */
static inline tr_unit *tr_helper_unit(const tr_helper *h) {
    return h->inner != NULL ? h->inner : h->handed;
}
/* A command for AOF and replicas, of the unit that runs or outside of one. 0, TR_ENOMEM, TR_ELIMIT. */
int tr_modhost_propagate(tr_helper *h, int db_id, uint8_t flags, const tr_arg *argv, int argc);
/* Queues a unit (stolen) at the end; it is handed over in the next turn. */
void tr_helper_queue(tr_helper *h, tr_unit *unit);
/* A unit with its message encoded. NULL: no memory, or the body breaks its bounds. */
tr_unit *tr_unit_new(tr_helper *h, tr_unit_kind kind, tr_msg_type type, const void *body);
/* The helper has answered, and the answer is in order: what the unit did stays. Before its reply is made. 0, or a
 * code that
 * fails the helper: it can't be kept for another process. */
int tr_unit_commit(tr_helper *h, tr_unit *unit);
/* The command and its arguments as they were sent: argv has room for unit->argc; borrowed from the unit. */
void tr_unit_argv(const tr_unit *unit, tr_arg *argv);
/* Notes in *hidden (argc of them, made when it is NULL) that an argument must not be shown. 0 or TR_ENOMEM. */
int tr_modhost_hide(tr_mem *mem, uint8_t **hidden, int argc, uint32_t position);
/* Puts something else in the place of what is hidden. hidden may be NULL. */
void tr_modhost_cover(tr_arg *argv, int argc, const uint8_t *hidden);
/* Bits of REDISMODULE_CTX_FLAGS_... and REDISMODULE_CLIENTINFO_FLAG_... for messages. c may be NULL. */
uint64_t tr_modhost_context_flags(const tr_modhost *m, const tr_client *c);
uint64_t tr_modhost_client_flags(const tr_client *c);

/* Requests and one-way messages of helpers, by message. */
tr_modhost_serve tr_modhost_register_command; /* serve_register.c */
tr_modhost_serve tr_modhost_command_info;
tr_modhost_serve tr_modhost_command_categories;
tr_modhost_serve tr_modhost_add_category;
tr_modhost_serve tr_modhost_command_keys;
tr_modhost_serve tr_modhost_module_options;
tr_modhost_serve tr_modhost_name_busy;
tr_modhost_serve tr_modhost_memory_used;
tr_modhost_serve tr_modhost_memory_ratio;
tr_modhost_serve tr_modhost_register_filter;  /* filters.c */
tr_modhost_serve tr_modhost_unregister_filter;
tr_modhost_serve tr_modhost_open_key;         /* serve_key.c */
tr_modhost_serve tr_modhost_open_known;
tr_modhost_serve tr_modhost_close_key;
tr_modhost_serve tr_modhost_delete_key;
tr_modhost_serve tr_modhost_set_expire;
tr_modhost_serve tr_modhost_key_exists;
tr_modhost_serve tr_modhost_db_size;
tr_modhost_serve tr_modhost_random_key;
tr_modhost_serve tr_modhost_get_age;
tr_modhost_serve tr_modhost_set_age;
tr_modhost_serve tr_modhost_select_db;
tr_modhost_serve tr_modhost_signal_modified;
tr_modhost_serve tr_modhost_string_set;
tr_modhost_serve tr_modhost_string_get;
tr_modhost_serve tr_modhost_string_write;
tr_modhost_serve tr_modhost_string_truncate;
tr_modhost_serve tr_modhost_scan;
tr_modhost_serve tr_modhost_call;             /* serve_call.c */
tr_modhost_serve tr_modhost_abort_promise;
tr_modhost_serve tr_modhost_replicate;        /* replicate.c */
tr_modhost_serve tr_modhost_replicate_verbatim;
tr_modhost_serve tr_modhost_avoid_replica_traffic;
tr_modhost_serve tr_modhost_register_type;    /* serve_type.c */
tr_modhost_serve tr_modhost_set_value;
tr_modhost_serve tr_modhost_ask_floor;        /* floor.c */
tr_modhost_serve tr_modhost_drop_ask;
tr_modhost_serve tr_modhost_try_floor;
tr_modhost_serve tr_modhost_yield;
tr_modhost_serve tr_modhost_block_client;     /* blocked.c */
tr_modhost_serve tr_modhost_unblock_client;
tr_modhost_serve tr_modhost_signal_ready;
tr_modhost_serve tr_modhost_subscribe_event;  /* server_events.c */
tr_modhost_serve tr_modhost_subscribe_keyspace; /* events.c */
tr_modhost_serve tr_modhost_notify_keyspace;
tr_modhost_serve tr_modhost_notify_classes;
tr_modhost_serve tr_modhost_add_job;
tr_modhost_serve tr_modhost_register_info;    /* serve_server.c */
tr_modhost_serve tr_modhost_server_info;
tr_modhost_serve tr_modhost_publish;
tr_modhost_serve tr_modhost_client_info;
tr_modhost_serve tr_modhost_set_client_name;
tr_modhost_serve tr_modhost_client_certificate;
tr_modhost_serve tr_modhost_redact;
tr_modhost_serve tr_modhost_latency_sample;

/* What other files do at the turns of a helper's life. Each is in the file of its subject. */
void tr_modhost_close_keys(tr_helper *h);               /* serve_key.c: all of them */
void tr_modhost_unit_ends(tr_helper *h, tr_unit *unit); /* replicate.c: it ended well; its effects count */
void tr_modhost_values_lost(tr_helper *h);              /* values.c: the process is gone */
/* floor.c, blocked.c: answers to grant_floor and run_blocked: decode, judge, tr_unit_commit(), then what follows. 0
 * or a
 * code that fails the helper. message holds header and body. */
int tr_modhost_grant_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message);
int tr_modhost_blocked_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message);
/* blocked.c: the helper failed while the callback ran, or before it could. */
void tr_modhost_blocked_crashed(tr_helper *h, tr_unit *unit, const char *error);
/* blocked.c: a command was answered, what it replied is written. 1: it has blocked its client, which does not go
 * on. */
int tr_modhost_has_blocked(tr_helper *h, tr_unit *unit);
void tr_modhost_values_release(tr_helper *h);           /* values.c: with the helper */
void tr_modhost_blocks_lost(tr_helper *h, const char *error); /* blocked.c: each client gets the error */
void tr_modhost_blocks_release(tr_helper *h);
void tr_modhost_filters_lost(tr_helper *h);             /* filters.c: the process is gone */
void tr_modhost_filters_release(tr_helper *h);
void tr_modhost_subscriptions_lost(tr_helper *h);       /* events.c */
/* events.c: gives out what has gathered. */
void tr_modhost_tell(tr_modhost *m);
void tr_modhost_told_release(tr_modhost *m);
uint64_t tr_modhost_block_count(const tr_helper *h);    /* blocked.c */

#endif
