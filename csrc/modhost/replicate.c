/* What units write for AOF and replicas. */
#include <string.h>

#include "base/err.h"
#include "modhost/modhost.h"
#include "modhost/propagation.h"

#define LITTLE_ARGC 16 /* arguments that need no block */

/* ---- the list ---- */

int tr_propagation_add(tr_mem *mem, tr_propagation *p, int db_id, uint8_t flags, const tr_arg *argv, int argc) {
    size_t bytes = 0;
    for (int i = 0; i < argc; i++) bytes += argv[i].len;
    if (p->count == TR_PROPAGATED_MAX || bytes > TR_PROPAGATED_BYTES_MAX - p->bytes) return TR_ELIMIT;
    tr_propagated *one = tr_alloc(mem, sizeof(*one) + (size_t)argc * sizeof(tr_arg) + bytes);
    if (one == NULL) return TR_ENOMEM;
    *one = (tr_propagated){.db_id = db_id, .flags = flags, .argc = argc};
    char *at = (char *)&one->argv[argc];
    for (int i = 0; i < argc; i++) {
        if (argv[i].len != 0) memcpy(at, argv[i].ptr, argv[i].len);
        one->argv[i] = (tr_arg){.ptr = at, .len = argv[i].len};
        at += argv[i].len;
    }
    if (p->last != NULL) p->last->next = one;
    else p->first = one;
    p->last = one;
    p->count++;
    p->bytes += bytes;
    return TR_OK;
}

void tr_propagation_join(tr_propagation *to, tr_propagation *from) {
    if (from->first == NULL) return;
    if (to->last != NULL) to->last->next = from->first;
    else to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    to->bytes += from->bytes;
    *from = (tr_propagation){0};
}

void tr_propagation_drop(tr_mem *mem, tr_propagation *p) {
    while (p->first != NULL) {
        tr_propagated *one = p->first;
        p->first = one->next;
        tr_free(mem, one);
    }
    *p = (tr_propagation){0};
}

/* ---- messages ---- */

int tr_modhost_propagate(tr_helper *h, int db_id, uint8_t flags, const tr_arg *argv, int argc) {
    tr_modhost *m = h->m;
    tr_unit *unit = tr_helper_unit(h);
    if (unit == NULL && m->caller != NULL) unit = m->caller->unit;
    if (unit != NULL) return tr_propagation_add(m->mem, &unit->propagation, db_id, flags, argv, argc);
    tr_propagation alone = {0};
    int rc = tr_propagation_add(m->mem, &alone, db_id, flags, argv, argc);
    if (rc == TR_OK && m->x->hooks.propagate != NULL) m->x->hooks.propagate(m->x->hooks.ctx, &alone);
    tr_propagation_drop(m->mem, &alone);
    return rc;
}

int tr_modhost_replicate(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_replicate *m = body;
    tr_mem *mem = h->m->mem;
    (void)header;
    if (m->argv.count == 0) return tr_helper_wrong(h, "a command of no words");
    if (m->db >= (uint32_t)h->m->x->store->db_count) return tr_helper_wrong(h, "a database that does not exist");
    tr_arg little[LITTLE_ARGC];
    tr_arg *argv = m->argv.count <= LITTLE_ARGC ? little : tr_alloc(mem, m->argv.count * sizeof(*argv));
    if (argv == NULL) return TR_ENOMEM;
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    for (uint32_t i = 0; tr_wire_next(&m->argv, &cursor, &item); i++)
        argv[i] = (tr_arg){.ptr = (const char *)item.at, .len = item.len};
    uint8_t flags = m->flags & (TR_PROPAGATE_NOT_AOF | TR_PROPAGATE_NOT_REPLICAS);
    int rc = tr_modhost_propagate(h, (int)m->db, flags, argv, (int)m->argv.count);
    if (argv != little) tr_free(mem, argv);
    return rc;
}

int tr_modhost_replicate_verbatim(tr_helper *h, const tr_wire_header *header, const void *body) {
    tr_mem *mem = h->m->mem;
    tr_unit *unit = tr_helper_unit(h);
    (void)header, (void)body;
    if (unit == NULL || unit->kind != TR_UNIT_COMMAND) return tr_helper_wrong(h, "no command runs to be replicated");
    tr_arg *argv = tr_alloc(mem, (size_t)unit->argc * sizeof(*argv));
    if (argv == NULL) return TR_ENOMEM;
    tr_unit_argv(unit, argv);
    int rc = tr_propagation_add(mem, &unit->propagation, unit->db_id, 0, argv, unit->argc);
    tr_free(mem, argv);
    if (rc != TR_OK) return rc;
    unit->verbatim = 1;
    h->m->x->store->dirty++;
    return TR_OK;
}

/* A client that called CLIENT PAUSE wants the replicas to catch up. */
int tr_modhost_avoid_replica_traffic(tr_helper *h, const tr_wire_header *header, const void *body) {
    tr_msg_avoid_replica_traffic_answer answer = {.avoid = h->m->x->pause != TR_PAUSE_NONE};
    (void)body;
    return tr_helper_answer(h, header, &answer);
}

void tr_modhost_unit_ends(tr_helper *h, tr_unit *unit) {
    tr_modhost *m = h->m;
    tr_exec_hooks *hooks = &m->x->hooks;
    if (unit->nested && m->caller != NULL && !m->caller->outside) {
        /* One that is no more is undone, with all that it called. */
        if (m->caller->unit != NULL) tr_propagation_join(&m->caller->unit->propagation, &unit->propagation);
        return;
    }
    if (unit->propagation.first != NULL && hooks->propagate != NULL) hooks->propagate(hooks->ctx, &unit->propagation);
}
