/* jail_attempts.h - what the test of the jail tries from inside: each function does one thing and
 * returns 0 if it worked, errno if it was refused, another negative number if it went astray.
 * Who includes it fills the four things that the attempts work on. */
#ifndef TR_TESTS_JAIL_ATTEMPTS_H
#define TR_TESTS_JAIL_ATTEMPTS_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEBIBYTE (UINT64_C(1) << 20)

static char folder[64];      /* may be granted for reading and writing */
static char module_path[96]; /* its folder is only readable */
static int kept_fds[3] = {1, 2, -1}; /* the last is a TCP socket */
static int foreign_fd;               /* open outside, never kept */
static const char *old_environment;  /* the first entry, where the program found it */

typedef int attempt(void);

static int errno_unless(bool worked) {
    return worked ? 0 : errno;
}

/* --- files --- */

static int open_passwd(void) {
    return errno_unless(open("/etc/passwd", O_RDONLY) >= 0);
}
static int open_proc_mem(void) {
    return errno_unless(open("/proc/self/mem", O_RDWR) >= 0);
}
static int open_module(void) {
    return errno_unless(open(module_path, O_RDONLY) >= 0);
}
static int write_module(void) {
    return errno_unless(open(module_path, O_WRONLY) >= 0);
}
static int list_libraries(void) {
    return errno_unless(open("/usr/lib", O_RDONLY | O_DIRECTORY) >= 0);
}
static int create_tmp(void) {
    return errno_unless(open("/tmp/tr-jail-must-not-exist", O_WRONLY | O_CREAT, 0600) >= 0);
}
static int open_tmpfile(void) {
    return errno_unless(open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0);
}
static int remove_module(void) {
    return errno_unless(unlink(module_path) == 0);
}
static int rename_module(void) {
    return errno_unless(rename(module_path, "/tmp/tr-jail-moved") == 0);
}
static int chmod_module(void) {
    return errno_unless(chmod(module_path, 0) == 0);
}
static int make_folder(void) {
    char path[128];
    snprintf(path, sizeof(path), "%s-beside", folder);
    return errno_unless(mkdir(path, 0700) == 0);
}
static int write_granted(void) {
    char path[128];
    snprintf(path, sizeof(path), "%s/data", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return errno;
    if (write(fd, "hello", 5) != 5) return errno;
    close(fd);
    return errno_unless(unlink(path) == 0);
}
static int write_past_limit(void) {
    char path[128], block[4096] = {0};
    snprintf(path, sizeof(path), "%s/big", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    for (int i = 0; fd >= 0 && i < 4; i++) {
        if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block)) return errno;
    }
    return errno_unless(fd >= 0);
}
static int late_dlopen(void) {
    return dlopen(module_path, RTLD_NOW | RTLD_LOCAL) != NULL ? 0 : EACCES;
}

/* --- network --- */

static int connect_inet(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return errno;
    return errno_unless(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
}
static int bind_inet(void) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return errno;
    if (bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0) return errno;
    return errno_unless(listen(fd, 1) == 0);
}
/* The socket was there before: only Landlock and the filter of bind stand in the way. */
static int bind_inherited(void) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    return errno_unless(bind(kept_fds[2], (struct sockaddr *)&to, sizeof(to)) == 0);
}
static int udp_socket(void) {
    return errno_unless(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
}
static int sctp_socket(void) {
    return errno_unless(socket(AF_INET, SOCK_STREAM, 132) >= 0);
}
static int unix_socket(void) {
    return errno_unless(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}
static int packet_socket(void) {
    return errno_unless(socket(AF_PACKET, SOCK_RAW, 0) >= 0);
}
static int pair_of_sockets(void) {
    int fds[2];
    char byte = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) != 0) return errno;
    return errno_unless(send(fds[0], "x", 1, 0) == 1 && recv(fds[1], &byte, 1, 0) == 1);
}

/* --- processes --- */

