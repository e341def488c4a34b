/*
 * Convolutions of images, and their transposes, by the three products of tensor/kernels/conv.h:
 *
 *                      y                    dx                   dw
 *   conv2d             forward(x, w)        data(dy, w)          weight(x, dy)
 *   conv_transpose2d   data(x, w)           forward(dy, w)       weight(dy, x)
 *
 * In the plan of a transposed convolution the large image, its result, stands as the input.
 */
#include "autograd/ops.h"

enum { X, WEIGHT, BIAS };

static const char *const axis_names[] = {"height", "width"};

/* ------------------------------------------------------------------ shapes */

/* Zeros of the options become their defaults. False, with the graph's error, for what cannot be. */
static bool settle(an_graph *graph, const char *op, an_conv *plan, const an_node *node)
{
    an_error *err = an__failure(graph);
    const an_shape x = node->inputs[X]->shape, weight = node->inputs[WEIGHT]->shape;
    plan->groups = plan->groups == 0 ? 1 : plan->groups;
    if (plan->groups < 0)
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: groups must be at least 1, got %lld", op,
                            (long long)plan->groups);
    for (int axis = 0; axis < 2; axis++) {
        int64_t *stride = &plan->stride[axis], *dilation = &plan->dilation[axis];
        *stride = *stride == 0 ? 1 : *stride;
        *dilation = *dilation == 0 ? 1 : *dilation;
        if (*stride < 0 || *stride > AN_MOST_STEP || *dilation < 0 || *dilation > AN_MOST_STEP ||
            plan->padding[axis] < 0 || plan->padding[axis] > AN_MOST_STEP)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "%s: stride and dilation must be 1 to %d and padding 0 to %d, got "
                                "stride %lld, dilation %lld and padding %lld",
                                op, (int)AN_MOST_STEP, (int)AN_MOST_STEP, (long long)*stride,
                                (long long)*dilation, (long long)plan->padding[axis]);
    }
    if (x.ndim != 4 || weight.ndim != 4)
        return an_error_set(err, AN_ERROR_SHAPE,
                            "%s: the image must be (n, channels, height, width) and the weight "
                            "have four dimensions, but they are %s and %s",
                            op, an__text(x).text, an__text(weight).text);
    return true;
}

/* Checks the weight against `groups`, and the bias; `features` are those of the result. */
static bool fits(an_graph *graph, const char *op, const an_conv *plan, const an_node *node,
                 int64_t features)
{
    an_error *err = an__failure(graph);
    const an_shape weight = node->inputs[WEIGHT]->shape;
    if (weight.dim[0] < 1 || weight.dim[1] < 1 || weight.dim[2] < 1 || weight.dim[3] < 1 ||
        weight.dim[2] > AN_CONV_MAX_KERNEL / weight.dim[3])
        return an_error_set(err, AN_ERROR_SHAPE,
                            "%s: the weight's dimensions must be at least 1 and a kernel's values "
                            "at most %d, but it is %s",
                            op, (int)AN_CONV_MAX_KERNEL, an__text(weight).text);
    if (weight.dim[0] % plan->groups != 0)
        return an_error_set(err, AN_ERROR_SHAPE,
                            "%s: the weight's first dimension must be divisible by groups=%lld, "
                            "but it is %s",
                            op, (long long)plan->groups, an__text(weight).text);
    if (node->count > BIAS && !an_shape_equal(node->inputs[BIAS]->shape, an_shape_1(features)))
        return an_error_set(err, AN_ERROR_SHAPE,
                            "%s: the bias must be (%lld,) but has shape %s; the weight is %s", op,
                            (long long)features, an__text(node->inputs[BIAS]->shape).text,
                            an__text(weight).text);
    return true;
}

static bool channels_fit(an_graph *graph, const char *op, const an_node *node, int64_t channels)
{
    const an_shape x = node->inputs[X]->shape;
    if (x.dim[1] == channels)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "%s: takes (n, %lld, height, width) but gets %s; the weight is %s", op,
                        (long long)channels, an__text(x).text,
                        an__text(node->inputs[WEIGHT]->shape).text);
}

static an_window window_of(const an_conv *plan, int axis)
{
    return (an_window){plan->kernel[axis], plan->stride[axis], plan->padding[axis],
                       plan->dilation[axis]};
}

