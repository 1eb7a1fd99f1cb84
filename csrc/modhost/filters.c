/* Command filters of modules: each command of each client is shown to them first.
 *
 * What they make of a command stays in the client (tr_client.filtered) until its next one, so that a command that has
 * to wait is not shown twice.
 */
#include <string.h>

#include "base/err.h"
#include "modhost/internal.h"

#define FILTERS_MAX 64      /* of one helper */
#define NOT_OWN_CALLS 1u    /* flag of register_filter */

typedef struct tr_filters {
    uint32_t count;
    uint32_t next;
    uint64_t handles[FILTERS_MAX];
    uint8_t not_own[FILTERS_MAX];
} tr_filters;

/* Shows every command from now on, or no longer. */
static void look_again(tr_modhost *m) {
    int wanted = 0;
    for (const tr_helper *h = m->helpers; h != NULL; h = h->next) {
        wanted |= h->filters != NULL && h->filters->count != 0;
    }
    m->x->hooks.filter = wanted ? tr__modhost_filter : NULL;
}

int tr_modhost_register_filter(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_register_filter *m = body;
    tr_msg_register_filter_answer answer = {.outcome = 1};
    if (h->filters == NULL) h->filters = tr_zalloc(h->m->mem, sizeof *h->filters);
    tr_filters *f = h->filters;
    if (f == NULL) return TR_ENOMEM;
    if (f->count < FILTERS_MAX) {
        f->not_own[f->count] = (m->flags & NOT_OWN_CALLS) != 0;
        f->handles[f->count++] = ++f->next;
        answer = (tr_msg_register_filter_answer){.filter = f->next};
        look_again(h->m);
    }
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_unregister_filter(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header;
    const tr_msg_unregister_filter *m = body;
    tr_filters *f = h->filters;
    for (uint32_t i = 0; f != NULL && i < f->count; i++) {
        if (f->handles[i] != m->filter) continue;
        f->count--;
        memmove(&f->handles[i], &f->handles[i + 1], (f->count - i) * sizeof *f->handles);
        memmove(&f->not_own[i], &f->not_own[i + 1], f->count - i);
        break;
    }
    look_again(h->m);
    return TR_OK;
}

void tr_modhost_filters_lost(tr_helper *h) {
    if (h->filters == NULL) return;
    h->filters->count = 0;
    look_again(h->m);
}

void tr_modhost_filters_release(tr_helper *h) {
    tr_free(h->m->mem, h->filters);
    h->filters = NULL;
}

/* The arguments that the filter made become the client's. 0 or TR_ENOMEM. */
static int take_args(tr_client *c, const tr_wire_list *list) {
    tr_mem *mem = c->x->mem;
    size_t bytes = list->count * sizeof(tr_arg);
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    while (tr_wire_next(list, &cursor, &item)) bytes += item.len;
    tr_arg *argv = tr_alloc(mem, bytes);
    if (argv == NULL) return TR_ENOMEM;
    char *at = (char *)(argv + list->count);
    cursor = (tr_wire_cursor){0};
    for (uint32_t i = 0; tr_wire_next(list, &cursor, &item); i++) {
        if (item.len != 0) memcpy(at, item.at, item.len);
        argv[i] = (tr_arg){.ptr = at, .len = item.len};
        at += item.len;
    }
    tr_free(mem, c->filtered);
    c->filtered = argv;
    c->argv = argv;
    c->argc = (int)list->count;
    return TR_OK;
}

/* The filters of one helper that want this command; how many. */
static uint32_t choose(const tr_helper *h, const tr_client *c, uint64_t out[FILTERS_MAX]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < h->filters->count; i++) {
        if (!h->filters->not_own[i] || c->owner != h) out[count++] = h->filters->handles[i];
    }
    return count;
}

static void show(tr_helper *h, tr_client *c) {
    tr_mem *mem = h->m->mem;
    uint64_t handles[FILTERS_MAX];
    uint32_t count = choose(h, c, handles);
    if (count == 0) return;
    tr_wire_bytes few[TR_FEW_ARGS];
    tr_wire_bytes *items = tr__wire_args(mem, few, c->argv, c->argc);
    if (items == NULL) return; /* the command stays as it is */
    tr_msg_run_filter ask = {.filters = {.count = count, .items.u64s = handles},
                             .client_id = c->flags & TR_CLIENT_INTERNAL ? 0 : c->id,
                             .argv = {.count = (uint32_t)c->argc, .items.texts = items}};
    tr_msg_run_filter_answer answer;
    tr_buf hold = {0};
    int rc = tr_helper_ask(h, TR_MSG_RUN_FILTER, &ask, &answer, &hold);
    /* Commands without a name can't be. No memory: it stays as it is. */
    if (rc == TR_OK && answer.changed && answer.argv.count != 0) (void)take_args(c, &answer.argv);
    tr_buf_release(mem, &hold);
    tr__wire_args_free(mem, few, items);
}

void tr__modhost_filter(void *ctx, tr_client *c) {
    tr_modhost *m = ctx;
    for (tr_helper *h = m->helpers; h != NULL; h = h->next) {
        if (h->filters != NULL && h->filters->count != 0 && h->state == TR_HELPER_SERVING) show(h, c);
    }
    /* The unit that calls this command has died over it and is undone: nothing may follow. */
    if (m->caller != NULL && !m->caller->outside && m->caller->unit == NULL) c->flags |= TR_CLIENT_CLOSE_NOW;
}
