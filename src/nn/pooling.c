/* MaxPool2d, AvgPool2d, AdaptiveAvgPool2d. */
#include <math.h>

#include "nn/layer.h"
#include "tensor/kernels/windows.h"

static bool takes_image(an_shape in, an_error *err)
{
    if (in.ndim == 4 && in.dim[2] > 0 && in.dim[3] > 0) {
        return true;
    }
    return an_error_set(err, AN_ERROR_SHAPE, "takes (batch, channels, height, width) but gets %s",
                        an__batch_text(in).text);
}

static bool window_shape(const an_pool2d_options *o, an_shape in, an_shape *out, an_error *err)
{
    if (!takes_image(in, err)) {
        return false;
    }
    *out = in;
    for (int axis = 0; axis < 2; axis++) {
        const an_window window = {o->kernel[axis], o->stride[axis], o->padding[axis],
                                  o->dilation[axis]};
        out->dim[2 + axis] = an__pooling_places(in.dim[2 + axis], window, o->ceil_mode);
        if (out->dim[2 + axis] < 1) {
            return an_error_set(err, AN_ERROR_SHAPE, "a window of %lldx%lld does not fit into %s",
                                (long long)o->kernel[0], (long long)o->kernel[1],
                                an__batch_text(in).text);
        }
    }
    return true;
}

/* Kernel, stride and padding, the first three arguments of both kinds. */
static an_pool2d_options window_options(const an_layer *layer)
{
    an_pool2d_options o = {.dilation = {1, 1}};
    an__pair(layer, 0, o.kernel);
    an__pair(layer, 1, o.stride);
    an__pair(layer, 2, o.padding);
    for (int axis = 0; axis < 2; axis++) {
        o.stride[axis] = o.stride[axis] == -1 ? o.kernel[axis] : o.stride[axis];
    }
    return o;
}

static bool padding_fits(const an_pool2d_options *o, an_error *err)
{
    if (2 * o->padding[0] <= o->kernel[0] && 2 * o->padding[1] <= o->kernel[1]) {
        return true;
    }
    return an_error_set(err, AN_ERROR_ARGUMENT, "padding must be at most half of kernel_size");
}

static void add_square(an_model *model, const an_layer_kind *kind, int64_t height, int64_t width)
{
    an_layer layer = an__layer_defaults(kind);
    layer.arg[0].list = an_shape_2(height, width);
    an__model_append(model, &layer, NULL);
}

/* --------------------------------------------------------------- MaxPool2d */

enum { MAX_DILATION = 3, MAX_INDICES, MAX_CEIL };

static an_pool2d_options max_options(const an_layer *layer)
{
    an_pool2d_options o = window_options(layer);
    an__pair(layer, MAX_DILATION, o.dilation);
    o.ceil_mode = layer->arg[MAX_CEIL].number != 0;
    return o;
}

static bool max_declare(an_model *model, an_layer *layer, an_error *err)
{
    const an_pool2d_options o = max_options(layer);
    (void)model;
    return padding_fits(&o, err);
}

static bool max_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const an_pool2d_options o = max_options(layer);
    return window_shape(&o, in, out, err);
}

static an_tensor *max_forward(const an_layer *layer, an_model *model, an_graph *graph, an_tensor *x)
{
    const an_pool2d_options o = max_options(layer);
    (void)model;
    return an_max_pool2d(graph, x, &o);
}

const an_layer_kind an__layer_MaxPool2d = {
    .name = "MaxPool2d",
    .args = {{"kernel_size", AN_ARG_PAIR, true, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"stride", AN_ARG_PAIR, false, NAN, 1, AN_STEP_BELOW, "1 to 65536, or None", NULL},
             {"padding", AN_ARG_PAIR, false, 0, 0, AN_STEP_BELOW, "0 to 65536", NULL},
             {"dilation", AN_ARG_PAIR, false, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"return_indices", AN_ARG_FLAG, false, 0, 0, 1, "False: a layer has one result", NULL},
             {"ceil_mode", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL}},
    .arg_count = 6,
    .declare = max_declare,
    .shape = max_shape,
    .forward = max_forward,
};

