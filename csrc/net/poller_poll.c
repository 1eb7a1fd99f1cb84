#include <poll.h>

#include "base/assert.h"
#include "base/err.h"
#include "net/poller_impl.h"

#define SLOTS_MIN 64

/* slots[0] is the wake-up descriptor, which only block() looks at; the others are the
 * descriptors with a mask, without gaps. A removed one is replaced by the last. */
typedef struct poll_poller {
    tr_poller base;
    struct pollfd *slots;
    uint32_t count; /* slot 0 included */
    uint32_t cap;
    uint32_t next; /* where the next wait starts to look */
} poll_poller;

static int poll_grow(poll_poller *q, uint32_t need) {
    if (need <= q->cap) return TR_OK;
    uint32_t cap = q->cap < SLOTS_MIN ? SLOTS_MIN : q->cap;
    while (cap < need) cap *= 2;
    struct pollfd *slots = tr_realloc(q->base.mem, q->slots, cap * sizeof(*slots));
    if (slots == NULL) return TR_ENOMEM;
    q->slots = slots;
    q->cap = cap;
    return TR_OK;
}

static int poll_open(tr_poller *p) {
    poll_poller *q = (poll_poller *)p;
    int rc = poll_grow(q, 1);
    if (rc != TR_OK) return rc;
    q->slots[0] = (struct pollfd){.fd = p->wake_fd, .events = POLLIN};
    q->count = 1;
    return TR_OK;
}

static void poll_close(tr_poller *p) {
    tr_free(p->mem, ((poll_poller *)p)->slots);
}

static int poll_reserve(tr_poller *p, int fd) {
    (void)fd;
    return poll_grow((poll_poller *)p, 1 + p->reg_count + 1);
}

static int poll_change(tr_poller *p, int fd, uint32_t from, uint32_t to) {
    poll_poller *q = (poll_poller *)p;
    tr__poller_reg *reg = &p->regs[fd];
    if (from == 0) {
        tr_assert(q->count < q->cap);
        reg->slot = q->count++;
        q->slots[reg->slot] = (struct pollfd){.fd = fd};
    }
    tr_assert(reg->slot > 0 && reg->slot < q->count);
    tr_assert(q->slots[reg->slot].fd == fd);
    if (to == 0) {
        struct pollfd last = q->slots[--q->count];
        q->slots[reg->slot] = last;
        p->regs[last.fd].slot = reg->slot;
        reg->slot = 0;
        return TR_OK;
    }
    short events = 0;
    if (to & TR_POLL_READ) events |= POLLIN;
    if (to & TR_POLL_WRITE) events |= POLLOUT;
    if (to & TR_POLL_HUP) events |= POLLRDHUP;
    q->slots[reg->slot].events = events;
    return TR_OK;
}

static int poll_wait(tr_poller *p, tr_poll_event *events, int max, const struct timespec *timeout) {
    poll_poller *q = (poll_poller *)p;
    const short broken = POLLERR | POLLHUP | POLLNVAL;
    int left = ppoll(q->slots + 1, q->count - 1, timeout, NULL);
    if (left < 0) return tr__poller_wait_failed();
    int count = 0;
    for (uint32_t seen = 1; left > 0 && count < max; seen++) {
        tr_assert(seen < q->count);
        if (q->next == 0 || q->next >= q->count) q->next = 1;
        const struct pollfd *slot = &q->slots[q->next++];
        if (slot->revents == 0) continue;
        left--;
        const tr__poller_reg *reg = &p->regs[slot->fd];
        uint32_t ready = 0;
        if (slot->revents & (POLLIN | broken)) ready |= TR_POLL_READ;
        if (slot->revents & (POLLOUT | broken)) ready |= TR_POLL_WRITE;
        if (slot->revents & (POLLRDHUP | broken)) ready |= TR_POLL_HUP;
        ready &= reg->mask;
        tr_assert(ready != 0);
        events[count++] = (tr_poll_event){.data = reg->data, .ready = ready};
    }
    return count;
}

static int poll_block(tr_poller *p, const struct timespec *timeout) {
    poll_poller *q = (poll_poller *)p;
    int n = ppoll(q->slots, q->count, timeout, NULL);
    if (n < 0) return tr__poller_wait_failed();
    if (q->slots[0].revents == 0) return n > 0;
    tr__poller_unwake(p);
    return n > 1;
}

static int poll_fd(const tr_poller *p) {
    (void)p;
    return TR_ENOTSUP;
}

const tr__poller_ops tr__poller_poll = {
    .name = "poll",
    .size = sizeof(poll_poller),
    .open = poll_open,
    .close = poll_close,
    .reserve = poll_reserve,
    .change = poll_change,
    .wait = poll_wait,
    .block = poll_block,
    .fd = poll_fd,
};
