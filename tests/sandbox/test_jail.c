/* Aim: every wall stops what it is there for, and lets honest code live. Method: a child process
 * enters the jail, tries one thing and leaves the outcome in shared memory; the parent compares it,
 * or the signal that ended the child, with the table. */
#include "sandbox/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "jail_attempts.h"
#include "sandbox/jail_impl.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define KILLED (-1000)   /* by SIGSYS */
#define NOBODY 65534

typedef struct shared {
    int outcome; /* 0: it worked; errno; or what entering returned, negative */
    int finished;
    tr_jail_report report;
    int64_t times[4];
} shared;

static shared *page;
static tr_jail_path granted[2];

static tr_jail_policy base_policy(void) {
    return (tr_jail_policy){
        .parent = 0,
        .module_path = module_path,
        .fds = kept_fds,
        .fd_count = 2,
        .memory_bytes_max = 512 * MEBIBYTE,
        .open_files_max = 64,
        .threads_max = 4,
    };
}

/* Runs try in a jailed child. Returns the outcome, or KILLED, or -2000 - another signal. */
static int jailed(const tr_jail_policy *policy, tr_jail_stage stage, attempt *try, bool as_nobody) {
    memset(page, 0, sizeof(*page));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        tr_jail jail;
        if (as_nobody && (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))) {
            _exit(2);
        }
        if (as_nobody) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* as after an exec */
        int rc = tr_jail_prepare(policy, &jail, &page->report);
        if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_LOADING, &page->report);
        if (rc == 0 && stage == TR_JAIL_SERVING) {
            rc = tr_jail_enter(&jail, TR_JAIL_SERVING, &page->report);
        }
        page->outcome = rc == 0 && try != NULL ? try() : rc;
        page->finished = 1;
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGSYS ? KILLED : -2000 - WTERMSIG(status);
    }
    return page->finished ? page->outcome : -3000;
}

/* --- the table --- */

static void grant_folder(tr_jail_policy *policy) {
    granted[0] = (tr_jail_path){.path = folder, .writable = true};
    policy->paths = granted;
    policy->path_count = 1;
    policy->file_bytes_max = 8192;
}
static void grant_passwd(tr_jail_policy *policy) {
    granted[0] = (tr_jail_path){.path = "/etc/passwd"};
    granted[1] = (tr_jail_path){.path = "/no/such/path"};
    policy->paths = granted;
    policy->path_count = 2;
}
static void grant_tcp(tr_jail_policy *policy) {
    policy->network = TR_JAIL_NET_TCP;
}
static void grant_network(tr_jail_policy *policy) {
    policy->network = TR_JAIL_NET_ALL;
}
static void grant_fork(tr_jail_policy *policy) {
    policy->fork_allowed = true;
    policy->processes_max = 4;
}
static void let_host_fork(tr_jail_policy *policy) {
    policy->host_forks = true;
}
static void grant_exec(tr_jail_policy *policy) {
    static const tr_jail_path programs[] = {{.path = "/bin"}, {.path = "/usr/bin"}};
    grant_fork(policy);
    policy->exec_allowed = true;
    policy->paths = programs;
    policy->path_count = 2;
}
static void grant_code(tr_jail_policy *policy) {
    policy->code_allowed = true;
}
static void no_threads(tr_jail_policy *policy) {
    policy->threads_max = 0;
}
static void with_host_fork_alone(tr_jail_policy *policy) {
    no_threads(policy);
    let_host_fork(policy);
}
static void trap(tr_jail_policy *policy) {
    policy->trap_violations = true;
}
static void little_cpu(tr_jail_policy *policy) {
    policy->cpu_seconds_max = 1;
}
static void keep_socket(tr_jail_policy *policy) {
    policy->fd_count = 3;
}
static void set_language(tr_jail_policy *policy) {
    static const char *const environment[] = {"LANG=C.UTF-8"};
    policy->environment = environment;
    policy->environment_count = 1;
}

#define BOTH (-1) /* stages */

