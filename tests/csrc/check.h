/* check.h - what the C unit tests are made of. A failed check prints its place and counts; main()
 * ends with CHECK_DONE(). */
#ifndef TR_TESTS_CHECK_H
#define TR_TESTS_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int check_failures;
static int check_count;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        check_count++;                                                                             \
        if (!(cond)) {                                                                             \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);                   \
        }                                                                                          \
    } while (0)

#define CHECK_EQ_INT(got, want)                                                                    \
    do {                                                                                           \
        int64_t check_got = (int64_t)(got), check_want = (int64_t)(want);                          \
        check_count++;                                                                             \
        if (check_got != check_want) {                                                             \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: %s is %" PRId64 ", not %" PRId64 "\n", __FILE__, __LINE__,     \
                    #got, check_got, check_want);                                                  \
        }                                                                                          \
    } while (0)

#define CHECK_EQ_STR(got, want)                                                                    \
    do {                                                                                           \
        const char *check_gs = (got), *check_ws = (want);                                          \
        check_count++;                                                                             \
        if (strcmp(check_gs, check_ws) != 0) {                                                     \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #got,         \
                    check_gs, check_ws);                                                           \
        }                                                                                          \
    } while (0)

#define CHECK_EQ_MEM(got, got_len, want, want_len)                                                 \
    do {                                                                                           \
        size_t check_gl = (got_len), check_wl = (want_len);                                        \
        check_count++;                                                                             \
        if (check_gl != check_wl || memcmp((got), (want), check_wl) != 0) {                        \
            check_failures++;                                                                      \
            fprintf(stderr, "%s:%d: %s differs from %s\n", __FILE__, __LINE__, #got, #want);       \
        }                                                                                          \
    } while (0)

#define RUN(test)                                                                                  \
    do {                                                                                           \
        int check_before = check_failures;                                                         \
        test();                                                                                    \
        printf("%s %s\n", check_failures == check_before ? "ok  " : "FAIL", #test);                \
    } while (0)

#define CHECK_DONE()                                                                               \
    (printf("%d checks, %d failed\n", check_count, check_failures), check_failures ? 1 : 0)

#endif
