/* Resource limits, and the user namespace in which the limit of tasks counts this process alone. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/jail_impl.h"

/* Soft and hard limit; never raises a hard limit that is lower already. */
static int limit(int resource, uint64_t soft, uint64_t hard, const char *what,
                 tr_jail_report *report) {
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0) return tr__jail_failed(report, what);
    struct rlimit wanted = {.rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard};
    if (wanted.rlim_max > now.rlim_max) wanted.rlim_max = now.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
    int rc = setrlimit((__rlimit_resource_t)resource, &wanted);
    return rc == 0 ? 0 : tr__jail_failed(report, what);
}

/* A limit that 0 switches off. */
static int limit_unless_zero(int resource, uint64_t value, uint64_t hard, tr_jail_wall wall,
                             tr_jail_report *report) {
    if (value == 0) {
        tr__jail_off(report, wall, "");
        return 0;
    }
    int rc = limit(resource, value, hard, tr_jail_wall_text(wall), report);
    if (rc == 0) {
        tr__jail_on(report, wall);
    } else if (errno == EPERM) { /* Linux never refuses to lower a limit: this is an emulator */
        tr__jail_unsupported(report, wall, "what the process runs in keeps the limit for itself");
        rc = 0;
    }
    return rc;
}

static bool write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    size_t length = strlen(text);
    bool done = write(fd, text, length) == (ssize_t)length;
    close(fd);
    return done;
}

/* True: the limit of tasks will count this process alone. */
static bool enter_user_namespace(tr_jail_report *report) {
    char users[64], groups[64];
    unsigned user = (unsigned)geteuid(), group = (unsigned)getegid();
    if (user == 0 || getuid() == 0) {
        tr__jail_off(report, TR_JAIL_USER_NAMESPACE, "of no use to root");
        return false;
    }
    if (unshare(CLONE_NEWUSER) != 0) {
        tr__jail_unsupported(report, TR_JAIL_USER_NAMESPACE,
                             errno == EINVAL ? "the process has threads already"
                                             : "user namespaces are not permitted here");
        return false;
    }
    snprintf(users, sizeof(users), "%u %u 1", user, user);
    snprintf(groups, sizeof(groups), "%u %u 1", group, group);
    /* Security modules may grant the namespace and withhold its maps; the count is ours anyway. */
    if (write_file("/proc/self/uid_map", users) && write_file("/proc/self/setgroups", "deny") &&
        write_file("/proc/self/gid_map", groups)) {
        tr__jail_on(report, TR_JAIL_USER_NAMESPACE);
    } else {
        tr__jail_unsupported(report, TR_JAIL_USER_NAMESPACE, "entered, but its maps are withheld");
    }
    return true;
}

static int enter_tasks(const tr_jail *jail, tr_jail_report *report) {
    const tr_jail_policy *policy = &jail->policy;
    uint64_t tasks = UINT64_C(1) + policy->threads_max;
    if (policy->fork_allowed) tasks += policy->processes_max;
    if (policy->host_forks) tasks++;
    if (!enter_user_namespace(report)) {
        tr__jail_unsupported(report, TR_JAIL_TASKS,
                             getuid() == 0 ? "the kernel exempts root from it"
                                           : "it would count all processes of this user");
        return 0;
    }
    int rc = limit(RLIMIT_NPROC, tasks, tasks, tr_jail_wall_text(TR_JAIL_TASKS), report);
    if (rc == 0) tr__jail_on(report, TR_JAIL_TASKS);
    return rc;
}

static int enter_memory(const tr_jail *jail, tr_jail_report *report) {
    uint64_t bytes = jail->policy.memory_bytes_max;
    if (TR_JAIL_SANITIZED && bytes != 0) {
        tr__jail_unsupported(report, TR_JAIL_MEMORY, "built with the address sanitizer");
        return 0;
    }
    return limit_unless_zero(RLIMIT_AS, bytes, bytes, TR_JAIL_MEMORY, report);
}

int tr__jail_rlimit_enter(const tr_jail *jail, tr_jail_report *report) {
    const tr_jail_policy *policy = &jail->policy;
    uint64_t files = policy->open_files_max;
    uint64_t seconds = policy->cpu_seconds_max;
    int rc = enter_tasks(jail, report); /* first: it writes to /proc */
    if (rc == 0) rc = enter_memory(jail, report);
    if (rc == 0) rc = limit_unless_zero(RLIMIT_NOFILE, files, files, TR_JAIL_OPEN_FILES, report);
    /* A second between the signal that can be reported and the one that cannot be caught. */
    if (rc == 0) rc = limit_unless_zero(RLIMIT_CPU, seconds, seconds + 1, TR_JAIL_CPU, report);
    uint64_t bytes = policy->file_bytes_max;
    if (rc == 0) rc = limit(RLIMIT_FSIZE, bytes, bytes, "file size", report);
    if (rc != 0) return rc;
    signal(SIGXFSZ, SIG_IGN); /* the write fails with EFBIG instead */
    tr__jail_on(report, TR_JAIL_FILE_SIZE);
    rc = limit(RLIMIT_CORE, 0, 0, "core dumps", report);
    if (rc == 0) tr__jail_on(report, TR_JAIL_CORE);
    return rc;
}
