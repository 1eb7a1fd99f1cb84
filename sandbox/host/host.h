/* host.h - the host program: what it knows, and what its parts lend each other.
 *
 *   engine's messages -> link.c -> tr_serve_<message>() -> callback of the module
 *                                                              | RedisModule_X
 *                                       engine <- link.c <- tr_rm_X()   (api_<subject>.c)
 *
 * One module is loaded, one thread at a time has the data channel: the main thread, or the thread
 * that holds the module's lock (baton.h). What needs no channel may be called from any thread.
 *
 * A forked child has memory and no server: what it logs arrives, what else it would say does not,
 * and asking ends it.
 *
 * The process is expendable. Whatever can't go on ends it by tr_host_die(), which leaves a report;
 * so memory is never NULL here, and a message that the protocol forbids is never sent.
 *
 * Every function of the module API is tr_rm_<Name>, declared in the generated api_functions.h with
 * the types of redismodule.h. The table of names there is what the loader resolves. Its first
 * statement notes the call for the flight recorder: TR_NOTE(OpenKey, ctx, keyname, mode).
 */
#ifndef TR_HOST_HOST_H
#define TR_HOST_HOST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define REDISMODULE_CORE
#include "sandbox/include/redismodule.h"

#include "sandbox/crash.h"
#include "sandbox/host/api_functions.h"
#include "sandbox/host/need.h"
#include "sandbox/loader.h"
#include "sandbox/wire/protocol.h"
#include "sandbox/wire/recorder.h"
#include "sandbox/wire/ring.h"
#include "sandbox/wire/session.h"

/* ------------------------------------------------------------------ strings */

/* Counted; the count is atomic, since threads may share strings. len bytes and a NUL at p. */
struct RedisModuleString {
    _Atomic int refs;
    size_t len;
    size_t cap; /* usable bytes at p without the NUL */
    char *p;    /* small, or a block of its own */
    char small[];
};

/* One reference for the caller. */
RedisModuleString *tr_string_new(const void *p, size_t len);
void tr_string_free(RedisModuleString *s);
static inline RedisModuleString *tr_string_hold(RedisModuleString *s) {
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}
static inline tr_wire_bytes tr_string_wire(const RedisModuleString *s) {
    return (tr_wire_bytes){.at = (const uint8_t *)s->p, .len = (uint32_t)s->len};
}
/* An argument vector of a message: argc strings in a block to be freed by tr_argv_free(). */
RedisModuleString **tr_argv_from_wire(const tr_wire_list *list, int *argc);
void tr_argv_free(RedisModuleString **argv, int argc);
/* The items of a list for a message; free() them after sending. */
tr_wire_bytes *tr_argv_to_wire(RedisModuleString *const *argv, int argc, tr_wire_list *list);

/* ------------------------------------------------------------------ replies */

#define TR_REPLY_CODES_MAX 64 /* codes of errors that are counted for one reply: what the message holds */

/* RESP for the client, built locally and sent whole (reply.h). */
typedef struct tr_reply {
    tr_bytes out;
    uint8_t resp; /* 2 or 3 */
    bool failed;  /* has an error among what was written */
    size_t *open; /* offsets where the headers of postponed lengths go, the innermost last; owned */
    uint32_t open_count, open_cap;
    tr_bytes codes;        /* first words of the errors, one after the other, NUL-ended */
    uint32_t code_count;
} tr_reply;

void tr_reply_init(tr_reply *reply, uint8_t resp);
void tr_reply_drop(tr_reply *reply);
/* Before it is sent: lengths that are still postponed are set to what was written since; an error takes the place of
 * what is not one whole reply, or is larger than messages are. Both are logged. */
void tr_reply_finish(tr_reply *reply);
/* text is "CODE message", without '-'; ends of lines in it become spaces. Counted. */
void tr_reply_add_error(tr_reply *reply, const char *text, size_t len);
/* Bytes that are RESP of the reply's version. */
void tr_reply_add_raw(tr_reply *reply, const void *p, size_t len);

