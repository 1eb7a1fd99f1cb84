/* One helper: its process, its channel, and what it is given to do. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "modhost/internal.h"
#include "modhost/values.h"
#include "modhost/last_words.h"
#include "store/undo.h"

#define REQUEST_ID_AT 8                       /* in a message's header */
#define COMMAND_AT TR_WIRE_HEADER_BYTES       /* of run_command: the handle is its first field */
#define LISTEN_MAX 1000                       /* messages taken from an idle helper in one go */

/* ------------------------------------------------------------------ life */

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Descriptors, memory and rings of the process that was. */
static void drop_process(tr_helper *h) {
    tr_modhost *m = h->m;
    if (h->wake_fd >= 0 && h->watched) m->hooks.unwatch(m->hooks.ctx, h->wake_fd);
    if (h->pidfd >= 0 && h->watched) m->hooks.unwatch(m->hooks.ctx, h->pidfd);
    h->watched = 0;
    close_fd(&h->wake_fd);
    close_fd(&h->host_wake_fd);
    close_fd(&h->pidfd);
    h->parked_ring = 0;
    if (h->shm.base == NULL) return;
    tr_ring_release(&h->ring);
    tr_shm_close(&h->shm);
    memset(&h->shm, 0, sizeof h->shm);
    h->shm.fd = -1;
}

static void drop_units(tr_helper *h, tr_unit **list) {
    while (*list != NULL) {
        tr_unit *unit = *list;
        *list = unit->next;
        tr__unit_free(h->m, unit);
    }
}

void tr__helper_init(tr_helper *h, tr_modhost *m) {
    *h = (tr_helper){.m = m, .pidfd = -1, .wake_fd = -1, .host_wake_fd = -1, .shm.fd = -1, .deadline_ns = INT64_MAX};
}

void tr__helper_clear(tr_helper *h) {
    tr_mem *mem = h->m->mem;
    if (h->pidfd >= 0) syscall(SYS_pidfd_send_signal, h->pidfd, SIGKILL, NULL, 0);
    drop_process(h);
    drop_units(h, &h->pending);
    drop_units(h, &h->handed);
    tr_modhost_close_keys(h);
    tr_modhost_values_release(h);
    tr_modhost_blocks_release(h);
    tr_modhost_filters_release(h);
    tr_free(mem, h->subscriptions);
    tr_free(mem, h->keys);
    tr_free(mem, h->chosen);
    tr_buf_release(mem, &h->running_argv);
    tr_buf_release(mem, &h->answer);
    tr__helper_init(h, h->m);
}

int tr__helper_is_vacant(const tr_helper *h) {
    return h->state == TR_HELPER_GONE && h->events == 0 && h->m->floor != h && h->pending == NULL &&
           h->handed == NULL && h->inner == NULL && tr_modhost_block_count(h) == 0 &&
           tr_values_statistics(h).values == 0;
}

int tr_helper_prepare(tr_helper *h, int *shm_fd, int *host_wake_fd, int *engine_wake_fd) {
    tr_assert(h->state == TR_HELPER_NEW || h->state == TR_HELPER_DOWN);
    drop_process(h);
    h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->host_wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->wake_fd < 0 || h->host_wake_fd < 0 || tr_shm_create(&h->shm, NULL) != TR_OK) {
        int saved = errno;
        close_fd(&h->wake_fd);
        close_fd(&h->host_wake_fd);
        errno = saved;
        return TR_EIO;
    }
    tr_ring_init(&h->ring, &h->shm, h->m->mem, TR_FROM_ENGINE);
    h->ring.wake_fd = h->host_wake_fd;
    tr_session_init(&h->session, TR_FROM_ENGINE, TR_DATA);
    *shm_fd = h->shm.fd;
    *host_wake_fd = h->host_wake_fd;
    *engine_wake_fd = h->wake_fd;
    return TR_OK;
}

