/* plateau.c - ReduceLROnPlateau: less when the metric no longer improves. */
#include "lr/numeric.h"

#include "lr/node.h"

/* Its memory: PyTorch's best, num_bad_epochs and cooldown_counter, and how often it has reduced. */
enum { PLATEAU_BEST, PLATEAU_BAD, PLATEAU_COOLDOWN, PLATEAU_REDUCTIONS, PLATEAU_MEMORY };

static size_t plateau_room(const an_lr_desc *desc)
{
    (void)desc;
    return PLATEAU_MEMORY;
}

static void plateau_reset(const an__lr_node *node)
{
    node->memory[PLATEAU_BEST] = node->desc.plateau.mode == AN_PLATEAU_MIN ? INFINITY : -INFINITY;
    node->memory[PLATEAU_BAD] = node->memory[PLATEAU_COOLDOWN] = node->memory[PLATEAU_REDUCTIONS] =
        0;
}

/*
 * The value that a metric has to pass to count as better. A relative threshold is a part of |best|:
 * PyTorch takes a part of best, so that with a negative best a worse metric counts as better.
 */
static double target(an_plateau_mode mode, an_threshold_mode threshold_mode, double threshold,
                     double best)
{
    double sign = mode == AN_PLATEAU_MIN ? -1 : 1;
    if (isinf(best))
        return best;
    if (threshold_mode == AN_THRESHOLD_ABS)
        return best + sign * threshold;
    return best * (1.0 + (best < 0 ? -sign : sign) * threshold);
}

bool an__lr_better(an_plateau_mode mode, an_threshold_mode threshold_mode, double threshold,
                   double metric, double best)
{
    double pass = target(mode, threshold_mode, threshold, best);
    return mode == AN_PLATEAU_MIN ? metric < pass : metric > pass;
}

/* A metric that is not a number is never better. */
static bool plateau_observe(const an__lr_node *node, const an_lr_input *input)
{
    const an_plateau_lr *p = &node->desc.plateau;
    double *memory = node->memory;
    if (!input->has_metric)
        return false;
    if (an__lr_better(p->mode, p->threshold_mode, p->threshold, input->metric,
                      memory[PLATEAU_BEST])) {
        memory[PLATEAU_BEST] = input->metric;
        memory[PLATEAU_BAD] = 0;
    } else {
        memory[PLATEAU_BAD]++;
    }
    if (memory[PLATEAU_COOLDOWN] > 0) {
        memory[PLATEAU_COOLDOWN]--;
        memory[PLATEAU_BAD] = 0;
    }
    if (memory[PLATEAU_BAD] <= (double)p->patience)
        return false;
    memory[PLATEAU_COOLDOWN] = (double)p->cooldown;
    memory[PLATEAU_BAD] = 0;
    memory[PLATEAU_REDUCTIONS]++;
    return true;
}

static double reduced(const an__lr_node *node, const an__lr_member *m, double lr)
{
    const an_plateau_lr *p = &node->desc.plateau;
    double least = an__lr_real(&p->min_lr, m->index), lower = lr * p->factor;
    if (lower < least)
        lower = least;
    return lr - lower > p->eps ? lower : lr;
}

/* As PyTorch steps it: from the rate that it finds. */
static double plateau_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    (void)e;
    return node->acted ? reduced(node, m, lr) : lr;
}

/* Among Anneal's own: what all reductions have made of the base rate. */
static double plateau_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    (void)e;
    double lr = an__lr_base(node, m);
    for (int64_t i = 0; (double)i < node->memory[PLATEAU_REDUCTIONS]; i++) {
        double lower = reduced(node, m, lr);
        if (lower == lr)
            break;
        lr = lower;
    }
    return lr;
}

static const char *const plateau_names[] = {"best", "bad_steps", "cooldown_left", "reductions",
                                            NULL};

static const an__lr_feedback plateau_feedback = {
    .room = plateau_room,
    .reset = plateau_reset,
    .observe = plateau_observe,
    .names = plateau_names,
};

/* Making it leaves the rate alone; only a metric moves it. */
const an__lr_class an__lr_plateau_class = {
    .start = an__lr_start_same,
    .next = plateau_next,
    .restart = an__lr_start_same,
    .value = plateau_value,
    .feedback = &plateau_feedback,
};
