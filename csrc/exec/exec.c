#include "exec/exec.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "command_table.h"
#include "exec/multi.h"
#include "exec/reply.h"

#define ARITY_TEXT_MAX 160 /* bytes of the error about a wrong count of arguments */
#define LISTENER_TEXT_MAX 256 /* of the one about what a listener may not do */
#define PROTECTED_TEXT_MAX 320 /* of the one about who may use DEBUG and MODULE */

static int never(const tr_hnode *node, const void *key, size_t len) {
    (void)node, (void)key, (void)len;
    return 0; /* clients are looked up with their own comparison */
}

static void on_changed(void *ctx, tr_db *db, const char *key, size_t len) {
    tr_exec *x = ctx;
    tr_multi_key_changed(x, db, key, len);
    if (x->blocking.removals != 0 && tr_db_peek(db, key, len) == NULL)
        tr_blocking_signal(&x->blocking, db->id, key, len);
}

/* What clients can wait for; a string is none of it. */
static void on_added(void *ctx, tr_db *db, tr_type type, const char *key, size_t len) {
    tr_exec *x = ctx;
    if (type == TR_LIST || type == TR_ZSET || type == TR_STREAM || type == TR_MODULE)
        tr_blocking_signal(&x->blocking, db->id, key, len);
}

static void on_event(void *ctx, tr_db *db, tr_event_class cls, const char *name, const char *key, size_t len) {
    tr_notify_event(ctx, db, cls, name, key, len);
}

static void on_flushed(void *ctx, int db_id) {
    tr_exec *x = ctx;
    tr_multi_flushed(x, db_id);
    tr_blocking_flushed(&x->blocking, db_id);
}

static void on_swapped(void *ctx, int a, int b) {
    tr_exec *x = ctx;
    tr_multi_swapped(x, a, b);
    tr_blocking_swapped(&x->blocking, a, b);
}

int tr_exec_init(tr_exec *x, tr_mem *mem, tr_store *store, const tr_clock *clock) {
    memset(x, 0, sizeof(*x));
    x->mem = mem;
    x->store = store;
    x->clock = clock;
    x->next_client_id = 1;
    x->latency_tracking = 1;
    x->string_max = TR_STRING_MAX_DEFAULT;
    x->slowlog.than_us = TR_SLOW_THAN_US_DEFAULT;
    x->slowlog.max_len = TR_SLOW_MAX_LEN_DEFAULT;
    tr_exec_look_at(x);
    x->stats = tr_zalloc(mem, tr_command_count() * sizeof(*x->stats));
    x->errors = tr_zalloc(mem, TR_ERROR_KINDS_MAX * sizeof(*x->errors));
    if (x->stats == NULL || x->errors == NULL) {
        tr_free(mem, x->stats);
        tr_free(mem, x->errors);
        x->stats = NULL;
        return TR_ENOMEM;
    }
    tr_out_pool_init(&x->pool, mem);
    tr_outq_init(&x->sink, &x->pool);
    tr_hash_init(&x->clients, mem, never);
    tr_hash_init(&x->watched, mem, never);
    tr_pubsub_init(x);
    tr_runtime_init(x);
    tr_blocking_init(&x->blocking, x);
    store->hooks.ctx = x;
    store->hooks.changed = on_changed;
    store->hooks.added = on_added;
    store->hooks.event = on_event;
    store->hooks.flushed = on_flushed;
    store->hooks.swapped = on_swapped;
    tr_exec_turn(x);
    tr_exec_begin(x);
    return TR_OK;
}

static void drop_latencies(tr_exec *x) {
    for (int i = 0; i < tr_exec_command_count(x); i++) tr_free(x->mem, x->stats[i].latency);
}

