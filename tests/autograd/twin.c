#include "twin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void twin_new(twin *t, an_shape shape)
{
    t->shape = shape;
    t->size = 1;
    for (int i = 0; i < shape.ndim; i++)
        t->size *= shape.dim[i];
    t->data = calloc((size_t)t->size + 1, sizeof *t->data);
    if (!t->data)
        abort();
}

void twin_free(twin *t)
{
    free(t->data);
    t->data = NULL;
}

/* ---------------------------------------------------------------- indexing */

/* The coordinates of element `index`. */
static void coordinates(an_shape shape, int64_t index, int64_t *at)
{
    for (int i = shape.ndim - 1; i >= 0; i--) {
        at[i] = index % shape.dim[i];
        index /= shape.dim[i];
    }
}

static int64_t position(an_shape shape, const int64_t *at)
{
    int64_t index = 0;
    for (int i = 0; i < shape.ndim; i++)
        index = index * shape.dim[i] + at[i];
    return index;
}

/* The element of `t` that meets coordinates `at` of the broadcast shape `out`. */
static double broadcast_at(const twin *t, an_shape out, const int64_t *at)
{
    int64_t index = 0;
    for (int i = 0; i < t->shape.ndim; i++) {
        int64_t x = at[out.ndim - t->shape.ndim + i];
        index = index * t->shape.dim[i] + (t->shape.dim[i] == 1 ? 0 : x);
    }
    return t->data[index];
}

static an_shape broadcast_shape(an_shape a, an_shape b)
{
    an_shape out = a.ndim >= b.ndim ? a : b;
    for (int i = 1; i <= out.ndim; i++) {
        int64_t x = i <= a.ndim ? a.dim[a.ndim - i] : 1;
        int64_t y = i <= b.ndim ? b.dim[b.ndim - i] : 1;
        out.dim[out.ndim - i] = x == 1 ? y : x;
    }
    return out;
}

/* -------------------------------------------------------------- arithmetic */

#define BINARY(name, value)                                                  \
    void twin_##name(const setting *s, const twin *in, int count, twin *out) \
    {                                                                        \
        (void)s, (void)count;                                                \
        twin_new(out, broadcast_shape(in[0].shape, in[1].shape));            \
        for (int64_t i = 0; i < out->size; i++) {                            \
            int64_t at[AN_MAX_DIMS];                                         \
            coordinates(out->shape, i, at);                                  \
            double a = broadcast_at(&in[0], out->shape, at);                 \
            double b = broadcast_at(&in[1], out->shape, at);                 \
            out->data[i] = value;                                            \
        }                                                                    \
    }
BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(div, a / b)

#define UNARY(name, value)                                                   \
    void twin_##name(const setting *s, const twin *in, int count, twin *out) \
    {                                                                        \
        (void)s, (void)count;                                                \
        twin_new(out, in[0].shape);                                          \
        for (int64_t i = 0; i < out->size; i++) {                            \
            double x = in[0].data[i];                                        \
            out->data[i] = value;                                            \
        }                                                                    \
    }
UNARY(affine, s->p *x + s->q)
UNARY(neg, -x)
UNARY(exp, exp(x))
UNARY(log, log(x))
UNARY(sqrt, sqrt(x))
UNARY(abs, fabs(x))
UNARY(pow, pow(x, s->p))
UNARY(relu, x > 0 ? x : 0)
UNARY(tanh, tanh(x))
UNARY(sigmoid, 1 / (1 + exp(-x)))
UNARY(gelu, x * 0.5 * erfc(-x * sqrt(0.5)))
UNARY(gelu_tanh, 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))))
UNARY(silu, x / (1 + exp(-x)))
UNARY(leaky_relu, x > 0 ? x : s->p * x)
UNARY(elu, x > 0 ? x : s->p * expm1(x))
UNARY(softplus, s->p *x > s->q ? x : log1p(exp(s->p * x)) / s->p)

