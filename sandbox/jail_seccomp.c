/* The system call filters, written as BPF programs.
 *
 * A program looks at the architecture first, then goes down a list: each call has a block of its
 * own that ends in a verdict, so no block knows its neighbours and no jump is long. The kernel
 * remembers which calls are always allowed, so the length of the list costs only where arguments
 * are looked at. Whatever the list does not have ends the process.
 *
 * Arguments are compared by their low 32 bits where the kernel itself takes an int.
 */
#if defined(__x86_64__)
#include <asm/prctl.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "sandbox/jail_impl.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call filter for this architecture: build with jail_null.c"
#endif
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arguments are read low word first");

#define X32_BIT 0x40000000U /* marks a call of the x32 interface, which shares its architecture */
#define INSTRUCTIONS_MAX 1024
#define THREAD_FLAGS_FORBIDDEN /* namespaces, and tracing that follows along */                    \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET | CLONE_PTRACE)
#define FORK_FLAGS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD) /* libc's fork() */
#if defined(__x86_64__)
#define CLONE_CHILD_WORD 3 /* which argument tells where the child's id goes */
#else
#define CLONE_CHILD_WORD 4
#endif
#define OPEN_CHANGES /* O_TMPFILE without the bit that it shares with O_DIRECTORY */               \
    (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))
#define SOCKET_TYPE_MASK 0xf /* the rest are SOCK_NONBLOCK and SOCK_CLOEXEC */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define FCNTL_ADD_SEALS 1033
#define FCNTL_GET_SEALS 1034

/* Allowed with any arguments. A line has calls of one purpose, and the reason. */
static const int always_allowed[] = {
    /* the ring's doorbell, mutexes, condition variables */
    SYS_futex,
#ifdef SYS_futex_waitv
    /* waiting for doorbell and peer at once */
    SYS_futex_waitv,
#endif
    /* thread start and end, robust mutexes that tell of our death */
    SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_exit, SYS_gettid,
#ifdef SYS_rseq
    /* what libc registers for each thread */
    SYS_rseq,
#endif
    /* the end of the process */
    SYS_exit_group,
    /* data on descriptors that it has */
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev,
    SYS_lseek, SYS_sendfile, SYS_copy_file_range, SYS_splice, SYS_tee,
    /* descriptors themselves */
    SYS_close, SYS_dup, SYS_dup3, SYS_pipe2, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fallocate,
    SYS_flock, SYS_memfd_create, SYS_eventfd2, SYS_fadvise64,
#ifdef SYS_close_range
    SYS_close_range,
#endif
    /* what a path is; Landlock decides about opening it */
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
    SYS_statfs, SYS_fstatfs, SYS_umask,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
    /* waiting for descriptors */
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_ppoll, SYS_pselect6,
    /* memory of its own, within the limit; executable memory is looked at below */
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mincore, SYS_msync, SYS_membarrier,
    /* time, and alarms to itself */
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
    SYS_times, SYS_getitimer, SYS_setitimer, SYS_timerfd_create, SYS_timerfd_settime,
    SYS_timerfd_gettime, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime,
    SYS_timer_getoverrun, SYS_timer_delete,
    /* random numbers */
    SYS_getrandom,
    /* its own signal handlers and masks */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigsuspend,
    SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_restart_syscall, SYS_signalfd4,
    /* who and where it is */
    SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups,
    SYS_getresuid, SYS_getresgid, SYS_getpgid, SYS_getsid, SYS_uname, SYS_sysinfo, SYS_getrusage,
    SYS_getcpu, SYS_capget, SYS_getpriority,
    /* which processors it may use, and giving one up */
    SYS_sched_getaffinity, SYS_sched_yield, SYS_sched_getparam, SYS_sched_getscheduler,
    SYS_sched_get_priority_max, SYS_sched_get_priority_min,
    /* messages on the sockets that it was given or has paired */
    SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_shutdown,
    SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt,
#ifdef __x86_64__
    /* older names of the above that libc and assembly still use here */
    SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_dup2, SYS_pipe, SYS_poll, SYS_select,
    SYS_epoll_create, SYS_epoll_wait, SYS_eventfd, SYS_signalfd, SYS_alarm, SYS_pause, SYS_time,
    SYS_getpgrp, SYS_getdents,
#endif
};

