/*
 * Convolutions of images, and the three products that training them takes.
 *
 * Images are NCHW: x (images, groups * channels, height, width), y (images, groups * features,
 * out_height, out_width); the weight w is (groups * features, channels, kernel[0], kernel[1]).
 * With stride s, padding p, dilation d, in each group and for each image
 *
 *   y[f, i, j] = sum over c, u, v of w[f, c, u, v] x[c, i s0 - p0 + u d0, j s1 - p1 + v d1]
 *
 * where x is 0 outside of the image. A tap is one (c, u, v).
 *
 * Three methods: direct sums (convolution_direct.c and convolution_weight.c, everything); F. and S.
 * Winograd's minimal filtering for windows of 3x3 that move by one, which takes 4/9 of the
 * multiplications (convolution_3x3.c; convolution_wide.c where there are many channels); products
 * of matrices for single pixels (convolution_1x1.c). Which one runs depends on the sizes alone.
 */
#ifndef AN_CONV_H
#define AN_CONV_H

#include "tensor/kernels/gemm.h"

/* Index 0 is the vertical direction, 1 the horizontal one. */
typedef struct an_conv {
    int64_t images, groups;
    int64_t channels, features; /* of one group */
    int64_t size[2], out_size[2];
    int64_t kernel[2], stride[2], dilation[2];
    int64_t padding[2]; /* zeros above and on the left; what is read below and right follows */
} an_conv;

/* A kernel has at most this many values, in all of its rows. */
enum { AN_CONV_MAX_KERNEL = 65536 };

/* y = epilogue((y +) the convolution of x with w + bias); bias (groups * features) or NULL. */
void an__conv_forward(an_context *context, const an_conv *conv, const float *x, const float *w,
                      const float *bias, an_epilogue epilogue, float *y, bool add, float *space);
/* dx (+)= the derivative by x; dy is (images, groups * features, out_size). */
void an__conv_data(an_context *context, const an_conv *conv, const float *dy, const float *w,
                   float *dx, bool add, float *space);
/* dw (+)= the derivative by w. */
void an__conv_weight(an_context *context, const an_conv *conv, const float *x, const float *dy,
                     float *dw, bool add, float *space);

/* How many floats `space` must have, aligned to 64 bytes, for each of the three. May be 0. */
int64_t an__conv_forward_space(const an_context *context, const an_conv *conv);
int64_t an__conv_data_space(const an_context *context, const an_conv *conv);
int64_t an__conv_weight_space(const an_context *context, const an_conv *conv);

/* A thread's memory for images and transformed tiles, behind that of the products: in floats. */
enum { AN_CONV_SCRATCH = 256 * 1024 };

/*
 * Some channels of an image with their padding, `rows` rows of `pitch` floats a channel. A row is
 * cut into stride[1] phases of `phase` floats, column X standing at (X % stride) * phase +
 * X / stride: so the pixels that one tap sees from neighbouring positions are neighbours.
 */
typedef struct an_padded {
    int64_t channels, rows, pitch, phase;
    int64_t first_row; /* in the image; negative in the padding */
} an_padded;

/* Output rows of one image by padded channels; `taps` of them, at offset[tap] from a position's. */
typedef struct an_direct {
    int64_t taps;
    const int64_t *offset;
    const float *padded;
    int64_t row_step; /* floats in `padded` from one output row to the next */
    int64_t rows, columns;
    int64_t plane; /* floats of a padded channel, where windows are 3x3 neighbours; otherwise 0 */
} an_direct;

/* y[f * plane + i * columns + j] (+)= the sum over taps of w[f * w_step + tap] x, then the rest. */
typedef struct an_direct_sums {
    int64_t features, w_step, plane;
    const float *w, *bias; /* bias NULL: none (yet) */
    bool add;
    an_epilogue epilogue;
    float *y;
} an_direct_sums;

/*
 * A product of matrices whose left one is pixels: x[row[i] + step[k]] in row i < rows, column
 * k < depth. Rows are positions and the depth taps, or the other way round. From each multiple of
 * `run` on, so many rows see neighbours: row[i + 1] = row[i] + 1; rows are a multiple of it.
 */
typedef struct an_gathered {
    int64_t rows, depth, run;
    const int64_t *row, *step;
    const float *x;
} an_gathered;

/* By the kernels of one width; x is one group's channels of one image. */
struct an_conv_table {
    /* Channels channel.. of x. */
    void (*pad)(const an_conv *conv, const an_padded *form, int64_t channel, const float *x,
                float *padded);
    void (*sums)(const an_direct *direct, const an_direct_sums *job);
    /* out (rows, pitch) (+)= the gathered matrix times `right` (depth, pitch) */
    void (*gathered)(const an_gathered *g, int64_t pitch, const float *right, float *out, bool add);
    /* dw[tap] (+)= the sum over positions of x and one feature's dy, row after row */
    void (*feature_weights)(const an_direct *direct, const float *dy, float *dw, bool add);
    /* row[j] (+)= phases[j % stride * step + j / stride], for j < width */
    void (*weave)(int64_t stride, int64_t width, const float *phases, int64_t step, bool add,
                  float *row);
    /* y[i] = the sum over parts of x[part * step + i], for begin <= i < end */
    void (*sum_parts)(int64_t parts, int64_t step, int64_t begin, int64_t end, const float *x,
                      float *y);
    /* sum[i] = the sum of a plane's n values, in double, for planes begin <= i < end */
    void (*plane_sums)(int64_t n, int64_t begin, int64_t end, const float *x, double *sum);
};

#endif
