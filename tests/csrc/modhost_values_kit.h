/* modhost_values_kit.h - values of a data type for the helper that a test plays (modhost_kit.h): numbers.
 *
 *   x.do add KEY N    adds to the number under the key, made if it isn't there; replicated as it is
 *   x.do put KEY N    the same, with its payload
 *   x.do two KEY KEY  adds the second to the first; replicated as it is
 *   x.do read KEY     replies the number; -ERR when there is none
 *   x.do numbers      replies how many numbers it has */
#ifndef TR_TESTS_MODHOST_VALUES_KIT_H
#define TR_TESTS_MODHOST_VALUES_KIT_H

#include "modhost_kit.h"

#define MK_NUMBERS_MAX 4096
#define MK_WRITE 3u

typedef struct mk_numbers {
    uint32_t type;
    uint64_t last; /* token */
    int64_t numbers[MK_NUMBERS_MAX]; /* by token */
    uint8_t there[MK_NUMBERS_MAX];
    int count;
    int dies_at_load;  /* the n-th value that it is to load; 0: never */
    int refuses_load;  /* the same */
    int refuses_all;
    int hangs_at_load; /* the same: until mk_let_go() */
    atomic_int hangs;  /* does it now? */
    int loads;         /* answered by this process */
    int is_mute;       /* sends no payload though it should */
} mk_numbers;

static uint64_t mk__number_new(mk_numbers *v, int64_t n) {
    uint64_t token = ++v->last;
    tr_assert(token < MK_NUMBERS_MAX);
    v->numbers[token] = n;
    v->there[token] = 1;
    v->count++;
    return token;
}

static int64_t *mk__number(mk_numbers *v, uint64_t token) {
    tr_assert(token < MK_NUMBERS_MAX && v->there[token]);
    return &v->numbers[token];
}

static void mk__numbers_load(mk_host *p, const tr_wire_header *header, const tr_msg_type_load *m) {
    mk_numbers *v = p->numbers;
    tr_msg_type_load_answer answer = {.outcome = 1};
    int64_t n;
    if (v->dies_at_load != 0 && --v->dies_at_load == 0) mk__end();
    if (v->hangs_at_load != 0 && --v->hangs_at_load == 0) {
        atomic_store(&v->hangs, 1);
        sem_wait(&p->gate);
        atomic_store(&v->hangs, 0);
    }
    if (atomic_load(&p->quit)) mk__end();
    tr_assert(m->payload.len == sizeof n && m->type == v->type);
    memcpy(&n, m->payload.at, sizeof n);
    v->loads++;
    int refused = v->refuses_load != 0 && --v->refuses_load == 0;
    if (!refused && !v->refuses_all)
        answer = (tr_msg_type_load_answer){.token = mk__number_new(v, n)};
    mk__answer(p, header, &answer);
}

static void mk__numbers_free(mk_numbers *v, const tr_msg_type_free *m) {
    for (uint32_t i = 0; i < m->tokens.count; i++) {
        uint64_t token = tr_wire_u64_at(&m->tokens, i);
        mk__number(v, token);
        v->there[token] = 0;
        v->count--;
    }
}

/* Messages about values. 1: it was one. */
static int mk__numbers_serve(mk_host *p, const tr_wire_header *header, const void *body) {
    mk_numbers *v = p->numbers;
    switch ((tr_msg_type)header->type) {
        case TR_MSG_TYPE_LOAD: mk__numbers_load(p, header, body); return 1;
        case TR_MSG_TYPE_FREE: mk__numbers_free(v, body); return 1;
        case TR_MSG_KEEP_VALUES: return 1;
        case TR_MSG_SNAPSHOT: mk__answer(p, header, &(tr_msg_snapshot_answer){.outcome = 1}); return 1;
        case TR_MSG_TYPE_COPY: {
            int64_t n = *mk__number(v, ((const tr_msg_type_copy *)body)->token);
            mk__answer(p, header, &(tr_msg_type_copy_answer){.token = mk__number_new(v, n)});
            return 1;
        }
        default: return 0;
    }
}

