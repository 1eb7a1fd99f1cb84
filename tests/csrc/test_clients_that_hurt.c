/* Clients that hurt, one test for each paragraph of docs/discussion/clients-that-hurt.md: a
 * whole engine with real sockets on loopback, driven turn by turn on a fake clock, and a network
 * that misbehaves. Run on each poller. What must come is waited for without an end, so what
 * never comes shows as a hang. Closing the engine proves that nothing leaked: it asserts that
 * its account is empty. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "engine/engine.h"
#include "faultnet.h"
#include "net/sock.h"

#define SECOND_US INT64_C(1000000)
#define EVENTS_MAX 512

static tr_poller_kind kind; /* the poller under test */

/* While it is set, peers seem to come from another machine: an address that is set aside for
 * documentation. */
static int stranger;

int getpeername(int fd, struct sockaddr *restrict to, socklen_t *restrict len) {
    if (syscall(SYS_getpeername, fd, to, len) != 0) return -1;
    if (stranger) ((struct sockaddr_in *)(void *)to)->sin_addr.s_addr = htonl(0xc0000207);
    return 0;
}

typedef struct rig {
    tr_engine *g;
    int port;
    int closed_count;
    tr_close_reason closed_why; /* of the last one closed */
} rig;

static void open_rig(rig *r) {
    const uint64_t seed[2] = {1, 2};
    int listener = -1;
    *r = (rig){0};
    CHECK_EQ_INT(tr_engine_open(16, kind, seed, &r->g), TR_OK);
    r->g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000 * SECOND_US, .fake_mono_ns = 1};
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", 0, 511, &listener), TR_OK);
    r->port = tr_sock_port(listener);
    CHECK(tr_engine_listen(r->g, listener, 0) >= 0);
}

static void take_events(rig *r) {
    tr_event events[EVENTS_MAX];
    int n;
    while ((n = tr_engine_take_events(r->g, events, EVENTS_MAX)) > 0) {
        for (int i = 0; i < n; i++) {
            if (events[i].kind == TR_EVENT_CLOSED) {
                r->closed_count++;
                r->closed_why = (tr_close_reason)events[i].code;
            }
        }
    }
}

/* One turn of the loop: no budget, so it ends after the first. */
static void one_turn(rig *r) {
    int more, busy;
    tr_engine_poll(r->g, 0, 0, 0, &more, &busy);
    take_events(r);
}

static void pass_time(rig *r, int64_t us) {
    r->g->clock.fake_wall_us += us;
    r->g->clock.fake_mono_ns += us * 1000;
}

/* Enough runs of the regular work to look at every client. */
static void run_cron(rig *r) {
    for (int i = 0; i < 20; i++) tr_engine_cron(r->g);
    take_events(r);
}

static void close_rig(rig *r) {
    faultnet_stop();
    tr_engine_close(r->g);
}

static int dial(const rig *r) {
    int fd = -1;
    CHECK_EQ_INT(tr_sock_connect_tcp("127.0.0.1", r->port, &fd), TR_OK);
    struct pollfd done = {.fd = fd, .events = POLLOUT};
    CHECK_EQ_INT(poll(&done, 1, -1), 1);
    return fd;
}

/* A client that the engine knows. */
static int join(rig *r) {
    uint64_t before = r->g->net.connections_received;
    int fd = dial(r);
    while (r->g->net.connections_received == before) one_turn(r);
    return fd;
}

static ssize_t put_some(int fd, const char *p, size_t n) {
    return syscall(SYS_sendto, fd, p, n, MSG_NOSIGNAL, NULL, 0);
}

/* Writes all while the engine runs. 0 when the connection is over. */
static int say_bytes(rig *r, int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t put = put_some(fd, p, n);
        if (put < 0 && errno != EAGAIN) return 0;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
        one_turn(r);
    }
    return 1;
}

static void say(rig *r, int fd, const char *text) {
    CHECK_EQ_INT(say_bytes(r, fd, text, strlen(text)), 1);
}

