/*
 * numeric.h - included first by every source that computes schedule values.
 *
 * PyTorch computes its schedules in Python: one rounding per operation, left to right. These
 * sources do the same, whatever flags they are compiled with: no fused multiply-add (it would move
 * some values by one unit in the last place), and no reordering. (-ffp-contract=fast on clang's
 * command line is the one flag that no source can undo: an_lr_init refuses it. Clang's default,
 * also with -march=native, is fine.)
 */
#ifndef ANNEAL_LR_NUMERIC_H
#define ANNEAL_LR_NUMERIC_H

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "the schedules need IEEE arithmetic: compile them without -ffast-math, -Ofast or parts of it"
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include <math.h>

/*
 * For functions that are recursive or called from many places, and never in a hot path: one small
 * copy of each, also under -O3, which would unroll and inline them to half of the library's size.
 */
#if defined(__GNUC__)
#define AN__SMALL __attribute__((cold, noinline))
#else
#define AN__SMALL
#endif

/*
 * Around the functions of a source that makes, checks or saves schedules and is in no hot path:
 * they are compiled for size whatever the flags are.
 */
#if defined(__clang__)
#define AN__COLD_BEGIN \
    _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#define AN__COLD_END _Pragma("clang attribute pop")
#elif defined(__GNUC__)
#define AN__COLD_BEGIN _Pragma("GCC push_options") _Pragma("GCC optimize(\"Os\")")
#define AN__COLD_END _Pragma("GCC pop_options")
#else
#define AN__COLD_BEGIN
#define AN__COLD_END
#endif

#define AN__PI 0x1.921fb54442d18p+1

/* The largest integer parameter and step: beyond it a double no longer counts by ones. */
#define AN__LR_INTEGER_MAX 9007199254740992.0

#endif
