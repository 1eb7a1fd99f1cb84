#include "engine_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "command_table.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "exec/multi.h"
#include "exec/reply.h"
#include "reply_check.h"
#include "store/digest.h"

#define MARK 0xfe
#define DATABASES 4
#define EPOCH_US 1700000000000000
#define BULK_MAX 65536        /* bytes; keeps LCS and SETRANGE quick */
#define DEBUG_ALLOCATIONS 200 /* where DEBUG is allowed, every so many one fails: POPULATE ends */
#define KEYS_MAX 64
#define ROUNDS_MAX 100000     /* turns until all is quiet */
#define PASSWORD "key"
#define READ_BYTES 65536

typedef struct peer {
    uint64_t id;      /* of its connection now; 0: none */
    int fd;           /* our end of it; -1: it is fed, or there is none */
    char *text;       /* all that came from the connections in this place; owned */
    size_t len, cap;
    size_t checked;
} peer;

typedef struct runner {
    tr_engine *g;
    peer peers[ER_CONNS];
    int at;           /* whose bytes come */
    int slow_python;  /* 1: asynchronous commands are answered when the input says so */
    int shaken;       /* 1: what clients get depends on more than the bytes */
    tr_rng rng;
    const er_way *way;
} runner;

/* DEBUG SLEEP takes no time here. */
int nanosleep(const struct timespec *wanted, struct timespec *left) {
    (void)wanted, (void)left;
    return 0;
}

uint64_t er_hash(const uint8_t *data, size_t size) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ data[i]) * 1099511628211u;
    return hash;
}

static void *grow(void *p, size_t size) {
    p = realloc(p, size);
    tr_assert(p != NULL);
    return p;
}

static peer *peer_of(runner *r, uint64_t id) {
    for (int i = 0; i < ER_CONNS; i++) {
        if (id != 0 && r->peers[i].id == id) return &r->peers[i];
    }
    return NULL;
}

/* --- what Python does ------------------------------------------------------------------------ */

static void read_everything(tr_engine *g) {
    tr_api_stats stats;
    tr_api_read_stats(g, &stats);
    for (int i = 0; i < stats.db_count; i++) {
        tr_api_db db;
        tr_api_read_db(g, i, &db);
    }
    for (int i = 0; i < stats.command_count; i++) {
        tr_api_command command;
        tr_api_read_command(g, i, &command);
        tr_assert(command.fullname != NULL);
    }
    for (int i = 0; i < stats.error_kinds; i++) {
        uint64_t count;
        tr_assert(tr_api_read_error(g, i, &count) != NULL && count > 0);
    }
    tr_api_slow slow;
    for (uint64_t id = 0; tr_api_slow_from(g, id, &slow); id = slow.id + 1) {
        tr_assert(slow.id >= id && slow.argc > 0 && slow.command != NULL);
    }
    int64_t times[TR_DELAYS], amounts[TR_DELAYS], longest;
    const char *event;
    tr_latency_sample(&g->x, "fuzz", 5);
    for (int i = 0; (event = tr_api_latency_event(g, i)) != NULL; i++) {
        int count = tr_api_latency_delays(g, event, strlen(event), times, amounts, &longest);
        tr_assert(count > 0 && longest >= amounts[0]);
    }
    uint64_t seen = 0;
    for (uint64_t id = tr_api_next_client(g, 0); id != 0; id = tr_api_next_client(g, id)) {
        tr_api_client client;
        tr_assert(tr_api_read_client(g, id, &client, 1) == 1 && client.id == id);
        seen++;
    }
    tr_assert(seen == stats.clients);
    tr_watch watch;
    tr_watch_take(g, &watch);
    tr_watch_take(g, &watch);
    tr_assert(watch.notes.flushes == 0 && watch.notes.swaps == 0 && watch.evicted_keys == 0);
}

static void get_keys(tr_engine *g, const tr_client *c) {
    const char *argv[KEYS_MAX];
    size_t lens[KEYS_MAX];
    int positions[KEYS_MAX];
    uint32_t flags[KEYS_MAX];
    int argc = 0;
    for (int i = 2; i < c->argc && argc < KEYS_MAX; i++, argc++) {
        argv[argc] = tr_api_arg(c, i, &lens[argc]);
    }
    int count = tr_api_get_keys(g, argc, argv, lens, positions, flags, KEYS_MAX);
    for (int i = 0; i < count && i < KEYS_MAX; i++) {
        tr_assert(positions[i] > 0 && positions[i] < argc);
    }
}

