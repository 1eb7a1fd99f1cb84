#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"

/* Dead connections that one accept skips before it lets its caller do something else. */
#define ACCEPT_SKIP_MAX 1000
/* The kernel refuses longer keepalive times (MAX_TCP_KEEPIDLE in Linux' net/tcp.h), about nine
 * hours. */
#define KEEPALIVE_SECONDS_MAX 32767
#define KEEPALIVE_PROBES 3

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
    struct sockaddr_storage room;
} address;

_Static_assert(TR_NAME_MAX > sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(":0"),
               "a Unix path fits into a name");
_Static_assert(TR_NAME_MAX > INET6_ADDRSTRLEN + sizeof("[]:65535"), "an IPv6 address fits");

/* For the calls that make sockets and names. */
static int setup_error(int err) {
    switch (err) {
    case EMFILE:
    case ENFILE: return TR_EFDS;
    case ENOBUFS:
    case ENOMEM: return TR_ENOMEM;
    case EADDRINUSE: return TR_EADDRINUSE;
    case EACCES:
    case EPERM: return TR_EACCES;
    case EADDRNOTAVAIL:
    case ENOENT:
    case ENOTDIR: return TR_ENOENT;
    case EAFNOSUPPORT:
    case EPFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT: return TR_ENOTSUP;
    default: return TR_EIO;
    }
}

/* For reads and writes: does the error mean that the connection is over? */
static int transfer_error(int err) {
    switch (err) {
    case EAGAIN: return TR_EAGAIN;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ENOTCONN:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET: return TR_ECLOSED;
    default: return TR_EIO;
    }
}

static int set_int(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? TR_OK : TR_EIO;
}

void tr_sock_close(int fd) {
    int saved = errno;
    close(fd); /* on Linux it is closed even after EINTR */
    errno = saved;
}

static int resolver_error(int code) {
    switch (code) {
    case EAI_MEMORY: errno = ENOMEM; return TR_ENOMEM;
    case EAI_SYSTEM: return setup_error(errno);
    default: errno = EADDRNOTAVAIL; return TR_ENOENT;
    }
}

/* *list is the caller's, for freeaddrinfo(). */
static int resolve(const char *host, int port, int flags, int family, struct addrinfo **list) {
    if (port < 0 || port > 65535) {
        errno = EINVAL;
        return TR_EINVAL;
    }
    char service[sizeof("65535")];
    snprintf(service, sizeof(service), "%d", port);
    struct addrinfo hints = {
        .ai_flags = flags | AI_NUMERICSERV,
        .ai_family = family,
        .ai_socktype = SOCK_STREAM,
    };
    int code = getaddrinfo(host, service, &hints, list);
    return code == 0 ? TR_OK : resolver_error(code);
}

static int new_socket(int family, int *fd) {
    int s = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) return setup_error(errno);
    *fd = s;
    return TR_OK;
}

static int listen_at(const struct addrinfo *ai, int backlog, int *fd) {
    int s = -1;
    int rc = new_socket(ai->ai_family, &s);
    if (rc != TR_OK) return rc;
    rc = set_int(s, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == TR_OK && ai->ai_family == AF_INET6) rc = set_int(s, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (rc != TR_OK) goto out;
    if (bind(s, ai->ai_addr, ai->ai_addrlen) != 0 || listen(s, backlog) != 0) {
        rc = setup_error(errno);
        goto out;
    }
    *fd = s;
    return TR_OK;

out:
    tr_sock_close(s);
    return rc;
}

/* The address family follows the spelling, so a name means its IPv4 addresses. */
int tr_sock_listen_tcp(const char *host, int port, int backlog, int *fd) {
    int family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
    if (strcmp(host, "*") == 0) host = "0.0.0.0";
    if (strcmp(host, "::*") == 0) host = "::";
    struct addrinfo *list;
    int rc = resolve(host, port, AI_PASSIVE, family, &list);
    if (rc != TR_OK) return rc;
    tr_assert(list != NULL);
    for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
        rc = listen_at(ai, backlog, fd);
        if (rc == TR_OK) break;
    }
    int saved = errno;
    freeaddrinfo(list);
    errno = saved;
    return rc;
}

static int connect_at(const struct addrinfo *ai, int *fd) {
    int s = -1;
    int rc = new_socket(ai->ai_family, &s);
    if (rc != TR_OK) return rc;
    if (connect(s, ai->ai_addr, ai->ai_addrlen) != 0 && errno != EINPROGRESS && errno != EINTR) {
        rc = transfer_error(errno) == TR_ECLOSED ? TR_ECLOSED : setup_error(errno);
        tr_sock_close(s);
        return rc;
    }
    *fd = s;
    return TR_OK;
}

