/*
 * Kernels over rows and columns: reductions and their spread, softmax.
 *
 * Every sum runs in double, in an order that depends on the shape alone: neither the number of
 * threads nor how the work is cut changes a bit. Functions that produce a gradient take `add`:
 * false writes, true adds.
 */
#ifndef AN_KERNELS_ROWS_H
#define AN_KERNELS_ROWS_H

#include "tensor/kernels/kernels.h"
#include "tensor/kernels/pointwise.h"

/* A contiguous block seen as `count` rows of `inner` values: the reduced dimension is `count`. */
typedef struct an_block {
    int64_t count, inner;
} an_block;

struct an_rows_table {
    /* The sum of n values: sixteen interleaved sums, added in order. */
    double (*sum)(int64_t n, const float *x);

    /* y[i] = scale * the sum over the rows of x, for columns begin <= i < end of the block. */
    void (*column_sums)(an_block block, int64_t begin, int64_t end, float *y, const float *x,
                        double scale, bool add);
    /* dx[k][i] = scale * dy[i], the derivative of column_sums, for the whole block. */
    void (*spread)(an_block block, float *dx, const float *dy, float scale, bool add);
    /* The largest of each column and the row where it stands first; NaN counts as the largest. */
    void (*column_max)(an_block block, float *y, int64_t *where, const float *x);

    /*
     * The end of a fused product, for columns begin <= i < end of `rows` rows of `columns`:
     * dz = dy * activation'(y), in place, and (db not NULL) db[i] = the sum of dz over the rows.
     * `activation` is AN_UNARY_RELU, TANH or SIGMOID, or AN_UNARY_AFFINE for none.
     */
    void (*activation_sums)(an_block block, int64_t begin, int64_t end, an_unary activation,
                            float *dz, const float *y, float *db, bool add);

    /* Softmax of each row, after subtracting its largest value. */
    void (*softmax)(int64_t rows, int64_t columns, float *y, const float *x);
    /* dx = y (dy - the sum over the row of dy y) */
    void (*softmax_backward)(int64_t rows, int64_t columns, float *dx, const float *dy,
                             const float *y, bool add);
    /* The same over the columns of a block. */
    void (*softmax_columns)(an_block block, float *y, const float *x);
    void (*softmax_columns_backward)(an_block block, float *dx, const float *dy, const float *y,
                                     bool add);
    /* y = (x - m) - log(the sum over the row of e^(x - m)), m the row's largest value */
    void (*log_softmax)(int64_t rows, int64_t columns, float *y, const float *x);
    /* dx = dy - e^y (the sum over the row of dy) */
    void (*log_softmax_backward)(int64_t rows, int64_t columns, float *dx, const float *dy,
                                 const float *y, bool add);
    /* y (columns, rows) = x (rows, columns) turned */
    void (*transpose)(int64_t rows, int64_t columns, float *y, const float *x, bool add);
};

extern const an_rows_table an__rows_table_128, an__rows_table_256, an__rows_table_512;

#endif