/* ------------------------------------------------------------------ commands */

typedef struct tr_host_command {
    struct tr_host_command *next;
    struct tr_host_command *parent; /* NULL: none */
    uint32_t handle;                /* from the engine */
    char *fullname;                 /* "container|sub" */
    RedisModuleCmdFunc run;
    bool getkeys; /* flagged getkeys-api or getchannels-api: asked for positions */
    bool getchannels;
    bool described; /* SetCommandInfo() has said something that it can't take back */
} tr_host_command;

/* ------------------------------------------------------------------ contexts */

/* Bits of RedisModuleCtx.flags. */
enum {
    TR_CTX_COMMAND = 1 << 0,       /* runs a command; argv and client are there */
    TR_CTX_LOAD = 1 << 1,          /* of OnLoad and OnUnload */
    TR_CTX_KEYS = 1 << 2,          /* asked for positions of keys */
    TR_CTX_CHANNELS = 1 << 3,      /* ... of channels */
    TR_CTX_THREAD = 1 << 4,        /* of a thread; lives until FreeThreadSafeContext */
    TR_CTX_BLOCKED_REPLY = 1 << 5, /* runs the reply callback of a blocked client */
    TR_CTX_BLOCKED_TIMEOUT = 1 << 6,
    TR_CTX_BLOCKED_GONE = 1 << 7,  /* ... disconnected */
    TR_CTX_AUTO = 1 << 8,          /* AutoMemory() was said */
    TR_CTX_NO_CLIENT = 1 << 9,     /* replies go nowhere: timers, events, type callbacks */
    TR_CTX_REPLICATED = 1 << 10,   /* ReplicateVerbatim */
};

/* Bits of RedisModuleCtx.effects, as run_command_answer has them. */
enum {
    TR_EFFECT_BLOCKED = 1 << 0,
    TR_EFFECT_VERBATIM = 1 << 1,
    TR_EFFECT_FAILED = 1 << 2, /* the reply holds an error */
    TR_EFFECT_ARITY = 1 << 3,  /* WrongArity() was called */
    TR_EFFECT_CLOSE = 1 << 4,
};

/* What AutoMemory() frees at the end. */
typedef enum tr_auto_kind {
    TR_AUTO_STRING,
    TR_AUTO_KEY,
    TR_AUTO_REPLY,
    TR_AUTO_DICT,
    TR_AUTO_INFO,
    TR_AUTO_USER,
} tr_auto_kind;

typedef struct tr_auto {
    tr_auto_kind kind;
    void *p;
} tr_auto;

typedef struct tr_pool_block tr_pool_block; /* api_memory.c */

struct RedisModuleCtx {
    void *get_api; /* first: modules look the API up by it */
    uint32_t flags;
    tr_host_command *command; /* NULL: none runs */
    uint64_t client_id;       /* 0: none */
    uint64_t client_flags;    /* REDISMODULE_CLIENTINFO_FLAG_... */
    uint64_t context_flags;   /* REDISMODULE_CTX_FLAGS_... */
    uint64_t user;            /* handle of SetContextUser(); 0: none */
    RedisModuleString *user_name; /* NULL: none */
    uint32_t db;
    int64_t now_us;
    RedisModuleString **argv; /* owned */
    int argc;
    tr_reply reply;
    tr_auto *autos;
    uint32_t auto_count, auto_cap;
    tr_pool_block *pool;
    RedisModuleKey *keys; /* open ones, the newest first */
    tr_numbers positions, position_flags; /* of KeyAtPos and the like */
    tr_numbers redacted;
    uint64_t effects;                    /* of run_command_answer */
    struct RedisModuleBlockedClient *blocked; /* whose callback runs, or whose thread this is; NULL */
    struct tr_known *known;              /* keys told ahead of the command; NULL: none; owned */
    RedisModuleString *ready_key;        /* of a client blocked on keys */
};

