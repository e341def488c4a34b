/* Matrix products with broadcast leading dimensions, and the transpose. */
#include <string.h>

#include "autograd/broadcast.h"
#include "autograd/ops.h"
#include "tensor/kernels/gemm.h"

/* ------------------------------------------------------------------ matmul */

/* The leading dimensions, all but the last two. */
static an_shape batch_of(an_shape shape)
{
    shape.ndim -= 2;
    return shape;
}

static bool matmul_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_shape a = node->inputs[0]->shape, b = node->inputs[1]->shape;
    an_error *err = an__failure(graph);
    if (a.ndim < 2 || b.ndim < 2)
        return an_error_set(err, AN_ERROR_SHAPE,
                            "matmul: %s by %s: both operands need at least two dimensions; reshape "
                            "a vector to a row or a column",
                            an__text(a).text, an__text(b).text);
    const int64_t inner_a = a.dim[a.ndim - 1], inner_b = b.dim[b.ndim - 2];
    if (inner_a != inner_b)
        return an_error_set(
            err, AN_ERROR_SHAPE, "matmul: %s by %s: the inner dimensions %lld and %lld differ",
            an__text(a).text, an__text(b).text, (long long)inner_a, (long long)inner_b);
    if (!an_shape_broadcast(batch_of(a), batch_of(b), shape))
        return an_error_set(err, AN_ERROR_SHAPE,
                            "matmul: %s by %s: the leading dimensions do not broadcast",
                            an__text(a).text, an__text(b).text);
    shape->dim[shape->ndim] = a.dim[a.ndim - 2];
    shape->dim[shape->ndim + 1] = b.dim[b.ndim - 1];
    shape->ndim += 2;
    return true;
}

/*
 * The products of a matmul: `count` pairs of matrices, m x k by k x n. Where b is one matrix for
 * all of a's, the rows of a are joined and there is one product.
 */
typedef struct matmul_plan {
    an_broadcast batch;
    int64_t count, m, n, k;
} matmul_plan;

static matmul_plan plan_matmul(const an_node *node)
{
    an_shape a = node->inputs[0]->shape, b = node->inputs[1]->shape;
    an_shape out = node->output.shape;
    matmul_plan plan = {
        .count = an_shape_size(batch_of(out)),
        .m = a.dim[a.ndim - 2],
        .n = b.dim[b.ndim - 1],
        .k = a.dim[a.ndim - 1],
    };
    if (an_shape_size(batch_of(b)) == 1) {
        plan.m *= plan.count;
        plan.count = 1;
        plan.batch = an__broadcast(an_shape_0(), an_shape_0(), an_shape_0());
    } else {
        plan.batch = an__broadcast(batch_of(a), batch_of(b), batch_of(out));
    }
    return plan;
}

static bool matmul_forward(an_graph *graph, an_node *node)
{
    matmul_plan plan = plan_matmul(node);
    for (int64_t i = 0; i < plan.count; i++) {
        int64_t at[2];
        an__broadcast_at(&plan.batch, plan.batch.ndim, i, at);
        an_gemm call = {
            .m = plan.m,
            .n = plan.n,
            .k = plan.k,
            .a = node->inputs[0]->data + at[0] * plan.m * plan.k,
            .lda = plan.k,
            .b = node->inputs[1]->data + at[1] * plan.k * plan.n,
            .ldb = plan.n,
            .c = node->output.data + i * plan.m * plan.n,
            .ldc = plan.n,
        };
        an__gemm(graph->context, &call);
    }
    return true;
}

/* da += dc b^T */
static an_gemm product_for_a(const an_node *node, const matmul_plan *plan, const int64_t at[2],
                             const float *dc, float *da)
{
    return (an_gemm){
        .transpose_b = true,
        .m = plan->m,
        .n = plan->k,
        .k = plan->n,
        .a = dc,
        .lda = plan->n,
        .b = node->inputs[1]->data + at[1] * plan->k * plan->n,
        .ldb = plan->n,
        .c = da + at[0] * plan->m * plan->k,
        .ldc = plan->k,
    };
}

