/* Aim: a helper that lies, floods, falls silent and changes the shared memory can't crash, hang or confuse the server,
 * nor make it read outside of what was sent. Method: exec and modhost without sockets, and a host that does what the
 * input says:
 *
 *   opcode byte, then what it needs:
 *     0 a message of any type with any body, sent in order    1 the same with the id of what the engine asked last
 *     2 garbage in a slot                                     3 a word of the shared head is changed
 *     4 a client's command of the module                      5 a plain command of the client
 *     6 MULTI, two module commands, EXEC                      7 a turn
 *     8 a turn after the clock has moved                      9 the helper is killed and another one attached
 *    10 registers a command, in good order                   11 answers what the engine asked, in good order
 *    12 asks for the floor, drops an ask, tries              13 blocks a client, in good order
 *    14 unblocks one                                         15 signals a key
 *    16 CLIENT UNBLOCK, or the client leaves                 17 time passes for who waits
 *    18 describes a command: specs of its keys               19 wants events, filters; or hides an argument
 *    20 something happens in the server                      21 somebody asks for a command's keys
 *
 * The clock is set by hand and lies before the real one, so that no wait lasts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "exec/exec.h"
#include "exec/keys.h"
#include "modhost/modhost.h"

#define DBS 2
#define OPS_MAX 64
#define BODY_MAX 512

typedef struct world {
    tr_mem mem, host_mem;
    tr_clock clock;
    tr_store store;
    tr_exec x;
    tr_modhost m;
    tr_client c;
    tr_helper *h;
    tr_shm shm; /* the host's view */
    tr_ring ring;
    uint64_t asked_id;
    uint16_t asked_type;
    uint64_t asked_number; /* of the grant */
    int attached;
} world;

typedef struct input {
    const uint8_t *p;
    size_t left;
} input;

static uint8_t take(input *in) {
    if (in->left == 0) return 0;
    in->left--;
    return *in->p++;
}

static uint32_t take32(input *in) {
    uint32_t n = 0;
    for (int i = 0; i < 4; i++) n |= (uint32_t)take(in) << (8 * i);
    return n;
}

/* ------------------------------------------------------------------ what the engine would do around it */

static void nothing_client(void *ctx, tr_client *c) {
    (void)ctx, (void)c;
}

static void nothing(void *ctx) {
    (void)ctx;
}

static int watch(void *ctx, int fd, tr_helper *h) {
    (void)ctx, (void)fd, (void)h;
    return TR_OK;
}

static void unwatch(void *ctx, int fd) {
    (void)ctx, (void)fd;
}

/* The host of before is no more. */
static void end_host(world *w) {
    if (!w->attached) return;
    tr_ring_release(&w->ring);
    pthread_mutex_unlock(&w->shm.head->life);
    tr_shm_close(&w->shm);
    w->attached = 0;
}

static void start(world *w) {
    int shm_fd, host_wake, engine_wake;
    end_host(w);
    if (tr_helper_prepare(w->h, &shm_fd, &host_wake, &engine_wake) != TR_OK) return;
    tr_assert(tr_shm_attach(&w->shm, dup(shm_fd)) == TR_OK);
    tr_ring_init(&w->ring, &w->shm, &w->host_mem, TR_FROM_HOST);
    tr_assert(tr_ring_hold(&w->ring) == TR_OK);
    w->attached = 1;
    w->asked_id = 0;
    w->asked_type = 0;
    if (tr_helper_attach(w->h, getpid(), -1) != TR_OK) tr_helper_fail(w->h, TR_FAIL_ASKED, "not attached");
}

