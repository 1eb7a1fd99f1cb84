#include "sandbox/elf_file.h"

#include <elf.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

#define NOTE_ALIGNMENT 4

static const struct machine {
    uint16_t number;
    const char *name;
} machines[] = {
    {EM_386, "32-bit x86"}, {EM_X86_64, "x86-64"},   {EM_ARM, "32-bit Arm"},
    {EM_AARCH64, "AArch64"}, {EM_PPC64, "64-bit PowerPC"}, {EM_S390, "S/390"},
    {EM_MIPS, "MIPS"},      {EM_RISCV, "RISC-V"},    {258, "LoongArch"},
};

const char *tr_elf_machine_name(uint16_t machine) {
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        if (machines[i].number == machine) return machines[i].name;
    }
    return NULL;
}

uint16_t tr_elf_own_machine(void) {
#if defined(__x86_64__)
    return EM_X86_64;
#elif defined(__aarch64__)
    return EM_AARCH64;
#elif defined(__riscv)
    return EM_RISCV;
#elif defined(__powerpc64__)
    return EM_PPC64;
#else
    return EM_NONE;
#endif
}

/* --- bytes, checked --- */

static bool inside(const tr_elf *elf, uint64_t offset, uint64_t size) {
    return offset <= elf->size && size <= elf->size - offset;
}

/* Copies a record out, so alignment does not matter. */
static bool read_at(const tr_elf *elf, uint64_t offset, void *record, size_t size) {
    if (!inside(elf, offset, size)) return false;
    memcpy(record, elf->bytes + offset, size);
    return true;
}

static bool read_word(const tr_elf *elf, uint64_t offset, uint32_t *word) {
    return read_at(elf, offset, word, sizeof(*word));
}

/* A name that ends within the range, or NULL. */
static const char *name_in(const tr_elf *elf, tr_elf_range range, uint64_t at) {
    if (at >= range.size || !inside(elf, range.offset, range.size)) return NULL;
    const uint8_t *start = elf->bytes + range.offset + at;
    return memchr(start, '\0', range.size - at) != NULL ? (const char *)start : NULL;
}

static size_t records(tr_elf_range range, size_t record_size) {
    return (size_t)(range.size / record_size);
}

static bool program_header(const tr_elf *elf, size_t index, Elf64_Phdr *header) {
    if (index >= records(elf->program_headers, sizeof(*header))) return false;
    return read_at(elf, elf->program_headers.offset + index * sizeof(*header), header,
                   sizeof(*header));
}

/* Where the bytes of an address lie in the file, and how many follow in the same segment. */
static bool find_address(const tr_elf *elf, uint64_t address, tr_elf_range *place) {
    Elf64_Phdr header;
    for (size_t i = 0; program_header(elf, i, &header); i++) {
        if (header.p_type != PT_LOAD || address < header.p_vaddr) continue;
        uint64_t within = address - header.p_vaddr;
        if (within >= header.p_filesz || !inside(elf, header.p_offset, header.p_filesz)) continue;
        place->offset = header.p_offset + within;
        place->size = header.p_filesz - within;
        return true;
    }
    return false;
}

/* --- opening --- */

static const char *read_identity(tr_elf *elf) {
    unsigned char ident[EI_NIDENT];
    if (!read_at(elf, 0, ident, SELFMAG) || memcmp(ident, ELFMAG, SELFMAG) != 0) {
        return "it is not an ELF file";
    }
    if (!read_at(elf, 0, ident, sizeof(ident))) return "its header is cut short";
    if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64) {
        return "its word size is unknown";
    }
    if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB) {
        return "its byte order is unknown";
    }
    if (!inside(elf, EI_NIDENT, 4)) return "its header is cut short";
    elf->bits = ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
    elf->little_endian = ident[EI_DATA] == ELFDATA2LSB;
    const uint8_t *p = elf->bytes + EI_NIDENT;
    bool little = elf->little_endian;
    elf->type = (uint16_t)(little ? p[0] | p[1] << 8 : p[0] << 8 | p[1]);
    elf->machine = (uint16_t)(little ? p[2] | p[3] << 8 : p[2] << 8 | p[3]);
    return NULL;
}

static const char *read_header(tr_elf *elf) {
    Elf64_Ehdr header;
    if (!read_at(elf, 0, &header, sizeof(header))) return "its header is cut short";
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0) {
        return "it has no program headers";
    }
    elf->program_headers.offset = header.e_phoff;
    elf->program_headers.size = (uint64_t)header.e_phnum * sizeof(Elf64_Phdr);
    if (!inside(elf, elf->program_headers.offset, elf->program_headers.size)) {
        return "its program headers lie outside of the file: it is cut short or damaged";
    }
    if (header.e_shentsize == sizeof(Elf64_Shdr)) {
        elf->section_headers.offset = header.e_shoff;
        elf->section_headers.size = (uint64_t)header.e_shnum * sizeof(Elf64_Shdr);
        elf->section_names = header.e_shstrndx;
    }
    if (!inside(elf, elf->section_headers.offset, elf->section_headers.size)) {
        return "its section headers lie outside of the file: it is cut short or damaged";
    }
    return NULL;
}

