/* The engine as its owner sees it: fed connections in every cut, real sockets, limits, waits,
 * events, allocation failures. */
#include "engine/engine.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "engine/api.h"
#include "exec/reply.h"
#include "net/sock.h"

static const uint64_t seed[2] = {0x0123456789abcdefu, 0xfedcba9876543210u};

static tr_engine *open_engine(void) {
    tr_engine *g = NULL;
    CHECK_EQ_INT(tr_engine_open(4, TR_POLLER_AUTO, seed, &g), TR_OK);
    return g;
}

static int turn(tr_engine *g) {
    int more, busy;
    return tr_engine_poll(g, 0, 0, 1000, &more, &busy);
}

/* All output of a fed connection, NUL-terminated; the text lives until the next call. */
static const char *output(tr_engine *g, uint64_t id) {
    static char text[1 << 16];
    size_t n = 0, len;
    const char *p;
    while (tr_api_fed_output(g, id, &p, &len)) {
        memcpy(text + n, p, len);
        n += len;
        tr_api_fed_consume(g, id, len);
    }
    text[n] = '\0';
    return text;
}

static const char *ask(tr_engine *g, uint64_t id, const char *request) {
    tr_api_feed(g, id, request, strlen(request));
    return output(g, id);
}

/* Takes all events; how many there were of this kind. */
static int count_events(tr_engine *g, uint32_t kind) {
    tr_event events[64];
    int n, found = 0;
    while ((n = tr_engine_take_events(g, events, 64)) > 0) {
        for (int i = 0; i < n; i++) found += events[i].kind == kind;
    }
    return found;
}

static const char pipeline[] = "PING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
                               "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n";
static const char pipeline_reply[] = "+PONG\r\n+OK\r\n$5\r\nvalue\r\n$0\r\n\r\n";

static void test_fed_whole_and_in_every_cut(void) {
    tr_engine *g = open_engine();
    uint64_t id = tr_engine_open_fed(g, 0);
    size_t len = strlen(pipeline);
    CHECK_EQ_STR(ask(g, id, pipeline), pipeline_reply);
    for (size_t cut = 0; cut <= len; cut++) {
        CHECK_EQ_INT(tr_api_feed(g, id, pipeline, cut), TR_OK);
        CHECK_EQ_INT(tr_api_feed(g, id, pipeline + cut, len - cut), TR_OK);
        CHECK_EQ_STR(output(g, id), pipeline_reply);
    }
    for (size_t i = 0; i < len; i++) CHECK_EQ_INT(tr_api_feed(g, id, pipeline + i, 1), TR_OK);
    CHECK_EQ_STR(output(g, id), pipeline_reply);
    CHECK(tr_engine_conn(g, id)->in.data == NULL); /* idle: no input buffer */
    tr_engine_close(g);
}

static void test_more_commands_than_one_go(void) {
    tr_engine *g = open_engine();
    uint64_t id = tr_engine_open_fed(g, 0);
    const int count = 3 * TR_TURN_COMMANDS + 7;
    for (int i = 0; i < count / 100; i++) {
        char many[100 * 6 + 1];
        for (int j = 0; j < 100; j++) memcpy(many + 6 * j, "PING\r\n", 6);
        CHECK_EQ_INT(tr_api_feed(g, id, many, 600), TR_OK);
    }
    size_t bytes = 0;
    for (int round = 0; round < 10; round++) {
        bytes += strlen(output(g, id));
        turn(g);
    }
    CHECK_EQ_INT(bytes, (count / 100) * 100 * 7);
    tr_engine_close(g);
}

static void test_protocol_error_closes_after_the_reply(void) {
    tr_engine *g = open_engine();
    uint64_t id = tr_engine_open_fed(g, 0);
    CHECK_EQ_STR(ask(g, id, "*1\r\n:1\r\nPING\r\n"), "-ERR Protocol error: expected '$', got ':'\r\n");
    turn(g);
    CHECK(tr_engine_conn(g, id) == NULL);
    CHECK_EQ_INT(count_events(g, TR_EVENT_CLOSED), 1);
    CHECK_EQ_INT(tr_api_feed(g, id, "PING\r\n", 6), TR_ECLOSED);
    CHECK(g->first == NULL);
    tr_engine_close(g);
}

