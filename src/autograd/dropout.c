/* Inverted dropout. One byte a value remembers what was kept. */
#include "autograd/ops.h"

static bool dropout_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const float p = node->as.dropout.p;
    *shape = node->inputs[0]->shape;
    if (!(p >= 0.0f && p <= 1.0f))
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "dropout: p is a probability from 0 to 1, got %g", (double)p);
    if (!node->as.dropout.rng)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "dropout: the random number generator is NULL");
    return true;
}

static float dropout_scale(const an_node *node)
{
    const float p = node->as.dropout.p;
    return p < 1.0f ? 1.0f / (1.0f - p) : 0.0f;
}

static bool dropout_forward(an_graph *graph, an_node *node)
{
    const an_pointwise_table *kernels = an__kernels(graph->context)->pointwise;
    const int64_t size = node->output.size;
    uint8_t *keep = an__scratch(graph, size, 1);
    if (!keep)
        return false;
    node->as.dropout.keep = keep;
    an_rng_fill_uniform(node->as.dropout.rng, node->output.data, size, 0.0f, 1.0f);
    kernels->dropout(size, node->output.data, keep, node->inputs[0]->data, node->as.dropout.p,
                     dropout_scale(node));
    return true;
}

static void dropout_backward(an_graph *graph, an_node *node)
{
    const an_pointwise_table *kernels = an__kernels(graph->context)->pointwise;
    bool fresh;
    float *dx = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    if (dx)
        kernels->dropout_backward(node->output.size, dx, node->output.grad, node->as.dropout.keep,
                                  dropout_scale(node), !fresh);
}

const an_op an__op_dropout = {"dropout", dropout_shape, dropout_forward, dropout_backward};

an_tensor *an_dropout(an_graph *graph, an_tensor *x, double p, an_rng *rng)
{
    an_attributes as = {.dropout = {.p = (float)p, .rng = rng}};
    return an__record(graph, &an__op_dropout, &x, 1, &as);
}

/* Ones that were dropped, spread over the channels' values by broadcasting. */
an_tensor *an_dropout_channels(an_graph *graph, an_tensor *x, double p, an_rng *rng)
{
    if (!x || an__poisoned(x) || x->shape.ndim < 2) {
        an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                     "dropout_channels: needs (n, channels, ...) but gets %s",
                     x && !an__poisoned(x) ? an__text(x->shape).text : "no tensor");
        return &graph->poison;
    }
    an_shape channels = x->shape;
    for (int i = 2; i < channels.ndim; i++)
        channels.dim[i] = 1;
    return an_mul(graph, x, an_dropout(graph, an_full(graph, channels, 1), p, rng));
}
