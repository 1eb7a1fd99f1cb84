/* ring.h - the data channel: messages both ways through shared memory.
 *
 * Two rings of slots, each with one producer and one consumer. A message begins at the beginning of
 * a slot and takes as many as it needs, also more than the ring has: it is then filled while it is
 * emptied. tr_ring_put() writes without telling, tr_ring_flush() tells: a batch is many puts and
 * one flush.
 *
 * The doorbell of a side is its futex: before it sleeps, it writes there what it waits for, looks
 * once more, and sleeps. The peer, after it has filled or emptied slots, looks at the doorbell,
 * takes it back and wakes. So no wake-up is lost, and none costs a system call while both are busy.
 *
 * Both sides use this code, and it believes the peer nothing: each shared word is read once, a
 * count beyond the ring is TR_EPROTO, headers and lengths are judged in a private copy before
 * memory is taken for a body, and a message is looked at only after it has been copied out. After
 * TR_EPROTO, TR_ECLOSED or a message that got stuck half-way the ring stays failed with that code.
 * A message that came whole is given out even when its sender has died since.
 *
 * Who waits for room takes in what the peer sends meanwhile (the backlog), so two sides with much
 * to say don't wait for each other for ever.
 *
 * Death of the host: it holds the life lock (tr_ring_hold), the engine sleeps on the doorbell and
 * the lock at once (futex_waitv; before Linux 5.16 it looks every millisecond). A host that unmaps
 * the memory or takes the lock's list from the kernel is not noticed here: watch its pidfd too.
 *
 * One thread a side at a time; only tr_ring_nudge() may come from others. Deadlines are nanoseconds of
 * CLOCK_MONOTONIC, INT64_MAX is none.
 */
#ifndef TR_WIRE_RING_H
#define TR_WIRE_RING_H

#include <sys/types.h>

#include "base/buf.h"
#include "sandbox/wire/codec.h"
#include "sandbox/wire/shm.h"

#define TR_RING_NO_DEADLINE INT64_MAX
/* What may pile up while we wait for room: as much as one message of the largest kind, twice. */
#define TR_RING_BACKLOG_BYTES_MAX ((size_t)1 << 30)
#define TR_RING_BACKLOG_MAX 65536
/* A buffer above this is not kept for the next message. */
#define TR_RING_KEEP_BYTES ((size_t)1 << 20)
/* Spinning: how long, and which part of the calls must arrive within that time. Measured; shorter
 * spins cost more than none. */
#define TR_RING_SPIN_NS 50000
#define TR_RING_HOT_PERCENT 85
#define TR_RING_HOT_CALLS 256

/* Bits of a doorbell. */
#define TR_RING_SLEEPS 1u     /* wake the futex */
#define TR_RING_WANTS_ROOM 2u /* also when slots were emptied */
#define TR_RING_PARKED 4u     /* write to the eventfd */

typedef struct tr_ring_stats {
    uint64_t messages_out;
    uint64_t messages_in;
    uint64_t bytes_out;
    uint64_t bytes_in;
    uint64_t wakes;    /* of the peer, by futex or eventfd */
    uint64_t sleeps;
    uint64_t spins;    /* waits that ended while spinning */
    uint64_t backlogged;
} tr_ring_stats;

typedef struct tr_ring_late tr_ring_late;

typedef struct tr_ring {
    tr_shm *shm; /* borrowed */
    tr_mem *mem; /* borrowed */
    tr_wire_side side;
    int failed;       /* 0 or the code that every call gives from now on */
    const char *why;  /* the reason of TR_EPROTO, static */
    /* what we fill */
    uint32_t head;
    uint32_t head_told;
    uint32_t room; /* slots known to be free */
    /* what we empty */
    uint32_t tail;
    uint32_t tail_told;
    uint32_t ready; /* slots known to be filled */
    tr_buf partial; /* a message of which not all has come */
    size_t partial_need; /* 0: none has begun */
    tr_wire_header partial_header;
    tr_ring_late *late_first;
    tr_ring_late *late_last;
    size_t late_count;
    size_t late_bytes;
    /* waiting */
    int watching;        /* the peer holds the life lock */
    int without_waitv;
    int wake_fd;         /* peer's eventfd, borrowed; -1: none */
    int own_fd;          /* ours, borrowed, for nudges while parked; -1: none */
    _Atomic uint32_t nudged;
    int64_t spin_ns;     /* 0: never */
    uint32_t cpu_told;
    int cpu_followed;
    int hot;
    uint32_t hot_calls;
    uint32_t hot_close;
    int64_t hot_last_ns;
    tr_ring_stats stats;
} tr_ring;

