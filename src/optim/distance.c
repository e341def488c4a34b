/*
 * Rates from an estimate d of the distance to a solution: Prodigy (Mishchenko, Defazio: Prodigy: An
 * Expeditiously Adaptive Parameter-Free Learner; ICML 2024) and D-Adaptation (Defazio, Mishchenko:
 * Learning-Rate-Free Learning by D-Adaptation; ICML 2023), as in the authors' packages. A step
 * passes twice: the first gathers what d grows from, the second moves. d and its parts are shared
 * by all groups, with the options of the first; only lr, weight decay and eps are each group's own.
 */
#include <math.h>

#include "optim/rule.h"

/* Numbers of the whole. */
enum { D, NUMERATOR, STEPS, D_MAX = 3, G0_NORM = 3 };

static double found_d(const an_optim *optim)
{
    return optim->scalar[D];
}

/* Adam's correction of both means in one factor, or 1. */
static double bias_correction(const an_optim *optim, bool use, double beta1, double beta2)
{
    double t = optim->scalar[STEPS] + 1;
    return use ? sqrt(1 - pow(beta2, t)) / (1 - pow(beta1, t)) : 1;
}

/* The second pass of the two Adams: moves every run whose rate is not 0, and counts its step. */
typedef an_distance_scalars (*last_pass)(const an_optim *optim, const an_options *options,
                                         double rate);

static void move(an_optim *optim, last_pass last, double rate)
{
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        size_t group = optim->group_of[run.first];
        if (optim->slots[group]->slot[AN_LR].value == 0) {
            continue;
        }
        an_options options = an__group_options(optim, group);
        an_scalars s = {.distance = last(optim, &options, rate)};
        an_vectors vectors = an__vectors_at(optim, run.begin, AN_FIRST(2));
        an__update(optim, AN_UPDATE_ADAM_APPLY, &s, &vectors, run.count);
        an__count_step(optim, &run);
    }
    optim->scalar[STEPS]++;
}

/* ------------------------------------------------------------------ Prodigy */

#define PRODIGY(name, field, ...) AN_OPTION(name, an_prodigy_options, field, __VA_ARGS__)

AN_OPTION_IS_PAIR(an_prodigy_options, beta1, beta2);

