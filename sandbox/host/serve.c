/* The floor: what it is granted for. */
#include <string.h>

#include "sandbox/host/baton.h"
#include "sandbox/host/events.h"
#include "sandbox/host/life.h"
#include "sandbox/host/link.h"

void tr_serve_grant_floor(const tr_wire_header *header, const void *body) {
    const tr_msg_grant_floor *m = body;
    tr_host_here.now_us = m->now_us;
    tr_host_here.context_flags = m->context_flags;
    tr_msg_grant_floor_answer answer = {.ask = m->ask};
    switch ((tr_purpose)m->purpose) {
        case TR_FOR_LOAD: tr_life_load(); break;
        case TR_FOR_UNLOAD: tr_life_unload(); break;
        case TR_FOR_THREAD: answer.outcome = !tr_baton_lend(m->ask); break;
        default: answer.outcome = !tr_baton_run_event(m->ask); break;
    }
    tr_link_answer(header, &answer);
    tr_life_floor_returned();
}
