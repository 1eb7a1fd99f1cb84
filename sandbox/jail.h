/* jail.h - the walls around a module: what the host program gives up before foreign code runs.
 *
 * Two functions. tr_jail_prepare() checks a policy, asks the kernel what it can do and opens what
 * the walls need; the process is unchanged. tr_jail_enter() puts the walls up, in two stages:
 *
 *   start, handshake | enter LOADING | dlopen, OnLoad | enter SERVING | commands of the module
 *                      all walls       (constructors    a tighter filter on top: no new code,
 *                                      run jailed)      no new files unless granted
 *
 * There is no way out, and SERVING may only follow LOADING. LOADING must be entered by the only
 * thread of the process; SERVING reaches every thread that was started since.
 *
 * Every wall ends up in the report: on, off (the policy did not want it) or unsupported (the kernel
 * or the situation lacks it, with the reason), which is no failure unless policy.required names it.
 *
 * What a filter does with a call: allow; refuse with an error number (calls that libc and honest
 * libraries try and can do without, such as fork, socket, io_uring_setup, sched_setscheduler); else
 * end the process. Calls of another architecture always end it.
 *
 * What the caller must know:
 * - The kernel ties "die with the parent" to the parent's *thread* that started us: it must be one
 *   that lives as long as the parent (not a worker thread of a pool).
 * - Descriptors 0, 1 and 2 that the policy does not keep become /dev/null, all others are closed.
 *   Whatever the host needs from /proc must be open and kept (crash.h: the maps descriptor).
 * - The environment is wiped, also the bytes behind /proc/PID/environ; getenv() pointers dangle.
 * - Landlock does not hide names: a module may stat() what it cannot open.
 * - root is exempt from the limit on threads, so run the server as another user.
 * - host_forks: a filter can't see who calls. It knows libc's fork() by its flags and by where the
 *   kernel writes the child's id, which is a place of the thread that entered LOADING; clone for any
 *   other process is refused. That keeps out other threads, vfork(), system() and posix_spawn(), but
 *   a module that calls fork() on that thread must be refused by the host, and one that imitates
 *   the call gets a child: inside the same walls, and counted by the limit of tasks. Whoever started
 *   us ends what is left by killing the process group, which nobody here can leave.
 *
 * The report and the prepared jail are plain memory of the caller; strings of the policy are
 * borrowed until tr_jail_enter(LOADING) returns. Cost: about 0.3 ms, see tests/sandbox/test_jail.c.
 */
#ifndef TR_SANDBOX_JAIL_H
#define TR_SANDBOX_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TR_JAIL_REASON_MAX 112  /* bytes of a reason, NUL included */
#define TR_JAIL_PATHS_MAX 64    /* paths that a policy may grant, ours included */
#define TR_JAIL_FDS_MAX 64      /* descriptors that a policy may keep */

/* X(name, text): the walls, in the order in which they go up. */
#define TR_JAIL_WALLS(X)                                                                           \
    X(PARENT_DEATH, "dies with its parent")                                                        \
    X(ENVIRONMENT, "environment wiped")                                                            \
    X(DESCRIPTORS, "foreign descriptors closed")                                                   \
    X(USER_NAMESPACE, "user namespace of its own")                                                 \
    X(MEMORY, "memory limit")                                                                      \
    X(OPEN_FILES, "limit of open files")                                                           \
    X(TASKS, "limit of threads and processes")                                                     \
    X(CPU, "limit of processor time")                                                              \
    X(FILE_SIZE, "limit of file size")                                                             \
    X(CORE, "no core dumps")                                                                       \
    X(NO_NEW_PRIVS, "no new privileges")                                                           \
    X(CAPABILITIES, "capabilities dropped")                                                        \
    X(FILES, "file access by list (Landlock)")                                                     \
    X(TCP, "no TCP bind or connect (Landlock)")                                                    \
    X(SCOPE, "no signals and abstract sockets outwards (Landlock)")                                \
    X(DUMPABLE, "not traceable, not dumpable")                                                     \
    X(FILTER_LOADING, "system call filter while loading")                                          \
    X(FILTER_SERVING, "system call filter while serving")

typedef enum tr_jail_wall {
#define TR_X(name, text) TR_JAIL_##name,
    TR_JAIL_WALLS(TR_X)
#undef TR_X
        TR_JAIL_WALL_COUNT
} tr_jail_wall;

