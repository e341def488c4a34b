/* LSTM and GRU: layers on top of each other, each in one or both directions; Select. */
#include <math.h>

#include "nn/layer.h"

enum { INPUT, HIDDEN, LAYERS, BIAS, BATCH_FIRST, DROPOUT, BIDIRECTIONAL, PROJECTION };

/* What is beyond this is a mistake. */
#define MOST_LAYERS 1024

static int directions(const an_layer *layer)
{
    return layer->arg[BIDIRECTIONAL].number != 0 ? 2 : 1;
}

/* The size of the hidden states that the layer gives: proj_size, where there is one. */
static int64_t state_size(const an_layer *layer)
{
    const bool projects = layer->kind == &an__layer_LSTM && an__whole(layer, PROJECTION) > 0;
    return an__whole(layer, projects ? PROJECTION : HIDDEN);
}

/* One parameter, "weight_ih_l0_reverse"; PyTorch draws all of them within 1 / sqrt(hidden). */
static an_tensor *declare_one(an_model *model, const an_layer *layer, const char *name, int64_t at,
                              bool reverse, an_shape shape, an_error *err)
{
    char text[48];
    an_format(text, sizeof text, "%s_l%lld%s", name, (long long)at, reverse ? "_reverse" : "");
    return an__layer_param(model, layer, text, shape, AN_START_UNIFORM,
                           1 / sqrt((double)an__whole(layer, HIDDEN)), err);
}

static bool declare_weights(an_model *model, const an_layer *layer, an_recurrent_weights *w,
                            int64_t at, bool reverse, int64_t gates, an_error *err)
{
    const int64_t hidden = an__whole(layer, HIDDEN), rows = gates * hidden;
    const int64_t out = state_size(layer);
    const int64_t in = at == 0 ? an__whole(layer, INPUT) : out * directions(layer);
    const an_shape wide = an_shape_2(rows, in), square = an_shape_2(rows, out);
    const an_shape row = an_shape_1(rows);
    *w = (an_recurrent_weights){0};
    w->weight_ih = declare_one(model, layer, "weight_ih", at, reverse, wide, err);
    if (w->weight_ih)
        w->weight_hh = declare_one(model, layer, "weight_hh", at, reverse, square, err);
    const bool bias = layer->arg[BIAS].number != 0;
    if (w->weight_hh && bias)
        w->bias_ih = declare_one(model, layer, "bias_ih", at, reverse, row, err);
    if (w->bias_ih)
        w->bias_hh = declare_one(model, layer, "bias_hh", at, reverse, row, err);
    const bool all = w->weight_hh && (!bias || w->bias_hh);
    if (all && out != hidden)
        w->weight_hr =
            declare_one(model, layer, "weight_hr", at, reverse, an_shape_2(out, hidden), err);
    return all && (out == hidden || w->weight_hr);
}

static bool recurrent_declare(an_model *model, an_layer *layer, int64_t gates, an_error *err)
{
    const int64_t sets = an__whole(layer, LAYERS) * directions(layer);
    an_recurrent_weights *w = an_arena_alloc(&model->arena, (size_t)sets * sizeof *w);
    if (!w)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a layer");
    layer->own = w;
    for (int64_t i = 0; i < sets; i++)
        if (!declare_weights(model, layer, &w[i], i / directions(layer), i % directions(layer) == 1,
                             gates, err))
            return false;
    return true;
}

static bool lstm_declare(an_model *model, an_layer *layer, an_error *err)
{
    if (an__whole(layer, PROJECTION) >= an__whole(layer, HIDDEN))
        return an_error_set(
            err, AN_ERROR_ARGUMENT, "proj_size must be below hidden_size %lld, got %lld",
            (long long)an__whole(layer, HIDDEN), (long long)an__whole(layer, PROJECTION));
    return recurrent_declare(model, layer, 4, err);
}

static bool gru_declare(an_model *model, an_layer *layer, an_error *err)
{
    return recurrent_declare(model, layer, 3, err);
}

