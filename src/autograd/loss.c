/* Losses with their settings, whatever they compare with; and the count of correct predictions. */
#include <math.h>
#include <string.h>

#include "autograd/ops.h"

an_loss an_loss_defaults(an_loss_kind kind)
{
    return (an_loss){.kind = kind, .ignore_index = -100, .beta = 1, .delta = 1};
}

static bool check_range(an_graph *graph, const char *op, const char *what, double value, bool fits,
                        const char *range)
{
    return fits || an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "%s: %s must be %s, got %g",
                                op, what, range, value);
}

static bool check_weights(an_graph *graph, const char *op, const float *weight, int64_t count)
{
    for (int64_t i = 0; weight && i < count; i++)
        if (!(weight[i] >= 0 && isfinite(weight[i])))
            return check_range(graph, op, "a weight", (double)weight[i], false,
                               "a number of at least 0");
    return true;
}

bool an__loss_check(an_graph *graph, const char *op, const an_loss *s)
{
    if ((unsigned)s->reduction > AN_REDUCE_NONE)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "%s: there is no reduction %d",
                            op, (int)s->reduction);
    if (s->reduction == AN_REDUCE_BATCHMEAN && s->kind != AN_KL_DIV_LOSS)
        return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                            "%s: the reduction batchmean is for kl_div_loss alone", op);
    switch (s->kind) {
    case AN_CROSS_ENTROPY_LOSS:
        return check_range(graph, op, "label_smoothing", s->label_smoothing,
                           s->label_smoothing >= 0 && s->label_smoothing <= 1, "from 0 to 1") &&
               check_weights(graph, op, s->weight, s->weight_count);
    case AN_NLL_LOSS:
        return check_weights(graph, op, s->weight, s->weight_count);
    case AN_SMOOTH_L1_LOSS:
        return check_range(graph, op, "beta", s->beta, s->beta >= 0, "at least 0");
    case AN_HUBER_LOSS:
        return check_range(graph, op, "delta", s->delta, s->delta > 0, "above 0");
    case AN_BCE_WITH_LOGITS_LOSS:
        return check_weights(graph, op, s->weight, s->weight_count) &&
               check_weights(graph, op, s->pos_weight, s->pos_weight_count);
    case AN_MSE_LOSS:
    case AN_L1_LOSS:
    case AN_KL_DIV_LOSS:
        break;
    }
    return true;
}

bool an__labels_copy(an_graph *graph, const char *op, const char *what, an_labels *labels,
                     int64_t limit, int64_t allowed)
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
        if ((copy[i] < 0 || copy[i] >= limit) && copy[i] != allowed)
            return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s %d of row %lld is outside 0..%lld",
                                op, what, copy[i], (long long)i, (long long)limit - 1);
    }
    labels->data = copy;
    return true;
}

/* ---------------------------------------------------------- against labels */

static const char *const names[] = {
    [AN_CROSS_ENTROPY_LOSS] = "cross_entropy",
    [AN_NLL_LOSS] = "nll_loss",
    [AN_MSE_LOSS] = "mse_loss",
    [AN_L1_LOSS] = "l1_loss",
    [AN_SMOOTH_L1_LOSS] = "smooth_l1_loss",
    [AN_HUBER_LOSS] = "huber_loss",
    [AN_BCE_WITH_LOGITS_LOSS] = "bce_with_logits_loss",
    [AN_KL_DIV_LOSS] = "kl_div_loss",
};

/* Labels as rows with a 1 at each, or, for `binary`, as a column of 0 and 1. */
static an_tensor *label_rows(an_graph *graph, const char *op, an_shape shape, an_labels target,
                             bool binary)
{
    const int64_t classes = shape.dim[shape.ndim - 1], limit = binary ? 2 : classes;
    an_tensor *rows = an_full(graph, shape, 0);
    if (an__poisoned(rows) || !an__labels_copy(graph, op, "label", &target, limit, INT64_MIN))
        return &graph->poison;
    for (int64_t i = 0; i < target.count; i++) {
        if (binary)
            rows->data[i] = (float)target.data[i];
        else
            rows->data[i * classes + target.data[i]] = 1;
    }
    return rows;
}

