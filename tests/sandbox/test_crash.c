/* Aim: however a process dies, its record tells how, and the parent sees the same end as without a
 * handler. Method: a child with the record in shared memory does one deadly thing. */
#include "sandbox/crash.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "sandbox/jail.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static tr_crash_record *record;
static int64_t *died_at_us; /* written by the child just before */

typedef void deed(void);

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Runs the deed in a child with handlers; returns its wait status. */
static int die_by(deed *deadly, bool in_jail, bool with_maps) {
    int status = 0;
    memset(record, 0xee, sizeof(*record)); /* installing must clear it */
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int maps = -1;
        if (with_maps && tr_crash_open_maps(&maps) != 0) _exit(100);
        if (tr_crash_install(record, maps) != 0) _exit(101);
        if (in_jail) {
            tr_jail jail;
            tr_jail_report report;
            int fds[] = {1, 2, maps};
            tr_jail_policy policy = {.fds = fds, .fd_count = 3, .trap_violations = true};
            policy.threads_max = 4;
            int rc = tr_jail_prepare(&policy, &jail, &report);
            if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_LOADING, &report);
            if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_SERVING, &report);
            if (rc != 0) _exit(102);
        }
        *died_at_us = now_us();
        deadly();
        _exit(103);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static int killer_of(int status) {
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

/* --- deeds --- */

/* The mistakes are meant, so the sanitizers must let them happen. */
#define DEADLY __attribute__((noinline, no_sanitize("address", "undefined")))

static volatile int *volatile nowhere;
static volatile int zero;
static volatile int sink;

DEADLY static void write_to_null(void) {
    *nowhere = 1;
}
DEADLY static void write_far_away(void) {
    *(volatile int *)0x5eadbeef0 = 1;
}
DEADLY static void divide(void) {
#if defined(__x86_64__)
    sink = sink / zero;
#else
    raise(SIGFPE);
#endif
}
DEADLY static void read_beyond_file(void) {
    FILE *f = tmpfile();
    if (f == NULL) return;
    volatile char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
    sink = p[0];
}
static void run_bad_code(void) {
#if defined(__x86_64__)
    __asm__ volatile("ud2");
#else
    __asm__ volatile(".inst 0");
#endif
}
static void run_breakpoint(void) {
#if defined(__x86_64__)
    __asm__ volatile("int3");
#else
    __asm__ volatile("brk 0");
#endif
}
DEADLY static void jump_to_null(void) {
    void (*volatile function)(void) = NULL;
    function();
    sink = 2; /* no tail call */
}
DEADLY static void jump_into_data(void) {
    void (*volatile function)(void);
    volatile int *data = &sink;
    memcpy((void *)&function, (const void *)&data, sizeof(data));
    function();
    sink = 2;
}
DEADLY static int recurse(int depth) {
    volatile char room[512];
    room[0] = (char)depth;
    return depth == -1 ? 0 : recurse(depth + 1) + room[0];
}
static void overflow_stack(void) {
    sink = recurse(0);
}
static void *overflow_thread(void *arg) {
    if (tr_crash_thread_begin() != 0) _exit(104);
    sink = recurse(0);
    tr_crash_thread_end();
    return arg;
}
static void overflow_in_thread(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, overflow_thread, NULL) == 0) pthread_join(thread, NULL);
}
static void smash_stack_pointer(void) {
#if defined(__x86_64__)
    __asm__ volatile("mov $0x10, %%rsp\n\tmov $0x20, %%rbp\n\tpush %%rax" ::: "memory");
#else
    write_to_null();
#endif
}
static void call_exit(void) {
    exit(7);
}
static void expect_and_exit(void) {
    tr_crash_exit_expected();
    exit(0);
}
static void call_exit_now(void) {
    tr_crash_exit_now(8);
}
static void crash_at_exit(void) {
    atexit(write_to_null); /* runs before ours, which was registered earlier */
    exit(9);
}
static void crash_after_exit_record(void) {
    exit(10);
}
__attribute__((destructor)) static void late_destructor(void) {
    if (record != NULL && record->kind == TR_CRASH_BY_EXIT && record->exit_status == 10) {
        write_to_null();
    }
}
static void open_forbidden(void) {
    syscall(SYS_ptrace, 0, 0, 0, 0);
}
static void kill_itself(void) {
    sink = kill(getpid(), SIGSEGV);
}
static void name_and_abort(void) {
    pthread_setname_np(pthread_self(), "worker-one");
    abort();
}
static pthread_barrier_t together;
static void *crash_together(void *arg) {
    if (tr_crash_thread_begin() != 0) _exit(106);
    pthread_barrier_wait(&together);
    write_to_null();
    return arg;
}
static void crash_in_many_threads(void) {
    pthread_t threads[4];
    pthread_barrier_init(&together, NULL, 4);
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, crash_together, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}
static void crash_in_child(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) write_to_null();
    waitpid(child, &status, 0);
    tr_crash_exit_expected();
    _exit(killer_of(status) == SIGSEGV ? 0 : 105);
}

