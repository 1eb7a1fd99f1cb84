#include "engine/conn.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "engine/client_memory.h"
#include "engine/engine.h"
#include "engine/obituary.h"
#include "exec/multi.h"
#include "exec/reply.h"
#include "net/sock.h"

static void set_interest(tr_conn *conn, uint32_t mask) {
    if (conn->fd < 0 || conn->interest == mask) return;
    if (tr_poller_set(conn->engine->poller, conn->fd, mask) == TR_OK) conn->interest = mask;
}

static void link_last(tr_engine *g, tr_conn *conn) {
    conn->prev = g->last;
    if (g->last) g->last->next = conn;
    else g->first = conn;
    g->last = conn;
}

static void unlink_conn(tr_engine *g, tr_conn *conn) {
    if (g->cron_next == conn) g->cron_next = conn->next;
    if (conn->prev) conn->prev->next = conn->next;
    else g->first = conn->next;
    if (conn->next) conn->next->prev = conn->prev;
    else g->last = conn->prev;
}

tr_conn *tr_conn_open(tr_engine *g, int fd, uint32_t client_flags) {
    tr_conn *conn = tr_zalloc(&g->mem, sizeof(*conn));
    if (conn == NULL || (fd >= 0 && tr_poller_add(g->poller, fd, TR_POLL_READ, conn) != TR_OK)) {
        tr_free(&g->mem, conn);
        if (fd >= 0) tr_sock_close(fd);
        return NULL;
    }
    conn->engine = g;
    conn->fd = fd;
    conn->interest = TR_POLL_READ;
    tr_parser_init(&conn->parser, &g->mem);
    tr_client_init(&conn->client, &g->x, g->x.next_client_id++, client_flags);
    link_last(g, conn);
    tr__client_memory_note(conn);
    tr_modhost_client_changed(&g->modhost, &conn->client, 0);
    return conn;
}

static void drop_held(tr_conn *conn) {
    tr_free(&conn->engine->mem, conn->held);
    conn->held = NULL;
}

void tr_conn_close(tr_conn *conn, tr_close_reason reason) {
    tr_engine *g = conn->engine;
    if (conn->closed) return;
    if (conn->close_reason == TR_CLOSE_NONE) conn->close_reason = (uint8_t)reason;
    tr__obituary_write(conn);
    tr_modhost_client_changed(&g->modhost, &conn->client, 1);
    tr__client_memory_forget(conn);
    conn->closed = 1;
    if (conn->fd >= 0) {
        tr_poller_remove(g->poller, conn->fd);
        tr_sock_close(conn->fd);
        conn->fd = -1;
    }
    drop_held(conn);
    tr_parser_release(&conn->parser);
    tr_buf_release(&g->mem, &conn->in);
    tr_client_release(&conn->client);
    tr__engine_event(g, conn, TR_EVENT_CLOSED);
}

void tr_conn_reap(tr_conn *conn) {
    tr_engine *g = conn->engine;
    tr_assert(conn->closed);
    conn->reap = 1;
    if (conn->in_pending || conn->in_pushed || conn->in_more || conn->in_events) return;
    unlink_conn(g, conn);
    tr_free(&g->mem, conn);
}

size_t tr_conn_input_bytes(const tr_conn *conn) {
    return tr_buf_unread(&conn->in) + (conn->parser.big ? conn->parser.big->len : 0);
}

size_t tr_conn_memory(const tr_conn *conn) {
    size_t bytes = tr_mem_size(conn) + tr_outq_memory(&conn->client.out) + tr_parser_memory(&conn->parser);
    if (conn->in.data) bytes += tr_mem_size(conn->in.data);
    if (conn->held) bytes += tr_mem_size(conn->held);
    bytes += tr_multi_memory(&conn->client) + tr_pubsub_memory(&conn->client);
    if (conn->client.name.ptr) bytes += tr_mem_size(conn->client.name.ptr);
    if (conn->client.addr.ptr) bytes += tr_mem_size(conn->client.addr.ptr);
    if (conn->client.monitor) bytes += tr_mem_size(conn->client.monitor);
    return bytes;
}

