/* Clients that a module has blocked.
 *
 *   block_client --> waits --timeout--> run_blocked 2 --> goes on
 *                      | key signalled --> run_blocked 1 --> served, or waits on
 *                      | unblock_client --> run_blocked 0 --> goes on, with what threads replied
 *                      | client gone --> run_blocked 3
 *                      --> run_blocked 4: nothing is left but private data
 *
 * The helper ends a block (sandbox/host/block.h tells which of the runs does); until then it is kept here, also
 * without its client. One run of a block is under way at a time; what happens meanwhile is noted and looked at when
 * it has been answered. The blocked command counts as one of the client's units until the client goes on. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/blocking.h"
#include "exec/reply.h"
#include "modhost/internal.h"
#include "resp/check.h"

enum { HAS_REPLY = 1, HAS_TIMEOUT = 2, HAS_FREE = 8 }; /* bits of block_client */
enum { ON_REMOVAL = 1 };
enum { EFFECT_ERROR = 4 };

typedef enum why { WHY_UNBLOCKED, WHY_KEY, WHY_TIMEOUT, WHY_GONE, WHY_FREE, WHY_NONE } why;

typedef struct tr_block {
    tr_waiter waiter;  /* first; its client is NULL once that has gone on */
    tr_hnode by_id;
    tr_helper *h;
    uint64_t id;
    uint64_t client_id;
    const tr_command *cmd;
    int db_id;
    uint8_t proto;
    uint8_t silent;
    uint8_t callbacks;
    uint8_t for_keys;
    uint8_t commanding; /* the command that blocks has not been answered yet */
    uint8_t running;    /* why */
    /* noted, to be done next */
    uint8_t unblocked, aborted, timed_out, errored, key_ready;
    uint8_t gone;       /* 1: the helper is to hear of it */
    uint64_t ns;        /* spent so far */
    tr_buf command;     /* the message run_command */
    int argc;
    uint8_t *hidden;    /* of its arguments; as in tr_unit */
    tr_buf reply;       /* made by threads */
    tr_buf ready_key;
    tr_outq later;      /* replies of commands that ran although the client was to wait */
} tr_block;

typedef struct tr_blocks {
    tr_hash by_id;
} tr_blocks;

static void next_step(tr_block *b);

static tr_block *block_of(const tr_waiter *w) {
    return (tr_block *)(uintptr_t)w;
}

static tr_block *block_at(tr_hnode *node) {
    return (tr_block *)(void *)((char *)node - offsetof(tr_block, by_id));
}

static int same_id(const tr_hnode *node, const void *want, size_t unused) {
    (void)unused;
    return ((const tr_block *)(const void *)((const char *)node - offsetof(tr_block, by_id)))->id ==
           *(const uint64_t *)want;
}

static uint32_t hash_of(uint64_t id) {
    return (uint32_t)((id ^ id >> 32) * 0x9e3779b1u);
}

static tr_block *find(const tr_helper *h, uint64_t id) {
    if (h->blocks == NULL || id == 0) return NULL;
    tr_hnode **link = tr_hash_find(&h->blocks->by_id, hash_of(id), &id, 0);
    return link == NULL ? NULL : block_at(*link);
}

uint64_t tr_modhost_block_count(const tr_helper *h) {
    return h->blocks == NULL ? 0 : tr_hash_count(&h->blocks->by_id);
}

/* ------------------------------------------------------------------ the end of a block, and of waiting */

static void free_block(tr_block *b) {
    tr_mem *mem = b->h->m->mem;
    tr_assert(b->waiter.client == NULL);
    tr_buf_release(mem, &b->command);
    tr_free(mem, b->hidden);
    tr_buf_release(mem, &b->reply);
    tr_buf_release(mem, &b->ready_key);
    tr_outq_clear(&b->later);
    tr_free(mem, b);
}

static void end_block(tr_block *b) {
    tr_hash *blocks = &b->h->blocks->by_id;
    tr_hash_unlink(blocks, tr_hash_link_of(blocks, &b->by_id));
    b->h->stats.blocked--;
    free_block(b);
}

/* Its client gets this reply, unless it wants none, before those that have come since. */
static void reply_raw(tr_block *b, const void *p, size_t len) {
    tr_client *c = b->waiter.client;
    if (c == NULL || b->silent || len == 0) return;
    c->w.q = &c->out;
    tr_w_raw(&c->w, p, len);
}