/* Reads up to n bytes while the engine runs; fewer when the connection is over. */
static size_t hear_bytes(rig *r, int fd, char *p, size_t n) {
    size_t have = 0;
    while (have < n) {
        ssize_t got = read(fd, p + have, n - have);
        if (got == 0 || (got < 0 && errno != EAGAIN)) break;
        if (got > 0) have += (size_t)got;
        else one_turn(r);
    }
    return have;
}

static void hear(rig *r, int fd, const char *want) {
    char got[1024];
    size_t len = strlen(want);
    CHECK(len <= sizeof(got));
    CHECK_EQ_MEM(got, hear_bytes(r, fd, got, len), want, len);
}

/* Nothing more comes, and the connection is over. */
static void hear_end(rig *r, int fd) {
    char byte;
    CHECK_EQ_INT(hear_bytes(r, fd, &byte, 1), 0);
    close(fd);
}

static void await_closed(rig *r, int count, tr_close_reason why) {
    while (r->closed_count < count) one_turn(r);
    CHECK_EQ_INT(r->closed_count, count);
    CHECK_EQ_INT(r->closed_why, why);
}

/* The connection of the oldest client, and the one after it. */
static tr_conn *first_conn(const rig *r) {
    CHECK(r->g->first != NULL);
    return r->g->first;
}

static void await_input(const tr_conn *conn) {
    struct pollfd p = {.fd = conn->fd, .events = POLLIN};
    CHECK_EQ_INT(poll(&p, 1, -1), 1);
}

static void check_alive(rig *r, int fd) {
    say(r, fd, "PING\r\n");
    hear(r, fd, "+PONG\r\n");
}

typedef struct text {
    char *p;
    size_t len, cap;
} text;

static void text_add(text *t, const char *p, size_t n) {
    if (t->len + n > t->cap) {
        t->cap = (t->len + n) * 2;
        t->p = realloc(t->p, t->cap);
        CHECK(t->p != NULL);
    }
    memcpy(t->p + t->len, p, n);
    t->len += n;
}

/* ECHO of n bytes, as a request and as the reply. */
static void add_echo(text *request, text *reply, size_t n) {
    static char value[200000];
    char head[64];
    CHECK(n <= sizeof(value));
    for (size_t i = 0; i < n; i++) value[i] = (char)('a' + (i + n) % 23);
    int len = snprintf(head, sizeof(head), "*2\r\n$4\r\nECHO\r\n$%zu\r\n", n);
    text_add(request, head, (size_t)len);
    text_add(request, value, n);
    text_add(request, "\r\n", 2);
    len = snprintf(head, sizeof(head), "$%zu\r\n", n);
    text_add(reply, head, (size_t)len);
    text_add(reply, value, n);
    text_add(reply, "\r\n", 2);
}

static void free_texts(text *a, text *b) {
    free(a->p);
    free(b->p);
    *a = *b = (text){0};
}

static void test_idle(void) {
    rig r;
    open_rig(&r);
    int a = join(&r), subscriber = join(&r), b = join(&r);
    first_conn(&r)->next->client.flags |= TR_CLIENT_PUBSUB;
    first_conn(&r)->next->client.w.proto = 3;
    r.g->settings.idle_seconds = 10;
    pass_time(&r, 9 * SECOND_US);
    run_cron(&r);
    CHECK_EQ_INT(r.closed_count, 0);
    check_alive(&r, b);
    pass_time(&r, 2 * SECOND_US);
    run_cron(&r);
    await_closed(&r, 1, TR_CLOSE_IDLE);
    hear_end(&r, a);
    check_alive(&r, b);
    check_alive(&r, subscriber);
    r.g->settings.idle_seconds = 0;
    pass_time(&r, 1000000 * SECOND_US);
    run_cron(&r);
    CHECK_EQ_INT(r.closed_count, 1);
    close(b);
    close(subscriber);
    await_closed(&r, 3, TR_CLOSE_PEER);
    close_rig(&r);
}

