/* Unix sockets against the real kernel, in a directory of their own: who may connect, which
 * files give way to a new socket, how addresses read. */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "check.h"
#include "sock_kit.h"

/* These take the place of the C library's: each fails as often as it is told to and then does
 * the real thing. */
static fault listen_fault, chmod_fault;
static mode_t mode_before_chmod;

int listen(int fd, int backlog) {
    return strikes(&listen_fault) ? -1 : (int)syscall(SYS_listen, fd, backlog);
}

int chmod(const char *path, mode_t mode) {
    struct stat st = {0};
    if (stat(path, &st) == 0) mode_before_chmod = st.st_mode & 07777;
    return strikes(&chmod_fault) ? -1 : (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

static char dir[] = "/tmp/trsockXXXXXX"; /* each test leaves it empty */

static const char *in_dir(const char *name) {
    static char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static struct sockaddr_un unix_address(const char *path) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    CHECK(strlen(path) < sizeof(un.sun_path));
    memcpy(un.sun_path, path, strnlen(path, sizeof(un.sun_path) - 1));
    return un;
}

/* 0, or the error of a plain connect. *fd stays open on success. */
static int connect_unix(const char *path, int type, int *fd) {
    struct sockaddr_un un = unix_address(path);
    int s = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(s >= 0);
    if (connect(s, (struct sockaddr *)&un, sizeof(un)) != 0) {
        int err = errno;
        close(s);
        return err;
    }
    *fd = s;
    return 0;
}

static void bind_unix_plain(const char *path, int type, int *fd) {
    struct sockaddr_un un = unix_address(path);
    *fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    CHECK_EQ_INT(bind(*fd, (struct sockaddr *)&un, sizeof(un)), 0);
}

static void test_pair(void) {
    int listener = -1, theirs = -1;
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0, 16, &listener), TR_OK);
    check_flags(listener);
    CHECK_EQ_INT(connect_unix(in_dir("s"), SOCK_STREAM, &theirs), 0);
    int mine = accept_one(listener);
    check_flags(mine);
    char want[TR_NAME_MAX];
    snprintf(want, sizeof(want), "%s/s:0", dir);
    check_names(mine, want, want);
    check_names(theirs, want, want);
    CHECK_EQ_INT(tr_sock_is_unix(mine), 1);
    CHECK_EQ_INT(tr_sock_is_local(mine), 1);
    CHECK_EQ_INT(tr_sock_port(mine), TR_EIO);
    CHECK_EQ_INT(tr_sock_set_nodelay(mine, 1), TR_OK);
    CHECK_EQ_INT(tr_sock_set_keepalive(mine, 300), TR_OK);
    check_round_trip(mine, theirs);
    check_round_trip(theirs, mine);
    tr_sock_close(theirs);
    tr_sock_close(mine);
    tr_sock_close(listener);
    CHECK_EQ_INT(access(in_dir("s"), F_OK), 0); /* removing it is the owner's affair */
    CHECK_EQ_INT(unlink(in_dir("s")), 0);
}

/* A child without privileges: ports and directories that are not its own. Returns its count of
 * failures. */
static int run_unprivileged(void) {
    int failures_before = check_failures, fd = -7;
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 100;
    FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    int first_free = 1024;
    if (f != NULL && fscanf(f, "%d", &first_free) != 1) first_free = 1024;
    if (f != NULL) fclose(f);
    if (first_free > 7) {
        CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", 7, 16, &fd), TR_EACCES);
    } else {
        printf("skip the privileged port: this kernel has none\n");
    }
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("locked/s"), 0600, 16, &fd), TR_EACCES);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("read-only/s"), 0600, 16, &fd), TR_EACCES);
    CHECK_EQ_INT(errno, EACCES);
    /* A live socket that this user may not connect to is not taken for a stale one. */
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("private"), 0600, 16, &fd), TR_EACCES);
    CHECK_EQ_INT(fd, -7);
    return check_failures - failures_before;
}

static void test_permissions(void) {
    int live = -1, status = -1;
    CHECK_EQ_INT(chmod(dir, 0755), 0);
    CHECK_EQ_INT(mkdir(in_dir("locked"), 0), 0);
    CHECK_EQ_INT(mkdir(in_dir("read-only"), 0755), 0);
    CHECK_EQ_INT(chmod(in_dir("read-only"), 0555), 0);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("private"), 0600, 16, &live), TR_OK);
    if (getuid() != 0) CHECK_EQ_INT(chmod(in_dir("private"), 0), 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int failures = run_unprivileged();
        fflush(NULL);
        _exit(failures);
    }
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == 100) {
        printf("skip test_permissions: cannot become another user\n");
    } else {
        CHECK_EQ_INT(WEXITSTATUS(status), 0);
    }
    tr_sock_close(live);
    CHECK_EQ_INT(unlink(in_dir("private")), 0);
    CHECK_EQ_INT(rmdir(in_dir("locked")), 0);
    CHECK_EQ_INT(rmdir(in_dir("read-only")), 0);
}

