#include "mutator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define PIECE_MAX 512 /* bytes of what is put in at once, but for the filler of a bulk */
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

typedef struct editor {
    uint8_t *data;
    size_t size;
    size_t max;
    tr_rng *rng;
} editor;

/* "*<n>\r" or "$<n>\r": where the line begins, and where its number ends. */
typedef struct header {
    size_t at;
    size_t end;
    long long n;
} header;

static const char *const numbers[] = {
    "0",  "1",  "2",   "3",     "9",     "10",    "11",        "-1",        "-2",
    "+1", "01", "1 ",  " 1",    "",      "-",     "-0",        "1a",        "64",
    "65", "1024", "1025", "16384", "16385", "32768", "536870912", "536870913", "1000000000",
    "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1\n", "0x10", "1e3",
};

static const char *const words[] = {
    "PING", "GET", "SET", "k", "v", "0", "-1", "10", "(1", "[a", "+inf", "nan", "1.5", "*", "key:1",
    "EX", "NX", "COUNT", "WITHSCORES", "\"a b\"", "'it'", "\"\\x41\\n\"",
    "\"", "'", "\\", "\"\"", "\t",
    /* commands' own */
    "key", "other", "PX", "PXAT", "XX", "GT", "KEEPTTL", "MATCH", "TYPE", "REPLACE", "DB", "ASYNC",
    "SUBSCRIBE", "PUBLISH", "MONITOR", "SLOWLOG", "IDX", "a*b*c*", "[^-x]?", "9223372036854775807",
    "-9223372036854775808",
};

static const char types[] = "*$+-:_,#(!=%~|>P\n\r \xff";

static size_t below(editor *e, size_t bound) {
    return (size_t)tr_rng_below(e->rng, bound);
}

static const char *pick(editor *e, const char *const *table, size_t count) {
    return table[below(e, count)];
}

/* Cuts `cut` bytes out at `at` and puts n others in. Nothing when there is no room. */
static void replace(editor *e, size_t at, size_t cut, const void *with, size_t n) {
    tr_assert(at <= e->size && cut <= e->size - at);
    if (e->size - cut + n > e->max) return;
    memmove(e->data + at + n, e->data + at + cut, e->size - at - cut);
    if (n != 0) memcpy(e->data + at, with, n);
    e->size += n - cut;
}

static int read_header(const editor *e, size_t at, header *h) {
    if (e->data[at] != '*' && e->data[at] != '$') return 0;
    char digits[16];
    size_t n = 0;
    for (; at + 1 + n < e->size && n + 1 < sizeof(digits); n++) {
        uint8_t c = e->data[at + 1 + n];
        if ((c < '0' || c > '9') && c != '-') break;
        digits[n] = (char)c;
    }
    digits[n] = '\0';
    if (n == 0 || at + 1 + n >= e->size || e->data[at + 1 + n] != '\r') return 0;
    *h = (header){.at = at, .end = at + 1 + n, .n = atoll(digits)};
    return 1;
}

/* One of the headers, of the given kind or (0) of any; each is as likely. 0: there is none. */
static int find_header(editor *e, char kind, header *found) {
    size_t seen = 0;
    header h;
    for (size_t at = 0; at < e->size; at++) {
        if ((kind != 0 && e->data[at] != (uint8_t)kind) || !read_header(e, at, &h)) continue;
        if (below(e, ++seen) == 0) *found = h;
    }
    return seen != 0;
}

static void set_number(editor *e, const header *h, long long n) {
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", n);
    replace(e, h->at + 1, h->end - h->at - 1, text, (size_t)len);
}

static void change_number(editor *e) {
    header h;
    if (!find_header(e, 0, &h)) return;
    if (below(e, 3) == 0) {
        set_number(e, &h, h.n + (long long)below(e, 5) - 2);
        return;
    }
    const char *text = pick(e, numbers, COUNT(numbers));
    replace(e, h.at + 1, h.end - h.at - 1, text, strlen(text));
}

static void change_type(editor *e) {
    header h;
    if (find_header(e, 0, &h)) e->data[h.at] = (uint8_t)types[below(e, sizeof(types))];
}

/* A bulk with a right length and a word or a filler as its bytes; sometimes a large one. Returns
 * its size. */
static size_t make_bulk(editor *e, char *out, size_t room) {
    static const size_t sizes[] = {0, 1, 3, 9, 10, 16, 100, 300};
    const char *word = pick(e, words, COUNT(words));
    size_t n = strlen(word);
    char fill = 0;
    if (below(e, 3) == 0) {
        n = sizes[below(e, COUNT(sizes))];
        fill = "x\r\n\0*$ "[below(e, 7)];
        word = NULL;
    }
    size_t head = (size_t)snprintf(out, room, "$%zu\r\n", n);
    tr_assert(head + n + 2 <= room);
    if (word != NULL) memcpy(out + head, word, n);
    else memset(out + head, fill, n);
    memcpy(out + head + n, "\r\n", 2);
    return head + n + 2;
}

/* Where the argument that begins with the header ends; at most the end of the input. */
static size_t bulk_end(const editor *e, const header *h) {
    size_t after = h->end + 2;
    size_t end = h->n < 0 || (size_t)h->n > e->size ? after : after + (size_t)h->n + 2;
    return end < e->size ? end : e->size;
}

/* The count of the command that an argument belongs to is changed with it, most of the time. */
static void change_count(editor *e, size_t before, int by) {
    header h;
    if (below(e, 8) == 0) return;
    while (before-- > 0) {
        if (e->data[before] == '*' && read_header(e, before, &h)) {
            set_number(e, &h, h.n + by);
            return;
        }
    }
}

