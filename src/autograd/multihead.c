/*
 * PyTorch's MultiheadAttention as one call: projections, attention, projection. The keys that are
 * added (bias_k, zeros) stand before the others, where a causal position sees them too.
 */
#include <math.h>

#include "autograd/graph.h"

an_tensor *an_mask(an_graph *graph, const bool *hidden, an_shape shape)
{
    if (!hidden) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "mask: the booleans are NULL");
        return &graph->poison;
    }
    an_tensor *mask = an__leaf(graph, "mask", shape);
    for (int64_t i = 0; i < mask->size; i++)
        mask->data[i] = hidden[i] ? -INFINITY : 0;
    return mask;
}

/* Projection `part` (query, key, value) of x. */
static an_tensor *project(an_graph *graph, an_tensor *x, const an_multihead_weights *w, int part,
                          int64_t width)
{
    an_tensor *own[] = {w->q_weight, w->k_weight, w->v_weight};
    an_tensor *weight =
        w->in_weight ? an_slice(graph, w->in_weight, 0, part * width, width) : own[part];
    an_tensor *bias = w->in_bias ? an_slice(graph, w->in_bias, 0, part * width, width) : NULL;
    return an_linear(graph, x, weight, bias, AN_IDENTITY);
}

/* `x` behind `first` (1, 1, width; NULL: none), the same for each sample, and maybe zeros. */
static an_tensor *prepend(an_graph *graph, an_tensor *x, an_tensor *first, bool zeros)
{
    an_tensor *parts[3];
    int count = 0;
    an_shape one = x->shape;
    if (one.ndim != 3)
        return x;
    one.dim[1] = 1;
    if (zeros)
        parts[count++] = an_full(graph, one, 0);
    if (first)
        parts[count++] = an_add(graph, an_full(graph, one, 0), first);
    parts[count++] = x;
    return an_concat(graph, parts, count, 1);
}

static an_tensor *attend(an_graph *graph, an_tensor *const in[3], const an_multihead_weights *w,
                         bool zeros, an_attention_options options)
{
    const int64_t width = w->out_weight->shape.dim[0];
    const bool more = w->bias_k || zeros;
    if (w->in_weight && !more && in[0] == in[1] && in[1] == in[2])
        return an_self_attention(
            graph, an_linear(graph, in[0], w->in_weight, w->in_bias, AN_IDENTITY), options);
    an_tensor *part[3];
    for (int i = 0; i < 3; i++)
        part[i] = project(graph, in[i], w, i, width);
    if (more) {
        part[1] = prepend(graph, part[1], w->bias_k, zeros);
        part[2] = prepend(graph, part[2], w->bias_v, zeros);
        options.extra = (w->bias_k ? 1 : 0) + (zeros ? 1 : 0);
    }
    return an_attention(graph, part[0], part[1], part[2], options);
}

an_tensor *an_multihead_attention(an_graph *graph, an_tensor *query, an_tensor *key,
                                  an_tensor *value, an_multihead_weights w, bool zero_attention,
                                  an_attention_options options)
{
    an_tensor *const in[3] = {query, key, value};
    const bool apart = w.q_weight && w.k_weight && w.v_weight;
    if (!w.out_weight || !(w.in_weight || apart) || !w.bias_k != !w.bias_v || options.extra != 0) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                     "multihead_attention: takes out_weight, in_weight or the three weights in its "
                     "place, bias_k and bias_v together or none of them, and extra 0");
        return &graph->poison;
    }
    an_tensor *heads = attend(graph, in, &w, zero_attention, options);
    return an_linear(graph, heads, w.out_weight, w.out_bias, AN_IDENTITY);
}
