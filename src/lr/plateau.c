/* plateau.c - ReduceLROnPlateau: the one schedule that looks at a metric. */
#include "lr/numeric.h"

#include "lr/node.h"

void an__lr_plateau_init(an_lr_schedule *schedule)
{
    schedule->plateau = (an__lr_plateau){0};
    if (schedule->root->desc.kind == AN_PLATEAU_LR)
        schedule->plateau.best =
            schedule->root->desc.plateau.mode == AN_PLATEAU_MIN ? INFINITY : -INFINITY;
}

/*
 * The value that a metric has to pass to count as better. A relative threshold is a part of |best|:
 * PyTorch takes a part of best, so that with a negative best a worse metric counts as better.
 */
static double target(const an_plateau_lr *p, double best)
{
    double sign = p->mode == AN_PLATEAU_MIN ? -1 : 1;
    if (isinf(best))
        return best;
    if (p->threshold_mode == AN_THRESHOLD_ABS)
        return best + sign * p->threshold;
    return best * (1.0 + (best < 0 ? -sign : sign) * p->threshold);
}

static bool better(const an_plateau_lr *p, double metric, double best)
{
    double pass = target(p, best);
    return p->mode == AN_PLATEAU_MIN ? metric < pass : metric > pass;
}

static void reduce(an_lr_schedule *schedule, const an_plateau_lr *p)
{
    for (size_t i = 0; i < schedule->member_count; i++) {
        an_slot *lr = &an__lr_member_at(schedule, i)->group->slot[AN_LR];
        double least = an__lr_real(&p->min_lr, i), lower = lr->value * p->factor;
        if (lower < least)
            lower = least;
        if (lr->value - lower > p->eps)
            lr->value = lower;
    }
}

/* A metric that is not a number is never better. */
void an__lr_plateau_step(an_lr_schedule *schedule, double metric)
{
    const an_plateau_lr *p = &schedule->root->desc.plateau;
    an__lr_plateau *state = &schedule->plateau;
    schedule->clock++;
    if (better(p, metric, state->best)) {
        state->best = metric;
        state->bad = 0;
    } else {
        state->bad++;
    }
    if (state->cooldown > 0) {
        state->cooldown--;
        state->bad = 0;
    }
    if (state->bad > p->patience) {
        reduce(schedule, p);
        state->cooldown = p->cooldown;
        state->bad = 0;
    }
}

/* Making it leaves the rate alone; only a metric moves it. */
const an__lr_class an__lr_plateau_class = {.start = an__lr_start_same};
