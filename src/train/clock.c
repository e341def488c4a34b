/* The clocks of a fit: what was measured, what of it counts, and what the schedule is told. */
#include "train/fit.h"

#include <time.h>

double an__now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void an__start_clock(an__fit *f)
{
    f->seconds = f->record.seconds;
    f->begun = an__now() - f->seconds;
    f->epoch_begun = an__now() - f->record.epoch_seconds;
}

void an__pause_since(an__fit *f, double moment)
{
    const double pause = an__now() - moment;
    f->begun += pause;
    f->epoch_begun += pause;
    f->batch_begun += pause;
}

/* Time that is shown otherwise than it was measured goes on from what was shown. */
void an__tick(an__fit *f)
{
    const an_clock_source *source = &f->options->clock;
    const double measured = an__now() - f->begun;
    double seconds = measured;
    if (f->clocked && source->seconds)
        seconds = source->seconds(source->user, f->record.step, measured);
    f->seconds = seconds > f->seconds ? seconds : f->seconds;
    f->begun += measured - f->seconds;
    f->epoch_begun += measured - f->seconds;
}

an_lr_clock an__clock_of(const an__fit *f)
{
    const an_record *r = &f->record;
    const bool by_step = f->interval == AN_INTERVAL_STEP;
    const double samples = (double)r->samples;
    return (an_lr_clock){.steps = (double)(by_step ? r->step : r->epoch - f->in_epoch),
                         .epochs = samples / (double)r->train_samples,
                         .samples = samples,
                         .tokens = samples * (double)(f->labels > 1 ? f->labels : 1),
                         .seconds = f->seconds};
}