static const struct row {
    const char *name;
    attempt *try;
    int stage;
    int expected;
    void (*change)(tr_jail_policy *policy);
} rows[] = {
    {"honest work", honest_work, BOTH, 0, NULL},
    {"open /etc/passwd", open_passwd, BOTH, EACCES, NULL},
    {"open /etc/passwd, granted", open_passwd, BOTH, 0, grant_passwd},
    {"open /proc/self/mem", open_proc_mem, BOTH, EACCES, NULL},
    {"open the module", open_module, TR_JAIL_LOADING, 0, NULL},
    {"open the module", open_module, TR_JAIL_SERVING, EACCES, NULL},
    {"write the module", write_module, BOTH, EACCES, NULL},
    {"write the module, another folder granted", write_module, BOTH, EACCES, grant_folder},
    {"list libraries", list_libraries, TR_JAIL_LOADING, 0, NULL},
    {"create a file", create_tmp, BOTH, EACCES, NULL},
    {"create a file, another folder granted", create_tmp, BOTH, EACCES, grant_folder},
    {"O_TMPFILE", open_tmpfile, BOTH, EACCES, NULL},
    {"remove", remove_module, BOTH, EACCES, NULL},
    {"remove, another folder granted", remove_module, BOTH, EACCES, grant_folder},
    {"rename", rename_module, BOTH, EACCES, NULL},
    {"chmod", chmod_module, BOTH, EPERM, NULL},
    {"chmod, folder granted", chmod_module, BOTH, EPERM, grant_folder},
    {"mkdir", make_folder, BOTH, EACCES, NULL},
    {"mkdir, another folder granted", make_folder, BOTH, EACCES, grant_folder},
    {"write, granted", write_granted, BOTH, 0, grant_folder},
    {"write past the limit", write_past_limit, BOTH, EFBIG, grant_folder},
    {"connect", connect_inet, BOTH, EACCES, NULL},
    {"connect, TCP granted", connect_inet, BOTH, ECONNREFUSED, grant_tcp},
    {"connect, network granted", connect_inet, BOTH, ECONNREFUSED, grant_network},
    {"bind", bind_inet, BOTH, EACCES, NULL},
    {"bind, TCP granted", bind_inet, BOTH, 0, grant_tcp},
    {"bind an inherited socket", bind_inherited, BOTH, EACCES, keep_socket},
    {"UDP", udp_socket, BOTH, EACCES, NULL},
    {"UDP, TCP granted", udp_socket, BOTH, EACCES, grant_tcp},
    {"UDP, network granted", udp_socket, BOTH, 0, grant_network},
    {"SCTP, TCP granted", sctp_socket, BOTH, EACCES, grant_tcp},
    {"Unix socket", unix_socket, BOTH, EACCES, NULL},
    {"Unix socket, TCP granted", unix_socket, BOTH, EACCES, grant_tcp},
    {"Unix socket, network granted", unix_socket, BOTH, 0, grant_network},
    {"packet socket, network granted", packet_socket, BOTH, EACCES, grant_network},
    {"socketpair", pair_of_sockets, BOTH, 0, NULL},
    {"fork", do_fork, BOTH, EPERM, NULL},
    {"fork, granted", do_fork, BOTH, 0, grant_fork},
    {"fork by number", raw_fork, BOTH, EPERM, NULL},
    {"fork in a thread, granted", thread_forks, BOTH, 0, grant_fork},
    {"fork, the host's", do_fork, BOTH, 0, let_host_fork},
    {"fork in a thread, the host's", thread_forks, BOTH, EPERM, let_host_fork},
    {"fork by number, the host's", raw_fork, BOTH, EPERM, let_host_fork},
    {"imitated fork", imitate_fork, BOTH, EPERM, NULL},
    {"imitated fork, the host's", imitate_fork, BOTH, 0, let_host_fork},
    {"fork with another word", fork_with_another_word, BOTH, EPERM, let_host_fork},
    {"fork with a far word", fork_with_a_far_word, BOTH, EPERM, let_host_fork},
    {"fork with another stack", fork_with_another_stack, BOTH, EPERM, let_host_fork},
    {"fork with other flags", fork_with_other_flags, BOTH, EPERM, let_host_fork},
    {"vfork, the host's", start_by_vfork, BOTH, EPERM, let_host_fork},
    {"spawn, the host's", spawn_program, BOTH, EPERM, let_host_fork},
    {"three threads, the host's", three_threads, BOTH, 0, let_host_fork},
    {"threads, none granted, the host's", three_threads, BOTH, EAGAIN, with_host_fork_alone},
    {"signal the host's child", kill_child, BOTH, EPERM, let_host_fork},
    {"clone into a namespace", clone_namespace, BOTH, EPERM, grant_fork},
    {"clone3", do_clone3, BOTH, ENOSYS, grant_fork},
    {"exec", do_exec, BOTH, KILLED, NULL},
    {"exec, fork granted", do_exec, BOTH, KILLED, grant_fork},
    {"exec, granted", fork_and_exec, BOTH, 0, grant_exec},
    {"signal the parent", kill_parent, BOTH, EPERM, NULL},
    {"signal the parent, fork granted", kill_parent, BOTH, EPERM, grant_fork},
    {"signal the group", kill_group, BOTH, EPERM, NULL},
    {"signal all", kill_all, BOTH, EPERM, NULL},
    {"signal itself", kill_self, BOTH, 0, NULL},
    {"raise", raise_self, BOTH, 0, NULL},
    {"F_SETOWN", signal_by_descriptor, BOTH, EPERM, NULL},
    {"ptrace", do_ptrace, BOTH, KILLED, NULL},
    {"ptrace, trapped", do_ptrace, BOTH, KILLED, trap},
    {"process_vm_readv", read_parent_memory, BOTH, EPERM, NULL},
    {"three threads", three_threads, BOTH, 0, NULL},
    {"threads, none granted", three_threads, BOTH, EAGAIN, no_threads},
    {"map little", map_little, BOTH, 0, NULL},
    {"map code", map_code, TR_JAIL_LOADING, 0, NULL},
    {"map code", map_code, TR_JAIL_SERVING, EACCES, NULL},
    {"map code, granted", map_code, TR_JAIL_SERVING, 0, grant_code},
    {"mprotect code", make_code, TR_JAIL_LOADING, 0, NULL},
    {"mprotect code", make_code, TR_JAIL_SERVING, EACCES, NULL},
    {"late dlopen, granted", late_dlopen, TR_JAIL_SERVING, 0, grant_code},
    {"late dlopen", late_dlopen, TR_JAIL_SERVING, EACCES, NULL},
    {"many descriptors", open_many, BOTH, EMFILE, NULL},
    {"processor time", burn_cpu, TR_JAIL_SERVING, -2000 - SIGXCPU, little_cpu},
    {"setrlimit", raise_limit, BOTH, EPERM, NULL},
    {"getrlimit", ask_limit, BOTH, 0, NULL},
    {"prlimit of the parent", limit_parent, BOTH, EPERM, NULL},
    {"PR_SET_DUMPABLE", become_dumpable, BOTH, EPERM, NULL},
    {"PR_GET_DUMPABLE", is_undumpable, BOTH, 0, NULL},
    {"PR_SET_PDEATHSIG", outlive_parent, BOTH, EPERM, NULL},
    {"PR_SET_PDEATHSIG, another", hear_of_parents_death, BOTH, EPERM, NULL},
    {"PR_SET_PDEATHSIG, the same", die_with_parent, BOTH, 0, NULL},
    {"PR_SET_SECCOMP", drop_filter, BOTH, EPERM, NULL},
    {"PR_SET_NAME", name_thread, BOTH, 0, NULL},
    {"capabilities", no_capabilities, BOTH, 0, NULL},
    {"no new privileges", no_new_privileges, BOTH, 0, NULL},
    {"setuid", change_user, BOTH, EPERM, NULL},
    {"io_uring", io_uring, BOTH, ENOSYS, NULL},
    {"bpf", do_bpf, BOTH, KILLED, NULL},
    {"unshare", do_unshare, BOTH, KILLED, NULL},
    {"mount", do_mount, BOTH, KILLED, NULL},
    {"setns", do_setns, BOTH, KILLED, NULL},
    {"keyctl", do_keyctl, BOTH, KILLED, NULL},
    {"perf_event_open", do_perf, BOTH, KILLED, NULL},
    {"userfaultfd", do_userfaultfd, BOTH, KILLED, NULL},
    {"a call that does not exist", unknown_call, BOTH, KILLED, NULL},
    {"terminal input", terminal_input, BOTH, ENOTTY, NULL},
#ifdef __x86_64__
    {"call of x32", x32_call, BOTH, KILLED, NULL},
    {"call of x32, trapped", x32_call, BOTH, KILLED, trap},
    {"call of x32, trapped and caught", x32_call_caught, BOTH, KILLED, trap},
#endif
    {"environment", environment_is_wiped, BOTH, 0, set_language},
    {"bytes of the environment", environment_bytes_are_wiped, BOTH, 0, set_language},
    {"foreign descriptor", use_foreign_descriptor, BOTH, EBADF, NULL},
    {"standard input", stdin_is_null, BOTH, 0, NULL},
    {"other descriptors", nothing_else_is_open, BOTH, 0, NULL},
};