static void open_world(world *w) {
    static const uint64_t seed[2] = {5, 6};
    memset(w, 0, sizeof *w);
    tr_mem_init(&w->mem);
    tr_mem_init(&w->host_mem);
    w->clock = (tr_clock){.fake = 1, .fake_wall_us = 1700000000000000, .fake_mono_ns = 1000};
    tr_assert(tr_store_init(&w->store, &w->mem, DBS, seed) == TR_OK);
    tr_assert(tr_exec_init(&w->x, &w->mem, &w->store, &w->clock) == TR_OK);
    tr_modhost_init(&w->m, &w->x, &w->mem);
    w->m.hooks = (tr_modhost_hooks){.go_on = nothing_client,
                                    .output = nothing_client,
                                    .floor_back = nothing,
                                    .watch = watch,
                                    .unwatch = unwatch,
                                    .event = nothing};
    w->m.command_ms = 25; /* longer than a turn waits, else none is ever left running */
    w->m.busy_ms = 1;
    tr_client_init(&w->c, &w->x, w->x.next_client_id++, TR_CLIENT_AUTHENTICATED);
    w->h = tr_modhost_add(&w->m, "fuzz");
    tr_assert(w->h != NULL);
    start(w);
}

static void close_world(world *w) {
    tr_client_release(&w->c);
    tr_modhost_release(&w->m);
    end_host(w);
    tr_exec_release(&w->x);
    tr_store_check(&w->store);
    tr_store_release(&w->store);
    tr_assert(w->mem.used == 0);
    tr_assert(w->host_mem.used == 0);
}

/* ------------------------------------------------------------------ the host */

/* Bytes as a message: header in good order but for what the input wants, body as it comes. */
static void send_raw(world *w, uint16_t type, uint64_t id, const uint8_t *body, uint32_t len) {
    uint8_t message[TR_WIRE_HEADER_BYTES + BODY_MAX] = {0};
    uint32_t magic = TR_WIRE_MAGIC;
    uint16_t version = TR_WIRE_VERSION_MAX;
    if (!w->attached) return;
    memcpy(message, &magic, 4);
    memcpy(message + 4, &version, 2);
    memcpy(message + 6, &type, 2);
    memcpy(message + 8, &id, 8);
    memcpy(message + 20, &len, 4);
    if (len != 0) memcpy(message + TR_WIRE_HEADER_BYTES, body, len);
    (void)tr_ring_put(&w->ring, message, TR_WIRE_HEADER_BYTES + len, 0);
    tr_ring_flush(&w->ring);
}

/* Reads what the engine has said; the last request is what an answer may be to. */
static void listen(world *w) {
    tr_buf in = {0};
    tr_wire_header header;
    while (w->attached && tr_ring_take(&w->ring, &in, &header) == TR_OK) {
        const tr_wire_spec *spec = tr_wire_spec_of(header.type);
        if (spec->role != TR_REQUEST) continue;
        w->asked_id = header.request_id;
        w->asked_type = header.type;
        if (header.type != TR_MSG_GRANT_FLOOR) continue;
        memcpy(&w->asked_number, in.data + in.rpos + TR_WIRE_HEADER_BYTES, 8);
    }
    tr_buf_release(&w->host_mem, &in);
}

static void send_any(world *w, input *in, int as_answer) {
    uint8_t body[BODY_MAX];
    uint16_t type = (uint16_t)(as_answer ? w->asked_type + 1 : take(in) | (take(in) & 1) << 8);
    uint32_t len = take(in);
    uint64_t id = as_answer ? w->asked_id : take(in);
    if (as_answer) listen(w), type = (uint16_t)(w->asked_type + 1), id = w->asked_id;
    for (uint32_t i = 0; i < len; i++) body[i] = take(in);
    send_raw(w, type, id, body, len);
}

static void encode_and_send(world *w, uint16_t type, uint64_t id, const void *body) {
    tr_buf out = {0};
    if (!w->attached || tr_wire_encode(&w->host_mem, &out, type, 0, id, body) != TR_OK) return;
    (void)tr_ring_put(&w->ring, out.data, tr_buf_unread(&out), 0);
    tr_ring_flush(&w->ring);
    tr_buf_release(&w->host_mem, &out);
}

static void send_register(world *w, input *in) {
    char name[] = "f.a";
    name[2] = (char)('a' + take(in) % 3);
    tr_msg_register_command m = {.name = {(const uint8_t *)name, 3},
                                 .flags = {(const uint8_t *)"write fast", 10},
                                 .first_key = take(in) % 3,
                                 .last_key = take(in) % 3,
                                 .key_step = 1};
    encode_and_send(w, TR_MSG_REGISTER_COMMAND, 1u + take(in), &m);
}