/* Never allowed, but tried by libc and by honest libraries, which go on without. */
static const struct refused {
    int nr;
    int error;
} always_refused[] = {
    {SYS_clone3, ENOSYS},       /* its flags are out of sight; libc falls back to clone */
    {SYS_openat2, ENOSYS},      /* likewise; callers fall back to openat */
    {SYS_io_uring_setup, ENOSYS}, /* would run calls past the filter; callers fall back to epoll */
    {SYS_io_uring_enter, ENOSYS},
    {SYS_io_uring_register, ENOSYS},
    {SYS_setrlimit, EPERM},     /* the limits are walls */
    {SYS_sched_setscheduler, EPERM}, /* thread pools try to raise their own priority */
    {SYS_sched_setparam, EPERM},
    {SYS_sched_setattr, EPERM},
    {SYS_setpriority, EPERM},
    {SYS_ioprio_set, EPERM},
    {SYS_mlock, EPERM},         /* crypto libraries try to lock keys in memory */
    {SYS_mlock2, EPERM},
    {SYS_mlockall, EPERM},
    {SYS_munlock, EPERM},
    {SYS_munlockall, EPERM},
    {SYS_mbind, EPERM},         /* allocators ask about memory nodes */
    {SYS_get_mempolicy, EPERM},
    {SYS_set_mempolicy, EPERM},
    {SYS_process_vm_readv, EPERM}, /* unwinders probe memory with it and fall back */
    {SYS_pidfd_open, EPERM},
    {SYS_pidfd_send_signal, EPERM},
    {SYS_inotify_init1, EPERM}, /* libraries that watch their configuration */
    {SYS_shmget, EPERM},        /* memory that outlives the process and its limit */
    {SYS_semget, EPERM},
    {SYS_msgget, EPERM},
    {SYS_fchmod, EPERM},        /* Landlock does not look at modes, owners and attributes */
    {SYS_fchmodat, EPERM},
    {SYS_fchown, EPERM},
    {SYS_fchownat, EPERM},
    {SYS_utimensat, EPERM},
    {SYS_fsetxattr, EPERM},
    {SYS_setxattr, EPERM},
    {SYS_fgetxattr, EOPNOTSUPP},
    {SYS_getxattr, EOPNOTSUPP},
    {SYS_chdir, EPERM},
    {SYS_fchdir, EPERM},
    {SYS_setsid, EPERM},
    {SYS_setpgid, EPERM},
    {SYS_setuid, EPERM},        /* libraries that give up root make sure so */
    {SYS_setgid, EPERM},
    {SYS_setresuid, EPERM},
    {SYS_setresgid, EPERM},
    {SYS_setgroups, EPERM},
    {SYS_capset, EPERM},
    {SYS_sync, EPERM},          /* would make the whole machine wait */
    {SYS_syncfs, EPERM},
#ifdef __x86_64__
    {SYS_chmod, EPERM},
    {SYS_chown, EPERM},
    {SYS_lchown, EPERM},
    {SYS_utime, EPERM},
    {SYS_utimes, EPERM},
    {SYS_inotify_init, EPERM},
#endif
};

/* Changing folders; allowed when the policy has a writable path, where Landlock then decides. */
static const int folder_changes[] = {
    SYS_unlinkat, SYS_mkdirat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_truncate,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef __x86_64__
    SYS_unlink, SYS_rmdir, SYS_mkdir, SYS_rename, SYS_link, SYS_symlink,
#endif
};

/* Sockets towards others; refused unless the policy grants the network. */
static const int socket_calls[] = {SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4};

/* Commands of fcntl that stay within the process; others send signals or take leases. */
static const uint32_t fcntl_allowed[] = {
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
    F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_GETPIPE_SZ, F_SETPIPE_SZ, FCNTL_ADD_SEALS,
    FCNTL_GET_SEALS,
};

/* Requests of ioctl: how many bytes wait, flags of the descriptor. */
static const uint32_t ioctl_allowed[] = {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};

