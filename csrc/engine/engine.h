/* engine.h - the engine as its owner sees it: one object, one loop turn at a time.
 *
 * Owns listeners, connections, keyspace and statistics. Everything is called from one thread
 * (asserted), but tr_engine_wake() and, for pollers without a descriptor, tr_engine_block().
 *
 * The owner's loop:
 *
 *     wait until tr_engine_fd() is readable (or a deadline)
 *     tr_engine_poll(...)      reads, runs, writes, for many clients in one go
 *     take the events, serve them
 *     if more: come back soon without waiting
 *
 * and tr_engine_cron() hz times a second. Nothing here blocks on a client, and nothing raises.
 * Events are kept as bits on their connections, so they are never lost for want of memory.
 */
#ifndef TR_ENGINE_ENGINE_H
#define TR_ENGINE_ENGINE_H

#include <pthread.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/conn.h"
#include "engine/obituary.h"
#include "engine/watch.h"
#include "exec/exec.h"
#include "modhost/modhost.h"
#include "net/poller.h"
#include "resp/parser.h"
#include "store/store.h"

#define TR_LISTENERS_MAX 64
#define TR_POLL_EVENTS 512          /* ready descriptors taken per look */
#define TR_ACCEPTS_PER_TURN 256     /* connections accepted from one listener per look */
#define TR_LISTENER_PAUSE_MS 200    /* after descriptors ran out */
#define TR_RECENT_MS 4000           /* a spell of tr_recent */
#define TR_SAMPLES 16               /* of the instantaneous figures */
#define TR_CRON_REHASH_BUCKETS 2000 /* moved per database and cron run */
#define TR_ENGINE_HZ_MIN 1          /* bounds of tr_engine_settings.hz, held by who sets it */
#define TR_ENGINE_HZ_MAX 500

enum { /* events of a connection, in the order in which they are taken */
    TR_EVENT_OPENED = 1,
    TR_EVENT_CALL = 2,    /* an asynchronous Python command waits in the client */
    TR_EVENT_OUTPUT = 4,  /* a fed connection has output */
    TR_EVENT_CLOSED = 8,  /* code: tr_close_reason; the last event of a connection */
    TR_EVENT_MODULES = 16, /* of no connection: tr_modhost_take_event() has something */
};

typedef struct tr_event {
    uint64_t id;
    uint32_t kind;
    int32_t code;
} tr_event;

typedef enum tr_out_class { TR_OUT_NORMAL, TR_OUT_REPLICA, TR_OUT_PUBSUB, TR_OUT_CLASSES } tr_out_class;

typedef struct tr_out_limit {
    uint64_t hard_bytes; /* 0: none */
    uint64_t soft_bytes;
    int64_t soft_seconds;
} tr_out_limit;

/* Set by the owner before the first turn and at any time later. */
typedef struct tr_settings {
    uint64_t maxclients;
    int64_t idle_seconds;       /* timeout; 0: none */
    int keepalive_seconds;      /* tcp-keepalive */
    uint64_t query_buffer_max;  /* client-query-buffer-limit */
    int64_t bulk_max;           /* proto-max-bulk-len */
    int protected_mode;         /* 1: only local clients while there is no password */
    int hz;
    tr_out_limit out_limits[TR_OUT_CLASSES];
    uint64_t maxmemory;         /* bytes; 0: no limit */
    tr_policy maxmemory_policy;
    int maxmemory_samples;
    int lfu_log_factor;
    int lfu_decay_minutes;
    int latency_tracking;
    int debug_enabled;          /* TR_DEBUG_... */
    int module_enabled;         /* TR_DEBUG_... */
    int password_set;           /* new clients must authenticate */
    uint32_t notify_classes;    /* TR_EV_... of the events that are published */
    int notify_keyspace;        /* 1: on the channels of keys */
    int notify_keyevent;        /* 1: on the channels of events */
    int64_t module_command_ms;  /* module-command-timeout; 0: none */
    int module_durability;      /* values of module types outlive the module's process */
    int64_t busy_reply_ms;      /* busy-reply-threshold; 0: nobody is told */
    int64_t slowlog_than_us;    /* slowlog-log-slower-than */
    uint64_t slowlog_max_len;
    int64_t latency_threshold_ms; /* latency-monitor-threshold */
    uint64_t client_memory_max; /* bytes of all clients together (maxmemory-clients); 0: no limit */
} tr_settings;

typedef struct tr_listener {
    int fd;       /* -1: closed, the place is free */
    int is_unix;
    int64_t paused_until_ms; /* 0: it accepts */
    int trouble; /* errno of the accept that failed, until one works again; 0: none */
} tr_listener;

typedef struct tr_net_stats {
    uint64_t connections_received;
    uint64_t connections_rejected;
    uint64_t connections_denied;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t reads;
    uint64_t writes;
    uint64_t query_limit_closes;
    uint64_t output_limit_closes;
    uint64_t evicted_clients;
    uint64_t turns;
    uint64_t turn_ns;           /* work of all turns, without waiting */
    uint64_t turn_ns_max;       /* of one turn */
    uint64_t turn_commands_max; /* run in one turn */
    uint64_t cron_ns;
    uint64_t over_limit_ms;     /* memory was above maxmemory after evicting; ended spells */
} tr_net_stats;

/* The largest buffers of any client in this spell and the one before. */
typedef struct tr_recent {
    int64_t since_ms;
    uint64_t input, input_before;
    uint64_t output, output_before;
} tr_recent;