/* Queues the grant of the floor for loading or unloading, before everything else. */
static int grant_life(tr_helper *h, int purpose) {
    tr_modhost *m = h->m;
    tr_msg_grant_floor body = {.purpose = (uint8_t)purpose,
                               .now_us = m->x->now_us,
                               .context_flags = tr_modhost_context_flags(m, NULL)};
    tr_unit *unit = tr_unit_new(h, TR_UNIT_LIFE, TR_MSG_GRANT_FLOOR, &body);
    if (unit == NULL) return TR_ENOMEM;
    unit->next = h->pending;
    h->pending = unit;
    if (h->pending_last == NULL) h->pending_last = unit;
    h->pending_count++;
    return TR_OK;
}

enum { GRANT_LOAD = 5, GRANT_UNLOAD = 6 };

int tr_helper_attach(tr_helper *h, pid_t pid, int pidfd) {
    tr_modhost *m = h->m;
    tr_assert((h->state == TR_HELPER_NEW || h->state == TR_HELPER_DOWN) && h->shm.base != NULL);
    h->pidfd = pidfd;
    h->pid = pid;
    int rc = tr_ring_watch(&h->ring);
    if (rc == TR_OK) rc = m->hooks.watch(m->hooks.ctx, h->wake_fd, h);
    if (rc == TR_OK) {
        rc = m->hooks.watch(m->hooks.ctx, pidfd, h);
        if (rc != TR_OK) m->hooks.unwatch(m->hooks.ctx, h->wake_fd);
    }
    if (rc == TR_OK) {
        h->watched = 1;
        rc = grant_life(h, GRANT_LOAD);
    }
    if (rc != TR_OK) return rc;
    tr_session_set_phase(&h->session, TR_STATE_LOADING);
    h->state = TR_HELPER_LOADING;
    h->command_count = 0;
    h->named = 0;
    h->failed = TR_FAIL_NONE;
    h->reason[0] = h->running[0] = '\0';
    return TR_OK;
}

/* Nobody will run what waits. */
static void refuse_pending(tr_helper *h, const char *why) {
    char error[TR_HELPER_NAME_MAX + 64];
    snprintf(error, sizeof error, "MODULEDOWN %s: %s", h->name, why);
    while (h->pending != NULL) {
        tr_unit *unit = h->pending;
        h->pending = unit->next;
        tr__unit_refused(h, unit, error);
        tr__unit_free(h->m, unit);
    }
    h->pending_last = NULL;
    h->pending_count = 0;
    h->asks = 0;
}

static void be_gone(tr_helper *h) {
    h->state = TR_HELPER_GONE;
    refuse_pending(h, "it is not loaded");
    tr_runtime_drop(h->m->x, h);
    tr_modhost_filters_lost(h);
    tr_modhost_subscriptions_lost(h);
    h->has_info = 0;
    drop_process(h);
}

int tr_helper_loaded(tr_helper *h, int ok) {
    if (!ok && h->state != TR_HELPER_GONE) be_gone(h);
    if (h->state != TR_HELPER_LOADING) return 0; /* it failed meanwhile */
    tr_session_set_phase(&h->session, TR_STATE_IDLE);
    h->state = TR_HELPER_RESTORING;
    tr_runtime_drop_down(h->m->x, h);
    if (tr__restore_begin(h)) {
        h->ready = 1; /* nothing was asked, so no answer will wake it */
        h->m->hooks.event(h->m->hooks.ctx);
        return 1;
    }
    tr__helper_restored(h);
    h->events &= (uint8_t)~TR_HELPER_EVENT_RESTORED;
    return 0;
}

int tr__helper_restored(tr_helper *h) {
    h->state = TR_HELPER_SERVING;
    h->deadline_ns = INT64_MAX;
    int rc = tr_values_serves(h);
    if (rc != TR_OK) return rc;
    if (h->stats.crashes == 0) tr__modhost_module_changed(h, 0);
    tr__helper_listen(h, 0); /* what came while it was asked for other things */
    h->events |= TR_HELPER_EVENT_RESTORED;
    h->m->hooks.event(h->m->hooks.ctx); /* what waited is handed over in the next turn */
    return TR_OK;
}

