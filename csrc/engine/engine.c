#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "engine/client_memory.h"
#include "modhost/values.h"
#include "net/sock.h"

#define EXPIRE_TURN_BUDGET_US 1000 /* deleting due keys within a turn */
#define RATE_SAMPLE_NS 100000000   /* time between samples of the instantaneous figures */

static void assert_thread(const tr_engine *g) {
    tr_assert(pthread_equal(g->thread, pthread_self()));
}

static void hook_waiting(void *ctx, tr_client *c) {
    tr__engine_event(ctx, (tr_conn *)c, TR_EVENT_CALL);
}

static void hook_pushed(void *ctx, tr_client *c) {
    (void)ctx;
    tr_conn_pushed((tr_conn *)c);
}

/* ------------------------------------------------------------------ what modules tell us */

static void hook_go_on(void *ctx, tr_client *c) {
    (void)ctx;
    if (c->flags & TR_CLIENT_INTERNAL) return;
    if (c->wait == TR_WAIT_TURN || ((tr_conn *)c)->half_closed) tr_conn_ask_more((tr_conn *)c);
}

static void hook_output(void *ctx, tr_client *c) {
    (void)ctx;
    if (!(c->flags & TR_CLIENT_INTERNAL)) tr_conn_note_output((tr_conn *)c);
}

static void hook_floor_back(void *ctx) {
    tr_engine *g = ctx;
    for (tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        if (!conn->closed && conn->client.wait == TR_WAIT_TURN && conn->client.units == 0) tr_conn_ask_more(conn);
    }
}

static int hook_watch(void *ctx, int fd, tr_helper *h) {
    return tr_poller_add(((tr_engine *)ctx)->poller, fd, TR_POLL_READ, h);
}

static void hook_unwatch(void *ctx, int fd) {
    tr_poller_remove(((tr_engine *)ctx)->poller, fd);
}

static void hook_module_event(void *ctx) {
    ((tr_engine *)ctx)->module_events = 1;
}

/* "127.0.0.1:6379" in two parts; what is no address and port is given whole. */
static int hook_address(void *ctx, const tr_client *c, char *out, size_t cap, uint16_t *port) {
    (void)ctx;
    const tr_conn *conn = (const tr_conn *)c;
    char name[TR_NAME_MAX];
    if (conn->fd < 0 || tr_sock_peer_name(conn->fd, name) != TR_OK) return 0;
    char *colon = strrchr(name, ':');
    if (colon != NULL) {
        *port = (uint16_t)atoi(colon + 1);
        *colon = '\0';
    }
    strncpy(out, name, cap - 1);
    out[cap - 1] = '\0';
    return 1;
}

static int is_helper(const tr_engine *g, const void *target) {
    for (const tr_helper *h = g->modhost.helpers; h != NULL; h = h->next) {
        if (h == target) return 1;
    }
    return 0;
}

static size_t hook_name(void *ctx, const tr_client *c, char *out) {
    _Static_assert(TR_CLIENT_ADDR_MAX == TR_NAME_MAX, "an address fits");
    (void)ctx;
    if (c->flags & (TR_CLIENT_FED | TR_CLIENT_INTERNAL)) return 0;
    const tr_conn *conn = (const tr_conn *)c;
    return conn->fd >= 0 && tr_sock_peer_name(conn->fd, out) == TR_OK ? strlen(out) : 0;
}

static const tr_settings default_settings = {
    .maxclients = 10000,
    .query_buffer_max = 1u << 30,
    .bulk_max = 512 << 20,
    .hz = 10,
    .maxmemory_samples = 5,
    .lfu_log_factor = 10,
    .lfu_decay_minutes = 1,
    .latency_tracking = 1,
    .module_command_ms = 5000,
    .module_durability = 1,
    .busy_reply_ms = 5000,
    .slowlog_than_us = TR_SLOW_THAN_US_DEFAULT,
    .slowlog_max_len = TR_SLOW_MAX_LEN_DEFAULT,
};