/* Figures per second, averaged over the samples. */
typedef struct tr_rate {
    uint64_t last;
    uint64_t samples[TR_SAMPLES];
} tr_rate;

enum { TR_RATE_COMMANDS, TR_RATE_BYTES_IN, TR_RATE_BYTES_OUT, TR_RATE_TURNS, TR_RATE_TURN_US, TR_RATES };

typedef struct tr_engine {
    tr_mem mem;
    tr_clock clock;
    tr_store store;
    tr_exec x;
    tr_modhost modhost;
    tr_buf info_text;         /* of tr_api_module_info() */
    int module_events;        /* some helper has something for Python */
    tr_settings settings;
    tr_poller *poller;
    tr_poller_kind poller_kind;
    tr_listener listeners[TR_LISTENERS_MAX];
    int listener_count;
    tr_conn *first, *last;
    tr_conn *pending, *pending_last;
    tr_conn *pushed;          /* listeners with messages that wait for more */
    int64_t pushed_ns;        /* monotonic: since when */
    int pushed_turns;         /* for how many turns */
    int pushing_pays;         /* it is worth while to wait a moment for more of them */
    tr_conn *more, *more_last;
    tr_conn *events, *events_last;
    tr_conn *cron_next;       /* where the idle check goes on */
    tr_obituary *obituaries, *obituaries_last;
    int obituary_count;
    uint64_t client_bytes;    /* while there is a limit on them */
    tr_watch watch;
    uint64_t evicted_keys_seen, evicted_bytes_seen; /* by tr_watch_take() */
    tr_buf shared;            /* input of whoever is being read */
    tr_net_stats net;
    tr_recent recent;
    tr_rate rates[TR_RATES];
    int rate_at;
    int64_t rate_ns;          /* when the last sample was taken */
    int64_t cron_ms;
    int64_t turn_end_ns;      /* monotonic, of the last turn that had work */
    int64_t over_limit_since_ms; /* memory is above maxmemory and can't be won back; 0: it is not */
    pthread_t thread;
    tr_poll_event ready[TR_POLL_EVENTS];
} tr_engine;

/* *out is owned by the caller. TR_ENOMEM, TR_EIO, TR_ENOTSUP, TR_EINVAL. seed: 16 random bytes. */
int tr_engine_open(int db_count, tr_poller_kind poller, const uint64_t seed[2], tr_engine **out);
/* Closes everything at once; no events any more. */
void tr_engine_close(tr_engine *g);

/* Puts changed settings into force. */
void tr_engine_apply(tr_engine *g);

/* Takes the bound listening socket (on success). The listener's id, or TR_ELIMIT, TR_E... */
int tr_engine_listen(tr_engine *g, int fd, int is_unix);
/* Stops accepting on all. */
void tr_engine_unlisten(tr_engine *g);
/* Closes one; its id may then be given to another. */
void tr_engine_unlisten_one(tr_engine *g, int id);

/* Turns of the loop: serves what is ready, and as long as there was something waits up to linger_us
 * for more, until there are events for Python or budget_us have passed (then *busy is 1: call again
 * soon with eager 1, which waits at once). *more: there is work left that needs no readiness.
 * Returns 1 when there are events. */
int tr_engine_poll(tr_engine *g, int eager, int64_t linger_us, int64_t budget_us, int *more, int *busy);
/* Moves up to max events to out; the count. */
int tr_engine_take_events(tr_engine *g, tr_event *out, int max);
/* Regular work; hz times a second. Returns 1 when there is now something to do for
 * tr_engine_poll(). */
int tr_engine_cron(tr_engine *g);
/* TR_ENOTSUP: use tr_engine_block. */
int tr_engine_fd(const tr_engine *g);
int tr_engine_block(tr_engine *g, int64_t timeout_us);
void tr_engine_wake(tr_engine *g);
/* Sends what can be sent now; the count of connections that still have output. For shutdown. */
int tr_engine_drain(tr_engine *g);

/* Connections by the id of their client. NULL: there is none (any more). */
tr_conn *tr_engine_conn(tr_engine *g, uint64_t id);
/* The id of the new fed connection, or 0: no memory. */
uint64_t tr_engine_open_fed(tr_engine *g, uint32_t client_flags);
/* The asynchronous Python command of this client is done. */
void tr_engine_finish(tr_engine *g, uint64_t id);
/* Ends it now, or (gently) when its output has left. 1 when it was there. */
int tr_engine_kill(tr_engine *g, uint64_t id, tr_close_reason reason, int gently);
/* CLIENT UNBLOCK: as if its time were up, or (error) with an error. 1: it was blocked. */
int tr_engine_unblock(tr_engine *g, uint64_t id, int error);
/* The clients that CLIENT PAUSE made wait go on in the next turn. A command may call this. */
void tr_engine_unpause(tr_engine *g);
/* The next live client after this id in order of age; 0: from the start. NULL: no more. */
tr_client *tr_engine_next_client(tr_engine *g, uint64_t after_id);

/* Errno of the accept that fails, 0 while a listener accepts or is closed. */
int tr_engine_listener_trouble(const tr_engine *g, int id);

/* For conn.c and obituary.c. */
tr_out_class tr__engine_out_class(const tr_client *c);
void tr__engine_event(tr_engine *g, tr_conn *conn, uint32_t kind);
const tr_out_limit *tr__engine_out_limit(const tr_engine *g, const tr_client *c);

#endif
