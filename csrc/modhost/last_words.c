#include "modhost/last_words.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/crash.h"

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},
    {SIGABRT, "SIGABRT"}, {SIGSYS, "SIGSYS"}, {SIGTRAP, "SIGTRAP"}, {SIGXCPU, "SIGXCPU"},
};

void tr_last_words(const tr_shm *shm, char *out, size_t cap) {
    tr_crash_record record;
    memcpy(&record, shm->crash_at, offsetof(tr_crash_record, time_ns)); /* once; the rest is not looked at */
    if (record.magic != TR_CRASH_MAGIC || record.claimed == 0 || !(record.parts & TR_CRASH_PART_CAUSE)) {
        snprintf(out, cap, "killed"); /* nobody wrote: SIGKILL, or worse */
        return;
    }
    if (record.kind == TR_CRASH_BY_EXIT || record.kind == TR_CRASH_BY_EXIT_NOW) {
        snprintf(out, cap, "exit(%d)", record.exit_status);
        return;
    }
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (signals[i].number != record.signal) continue;
        snprintf(out, cap, "%s", signals[i].name);
        return;
    }
    snprintf(out, cap, "signal %d", record.signal);
}

int tr_last_words_is_dead(int pidfd) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}
