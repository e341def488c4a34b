/* What a schedule may drive besides rates: clipping, smoothing, dropout, the size of batches. */
#include "train/fit.h"

/* Whether the schedule drives a slot that group 0 has. */
static bool drives(const an__fit *f, an_slot_id id)
{
    return f->schedule && an_lr_drives(f->schedule, id) &&
           an_optim_group(f->options->optim, 0)->slot[id].present;
}

double an__driven(const an__fit *f, an_slot_id id, double otherwise)
{
    return drives(f, id) ? an_optim_group(f->options->optim, 0)->slot[id].value : otherwise;
}

static bool lands_by_the_clock(const an_fit_options *o)
{
    return o->resume && o->landing.length.value > 0 && o->landing.length.unit == AN_SECONDS;
}

void an__look_at_schedule(an__fit *f)
{
    const an_fit_options *o = f->options;
    f->control.schedule = f->schedule;
    f->control.by_step = f->interval == AN_INTERVAL_STEP;
    f->drops = drives(f, AN_DROPOUT);
    f->sizes = drives(f, AN_BATCH_SIZE);
    f->clocked = o->budget > 0 || lands_by_the_clock(o) || f->sizes ||
                 (f->schedule && an_lr_wants_clock(f->schedule));
}

bool an__size_batches(an__fit *f, an_error *err)
{
    an_loader *loader = f->options->train;
    if (!f->sizes)
        return true;
    const double size = an__driven(f, AN_BATCH_SIZE, 1);
    if (!(size >= 0.5 && size < 1e9))
        return an_error_set(err, AN_ERROR_NUMERIC,
                            "the schedule's batch_size is %g at step %lld; it must come to at "
                            "least 1",
                            size, (long long)f->record.step);
    const int64_t whole = (int64_t)(size + 0.5), samples = an_loader_samples(loader);
    if (!an_loader_set_batch_size(loader, whole, err))
        return false;
    f->full = whole < samples ? whole : samples;
    f->record.batches = an_loader_batches(loader);
    return true;
}
