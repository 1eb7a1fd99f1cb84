/* modhost_kit.h - the server's end of modules, and a helper that a test plays.
 *
 * A world is exec and modhost without sockets. A helper's process is a thread here, with a mapping of the shared
 * memory and a tr_session of its own: it holds the life lock, and dies by ending. It keeps the protocol and does what
 * the commands say that reach it, by their second argument:
 *
 *   x.do ok                 replies +OK                       x.do say RAW          replies these bytes
 *   x.do call CMD ...       replies what the command replies  x.do calls N CMD ...  calls it N times, replies +OK
 *   x.do die [CMD ...]      dies, after that call             x.do hang [CMD ...]   replies when mk_let_go() was said
 *   x.do none               replies nothing                   x.do count            replies with a number that grows
 *   x.do lie                answers with an unknown request   x.do redact N         hides an argument
 *   x.do notify KEY         tells of a change, one-way        x.do mode WORD        replies +OK; see mk_host.mode
 *   x.do close              asks for the client to be closed  x.do job              adds a job, replies +OK
 *
 * mk_run() turns until nothing is left to do; what is left running wakes it through the eventfd. */
#ifndef TR_TESTS_MODHOST_KIT_H
#define TR_TESTS_MODHOST_KIT_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "modhost/modhost.h"

#define MK_DBS 2
#define MK_ARGS_MAX 16
#define MK_LATER_MAX 256
#define MK_BUFS 64
#define MK_TEXT_MAX 4096
#define MK_LOOK_MS 50
#define MK_LONG_MS 20000 /* nobody waits so long unless something is broken */

typedef struct mk_host {
    tr_mem mem;
    tr_shm shm; /* the host's view */
    tr_ring ring;
    tr_session session;
    struct {
        tr_wire_header header;
        tr_buf in;
    } later[MK_LATER_MAX]; /* units that came amid a question */
    int later_count;
    tr_buf bufs[MK_BUFS]; /* in use, up to buf_count: they outlive a thread that dies amid something */
    int buf_count;
    pthread_t thread;
    pid_t tid;
    int alive;
    atomic_int quit;
    sem_t started, gate;
    /* what it is to do, and what it saw; written by the other thread only while this one waits */
    const char *commands[8]; /* registered when the floor is given for loading; NULL ends */
    const char *module_name;
    uint64_t key_events;  /* classes that it wants to hear of */
    uint64_t events;      /* server events by number */
    int filters;          /* so many */
    int dies_at_load;
    int registered[8];    /* outcomes */
    char seen[MK_TEXT_MAX]; /* events, filters, jobs, as words */
    const tr_msg_command_info *info; /* of the first command; NULL: none */
    const char *filtered_to; /* what a filter makes of "plain ..." */
    int dies_at_event;
    int dies_at_filter; /* the n-th that it is shown; 0: never */
    uint64_t filter_flags;
    uint64_t count;
    /* modhost_values_kit.h */
    void *numbers; /* NULL: it has no values */
    int (*numbers_serve)(struct mk_host *p, const tr_wire_header *header, const void *body);
    int (*numbers_command)(struct mk_host *p, const tr_wire_header *header, const tr_wire_bytes *argv);
    void (*numbers_register)(struct mk_host *p);
} mk_host;

typedef struct mk_world {
    tr_mem mem;
    tr_clock clock;
    tr_store store;
    tr_exec x;
    tr_modhost m;
    int go_on_count, output_count, floor_back_count, event_count;
    int loads, restores, failures; /* taken by mk_run() */
    int parks;           /* 1: a helper that failed is parked by mk_run(); 0: nobody does anything */
} mk_world;

typedef struct mk_client {
    tr_client c;
    tr_arg argv[MK_ARGS_MAX];
    char text[MK_TEXT_MAX];
} mk_client;

/* ------------------------------------------------------------------ the host's thread */

static _Noreturn void mk__end(void) {
    pthread_exit(NULL);
}

