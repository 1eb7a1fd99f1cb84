#include "exec/keys.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/num.h"

void tr_keys_init(tr_keys *keys, tr_mem *mem) {
    keys->positions = keys->inline_positions;
    keys->flags = keys->inline_flags;
    keys->count = 0;
    keys->cap = TR_KEYS_INLINE;
    keys->mem = mem;
}

void tr_keys_clear(tr_keys *keys) {
    if (keys->positions != keys->inline_positions) {
        tr_free(keys->mem, keys->positions);
        tr_free(keys->mem, keys->flags);
    }
    tr_keys_init(keys, keys->mem);
}

/* Doubles the room. Both arrays are new before the old ones go, so failing changes nothing. */
static int grow(tr_keys *keys) {
    size_t cap = (size_t)keys->cap * 2;
    size_t count = (size_t)keys->count;
    int *positions = tr_alloc(keys->mem, cap * sizeof(*positions));
    uint32_t *flags = tr_alloc(keys->mem, cap * sizeof(*flags));

    if (positions == NULL || flags == NULL) {
        tr_free(keys->mem, positions);
        tr_free(keys->mem, flags);
        return TR_ENOMEM;
    }
    memcpy(positions, keys->positions, count * sizeof(*positions));
    memcpy(flags, keys->flags, count * sizeof(*flags));
    tr_keys_clear(keys);
    keys->positions = positions;
    keys->flags = flags;
    keys->count = (int)count;
    keys->cap = (int)cap;
    return 0;
}

int tr_keys_add(tr_keys *keys, int position, uint32_t flags) {
    tr_assert(position > 0);
    tr_assert(keys->count <= keys->cap);
    if (keys->count == keys->cap) {
        int rc = grow(keys);
        if (rc < 0)
            return rc;
    }
    keys->positions[keys->count] = position;
    keys->flags[keys->count] = flags;
    keys->count++;
    return 0;
}

static int arg_is(const tr_arg *arg, const char *word) {
    return strlen(word) == arg->len && strncasecmp(arg->ptr, word, arg->len) == 0;
}

/* Where the search for keys begins: a position below argc, or 0 when there are none. */
static int find_begin(const tr_key_spec *spec, const tr_arg *argv, int argc) {
    int step = spec->begin_index > 0 ? 1 : -1;
    int from = spec->begin_index > 0 ? spec->begin_index : argc + spec->begin_index;

    if (spec->begin == TR_BEGIN_INDEX)
        return spec->begin_index < argc ? spec->begin_index : 0;
    /* A keyword in the last place has nothing behind it; one in place 0 is the command's name. */
    for (int i = from; i > 0 && i < argc; i += step)
        if (arg_is(&argv[i], spec->keyword))
            return i + 1 < argc ? i + 1 : 0;
    return 0;
}

/* The last key's position of a range that begins at `first`. It may lie outside of argv. */
static int range_end(const tr_key_spec *spec, int first, int argc) {
    if (spec->last_key >= 0)
        return first + spec->last_key;
    if (spec->limit <= 1)
        return argc + spec->last_key;
    return first + (argc - first) / spec->limit + spec->last_key;
}

/* First and last position of counted keys. TR_EINVAL: the count is no number, or more than there are arguments. */
static int counted_range(const tr_key_spec *spec, const tr_arg *argv, int argc, int *first,
                         int *last) {
    int at = *first + spec->keynum_index;
    int64_t count;

    if (at >= argc || !tr_num_parse_int(argv[at].ptr, argv[at].len, &count))
        return TR_EINVAL;
    if (count < 0 || count > argc)
        return TR_EINVAL;
    *first += spec->first_key;
    int64_t end = *first + (count - 1) * spec->key_step;
    *last = end < argc ? (int)end : argc;
    return 0;
}

int tr_keys_from_spec(const tr_key_spec *spec, const tr_arg *argv, int argc, tr_keys *keys) {
    int first = find_begin(spec, argv, argc);
    int last, rc;

    tr_assert(spec->begin != TR_BEGIN_UNKNOWN && spec->find != TR_FIND_UNKNOWN);
    tr_assert(spec->key_step > 0);
    if (first == 0)
        return 0;
    if (spec->find == TR_FIND_KEYNUM) {
        rc = counted_range(spec, argv, argc, &first, &last);
        if (rc < 0)
            return rc;
    } else {
        last = range_end(spec, first, argc);
    }
    if (last >= argc)
        return TR_EINVAL;
    for (int i = first; i <= last; i += spec->key_step) {
        rc = tr_keys_add(keys, i, spec->flags);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int keys_from_specs(const tr_command *cmd, const tr_arg *argv, int argc, unsigned options,
                           tr_keys *keys) {
    for (int i = 0; i < cmd->key_spec_count; i++) {
        const tr_key_spec *spec = &cmd->key_specs[i];
        int rc;
        if ((spec->flags & TR_KEY_NOT_KEY) && !(options & TR_KEYS_WITH_NOT_KEYS))
            continue;
        if (spec->begin == TR_BEGIN_UNKNOWN || spec->find == TR_FIND_UNKNOWN)
            return TR_EINVAL; /* a module's, which doesn't say where */
        rc = tr_keys_from_spec(spec, argv, argc, keys);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int tr_keys_get(const tr_command *cmd, const tr_arg *argv, int argc, unsigned options,
                tr_keys *keys) {
    int rc;
    tr_assert(argc > 0);
    tr_keys_clear(keys);
    rc = cmd->keys_fn != NULL ? cmd->keys_fn(argv, argc, keys)
                              : keys_from_specs(cmd, argv, argc, options, keys);
    if (rc < 0)
        tr_keys_clear(keys);
    return rc;
}

int tr_getkeys_set(const tr_arg *argv, int argc, tr_keys *keys) {
    uint32_t flags = TR_KEY_OW | TR_KEY_UPDATE;
    if (argc < 2)
        return 0;
    for (int i = 3; i < argc; i++)
        if (arg_is(&argv[i], "GET"))
            flags = TR_KEY_RW | TR_KEY_ACCESS | TR_KEY_UPDATE;
    return tr_keys_add(keys, 1, flags);
}
