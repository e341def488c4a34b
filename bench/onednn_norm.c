/* Batch and layer norm, forward and backward, by our kernels and by oneDNN's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "onednn.h"
#include "tensor/kernels/norms.h"

/* Batch norm: channels of batch pieces of length. Layer norm: batch rows of channels. */
typedef struct shape {
    const char *name;
    bool rows;
    int64_t batch, channels, length;
} shape;

static const shape shapes[] = {
    {"batch norm 64 x 26 x 26", false, 64, 64, 676},
    {"batch norm 128 x 28 x 28", false, 16, 128, 784},
    {"batch norm 256 x 14 x 14", false, 16, 256, 196},
    {"layer norm 128", true, 768, 128, 1},
    {"layer norm 768", true, 512, 768, 1},
};

enum { CHUNK = 64 }; /* rows whose sums are collected by themselves */

typedef struct norm {
    subject subject;
    const shape *shape;
    const an_norms_table *kernels;
    float *x, *y, *dx, *dy, *weight, *bias, *dweight, *dbias, *mean, *spread, *sums;
} norm;

static an_pieces pieces_of(const shape *s)
{
    return (an_pieces){s->batch, s->length, s->channels * s->length};
}

static void batch_forward(void *arg, int64_t begin, int64_t end)
{
    const norm *n = arg;
    const shape *s = n->shape;
    const an_pieces pieces = pieces_of(s);
    for (int64_t c = begin; c < end; c++) {
        const int64_t at = c * s->length;
        const an_moments m = n->kernels->moments(pieces, n->x + at);
        const double rstd = 1 / sqrt(m.squares / (double)(s->batch * s->length) + 1e-5);
        n->mean[c] = (float)m.mean;
        n->spread[c] = (float)rstd;
        n->kernels->normalise(pieces, n->y + at, n->x + at, n->mean[c], n->weight[c] * n->spread[c],
                              n->bias[c]);
    }
}

static void batch_backward(void *arg, int64_t begin, int64_t end)
{
    const norm *n = arg;
    const shape *s = n->shape;
    const an_pieces pieces = pieces_of(s);
    const double values = (double)(s->batch * s->length);
    for (int64_t c = begin; c < end; c++) {
        const int64_t at = c * s->length;
        double of_dy, of_product;
        n->kernels->sums(pieces, n->dy + at, n->x + at, n->mean[c], &of_dy, &of_product);
        const double rstd = (double)n->spread[c], a = rstd * (double)n->weight[c];
        const float abc[] = {(float)a, (float)(-a * rstd * rstd * of_product / values),
                             (float)(-a * of_dy / values)};
        n->dbias[c] = (float)of_dy;
        n->dweight[c] = (float)(of_product * rstd);
        n->kernels->combine(pieces, n->dx + at, n->dy + at, n->x + at, n->mean[c], abc, false);
    }
}

static an_norm_rows rows_of(const norm *n)
{
    return (an_norm_rows){n->shape->channels, n->weight, n->bias, 1e-5, true};
}

static void rows_forward(void *arg, int64_t begin, int64_t end)
{
    const norm *n = arg;
    const an_norm_rows rows = rows_of(n);
    const int64_t at = begin * n->shape->channels;
    n->kernels->rows(&rows, end - begin, n->y + at, n->x + at, n->mean + begin, n->spread + begin);
}

static void rows_backward(void *arg, int64_t begin, int64_t end)
{
    const norm *n = arg;
    const an_norm_rows rows = rows_of(n);
    const int64_t columns = n->shape->channels;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t row = chunk * CHUNK, left = n->shape->batch - row;
        const int64_t at = row * columns;
        float *sums = n->sums + chunk * 2 * columns;
        for (int64_t i = 0; i < 2 * columns; i++)
            sums[i] = 0;
        const an_norm_sums into = {sums, sums + columns};
        n->kernels->rows_backward(&rows, left < CHUNK ? left : CHUNK, n->dx + at, n->dy + at,
                                  n->x + at, n->mean + row, n->spread + row, &into, false);
    }
}

static void ours(an_context *context, subject *self)
{
    norm *n = (norm *)self;
    const shape *s = n->shape;
    n->kernels = an__kernels(context)->norms;
    if (!s->rows) {
        an__parallel(context, s->channels, 4, batch_forward, n);
        an__parallel(context, s->channels, 4, batch_backward, n);
        return;
    }
    const int64_t chunks = (s->batch + CHUNK - 1) / CHUNK;
    an__parallel(context, s->batch, CHUNK, rows_forward, n);
    an__parallel(context, chunks, 1, rows_backward, n);
    for (int64_t i = 0; i < s->channels; i++) {
        n->dweight[i] = n->dbias[i] = 0;
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            n->dweight[i] += n->sums[chunk * 2 * s->channels + i];
            n->dbias[i] += n->sums[(chunk * 2 + 1) * s->channels + i];
        }
    }
}

