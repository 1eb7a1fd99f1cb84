/* Aim: saved items are just those of an RDB file, and no bytes can hurt who reads them. Method: bytes written down by
 * hand, round trips, every truncation and every flipped bit of a payload from the end of a page; tokens against an
 * array. */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include "../csrc/check.h"
#include "../csrc/guard.h"
#include "sandbox/host/items.c"
#include "sandbox/host/need.c"
#include "sandbox/host/tokens.c"

_Noreturn void tr_host_die(tr_death kind, const char *fmt, ...) {
    (void)kind;
    fputs(fmt, stderr);
    abort();
}

static int strings_freed;

void tr_string_free(RedisModuleString *s) {
    if (atomic_fetch_sub(&s->refs, 1) > 1) return;
    strings_freed++;
    free(s);
}

static RedisModuleString *string_new(void) {
    RedisModuleString *s = calloc(1, sizeof(*s));
    atomic_init(&s->refs, 1);
    return s;
}

/* ------------------------------------------------------------------ writing */

#define CHECK_BYTES(out, want) CHECK_EQ_MEM((out).p, (out).len, (want), sizeof(want) - 1)

static void lengths_have_four_forms(void) {
    tr_bytes out = {0};
    tr_items_add_unsigned(&out, 63);
    CHECK_BYTES(out, "\x02\x3f");
    out.len = 0;
    tr_items_add_unsigned(&out, 64);
    CHECK_BYTES(out, "\x02\x40\x40");
    out.len = 0;
    tr_items_add_unsigned(&out, 16383);
    CHECK_BYTES(out, "\x02\x7f\xff");
    out.len = 0;
    tr_items_add_unsigned(&out, 16384);
    CHECK_BYTES(out, "\x02\x80\x00\x00\x40\x00");
    out.len = 0;
    tr_items_add_unsigned(&out, UINT32_MAX);
    CHECK_BYTES(out, "\x02\x80\xff\xff\xff\xff");
    out.len = 0;
    tr_items_add_unsigned(&out, (uint64_t)UINT32_MAX + 1);
    CHECK_BYTES(out, "\x02\x81\x00\x00\x00\x01\x00\x00\x00\x00");
    out.len = 0;
    tr_items_add_unsigned(&out, (uint64_t)-2);
    CHECK_BYTES(out, "\x02\x81\xff\xff\xff\xff\xff\xff\xff\xfe");
    tr_bytes_drop(&out);
}

