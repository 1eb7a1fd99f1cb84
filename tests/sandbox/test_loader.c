/* Aim: each way in which a module does not load ends in one line that says why, and one that loads
 * gets its API. Method: modules are compiled here, good ones and one for each mistake. */
#include "sandbox/loader.h"

#include <sys/stat.h>

#include "base/err.h"
#include "build_library.h"
#include "check.h"
#include "sandbox/elf_file.h"

/* What a host puts where ctx points to: the lookup function, then its own. */
typedef struct context {
    int (*get_api)(const char *name, void *target);
    int loads;
    int unloads;
    int argc;
    int answer;
} context;

static const char good[] =
    "struct context { int (*get_api)(const char *, void *); int loads, unloads, argc, answer; };\n"
    "int (*RedisModule_Answer)(void);\n"
    "int (*ValkeyModule_Answer)(void);\n"
    "void (*RedisModule__Assert)(void);\n"
    "int (*RedisModule_Future)(void);\n"
    "int RedisModule_OnLoad(void *p, void **argv, int argc) {\n"
    "    struct context *c = p;\n"
    "    (void)argv;\n"
    "    c->loads++; c->argc = argc;\n"
    "    if (c->get_api(\"RedisModule_Answer\", &RedisModule_Answer) != 0) return 1;\n"
    "    if (c->get_api(\"ValkeyModule_Answer\", &ValkeyModule_Answer) != 0) return 1;\n"
    "    if (c->get_api(\"RedisModule__Assert\", &RedisModule__Assert) != 0) return 1;\n"
    "    c->get_api(\"RedisModule_Future\", &RedisModule_Future);\n"
    "    c->get_api(\"RedisModule_Future\", &RedisModule_Future);\n"
    "    c->get_api(\"SomethingElse\", &RedisModule_Future);\n"
    "    c->get_api(\"RedisModule_\", &RedisModule_Future);\n"
    "    if (RedisModule_Future) return 1;\n"
    "    c->answer = RedisModule_Answer() + ValkeyModule_Answer();\n"
    "    return argc == 9 ? 1 : 0;\n"
    "}\n"
    "int RedisModule_OnUnload(void *p) {\n"
    "    struct context *c = p;\n"
    "    return c->unloads++ == 0 ? 1 : 0;\n"
    "}\n";

static int answer(void) {
    return 21;
}

static void do_assert(void) {}

static void *resolve(void *arg, const char *name) {
    static const struct {
        const char *name;
        void (*function)(void);
    } table[] = {{"Answer", (void (*)(void))answer}, {"_Assert", do_assert}};
    ++*(int *)arg;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        void *address;
        if (strcmp(table[i].name, name) != 0) continue;
        memcpy(&address, &table[i].function, sizeof(address));
        return address;
    }
    return NULL;
}

static tr_mem mem;
static int asked;

static tr_loader fresh(void) {
    tr_loader loader;
    asked = 0;
    tr_loader_init(&loader, &mem, resolve, &asked);
    return loader;
}

/* Opens what cannot be opened: the line has the path, the parts in order, and no line end. */
static void check_fails(const char *name, int code, const char *first, const char *second) {
    tr_loader loader = fresh();
    const char *path = build_path(name);
    CHECK_EQ_INT(tr_loader_open(&loader, path), code);
    const char *line = tr_loader_error(&loader);
    const char *found = strstr(line, first);
    CHECK(strncmp(line, "Module ", 7) == 0);
    CHECK(strstr(line, path) != NULL);
    CHECK(found != NULL);
    CHECK(found != NULL && strstr(found + strlen(first), second) != NULL);
    CHECK(strchr(line, '\n') == NULL);
    if (found == NULL) fprintf(stderr, "%s\n", line);
    tr_loader_close(&loader);
}

static void test_a_module_that_loads(void) {
    tr_loader loader = fresh();
    context ctx = {.get_api = tr_loader_get_api};
    void *argv[2] = {NULL, NULL};
    CHECK_EQ_INT(build_library("good.so", "c", "", good), 0);
    const char *path = build_path("good.so");
    CHECK_EQ_INT(tr_loader_open(&loader, path), 0);
    CHECK_EQ_STR(tr_loader_error(&loader), "");
    CHECK(loader.base != NULL);
    CHECK_EQ_INT(ctx.loads, 0);
    CHECK_EQ_INT(tr_loader_start(&loader, path, &ctx, argv, 2), 0);
    CHECK_EQ_INT(ctx.loads, 1);
    CHECK_EQ_INT(ctx.argc, 2);
    CHECK_EQ_INT(ctx.answer, 42);
    CHECK_EQ_INT(loader.resolved_count, 3);
    CHECK_EQ_INT(asked, 5); /* names without a known prefix are not asked for */
    CHECK_EQ_INT(loader.missing_count, 3);
    CHECK_EQ_STR(loader.missing[0], "RedisModule_Future");
    CHECK_EQ_STR(loader.missing[1], "SomethingElse");
    CHECK_EQ_STR(loader.missing[2], "RedisModule_");
    CHECK_EQ_INT(tr_loader_stop(&loader, &ctx), TR_EACCES);
    CHECK(strstr(tr_loader_error(&loader), "refused") != NULL);
    CHECK_EQ_INT(tr_loader_stop(&loader, &ctx), 0);
    tr_loader_close(&loader);
    CHECK_EQ_INT(mem.used, 0);
    void *untouched = &ctx;
    CHECK_EQ_INT(tr_loader_get_api("RedisModule_Answer", &untouched), 1); /* nobody answers now */
    CHECK(untouched == &ctx);
}

