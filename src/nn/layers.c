/* The table of layers, with PyTorch's names, arguments, defaults and initialisation. */
#include "nn/layer.h"

#include <math.h>
#include <string.h>

#include "autograd/graph.h"

/* More features, or dimensions, than any tensor can have. */
#define MANY 1099511627776.0

/* "(batch, 1, 28, 28)" */
static void print_shape(char *buffer, size_t size, an_shape shape)
{
    size_t at = an_format(buffer, size, "(batch");
    for (int i = 1; i < shape.ndim && at < size; i++) {
        at += an_format(buffer + at, size - at, ", %lld", (long long)shape.dim[i]);
    }
    if (at < size) {
        an_format(buffer + at, size - at, ")");
    }
}

/* ------------------------------------------------------------------ Linear */

enum { LINEAR_IN, LINEAR_OUT, LINEAR_BIAS };

/*
 * PyTorch draws the weight by kaiming_uniform_(a=sqrt(5)), whose bound is sqrt(6 / (1 + 5) / in),
 * and the bias by 1 / sqrt(in): the same bound (He, Zhang, Ren, Sun: Delving Deep into Rectifiers;
 * ICCV 2015, with a slope that makes it LeCun's rule).
 */
static bool linear_declare(an_model *model, an_layer *layer, size_t index, an_error *err)
{
    int64_t in = (int64_t)layer->arg[LINEAR_IN], out = (int64_t)layer->arg[LINEAR_OUT];
    double bound = 1 / sqrt((double)in);
    char name[40];
    an_format(name, sizeof name, "%zu.weight", index);
    layer->weight = an__model_declare(model, name, an_shape_2(out, in), bound, err);
    if (!layer->weight || layer->arg[LINEAR_BIAS] == 0) {
        return layer->weight != NULL;
    }
    an_format(name, sizeof name, "%zu.bias", index);
    layer->bias = an__model_declare(model, name, an_shape_1(out), bound, err);
    return layer->bias != NULL;
}

static int64_t sample_size(an_shape shape)
{
    int64_t size = 1;
    for (int i = 1; i < shape.ndim; i++) {
        size *= shape.dim[i];
    }
    return size;
}

static bool linear_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    int64_t features = (int64_t)layer->arg[LINEAR_IN];
    *out = in;
    out->dim[in.ndim - 1] = (int64_t)layer->arg[LINEAR_OUT];
    if (in.ndim > 1 && in.dim[in.ndim - 1] == features) {
        return true;
    }
    char text[160];
    print_shape(text, sizeof text, in);
    bool flat = in.ndim > 2 && sample_size(in) == features;
    return an_error_set(err, AN_ERROR_SHAPE, "takes (batch, ..., %lld) but gets %s%s",
                        (long long)features, text, flat ? "; put Flatten() before it" : "");
}

const an_layer_kind an__layer_Linear = {
    .name = "Linear",
    .args = {{"in_features", AN_ARG_INTEGER, true, 0, 1, MANY, "at least 1"},
             {"out_features", AN_ARG_INTEGER, true, 0, 1, MANY, "at least 1"},
             {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False"}},
    .arg_count = 3,
    .declare = linear_declare,
    .shape = linear_shape,
};

/* ------------------------------------------------------------- activations */

const an_layer_kind an__layer_ReLU = {
    .name = "ReLU",
    .args = {{"inplace", AN_ARG_IN_PLACE, false, 0, 0, 2, "True or False"}},
    .arg_count = 1,
    .activation = AN_RELU,
};

const an_layer_kind an__layer_Tanh = {.name = "Tanh", .activation = AN_TANH};

const an_layer_kind an__layer_Sigmoid = {.name = "Sigmoid", .activation = AN_SIGMOID};

/* ----------------------------------------------------------------- Flatten */

enum { FLATTEN_START, FLATTEN_END };

/* Joins the dimensions start_dim..end_dim; negative ones count from the end. */
static bool flatten_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    int start = (int)layer->arg[FLATTEN_START], end = (int)layer->arg[FLATTEN_END];
    start += start < 0 ? in.ndim : 0;
    end += end < 0 ? in.ndim : 0;
    if (start < 1 || end < start || end >= in.ndim) {
        char text[160];
        print_shape(text, sizeof text, in);
        return an_error_set(err, AN_ERROR_SHAPE,
                            "joins dimensions %d to %d, but gets %s; the batch is dimension 0 and "
                            "stays",
                            start, end, text);
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

static an_tensor *flatten_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                  an_tensor *x)
{
    (void)model;
    if (an__poisoned(x)) {
        return x;
    }
    an_shape shape = x->shape;
    an_error *err = an__failure(graph);
    if (flatten_shape(layer, x->shape, &shape, err)) {
        return an_reshape(graph, x, shape);
    }
    if (err) {
        an_error_prefix(err, "%s: ", layer->text);
    }
    return &graph->poison;
}

const an_layer_kind an__layer_Flatten = {
    .name = "Flatten",
    .args = {{"start_dim", AN_ARG_INTEGER, false, 1, -AN_MAX_DIMS, AN_MAX_DIMS, "-6 to 5"},
             {"end_dim", AN_ARG_INTEGER, false, -1, -AN_MAX_DIMS, AN_MAX_DIMS, "-6 to 5"}},
    .arg_count = 2,
    .shape = flatten_shape,
    .forward = flatten_forward,
};

/* ----------------------------------------------------------------- Dropout */

enum { DROPOUT_P };

static an_tensor *dropout_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                  an_tensor *x)
{
    double p = layer->arg[DROPOUT_P];
    return model->training && p > 0 ? an_dropout(graph, x, p, &model->rng) : x;
}

const an_layer_kind an__layer_Dropout = {
    .name = "Dropout",
    .args = {{"p", AN_ARG_NUMBER, false, 0.5, 0, 1, "at least 0 and below 1"},
             {"inplace", AN_ARG_IN_PLACE, false, 0, 0, 2, "True or False"}},
    .arg_count = 2,
    .forward = dropout_forward,
};

/* ------------------------------------------------------------------- names */

#define LAYER_ADDRESS(name) &an__layer_##name,
#define LAYER_NAME(name) #name,

static const an_layer_kind *const kinds[] = {AN_LAYER_MAP(LAYER_ADDRESS)};
static const char *const names[] = {AN_LAYER_MAP(LAYER_NAME) NULL};

const an_layer_kind *an__layer_find(const char *name)
{
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

const char *const *an_layer_names(void)
{
    return names;
}