void twin_dropout(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    an_rng rng = an_rng_init(s->seed, 1);
    float *uniform = malloc((size_t)in[0].size * sizeof(float) + 1);
    if (!uniform)
        abort();
    an_rng_fill_uniform(&rng, uniform, in[0].size, 0, 1);
    twin_new(out, in[0].shape);
    for (int64_t i = 0; i < out->size; i++)
        out->data[i] = uniform[i] >= (float)s->p ? in[0].data[i] / (1 - (double)(float)s->p) : 0;
    free(uniform);
}

/* A user's own operation: p x y^2, of equal shapes. */
void twin_apply(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    twin_new(out, in[0].shape);
    for (int64_t i = 0; i < out->size; i++)
        out->data[i] = s->p * in[0].data[i] * in[1].data[i] * in[1].data[i];
}

/* ----------------------------------------------------------------- softmax */

static double row_log_sum(const double *row, int64_t count)
{
    double top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++)
        top = row[i] > top ? row[i] : top;
    for (int64_t i = 0; i < count; i++)
        sum += exp(row[i] - top);
    return top + log(sum);
}

void twin_log_softmax(const setting *s, const twin *in, int count, twin *out)
{
    (void)s, (void)count;
    twin_new(out, in[0].shape);
    int64_t columns = in[0].shape.dim[in[0].shape.ndim - 1];
    for (int64_t i = 0; i < out->size; i++)
        out->data[i] = in[0].data[i] - row_log_sum(in[0].data + i / columns * columns, columns);
}

void twin_softmax(const setting *s, const twin *in, int count, twin *out)
{
    twin_log_softmax(s, in, count, out);
    for (int64_t i = 0; i < out->size; i++)
        out->data[i] = exp(out->data[i]);
}

/* ---------------------------------------------------------------- attention */

float mask_value(int64_t i, int64_t column)
{
    return column > 0 && (5 * i) % 7 == 3 ? -INFINITY : 0.25f * (float)((7 * i) % 11) - 1;
}

/* What the masks add to the score of key k; head is b * heads + h. */
static double masked(const setting *s, int64_t b, int64_t head, int64_t t, int64_t time,
                     int64_t columns, int64_t k)
{
    if (k < 0)
        return 0;
    const int64_t row = s->mask == 2 ? head * time + t : t;
    const double own = s->mask ? (double)mask_value(row * columns + k, k) : 0;
    return own + (s->key_mask ? (double)mask_value(b * columns + k, k) : 0);
}

/* softmax(q k^T / sqrt(size)) v of every head; the weights are dropped as twin_dropout does. */
void twin_attention(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    const an_shape shape = in[0].shape;
    const int64_t batch = shape.dim[0], time = shape.dim[1], width = shape.dim[2];
    const int64_t keys = in[1].shape.dim[1], size = width / s->heads;
    const int64_t weights = batch * s->heads * time * keys;
    an_rng rng = an_rng_init(s->seed, 1);
    float *uniform = malloc((size_t)weights * sizeof(float) + 1);
    double *row = malloc((size_t)keys * sizeof(double) + 1);
    if (!uniform || !row)
        abort();
    an_rng_fill_uniform(&rng, uniform, weights, 0, 1);
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        const int64_t column = i % width, t = i / width % time, b = i / width / time;
        const int64_t h = column / size,
                      seen = s->causal && t + 1 + s->extra < keys ? t + 1 + s->extra : keys;
        for (int64_t k = 0; k < seen; k++) {
            row[k] = masked(s, b, b * s->heads + h, t, time, keys - s->extra, k - s->extra);
            for (int64_t j = h * size; j < (h + 1) * size; j++)
                row[k] += in[0].data[(b * time + t) * width + j] *
                          in[1].data[(b * keys + k) * width + j] / sqrt((double)size);
        }
        const double log_sum = row_log_sum(row, seen);
        for (int64_t k = 0; k < seen; k++) {
            const float u = uniform[((b * s->heads + h) * time + t) * keys + k];
            if (!(s->p > 0) || u >= (float)s->p)
                out->data[i] += exp(row[k] - log_sum) / (1 - s->p) *
                                in[2].data[(b * keys + k) * width + column];
        }
    }
    free(row);
    free(uniform);
}