/* An idle client holds neither input nor output memory, whatever it did before. */
static void test_idle_holds_nothing(void) {
    rig r;
    text request = {0}, reply = {0};
    open_rig(&r);
    int fd = join(&r);
    size_t fresh = tr_conn_memory(first_conn(&r));
    add_echo(&request, &reply, 100000);
    add_echo(&request, &reply, 10);
    CHECK_EQ_INT(say_bytes(&r, fd, request.p, 60000), 1);
    while (first_conn(&r)->client.bytes_in < 60000) one_turn(&r);
    CHECK(tr_conn_memory(first_conn(&r)) > fresh + 50000);
    CHECK_EQ_INT(say_bytes(&r, fd, request.p + 60000, request.len - 60000), 1);
    char *got = malloc(reply.len);
    CHECK_EQ_MEM(got, hear_bytes(&r, fd, got, reply.len), reply.p, reply.len);
    CHECK_EQ_INT(tr_conn_memory(first_conn(&r)), fresh);
    free(got);
    free_texts(&request, &reply);
    close(fd);
    close_rig(&r);
}

static void test_too_many(void) {
    rig r;
    open_rig(&r);
    r.g->settings.maxclients = 2;
    int a = join(&r), b = join(&r), c = join(&r);
    hear(&r, c, "-ERR max number of clients reached\r\n");
    hear_end(&r, c);
    CHECK_EQ_INT(r.g->watch.rejected, 1);
    CHECK_EQ_INT(r.closed_count, 0); /* it never was a client */
    check_alive(&r, a);
    close(a);
    await_closed(&r, 1, TR_CLOSE_PEER);
    c = join(&r);
    check_alive(&r, c);
    check_alive(&r, b);
    close(b);
    close(c);
    close_rig(&r);
}

/* A storm of connections: the first turn takes a part of them, and in the end all are in. */
static void test_storm(void) {
    enum { STORM = TR_ACCEPTS_PER_TURN + 40 };
    rig r;
    static int fds[STORM];
    open_rig(&r);
    int early = join(&r);
    for (int i = 0; i < STORM; i++) fds[i] = dial(&r);
    CHECK_EQ_INT(put_some(early, "PING\r\n", 6), 6);
    await_input(first_conn(&r));
    one_turn(&r);
    CHECK_EQ_INT(first_conn(&r)->client.commands, 1); /* served in the same turn */
    CHECK(r.g->net.connections_received <= 1 + TR_ACCEPTS_PER_TURN);
    while (r.g->net.connections_received < 1 + STORM) one_turn(&r);
    for (int i = 0; i < STORM; i++) check_alive(&r, fds[i]);
    for (int i = 0; i < STORM; i++) close(fds[i]);
    await_closed(&r, STORM, TR_CLOSE_PEER);
    close(early);
    close_rig(&r);
}

/* Without descriptors the listener rests, the others are served, and nobody is lost. */
static void test_no_descriptors(void) {
    rig r;
    open_rig(&r);
    int early = join(&r);
    fnet.accept_fail = 1;
    fnet.accept_errno = EMFILE;
    int late = dial(&r);
    while (tr_engine_listener_trouble(r.g, 0) == 0) one_turn(&r);
    CHECK_EQ_INT(tr_engine_listener_trouble(r.g, 0), EMFILE);
    check_alive(&r, early);
    pass_time(&r, (TR_LISTENER_PAUSE_MS - 1) * 1000);
    run_cron(&r);
    check_alive(&r, early);
    CHECK_EQ_INT(r.g->net.connections_received, 1);
    pass_time(&r, 1000);
    run_cron(&r);
    check_alive(&r, late);
    CHECK_EQ_INT(tr_engine_listener_trouble(r.g, 0), 0);
    close(early);
    close(late);
    close_rig(&r);
}

