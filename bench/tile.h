/*
 * bench/tile.h - the arithmetic of bound.c: one register tile, used for all three products.
 *
 * Forward, weight gradient and input gradient are the same sum
 *
 *     acc[i][j] += sum over t of  a[i * step_i + t * step_t] * b[t * width + j]
 *
 * with different strides of `a`: scalars of `a` are broadcast, `b` is read in whole vectors. So no
 * operand is ever transposed or packed for a product.
 */
#ifndef BENCH_TILE_H
#define BENCH_TILE_H

#include <stddef.h>

/*
 * The widest vectors of the machine that compiles, a tile that fills its registers, and the rows of
 * a tile of the last layer, which is one class row wide.
 */
#if defined(__AVX512F__)
#define LANES 16
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define CLASS_ROWS 16
#elif defined(__AVX__)
#define LANES 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define CLASS_ROWS 4
#else
#define LANES 4
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define CLASS_ROWS 2
#endif

/* Output features that one pass computes: the width of a panel of weights. */
#define PANEL (LANES * TILE_VECTORS)
/* Ten classes, padded so that they fill vectors of any width. */
#define CLASSES 10
#define CLASS_PAD 16
#define CLASS_VECTORS (CLASS_PAD / LANES)
#define MAX_VECTORS (CLASS_VECTORS > TILE_VECTORS ? CLASS_VECTORS : TILE_VECTORS)
/* Batches are computed in whole blocks of rows; the rows that pad one have no gradient. */
#define ROW_BLOCK 16

typedef float vec
    __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
typedef int lane_index __attribute__((vector_size(LANES * sizeof(int))));

#define INLINE static inline __attribute__((always_inline))
/* Before a loop of constant length whose variables must stay in registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

INLINE vec load(const float *p)
{
    return *(const vec *)p;
}

INLINE void store(float *p, vec v)
{
    *(vec *)p = v;
}

/* v in the lanes where x > 0, else 0. */
INLINE vec where_positive(vec x, vec v)
{
    vec zero = {0};
    return (vec)((lane_index)v & (x > zero));
}

/* `acc` is rows x vectors; both are constants wherever this is called, so it lives in registers. */
INLINE void tile(int rows, int vectors, size_t count, const float *a, size_t step_i, size_t step_t,
                 const float *b, size_t width, vec *acc)
{
    for (size_t t = 0; t < count; t++) {
        vec row[MAX_VECTORS];
        UNROLL
        for (int v = 0; v < vectors; v++)
            row[v] = load(b + t * width + (size_t)v * LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            float scalar = a[(size_t)i * step_i + t * step_t];
            UNROLL
            for (int v = 0; v < vectors; v++)
                acc[i * vectors + v] += scalar * row[v];
        }
    }
}

/* Lane j of the result is lane index[j] of a and b laid end to end. */
INLINE vec pick(vec a, vec b, lane_index index)
{
#if defined(__clang__)
    vec out;
    UNROLL
    for (int j = 0; j < LANES; j++)
        out[j] = index[j] < LANES ? a[index[j] % LANES] : b[index[j] % LANES];
    return out;
#else
    return __builtin_shuffle(a, b, index);
#endif
}

/* Transposes LANES vectors of LANES: log2(LANES) rounds, each exchanging blocks of s lanes. */
INLINE void transpose(vec *r)
{
    UNROLL
    for (int s = 1; s < LANES; s *= 2) {
        lane_index low, high;
        for (int j = 0; j < LANES; j++) {
            low[j] = j & s ? LANES + j - s : j;
            high[j] = j & s ? LANES + j : j + s;
        }
        UNROLL
        for (int i = 0; i < LANES; i++)
            if (!(i & s)) {
                vec a = r[i], b = r[i + s];
                r[i] = pick(a, b, low);
                r[i + s] = pick(a, b, high);
            }
    }
}

#endif