/* The same on columns of one tensor. */
void twin_self_attention(const setting *s, const twin *in, int count, twin *out)
{
    twin part[3];
    an_shape shape = in[0].shape;
    const int64_t width = shape.dim[2] / 3, rows = shape.dim[0] * shape.dim[1];
    shape.dim[2] = width;
    for (int p = 0; p < 3; p++) {
        twin_new(&part[p], shape);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < width; j++)
                part[p].data[i * width + j] = in[0].data[(3 * i + p) * width + j];
    }
    twin_attention(s, part, count, out);
    for (int p = 0; p < 3; p++)
        twin_free(&part[p]);
}

void twin_softmax_dim(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    const an_shape shape = in[0].shape;
    const int dim = s->dim < 0 ? s->dim + shape.ndim : s->dim;
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t at[AN_MAX_DIMS];
        double sum = 0;
        coordinates(shape, i, at);
        if (at[dim] > 0)
            continue;
        for (; at[dim] < shape.dim[dim]; at[dim]++)
            sum += exp(in[0].data[position(shape, at)]);
        for (at[dim] = 0; at[dim] < shape.dim[dim]; at[dim]++)
            out->data[position(shape, at)] = exp(in[0].data[position(shape, at)]) / sum;
    }
}

/* --------------------------------------------------------------- recurrent */

static double squash(double x)
{
    return 1 / (1 + exp(-x));
}

/* Row `row` of W_ih x + b_ih (of = 0), or of W_hh h + b_hh (of = 1). */
static double gate_part(const twin *in, int count, int of, int64_t row, const double *v)
{
    const twin *w = &in[1 + of];
    double sum = count > 4 ? in[3 + of].data[row] : 0;
    for (int64_t j = 0; j < w->shape.dim[1]; j++)
        sum += w->data[row * w->shape.dim[1] + j] * v[j];
    return sum;
}

/* One step of one sample: h and c (LSTM) become the next ones; `next` is room for them. */
static void twin_step(const twin *in, int count, bool gru, const double *x, int64_t hidden,
                      double *h, double *c, double *next)
{
    for (int64_t j = 0; j < hidden; j++) {
        double a[4], b[4];
        for (int g = 0; g < (gru ? 3 : 4); g++) {
            a[g] = gate_part(in, count, 0, g * hidden + j, x);
            b[g] = gate_part(in, count, 1, g * hidden + j, h);
        }
        if (gru) {
            const double r = squash(a[0] + b[0]), z = squash(a[1] + b[1]);
            next[j] = (1 - z) * tanh(a[2] + r * b[2]) + z * h[j];
        } else {
            c[j] = squash(a[1] + b[1]) * c[j] + squash(a[0] + b[0]) * tanh(a[2] + b[2]);
            next[j] = squash(a[3] + b[3]) * tanh(c[j]);
        }
    }
    if (count % 2 == 1)
        memcpy(h, next, (size_t)hidden * sizeof *h);
    const twin *project = &in[count - 1];
    for (int64_t j = 0; count % 2 == 0 && j < project->shape.dim[0]; j++) {
        h[j] = 0;
        for (int64_t k = 0; k < hidden; k++)
            h[j] += project->data[j * hidden + k] * next[k];
    }
}

static void twin_recurrent(const setting *s, const twin *in, int count, twin *out, bool gru)
{
    an_shape shape = in[0].shape;
    const int64_t time = shape.dim[1], features = shape.dim[2];
    const int64_t hidden = in[2].shape.dim[0] / (gru ? 3 : 4), size = in[2].shape.dim[1];
    shape.dim[2] = size;
    twin_new(out, shape);
    double *h = calloc(3 * (size_t)hidden + 1, sizeof *h);
    if (!h)
        abort();
    for (int64_t b = 0; b < shape.dim[0]; b++) {
        memset(h, 0, 3 * (size_t)hidden * sizeof *h);
        for (int64_t step = 0; step < time; step++) {
            const int64_t at = b * time + (s->reverse ? time - 1 - step : step);
            twin_step(in, count, gru, in[0].data + at * features, hidden, h, h + hidden,
                      h + 2 * hidden);
            memcpy(out->data + at * size, h, (size_t)size * sizeof *h);
        }
    }
    free(h);
}

