/* TCP sockets against the real kernel, on loopback: what is listened on, what the errors become,
 * how addresses read, what a transfer does when the kernel or the peer has had enough. */
#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "sock_kit.h"

/* These definitions take the place of the C library's: each fails as often as it is told to and
 * then does the real thing. */
static fault accept_fault, recv_fault, send_fault, sendmsg_fault;

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags) {
    return strikes(&accept_fault) ? -1 : (int)syscall(SYS_accept4, fd, from, len, flags);
}

ssize_t recv(int fd, void *p, size_t n, int flags) {
    return strikes(&recv_fault) ? -1 : syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}

ssize_t send(int fd, const void *p, size_t n, int flags) {
    return strikes(&send_fault) ? -1 : syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
    return strikes(&sendmsg_fault) ? -1 : syscall(SYS_sendmsg, fd, msg, flags);
}

static int has_ipv6(void) {
    int fd = -1;
    if (tr_sock_listen_tcp("::1", 0, 1, &fd) != TR_OK) return 0;
    tr_sock_close(fd);
    return 1;
}

static int int_option(int fd, int level, int option) {
    int value = -1;
    socklen_t len = sizeof(value);
    CHECK_EQ_INT(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}

static void reset(int fd) {
    struct linger abort_at_close = {.l_onoff = 1};
    socklen_t len = sizeof(abort_at_close);
    CHECK_EQ_INT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_at_close, len), 0);
    tr_sock_close(fd);
}

static void check_tcp(const char *host, const char *format) {
    int listener = listen_tcp(host);
    check_flags(listener);
    int port = tr_sock_port(listener);
    CHECK(port > 0 && port <= 65535);
    CHECK_EQ_INT(int_option(listener, SOL_SOCKET, SO_REUSEADDR), 1);
    int fd = -7;
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_EAGAIN);
    CHECK_EQ_INT(fd, -7);
    int theirs = connect_tcp(host, port);
    int mine = accept_one(listener);
    check_flags(theirs);
    check_flags(mine);
    char here[TR_NAME_MAX], there[TR_NAME_MAX];
    snprintf(here, sizeof(here), format, port);
    snprintf(there, sizeof(there), format, tr_sock_port(theirs));
    check_names(mine, there, here);
    check_names(theirs, here, there);
    CHECK_EQ_INT(tr_sock_is_unix(mine), 0);
    CHECK_EQ_INT(tr_sock_is_local(mine), 1);
    check_round_trip(mine, theirs);
    check_round_trip(theirs, mine);
    tr_sock_close(theirs);
    tr_sock_close(mine);
    tr_sock_close(listener);
}

static void test_tcp4(void) {
    check_tcp("127.0.0.1", "127.0.0.1:%d");
}

static void test_tcp6(void) {
    if (!has_ipv6()) {
        printf("skip test_tcp6: no IPv6 loopback here\n");
        return;
    }
    check_tcp("::1", "[::1]:%d");
}

static void test_tcp_name(void) {
    check_tcp("localhost", "127.0.0.1:%d");
}

/* What a socket is bound to, as local_name shows it. */
static void check_bound(int fd, const char *want_host) {
    char name[TR_NAME_MAX], want[TR_NAME_MAX];
    CHECK_EQ_INT(tr_sock_local_name(fd, name), TR_OK);
    snprintf(want, sizeof(want), "%s:%d", want_host, tr_sock_port(fd));
    CHECK_EQ_STR(name, want);
}