void an_model_max_pool2d(an_model *model, int64_t kernel)
{
    add_square(model, &an__layer_MaxPool2d, kernel, kernel);
}

/* --------------------------------------------------------------- AvgPool2d */

enum { AVG_CEIL = 3, AVG_INCLUDE, AVG_DIVISOR };

static an_pool2d_options avg_options(const an_layer *layer)
{
    an_pool2d_options o = window_options(layer);
    const double divisor = layer->arg[AVG_DIVISOR].number;
    o.ceil_mode = layer->arg[AVG_CEIL].number != 0;
    o.exclude_padding = layer->arg[AVG_INCLUDE].number == 0;
    o.divisor = isnan(divisor) ? 0 : (int64_t)divisor;
    return o;
}

static bool avg_declare(an_model *model, an_layer *layer, an_error *err)
{
    const an_pool2d_options o = avg_options(layer);
    const double divisor = layer->arg[AVG_DIVISOR].number;
    (void)model;
    if (!isnan(divisor) && divisor != floor(divisor)) {
        return an_error_set(err, AN_ERROR_ARGUMENT, "divisor_override must be a whole number");
    }
    return padding_fits(&o, err);
}

static bool avg_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const an_pool2d_options o = avg_options(layer);
    return window_shape(&o, in, out, err);
}

static an_tensor *avg_forward(const an_layer *layer, an_model *model, an_graph *graph, an_tensor *x)
{
    const an_pool2d_options o = avg_options(layer);
    (void)model;
    return an_avg_pool2d(graph, x, &o);
}

const an_layer_kind an__layer_AvgPool2d = {
    .name = "AvgPool2d",
    .args = {{"kernel_size", AN_ARG_PAIR, true, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"stride", AN_ARG_PAIR, false, NAN, 1, AN_STEP_BELOW, "1 to 65536, or None", NULL},
             {"padding", AN_ARG_PAIR, false, 0, 0, AN_STEP_BELOW, "0 to 65536", NULL},
             {"ceil_mode", AN_ARG_FLAG, false, 0, 0, 2, "True or False", NULL},
             {"count_include_pad", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},
             {"divisor_override", AN_ARG_OPTIONAL, false, NAN, 1, AN_MANY, "at least 1, or None",
              NULL}},
    .arg_count = 6,
    .declare = avg_declare,
    .shape = avg_shape,
    .forward = avg_forward,
};

void an_model_avg_pool2d(an_model *model, int64_t kernel)
{
    add_square(model, &an__layer_AvgPool2d, kernel, kernel);
}

/* ------------------------------------------------------- AdaptiveAvgPool2d */

static bool adaptive_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    int64_t size[2];
    an__pair(layer, 0, size);
    if (!takes_image(in, err)) {
        return false;
    }
    *out = in;
    for (int axis = 0; axis < 2; axis++) {
        out->dim[2 + axis] = size[axis] == -1 ? in.dim[2 + axis] : size[axis];
    }
    return true;
}

static an_tensor *adaptive_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                   an_tensor *x)
{
    int64_t size[2];
    an__pair(layer, 0, size);
    (void)model;
    return an_adaptive_avg_pool2d(graph, x, size[0] == -1 ? 0 : size[0],
                                  size[1] == -1 ? 0 : size[1]);
}

const an_layer_kind an__layer_AdaptiveAvgPool2d = {
    .name = "AdaptiveAvgPool2d",
    .args = {{"output_size", AN_ARG_PAIR, true, NAN, 1, AN_STEP_BELOW, "1 to 65536, or None",
              NULL}},
    .arg_count = 1,
    .shape = adaptive_shape,
    .forward = adaptive_forward,
};

void an_model_adaptive_avg_pool2d(an_model *model, int64_t height, int64_t width)
{
    add_square(model, &an__layer_AdaptiveAvgPool2d, height, width);
}
