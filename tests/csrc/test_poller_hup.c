/* TR_POLL_HUP on each backend: bytes and room for bytes are none of its business, the peer's end is, however much there
 * is to read. Its sockets are a Unix pair and TCP ones that close in different ways. */
#include <sys/socket.h>

#include "net/poller.h"
#include "sock_kit.h"

#define SOCKETS 3

typedef struct pair {
    int mine, theirs;
} pair;

static pair new_unix_pair(void) {
    int fds[2] = {-1, -1};
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    return (pair){fds[0], fds[1]};
}

static pair new_tcp_pair(void) {
    int listener = listen_tcp("127.0.0.1");
    int theirs = connect_tcp("127.0.0.1", tr_sock_port(listener));
    pair p = {accept_one(listener), theirs};
    tr_sock_close(listener);
    return p;
}

/* What one look says about data; 0 when nothing. */
static uint32_t look(tr_poller *p, const void *data) {
    tr_poll_event events[SOCKETS];
    uint32_t ready = 0;
    int n = tr_poller_wait(p, events, SOCKETS, 0);
    for (int i = 0; i < n; i++) {
        if (events[i].data == data) ready = events[i].ready;
    }
    return ready;
}

static void test_bytes_are_none_of_its_business(tr_poller *p, const pair *pairs, int *tags) {
    for (int i = 0; i < SOCKETS; i++) {
        CHECK_EQ_INT(tr_poller_add(p, pairs[i].mine, TR_POLL_HUP, &tags[i]), TR_OK);
        CHECK_EQ_INT(look(p, &tags[i]), 0);
        CHECK_EQ_INT(write(pairs[i].theirs, "x", 1), 1);
        CHECK_EQ_INT(look(p, &tags[i]), 0);
    }
    CHECK_EQ_INT(tr_poller_set(p, pairs[0].mine, TR_POLL_ALL), TR_OK);
    CHECK_EQ_INT(look(p, &tags[0]), TR_POLL_READ | TR_POLL_WRITE);
    CHECK_EQ_INT(tr_poller_set(p, pairs[0].mine, TR_POLL_HUP), TR_OK);
}

static void test_every_end_is(tr_poller *p, const pair *pairs, int *tags) {
    close(pairs[0].theirs);
    CHECK_EQ_INT(shutdown(pairs[1].theirs, SHUT_WR), 0);
    struct linger reset = {.l_onoff = 1};
    CHECK_EQ_INT(setsockopt(pairs[2].theirs, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(pairs[2].theirs);
    for (int i = 0; i < SOCKETS; i++) {
        CHECK_EQ_INT(look(p, &tags[i]), TR_POLL_HUP);
        CHECK_EQ_INT(tr_poller_set(p, pairs[i].mine, 0), TR_OK);
        CHECK_EQ_INT(look(p, &tags[i]), 0);
        CHECK_EQ_INT(tr_poller_set(p, pairs[i].mine, TR_POLL_HUP | TR_POLL_READ), TR_OK);
        CHECK_EQ_INT(look(p, &tags[i]), TR_POLL_HUP | TR_POLL_READ);
        CHECK_EQ_INT(tr_poller_set(p, pairs[i].mine, TR_POLL_HUP), TR_OK);
    }
    tr_poll_event events[SOCKETS]; /* those that are there end a wait that has no end of its own */
    CHECK_EQ_INT(tr_poller_wait(p, events, SOCKETS, -1), SOCKETS);
}

static void test_backend(tr_poller_kind kind) {
    tr_mem mem;
    tr_poller *p = NULL;
    pair pairs[SOCKETS] = {new_unix_pair(), new_tcp_pair(), new_tcp_pair()};
    int tags[SOCKETS];
    tr_mem_init(&mem);
    CHECK_EQ_INT(tr_poller_open(&mem, kind, &p), TR_OK);
    test_bytes_are_none_of_its_business(p, pairs, tags);
    test_every_end_is(p, pairs, tags);
    for (int i = 0; i < SOCKETS; i++) {
        CHECK_EQ_INT(tr_poller_remove(p, pairs[i].mine), TR_OK);
        close(pairs[i].mine);
    }
    close(pairs[1].theirs);
    tr_poller_close(p);
    CHECK_EQ_INT(mem.used, 0);
}

static void test_epoll(void) {
    test_backend(TR_POLLER_EPOLL);
}

static void test_poll(void) {
    test_backend(TR_POLLER_POLL);
}

static void test_select(void) {
    test_backend(TR_POLLER_SELECT);
}

int main(void) {
    RUN(test_epoll);
    RUN(test_poll);
    RUN(test_select);
    return CHECK_DONE();
}
