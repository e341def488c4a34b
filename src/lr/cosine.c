/* cosine.c - CosineAnnealingLR and CosineAnnealingWarmRestarts (SGDR, arXiv 1608.03983). */
#include "lr/numeric.h"

#include "lr/node.h"

/* ------------------------------------------------------- CosineAnnealingLR */

static double cosine_raised(const an__lr_node *node, int64_t e)
{
    return 1 + cos(AN__PI * (double)e / (double)node->desc.cosine.T_max);
}

static double cosine_factor(const an__lr_node *node, size_t group, int64_t e)
{
    (void)group;
    return cosine_raised(node, e) / 2;
}

static double cosine_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    const an_cosine_annealing_lr *p = &node->desc.cosine;
    double height = an__lr_base(node, m) - p->eta_min;
    return p->eta_min + height * (1 + cos(AN__PI * (double)e / (double)p->T_max)) / 2;
}

/*
 * The recursion scales the rate's height above eta_min from one step to the next. At the bottom the
 * height is 0 and there is nothing to scale, so the step after each bottom adds instead. (PyTorch
 * also divides by 0 beside the bottom of a very long period; the closed form steps in there.)
 */
static double cosine_step(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr,
                          an__lr_memo *memo)
{
    const an_cosine_annealing_lr *p = &node->desc.cosine;
    an__lr_remember(memo, node, e, cosine_raised);
    if ((e - 1) % (2 * p->T_max) == p->T_max)
        return lr + (an__lr_base(node, m) - p->eta_min) * (1 - cos(AN__PI / (double)p->T_max)) / 2;
    if (memo->before == 0)
        return cosine_value(node, m, e);
    return memo->now / memo->before * (lr - p->eta_min) + p->eta_min;
}

static double cosine_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    an__lr_memo memo = {.e = AN__LR_NO_STEP};
    return cosine_step(node, m, e, lr, &memo);
}

const an__lr_class an__lr_cosine_class = {
    .start = an__lr_start_same,
    .next = cosine_next,
    .step = cosine_step,
    .factor = cosine_factor,
    .value = cosine_value,
};

/* --------------------------------------------- CosineAnnealingWarmRestarts */

/* Where step e lies: the length of its cycle, and the step within it. */
static void restarts_find(const an_warm_restarts_lr *p, int64_t e, int64_t *at, int64_t *length)
{
    *length = p->T_0;
    *at = e;
    if (p->T_mult == 1) {
        *at = e % p->T_0;
        return;
    }
    while (*at >= *length) {
        *at -= *length;
        *length *= p->T_mult;
    }
}

static double restarts_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    const an_warm_restarts_lr *p = &node->desc.restarts;
    int64_t at, length;
    restarts_find(p, e, &at, &length);
    double height = an__lr_base(node, m) - p->eta_min;
    return p->eta_min + height * (1 + cos(AN__PI * (double)at / (double)length)) / 2;
}

const an__lr_class an__lr_restarts_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .value = restarts_value,
};
