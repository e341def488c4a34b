/* Cases and twins of the operations on images. */
#include <math.h>
#include <string.h>

#include "cases.h"

static int64_t below(an_rng *rng, int64_t n)
{
    return (int64_t)an_rng_below(rng, (uint64_t)n);
}

static void pair(an_rng *rng, int64_t out[2], int64_t least, int64_t count)
{
    for (int axis = 0; axis < 2; axis++)
        out[axis] = least + below(rng, count);
}

/* ------------------------------------------------------------------- conv2d */

/* 3x3 windows over enough channels: what the library computes by minimal filtering. */
static void conv_3x3(an_rng *rng, bool large, an_shape *shapes, setting *s)
{
    const int64_t channels = 8, features = 8 + below(rng, 2);
    s->conv.groups = 1;
    pair(rng, s->conv.padding, 0, 3);
    shapes[0] = an_shape_4(large ? 18 : 1, channels * s->conv.groups, large ? 11 : 4,
                           large ? 12 : 3 + below(rng, 3));
    shapes[1] = an_shape_4(features * s->conv.groups, channels, 3, 3);
}

static void conv_any(an_rng *rng, bool large, an_shape *shapes, setting *s)
{
    const int64_t channels = 1 + below(rng, 2), features = 1 + below(rng, 3);
    int64_t kernel[2], size[2];
    s->conv.groups = 1 + below(rng, 2);
    pair(rng, kernel, 1, 3);
    pair(rng, s->conv.stride, 0, 4);
    pair(rng, s->conv.dilation, 0, 3);
    pair(rng, s->conv.padding, 0, 3);
    s->conv.same = below(rng, 4) == 0;
    for (int axis = 0; axis < 2; axis++) {
        const int64_t step = s->conv.dilation[axis] ? s->conv.dilation[axis] : 1;
        const int64_t reach = (kernel[axis] - 1) * step + 1 - 2 * s->conv.padding[axis];
        if (s->conv.same)
            s->conv.stride[axis] = s->conv.padding[axis] = 0;
        size[axis] = (reach > 1 ? reach : 1) + below(rng, large ? 40 : 3);
    }
    shapes[0] =
        an_shape_4(large ? 37 : 1 + below(rng, 2), channels * s->conv.groups, size[0], size[1]);
    shapes[1] = an_shape_4(features * s->conv.groups, channels, kernel[0], kernel[1]);
}

void make_conv2d(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    (below(rng, 3) == 0 ? conv_3x3 : conv_any)(rng, large, shapes, s);
    *count = 2 + (int)below(rng, 2);
    shapes[2] = an_shape_1(shapes[1].dim[0]);
    s->conv.activation = (an_activation)below(rng, 4);
    if (below(rng, 3) == 0)
        s->conv.padding_mode = (an_padding_mode)below(rng, 4);
    for (int axis = 0; axis < 2 && s->conv.padding_mode != AN_PAD_ZEROS; axis++)
        shapes[0].dim[2 + axis] += 4; /* more than any padding */
}

an_tensor *call_conv2d(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    return an_conv2d(graph, in[0], in[1], count > 2 ? in[2] : NULL, &s->conv);
}

static int64_t or_one(int64_t value)
{
    return value ? value : 1;
}

static double activate(an_activation activation, double x)
{
    switch (activation) {
    case AN_RELU:
        return x > 0 ? x : 0;
    case AN_TANH:
        return tanh(x);
    case AN_SIGMOID:
        return 1 / (1 + exp(-x));
    case AN_IDENTITY:
        break;
    }
    return x;
}

/* Walks back into 0..size-1, or to -1, step by step. */
static int64_t inside(an_padding_mode mode, int64_t at, int64_t size)
{
    if (mode == AN_PAD_ZEROS)
        return at >= size ? -1 : at;
    while (at < 0)
        at = mode == AN_PAD_REFLECT ? -at : mode == AN_PAD_CIRCULAR ? at + size : at + 1;
    while (at >= size)
        at = mode == AN_PAD_REFLECT    ? 2 * size - 2 - at
             : mode == AN_PAD_CIRCULAR ? at - size
                                       : at - 1;
    return at;
}

/* Value (n, c, i, j), outside of the image as `mode` says. */
static double pixel(an_padding_mode mode, const twin *x, int64_t n, int64_t c, int64_t i, int64_t j)
{
    const int64_t *dim = x->shape.dim;
    i = inside(mode, i, dim[2]);
    j = inside(mode, j, dim[3]);
    if (i < 0 || j < 0 || i >= dim[2] || j >= dim[3])
        return 0;
    return x->data[((n * dim[1] + c) * dim[2] + i) * dim[3] + j];
}

typedef struct steps {
    int64_t stride[2], padding[2], dilation[2], groups;
    an_padding_mode mode;
} steps;

