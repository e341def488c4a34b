/* interpolate.c - Interpolate: from point to point. */
#include "lr/numeric.h"

#include "lr/node.h"

/* How many of the moments are at or before `x`. */
static size_t passed(const an__lr_span *at, size_t count, double x)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at[middle].value <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double interpolate_rate(const an__lr_node *node, const an__lr_member *m,
                               const an__lr_time *t, double base)
{
    (void)m;
    const an_lr_interpolate *p = &node->desc.interpolate;
    const double *values = p->values.each;
    const an__lr_span *at = node->spans;
    double x = t->at[at[0].unit];
    size_t i = passed(at, p->at.count, x);
    if (i == 0 || i == p->at.count || p->curve == AN_CURVE_STEP)
        return base * values[i > 0 ? i - 1 : 0];
    double part = (x - at[i - 1].value) / (at[i].value - at[i - 1].value);
    if (p->curve == AN_CURVE_COSINE)
        part = (1 - cos(AN__PI * part)) / 2;
    return base * (values[i - 1] + (values[i] - values[i - 1]) * part);
}

static an__lr_span interpolate_length(const an__lr_node *node)
{
    return node->spans[node->desc.interpolate.at.count - 1];
}

const an__lr_class an__lr_interpolate_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = interpolate_rate,
    .length = interpolate_length,
};
