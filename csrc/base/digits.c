#include "base/digits.h"

#include <stdint.h>
#include <string.h>

#include "base/assert.h"

/* frac * 2^exp; normal when the top bit of frac is set. */
typedef struct fp {
    uint64_t frac;
    int exp;
} fp;

#define FRAC_BITS 52
#define HIDDEN_BIT ((uint64_t)1 << FRAC_BITS)
#define EXP_BIAS (1023 + FRAC_BITS)

/* The scaled value shall have 4 to 32 bits before its point: digits then come out of plain
 * integers. */
#define SCALED_EXP_MIN (-60)
#define SCALED_EXP_MAX (-32)

/* 10^-348, 10^-340, ... 10^340, each rounded to 64 bits. */
#define POWER_FIRST (-348)
#define POWER_STEP 8
static const struct {
    uint64_t frac;
    int16_t exp;
} powers[] = {
    {0xfa8fd5a0081c0288u, -1220}, {0xbaaee17fa23ebf76u, -1193}, {0x8b16fb203055ac76u, -1166},
    {0xcf42894a5dce35eau, -1140}, {0x9a6bb0aa55653b2du, -1113}, {0xe61acf033d1a45dfu, -1087},
    {0xab70fe17c79ac6cau, -1060}, {0xff77b1fcbebcdc4fu, -1034}, {0xbe5691ef416bd60cu, -1007},
    {0x8dd01fad907ffc3cu, -980}, {0xd3515c2831559a83u, -954}, {0x9d71ac8fada6c9b5u, -927},
    {0xea9c227723ee8bcbu, -901}, {0xaecc49914078536du, -874}, {0x823c12795db6ce57u, -847},
    {0xc21094364dfb5637u, -821}, {0x9096ea6f3848984fu, -794}, {0xd77485cb25823ac7u, -768},
    {0xa086cfcd97bf97f4u, -741}, {0xef340a98172aace5u, -715}, {0xb23867fb2a35b28eu, -688},
    {0x84c8d4dfd2c63f3bu, -661}, {0xc5dd44271ad3cdbau, -635}, {0x936b9fcebb25c996u, -608},
    {0xdbac6c247d62a584u, -582}, {0xa3ab66580d5fdaf6u, -555}, {0xf3e2f893dec3f126u, -529},
    {0xb5b5ada8aaff80b8u, -502}, {0x87625f056c7c4a8bu, -475}, {0xc9bcff6034c13053u, -449},
    {0x964e858c91ba2655u, -422}, {0xdff9772470297ebdu, -396}, {0xa6dfbd9fb8e5b88fu, -369},
    {0xf8a95fcf88747d94u, -343}, {0xb94470938fa89bcfu, -316}, {0x8a08f0f8bf0f156bu, -289},
    {0xcdb02555653131b6u, -263}, {0x993fe2c6d07b7facu, -236}, {0xe45c10c42a2b3b06u, -210},
    {0xaa242499697392d3u, -183}, {0xfd87b5f28300ca0eu, -157}, {0xbce5086492111aebu, -130},
    {0x8cbccc096f5088ccu, -103}, {0xd1b71758e219652cu, -77}, {0x9c40000000000000u, -50},
    {0xe8d4a51000000000u, -24}, {0xad78ebc5ac620000u, 3}, {0x813f3978f8940984u, 30},
    {0xc097ce7bc90715b3u, 56}, {0x8f7e32ce7bea5c70u, 83}, {0xd5d238a4abe98068u, 109},
    {0x9f4f2726179a2245u, 136}, {0xed63a231d4c4fb27u, 162}, {0xb0de65388cc8ada8u, 189},
    {0x83c7088e1aab65dbu, 216}, {0xc45d1df942711d9au, 242}, {0x924d692ca61be758u, 269},
    {0xda01ee641a708deau, 295}, {0xa26da3999aef774au, 322}, {0xf209787bb47d6b85u, 348},
    {0xb454e4a179dd1877u, 375}, {0x865b86925b9bc5c2u, 402}, {0xc83553c5c8965d3du, 428},
    {0x952ab45cfa97a0b3u, 455}, {0xde469fbd99a05fe3u, 481}, {0xa59bc234db398c25u, 508},
    {0xf6c69a72a3989f5cu, 534}, {0xb7dcbf5354e9beceu, 561}, {0x88fcf317f22241e2u, 588},
    {0xcc20ce9bd35c78a5u, 614}, {0x98165af37b2153dfu, 641}, {0xe2a0b5dc971f303au, 667},
    {0xa8d9d1535ce3b396u, 694}, {0xfb9b7cd9a4a7443cu, 720}, {0xbb764c4ca7a44410u, 747},
    {0x8bab8eefb6409c1au, 774}, {0xd01fef10a657842cu, 800}, {0x9b10a4e5e9913129u, 827},
    {0xe7109bfba19c0c9du, 853}, {0xac2820d9623bf429u, 880}, {0x80444b5e7aa7cf85u, 907},
    {0xbf21e44003acdd2du, 933}, {0x8e679c2f5e44ff8fu, 960}, {0xd433179d9c8cb841u, 986},
    {0x9e19db92b4e31ba9u, 1013}, {0xeb96bf6ebadf77d9u, 1039}, {0xaf87023b9bf0ee6bu, 1066},
};
#define POWER_COUNT ((int)(sizeof(powers) / sizeof(powers[0])))

