/*
 * Normalisation: moments, and what batch, group and layer norms make of them.
 *
 * Rows are contiguous and have a weight and a bias for each column (layer norm, RMS norm). Pieces
 * are `count` runs of `length` floats, the first at the pointer and each `step` behind the last: a
 * channel of a batch (n, channels, length), or with count 1 a group of channels. Columns are those
 * of a matrix, for channels of few values each.
 *
 * Sums run in float over at most 4096 values and in double over these, in an order that depends on
 * the shape alone. Functions that produce a gradient take `add`: false writes, true adds.
 */
#ifndef AN_KERNELS_NORMS_H
#define AN_KERNELS_NORMS_H

#include "tensor/kernels/kernels.h"

typedef struct an_pieces {
    int64_t count, length, step;
} an_pieces;

/* The mean of values, and the sum of the squares of their distances from it. */
typedef struct an_moments {
    double mean, squares;
} an_moments;

/* Rows of `columns`; weight and bias may be NULL. Not centred: the mean counts as 0 (RMS norm). */
typedef struct an_norm_rows {
    int64_t columns;
    const float *weight, *bias;
    double eps;
    bool centred;
} an_norm_rows;

/* What backward adds up over rows: dw = the sum of dy (x - mean) rstd, db of dy; or NULL. */
typedef struct an_norm_sums {
    float *weight, *bias;
} an_norm_sums;

/* A group of channels that share a mean: `channels` runs of `length` floats, one after the other.
 * weight and bias, of each channel, may be NULL. */
typedef struct an_norm_group {
    int64_t channels, length;
    const float *weight, *bias;
    float mean, rstd;
} an_norm_group;

struct an_norms_table {
    /* y = (x - mean) rstd weight + bias; rstd = 1 / sqrt(the mean square + eps). */
    void (*rows)(const an_norm_rows *s, int64_t rows, float *y, const float *x, float *mean,
                 float *rstd);
    /* With g = dy weight and z = (x - mean) rstd: dx = rstd (g - mean(g) - z mean(g z)), the
     * second term only where centred; dx may be NULL. Adds to `sums`. */
    void (*rows_backward)(const an_norm_rows *s, int64_t rows, float *dx, const float *dy,
                          const float *x, const float *mean, const float *rstd,
                          const an_norm_sums *sums, bool add);

    an_moments (*moments)(an_pieces pieces, const float *x);
    /* y = (x - mean) scale + shift */
    void (*normalise)(an_pieces pieces, float *y, const float *x, float mean, float scale,
                      float shift);
    /* The sums of dy and of dy (x - mean). */
    void (*sums)(an_pieces pieces, const float *dy, const float *x, float mean, double *of_dy,
                 double *of_product);
    /* dx = a dy + b (x - mean) + c */
    void (*combine)(an_pieces pieces, float *dx, const float *dy, const float *x, float mean,
                    const float *abc, bool add);

    /* The last three for a group: y = (x - mean) rstd weight + bias; the sums of each channel;
     * dx = rstd weight dy + b (x - mean) + c. */
    void (*group_normalise)(const an_norm_group *g, float *y, const float *x);
    void (*group_sums)(const an_norm_group *g, const float *dy, const float *x, double *of_dy,
                       double *of_product);
    void (*group_combine)(const an_norm_group *g, float *dx, const float *dy, const float *x,
                          float b, float c, bool add);

    /* The four of pieces for columns begin <= i < end of a matrix of `rows` rows and `columns`; one
     * mean, scale, ... a column. */
    void (*column_moments)(int64_t rows, int64_t columns, int64_t begin, int64_t end,
                           const float *x, an_moments *out);
    void (*column_normalise)(int64_t rows, int64_t columns, int64_t begin, int64_t end, float *y,
                             const float *x, const float *mean, const float *scale,
                             const float *shift);
    void (*column_sums)(int64_t rows, int64_t columns, int64_t begin, int64_t end, const float *dy,
                        const float *x, const float *mean, double *of_dy, double *of_product);
    void (*column_combine)(int64_t rows, int64_t columns, int64_t begin, int64_t end, float *dx,
                           const float *dy, const float *x, const float *mean, const float *a,
                           const float *b, const float *c, bool add);
};

extern const an_norms_table an__norms_table_128, an__norms_table_256, an__norms_table_512;

#endif