typedef enum tr_jail_state {
    TR_JAIL_NOT_YET = 0, /* its stage has not been entered */
    TR_JAIL_OFF,         /* the policy did not ask for it */
    TR_JAIL_ON,
    TR_JAIL_UNSUPPORTED, /* asked for; the reason tells why it is missing */
} tr_jail_state;

typedef enum tr_jail_stage {
    TR_JAIL_LOADING = 0,
    TR_JAIL_SERVING,
} tr_jail_stage;

typedef enum tr_jail_network {
    TR_JAIL_NET_NONE = 0, /* no sockets but socketpair() */
    TR_JAIL_NET_TCP,      /* TCP over IPv4 and IPv6; names must be resolved without UDP */
    TR_JAIL_NET_ALL,      /* any IPv4 and IPv6 socket, Unix sockets, routing netlink */
} tr_jail_network;

typedef struct tr_jail_path {
    const char *path; /* a file, or a folder and all below it; a missing one grants nothing */
    bool writable;
} tr_jail_path;

typedef struct tr_jail_policy {
    pid_t parent;             /* who must be our parent; 0: whoever is */
    const char *module_path;  /* its folder may be read */
    const tr_jail_path *paths; /* what may be opened besides the module's and library folders */
    size_t path_count;
    const int *fds; /* descriptors that stay open */
    size_t fd_count;
    const char *const *environment; /* "NAME=value", all that stays */
    size_t environment_count;
    tr_jail_network network;
    uint64_t memory_bytes_max; /* address space; 0: no limit */
    uint64_t file_bytes_max;   /* largest file that may be written */
    uint32_t open_files_max;   /* 0: no limit */
    uint32_t threads_max;      /* besides the main thread; 0: none may be started */
    uint32_t processes_max;    /* children alive at once; counts only with fork_allowed */
    uint32_t cpu_seconds_max;  /* SIGXCPU, a second later SIGKILL; 0: no limit */
    bool fork_allowed;
    bool host_forks; /* without fork_allowed: fork(), as libc makes it, by the thread that enters LOADING */
    bool exec_allowed; /* implies code_allowed; only what paths and library folders hold */
    bool code_allowed; /* new executable memory while serving (JIT compilers, late dlopen) */
    bool trap_violations; /* SIGSYS, so that a crash record names the call, instead of plain death.
                             The call is not made either way; a module may catch the signal. */
    uint64_t required;    /* bit 1 << wall: entering fails with TR_ENOTSUP if it cannot be on */
} tr_jail_policy;

typedef struct tr_jail_verdict {
    tr_jail_state state;
    char reason[TR_JAIL_REASON_MAX]; /* why it is unsupported, or off if that is worth telling */
} tr_jail_verdict;

typedef struct tr_jail_report {
    tr_jail_verdict walls[TR_JAIL_WALL_COUNT];
    int landlock_abi;                   /* 0: the kernel has none */
    char failure[TR_JAIL_REASON_MAX];   /* what went wrong when a function failed, else empty */
} tr_jail_report;

/* A jail between prepare and enter. Plain data, opaque by agreement: use the functions. */
typedef struct tr_jail {
    tr_jail_policy policy;
    int null_fd;
    int landlock_abi;
    int path_fds[TR_JAIL_PATHS_MAX]; /* O_PATH, owned until LOADING has been entered */
    bool path_writable[TR_JAIL_PATHS_MAX];
    size_t path_count;
    tr_jail_stage next;
    bool entered; /* both stages */
    pid_t pid;    /* who entered LOADING */
    uint64_t fork_word; /* where the id of a child goes that it forks; 0: it may not, or nobody knows */
} tr_jail;

/* Fills *jail and *report. 0; TR_EINVAL: a policy that contradicts itself; TR_ELIMIT: too many
 * paths or descriptors; TR_EIO. On failure nothing is open and report->failure tells why. */
int tr_jail_prepare(const tr_jail_policy *policy, tr_jail *jail, tr_jail_report *report);

/* Enters the next stage and writes its walls into *report, which goes on from prepare. 0;
 * TR_EINVAL: not the next stage; TR_ENOTSUP: a required wall is missing; TR_ECLOSED: the parent is
 * gone; TR_EIO: a wall that should work did not. After any failure the process is half jailed and
 * must end: it must not run the module. */
int tr_jail_enter(tr_jail *jail, tr_jail_stage stage, tr_jail_report *report);

/* Closes what prepare has opened, for a jail that is not entered. */
void tr_jail_discard(tr_jail *jail);

/* A static text, never NULL. */
const char *tr_jail_wall_text(tr_jail_wall wall);

#endif
