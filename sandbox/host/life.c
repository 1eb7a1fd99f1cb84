#include "sandbox/host/life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "sandbox/host/baton.h"
#include "sandbox/host/control.h"
#include "sandbox/host/link.h"

#define LOG_TEXT_MAX 8192 /* bytes of a line; the rest is cut */
#define DEATH_TEXT_MAX 1024
#define REASON_MAX 1024
#define MISSING_MAX 1024 /* names told */

enum { LOG_WARNING = 3, LOG_OF_HOST = 1 };
enum { REFUSED = 2 }; /* outcome of load_module_answer: by the module, or because of what it did */

tr_host tr_host_here;

static struct life {
    tr_options options;
    tr_jail jail;
    tr_jail_report walls;
    tr_wire_header load_header;
    tr_msg_load_module load;
    int load_code;  /* 0, or why it isn't loaded: an outcome of load_module_answer */
    uint64_t load_us;
    bool load_done; /* the answer is due */
    bool nameless;  /* that is why it isn't loaded */
    int unload_outcome;
    bool unload_done;
} here;

/* ------------------------------------------------------------------ ends and lines */

void tr_host_die(tr_death kind, const char *fmt, ...) {
    char text[DEATH_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len < 0) len = 0;
    if (len >= DEATH_TEXT_MAX) len = DEATH_TEXT_MAX - 1;
    if (tr_host_here.forked) { /* the crash is not the server's business, and no record is made */
        tr_host_log(LOG_WARNING, LOG_OF_HOST, text, (size_t)len);
        abort();
    }
    tr_msg_crash m = {.kind = (uint8_t)kind,
                      .signal = SIGABRT,
                      .thread = (uint32_t)syscall(SYS_gettid),
                      .text = {(const uint8_t *)text, (uint32_t)len}};
    tr_control_send_last(TR_MSG_CRASH, &m);
    abort();
}

void tr_host_log(int level, int source, const char *text, size_t len) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (len > LOG_TEXT_MAX) len = LOG_TEXT_MAX;
    tr_msg_log m = {.level = (uint8_t)level,
                    .source = (uint8_t)source,
                    .thread = (uint32_t)syscall(SYS_gettid),
                    .time_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
                    .text = {(const uint8_t *)text, (uint32_t)len}};
    /* The lock may have been another thread's when a child was made. */
    if (tr_host_here.forked) tr_control_send_last(TR_MSG_LOG, &m);
    else tr_control_send(TR_MSG_LOG, 0, &m);
}

static int by_name(const void *name, const void *entry) {
    return strcmp(name, ((const tr_api_entry *)entry)->name);
}

void *tr_host_resolve(void *arg, const char *name) {
    (void)arg;
    const tr_api_entry *entry = bsearch(name, tr_api_entries, tr_api_entry_count, sizeof *entry, by_name);
    return entry == NULL ? NULL : (void *)(uintptr_t)entry->address;
}

void tr_note(uint32_t function, uint32_t flags, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    static _Thread_local uint32_t thread;
    if (tr_host_here.forked) return;
    if (thread == 0) thread = (uint32_t)syscall(SYS_gettid);
    atomic_store_explicit(&tr_host_here.last_function, function, memory_order_relaxed);
    tr_record record = {.time_ns = tr_recorder_clock(),
                        .function = function,
                        .thread = thread,
                        .flags = flags,
                        .depth = tr_host_here.depth,
                        .args = {a, b, c, d}};
    tr_recorder_note(&tr_host_here.shm, &record);
}

/* ------------------------------------------------------------------ the walls */