void tr_engine_apply(tr_engine *g) {
    const tr_settings *s = &g->settings;
    g->store.maxmemory = s->maxmemory;
    g->store.policy = s->maxmemory_policy;
    g->store.maxmemory_samples = s->maxmemory_samples;
    g->store.lfu_log_factor = s->lfu_log_factor;
    g->store.lfu_decay_minutes = s->lfu_decay_minutes;
    g->x.string_max = s->bulk_max;
    g->x.latency_tracking = s->latency_tracking;
    g->x.debug_enabled = s->debug_enabled;
    g->x.module_enabled = s->module_enabled;
    g->x.password_set = s->password_set;
    tr_notify_set(&g->x, s->notify_classes, s->notify_keyspace, s->notify_keyevent);
    g->modhost.command_ms = s->module_command_ms;
    tr_modhost_keep_values(&g->modhost, s->module_durability);
    g->modhost.busy_ms = s->busy_reply_ms;
    g->x.slowlog.than_us = s->slowlog_than_us;
    g->x.slowlog.max_len = s->slowlog_max_len;
    g->x.latency_events.threshold_ms = s->latency_threshold_ms;
    g->x.busy_ms = s->busy_reply_ms;
    tr_exec_look_at(&g->x);
    tr__client_memory_apply(g);
}

int tr_engine_open(int db_count, tr_poller_kind poller, const uint64_t seed[2], tr_engine **out) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_engine *g = tr_zalloc(&mem, sizeof(*g));
    if (g == NULL) return TR_ENOMEM;
    g->mem = mem;
    g->thread = pthread_self();
    g->poller_kind = poller;
    g->settings = default_settings;
    int rc = tr_store_init(&g->store, &g->mem, db_count, seed);
    if (rc == TR_OK) rc = tr_exec_init(&g->x, &g->mem, &g->store, &g->clock);
    if (rc == TR_OK) rc = tr_poller_open(&g->mem, poller, &g->poller);
    if (rc == TR_OK) rc = tr_buf_reserve(&g->mem, &g->shared, TR_READ_BYTES);
    if (rc != TR_OK) {
        tr_engine_close(g);
        return rc;
    }
    g->x.hooks.ctx = g;
    g->x.hooks.waiting = hook_waiting;
    g->x.hooks.pushed = hook_pushed;
    g->x.hooks.address = hook_name;
    tr_modhost_init(&g->modhost, &g->x, &g->mem);
    g->modhost.hooks = (tr_modhost_hooks){.ctx = g,
                                          .go_on = hook_go_on,
                                          .output = hook_output,
                                          .floor_back = hook_floor_back,
                                          .watch = hook_watch,
                                          .unwatch = hook_unwatch,
                                          .event = hook_module_event,
                                          .address = hook_address};
    g->rate_ns = tr_clock_mono_ns(&g->clock);
    tr_engine_apply(g);
    *out = g;
    return TR_OK;
}

void tr_engine_close(tr_engine *g) {
    assert_thread(g);
    for (tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        tr_conn_close(conn, TR_CLOSE_SHUTDOWN);
        conn->in_pending = conn->in_pushed = conn->in_more = 0;
    }
    g->events = NULL; /* the shells go without a word */
    while (g->first != NULL) {
        g->first->in_events = 0;
        tr_conn_reap(g->first);
    }
    tr_engine_unlisten(g);
    tr__obituaries_release(g);
    tr_modhost_release(&g->modhost);
    tr_buf_release(&g->mem, &g->info_text);
    tr_exec_release(&g->x);
    tr_store_release(&g->store);
    tr_buf_release(&g->mem, &g->shared);
    if (g->poller != NULL) tr_poller_close(g->poller);
    tr_mem mem = g->mem;
    tr_free(&mem, g);
    tr_assert(mem.used == 0);
}

int tr_engine_listen(tr_engine *g, int fd, int is_unix) {
    assert_thread(g);
    int id = 0;
    while (id < g->listener_count && g->listeners[id].fd >= 0) id++;
    if (id == TR_LISTENERS_MAX) return TR_ELIMIT;
    tr_listener *l = &g->listeners[id];
    int rc = tr_poller_add(g->poller, fd, TR_POLL_READ, l);
    if (rc != TR_OK) return rc;
    *l = (tr_listener){.fd = fd, .is_unix = is_unix};
    if (id == g->listener_count) g->listener_count++;
    return id;
}

void tr_engine_unlisten_one(tr_engine *g, int id) {
    assert_thread(g);
    tr_assert(id >= 0 && id < g->listener_count);
    tr_listener *l = &g->listeners[id];
    if (l->fd < 0) return;
    tr_poller_remove(g->poller, l->fd);
    tr_sock_close(l->fd);
    l->fd = -1;
}