/* Bound to every address but connected to over loopback only; both families share the port. */
static void test_every_address(void) {
    int v4 = listen_tcp("*"), v6 = -1;
    int port = tr_sock_port(v4);
    check_bound(v4, "0.0.0.0");
    int theirs = connect_tcp("127.0.0.1", port), mine = accept_one(v4);
    CHECK_EQ_INT(tr_sock_is_local(mine), 1);
    tr_sock_close(mine);
    tr_sock_close(theirs);
    if (!has_ipv6()) {
        printf("skip the rest of test_every_address: no IPv6 loopback here\n");
    } else {
        CHECK_EQ_INT(tr_sock_listen_tcp("::*", port, 16, &v6), TR_OK);
        check_bound(v6, "[::]");
        CHECK_EQ_INT(int_option(v6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
        theirs = connect_tcp("::1", port);
        mine = accept_one(v6);
        tr_sock_close(mine);
        tr_sock_close(theirs);
        tr_sock_close(v6);
    }
    tr_sock_close(v4);
}

static void test_tcp_errors(void) {
    int listener = listen_tcp("127.0.0.1"), fd = -7;
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", tr_sock_port(listener), 16, &fd), TR_EADDRINUSE);
    CHECK_EQ_INT(errno, EADDRINUSE);
    CHECK_EQ_INT(tr_sock_listen_tcp("*", tr_sock_port(listener), 16, &fd), TR_EADDRINUSE);
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", -1, 16, &fd), TR_EINVAL);
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", 65536, 16, &fd), TR_EINVAL);
    CHECK_EQ_INT(tr_sock_connect_tcp("127.0.0.1", 65536, &fd), TR_EINVAL);
    /* An address that is set aside for documentation, so that no machine has it. */
    CHECK_EQ_INT(tr_sock_listen_tcp("192.0.2.1", 0, 16, &fd), TR_ENOENT);
    CHECK_EQ_INT(errno, EADDRNOTAVAIL);
    CHECK_EQ_INT(tr_sock_listen_tcp("1.2.3.4:5", 0, 16, &fd), TR_ENOENT);
    CHECK_EQ_INT(tr_sock_connect_tcp("not an address", 1, &fd), TR_ENOENT);
    CHECK_EQ_INT(errno, EADDRNOTAVAIL);
    CHECK_EQ_INT(fd, -7);
    tr_sock_close(listener);
}

/* Ports that were in use a moment ago can be bound again: connections in TIME_WAIT do not count. */
static void test_rebind(void) {
    int listener = listen_tcp("127.0.0.1"), port = tr_sock_port(listener), again = -1;
    int theirs = connect_tcp("127.0.0.1", port), mine = accept_one(listener);
    tr_sock_close(mine); /* first, so that the server's end waits */
    wait_for(theirs, POLLIN);
    tr_sock_close(theirs);
    tr_sock_close(listener);
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", port, 16, &again), TR_OK);
    CHECK_EQ_INT(tr_sock_port(again), port);
    tr_sock_close(again);
}

/* Without descriptors the connection stays in the queue and is accepted when there is one again. */
static void test_no_descriptors_left(void) {
    int listener = listen_tcp("127.0.0.1"), fd = -7;
    int theirs = connect_tcp("127.0.0.1", tr_sock_port(listener));
    wait_for(listener, POLLIN);
    int free_fd = lowest_free();
    struct rlimit before = limit_descriptors((rlim_t)free_fd);
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_EFDS);
    CHECK_EQ_INT(errno, EMFILE);
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_EFDS);
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", 0, 16, &fd), TR_EFDS);
    CHECK_EQ_INT(tr_sock_connect_tcp("127.0.0.1", tr_sock_port(listener), &fd), TR_EFDS);
    CHECK_EQ_INT(fd, -7);
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_OK);
    CHECK_EQ_INT(fd, free_fd);
    check_round_trip(fd, theirs);
    tr_sock_close(fd);
    tr_sock_close(theirs);
    tr_sock_close(listener);
}

static void test_accept_unusable(void) {
    int fds[2], fd = -7;
    CHECK_EQ_INT(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ_INT(tr_sock_accept(fds[0], &fd), TR_EIO);
    CHECK_EQ_INT(errno, ENOTSOCK);
    close(fds[0]);
    CHECK_EQ_INT(tr_sock_accept(fds[0], &fd), TR_EIO);
    CHECK_EQ_INT(errno, EBADF);
    close(fds[1]);
    /* A socket that does not listen, and one that never will. */
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ_INT(tr_sock_accept(fds[0], &fd), TR_EIO);
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ_INT(tr_sock_accept(fds[0], &fd), TR_EIO);
    CHECK_EQ_INT(errno, EOPNOTSUPP);
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ_INT(fd, -7);
}

/* What accept says about connections that died is passed over; trouble of our own is not. A
 * kernel that would say it for ever does not keep us. */
static void test_accept_errors(void) {
    const int dead[] = {EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH, ETIMEDOUT};
    const int full[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    int listener = listen_tcp("127.0.0.1"), port = tr_sock_port(listener), fd = -7;
    for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
        int theirs = connect_tcp("127.0.0.1", port);
        accept_fault = (fault){3, dead[i]};
        int mine = accept_one(listener);
        check_round_trip(theirs, mine);
        tr_sock_close(mine);
        tr_sock_close(theirs);
    }
    for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
        accept_fault = (fault){1, full[i]};
        CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_EFDS);
        CHECK_EQ_INT(errno, full[i]);
    }
    accept_fault = (fault){INT_MAX, ECONNABORTED};
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_EAGAIN);
    accept_fault = (fault){0};
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_EAGAIN);
    CHECK_EQ_INT(fd, -7);
    tr_sock_close(listener);
}

