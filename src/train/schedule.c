/* The schedule's steps: when, at which clock, with which metric. */
#include "train/fit.h"

/* What the schedule is fed: over the last update, or over the epoch and its validation. */
static double monitored(const an__fit *f, const an__tally *sum)
{
    switch (f->options->monitor) {
    case AN_MONITOR_TRAIN_LOSS:
        return an__tally_loss(sum);
    case AN_MONITOR_TRAIN_ACCURACY:
        return an__tally_accuracy(f, sum);
    case AN_MONITOR_VALID_LOSS:
        return f->record.valid_loss;
    case AN_MONITOR_VALID_ACCURACY:
        return f->record.valid_accuracy;
    case AN_MONITOR_METRIC_MIN:
    case AN_MONITOR_METRIC_MAX:
        return an__monitored_metric(f, sum);
    case AN_MONITOR_AUTO:
        break;
    }
    bool valid = f->options->valid && f->interval == AN_INTERVAL_EPOCH;
    return valid ? f->record.valid_loss : an__tally_loss(sum);
}

void an__step_schedule(an__fit *f, an_interval when, const an__tally *sum)
{
    struct an_lr_schedule *schedule = f->schedule;
    if (!schedule || f->interval != when)
        return;
    const an_lr_clock clock = an__clock_of(f);
    an_lr_input input = {.clock = f->clocked ? &clock : NULL};
    if (an_lr_wants_metric(schedule)) {
        input.has_metric = input.has_loss = true;
        input.metric = monitored(f, sum);
        input.loss = an__tally_loss(sum);
    }
    an_lr_step_with(schedule, &input);
    if (an_lr_wants_rollback(schedule))
        f->control.roll_back = true;
    an__announce_rates(f);
}

void an__tell_time(an__fit *f)
{
    const an_lr_clock now = an__clock_of(f);
    if (f->schedule && f->clocked)
        an_lr_step_with(f->schedule, &(an_lr_input){.clock = &now});
}
