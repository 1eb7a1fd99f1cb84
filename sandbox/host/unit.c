#include "sandbox/host/unit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox/host/link.h"
#include "sandbox/host/snapshot.h"
#include "sandbox/host/type.h"
#include "sandbox/wire/replayable.h"

#define PARTIAL 3u /* bits of the message replicate: not for all */

static tr_host_unit *current(void) {
    return tr_host_here.keeps_values ? tr_host_here.unit : NULL;
}

void tr_unit_begins(tr_host_unit *unit, uint16_t type) {
    *unit = (tr_host_unit){.type = type, .outer = tr_host_here.unit};
    tr_host_here.unit = unit;
}

void tr_unit_ended(void) {
    tr_host_unit *unit = tr_host_here.unit;
    tr_host_here.unit = unit->outer;
    tr_numbers_drop(&unit->written);
}

/* The command is one of the module's own. */
static bool is_own(const tr_wire_list *argv) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes name;
    if (!tr_wire_next(argv, &cursor, &name)) return false;
    for (const tr_host_command *c = tr_host_here.commands; c != NULL; c = c->next) {
        if (strlen(c->fullname) != name.len) continue;
        if (strncasecmp(c->fullname, (const char *)name.at, name.len) == 0) return true;
    }
    return false;
}

void tr_unit_says(tr_msg_type type, const void *body) {
    tr_host_unit *unit = current();
    if (unit == NULL) return;
    if (!tr_wire_replayable((uint16_t)type)) unit->foreign = true;
    if (type == TR_MSG_REPLICATE_VERBATIM) unit->replicated = true;
    if (type == TR_MSG_REPLICATE) {
        const tr_msg_replicate *m = body;
        unit->replicated = true;
        if (m->flags & PARTIAL || !is_own(&m->argv)) unit->foreign = true;
    }
    if (type == TR_MSG_SET_VALUE) tr_numbers_add(&unit->written, ((const tr_msg_set_value *)body)->token);
}

/* The type of a value of ours is saved and loaded again. */
static bool is_covered(uint32_t handle) {
    const RedisModuleType *type = tr_type_by_handle(handle);
    return type != NULL && type->methods.rdb_save != NULL && type->methods.rdb_load != NULL;
}

void tr_unit_hears(tr_msg_type type, const void *body, const void *answer) {
    tr_host_unit *unit = current();
    if (unit == NULL || type != TR_MSG_OPEN_KEY) return;
    const tr_msg_open_key *m = body;
    const tr_msg_open_key_answer *got = answer;
    if (got->kind == REDISMODULE_KEYTYPE_EMPTY) return;
    if (!is_covered(got->type)) unit->foreign = true;
    else if (m->mode & REDISMODULE_WRITE) tr_numbers_add(&unit->written, got->token);
}

void tr_unit_copied(uint64_t token) {
    tr_host_unit *unit = current();
    if (unit != NULL && unit->outer != NULL) tr_numbers_add(&unit->outer->written, token);
}

/* The server knows units only of these; callbacks that come beside are not put down as commands. */
static bool can_run_again(const tr_host_unit *unit) {
    uint16_t type = unit->type;
    bool is_unit = type == TR_MSG_RUN_COMMAND || type == TR_MSG_GRANT_FLOOR || type == TR_MSG_RUN_BLOCKED;
    return is_unit && unit->outer == NULL && unit->replicated && !unit->foreign;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Each once. */
static void sort(tr_numbers *n) {
    uint32_t count = 0;
    qsort(n->at, n->count, sizeof(*n->at), compare);
    for (uint32_t i = 0; i < n->count; i++) {
        if (count == 0 || n->at[i] != n->at[count - 1]) n->at[count++] = n->at[i];
    }
    n->count = count;
}

void tr_unit_answers(void) {
    tr_host_unit *unit = current();
    if (unit == NULL || unit->written.count == 0 || can_run_again(unit)) return;
    tr_values_batch batch = {.type = TR_MSG_VALUES_NOW};
    sort(&unit->written);
    for (uint32_t i = 0; i < unit->written.count; i++) {
        const tr_token *token = tr_tokens_find(tr_host_tokens(), unit->written.at[i]);
        if (token != NULL && is_covered(token->type->handle)) tr_values_batch_add(&batch, token);
    }
    unit->written.count = 0;
    tr_values_batch_send(&batch);
}