void tr_exec_release(tr_exec *x) {
    if (x->stats == NULL) return;
    tr_assert(tr_hash_count(&x->clients) == 0);
    drop_latencies(x);
    tr_free(x->mem, x->stats);
    tr_free(x->mem, x->errors);
    tr_hash_release(&x->clients);
    tr_assert(tr_hash_count(&x->watched) == 0);
    tr_hash_release(&x->watched);
    tr_pubsub_release(x);
    tr_slowlog_reset(x);
    tr_latency_reset_all(x);
    tr_monitor_release(x);
    tr_renames_release(&x->renames, x->mem);
    tr_runtime_release(x);
    tr_blocking_close(&x->blocking);
    tr_outq_clear(&x->sink);
    tr_out_pool_release(&x->pool);
    x->stats = NULL;
}

void tr_exec_turn(tr_exec *x) {
    int64_t wall_ns = tr_clock_wall_us(x->clock) * 1000;
    x->wall_offset_ns = wall_ns - tr_clock_mono_ns(x->clock);
    x->slowest_ns = 0;
    x->slowest = NULL;
    x->notable_ns = x->look_ns < 0 ? x->look_ns : 0;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* The longest time that is below so many units. */
static int64_t just_below(int64_t units, int64_t unit_ns) {
    return units > INT64_MAX / unit_ns ? INT64_MAX : units * unit_ns - 1;
}

void tr_exec_look_at(tr_exec *x) {
    int64_t ns = INT64_MAX;
    if (tr_slowlog_is_on(&x->slowlog)) ns = smaller(ns, just_below(x->slowlog.than_us, 1000));
    if (x->latency_events.threshold_ms > 0) ns = smaller(ns, just_below(x->latency_events.threshold_ms, 1000000));
    if (x->busy_ms > 0) ns = smaller(ns, just_below(x->busy_ms, 1000000));
    x->look_ns = x->feed.count > 0 ? -1 : ns;
    x->notable_ns = smaller(x->look_ns, x->slowest_ns);
}

int tr_exec_make_room(tr_exec *x) {
    tr_store *store = x->store;
    if (TR_LIKELY(x->latency_events.threshold_ms == 0 || !tr_store_over_limit(store))) return tr_store_make_room(store);
    int64_t began_ns = tr_clock_mono_ns(x->clock);
    store->stopwatch = x->clock;
    store->slowest_eviction_ns = 0;
    int rc = tr_store_make_room(store);
    store->stopwatch = NULL;
    tr_latency_sample(x, TR_LATENCY_EVICTION_DEL, store->slowest_eviction_ns / 1000000);
    tr_latency_sample(x, TR_LATENCY_EVICTION_CYCLE, (tr_clock_mono_ns(x->clock) - began_ns) / 1000000);
    return rc;
}

void tr_exec_begin(tr_exec *x) {
    x->stopwatch_ns = tr_clock_mono_ns(x->clock);
    x->now_us = (x->stopwatch_ns + x->wall_offset_ns) / 1000;
    tr_store_set_time(x->store, x->now_us / 1000);
}

void tr_exec_reset_stats(tr_exec *x) {
    drop_latencies(x);
    memset(x->stats, 0, (size_t)tr_exec_command_count(x) * sizeof(*x->stats));
    memset(x->errors, 0, TR_ERROR_KINDS_MAX * sizeof(*x->errors));
    x->error_kind_count = 0;
    x->totals = (tr_exec_stats){0};
}

/* The first word of an error's text, as one field of a line in INFO: what means something there
 * becomes '_'. The text may be anybody's. */
static void kind_of(char code[TR_ERROR_KIND_LEN], const char *text, size_t len) {
    size_t n = 0;
    for (; n < len && text[n] != ' ' && n < TR_ERROR_KIND_LEN - 1; n++) {
        code[n] = text[n] == '\0' || strchr("#:\r\n", text[n]) != NULL ? '_' : text[n];
    }
    code[n] = '\0';
}

void tr_exec_count_error(tr_exec *x, const char *text, size_t len) {
    char code[TR_ERROR_KIND_LEN];
    x->totals.errors++;
    kind_of(code, text, len);
    for (int i = 0; i < x->error_kind_count; i++) {
        tr_error_kind *kind = &x->errors[i];
        if (strcmp(kind->code, code) != 0) continue;
        kind->count++;
        return;
    }
    if (x->error_kind_count == TR_ERROR_KINDS_MAX) return; /* the total still counts it */
    tr_error_kind *kind = &x->errors[x->error_kind_count++];
    memcpy(kind->code, code, sizeof(code));
    kind->count = 1;
}

/* Bytes of an argument that an error text shows: as in Redis, up to its first NUL. */
static size_t shown_len(const tr_arg *arg, size_t max) {
    return strnlen(arg->ptr, arg->len < max ? arg->len : max);
}

static void refuse_unknown(tr_client *c) {
    char args[TR_UNKNOWN_ARGS_MAX + 8];
    size_t n = 0;
    for (int i = 1; i < c->argc && n < TR_UNKNOWN_ARGS_MAX; i++) {
        size_t len = shown_len(&c->argv[i], TR_UNKNOWN_ARGS_MAX - n);
        args[n++] = '\'';
        memcpy(args + n, c->argv[i].ptr, len);
        n += len;
        args[n++] = '\'';
        args[n++] = ' ';
    }
    char text[64 + TR_UNKNOWN_ARGS_MAX + sizeof(args)];
    size_t name_len = shown_len(&c->argv[0], TR_UNKNOWN_ARGS_MAX);
    size_t at = (size_t)sprintf(text, "ERR unknown command '");
    memcpy(text + at, c->argv[0].ptr, name_len);
    at += name_len;
    at += (size_t)sprintf(text + at, "', with args beginning with: ");
    memcpy(text + at, args, n);
    c->x->totals.unknown_commands++;
    tr_reply_error_len(c, text, at + n);
}

static void refuse_unknown_sub(tr_client *c) {
    char text[64 + 2 * TR_UNKNOWN_ARGS_MAX];
    size_t len = shown_len(&c->argv[1], TR_UNKNOWN_ARGS_MAX);
    size_t name_len = shown_len(&c->argv[0], TR_UNKNOWN_ARGS_MAX);
    size_t at = (size_t)sprintf(text, "ERR unknown subcommand '");
    memcpy(text + at, c->argv[1].ptr, len);
    at += len;
    at += (size_t)sprintf(text + at, "'. Try ");
    for (size_t i = 0; i < name_len; i++) text[at++] = (char)toupper((unsigned char)c->argv[0].ptr[i]);
    at += (size_t)sprintf(text + at, " HELP.");
    c->x->totals.unknown_commands++;
    tr_reply_error_len(c, text, at);
}

const tr_command *tr_exec_find(const tr_exec *x, const char *name, size_t len) {
    const tr_command *cmd =
        TR_LIKELY(x->renames.count == 0) ? tr_command_find(name, len) : tr_renames_find(&x->renames, name, len);
    if (TR_LIKELY(cmd != NULL)) return cmd;
    const tr_runtime_command *r = tr_runtime_find(x, name, len);
    return r == NULL ? NULL : &r->cmd;
}

/* The subcommand that argv[1] names; NULL: none. */
static const tr_command *find_sub(const tr_command *cmd, const tr_arg *name) {
    if (TR_LIKELY(cmd->id < tr_command_count())) return tr_command_find_sub(cmd, name->ptr, name->len);
    const tr_runtime_command *r = tr_runtime_find_sub(tr_runtime_of(cmd), name->ptr, name->len);
    return r == NULL ? NULL : &r->cmd;
}

int tr_exec_command_count(const tr_exec *x) {
    return tr_command_count() + x->runtime.count;
}

const tr_command *tr_exec_resolve(const tr_exec *x, const tr_arg *argv, int argc) {
    const tr_command *cmd = argc > 0 ? tr_exec_find(x, argv[0].ptr, argv[0].len) : NULL;
    if (cmd == NULL || cmd->subcommand_count == 0 || argc == 1) return cmd;
    return find_sub(cmd, &argv[1]);
}

/* The command that argv means, or NULL after the error reply. */
static const tr_command *resolve(tr_client *c) {
    const tr_command *cmd = tr_exec_find(c->x, c->argv[0].ptr, c->argv[0].len);
    if (TR_UNLIKELY(cmd == NULL)) {
        refuse_unknown(c);
        return NULL;
    }
    if (cmd->subcommand_count != 0 && c->argc > 1) {
        const tr_command *sub = find_sub(cmd, &c->argv[1]);
        if (sub == NULL) {
            refuse_unknown_sub(c);
            return NULL;
        }
        cmd = sub;
    }
    return cmd;
}

/* Before it could run or be queued. EXEC refused is the end of its transaction, if there is one. */
static void reject(tr_client *c, const tr_command *cmd, const char *text) {
    c->x->stats[cmd->id].rejected++;
    if (cmd->fn == tr_cmd_exec) {
        const char *reason = strncmp(text, "ERR ", 4) == 0 ? text + 4 : text;
        tr_reply_errorf(c, "EXECABORT Transaction discarded because of: %s", reason);
        tr_multi_end(c);
        return;
    }
    tr_multi_abort(c);
    tr_reply_error(c, text);
}

/* What the command will do: EXEC does what was queued. */
static uint64_t deeds(const tr_client *c, const tr_command *cmd) {
    return cmd->fn == tr_cmd_exec && c->multi != NULL ? cmd->flags | c->multi->flags : cmd->flags;
}

/* No pause for them, and so nothing that touches keys. */
#define TR_CLIENT_ONLOOKERS (TR_CLIENT_REPLICA | TR_CLIENT_MONITOR)

static int pauses(const tr_exec *x, const tr_client *c, const tr_command *cmd) {
    if (x->pause == TR_PAUSE_NONE || c->flags & (TR_CLIENT_ONLOOKERS | TR_CLIENT_INTERNAL)) return 0;
    return x->pause == TR_PAUSE_ALL || deeds(c, cmd) & (TR_CMD_WRITE | TR_CMD_MAY_REPLICATE);
}

/* A command that does not run at once: refused, or left waiting. 1: it goes on all the same. */
static int held(tr_client *c, const tr_command *cmd) {
    tr_exec *x = c->x;
    if (x->hold & TR_HOLD_FLOOR && !(c->flags & TR_CLIENT_INTERNAL)) {
        if (!(x->hold & TR_HOLD_BUSY)) {
            c->wait = TR_WAIT_TURN;
            return 0;
        }
        if (!(cmd->flags & TR_CMD_ALLOW_BUSY)) {
            char text[TR_BUSY_TEXT_MAX + 8];
            snprintf(text, sizeof text, "BUSY %s", x->busy_text);
            reject(c, cmd, x->busy_text[0] != '\0' ? text :
                   "BUSY a module command takes its time, nothing else can run meanwhile. It ends by itself, at the "
                   "latest after module-command-timeout.");
            return 0;
        }
    }
    if (!pauses(x, c, cmd)) return 1;
    c->wait = TR_WAIT_PAUSE;
    x->paused_clients++;
    return 0;
}

/* DEBUG and MODULE, with their subcommands: each has a directive that says who may use it. 1: this client may. */
static int may_use_protected(tr_client *c, const tr_command *cmd) {
    const tr_exec *x = c->x;
    int is_module = strncmp(cmd->fullname, "module", 6) == 0;
    int who = is_module ? x->module_enabled : x->debug_enabled;
    if (who == TR_DEBUG_YES || (who == TR_DEBUG_LOCAL && c->flags & TR_CLIENT_LOCAL)) return 1;
    char text[PROTECTED_TEXT_MAX];
    snprintf(text, sizeof text,
             "ERR %s command not allowed. If the %s option is set to \"local\", you can run it from a local "
             "connection, otherwise you need to set this option in the configuration file, and then restart the "
             "server.",
             is_module ? "MODULE" : "DEBUG", is_module ? "enable-module-command" : "enable-debug-command");
    reject(c, cmd, text);
    return 0;
}

/* With RESP2 a message can't be told from a reply, so who listens runs only commands about that. */
static int may_listener_run(const tr_client *c, const tr_command *cmd) {
    static tr_command_fn *const allowed[] = {
        tr_cmd_subscribe,   tr_cmd_psubscribe,   tr_cmd_ssubscribe,   tr_cmd_ping, tr_cmd_quit,
        tr_cmd_unsubscribe, tr_cmd_punsubscribe, tr_cmd_sunsubscribe, tr_cmd_reset,
    };
    if (c->w.proto != 2) return 1;
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (cmd->fn == allowed[i]) return 1;
    }
    return 0;
}