static void read_obituary(runner *r, uint64_t id) {
    tr_obituary obituary;
    if (id % 2 == 0 || !tr_obituary_take(r->g, id, &obituary)) return;
    tr_assert(obituary.id == id && memchr(obituary.detail, 0, sizeof(obituary.detail)) != NULL);
    tr_assert(tr_obituary_take(r->g, id, &obituary) == 0);
}

/* The lengths of the arguments choose, so that a mutation changes the choice. */
static size_t arg_len(const tr_client *c, int i) {
    return i < c->argc ? c->argv[i].len : 0;
}

/* With sockets, the engine runs between the pieces of a stretch, and who waits may go on there. */
static void pause_clients(runner *r, int all, int64_t ms) {
    tr_api_pause(r->g, all, tr_api_now_us(r->g) / 1000 + ms);
    if (r->way->sockets) r->shaken = 1;
}

/* MEMORY tells of the allocator, too, MONITOR and the slow log of addresses. To be called before the calls are
 * forgotten. */
static void note_telling_commands(runner *r) {
    for (uint16_t id = 0; id < tr_command_count(); id++) {
        const char *name = tr_command_by_id(id)->fullname;
        int of_addresses = strcmp(name, "monitor") == 0 || strcmp(name, "slowlog|get") == 0;
        int tells = of_addresses || strncmp(name, "memory|", 7) == 0;
        if (tells && r->g->x.stats[id].calls != 0) r->shaken = 1;
    }
}

static void reset_stats(runner *r) {
    note_telling_commands(r);
    tr_api_reset_stats(r->g);
}

static void act(runner *r, tr_client *c, const char *name) {
    tr_engine *g = r->g;
    const tr_arg *arg = c->argc > 2 ? &c->argv[2] : NULL;
    if (strcmp(name, "client|kill") == 0) {
        uint64_t id = r->peers[arg_len(c, 2) % ER_CONNS].id;
        if (id != 0) tr_engine_kill(g, id, TR_CLOSE_KILLED, id == c->id);
    } else if (strcmp(name, "client|pause") == 0) {
        pause_clients(r, c->argc > 3, (int64_t)arg_len(c, 2) * 10);
    } else if (strcmp(name, "client|unpause") == 0) {
        tr_engine_unpause(g);
    } else if (strcmp(name, "client|setname") == 0) {
        tr_api_client_set_text(c, 0, arg->ptr, arg->len);
    } else if (strcmp(name, "client|setinfo") == 0) {
        tr_api_client_set_text(c, 1 + (arg->len == 7), c->argv[3].ptr, c->argv[3].len);
    } else if (strcmp(name, "client|no-touch") == 0) {
        tr_api_client_set_flag(c, TR_CLIENT_NO_TOUCH, arg->len == 2);
    } else if (strcmp(name, "client|no-evict") == 0) {
        tr_api_client_set_flag(c, TR_CLIENT_NO_EVICT, arg->len == 2);
    } else if (strcmp(name, "config|resetstat") == 0) {
        reset_stats(r);
    } else if (strncmp(name, "command|getkeys", 15) == 0) {
        get_keys(g, c);
    } else if (strcmp(name, "info") == 0 || strcmp(name, "client|list") == 0) {
        read_everything(g);
    }
}

static void call_python(void *ctx, tr_client *c) {
    const char *name = tr_api_client_command(c);
    tr_assert(name != NULL && tr_api_argc(c) > 0);
    act(ctx, c, name);
    size_t len;
    const char *last = tr_api_arg(c, tr_api_argc(c) - 1, &len);
    if (len % 8 == 7) tr_api_reply_error(c, last, len);
    else if (tr_api_client_proto(c) == 3) tr_api_reply(c, "%1\r\n$1\r\na\r\n#t\r\n", 15);
    else tr_api_reply(c, "*2\r\n$1\r\na\r\n:1\r\n", 15);
}

static int authenticate(void *ctx, tr_client *c, const char *user, size_t user_len,
                        const char *pass, size_t pass_len) {
    (void)ctx, (void)c;
    tr_assert(user != NULL || user_len == 0);
    return pass_len == strlen(PASSWORD) && memcmp(pass, PASSWORD, pass_len) == 0;
}

