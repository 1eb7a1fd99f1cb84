#include "sandbox/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "sandbox/jail_impl.h"

/* Where shared libraries and what the dynamic linker reads about them may lie. */
static const char *const library_paths[] = {
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
};

#define LIBRARY_PATHS (sizeof(library_paths) / sizeof(library_paths[0]))
#define STANDARD_FDS 3
#define DESCRIPTORS_MAX (1 << 20) /* the most that a kernel allows by default (fs.nr_open) */

static const char *const wall_texts[TR_JAIL_WALL_COUNT] = {
#define TR_X(name, text) [TR_JAIL_##name] = text,
    TR_JAIL_WALLS(TR_X)
#undef TR_X
};

const char *tr_jail_wall_text(tr_jail_wall wall) {
    tr_assert((unsigned)wall < TR_JAIL_WALL_COUNT);
    return wall_texts[wall];
}

static void set_verdict(tr_jail_report *report, tr_jail_wall wall, tr_jail_state state,
                        const char *reason) {
    tr_assert((unsigned)wall < TR_JAIL_WALL_COUNT);
    report->walls[wall].state = state;
    snprintf(report->walls[wall].reason, TR_JAIL_REASON_MAX, "%s", reason);
}

void tr__jail_on(tr_jail_report *report, tr_jail_wall wall) {
    set_verdict(report, wall, TR_JAIL_ON, "");
}

void tr__jail_off(tr_jail_report *report, tr_jail_wall wall, const char *reason) {
    set_verdict(report, wall, TR_JAIL_OFF, reason);
}

void tr__jail_unsupported(tr_jail_report *report, tr_jail_wall wall, const char *reason) {
    set_verdict(report, wall, TR_JAIL_UNSUPPORTED, reason);
}

int tr__jail_failed(tr_jail_report *report, const char *what) {
    int saved = errno;
    snprintf(report->failure, TR_JAIL_REASON_MAX, "%.47s: %.60s", what, strerror(saved));
    errno = saved;
    return TR_EIO;
}

static int refuse(tr_jail_report *report, int code, const char *why) {
    snprintf(report->failure, TR_JAIL_REASON_MAX, "%s", why);
    return code;
}

/* --- prepare --- */

static int check_policy(const tr_jail_policy *policy, tr_jail_report *report) {
    if (policy->exec_allowed && !policy->fork_allowed) {
        return refuse(report, TR_EINVAL, "exec without fork would replace the host program");
    }
    if (policy->fd_count > TR_JAIL_FDS_MAX) {
        return refuse(report, TR_ELIMIT, "too many descriptors to keep");
    }
    if (policy->path_count + LIBRARY_PATHS + 1 > TR_JAIL_PATHS_MAX) {
        return refuse(report, TR_ELIMIT, "too many paths");
    }
    for (size_t i = 0; i < policy->fd_count; i++) {
        if (policy->fds[i] < 0) return refuse(report, TR_EINVAL, "a kept descriptor is negative");
    }
    for (size_t i = 0; i < policy->path_count; i++) {
        if (policy->paths[i].path == NULL || policy->paths[i].path[0] != '/') {
            return refuse(report, TR_EINVAL, "a path of the policy does not begin with /");
        }
    }
    for (size_t i = 0; i < policy->environment_count; i++) {
        const char *entry = policy->environment[i];
        if (entry == NULL || entry[0] == '=' || strchr(entry, '=') == NULL) {
            return refuse(report, TR_EINVAL, "an entry of the environment is not NAME=value");
        }
    }
    return 0;
}

/* A path that is not there grants nothing: nobody can open it, and creating it is not granted. */
static int add_path(tr_jail *jail, const char *path, bool writable, tr_jail_report *report) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return 0;
        return tr__jail_failed(report, path);
    }
    tr_assert(jail->path_count < TR_JAIL_PATHS_MAX);
    jail->path_fds[jail->path_count] = fd;
    jail->path_writable[jail->path_count] = writable;
    jail->path_count++;
    return 0;
}

static int add_module_folder(tr_jail *jail, tr_jail_report *report) {
    char folder[4096];
    const char *path = jail->policy.module_path;
    if (path == NULL) return 0;
    const char *slash = strrchr(path, '/');
    int n = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    if ((size_t)n >= sizeof(folder)) {
        return refuse(report, TR_ELIMIT, "the path of the module is too long");
    }
    snprintf(folder, sizeof(folder), "%.*s", n, slash == NULL ? "." : path);
    return add_path(jail, folder, false, report);
}

