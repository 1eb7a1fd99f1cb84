/* poller_impl.h - what poller.c and its backends share; nobody else includes it.
 *
 * A backend is a table of functions and a struct that begins with tr_poller. The common part has
 * checked every argument and keeps the table of registrations; a backend only ever sees a
 * descriptor go from one mask to another, where mask 0 means that it does not know the
 * descriptor. The common part stores the new mask after change() has succeeded.
 */
#ifndef TR_NET_POLLER_IMPL_H
#define TR_NET_POLLER_IMPL_H

#include <time.h>

#include "net/poller.h"

typedef struct tr__poller_reg {
    void *data;
    uint32_t slot; /* the backend's: where it keeps this descriptor */
    uint8_t mask;
    uint8_t used;
} tr__poller_reg;

typedef struct tr__poller_ops {
    const char *name;
    size_t size; /* of the backend's struct */
    /* The struct is zeroed but for its common part. On failure nothing is left open. */
    int (*open)(tr_poller *p);
    void (*close)(tr_poller *p);
    /* Make room for one registration more, so that change() needs none; may be NULL. TR_ENOMEM,
     * TR_ELIMIT. */
    int (*reserve)(tr_poller *p, int fd);
    /* from and to differ. A failing change to 0 has forgotten the descriptor. */
    int (*change)(tr_poller *p, int fd, uint32_t from, uint32_t to);
    /* timeout NULL: for ever. Counts as tr_poller_wait() and tr_poller_block(). */
    int (*wait)(tr_poller *p, tr_poll_event *events, int max, const struct timespec *timeout);
    int (*block)(tr_poller *p, const struct timespec *timeout);
    int (*fd)(const tr_poller *p);
} tr__poller_ops;

struct tr_poller {
    const tr__poller_ops *ops;
    tr_mem *mem;
    tr__poller_reg *regs; /* by descriptor */
    uint32_t reg_cap;
    uint32_t reg_count; /* registrations in use, silent ones included */
    int wake_fd;        /* an eventfd; readable: somebody called tr_poller_wake() */
};

extern const tr__poller_ops tr__poller_epoll;
extern const tr__poller_ops tr__poller_poll;
extern const tr__poller_ops tr__poller_select;

/* Take back the wake-ups so far. */
void tr__poller_unwake(tr_poller *p);
/* What a failed system call means to the caller of wait() and block(): 0 for a signal, else
 * TR_EIO. */
int tr__poller_wait_failed(void);

#endif
