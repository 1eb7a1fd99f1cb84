/* sock.h - the few things that trioredis does with sockets, each once.
 *
 * All descriptors are non-blocking and close-on-exec. Functions that fail with a system call return TR_EIO
 * (errno tells), or a sharper code: TR_EAGAIN, TR_ECLOSED (reset, broken pipe, end of file), TR_EFDS (EMFILE, ENFILE,
 * ENOBUFS, ENOMEM while accepting), TR_EADDRINUSE, TR_EACCES. EINTR is retried. SIGPIPE never happens (MSG_NOSIGNAL).
 */
#ifndef TR_NET_SOCK_H
#define TR_NET_SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define TR_NAME_MAX 160 /* bytes of an address as text with its port, NUL included; Unix paths fit */

/* Listen on a numeric or named host; family by the address, "*" and "-::*" as Redis' bind has them. *fd is owned by the caller.
 * port 0: the kernel picks one. reuse_port for tests. */
int tr_sock_listen_tcp(const char *host, int port, int backlog, int *fd);
/* mode: permission bits, 0: as the umask has it. A stale socket file is removed first, a file of another kind is not (TR_EEXIST). */
int tr_sock_listen_unix(const char *path, unsigned mode, int backlog, int *fd);
/* One connection, or TR_EAGAIN, TR_EFDS, TR_EIO (the listener is unusable). Aborted connections are skipped. */
int tr_sock_accept(int listener, int *fd);
int tr_sock_connect_tcp(const char *host, int port, int *fd); /* started; writable when done */
int tr_sock_set_nodelay(int fd, int on);
int tr_sock_set_keepalive(int fd, int seconds); /* 0: off */
/* "127.0.0.1:6379", "[::1]:6379", "/path/to.sock:0" as CLIENT LIST shows them; name must hold TR_NAME_MAX. */
int tr_sock_peer_name(int fd, char *name);
int tr_sock_local_name(int fd, char *name);
int tr_sock_is_unix(int fd);
/* 1 when the peer's address is loopback or the socket is a Unix one. */
int tr_sock_is_local(int fd);
/* Bytes read (> 0), TR_EAGAIN, TR_ECLOSED (end of file or reset), TR_EIO. */
int64_t tr_sock_read(int fd, void *p, size_t n);
/* Bytes written (>= 0), TR_EAGAIN, TR_ECLOSED, TR_EIO. One buffer goes by send, several by sendmsg. */
int64_t tr_sock_write(int fd, const struct iovec *iov, int count);
void tr_sock_close(int fd);
/* The port of a bound TCP socket in host order, or TR_EIO. */
int tr_sock_port(int fd);

#endif
