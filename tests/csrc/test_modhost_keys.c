/* Keys, strings, calls and replication for a helper that a test plays: what good messages do, what bad ones end, and
 * that everything is taken back when the helper ends amid its command. Exec and modhost without sockets, both ends of
 * the ring in one thread. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "check.h"
#include "exec/exec.h"
#include "modhost/modhost.h"
#include "modhost/serve_key.h"
#include "store/digest.h"

#define DBS 3
#define BOTH 3u
#define READ 1u

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
    tr_session session;
    tr_buf in;
    uint64_t unit_id; /* of the command that runs */
    uint64_t propagated;
    char first[64];   /* word of the first command that was propagated */
    int db_of_first;
} world;

/* ---- the engine around it ---- */

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

static void propagate(void *ctx, const tr_propagation *commands) {
    world *w = ctx;
    if (w->propagated == 0) {
        snprintf(w->first, sizeof w->first, "%.*s", (int)commands->first->argv[0].len, commands->first->argv[0].ptr);
        w->db_of_first = commands->first->db_id;
    }
    w->propagated += commands->count;
}

/* ---- the host's end ---- */

/* The next message is of this type: decoded into *body. */
static uint64_t expect(world *w, tr_msg_type type, void *body) {
    tr_wire_header header;
    int rc = tr_ring_take(&w->ring, &w->in, &header);
    CHECK_EQ_INT(rc, TR_OK);
    if (rc != TR_OK) return 0;
    CHECK_EQ_INT(header.type, type);
    const char *why = tr_session_came(&w->session, &header);
    CHECK(why == NULL);
    const uint8_t *bytes = (const uint8_t *)w->in.data + w->in.rpos + TR_WIRE_HEADER_BYTES;
    if (header.type != type || tr_wire_decode((uint16_t)type, bytes, header.length, body) != NULL) return 0;
    return header.request_id;
}

static void put(world *w, tr_msg_type type, uint64_t id, const void *body) {
    tr_buf out = {0};
    CHECK(tr_session_send(&w->session, (uint16_t)type, 0, &id) == NULL);
    CHECK_EQ_INT(tr_wire_encode(&w->host_mem, &out, (uint16_t)type, 0, id, body), TR_OK);
    CHECK_EQ_INT(tr_ring_put(&w->ring, out.data, tr_buf_unread(&out), 0), TR_OK);
    tr_ring_flush(&w->ring);
    tr_buf_release(&w->host_mem, &out);
}

/* Lets the engine take what was put. */
static void turn(world *w) {
    tr_modhost_ready(w->h);
    tr_modhost_turn(&w->m);
}

static void tell(world *w, tr_msg_type type, const void *body) {
    put(w, type, 0, body);
    turn(w);
}

static void ask(world *w, tr_msg_type type, const void *body, void *answer) {
    put(w, type, 0, body);
    turn(w);
    expect(w, (tr_msg_type)(type + 1), answer);
}

static tr_wire_bytes text(const char *p) {
    return (tr_wire_bytes){(const uint8_t *)p, (uint32_t)strlen(p)};
}

static void start(world *w) {
    int shm_fd, host_wake, engine_wake;
    CHECK_EQ_INT(tr_helper_prepare(w->h, &shm_fd, &host_wake, &engine_wake), TR_OK);
    tr_assert(tr_shm_attach(&w->shm, dup(shm_fd)) == TR_OK);
    tr_ring_init(&w->ring, &w->shm, &w->host_mem, TR_FROM_HOST);
    tr_session_init(&w->session, TR_FROM_HOST, TR_DATA);
    tr_session_set_phase(&w->session, TR_STATE_LOADING);
    tr_assert(tr_ring_hold(&w->ring) == TR_OK);
    CHECK_EQ_INT(tr_helper_attach(w->h, getpid(), -1), TR_OK);
    tr_msg_grant_floor grant;
    tr_modhost_turn(&w->m);
    uint64_t id = expect(w, TR_MSG_GRANT_FLOOR, &grant);
    tr_msg_register_command m = {.name = text("t.run"), .flags = text("write")};
    tr_msg_register_command_answer registered;
    ask(w, TR_MSG_REGISTER_COMMAND, &m, &registered);
    CHECK_EQ_INT(registered.outcome, 0);
    tr_msg_grant_floor_answer done = {0};
    put(w, TR_MSG_GRANT_FLOOR_ANSWER, id, &done);
    turn(w);
    uint8_t events;
    CHECK(tr_modhost_take_event(&w->m, &events) == w->h);
    tr_helper_loaded(w->h, 1);
    tr_session_set_phase(&w->session, TR_STATE_IDLE);
}