/* --- checks --- */

static void check_whole_record(int signal) {
    uint32_t all = TR_CRASH_PART_CAUSE | TR_CRASH_PART_REGISTERS | TR_CRASH_PART_THREAD |
                   TR_CRASH_PART_STACK | TR_CRASH_PART_MAPS | TR_CRASH_PART_FRAMES |
                   TR_CRASH_PART_END;
    CHECK_EQ_INT(record->magic, TR_CRASH_MAGIC);
    CHECK_EQ_INT(record->version, TR_CRASH_VERSION);
    CHECK_EQ_INT(record->kind, TR_CRASH_BY_SIGNAL);
    CHECK_EQ_INT(record->signal, signal);
    CHECK_EQ_INT(record->parts, all);
    CHECK_EQ_INT(record->faults, 0);
    CHECK(record->claimed != 0 && (int32_t)record->claimed == record->tid);
    CHECK(record->time_ns > UINT64_C(1600000000000000000));
    CHECK(record->frame_count > 2 && record->frame_count <= TR_CRASH_RECORD_FRAMES);
    CHECK_EQ_INT(record->frames[0], record->pc);
    CHECK(record->stack_bytes > 0 && record->stack_bytes <= TR_CRASH_STACK_BYTES);
    CHECK(record->sp + 65536 >= record->stack_low && record->sp < record->stack_high);
    CHECK(record->stack_from >= record->stack_low && record->stack_from < record->stack_high);
    CHECK(record->maps_bytes > 100);
    const char *self = program_invocation_short_name;
    CHECK(memmem(record->maps, record->maps_bytes, self, strlen(self)) != NULL);
}

static bool frames_have(deed *function, uint64_t room) {
    uint64_t start;
    memcpy(&start, &function, sizeof(start));
    for (uint32_t i = 0; i < record->frame_count; i++) {
        if (record->frames[i] >= start && record->frames[i] < start + room) return true;
    }
    return false;
}