int tr_helper_unload(tr_helper *h) {
    if (h->state != TR_HELPER_SERVING || h->pending != NULL || h->handed != NULL) return TR_EAGAIN;
    if (tr_modhost_block_count(h) != 0 || tr_values_type(h, 0) != NULL) return TR_EAGAIN;
    int rc = grant_life(h, GRANT_UNLOAD);
    if (rc != TR_OK) return rc;
    h->state = TR_HELPER_UNLOADING;
    return TR_OK;
}

void tr_helper_unloaded(tr_helper *h, int ok) {
    if (ok && h->state != TR_HELPER_GONE) {
        be_gone(h);
        tr__modhost_module_changed(h, 1);
    }
    if (h->state != TR_HELPER_UNLOADING) return;
    tr_session_set_phase(&h->session, TR_STATE_IDLE);
    h->state = TR_HELPER_SERVING;
}

/* ------------------------------------------------------------------ failure */

static void set_report_id(tr_helper *h) {
    tr_modhost *m = h->m;
    uint32_t seconds = (uint32_t)(m->x->now_us / 1000000);
    snprintf(h->report, sizeof h->report, "%.20s-%08x-%u", h->name, seconds, ++m->report_count);
}

/* What ran, for the report. */
static void keep_running(tr_helper *h) {
    tr_mem *mem = h->m->mem;
    const tr_unit *unit = tr_helper_unit(h);
    static const char *const kinds[] = {[TR_UNIT_LIFE] = "its load or unload function",
                                        [TR_UNIT_EVENT] = "the callback of an event",
                                        [TR_UNIT_GRANT] = "a timer, thread or event",
                                        [TR_UNIT_BLOCKED] = "the callback of a blocked client"};
    h->running_argv.rpos = h->running_argv.wpos = 0;
    h->running_client = unit == NULL ? 0 : unit->client_id;
    int64_t began_ns = unit == NULL ? 0 : unit->began_ns;
    h->running_us = began_ns == 0 ? 0 : (tr_clock_mono_ns(h->m->x->clock) - began_ns) / 1000;
    if (unit == NULL) {
        const char *what = tr_values_are_given_back(h) ? "its values, given back" : "nothing for the server";
        snprintf(h->running, sizeof h->running, "%s", what);
        return;
    }
    const char *what = unit->kind == TR_UNIT_COMMAND ? unit->cmd->fullname : kinds[unit->kind];
    snprintf(h->running, sizeof h->running, "%s", what);
    if (unit->kind != TR_UNIT_COMMAND) return;
    tr_arg *argv = tr_alloc(mem, (size_t)unit->argc * sizeof *argv);
    if (argv == NULL) return;
    tr_unit_argv(unit, argv);
    tr_modhost_cover(argv, unit->argc, unit->hidden);
    size_t room = TR_HELPER_ARGV_BYTES_MAX;
    for (int i = 0; i < unit->argc && room != 0; i++) {
        uint32_t len = (uint32_t)(argv[i].len < room ? argv[i].len : room);
        size_t before = h->running_argv.wpos;
        if (tr_buf_append(mem, &h->running_argv, &len, sizeof len) != TR_OK) break;
        if (tr_buf_append(mem, &h->running_argv, argv[i].ptr, len) != TR_OK) {
            h->running_argv.wpos = before;
            break;
        }
        room -= len;
    }
    tr_free(mem, argv);
}

static void set_reason(tr_helper *h, tr_fail_kind kind, const char *why) {
    switch (kind) {
        case TR_FAIL_DIED: tr_last_words(&h->shm, h->pidfd, h->pid, h->reason, sizeof h->reason); break;
        case TR_FAIL_TIMEOUT: snprintf(h->reason, sizeof h->reason, "timeout"); break;
        case TR_FAIL_PROTOCOL: snprintf(h->reason, sizeof h->reason, "protocol violation (%s)", why); break;
        default: snprintf(h->reason, sizeof h->reason, "%s", why); break;
    }
}

/* What was to be granted to the process that is no more. It stands first. */
static void drop_life_unit(tr_helper *h) {
    tr_unit *unit = h->pending;
    if (unit == NULL || unit->kind != TR_UNIT_LIFE) return;
    h->pending = unit->next;
    if (h->pending == NULL) h->pending_last = NULL;
    h->pending_count--;
    tr__unit_free(h->m, unit);
}

