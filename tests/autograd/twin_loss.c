/* Twins of the losses. */
#include "twin.h"

#include <math.h>

/* The loss of labels from the log-probabilities `logs`, with smoothing s->loss.label_smoothing. */
static void class_loss(const setting *s, const twin *logs, double smoothing, twin *out)
{
    const int64_t classes = logs->shape.dim[logs->shape.ndim - 1];
    const bool none = s->loss.reduction == AN_REDUCE_NONE;
    an_shape rows = logs->shape;
    rows.ndim--;
    double total = 0, weights = 0;
    twin_new(out, none ? rows : an_shape_0());
    for (int64_t i = 0; i < s->label_count; i++) {
        const double *row = logs->data + i * classes;
        if (s->labels[i] == s->loss.ignore_index)
            continue;
        total = none ? 0 : total;
        for (int64_t c = 0; c < classes; c++) {
            double weight = s->loss.weight ? (double)s->loss.weight[c] : 1;
            total -= smoothing / (double)classes * weight * row[c];
            total -= c == s->labels[i] ? (1 - smoothing) * weight * row[c] : 0;
            weights += c == s->labels[i] ? weight : 0;
        }
        if (none)
            out->data[i] = total;
    }
    if (!none)
        out->data[0] = s->loss.reduction == AN_REDUCE_SUM ? total : total / weights;
}

void twin_nll_loss(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    class_loss(s, &in[0], 0, out);
}

void twin_cross_entropy(const setting *s, const twin *in, int count, twin *out)
{
    twin logs;
    twin_log_softmax(s, in, count, &logs);
    class_loss(s, &logs, s->loss.label_smoothing, out);
    twin_free(&logs);
}

static double binary_loss(const an_loss *s, double x, double t, int64_t column)
{
    const double sigmoid = 1 / (1 + exp(-x)), w = s->weight ? (double)s->weight[column] : 1;
    const double p =
        s->pos_weight ? (double)s->pos_weight[s->pos_weight_count == 1 ? 0 : column] : 1;
    return -w * (p * t * log(sigmoid) + (1 - t) * log(1 - sigmoid));
}

static double value_loss(const an_loss *s, double x, double t, int64_t column)
{
    const double e = fabs(x - t);
    switch (s->kind) {
    case AN_L1_LOSS:
        return e;
    case AN_SMOOTH_L1_LOSS:
        return e < s->beta ? 0.5 * e * e / s->beta : e - 0.5 * s->beta;
    case AN_HUBER_LOSS:
        return e <= s->delta ? 0.5 * e * e : s->delta * (e - 0.5 * s->delta);
    case AN_BCE_WITH_LOGITS_LOSS:
        return binary_loss(s, x, t, column);
    case AN_KL_DIV_LOSS:
        return s->log_target ? exp(t) * (t - x) : t * (log(t) - x);
    default:
        return e * e;
    }
}

void twin_value_loss(const setting *s, const twin *in, int count, twin *out)
{
    (void)count;
    const an_shape shape = in[0].shape;
    const int64_t columns = shape.ndim > 0 ? shape.dim[shape.ndim - 1] : 1;
    const bool none = s->loss.reduction == AN_REDUCE_NONE;
    double total = 0;
    twin_new(out, none ? shape : an_shape_0());
    for (int64_t i = 0; i < in[0].size; i++) {
        const double loss = value_loss(&s->loss, in[0].data[i], in[1].data[i], i % columns);
        total += loss;
        if (none)
            out->data[i] = loss;
    }
    if (none)
        return;
    double over = s->loss.reduction == AN_REDUCE_SUM    ? 1
                  : s->loss.reduction == AN_REDUCE_MEAN ? (double)in[0].size
                  : shape.ndim > 0                      ? (double)shape.dim[0]
                                                        : 1;
    out->data[0] = total / over;
}