/* Output: over its limits the connection goes. */
static int over_output_limit(tr_conn *conn) {
    tr_engine *g = conn->engine;
    const tr_out_limit *limit = tr__engine_out_limit(g, &conn->client);
    uint64_t bytes = conn->client.out.bytes;
    if (TR_UNLIKELY(conn->client.pubsub != NULL)) bytes += conn->client.pubsub->held.bytes;
    if (bytes > g->recent.output) g->recent.output = bytes;
    if (limit->hard_bytes != 0 && bytes >= limit->hard_bytes) return 1;
    if (limit->soft_bytes == 0 || bytes < limit->soft_bytes) {
        conn->soft_since_ms = 0;
        return 0;
    }
    int64_t now_ms = g->x.now_us / 1000;
    if (conn->soft_since_ms == 0) conn->soft_since_ms = now_ms;
    return now_ms - conn->soft_since_ms > limit->soft_seconds * 1000;
}

void tr_conn_note_output(tr_conn *conn) {
    tr_engine *g = conn->engine;
    if (conn->in_pending || conn->closed) return;
    conn->in_pending = 1;
    conn->next_pending = NULL;
    if (g->pending_last) g->pending_last->next_pending = conn;
    else g->pending = conn;
    g->pending_last = conn;
}

void tr_conn_ask_more(tr_conn *conn) {
    tr_engine *g = conn->engine;
    if (conn->in_more || conn->closed) return;
    conn->in_more = 1;
    conn->next_more = NULL;
    if (g->more_last) g->more_last->next_more = conn;
    else g->more = conn;
    g->more_last = conn;
}

static void end_after_reply(tr_conn *conn, tr_close_reason reason) {
    conn->client.flags |= TR_CLIENT_CLOSE_AFTER_REPLY;
    if (conn->close_reason == TR_CLOSE_NONE) conn->close_reason = (uint8_t)reason;
}

static void refuse_input(tr_conn *conn, int rc) {
    if (rc == TR_ENOMEM) {
        tr_conn_close(conn, TR_CLOSE_NO_MEMORY);
        return;
    }
    tr_exec_count_error(&conn->engine->x, "ERR", 3);
    tr_w_errorf(&conn->client.w, "ERR %s", conn->parser.error);
    end_after_reply(conn, TR_CLOSE_PROTOCOL);
}

/* Somebody's browser or mail server talks to us: a request line or header that no Redis client
 * sends. */
static int is_cross_protocol(const tr_client *c) {
    const tr_arg *name = &c->argv[0];
    if (TR_LIKELY(name->len != 4 && name->len != 5)) return 0; /* most commands end here */
    return tr_arg_is(c, 0, "post") || tr_arg_is(c, 0, "host:");
}

/* The arguments of a command that waits move out of the input buffer. 0 or TR_ENOMEM. */
static int hold_args(tr_conn *conn) {
    tr_parser *p = &conn->parser;
    size_t total = 0;
    for (int i = 0; i < p->argc; i++) total += p->argv[i].blob ? 0 : p->argv[i].len;
    char *at = tr_alloc(&conn->engine->mem, total);
    if (at == NULL) return TR_ENOMEM;
    conn->held = at;
    for (int i = 0; i < p->argc; i++) {
        tr_arg *arg = &p->argv[i];
        if (arg->blob != NULL) continue;
        memcpy(at, arg->ptr, arg->len);
        arg->ptr = at;
        at += arg->len;
    }
    return TR_OK;
}

