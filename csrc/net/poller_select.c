#include <poll.h>
#include <sys/select.h>

#include "base/assert.h"
#include "base/err.h"
#include "net/poller_impl.h"

typedef struct select_poller {
    tr_poller base;
    fd_set asked_read;
    fd_set asked_write;
    fd_set asked_hup;
    int hup_count; /* descriptors in asked_hup */
    int end;  /* one above the highest descriptor with a mask */
    int next; /* the descriptor where the next wait starts to look */
} select_poller;

static int select_open(tr_poller *p) {
    select_poller *s = (select_poller *)p;
    FD_ZERO(&s->asked_read);
    FD_ZERO(&s->asked_write);
    FD_ZERO(&s->asked_hup);
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

static int is_asked(const select_poller *s, int fd) {
    return FD_ISSET(fd, &s->asked_read) || FD_ISSET(fd, &s->asked_write) ||
           FD_ISSET(fd, &s->asked_hup);
}

static int select_change(tr_poller *p, int fd, uint32_t from, uint32_t to) {
    select_poller *s = (select_poller *)p;
    tr_assert(fd < FD_SETSIZE);
    put(&s->asked_read, fd, (to & TR_POLL_READ) != 0);
    put(&s->asked_write, fd, (to & TR_POLL_WRITE) != 0);
    put(&s->asked_hup, fd, (to & TR_POLL_HUP) != 0);
    s->hup_count += ((to & TR_POLL_HUP) != 0) - ((from & TR_POLL_HUP) != 0);
    tr_assert(s->hup_count >= 0);
    if (to != 0 && fd >= s->end) s->end = fd + 1;
    while (s->end > 0 && !is_asked(s, s->end - 1)) s->end--;
    return TR_OK;
}

/* Which of those asked for have hung up, now; their count. poll() knows, select() has no word for it. */
static int find_hang_ups(const select_poller *s, fd_set *gone) {
    FD_ZERO(gone);
    if (s->hup_count == 0) return 0;
    struct pollfd fds[FD_SETSIZE];
    nfds_t n = 0;
    for (int fd = 0; fd < s->end; fd++) {
        if (FD_ISSET(fd, &s->asked_hup)) fds[n++] = (struct pollfd){.fd = fd, .events = POLLRDHUP};
    }
    if (poll(fds, n, 0) <= 0) return 0; /* a signal: the next wait looks again */
    int count = 0;
    for (nfds_t i = 0; i < n; i++) {
        if (fds[i].revents == 0) continue;
        FD_SET(fds[i].fd, gone);
        count++;
    }
    return count;
}

static int select_wait(tr_poller *p, tr_poll_event *events, int max,
                       const struct timespec *timeout) {
    select_poller *s = (select_poller *)p;
    fd_set can_read = s->asked_read, can_write = s->asked_write;
    const struct timespec at_once = {0};
    fd_set gone;
    int hang_ups = find_hang_ups(s, &gone);
    if (hang_ups > 0) timeout = &at_once;
    int left = pselect(s->end, &can_read, &can_write, NULL, timeout, NULL);
    if (left < 0) return tr__poller_wait_failed();
    if (hang_ups == 0) hang_ups = find_hang_ups(s, &gone);
    left += hang_ups;
    int count = 0;
    for (int seen = 0; left > 0 && count < max; seen++) {
        tr_assert(seen < s->end);
        if (s->next >= s->end) s->next = 0;
        int fd = s->next++;
        uint32_t ready = 0;
        if (FD_ISSET(fd, &can_read)) ready |= TR_POLL_READ;
        if (FD_ISSET(fd, &can_write)) ready |= TR_POLL_WRITE;
        if (FD_ISSET(fd, &gone)) ready |= TR_POLL_HUP;
        if (ready == 0) continue;
        left -= __builtin_popcount(ready);
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
