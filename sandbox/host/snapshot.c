#include "sandbox/host/snapshot.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/host/link.h"
#include "sandbox/host/type.h"

enum { DONE = 0, CANT_SAVE = 1, NO_CHILD = 2 };
enum { LOG_WARNING = 3, LOG_OF_HOST = 1 }; /* as in the message log */

#define EXIT_OF_SIGNAL 128 /* a child may not send a signal to itself: it leaves with this and its number (crash.c) */

/* ------------------------------------------------------------------ batches */

void tr_values_batch_send(tr_values_batch *batch) {
    uint32_t count = batch->tokens.count;
    if (count != 0) {
        tr_wire_bytes *payloads = tr_need(count * sizeof(*payloads));
        for (uint32_t i = 0; i < count; i++) {
            uint64_t at = i == 0 ? 0 : batch->ends.at[i - 1];
            payloads[i] = (tr_wire_bytes){.at = (const uint8_t *)batch->bytes.p + at,
                                          .len = (uint32_t)(batch->ends.at[i] - at)};
        }
        tr_wire_list tokens = {.count = count, .items.u64s = batch->tokens.at};
        tr_wire_list texts = {.count = count, .items.texts = payloads};
        if (batch->type == TR_MSG_VALUES_NOW) {
            tr_msg_values_now tell = {.tokens = tokens, .payloads = texts};
            tr_link_tell("saving values", batch->type, &tell);
        } else {
            tr_msg_snapshot_part tell = {.number = batch->number, .tokens = tokens, .payloads = texts};
            if (batch->posted) tr_link_post(batch->type, &tell);
            else tr_link_tell("saving values", batch->type, &tell);
        }
        free(payloads);
    }
    tr_numbers_drop(&batch->tokens);
    tr_numbers_drop(&batch->ends);
    tr_bytes_drop(&batch->bytes);
}

static void add(tr_values_batch *batch, uint64_t number, const char *p, size_t len) {
    tr_numbers_add(&batch->tokens, number);
    tr_bytes_add(&batch->bytes, p, len);
    tr_numbers_add(&batch->ends, batch->bytes.len);
    if (batch->bytes.len >= TR_BATCH_BYTES) tr_values_batch_send(batch);
}

static int save(const tr_token *token, tr_bytes *payload) {
    if (!tr_type_save(token->type, token->value, token->db, token->key, payload)) return 0;
    tr_items_add_end(payload);
    return payload->len <= TR_PAYLOAD_BYTES_MAX;
}

int tr_values_batch_add(tr_values_batch *batch, const tr_token *token) {
    tr_bytes payload = {0};
    int ok = save(token, &payload);
    if (ok) add(batch, token->number, payload.p, payload.len);
    tr_bytes_drop(&payload);
    return ok;
}

/* Values whose type can't be loaded again are not wanted. */
static int is_wanted(const tr_token *token) {
    return token->number != 0 && token->type->methods.rdb_save != NULL && token->type->methods.rdb_load != NULL;
}

static int snapshot_here(const tr_msg_snapshot *ask) {
    tr_values_batch batch = {.type = TR_MSG_SNAPSHOT_PART, .number = ask->number};
    uint64_t until_ns = tr_recorder_clock() + (uint64_t)ask->time_ms * 1000000;
    const tr_tokens *tokens = tr_host_tokens();
    int ok = 1;
    for (uint64_t i = 0; ok && i < tokens->cap; i++) {
        if (!is_wanted(&tokens->places[i])) continue;
        ok = tr_recorder_clock() < until_ns && tr_values_batch_add(&batch, &tokens->places[i]);
    }
    tr_values_batch_send(&batch);
    return ok ? DONE : CANT_SAVE;
}

/* ------------------------------------------------------------------ by a child */

typedef struct record_head { /* in the pipe: the bytes follow; number 0: the end, len is the outcome */
    uint64_t number;
    uint64_t len;
} record_head;

static int write_all(int fd, const void *p, size_t len) {
    const char *at = p;
    while (len != 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

static _Noreturn void leave(void) {
    for (;;) syscall(SYS_exit_group, 0); /* the ways out of libc are watched */
}

/* The kernel ends the child with the helper, or when its time is over: nobody else may. */
static int bound_life(pid_t helper, uint32_t time_ms) {
    struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec when = {.it_value = {.tv_sec = time_ms / 1000, .tv_nsec = (long)(time_ms % 1000) * 1000000}};
    int timer;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != helper) return 0;
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &end, &timer) != 0) return 0;
    return syscall(SYS_timer_settime, timer, 0, &when, NULL) == 0;
}

/* The child: no thread but this one, nothing of the channel is touched. */
static _Noreturn void save_all(int fd) {
    const tr_tokens *tokens = tr_host_tokens();
    record_head end = {.len = DONE};
    for (uint64_t i = 0; end.len == DONE && i < tokens->cap; i++) {
        tr_bytes payload = {0};
        const tr_token *token = &tokens->places[i];
        if (!is_wanted(token)) continue;
        if (!save(token, &payload)) end.len = CANT_SAVE;
        record_head head = {.number = token->number, .len = payload.len};
        if (end.len == DONE && !(write_all(fd, &head, sizeof(head)) && write_all(fd, payload.p, payload.len))) leave();
        tr_bytes_drop(&payload);
    }
    write_all(fd, &end, sizeof(end));
    leave();
}