static unsigned mode_of(const char *path) {
    struct stat st = {0};
    CHECK_EQ_INT(stat(path, &st), 0);
    return st.st_mode & 07777;
}

/* Whatever the umask says, the bits asked for come out; without any, the umask decides. */
static void test_mode(void) {
    const mode_t masks[] = {0, 022, 077, 0777};
    const unsigned modes[] = {0700, 0770, 0777, 0660, 0600};
    mode_t before = umask(022);
    for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
        int fd = -1;
        umask(masks[m]);
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
            CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), modes[i], 16, &fd), TR_OK);
            CHECK_EQ_INT(mode_of(in_dir("s")), modes[i]);
            CHECK_EQ_INT(mode_before_chmod & ~modes[i], 0); /* it was never wider */
            tr_sock_close(fd);
            CHECK_EQ_INT(unlink(in_dir("s")), 0);
        }
        CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0, 16, &fd), TR_OK);
        CHECK_EQ_INT(mode_of(in_dir("s")), 0777 & ~masks[m]);
        tr_sock_close(fd);
        CHECK_EQ_INT(unlink(in_dir("s")), 0);
    }
    umask(before);
}

/* When it fails half way, the file that it made is gone again. */
static void test_failing_late(void) {
    int fd = -7, free_fd = lowest_free();
    chmod_fault = (fault){1, EPERM};
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 16, &fd), TR_EACCES);
    CHECK_EQ_INT(access(in_dir("s"), F_OK), -1);
    listen_fault = (fault){1, EADDRINUSE};
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 16, &fd), TR_EADDRINUSE);
    CHECK_EQ_INT(errno, EADDRINUSE);
    CHECK_EQ_INT(access(in_dir("s"), F_OK), -1);
    listen_fault = (fault){1, ENOBUFS};
    CHECK_EQ_INT(tr_sock_listen_tcp("127.0.0.1", 0, 16, &fd), TR_ENOMEM);
    CHECK_EQ_INT(fd, -7);
    CHECK_EQ_INT(lowest_free(), free_fd);
}

static void test_path_length(void) {
    enum { ROOM = sizeof(((struct sockaddr_un *)0)->sun_path) };
    char path[ROOM + 1];
    int fd = -7;
    int head = snprintf(path, sizeof(path), "%s/", dir);
    memset(path + head, 'x', sizeof(path) - (size_t)head);
    path[ROOM] = '\0';
    CHECK_EQ_INT(tr_sock_listen_unix(path, 0700, 16, &fd), TR_EINVAL);
    CHECK_EQ_INT(tr_sock_listen_unix("", 0700, 16, &fd), TR_EINVAL);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 01777, 16, &fd), TR_EINVAL);
    CHECK_EQ_INT(fd, -7);
    path[ROOM - 1] = '\0';
    CHECK_EQ_INT(tr_sock_listen_unix(path, 0700, 16, &fd), TR_OK);
    char name[TR_NAME_MAX], want[TR_NAME_MAX];
    snprintf(want, sizeof(want), "%s:0", path);
    CHECK_EQ_INT(tr_sock_local_name(fd, name), TR_OK);
    CHECK_EQ_STR(name, want);
    tr_sock_close(fd);
    CHECK_EQ_INT(unlink(path), 0);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("none/s"), 0, 16, &fd), TR_ENOENT);
}

static void test_stale(void) {
    int first = -1, second = -1, theirs = -1;
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 16, &first), TR_OK);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 16, &second), TR_EADDRINUSE);
    CHECK_EQ_INT(errno, EADDRINUSE);
    CHECK_EQ_INT(second, -1);
    CHECK_EQ_INT(connect_unix(in_dir("s"), SOCK_STREAM, &theirs), 0); /* still the first one's */
    tr_sock_close(theirs);
    tr_sock_close(first);
    CHECK_EQ_INT(connect_unix(in_dir("s"), SOCK_STREAM, &theirs), ECONNREFUSED);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 16, &second), TR_OK);
    CHECK_EQ_INT(connect_unix(in_dir("s"), SOCK_STREAM, &theirs), 0);
    tr_sock_close(theirs);
    tr_sock_close(second);
    CHECK_EQ_INT(unlink(in_dir("s")), 0);
}

