/* The graph: recording operations and walking them back. */
#include "autograd/graph.h"

#include <string.h>

#include "autograd/ops.h"

an_graph *an_graph_new(an_context *context, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(context);
    an_graph *graph = an_alloc(allocator, 1, sizeof *graph, err);
    if (!graph)
        return NULL;
    graph->context = context;
    graph->recording = true;
    graph->poison.shape = an_shape_1(0);
    an_arena_init(&graph->arena, *allocator);
    return graph;
}

void an_graph_free(an_graph *graph)
{
    if (!graph)
        return;
    an_arena_free(&graph->arena);
    an_release(an_context_allocator(graph->context), graph, 1, sizeof *graph);
}

bool an_graph_error(const an_graph *graph, an_error *err)
{
    if (graph->error.code == AN_ERROR_OK)
        return false;
    if (err)
        *err = graph->error;
    return true;
}

bool an_graph_reset(an_graph *graph, an_error *err)
{
    bool failed = an_graph_error(graph, err);
    an_arena_reset(&graph->arena);
    graph->newest = NULL;
    graph->spare = NULL;
    graph->walked = false;
    graph->error.code = AN_ERROR_OK;
    return !failed;
}

bool an_graph_set_grad(an_graph *graph, bool enabled)
{
    bool was = graph->recording;
    graph->recording = enabled;
    return was;
}

bool an_graph_grad(const an_graph *graph)
{
    return graph->recording;
}

an_context *an_graph_context(const an_graph *graph)
{
    return graph->context;
}

size_t an_graph_peak_bytes(const an_graph *graph)
{
    return graph->arena.peak;
}

an_error *an__failure(an_graph *graph)
{
    return graph->error.code == AN_ERROR_OK ? &graph->error : NULL;
}

void *an__scratch(an_graph *graph, int64_t count, size_t size)
{
    void *memory = NULL;
    if ((uint64_t)count <= SIZE_MAX / 2 / size)
        memory = an_arena_alloc(&graph->arena, count > 0 ? (size_t)count * size : 1);
    if (!memory)
        an_error_set(an__failure(graph), AN_ERROR_MEMORY,
                     "memory ran out: the step's graph needs %lld more values of %zu bytes; "
                     "a smaller batch needs less",
                     (long long)count, size);
    return memory;
}

an_shape_text an__text(an_shape shape)
{
    an_shape_text text;
    an_shape_print(text.text, sizeof text.text, shape);
    return text;
}

/* --------------------------------------------------------------- recording */

bool an__input_fits(an_graph *graph, const char *op, int index, const an_tensor *input)
{
    an_error *err = an__failure(graph);
    if (!input)
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: operand %d is NULL", op, index + 1);
    if (an__poisoned(input))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: operand %d is the result of an operation that failed in another "
                            "graph or before the last reset",
                            op, index + 1);
    if (!input->data && input->size > 0)
        return an_error_set(err, AN_ERROR_STATE,
                            "%s: operand %d is a parameter without values; call an_params_build "
                            "before using it",
                            op, index + 1);
    if (input->node && input->node->graph != graph)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: operand %d belongs to another graph; an_tensor_keep carries "
                            "values over",
                            op, index + 1);
    return true;
}

static an_node *node_new(an_graph *graph, const an_op *op, an_tensor *const *inputs, int count,
                         const an_attributes *as)
{
    if (count < 0 || (count > 0 && !inputs)) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "%s: the operands are NULL", op->name);
        return NULL;
    }
    size_t size = sizeof(an_node) + (size_t)count * sizeof(an_tensor *);
    an_node *node = an__scratch(graph, 1, size);
    if (!node)
        return NULL;
    memset(node, 0, size);
    node->op = op;
    node->graph = graph;
    node->count = count;
    if (as)
        node->as = *as;
    for (int i = 0; i < count; i++) {
        if (!an__input_fits(graph, op->name, i, inputs[i]))
            return NULL;
        node->inputs[i] = inputs[i];
        node->output.requires_grad |= graph->recording && inputs[i]->requires_grad;
    }
    return node;
}

/* Checks `shape` and gives the tensor that shape and, unless it shares some, memory. */
static bool tensor_fill(an_graph *graph, const char *op, an_tensor *tensor, an_shape shape)
{
    tensor->shape = shape;
    tensor->size = an_shape_size(shape);
    if (tensor->size < 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: a tensor of shape %s cannot be made: every dimension must be at "
                            "least 0, their product at most 2^60 and their number at most %d",
                            op, an__text(shape).text, AN_MAX_DIMS);
    if (!tensor->data)
        tensor->data = an__scratch(graph, tensor->size, sizeof(float));
    return tensor->data != NULL;
}

