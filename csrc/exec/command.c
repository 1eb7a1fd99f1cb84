#include "exec/command.h"

#include <string.h>

#include "base/assert.h"
#include "exec/command_table_parts.h"

typedef struct name_words {
    uint64_t head, tail;
} name_words;

/* ASCII letters in eight bytes at once to lower case, every other byte as it is. */
static uint64_t lower_word(uint64_t w) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low7 = w & (ones * 0x7f);
    uint64_t from_a = low7 + ones * (0x80 - 'A');
    uint64_t past_z = low7 + ones * (0x7f - 'Z');
    uint64_t upper = (from_a ^ past_z) & ~w & (ones * 0x80);
    return w | upper >> 2;
}

static uint64_t little_endian(uint64_t w) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(w);
#else
    return w;
#endif
}

/* Up to eight bytes, zero padded, without reading past them: two overlapping loads where there are four or more. */
static uint64_t load_short(const char *p, size_t len) {
    uint64_t w = 0;
    if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, p, 4);
        memcpy(&last, p + len - 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        first = __builtin_bswap32(first);
        last = __builtin_bswap32(last);
#endif
        return (uint64_t)first | (uint64_t)last << (8 * (len - 4));
    }
    for (size_t i = 0; i < len; i++)
        w |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return w;
}

static uint64_t load_full(const char *p) {
    uint64_t w;
    memcpy(&w, p, 8);
    return little_endian(w);
}

static name_words pack_name(const char *p, size_t len) {
    name_words words;
    if (len <= 8) {
        words.head = lower_word(load_short(p, len));
        words.tail = 0;
    } else {
        words.head = lower_word(load_full(p));
        words.tail = lower_word(load_full(p + len - 8));
    }
    return words;
}

static uint64_t hash_name(name_words words, uint64_t multiplier) {
    return (words.head ^ (words.tail << 1 | words.tail >> 63)) * multiplier;
}

/* The bytes that neither word covers: those between the first and the last eight. */
static int middle_equals(const tr_command *cmd, const char *p, size_t len) {
    for (size_t i = 8; i + 8 < len; i++) {
        char c = p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        if (c != cmd->name[i])
            return 0;
    }
    return 1;
}

static int is_called(const tr_command *cmd, name_words words, const char *p, size_t len) {
    return cmd->name_head == words.head && cmd->name_tail == words.tail && cmd->name_len == len &&
           (len <= 16 || middle_equals(cmd, p, len));
}

const tr_command *tr_command_find(const char *name, size_t len) {
    const tr_command_table *t = &tr__command_table;
    name_words words = pack_name(name, len);
    uint64_t hash = hash_name(words, t->multiplier);
    uint32_t slot =
        ((uint32_t)(hash >> 32) + t->displacements[hash >> t->bucket_shift]) & t->slot_mask;
    const tr_command *cmd;

    if (t->slots[slot] == 0)
        return NULL;
    cmd = &t->top[t->slots[slot] - 1];
    return TR_LIKELY(is_called(cmd, words, name, len)) ? cmd : NULL;
}

const tr_command *tr_command_find_sub(const tr_command *parent, const char *name, size_t len) {
    name_words words = pack_name(name, len);
    for (int i = 0; i < parent->subcommand_count; i++)
        if (is_called(&parent->subcommands[i], words, name, len))
            return &parent->subcommands[i];
    return NULL;
}

const tr_command *tr_command_resolve(const tr_arg *argv, int argc) {
    const tr_command *cmd = argc > 0 ? tr_command_find(argv[0].ptr, argv[0].len) : NULL;
    if (cmd == NULL || cmd->subcommand_count == 0 || argc == 1)
        return cmd;
    return tr_command_find_sub(cmd, argv[1].ptr, argv[1].len);
}

const tr_command *tr_command_by_id(uint16_t id) {
    tr_assert(id < tr__command_table.count);
    return tr__command_table.by_id[id];
}

uint16_t tr_command_count(void) {
    return tr__command_table.count;
}

int tr_command_has_keys(const tr_command *cmd) {
    for (int i = 0; i < cmd->key_spec_count; i++)
        if ((cmd->key_specs[i].flags & TR_KEY_NOT_KEY) == 0)
            return 1;
    return cmd->keys_fn != NULL;
}
