/* Operations of the user's own. */
#include "autograd/ops.h"

static bool apply_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const an_operation *operation = node->as.own.operation;
    *shape = node->as.own.shape;
    if (!operation || !operation->forward)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "apply: the operation%s is NULL",
                            operation ? "'s forward" : "");
    if (!operation->backward)
        node->output.requires_grad = false;
    return true;
}

static bool apply_forward(an_graph *graph, an_node *node)
{
    (void)graph;
    node->as.own.operation->forward(&node->output, node->inputs, node->count, node->as.own.user);
    return true;
}

static void apply_backward(an_graph *graph, an_node *node)
{
    node->as.own.operation->backward(graph, &node->output, node->inputs, node->count,
                                     node->as.own.user);
}

const an_op an__op_apply = {"apply", apply_shape, apply_forward, apply_backward};

an_tensor *an_apply(an_graph *graph, const an_operation *operation, an_shape shape,
                    an_tensor *const *inputs, int count, void *user)
{
    an_attributes as = {.own = {.operation = operation, .shape = shape, .user = user}};
    return an__record(graph, &an__op_apply, inputs, count, &as);
}
