#include "cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ shapes */

static int64_t below(an_rng *rng, int64_t n)
{
    return (int64_t)an_rng_below(rng, (uint64_t)n);
}

static int64_t odd_dim(an_rng *rng, int64_t limit)
{
    static const int64_t dims[] = {1, 2, 3, 5, 8, 17, 33};
    int64_t dim;
    do
        dim = dims[below(rng, 7)];
    while (dim > limit);
    return dim;
}

/* At least `least` dimensions of odd sizes; at most 300 values, or some 100,000 when large. */
static an_shape any_shape(an_rng *rng, bool large, int least)
{
    an_shape shape = {.ndim = least + (int)below(rng, 5 - least)};
    int64_t left = 300;
    for (int i = shape.ndim - 1; i >= 0; i--) {
        shape.dim[i] = odd_dim(rng, left);
        left /= shape.dim[i];
    }
    if (large && shape.ndim > 0)
        shape.dim[0] *= 100000 / an_shape_size(shape) + 1;
    return shape;
}

static an_shape matrix(an_rng *rng, bool large)
{
    return an_shape_2(large ? 4001 : odd_dim(rng, 33), odd_dim(rng, 33));
}

/* Makes some dimensions of one operand 1, and leaves some leading ones out. */
static an_shape repeating(an_rng *rng, an_shape shape, int keep)
{
    const int drop = (int)below(rng, shape.ndim - keep + 1);
    an_shape out = {.ndim = shape.ndim - (below(rng, 3) == 0 ? drop : 0)};
    for (int i = 0; i < out.ndim; i++) {
        out.dim[i] = shape.dim[shape.ndim - out.ndim + i];
        if (i < out.ndim - keep && below(rng, 3) == 0)
            out.dim[i] = 1;
    }
    return out;
}

static void one(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    *count = 1;
    shapes[0] = any_shape(rng, large, large ? 1 : 0);
    s->p = an_rng_double(rng) * 4 - 2;
    s->q = an_rng_double(rng) * 4 - 2;
}

static void at_least_one_dim(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    one(rng, large, shapes, count, s);
    shapes[0] = any_shape(rng, large, 1);
    s->keep = below(rng, 2);
    s->dim = (int)below(rng, 2 * shapes[0].ndim) - shapes[0].ndim;
}

static void power(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    static const double powers[] = {2, 3, 0.5, -1, 1, 0, 1.7, -0.3};
    one(rng, large, shapes, count, s);
    s->p = powers[below(rng, 8)];
}

static void slope(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    one(rng, large, shapes, count, s);
    s->p = (double)below(rng, 3) / 2;
}

/* The threshold lies where the two formulas differ, so that the right one is seen. */
static void soft(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    one(rng, large, shapes, count, s);
    s->p = 0.5 + an_rng_double(rng);
    s->q = below(rng, 2) ? 20 : 9;
}

static void probability(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    one(rng, large, shapes, count, s);
    s->p = (double)below(rng, 4) / 4;
    s->seed = an_rng_u32(rng);
}

static void two_broadcast(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    (void)s;
    *count = 2;
    an_shape shape = any_shape(rng, large, large ? 1 : 0);
    shapes[0] = repeating(rng, shape, 0);
    shapes[1] = repeating(rng, shape, 0);
}

static void two_equal(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    one(rng, large, shapes, count, s);
    *count = 2;
    shapes[1] = shapes[0];
}

static void two_matrices(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    (void)s;
    *count = 2;
    an_shape lead = {.ndim = (int)below(rng, 3)};
    for (int i = 0; i < lead.ndim; i++)
        lead.dim[i] = 1 + below(rng, 3);
    const int64_t m = large ? 200 : odd_dim(rng, 17), n = large ? 150 : odd_dim(rng, 17);
    const int64_t k = large ? 120 : odd_dim(rng, 17);
    shapes[0] = repeating(rng, lead, 0);
    shapes[1] = repeating(rng, lead, 0);
    shapes[0].dim[shapes[0].ndim++] = m;
    shapes[0].dim[shapes[0].ndim++] = k;
    shapes[1].dim[shapes[1].ndim++] = k;
    shapes[1].dim[shapes[1].ndim++] = n;
}

