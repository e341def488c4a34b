/* Maps of one value: affine, exp, log, sqrt, abs, pow, and the activations. */
#include "autograd/ops.h"

static bool unary_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    (void)graph;
    *shape = node->inputs[0]->shape;
    return true;
}

typedef struct unary_pass {
    const an_unary_kernel *kernel;
    const float *x, *y, *dy;
    float *out; /* y forward, dx backward */
    float p, q;
    bool add;
} unary_pass;

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const unary_pass *pass = arg;
    pass->kernel->forward(end - begin, pass->out + begin, pass->x + begin, pass->p, pass->q);
}

static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const unary_pass *pass = arg;
    pass->kernel->backward(end - begin, pass->out + begin, pass->dy + begin, pass->x + begin,
                           pass->y + begin, pass->p, pass->q, pass->add);
}

static unary_pass unary_plan(an_graph *graph, an_node *node)
{
    return (unary_pass){
        .kernel = &an__kernels(graph->context)->pointwise->unary[node->as.unary.map],
        .x = node->inputs[0]->data,
        .y = node->output.data,
        .dy = node->output.grad,
        .p = node->as.unary.p,
        .q = node->as.unary.q,
    };
}

static bool unary_forward(an_graph *graph, an_node *node)
{
    unary_pass pass = unary_plan(graph, node);
    pass.out = node->output.data;
    an__parallel(graph->context, node->output.size, AN_GRAIN, forward_task, &pass);
    return true;
}

static void unary_backward(an_graph *graph, an_node *node)
{
    unary_pass pass = unary_plan(graph, node);
    bool fresh;
    pass.out = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    pass.add = !fresh;
    if (pass.out)
        an__parallel(graph->context, node->output.size, AN_GRAIN, backward_task, &pass);
}

void an__grad_copy(an_graph *graph, int64_t count, float *dx, const float *dy, float scale,
                   bool fresh)
{
    if (dx == dy && scale == 1.0f)
        return;
    unary_pass pass = {
        .kernel = &an__kernels(graph->context)->pointwise->unary[AN_UNARY_AFFINE],
        .x = dy,
        .y = dy,
        .dy = dy,
        .out = dx,
        .p = scale,
        .add = !fresh,
    };
    an__parallel(graph->context, count, AN_GRAIN, backward_task, &pass);
}

static an_tensor *unary(an_graph *graph, const an_op *op, an_unary map, an_tensor *x, double p,
                        double q)
{
    an_attributes as = {.unary = {.map = map, .p = (float)p, .q = (float)q}};
    return an__record(graph, op, &x, 1, &as);
}

const an_op an__op_affine = {"affine", unary_shape, unary_forward, unary_backward};
const an_op an__op_neg = {"neg", unary_shape, unary_forward, unary_backward};
const an_op an__op_exp = {"exp", unary_shape, unary_forward, unary_backward};
const an_op an__op_log = {"log", unary_shape, unary_forward, unary_backward};
const an_op an__op_sqrt = {"sqrt", unary_shape, unary_forward, unary_backward};
const an_op an__op_abs = {"abs", unary_shape, unary_forward, unary_backward};
const an_op an__op_pow = {"pow", unary_shape, unary_forward, unary_backward};
const an_op an__op_relu = {"relu", unary_shape, unary_forward, unary_backward};
const an_op an__op_tanh = {"tanh", unary_shape, unary_forward, unary_backward};
const an_op an__op_sigmoid = {"sigmoid", unary_shape, unary_forward, unary_backward};
const an_op an__op_gelu = {"gelu", unary_shape, unary_forward, unary_backward};
const an_op an__op_gelu_tanh = {"gelu_tanh", unary_shape, unary_forward, unary_backward};
const an_op an__op_silu = {"silu", unary_shape, unary_forward, unary_backward};
const an_op an__op_leaky_relu = {"leaky_relu", unary_shape, unary_forward, unary_backward};
const an_op an__op_elu = {"elu", unary_shape, unary_forward, unary_backward};
const an_op an__op_softplus = {"softplus", unary_shape, unary_forward, unary_backward};

an_tensor *an_affine(an_graph *graph, an_tensor *x, double a, double b)
{
    return unary(graph, &an__op_affine, AN_UNARY_AFFINE, x, a, b);
}

an_tensor *an_neg(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_neg, AN_UNARY_AFFINE, x, -1.0, 0.0);
}

an_tensor *an_exp(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_exp, AN_UNARY_EXP, x, 0.0, 0.0);
}

an_tensor *an_log(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_log, AN_UNARY_LOG, x, 0.0, 0.0);
}

an_tensor *an_sqrt(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_sqrt, AN_UNARY_SQRT, x, 0.0, 0.0);
}

an_tensor *an_abs(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_abs, AN_UNARY_ABS, x, 0.0, 0.0);
}

an_tensor *an_pow(an_graph *graph, an_tensor *x, double power)
{
    an_unary map = power == 2.0 ? AN_UNARY_SQUARE : AN_UNARY_POW;
    return unary(graph, &an__op_pow, map, x, power, 0.0);
}

an_tensor *an_relu(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_relu, AN_UNARY_RELU, x, 0.0, 0.0);
}

an_tensor *an_tanh(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_tanh, AN_UNARY_TANH, x, 0.0, 0.0);
}

an_tensor *an_sigmoid(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_sigmoid, AN_UNARY_SIGMOID, x, 0.0, 0.0);
}

an_tensor *an_gelu(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_gelu, AN_UNARY_GELU, x, 0.0, 0.0);
}

an_tensor *an_gelu_tanh(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_gelu_tanh, AN_UNARY_GELU_TANH, x, 0.0, 0.0);
}

an_tensor *an_silu(an_graph *graph, an_tensor *x)
{
    return unary(graph, &an__op_silu, AN_UNARY_SILU, x, 0.0, 0.0);
}

an_tensor *an_leaky_relu(an_graph *graph, an_tensor *x, double slope)
{
    return unary(graph, &an__op_leaky_relu, AN_UNARY_LEAKY_RELU, x, slope, 0.0);
}

an_tensor *an_elu(an_graph *graph, an_tensor *x, double alpha)
{
    return unary(graph, &an__op_elu, AN_UNARY_ELU, x, alpha, 0.0);
}

an_tensor *an_softplus(an_graph *graph, an_tensor *x, double beta, double threshold)
{
    return unary(graph, &an__op_softplus, AN_UNARY_SOFTPLUS, x, beta, threshold);
}
