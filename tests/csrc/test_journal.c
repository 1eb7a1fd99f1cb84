/* Aim: from bases and journal alone the values come out as they are, whatever was left out on the way, and no failed
 * allocation changes anything. Method: values are numbers, commands add them up; a thousand random histories with
 * checkpoints and sweeps are run again from nothing and compared; every allocation fails once. */
#include <stdlib.h>

#include "base/err.h"
#include "base/num.h"
#include "check.h"
#include "modhost/journal.h"

#define KEYS 12
#define STEPS 400
#define HISTORIES 300

/* What the process has for a value, by the value's address: in real life it is behind the token. */
typedef struct cell {
    tr_module_value *value;
    int64_t number;
} cell;

typedef struct world {
    tr_mem mem;
    tr_journal journal;
    tr_module_value *keys[KEYS];
    int64_t numbers[KEYS]; /* the truth */
    uint64_t tokens;
    unsigned seed;
} world;

static const uint64_t hash_key[2] = {3, 4};

static void open_world(world *w, unsigned seed) {
    *w = (world){.seed = seed};
    tr_mem_init(&w->mem);
    tr_journal_init(&w->journal, &w->mem, hash_key);
}

static void close_world(world *w) {
    for (int i = 0; i < KEYS; i++) {
        if (w->keys[i] != NULL) tr_journal_value_dies(&w->mem, w->keys[i]);
    }
    tr_journal_release(&w->journal);
    CHECK_EQ_INT(w->mem.used, 0);
}

static unsigned pick(world *w, unsigned below) {
    return (unsigned)rand_r(&w->seed) % below;
}

static size_t make_name(int key, char name[16]) {
    return (size_t)snprintf(name, 16, "key:%d", key);
}

/* ------------------------------------------------------------------ what happens */

/* "add KEY... N": the first key gets the sum of all keys and N; it is made if it isn't there. */
static int add(world *w, int to, int others, const int *from, int n) {
    tr_journal *j = &w->journal;
    tr_touched t = {0};
    char name[16], number[16];
    tr_arg argv[2] = {{.ptr = "add", .len = 3}};
    tr_jcommand command = {.db = 1, .argc = 2, .argv = argv};
    int64_t sum = n;
    int rc = TR_ENOMEM;
    tr_module_value *made = NULL;
    snprintf(number, sizeof(number), "%d", n);
    argv[1] = (tr_arg){.ptr = number, .len = strlen(number)};
    for (int i = -1; i < others; i++) {
        int key = i < 0 ? to : from[i];
        uint32_t before = t.name_count;
        size_t len = make_name(key, name);
        tr_jname *found = tr_touched_add(j, &t, 1, name, len, w->keys[key]);
        if (found == NULL) goto out;
        if (i < 0) found->written = 1;
        if (w->keys[key] != NULL && t.name_count != before) sum += w->numbers[key];
    }
    if (w->keys[to] == NULL) {
        made = tr_journal_new_value(j, NULL);
        if (made == NULL) goto out;
        made->covered = 1;
        if (tr_touched_made(j, &t, made) != TR_OK) goto out;
    }
    rc = tr_journal_add_commands(j, &t, &command, 1);
    if (rc != TR_OK) goto out;
    if (made != NULL) {
        w->keys[to] = made;
        tr_journal_set_token(made, ++w->tokens);
        made = NULL;
    }
    w->numbers[to] = sum;
out:
    tr_touched_release(j, &t);
    if (made != NULL) tr_journal_value_dies(&w->mem, made);
    return rc;
}

static int set(world *w, int key, int64_t number) {
    tr_jentry *before;
    tr_arg payload = {.ptr = (const char *)&number, .len = sizeof(number)};
    int rc = tr_journal_add_payload(&w->journal, w->keys[key], 0, &payload, &before);
    if (rc != TR_OK) return rc;
    if (before != NULL) tr_journal_drop(&w->journal, before);
    w->numbers[key] = number;
    return rc;
}

static void drop(world *w, int key) {
    tr_journal_value_dies(&w->mem, w->keys[key]);
    w->keys[key] = NULL;
}

static int copy(world *w, int from, int to) {
    char a[16], b[16];
    tr_module_value *v = tr_journal_new_value(&w->journal, NULL);
    if (v == NULL) return TR_ENOMEM;
    v->covered = 1;
    tr_jname n = {.value = w->keys[from], .name = a, .len = (uint32_t)make_name(from, a)};
    tr_jname m = {.value = v, .name = b, .len = (uint32_t)make_name(to, b)};
    int rc = tr_journal_add_copy(&w->journal, &n, &m);
    if (rc != TR_OK) {
        tr_journal_value_dies(&w->mem, v);
        return rc;
    }
    tr_journal_set_token(v, ++w->tokens);
    w->keys[to] = v;
    w->numbers[to] = w->numbers[from];
    return TR_OK;
}

