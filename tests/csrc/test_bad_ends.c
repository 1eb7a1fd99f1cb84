/* Connections that end badly and what is known of them afterwards; the limit on all clients'
 * memory; clients that hang up while they wait; and the record of what happened since the last
 * look. Real sockets on the loopback, a clock that stands. */
#include <sys/socket.h>

#include "engine/api.h"
#include "engine/client_memory.h"
#include "exec/reply.h"
#include "sock_kit.h"

#define MB ((uint64_t)1 << 20)
#define CHUNK 65536

static const uint64_t seed[2] = {1, 2};

typedef struct rig {
    tr_engine *g;
    int port;
    uint64_t closed_id; /* of the last CLOSED event */
    int closed_code;
    int closed_count;
} rig;

static void open_rig(rig *r, tr_poller_kind kind) {
    *r = (rig){0};
    CHECK_EQ_INT(tr_engine_open(4, kind, seed, &r->g), TR_OK);
    r->g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000000000, .fake_mono_ns = 1};
    int listener = listen_tcp("127.0.0.1");
    r->port = tr_sock_port(listener);
    CHECK_EQ_INT(tr_engine_listen(r->g, listener, 0), 0);
}

static void one_turn(rig *r) {
    int more, busy, n;
    tr_event events[64];
    tr_engine_poll(r->g, 0, 0, 0, &more, &busy);
    while ((n = tr_engine_take_events(r->g, events, 64)) > 0) {
        for (int i = 0; i < n; i++) {
            if (events[i].kind != TR_EVENT_CLOSED) continue;
            r->closed_id = events[i].id;
            r->closed_code = events[i].code;
            r->closed_count++;
        }
    }
}

/* A client of the engine; its id is the count of those before it plus one. */
static int join(rig *r) {
    uint64_t before = r->g->net.connections_received;
    int fd = connect_tcp("127.0.0.1", r->port);
    while (r->g->net.connections_received == before) one_turn(r);
    return fd;
}

/* Sends all of it while the engine reads, or as much as can be until it has closed. */
static void say(rig *r, int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return;
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        }
        one_turn(r);
    }
}

static void await_closed(rig *r, int count) {
    while (r->closed_count < count) one_turn(r);
}

/* Sends zero bytes that belong to one large argument. */
static void fill(rig *r, int fd, uint64_t bytes) {
    static const char zeros[CHUNK];
    char head[64];
    say(r, fd, head, (size_t)sprintf(head, "*1\r\n$%d\r\n", 256 << 20));
    for (uint64_t sent = 0; sent < bytes; sent += CHUNK) say(r, fd, zeros, CHUNK);
}

static void check_addr(int fd, const char *addr) {
    char name[TR_NAME_MAX];
    CHECK_EQ_INT(tr_sock_local_name(fd, name), TR_OK);
    CHECK_EQ_STR(addr, name);
}

static void test_an_end_that_is_bad_leaves_an_obituary(void) {
    rig r;
    tr_obituary o;
    open_rig(&r, TR_POLLER_AUTO);
    int fd = join(&r);
    say(&r, fd, "PING\r\n*1\r\nfoo\r\n", 15);
    await_closed(&r, 1);
    CHECK_EQ_INT(r.closed_code, TR_CLOSE_PROTOCOL);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id + 1, &o), 0);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id, &o), 1);
    check_addr(fd, o.addr);
    CHECK_EQ_STR(o.detail, "Protocol error: expected '$', got 'f'");
    CHECK_EQ_INT(o.commands, 1);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id, &o), 0); /* taken */
    close(fd);
    fd = join(&r);
    close(fd);
    await_closed(&r, 2);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id, &o), 0); /* nothing bad about it */
    tr_engine_close(r.g);
}

static void test_obituaries_of_limits(void) {
    rig r;
    tr_obituary o;
    open_rig(&r, TR_POLLER_AUTO);
    r.g->settings.query_buffer_max = MB;
    int fd = join(&r);
    fill(&r, fd, 4 * MB);
    await_closed(&r, 1);
    CHECK_EQ_INT(r.closed_code, TR_CLOSE_QUERY_LIMIT);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id, &o), 1);
    CHECK_EQ_INT(o.limit_bytes, MB);
    CHECK(o.pending_bytes > MB);
    close(fd);
    r.g->settings.idle_seconds = 5;
    fd = join(&r);
    r.g->clock.fake_wall_us += 7000000;
    r.g->clock.fake_mono_ns += 7000000000;
    tr_engine_cron(r.g);
    await_closed(&r, 2);
    CHECK_EQ_INT(r.closed_code, TR_CLOSE_IDLE);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id, &o), 1);
    CHECK_EQ_INT(o.idle_us, 7000000);
    close(fd);
    tr_engine_close(r.g);
}