typedef struct reading {
    pthread_mutex_t forking; /* held until the child is known */
    int fd;
    pid_t child;
    uint64_t number;
    int64_t until_ns;
} reading;

/* 0: the pipe has ended, or the time is over. */
static int read_all(const reading *r, void *p, size_t len) {
    char *at = p;
    while (len != 0) {
        int64_t left_ms = (r->until_ns - (int64_t)tr_recorder_clock()) / 1000000;
        struct pollfd ready = {.fd = r->fd, .events = POLLIN};
        if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) <= 0) return 0;
        ssize_t n = read(r->fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

static int pass_on(const reading *r) {
    tr_values_batch batch = {.type = TR_MSG_SNAPSHOT_PART, .posted = true, .number = r->number};
    int outcome = NO_CHILD;
    record_head head;
    while (read_all(r, &head, sizeof(head))) {
        if (head.number == 0) {
            outcome = (int)head.len;
            break;
        }
        if (head.len > TR_PAYLOAD_BYTES_MAX) break;
        char *payload = tr_need((size_t)head.len);
        int ok = read_all(r, payload, (size_t)head.len);
        if (ok) add(&batch, head.number, payload, (size_t)head.len);
        free(payload);
        if (!ok) break;
    }
    tr_values_batch_send(&batch);
    return outcome == DONE || outcome == CANT_SAVE ? outcome : NO_CHILD;
}

/* rdb_save has crashed or hung in the child, which costs this checkpoint; why is worth a line. */
static void tell_end(int status) {
    tr_bytes line = {0};
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    int by = WIFSIGNALED(status) ? WTERMSIG(status) : code > EXIT_OF_SIGNAL ? code - EXIT_OF_SIGNAL : 0;
    tr_bytes_text(&line, "the child that saves values ");
    if (by == SIGKILL) tr_bytes_text(&line, "was killed, or took too long");
    else if (by != 0) tr_bytes_format(&line, "ended by signal %d", by);
    else tr_bytes_format(&line, "ended amid it with status %d", code);
    tr_host_log(LOG_WARNING, LOG_OF_HOST, line.p, line.len);
    tr_bytes_drop(&line);
}

static pid_t child_of(reading *r) {
    pthread_mutex_lock(&r->forking);
    pid_t child = r->child;
    pthread_mutex_unlock(&r->forking);
    return child;
}

/* The end is told when the child is gone, so there is never a second one. */
static void *read_child(void *arg) {
    reading *r = arg;
    int status = 0;
    tr_crash_thread_begin();
    tr_msg_snapshot_end end = {.number = r->number, .outcome = (uint8_t)pass_on(r)};
    close(r->fd); /* the child's next write fails */
    pid_t child = child_of(r), gone = -1;
    if (child > 0) {
        while ((gone = waitpid(child, &status, 0)) < 0 && errno == EINTR) continue;
        if (gone == child && end.outcome == NO_CHILD) tell_end(status);
        tr_link_post(TR_MSG_SNAPSHOT_END, &end);
    }
    pthread_mutex_destroy(&r->forking);
    free(r);
    return NULL;
}

static int start_reader(reading *r) {
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals go to the threads of the module */
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int rc = pthread_create(&thread, &attributes, read_child, r);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

/* By libc, which has its locks free in the child. */
static pid_t make_child(int *ends, uint32_t time_ms) {
    uint64_t began_ns = tr_recorder_clock();
    pid_t helper = getpid();
    pid_t child = tr_host_fork();
    if (child == 0) {
        close(ends[0]);
        if (!bound_life(helper, time_ms)) leave();
        save_all(ends[1]);
    }
    uint64_t ms = (tr_recorder_clock() - began_ns) / 1000000;
    if (ms != 0) tr_rm_LatencyAddSample("fork", (mstime_t)ms);
    return child;
}

/* Who reads is there first: a child that nobody reads could not be ended. */
static int snapshot_in_child(const tr_msg_snapshot *ask) {
    int ends[2];
    if (pipe(ends) != 0) return NO_CHILD;
    tr_host_tokens(); /* made before, not by the child */
    reading *r = tr_need(sizeof(*r));
    *r = (reading){.forking = PTHREAD_MUTEX_INITIALIZER, .fd = ends[0], .child = -1, .number = ask->number,
                   .until_ns = (int64_t)tr_recorder_clock() + (int64_t)ask->time_ms * 1000000};
    pthread_mutex_lock(&r->forking);
    if (!start_reader(r)) {
        close(ends[0]);
        close(ends[1]);
        free(r);
        return NO_CHILD;
    }
    pid_t child = r->child = make_child(ends, ask->time_ms);
    close(ends[1]); /* without a child: the end of what is read */
    pthread_mutex_unlock(&r->forking);
    return child > 0 ? DONE : NO_CHILD;
}

void tr_serve_snapshot(const tr_wire_header *header, const void *body) {
    const tr_msg_snapshot *ask = body;
    tr_msg_snapshot_answer answer = {0};
    answer.outcome = (uint8_t)(ask->in_child ? snapshot_in_child(ask) : snapshot_here(ask));
    tr_link_answer(header, &answer);
}

void tr_serve_keep_values(const tr_wire_header *header, const void *body) {
    (void)header;
    tr_host_here.keeps_values = ((const tr_msg_keep_values *)body)->wanted != 0;
    if (tr_host_here.keeps_values) tr_types_warn();
}
