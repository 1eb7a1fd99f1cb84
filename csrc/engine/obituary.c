#include "engine/obituary.h"

#include <string.h>

#include "engine/engine.h"

static int is_notable(tr_close_reason reason) {
    switch (reason) {
    case TR_CLOSE_PROTOCOL:
    case TR_CLOSE_CROSS_PROTOCOL:
    case TR_CLOSE_OUTPUT_LIMIT:
    case TR_CLOSE_QUERY_LIMIT:
    case TR_CLOSE_IDLE:
    case TR_CLOSE_EVICTED: return 1;
    default: return 0;
    }
}

static void copy_text(tr_obituary *o, const char *p, size_t len) {
    if (len > TR_OBITUARY_DETAIL_MAX - 1) len = TR_OBITUARY_DETAIL_MAX - 1;
    memcpy(o->detail, p, len);
    o->detail[len] = '\0';
}

static void describe(const tr_conn *conn, tr_obituary *o) {
    const tr_engine *g = conn->engine;
    const tr_client *c = &conn->client;
    const tr_out_limit *limit = tr__engine_out_limit(g, c);
    o->pending_bytes = tr_conn_memory(conn);
    switch (conn->close_reason) {
    case TR_CLOSE_OUTPUT_LIMIT:
        o->pending_bytes = c->out.bytes;
        o->soft = limit->hard_bytes == 0 || c->out.bytes < limit->hard_bytes;
        o->limit_bytes = o->soft ? limit->soft_bytes : limit->hard_bytes;
        return;
    case TR_CLOSE_QUERY_LIMIT:
        o->pending_bytes = tr_conn_input_bytes(conn);
        o->limit_bytes = g->settings.query_buffer_max;
        return;
    case TR_CLOSE_EVICTED: o->limit_bytes = g->settings.client_memory_max; return;
    case TR_CLOSE_PROTOCOL:
        if (conn->parser.error) copy_text(o, conn->parser.error, strlen(conn->parser.error));
        return;
    case TR_CLOSE_CROSS_PROTOCOL: copy_text(o, c->argv[0].ptr, c->argv[0].len); return;
    default: return;
    }
}

void tr__obituary_write(tr_conn *conn) {
    tr_engine *g = conn->engine;
    const tr_client *c = &conn->client;
    if (!is_notable(conn->close_reason) || g->obituary_count == TR_OBITUARIES_MAX) return;
    tr_obituary *o = tr_zalloc(&g->mem, sizeof(*o));
    if (o == NULL) return;
    o->id = c->id;
    o->commands = c->commands;
    o->age_us = g->x.now_us - c->created_us;
    o->idle_us = g->x.now_us - c->active_us;
    o->out_class = (int)tr__engine_out_class(c);
    if (conn->fd >= 0) tr_sock_peer_name(conn->fd, o->addr);
    describe(conn, o);
    if (conn->close_reason == TR_CLOSE_CROSS_PROTOCOL) tr__watch_cross_protocol(g, o);
    if (g->obituaries_last) g->obituaries_last->next = o;
    else g->obituaries = o;
    g->obituaries_last = o;
    g->obituary_count++;
}

int tr_obituary_take(tr_engine *g, uint64_t id, tr_obituary *out) {
    tr_obituary *before = NULL;
    for (tr_obituary *o = g->obituaries; o != NULL; before = o, o = o->next) {
        if (o->id != id) continue;
        if (before) before->next = o->next;
        else g->obituaries = o->next;
        if (g->obituaries_last == o) g->obituaries_last = before;
        g->obituary_count--;
        *out = *o;
        out->next = NULL;
        tr_free(&g->mem, o);
        return 1;
    }
    return 0;
}

void tr__obituaries_release(tr_engine *g) {
    while (g->obituaries != NULL) {
        tr_obituary *o = g->obituaries;
        g->obituaries = o->next;
        tr_free(&g->mem, o);
    }
    g->obituaries_last = NULL;
    g->obituary_count = 0;
}