static void end_host(world *w) {
    tr_ring_release(&w->ring);
    pthread_mutex_unlock(&w->shm.head->life);
    tr_shm_close(&w->shm);
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
    w->x.hooks.ctx = w;
    w->x.hooks.propagate = propagate;
    tr_client_init(&w->c, &w->x, w->x.next_client_id++, TR_CLIENT_AUTHENTICATED);
    w->h = tr_modhost_add(&w->m, "t");
    start(w);
}

static void close_world(world *w) {
    tr_client_release(&w->c);
    tr_modhost_release(&w->m);
    end_host(w);
    tr_buf_release(&w->host_mem, &w->in);
    tr_exec_release(&w->x);
    tr_store_check(&w->store);
    tr_store_release(&w->store);
    CHECK_EQ_INT(w->mem.used, 0);
    CHECK_EQ_INT(w->host_mem.used, 0);
}

/* ---- the client ---- */

static void command(world *w, const char *a, const char *b, const char *c) {
    tr_arg argv[3] = {{.ptr = a, .len = strlen(a)}, {.ptr = b, .len = strlen(b)}, {.ptr = c, .len = strlen(c)}};
    w->c.argv = argv;
    w->c.argc = *c != '\0' ? 3 : *b != '\0' ? 2 : 1;
    tr_exec_begin(&w->x);
    tr_execute(&w->c);
}

static void check_output(world *w, const char *want) {
    char got[512] = {0};
    size_t n = 0;
    struct iovec part;
    while (tr_outq_iov(&w->c.out, &part, 1) == 1) {
        size_t len = part.iov_len < sizeof got - 1 - n ? part.iov_len : sizeof got - 1 - n;
        memcpy(got + n, part.iov_base, len);
        n += len;
        tr_outq_consume(&w->c.out, part.iov_len);
    }
    CHECK(strncmp(got, want, strlen(want)) == 0);
    if (strncmp(got, want, strlen(want)) != 0) fprintf(stderr, "got %s", got);
}

/* The module's command has begun. */
static void begin(world *w) {
    tr_msg_run_command m;
    command(w, "t.run", "an argument", "");
    tr_modhost_turn(&w->m);
    w->unit_id = expect(w, TR_MSG_RUN_COMMAND, &m);
    CHECK(w->unit_id != 0);
}

static void end(world *w) {
    tr_msg_run_command_answer m = {.reply = text("+OK\r\n")};
    put(w, TR_MSG_RUN_COMMAND_ANSWER, w->unit_id, &m);
    turn(w);
    check_output(w, "+OK\r\n");
}

static uint32_t open_key(world *w, const char *name, uint32_t mode, tr_msg_open_key_answer *answer) {
    tr_msg_open_key m = {.db = 0, .mode = mode, .want_bytes = 100, .name = text(name)};
    ask(w, TR_MSG_OPEN_KEY, &m, answer);
    return answer->key;
}

static void check_value(world *w, const char *key, const char *want) {
    tr_entry *e = tr_db_peek(&w->store.dbs[0], key, strlen(key));
    CHECK((e == NULL) == (want == NULL));
    if (e == NULL || want == NULL) return;
    tr_view view;
    tr_entry_view(e, &view);
    CHECK_EQ_MEM(view.ptr, view.len, want, strlen(want));
}

/* ---- keys ---- */