/* Runs what is complete in the buffer. Afterwards the connection may be closed. */
static void run_commands(tr_conn *conn, tr_buf *in) {
    tr_engine *g = conn->engine;
    tr_client *c = &conn->client;
    uint32_t stop = TR_CLIENT_CLOSE_NOW | TR_CLIENT_CLOSE_AFTER_REPLY;
    tr_parser_limits limits = {.multibulk_max = TR_MULTIBULK_MAX, .bulk_max = g->settings.bulk_max};
    int budget = TR_TURN_COMMANDS;
    tr_exec_begin(&g->x);
    while (c->wait == TR_WAIT_NONE && !(c->flags & stop)) {
        if (budget-- == 0) {
            tr_conn_ask_more(conn);
            break;
        }
        limits.unauthenticated = !tr_client_may_enter(c);
        int rc = tr_parser_next(&conn->parser, in, &limits);
        if (rc == TR_EMORE) break;
        if (TR_UNLIKELY(rc < 0)) {
            refuse_input(conn, rc);
            break;
        }
        c->argv = conn->parser.argv;
        c->argc = conn->parser.argc;
        if (TR_UNLIKELY(is_cross_protocol(c))) {
            tr_conn_close(conn, TR_CLOSE_CROSS_PROTOCOL);
            return;
        }
        tr_execute(c);
        if (TR_UNLIKELY(c->wait != TR_WAIT_NONE)) {
            if (conn->held == NULL && hold_args(conn) != TR_OK) c->flags |= TR_CLIENT_CLOSE_NOW;
            break;
        }
        tr_parser_done(&conn->parser);
    }
    if (conn->closed) return;
    if (c->flags & TR_CLIENT_CLOSE_NOW) {
        tr_conn_close(conn, c->out.failed ? TR_CLOSE_NO_MEMORY : TR_CLOSE_KILLED);
        return;
    }
    if (c->out.bytes != 0 || c->flags & TR_CLIENT_CLOSE_AFTER_REPLY) tr_conn_note_output(conn);
}

/* After a run: leftovers of the shared buffer move to a buffer of the connection's own; an empty
 * one goes. 0 or TR_ENOMEM. */
static int settle_input(tr_conn *conn, tr_buf *in) {
    tr_engine *g = conn->engine;
    size_t left = tr_buf_unread(in);
    if (in == &g->shared) {
        int rc = left == 0 ? TR_OK : tr_buf_append(&g->mem, &conn->in, in->data + in->rpos, left);
        in->rpos = in->wpos = 0;
        return rc;
    }
    if (left == 0) tr_buf_release(&g->mem, in);
    return TR_OK;
}

/* It has said all it will, and modules still work at it: they reply first. */
/* A blocked one that hangs up gives its waiting up, as in Redis. */
static int has_units(const tr_conn *conn) {
    if (conn->client.waiter != NULL) return 0;
    return conn->client.units != 0 || conn->client.wait == TR_WAIT_TURN;
}

static void end_half_closed(tr_conn *conn) {
    tr_client *c = &conn->client;
    if (!conn->half_closed || c->wait != TR_WAIT_NONE || has_units(conn) || conn->in_more) return;
    c->flags |= TR_CLIENT_CLOSE_AFTER_REPLY;
    if (conn->close_reason == TR_CLOSE_NONE) conn->close_reason = TR_CLOSE_PEER;
    tr_conn_note_output(conn);
}

static void take_input(tr_conn *conn, tr_buf *in) {
    tr_engine *g = conn->engine;
    tr_client *c = &conn->client;
    if (c->wait == TR_WAIT_NONE) run_commands(conn, in);
    if (conn->closed) {
        if (in == &g->shared) in->rpos = in->wpos = 0;
        return;
    }
    end_half_closed(conn);
    if (settle_input(conn, in) != TR_OK) {
        tr_conn_close(conn, TR_CLOSE_NO_MEMORY);
        return;
    }
    tr__client_memory_note(conn);
    size_t waiting = tr_conn_input_bytes(conn);
    if (waiting > g->recent.input) g->recent.input = waiting;
    if (waiting > g->settings.query_buffer_max) {
        g->net.query_limit_closes++;
        tr_conn_close(conn, TR_CLOSE_QUERY_LIMIT);
        return;
    }
    int full = c->wait != TR_WAIT_NONE && tr_buf_unread(&conn->in) >= TR_WAIT_INPUT_MAX;
    int closing = (c->flags & TR_CLIENT_CLOSE_AFTER_REPLY) != 0;
    uint32_t read = full ? TR_POLL_HUP : closing || conn->in_more || conn->half_closed ? 0 : TR_POLL_READ;
    set_interest(conn, (conn->interest & TR_POLL_WRITE) | read);
}

/* Where the next read goes. NULL: no memory. */
static tr_buf *read_place(tr_conn *conn, char **at, size_t *len) {
    tr_engine *g = conn->engine;
    tr_buf *in = conn->in.data != NULL ? &conn->in : &g->shared;
    if (conn->client.wait == TR_WAIT_NONE && tr_parser_want(&conn->parser, at, len)) {
        if (*len > TR_READ_BYTES * 16) *len = TR_READ_BYTES * 16;
        return in;
    }
    size_t want = in == &g->shared ? TR_READ_BYTES : TR_READ_BYTES / 4;
    if (tr_buf_reserve(&g->mem, in, want) != TR_OK) return NULL;
    *at = in->data + in->wpos;
    *len = tr_buf_room(in);
    return in;
}

