/* Pooling of images: the maximum or the mean of each window. Threads share the planes. */
#include "autograd/ops.h"

typedef struct pool_pass {
    const an_pooling_table *kernels;
    const an_pooling *plan;
    const float *x;
    float *y;
    uint16_t *where;
    bool add;
} pool_pass;

static pool_pass pass_of(an_graph *graph, const an_node *node)
{
    return (pool_pass){.kernels = an__kernels(graph->context)->pooling,
                       .plan = &node->as.pool.plan,
                       .where = node->as.pool.where};
}

/* Runs `task` over the planes of a node's input. */
static void over_planes(an_graph *graph, const an_node *node, an_task task, pool_pass *pass)
{
    const an_shape shape = node->inputs[0]->shape;
    an__parallel(graph->context, shape.dim[0] * shape.dim[1],
                 an__row_grain(shape.dim[2] * shape.dim[3]), task, pass);
}

/* ------------------------------------------------------------------ shapes */

static bool is_image(an_graph *graph, const an_node *node)
{
    const an_shape x = node->inputs[0]->shape;
    if (x.ndim == 4 && x.dim[2] > 0 && x.dim[3] > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "%s: takes (n, channels, height, width) but gets %s", node->op->name,
                        an__text(x).text);
}

/* Zeros become their defaults; false for what cannot be. */
static bool settle(an_graph *graph, const an_node *node, an_pooling *plan, int axis)
{
    const char *op = node->op->name;
    an_error *err = an__failure(graph);
    const int64_t kernel = plan->kernel[axis], padding = plan->padding[axis];
    int64_t *stride = &plan->stride[axis], *dilation = &plan->dilation[axis];
    if (kernel < 1 || kernel > AN_POOLING_MAX_KERNEL)
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: kernel must be 1 to %d, got %lld", op,
                            (int)AN_POOLING_MAX_KERNEL, (long long)kernel);
    *stride = *stride == 0 ? kernel : *stride;
    *dilation = *dilation == 0 ? 1 : *dilation;
    if (*stride < 1 || *dilation < 1 || *stride > AN_MOST_STEP || *dilation > AN_MOST_STEP)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: stride and dilation must be 1 to %d, got %lld and %lld", op,
                            (int)AN_MOST_STEP, (long long)*stride, (long long)*dilation);
    if (padding < 0 || padding > kernel / 2)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: padding must be 0 to half of the kernel, %lld, got %lld", op,
                            (long long)kernel / 2, (long long)padding);
    return true;
}

static bool count_places(an_graph *graph, const an_node *node, an_pooling *plan, int axis)
{
    const an_window window = {plan->kernel[axis], plan->stride[axis], plan->padding[axis],
                              plan->dilation[axis]};
    plan->out_size[axis] = an__pooling_places(plan->size[axis], window, node->as.pool.ceil_mode);
    if (plan->out_size[axis] > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "%s: a kernel of %lld (with dilation %lld) does not fit into an image of "
                        "%s with padding %lld",
                        node->op->name, (long long)plan->kernel[axis],
                        (long long)plan->dilation[axis], an__text(node->inputs[0]->shape).text,
                        (long long)plan->padding[axis]);
}

static bool pool_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_pooling *plan = &node->as.pool.plan;
    if (!is_image(graph, node))
        return false;
    *shape = node->inputs[0]->shape;
    for (int axis = 0; axis < 2; axis++) {
        plan->size[axis] = shape->dim[2 + axis];
        if (!settle(graph, node, plan, axis) || !count_places(graph, node, plan, axis))
            return false;
        shape->dim[2 + axis] = plan->out_size[axis];
    }
    if (plan->kernel[0] > AN_POOLING_MAX_KERNEL / plan->kernel[1])
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "%s: a window may have %d values at most, got %lld times %lld",
                            node->op->name, (int)AN_POOLING_MAX_KERNEL, (long long)plan->kernel[0],
                            (long long)plan->kernel[1]);
    return true;
}

static an_attributes attributes_of(const an_pool2d_options *options)
{
    static const an_pool2d_options none = {0};
    const an_pool2d_options *o = options ? options : &none;
    return (an_attributes){.pool = {.plan = {.kernel = {o->kernel[0], o->kernel[1]},
                                             .stride = {o->stride[0], o->stride[1]},
                                             .padding = {o->padding[0], o->padding[1]},
                                             .dilation = {o->dilation[0], o->dilation[1]},
                                             .exclude_padding = o->exclude_padding,
                                             .divisor = o->divisor},
                                    .ceil_mode = o->ceil_mode}};
}

/* -------------------------------------------------------------- max_pool2d */

