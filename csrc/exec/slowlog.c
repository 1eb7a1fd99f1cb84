#include "exec/slowlog.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "exec/redact.h"

#define NOTE_MAX 48 /* bytes that say how much was left out */

/* What an entry shows of an argument; text and a note behind it. */
typedef struct shown {
    const char *ptr;
    size_t len;
    size_t note_len;
    char note[NOTE_MAX];
} shown;

static void show_arg(shown *s, const tr_arg *arg) {
    *s = (shown){.ptr = arg->ptr, .len = arg->len};
    if (arg->len <= TR_SLOW_ARG_BYTES) return;
    s->len = TR_SLOW_ARG_BYTES;
    s->note_len = (size_t)snprintf(s->note, NOTE_MAX, "... (%zu more bytes)", arg->len - TR_SLOW_ARG_BYTES);
}

/* Fills shown[]; the count. */
static int show_args(shown *all, const tr_client *c, const tr_command *cmd) {
    int count = c->argc < TR_SLOW_ARGS ? c->argc : TR_SLOW_ARGS;
    tr_redactor r;
    tr_redact_begin(&r, cmd, c->argv);
    for (int i = 0; i < count; i++) {
        shown *s = &all[i];
        if (i == TR_SLOW_ARGS - 1 && c->argc > TR_SLOW_ARGS) {
            *s = (shown){.ptr = ""};
            s->note_len = (size_t)snprintf(s->note, NOTE_MAX, "... (%d more arguments)", c->argc - count + 1);
        } else if (i > 0 && tr_redact_ask(&r, i)) {
            *s = (shown){.ptr = TR_REDACTED, .len = sizeof(TR_REDACTED) - 1};
        } else {
            show_arg(s, &c->argv[i]);
        }
    }
    return count;
}

static tr_text put(char **at, const char *p, size_t len) {
    tr_text text = {.ptr = *at, .len = len};
    if (len != 0) memcpy(*at, p, len);
    *at += len;
    return text;
}

static tr_slow *make(tr_client *c, const tr_command *cmd) {
    shown all[TR_SLOW_ARGS];
    size_t addr_len;
    const char *addr = tr_client_addr(c, &addr_len);
    int count = show_args(all, c, cmd);
    size_t head = sizeof(tr_slow) + (size_t)count * sizeof(tr_text);
    size_t size = head + addr_len + c->name.len;
    for (int i = 0; i < count; i++) size += all[i].len + all[i].note_len;
    tr_slow *e = tr_alloc(c->x->mem, size);
    if (e == NULL) return NULL;
    *e = (tr_slow){.cmd = cmd, .client_id = c->id, .argc = c->argc, .arg_count = count};
    char *at = (char *)e + head;
    e->addr = put(&at, addr, addr_len);
    e->name = put(&at, c->name.ptr, c->name.len);
    for (int i = 0; i < count; i++) {
        e->args[i] = put(&at, all[i].ptr, all[i].len);
        e->args[i].len += put(&at, all[i].note, all[i].note_len).len;
    }
    tr_assert(at == (char *)e + size);
    return e;
}

static void drop_oldest(tr_exec *x) {
    tr_slowlog *log = &x->slowlog;
    tr_slow *e = log->oldest;
    log->oldest = e->newer;
    if (log->oldest) log->oldest->older = NULL;
    else log->newest = NULL;
    tr_assert(log->count > 0 && log->bytes >= tr_mem_size(e));
    log->count--;
    log->bytes -= tr_mem_size(e);
    tr_free(x->mem, e);
}

void tr_slowlog_note(tr_client *c, const tr_command *cmd, int64_t ns) {
    tr_exec *x = c->x;
    tr_slowlog *log = &x->slowlog;
    if (!tr_slowlog_is_on(log) || ns / 1000 < log->than_us || cmd->flags & TR_CMD_SKIP_SLOWLOG) return;
    tr_slow *e = make(c, cmd);
    if (e == NULL) return;
    e->id = log->next_id++;
    e->us = ns / 1000;
    e->time_s = tr_exec_clock_us(x) / 1000000;
    e->older = log->newest;
    if (log->newest) log->newest->newer = e;
    else log->oldest = e;
    log->newest = e;
    log->count++;
    log->bytes += tr_mem_size(e);
    while (log->count > log->max_len) drop_oldest(x);
}

void tr_slowlog_reset(tr_exec *x) {
    while (x->slowlog.count > 0) drop_oldest(x);
    tr_assert(x->slowlog.newest == NULL && x->slowlog.oldest == NULL && x->slowlog.bytes == 0);
}

const tr_slow *tr_slowlog_from(const tr_slowlog *log, uint64_t id) {
    const tr_slow *e = log->newest;
    if (e == NULL || e->id < id) return NULL;
    while (e->older != NULL && e->older->id >= id) e = e->older;
    return e;
}
