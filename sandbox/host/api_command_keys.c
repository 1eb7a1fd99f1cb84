/* Which arguments of a command are keys or channels, and the command that runs. */
#include <errno.h>
#include <stdlib.h>

#include "sandbox/host/link.h"
#include "sandbox/host/memory.h"

/* ------------------------------------------------------------------ asked of the module */

int tr_rm_IsKeysPositionRequest(RedisModuleCtx *ctx) {
    TR_NOTE(IsKeysPositionRequest, ctx);
    return (ctx->flags & TR_CTX_KEYS) != 0;
}

int tr_rm_IsChannelsPositionRequest(RedisModuleCtx *ctx) {
    TR_NOTE(IsChannelsPositionRequest, ctx);
    return (ctx->flags & TR_CTX_CHANNELS) != 0;
}

/* Notes a position when that is what the context is for. */
static void note_position(RedisModuleCtx *ctx, uint32_t purpose, int pos, int flags) {
    if ((ctx->flags & purpose) == 0 || pos <= 0) return;
    tr_numbers_add(&ctx->positions, (uint64_t)pos);
    tr_numbers_add(&ctx->position_flags, (uint64_t)(uint32_t)flags);
}

void tr_rm_KeyAtPosWithFlags(RedisModuleCtx *ctx, int pos, int flags) {
    TR_NOTE(KeyAtPosWithFlags, ctx, pos, flags);
    note_position(ctx, TR_CTX_KEYS, pos, flags);
}

void tr_rm_KeyAtPos(RedisModuleCtx *ctx, int pos) {
    TR_NOTE(KeyAtPos, ctx, pos);
    note_position(ctx, TR_CTX_KEYS, pos,
                  REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_ACCESS | REDISMODULE_CMD_KEY_UPDATE);
}

void tr_rm_ChannelAtPosWithFlags(RedisModuleCtx *ctx, int pos, int flags) {
    TR_NOTE(ChannelAtPosWithFlags, ctx, pos, flags);
    note_position(ctx, TR_CTX_CHANNELS, pos, flags);
}

/* ------------------------------------------------------------------ asked of the server */

/* The list as an array that the module frees. */
static int *numbers_of(const tr_wire_list *list) {
    int *out = tr_memory_alloc(list->count * sizeof *out);
    for (uint32_t i = 0; i < list->count; i++) out[i] = (int)tr_wire_u64_at(list, i);
    return out;
}

static int *command_keys(const char *function, RedisModuleString **argv, int argc, int *num_keys, int **out_flags) {
    static const int errors[] = {0, ENOENT, EINVAL, 0};
    tr_answer hold = {0};
    tr_msg_command_keys ask;
    tr_msg_command_keys_answer answer;
    tr_wire_bytes *items = tr_argv_to_wire(argv, argc, &ask.argv);
    tr_link_ask(function, TR_MSG_COMMAND_KEYS, &ask, &answer, &hold);
    free(items);
    int *keys = NULL;
    if (answer.outcome != 0 || answer.positions.count == 0) {
        if (answer.outcome == 0 && num_keys != NULL) *num_keys = 0;
        errno = errors[answer.outcome];
    } else {
        if (num_keys != NULL) *num_keys = (int)answer.positions.count;
        keys = numbers_of(&answer.positions);
        if (out_flags != NULL) *out_flags = numbers_of(&answer.flags);
    }
    tr_answer_drop(&hold);
    return keys;
}

int *tr_rm_GetCommandKeys(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, int *num_keys) {
    TR_NOTE(GetCommandKeys, ctx, argv, argc);
    return command_keys("RedisModule_GetCommandKeys", argv, argc, num_keys, NULL);
}

int *tr_rm_GetCommandKeysWithFlags(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, int *num_keys,
                                   int **out_flags) {
    TR_NOTE(GetCommandKeysWithFlags, ctx, argv, argc);
    return command_keys("RedisModule_GetCommandKeysWithFlags", argv, argc, num_keys, out_flags);
}

/* ------------------------------------------------------------------ the command that runs */

const char *tr_rm_GetCurrentCommandName(RedisModuleCtx *ctx) {
    TR_NOTE(GetCurrentCommandName, ctx);
    return ctx == NULL || ctx->command == NULL ? NULL : ctx->command->fullname;
}
