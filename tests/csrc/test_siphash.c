/* Aim: SipHash-1-3 as everybody computes it, for any length and any address. Method: vectors of a
 * second, slow implementation; each message also at the end of a page and at odd addresses; the
 * folding form against the plain one. */
#include "base/siphash.h"

#include "base/rng.h"
#include "check.h"
#include "guard.h"
#include "siphash_vectors.h"

#define VECTORS (sizeof(siphash_vectors) / sizeof(siphash_vectors[0]))

static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static void test_vectors(void) {
    guard g = guard_new(256);
    char message[VECTORS];
    for (size_t i = 0; i < VECTORS; i++) message[i] = (char)(i * 37 + 65);
    CHECK_EQ_INT(VECTORS, 64);
    for (size_t n = 0; n < VECTORS; n++) {
        CHECK(tr_siphash(guard_put(&g, message, n), n, key) == siphash_vectors[n]);
        for (size_t shift = 0; shift < 8; shift++) {
            char away[VECTORS + 8];
            memset(away, 0xee, sizeof(away));
            memcpy(away + shift, message, n);
            CHECK(tr_siphash(away + shift, n, key) == siphash_vectors[n]);
        }
    }
    guard_free(&g);
}

static void test_key_and_length_matter(void) {
    static const uint64_t other[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0909u};
    static const char zeros[32];
    for (size_t n = 0; n < 32; n++) {
        CHECK(tr_siphash(zeros, n, key) != tr_siphash(zeros, n, other));
        for (size_t m = 0; m < n; m++) {
            CHECK(tr_siphash(zeros, n, key) != tr_siphash(zeros, m, key));
        }
    }
}

static void test_nocase_folds_letters_only(void) {
    guard g = guard_new(256);
    tr_rng rng = {.state = 1};
    for (int i = 0; i < 20000; i++) {
        char text[40];
        char folded[40];
        size_t n = (size_t)tr_rng_below(&rng, sizeof(text) + 1);
        for (size_t k = 0; k < n; k++) {
            text[k] = (char)tr_rng_next(&rng);
            if (i % 2) text[k] = (char)('@' + (text[k] & 0x3f)); /* around the letters */
            folded[k] = (char)(text[k] >= 'A' && text[k] <= 'Z' ? text[k] + 32 : text[k]);
        }
        CHECK(tr_siphash_nocase(guard_put(&g, text, n), n, key) == tr_siphash(folded, n, key));
    }
    for (int c = 0; c < 256; c++) {
        char one = (char)c;
        char folded = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        CHECK(tr_siphash_nocase(&one, 1, key) == tr_siphash(&folded, 1, key));
    }
    guard_free(&g);
}

int main(void) {
    RUN(test_vectors);
    RUN(test_key_and_length_matter);
    RUN(test_nocase_folds_letters_only);
    return CHECK_DONE();
}