/* One read and what follows from it. 1: the place was filled, so that more may be waiting. */
static int read_once(tr_conn *conn) {
    tr_engine *g = conn->engine;
    char *at;
    size_t len;
    tr_buf *in = read_place(conn, &at, &len);
    if (in == NULL) {
        tr_conn_close(conn, TR_CLOSE_NO_MEMORY);
        return 0;
    }
    int64_t n = tr_sock_read(conn->fd, at, len);
    if (n == TR_EAGAIN) return 0;
    if (n == TR_ECLOSED && (has_units(conn) || conn->in_pending)) {
        conn->half_closed = 1;
        set_interest(conn, conn->interest & TR_POLL_WRITE);
        end_half_closed(conn);
        return 0;
    }
    if (n < 0) {
        tr_conn_close(conn, n == TR_ECLOSED ? TR_CLOSE_PEER : TR_CLOSE_IO);
        return 0;
    }
    g->net.reads++;
    g->net.bytes_in += (uint64_t)n;
    conn->client.bytes_in += (uint64_t)n;
    conn->client.active_us = g->x.now_us;
    if (conn->client.flags & TR_CLIENT_CLOSE_AFTER_REPLY) return 0; /* nobody listens any more */
    if (at != in->data + in->wpos) tr_parser_fed(&conn->parser, (size_t)n);
    else in->wpos += (size_t)n;
    take_input(conn, in);
    return (size_t)n == len;
}

void tr_conn_readable(tr_conn *conn) {
    if (conn->closed || conn->in_more) return;
    int filled = read_once(conn);
    /* The rest of a big argument is mostly there already: no need to ask the poller again. */
    for (int i = 0; filled && i < TR_BIG_READS && !conn->closed && conn->parser.big != NULL; i++)
        filled = read_once(conn);
}

int tr_conn_feed(tr_conn *conn, const char *p, size_t n) {
    tr_engine *g = conn->engine;
    if (conn->closed || conn->client.flags & TR_CLIENT_CLOSE_AFTER_REPLY) return TR_ECLOSED;
    if (tr_buf_append(&g->mem, &conn->in, p, n) != TR_OK) {
        tr_conn_close(conn, TR_CLOSE_NO_MEMORY);
        return TR_ENOMEM;
    }
    g->net.bytes_in += n;
    conn->client.bytes_in += n;
    conn->client.active_us = g->x.now_us;
    if (!conn->in_more) take_input(conn, &conn->in);
    return TR_OK;
}

/* The command that had to wait for the end of a pause, or for its turn, is tried again. 1: it has run. */
static int retry(tr_conn *conn) {
    tr_client *c = &conn->client;
    tr_exec_begin(&conn->engine->x);
    if (c->wait == TR_WAIT_PAUSE) conn->engine->x.paused_clients--;
    c->wait = TR_WAIT_NONE;
    tr_execute(c);
    return c->wait == TR_WAIT_NONE;
}

void tr_conn_resume(tr_conn *conn) {
    if (conn->closed) return;
    tr_client *c = &conn->client;
    uint32_t killed = c->flags & (TR_CLIENT_CLOSE_NOW | TR_CLIENT_CLOSE_AFTER_REPLY);
    int again = c->wait == TR_WAIT_PAUSE || c->wait == TR_WAIT_TURN;
    if (again && (killed || !retry(conn))) return;
    if (c->wait != TR_WAIT_NONE) return;
    if (conn->held != NULL) {
        tr_parser_done(&conn->parser);
        drop_held(conn);
    }
    take_input(conn, &conn->in);
}

/* What could be sent has been; is there more to come, or is this the end? */
static void after_flush(tr_conn *conn) {
    tr_client *c = &conn->client;
    tr__client_memory_note(conn);
    if (c->out.bytes != 0) {
        if (over_output_limit(conn)) {
            conn->engine->net.output_limit_closes++;
            tr_conn_close(conn, TR_CLOSE_OUTPUT_LIMIT);
            return;
        }
        set_interest(conn, conn->interest | TR_POLL_WRITE);
        return;
    }
    conn->soft_since_ms = 0;
    if (c->flags & TR_CLIENT_CLOSE_AFTER_REPLY && c->units == 0) {
        tr_conn_close(conn, TR_CLOSE_QUIT);
        return;
    }
    set_interest(conn, conn->interest & ~(uint32_t)TR_POLL_WRITE);
}