static void send_good_answer(world *w, input *in) {
    listen(w);
    if (w->asked_type == TR_MSG_GRANT_FLOOR) {
        tr_msg_grant_floor_answer m = {.ask = w->asked_number};
        encode_and_send(w, TR_MSG_GRANT_FLOOR_ANSWER, w->asked_id, &m);
    } else if (w->asked_type == TR_MSG_RUN_COMMAND) {
        tr_msg_run_command_answer m = {.reply = {(const uint8_t *)"+OK\r\n", 5}};
        encode_and_send(w, TR_MSG_RUN_COMMAND_ANSWER, w->asked_id, &m);
    } else if (w->asked_type == TR_MSG_RUN_BLOCKED) {
        uint8_t how = take(in);
        tr_msg_run_blocked_answer m = {.outcome = how & 1};
        if (how & 2) m.reply = (tr_wire_bytes){(const uint8_t *)"+OK\r\n", 5};
        encode_and_send(w, TR_MSG_RUN_BLOCKED_ANSWER, w->asked_id, &m);
    } else if (w->asked_type == TR_MSG_KEYSPACE_EVENT) {
        encode_and_send(w, TR_MSG_KEYSPACE_EVENT_ANSWER, w->asked_id, &(tr_msg_keyspace_event_answer){0});
    } else if (w->asked_type == TR_MSG_SERVER_EVENT) {
        encode_and_send(w, TR_MSG_SERVER_EVENT_ANSWER, w->asked_id, &(tr_msg_server_event_answer){0});
    } else if (w->asked_type == TR_MSG_RUN_FILTER) {
        tr_wire_bytes words[] = {{(const uint8_t *)"f.a", 3}, {(const uint8_t *)"k", 1}};
        tr_msg_run_filter_answer m = {.changed = take(in) % 2, .argv = {.count = 2, .items.texts = words}};
        if (!m.changed) m.argv.count = 0;
        encode_and_send(w, TR_MSG_RUN_FILTER_ANSWER, w->asked_id, &m);
    }
}

static void send_ask(world *w, input *in) {
    uint8_t what = take(in);
    uint64_t number = take(in) % 4;
    tr_msg_ask_floor ask = {.ask = number, .purpose = what % 5};
    tr_msg_drop_ask drop = {.ask = number};
    tr_msg_try_floor try = {.ask = number};
    if (what & 64) encode_and_send(w, TR_MSG_TRY_FLOOR, 1u + take(in), &try);
    else if (what & 32) encode_and_send(w, TR_MSG_DROP_ASK, 0, &drop);
    else encode_and_send(w, TR_MSG_ASK_FLOOR, 0, &ask);
}

static void send_block(world *w, input *in) {
    tr_wire_bytes keys[] = {{(const uint8_t *)"k", 1}, {(const uint8_t *)"q", 1}, {(const uint8_t *)"k", 1}};
    tr_msg_block_client m = {.block = take(in) % 8,
                             .timeout_ms = take(in) % 40,
                             .callbacks = take(in) % 16,
                             .flags = take(in) % 2,
                             .keys = {.count = take(in) % 4, .items.texts = keys}};
    encode_and_send(w, TR_MSG_BLOCK_CLIENT, 0, &m);
}

static void send_unblock(world *w, input *in) {
    uint8_t how = take(in);
    tr_msg_unblock_client m = {.block = how % 8, .aborted = how >> 7};
    if (how & 64) m.reply = (tr_wire_bytes){(const uint8_t *)"-ERR b\r\n", 8};
    encode_and_send(w, TR_MSG_UNBLOCK_CLIENT, 0, &m);
}

static void send_signal(world *w, input *in) {
    const char *name = take(in) & 1 ? "k" : "q";
    tr_msg_signal_ready m = {.db = take(in) % 3, .name = {(const uint8_t *)name, 1}};
    encode_and_send(w, TR_MSG_SIGNAL_READY, 0, &m);
}

static void spoil(world *w, input *in) {
    if (!w->attached) return;
    uint32_t at = take32(in) % (2 * TR_SHM_PAGE); /* the head and the beginning of the crash area */
    /* The life lock is the kernel's: spoiling it is another process's way to die, not ours. */
    if (at >= offsetof(tr_shm_head, life) && at < TR_SHM_PAGE) return;
    w->shm.base[at] = take(in);
}