/* The number under the key, made if need be; NULL: there is none. */
static int64_t *mk__number_at(mk_host *p, tr_wire_bytes name, uint32_t mode, uint64_t *token) {
    mk_numbers *v = p->numbers;
    tr_buf *in = mk__buf(p);
    tr_msg_open_key ask = {.mode = mode, .name = name};
    tr_msg_open_key_answer answer;
    mk__ask(p, TR_MSG_OPEN_KEY, &ask, &answer, in);
    mk__drop(p, in);
    *token = answer.token;
    if (answer.kind == 0 && mode == MK_WRITE) {
        *token = mk__number_new(v, 0);
        tr_msg_set_value set = {.key = answer.key, .type = v->type, .token = *token};
        mk__tell(p, TR_MSG_SET_VALUE, &set);
    }
    return *token == 0 ? NULL : mk__number(v, *token);
}

static int64_t mk__digits(tr_wire_bytes text) {
    char copy[24] = {0};
    memcpy(copy, text.at, text.len < sizeof copy ? text.len : sizeof copy - 1);
    return strtoll(copy, NULL, 10);
}

/* Commands about values. 1: it was one. */
static int mk__numbers_command(mk_host *p, const tr_wire_header *header, const tr_wire_bytes *argv) {
    mk_numbers *v = p->numbers;
    char text[32] = "+OK\r\n";
    uint64_t token, other;
    if (mk__is(argv[1], "numbers")) {
        snprintf(text, sizeof text, ":%d\r\n", v->count);
    } else if (mk__is(argv[1], "read")) {
        const int64_t *n = mk__number_at(p, argv[2], 1, &token);
        if (n != NULL) snprintf(text, sizeof text, ":%d\r\n", (int)*n);
        else snprintf(text, sizeof text, "-ERR none\r\n");
    } else if (mk__is(argv[1], "add") || mk__is(argv[1], "put")) {
        int64_t *n = mk__number_at(p, argv[2], MK_WRITE, &token);
        if (n != NULL) *n += mk__digits(argv[3]);
    } else if (mk__is(argv[1], "two")) {
        const int64_t *from = mk__number_at(p, argv[3], 1, &other);
        int64_t *n = mk__number_at(p, argv[2], MK_WRITE, &token);
        if (n != NULL && from != NULL) *n += *from;
    } else {
        return 0;
    }
    if (mk__is(argv[1], "add") || mk__is(argv[1], "two")) {
        mk__tell(p, TR_MSG_REPLICATE_VERBATIM, &(tr_msg_replicate_verbatim){0});
    } else if (mk__is(argv[1], "put") && !v->is_mute) {
        const tr_wire_bytes payload = {(const uint8_t *)mk__number(v, token), sizeof(int64_t)};
        tr_msg_values_now now = {.tokens = {.count = 1, .items.u64s = &token},
                                 .payloads = {.count = 1, .items.texts = &payload}};
        mk__tell(p, TR_MSG_VALUES_NOW, &now);
    }
    mk__reply(p, header, text, strlen(text), 0);
    return 1;
}

static void mk__numbers_register(mk_host *p) {
    mk_numbers *v = p->numbers;
    tr_buf *in = mk__buf(p);
    tr_msg_register_type ask = {.name = {(const uint8_t *)"the-value", 9}, .methods = 1 | 2 | 32 | 1024};
    tr_msg_register_type_answer answer;
    mk__ask(p, TR_MSG_REGISTER_TYPE, &ask, &answer, in);
    mk__drop(p, in);
    memset(v->there, 0, sizeof v->there);
    v->count = v->loads = 0;
    v->type = answer.type;
}

/* The host has such values from its next start on. */
static void mk_has_numbers(mk_host *p, mk_numbers *v) {
    memset(v, 0, sizeof *v);
    p->numbers = v;
    p->numbers_serve = mk__numbers_serve;
    p->numbers_command = mk__numbers_command;
    p->numbers_register = mk__numbers_register;
}

#endif
