/*
 * Loops over a row that several kernel sources share: sums, and the steps of a softmax. Included by
 * kernel sources only.
 */
#ifndef AN_KERNEL_ROW_LOOPS_H
#define AN_KERNEL_ROW_LOOPS_H

#include "tensor/kernels/elementary.h"

enum {
    AN_ACCUMULATORS = 16, /* of a sum: one 512-bit vector of floats holds sixteen */
    AN_CHUNK = 4096       /* floats that a softmax holds in the first-level cache */
};

static inline double an__lanes_total(const double *lane)
{
    double total = 0;
    for (int i = 0; i < AN_ACCUMULATORS; i++)
        total += lane[i];
    return total;
}

/* The sum of n values: sixteen interleaved sums whatever the width, added in order. */
static inline double an__sum(int64_t n, const float *x)
{
    double lane[AN_ACCUMULATORS] = {0};
    int64_t i = 0;
    for (; i + AN_ACCUMULATORS <= n; i += AN_ACCUMULATORS)
        for (int j = 0; j < AN_ACCUMULATORS; j++)
            lane[j] += (double)x[i + j];
    for (int j = 0; i + j < n; j++)
        lane[j] += (double)x[i + j];
    return an__lanes_total(lane);
}

/*
 * The rows whose values fit in one chunk. Short rows are shifted one by one but exponentiated
 * together, in full vectors: ten classes a row would leave most lanes idle.
 */
static inline int64_t an__rows_at_once(int64_t columns)
{
    return columns < AN_CHUNK ? AN_CHUNK / columns : 1;
}

/* The largest of n values, n at least 1; NaN may be lost, the caller's sums bring it back. */
static inline float an__largest(int64_t n, const float *x)
{
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