/* An empty context with the API in it and the server's clock; resp 2, database 0. */
void tr_ctx_init(RedisModuleCtx *ctx, uint32_t flags);
/* The callback is over, its answer is not sent yet: what must reach the engine before is told. */
void tr_ctx_end(RedisModuleCtx *ctx);
/* Closes keys, frees what AutoMemory() owns, argv, reply and pool; not the struct. */
void tr_ctx_release(RedisModuleCtx *ctx);
/* p is to be freed with the context, if that frees things. ctx may be NULL. */
void tr_ctx_own(RedisModuleCtx *ctx, tr_auto_kind kind, void *p);
/* The module frees it itself. 1: the context had it. */
int tr_ctx_disown(RedisModuleCtx *ctx, tr_auto_kind kind, void *p);
void tr_pool_release(tr_pool_block *pool);

/* ------------------------------------------------------------------ the process */

typedef enum tr_death {
    TR_DIE_ASSERT = 1, /* of the module */
    TR_DIE_MEMORY = 3,
    TR_DIE_HOST = 4,   /* the host gives up: misuse of the API, a broken channel */
} tr_death;

typedef struct tr_host {
    tr_mem mem; /* of loader and wire */
    tr_shm shm;
    tr_ring ring;
    tr_session session; /* of the data channel */
    int control_fd;
    tr_loader loader;
    bool loading;   /* OnLoad runs */
    bool unloading;
    bool serving;
    bool module_forks;  /* fork() and its like work for the module */
    bool forked;        /* this is a child: the channels and the recorder are another process's */
    char *module_name; /* as SetModuleAttribs had it; NULL before */
    char *busy_name;   /* asked for last of those that other modules have; or NULL */
    int module_version, api_version;
    uint64_t options;   /* REDISMODULE_OPTIONS_... */
    uint32_t server_version;
    int64_t now_us;     /* the cached clock: of the last grant of the floor */
    tr_host_command *commands;
    uint32_t type_count, filter_count;
    RedisModuleType *types;   /* the newest first; type.h */
    struct tr_host_unit *unit; /* the innermost request that is served; unit.h */
    bool keeps_values;         /* the server wants to keep values for another process */
    struct tr_tokens *tokens; /* their values; NULL until there are any; tokens.h */
    uint32_t timers, blocked; /* pending ones */
    _Atomic uint64_t used_bytes, peak_bytes; /* the module's memory */
    _Atomic uint64_t told_bytes; /* used_bytes as the engine heard of it last */
    _Atomic(struct tr_shared_function *) shared; /* api_shared.c */
    uint32_t depth;     /* nested callbacks, for the flight recorder */
    _Atomic uint32_t last_function;     /* API function last entered */
    _Atomic uint64_t running_since_ns;  /* when the outermost callback began; 0: none runs */
    uint64_t keys_epoch; /* key.h: counts what may have changed keys */
    uint64_t floors;     /* how often the floor went back */
    RedisModuleKey *dma_keys; /* with copies that the module may have written to */
    tr_bytes type_names; /* of this module's types, NUL-ended, one after the other */
    RedisModuleString **command_names; /* of the server, sorted; for checks that need no round trip */
    int command_name_count;
    /* callbacks that the module has registered */
    RedisModuleInfoFunc info; /* NULL: none */
    RedisModuleEventCallback events[_REDISMODULE_EVENT_NEXT];
    uint64_t event_versions[_REDISMODULE_EVENT_NEXT]; /* of the records, as subscribed to */
    RedisModuleNotificationFunc *watches; /* of keyspace events, by the number of the subscription */
    uint32_t watch_count;
    struct tr_job *jobs; /* waiting for the end of the unit (api_event.c) */
    uint64_t next_job;
    RedisModuleCommandFilter *filters; /* api_filter.c */
    uint64_t context_flags; /* REDISMODULE_CTX_FLAGS_... as the engine last told them */
    struct tr_handed *handed, **handed_end; /* units that came amid a question of ours (link.c) */
} tr_host;

