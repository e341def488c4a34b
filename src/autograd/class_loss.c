/*
 * Losses over class labels: nll_loss and cross_entropy, of (..., classes) and a label a row. Both
 * compute the rows' losses, which become one number, or are the result.
 */
#include <string.h>

#include "autograd/ops.h"

/* The setting's weights as a copy in the graph, one for each of `classes`. */
static bool copy_weights(an_graph *graph, const char *op, an_loss *setting, int64_t classes)
{
    if (!setting->weight)
        return true;
    if (setting->weight_count != classes)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: there are %lld weights for %lld classes", op,
                            (long long)setting->weight_count, (long long)classes);
    float *copy = an__scratch(graph, classes, sizeof *copy);
    if (!copy)
        return false;
    memcpy(copy, setting->weight, (size_t)classes * sizeof *copy);
    setting->weight = copy;
    return true;
}

static bool class_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const char *op = node->op->name;
    const an_shape x = node->inputs[0]->shape;
    an_loss *setting = &node->as.loss.setting;
    an_labels *labels = &node->as.loss.labels;
    *shape = setting->reduction == AN_REDUCE_NONE ? an__without_last(x) : an_shape_0();
    if (x.ndim < 2)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: needs (rows, classes) but gets %s", op, an__text(x).text);
    const int64_t classes = x.dim[x.ndim - 1];
    if (classes < 1)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: %s has 0 classes; there must be at least 1", op, an__text(x).text);
    const int64_t rows = node->inputs[0]->size / classes;
    if (rows != labels->count || rows == 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: %s has %lld rows but there are %lld labels; they must be equal "
                            "and at least 1",
                            op, an__text(x).text, (long long)rows, (long long)labels->count);
    return an__loss_check(graph, op, setting) && copy_weights(graph, op, setting, classes) &&
           an__labels_copy(graph, op, "label", labels, classes, setting->ignore_index);
}

/* The weight of row i; 0 where it is ignored. */
static float row_weight(const an_node *node, int64_t i)
{
    const an_loss *setting = &node->as.loss.setting;
    const int32_t label = node->as.loss.labels.data[i];
    if (label == setting->ignore_index)
        return 0;
    return setting->weight ? setting->weight[label] : 1;
}

/* What the sum over the rows is divided by: their weights, for a mean. */
static double divisor(const an_node *node)
{
    const an_loss *setting = &node->as.loss.setting;
    if (setting->reduction != AN_REDUCE_MEAN)
        return 1;
    double total = 0;
    for (int64_t i = 0; i < node->as.loss.labels.count; i++)
        total += (double)row_weight(node, i);
    return total;
}

/* Gives the rows' losses out, or adds them in their order, whatever thread computed them. */
static void reduce(an_node *node, const double *loss)
{
    const int64_t rows = node->as.loss.labels.count;
    const bool keep = node->as.loss.setting.reduction == AN_REDUCE_NONE;
    double total = 0;
    for (int64_t i = 0; i < rows; i++)
        total += loss[i];
    for (int64_t i = 0; keep && i < rows; i++)
        node->output.data[i] = (float)loss[i];
    if (!keep)
        node->output.data[0] = (float)(total / divisor(node));
}

/* What the gradient of row i is multiplied by, where `over` is the divisor. */
static float row_scale(const an_node *node, int64_t i, double over)
{
    const bool each = node->as.loss.setting.reduction == AN_REDUCE_NONE;
    return (float)((double)node->output.grad[each ? i : 0] / over);
}

static int64_t class_count(const an_node *node)
{
    const an_shape shape = node->inputs[0]->shape;
    return shape.dim[shape.ndim - 1];
}

/* ---------------------------------------------------------------- nll_loss */

static bool nll_forward(an_graph *graph, an_node *node)
{
    const an_labels labels = node->as.loss.labels;
    const int64_t classes = class_count(node);
    double *loss = an__scratch(graph, labels.count, sizeof *loss);
    if (!loss)
        return false;
    for (int64_t i = 0; i < labels.count; i++)
        loss[i] = labels.data[i] == node->as.loss.setting.ignore_index
                      ? 0
                      : -(double)row_weight(node, i) *
                            (double)node->inputs[0]->data[i * classes + labels.data[i]];
    reduce(node, loss);
    return true;
}

static void nll_backward(an_graph *graph, an_node *node)
{
    const an_labels labels = node->as.loss.labels;
    const int64_t classes = class_count(node);
    bool fresh;
    float *dx = an_grad_of(graph, node->inputs[0], &fresh);
    if (!dx)
        return;
    if (fresh)
        memset(dx, 0, (size_t)node->inputs[0]->size * sizeof(float));
    const double over = divisor(node);
    for (int64_t i = 0; i < labels.count; i++)
        if (labels.data[i] != node->as.loss.setting.ignore_index)
            dx[i * classes + labels.data[i]] -= row_scale(node, i, over) * row_weight(node, i);
}

