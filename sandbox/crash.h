/* crash.h - what a dying host program leaves behind: one record in memory that outlives it.
 *
 *   SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU   -> tr_crash_record, then
 *   exit() from module code, tr_crash_exit_now()                         -> the end as without us
 *
 * The record is the *crash area* of the shared memory between host and engine (the flight recorder
 * is another area, made by sandbox/wire/recorder.h): TR_CRASH_RECORD_BYTES, 8-byte aligned, zero at
 * first. Its layout is the contract with trioredis/modules/crash_record.py: little-endian fields,
 * no padding, offsets asserted below. Whoever reads it trusts nothing: the module may have written
 * anything there, at any time. Read it after the process has ended.
 *
 * The handler is async-signal-safe up to the unwinder: no allocation, no locks, no stdio. It fills
 * the record from the surest to the most daring part and notes each finished one in `parts`; a part
 * that faults itself is given up and the next one begun, so a smashed stack costs the backtrace but
 * not the registers. Then the signal gets its default action, so the parent sees the true cause of
 * death. A handler that hangs is ended by the parent's deadline; the parts written so far remain.
 *
 * Of several threads that crash at once the first one writes; the others wait for the end.
 * A stack overflow needs a signal stack: tr_crash_install() gives one to the calling thread, every
 * other thread calls tr_crash_thread_begin() (the host exports a pthread_create that does).
 *
 * exit() while no tr_crash_exit_expected() has been said is recorded with the backtrace of whoever
 * called it. _exit() runs no handlers: the host exports _exit and _Exit that call
 * tr_crash_exit_now(); a module's calls arrive there since the dynamic linker asks the host first.
 * A forked child writes nothing.
 *
 * One record per process: signal handlers have no argument of ours, so the unit has state.
 */
#ifndef TR_SANDBOX_CRASH_H
#define TR_SANDBOX_CRASH_H

#include <stddef.h>
#include <stdint.h>

#define TR_CRASH_MAGIC UINT32_C(0x48435254) /* "TRCH" */
#define TR_CRASH_VERSION 1
#define TR_CRASH_RECORD_FRAMES 128
#define TR_CRASH_RECORD_REGISTERS 36
#define TR_CRASH_STACK_BYTES 4096
#define TR_CRASH_MAPS_BYTES 49152
#define TR_CRASH_NAME_BYTES 16

typedef enum tr_crash_cause {
    TR_CRASH_BY_NONE = 0,
    TR_CRASH_BY_SIGNAL = 1,
    TR_CRASH_BY_EXIT = 2,     /* exit() */
    TR_CRASH_BY_EXIT_NOW = 3, /* _exit() */
} tr_crash_cause;

/* Bits of tr_crash_record.parts, in the order of writing. */
typedef enum tr_crash_part {
    TR_CRASH_PART_CAUSE = 1 << 0, /* signal, code, address; or the exit status */
    TR_CRASH_PART_REGISTERS = 1 << 1,
    TR_CRASH_PART_THREAD = 1 << 2,
    TR_CRASH_PART_STACK = 1 << 3,
    TR_CRASH_PART_MAPS = 1 << 4,
    TR_CRASH_PART_FRAMES = 1 << 5,
    TR_CRASH_PART_END = 1 << 6, /* the handler has come to its end */
} tr_crash_part;

/* How the frames were found. */
typedef enum tr_crash_method {
    TR_CRASH_FRAMES_NONE = 0,
    TR_CRASH_FRAMES_UNWOUND = 1,       /* call frame information; reliable */
    TR_CRASH_FRAMES_CHAINED = 2, /* the chain of frame pointers; may skip callers */
} tr_crash_method;

typedef enum tr_crash_machine {
    TR_CRASH_X86_64 = 1,  /* rax rbx rcx rdx rsi rdi rbp rsp r8..r15 rip eflags err trapno */
    TR_CRASH_AARCH64 = 2, /* x0..x30 sp pc pstate */
} tr_crash_machine;

typedef struct tr_crash_record {
    uint32_t magic;
    uint16_t version;
    uint16_t machine;
    uint32_t claimed; /* 0: nobody has written here; else the thread that has */
    uint32_t kind;
    uint32_t parts; /* complete ones */
    int32_t signal;
    int32_t code;          /* si_code */
    int32_t system_error;  /* si_errno */
    uint64_t address;      /* si_addr: what was touched, or the instruction (SIGILL, SIGFPE) */
    int32_t exit_status;
    int32_t sender_pid;    /* of a signal that somebody sent, else 0 */
    int32_t sender_uid;
    int32_t system_call;   /* of SIGSYS: the refused number, else -1 */
    uint64_t time_ns;      /* CLOCK_REALTIME */
    int32_t pid;
    int32_t tid;
    char thread_name[TR_CRASH_NAME_BYTES]; /* NUL-terminated unless full */
    uint64_t stack_low;    /* bounds of the thread's stack; 0: unknown */
    uint64_t stack_high;
    uint64_t pc;
    uint64_t sp;
    uint64_t fp;
    uint64_t stack_from;   /* where the copied bytes begin: sp, or the end of an overflown stack */
    uint32_t register_count;
    uint32_t frame_method;
    uint32_t frame_count;
    uint32_t frames_cut; /* 1: there were more */
    uint32_t stack_bytes; /* copied, upwards from stack_from */
    uint32_t maps_bytes;
    uint32_t maps_cut; /* 1: there was more */
    uint32_t faults; /* parts that were given up */
    uint64_t registers[TR_CRASH_RECORD_REGISTERS];
    /* frames[0] is where it happened; the others are return addresses: the call is just before. */
    uint64_t frames[TR_CRASH_RECORD_FRAMES];
    uint8_t stack[TR_CRASH_STACK_BYTES];
    char maps[TR_CRASH_MAPS_BYTES]; /* /proc/self/maps */
} tr_crash_record;

#define TR_CRASH_RECORD_BYTES sizeof(tr_crash_record)

_Static_assert(offsetof(tr_crash_record, address) == 32, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, time_ns) == 56, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, thread_name) == 72, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, stack_low) == 88, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, register_count) == 136, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, registers) == 168, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, frames) == 456, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, stack) == 1480, "the layout is a contract");
_Static_assert(offsetof(tr_crash_record, maps) == 5576, "the layout is a contract");
_Static_assert(sizeof(tr_crash_record) == 54728, "the layout is a contract");

/* Opens /proc/self/maps; 0 and *fd, which the jail must keep, or TR_EIO. */
int tr_crash_open_maps(int *fd);

/* Writes the head of the record, installs the handlers and a signal stack for this thread, and
 * warms the unwinder up, which loads a library the first time. Before the jail, once. The record is
 * borrowed until the process ends; maps_fd may be -1 (then there are no maps). TR_EIO; TR_EINVAL:
 * the record is not aligned. */
int tr_crash_install(tr_crash_record *record, int maps_fd);

/* Gives the calling thread a signal stack and learns where its stack is. tr_crash_thread_end()
 * gives it back, last thing before the thread ends. TR_EIO: no memory for it. */
int tr_crash_thread_begin(void);
void tr_crash_thread_end(void);

/* From now on exit() is ours, not the module's. */
void tr_crash_exit_expected(void);

/* Records who ends the process, then does so at once. */
_Noreturn void tr_crash_exit_now(int status);

#endif
