/*
 * What both ways of minimal filtering share (winograd.h): convolution_3x3.c, whose blocks stay in a
 * core's cache, and convolution_wide.c, for so many channels that the filters do not.
 */
#ifndef AN_FILTERING_H
#define AN_FILTERING_H

#include "tensor/kernels/convolution.h"
#include "tensor/kernels/winograd.h"

enum { AN_TILES_APART = 16 }; /* floats between places, against strides of powers of two */

/* One filtering: `in` channels of planes of `size` to `out` channels of planes of `out_size`. */
typedef struct an_filtering {
    int64_t planes; /* images times groups */
    int64_t in, out, in_pitch, out_pitch;
    int64_t size[2], out_size[2], padding[2];
    int64_t rows, columns; /* of tiles in an image */
    int64_t block, blocks; /* rows of tiles that are taken at once, and their number */
} an_filtering;

/* x to y, or backward, dy to dx; the rows of tiles are one block. */
an_filtering an__filtering_of(const an_context *context, const an_conv *conv, bool backward);
/* Even blocks of at most `most` rows, or 1. */
void an__filtering_cut(an_filtering *f, int64_t most);

/* The pixels that `rows` rows of tiles from `first` on see of their input, and those of their
 * output. */
an_pixels an__filtering_input(const an_filtering *f, int64_t first, int64_t rows);
an_pixels an__filtering_output(const an_filtering *f, int64_t first, int64_t rows);

/* The kernels of all groups as matrices, one a place: floats, and how to fill them. */
int64_t an__filter_floats(const an_conv *conv, const an_filtering *f);
void an__filter_kernels(an_context *context, const an_conv *conv, const an_filtering *f,
                        const float *w, bool backward, float *places);
/* dw (+)= the transformed sum of `parts` such sets of matrices, which are spoiled. */
void an__filter_gradient(an_context *context, const an_conv *conv, const an_filtering *f,
                         int64_t parts, float *places, bool add, float *dw);

/* For many channels: whether it is worth it, and the same as convolution_3x3.c. */
bool an__conv_wide_fits(const an_conv *conv);
int64_t an__conv_filter_wide_space(const an_context *context, const an_conv *conv, bool backward);
int64_t an__conv_weight_wide_space(const an_context *context, const an_conv *conv);
void an__conv_forward_wide(an_context *context, const an_conv *conv, const float *x, const float *w,
                           const float *bias, bool relu, float *y, bool add, float *space);
void an__conv_data_wide(an_context *context, const an_conv *conv, const float *dy, const float *w,
                        float *dx, bool add, float *space);
void an__conv_weight_wide(an_context *context, const an_conv *conv, const float *x, const float *dy,
                          float *dw, bool add, float *space);

#endif