static void test_on_load_says_no(void) {
    tr_loader loader = fresh();
    context ctx = {.get_api = tr_loader_get_api};
    void *argv[9] = {NULL};
    const char *path = build_path("good.so");
    CHECK_EQ_INT(tr_loader_open(&loader, path), 0);
    CHECK_EQ_INT(tr_loader_start(&loader, path, &ctx, argv, 9), TR_EINVAL);
    CHECK(strstr(tr_loader_error(&loader), "initialization failed. Module not loaded.") != NULL);
    tr_loader_close(&loader);
}

static void test_valkey_entry_points(void) {
    tr_loader loader = fresh();
    context ctx = {.get_api = tr_loader_get_api};
    CHECK_EQ_INT(build_library("valkey.so", "c", "",
                               "int ValkeyModule_OnLoad(void *c, void **v, int n) {\n"
                               "    (void)c; (void)v; (void)n; return 0; }\n"),
                 0);
    const char *path = build_path("valkey.so");
    CHECK_EQ_INT(tr_loader_open(&loader, path), 0);
    CHECK_EQ_INT(tr_loader_start(&loader, path, &ctx, NULL, 0), 0);
    CHECK_EQ_INT(tr_loader_stop(&loader, &ctx), 0); /* it has no OnUnload: nothing to ask */
    tr_loader_close(&loader);
}

static void test_no_entry_point(void) {
    static const char source[] = "int RedisModule_OnLoad(void *c, void **v, int n) {\n"
                                 "    (void)c; (void)v; (void)n; return 0; }\n";
    CHECK_EQ_INT(build_library("none.so", "c", "", "int nothing;\n"), 0);
    check_fails("none.so", TR_ENOENT,
                " does not export RedisModule_OnLoad() symbol. Module not loaded.", "");
    CHECK_EQ_INT(build_library("mangled.so", "c++", "", source), 0);
    check_fails("mangled.so", TR_ENOENT,
                " does not export RedisModule_OnLoad() symbol. Module not loaded.",
                "It exports _Z18RedisModule_OnLoadPvPS_i: the function was compiled as C++");
    CHECK_EQ_INT(build_library("cxx.so", "c++", "-D'MAIN=extern \"C\"'",
                               "MAIN int RedisModule_OnLoad(void *, void **, int) { return 0; }\n"),
                 0);
    tr_loader loader = fresh();
    CHECK_EQ_INT(tr_loader_open(&loader, build_path("cxx.so")), 0);
    tr_loader_close(&loader);
}

static void test_unresolved_symbols(void) {
    static const char source[] =
        "int first_missing(void); extern int second_missing;\n"
        "__attribute__((weak)) int may_be_missing(void);\n"
        "int abs(int);\n"
        "int RedisModule_OnLoad(void *c, void **v, int n) { (void)c; (void)v;\n"
        "    return abs(n) + first_missing() + second_missing + (may_be_missing != 0); }\n";
    CHECK_EQ_INT(build_library("loose.so", "c", "", source), 0);
    check_fails("loose.so", TR_EIO, "nothing defines ", "first_missing");
    check_fails("loose.so", TR_EIO, "nothing defines ", "second_missing");
    tr_loader loader = fresh();
    CHECK_EQ_INT(tr_loader_open(&loader, build_path("loose.so")), TR_EIO);
    CHECK(strstr(tr_loader_error(&loader), "may_be_missing") == NULL);
    CHECK(strstr(tr_loader_error(&loader), "abs") == NULL);
    tr_loader_close(&loader);
    char many[8192] = "";
    for (int i = 0; i < 20; i++) {
        snprintf(many + strlen(many), sizeof(many) - strlen(many), "void missing_%d(void);\n", i);
    }
    strcat(many, "void RedisModule_OnLoad(void) {\n");
    for (int i = 0; i < 20; i++) {
        snprintf(many + strlen(many), sizeof(many) - strlen(many), "missing_%d();\n", i);
    }
    strcat(many, "}\n");
    CHECK_EQ_INT(build_library("many.so", "c", "", many), 0);
    check_fails("many.so", TR_EIO, "missing_", "and 4 more symbols.");
}

static void test_missing_library(void) {
    char flags[160];
    CHECK_EQ_INT(build_library("libgone.so", "c", "", "int gone(void) { return 1; }\n"), 0);
    snprintf(flags, sizeof(flags), "-L'%s' -Wl,--no-as-needed -lgone", build_folder);
    CHECK_EQ_INT(build_library("needs.so", "c", flags,
                               "int gone(void);\n"
                               "int RedisModule_OnLoad(void *c, void **v, int n) {\n"
                               "    (void)c; (void)v; (void)n; return gone(); }\n"),
                 0);
    CHECK_EQ_INT(unlink(build_path("libgone.so")), 0);
    check_fails("needs.so", TR_EIO, "it needs the library libgone.so", "cannot be loaded");
}