/* A client that listens or looks on, and so may not do everything: 1, or 0 after the error reply. */
static int may_audience_run(tr_client *c, const tr_command *cmd) {
    if (c->flags & TR_CLIENT_PUBSUB && !may_listener_run(c, cmd)) {
        char text[LISTENER_TEXT_MAX];
        snprintf(text, sizeof(text),
                 "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
                 "this context",
                 cmd->fullname);
        reject(c, cmd, text);
        return 0;
    }
    uint64_t on_keys = TR_CMD_WRITE | TR_CMD_READONLY | TR_CMD_MAY_REPLICATE;
    if (c->flags & TR_CLIENT_ONLOOKERS && deeds(c, cmd) & on_keys) {
        reject(c, cmd, "ERR Replica can't interact with the keyspace");
        return 0;
    }
    return 1;
}

/* 1 when the command may run now; else the client has its error or waits. */
static int admit(tr_client *c, const tr_command *cmd) {
    tr_exec *x = c->x;
    if (TR_UNLIKELY(!tr_command_arity_ok(cmd, c->argc))) {
        char text[ARITY_TEXT_MAX];
        snprintf(text, sizeof(text), "ERR wrong number of arguments for '%s' command", cmd->fullname);
        reject(c, cmd, text);
        return 0;
    }
    if (TR_UNLIKELY(!tr_client_may_enter(c)) && !(cmd->flags & TR_CMD_NO_AUTH)) {
        reject(c, cmd, "NOAUTH Authentication required.");
        return 0;
    }
    if (TR_UNLIKELY(cmd->flags & TR_CMD_PROTECTED) && !may_use_protected(c, cmd)) return 0;
    if (x->store->maxmemory != 0 && tr_exec_make_room(x) != TR_OK &&
        deeds(c, cmd) & TR_CMD_DENYOOM && !(c->flags & TR_CLIENT_ANY_MEMORY)) {
        reject(c, cmd, TR_MSG_OOM);
        return 0;
    }
    if (TR_UNLIKELY(c->flags & (TR_CLIENT_PUBSUB | TR_CLIENT_ONLOOKERS)) && !may_audience_run(c, cmd)) return 0;
    return TR_LIKELY(x->hold == 0) || held(c, cmd);
}

