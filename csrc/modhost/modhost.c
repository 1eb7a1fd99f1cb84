#include "modhost/modhost.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/multi.h"
#include "exec/reply.h"
#include "modhost/internal.h"
#include "modhost/values.h"

static void after_command(void *ctx) {
    tr_modhost *m = ctx;
    if (m->x->after & TR_AFTER_TELL) tr_modhost_tell(m);
}

void tr_modhost_init(tr_modhost *m, tr_exec *x, tr_mem *mem) {
    *m = (tr_modhost){.x = x, .mem = mem, .next_helper_id = 1};
    x->hooks.run_module = tr_modhost_run;
    x->hooks.module_ctx = m;
    tr_values_install(x->store);
    x->hooks.after = after_command;
}

void tr_modhost_release(tr_modhost *m) {
    tr_modhost_told_release(m);
    while (m->helpers != NULL) {
        tr_helper *h = m->helpers;
        m->helpers = h->next;
        tr__helper_clear(h);
        tr_free(m->mem, h);
    }
    tr__units_trim(m, 0);
}

/* One that is no longer needed, taken out of the list; or a new one. NULL: no memory, or too many. */
static tr_helper *take_vacant(tr_modhost *m) {
    uint32_t count = 0;
    for (tr_helper **at = &m->helpers; *at != NULL; at = &(*at)->next, count++) {
        tr_helper *h = *at;
        if (!tr__helper_is_vacant(h)) continue;
        *at = h->next;
        if (m->served == h) m->served = NULL;
        tr__helper_clear(h);
        return h;
    }
    tr_helper *h = count == TR_MODHOST_HELPERS_MAX ? NULL : tr_alloc(m->mem, sizeof(*h));
    if (h != NULL) tr__helper_init(h, m);
    return h;
}

tr_helper *tr_modhost_add(tr_modhost *m, const char *name) {
    tr_helper *h = take_vacant(m);
    if (h == NULL) return NULL;
    h->id = m->next_helper_id++;
    strncpy(h->name, name, sizeof h->name - 1);
    tr_helper **end = &m->helpers;
    while (*end != NULL) end = &(*end)->next;
    *end = h;
    return h;
}

tr_helper *tr_modhost_helper(tr_modhost *m, uint32_t id) {
    tr_helper *h = m->helpers;
    while (h != NULL && h->id != id) h = h->next;
    return h;
}

tr_helper *tr_modhost_take_event(tr_modhost *m, uint8_t *events) {
    for (tr_helper *h = m->helpers; h != NULL; h = h->next) {
        if (h->events == 0) continue;
        *events = h->events;
        h->events = 0;
        return h;
    }
    return NULL;
}

/* ------------------------------------------------------------------ commands */

static void refuse_down(tr_client *c, const tr_helper *h) {
    const char *why = "it is not loaded";
    if (h->state == TR_HELPER_PARKED) why = "it has crashed and is not started again";
    if (h->state == TR_HELPER_DOWN || h->state == TR_HELPER_LOADING || h->state == TR_HELPER_RESTORING)
        why = "it has crashed and is being started again";
    tr_reply_errorf(c, "MODULEDOWN %s: %s", h->name, why);
}

/* Between MULTI and EXEC's end, in a script, or for a module's call: it can't reply later. */
static int is_nested(const tr_client *c) {
    return (c->flags & TR_CLIENT_INTERNAL) || (c->multi != NULL && c->multi->running) || c->x->hold & TR_HOLD_FLOOR;
}

#define CONTEXT_DENY_BLOCKING (UINT64_C(1) << 21)

static tr_unit *unit_of_command(tr_helper *h, tr_client *c) {
    tr_modhost *m = h->m;
    tr_wire_bytes few[TR_FEW_ARGS];
    tr_wire_bytes *items = tr__wire_args(m->mem, few, c->argv, c->argc);
    if (items == NULL) return NULL;
    tr_msg_run_command body = {
        .client_id = c->id,
        .client_flags = tr_modhost_client_flags(c),
        .context_flags = tr_modhost_context_flags(m, c) | (is_nested(c) ? CONTEXT_DENY_BLOCKING : 0),
        .db = (uint32_t)c->db->id,
        .resp = (uint8_t)c->w.proto,
        .now_us = m->x->now_us,
        .user = {.at = (const uint8_t *)"default", .len = 7},
        .argv = {.count = (uint32_t)c->argc, .items.texts = items},
    };
    tr_unit *unit = tr_unit_new(h, TR_UNIT_COMMAND, TR_MSG_RUN_COMMAND, &body);
    tr__wire_args_free(m->mem, few, items);
    if (unit == NULL) return NULL;
    unit->cmd = c->cmd;
    unit->argc = c->argc;
    unit->client_id = c->id;
    unit->db_id = c->db->id;
    unit->proto = (uint8_t)c->w.proto;
    tr__known_note(h, unit, c->argv);
    return unit;
}

