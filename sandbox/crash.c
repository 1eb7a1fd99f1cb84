#include "sandbox/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "base/err.h"

/* Room for the handler, the unwinder (which keeps whole register sets) and a nested fault. */
#define SIGNAL_STACK_BYTES ((size_t)128 << 10)

/* Looks at anybody's memory and runs in any state: the sanitizers must neither mind nor help. */
#define RAW __attribute__((no_sanitize("address", "undefined")))

/* How far below its stack a function may reach when it overflows it. */
#define OVERFLOW_REACH (UINT64_C(1) << 20)

static const int fatal_signals[] = {
    SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU,
};

#define FATAL_SIGNALS (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

/* Signal handlers get no argument from us: this is the state of the one process that we are in. */
static struct {
    tr_crash_record *record;
    int maps_fd;
    int32_t pid;
    atomic_bool exit_expected;
    atomic_int owner;         /* thread that writes the record, 0: none */
    volatile bool guarded;    /* a fault of the owner goes to escape */
    sigjmp_buf escape;
} crash = {.maps_fd = -1};

static _Thread_local void *signal_stack;
static _Thread_local uint64_t stack_low, stack_high;

typedef struct walk {
    tr_crash_record *record;
    bool found; /* the frame that was interrupted has come by */
} walk;

static int thread_id(void) {
    return (int)syscall(SYS_gettid);
}

/* --- parts of the record, from the surest to the most daring --- */

static void write_cause(tr_crash_record *r, int signal, const siginfo_t *info) {
    bool sent = info->si_code <= 0; /* SI_USER, SI_QUEUE, SI_TKILL: by a process, not the kernel */
    r->kind = TR_CRASH_BY_SIGNAL;
    r->signal = signal;
    r->code = info->si_code;
    r->system_error = info->si_errno;
    r->system_call = -1;
    if (sent) {
        r->sender_pid = info->si_pid;
        r->sender_uid = (int32_t)info->si_uid;
    } else {
        r->address = (uint64_t)(uintptr_t)info->si_addr;
#ifdef si_syscall
        if (signal == SIGSYS) r->system_call = info->si_syscall;
#endif
    }
}

static void write_registers(tr_crash_record *r, const ucontext_t *context) {
#if defined(__x86_64__)
    static const int order[] = {
        REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP,
        REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13,
        REG_R14, REG_R15, REG_RIP, REG_EFL, REG_ERR, REG_TRAPNO,
    };
    const greg_t *from = context->uc_mcontext.gregs;
    r->register_count = sizeof(order) / sizeof(order[0]);
    for (size_t i = 0; i < r->register_count; i++) r->registers[i] = (uint64_t)from[order[i]];
    r->pc = (uint64_t)from[REG_RIP];
    r->sp = (uint64_t)from[REG_RSP];
    r->fp = (uint64_t)from[REG_RBP];
#elif defined(__aarch64__)
    const mcontext_t *from = &context->uc_mcontext;
    for (size_t i = 0; i < 31; i++) r->registers[i] = from->regs[i];
    r->registers[31] = from->sp;
    r->registers[32] = from->pc;
    r->registers[33] = from->pstate;
    r->register_count = 34;
    r->pc = from->pc;
    r->sp = from->sp;
    r->fp = from->regs[29];
#else
#error "no registers for this architecture"
#endif
}

static void write_thread(tr_crash_record *r) {
    struct timespec now;
    r->pid = (int32_t)getpid();
    r->tid = (int32_t)thread_id();
    prctl(PR_GET_NAME, r->thread_name, 0, 0, 0);
    r->stack_low = stack_low;
    r->stack_high = stack_high;
    if (clock_gettime(CLOCK_REALTIME, &now) == 0) {
        r->time_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    }
}

/* Word by word, counting as it goes: whatever faults, the count tells what is there. */
RAW static void write_stack(tr_crash_record *r) {
    bool overflown = r->sp < stack_low && stack_low - r->sp <= OVERFLOW_REACH;
    r->stack_from = overflown ? stack_low : r->sp & ~UINT64_C(7);
    const volatile uint64_t *from = (const volatile uint64_t *)(uintptr_t)r->stack_from;
    volatile uint64_t *to = (volatile uint64_t *)(void *)r->stack;
    volatile uint32_t *count = &r->stack_bytes;
    if (r->sp == 0) return;
    for (size_t i = 0; i < TR_CRASH_STACK_BYTES / sizeof(*from); i++) {
        if (stack_high != 0 && (uintptr_t)(from + i) >= stack_high && r->sp < stack_high) break;
        to[i] = from[i];
        *count = (uint32_t)((i + 1) * sizeof(*from));
    }
}

static void write_maps(tr_crash_record *r) {
    if (crash.maps_fd < 0 || lseek(crash.maps_fd, 0, SEEK_SET) != 0) return;
    while (r->maps_bytes < TR_CRASH_MAPS_BYTES) {
        size_t room = TR_CRASH_MAPS_BYTES - r->maps_bytes;
        ssize_t n = read(crash.maps_fd, r->maps + r->maps_bytes, room);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        r->maps_bytes += (uint32_t)n;
    }
    r->maps_cut = 1;
}

