#include "engine/api.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/multi.h"
#include "exec/reply.h"
#include "modhost/values.h"
#include "net/sock.h"

#define TTL_SAMPLE 100 /* expiries averaged for avg_ttl */

void tr_api_set_hooks(tr_engine *g, void *ctx, void (*call_python)(void *ctx, tr_client *c),
                      int (*authenticate)(void *ctx, tr_client *c, const char *user,
                                          size_t user_len, const char *pass, size_t pass_len)) {
    g->x.hooks.python_ctx = ctx;
    g->x.hooks.call_python = call_python;
    g->x.hooks.authenticate = authenticate;
}

tr_settings *tr_api_settings(tr_engine *g) {
    return &g->settings;
}

void tr_api_set_policy(tr_engine *g, int policy) {
    g->settings.maxmemory_policy = (tr_policy)policy;
}

static uint64_t rate(const tr_engine *g, int which) {
    uint64_t sum = 0;
    for (int i = 0; i < TR_SAMPLES; i++) sum += g->rates[which].samples[i];
    return sum / TR_SAMPLES;
}

/* What the engine holds for speed and statistics, for nobody in particular. */
static uint64_t spare_memory(const tr_engine *g) {
    const tr_out_pool *pool = &g->x.pool;
    uint64_t bytes = pool->spare ? pool->spare_count * tr_mem_size(pool->spare) : 0;
    for (int i = 0; i < tr_exec_command_count(&g->x); i++) {
        if (g->x.stats[i].latency) bytes += tr_mem_size(g->x.stats[i].latency);
    }
    bytes += g->x.slowlog.bytes + tr_latency_memory(&g->x) + tr_monitor_memory(&g->x);
    return bytes;
}