static void reply_error(tr_block *b, const char *error) {
    tr_client *c = b->waiter.client;
    if (c == NULL) return;
    c->w.q = b->silent ? &c->x->sink : &c->out;
    tr_reply_error(c, error);
    c->w.q = &c->out;
    tr_outq_clear(&c->x->sink);
}

/* What threads replied meanwhile. 1: it is an error. */
static int reply_of_threads(tr_block *b) {
    const char *p = b->reply.data + b->reply.rpos;
    size_t len = tr_buf_unread(&b->reply);
    int failed = len != 0 && p[0] == '-';
    if (failed) tr_exec_count_error(b->h->m->x, p + 1, len - 1);
    reply_raw(b, p, len);
    return failed;
}

/* Of the command that blocked; borrowed from the block. */
static tr_wire_list arguments(const tr_block *b) {
    tr_msg_run_command m;
    const uint8_t *at = (const uint8_t *)b->command.data + b->command.rpos + TR_WIRE_HEADER_BYTES;
    const char *wrong = tr_wire_decode(TR_MSG_RUN_COMMAND, at, tr_buf_unread(&b->command) - TR_WIRE_HEADER_BYTES, &m);
    tr_assert(wrong == NULL);
    return m.argv;
}

/* The command is over: it is counted, and logged where it was slow. */
static void account(tr_block *b, tr_client *c, int failed) {
    tr_modhost *m = b->h->m;
    int argc = 0;
    tr_arg *argv = NULL;
    if (tr_exec_looks(m->x, b->ns)) argv = tr_alloc(m->mem, (size_t)b->argc * sizeof *argv);
    if (argv != NULL) {
        tr_wire_list list = arguments(b);
        tr_wire_cursor cursor = {0};
        tr_wire_bytes item;
        while (tr_wire_next(&list, &cursor, &item))
            argv[argc++] = (tr_arg){.ptr = (const char *)item.at, .len = item.len};
        tr_modhost_cover(argv, argc, b->hidden);
    }
    tr_exec_unit_done(c, b->cmd, argv, argc, tr_clock_mono_ns(m->x->clock), b->ns, failed);
    tr_free(m->mem, argv);
}

/* The client has its reply and may go on; the block may stay. */
static void go_on(tr_block *b, int failed) {
    tr_modhost *m = b->h->m;
    tr_client *c = b->waiter.client;
    if (c == NULL) return;
    tr_blocking_release(&m->x->blocking, &b->waiter);
    c->w.q = &c->out;
    tr_outq_splice(&c->out, &b->later);
    account(b, c, failed);
    m->hooks.output(m->hooks.ctx, c);
    if (c->units == 0) m->hooks.go_on(m->hooks.ctx, c);
}

/* ------------------------------------------------------------------ callbacks in the helper */

static tr_unit *new_unit(tr_block *b, why reason) {
    tr_modhost *m = b->h->m;
    const tr_client *c = b->waiter.client;
    tr_msg_run_blocked body = {
        .block = b->id,
        .why = (uint8_t)reason,
        .client_id = c == NULL ? 0 : b->client_id,
        .client_flags = tr_modhost_client_flags(c),
        .context_flags = tr_modhost_context_flags(m, c),
        .db = (uint32_t)b->db_id,
        .resp = b->proto,
        .now_us = m->x->now_us,
    };
    if (reason == WHY_KEY) {
        body.ready_key = (tr_wire_bytes){.at = (const uint8_t *)b->ready_key.data + b->ready_key.rpos,
                                         .len = (uint32_t)tr_buf_unread(&b->ready_key)};
    }
    if (c != NULL) body.argv = arguments(b);
    tr_unit *unit = tr_unit_new(b->h, TR_UNIT_BLOCKED, TR_MSG_RUN_BLOCKED, &body);
    if (unit == NULL) return NULL;
    unit->number = b->id;
    unit->client_id = body.client_id;
    unit->db_id = b->db_id;
    unit->cmd = b->cmd;
    unit->proto = b->proto;
    return unit;
}

/* Without memory for its callback the client gets an error, and the helper hears no more of this block. */
static void give_up(tr_block *b) {
    reply_error(b, TR_MSG_NO_MEMORY);
    go_on(b, 1);
    end_block(b);
}