/* The note with the build id, among others of the same segment. */
static void find_build_id(tr_elf *elf, uint64_t offset, uint64_t size) {
    uint64_t end = offset + size;
    Elf64_Nhdr note;
    while (elf->build_id.size == 0 && offset < end && end - offset >= sizeof(note) &&
           read_at(elf, offset, &note, sizeof(note))) {
        uint64_t name = offset + sizeof(note);
        uint64_t name_room = ((uint64_t)note.n_namesz + 3) / NOTE_ALIGNMENT * NOTE_ALIGNMENT;
        uint64_t data = name + name_room;
        if (!inside(elf, name, name_room) || !inside(elf, data, note.n_descsz)) return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(elf->bytes + name, "GNU", 4) == 0) {
            elf->build_id = (tr_elf_range){data, note.n_descsz};
        }
        offset = data + ((uint64_t)note.n_descsz + 3) / NOTE_ALIGNMENT * NOTE_ALIGNMENT;
    }
}

static const char *read_segments(tr_elf *elf) {
    Elf64_Phdr header;
    bool loads = false;
    for (size_t i = 0; program_header(elf, i, &header); i++) {
        bool holds = inside(elf, header.p_offset, header.p_filesz);
        if (header.p_type == PT_LOAD) {
            if (!holds) return "a segment lies outside of the file: it is cut short or damaged";
            if (header.p_memsz < header.p_filesz) return "a segment is larger than its memory";
            loads = true;
        } else if (header.p_type == PT_DYNAMIC) {
            if (!holds) return "its dynamic section lies outside of the file";
            elf->dynamic = (tr_elf_range){header.p_offset, header.p_filesz};
        } else if (header.p_type == PT_NOTE && holds) {
            find_build_id(elf, header.p_offset, header.p_filesz);
        }
    }
    return loads ? NULL : "it has nothing to load";
}

/* The last symbol's number follows from the longest chain; what is before first has no chain. */
static bool count_gnu_hash(const tr_elf *elf, tr_elf_range table, uint64_t *count) {
    uint32_t buckets, first, bloom_words;
    if (table.size < 16 || !read_word(elf, table.offset, &buckets) ||
        !read_word(elf, table.offset + 4, &first) ||
        !read_word(elf, table.offset + 8, &bloom_words)) {
        return false;
    }
    uint64_t bucket_at = 16 + (uint64_t)bloom_words * 8;
    uint64_t chain_at = bucket_at + (uint64_t)buckets * 4;
    if (chain_at > table.size) return false;
    uint64_t last = 0;
    for (uint64_t i = 0; i < buckets; i++) {
        uint32_t start;
        if (!read_word(elf, table.offset + bucket_at + i * 4, &start)) return false;
        if (start > last) last = start;
    }
    *count = first;
    if (last < first) return true;
    for (;; last++) {
        uint64_t at = chain_at + (last - first) * 4;
        uint32_t hash;
        if (at > table.size || table.size - at < 4 || !read_word(elf, table.offset + at, &hash)) {
            return false;
        }
        if ((hash & 1) != 0) break;
    }
    *count = last + 1;
    return true;
}

static const char *read_symbols(tr_elf *elf, const uint64_t *tags) {
    tr_elf_range hash, place;
    uint64_t count = 0;
    if (!find_address(elf, tags[DT_STRTAB], &place) || tags[DT_STRSZ] > place.size) {
        return "its table of names lies outside of the file";
    }
    elf->strings = (tr_elf_range){place.offset, tags[DT_STRSZ]};
    if (!find_address(elf, tags[DT_SYMTAB], &elf->symbols)) {
        return "its table of symbols lies outside of the file";
    }
    if (tags[DT_HASH] != 0) {
        uint32_t chains;
        if (!find_address(elf, tags[DT_HASH], &hash) || hash.size < 8 ||
            !read_word(elf, hash.offset + 4, &chains)) {
            return "its hash table lies outside of the file";
        }
        count = chains;
    } else if (tags[DT_NULL] != 0) { /* where the caller keeps DT_GNU_HASH */
        if (!find_address(elf, tags[DT_NULL], &hash) || !count_gnu_hash(elf, hash, &count)) {
            return "its hash table is damaged";
        }
    }
    if (count > elf->symbols.size / sizeof(Elf64_Sym)) return "it has more symbols than bytes";
    elf->symbol_count = (size_t)count;
    return NULL;
}