static void answer(runner *r, uint64_t id) {
    tr_client *c = tr_api_client_of(r->g, id);
    if (c == NULL || c->wait != TR_WAIT_PYTHON) return;
    tr_assert(tr_api_argc(c) > 0 && tr_api_client_command(c) != NULL);
    for (int i = 0; i < tr_api_argc(c); i++) { /* they still can be read, all of them */
        size_t len;
        const char *p = tr_api_arg(c, i, &len);
        volatile char last = len > 0 ? p[len - 1] : 0;
        (void)last;
    }
    tr_api_reply(c, "+answered\r\n", 11);
    tr_engine_finish(r->g, id);
}

/* --- what clients get ------------------------------------------------------------------------ */

static void complain(const peer *p, size_t at, const char *wrong) {
    size_t from = at > 40 ? at - 40 : 0;
    fprintf(stderr, "reply: %s, at byte %zu, after \"", wrong, at);
    for (size_t i = from; i < p->len && i < at + 10; i++) {
        unsigned char c = (unsigned char)p->text[i];
        fprintf(stderr, c >= ' ' && c < 0x7f && c != '\\' ? "%c" : "\\x%02x", c);
    }
    fprintf(stderr, "\"\n");
    tr_assert(!"a reply is not well-formed");
}

static char *room(peer *p, size_t len) {
    if (p->cap - p->len < len) p->text = grow(p->text, p->cap = (p->len + len) * 2);
    return p->text + p->len;
}

static void take_fed(runner *r, peer *p) {
    const char *piece;
    size_t len;
    while (p->id != 0 && tr_api_fed_output(r->g, p->id, &piece, &len)) {
        memcpy(room(p, len), piece, len);
        p->len += len;
        tr_api_fed_consume(r->g, p->id, len);
    }
}

/* The count of bytes. */
static size_t take_received(peer *p) {
    ssize_t n;
    size_t before = p->len;
    while ((n = recv(p->fd, room(p, READ_BYTES), READ_BYTES, 0)) > 0) p->len += (size_t)n;
    return p->len - before;
}

/* Takes what has come since the last time; it must be whole replies. */
static rc_counts collect(runner *r, peer *p, unsigned allowed) {
    if (p->fd >= 0) take_received(p);
    else take_fed(r, p);
    rc_counts counts;
    size_t at;
    const char *wrong =
        p->len == p->checked
            ? NULL
            : rc_check(p->text + p->checked, p->len - p->checked, allowed, &counts, &at);
    if (wrong != NULL) complain(p, p->checked + at, wrong);
    if (p->len == p->checked) counts = (rc_counts){0};
    p->checked = p->len;
    return counts;
}

/* Turns until nothing is left to do; takes all replies, answers for Python. */
static void leave(peer *p) {
    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
    p->id = 0;
}

static void settle(runner *r, int answers) {
    tr_engine *g = r->g;
    int again = 1;
    for (int round = 0; again; round++) {
        tr_assert(round < ROUNDS_MAX);
        int more, busy, n;
        tr_event events[16];
        for (int i = 0; i < ER_CONNS; i++) collect(r, &r->peers[i], RC_RESP2 | RC_RESP3);
        again = tr_engine_poll(g, 0, 0, 1000, &more, &busy) || more || g->pending || g->more;
        while ((n = tr_engine_take_events(g, events, 16)) > 0) {
            for (int i = 0; i < n; i++) {
                peer *p = peer_of(r, events[i].id);
                if (events[i].kind == TR_EVENT_CALL && answers) answer(r, events[i].id);
                if (events[i].kind != TR_EVENT_CLOSED) continue;
                /* cut off at once, with replies that had not left yet */
                if (events[i].code == TR_CLOSE_CROSS_PROTOCOL) r->shaken = 1;
                if (p != NULL) collect(r, p, RC_RESP2 | RC_RESP3);
                if (p != NULL) leave(p);
                read_obituary(r, events[i].id);
            }
            again = 1;
        }
    }
}

/* --- what happens in between ----------------------------------------------------------------- */

static void connect_peer(runner *r, peer *p) {
    int fds[2];
    if (!r->way->sockets) {
        p->id = tr_engine_open_fed(r->g, 0);
        return;
    }
    int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
    tr_assert(rc == 0);
    tr_exec_begin(&r->g->x);
    const tr_conn *conn = tr_conn_open(r->g, fds[0], TR_CLIENT_LOCAL | TR_CLIENT_UNIX);
    p->id = conn ? conn->client.id : 0;
    p->fd = fds[1];
    if (conn == NULL) leave(p);
}

