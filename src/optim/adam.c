/*
 * Adam (Kingma, Ba: Adam: A Method for Stochastic Optimization; ICLR 2015), with amsgrad (Reddi,
 * Kale, Kumar: On the Convergence of Adam and Beyond; ICLR 2018), and AdamW (Loshchilov, Hutter:
 * Decoupled Weight Decay Regularization; ICLR 2019), as torch.optim does them: the largest v is
 * kept uncorrected, and eps is added after the correction.
 */
#include <math.h>

#include "optim/rule.h"
#include "optim/scalars.h"

_Static_assert(offsetof(an_adam_options, beta2) ==
                   offsetof(an_adam_options, beta1) + sizeof(double),
               "betas are read as a pair");

#define ROW(name, field, ...) AN_OPTION(name, an_adam_options, field, __VA_ARGS__)

/* Adam and AdamW differ in one default. */
#define ADAM_ROWS(decay)                                                                 \
    ROW("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3),                                    \
        ROW("betas", beta1, PAIR, FRACTION, AN_BETA1, 0.9, 0.999),                       \
        ROW("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),                         \
        ROW("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, decay), \
        ROW("amsgrad", amsgrad, FLAG, FINITE, AN_NO_SLOT, 0),                            \
        ROW("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0)

static const an_option adam_table[] = {ADAM_ROWS(0)};
static const an_option adamw_table[] = {ADAM_ROWS(0.01)};

#define ADAM_OPTIONS (sizeof adam_table / sizeof adam_table[0])

an_adam_scalars an__adam_scalars(const an_adam_options *options, int64_t step, bool decoupled)
{
    double lr = options->lr, decay = options->weight_decay, t = (double)step;
    return (an_adam_scalars){
        .sign = options->maximize ? -1 : 1,
        .decay = decoupled ? 0 : decay,
        .shrink = decoupled ? 1 - lr * decay : 1,
        .keep1 = options->beta1,
        .take1 = 1 - options->beta1,
        .keep2 = options->beta2,
        .take2 = 1 - options->beta2,
        .rate = lr / (1 - pow(options->beta1, t)),
        .correct = 1 / sqrt(1 - pow(options->beta2, t)),
        .eps = options->eps,
    };
}

typedef struct adam_work {
    const an_update_table *kernels;
    an_adam_scalars scalars;
    float *values, *m, *v, *largest;
    const float *grads;
} adam_work;

static void adam_task(void *arg, int64_t begin, int64_t end)
{
    const adam_work *work = arg;
    work->kernels->adam(&work->scalars, end - begin, work->values + begin, work->grads + begin,
                        work->m + begin, work->v + begin,
                        work->largest ? work->largest + begin : NULL);
}

static bool adam_update(an_optim *optim, const an_run *run, const an_options *options)
{
    an_context *context = an_params_context(optim->params);
    bool decoupled = optim->rule == &an__rule_AdamW;
    int64_t step = optim->steps[run->first] + 1;
    adam_work work = {
        .kernels = an__kernels(context)->update,
        .scalars = an__adam_scalars(&options->adam, step, decoupled),
        .values = an_params_values(optim->params) + run->begin,
        .grads = an_params_grads(optim->params) + run->begin,
        .m = optim->vector[0] + run->begin,
        .v = optim->vector[1] + run->begin,
        .largest = options->adam.amsgrad ? optim->vector[2] + run->begin : NULL,
    };
    an__parallel(context, run->count, AN_UPDATE_GRAIN, adam_task, &work);
    return true;
}

static int adam_vectors(const an_options *options)
{
    return options->adam.amsgrad ? 3 : 2;
}

/* Without eps a gap would become 0 / 0. */
static bool adam_keeps_gaps(const an_options *options)
{
    return options->adam.eps > 0;
}

#define ADAM_RULE(text, table)                                                                \
    {                                                                                         \
        .name = (text), .options = (table), .option_count = ADAM_OPTIONS, .timed = true,      \
        .vectors = adam_vectors, .vector_names = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}, \
        .keeps_gaps = adam_keeps_gaps, .update = adam_update                                  \
    }

const an_rule an__rule_Adam = ADAM_RULE("Adam", adam_table);
const an_rule an__rule_AdamW = ADAM_RULE("AdamW", adamw_table);

an_adam_options an_adam_defaults(void)
{
    an_options options = {0};
    an__options_default(adam_table, ADAM_OPTIONS, &options);
    return options.adam;
}

an_adam_options an_adamw_defaults(void)
{
    an_options options = {0};
    an__options_default(adamw_table, ADAM_OPTIONS, &options);
    return options.adam;
}

an_optim *an_adam_new(an_params *params, const an_adam_options *options, an_error *err)
{
    an_options all = {.adam = *options};
    return an__optim_from_options(params, &an__rule_Adam, &all, err);
}

an_optim *an_adamw_new(an_params *params, const an_adam_options *options, an_error *err)
{
    an_options all = {.adam = *options};
    return an__optim_from_options(params, &an__rule_AdamW, &all, err);
}
