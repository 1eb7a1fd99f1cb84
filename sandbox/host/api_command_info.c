/* What a command is said to be: its description and its categories. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/link.h"

/* Bounds of the message. */
#define HISTORY_MAX 1024
#define SPECS_MAX 1024
#define ARGS_MAX 4096
#define CATEGORIES_BYTES_MAX 4096
#define CATEGORY_BYTES_MAX 512

/* Bits of the message's present. */
enum { HAS_SUMMARY = 1, HAS_COMPLEXITY = 2, HAS_SINCE = 4, HAS_TIPS = 8 };

/* ------------------------------------------------------------------ the module's arrays */

/* Their strides are those that the module was compiled with. */

static const RedisModuleCommandHistoryEntry *history_at(const RedisModuleCommandInfo *info, size_t i) {
    return (const void *)((const char *)info->history + i * info->version->sizeof_historyentry);
}

static const RedisModuleCommandKeySpec *spec_at(const RedisModuleCommandInfo *info, size_t i) {
    return (const void *)((const char *)info->key_specs + i * info->version->sizeof_keyspec);
}

static const RedisModuleCommandArg *arg_at(const RedisModuleCommandInfo *info, const RedisModuleCommandArg *args,
                                           size_t i) {
    return (const void *)((const char *)args + i * info->version->sizeof_arg);
}

/* ------------------------------------------------------------------ is it sound? */

/* Logs why a description is refused; 0. */
__attribute__((format(printf, 1, 2))) static int wrong(const char *fmt, ...) {
    char text[512];
    size_t len = (size_t)snprintf(text, sizeof text, "a command's description is refused: ");
    va_list args;
    va_start(args, fmt);
    int more = vsnprintf(text + len, sizeof text - len, fmt, args);
    va_end(args);
    len = more < 0 || len + (size_t)more >= sizeof text ? strlen(text) : len + (size_t)more;
    tr_host_log(3, 1, text, len);
    return 0;
}

static int history_is_sound(const RedisModuleCommandInfo *info) {
    if (info->history == NULL) return 1;
    for (size_t i = 0; history_at(info, i)->since != NULL; i++) {
        if (history_at(info, i)->changes == NULL) return wrong("history entry %zu lacks its changes", i);
        if (i == HISTORY_MAX) return wrong("it has more than %d history entries", HISTORY_MAX);
    }
    return 1;
}

static int is_one_bit(uint64_t bits) {
    return bits != 0 && (bits & (bits - 1)) == 0;
}

static int spec_is_sound(const RedisModuleCommandKeySpec *spec, size_t i) {
    const uint64_t access =
        REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_RM;
    const uint64_t write = REDISMODULE_CMD_KEY_INSERT | REDISMODULE_CMD_KEY_DELETE | REDISMODULE_CMD_KEY_UPDATE;
    if (!is_one_bit(spec->flags & access)) return wrong("key spec %zu needs one flag of RO, RW, OW and RM", i);
    if ((spec->flags & write) != 0 && !is_one_bit(spec->flags & write)) {
        return wrong("key spec %zu has several flags of INSERT, DELETE and UPDATE", i);
    }
    switch (spec->begin_search_type) {
    case REDISMODULE_KSPEC_BS_UNKNOWN:
    case REDISMODULE_KSPEC_BS_INDEX: break;
    case REDISMODULE_KSPEC_BS_KEYWORD:
        if (spec->bs.keyword.keyword == NULL) return wrong("key spec %zu searches for a keyword, but has none", i);
        break;
    default: return wrong("key spec %zu begins in a way that is unknown: %d", i, (int)spec->begin_search_type);
    }
    switch (spec->find_keys_type) {
    case REDISMODULE_KSPEC_FK_OMITTED:
    case REDISMODULE_KSPEC_FK_UNKNOWN:
    case REDISMODULE_KSPEC_FK_RANGE:
    case REDISMODULE_KSPEC_FK_KEYNUM: return 1;
    default: return wrong("key spec %zu goes on in a way that is unknown: %d", i, (int)spec->find_keys_type);
    }
}

static int specs_are_sound(const RedisModuleCommandInfo *info) {
    if (info->key_specs == NULL) return 1;
    for (size_t i = 0; spec_at(info, i)->begin_search_type != REDISMODULE_KSPEC_BS_INVALID; i++) {
        if (i == SPECS_MAX) return wrong("it has more than %d key specs", SPECS_MAX);
        if (!spec_is_sound(spec_at(info, i), i)) return 0;
    }
    return 1;
}

static int args_are_sound(const RedisModuleCommandInfo *info, const RedisModuleCommandArg *args, size_t *count);