static void test_keys_in_good_order(void) {
    world w;
    tr_msg_open_key_answer key;
    open_world(&w);
    command(&w, "SET", "a", "hello");
    check_output(&w, "+OK\r\n");
    begin(&w);
    uint32_t none = open_key(&w, "b", READ, &key);
    CHECK_EQ_INT(none, 0);
    uint32_t a = open_key(&w, "a", BOTH, &key);
    CHECK(a != 0 && key.kind == 1 && key.length == 5 && key.expire_ms == -1);
    CHECK_EQ_MEM(key.value.at, key.value.len, "hello", 5);
    tell(&w, TR_MSG_STRING_WRITE, &(tr_msg_string_write){.key = a, .offset = 1, .value = text("EL")});
    check_value(&w, "a", "hELlo");
    tell(&w, TR_MSG_STRING_WRITE, &(tr_msg_string_write){.key = a, .offset = 4, .value = text("too far")});
    check_value(&w, "a", "hELlo");
    tell(&w, TR_MSG_STRING_TRUNCATE, &(tr_msg_string_truncate){.key = a, .length = 2});
    check_value(&w, "a", "hE");
    tell(&w, TR_MSG_SET_EXPIRE, &(tr_msg_set_expire){.key = a, .expire_ms = 1700000999000});
    CHECK_EQ_INT(tr_db_expire_at(&w.store.dbs[0], tr_db_peek(&w.store.dbs[0], "a", 1)), 1700000999000);
    tell(&w, TR_MSG_STRING_SET, &(tr_msg_string_set){.key = a, .value = text("12")});
    check_value(&w, "a", "12");
    CHECK_EQ_INT(tr_db_expire_at(&w.store.dbs[0], tr_db_peek(&w.store.dbs[0], "a", 1)), -1);
    uint32_t b = open_key(&w, "b", BOTH, &key);
    CHECK(b != 0 && b != a && key.kind == 0);
    tell(&w, TR_MSG_STRING_TRUNCATE, &(tr_msg_string_truncate){.key = b, .length = 0});
    check_value(&w, "b", NULL);
    tell(&w, TR_MSG_DELETE_KEY, &(tr_msg_delete_key){.key = a});
    check_value(&w, "a", NULL);
    tell(&w, TR_MSG_CLOSE_KEY, &(tr_msg_close_key){.key = a});
    CHECK_EQ_INT(open_key(&w, "c", BOTH, &key), a); /* the slot is used again */
    end(&w);
    for (uint32_t i = 0; i < w.h->key_cap; i++) CHECK_EQ_INT(w.h->keys[i].mode, 0);
    close_world(&w);
}

static void test_scan_gives_every_key_once(void) {
    world w;
    char name[16];
    tr_msg_scan_answer batch;
    open_world(&w);
    for (int i = 0; i < 500; i++) {
        sprintf(name, "k%d", i);
        command(&w, "SET", name, "v");
        tr_outq_clear(&w.c.out);
    }
    begin(&w);
    uint64_t cursor = 0, seen = 0;
    do {
        ask(&w, TR_MSG_SCAN, &(tr_msg_scan){.cursor = cursor, .count = 50}, &batch);
        cursor = batch.cursor;
        seen += batch.names.count;
        CHECK_EQ_INT(batch.kinds.count, batch.names.count);
    } while (cursor != 0 && w.h->state == TR_HELPER_SERVING);
    CHECK_EQ_INT(seen, 500);
    end(&w);
    close_world(&w);
}

/* ---- what ends a helper ---- */

/* After a good handle a has been opened for reading. */
static void send_bad(world *w, int which, uint32_t a) {
    tr_wire_bytes word = text("PING");
    tr_wire_list none = {0}, one = {.count = 1, .items.texts = &word};
    switch (which) {
    case 0: tell(w, TR_MSG_CLOSE_KEY, &(tr_msg_close_key){.key = 0}); break;
    case 1: tell(w, TR_MSG_CLOSE_KEY, &(tr_msg_close_key){.key = a + 1}); break;
    case 2: tell(w, TR_MSG_DELETE_KEY, &(tr_msg_delete_key){.key = UINT32_MAX}); break;
    case 3: tell(w, TR_MSG_DELETE_KEY, &(tr_msg_delete_key){.key = a}); break;
    case 4: tell(w, TR_MSG_STRING_SET, &(tr_msg_string_set){.key = a, .value = word}); break;
    case 5: tell(w, TR_MSG_STRING_WRITE, &(tr_msg_string_write){.key = a, .value = word}); break;
    case 6: tell(w, TR_MSG_STRING_TRUNCATE, &(tr_msg_string_truncate){.key = a}); break;
    case 7: tell(w, TR_MSG_SET_EXPIRE, &(tr_msg_set_expire){.key = a, .expire_ms = 5}); break;
    case 8:
        tell(w, TR_MSG_CLOSE_KEY, &(tr_msg_close_key){.key = a});
        tell(w, TR_MSG_CLOSE_KEY, &(tr_msg_close_key){.key = a});
        break;
    case 9: put(w, TR_MSG_OPEN_KEY, 0, &(tr_msg_open_key){.db = DBS, .name = word}); break;
    case 10: put(w, TR_MSG_OPEN_KEY, 0, &(tr_msg_open_key){.mode = 1u << 31, .name = word}); break;
    case 11: put(w, TR_MSG_DB_SIZE, 0, &(tr_msg_db_size){.db = UINT32_MAX}); break;
    case 12: put(w, TR_MSG_SCAN, 0, &(tr_msg_scan){.db = DBS}); break;
    case 13: put(w, TR_MSG_STRING_GET, 0, &(tr_msg_string_get){.key = a + 7}); break;
    case 14: put(w, TR_MSG_GET_AGE, 0, &(tr_msg_get_age){.key = 0}); break;
    case 15: put(w, TR_MSG_CALL, 0, &(tr_msg_call){.argv = none}); break;
    case 16: put(w, TR_MSG_CALL, 0, &(tr_msg_call){.db = DBS, .argv = one}); break;
    case 17: put(w, TR_MSG_CALL, 0, &(tr_msg_call){.user = 4, .argv = one}); break;
    case 18: tell(w, TR_MSG_REPLICATE, &(tr_msg_replicate){.argv = none}); break;
    case 19: tell(w, TR_MSG_REPLICATE, &(tr_msg_replicate){.db = DBS, .argv = one}); break;
    default: put(w, TR_MSG_ABORT_PROMISE, 0, &(tr_msg_abort_promise){.promise = 1}); break;
    }
    turn(w);
}