void tr_engine_unlisten(tr_engine *g) {
    assert_thread(g);
    for (int i = 0; i < g->listener_count; i++) tr_engine_unlisten_one(g, i);
    g->listener_count = 0;
}

void tr__engine_event(tr_engine *g, tr_conn *conn, uint32_t kind) {
    conn->events |= kind;
    if (conn->in_events) return;
    conn->in_events = 1;
    conn->next_event = NULL;
    if (g->events_last) g->events_last->next_event = conn;
    else g->events = conn;
    g->events_last = conn;
}

tr_out_class tr__engine_out_class(const tr_client *c) {
    if (c->flags & TR_CLIENT_REPLICA) return TR_OUT_REPLICA;
    return c->flags & TR_CLIENT_PUBSUB ? TR_OUT_PUBSUB : TR_OUT_NORMAL;
}

const tr_out_limit *tr__engine_out_limit(const tr_engine *g, const tr_client *c) {
    return &g->settings.out_limits[tr__engine_out_class(c)];
}

/* Tells a connection that may not come in why, as far as its socket takes it at once. */
static void turn_away(int fd, const char *text) {
    struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    tr_sock_write(fd, &iov, 1);
    tr_sock_close(fd);
}

static const char too_many[] = "-ERR max number of clients reached\r\n";
static const char protected_text[] =
    "-DENIED trioredis runs in protected mode: no password is set, so only clients on this machine may connect. To "
    "let others in, set a password with requirepass, or turn the mode off with CONFIG SET protected-mode no from a "
    "local client, or in the configuration file, once the port is out of reach for strangers.\r\n";

static void admit(tr_engine *g, const tr_listener *l, int fd) {
    int local = l->is_unix ? 1 : tr_sock_is_local(fd);
    g->net.connections_received++;
    if (local < 0) { /* it has gone again: nobody to refuse */
        tr_sock_close(fd);
        return;
    }
    if (g->x.client_count >= g->settings.maxclients) {
        g->net.connections_rejected++;
        tr__watch_refused(&g->watch.rejected, g->watch.rejected_addr, fd);
        turn_away(fd, too_many);
        return;
    }
    if (g->settings.protected_mode && !g->x.password_set && !local) {
        g->net.connections_denied++;
        tr__watch_refused(&g->watch.denied, g->watch.denied_addr, fd);
        turn_away(fd, protected_text);
        return;
    }
    if (!l->is_unix) {
        tr_sock_set_nodelay(fd, 1);
        if (g->settings.keepalive_seconds > 0) tr_sock_set_keepalive(fd, g->settings.keepalive_seconds);
    }
    uint32_t flags = (l->is_unix ? TR_CLIENT_UNIX : 0) | (local ? TR_CLIENT_LOCAL : 0);
    tr_conn *conn = tr_conn_open(g, fd, flags);
    if (conn == NULL) {
        g->net.connections_rejected++;
        return;
    }
    tr__engine_event(g, conn, TR_EVENT_OPENED);
}

static void accept_some(tr_engine *g, tr_listener *l) {
    for (int i = 0; i < TR_ACCEPTS_PER_TURN && l->fd >= 0; i++) {
        int fd;
        int rc = tr_sock_accept(l->fd, &fd);
        l->trouble = rc == TR_OK || rc == TR_EAGAIN ? 0 : errno;
        if (rc == TR_EAGAIN) return;
        if (rc != TR_OK) {
            l->paused_until_ms = g->x.now_us / 1000 + TR_LISTENER_PAUSE_MS;
            tr_poller_set(g->poller, l->fd, 0);
            return;
        }
        admit(g, l, fd);
    }
}

static void resume_listeners(tr_engine *g) {
    for (int i = 0; i < g->listener_count; i++) {
        tr_listener *l = &g->listeners[i];
        if (l->fd < 0 || l->paused_until_ms == 0 || g->x.now_us / 1000 < l->paused_until_ms) continue;
        if (tr_poller_set(g->poller, l->fd, TR_POLL_READ) == TR_OK) l->paused_until_ms = 0;
    }
}

