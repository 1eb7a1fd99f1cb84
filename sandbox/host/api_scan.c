/* Walking over the keys of a database. The server sends batches; the module's function runs over them here. */
#include <errno.h>
#include <stdlib.h>

#include "sandbox/host/key.h"
#include "sandbox/host/link.h"

#define BATCH_KEYS 64 /* that one call asks for, about */

struct RedisModuleScanCursor {
    uint64_t at;
    bool done;
};

RedisModuleScanCursor *tr_rm_ScanCursorCreate(void) {
    TR_NOTE(ScanCursorCreate);
    return tr_need_zeroed(sizeof(RedisModuleScanCursor));
}

void tr_rm_ScanCursorRestart(RedisModuleScanCursor *cursor) {
    TR_NOTE(ScanCursorRestart, cursor);
    *cursor = (RedisModuleScanCursor){0};
}

void tr_rm_ScanCursorDestroy(RedisModuleScanCursor *cursor) {
    TR_NOTE(ScanCursorDestroy, cursor);
    free(cursor);
}

/* One key of a batch; the function may have changed it when it looked at those before it. */
static void visit(RedisModuleCtx *ctx, RedisModuleKey *key, RedisModuleScanCB fn, void *privdata) {
    tr_key_refresh(key);
    if (key->kind != REDISMODULE_KEYTYPE_EMPTY) fn(ctx, key->name, key, privdata);
}

static void run_over(RedisModuleCtx *ctx, const tr_msg_scan_answer *batch, RedisModuleScanCB fn, void *privdata) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    uint32_t db = ctx->db;
    uint64_t epoch = tr_host_here.keys_epoch;
    for (uint32_t i = 0; tr_wire_next(&batch->names, &cursor, &item); i++) {
        RedisModuleString *name = tr_string_new(item.at, item.len);
        RedisModuleKey *key = tr_key_new(ctx, name, db, REDISMODULE_READ);
        key->floor = tr_host_here.floors;
        key->epoch = epoch;
        key->kind = (uint8_t)tr_wire_u64_at(&batch->kinds, i);
        key->length = tr_wire_u64_at(&batch->lengths, i);
        key->expire_ms = tr_wire_i64_at(&batch->expires_ms, i);
        key->type = (uint32_t)tr_wire_u64_at(&batch->types, i);
        key->token = tr_wire_u64_at(&batch->tokens, i);
        visit(ctx, key, fn, privdata);
        tr_key_close(key);
        tr_string_free(name);
    }
}

int tr_rm_Scan(RedisModuleCtx *ctx, RedisModuleScanCursor *cursor, RedisModuleScanCB fn, void *privdata) {
    TR_NOTE(Scan, ctx, cursor, fn, privdata);
    if (cursor->done) {
        errno = ENOENT;
        return 0;
    }
    tr_msg_scan m = {.db = ctx->db, .cursor = cursor->at, .count = BATCH_KEYS};
    tr_msg_scan_answer out;
    tr_answer answer = {0};
    tr_link_ask("Scan", TR_MSG_SCAN, &m, &out, &answer);
    cursor->at = out.cursor;
    cursor->done = out.cursor == 0;
    run_over(ctx, &out, fn, privdata);
    tr_answer_drop(&answer);
    errno = 0;
    return !cursor->done;
}