/* Given back in the opposite order. */
static tr_buf *mk__buf(mk_host *p) {
    tr_assert(p->buf_count < MK_BUFS);
    return &p->bufs[p->buf_count++];
}

static void mk__drop(mk_host *p, tr_buf *buf) {
    tr_assert(buf == &p->bufs[p->buf_count - 1]);
    tr_buf_release(&p->mem, buf);
    p->buf_count--;
}

static int64_t mk__soon(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + (int64_t)MK_LONG_MS * 1000000;
}

static void mk__put(mk_host *p, uint16_t type, uint64_t id, const void *body) {
    tr_buf out = {0};
    tr_assert(tr_wire_encode(&p->mem, &out, type, 0, id, body) == TR_OK);
    int rc = tr_ring_put(&p->ring, out.data, tr_buf_unread(&out), mk__soon());
    tr_buf_release(&p->mem, &out);
    if (rc != TR_OK) mk__end();
    tr_ring_flush(&p->ring);
}

static void mk__answer(mk_host *p, const tr_wire_header *request, const void *body) {
    uint64_t id = request->request_id;
    const char *why = tr_session_send(&p->session, (uint16_t)(request->type + 1), 0, &id);
    if (why != NULL) fprintf(stderr, "host: %s\n", why);
    tr_assert(why == NULL);
    mk__put(p, (uint16_t)(request->type + 1), id, body);
}

static void mk__tell(mk_host *p, tr_msg_type type, const void *body) {
    uint64_t id;
    const char *why = tr_session_send(&p->session, (uint16_t)type, 0, &id);
    if (why != NULL) fprintf(stderr, "host: %s\n", why);
    tr_assert(why == NULL);
    mk__put(p, (uint16_t)type, id, body);
}

static void mk__serve(mk_host *p, const tr_wire_header *header, const tr_buf *message);

/* The next message, or the end: the engine has let go. */
static void mk__receive(mk_host *p, tr_buf *in, tr_wire_header *header) {
    int rc = TR_ECLOSED;
    for (;;) {
        atomic_store(&p->ring.nudged, 0);
        if (atomic_load(&p->quit)) break;
        rc = tr_ring_take(&p->ring, in, header);
        if (rc == TR_EAGAIN) rc = tr_ring_wait_nudged(&p->ring, mk__soon());
        else if (rc == TR_OK) break;
        if (rc != TR_OK && rc != TR_EAGAIN) break;
    }
    if (atomic_load(&p->quit) || rc != TR_OK) mk__end();
    const char *why = tr_session_came(&p->session, header);
    if (why != NULL) fprintf(stderr, "host: %s\n", why);
    tr_assert(why == NULL);
}

/* Asks and waits, serving what comes meanwhile. *in is the caller's, and out borrows from it. */
static void mk__ask(mk_host *p, tr_msg_type type, const void *body, void *out, tr_buf *in) {
    uint64_t id;
    tr_wire_header header;
    const char *why = tr_session_send(&p->session, (uint16_t)type, 0, &id);
    if (why != NULL) fprintf(stderr, "host: %s\n", why);
    tr_assert(why == NULL);
    mk__put(p, (uint16_t)type, id, body);
    for (;;) {
        mk__receive(p, in, &header);
        if (header.type == (uint16_t)(type + 1) && header.request_id == id) break;
        if (header.flags & TR_WIRE_QUEUED) {
            tr_assert(p->later_count < MK_LATER_MAX);
            p->later[p->later_count].header = header;
            p->later[p->later_count++].in = *in;
            *in = (tr_buf){0};
        } else {
            mk__serve(p, &header, in);
        }
    }
    const uint8_t *at = (const uint8_t *)in->data + in->rpos + TR_WIRE_HEADER_BYTES;
    tr_assert(tr_wire_decode(header.type, at, header.length, out) == NULL);
}

static void mk__see(mk_host *p, const char *format, ...) {
    va_list args;
    size_t len = strlen(p->seen);
    va_start(args, format);
    vsnprintf(p->seen + len, sizeof p->seen - len, format, args);
    va_end(args);
}

