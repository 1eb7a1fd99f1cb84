/* What a hop to a helper costs: median round trip on the same CPU and on another one, sleeping and
 * spinning, alone and in batches, with calls back; how long a death goes unnoticed; what a note in
 * the flight recorder and a message's codec cost. Two processes, messages encoded and decoded for
 * real.
 *
 *   gcc -O2 -DNDEBUG -D_GNU_SOURCE -fno-strict-aliasing -I. -Icsrc tests/bench/micro/bench_ring.c \
 *       sandbox/wire/[cfprs]*.c csrc/base/mem.c csrc/base/buf.c csrc/base/assert.c \
 *       csrc/base/err.c -lpthread -o bench_ring && ./bench_ring
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "sandbox/wire/futex.h"
#include "sandbox/wire/recorder.h"
#include "sandbox/wire/ring.h"
#include "sandbox/wire/session.h"

#define CALLS 20000
#define BATCH 16
#define DEATHS 50
#define NOTES 2000000

typedef struct end {
    tr_mem mem;
    tr_shm shm;
    tr_ring ring;
    tr_buf in;
    tr_buf out;
    tr_wire_header header;
} end;

typedef struct setting {
    const char *name;
    int host_cpu;
    int64_t spin_ns;
} setting;

static void run_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) perror("sched_setaffinity");
}

static void put(end *e, uint16_t type, uint32_t flags, uint64_t id, const void *body) {
    e->out.rpos = e->out.wpos = 0;
    tr_assert(tr_wire_encode(&e->mem, &e->out, type, flags, id, body) == 0);
    tr_assert(tr_ring_put(&e->ring, e->out.data, e->out.wpos, TR_RING_NO_DEADLINE) == 0);
}

static int receive(end *e) {
    return tr_ring_receive(&e->ring, &e->in, &e->header, TR_RING_NO_DEADLINE);
}

/* A command; client_flags tells how many calls back it makes. */
static void put_command(end *e, uint64_t id, uint64_t calls) {
    tr_wire_bytes argv[2] = {
        {(const uint8_t *)"example.get", 11},
        {(const uint8_t *)"key:0001", 8},
    };
    tr_msg_run_command m = {.command = 1, .client_id = 7, .resp = 2, .client_flags = calls};
    m.argv = (tr_wire_list){.count = 2, .items.texts = argv};
    put(e, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, id, &m);
}

static void call_back(end *e, uint64_t id) {
    tr_msg_key_exists m = {.name = {(const uint8_t *)"key:0001", 8}};
    put(e, TR_MSG_KEY_EXISTS, 0, id, &m);
    tr_assert(receive(e) == 0 && e->header.type == TR_MSG_KEY_EXISTS_ANSWER);
}

/* Answers commands for ever. A batch's answers are told when nothing more is to be read. */
static void serve(end *e) {
    for (;;) {
        int rc = tr_ring_take(&e->ring, &e->in, &e->header);
        if (rc == TR_EAGAIN) rc = receive(e);
        if (rc != 0) _exit(1);
        tr_msg_run_command m;
        const uint8_t *body = (uint8_t *)e->in.data + TR_WIRE_HEADER_BYTES;
        tr_assert(tr_msg_run_command_decode(body, e->header.length, &m) == NULL);
        uint64_t id = e->header.request_id, calls = m.client_flags;
        for (uint64_t i = 0; i < calls; i++) call_back(e, i + 1);
        tr_msg_run_command_answer answer = {.reply = {(const uint8_t *)"+OK\r\n", 5}};
        put(e, TR_MSG_RUN_COMMAND_ANSWER, 0, id, &answer);
    }
}

static pid_t start(end *e, const setting *s) {
    memset(e, 0, sizeof *e);
    tr_mem_init(&e->mem);
    tr_assert(tr_shm_create(&e->shm, NULL) == 0);
    tr_ring_init(&e->ring, &e->shm, &e->mem, TR_FROM_ENGINE);
    e->ring.spin_ns = s->spin_ns;
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) {
        while (tr_ring_watch(&e->ring) != 0) sched_yield();
        return pid;
    }
    run_on(s->host_cpu);
    tr_ring_init(&e->ring, &e->shm, &e->mem, TR_FROM_HOST);
    e->ring.spin_ns = s->spin_ns;
    tr_assert(tr_ring_hold(&e->ring) == 0);
    serve(e);
    return 0;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Until the command is answered, serves its calls back. */
static void answer_all(end *e, int commands) {
    while (commands != 0) {
        tr_assert(receive(e) == 0);
        if (e->header.type == TR_MSG_RUN_COMMAND_ANSWER) {
            commands--;
            continue;
        }
        tr_msg_key_exists_answer yes = {.exists = 1};
        put(e, TR_MSG_KEY_EXISTS_ANSWER, 0, e->header.request_id, &yes);
    }
}

