/* err.h - the error codes that every unit of the engine returns.
 *
 * Functions return 0 (or a count) on success and one of these negative codes on failure.
 * "Need more input" has a code of its own (TR_EMORE); it is no failure. One list makes the enum,
 * the texts and, on the Python side, the exceptions.
 */
#ifndef TR_BASE_ERR_H
#define TR_BASE_ERR_H

/* X(name, value, text) */
#define TR_ERRORS(X)                                                                               \
    X(TR_EMORE, -1, "more input is needed")                                                        \
    X(TR_ENOMEM, -2, "out of memory")                                                              \
    X(TR_EAGAIN, -3, "the operation would block")                                                  \
    X(TR_ECLOSED, -4, "the peer has closed the connection")                                        \
    X(TR_EPROTO, -5, "the peer broke the protocol")                                                \
    X(TR_ELIMIT, -6, "a limit was reached")                                                        \
    X(TR_EINVAL, -7, "an argument is invalid")                                                     \
    X(TR_ENOENT, -8, "no such thing")                                                              \
    X(TR_EEXIST, -9, "it exists already")                                                          \
    X(TR_EIO, -10, "a system call failed, errno tells why")                                        \
    X(TR_ENOTSUP, -11, "not supported on this system")                                             \
    X(TR_EFDS, -12, "no file descriptors are left")                                                \
    X(TR_ERANGE, -13, "a number is out of range")                                                  \
    X(TR_ETYPE, -14, "a value has another type")                                                   \
    X(TR_EADDRINUSE, -15, "the address is in use")                                                 \
    X(TR_EACCES, -16, "permission denied")

typedef enum tr_err {
    TR_OK = 0,
#define TR_X(name, value, text) name = (value),
    TR_ERRORS(TR_X)
#undef TR_X
} tr_err;

/* A static sentence for the code; never NULL. */
const char *tr_err_text(int code);

#endif