void twin_lstm(const setting *s, const twin *in, int count, twin *out)
{
    twin_recurrent(s, in, count, out, false);
}

void twin_gru(const setting *s, const twin *in, int count, twin *out)
{
    twin_recurrent(s, in, count, out, true);
}

/* ---------------------------------------------------------------- products */

void twin_matmul(const setting *s, const twin *in, int count, twin *out)
{
    (void)s, (void)count;
    an_shape a = in[0].shape, b = in[1].shape;
    int64_t m = a.dim[a.ndim - 2], k = a.dim[a.ndim - 1], n = b.dim[b.ndim - 1];
    an_shape lead_a = a, lead_b = b;
    lead_a.ndim -= 2;
    lead_b.ndim -= 2;
    an_shape lead = broadcast_shape(lead_a, lead_b), shape = lead;
    shape.dim[shape.ndim++] = m;
    shape.dim[shape.ndim++] = n;
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t at[AN_MAX_DIMS], row = i / n % m, column = i % n;
        coordinates(shape, i, at);
        double sum = 0;
        for (int64_t j = 0; j < k; j++) {
            int64_t in_a[AN_MAX_DIMS], in_b[AN_MAX_DIMS];
            for (int d = 0; d < lead_a.ndim; d++)
                in_a[d] = a.dim[d] == 1 ? 0 : at[lead.ndim - lead_a.ndim + d];
            for (int d = 0; d < lead_b.ndim; d++)
                in_b[d] = b.dim[d] == 1 ? 0 : at[lead.ndim - lead_b.ndim + d];
            in_a[a.ndim - 2] = row;
            in_a[a.ndim - 1] = j;
            in_b[b.ndim - 2] = j;
            in_b[b.ndim - 1] = column;
            sum += in[0].data[position(a, in_a)] * in[1].data[position(b, in_b)];
        }
        out->data[i] = sum;
    }
}

void twin_transpose(const setting *s, const twin *in, int count, twin *out)
{
    (void)s, (void)count;
    an_shape shape = in[0].shape;
    shape.dim[shape.ndim - 1] = in[0].shape.dim[shape.ndim - 2];
    shape.dim[shape.ndim - 2] = in[0].shape.dim[shape.ndim - 1];
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t at[AN_MAX_DIMS];
        coordinates(shape, i, at);
        int64_t last = at[shape.ndim - 1];
        at[shape.ndim - 1] = at[shape.ndim - 2];
        at[shape.ndim - 2] = last;
        out->data[i] = in[0].data[position(in[0].shape, at)];
    }
}

static double activate(an_activation activation, double z)
{
    switch (activation) {
    case AN_RELU:
        return z > 0 ? z : 0;
    case AN_TANH:
        return tanh(z);
    case AN_SIGMOID:
        return 1 / (1 + exp(-z));
    default:
        return z;
    }
}

void twin_linear(const setting *s, const twin *in, int count, twin *out)
{
    int64_t outs = in[1].shape.dim[0], ins = in[1].shape.dim[1];
    an_shape shape = in[0].shape;
    shape.dim[shape.ndim - 1] = outs;
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t row = i / outs, column = i % outs;
        double z = count > 2 ? in[2].data[column] : 0;
        for (int64_t j = 0; j < ins; j++)
            z += in[0].data[row * ins + j] * in[1].data[column * ins + j];
        out->data[i] = activate(s->activation, z);
    }
}

/* -------------------------------------------------------------- reductions */

void twin_sum(const setting *s, const twin *in, int count, twin *out)
{
    (void)s, (void)count;
    twin_new(out, an_shape_0());
    for (int64_t i = 0; i < in[0].size; i++)
        out->data[0] += in[0].data[i];
}