static void add_arg(editor *e) {
    header h;
    char bulk[PIECE_MAX];
    if (!find_header(e, '$', &h)) return;
    size_t n = make_bulk(e, bulk, sizeof(bulk));
    size_t at = below(e, 2) ? h.at : bulk_end(e, &h);
    replace(e, at, 0, bulk, n);
    change_count(e, h.at, 1);
}

static void drop_arg(editor *e) {
    header h;
    if (!find_header(e, '$', &h)) return;
    replace(e, h.at, bulk_end(e, &h) - h.at, NULL, 0);
    change_count(e, h.at, -1);
}

/* Another length for an argument, and as many bytes. */
static void resize_arg(editor *e) {
    static const size_t sizes[] = {0, 1, 2, 7, 31, 16384, 32766, 32767, 32768, 32769, 40000, 70000};
    header h;
    if (!find_header(e, '$', &h)) return;
    size_t start = h.end + 2 < e->size ? h.end + 2 : e->size;
    size_t end = bulk_end(e, &h), n = sizes[below(e, COUNT(sizes))];
    if (end < start + 2 || e->size + n + 16 > e->max) return;
    size_t old = end - 2 - start;
    if (n > old) {
        memmove(e->data + start + n, e->data + start + old, e->size - start - old);
        memset(e->data + start + old, 'r', n - old);
        e->size += n - old;
    } else {
        replace(e, start, old - n, NULL, 0);
    }
    set_number(e, &h, (long long)n);
}

static void add_command(editor *e) {
    char piece[PIECE_MAX * 4];
    size_t args = 1 + below(e, 4), n = 0;
    if (below(e, 3) == 0) {
        for (size_t i = 0; i < args; i++) {
            const char *word = pick(e, words, COUNT(words));
            n += (size_t)snprintf(piece + n, 64, "%s%s", i ? " " : "", word);
        }
        n += (size_t)snprintf(piece + n, 3, "%s", below(e, 2) ? "\r\n" : "\n");
    } else {
        n = (size_t)snprintf(piece, 32, "*%zu\r\n", args);
        for (size_t i = 0; i < args; i++) n += make_bulk(e, piece + n, PIECE_MAX);
    }
    header h;
    size_t at = find_header(e, '*', &h) && below(e, 2) ? h.at : below(e, 2) ? e->size : 0;
    replace(e, at, 0, piece, n);
}

/* A CR or LF is lost, doubled, or becomes something else. */
static void change_line_end(editor *e) {
    size_t seen = 0, at = 0;
    for (size_t i = 0; i < e->size; i++) {
        if ((e->data[i] == '\r' || e->data[i] == '\n') && below(e, ++seen) == 0) at = i;
    }
    if (seen == 0) return;
    static const char *const ends[] = {"", "\r\r", "\n\n", "\r\n", "\n", "\r", "X"};
    if (below(e, 8) == 0) {
        e->data[at] = '\0';
        return;
    }
    const char *with = pick(e, ends, COUNT(ends));
    replace(e, at, 1, with, strlen(with));
}

static void change_bytes(editor *e) {
    if (e->size == 0) return;
    size_t at = below(e, e->size), n = 1 + below(e, 8);
    char copy[PIECE_MAX];
    if (n > e->size - at) n = e->size - at;
    switch (below(e, 5)) {
    case 0: e->data[at] ^= (uint8_t)(1u << below(e, 8)); break;
    case 1: e->data[at] = (uint8_t)below(e, 256); break;
    case 2: replace(e, at, n, NULL, 0); break;
    case 3:
        memcpy(copy, e->data + at, n);
        replace(e, below(e, e->size + 1), 0, copy, n);
        break;
    default: e->size = at; break;
    }
}

/* A stretch comes once more, so that pipelines and counts get long. */
static void repeat(editor *e) {
    header h;
    char copy[PIECE_MAX];
    size_t from = find_header(e, below(e, 2) ? '*' : '$', &h) ? h.at : 0;
    size_t n = e->size - from < sizeof(copy) ? e->size - from : 1 + below(e, sizeof(copy) - 1);
    memcpy(copy, e->data + from, n);
    for (size_t times = 1 + below(e, 10); times > 0; times--) replace(e, from, 0, copy, n);
}

/* What happens between bytes, for targets that know of it (engine_run.h). */
static void add_mark(editor *e) {
    header h;
    uint8_t mark[] = {0xfe, (uint8_t)below(e, 256)};
    size_t at = find_header(e, '*', &h) && below(e, 4) ? h.at : below(e, e->size + 1);
    replace(e, at, 0, mark, sizeof(mark));
}

/* A word goes where another one was, and the length with it. */
static void change_arg(editor *e) {
    header h;
    char bulk[PIECE_MAX];
    if (!find_header(e, '$', &h)) return;
    size_t n = make_bulk(e, bulk, sizeof(bulk));
    replace(e, h.at, bulk_end(e, &h) - h.at, bulk, n);
}

static void add_word(editor *e) {
    int number = below(e, 2) == 0;
    const char *text = number ? pick(e, numbers, COUNT(numbers)) : pick(e, words, COUNT(words));
    replace(e, below(e, e->size + 1), 0, text, strlen(text));
}

size_t tr_fuzz_mutate(uint8_t *data, size_t size, size_t max, tr_rng *rng) {
    static void (*const changes[])(editor *) = {
        change_number, change_type, add_arg, drop_arg, resize_arg, add_command,
        change_line_end, change_bytes, change_bytes, repeat, add_word, add_mark, change_arg,
        change_arg,
    };
    tr_assert(size <= max);
    editor e = {.data = data, .size = size, .max = max, .rng = rng};
    if (size == 0) add_command(&e);
    else changes[below(&e, COUNT(changes))](&e);
    tr_assert(e.size <= max);
    return e.size;
}
