/* algebra.c - Product, Sum, Min, Max, Clamp, Scale: rates made of rates, on one clock. */
#include "lr/numeric.h"

#include "lr/node.h"

static double product_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                           double base)
{
    for (size_t i = 0; i < node->child_count; i++)
        base = an__lr_rate(node->children[i], m, t, base);
    return base;
}

static double sum_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                       double base)
{
    double sum = an__lr_rate(node->children[0], m, t, base);
    for (size_t i = 1; i < node->child_count; i++)
        sum += an__lr_rate(node->children[i], m, t, base);
    return sum;
}

static double min_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                       double base)
{
    double least = an__lr_rate(node->children[0], m, t, base);
    for (size_t i = 1; i < node->child_count; i++)
        least = fmin(least, an__lr_rate(node->children[i], m, t, base));
    return least;
}

static double max_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                       double base)
{
    double most = an__lr_rate(node->children[0], m, t, base);
    for (size_t i = 1; i < node->child_count; i++)
        most = fmax(most, an__lr_rate(node->children[i], m, t, base));
    return most;
}

/* A bound that is absent is a NaN, which fmin and fmax pass over. */
static double clamp_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    double rate = an__lr_rate(node->children[0], m, t, base);
    rate = fmax(rate, an__lr_param(&node->desc.clamp.min, m, t));
    return fmin(rate, an__lr_param(&node->desc.clamp.max, m, t));
}

static double scale_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    return an__lr_rate(node->children[0], m, t, base) * an__lr_real(&node->desc.scale.by, m->index);
}

#define PURE(rate_) .start = an__lr_start_value, .next = an__lr_next_value, .rate = (rate_)

const an__lr_class an__lr_product_class = {PURE(product_rate)};
const an__lr_class an__lr_sum_class = {PURE(sum_rate)};
const an__lr_class an__lr_min_class = {PURE(min_rate)};
const an__lr_class an__lr_max_class = {PURE(max_rate)};
const an__lr_class an__lr_clamp_class = {PURE(clamp_rate)};
const an__lr_class an__lr_scale_class = {PURE(scale_rate)};