/* The one that ran gets the error; those behind it go back to wait for the next process. */
static void settle_units(tr_helper *h) {
    for (tr_unit *inner = h->inner; inner != NULL; inner = inner->next) tr__unit_crashed(h, inner);
    h->inner = NULL;
    tr_unit *unit = h->handed;
    if (unit == NULL) return;
    h->handed = unit->next;
    tr__unit_crashed(h, unit);
    if (!unit->nested) tr__unit_free(h->m, unit);
    if (h->handed != NULL) {
        h->handed_last->next = h->pending;
        if (h->pending == NULL) h->pending_last = h->handed_last;
        h->pending = h->handed;
        h->pending_count += h->handed_count - 1;
    }
    h->handed = h->handed_last = NULL;
    h->handed_count = 0;
}

void tr__helper_crash_text(const tr_helper *h, char out[TR_HELPER_ERROR_MAX]) {
    snprintf(out, TR_HELPER_ERROR_MAX, "MODULECRASH %s: %s while running %s; report %s", h->name, h->reason, h->running,
             h->report);
}

void tr_helper_fail(tr_helper *h, tr_fail_kind kind, const char *why) {
    if (!tr__helper_takes_work(h)) return;
    h->state = TR_HELPER_DOWN;
    h->failed = (uint8_t)kind;
    h->stats.crashes++;
    h->deadline_ns = INT64_MAX;
    set_reason(h, kind, why);
    /* One that hangs is to leave a record of where; who supervises it sees to its end. */
    int sign = kind == TR_FAIL_TIMEOUT ? SIGABRT : SIGKILL;
    if (h->pidfd >= 0) syscall(SYS_pidfd_send_signal, h->pidfd, sign, NULL, 0);
    set_report_id(h);
    keep_running(h);
    tr_runtime_mark_down(h->m->x, h);
    tr_modhost_filters_lost(h);
    tr_modhost_subscriptions_lost(h);
    h->has_info = 0;
    drop_life_unit(h);
    settle_units(h);
    tr_modhost_close_keys(h);
    char error[TR_HELPER_ERROR_MAX];
    tr__helper_crash_text(h, error);
    tr_modhost_blocks_lost(h, error);
    tr_modhost_values_lost(h);
    if (h->m->floor == h) h->ready = 1; /* the next turn takes the floor from it */
    h->events |= TR_HELPER_EVENT_FAILED;
    h->m->hooks.event(h->m->hooks.ctx);
    tr__modhost_mend(h->m);
}

void tr_helper_park(tr_helper *h) {
    if (h->state != TR_HELPER_DOWN) return;
    h->state = TR_HELPER_PARKED;
    refuse_pending(h, "it has crashed and is not started again");
}

int tr_helper_wrong(tr_helper *h, const char *why) {
    h->wrong = why;
    return TR_EPROTO;
}

/* After a failed step. */
static void fail_by(tr_helper *h, int rc) {
    switch (rc) {
        case TR_ECLOSED: tr_helper_fail(h, TR_FAIL_DIED, ""); break;
        case TR_EAGAIN: tr_helper_fail(h, TR_FAIL_TIMEOUT, ""); break;
        case TR_ENOMEM: tr_helper_fail(h, TR_FAIL_MEMORY, "the server has no memory for its message"); break;
        case TR_ELIMIT: tr_helper_fail(h, TR_FAIL_LIMIT, "it said more than can be kept"); break;
        default: {
            const char *why = h->wrong != NULL ? h->wrong : h->ring.why;
            tr_helper_fail(h, TR_FAIL_PROTOCOL, why == NULL ? "a broken channel" : why);
            break;
        }
    }
    h->wrong = NULL;
}

/* ------------------------------------------------------------------ sending */

static int64_t put_deadline(const tr_helper *h) {
    int64_t ms = h->m->command_ms > 0 ? h->m->command_ms : TR_MODHOST_SEND_MS;
    return tr_clock_mono_ns(h->m->x->clock) + ms * 1000000;
}

