/* Registering: commands, and what a module says of itself. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "exec/keys.h"
#include "modhost/internal.h"

#define NAME_BYTES_MAX 255
#define HANDLES_MAX 30000
#define POSITION_MAX 1048576 /* of an argument: as many as a command can have */

#define ARITY_OF_TWO_WORDS (-2) /* at least: a container and a subcommand */

enum { DONE, TAKEN, BAD_FLAGS, NOT_NOW };

/* The words of CreateCommand. What is 0 is understood and means nothing here. */
static const struct {
    const char *word;
    uint32_t flag;
} words[] = {
    {"write", TR_CMD_WRITE},
    {"readonly", TR_CMD_READONLY},
    {"admin", TR_CMD_ADMIN},
    {"deny-oom", TR_CMD_DENYOOM},
    {"deny-script", TR_CMD_NOSCRIPT},
    {"allow-loading", TR_CMD_LOADING},
    {"pubsub", TR_CMD_PUBSUB},
    {"random", 0},
    {"blocking", TR_CMD_BLOCKING},
    {"allow-stale", TR_CMD_STALE},
    {"no-monitor", TR_CMD_SKIP_MONITOR},
    {"no-slowlog", TR_CMD_SKIP_SLOWLOG},
    {"fast", TR_CMD_FAST},
    {"no-auth", TR_CMD_NO_AUTH},
    {"may-replicate", TR_CMD_MAY_REPLICATE},
    {"getkeys-api", TR_CMD_MOVABLEKEYS},
    {"getchannels-api", 0},
    {"no-cluster", 0},
    {"no-mandatory-keys", TR_CMD_NO_MANDATORY_KEYS},
    {"allow-busy", TR_CMD_ALLOW_BUSY},
};

static int is_word(const char *p, size_t len, const char *word) {
    return strlen(word) == len && strncasecmp(p, word, len) == 0;
}

/* 1, or 0: a word that nobody knows. */
static int take_flags(tr_runtime_command *r, tr_wire_bytes flags) {
    const char *p = (const char *)flags.at, *end = p + flags.len;
    while (p < end) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        size_t len = (size_t)((space == NULL ? end : space) - p);
        int known = len == 0;
        for (size_t i = 0; i < sizeof words / sizeof *words && !known; i++) {
            if (!is_word(p, len, words[i].word)) continue;
            r->cmd.flags |= words[i].flag;
            known = 1;
        }
        if (!known) return 0;
        if (is_word(p, len, "getkeys-api")) r->getkeys = 1;
        if (is_word(p, len, "getchannels-api")) r->getchannels = 1;
        p += len + 1;
    }
    return 1;
}

/* The three numbers of CreateCommand as one key spec, which says all that may become of the keys. 0 or TR_ENOMEM. */
static int set_keys(tr_mem *mem, tr_runtime_command *r, const tr_msg_register_command *m) {
    if (m->first_key <= 0 || m->first_key > INT32_MAX || m->key_step < 1 || m->key_step > INT32_MAX) return TR_OK;
    if (m->last_key > INT32_MAX || m->last_key < INT32_MIN) return TR_OK;
    tr_key_spec *spec = tr_zalloc(mem, sizeof *spec);
    if (spec == NULL) return TR_ENOMEM;
    int first = (int)m->first_key, last = (int)m->last_key;
    *spec = (tr_key_spec){.flags = TR_KEY_RW | TR_KEY_ACCESS | TR_KEY_UPDATE |
                                   (r->getkeys ? TR_KEY_VARIABLE_FLAGS : 0u),
                          .begin = TR_BEGIN_INDEX,
                          .begin_index = first,
                          .find = TR_FIND_RANGE,
                          .last_key = last < 0 ? last : last - first,
                          .key_step = m->key_step < POSITION_MAX ? (int)m->key_step : POSITION_MAX};
    r->specs = spec;
    r->cmd.key_specs = spec;
    r->cmd.key_spec_count = 1;
    r->cmd.first_key = first;
    r->cmd.last_key = last;
    r->cmd.key_step = (int)m->key_step;
    return TR_OK;
}

/* A module's container that is live; NULL: none has this handle. */
static tr_runtime_command *by_handle(tr_helper *h, uint32_t handle) {
    for (tr_runtime_command *r = h->m->x->runtime.first; r != NULL; r = r->next) {
        if (r->owner == h && r->live && r->handle == handle) return r;
    }
    return NULL;
}

static int is_name(tr_wire_bytes name) {
    if (name.len == 0 || name.len > NAME_BYTES_MAX) return 0;
    for (uint32_t i = 0; i < name.len; i++) {
        if (name.at[i] <= ' ' || name.at[i] == 0x7f || name.at[i] == '|') return 0;
    }
    return 1;
}