static const an_option prodigy_table[] = {
    PRODIGY("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1),
    PRODIGY("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),
    AN_OPTION_OR_NONE("beta3", an_prodigy_options, beta3, NUMBER, FRACTION, NAN),
    PRODIGY("eps", eps, NUMBER, POSITIVE, AN_NO_SLOT, 1e-8),
    PRODIGY("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    PRODIGY("decouple", decouple, FLAG, FINITE, AN_NO_SLOT, 1),
    PRODIGY("use_bias_correction", use_bias_correction, FLAG, FINITE, AN_NO_SLOT, 0),
    PRODIGY("safeguard_warmup", safeguard_warmup, FLAG, FINITE, AN_NO_SLOT, 0),
    PRODIGY("d0", d0, NUMBER, POSITIVE, AN_NO_SLOT, 1e-6),
    PRODIGY("d_coef", d_coef, NUMBER, POSITIVE, AN_NO_SLOT, 1),
    PRODIGY("growth_rate", growth_rate, NUMBER, GROWTH, AN_NO_SLOT, INFINITY),
    AN_OPTION_IGNORE("fsdp_in_use"),
};

static bool prodigy_make(an_optim *optim, an_error *err)
{
    (void)err;
    optim->scalar[D] = optim->scalar[D_MAX] = optim->group[0]->options.prodigy.d0;
    return true;
}

/* The scalars of the first pass over a run of a group with these options. */
static an_distance_scalars prodigy_gather(const an_prodigy_options *first,
                                          const an_prodigy_options *o, double d, double rate)
{
    double beta3 = isnan(first->beta3) ? sqrt(first->beta2) : first->beta3;
    return (an_distance_scalars){
        .slope = {1, first->decouple ? 0 : o->weight_decay},
        .keep1 = first->beta1,
        .take1 = d * (1 - first->beta1),
        .keep2 = first->beta2,
        .take2 = d * d * (1 - first->beta2),
        .keep3 = beta3,
        .take3 = d / first->d0 * (first->safeguard_warmup ? d : rate),
    };
}

static an_distance_scalars prodigy_last(const an_optim *optim, const an_options *options,
                                        double rate)
{
    const an_prodigy_options *o = &options->prodigy;
    double step = rate * o->lr;
    bool decouple = optim->group[0]->options.prodigy.decouple;
    return (an_distance_scalars){.shrink = decouple ? 1 - step * o->weight_decay : 1,
                                 .rate = step,
                                 .eps = optim->scalar[D] * o->eps};
}

/* d = the numerator over the denominator, never falling, and growing by growth_rate at most. */
static void prodigy_estimate(an_optim *optim, const an_prodigy_options *o, double denominator)
{
    double d = optim->scalar[D], hat = o->d_coef * optim->scalar[NUMERATOR] / denominator;
    if (d == o->d0) {
        d = fmax(d, hat);
    }
    optim->scalar[D_MAX] = fmax(optim->scalar[D_MAX], hat);
    optim->scalar[D] = fmin(optim->scalar[D_MAX], d * o->growth_rate);
}

static void prodigy_whole(an_optim *optim)
{
    const an_options first = an__group_options(optim, 0);
    const an_prodigy_options *f = &first.prodigy;
    double d = optim->scalar[D], denominator = 0, gain = 0;
    double rate = d * bias_correction(optim, f->use_bias_correction, f->beta1, f->beta2);
    double beta3 = isnan(f->beta3) ? sqrt(f->beta2) : f->beta3;
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        double step = rate * options.prodigy.lr, sums[AN_UPDATE_SUMS] = {0};
        if (step == 0) {
            continue;
        }
        an_scalars s = {.distance = prodigy_gather(f, &options.prodigy, d, step)};
        s.distance.first = optim->steps[run.first] == 0;
        an_vectors vectors = an__vectors_at(optim, run.begin, AN_FIRST(4));
        an__update_sums(optim, AN_UPDATE_PRODIGY, &s, &vectors, run.count, sums);
        gain += d / f->d0 * step * sums[0];
        denominator += sums[1];
    }
    if (denominator == 0) {
        return;
    }
    optim->scalar[NUMERATOR] = beta3 * optim->scalar[NUMERATOR] + gain;
    prodigy_estimate(optim, f, denominator);
    move(optim, prodigy_last, rate);
}

const an_rule an__rule_Prodigy = {
    .name = "Prodigy",
    AN_RULE_OPTIONS(prodigy_table),
    .own_rate = true,
    .vector_names = {"exp_avg", "exp_avg_sq", "s", "p0"},
    .scalar_names = {"d", "d_numerator", "k", "d_max"},
    .make = prodigy_make,
    .whole = prodigy_whole,
    .found = found_d,
};

AN_RULE_DOOR(prodigy, an_prodigy_options, Prodigy, prodigy)

/* --------------------------------------------------------------- DAdaptAdam */

#define ADAM(name, field, ...) AN_OPTION(name, an_dadapt_adam_options, field, __VA_ARGS__)

AN_OPTION_IS_PAIR(an_dadapt_adam_options, beta1, beta2);

static const an_option adam_table[] = {
    ADAM("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1),
    ADAM("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),
    ADAM("eps", eps, NUMBER, POSITIVE, AN_NO_SLOT, 1e-8),
    ADAM("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    ADAM("decouple", decouple, FLAG, FINITE, AN_NO_SLOT, 0),
    ADAM("use_bias_correction", use_bias_correction, FLAG, FINITE, AN_NO_SLOT, 0),
    ADAM("d0", d0, NUMBER, POSITIVE, AN_NO_SLOT, 1e-6),
    ADAM("growth_rate", growth_rate, NUMBER, GROWTH, AN_NO_SLOT, INFINITY),
};

static bool adam_make(an_optim *optim, an_error *err)
{
    (void)err;
    optim->scalar[D] = optim->group[0]->options.dadapt_adam.d0;
    return true;
}

static an_distance_scalars adam_gather(const an_dadapt_adam_options *first,
                                       const an_dadapt_adam_options *o, double rate)
{
    double root = sqrt(first->beta2);
    return (an_distance_scalars){
        .slope = {1, first->decouple ? 0 : o->weight_decay},
        .keep1 = first->beta1,
        .take1 = rate * (1 - first->beta1),
        .keep2 = first->beta2,
        .take2 = 1 - first->beta2,
        .keep3 = root,
        .take3 = rate * (1 - root),
        .eps = o->eps,
    };
}

/* The rate is in the first mean already. */
static an_distance_scalars adam_last(const an_optim *optim, const an_options *options, double rate)
{
    const an_dadapt_adam_options *o = &options->dadapt_adam;
    bool decouple = optim->group[0]->options.dadapt_adam.decouple;
    return (an_distance_scalars){
        .shrink = decouple ? 1 - rate * o->lr * o->weight_decay : 1, .rate = 1, .eps = o->eps};
}

static void adam_whole(an_optim *optim)
{
    const an_options first = an__group_options(optim, 0);
    const an_dadapt_adam_options *f = &first.dadapt_adam;
    double d = optim->scalar[D], length = 0, gain = 0, root = sqrt(f->beta2);
    double rate = d * bias_correction(optim, f->use_bias_correction, f->beta1, f->beta2);
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        double step = rate * options.dadapt_adam.lr, sums[AN_UPDATE_SUMS] = {0};
        if (step == 0) {
            continue;
        }
        an_scalars s = {.distance = adam_gather(f, &options.dadapt_adam, step)};
        an_vectors vectors = an__vectors_at(optim, run.begin, AN_FIRST(3));
        an__update_sums(optim, AN_UPDATE_DADAPT_ADAM, &s, &vectors, run.count, sums);
        gain += step * sums[0];
        length += sums[1];
    }
    if (length == 0) {
        return;
    }
    optim->scalar[NUMERATOR] = root * optim->scalar[NUMERATOR] + (1 - root) * gain;
    double hat = optim->scalar[NUMERATOR] / ((1 - root) * length);
    optim->scalar[D] = fmax(d, fmin(hat, d * f->growth_rate));
    move(optim, adam_last, rate);
}

const an_rule an__rule_DAdaptAdam = {
    .name = "DAdaptAdam",
    AN_RULE_OPTIONS(adam_table),
    .own_rate = true,
    .vector_names = {"exp_avg", "exp_avg_sq", "s"},
    .scalar_names = {"d", "numerator_weighted", "k"},
    .make = adam_make,
    .whole = adam_whole,
    .found = found_d,
};

AN_RULE_DOOR(dadapt_adam, an_dadapt_adam_options, DAdaptAdam, dadapt_adam)

/* ---------------------------------------------------------------- DAdaptSGD */

#define SGD(name, ...) AN_OPTION(#name, an_dadapt_sgd_options, name, __VA_ARGS__)

static const an_option sgd_table[] = {
    SGD(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1),
    SGD(momentum, NUMBER, FRACTION, AN_MOMENTUM, 0),
    SGD(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    SGD(d0, NUMBER, POSITIVE, AN_NO_SLOT, 1e-6),
    SGD(growth_rate, NUMBER, GROWTH, AN_NO_SLOT, INFINITY),
};

static bool sgd_make(an_optim *optim, an_error *err)
{
    (void)err;
    optim->scalar[D] = optim->group[0]->options.dadapt_sgd.d0;
    return true;
}

/* The norm of all gradients, decay included. Where a parameter is new, its start is kept too. */
static double gradient_norm(an_optim *optim)
{
    double sums[AN_UPDATE_SUMS] = {0};
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        an_scalars s = {.distance = {.slope = {1, options.dadapt_sgd.weight_decay},
                                     .first = optim->steps[run.first] == 0}};
        an_vectors vectors = an__vectors_at(optim, run.begin, 0);
        vectors.s[0] = optim->vector[1] + run.begin;
        an__update_sums(optim, AN_UPDATE_DOG, &s, &vectors, run.count, sums);
    }
    return sqrt(sums[1]);
}

/* Gathers s += step * g and d's numerator; returns |s|^2. */
static double sgd_gather(an_optim *optim, double rate)
{
    double length = 0;
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        double step = rate * options.dadapt_sgd.lr, sums[AN_UPDATE_SUMS] = {0};
        an_scalars s = {.distance = {.slope = {1, options.dadapt_sgd.weight_decay},
                                     .take3 = step,
                                     .first = optim->steps[run.first] == 0}};
        an_vectors vectors = an__vectors_at(optim, run.begin, AN_FIRST(2));
        an__update_sums(optim, AN_UPDATE_DADAPT_SGD, &s, &vectors, run.count, sums);
        optim->scalar[NUMERATOR] += step * sums[0];
        length += sums[1];
    }
    return length;
}

/* The point is z = p0 - s, and the parameters are its running mean. */
static void sgd_whole(an_optim *optim)
{
    double *d = &optim->scalar[D], *g0_norm = &optim->scalar[G0_NORM];
    if (*g0_norm == 0 && (*g0_norm = gradient_norm(optim)) == 0) {
        return;
    }
    double length = sgd_gather(optim, *d / *g0_norm);
    if (length > 0) {
        double hat = 2 * optim->scalar[NUMERATOR] / sqrt(length);
        *d = fmax(*d, fmin(hat, *d * optim->group[0]->options.dadapt_sgd.growth_rate));
    }
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        an_scalars s = {.distance = {.rate = 1 - options.dadapt_sgd.momentum}};
        an_vectors vectors = an__vectors_at(optim, run.begin, AN_FIRST(2));
        an__update(optim, AN_UPDATE_DADAPT_APPLY, &s, &vectors, run.count);
        an__count_step(optim, &run);
    }
    optim->scalar[STEPS]++;
}

const an_rule an__rule_DAdaptSGD = {
    .name = "DAdaptSGD",
    AN_RULE_OPTIONS(sgd_table),
    .own_rate = true,
    .vector_names = {"s", "x0"},
    .scalar_names = {"d", "numerator_weighted", "k", "g0_norm"},
    .make = sgd_make,
    .whole = sgd_whole,
    .found = found_d,
};

AN_RULE_DOOR(dadapt_sgd, an_dadapt_sgd_options, DAdaptSGD, dadapt_sgd)