static void add_frame(tr_crash_record *r, uint64_t address) {
    if (r->frame_count < TR_CRASH_RECORD_FRAMES) {
        r->frames[r->frame_count++] = address;
    } else {
        r->frames_cut = 1;
    }
}

/* The unwinder begins with ourselves; what counts begins with the interrupted frame. */
static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *arg) {
    walk *w = arg;
    int before = 0;
    uint64_t ip = (uint64_t)_Unwind_GetIPInfo(context, &before);
    if (ip == 0) return _URC_END_OF_STACK;
    if (!w->found) {
        w->found = ip == w->record->pc;
        return _URC_NO_REASON;
    }
    add_frame(w->record, ip);
    return w->record->frames_cut != 0 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void write_frames_by_unwinder(tr_crash_record *r) {
    walk w = {.record = r};
    r->frame_count = 0;
    add_frame(r, r->pc);
    r->frame_method = TR_CRASH_FRAMES_UNWOUND;
    _Unwind_Backtrace(take_frame, &w);
}

static const char *read_hex(const char *p, const char *end, uint64_t *value) {
    uint64_t sum = 0;
    for (; p < end; p++) {
        unsigned digit = (unsigned char)*p;
        if (digit >= '0' && digit <= '9') {
            digit -= '0';
        } else if (digit >= 'a' && digit <= 'f') {
            digit -= 'a' - 10;
        } else {
            break;
        }
        sum = sum << 4 | digit;
    }
    *value = sum;
    return p;
}

/* Whether the copied maps have executable memory there: lines of "low-high rwxp ...". */
static bool is_code(const tr_crash_record *r, uint64_t address) {
    const char *p = r->maps;
    const char *end = r->maps + r->maps_bytes;
    while (p < end) {
        uint64_t low = 0, high = 0;
        p = read_hex(p, end, &low);
        if (p < end) p = read_hex(p + 1, end, &high);
        if (end - p > 3 && address >= low && address < high) return p[3] == 'x';
        while (p < end && *p != '\n') p++;
        if (p < end) p++;
    }
    return false;
}

/* Without unwinder: the chain of saved frame pointers. A jump to nowhere has left the address of
 * its caller on top of the stack (or in the link register). */
RAW static void write_frames_by_pointers(tr_crash_record *r) {
    uint64_t fp = r->fp;
    r->frame_count = 0;
    r->frame_method = TR_CRASH_FRAMES_CHAINED;
    add_frame(r, r->pc);
    if (!is_code(r, r->pc)) {
#if defined(__x86_64__)
        uint64_t caller = *(const volatile uint64_t *)(uintptr_t)r->sp;
#else
        uint64_t caller = r->registers[30];
#endif
        if (is_code(r, caller)) add_frame(r, caller);
    }
    while (fp >= r->sp && fp % sizeof(fp) == 0 && (stack_high == 0 || fp + 16 <= stack_high)) {
        const volatile uint64_t *frame = (const volatile uint64_t *)(uintptr_t)fp;
        if (!is_code(r, frame[1])) return;
        add_frame(r, frame[1]);
        if (frame[0] <= fp || r->frames_cut != 0) return;
        fp = frame[0];
    }
}

static void write_frames(tr_crash_record *r) {
    write_frames_by_unwinder(r);
    if (r->frame_count == 1) write_frames_by_pointers(r); /* it could not even begin */
}

/* --- the handler --- */

/* Runs one part; a fault inside it comes back here and costs only the rest of it. */
static void write_part(tr_crash_record *r, tr_crash_part part, void (*write)(tr_crash_record *r)) {
    if (sigsetjmp(crash.escape, 1) == 0) {
        crash.guarded = true;
        write(r);
        r->parts |= part;
    } else {
        r->faults++;
    }
    crash.guarded = false;
}

/* True: this thread writes the record. A thread that comes second waits for the end of the process;
 * what is written for exit() is replaced by the crash of a destructor that follows. */
RAW static bool claim(tr_crash_record *r) {
    int nobody = 0;
    int self = thread_id();
    if (!atomic_compare_exchange_strong(&crash.owner, &nobody, self) && nobody != self) {
        for (;;) pause();
    }
    r->claimed = (uint32_t)self;
    return nobody == 0;
}

RAW static void end_by(int signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t set;
    sigaction(signal, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, signal);
    syscall(SYS_tgkill, getpid(), thread_id(), signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + signal); /* not reached: the default action of each of them is to end */
}

RAW static void on_signal(int signal, siginfo_t *info, void *context) {
    tr_crash_record *r = crash.record;
    if (crash.guarded && atomic_load(&crash.owner) == thread_id()) siglongjmp(crash.escape, 1);
    if (crash.pid == (int32_t)getpid() && (claim(r) || r->kind != TR_CRASH_BY_SIGNAL)) {
        r->parts = 0;
        write_cause(r, signal, info);
        r->parts |= TR_CRASH_PART_CAUSE;
        write_registers(r, context);
        r->parts |= TR_CRASH_PART_REGISTERS;
        write_part(r, TR_CRASH_PART_THREAD, write_thread);
        write_part(r, TR_CRASH_PART_STACK, write_stack);
        r->maps_bytes = r->maps_cut = 0;
        write_part(r, TR_CRASH_PART_MAPS, write_maps);
        write_part(r, TR_CRASH_PART_FRAMES, write_frames);
        if ((r->parts & TR_CRASH_PART_FRAMES) == 0) {
            write_part(r, TR_CRASH_PART_FRAMES, write_frames_by_pointers);
        }
        r->parts |= TR_CRASH_PART_END;
    }
    end_by(signal);
}

/* --- exit --- */

static _Unwind_Reason_Code take_any_frame(struct _Unwind_Context *context, void *arg) {
    tr_crash_record *r = arg;
    uint64_t ip = (uint64_t)_Unwind_GetIP(context);
    if (ip == 0) return _URC_END_OF_STACK;
    add_frame(r, ip);
    return r->frames_cut != 0 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void write_own_frames(tr_crash_record *r) {
    r->frame_count = r->frames_cut = 0;
    r->frame_method = TR_CRASH_FRAMES_UNWOUND;
    _Unwind_Backtrace(take_any_frame, r);
    r->pc = r->frame_count > 0 ? r->frames[0] : 0;
}

static void write_exit(tr_crash_cause kind, int status) {
    tr_crash_record *r = crash.record;
    if (r == NULL || atomic_load(&crash.exit_expected)) return;
    if (crash.pid != (int32_t)getpid() || !claim(r)) return;
    r->kind = kind;
    r->exit_status = status;
    r->system_call = -1;
    r->parts |= TR_CRASH_PART_CAUSE;
    write_part(r, TR_CRASH_PART_THREAD, write_thread);
    write_part(r, TR_CRASH_PART_MAPS, write_maps);
    write_part(r, TR_CRASH_PART_FRAMES, write_own_frames);
    r->parts |= TR_CRASH_PART_END;
}

static void on_exit_called(int status, void *arg) {
    write_exit(TR_CRASH_BY_EXIT, status);
}

void tr_crash_exit_expected(void) {
    atomic_store(&crash.exit_expected, true);
}

void tr_crash_exit_now(int status) {
    write_exit(TR_CRASH_BY_EXIT_NOW, status);
    syscall(SYS_exit_group, status);
    for (;;) pause();
}

/* --- getting ready --- */

int tr_crash_open_maps(int *fd) {
    int opened = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (opened < 0) return TR_EIO;
    *fd = opened;
    return 0;
}

static void learn_stack_bounds(void) {
    pthread_attr_t attr;
    void *low;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attr) != 0) return;
    if (pthread_attr_getstack(&attr, &low, &size) == 0) {
        stack_low = (uint64_t)(uintptr_t)low;
        stack_high = stack_low + size;
    }
    pthread_attr_destroy(&attr);
}