static void test_query_buffer_limit(void) {
    tr_engine *g = open_engine();
    g->settings.query_buffer_max = 100;
    uint64_t id = tr_engine_open_fed(g, 0);
    char half[200];
    memset(half, 'x', sizeof(half));
    CHECK_EQ_INT(tr_api_feed(g, id, "*2\r\n$4\r\nECHO\r\n$1000\r\n", 21), TR_OK);
    CHECK_EQ_INT(tr_api_feed(g, id, half, sizeof(half)), TR_OK);
    CHECK(tr_engine_conn(g, id) == NULL);
    CHECK_EQ_INT(g->net.query_limit_closes, 1);
    tr_engine_close(g);
}

static void test_pause_makes_writes_wait(void) {
    tr_engine *g = open_engine();
    g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000000, .fake_mono_ns = 1000000000};
    tr_exec_turn(&g->x);
    uint64_t id = tr_engine_open_fed(g, 0);
    CHECK_EQ_STR(ask(g, id, "SET k 1\r\n"), "+OK\r\n");
    tr_api_pause(g, 0, 5000);
    CHECK_EQ_STR(ask(g, id, "GET k\r\nSET k 2\r\nGET k\r\n"), "$1\r\n1\r\n");
    CHECK_EQ_INT(g->x.paused_clients, 1);
    CHECK_EQ_STR(ask(g, id, "ECHO later\r\n"), "");
    g->clock.fake_wall_us = 5000000;
    g->clock.fake_mono_ns = 5000000000;
    tr_engine_cron(g);
    CHECK_EQ_STR(output(g, id), "+OK\r\n$1\r\n2\r\n$5\r\nlater\r\n");
    CHECK_EQ_INT(g->x.paused_clients, 0);
    tr_engine_close(g);
}

static void test_a_paused_client_that_leaves(void) {
    tr_engine *g = open_engine();
    uint64_t id = tr_engine_open_fed(g, 0);
    tr_api_pause(g, 1, INT64_MAX);
    CHECK_EQ_STR(ask(g, id, "GET k\r\n"), "");
    CHECK_EQ_INT(tr_engine_kill(g, id, TR_CLOSE_KILLED, 0), 1);
    turn(g);
    CHECK_EQ_INT(g->x.paused_clients, 0);
    tr_engine_unpause(g);
    tr_engine_close(g);
}

static void test_python_command_holds_the_rest_back(void) {
    tr_engine *g = open_engine();
    uint64_t id = tr_engine_open_fed(g, 0);
    CHECK_EQ_STR(ask(g, id, "PING\r\nSHUTDOWN NOW\r\nPING\r\n"), "+PONG\r\n");
    CHECK_EQ_INT(count_events(g, TR_EVENT_CALL), 1);
    tr_client *c = tr_api_client_of(g, id);
    CHECK_EQ_INT(tr_api_argc(c), 2);
    size_t len;
    const char *word = tr_api_arg(c, 1, &len);
    CHECK_EQ_MEM(word, len, "NOW", 3);
    tr_api_reply(c, "+done\r\n", 7);
    tr_engine_finish(g, id);
    CHECK_EQ_STR(output(g, id), "+done\r\n+PONG\r\n");
    tr_engine_close(g);
}

/* INFO shows the first words of errors, and some errors are written by clients. */
static void test_kinds_of_errors_are_words(void) {
    tr_engine *g = open_engine();
    const char texts[][12] = {"A\r\nb:c#d e", "A__b_c_d", "A", "A\0b", ""};
    const size_t lens[] = {11, 8, 1, 3, 0};
    for (int i = 0; i < 5; i++) tr_exec_count_error(&g->x, texts[i], lens[i]);
    const char *const kinds[] = {"A__b_c_d", "A", "A_b", ""};
    CHECK_EQ_INT(g->x.error_kind_count, 4);
    for (int i = 0; i < 4; i++) {
        uint64_t count;
        CHECK_EQ_STR(tr_api_read_error(g, i, &count), kinds[i]);
        CHECK_EQ_INT(count, i == 0 ? 2 : 1);
    }
    CHECK_EQ_INT(g->x.totals.errors, 5);
    tr_engine_close(g);
}