static void step(world *w) {
    int key = (int)pick(w, KEYS), other = (int)pick(w, KEYS), third = (int)pick(w, KEYS);
    switch (pick(w, 10)) {
    case 0:
        if (w->keys[key] != NULL) drop(w, key);
        break;
    case 1:
        if (w->keys[key] != NULL) CHECK_EQ_INT(set(w, key, (int64_t)pick(w, 1000)), TR_OK);
        break;
    case 2:
        if (w->keys[key] != NULL && w->keys[other] == NULL) CHECK_EQ_INT(copy(w, key, other), TR_OK);
        break;
    case 3: { /* a rename, of which the journal hears nothing */
        tr_module_value *v = w->keys[key];
        int64_t n = w->numbers[key];
        w->keys[key] = w->keys[other];
        w->numbers[key] = w->numbers[other];
        w->keys[other] = v;
        w->numbers[other] = n;
        break;
    }
    case 4:
    case 5: {
        int from[] = {other, third};
        CHECK_EQ_INT(add(w, key, 2, from, (int)pick(w, 100)), TR_OK);
        break;
    }
    default:
        CHECK_EQ_INT(add(w, key, 0, NULL, (int)pick(w, 100)), TR_OK);
    }
}

/* ------------------------------------------------------------------ and is run again */

typedef struct replay {
    cell cells[STEPS * 2];
    int count;
} replay;

static cell *cell_of(replay *r, tr_module_value *v) {
    for (int i = 0; i < r->count; i++) {
        if (r->cells[i].value == v) return &r->cells[i];
    }
    r->cells[r->count] = (cell){.value = v};
    return &r->cells[r->count++];
}

static void again(replay *r, const tr_jentry *e) {
    int64_t sum = 0;
    switch ((tr_jkind)e->kind) {
    case TR_JOURNAL_PAYLOAD:
        CHECK_EQ_INT(e->payload_len, sizeof(sum));
        memcpy(&cell_of(r, e->value)->number, e->payload, sizeof(sum));
        return;
    case TR_JOURNAL_COPY:
        sum = cell_of(r, e->names[0].value)->number;
        cell_of(r, e->value)->number = sum;
        return;
    case TR_JOURNAL_COMMANDS:
        CHECK_EQ_INT(e->command_count, 1);
        CHECK_EQ_MEM(e->commands[0].argv[0].ptr, e->commands[0].argv[0].len, "add", 3);
        CHECK(tr_num_parse_int(e->commands[0].argv[1].ptr, e->commands[0].argv[1].len, &sum));
        for (uint32_t i = 0; i < e->name_count; i++) {
            if (e->names[i].value != NULL) sum += cell_of(r, e->names[i].value)->number;
        }
        cell_of(r, e->made_count ? e->made[0] : e->names[0].value)->number = sum;
        return;
    }
}

static void check_replay(world *w) {
    replay *r = calloc(1, sizeof(*r));
    for (tr_module_value *v = w->journal.values; v != NULL; v = v->next) {
        if (v->base != NULL) memcpy(&cell_of(r, v)->number, v->base, sizeof(int64_t));
    }
    for (const tr_jentry *e = w->journal.first; e != NULL; e = e->next) again(r, e);
    for (int i = 0; i < KEYS; i++) {
        if (w->keys[i] != NULL) CHECK_EQ_INT(cell_of(r, w->keys[i])->number, w->numbers[i]);
    }
    free(r);
}

/* The payload of every live value as it is when the checkpoint begins. */
typedef struct image {
    uint64_t tokens[KEYS];
    int64_t numbers[KEYS];
} image;

static image begin_checkpoint(world *w) {
    image im = {0};
    tr_journal_checkpoint_begins(&w->journal);
    for (int i = 0; i < KEYS; i++) {
        if (w->keys[i] == NULL) continue;
        im.tokens[i] = w->keys[i]->token;
        im.numbers[i] = w->numbers[i];
    }
    return im;
}

