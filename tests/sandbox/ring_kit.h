/* ring_kit.h - both ends of a data channel, and a host process that a test plays. */
#ifndef TR_TESTS_RING_KIT_H
#define TR_TESTS_RING_KIT_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "sandbox/wire/futex.h"
#include "sandbox/wire/protocol.h"
#include "sandbox/wire/ring.h"

#define RK_LONG_NS INT64_C(20000000000) /* nobody waits so long unless something is broken */

typedef struct rk_end {
    tr_mem mem;
    tr_shm shm;
    tr_ring ring;
    tr_buf in;
    tr_buf out;
    tr_wire_header header;
} rk_end;

static int64_t rk_soon(void) {
    return tr_futex_now_ns() + RK_LONG_NS;
}

static void rk_engine(rk_end *end, uint32_t slot_bytes, uint32_t slots) {
    tr_shm_geometry geometry = {slot_bytes, slots, 16};
    memset(end, 0, sizeof *end);
    tr_mem_init(&end->mem);
    tr_assert(tr_shm_create(&end->shm, &geometry) == 0);
    tr_ring_init(&end->ring, &end->shm, &end->mem, TR_FROM_ENGINE);
}

static void rk_host(rk_end *end, int fd) {
    memset(end, 0, sizeof *end);
    tr_mem_init(&end->mem);
    tr_assert(tr_shm_attach(&end->shm, dup(fd)) == 0);
    tr_ring_init(&end->ring, &end->shm, &end->mem, TR_FROM_HOST);
}

/* Returns what is still allocated: 0. */
static size_t rk_release(rk_end *end) {
    tr_ring_release(&end->ring);
    tr_buf_release(&end->mem, &end->in);
    tr_buf_release(&end->mem, &end->out);
    return end->mem.used;
}

static size_t rk_close(rk_end *end) {
    tr_shm_close(&end->shm);
    return rk_release(end);
}

/* A byte that differs from place to place and from message to message. */
static uint8_t rk_byte(uint64_t id, size_t i) {
    return (uint8_t)(id * 31 + i * 7 + (i >> 8));
}

static tr_wire_bytes rk_value(uint64_t id, size_t len) {
    uint8_t *value = malloc(len + 1);
    tr_assert(value != NULL);
    for (size_t i = 0; i < len; i++) value[i] = rk_byte(id, i);
    return (tr_wire_bytes){value, (uint32_t)len};
}

/* Puts call_done (engine) or abort: a message with a payload of that many bytes. */
static int rk_put(rk_end *end, uint64_t id, size_t len, int64_t deadline) {
    tr_wire_bytes value = rk_value(id, len);
    int rc;
    end->out.rpos = end->out.wpos = 0;
    if (end->ring.side == TR_FROM_ENGINE) {
        tr_msg_call_done m = {.promise = id, .reply = value};
        rc = tr_wire_encode(&end->mem, &end->out, TR_MSG_CALL_DONE, TR_WIRE_QUEUED, id, &m);
    } else {
        tr_msg_string_set m = {.key = (uint32_t)id, .value = value};
        rc = tr_msg_string_set_encode(&end->mem, &end->out, 0, &m);
    }
    tr_assert(rc == 0);
    rc = tr_ring_put(&end->ring, end->out.data, end->out.wpos, deadline);
    free((void *)(uintptr_t)value.at);
    return rc;
}

/* Whether the message in end->in is rk_put()'s of that id and length. */
static int rk_is(rk_end *end, uint64_t id, size_t len) {
    const uint8_t *body = (uint8_t *)end->in.data + TR_WIRE_HEADER_BYTES;
    tr_wire_bytes value;
    uint64_t got;
    if (end->header.type == TR_MSG_CALL_DONE) {
        tr_msg_call_done m;
        if (tr_msg_call_done_decode(body, end->header.length, &m) != NULL) return 0;
        value = m.reply;
        got = m.promise;
    } else if (end->header.type == TR_MSG_STRING_SET) {
        tr_msg_string_set m;
        if (tr_msg_string_set_decode(body, end->header.length, &m) != NULL) return 0;
        value = m.value;
        got = m.key;
    } else {
        return 0;
    }
    if (got != id || value.len != len) return 0;
    for (size_t i = 0; i < len; i++) {
        if (value.at[i] != rk_byte(id, i)) return 0;
    }
    return 1;
}

static int rk_receive(rk_end *end) {
    return tr_ring_receive(&end->ring, &end->in, &end->header, rk_soon());
}

typedef void (*rk_play)(rk_end *host);

/* A process that attaches, takes the life lock, plays and exits with 0. It leaves the memory
 * mapped: a lock that is unmapped dies unnoticed. */
static pid_t rk_spawn(const rk_end *engine, rk_play play) {
    fflush(NULL);
    pid_t pid = fork();
    tr_assert(pid >= 0);
    if (pid != 0) return pid;
    rk_end host;
    rk_host(&host, engine->shm.fd);
    tr_assert(tr_ring_hold(&host.ring) == 0);
    play(&host);
    _exit(rk_release(&host) == 0 ? 0 : 1);
}

/* Waits for the host's first message, by which it says that it holds the lock; then watches. */
static void rk_meet(rk_end *engine) {
    tr_assert(rk_receive(engine) == 0);
    tr_assert(rk_is(engine, 1, 0));
    tr_assert(tr_ring_watch(&engine->ring) == 0);
}

static void rk_greet(rk_end *host) {
    tr_assert(rk_put(host, 1, 0, rk_soon()) == 0);
    tr_ring_flush(&host->ring);
}

static int rk_reap(pid_t pid) {
    int status;
    tr_assert(waitpid(pid, &status, 0) == pid);
    return status;
}

#endif