/* Sends what is encoded, with this id in it. */
static int put(tr_helper *h, tr_buf *message, uint64_t id) {
    char *at = message->data + message->rpos;
    size_t len = tr_buf_unread(message);
    for (int i = 0; i < 8; i++) at[REQUEST_ID_AT + i] = (char)(uint8_t)(id >> (8 * i));
    return tr_ring_put(&h->ring, at, len, tr_ring_fits(&h->ring, len) ? 0 : put_deadline(h));
}

static int say(tr_helper *h, uint16_t type, uint32_t flags, uint64_t id, const void *body) {
    tr_buf out = {0};
    int rc = tr_wire_encode(h->m->mem, &out, type, flags, id, body);
    if (rc == TR_OK) rc = put(h, &out, id);
    tr_buf_release(h->m->mem, &out);
    return rc;
}

int tr__helper_say(tr_helper *h, tr_msg_type type, const void *body) {
    uint64_t id;
    const char *why = tr_session_send(&h->session, (uint16_t)type, 0, &id);
    return why != NULL ? tr_helper_wrong(h, why) : say(h, (uint16_t)type, 0, id, body);
}

int tr_helper_answer(tr_helper *h, const tr_wire_header *request, const void *body) {
    uint64_t id = request->request_id;
    uint16_t type = (uint16_t)(request->type + 1);
    if (h->state == TR_HELPER_DOWN) return TR_ECLOSED;
    const char *why = tr_session_send(&h->session, type, 0, &id);
    if (why != NULL) return tr_helper_wrong(h, why);
    return say(h, type, 0, id, body);
}

int tr_helper_tell(tr_helper *h, tr_msg_type type, const void *body) {
    if (!tr__helper_takes_work(h)) return TR_EAGAIN;
    int rc = tr__helper_say(h, type, body);
    if (rc != TR_OK) fail_by(h, rc);
    return rc;
}

/* ------------------------------------------------------------------ units of one helper */

int tr__helper_takes_work(const tr_helper *h) {
    return h->state == TR_HELPER_SERVING || h->state == TR_HELPER_LOADING || h->state == TR_HELPER_UNLOADING ||
           h->state == TR_HELPER_RESTORING;
}

static void patch_command(tr_unit *unit) {
    if (unit->kind != TR_UNIT_COMMAND) return;
    uint32_t handle = tr_runtime_of(unit->cmd)->handle;
    char *at = unit->message.data + unit->message.rpos + COMMAND_AT;
    for (int i = 0; i < 4; i++) at[i] = (char)(uint8_t)(handle >> (8 * i));
}

/* Hands the unit over; flags: TR_WIRE_QUEUED or 0 for one amid a question. */
static int hand_over(tr_helper *h, tr_unit *unit, uint32_t flags) {
    const char *why = tr_session_send(&h->session, unit->type, flags, &unit->request_id);
    if (why != NULL) return tr_helper_wrong(h, why);
    if (flags == 0) memset(unit->message.data + unit->message.rpos + 16, 0, 4); /* the header's flags */
    if (flags != 0) {
        int rc = tr__known_send(h, unit);
        if (rc != TR_OK) return rc;
    }
    patch_command(unit);
    return put(h, &unit->message, unit->request_id);
}

static void append_handed(tr_helper *h, tr_unit *unit) {
    unit->next = NULL;
    if (h->handed_last != NULL) h->handed_last->next = unit;
    else h->handed = unit;
    h->handed_last = unit;
    h->handed_count++;
}

/* The module no longer has this command since it was started again. */
static int is_stale(const tr_unit *unit) {
    return unit->kind == TR_UNIT_COMMAND && !tr_runtime_of(unit->cmd)->live;
}

/* While somebody waits for keys each command goes alone: whoever waits is to be served before the next. */
static uint32_t batch_max(const tr_helper *h) {
    return h->m->x->blocking.key_waiters != 0 ? 1 : TR_MODHOST_BATCH_MAX;
}