static void go_to(runner *r, int i) {
    r->at = i;
    if (r->peers[i].id == 0) connect_peer(r, &r->peers[i]);
}

/* Killed by the owner, or gone by itself. */
static void end_peer(runner *r, peer *p, int how) {
    if (p->id == 0) return;
    if (p->fd >= 0) r->shaken = 1;
    if (p->fd >= 0 && how & 8) shutdown(p->fd, how & 4 ? SHUT_WR : SHUT_RDWR);
    else tr_engine_kill(r->g, p->id, TR_CLOSE_KILLED, how & 4);
}

/* Cron does all upkeep, and the turns of this millisecond none: how many there are depends on how
 * the bytes come. */
static void run_cron(runner *r) {
    tr_engine_cron(r->g);
    r->g->cron_ms = tr_api_now_us(r->g) / 1000;
}

static void advance(runner *r, int how) {
    static const int64_t ms[] = {0,    1,    2,     10,    100,    999,     1000,     1001,
                                 5000, 9999, 60000, 61000, 600000, 3600000, 86400000, 1 << 30};
    r->g->clock.fake_wall_us += ms[how] * 1000;
    r->g->clock.fake_mono_ns += ms[how] * 1000000;
    run_cron(r);
}

static void set_memory(runner *r, int how) {
    static const tr_policy policies[] = {
        TR_NOEVICTION,   TR_VOLATILE_LRU, TR_VOLATILE_LFU,    TR_VOLATILE_RANDOM,
        TR_VOLATILE_TTL, TR_ALLKEYS_LRU,  TR_ALLKEYS_LFU,     TR_ALLKEYS_RANDOM,
    };
    tr_api_set_policy(r->g, policies[how & 7]);
    r->g->settings.maxmemory = r->g->mem.used + (how & 8 ? 1000 : 100000);
    tr_engine_apply(r->g);
    r->shaken = 1;
}

static void set_limits(runner *r, int how) {
    static const int64_t bulks[] = {BULK_MAX, 1024, 16384, 40000};
    static const uint64_t queries[] = {1 << 30, 4096, 256, 40000};
    r->g->settings.bulk_max = bulks[how & 3];
    r->g->settings.query_buffer_max = queries[how >> 2];
    tr_engine_apply(r->g);
    if (how >> 2) r->shaken = 1;
}

static void set_debug(runner *r, int how) {
    r->g->settings.debug_enabled = how % 3;
    tr_engine_apply(r->g);
    if (how % 3) tr_mem_fail_every(&r->g->mem, DEBUG_ALLOCATIONS);
    r->shaken = 1;
}

static void set_notify(runner *r, int how) {
    tr_settings *s = &r->g->settings;
    s->notify_keyspace = how & 1;
    s->notify_keyevent = how & 2;
    s->notify_classes = how & 4 ? ~0u : TR_EV_GENERIC | TR_EV_EXPIRED;
    tr_engine_apply(r->g);
}

static void set_rest(runner *r, int how) {
    tr_settings *s = &r->g->settings;
    s->latency_tracking = how & 1;
    s->maxmemory_samples = how & 2 ? 64 : 1;
    s->lfu_decay_minutes = how & 4 ? 0 : 1;
    s->lfu_log_factor = how & 8 ? 0 : 10;
    s->hz = how & 8 ? TR_ENGINE_HZ_MAX : TR_ENGINE_HZ_MIN;
    tr_engine_apply(r->g);
}

static void answer_all(runner *r) {
    for (int i = 0; i < ER_CONNS; i++) {
        if (r->peers[i].id != 0) answer(r, r->peers[i].id);
    }
}

