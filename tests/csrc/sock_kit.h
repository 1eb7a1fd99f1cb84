/* sock_kit.h - what the tests of sockets share: descriptors that must come out right, peers that
 * must have acted (waited for with poll(), without an end), and failures of the kernel made to
 * order. */
#ifndef TR_TESTS_SOCK_KIT_H
#define TR_TESTS_SOCK_KIT_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "net/sock.h"

/* A test defines the C library's function anew and lets it fail while one of these strikes. */
typedef struct fault {
    int times;
    int err;
} fault;

static int strikes(fault *f) {
    if (f->times == 0) return 0;
    f->times--;
    errno = f->err;
    return 1;
}

static void wait_for(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    CHECK_EQ_INT(poll(&p, 1, -1), 1);
}

static int listen_tcp(const char *host) {
    int fd = -1;
    CHECK_EQ_INT(tr_sock_listen_tcp(host, 0, 16, &fd), TR_OK);
    return fd;
}

static int connect_tcp(const char *host, int port) {
    int fd = -1;
    CHECK_EQ_INT(tr_sock_connect_tcp(host, port, &fd), TR_OK);
    wait_for(fd, POLLOUT);
    return fd;
}

static int accept_one(int listener) {
    int fd = -1;
    wait_for(listener, POLLIN);
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_OK);
    return fd;
}

static int lowest_free(void) {
    int fd = dup(0);
    CHECK(fd >= 0);
    close(fd);
    return fd;
}

static struct rlimit limit_descriptors(rlim_t soft) {
    struct rlimit before = {0}, now;
    CHECK_EQ_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = soft;
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

static void check_flags(int fd) {
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void check_round_trip(int a, int b) {
    char got[8];
    struct iovec iov = {.iov_base = "hello", .iov_len = 5};
    CHECK_EQ_INT(tr_sock_read(b, got, sizeof(got)), TR_EAGAIN);
    CHECK_EQ_INT(tr_sock_write(a, &iov, 1), 5);
    wait_for(b, POLLIN);
    CHECK_EQ_INT(tr_sock_read(b, got, 2), 2);
    CHECK_EQ_INT(tr_sock_read(b, got + 2, sizeof(got) - 2), 3);
    CHECK_EQ_MEM(got, 5, "hello", 5);
}

static void check_names(int fd, const char *peer, const char *local) {
    char name[TR_NAME_MAX];
    CHECK_EQ_INT(tr_sock_peer_name(fd, name), TR_OK);
    CHECK_EQ_STR(name, peer);
    CHECK_EQ_INT(tr_sock_local_name(fd, name), TR_OK);
    CHECK_EQ_STR(name, local);
}

#endif
