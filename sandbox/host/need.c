#include "sandbox/host/need.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/host.h"

#define FIRST_BYTES 64
#define FIRST_NUMBERS 8

void *tr_need(size_t bytes) {
    void *p = malloc(bytes == 0 ? 1 : bytes);
    if (p == NULL) tr_host_die(TR_DIE_MEMORY, "out of memory");
    return p;
}

void *tr_need_zeroed(size_t bytes) {
    return memset(tr_need(bytes), 0, bytes);
}

void *tr_need_more(void *p, size_t bytes) {
    void *q = realloc(p, bytes == 0 ? 1 : bytes);
    if (q == NULL) tr_host_die(TR_DIE_MEMORY, "out of memory");
    return q;
}

char *tr_need_copy(const void *p, size_t len) {
    char *copy = tr_need(len + 1);
    if (len != 0) memcpy(copy, p, len);
    copy[len] = '\0';
    return copy;
}

char *tr_bytes_room(tr_bytes *b, size_t more) {
    if (b->cap - b->len < more) {
        size_t cap = b->cap == 0 ? FIRST_BYTES : b->cap * 2;
        if (cap < b->len + more) cap = b->len + more;
        b->p = tr_need_more(b->p, cap);
        b->cap = cap;
    }
    return b->p + b->len;
}

void tr_bytes_add(tr_bytes *b, const void *p, size_t len) {
    char *to = tr_bytes_room(b, len);
    if (len != 0) memcpy(to, p, len);
    b->len += len;
}

void tr_bytes_text(tr_bytes *b, const char *text) {
    tr_bytes_add(b, text, strlen(text));
}

void tr_bytes_format(tr_bytes *b, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    char *text = NULL;
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len < 0) tr_host_die(TR_DIE_MEMORY, "out of memory");
    tr_bytes_add(b, text, (size_t)len);
    free(text);
}

void tr_bytes_drop(tr_bytes *b) {
    free(b->p);
    *b = (tr_bytes){0};
}

void tr_numbers_add(tr_numbers *n, uint64_t value) {
    if (n->count == n->cap) {
        n->cap = n->cap == 0 ? FIRST_NUMBERS : n->cap * 2;
        n->at = tr_need_more(n->at, n->cap * sizeof *n->at);
    }
    n->at[n->count++] = value;
}

void tr_numbers_drop(tr_numbers *n) {
    free(n->at);
    *n = (tr_numbers){0};
}
