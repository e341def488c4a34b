/*
 * Images with more on every side: zeros, or what the image itself continues with. Row and column
 * of every value's source come from two tables, so that going back is the same walk, adding.
 */
#include <string.h>

#include "autograd/ops.h"

static const char *const mode_names[] = {"zeros", "reflect", "replicate", "circular"};

/* The most that may be put on a side of `size` values. */
static int64_t most(an_padding_mode mode, int64_t size)
{
    const int64_t own = mode == AN_PAD_REFLECT ? size - 1 : size;
    const bool bound = mode == AN_PAD_REFLECT || mode == AN_PAD_CIRCULAR;
    return bound && own < AN_MOST_STEP ? own : AN_MOST_STEP;
}

/* Where the value `at`, counted from the image's first, comes from; -1: it is 0. */
static int64_t source_of(an_padding_mode mode, int64_t at, int64_t size)
{
    if (at >= 0 && at < size)
        return at;
    switch (mode) {
    case AN_PAD_REFLECT:
        return at < 0 ? -at : 2 * (size - 1) - at;
    case AN_PAD_REPLICATE:
        return at < 0 ? 0 : size - 1;
    case AN_PAD_CIRCULAR:
        return at < 0 ? at + size : at - size;
    case AN_PAD_ZEROS:
        break;
    }
    return -1;
}

static bool fill_sources(an_graph *graph, an_node *node, int axis, int64_t size, int64_t out)
{
    const an_pad2d_options *o = &node->as.pad.setting;
    int64_t *source = an__scratch(graph, out, sizeof *source);
    for (int64_t i = 0; source && i < out; i++)
        source[i] = source_of(o->mode, i - o->before[axis], size);
    node->as.pad.source[axis] = source;
    return source != NULL;
}

static bool pad_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_error *err = an__failure(graph);
    const an_pad2d_options *o = &node->as.pad.setting;
    *shape = node->inputs[0]->shape;
    if ((unsigned)o->mode > AN_PAD_CIRCULAR)
        return an_error_set(err, AN_ERROR_ARGUMENT, "pad2d: there is no mode %d", (int)o->mode);
    if (shape->ndim != 4 || shape->dim[2] < 1 || shape->dim[3] < 1)
        return an_error_set(err, AN_ERROR_SHAPE,
                            "pad2d: takes (n, channels, height, width) but gets %s",
                            an__text(*shape).text);
    for (int axis = 0; axis < 2; axis++) {
        const int64_t size = shape->dim[2 + axis], limit = most(o->mode, size);
        if (o->before[axis] < 0 || o->after[axis] < 0 || o->before[axis] > limit ||
            o->after[axis] > limit)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "pad2d: '%s' takes a padding of 0 to %lld for %s, got %lld and "
                                "%lld",
                                mode_names[o->mode], (long long)limit, an__text(*shape).text,
                                (long long)o->before[axis], (long long)o->after[axis]);
        shape->dim[2 + axis] += o->before[axis] + o->after[axis];
        if (!fill_sources(graph, node, axis, size, shape->dim[2 + axis]))
            return false;
    }
    return true;
}

typedef struct pad_pass {
    const int64_t *row, *column;
    const int64_t *in, *out; /* height and width */
    const float *from;
    float *to;
    bool fresh;
} pad_pass;

static pad_pass pad_plan(const an_node *node)
{
    return (pad_pass){.row = node->as.pad.source[0],
                      .column = node->as.pad.source[1],
                      .in = node->inputs[0]->shape.dim + 2,
                      .out = node->output.shape.dim + 2};
}

static void over_planes(an_graph *graph, const an_node *node, an_task task, pad_pass *pass)
{
    const int64_t *dim = node->output.shape.dim;
    an__parallel(graph->context, dim[0] * dim[1], an__row_grain(dim[2] * dim[3]), task, pass);
}

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const pad_pass *pass = arg;
    const int64_t rows = pass->out[0], columns = pass->out[1];
    for (int64_t i = begin * rows; i < end * rows; i++) {
        const int64_t row = pass->row[i % rows];
        const float *x = pass->from + (i / rows * pass->in[0] + row) * pass->in[1];
        for (int64_t j = 0; j < columns; j++)
            pass->to[i * columns + j] = row < 0 || pass->column[j] < 0 ? 0 : x[pass->column[j]];
    }
}

static bool pad_forward(an_graph *graph, an_node *node)
{
    pad_pass pass = pad_plan(node);
    pass.from = node->inputs[0]->data;
    pass.to = node->output.data;
    over_planes(graph, node, forward_task, &pass);
    return true;
}

static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const pad_pass *pass = arg;
    const int64_t rows = pass->out[0], columns = pass->out[1], size = pass->in[0] * pass->in[1];
    if (pass->fresh)
        memset(pass->to + begin * size, 0, (size_t)((end - begin) * size) * sizeof(float));
    for (int64_t i = begin * rows; i < end * rows; i++) {
        const int64_t row = pass->row[i % rows];
        float *dx = pass->to + (i / rows * pass->in[0] + row) * pass->in[1];
        for (int64_t j = 0; row >= 0 && j < columns; j++)
            if (pass->column[j] >= 0)
                dx[pass->column[j]] += pass->from[i * columns + j];
    }
}

static void pad_backward(an_graph *graph, an_node *node)
{
    pad_pass pass = pad_plan(node);
    pass.from = node->output.grad;
    pass.to = an_grad_of(graph, node->inputs[0], &pass.fresh);
    if (pass.to)
        over_planes(graph, node, backward_task, &pass);
}

const an_op an__op_pad2d = {"pad2d", pad_shape, pad_forward, pad_backward};

an_tensor *an_pad2d(an_graph *graph, an_tensor *x, an_pad2d_options options)
{
    return an__record(graph, &an__op_pad2d, &x, 1, &(an_attributes){.pad = {.setting = options}});
}