static int arg_is_sound(const RedisModuleCommandInfo *info, const RedisModuleCommandArg *arg, size_t *count) {
    if ((unsigned)arg->type > REDISMODULE_ARG_TYPE_BLOCK) {
        return wrong("argument \"%s\" has type %d, which is unknown", arg->name, (int)arg->type);
    }
    if (arg->type == REDISMODULE_ARG_TYPE_PURE_TOKEN && arg->token == NULL) {
        return wrong("argument \"%s\" is a token, but has none", arg->name);
    }
    if (arg->type == REDISMODULE_ARG_TYPE_KEY) {
        if (arg->key_spec_index < 0) return wrong("argument \"%s\" is a key, but names no key spec", arg->name);
    } else if (arg->key_spec_index != -1 && arg->key_spec_index != 0) {
        return wrong("argument \"%s\" is no key, but names a key spec", arg->name);
    }
    if ((arg->flags & ~(_REDISMODULE_CMD_ARG_NEXT - 1)) != 0) {
        return wrong("argument \"%s\" has flags that are unknown", arg->name);
    }
    bool group = arg->type == REDISMODULE_ARG_TYPE_ONEOF || arg->type == REDISMODULE_ARG_TYPE_BLOCK;
    if (group != (arg->subargs != NULL)) {
        return group ? wrong("argument \"%s\" is a group without members", arg->name)
                     : wrong("argument \"%s\" is no group, but has members", arg->name);
    }
    return !group || args_are_sound(info, arg->subargs, count);
}

/* Counts them as well: a tree that refers to itself comes to an end here. */
static int args_are_sound(const RedisModuleCommandInfo *info, const RedisModuleCommandArg *args, size_t *count) {
    for (size_t i = 0; args != NULL && arg_at(info, args, i)->name != NULL; i++) {
        if (++*count > ARGS_MAX) return wrong("it has more than %d arguments", ARGS_MAX);
        if (!arg_is_sound(info, arg_at(info, args, i), count)) return 0;
    }
    return 1;
}

/* ------------------------------------------------------------------ as a message */

static tr_wire_bytes wire_text(const char *text) {
    return (tr_wire_bytes){.at = (const uint8_t *)text, .len = text == NULL ? 0 : (uint32_t)strlen(text)};
}

/* Arrays of the message's lists: those of the history, the key specs and the arguments. */
typedef struct lists {
    tr_wire_bytes *since, *changes;
    tr_wire_bytes *notes, *keywords;
    uint64_t *spec_flags, *begin, *find;
    int64_t *from, *numbers;
    tr_wire_bytes *names, *tokens, *summaries, *arg_since, *deprecated, *displays;
    int64_t *parents, *specs;
    uint64_t *types, *arg_flags;
} lists;

static uint32_t add_history(lists *l, const RedisModuleCommandInfo *info) {
    size_t count = 0;
    while (info->history != NULL && history_at(info, count)->since != NULL) count++;
    l->since = tr_need(count * sizeof *l->since);
    l->changes = tr_need(count * sizeof *l->changes);
    for (size_t i = 0; i < count; i++) {
        l->since[i] = wire_text(history_at(info, i)->since);
        l->changes[i] = wire_text(history_at(info, i)->changes);
    }
    return (uint32_t)count;
}

static void add_spec(lists *l, const RedisModuleCommandKeySpec *spec, size_t i) {
    bool keyword = spec->begin_search_type == REDISMODULE_KSPEC_BS_KEYWORD;
    bool indexed = spec->begin_search_type == REDISMODULE_KSPEC_BS_INDEX;
    l->notes[i] = wire_text(spec->notes);
    l->spec_flags[i] = spec->flags;
    l->begin[i] = (uint64_t)spec->begin_search_type;
    l->keywords[i] = wire_text(keyword ? spec->bs.keyword.keyword : NULL);
    l->from[i] = keyword ? spec->bs.keyword.startfrom : indexed ? spec->bs.index.pos : 0;
    bool omitted = spec->find_keys_type == REDISMODULE_KSPEC_FK_OMITTED; /* means the first key alone */
    l->find[i] = omitted ? REDISMODULE_KSPEC_FK_RANGE : (uint64_t)spec->find_keys_type;
    int64_t *n = l->numbers + i * 3;
    switch (spec->find_keys_type) {
    case REDISMODULE_KSPEC_FK_OMITTED: n[0] = 0, n[1] = 1, n[2] = 0; break;
    case REDISMODULE_KSPEC_FK_RANGE:
        n[0] = spec->fk.range.lastkey, n[1] = spec->fk.range.keystep, n[2] = spec->fk.range.limit;
        break;
    case REDISMODULE_KSPEC_FK_KEYNUM:
        n[0] = spec->fk.keynum.keynumidx, n[1] = spec->fk.keynum.firstkey, n[2] = spec->fk.keynum.keystep;
        break;
    default: n[0] = n[1] = n[2] = 0;
    }
}

