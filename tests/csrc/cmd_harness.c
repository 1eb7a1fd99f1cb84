#include "cmd_harness.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/reply.h"
#include "out_bytes.h"

#define DBS 4
#define SWEEP_MAX 1000

/* ---- a value type that is no string ---- */

static void free_list(tr_store *store, tr_enc enc, void *ptr) {
    (void)enc;
    tr_free(store->mem, ptr);
}

static int copy_list(tr_store *store, tr_enc enc, const void *ptr, void **out) {
    (void)enc, (void)ptr;
    void *copy = tr_alloc(store->mem, 100);
    if (copy == NULL) return TR_ENOMEM;
    *out = copy;
    return TR_OK;
}

static size_t list_memory(tr_db *db, const tr_entry *e, int64_t samples) {
    (void)db;
    (void)samples;
    return tr_mem_size(tr_entry_ptr(e));
}

static const char *list_encoding(const tr_entry *e) {
    (void)e;
    return "listpack";
}

static const tr_type_ops list_ops = {
    .name = "list",
    .free_value = free_list,
    .copy_value = copy_list,
    .memory = list_memory,
    .encoding_name = list_encoding,
};

/* ---- hooks ---- */

static void note(cmd_harness *h, const tr_db *db, const char *what, const char *key, size_t len) {
    size_t room = sizeof(h->events) - h->events_len;
    const char *gap = h->events_len ? " " : "";
    char *at = h->events + h->events_len;
    int n = snprintf(at, room, "%s%d:%s:%.*s", gap, db->id, what, (int)len, key);
    if ((size_t)n < room) h->events_len += (size_t)n; /* nobody asks for that many */
}

static void on_event(void *ctx, tr_db *db, tr_event_class cls, const char *name, const char *key,
                     size_t len) {
    (void)cls;
    note((cmd_harness *)((char *)ctx - offsetof(cmd_harness, x)), db, name, key, len);
}

/* ---- opening and closing ---- */

cmd_harness *harness_new(int proto) {
    static const uint64_t seed[2] = {11, 12};
    cmd_harness *h = calloc(1, sizeof(*h));
    tr_assert(h != NULL);
    tr_mem_init(&h->mem);
    h->clock = (tr_clock){.fake = 1, .fake_wall_us = HARNESS_EPOCH_MS * 1000, .fake_mono_ns = 1};
    tr_assert(tr_store_init(&h->store, &h->mem, DBS, seed) == TR_OK);
    h->store.types[TR_LIST] = &list_ops;
    h->store.notify_mask = ~0u;
    tr_assert(tr_exec_init(&h->x, &h->mem, &h->store, &h->clock) == TR_OK);
    h->store.hooks.event = on_event; /* its context is the tr_exec */
    h->x.debug_enabled = TR_DEBUG_YES;
    tr_client_init(&h->c, &h->x, 1, TR_CLIENT_INTERNAL);
    h->c.w.proto = proto;
    return h;
}

void harness_free(cmd_harness *h) {
    tr_store_check(&h->store);
    tr_client_release(&h->c);
    tr_exec_release(&h->x);
    tr_store_release(&h->store);
    tr_assert(h->mem.used == 0);
    free(h);
}

/* ---- words ---- */

static int hex_digit(char ch) {
    return isdigit((unsigned char)ch) ? ch - '0' : tolower((unsigned char)ch) - 'a' + 10;
}

/* One escape behind the backslash at **p. */
static char unescape(const char **p) {
    char ch = *(*p)++;
    if (ch == 'r') return '\r';
    if (ch == 'n') return '\n';
    if (ch != 'x') return ch;
    char byte = (char)(hex_digit((*p)[0]) << 4 | hex_digit((*p)[1]));
    *p += 2;
    return byte;
}

typedef struct words {
    tr_arg argv[HARNESS_ARGS_MAX];
    int argc;
    char *bytes;
} words;

static void split(words *w, const char *text) {
    char *at = w->bytes = malloc(strlen(text) + 1);
    tr_assert(at != NULL);
    w->argc = 0;
    for (const char *p = text; *p != '\0';) {
        while (*p == ' ') p++;
        if (*p == '\0') break;
        tr_assert(w->argc < HARNESS_ARGS_MAX);
        tr_arg *arg = &w->argv[w->argc++];
        *arg = (tr_arg){.ptr = at};
        int quoted = *p == '"';
        if (quoted) p++;
        while (*p != '\0' && *p != (quoted ? '"' : ' ')) {
            char ch = *p++;
            *at++ = quoted && ch == '\\' ? unescape(&p) : ch;
        }
        if (quoted && *p == '"') p++;
        arg->len = (size_t)(at - arg->ptr);
    }
}

