/*
 * Losses between two tensors of one shape, value by value: their sum or mean, or all of them. The
 * kernels give sums; a loss that is to stay alone is the sum of one value, and its derivatives,
 * taken all at once, are multiplied by what comes from behind.
 */
#include <string.h>

#include "autograd/ops.h"

/* Weights that repeat with the columns are laid out until at least so many stand in a row. */
enum { TILE = 256 };

static bool value_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const char *op = node->op->name;
    const an_shape x = node->inputs[0]->shape, target = node->inputs[1]->shape;
    *shape = node->as.loss.setting.reduction == AN_REDUCE_NONE ? x : an_shape_0();
    if (!an_shape_equal(x, target) || node->inputs[0]->size == 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: the shapes %s and %s must be equal and not empty", op,
                            an__text(x).text, an__text(target).text);
    return an__loss_check(graph, op, &node->as.loss.setting);
}

/* -------------------------------------------------------- weights of columns */

/* `count` values of `weight`, for `columns` columns: one each, or one for all; NULL: all 1. */
static bool weights_fit(an_graph *graph, const char *what, const float *weight, int64_t count,
                        int64_t columns, bool one)
{
    if (!weight || count == columns || (one && count == 1))
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "bce_with_logits_loss: there are %lld values of %s for %lld columns",
                        (long long)count, what, (long long)columns);
}

/* Lays `length` weights out, which repeat every `columns`. NULL: no memory. */
static const float *tile(an_graph *graph, int64_t length, const float *weight, int64_t count)
{
    float *copy = an__scratch(graph, length, sizeof *copy);
    for (int64_t i = 0; copy && i < length; i++)
        copy[i] = weight ? weight[i % count] : 1.0f;
    return copy;
}

static bool bce_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_loss *s = &node->as.loss.setting;
    if (!value_shape(graph, node, shape))
        return false;
    if (!s->weight && !s->pos_weight)
        return true;
    const an_shape x = node->inputs[0]->shape;
    const int64_t columns = x.ndim > 0 ? x.dim[x.ndim - 1] : 1;
    if (!weights_fit(graph, "weight", s->weight, s->weight_count, columns, false) ||
        !weights_fit(graph, "pos_weight", s->pos_weight, s->pos_weight_count, columns, true))
        return false;
    const int64_t length = columns < TILE ? TILE / columns * columns : columns;
    s->weight = tile(graph, length, s->weight, s->weight_count);
    s->pos_weight = tile(graph, length, s->pos_weight, s->pos_weight_count);
    s->weight_count = s->pos_weight_count = length;
    return s->weight && s->pos_weight;
}

/* ------------------------------------------------------------------ passes */

static an_value_loss which(const an_loss *setting)
{
    switch (setting->kind) {
    case AN_L1_LOSS:
        return AN_VALUE_LOSS_L1;
    case AN_SMOOTH_L1_LOSS:
        return setting->beta > 0 ? AN_VALUE_LOSS_SMOOTH_L1 : AN_VALUE_LOSS_L1;
    case AN_HUBER_LOSS:
        return AN_VALUE_LOSS_HUBER;
    case AN_BCE_WITH_LOGITS_LOSS:
        return AN_VALUE_LOSS_BCE;
    case AN_KL_DIV_LOSS:
        return setting->log_target ? AN_VALUE_LOSS_KL_DIV_LOG : AN_VALUE_LOSS_KL_DIV;
    default:
        return AN_VALUE_LOSS_MSE;
    }
}

/*
 * Work is cut into chunks of `chunk` values, whose totals are added in order; within a chunk into
 * runs of `run` values, the length of the weights.
 */
typedef struct value_pass {
    const an_value_loss_kernel *kernel;
    const float *x, *t, *p, *w;
    float constant, one;
    int64_t size, chunk, run;
    bool each;
    double *totals;
    float *each_loss; /* NULL: they are added up */
    float *d;
    int by;
    float scale;
    bool add;
} value_pass;

static void plan(an_graph *graph, const an_node *node, value_pass *pass)
{
    const an_loss *s = &node->as.loss.setting;
    *pass = (value_pass){
        .kernel = &an__kernels(graph->context)->losses->value[which(s)],
        .x = node->inputs[0]->data,
        .t = node->inputs[1]->data,
        .constant = s->kind == AN_SMOOTH_L1_LOSS ? (float)s->beta
                    : s->kind == AN_HUBER_LOSS   ? (float)s->delta
                                                 : 1.0f,
        .one = 1.0f,
        .size = node->inputs[0]->size,
        .each = s->kind == AN_BCE_WITH_LOGITS_LOSS && s->weight,
    };
    pass->run = pass->each ? s->weight_count : AN_GRAIN;
    pass->chunk = pass->run < AN_GRAIN ? AN_GRAIN / pass->run * pass->run : pass->run;
    pass->p = pass->each ? s->pos_weight : &pass->constant;
    pass->w = pass->each ? s->weight : &pass->one;
}

/* The run that begins at value `at` and ends before `end`. */
static an_loss_run run_at(const value_pass *pass, int64_t at, int64_t end)
{
    return (an_loss_run){
        .n = end - at < pass->run ? end - at : pass->run,
        .x = pass->x + at,
        .t = pass->t + at,
        .p = pass->p,
        .w = pass->w,
        .each = pass->each,
    };
}