static int hand_over_batch(tr_helper *h) {
    int first = h->handed == NULL;
    while (h->pending != NULL && h->handed_count < batch_max(h)) {
        tr_unit *unit = h->pending;
        if (unit->kind != TR_UNIT_LIFE && h->state != TR_HELPER_SERVING) break;
        h->pending = unit->next;
        if (h->pending == NULL) h->pending_last = NULL;
        h->pending_count--;
        if (is_stale(unit)) {
            tr__unit_refused(h, unit, "MODULEDOWN the module has no such command any more");
            tr__unit_free(h->m, unit);
            continue;
        }
        append_handed(h, unit);
        int rc = hand_over(h, unit, TR_WIRE_QUEUED);
        if (rc != TR_OK) return rc;
        if (unit->kind == TR_UNIT_LIFE) break;
    }
    if (first && h->handed != NULL) tr__unit_begins(h, h->handed, tr_clock_mono_ns(h->m->x->clock));
    return TR_OK;
}

/* A message came at the bottom: the answer to the first unit, or something else. */
static int take_message(tr_helper *h, const tr_wire_header *header, const tr_buf *message) {
    const char *why = tr_session_came(&h->session, header);
    if (why != NULL) return tr_helper_wrong(h, why);
    tr_unit *unit = h->handed;
    if (unit == NULL || header->request_id != unit->request_id || header->type != unit->type + 1) {
        return tr__serve(h, header, message);
    }
    int rc = tr__unit_answered(h, unit, header, message);
    if (rc != TR_OK) return rc;
    h->handed = unit->next;
    if (h->handed == NULL) h->handed_last = NULL;
    h->handed_count--;
    int64_t ended_ns = unit->ended_ns;
    tr_assert(ended_ns != 0);
    if (!unit->nested) tr__unit_free(h->m, unit);
    if (h->handed != NULL) tr__unit_begins(h, h->handed, ended_ns);
    if (h->m->mends) tr__modhost_mend(h->m);
    return TR_OK;
}

static void unpark(tr_helper *h) {
    if (h->parked_ring) tr_ring_unpark(&h->ring);
    h->parked_ring = 0;
}

int tr__helper_take_sign(tr_helper *h) {
    uint64_t count;
    if (read(h->wake_fd, &count, sizeof count) == sizeof count) return 0;
    return h->pidfd >= 0 && tr_last_words_is_dead(h->pidfd);
}

/* 1: parked; 0: something has come already. Else it failed. */
static int park(tr_helper *h) {
    tr_ring_flush(&h->ring);
    int rc = tr_ring_park(&h->ring);
    if (rc == 0) h->parked_ring = 1;
    return rc == 0 ? 1 : rc == 1 ? 0 : rc;
}

/* One step: the next message, waiting for it until then. 1: taken; 0: none came. Else it failed. */
static int step(tr_helper *h, tr_buf *in, int64_t until_ns) {
    tr_wire_header header;
    int64_t limit = until_ns < h->deadline_ns ? until_ns : h->deadline_ns;
    int rc = tr_ring_receive(&h->ring, in, &header, limit);
    if (rc == TR_EAGAIN) return limit == h->deadline_ns ? TR_EAGAIN : 0;
    if (rc == TR_OK) rc = take_message(h, &header, in);
    if (rc == TR_OK && h->state == TR_HELPER_DOWN) rc = TR_ECLOSED;
    return rc == TR_OK ? 1 : rc;
}

/* Loading may take long, and the threads that it starts have the CPUs of the one that starts them. */
static void run_here(tr_helper *h) {
    if (h->handed == NULL || h->handed->kind != TR_UNIT_LIFE) tr_ring_follow(&h->ring, h->pid);
}

int tr__helper_progress(tr_helper *h) {
    if (!tr__helper_takes_work(h)) return 1; /* it was failed meanwhile */
    unpark(h);
    int64_t until_ns = tr_clock_mono_ns(h->m->x->clock) + TR_MODHOST_WAIT_NS;
    int rc = hand_over_batch(h);
    run_here(h);
    while (rc >= 0 && h->handed != NULL) {
        rc = step(h, &h->answer, until_ns);
        if (rc != 0) continue;
        rc = park(h);
        if (rc != 1) continue;
        tr_ring_let_roam(&h->ring, h->pid);
        return 0; /* it is left running */
    }
    if (rc >= 0 && h->state != TR_HELPER_DOWN) tr__helper_listen(h, 0);
    if (rc < 0 && h->state != TR_HELPER_DOWN) fail_by(h, rc);
    return 1;
}

