#include "sandbox/wire/recorder.h"

#include <string.h>
#include <time.h>

uint64_t tr_recorder_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint8_t *entry_at(const tr_shm *shm, uint64_t index) {
    return shm->entries_at + sizeof(tr_record) * (1 + (index & (shm->entries - 1)));
}

/* Words of shared memory are moved one by one, so that a reader beside us never races. */
static void put_word(uint8_t *at, uint64_t value, memory_order order) {
    atomic_store_explicit((_Atomic uint64_t *)(void *)at, value, order);
}

static uint64_t get_word(const uint8_t *at, memory_order order) {
    return atomic_load_explicit((const _Atomic uint64_t *)(const void *)at, order);
}

void tr_recorder_note(tr_shm *shm, const tr_record *record) {
    _Atomic uint64_t *next = (_Atomic uint64_t *)(void *)shm->entries_at;
    uint64_t index = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
    uint8_t *entry = entry_at(shm, index);
    uint64_t words[sizeof *record / 8];
    memcpy(words, record, sizeof words);
    atomic_exchange_explicit((_Atomic uint64_t *)(void *)entry, 0, memory_order_acq_rel);
    for (size_t i = 1; i < sizeof words / 8; i++) {
        put_word(entry + 8 * i, words[i], memory_order_relaxed);
    }
    put_word(entry, index + 1, memory_order_release);
}

/* Copies one record; blurred when it isn't the one of that index, whole. */
static void read_entry(const tr_shm *shm, uint64_t index, tr_record *out) {
    const uint8_t *entry = entry_at(shm, index);
    uint64_t words[sizeof *out / 8];
    words[0] = get_word(entry, memory_order_acquire);
    for (size_t i = 1; i < sizeof words / 8; i++) {
        words[i] = get_word(entry + 8 * i, memory_order_acquire);
    }
    int whole = words[0] == index + 1 && get_word(entry, memory_order_relaxed) == words[0];
    words[0] = index + 1;
    memcpy(out, words, sizeof *out);
    out->flags &= ~TR_RECORDER_BLURRED;
    if (!whole) out->flags |= TR_RECORDER_BLURRED;
}

size_t tr_recorder_read(const tr_shm *shm, tr_record *out, size_t max) {
    uint64_t next = get_word(shm->entries_at, memory_order_acquire);
    uint64_t count = next < shm->entries ? next : shm->entries;
    if (count > max) count = max;
    for (uint64_t i = 0; i < count; i++) read_entry(shm, next - count + i, &out[i]);
    return (size_t)count;
}