static void at_least_two_dims(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    one(rng, large, shapes, count, s);
    shapes[0] = any_shape(rng, large, 2);
}

static void layer(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    const int64_t in = large ? 200 : odd_dim(rng, 33), out = large ? 150 : odd_dim(rng, 17);
    *count = 2 + (int)below(rng, 2);
    shapes[0] = (an_shape){.ndim = (int)below(rng, 3)};
    for (int i = 0; i < shapes[0].ndim; i++)
        shapes[0].dim[i] = large ? 30 : 1 + below(rng, 5);
    shapes[0].dim[shapes[0].ndim++] = in;
    shapes[1] = an_shape_2(out, in);
    shapes[2] = an_shape_1(out);
    s->activation = (an_activation)below(rng, 4);
}

static void new_shape(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    at_least_one_dim(rng, large, shapes, count, s);
    s->shape = (an_shape){.ndim = shapes[0].ndim};
    for (int i = 0; i < s->shape.ndim; i++)
        s->shape.dim[i] = shapes[0].dim[s->shape.ndim - 1 - i];
    if (below(rng, 2))
        s->shape.dim[below(rng, s->shape.ndim)] = -1;
}

static void part(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    at_least_one_dim(rng, large, shapes, count, s);
    const int64_t dim = shapes[0].dim[s->dim < 0 ? s->dim + shapes[0].ndim : s->dim];
    s->start = below(rng, dim);
    s->count = 1 + below(rng, dim - s->start);
}

static void labels(an_rng *rng, setting *s, int64_t count, int64_t classes)
{
    s->label_count = count;
    for (int64_t i = 0; i < count; i++)
        s->labels[i] = (int32_t)below(rng, classes);
}

static void rows(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    at_least_one_dim(rng, large, shapes, count, s);
    labels(rng, s, 1 + below(rng, 20), shapes[0].dim[0]);
}

static void table(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    *count = 1;
    shapes[0] = matrix(rng, large);
    s->shape = an_shape_2(large ? 40 : 1 + below(rng, 5), large ? 100 : 1 + below(rng, 5));
    labels(rng, s, an_shape_size(s->shape), shapes[0].dim[0]);
}

static void classes(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    *count = 1;
    shapes[0] = matrix(rng, large);
    labels(rng, s, shapes[0].dim[0], shapes[0].dim[1]);
}

/* Weight and bias of `shape`, or none of them, or the first alone. */
static void affine_inputs(an_rng *rng, an_shape shape, an_shape *shapes, int *count)
{
    *count = 1 + (int)below(rng, 3);
    shapes[1] = shapes[2] = shape;
}

static void row_norm(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    at_least_one_dim(rng, large, shapes, count, s);
    if (below(rng, 4) == 0) /* long rows */
        shapes[0] = an_shape_2(2, 101);
    s->dim = large ? 1 : 1 + (int)below(rng, shapes[0].ndim);
    s->eps = 0.05 + an_rng_double(rng);
    an_shape last = {.ndim = s->dim};
    for (int i = 0; i < s->dim; i++)
        last.dim[i] = shapes[0].dim[shapes[0].ndim - s->dim + i];
    affine_inputs(rng, last, shapes, count);
}

static void square_norm(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    row_norm(rng, large, shapes, count, s);
    *count = *count > 2 ? 2 : *count;
}

/* (n, channels), (n, channels, length) or (n, channels, height, width). */
static void images(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    static const int64_t channels[] = {1, 2, 4, 6};
    shapes[0] = (an_shape){.ndim = 2 + (int)below(rng, 3), .dim = {2 + below(rng, 3)}};
    shapes[0].dim[1] = channels[below(rng, 4)];
    for (int i = 2; i < shapes[0].ndim; i++)
        shapes[0].dim[i] = large ? 1 + below(rng, 90) : 1 + below(rng, 8);
    if (large)
        shapes[0].dim[0] = 100000 / (an_shape_size(shapes[0]) / shapes[0].dim[0]);
    s->eps = 0.05 + an_rng_double(rng);
    affine_inputs(rng, an_shape_1(shapes[0].dim[1]), shapes, count);
}

