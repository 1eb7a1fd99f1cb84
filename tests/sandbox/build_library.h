/* build_library.h - small shared libraries for the tests, compiled when the test runs. */
#ifndef TR_TESTS_BUILD_LIBRARY_H
#define TR_TESTS_BUILD_LIBRARY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char build_folder[64];

/* Makes the folder that the libraries go to; 0 or -1. */
static int build_begin(void) {
    snprintf(build_folder, sizeof(build_folder), "/tmp/tr-libraries-XXXXXX");
    return mkdtemp(build_folder) != NULL ? 0 : -1;
}

/* Removes the folder and what is in it. */
static void build_end(void) {
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", build_folder);
    if (system(command) != 0) fprintf(stderr, "could not remove %s\n", build_folder);
}

/* The path of a file in the folder, in one of a few buffers that take turns. */
static const char *build_path(const char *name) {
    static char paths[8][128];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", build_folder, name);
    return path;
}

/* Compiles source text ("c" or "c++") into name; flags may be empty. 0 or the compiler's end. */
static int build_library(const char *name, const char *language, const char *flags,
                         const char *source) {
    char command[512];
    snprintf(command, sizeof(command), "%s -shared -fPIC -x %s -o '%s' - %s",
             strcmp(language, "c++") == 0 ? "c++" : "cc", language, build_path(name), flags);
    FILE *compiler = popen(command, "w");
    if (compiler == NULL) return -1;
    fputs(source, compiler);
    return pclose(compiler);
}

#endif