/* ---- text of replies and keyspaces ---- */

static size_t put_escaped(char *out, size_t cap, const char *p, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        tr_assert(n + 5 < cap);
        if (p[i] == '\r' && i + 1 < len && p[i + 1] == '\n') {
            if (i + 2 < len) out[n++] = ' ';
            i++;
        } else if (isprint((unsigned char)p[i])) {
            out[n++] = p[i];
        } else {
            n += (size_t)sprintf(out + n, "\\x%02x", (unsigned char)p[i]);
        }
    }
    out[n] = '\0';
    return n;
}

static void take_reply(cmd_harness *h) {
    tr_outq *q = &h->c.out;
    if (q->failed) {
        strcpy(h->text, "(no reply)");
    } else {
        out_bytes bytes = out_bytes_get(q);
        put_escaped(h->text, sizeof(h->text), bytes.at, bytes.len);
        free(bytes.at);
    }
    tr_outq_clear(q);
    h->c.flags &= ~(uint32_t)TR_CLIENT_CLOSE_NOW;
}

typedef struct dump {
    const tr_db *db;
    char *lines[1024];
    int count;
} dump;

static void dump_entry(void *ctx, tr_hnode *node) {
    dump *d = ctx;
    const tr_entry *e = (const tr_entry *)node;
    char line[4096], value[2048] = "?";
    tr_view v;
    if (tr_entry_type(e) == TR_STRING) {
        tr_entry_view(e, &v);
        put_escaped(value, sizeof(value), v.ptr, v.len < 400 ? v.len : 400);
    }
    const tr_store *store = d->db->store;
    const char *encoding = store->types[tr_entry_type(e)]->encoding_name(e);
    int n = snprintf(line, sizeof(line), "%d:%.*s=%s(%s)", d->db->id, (int)tr_entry_key_len(e),
                     e->key, value, encoding);
    if (e->ttl_slot != 0) {
        long long left = tr_db_expire_at(d->db, e) - store->now_ms;
        snprintf(line + n, sizeof(line) - (size_t)n, "+%lld", left);
    }
    tr_assert(d->count < 1024);
    d->lines[d->count++] = strdup(line);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The caller frees it. */
static char *dump_store(tr_store *store) {
    dump d = {0};
    size_t len = 1;
    for (int i = 0; i < store->db_count; i++) {
        d.db = &store->dbs[i];
        uint64_t cursor = 0;
        do cursor = tr_hash_scan(&store->dbs[i].keys, cursor, dump_entry, &d);
        while (cursor != 0);
    }
    qsort(d.lines, (size_t)d.count, sizeof(d.lines[0]), by_text);
    for (int i = 0; i < d.count; i++) len += strlen(d.lines[i]) + 1;
    char *text = calloc(1, len);
    tr_assert(text != NULL);
    for (int i = 0; i < d.count; i++) {
        if (i != 0) strcat(text, " ");
        strcat(text, d.lines[i]);
        free(d.lines[i]);
    }
    return text;
}

/* ---- steps ---- */

static void make_list(cmd_harness *h, const tr_arg *key) {
    uint32_t hash;
    tr_entry *old = tr_db_write_hash(h->c.db, key, &hash);
    void *value = tr_alloc(&h->mem, 100);
    tr_assert(value != NULL);
    tr_assert(tr_db_set_value(h->c.db, old, key, hash, TR_LIST, TR_ENC_RAW, value, 0) != NULL);
}

static void special(cmd_harness *h, const words *w) {
    const char *word = w->argv[0].ptr;
    size_t len = w->argv[0].len;
    char number[32] = "0";
    if (w->argc > 1) snprintf(number, sizeof(number), "%.*s", (int)w->argv[1].len, w->argv[1].ptr);
    int64_t n = strtoll(number, NULL, 10);
    h->text[0] = '\0';
#define IS(s) (len == strlen(s) && memcmp(word, s, len) == 0)
    if (IS("@advance")) {
        h->clock.fake_wall_us += n * 1000;
        h->clock.fake_mono_ns += n * 1000000;
    } else if (IS("@list")) {
        make_list(h, &w->argv[1]);
    } else if (IS("@clear")) {
        tr_store_flush(&h->store, -1, 0);
    } else if (IS("@policy")) {
        h->store.policy = (tr_policy)n;
    } else if (IS("@maxmemory")) {
        h->store.maxmemory = (uint64_t)n;
    } else if (IS("@keep-expired")) {
        h->store.keep_expired = (int)n;
    } else if (IS("@string-max")) {
        h->x.string_max = n;
    } else if (IS("@events")) {
        memcpy(h->text, h->events, h->events_len + 1);
        h->events_len = 0;
        h->events[0] = '\0';
    } else if (IS("@dirty")) {
        sprintf(h->text, "%llu", (unsigned long long)(h->store.dirty - h->dirty_seen));
        h->dirty_seen = h->store.dirty;
    } else if (IS("@dump")) {
        char *text = dump_store(&h->store);
        tr_assert(strlen(text) < sizeof(h->text));
        strcpy(h->text, text);
        free(text);
    } else {
        tr_assert(!"a step that the harness knows");
    }
#undef IS
}

const char *harness_run_args(cmd_harness *h, const tr_arg *argv, int argc) {
    tr_exec_turn(&h->x);
    tr_exec_begin(&h->x);
    h->c.argv = argv;
    h->c.argc = argc;
    tr_execute(&h->c);
    take_reply(h);
    h->c.argv = NULL;
    h->c.argc = 0;
    return h->text;
}

const char *harness_run(cmd_harness *h, const char *command) {
    words w;
    split(&w, command);
    if (command[0] == '@') {
        tr_exec_turn(&h->x);
        tr_exec_begin(&h->x);
        special(h, &w);
    } else {
        harness_run_args(h, w.argv, w.argc);
    }
    free(w.bytes);
    return h->text;
}

static const char *reply_of(const cmd_step *step, int proto) {
    return proto == 3 && (*step)[2] ? (*step)[2] : (*step)[1];
}

int harness_script(const cmd_step *steps, size_t count) {
    int bad = 0;
    for (int proto = 2; proto <= 3; proto++) {
        cmd_harness *h = harness_new(proto);
        for (size_t i = 0; i < count; i++) {
            const char *want = reply_of(&steps[i], proto);
            const char *got = harness_run(h, steps[i][0]);
            tr_store_check(&h->store);
            if (want == NULL || strcmp(got, want) == 0) continue;
            fprintf(stderr, "step %zu, RESP%d: %s\n", i, proto, steps[i][0]);
            fprintf(stderr, "  got  %s\n  want %s\n", got, want);
            bad++;
        }
        harness_free(h);
    }
    return bad == 0;
}

/* A fresh harness with the setup run. */
static cmd_harness *prepared(const cmd_step *setup, size_t count) {
    cmd_harness *h = harness_new(2);
    for (size_t i = 0; i < count; i++) harness_run(h, setup[i][0]);
    return h;
}

/* What a command says and leaves behind. */
typedef struct outcome {
    char *reply, *keyspace;
    uint64_t failures; /* allocations */
} outcome;

static outcome run_failing(cmd_harness *h, const char *command, uint64_t nth) {
    uint64_t before = h->mem.fail_count;
    tr_mem_fail_at(&h->mem, nth);
    outcome o = {.reply = strdup(harness_run(h, command))};
    tr_mem_fail_at(&h->mem, 0);
    o.failures = h->mem.fail_count - before;
    tr_store_check(&h->store);
    o.keyspace = dump_store(&h->store);
    return o;
}

static void release(outcome *o) {
    free(o->reply);
    free(o->keyspace);
}

static int is_refusal(const char *reply) {
    return strcmp(reply, "-" TR_MSG_NO_MEMORY) == 0 || strstr(reply, "failed allocating") != NULL;
}

int harness_fail_sweep(const cmd_step *setup, size_t setup_count, const char *command) {
    cmd_harness *h = prepared(setup, setup_count);
    char *before = dump_store(&h->store);
    outcome usual = run_failing(h, command, 0);
    harness_free(h);
    int seen = 0;
    for (uint64_t nth = 1; nth < SWEEP_MAX; nth++) {
        h = prepared(setup, setup_count);
        outcome o = run_failing(h, command, nth);
        harness_free(h);
        int no_reply = strcmp(o.reply, "(no reply)") == 0;
        const char *want = is_refusal(o.reply) ? before : usual.keyspace;
        int good = no_reply || is_refusal(o.reply) || strcmp(o.reply, usual.reply) == 0;
        if (strcmp(o.keyspace, want) != 0) good = 0;
        if (!good) {
            fprintf(stderr, "%s, allocation %d fails: %s\n", command, (int)nth, o.reply);
            fprintf(stderr, "  got  %s\n  want %s\n", o.keyspace, want);
        }
        int is_last = o.failures == 0;
        release(&o);
        if (!good) seen = -1;
        if (!good || is_last) break;
        seen++;
    }
    free(before);
    release(&usual);
    return seen;
}