int tr_modhost_register_command(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_register_command *m = body;
    tr_msg_register_command_answer answer = {.outcome = NOT_NOW};
    tr_runtime_command *parent = m->parent == 0 ? NULL : by_handle(h, m->parent);
    tr_runtime_command *r = NULL;
    if (m->parent != 0 && (parent == NULL || parent->cmd.handler_kind != TR_HANDLER_CONTAINER)) {
        return tr_helper_answer(h, header, &answer);
    }
    int rc = is_name(m->name) && h->command_count < HANDLES_MAX
                 ? tr_runtime_add(h->m->x, h, parent, (const char *)m->name.at, m->name.len, &r)
                 : TR_EINVAL;
    if (rc == TR_ENOMEM) return rc;
    if (rc == TR_OK) {
        r->cmd.handler_kind = m->container ? TR_HANDLER_CONTAINER : TR_HANDLER_MODULE;
        r->handle = ++h->command_count;
        answer.outcome = DONE;
        answer.command = r->handle;
        if (!take_flags(r, m->flags)) {
            tr_runtime_forget(h->m->x, r);
            answer = (tr_msg_register_command_answer){.outcome = BAD_FLAGS};
        } else if (set_keys(h->m->mem, r, m) != TR_OK) {
            return TR_ENOMEM;
        } else if (m->container || parent != NULL) {
            r->cmd.arity = ARITY_OF_TWO_WORDS;
        }
    } else {
        answer.outcome = rc == TR_EEXIST ? TAKEN : rc == TR_EINVAL ? BAD_FLAGS : NOT_NOW;
    }
    return tr_helper_answer(h, header, &answer);
}

/* Where the search for keys begins. What can't be is left UNKNOWN. */
static void take_begin(tr_key_spec *spec, uint64_t begin, int64_t from, tr_wire_bytes word, char **room) {
    if (from == 0 || from > POSITION_MAX || from < -POSITION_MAX) return;
    if (begin == 2 && from > 0) spec->begin = TR_BEGIN_INDEX;
    if (begin == 3 && word.len != 0 && memchr(word.at, '\0', word.len) == NULL) {
        spec->begin = TR_BEGIN_KEYWORD;
        spec->keyword = *room;
        for (uint32_t i = 0; i < word.len; i++) *(*room)++ = (char)toupper(word.at[i]);
        *(*room)++ = '\0';
    }
    spec->begin_index = (int)from;
}

static int is_within(int64_t n, int64_t min) {
    return n >= min && n <= POSITION_MAX;
}

/* How keys are found from there on. */
static void take_find(tr_key_spec *spec, uint64_t find, int64_t a, int64_t b, int64_t c) {
    if (find == 2 && is_within(a, -POSITION_MAX) && is_within(b, 1) && is_within(c, 0)) {
        spec->find = TR_FIND_RANGE;
        spec->last_key = (int)a, spec->key_step = (int)b, spec->limit = (int)c;
    }
    if (find == 3 && is_within(a, 0) && is_within(b, 0) && is_within(c, 1)) {
        spec->find = TR_FIND_KEYNUM;
        spec->keynum_index = (int)a, spec->first_key = (int)b, spec->key_step = (int)c;
    }
}

/* What a spec says in the old three numbers. */
static int has_range(const tr_key_spec *spec) {
    return spec->begin == TR_BEGIN_INDEX && spec->find == TR_FIND_RANGE;
}

/* first_key, last_key and key_step of what the specs say. They are one range: that of the only spec, or of several
 * that follow each other. What is left out makes the keys movable: clients have to ask for them. */
static void take_range(tr_command *cmd) {
    const tr_key_spec *specs = cmd->key_specs;
    cmd->first_key = cmd->last_key = cmd->key_step = 0;
    if (cmd->key_spec_count == 1 && has_range(specs)) {
        cmd->first_key = specs->begin_index;
        cmd->last_key = specs->last_key < 0 ? specs->last_key : specs->begin_index + specs->last_key;
        cmd->key_step = specs->key_step;
        return;
    }
    for (uint8_t i = 0; i < cmd->key_spec_count; i++) {
        const tr_key_spec *spec = &specs[i];
        int follows = cmd->last_key == 0 || spec->begin_index - 1 == cmd->last_key;
        if (!has_range(spec) || spec->key_step != 1 || !follows) {
            cmd->flags |= TR_CMD_MOVABLEKEYS;
            continue;
        }
        int last = spec->last_key < 0 ? spec->last_key : spec->begin_index + spec->last_key;
        if (cmd->first_key == 0 || spec->begin_index < cmd->first_key) cmd->first_key = spec->begin_index;
        if ((unsigned)last > (unsigned)cmd->last_key) cmd->last_key = last; /* a negative one is the furthest */
        cmd->key_step = 1;
    }
}

/* Key specs of command_info take the place of the one that registering made; their keywords stand behind them. 0 or
 * TR_ENOMEM. */
