/* Embedding: a table of vectors, looked up by ids. */
#include <math.h>
#include <string.h>

#include "autograd/graph.h"
#include "nn/layer.h"

enum {
    EMBEDDING_COUNT,
    EMBEDDING_SIZE,
    EMBEDDING_PADDING,
    EMBEDDING_MAX_NORM,
    EMBEDDING_NORM_TYPE,
    EMBEDDING_BY_FREQUENCY
};

/* The row that is never learned, counted from 0; -1 for none. */
static int64_t padding_row(const an_layer *layer)
{
    const double padding = layer->arg[EMBEDDING_PADDING].number;
    if (isnan(padding)) {
        return -1;
    }
    return (int64_t)padding + (padding < 0 ? an__whole(layer, EMBEDDING_COUNT) : 0);
}

/* The table starts normal of deviation 1, as in PyTorch, and its padding row 0. */
static bool embedding_declare(an_model *model, an_layer *layer, an_error *err)
{
    const int64_t count = an__whole(layer, EMBEDDING_COUNT);
    const int64_t size = an__whole(layer, EMBEDDING_SIZE);
    const double padding = layer->arg[EMBEDDING_PADDING].number;
    if (!isnan(padding) &&
        (padding != floor(padding) || padding < -(double)count || padding >= (double)count)) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "padding_idx must be a whole number from %lld to %lld, got %g",
                            -(long long)count, (long long)count - 1, padding);
    }
    layer->weight =
        an__layer_param(model, layer, "weight", an_shape_2(count, size), AN_START_NORMAL, 1, err);
    return layer->weight != NULL;
}

static void embedding_start(const an_layer *layer)
{
    const int64_t row = padding_row(layer), size = layer->weight->shape.dim[1];
    if (row >= 0) {
        memset(layer->weight->data + row * size, 0, (size_t)size * sizeof(float));
    }
}

static bool embedding_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    *out = in;
    if (in.ndim == AN_MAX_DIMS) {
        return an_error_set(err, AN_ERROR_SHAPE, "adds a dimension, but %s has %d already",
                            an__batch_text(in).text, AN_MAX_DIMS);
    }
    out->dim[out->ndim++] = an__whole(layer, EMBEDDING_SIZE);
    return true;
}

static an_tensor *embedding_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                    an_tensor *x)
{
    (void)model;
    const double most = layer->arg[EMBEDDING_MAX_NORM].number;
    const an_embedding_options options = {
        .padding = padding_row(layer),
        .max_norm = isnan(most) ? 0 : most,
        .norm_type = layer->arg[EMBEDDING_NORM_TYPE].number,
        .scale_grad_by_freq = layer->arg[EMBEDDING_BY_FREQUENCY].number != 0,
    };
    return an_embedding_with(graph, layer->weight, x, options);
}

const an_layer_kind an__layer_Embedding = {
    .name = "Embedding",
    .args = {{"num_embeddings", AN_ARG_INTEGER, true, 0, 1, AN_WHOLE_MAX + 1, "from 1 to 2^24",
              NULL},
             {"embedding_dim", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"padding_idx", AN_ARG_OPTIONAL, false, NAN, -AN_MANY, AN_MANY, "a row or None", NULL},
             {"max_norm", AN_ARG_OPTIONAL, false, NAN, DBL_MIN, INFINITY, "above 0 or None", NULL},
             {"norm_type", AN_ARG_NUMBER, false, 2, DBL_MIN, INFINITY, "above 0", NULL},
             {"scale_grad_by_freq", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL},
             {"sparse", AN_ARG_FLAG, false, 0, 0, 1, "False: gradients are dense", NULL}},
    .arg_count = 7,
    .declare = embedding_declare,
    .start = embedding_start,
    .shape = embedding_shape,
    .forward = embedding_forward,
};