static void grouped(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    images(rng, large, shapes, count, s);
    if (large) { /* groups of more channels than a vector has lanes */
        shapes[0].dim[0] = shapes[0].dim[0] * shapes[0].dim[1] / 40 + 1;
        shapes[0].dim[1] = 40;
        affine_inputs(rng, an_shape_1(40), shapes, count);
    }
    s->groups = shapes[0].dim[1] == 1 ? 1 : below(rng, 2) ? 2 : shapes[0].dim[1];
}

static void batched(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    images(rng, large, shapes, count, s);
    s->training = below(rng, 2);
    s->running = below(rng, 2);
    an_rng_fill_uniform(rng, s->weights, MAX_WEIGHTS, -1, 1);
    an_rng_fill_uniform(rng, s->pos_weights, MAX_WEIGHTS, 0.5f, 2);
}

/* A loss with random settings; of `columns` weights, where it has some. */
static void loss_setting(an_rng *rng, setting *s, an_loss_kind kind, int64_t columns)
{
    s->loss = an_loss_defaults(kind);
    static const an_reduction reductions[] = {AN_REDUCE_MEAN, AN_REDUCE_SUM, AN_REDUCE_NONE};
    s->loss.reduction = reductions[below(rng, 3)];
    an_rng_fill_uniform(rng, s->weights, MAX_WEIGHTS, 0.1f, 2);
    an_rng_fill_uniform(rng, s->pos_weights, MAX_WEIGHTS, 0.1f, 2);
    s->loss.weight = below(rng, 2) && columns <= MAX_WEIGHTS ? s->weights : NULL;
    s->loss.weight_count = columns;
    s->loss.pos_weight = below(rng, 2) ? s->pos_weights : NULL;
    s->loss.pos_weight_count = below(rng, 2) && columns <= MAX_WEIGHTS ? columns : 1;
    s->loss.label_smoothing = (double)below(rng, 3) / 4;
    s->loss.beta = 0.5 + an_rng_double(rng);
    s->loss.delta = 0.5 + an_rng_double(rng);
    s->loss.log_target = below(rng, 2);
}

static void class_loss(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    classes(rng, large, shapes, count, s);
    loss_setting(rng, s, AN_CROSS_ENTROPY_LOSS, shapes[0].dim[1]);
    s->loss.ignore_index = below(rng, 2) ? s->labels[s->label_count / 2] : -1;
    for (int64_t i = 1; i < s->label_count; i++)
        if (s->loss.ignore_index == -1 && below(rng, 4) == 0)
            s->labels[i] = -1;
    s->labels[0] = s->loss.ignore_index == 0 ? 1 : 0;
    shapes[0].dim[1] += shapes[0].dim[1] == 1;
    s->loss.weight_count = shapes[0].dim[1];
    if (!large && below(rng, 2)) /* the same rows in three dimensions */
        shapes[0] = an_shape_3(1, shapes[0].dim[0], shapes[0].dim[1]);
}

static void negative_class_loss(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    class_loss(rng, large, shapes, count, s);
    s->loss.kind = AN_NLL_LOSS;
}

#define VALUE_LOSS(name, kind)                                                                  \
    static void name(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)         \
    {                                                                                           \
        two_equal(rng, large, shapes, count, s);                                                \
        loss_setting(rng, s, kind, shapes[0].ndim > 0 ? shapes[0].dim[shapes[0].ndim - 1] : 1); \
    }

VALUE_LOSS(squares, AN_MSE_LOSS)
VALUE_LOSS(sizes, AN_L1_LOSS)
VALUE_LOSS(smooth_sizes, AN_SMOOTH_L1_LOSS)
VALUE_LOSS(huber, AN_HUBER_LOSS)
VALUE_LOSS(binary, AN_BCE_WITH_LOGITS_LOSS)

static void divergence(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    two_equal(rng, large, shapes, count, s);
    loss_setting(rng, s, AN_KL_DIV_LOSS, 1);
    s->loss.weight = s->loss.pos_weight = NULL; /* it takes none */
    s->loss.reduction = (an_reduction)below(rng, 4);
}

