/* Signatures of texts that the standard gives, and of every length around the ends of blocks (as
 * Python's hashlib has them). */
#include "base/sha1.h"

#include "check.h"

static const char *hex(const void *p, size_t n) {
    static char text[2 * TR_SHA1_BYTES + 1];
    unsigned char digest[TR_SHA1_BYTES];
    tr_sha1(p, n, digest);
    for (int i = 0; i < TR_SHA1_BYTES; i++) sprintf(text + 2 * i, "%02x", digest[i]);
    return text;
}

static void texts_of_the_standard(void) {
    static char million[1000000];
    memset(million, 'a', sizeof(million));
    CHECK_EQ_STR(hex("", 0), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK_EQ_STR(hex("abc", 3), "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK_EQ_STR(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
                 "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    CHECK_EQ_STR(hex(million, sizeof(million)), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

static void lengths_around_blocks(void) {
    static const struct {
        size_t len;
        const char *digest;
    } cases[] = {
        {0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {1, "9842926af7ca0a8cca12604f945414f07b01e13d"},
        {55, "ddf57317ef34bfee3b6df83d359098930eb278bc"},
        {56, "a0d492bb0fc889d0eca3bc137066ab6f4f74f369"},
        {57, "11a02dcf95859677a62e75024067c22b165d890f"},
        {63, "c55856749bef509bdfe6bfebfc7bf4e793e82132"},
        {64, "bede92be29c3874e1b54ddc77988d606fc857a8e"},
        {65, "b05a80522b053d6dc7e0a517d0e70212c7dad11f"},
        {119, "504e27376a6e0f0dba8295b85cb25dc4dfa17d23"},
        {120, "82134b02fb3f702491be9bed581eeab59334acb2"},
        {127, "34d5e582029e9b9b85b2febe31da3db7cdabaaea"},
        {128, "a09133e6730ffe899efb70204cb5646cd5dc24ee"},
        {1000, "4231a8a50a10fa9758db8ec71fdef855b751048a"},
    };
    unsigned char data[1000];
    for (size_t i = 0; i < sizeof(data); i++) data[i] = (unsigned char)(i * 7 + 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ_STR(hex(data, cases[i].len), cases[i].digest);
}

int main(void) {
    RUN(texts_of_the_standard);
    RUN(lengths_around_blocks);
    return CHECK_DONE();
}
