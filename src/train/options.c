/* The options of a fit: defaults, what they come to in steps, and which of them do not fit. */
#include "train/fit.h"

#include <anneal/lr.h>

#include <math.h>

an_fit_options an_fit_defaults(void)
{
    return (an_fit_options){
        .accumulate = 1, .interval = AN_INTERVAL_EPOCH, .monitor = AN_MONITOR_AUTO, .keep = 2};
}

/* ceil(count / size), without overflow; size >= 1, count >= 0. */
static int64_t parts(int64_t count, int64_t size)
{
    return count / size + (count % size != 0);
}

int64_t an_fit_steps_per_epoch(const an_fit_options *options)
{
    return parts(an_loader_batches(options->train), options->accumulate);
}

int64_t an_fit_total_steps(const an_fit_options *options)
{
    int64_t each = an_fit_steps_per_epoch(options);
    if (options->steps > 0)
        return options->steps;
    return each > 0 && options->epochs > INT64_MAX / each ? INT64_MAX : options->epochs * each;
}

static bool check_length(const an_fit_options *o, an_error *err)
{
    if (o->epochs < 0 || o->steps < 0 || (o->epochs == 0) == (o->steps == 0))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "one of epochs and steps must be positive and the other 0, got "
                            "epochs %lld and steps %lld",
                            (long long)o->epochs, (long long)o->steps);
    if (o->accumulate < 1)
        return an_error_set(err, AN_ERROR_ARGUMENT, "accumulate must be at least 1, got %lld",
                            (long long)o->accumulate);
    if (an_loader_batches(o->train) < 1)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the training loader delivers no batch; with drop_last, batch_size "
                            "must not be above the number of samples");
    return true;
}

static bool check_budget(const an_fit_options *o, an_error *err)
{
    if (!(o->budget >= 0) || isinf(o->budget))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "budget must be a finite number of seconds, 0 or more, got %g",
                            o->budget);
    return o->budget == 0 || !o->schedule || o->interval == AN_INTERVAL_STEP ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "under a budget the schedule is stepped after every update: use interval "
                        "step");
}

/* A metric-driven schedule can only be fed what the trainer has at the moment of its step. */
static bool check_monitor(const an_fit_options *o, an_error *err)
{
    bool valid = o->monitor == AN_MONITOR_VALID_LOSS || o->monitor == AN_MONITOR_VALID_ACCURACY;
    if (!valid || !o->schedule || !an_lr_wants_metric(o->schedule))
        return true;
    if (o->interval == AN_INTERVAL_STEP)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "monitor: a schedule stepped after every update cannot watch the "
                            "validation, which happens once an epoch; use interval epoch, or "
                            "monitor train_loss");
    if (!o->valid)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "monitor: the schedule watches the validation, but there is no "
                            "validation set; set validation, or monitor train_loss");
    return true;
}

bool an__fit_check(const an_fit_options *o, an_error *err)
{
    if (!o->model || !o->optim || !o->train)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "a fit needs a model, an optimizer and a training loader");
    if (an_optim_needs_closure(o->optim))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s evaluates the loss several times in a step, which a fit does not; "
                            "write the loop with an_optim_step_closure, or take another optimizer",
                            an_optim_text(o->optim));
    if (o->average && an_optim_has_modes(o->optim))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s evaluates an average of its own; leave out the average %s",
                            an_optim_text(o->optim), an_average_text(o->average));
    if (o->loss.reduction == AN_REDUCE_NONE)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the loss is left without a reduction, but a fit needs one number; "
                            "take the mean or the sum");
    if (!(o->clip_grad_norm >= 0) || isinf(o->clip_grad_norm))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "clip_grad_norm must be a positive number, or 0 for no clipping, "
                            "got %g",
                            o->clip_grad_norm);
    if (o->keep < 0)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "keep must be at least 0 (all checkpoints stay), got %lld",
                            (long long)o->keep);
    return check_length(o, err) && check_budget(o, err) && an__metrics_check(o, err) &&
           check_monitor(o, err);
}