/* The losses begin..end-1, one by one. */
static void each_task(void *arg, int64_t begin, int64_t end)
{
    const value_pass *pass = arg;
    for (int64_t i = begin; i < end; i++) {
        an_loss_run run = run_at(pass, i, i + 1);
        const int64_t column = pass->each ? i % pass->run : 0;
        run.p += column;
        run.w += column;
        pass->each_loss[i] = (float)pass->kernel->total(&run);
    }
}

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const value_pass *pass = arg;
    for (int64_t at = begin; at < end; at += pass->run) {
        const an_loss_run run = run_at(pass, at, end);
        double *total = &pass->totals[at / pass->chunk];
        *total += pass->kernel->total(&run);
    }
}

static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const value_pass *pass = arg;
    for (int64_t at = begin; at < end; at += pass->run) {
        const an_loss_run run = run_at(pass, at, end);
        pass->kernel->backward[pass->by](&run, pass->d + at, pass->scale, pass->add);
    }
}

static double divisor(const an_node *node)
{
    const an_tensor *x = node->inputs[0];
    switch (node->as.loss.setting.reduction) {
    case AN_REDUCE_SUM:
    case AN_REDUCE_NONE:
        return 1;
    case AN_REDUCE_BATCHMEAN:
        return x->shape.ndim > 0 ? (double)x->shape.dim[0] : 1;
    case AN_REDUCE_MEAN:
        break;
    }
    return (double)x->size;
}

static bool value_forward(an_graph *graph, an_node *node)
{
    value_pass pass;
    plan(graph, node, &pass);
    if (node->as.loss.setting.reduction == AN_REDUCE_NONE) {
        pass.each_loss = node->output.data;
        an__parallel(graph->context, pass.size, AN_GRAIN, each_task, &pass);
        return true;
    }
    const int64_t chunks = an__divide_up(pass.size, pass.chunk);
    pass.totals = an__scratch(graph, chunks, sizeof(double));
    if (!pass.totals)
        return false;
    memset(pass.totals, 0, (size_t)chunks * sizeof(double));
    an__parallel(graph->context, pass.size, pass.chunk, forward_task, &pass);
    double total = 0;
    for (int64_t i = 0; i < chunks; i++)
        total += pass.totals[i];
    node->output.data[0] = (float)(total / divisor(node));
    return true;
}

/* d (+)= dy times the derivatives, which come in `slope`. */
static void multiply_gradient(an_graph *graph, const an_node *node, float *d, const float *slope,
                              bool add)
{
    const an_binary_kernel *mul = &an__kernels(graph->context)->pointwise->binary[AN_BINARY_MUL];
    const an_run run = {node->output.size, node->output.grad, slope, 1, 1};
    mul->backward[0](&run, d, node->output.grad, add);
}

/* Without a reduction, every value has a gradient of its own. */
static void each_backward(an_graph *graph, an_node *node, value_pass *pass)
{
    pass->scale = 1;
    for (pass->by = 0; pass->by < 2; pass->by++) {
        bool fresh;
        float *d = an_grad_of(graph, node->inputs[pass->by], &fresh);
        pass->d = d ? an__scratch(graph, pass->size, sizeof(float)) : NULL;
        if (!pass->d)
            continue;
        an__parallel(graph->context, pass->size, pass->chunk, backward_task, pass);
        multiply_gradient(graph, node, d, pass->d, !fresh);
    }
}

static void value_backward(an_graph *graph, an_node *node)
{
    value_pass pass;
    plan(graph, node, &pass);
    if (node->as.loss.setting.reduction == AN_REDUCE_NONE) {
        each_backward(graph, node, &pass);
        return;
    }
    pass.scale = (float)((double)node->output.grad[0] / divisor(node));
    for (pass.by = 0; pass.by < 2; pass.by++) {
        bool fresh;
        pass.d = an_grad_of(graph, node->inputs[pass.by], &fresh);
        pass.add = !fresh;
        if (pass.d)
            an__parallel(graph->context, pass.size, pass.chunk, backward_task, &pass);
    }
}

/* ------------------------------------------------------------------- calls */

const an_op an__op_mse_loss = {"mse_loss", value_shape, value_forward, value_backward};
const an_op an__op_l1_loss = {"l1_loss", value_shape, value_forward, value_backward};
const an_op an__op_smooth_l1_loss = {"smooth_l1_loss", value_shape, value_forward, value_backward};
const an_op an__op_huber_loss = {"huber_loss", value_shape, value_forward, value_backward};
const an_op an__op_bce_with_logits_loss = {"bce_with_logits_loss", bce_shape, value_forward,
                                           value_backward};
const an_op an__op_kl_div_loss = {"kl_div_loss", value_shape, value_forward, value_backward};

static const an_op *const ops[] = {
    [AN_MSE_LOSS] = &an__op_mse_loss,
    [AN_L1_LOSS] = &an__op_l1_loss,
    [AN_SMOOTH_L1_LOSS] = &an__op_smooth_l1_loss,
    [AN_HUBER_LOSS] = &an__op_huber_loss,
    [AN_BCE_WITH_LOGITS_LOSS] = &an__op_bce_with_logits_loss,
    [AN_KL_DIV_LOSS] = &an__op_kl_div_loss,
};

an_tensor *an__value_loss(an_graph *graph, an_tensor *x, an_tensor *target, const an_loss *setting)
{
    an_attributes as = {.loss = {.setting = *setting}};
    return an__record(graph, ops[setting->kind], (an_tensor *[]){x, target}, 2, &as);
}

an_tensor *an_mse_loss(an_graph *graph, an_tensor *x, an_tensor *target)
{
    const an_loss setting = an_loss_defaults(AN_MSE_LOSS);
    return an__value_loss(graph, x, target, &setting);
}
