/* Convolutions and pooling of images, by our kernels and by oneDNN's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onednn.h"
#include "tensor/kernels/conv.h"
#include "tensor/kernels/pooling.h"

/* Square images and windows. */
typedef struct shape {
    const char *name;
    int64_t images, groups, channels, features, size, kernel, stride, padding;
} shape;

/* clang-format off */
static const shape convolutions[] = {
    {"CNN 1-32, 28",             64,   1,   1,  32, 28, 3, 1, 0},
    {"CNN 32-64, 26",            64,   1,  32,  64, 26, 3, 1, 0},
    {"LeNet 5x5 1-6, 28",        64,   1,   1,   6, 28, 5, 1, 2},
    {"LeNet 5x5 6-16, 14",       64,   1,   6,  16, 14, 5, 1, 0},
    {"3x3 3-64, 32",             32,   1,   3,  64, 32, 3, 1, 1},
    {"3x3 64-64, 32",            16,   1,  64,  64, 32, 3, 1, 1},
    {"3x3 128-128, 32",           8,   1, 128, 128, 32, 3, 1, 1},
    {"3x3 64-64, 56",             8,   1,  64,  64, 56, 3, 1, 1},
    {"3x3 128-128, 56",           4,   1, 128, 128, 56, 3, 1, 1},
    {"3x3 256-256, 14",          16,   1, 256, 256, 14, 3, 1, 1},
    {"3x3 512-512, 7",           16,   1, 512, 512,  7, 3, 1, 1},
    {"1x1 64-256, 56",            4,   1,  64, 256, 56, 1, 1, 0},
    {"1x1 256-64, 56",            4,   1, 256,  64, 56, 1, 1, 0},
    {"1x1 16-16, 56",             8,   1,  16,  16, 56, 1, 1, 0},
    {"1x1 32-64, 28",            16,   1,  32,  64, 28, 1, 1, 0},
    {"1x1 512-128, 14",          16,   1, 512, 128, 14, 1, 1, 0},
    {"1x1 step 2 64-128, 56",     8,   1,  64, 128, 56, 1, 2, 0},
    {"3x3 step 2 64-128, 56",     8,   1,  64, 128, 56, 3, 2, 1},
    {"3x3 step 2 128-256, 28",    8,   1, 128, 256, 28, 3, 2, 1},
    {"7x7 step 2 3-64, 112",      4,   1,   3,  64, 112, 7, 2, 3},
    {"5x5 32-32, 28",            16,   1,  32,  32, 28, 5, 1, 2},
    {"3x3 depthwise 128, 28",    16, 128,   1,   1, 28, 3, 1, 1},
    {"3x3 depthwise 128, 56/2",   8, 128,   1,   1, 56, 3, 2, 1},
    {"3x3 32 groups 128-128, 28", 8,  32,   4,   4, 28, 3, 1, 1},
};
static const shape poolings[] = {
    {"max 2x2 64, 24",           64,   1,  64,  64, 24, 2, 2, 0},
    {"max 3x3 step 2 64, 56",     8,   1,  64,  64, 56, 3, 2, 1},
    {"mean 2x2 64, 24",          64,   1,  64,  64, 24, 2, 2, 0},
    {"mean 3x3 step 2 64, 56",    8,   1,  64,  64, 56, 3, 2, 1},
    {"mean 7x7 512, 7",          16,   1, 512, 512,  7, 7, 7, 0},
};
/* clang-format on */

static int64_t out_size(const shape *s)
{
    return (s->size + 2 * s->padding - s->kernel) / s->stride + 1;
}

static plan_window window_of(const shape *s)
{
    const int64_t after = (out_size(s) - 1) * s->stride + s->kernel - s->size - s->padding;
    return (plan_window){.kernel = {s->kernel, s->kernel},
                         .stride = {s->stride, s->stride},
                         .before = {s->padding, s->padding},
                         .after = {after, after}};
}

/* Images of a share, and the first of them. */
static int64_t first_image(const shape *s, int share, int shares)
{
    return s->images * share / shares;
}

static int64_t x_floats(const shape *s)
{
    return s->groups * s->channels * s->size * s->size;
}

static int64_t y_floats(const shape *s)
{
    return s->groups * s->features * out_size(s) * out_size(s);
}

/* ------------------------------------------------------------- convolutions */

typedef struct convolution {
    subject subject;
    const shape *shape;
    plan_direction direction;
    an_conv conv;
    float *x, *w, *y, *parts, *space;
} convolution;

static void ours_convolution(an_context *context, subject *self)
{
    const convolution *c = (const convolution *)self;
    if (c->direction == PLAN_FORWARD)
        an__conv_forward(context, &c->conv, c->x, c->w, NULL, AN_EPILOGUE_IDENTITY, c->y, false,
                         c->space);
    else if (c->direction == PLAN_DATA)
        an__conv_data(context, &c->conv, c->y, c->w, c->x, false, c->space);
    else
        an__conv_weight(context, &c->conv, c->x, c->y, c->w, false, c->space);
}