static void test_reply_off_skip_and_on(void) {
    tr_engine *g = open_engine();
    uint64_t id = tr_engine_open_fed(g, 0);
    CHECK_EQ_STR(ask(g, id, "CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n"), "$1\r\na\r\n");
    CHECK_EQ_STR(ask(g, id, "CLIENT REPLY OFF\r\nPING\r\nPING\r\nCLIENT REPLY ON\r\nECHO b\r\n"), "+OK\r\n$1\r\nb\r\n");
    CHECK_EQ_STR(ask(g, id, "CLIENT REPLY OFF\r\nRESET\r\nECHO c\r\n"), "+RESET\r\n$1\r\nc\r\n");
    tr_engine_close(g);
}

/* A listener and a client on loopback. */
static int connect_client(tr_engine *g) {
    int listener, fd;
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", 0, 16, &listener), TR_OK);
    int port = tr_sock_port(listener);
    CHECK(tr_engine_listen(g, listener, 0) >= 0);
    CHECK_EQ_INT(tr_sock_connect_tcp("127.0.0.1", port, &fd), TR_OK);
    return fd;
}

static void wait_for(int fd, short what) {
    struct pollfd p = {.fd = fd, .events = what};
    CHECK_EQ_INT(poll(&p, 1, 5000), 1);
}

static void wait_engine(tr_engine *g) {
    wait_for(tr_engine_fd(g), POLLIN);
    turn(g);
}

static void test_a_socket_from_accept_to_close(void) {
    tr_engine *g = open_engine();
    int fd = connect_client(g);
    wait_engine(g);
    CHECK_EQ_INT(count_events(g, TR_EVENT_OPENED), 1);
    wait_for(fd, POLLOUT);
    CHECK_EQ_INT(send(fd, pipeline, strlen(pipeline), 0), (int64_t)strlen(pipeline));
    wait_engine(g);
    char reply[256];
    wait_for(fd, POLLIN);
    int64_t n = recv(fd, reply, sizeof(reply), 0);
    CHECK_EQ_MEM(reply, (size_t)n, pipeline_reply, strlen(pipeline_reply));
    tr_sock_close(fd);
    wait_engine(g);
    CHECK_EQ_INT(count_events(g, TR_EVENT_CLOSED), 1);
    CHECK(g->first == NULL);
    CHECK_EQ_INT(g->x.client_count, 0);
    tr_engine_close(g);
}

static void test_quit_and_half_close(void) {
    tr_engine *g = open_engine();
    int fd = connect_client(g);
    wait_engine(g);
    CHECK_EQ_INT(send(fd, "QUIT\r\nPING\r\n", 12, 0), 12);
    wait_engine(g);
    char reply[64];
    wait_for(fd, POLLIN);
    CHECK_EQ_INT(recv(fd, reply, sizeof(reply), 0), 5);
    CHECK_EQ_MEM(reply, 5, "+OK\r\n", 5);
    CHECK_EQ_INT(count_events(g, TR_EVENT_CLOSED), 1);
    tr_sock_close(fd);
    tr_engine_close(g);
}