/* Calls argv[from...]; the reply is copied to out (may be NULL). 1: it starts as an error. */
static int mk__call(mk_host *p, const tr_wire_bytes *argv, uint32_t from, uint32_t argc, tr_buf *out) {
    tr_buf *in = mk__buf(p);
    tr_msg_call ask = {.flags = 64 | 1, .argv = {.count = argc - from, .items.texts = &argv[from]}};
    tr_msg_call_answer answer;
    mk__ask(p, TR_MSG_CALL, &ask, &answer, in);
    int failed = answer.reply.len != 0 && answer.reply.at[0] == '-';
    if (out != NULL) tr_assert(tr_buf_append(&p->mem, out, answer.reply.at, answer.reply.len) == TR_OK);
    mk__drop(p, in);
    return failed;
}

/* Takes everything and does nothing any more. */
static _Noreturn void mk__forget(mk_host *p) {
    for (;;) {
        tr_wire_header header;
        tr_buf *in = mk__buf(p);
        mk__receive(p, in, &header);
        mk__drop(p, in);
    }
}

static int mk__is(tr_wire_bytes text, const char *word) {
    return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

static void mk__reply(mk_host *p, const tr_wire_header *header, const void *text, size_t len, uint64_t effects) {
    static const tr_wire_bytes codes[] = {{(const uint8_t *)"ERR", 3}};
    uint64_t error = len != 0 && ((const char *)text)[0] == '-';
    tr_msg_run_command_answer answer = {.reply = {text, (uint32_t)len},
                                        .effects = effects | error * 4,
                                        .error_codes = {.count = (uint32_t)error, .items.texts = codes}};
    mk__answer(p, header, &answer);
}

static void mk__command(mk_host *p, const tr_wire_header *header, const tr_msg_run_command *m) {
    tr_wire_bytes argv[MK_ARGS_MAX] = {0};
    tr_wire_cursor cursor = {0};
    uint32_t argc = 0;
    while (argc < MK_ARGS_MAX && tr_wire_next(&m->argv, &cursor, &argv[argc])) argc++;
    tr_wire_bytes what = argv[1];
    char text[64];
    if (m->purpose == 1) {
        uint64_t positions[] = {1}, flags[] = {0};
        tr_msg_run_command_answer answer = {.positions = {.count = 1, .items.u64s = positions},
                                            .position_flags = {.count = 1, .items.u64s = flags}};
        mk__answer(p, header, &answer);
    } else if (p->numbers != NULL && p->numbers_command(p, header, argv)) {
        return;
    } else if (mk__is(what, "say")) {
        mk__reply(p, header, argv[2].at, argv[2].len, 0);
    } else if (mk__is(what, "call")) {
        tr_buf *out = mk__buf(p);
        mk__call(p, argv, 2, argc, out);
        mk__reply(p, header, out->data + out->rpos, tr_buf_unread(out), 0);
        mk__drop(p, out);
    } else if (mk__is(what, "calls")) {
        for (int i = argv[2].at[0] - '0'; i > 0; i--) mk__call(p, argv, 3, argc, NULL);
        mk__reply(p, header, "+OK\r\n", 5, 0);
    } else if (mk__is(what, "die")) {
        if (argc > 2) mk__call(p, argv, 2, argc, NULL);
        mk__end();
    } else if (mk__is(what, "hang")) {
        if (argc > 2) mk__call(p, argv, 2, argc, NULL);
        sem_wait(&p->gate);
        if (atomic_load(&p->quit)) mk__end();
        mk__reply(p, header, "+OK\r\n", 5, 0);
    } else if (mk__is(what, "none")) {
        mk__reply(p, header, "", 0, 0);
    } else if (mk__is(what, "close")) {
        mk__reply(p, header, "+OK\r\n", 5, 16);
    } else if (mk__is(what, "count")) {
        int len = snprintf(text, sizeof text, ":%d\r\n", (int)++p->count);
        mk__reply(p, header, text, (size_t)len, 0);
    } else if (mk__is(what, "lie")) {
        tr_msg_run_command_answer answer = {.effects = 0};
        mk__put(p, TR_MSG_RUN_COMMAND_ANSWER, header->request_id + 1000, &answer);
        mk__forget(p);
    } else if (mk__is(what, "redact")) {
        mk__tell(p, TR_MSG_REDACT, &(tr_msg_redact){.position = (uint32_t)(argv[2].at[0] - '0')});
        if (argc > 3 && mk__is(argv[3], "die")) mk__end();
        mk__reply(p, header, "+OK\r\n", 5, 0);
    } else if (mk__is(what, "notify")) {
        tr_msg_notify_keyspace tell = {.event_class = 1u << 2, .event = {(const uint8_t *)"touched", 7},
                                       .name = argv[2]};
        mk__tell(p, TR_MSG_NOTIFY_KEYSPACE, &tell);
        mk__reply(p, header, "+OK\r\n", 5, 0);
    } else if (mk__is(what, "job")) {
        mk__tell(p, TR_MSG_ADD_JOB, &(tr_msg_add_job){.job = ++p->count});
        mk__reply(p, header, "+OK\r\n", 5, 0);
    } else {
        mk__reply(p, header, "+OK\r\n", 5, 0);
    }
}

static void mk__load(mk_host *p) {
    tr_buf *in = mk__buf(p);
    if (p->dies_at_load) mk__end();
    if (p->module_name != NULL) {
        tr_msg_name_busy ask = {.name = {(const uint8_t *)p->module_name, (uint32_t)strlen(p->module_name)}};
        tr_msg_name_busy_answer answer;
        mk__ask(p, TR_MSG_NAME_BUSY, &ask, &answer, in);
        mk__see(p, "%s", answer.busy ? "busy " : "");
        tr_msg_module_options options = {.name = ask.name, .version = 7, .api_version = 1};
        if (!answer.busy) mk__tell(p, TR_MSG_MODULE_OPTIONS, &options);
    }
    for (int i = 0; i < 8 && p->commands[i] != NULL; i++) {
        tr_msg_register_command ask = {.name = {(const uint8_t *)p->commands[i], (uint32_t)strlen(p->commands[i])},
                                       .flags = {(const uint8_t *)"write", 5}};
        tr_msg_register_command_answer answer;
        mk__ask(p, TR_MSG_REGISTER_COMMAND, &ask, &answer, in);
        p->registered[i] = answer.outcome;
        if (i != 0 || p->info == NULL) continue;
        tr_msg_command_info info = *p->info;
        tr_msg_command_info_answer done;
        info.command = answer.command;
        mk__ask(p, TR_MSG_COMMAND_INFO, &info, &done, in);
        tr_assert(done.outcome == 0);
    }
    if (p->numbers != NULL) p->numbers_register(p);
    if (p->key_events != 0) {
        tr_msg_subscribe_keyspace_answer answer;
        mk__ask(p, TR_MSG_SUBSCRIBE_KEYSPACE,
                &(tr_msg_subscribe_keyspace){.classes = p->key_events, .subscription = 1}, &answer, in);
    }
    for (uint64_t event = 0; event < 64; event++) {
        tr_msg_subscribe_event_answer answer;
        if (!(p->events >> event & 1)) continue;
        mk__ask(p, TR_MSG_SUBSCRIBE_EVENT, &(tr_msg_subscribe_event){.event = event, .wanted = 1}, &answer, in);
        if (answer.outcome != 0) mk__see(p, "unknown ");
    }
    for (int i = 0; i < p->filters; i++) {
        tr_msg_register_filter_answer answer;
        mk__ask(p, TR_MSG_REGISTER_FILTER, &(tr_msg_register_filter){.flags = p->filter_flags}, &answer, in);
    }
    mk__drop(p, in);
}

static void mk__filter(mk_host *p, const tr_wire_header *header, const tr_msg_run_filter *m) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes first = {0}, words[MK_ARGS_MAX];
    tr_wire_next(&m->argv, &cursor, &first);
    if (p->dies_at_filter != 0 && --p->dies_at_filter == 0) mk__end();
    mk__see(p, "f:%.*s ", (int)first.len, (const char *)first.at);
    tr_msg_run_filter_answer answer = {.changed = 0};
    if (p->filtered_to != NULL && mk__is(first, "plain")) {
        uint32_t count = 0;
        for (const char *at = p->filtered_to; *at != '\0';) {
            size_t len = strcspn(at, " ");
            words[count++] = (tr_wire_bytes){(const uint8_t *)at, (uint32_t)len};
            at += len + (at[len] == ' ');
        }
        answer = (tr_msg_run_filter_answer){.changed = 1, .argv = {.count = count, .items.texts = words}};
    }
    mk__answer(p, header, &answer);
}