/* Asks and never reads, until there is at least this much output, or the connection is over. */
static void pile_up(rig *r, int fd, size_t bytes) {
    text request = {0}, reply = {0};
    add_echo(&request, &reply, 100000);
    while (r->closed_count == 0 && first_conn(r)->client.out.bytes < bytes) {
        if (!say_bytes(r, fd, request.p, request.len)) break;
    }
    free_texts(&request, &reply);
}

static void test_slow_reader_hard_limit(void) {
    rig r;
    open_rig(&r);
    r.g->settings.out_limits[TR_OUT_NORMAL].hard_bytes = 1 << 20;
    int fd = join(&r), other = join(&r);
    pile_up(&r, fd, SIZE_MAX);
    await_closed(&r, 1, TR_CLOSE_OUTPUT_LIMIT);
    CHECK_EQ_INT(r.g->net.output_limit_closes, 1);
    check_alive(&r, other);
    close(fd);
    close(other);
    close_rig(&r);
}

static void test_slow_reader_soft_limit(void) {
    rig r;
    open_rig(&r);
    tr_out_limit limit = {.soft_bytes = 1 << 20, .soft_seconds = 5};
    r.g->settings.out_limits[TR_OUT_NORMAL] = limit;
    int fd = join(&r);
    pile_up(&r, fd, 2 << 20);
    CHECK_EQ_INT(r.closed_count, 0);
    pass_time(&r, 4 * SECOND_US);
    run_cron(&r);
    CHECK_EQ_INT(r.closed_count, 0);
    /* It reads everything in time: the clock starts anew. */
    static char sink[1 << 20];
    while (first_conn(&r)->client.out.bytes > 0) {
        if (read(fd, sink, sizeof(sink)) < 0) CHECK_EQ_INT(errno, EAGAIN);
        one_turn(&r);
    }
    pass_time(&r, 4 * SECOND_US);
    run_cron(&r);
    pile_up(&r, fd, 2 << 20);
    pass_time(&r, 4 * SECOND_US);
    run_cron(&r);
    CHECK_EQ_INT(r.closed_count, 0);
    pass_time(&r, 2 * SECOND_US);
    run_cron(&r);
    await_closed(&r, 1, TR_CLOSE_OUTPUT_LIMIT);
    close(fd);
    close_rig(&r);
}

static void test_huge_value(void) {
    rig r;
    open_rig(&r);
    r.g->settings.bulk_max = 1000;
    int fd = join(&r);
    say(&r, fd, "*2\r\n$4\r\nECHO\r\n$1001\r\n");
    hear(&r, fd, "-ERR Protocol error: invalid bulk length\r\n");
    hear_end(&r, fd);
    await_closed(&r, 1, TR_CLOSE_PROTOCOL);
    close_rig(&r);
}

/* What was sent of one request is over the limit: many small arguments, and one large. */
static void test_endless_request(void) {
    const char *const starts[] = {"*100000\r\n", "*2\r\n$4\r\nECHO\r\n$100000000\r\n"};
    static char many[1000 * 17];
    for (int i = 0; i < 1000; i++) memcpy(many + i * 17, "$10\r\n0123456789\r\n", 17);
    for (int i = 0; i < 2; i++) {
        rig r;
        open_rig(&r);
        r.g->settings.query_buffer_max = 1 << 20;
        int fd = join(&r);
        say(&r, fd, starts[i]);
        while (r.closed_count == 0) {
            CHECK(first_conn(&r)->client.bytes_in < 2 << 20);
            if (!say_bytes(&r, fd, many, sizeof(many))) break;
        }
        await_closed(&r, 1, TR_CLOSE_QUERY_LIMIT);
        CHECK_EQ_INT(r.g->net.query_limit_closes, 1);
        close(fd);
        close_rig(&r);
    }
}

static void test_drip(void) {
    rig r;
    text request = {0}, reply = {0};
    open_rig(&r);
    int fd = join(&r);
    add_echo(&request, &reply, 300);
    for (size_t i = 0; i < request.len; i++) {
        CHECK_EQ_INT(put_some(fd, request.p + i, 1), 1);
        await_input(first_conn(&r));
        one_turn(&r);
        CHECK_EQ_INT(first_conn(&r)->client.commands, i == request.len - 1);
    }
    char *got = malloc(reply.len);
    CHECK_EQ_MEM(got, hear_bytes(&r, fd, got, reply.len), reply.p, reply.len);
    free(got);
    free_texts(&request, &reply);
    close(fd);
    close_rig(&r);
}