static void test_a_soft_limit_in_its_obituary(void) {
    rig r;
    tr_obituary o;
    open_rig(&r, TR_POLLER_AUTO);
    r.g->settings.out_limits[TR_OUT_NORMAL] = (tr_out_limit){512 * MB, MB, 1};
    int fd = join(&r);
    say(&r, fd, "SETRANGE k 16777215 x\r\nGET k\r\n", 30);
    for (int i = 0; i < 50; i++) one_turn(&r);
    CHECK_EQ_INT(r.closed_count, 0);
    for (int i = 0; i < 4; i++) {
        r.g->clock.fake_wall_us += 1000000;
        r.g->clock.fake_mono_ns += 1000000000;
        tr_engine_cron(r.g);
    }
    await_closed(&r, 1);
    CHECK_EQ_INT(r.closed_code, TR_CLOSE_OUTPUT_LIMIT);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id, &o), 1);
    CHECK_EQ_INT(o.soft, 1);
    CHECK_EQ_INT(o.limit_bytes, MB);
    CHECK_EQ_INT(o.out_class, TR_OUT_NORMAL);
    close(fd);
    tr_engine_close(r.g);
}

static void test_obituaries_have_a_bound(void) {
    rig r;
    tr_obituary o;
    open_rig(&r, TR_POLLER_AUTO);
    for (int i = 0; i <= TR_OBITUARIES_MAX; i++) {
        uint64_t id = tr_engine_open_fed(r.g, 0);
        CHECK_EQ_INT(tr_api_feed(r.g, id, "POST /\r\n", 8), TR_OK);
        r.closed_id = id;
    }
    CHECK_EQ_INT(r.g->obituary_count, TR_OBITUARIES_MAX);
    CHECK_EQ_INT(r.g->watch.cross_protocol, TR_OBITUARIES_MAX);
    CHECK_EQ_INT(r.g->watch.cross_client, r.closed_id - 1);
    CHECK_EQ_STR(r.g->watch.cross_sign, "POST");
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id, &o), 0);
    CHECK_EQ_INT(tr_obituary_take(r.g, r.closed_id - 1, &o), 1);
    CHECK_EQ_STR(o.detail, "POST");
    CHECK_EQ_INT(tr_obituary_take(r.g, 1, &o), 1);
    tr_engine_close(r.g); /* asserts that no memory is left */
}

/* The bytes of all live clients, counted anew, are those that were summed up on the way. */
static void check_sum(const tr_engine *g) {
    uint64_t sum = 0;
    for (const tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        if (conn->closed || conn->client.flags & TR_CLIENT_FED) continue;
        CHECK_EQ_INT(conn->counted_bytes, tr_conn_memory(conn));
        sum += conn->counted_bytes;
    }
    CHECK_EQ_INT(g->client_bytes, sum);
}

static void set_client_limit(rig *r, uint64_t bytes) {
    r->g->settings.client_memory_max = bytes;
    tr_engine_apply(r->g);
}

static void test_the_largest_clients_go(void) {
    rig r;
    tr_obituary o;
    open_rig(&r, TR_POLLER_AUTO);
    int small = join(&r), medium = join(&r), large = join(&r), spared = join(&r);
    fill(&r, medium, MB);
    CHECK_EQ_INT(r.g->client_bytes, 0); /* no limit, no sum */
    set_client_limit(&r, 16 * MB);
    check_sum(r.g);
    tr_api_client_set_flag(tr_api_client_of(r.g, 4), TR_CLIENT_NO_EVICT, 1);
    fill(&r, spared, 8 * MB);
    check_sum(r.g);
    fill(&r, large, 12 * MB);
    await_closed(&r, 1);
    CHECK_EQ_INT(r.closed_id, 3);
    CHECK_EQ_INT(r.closed_code, TR_CLOSE_EVICTED);
    CHECK_EQ_INT(tr_obituary_take(r.g, 3, &o), 1);
    CHECK_EQ_INT(o.limit_bytes, 16 * MB);
    check_addr(large, o.addr);
    check_sum(r.g);
    set_client_limit(&r, 4 * MB); /* the spared one alone is beyond it: everybody else has to go */
    tr_engine_cron(r.g);
    await_closed(&r, 3);
    CHECK_EQ_INT(r.g->net.evicted_clients, 3);
    CHECK(tr_engine_conn(r.g, 4) != NULL);
    set_client_limit(&r, 0);
    CHECK_EQ_INT(r.g->client_bytes, 0);
    close(small), close(medium), close(large), close(spared);
    tr_engine_close(r.g);
}

static void test_no_more_clients_go_than_must(void) {
    rig r;
    open_rig(&r, TR_POLLER_AUTO);
    int fds[8];
    for (int i = 0; i < 8; i++) fds[i] = join(&r);
    for (int i = 0; i < 8; i++) fill(&r, fds[i], MB + (i == 5 ? 4 * MB : 0));
    tr_conn *one = tr_engine_conn(r.g, 1), *big = tr_engine_conn(r.g, 6);
    uint64_t all = 0;
    for (tr_conn *conn = r.g->first; conn != NULL; conn = conn->next) all += tr_conn_memory(conn);
    /* Without the big one and one more there is just room. */
    set_client_limit(&r, all - tr_conn_memory(big) - tr_conn_memory(one) + 1);
    tr__client_memory_evict(r.g);
    await_closed(&r, 2);
    one_turn(&r);
    CHECK_EQ_INT(r.g->net.evicted_clients, 2);
    CHECK(tr_engine_conn(r.g, 6) == NULL);
    check_sum(r.g);
    for (int i = 0; i < 8; i++) close(fds[i]);
    tr_engine_close(r.g);
}