int tr_engine_listener_trouble(const tr_engine *g, int id) {
    tr_assert(id >= 0);
    return id < g->listener_count && g->listeners[id].fd >= 0 ? g->listeners[id].trouble : 0;
}

static int is_listener(const tr_engine *g, const void *target) {
    const tr_listener *l = target;
    return l >= g->listeners && l < g->listeners + TR_LISTENERS_MAX;
}

static void flush_pending(tr_engine *g) {
    if (g->x.feed.waiting) tr_monitor_hand_out(&g->x);
    tr_conn *conn = g->pending;
    g->pending = g->pending_last = NULL;
    while (conn != NULL) {
        tr_conn *next = conn->next_pending;
        conn->in_pending = 0;
        if (conn->reap) tr_conn_reap(conn);
        else tr_conn_flush(conn);
        conn = next;
    }
}

static void flush_pushed(tr_engine *g) {
    tr_conn *conn = g->pushed;
    g->pushed = NULL;
    g->pushed_turns = 0;
    while (conn != NULL) {
        tr_conn *next = conn->next_pushed;
        conn->in_pushed = 0;
        if (conn->reap) tr_conn_reap(conn);
        else tr_conn_flush(conn);
        conn = next;
    }
}

/* quiet: there is nobody to serve meanwhile. Waiting pays while publishers come in faster than the messages leave; a
 * wait in vain means that they may be waiting for these very messages. */
static void flush_or_hold_pushed(tr_engine *g, int quiet) {
    int waited_in_vain = quiet && g->pushing_pays;
    if (!quiet) {
        g->pushed_turns++;
        if (g->x.stopwatch_ns - g->pushed_ns < TR_PUSH_HELD_US * 1000) return;
    }
    g->pushing_pays = !waited_in_vain && g->pushed_turns >= TR_PUSH_TURNS_MIN;
    flush_pushed(g);
}

static void run_more(tr_engine *g) {
    tr_conn *conn = g->more;
    g->more = g->more_last = NULL;
    while (conn != NULL) {
        tr_conn *next = conn->next_more;
        conn->in_more = 0;
        if (conn->reap) tr_conn_reap(conn);
        else tr_conn_resume(conn);
        conn = next;
    }
}

static int64_t mono_us(void *ctx) {
    return tr_clock_mono_ns(&((tr_engine *)ctx)->clock) / 1000;
}

static void expire_due(tr_engine *g, int64_t budget_us) {
    uint64_t before_us = g->store.stats.expire_cycle_us;
    tr_store_expire_due(&g->store, budget_us, mono_us, g);
    uint64_t us = g->store.stats.expire_cycle_us - before_us;
    if (TR_UNLIKELY(us >= 1000)) tr_latency_sample(&g->x, TR_LATENCY_EXPIRE_CYCLE, (int64_t)(us / 1000));
}

/* Upkeep that a busy turn does on the side. */
static void upkeep(tr_engine *g) {
    int64_t before = g->cron_ms;
    int64_t now_ms = g->x.now_us / 1000;
    if (now_ms == before) return;
    g->cron_ms = now_ms;
    if (tr_exec_pause_ended(&g->x)) tr_engine_unpause(g);
    /* While a module has the floor nothing goes from under it. */
    if (!(g->x.hold & TR_HOLD_FLOOR)) expire_due(g, EXPIRE_TURN_BUDGET_US);
    if (g->store.doomed != NULL) tr_store_lazyfree(&g->store, TR_LAZYFREE_STEP);
}

static void account_turn(tr_engine *g, int64_t began_ns, uint64_t commands_before) {
    tr_net_stats *s = &g->net;
    g->turn_end_ns = tr_clock_mono_ns(&g->clock);
    uint64_t ns = (uint64_t)(g->turn_end_ns - began_ns);
    uint64_t commands = g->x.totals.commands;
    s->turns++;
    s->turn_ns += ns;
    if (ns > s->turn_ns_max) s->turn_ns_max = ns;
    if (g->x.latency_events.threshold_ms > 0) tr_latency_sample(&g->x, TR_LATENCY_PUMP_TURN, (int64_t)(ns / 1000000));
    if (commands < commands_before) return; /* CONFIG RESETSTAT ran in this turn */
    tr__watch_turn(g, ns, commands - commands_before);
    if (commands - commands_before > s->turn_commands_max) s->turn_commands_max = commands - commands_before;
}

