/* glob.h - Redis' glob-style patterns: * ? [abc] [^a-c] and \ as escape, on bytes.
 * Work is bounded by TR_GLOB_STEPS_MAX recursion steps per star (a hostile pattern can't hang the server). */
#ifndef TR_BASE_GLOB_H
#define TR_BASE_GLOB_H

#include <stddef.h>

/* 1: the whole of s matches the whole of pattern. nocase folds ASCII letters. */
int tr_glob_match(const char *pattern, size_t pattern_len, const char *s, size_t len, int nocase);

#endif