static const char *read_dynamic(tr_elf *elf) {
    uint64_t tags[DT_NUM] = {0};
    size_t count = records(elf->dynamic, sizeof(Elf64_Dyn));
    Elf64_Dyn entry;
    if (count == 0) return "it is not a shared library: it has no dynamic section";
    for (size_t i = 0; i < count; i++) {
        if (!read_at(elf, elf->dynamic.offset + i * sizeof(entry), &entry, sizeof(entry))) break;
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag > 0 && entry.d_tag < DT_NUM) tags[entry.d_tag] = entry.d_un.d_val;
        if (entry.d_tag == DT_GNU_HASH) tags[DT_NULL] = entry.d_un.d_val;
    }
    return read_symbols(elf, tags);
}

int tr_elf_open(tr_elf *elf, const void *bytes, size_t size, const char **why) {
    memset(elf, 0, sizeof(*elf));
    elf->bytes = bytes;
    elf->size = size;
    const char *problem = read_identity(elf);
    if (problem == NULL && (elf->bits != 64 || !elf->little_endian)) {
        problem = elf->bits != 64 ? "it is a 32-bit library" : "it is a big-endian library";
    }
    if (problem == NULL && elf->type != ET_DYN) {
        problem = elf->type == ET_REL ? "it is an object file that was not linked"
                                      : "it is not a shared library";
    }
    if (problem == NULL) problem = read_header(elf);
    if (problem == NULL) problem = read_segments(elf);
    if (problem == NULL) problem = read_dynamic(elf);
    if (problem == NULL) return 0;
    *why = problem;
    return TR_EPROTO;
}

/* --- asking --- */

int tr_elf_symbol_at(const tr_elf *elf, size_t index, tr_elf_symbol *symbol) {
    Elf64_Sym record;
    tr_assert(index < elf->symbol_count);
    if (!read_at(elf, elf->symbols.offset + index * sizeof(record), &record, sizeof(record))) {
        return TR_EPROTO;
    }
    const char *name = name_in(elf, elf->strings, record.st_name);
    if (name == NULL) return TR_EPROTO;
    symbol->name = name;
    symbol->address = record.st_value;
    symbol->defined = record.st_shndx != SHN_UNDEF;
    symbol->weak = ELF64_ST_BIND(record.st_info) == STB_WEAK;
    symbol->local = ELF64_ST_BIND(record.st_info) == STB_LOCAL;
    symbol->function = ELF64_ST_TYPE(record.st_info) == STT_FUNC ||
                       ELF64_ST_TYPE(record.st_info) == STT_GNU_IFUNC;
    return 0;
}

int tr_elf_find(const tr_elf *elf, const char *name, tr_elf_symbol *symbol) {
    tr_elf_symbol one;
    for (size_t i = 0; i < elf->symbol_count; i++) {
        if (tr_elf_symbol_at(elf, i, &one) != 0) continue;
        if (one.defined && !one.local && strcmp(one.name, name) == 0) {
            *symbol = one;
            return 0;
        }
    }
    return TR_ENOENT;
}

int tr_elf_needed(const tr_elf *elf, size_t index, const char **name) {
    size_t count = records(elf->dynamic, sizeof(Elf64_Dyn));
    size_t seen = 0;
    Elf64_Dyn entry;
    for (size_t i = 0; i < count && seen <= TR_ELF_NEEDED_MAX; i++) {
        if (!read_at(elf, elf->dynamic.offset + i * sizeof(entry), &entry, sizeof(entry))) break;
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag != DT_NEEDED || seen++ != index) continue;
        const char *found = name_in(elf, elf->strings, entry.d_un.d_val);
        if (found == NULL) return TR_EPROTO;
        *name = found;
        return 0;
    }
    return TR_ENOENT;
}

static bool section_header(const tr_elf *elf, size_t index, Elf64_Shdr *header) {
    if (index >= records(elf->section_headers, sizeof(*header))) return false;
    return read_at(elf, elf->section_headers.offset + index * sizeof(*header), header,
                   sizeof(*header));
}

int tr_elf_debug_link(const tr_elf *elf, const char **name) {
    Elf64_Shdr header;
    if (!section_header(elf, elf->section_names, &header)) return TR_ENOENT;
    tr_elf_range names = {header.sh_offset, header.sh_size};
    for (size_t i = 0; section_header(elf, i, &header); i++) {
        const char *section = name_in(elf, names, header.sh_name);
        if (section == NULL || strcmp(section, ".gnu_debuglink") != 0) continue;
        if (header.sh_type == SHT_NOBITS) continue;
        const char *found = name_in(elf, (tr_elf_range){header.sh_offset, header.sh_size}, 0);
        if (found == NULL || found[0] == '\0') return TR_EPROTO;
        *name = found;
        return 0;
    }
    return TR_ENOENT;
}
