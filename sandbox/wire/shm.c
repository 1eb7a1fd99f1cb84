#include "sandbox/wire/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* The first entry's line of the recorder counts them. */
#define ENTRY_BYTES 64

static int power_of_two(uint32_t n, uint32_t min, uint32_t max) {
    return n >= min && n <= max && (n & (n - 1)) == 0;
}

static int geometry_is_sane(const tr_shm_geometry *g) {
    return power_of_two(g->slot_bytes, TR_SHM_SLOT_BYTES_MIN, TR_SHM_SLOT_BYTES_MAX) &&
           power_of_two(g->slots, 2, TR_SHM_SLOTS_MAX) &&
           power_of_two(g->entries, 1, TR_SHM_ENTRIES_MAX);
}

static size_t round_up(size_t n) {
    return (n + TR_SHM_PAGE - 1) / TR_SHM_PAGE * TR_SHM_PAGE;
}

/* Sets all that follows from the geometry but the pointers. */
static void lay_out(tr_shm *shm, const tr_shm_geometry *g) {
    shm->slot_bytes = g->slot_bytes;
    shm->slots[0] = shm->slots[1] = g->slots;
    shm->entries = g->entries;
    shm->bytes = TR_SHM_PAGE + 2 * round_up((size_t)g->slot_bytes * g->slots) + TR_SHM_CRASH_BYTES +
                 round_up(((size_t)g->entries + 1) * ENTRY_BYTES);
}

static int map(tr_shm *shm) {
    void *base = mmap(NULL, shm->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shm->fd, 0);
    if (base == MAP_FAILED) return TR_EIO;
    size_t ring = round_up((size_t)shm->slot_bytes * shm->slots[0]);
    shm->base = base;
    shm->head = base;
    shm->crash_at = shm->base + TR_SHM_CRASH_AT;
    shm->slots_at[0] = shm->crash_at + TR_SHM_CRASH_BYTES;
    shm->slots_at[1] = shm->slots_at[0] + ring;
    shm->entries_at = shm->slots_at[1] + ring;
    tr_assert(shm->entries_at + ENTRY_BYTES * ((size_t)shm->entries + 1) <= shm->base + shm->bytes);
    return 0;
}

static int make_life_lock(pthread_mutex_t *lock) {
    pthread_mutexattr_t how;
    if (pthread_mutexattr_init(&how) != 0) return TR_EIO;
    int failed = pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) != 0 ||
                 pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) != 0 ||
                 pthread_mutex_init(lock, &how) != 0;
    pthread_mutexattr_destroy(&how);
    return failed ? TR_EIO : 0;
}

/* A memfd of that size that can neither shrink nor grow. -1: errno tells why. */
static int make_memory(size_t bytes) {
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("trioredis-module", flags | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("trioredis-module", flags); /* before 6.3 */
    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)bytes) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

int tr_shm_create(tr_shm *shm, const tr_shm_geometry *geometry) {
    tr_shm_geometry g = {TR_SHM_SLOT_BYTES, TR_SHM_SLOTS, TR_SHM_ENTRIES};
    if (geometry != NULL) g = *geometry;
    if (!geometry_is_sane(&g)) return TR_EINVAL;
    tr_shm made = {.fd = -1};
    lay_out(&made, &g);
    made.fd = make_memory(made.bytes);
    if (made.fd < 0) return TR_EIO;
    int rc = map(&made);
    if (rc == 0) rc = make_life_lock(&made.head->life);
    if (rc != 0) {
        tr_shm_close(&made);
        return rc;
    }
    made.head->version = TR_SHM_VERSION;
    made.head->slot_bytes = g.slot_bytes;
    made.head->slots[0] = made.head->slots[1] = g.slots;
    made.head->entries = g.entries;
    made.head->magic = TR_SHM_MAGIC;
    *shm = made;
    return 0;
}

/* Reads the geometry that the creator has written. */
static int read_geometry(int fd, tr_shm_geometry *g) {
    tr_shm_head head;
    ssize_t got = pread(fd, &head, offsetof(tr_shm_head, head), 0);
    if (got < 0) return TR_EIO;
    if ((size_t)got != offsetof(tr_shm_head, head)) return TR_EPROTO;
    if (head.magic != TR_SHM_MAGIC || head.version != TR_SHM_VERSION) return TR_EPROTO;
    if (head.slots[0] != head.slots[1]) return TR_EPROTO;
    *g = (tr_shm_geometry){head.slot_bytes, head.slots[0], head.entries};
    return geometry_is_sane(g) ? 0 : TR_EPROTO;
}

int tr_shm_attach(tr_shm *shm, int fd) {
    tr_shm made = {.fd = fd};
    tr_shm_geometry g;
    int rc = read_geometry(fd, &g);
    struct stat st;
    if (rc == 0) lay_out(&made, &g);
    if (rc == 0 && fstat(fd, &st) != 0) rc = TR_EIO;
    if (rc == 0 && (uint64_t)st.st_size != made.bytes) rc = TR_EPROTO;
    if (rc == 0) rc = map(&made);
    if (rc != 0) {
        tr_shm_close(&made);
        return rc;
    }
    *shm = made;
    return 0;
}

void tr_shm_close(tr_shm *shm) {
    if (shm->base != NULL) munmap(shm->base, shm->bytes);
    if (shm->fd >= 0) close(shm->fd);
    memset(shm, 0, sizeof *shm);
    shm->fd = -1;
}
