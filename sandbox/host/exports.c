/* What the host puts before libc's: the dynamic linker looks here first when a module's calls, or
 * those of libraries that it brings, are bound.
 *
 * pthread_create gives each thread a signal stack, so that its stack overflow leaves a report, and all CPUs: the
 * engine ties the thread that it talks to to its own, and the threads that a command starts would inherit that.
 * _exit and _Exit run no handlers; here they leave a record of who called them.
 * fork and its like are refused to a module without the permission: to the filter they look like our own. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox/host/host.h"

typedef pid_t fork_fn(void);
typedef int daemon_fn(int, int);
typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

typedef struct start {
    void *(*run)(void *);
    void *arg;
} start;

static cpu_set_t cpus; /* where we might run when we were started; none: not known */

__attribute__((constructor)) static void look_at_cpus(void) {
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) CPU_ZERO(&cpus);
}

static void run_anywhere(void) {
    if (CPU_COUNT(&cpus) != 0) (void)sched_setaffinity(0, sizeof cpus, &cpus);
}

static void *libc_function(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

static void end_thread(void *unused) {
    (void)unused;
    tr_crash_thread_end();
}

/* Without memory for a signal stack the thread runs all the same: only a report of its overflow
 * would be missing. */
static void *begin_thread(void *given) {
    start s = *(start *)given;
    void *result;
    free(given);
    run_anywhere();
    (void)tr_crash_thread_begin();
    pthread_cleanup_push(end_thread, NULL); /* also at pthread_exit() and when it is cancelled */
    result = s.run(s.arg);
    pthread_cleanup_pop(1);
    return result;
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                                                          void *(*run)(void *), void *arg) {
    create_fn *create = (create_fn *)(uintptr_t)libc_function("pthread_create");
    start *s = malloc(sizeof *s);
    if (create == NULL || s == NULL) {
        free(s);
        return EAGAIN;
    }
    *s = (start){.run = run, .arg = arg};
    int rc = create(thread, attr, begin_thread, s);
    if (rc != 0) free(s);
    return rc;
}

__attribute__((visibility("default"))) _Noreturn void _exit(int status) {
    tr_crash_exit_now(status);
}

__attribute__((visibility("default"))) _Noreturn void _Exit(int status) {
    tr_crash_exit_now(status);
}

void tr_host_forked(void) {
    tr_host_here.forked = true;
    run_anywhere();
}

static pid_t fork_by(const char *name, bool allowed) {
    fork_fn *fn = allowed ? (fork_fn *)(uintptr_t)libc_function(name) : NULL;
    if (fn == NULL) {
        errno = allowed ? ENOSYS : EPERM;
        return -1;
    }
    pid_t child = fn();
    if (child == 0 && !tr_host_here.forked) tr_host_forked(); /* _Fork runs no handlers */
    return child;
}

pid_t tr_host_fork(void) {
    return fork_by("fork", true);
}

__attribute__((visibility("default"))) pid_t fork(void) {
    return fork_by("fork", tr_host_here.module_forks);
}

pid_t _Fork(void); /* older libcs have none */
__attribute__((visibility("default"))) pid_t _Fork(void) {
    return fork_by("_Fork", tr_host_here.module_forks);
}

/* Its parent would end. */
__attribute__((visibility("default"))) int daemon(int stay, int keep) {
    daemon_fn *fn = tr_host_here.module_forks ? (daemon_fn *)(uintptr_t)libc_function("daemon") : NULL;
    if (fn != NULL) return fn(stay, keep);
    errno = EPERM;
    return -1;
}
