/* swa.c - SWALR, the schedule that goes with stochastic weight averaging (arXiv 1803.05407). */
#include "lr/numeric.h"

#include "lr/node.h"

/* How much of the way to swa_lr is done at step e: 0 to 1. */
static double swa_done(const an__lr_node *node, int64_t e)
{
    const an_swa_lr *p = &node->desc.swa;
    double length = p->anneal_epochs > 1 ? (double)p->anneal_epochs : 1.0;
    double part = fmax(0.0, fmin(1.0, (double)e / length));
    return p->anneal_strategy == AN_ANNEAL_LINEAR ? part : (1 - cos(AN__PI * part)) / 2;
}

/*
 * PyTorch reconstructs, from the rate that it finds, the rate that the annealing began at, so that
 * it follows other schedules on the same group.
 */
static double swa_step(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr,
                       an__lr_memo *memo)
{
    const an_swa_lr *p = &node->desc.swa;
    double target = an__lr_real(&p->swa_lr, m->index);
    if (p->anneal_epochs == 0 && e < 1)
        e = 1;
    an__lr_remember(memo, node, e, swa_done);
    double before = memo->before, now = memo->now;
    double from = before == 1 ? target : (lr - before * target) / (1 - before);
    return target * now + from * (1 - now);
}

static double swa_move(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    an__lr_memo memo = {.e = AN__LR_NO_STEP};
    return swa_step(node, m, e, lr, &memo);
}

static double swa_start(const an__lr_node *node, const an__lr_member *m, double lr)
{
    return swa_move(node, m, 0, lr);
}

/* Its clock is PyTorch's _step_count, which a later child of a SequentialLR has one ahead. */
static double swa_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    return swa_move(node, m, node->later ? e + 1 : e, lr);
}

static double swa_restart(const an__lr_node *node, const an__lr_member *m, double lr)
{
    return swa_next(node, m, 0, lr);
}

static double swa_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    const an_swa_lr *p = &node->desc.swa;
    double done = swa_done(node, p->anneal_epochs == 0 && e < 1 ? 1 : e);
    return an__lr_real(&p->swa_lr, m->index) * done + an__lr_base(node, m) * (1 - done);
}

const an__lr_class an__lr_swa_class = {
    .start = swa_start,
    .next = swa_next,
    .step = swa_step,
    .restart = swa_restart,
    .value = swa_value,
};