static void note_busy(tr_exec *x, const tr_client *c, const tr_command *cmd, int64_t ns) {
    tr_exec_notes *n = &x->notes;
    n->busy++;
    n->busy_client = c->id;
    n->busy_ns = ns;
    n->busy_command = cmd->fullname;
}

/* The slowest command of this turn so far, or one that somebody wants to see. */
static void notable(tr_exec *x, tr_client *c, const tr_command *cmd, int64_t ns) {
    if (ns > x->slowest_ns) {
        x->slowest_ns = ns;
        x->slowest = cmd;
        x->notable_ns = smaller(x->look_ns, ns);
    }
    if (ns <= x->look_ns) return;
    if (c->argc > 0) {
        if (!(cmd->flags & (TR_CMD_SKIP_MONITOR | TR_CMD_ADMIN))) tr_monitor_show(c, cmd);
        tr_slowlog_note(c, cmd, ns);
    }
    tr_latency_sample(x, cmd->flags & TR_CMD_FAST ? TR_LATENCY_FAST_COMMAND : TR_LATENCY_COMMAND, ns / 1000000);
    if (x->busy_ms > 0 && ns / 1000000 >= x->busy_ms) note_busy(x, c, cmd, ns);
}

static void account_for(tr_exec *x, tr_client *c, const tr_command *cmd, uint64_t ns) {
    if (TR_UNLIKELY((int64_t)ns > x->notable_ns)) notable(x, c, cmd, (int64_t)ns);
    tr_command_stats *s = &x->stats[cmd->id];
    s->calls++;
    s->ns += ns;
    if (TR_UNLIKELY(c->flags & TR_CLIENT_FAILED_COMMAND)) s->failed++;
    if (TR_UNLIKELY(!x->latency_tracking)) return;
    if (TR_UNLIKELY(s->latency == NULL)) {
        s->latency = tr_zalloc(x->mem, sizeof(tr_latency));
        if (s->latency == NULL) return; /* counted all the same, only not in a bucket */
    }
    tr_latency_add(s->latency, ns);
}

