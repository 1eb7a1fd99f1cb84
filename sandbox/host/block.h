/* block.h - clients that a module has blocked: the host's side of them.
 *
 *   BlockClient --block_client--> engine: the client waits
 *   UnblockClient (any thread) --unblock_client, with what threads replied-->
 *                    <--run_blocked: reply or timeout callback, then the private data is freed
 *
 * A block is known to both sides by a number that is never used again. The last run_blocked closes it: after the
 * callbacks the private data is freed and the block is gone. There is none when there is neither a reply callback
 * nor one that frees: UnblockClient closes such a block itself. A client that is gone or has timed out leaves the
 * block open until UnblockClient, unless it waited for keys, where that closes it.
 *
 * Where blocking isn't allowed the command replies with an error, the engine hears of nothing, and the block is open
 * until UnblockClient all the same.
 *
 * Blocks are counted by references: the table's, until it is closed, and one for each context of a thread.
 */
#ifndef TR_HOST_BLOCK_H
#define TR_HOST_BLOCK_H

#include "sandbox/host/host.h"

typedef void tr_free_privdata(RedisModuleCtx *ctx, void *privdata);

struct RedisModuleBlockedClient {
    _Atomic int refs;
    uint32_t place;      /* in the table */
    uint64_t id;
    uint64_t client_id;
    uint32_t db;
    RedisModuleCmdFunc on_reply, on_timeout;
    RedisModuleDisconnectFunc on_disconnect;
    tr_free_privdata *free_privdata;
    void *privdata;
    tr_reply reply;      /* made by threads */
    bool for_keys;
    bool untold;         /* the engine knows nothing of it */
    bool unblocked;
    bool closes_by_run;  /* run_blocked comes after unblock_client */
    int64_t measured_from_ns; /* -1: nothing is being measured */
    uint64_t measured_us;
};

/* Where a thread's replies for the client go. */
static inline tr_reply *tr_block_reply(RedisModuleBlockedClient *bc) {
    return &bc->reply;
}
RedisModuleBlockedClient *tr_block_hold(RedisModuleBlockedClient *bc);
void tr_block_let_go(RedisModuleBlockedClient *bc);

#endif
