/* A program that loads a library and calls one of its functions, with a crash record in a file.
 * Usage: crash_host RECORD LIBRARY FUNCTION [thread] [jail] */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/crash.h"
#include "sandbox/jail.h"

static int enter_jail(const char *library, int maps) {
    tr_jail jail;
    tr_jail_report report;
    int fds[] = {1, 2, maps};
    tr_jail_policy policy = {
        .module_path = library,
        .fds = fds,
        .fd_count = 3,
        .threads_max = 2,
        .trap_violations = true,
    };
    int rc = tr_jail_prepare(&policy, &jail, &report);
    if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_LOADING, &report);
    if (rc != 0) fprintf(stderr, "no jail: %s\n", report.failure);
    return rc;
}

static void *run(void *arg) {
    void (*function)(void);
    memcpy((void *)&function, (const void *)&arg, sizeof(arg));
    if (tr_crash_thread_begin() != 0) return NULL;
    function();
    tr_crash_thread_end();
    return NULL;
}

static int has_word(int argc, char **argv, const char *word) {
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], word) == 0) return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    pthread_t thread;
    int maps = -1;
    if (argc < 4) return 100;
    int fd = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(tr_crash_record)) != 0) return 101;
    void *area = mmap(NULL, sizeof(tr_crash_record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (area == MAP_FAILED || tr_crash_open_maps(&maps) != 0) return 102;
    if (tr_crash_install(area, maps) != 0) return 103;
    if (has_word(argc, argv, "jail") && enter_jail(argv[2], maps) != 0) return 104;
    void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
    void *function = library == NULL ? NULL : dlsym(library, argv[3]);
    if (function == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 105;
    }
    if (has_word(argc, argv, "thread")) {
        if (pthread_create(&thread, NULL, run, function) != 0) return 106;
        pthread_join(thread, NULL);
    } else {
        run(function);
    }
    tr_crash_exit_expected();
    return 0;
}
