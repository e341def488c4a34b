/*
 * Multi-head attention, fused: softmax(q k^T / sqrt(size)) v for every head, without a tensor for
 * anything between (A. Vaswani and others: Attention Is All You Need, 2017). The heads lie side by
 * side in the last dimension, so nothing is ever rearranged. What is kept for the way back is the
 * weights and, with dropout, a byte each.
 */
#include "tensor/kernels/attention.h"
#include "autograd/ops.h"

#include <math.h>
#include <string.h>

enum { Q, K, V, PARTS };

/* ------------------------------------------------------------------- shape */

static bool check_setting(an_graph *graph, an_node *node, int64_t width)
{
    const an_op *op = node->op;
    const int64_t heads = node->as.attention.setting.heads;
    const double p = node->as.attention.setting.dropout;
    if (heads < 1 || width % heads != 0)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "%s: the number of heads must divide the width %lld, got %lld",
                            op->name, (long long)width, (long long)heads);
    if (!(p >= 0 && p <= 1))
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "%s: dropout is a probability from 0 to 1, got %g", op->name, p);
    if (p > 0 && !node->as.attention.setting.rng)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "%s: dropout needs a random number generator, got NULL", op->name);
    return true;
}

static bool check_mask(an_graph *graph, const an_node *node, const char *name,
                       const an_tensor *mask, an_shape want, an_shape other)
{
    if (!mask ||
        (mask->data && (an_shape_equal(mask->shape, want) || an_shape_equal(mask->shape, other))))
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE, "%s: %s must be %s but has shape %s",
                        node->op->name, name, an__text(want).text, an__text(mask->shape).text);
}

/* `q` and `keys` are those of the masks: (batch, time) and how many keys. */
static bool check_masks(an_graph *graph, const an_node *node, an_shape q, int64_t keys)
{
    const an_attention_options *o = &node->as.attention.setting;
    const int64_t extra = o->extra, seen = keys - extra;
    if (extra < 0 || extra > keys)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "%s: extra must be 0 to %lld, the keys, got %lld", node->op->name,
                            (long long)keys, (long long)extra);
    const an_shape plain = an_shape_2(q.dim[1], seen), by_key = an_shape_2(q.dim[0], seen);
    return check_mask(graph, node, "the mask", o->mask, plain,
                      an_shape_3(q.dim[0] * o->heads, q.dim[1], seen)) &&
           check_mask(graph, node, "the mask of the keys", o->key_mask, by_key, by_key);
}

static bool check_dims(an_graph *graph, const an_node *node, an_shape shape)
{
    if (shape.ndim == 3 && shape.dim[1] > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "%s: takes (batch, time, width) with at least one position, got %s",
                        node->op->name, an__text(shape).text);
}

static bool attention_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const an_shape q = node->inputs[Q]->shape, k = node->inputs[K]->shape;
    const an_shape v = node->inputs[V]->shape;
    if (!check_dims(graph, node, q) || !check_dims(graph, node, k))
        return false;
    if (!an_shape_equal(k, v) || k.dim[0] != q.dim[0] || k.dim[2] != q.dim[2])
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "attention: queries %s, keys %s and values %s do not fit: batch and "
                            "width are one, and there are as many values as keys",
                            an__text(q).text, an__text(k).text, an__text(v).text);
    *shape = q;
    return check_setting(graph, node, q.dim[2]) && check_masks(graph, node, q, k.dim[1]);
}

static bool self_attention_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    *shape = node->inputs[0]->shape;
    if (!check_dims(graph, node, *shape))
        return false;
    if (shape->dim[2] % PARTS != 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "self_attention: takes (batch, time, 3 width), with queries, keys and "
                            "values side by side, got %s",
                            an__text(*shape).text);
    shape->dim[2] /= PARTS;
    return check_setting(graph, node, shape->dim[2]) &&
           check_masks(graph, node, *shape, shape->dim[1]);
}

/* ----------------------------------------------------------------- forward */

/* A (batch, time, columns) block of values from column `first` on. */
static an_heads view(float *data, an_shape shape, int64_t first)
{
    const int64_t columns = shape.dim[2];
    return (an_heads){.data = data ? data + first : NULL,
                      .sample_stride = shape.dim[1] * columns,
                      .stride = columns};
}

/* Part `part` of the inputs, or with `data` of something of their shape. */
static an_heads input_view(const an_node *node, int part, float *data)
{
    if (node->count == PARTS)
        return view(data, node->inputs[part]->shape, 0);
    const an_shape shape = node->inputs[0]->shape;
    return view(data, shape, part * (shape.dim[2] / PARTS));
}

static float *input_data(const an_node *node, int part)
{
    return node->inputs[node->count == PARTS ? part : 0]->data;
}

