/*
 * LAMB (You and others: Large Batch Optimization for Deep Learning: Training BERT in 76 minutes;
 * ICLR 2020, algorithm 2 with phi the identity): Adam's step plus decay, u = m / sqrt(v) +
 * weight_decay p, scaled for each tensor to the length of p: p -= lr |p| / |u| u.
 */
#include <math.h>

#include "optim/adam.h"

#define ROW(name, field, ...) AN_OPTION(name, an_lamb_options, field, __VA_ARGS__)

AN_OPTION_IS_PAIR(an_lamb_options, beta1, beta2);

static const an_option table[] = {
    ROW("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3),
    ROW("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),
    ROW("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-6),
    ROW("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0.01),
    ROW("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0),
};

static void update(an_optim *optim, const an_param_run *run, const an_lamb_options *o)
{
    const an_adam_moments moments = {1, o->beta1, o->beta2, o->eps, 0, o->maximize, false};
    double sums[AN_UPDATE_SUMS] = {0};
    an_scalars s = {.lamb = {.adam = an__adam_scalars(&moments, optim->steps[run->first] + 1),
                             .decay = o->weight_decay}};
    an_vectors all = an__vectors_at(optim, run->begin, AN_FIRST(2));
    an__update_sums(optim, AN_UPDATE_LAMB, &s, &all, run->count, sums);
    double trust = sums[0] > 0 && sums[1] > 0 ? sqrt(sums[0] / sums[1]) : 1;
    s.lamb.lr = o->lr * trust;
    an__update(optim, AN_UPDATE_LAMB_APPLY, &s, &all, run->count);
    an__count_step(optim, run);
}

static void whole(an_optim *optim)
{
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        update(optim, &run, &options.lamb);
    }
}

const an_rule an__rule_LAMB = {
    .name = "LAMB",
    AN_RULE_OPTIONS(table),
    .by_tensor = true,
    .vector_names = {"exp_avg", "exp_avg_sq"},
    .whole = whole,
};

AN_RULE_DOOR(lamb, an_lamb_options, LAMB, lamb)
