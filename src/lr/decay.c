/*
 * decay.c - the schedules that multiply the rate: StepLR, MultiStepLR, ConstantLR, LinearLR,
 * ExponentialLR, PolynomialLR.
 *
 * `next` is PyTorch's recursion, with its operations in its order; `factor` its closed form. The
 * two differ by rounding only, except where the comments say so.
 */
#include "lr/numeric.h"

#include "lr/node.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ------------------------------------------------------------------ StepLR */

static double step_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    (void)m;
    return e % node->desc.step.step_size != 0 ? lr : lr * node->desc.step.gamma;
}

static double step_factor(const an__lr_node *node, size_t group, int64_t e)
{
    (void)group;
    int64_t times = e / node->desc.step.step_size;
    return pow(node->desc.step.gamma, (double)times);
}

const an__lr_class an__lr_step_class = {
    .start = an__lr_start_same,
    .next = step_next,
    .factor = step_factor,
};

/* ------------------------------------------------------------- MultiStepLR */

/* The copy that a node holds is sorted. How many milestones are at or below e. */
static size_t milestones_until(const an_lr_integers *milestones, int64_t e)
{
    size_t low = 0, high = milestones->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (milestones->each[middle] <= e)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double multi_step_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    (void)m;
    const an_multi_step_lr *p = &node->desc.multi_step;
    size_t here = milestones_until(&p->milestones, e) - milestones_until(&p->milestones, e - 1);
    return here == 0 ? lr : lr * pow(p->gamma, (double)here);
}

static double multi_step_start(const an__lr_node *node, const an__lr_member *m, double lr)
{
    return multi_step_next(node, m, 0, lr);
}

static double multi_step_factor(const an__lr_node *node, size_t group, int64_t e)
{
    (void)group;
    const an_multi_step_lr *p = &node->desc.multi_step;
    return pow(p->gamma, (double)milestones_until(&p->milestones, e));
}

const an__lr_class an__lr_multi_step_class = {
    .start = multi_step_start,
    .next = multi_step_next,
    .factor = multi_step_factor,
};

/* -------------------------------------------------------------- ConstantLR */

/*
 * PyTorch divides by the factor at the end, so that factor = 0 crashes there, and never ends when
 * total_iters is 0. Here the first goes back to the base rate, and the second is over at once.
 */
static double constant_start(const an__lr_node *node, const an__lr_member *m, double lr)
{
    (void)m;
    return node->desc.constant.total_iters == 0 ? lr : lr * node->desc.constant.factor;
}

static double constant_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    const an_constant_lr *p = &node->desc.constant;
    if (e != p->total_iters)
        return lr;
    return p->factor == 0 ? an__lr_base(node, m) : lr * (1.0 / p->factor);
}

static double constant_factor(const an__lr_node *node, size_t group, int64_t e)
{
    (void)group;
    const an_constant_lr *p = &node->desc.constant;
    return p->factor + (e >= p->total_iters ? 1.0 : 0.0) * (1 - p->factor);
}

const an__lr_class an__lr_constant_class = {
    .start = constant_start,
    .next = constant_next,
    .factor = constant_factor,
};

/* ---------------------------------------------------------------- LinearLR */

/* With total_iters = 0 PyTorch stays at start_factor for ever; here the empty ramp is at its end.
 */
static double linear_start(const an__lr_node *node, const an__lr_member *m, double lr)
{
    (void)m;
    const an_linear_lr *p = &node->desc.linear;
    return lr * (p->total_iters == 0 ? p->end_factor : p->start_factor);
}

static double linear_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    (void)m;
    const an_linear_lr *p = &node->desc.linear;
    if (e > p->total_iters)
        return lr;
    double rise = p->end_factor - p->start_factor;
    double now = (double)p->total_iters * p->start_factor + (double)(e - 1) * rise;
    return lr * (1.0 + rise / now);
}

static double linear_factor(const an__lr_node *node, size_t group, int64_t e)
{
    (void)group;
    const an_linear_lr *p = &node->desc.linear;
    if (p->total_iters == 0)
        return p->end_factor;
    double part = (p->end_factor - p->start_factor) * (double)least(p->total_iters, e);
    return p->start_factor + part / (double)p->total_iters;
}

const an__lr_class an__lr_linear_class = {
    .start = linear_start,
    .next = linear_next,
    .factor = linear_factor,
};

/* ----------------------------------------------------------- ExponentialLR */

static double exponential_next(const an__lr_node *node, const an__lr_member *m, int64_t e,
                               double lr)
{
    (void)m;
    (void)e;
    return lr * node->desc.exponential.gamma;
}

static double exponential_factor(const an__lr_node *node, size_t group, int64_t e)
{
    (void)group;
    return pow(node->desc.exponential.gamma, (double)e);
}

const an__lr_class an__lr_exponential_class = {
    .start = an__lr_start_same,
    .next = exponential_next,
    .factor = exponential_factor,
};

/* ------------------------------------------------------------ PolynomialLR */

/* With total_iters = 0 PyTorch never decays; here the empty decay is at its end. */
static double polynomial_factor(const an__lr_node *node, size_t group, int64_t e)
{
    (void)group;
    const an_polynomial_lr *p = &node->desc.polynomial;
    double part = 1.0;
    if (p->total_iters > 0)
        part = (double)least(p->total_iters, e) / (double)p->total_iters;
    return pow(1.0 - part, p->power);
}

static double polynomial_start(const an__lr_node *node, const an__lr_member *m, double lr)
{
    return node->desc.polynomial.total_iters > 0 ? lr : lr * polynomial_factor(node, m->index, 0);
}

static double polynomial_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    (void)m;
    const an_polynomial_lr *p = &node->desc.polynomial;
    if (e > p->total_iters)
        return lr;
    double total = (double)p->total_iters;
    double left = 1.0 - (double)e / total, left_before = 1.0 - (double)(e - 1) / total;
    return lr * pow(left / left_before, p->power);
}

const an__lr_class an__lr_polynomial_class = {
    .start = polynomial_start,
    .next = polynomial_next,
    .factor = polynomial_factor,
};
