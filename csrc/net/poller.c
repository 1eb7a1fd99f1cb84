#include "net/poller.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "net/poller_impl.h"

#define REGS_MIN 64

static const tr__poller_ops *ops_of(tr_poller_kind kind) {
    switch (kind) {
    case TR_POLLER_AUTO:
    case TR_POLLER_EPOLL: return &tr__poller_epoll;
    case TR_POLLER_POLL: return &tr__poller_poll;
    case TR_POLLER_SELECT: return &tr__poller_select;
    }
    return NULL;
}

int tr_poller_open(tr_mem *mem, tr_poller_kind kind, tr_poller **out) {
    const tr__poller_ops *ops = ops_of(kind);
    if (ops == NULL) return TR_ENOTSUP;
    tr_poller *p = tr_zalloc(mem, ops->size);
    if (p == NULL) return TR_ENOMEM;
    p->ops = ops;
    p->mem = mem;
    int rc;
    p->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->wake_fd < 0) {
        rc = errno == EMFILE || errno == ENFILE ? TR_EFDS : TR_EIO;
        goto no_wake;
    }
    rc = ops->open(p);
    if (rc != TR_OK) goto no_backend;
    *out = p;
    return TR_OK;

no_backend:
    close(p->wake_fd);
no_wake:
    tr_free(mem, p);
    return rc;
}

void tr_poller_close(tr_poller *p) {
    if (p == NULL) return;
    p->ops->close(p);
    close(p->wake_fd);
    tr_free(p->mem, p->regs);
    tr_free(p->mem, p);
}

const char *tr_poller_name(const tr_poller *p) {
    return p->ops->name;
}

static tr__poller_reg *find(tr_poller *p, int fd) {
    tr_assert(fd >= 0);
    if ((uint32_t)fd >= p->reg_cap || !p->regs[fd].used) return NULL;
    return &p->regs[fd];
}

/* Make the table long enough for fd. */
static int grow_regs(tr_poller *p, int fd) {
    if ((uint32_t)fd < p->reg_cap) return TR_OK;
    if (fd >= TR_POLLER_FD_MAX) return TR_ELIMIT;
    uint32_t cap = p->reg_cap < REGS_MIN ? REGS_MIN : p->reg_cap;
    while (cap <= (uint32_t)fd) cap *= 2;
    tr__poller_reg *regs = tr_realloc(p->mem, p->regs, cap * sizeof(*regs));
    if (regs == NULL) return TR_ENOMEM;
    memset(regs + p->reg_cap, 0, (cap - p->reg_cap) * sizeof(*regs));
    p->regs = regs;
    p->reg_cap = cap;
    return TR_OK;
}

static int change(tr_poller *p, int fd, uint32_t mask) {
    tr__poller_reg *reg = &p->regs[fd];
    if (reg->mask == mask) return TR_OK;
    int rc = p->ops->change(p, fd, reg->mask, mask);
    if (rc == TR_OK || mask == 0) reg->mask = (uint8_t)mask;
    return rc;
}

int tr_poller_add(tr_poller *p, int fd, uint32_t mask, void *data) {
    tr_assert((mask & ~TR_POLL_ALL) == 0);
    if (find(p, fd) != NULL) return TR_EEXIST;
    int rc = grow_regs(p, fd);
    if (rc == TR_OK && p->ops->reserve != NULL) rc = p->ops->reserve(p, fd);
    if (rc != TR_OK) return rc;
    tr_assert(p->regs[fd].mask == 0);
    rc = change(p, fd, mask);
    if (rc != TR_OK) return rc;
    p->regs[fd].used = 1;
    p->regs[fd].data = data;
    p->reg_count++;
    return TR_OK;
}

int tr_poller_set(tr_poller *p, int fd, uint32_t mask) {
    tr_assert((mask & ~TR_POLL_ALL) == 0);
    if (find(p, fd) == NULL) return TR_ENOENT;
    return change(p, fd, mask);
}

int tr_poller_remove(tr_poller *p, int fd) {
    if (find(p, fd) == NULL) return TR_ENOENT;
    tr_assert(p->reg_count > 0);
    int rc = change(p, fd, 0);
    p->regs[fd] = (tr__poller_reg){0};
    p->reg_count--;
    return rc;
}

static const struct timespec *to_timespec(int64_t us, struct timespec *ts) {
    if (us < 0) return NULL;
    ts->tv_sec = us / 1000000;
    ts->tv_nsec = us % 1000000 * 1000;
    return ts;
}

int tr_poller_wait(tr_poller *p, tr_poll_event *events, int max, int64_t timeout_us) {
    tr_assert(max > 0);
    struct timespec ts;
    return p->ops->wait(p, events, max, to_timespec(timeout_us, &ts));
}

int tr_poller_fd(const tr_poller *p) {
    return p->ops->fd(p);
}

int tr_poller_block(tr_poller *p, int64_t timeout_us) {
    struct timespec ts;
    return p->ops->block(p, to_timespec(timeout_us, &ts));
}

void tr_poller_wake(tr_poller *p) {
    int saved = errno;
    uint64_t one = 1;
    ssize_t n;
    do {
        n = write(p->wake_fd, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the wake-up is there already. */
    tr_assert(n == (ssize_t)sizeof(one) || errno == EAGAIN);
    errno = saved;
}

void tr__poller_unwake(tr_poller *p) {
    uint64_t count;
    ssize_t n;
    do {
        n = read(p->wake_fd, &count, sizeof(count));
    } while (n < 0 && errno == EINTR);
    tr_assert(n == (ssize_t)sizeof(count) || errno == EAGAIN);
}

int tr__poller_wait_failed(void) {
    return errno == EINTR ? 0 : TR_EIO;
}