static void account(tr_exec *x, tr_client *c, const tr_command *cmd) {
    int64_t now_ns = tr_clock_mono_ns(x->clock);
    uint64_t ns = (uint64_t)(now_ns - x->stopwatch_ns);
    x->stopwatch_ns = now_ns;
    account_for(x, c, cmd, ns);
}

/* Between MULTI and EXEC: 1 when the command runs all the same; else it has been queued or refused. */
static int runs_in_multi(tr_client *c, const tr_command *cmd) {
    if (cmd->fn != NULL && (cmd->fn == tr_cmd_exec || cmd->fn == tr_cmd_discard || cmd->fn == tr_cmd_multi ||
                            cmd->fn == tr_cmd_watch || cmd->fn == tr_cmd_quit || cmd->fn == tr_cmd_reset))
        return 1;
    if (cmd->flags & TR_CMD_NO_MULTI) {
        reject(c, cmd, "ERR Command not allowed inside a transaction");
    } else if (tr_multi_queue(c, cmd) != TR_OK) {
        reject(c, cmd, TR_MSG_NO_MEMORY);
    } else {
        tr_reply_simple(c, "QUEUED");
    }
    return 0;
}

static void run(tr_client *c, const tr_command *cmd) {
    tr_exec *x = c->x;
    c->cmd = cmd;
    c->flags &= ~(uint32_t)TR_CLIENT_FAILED_COMMAND;
    x->store->no_touch = (c->flags & TR_CLIENT_NO_TOUCH) != 0;
    if (TR_LIKELY(cmd->handler_kind == TR_HANDLER_C)) {
        cmd->fn(c);
    } else if (cmd->handler_kind == TR_HANDLER_PY_SYNC && x->hooks.call_python) {
        x->hooks.call_python(x->hooks.python_ctx, c);
    } else if (cmd->handler_kind == TR_HANDLER_PY_ASYNC && x->hooks.waiting) {
        c->wait = TR_WAIT_PYTHON;
        x->hooks.waiting(x->hooks.ctx, c);
        return;
    } else if (cmd->handler_kind == TR_HANDLER_MODULE && x->hooks.run_module) {
        uint32_t before = c->units;
        x->hooks.run_module(x->hooks.module_ctx, c);
        if (c->units != before) { /* it replies later */
            c->cmd = NULL;
            return;
        }
    } else {
        tr_reply_errorf(c, "ERR '%s' needs the server around the engine", cmd->fullname);
    }
    account(x, c, cmd);
    c->last_cmd = cmd;
    c->cmd = NULL;
    if (TR_UNLIKELY(x->after != 0)) x->hooks.after(x->hooks.module_ctx);
}