static double median_us(end *e, int batch, uint64_t calls) {
    static int64_t took[CALLS];
    int rounds = CALLS / batch;
    for (int i = 0; i < rounds; i++) {
        int64_t before = tr_futex_now_ns();
        for (int j = 0; j < batch; j++) put_command(e, 1 + (uint64_t)j, calls);
        answer_all(e, batch);
        took[i] = tr_futex_now_ns() - before;
    }
    qsort(took, (size_t)rounds, sizeof took[0], by_size);
    return (double)took[rounds / 2] / 1000 / batch;
}

static void hops(void) {
    int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    const setting settings[] = {
        {"same CPU, no spin", 0, 0},
        {"same CPU, spin 50 us", 0, TR_RING_SPIN_NS},
        {"other CPU, no spin", cpus > 1, 0},
        {"other CPU, spin 50 us", cpus > 1, TR_RING_SPIN_NS},
    };
    printf("%-24s %8s %8s %8s %8s %8s   us, median\n", "", "1", "batch 16", "1 call", "3 calls",
           "10 calls");
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        end e;
        pid_t pid = start(&e, &settings[i]);
        printf("%-24s %8.2f", settings[i].name, median_us(&e, 1, 0));
        printf(" %8.2f", median_us(&e, BATCH, 0));
        for (uint64_t calls = 1; calls <= 10; calls += calls == 1 ? 2 : 7) {
            printf(" %8.2f", median_us(&e, 1, calls));
        }
        printf("\n");
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        tr_ring_release(&e.ring);
        tr_shm_close(&e.shm);
    }
}

static void deaths(const char *name, int host_cpu, int without_waitv) {
    static int64_t took[DEATHS];
    for (int i = 0; i < DEATHS; i++) {
        end e;
        setting s = {"", host_cpu, 0};
        pid_t pid = start(&e, &s);
        e.ring.without_waitv = without_waitv;
        put_command(&e, 1, 0);
        answer_all(&e, 1);
        int64_t before = tr_futex_now_ns();
        kill(pid, SIGKILL);
        tr_assert(receive(&e) == TR_ECLOSED);
        took[i] = tr_futex_now_ns() - before;
        waitpid(pid, NULL, 0);
        tr_ring_release(&e.ring);
        tr_shm_close(&e.shm);
    }
    qsort(took, DEATHS, sizeof took[0], by_size);
    double us = (double)took[DEATHS / 2] / 1000;
    printf("%-24s %8.1f us from SIGKILL to knowing, median\n", name, us);
}

static void local(void) {
    end e;
    memset(&e, 0, sizeof e);
    tr_mem_init(&e.mem);
    tr_assert(tr_shm_create(&e.shm, NULL) == 0);
    tr_record record = {.function = 1};
    int64_t before = tr_futex_now_ns();
    for (int i = 0; i < NOTES; i++) tr_recorder_note(&e.shm, &record);
    int64_t after = tr_futex_now_ns();
    for (int i = 0; i < NOTES; i++) {
        record.time_ns = tr_recorder_clock();
        tr_recorder_note(&e.shm, &record);
    }
    int64_t timed = tr_futex_now_ns();
    printf("note in the recorder     %8.1f ns, with the time %.1f ns\n",
           (double)(after - before) / NOTES, (double)(timed - after) / NOTES);
    tr_buf out = {0};
    tr_wire_bytes argv[2] = {
        {(const uint8_t *)"example.get", 11},
        {(const uint8_t *)"key:0001", 8},
    };
    tr_msg_run_command m = {.resp = 2};
    m.argv = (tr_wire_list){.count = 2, .items.texts = argv};
    before = tr_futex_now_ns();
    for (int i = 0; i < NOTES; i++) {
        out.wpos = 0;
        tr_wire_encode(&e.mem, &out, TR_MSG_RUN_COMMAND, 0, 1, &m);
    }
    after = tr_futex_now_ns();
    for (int i = 0; i < NOTES; i++) {
        tr_wire_header header;
        tr_wire_why_invalid((uint8_t *)out.data, TR_DATA, TR_FROM_ENGINE, &header);
        tr_msg_run_command_decode((uint8_t *)out.data + TR_WIRE_HEADER_BYTES, header.length, &m);
    }
    timed = tr_futex_now_ns();
    printf("run_command              %8.1f ns to encode, %.1f ns to judge and decode\n",
           (double)(after - before) / NOTES, (double)(timed - after) / NOTES);
}

int main(void) {
    run_on(0);
    hops();
    deaths("same CPU", 0, 0);
    deaths("other CPU", sysconf(_SC_NPROCESSORS_ONLN) > 1, 0);
    deaths("other CPU, no waitv", sysconf(_SC_NPROCESSORS_ONLN) > 1, 1);
    local();
    return 0;
}
