/* shm.h - the memory that engine and host share: where everything is in it.
 *
 *   0                                      4096          69632
 *   | head: geometry, doorbells, heads,    | crash area: | slots from | slots from | flight   |
 *   | tails, CPUs, the life lock           | 65536 bytes | the host   | the engine | recorder |
 *
 * A memfd, sealed so that nobody can shrink it under the other. The engine creates it, hands the
 * descriptor to the host, and keeps its own copy of the geometry: what the host writes over that in
 * the memory moves nothing for the engine. The host attaches to it and believes the engine.
 *
 * Words that both sides write are one to a cache line. The host holds the life lock from its start
 * to its end: it is robust, so the kernel marks it when the holder is gone.
 */
#ifndef TR_WIRE_SHM_H
#define TR_WIRE_SHM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TR_SHM_MAGIC 0x314d48535254u
#define TR_SHM_VERSION 1
#define TR_SHM_LINE 64
#define TR_SHM_PAGE 4096
/* The crash area, at the same place in every geometry: a reader without a map can pread() it. Its
 * content is sandbox/crash.h's; zeros at first. */
#define TR_SHM_CRASH_AT TR_SHM_PAGE
#define TR_SHM_CRASH_BYTES 65536
/* Bounds of the geometry; the defaults fit into a second-level cache. */
#define TR_SHM_SLOT_BYTES_MIN 64
#define TR_SHM_SLOT_BYTES_MAX 65536
#define TR_SHM_SLOT_BYTES 128
#define TR_SHM_SLOTS_MAX 65536
/* A whole batch of commands with all that they say. */
#define TR_SHM_SLOTS 2048
#define TR_SHM_ENTRIES_MAX 65536
#define TR_SHM_ENTRIES 1024

typedef struct tr_shm_word {
    _Alignas(TR_SHM_LINE) _Atomic uint32_t value;
} tr_shm_word;

_Static_assert(sizeof(tr_shm_word) == TR_SHM_LINE, "a word has its cache line for itself");

/* Index 0 of the pairs: the host's, 1: the engine's, as tr_wire_side. */
typedef struct tr_shm_head {
    uint64_t magic;
    uint32_t version;
    uint32_t slot_bytes;
    uint32_t slots[2]; /* in the ring that this side fills */
    uint32_t entries;  /* of the flight recorder */
    tr_shm_word head[2];     /* slots that this side has filled, counted on and on */
    tr_shm_word tail[2];     /* slots of its peer that this side has emptied */
    tr_shm_word doorbell[2]; /* what this side waits for; a futex */
    tr_shm_word cpu[2];      /* where this side runs, plus one */
    _Alignas(TR_SHM_LINE) pthread_mutex_t life;
} tr_shm_head;

_Static_assert(sizeof(tr_shm_head) <= TR_SHM_PAGE, "the head is one page");
_Static_assert(offsetof(tr_shm_head, head) == TR_SHM_LINE, "the geometry is one line");
_Static_assert(offsetof(tr_shm_head, life) == TR_SHM_LINE * 9, "the lock has lines of its own");
_Static_assert(sizeof(_Atomic uint32_t) == 4, "a futex is four bytes");

/* All fields are private to the process; the pointers lead into the shared memory. */
typedef struct tr_shm {
    int fd; /* owned */
    uint8_t *base;
    size_t bytes;
    uint32_t slot_bytes; /* powers of two, all three */
    uint32_t slots[2];
    uint32_t entries;
    tr_shm_head *head;
    uint8_t *slots_at[2];
    uint8_t *crash_at;
    uint8_t *entries_at;
} tr_shm;

typedef struct tr_shm_geometry {
    uint32_t slot_bytes; /* power of two */
    uint32_t slots;      /* of each ring, power of two */
    uint32_t entries;    /* of the flight recorder, power of two */
} tr_shm_geometry;

/* Creates the memory, zeroed but for the head. NULL geometry: the defaults. 0, TR_EINVAL (not such
 * numbers) or TR_EIO; *shm is untouched then. */
int tr_shm_create(tr_shm *shm, const tr_shm_geometry *geometry);
/* Maps memory that the other side has created; steals fd, on failure too. 0, TR_EPROTO (it isn't
 * such memory) or TR_EIO. */
int tr_shm_attach(tr_shm *shm, int fd);
/* Unmaps and closes. */
void tr_shm_close(tr_shm *shm);

#endif