static void test_a_reader_that_never_reads_is_cut(void) {
    tr_engine *g = open_engine();
    g->settings.out_limits[TR_OUT_NORMAL] = (tr_out_limit){.hard_bytes = 1 << 20};
    int fd = connect_client(g);
    wait_engine(g);
    uint64_t fed = tr_engine_open_fed(g, 0);
    size_t size = 1 << 19;
    char *request = malloc(size + 64);
    if (request == NULL) abort();
    int head = sprintf(request, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%zu\r\n", size);
    memset(request + head, 'v', size);
    memcpy(request + head + size, "\r\n", 2);
    CHECK_EQ_INT(tr_api_feed(g, fed, request, (size_t)head + size + 2), TR_OK);
    CHECK_EQ_STR(output(g, fed), "+OK\r\n");
    free(request);
    for (int i = 0; i < 100 && g->net.output_limit_closes == 0; i++) {
        CHECK_EQ_INT(send(fd, "GET k\r\n", 7, MSG_NOSIGNAL), 7);
        wait_engine(g);
    }
    CHECK_EQ_INT(g->net.output_limit_closes, 1);
    CHECK_EQ_STR(ask(g, fed, "PING\r\n"), "+PONG\r\n");
    tr_sock_close(fd);
    tr_engine_close(g);
}

static void test_maxclients_and_protected_text(void) {
    tr_engine *g = open_engine();
    g->settings.maxclients = 0;
    int fd = connect_client(g);
    wait_engine(g);
    char reply[128] = "";
    wait_for(fd, POLLIN);
    CHECK(recv(fd, reply, sizeof(reply) - 1, 0) > 0);
    CHECK_EQ_STR(reply, "-ERR max number of clients reached\r\n");
    CHECK_EQ_INT(g->net.connections_rejected, 1);
    tr_watch watch;
    tr_watch_take(g, &watch);
    CHECK_EQ_INT(watch.rejected, 1);
    CHECK(strncmp(watch.rejected_addr, "127.0.0.1:", 10) == 0);
    tr_watch_take(g, &watch);
    CHECK_EQ_INT(watch.rejected, 0);
    tr_sock_close(fd);
    tr_engine_close(g);
}

/* Nobody knows where it came from, but nobody is there to be refused either. */
static void test_a_client_that_is_gone_before_accept(void) {
    tr_engine *g = open_engine();
    g->settings.protected_mode = 1;
    int fd = connect_client(g);
    const struct linger at_once = {.l_onoff = 1};
    CHECK_EQ_INT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    tr_sock_close(fd);
    wait_engine(g);
    CHECK_EQ_INT(g->net.connections_received, 1);
    CHECK_EQ_INT(g->net.connections_denied, 0);
    CHECK_EQ_INT(g->x.client_count, 0);
    tr_engine_close(g);
}

/* A command that ends the pause must not run the others' commands within itself. */
typedef struct unpauser {
    tr_engine *g;
    int depth;
    int deepest;
} unpauser;

static void unpause_in_a_command(void *ctx, tr_client *c) {
    unpauser *u = ctx;
    u->depth++;
    if (u->depth > u->deepest) u->deepest = u->depth;
    tr_engine_unpause(u->g);
    tr_api_reply(c, "+OK\r\n", 5);
    u->depth--;
}

static void test_unpausing_does_not_nest(void) {
    tr_engine *g = open_engine();
    unpauser u = {.g = g};
    uint64_t ids[20];
    tr_api_set_hooks(g, &u, unpause_in_a_command, NULL);
    tr_api_pause(g, 0, INT64_MAX);
    for (int i = 0; i < 20; i++) {
        ids[i] = tr_engine_open_fed(g, 0);
        CHECK_EQ_STR(ask(g, ids[i], "SET k v\r\nCLIENT UNPAUSE\r\nGET k\r\n"), "");
    }
    uint64_t last = tr_engine_open_fed(g, 0);
    CHECK_EQ_STR(ask(g, last, "CLIENT UNPAUSE\r\n"), "+OK\r\n");
    turn(g);
    for (int i = 0; i < 20; i++) CHECK_EQ_STR(output(g, ids[i]), "+OK\r\n+OK\r\n$1\r\nv\r\n");
    CHECK_EQ_INT(u.deepest, 1);
    tr_engine_close(g);
}

static void test_flushed_keys_go_without_traffic(void) {
    tr_engine *g = open_engine();
    g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000000, .fake_mono_ns = 1000000000};
    uint64_t id = tr_engine_open_fed(g, 0);
    for (int i = 0; i < 5 * TR_LAZYFREE_STEP; i++) {
        char request[32];
        sprintf(request, "SET k%d v\r\n", i);
        CHECK_EQ_STR(ask(g, id, request), "+OK\r\n");
    }
    CHECK_EQ_STR(ask(g, id, "FLUSHALL ASYNC\r\n"), "+OK\r\n");
    int more = 1, busy, rounds = 0;
    for (; more && rounds < 10; rounds++) tr_engine_poll(g, 0, 0, 1000, &more, &busy);
    CHECK(rounds > 2 && rounds < 10);
    CHECK(g->store.doomed == NULL);
    tr_engine_close(g);
}