/* The places of a window along one axis, or an error that names it. */
static bool count_places(an_graph *graph, const an_node *node, an_conv *plan, int axis)
{
    if (node->as.conv.same) {
        if (plan->stride[axis] != 1 || plan->padding[axis] != 0)
            return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                                "conv2d: padding 'same' needs stride 1 and no other padding");
        plan->padding[axis] = (plan->kernel[axis] - 1) * plan->dilation[axis] / 2;
    }
    plan->out_size[axis] = node->as.conv.same
                               ? plan->size[axis]
                               : an__conv_places(plan->size[axis], window_of(plan, axis));
    if (plan->out_size[axis] > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "conv2d: a kernel of %s %lld (with dilation %lld) does not fit into an "
                        "image of %s %lld with padding %lld: the image is %s",
                        axis_names[axis], (long long)plan->kernel[axis],
                        (long long)plan->dilation[axis], axis_names[axis],
                        (long long)plan->size[axis], (long long)plan->padding[axis],
                        an__text(node->inputs[X]->shape).text);
}

static bool conv2d_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_conv *plan = &node->as.conv.plan;
    const an_shape x = node->inputs[X]->shape, weight = node->inputs[WEIGHT]->shape;
    if ((unsigned)node->as.conv.activation > AN_SIGMOID)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "conv2d: there is no activation %d", (int)node->as.conv.activation);
    if (!settle(graph, "conv2d", plan, node) || !fits(graph, "conv2d", plan, node, weight.dim[0]) ||
        !channels_fit(graph, "conv2d", node, weight.dim[1] * plan->groups))
        return false;
    plan->images = x.dim[0];
    plan->channels = weight.dim[1];
    plan->features = weight.dim[0] / plan->groups;
    for (int axis = 0; axis < 2; axis++) {
        plan->kernel[axis] = weight.dim[2 + axis];
        plan->size[axis] = x.dim[2 + axis];
        if (!count_places(graph, node, plan, axis))
            return false;
    }
    *shape = an_shape_4(x.dim[0], weight.dim[0], plan->out_size[0], plan->out_size[1]);
    return true;
}

/* The size of a transposed convolution's result along one axis. */
static bool count_back(an_graph *graph, an_node *node, an_conv *plan, int axis)
{
    const int64_t more = node->as.conv.output_padding[axis], stride = plan->stride[axis];
    if (more < 0 || (more >= stride && more >= plan->dilation[axis]))
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "conv_transpose2d: output_padding must be at least 0 and below stride "
                            "or dilation, got %lld with stride %lld and dilation %lld",
                            (long long)more, (long long)stride, (long long)plan->dilation[axis]);
    plan->size[axis] = an__conv_back_size(plan->out_size[axis], window_of(plan, axis), more);
    if (plan->size[axis] > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "conv_transpose2d: the result would have %s %lld; the image is %s and the "
                        "weight %s",
                        axis_names[axis], (long long)plan->size[axis],
                        an__text(node->inputs[X]->shape).text,
                        an__text(node->inputs[WEIGHT]->shape).text);
}

static bool conv_transpose2d_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_conv *plan = &node->as.conv.plan;
    const an_shape x = node->inputs[X]->shape, weight = node->inputs[WEIGHT]->shape;
    if (!settle(graph, "conv_transpose2d", plan, node) ||
        !fits(graph, "conv_transpose2d", plan, node, weight.dim[1] * plan->groups) ||
        !channels_fit(graph, "conv_transpose2d", node, weight.dim[0]))
        return false;
    plan->images = x.dim[0];
    plan->channels = weight.dim[1];
    plan->features = weight.dim[0] / plan->groups;
    for (int axis = 0; axis < 2; axis++) {
        plan->kernel[axis] = weight.dim[2 + axis];
        plan->out_size[axis] = x.dim[2 + axis];
        if (!count_back(graph, node, plan, axis))
            return false;
    }
    *shape = an_shape_4(x.dim[0], weight.dim[1] * plan->groups, plan->size[0], plan->size[1]);
    return true;
}

/* ------------------------------------------------------- bias and activation */

typedef struct planes_pass {
    const an_kernels *kernels;
    int64_t planes, channels, size; /* of the result; `size` values in a plane */
    an_unary activation;
    float *dz;
    const float *y;
    double *sums; /* one a plane, or NULL */
    float *db;
    bool add;
    float *to; /* for a bias that is added to a result */
    const float *bias;
} planes_pass;

