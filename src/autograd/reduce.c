/* Sums, means and maxima, over everything or one dimension. */
#include <string.h>

#include "autograd/ops.h"

/* ------------------------------------------------------------- over blocks */

int an__dim(an_graph *graph, const char *op, an_shape shape, int dim)
{
    if (dim >= -shape.ndim && dim < shape.ndim)
        return dim < 0 ? dim + shape.ndim : dim;
    if (shape.ndim == 0)
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "%s: a scalar has no dimensions", op);
    else
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                     "%s: %s has no dimension %d; allowed are %d to %d", op, an__text(shape).text,
                     dim, -shape.ndim, shape.ndim - 1);
    return -1;
}

an_around an__around(an_shape shape, int dim)
{
    an_around around = {.outer = 1, .block = {.count = shape.dim[dim], .inner = 1}};
    for (int i = 0; i < dim; i++)
        around.outer *= shape.dim[i];
    for (int i = dim + 1; i < shape.ndim; i++)
        around.block.inner *= shape.dim[i];
    return around;
}

typedef struct sum_pass {
    const an_rows_table *kernels;
    an_block block;
    float *y;
    const float *x;
    double scale;
    bool add;
} sum_pass;

static void columns_task(void *arg, int64_t begin, int64_t end)
{
    const sum_pass *pass = arg;
    pass->kernels->column_sums(pass->block, begin, end, pass->y, pass->x, pass->scale, pass->add);
}

static void blocks_task(void *arg, int64_t begin, int64_t end)
{
    sum_pass pass = *(const sum_pass *)arg;
    const int64_t inner = pass.block.inner;
    for (int64_t i = begin; i < end; i++)
        pass.kernels->column_sums(pass.block, 0, inner, pass.y + i * inner,
                                  pass.x + i * inner * pass.block.count, pass.scale, pass.add);
}

void an__sum_around(an_graph *graph, an_around around, float *y, const float *x, double scale,
                    bool add)
{
    sum_pass pass = {
        .kernels = an__kernels(graph->context)->rows,
        .block = around.block,
        .y = y,
        .x = x,
        .scale = scale,
        .add = add,
    };
    const int64_t strips = an__row_grain(around.block.count) / 64;
    if (around.outer == 1)
        an__parallel(graph->context, around.block.inner, 64 * (strips > 0 ? strips : 1),
                     columns_task, &pass);
    else
        an__parallel(graph->context, around.outer,
                     an__row_grain(around.block.count * around.block.inner), blocks_task, &pass);
}

/* --------------------------------------------------------- sums and means */

/* Everything is one column. */
static bool all_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    (void)graph;
    const int64_t size = node->inputs[0]->size;
    node->as.reduce.around = (an_around){.outer = 1, .block = {.count = size, .inner = 1}};
    if (node->op == &an__op_mean)
        node->as.reduce.scale = 1.0 / (double)size;
    *shape = an_shape_0();
    return true;
}

static bool dim_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    *shape = node->inputs[0]->shape;
    const int dim = an__dim(graph, node->op->name, *shape, node->as.reduce.dim);
    if (dim < 0)
        return false;
    node->as.reduce.around = an__around(*shape, dim);
    if (node->op == &an__op_mean_dim)
        node->as.reduce.scale = 1.0 / (double)shape->dim[dim];
    shape->dim[dim] = 1;
    if (node->as.reduce.keep)
        return true;
    shape->ndim--;
    for (int i = dim; i < shape->ndim; i++)
        shape->dim[i] = shape->dim[i + 1];
    return true;
}

static bool sum_forward(an_graph *graph, an_node *node)
{
    an__sum_around(graph, node->as.reduce.around, node->output.data, node->inputs[0]->data,
                   node->as.reduce.scale, false);
    return true;
}

static void sum_backward(an_graph *graph, an_node *node)
{
    const an_rows_table *kernels = an__kernels(graph->context)->rows;
    const an_around around = node->as.reduce.around;
    const float *dy = node->output.grad;
    bool fresh;
    float *dx = an_grad_of(graph, node->inputs[0], &fresh);
    for (int64_t i = 0; dx && i < around.outer; i++) {
        kernels->spread(around.block, dx, dy, (float)node->as.reduce.scale, !fresh);
        dx += around.block.count * around.block.inner;
        dy += around.block.inner;
    }
}

/* Everything at once is cut into chunks of AN_GRAIN, whose sums are added in their order. */
typedef struct all_pass {
    const an_rows_table *kernels;
    const float *x, *dy;
    float *dx;
    double *totals;
    float scale;
    bool add;
} all_pass;

