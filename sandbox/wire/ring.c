#include "sandbox/wire/ring.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "sandbox/wire/futex.h"

/* A message that came while we waited for room. */
struct tr_ring_late {
    tr_ring_late *next;
    tr_buf bytes;
    tr_wire_header header;
};

static tr_wire_side peer_of(const tr_ring *ring) {
    return ring->side == TR_FROM_HOST ? TR_FROM_ENGINE : TR_FROM_HOST;
}

static uint32_t load(const tr_shm_word *word) {
    return atomic_load_explicit(&word->value, memory_order_seq_cst);
}

static void store(tr_shm_word *word, uint32_t value) {
    atomic_store_explicit(&word->value, value, memory_order_seq_cst);
}

static int fail(tr_ring *ring, int code, const char *why) {
    tr_assert(code < 0 && code != TR_EAGAIN);
    if (ring->failed == 0) {
        ring->failed = code;
        ring->why = why;
    }
    return ring->failed;
}

void tr_ring_init(tr_ring *ring, tr_shm *shm, tr_mem *mem, tr_wire_side side) {
    memset(ring, 0, sizeof *ring);
    ring->shm = shm;
    ring->mem = mem;
    ring->side = side;
    ring->wake_fd = -1;
    ring->own_fd = -1;
    ring->cpu_followed = -1;
    ring->room = shm->slots[side];
}

void tr_ring_release(tr_ring *ring) {
    tr_buf_release(ring->mem, &ring->partial);
    while (ring->late_first != NULL) {
        tr_ring_late *late = ring->late_first;
        ring->late_first = late->next;
        tr_buf_release(ring->mem, &late->bytes);
        tr_free(ring->mem, late);
    }
    ring->late_last = NULL;
    ring->late_count = 0;
    ring->late_bytes = 0;
}

/* ------------------------------------------------------------------ life */

int tr_ring_hold(tr_ring *ring) {
    return pthread_mutex_lock(&ring->shm->head->life) == 0 ? 0 : TR_EIO;
}

static int peer_is_dead(const tr_ring *ring) {
    return ring->watching && !tr_futex_life_holds(tr_futex_life_word(&ring->shm->head->life));
}

int tr_ring_watch(tr_ring *ring) {
    ring->watching = 1;
    if (!peer_is_dead(ring)) return 0;
    ring->watching = 0;
    return TR_ECLOSED;
}

/* ------------------------------------------------------------------ telling the peer */

/* Wakes the peer if it waits for that. The caller has stored what it is to see. */
static void ring_bell(tr_ring *ring, uint32_t wants) {
    tr_shm_word *bell = &ring->shm->head->doorbell[peer_of(ring)];
    uint32_t seen = load(bell);
    if (seen == 0 || (wants != 0 && (seen & wants) == 0)) return;
    seen = atomic_exchange_explicit(&bell->value, 0, memory_order_seq_cst);
    if ((seen & TR_RING_SLEEPS) != 0) tr_futex_wake(&bell->value);
    if ((seen & TR_RING_PARKED) != 0 && ring->wake_fd >= 0) {
        uint64_t one = 1;
        ssize_t written = write(ring->wake_fd, &one, sizeof one);
        (void)written; /* full: it is readable already */
    }
    if (seen != 0) ring->stats.wakes++;
}

/* Tells how far we have read, so that the peer gets the room. */
static void tell_tail(tr_ring *ring) {
    if (ring->tail == ring->tail_told) return;
    ring->tail_told = ring->tail;
    store(&ring->shm->head->tail[ring->side], ring->tail);
    ring_bell(ring, TR_RING_WANTS_ROOM);
}

void tr_ring_flush(tr_ring *ring) {
    if (ring->failed != 0 || ring->head == ring->head_told) return;
    ring->head_told = ring->head;
    store(&ring->shm->head->head[ring->side], ring->head);
    ring_bell(ring, 0);
}

/* ------------------------------------------------------------------ looking at the peer's words */