/* 1 when the byte stands for a byte of the connection. */
static int happen(runner *r, uint8_t what) {
    int how = what & 15;
    peer *other = &r->peers[how % ER_CONNS];
    if (what == MARK) return 1;
    settle(r, !r->slow_python);
    switch (what >> 4) {
    case 0:
    case 1:
    case 2: go_to(r, how % ER_CONNS); break;
    case 3: end_peer(r, other, how); break;
    case 4:
    case 5: advance(r, how); break;
    case 6: pause_clients(r, how & 1, how * 100); break;
    case 7:
        if (how & 8) set_notify(r, how);
        else tr_engine_unpause(r->g);
        break;
    case 8:
        r->slow_python = how & 1;
        answer_all(r);
        break;
    case 9: set_memory(r, how); break;
    case 10: set_limits(r, how); break;
    case 11:
        r->g->settings.password_set = how & 1;
        tr_engine_apply(r->g);
        break;
    case 12: set_debug(r, how); break;
    case 13: set_rest(r, how); break;
    case 14:
        read_everything(r->g);
        if (how & 1) reset_stats(r);
        if (how & 2) { /* but for once */
            r->g->cron_ms = 0;
            r->shaken = 1;
        }
        break;
    default:
        if (how & 1) tr_api_flush_all(r->g);
        tr_engine_drain(r->g);
        run_cron(r);
        break;
    }
    settle(r, !r->slow_python);
    tr_store_check(&r->g->store);
    tr_pubsub_check(&r->g->x);
    return 0;
}

/* --- the bytes ------------------------------------------------------------------------------- */

typedef struct look {
    uint64_t commands;
    unsigned allowed;
    int quiet; /* CLIENT REPLY: this or the next reply may be missing */
    int listens; /* to channels, or will after EXEC, or looks on: there may be any number of messages */
} look;

static look look_at(runner *r) {
    const tr_client *c = tr_api_client_of(r->g, r->peers[r->at].id);
    if (c == NULL) return (look){.allowed = RC_RESP2 | RC_RESP3, .quiet = 1};
    uint32_t quiet = TR_CLIENT_REPLY_OFF | TR_CLIENT_REPLY_SKIP | TR_CLIENT_REPLY_SKIP_NEXT;
    int will_listen = c->multi != NULL && c->multi->flags & TR_CMD_PUBSUB;
    const tr_command *last = c->last_cmd;
    int talked_of_it = last != NULL && (last->flags & TR_CMD_PUBSUB || last->fn == tr_cmd_monitor);
    return (look){
        .commands = c->commands,
        .listens = will_listen || talked_of_it || c->flags & (TR_CLIENT_PUBSUB | TR_CLIENT_MONITOR),
        .allowed = c->w.proto == 3 ? RC_RESP3 : RC_RESP2,
        .quiet = (c->flags & quiet) != 0 || c->wait != TR_WAIT_NONE,
    };
}

static void take_a_turn(runner *r) {
    int more, busy;
    tr_engine_poll(r->g, 0, 0, 1000, &more, &busy);
}

/* 1, or 0: it is closed, or it does not take more. */
static int hand_over(runner *r, peer *to, const char *p, size_t n) {
    if (to->id == 0) return 0;
    if (to->fd < 0) return tr_api_feed(r->g, to->id, p, n) == TR_OK;
    for (int stuck = 0; n > 0 && stuck < 2;) {
        ssize_t sent = send(to->fd, p, n, MSG_NOSIGNAL);
        stuck = sent < 0 ? stuck + 1 : 0;
        if (sent < 0 && errno != EAGAIN) return 0;
        if (sent > 0) p += sent, n -= (size_t)sent;
        take_a_turn(r);
        take_received(to);
    }
    if (n > 0) r->shaken = 1; /* it waits for something, with its buffers full */
    return n == 0;
}

/* A byte ends at most one command, and a command that ran has one reply. */
static void feed_byte(runner *r, const char *p) {
    peer *to = &r->peers[r->at];
    look before = look_at(r);
    hand_over(r, to, p, 1);
    look after = look_at(r);
    rc_counts counts = collect(r, to, before.allowed | after.allowed);
    if (before.listens || after.listens) return;
    tr_assert(counts.replies <= 1);
    if (after.commands > before.commands && !before.quiet && !after.quiet) {
        tr_assert(after.commands == before.commands + 1 && counts.replies == 1);
    }
}

static void feed(runner *r, const uint8_t *data, size_t size) {
    size_t max = r->way->chunk_max ? r->way->chunk_max : size;
    for (size_t off = 0; off < size;) {
        size_t n = max > 1 && r->way->chunk_max ? 1 + tr_rng_below(&r->rng, max) : max;
        if (n > size - off) n = size - off;
        const char *piece = (const char *)data + off;
        if (max == ER_BYTEWISE) feed_byte(r, piece);
        else hand_over(r, &r->peers[r->at], piece, n);
        off += n;
    }
}

