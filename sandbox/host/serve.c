/* The floor: what it is granted for. */
#include <string.h>

#include "sandbox/host/life.h"
#include "sandbox/host/link.h"

enum { PURPOSE_THREAD, PURPOSE_TIMER, PURPOSE_FD, PURPOSE_ONE_SHOT, PURPOSE_AFTER, PURPOSE_LOAD, PURPOSE_UNLOAD };

void tr_serve_grant_floor(const tr_wire_header *header, const void *body) {
    const tr_msg_grant_floor *m = body;
    tr_host_here.now_us = m->now_us;
    uint64_t began_ns = tr_recorder_clock();
    tr_msg_grant_floor_answer answer = {.ask = m->ask};
    switch (m->purpose) {
        case PURPOSE_LOAD: tr_life_load(); break;
        case PURPOSE_UNLOAD: tr_life_unload(); break;
        default: answer.outcome = 1; break;
    }
    answer.duration_us = (tr_recorder_clock() - began_ns) / 1000;
    tr_link_answer(header, &answer);
    tr_life_floor_returned();
}