/* Rows are shared out, or channels; their parameters' gradients lie apart by share. */
static bool add_norm(subject *self, way how, int share, int shares, plan *p)
{
    const norm *n = (const norm *)self;
    const shape *s = n->shape;
    const int64_t whole = s->rows ? s->batch : s->channels;
    const int64_t first = whole * share / shares, count = whole * (share + 1) / shares - first;
    const int64_t step = s->rows ? s->channels : s->length, at = first * step;
    const int64_t dims[] = {s->batch, count, s->length, 1};
    const int64_t strides[] = {s->channels * s->length, s->length, 1, 1};
    const int64_t row_dims[] = {count, s->channels}, of_channel = s->rows ? 0 : first;
    const int64_t sum_count = s->rows ? s->channels : count;
    if (how != WAY_PLAIN || (!s->rows && shares > 1)) /* it has no channels with gaps between */
        return false;
    plan_form x = s->rows ? plan_rows(p, 2, row_dims, false) : plan_layout(p, 4, dims, strides);
    plan_form one = plan_rows(p, 1, &count, false), sums = plan_rows(p, 1, &sum_count, false);
    dnnl_primitive_desc_t f = s->rows ? plan_layer_norm(p, PLAN_FORWARD, x, one, NULL)
                                      : plan_batch_norm(p, PLAN_FORWARD, x, NULL);
    dnnl_primitive_desc_t b = !f        ? NULL
                              : s->rows ? plan_layer_norm(p, PLAN_DATA, x, one, f)
                                        : plan_batch_norm(p, PLAN_DATA, x, f);
    float *dsums = n->sums + share * 2 * s->channels;
    const operand forward[] = {
        {DNNL_ARG_SRC, n->x + at, x, false},
        {DNNL_ARG_DST, n->y + at, x, true},
        {DNNL_ARG_MEAN, n->mean + first, one, true},
        {DNNL_ARG_VARIANCE, n->spread + first, one, true},
        {DNNL_ARG_SCALE, n->weight + of_channel, sums, false},
        {DNNL_ARG_SHIFT, n->bias + of_channel, sums, false},
    };
    const operand backward[] = {
        {DNNL_ARG_SRC, n->x + at, x, false},
        {DNNL_ARG_DIFF_DST, n->dy + at, x, false},
        {DNNL_ARG_DIFF_SRC, n->dx + at, x, true},
        {DNNL_ARG_MEAN, n->mean + first, one, false},
        {DNNL_ARG_VARIANCE, n->spread + first, one, false},
        {DNNL_ARG_SCALE, n->weight + of_channel, sums, false},
        {DNNL_ARG_DIFF_SCALE, dsums, sums, true},
        {DNNL_ARG_DIFF_SHIFT, dsums + s->channels, sums, true},
        {DNNL_ARG_SHIFT, n->bias + of_channel, sums, false},
    };
    const int count_backward = s->rows || DNNL_VERSION_MAJOR < 3 ? 9 : 8; /* 3 refuses the shift */
    return b && plan_add(p, f, forward, 6) && plan_add(p, b, backward, count_backward);
}

static void free_norm(subject *self)
{
    norm *n = (norm *)self;
    float *const all[] = {n->x,       n->y,     n->dx,   n->dy,     n->weight, n->bias,
                          n->dweight, n->dbias, n->mean, n->spread, n->sums};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(self);
}

subject *norm_subject(int index)
{
    if (index >= (int)(sizeof shapes / sizeof *shapes))
        return NULL;
    const shape *s = &shapes[index];
    const int64_t count = s->batch * s->channels * s->length;
    norm *n = bench_zeros(sizeof *n);
    n->shape = s;
    float **const tensors[] = {&n->x, &n->y, &n->dx, &n->dy};
    for (int i = 0; i < 4; i++)
        *tensors[i] = bench_floats(count, i);
    float **const parameters[] = {&n->weight, &n->bias, &n->dweight, &n->dbias};
    for (int i = 0; i < 4; i++)
        *parameters[i] = bench_floats(s->channels, 4 + i);
    n->mean = bench_floats(s->rows ? s->batch : s->channels, 0);
    n->spread = bench_floats(s->rows ? s->batch : s->channels, 0);
    n->sums = bench_floats(2 * s->channels * (s->batch / CHUNK + 8), 0);
    subject *self = &n->subject;
    self->result = n->dx;
    self->result_count = count;
    self->ours = ours;
    self->plan = add_norm;
    self->free = free_norm;
    snprintf(self->name, sizeof self->name, "norm y+dx %s batch %lld", s->name,
             (long long)s->batch);
    return self;
}
