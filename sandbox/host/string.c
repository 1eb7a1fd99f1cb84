#include <stdlib.h>
#include <string.h>

#include "sandbox/host/host.h"
#include "sandbox/host/memory.h"

RedisModuleString *tr_string_new(const void *p, size_t len) {
    if (len > SIZE_MAX / 2) tr_host_die(TR_DIE_MEMORY, "out of memory: a string of %zu bytes", len);
    RedisModuleString *s = tr_memory_alloc(sizeof(*s) + len + 1);
    atomic_init(&s->refs, 1);
    s->len = s->cap = len;
    s->p = s->small;
    /* Modules ask for zeroed room by giving no bytes. */
    if (p == NULL) {
        memset(s->p, 0, len);
    } else {
        memcpy(s->p, p, len);
    }
    s->p[len] = '\0';
    return s;
}

void tr_string_free(RedisModuleString *s) {
    int refs = atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel);
    if (refs > 1) return;
    if (refs < 1) tr_host_die(TR_DIE_HOST, "a RedisModuleString was freed more often than it was held");
    if (s->p != s->small) tr_memory_free(s->p);
    tr_memory_free(s);
}

RedisModuleString **tr_argv_from_wire(const tr_wire_list *list, int *argc) {
    RedisModuleString **argv = tr_need(list->count * sizeof(RedisModuleString *));
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    int count = 0;
    /* An empty item may come without an address, which tr_string_new() would take for no bytes. */
    while (tr_wire_next(list, &cursor, &item)) {
        argv[count++] = tr_string_new(item.len == 0 ? "" : (const void *)item.at, item.len);
    }
    *argc = count;
    return argv;
}

void tr_argv_free(RedisModuleString **argv, int argc) {
    for (int i = 0; i < argc; i++) tr_string_free(argv[i]);
    free(argv);
}

tr_wire_bytes *tr_argv_to_wire(RedisModuleString *const *argv, int argc, tr_wire_list *list) {
    tr_wire_bytes *items = tr_need((size_t)argc * sizeof(*items));
    for (int i = 0; i < argc; i++) items[i] = tr_string_wire(argv[i]);
    *list = (tr_wire_list){.count = (uint32_t)argc, .items.texts = items};
    return items;
}
