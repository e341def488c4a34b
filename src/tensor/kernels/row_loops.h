/*
 * Loops over a row that several kernel sources share: the steps of a softmax. Included by kernel
 * sources only.
 */
#ifndef AN_KERNEL_ROW_LOOPS_H
#define AN_KERNEL_ROW_LOOPS_H

#include "tensor/kernels/elementary.h"
#include "tensor/kernels/sums.h"
#include "tensor/kernels/vector.h"

/* Floats that a softmax holds in the first-level cache. */
enum { AN_CHUNK = 4096 };

/*
 * The rows whose values fit in one chunk. Short rows are shifted one by one but exponentiated
 * together, in full vectors: ten classes a row would leave most lanes idle.
 */
static inline int64_t an__rows_at_once(int64_t columns)
{
    return columns < AN_CHUNK ? AN_CHUNK / columns : 1;
}

/*
 * The largest of n values, n at least 1; NaN may be lost, the caller's sums bring it back. The last
 * vector may count values twice. Compilers leave a maximum scalar, on account of NaN.
 */
static inline float an__largest(int64_t n, const float *x)
{
    if (n >= AN_LANES) {
        an_vec best = an__vload(x + n - AN_LANES);
        for (int64_t i = 0; i + AN_LANES < n; i += AN_LANES)
            best = an__vmax(best, an__vload(x + i));
        return an__vmax_lane(best);
    }
    float best = x[0];
    for (int64_t i = 1; i < n; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

static inline void an__shift_rows(int64_t rows, int64_t columns, float *y, const float *x)
{
    for (int64_t r = 0; r < rows; r++, x += columns, y += columns) {
        float top = an__largest(columns, x);
        for (int64_t i = 0; i < columns; i++)
            y[i] = x[i] - top;
    }
}

static inline void an__exponentiate(int64_t n, float *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = an__exp(x[i]);
}

static inline void an__scale_row(int64_t n, float *x, float factor)
{
    for (int64_t i = 0; i < n; i++)
        x[i] *= factor;
}

#endif
