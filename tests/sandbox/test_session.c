/* Aim: nothing is let through that the state, the stack of questions or "once" forbids. Method: an
 * engine's and a host's session are shown the same messages, as they would be sent and come. */
#include "check.h"
#include "sandbox/wire/session.h"

#define EARLY "a question before the last one is answered"
#define OTHER "an answer to another question than the last"
#define UNASKED "an answer that nobody asked for"

typedef struct talk {
    tr_session engine;
    tr_session host;
} talk;

static void begin(talk *t, tr_wire_channel channel, tr_state phase) {
    tr_session_init(&t->engine, TR_FROM_ENGINE, channel);
    tr_session_init(&t->host, TR_FROM_HOST, channel);
    tr_session_set_phase(&t->engine, phase);
    tr_session_set_phase(&t->host, phase);
}

/* Why the sender may not, "" when it may and the other side agrees. */
static const char *say(talk *t, uint16_t type, uint32_t flags, uint64_t *id) {
    const tr_wire_spec *spec = tr_wire_spec_of(type);
    tr_session *from = spec->from == TR_FROM_HOST ? &t->host : &t->engine;
    tr_session *to = spec->from == TR_FROM_HOST ? &t->engine : &t->host;
    const char *why = tr_session_send(from, type, flags, id);
    if (why != NULL) return why;
    tr_wire_header header = {.version = 1, .type = type, .flags = flags, .request_id = *id};
    why = tr_session_came(to, &header);
    return why == NULL ? "" : why;
}

/* Why the receiver hangs up on a message that nobody checked before. */
static const char *force(tr_session *to, uint16_t type, uint32_t flags, uint64_t id) {
    tr_wire_header header = {.version = 1, .type = type, .flags = flags, .request_id = id};
    const char *why = tr_session_came(to, &header);
    return why == NULL ? "" : why;
}

static void greeting(void) {
    talk t;
    uint64_t id = 0, ping = 0, load = 0;
    begin(&t, TR_CONTROL, TR_STATE_GREETING);
    CHECK_EQ_STR(force(&t.engine, TR_MSG_HELLO_ANSWER, 0, 1), "our own message");
    CHECK_EQ_STR(say(&t, TR_MSG_PING, 0, &ping), "not in this state");
    CHECK_EQ_STR(say(&t, TR_MSG_HELLO, 0, &id), "");
    CHECK_EQ_STR(say(&t, TR_MSG_HELLO_ANSWER, 0, &id), "");
    CHECK_EQ_STR(say(&t, TR_MSG_HELLO_ANSWER, 0, &id), UNASKED);
    CHECK_EQ_STR(say(&t, TR_MSG_HELLO, 0, &id), "a second time");
    tr_session_set_phase(&t.engine, TR_STATE_READY);
    tr_session_set_phase(&t.host, TR_STATE_READY);
    CHECK_EQ_STR(say(&t, TR_MSG_LOAD_MODULE, 0, &load), "");
    CHECK_EQ_STR(say(&t, TR_MSG_PING, 0, &ping), "");
    CHECK(ping != load);
    uint64_t wrong = load;
    CHECK_EQ_STR(say(&t, TR_MSG_PING_ANSWER, 0, &wrong), UNASKED);
    CHECK_EQ_STR(say(&t, TR_MSG_PING_ANSWER, 0, &ping), ""); /* control answers in any order */
    CHECK_EQ_STR(say(&t, TR_MSG_LOAD_MODULE_ANSWER, 0, &load), "");
}

/* Commands are answered in their order; questions about the first unwind like a stack. */
static void floor_and_stack(void) {
    talk t;
    uint64_t first = 0, second = 0, call = 0, nested = 0, open = 0, none = 0;
    begin(&t, TR_DATA, TR_STATE_IDLE);
    CHECK_EQ_INT(tr_session_state(&t.host), TR_STATE_IDLE);
    CHECK_EQ_STR(say(&t, TR_MSG_OPEN_KEY, 0, &open), "not in this state");
    CHECK_EQ_STR(force(&t.engine, TR_MSG_OPEN_KEY, 0, 1), "not in this state");
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, 0, &first), "a question amid no question");
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &first), "");
    CHECK_EQ_INT(tr_session_state(&t.engine), TR_STATE_FLOOR);
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &second), "");
    CHECK_EQ_STR(say(&t, TR_MSG_REPLICATE_VERBATIM, 0, &none), "");
    CHECK_EQ_STR(say(&t, TR_MSG_CALL, 0, &call), "");
    CHECK_EQ_STR(force(&t.engine, TR_MSG_OPEN_KEY, 0, 9), EARLY);
    CHECK_EQ_STR(force(&t.engine, TR_MSG_RUN_COMMAND_ANSWER, 0, first), OTHER);
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, 0, &nested), "");
    CHECK_EQ_STR(say(&t, TR_MSG_OPEN_KEY, 0, &open), "");
    CHECK_EQ_STR(force(&t.host, TR_MSG_CALL_ANSWER, 0, call), OTHER);
    CHECK_EQ_STR(say(&t, TR_MSG_OPEN_KEY_ANSWER, 0, &open), "");
    CHECK_EQ_STR(force(&t.host, TR_MSG_CALL_ANSWER, 0, call), OTHER);
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND_ANSWER, 0, &nested), "");
    CHECK_EQ_STR(say(&t, TR_MSG_CALL_ANSWER, 0, &call), "");
    CHECK_EQ_STR(force(&t.engine, TR_MSG_RUN_COMMAND_ANSWER, 0, second), UNASKED);
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND_ANSWER, 0, &first), "");
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND_ANSWER, 0, &second), "");
    CHECK_EQ_INT(tr_session_state(&t.engine), TR_STATE_IDLE);
    CHECK_EQ_STR(force(&t.engine, TR_MSG_REPLICATE_VERBATIM, 0, 0), "not in this state");
}

