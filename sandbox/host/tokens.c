#include "sandbox/host/tokens.h"

#include <stdlib.h>

#define FIRST_PLACES 64

/* Where the number would like to be: neighbours in number are no neighbours in place. */
static uint64_t home_of(const tr_tokens *t, uint64_t number) {
    return (number * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & (t->cap - 1);
}

static tr_token *place_of(const tr_tokens *t, uint64_t number) {
    uint64_t at = home_of(t, number);
    while (t->places[at].number != 0 && t->places[at].number != number) at = (at + 1) & (t->cap - 1);
    return &t->places[at];
}

static void grow(tr_tokens *t) {
    tr_tokens larger = {.cap = t->cap == 0 ? FIRST_PLACES : t->cap * 2};
    larger.places = tr_need_zeroed(larger.cap * sizeof(tr_token));
    for (uint64_t i = 0; i < t->cap; i++) {
        if (t->places[i].number != 0) *place_of(&larger, t->places[i].number) = t->places[i];
    }
    free(t->places);
    t->places = larger.places;
    t->cap = larger.cap;
}

uint64_t tr_tokens_add(tr_tokens *t, RedisModuleType *type, void *value) {
    if (t->count * 2 >= t->cap) grow(t);
    uint64_t number = ++t->last;
    *place_of(t, number) = (tr_token){.number = number, .type = type, .value = value, .db = -1};
    t->count++;
    return number;
}

tr_token *tr_tokens_find(const tr_tokens *t, uint64_t number) {
    if (t->cap == 0 || number == 0) return NULL;
    tr_token *place = place_of(t, number);
    return place->number == 0 ? NULL : place;
}

int tr_tokens_drop(tr_tokens *t, uint64_t number) {
    tr_token *gone = tr_tokens_find(t, number);
    if (gone == NULL) return 0;
    if (gone->key != NULL) tr_string_free(gone->key);
    /* Those behind it move up, so that no search stops short. */
    uint64_t hole = (uint64_t)(gone - t->places), mask = t->cap - 1;
    for (uint64_t at = (hole + 1) & mask; t->places[at].number != 0; at = (at + 1) & mask) {
        uint64_t home = home_of(t, t->places[at].number);
        if (((at - home) & mask) < ((at - hole) & mask)) continue;
        t->places[hole] = t->places[at];
        hole = at;
    }
    t->places[hole] = (tr_token){0};
    t->count--;
    return 1;
}

void tr_tokens_seen(tr_tokens *t, uint64_t number, int db, RedisModuleString *key) {
    tr_token *token = tr_tokens_find(t, number);
    if (token == NULL) return;
    token->db = db;
    if (token->key == key) return;
    if (token->key != NULL) tr_string_free(token->key);
    token->key = key == NULL ? NULL : tr_string_hold(key);
}

void tr_tokens_release(tr_tokens *t) {
    for (uint64_t i = 0; i < t->cap; i++) {
        if (t->places[i].key != NULL) tr_string_free(t->places[i].key);
    }
    free(t->places);
    *t = (tr_tokens){0};
}