static int take_specs(tr_mem *mem, tr_runtime_command *r, const tr_msg_command_info *m) {
    uint32_t count = m->spec_flags.count;
    if (count == 0 || count > UINT8_MAX) return TR_OK;
    size_t bytes = count * sizeof(tr_key_spec) + count;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes word;
    while (tr_wire_next(&m->spec_keywords, &cursor, &word)) bytes += word.len;
    tr_key_spec *specs = tr_zalloc(mem, bytes);
    if (specs == NULL) return TR_ENOMEM;
    char *room = (char *)(specs + count);
    cursor = (tr_wire_cursor){0};
    for (uint32_t i = 0; i < count; i++) {
        tr_key_spec *spec = &specs[i];
        if (!tr_wire_next(&m->spec_keywords, &cursor, &word)) word.len = 0;
        spec->flags = (uint32_t)tr_wire_u64_at(&m->spec_flags, i) & (TR_KEY_VARIABLE_FLAGS * 2 - 1);
        spec->begin = TR_BEGIN_UNKNOWN;
        spec->find = TR_FIND_UNKNOWN;
        take_begin(spec, tr_wire_u64_at(&m->spec_begin, i), tr_wire_i64_at(&m->spec_from, i), word, &room);
        take_find(spec, tr_wire_u64_at(&m->spec_find, i), tr_wire_i64_at(&m->spec_numbers, 3 * i),
                  tr_wire_i64_at(&m->spec_numbers, 3 * i + 1), tr_wire_i64_at(&m->spec_numbers, 3 * i + 2));
    }
    tr_free(mem, r->specs);
    r->specs = specs;
    r->cmd.key_specs = specs;
    r->cmd.key_spec_count = (uint8_t)count;
    take_range(&r->cmd);
    return TR_OK;
}

int tr_modhost_command_info(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_command_info *m = body;
    tr_mem *mem = h->m->mem;
    tr_msg_command_info_answer answer = {.outcome = 1};
    tr_runtime_command *r = by_handle(h, m->command);
    if (r == NULL || r->info.data != NULL) return tr_helper_answer(h, header, &answer);
    tr_buf encoded = {0};
    int rc = tr_wire_encode(mem, &encoded, TR_MSG_COMMAND_INFO, 0, 1, body);
    if (rc == TR_OK) rc = take_specs(mem, r, m);
    if (rc != TR_OK) {
        tr_buf_release(mem, &encoded);
        return rc == TR_ENOMEM ? rc : tr_helper_wrong(h, "a description of a command that can't be kept");
    }
    encoded.rpos = TR_WIRE_HEADER_BYTES;
    r->info = encoded;
    if (m->arity != 0 && is_within(m->arity, -POSITION_MAX)) r->cmd.arity = (int)m->arity;
    int alone = r->cmd.arity == 1 || r->cmd.arity == -1;
    if (alone && r->cmd.handler_kind == TR_HANDLER_CONTAINER) r->cmd.arity = ARITY_OF_TWO_WORDS;
    answer.outcome = 0;
    return tr_helper_answer(h, header, &answer);
}

static const char *const category_names[] = {
    "keyspace", "read",   "write", "set",    "sortedset", "list", "hash",     "string",    "bitmap",     "hyperloglog",
    "geo",      "stream", "pubsub", "admin", "fast",      "slow", "blocking", "dangerous", "connection", "transaction",
    "scripting",
};

#define BUILT_IN (sizeof category_names / sizeof *category_names)

/* The bit of a category; 0: there is none of this name. */
static uint64_t category_bit(const tr_modhost *m, const char *p, size_t len) {
    for (size_t i = 0; i < BUILT_IN; i++) {
        if (is_word(p, len, category_names[i])) return UINT64_C(1) << i;
    }
    for (int i = 0; i < m->category_count; i++) {
        if (is_word(p, len, m->categories[i])) return UINT64_C(1) << (BUILT_IN + (unsigned)i);
    }
    return 0;
}

int tr_modhost_command_categories(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_command_categories *m = body;
    tr_msg_command_categories_answer answer = {.outcome = 0};
    tr_runtime_command *r = by_handle(h, m->command);
    uint64_t cats = 0;
    const char *p = (const char *)m->categories.at, *end = p + m->categories.len;
    while (p < end && answer.outcome == 0) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        size_t len = (size_t)((space == NULL ? end : space) - p);
        uint64_t bit = category_bit(h->m, p, len);
        if (bit == 0 && len != 0) answer.outcome = 1;
        cats |= bit;
        p += len + 1;
    }
    if (r == NULL) answer.outcome = 2;
    if (answer.outcome == 0) r->cmd.acl_categories = cats;
    return tr_helper_answer(h, header, &answer);
}