#define BAD_MESSAGES 21

static void test_bad_messages_end_the_helper_and_change_nothing(void) {
    for (int i = 0; i < BAD_MESSAGES; i++) {
        world w;
        tr_msg_open_key_answer key;
        unsigned char before[TR_SHA1_BYTES], after[TR_SHA1_BYTES];
        open_world(&w);
        command(&w, "SET", "a", "hello");
        check_output(&w, "+OK\r\n");
        tr_digest_store(before, &w.store);
        begin(&w);
        uint32_t b = open_key(&w, "b", BOTH, &key);
        tell(&w, TR_MSG_STRING_SET, &(tr_msg_string_set){.key = b, .value = text("new")});
        tell(&w, TR_MSG_CLOSE_KEY, &(tr_msg_close_key){.key = b});
        send_bad(&w, i, open_key(&w, "a", READ, &key));
        CHECK_EQ_INT(w.h->state, TR_HELPER_DOWN);
        CHECK_EQ_INT(w.h->failed, TR_FAIL_PROTOCOL);
        if (w.h->state != TR_HELPER_DOWN) fprintf(stderr, "bad message %d was taken\n", i);
        check_output(&w, "-MODULECRASH t: protocol violation");
        tr_digest_store(after, &w.store);
        CHECK(memcmp(before, after, sizeof before) == 0);
        close_world(&w);
    }
}

static void test_too_many_open_keys_end_the_helper(void) {
    world w;
    tr_msg_open_key_answer key;
    open_world(&w);
    begin(&w);
    for (uint32_t i = 0; i < 20; i++) CHECK_EQ_INT(open_key(&w, "k", BOTH, &key), i + 1);
    w.h->key_free = 0; /* as if all slots were taken */
    tr_msg_open_key m = {.mode = BOTH, .name = text("k")};
    w.h->key_cap = TR_OPEN_KEYS_MAX;
    tr_open_key *few = w.h->keys;
    w.h->keys = tr_zalloc(&w.mem, TR_OPEN_KEYS_MAX * sizeof(*few));
    memcpy(w.h->keys, few, 32 * sizeof(*few));
    tr_free(&w.mem, few);
    put(&w, TR_MSG_OPEN_KEY, 0, &m);
    turn(&w);
    CHECK_EQ_INT(w.h->state, TR_HELPER_DOWN);
    CHECK_EQ_INT(w.h->failed, TR_FAIL_LIMIT);
    close_world(&w);
}

static void test_no_memory_ends_the_helper(void) {
    for (uint64_t nth = 1; nth < 6; nth++) {
        world w;
        tr_msg_open_key_answer key;
        open_world(&w);
        command(&w, "SET", "a", "hello");
        begin(&w);
        uint32_t a = open_key(&w, "a", BOTH, &key);
        put(&w, TR_MSG_STRING_SET, 0, &(tr_msg_string_set){.key = a, .value = text("changed")});
        tr_mem_fail_at(&w.mem, nth);
        turn(&w);
        tr_mem_fail_at(&w.mem, 0);
        if (w.h->state == TR_HELPER_DOWN) {
            check_value(&w, "a", "hello");
        } else {
            check_value(&w, "a", "changed");
            tr_helper_fail(w.h, TR_FAIL_ASKED, "enough");
            check_value(&w, "a", "hello");
        }
        close_world(&w);
    }
}

/* ---- calls ---- */