const an_op an__op_nll_loss = {"nll_loss", class_shape, nll_forward, nll_backward};

/* ----------------------------------------------------------- cross_entropy */

typedef struct cross_entropy_pass {
    const an_losses_table *kernels;
    an_class_loss setting;
    const float *x;
    float *kept, *dx;
    double *loss;
    const int32_t *label;
    const float *dy; /* of each row, or NULL: then `scale` is for all */
    float scale;
    bool add;
} cross_entropy_pass;

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const cross_entropy_pass *pass = arg;
    const int64_t at = begin * pass->setting.columns;
    pass->kernels->cross_entropy(&pass->setting, end - begin, pass->kept + at, pass->loss + begin,
                                 pass->x + at, pass->label + begin);
}

static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const cross_entropy_pass *pass = arg;
    const int64_t rows = pass->dy ? 1 : end - begin;
    for (int64_t i = begin; i < end; i += rows) {
        const int64_t at = i * pass->setting.columns;
        pass->kernels->cross_entropy_backward(&pass->setting, rows, pass->dx + at, pass->kept + at,
                                              pass->label + i, pass->dy ? pass->dy[i] : pass->scale,
                                              pass->add);
    }
}

static cross_entropy_pass cross_entropy_plan(an_graph *graph, an_node *node)
{
    const an_loss *setting = &node->as.loss.setting;
    const int64_t columns = class_count(node);
    double sum = setting->weight ? 0 : (double)columns;
    for (int64_t i = 0; setting->weight && i < columns; i++)
        sum += (double)setting->weight[i];
    return (cross_entropy_pass){
        .kernels = an__kernels(graph->context)->losses,
        .setting = {columns, setting->ignore_index, setting->weight, sum, setting->label_smoothing},
        .x = node->inputs[0]->data,
        .kept = node->as.loss.kept,
        .label = node->as.loss.labels.data,
    };
}

static bool cross_entropy_forward(an_graph *graph, an_node *node)
{
    const int64_t rows = node->as.loss.labels.count;
    cross_entropy_pass pass = cross_entropy_plan(graph, node);
    pass.kept = an__scratch(graph, node->inputs[0]->size, sizeof(float));
    pass.loss = an__scratch(graph, rows, sizeof(double));
    if (!pass.kept || !pass.loss)
        return false;
    node->as.loss.kept = pass.kept;
    an__parallel(graph->context, rows, an__row_grain(pass.setting.columns), forward_task, &pass);
    reduce(node, pass.loss);
    return true;
}

static bool all_ignored(const an_node *node)
{
    const an_labels labels = node->as.loss.labels;
    int64_t i = 0;
    while (i < labels.count && labels.data[i] == node->as.loss.setting.ignore_index)
        i++;
    return i == labels.count;
}

/* The mean of rows that are all ignored is NaN, but no gradient comes from such rows. */
static void cross_entropy_backward(an_graph *graph, an_node *node)
{
    const int64_t rows = node->as.loss.labels.count;
    cross_entropy_pass pass = cross_entropy_plan(graph, node);
    bool fresh;
    pass.dx = an_grad_of(graph, node->inputs[0], &fresh);
    pass.add = !fresh;
    pass.dy = node->as.loss.setting.reduction == AN_REDUCE_NONE ? node->output.grad : NULL;
    pass.scale = all_ignored(node) ? 0 : row_scale(node, 0, divisor(node));
    if (pass.dx)
        an__parallel(graph->context, rows, an__row_grain(pass.setting.columns), backward_task,
                     &pass);
}

const an_op an__op_cross_entropy = {"cross_entropy", class_shape, cross_entropy_forward,
                                    cross_entropy_backward};

/* ------------------------------------------------------------------- calls */

an_tensor *an__class_loss(an_graph *graph, an_tensor *x, an_labels target, const an_loss *setting)
{
    an_attributes as = {.loss = {.setting = *setting, .labels = target}};
    const an_op *op = setting->kind == AN_NLL_LOSS ? &an__op_nll_loss : &an__op_cross_entropy;
    return an__record(graph, op, &x, 1, &as);
}

an_tensor *an_nll_loss(an_graph *graph, an_tensor *log_probabilities, an_labels target)
{
    const an_loss setting = an_loss_defaults(AN_NLL_LOSS);
    return an__class_loss(graph, log_probabilities, target, &setting);
}

an_tensor *an_cross_entropy(an_graph *graph, an_tensor *logits, an_labels target)
{
    const an_loss setting = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    return an__class_loss(graph, logits, target, &setting);
}