static void check_row(const struct row *row, tr_jail_stage stage) {
    tr_jail_policy policy = base_policy();
    if (row->change != NULL) row->change(&policy);
    int got = jailed(&policy, stage, row->try, false);
    check_count++;
    if (got != row->expected) {
        check_failures++;
        fprintf(stderr, "%s (%s): %d (%s), not %d; %s\n", row->name,
                stage == TR_JAIL_LOADING ? "loading" : "serving", got,
                got > 0 ? strerror(got) : "", row->expected, page->report.failure);
    }
}

static void test_every_wall_and_every_gate(void) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].stage != TR_JAIL_SERVING) check_row(&rows[i], TR_JAIL_LOADING);
        if (rows[i].stage != TR_JAIL_LOADING) check_row(&rows[i], TR_JAIL_SERVING);
    }
}

static int unjailed(attempt *try) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        page->outcome = try();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return page->outcome;
}

/* Outside of the jail each of these works or fails in another way: the rows above can fail. */
static void test_the_attempts_work_outside(void) {
    CHECK_EQ_INT(open_passwd(), 0);
    CHECK_EQ_INT(udp_socket(), 0);
    CHECK_EQ_INT(connect_inet(), ECONNREFUSED);
    CHECK_EQ_INT(bind_inet(), 0);
    CHECK_EQ_INT(do_fork(), 0);
    CHECK_EQ_INT(thread_forks(), 0);
    CHECK_EQ_INT(imitate_fork(), 0);
    CHECK_EQ_INT(fork_with_another_word(), 0);
    CHECK_EQ_INT(start_by_vfork(), 0);
    CHECK_EQ_INT(spawn_program(), 0);
    CHECK_EQ_INT(kill_child(), 0);
    CHECK_EQ_INT(fork_and_exec(), 0);
    CHECK_EQ_INT(unjailed(kill_parent), 0);
    CHECK_EQ_INT(map_code(), 0);
    CHECK_EQ_INT(six_threads(), 0);
    CHECK_EQ_INT(use_foreign_descriptor(), 0);
    CHECK_EQ_INT(is_undumpable(), -1);
    CHECK_EQ_INT(no_new_privileges(), -1);
    CHECK(open_proc_mem() != EACCES);
}