static bool recurrent_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    *out = in;
    out->dim[2] = state_size(layer) * directions(layer);
    return an__takes_sequence(in, an__whole(layer, INPUT), err);
}

static an_tensor *recurrent_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                    an_tensor *x)
{
    const an_recurrent_weights *w = layer->own;
    an_tensor *(*const run)(an_graph *, an_tensor *, an_recurrent_weights, bool) =
        layer->kind == &an__layer_GRU ? an_gru : an_lstm;
    const int both = directions(layer);
    for (int64_t i = 0; i < an__whole(layer, LAYERS); i++) {
        if (i > 0 && model->training && layer->arg[DROPOUT].number > 0)
            x = an_dropout(graph, x, layer->arg[DROPOUT].number, &model->rng);
        an_tensor *ways[2] = {NULL, NULL};
        for (int way = 0; way < both; way++)
            ways[way] = run(graph, x, w[i * both + way], way == 1);
        x = both == 2 ? an_concat(graph, ways, 2, 2) : ways[0];
    }
    return x;
}

/* GRU leaves out the last, as PyTorch's does. */
#define RECURRENT_ARGS                                                                       \
    {                                                                                        \
        {"input_size", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},             \
            {"hidden_size", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},        \
            {"num_layers", AN_ARG_INTEGER, false, 1, 1, MOST_LAYERS + 1, "1 to 1024", NULL}, \
            {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},                    \
            {"batch_first", AN_ARG_FLAG, false, 1, 1, 2, AN_BATCH_FIRST, NULL},              \
            {"dropout", AN_ARG_NUMBER, false, 0, 0, AN_UNIT_BELOW, AN_UNIT_TEXT, NULL},      \
            {"bidirectional", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL},           \
            {"proj_size", AN_ARG_INTEGER, false, 0, 0, AN_MANY, "at least 0", NULL},         \
    }

const an_layer_kind an__layer_LSTM = {
    .name = "LSTM",
    .args = RECURRENT_ARGS,
    .arg_count = 8,
    .declare = lstm_declare,
    .shape = recurrent_shape,
    .forward = recurrent_forward,
};

const an_layer_kind an__layer_GRU = {
    .name = "GRU",
    .args = RECURRENT_ARGS,
    .arg_count = 7,
    .declare = gru_declare,
    .shape = recurrent_shape,
    .forward = recurrent_forward,
};

/* ------------------------------------------------------------------ Select */

enum { DIM, INDEX };

static bool select_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const int dim = an__layer_dim(layer, DIM, in);
    const int64_t index = an__whole(layer, INDEX);
    if (dim < 1 || dim >= in.ndim)
        return an_error_set(err, AN_ERROR_SHAPE, "takes a dimension from 1 to %d of %s",
                            in.ndim - 1, an__batch_text(in).text);
    if (index >= in.dim[dim] || index < -in.dim[dim])
        return an_error_set(err, AN_ERROR_SHAPE, "takes an index below %lld of %s",
                            (long long)in.dim[dim], an__batch_text(in).text);
    *out = in;
    out->ndim--;
    for (int i = dim; i < out->ndim; i++)
        out->dim[i] = in.dim[i + 1];
    return true;
}

static an_tensor *select_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                 an_tensor *x)
{
    (void)model;
    an_shape out = x->shape;
    an_error err = {0};
    const int dim = an__layer_dim(layer, DIM, x->shape);
    int64_t index = an__whole(layer, INDEX);
    if (!select_shape(layer, x->shape, &out, &err))
        return an__layer_poison(graph, &err);
    index += index < 0 ? x->shape.dim[dim] : 0;
    return an_reshape(graph, an_slice(graph, x, dim, index, 1), out);
}

const an_layer_kind an__layer_Select = {
    .name = "Select",
    .args = {{"dim", AN_ARG_INTEGER, true, 0, -AN_MAX_DIMS, AN_MAX_DIMS, "a dimension", NULL},
             {"index", AN_ARG_INTEGER, true, 0, -AN_MANY, AN_MANY, "an index", NULL}},
    .arg_count = 2,
    .shape = select_shape,
    .forward = select_forward,
};