static const uint64_t tens[] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};
#define TENS_COUNT ((int)(sizeof(tens) / sizeof(tens[0])))

static fp split(double d) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    int biased = (int)(bits >> FRAC_BITS) & 0x7ff;
    uint64_t frac = bits & (HIDDEN_BIT - 1);
    if (biased == 0) return (fp){frac, 1 - EXP_BIAS};
    return (fp){frac | HIDDEN_BIT, biased - EXP_BIAS};
}

static fp normal(fp x) {
    int shift = __builtin_clzll(x.frac);
    return (fp){x.frac << shift, x.exp - shift};
}

static fp product(fp a, fp b) {
    unsigned __int128 full = (unsigned __int128)a.frac * b.frac + ((uint64_t)1 << 63);
    return (fp){(uint64_t)(full >> 64), a.exp + b.exp + 64};
}

/* The smallest power in the table that lifts the exponent to SCALED_EXP_MIN or more; there is
 * always one. */
static fp power_for(int exp, int *exp10) {
    /* 315653 / 2^20 is log10(2); one step back makes up for the rounding. */
    int at = ((SCALED_EXP_MIN - 1 - exp) * 315653 / (1 << 20) - POWER_FIRST) / POWER_STEP - 1;
    if (at < 0) at = 0;
    while (exp + powers[at].exp + 64 < SCALED_EXP_MIN) at++;
    tr_assert(at < POWER_COUNT);
    tr_assert(exp + powers[at].exp + 64 <= SCALED_EXP_MAX);
    *exp10 = POWER_FIRST + at * POWER_STEP;
    return (fp){powers[at].frac, powers[at].exp};
}

/* Digits were made for the upper limit; step the last one down while that comes nearer to the value
 * itself. All four are distances below the upper limit: how far the digits are, the value is, we
 * may go, one step is. */
static void step_down(char *last, uint64_t at, uint64_t value, uint64_t limit, uint64_t step) {
    while (at < value && limit - at >= step &&
           (at + step < value || value - at > at + step - value)) {
        (*last)--;
        at += step;
    }
}

/* The fewest digits of a number in [high - limit, high]; value lies `below` under high. */
static int shortest(char *out, int *exp10, fp high, uint64_t below, uint64_t limit) {
    int shift = -high.exp;
    uint64_t one = (uint64_t)1 << shift;
    uint64_t whole = high.frac >> shift;
    uint64_t rest = high.frac & (one - 1);
    int n = 0;
    for (int left = 9; left >= 0; left--) {
        unsigned digit = (unsigned)(whole / tens[left]);
        whole %= tens[left];
        if (digit != 0 || n != 0) out[n++] = (char)('0' + digit);
        uint64_t at = (whole << shift) + rest;
        if (at <= limit) {
            *exp10 += left;
            step_down(&out[n - 1], at, below, limit, tens[left] << shift);
            return n;
        }
    }
    for (int places = 1;; places++) {
        tr_assert(places < TENS_COUNT && n < TR_DIGITS_MAX);
        rest *= 10;
        limit *= 10;
        unsigned digit = (unsigned)(rest >> shift);
        rest &= one - 1;
        if (digit != 0 || n != 0) out[n++] = (char)('0' + digit);
        if (rest < limit) {
            *exp10 -= places;
            step_down(&out[n - 1], rest, below * tens[places], limit, one);
            return n;
        }
    }
}

int tr_digits(char out[TR_DIGITS_MAX], int *exp10, double d) {
    tr_assert(d > 0);
    fp value = split(d);
    /* Half way to the neighbours; below a power of two the neighbour is nearer. */
    fp high = normal((fp){value.frac * 2 + 1, value.exp - 1});
    int low_shift = value.frac == HIDDEN_BIT ? 2 : 1;
    fp low = {(value.frac << low_shift) - 1, value.exp - low_shift};
    low = (fp){low.frac << (low.exp - high.exp), high.exp};
    value = normal(value);

    int power;
    fp scale = power_for(high.exp, &power);
    value = product(value, scale);
    high = product(high, scale);
    low = product(low, scale);
    /* Each product is off by less than one unit: stay that much inside. */
    low.frac++;
    high.frac--;
    *exp10 = -power;
    return shortest(out, exp10, high, high.frac - value.frac, high.frac - low.frac);
}
