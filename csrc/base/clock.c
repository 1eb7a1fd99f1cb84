#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id) {
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t tr_clock_wall_us(const tr_clock *clock) {
    return clock->fake ? clock->fake_wall_us : read_ns(CLOCK_REALTIME) / 1000;
}

int64_t tr_clock_mono_ns(const tr_clock *clock) {
    return clock->fake ? clock->fake_mono_ns : read_ns(CLOCK_MONOTONIC);
}
