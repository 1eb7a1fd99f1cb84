/* poller.h - which descriptors are ready: one interface, a backend per system call.
 *
 * A descriptor is registered with a mask and a pointer of the owner's; tr_poller_wait() returns the ready ones. Level-triggered everywhere. Errors
 * and hang-ups are reported as readable and writable, as far as asked for. A descriptor must be removed before it is closed. After a remove, no event of that
 * registration is returned any more by a *later* wait; events already returned in the caller's array are the
 * caller's to void.
 *
 * epoll has a descriptor of its own that another loop can watch (tr_poller_fd); poll and select have none: their owner
 * waits with tr_poller_block() in a thread of its own.
 * Limits: select can hold descriptors below FD_SETSIZE (TR_ELIMIT above).
 */
#ifndef TR_NET_POLLER_H
#define TR_NET_POLLER_H

#include <stdint.h>

#include "base/mem.h"

#define TR_POLL_READ 1
#define TR_POLL_WRITE 2

typedef enum tr_poller_kind { TR_POLLER_AUTO, TR_POLLER_EPOLL, TR_POLLER_POLL, TR_POLLER_SELECT } tr_poller_kind;

typedef struct tr_poller tr_poller;

typedef struct tr_poll_event {
    void *data;     /* the owner's pointer */
    uint32_t ready; /* TR_POLL_READ | TR_POLL_WRITE */
} tr_poll_event;

/* 0 and *out (owned by the caller), TR_ENOMEM, TR_EIO, TR_ENOTSUP, TR_EFDS. AUTO takes the best there is. */
int tr_poller_open(tr_mem *mem, tr_poller_kind kind, tr_poller **out);
void tr_poller_close(tr_poller *p);
const char *tr_poller_name(const tr_poller *p); /* "epoll", "poll", "select" */
/* Register; TR_EEXIST when it is there, TR_ENOENT when it is not, TR_ENOMEM, TR_ELIMIT. mask 0 keeps the registration silent. */
int tr_poller_add(tr_poller *p, int fd, uint32_t mask, void *data);
int tr_poller_set(tr_poller *p, int fd, uint32_t mask);
int tr_poller_remove(tr_poller *p, int fd);
/* Up to max ready ones; waits timeout_us (0: look only, -1: for ever). The count (0 after the time or a signal), or TR_EIO. */
int tr_poller_wait(tr_poller *p, tr_poll_event *events, int max, int64_t timeout_us);
/* A descriptor that becomes readable when something is ready, or TR_ENOTSUP. Borrowed until close. */
int tr_poller_fd(const tr_poller *p);
/* For backends without a descriptor: block up to timeout_us until something is ready or tr_poller_wake() is called, without taking the
 * events. May run in another thread as long as the owner makes no change meanwhile but tr_poller_wake(). 0, 1 (ready) or TR_EIO. */
int tr_poller_block(tr_poller *p, int64_t timeout_us);
void tr_poller_wake(tr_poller *p); /* from any thread; wakes block() once */

#endif
