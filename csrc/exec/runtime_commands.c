#include "exec/runtime_commands.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/siphash.h"
#include "exec/exec.h"

#define NAME_MAX_BYTES 255 /* tr_command.name_len */

static int is_named(const tr_hnode *node, const void *key, size_t len) {
    const tr_command *cmd = &((const tr_runtime_command *)node)->cmd;
    return cmd->name_len == len && strncasecmp(cmd->name, key, len) == 0;
}

void tr_runtime_init(tr_exec *x) {
    tr_hash_init(&x->runtime.by_name, x->mem, is_named);
}

static void lower(char out[NAME_MAX_BYTES + 1], const char *name, size_t len) {
    for (size_t i = 0; i < len; i++) out[i] = (char)tolower((unsigned char)name[i]);
    out[len] = '\0';
}

static uint32_t hash_of(const tr_exec *x, const char *name, size_t len) {
    return (uint32_t)tr_siphash_nocase(name, len, x->store->hash_key);
}

tr_runtime_command *tr_runtime_find(const tr_exec *x, const char *name, size_t len) {
    tr_hash *table = (tr_hash *)(uintptr_t)&x->runtime.by_name; /* to look changes nothing */
    if (tr_hash_count(table) == 0 || len > NAME_MAX_BYTES) return NULL;
    tr_hnode **link = tr_hash_find(table, hash_of(x, name, len), name, len);
    return link == NULL ? NULL : (tr_runtime_command *)*link;
}

tr_runtime_command *tr_runtime_find_sub(const tr_runtime_command *parent, const char *name, size_t len) {
    for (tr_runtime_command *r = parent->subs; r != NULL; r = r->next_sub) {
        if (r->live && r->cmd.name_len == len && strncasecmp(r->cmd.name, name, len) == 0) return r;
    }
    return NULL;
}

tr_runtime_command *tr_runtime_of(const tr_command *cmd) {
    tr_assert(cmd->id >= tr_command_count());
    return (tr_runtime_command *)(uintptr_t)((const char *)cmd - offsetof(tr_runtime_command, cmd));
}

/* One that was there before and went. */
static tr_runtime_command *find_dead(tr_exec *x, const void *owner, const tr_runtime_command *parent,
                                     const char *name) {
    for (tr_runtime_command *r = x->runtime.first; r != NULL; r = r->next) {
        const tr_command *up = parent == NULL ? NULL : &parent->cmd;
        if (!r->live && r->owner == owner && r->cmd.parent == up && strcmp(r->cmd.name, name) == 0) return r;
    }
    return NULL;
}

static void set_name(tr_command *cmd, const char *name, size_t len) {
    cmd->name_len = (uint8_t)len;
    memcpy(&cmd->name_head, name, len < 8 ? len : 8);
    if (len > 8) memcpy(&cmd->name_tail, name + (len < 16 ? 8 : len - 8), len < 16 ? len - 8 : 8);
}

/* Room for one more in the statistics. 0 or TR_ENOMEM. */
static int grow_stats(tr_exec *x) {
    size_t count = (size_t)tr_command_count() + x->runtime.count + 1;
    tr_command_stats *stats = tr_realloc(x->mem, x->stats, count * sizeof *stats);
    if (stats == NULL) return TR_ENOMEM;
    x->stats = stats;
    memset(&stats[count - 1], 0, sizeof *stats);
    return TR_OK;
}

static tr_runtime_command *make(tr_exec *x, tr_runtime_command *parent, const char *name, size_t len) {
    size_t parent_len = parent == NULL ? 0 : parent->cmd.name_len + 1u;
    tr_runtime_command *r = tr_zalloc(x->mem, sizeof *r);
    char *full = tr_alloc(x->mem, parent_len + len + 1);
    if (r == NULL || full == NULL || grow_stats(x) != TR_OK) {
        tr_free(x->mem, r);
        tr_free(x->mem, full);
        return NULL;
    }
    if (parent != NULL) {
        memcpy(full, parent->cmd.name, parent_len - 1);
        full[parent_len - 1] = '|';
    }
    memcpy(full + parent_len, name, len + 1);
    r->cmd.fullname = full;
    r->cmd.name = full + parent_len;
    set_name(&r->cmd, r->cmd.name, len);
    r->cmd.id = (uint16_t)(tr_command_count() + x->runtime.count++);
    r->cmd.parent = parent == NULL ? NULL : &parent->cmd;
    r->cmd.handler_kind = TR_HANDLER_MODULE;
    r->cmd.group = TR_GROUP_MODULE;
    if (x->runtime.last != NULL) x->runtime.last->next = r;
    else x->runtime.first = r;
    x->runtime.last = r;
    return r;
}

