/* Conv2d and ConvTranspose2d. */
#include <math.h>

#include "nn/layer.h"
#include "tensor/kernels/windows.h"

static const char *const padding_words[] = {"same", "valid", NULL};
/* In the order of an_padding_mode. */
static const char *const padding_modes[] = {"zeros", "reflect", "replicate", "circular", NULL};

static const char *const only_zeros[] = {"zeros", NULL};

enum { SAME = 0 };

/* Where both layers' calls begin alike. */
enum { IN, OUT, KERNEL };

static bool groups_fit(const an_layer *layer, size_t groups, an_error *err)
{
    const int64_t in = an__whole(layer, IN), out = an__whole(layer, OUT),
                  count = an__whole(layer, groups);
    if (in % count == 0 && out % count == 0) {
        return true;
    }
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "in_channels and out_channels must be divisible by groups=%lld",
                        (long long)count);
}

/*
 * A weight (first, second, kernel) and a bias, uniform in +-1/sqrt(fan_in), fan_in being the values
 * of weight[0]: PyTorch's kaiming_uniform_(a=sqrt(5)) gives the same bound (see linear.c).
 */
static bool declare(an_model *model, an_layer *layer, int64_t first, int64_t second, size_t groups,
                    size_t bias, an_error *err)
{
    int64_t kernel[2];
    an__pair(layer, KERNEL, kernel);
    if (!groups_fit(layer, groups, err)) {
        return false;
    }
    const double bound = 1 / sqrt((double)second * (double)kernel[0] * (double)kernel[1]);
    layer->weight =
        an__layer_param(model, layer, "weight", an_shape_4(first, second, kernel[0], kernel[1]),
                        AN_START_UNIFORM, bound, err);
    if (!layer->weight || layer->arg[bias].number == 0) {
        return layer->weight != NULL;
    }
    layer->bias = an__layer_param(model, layer, "bias", an_shape_1(an__whole(layer, OUT)),
                                  AN_START_UNIFORM, bound, err);
    return layer->bias != NULL;
}

static bool takes_image(const an_layer *layer, an_shape in, an_error *err)
{
    if (in.ndim == 4 && in.dim[1] == an__whole(layer, IN)) {
        return true;
    }
    return an_error_set(err, AN_ERROR_SHAPE, "takes (batch, %lld, height, width) but gets %s",
                        (long long)an__whole(layer, IN), an__batch_text(in).text);
}

static bool too_small(an_shape in, const int64_t kernel[2], an_error *err)
{
    return an_error_set(err, AN_ERROR_SHAPE, "a kernel of %lldx%lld does not fit into %s",
                        (long long)kernel[0], (long long)kernel[1], an__batch_text(in).text);
}

/* ------------------------------------------------------------------ Conv2d */

enum { CONV_STRIDE = KERNEL + 1, CONV_PADDING, CONV_DILATION, CONV_GROUPS, CONV_BIAS, CONV_MODE };

static bool conv_declare(an_model *model, an_layer *layer, an_error *err)
{
    int64_t pair[2];
    if (an__pair(layer, CONV_PADDING, pair) == SAME) {
        an__pair(layer, CONV_STRIDE, pair);
        if (pair[0] != 1 || pair[1] != 1) {
            return an_error_set(err, AN_ERROR_ARGUMENT, "padding='same' needs stride 1");
        }
    }
    return declare(model, layer, an__whole(layer, OUT),
                   an__whole(layer, IN) / an__whole(layer, CONV_GROUPS), CONV_GROUPS, CONV_BIAS,
                   err);
}

static an_conv2d_options conv_options(const an_layer *layer)
{
    an_conv2d_options o = {.groups = an__whole(layer, CONV_GROUPS),
                           .padding_mode = (an_padding_mode)an__whole(layer, CONV_MODE)};
    an__pair(layer, CONV_STRIDE, o.stride);
    an__pair(layer, CONV_DILATION, o.dilation);
    o.same = an__pair(layer, CONV_PADDING, o.padding) == SAME;
    return o;
}

/* Whether an image of `size` goes on for as long as the padding of this axis wants. */
static bool continues(const an_conv2d_options *o, int axis, int64_t kernel, int64_t size)
{
    const int64_t reach = (kernel - 1) * o->dilation[axis];
    const int64_t most = o->same ? reach - reach / 2 : o->padding[axis];
    return o->padding_mode == AN_PAD_REFLECT    ? most < size
           : o->padding_mode == AN_PAD_CIRCULAR ? most <= size
                                                : true;
}

static bool conv_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const an_conv2d_options o = conv_options(layer);
    int64_t kernel[2];
    an__pair(layer, KERNEL, kernel);
    if (!takes_image(layer, in, err)) {
        return false;
    }
    *out = an_shape_4(in.dim[0], an__whole(layer, OUT), in.dim[2], in.dim[3]);
    for (int axis = 0; axis < 2; axis++) {
        const an_window window = {kernel[axis], o.stride[axis], o.padding[axis], o.dilation[axis]};
        const int64_t size = in.dim[2 + axis];
        out->dim[2 + axis] = o.same ? size : an__conv_places(size, window);
        if (out->dim[2 + axis] < 1) {
            return too_small(in, kernel, err);
        }
        if (!continues(&o, axis, kernel[axis], size)) {
            return an_error_set(err, AN_ERROR_SHAPE,
                                "the padding is too large for padding_mode='%s' and %s",
                                padding_modes[o.padding_mode], an__batch_text(in).text);
        }
    }
    return true;
}