static void mk__server_event(mk_host *p, const tr_msg_server_event *m) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes text;
    mk__see(p, "e%d.%d", (int)m->event, (int)m->subevent);
    for (uint32_t i = 0; i < m->numbers.count && m->event != 4; i++)
        mk__see(p, ",%d", (int)tr_wire_i64_at(&m->numbers, i));
    while (tr_wire_next(&m->texts, &cursor, &text)) mk__see(p, ",%.*s", (int)text.len, (const char *)text.at);
    mk__see(p, " ");
}

static void mk__serve(mk_host *p, const tr_wire_header *header, const tr_buf *message) {
    union {
        uint64_t aligned[128];
        tr_msg_run_command command;
        tr_msg_grant_floor grant;
        tr_msg_keyspace_event key;
        tr_msg_run_filter filter;
        tr_msg_run_job job;
        tr_msg_server_event event;
    } body;
    const uint8_t *at = (const uint8_t *)message->data + message->rpos + TR_WIRE_HEADER_BYTES;
    tr_wire_header request = *header; /* amid what follows, the next message comes to the same place */
    tr_buf *hold = mk__buf(p);
    tr_assert(tr_buf_append(&p->mem, hold, at, header->length) == TR_OK);
    tr_assert(tr_wire_decode(header->type, (const uint8_t *)hold->data, header->length, &body) == NULL);
    switch ((tr_msg_type)header->type) {
        case TR_MSG_RUN_COMMAND: mk__command(p, &request, &body.command); break;
        case TR_MSG_GRANT_FLOOR:
            if (body.grant.purpose == 5) mk__load(p);
            mk__answer(p, &request, &(tr_msg_grant_floor_answer){.ask = body.grant.ask});
            if (body.grant.purpose >= 5) tr_session_set_phase(&p->session, TR_STATE_IDLE);
            break;
        case TR_MSG_KEYSPACE_EVENT:
            if (p->dies_at_event) mk__end();
            mk__see(p, "%.*s:%.*s ", (int)body.key.event.len, (const char *)body.key.event.at, (int)body.key.name.len,
                    (const char *)body.key.name.at);
            mk__answer(p, &request, &(tr_msg_keyspace_event_answer){0});
            break;
        case TR_MSG_RUN_JOB:
            mk__see(p, "job ");
            mk__answer(p, &request, &(tr_msg_run_job_answer){0});
            break;
        case TR_MSG_RUN_FILTER: mk__filter(p, &request, &body.filter); break;
        case TR_MSG_SERVER_EVENT:
            mk__server_event(p, &body.event);
            mk__answer(p, &request, &(tr_msg_server_event_answer){0});
            break;
        default: tr_assert(p->numbers != NULL && p->numbers_serve(p, &request, &body));
    }
    mk__drop(p, hold);
}

