/* arg.h - one argument of a command.
 *
 * ptr is borrowed: it points into the input buffer, a blob or the caller's memory and dies when the
 * command ends. blob is NULL, or the counted buffer whose whole content the argument is; a command that keeps the
 * value takes a share of it instead of copying. The bytes are not NUL-terminated.
 */
#ifndef TR_BASE_ARG_H
#define TR_BASE_ARG_H

#include <stddef.h>

struct tr_blob;

typedef struct tr_arg {
    const char *ptr;
    size_t len;
    struct tr_blob *blob;
} tr_arg;

#endif
