#include "engine/watch.h"

#include <string.h>

#include "base/assert.h"
#include "engine/engine.h"

void tr__watch_refused(uint64_t *count, char *addr, int fd) {
    (*count)++;
    if (tr_sock_peer_name(fd, addr) != 0) addr[0] = '\0';
}

void tr__watch_cross_protocol(tr_engine *g, const tr_obituary *o) {
    tr_watch *w = &g->watch;
    size_t len = strlen(o->detail);
    tr_assert(len < TR_SIGN_MAX);
    w->cross_protocol++;
    w->cross_client = o->id;
    memcpy(w->cross_addr, o->addr, sizeof(w->cross_addr));
    memcpy(w->cross_sign, o->detail, len + 1);
}

void tr__watch_turn(tr_engine *g, uint64_t ns, uint64_t commands) {
    tr_watch *w = &g->watch;
    if (ns <= w->turn_ns) return;
    w->turn_ns = ns;
    w->turn_commands = commands;
    w->slowest = g->x.slowest ? g->x.slowest->fullname : NULL;
    w->slowest_ns = g->x.slowest_ns;
}

/* What a counter has grown by; CONFIG RESETSTAT may have set it back. */
static uint64_t grown(uint64_t now, uint64_t *seen) {
    uint64_t by = now >= *seen ? now - *seen : now;
    *seen = now;
    return by;
}

void tr_watch_take(tr_engine *g, tr_watch *out) {
    *out = g->watch;
    out->evicted_keys = grown(g->store.stats.evicted_keys, &g->evicted_keys_seen);
    out->evicted_bytes = grown(g->store.stats.evicted_bytes, &g->evicted_bytes_seen);
    out->slow_next = g->x.slowlog.next_id;
    out->notes = g->x.notes;
    g->watch = (tr_watch){0};
    g->x.notes = (tr_exec_notes){0};
}