static void read_memory(tr_engine *g, tr_api_stats *out) {
    tr_mem_note_peak(&g->mem);
    out->used_memory = g->mem.used;
    out->used_memory_peak = g->mem.peak;
    out->alloc_count = g->mem.alloc_count;
    out->free_count = g->mem.free_count;
    out->not_counted = g->store.not_counted;
    out->spare_memory = spare_memory(g);
    for (const tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        if (!conn->closed) out->clients_memory += tr_conn_memory(conn);
    }
    for (int i = 0; i < g->store.db_count; i++) {
        const tr_db *db = &g->store.dbs[i];
        if (tr_hash_rehashing(&db->keys))
            out->rehashing_memory += ((uint64_t)1 << db->keys.exp[0]) * sizeof(tr_hnode *);
        out->keyspace_overhead += tr_hash_memory(&db->keys) + tr_ttlheap_memory(&db->ttl);
        out->keyspace_overhead += tr_hash_count(&db->keys) * sizeof(tr_entry);
    }
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t all_command_ns(const tr_exec *x) {
    uint64_t ns = 0;
    for (int i = 0; i < tr_exec_command_count(x); i++) ns += x->stats[i].ns;
    return ns;
}

void tr_api_read_stats(tr_engine *g, tr_api_stats *out) {
    uint64_t over_ms = g->over_limit_since_ms ? (uint64_t)(g->x.now_us / 1000 - g->over_limit_since_ms) : 0;
    const tr_store_stats *s = &g->store.stats;
    *out = (tr_api_stats){
        .clients = g->x.client_count,
        .paused_clients = g->x.paused_clients,
        .blocked_clients = g->x.blocking.clients,
        .max_input_buffer = larger(g->recent.input, g->recent.input_before),
        .max_output_buffer = larger(g->recent.output, g->recent.output_before),
        .pubsub_clients = g->x.pubsub.clients,
        .pubsub_channels = tr_hash_count(&g->x.pubsub.topics[TR_SUB_CHANNEL]),
        .pubsub_patterns = tr_hash_count(&g->x.pubsub.topics[TR_SUB_PATTERN]),
        .pubsubshard_channels = tr_hash_count(&g->x.pubsub.topics[TR_SUB_SHARD]),
        .commands = g->x.totals.commands,
        .errors = g->x.totals.errors,
        .unknown_commands = g->x.totals.unknown_commands,
        .auth_failures = g->x.totals.auth_failures,
        .connections_received = g->net.connections_received,
        .connections_rejected = g->net.connections_rejected,
        .connections_denied = g->net.connections_denied,
        .bytes_in = g->net.bytes_in,
        .bytes_out = g->net.bytes_out,
        .reads = g->net.reads,
        .writes = g->net.writes,
        .turns = g->net.turns,
        .turn_ns = g->net.turn_ns,
        .turn_ns_max = g->net.turn_ns_max,
        .turn_commands_max = g->net.turn_commands_max,
        .cron_ns = g->net.cron_ns,
        .command_ns = all_command_ns(&g->x),
        .query_limit_closes = g->net.query_limit_closes,
        .output_limit_closes = g->net.output_limit_closes,
        .keyspace_hits = s->keyspace_hits,
        .keyspace_misses = s->keyspace_misses,
        .expired_keys = s->expired_keys,
        .expired_time_cap = s->expired_time_cap,
        .expire_cycle_us = s->expire_cycle_us,
        .evicted_clients = g->net.evicted_clients,
        .evicted_keys = s->evicted_keys,
        .over_limit_ms = g->net.over_limit_ms + over_ms,
        .over_limit_now_ms = over_ms,
        .lazyfreed_objects = s->lazyfreed_objects,
        .lazyfree_pending = g->store.doomed_count,
        .dirty = g->store.dirty,
        .rate_commands = rate(g, TR_RATE_COMMANDS),
        .rate_bytes_in = rate(g, TR_RATE_BYTES_IN),
        .rate_bytes_out = rate(g, TR_RATE_BYTES_OUT),
        .rate_turns = rate(g, TR_RATE_TURNS),
        .rate_turn_us = rate(g, TR_RATE_TURN_US),
        .now_us = g->x.now_us,
        .db_count = g->store.db_count,
        .error_kinds = g->x.error_kind_count,
        .command_count = tr_exec_command_count(&g->x),
        .lru_clock = g->store.lru_clock,
    };
    read_memory(g, out);
}

void tr_api_read_db(tr_engine *g, int id, tr_api_db *out) {
    tr_assert(id >= 0 && id < g->store.db_count);
    const tr_db *db = &g->store.dbs[id];
    *out = (tr_api_db){.keys = tr_hash_count(&db->keys), .expires = db->ttl.count};
    out->table_bytes = tr_hash_memory(&db->keys) + tr_hash_count(&db->keys) * sizeof(tr_entry);
    out->ttl_bytes = tr_ttlheap_memory(&db->ttl);
    out->rehashing = tr_hash_rehashing(&db->keys);
    uint32_t step = db->ttl.count / TTL_SAMPLE + 1;
    int64_t sum = 0, n = 0;
    for (uint32_t slot = 1; slot <= db->ttl.count; slot += step) {
        int64_t left = tr_ttlheap_when(&db->ttl, slot) - g->store.now_ms;
        sum += left > 0 ? left : 0;
        n++;
    }
    out->avg_ttl_ms = n ? sum / n : 0;
}

static const tr_command *command_by_id(const tr_exec *x, int id) {
    if (id < tr_command_count()) return tr_command_by_id((uint16_t)id);
    const tr_runtime_command *r = x->runtime.first;
    while (r != NULL && r->cmd.id != id) r = r->next;
    tr_assert(r != NULL);
    return &r->cmd;
}

void tr_api_read_command(tr_engine *g, int id, tr_api_command *out) {
    tr_assert(id >= 0 && id < tr_exec_command_count(&g->x));
    const tr_command_stats *s = &g->x.stats[id];
    *out = (tr_api_command){
        .fullname = command_by_id(&g->x, id)->fullname,
        .calls = s->calls,
        .ns = s->ns,
        .rejected = s->rejected,
        .failed = s->failed,
        .buckets = s->latency ? s->latency->buckets : NULL,
    };
}

const char *tr_api_read_error(tr_engine *g, int i, uint64_t *count) {
    tr_assert(i >= 0 && i < g->x.error_kind_count);
    *count = g->x.errors[i].count;
    return g->x.errors[i].code;
}

void tr_api_reset_stats(tr_engine *g) {
    tr_exec_reset_stats(&g->x);
    g->net = (tr_net_stats){0};
    g->store.stats = (tr_store_stats){0};
    memset(g->rates, 0, sizeof(g->rates));
}

int tr_api_slow_from(tr_engine *g, uint64_t id, tr_api_slow *out) {
    const tr_slow *e = tr_slowlog_from(&g->x.slowlog, id);
    if (e == NULL) return 0;
    *out = (tr_api_slow){
        .id = e->id,
        .client_id = e->client_id,
        .us = e->us,
        .argc = e->argc,
        .command = e->cmd->fullname,
        .addr = e->addr.ptr,
        .addr_len = e->addr.len,
        .name = e->name.ptr,
        .name_len = e->name.len,
    };
    return 1;
}

const char *tr_api_latency_event(tr_engine *g, int i) {
    const tr_latency_events *l = &g->x.latency_events;
    return i >= 0 && i < l->count ? l->all[i]->name : NULL;
}

int tr_api_latency_delays(tr_engine *g, const char *event, size_t len, int64_t *time_s, int64_t *ms, int64_t *max_ms) {
    const tr_latency_event *e = tr_latency_find(&g->x, event, len);
    if (e == NULL) return -1;
    int count = 0;
    for (int i = 0; i < TR_DELAYS; i++) {
        const tr_delay *d = &e->delays[(e->at + i) % TR_DELAYS];
        if (d->time_s == 0) continue;
        time_s[count] = d->time_s;
        ms[count++] = d->ms;
    }
    *max_ms = e->max_ms;
    return count;
}

int tr_api_latency_reset(tr_engine *g, const char *event, size_t len) {
    return event == NULL ? tr_latency_reset_all(&g->x) : tr_latency_reset(&g->x, event, len);
}

uint64_t tr_api_next_client(tr_engine *g, uint64_t after) {
    const tr_client *c = tr_engine_next_client(g, after);
    return c ? c->id : 0;
}

/* What only a connection has. */
static void read_conn(const tr_conn *conn, tr_api_client *out) {
    out->query_bytes = tr_conn_input_bytes(conn);
    out->query_free = tr_buf_room(&conn->in);
    out->memory = tr_conn_memory(conn);
    out->argv_memory = tr_parser_memory(&conn->parser);
    out->fd = conn->fd;
    out->readable_wanted = (conn->interest & TR_POLL_READ) != 0;
    out->writable_wanted = (conn->interest & TR_POLL_WRITE) != 0;
}

int tr_api_read_client(tr_engine *g, uint64_t id, tr_api_client *out, int with_names) {
    const tr_client *c = tr_api_client_of(g, id);
    if (c == NULL) return 0;
    const tr_conn *conn = c->owner == NULL ? (const tr_conn *)c : NULL;
    const tr_command *cmd = c->cmd ? c->cmd : c->last_cmd;
    memset(out, 0, sizeof(*out));
    *out = (tr_api_client){
        .id = c->id,
        .commands = c->commands,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .out_bytes = c->out.bytes,
        .out_nodes = c->out.node_count,
        .out_memory = tr_outq_memory(&c->out),
        .out_chunk = c->out.tail ? c->out.tail->cap : 0,
        .age_us = g->x.now_us - c->created_us,
        .idle_us = g->x.now_us - c->active_us,
        .flags = c->flags,
        .fd = -1,
        .db = c->db->id,
        .proto = c->w.proto,
        .wait = (int)(c->waiter != NULL ? TR_WAIT_KEYS : c->wait),
        .queued = tr_multi_active(c) ? c->multi->count : -1,
        .watched = c->multi ? c->multi->watched_count : 0,
        .queue_bytes = tr_multi_memory(c),
        .channels = tr_pubsub_count(c, TR_SUB_CHANNEL),
        .patterns = tr_pubsub_count(c, TR_SUB_PATTERN),
        .shard_channels = tr_pubsub_count(c, TR_SUB_SHARD),
        .name = c->name.ptr,
        .name_len = c->name.len,
        .lib_name = c->lib_name.ptr,
        .lib_name_len = c->lib_name.len,
        .lib_ver = c->lib_ver.ptr,
        .lib_ver_len = c->lib_ver.len,
        .last_command = cmd ? cmd->fullname : NULL,
    };
    if (conn != NULL) read_conn(conn, out);
    if (!with_names || out->fd < 0) return 1;
    tr_sock_peer_name(out->fd, out->addr);
    tr_sock_local_name(out->fd, out->laddr);
    return 1;
}

tr_client *tr_api_client_of(tr_engine *g, uint64_t id) {
    tr_client *c = tr_client_by_id(&g->x, id);
    if (c != NULL && c->owner != NULL) return c; /* a module's, which is no connection */
    tr_conn *conn = tr_engine_conn(g, id);
    return conn ? &conn->client : NULL;
}

uint64_t tr_api_client_id(const tr_client *c) {
    return c->id;
}

int tr_api_client_proto(const tr_client *c) {
    return c->w.proto;
}

const char *tr_api_client_command(const tr_client *c) {
    return c->cmd ? c->cmd->fullname : NULL;
}

int tr_api_argc(const tr_client *c) {
    return c->argc;
}

const char *tr_api_arg(const tr_client *c, int i, size_t *len) {
    tr_assert(i >= 0 && i < c->argc);
    *len = c->argv[i].len;
    return c->argv[i].ptr;
}

void tr_api_reply(tr_client *c, const char *p, size_t n) {
    tr_w_raw(&c->w, p, n);
}

void tr_api_reply_error(tr_client *c, const char *text, size_t n) {
    tr_reply_error_len(c, text, n);
}

int tr_api_client_set_text(tr_client *c, int which, const char *p, size_t len) {
    tr_assert(which >= 0 && which <= 2);
    return tr_client_set_text(c, which == 0 ? &c->name : which == 1 ? &c->lib_name : &c->lib_ver, p, len);
}

void tr_api_client_set_flag(tr_client *c, uint32_t flag, int on) {
    if (on) c->flags |= flag;
    else c->flags &= ~flag;
}

int tr_api_fed_output(tr_engine *g, uint64_t id, const char **p, size_t *len) {
    tr_conn *conn = tr_engine_conn(g, id);
    struct iovec iov;
    if (conn == NULL || tr_outq_iov(&conn->client.out, &iov, 1) == 0) return 0;
    *p = iov.iov_base;
    *len = iov.iov_len;
    return 1;
}

void tr_api_fed_consume(tr_engine *g, uint64_t id, size_t n) {
    tr_conn *conn = tr_engine_conn(g, id);
    if (conn == NULL) return;
    tr_outq_consume(&conn->client.out, n);
    conn->client.bytes_out += n;
    g->net.bytes_out += n;
    tr_conn_note_output(conn);
}

int tr_api_feed(tr_engine *g, uint64_t id, const char *p, size_t n) {
    tr_conn *conn = tr_engine_conn(g, id);
    if (conn == NULL) return TR_ECLOSED;
    return tr_conn_feed(conn, p, n);
}

static int find_keys(tr_engine *g, const tr_arg *argv, int argc, tr_keys *keys) {
    const tr_command *cmd = tr_exec_resolve(&g->x, argv, argc);
    if (cmd == NULL) return TR_ENOENT;
    if (!tr_command_arity_ok(cmd, argc)) return TR_ERANGE;
    int asks = cmd->id >= tr_command_count() && tr_runtime_of(cmd)->getkeys;
    int rc = asks ? tr_modhost_get_keys(&g->modhost, cmd, argv, argc, keys) : tr_keys_get(cmd, argv, argc, 0, keys);
    return rc == TR_OK ? keys->count : rc;
}

int tr_api_get_keys(tr_engine *g, int argc, const char *const *argv, const size_t *lens,
                    int *positions, uint32_t *flags, int max) {
    tr_arg *args = tr_alloc(&g->mem, (size_t)argc * sizeof(*args));
    if (args == NULL) return TR_ENOMEM;
    for (int i = 0; i < argc; i++) args[i] = (tr_arg){.ptr = argv[i], .len = lens[i]};
    tr_keys keys;
    tr_keys_init(&keys, &g->mem);
    int count = find_keys(g, args, argc, &keys);
    for (int i = 0; i < count && i < max; i++) {
        positions[i] = keys.positions[i];
        flags[i] = keys.flags[i];
    }
    tr_keys_clear(&keys);
    tr_free(&g->mem, args);
    return count;
}

int tr_api_rename(tr_engine *g, const char *from, size_t from_len, const char *to, size_t to_len) {
    return tr_renames_add(&g->x.renames, &g->mem, from, from_len, to, to_len);
}

uint64_t tr_api_counted_memory(const tr_engine *g) {
    return (uint64_t)((int64_t)g->mem.used - g->store.not_counted);
}

int tr_api_is_over_limit(const tr_engine *g) {
    return g->over_limit_since_ms != 0;
}

void tr_api_pause(tr_engine *g, int all, int64_t until_ms) {
    tr_exec_pause(&g->x, all ? TR_PAUSE_ALL : TR_PAUSE_WRITES, until_ms);
}

int64_t tr_api_flush_all(tr_engine *g) {
    return (int64_t)tr_store_flush(&g->store, -1, 0);
}

/* ------------------------------------------------------------------ modules */

int tr_api_module_add(tr_engine *g, const char *name) {
    const tr_helper *h = tr_modhost_add(&g->modhost, name);
    return h == NULL ? TR_ENOMEM : (int)h->id;
}

int tr_api_module_prepare(tr_engine *g, int id, int fds[3]) {
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    return h == NULL ? TR_ENOENT : tr_helper_prepare(h, &fds[0], &fds[1], &fds[2]);
}

int tr_api_module_attach(tr_engine *g, int id, int pid, int pidfd) {
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    return h == NULL ? TR_ENOENT : tr_helper_attach(h, (pid_t)pid, pidfd);
}

int tr_api_module_loaded(tr_engine *g, int id, int ok) {
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    if (h == NULL) return TR_ENOENT;
    return tr_helper_loaded(h, ok);
}

int tr_api_module_unload(tr_engine *g, int id) {
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    return h == NULL ? TR_ENOENT : tr_helper_unload(h);
}

int tr_api_module_unloaded(tr_engine *g, int id, int ok) {
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    if (h == NULL) return TR_ENOENT;
    tr_helper_unloaded(h, ok);
    return TR_OK;
}

int tr_api_module_fail(tr_engine *g, int id, int kind, const char *why) {
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    if (h == NULL) return TR_ENOENT;
    if (kind <= TR_FAIL_NONE || kind > TR_FAIL_ASKED) return TR_EINVAL;
    tr_helper_fail(h, (tr_fail_kind)kind, why);
    return TR_OK;
}

int tr_api_module_park(tr_engine *g, int id) {
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    if (h == NULL) return TR_ENOENT;
    tr_helper_park(h);
    return TR_OK;
}

void tr_api_server_event(tr_engine *g, uint32_t event, const char *texts, size_t len, uint32_t count, int now) {
    tr_happening what = {.event = event, .text_count = count, .text = texts, .len = count == 1 ? len - 1 : len};
    tr_modhost_happens(&g->modhost, &what);
    if (now && g->modhost.floor == NULL) tr_modhost_tell(&g->modhost);
}

static void read_module(const tr_helper *h, uint32_t events, tr_api_module *out) {
    tr_values_stats values = tr_values_statistics(h);
    *out = (tr_api_module){
        .id = h->id,
        .state = h->state,
        .api_version = (uint32_t)h->api_version,
        .failed = h->failed,
        .events = events,
        .command_count = h->command_count,
        .version = h->version,
        .running_us = h->running_us,
        .pid = h->pid,
        .options = h->options,
        .used_bytes = h->used_bytes,
        .peak_bytes = h->peak_bytes,
        .commands = h->stats.commands,
        .units = h->stats.units,
        .crashes = h->stats.crashes,
        .ns = h->stats.ns,
        .pending = h->pending_count,
        .handed = h->handed_count,
        .running_client = h->running_client,
        .types = values.types,
        .types_not_kept = values.uncovered_types,
        .values = values.values,
        .value_bytes_kept = values.base_bytes + values.journal_bytes,
        .values_lost = values.lost_all,
        .values_not_taken_back = values.not_taken_back,
        .checkpoints = values.checkpoints,
        .checkpoints_failed = values.checkpoints_failed,
        .name = h->name,
        .reason = h->reason,
        .report = h->report,
        .running = h->running,
        .argv = h->running_argv.data,
        .argv_bytes = tr_buf_unread(&h->running_argv),
    };
}

int tr_api_module_event(tr_engine *g, tr_api_module *out) {
    uint8_t events;
    const tr_helper *h = tr_modhost_take_event(&g->modhost, &events);
    if (h == NULL) return 0;
    read_module(h, events, out);
    return 1;
}

int tr_api_module_next(tr_engine *g, int after, tr_api_module *out) {
    const tr_helper *h = g->modhost.helpers;
    while (h != NULL && h->id <= (uint32_t)after) h = h->next;
    if (h == NULL) return 0;
    read_module(h, h->events, out);
    return 1;
}

int tr_api_module_info(tr_engine *g, int id, int all, int for_crash, int count, const char *const *sections,
                       const size_t *lens, const char **out, size_t *len) {
    tr_arg args[TR_API_INFO_SECTIONS_MAX];
    tr_helper *h = tr_modhost_helper(&g->modhost, (uint32_t)id);
    if (count > TR_API_INFO_SECTIONS_MAX) count = TR_API_INFO_SECTIONS_MAX;
    for (int i = 0; i < count; i++) args[i] = (tr_arg){.ptr = sections[i], .len = lens[i]};
    g->info_text.rpos = g->info_text.wpos = 0;
    if (h == NULL || tr_modhost_info(h, all, for_crash, args, count, &g->info_text) != TR_OK) return 0;
    *out = g->info_text.data;
    *len = g->info_text.wpos;
    return *len != 0;
}

int tr_api_runtime_at(tr_engine *g, int i, tr_api_runtime_command *out) {
    const tr_runtime_command *r = g->x.runtime.first;
    for (; r != NULL && i > 0; i--) r = r->next;
    if (r == NULL) return 0;
    *out = (tr_api_runtime_command){
        .fullname = r->cmd.fullname,
        .flags = r->cmd.flags,
        .categories = r->cmd.acl_categories,
        .info = r->info.data == NULL ? NULL : r->info.data + r->info.rpos,
        .info_bytes = tr_buf_unread(&r->info),
        .module = ((const tr_helper *)r->owner)->id,
        .id = r->cmd.id,
        .arity = r->cmd.arity,
        .first_key = r->cmd.first_key,
        .last_key = r->cmd.last_key,
        .key_step = r->cmd.key_step,
        .live = r->live,
        .is_container = r->cmd.handler_kind == TR_HANDLER_CONTAINER,
        .parent = r->cmd.parent == NULL ? -1 : r->cmd.parent->id,
    };
    return 1;
}

const char *tr_api_poller_name(const tr_engine *g) {
    return tr_poller_name(g->poller);
}

#define TR_TEXT_OF(x) #x
#define TR_VERSION_OF(major, minor, patch) TR_TEXT_OF(major) "." TR_TEXT_OF(minor) "." TR_TEXT_OF(patch)

const char *tr_api_compiler(void) {
#if defined(__GNUC__)
    return TR_VERSION_OF(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
    return "0.0.0";
#endif
}

int64_t tr_api_now_us(const tr_engine *g) {
    return g->x.now_us;
}

void tr_api_mem_fail_at(tr_engine *g, uint64_t nth) {
    tr_mem_fail_at(&g->mem, nth);
}