static void test_a_killed_client_runs_nothing_more(void) {
    for (int gently = 0; gently < 2; gently++) {
        tr_engine *g = open_engine();
        uint64_t id = tr_engine_open_fed(g, 0), other = tr_engine_open_fed(g, 0);
        tr_api_pause(g, 0, INT64_MAX);
        CHECK_EQ_STR(ask(g, id, "SET k v\r\n"), "");
        CHECK_EQ_INT(tr_engine_kill(g, id, TR_CLOSE_KILLED, gently), 1);
        tr_engine_unpause(g);
        turn(g);
        CHECK(tr_engine_conn(g, id) == NULL);
        CHECK_EQ_STR(ask(g, other, "GET k\r\n"), "$-1\r\n");
        CHECK_EQ_INT(g->x.paused_clients, 0);
        tr_engine_close(g);
    }
}

static void test_idle_clients_time_out(void) {
    tr_engine *g = open_engine();
    g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000000, .fake_mono_ns = 1000000000};
    g->settings.idle_seconds = 10;
    tr_exec_turn(&g->x);
    int fd = connect_client(g);
    wait_engine(g);
    CHECK_EQ_INT(count_events(g, TR_EVENT_OPENED), 1);
    CHECK_EQ_INT(tr_engine_cron(g), 0);
    CHECK_EQ_INT(count_events(g, TR_EVENT_CLOSED), 0);
    g->clock.fake_wall_us += 10500000;
    g->clock.fake_mono_ns += 10500000000;
    CHECK_EQ_INT(tr_engine_cron(g), 1); /* the owner must look */
    CHECK_EQ_INT(count_events(g, TR_EVENT_CLOSED), 1);
    tr_sock_close(fd);
    tr_engine_close(g);
}

static void test_auth_gate(void) {
    tr_engine *g = open_engine();
    g->settings.password_set = 1;
    tr_engine_apply(g);
    uint64_t id = tr_engine_open_fed(g, 0);
    CHECK_EQ_STR(ask(g, id, "GET k\r\n"), "-NOAUTH Authentication required.\r\n");
    CHECK_EQ_STR(ask(g, id, "AUTH wrong\r\n"), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    CHECK_EQ_STR(ask(g, id, "*11\r\n"), "-ERR Protocol error: unauthenticated multibulk length\r\n");
    CHECK_EQ_INT(g->x.totals.auth_failures, 1);
    tr_engine_close(g);
}

/* Every allocation of a run fails once; whatever happens, the engine stays sound and gives all
 * memory back. */
static void test_each_allocation_fails_once(void) {
    for (uint64_t nth = 1; nth < 400; nth++) {
        tr_engine *g = open_engine();
        tr_mem_fail_at(&g->mem, nth);
        uint64_t id = tr_engine_open_fed(g, 0);
        if (id != 0) {
            tr_api_feed(g, id, pipeline, 40);
            tr_api_feed(g, id, pipeline + 40, strlen(pipeline) - 40);
            ask(g, id, "SET a 12345\r\nAPPEND a xyz\r\nSHUTDOWN\r\nPING\r\n");
            tr_engine_finish(g, id);
            output(g, id);
            turn(g);
        }
        int used_up = g->mem.fail_in > 0;
        tr_store_check(&g->store);
        tr_engine_close(g); /* asserts that no memory is left */
        if (used_up) {
            CHECK(nth > 10);
            return;
        }
    }
    CHECK(!"more allocations than expected");
}

int main(void) {
    RUN(test_fed_whole_and_in_every_cut);
    RUN(test_more_commands_than_one_go);
    RUN(test_protocol_error_closes_after_the_reply);
    RUN(test_query_buffer_limit);
    RUN(test_pause_makes_writes_wait);
    RUN(test_a_paused_client_that_leaves);
    RUN(test_python_command_holds_the_rest_back);
    RUN(test_kinds_of_errors_are_words);
    RUN(test_reply_off_skip_and_on);
    RUN(test_a_socket_from_accept_to_close);
    RUN(test_quit_and_half_close);
    RUN(test_a_reader_that_never_reads_is_cut);
    RUN(test_maxclients_and_protected_text);
    RUN(test_a_client_that_is_gone_before_accept);
    RUN(test_unpausing_does_not_nest);
    RUN(test_flushed_keys_go_without_traffic);
    RUN(test_a_killed_client_runs_nothing_more);
    RUN(test_idle_clients_time_out);
    RUN(test_auth_gate);
    RUN(test_each_allocation_fails_once);
    return CHECK_DONE();
}
