/* api.h - the boundary: all that Python sees of the engine. api.cdef beside it repeats the
 * declarations for cffi.
 *
 * Rules for both sides. Bytes given to C are borrowed for the call. Bytes given to Python stay the
 * engine's and die at the next call into it. A tr_client pointer is handed out only for the length
 * of a callback or until the next call that may run commands; between calls clients are named by
 * their id. Every call comes from the engine's thread but tr_engine_wake and tr_engine_block.
 * Callbacks never raise: the Python side catches everything.
 */
#ifndef TR_ENGINE_API_H
#define TR_ENGINE_API_H

#include "base/err.h"
#include "base/proc.h"
#include "engine/engine.h"
#include "exec/keys.h"
#include "net/sock.h"

#define TR_API_INFO_SECTIONS_MAX 64 /* named in one call */

typedef struct tr_api_stats {
    /* memory, bytes */
    uint64_t used_memory, used_memory_peak, clients_memory, keyspace_overhead, rehashing_memory, spare_memory;
    uint64_t alloc_count, free_count;
    int64_t not_counted;
    /* clients */
    uint64_t clients, paused_clients, blocked_clients, max_input_buffer, max_output_buffer;
    uint64_t pubsub_clients, pubsub_channels, pubsub_patterns, pubsubshard_channels;
    /* counters since start or CONFIG RESETSTAT */
    uint64_t commands, errors, unknown_commands, auth_failures;
    uint64_t connections_received, connections_rejected, connections_denied;
    uint64_t bytes_in, bytes_out, reads, writes, turns, turn_ns, turn_ns_max, turn_commands_max, cron_ns, command_ns;
    uint64_t query_limit_closes, output_limit_closes;
    uint64_t keyspace_hits, keyspace_misses, expired_keys, expired_time_cap, expire_cycle_us;
    uint64_t evicted_clients, evicted_keys, over_limit_ms, over_limit_now_ms;
    uint64_t lazyfreed_objects, lazyfree_pending, dirty;
    /* figures per second */
    uint64_t rate_commands, rate_bytes_in, rate_bytes_out, rate_turns, rate_turn_us;
    int64_t now_us;
    int db_count, error_kinds, command_count;
    uint32_t lru_clock;
} tr_api_stats;

typedef struct tr_api_db {
    uint64_t keys, expires, table_bytes, ttl_bytes;
    int64_t avg_ttl_ms;
    int rehashing;
} tr_api_db;

typedef struct tr_api_command {
    const char *fullname;
    uint64_t calls, ns, rejected, failed;
    const uint32_t *buckets; /* TR_LATENCY_BUCKETS of them; NULL: none */
} tr_api_command;

typedef struct tr_api_client {
    uint64_t id, commands, bytes_in, bytes_out, query_bytes, query_free;
    uint64_t out_bytes, out_nodes, out_memory, out_chunk; /* out_chunk: size of the one being filled */
    uint64_t memory, argv_memory;
    int64_t age_us, idle_us;
    uint32_t flags;
    int fd, db, proto, wait, readable_wanted, writable_wanted;
    int queued, watched; /* commands in MULTI, -1: not in one; keys of WATCH */
    uint64_t queue_bytes;
    uint32_t channels, patterns, shard_channels; /* subscribed */
    const char *name, *lib_name, *lib_ver, *last_command;
    size_t name_len, lib_name_len, lib_ver_len;
    char addr[TR_NAME_MAX], laddr[TR_NAME_MAX];
} tr_api_client;

typedef struct tr_api_slow {
    uint64_t id, client_id;
    int64_t us;
    int argc;
    const char *command, *addr, *name; /* borrowed; addr and name without a NUL */
    size_t addr_len, name_len;
} tr_api_slow;

/* ctx is handed back to the callbacks. */
void tr_api_set_hooks(tr_engine *g, void *ctx, void (*call_python)(void *ctx, tr_client *c),
                      int (*authenticate)(void *ctx, tr_client *c, const char *user,
                                          size_t user_len, const char *pass, size_t pass_len));
tr_settings *tr_api_settings(tr_engine *g);
/* policy: tr_policy_bits; in force after tr_engine_apply(). */
void tr_api_set_policy(tr_engine *g, int policy);
void tr_api_read_stats(tr_engine *g, tr_api_stats *out);
void tr_api_read_db(tr_engine *g, int id, tr_api_db *out);
void tr_api_read_command(tr_engine *g, int id, tr_api_command *out);
/* The first word of the i-th kind of error; *count. Borrowed. */
const char *tr_api_read_error(tr_engine *g, int i, uint64_t *count);
void tr_api_reset_stats(tr_engine *g);

/* The oldest entry of the slow log from this id on: 1 and *out, or 0: none. */
int tr_api_slow_from(tr_engine *g, uint64_t id, tr_api_slow *out);
/* The i-th latency event, NULL: no more. Borrowed. */
const char *tr_api_latency_event(tr_engine *g, int i);
/* Its delays, the oldest first: at most TR_DELAYS are written. Their count, or -1: there is no such event. */
int tr_api_latency_delays(tr_engine *g, const char *event, size_t len, int64_t *time_s, int64_t *ms, int64_t *max_ms);
/* Forgets one, NULL: all. How many went. */
int tr_api_latency_reset(tr_engine *g, const char *event, size_t len);

