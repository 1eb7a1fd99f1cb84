/* recorder.h - the flight recorder: a helper's last API calls, which outlive it.
 *
 * They lie in the shared memory, so they are there after SIGSEGV and SIGKILL. The host writes, from
 * any thread and from signal handlers: no lock, no allocation, no library call. The engine reads
 * when the host is dead, or while it runs, and believes nothing: a wild write of the module may
 * have hit anything. It copies every entry once and marks what is not whole. What must be trusted is to
 * be recorded on the engine's side too. The record of the crash itself is sandbox/crash.h's, in the
 * crash area of the same memory.
 *
 *   recorder: | next: u64, 56 bytes unused | entry | entry | ...        64 bytes each
 *
 * Entry n (from 0 on) lies in slot n modulo the count of slots and bears the number n + 1, which is
 * written last, and 0 while it is being written.
 */
#ifndef TR_WIRE_RECORDER_H
#define TR_WIRE_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/wire/shm.h"

#define TR_RECORDER_ARGS 4

/* Flags of an entry. */
#define TR_RECORDER_RETURNED 1u /* the call has returned; args[0] is its result */
#define TR_RECORDER_CALLBACK 2u /* the host calls the module, not the other way round */
#define TR_RECORDER_BLURRED 0x80000000u /* set by the reader: not whole, or not what it should be */

typedef struct tr_record {
    uint64_t number;   /* 1 for the first one of all */
    uint64_t time_ns;  /* CLOCK_MONOTONIC */
    uint32_t function; /* id of the API function, or of the message for a callback */
    uint32_t thread;
    uint32_t flags;
    uint32_t depth; /* of nested callbacks */
    uint64_t args[TR_RECORDER_ARGS];
} tr_record;

_Static_assert(sizeof(tr_record) == 64, "a record is a cache line");
_Static_assert(offsetof(tr_record, args) == 32, "nothing is padded");

/* Host: notes a call. The memory must be attached. */
void tr_recorder_note(tr_shm *shm, const tr_record *record);
/* Host: the clock for time_ns. */
uint64_t tr_recorder_clock(void);

/* Copies the newest records, at most max, oldest of them first; returns how many. What is not whole
 * has TR_RECORDER_BLURRED. */
size_t tr_recorder_read(const tr_shm *shm, tr_record *out, size_t max);

#endif