/* Queries, keys and values of several heads. */
static void three_parts(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    *count = 3;
    s->heads = 1 + below(rng, 3);
    s->causal = below(rng, 2);
    s->p = below(rng, 3) == 0 ? 0.25 : 0;
    s->seed = an_rng_u32(rng);
    const int64_t batch = 1 + below(rng, 3), width = s->heads * odd_dim(rng, 8);
    const int64_t keys = large ? 150 : odd_dim(rng, 17);
    if (below(rng, 2)) {
        s->mask = (int)below(rng, 3);
        s->key_mask = below(rng, 2);
        s->extra = below(rng, 2);
    }
    shapes[0] = an_shape_3(batch, large ? 200 : odd_dim(rng, 17), width);
    shapes[1] = shapes[2] = an_shape_3(batch, keys, width);
}

static void side_by_side(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    three_parts(rng, large, shapes, count, s);
    s->extra = 0;
    *count = 1;
    shapes[0].dim[2] *= 3;
}

static void recurrent(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s,
                      int64_t gates)
{
    const int64_t hidden = large ? 40 : odd_dim(rng, 17), in = odd_dim(rng, 8);
    s->reverse = below(rng, 2);
    *count = below(rng, 3) ? 5 : 3;
    shapes[0] = an_shape_3(large ? 70 : odd_dim(rng, 5), large ? 20 : odd_dim(rng, 5), in);
    shapes[1] = an_shape_2(gates * hidden, in);
    shapes[2] = an_shape_2(gates * hidden, hidden);
    shapes[3] = shapes[4] = an_shape_1(gates * hidden);
}

static void four_gates(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    recurrent(rng, large, shapes, count, s, 4);
    const int64_t hidden = shapes[2].dim[1];
    if (hidden > 1 && below(rng, 2)) {
        const int64_t out = 1 + below(rng, hidden - 1);
        shapes[2].dim[1] = out;
        shapes[(*count)++] = an_shape_2(out, hidden);
    }
}

static void three_gates(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    recurrent(rng, large, shapes, count, s, 3);
}

static void parts(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s)
{
    at_least_one_dim(rng, large, shapes, count, s);
    *count = 1 + (int)below(rng, MAX_INPUTS);
    for (int i = 1; i < *count; i++) {
        shapes[i] = shapes[0];
        shapes[i].dim[s->dim < 0 ? s->dim + shapes[i].ndim : s->dim] = 1 + below(rng, 4);
    }
}

/* ------------------------------------------------------------------- calls */

#define CALL(name, ...)                                                                         \
    static an_tensor *call_##name(an_graph *graph, an_tensor **in, int count, const setting *s) \
    {                                                                                           \
        (void)count, (void)s;                                                                   \
        return an_##name(graph, __VA_ARGS__);                                                   \
    }

CALL(add, in[0], in[1])
CALL(sub, in[0], in[1])
CALL(mul, in[0], in[1])
CALL(div, in[0], in[1])
CALL(affine, in[0], s->p, s->q)
CALL(neg, in[0])
CALL(exp, in[0])
CALL(log, in[0])
CALL(sqrt, in[0])
CALL(abs, in[0])
CALL(pow, in[0], s->p)
CALL(relu, in[0])
CALL(tanh, in[0])
CALL(sigmoid, in[0])
CALL(gelu, in[0])
CALL(gelu_tanh, in[0])
CALL(silu, in[0])
CALL(leaky_relu, in[0], s->p)
CALL(elu, in[0], s->p)
CALL(softplus, in[0], s->p, s->q)
CALL(softmax_dim, in[0], s->dim)
CALL(softmax, in[0])
CALL(log_softmax, in[0])
CALL(matmul, in[0], in[1])
CALL(transpose, in[0])
CALL(linear, in[0], in[1], count > 2 ? in[2] : NULL, s->activation)
CALL(sum, in[0])
CALL(mean, in[0])
CALL(sum_dim, in[0], s->dim, s->keep)
CALL(mean_dim, in[0], s->dim, s->keep)
CALL(max_dim, in[0], s->dim, s->keep)
CALL(reshape, in[0], s->shape)
CALL(flatten, in[0], s->dim)
CALL(slice, in[0], s->dim, s->start, s->count)
CALL(index_rows, in[0], (an_labels){s->labels, s->label_count})
CALL(concat, in, count, s->dim)

