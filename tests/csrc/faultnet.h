/* faultnet.h - a network that misbehaves on order, for one test program.
 *
 * Takes the place of the C library's recv, send, sendmsg and accept4, which are what tr_sock_read,
 * tr_sock_write and tr_sock_accept call. Peers in the same program use read() and write() and are
 * not concerned. While it is on, calls are interrupted, claim that they would block, and move a
 * random part of what they were asked for; all of it is drawn from a seed, so a run can be had
 * again. Besides, the n-th transfer from now can be made to fail.
 */
#ifndef TR_TESTS_FAULTNET_H
#define TR_TESTS_FAULTNET_H

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAULTNET_IOV_MAX 64

typedef struct faultnet {
    int on;
    uint64_t state;      /* of the random numbers; the seed at first */
    size_t piece_max;    /* bytes of one transfer, at most */
    uint64_t fail_in;    /* 1: the next transfer fails with fail_errno; 0: none does */
    int fail_errno;
    uint64_t accept_fail; /* so many accepts fail with accept_errno */
    int accept_errno;
    uint64_t transfers;  /* counted always */
    uint64_t disturbed;  /* transfers that were refused or cut */
} faultnet;

static faultnet fnet;

static uint32_t faultnet_random(uint32_t below) {
    fnet.state = fnet.state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(fnet.state >> 33) % below;
}

static void faultnet_start(uint64_t seed, size_t piece_max) {
    fnet = (faultnet){.on = 1, .state = seed, .piece_max = piece_max};
}

static void faultnet_stop(void) {
    fnet = (faultnet){0};
}

/* 1 when the transfer fails, with errno set; else *n may have become smaller. */
static int faultnet_meddle(size_t *n) {
    fnet.transfers++;
    if (fnet.fail_in != 0 && --fnet.fail_in == 0) {
        errno = fnet.fail_errno;
        return 1;
    }
    uint32_t dice = fnet.on ? faultnet_random(8) : 2;
    if (dice == 2 || *n < 2) return 0;
    fnet.disturbed++;
    if (dice < 2) {
        errno = dice == 0 ? EINTR : EAGAIN;
        return 1;
    }
    size_t top = *n - 1 < fnet.piece_max ? *n - 1 : fnet.piece_max;
    *n = dice == 3 ? 1 : 1 + faultnet_random((uint32_t)top);
    return 0;
}

ssize_t recv(int fd, void *p, size_t n, int flags) {
    return faultnet_meddle(&n) ? -1 : syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}

ssize_t send(int fd, const void *p, size_t n, int flags) {
    return faultnet_meddle(&n) ? -1 : syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
    struct iovec iov[FAULTNET_IOV_MAX];
    struct msghdr part = *msg;
    size_t n = 0;
    for (size_t i = 0; i < msg->msg_iovlen; i++) n += msg->msg_iov[i].iov_len;
    if (faultnet_meddle(&n)) return -1;
    part.msg_iov = iov;
    for (part.msg_iovlen = 0; n > 0 && part.msg_iovlen < FAULTNET_IOV_MAX; part.msg_iovlen++) {
        struct iovec *piece = &iov[part.msg_iovlen];
        *piece = msg->msg_iov[part.msg_iovlen];
        if (piece->iov_len > n) piece->iov_len = n;
        n -= piece->iov_len;
    }
    return syscall(SYS_sendmsg, fd, &part, flags);
}

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags) {
    if (fnet.accept_fail > 0) {
        fnet.accept_fail--;
        errno = fnet.accept_errno;
        return -1;
    }
    return (int)syscall(SYS_accept4, fd, from, len, flags);
}

#endif