static an_tensor *conv_forward(const an_layer *layer, an_model *model, an_graph *graph,
                               an_tensor *x, an_activation next)
{
    an_conv2d_options o = conv_options(layer);
    (void)model;
    o.activation = next;
    return an_conv2d(graph, x, layer->weight, layer->bias, &o);
}

const an_layer_kind an__layer_Conv2d = {
    .name = "Conv2d",
    .args = {{"in_channels", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"out_channels", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"kernel_size", AN_ARG_PAIR, true, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"stride", AN_ARG_PAIR, false, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"padding", AN_ARG_PAIR, false, 0, 0, AN_STEP_BELOW, "0 to 65536, 'same' or 'valid'",
              padding_words},
             {"dilation", AN_ARG_PAIR, false, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"groups", AN_ARG_INTEGER, false, 1, 1, AN_MANY, "at least 1", NULL},
             {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},
             {"padding_mode", AN_ARG_CHOICE, false, 0, 0, 4,
              "'zeros', 'reflect', 'replicate' or 'circular'", padding_modes}},
    .arg_count = 9,
    .declare = conv_declare,
    .shape = conv_shape,
    .forward_fused = conv_forward,
};

/* --------------------------------------------------------- ConvTranspose2d */

enum {
    BACK_STRIDE = KERNEL + 1,
    BACK_PADDING,
    BACK_OUTPUT_PADDING,
    BACK_GROUPS,
    BACK_BIAS,
    BACK_DILATION
};

static an_conv_transpose2d_options back_options(const an_layer *layer)
{
    an_conv_transpose2d_options o = {.groups = an__whole(layer, BACK_GROUPS)};
    an__pair(layer, BACK_STRIDE, o.stride);
    an__pair(layer, BACK_PADDING, o.padding);
    an__pair(layer, BACK_OUTPUT_PADDING, o.output_padding);
    an__pair(layer, BACK_DILATION, o.dilation);
    return o;
}

static bool back_declare(an_model *model, an_layer *layer, an_error *err)
{
    const an_conv_transpose2d_options o = back_options(layer);
    for (int axis = 0; axis < 2; axis++) {
        if (o.output_padding[axis] >= o.stride[axis] &&
            o.output_padding[axis] >= o.dilation[axis]) {
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "output_padding must be below stride or dilation");
        }
    }
    return declare(model, layer, an__whole(layer, IN), an__whole(layer, OUT) / o.groups,
                   BACK_GROUPS, BACK_BIAS, err);
}

static bool back_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const an_conv_transpose2d_options o = back_options(layer);
    int64_t kernel[2];
    an__pair(layer, KERNEL, kernel);
    if (!takes_image(layer, in, err)) {
        return false;
    }
    *out = an_shape_4(in.dim[0], an__whole(layer, OUT), 0, 0);
    for (int axis = 0; axis < 2; axis++) {
        const an_window window = {kernel[axis], o.stride[axis], o.padding[axis], o.dilation[axis]};
        out->dim[2 + axis] = an__conv_back_size(in.dim[2 + axis], window, o.output_padding[axis]);
        if (out->dim[2 + axis] < 1) {
            return an_error_set(err, AN_ERROR_SHAPE, "gives nothing for %s",
                                an__batch_text(in).text);
        }
    }
    return true;
}

static an_tensor *back_forward(const an_layer *layer, an_model *model, an_graph *graph,
                               an_tensor *x)
{
    const an_conv_transpose2d_options o = back_options(layer);
    (void)model;
    return an_conv_transpose2d(graph, x, layer->weight, layer->bias, &o);
}

const an_layer_kind an__layer_ConvTranspose2d = {
    .name = "ConvTranspose2d",
    .args = {{"in_channels", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"out_channels", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"kernel_size", AN_ARG_PAIR, true, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"stride", AN_ARG_PAIR, false, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"padding", AN_ARG_PAIR, false, 0, 0, AN_STEP_BELOW, "0 to 65536", NULL},
             {"output_padding", AN_ARG_PAIR, false, 0, 0, AN_STEP_BELOW, "0 to 65536", NULL},
             {"groups", AN_ARG_INTEGER, false, 1, 1, AN_MANY, "at least 1", NULL},
             {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},
             {"dilation", AN_ARG_PAIR, false, 1, 1, AN_STEP_BELOW, AN_STEP_TEXT, NULL},
             {"padding_mode", AN_ARG_CHOICE, false, 0, 0, 1, "'zeros'", only_zeros}},
    .arg_count = 10,
    .declare = back_declare,
    .shape = back_shape,
    .forward = back_forward,
};

/* ---------------------------------------------------------------- builders */

static an_shape square(int64_t size)
{
    return an_shape_2(size, size);
}

/* Both kinds begin with the same five arguments. */
static void add(an_model *model, const an_layer_kind *kind, const int64_t sizes[5])
{
    an_layer layer = an__layer_defaults(kind);
    layer.arg[IN].number = (double)sizes[0];
    layer.arg[OUT].number = (double)sizes[1];
    for (size_t i = KERNEL; i < 5; i++) {
        layer.arg[i].list = square(sizes[i]);
    }
    an__model_append(model, &layer, NULL);
}

void an_model_conv2d(an_model *model, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                     int64_t padding)
{
    add(model, &an__layer_Conv2d, (int64_t[]){in, out, kernel, stride, padding});
}

void an_model_conv_transpose2d(an_model *model, int64_t in, int64_t out, int64_t kernel,
                               int64_t stride, int64_t padding)
{
    add(model, &an__layer_ConvTranspose2d, (int64_t[]){in, out, kernel, stride, padding});
}