/* Uses the memory for one side. The memory and the account must outlive the ring. */
void tr_ring_init(tr_ring *ring, tr_shm *shm, tr_mem *mem, tr_wire_side side);
void tr_ring_release(tr_ring *ring);

/* Host: takes the life lock; the calling thread must live as long as the process serves. 0 or
 * TR_EIO. */
int tr_ring_hold(tr_ring *ring);
/* Engine: from now on the host's death ends every wait. TR_ECLOSED: it doesn't hold the lock. */
int tr_ring_watch(tr_ring *ring);

/* Writes one encoded message (header and body). Waits for room when there is none, having told
 * what was written before. 0; TR_EAGAIN: no room until the deadline, and nothing of it was written;
 * TR_ELIMIT: the backlog is full; TR_ENOMEM; or the ring has failed: TR_ECLOSED, TR_EPROTO, or
 * TR_EIO for a message that got stuck half-way. */
int tr_ring_put(tr_ring *ring, const void *message, size_t len, int64_t deadline_ns);
/* A message of so many bytes is put without a look at the clock. */
static inline int tr_ring_fits(const tr_ring *ring, size_t len) {
    return len <= (size_t)ring->room * ring->shm->slot_bytes;
}
/* Tells the peer what was put, and wakes it if it waits. */
void tr_ring_flush(tr_ring *ring);

/* Takes the next message: *into holds header and body, *header what was judged. The bytes that
 * *into held are gone; it is the caller's, to be released by tr_buf_release(). 0; TR_EAGAIN: no
 * message is complete; TR_ENOMEM: try again; or the ring has failed. */
int tr_ring_take(tr_ring *ring, tr_buf *into, tr_wire_header *header);
/* Sleeps until something has come. 0; TR_EAGAIN: the deadline; or the ring has failed. */
int tr_ring_wait(tr_ring *ring, int64_t deadline_ns);
/* As tr_ring_wait(), but a nudge ends it too, with TR_EAGAIN; at once when nudged is set already. Whoever waits clears
 * nudged before he looks for the things that nudges are made for. */
int tr_ring_wait_nudged(tr_ring *ring, int64_t deadline_ns);
/* From any thread of our side, at any time. */
void tr_ring_nudge(tr_ring *ring);
/* Takes the next message, waits when there is none; flushes first. */
int tr_ring_receive(tr_ring *ring, tr_buf *into, tr_wire_header *header, int64_t deadline_ns);

/* Instead of sleeping, lets the peer write to our eventfd (the peer's wake_fd). 0: parked, wait for
 * the eventfd and the pidfd; 1: something has come already; or the ring has failed. Unparking is
 * needed after either, and harmless otherwise. */
int tr_ring_park(tr_ring *ring);
void tr_ring_unpark(tr_ring *ring);

/* Engine, before a flush, when both are to share a CPU: moves the host's thread to ours if we have
 * changed ours since. 0 or TR_EIO. */
int tr_ring_follow(tr_ring *ring, pid_t host_thread);
/* Engine, before it does something else while the host works: lets the host's thread run on any CPU that we may run
 * on. Tied to one it would have to wait there for us and for our clients. */
void tr_ring_let_roam(tr_ring *ring, pid_t host_thread);
/* A call to the peer begins now: keeps count of how close they come, and switches spin_ns on and
 * off by it. Returns 1 while calls are close enough to spin on different CPUs. */
int tr_ring_note_call(tr_ring *ring, int64_t now_ns);

#endif