/* Looks how many slots the peer has filled. 0 or TR_EPROTO. */
static int look_ready(tr_ring *ring) {
    uint32_t filled = load(&ring->shm->head->head[peer_of(ring)]) - ring->tail;
    if (filled > ring->shm->slots[peer_of(ring)] || filled < ring->ready) {
        return fail(ring, TR_EPROTO, "the peer's head is beyond the ring");
    }
    ring->ready = filled;
    return 0;
}

/* Looks how many slots the peer has emptied. 0 or TR_EPROTO. */
static int look_room(tr_ring *ring) {
    uint32_t used = ring->head - load(&ring->shm->head->tail[peer_of(ring)]);
    uint32_t slots = ring->shm->slots[ring->side];
    if (used > slots || slots - used < ring->room) {
        return fail(ring, TR_EPROTO, "the peer's tail is beyond the ring");
    }
    ring->room = slots - used;
    return 0;
}

/* 1: there is something to read, or room if that is wanted; 0: no; or the ring has failed. */
static int look(tr_ring *ring, int for_room) {
    int rc = look_ready(ring);
    if (rc == 0 && for_room) rc = look_room(ring);
    if (rc != 0) return rc;
    return ring->ready != 0 || (for_room && ring->room != 0);
}

/* ------------------------------------------------------------------ waiting */

static void tell_cpu(tr_ring *ring) {
    int cpu = sched_getcpu();
    uint32_t told = cpu < 0 ? 0 : (uint32_t)cpu + 1;
    if (told == ring->cpu_told) return;
    ring->cpu_told = told;
    atomic_store_explicit(&ring->shm->head->cpu[ring->side].value, told, memory_order_relaxed);
}

/* 1: something came while spinning. */
static int spin(tr_ring *ring, int for_room, int64_t deadline_ns) {
    if (ring->spin_ns == 0) return 0;
    tr_shm_word *theirs = &ring->shm->head->cpu[peer_of(ring)];
    uint32_t cpu = atomic_load_explicit(&theirs->value, memory_order_relaxed);
    if (cpu == ring->cpu_told && cpu != 0) return 0;
    int64_t end = tr_futex_now_ns() + ring->spin_ns;
    if (end > deadline_ns) end = deadline_ns;
    do {
        for (int i = 0; i < 16; i++) {
            int rc = look(ring, for_room);
            if (rc != 0) {
                ring->stats.spins += rc > 0;
                return rc;
            }
            tr_futex_pause();
        }
    } while (tr_futex_now_ns() < end);
    return 0;
}

static int is_past(int64_t deadline_ns) {
    return deadline_ns != TR_RING_NO_DEADLINE && tr_futex_now_ns() >= deadline_ns;
}

/* Sleeps until the doorbell changes, the peer dies or the deadline comes. */
static void sleep_once(tr_ring *ring, uint32_t value, int64_t deadline_ns) {
    tr_shm_word *bell = &ring->shm->head->doorbell[ring->side];
    ring->stats.sleeps++;
    if (!ring->watching) {
        tr_futex_wait(&bell->value, value, deadline_ns);
        return;
    }
    tr_futex_word *life = tr_futex_life_word(&ring->shm->head->life);
    if (!ring->without_waitv) {
        int rc = tr_futex_wait_two(&bell->value, value, life, deadline_ns);
        if (rc != TR_ENOTSUP) return;
        ring->without_waitv = 1;
    }
    int64_t slice = tr_futex_now_ns() + TR_FUTEX_SLICE_NS;
    tr_futex_wait(&bell->value, value, slice < deadline_ns ? slice : deadline_ns);
}