static void report_walls(int step) {
    tr_wire_bytes names[TR_JAIL_WALL_COUNT], details[TR_JAIL_WALL_COUNT];
    uint64_t standing[TR_JAIL_WALL_COUNT];
    uint32_t count = 0;
    for (int i = 0; i < TR_JAIL_WALL_COUNT; i++) {
        const tr_jail_verdict *verdict = &here.walls.walls[i];
        if (verdict->state == TR_JAIL_NOT_YET) continue;
        if (step == 2 && i != TR_JAIL_FILTER_SERVING) continue;
        const char *text = tr_jail_wall_text((tr_jail_wall)i);
        names[count] = (tr_wire_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
        details[count] = (tr_wire_bytes){(const uint8_t *)verdict->reason, (uint32_t)strlen(verdict->reason)};
        standing[count++] = verdict->state == TR_JAIL_ON ? 1 : verdict->state == TR_JAIL_OFF ? 2 : 0;
    }
    tr_msg_walls m = {.step = (uint8_t)step,
                      .names = {.count = count, .items.texts = names},
                      .standing = {.count = count, .items.u64s = standing},
                      .details = {.count = count, .items.texts = details}};
    tr_control_send(TR_MSG_WALLS, 0, &m);
}

static void enter(tr_jail_stage stage) {
    int rc = tr_jail_enter(&here.jail, stage, &here.walls);
    if (rc != 0) tr_host_die(TR_DIE_HOST, "the walls can't be put up: %s", here.walls.failure);
}

/* ------------------------------------------------------------------ loading */

static int compare_names(const void *a, const void *b) {
    return strcasecmp((*(RedisModuleString *const *)a)->p, (*(RedisModuleString *const *)b)->p);
}

static void learn_commands(void) {
    tr_host *h = &tr_host_here;
    h->command_names = tr_argv_from_wire(&here.load.commands, &h->command_name_count);
    qsort(h->command_names, (size_t)h->command_name_count, sizeof *h->command_names, compare_names);
}

int tr_host_has_command(const char *name, size_t len) {
    tr_host *h = &tr_host_here;
    int low = 0, high = h->command_name_count;
    while (low < high) {
        int middle = (low + high) / 2;
        const RedisModuleString *s = h->command_names[middle];
        int order = strncasecmp(name, s->p, len);
        if (order == 0 && s->len == len) return 1;
        if (order < 0 || (order == 0 && len < s->len)) high = middle;
        else low = middle + 1;
    }
    for (const tr_host_command *c = h->commands; c != NULL; c = c->next) {
        if (strlen(c->fullname) == len && strncasecmp(c->fullname, name, len) == 0) return 1;
    }
    return 0;
}

static char *text_of(tr_wire_bytes bytes) {
    return tr_need_copy(bytes.at, bytes.len);
}

static int outcome_of(int rc, const char *path) {
    switch (rc) {
        case TR_ENOENT: return access(path, F_OK) == 0 ? 3 : 1;
        case TR_EACCES: return 5;
        case TR_ENOMEM: return 6;
        case TR_EINVAL: return 4;
        default: return REFUSED;
    }
}

void tr_life_load(void) {
    tr_host *h = &tr_host_here;
    uint64_t began_ns = tr_recorder_clock();
    char *path = text_of(here.load.path);
    RedisModuleCtx ctx;
    tr_ctx_init(&ctx, TR_CTX_LOAD | TR_CTX_NO_CLIENT);
    int argc;
    RedisModuleString **argv = tr_argv_from_wire(&here.load.args, &argc);
    h->loading = true;
    int rc = tr_loader_open(&h->loader, path);
    if (rc == 0) rc = tr_loader_start(&h->loader, path, &ctx, (void **)argv, argc);
    h->loading = false;
    tr_ctx_end(&ctx);
    tr_ctx_release(&ctx);
    tr_argv_free(argv, argc);
    here.nameless = rc == 0 && h->module_name == NULL;
    here.load_code = here.nameless ? REFUSED : rc == 0 ? 0 : outcome_of(rc, path);
    free(path);
    here.load_us = (tr_recorder_clock() - began_ns) / 1000;
    here.load_done = true;
}

/* Items of a list of NUL-ended texts that lie one after the other. */
static tr_wire_bytes *split(const tr_bytes *texts, uint32_t count) {
    tr_wire_bytes *items = tr_need((count + 1) * sizeof *items);
    const char *p = texts->p;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (tr_wire_bytes){(const uint8_t *)p, (uint32_t)strlen(p)};
        p += items[i].len + 1;
    }
    return items;
}

/* The reason lies in room, or outlives this. */
static const char *why_not_loaded(char room[static REASON_MAX]) {
    const tr_host *h = &tr_host_here;
    if (here.nameless) return "it has no name: its load function has not called RedisModule_Init()";
    if (here.load_code == 0 || h->busy_name == NULL || h->module_name != NULL) return tr_loader_error(&h->loader);
    snprintf(room, REASON_MAX, "its name is taken: another module is called %s", h->busy_name);
    return room;
}

static void answer_load(void) {
    tr_host *h = &tr_host_here;
    tr_bytes names = {0}, missing = {0};
    uint32_t commands = 0, missed = 0;
    for (const tr_host_command *c = h->commands; c != NULL; c = c->next, commands++)
        tr_bytes_add(&names, c->fullname, strlen(c->fullname) + 1);
    for (size_t i = 0; i < h->loader.missing_count && i < MISSING_MAX; i++, missed++)
        tr_bytes_add(&missing, h->loader.missing[i], strlen(h->loader.missing[i]) + 1);
    char room[REASON_MAX];
    const char *reason = why_not_loaded(room);
    const char *name = h->module_name == NULL ? "" : h->module_name;
    tr_wire_bytes *name_items = split(&names, commands);
    tr_wire_bytes *missing_items = split(&missing, missed);
    tr_wire_bytes *type_items = split(&h->type_names, h->type_count);
    tr_msg_load_module_answer answer = {
        .outcome = (uint8_t)here.load_code,
        .reason = {(const uint8_t *)reason, (uint32_t)strlen(reason)},
        .name = {(const uint8_t *)name, (uint32_t)strlen(name)},
        .version = h->module_version,
        .api_version = h->api_version,
        .options = h->options,
        .commands = {.count = commands, .items.texts = name_items},
        .types = {.count = h->type_count, .items.texts = type_items},
        .filters = h->filter_count,
        .missing = {.count = missed, .items.texts = missing_items},
        .base = (uint64_t)(uintptr_t)h->loader.base,
        .load_us = here.load_us,
    };
    tr_control_send(TR_MSG_LOAD_MODULE_ANSWER, here.load_header.request_id, &answer);
    free(name_items);
    free(missing_items);
    free(type_items);
    tr_bytes_drop(&names);
    tr_bytes_drop(&missing);
}

