/* Losses: nll_loss, cross_entropy, mse_loss; and the count of correct predictions. */
#include <string.h>

#include "autograd/ops.h"

bool an__labels_copy(an_graph *graph, const char *op, const char *what, an_labels *labels,
                     int64_t limit)
{
    an_error *err = an__failure(graph);
    if (labels->count < 0 || (labels->count > 0 && !labels->data))
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: the pointer to each row's %s is NULL", op,
                            what);
    int32_t *copy = an__scratch(graph, labels->count, sizeof *copy);
    if (!copy)
        return false;
    for (int64_t i = 0; i < labels->count; i++) {
        copy[i] = labels->data[i];
        if (copy[i] < 0 || copy[i] >= limit)
            return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s %d of row %lld is outside 0..%lld",
                                op, what, copy[i], (long long)i, (long long)limit - 1);
    }
    labels->data = copy;
    return true;
}

/* The rule of both losses over classes: (n, classes) and n labels give a scalar. */
static bool classes_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const char *op = node->op->name;
    const an_shape x = node->inputs[0]->shape;
    an_labels *labels = &node->as.rows.labels;
    *shape = an_shape_0();
    if (x.ndim != 2)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: needs (rows, classes) but gets %s", op, an__text(x).text);
    if (x.dim[0] != labels->count || x.dim[0] == 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: %s has %lld rows but there are %lld labels; they must be equal "
                            "and at least 1",
                            op, an__text(x).text, (long long)x.dim[0], (long long)labels->count);
    return an__labels_copy(graph, op, "label", labels, x.dim[1]);
}

/* ---------------------------------------------------------------- nll_loss */

static bool nll_forward(an_graph *graph, an_node *node)
{
    (void)graph;
    const an_labels labels = node->as.rows.labels;
    const int64_t classes = node->inputs[0]->shape.dim[1];
    double total = 0;
    for (int64_t i = 0; i < labels.count; i++)
        total -= (double)node->inputs[0]->data[i * classes + labels.data[i]];
    node->output.data[0] = (float)(total / (double)labels.count);
    return true;
}

static void nll_backward(an_graph *graph, an_node *node)
{
    const an_labels labels = node->as.rows.labels;
    const int64_t classes = node->inputs[0]->shape.dim[1];
    bool fresh;
    float *dx = an_grad_of(graph, node->inputs[0], &fresh);
    if (!dx)
        return;
    if (fresh)
        memset(dx, 0, (size_t)node->inputs[0]->size * sizeof(float));
    const float step = node->output.grad[0] / (float)labels.count;
    for (int64_t i = 0; i < labels.count; i++)
        dx[i * classes + labels.data[i]] -= step;
}

const an_op an__op_nll_loss = {"nll_loss", classes_shape, nll_forward, nll_backward};

an_tensor *an_nll_loss(an_graph *graph, an_tensor *log_probabilities, an_labels target)
{
    return an__record(graph, &an__op_nll_loss, &log_probabilities, 1,
                      &(an_attributes){.rows = {target, NULL}});
}

/* ----------------------------------------------------------- cross_entropy */

typedef struct cross_entropy_pass {
    const an_rows_table *kernels;
    int64_t classes;
    const float *x;
    float *probabilities, *dx;
    double *loss;
    const int32_t *label;
    float scale;
    bool add;
} cross_entropy_pass;

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const cross_entropy_pass *pass = arg;
    const int64_t at = begin * pass->classes;
    pass->kernels->cross_entropy(end - begin, pass->classes, pass->probabilities + at,
                                 pass->loss + begin, pass->x + at, pass->label + begin);
}

static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const cross_entropy_pass *pass = arg;
    const int64_t at = begin * pass->classes;
    pass->kernels->cross_entropy_backward(end - begin, pass->classes, pass->dx + at,
                                          pass->probabilities + at, pass->label + begin,
                                          pass->scale, pass->add);
}

static cross_entropy_pass cross_entropy_plan(an_graph *graph, an_node *node)
{
    return (cross_entropy_pass){
        .kernels = an__kernels(graph->context)->rows,
        .classes = node->inputs[0]->shape.dim[1],
        .x = node->inputs[0]->data,
        .probabilities = node->as.rows.probabilities,
        .label = node->as.rows.labels.data,
    };
}