/* Five thousand commands in one packet do not keep the neighbour from having its one. */
static void test_deep_pipeline(void) {
    enum { DEEP = 5 * TR_TURN_COMMANDS };
    static char pings[DEEP * 6], pongs[DEEP * 7], got[DEEP * 7];
    rig r;
    open_rig(&r);
    for (int i = 0; i < DEEP; i++) {
        memcpy(pings + i * 6, "PING\r\n", 6);
        memcpy(pongs + i * 7, "+PONG\r\n", 7);
    }
    int greedy = join(&r), modest = join(&r);
    tr_conn *a = first_conn(&r), *b = a->next;
    CHECK_EQ_INT(put_some(greedy, pings, sizeof(pings)), sizeof(pings));
    CHECK_EQ_INT(put_some(modest, "PING\r\n", 6), 6);
    await_input(a);
    await_input(b);
    one_turn(&r);
    CHECK_EQ_INT(b->client.commands, 1);
    CHECK(a->client.commands <= TR_TURN_COMMANDS);
    for (uint64_t before = a->client.commands; before < DEEP; before = a->client.commands) {
        one_turn(&r);
        CHECK(a->client.commands - before <= TR_TURN_COMMANDS);
    }
    CHECK_EQ_MEM(got, hear_bytes(&r, greedy, got, sizeof(got)), pongs, sizeof(pongs));
    hear(&r, modest, "+PONG\r\n");
    close(greedy);
    close(modest);
    close_rig(&r);
}

static void test_half_closed(void) {
    rig r;
    open_rig(&r);
    int fd = join(&r);
    CHECK_EQ_INT(put_some(fd, "PING\r\nECHO x\r\n", 14), 14);
    CHECK_EQ_INT(shutdown(fd, SHUT_WR), 0);
    hear(&r, fd, "+PONG\r\n$1\r\nx\r\n");
    hear_end(&r, fd);
    await_closed(&r, 1, TR_CLOSE_PEER);
    close_rig(&r);
}

/* In the middle of a request, and with replies that nobody has read. */
static void test_reset(void) {
    rig r;
    open_rig(&r);
    for (int i = 1; i <= 2; i++) {
        struct linger abort_at_close = {.l_onoff = 1};
        int fd = join(&r);
        say(&r, fd, i == 1 ? "*2\r\n$4\r\nECHO\r\n$100000\r\nxxx" : "PING\r\nPING\r\nPI");
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof(abort_at_close));
        close(fd);
        await_closed(&r, i, TR_CLOSE_PEER);
    }
    CHECK_EQ_INT(r.g->x.client_count, 0);
    close_rig(&r);
}

static void test_cross_protocol(void) {
    const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: localhost:6379\r\n\r\nECHO 1\r\n",
        "GET / HTTP/1.1\r\nhost: localhost:6379\r\n\r\nECHO 1\r\n",
        "*1\r\n$4\r\npost\r\nECHO 1\r\n",
    };
    for (int i = 0; i < 3; i++) {
        rig r;
        open_rig(&r);
        int fd = join(&r);
        say(&r, fd, requests[i]);
        hear_end(&r, fd);
        await_closed(&r, 1, TR_CLOSE_CROSS_PROTOCOL);
        CHECK_EQ_INT(r.g->x.totals.commands, 0);
        close_rig(&r);
    }
}