static void garbage(world *w, input *in) {
    if (!w->attached) return;
    uint8_t *slot = w->shm.slots_at[TR_FROM_HOST] + (size_t)(take(in) % w->shm.slots[0]) * w->shm.slot_bytes;
    uint32_t len = take(in);
    for (uint32_t i = 0; i < len && i < w->shm.slot_bytes; i++) slot[i] = take(in);
    atomic_fetch_add(&w->shm.head->head[TR_FROM_HOST].value, take(in) % 4);
}

/* ------------------------------------------------------------------ the client */

static void command(world *w, const char *a, const char *b, const char *c) {
    tr_arg argv[3] = {{.ptr = a, .len = strlen(a)}, {.ptr = b, .len = strlen(b)}, {.ptr = c, .len = strlen(c)}};
    if (w->c.wait != TR_WAIT_NONE && w->x.hold != 0) return;
    if (w->c.wait == TR_WAIT_PAUSE) w->x.paused_clients--;
    if (w->c.wait == TR_WAIT_KEYS) return;
    w->c.wait = TR_WAIT_NONE;
    w->c.argv = argv;
    w->c.argc = c[0] != '\0' ? 3 : b[0] != '\0' ? 2 : 1;
    tr_exec_begin(&w->x);
    tr_execute(&w->c);
    tr_outq_clear(&w->c.out);
}

static void module_command(world *w, input *in) {
    char name[] = "f.a";
    name[2] = (char)('a' + take(in) % 3);
    command(w, name, "k", "v");
}

static void end_waiting(world *w, input *in) {
    uint8_t how = take(in);
    if (how & 4) {
        tr_client_release(&w->c);
        tr_client_init(&w->c, &w->x, w->x.next_client_id++, TR_CLIENT_AUTHENTICATED);
    } else {
        tr_blocking_unblock(&w->c, how & 1 ? TR_UNBLOCK_ERROR : TR_UNBLOCK_TIMEOUT);
    }
    tr_outq_clear(&w->c.out);
}

static void pass_time(world *w) {
    w->clock.fake_wall_us += 20000;
    tr_exec_turn(&w->x);
    tr_exec_begin(&w->x);
    tr_blocking_check(&w->x.blocking, w->x.now_us / 1000);
    tr_outq_clear(&w->c.out);
}

static int64_t take_position(input *in) {
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, 1048576, -1048577};
    uint8_t how = take(in);
    return how < 6 ? odd[how] : (int8_t)how % 5;
}

static void send_info(world *w, input *in) {
    tr_wire_bytes notes[2] = {0}, words[2] = {{(const uint8_t *)"k", 1}, {(const uint8_t *)"nowhere", take(in) % 8}};
    uint64_t flags[2] = {take(in), take32(in)}, begins[2] = {take(in) % 4, take(in) % 4};
    uint64_t finds[2] = {take(in) % 4, take(in) % 4};
    int64_t froms[2] = {take_position(in), take_position(in)}, numbers[6];
    for (int i = 0; i < 6; i++) numbers[i] = take_position(in);
    tr_msg_command_info m = {.command = take(in) % 4,
                             .arity = take_position(in),
                             .spec_notes = {.count = 2, .items.texts = notes},
                             .spec_flags = {.count = 2, .items.u64s = flags},
                             .spec_begin = {.count = 2, .items.u64s = begins},
                             .spec_keywords = {.count = 2, .items.texts = words},
                             .spec_from = {.count = 2, .items.i64s = froms},
                             .spec_find = {.count = 2, .items.u64s = finds},
                             .spec_numbers = {.count = 6, .items.i64s = numbers}};
    encode_and_send(w, TR_MSG_COMMAND_INFO, 1u + take(in), &m);
}

