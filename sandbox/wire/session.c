#include "sandbox/wire/session.h"

#include <string.h>

#include "base/assert.h"

void tr_session_init(tr_session *session, tr_wire_side side, tr_wire_channel channel) {
    memset(session, 0, sizeof *session);
    session->side = (uint8_t)side;
    session->channel = (uint8_t)channel;
    session->phase = TR_STATE_GREETING;
}

void tr_session_set_phase(tr_session *session, tr_state phase) {
    tr_assert(phase != TR_STATE_FLOOR);
    session->phase = (uint16_t)phase;
}

tr_state tr_session_state(const tr_session *session) {
    int floor = session->channel == TR_DATA && session->queue_count != 0;
    return session->phase == TR_STATE_IDLE && floor ? TR_STATE_FLOOR : (tr_state)session->phase;
}

static int same(const tr_asked *asked, uint16_t answer, uint64_t id) {
    return asked->id == id && asked->type + 1 == answer;
}

/* Takes the request that this answers off. */
static const char *settle(tr_session *s, const tr_wire_spec *spec, uint64_t id) {
    for (uint32_t i = 0; i < s->detached_count; i++) {
        if (!same(&s->detached[i], spec->type, id) || s->detached[i].by == spec->from) continue;
        s->detached[i] = s->detached[--s->detached_count];
        return NULL;
    }
    if (s->depth != 0) {
        const tr_asked *top = &s->stack[s->depth - 1];
        if (top->by == spec->from || !same(top, spec->type, id)) {
            return "an answer to another question than the last";
        }
        s->depth--;
        return NULL;
    }
    const tr_asked *first = &s->queue[s->queue_first];
    if (s->queue_count == 0 || spec->from != TR_FROM_HOST || !same(first, spec->type, id)) {
        return "an answer that nobody asked for";
    }
    s->queue_first = (s->queue_first + 1) % TR_WIRE_QUEUE_MAX;
    s->queue_count--;
    return NULL;
}

static const char *ask_detached(tr_session *s, const tr_asked *asked) {
    if (s->detached_count == TR_SESSION_DETACHED_MAX) return "too many requests at once";
    s->detached[s->detached_count++] = *asked;
    return NULL;
}

static const char *ask_queued(tr_session *s, const tr_asked *asked) {
    if (s->queue_count == TR_WIRE_QUEUE_MAX) return "too many commands at once";
    s->queue[(s->queue_first + s->queue_count++) % TR_WIRE_QUEUE_MAX] = *asked;
    return NULL;
}

static const char *ask_nested(tr_session *s, const tr_asked *asked) {
    if (s->depth == TR_WIRE_NEST_MAX) return "questions are nested too deep";
    int theirs = s->depth != 0 && s->stack[s->depth - 1].by == asked->by;
    if (theirs) return "a question before the last one is answered";
    if (asked->by == TR_FROM_HOST && s->queue_count == 0) return "a question without the floor";
    if (asked->by == TR_FROM_ENGINE && s->depth == 0) return "a question amid no question";
    s->stack[s->depth++] = *asked;
    return NULL;
}

static const char *pass(tr_session *s, const tr_wire_spec *spec, uint32_t flags, uint64_t id) {
    if (spec->role == TR_ANSWER) return settle(s, spec, id);
    if ((spec->states & tr_session_state(s)) == 0) return "not in this state";
    if (spec->once && s->seen[spec->index]) return "a second time";
    const char *why = NULL;
    tr_asked asked = {.id = id, .type = spec->type, .by = spec->from};
    if (spec->role == TR_REQUEST) {
        if (spec->detached) why = ask_detached(s, &asked);
        else if ((flags & TR_WIRE_QUEUED) != 0) why = ask_queued(s, &asked);
        else why = ask_nested(s, &asked);
    }
    if (why == NULL && spec->once) s->seen[spec->index] = 1;
    return why;
}

const char *tr_session_send(tr_session *session, uint16_t type, uint32_t flags, uint64_t *id) {
    const tr_wire_spec *spec = tr_wire_spec_of(type);
    tr_assert(spec != NULL && spec->from == session->side && spec->channel == session->channel);
    if (spec->role == TR_ONE_WAY) *id = 0;
    if (spec->role == TR_REQUEST) *id = session->next_id + 1;
    const char *why = pass(session, spec, flags, *id);
    if (why == NULL && spec->role == TR_REQUEST) session->next_id++;
    return why;
}

const char *tr_session_came(tr_session *session, const tr_wire_header *header) {
    const tr_wire_spec *spec = tr_wire_spec_of(header->type);
    tr_assert(spec != NULL && spec->channel == session->channel);
    if (spec->from == session->side) return "our own message";
    return pass(session, spec, header->flags, header->request_id);
}
