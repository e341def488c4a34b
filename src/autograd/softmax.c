/* Softmax, over any dimension, and its logarithm over the last one. */
#include "autograd/ops.h"

static bool softmax_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    *shape = node->inputs[0]->shape;
    return shape->ndim > 0 ||
           an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "%s: needs at least one dimension, got a scalar", node->op->name);
}

typedef struct softmax_pass {
    void (*forward)(int64_t rows, int64_t columns, float *y, const float *x);
    void (*backward)(int64_t rows, int64_t columns, float *dx, const float *dy, const float *y,
                     bool add);
    int64_t rows, columns;
    const float *x, *dy;
    float *y, *dx;
    bool add;
} softmax_pass;

static softmax_pass softmax_plan(an_graph *graph, an_node *node)
{
    const an_rows_table *kernels = an__kernels(graph->context)->rows;
    const bool log = node->op == &an__op_log_softmax;
    const an_shape shape = node->output.shape;
    const int64_t columns = shape.dim[shape.ndim - 1];
    return (softmax_pass){
        .forward = log ? kernels->log_softmax : kernels->softmax,
        .backward = log ? kernels->log_softmax_backward : kernels->softmax_backward,
        .rows = columns > 0 ? node->output.size / columns : 0,
        .columns = columns,
        .x = node->inputs[0]->data,
        .y = node->output.data,
        .dy = node->output.grad,
    };
}

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const softmax_pass *pass = arg;
    const int64_t at = begin * pass->columns;
    pass->forward(end - begin, pass->columns, pass->y + at, pass->x + at);
}

static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const softmax_pass *pass = arg;
    const int64_t at = begin * pass->columns;
    pass->backward(end - begin, pass->columns, pass->dx + at, pass->dy + at, pass->y + at,
                   pass->add);
}

static bool softmax_forward(an_graph *graph, an_node *node)
{
    softmax_pass pass = softmax_plan(graph, node);
    an__parallel(graph->context, pass.rows, an__row_grain(pass.columns), forward_task, &pass);
    return true;
}

static void softmax_backward(an_graph *graph, an_node *node)
{
    softmax_pass pass = softmax_plan(graph, node);
    bool fresh;
    pass.dx = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    pass.add = !fresh;
    if (pass.dx)
        an__parallel(graph->context, pass.rows, an__row_grain(pass.columns), backward_task, &pass);
}

const an_op an__op_softmax = {"softmax", softmax_shape, softmax_forward, softmax_backward};
const an_op an__op_log_softmax = {"log_softmax", softmax_shape, softmax_forward, softmax_backward};

an_tensor *an_softmax(an_graph *graph, an_tensor *x)
{
    return an__record(graph, &an__op_softmax, &x, 1, NULL);
}

an_tensor *an_log_softmax(an_graph *graph, an_tensor *x)
{
    return an__record(graph, &an__op_log_softmax, &x, 1, NULL);
}

/* ----------------------------------------------------------- any dimension */

typedef struct columns_pass {
    const an_rows_table *kernels;
    an_block block;
    const float *x, *dy;
    float *y, *dx;
    bool add;
} columns_pass;

static void columns_forward_task(void *arg, int64_t begin, int64_t end)
{
    const columns_pass *pass = arg;
    const int64_t step = pass->block.count * pass->block.inner;
    for (int64_t i = begin; i < end; i++)
        pass->kernels->softmax_columns(pass->block, pass->y + i * step, pass->x + i * step);
}

static void columns_backward_task(void *arg, int64_t begin, int64_t end)
{
    const columns_pass *pass = arg;
    const int64_t step = pass->block.count * pass->block.inner;
    for (int64_t i = begin; i < end; i++)
        pass->kernels->softmax_columns_backward(pass->block, pass->dx + i * step,
                                                pass->dy + i * step, pass->y + i * step, pass->add);
}

static bool softmax_dim_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    *shape = node->inputs[0]->shape;
    const int dim = an__dim(graph, "softmax_dim", *shape, node->as.reduce.dim);
    if (dim < 0)
        return false;
    node->as.reduce.around = an__around(*shape, dim);
    return true;
}

static columns_pass columns_plan(an_graph *graph, an_node *node)
{
    return (columns_pass){
        .kernels = an__kernels(graph->context)->rows,
        .block = node->as.reduce.around.block,
        .x = node->inputs[0]->data,
        .dy = node->output.grad,
        .y = node->output.data,
    };
}

static int64_t columns_grain(const columns_pass *pass)
{
    return an__row_grain(pass->block.count * pass->block.inner);
}

static bool softmax_dim_forward(an_graph *graph, an_node *node)
{
    columns_pass pass = columns_plan(graph, node);
    an__parallel(graph->context, node->as.reduce.around.outer, columns_grain(&pass),
                 columns_forward_task, &pass);
    return true;
}

static void softmax_dim_backward(an_graph *graph, an_node *node)
{
    columns_pass pass = columns_plan(graph, node);
    bool fresh;
    pass.dx = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    pass.add = !fresh;
    if (pass.dx)
        an__parallel(graph->context, node->as.reduce.around.outer, columns_grain(&pass),
                     columns_backward_task, &pass);
}

const an_op an__op_softmax_dim = {"softmax_dim", softmax_dim_shape, softmax_dim_forward,
                                  softmax_dim_backward};

an_tensor *an_softmax_dim(an_graph *graph, an_tensor *x, int dim)
{
    if (x && x->shape.ndim > 0 && (dim == -1 || dim == x->shape.ndim - 1))
        return an_softmax(graph, x);
    an_attributes as = {.reduce = {.dim = dim}};
    return an__record(graph, &an__op_softmax_dim, &x, 1, &as);
}
