/* Commands that helpers call. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/reply.h"
#include "modhost/modhost.h"

#define LITTLE_ARGC 16                   /* arguments that need no block */
#define REFUSAL_MAX 256                  /* bytes of an error of ours */
#define REPLY_BYTES_MAX ((size_t)537000000) /* what the message takes */

/* Bits of the message. */
#define CALL_REPLICATE 1u
#define CALL_NOT_AOF 2u
#define CALL_NOT_REPLICAS 4u
#define CALL_AS_USER 8u
#define CALL_SCRIPT_RULES 16u
#define CALL_NO_WRITES 32u
#define CALL_ERRORS 64u
#define CALL_DENY_OOM 128u
#define CALL_DRY_RUN 256u

typedef struct call {
    tr_helper *h;
    tr_unit *unit;  /* NULL: it was asked for something outside of one */
    const tr_msg_call *m;
    tr_client *by;  /* the client of the unit; NULL: none */
    tr_client self; /* runs the command */
    const tr_command *cmd;
    int error;      /* why it is refused; 0: it isn't */
    char text[REFUSAL_MAX]; /* in words; empty: the dispatcher has them */
} call;

static void refuse(call *k, int error, const char *text) {
    k->error = error;
    snprintf(k->text, sizeof k->text, "%s", text);
}

static void refuse_named(call *k, int error, const char *before, const char *after) {
    k->error = error;
    snprintf(k->text, sizeof k->text, "%s'%s'%s", before, k->cmd->fullname, after);
}

/* May it run? The first thing that speaks against it is told. */
static void judge(call *k) {
    const tr_exec *x = k->h->m->x;
    uint64_t flags = k->m->flags;
    if (flags & CALL_AS_USER && k->by == NULL) {
        refuse(k, ENOTSUP, "ERR cannot run as user, no user directly attached to context or context's client");
        return;
    }
    k->cmd = tr_exec_resolve(x, k->self.argv, k->self.argc);
    if (k->cmd == NULL) {
        refuse(k, ENOENT, "");
    } else if (!tr_command_arity_ok(k->cmd, k->self.argc)) {
        refuse(k, EINVAL, "");
    } else if (flags & CALL_SCRIPT_RULES && k->cmd->flags & TR_CMD_NOSCRIPT) {
        refuse_named(k, ESPIPE, "ERR command ", " is not allowed on script mode");
    } else if (flags & CALL_DENY_OOM && k->cmd->flags & TR_CMD_DENYOOM && tr_store_over_limit(x->store)) {
        refuse(k, ENOSPC, TR_MSG_OOM);
    } else if (flags & CALL_NO_WRITES && k->cmd->flags & TR_CMD_WRITE) {
        refuse_named(k, ENOSPC, "ERR Write command ", " was called while write is not allowed.");
    } else if (flags & CALL_AS_USER && !tr_client_may_enter(k->by) && !(k->cmd->flags & TR_CMD_NO_AUTH)) {
        refuse_named(k, EACCES, "NOPERM User default has no permissions to run the ", " command");
    } else if (k->cmd->handler_kind == TR_HANDLER_PY_ASYNC) {
        refuse_named(k, ENOTSUP, "ERR ", " takes its time, modules can't wait for it");
    }
}

/* Runs it, whatever that brings about. 0, or the helper didn't survive it or can't be served. */
static int run(call *k) {
    tr_modhost *m = k->h->m;
    tr_store *store = m->x->store;
    tr_caller caller = {.outer = m->caller, .unit = k->unit, .outside = k->unit == NULL};
    uint64_t dirty = store->dirty;
    int db_id = k->self.db->id;
    int no_touch = store->no_touch;
    m->caller = &caller;
    m->call_depth++;
    tr_execute(&k->self);
    m->call_depth--;
    m->caller = caller.outer;
    store->no_touch = no_touch;
    tr_assert(k->self.wait == TR_WAIT_NONE);
    if (k->h->state == TR_HELPER_DOWN) return TR_ECLOSED;
    if (k->self.out.failed) return TR_ENOMEM;
    /* Commands of modules say themselves what is to be replicated. */
    if (!(k->m->flags & CALL_REPLICATE) || dirty == store->dirty || k->cmd->flags & TR_CMD_MODULE) return TR_OK;
    uint8_t flags = (k->m->flags & CALL_NOT_AOF ? TR_PROPAGATE_NOT_AOF : 0) |
                    (k->m->flags & CALL_NOT_REPLICAS ? TR_PROPAGATE_NOT_REPLICAS : 0);
    if (flags == (TR_PROPAGATE_NOT_AOF | TR_PROPAGATE_NOT_REPLICAS)) return TR_OK;
    return tr_modhost_propagate(k->h, db_id, flags, k->self.argv, k->self.argc);
}

