/*
 * Stochastic gradient descent with momentum as torch.optim.SGD does it (Sutskever, Martens, Dahl,
 * Hinton: On the importance of initialization and momentum in deep learning; ICML 2013): the rate
 * stays outside the momentum buffer, so changing it acts at once.
 */
#include "optim/rule.h"
#include "optim/scalars.h"

#define ROW(name, ...) AN_OPTION(#name, an_sgd_options, name, __VA_ARGS__)

static const an_option sgd_table[] = {
    ROW(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3),
    ROW(momentum, NUMBER, NOT_NEGATIVE, AN_MOMENTUM, 0),
    ROW(dampening, NUMBER, FINITE, AN_NO_SLOT, 0),
    ROW(weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    ROW(nesterov, FLAG, FINITE, AN_NO_SLOT, 0),
    ROW(maximize, FLAG, FINITE, AN_NO_SLOT, 0),
};

#define SGD_OPTIONS (sizeof sgd_table / sizeof sgd_table[0])

an_sgd_scalars an__sgd_scalars(const an_sgd_options *options, bool first)
{
    return (an_sgd_scalars){
        .sign = options->maximize ? -1 : 1,
        .decay = options->weight_decay,
        .keep = first ? 0 : options->momentum,
        .take = first ? 1 : 1 - options->dampening,
        .nesterov = options->nesterov ? options->momentum : 0,
        .lr = options->lr,
    };
}

typedef struct sgd_work {
    const an_update_table *kernels;
    an_sgd_scalars scalars;
    float *values, *buffer;
    const float *grads;
} sgd_work;

static void sgd_task(void *arg, int64_t begin, int64_t end)
{
    const sgd_work *work = arg;
    work->kernels->sgd(&work->scalars, end - begin, work->values + begin, work->grads + begin,
                       work->buffer ? work->buffer + begin : NULL);
}

static bool sgd_update(an_optim *optim, const an_run *run, const an_options *options)
{
    an_context *context = an_params_context(optim->params);
    bool momentum = options->sgd.momentum != 0;
    sgd_work work = {
        .kernels = an__kernels(context)->update,
        .scalars = an__sgd_scalars(&options->sgd, optim->steps[run->first] == 0),
        .values = an_params_values(optim->params) + run->begin,
        .grads = an_params_grads(optim->params) + run->begin,
        .buffer = momentum ? optim->vector[0] + run->begin : NULL,
    };
    an__parallel(context, run->count, AN_UPDATE_GRAIN, sgd_task, &work);
    return momentum;
}

static bool sgd_check(const an_options *options, char *message, size_t size)
{
    const an_sgd_options *o = &options->sgd;
    if (!o->nesterov || (o->momentum > 0 && o->dampening == 0)) {
        return true;
    }
    an_format(message, size, "SGD: nesterov needs a momentum above 0 and a dampening of 0");
    return false;
}

/* The momentum buffer is there from the start: a schedule may raise a momentum of 0 at any time. */
static int sgd_vectors(const an_options *options)
{
    (void)options;
    return 1;
}

const an_rule an__rule_SGD = {
    .name = "SGD",
    .options = sgd_table,
    .option_count = SGD_OPTIONS,
    .check = sgd_check,
    .vectors = sgd_vectors,
    .vector_names = {"momentum_buffer"},
    .update = sgd_update,
};

an_sgd_options an_sgd_defaults(void)
{
    an_options options = {0};
    an__options_default(sgd_table, SGD_OPTIONS, &options);
    return options.sgd;
}

an_optim *an_sgd_new(an_params *params, const an_sgd_options *options, an_error *err)
{
    an_options all = {.sgd = *options};
    return an__optim_from_options(params, &an__rule_SGD, &all, err);
}