static void end_checkpoint(world *w, const image *im, int ok) {
    int left_out = ok == 2;
    for (int i = 0; i < KEYS; i++) {
        tr_module_value *v = tr_journal_by_token(&w->journal, im->tokens[i]);
        if (v == NULL) continue;
        if (left_out) { /* one value has not come */
            left_out = 0;
            ok = 3;
            continue;
        }
        CHECK_EQ_INT(tr_journal_stage(&w->journal, v, 0, &im->numbers[i], sizeof(int64_t)), TR_OK);
    }
    CHECK_EQ_INT(tr_journal_checkpoint_ends(&w->journal, ok != 0), ok == 0 || ok == 3 ? TR_EAGAIN : TR_OK);
}

static void test_histories(void) {
    uint64_t dropped = 0;
    for (unsigned seed = 1; seed <= HISTORIES; seed++) {
        world w;
        image im;
        int until = 0;
        open_world(&w, seed);
        for (int i = 1; i <= STEPS; i++) {
            step(&w);
            if (until == 0 && pick(&w, 60) == 0) {
                im = begin_checkpoint(&w);
                until = i + (int)pick(&w, 30);
            }
            if (until != 0 && i >= until) {
                end_checkpoint(&w, &im, (int)pick(&w, 4) == 0 ? (int)pick(&w, 3) : 1);
                until = 0;
            }
            if (until == 0 && pick(&w, 40) == 0) {
                uint64_t before = w.journal.count;
                tr_journal_sweep(&w.journal);
                dropped += before - w.journal.count;
            }
            tr_journal_check(&w.journal);
        }
        if (until != 0) end_checkpoint(&w, &im, 0);
        check_replay(&w);
        tr_journal_sweep(&w.journal);
        tr_journal_check(&w.journal);
        check_replay(&w);
        close_world(&w);
    }
    CHECK(dropped > HISTORIES);
}

static void test_payloads_take_the_place_of_payloads(void) {
    world w;
    int other[] = {0};
    open_world(&w, 1);
    CHECK_EQ_INT(add(&w, 0, 0, NULL, 1), TR_OK);
    for (int i = 0; i < 100; i++) CHECK_EQ_INT(set(&w, 0, i), TR_OK);
    CHECK_EQ_INT(w.journal.count, 2);
    CHECK_EQ_INT(add(&w, 1, 1, other, 5), TR_OK); /* reads it */
    CHECK_EQ_INT(set(&w, 0, 500), TR_OK);
    CHECK_EQ_INT(w.journal.count, 4);
    check_replay(&w);
    tr_journal_forget(&w.journal);
    CHECK_EQ_INT(w.journal.count + w.journal.bytes, 0);
    close_world(&w);
}

static void test_many_names_are_found(void) {
    world w;
    tr_touched t = {0};
    char name[16];
    open_world(&w, 1);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            size_t len = make_name(i, name);
            tr_jname *n = tr_touched_add(&w.journal, &t, (uint32_t)i % 3, name, len, NULL);
            CHECK(n != NULL && n->expire_ms == (round == 0 ? -1 : i));
            n->expire_ms = i;
        }
    }
    CHECK_EQ_INT(t.name_count, 1000);
    CHECK(tr_touched_find(&w.journal, &t, 1, "key:0", 5) == NULL);
    tr_touched_release(&w.journal, &t);
    close_world(&w);
}

static void test_no_memory_changes_nothing(void) {
    for (uint64_t nth = 1;; nth++) {
        world w;
        int failed = 0, from[] = {0};
        open_world(&w, 1);
        CHECK_EQ_INT(add(&w, 0, 0, NULL, 4), TR_OK);
        tr_mem_fail_at(&w.mem, nth);
        failed += add(&w, 1, 1, from, 6) != TR_OK;
        failed += set(&w, 0, 77) != TR_OK;
        if (w.keys[1] != NULL) failed += copy(&w, 1, 2) != TR_OK;
        tr_journal_check(&w.journal);
        check_replay(&w);
        tr_journal_checkpoint_begins(&w.journal);
        for (int i = 0; i < 3; i++) {
            if (w.keys[i] == NULL) continue;
            failed += tr_journal_stage(&w.journal, w.keys[i], 0, &w.numbers[i], sizeof(int64_t)) != TR_OK;
        }
        tr_journal_checkpoint_ends(&w.journal, 1);
        tr_mem_fail_at(&w.mem, 0);
        tr_journal_check(&w.journal);
        check_replay(&w);
        close_world(&w);
        if (failed == 0) break;
        CHECK(nth < 100);
    }
}

int main(void) {
    RUN(test_histories);
    RUN(test_payloads_take_the_place_of_payloads);
    RUN(test_many_names_are_found);
    RUN(test_no_memory_changes_nothing);
    return CHECK_DONE();
}
