#include "sandbox/host/items.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_6_MAX 63u
#define LENGTH_14_MAX 16383u
#define LENGTH_32 0x80u
#define LENGTH_64 0x81u
#define ENCODED 0xc0u /* the two bits of a string that isn't plain */
#define DIGITS_MAX 11 /* of the integers that have a short form: "-2147483648" */
#define LZF_GROWTH_MAX 264 /* bytes that one byte of compressed text can become, at most */

enum { SHORT_8 = 0, SHORT_16 = 1, SHORT_32 = 2, SHORT_LZF = 3 };

/* ------------------------------------------------------------------ writing */

static void add_big_end(tr_bytes *out, uint8_t head, uint64_t value, int bytes) {
    uint8_t text[9] = {head};
    for (int i = 0; i < bytes; i++) text[1 + i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    tr_bytes_add(out, text, (size_t)bytes + 1);
}

static void add_length(tr_bytes *out, uint64_t value) {
    if (value <= LENGTH_6_MAX) {
        uint8_t one = (uint8_t)value;
        tr_bytes_add(out, &one, 1);
    } else if (value <= LENGTH_14_MAX) {
        add_big_end(out, (uint8_t)(0x40u | value >> 8), value & 255u, 1);
    } else if (value <= UINT32_MAX) {
        add_big_end(out, LENGTH_32, value, 4);
    } else {
        add_big_end(out, LENGTH_64, value, 8);
    }
}

static void add_little_end(tr_bytes *out, uint64_t value, int bytes) {
    uint8_t text[8];
    for (int i = 0; i < bytes; i++) text[i] = (uint8_t)(value >> (8 * i));
    tr_bytes_add(out, text, (size_t)bytes);
}

void tr_items_add_unsigned(tr_bytes *out, uint64_t value) {
    add_length(out, TR_ITEM_UNSIGNED);
    add_length(out, value);
}

void tr_items_add_float(tr_bytes *out, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    add_length(out, TR_ITEM_FLOAT);
    add_little_end(out, bits, 4);
}

void tr_items_add_double(tr_bytes *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    add_length(out, TR_ITEM_DOUBLE);
    add_little_end(out, bits, 8);
}

/* 1 when the bytes are just how the number is written. */
static int is_short_integer(const char *p, size_t len, int32_t *value) {
    char digits[DIGITS_MAX + 1], again[DIGITS_MAX + 2];
    char *end;
    if (len == 0 || len > DIGITS_MAX) return 0;
    memcpy(digits, p, len);
    digits[len] = '\0';
    long long n = strtoll(digits, &end, 10);
    if (end != digits + len || n < INT32_MIN || n > INT32_MAX) return 0;
    if (snprintf(again, sizeof(again), "%lld", n) != (int)len || memcmp(again, p, len) != 0) return 0;
    *value = (int32_t)n;
    return 1;
}

void tr_items_add_string(tr_bytes *out, const char *p, size_t len) {
    int32_t n;
    add_length(out, TR_ITEM_STRING);
    if (!is_short_integer(p, len, &n)) {
        add_length(out, len);
        tr_bytes_add(out, p, len);
        return;
    }
    int kind = n >= INT8_MIN && n <= INT8_MAX ? SHORT_8 : n >= INT16_MIN && n <= INT16_MAX ? SHORT_16 : SHORT_32;
    uint8_t head = (uint8_t)(ENCODED | (unsigned)kind);
    tr_bytes_add(out, &head, 1);
    add_little_end(out, (uint32_t)n, 1 << kind);
}

void tr_items_add_end(tr_bytes *out) {
    add_length(out, TR_ITEM_END);
}

/* ------------------------------------------------------------------ reading */

static int fail(tr_items *in) {
    in->failed = true;
    return 0;
}

/* The next bytes, or NULL. */
static const uint8_t *take(tr_items *in, uint64_t bytes) {
    if (in->failed || bytes > in->len - in->at) {
        in->failed = true;
        return NULL;
    }
    const uint8_t *p = in->p + in->at;
    in->at += (size_t)bytes;
    return p;
}

static int take_big_end(tr_items *in, int bytes, uint64_t *value) {
    const uint8_t *p = take(in, (uint64_t)bytes);
    if (p == NULL) return 0;
    uint64_t n = 0;
    for (int i = 0; i < bytes; i++) n = n << 8 | p[i];
    *value = n;
    return 1;
}

static int take_little_end(tr_items *in, int bytes, uint64_t *value) {
    const uint8_t *p = take(in, (uint64_t)bytes);
    if (p == NULL) return 0;
    uint64_t n = 0;
    for (int i = 0; i < bytes; i++) n |= (uint64_t)p[i] << (8 * i);
    *value = n;
    return 1;
}

/* A length; with encoded not NULL also one of the short forms of a string: *encoded is 1 then, *value which one. */
static int take_length(tr_items *in, uint64_t *value, int *encoded) {
    const uint8_t *head = take(in, 1);
    if (head == NULL) return 0;
    switch (*head >> 6) {
    case 0:
        *value = *head & 63u;
        return 1;
    case 1: {
        const uint8_t *low = take(in, 1);
        if (low == NULL) return 0;
        *value = (uint64_t)(*head & 63u) << 8 | *low;
        return 1;
    }
    case 2:
        if (*head == LENGTH_32) return take_big_end(in, 4, value);
        return *head == LENGTH_64 ? take_big_end(in, 8, value) : fail(in);
    default:
        if (encoded == NULL) return fail(in);
        *encoded = 1;
        *value = *head & 63u;
        return 1;
    }
}

static int take_opcode(tr_items *in, uint64_t wanted) {
    uint64_t opcode;
    if (!take_length(in, &opcode, NULL)) return 0;
    return opcode == wanted ? 1 : fail(in);
}

int tr_items_unsigned(tr_items *in, uint64_t *value) {
    return take_opcode(in, TR_ITEM_UNSIGNED) && take_length(in, value, NULL);
}

int tr_items_float(tr_items *in, float *value) {
    uint64_t n;
    if (!take_opcode(in, TR_ITEM_FLOAT) || !take_little_end(in, 4, &n)) return 0;
    uint32_t bits = (uint32_t)n;
    memcpy(value, &bits, sizeof(bits));
    return 1;
}

int tr_items_double(tr_items *in, double *value) {
    uint64_t n;
    if (!take_opcode(in, TR_ITEM_DOUBLE) || !take_little_end(in, 8, &n)) return 0;
    memcpy(value, &n, sizeof(n));
    return 1;
}

int tr_items_end(tr_items *in) {
    return take_opcode(in, TR_ITEM_END);
}

/* LZF: runs of bytes, and copies from up to 8 KB back. 1 when exactly out_len bytes came out. */
static int decompress(const uint8_t *in, size_t in_len, char *out, size_t out_len) {
    size_t at = 0, made = 0;
    while (at < in_len) {
        size_t head = in[at++];
        if (head < 32) {
            size_t run = head + 1;
            if (run > in_len - at || run > out_len - made) return 0;
            memcpy(out + made, in + at, run);
            at += run;
            made += run;
            continue;
        }
        size_t run = head >> 5;
        if (run == 7) {
            if (at == in_len) return 0;
            run += in[at++];
        }
        if (at == in_len) return 0;
        size_t back = ((head & 31u) << 8 | in[at++]) + 1;
        run += 2;
        if (back > made || run > out_len - made) return 0;
        for (size_t i = 0; i < run; i++, made++) out[made] = out[made - back]; /* the two may overlap */
    }
    return made == out_len;
}

static char *compressed_string(tr_items *in, size_t *len, void *(*make)(size_t bytes)) {
    uint64_t packed, whole;
    if (!take_length(in, &packed, NULL) || !take_length(in, &whole, NULL)) return NULL;
    const uint8_t *p = take(in, packed);
    if (p == NULL) return NULL;
    if (whole > TR_ITEM_STRING_MAX || whole > packed * LZF_GROWTH_MAX) {
        in->failed = true;
        return NULL;
    }
    char *text = malloc((size_t)whole + 1);
    if (text == NULL || !decompress(p, (size_t)packed, text, (size_t)whole)) {
        in->failed = true;
        free(text);
        return NULL;
    }
    char *made = make((size_t)whole + 1);
    memcpy(made, text, (size_t)whole);
    free(text);
    made[whole] = '\0';
    *len = (size_t)whole;
    return made;
}

/* A string that was written as an integer. */
static char *digits_string(tr_items *in, int kind, size_t *len, void *(*make)(size_t bytes)) {
    uint64_t bits;
    if (!take_little_end(in, 1 << kind, &bits)) return NULL;
    int32_t n = kind == SHORT_8 ? (int8_t)bits : kind == SHORT_16 ? (int16_t)bits : (int32_t)bits;
    char digits[DIGITS_MAX + 1];
    *len = (size_t)snprintf(digits, sizeof(digits), "%" PRId32, n);
    return memcpy(make(*len + 1), digits, *len + 1);
}

char *tr_items_string(tr_items *in, size_t *len, void *(*make)(size_t bytes)) {
    uint64_t bytes;
    int encoded = 0;
    if (!take_opcode(in, TR_ITEM_STRING) || !take_length(in, &bytes, &encoded)) return NULL;
    if (encoded) {
        if (bytes == SHORT_LZF) return compressed_string(in, len, make);
        if (bytes <= SHORT_32) return digits_string(in, (int)bytes, len, make);
        in->failed = true;
        return NULL;
    }
    const uint8_t *p = take(in, bytes);
    if (p == NULL) return NULL;
    char *made = make((size_t)bytes + 1);
    if (bytes != 0) memcpy(made, p, (size_t)bytes);
    made[bytes] = '\0';
    *len = (size_t)bytes;
    return made;
}
