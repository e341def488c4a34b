/* MultiheadAttention over one sequence, and PositionalEmbedding. */
#include <math.h>

#include "nn/layer.h"

/* --------------------------------------------------------- MultiheadAttention */

enum { EMBED, HEADS, DROPOUT, BIAS, BATCH_FIRST, CAUSAL };

/* The four parameters, in PyTorch's order and with its initial values. */
typedef struct attention {
    an_tensor *in_weight, *in_bias, *out_weight, *out_bias;
} attention;

static bool attention_declare(an_model *model, an_layer *layer, an_error *err)
{
    const int64_t width = an__whole(layer, EMBED);
    const int64_t heads = an__whole(layer, HEADS);
    attention *a = an_arena_alloc(&model->arena, sizeof *a);
    if (!a)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a layer");
    *a = (attention){0};
    layer->own = a;
    if (width % heads != 0)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "num_heads must divide embed_dim %lld, got %lld", (long long)width,
                            (long long)heads);
    /* xavier_uniform_ of (3 width, width), and kaiming_uniform_(a=sqrt(5)) of (width, width). */
    const double in_bound = sqrt(6.0 / (4.0 * (double)width)), out_bound = 1 / sqrt((double)width);
    const bool bias = layer->arg[BIAS].number != 0;
    a->in_weight = an__layer_param(model, layer, "in_proj_weight", an_shape_2(3 * width, width),
                                   AN_START_UNIFORM, in_bound, err);
    if (a->in_weight && bias)
        a->in_bias = an__layer_param(model, layer, "in_proj_bias", an_shape_1(3 * width),
                                     AN_START_ZEROS, 0, err);
    if (!a->in_weight || (bias && !a->in_bias))
        return false;
    a->out_weight = an__layer_param(model, layer, "out_proj.weight", an_shape_2(width, width),
                                    AN_START_UNIFORM, out_bound, err);
    if (a->out_weight && bias)
        a->out_bias = an__layer_param(model, layer, "out_proj.bias", an_shape_1(width),
                                      AN_START_ZEROS, 0, err);
    return a->out_weight && (!bias || a->out_bias);
}

static bool attention_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    *out = in;
    return an__takes_sequence(in, an__whole(layer, EMBED), err);
}

static an_tensor *attention_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                    an_tensor *x)
{
    const attention *a = layer->own;
    const an_attention_options options = {
        .heads = an__whole(layer, HEADS),
        .causal = layer->arg[CAUSAL].number != 0,
        .dropout = model->training ? layer->arg[DROPOUT].number : 0,
        .rng = &model->rng,
    };
    an_tensor *qkv = an_linear(graph, x, a->in_weight, a->in_bias, AN_IDENTITY);
    an_tensor *heads = an_self_attention(graph, qkv, options);
    return an_linear(graph, heads, a->out_weight, a->out_bias, AN_IDENTITY);
}

const an_layer_kind an__layer_MultiheadAttention = {
    .name = "MultiheadAttention",
    .args = {{"embed_dim", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"num_heads", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"dropout", AN_ARG_NUMBER, false, 0, 0, AN_UNIT_BELOW, AN_UNIT_TEXT, NULL},
             {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},
             {"batch_first", AN_ARG_FLAG, false, 1, 1, 2, AN_BATCH_FIRST, NULL},
             {"causal", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL}},
    .arg_count = 6,
    .declare = attention_declare,
    .shape = attention_shape,
    .forward = attention_forward,
};

/* --------------------------------------------------------- PositionalEmbedding */

enum { POSITIONS, WIDTH, DEVIATION };

static bool positions_declare(an_model *model, an_layer *layer, an_error *err)
{
    layer->weight = an__layer_param(
        model, layer, "weight", an_shape_2(an__whole(layer, POSITIONS), an__whole(layer, WIDTH)),
        AN_START_NORMAL, layer->arg[DEVIATION].number, err);
    return layer->weight != NULL;
}

static bool positions_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const int64_t positions = an__whole(layer, POSITIONS);
    *out = in;
    if (!an__takes_sequence(in, an__whole(layer, WIDTH), err))
        return false;
    return in.dim[1] <= positions ||
           an_error_set(err, AN_ERROR_SHAPE, "has %lld positions but gets %s", (long long)positions,
                        an__batch_text(in).text);
}

static an_tensor *positions_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                    an_tensor *x)
{
    an_shape out;
    an_error err = {0};
    (void)model;
    if (!positions_shape(layer, x->shape, &out, &err))
        return an__layer_poison(graph, &err);
    return an_add(graph, x, an_slice(graph, layer->weight, 0, 0, x->shape.dim[1]));
}

const an_layer_kind an__layer_PositionalEmbedding = {
    .name = "PositionalEmbedding",
    .args = {{"num_positions", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"embedding_dim", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"std", AN_ARG_NUMBER, false, 0.02, 0, INFINITY, "0 or more", NULL}},
    .arg_count = 3,
    .declare = positions_declare,
    .shape = positions_shape,
    .forward = positions_forward,
};
