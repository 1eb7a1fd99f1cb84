/* poller.h - which descriptors are ready: one interface, a backend per system call.
 *
 * A descriptor is registered with a mask and a pointer of the owner's (borrowed until the remove);
 * tr_poller_wait() returns the ready ones. Level-triggered everywhere. Errors, hang-ups and
 * half-closed peers are reported as readable and writable, as far as asked for; with mask 0 nothing
 * is reported. TR_POLL_HUP asks for just these, for an owner who leaves the input where it is;
 * bytes that wait to be read do not make it ready. select can't wait for it: it looks for hang-ups
 * whenever a wait ends for another reason or its time is over. A descriptor must be removed before
 * it is closed. After a remove, no event of that registration is returned any more by a *later*
 * wait; events already returned in the caller's array are the caller's to void.
 *
 *   registrations, by descriptor:  [0] -  [1] -  [2] -  [3] data, mask  [4] data, mask ...
 *   backend:                       an epoll set, an array of pollfd, or two fd_sets
 *
 * The table is common to all backends, so they agree about what is registered; it and the
 * backend's own arrays only grow, and only in add(): set() and remove() never need memory. A
 * set() to the mask that is there costs no system call.
 * Cost: add, set, remove O(1); wait O(ready) with epoll, O(registered) with poll, O(highest
 * descriptor) with select. A wait that finds more than fit resumes behind them the next time, so
 * no descriptor starves.
 *
 * epoll has a descriptor of its own that another loop can watch (tr_poller_fd); poll and select
 * have none: their owner waits with tr_poller_block() in a thread of its own.
 * Limits: TR_POLLER_FD_MAX; select holds descriptors below FD_SETSIZE (TR_ELIMIT above).
 */
#ifndef TR_NET_POLLER_H
#define TR_NET_POLLER_H

#include <stdint.h>

#include "base/mem.h"

#define TR_POLL_READ 1u
#define TR_POLL_WRITE 2u
#define TR_POLL_HUP 4u
#define TR_POLL_ALL (TR_POLL_READ | TR_POLL_WRITE | TR_POLL_HUP)

/* Highest descriptor number plus one; Linux allows 1 << 20 by default, a bit less than 1 << 30
 * at most. */
#define TR_POLLER_FD_MAX (1 << 26)

typedef enum tr_poller_kind {
    TR_POLLER_AUTO,
    TR_POLLER_EPOLL,
    TR_POLLER_POLL,
    TR_POLLER_SELECT,
} tr_poller_kind;

typedef struct tr_poller tr_poller;

typedef struct tr_poll_event {
    void *data;     /* the owner's pointer */
    uint32_t ready; /* TR_POLL_... */
} tr_poll_event;

/* 0 and *out (owned by the caller), TR_ENOMEM, TR_EIO, TR_ENOTSUP, TR_EFDS, TR_ELIMIT (select,
 * when its own descriptor is too high). AUTO takes the best there is. */
int tr_poller_open(tr_mem *mem, tr_poller_kind kind, tr_poller **out);
/* NULL is allowed. What is still registered is forgotten, not closed. */
void tr_poller_close(tr_poller *p);
const char *tr_poller_name(const tr_poller *p); /* "epoll", "poll", "select" */

/* Register. TR_EEXIST when it is there, TR_ENOMEM, TR_ELIMIT, TR_ENOTSUP (a kind of file that
 * cannot be waited for), TR_EIO; nothing is changed then. mask 0 keeps the registration silent. */
int tr_poller_add(tr_poller *p, int fd, uint32_t mask, void *data);
/* Another mask for the same data. TR_ENOENT when it is not registered; TR_ENOMEM, TR_ELIMIT,
 * TR_ENOTSUP and TR_EIO come from the kernel, nothing is changed then. */
int tr_poller_set(tr_poller *p, int fd, uint32_t mask);
/* TR_ENOENT when it is not registered. TR_EIO when the kernel did not know the descriptor, which
 * means that it was closed too early; the registration is gone all the same. */
int tr_poller_remove(tr_poller *p, int fd);

/* Up to max (> 0) ready ones, in any order; waits timeout_us (0: look only, -1: for ever). The
 * count (0 after the time or a signal), or TR_EIO. */
int tr_poller_wait(tr_poller *p, tr_poll_event *events, int max, int64_t timeout_us);
/* A descriptor that becomes readable when something is ready, or TR_ENOTSUP. Borrowed until
 * close. */
int tr_poller_fd(const tr_poller *p);
/* Block up to timeout_us until something is ready or tr_poller_wake() is called, without taking
 * the events. May run in another thread as long as the owner calls nothing but tr_poller_wake()
 * meanwhile. 1 (ready), 0 (woken, the time is over, a signal) or TR_EIO. */
int tr_poller_block(tr_poller *p, int64_t timeout_us);
/* From any thread. Ends the block() that is running, else the next one; several before it count
 * as one. */
void tr_poller_wake(tr_poller *p);

#endif
