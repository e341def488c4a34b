/*
 * Schedule-Free SGD and AdamW (Defazio and others: The Road Less Scheduled; NeurIPS 2024), as in
 * the authors' package: of the three sequences
 *
 *   y = (1 - beta) z + beta x     where gradients are taken: the parameters while training
 *   z -= rate * d                 the plain optimizer
 *   x = (1 - c) x + c z           its weighted average: the model
 *
 * only y and z are kept, since x = y + (1 - 1 / beta) (z - y). The weight of update t is t^r times
 * the largest rate so far to the power weight_lr_power, and c its share of all weights: 0 where all
 * are 0, 1 where it is infinite.
 */
#include <math.h>

#include "optim/rule.h"

/* The rate of a run's next update, and c of its average. */
typedef struct pace {
    double lr, c;
} pace;

typedef struct pace_options {
    double lr, r, power;
    int64_t warmup;
} pace_options;

/* Numbers of each parameter: the sum of its weights, and its largest rate. */
static pace next_pace(an_optim *optim, const an_param_run *run, const pace_options *o,
                      double correction)
{
    int64_t k = optim->steps[run->first];
    double warm = k < o->warmup ? (double)(k + 1) / (double)o->warmup : 1;
    double lr = o->lr * warm * correction;
    double largest = fmax(lr, optim->number[1][run->first]);
    double weight = pow((double)(k + 1), o->r) * pow(largest, o->power);
    double sum = optim->number[0][run->first] + weight;
    for (size_t i = run->first; i < run->end; i++) {
        optim->number[0][i] = sum;
        optim->number[1][i] = largest;
    }
    return (pace){lr, isinf(weight) ? 1 : sum > 0 ? weight / sum : 0};
}

static void set_free(an_free_scalars *s, pace p, double beta, double decay, bool first)
{
    s->decay = decay;
    s->pull = p.c;
    s->push = p.lr * (beta * (1 - p.c) - 1);
    s->lr = p.lr;
    s->first = first;
}

/* ---------------------------------------------------------------------- SGD */

#define SGD(name, ...) AN_OPTION(#name, an_sgd_schedule_free_options, name, __VA_ARGS__)

static const an_option sgd_table[] = {
    SGD(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1),
    SGD(momentum, NUMBER, OPEN, AN_NO_SLOT, 0.9),
    SGD(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    SGD(warmup_steps, INTEGER, NOT_NEGATIVE, AN_NO_SLOT, 0),
    SGD(r, NUMBER, FINITE, AN_NO_SLOT, 0),
    SGD(weight_lr_power, NUMBER, FINITE, AN_NO_SLOT, 2),
    AN_OPTION_IGNORE("foreach"),
};

static void sgd_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                        an_update *out)
{
    const an_sgd_schedule_free_options *o = &options->free_sgd;
    const pace_options p = {o->lr, o->r, o->weight_lr_power, o->warmup_steps};
    bool first = optim->steps[run->first] == 0;
    out->kernel = AN_UPDATE_FREE_SGD;
    out->vectors = AN_FIRST(1);
    set_free(&out->scalars.free, next_pace(optim, run, &p, 1), o->momentum, o->weight_decay, first);
}

static double sgd_faces(const an_options *options)
{
    return options->free_sgd.momentum;
}

const an_rule an__rule_SGDScheduleFree = {
    .name = "SGDScheduleFree",
    AN_RULE_OPTIONS(sgd_table),
    .timed = true,
    .own_rate = true,
    .vector_names = {"z"},
    .number_names = {"weight_sum", "lr_max"},
    .prepare = sgd_prepare,
    .faces = sgd_faces,
};

AN_RULE_DOOR(sgd_schedule_free, an_sgd_schedule_free_options, SGDScheduleFree, free_sgd)

/* -------------------------------------------------------------------- AdamW */

#define ADAMW(name, field, ...) AN_OPTION(name, an_adamw_schedule_free_options, field, __VA_ARGS__)

AN_OPTION_IS_PAIR(an_adamw_schedule_free_options, beta1, beta2);

static const an_option adamw_table[] = {
    ADAMW("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 0.0025),
    ADAMW("betas", beta1, PAIR, FRACTION, AN_NO_SLOT, 0.9, 0.999),
    ADAMW("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),
    ADAMW("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    ADAMW("warmup_steps", warmup_steps, INTEGER, NOT_NEGATIVE, AN_NO_SLOT, 0),
    ADAMW("r", r, NUMBER, FINITE, AN_NO_SLOT, 0),
    ADAMW("weight_lr_power", weight_lr_power, NUMBER, FINITE, AN_NO_SLOT, 2),
    AN_OPTION_IGNORE("foreach"),
};

static bool adamw_check(const an_options *options, char *message, size_t size)
{
    if (options->free_adam.beta1 > 0) {
        return true;
    }
    an_format(message, size,
              "AdamWScheduleFree: betas[0] must be above 0, since x is found by "
              "dividing by it");
    return false;
}

static void adamw_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                          an_update *out)
{
    const an_adamw_schedule_free_options *o = &options->free_adam;
    const pace_options p = {o->lr, o->r, o->weight_lr_power, o->warmup_steps};
    int64_t step = optim->steps[run->first];
    double correction = sqrt(1 - pow(o->beta2, (double)(step + 1)));
    an_free_scalars *s = &out->scalars.free;
    out->kernel = AN_UPDATE_FREE_ADAM;
    out->vectors = AN_FIRST(2);
    set_free(s, next_pace(optim, run, &p, correction), o->beta1, o->weight_decay, step == 0);
    s->keep = o->beta2;
    s->take = 1 - o->beta2;
    s->eps = o->eps;
}

static bool adamw_keeps_gaps(const an_options *options)
{
    return an__eps_keeps_gaps(options->free_adam.eps);
}

static double adamw_faces(const an_options *options)
{
    return options->free_adam.beta1;
}

const an_rule an__rule_AdamWScheduleFree = {
    .name = "AdamWScheduleFree",
    AN_RULE_OPTIONS(adamw_table),
    .timed = true,
    .own_rate = true,
    .check = adamw_check,
    .vector_names = {"z", "exp_avg_sq"},
    .number_names = {"weight_sum", "lr_max"},
    .keeps_gaps = adamw_keeps_gaps,
    .prepare = adamw_prepare,
    .faces = adamw_faces,
};

AN_RULE_DOOR(adamw_schedule_free, an_adamw_schedule_free_options, AdamWScheduleFree, free_adam)

/* -------------------------------------------------------------- the two faces */

/* p += pull * (z - p) for every parameter that has been updated; pull is that of its group. */
static void show(an_optim *optim, bool average)
{
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        if (optim->steps[i] == 0) {
            continue;
        }
        const an_param *param = an_params_get(optim->params, i);
        double beta = optim->rule->faces(&optim->group[optim->group_of[i]]->options);
        an_scalars s = {.linear = {.pull = average ? 1 - 1 / beta : 1 - beta}};
        an_vectors vectors = {.p = optim->values + param->offset,
                              .g = optim->vector[0] + param->offset};
        an__update(optim, AN_UPDATE_STEP, &s, &vectors, param->tensor->size);
    }
    optim->showing_average = average;
}

void an_optim_eval(an_optim *optim)
{
    if (optim->rule->faces && !optim->showing_average) {
        show(optim, true);
    }
}

void an_optim_train(an_optim *optim)
{
    if (optim->rule->faces && optim->showing_average) {
        show(optim, false);
    }
}

bool an_optim_has_modes(const an_optim *optim)
{
    return optim->rule->faces != NULL;
}
