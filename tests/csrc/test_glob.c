/* Aim: patterns match what they match in Redis, reading no byte too many, in bounded time. Method:
 * the table that the Python matcher is held against too, each pattern and text at the end of a
 * page; then hostile patterns. */
#include "base/glob.h"

#include <stdlib.h>

#include "check.h"
#include "guard.h"

typedef struct field {
    char bytes[256];
    size_t len;
} field;

/* \xHH stands for that byte; fields end at a tab or at the line's end. Returns what follows the
 * tab. */
static const char *take_field(const char *at, field *out) {
    out->len = 0;
    while (*at != '\t' && *at != '\n' && *at != '\0') {
        tr_assert(out->len < sizeof(out->bytes));
        if (at[0] == '\\') {
            char digits[3] = {at[2], at[3], '\0'};
            tr_assert(at[1] == 'x');
            out->bytes[out->len++] = (char)strtol(digits, NULL, 16);
            at += 4;
        } else {
            out->bytes[out->len++] = *at++;
        }
    }
    return *at == '\t' ? at + 1 : at;
}

static void check_line(const char *line, guard *patterns, guard *texts) {
    field ignore_case;
    field pattern;
    field text;
    field match;
    take_field(take_field(take_field(take_field(line, &ignore_case), &pattern), &text), &match);
    tr_assert(ignore_case.len == 1 && match.len == 1);
    const char *p = guard_put(patterns, pattern.bytes, pattern.len);
    const char *s = guard_put(texts, text.bytes, text.len);
    int got = tr_glob_match(p, pattern.len, s, text.len, ignore_case.bytes[0] == 'i');
    CHECK_EQ_INT(got, match.bytes[0] == '1');
    if (got != (match.bytes[0] == '1')) fprintf(stderr, "  in: %s", line);
}

static void test_table(void) {
    const char *folder = getenv("TESTS_DATA");
    char path[4096];
    tr_assert(folder != NULL); /* the build's test runner sets it */
    snprintf(path, sizeof(path), "%s/globs.txt", folder);
    FILE *file = fopen(path, "r");
    tr_assert(file != NULL);
    guard patterns = guard_new(256);
    guard texts = guard_new(256);
    char line[1024];
    int rows = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#') continue;
        check_line(line, &patterns, &texts);
        rows++;
    }
    CHECK(rows > 2000);
    guard_free(&patterns);
    guard_free(&texts);
    fclose(file);
}

/* a*a*a*...b against aaaa...: what takes the rest of the universe when every star is tried
 * again. */
static void test_many_stars(void) {
    char pattern[801];
    char text[4000];
    for (int i = 0; i < 800; i += 2) memcpy(pattern + i, "a*", 2);
    pattern[800] = 'b';
    memset(text, 'a', sizeof(text));
    CHECK_EQ_INT(tr_glob_match(pattern, 801, text, sizeof(text), 0), 0);
    CHECK_EQ_INT(tr_glob_match(pattern, 800, text, sizeof(text), 0), 1);
    text[sizeof(text) - 1] = 'b';
    CHECK_EQ_INT(tr_glob_match(pattern, 801, text, sizeof(text), 0), 1);
    memset(pattern, '*', sizeof(pattern));
    CHECK_EQ_INT(tr_glob_match(pattern, sizeof(pattern), text, sizeof(text), 0), 1);
}

/* pattern x text is 2^38 steps here, too many: given up. The same text is fine when the work is
 * small. */
static void test_gives_up(void) {
    size_t n = (size_t)1 << 20;
    size_t pattern_len = n / 4;
    char *text = malloc(n);
    char *pattern = malloc(pattern_len);
    tr_assert(text != NULL && pattern != NULL);
    memset(text, 'a', n);
    memset(pattern, 'a', pattern_len);
    pattern[0] = '*';
    pattern[pattern_len - 1] = 'b';
    text[n - 1] = 'b';
    CHECK_EQ_INT(tr_glob_match(pattern, pattern_len, text, n, 0), 0);
    CHECK_EQ_INT(tr_glob_match("*aaaaaaab", 9, text, n, 0), 1);
    memset(pattern, 'x', pattern_len); /* a set is as many steps as it has bytes */
    pattern[0] = '*';
    pattern[1] = '[';
    pattern[pattern_len - 2] = 'b';
    pattern[pattern_len - 1] = ']';
    CHECK_EQ_INT(tr_glob_match(pattern, pattern_len, text, n, 0), 0);
    CHECK_EQ_INT(tr_glob_match(pattern, pattern_len, text + n - 100, 100, 0), 1);
    free(text);
    free(pattern);
}

int main(void) {
    RUN(test_table);
    RUN(test_many_stars);
    RUN(test_gives_up);
    return CHECK_DONE();
}