static void strings_of_digits_are_integers(void) {
    static const struct {
        const char *text, *want;
        size_t len;
    } cases[] = {
        {"abc", "\x05\x03" "abc", 5},
        {"", "\x05\x00", 2},
        {"7", "\x05\xc0\x07", 3},
        {"-128", "\x05\xc0\x80", 3},
        {"128", "\x05\xc1\x80\x00", 4},
        {"-32768", "\x05\xc1\x00\x80", 4},
        {"32768", "\x05\xc2\x00\x80\x00\x00", 6},
        {"-2147483648", "\x05\xc2\x00\x00\x00\x80", 6},
        {"2147483648", "\x05\x0a" "2147483648", 12},
        {"007", "\x05\x03" "007", 5},
        {"-0", "\x05\x02" "-0", 4},
        {"+5", "\x05\x02" "+5", 4},
        {" 5", "\x05\x02" " 5", 4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tr_bytes out = {0};
        size_t len;
        tr_items_add_string(&out, cases[i].text, strlen(cases[i].text));
        CHECK_EQ_MEM(out.p, out.len, cases[i].want, cases[i].len);
        tr_items in = {.p = (const uint8_t *)out.p, .len = out.len};
        char *text = tr_items_string(&in, &len, malloc);
        CHECK(text != NULL && in.at == out.len);
        CHECK_EQ_MEM(text, len, cases[i].text, strlen(cases[i].text));
        free(text);
        tr_bytes_drop(&out);
    }
}

static void floats_are_little_end_first(void) {
    tr_bytes out = {0};
    tr_items_add_float(&out, 1.5f);
    tr_items_add_double(&out, -2.0);
    tr_items_add_end(&out);
    CHECK_BYTES(out, "\x03\x00\x00\xc0\x3f\x04\x00\x00\x00\x00\x00\x00\x00\xc0\x00");
    tr_items in = {.p = (const uint8_t *)out.p, .len = out.len};
    float f = 0;
    double d = 0;
    CHECK(tr_items_float(&in, &f) && f == 1.5f);
    CHECK(tr_items_double(&in, &d) && d == -2.0);
    CHECK(tr_items_end(&in) && in.at == in.len && !in.failed);
    tr_bytes_drop(&out);
}

/* ------------------------------------------------------------------ reading */

static void compressed_strings_can_be_read(void) {
    /* Seven bytes of LZF: "ab" as it is, then five bytes from two back. */
    static const uint8_t text[] = {5, 0xc3, 5, 7, 1, 'a', 'b', 3 << 5, 1};
    tr_items in = {.p = text, .len = sizeof(text)};
    size_t len = 0;
    char *s = tr_items_string(&in, &len, malloc);
    CHECK(s != NULL);
    if (s != NULL) CHECK_EQ_MEM(s, len, "abababa", 7);
    free(s);
    /* A run longer than eight has a byte more. */
    static const uint8_t run[] = {5, 0xc3, 5, 0x14, 0, 'x', 7 << 5, 10, 0};
    in = (tr_items){.p = run, .len = sizeof(run)};
    s = tr_items_string(&in, &len, malloc);
    CHECK(s != NULL);
    if (s != NULL) CHECK_EQ_MEM(s, len, "xxxxxxxxxxxxxxxxxxxx", 20);
    free(s);
}

static void compressed_strings_that_lie_are_refused(void) {
    static const struct {
        uint8_t bytes[12];
        size_t len;
    } cases[] = {
        {{5, 0xc3, 4, 8, 1, 'a', 'b', 3 << 5, 1}, 9},       /* cut amid a copy, one byte too many behind */
        {{5, 0xc3, 5, 8, 1, 'a', 'b', 3 << 5, 1}, 9},       /* one byte too few comes out */
        {{5, 0xc3, 5, 6, 1, 'a', 'b', 3 << 5, 1}, 9},       /* too many */
        {{5, 0xc3, 5, 7, 1, 'a', 'b', 3 << 5, 2}, 9},       /* from before the beginning */
        {{5, 0xc3, 2, 3, 2, 'a'}, 6},                       /* a run beyond the end */
        {{5, 0xc3, 1, 0x80, 0x7f, 0xff, 0xff, 0xff, 0}, 9}, /* more than that can be */
        {{5, 0xc4, 1, 1}, 4},                               /* no such form */
        {{5, 0x82, 0, 0, 0, 0}, 6},                         /* no such length */
        {{5, 0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 10},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len;
        tr_items in = {.p = cases[i].bytes, .len = cases[i].len};
        char *s = tr_items_string(&in, &len, malloc);
        CHECK(s == NULL && in.failed);
        free(s);
    }
}

static void the_wrong_item_fails_for_good(void) {
    tr_bytes out = {0};
    uint64_t n;
    tr_items_add_unsigned(&out, 5);
    tr_items_add_unsigned(&out, 6);
    tr_items in = {.p = (const uint8_t *)out.p, .len = out.len};
    double d;
    CHECK(!tr_items_double(&in, &d) && in.failed);
    CHECK(!tr_items_unsigned(&in, &n));
    tr_bytes_drop(&out);
}

/* Reads until it fails or ends, whatever comes. */
static void read_all(const uint8_t *p, size_t len) {
    for (int start = 0; start < 5; start++) {
        tr_items in = {.p = p, .len = len};
        uint64_t n;
        float f;
        double d;
        for (int i = start; !in.failed; i++) {
            size_t text_len;
            switch (i % 5) {
            case 0: tr_items_unsigned(&in, &n); break;
            case 1: free(tr_items_string(&in, &text_len, malloc)); break;
            case 2: tr_items_float(&in, &f); break;
            case 3: tr_items_double(&in, &d); break;
            default: if (tr_items_end(&in)) in.failed = true;
            }
            CHECK(in.at <= len);
        }
    }
}

static void every_cut_and_every_flipped_bit_is_survived(void) {
    tr_bytes out = {0};
    char page[256];
    tr_items_add_unsigned(&out, 123456789);
    tr_items_add_string(&out, "some text that is not a number", 30);
    tr_items_add_float(&out, 3.25f);
    tr_items_add_double(&out, NAN);
    tr_items_add_end(&out);
    CHECK(out.len < sizeof(page));
    guard g = guard_new(sizeof(page));
    for (size_t len = 0; len <= out.len; len++) {
        read_all((const uint8_t *)guard_put(&g, out.p, len), len);
    }
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        memcpy(page, out.p, out.len);
        page[bit / 8] ^= (char)(1 << bit % 8);
        read_all((const uint8_t *)guard_put(&g, page, out.len), out.len);
    }
    guard_free(&g);
    tr_bytes_drop(&out);
}

/* ------------------------------------------------------------------ tokens */

#define TOKENS 5000

static void tokens_are_found_until_dropped(void) {
    tr_tokens t = {0};
    static uint8_t there[TOKENS + 1];
    static char values[TOKENS + 1];
    RedisModuleString *key = string_new();
    unsigned seed = 7;
    uint64_t left = 0;
    CHECK(tr_tokens_find(&t, 1) == NULL && !tr_tokens_drop(&t, 1));
    for (int round = 0; round < 4 * TOKENS; round++) {
        uint64_t number = (uint64_t)rand_r(&seed) % TOKENS + 1;
        if (t.last < TOKENS && rand_r(&seed) % 2) {
            number = tr_tokens_add(&t, NULL, &values[t.last + 1]);
            CHECK_EQ_INT(number, t.last);
            tr_tokens_seen(&t, number, 3, key);
            there[number] = 1;
            left++;
        } else if (number <= t.last) {
            CHECK_EQ_INT(tr_tokens_drop(&t, number), there[number]);
            left -= there[number];
            there[number] = 0;
        }
    }
    CHECK_EQ_INT(t.count, left);
    CHECK_EQ_INT(atomic_load(&key->refs), left + 1);
    for (uint64_t n = 1; n <= t.last; n++) {
        const tr_token *token = tr_tokens_find(&t, n);
        CHECK_EQ_INT(token != NULL, there[n]);
        if (token != NULL) CHECK(token->value == &values[n] && token->db == 3 && token->key == key);
    }
    tr_tokens_release(&t);
    CHECK_EQ_INT(atomic_load(&key->refs), 1);
    tr_string_free(key);
    CHECK_EQ_INT(strings_freed, 1);
}

int main(void) {
    RUN(lengths_have_four_forms);
    RUN(strings_of_digits_are_integers);
    RUN(floats_are_little_end_first);
    RUN(compressed_strings_can_be_read);
    RUN(compressed_strings_that_lie_are_refused);
    RUN(the_wrong_item_fails_for_good);
    RUN(every_cut_and_every_flipped_bit_is_survived);
    RUN(tokens_are_found_until_dropped);
    return CHECK_DONE();
}