/* CLIENT REPLY: where this command's reply goes. A monitor first gets what came before. */
static void aim_reply(tr_client *c) {
    if (c->flags & TR_CLIENT_MONITOR) tr_monitor_catch_up(c);
    c->w.q = c->flags & (TR_CLIENT_REPLY_OFF | TR_CLIENT_REPLY_SKIP) ? &c->x->sink : &c->out;
}

static void end_reply(tr_client *c) {
    if (TR_LIKELY(c->w.q == &c->out && !(c->flags & (TR_CLIENT_REPLY_SKIP | TR_CLIENT_REPLY_SKIP_NEXT)))) return;
    tr_outq_clear(&c->x->sink);
    c->flags &= ~(uint32_t)TR_CLIENT_REPLY_SKIP;
    if (c->flags & TR_CLIENT_REPLY_SKIP_NEXT) {
        c->flags &= ~(uint32_t)TR_CLIENT_REPLY_SKIP_NEXT;
        c->flags |= TR_CLIENT_REPLY_SKIP;
    }
    c->w.q = &c->out;
}

/* What filters made of the command has served. */
static void end_filtered(tr_client *c) {
    c->flags &= ~(uint32_t)TR_CLIENT_FILTERED;
    tr_free(c->x->mem, c->filtered);
    c->filtered = NULL;
}