static void test_without_password(void) {
    const char *const wrong[][2] = {
        {"*11\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n"},
        {"*2\r\n$4\r\nAUTH\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n"},
    };
    rig r;
    open_rig(&r);
    r.g->settings.password_set = 1;
    tr_engine_apply(r.g);
    for (int i = 0; i < 2; i++) {
        int fd = join(&r);
        say(&r, fd, "ECHO x\r\n");
        hear(&r, fd, "-NOAUTH Authentication required.\r\n");
        say(&r, fd, wrong[i][0]);
        hear(&r, fd, wrong[i][1]);
        hear_end(&r, fd);
        await_closed(&r, i + 1, TR_CLOSE_PROTOCOL);
    }
    close_rig(&r);
}

static void test_stranger(void) {
    rig r;
    char start[8];
    open_rig(&r);
    r.g->settings.protected_mode = 1;
    int local = join(&r);
    stranger = 1;
    int fd = join(&r);
    CHECK_EQ_INT(hear_bytes(&r, fd, start, sizeof(start)), sizeof(start));
    CHECK_EQ_MEM(start, sizeof(start), "-DENIED ", 8);
    CHECK_EQ_INT(r.g->watch.denied, 1);
    CHECK_EQ_MEM(r.g->watch.denied_addr, 10, "192.0.2.7:", 10);
    close(fd);
    r.g->settings.password_set = 1;
    tr_engine_apply(r.g);
    fd = join(&r);
    say(&r, fd, "ECHO x\r\n");
    hear(&r, fd, "-NOAUTH Authentication required.\r\n");
    stranger = 0;
    check_alive(&r, local);
    close(fd);
    close(local);
    close_rig(&r);
}

typedef struct talk {
    int fd;
    text request, reply;
    size_t said, heard;
} talk;

static void start_talk(rig *r, talk *t) {
    static const size_t sizes[] = {0, 1, 9, 200, 5000, 16384, 33000, 70000};
    *t = (talk){.fd = join(r)};
    for (int i = 0; i < 40; i++) {
        if (faultnet_random(3) == 0) {
            text_add(&t->request, "PING\r\n", 6);
            text_add(&t->reply, "+PONG\r\n", 7);
        } else {
            add_echo(&t->request, &t->reply, sizes[faultnet_random(8)] + faultnet_random(3));
        }
    }
}

/* Says a little, hears what has come. 1 while there is something left to do. */
static int go_on(talk *t) {
    static char got[65536];
    if (t->said < t->request.len) {
        size_t n = 1 + faultnet_random(20000);
        if (n > t->request.len - t->said) n = t->request.len - t->said;
        ssize_t put = put_some(t->fd, t->request.p + t->said, n);
        CHECK(put > 0 || errno == EAGAIN);
        if (put > 0) t->said += (size_t)put;
    }
    ssize_t n = read(t->fd, got, sizeof(got));
    CHECK(n > 0 || (n < 0 && errno == EAGAIN));
    if (n <= 0) return n < 0;
    CHECK((size_t)n <= t->reply.len - t->heard);
    if ((size_t)n > t->reply.len - t->heard) return 0;
    CHECK(memcmp(got, t->reply.p + t->heard, (size_t)n) == 0);
    t->heard += (size_t)n;
    return t->heard < t->reply.len;
}

/* Interruptions, false alarms, and pieces of any size change nothing about what three clients
 * read. */
static void test_bad_network(void) {
    enum { CLIENTS = 3 };
    for (uint64_t seed = 1; seed <= 8 && check_failures == 0; seed++) {
        rig r;
        talk talks[CLIENTS];
        open_rig(&r);
        faultnet_start(seed, seed % 2 ? 300 : 30000);
        for (int i = 0; i < CLIENTS; i++) start_talk(&r, &talks[i]);
        for (int busy = 1; busy;) {
            busy = 0;
            for (int i = 0; i < CLIENTS; i++) {
                if (talks[i].heard < talks[i].reply.len) busy |= go_on(&talks[i]);
            }
            one_turn(&r);
        }
        CHECK(fnet.disturbed > 100);
        CHECK_EQ_INT(r.closed_count, 0);
        for (int i = 0; i < CLIENTS; i++) {
            CHECK_EQ_INT(talks[i].heard, talks[i].reply.len);
            close(talks[i].fd);
            free_texts(&talks[i].request, &talks[i].reply);
        }
        await_closed(&r, CLIENTS, TR_CLOSE_PEER);
        close_rig(&r);
    }
}