/* Writes what the socket takes. TR_CLOSE_NONE, or why the connection must be closed. */
static tr_close_reason send_some(tr_conn *conn) {
    tr_engine *g = conn->engine;
    tr_client *c = &conn->client;
    for (size_t sent = 0; c->out.bytes != 0 && sent < TR_TURN_WRITE_BYTES;) {
        struct iovec iov[TR_WRITE_IOV];
        int count = tr_outq_iov(&c->out, iov, TR_WRITE_IOV);
        int64_t n = tr_sock_write(conn->fd, iov, count);
        if (n == TR_EAGAIN) break;
        if (n < 0) return n == TR_ECLOSED ? TR_CLOSE_PEER : TR_CLOSE_IO;
        tr_outq_consume(&c->out, (size_t)n);
        sent += (size_t)n;
        g->net.writes++;
        g->net.bytes_out += (uint64_t)n;
        c->bytes_out += (uint64_t)n;
    }
    return TR_CLOSE_NONE;
}

static void mark_to_close(tr_conn *conn, tr_close_reason reason) {
    if (conn->close_reason == TR_CLOSE_NONE) conn->close_reason = (uint8_t)reason;
    conn->client.flags |= TR_CLIENT_CLOSE_NOW;
}

/* Its messages leave when nobody else wants anything, or after TR_PUSH_HELD_US: one write for many. */
static void note_pushed(tr_conn *conn) {
    tr_engine *g = conn->engine;
    if (conn->in_pushed || conn->in_pending || conn->closed) return;
    if (g->pushed == NULL) g->pushed_ns = g->x.stopwatch_ns;
    conn->in_pushed = 1;
    conn->next_pushed = g->pushed;
    g->pushed = conn;
}

/* What waits only for the end of the turn is no sign of a slow reader, so it is sent before anybody is judged. A client
 * whose command runs may be in the middle of its reply, and keeps it. */
void tr_conn_pushed(tr_conn *conn) {
    if (TR_LIKELY(conn->client.out.bytes < TR_PUSH_HELD_BYTES)) note_pushed(conn);
    else tr_conn_note_output(conn);
    if (TR_LIKELY(!over_output_limit(conn))) return;
    tr_conn_note_output(conn);
    if (conn->fd >= 0 && !tr_client_is_executing(&conn->client)) {
        tr_close_reason end = send_some(conn);
        if (end != TR_CLOSE_NONE) {
            mark_to_close(conn, end);
            return;
        }
        if (!over_output_limit(conn)) return;
    }
    conn->engine->net.output_limit_closes++;
    mark_to_close(conn, TR_CLOSE_OUTPUT_LIMIT);
}

void tr_conn_flush(tr_conn *conn) {
    tr_engine *g = conn->engine;
    tr_client *c = &conn->client;
    if (conn->closed) return;
    if (c->flags & TR_CLIENT_CLOSE_NOW || c->out.failed) {
        tr_conn_close(conn, c->out.failed ? TR_CLOSE_NO_MEMORY : TR_CLOSE_KILLED);
        return;
    }
    if (conn->client.flags & TR_CLIENT_FED) {
        if (c->out.bytes != 0) tr__engine_event(g, conn, TR_EVENT_OUTPUT);
        else if (c->flags & TR_CLIENT_CLOSE_AFTER_REPLY) tr_conn_close(conn, TR_CLOSE_QUIT);
        return;
    }
    tr_close_reason end = send_some(conn);
    if (end != TR_CLOSE_NONE) tr_conn_close(conn, end);
    else after_flush(conn);
}

void tr_conn_writable(tr_conn *conn) {
    if (!conn->closed && conn->interest & TR_POLL_WRITE) tr_conn_flush(conn);
}

void tr_conn_hung_up(tr_conn *conn) {
    if (!conn->closed && conn->interest & TR_POLL_HUP) tr_conn_close(conn, TR_CLOSE_PEER);
}
