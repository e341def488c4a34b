/* MultiheadAttention over one sequence, and PositionalEmbedding. */
#include <math.h>

#include "nn/layer.h"

/* --------------------------------------------------------- MultiheadAttention */

enum { EMBED, HEADS, DROPOUT, BIAS, BIAS_KV, ZERO_ATTN, KDIM, VDIM, BATCH_FIRST, CAUSAL };

/* In a model keys and values are the layer's one input, so that their widths are its own. */
static bool attention_check(const an_layer *layer, an_error *err)
{
    const int64_t width = an__whole(layer, EMBED), heads = an__whole(layer, HEADS);
    const double kdim = layer->arg[KDIM].number, vdim = layer->arg[VDIM].number;
    if (width % heads != 0)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "num_heads must divide embed_dim %lld, got %lld", (long long)width,
                            (long long)heads);
    return ((isnan(kdim) || kdim == (double)width) && (isnan(vdim) || vdim == (double)width)) ||
           an_error_set(
               err, AN_ERROR_ARGUMENT,
               "kdim and vdim must be None or embed_dim %lld: the layer attends to its own "
               "input; an_multihead_attention takes others",
               (long long)width);
}

/* The parameters in PyTorch's order, and with its initial values. */
static bool attention_declare(an_model *model, an_layer *layer, an_error *err)
{
    const int64_t width = an__whole(layer, EMBED);
    const bool bias = layer->arg[BIAS].number != 0, more = layer->arg[BIAS_KV].number != 0;
    an_multihead_weights *a = an_arena_alloc(&model->arena, sizeof *a);
    if (!a)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a layer");
    *a = (an_multihead_weights){0};
    layer->own = a;
    /* xavier_uniform_ of (3 width, width), kaiming_uniform_(a=sqrt(5)) of (width, width), and
     * xavier_normal_ of (1, 1, width). */
    const double root = 1 / sqrt((double)width);
    const struct {
        an_tensor **to;
        const char *name;
        an_shape shape;
        double scale;
        an_start start;
        bool wanted;
    } rows[] = {
        {&a->in_weight, "in_proj_weight", an_shape_2(3 * width, width), sqrt(1.5) * root,
         AN_START_UNIFORM, true},
        {&a->in_bias, "in_proj_bias", an_shape_1(3 * width), 0, AN_START_ZEROS, bias},
        {&a->bias_k, "bias_k", an_shape_3(1, 1, width), root, AN_START_NORMAL, more},
        {&a->bias_v, "bias_v", an_shape_3(1, 1, width), root, AN_START_NORMAL, more},
        {&a->out_weight, "out_proj.weight", an_shape_2(width, width), root, AN_START_UNIFORM, true},
        {&a->out_bias, "out_proj.bias", an_shape_1(width), 0, AN_START_ZEROS, bias},
    };
    if (!attention_check(layer, err))
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].wanted)
            *rows[i].to = an__layer_param(model, layer, rows[i].name, rows[i].shape, rows[i].start,
                                          rows[i].scale, err);
        if (rows[i].wanted && !*rows[i].to)
            return false;
    }
    return true;
}

static bool attention_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    *out = in;
    return an__takes_sequence(in, an__whole(layer, EMBED), err);
}

static an_tensor *attention_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                    an_tensor *x)
{
    const an_multihead_weights *weights = layer->own;
    const an_attention_options options = {
        .heads = an__whole(layer, HEADS),
        .causal = layer->arg[CAUSAL].number != 0,
        .dropout = model->training ? layer->arg[DROPOUT].number : 0,
        .rng = &model->rng,
    };
    return an_multihead_attention(graph, x, x, x, *weights, layer->arg[ZERO_ATTN].number != 0,
                                  options);
}

const an_layer_kind an__layer_MultiheadAttention = {
    .name = "MultiheadAttention",
    .args = {{"embed_dim", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"num_heads", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"dropout", AN_ARG_NUMBER, false, 0, 0, AN_UNIT_BELOW, AN_UNIT_TEXT, NULL},
             {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},
             {"add_bias_kv", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL},
             {"add_zero_attn", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL},
             {"kdim", AN_ARG_OPTIONAL, false, NAN, 1, AN_MANY, "a width or None", NULL},
             {"vdim", AN_ARG_OPTIONAL, false, NAN, 1, AN_MANY, "a width or None", NULL},
             {"batch_first", AN_ARG_FLAG, false, 1, 1, 2, AN_BATCH_FIRST, NULL},
             {"causal", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL}},
    .arg_count = 10,
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