static steps steps_of(const an_conv2d_options *o, const int64_t kernel[2])
{
    steps t = {.groups = or_one(o->groups), .mode = o->padding_mode};
    for (int axis = 0; axis < 2; axis++) {
        t.stride[axis] = or_one(o->stride[axis]);
        t.dilation[axis] = or_one(o->dilation[axis]);
        t.padding[axis] = o->same ? t.dilation[axis] * (kernel[axis] - 1) / 2 : o->padding[axis];
    }
    return t;
}

static double window_sum(const steps *t, const twin *x, const twin *w, int64_t n, int64_t f,
                         int64_t i, int64_t j)
{
    const int64_t *k = w->shape.dim, group = f / (k[0] / t->groups);
    double sum = 0;
    for (int64_t c = 0; c < k[1]; c++)
        for (int64_t u = 0; u < k[2]; u++)
            for (int64_t v = 0; v < k[3]; v++)
                sum += w->data[((f * k[1] + c) * k[2] + u) * k[3] + v] *
                       pixel(t->mode, x, n, group * k[1] + c,
                             i * t->stride[0] - t->padding[0] + u * t->dilation[0],
                             j * t->stride[1] - t->padding[1] + v * t->dilation[1]);
    return sum;
}

void twin_conv2d(const setting *s, const twin *in, int count, twin *out)
{
    const int64_t *x = in[0].shape.dim, *k = in[1].shape.dim;
    const steps t = steps_of(&s->conv, k + 2);
    int64_t size[2];
    for (int axis = 0; axis < 2; axis++) {
        const int64_t reach = t.dilation[axis] * (k[2 + axis] - 1);
        size[axis] = s->conv.same
                         ? x[2 + axis]
                         : (x[2 + axis] + 2 * t.padding[axis] - reach - 1) / t.stride[axis] + 1;
    }
    twin_new(out, an_shape_4(x[0], k[0], size[0], size[1]));
    double *y = out->data;
    for (int64_t n = 0; n < x[0]; n++)
        for (int64_t f = 0; f < k[0]; f++)
            for (int64_t i = 0; i < size[0]; i++)
                for (int64_t j = 0; j < size[1]; j++)
                    *y++ = activate(s->conv.activation, window_sum(&t, &in[0], &in[1], n, f, i, j) +
                                                            (count > 2 ? in[2].data[f] : 0));
}

/* -------------------------------------------------------------------- pad2d */

void make_pad2d(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    *count = 1;
    s->pad.mode = (an_padding_mode)below(rng, 4);
    pair(rng, s->pad.before, 0, 4);
    pair(rng, s->pad.after, 0, 4);
    shapes[0] = an_shape_4(large ? 90 : 1 + below(rng, 2), 1 + below(rng, 3),
                           large ? 30 : 4 + below(rng, 3), large ? 21 : 4 + below(rng, 3));
}

an_tensor *call_pad2d(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    return an_pad2d(graph, in[0], s->pad);
}

void twin_pad2d(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    an_shape shape = in[0].shape;
    for (int axis = 0; axis < 2; axis++)
        shape.dim[2 + axis] += s->pad.before[axis] + s->pad.after[axis];
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        const int64_t plane = i / shape.dim[3] / shape.dim[2];
        out->data[i] = pixel(s->pad.mode, &in[0], plane / shape.dim[1], plane % shape.dim[1],
                             i / shape.dim[3] % shape.dim[2] - s->pad.before[0],
                             i % shape.dim[3] - s->pad.before[1]);
    }
}

/* --------------------------------------------------------- conv_transpose2d */

void make_conv_transpose2d(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    an_conv_transpose2d_options *o = &s->conv_transpose;
    const bool filtering = below(rng, 3) == 0; /* by minimal filtering, as in conv_3x3 */
    const int64_t channels = filtering ? 8 : 1 + below(rng, 3);
    const int64_t features = filtering ? 9 : 1 + below(rng, 2);
    int64_t kernel[2] = {3, 3}, size[2];
    o->groups = filtering ? 1 : 1 + below(rng, 2);
    if (!filtering) {
        pair(rng, kernel, 1, 3);
        pair(rng, o->stride, 0, 4);
        pair(rng, o->dilation, 0, 3);
    }
    pair(rng, o->padding, 0, 2);
    for (int axis = 0; axis < 2; axis++) {
        const int64_t stride = or_one(o->stride[axis]), dilation = or_one(o->dilation[axis]);
        o->output_padding[axis] = below(rng, stride > dilation ? stride : dilation);
        size[axis] = 2 * o->padding[axis] + 1 + below(rng, large ? 20 : 3);
    }
    shapes[0] = an_shape_4(large ? 23 : 1 + (!filtering && below(rng, 2)), channels * o->groups,
                           size[0], size[1]);
    shapes[1] = an_shape_4(channels * o->groups, features, kernel[0], kernel[1]);
    shapes[2] = an_shape_1(features * o->groups);
    *count = 2 + (int)below(rng, 2);
}