void tr__helper_listen(tr_helper *h, int has_ended) {
    if (!h->watched || !tr__helper_takes_work(h)) return;
    unpark(h);
    int rc = has_ended ? TR_ECLOSED : TR_OK;
    for (int i = 0; rc == TR_OK && i < LISTEN_MAX; i++) {
        tr_wire_header header;
        rc = tr_ring_take(&h->ring, &h->answer, &header);
        if (rc == TR_OK) {
            rc = take_message(h, &header, &h->answer);
            if (rc == TR_OK && h->state == TR_HELPER_DOWN) return;
        } else if (rc == TR_EAGAIN) {
            rc = park(h);
            if (rc == 1) return;
        }
    }
    if (rc == TR_OK) { /* it talks on and on: the others come first */
        uint64_t one = 1;
        if (write(h->wake_fd, &one, sizeof one) == sizeof one) h->parked_ring = 1;
        return;
    }
    fail_by(h, rc);
}

/* ------------------------------------------------------------------ amid something else */

/* Waits for the answer with this id, whatever else comes; serves and answers. 0, *header and *in. */
static int wait_for(tr_helper *h, uint16_t type, uint64_t id, tr_buf *in, tr_wire_header *header, int64_t until_ns) {
    for (;;) {
        int rc = tr_ring_receive(&h->ring, in, header, until_ns);
        if (rc != TR_OK) return rc;
        if (header->type == type && header->request_id == id) {
            const char *why = tr_session_came(&h->session, header);
            return why == NULL ? TR_OK : tr_helper_wrong(h, why);
        }
        rc = take_message(h, header, in);
        if (rc == TR_OK && h->state == TR_HELPER_DOWN) rc = TR_ECLOSED;
        if (rc != TR_OK) return rc;
    }
}

static int is_amid_question(const tr_helper *h) {
    return h->session.depth != 0 && h->session.stack[h->session.depth - 1].by == TR_FROM_HOST;
}

/* A unit is left running and asks nothing: it can't be talked to. */
static int is_out_of_reach(const tr_helper *h) {
    return !tr__helper_takes_work(h) || h->state == TR_HELPER_RESTORING || (h->handed != NULL && !is_amid_question(h));
}

static int64_t nested_deadline(const tr_helper *h) {
    return h->m->command_ms > 0 ? tr_clock_mono_ns(h->m->x->clock) + h->m->command_ms * 1000000 : INT64_MAX;
}

int tr__helper_post(tr_helper *h, tr_msg_type type, const void *body, uint64_t *id) {
    const char *why = tr_session_send(&h->session, (uint16_t)type, TR_WIRE_QUEUED, id);
    h->deadline_ns = nested_deadline(h);
    return why != NULL ? tr_helper_wrong(h, why) : say(h, (uint16_t)type, TR_WIRE_QUEUED, *id, body);
}

int tr__helper_answer_of(tr_helper *h, tr_msg_type type, uint64_t id, int64_t until_ns, void *out) {
    tr_wire_header header;
    int64_t limit = until_ns < h->deadline_ns ? until_ns : h->deadline_ns;
    int rc = wait_for(h, (uint16_t)(type + 1), id, &h->answer, &header, limit);
    if (rc == TR_EAGAIN) return limit == h->deadline_ns ? TR_EAGAIN : 0;
    h->deadline_ns = INT64_MAX;
    if (rc == TR_OK) rc = tr__decode(h, &header, &h->answer, out);
    return rc == TR_OK ? 1 : rc;
}

void tr__helper_wake(tr_helper *h) {
    h->ready = 0;
    unpark(h);
    run_here(h);
}

int tr__helper_leave(tr_helper *h) {
    int rc = park(h);
    return rc == 1 ? 0 : rc;
}

void tr__helper_broke(tr_helper *h, int rc) {
    if (h->state != TR_HELPER_DOWN) fail_by(h, rc);
}

int tr__helper_can_be_asked(const tr_helper *h) {
    return h->state == TR_HELPER_SERVING && !is_out_of_reach(h);
}