static void run(tr_block *b, why reason) {
    tr_unit *unit = new_unit(b, reason);
    if (unit == NULL) {
        give_up(b);
        return;
    }
    b->running = (uint8_t)reason;
    if (reason == WHY_KEY) tr__helper_queue_first(b->h, unit);
    else tr_helper_queue(b->h, unit);
}

/* The module ended it: the last callback, if there is one. */
static void close_block(tr_block *b) {
    const tr_client *c = b->waiter.client;
    int wants = b->aborted ? HAS_FREE : HAS_REPLY | HAS_FREE;
    if (c != NULL) tr_blocking_forget(&b->h->m->x->blocking, &b->waiter);
    if (c != NULL && b->for_keys && b->callbacks & HAS_TIMEOUT) {
        run(b, WHY_TIMEOUT);
    } else if (c != NULL && !b->for_keys && !b->aborted && b->callbacks & HAS_REPLY) {
        run(b, WHY_UNBLOCKED);
    } else if (b->for_keys || b->callbacks & wants) {
        run(b, WHY_FREE);
    } else {
        go_on(b, reply_of_threads(b));
        end_block(b);
    }
}

static void time_out(tr_block *b) {
    b->timed_out = 0;
    if (b->callbacks & HAS_TIMEOUT) {
        run(b, WHY_TIMEOUT);
        return;
    }
    go_on(b, 0); /* as Redis: without a callback there is no reply */
    if (b->for_keys) run(b, WHY_FREE);
}