void tr_life_unload(void) {
    tr_host *h = &tr_host_here;
    RedisModuleCtx ctx;
    tr_ctx_init(&ctx, TR_CTX_LOAD | TR_CTX_NO_CLIENT);
    h->unloading = true;
    here.unload_outcome = 0;
    if (h->timers != 0) here.unload_outcome = 2;
    else if (h->blocked != 0) here.unload_outcome = 3;
    else if (tr_loader_stop(&h->loader, &ctx) != 0) here.unload_outcome = 1;
    h->unloading = false;
    tr_ctx_end(&ctx);
    tr_ctx_release(&ctx);
    here.unload_done = true;
}

static void answer_unload(void) {
    static const char *const reasons[] = {"", "the module refused", "timers are pending", "clients are blocked"};
    const char *reason = reasons[here.unload_outcome];
    tr_msg_unload_module_answer answer = {.outcome = (uint8_t)here.unload_outcome,
                                          .reason = {(const uint8_t *)reason, (uint32_t)strlen(reason)}};
    tr_control_send(TR_MSG_UNLOAD_MODULE_ANSWER, tr_control_unload_request(), &answer);
    if (here.unload_outcome != 0) return;
    tr_crash_exit_expected();
    tr_loader_close(&tr_host_here.loader);
    _exit(0);
}

void tr_life_floor_returned(void) {
    tr_ring_flush(&tr_host_here.ring);
    if (here.load_done) {
        here.load_done = false;
        if (here.load_code == 0) enter(TR_JAIL_SERVING);
        answer_load();
        if (here.load_code != 0) { /* nothing to serve; Python has the reason */
            tr_crash_exit_expected();
            _exit(0);
        }
        report_walls(2);
        tr_session_set_phase(&tr_host_here.session, TR_STATE_IDLE);
        tr_host_here.serving = true;
    }
    if (here.unload_done) {
        here.unload_done = false;
        answer_unload();
    }
}

/* ------------------------------------------------------------------ main */

static void attach(int *maps_fd) {
    tr_host *h = &tr_host_here;
    if (tr_shm_attach(&h->shm, here.options.shm_fd) != 0) {
        tr_host_die(TR_DIE_HOST, "the shared memory is not as it should be");
    }
    _Static_assert(TR_CRASH_RECORD_BYTES <= TR_SHM_CRASH_BYTES, "the record fits into the area");
    if (tr_crash_open_maps(maps_fd) != 0) *maps_fd = -1;
    if (tr_crash_install((tr_crash_record *)(void *)h->shm.crash_at, *maps_fd) != 0) {
        tr_host_die(TR_DIE_HOST, "signal handlers can't be installed");
    }
    tr_ring_init(&h->ring, &h->shm, &h->mem, TR_FROM_HOST);
    h->ring.wake_fd = here.options.engine_wake_fd;
    if (tr_ring_hold(&h->ring) != 0) tr_host_die(TR_DIE_HOST, "the life lock can't be had");
    tr_session_init(&h->session, TR_FROM_HOST, TR_DATA);
    tr_baton_init(here.options.host_wake_fd);
}

/* The first words, still without walls. */
static void prepare_walls(int maps_fd) {
    tr_options *o = &here.options;
    int fds[] = {1, 2, o->control_fd, tr_host_here.shm.fd, o->host_wake_fd, o->engine_wake_fd, maps_fd};
    size_t count = sizeof fds / sizeof *fds - (maps_fd < 0);
    o->policy.fds = fds;
    o->policy.fd_count = count;
    if (tr_jail_prepare(&o->policy, &here.jail, &here.walls) != 0) {
        tr_host_die(TR_DIE_HOST, "the walls can't be prepared: %s", here.walls.failure);
    }
    enter(TR_JAIL_LOADING);
}

int tr_life_run(int argc, char **argv) {
    tr_host *h = &tr_host_here;
    int done, maps_fd;
    int status = tr_options_parse(&here.options, argc, argv, &done);
    if (done) return status;
    signal(SIGPIPE, SIG_IGN);
    pthread_atfork(NULL, NULL, tr_host_forked);
    h->module_forks = here.options.policy.fork_allowed;
    tr_mem_init(&h->mem);
    h->control_fd = here.options.control_fd;
    attach(&maps_fd);
    tr_control_greet(&here.load_header, &here.load);
    learn_commands();
    prepare_walls(maps_fd);
    report_walls(1);
    tr_loader_init(&h->loader, &h->mem, tr_host_resolve, NULL);
    tr_session_set_phase(&h->session, TR_STATE_LOADING);
    tr_control_start();
    tr_link_serve();
}
