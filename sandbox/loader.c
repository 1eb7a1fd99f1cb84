#include "sandbox/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "sandbox/elf_file.h"

#define ON_LOAD_FAILED 1 /* the only result of OnLoad and OnUnload that means no */
#define MISSING_START 16

static const char *const prefixes[] = {"RedisModule_", "ValkeyModule_"};

/* Who answers the lookup function, which has no argument of ours (see the header). */
static tr_loader *answering;

typedef struct file {
    void *bytes;
    size_t size;
} file;

static int fail(tr_loader *loader, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(tr_loader *loader, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(loader->error, sizeof(loader->error), format, args);
    va_end(args);
    for (char *p = loader->error; *p != '\0'; p++) {
        if (*p == '\n' || *p == '\r') *p = ' ';
    }
    return code;
}

/* Appends to the error line as far as there is room. */
static void add(tr_loader *loader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(tr_loader *loader, const char *format, ...) {
    size_t used = strlen(loader->error);
    va_list args;
    va_start(args, format);
    vsnprintf(loader->error + used, sizeof(loader->error) - used, format, args);
    va_end(args);
}

void tr_loader_init(tr_loader *loader, tr_mem *mem, tr_loader_resolve *resolve, void *arg) {
    memset(loader, 0, sizeof(*loader));
    loader->mem = mem;
    loader->resolve = resolve;
    loader->resolve_arg = arg;
}

const char *tr_loader_error(const tr_loader *loader) {
    return loader->error;
}

/* --- the file --- */

static int check_kind(tr_loader *loader, const char *path, const struct stat *st) {
    const char *kind = S_ISDIR(st->st_mode) ? "a folder" : "not a regular file";
    if (!S_ISREG(st->st_mode)) {
        return fail(loader, TR_EACCES, "Module %s failed to load: it is %s.", path, kind);
    }
    if ((st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
        return fail(loader, TR_EACCES,
                    "Module %s failed to load: it does not have execute permissions.", path);
    }
    if (st->st_size == 0) {
        return fail(loader, TR_EPROTO, "Module %s failed to load: the file is empty.", path);
    }
    if ((uint64_t)st->st_size > TR_LOADER_FILE_MAX) {
        return fail(loader, TR_ELIMIT, "Module %s failed to load: the file is too large.", path);
    }
    return 0;
}

static int map_file(tr_loader *loader, const char *path, file *f) {
    struct stat st;
    /* Not to hang on a pipe that somebody has put there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int code = errno == ENOENT || errno == ENOTDIR ? TR_ENOENT : TR_EACCES;
        return fail(loader, code, "Module %s failed to load: %s.", path, strerror(errno));
    }
    int rc = 0;
    if (fstat(fd, &st) != 0) {
        rc = fail(loader, TR_EIO, "Module %s failed to load: %s.", path, strerror(errno));
    }
    if (rc == 0) rc = check_kind(loader, path, &st);
    if (rc == 0) {
        f->size = (size_t)st.st_size;
        f->bytes = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (f->bytes == MAP_FAILED) {
            rc = fail(loader, TR_EIO, "Module %s failed to load: %s.", path, strerror(errno));
        }
    }
    close(fd);
    return rc;
}

static const char *machine_or(uint16_t machine, const char *otherwise) {
    const char *name = tr_elf_machine_name(machine);
    return name != NULL ? name : otherwise;
}

/* Another machine is told as such, whatever else may be wrong with the file. */
static int check_elf(tr_loader *loader, const char *path, const file *f, tr_elf *elf) {
    const char *why = "";
    int rc = tr_elf_open(elf, f->bytes, f->size, &why);
    uint16_t own = tr_elf_own_machine();
    if (elf->machine != 0 && own != 0 && elf->machine != own) {
        return fail(loader, TR_EPROTO,
                    "Module %s failed to load: it was built for %s, but this server runs on %s.",
                    path, machine_or(elf->machine, "another machine"),
                    machine_or(own, "this machine"));
    }
    if (rc == 0) return 0;
    return fail(loader, rc, "Module %s failed to load: %s.", path, why);
}

/* --- why dlopen said no --- */

typedef struct libraries {
    void *handles[TR_ELF_NEEDED_MAX];
    size_t count;
} libraries;

/* Opens what the module needs, each alone, to tell a missing library from a missing symbol. */
static int open_needed(tr_loader *loader, const char *path, const tr_elf *elf, libraries *open) {
    const char *name;
    open->count = 0;
    for (size_t i = 0; i < TR_ELF_NEEDED_MAX && tr_elf_needed(elf, i, &name) == 0; i++) {
        void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
        if (handle == NULL) {
            return fail(loader, TR_EIO,
                        "Module %s failed to load: it needs the library %s, which cannot be "
                        "loaded (%s).",
                        path, name, dlerror());
        }
        open->handles[open->count++] = handle;
    }
    return 0;
}

static bool is_somewhere(const libraries *open, const char *name) {
    if (dlsym(RTLD_DEFAULT, name) != NULL) return true;
    for (size_t i = 0; i < open->count; i++) {
        if (dlsym(open->handles[i], name) != NULL) return true;
    }
    return false;
}

/* Names the symbols that nobody defines; the count of them. */
static size_t name_unresolved(tr_loader *loader, const tr_elf *elf, const libraries *open) {
    size_t found = 0;
    tr_elf_symbol symbol;
    for (size_t i = 1; i < elf->symbol_count; i++) {
        if (tr_elf_symbol_at(elf, i, &symbol) != 0) continue;
        if (symbol.defined || symbol.weak || symbol.local || symbol.name[0] == '\0') continue;
        if (is_somewhere(open, symbol.name)) continue;
        if (found < TR_LOADER_UNRESOLVED_MAX) {
            add(loader, "%s%s", found == 0 ? "" : ", ", symbol.name);
        }
        found++;
    }
    return found;
}

static int explain_dlopen(tr_loader *loader, const char *path, const tr_elf *elf) {
    char reason[TR_LOADER_ERROR_MAX / 2];
    libraries open;
    const char *text = dlerror();
    snprintf(reason, sizeof(reason), "%s", text != NULL ? text : "dlopen gave no reason");
    int rc = open_needed(loader, path, elf, &open);
    if (rc == 0) {
        rc = fail(loader, TR_EIO, "Module %s failed to load: nothing defines ", path);
        size_t unresolved = name_unresolved(loader, elf, &open);
        if (unresolved == 0) {
            rc = fail(loader, TR_EIO, "Module %s failed to load: %s.", path, reason);
        } else if (unresolved > TR_LOADER_UNRESOLVED_MAX) {
            add(loader, " and %zu more symbols.", unresolved - TR_LOADER_UNRESOLVED_MAX);
        } else {
            add(loader, ", which it uses.");
        }
    }
    for (size_t i = 0; i < open.count; i++) dlclose(open.handles[i]);
    return rc;
}

/* --- entry points --- */

/* A function whose name a C++ compiler has decorated: _Z, a length, the name, the parameters. */
static bool find_mangled(const tr_elf *elf, tr_elf_symbol *symbol) {
    static const char *const entries[] = {"18RedisModule_OnLoad", "19ValkeyModule_OnLoad"};
    for (size_t i = 0; i < elf->symbol_count; i++) {
        if (tr_elf_symbol_at(elf, i, symbol) != 0 || !symbol->defined) continue;
        if (strncmp(symbol->name, "_Z", 2) != 0) continue;
        if (strstr(symbol->name, entries[0]) != NULL || strstr(symbol->name, entries[1]) != NULL) {
            return true;
        }
    }
    return false;
}

static int explain_no_entry(tr_loader *loader, const char *path, const tr_elf *elf) {
    tr_elf_symbol symbol;
    int rc = fail(loader, TR_ENOENT,
                  "Module %s does not export RedisModule_OnLoad() symbol. Module not loaded.",
                  path);
    if (find_mangled(elf, &symbol)) {
        add(loader,
            " It exports %s: the function was compiled as C++, which changes its name. Declare it "
            "extern \"C\" or compile the file as C.",
            symbol.name);
    }
    return rc;
}

/* ISO C has no way from a data pointer to a function; POSIX promises the same bytes. */
static void find_entry(void *handle, const char *stem, void *entry) {
    char name[64];
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", prefixes[i], stem);
        void *found = dlsym(handle, name);
        if (found == NULL) continue;
        memcpy(entry, &found, sizeof(found));
        return;
    }
}

static int open_library(tr_loader *loader, const char *path, const tr_elf *elf) {
    char local[4096];
    Dl_info info;
    void *address;
    /* A name without a slash would be searched for among the system's libraries. */
    snprintf(local, sizeof(local), "./%s", path);
    loader->handle = dlopen(strchr(path, '/') != NULL ? path : local, RTLD_NOW | RTLD_LOCAL);
    if (loader->handle == NULL) return explain_dlopen(loader, path, elf);
    find_entry(loader->handle, "OnLoad", &loader->on_load);
    find_entry(loader->handle, "OnUnload", &loader->on_unload);
    if (loader->on_load == NULL) return explain_no_entry(loader, path, elf);
    memcpy(&address, &loader->on_load, sizeof(address));
    if (dladdr(address, &info) != 0) loader->base = info.dli_fbase;
    return 0;
}

int tr_loader_open(tr_loader *loader, const char *path) {
    file f = {0};
    tr_elf elf;
    tr_assert(loader->handle == NULL);
    loader->error[0] = '\0';
    int rc = map_file(loader, path, &f);
    if (rc != 0) return rc;
    rc = check_elf(loader, path, &f, &elf);
    if (rc == 0) rc = open_library(loader, path, &elf);
    munmap(f.bytes, f.size);
    return rc;
}

int tr_loader_start(tr_loader *loader, const char *path, void *ctx, void **argv, int argc) {
    tr_assert(loader->on_load != NULL);
    loader->error[0] = '\0';
    answering = loader;
    if (loader->on_load(ctx, argv, argc) != ON_LOAD_FAILED) return 0;
    return fail(loader, TR_EINVAL, "Module %s initialization failed. Module not loaded.", path);
}

int tr_loader_stop(tr_loader *loader, void *ctx) {
    loader->error[0] = '\0';
    if (loader->on_unload == NULL || loader->on_unload(ctx) != ON_LOAD_FAILED) return 0;
    return fail(loader, TR_EACCES, "The module refused to be unloaded.");
}

void tr_loader_close(tr_loader *loader) {
    if (loader->handle != NULL) dlclose(loader->handle);
    if (answering == loader) answering = NULL;
    tr_free(loader->mem, loader->missing);
    loader->handle = NULL;
    loader->on_load = NULL;
    loader->on_unload = NULL;
    loader->base = NULL;
    loader->missing = NULL;
    loader->missing_count = loader->missing_cap = 0;
}

/* --- the lookup function --- */

static const char *without_prefix(const char *name) {
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], length) == 0 && name[length] != '\0') return name + length;
    }
    return NULL;
}