/* Reset while still in the queue: accepted or skipped, but nothing breaks, and the next one
 * comes through. */
static void test_accept_after_reset(void) {
    int listener = listen_tcp("127.0.0.1"), fd = -1;
    reset(connect_tcp("127.0.0.1", tr_sock_port(listener)));
    int theirs = connect_tcp("127.0.0.1", tr_sock_port(listener));
    int dead = accept_one(listener), mine = -1;
    char byte, name[TR_NAME_MAX];
    snprintf(name, sizeof(name), "untouched");
    CHECK_EQ_INT(tr_sock_read(dead, &byte, 1), TR_ECLOSED);
    CHECK_EQ_INT(tr_sock_peer_name(dead, name), TR_EIO);
    CHECK_EQ_INT(errno, ENOTCONN);
    CHECK_EQ_STR(name, "untouched");
    CHECK_EQ_INT(tr_sock_is_local(dead), TR_ECLOSED);
    CHECK_EQ_INT(tr_sock_accept(listener, &mine), TR_OK);
    check_round_trip(theirs, mine);
    CHECK_EQ_INT(tr_sock_accept(listener, &fd), TR_EAGAIN);
    tr_sock_close(dead);
    tr_sock_close(theirs);
    tr_sock_close(mine);
    tr_sock_close(listener);
}

typedef struct connection {
    int mine;
    int theirs;
} connection;

static connection new_connection(void) {
    int listener = listen_tcp("127.0.0.1");
    connection c = {.theirs = connect_tcp("127.0.0.1", tr_sock_port(listener))};
    c.mine = accept_one(listener);
    tr_sock_close(listener);
    return c;
}

static void test_refused(void) {
    int listener = listen_tcp("127.0.0.1"), port = tr_sock_port(listener), fd = -1;
    tr_sock_close(listener);
    int rc = tr_sock_connect_tcp("127.0.0.1", port, &fd);
    if (rc == TR_OK) {
        char byte;
        wait_for(fd, POLLOUT);
        rc = (int)tr_sock_read(fd, &byte, 1);
        tr_sock_close(fd);
    }
    CHECK_EQ_INT(rc, TR_ECLOSED);
    CHECK_EQ_INT(errno, ECONNREFUSED);
}

/* End of file after what was sent, which is no reset; the other direction still works. */
static void test_half_closed(void) {
    connection c = new_connection();
    char got[8];
    struct iovec iov = {.iov_base = "bye", .iov_len = 3};
    CHECK_EQ_INT(tr_sock_write(c.theirs, &iov, 1), 3);
    CHECK_EQ_INT(shutdown(c.theirs, SHUT_WR), 0);
    wait_for(c.mine, POLLRDHUP);
    CHECK_EQ_INT(tr_sock_read(c.mine, got, sizeof(got)), 3);
    errno = 123;
    CHECK_EQ_INT(tr_sock_read(c.mine, got, sizeof(got)), TR_ECLOSED);
    CHECK_EQ_INT(errno, 0);
    CHECK_EQ_INT(tr_sock_read(c.mine, got, sizeof(got)), TR_ECLOSED);
    CHECK_EQ_INT(tr_sock_write(c.mine, &iov, 1), 3);
    wait_for(c.theirs, POLLIN);
    CHECK_EQ_INT(tr_sock_read(c.theirs, got, sizeof(got)), 3);
    tr_sock_close(c.mine);
    tr_sock_close(c.theirs);
}