/* 0: there is something to read, or room if that is wanted. Else as tr_ring_wait(), or heeding nudges. */
static int wait_for(tr_ring *ring, int for_room, int heeding, int64_t deadline_ns) {
    tr_shm_word *bell = &ring->shm->head->doorbell[ring->side];
    uint32_t value = TR_RING_SLEEPS | (for_room ? TR_RING_WANTS_ROOM : 0);
    if (ring->failed != 0) return ring->failed;
    int rc = look(ring, for_room);
    if (rc != 0) return rc < 0 ? rc : 0;
    tell_tail(ring);
    tell_cpu(ring);
    rc = spin(ring, for_room, deadline_ns);
    while (rc == 0) {
        int dead = peer_is_dead(ring);
        store(bell, value);
        rc = look(ring, for_room);
        if (rc != 0) break;
        if (dead) {
            rc = fail(ring, TR_ECLOSED, "the peer is dead");
        } else if ((heeding && atomic_load(&ring->nudged)) || is_past(deadline_ns)) {
            rc = TR_EAGAIN;
        } else {
            sleep_once(ring, value, deadline_ns);
            rc = look(ring, for_room);
        }
    }
    store(bell, 0);
    return rc < 0 ? rc : 0;
}

int tr_ring_wait(tr_ring *ring, int64_t deadline_ns) {
    return ring->late_first != NULL ? 0 : wait_for(ring, 0, 0, deadline_ns);
}

int tr_ring_wait_nudged(tr_ring *ring, int64_t deadline_ns) {
    return ring->late_first != NULL ? 0 : wait_for(ring, 0, 1, deadline_ns);
}

/* The doorbell is taken back as the peer would do it, so a sleeper looks again whatever it waits for. */
void tr_ring_nudge(tr_ring *ring) {
    tr_shm_word *bell = &ring->shm->head->doorbell[ring->side];
    if (atomic_exchange(&ring->nudged, 1) != 0) return;
    uint32_t seen = atomic_exchange_explicit(&bell->value, 0, memory_order_seq_cst);
    if ((seen & TR_RING_SLEEPS) != 0) tr_futex_wake(&bell->value);
    if ((seen & TR_RING_PARKED) != 0 && ring->own_fd >= 0) {
        uint64_t one = 1;
        ssize_t written = write(ring->own_fd, &one, sizeof one);
        (void)written; /* full: it is readable already */
    }
}

int tr_ring_park(tr_ring *ring) {
    if (ring->failed != 0) return ring->failed;
    if (ring->late_first != NULL) return 1;
    tell_tail(ring);
    int dead = peer_is_dead(ring);
    store(&ring->shm->head->doorbell[ring->side], TR_RING_PARKED);
    int rc = look(ring, 0);
    if (rc == 0 && dead) rc = fail(ring, TR_ECLOSED, "the peer is dead");
    return rc;
}

void tr_ring_unpark(tr_ring *ring) {
    store(&ring->shm->head->doorbell[ring->side], 0);
}

/* ------------------------------------------------------------------ reading */

/* Copies slots out until the message is complete or the slots are used up. 1: it is complete. */
static int gather(tr_ring *ring) {
    const tr_shm *shm = ring->shm;
    uint32_t slots = shm->slots[peer_of(ring)];
    while (ring->ready != 0) {
        uint32_t at = ring->tail & (slots - 1);
        uint32_t run = slots - at < ring->ready ? slots - at : ring->ready;
        size_t chunk = ring->partial_need - tr_buf_unread(&ring->partial);
        if (chunk > (size_t)run * shm->slot_bytes) chunk = (size_t)run * shm->slot_bytes;
        const uint8_t *from = shm->slots_at[peer_of(ring)] + (size_t)at * shm->slot_bytes;
        int rc = tr_buf_append(ring->mem, &ring->partial, from, chunk);
        if (rc != 0) return rc;
        run = (uint32_t)((chunk + shm->slot_bytes - 1) / shm->slot_bytes);
        ring->tail += run;
        ring->ready -= run;
        if (tr_buf_unread(&ring->partial) == ring->partial_need) return 1;
    }
    return 0;
}

