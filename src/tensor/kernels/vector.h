/*
 * Vectors of the width that this source is compiled for, in GNU C: the arithmetic operators work
 * on them lane by lane. The width never exceeds the target's registers (a wider type is split by
 * the compiler, badly). Included by kernel sources only.
 *
 * What the operators do not cover stands here: unaligned and partial loads and stores, selection,
 * minimum and maximum, square root, sums across lanes.
 */
#ifndef AN_VECTOR_H
#define AN_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "tensor/kernels/loops.h"

#ifndef AN_KERNEL_BITS
#error "kernel sources are compiled once per width, with AN_KERNEL_BITS set by meson.build"
#endif

enum { AN_LANES = AN_KERNEL_BITS / 32 };

typedef float an_vec __attribute__((vector_size(AN_KERNEL_BITS / 8)));
typedef int32_t an_ivec __attribute__((vector_size(AN_KERNEL_BITS / 8)));
/* The same, at any address and as a view of anything. */
typedef float an_vec_any __attribute__((vector_size(AN_KERNEL_BITS / 8), aligned(4), may_alias));

/* Before a loop of constant length whose variables must stay in registers. Not under sanitizers,
 * whose checks of every access clang would take minutes to unroll. */
#if defined(AN_KERNEL_ROLLED)
#define AN_UNROLL
#elif defined(__clang__)
#define AN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define AN_UNROLL _Pragma("GCC unroll 16")
#endif

AN_INLINE an_vec an__vload(const float *p)
{
    return *(const an_vec_any *)p;
}

AN_INLINE void an__vstore(float *p, an_vec v)
{
    *(an_vec_any *)p = v;
}

AN_INLINE an_vec an__vsplat(float x)
{
    return x - (an_vec){0}; /* not +: -0 + 0 is +0 */
}

#if defined(__x86_64__) && AN_KERNEL_BITS == 512

/* The first `count` lanes (0..AN_LANES) from p, zero in the others. Touches nothing beyond. */
AN_INLINE an_vec an__vload_part(const float *p, int count)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1u), p);
}

/* The first `count` lanes to p. */
AN_INLINE void an__vstore_part(float *p, an_vec v, int count)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1u), v);
}

/* a > b ? a : b in each lane: b where either is NaN. */
AN_INLINE an_vec an__vmax(an_vec a, an_vec b)
{
    return _mm512_max_ps(a, b);
}

/* a < b ? a : b in each lane: b where either is NaN. */
AN_INLINE an_vec an__vmin(an_vec a, an_vec b)
{
    return _mm512_min_ps(a, b);
}

AN_INLINE an_vec an__vsqrt(an_vec v)
{
    return _mm512_sqrt_ps(v);
}

#elif defined(__x86_64__) && AN_KERNEL_BITS == 256

AN_INLINE __m256i an__vmask(int count)
{
    const an_ivec lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return (__m256i)(lane < count);
}

AN_INLINE an_vec an__vload_part(const float *p, int count)
{
    return _mm256_maskload_ps(p, an__vmask(count));
}

AN_INLINE void an__vstore_part(float *p, an_vec v, int count)
{
    _mm256_maskstore_ps(p, an__vmask(count), v);
}

AN_INLINE an_vec an__vmax(an_vec a, an_vec b)
{
    return _mm256_max_ps(a, b);
}

AN_INLINE an_vec an__vmin(an_vec a, an_vec b)
{
    return _mm256_min_ps(a, b);
}

AN_INLINE an_vec an__vsqrt(an_vec v)
{
    return _mm256_sqrt_ps(v);
}

#else

AN_INLINE an_vec an__vload_part(const float *p, int count)
{
    an_vec v = {0};
    for (int i = 0; i < count; i++)
        v[i] = p[i];
    return v;
}

AN_INLINE void an__vstore_part(float *p, an_vec v, int count)
{
    for (int i = 0; i < count; i++)
        p[i] = v[i];
}

AN_INLINE an_vec an__vmax(an_vec a, an_vec b)
{
#if defined(__x86_64__)
    return _mm_max_ps(a, b);
#else
    const an_ivec greater = (an_ivec)(a > b);
    return (an_vec)((greater & (an_ivec)a) | (~greater & (an_ivec)b));
#endif
}

AN_INLINE an_vec an__vmin(an_vec a, an_vec b)
{
#if defined(__x86_64__)
    return _mm_min_ps(a, b);
#else
    const an_ivec less = (an_ivec)(a < b);
    return (an_vec)((less & (an_ivec)a) | (~less & (an_ivec)b));
#endif
}

AN_INLINE an_vec an__vsqrt(an_vec v)
{
    for (int i = 0; i < AN_LANES; i++)
        v[i] = sqrtf(v[i]);
    return v;
}

#endif

/* How many lanes the next vector of `count` values fills. */
AN_INLINE int an__lanes(int64_t count)
{
    return count < AN_LANES ? (int)count : AN_LANES;
}

/* The first `lanes` lanes, or the whole vector where there are more. */
AN_INLINE an_vec an__vload_lanes(const float *p, int64_t lanes)
{
    return lanes >= AN_LANES ? an__vload(p) : an__vload_part(p, (int)lanes);
}

AN_INLINE void an__vstore_lanes(float *p, an_vec v, int64_t lanes)
{
    if (lanes >= AN_LANES)
        an__vstore(p, v);
    else
        an__vstore_part(p, v, (int)lanes);
}

/* a where the lane of `mask` (the result of a comparison) is all ones, b where it is zero. */
AN_INLINE an_vec an__vselect(an_ivec mask, an_vec a, an_vec b)
{
    return (an_vec)((mask & (an_ivec)a) | (~mask & (an_ivec)b));
}

AN_INLINE an_vec an__vabs(an_vec v)
{
    return (an_vec)((an_ivec)v & 0x7fffffff);
}

/*
 * The lanes from `half` on brought to the front. Written as shuffles because compilers take a loop
 * over an array of lanes through memory, several times slower.
 */
#if AN_KERNEL_BITS == 512
#define AN_TURN_8(v) \
    __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define AN_TURN_4(v) \
    __builtin_shufflevector(v, v, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3)
#define AN_TURN_2(v) \
    __builtin_shufflevector(v, v, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1)
#elif AN_KERNEL_BITS == 256
#define AN_TURN_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define AN_TURN_2(v) __builtin_shufflevector(v, v, 2, 3, 4, 5, 6, 7, 0, 1)
#else
#define AN_TURN_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1)
#endif

/* The sum of all lanes, halves first: a fixed order. */
AN_INLINE float an__vsum(an_vec v)
{
#if AN_KERNEL_BITS == 512
    v += AN_TURN_8(v);
#endif
#if AN_KERNEL_BITS >= 256
    v += AN_TURN_4(v);
#endif
    v += AN_TURN_2(v);
    return v[0] + v[1];
}

/* The largest lane; NaN lanes may be lost. */
AN_INLINE float an__vmax_lane(an_vec v)
{
#if AN_KERNEL_BITS == 512
    v = an__vmax(v, AN_TURN_8(v));
#endif
#if AN_KERNEL_BITS >= 256
    v = an__vmax(v, AN_TURN_4(v));
#endif
    v = an__vmax(v, AN_TURN_2(v));
    return v[0] > v[1] ? v[0] : v[1];
}

#endif