static void clear(tr_exec *x, tr_runtime_command *r) {
    tr_free(x->mem, r->specs);
    tr_buf_release(x->mem, &r->info);
    r->specs = NULL;
    r->cmd.key_specs = NULL;
    r->cmd.key_spec_count = 0;
    r->cmd.flags = TR_CMD_MODULE;
    r->cmd.acl_categories = 0;
    r->cmd.arity = -1;
    r->cmd.first_key = r->cmd.last_key = r->cmd.key_step = 0;
    r->getkeys = r->getchannels = 0;
}

int tr_runtime_add(tr_exec *x, void *owner, tr_runtime_command *parent, const char *name, size_t len,
                   tr_runtime_command **out) {
    char text[NAME_MAX_BYTES + 1];
    if (len == 0 || len > NAME_MAX_BYTES) return TR_EINVAL;
    lower(text, name, len);
    tr_runtime_command *again = parent != NULL ? tr_runtime_find_sub(parent, text, len) : tr_runtime_find(x, text, len);
    if (again != NULL && again->owner == owner && again->down) {
        clear(x, again);
        again->down = 0;
        *out = again;
        return TR_OK;
    }
    int taken = parent != NULL ? tr_runtime_find_sub(parent, text, len) != NULL
                               : tr_command_find(text, len) != NULL || tr_runtime_find(x, text, len) != NULL;
    if (taken) return TR_EEXIST;
    tr_runtime_command *r = find_dead(x, owner, parent, text);
    if (r == NULL) {
        if (x->runtime.count >= TR_RUNTIME_COMMANDS_MAX) return TR_ELIMIT;
        r = make(x, parent, text, len);
        if (r == NULL) return TR_ENOMEM;
        r->owner = owner;
        if (parent != NULL) {
            r->next_sub = parent->subs;
            parent->subs = r;
        }
    }
    if (parent == NULL && !r->listed) {
        r->node.hash = hash_of(x, text, len);
        tr_hash_insert(&x->runtime.by_name, &r->node);
        r->listed = 1;
    }
    clear(x, r);
    if (parent != NULL) parent->cmd.subcommand_count++;
    r->live = 1;
    *out = r;
    return TR_OK;
}

void tr_runtime_forget(tr_exec *x, tr_runtime_command *r) {
    if (!r->live) return;
    r->live = r->down = 0;
    if (r->cmd.parent != NULL) tr_runtime_of(r->cmd.parent)->cmd.subcommand_count--;
    if (r->listed) tr_hash_unlink(&x->runtime.by_name, tr_hash_link_of(&x->runtime.by_name, &r->node));
    r->listed = 0;
}

void tr_runtime_drop(tr_exec *x, const void *owner) {
    for (tr_runtime_command *r = x->runtime.first; r != NULL; r = r->next) {
        if (r->owner == owner) tr_runtime_forget(x, r);
    }
}

void tr_runtime_mark_down(tr_exec *x, const void *owner) {
    for (tr_runtime_command *r = x->runtime.first; r != NULL; r = r->next) {
        if (r->owner == owner && r->live) r->down = 1;
    }
}

void tr_runtime_drop_down(tr_exec *x, const void *owner) {
    for (tr_runtime_command *r = x->runtime.first; r != NULL; r = r->next) {
        if (r->owner == owner && r->down) tr_runtime_forget(x, r);
    }
}

void tr_runtime_release(tr_exec *x) {
    while (x->runtime.first != NULL) {
        tr_runtime_command *r = x->runtime.first;
        x->runtime.first = r->next;
        clear(x, r);
        tr_free(x->mem, (void *)(uintptr_t)r->cmd.fullname);
        tr_free(x->mem, r);
    }
    tr_hash_release(&x->runtime.by_name);
}
