/* assert.h - tr_assert: a fact that only our own bug can break. On in release builds; prints the fact and
 * its place, then aborts. tr_debug_assert is for measured hot loops and vanishes under NDEBUG. */
#ifndef TR_BASE_ASSERT_H
#define TR_BASE_ASSERT_H

#define TR_LIKELY(x) __builtin_expect(!!(x), 1)
#define TR_UNLIKELY(x) __builtin_expect(!!(x), 0)

_Noreturn void tr_assert_failed(const char *fact, const char *file, int line);

#define tr_assert(fact)                                                                            \
    (TR_LIKELY(fact) ? (void)0 : tr_assert_failed(#fact, __FILE__, __LINE__))

#ifdef NDEBUG
#define tr_debug_assert(fact) ((void)0)
#else
#define tr_debug_assert(fact) tr_assert(fact)
#endif

#endif
