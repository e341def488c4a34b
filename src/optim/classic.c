/*
 * Rprop (Riedmiller, Braun: A direct adaptive method for faster backpropagation learning; ICNN
 * 1993) and averaged SGD (Polyak, Juditsky: Acceleration of stochastic approximation by averaging;
 * SIAM 1992), as torch.optim has them.
 */
#include <math.h>

#include "optim/rule.h"

/* -------------------------------------------------------------------- Rprop */

#define RPROP(name, field, ...) AN_OPTION(name, an_rprop_options, field, __VA_ARGS__)

AN_OPTION_IS_PAIR(an_rprop_options, eta_minus, eta_plus);
AN_OPTION_IS_PAIR(an_rprop_options, step_min, step_max);

static const an_option rprop_table[] = {
    RPROP("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-2),
    RPROP("etas", eta_minus, PAIR, POSITIVE, AN_NO_SLOT, 0.5, 1.2),
    RPROP("step_sizes", step_min, PAIR, NOT_NEGATIVE, AN_NO_SLOT, 1e-6, 50),
    AN_OPTION_IGNORE("foreach"),
    RPROP("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("differentiable"),
    AN_OPTION_IGNORE("capturable"),
};

static bool rprop_check(const an_options *options, char *message, size_t size)
{
    const an_rprop_options *o = &options->rprop;
    if (!(o->eta_minus < 1 && o->eta_plus > 1)) {
        an_format(message, size, "Rprop: etas must be one below 1 and one above 1, in this order");
        return false;
    }
    if (o->step_min > o->step_max) {
        an_format(message, size, "Rprop: step_sizes must be the smallest and the largest step");
        return false;
    }
    return true;
}

static void rprop_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                          an_update *out)
{
    const an_rprop_options *o = &options->rprop;
    out->kernel = AN_UPDATE_RPROP;
    out->vectors = AN_FIRST(2);
    out->scalars.rprop = (an_rprop_scalars){
        .slope = {o->maximize ? -1 : 1, 0},
        .shrink = o->eta_minus,
        .grow = o->eta_plus,
        .least = o->step_min,
        .most = o->step_max,
        .first = optim->steps[run->first] == 0 ? o->lr : 0,
    };
}

const an_rule an__rule_Rprop = {
    .name = "Rprop",
    AN_RULE_OPTIONS(rprop_table),
    .check = rprop_check,
    .vector_names = {"prev", "step_size"},
    .prepare = rprop_prepare,
};

AN_RULE_DOOR(rprop, an_rprop_options, Rprop, rprop)

/* --------------------------------------------------------------------- ASGD */

#define ASGD(name, ...) AN_OPTION(#name, an_asgd_options, name, __VA_ARGS__)

static const an_option asgd_table[] = {
    ASGD(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-2),
    ASGD(lambd, NUMBER, FINITE, AN_NO_SLOT, 1e-4),
    ASGD(alpha, NUMBER, FINITE, AN_NO_SLOT, 0.75),
    ASGD(t0, NUMBER, FINITE, AN_NO_SLOT, 1e6),
    ASGD(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    AN_OPTION_IGNORE("foreach"),
    ASGD(maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("differentiable"),
    AN_OPTION_IGNORE("capturable"),
};

/*
 * An update uses the eta and mu that the parameter's update before it left (lr and 1 at first), and
 * leaves eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0). PyTorch keeps both in
 * float32 whatever the parameters are, and so does this.
 */
static void asgd_prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                         an_update *out)
{
    const an_asgd_options *o = &options->asgd;
    double *eta = optim->number[0], *mu = optim->number[1];
    bool first = optim->steps[run->first] == 0;
    double t = (double)(optim->steps[run->first] + 1);
    double rate = first ? (double)(float)o->lr : eta[run->first];
    out->kernel = AN_UPDATE_ASGD;
    out->vectors = AN_FIRST(1);
    out->scalars.asgd = (an_asgd_scalars){
        .slope = {o->maximize ? -1 : 1, o->weight_decay},
        .shrink = 1 - o->lambd * rate,
        .eta = rate,
        .mu = first ? 1 : mu[run->first],
    };
    for (size_t i = run->first; i < run->end; i++) {
        eta[i] = (double)(float)(o->lr / pow(1 + o->lambd * o->lr * t, o->alpha));
        mu[i] = (double)(float)(1 / fmax(1, t - o->t0));
    }
}

const an_rule an__rule_ASGD = {
    .name = "ASGD",
    AN_RULE_OPTIONS(asgd_table),
    .timed = true,
    .vector_names = {"ax"},
    .number_names = {"eta", "mu"},
    .prepare = asgd_prepare,
};

AN_RULE_DOOR(asgd, an_asgd_options, ASGD, asgd)