static an_tensor *mask_of(an_graph *graph, an_shape shape)
{
    an_tensor *mask = an_empty(graph, shape);
    for (int64_t i = 0; i < mask->size; i++)
        mask->data[i] = mask_value(i, i % shape.dim[shape.ndim - 1]);
    return mask;
}

static an_tensor *call_attention(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    an_rng rng = an_rng_init(s->seed, 1);
    an_attention_options options = {s->heads, s->causal, s->p, &rng, NULL, NULL, s->extra};
    const an_shape q = in[0]->shape, k = in[count == 1 ? 0 : 1]->shape;
    const int64_t columns = k.dim[1] - s->extra;
    if (s->mask)
        options.mask =
            mask_of(graph, s->mask == 1 ? an_shape_2(q.dim[1], columns)
                                        : an_shape_3(q.dim[0] * s->heads, q.dim[1], columns));
    if (s->key_mask)
        options.key_mask = mask_of(graph, an_shape_2(q.dim[0], columns));
    return count == 1 ? an_self_attention(graph, in[0], options)
                      : an_attention(graph, in[0], in[1], in[2], options);
}

static an_recurrent_weights weights_of(an_tensor **in, int count)
{
    return (an_recurrent_weights){in[1], in[2], count > 4 ? in[3] : NULL, count > 4 ? in[4] : NULL,
                                  count % 2 == 0 ? in[count - 1] : NULL};
}

CALL(lstm, in[0], weights_of(in, count), s->reverse)
CALL(gru, in[0], weights_of(in, count), s->reverse)

CALL(layer_norm, in[0], s->dim, count > 1 ? in[1] : NULL, count > 2 ? in[2] : NULL, s->eps)
CALL(rms_norm, in[0], s->dim, count > 1 ? in[1] : NULL, s->eps)
CALL(group_norm, in[0], s->groups, count > 1 ? in[1] : NULL, count > 2 ? in[2] : NULL, s->eps)

static an_tensor *call_batch_norm(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    const an_shape shape = an_shape_1(in[0]->shape.dim[1]);
    an_batch_norm_options o = {.training = s->training, .momentum = 0.1, .eps = s->eps};
    if (s->running) {
        o.running_mean = an_from(graph, s->weights, shape);
        o.running_variance = an_from(graph, s->pos_weights, shape);
    }
    return an_batch_norm(graph, in[0], count > 1 ? in[1] : NULL, count > 2 ? in[2] : NULL, &o);
}

static an_tensor *call_embedding(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    an_labels ids = {s->labels, s->label_count};
    return an_embedding(graph, in[0], an_ids(graph, ids, s->shape), -1);
}

static an_tensor *call_class_loss(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    return an_loss_apply(s->loss, graph, in[0], (an_labels){s->labels, s->label_count});
}

static an_tensor *call_value_loss(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    return an_loss_between(s->loss, graph, in[0], in[1]);
}

static an_tensor *call_dropout(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    (void)count;
    an_rng rng = an_rng_init(s->seed, 1);
    return an_dropout(graph, in[0], s->p, &rng);
}

/* p x y^2 */
static void own_forward(an_tensor *output, an_tensor *const *in, int count, void *user)
{
    (void)count;
    const double *p = user;
    for (int64_t i = 0; i < output->size; i++)
        output->data[i] = (float)*p * in[0]->data[i] * in[1]->data[i] * in[1]->data[i];
}

static void own_backward(an_graph *graph, an_tensor *output, an_tensor *const *in, int count,
                         void *user)
{
    const float p = (float)*(const double *)user;
    for (int which = 0; which < count; which++) {
        bool fresh;
        float *dx = an_grad_of(graph, in[which], &fresh);
        for (int64_t i = 0; dx && i < output->size; i++) {
            float x = in[0]->data[i], y = in[1]->data[i];
            float d = output->grad[i] * p * (which == 0 ? y * y : 2 * x * y);
            dx[i] = fresh ? d : dx[i] + d;
        }
    }
}