/* Copies the first slot of a message and judges its header. 1: the message is complete. */
static int begin(tr_ring *ring) {
    const tr_shm *shm = ring->shm;
    uint32_t at = ring->tail & (shm->slots[peer_of(ring)] - 1);
    const uint8_t *slot = shm->slots_at[peer_of(ring)] + (size_t)at * shm->slot_bytes;
    uint8_t header[TR_WIRE_HEADER_BYTES];
    memcpy(header, slot, sizeof header);
    ring->partial.rpos = ring->partial.wpos = 0;
    tr_wire_header judged;
    const char *why = tr_wire_why_invalid(header, TR_DATA, peer_of(ring), &judged);
    if (why != NULL) return fail(ring, TR_EPROTO, why);
    size_t need = sizeof header + judged.length;
    size_t chunk = need < shm->slot_bytes ? need : shm->slot_bytes;
    int rc = tr_buf_reserve(ring->mem, &ring->partial, chunk);
    if (rc != 0) return rc;
    memcpy(ring->partial.data, header, sizeof header); /* what was judged is what is given out */
    memcpy(ring->partial.data + sizeof header, slot + sizeof header, chunk - sizeof header);
    ring->partial.wpos = chunk;
    ring->partial_header = judged;
    ring->partial_need = need;
    ring->tail++;
    ring->ready--;
    return chunk == need;
}

static void swap_buffers(tr_ring *ring, tr_buf *into) {
    tr_buf spare = *into;
    *into = ring->partial;
    spare.rpos = spare.wpos = 0;
    if (spare.cap > TR_RING_KEEP_BYTES) tr_buf_release(ring->mem, &spare);
    ring->partial = spare;
}

/* Takes the next message out of the slots. As tr_ring_take(). */
static int take_slots(tr_ring *ring, tr_buf *into, tr_wire_header *header) {
    int rc = 0;
    if (ring->ready == 0) rc = look_ready(ring);
    if (rc != 0) return rc;
    if (ring->ready != 0 && ring->partial_need == 0) rc = begin(ring);
    if (rc == 0 && ring->partial_need != 0) rc = gather(ring);
    if (rc < 0) return rc;
    uint32_t untold = ring->tail - ring->tail_told;
    if (ring->ready == 0 || untold >= ring->shm->slots[peer_of(ring)] / 4) tell_tail(ring);
    if (rc == 0) return TR_EAGAIN;
    ring->stats.messages_in++;
    ring->stats.bytes_in += ring->partial_need;
    ring->partial_need = 0;
    *header = ring->partial_header;
    swap_buffers(ring, into);
    return 0;
}

static int take_late(tr_ring *ring, tr_buf *into, tr_wire_header *header) {
    tr_ring_late *late = ring->late_first;
    ring->late_first = late->next;
    if (late->next == NULL) ring->late_last = NULL;
    ring->late_count--;
    ring->late_bytes -= tr_buf_unread(&late->bytes);
    tr_buf_release(ring->mem, into);
    *into = late->bytes;
    *header = late->header;
    tr_free(ring->mem, late);
    return 0;
}

int tr_ring_take(tr_ring *ring, tr_buf *into, tr_wire_header *header) {
    if (ring->late_first != NULL) return take_late(ring, into, header);
    if (ring->failed != 0) return ring->failed;
    return take_slots(ring, into, header);
}

int tr_ring_receive(tr_ring *ring, tr_buf *into, tr_wire_header *header, int64_t deadline_ns) {
    tr_ring_flush(ring);
    int rc = tr_ring_take(ring, into, header);
    while (rc == TR_EAGAIN) {
        rc = wait_for(ring, 0, 0, deadline_ns);
        if (rc != 0) return rc;
        rc = tr_ring_take(ring, into, header);
        /* A message that comes in drops must not keep us beyond the deadline. */
        if (rc == TR_EAGAIN && is_past(deadline_ns)) return rc;
    }
    return rc;
}

/* ------------------------------------------------------------------ writing */