static void *mk__thread(void *arg) {
    mk_host *p = arg;
    p->tid = (pid_t)syscall(SYS_gettid);
    tr_assert(tr_ring_hold(&p->ring) == TR_OK);
    sem_post(&p->started);
    for (;;) {
        tr_wire_header header;
        tr_buf *in = mk__buf(p);
        if (p->later_count != 0) {
            header = p->later[0].header;
            *in = p->later[0].in;
            memmove(p->later, p->later + 1, (size_t)--p->later_count * sizeof *p->later);
        } else {
            mk__receive(p, in, &header);
        }
        mk__serve(p, &header, in);
        mk__drop(p, in);
    }
    return NULL;
}

/* ------------------------------------------------------------------ processes */

static void mk_host_init(mk_host *p) {
    memset(p, 0, sizeof *p);
    tr_mem_init(&p->mem);
    sem_init(&p->started, 0, 0);
    sem_init(&p->gate, 0, 0);
    p->commands[0] = "x.do";
}

static void mk_let_go(mk_host *p) {
    sem_post(&p->gate);
}

/* Ends the thread, wherever it is. */
static void mk_host_end(mk_host *p) {
    if (!p->alive) return;
    atomic_store(&p->quit, 1);
    tr_ring_nudge(&p->ring);
    sem_post(&p->gate);
    pthread_join(p->thread, NULL);
    tr_ring_release(&p->ring);
    tr_shm_close(&p->shm);
    while (p->buf_count != 0) mk__drop(p, &p->bufs[p->buf_count - 1]);
    while (p->later_count != 0) tr_buf_release(&p->mem, &p->later[--p->later_count].in);
    tr_assert(p->mem.used == 0);
    atomic_store(&p->quit, 0);
    while (sem_trywait(&p->gate) == 0) continue;
    p->alive = 0;
}