static int open_paths(tr_jail *jail, tr_jail_report *report) {
    int rc = add_module_folder(jail, report);
    for (size_t i = 0; rc == 0 && i < LIBRARY_PATHS; i++) {
        rc = add_path(jail, library_paths[i], false, report);
    }
    for (size_t i = 0; rc == 0 && i < jail->policy.path_count; i++) {
        const tr_jail_path *path = &jail->policy.paths[i];
        rc = add_path(jail, path->path, path->writable, report);
    }
    return rc;
}

int tr_jail_prepare(const tr_jail_policy *policy, tr_jail *jail, tr_jail_report *report) {
    const char *why = "";
    memset(report, 0, sizeof(*report));
    memset(jail, 0, sizeof(*jail));
    jail->null_fd = -1;
    int rc = check_policy(policy, report);
    if (rc != 0) return rc;
    jail->policy = *policy;
    jail->next = TR_JAIL_LOADING;
    jail->landlock_abi = tr__jail_landlock_abi(&why);
    report->landlock_abi = jail->landlock_abi;
    tzset(); /* the zone's file is out of reach later */
    jail->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    rc = jail->null_fd < 0 ? tr__jail_failed(report, "/dev/null") : open_paths(jail, report);
    if (rc != 0) tr_jail_discard(jail);
    return rc;
}

void tr_jail_discard(tr_jail *jail) {
    for (size_t i = 0; i < jail->path_count; i++) close(jail->path_fds[i]);
    if (jail->null_fd >= 0) close(jail->null_fd);
    jail->path_count = 0;
    jail->null_fd = -1;
}

/* --- the walls that are a call or two --- */

static int enter_parent_death(const tr_jail *jail, tr_jail_report *report) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return tr__jail_failed(report, "PR_SET_PDEATHSIG");
    }
    /* The parent may have died just before; then nobody would tell us. */
    if (jail->policy.parent != 0 && getppid() != jail->policy.parent) {
        return refuse(report, TR_ECLOSED, "the parent is gone");
    }
    tr__jail_on(report, TR_JAIL_PARENT_DEATH);
    return 0;
}

/* The bytes are wiped too: they stay readable to the module, wherever environ points. */
static int enter_environment(const tr_jail *jail, tr_jail_report *report) {
    extern char **environ;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        explicit_bzero(*entry, strlen(*entry));
    }
    if (clearenv() != 0) return tr__jail_failed(report, "clearenv");
    for (size_t i = 0; i < jail->policy.environment_count; i++) {
        char name[256];
        const char *entry = jail->policy.environment[i];
        size_t length = (size_t)(strchr(entry, '=') - entry);
        if (length >= sizeof(name)) {
            return refuse(report, TR_ELIMIT, "the name of an environment variable is too long");
        }
        memcpy(name, entry, length);
        name[length] = '\0';
        if (setenv(name, entry + length + 1, 1) != 0) return tr__jail_failed(report, "setenv");
    }
    tr__jail_on(report, TR_JAIL_ENVIRONMENT);
    return 0;
}

static bool is_kept(const tr_jail *jail, int fd) {
    for (size_t i = 0; i < jail->policy.fd_count; i++) {
        if (jail->policy.fds[i] == fd) return true;
    }
    for (size_t i = 0; i < jail->path_count; i++) {
        if (jail->path_fds[i] == fd) return true;
    }
    return fd == jail->null_fd;
}

static int close_between(unsigned first, unsigned last) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM) return -1;
#endif
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    /* The hard limit: the soft one may have been lowered below a descriptor that is open. */
    rlim_t most = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    for (rlim_t fd = first; fd <= last && fd < most; fd++) close((int)fd);
    return 0;
}

/* Next kept descriptor at or above fd, or -1. */
static int next_kept(const tr_jail *jail, int fd) {
    int found = -1;
    for (size_t i = 0; i < jail->policy.fd_count; i++) {
        int one = jail->policy.fds[i];
        if (one >= fd && (found < 0 || one < found)) found = one;
    }
    for (size_t i = 0; i < jail->path_count; i++) {
        int one = jail->path_fds[i];
        if (one >= fd && (found < 0 || one < found)) found = one;
    }
    return jail->null_fd >= fd && (found < 0 || jail->null_fd < found) ? jail->null_fd : found;
}