/* A client that waits has more input than is gathered, and goes. */
static void hang_up_while_waiting(tr_poller_kind kind) {
    rig r;
    open_rig(&r, kind);
    int fd = join(&r);
    tr_exec_pause(&r.g->x, TR_PAUSE_ALL, INT64_MAX / 2000);
    say(&r, fd, "PING\r\n", 6);
    const tr_conn *conn = tr_engine_conn(r.g, 1);
    while (!(conn->interest & TR_POLL_HUP)) say(&r, fd, "PING\r\nPING\r\nPING\r\nPING\r\n", 24);
    CHECK_EQ_INT(conn->client.wait, TR_WAIT_PAUSE);
    CHECK(tr_conn_input_bytes(conn) >= TR_WAIT_INPUT_MAX);
    CHECK_EQ_INT(send(fd, "PING\r\n", 6, MSG_NOSIGNAL), 6); /* stays in the socket */
    one_turn(&r);
    CHECK_EQ_INT(r.closed_count, 0);
    close(fd);
    await_closed(&r, 1);
    CHECK_EQ_INT(r.closed_code, TR_CLOSE_PEER);
    CHECK_EQ_INT(r.g->x.paused_clients, 0);
    tr_engine_close(r.g);
}

static void test_a_waiting_client_hangs_up(void) {
    hang_up_while_waiting(TR_POLLER_EPOLL);
    hang_up_while_waiting(TR_POLLER_POLL);
    hang_up_while_waiting(TR_POLLER_SELECT);
}

static void test_a_waiting_client_goes_on(void) {
    rig r;
    open_rig(&r, TR_POLLER_AUTO);
    int fd = join(&r);
    tr_exec_pause(&r.g->x, TR_PAUSE_ALL, INT64_MAX / 2000);
    say(&r, fd, "PING\r\n", 6);
    const tr_conn *conn = tr_engine_conn(r.g, 1);
    while (!(conn->interest & TR_POLL_HUP)) say(&r, fd, "PING\r\nPING\r\nPING\r\nPING\r\n", 24);
    tr_engine_unpause(r.g);
    while (conn->client.commands * 6 < r.g->net.bytes_in) one_turn(&r);
    CHECK(conn->interest & TR_POLL_READ);
    uint64_t before = conn->client.commands;
    CHECK_EQ_INT(send(fd, "PING\r\n", 6, MSG_NOSIGNAL), 6);
    while (conn->client.commands == before) one_turn(&r);
    close(fd);
    tr_engine_close(r.g);
}

static void test_what_happened_since(void) {
    rig r;
    tr_watch w;
    open_rig(&r, TR_POLLER_AUTO);
    int fd = join(&r);
    tr_watch_take(r.g, &w);
    say(&r, fd, "SET k v\r\nFLUSHALL\r\nFLUSHDB ASYNC\r\nSWAPDB 1 2\r\n", 47);
    tr_watch_take(r.g, &w);
    CHECK_EQ_INT(w.notes.flushes, 2);
    CHECK_EQ_INT(w.notes.flushed_keys, 1);
    CHECK_EQ_INT(w.notes.flush_db, 0);
    CHECK_EQ_INT(w.notes.flush_lazy, 1);
    CHECK_EQ_INT(w.notes.flush_client, 1);
    CHECK_EQ_INT(w.notes.swaps, 1);
    CHECK_EQ_INT(w.notes.swap_first * 10 + w.notes.swap_second, 12);
    r.g->store.stats.evicted_keys = 5;
    tr_watch_take(r.g, &w);
    CHECK_EQ_INT(w.notes.flushes + w.notes.swaps, 0);
    CHECK_EQ_INT(w.evicted_keys, 5);
    r.g->store.stats.evicted_keys = 2; /* CONFIG RESETSTAT ran meanwhile */
    tr_watch_take(r.g, &w);
    CHECK_EQ_INT(w.evicted_keys, 2);
    close(fd);
    tr_engine_close(r.g);
}

int main(void) {
    RUN(test_an_end_that_is_bad_leaves_an_obituary);
    RUN(test_obituaries_of_limits);
    RUN(test_a_soft_limit_in_its_obituary);
    RUN(test_obituaries_have_a_bound);
    RUN(test_the_largest_clients_go);
    RUN(test_no_more_clients_go_than_must);
    RUN(test_a_waiting_client_hangs_up);
    RUN(test_a_waiting_client_goes_on);
    RUN(test_what_happened_since);
    return CHECK_DONE();
}