/* A new process for the helper. 0 or the engine's code. */
static int mk_start(tr_helper *h, mk_host *p) {
    int shm_fd, host_wake, engine_wake;
    mk_host_end(p);
    int rc = tr_helper_prepare(h, &shm_fd, &host_wake, &engine_wake);
    if (rc != TR_OK) return rc;
    tr_assert(tr_shm_attach(&p->shm, dup(shm_fd)) == TR_OK);
    tr_ring_init(&p->ring, &p->shm, &p->mem, TR_FROM_HOST);
    p->ring.wake_fd = engine_wake;
    tr_session_init(&p->session, TR_FROM_HOST, TR_DATA);
    tr_session_set_phase(&p->session, TR_STATE_LOADING);
    tr_assert(pthread_create(&p->thread, NULL, mk__thread, p) == 0);
    p->alive = 1;
    sem_wait(&p->started);
    return tr_helper_attach(h, p->tid, -1);
}

/* ------------------------------------------------------------------ the world */

static void mk__go_on(void *ctx, tr_client *c) {
    (void)c;
    ((mk_world *)ctx)->go_on_count++;
}

static void mk__output(void *ctx, tr_client *c) {
    (void)c;
    ((mk_world *)ctx)->output_count++;
}

static void mk__floor_back(void *ctx) {
    ((mk_world *)ctx)->floor_back_count++;
}

static int mk__watch(void *ctx, int fd, tr_helper *h) {
    (void)ctx, (void)fd, (void)h;
    return TR_OK;
}

static void mk__unwatch(void *ctx, int fd) {
    (void)ctx, (void)fd;
}

static void mk__event(void *ctx) {
    ((mk_world *)ctx)->event_count++;
}

static void mk_open(mk_world *w) {
    static const uint64_t seed[2] = {5, 6};
    memset(w, 0, sizeof *w);
    tr_mem_init(&w->mem);
    tr_assert(tr_store_init(&w->store, &w->mem, MK_DBS, seed) == TR_OK);
    tr_assert(tr_exec_init(&w->x, &w->mem, &w->store, &w->clock) == TR_OK);
    tr_modhost_init(&w->m, &w->x, &w->mem);
    w->m.hooks = (tr_modhost_hooks){.ctx = w,
                                    .go_on = mk__go_on,
                                    .output = mk__output,
                                    .floor_back = mk__floor_back,
                                    .watch = mk__watch,
                                    .unwatch = mk__unwatch,
                                    .event = mk__event};
    tr_exec_turn(&w->x);
    tr_exec_begin(&w->x);
}