int tr_sock_connect_tcp(const char *host, int port, int *fd) {
    struct addrinfo *list;
    int rc = resolve(host, port, 0, AF_UNSPEC, &list);
    if (rc != TR_OK) return rc;
    tr_assert(list != NULL);
    for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
        rc = connect_at(ai, fd);
        if (rc == TR_OK) break;
    }
    int saved = errno;
    freeaddrinfo(list);
    errno = saved;
    return rc;
}

/* Does somebody listen at this socket file? TR_EADDRINUSE when so, 0 when nobody does. */
static int probe_unix(const struct sockaddr_un *un) {
    int s = -1;
    int rc = new_socket(AF_UNIX, &s);
    if (rc != TR_OK) return rc;
    if (connect(s, (const struct sockaddr *)un, sizeof(*un)) == 0) errno = EADDRINUSE;
    switch (errno) {
    case ECONNREFUSED: rc = TR_OK; break;
    case ENOENT: rc = TR_OK; break;
    case EAGAIN:     /* its queue is full */
    case EPROTOTYPE: /* it takes no streams */
        errno = EADDRINUSE;
        rc = TR_EADDRINUSE;
        break;
    default: rc = setup_error(errno); break;
    }
    tr_sock_close(s);
    return rc;
}

static int clear_path(const struct sockaddr_un *un) {
    struct stat st;
    if (lstat(un->sun_path, &st) != 0) return errno == ENOENT ? TR_OK : setup_error(errno);
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return TR_EEXIST;
    }
    int rc = probe_unix(un);
    if (rc != TR_OK) return rc;
    return unlink(un->sun_path) == 0 || errno == ENOENT ? TR_OK : setup_error(errno);
}

/* The file is born with the socket's own bits less the umask, so it is never wider than asked for;
 * what the umask took is given back before anybody can connect. */
static int bind_unix(int s, const struct sockaddr_un *un, unsigned mode, int backlog) {
    if (mode != 0 && fchmod(s, (mode_t)mode) != 0) return TR_EIO;
    if (bind(s, (const struct sockaddr *)un, sizeof(*un)) != 0) return setup_error(errno);
    if ((mode == 0 || chmod(un->sun_path, (mode_t)mode) == 0) && listen(s, backlog) == 0) {
        return TR_OK;
    }
    int saved = errno;
    unlink(un->sun_path);
    errno = saved;
    return setup_error(saved);
}

int tr_sock_listen_unix(const char *path, unsigned mode, int backlog, int *fd) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(un.sun_path) || mode > 0777) {
        errno = EINVAL;
        return TR_EINVAL;
    }
    memcpy(un.sun_path, path, len + 1);
    int rc = clear_path(&un);
    if (rc != TR_OK) return rc;
    int s = -1;
    rc = new_socket(AF_UNIX, &s);
    if (rc != TR_OK) return rc;
    rc = bind_unix(s, &un, mode, backlog);
    if (rc != TR_OK) {
        tr_sock_close(s);
        return rc;
    }
    *fd = s;
    return TR_OK;
}

/* accept() also reports what happened to the connection it took from the queue; accept(2) lists
 * these. */
static int is_dead_arrival(int err) {
    switch (err) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM: /* a firewall rule */
    case ENOPROTOOPT:
    case ENETDOWN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENONET:
    case ETIMEDOUT: return 1;
    default: return 0;
    }
}

int tr_sock_accept(int listener, int *fd) {
    for (int skipped = 0; skipped < ACCEPT_SKIP_MAX; skipped++) {
        int s = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (s >= 0) {
            *fd = s;
            return TR_OK;
        }
        if (is_dead_arrival(errno)) continue;
        switch (errno) {
        case EAGAIN: return TR_EAGAIN;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: return TR_EFDS;
        default: return TR_EIO;
        }
    }
    return TR_EAGAIN;
}

int tr_sock_is_unix(int fd) {
    int domain;
    socklen_t len = sizeof(domain);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

int tr_sock_set_nodelay(int fd, int on) {
    if (tr_sock_is_unix(fd)) return TR_OK;
    return set_int(fd, IPPROTO_TCP, TCP_NODELAY, on != 0);
}

int tr_sock_set_keepalive(int fd, int seconds) {
    tr_assert(seconds >= 0);
    if (tr_sock_is_unix(fd)) return TR_OK;
    if (seconds == 0) return set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
    if (seconds > KEEPALIVE_SECONDS_MAX) seconds = KEEPALIVE_SECONDS_MAX;
    int apart = seconds / 3 > 0 ? seconds / 3 : 1;
    int rc = set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (rc == TR_OK) rc = set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    if (rc == TR_OK) rc = set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, apart);
    if (rc == TR_OK) rc = set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    return rc;
}

