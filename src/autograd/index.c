/* Shape and indexing: reshape, flatten, slice, index_rows, concat. */
#include <string.h>

#include "autograd/ops.h"

/* --------------------------------------------------------- reshape, flatten */

static bool same_size(an_graph *graph, an_node *node, an_shape *shape)
{
    an_shape from = node->inputs[0]->shape;
    if (an_shape_size(*shape) == node->inputs[0]->size) {
        node->output.data = node->inputs[0]->data;
        return true;
    }
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "reshape: %s has %lld values and cannot become %s", an__text(from).text,
                        (long long)node->inputs[0]->size, an__text(node->as.shape).text);
}

/* Where one dimension is -1, it takes what the others leave. */
static bool reshape_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    int open = -1;
    *shape = node->as.shape;
    for (int i = 0; i < shape->ndim && i < AN_MAX_DIMS; i++) {
        if (shape->dim[i] != -1)
            continue;
        if (open >= 0)
            return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                                "reshape: only one dimension may be -1, not two as in %s",
                                an__text(*shape).text);
        open = i;
        shape->dim[i] = 1;
    }
    const int64_t others = an_shape_size(*shape);
    if (open >= 0 && others > 0)
        shape->dim[open] = node->inputs[0]->size / others;
    return same_size(graph, node, shape);
}

static bool flatten_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const an_shape from = node->inputs[0]->shape;
    const int first = from.ndim == 0 && node->as.slice.dim == 0
                          ? 0
                          : an__dim(graph, "flatten", from, node->as.slice.dim);
    if (first < 0)
        return false;
    shape->ndim = first + 1;
    shape->dim[first] = 1;
    for (int i = 0; i < from.ndim; i++)
        shape->dim[i < first ? i : first] =
            i <= first ? from.dim[i] : shape->dim[first] * from.dim[i];
    return same_size(graph, node, shape);
}

static bool reshape_forward(an_graph *graph, an_node *node)
{
    (void)graph, (void)node;
    return true;
}

static void reshape_backward(an_graph *graph, an_node *node)
{
    bool fresh;
    float *dx = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    if (dx)
        an__grad_copy(graph, node->output.size, dx, node->output.grad, 1.0f, fresh);
}

const an_op an__op_reshape = {"reshape", reshape_shape, reshape_forward, reshape_backward};
const an_op an__op_flatten = {"flatten", flatten_shape, reshape_forward, reshape_backward};

an_tensor *an_reshape(an_graph *graph, an_tensor *x, an_shape shape)
{
    return an__record(graph, &an__op_reshape, &x, 1, &(an_attributes){.shape = shape});
}

an_tensor *an_flatten(an_graph *graph, an_tensor *x, int first)
{
    return an__record(graph, &an__op_flatten, &x, 1, &(an_attributes){.slice = {.dim = first}});
}

/* ------------------------------------------------------------------- slice */

static bool slice_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    *shape = node->inputs[0]->shape;
    const int dim = an__dim(graph, "slice", *shape, node->as.slice.dim);
    if (dim < 0)
        return false;
    const int64_t start = node->as.slice.start, count = node->as.slice.count;
    if (start < 0 || count < 0 || start > shape->dim[dim] || count > shape->dim[dim] - start)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "slice: %lld elements from %lld on do not lie in dimension %d of %s",
                            (long long)count, (long long)start, dim, an__text(*shape).text);
    node->as.slice.dim = dim;
    shape->dim[dim] = count;
    return true;
}

/* The floats of a slice are `outer` runs: run i is `length` long and starts at first + i * step. */
typedef struct runs {
    int64_t outer, first, step, length;
} runs;

static runs slice_runs(const an_node *node)
{
    an_around around = an__around(node->inputs[0]->shape, node->as.slice.dim);
    return (runs){
        .outer = around.outer,
        .first = node->as.slice.start * around.block.inner,
        .step = around.block.count * around.block.inner,
        .length = node->as.slice.count * around.block.inner,
    };
}

static bool slice_forward(an_graph *graph, an_node *node)
{
    (void)graph;
    const runs r = slice_runs(node);
    for (int64_t i = 0; i < r.outer; i++)
        memcpy(node->output.data + i * r.length, node->inputs[0]->data + r.first + i * r.step,
               (size_t)r.length * sizeof(float));
    return true;
}

static void slice_backward(an_graph *graph, an_node *node)
{
    const runs r = slice_runs(node);
    bool fresh;
    float *dx = an_grad_of(graph, node->inputs[0], &fresh);
    if (!dx)
        return;
    if (fresh)
        memset(dx, 0, (size_t)node->inputs[0]->size * sizeof(float));
    for (int64_t i = 0; i < r.outer; i++)
        an__grad_copy(graph, r.length, dx + r.first + i * r.step, node->output.grad + i * r.length,
                      1.0f, false);
}

