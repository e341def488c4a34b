/* Tensors that no operation made, and the value of a scalar. */
#include <math.h>
#include <string.h>

#include "autograd/graph.h"

an_tensor *an_empty(an_graph *graph, an_shape shape)
{
    return an__leaf(graph, "empty", shape);
}

static an_tensor *copied(an_graph *graph, const char *op, const float *values, an_shape shape)
{
    an_tensor *tensor = an__leaf(graph, op, shape);
    if (an__poisoned(tensor) || tensor->size == 0)
        return tensor;
    if (!values) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "%s: the values are NULL", op);
        return &graph->poison;
    }
    memcpy(tensor->data, values, (size_t)tensor->size * sizeof(float));
    return tensor;
}

an_tensor *an_from(an_graph *graph, const float *values, an_shape shape)
{
    return copied(graph, "from", values, shape);
}

an_tensor *an_full(an_graph *graph, an_shape shape, float value)
{
    an_tensor *tensor = an__leaf(graph, "full", shape);
    for (int64_t i = 0; i < tensor->size; i++)
        tensor->data[i] = value;
    return tensor;
}

an_tensor *an_scalar(an_graph *graph, float value)
{
    return an_full(graph, an_shape_0(), value);
}

an_tensor *an_leaf(an_graph *graph, const float *values, an_shape shape)
{
    an_tensor *tensor = copied(graph, "leaf", values, shape);
    if (!an__poisoned(tensor))
        tensor->requires_grad = true;
    return tensor;
}

an_tensor *an_detach(an_graph *graph, an_tensor *x)
{
    if (!x || an__poisoned(x)) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "detach: the operand is %s",
                     x ? "the result of a failed operation" : "NULL");
        return &graph->poison;
    }
    an_tensor *tensor = an__scratch(graph, 1, sizeof *tensor);
    if (!tensor)
        return &graph->poison;
    *tensor = (an_tensor){.shape = x->shape, .size = x->size, .data = x->data};
    return tensor;
}

double an_item(const an_tensor *tensor)
{
    return tensor && tensor->size == 1 && tensor->data ? (double)tensor->data[0] : (double)NAN;
}