static void max_task(void *arg, int64_t begin, int64_t end)
{
    const pool_pass *pass = arg;
    pass->kernels->max(pass->plan, begin, end, pass->x, pass->y, pass->where);
}

static void max_back_task(void *arg, int64_t begin, int64_t end)
{
    const pool_pass *pass = arg;
    pass->kernels->max_backward(pass->plan, begin, end, pass->x, pass->where, pass->y, pass->add);
}

static bool max_pool2d_forward(an_graph *graph, an_node *node)
{
    if (node->output.requires_grad) {
        node->as.pool.where = an__scratch(graph, node->output.size, sizeof(uint16_t));
        if (!node->as.pool.where)
            return false;
    }
    pool_pass pass = pass_of(graph, node);
    pass.x = node->inputs[0]->data;
    pass.y = node->output.data;
    over_planes(graph, node, max_task, &pass);
    return true;
}

static void pool_backward(an_graph *graph, an_node *node, an_task task)
{
    bool fresh;
    pool_pass pass = pass_of(graph, node);
    pass.x = node->output.grad;
    pass.y = an_grad_of(graph, node->inputs[0], &fresh);
    pass.add = !fresh;
    if (pass.y)
        over_planes(graph, node, task, &pass);
}

static void max_pool2d_backward(an_graph *graph, an_node *node)
{
    pool_backward(graph, node, max_back_task);
}

const an_op an__op_max_pool2d = {"max_pool2d", pool_shape, max_pool2d_forward, max_pool2d_backward};

an_tensor *an_max_pool2d(an_graph *graph, an_tensor *x, const an_pool2d_options *options)
{
    an_attributes as = attributes_of(options);
    return an__record(graph, &an__op_max_pool2d, &x, 1, &as);
}

/* -------------------------------------------------------------- avg_pool2d */

static void mean_task(void *arg, int64_t begin, int64_t end)
{
    const pool_pass *pass = arg;
    pass->kernels->mean(pass->plan, begin, end, pass->x, pass->y);
}

static void mean_back_task(void *arg, int64_t begin, int64_t end)
{
    const pool_pass *pass = arg;
    pass->kernels->mean_backward(pass->plan, begin, end, pass->x, pass->y, pass->add);
}

static bool avg_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const an_pooling *plan = &node->as.pool.plan;
    if (plan->dilation[0] > 1 || plan->dilation[1] > 1)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "avg_pool2d: there is no dilation here, got %lld and %lld",
                            (long long)plan->dilation[0], (long long)plan->dilation[1]);
    return pool_shape(graph, node, shape);
}

static bool mean_forward(an_graph *graph, an_node *node)
{
    pool_pass pass = pass_of(graph, node);
    pass.x = node->inputs[0]->data;
    pass.y = node->output.data;
    over_planes(graph, node, mean_task, &pass);
    return true;
}

static void mean_backward(an_graph *graph, an_node *node)
{
    pool_backward(graph, node, mean_back_task);
}

const an_op an__op_avg_pool2d = {"avg_pool2d", avg_shape, mean_forward, mean_backward};

an_tensor *an_avg_pool2d(an_graph *graph, an_tensor *x, const an_pool2d_options *options)
{
    an_attributes as = attributes_of(options);
    return an__record(graph, &an__op_avg_pool2d, &x, 1, &as);
}

/* ----------------------------------------------------- adaptive_avg_pool2d */

static bool adaptive_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_pooling *plan = &node->as.pool.plan;
    if (!is_image(graph, node))
        return false;
    *shape = node->inputs[0]->shape;
    plan->adaptive = true;
    for (int axis = 0; axis < 2; axis++) {
        int64_t *out = &plan->out_size[axis];
        plan->size[axis] = shape->dim[2 + axis];
        *out = *out == 0 ? plan->size[axis] : *out;
        if (*out < 0 || *out > INT32_MAX || plan->size[axis] > INT32_MAX)
            return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                                "adaptive_avg_pool2d: sizes must be at least 1 and below 2^31, or "
                                "0 for the image's, got %lld",
                                (long long)*out);
        shape->dim[2 + axis] = *out;
    }
    return true;
}

const an_op an__op_adaptive_avg_pool2d = {"adaptive_avg_pool2d", adaptive_shape, mean_forward,
                                          mean_backward};

an_tensor *an_adaptive_avg_pool2d(an_graph *graph, an_tensor *x, int64_t height, int64_t width)
{
    an_attributes as = {.pool = {.plan = {.out_size = {height, width}}}};
    return an__record(graph, &an__op_adaptive_avg_pool2d, &x, 1, &as);
}
