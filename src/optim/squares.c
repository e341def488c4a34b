/*
 * Rates from squared gradients, as torch.optim has them: Adagrad (Duchi, Hazan, Singer: Adaptive
 * Subgradient Methods for Online Learning and Stochastic Optimization; JMLR 2011), Adadelta
 * (Zeiler: ADADELTA: An Adaptive Learning Rate Method; 2012) and RMSprop (Tieleman, Hinton:
 * lecture 6.5, 2012; centered: Graves: Generating Sequences With Recurrent Neural Networks; 2013).
 */
#include "optim/rule.h"

/* ------------------------------------------------------------------ Adagrad */

#define ADAGRAD(name, ...) AN_OPTION(#name, an_adagrad_options, name, __VA_ARGS__)

static const an_option adagrad_table[] = {
    ADAGRAD(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-2),
    ADAGRAD(lr_decay, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 0),
    ADAGRAD(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    ADAGRAD(initial_accumulator_value, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 0),
    ADAGRAD(eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-10),
    AN_OPTION_IGNORE("foreach"),
    ADAGRAD(maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("differentiable"),
    AN_OPTION_IGNORE("fused"),
};

/* The rate of update t is lr / (1 + (t - 1) lr_decay). */
static void adagrad_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                            an_update *out)
{
    const an_adagrad_options *o = &options->adagrad;
    out->kernel = AN_UPDATE_ADAGRAD;
    out->vectors = AN_FIRST(1);
    out->scalars.square = (an_square_scalars){
        .slope = {o->maximize ? -1 : 1, o->weight_decay},
        .rate = o->lr / (1 + (double)optim->steps[run->first] * o->lr_decay),
        .eps = o->eps,
    };
}

/* Sums begin at initial_accumulator_value. */
static bool adagrad_make(an_optim *optim, an_error *err)
{
    (void)err;
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        const an_param *param = an_params_get(optim->params, i);
        const an_options *options = &optim->group[optim->group_of[i]]->options;
        an_real *sum = optim->vector[0] + param->offset;
        for (int64_t k = 0; k < param->tensor->size; k++) {
            sum[k] = (an_real)options->adagrad.initial_accumulator_value;
        }
    }
    return true;
}

static bool adagrad_keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->adagrad.eps);
}

const an_rule an__rule_Adagrad = {
    .name = "Adagrad",
    AN_RULE_OPTIONS(adagrad_table),
    .timed = true,
    .vector_names = {"sum"},
    .keeps_gaps = adagrad_keeps_gaps,
    .make = adagrad_make,
    .prepare = adagrad_prepare,
};

AN_RULE_DOOR(adagrad, an_adagrad_options, Adagrad, adagrad)

/* ----------------------------------------------------------------- Adadelta */

#define ADADELTA(name, ...) AN_OPTION(#name, an_adadelta_options, name, __VA_ARGS__)

static const an_option adadelta_table[] = {
    ADADELTA(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1),
    ADADELTA(rho, NUMBER, UNIT, AN_NO_SLOT, 0.9),
    ADADELTA(eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-6),
    ADADELTA(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    AN_OPTION_IGNORE("foreach"),
    AN_OPTION_IGNORE("capturable"),
    ADADELTA(maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("differentiable"),
};

static void adadelta_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                             an_update *out)
{
    (void)optim;
    (void)run;
    const an_adadelta_options *o = &options->adadelta;
    out->kernel = AN_UPDATE_ADADELTA;
    out->vectors = AN_FIRST(2);
    out->scalars.square = (an_square_scalars){
        .slope = {o->maximize ? -1 : 1, o->weight_decay},
        .keep = o->rho,
        .take = 1 - o->rho,
        .rate = o->lr,
        .eps = o->eps,
    };
}

static bool adadelta_keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->adadelta.eps);
}

const an_rule an__rule_Adadelta = {
    .name = "Adadelta",
    AN_RULE_OPTIONS(adadelta_table),
    .vector_names = {"square_avg", "acc_delta"},
    .keeps_gaps = adadelta_keeps_gaps,
    .prepare = adadelta_prepare,
};

AN_RULE_DOOR(adadelta, an_adadelta_options, Adadelta, adadelta)

/* ------------------------------------------------------------------ RMSprop */

#define RMSPROP(name, ...) AN_OPTION(#name, an_rmsprop_options, name, __VA_ARGS__)

static const an_option rmsprop_table[] = {
    RMSPROP(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-2),
    RMSPROP(alpha, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 0.99),
    RMSPROP(eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),
    RMSPROP(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    RMSPROP(momentum, NUMBER, NOT_NEGATIVE, AN_MOMENTUM, 0),
    RMSPROP(centered, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("capturable"),
    AN_OPTION_IGNORE("foreach"),
    RMSPROP(maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("differentiable"),
};

/* Vectors: v, the momentum buffer (a schedule may raise a momentum of 0), the mean if centered. */
static int rmsprop_vectors(const an_options *options)
{
    return options->rmsprop.centered ? 3 : 2;
}

static void rmsprop_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                            an_update *out)
{
    (void)optim;
    (void)run;
    const an_rmsprop_options *o = &options->rmsprop;
    out->kernel = AN_UPDATE_RMSPROP;
    out->vectors = AN_ONE(0) | (o->momentum > 0 ? AN_ONE(1) : 0) | (o->centered ? AN_ONE(2) : 0);
    out->scalars.square = (an_square_scalars){
        .slope = {o->maximize ? -1 : 1, o->weight_decay},
        .keep = o->alpha,
        .take = 1 - o->alpha,
        .rate = o->lr,
        .eps = o->eps,
        .momentum = o->momentum,
    };
}

static bool rmsprop_keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->rmsprop.eps);
}

const an_rule an__rule_RMSprop = {
    .name = "RMSprop",
    AN_RULE_OPTIONS(rmsprop_table),
    .vectors = rmsprop_vectors,
    .vector_names = {"square_avg", "momentum_buffer", "grad_avg"},
    .keeps_gaps = rmsprop_keeps_gaps,
    .prepare = rmsprop_prepare,
};

AN_RULE_DOOR(rmsprop, an_rmsprop_options, RMSprop, rmsprop)
