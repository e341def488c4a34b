/*
 * y = f(x W^T + b): a product with bias and activation f applied while the result is in cache.
 *
 *   dz = dy f'(y)      in place of dy, in one pass with
 *   db = sum of dz     over the rows
 *   dW = dz^T x        (out, rows) (rows, in)
 *   dx = dz W          (rows, out) (out, in); skipped for data, which needs no gradient
 */
#include "autograd/ops.h"
#include "tensor/kernels/gemm.h"

enum { X, WEIGHT, BIAS };

static bool linear_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_shape x = node->inputs[X]->shape, weight = node->inputs[WEIGHT]->shape;
    an_error *err = an__failure(graph);
    if (weight.ndim != 2)
        return an_error_set(err, AN_ERROR_SHAPE,
                            "linear: the weight must be (out, in) but has shape %s",
                            an__text(weight).text);
    if (x.ndim < 1 || x.dim[x.ndim - 1] != weight.dim[1])
        return an_error_set(err, AN_ERROR_SHAPE,
                            "linear: takes (..., %lld) but gets %s; the weight is %s",
                            (long long)weight.dim[1], an__text(x).text, an__text(weight).text);
    if (node->count > BIAS && !an_shape_equal(node->inputs[BIAS]->shape, an_shape_1(weight.dim[0])))
        return an_error_set(err, AN_ERROR_SHAPE,
                            "linear: the bias must be (%lld,) but has shape %s; the weight is %s",
                            (long long)weight.dim[0], an__text(node->inputs[BIAS]->shape).text,
                            an__text(weight).text);
    if ((unsigned)node->as.activation > AN_SIGMOID)
        return an_error_set(err, AN_ERROR_ARGUMENT, "linear: there is no activation %d",
                            (int)node->as.activation);
    *shape = x;
    shape->dim[x.ndim - 1] = weight.dim[0];
    return true;
}

/* The product of all dimensions but the last. */
static int64_t row_count(an_shape shape)
{
    shape.ndim--;
    return an_shape_size(shape);
}

static bool linear_forward(an_graph *graph, an_node *node)
{
    const an_tensor *x = node->inputs[X], *weight = node->inputs[WEIGHT];
    const int64_t out = weight->shape.dim[0], in = weight->shape.dim[1];
    an_gemm call = {
        .transpose_b = true,
        .m = row_count(x->shape),
        .n = out,
        .k = in,
        .a = x->data,
        .lda = in,
        .b = weight->data,
        .ldb = in,
        .c = node->output.data,
        .ldc = out,
        .bias = node->count > BIAS ? node->inputs[BIAS]->data : NULL,
        .epilogue = an__activation_epilogue(node->as.activation),
    };
    an__gemm(graph->context, &call);
    return true;
}

typedef struct sums_pass {
    const an_rows_table *kernels;
    an_block block;
    an_unary activation;
    float *dz, *db;
    const float *y;
    bool add;
} sums_pass;

static void sums_task(void *arg, int64_t begin, int64_t end)
{
    const sums_pass *pass = arg;
    pass->kernels->activation_sums(pass->block, begin, end, pass->activation, pass->dz, pass->y,
                                   pass->db, pass->add);
}

/* dy becomes dz, and the bias gets its gradient. Threads share the columns, 64 at a time. */
static void through_activation(an_graph *graph, an_node *node, int64_t rows, int64_t out)
{
    bool fresh = true;
    sums_pass pass = {
        .kernels = an__kernels(graph->context)->rows,
        .block = {.count = rows, .inner = out},
        .activation = an__activation_unary(node->as.activation),
        .dz = node->output.grad,
        .y = node->output.data,
    };
    if (node->count > BIAS)
        pass.db = an_grad_of(graph, node->inputs[BIAS], &fresh);
    pass.add = !fresh;
    const int64_t strips = an__row_grain(rows) / 64;
    if (pass.db || pass.activation != AN_UNARY_AFFINE)
        an__parallel(graph->context, out, 64 * (strips > 0 ? strips : 1), sums_task, &pass);
}

static void linear_backward(an_graph *graph, an_node *node)
{
    an_tensor *x = node->inputs[X], *weight = node->inputs[WEIGHT];
    const int64_t out = weight->shape.dim[0], in = weight->shape.dim[1];
    const int64_t rows = row_count(x->shape);
    bool fresh;
    through_activation(graph, node, rows, out);
    float *dw = an_grad_of(graph, weight, &fresh);
    if (dw)
        an__gemm(graph->context, &(an_gemm){.transpose_a = true,
                                            .m = out,
                                            .n = in,
                                            .k = rows,
                                            .a = node->output.grad,
                                            .lda = out,
                                            .b = x->data,
                                            .ldb = in,
                                            .c = dw,
                                            .ldc = in,
                                            .accumulate = !fresh});
    float *dx = an_grad_of(graph, x, &fresh);
    if (dx)
        an__gemm(graph->context, &(an_gemm){.m = rows,
                                            .n = in,
                                            .k = out,
                                            .a = node->output.grad,
                                            .lda = out,
                                            .b = weight->data,
                                            .ldb = in,
                                            .c = dx,
                                            .ldc = in,
                                            .accumulate = !fresh});
}

const an_op an__op_linear = {"linear", linear_shape, linear_forward, linear_backward};

an_tensor *an_linear(an_graph *graph, an_tensor *x, an_tensor *weight, an_tensor *bias,
                     an_activation activation)
{
    return an__record(graph, &an__op_linear, (an_tensor *[]){x, weight, bias}, bias ? 3 : 2,
                      &(an_attributes){.activation = activation});
}