void tr_modhost_run(void *ctx, tr_client *c) {
    (void)ctx;
    tr_runtime_command *r = tr_runtime_of(c->cmd);
    tr_helper *h = r->owner;
    if (!r->live || h->state != TR_HELPER_SERVING) {
        refuse_down(c, h);
        return;
    }
    if (h->pending_count >= TR_MODHOST_PENDING_MAX) {
        tr_reply_errorf(c, "MODULEDOWN %s: too many commands wait for it", h->name);
        return;
    }
    tr_unit *unit = unit_of_command(h, c);
    if (unit == NULL) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    if (is_nested(c)) {
        tr__unit_run_now(h, unit, c);
        return;
    }
    unit->silent = c->w.q != &c->out;
    c->units++;
    c->units_of = h;
    c->flags |= TR_CLIENT_UNITS | (r->blocks || c->cmd->flags & TR_CMD_BLOCKING ? TR_CLIENT_MAY_BLOCK : 0);
    tr_helper_queue(h, unit);
}

uint64_t tr_modhost_client_flags(const tr_client *c) {
    uint64_t flags = 0;
    if (c == NULL) return 0;
    if (c->flags & TR_CLIENT_PUBSUB) flags |= 1u << 1;
    if (c->flags & TR_CLIENT_UNIX) flags |= 1u << 4;
    if (c->multi != NULL && (c->multi->active || c->multi->running)) flags |= 1u << 5;
    return flags;
}

uint64_t tr_modhost_context_flags(const tr_modhost *m, const tr_client *c) {
    const tr_store *store = m->x->store;
    uint64_t flags = 1u << 2; /* master */
    if (store->maxmemory != 0) {
        flags |= 1u << 8;
        if (store->policy != TR_NOEVICTION) flags |= 1u << 9;
        if (tr_store_over_limit(store)) flags |= 1u << 10;
    }
    if (c == NULL) return flags;
    if (c->multi != NULL && (c->multi->active || c->multi->running)) flags |= 1u << 1 | 1u << 21;
    if (c->w.proto >= 3) flags |= 1u << 22;
    return flags;
}

/* ------------------------------------------------------------------ turns */

/* Who may have the floor next: they take turns, so none waits for longer than a batch of each other. */
static tr_helper *next_with_work(tr_modhost *m) {
    tr_helper *first = NULL; /* of those up to the one that had it last */
    int behind = m->served == NULL;
    for (tr_helper *h = m->helpers; h != NULL; h = h->next) {
        if (behind && tr_helper_has_work(h)) return h;
        if (!behind && first == NULL && tr_helper_has_work(h)) first = h;
        if (h == m->served) behind = 1;
    }
    return first;
}

static void hold_floor(tr_modhost *m) {
    if (!(m->x->hold & TR_HOLD_FLOOR)) m->floor_ns = tr_clock_mono_ns(m->x->clock);
    m->x->hold |= TR_HOLD_FLOOR;
}

static void release_floor(tr_modhost *m) {
    m->floor = NULL;
    if (!(m->x->hold & TR_HOLD_FLOOR)) return;
    m->x->hold &= ~(uint32_t)(TR_HOLD_FLOOR | TR_HOLD_BUSY);
    m->x->busy_text[0] = '\0';
    m->hooks.floor_back(m->hooks.ctx);
}

int tr_modhost_turn(tr_modhost *m) {
    if (m->helpers == NULL) return 0;
    if (m->told != NULL && m->floor == NULL) tr_modhost_tell(m);
    tr_blocking_serve(&m->x->blocking);
    tr_helper *h = m->floor != NULL ? m->floor : next_with_work(m);
    if (h == NULL || (h == m->floor && !h->ready)) return 0;
    if (h->state == TR_HELPER_RESTORING) { /* without the floor: the keyspace is not its business yet */
        m->served = h;
        tr__restore_turn(h);
        return tr_modhost_has_work(m);
    }
    m->floor = m->served = h;
    h->ready = 0;
    if (!tr__helper_progress(h)) {
        hold_floor(m);
        return 0;
    }
    release_floor(m);
    tr_blocking_serve(&m->x->blocking); /* keys that its units made ready */
    return tr_modhost_has_work(m); /* once the clients of these replies have theirs */
}

void tr_modhost_cron(tr_modhost *m) {
    tr__units_trim(m, m->spare_count / 2);
    int64_t now_ns = tr_clock_mono_ns(m->x->clock);
    tr_helper *h = m->floor;
    if (h == NULL) {
        for (h = m->helpers; h != NULL; h = h->next) {
            if (h->state != TR_HELPER_RESTORING) tr_values_cron(h);
            else if (now_ns >= h->deadline_ns) tr_helper_fail(h, TR_FAIL_TIMEOUT, "");
        }
        return;
    }
    if (now_ns >= h->deadline_ns) {
        tr_helper_fail(h, TR_FAIL_TIMEOUT, "");
        release_floor(m);
    } else if (m->busy_ms > 0 && now_ns - m->floor_ns > m->busy_ms * 1000000 && !(m->x->hold & TR_HOLD_BUSY)) {
        m->x->hold |= TR_HOLD_BUSY;
        m->hooks.floor_back(m->hooks.ctx); /* who waits is tried again, and hears that we are busy */
    }
}

void tr_modhost_ready(tr_helper *h) {
    int has_ended = tr__helper_take_sign(h);
    if (h->m->floor == h || h->state == TR_HELPER_RESTORING) h->ready = 1;
    else tr__helper_listen(h, has_ended);
}
