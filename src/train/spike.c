/* A SpikeGuard in the schedule: it needs something to go back to, and hears of every loss. */
#include "train/fit.h"

#include <anneal/lr_text.h>

static bool has_guard(const an_lr_desc *desc)
{
    bool found = desc->kind == AN_LR_SPIKE;
    for (size_t i = 0; !found && i < an_lr_child_count(desc); i++)
        found = has_guard(an_lr_child(desc, i));
    return found;
}

bool an__save_the_beginning(an__fit *f, an_error *err)
{
    const bool saves = f->options->checkpoints && f->saved_step < 0;
    return !saves || !f->schedule || !has_guard(an_lr_desc_of(f->schedule)) ||
           an__save(f, false, err);
}

void an__warn_schedule(an__fit *f, double loss)
{
    if (!f->schedule || f->interval != AN_INTERVAL_STEP || !an_lr_wants_metric(f->schedule))
        return;
    const an_lr_clock now = an_lr_now(f->schedule);
    an_lr_step_with(f->schedule, &(an_lr_input){.clock = &now, .loss = loss, .has_loss = true});
    if (an_lr_wants_rollback(f->schedule))
        f->control.roll_back = true;
}