static void mk_take_events(mk_world *w) {
    uint8_t events;
    for (tr_helper *h; (h = tr_modhost_take_event(&w->m, &events)) != NULL;) {
        if (events & TR_HELPER_EVENT_LOADED) {
            w->loads++;
            if (h->state == TR_HELPER_LOADING) tr_helper_loaded(h, 1);
        }
        if (events & TR_HELPER_EVENT_RESTORED) w->restores++;
        if (events & TR_HELPER_EVENT_FAILED) {
            w->failures++;
            if (w->parks) tr_helper_park(h);
        }
    }
}

/* The descriptor of whoever was left running, or sleeps, speaks; or it may have died, as there is no pidfd to tell. */
static void mk_wait(tr_helper *h) {
    struct pollfd fd = {.fd = h->wake_fd, .events = POLLIN};
    poll(&fd, 1, MK_LOOK_MS);
    tr_modhost_ready(h);
}

/* Who gets its values back and was left running; NULL: nobody. */
static tr_helper *mk__restoring(mk_world *w) {
    tr_helper *h = w->m.helpers;
    while (h != NULL && !(h->state == TR_HELPER_RESTORING && h->parked_ring)) h = h->next;
    return h;
}

static void mk_run(mk_world *w) {
    for (;;) {
        mk_take_events(w);
        if (tr_modhost_turn(&w->m)) continue;
        mk_take_events(w);
        tr_helper *h = w->m.floor != NULL ? w->m.floor : mk__restoring(w);
        if (h != NULL && !h->ready) mk_wait(h);
        else if (!tr_modhost_has_work(&w->m)) break;
    }
    tr_monitor_hand_out(&w->x);
}

/* A world with one module of this name that serves. */
static tr_helper *mk_serving(mk_world *w, mk_host *p, const char *name) {
    tr_helper *h = tr_modhost_add(&w->m, name);
    tr_assert(h != NULL);
    p->module_name = name;
    tr_assert(mk_start(h, p) == TR_OK);
    mk_run(w);
    return h;
}

/* Bytes that the engine still has: 0. Clients must be released, hosts ended by mk_host_end() afterwards. */
static size_t mk_close(mk_world *w) {
    tr_modhost_release(&w->m);
    tr_exec_release(&w->x);
    tr_store_check(&w->store);
    tr_store_release(&w->store);
    return w->mem.used;
}

/* ------------------------------------------------------------------ clients */

static void mk_client_open(mk_client *k, mk_world *w) {
    memset(k, 0, sizeof *k);
    tr_client_init(&k->c, &w->x, w->x.next_client_id++, TR_CLIENT_AUTHENTICATED);
}

static void mk_client_close(mk_client *k) {
    tr_client_release(&k->c);
}

/* Runs a command: words up to NULL. They must live until it has run. */
static void mk_say(mk_client *k, ...) {
    va_list args;
    int argc = 0;
    va_start(args, k);
    for (const char *word; (word = va_arg(args, const char *)) != NULL;)
        k->argv[argc++] = (tr_arg){.ptr = word, .len = strlen(word)};
    va_end(args);
    k->c.argv = k->argv;
    k->c.argc = argc;
    tr_exec_begin(k->c.x);
    tr_execute(&k->c);
}

/* A command that had to wait is tried again, as connections do. */
static void mk_retry(mk_client *k) {
    tr_assert(k->c.wait == TR_WAIT_TURN || k->c.wait == TR_WAIT_PAUSE);
    if (k->c.wait == TR_WAIT_PAUSE) k->c.x->paused_clients--;
    k->c.wait = TR_WAIT_NONE;
    tr_exec_begin(k->c.x);
    tr_execute(&k->c);
}

/* What it has got since, as text. */
static const char *mk_got(mk_client *k) {
    size_t len = 0;
    struct iovec part;
    while (tr_outq_iov(&k->c.out, &part, 1) == 1) {
        size_t room = sizeof k->text - 1 - len, n = part.iov_len < room ? part.iov_len : room;
        memcpy(k->text + len, part.iov_base, n);
        len += n;
        tr_outq_consume(&k->c.out, part.iov_len);
    }
    k->text[len] = '\0';
    return k->text;
}

#endif
