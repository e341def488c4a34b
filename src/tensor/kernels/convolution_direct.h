/*
 * How direct convolutions are cut: sizes that convolution_direct.c, convolution_phases.c
 * and convolution_weight.c share.
 */
#ifndef AN_CONVOLUTION_DIRECT_H
#define AN_CONVOLUTION_DIRECT_H

#include "tensor/kernels/convolution.h"
#include "tensor/kernels/winograd.h"

enum {
    AN_CONV_TAPS = 256,         /* of a chunk of channels, so that its weights stay in cache */
    AN_CONV_PLANES = 32 * 1024, /* floats of a padded chunk, unless a row takes more */
    AN_CONV_SUMS = 64 * 1024,   /* floats of y between two chunks */
    AN_CONV_ITEMS = 16,         /* at least so many, where that is possible */
    AN_CONV_SLACK = 16          /* floats that a vector may take beyond the planes */
};

static inline int64_t an__conv_taps(const an_conv *conv)
{
    return conv->kernel[0] * conv->kernel[1];
}

/* The taps of all channels. */
static inline int64_t an__conv_window(const an_conv *conv)
{
    return conv->channels * an__conv_taps(conv);
}

static inline int64_t an__conv_positions(const an_conv *conv)
{
    return conv->out_size[0] * conv->out_size[1];
}

static inline int64_t an__conv_pixels(const an_conv *conv)
{
    return conv->size[0] * conv->size[1];
}

static inline double an__conv_operations(const an_conv *conv)
{
    return (double)conv->images * (double)conv->groups * (double)conv->features *
           (double)an__conv_window(conv) * (double)an__conv_positions(conv);
}

/* A group's weights are (features, taps of all channels); turned, they are (these taps, pitch). */
static inline int64_t an__conv_group_weights(const an_conv *conv)
{
    return conv->features * an__conv_window(conv);
}

/* The taps of rows begin <= row < end of all groups' turned weights, as far as one group has them.
 */
static inline an_pixels an__conv_stretch(const an_conv *conv, int64_t pitch, int64_t begin,
                                         int64_t end)
{
    const int64_t taps = an__conv_window(conv), first = begin % taps;
    return (an_pixels){.channels = conv->features,
                       .pitch = pitch,
                       .height = 1,
                       .width = taps,
                       .first_column = first,
                       .rows = 1,
                       .columns = an__at_most(taps - first, end - begin)};
}

/* The channels that are padded and summed at once. */
static inline int64_t an__conv_chunk(const an_conv *conv)
{
    return an__at_most(an__at_least(AN_CONV_TAPS / an__conv_taps(conv), 1), conv->channels);
}

/* The form of `channels` padded channels for `rows` output rows. */
static inline an_padded an__conv_padded(const an_conv *conv, int64_t channels, int64_t rows)
{
    const int64_t width =
        (conv->out_size[1] - 1) * conv->stride[1] + (conv->kernel[1] - 1) * conv->dilation[1] + 1;
    const int64_t phase = an__divide_up(width, conv->stride[1]);
    return (an_padded){.channels = channels,
                       .rows = (rows - 1) * conv->stride[0] +
                               (conv->kernel[0] - 1) * conv->dilation[0] + 1,
                       .pitch = phase * conv->stride[1],
                       .phase = phase};
}

static inline int64_t an__conv_padded_floats(const an_conv *conv, int64_t rows)
{
    const an_padded form = an__conv_padded(conv, an__conv_chunk(conv), rows);
    return an__divide_up(form.channels * form.rows * form.pitch + AN_CONV_SLACK, AN_CONV_SLACK) *
           AN_CONV_SLACK;
}

/* `count` offsets, as floats of memory. */
static inline int64_t an__conv_offset_floats(int64_t count)
{
    const int64_t each = (int64_t)(sizeof(int64_t) / sizeof(float));
    return an__divide_up(count * each, AN_CONV_SLACK) * AN_CONV_SLACK;
}

/* Where each tap of a chunk sees its pixel. */
static inline void an__conv_tap_offsets(const an_conv *conv, const an_padded *form, int64_t *offset)
{
    const int64_t stride = conv->stride[1], across = conv->kernel[1], *first_row = offset;
    for (int64_t v = 0; v < across; v++) {
        const int64_t column = v * conv->dilation[1];
        offset[v] = column % stride * form->phase + column / stride;
    }
    for (int64_t c = 0; c < form->channels; c++)
        for (int64_t u = 0; u < conv->kernel[0]; u++, offset += across) {
            const int64_t row = (c * form->rows + u * conv->dilation[0]) * form->pitch;
            for (int64_t v = 0; v < across; v++)
                offset[v] = row + first_row[v];
        }
}

/* Where the first tap of each position of `rows` output rows sees its pixel. */
static inline void an__conv_position_offsets(const an_conv *conv, const an_padded *form,
                                             int64_t rows, int64_t *offset)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < conv->out_size[1]; j++)
            *offset++ = i * conv->stride[0] * form->pitch + j;
}

/*
 * Output rows of a block: as many as keep the padded chunk in cache, and `sums` floats a row, of
 * what is carried from chunk to chunk; fewer where there would not be AN_CONV_ITEMS of them.
 */
static inline int64_t an__conv_block_rows(const an_conv *conv, int64_t planes, int64_t sums)
{
    int64_t rows = conv->out_size[0];
    while (rows > 1 &&
           (an__conv_padded_floats(conv, rows) > AN_CONV_PLANES || rows * sums > AN_CONV_SUMS))
        rows = an__divide_up(rows, 2);
    const int64_t wanted = an__divide_up(AN_CONV_ITEMS, an__at_least(planes, 1));
    return an__at_least(an__at_most(rows, an__divide_up(conv->out_size[0], wanted)), 1);
}

/*
 * Rows first..first + rows of one image and group: channels of x to features of y, whose planes
 * have `height` rows and take these from row `top` on. Weights are (features, window), or where
 * features are in the lanes (window, pitch).
 */
typedef struct an_band {
    const an_context *context;
    const an_conv *conv;
    const float *x, *w, *bias; /* bias: NULL for none */
    an_epilogue epilogue;
    bool add;
    float *y;
    int64_t height, top, first, rows;
    int64_t pitch; /* of features in the lanes; 0: positions are */
} an_band;

/* `memory` has an__conv_band_floats, aligned to 64 bytes. */
void an__conv_band(const an_band *band, float *memory);
int64_t an__conv_band_floats(const an_conv *conv, int64_t rows, int64_t pitch);

/*
 * The pitch of features in the lanes, where they fill the vectors better than the positions of a
 * row, and enough taps repay turning them; 0 where positions are to be in the lanes.
 */
int64_t an__conv_pitch(const an_context *context, const an_conv *conv);

/* dx of windows that move by more than one. */
int64_t an__conv_data_phases_space(const an_context *context, const an_conv *conv);
void an__conv_data_phases(an_context *context, const an_conv *conv, const float *dy, const float *w,
                          float *dx, bool add, float *space);

#endif