static void all_forward_task(void *arg, int64_t begin, int64_t end)
{
    const all_pass *pass = arg;
    for (int64_t at = begin; at < end; at += AN_GRAIN)
        pass->totals[at / AN_GRAIN] =
            pass->kernels->sum(end - at < AN_GRAIN ? end - at : AN_GRAIN, pass->x + at);
}

static void all_backward_task(void *arg, int64_t begin, int64_t end)
{
    const all_pass *pass = arg;
    pass->kernels->spread((an_block){end - begin, 1}, pass->dx + begin, pass->dy, pass->scale,
                          pass->add);
}

static bool all_forward(an_graph *graph, an_node *node)
{
    const int64_t size = node->inputs[0]->size, chunks = an__divide_up(size, AN_GRAIN);
    all_pass pass = {
        .kernels = an__kernels(graph->context)->rows,
        .x = node->inputs[0]->data,
        .totals = an__scratch(graph, chunks, sizeof(double)),
    };
    if (!pass.totals)
        return false;
    an__parallel(graph->context, size, AN_GRAIN, all_forward_task, &pass);
    double total = 0;
    for (int64_t i = 0; i < chunks; i++)
        total += pass.totals[i];
    node->output.data[0] = (float)(total * node->as.reduce.scale);
    return true;
}

static void all_backward(an_graph *graph, an_node *node)
{
    bool fresh;
    all_pass pass = {
        .kernels = an__kernels(graph->context)->rows,
        .dy = node->output.grad,
        .dx = an_grad_of(graph, node->inputs[0], &fresh),
        .scale = (float)node->as.reduce.scale,
    };
    pass.add = !fresh;
    if (pass.dx)
        an__parallel(graph->context, node->inputs[0]->size, AN_GRAIN, all_backward_task, &pass);
}

const an_op an__op_sum = {"sum", all_shape, all_forward, all_backward};
const an_op an__op_mean = {"mean", all_shape, all_forward, all_backward};
const an_op an__op_sum_dim = {"sum_dim", dim_shape, sum_forward, sum_backward};
const an_op an__op_mean_dim = {"mean_dim", dim_shape, sum_forward, sum_backward};

static an_tensor *reduce(an_graph *graph, const an_op *op, an_tensor *x, int dim, bool keep)
{
    an_attributes as = {.reduce = {.dim = dim, .keep = keep, .scale = 1.0}};
    return an__record(graph, op, &x, 1, &as);
}

an_tensor *an_sum(an_graph *graph, an_tensor *x)
{
    return reduce(graph, &an__op_sum, x, 0, false);
}

an_tensor *an_mean(an_graph *graph, an_tensor *x)
{
    return reduce(graph, &an__op_mean, x, 0, false);
}

an_tensor *an_sum_dim(an_graph *graph, an_tensor *x, int dim, bool keep)
{
    return reduce(graph, &an__op_sum_dim, x, dim, keep);
}

an_tensor *an_mean_dim(an_graph *graph, an_tensor *x, int dim, bool keep)
{
    return reduce(graph, &an__op_mean_dim, x, dim, keep);
}

/* ------------------------------------------------------------------ maxima */

static bool max_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    if (!dim_shape(graph, node, shape))
        return false;
    if (node->as.reduce.around.block.count > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "max_dim: dimension %d of %s is empty and has no maximum",
                        node->as.reduce.dim, an__text(node->inputs[0]->shape).text);
}

static bool max_forward(an_graph *graph, an_node *node)
{
    const an_rows_table *kernels = an__kernels(graph->context)->rows;
    const an_around around = node->as.reduce.around;
    const int64_t inner = around.block.inner;
    int64_t *where = an__scratch(graph, around.outer * inner, sizeof *where);
    if (!where)
        return false;
    node->as.reduce.where = where;
    for (int64_t i = 0; i < around.outer; i++)
        kernels->column_max(around.block, node->output.data + i * inner, where + i * inner,
                            node->inputs[0]->data + i * inner * around.block.count);
    return true;
}

static void max_backward(an_graph *graph, an_node *node)
{
    const an_around around = node->as.reduce.around;
    const int64_t inner = around.block.inner;
    bool fresh;
    float *dx = an_grad_of(graph, node->inputs[0], &fresh);
    if (!dx)
        return;
    if (fresh)
        memset(dx, 0, (size_t)node->inputs[0]->size * sizeof(float));
    for (int64_t i = 0; i < around.outer; i++)
        for (int64_t j = 0; j < inner; j++) {
            const int64_t row = i * around.block.count + node->as.reduce.where[i * inner + j];
            dx[row * inner + j] += node->output.grad[i * inner + j];
        }
}

const an_op an__op_max_dim = {"max_dim", max_shape, max_forward, max_backward};

an_tensor *an_max_dim(an_graph *graph, an_tensor *x, int dim, bool keep)
{
    return reduce(graph, &an__op_max_dim, x, dim, keep);
}
