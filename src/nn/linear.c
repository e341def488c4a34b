/* Linear. */
#include <math.h>

#include "nn/layer.h"

enum { LINEAR_IN, LINEAR_OUT, LINEAR_BIAS };

/*
 * PyTorch draws the weight by kaiming_uniform_(a=sqrt(5)), whose bound is sqrt(6 / (1 + 5) / in),
 * and the bias by 1 / sqrt(in): the same bound (He, Zhang, Ren, Sun: Delving Deep into Rectifiers;
 * ICCV 2015, with a slope that makes it LeCun's rule).
 */
static bool linear_declare(an_model *model, an_layer *layer, an_error *err)
{
    int64_t in = an__whole(layer, LINEAR_IN);
    int64_t out = an__whole(layer, LINEAR_OUT);
    double bound = 1 / sqrt((double)in);
    layer->weight =
        an__layer_param(model, layer, "weight", an_shape_2(out, in), AN_START_UNIFORM, bound, err);
    if (!layer->weight || layer->arg[LINEAR_BIAS].number == 0) {
        return layer->weight != NULL;
    }
    layer->bias =
        an__layer_param(model, layer, "bias", an_shape_1(out), AN_START_UNIFORM, bound, err);
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
    int64_t features = an__whole(layer, LINEAR_IN);
    *out = in;
    out->dim[in.ndim - 1] = an__whole(layer, LINEAR_OUT);
    if (in.ndim > 1 && in.dim[in.ndim - 1] == features) {
        return true;
    }
    bool flat = in.ndim > 2 && sample_size(in) == features;
    return an_error_set(err, AN_ERROR_SHAPE, "takes (batch, ..., %lld) but gets %s%s",
                        (long long)features, an__batch_text(in).text,
                        flat ? "; put Flatten() before it" : "");
}

static an_tensor *linear_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                 an_tensor *x, an_activation next)
{
    (void)model;
    return an_linear(graph, x, layer->weight, layer->bias, next);
}

const an_layer_kind an__layer_Linear = {
    .name = "Linear",
    .args = {{"in_features", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"out_features", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL}},
    .arg_count = 3,
    .declare = linear_declare,
    .shape = linear_shape,
    .forward_fused = linear_forward,
};
