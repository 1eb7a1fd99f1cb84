#include <sys/select.h>

#include "base/assert.h"
#include "base/err.h"
#include "net/poller_impl.h"

typedef struct select_poller {
    tr_poller base;
    fd_set asked_read;
    fd_set asked_write;
    int end;  /* one above the highest descriptor with a mask */
    int next; /* the descriptor where the next wait starts to look */
} select_poller;

static int select_open(tr_poller *p) {
    select_poller *s = (select_poller *)p;
    FD_ZERO(&s->asked_read);
    FD_ZERO(&s->asked_write);
    return p->wake_fd < FD_SETSIZE ? TR_OK : TR_ELIMIT;
}

static void select_close(tr_poller *p) {
    (void)p;
}

static int select_reserve(tr_poller *p, int fd) {
    (void)p;
    return fd < FD_SETSIZE ? TR_OK : TR_ELIMIT;
}

static void put(fd_set *set, int fd, int on) {
    if (on) {
        FD_SET(fd, set);
    } else {
        FD_CLR(fd, set);
    }
}

static int select_change(tr_poller *p, int fd, uint32_t from, uint32_t to) {
    (void)from;
    select_poller *s = (select_poller *)p;
    tr_assert(fd < FD_SETSIZE);
    put(&s->asked_read, fd, (to & TR_POLL_READ) != 0);
    put(&s->asked_write, fd, (to & TR_POLL_WRITE) != 0);
    if (to != 0 && fd >= s->end) s->end = fd + 1;
    while (s->end > 0 && !FD_ISSET(s->end - 1, &s->asked_read) &&
           !FD_ISSET(s->end - 1, &s->asked_write)) {
        s->end--;
    }
    return TR_OK;
}

static int select_wait(tr_poller *p, tr_poll_event *events, int max,
                       const struct timespec *timeout) {
    select_poller *s = (select_poller *)p;
    fd_set can_read = s->asked_read, can_write = s->asked_write;
    int left = pselect(s->end, &can_read, &can_write, NULL, timeout, NULL);
    if (left < 0) return tr__poller_wait_failed();
    int count = 0;
    for (int seen = 0; left > 0 && count < max; seen++) {
        tr_assert(seen < s->end);
        if (s->next >= s->end) s->next = 0;
        int fd = s->next++;
        uint32_t ready = 0;
        if (FD_ISSET(fd, &can_read)) ready |= TR_POLL_READ;
        if (FD_ISSET(fd, &can_write)) ready |= TR_POLL_WRITE;
        if (ready == 0) continue;
        left -= (ready & TR_POLL_READ) && (ready & TR_POLL_WRITE) ? 2 : 1;
        events[count++] = (tr_poll_event){.data = p->regs[fd].data, .ready = ready};
    }
    return count;
}

static int select_block(tr_poller *p, const struct timespec *timeout) {
    select_poller *s = (select_poller *)p;
    fd_set can_read = s->asked_read, can_write = s->asked_write;
    FD_SET(p->wake_fd, &can_read);
    int end = p->wake_fd >= s->end ? p->wake_fd + 1 : s->end;
    int n = pselect(end, &can_read, &can_write, NULL, timeout, NULL);
    if (n < 0) return tr__poller_wait_failed();
    /* After a time-out the sets are all zero. */
    if (!FD_ISSET(p->wake_fd, &can_read)) return n > 0;
    tr__poller_unwake(p);
    return n > 1;
}

static int select_fd(const tr_poller *p) {
    (void)p;
    return TR_ENOTSUP;
}

const tr__poller_ops tr__poller_select = {
    .name = "select",
    .size = sizeof(select_poller),
    .open = select_open,
    .close = select_close,
    .reserve = select_reserve,
    .change = select_change,
    .wait = select_wait,
    .block = select_block,
    .fd = select_fd,
};