/* Does what was noted; the most final thing first. The block may be gone afterwards. */
static void next_step(tr_block *b) {
    if (b->running != WHY_NONE || b->commanding) return;
    if (b->errored && b->waiter.client != NULL) {
        b->errored = 0;
        reply_error(b, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
        go_on(b, 1);
        b->gone = 1;
    }
    if (b->gone) {
        b->gone = 0;
        run(b, WHY_GONE);
    } else if (b->unblocked) {
        close_block(b);
    } else if (b->waiter.client == NULL) {
        return; /* until the module says so */
    } else if (b->timed_out) {
        time_out(b);
    } else if (b->key_ready) {
        b->key_ready = 0;
        run(b, WHY_KEY);
    }
}

static void on_ready(tr_waiter *w, int db_id, const char *key, size_t len, int removed) {
    tr_block *b = block_of(w);
    tr_mem *mem = b->h->m->mem;
    (void)db_id, (void)removed;
    b->ready_key.rpos = b->ready_key.wpos = 0;
    if (tr_buf_append(mem, &b->ready_key, key, len) != TR_OK) return; /* the next signal may find memory */
    b->key_ready = 1;
    next_step(b);
}

static void on_timeout(tr_waiter *w) {
    tr_block *b = block_of(w);
    b->timed_out = 1;
    next_step(b);
}

static int on_unblock(tr_waiter *w, tr_unblock how) {
    tr_block *b = block_of(w);
    if (!(b->callbacks & HAS_TIMEOUT)) return 0; /* such a module is not ready for it */
    if (how == TR_UNBLOCK_ERROR) b->errored = 1;
    else b->timed_out = 1;
    next_step(b);
    return 1;
}

static void on_gone(tr_waiter *w) {
    tr_block *b = block_of(w);
    tr_blocking_release(&b->h->m->x->blocking, w);
    b->gone = 1;
    next_step(b);
}

static const tr_waiter_ops ops = {on_ready, on_timeout, on_unblock, on_gone};

/* ------------------------------------------------------------------ what the helper says */

static tr_block *new_block(tr_helper *h, const tr_unit *unit, const tr_msg_block_client *m) {
    tr_mem *mem = h->m->mem;
    if (h->blocks == NULL) {
        h->blocks = tr_zalloc(mem, sizeof *h->blocks);
        if (h->blocks == NULL) return NULL;
        tr_hash_init(&h->blocks->by_id, mem, same_id);
    }
    tr_block *b = tr_zalloc(mem, sizeof *b);
    if (b == NULL) return NULL;
    tr_outq_init(&b->later, &h->m->x->pool);
    b->waiter.ops = &ops;
    b->waiter.on_removal = (m->flags & ON_REMOVAL) != 0;
    b->h = h;
    b->id = m->block;
    b->client_id = unit->client_id;
    b->cmd = unit->cmd;
    b->db_id = unit->db_id;
    b->proto = unit->proto;
    b->silent = unit->silent;
    b->callbacks = (uint8_t)m->callbacks;
    b->for_keys = m->keys.count != 0;
    b->commanding = 1;
    b->running = WHY_NONE;
    b->argc = unit->argc;
    const char *at = unit->message.data + unit->message.rpos;
    if (tr_buf_append(mem, &b->command, at, tr_buf_unread(&unit->message)) != TR_OK) {
        free_block(b);
        return NULL;
    }
    return b;
}

static int64_t deadline_of(const tr_exec *x, int64_t timeout_ms) {
    int64_t now_ms = x->now_us / 1000;
    if (timeout_ms == 0 || timeout_ms > INT64_MAX - 1 - now_ms) return TR_BLOCKING_FOREVER;
    return timeout_ms < 0 ? now_ms : now_ms + timeout_ms;
}

/* The client waits. A client that has gone meanwhile is as one that goes now. */
static int begin_waiting(tr_block *b, const tr_msg_block_client *m) {
    tr_exec *x = b->h->m->x;
    tr_client *c = tr_client_by_id(x, b->client_id);
    if (c == NULL) {
        b->gone = 1;
        return TR_OK;
    }
    tr_arg *keys = tr_alloc(x->mem, (m->keys.count + 1) * sizeof *keys);
    if (keys == NULL) return TR_ENOMEM;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes name;
    for (uint32_t i = 0; tr_wire_next(&m->keys, &cursor, &name); i++)
        keys[i] = (tr_arg){.ptr = (const char *)name.at, .len = name.len};
    int64_t deadline_ms = deadline_of(x, m->timeout_ms);
    int rc = tr_blocking_wait(&x->blocking, &b->waiter, c, b->db_id, keys, m->keys.count, deadline_ms);
    tr_free(x->mem, keys);
    return rc;
}

int tr_modhost_block_client(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_block_client *m = body;
    tr_unit *unit = tr_helper_unit(h);
    (void)header;
    if (unit == NULL || unit->kind != TR_UNIT_COMMAND || unit->nested || unit->client_id == 0) {
        return tr_helper_wrong(h, "it blocks a client that can't be blocked");
    }
    if (unit->number != 0) return tr_helper_wrong(h, "a client is blocked twice");
    if (m->block == 0 || find(h, m->block) != NULL) return tr_helper_wrong(h, "a block with a bad number");
    if (tr_modhost_block_count(h) == TR_MODHOST_BLOCKS_MAX) return TR_ELIMIT;
    tr_block *b = new_block(h, unit, m);
    if (b == NULL) return TR_ENOMEM;
    int rc = begin_waiting(b, m);
    if (rc != TR_OK) {
        free_block(b);
        return rc;
    }
    b->by_id.hash = hash_of(b->id);
    tr_hash_insert(&h->blocks->by_id, &b->by_id);
    h->stats.blocked++;
    unit->number = b->id;
    return TR_OK;
}

/* What other commands of the client reply from now on comes later. They were handed over when nobody knew that this
 * one would block; from now on its likes are known. */
static void keep_order(tr_block *b) {
    tr_client *c = b->waiter.client;
    tr_runtime_of(b->cmd)->blocks = 1;
    if (c->units > 1) c->w.q = &b->later;
}

int tr_modhost_has_blocked(tr_helper *h, tr_unit *unit) {
    tr_block *b = unit->kind == TR_UNIT_COMMAND ? find(h, unit->number) : NULL;
    if (b == NULL) return 0;
    tr_modhost *m = h->m;
    b->commanding = 0;
    b->hidden = unit->hidden;
    unit->hidden = NULL;
    b->ns = (uint64_t)(tr_clock_mono_ns(m->x->clock) - unit->began_ns);
    if (b->waiter.client != NULL) {
        keep_order(b);
        m->hooks.output(m->hooks.ctx, b->waiter.client);
    }
    next_step(b);
    return 1;
}

/* Bytes of a reply that is made in the background. */
static int judge_reply(tr_helper *h, const tr_wire_bytes *reply, uint8_t proto) {
    if (tr_resp_check_answer((const char *)reply->at, reply->len, proto)) return TR_OK;
    return tr_helper_wrong(h, "a reply that is not one value");
}

int tr_modhost_unblock_client(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_unblock_client *m = body;
    tr_block *b = find(h, m->block);
    (void)header;
    if (b == NULL) return TR_OK; /* it crossed our last run of it */
    if (b->unblocked) return tr_helper_wrong(h, "a client is unblocked twice");
    int rc = judge_reply(h, &m->reply, b->proto);
    if (rc != TR_OK) return rc;
    if (tr_buf_append(h->m->mem, &b->reply, m->reply.at, m->reply.len) != TR_OK) return TR_ENOMEM;
    b->ns += m->background_us < UINT64_MAX / 2000 ? m->background_us * 1000 : 0;
    b->unblocked = 1;
    b->aborted = m->aborted;
    next_step(b);
    return TR_OK;
}

int tr_modhost_signal_ready(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_signal_ready *m = body;
    tr_exec *x = h->m->x;
    (void)header;
    if (m->db >= (uint32_t)x->store->db_count) return tr_helper_wrong(h, "a database that is not there");
    tr_blocking_signal(&x->blocking, (int)m->db, (const char *)m->name.at, m->name.len);
    return TR_OK;
}

/* ------------------------------------------------------------------ answers */

/* The reply of a callback, whose unit is over. 1: it holds an error. */
static int take_reply(tr_block *b, const tr_unit *unit, const tr_msg_run_blocked_answer *answer) {
    tr_exec *x = b->h->m->x;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes code;
    while (tr_wire_next(&answer->error_codes, &cursor, &code)) tr_exec_count_error(x, (const char *)code.at, code.len);
    b->ns += (uint64_t)(tr_clock_mono_ns(x->clock) - unit->began_ns);
    reply_raw(b, answer->reply.at, answer->reply.len);
    return answer->error_codes.count != 0 || answer->effects & EFFECT_ERROR;
}

static void finish(tr_block *b, int failed) {
    failed |= reply_of_threads(b);
    go_on(b, failed);
    end_block(b);
}

static void follow(tr_block *b, why reason, int outcome, const tr_unit *unit, const tr_msg_run_blocked_answer *answer) {
    int failed;
    switch (reason) {
        case WHY_UNBLOCKED:
            failed = take_reply(b, unit, answer);
            finish(b, failed);
            break;
        case WHY_KEY:
            if (outcome == 0) finish(b, take_reply(b, unit, answer));
            else next_step(b);
            break;
        case WHY_TIMEOUT:
            if (b->for_keys) {
                finish(b, take_reply(b, unit, answer));
                break;
            }
            if (outcome == 0) go_on(b, take_reply(b, unit, answer));
            next_step(b);
            break;
        case WHY_GONE:
            if (b->for_keys && outcome == 0) end_block(b);
            else next_step(b);
            break;
        default: finish(b, 0); break;
    }
}

int tr_modhost_blocked_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message) {
    tr_msg_run_blocked_answer answer;
    tr_block *b = find(h, unit->number);
    int rc = tr__decode(h, header, message, &answer);
    if (rc == TR_OK) rc = judge_reply(h, &answer.reply, unit->proto);
    if (rc != TR_OK) return rc;
    unit->effects = answer.effects;
    rc = tr_unit_commit(h, unit);
    if (rc != TR_OK) return rc;
    tr_assert(b != NULL && b->running != WHY_NONE);
    why reason = (why)b->running;
    b->running = WHY_NONE;
    follow(b, reason, answer.outcome, unit, &answer);
    return TR_OK;
}

