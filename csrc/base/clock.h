/* clock.h - where time enters the engine.
 *
 * The engine's loop reads one of these and hands the numbers on; nothing below it asks for the time by itself. The
 * system clock serves in production; tests set a fake one by hand.
 */
#ifndef TR_BASE_CLOCK_H
#define TR_BASE_CLOCK_H

#include <stdint.h>

typedef struct tr_clock {
    int fake;             /* 1: the two fields below are the time */
    int64_t fake_wall_us;
    int64_t fake_mono_ns;
} tr_clock;

/* Microseconds since 1970. */
int64_t tr_clock_wall_us(const tr_clock *clock);
/* Nanoseconds since some fixed point, never going back. */
int64_t tr_clock_mono_ns(const tr_clock *clock);

#endif