static int do_fork(void) {
    pid_t child = fork();
    if (child == 0) _exit(7);
    int status = 0;
    if (child < 0) return errno;
    if (waitpid(child, &status, 0) != child) return errno;
    return WEXITSTATUS(status) == 7 ? 0 : -1;
}
static void *fork_elsewhere(void *outcome) {
    *(int *)outcome = do_fork();
    return NULL;
}
static int thread_forks(void) {
    pthread_t thread;
    int outcome = -1;
    int rc = pthread_create(&thread, NULL, fork_elsewhere, &outcome);
    if (rc == 0) rc = pthread_join(thread, NULL);
    return rc == 0 ? outcome : rc;
}
/* The call of libc's fork(), with this or that another. */
static int clone_like_fork(unsigned long flags, uintptr_t stack, uintptr_t word) {
#if defined(__x86_64__)
    long child = syscall(SYS_clone, flags, stack, 0, word, 0);
#else
    long child = syscall(SYS_clone, flags, stack, 0, 0, word);
#endif
    if (child == 0) syscall(SYS_exit_group, 0);
    if (child < 0) return errno;
    return errno_unless(waitpid((pid_t)child, NULL, 0) == child);
}
#define FLAGS_OF_FORK ((unsigned long)(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD))
static uintptr_t word_of_fork(void) {
    uintptr_t word = 0;
    syscall(SYS_prctl, PR_GET_TID_ADDRESS, &word, 0, 0, 0);
    return word;
}
static uintptr_t known_word; /* of this thread, asked for outside */
static int imitate_fork(void) {
    return clone_like_fork(FLAGS_OF_FORK, 0, known_word);
}
static int fork_with_another_word(void) {
    static uint64_t room;
    return clone_like_fork(FLAGS_OF_FORK, 0, (uintptr_t)&room);
}
static int fork_with_a_far_word(void) {
    return clone_like_fork(FLAGS_OF_FORK, 0, known_word ^ (uintptr_t)1 << 40);
}
static int fork_with_another_stack(void) {
    static char room[65536];
    return clone_like_fork(FLAGS_OF_FORK, (uintptr_t)(room + sizeof(room)), known_word);
}
static int fork_with_other_flags(void) {
    static const unsigned long others[] = {CLONE_PARENT, CLONE_VM, CLONE_FILES, CLONE_NEWUSER, CLONE_UNTRACED};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        int got = clone_like_fork(FLAGS_OF_FORK | others[i], 0, known_word);
        if (got != EPERM) return got == 0 ? -1 : got;
    }
    int got = clone_like_fork(FLAGS_OF_FORK - SIGCHLD, 0, known_word);
    return got == 0 ? -1 : got;
}
static int start_by_vfork(void) {
    pid_t child = vfork();
    if (child == 0) _exit(0);
    return errno_unless(child > 0);
}
static int spawn_program(void) {
    char *argv[] = {"/bin/true", NULL};
    pid_t child;
    return posix_spawn(&child, argv[0], NULL, NULL, argv, NULL);
}
static int die_with_parent(void) {
    return errno_unless(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
}
static int hear_of_parents_death(void) {
    return errno_unless(prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0);
}
/* The second while the first one lives. */
static int two_forks(void) {
    int life[2];
    char byte;
    if (pipe(life) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        close(life[1]);
        _exit(read(life[0], &byte, 1) == 0 ? 0 : 1);
    }
    if (child < 0) return -2;
    close(life[0]);
    int got = do_fork();
    close(life[1]);
    waitpid(child, NULL, 0);
    return got;
}
static int kill_child(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child < 0) return -1;
    int got = errno_unless(kill(child, SIGKILL) == 0);
    waitpid(child, NULL, 0);
    return got;
}
static int raw_fork(void) {
#ifdef SYS_fork
    long child = syscall(SYS_fork);
    if (child == 0) _exit(0);
    return errno_unless(child > 0);
#else
    return EPERM;
#endif
}
static int clone_namespace(void) {
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    return errno_unless(child > 0);
}
static int do_clone3(void) {
    uint64_t args[8] = {0};
    return errno_unless(syscall(SYS_clone3, args, sizeof(args)) >= 0);
}
static int do_exec(void) {
    char *argv[] = {"/bin/true", NULL};
    execv(argv[0], argv);
    return errno;
}
static int fork_and_exec(void) {
    pid_t child = fork();
    if (child == 0) _exit(do_exec());
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
static int kill_parent(void) {
    return errno_unless(kill(getppid(), 0) == 0);
}
static int kill_group(void) {
    return errno_unless(kill(0, 0) == 0);
}
static int kill_all(void) {
    return errno_unless(kill(-1, 0) == 0);
}
static int kill_self(void) {
    return errno_unless(kill(getpid(), 0) == 0);
}
static int raise_self(void) {
    signal(SIGUSR1, SIG_IGN);
    return errno_unless(raise(SIGUSR1) == 0);
}
static int signal_by_descriptor(void) {
    int fds[2];
    if (pipe(fds) != 0) return errno;
    return errno_unless(fcntl(fds[0], F_SETOWN, getppid()) == 0);
}
static int do_ptrace(void) {
    return errno_unless(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
}
static int read_parent_memory(void) {
    return errno_unless(syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0) >= 0);
}

static void *thread_body(void *arg) {
    pthread_barrier_wait(arg);
    return NULL;
}
/* Starts count threads that are alive at once. */
static int start_threads(int count) {
    pthread_t threads[16];
    pthread_attr_t attr;
    pthread_barrier_t barrier;
    int rc = 0;
    pthread_barrier_init(&barrier, NULL, (unsigned)count + 1);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    for (int i = 0; i < count; i++) {
        rc = pthread_create(&threads[i], &attr, thread_body, &barrier);
        if (rc != 0) return rc;
    }
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    return 0;
}
static int three_threads(void) {
    return start_threads(3);
}
static int six_threads(void) {
    return start_threads(6);
}

/* --- memory, limits, privileges --- */

static int map_bytes(size_t bytes, int protection) {
    void *p = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return errno_unless(p != MAP_FAILED);
}
static int map_much(void) {
    return map_bytes(1024 * MEBIBYTE, PROT_READ | PROT_WRITE);
}
static int map_little(void) {
    return map_bytes(16 * MEBIBYTE, PROT_READ | PROT_WRITE);
}
static int map_code(void) {
    return map_bytes(4096, PROT_READ | PROT_EXEC);
}
static int make_code(void) {
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return errno_unless(mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
}
static int open_many(void) {
    for (int i = 0; i < 100; i++) {
        if (dup(1) < 0) return errno;
    }
    return 0;
}
static int burn_cpu(void) {
    for (volatile uint64_t i = 0;; i++) {
    }
    return 0;
}
static int raise_limit(void) {
    struct rlimit limit = {1, 1};
    return errno_unless(setrlimit(RLIMIT_CORE, &limit) == 0);
}
static int ask_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0) return errno;
    return limit.rlim_max == 0 ? 0 : -1;
}
static int limit_parent(void) {
    struct rlimit limit;
    return errno_unless(prlimit(getppid(), RLIMIT_CORE, NULL, &limit) == 0);
}
static int become_dumpable(void) {
    return errno_unless(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}
static int is_undumpable(void) {
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -1;
}
static int outlive_parent(void) {
    return errno_unless(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0);
}
static int drop_filter(void) {
    return errno_unless(prctl(PR_SET_SECCOMP, 0, 0, 0, 0) == 0);
}
static int name_thread(void) {
    return errno_unless(prctl(PR_SET_NAME, "worker", 0, 0, 0) == 0);
}
static int no_capabilities(void) {
    uint32_t header[2] = {0x20080522, 0}, data[6] = {1, 1, 1, 1, 1, 1};
    if (syscall(SYS_capget, header, data) != 0) return errno;
    return (data[0] | data[1] | data[3] | data[4]) == 0 ? 0 : -1;
}
static int no_new_privileges(void) {
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -1;
}
static int change_user(void) {
    return errno_unless(setuid(0) == 0);
}
static int io_uring(void) {
    char params[120] = {0};
    return errno_unless(syscall(SYS_io_uring_setup, 4, params) >= 0);
}
static int do_bpf(void) {
    return errno_unless(syscall(SYS_bpf, 0, NULL, 0) >= 0);
}
static int do_unshare(void) {
    return errno_unless(unshare(CLONE_NEWUSER) == 0);
}
static int do_mount(void) {
    return errno_unless(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL) == 0);
}
static int do_setns(void) {
    return errno_unless(syscall(SYS_setns, 0, 0) == 0);
}
static int do_keyctl(void) {
    return errno_unless(syscall(SYS_keyctl, 0, 0, 0, 0, 0) >= 0);
}
static int do_perf(void) {
    return errno_unless(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) >= 0);
}
static int do_userfaultfd(void) {
    return errno_unless(syscall(SYS_userfaultfd, 0) >= 0);
}
static int unknown_call(void) {
    return errno_unless(syscall(4000) >= 0);
}
static int terminal_input(void) {
    char byte = 'x';
    return errno_unless(syscall(SYS_ioctl, 1, 0x5412, &byte) == 0); /* TIOCSTI */
}
#ifdef __x86_64__
static int x32_call(void) {
    return errno_unless(syscall(0x40000000 | SYS_getpid) >= 0);
}
/* What a module that catches SIGSYS would live through. */
static void survive(int signal) {
    _exit(signal == SIGSYS ? 0 : 1);
}
static int x32_call_caught(void) {
    signal(SIGSYS, survive);
    return x32_call();
}
/* getpid of the 32-bit interface. A kernel without it answers the trap with SIGSEGV. */
static int i386_call(void) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
    return result >= 0 ? 0 : (int)-result;
}
#endif

