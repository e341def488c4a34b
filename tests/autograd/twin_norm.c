/* Twins of the norms. */
#include "twin.h"

#include <math.h>
#include <stdlib.h>

/*
 * Each value by the mean and variance of those that `part` puts together with it, then weight and
 * bias of its `column`, inputs 1 and 2.
 */
typedef int64_t place_of(const setting *s, an_shape shape, int64_t index);

static void normalised(const setting *s, const twin *in, int count, bool centred, place_of part,
                       place_of column, twin *out)
{
    const int64_t size = in[0].size;
    double *mean = calloc((size_t)size + 1, sizeof *mean), *square = calloc((size_t)size + 1, 8);
    double *many = calloc((size_t)size + 1, sizeof *many);
    if (!mean || !square || !many)
        abort();
    for (int64_t i = 0; i < size; i++)
        many[part(s, in[0].shape, i)] += 1;
    for (int64_t i = 0; i < size && centred; i++)
        mean[part(s, in[0].shape, i)] += in[0].data[i] / many[part(s, in[0].shape, i)];
    for (int64_t i = 0; i < size; i++) {
        const int64_t p = part(s, in[0].shape, i);
        square[p] += pow(in[0].data[i] - mean[p], 2) / many[p];
    }
    twin_new(out, in[0].shape);
    for (int64_t i = 0; i < size; i++) {
        const int64_t p = part(s, in[0].shape, i), c = column(s, in[0].shape, i);
        out->data[i] = (in[0].data[i] - mean[p]) / sqrt(square[p] + s->eps);
        out->data[i] *= count > 1 ? in[1].data[c] : 1;
        out->data[i] += count > 2 ? in[2].data[c] : 0;
    }
    free(mean);
    free(square);
    free(many);
}

/* The values of the last s->dim dimensions. */
static int64_t row_size(const setting *s, an_shape shape)
{
    int64_t size = 1;
    for (int i = 0; i < s->dim; i++)
        size *= shape.dim[shape.ndim - 1 - i];
    return size;
}

static int64_t row_of(const setting *s, an_shape shape, int64_t index)
{
    return index / row_size(s, shape);
}

static int64_t place_in_row(const setting *s, an_shape shape, int64_t index)
{
    return index % row_size(s, shape);
}

static int64_t channel_of(const setting *s, an_shape shape, int64_t index)
{
    int64_t length = 1;
    (void)s;
    for (int i = 2; i < shape.ndim; i++)
        length *= shape.dim[i];
    return index / length % shape.dim[1];
}

static int64_t group_of(const setting *s, an_shape shape, int64_t index)
{
    const int64_t sample = an_shape_size(shape) / shape.dim[0];
    return index / sample * s->groups + channel_of(s, shape, index) / (shape.dim[1] / s->groups);
}

void twin_layer_norm(const setting *s, const twin *in, int count, twin *out)
{
    normalised(s, in, count, true, row_of, place_in_row, out);
}

void twin_rms_norm(const setting *s, const twin *in, int count, twin *out)
{
    normalised(s, in, count, false, row_of, place_in_row, out);
}

void twin_group_norm(const setting *s, const twin *in, int count, twin *out)
{
    normalised(s, in, count, true, group_of, channel_of, out);
}

void twin_batch_norm(const setting *s, const twin *in, int count, twin *out)
{
    if (s->training || !s->running) {
        normalised(s, in, count, true, channel_of, channel_of, out);
        return;
    }
    twin_new(out, in[0].shape);
    for (int64_t i = 0; i < out->size; i++) {
        const int64_t c = channel_of(s, in[0].shape, i);
        out->data[i] =
            (in[0].data[i] - (double)s->weights[c]) / sqrt((double)s->pos_weights[c] + s->eps);
        out->data[i] *= count > 1 ? in[1].data[c] : 1;
        out->data[i] += count > 2 ? in[2].data[c] : 0;
    }
}