static int is_category_name(tr_wire_bytes name) {
    if (name.len == 0 || name.len >= TR_HELPER_NAME_MAX) return 0;
    for (uint32_t i = 0; i < name.len; i++) {
        uint8_t ch = name.at[i];
        int letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!letter && ch != '_' && ch != '-') return 0;
    }
    return 1;
}

int tr_modhost_add_category(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_add_category *msg = body;
    tr_modhost *m = h->m;
    tr_msg_add_category_answer answer = {.outcome = 0};
    /* Its own, from before it crashed, stay. */
    if (!is_category_name(msg->name)) answer.outcome = 2;
    else if (category_bit(m, (const char *)msg->name.at, msg->name.len) != 0) answer.outcome = h->stats.crashes == 0;
    else if (m->category_count == TR_MODHOST_CATEGORIES_MAX) answer.outcome = 3;
    else memcpy(m->categories[m->category_count++], msg->name.at, msg->name.len);
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_command_keys(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_command_keys *m = body;
    tr_mem *mem = h->m->mem;
    tr_arg *argv = tr_alloc(mem, (m->argv.count + 1) * sizeof *argv);
    if (argv == NULL) return TR_ENOMEM;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    int argc = 0;
    while (tr_wire_next(&m->argv, &cursor, &item)) {
        argv[argc++] = (tr_arg){.ptr = (const char *)item.at, .len = item.len};
    }
    const tr_command *cmd = argc == 0 ? NULL : tr_exec_resolve(h->m->x, argv, argc);
    tr_keys keys;
    tr_keys_init(&keys, mem);
    tr_msg_command_keys_answer answer = {.outcome = cmd == NULL ? 1 : !tr_command_arity_ok(cmd, argc) ? 2 : 0};
    int rc = answer.outcome == 0 ? tr_keys_get(cmd, argv, argc, 0, &keys) : TR_OK;
    tr_free(mem, argv);
    uint64_t *numbers = rc == TR_ENOMEM ? NULL : tr_alloc(mem, (2u * (unsigned)keys.count + 1) * sizeof *numbers);
    if (numbers == NULL) {
        tr_keys_clear(&keys);
        return TR_ENOMEM;
    }
    for (int i = 0; i < keys.count; i++) {
        numbers[i] = (uint64_t)keys.positions[i];
        numbers[keys.count + i] = keys.flags[i];
    }
    if (answer.outcome == 0 && keys.count == 0) answer.outcome = 3;
    answer.positions = (tr_wire_list){.count = (uint32_t)keys.count, .items.u64s = numbers};
    answer.flags = (tr_wire_list){.count = (uint32_t)keys.count, .items.u64s = numbers + keys.count};
    tr_keys_clear(&keys);
    rc = tr_helper_answer(h, header, &answer);
    tr_free(mem, numbers);
    return rc;
}

static int same_name(const tr_helper *other, tr_wire_bytes name) {
    return strlen(other->name) == name.len && strncasecmp(other->name, (const char *)name.at, name.len) == 0;
}

/* Another helper has it, alive or waiting to be started again. */
static int is_taken(const tr_helper *h, tr_wire_bytes name) {
    for (const tr_helper *other = h->m->helpers; other != NULL; other = other->next) {
        if (other == h || other->state == TR_HELPER_GONE || !other->named) continue;
        if (same_name(other, name)) return 1;
    }
    return 0;
}

int tr_modhost_name_busy(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_name_busy *m = body;
    tr_msg_name_busy_answer answer = {.busy = (uint8_t)is_taken(h, m->name)};
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_module_options(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header;
    const tr_msg_module_options *m = body;
    h->options = m->options;
    if (m->name.len == 0) return TR_OK;
    if (m->name.len >= TR_HELPER_NAME_MAX || memchr(m->name.at, '\0', m->name.len) != NULL || is_taken(h, m->name)) {
        return tr_helper_wrong(h, "a name that it can't have");
    }
    for (uint32_t i = 0; i < m->name.len; i++) {
        if (m->name.at[i] < ' ' || m->name.at[i] == 0x7f) return tr_helper_wrong(h, "a name that can't be printed");
    }
    memcpy(h->name, m->name.at, m->name.len);
    h->name[m->name.len] = '\0';
    h->named = 1;
    h->version = m->version;
    h->api_version = m->api_version;
    return TR_OK;
}

int tr_modhost_memory_used(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header;
    const tr_msg_memory_used *m = body;
    h->used_bytes = m->used_bytes;
    h->peak_bytes = m->peak_bytes;
    return TR_OK;
}

int tr_modhost_memory_ratio(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)body;
    const tr_store *store = h->m->x->store;
    uint64_t used = store->mem->used - (uint64_t)store->not_counted;
    tr_msg_memory_ratio_answer answer = {.ratio = store->maxmemory == 0 ? 0 : (double)used / (double)store->maxmemory};
    return tr_helper_answer(h, header, &answer);
}