static void test_memory_limit(void) {
    tr_jail_policy policy = base_policy();
    int got = jailed(&policy, TR_JAIL_SERVING, map_much, false);
    tr_jail_state state = page->report.walls[TR_JAIL_MEMORY].state;
    CHECK_EQ_INT(state, SANITIZED ? TR_JAIL_UNSUPPORTED : TR_JAIL_ON);
    CHECK_EQ_INT(got, SANITIZED ? 0 : ENOMEM);
    policy.memory_bytes_max = 0;
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, map_much, false), 0);
    CHECK_EQ_INT(page->report.walls[TR_JAIL_MEMORY].state, TR_JAIL_OFF);
}

/* Counted for users other than root, where user namespaces are permitted. */
static void test_thread_limit(void) {
    tr_jail_policy policy = base_policy();
    bool as_nobody = getuid() == 0;
    if (as_nobody) {
        CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, six_threads, false), 0);
        CHECK_EQ_INT(page->report.walls[TR_JAIL_TASKS].state, TR_JAIL_UNSUPPORTED);
        CHECK(strstr(page->report.walls[TR_JAIL_TASKS].reason, "root") != NULL);
    }
    int got = jailed(&policy, TR_JAIL_SERVING, six_threads, as_nobody);
    if (page->report.walls[TR_JAIL_TASKS].state == TR_JAIL_ON) {
        CHECK_EQ_INT(got, EAGAIN);
        CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, three_threads, as_nobody), 0);
        grant_fork(&policy);
        CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, do_fork, as_nobody), 0);
        policy = base_policy();
        with_host_fork_alone(&policy);
        CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, two_forks, as_nobody), EAGAIN);
        CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, do_fork, as_nobody), 0);
    } else {
        printf("     not tested: %s\n", page->report.walls[TR_JAIL_TASKS].reason);
        CHECK_EQ_INT(got, 0);
    }
    policy = base_policy();
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, change_user, as_nobody), EPERM);
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, no_capabilities, as_nobody), 0);
}