static int enter_descriptors(const tr_jail *jail, tr_jail_report *report) {
    for (int fd = 0; fd < STANDARD_FDS; fd++) {
        if (!is_kept(jail, fd) && dup2(jail->null_fd, fd) < 0) {
            return tr__jail_failed(report, "dup2");
        }
    }
    int from = STANDARD_FDS;
    for (int kept; (kept = next_kept(jail, from)) >= 0; from = kept + 1) {
        if (kept > from && close_between((unsigned)from, (unsigned)kept - 1) != 0) {
            return tr__jail_failed(report, "close_range");
        }
    }
    if (close_between((unsigned)from, ~0U) != 0) return tr__jail_failed(report, "close_range");
    tr__jail_on(report, TR_JAIL_DESCRIPTORS);
    return 0;
}

static int enter_no_new_privs(tr_jail_report *report) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return tr__jail_failed(report, "PR_SET_NO_NEW_PRIVS");
    }
    tr__jail_on(report, TR_JAIL_NO_NEW_PRIVS);
    return 0;
}

/* root without capabilities is a user like any other; a user namespace has lent us all of them. */
static int enter_capabilities(tr_jail_report *report) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof(none));
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) != 0) return tr__jail_failed(report, "capset");
    tr__jail_on(report, TR_JAIL_CAPABILITIES);
    return 0;
}

static int enter_dumpable(tr_jail_report *report) {
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return tr__jail_failed(report, "PR_SET_DUMPABLE");
    tr__jail_on(report, TR_JAIL_DUMPABLE);
    return 0;
}

/* What the kernel clears at the end of a thread is also what libc's fork() names for the child. A
 * kernel that doesn't tell costs the permission, nothing else. */
static void learn_fork_word(tr_jail *jail) {
    uint64_t word = 0;
    if (!jail->policy.host_forks || prctl(PR_GET_TID_ADDRESS, &word, 0, 0, 0) != 0) return;
    jail->fork_word = word;
}

/* --- enter --- */

static int enter_loading(tr_jail *jail, tr_jail_report *report) {
    int rc = enter_parent_death(jail, report);
    if (rc == 0) rc = enter_environment(jail, report);
    if (rc == 0) rc = enter_descriptors(jail, report);
    if (rc == 0) rc = tr__jail_rlimit_enter(jail, report);
    if (rc == 0) rc = enter_no_new_privs(report);
    if (rc == 0) rc = enter_capabilities(report);
    if (rc == 0) rc = tr__jail_landlock_enter(jail, report);
    tr_jail_discard(jail);
    learn_fork_word(jail);
    if (rc == 0) rc = enter_dumpable(report);
    /* Changed credentials cancel the promise of the parent's death: repeat it, then look again. */
    if (rc == 0) rc = enter_parent_death(jail, report);
    if (rc == 0) rc = tr__jail_seccomp_enter(jail, TR_JAIL_LOADING, report);
    return rc;
}

static int check_required(const tr_jail *jail, tr_jail_stage stage, tr_jail_report *report) {
    for (int wall = 0; wall < TR_JAIL_WALL_COUNT; wall++) {
        if ((jail->policy.required & UINT64_C(1) << wall) == 0) continue;
        tr_jail_state state = report->walls[wall].state;
        if (state == TR_JAIL_ON || (state == TR_JAIL_NOT_YET && stage == TR_JAIL_LOADING)) continue;
        snprintf(report->failure, TR_JAIL_REASON_MAX, "required, but missing: %s",
                 wall_texts[wall]);
        return TR_ENOTSUP;
    }
    return 0;
}

int tr_jail_enter(tr_jail *jail, tr_jail_stage stage, tr_jail_report *report) {
    report->failure[0] = '\0';
    if (jail->entered || jail->next != stage) {
        return refuse(report, TR_EINVAL, "the stages must be entered in order, once");
    }
    int rc;
    if (stage == TR_JAIL_LOADING) {
        jail->pid = getpid();
        rc = enter_loading(jail, report);
        jail->next = TR_JAIL_SERVING;
    } else {
        rc = tr__jail_seccomp_enter(jail, TR_JAIL_SERVING, report);
        jail->entered = true;
    }
    return rc == 0 ? check_required(jail, stage, report) : rc;
}