int tr_helper_ask(tr_helper *h, tr_msg_type type, const void *body, void *out, tr_buf *hold) {
    uint64_t id;
    if (is_out_of_reach(h)) return TR_EAGAIN;
    uint32_t flags = is_amid_question(h) ? 0 : TR_WIRE_QUEUED;
    unpark(h);
    run_here(h);
    const char *why = tr_session_send(&h->session, (uint16_t)type, flags, &id);
    tr_wire_header header;
    /* What the callback changes goes with it when it fails, as a unit's would. */
    tr_store *store = h->m->x->store;
    int undoes = tr_undo_may_begin(store);
    size_t mark = undoes ? tr_undo_begin(store) : 0;
    int rc = why != NULL ? tr_helper_wrong(h, why) : say(h, (uint16_t)type, flags, id, body);
    if (rc == TR_OK) rc = wait_for(h, (uint16_t)(type + 1), id, hold, &header, nested_deadline(h));
    if (rc == TR_OK) rc = tr__decode(h, &header, hold, out);
    if (undoes && rc == TR_OK) tr_undo_commit(store, mark);
    else if (undoes) tr_undo_rollback(store, mark);
    tr__modhost_taken_back(h->m);
    if (rc == TR_OK) {
        if (flags != 0) tr__helper_listen(h, 0);
        return TR_OK;
    }
    if (h->state != TR_HELPER_DOWN) fail_by(h, rc);
    return TR_ECLOSED;
}

static void run_amid(tr_helper *h, tr_unit *unit) {
    tr_wire_header header;
    tr_buf in = {0};
    int64_t deadline_ns = h->deadline_ns;
    int64_t began_ns = tr_clock_mono_ns(h->m->x->clock);
    unit->next = h->inner;
    h->inner = unit;
    tr__unit_begins(h, unit, began_ns);
    int64_t until_ns = h->deadline_ns;
    int rc = hand_over(h, unit, 0);
    if (rc == TR_OK) rc = wait_for(h, (uint16_t)(unit->type + 1), unit->request_id, &in, &header, until_ns);
    if (rc == TR_OK) rc = tr__unit_answered(h, unit, &header, &in);
    if (rc == TR_OK) {
        h->inner = unit->next;
        if (h->m->mends) tr__modhost_mend(h->m);
        /* The time was not that of the unit around it. */
        h->deadline_ns = deadline_ns == INT64_MAX ? deadline_ns
                                                  : deadline_ns + tr_clock_mono_ns(h->m->x->clock) - began_ns;
    } else if (h->state != TR_HELPER_DOWN) {
        fail_by(h, rc);
    }
    tr_buf_release(h->m->mem, &in);
}

static void run_alone(tr_helper *h, tr_unit *unit) {
    tr_buf in = {0};
    unpark(h);
    append_handed(h, unit);
    int rc = hand_over(h, unit, TR_WIRE_QUEUED);
    tr__unit_begins(h, unit, tr_clock_mono_ns(h->m->x->clock));
    run_here(h);
    while (rc >= 0 && unit->done == 0) rc = step(h, &in, INT64_MAX);
    tr_buf_release(h->m->mem, &in);
    if (rc < 0 && h->state != TR_HELPER_DOWN) fail_by(h, rc);
    tr__helper_listen(h, 0);
}

void tr__unit_run_soon(tr_helper *h, tr_unit *unit) {
    if (is_out_of_reach(h)) {
        tr_helper_queue(h, unit);
        return;
    }
    unit->nested = 1;
    if (is_amid_question(h)) run_amid(h, unit);
    else run_alone(h, unit);
    tr__unit_free(h->m, unit);
}

void tr__unit_run_now(tr_helper *h, tr_unit *unit, tr_client *c) {
    unit->nested = 1;
    unit->nested_client = c;
    if (is_out_of_reach(h)) tr__unit_refused(h, unit, "MODULEDOWN the module is busy with another command");
    else if (is_amid_question(h)) run_amid(h, unit);
    else run_alone(h, unit);
    tr__unit_free(h->m, unit);
}