#ifdef __x86_64__
static void test_call_of_i386(void) {
    tr_jail_policy policy = base_policy();
    int got = jailed(&policy, TR_JAIL_SERVING, i386_call, false);
    CHECK(got == KILLED || got == -2000 - SIGSEGV);
}
#endif

/* A filter of the module's own may only take away: what it allows, the first one refuses. */
static int stack_a_filter(void) {
    struct {
        uint16_t code;
        uint8_t jt, jf;
        uint32_t k;
    } allow_all[] = {{6, 0, 0, 0x7fff0000}};
    struct {
        unsigned short length;
        void *filter;
    } program = {1, allow_all};
    if (syscall(SYS_seccomp, 1, 0, &program) != 0) return errno;
    int got = open_passwd();
    return got == EACCES ? do_bpf() : -1;
}

static void test_stacked_filters(void) {
    tr_jail_policy policy = base_policy();
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_LOADING, stack_a_filter, false), KILLED);
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, stack_a_filter, false), EPERM);
}

/* A thread that a constructor has started is under the second filter too. */
static pthread_barrier_t ready;
static void *late_mapper(void *arg) {
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready);
    *(int *)arg = map_code();
    return NULL;
}

static void test_second_filter_reaches_threads(void) {
    tr_jail_policy policy = base_policy();
    fflush(NULL);
    memset(page, 0, sizeof(*page));
    pid_t child = fork();
    if (child == 0) {
        tr_jail jail;
        pthread_t thread;
        int got = -1;
        int rc = tr_jail_prepare(&policy, &jail, &page->report);
        if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_LOADING, &page->report);
        pthread_barrier_init(&ready, NULL, 2);
        if (rc == 0) rc = pthread_create(&thread, NULL, late_mapper, &got);
        if (rc != 0) _exit(1);
        pthread_barrier_wait(&ready);
        rc = tr_jail_enter(&jail, TR_JAIL_SERVING, &page->report);
        pthread_barrier_wait(&ready);
        pthread_join(thread, NULL);
        page->outcome = rc == 0 ? got : rc;
        page->finished = 1;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    CHECK_EQ_INT(page->finished, 1);
    CHECK_EQ_INT(page->outcome, EACCES);
}

/* We start a parent, which starts a jailed child and ends: the child's end of the pipe closes. */
static void test_dies_with_its_parent(void) {
    int life[2];
    char byte;
    CHECK_EQ_INT(pipe(life), 0);
    fflush(NULL);
    pid_t parent = fork();
    if (parent == 0) {
        int go[2];
        if (pipe(go) != 0) _exit(1);
        if (fork() == 0) {
            tr_jail jail;
            int keep[] = {life[1], go[1]};
            tr_jail_policy policy = base_policy();
            policy.parent = getppid();
            policy.fds = keep;
            policy.fd_count = 2;
            int rc = tr_jail_prepare(&policy, &jail, &page->report);
            if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_LOADING, &page->report);
            if (rc != 0 || write(go[1], "x", 1) != 1) _exit(1);
            for (;;) pause();
        }
        close(life[1]);
        if (read(go[0], &byte, 1) != 1) _exit(1);
        _exit(0); /* the jailed child is alive and must go now */
    }
    close(life[1]);
    int status = -1;
    waitpid(parent, &status, 0);
    CHECK_EQ_INT(status, 0);
    CHECK_EQ_INT(read(life[0], &byte, 1), 0); /* end of file: nobody holds the other end */
    close(life[0]);
}

static void test_parent_that_is_gone(void) {
    tr_jail_policy policy = base_policy();
    policy.parent = 1 << 30;
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_LOADING, NULL, false), TR_ECLOSED);
    CHECK(page->report.failure[0] != '\0');
}

