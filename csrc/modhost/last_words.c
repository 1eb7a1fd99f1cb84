#include "modhost/last_words.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/crash.h"

#define END_MS_MAX 100 /* that the server waits for the kernel to be through with a process */
#define NAMED(number) {number, #number}

static const struct {
    int number;
    const char *name;
} signals[] = {
    NAMED(SIGSEGV), NAMED(SIGBUS),    NAMED(SIGFPE),  NAMED(SIGILL),  NAMED(SIGABRT), NAMED(SIGSYS),  NAMED(SIGTRAP),
    NAMED(SIGXCPU), NAMED(SIGXFSZ),   NAMED(SIGTERM), NAMED(SIGINT),  NAMED(SIGHUP),  NAMED(SIGQUIT), NAMED(SIGPIPE),
    NAMED(SIGALRM), NAMED(SIGVTALRM), NAMED(SIGPROF), NAMED(SIGUSR1), NAMED(SIGUSR2), NAMED(SIGIO),   NAMED(SIGPWR),
    NAMED(SIGSTKFLT),
};

static void write_signal(int number, char *out, size_t cap) {
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (signals[i].number != number) continue;
        snprintf(out, cap, "%s", signals[i].name);
        return;
    }
    snprintf(out, cap, "signal %d", number);
}

/* 1: the process is a corpse, but for threads that live on. */
static int has_lost_its_thread(pid_t pid) {
    char path[32], stat[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);
    if (fd >= 0) close(fd);
    stat[n > 0 ? n : 0] = '\0';
    const char *name_ends = strrchr(stat, ')');
    return name_ends != NULL && name_ends[1] == ' ' && name_ends[2] == 'Z';
}

/* Its end is noticed by its memory, a little before the kernel is through with it. Whoever started it reaps it: nothing
 * is taken away here. */
static void ask_kernel(int pidfd, pid_t pid, char *out, size_t cap) {
    siginfo_t info = {0};
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    snprintf(out, cap, "killed");
    if (pidfd < 0) return;
    if (poll(&end, 1, END_MS_MAX) == 0 && has_lost_its_thread(pid)) {
        snprintf(out, cap, "its main thread ended");
        return;
    }
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    if (info.si_code == CLD_EXITED) snprintf(out, cap, "exit status %d", info.si_status);
    else if (info.si_status != SIGKILL) write_signal(info.si_status, out, cap);
}

void tr_last_words(const tr_shm *shm, int pidfd, pid_t pid, char *out, size_t cap) {
    tr_crash_record record;
    memcpy(&record, shm->crash_at, offsetof(tr_crash_record, time_ns)); /* once; the rest is not looked at */
    if (record.magic != TR_CRASH_MAGIC || record.claimed == 0 || !(record.parts & TR_CRASH_PART_CAUSE)) {
        ask_kernel(pidfd, pid, out, cap);
        return;
    }
    if (record.kind == TR_CRASH_BY_EXIT || record.kind == TR_CRASH_BY_EXIT_NOW) {
        snprintf(out, cap, "exit(%d)", record.exit_status);
        return;
    }
    write_signal(record.signal, out, cap);
}

int tr_last_words_is_dead(int pidfd) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}