extern tr_host tr_host_here;

/* Ends the process with a report of this kind. */
_Noreturn void tr_host_die(tr_death kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* libc's fork(), whatever the module may. */
pid_t tr_host_fork(void);
/* What any child does first. */
void tr_host_forked(void);
/* A line for the server's log. level: 0 debug, 1 verbose, 2 notice, 3 warning; source as in the
 * message log. From any thread. */
void tr_host_log(int level, int source, const char *text, size_t len);
/* The function behind a name of the API, or NULL. */
void *tr_host_resolve(void *arg, const char *name);
/* 1 when the server has a command of this name (any case), or one of ours. */
int tr_host_has_command(const char *name, size_t len);

/* ------------------------------------------------------------------ the flight recorder */

void tr_note(uint32_t function, uint32_t flags, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#define TR_NOTE_1(name) tr_note(TR_FN_##name, 0, 0, 0, 0, 0)
#define TR_NOTE_2(name, a) tr_note(TR_FN_##name, 0, (uint64_t)(a), 0, 0, 0)
#define TR_NOTE_3(name, a, b) tr_note(TR_FN_##name, 0, (uint64_t)(a), (uint64_t)(b), 0, 0)
#define TR_NOTE_4(name, a, b, c) tr_note(TR_FN_##name, 0, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0)
#define TR_NOTE_5(name, a, b, c, d)                                                                \
    tr_note(TR_FN_##name, 0, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d))
#define TR_NOTE_PICK(_1, _2, _3, _4, _5, which, ...) which
/* TR_NOTE(Name, up to four arguments that fit 64 bits: pointers and integers). */
#define TR_NOTE(...)                                                                               \
    TR_NOTE_PICK(__VA_ARGS__, TR_NOTE_5, TR_NOTE_4, TR_NOTE_3, TR_NOTE_2, TR_NOTE_1)(__VA_ARGS__)

/* ------------------------------------------------------------------ what the engine asks */

/* One for each request or one-way message of the engine on the data channel: runs what it asks for
 * and answers. body is decoded, valid for the call. */
typedef void tr_serve_fn(const tr_wire_header *header, const void *body);

/* X(MESSAGE, name): what is served now; the functions are in the file of their subject. */
#define TR_HOST_SERVED(X)                                                                          \
    X(GRANT_FLOOR, grant_floor)                                                                    \
    X(RUN_BLOCKED, run_blocked)                                                                    \
    X(KNOWN_KEYS, known_keys)                                                                      \
    X(RUN_COMMAND, run_command)                                                                    \
    X(RUN_FILTER, run_filter)                                                                      \
    X(SERVER_EVENT, server_event)                                                                  \
    X(KEYSPACE_EVENT, keyspace_event)                                                              \
    X(RUN_JOB, run_job)                                                                            \
    X(RUN_INFO, run_info)                                                                          \
    X(TYPE_LOAD, type_load)                                                                        \
    X(TYPE_SAVE, type_save)                                                                        \
    X(TYPE_REWRITE, type_rewrite)                                                                  \
    X(TYPE_FREE, type_free)                                                                        \
    X(TYPE_UNLINK, type_unlink)                                                                    \
    X(TYPE_COPY, type_copy)                                                                        \
    X(TYPE_MEM_USAGE, type_mem_usage)                                                              \
    X(TYPE_FREE_EFFORT, type_free_effort)                                                          \
    X(TYPE_DIGEST, type_digest)                                                                    \
    X(TYPE_AUX_SAVE, type_aux_save)                                                                \
    X(TYPE_AUX_LOAD, type_aux_load)                                                                \
    X(KEEP_VALUES, keep_values)                                                                    \
    X(SNAPSHOT, snapshot)

#define TR_X(MESSAGE, name) tr_serve_fn tr_serve_##name;
TR_HOST_SERVED(TR_X)
#undef TR_X

#endif