/* ------------------------------------------------------------------ the helper is gone */

void tr_modhost_blocked_crashed(tr_helper *h, tr_unit *unit, const char *error) {
    (void)h, (void)unit, (void)error; /* tr_modhost_blocks_lost() follows, and tells all of them */
}

typedef struct loss {
    const char *error;
} loss;

static void lose(void *ctx, tr_hnode *node) {
    tr_block *b = block_at(node);
    if (b->commanding) { /* the client has its error as that of the command, which was running */
        tr_blocking_release(&b->h->m->x->blocking, &b->waiter);
    } else {
        reply_error(b, ((const loss *)ctx)->error);
        go_on(b, 1);
    }
    b->h->stats.blocked--;
    free_block(b);
}

void tr_modhost_blocks_lost(tr_helper *h, const char *error) {
    loss l = {error};
    tr__grants_lost(h);
    if (h->blocks != NULL) tr_hash_drain(&h->blocks->by_id, lose, &l);
}

void tr_modhost_blocks_release(tr_helper *h) {
    if (h->blocks == NULL) return;
    tr_modhost_blocks_lost(h, "MODULEDOWN the server is closing");
    tr_hash_release(&h->blocks->by_id);
    tr_free(h->m->mem, h->blocks);
    h->blocks = NULL;
}