static uint32_t add_specs(lists *l, const RedisModuleCommandInfo *info) {
    size_t count = 0;
    while (info->key_specs != NULL && spec_at(info, count)->begin_search_type != REDISMODULE_KSPEC_BS_INVALID) count++;
    l->notes = tr_need(count * sizeof *l->notes);
    l->keywords = tr_need(count * sizeof *l->keywords);
    l->spec_flags = tr_need(count * sizeof *l->spec_flags);
    l->begin = tr_need(count * sizeof *l->begin);
    l->find = tr_need(count * sizeof *l->find);
    l->from = tr_need(count * sizeof *l->from);
    l->numbers = tr_need(count * 3 * sizeof *l->numbers);
    for (size_t i = 0; i < count; i++) add_spec(l, spec_at(info, i), i);
    return (uint32_t)count;
}

static void add_arg(lists *l, const RedisModuleCommandArg *arg, int64_t parent, size_t i) {
    l->names[i] = wire_text(arg->name);
    l->tokens[i] = wire_text(arg->token);
    l->summaries[i] = wire_text(arg->summary);
    l->arg_since[i] = wire_text(arg->since);
    l->deprecated[i] = wire_text(arg->deprecated_since);
    l->displays[i] = wire_text(arg->display_text);
    l->parents[i] = parent;
    l->specs[i] = arg->type == REDISMODULE_ARG_TYPE_KEY ? arg->key_spec_index : -1;
    l->types[i] = (uint64_t)arg->type;
    l->arg_flags[i] = (uint64_t)arg->flags;
}

static void add_args(lists *l, const RedisModuleCommandInfo *info, const RedisModuleCommandArg *args, int64_t parent,
                     size_t *used) {
    for (size_t i = 0; args != NULL && arg_at(info, args, i)->name != NULL; i++) {
        const RedisModuleCommandArg *arg = arg_at(info, args, i);
        size_t me = (*used)++;
        add_arg(l, arg, parent, me);
        add_args(l, info, arg->subargs, (int64_t)me, used);
    }
}

static void make_room_for_args(lists *l, size_t count) {
    l->names = tr_need(count * sizeof *l->names);
    l->tokens = tr_need(count * sizeof *l->tokens);
    l->summaries = tr_need(count * sizeof *l->summaries);
    l->arg_since = tr_need(count * sizeof *l->arg_since);
    l->deprecated = tr_need(count * sizeof *l->deprecated);
    l->displays = tr_need(count * sizeof *l->displays);
    l->parents = tr_need(count * sizeof *l->parents);
    l->specs = tr_need(count * sizeof *l->specs);
    l->types = tr_need(count * sizeof *l->types);
    l->arg_flags = tr_need(count * sizeof *l->arg_flags);
}

static void drop_lists(lists *l) {
    free(l->since), free(l->changes);
    free(l->notes), free(l->keywords), free(l->spec_flags), free(l->begin), free(l->find), free(l->from);
    free(l->numbers);
    free(l->names), free(l->tokens), free(l->summaries), free(l->arg_since), free(l->deprecated);
    free(l->displays), free(l->parents), free(l->specs), free(l->types), free(l->arg_flags);
}

#define TEXTS(items_, count_) ((tr_wire_list){.count = (count_), .items.texts = (items_)})
#define U64S(items_, count_) ((tr_wire_list){.count = (count_), .items.u64s = (items_)})
#define I64S(items_, count_) ((tr_wire_list){.count = (count_), .items.i64s = (items_)})

