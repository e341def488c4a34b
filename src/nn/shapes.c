/* Layers that change nothing but the shape: Flatten, Unflatten. */
#include "autograd/graph.h"
#include "nn/layer.h"

/* Applies the kind's shape rule to x, which may be of a shape that the model was not built for. */
static an_tensor *reshaped(const an_layer *layer, an_graph *graph, an_tensor *x)
{
    an_error error = {0};
    an_shape shape = x->shape;
    return layer->kind->shape(layer, x->shape, &shape, &error) ? an_reshape(graph, x, shape)
                                                               : an__layer_poison(graph, &error);
}

static an_tensor *reshape_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                  an_tensor *x)
{
    (void)model;
    return reshaped(layer, graph, x);
}

/* ----------------------------------------------------------------- Flatten */

enum { FLATTEN_START, FLATTEN_END };

/* Joins the dimensions start_dim..end_dim; negative ones count from the end. */
static bool flatten_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const int start = an__layer_dim(layer, FLATTEN_START, in);
    const int end = an__layer_dim(layer, FLATTEN_END, in);
    if (start < 1 || end < start || end >= in.ndim) {
        return an_error_set(err, AN_ERROR_SHAPE,
                            "joins dimensions %d to %d, but gets %s; the batch is dimension 0 and "
                            "stays",
                            start, end, an__batch_text(in).text);
    }
    *out = in;
    out->ndim = in.ndim - (end - start);
    for (int i = start + 1; i <= end; i++) {
        out->dim[start] *= in.dim[i];
    }
    for (int i = end + 1; i < in.ndim; i++) {
        out->dim[i - (end - start)] = in.dim[i];
    }
    return true;
}

const an_layer_kind an__layer_Flatten = {
    .name = "Flatten",
    .args = {{"start_dim", AN_ARG_INTEGER, false, 1, -AN_MAX_DIMS, AN_MAX_DIMS, "-6 to 5", NULL},
             {"end_dim", AN_ARG_INTEGER, false, -1, -AN_MAX_DIMS, AN_MAX_DIMS, "-6 to 5", NULL}},
    .arg_count = 2,
    .shape = flatten_shape,
    .forward = reshape_forward,
};

/* --------------------------------------------------------------- Unflatten */

enum { UNFLATTEN_DIM, UNFLATTEN_SIZES };

/* The sizes with the one that is -1 filled in; false where they do not make `size`. */
static bool fill_sizes(an_shape sizes, int64_t size, an_shape *out)
{
    int open = -1;
    int64_t known = 1;
    *out = sizes;
    for (int i = 0; i < sizes.ndim; i++) {
        if (sizes.dim[i] == -1 && open >= 0) {
            return false;
        }
        open = sizes.dim[i] == -1 ? i : open;
        const int64_t factor = sizes.dim[i] == -1 ? 1 : sizes.dim[i];
        if (factor > size / known) {
            return false;
        }
        known *= factor;
    }
    if (open >= 0) {
        out->dim[open] = size / known;
    }
    return open >= 0 ? size % known == 0 : known == size;
}

/* Splits dimension dim into several. */
static bool unflatten_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const an_shape sizes = layer->arg[UNFLATTEN_SIZES].list;
    const int dim = an__layer_dim(layer, UNFLATTEN_DIM, in);
    an_shape filled;
    if (dim < 1 || dim >= in.ndim) {
        return an_error_set(err, AN_ERROR_SHAPE,
                            "splits dimension %d, but gets %s; the batch is dimension 0 and stays",
                            dim, an__batch_text(in).text);
    }
    if (in.ndim - 1 + sizes.ndim > AN_MAX_DIMS || !fill_sizes(sizes, in.dim[dim], &filled)) {
        char text[160];
        an_shape_print(text, sizeof text, sizes);
        return an_error_set(err, AN_ERROR_SHAPE,
                            "splits dimension %d of %s, which has %lld, into %s; their product "
                            "must be that, and at most %d dimensions may result",
                            dim, an__batch_text(in).text, (long long)in.dim[dim], text,
                            AN_MAX_DIMS);
    }
    *out = in;
    out->ndim = in.ndim - 1 + sizes.ndim;
    for (int i = 0; i < sizes.ndim; i++) {
        out->dim[dim + i] = filled.dim[i];
    }
    for (int i = dim + 1; i < in.ndim; i++) {
        out->dim[i - 1 + sizes.ndim] = in.dim[i];
    }
    return true;
}

const an_layer_kind an__layer_Unflatten = {
    .name = "Unflatten",
    .args = {{"dim", AN_ARG_INTEGER, true, 0, -AN_MAX_DIMS, AN_MAX_DIMS, "-6 to 5", NULL},
             {"unflattened_size", AN_ARG_SIZES, true, 0, -1, AN_MANY, "at least 1, one may be -1",
              NULL}},
    .arg_count = 2,
    .shape = unflatten_shape,
    .forward = reshape_forward,
};