static void send_wish(world *w, input *in) {
    uint64_t id = 1u + take(in);
    switch (take(in) % 4) {
        case 0: {
            tr_msg_subscribe_event m = {.event = take(in) % 20, .wanted = take(in) % 2};
            encode_and_send(w, TR_MSG_SUBSCRIBE_EVENT, id, &m);
            break;
        }
        case 1: {
            tr_msg_subscribe_keyspace m = {.classes = take32(in), .subscription = take(in)};
            encode_and_send(w, TR_MSG_SUBSCRIBE_KEYSPACE, id, &m);
            break;
        }
        case 2: {
            tr_msg_register_filter m = {.flags = take(in) % 2};
            encode_and_send(w, TR_MSG_REGISTER_FILTER, id, &m);
            break;
        }
        default: {
            tr_msg_redact m = {.position = take(in) % 8};
            encode_and_send(w, TR_MSG_REDACT, 0, &m);
            break;
        }
    }
}

static void happen(world *w, input *in) {
    uint8_t how = take(in) % 5;
    if (how == 0) command(w, "FLUSHALL", "", "");
    if (how == 1) command(w, "SWAPDB", "0", "1");
    if (how == 2) command(w, "DEL", "k", "");
    if (how == 3) tr_modhost_client_changed(&w->m, &w->c, 1);
    if (how == 4) {
        tr_happening what = {.event = TR_HAPPENS_CONFIG, .text_count = 2, .text = "a\0b", .len = 4};
        tr_modhost_happens(&w->m, &what);
    }
}

static void ask_keys(world *w, input *in) {
    char name[] = "f.a";
    name[2] = (char)('a' + take(in) % 3);
    tr_arg argv[4] = {{.ptr = name, .len = 3}, {.ptr = "k", .len = 1}, {.ptr = "2", .len = 1}, {.ptr = "k", .len = 1}};
    const tr_command *cmd = tr_exec_find(&w->x, name, 3);
    tr_keys keys;
    if (cmd == NULL) return;
    tr_keys_init(&keys, &w->mem);
    (void)tr_keys_get(cmd, argv, 1 + take(in) % 4, take(in) % 4, &keys);
    tr_keys_clear(&keys);
}

static void serve(world *w) {
    if (w->attached) tr_modhost_ready(w->h);
    tr_modhost_turn(&w->m);
    listen(w);
}

static void take_events(world *w) {
    uint8_t events;
    const tr_helper *h = tr_modhost_take_event(&w->m, &events);
    if (h != NULL && events & TR_HELPER_EVENT_LOADED) tr_helper_loaded(w->h, 1);
}

/* Loads it with a command and a type. */
static void load_type(world *w, input *in) {
    static const uint8_t none[1];
    input nothing_more = {none, 0};
    if (w->h->state == TR_HELPER_DOWN) start(w);
    serve(w);
    if (w->h->state != TR_HELPER_LOADING) return;
    uint64_t methods = 1 | 2 | 1024 | (take(in) & 1) << 9;
    tr_msg_register_type type = {.name = {(const uint8_t *)"fuzz-type", 9}, .methods = methods};
    send_register(w, &nothing_more);
    serve(w);
    encode_and_send(w, TR_MSG_REGISTER_TYPE, 2, &type);
    serve(w);
    w->asked_type = TR_MSG_GRANT_FLOOR;
    send_good_answer(w, &nothing_more);
    serve(w);
    take_events(w);
    serve(w);
}

/* What a host does with values, in good order and with good numbers, or nearly. */
static void do_values(world *w, input *in) {
    uint8_t how = take(in), odd = take(in);
    uint64_t token = 1u + odd % 4;
    const tr_wire_bytes payload = {(const uint8_t *)"payload", how % 8};
    tr_msg_values_now now = {.tokens = {.count = 1, .items.u64s = &token},
                             .payloads = {.count = 1, .items.texts = &payload}};
    switch (how % 6) {
        case 0: load_type(w, in); break;
        case 1: {
            tr_msg_open_key open = {.db = odd % 2, .mode = 3, .name = {(const uint8_t *)"k", 1}};
            encode_and_send(w, TR_MSG_OPEN_KEY, 3, &open);
            break;
        }
        case 2: {
            tr_msg_set_value set = {.key = 1 + odd % 2, .type = 1, .token = token, .keep_old = odd >> 7};
            encode_and_send(w, TR_MSG_SET_VALUE, 0, &set);
            break;
        }
        case 3: encode_and_send(w, TR_MSG_VALUES_NOW, 0, &now); break;
        case 4: encode_and_send(w, TR_MSG_REPLICATE_VERBATIM, 0, &(tr_msg_replicate_verbatim){0}); break;
        default: {
            listen(w);
            tr_msg_type_load_answer loaded = {.outcome = odd % 8 == 0, .token = token};
            tr_msg_type_copy_answer copied = {.token = token};
            uint16_t to = w->asked_type;
            if (to == TR_MSG_TYPE_LOAD) encode_and_send(w, TR_MSG_TYPE_LOAD_ANSWER, w->asked_id, &loaded);
            if (to == TR_MSG_TYPE_COPY) encode_and_send(w, TR_MSG_TYPE_COPY_ANSWER, w->asked_id, &copied);
        }
    }
}

