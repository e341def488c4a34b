/*
 * Stochastic gradient descent with momentum as torch.optim.SGD does it (Sutskever, Martens, Dahl,
 * Hinton: On the importance of initialization and momentum in deep learning; ICML 2013): the rate
 * stays outside the momentum buffer, so changing it acts at once.
 */
#include "optim/rule.h"

#define ROW(name, ...) AN_OPTION(#name, an_sgd_options, name, __VA_ARGS__)

static const an_option table[] = {
    ROW(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3),
    ROW(momentum, NUMBER, NOT_NEGATIVE, AN_MOMENTUM, 0),
    ROW(dampening, NUMBER, FINITE, AN_NO_SLOT, 0),
    ROW(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    ROW(nesterov, FLAG, FINITE, AN_NO_SLOT, 0),
    ROW(maximize, FLAG, FINITE, AN_NO_SLOT, 0),
    AN_OPTION_IGNORE("foreach"),
    AN_OPTION_IGNORE("differentiable"),
    AN_OPTION_IGNORE("fused"),
};

/* At a parameter's first step the buffer becomes the gradient, undampened. */
static void prepare(an_optim *optim, const an_param_run *run, const an_options *options,
                    an_update *out)
{
    const an_sgd_options *o = &options->sgd;
    bool first = optim->steps[run->first] == 0, momentum = o->momentum != 0;
    out->kernel = AN_UPDATE_SGD;
    out->vectors = AN_FIRST(momentum ? 1 : 0);
    out->uncounted = !momentum;
    out->scalars.sgd = (an_sgd_scalars){
        .slope = {o->maximize ? -1 : 1, o->weight_decay},
        .keep = first ? 0 : o->momentum,
        .take = first ? 1 : 1 - o->dampening,
        .nesterov = o->nesterov ? o->momentum : 0,
        .lr = o->lr,
    };
}

static bool check(const an_options *options, char *message, size_t size)
{
    const an_sgd_options *o = &options->sgd;
    if (!o->nesterov || (o->momentum > 0 && o->dampening == 0)) {
        return true;
    }
    an_format(message, size, "SGD: nesterov needs a momentum above 0 and a dampening of 0");
    return false;
}

/* The momentum buffer is there from the start: a schedule may raise a momentum of 0 at any time. */
const an_rule an__rule_SGD = {
    .name = "SGD",
    AN_RULE_OPTIONS(table),
    .check = check,
    .vector_names = {"momentum_buffer"},
    .prepare = prepare,
};

AN_RULE_DOOR(sgd, an_sgd_options, SGD, sgd)