static void write_bytes(const char *name, const void *bytes, size_t size, mode_t mode) {
    FILE *f = fopen(build_path(name), "wb");
    CHECK(f != NULL);
    if (f == NULL) return;
    CHECK_EQ_INT(fwrite(bytes, 1, size, f), size);
    fclose(f);
    CHECK_EQ_INT(chmod(build_path(name), mode), 0);
}

static void test_files_that_are_no_libraries(void) {
    uint8_t elf[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    check_fails("not-there.so", TR_ENOENT, "failed to load: No such file", "");
    CHECK_EQ_INT(mkdir(build_path("folder.so"), 0700), 0);
    check_fails("folder.so", TR_EACCES, "it is a folder", "");
    CHECK_EQ_INT(mkfifo(build_path("pipe.so"), 0700), 0);
    check_fails("pipe.so", TR_EACCES, "not a regular file", "");
    write_bytes("text.so", "#!/bin/sh\n", 10, 0755);
    check_fails("text.so", TR_EPROTO, "it is not an ELF file", "");
    write_bytes("text.so", "#!/bin/sh\n", 10, 0644);
    check_fails("text.so", TR_EACCES, "does not have execute permissions", "");
    write_bytes("empty.so", "", 0, 0755);
    check_fails("empty.so", TR_EPROTO, "the file is empty", "");
    elf[16] = 3;
    elf[18] = tr_elf_own_machine() == 62 ? 183 : 62;
    write_bytes("other.so", elf, sizeof(elf), 0755);
    check_fails("other.so", TR_EPROTO, "it was built for ", "but this server runs on ");
    elf[18] = (uint8_t)tr_elf_own_machine();
    elf[4] = 1;
    write_bytes("short.so", elf, sizeof(elf), 0755);
    check_fails("short.so", TR_EPROTO, "it is a 32-bit library", "");
}

/* Never reaches dlopen with a file that is cut short. */
static void test_library_that_is_cut(void) {
    char command[400];
    CHECK_EQ_INT(build_library("whole.so", "c", "", good), 0);
    for (int bytes = 100; bytes < 12000; bytes += 1700) {
        snprintf(command, sizeof(command), "head -c %d '%s' > '%s' && chmod 755 '%s'", bytes,
                 build_path("whole.so"), build_path("cut.so"), build_path("cut.so"));
        CHECK_EQ_INT(system(command), 0);
        check_fails("cut.so", TR_EPROTO, "failed to load: ", "");
    }
}

static void test_names_beyond_the_limits(void) {
    tr_loader loader = fresh();
    context ctx = {.get_api = tr_loader_get_api};
    char name[300];
    void *target = NULL;
    const char *path = build_path("valkey.so");
    CHECK_EQ_INT(tr_loader_open(&loader, path), 0);
    CHECK_EQ_INT(tr_loader_start(&loader, path, &ctx, NULL, 0), 0);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CHECK_EQ_INT(tr_loader_get_api(name, &target), 1);
    CHECK_EQ_INT(loader.missing_dropped, 1);
    tr_mem_fail_at(&mem, 1);
    CHECK_EQ_INT(tr_loader_get_api("RedisModule_NoMemory", &target), 1);
    CHECK_EQ_INT(loader.missing_dropped, 2);
    CHECK_EQ_INT(loader.missing_count, 0);
    for (int i = 0; i < TR_LOADER_MISSING_MAX + 5; i++) {
        snprintf(name, sizeof(name), "RedisModule_Missing%d", i);
        CHECK_EQ_INT(tr_loader_get_api(name, &target), 1);
    }
    CHECK_EQ_INT(loader.missing_count, TR_LOADER_MISSING_MAX);
    CHECK_EQ_INT(loader.missing_dropped, 7);
    CHECK(target == NULL);
    CHECK_EQ_INT(tr_loader_get_api(NULL, &target), 1);
    tr_loader_close(&loader);
    CHECK_EQ_INT(mem.used, 0);
}

/* A name without a slash is a file of the current folder, not a library of the system. */
static void test_name_without_a_folder(void) {
    tr_loader loader = fresh();
    CHECK_EQ_INT(chdir(build_folder), 0);
    CHECK_EQ_INT(tr_loader_open(&loader, "valkey.so"), 0);
    tr_loader_close(&loader);
    CHECK_EQ_INT(chdir("/"), 0);
}

int main(void) {
    tr_mem_init(&mem);
    if (build_begin() != 0) return 1;
    RUN(test_a_module_that_loads);
    RUN(test_on_load_says_no);
    RUN(test_valkey_entry_points);
    RUN(test_no_entry_point);
    RUN(test_unresolved_symbols);
    RUN(test_missing_library);
    RUN(test_files_that_are_no_libraries);
    RUN(test_library_that_is_cut);
    RUN(test_names_beyond_the_limits);
    RUN(test_name_without_a_folder);
    build_end();
    return CHECK_DONE();
}