/* The client has module commands that have not replied yet: only one more for the same helper may join them. */
static int may_follow(const tr_client *c) {
    const tr_command *cmd = tr_exec_resolve(c->x, c->argv, c->argc);
    if (cmd == NULL || cmd->handler_kind != TR_HANDLER_MODULE) return 0;
    if (c->waiter != NULL || c->flags & TR_CLIENT_MAY_BLOCK) return 0;
    return c->multi == NULL && c->units < TR_CLIENT_UNITS_MAX &&
           tr_runtime_of(cmd)->owner == c->units_of && tr_command_arity_ok(cmd, c->argc);
}

void tr_execute(tr_client *c) {
    tr_exec *x = c->x;
    tr_debug_assert(c->argc >= 1 && c->wait == TR_WAIT_NONE);
    if (TR_UNLIKELY(x->hooks.filter != NULL) && !(c->flags & TR_CLIENT_FILTERED)) {
        uint32_t held = x->hold & (TR_HOLD_FLOOR | TR_HOLD_BUSY);
        if (held == TR_HOLD_FLOOR && !(c->flags & TR_CLIENT_INTERNAL)) { /* the filter can't be asked now */
            c->wait = TR_WAIT_TURN;
            return;
        }
        c->flags |= TR_CLIENT_FILTERED;
        x->hooks.filter(x->hooks.module_ctx, c);
        if (c->flags & TR_CLIENT_CLOSE_NOW) return;
    }
    if (TR_UNLIKELY(c->flags & (TR_CLIENT_REPLY_OFF | TR_CLIENT_REPLY_SKIP | TR_CLIENT_UNITS | TR_CLIENT_MONITOR))) {
        if (c->flags & TR_CLIENT_UNITS && !may_follow(c)) {
            c->wait = TR_WAIT_TURN;
            return;
        }
        aim_reply(c);
    }
    const tr_command *cmd = resolve(c);
    if (TR_UNLIKELY(cmd == NULL)) tr_multi_abort(c);
    int goes = cmd != NULL && admit(c, cmd);
    if (TR_UNLIKELY(c->multi != NULL) && goes && c->multi->active) goes = runs_in_multi(c, cmd);
    if (TR_LIKELY(goes)) {
        run(c, cmd);
        x->totals.commands++;
        c->commands++;
        if (TR_UNLIKELY(tr_blocking_has_ready(&x->blocking))) tr_blocking_serve(&x->blocking);
    }
    if (c->wait == TR_WAIT_NONE) end_reply(c);
    if (TR_UNLIKELY(c->pubsub != NULL)) tr_pubsub_settle(c);
    if (TR_UNLIKELY(c->flags & TR_CLIENT_FILTERED) && c->wait == TR_WAIT_NONE) end_filtered(c);
    if (TR_UNLIKELY(c->out.failed)) c->flags |= TR_CLIENT_CLOSE_NOW;
}

