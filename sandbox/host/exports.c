/* What the host puts before libc's: the dynamic linker looks here first when a module's calls, or
 * those of libraries that it brings, are bound.
 *
 * pthread_create gives each thread a signal stack, so that its stack overflow leaves a report, and all CPUs: the
 * engine ties the thread that it talks to to its own, and the threads that a command starts would inherit that.
 * _exit and _Exit run no handlers; here they leave a record of who called them. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox/crash.h"

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

typedef struct start {
    void *(*run)(void *);
    void *arg;
} start;

static cpu_set_t cpus; /* where we might run when we were started; none: not known */

__attribute__((constructor)) static void look_at_cpus(void) {
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) CPU_ZERO(&cpus);
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
    if (CPU_COUNT(&cpus) != 0) (void)sched_setaffinity(0, sizeof cpus, &cpus);
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