/* A short conversation that may end early. What is read is right as far as it goes. 1: to the
 * end. */
static int converse(rig *r) {
    text request = {0}, reply = {0};
    add_echo(&request, &reply, 40000);
    for (int i = 0; i < 3; i++) add_echo(&request, &reply, 100);
    add_echo(&request, &reply, 20000);
    int fd = join(r);
    char *got = malloc(reply.len);
    size_t piece = request.len / 7; /* so that a buffer is needed for the rest */
    for (size_t at = 0; at < request.len; at += piece) {
        size_t n = request.len - at < piece ? request.len - at : piece;
        if (!say_bytes(r, fd, request.p + at, n)) break;
    }
    size_t heard = hear_bytes(r, fd, got, reply.len);
    CHECK(memcmp(got, reply.p, heard) == 0);
    int whole = heard == reply.len;
    free(got);
    free_texts(&request, &reply);
    close(fd);
    while (r->g->x.client_count > 0) one_turn(r);
    return whole;
}

/* The first, the second, ... transfer of a conversation fails: that connection ends, the next
 * one works. */
static void test_failing_transfers(void) {
    static const struct {
        int err;
        tr_close_reason why;
    } faults[] = {{ECONNRESET, TR_CLOSE_PEER}, {ETIMEDOUT, TR_CLOSE_PEER}, {EIO, TR_CLOSE_IO}};
    rig r;
    open_rig(&r);
    for (int f = 0; f < 3; f++) {
        int failed = 0;
        for (uint64_t n = 1; n < 1000; n++) {
            r.closed_count = 0;
            fnet.fail_in = n;
            fnet.fail_errno = faults[f].err;
            int whole = converse(&r);
            if (fnet.fail_in != 0) {
                CHECK_EQ_INT(whole, 1);
                break;
            }
            await_closed(&r, 1, faults[f].why);
            failed++;
        }
        CHECK(failed >= 3);
        fnet.fail_in = 0;
    }
    close_rig(&r);
}

/* The same with memory: from accepting to the last reply each allocation fails once. */
static void test_failing_memory(void) {
    int refused = 0, done = 0;
    for (uint64_t n = 1; !done && n < 10000; n++) {
        rig r;
        open_rig(&r);
        tr_mem_fail_at(&r.g->mem, n);
        int whole = converse(&r);
        done = r.g->mem.fail_in != 0;
        tr_mem_fail_at(&r.g->mem, 0);
        if (done) CHECK_EQ_INT(whole, 1);
        else refused += !whole;
        CHECK_EQ_INT(converse(&r), 1);
        close_rig(&r);
    }
    CHECK_EQ_INT(done, 1);
    CHECK(refused >= 3);
}

static void run_suite(void) {
    RUN(test_idle);
    RUN(test_idle_holds_nothing);
    RUN(test_too_many);
    RUN(test_storm);
    RUN(test_no_descriptors);
    RUN(test_slow_reader_hard_limit);
    RUN(test_slow_reader_soft_limit);
    RUN(test_huge_value);
    RUN(test_endless_request);
    RUN(test_drip);
    RUN(test_deep_pipeline);
    RUN(test_half_closed);
    RUN(test_reset);
    RUN(test_cross_protocol);
    RUN(test_without_password);
    RUN(test_stranger);
    RUN(test_bad_network);
    RUN(test_failing_transfers);
    RUN(test_failing_memory);
}

int main(void) {
    const tr_poller_kind kinds[] = {TR_POLLER_EPOLL, TR_POLLER_POLL, TR_POLLER_SELECT};
    const char *const names[] = {"epoll", "poll", "select"};
    for (int i = 0; i < 3; i++) {
        kind = kinds[i];
        printf("poller %s\n", names[i]);
        run_suite();
    }
    return CHECK_DONE();
}
