/* a + b, a - b, a b and a / b with broadcasting. */
#include "autograd/broadcast.h"
#include "autograd/ops.h"

static bool binary_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_shape a = node->inputs[0]->shape, b = node->inputs[1]->shape;
    if (an_shape_broadcast(a, b, shape))
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "%s: %s and %s do not broadcast: dimensions align from the right and must "
                        "be equal or 1",
                        node->op->name, an__text(a).text, an__text(b).text);
}

/* One pass over the output's elements: forward into y, or (dx set) the gradient of one operand. */
typedef struct binary_pass {
    an_broadcast plan;
    const an_binary_kernel *kernel;
    const float *operand[2];
    float *y, *dx;
    const float *dy;
    int which;
    bool add;
} binary_pass;

static void run_pass(const binary_pass *pass, const an_run *run, int64_t at)
{
    if (pass->dx)
        pass->kernel->backward[pass->which](run, pass->dx + at, pass->dy + at, pass->add);
    else
        pass->kernel->forward(run, pass->y + at);
}

/* Elements begin..end-1 of a pass in which the operands' values all lie in one run. */
static void flat_task(void *arg, int64_t begin, int64_t end)
{
    const binary_pass *pass = arg;
    const int64_t *step[2] = {pass->plan.stride[0], pass->plan.stride[1]};
    an_run run = {.n = end - begin,
                  .a = pass->operand[0] + begin * *step[0],
                  .b = pass->operand[1] + begin * *step[1],
                  .step_a = (int)*step[0],
                  .step_b = (int)*step[1]};
    run_pass(pass, &run, begin);
}

static void runs_task(void *arg, int64_t begin, int64_t end)
{
    const binary_pass *pass = arg;
    const int last = pass->plan.ndim - 1;
    an_run run = {.n = pass->plan.dim[last],
                  .step_a = pass->plan.stride[0][last] != 0,
                  .step_b = pass->plan.stride[1][last] != 0};
    for (int64_t i = begin; i < end; i++) {
        int64_t offset[2];
        an__broadcast_at(&pass->plan, last, i, offset);
        run.a = pass->operand[0] + offset[0];
        run.b = pass->operand[1] + offset[1];
        run_pass(pass, &run, i * run.n);
    }
}

static void binary_go(an_graph *graph, binary_pass *pass)
{
    const int last = pass->plan.ndim - 1;
    if (last == 0)
        an__parallel(graph->context, pass->plan.dim[0], AN_GRAIN, flat_task, pass);
    else
        an__parallel(graph->context, an__broadcast_runs(&pass->plan),
                     an__row_grain(pass->plan.dim[last]), runs_task, pass);
}

static binary_pass binary_plan(an_graph *graph, an_node *node)
{
    const an_tensor *a = node->inputs[0], *b = node->inputs[1];
    return (binary_pass){
        .plan = an__broadcast(a->shape, b->shape, node->output.shape),
        .kernel = &an__kernels(graph->context)->pointwise->binary[node->as.binary],
        .operand = {a->data, b->data},
        .y = node->output.data,
        .dy = node->output.grad,
    };
}

static bool binary_forward(an_graph *graph, an_node *node)
{
    binary_pass pass = binary_plan(graph, node);
    binary_go(graph, &pass);
    return true;
}

/*
 * The gradient of an operand that repeats: its value at every output element, then the sum over the
 * repetitions. Sums and differences need no first step; the last operand takes it in place of dy.
 */
static void repeated_gradient(an_graph *graph, an_node *node, binary_pass *pass, float *dx,
                              bool add, bool last)
{
    const bool linear = node->as.binary == AN_BINARY_ADD || node->as.binary == AN_BINARY_SUB;
    const double sign = node->as.binary == AN_BINARY_SUB && pass->which == 1 ? -1.0 : 1.0;
    if (!linear) {
        pass->dx = last ? node->output.grad : an__scratch(graph, node->output.size, sizeof(float));
        pass->add = false;
        if (!pass->dx)
            return;
        binary_go(graph, pass);
    }
    an__broadcast_sum(graph, &pass->plan, pass->which, dx, linear ? pass->dy : pass->dx, sign, add);
}

static void binary_backward(an_graph *graph, an_node *node)
{
    binary_pass pass = binary_plan(graph, node);
    for (int i = 0; i < 2; i++) {
        const bool last = i == 1 || !node->inputs[1]->requires_grad;
        const bool repeats = an__broadcast_repeats(&pass.plan, i);
        bool fresh;
        float *dx = last && !repeats ? an__grad_handed_on(graph, node, node->inputs[i], &fresh)
                                     : an_grad_of(graph, node->inputs[i], &fresh);
        if (!dx)
            continue;
        pass.which = i;
        pass.add = !fresh;
        pass.dx = dx;
        if (repeats)
            repeated_gradient(graph, node, &pass, dx, !fresh, last);
        else if (dx != pass.dy || node->as.binary != AN_BINARY_ADD)
            binary_go(graph, &pass);
    }
}

static an_tensor *binary(an_graph *graph, const an_op *op, an_binary map, an_tensor *a,
                         an_tensor *b)
{
    return an__record(graph, op, (an_tensor *[]){a, b}, 2, &(an_attributes){.binary = map});
}

const an_op an__op_add = {"add", binary_shape, binary_forward, binary_backward};
const an_op an__op_sub = {"sub", binary_shape, binary_forward, binary_backward};
const an_op an__op_mul = {"mul", binary_shape, binary_forward, binary_backward};
const an_op an__op_div = {"div", binary_shape, binary_forward, binary_backward};

an_tensor *an_add(an_graph *graph, an_tensor *a, an_tensor *b)
{
    return binary(graph, &an__op_add, AN_BINARY_ADD, a, b);
}

an_tensor *an_sub(an_graph *graph, an_tensor *a, an_tensor *b)
{
    return binary(graph, &an__op_sub, AN_BINARY_SUB, a, b);
}

an_tensor *an_mul(an_graph *graph, an_tensor *a, an_tensor *b)
{
    return binary(graph, &an__op_mul, AN_BINARY_MUL, a, b);
}

an_tensor *an_div(an_graph *graph, an_tensor *a, an_tensor *b)
{
    return binary(graph, &an__op_div, AN_BINARY_DIV, a, b);
}