static an_tensor *call_apply(an_graph *graph, an_tensor **in, int count, const setting *s)
{
    static const an_operation own = {"own", own_forward, own_backward};
    return an_apply(graph, &own, in[0]->shape, in, count, (void *)&s->p);
}

/* -------------------------------------------------------------------- list */

const op_case op_cases[] = {
    {"add", two_broadcast, call_add, twin_add, -2, 2, 0},
    {"sub", two_broadcast, call_sub, twin_sub, -2, 2, 0},
    {"mul", two_broadcast, call_mul, twin_mul, -2, 2, 0},
    {"div", two_broadcast, call_div, twin_div, -2, 2, 0.5},
    {"affine", one, call_affine, twin_affine, -2, 2, 0},
    {"neg", one, call_neg, twin_neg, -2, 2, 0},
    {"exp", one, call_exp, twin_exp, -3, 3, 0},
    {"log", one, call_log, twin_log, 0.1, 4, 0},
    {"sqrt", one, call_sqrt, twin_sqrt, 0.1, 4, 0},
    {"abs", one, call_abs, twin_abs, -2, 2, 0.01},
    {"pow", power, call_pow, twin_pow, 0.2, 2, 0},
    {"relu", one, call_relu, twin_relu, -2, 2, 0.01},
    {"tanh", one, call_tanh, twin_tanh, -4, 4, 0},
    {"sigmoid", one, call_sigmoid, twin_sigmoid, -6, 6, 0},
    {"gelu", one, call_gelu, twin_gelu, -6, 6, 0},
    {"gelu_tanh", one, call_gelu_tanh, twin_gelu_tanh, -6, 6, 0},
    {"silu", one, call_silu, twin_silu, -6, 6, 0},
    {"leaky_relu", slope, call_leaky_relu, twin_leaky_relu, -2, 2, 0.01},
    {"elu", slope, call_elu, twin_elu, -6, 6, 0.01},
    {"softplus", soft, call_softplus, twin_softplus, -4, 4, 0},
    {"softmax_dim", at_least_one_dim, call_softmax_dim, twin_softmax_dim, -4, 4, 0},
    {"softmax", at_least_one_dim, call_softmax, twin_softmax, -4, 4, 0},
    {"log_softmax", at_least_one_dim, call_log_softmax, twin_log_softmax, -4, 4, 0},
    {"dropout", probability, call_dropout, twin_dropout, -2, 2, 0},
    {"matmul", two_matrices, call_matmul, twin_matmul, -1, 1, 0},
    {"transpose", at_least_two_dims, call_transpose, twin_transpose, -2, 2, 0},
    {"linear", layer, call_linear, twin_linear, -1, 1, 0},
#define IMAGE_CASE(name) {#name, make_##name, call_##name, twin_##name, -1, 1, 0},
    IMAGE_CASES(IMAGE_CASE)
#undef IMAGE_CASE
        {"sum", one, call_sum, twin_sum, -2, 2, 0},
    {"mean", one, call_mean, twin_mean, -2, 2, 0},
    {"sum_dim", at_least_one_dim, call_sum_dim, twin_sum_dim, -2, 2, 0},
    {"mean_dim", at_least_one_dim, call_mean_dim, twin_mean_dim, -2, 2, 0},
    {"max_dim", at_least_one_dim, call_max_dim, twin_max_dim, -2, 2, 0},
    {"reshape", new_shape, call_reshape, twin_reshape, -2, 2, 0},
    {"flatten", at_least_one_dim, call_flatten, twin_flatten, -2, 2, 0},
    {"slice", part, call_slice, twin_slice, -2, 2, 0},
    {"index_rows", rows, call_index_rows, twin_index_rows, -2, 2, 0},
    {"concat", parts, call_concat, twin_concat, -2, 2, 0},
    {"attention", three_parts, call_attention, twin_attention, -2, 2, 0},
    {"self_attention", side_by_side, call_attention, twin_self_attention, -2, 2, 0},
    {"lstm", four_gates, call_lstm, twin_lstm, -0.5, 0.5, 0},
    {"gru", three_gates, call_gru, twin_gru, -0.5, 0.5, 0},
    {"embedding", table, call_embedding, twin_embedding, -2, 2, 0},
    {"layer_norm", row_norm, call_layer_norm, twin_layer_norm, -2, 2, 0},
    {"rms_norm", square_norm, call_rms_norm, twin_rms_norm, -2, 2, 0},
    {"group_norm", grouped, call_group_norm, twin_group_norm, -2, 2, 0},
    {"batch_norm", batched, call_batch_norm, twin_batch_norm, -2, 2, 0},
    {"nll_loss", negative_class_loss, call_class_loss, twin_nll_loss, -4, 0, 0},
    {"cross_entropy", class_loss, call_class_loss, twin_cross_entropy, -4, 4, 0},
    {"mse_loss", squares, call_value_loss, twin_value_loss, -2, 2, 0},
    {"l1_loss", sizes, call_value_loss, twin_value_loss, -2, 2, 0},
    {"smooth_l1_loss", smooth_sizes, call_value_loss, twin_value_loss, -2, 2, 0},
    {"huber_loss", huber, call_value_loss, twin_value_loss, -2, 2, 0},
    {"bce_with_logits_loss", binary, call_value_loss, twin_value_loss, -2, 2, 0},
    {"kl_div_loss", divergence, call_value_loss, twin_value_loss, 0.1, 2, 0},
    {"apply", two_equal, call_apply, twin_apply, -1, 1, 0},
};
const int op_case_count = sizeof op_cases / sizeof *op_cases;