/* Stretches of bytes end where something happens. */
static void feed_all(runner *r, const uint8_t *data, size_t size) {
    uint8_t *stretch = grow(NULL, size + 1);
    size_t len = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != MARK || i + 1 == size || data[i + 1] == MARK) {
            stretch[len++] = data[i];
            i += data[i] == MARK;
            continue;
        }
        feed(r, stretch, len);
        len = 0;
        happen(r, data[++i]);
    }
    feed(r, stretch, len);
    free(stretch);
}

/* --- a run ----------------------------------------------------------------------------------- */

static void start(runner *r, const er_way *way) {
    static const uint64_t seed[2] = {0x0123456789abcdefu, 0xfedcba9876543210u};
    *r = (runner){.way = way, .rng = {way->seed}};
    tr_poller_kind poller = way->sockets ? TR_POLLER_AUTO : TR_POLLER_POLL;
    tr_assert(tr_engine_open(DATABASES, poller, seed, &r->g) == TR_OK);
    for (int i = 0; i < ER_CONNS; i++) r->peers[i].fd = -1;
    r->g->clock = (tr_clock){.fake = 1, .fake_wall_us = EPOCH_US, .fake_mono_ns = 1000000000};
    tr_api_set_hooks(r->g, r, call_python, authenticate);
    tr_assert(tr_api_rename(r->g, "substr", 6, "part", 4) == TR_OK);
    tr_assert(tr_api_rename(r->g, "lolwut", 6, "", 0) == TR_OK);
    r->g->settings.slowlog_than_us = 0; /* every command is slow */
    r->g->settings.slowlog_max_len = 16;
    r->g->settings.latency_threshold_ms = 1;
    set_limits(r, 0);
    run_cron(r);
    go_to(r, 0);
    tr_assert(r->peers[0].id != 0);
    if (way->fail_at) tr_mem_fail_at(&r->g->mem, way->fail_at);
}

static int is_comparable(runner *r) {
    note_telling_commands(r);
    return !r->shaken && r->g->mem.fail_count == 0;
}

/* Whatever was, the engine serves again, and lets everybody go. */
static void check_end(runner *r) {
    tr_engine *g = r->g;
    tr_mem_fail_at(&g->mem, 0);
    g->settings.debug_enabled = TR_DEBUG_NO;
    g->settings.maxmemory = 0;
    g->settings.password_set = 0;
    tr_engine_apply(g);
    answer_all(r);
    tr_engine_unpause(g); /* who goes on may ask for the next pause */
    settle(r, 1);
    read_everything(g);
    for (int i = 0; i < ER_CONNS; i++) {
        if (r->peers[i].id != 0) tr_engine_kill(g, r->peers[i].id, TR_CLOSE_KILLED, 0);
    }
    tr_engine_unpause(g);
    settle(r, 1);
    tr_assert(g->first == NULL && g->x.client_count == 0 && g->x.paused_clients == 0);
    tr_assert(g->x.pubsub.clients == 0);
    tr_pubsub_check(&g->x);
    peer *p = &r->peers[0];
    connect_peer(r, p);
    size_t len = p->len;
    tr_assert(hand_over(r, p, "PING\r\n", 6));
    settle(r, 1);
    tr_assert(p->len == len + 7 && memcmp(p->text + len, "+PONG\r\n", 7) == 0);
    tr_store_check(&g->store);
}

static void give_out(runner *r, er_outcome *out) {
    for (int i = 0; i < ER_CONNS; i++) {
        peer *p = &r->peers[i];
        out->text = grow(out->text, out->len + p->len + 1);
        if (p->len != 0) memcpy(out->text + out->len, p->text, p->len);
        out->len += p->len;
        out->text[out->len++] = '\0';
        free(p->text);
        leave(p);
    }
}

void er_run(const uint8_t *data, size_t size, const er_way *way, er_outcome *out) {
    runner r;
    start(&r, way);
    uint64_t allocations = r.g->mem.alloc_count;
    feed_all(&r, data, size);
    settle(&r, 1);
    *out = (er_outcome){.allocations = r.g->mem.alloc_count - allocations};
    tr_store_check(&r.g->store);
    tr_digest_store(out->digest, &r.g->store);
    check_end(&r);
    out->comparable = is_comparable(&r); /* those who were paused have run, too */
    give_out(&r, out);
    tr_engine_close(r.g); /* asserts that all memory is back */
}