static void call(world *w, uint64_t flags, const char *a, const char *b, const char *c, tr_msg_call_answer *answer) {
    tr_wire_bytes words[3] = {text(a), text(b), text(c)};
    uint32_t count = *c != '\0' ? 3 : *b != '\0' ? 2 : 1;
    tr_msg_call m = {.flags = flags, .resp = 2, .argv = {.count = count, .items.texts = words}};
    ask(w, TR_MSG_CALL, &m, answer);
}

static void test_calls(void) {
    world w;
    tr_msg_call_answer r;
    open_world(&w);
    begin(&w);
    call(&w, 0, "SET", "a", "1", &r);
    CHECK_EQ_MEM(r.reply.at, r.reply.len, "+OK\r\n", 5);
    call(&w, 1, "INCR", "a", "", &r); /* to be replicated */
    CHECK_EQ_MEM(r.reply.at, r.reply.len, ":2\r\n", 4);
    call(&w, 1, "GET", "a", "", &r);  /* changes nothing */
    CHECK_EQ_MEM(r.reply.at, r.reply.len, "$1\r\n2\r\n", 7);
    call(&w, 7, "INCR", "a", "", &r); /* for nobody */
    call(&w, 0, "nosuch", "", "", &r);
    CHECK(r.outcome == 1 && r.errno_value == ENOENT && r.reply.len == 0);
    call(&w, 64, "nosuch", "", "", &r);
    CHECK(r.outcome == 0 && r.errno_value == ENOENT && memcmp(r.reply.at, "-ERR unknown command", 20) == 0);
    call(&w, 0, "GET", "", "", &r);
    CHECK(r.outcome == 1 && r.errno_value == EINVAL);
    call(&w, 32, "SET", "a", "7", &r);
    CHECK(r.outcome == 1 && r.errno_value == ENOSPC);
    call(&w, 256, "SET", "a", "7", &r);
    CHECK(r.outcome == 1 && r.errno_value == 0);
    check_value(&w, "a", "3");
    CHECK_EQ_INT(w.propagated, 0);
    end(&w);
    CHECK_EQ_INT(w.propagated, 1);
    CHECK_EQ_STR(w.first, "INCR");
    close_world(&w);
}

static void test_a_unit_propagates_in_order_and_only_when_it_ends_well(void) {
    world w;
    tr_msg_call_answer r;
    tr_wire_bytes words[2] = {text("DEL"), text("x")};
    tr_msg_replicate m = {.db = 2, .argv = {.count = 2, .items.texts = words}};
    open_world(&w);
    begin(&w);
    tell(&w, TR_MSG_REPLICATE, &m);
    call(&w, 1, "SET", "a", "1", &r);
    tell(&w, TR_MSG_REPLICATE_VERBATIM, &(tr_msg_replicate_verbatim){0});
    end(&w);
    CHECK_EQ_INT(w.propagated, 3);
    CHECK_EQ_STR(w.first, "DEL");
    CHECK_EQ_INT(w.db_of_first, 2);
    begin(&w);
    call(&w, 1, "SET", "a", "2", &r);
    tr_helper_fail(w.h, TR_FAIL_ASKED, "the test says so");
    CHECK_EQ_INT(w.propagated, 3);
    check_value(&w, "a", "1");
    close_world(&w);
}

static void test_flushall_by_call_is_taken_back(void) {
    world w;
    tr_msg_call_answer r;
    unsigned char before[TR_SHA1_BYTES], after[TR_SHA1_BYTES];
    open_world(&w);
    command(&w, "SET", "a", "hello");
    command(&w, "SET", "b", "17");
    tr_outq_clear(&w.c.out);
    tr_digest_store(before, &w.store);
    begin(&w);
    call(&w, 0, "FLUSHALL", "", "", &r);
    call(&w, 0, "SET", "a", "other", &r);
    call(&w, 0, "SWAPDB", "0", "1", &r);
    call(&w, 0, "RENAME", "b", "c", &r);
    tr_helper_fail(w.h, TR_FAIL_ASKED, "the test says so");
    tr_digest_store(after, &w.store);
    CHECK(memcmp(before, after, sizeof before) == 0);
    close_world(&w);
}

int main(void) {
    RUN(test_keys_in_good_order);
    RUN(test_scan_gives_every_key_once);
    RUN(test_bad_messages_end_the_helper_and_change_nothing);
    RUN(test_too_many_open_keys_end_the_helper);
    RUN(test_no_memory_ends_the_helper);
    RUN(test_calls);
    RUN(test_a_unit_propagates_in_order_and_only_when_it_ends_well);
    RUN(test_flushall_by_call_is_taken_back);
    return CHECK_DONE();
}