const op_case *op_case_find(const char *name)
{
    for (int i = 0; i < op_case_count; i++)
        if (strcmp(op_cases[i].name, name) == 0)
            return &op_cases[i];
    return NULL;
}

/* ----------------------------------------------------------------- samples */

static double value(an_rng *rng, const op_case *op)
{
    double x;
    do
        x = (double)(float)(op->low + (op->high - op->low) * an_rng_double(rng));
    while (fabs(x) < op->gap);
    return x;
}

void sample_new(sample *x, const op_case *op, an_rng *rng, bool large)
{
    an_shape shapes[MAX_INPUTS];
    memset(x, 0, sizeof *x);
    x->op = op;
    op->make(rng, large, shapes, &x->count, &x->s);
    for (int i = 0; i < x->count; i++) {
        twin_new(&x->in[i], shapes[i]);
        for (int64_t j = 0; j < x->in[i].size; j++)
            x->in[i].data[j] = value(rng, op);
    }
}

void sample_free(sample *x)
{
    for (int i = 0; i < x->count; i++)
        twin_free(&x->in[i]);
}

static an_tensor *weighted_sum(const sample *x, an_graph *graph, const float *weight,
                               an_tensor **inputs, an_tensor **out)
{
    *out = x->op->apply(graph, inputs, x->count, &x->s);
    if ((*out)->size > WEIGHTS)
        abort();
    return an_sum(graph, an_mul(graph, *out, an_from(graph, weight, (*out)->shape)));
}

an_tensor *sample_run(const sample *x, int mode, an_graph *graph, const float *weight,
                      an_tensor **leaves, an_error *err)
{
    an_tensor *inputs[MAX_INPUTS], *out;
    for (int i = 0; i < x->count; i++) {
        an_tensor *leaf = leaves[i] = an_empty(graph, x->in[i].shape);
        for (int64_t j = 0; j < leaf->size; j++)
            leaf->data[j] = (float)x->in[i].data[j];
        leaf->requires_grad = true;
        inputs[i] = mode & BEHIND ? an_affine(graph, leaf, 1, 0) : leaf;
    }
    an_tensor *loss = weighted_sum(x, graph, weight, inputs, &out);
    if (mode & TWICE)
        loss = an_add(graph, loss, weighted_sum(x, graph, weight, inputs, &out));
    return an_backward(graph, loss, err) ? out : NULL;
}