static planes_pass planes_of(an_graph *graph, const an_node *node)
{
    const an_shape shape = node->output.shape;
    return (planes_pass){.kernels = an__kernels(graph->context),
                         .planes = shape.dim[0] * shape.dim[1],
                         .channels = shape.dim[1],
                         .size = shape.dim[2] * shape.dim[3]};
}

static void end_task(void *arg, int64_t begin, int64_t end)
{
    const planes_pass *pass = arg;
    const an_unary_kernel map = pass->kernels->pointwise->unary[pass->activation];
    for (int64_t i = begin; i < end; i++) {
        float *dz = pass->dz + i * pass->size;
        const float *y = pass->y + i * pass->size;
        if (pass->activation != AN_UNARY_AFFINE)
            map.backward(pass->size, dz, dz, y, y, 0, 0, false);
        if (pass->sums)
            pass->kernels->conv->plane_sums(pass->size, 0, 1, dz, pass->sums + i);
    }
}

/* dy becomes dz = dy f'(y), and the bias gets its gradient: sums by image, then over images. */
static void through_activation(an_graph *graph, an_node *node)
{
    bool fresh = true;
    planes_pass pass = planes_of(graph, node);
    float *db = node->count > BIAS ? an_grad_of(graph, node->inputs[BIAS], &fresh) : NULL;
    pass.activation = an__activation_unary(node->as.conv.activation);
    pass.dz = node->output.grad;
    pass.y = node->output.data;
    if (db)
        pass.sums = an__scratch(graph, pass.planes, sizeof *pass.sums);
    if (!pass.sums && pass.activation == AN_UNARY_AFFINE)
        return;
    an__parallel(graph->context, pass.planes, an__row_grain(pass.size), end_task, &pass);
    for (int64_t c = 0; db && pass.sums && c < pass.channels; c++) {
        double sum = 0;
        for (int64_t i = c; i < pass.planes; i += pass.channels)
            sum += pass.sums[i];
        db[c] = (float)sum + (fresh ? 0.0f : db[c]);
    }
}

static void bias_task(void *arg, int64_t begin, int64_t end)
{
    const planes_pass *pass = arg;
    const an_unary_kernel map = pass->kernels->pointwise->unary[AN_UNARY_AFFINE];
    for (int64_t i = begin; i < end; i++) {
        float *y = pass->to + i * pass->size;
        map.forward(pass->size, y, y, 1, pass->bias[i % pass->channels]);
    }
}

/* ------------------------------------------------------------------- conv2d */

static bool conv2d_forward(an_graph *graph, an_node *node)
{
    const an_conv *plan = &node->as.conv.plan;
    float *space = an__scratch(graph, an__conv_forward_space(graph->context, plan), sizeof(float));
    if (!space)
        return false;
    an__conv_forward(graph->context, plan, node->inputs[X]->data, node->inputs[WEIGHT]->data,
                     node->count > BIAS ? node->inputs[BIAS]->data : NULL,
                     an__activation_epilogue(node->as.conv.activation), node->output.data, false,
                     space);
    return true;
}

static void conv2d_backward(an_graph *graph, an_node *node)
{
    an_context *context = graph->context;
    const an_conv *plan = &node->as.conv.plan;
    const an_tensor *x = node->inputs[X], *weight = node->inputs[WEIGHT];
    bool fresh;
    through_activation(graph, node);
    float *space = an__scratch(
        graph,
        an__at_least(an__conv_data_space(context, plan), an__conv_weight_space(context, plan)),
        sizeof(float));
    if (!space)
        return;
    float *dw = an_grad_of(graph, node->inputs[WEIGHT], &fresh);
    if (dw)
        an__conv_weight(context, plan, x->data, node->output.grad, dw, !fresh, space);
    float *dx = an_grad_of(graph, node->inputs[X], &fresh);
    if (dx)
        an__conv_data(context, plan, node->output.grad, weight->data, dx, !fresh, space);
}

const an_op an__op_conv2d = {"conv2d", conv2d_shape, conv2d_forward, conv2d_backward};

