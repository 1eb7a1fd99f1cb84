/* glob.h - Redis' glob-style patterns on bytes.
 *
 *   *  any bytes       ?  any one byte      \x  the byte x itself
 *   [abc]  [a-z]  [^a-z]  one byte (not) of the set; \x inside stands for x; a range may be
 *                         given backwards and orders bytes as signed numbers
 *
 * Odd ends mean what they mean in Redis: a set without ']' ends with the pattern, a last '\' is
 * itself, an empty text is matched by an empty pattern only (not even by "*"). Only the last '*'
 * that was passed is ever tried again, so that the work is at most pattern x text; a match that
 * takes more than TR_GLOB_STEPS_MAX steps is given up as none (a hostile pattern can't hang the
 * server).
 */
#ifndef TR_BASE_GLOB_H
#define TR_BASE_GLOB_H

#include <stddef.h>

#define TR_GLOB_STEPS_MAX (1 << 26)

/* 1: the whole of s matches the whole of pattern. nocase folds ASCII letters (but not behind a '\'
 * in a set). */
int tr_glob_match(const char *pattern, size_t pattern_len, const char *s, size_t len, int nocase);

#endif