/* SIGPIPE has its default action here: a write that raised it would kill the test. */
static void test_reset(void) {
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    for (int buffers = 1; buffers <= 2; buffers++) {
        connection c = new_connection();
        char byte;
        struct iovec iov[2] = {{.iov_base = "a", .iov_len = 1}, {.iov_base = "b", .iov_len = 1}};
        reset(c.theirs);
        wait_for(c.mine, POLLIN);
        CHECK_EQ_INT(tr_sock_read(c.mine, &byte, 1), TR_ECLOSED);
        CHECK_EQ_INT(errno, ECONNRESET);
        CHECK_EQ_INT(tr_sock_write(c.mine, iov, buffers), TR_ECLOSED);
        CHECK_EQ_INT(errno, EPIPE);
        tr_sock_close(c.mine);
    }
}

/* Errors of a transfer: interrupted is tried again, a connection that is over is closed, the
 * rest is ours. */
static void test_transfer_errors(void) {
    const int over[] = {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN};
    connection c = new_connection();
    char got[2];
    struct iovec iov[2] = {{.iov_base = "a", .iov_len = 1}, {.iov_base = "b", .iov_len = 1}};
    fault again = {2, EINTR};
    send_fault = sendmsg_fault = recv_fault = again;
    CHECK_EQ_INT(tr_sock_write(c.mine, iov, 1), 1);
    CHECK_EQ_INT(tr_sock_write(c.mine, iov, 2), 2);
    wait_for(c.theirs, POLLIN);
    CHECK_EQ_INT(tr_sock_read(c.theirs, got, 1), 1);
    CHECK_EQ_INT(send_fault.times + sendmsg_fault.times + recv_fault.times, 0);
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        send_fault = sendmsg_fault = recv_fault = (fault){1, over[i]};
        CHECK_EQ_INT(tr_sock_write(c.mine, iov, 1), TR_ECLOSED);
        CHECK_EQ_INT(tr_sock_write(c.mine, iov, 2), TR_ECLOSED);
        CHECK_EQ_INT(tr_sock_read(c.theirs, got, 1), TR_ECLOSED);
        CHECK_EQ_INT(errno, over[i]);
    }
    send_fault = sendmsg_fault = recv_fault = (fault){1, EIO};
    CHECK_EQ_INT(tr_sock_write(c.mine, iov, 1), TR_EIO);
    CHECK_EQ_INT(tr_sock_write(c.mine, iov, 2), TR_EIO);
    CHECK_EQ_INT(tr_sock_read(c.theirs, got, 1), TR_EIO);
    tr_sock_close(c.mine);
    tr_sock_close(c.theirs);
}

static void test_bad_descriptor(void) {
    char byte;
    struct iovec iov = {.iov_base = "a", .iov_len = 1};
    int fd = lowest_free();
    CHECK_EQ_INT(tr_sock_read(fd, &byte, 1), TR_EIO);
    CHECK_EQ_INT(errno, EBADF);
    CHECK_EQ_INT(tr_sock_write(fd, &iov, 1), TR_EIO);
    CHECK_EQ_INT(tr_sock_port(fd), TR_EIO);
    CHECK_EQ_INT(tr_sock_set_nodelay(fd, 1), TR_EIO);
    CHECK_EQ_INT(tr_sock_set_keepalive(fd, 1), TR_EIO);
    CHECK_EQ_INT(tr_sock_is_unix(fd), 0);
    CHECK_EQ_INT(tr_sock_is_local(fd), 0);
    errno = 123;
    tr_sock_close(fd);
    CHECK_EQ_INT(errno, 123);
}

/* The k-th byte of a stream that repeats only after 251 bytes, so that a lost piece shows. */
static char pattern_at(size_t k) {
    return (char)(k % 251);
}

/* Write two buffers at a time until the kernel takes no more: the writes come up short, then
 * none is possible, and what was taken arrives in order. */