void twin_mean(const setting *s, const twin *in, int count, twin *out)
{
    twin_sum(s, in, count, out);
    out->data[0] /= (double)in[0].size;
}

typedef enum { SUM, MEAN, MAX } reduction;

static void reduce(const setting *s, const twin *in, reduction kind, twin *out)
{
    an_shape from = in[0].shape, shape = from;
    int dim = s->dim < 0 ? s->dim + from.ndim : s->dim;
    shape.dim[dim] = 1;
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t at[AN_MAX_DIMS];
        coordinates(shape, i, at);
        double sum = 0, top = -INFINITY;
        for (at[dim] = 0; at[dim] < from.dim[dim]; at[dim]++) {
            double x = in[0].data[position(from, at)];
            sum += x;
            top = x > top ? x : top;
        }
        out->data[i] = kind == MAX ? top : kind == SUM ? sum : sum / (double)from.dim[dim];
    }
    if (!s->keep) {
        memmove(&out->shape.dim[dim], &out->shape.dim[dim + 1],
                (size_t)(shape.ndim - 1 - dim) * sizeof shape.dim[0]);
        out->shape.ndim--;
    }
}

void twin_sum_dim(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    reduce(s, in, SUM, out);
}

void twin_mean_dim(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    reduce(s, in, MEAN, out);
}

void twin_max_dim(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    reduce(s, in, MAX, out);
}

/* ------------------------------------------------------ shape and indexing */

static void copy_as(const twin *in, an_shape shape, twin *out)
{
    twin_new(out, shape);
    memcpy(out->data, in->data, (size_t)in->size * sizeof(double));
}

void twin_reshape(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    an_shape shape = s->shape;
    int64_t known = 1;
    for (int i = 0; i < shape.ndim; i++)
        known *= shape.dim[i] == -1 ? 1 : shape.dim[i];
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = shape.dim[i] == -1 ? in[0].size / known : shape.dim[i];
    copy_as(&in[0], shape, out);
}

void twin_flatten(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    int first = s->dim < 0 ? s->dim + in[0].shape.ndim : s->dim;
    an_shape shape = {.ndim = first + 1};
    shape.dim[first] = in[0].size;
    for (int i = 0; i < first; i++) {
        shape.dim[i] = in[0].shape.dim[i];
        shape.dim[first] /= shape.dim[i];
    }
    copy_as(&in[0], shape, out);
}

void twin_slice(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    an_shape shape = in[0].shape;
    int dim = s->dim < 0 ? s->dim + shape.ndim : s->dim;
    shape.dim[dim] = s->count;
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t at[AN_MAX_DIMS];
        coordinates(shape, i, at);
        at[dim] += s->start;
        out->data[i] = in[0].data[position(in[0].shape, at)];
    }
}

void twin_index_rows(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    an_shape shape = in[0].shape;
    shape.dim[0] = s->label_count;
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t at[AN_MAX_DIMS];
        coordinates(shape, i, at);
        at[0] = s->labels[at[0]];
        out->data[i] = in[0].data[position(in[0].shape, at)];
    }
}

void twin_concat(const setting *s, const twin *in, int count, twin *out)
{
    an_shape shape = in[0].shape;
    int dim = s->dim < 0 ? s->dim + shape.ndim : s->dim;
    for (int part = 1; part < count; part++)
        shape.dim[dim] += in[part].shape.dim[dim];
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++) {
        int64_t at[AN_MAX_DIMS];
        coordinates(shape, i, at);
        int part = 0;
        while (at[dim] >= in[part].shape.dim[dim])
            at[dim] -= in[part++].shape.dim[dim];
        out->data[i] = in[part].data[position(in[part].shape, at)];
    }
}

/* The second input holds ids; they are not differentiated. */
void twin_embedding(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    const int64_t features = in[0].shape.dim[1];
    an_shape shape = s->shape;
    shape.dim[shape.ndim++] = features;
    twin_new(out, shape);
    for (int64_t i = 0; i < out->size; i++)
        out->data[i] = in[0].data[s->labels[i / features] * features + i % features];
}
