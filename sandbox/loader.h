/* loader.h - brings a module into this process, or says in one line why not.
 *
 *   check the file -> read its ELF -> dlopen -> find OnLoad -> start: OnLoad(ctx, argv)
 *                                                                      ... stop: OnUnload(ctx)
 *                                                                      close
 *
 * Foreign code runs from dlopen on (constructors): enter the jail first. Every failure leaves one
 * line without a line end in tr_loader_error().
 *
 * The API reaches a module by a lookup function, whose address must be the first word of what ctx
 * points to: the host stores tr_loader_get_api there. It takes "RedisModule_X" and "ValkeyModule_X"
 * and asks the host's resolve callback for "X" ("RedisModule__Assert" becomes "_Assert"). Names
 * that the callback does not know are collected: modules ask for all that their header has, so a
 * missing name is no failure, but the first thing to look at when the module crashes through NULL.
 *
 * The lookup function has no argument for us, so the loader that was started last answers: one
 * module is started at a time, and its loader must outlive it. Not for several threads.
 */
#ifndef TR_SANDBOX_LOADER_H
#define TR_SANDBOX_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define TR_LOADER_ERROR_MAX 1024
#define TR_LOADER_NAME_MAX 128      /* bytes of an API name that is kept */
#define TR_LOADER_MISSING_MAX 1024  /* missing names that are kept */
#define TR_LOADER_UNRESOLVED_MAX 16 /* symbols that the line of an error names */
#define TR_LOADER_FILE_MAX (UINT64_C(4) << 30) /* bytes of a library, debug information included */

/* The address of the function or NULL. The name has no prefix and dies with the call. */
typedef void *tr_loader_resolve(void *arg, const char *name);

typedef int tr_loader_on_load(void *ctx, void **argv, int argc);
typedef int tr_loader_on_unload(void *ctx);

typedef struct tr_loader {
    tr_mem *mem; /* borrowed */
    tr_loader_resolve *resolve;
    void *resolve_arg;
    void *handle; /* of dlopen */
    tr_loader_on_load *on_load;
    tr_loader_on_unload *on_unload; /* NULL: the module has none */
    const void *base;               /* where the library was loaded */
    char (*missing)[TR_LOADER_NAME_MAX];
    size_t missing_count;
    size_t missing_cap;
    size_t missing_dropped; /* beyond the limit, too long, or out of memory */
    size_t resolved_count;
    char error[TR_LOADER_ERROR_MAX];
} tr_loader;

void tr_loader_init(tr_loader *loader, tr_mem *mem, tr_loader_resolve *resolve, void *arg);

/* Loads the library and finds its entry points. TR_ENOENT: no such file, or no OnLoad in it;
 * TR_EACCES: no permission; TR_EPROTO: not a library for this machine; TR_EIO: dlopen failed. */
int tr_loader_open(tr_loader *loader, const char *path);

/* Runs OnLoad. The first word of ctx must hold tr_loader_get_api. TR_EINVAL: it has failed. */
int tr_loader_start(tr_loader *loader, const char *path, void *ctx, void **argv, int argc);

/* Runs OnUnload, if there is one. TR_EACCES: the module does not want to go. */
int tr_loader_stop(tr_loader *loader, void *ctx);

/* Unloads the library (destructors run) and frees the names. Also after a failed open. */
void tr_loader_close(tr_loader *loader);

/* The last failure; empty if there was none. */
const char *tr_loader_error(const tr_loader *loader);

/* What modules look names up with. 0 and *target is set, or 1 and it is left alone. */
int tr_loader_get_api(const char *name, void *target);

#endif