/* The rows' losses are added in their order, whatever thread computed them. */
static bool cross_entropy_forward(an_graph *graph, an_node *node)
{
    const int64_t rows = node->as.rows.labels.count;
    cross_entropy_pass pass = cross_entropy_plan(graph, node);
    pass.probabilities = an__scratch(graph, node->inputs[0]->size, sizeof(float));
    pass.loss = an__scratch(graph, rows, sizeof(double));
    if (!pass.probabilities || !pass.loss)
        return false;
    node->as.rows.probabilities = pass.probabilities;
    an__parallel(graph->context, rows, an__row_grain(pass.classes), forward_task, &pass);
    double total = 0;
    for (int64_t i = 0; i < rows; i++)
        total += pass.loss[i];
    node->output.data[0] = (float)(total / (double)rows);
    return true;
}

static void cross_entropy_backward(an_graph *graph, an_node *node)
{
    const int64_t rows = node->as.rows.labels.count;
    cross_entropy_pass pass = cross_entropy_plan(graph, node);
    bool fresh;
    pass.dx = an_grad_of(graph, node->inputs[0], &fresh);
    pass.add = !fresh;
    pass.scale = node->output.grad[0] / (float)rows;
    if (pass.dx)
        an__parallel(graph->context, rows, an__row_grain(pass.classes), backward_task, &pass);
}

const an_op an__op_cross_entropy = {"cross_entropy", classes_shape, cross_entropy_forward,
                                    cross_entropy_backward};

an_tensor *an_cross_entropy(an_graph *graph, an_tensor *logits, an_labels target)
{
    return an__record(graph, &an__op_cross_entropy, &logits, 1,
                      &(an_attributes){.rows = {target, NULL}});
}

/* ---------------------------------------------------------------- mse_loss */

static bool mse_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const an_shape x = node->inputs[0]->shape, target = node->inputs[1]->shape;
    *shape = an_shape_0();
    if (an_shape_equal(x, target) && node->inputs[0]->size > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "mse_loss: the shapes %s and %s must be equal and not empty",
                        an__text(x).text, an__text(target).text);
}

static bool mse_forward(an_graph *graph, an_node *node)
{
    const an_tensor *x = node->inputs[0], *target = node->inputs[1];
    const double total =
        an__kernels(graph->context)->rows->square_distance(x->size, x->data, target->data);
    node->output.data[0] = (float)(total / (double)x->size);
    return true;
}

static void mse_backward(an_graph *graph, an_node *node)
{
    const an_pointwise_table *kernels = an__kernels(graph->context)->pointwise;
    const int64_t size = node->inputs[0]->size;
    const float scale = (float)(2.0 * (double)node->output.grad[0] / (double)size);
    for (int i = 0; i < 2; i++) {
        bool fresh;
        float *dx = an_grad_of(graph, node->inputs[i], &fresh);
        if (dx)
            kernels->difference(size, dx, node->inputs[i]->data, node->inputs[1 - i]->data, scale,
                                !fresh);
    }
}

const an_op an__op_mse_loss = {"mse_loss", mse_shape, mse_forward, mse_backward};

an_tensor *an_mse_loss(an_graph *graph, an_tensor *x, an_tensor *target)
{
    return an__record(graph, &an__op_mse_loss, (an_tensor *[]){x, target}, 2, NULL);
}

/* ---------------------------------------------------------- correct answers */

/* True where the first maximum of `row` is at `label`; a NaN in the row makes it false. */
static bool first_maximum_at(const float *row, int64_t classes, int32_t label)
{
    if (label < 0 || label >= classes)
        return false;
    bool first = true;
    for (int64_t i = 0; i < label; i++)
        first = first && row[i] < row[label];
    for (int64_t i = label; i < classes; i++)
        first = first && row[i] <= row[label];
    return first;
}

int64_t an_count_correct(const an_tensor *logits, an_labels target)
{
    if (!logits || logits->shape.ndim != 2 || logits->shape.dim[0] != target.count)
        return -1;
    const int64_t classes = logits->shape.dim[1];
    int64_t correct = 0;
    for (int64_t i = 0; i < target.count; i++)
        correct += first_maximum_at(logits->data + i * classes, classes, target.data[i]);
    return correct;
}
