/*
 * DoG, distance over gradients (Ivgi, Hinder, Carmon: DoG is SGD's Best Friend: A Parameter-Free
 * Dynamic Step Size Schedule; ICML 2023), as in the authors' package:
 *
 *   r = max(r, |x - x0|), at first reps_rel (1 + |x0|)
 *   G = G + |g|^2, at first eps + |g|^2
 *   x = x - lr r / sqrt(G) g
 *
 * with one r and G for each group (DoG) or each parameter (LDoG). Both are kept for every
 * parameter; those of a group agree.
 */
#include <math.h>

#include "optim/rule.h"

#define ROW(name, ...) AN_OPTION(#name, an_dog_options, name, __VA_ARGS__)

static const an_option table[] = {
    ROW(reps_rel, NUMBER, POSITIVE, AN_NO_SLOT, 1e-6),
    ROW(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1),
    ROW(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    ROW(eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),
    AN_OPTION_OR_NONE("init_eta", an_dog_options, init_eta, NUMBER, POSITIVE, NAN),
};

/* What the parameters of a rate have in common: r and G so far, then squares that a step adds. */
typedef struct lengths {
    double r, g;
    double away, grads; /* of the distance from the start, and of the gradients */
    double values;      /* of the values, where r begins from them */
} lengths;

/* NaN is the largest: a rate of a broken gradient is NaN too, and not one that begins anew. */
static double larger(double a, double b)
{
    return a >= b || isnan(a) ? a : b;
}

/* Adds the squares of parameter `i`. One without a gradient, or never updated, gives its part. */
static void add_squares(const an_optim *optim, size_t i, double decay, lengths *sum)
{
    const an_param *param = an_params_get(optim->params, i);
    bool grad = param->tensor->has_grad, started = optim->steps[i] > 0;
    double sums[AN_UPDATE_SUMS] = {0};
    if (!grad && !started) {
        return;
    }
    an_scalars s = {.distance = {.slope = {1, decay}, .first = !started}};
    an_vectors all = an__vectors_at(optim, param->offset, AN_FIRST(1));
    all.g = grad ? all.g : all.p;
    an__update_sums(optim, AN_UPDATE_DOG, &s, &all, param->tensor->size, sums);
    sum->away += started ? sums[0] : 0;
    sum->grads += grad ? sums[1] : 0;
}

/* Of the parameters first..end-1 that are in `group`. */
static lengths measure(const an_optim *optim, const an_param_run *range, size_t group,
                       const an_dog_options *o)
{
    lengths sum = {0};
    for (size_t i = range->first; i < range->end; i++) {
        if (optim->group_of[i] == group) {
            add_squares(optim, i, o->weight_decay, &sum);
            sum.r = larger(sum.r, optim->number[0][i]);
            sum.g = larger(sum.g, optim->number[1][i]);
        }
    }
    for (size_t i = range->first; sum.g == 0 && isnan(o->init_eta) && i < range->end; i++) {
        const an_param *param = an_params_get(optim->params, i);
        if (optim->group_of[i] == group) {
            sum.values +=
                optim->kernels->square_sum(param->tensor->size, optim->values + param->offset);
        }
    }
    return sum;
}

/* The rate from r and G of the parameters first..end-1 that are in `group`, which it moves on. */
static double next_rate(an_optim *optim, const an_param_run *range, size_t group,
                        const an_dog_options *o)
{
    const lengths sum = measure(optim, range, group, o);
    bool first = sum.g == 0;
    double g = sum.g + sum.grads + (first ? o->eps : 0);
    double begin = isnan(o->init_eta) ? o->reps_rel * (1 + sqrt(sum.values)) : 0;
    double r = larger(first ? begin : sum.r, sqrt(sum.away));
    for (size_t i = range->first; i < range->end; i++) {
        if (optim->group_of[i] == group) {
            optim->number[0][i] = r;
            optim->number[1][i] = g;
        }
    }
    if (first && !isnan(o->init_eta)) {
        return o->init_eta;
    }
    return g == 0 ? 0 : o->lr * r / sqrt(g);
}

static void descend(an_optim *optim, const an_param_run *run, double rate, double decay)
{
    an_scalars s = {.sgd = {.slope = {1, decay}, .lr = rate}};
    an_vectors all = an__vectors_at(optim, run->begin, 0);
    an__update(optim, AN_UPDATE_SGD, &s, &all, run->count);
    an__count_step(optim, run);
}

/* Every group: its rate from all of its parameters, then one pass. */
static void dog_whole(an_optim *optim)
{
    const an_param_run all = {.end = an_params_count(optim->params)};
    for (size_t group = 0; group < optim->group_count; group++) {
        an_options options = an__group_options(optim, group);
        double rate = next_rate(optim, &all, group, &options.dog);
        optim->scalar[0] = group == 0 ? rate : optim->scalar[0];
        an_param_run run = {0};
        while (an__next_run(optim, &run)) {
            if (optim->group_of[run.first] == group) {
                descend(optim, &run, rate, options.dog.weight_decay);
            }
        }
    }
}

static void ldog_whole(an_optim *optim)
{
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        size_t group = optim->group_of[run.first];
        an_options options = an__group_options(optim, group);
        double rate = next_rate(optim, &run, group, &options.dog);
        optim->scalar[0] = run.first == 0 ? rate : optim->scalar[0];
        descend(optim, &run, rate, options.dog.weight_decay);
    }
}

static double found(const an_optim *optim)
{
    return optim->scalar[0];
}

#define DOG_RULE(text, step, tensors)                                                            \
    {                                                                                            \
        .name = (text), AN_RULE_OPTIONS(table), .by_tensor = (tensors), .own_rate = true,        \
        .vector_names = {"init_buffer"}, .number_names = {"rbar", "G"}, .scalar_names = {"eta"}, \
        .whole = (step), .found = found                                                          \
    }

const an_rule an__rule_DoG = DOG_RULE("DoG", dog_whole, false);
const an_rule an__rule_LDoG = DOG_RULE("LDoG", ldog_whole, true);

AN_RULE_DOOR(dog, an_dog_options, DoG, dog)
AN_RULE_DOOR(ldog, an_dog_options, LDoG, dog)
