/* sock.h - the few things that trioredis does with sockets, each once.
 *
 * Plain functions on descriptors, no state; who gets a descriptor from here owns it and closes it
 * with tr_sock_close(). All descriptors are non-blocking and close-on-exec. Nothing blocks but the
 * resolver, and only for a host that is a name and not an address.
 *
 * Failures return TR_EIO (errno tells why), or a sharper code with errno kept as well:
 *   TR_EAGAIN      would block
 *   TR_ECLOSED     end of file (errno 0), reset, broken pipe, keepalive or route given up
 *   TR_EFDS        EMFILE, ENFILE; while accepting ENOBUFS and ENOMEM too
 *   TR_ENOMEM      the kernel or the resolver has no memory
 *   TR_EADDRINUSE  port or path taken
 *   TR_EACCES      privileged port, directory without permission
 *   TR_EINVAL      port outside 0..65535, path empty or longer than a Unix address holds
 *   TR_ENOENT      this machine has no such address, the name is unknown, no such directory
 *   TR_ENOTSUP     the kernel lacks the address family (IPv6 switched off)
 * Out-pointers are untouched on failure. EINTR is retried. SIGPIPE never happens (MSG_NOSIGNAL).
 */
#ifndef TR_NET_SOCK_H
#define TR_NET_SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define TR_NAME_MAX 160 /* bytes of an address with its port as text, NUL included */

/* Listen on a numeric or named host; "*" is every IPv4 address, "::*" every IPv6 one. An IPv6
 * socket takes IPv6 only, so both can share a port. The '-' of an optional address is the
 * caller's affair. port 0: the kernel picks one, see tr_sock_port(). Of several addresses of a
 * name the first that can be bound counts. */
int tr_sock_listen_tcp(const char *host, int port, int backlog, int *fd);
/* mode: permission bits, 0: as the umask has it; nobody can connect before they are in force. A
 * stale socket file is removed first. One that answers is left alone (TR_EADDRINUSE), and so is
 * a file of another kind (TR_EEXIST). Closing does not remove the file. */
int tr_sock_listen_unix(const char *path, unsigned mode, int backlog, int *fd);
/* One connection, or TR_EAGAIN, TR_EFDS, TR_EIO (the listener is unusable). Connections that
 * died in the queue are skipped. */
int tr_sock_accept(int listener, int *fd);
/* Started; writable when done. A refusal shows up at the first read or write, as TR_ECLOSED. */
int tr_sock_connect_tcp(const char *host, int port, int *fd);
/* Both do nothing, successfully, on a Unix socket. */
int tr_sock_set_nodelay(int fd, int on);
/* The first probe after so many idle seconds, then three more, a third of that apart. 0: off. */
int tr_sock_set_keepalive(int fd, int seconds);
/* "127.0.0.1:6379", "[::1]:6379", "/path/to.sock:0" as CLIENT LIST shows them; name must hold
 * TR_NAME_MAX. Both ends of a Unix connection are named after the listener's path. TR_EIO with
 * ENOTCONN once the peer has reset the connection: ask right after accept. */
int tr_sock_peer_name(int fd, char *name);
int tr_sock_local_name(int fd, char *name);
int tr_sock_is_unix(int fd);
/* 1 when the peer's address is loopback or the socket is a Unix one; 0 also when nobody knows.
 * TR_ECLOSED once the peer has reset the connection. */
int tr_sock_is_local(int fd);
/* Bytes read (> 0; n must be), TR_EAGAIN, TR_ECLOSED, TR_EIO. */
int64_t tr_sock_read(int fd, void *p, size_t n);
/* Bytes written (>= 0), perhaps fewer than given; TR_EAGAIN, TR_ECLOSED, TR_EIO. One buffer goes by
 * send, several by sendmsg; buffers beyond the kernel's limit of 1024 wait for the next call. */
int64_t tr_sock_write(int fd, const struct iovec *iov, int count);
/* Keeps errno. */
void tr_sock_close(int fd);
/* The port of a bound TCP socket in host order, or TR_EIO. */
int tr_sock_port(int fd);

#endif