/* One look at the poller and everything that follows from it. The count of ready ones. */
static int turn(tr_engine *g, int64_t timeout_us) {
    int n = tr_poller_wait(g->poller, g->ready, TR_POLL_EVENTS, timeout_us);
    if (n < 0) n = 0;
    int quiet = n == 0 && g->more == NULL && g->pending == NULL && !tr_modhost_has_work(&g->modhost);
    if (quiet && g->pushed == NULL && !g->x.feed.waiting) return 0;
    tr_exec_turn(&g->x);
    tr_exec_begin(&g->x);
    int64_t began_ns = g->x.stopwatch_ns;
    uint64_t commands_before = g->x.totals.commands;
    if (g->more != NULL) run_more(g);
    for (int i = 0; i < n; i++) {
        void *target = g->ready[i].data;
        if (is_listener(g, target)) {
            accept_some(g, target);
            continue;
        }
        if (TR_UNLIKELY(g->modhost.helpers != NULL) && is_helper(g, target)) {
            tr_modhost_ready(target);
            continue;
        }
        tr_conn *conn = target;
        if (g->ready[i].ready & TR_POLL_HUP) tr_conn_hung_up(conn);
        if (g->ready[i].ready & TR_POLL_WRITE) tr_conn_writable(conn);
        if (g->ready[i].ready & TR_POLL_READ) tr_conn_readable(conn);
    }
    if (TR_UNLIKELY(g->x.blocking.clients != 0)) tr_blocking_check(&g->x.blocking, g->x.now_us / 1000);
    if (TR_UNLIKELY(g->modhost.helpers != NULL)) tr_modhost_turn(&g->modhost);
    upkeep(g);
    flush_pending(g);
    if (g->pushed != NULL) flush_or_hold_pushed(g, quiet);
    tr__client_memory_evict(g);
    account_turn(g, began_ns, commands_before);
    return n > 0 ? n : 1;
}

static int has_work(const tr_engine *g) {
    return g->more != NULL || g->pending != NULL || g->store.doomed != NULL || tr_modhost_has_work(&g->modhost) ||
           g->x.feed.waiting;
}

static int has_events(const tr_engine *g) {
    return g->events != NULL || g->module_events;
}

/* How long the next turn may wait for somebody, of at most max_us. */
static int64_t patience_us(const tr_engine *g, int64_t max_us) {
    if (has_work(g)) return 0;
    if (g->pushed == NULL) return max_us;
    return g->pushing_pays && max_us > TR_PUSH_WAIT_US ? TR_PUSH_WAIT_US : 0;
}

int tr_engine_poll(tr_engine *g, int eager, int64_t linger_us, int64_t budget_us, int *more, int *busy) {
    assert_thread(g);
    int64_t end_ns = tr_clock_mono_ns(&g->clock) + budget_us * 1000;
    int64_t wait_us = eager ? linger_us : 0;
    *busy = 0;
    while (turn(g, patience_us(g, wait_us)) != 0) {
        if (has_events(g)) break;
        if (g->turn_end_ns >= end_ns) {
            *busy = 1;
            break;
        }
        wait_us = linger_us;
    }
    if (g->pushed != NULL) flush_pushed(g); /* nobody knows when the next turn is */
    if (g->store.doomed != NULL) tr_store_lazyfree(&g->store, TR_LAZYFREE_STEP);
    *more = has_work(g);
    return has_events(g);
}

static int emit(tr_event *out, uint32_t kind, uint64_t id, int code) {
    *out = (tr_event){.id = id, .kind = kind, .code = code};
    return 1;
}

int tr_engine_take_events(tr_engine *g, tr_event *out, int max) {
    assert_thread(g);
    int n = 0;
    if (g->module_events && max > 0) {
        g->module_events = 0;
        n += emit(&out[n], TR_EVENT_MODULES, 0, 0);
    }
    while (n < max && g->events != NULL) {
        tr_conn *conn = g->events;
        uint32_t kind = conn->events & -conn->events;
        tr_assert(kind != 0);
        n += emit(&out[n], kind, conn->client.id, kind == TR_EVENT_CLOSED ? conn->close_reason : 0);
        conn->events &= ~kind;
        if (conn->events != 0) continue;
        g->events = conn->next_event;
        if (g->events == NULL) g->events_last = NULL;
        conn->in_events = 0;
        if (kind == TR_EVENT_CLOSED) tr_conn_reap(conn);
    }
    return n;
}