static void test_partial_writes(void) {
    enum { BLOCK = 100003 };
    static char data[2 * BLOCK + 251];
    static char got[65536];
    connection c = new_connection();
    for (size_t k = 0; k < sizeof(data); k++) data[k] = pattern_at(k);
    size_t sent = 0, received = 0;
    int short_writes = 0;
    for (;;) {
        char *from = data + sent % 251;
        struct iovec iov[2] = {{from, BLOCK}, {from + BLOCK, BLOCK}};
        int64_t n = tr_sock_write(c.mine, iov, 2);
        if (n < 0) {
            CHECK_EQ_INT(n, TR_EAGAIN);
            break;
        }
        CHECK(n > 0 && n <= 2 * BLOCK);
        short_writes += n < 2 * BLOCK;
        sent += (size_t)n;
    }
    CHECK(short_writes > 0);
    struct iovec one = {data, 1};
    CHECK_EQ_INT(tr_sock_write(c.mine, &one, 1), TR_EAGAIN);
    while (received < sent) {
        wait_for(c.theirs, POLLIN);
        int64_t n = tr_sock_read(c.theirs, got, sizeof(got));
        CHECK(n > 0);
        if (n <= 0) break;
        int wrong = 0;
        for (int64_t i = 0; i < n; i++) wrong += got[i] != pattern_at(received + (size_t)i);
        CHECK_EQ_INT(wrong, 0);
        received += (size_t)n;
    }
    CHECK_EQ_INT(received, sent);
    wait_for(c.mine, POLLOUT);
    CHECK_EQ_INT(tr_sock_write(c.mine, &one, 1), 1);
    tr_sock_close(c.mine);
    tr_sock_close(c.theirs);
}

/* More buffers than the kernel takes at once: it gets the first ones. */
static void test_many_buffers(void) {
    static struct iovec iov[IOV_MAX + 10];
    static char got[IOV_MAX + 10];
    connection c = new_connection();
    for (int i = 0; i < IOV_MAX + 10; i++) iov[i] = (struct iovec){"ab" + i % 2, 1};
    CHECK_EQ_INT(tr_sock_write(c.mine, iov, IOV_MAX + 10), IOV_MAX);
    CHECK_EQ_INT(tr_sock_write(c.mine, iov + IOV_MAX, 10), 10);
    for (size_t have = 0; have < sizeof(got);) {
        wait_for(c.theirs, POLLIN);
        int64_t n = tr_sock_read(c.theirs, got + have, sizeof(got) - have);
        CHECK(n > 0);
        if (n <= 0) break;
        have += (size_t)n;
    }
    int wrong = 0;
    for (int i = 0; i < IOV_MAX + 10; i++) wrong += got[i] != "ab"[i % 2];
    CHECK_EQ_INT(wrong, 0);
    struct iovec empty = {got, 0};
    CHECK_EQ_INT(tr_sock_write(c.mine, &empty, 1), 0);
    tr_sock_close(c.mine);
    tr_sock_close(c.theirs);
}

static void check_keepalive(int fd, int seconds, int idle, int apart) {
    CHECK_EQ_INT(tr_sock_set_keepalive(fd, seconds), TR_OK);
    CHECK_EQ_INT(int_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ_INT(int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), idle);
    CHECK_EQ_INT(int_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), apart);
    CHECK_EQ_INT(int_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
}

static void test_options(void) {
    connection c = new_connection();
    CHECK_EQ_INT(tr_sock_set_nodelay(c.mine, 1), TR_OK);
    CHECK_EQ_INT(int_option(c.mine, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ_INT(tr_sock_set_nodelay(c.mine, 0), TR_OK);
    CHECK_EQ_INT(int_option(c.mine, IPPROTO_TCP, TCP_NODELAY), 0);
    check_keepalive(c.mine, 300, 300, 100);
    check_keepalive(c.mine, 1, 1, 1);
    check_keepalive(c.mine, 8, 8, 2);
    check_keepalive(c.mine, INT_MAX, 32767, 10922);
    CHECK_EQ_INT(tr_sock_set_keepalive(c.mine, 0), TR_OK);
    CHECK_EQ_INT(int_option(c.mine, SOL_SOCKET, SO_KEEPALIVE), 0);
    tr_sock_close(c.mine);
    tr_sock_close(c.theirs);
}

int main(void) {
    int first_free = lowest_free();
    RUN(test_tcp4);
    RUN(test_tcp6);
    RUN(test_tcp_name);
    RUN(test_every_address);
    RUN(test_tcp_errors);
    RUN(test_rebind);
    RUN(test_no_descriptors_left);
    RUN(test_accept_unusable);
    RUN(test_accept_errors);
    RUN(test_accept_after_reset);
    RUN(test_refused);
    RUN(test_half_closed);
    RUN(test_reset);
    RUN(test_transfer_errors);
    RUN(test_bad_descriptor);
    RUN(test_partial_writes);
    RUN(test_many_buffers);
    RUN(test_options);
    CHECK_EQ_INT(lowest_free(), first_free); /* nothing leaked */
    return CHECK_DONE();
}