/* The image that a convolution without padding takes, where the padding is not of zeros. */
static an_tensor *pad_image(an_graph *graph, an_tensor *x, const an_tensor *weight,
                            an_conv2d_options *o)
{
    an_pad2d_options pad = {.mode = o->padding_mode};
    for (int axis = 0; axis < 2; axis++) {
        const int64_t dilation = o->dilation[axis] == 0 ? 1 : o->dilation[axis];
        const bool fits = weight && weight->shape.ndim == 4 && dilation <= AN_MOST_STEP;
        const int64_t reach = fits ? (weight->shape.dim[2 + axis] - 1) * dilation : 0;
        pad.before[axis] = o->same ? reach / 2 : o->padding[axis];
        pad.after[axis] = o->same ? reach - reach / 2 : o->padding[axis];
        o->padding[axis] = 0;
    }
    if (o->same && (o->stride[0] > 1 || o->stride[1] > 1)) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                     "conv2d: padding 'same' needs stride 1 and no other padding");
        return &graph->poison;
    }
    o->same = false;
    return an_pad2d(graph, x, pad);
}

an_tensor *an_conv2d(an_graph *graph, an_tensor *x, an_tensor *weight, an_tensor *bias,
                     const an_conv2d_options *options)
{
    an_conv2d_options settled = options ? *options : (an_conv2d_options){0}, *o = &settled;
    if (o->padding_mode != AN_PAD_ZEROS)
        x = pad_image(graph, x, weight, o);
    an_attributes as = {.conv = {.plan = {.groups = o->groups,
                                          .stride = {o->stride[0], o->stride[1]},
                                          .dilation = {o->dilation[0], o->dilation[1]},
                                          .padding = {o->padding[0], o->padding[1]}},
                                 .same = o->same,
                                 .activation = o->activation}};
    return an__record(graph, &an__op_conv2d, (an_tensor *[]){x, weight, bias}, bias ? 3 : 2, &as);
}

/* --------------------------------------------------------- conv_transpose2d */

static bool conv_transpose2d_forward(an_graph *graph, an_node *node)
{
    const an_conv *plan = &node->as.conv.plan;
    float *space = an__scratch(graph, an__conv_data_space(graph->context, plan), sizeof(float));
    if (!space)
        return false;
    an__conv_data(graph->context, plan, node->inputs[X]->data, node->inputs[WEIGHT]->data,
                  node->output.data, false, space);
    if (node->count > BIAS) {
        planes_pass pass = planes_of(graph, node);
        pass.to = node->output.data;
        pass.bias = node->inputs[BIAS]->data;
        an__parallel(graph->context, pass.planes, an__row_grain(pass.size), bias_task, &pass);
    }
    return true;
}

static void conv_transpose2d_backward(an_graph *graph, an_node *node)
{
    an_context *context = graph->context;
    const an_conv *plan = &node->as.conv.plan;
    const an_tensor *x = node->inputs[X], *weight = node->inputs[WEIGHT];
    bool fresh;
    through_activation(graph, node);
    float *space = an__scratch(
        graph,
        an__at_least(an__conv_forward_space(context, plan), an__conv_weight_space(context, plan)),
        sizeof(float));
    if (!space)
        return;
    float *dw = an_grad_of(graph, node->inputs[WEIGHT], &fresh);
    if (dw)
        an__conv_weight(context, plan, node->output.grad, x->data, dw, !fresh, space);
    float *dx = an_grad_of(graph, node->inputs[X], &fresh);
    if (dx)
        an__conv_forward(context, plan, node->output.grad, weight->data, NULL, AN_EPILOGUE_IDENTITY,
                         dx, !fresh, space);
}

const an_op an__op_conv_transpose2d = {"conv_transpose2d", conv_transpose2d_shape,
                                       conv_transpose2d_forward, conv_transpose2d_backward};

an_tensor *an_conv_transpose2d(an_graph *graph, an_tensor *x, an_tensor *weight, an_tensor *bias,
                               const an_conv_transpose2d_options *options)
{
    static const an_conv_transpose2d_options defaults = {0};
    const an_conv_transpose2d_options *o = options ? options : &defaults;
    an_attributes as = {.conv = {.plan = {.groups = o->groups,
                                          .stride = {o->stride[0], o->stride[1]},
                                          .dilation = {o->dilation[0], o->dilation[1]},
                                          .padding = {o->padding[0], o->padding[1]}},
                                 .output_padding = {o->output_padding[0], o->output_padding[1]}}};
    return an__record(graph, &an__op_conv_transpose2d, (an_tensor *[]){x, weight, bias},
                      bias ? 3 : 2, &as);
}
