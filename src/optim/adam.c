/*
 * Adam (Kingma, Ba: Adam: A Method for Stochastic Optimization; ICLR 2015), with amsgrad (Reddi,
 * Kale, Kumar: On the Convergence of Adam and Beyond; ICLR 2018), and AdamW (Loshchilov, Hutter:
 * Decoupled Weight Decay Regularization; ICLR 2019), as torch.optim does them: the largest v is
 * kept uncorrected, and eps is added after the correction.
 */
#include "optim/adam.h"

#include <math.h>

AN_OPTION_IS_PAIR(an_adam_options, beta1, beta2);

#define ROW(name, field, ...) AN_OPTION(name, an_adam_options, field, __VA_ARGS__)

/* Adam and AdamW differ in one default. */
#define ADAM_ROWS(decay)                                                                     \
    ROW("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3),                                        \
        ROW("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),                           \
        ROW("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),                             \
        ROW("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, decay),     \
        ROW("amsgrad", amsgrad, FLAG, FINITE, AN_NO_SLOT, 0),                                \
        ROW("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0), AN_OPTION_IGNORE("foreach"), \
        AN_OPTION_IGNORE("capturable"), AN_OPTION_IGNORE("differentiable"),                  \
        AN_OPTION_IGNORE("fused")

static const an_option adam_table[] = {ADAM_ROWS(0)};
static const an_option adamw_table[] = {ADAM_ROWS(0.01)};

an_adam_scalars an__adam_scalars(const an_adam_moments *o, int64_t step)
{
    double t = (double)step;
    return (an_adam_scalars){
        .slope = {o->maximize ? -1 : 1, o->decoupled ? 0 : o->weight_decay},
        .shrink = o->decoupled ? 1 - o->lr * o->weight_decay : 1,
        .keep1 = o->beta1,
        .take1 = 1 - o->beta1,
        .keep2 = o->beta2,
        .take2 = 1 - o->beta2,
        .rate = o->lr / (1 - pow(o->beta1, t)),
        .correct = 1 / sqrt(1 - pow(o->beta2, t)),
        .eps = o->eps,
    };
}

static void prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                    an_update *out)
{
    const an_adam_options *o = &options->adam;
    const an_adam_moments moments = {o->lr,
                                     o->beta1,
                                     o->beta2,
                                     o->eps,
                                     o->weight_decay,
                                     o->maximize,
                                     optim->rule == &an__rule_AdamW};
    out->kernel = AN_UPDATE_ADAM;
    out->vectors = AN_FIRST(o->amsgrad ? 3 : 2);
    out->scalars.adam = an__adam_scalars(&moments, optim->steps[run->first] + 1);
}

static int vectors(const an_options *options)
{
    return options->adam.amsgrad ? 3 : 2;
}

/* Without eps a gap would become 0 / 0. */
static bool keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->adam.eps);
}

#define ADAM_RULE(text, table)                                                                 \
    {                                                                                          \
        .name = (text), AN_RULE_OPTIONS(table), .timed = true, .vectors = vectors,             \
        .vector_names = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}, .keeps_gaps = keeps_gaps, \
        .prepare = prepare                                                                     \
    }

const an_rule an__rule_Adam = ADAM_RULE("Adam", adam_table);
const an_rule an__rule_AdamW = ADAM_RULE("AdamW", adamw_table);

AN_RULE_DOOR(adam, an_adam_options, Adam, adam)
AN_RULE_DOOR(adamw, an_adam_options, AdamW, adam)