/* Sends what stands in the client's output as the reply. */
static int answer_reply(call *k, const tr_wire_header *header) {
    tr_mem *mem = k->h->m->mem;
    tr_outq *out = &k->self.out;
    if (out->bytes > REPLY_BYTES_MAX) {
        tr_outq_clear(out);
        tr_reply_error(&k->self, "ERR the reply is too large for a module");
    }
    if (out->failed) return TR_ENOMEM;
    tr_buf bytes = {0};
    struct iovec part;
    while (tr_outq_iov(out, &part, 1) == 1) {
        if (tr_buf_append(mem, &bytes, part.iov_base, part.iov_len) != TR_OK) {
            tr_buf_release(mem, &bytes);
            return TR_ENOMEM;
        }
        tr_outq_consume(out, part.iov_len);
    }
    tr_msg_call_answer answer = {
        .errno_value = (uint32_t)k->error,
        .reply = {.at = (const uint8_t *)bytes.data + bytes.rpos, .len = (uint32_t)tr_buf_unread(&bytes)},
    };
    int rc = tr_helper_answer(k->h, header, &answer);
    tr_buf_release(mem, &bytes);
    return rc;
}

static int answer_nothing(call *k, const tr_wire_header *header) {
    tr_msg_call_answer answer = {.outcome = 1, .errno_value = (uint32_t)k->error};
    return tr_helper_answer(k->h, header, &answer);
}

static int serve(call *k, const tr_wire_header *header) {
    uint64_t flags = k->m->flags;
    judge(k);
    if (k->error != 0 && !(flags & (CALL_ERRORS | CALL_DRY_RUN))) return answer_nothing(k, header);
    if (k->error == 0 && flags & CALL_DRY_RUN) return answer_nothing(k, header);
    if (k->text[0] != '\0') {
        tr_reply_error(&k->self, k->text);
    } else if (k->error == 0 && k->h->m->call_depth >= TR_CALL_DEPTH_MAX) {
        tr_reply_error(&k->self, "ERR calls of modules are nested too deeply");
    } else {
        int rc = run(k); /* a command that isn't there, or not so, is refused by the dispatcher in its words */
        if (rc != TR_OK) return rc;
    }
    return answer_reply(k, header);
}

static tr_client *client_of(const tr_helper *h, const tr_unit *unit) {
    if (unit == NULL) return NULL;
    if (unit->nested) return unit->nested_client;
    return unit->client_id == 0 ? NULL : tr_client_by_id(h->m->x, unit->client_id);
}

int tr_modhost_call(tr_helper *h, const tr_wire_header *header, const void *body) {
    tr_exec *x = h->m->x;
    const tr_msg_call *m = body;
    tr_unit *unit = tr_helper_unit(h);
    if (m->argv.count == 0) return tr_helper_wrong(h, "a command of no words");
    if (m->db >= (uint32_t)x->store->db_count) return tr_helper_wrong(h, "a database that does not exist");
    if (m->user != 0) return tr_helper_wrong(h, "a user that does not exist");
    tr_arg little[LITTLE_ARGC];
    tr_arg *argv = m->argv.count <= LITTLE_ARGC ? little : tr_alloc(h->m->mem, m->argv.count * sizeof(*argv));
    if (argv == NULL) return TR_ENOMEM;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    for (uint32_t i = 0; tr_wire_next(&m->argv, &cursor, &item); i++)
        argv[i] = (tr_arg){.ptr = (const char *)item.at, .len = item.len};
    if (unit != NULL) unit->called = 1;
    call k = {.h = h, .unit = unit, .m = m, .by = client_of(h, unit)};
    uint32_t flags = TR_CLIENT_INTERNAL | TR_CLIENT_AUTHENTICATED;
    if (!(m->flags & CALL_DENY_OOM)) flags |= TR_CLIENT_ANY_MEMORY;
    tr_client_init(&k.self, x, x->next_client_id++, flags);
    k.self.db = &x->store->dbs[m->db];
    k.self.owner = h;
    k.self.w.proto = m->resp == 3 ? 3 : m->resp == 0 && k.by != NULL ? k.by->w.proto : 2;
    k.self.argv = argv;
    k.self.argc = (int)m->argv.count;
    int rc = serve(&k, header);
    tr_client_release(&k.self);
    if (argv != little) tr_free(h->m->mem, argv);
    return rc;
}

/* No call has ever been left open. */
int tr_modhost_abort_promise(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header, (void)body;
    return tr_helper_wrong(h, "a promise that was not made");
}