/* Sockets that are alive although a stream connection fails: a full queue, and a socket for
 * datagrams. */
static void test_alive(void) {
    enum { QUEUED_MAX = 8 };
    int listener = -1, other = -1, queued[QUEUED_MAX], count = 0, err = 0;
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 1, &listener), TR_OK);
    while (err == 0 && count < QUEUED_MAX) {
        err = connect_unix(in_dir("s"), SOCK_STREAM, &queued[count]);
        count += err == 0;
    }
    CHECK_EQ_INT(err, EAGAIN);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 16, &other), TR_EADDRINUSE);
    CHECK_EQ_INT(access(in_dir("s"), F_OK), 0);
    while (count > 0) close(queued[--count]);
    tr_sock_close(listener);
    CHECK_EQ_INT(unlink(in_dir("s")), 0);
    bind_unix_plain(in_dir("d"), SOCK_DGRAM, &listener);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("d"), 0700, 16, &other), TR_EADDRINUSE);
    CHECK_EQ_INT(access(in_dir("d"), F_OK), 0);
    close(listener);
    CHECK_EQ_INT(unlink(in_dir("d")), 0);
}

/* A file, a directory, and a link to a stale socket are nothing to remove. */
static void test_other_files(void) {
    int fd = -7, stale = -1;
    int file = open(in_dir("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK_EQ_INT(write(file, "data", 4), 4);
    close(file);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("file"), 0777, 16, &fd), TR_EEXIST);
    struct stat st = {0};
    CHECK_EQ_INT(stat(in_dir("file"), &st), 0);
    CHECK_EQ_INT(st.st_size, 4);
    CHECK_EQ_INT(st.st_mode & 0777, 0600);
    CHECK_EQ_INT(tr_sock_listen_unix(dir, 0777, 16, &fd), TR_EEXIST);
    bind_unix_plain(in_dir("stale"), SOCK_STREAM, &stale);
    close(stale);
    CHECK_EQ_INT(symlink("stale", in_dir("link")), 0);
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("link"), 0777, 16, &fd), TR_EEXIST);
    CHECK_EQ_INT(lstat(in_dir("stale"), &st), 0);
    CHECK_EQ_INT(fd, -7);
    CHECK_EQ_INT(unlink(in_dir("link")), 0);
    CHECK_EQ_INT(unlink(in_dir("stale")), 0);
    CHECK_EQ_INT(unlink(in_dir("file")), 0);
}

static void test_unnamed_and_abstract(void) {
    int fds[2];
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    check_names(fds[0], ":0", ":0");
    CHECK_EQ_INT(tr_sock_is_local(fds[0]), 1);
    close(fds[0]);
    close(fds[1]);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char tail[32], want[TR_NAME_MAX], name[TR_NAME_MAX];
    int tail_len = snprintf(tail, sizeof(tail), "trioredis-%ld", (long)getpid());
    memcpy(un.sun_path + 1, tail, (size_t)tail_len);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)tail_len);
    CHECK_EQ_INT(bind(s, (struct sockaddr *)&un, len), 0);
    snprintf(want, sizeof(want), "@%s:0", tail);
    CHECK_EQ_INT(listen(s, 1), 0);
    int mine = -1, theirs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ_INT(connect(theirs, (struct sockaddr *)&un, len), 0);
    CHECK_EQ_INT(tr_sock_accept(s, &mine), TR_OK);
    CHECK_EQ_INT(tr_sock_peer_name(mine, name), TR_OK);
    CHECK_EQ_STR(name, want);
    close(mine);
    close(theirs);
    close(s);
}

static void test_no_descriptors_left(void) {
    int fd = -7;
    struct rlimit before = limit_descriptors((rlim_t)lowest_free());
    CHECK_EQ_INT(tr_sock_listen_unix(in_dir("s"), 0700, 16, &fd), TR_EFDS);
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_EQ_INT(access(in_dir("s"), F_OK), -1);
    CHECK_EQ_INT(fd, -7);
}

int main(void) {
    CHECK(mkdtemp(dir) != NULL);
    int first_free = lowest_free();
    RUN(test_pair);
    RUN(test_permissions);
    RUN(test_mode);
    RUN(test_failing_late);
    RUN(test_path_length);
    RUN(test_stale);
    RUN(test_alive);
    RUN(test_other_files);
    RUN(test_unnamed_and_abstract);
    RUN(test_no_descriptors_left);
    CHECK_EQ_INT(lowest_free(), first_free); /* nothing leaked */
    CHECK_EQ_INT(rmdir(dir), 0);
    return CHECK_DONE();
}