/* Puts all that can be read aside. 0, TR_ELIMIT or TR_ENOMEM, or the ring has failed. */
static int set_aside(tr_ring *ring) {
    for (;;) {
        if (ring->late_count == TR_RING_BACKLOG_MAX) return TR_ELIMIT;
        if (ring->late_bytes > TR_RING_BACKLOG_BYTES_MAX) return TR_ELIMIT;
        tr_ring_late *late = tr_zalloc(ring->mem, sizeof *late);
        if (late == NULL) return TR_ENOMEM;
        int rc = take_slots(ring, &late->bytes, &late->header);
        if (rc != 0) {
            tr_free(ring->mem, late);
            return rc == TR_EAGAIN ? 0 : rc;
        }
        if (ring->late_last != NULL) ring->late_last->next = late;
        else ring->late_first = late;
        ring->late_last = late;
        ring->late_count++;
        ring->late_bytes += tr_buf_unread(&late->bytes);
        ring->stats.backlogged++;
    }
}

/* Waits until there is room. A peer that gives it in drops, or talks instead, can't keep us beyond
 * the deadline. */
static int make_room(tr_ring *ring, int64_t deadline_ns) {
    int rc = look_room(ring);
    while (rc == 0 && ring->room == 0) {
        tr_ring_flush(ring);
        rc = wait_for(ring, 1, 0, deadline_ns);
        if (rc == 0) rc = set_aside(ring);
        if (rc == 0) rc = look_room(ring);
        if (rc == 0 && is_past(deadline_ns)) rc = TR_EAGAIN;
    }
    return rc;
}

int tr_ring_put(tr_ring *ring, const void *message, size_t len, int64_t deadline_ns) {
    const tr_shm *shm = ring->shm;
    uint32_t slots = shm->slots[ring->side];
    tr_assert(len >= TR_WIRE_HEADER_BYTES);
    if (ring->failed != 0) return ring->failed;
    size_t done = 0;
    while (done < len) {
        if (ring->room == 0) {
            int rc = make_room(ring, deadline_ns);
            if (rc != 0 && done == 0) return rc;
            if (rc != 0) return fail(ring, TR_EIO, "a message got stuck half-way");
        }
        uint32_t at = ring->head & (slots - 1);
        uint32_t run = slots - at < ring->room ? slots - at : ring->room;
        size_t chunk = len - done;
        if (chunk > (size_t)run * shm->slot_bytes) chunk = (size_t)run * shm->slot_bytes;
        uint8_t *to = shm->slots_at[ring->side] + (size_t)at * shm->slot_bytes;
        memcpy(to, (const uint8_t *)message + done, chunk);
        run = (uint32_t)((chunk + shm->slot_bytes - 1) / shm->slot_bytes);
        done += chunk;
        ring->head += run;
        ring->room -= run;
    }
    ring->stats.messages_out++;
    ring->stats.bytes_out += len;
    return 0;
}

/* ------------------------------------------------------------------ where to run */

int tr_ring_follow(tr_ring *ring, pid_t host_thread) {
    int cpu = sched_getcpu();
    if (cpu == ring->cpu_followed) return 0;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0 || cpu >= CPU_SETSIZE) return TR_EIO;
    CPU_SET(cpu, &set);
    if (sched_setaffinity(host_thread, sizeof set, &set) != 0) return TR_EIO;
    ring->cpu_followed = cpu;
    return 0;
}

void tr_ring_let_roam(tr_ring *ring, pid_t host_thread) {
    cpu_set_t ours;
    if (ring->cpu_followed < 0 || sched_getaffinity(0, sizeof ours, &ours) != 0) return;
    if (sched_setaffinity(host_thread, sizeof ours, &ours) == 0) ring->cpu_followed = -1;
}

int tr_ring_note_call(tr_ring *ring, int64_t now_ns) {
    if (now_ns - ring->hot_last_ns < TR_RING_SPIN_NS) ring->hot_close++;
    ring->hot_last_ns = now_ns;
    if (++ring->hot_calls < TR_RING_HOT_CALLS) return ring->hot;
    ring->hot = ring->hot_close * 100 > ring->hot_calls * TR_RING_HOT_PERCENT;
    ring->spin_ns = ring->hot ? TR_RING_SPIN_NS : 0;
    ring->hot_calls = 0;
    ring->hot_close = 0;
    return ring->hot;
}