/* Options of prctl: names of threads and of memory, and questions. */
static const uint32_t prctl_allowed[] = {
    PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS,
    PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_GET_PDEATHSIG, PR_GET_TIMERSLACK,
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

typedef struct program {
    struct sock_filter code[INSTRUCTIONS_MAX];
    size_t count;
    size_t block; /* index of the jump that skips the current call's block */
} program;

static void emit(program *p, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false) {
    tr_assert(p->count < INSTRUCTIONS_MAX);
    p->code[p->count++] = (struct sock_filter){code, if_true, if_false, k};
}

static void verdict(program *p, uint32_t action) {
    emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void allow(program *p) {
    verdict(p, SECCOMP_RET_ALLOW);
}

static void refuse(program *p, int error) {
    verdict(p, SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA));
}

/* Opens the block of a call; it must end in a verdict, then end_call(). */
static void begin_call(program *p, int nr) {
    p->block = p->count;
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
}

static void end_call(program *p) {
    size_t skipped = p->count - p->block - 1;
    tr_assert(skipped > 0 && skipped <= UINT8_MAX);
    tr_assert(BPF_CLASS(p->code[p->count - 1].code) == BPF_RET);
    p->code[p->block].jf = (uint8_t)skipped;
}

static void load_arg(program *p, int index) {
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args[index]), 0, 0);
}

static void load_arg_high(program *p, int index) {
    uint32_t at = (uint32_t)offsetof(struct seccomp_data, args[index]) + 4;
    emit(p, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
}

/* What follows up to the next verdict runs if the loaded word is the value. */
static void allow_if_equal(program *p, uint32_t value) {
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    allow(p);
}

/* What follows runs if the loaded word is the value. */
static void refuse_unless_equal(program *p, uint32_t value, int error) {
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    refuse(p, error);
}

static void refuse_if_any_bit(program *p, uint32_t bits, int error) {
    emit(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    refuse(p, error);
}

static void allow_call(program *p, int nr) {
    begin_call(p, nr);
    allow(p);
    end_call(p);
}

static void refuse_call(program *p, int nr, int error) {
    begin_call(p, nr);
    refuse(p, error);
    end_call(p);
}

/* Allows a call if its argument is one of these. */
static void allow_list(program *p, int nr, int index, const uint32_t *values, size_t count,
                       int error) {
    begin_call(p, nr);
    load_arg(p, index);
    for (size_t i = 0; i < count; i++) allow_if_equal(p, values[i]);
    refuse(p, error);
    end_call(p);
}

/* --- calls whose arguments matter --- */

static void add_architecture(program *p) {
    emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    verdict(p, SECCOMP_RET_KILL_PROCESS);
    emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef __x86_64__
    emit(p, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1);
    verdict(p, SECCOMP_RET_KILL_PROCESS);
#endif
}

static void refuse_unless_argument(program *p, int index, uint64_t value, int error) {
    load_arg(p, index);
    refuse_unless_equal(p, (uint32_t)value, error);
    load_arg_high(p, index);
    refuse_unless_equal(p, (uint32_t)(value >> 32), error);
}

/* A new process, when the flags are loaded: the host's own copy or none. */
static void add_host_fork(program *p, const tr_jail *jail) {
    if (jail->fork_word == 0) {
        refuse(p, EPERM);
        return;
    }
    refuse_unless_equal(p, FORK_FLAGS, EPERM);
    refuse_unless_argument(p, 1, 0, EPERM); /* it goes on where it is, on a stack of its own */
    refuse_unless_argument(p, CLONE_CHILD_WORD, jail->fork_word, EPERM);
    allow(p);
}

/* A clone that shares everything is a thread; libc's own mix of flags passes. */
static void add_clone(program *p, const tr_jail *jail) {
    const tr_jail_policy *policy = &jail->policy;
    begin_call(p, SYS_clone);
    load_arg(p, 0);
    refuse_if_any_bit(p, THREAD_FLAGS_FORBIDDEN, EPERM);
    if (!policy->fork_allowed) {
        size_t jump = p->count;
        emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 0);
        add_host_fork(p, jail);
        p->code[jump].jt = (uint8_t)(p->count - jump - 1);
    }
    if (policy->threads_max == 0) {
        emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
        refuse(p, EAGAIN);
    }
    allow(p);
    end_call(p);
}

/* Another process may be started only if granted; a stray exec ends us, it is never harmless. */
static void add_processes(program *p, const tr_jail *jail) {
    const tr_jail_policy *policy = &jail->policy;
    add_clone(p, jail);
    if (policy->fork_allowed || jail->fork_word != 0) {
        allow_call(p, SYS_wait4);
        allow_call(p, SYS_waitid);
    } else {
        refuse_call(p, SYS_wait4, ECHILD);
        refuse_call(p, SYS_waitid, ECHILD);
    }
#ifdef __x86_64__
    if (policy->fork_allowed) {
        allow_call(p, SYS_fork);
        allow_call(p, SYS_vfork);
    } else {
        refuse_call(p, SYS_fork, EPERM);
        refuse_call(p, SYS_vfork, EPERM);
    }
#endif
    if (policy->exec_allowed) allow_call(p, SYS_execve);
#ifdef __x86_64__
    /* A new program sets its thread pointer; libc asks for CPU features that may not be there. */
    static const uint32_t thread_pointer[] = {ARCH_SET_FS};
    allow_list(p, SYS_arch_prctl, 0, thread_pointer, policy->exec_allowed ? 1 : 0, EINVAL);
#endif
}

/* A thread's own CPUs: our threads take all, whatever the engine has chosen for the one that starts them. */
static void add_affinity(program *p) {
    static const uint32_t own[] = {0};
    allow_list(p, SYS_sched_setaffinity, 0, own, COUNT(own), EPERM);
}

/* Signals to ourselves. A child of a granted fork has another id: then Landlock's scope decides. */
static void add_signals(program *p, const tr_jail *jail) {
    static const int calls[] = {SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo};
    bool scoped = jail->policy.fork_allowed && jail->landlock_abi >= 6;
    for (size_t i = 0; i < COUNT(calls); i++) {
        begin_call(p, calls[i]);
        if (!scoped) {
            load_arg(p, 0);
            allow_if_equal(p, (uint32_t)jail->pid);
            refuse(p, EPERM);
        } else {
            allow(p);
        }
        end_call(p);
    }
    refuse_call(p, SYS_tkill, EPERM);
}

/* Executable memory: what the loader needs while loading, nothing afterwards. */
static void add_memory(program *p, bool code_allowed) {
    static const int calls[] = {SYS_mmap, SYS_mprotect, SYS_pkey_mprotect};
    for (size_t i = 0; i < COUNT(calls); i++) {
        begin_call(p, calls[i]);
        if (!code_allowed) {
            load_arg(p, 2);
            refuse_if_any_bit(p, PROT_EXEC, EACCES);
        }
        allow(p);
        end_call(p);
    }
}

static void add_open(program *p, int nr, int flags_index, bool readable, bool writable) {
    begin_call(p, nr);
    if (readable && !writable) {
        load_arg(p, flags_index);
        refuse_if_any_bit(p, OPEN_CHANGES, EACCES);
    }
    if (readable) {
        allow(p);
    } else {
        refuse(p, EACCES);
    }
    end_call(p);
}

/* Opening for reading; for writing only if a path is writable. While serving, a module without
 * paths of its own has nothing to open. Landlock, where there is one, decides about the rest. */
static void add_files(program *p, const tr_jail_policy *policy, tr_jail_stage stage) {
    bool writable = false;
    for (size_t i = 0; i < policy->path_count; i++) writable |= policy->paths[i].writable;
    bool readable = stage == TR_JAIL_LOADING || policy->path_count > 0 || policy->code_allowed;
    add_open(p, SYS_openat, 2, readable, writable);
#ifdef __x86_64__
    add_open(p, SYS_open, 1, readable, writable);
    refuse_call(p, SYS_creat, EACCES);
#endif
    for (size_t i = 0; i < COUNT(folder_changes); i++) {
        if (writable) {
            allow_call(p, folder_changes[i]);
        } else {
            refuse_call(p, folder_changes[i], EACCES);
        }
    }
}

/* A family of which one type and its default protocol (or the named one) may be used. */
static void allow_tcp(program *p, uint32_t family) {
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, family, 0, 8);
    load_arg(p, 1);
    emit(p, BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_MASK, 0, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 0, 3);
    load_arg(p, 2);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0);
    refuse(p, EACCES);
    allow(p);
}

