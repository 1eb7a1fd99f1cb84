#include <errno.h>
#include <limits.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "net/poller_impl.h"

/* Events taken from the kernel in one call; it hands out the rest the next time, in turn. 12 KB. */
#define EPOLL_BATCH 1024

typedef struct epoll_poller {
    tr_poller base;
    int epfd;
    int coarse; /* 1: this kernel has no epoll_pwait2, timeouts are milliseconds */
    struct epoll_event batch[EPOLL_BATCH];
} epoll_poller;

static int epoll_open(tr_poller *p) {
    epoll_poller *e = (epoll_poller *)p;
    e->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (e->epfd >= 0) return TR_OK;
    if (errno == EMFILE || errno == ENFILE) return TR_EFDS;
    if (errno == ENOMEM) return TR_ENOMEM;
    return errno == ENOSYS ? TR_ENOTSUP : TR_EIO;
}

static void epoll_close(tr_poller *p) {
    close(((epoll_poller *)p)->epfd);
}

/* Silent descriptors are not in the set at all: the kernel would report their hang-ups for ever. */
static int epoll_change(tr_poller *p, int fd, uint32_t from, uint32_t to) {
    epoll_poller *e = (epoll_poller *)p;
    struct epoll_event ev = {.data.fd = fd};
    if (to & TR_POLL_READ) ev.events |= EPOLLIN | EPOLLRDHUP;
    if (to & TR_POLL_WRITE) ev.events |= EPOLLOUT;
    if (to & TR_POLL_HUP) ev.events |= EPOLLRDHUP;
    int op = from == 0 ? EPOLL_CTL_ADD : to == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    if (epoll_ctl(e->epfd, op, fd, &ev) == 0) return TR_OK;
    switch (errno) {
    case ENOMEM: return TR_ENOMEM;
    case ENOSPC: return TR_ELIMIT;
    case EPERM: return TR_ENOTSUP;
    default: return TR_EIO;
    }
}

static int wait_ms(epoll_poller *e, int max, const struct timespec *timeout) {
    int ms = -1;
    if (timeout != NULL) {
        int far = timeout->tv_sec >= INT_MAX / 1000;
        ms = far ? INT_MAX : (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000);
    }
    return epoll_wait(e->epfd, e->batch, max, ms);
}

/* Called by number, since C libraries are younger than the system call. Containers' system call
 * filters answer EPERM instead of ENOSYS. */
static int wait_kernel(epoll_poller *e, int max, const struct timespec *timeout) {
#ifdef SYS_epoll_pwait2
    int exact = timeout == NULL || (timeout->tv_sec == 0 && timeout->tv_nsec == 0);
    if (!exact && !e->coarse) {
        struct __kernel_timespec ts = {.tv_sec = timeout->tv_sec, .tv_nsec = timeout->tv_nsec};
        int n = (int)syscall(SYS_epoll_pwait2, e->epfd, e->batch, max, &ts, NULL, 0);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
        e->coarse = 1;
    }
#endif
    return wait_ms(e, max, timeout);
}

static int epoll_wait_events(tr_poller *p, tr_poll_event *events, int max,
                             const struct timespec *timeout) {
    epoll_poller *e = (epoll_poller *)p;
    int n = wait_kernel(e, max < EPOLL_BATCH ? max : EPOLL_BATCH, timeout);
    if (n < 0) return tr__poller_wait_failed();
    int count = 0;
    for (int i = 0; i < n; i++) {
        uint32_t got = e->batch[i].events;
        const tr__poller_reg *reg = &p->regs[e->batch[i].data.fd];
        uint32_t ready = 0;
        if (got & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) ready |= TR_POLL_READ;
        if (got & (EPOLLOUT | EPOLLERR | EPOLLHUP)) ready |= TR_POLL_WRITE;
        if (got & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) ready |= TR_POLL_HUP;
        ready &= reg->mask;
        if (TR_UNLIKELY(ready == 0)) continue;
        events[count++] = (tr_poll_event){.data = reg->data, .ready = ready};
    }
    return count;
}

static int epoll_block(tr_poller *p, const struct timespec *timeout) {
    struct pollfd fds[2] = {
        {.fd = p->wake_fd, .events = POLLIN},
        {.fd = ((epoll_poller *)p)->epfd, .events = POLLIN},
    };
    int n = ppoll(fds, 2, timeout, NULL);
    if (n < 0) return tr__poller_wait_failed();
    if (fds[0].revents != 0) tr__poller_unwake(p);
    return fds[1].revents != 0;
}

static int epoll_fd(const tr_poller *p) {
    return ((const epoll_poller *)p)->epfd;
}

const tr__poller_ops tr__poller_epoll = {
    .name = "epoll",
    .size = sizeof(epoll_poller),
    .open = epoll_open,
    .close = epoll_close,
    .change = epoll_change,
    .wait = epoll_wait_events,
    .block = epoll_block,
    .fd = epoll_fd,
};