/* db += a^T dc */
static an_gemm product_for_b(const an_node *node, const matmul_plan *plan, const int64_t at[2],
                             const float *dc, float *db)
{
    return (an_gemm){
        .transpose_a = true,
        .m = plan->k,
        .n = plan->n,
        .k = plan->m,
        .a = node->inputs[0]->data + at[0] * plan->m * plan->k,
        .lda = plan->k,
        .b = dc,
        .ldb = plan->n,
        .c = db + at[1] * plan->k * plan->n,
        .ldc = plan->n,
    };
}

/* A matrix that serves several products collects their gradients, so it starts from zero. */
static void matmul_gradient(an_graph *graph, an_node *node, const matmul_plan *plan, int which)
{
    bool fresh;
    an_tensor *input = node->inputs[which];
    float *dx = an_grad_of(graph, input, &fresh);
    if (!dx)
        return;
    if (fresh && (an__broadcast_repeats(&plan->batch, which) || plan->count == 0)) {
        memset(dx, 0, (size_t)input->size * sizeof(float));
        fresh = false;
    }
    for (int64_t i = 0; i < plan->count; i++) {
        int64_t at[2];
        an__broadcast_at(&plan->batch, plan->batch.ndim, i, at);
        const float *dc = node->output.grad + i * plan->m * plan->n;
        an_gemm call = which == 0 ? product_for_a(node, plan, at, dc, dx)
                                  : product_for_b(node, plan, at, dc, dx);
        call.accumulate = !fresh;
        an__gemm(graph->context, &call);
    }
}

static void matmul_backward(an_graph *graph, an_node *node)
{
    matmul_plan plan = plan_matmul(node);
    matmul_gradient(graph, node, &plan, 0);
    matmul_gradient(graph, node, &plan, 1);
}

const an_op an__op_matmul = {"matmul", matmul_shape, matmul_forward, matmul_backward};

an_tensor *an_matmul(an_graph *graph, an_tensor *a, an_tensor *b)
{
    return an__record(graph, &an__op_matmul, (an_tensor *[]){a, b}, 2, NULL);
}

/* --------------------------------------------------------------- transpose */

static bool transpose_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    *shape = node->inputs[0]->shape;
    if (shape->ndim < 2)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "transpose: %s has no two dimensions to swap", an__text(*shape).text);
    int64_t *last = &shape->dim[shape->ndim - 2], rows = last[0];
    last[0] = last[1];
    last[1] = rows;
    return true;
}

/* Turns each matrix of `from`, which is like `shape`, into `to`. */
static void transpose_all(an_graph *graph, an_shape shape, float *to, const float *from, bool add)
{
    const an_rows_table *kernels = an__kernels(graph->context)->rows;
    const int64_t rows = shape.dim[shape.ndim - 2], columns = shape.dim[shape.ndim - 1];
    for (int64_t left = an_shape_size(batch_of(shape)); left > 0; left--) {
        kernels->transpose(rows, columns, to, from, add);
        to += rows * columns;
        from += rows * columns;
    }
}

static bool transpose_forward(an_graph *graph, an_node *node)
{
    transpose_all(graph, node->inputs[0]->shape, node->output.data, node->inputs[0]->data, false);
    return true;
}

static void transpose_backward(an_graph *graph, an_node *node)
{
    bool fresh;
    float *dx = an_grad_of(graph, node->inputs[0], &fresh);
    if (dx)
        transpose_all(graph, node->output.shape, dx, node->output.grad, !fresh);
}

const an_op an__op_transpose = {"transpose", transpose_shape, transpose_forward,
                                transpose_backward};

an_tensor *an_transpose(an_graph *graph, an_tensor *x)
{
    return an__record(graph, &an__op_transpose, &x, 1, NULL);
}