static void sample_rates(tr_engine *g) {
    int64_t now = tr_clock_mono_ns(&g->clock);
    int64_t ns = now - g->rate_ns;
    if (ns < RATE_SAMPLE_NS / 2) return;
    g->rate_ns = now;
    const uint64_t figures[TR_RATES] = {
        [TR_RATE_COMMANDS] = g->x.totals.commands, [TR_RATE_BYTES_IN] = g->net.bytes_in,
        [TR_RATE_BYTES_OUT] = g->net.bytes_out,    [TR_RATE_TURNS] = g->net.turns,
        [TR_RATE_TURN_US] = g->net.turn_ns / 1000,
    };
    for (int i = 0; i < TR_RATES; i++) {
        tr_rate *r = &g->rates[i];
        uint64_t grown = figures[i] >= r->last ? figures[i] - r->last : 0;
        r->samples[g->rate_at] = (uint64_t)((double)grown * 1e9 / (double)ns);
        r->last = figures[i];
    }
    g->rate_at = (g->rate_at + 1) % TR_SAMPLES;
}

/* A part of the connections each time, so that all are looked at about once a second. */
static void check_clients(tr_engine *g) {
    uint64_t count = g->x.client_count / (uint64_t)(g->settings.hz > 0 ? g->settings.hz : 1) + 5;
    for (uint64_t i = 0; i < count && g->first != NULL; i++) {
        tr_conn *conn = g->cron_next ? g->cron_next : g->first;
        g->cron_next = conn->next;
        const tr_client *c = &conn->client;
        if (conn->closed || c->flags & TR_CLIENT_FED) continue;
        if (c->out.bytes != 0) tr_conn_note_output(conn); /* looks at the soft limit, too */
        if (g->settings.idle_seconds <= 0 || c->wait != TR_WAIT_NONE) continue;
        if (c->flags & (TR_CLIENT_REPLICA | TR_CLIENT_PUBSUB | TR_CLIENT_MONITOR)) continue;
        if (g->x.now_us - c->active_us > g->settings.idle_seconds * 1000000) tr_conn_close(conn, TR_CLOSE_IDLE);
    }
}

static void tend_tables(tr_engine *g) {
    for (int i = 0; i < g->store.db_count; i++) {
        tr_hash *keys = &g->store.dbs[i].keys;
        tr_hash_shrink(keys);
        if (tr_hash_rehashing(keys)) tr_hash_rehash(keys, TR_CRON_REHASH_BUCKETS);
    }
}

static void turn_spell(tr_engine *g) {
    tr_recent *r = &g->recent;
    int64_t now_ms = g->x.now_us / 1000;
    if (now_ms - r->since_ms < TR_RECENT_MS) return;
    *r = (tr_recent){.since_ms = now_ms, .input_before = r->input, .output_before = r->output};
}

/* Evicts, and notes since when that is not enough. */
static void watch_limit(tr_engine *g) {
    int over = tr_exec_make_room(&g->x) != TR_OK;
    int64_t now_ms = g->x.now_us / 1000;
    if (over && g->over_limit_since_ms == 0) {
        g->over_limit_since_ms = now_ms;
    } else if (!over && g->over_limit_since_ms != 0) {
        g->net.over_limit_ms += (uint64_t)(now_ms - g->over_limit_since_ms);
        g->over_limit_since_ms = 0;
    }
}