/* Sends the description; 1 when the engine took it. */
static int send_info(uint32_t handle, const RedisModuleCommandInfo *info, size_t arg_count) {
    lists l = {0};
    uint32_t history = add_history(&l, info), specs = add_specs(&l, info), args = (uint32_t)arg_count;
    size_t used = 0;
    make_room_for_args(&l, arg_count);
    add_args(&l, info, info->args, -1, &used);
    tr_msg_command_info ask = {
        .command = handle,
        .summary = wire_text(info->summary),
        .complexity = wire_text(info->complexity),
        .since = wire_text(info->since),
        .tips = wire_text(info->tips),
        .arity = info->arity,
        .history_since = TEXTS(l.since, history),
        .history_changes = TEXTS(l.changes, history),
        .spec_notes = TEXTS(l.notes, specs),
        .spec_flags = U64S(l.spec_flags, specs),
        .spec_begin = U64S(l.begin, specs),
        .spec_keywords = TEXTS(l.keywords, specs),
        .spec_from = I64S(l.from, specs),
        .spec_find = U64S(l.find, specs),
        .spec_numbers = I64S(l.numbers, specs * 3),
        .arg_names = TEXTS(l.names, args),
        .arg_parents = I64S(l.parents, args),
        .arg_types = U64S(l.types, args),
        .arg_specs = I64S(l.specs, args),
        .arg_tokens = TEXTS(l.tokens, args),
        .arg_summaries = TEXTS(l.summaries, args),
        .arg_since = TEXTS(l.arg_since, args),
        .arg_deprecated = TEXTS(l.deprecated, args),
        .arg_displays = TEXTS(l.displays, args),
        .arg_flags = U64S(l.arg_flags, args),
        .present = (info->summary != NULL ? HAS_SUMMARY : 0u) | (info->complexity != NULL ? HAS_COMPLEXITY : 0u) |
                   (info->since != NULL ? HAS_SINCE : 0u) | (info->tips != NULL ? HAS_TIPS : 0u),
    };
    tr_answer hold = {0};
    tr_msg_command_info_answer answer;
    tr_link_ask("RedisModule_SetCommandInfo", TR_MSG_COMMAND_INFO, &ask, &answer, &hold);
    tr_answer_drop(&hold);
    drop_lists(&l);
    return answer.outcome == 0;
}

/* A key spec such as CreateCommand() makes may be replaced, whatever else it may be not. */
static int says_much(const RedisModuleCommandInfo *info) {
    if (info->summary != NULL || info->complexity != NULL || info->since != NULL || info->history != NULL ||
        info->tips != NULL || info->args != NULL) {
        return 1;
    }
    if (info->key_specs == NULL || spec_at(info, 0)->begin_search_type == REDISMODULE_KSPEC_BS_INVALID) return 0;
    const RedisModuleCommandKeySpec *spec = spec_at(info, 0);
    bool plain = spec->begin_search_type == REDISMODULE_KSPEC_BS_INDEX &&
                 (spec->find_keys_type == REDISMODULE_KSPEC_FK_RANGE ||
                  spec->find_keys_type == REDISMODULE_KSPEC_FK_OMITTED);
    return !plain || spec_at(info, 1)->begin_search_type != REDISMODULE_KSPEC_BS_INVALID;
}

int tr_rm_SetCommandInfo(RedisModuleCommand *command, const RedisModuleCommandInfo *info) {
    TR_NOTE(SetCommandInfo, command, info);
    tr_host_command *c = (tr_host_command *)(void *)command;
    size_t args = 0;
    int sound = info->version != NULL || wrong("it names no version");
    sound = sound && history_is_sound(info) && specs_are_sound(info) && args_are_sound(info, info->args, &args);
    if (sound && !tr_host_here.loading) sound = wrong("the module is loaded already");
    if (!sound || c->described) {
        errno = sound ? EEXIST : EINVAL;
        return REDISMODULE_ERR;
    }
    if (!send_info(c->handle, info, args)) {
        errno = EINVAL;
        return REDISMODULE_ERR;
    }
    c->described = says_much(info);
    return REDISMODULE_OK;
}

/* ------------------------------------------------------------------ categories */

int tr_rm_SetCommandACLCategories(RedisModuleCommand *command, const char *ctgrsflags) {
    TR_NOTE(SetCommandACLCategories, command, ctgrsflags);
    const tr_host_command *c = (const tr_host_command *)(void *)command;
    tr_wire_bytes words = wire_text(ctgrsflags);
    if (c == NULL || !tr_host_here.loading || words.len > CATEGORIES_BYTES_MAX) return REDISMODULE_ERR;
    tr_answer hold = {0};
    tr_msg_command_categories ask = {.command = c->handle, .categories = words};
    tr_msg_command_categories_answer answer;
    tr_link_ask("RedisModule_SetCommandACLCategories", TR_MSG_COMMAND_CATEGORIES, &ask, &answer, &hold);
    tr_answer_drop(&hold);
    return answer.outcome == 0 ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_AddACLCategory(RedisModuleCtx *ctx, const char *name) {
    TR_NOTE(AddACLCategory, ctx, name);
    static const int errors[] = {0, EBUSY, EINVAL, ENOMEM, EINVAL};
    tr_wire_bytes word = wire_text(name);
    if (!tr_host_here.loading || word.len > CATEGORY_BYTES_MAX) {
        errno = EINVAL;
        return REDISMODULE_ERR;
    }
    tr_answer hold = {0};
    tr_msg_add_category ask = {.name = word};
    tr_msg_add_category_answer answer;
    tr_link_ask("RedisModule_AddACLCategory", TR_MSG_ADD_CATEGORY, &ask, &answer, &hold);
    tr_answer_drop(&hold);
    if (answer.outcome == 0) return REDISMODULE_OK;
    errno = errors[answer.outcome];
    return REDISMODULE_ERR;
}