static void test_policies_that_make_no_sense(void) {
    tr_jail jail;
    tr_jail_report report;
    tr_jail_policy policy = base_policy();
    static const int many[TR_JAIL_FDS_MAX + 1] = {0};
    static const int negative[] = {-1};
    static const char *const nameless[] = {"=x"};
    static const tr_jail_path relative[] = {{.path = "etc"}};
    static tr_jail_path paths[TR_JAIL_PATHS_MAX];
    policy.exec_allowed = true;
    CHECK_EQ_INT(tr_jail_prepare(&policy, &jail, &report), TR_EINVAL);
    policy = base_policy();
    policy.fds = many;
    policy.fd_count = TR_JAIL_FDS_MAX + 1;
    CHECK_EQ_INT(tr_jail_prepare(&policy, &jail, &report), TR_ELIMIT);
    policy = base_policy();
    policy.fds = negative;
    policy.fd_count = 1;
    CHECK_EQ_INT(tr_jail_prepare(&policy, &jail, &report), TR_EINVAL);
    policy = base_policy();
    policy.environment = nameless;
    policy.environment_count = 1;
    CHECK_EQ_INT(tr_jail_prepare(&policy, &jail, &report), TR_EINVAL);
    policy = base_policy();
    policy.paths = relative;
    policy.path_count = 1;
    CHECK_EQ_INT(tr_jail_prepare(&policy, &jail, &report), TR_EINVAL);
    policy.paths = paths;
    policy.path_count = TR_JAIL_PATHS_MAX;
    CHECK_EQ_INT(tr_jail_prepare(&policy, &jail, &report), TR_ELIMIT);
    CHECK(report.failure[0] != '\0');
}

static void test_stages_come_in_order(void) {
    tr_jail jail;
    tr_jail_report report;
    tr_jail_policy policy = base_policy();
    CHECK_EQ_INT(tr_jail_prepare(&policy, &jail, &report), 0);
    CHECK_EQ_INT(tr_jail_enter(&jail, TR_JAIL_SERVING, &report), TR_EINVAL);
    tr_jail_discard(&jail);
    tr_jail_discard(&jail); /* harmless */
}

static void test_required_walls(void) {
    tr_jail_policy policy = base_policy();
    policy.required = UINT64_C(1) << TR_JAIL_CPU; /* off: no limit was given */
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_LOADING, NULL, false), TR_ENOTSUP);
    CHECK(strstr(page->report.failure, tr_jail_wall_text(TR_JAIL_CPU)) != NULL);
    policy.required = UINT64_C(1) << TR_JAIL_FILTER_SERVING | UINT64_C(1) << TR_JAIL_NO_NEW_PRIVS;
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, NULL, false), 0);
}

/* Prints what this kernel has, for whoever reads the log, and how long entering takes. */
static void test_report_is_complete(void) {
    static const char *const states[] = {"not yet", "off", "on", "unsupported"};
    tr_jail_policy policy = base_policy();
    policy.cpu_seconds_max = 100;
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_LOADING, NULL, false), 0);
    CHECK_EQ_INT(page->report.walls[TR_JAIL_FILTER_SERVING].state, TR_JAIL_NOT_YET);
    CHECK_EQ_INT(jailed(&policy, TR_JAIL_SERVING, NULL, getuid() == 0), 0);
    printf("     Landlock ABI %d\n", page->report.landlock_abi);
    for (int wall = 0; wall < TR_JAIL_WALL_COUNT; wall++) {
        const tr_jail_verdict *one = &page->report.walls[wall];
        CHECK(one->state != TR_JAIL_NOT_YET);
        CHECK(one->state != TR_JAIL_UNSUPPORTED || one->reason[0] != '\0');
        printf("     %-48s %s%s%s\n", tr_jail_wall_text((tr_jail_wall)wall), states[one->state],
               one->reason[0] != '\0' ? ": " : "", one->reason);
    }
    CHECK_EQ_STR(page->report.failure, "");
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void test_time_to_enter(void) {
    int64_t *times = page->times;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        tr_jail jail;
        tr_jail_report report;
        tr_jail_policy policy = base_policy();
        times[0] = now_us();
        int rc = tr_jail_prepare(&policy, &jail, &report);
        times[1] = now_us();
        if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_LOADING, &report);
        times[2] = now_us();
        if (rc == 0) rc = tr_jail_enter(&jail, TR_JAIL_SERVING, &report);
        times[3] = now_us();
        _exit(rc == 0 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_EQ_INT(status, 0);
    printf("     prepare %" PRId64 " us, loading %" PRId64 " us, serving %" PRId64 " us\n",
           times[1] - times[0], times[2] - times[1], times[3] - times[2]);
}