/* Client ids in order of age: the next after `after`, 0 when there is none. */
uint64_t tr_api_next_client(tr_engine *g, uint64_t after);
/* 1 and *out, or 0: no such client. with_names: also addr and laddr (two system calls). */
int tr_api_read_client(tr_engine *g, uint64_t id, tr_api_client *out, int with_names);
tr_client *tr_api_client_of(tr_engine *g, uint64_t id);
uint64_t tr_api_client_id(const tr_client *c);
int tr_api_client_proto(const tr_client *c);
/* The command that runs, as "client|list"; NULL: none. */
const char *tr_api_client_command(const tr_client *c);
int tr_api_argc(const tr_client *c);
const char *tr_api_arg(const tr_client *c, int i, size_t *len);
/* Bytes that are RESP already. */
void tr_api_reply(tr_client *c, const char *p, size_t n);
/* "CODE text", counted. */
void tr_api_reply_error(tr_client *c, const char *text, size_t n);
/* which: 0 name, 1 lib-name, 2 lib-ver. 0, TR_EINVAL, TR_ENOMEM. */
int tr_api_client_set_text(tr_client *c, int which, const char *p, size_t len);
void tr_api_client_set_flag(tr_client *c, uint32_t flag, int on);

/* Bytes of output of a fed connection, the first piece: borrowed until consumed. 0: there is none,
 * or no such one. */
int tr_api_fed_output(tr_engine *g, uint64_t id, const char **p, size_t *len);
void tr_api_fed_consume(tr_engine *g, uint64_t id, size_t n);
/* Runs the commands in these bytes. 0, TR_ECLOSED, TR_ENOMEM. */
int tr_api_feed(tr_engine *g, uint64_t id, const char *p, size_t n);

/* Positions and flags of the keys in a command. The count, or TR_EINVAL (bad arguments), TR_ENOENT
 * (no such command), TR_ERANGE (its arity does not fit), TR_ENOMEM; no more than max are
 * written. */
int tr_api_get_keys(tr_engine *g, int argc, const char *const *argv, const size_t *lens,
                    int *positions, uint32_t *flags, int max);
/* rename-command; see tr_renames_add(). */
int tr_api_rename(tr_engine *g, const char *from, size_t from_len, const char *to, size_t to_len);
/* Bytes that count against maxmemory. */
uint64_t tr_api_counted_memory(const tr_engine *g);
/* 1: it is above maxmemory, and nothing can be evicted. */
int tr_api_is_over_limit(const tr_engine *g);
void tr_api_pause(tr_engine *g, int all, int64_t until_ms);
int64_t tr_api_flush_all(tr_engine *g);
/* Which poller serves: "epoll", ... */
const char *tr_api_poller_name(const tr_engine *g);
/* Version of the compiler that made this, "12.2.0"; "0.0.0": it does not say. */
const char *tr_api_compiler(void);
/* Wall clock of the running command or, between commands, of the last one, microseconds. */
int64_t tr_api_now_us(const tr_engine *g);
void tr_api_mem_fail_at(tr_engine *g, uint64_t nth);

/* Helpers of modules, by id; see modhost.h. Each gives TR_ENOENT for an id that is not there. */
typedef struct tr_api_module {
    uint32_t id, state, api_version, failed, events, command_count;
    int64_t version, running_us;
    int32_t pid;
    uint64_t options, used_bytes, peak_bytes, commands, units, crashes, ns, pending, handed;
    uint64_t running_client;
    uint64_t types, types_not_kept, values, value_bytes_kept, values_lost, values_not_taken_back;
    uint64_t checkpoints, checkpoints_failed;
    const char *name, *reason, *report, *running;
    const char *argv; /* of the command that crashed: u32 length, bytes, ... */
    size_t argv_bytes;
} tr_api_module;

typedef struct tr_api_runtime_command {
    const char *fullname;
    uint64_t flags, categories;
    const char *info; /* body of the message command_info; empty: none */
    size_t info_bytes;
    uint32_t module;  /* id of the helper */
    int id, arity, first_key, last_key, key_step, live, is_container, parent; /* parent: id; -1: none */
} tr_api_runtime_command;

/* The id of the new helper, or TR_ENOMEM. */
int tr_api_module_add(tr_engine *g, const char *name);
/* fds: shared memory, the host's eventfd, the engine's. They stay the engine's. */
int tr_api_module_prepare(tr_engine *g, int id, int fds[3]);
int tr_api_module_attach(tr_engine *g, int id, int pid, int pidfd);
int tr_api_module_loaded(tr_engine *g, int id, int ok);
int tr_api_module_unload(tr_engine *g, int id);
int tr_api_module_unloaded(tr_engine *g, int id, int ok);
int tr_api_module_fail(tr_engine *g, int id, int kind, const char *why);
int tr_api_module_park(tr_engine *g, int id);
/* Something happens that modules may want to hear of; texts: count of them, with a NUL behind each. now: they hear
 * of it before this returns, unless one of them is in the middle of something. */
void tr_api_server_event(tr_engine *g, uint32_t event, const char *texts, size_t len, uint32_t count, int now);
/* 1 and *out (texts are borrowed until the next call), with events; 0: there is none. */
int tr_api_module_event(tr_engine *g, tr_api_module *out);
/* The next after this id, 0: the first. 1 or 0. */
int tr_api_module_next(tr_engine *g, int after, tr_api_module *out);
/* What the module adds to INFO: 1 and *out, *len (borrowed until the next call), or 0: nothing. sections: count names;
 * none with all. */
int tr_api_module_info(tr_engine *g, int id, int all, int for_crash, int count, const char *const *sections,
                       const size_t *lens, const char **out, size_t *len);
/* The i-th command that a module ever registered. 1 or 0: there are no more. */
int tr_api_runtime_at(tr_engine *g, int i, tr_api_runtime_command *out);

#endif