static void add_network(program *p, const tr_jail_policy *policy) {
    begin_call(p, SYS_socketpair);
    load_arg(p, 0);
    allow_if_equal(p, AF_UNIX);
    refuse(p, EACCES);
    end_call(p);

    begin_call(p, SYS_socket);
    load_arg(p, 0);
    if (policy->network == TR_JAIL_NET_TCP) {
        allow_tcp(p, AF_INET);
        allow_tcp(p, AF_INET6);
    } else if (policy->network == TR_JAIL_NET_ALL) {
        allow_if_equal(p, AF_INET);
        allow_if_equal(p, AF_INET6);
        allow_if_equal(p, AF_UNIX);
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3);
        load_arg(p, 2);
        allow_if_equal(p, 0); /* NETLINK_ROUTE: what getaddrinfo asks about interfaces */
    }
    refuse(p, EACCES);
    end_call(p);

    for (size_t i = 0; i < COUNT(socket_calls); i++) {
        if (policy->network == TR_JAIL_NET_NONE) {
            refuse_call(p, socket_calls[i], EACCES);
        } else {
            allow_call(p, socket_calls[i]);
        }
    }
}

/* Questions and names; of what changes us, a child's wish to end with its parent. */
static void add_prctl(program *p) {
    begin_call(p, SYS_prctl);
    load_arg(p, 0);
    for (size_t i = 0; i < COUNT(prctl_allowed); i++) allow_if_equal(p, prctl_allowed[i]);
    refuse_unless_equal(p, PR_SET_PDEATHSIG, EPERM);
    load_arg(p, 1);
    allow_if_equal(p, SIGKILL);
    refuse(p, EPERM);
    end_call(p);
}

