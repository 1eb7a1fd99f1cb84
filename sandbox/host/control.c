#include "sandbox/host/control.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define CLOSED_LOOK_S 1

static struct control {
    tr_mem mem; /* of the receiving side; what is sent has an account of its own, any thread sends */
    tr_session session;
    pthread_mutex_t lock; /* of session and sending order */
    uint64_t unload_request; /* 0: has not come */
    pthread_cond_t unload_came;
    uint8_t *in;
} here = {.lock = PTHREAD_MUTEX_INITIALIZER, .unload_came = PTHREAD_COND_INITIALIZER};

static const char *name_of(uint16_t type) {
    return tr_wire_spec_of(type)->name;
}

static _Noreturn void gone(void) {
    tr_crash_exit_expected();
    _exit(0);
}

/* The module has closed the descriptor, which may be another file's by now. */
static int is_closed_here(int error) {
    return error == EBADF || error == ENOTSOCK;
}

/* 0 or -1. */
static int put(tr_msg_type type, uint64_t id, const void *body, int flags) {
    tr_mem mem;
    tr_mem_init(&mem);
    tr_buf out = {0};
    int rc = -1;
    if (tr_wire_encode(&mem, &out, (uint16_t)type, 0, id, body) == 0) {
        ssize_t n = send(tr_host_here.control_fd, out.data, tr_buf_unread(&out), flags | MSG_NOSIGNAL);
        rc = n == (ssize_t)tr_buf_unread(&out) ? 0 : -1;
    }
    int error = errno;
    tr_buf_release(&mem, &out);
    errno = error;
    return rc;
}

void tr_control_send(tr_msg_type type, uint64_t request_id, const void *body) {
    uint64_t id = request_id;
    pthread_mutex_lock(&here.lock);
    const char *why = tr_session_send(&here.session, (uint16_t)type, 0, &id);
    int rc = why == NULL ? put(type, id, body, 0) : -1;
    pthread_mutex_unlock(&here.lock);
    if (why != NULL) tr_host_die(TR_DIE_HOST, "%s on the control channel: %s", name_of((uint16_t)type), why);
    if (rc == 0) return;
    if (is_closed_here(errno)) tr_host_die(TR_DIE_HOST, "the module has closed the control channel");
    gone();
}

void tr_control_send_last(tr_msg_type type, const void *body) {
    put(type, 0, body, MSG_DONTWAIT);
}

/* The next packet, judged. 0: there won't be one, as the module has closed the channel. */
static int receive(tr_wire_header *header) {
    ssize_t n;
    do n = recv(tr_host_here.control_fd, here.in, TR_CONTROL_BYTES_MAX, 0);
    while (n < 0 && (errno == EINTR || errno == EAGAIN));
    if (n < 0 && is_closed_here(errno)) return 0;
    if (n <= 0) gone();
    if (n < TR_WIRE_HEADER_BYTES) tr_host_die(TR_DIE_HOST, "the server sent a packet without a header");
    const char *why = tr_wire_why_invalid(here.in, TR_CONTROL, TR_FROM_ENGINE, header);
    if (why == NULL && header->length + TR_WIRE_HEADER_BYTES != (size_t)n) why = "a packet of another length";
    if (why == NULL) {
        pthread_mutex_lock(&here.lock);
        why = tr_session_came(&here.session, header);
        pthread_mutex_unlock(&here.lock);
    }
    if (why != NULL) tr_host_die(TR_DIE_HOST, "the server's message on the control channel: %s", why);
    return 1;
}

static void decode(const tr_wire_header *header, void *body) {
    const char *why = tr_wire_decode(header->type, here.in + TR_WIRE_HEADER_BYTES, header->length, body);
    if (why != NULL) tr_host_die(TR_DIE_HOST, "the server's %s: %s", tr_wire_spec_of(header->type)->name, why);
}

static void expect(uint16_t type, tr_wire_header *header, void *body) {
    if (!receive(header)) gone();
    if (header->type != type) tr_host_die(TR_DIE_HOST, "the server sent %s at the wrong time", name_of(header->type));
    decode(header, body);
}

void tr_control_greet(tr_wire_header *header, tr_msg_load_module *m) {
    tr_mem_init(&here.mem);
    tr_session_init(&here.session, TR_FROM_HOST, TR_CONTROL);
    here.in = tr_need(TR_CONTROL_BYTES_MAX);
    tr_msg_hello hello = {.version_min = TR_WIRE_VERSION_MIN,
                          .version_max = TR_WIRE_VERSION_MAX,
                          .pid = (uint32_t)getpid(),
                          .abi = sizeof(void *) * 8};
    tr_control_send(TR_MSG_HELLO, 0, &hello);
    tr_msg_hello_answer answer;
    expect(TR_MSG_HELLO_ANSWER, header, &answer);
    if (answer.version < TR_WIRE_VERSION_MIN || answer.version > TR_WIRE_VERSION_MAX) {
        tr_host_die(TR_DIE_HOST, "the server speaks version %u of the protocol", answer.version);
    }
    tr_host_here.server_version = answer.server_version;
    tr_session_set_phase(&here.session, TR_STATE_READY);
    expect(TR_MSG_LOAD_MODULE, header, m);
    here.in = tr_need(TR_CONTROL_BYTES_MAX); /* the old one stays as it is: m borrows from it */
}