/* A life: it loads, makes values, dies, and gets them back from the next start on. */
static void live_and_die(world *w, input *in) {
    static const uint8_t none[1];
    input nothing_more = {none, 0};
    uint8_t how = take(in);
    load_type(w, in);
    for (uint64_t token = 1; token <= 1u + how % 3 && w->h->state == TR_HELPER_SERVING; token++) {
        command(w, "DEL", "k", "");
        command(w, "f.a", "k", "v");
        serve(w);
        tr_msg_open_key open = {.mode = 3, .name = {(const uint8_t *)"k", 1}};
        encode_and_send(w, TR_MSG_OPEN_KEY, 3, &open);
        serve(w);
        tr_msg_set_value set = {.key = 1, .type = 1, .token = token};
        encode_and_send(w, TR_MSG_SET_VALUE, 0, &set);
        const tr_wire_bytes payload = {(const uint8_t *)"payload", 7};
        tr_msg_values_now now = {.tokens = {.count = 1, .items.u64s = &token},
                                 .payloads = {.count = 1, .items.texts = &payload}};
        encode_and_send(w, how & 4 ? TR_MSG_VALUES_NOW : TR_MSG_REPLICATE_VERBATIM, 0, &now);
        w->asked_type = TR_MSG_RUN_COMMAND;
        send_good_answer(w, &nothing_more);
        serve(w);
        command(w, "RENAME", "k", token == 1 ? "q" : "r");
    }
    tr_helper_fail(w->h, TR_FAIL_ASKED, "the input says so");
    load_type(w, in);
}

static void step(world *w, input *in) {
    switch (take(in) % 24) {
        case 22: do_values(w, in); break;
        case 23: live_and_die(w, in); break;
        case 0: send_any(w, in, 0); break;
        case 1: send_any(w, in, 1); break;
        case 2: garbage(w, in); break;
        case 3: spoil(w, in); break;
        case 4: module_command(w, in); break;
        case 5: command(w, "SET", "k", "1"); break;
        case 6:
            command(w, "MULTI", "", "");
            module_command(w, in);
            command(w, "INCR", "k", "");
            command(w, "EXEC", "", "");
            break;
        case 7:
            if (w->attached) tr_modhost_ready(w->h);
            tr_modhost_turn(&w->m);
            break;
        case 8:
            w->clock.fake_mono_ns += 10000000;
            w->clock.fake_wall_us += 10000;
            tr_modhost_cron(&w->m);
            if (w->attached) tr_modhost_ready(w->h);
            tr_modhost_turn(&w->m);
            break;
        case 9:
            tr_helper_fail(w->h, TR_FAIL_ASKED, "the input says so");
            if (w->h->state == TR_HELPER_DOWN) start(w);
            break;
        case 10: send_register(w, in); break;
        case 12: send_ask(w, in); break;
        case 13: send_block(w, in); break;
        case 14: send_unblock(w, in); break;
        case 15: send_signal(w, in); break;
        case 16: end_waiting(w, in); break;
        case 17: pass_time(w); break;
        case 18: send_info(w, in); break;
        case 19: send_wish(w, in); break;
        case 20: happen(w, in); break;
        case 21: ask_keys(w, in); break;
        default: send_good_answer(w, in); break;
    }
    take_events(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    world w;
    input in = {data, size};
    open_world(&w);
    tr_modhost_turn(&w.m);
    for (int i = 0; i < OPS_MAX && in.left != 0; i++) step(&w, &in);
    close_world(&w);
    return 0;
}
