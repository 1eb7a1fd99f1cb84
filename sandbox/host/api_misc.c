#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "sandbox/host/link.h"

#define LINE_BYTES 1024      /* of a module's log line with its NUL, as Redis cuts it */
#define EVENT_BYTES_MAX 512  /* of a latency event's name, as in its message */
#define RANDOM_BYTES_MAX 256 /* what getrandom() gives without being interrupted */

/* ------------------------------------------------------------------ log and latency */

static int level_of(const char *name) {
    static const char *const names[] = {"debug", "verbose", "notice", "warning"};
    for (int i = 0; i < 4; i++) {
        if (strcasecmp(name, names[i]) == 0) return i;
    }
    return 1; /* an unknown name means verbose */
}

/* From any thread; ctx may be NULL. */
void tr_rm_Log(RedisModuleCtx *ctx, const char *level, const char *fmt, ...) {
    TR_NOTE(Log, ctx, level, fmt);
    char line[LINE_BYTES];
    const char *name = ctx == NULL ? NULL : tr_host_here.module_name;
    int start = snprintf(line, sizeof(line), "<%s> ", name == NULL ? "module" : name);
    if (start < 0 || (size_t)start >= sizeof(line)) start = 0;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(line + start, sizeof(line) - (size_t)start, fmt, args);
    va_end(args);
    if (len < 0) line[start] = '\0';
    tr_host_log(level_of(level), 0, line, strlen(line));
}

/* Whether a sample is worth keeping, by latency-monitor-threshold, is the server's to know. */
void tr_rm_LatencyAddSample(const char *event, mstime_t latency) {
    TR_NOTE(LatencyAddSample, event, latency);
    tr_msg_latency_sample body = {
        .latency_ms = latency,
        .event = {.at = (const uint8_t *)event, .len = (uint32_t)strnlen(event, EVENT_BYTES_MAX)},
    };
    tr_link_post(TR_MSG_LATENCY_SAMPLE, &body);
}

/* ------------------------------------------------------------------ time */

static int64_t wall_us(void) {
    const tr_clock clock = {0};
    return tr_clock_wall_us(&clock);
}

mstime_t tr_rm_Milliseconds(void) {
    TR_NOTE(Milliseconds);
    return wall_us() / 1000;
}

ustime_t tr_rm_Microseconds(void) {
    TR_NOTE(Microseconds);
    return wall_us();
}

uint64_t tr_rm_MonotonicMicroseconds(void) {
    TR_NOTE(MonotonicMicroseconds);
    const tr_clock clock = {0};
    return (uint64_t)tr_clock_mono_ns(&clock) / 1000;
}

/* Of the moment at which the server last handed the floor over: the same all through a callback. */
ustime_t tr_rm_CachedMicroseconds(void) {
    TR_NOTE(CachedMicroseconds);
    return __atomic_load_n(&tr_host_here.now_us, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ chance */

static void random_bytes(unsigned char *dst, size_t len) {
    while (len != 0) {
        ssize_t got = getrandom(dst, len < RANDOM_BYTES_MAX ? len : RANDOM_BYTES_MAX, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) tr_host_die(TR_DIE_HOST, "getrandom: %s", strerror(errno));
        dst += got;
        len -= (size_t)got;
    }
}

void tr_rm_GetRandomBytes(unsigned char *dst, size_t len) {
    TR_NOTE(GetRandomBytes, dst, len);
    random_bytes(dst, len);
}

/* len digits, without a NUL. */
void tr_rm_GetRandomHexChars(char *dst, size_t len) {
    TR_NOTE(GetRandomHexChars, dst, len);
    random_bytes((unsigned char *)dst, len);
    for (size_t i = 0; i < len; i++) dst[i] = "0123456789abcdef"[(unsigned char)dst[i] & 15];
}