void tr_exec_run_queue(tr_client *c) {
    tr_exec *x = c->x;
    tr_multi *m = c->multi;
    const tr_command *exec = c->cmd;
    const tr_arg *argv = c->argv;
    int argc = c->argc;
    int64_t began_ns = x->stopwatch_ns;
    tr_multi_unwatch(c); /* own changes must not matter */
    m->active = 0; /* the commands run, they are not queued again */
    m->running = 1;
    tr_reply_array(c, (size_t)m->count);
    for (int i = 0; i < m->count; i++) {
        c->argv = m->queue[i].argv;
        c->argc = m->queue[i].argc;
        run(c, m->queue[i].cmd);
        x->totals.commands++;
    }
    tr_multi_end(c);
    c->cmd = exec;
    c->argv = argv;
    c->argc = argc;
    c->flags &= ~(uint32_t)TR_CLIENT_FAILED_COMMAND;
    x->stopwatch_ns = began_ns; /* EXEC's own time is that of the whole */
}

void tr_exec_unit_done(tr_client *c, const tr_command *cmd, const tr_arg *argv, int argc, int64_t now_ns, uint64_t ns,
                       int failed) {
    tr_exec *x = c->x;
    const tr_arg *waiting = c->argv; /* the client's next command may stand there already */
    int waiting_count = c->argc;
    tr_assert(c->units > 0);
    if (failed) c->flags |= TR_CLIENT_FAILED_COMMAND;
    else c->flags &= ~(uint32_t)TR_CLIENT_FAILED_COMMAND;
    x->stopwatch_ns = now_ns;
    c->argv = argv;
    c->argc = argc;
    account_for(x, c, cmd, ns);
    c->argv = waiting;
    c->argc = waiting_count;
    c->last_cmd = cmd;
    if (--c->units == 0) c->flags &= ~(uint32_t)(TR_CLIENT_UNITS | TR_CLIENT_MAY_BLOCK);
    if (c->out.failed) c->flags |= TR_CLIENT_CLOSE_NOW;
}

void tr_exec_finish(tr_client *c) {
    tr_exec *x = c->x;
    tr_assert(c->wait == TR_WAIT_PYTHON && c->cmd != NULL);
    account(x, c, c->cmd);
    c->last_cmd = c->cmd;
    c->cmd = NULL;
    c->wait = TR_WAIT_NONE;
    end_reply(c);
    end_filtered(c);
    if (c->pubsub != NULL) tr_pubsub_settle(c);
    if (c->out.failed) c->flags |= TR_CLIENT_CLOSE_NOW;
}

static void happens(tr_exec *x, const tr_happening *what) {
    if (x->hooks.happens != NULL) x->hooks.happens(x->hooks.module_ctx, what);
}

void tr_exec_note_flush(const tr_client *c, int db_id, uint64_t keys, int lazy) {
    tr_exec_notes *n = &c->x->notes;
    n->flushes++;
    n->flushed_keys += keys;
    n->flush_client = c->id;
    n->flush_db = db_id;
    n->flush_lazy = lazy;
    for (uint32_t end = 0; end < 2; end++)
        happens(c->x, &(tr_happening){.event = TR_HAPPENS_FLUSH, .subevent = end, .number_count = 2,
                                      .numbers = {!lazy, db_id}});
}

void tr_exec_note_swap(const tr_client *c, int first, int second) {
    tr_exec_notes *n = &c->x->notes;
    n->swaps++;
    n->swap_client = c->id;
    n->swap_first = first;
    n->swap_second = second;
    happens(c->x, &(tr_happening){.event = TR_HAPPENS_SWAP, .number_count = 2, .numbers = {first, second}});
}

void tr_exec_pause(tr_exec *x, tr_pause mode, int64_t until_ms) {
    if (mode > x->pause) x->pause = mode;
    if (until_ms > x->pause_until_ms) x->pause_until_ms = until_ms;
    x->hold |= TR_HOLD_PAUSE;
    x->store->keep_expired = 1;
}

void tr_exec_unpause(tr_exec *x) {
    x->pause = TR_PAUSE_NONE;
    x->pause_until_ms = 0;
    x->hold &= ~(uint32_t)TR_HOLD_PAUSE;
    x->store->keep_expired = 0;
}

int tr_exec_pause_ended(tr_exec *x) {
    if (x->pause == TR_PAUSE_NONE || x->now_us / 1000 < x->pause_until_ms) return 0;
    tr_exec_unpause(x);
    return 1;
}