static int64_t w_floats(const shape *s)
{
    return s->groups * s->features * s->channels * s->kernel * s->kernel;
}

/* dW of the first share lies where it belongs, those of the others behind each other. */
static float *share_of_weights(const convolution *c, int share)
{
    return share == 0 || c->direction != PLAN_WEIGHT ? c->w
                                                     : c->parts + (share - 1) * w_floats(c->shape);
}

static bool add_convolution(subject *self, way how, int share, int shares, plan *p)
{
    const convolution *c = (const convolution *)self;
    const shape *s = c->shape;
    const int64_t first = first_image(s, share, shares);
    const int64_t images = first_image(s, share + 1, shares) - first;
    const int64_t x_dims[] = {images, s->groups * s->channels, s->size, s->size};
    const int64_t y_dims[] = {images, s->groups * s->features, out_size(s), out_size(s)};
    const int64_t grouped[] = {s->groups, s->features, s->channels, s->kernel, s->kernel};
    const int64_t *w_dims = s->groups > 1 ? grouped : grouped + 1;
    const int w_count = s->groups > 1 ? 5 : 4;
    const plan_window at = window_of(s);
    const dnnl_alg_kind_t kind =
        how == WAY_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
    const bool any = how >= WAY_ANY;
    plan_form x = plan_rows(p, 4, x_dims, any), y = plan_rows(p, 4, y_dims, any);
    plan_form w = plan_rows(p, w_count, w_dims, how != WAY_PLAIN);
    dnnl_primitive_desc_t d = plan_convolution(p, PLAN_FORWARD, kind, x, w, y, &at, NULL);
    if (d && c->direction != PLAN_FORWARD)
        d = plan_convolution(p, c->direction, kind, x, w, y, &at, d);
    static const int arg[][3] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                 {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                 {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    const operand o[] = {
        {arg[c->direction][0], c->x + first * x_floats(s), plan_rows(p, 4, x_dims, false),
         c->direction == PLAN_DATA},
        {arg[c->direction][1], share_of_weights(c, share), plan_rows(p, w_count, w_dims, false),
         c->direction == PLAN_WEIGHT},
        {arg[c->direction][2], c->y + first * y_floats(s), plan_rows(p, 4, y_dims, false),
         c->direction == PLAN_FORWARD},
    };
    return d && plan_add(p, d, o, 3);
}

typedef struct sum {
    float *to;
    const float *from;
} sum;

static void sum_task(void *arg, int64_t begin, int64_t end)
{
    const sum *s = arg;
    for (int64_t i = begin; i < end; i++)
        s->to[i] += s->from[i];
}

static void join_weights(an_context *context, subject *self, int shares)
{
    const convolution *c = (const convolution *)self;
    for (int share = 1; share < shares; share++) {
        sum s = {c->w, share_of_weights(c, share)};
        an__parallel(context, w_floats(c->shape), 16384, sum_task, &s);
    }
}

static void free_convolution(subject *self)
{
    convolution *c = (convolution *)self;
    free(c->x);
    free(c->w);
    free(c->y);
    free(c->parts);
    free(c->space);
    free(self);
}

/* The most that a direction takes on any number of threads measured here. */
static int64_t space_floats(const an_conv *conv)
{
    an_context *context = an_context_new(&(an_context_options){.threads = 8}, NULL);
    if (!context)
        exit(1);
    const int64_t needs[] = {an__conv_forward_space(context, conv),
                             an__conv_data_space(context, conv),
                             an__conv_weight_space(context, conv)};
    int64_t most = 0;
    for (int i = 0; i < 3; i++)
        most = needs[i] > most ? needs[i] : most;
    an_context_free(context);
    return most;
}

subject *convolution_subject(int index)
{
    static const char *const names[] = {"y ", "dx", "dW"};
    if (index / 3 >= (int)(sizeof convolutions / sizeof *convolutions))
        return NULL;
    const shape *s = &convolutions[index / 3];
    convolution *c = bench_zeros(sizeof *c);
    c->shape = s;
    c->direction = (plan_direction)(index % 3);
    c->conv = (an_conv){.images = s->images,
                        .groups = s->groups,
                        .channels = s->channels,
                        .features = s->features,
                        .size = {s->size, s->size},
                        .out_size = {out_size(s), out_size(s)},
                        .kernel = {s->kernel, s->kernel},
                        .stride = {s->stride, s->stride},
                        .dilation = {1, 1},
                        .padding = {s->padding, s->padding}};
    c->x = bench_floats(s->images * x_floats(s), 0);
    c->y = bench_floats(s->images * y_floats(s), 1);
    c->w = bench_floats(w_floats(s), 2);
    c->parts = bench_floats(7 * w_floats(s), 0);
    c->space = bench_floats(space_floats(&c->conv), 0);
    subject *self = &c->subject;
    float *const results[] = {c->y, c->x, c->w};
    const int64_t counts[] = {s->images * y_floats(s), s->images * x_floats(s), w_floats(s)};
    self->result = results[c->direction];
    self->result_count = counts[c->direction];
    self->operations =
        2.0 * (double)(s->images * y_floats(s)) * (double)(s->channels * s->kernel * s->kernel);
    self->ours = ours_convolution;
    self->plan = add_convolution;
    self->join = c->direction == PLAN_WEIGHT ? join_weights : NULL;
    self->free = free_convolution;
    snprintf(self->name, sizeof self->name, "conv %s %s batch %lld", names[index % 3], s->name,
             (long long)s->images);
    return self;
}

/* ------------------------------------------------------------------ pooling */

typedef struct pooling {
    subject subject;
    const shape *shape;
    bool maximum;
    an_pooling form;
    const an_pooling_table *kernels;
    float *x, *y, *dx, *dy;
    uint16_t *where;
} pooling;

static void pool_forward(void *arg, int64_t begin, int64_t end)
{
    const pooling *p = arg;
    if (p->maximum)
        p->kernels->max(&p->form, begin, end, p->x, p->y, p->where);
    else
        p->kernels->mean(&p->form, begin, end, p->x, p->y);
}

static void pool_backward(void *arg, int64_t begin, int64_t end)
{
    const pooling *p = arg;
    if (p->maximum)
        p->kernels->max_backward(&p->form, begin, end, p->dy, p->where, p->dx, false);
    else
        p->kernels->mean_backward(&p->form, begin, end, p->dy, p->dx, false);
}

static void ours_pooling(an_context *context, subject *self)
{
    pooling *p = (pooling *)self;
    const int64_t planes = p->shape->images * p->shape->channels;
    p->kernels = an__kernels(context)->pooling;
    an__parallel(context, planes, 16, pool_forward, p);
    an__parallel(context, planes, 16, pool_backward, p);
}

static bool add_pooling(subject *self, way how, int share, int shares, plan *p)
{
    const pooling *s = (const pooling *)self;
    const int64_t first = first_image(s->shape, share, shares);
    const int64_t images = first_image(s->shape, share + 1, shares) - first;
    const int64_t out = out_size(s->shape), size = s->shape->size;
    const int64_t x_dims[] = {images, s->shape->channels, size, size};
    const int64_t y_dims[] = {images, s->shape->channels, out, out};
    const int64_t at_x = first * x_floats(s->shape), at_y = first * y_floats(s->shape);
    const dnnl_alg_kind_t kind = s->maximum ? dnnl_pooling_max : dnnl_pooling_avg_include_padding;
    const plan_window at = window_of(s->shape);
    plan_form x = plan_rows(p, 4, x_dims, false), y = plan_rows(p, 4, y_dims, false);
    if (how != WAY_PLAIN)
        return false;
    const operand forward[] = {{DNNL_ARG_SRC, s->x + at_x, x, false},
                               {DNNL_ARG_DST, s->y + at_y, y, true},
                               {DNNL_ARG_WORKSPACE, NULL, NULL, true}};
    const operand backward[] = {{DNNL_ARG_DIFF_SRC, s->dx + at_x, x, true},
                                {DNNL_ARG_DIFF_DST, s->dy + at_y, y, false},
                                {DNNL_ARG_WORKSPACE, NULL, NULL, false}};
    const int count = s->maximum ? 3 : 2;
    dnnl_primitive_desc_t f = plan_pooling(p, PLAN_FORWARD, kind, x, y, &at, NULL);
    dnnl_primitive_desc_t b = f ? plan_pooling(p, PLAN_DATA, kind, x, y, &at, f) : NULL;
    return b && plan_add(p, f, forward, count) && plan_add(p, b, backward, count);
}

static void free_pooling(subject *self)
{
    pooling *p = (pooling *)self;
    free(p->x);
    free(p->y);
    free(p->dx);
    free(p->dy);
    free(p->where);
    free(self);
}

subject *pooling_subject(int index)
{
    if (index >= (int)(sizeof poolings / sizeof *poolings))
        return NULL;
    const shape *s = &poolings[index];
    pooling *p = bench_zeros(sizeof *p);
    p->shape = s;
    p->maximum = strncmp(s->name, "max", 3) == 0;
    p->form = (an_pooling){.size = {s->size, s->size},
                           .out_size = {out_size(s), out_size(s)},
                           .kernel = {s->kernel, s->kernel},
                           .stride = {s->stride, s->stride},
                           .padding = {s->padding, s->padding},
                           .dilation = {1, 1}};
    p->x = bench_floats(s->images * x_floats(s), 0);
    p->dx = bench_floats(s->images * x_floats(s), 0);
    p->y = bench_floats(s->images * y_floats(s), 1);
    p->dy = bench_floats(s->images * y_floats(s), 1);
    p->where = bench_zeros((size_t)(s->images * y_floats(s)) * sizeof *p->where);
    subject *self = &p->subject;
    self->result = p->dx;
    self->result_count = s->images * x_floats(s);
    self->ours = ours_pooling;
    self->plan = add_pooling;
    self->free = free_pooling;
    snprintf(self->name, sizeof self->name, "pool y+dx %s batch %lld", s->name,
             (long long)s->images);
    return self;
}
