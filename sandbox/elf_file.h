/* elf_file.h - reads a shared library's own description before anybody maps it as code.
 *
 *   file header -> program headers -> PT_LOAD   (address <-> place in the file)
 *                                  -> PT_DYNAMIC -> names, symbols, hash tables, needed libraries
 *                                  -> PT_NOTE    -> build id
 *               -> section headers -> .gnu_debuglink (they may be stripped)
 *
 * Works on bytes that it borrows for as long as the tr_elf is used, and trusts none of them: every
 * offset is checked, both ends, and loops are bounded by the size of the file. 64-bit little-endian
 * ELF is read whole; of other kinds just enough to name them.
 *
 * Results that point into the file (names, the build id) live as long as the bytes. No allocation.
 * Fails with TR_EPROTO, and tr_elf_open() then tells why in a static text.
 */
#ifndef TR_SANDBOX_ELF_FILE_H
#define TR_SANDBOX_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TR_ELF_NEEDED_MAX 256 /* libraries that one library may need */

typedef struct tr_elf_range {
    uint64_t offset;
    uint64_t size;
} tr_elf_range;

typedef struct tr_elf {
    const uint8_t *bytes;
    size_t size;
    uint16_t type;    /* ET_*: 3 is a shared object */
    uint16_t machine; /* EM_* */
    uint8_t bits;     /* 32 or 64 */
    bool little_endian;
    tr_elf_range program_headers;
    tr_elf_range section_headers; /* size 0: stripped */
    uint16_t section_names;       /* index of the section with the names */
    tr_elf_range dynamic;         /* size 0: not a dynamic library */
    tr_elf_range strings;
    tr_elf_range symbols;
    size_t symbol_count;
    tr_elf_range build_id; /* size 0: it has none */
} tr_elf;

typedef struct tr_elf_symbol {
    const char *name;
    uint64_t address; /* relative to where the library will be loaded */
    bool defined;
    bool weak;
    bool local;
    bool function;
} tr_elf_symbol;

/* Borrows the bytes. On TR_EPROTO *why has the reason and *elf what was known by then: type,
 * machine and word size are 0 if not even these were readable. */
int tr_elf_open(tr_elf *elf, const void *bytes, size_t size, const char **why);
/* Symbol number index < symbol_count. TR_EPROTO: its record or its name leaves the file. */
int tr_elf_symbol_at(const tr_elf *elf, size_t index, tr_elf_symbol *symbol);
/* A defined symbol that others may link to. TR_ENOENT: there is none. */
int tr_elf_find(const tr_elf *elf, const char *name, tr_elf_symbol *symbol);
/* The library needed as number index; TR_ENOENT past the last. */
int tr_elf_needed(const tr_elf *elf, size_t index, const char **name);
/* The name of the file with the debug information. TR_ENOENT: none is named. */
int tr_elf_debug_link(const tr_elf *elf, const char **name);
/* "x86-64", "AArch64", ... or NULL for a machine that we have no name for. */
const char *tr_elf_machine_name(uint16_t machine);
/* What this program was built for. */
uint16_t tr_elf_own_machine(void);

#endif