static void test_every_signal(void) {
    static const struct {
        deed *deadly;
        int signal;
        bool kernel; /* the code tells that the hardware, not a process, is the cause */
    } rows[] = {
        {write_to_null, SIGSEGV, true}, {write_far_away, SIGSEGV, true},
        {read_beyond_file, SIGBUS, true}, {run_bad_code, SIGILL, true},
        {run_breakpoint, SIGTRAP, true}, {name_and_abort, SIGABRT, false},
        {kill_itself, SIGSEGV, false}, {divide, SIGFPE, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_EQ_INT(killer_of(die_by(rows[i].deadly, false, true)), rows[i].signal);
        check_whole_record(rows[i].signal);
        CHECK_EQ_INT(record->code > 0, rows[i].kernel);
        CHECK_EQ_INT(record->sender_pid, rows[i].kernel ? 0 : record->pid);
        CHECK_EQ_INT(record->frame_method, TR_CRASH_FRAMES_UNWOUND);
        CHECK(frames_have(rows[i].deadly, 256));
        CHECK_EQ_INT(record->system_call, -1);
    }
}

static void test_addresses_and_names(void) {
    die_by(write_to_null, false, true);
    CHECK_EQ_INT(record->address, 0);
    die_by(write_far_away, false, true);
    CHECK_EQ_INT(record->address, 0x5eadbeef0);
    die_by(name_and_abort, false, true);
    CHECK_EQ_STR(record->thread_name, "worker-one");
}

/* The kernel reports no address outside of the canonical range, but for 0 it does: the caller must
 * be found although the place of the crash has no frame. */
static void test_jumps_to_nowhere(void) {
    CHECK_EQ_INT(killer_of(die_by(jump_to_null, false, true)), SIGSEGV);
    CHECK_EQ_INT(record->pc, 0);
    CHECK_EQ_INT(record->frames[0], 0);
    CHECK(record->frame_count >= 2);
    CHECK(frames_have(jump_to_null, 256));
    CHECK_EQ_INT(killer_of(die_by(jump_into_data, false, true)), SIGSEGV);
    CHECK_EQ_INT(record->frames[0], record->pc);
    CHECK(frames_have(jump_into_data, 256));
}

static void test_stack_overflow(void) {
    CHECK_EQ_INT(killer_of(die_by(overflow_stack, false, true)), SIGSEGV);
    check_whole_record(SIGSEGV);
    CHECK_EQ_INT(record->frame_count, TR_CRASH_RECORD_FRAMES);
    CHECK_EQ_INT(record->frames_cut, 1);
    CHECK_EQ_INT(killer_of(die_by(overflow_in_thread, false, true)), SIGSEGV);
    check_whole_record(SIGSEGV);
    CHECK(record->tid != record->pid);
}

/* The stack is gone, the registers and the maps are not. */
static void test_smashed_stack_pointer(void) {
    CHECK_EQ_INT(killer_of(die_by(smash_stack_pointer, false, true)), SIGSEGV);
    CHECK((record->parts & TR_CRASH_PART_REGISTERS) != 0);
    CHECK((record->parts & TR_CRASH_PART_MAPS) != 0);
    CHECK((record->parts & TR_CRASH_PART_END) != 0);
#if defined(__x86_64__)
    CHECK_EQ_INT(record->sp, 0x10);
    CHECK((record->parts & TR_CRASH_PART_STACK) == 0);
    CHECK_EQ_INT(record->stack_bytes, 0);
    CHECK(record->faults > 0);
#endif
    CHECK(frames_have(smash_stack_pointer, 256));
}

static void test_exits(void) {
    CHECK_EQ_INT(killer_of(die_by(call_exit, false, true)), -7);
    CHECK_EQ_INT(record->kind, TR_CRASH_BY_EXIT);
    CHECK_EQ_INT(record->exit_status, 7);
    CHECK(frames_have(call_exit, 256));
    CHECK((record->parts & TR_CRASH_PART_END) != 0);
    CHECK_EQ_INT(killer_of(die_by(expect_and_exit, false, true)), 0);
    CHECK_EQ_INT(record->kind, TR_CRASH_BY_NONE);
    CHECK_EQ_INT(record->parts, 0);
    CHECK_EQ_INT(killer_of(die_by(call_exit_now, false, true)), -8);
    CHECK_EQ_INT(record->kind, TR_CRASH_BY_EXIT_NOW);
    CHECK_EQ_INT(record->exit_status, 8);
    CHECK(frames_have(call_exit_now, 256));
}

static void test_crash_while_exiting(void) {
    CHECK_EQ_INT(killer_of(die_by(crash_at_exit, false, true)), SIGSEGV);
    CHECK_EQ_INT(record->kind, TR_CRASH_BY_SIGNAL);
    CHECK_EQ_INT(record->signal, SIGSEGV);
    CHECK_EQ_INT(killer_of(die_by(crash_after_exit_record, false, true)), SIGSEGV);
    CHECK_EQ_INT(record->kind, TR_CRASH_BY_SIGNAL);
    CHECK(frames_have(write_to_null, 64));
}

static void test_in_the_jail(void) {
    CHECK_EQ_INT(killer_of(die_by(write_to_null, true, true)), SIGSEGV);
    check_whole_record(SIGSEGV);
    CHECK_EQ_INT(killer_of(die_by(open_forbidden, true, true)), SIGSYS);
    check_whole_record(SIGSYS);
    CHECK_EQ_INT(record->system_call, SYS_ptrace);
    CHECK_EQ_INT(killer_of(die_by(overflow_in_thread, true, true)), SIGSEGV);
    check_whole_record(SIGSEGV);
}

static void test_without_maps(void) {
    CHECK_EQ_INT(killer_of(die_by(write_to_null, false, false)), SIGSEGV);
    CHECK_EQ_INT(record->maps_bytes, 0);
    CHECK(frames_have(write_to_null, 256));
}

static void test_many_crash_at_once(void) {
    CHECK_EQ_INT(killer_of(die_by(crash_in_many_threads, false, true)), SIGSEGV);
    check_whole_record(SIGSEGV);
}

static void test_child_leaves_the_record_alone(void) {
    CHECK_EQ_INT(killer_of(die_by(crash_in_child, false, true)), 0);
    CHECK_EQ_INT(record->kind, TR_CRASH_BY_NONE);
}

static void test_nothing_is_written_in_life(void) {
    CHECK_EQ_INT(killer_of(die_by(tr_crash_exit_expected, false, true)), -103);
    CHECK_EQ_INT(record->claimed, 0);
    CHECK_EQ_INT(record->frame_count, 0);
    CHECK_EQ_INT(record->frames[0], 0);
}

static void test_misaligned_record(void) {
    CHECK_EQ_INT(tr_crash_install((tr_crash_record *)((uintptr_t)record + 4), -1), TR_EINVAL);
}

static void test_time_to_record(void) {
    int64_t took = 0;
    for (int i = 0; i < 10; i++) {
        die_by(write_to_null, false, true);
        took += now_us() - *died_at_us;
    }
    printf("     fault to end of the process: %" PRId64 " us\n", took / 10);
}

int main(void) {
    size_t bytes = sizeof(*record) + 4096;
    record = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (record == MAP_FAILED) return 1;
    died_at_us = (int64_t *)(void *)(record + 1);
    RUN(test_every_signal);
    RUN(test_addresses_and_names);
    RUN(test_jumps_to_nowhere);
    RUN(test_stack_overflow);
    RUN(test_smashed_stack_pointer);
    RUN(test_exits);
    RUN(test_crash_while_exiting);
    RUN(test_in_the_jail);
    RUN(test_without_maps);
    RUN(test_many_crash_at_once);
    RUN(test_child_leaves_the_record_alone);
    RUN(test_nothing_is_written_in_life);
    RUN(test_misaligned_record);
    RUN(test_time_to_record);
    return CHECK_DONE();
}
