/* Aim: the reader finds in a library what the linker has put there, and survives any other bytes.
 * Method: libraries built with each kind of hash table; every truncation and every single flipped
 * bit of one, read from the end of a page whose neighbour is not there. */
#include "sandbox/elf_file.h"

#include "base/err.h"
#include "base/rng.h"
#include "build_library.h"
#include "check.h"
#include "guard.h"

typedef struct image {
    uint8_t *bytes;
    size_t size;
    guard room; /* the bytes end where it ends */
} image;

static image load(const char *name) {
    image one = {0};
    FILE *f = fopen(build_path(name), "rb");
    if (f == NULL) return one;
    fseek(f, 0, SEEK_END);
    one.size = (size_t)ftell(f);
    rewind(f);
    one.room = guard_new(one.size);
    one.bytes = (uint8_t *)one.room.start + one.room.size - one.size;
    if (fread(one.bytes, 1, one.size, f) != one.size) one.size = 0;
    fclose(f);
    return one;
}

static void unload(image *one) {
    guard_free(&one->room);
}

/* Asks everything; the sum keeps the compiler from leaving anything out. */
static size_t ask_everything(const void *bytes, size_t size) {
    tr_elf elf;
    tr_elf_symbol symbol;
    const char *text = NULL;
    size_t sum = 0;
    if (tr_elf_open(&elf, bytes, size, &text) != 0) return strlen(text);
    for (size_t i = 0; i < elf.symbol_count; i++) {
        if (tr_elf_symbol_at(&elf, i, &symbol) == 0) sum += strlen(symbol.name);
    }
    for (size_t i = 0; i <= TR_ELF_NEEDED_MAX && tr_elf_needed(&elf, i, &text) == 0; i++) {
        sum += strlen(text);
    }
    if (tr_elf_debug_link(&elf, &text) == 0) sum += strlen(text);
    for (uint64_t i = 0; i < elf.build_id.size; i++) sum += elf.bytes[elf.build_id.offset + i];
    if (tr_elf_find(&elf, "present", &symbol) == 0) sum++;
    return sum;
}

static const char source[] = "#include <stdio.h>\n"
                             "int absent(int);\n"
                             "__attribute__((weak)) int perhaps(void);\n"
                             "static int hidden(void) { return 3; }\n"
                             "int present(void) { return absent(hidden()) + puts(\"x\"); }\n"
                             "int also = 4;\n"
                             "int maybe(void) { return perhaps ? perhaps() : 0; }\n";

static void check_symbols(const tr_elf *elf) {
    tr_elf_symbol symbol;
    int absent = 0, perhaps = 0;
    CHECK_EQ_INT(tr_elf_find(elf, "present", &symbol), 0);
    CHECK(symbol.defined && symbol.function && !symbol.weak && symbol.address != 0);
    CHECK_EQ_INT(tr_elf_find(elf, "also", &symbol), 0);
    CHECK(symbol.defined && !symbol.function);
    CHECK_EQ_INT(tr_elf_find(elf, "hidden", &symbol), TR_ENOENT);
    CHECK_EQ_INT(tr_elf_find(elf, "absent", &symbol), TR_ENOENT);
    for (size_t i = 0; i < elf->symbol_count; i++) {
        CHECK_EQ_INT(tr_elf_symbol_at(elf, i, &symbol), 0);
        if (strcmp(symbol.name, "absent") == 0 && !symbol.defined && !symbol.weak) absent++;
        if (strcmp(symbol.name, "perhaps") == 0 && !symbol.defined && symbol.weak) perhaps++;
    }
    CHECK_EQ_INT(absent, 1);
    CHECK_EQ_INT(perhaps, 1);
}

static void test_what_the_linker_wrote(void) {
    static const char *const flags[] = {
        "-Wl,--hash-style=gnu -Wl,--build-id=sha1",
        "-Wl,--hash-style=sysv -Wl,--build-id=0x0102030405",
        "-Wl,--hash-style=both -Wl,--build-id=none",
    };
    static const size_t build_id_bytes[] = {20, 5, 0};
    for (size_t i = 0; i < 3; i++) {
        tr_elf elf;
        const char *text = "";
        CHECK_EQ_INT(build_library("plain.so", "c", flags[i], source), 0);
        image one = load("plain.so");
        CHECK_EQ_INT(tr_elf_open(&elf, one.bytes, one.size, &text), 0);
        CHECK_EQ_STR(text, "");
        CHECK_EQ_INT(elf.bits, 64);
        CHECK_EQ_INT(elf.machine, tr_elf_own_machine());
        CHECK_EQ_INT(elf.build_id.size, build_id_bytes[i]);
        check_symbols(&elf);
        CHECK_EQ_INT(tr_elf_needed(&elf, 0, &text), 0);
        CHECK_EQ_STR(text, "libc.so.6");
        CHECK_EQ_INT(tr_elf_needed(&elf, 1, &text), TR_ENOENT);
        CHECK_EQ_INT(tr_elf_debug_link(&elf, &text), TR_ENOENT);
        unload(&one);
    }
}