/* Asking for a limit of ours is fine; setting one, or looking at another process, is not. */
static void add_limits(program *p, const tr_jail *jail) {
    allow_call(p, SYS_getrlimit);
    begin_call(p, SYS_prlimit64);
    load_arg(p, 2);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    refuse(p, EPERM);
    load_arg_high(p, 2);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    refuse(p, EPERM);
    load_arg(p, 0);
    allow_if_equal(p, 0);
    allow_if_equal(p, (uint32_t)jail->pid);
    refuse(p, EPERM);
    end_call(p);
}

/* The second filter is installed under the first one; afterwards no more. */
static void add_filter_call(program *p, tr_jail_stage stage) {
    begin_call(p, SYS_seccomp);
    if (stage == TR_JAIL_LOADING) {
        load_arg(p, 0);
        allow_if_equal(p, SECCOMP_SET_MODE_FILTER);
    }
    refuse(p, EPERM);
    end_call(p);
}

static void write_program(program *p, const tr_jail *jail, tr_jail_stage stage) {
    const tr_jail_policy *policy = &jail->policy;
    add_architecture(p);
    for (size_t i = 0; i < COUNT(always_allowed); i++) allow_call(p, always_allowed[i]);
    add_memory(p, stage == TR_JAIL_LOADING || policy->code_allowed || policy->exec_allowed);
    add_files(p, policy, stage);
    add_processes(p, jail);
    add_affinity(p);
    add_signals(p, jail);
    add_network(p, policy);
    add_limits(p, jail);
    allow_list(p, SYS_fcntl, 1, fcntl_allowed, COUNT(fcntl_allowed), EPERM);
    allow_list(p, SYS_ioctl, 1, ioctl_allowed, COUNT(ioctl_allowed), ENOTTY);
    add_prctl(p);
    add_filter_call(p, stage);
    for (size_t i = 0; i < COUNT(always_refused); i++) {
        refuse_call(p, always_refused[i].nr, always_refused[i].error);
    }
    verdict(p, policy->trap_violations ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS);
}

/* Asked while loading only: the first filter forbids to ask again, and it is there or not. */
static bool filters_work(tr_jail_stage stage, tr_jail_report *report) {
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    if (stage == TR_JAIL_SERVING) {
        const tr_jail_verdict *first = &report->walls[TR_JAIL_FILTER_LOADING];
        if (first->state == TR_JAIL_ON) return true;
        tr__jail_unsupported(report, TR_JAIL_FILTER_SERVING, first->reason);
        return false;
    }
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return true;
    tr__jail_unsupported(report, TR_JAIL_FILTER_LOADING,
                         errno == EOPNOTSUPP ? "filters of this kernel cannot end a process"
                                             : "this kernel has no system call filters");
    return false;
}

int tr__jail_seccomp_enter(const tr_jail *jail, tr_jail_stage stage, tr_jail_report *report) {
    tr_jail_wall wall = stage == TR_JAIL_LOADING ? TR_JAIL_FILTER_LOADING : TR_JAIL_FILTER_SERVING;
    program p;
    p.count = 0;
    if (!filters_work(stage, report)) return 0;
    write_program(&p, jail, stage);
    struct sock_fprog filter = {.len = (unsigned short)p.count, .filter = p.code};
    long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    if (rc > 0) {
        errno = EBUSY;
        return tr__jail_failed(report, "a thread has a filter of its own");
    }
    if (rc < 0) return tr__jail_failed(report, "seccomp");
    tr__jail_on(report, wall);
    return 0;
}