/* The path's length; 0 for a socket that was never bound. Abstract names start with a NUL. */
static size_t unix_path_len(const address *a, socklen_t len) {
    size_t head = offsetof(struct sockaddr_un, sun_path);
    if (len <= head) return 0;
    size_t max = len - head < sizeof(a->un.sun_path) ? len - head : sizeof(a->un.sun_path);
    return a->un.sun_path[0] == '\0' ? max : strnlen(a->un.sun_path, max);
}

static int format(const address *a, socklen_t len, char *name) {
    char text[INET6_ADDRSTRLEN];
    switch (a->any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof(text));
        snprintf(name, TR_NAME_MAX, "%s:%d", text, ntohs(a->v4.sin_port));
        return TR_OK;
    case AF_INET6:
        inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof(text));
        snprintf(name, TR_NAME_MAX, "[%s]:%d", text, ntohs(a->v6.sin6_port));
        return TR_OK;
    case AF_UNIX: {
        int abstract = a->un.sun_path[0] == '\0';
        int n = (int)unix_path_len(a, len);
        if (n == 0) {
            snprintf(name, TR_NAME_MAX, ":0");
        } else {
            snprintf(name, TR_NAME_MAX, "%s%.*s:0", abstract ? "@" : "", n - abstract,
                     a->un.sun_path + abstract);
        }
        return TR_OK;
    }
    default: errno = EAFNOSUPPORT; return TR_EIO;
    }
}

typedef int name_call(int fd, struct sockaddr *to, socklen_t *len);

static int name_by(int fd, name_call *mine, name_call *other, char *name) {
    address a = {0};
    socklen_t len = sizeof(a);
    if (mine(fd, &a.any, &len) != 0) return TR_EIO;
    if (a.any.sa_family == AF_UNIX && unix_path_len(&a, len) == 0) {
        a = (address){0};
        len = sizeof(a);
        if (other(fd, &a.any, &len) != 0) return TR_EIO;
    }
    return format(&a, len, name);
}

int tr_sock_peer_name(int fd, char *name) {
    return name_by(fd, getpeername, getsockname, name);
}

int tr_sock_local_name(int fd, char *name) {
    return name_by(fd, getsockname, getpeername, name);
}

static int is_loopback4(uint32_t host_order) {
    return host_order >> 24 == 127;
}

int tr_sock_is_local(int fd) {
    address a = {0};
    socklen_t len = sizeof(a);
    if (getpeername(fd, &a.any, &len) != 0) return errno == ENOTCONN ? TR_ECLOSED : 0;
    switch (a.any.sa_family) {
    case AF_UNIX: return 1;
    case AF_INET: return is_loopback4(ntohl(a.v4.sin_addr.s_addr));
    case AF_INET6: {
        if (IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr)) return 1;
        if (!IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) return 0;
        uint32_t v4;
        memcpy(&v4, &a.v6.sin6_addr.s6_addr[12], sizeof(v4));
        return is_loopback4(ntohl(v4));
    }
    default: return 0;
    }
}

int64_t tr_sock_read(int fd, void *p, size_t n) {
    tr_assert(n > 0);
    ssize_t got;
    do {
        got = recv(fd, p, n, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) return got;
    if (got < 0) return transfer_error(errno);
    errno = 0;
    return TR_ECLOSED;
}

int64_t tr_sock_write(int fd, const struct iovec *iov, int count) {
    tr_assert(count > 0);
    struct msghdr msg = {
        .msg_iov = (struct iovec *)(uintptr_t)iov,
        .msg_iovlen = (size_t)(count < IOV_MAX ? count : IOV_MAX),
    };
    ssize_t put;
    do {
        put = count == 1 ? send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                         : sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    return put >= 0 ? put : transfer_error(errno);
}

int tr_sock_port(int fd) {
    address a = {0};
    socklen_t len = sizeof(a);
    if (getsockname(fd, &a.any, &len) != 0) return TR_EIO;
    switch (a.any.sa_family) {
    case AF_INET: return ntohs(a.v4.sin_port);
    case AF_INET6: return ntohs(a.v6.sin6_port);
    default: errno = EAFNOSUPPORT; return TR_EIO;
    }
}