static void test_debug_link_and_no_sections(void) {
    char command[600];
    tr_elf elf;
    const char *text = "";
    CHECK_EQ_INT(build_library("full.so", "c", "-g", source), 0);
    snprintf(command, sizeof(command),
             "cd '%s' && objcopy --only-keep-debug full.so full.so.debug && "
             "objcopy --strip-debug --add-gnu-debuglink=full.so.debug full.so linked.so",
             build_folder);
    CHECK_EQ_INT(system(command), 0);
    image one = load("linked.so");
    CHECK_EQ_INT(tr_elf_open(&elf, one.bytes, one.size, &text), 0);
    CHECK_EQ_INT(tr_elf_debug_link(&elf, &text), 0);
    CHECK_EQ_STR(text, "full.so.debug");
    memset(one.bytes + 40, 0, 8);  /* e_shoff */
    memset(one.bytes + 58, 0, 6);  /* size, count and names of the sections */
    CHECK_EQ_INT(tr_elf_open(&elf, one.bytes, one.size, &text), 0);
    CHECK_EQ_INT(tr_elf_debug_link(&elf, &text), TR_ENOENT);
    check_symbols(&elf);
    unload(&one);
}

static void check_refused(const uint8_t *bytes, size_t size, const char *reason) {
    tr_elf elf;
    const char *why = "";
    CHECK_EQ_INT(tr_elf_open(&elf, bytes, size, &why), TR_EPROTO);
    CHECK(strstr(why, reason) != NULL);
}

static void test_other_kinds(void) {
    uint8_t bytes[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    tr_elf elf;
    const char *why = "";
    check_refused((const uint8_t *)"#!/bin/sh\n", 10, "not an ELF file");
    check_refused(bytes, 0, "not an ELF file");
    check_refused(bytes, 6, "cut short");
    bytes[16] = 1; /* ET_REL */
    check_refused(bytes, sizeof(bytes), "not linked");
    bytes[16] = 2; /* ET_EXEC */
    check_refused(bytes, sizeof(bytes), "not a shared library");
    bytes[16] = 3;
    check_refused(bytes, sizeof(bytes), "no program headers");
    bytes[4] = 1;
    bytes[18] = 3; /* EM_386 */
    CHECK_EQ_INT(tr_elf_open(&elf, bytes, sizeof(bytes), &why), TR_EPROTO);
    CHECK_EQ_STR(why, "it is a 32-bit library");
    CHECK_EQ_STR(tr_elf_machine_name(elf.machine), "32-bit x86");
    bytes[4] = 2;
    bytes[5] = 2;
    bytes[16] = bytes[18] = 0;
    bytes[17] = 3;
    bytes[19] = 22; /* EM_S390, big-endian */
    CHECK_EQ_INT(tr_elf_open(&elf, bytes, sizeof(bytes), &why), TR_EPROTO);
    CHECK_EQ_STR(why, "it is a big-endian library");
    CHECK_EQ_STR(tr_elf_machine_name(elf.machine), "S/390");
    bytes[5] = 7;
    check_refused(bytes, sizeof(bytes), "byte order");
    CHECK(tr_elf_machine_name(9999) == NULL);
}

static void test_every_truncation(void) {
    tr_elf elf;
    const char *why = "";
    size_t accepted = 0, sum = 0;
    CHECK_EQ_INT(build_library("cut.so", "c", "-Wl,-z,noseparate-code -s", source), 0);
    image one = load("cut.so");
    uint8_t *end = one.bytes + one.size;
    uint8_t *copy = malloc(one.size);
    memcpy(copy, one.bytes, one.size);
    for (size_t length = 0; length < one.size; length++) {
        memcpy(end - length, copy, length); /* its end is at the wall */
        sum += ask_everything(end - length, length);
        if (tr_elf_open(&elf, end - length, length, &why) == 0) accepted++;
    }
    CHECK(sum > 0);
    CHECK_EQ_INT(accepted, 0);
    free(copy);
    unload(&one);
}

static void test_every_flipped_bit(void) {
    size_t sum = 0;
    image one = load("cut.so");
    for (size_t bit = 0; bit < one.size * 8; bit++) {
        one.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        sum += ask_everything(one.bytes, one.size);
        one.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    CHECK(sum > 0);
    unload(&one);
}

/* Whole words of the tables that steer the reader become extreme. */
static void test_wild_words(void) {
    static const uint64_t wild[] = {0, 1, UINT32_MAX, UINT64_MAX, UINT64_MAX - 7, INT64_MAX};
    tr_rng rng = {.state = 20};
    size_t sum = 0;
    image one = load("cut.so");
    uint8_t *copy = malloc(one.size);
    memcpy(copy, one.bytes, one.size);
    for (int i = 0; i < 20000; i++) {
        for (int words = 0; words < 3; words++) {
            size_t at = (size_t)tr_rng_below(&rng, one.size / 8 - 1) * 8;
            if (tr_rng_below(&rng, 2) == 0) at = (size_t)tr_rng_below(&rng, 64) * 8;
            memcpy(one.bytes + at, &wild[tr_rng_below(&rng, 6)], 8);
        }
        memcpy(one.bytes, copy, 18); /* stays an ELF file, so that the rest is read */
        sum += ask_everything(one.bytes, one.size);
        memcpy(one.bytes, copy, one.size);
    }
    CHECK(sum > 0);
    free(copy);
    unload(&one);
}

int main(void) {
    if (build_begin() != 0) return 1;
    RUN(test_what_the_linker_wrote);
    RUN(test_debug_link_and_no_sections);
    RUN(test_other_kinds);
    RUN(test_every_truncation);
    RUN(test_every_flipped_bit);
    RUN(test_wild_words);
    build_end();
    return CHECK_DONE();
}
