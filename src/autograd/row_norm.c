/* Layer norm and RMS norm: rows of the last dimensions, each by its own mean and variance. */
#include <string.h>

#include "autograd/ops.h"

/* Whether `tensor` has the last `dims` dimensions of x as its shape. */
static bool ends_with(const an_tensor *x, const an_tensor *tensor, int dims)
{
    bool same = tensor->shape.ndim == dims;
    for (int i = 0; same && i < dims; i++)
        same = tensor->shape.dim[i] == x->shape.dim[x->shape.ndim - dims + i];
    return same;
}

static bool row_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const char *op = node->op->name;
    const an_tensor *x = node->inputs[0];
    const int dims = (int)node->as.norm.groups;
    *shape = x->shape;
    if (dims < 1 || dims > x->shape.ndim)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: cannot normalise over the last %d dimensions of %s", op, dims,
                            an__text(x->shape).text);
    if (!(node->as.norm.eps >= 0))
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "%s: eps must be at least 0, got %g", op, node->as.norm.eps);
    for (int i = 1; i < node->count; i++)
        if (!ends_with(x, node->inputs[i], dims))
            return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                                "%s: the %s of shape %s must have the last %d dimensions of %s", op,
                                i == 1 ? "weight" : "bias", an__text(node->inputs[i]->shape).text,
                                dims, an__text(x->shape).text);
    int64_t size = 1;
    for (int i = 0; i < dims; i++)
        size *= x->shape.dim[x->shape.ndim - 1 - i];
    node->as.norm.size = size;
    node->as.norm.parts = size > 0 ? x->size / size : 0;
    return true;
}

typedef struct row_pass {
    const an_norms_table *kernels;
    an_norm_rows setting;
    const float *x, *dy;
    float *y, *dx, *mean, *rstd;
    float *sums; /* of each chunk of rows: those of weight, then those of bias */
    int64_t rows, chunk;
    bool weight, bias; /* whose sums are wanted */
    bool add;
} row_pass;

static row_pass row_plan(an_graph *graph, const an_node *node)
{
    return (row_pass){
        .kernels = an__kernels(graph->context)->norms,
        .setting = {.columns = node->as.norm.size,
                    .weight = node->count > 1 ? node->inputs[1]->data : NULL,
                    .bias = node->count > 2 ? node->inputs[2]->data : NULL,
                    .eps = node->as.norm.eps,
                    .centred = node->op == &an__op_layer_norm},
        .x = node->inputs[0]->data,
        .y = node->output.data,
        .dy = node->output.grad,
        .mean = node->as.norm.mean,
        .rstd = node->as.norm.rstd,
        .rows = node->as.norm.parts,
    };
}

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const row_pass *pass = arg;
    const int64_t at = begin * pass->setting.columns;
    pass->kernels->rows(&pass->setting, end - begin, pass->y + at, pass->x + at, pass->mean + begin,
                        pass->rstd + begin);
}

static bool row_forward(an_graph *graph, an_node *node)
{
    node->as.norm.mean = an__scratch(graph, node->as.norm.parts, sizeof(float));
    node->as.norm.rstd = an__scratch(graph, node->as.norm.parts, sizeof(float));
    if (!node->as.norm.mean || !node->as.norm.rstd)
        return false;
    row_pass pass = row_plan(graph, node);
    an__parallel(graph->context, pass.rows, an__row_grain(pass.setting.columns), forward_task,
                 &pass);
    return true;
}

/* Chunks begin..end: each has sums of its own, so that their order is that of the rows. */
static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const row_pass *pass = arg;
    const int64_t n = pass->setting.columns;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t row = chunk * pass->chunk;
        const int64_t count = an__at_most(pass->rows - row, pass->chunk);
        float *sums = pass->sums + chunk * 2 * n;
        memset(sums, 0, (size_t)(2 * n) * sizeof *sums);
        const an_norm_sums into = {pass->weight ? sums : NULL, pass->bias ? sums + n : NULL};
        pass->kernels->rows_backward(&pass->setting, count, pass->dx ? pass->dx + row * n : NULL,
                                     pass->dy + row * n, pass->x + row * n, pass->mean + row,
                                     pass->rstd + row, &into, pass->add);
    }
}

/* Adds the chunks' sums up: those of weight (which 0) or of bias (1). */
static void gather(an_graph *graph, an_node *node, const row_pass *pass, int64_t chunks, int which)
{
    const int64_t n = pass->setting.columns;
    bool fresh;
    float *d = an_grad_of(graph, node->inputs[1 + which], &fresh);
    const an_block block = {chunks, 2 * n};
    float *all = d ? an__scratch(graph, 2 * n, sizeof *all) : NULL;
    if (!all)
        return;
    an__kernels(graph->context)
        ->rows->column_sums(block, which * n, (which + 1) * n, all, pass->sums, 1.0, false);
    an__grad_copy(graph, n, d, all + which * n, 1.0f, fresh);
}

/* The rows of a chunk: enough to share its overhead, few enough to be summed in float. */
static int64_t chunk_rows(int64_t columns)
{
    const int64_t rows = columns > 0 ? AN_GRAIN / 2 / columns : 1;
    return rows < 16 ? 16 : rows > 256 ? 256 : rows;
}

static void row_backward(an_graph *graph, an_node *node)
{
    row_pass pass = row_plan(graph, node);
    pass.weight = node->count > 1 && node->inputs[1]->requires_grad;
    pass.bias = node->count > 2 && node->inputs[2]->requires_grad;
    pass.chunk = chunk_rows(pass.setting.columns);
    const int64_t chunks = an__divide_up(pass.rows, pass.chunk);
    pass.sums = an__scratch(graph, chunks * 2 * pass.setting.columns, sizeof(float));
    if (!pass.sums)
        return;
    bool fresh;
    pass.dx = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    pass.add = !fresh;
    an__parallel(graph->context, chunks, an__row_grain(pass.chunk * pass.setting.columns),
                 backward_task, &pass);
    if (pass.weight)
        gather(graph, node, &pass, chunks, 0);
    if (pass.bias)
        gather(graph, node, &pass, chunks, 1);
}

const an_op an__op_layer_norm = {"layer_norm", row_shape, row_forward, row_backward};
const an_op an__op_rms_norm = {"rms_norm", row_shape, row_forward, row_backward};

static an_tensor *row_norm(an_graph *graph, const an_op *op, an_tensor *x, int dims,
                           an_tensor *weight, an_tensor *bias, double eps)
{
    an_attributes as = {.norm = {.eps = eps, .groups = dims}};
    const int count = bias ? 3 : weight ? 2 : 1;
    return an__record(graph, op, (an_tensor *[]){x, weight, bias}, count, &as);
}

an_tensor *an_layer_norm(an_graph *graph, an_tensor *x, int dims, an_tensor *weight,
                         an_tensor *bias, double eps)
{
    return row_norm(graph, &an__op_layer_norm, x, dims, weight, bias, eps);
}

an_tensor *an_rms_norm(an_graph *graph, an_tensor *x, int dims, an_tensor *weight, double eps)
{
    return row_norm(graph, &an__op_rms_norm, x, dims, weight, NULL, eps);
}