uint64_t tr_control_unload_request(void) {
    pthread_mutex_lock(&here.lock);
    while (here.unload_request == 0) pthread_cond_wait(&here.unload_came, &here.lock);
    uint64_t id = here.unload_request;
    here.unload_request = 0;
    pthread_mutex_unlock(&here.lock);
    return id;
}

static void answer_ping(const tr_wire_header *header) {
    tr_host *h = &tr_host_here;
    tr_msg_ping ping;
    decode(header, &ping);
    uint64_t since = atomic_load(&h->running_since_ns);
    tr_msg_ping_answer answer = {
        .token = ping.token,
        .function = atomic_load(&h->last_function),
        .depth = (uint16_t)h->depth,
        .running_us = since == 0 ? 0 : (tr_recorder_clock() - since) / 1000,
        .used_bytes = atomic_load(&h->used_bytes),
        .timers = h->timers,
        .blocked = h->blocked,
    };
    tr_control_send(TR_MSG_PING_ANSWER, header->request_id, &answer);
}

static void set_limit(uint32_t bit, int what, uint64_t value, int none, tr_msg_set_limits_answer *answer) {
    rlim_t n = value == 0 && none ? RLIM_INFINITY : (rlim_t)value;
    struct rlimit limit;
    if (getrlimit(what, &limit) == 0) {
        if (limit.rlim_max != RLIM_INFINITY && n > limit.rlim_max) n = limit.rlim_max;
        limit.rlim_cur = n;
        if (setrlimit(what, &limit) == 0) return;
    }
    answer->refused |= 1u << bit;
    answer->errno_last = (uint32_t)errno;
}

static void set_limits(const tr_wire_header *header) {
    tr_msg_set_limits m;
    decode(header, &m);
    tr_msg_set_limits_answer answer = {0};
    set_limit(0, RLIMIT_AS, m.memory_bytes, 1, &answer);
    set_limit(1, RLIMIT_NOFILE, m.files, 0, &answer);
    set_limit(2, RLIMIT_NPROC, m.threads, 0, &answer);
    set_limit(3, RLIMIT_CPU, m.cpu_s, 1, &answer);
    tr_control_send(TR_MSG_SET_LIMITS_ANSWER, header->request_id, &answer);
}

static void stop_after(const tr_wire_header *header) {
    tr_msg_stop m;
    decode(header, &m);
    struct timespec grace = {.tv_sec = m.grace_ms / 1000, .tv_nsec = (long)(m.grace_ms % 1000) * 1000000};
    nanosleep(&grace, NULL); /* who is served meanwhile goes on */
    gone();
}

/* Ends when the module has closed the channel: the server sees its end then, and what is to come of it. */
static void *run(void *arg) {
    (void)arg;
    tr_crash_thread_begin();
    tr_wire_header header;
    while (receive(&header)) {
        switch ((tr_msg_type)header.type) {
            case TR_MSG_PING: answer_ping(&header); break;
            case TR_MSG_SET_LIMITS: set_limits(&header); break;
            case TR_MSG_STOP: stop_after(&header); break;
            case TR_MSG_UNLOAD_MODULE:
                pthread_mutex_lock(&here.lock);
                here.unload_request = header.request_id;
                pthread_cond_signal(&here.unload_came);
                pthread_mutex_unlock(&here.lock);
                break;
            default: tr_host_die(TR_DIE_HOST, "the server sent %s at the wrong time", name_of(header.type));
        }
    }
    return NULL;
}

void tr_control_start(void) {
    pthread_mutex_lock(&here.lock);
    tr_session_set_phase(&here.session, TR_STATE_IDLE);
    pthread_mutex_unlock(&here.lock);
    /* A call that waits keeps a socket open that was closed meanwhile: so it looks now and then. */
    struct timeval look = {.tv_sec = CLOSED_LOOK_S};
    setsockopt(tr_host_here.control_fd, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look);
    /* Signals go to the threads of the module, not to this one. */
    sigset_t all, before;
    sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int rc = pthread_create(&thread, &attributes, run, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) tr_host_die(TR_DIE_HOST, "the control channel can't have a thread: %s", strerror(rc));
}