static an_attention_call plan(an_node *node)
{
    const an_shape out = node->output.shape;
    const an_attention_options *o = &node->as.attention.setting;
    const int64_t keys = node->inputs[node->count == PARTS ? K : 0]->shape.dim[1];
    const int64_t size = out.dim[2] / node->as.attention.setting.heads;
    return (an_attention_call){
        .samples = out.dim[0],
        .heads = node->as.attention.setting.heads,
        .queries = out.dim[1],
        .keys = keys,
        .extra = o->extra,
        .mask = o->mask ? o->mask->data : NULL,
        .mask_step = o->mask && o->mask->shape.ndim == 3 ? out.dim[1] * (keys - o->extra) : 0,
        .key_mask = o->key_mask ? o->key_mask->data : NULL,
        .size = size,
        .causal = node->as.attention.setting.causal,
        .scale = size > 0 ? (float)(1 / sqrt((double)size)) : 1,
        .q = input_view(node, Q, input_data(node, Q)),
        .k = input_view(node, K, input_data(node, K)),
        .v = input_view(node, V, input_data(node, V)),
        .o = view(node->output.data, out, 0),
        .weights = node->as.attention.weights,
        .keep = node->as.attention.keep,
        .keep_scale = node->as.attention.setting.dropout < 1
                          ? (float)(1 / (1 - node->as.attention.setting.dropout))
                          : 0,
    };
}

static int64_t weight_count(const an_attention_call *call)
{
    return call->samples * call->heads * call->queries * call->keys;
}

/* Which weights dropout keeps. The uniform numbers come and go in the weights' own memory. */
static bool draw_keep(an_graph *graph, an_node *node, int64_t count)
{
    if (!(node->as.attention.setting.dropout > 0))
        return true;
    uint8_t *keep = an__scratch(graph, count, 1);
    if (!keep)
        return false;
    float *uniform = node->as.attention.weights;
    const float p = (float)node->as.attention.setting.dropout;
    an_rng_fill_uniform(node->as.attention.setting.rng, uniform, count, 0, 1);
    for (int64_t i = 0; i < count; i++)
        keep[i] = uniform[i] >= p;
    node->as.attention.keep = keep;
    return true;
}

static bool attention_forward(an_graph *graph, an_node *node)
{
    an_attention_call call = plan(node);
    const int64_t count = weight_count(&call);
    call.scratch = an__scratch(graph, an__attention_scratch(graph->context, &call), sizeof(float));
    node->as.attention.scratch = call.scratch;
    node->as.attention.weights = an__scratch(graph, count, sizeof(float));
    if (!call.scratch || !node->as.attention.weights || !draw_keep(graph, node, count))
        return false;
    call.weights = node->as.attention.weights;
    call.keep = node->as.attention.keep;
    an__attention(graph->context, &call);
    return true;
}

/* ---------------------------------------------------------------- backward */

/*
 * The gradient of an input. One that stands several times among the inputs starts from zeros: what
 * is passed on to it comes block by block, in no order that would let one part write first.
 */
static float *wanted_gradient(an_graph *graph, an_node *node, an_tensor *input, bool *fresh)
{
    int times = 0;
    for (int i = 0; i < node->count; i++)
        times += node->inputs[i] == input;
    float *data = an_grad_of(graph, input, fresh);
    if (data && *fresh && times > 1) {
        memset(data, 0, (size_t)input->size * sizeof *data);
        *fresh = false;
    }
    return data;
}

static void attention_backward(an_graph *graph, an_node *node)
{
    an_attention_call call = plan(node);
    an_heads *const gradients[PARTS] = {&call.dq, &call.dk, &call.dv};
    bool *const adds[PARTS] = {&call.add_q, &call.add_k, &call.add_v};
    float *data = NULL;
    bool fresh = true;
    for (int part = 0; part < PARTS; part++) {
        if (part == 0 || node->count == PARTS)
            data = wanted_gradient(graph, node, node->inputs[part], &fresh);
        *gradients[part] = input_view(node, part, data);
        *adds[part] = !fresh;
    }
    call.d_o = view(node->output.grad, node->output.shape, 0);
    call.scratch = node->as.attention.scratch;
    an__attention_backward(graph->context, &call);
}

const an_op an__op_attention = {"attention", attention_shape, attention_forward,
                                attention_backward};
const an_op an__op_self_attention = {"self_attention", self_attention_shape, attention_forward,
                                     attention_backward};

/* -------------------------------------------------------------- the public */

static an_attributes attributes(an_attention_options options)
{
    return (an_attributes){.attention = {.setting = options}};
}

an_tensor *an_attention(an_graph *graph, an_tensor *queries, an_tensor *keys, an_tensor *values,
                        an_attention_options options)
{
    const an_attributes as = attributes(options);
    return an__record(graph, &an__op_attention, (an_tensor *[]){queries, keys, values}, PARTS, &as);
}

an_tensor *an_self_attention(an_graph *graph, an_tensor *qkv, an_attention_options options)
{
    const an_attributes as = attributes(options);
    return an__record(graph, &an__op_self_attention, &qkv, 1, &as);
}
