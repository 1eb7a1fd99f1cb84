#include "engine/client_memory.h"

#include "base/assert.h"
#include "engine/engine.h"

#define BUCKETS 65 /* by the number of bits of a size */

static int is_counted(const tr_client *c) {
    return !(c->flags & (TR_CLIENT_REPLICA | TR_CLIENT_INTERNAL | TR_CLIENT_FED));
}

static int is_evictable(const tr_conn *conn) {
    return !conn->closed && is_counted(&conn->client) && !(conn->client.flags & TR_CLIENT_NO_EVICT);
}

static int bucket_of(uint64_t bytes) {
    return bytes == 0 ? 0 : 64 - __builtin_clzll(bytes);
}

void tr__client_memory_forget(tr_conn *conn) {
    tr_engine *g = conn->engine;
    tr_assert(g->client_bytes >= conn->counted_bytes);
    g->client_bytes -= conn->counted_bytes;
    conn->counted_bytes = 0;
}

void tr__client_memory_note(tr_conn *conn) {
    tr_engine *g = conn->engine;
    if (TR_LIKELY(g->settings.client_memory_max == 0) || conn->closed) return;
    tr__client_memory_forget(conn);
    if (!is_counted(&conn->client)) return;
    conn->counted_bytes = tr_conn_memory(conn);
    g->client_bytes += conn->counted_bytes;
}

void tr__client_memory_apply(tr_engine *g) {
    for (tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        if (g->settings.client_memory_max == 0) tr__client_memory_forget(conn);
        else tr__client_memory_note(conn);
    }
}

/* Everything in buckets above the returned one must go, and *left is what remains then; a part of
 * its own may have to. */
static int last_bucket(const tr_engine *g, uint64_t *left) {
    uint64_t sums[BUCKETS] = {0};
    for (const tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        if (is_evictable(conn)) sums[bucket_of(conn->counted_bytes)] += conn->counted_bytes;
    }
    int bucket = BUCKETS - 1;
    *left = g->client_bytes;
    while (bucket > 0 && *left - sums[bucket] >= g->settings.client_memory_max) *left -= sums[bucket--];
    return bucket;
}

void tr__client_memory_evict(tr_engine *g) {
    uint64_t max = g->settings.client_memory_max;
    if (TR_LIKELY(max == 0 || g->client_bytes < max)) return;
    uint64_t left;
    int last = last_bucket(g, &left);
    for (tr_conn *conn = g->first; conn != NULL; conn = conn->next) {
        int bucket = bucket_of(conn->counted_bytes);
        if (!is_evictable(conn) || bucket < last || (bucket == last && left < max)) continue;
        if (bucket == last) left -= conn->counted_bytes;
        g->net.evicted_clients++;
        tr_conn_close(conn, TR_CLOSE_EVICTED);
    }
}
