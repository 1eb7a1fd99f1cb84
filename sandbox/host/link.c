#include "sandbox/host/link.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "sandbox/host/baton.h"
#include "sandbox/host/key.h"
#include "sandbox/host/unit.h"

/* All bodies of messages from the engine, and of answers: the largest decides the room. */
#define BODY_BYTES_MAX 1024

typedef union body_room {
    uint8_t bytes[BODY_BYTES_MAX];
    uint64_t aligned;
} body_room;

/* The channel is no more: the engine has gone, or has given us up. Nobody needs a report of that. */
static _Noreturn void leave(void) {
    tr_crash_exit_expected();
    _exit(0);
}

static _Noreturn void ring_failed(int rc) {
    const char *why = tr_host_here.ring.why;
    if (rc != TR_EPROTO) leave();
    tr_host_die(TR_DIE_HOST, "protocol violation (%s): memory that is shared with the server was overwritten",
                why != NULL ? why : "a broken channel");
}

static void send(const char *function, tr_msg_type type, uint32_t flags, uint64_t id, const void *body) {
    tr_host *h = &tr_host_here;
    tr_buf out = {0};
    int rc = tr_wire_encode(&h->mem, &out, (uint16_t)type, flags, id, body);
    if (rc == TR_ENOMEM) tr_host_die(TR_DIE_MEMORY, "out of memory");
    if (rc != 0) tr_host_die(TR_DIE_HOST, "%s: an argument is too long or too many", function);
    rc = tr_ring_put(&h->ring, out.data, tr_buf_unread(&out), TR_RING_NO_DEADLINE);
    tr_buf_release(&h->mem, &out);
    if (rc == TR_ENOMEM) tr_host_die(TR_DIE_MEMORY, "out of memory");
    if (rc != 0) ring_failed(rc);
}

/* A request or a one-way message of ours. */
static uint64_t say(const char *function, tr_msg_type type, const void *body) {
    uint64_t id;
    if (tr_host_here.forked) tr_host_die(TR_DIE_HOST, "%s was called by a forked child, which has no server", function);
    tr_unit_says(type, body);
    if (!tr_baton_mine()) tr_host_die(TR_DIE_HOST, "%s was called by a thread that does not have the lock", function);
    tr_keys_flush();
    const char *why = tr_session_send(&tr_host_here.session, (uint16_t)type, 0, &id);
    if (why != NULL) tr_host_die(TR_DIE_HOST, "%s: %s", function, why);
    send(function, type, 0, id, body);
    return id;
}

void tr_link_tell(const char *function, tr_msg_type type, const void *body) {
    say(function, type, body);
}

void tr_link_answer(const tr_wire_header *request, const void *body) {
    uint64_t id = request->request_id;
    tr_msg_type type = (tr_msg_type)(request->type + 1);
    tr_keys_floor_ends();
    tr_unit_answers();
    const char *why = tr_session_send(&tr_host_here.session, (uint16_t)type, 0, &id);
    if (why != NULL) tr_host_die(TR_DIE_HOST, "answer to %s: %s", tr_wire_spec_of(request->type)->name, why);
    send("the reply", type, 0, id, body);
}

/* The next message; waits. */
static void receive(tr_buf *into, tr_wire_header *header) {
    tr_host *h = &tr_host_here;
    int rc = tr_ring_receive(&h->ring, into, header, TR_RING_NO_DEADLINE);
    if (rc == TR_ENOMEM) tr_host_die(TR_DIE_MEMORY, "out of memory");
    if (rc != 0) ring_failed(rc);
    const char *why = tr_session_came(&h->session, header);
    if (why != NULL) tr_host_die(TR_DIE_HOST, "the server sent %s: %s", tr_wire_spec_of(header->type)->name, why);
}

static void decode(const tr_wire_header *header, const tr_buf *buf, void *body) {
    const uint8_t *bytes = (const uint8_t *)buf->data + buf->rpos + TR_WIRE_HEADER_BYTES;
    const char *why = tr_wire_decode(header->type, bytes, header->length, body);
    if (why != NULL) tr_host_die(TR_DIE_HOST, "the server sent a bad %s: %s", tr_wire_spec_of(header->type)->name, why);
}

static tr_serve_fn *server_of(uint16_t type) {
    switch ((tr_msg_type)type) {
#define TR_X(MESSAGE, name) case TR_MSG_##MESSAGE: return tr_serve_##name;
        TR_HOST_SERVED(TR_X)
#undef TR_X
        default: return NULL;
    }
}

static void serve(const tr_wire_header *header, const tr_buf *buf) {
    if (header->type == TR_MSG_TRY_FLOOR_ANSWER) {
        tr_msg_try_floor_answer answer;
        decode(header, buf, &answer);
        tr_serve_try_floor_answer(header, &answer);
        return;
    }
    tr_serve_fn *fn = server_of(header->type);
    const tr_wire_spec *spec = tr_wire_spec_of(header->type);
    if (fn == NULL || spec->struct_bytes > BODY_BYTES_MAX) {
        tr_host_die(TR_DIE_HOST, "the server sent %s, which this host does not know", spec->name);
    }
    body_room body;
    tr_host_unit unit;
    decode(header, buf, &body);
    tr_host *h = &tr_host_here;
    if (h->depth++ == 0) atomic_store_explicit(&h->running_since_ns, tr_recorder_clock(), memory_order_relaxed);
    tr_unit_begins(&unit, header->type);
    fn(header, &body);
    tr_unit_ended();
    if (--h->depth == 0) atomic_store_explicit(&h->running_since_ns, 0, memory_order_relaxed);
}

/* Requests that the engine hands over ahead come at any time, but are served in their order when what runs is done. */
typedef struct tr_handed {
    struct tr_handed *next;
    tr_wire_header header;
    tr_buf message; /* owned */
} handed;

/* Steals the message. */
static void put_aside(const tr_wire_header *header, const tr_buf *message) {
    tr_host *h = &tr_host_here;
    handed *one = tr_need(sizeof *one);
    *one = (handed){.header = *header, .message = *message};
    if (h->handed == NULL) h->handed_end = &h->handed;
    *h->handed_end = one;
    h->handed_end = &one->next;
}

static void serve_next(void) {
    tr_host *h = &tr_host_here;
    tr_buf in = {0};
    tr_wire_header header;
    handed *one = h->handed;
    if (one == NULL) {
        receive(&in, &header);
    } else {
        h->handed = one->next;
        header = one->header;
        in = one->message;
        free(one);
    }
    serve(&header, &in);
    tr_buf_release(&h->mem, &in);
}

void tr_link_ask(const char *function, tr_msg_type type, const void *body, void *body_out,
                 tr_answer *answer) {
    uint64_t id = say(function, type, body);
    for (;;) {
        tr_wire_header header;
        tr_buf in = {0};
        receive(&in, &header);
        if (header.type == (uint16_t)type + 1 && header.request_id == id) {
            decode(&header, &in, body_out);
            answer->hold = in;
            tr_unit_hears(type, body, body_out);
            return;
        }
        if ((header.flags & TR_WIRE_QUEUED) != 0) {
            put_aside(&header, &in);
            continue;
        }
        serve(&header, &in);
        tr_buf_release(&tr_host_here.mem, &in);
    }
}

void tr_answer_drop(tr_answer *answer) {
    tr_buf_release(&tr_host_here.mem, &answer->hold);
}

void tr_link_serve_one(void) {
    serve_next();
}

void tr_link_serve(void) {
    for (;;) {
        tr_wait_for_work();
        serve_next();
    }
}
