/*
 * Adam's relatives, as torch.optim has them: NAdam (Dozat: Incorporating Nesterov Momentum into
 * Adam; 2016), RAdam (Liu and others: On the Variance of the Adaptive Learning Rate and Beyond;
 * ICLR 2020), Adamax (section 7 of Adam's paper) and Lion (Chen and others: Symbolic Discovery of
 * Optimization Algorithms; 2023).
 */
#include <math.h>

#include "optim/adam.h"

AN_OPTION_IS_PAIR(an_nadam_options, beta1, beta2);
AN_OPTION_IS_PAIR(an_radam_options, beta1, beta2);
AN_OPTION_IS_PAIR(an_adamax_options, beta1, beta2);
AN_OPTION_IS_PAIR(an_lion_options, beta1, beta2);

/* -------------------------------------------------------------------- NAdam */

#define NADAM(name, field, ...) AN_OPTION(name, an_nadam_options, field, __VA_ARGS__)

static const an_option nadam_table[] = {
    NADAM("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 2e-3),
    NADAM("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),
    NADAM("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),
    NADAM("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    NADAM("momentum_decay", momentum_decay, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 4e-3),
    NADAM("decoupled_weight_decay", decoupled_weight_decay, FLAG, FINITE, AN_NO_SLOT, 0),
    NADAM("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("foreach"),
    AN_OPTION_IGNORE("capturable"),
    AN_OPTION_IGNORE("differentiable"),
};

/* The momentum of update t: beta1 (1 - 0.96^(t psi) / 2). */
static double momentum_at(const an_nadam_options *o, double t)
{
    return o->beta1 * (1 - 0.5 * pow(0.96, t * o->momentum_decay));
}

/*
 * With the product of the momenta so far, P = mu_1 ... mu_t (number 0 of each parameter):
 *
 *   p -= lr (1 - mu_t) / (1 - P) g / root + lr mu_t+1 / (1 - P mu_t+1) m / root
 */
static void nadam_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                          an_update *out)
{
    const an_nadam_options *o = &options->nadam;
    const an_adam_moments moments = {
        o->lr, o->beta1, o->beta2, o->eps, o->weight_decay, o->maximize, o->decoupled_weight_decay};
    int64_t step = optim->steps[run->first] + 1;
    double *product = optim->number[0];
    double mu = momentum_at(o, (double)step), next = momentum_at(o, (double)(step + 1));
    double all = (step == 1 ? 1 : product[run->first]) * mu;
    for (size_t i = run->first; i < run->end; i++) {
        product[i] = all;
    }
    out->kernel = AN_UPDATE_NADAM;
    out->vectors = AN_FIRST(2);
    out->scalars.adam = an__adam_scalars(&moments, step);
    out->scalars.adam.rate = o->lr;
    out->scalars.adam.direct = (1 - mu) / (1 - all);
    out->scalars.adam.ahead = next / (1 - all * next);
}

static bool nadam_keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->nadam.eps);
}

const an_rule an__rule_NAdam = {
    .name = "NAdam",
    AN_RULE_OPTIONS(nadam_table),
    .timed = true,
    .vector_names = {"exp_avg", "exp_avg_sq"},
    .number_names = {"mu_product"},
    .keeps_gaps = nadam_keeps_gaps,
    .prepare = nadam_prepare,
};

AN_RULE_DOOR(nadam, an_nadam_options, NAdam, nadam)

/* -------------------------------------------------------------------- RAdam */

#define RADAM(name, field, ...) AN_OPTION(name, an_radam_options, field, __VA_ARGS__)

static const an_option radam_table[] = {
    RADAM("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3),
    RADAM("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),
    RADAM("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),
    RADAM("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    RADAM("decoupled_weight_decay", decoupled_weight_decay, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("foreach"),
    RADAM("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("capturable"),
    AN_OPTION_IGNORE("differentiable"),
};

/*
 * The length of the average behind v is rho_t = rho - 2 t beta2^t / (1 - beta2^t), rho = 2 / (1 -
 * beta2) - 1. Up to 5, v is left out: p -= lr m / (1 - beta1^t). Beyond, the step is Adam's times
 * sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t)), with eps added to sqrt(v)
 * itself.
 */
static void radam_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                          an_update *out)
{
    const an_radam_options *o = &options->radam;
    const an_adam_moments moments = {
        o->lr, o->beta1, o->beta2, o->eps, o->weight_decay, o->maximize, o->decoupled_weight_decay};
    int64_t step = optim->steps[run->first] + 1;
    double t = (double)step, decayed = pow(o->beta2, t);
    double rho = 2 / (1 - o->beta2) - 1, rho_t = rho - 2 * t * decayed / (1 - decayed);
    an_adam_scalars *s = &out->scalars.adam;
    *s = an__adam_scalars(&moments, step);
    out->vectors = AN_FIRST(2);
    out->kernel = rho_t > 5 ? AN_UPDATE_ADAM : AN_UPDATE_MOMENTUM;
    if (rho_t > 5) {
        double rectified = (rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t);
        s->rate *= sqrt(1 - decayed) * sqrt(rectified);
        s->correct = 1;
    }
}

static bool radam_keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->radam.eps);
}

const an_rule an__rule_RAdam = {
    .name = "RAdam",
    AN_RULE_OPTIONS(radam_table),
    .timed = true,
    .vector_names = {"exp_avg", "exp_avg_sq"},
    .keeps_gaps = radam_keeps_gaps,
    .prepare = radam_prepare,
};

AN_RULE_DOOR(radam, an_radam_options, RAdam, radam)

/* ------------------------------------------------------------------- Adamax */

#define ADAMAX(name, field, ...) AN_OPTION(name, an_adamax_options, field, __VA_ARGS__)

static const an_option adamax_table[] = {
    ADAMAX("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 2e-3),
    ADAMAX("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),
    ADAMAX("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),
    ADAMAX("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    AN_OPTION_IGNORE("foreach"),
    ADAMAX("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("differentiable"),
    AN_OPTION_IGNORE("capturable"),
};

static void adamax_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                           an_update *out)
{
    const an_adamax_options *o = &options->adamax;
    const an_adam_moments moments = {o->lr,           o->beta1,    o->beta2, o->eps,
                                     o->weight_decay, o->maximize, false};
    out->kernel = AN_UPDATE_ADAMAX;
    out->vectors = AN_FIRST(2);
    out->scalars.adam = an__adam_scalars(&moments, optim->steps[run->first] + 1);
}

static bool adamax_keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->adamax.eps);
}

const an_rule an__rule_Adamax = {
    .name = "Adamax",
    AN_RULE_OPTIONS(adamax_table),
    .timed = true,
    .vector_names = {"exp_avg", "exp_inf"},
    .keeps_gaps = adamax_keeps_gaps,
    .prepare = adamax_prepare,
};

AN_RULE_DOOR(adamax, an_adamax_options, Adamax, adamax)

/* --------------------------------------------------------------------- Lion */

#define LION(name, field, ...) AN_OPTION(name, an_lion_options, field, __VA_ARGS__)

static const an_option lion_table[] = {
    LION("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-4),
    LION("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.99),
    LION("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    LION("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0),
};

static void lion_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                         an_update *out)
{
    (void)optim;
    (void)run;
    const an_lion_options *o = &options->lion;
    out->kernel = AN_UPDATE_LION;
    out->vectors = AN_FIRST(1);
    out->scalars.adam = (an_adam_scalars){
        .slope = {o->maximize ? -1 : 1, 0},
        .shrink = 1 - o->lr * o->weight_decay,
        .keep1 = o->beta1,
        .take1 = 1 - o->beta1,
        .keep2 = o->beta2,
        .take2 = 1 - o->beta2,
        .rate = o->lr,
    };
}

const an_rule an__rule_Lion = {
    .name = "Lion",
    AN_RULE_OPTIONS(lion_table),
    .vector_names = {"exp_avg"},
    .prepare = lion_prepare,
};

AN_RULE_DOOR(lion, an_lion_options, Lion, lion)