an_tensor *call_conv_transpose2d(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    return an_conv_transpose2d(graph, in[0], in[1], count > 2 ? in[2] : NULL, &s->conv_transpose);
}

/* Each value of x is spread over the result by the kernel. */
static void spread(const an_conv_transpose2d_options *o, const twin *w, double x, int64_t c,
                   int64_t i, int64_t j, int64_t n, twin *out)
{
    const int64_t *k = w->shape.dim, *dim = out->shape.dim;
    const int64_t group = c / (k[0] / or_one(o->groups));
    for (int64_t f = 0; f < k[1]; f++)
        for (int64_t u = 0; u < k[2]; u++)
            for (int64_t v = 0; v < k[3]; v++) {
                const int64_t row =
                    i * or_one(o->stride[0]) - o->padding[0] + u * or_one(o->dilation[0]);
                const int64_t column =
                    j * or_one(o->stride[1]) - o->padding[1] + v * or_one(o->dilation[1]);
                if (row >= 0 && column >= 0 && row < dim[2] && column < dim[3])
                    out->data[((n * dim[1] + group * k[1] + f) * dim[2] + row) * dim[3] + column] +=
                        x * w->data[((c * k[1] + f) * k[2] + u) * k[3] + v];
            }
}

void twin_conv_transpose2d(const setting *s, const twin *in, int count, twin *out)
{
    const an_conv_transpose2d_options *o = &s->conv_transpose;
    const int64_t *x = in[0].shape.dim, *k = in[1].shape.dim;
    an_shape shape = an_shape_4(x[0], k[1] * or_one(o->groups), 0, 0);
    for (int axis = 0; axis < 2; axis++)
        shape.dim[2 + axis] = (x[2 + axis] - 1) * or_one(o->stride[axis]) - 2 * o->padding[axis] +
                              or_one(o->dilation[axis]) * (k[2 + axis] - 1) +
                              o->output_padding[axis] + 1;
    twin_new(out, shape);
    const int64_t plane = shape.dim[2] * shape.dim[3];
    for (int64_t i = 0; count > 2 && i < out->size; i++)
        out->data[i] = in[2].data[i / plane % shape.dim[1]];
    const double *value = in[0].data;
    for (int64_t n = 0; n < x[0]; n++)
        for (int64_t c = 0; c < x[1]; c++)
            for (int64_t i = 0; i < x[2]; i++)
                for (int64_t j = 0; j < x[3]; j++)
                    spread(o, &in[1], *value++, c, i, j, n, out);
}

/* ------------------------------------------------------------------ pooling */

static void make_pool(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s,
                      bool dilated)
{
    an_pool2d_options *o = &s->pool;
    int64_t size[2];
    *count = 1;
    if (below(rng, 3) == 0) { /* windows of 2x2 side by side have code of their own */
        o->kernel[0] = o->kernel[1] = 2;
    } else {
        pair(rng, o->kernel, 1, 4);
        pair(rng, o->stride, 0, 4);
        pair(rng, o->dilation, 0, dilated ? 3 : 2);
        o->ceil_mode = below(rng, 2);
        for (int axis = 0; axis < 2; axis++)
            o->padding[axis] = below(rng, o->kernel[axis] / 2 + 1);
    }
    for (int axis = 0; axis < 2; axis++)
        size[axis] =
            (o->kernel[axis] - 1) * or_one(o->dilation[axis]) + 1 + below(rng, large ? 60 : 10);
    shapes[0] =
        an_shape_4(large ? 9 : 1 + below(rng, 3), large ? 17 : 1 + below(rng, 3), size[0], size[1]);
}

void make_max_pool2d(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    make_pool(rng, large, shapes, count, s, true);
}

void make_avg_pool2d(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    make_pool(rng, large, shapes, count, s, false);
    s->pool.exclude_padding = below(rng, 2);
    s->pool.divisor = below(rng, 3) == 0 ? 1 + below(rng, 7) : 0;
}

an_tensor *call_max_pool2d(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    return an_max_pool2d(graph, in[0], &s->pool);
}

an_tensor *call_avg_pool2d(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    return an_avg_pool2d(graph, in[0], &s->pool);
}

/* PyTorch's rule (pooling_output_shape in aten/src/ATen/native/Pool.h). */
static int64_t places(const an_pool2d_options *o, int axis, int64_t size)
{
    const int64_t stride = o->stride[axis] ? o->stride[axis] : o->kernel[axis];
    const int64_t room = size + 2 * o->padding[axis] -
                         or_one(o->dilation[axis]) * (o->kernel[axis] - 1) - 1 +
                         (o->ceil_mode ? stride - 1 : 0);
    const int64_t count = room / stride + 1;
    return o->ceil_mode && (count - 1) * stride >= size + o->padding[axis] ? count - 1 : count;
}