/* Whether (..., classes) has as many rows as there are labels. */
static bool rows_fit(an_graph *graph, const char *op, an_shape shape, an_labels target)
{
    const int64_t classes = shape.ndim > 1 ? shape.dim[shape.ndim - 1] : 0;
    if (classes > 0 && an_shape_size(shape) / classes == target.count)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                        "%s: takes (%lld, classes) for %lld labels but gets %s", op,
                        (long long)target.count, (long long)target.count, an__text(shape).text);
}

an_tensor *an_loss_apply(an_loss loss, an_graph *graph, an_tensor *output, an_labels target)
{
    if (loss.kind == AN_CROSS_ENTROPY_LOSS || loss.kind == AN_NLL_LOSS)
        return an__class_loss(graph, output, target, &loss);
    if (!output || an__poisoned(output))
        return an__value_loss(graph, output, output, &loss);
    const char *op = names[loss.kind];
    const an_shape shape = output->shape;
    if (!rows_fit(graph, op, shape, target))
        return &graph->poison;
    const bool binary = loss.kind == AN_BCE_WITH_LOGITS_LOSS && shape.dim[shape.ndim - 1] == 1;
    return an__value_loss(graph, output, label_rows(graph, op, shape, target, binary), &loss);
}

/* --------------------------------------------------------- against tensors */

/*
 * Cross-entropy with probabilities of the classes as target: -w t' log_softmax(x), summed over the
 * classes, where t' = (1 - s) t + s / classes. A mean is over the rows.
 */
static an_tensor *soft_cross_entropy(an_loss loss, an_graph *graph, an_tensor *x, an_tensor *target)
{
    const char *op = names[loss.kind];
    if (!x || !target || an__poisoned(x) || an__poisoned(target))
        return an__record(graph, &an__op_cross_entropy, (an_tensor *[]){x, target}, 2, NULL);
    const an_shape shape = x->shape;
    if (!an__loss_check(graph, op, &loss))
        return &graph->poison;
    if (shape.ndim == 0 || x->size == 0 || !an_shape_equal(shape, target->shape)) {
        an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                     "%s: the shapes %s and %s must be equal and not empty", op,
                     an__text(shape).text, an__text(target->shape).text);
        return &graph->poison;
    }
    const int64_t classes = shape.dim[shape.ndim - 1];
    if (loss.weight && loss.weight_count != classes) {
        an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                     "%s: there are %lld weights for %lld classes", op,
                     (long long)loss.weight_count, (long long)classes);
        return &graph->poison;
    }
    const int64_t rows = x->size / classes;
    const double s = loss.label_smoothing;
    an_tensor *t = s > 0 ? an_affine(graph, target, 1 - s, s / (double)classes) : target;
    if (loss.weight)
        t = an_mul(graph, t, an_from(graph, loss.weight, an_shape_1(classes)));
    an_tensor *terms = an_mul(graph, t, an_log_softmax(graph, x));
    if (loss.reduction == AN_REDUCE_NONE)
        return an_neg(graph, an_sum_dim(graph, terms, -1, false));
    an_tensor *sum = an_sum(graph, terms);
    return an_affine(graph, sum, loss.reduction == AN_REDUCE_SUM ? -1 : -1 / (double)rows, 0);
}

an_tensor *an_loss_between(an_loss loss, an_graph *graph, an_tensor *output, an_tensor *target)
{
    if (loss.kind == AN_CROSS_ENTROPY_LOSS)
        return soft_cross_entropy(loss, graph, output, target);
    if (loss.kind != AN_NLL_LOSS)
        return an__value_loss(graph, output, target, &loss);
    an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                 "nll_loss: takes class labels, not a tensor; kl_div_loss compares probabilities");
    return &graph->poison;
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
    if (!logits || logits->shape.ndim < 2)
        return -1;
    const int64_t classes = logits->shape.dim[logits->shape.ndim - 1];
    const int64_t rows = classes > 0 ? logits->size / classes : logits->shape.dim[0];
    if (rows != target.count)
        return -1;
    int64_t correct = 0;
    for (int64_t i = 0; i < target.count; i++)
        correct += first_maximum_at(logits->data + i * classes, classes, target.data[i]);
    return correct;
}
