/* Aim: the last calls are there after the process is not, and whatever is in the
 * memory is read without harm. Method: a process notes and dies; then the memory is filled at
 * random. */
#include "check.h"
#include "ring_kit.h"

#include <pthread.h>
#include <sys/resource.h>

#include "base/rng.h"
#include "sandbox/crash.h"
#include "sandbox/wire/recorder.h"

static tr_record record(uint64_t n) {
    return (tr_record){.time_ns = n, .function = (uint32_t)n, .args = {n, n + 1, n + 2, n + 3}};
}

static void newest_last(void) {
    rk_end engine;
    rk_engine(&engine, 64, 8); /* 16 entries */
    tr_record got[20];
    CHECK_EQ_INT(tr_recorder_read(&engine.shm, got, 20), 0);
    for (uint64_t n = 1; n <= 40; n++) {
        tr_record r = record(n);
        tr_recorder_note(&engine.shm, &r);
        size_t count = tr_recorder_read(&engine.shm, got, 20);
        CHECK_EQ_INT(count, n < 16 ? n : 16);
        CHECK_EQ_INT(got[count - 1].number, n);
        for (size_t i = 0; i < count; i++) {
            r = record(n - count + 1 + i);
            r.number = n - count + 1 + i;
            CHECK_EQ_MEM(&got[i], sizeof r, &r, sizeof r);
        }
    }
    CHECK_EQ_INT(tr_recorder_read(&engine.shm, got, 3), 3);
    CHECK_EQ_INT(got[0].number, 38);
    ((uint64_t *)(void *)engine.shm.entries_at)[8 * (1 + 39 % 16)] = 0; /* being written */
    CHECK_EQ_INT(tr_recorder_read(&engine.shm, got, 1), 1);
    CHECK_EQ_INT(got[0].flags, TR_RECORDER_BLURRED);
    CHECK_EQ_INT(got[0].number, 40);
    rk_close(&engine);
}

static void play_crash(rk_end *host) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    tr_record r = record(77);
    tr_recorder_note(&host->shm, &r);
    host->shm.crash_at[0] = 1;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void after_death(void) {
    rk_end engine;
    rk_engine(&engine, 64, 8);
    int status = rk_reap(rk_spawn(&engine, play_crash));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    tr_record got[16];
    CHECK_EQ_INT(tr_recorder_read(&engine.shm, got, 16), 1);
    CHECK_EQ_INT(got[0].function, 77);
    uint8_t first = 0;
    /* As a reader without a map. */
    CHECK_EQ_INT(pread(engine.shm.fd, &first, 1, TR_SHM_CRASH_AT), 1);
    CHECK_EQ_INT(first, 1);
    CHECK(TR_CRASH_RECORD_BYTES <= TR_SHM_CRASH_BYTES);
    CHECK_EQ_INT((uintptr_t)engine.shm.crash_at % 8, 0);
    rk_close(&engine);
}

#define NOTES 3000

static void *note_thread(void *arg) {
    for (uint64_t n = 0; n < NOTES; n++) {
        tr_record r = record(n);
        tr_recorder_note(arg, &r);
    }
    return NULL;
}

/* What is not blurred is whole, while threads write. */
static void many_writers(void) {
    rk_end engine;
    rk_engine(&engine, 64, 8);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, note_thread, &engine.shm);
    tr_record got[16];
    uint64_t last = 0;
    while (last < NOTES) {
        size_t count = tr_recorder_read(&engine.shm, got, 16);
        for (size_t i = 0; i < count; i++) {
            last = got[i].number;
            if ((got[i].flags & TR_RECORDER_BLURRED) != 0) continue;
            CHECK_EQ_INT(got[i].args[3], got[i].args[0] + 3);
            CHECK_EQ_INT(got[i].time_ns, got[i].args[0]);
        }
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK_EQ_INT(tr_recorder_read(&engine.shm, got, 16), 16);
    CHECK_EQ_INT(got[15].number, 2 * NOTES);
    rk_close(&engine);
}

static void spoilt(void) {
    rk_end engine;
    rk_engine(&engine, 64, 8);
    tr_rng rng = {7};
    for (int round = 0; round < 2000; round++) {
        for (uint8_t *p = engine.shm.entries_at; p < engine.shm.base + engine.shm.bytes; p++) {
            if (round > 50 && tr_rng_below(&rng, 64) != 0) continue;
            *p = (uint8_t)tr_rng_next(&rng);
            if (round > 50) p += tr_rng_below(&rng, 200);
        }
        tr_record got[16];
        size_t count = tr_recorder_read(&engine.shm, got, 16);
        CHECK(count <= 16);
        for (size_t i = 1; i < count; i++) CHECK(got[i].number == got[i - 1].number + 1);
    }
    rk_close(&engine);
}

int main(void) {
    RUN(newest_last);
    RUN(after_death);
    RUN(many_writers);
    RUN(spoilt);
    return CHECK_DONE();
}
