/* What plain loops are written with, which the compiler turns into vector code. */
#ifndef AN_LOOPS_H
#define AN_LOOPS_H

#include <stdbool.h>

#define AN_INLINE static inline __attribute__((always_inline, unused))

/* Used in many places, none of which wants a copy. */
#define AN_SHARED static __attribute__((noinline, unused))

/* Before a loop whose result may lie in place of an operand: no iteration depends on another. */
#if defined(__GNUC__) && !defined(__clang__)
#define AN_INDEPENDENT _Pragma("GCC ivdep")
#else
#define AN_INDEPENDENT
#endif

AN_INLINE void an__put(float *at, float value, bool add)
{
    *at = add ? *at + value : value;
}

#endif