const an_op an__op_slice = {"slice", slice_shape, slice_forward, slice_backward};

an_tensor *an_slice(an_graph *graph, an_tensor *x, int dim, int64_t start, int64_t count)
{
    an_attributes as = {.slice = {.dim = dim, .start = start, .count = count}};
    return an__record(graph, &an__op_slice, &x, 1, &as);
}

/* -------------------------------------------------------------- index_rows */

static bool index_rows_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_labels *index = &node->as.labels;
    *shape = node->inputs[0]->shape;
    if (shape->ndim == 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE, "index_rows: a scalar has no rows");
    if (!an__labels_copy(graph, "index_rows", "index", index, shape->dim[0], INT64_MIN))
        return false;
    shape->dim[0] = index->count;
    return true;
}

/* The number of floats in a row. */
static int64_t row_length(const an_tensor *x)
{
    return an__around(x->shape, 0).block.inner;
}

static bool index_rows_forward(an_graph *graph, an_node *node)
{
    (void)graph;
    const an_labels index = node->as.labels;
    const int64_t length = row_length(node->inputs[0]);
    for (int64_t i = 0; i < index.count; i++)
        memcpy(node->output.data + i * length, node->inputs[0]->data + index.data[i] * length,
               (size_t)length * sizeof(float));
    return true;
}

static void index_rows_backward(an_graph *graph, an_node *node)
{
    const an_labels index = node->as.labels;
    const int64_t length = row_length(node->inputs[0]);
    bool fresh;
    float *dx = an_grad_of(graph, node->inputs[0], &fresh);
    if (!dx)
        return;
    if (fresh)
        memset(dx, 0, (size_t)node->inputs[0]->size * sizeof(float));
    for (int64_t i = 0; i < index.count; i++)
        an__grad_copy(graph, length, dx + index.data[i] * length, node->output.grad + i * length,
                      1.0f, false);
}

const an_op an__op_index_rows = {"index_rows", index_rows_shape, index_rows_forward,
                                 index_rows_backward};

an_tensor *an_index_rows(an_graph *graph, an_tensor *x, an_labels index)
{
    return an__record(graph, &an__op_index_rows, &x, 1, &(an_attributes){.labels = index});
}

/* ------------------------------------------------------------------ concat */

/* True where `b` could stand behind `a` along `dim`. */
static bool joins(an_shape a, an_shape b, int dim)
{
    a.dim[dim] = 0;
    if (b.ndim > dim)
        b.dim[dim] = 0;
    return an_shape_equal(a, b);
}

static bool concat_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    if (node->count < 1)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "concat: there are no parts");
    *shape = node->inputs[0]->shape;
    const int dim = an__dim(graph, "concat", *shape, node->as.slice.dim);
    if (dim < 0)
        return false;
    node->as.slice.dim = dim;
    for (int i = 1; i < node->count; i++) {
        an_shape part = node->inputs[i]->shape;
        if (!joins(node->inputs[0]->shape, part, dim))
            return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                                "concat: part 1 is %s and part %d is %s: they may differ in "
                                "dimension %d alone",
                                an__text(node->inputs[0]->shape).text, i + 1, an__text(part).text,
                                dim);
        shape->dim[dim] += part.dim[dim];
    }
    return true;
}

static bool concat_forward(an_graph *graph, an_node *node)
{
    (void)graph;
    const an_around all = an__around(node->output.shape, node->as.slice.dim);
    const int64_t step = all.block.count * all.block.inner;
    float *to = node->output.data;
    for (int part = 0; part < node->count; part++) {
        const an_tensor *x = node->inputs[part];
        const int64_t length = x->shape.dim[node->as.slice.dim] * all.block.inner;
        for (int64_t i = 0; i < all.outer; i++)
            memcpy(to + i * step, x->data + i * length, (size_t)length * sizeof(float));
        to += length;
    }
    return true;
}

static void concat_backward(an_graph *graph, an_node *node)
{
    const an_around all = an__around(node->output.shape, node->as.slice.dim);
    const int64_t step = all.block.count * all.block.inner;
    const float *from = node->output.grad;
    for (int part = 0; part < node->count; part++) {
        an_tensor *x = node->inputs[part];
        const int64_t length = x->shape.dim[node->as.slice.dim] * all.block.inner;
        bool fresh;
        float *dx = an_grad_of(graph, x, &fresh);
        for (int64_t i = 0; dx && i < all.outer; i++)
            an__grad_copy(graph, length, dx + i * length, from + i * step, 1.0f, fresh);
        from += length;
    }
}

const an_op an__op_concat = {"concat", concat_shape, concat_forward, concat_backward};

an_tensor *an_concat(an_graph *graph, an_tensor *const *parts, int count, int dim)
{
    return an__record(graph, &an__op_concat, parts, count, &(an_attributes){.slice = {.dim = dim}});
}