an_tensor *an__record(an_graph *graph, const an_op *op, an_tensor *const *inputs, int count,
                      const an_attributes *as)
{
    an_shape shape = {0};
    an_node *node = node_new(graph, op, inputs, count, as);
    if (!node || !op->shape(graph, node, &shape) ||
        !tensor_fill(graph, op->name, &node->output, shape) || !op->forward(graph, node))
        return &graph->poison;
    if (node->output.requires_grad) {
        node->output.node = node;
        node->previous = graph->newest;
        graph->newest = node;
    }
    return &node->output;
}

an_tensor *an__leaf(an_graph *graph, const char *op, an_shape shape)
{
    an_tensor *tensor = an__scratch(graph, 1, sizeof *tensor);
    if (!tensor)
        return &graph->poison;
    memset(tensor, 0, sizeof *tensor);
    return tensor_fill(graph, op, tensor, shape) ? tensor : &graph->poison;
}

/* ----------------------------------------------------------------- walking */

static size_t spare_size(int64_t count)
{
    const size_t bytes = (size_t)count * sizeof(float);
    return bytes > 0 ? (bytes + AN_SPARE - 1) / AN_SPARE * AN_SPARE : AN_SPARE;
}

static void spare_put(an_graph *graph, void *memory, size_t size)
{
    an_spare *spare = memory, **place = &graph->spare;
    while (*place && (*place)->size > size)
        place = &(*place)->next;
    *spare = (an_spare){*place, size};
    *place = spare;
}

/* The smallest spare memory that holds `count` floats, what is too much cut off; NULL: none. */
static float *spare_take(an_graph *graph, int64_t count)
{
    an_spare **place = &graph->spare;
    if (!*place || (uint64_t)count > SIZE_MAX / 8 || (*place)->size < spare_size(count))
        return NULL;
    const size_t size = spare_size(count);
    while ((*place)->next && (*place)->next->size >= size)
        place = &(*place)->next;
    an_spare *spare = *place;
    const size_t rest = spare->size - size;
    *place = spare->next;
    if (rest > 0)
        spare_put(graph, (char *)spare + size, rest);
    return (float *)(void *)spare;
}

/* The gradient of a node's output has been passed on: its memory is spare, unless an input has it.
 */
static void release_gradient(an_graph *graph, an_node *node)
{
    float *grad = node->output.grad;
    node->output.has_grad = false;
    node->output.grad = NULL;
    for (int i = 0; i < node->count; i++)
        if (node->inputs[i]->grad == grad)
            return;
    spare_put(graph, grad, spare_size(node->output.size));
}

float *an_grad_of(an_graph *graph, an_tensor *input, bool *fresh)
{
    *fresh = false;
    if (!input->requires_grad)
        return NULL;
    if (!input->grad)
        input->grad = spare_take(graph, input->size);
    if (!input->grad)
        input->grad = an__scratch(graph, input->size, sizeof(float));
    if (!input->grad)
        return NULL;
    *fresh = !input->has_grad;
    input->has_grad = true;
    return input->grad;
}

float *an__grad_handed_on(an_graph *graph, an_node *node, an_tensor *input, bool *fresh)
{
    if (input->requires_grad && input->node && !input->has_grad) {
        input->grad = node->output.grad;
        input->has_grad = true;
        *fresh = true;
        return input->grad;
    }
    return an_grad_of(graph, input, fresh);
}

static bool loss_fits(an_graph *graph, const an_tensor *loss, an_error *err)
{
    if (graph->walked)
        return an_error_set(err, AN_ERROR_STATE,
                            "backward: this graph has been walked already; reset it and compute "
                            "the loss again");
    if (!loss || an__poisoned(loss))
        return an_error_set(err, AN_ERROR_ARGUMENT, "backward: the loss is %s",
                            loss ? "the result of a failed operation" : "NULL");
    if (loss->size != 1)
        return an_error_set(err, AN_ERROR_SHAPE,
                            "backward: the loss must be a scalar but has shape %s; take its mean "
                            "or sum",
                            an__text(loss->shape).text);
    if (loss->node && loss->node->graph != graph)
        return an_error_set(err, AN_ERROR_ARGUMENT, "backward: the loss is of another graph");
    if (!loss->requires_grad)
        return an_error_set(err, AN_ERROR_ARGUMENT, "backward: the loss depends on no parameter%s",
                            graph->recording ? "" : "; recording is off (an_graph_set_grad)");
    return true;
}

bool an_backward(an_graph *graph, an_tensor *loss, an_error *err)
{
    if (an_graph_error(graph, err) || !loss_fits(graph, loss, err))
        return false;
    bool fresh;
    float *seed = an_grad_of(graph, loss, &fresh);
    if (seed)
        *seed = fresh ? 1.0f : *seed + 1.0f;
    graph->walked = true;
    for (an_node *node = graph->newest; node; node = node->previous) {
        if (!node->output.has_grad)
            continue;
        node->op->backward(graph, node);
        release_gradient(graph, node);
        if (graph->error.code != AN_ERROR_OK)
            break;
    }
    return !an_graph_error(graph, err);
}