static bool make_room(tr_loader *loader) {
    if (loader->missing_count < loader->missing_cap) return true;
    if (loader->missing_cap >= TR_LOADER_MISSING_MAX) return false;
    size_t cap = loader->missing_cap == 0 ? MISSING_START : loader->missing_cap * 2;
    void *grown = tr_realloc(loader->mem, loader->missing, cap * sizeof(*loader->missing));
    if (grown == NULL) return false;
    loader->missing = grown;
    loader->missing_cap = cap;
    return true;
}

static void note_missing(tr_loader *loader, const char *name) {
    size_t length = strnlen(name, TR_LOADER_NAME_MAX);
    for (size_t i = 0; i < loader->missing_count; i++) {
        if (strcmp(loader->missing[i], name) == 0) return;
    }
    if (length == TR_LOADER_NAME_MAX || !make_room(loader)) {
        loader->missing_dropped++;
        return;
    }
    memcpy(loader->missing[loader->missing_count++], name, length + 1);
}

int tr_loader_get_api(const char *name, void *target) {
    tr_loader *loader = answering;
    if (loader == NULL || name == NULL || target == NULL) return 1;
    const char *stem = without_prefix(name);
    void *found = stem == NULL ? NULL : loader->resolve(loader->resolve_arg, stem);
    if (found == NULL) {
        note_missing(loader, name);
        return 1;
    }
    memcpy(target, &found, sizeof(found));
    loader->resolved_count++;
    return 0;
}