int tr_crash_thread_begin(void) {
    learn_stack_bounds();
    if (signal_stack != NULL) return 0;
    void *stack = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) return TR_EIO;
    stack_t wanted = {.ss_sp = stack, .ss_size = SIGNAL_STACK_BYTES};
    if (sigaltstack(&wanted, NULL) != 0) {
        munmap(stack, SIGNAL_STACK_BYTES);
        return TR_EIO;
    }
    signal_stack = stack;
    return 0;
}

void tr_crash_thread_end(void) {
    stack_t none = {.ss_flags = SS_DISABLE};
    if (signal_stack == NULL) return;
    sigaltstack(&none, NULL);
    munmap(signal_stack, SIGNAL_STACK_BYTES);
    signal_stack = NULL;
}

static int install_handlers(void) {
    struct sigaction action = {.sa_sigaction = on_signal};
    /* NODEFER: a fault inside the handler must reach it again instead of ending it. */
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL_SIGNALS; i++) {
        if (sigaction(fatal_signals[i], &action, NULL) != 0) return TR_EIO;
    }
    return 0;
}

int tr_crash_install(tr_crash_record *record, int maps_fd) {
    if ((uintptr_t)record % _Alignof(tr_crash_record) != 0) return TR_EINVAL;
    crash.maps_fd = maps_fd;
    crash.pid = (int32_t)getpid();
    memset(record, 0, sizeof(*record));
    record->magic = TR_CRASH_MAGIC;
    record->version = TR_CRASH_VERSION;
#if defined(__x86_64__)
    record->machine = TR_CRASH_X86_64;
#else
    record->machine = TR_CRASH_AARCH64;
#endif
    if (tr_crash_thread_begin() != 0) return TR_EIO;
    write_own_frames(record); /* what the unwinder loads and sets up, it does now */
    record->frame_count = record->frames_cut = record->frame_method = 0;
    record->pc = 0;
    memset(record->frames, 0, sizeof(record->frames));
    crash.record = record;
    if (on_exit(on_exit_called, NULL) != 0) return TR_EIO;
    return install_handlers();
}
