#include "exec/latency_events.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"

#define EVENTS_FIRST 8

static int index_of(const tr_latency_events *l, const char *name, size_t len) {
    for (int i = 0; i < l->count; i++) {
        if (strlen(l->all[i]->name) == len && memcmp(l->all[i]->name, name, len) == 0) return i;
    }
    return -1;
}

/* A new event, or NULL: too many, or no memory. */
static tr_latency_event *add(tr_exec *x, const char *name, size_t len) {
    tr_latency_events *l = &x->latency_events;
    if (l->count == TR_LATENCY_EVENTS_MAX) return NULL;
    if (l->count == l->cap) {
        int cap = l->cap ? l->cap * 2 : EVENTS_FIRST;
        tr_latency_event **all = tr_realloc(x->mem, l->all, (size_t)cap * sizeof(*all));
        if (all == NULL) return NULL;
        l->all = all;
        l->cap = cap;
    }
    tr_latency_event *e = tr_zalloc(x->mem, sizeof(*e));
    if (e == NULL) return NULL;
    memcpy(e->name, name, len);
    l->all[l->count++] = e;
    return e;
}

const tr_delay *tr_latency_newest(const tr_latency_event *e) {
    return &e->delays[(e->at + TR_DELAYS - 1) % TR_DELAYS];
}

void tr_latency_sample(tr_exec *x, const char *event, int64_t ms) {
    if (x->latency_events.threshold_ms != 0) tr_latency_told(x, event, ms);
}

void tr_latency_told(tr_exec *x, const char *event, int64_t ms) {
    tr_latency_events *l = &x->latency_events;
    if (ms < l->threshold_ms) return;
    size_t len = strnlen(event, TR_LATENCY_NAME_MAX - 1);
    int i = index_of(l, event, len);
    tr_latency_event *e = i >= 0 ? l->all[i] : add(x, event, len);
    if (e == NULL) return;
    if (ms > e->max_ms) e->max_ms = ms;
    int64_t now_s = tr_exec_clock_us(x) / 1000000;
    tr_delay *newest = &e->delays[(e->at + TR_DELAYS - 1) % TR_DELAYS];
    if (newest->time_s == now_s) {
        if (ms > newest->ms) newest->ms = ms;
        return;
    }
    e->delays[e->at] = (tr_delay){.time_s = now_s, .ms = ms};
    e->at = (e->at + 1) % TR_DELAYS;
}

const tr_latency_event *tr_latency_find(const tr_exec *x, const char *event, size_t len) {
    int i = index_of(&x->latency_events, event, len);
    return i >= 0 ? x->latency_events.all[i] : NULL;
}

int tr_latency_reset(tr_exec *x, const char *event, size_t len) {
    tr_latency_events *l = &x->latency_events;
    int i = index_of(l, event, len);
    if (i < 0) return 0;
    tr_free(x->mem, l->all[i]);
    memmove(&l->all[i], &l->all[i + 1], (size_t)(l->count - i - 1) * sizeof(l->all[0]));
    l->count--;
    return 1;
}

int tr_latency_reset_all(tr_exec *x) {
    tr_latency_events *l = &x->latency_events;
    int count = l->count;
    for (int i = 0; i < count; i++) tr_free(x->mem, l->all[i]);
    tr_free(x->mem, l->all);
    l->all = NULL;
    l->count = l->cap = 0;
    return count;
}

size_t tr_latency_memory(const tr_exec *x) {
    const tr_latency_events *l = &x->latency_events;
    size_t bytes = l->all ? tr_mem_size(l->all) : 0;
    for (int i = 0; i < l->count; i++) bytes += tr_mem_size(l->all[i]);
    return bytes;
}