static an_shape pooled(const setting *s, an_shape shape)
{
    for (int axis = 0; axis < 2; axis++)
        shape.dim[2 + axis] = places(&s->pool, axis, shape.dim[2 + axis]);
    return shape;
}

/* Pixel (u, v) of window (i, j); false outside of the image. */
static bool window_at(const an_pool2d_options *o, const twin *x, const int64_t place[2],
                      const int64_t at[2], int64_t plane, double *value)
{
    int64_t to[2];
    for (int axis = 0; axis < 2; axis++) {
        const int64_t stride = o->stride[axis] ? o->stride[axis] : o->kernel[axis];
        to[axis] = place[axis] * stride - o->padding[axis] + at[axis] * or_one(o->dilation[axis]);
        if (to[axis] < 0 || to[axis] >= x->shape.dim[2 + axis])
            return false;
    }
    *value = x->data[(plane * x->shape.dim[2] + to[0]) * x->shape.dim[3] + to[1]];
    return true;
}

void twin_max_pool2d(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    twin_new(out, pooled(s, in[0].shape));
    const int64_t height = out->shape.dim[2], width = out->shape.dim[3];
    for (int64_t k = 0; k < out->size; k++) {
        const int64_t place[2] = {k / width % height, k % width};
        double best = -INFINITY, value;
        for (int64_t u = 0; u < s->pool.kernel[0]; u++)
            for (int64_t v = 0; v < s->pool.kernel[1]; v++)
                if (window_at(&s->pool, &in[0], place, (int64_t[]){u, v}, k / width / height,
                              &value) &&
                    value > best)
                    best = value;
        out->data[k] = best;
    }
}

/* The values of a window that lie in the image and its padding. */
static int64_t padded_values(const setting *s, const twin *x, const int64_t place[2])
{
    int64_t product = 1;
    for (int axis = 0; axis < 2; axis++) {
        const int64_t stride = s->pool.stride[axis] ? s->pool.stride[axis] : s->pool.kernel[axis];
        const int64_t start = place[axis] * stride - s->pool.padding[axis];
        const int64_t end = start + s->pool.kernel[axis];
        const int64_t limit = x->shape.dim[2 + axis] + s->pool.padding[axis];
        product *= (end < limit ? end : limit) - start;
    }
    return product;
}

void twin_avg_pool2d(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    twin_new(out, pooled(s, in[0].shape));
    const int64_t height = out->shape.dim[2], width = out->shape.dim[3];
    for (int64_t k = 0; k < out->size; k++) {
        const int64_t place[2] = {k / width % height, k % width};
        double sum = 0, value;
        int64_t inside = 0;
        for (int64_t u = 0; u < s->pool.kernel[0]; u++)
            for (int64_t v = 0; v < s->pool.kernel[1]; v++)
                if (window_at(&s->pool, &in[0], place, (int64_t[]){u, v}, k / width / height,
                              &value)) {
                    sum += value;
                    inside++;
                }
        if (!s->pool.exclude_padding)
            inside = padded_values(s, &in[0], place);
        out->data[k] = sum / (double)(s->pool.divisor ? s->pool.divisor : inside);
    }
}

void make_adaptive_avg_pool2d(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    *count = 1;
    pair(rng, s->out_size, 0, 6);
    shapes[0] = an_shape_4(large ? 9 : 1 + below(rng, 3), large ? 17 : 1 + below(rng, 3),
                           1 + below(rng, large ? 60 : 9), 1 + below(rng, large ? 60 : 9));
}

an_tensor *call_adaptive_avg_pool2d(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    return an_adaptive_avg_pool2d(graph, in[0], s->out_size[0], s->out_size[1]);
}

void twin_adaptive_avg_pool2d(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    an_shape shape = in[0].shape;
    const int64_t h = shape.dim[2], w = shape.dim[3];
    shape.dim[2] = s->out_size[0] ? s->out_size[0] : h;
    shape.dim[3] = s->out_size[1] ? s->out_size[1] : w;
    twin_new(out, shape);
    const int64_t height = shape.dim[2], width = shape.dim[3];
    for (int64_t k = 0; k < out->size; k++) {
        const int64_t i = k / width % height, j = k % width, plane = k / width / height;
        double sum = 0;
        int64_t inside = 0;
        for (int64_t u = i * h / height; u < ((i + 1) * h + height - 1) / height; u++)
            for (int64_t v = j * w / width; v < ((j + 1) * w + width - 1) / width; v++, inside++)
                sum += in[0].data[(plane * h + u) * w + v];
        out->data[k] = sum / (double)inside;
    }
}