/* Several walls stop the same thing; each must do it without the others. */
static int alone(bool landlock, attempt *try) {
    memset(page, 0, sizeof(*page));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        tr_jail jail;
        tr_jail_policy policy = base_policy();
        int rc = tr_jail_prepare(&policy, &jail, &page->report);
        jail.pid = getpid();
        if (rc == 0) rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (rc == 0 && landlock) rc = tr__jail_landlock_enter(&jail, &page->report);
        if (rc == 0 && !landlock) {
            rc = tr__jail_seccomp_enter(&jail, TR_JAIL_LOADING, &page->report);
        }
        page->outcome = rc == 0 ? try() : rc;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return page->outcome;
}

static void test_landlock_alone(void) {
    CHECK_EQ_INT(alone(true, open_module), 0);
    int abi = page->report.landlock_abi;
    if (abi == 0) {
        printf("     not tested: this kernel has no Landlock\n");
        return;
    }
    CHECK_EQ_INT(alone(true, open_passwd), EACCES);
    CHECK_EQ_INT(alone(true, create_tmp), EACCES);
    CHECK_EQ_INT(alone(true, open_tmpfile), EACCES);
    CHECK_EQ_INT(alone(true, remove_module), EACCES);
    CHECK_EQ_INT(alone(true, make_folder), EACCES);
    CHECK_EQ_INT(alone(true, do_exec), EACCES);
    CHECK_EQ_INT(alone(true, connect_inet), abi >= 4 ? EACCES : ECONNREFUSED);
    CHECK_EQ_INT(alone(true, bind_inet), abi >= 4 ? EACCES : 0);
    CHECK_EQ_INT(alone(true, kill_parent), abi >= 6 ? EPERM : 0);
    CHECK_EQ_INT(alone(true, kill_self), 0);
}

static void test_filter_alone(void) {
    CHECK_EQ_INT(alone(false, open_passwd), 0); /* which file it is, a filter cannot see */
    CHECK_EQ_INT(alone(false, create_tmp), EACCES);
    CHECK_EQ_INT(alone(false, open_tmpfile), EACCES);
    CHECK_EQ_INT(alone(false, write_module), EACCES);
    CHECK_EQ_INT(alone(false, remove_module), EACCES);
    CHECK_EQ_INT(alone(false, make_folder), EACCES);
    CHECK_EQ_INT(alone(false, connect_inet), EACCES);
    CHECK_EQ_INT(alone(false, bind_inherited), EACCES);
    CHECK_EQ_INT(alone(false, kill_parent), EPERM);
    CHECK_EQ_INT(alone(false, kill_group), EPERM);
    CHECK_EQ_INT(alone(false, become_dumpable), EPERM);
}

static int make_module(void) {
    char command[256];
    snprintf(command, sizeof(command),
             "echo 'int answer(void) { return 42; }' | cc -shared -fPIC -x c -o %s -", module_path);
    return system(command);
}

int main(void) {
    snprintf(folder, sizeof(folder), "/tmp/tr-jail-XXXXXX");
    if (mkdtemp(folder) == NULL) return 1;
    char modules[80];
    snprintf(modules, sizeof(modules), "/tmp/tr-jail-modules-XXXXXX");
    if (mkdtemp(modules) == NULL || chmod(modules, 0755) != 0) return 1;
    snprintf(module_path, sizeof(module_path), "%s/m.so", modules);
    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    known_word = word_of_fork();
    foreign_fd = open("/dev/null", O_RDONLY);
    if (dup2(foreign_fd, 60) != 60) return 1; /* above all that is kept */
    old_environment = environ[0];
    kept_fds[2] = socket(AF_INET, SOCK_STREAM, 0);
    if (page == MAP_FAILED || make_module() != 0) return 1;
    RUN(test_the_attempts_work_outside);
    RUN(test_every_wall_and_every_gate);
    RUN(test_memory_limit);
    RUN(test_thread_limit);
#ifdef __x86_64__
    RUN(test_call_of_i386);
#endif
    RUN(test_stacked_filters);
    RUN(test_landlock_alone);
    RUN(test_filter_alone);
    RUN(test_second_filter_reaches_threads);
    RUN(test_dies_with_its_parent);
    RUN(test_parent_that_is_gone);
    RUN(test_policies_that_make_no_sense);
    RUN(test_stages_come_in_order);
    RUN(test_required_walls);
    RUN(test_report_is_complete);
    RUN(test_time_to_enter);
    char big[128];
    snprintf(big, sizeof(big), "%s/big", folder);
    unlink(big);
    rmdir(folder);
    unlink(module_path);
    rmdir(modules);
    return CHECK_DONE();
}