/* A command is handed over while the host's question is on its way: it waits its turn. */
static void crossing(void) {
    talk t;
    uint64_t first = 0, second = 0, call = 0;
    begin(&t, TR_DATA, TR_STATE_IDLE);
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &first), "");
    CHECK(tr_session_send(&t.host, TR_MSG_CALL, 0, &call) == NULL);
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &second), "");
    CHECK_EQ_STR(force(&t.engine, TR_MSG_CALL, 0, call), "");
    CHECK_EQ_STR(say(&t, TR_MSG_CALL_ANSWER, 0, &call), "");
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND_ANSWER, 0, &first), "");
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND_ANSWER, 0, &second), "");
}

/* A detached question and its answer stand beside all that. */
static void detached(void) {
    talk t;
    uint64_t ask = 0, first = 0;
    begin(&t, TR_DATA, TR_STATE_IDLE);
    CHECK_EQ_STR(say(&t, TR_MSG_TRY_FLOOR, 0, &ask), "");
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &first), "");
    CHECK_EQ_STR(say(&t, TR_MSG_TRY_FLOOR_ANSWER, 0, &ask), "");
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND_ANSWER, 0, &first), "");
    for (int i = 0; i < TR_SESSION_DETACHED_MAX; i++) {
        CHECK_EQ_STR(force(&t.engine, TR_MSG_TRY_FLOOR, 0, 50 + (uint64_t)i), "");
    }
    CHECK_EQ_STR(force(&t.engine, TR_MSG_TRY_FLOOR, 0, 99), "too many requests at once");
}

static void limits(void) {
    talk t;
    uint64_t id = 0;
    begin(&t, TR_DATA, TR_STATE_IDLE);
    for (int i = 0; i < TR_WIRE_QUEUE_MAX; i++) {
        CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &id), "");
    }
    CHECK_EQ_STR(say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &id), "too many commands at once");
    for (int i = 0; i < TR_WIRE_NEST_MAX; i++) {
        CHECK_EQ_STR(say(&t, i % 2 == 0 ? TR_MSG_CALL : TR_MSG_RUN_COMMAND, 0, &id), "");
    }
    CHECK_EQ_STR(say(&t, TR_MSG_CALL, 0, &id), "questions are nested too deep");
}

/* Every message in every state: let through exactly where the table says so. */
static void every_state(void) {
    static const tr_state phases[] = {TR_STATE_GREETING, TR_STATE_READY, TR_STATE_LOADING,
                                      TR_STATE_IDLE, TR_STATE_FLOOR, TR_STATE_UNLOADING};
    size_t count;
    const tr_wire_spec *specs = tr_wire_specs(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < 6 && specs[i].role != TR_ANSWER; p++) {
            talk t;
            uint64_t id = 0;
            begin(&t, specs[i].channel, phases[p] == TR_STATE_FLOOR ? TR_STATE_IDLE : phases[p]);
            int floor = specs[i].channel == TR_DATA && phases[p] == TR_STATE_FLOOR;
            if (floor) say(&t, TR_MSG_RUN_COMMAND, TR_WIRE_QUEUED, &id);
            tr_session *to = specs[i].from == TR_FROM_HOST ? &t.engine : &t.host;
            uint16_t state = (uint16_t)tr_session_state(to);
            uint32_t flags = specs[i].from == TR_FROM_ENGINE ? TR_WIRE_QUEUED : 0;
            const char *why = force(to, specs[i].type, flags, specs[i].role == TR_REQUEST ? 7 : 0);
            CHECK_EQ_INT(strcmp(why, "not in this state") == 0, (specs[i].states & state) == 0);
        }
    }
}

int main(void) {
    RUN(greeting);
    RUN(floor_and_stack);
    RUN(crossing);
    RUN(detached);
    RUN(limits);
    RUN(every_state);
    return CHECK_DONE();
}