int tr_engine_cron(tr_engine *g) {
    assert_thread(g);
    tr_exec_turn(&g->x);
    tr_exec_begin(&g->x);
    int64_t began_ns = g->x.stopwatch_ns;
    int hz = g->settings.hz > 0 ? g->settings.hz : 1;
    tr_mem_note_peak(&g->mem);
    sample_rates(g);
    turn_spell(g);
    resume_listeners(g);
    if (tr_exec_pause_ended(&g->x)) tr_engine_unpause(g);
    if (g->more != NULL) run_more(g);
    tr_blocking_check(&g->x.blocking, g->x.now_us / 1000);
    tr_blocking_serve(&g->x.blocking);
    tr_modhost_cron(&g->modhost);
    if (g->modhost.floor == NULL)
        tr_modhost_happens(&g->modhost, &(tr_happening){.event = TR_HAPPENS_CRON, .number_count = 1, .numbers = {hz}});
    int free_floor = !(g->x.hold & TR_HOLD_FLOOR);
    if (free_floor) expire_due(g, 1000000 / hz / 4);
    if (g->store.doomed != NULL) tr_store_lazyfree(&g->store, TR_LAZYFREE_STEP);
    if (free_floor) watch_limit(g);
    check_clients(g);
    tend_tables(g);
    flush_pending(g);
    flush_pushed(g);
    tr__client_memory_evict(g);
    g->net.cron_ns += (uint64_t)(tr_clock_mono_ns(&g->clock) - began_ns);
    return has_events(g) || has_work(g);
}

int tr_engine_fd(const tr_engine *g) {
    return tr_poller_fd(g->poller);
}

int tr_engine_block(tr_engine *g, int64_t timeout_us) {
    return tr_poller_block(g->poller, timeout_us);
}

void tr_engine_wake(tr_engine *g) {
    tr_poller_wake(g->poller);
}

int tr_engine_drain(tr_engine *g) {
    assert_thread(g);
    int left = 0;
    if (g->x.feed.waiting) tr_monitor_hand_out(&g->x);
    for (tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        if (conn->closed || conn->client.flags & TR_CLIENT_FED || conn->client.out.bytes == 0) continue;
        tr_conn_flush(conn);
        if (!conn->closed && conn->client.out.bytes != 0) left++;
    }
    return left;
}

tr_conn *tr_engine_conn(tr_engine *g, uint64_t id) {
    tr_client *c = tr_client_by_id(&g->x, id);
    if (c == NULL || c->owner != NULL) return NULL;
    tr_conn *conn = (tr_conn *)c;
    return conn->closed ? NULL : conn;
}

uint64_t tr_engine_open_fed(tr_engine *g, uint32_t client_flags) {
    assert_thread(g);
    tr_exec_begin(&g->x);
    tr_conn *conn = tr_conn_open(g, -1, client_flags | TR_CLIENT_FED | TR_CLIENT_LOCAL);
    return conn ? conn->client.id : 0;
}

void tr_engine_finish(tr_engine *g, uint64_t id) {
    assert_thread(g);
    tr_conn *conn = tr_engine_conn(g, id);
    if (conn == NULL || conn->client.wait != TR_WAIT_PYTHON) return;
    tr_exec_begin(&g->x);
    tr_exec_finish(&conn->client);
    tr_conn_resume(conn);
    flush_pending(g);
}

int tr_engine_kill(tr_engine *g, uint64_t id, tr_close_reason reason, int gently) {
    assert_thread(g);
    tr_conn *conn = tr_engine_conn(g, id);
    if (conn == NULL) return 0;
    if (conn->close_reason == TR_CLOSE_NONE) conn->close_reason = (uint8_t)reason;
    conn->client.flags |= gently ? TR_CLIENT_CLOSE_AFTER_REPLY : TR_CLIENT_CLOSE_NOW;
    if (!gently) tr_pubsub_leave(&conn->client); /* publishers count it no more */
    tr_conn_note_output(conn);
    return 1;
}

int tr_engine_unblock(tr_engine *g, uint64_t id, int error) {
    assert_thread(g);
    tr_conn *conn = tr_engine_conn(g, id);
    if (conn == NULL || conn->closed) return 0;
    return tr_blocking_unblock(&conn->client, error ? TR_UNBLOCK_ERROR : TR_UNBLOCK_TIMEOUT);
}

void tr_engine_unpause(tr_engine *g) {
    tr_exec_unpause(&g->x);
    for (tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        if (!conn->closed && conn->client.wait == TR_WAIT_PAUSE) tr_conn_ask_more(conn);
    }
}

tr_client *tr_engine_next_client(tr_engine *g, uint64_t after_id) {
    tr_conn *conn = g->first;
    if (after_id != 0) {
        tr_conn *after = tr_engine_conn(g, after_id);
        conn = after ? after->next : NULL;
    }
    while (conn != NULL && (conn->closed || conn->client.flags & TR_CLIENT_INTERNAL)) conn = conn->next;
    return conn ? &conn->client : NULL;
}