/* --- environment and descriptors --- */

static int environment_is_wiped(void) {
    extern char **environ;
    int count = 0;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) count++;
    const char *language = getenv("LANG");
    return count == 1 && language != NULL && strcmp(language, "C.UTF-8") == 0 ? 0 : -1;
}
/* The bytes, not only the list: /proc/PID/environ shows them. */
static int environment_bytes_are_wiped(void) {
    return old_environment[0] == '\0' && old_environment[1] == '\0' ? 0 : -1;
}
static int use_foreign_descriptor(void) {
    return errno_unless(fcntl(foreign_fd, F_GETFD) >= 0);
}
static int stdin_is_null(void) {
    char byte;
    return read(0, &byte, 1) == 0 ? 0 : -1;
}
static int nothing_else_is_open(void) {
    for (int fd = 3; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) return fd;
    }
    return 0;
}

/* What libc and honest modules do all day. */
static int honest_work(void) {
    struct timespec now;
    char *p = malloc(1 << 20);
    time_t seconds = time(NULL);
    struct tm parts;
    if (p == NULL) return ENOMEM;
    memset(p, 1, 1 << 20);
    free(p);
    if (localtime_r(&seconds, &parts) == NULL) return -1;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return errno;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 1) return -2;
    printf("%s", "");
    fflush(stdout);
    int fd = memfd_create("scratch", MFD_CLOEXEC);
    if (fd < 0) return errno;
    return errno_unless(close(fd) == 0);
}

#endif
