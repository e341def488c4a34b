/* The schedule of a run that goes on: the saved one, or the new one, stretched or landed. */
#include "train/restore.h"

#include <anneal/lr_text.h>

/* The groups' values as they were, unless the optimizer has new ones. */
static bool load_slots(an__restore *r)
{
    const an__section *groups = an__container_find(&r->container, "groups");
    if (r->same_optimizer)
        an__slots_load(r->fit->options->optim, groups->bytes);
    return true;
}

/* How often the schedule had been stepped. */
static int64_t schedule_steps(const an__restore *r)
{
    const an_record *record = &r->state.record;
    bool by_step = r->fit->options->interval == AN_INTERVAL_STEP;
    return by_step ? record->step : record->epoch - (r->state.in_epoch != 0);
}

/* The new schedule, as if it had been there from the beginning; one with a clock is told later. */
static bool adopt_fresh(an__restore *r)
{
    struct an_lr_schedule *schedule = r->fit->options->schedule;
    an__note(r, schedule ? "another schedule" : "no schedule any more");
    if (!schedule || an_lr_wants_metric(schedule) || an_lr_wants_clock(schedule))
        return true;
    return an_lr_step_to(schedule, schedule_steps(r), r->err);
}

static bool adopt_schedule(an__restore *r, const an__section *saved)
{
    an_lr_changes changes = {0};
    struct an_lr_schedule *schedule = r->fit->options->schedule;
    bool same_interval = r->state.interval == (int64_t)r->fit->options->interval;
    if (!saved && !schedule)
        return load_slots(r);
    if (!saved || !schedule || !same_interval || !r->same_optimizer ||
        !an_lr_state_load(schedule, saved->bytes, saved->size, AN_LR_ADOPT, &changes, NULL))
        return adopt_fresh(r);
    if (changes.count > 0)
        an__note(r, changes.text);
    return true;
}

static bool refuse_schedule(an__restore *r, const an__section *saved)
{
    struct an_lr_schedule *schedule = r->fit->options->schedule;
    if (!saved && !schedule)
        return true;
    if (!saved || !schedule)
        return an_error_set(r->err, AN_ERROR_STATE, "%s was trained %s schedule; %s", r->path,
                            saved ? "under a" : "without a", an__resume_advice);
    if (r->state.interval != (int64_t)r->fit->options->interval)
        return an_error_set(r->err, AN_ERROR_STATE,
                            "%s: the schedule was stepped at the other interval; %s", r->path,
                            an__resume_advice);
    an_lr_changes changes = {0};
    if (an_lr_state_load(schedule, saved->bytes, saved->size, AN_LR_REFUSE, &changes, r->err))
        return true;
    if (changes.count > 0)
        return an_error_set(r->err, AN_ERROR_STATE, "%s: the schedule has changed, %s; %s", r->path,
                            changes.text, an__resume_advice);
    an_error_prefix(r->err, "%s: ", r->path);
    return false;
}

/* How often going on under these options edits the schedule: see an_lr_run.edits. */
static int edits_to_come(const an_fit_options *o)
{
    return (o->policy == AN_RESUME_EXTEND) + (o->landing.length.value > 0);
}

/* The saved schedule, made anew from its own description. */
static bool keep_schedule(an__restore *r, const an__section *saved)
{
    an__fit *f = r->fit;
    an_optim *optim = f->options->optim;
    const an_allocator *allocator =
        an_context_allocator(an_params_context(an_model_params(f->options->model)));
    f->interval = (an_interval)r->state.interval;
    f->schedule = NULL;
    if (!saved)
        return true;
    an_lr_run run;
    if (!an_lr_state_run(saved->bytes, saved->size, &run, r->err))
        return false;
    run.edits += edits_to_come(f->options);
    if (run.edits > AN_LR_MOST_EDITS)
        run.edits = AN_LR_MOST_EDITS;
    an_lr_text *text = an_lr_state_desc(saved->bytes, saved->size, allocator, r->err);
    if (!text)
        return false;
    an_lr_free(f->kept);
    an_lr_text_free(f->kept_text);
    f->kept_text = text; /* the schedule uses its lambdas */
    f->kept = an_lr_new_run(an_lr_text_desc(text), &run, an_optim_groups(optim),
                            an_optim_group_count(optim), allocator, r->err);
    f->schedule = f->kept;
    return f->kept &&
           an_lr_state_load(f->kept, saved->bytes, saved->size, AN_LR_REFUSE, NULL, r->err);
}

/* The saved schedule arrives where the present run ends. */
static bool extend_schedule(an__restore *r)
{
    const an__fit *f = r->fit;
    const an_fit_options *o = f->options;
    const bool by_step = f->interval == AN_INTERVAL_STEP;
    const int64_t steps = by_step ? an_fit_total_steps(o) : f->record.epochs;
    const an_lr_length total = o->budget > 0 ? (an_lr_length){o->budget, AN_SECONDS}
                                             : (an_lr_length){(double)steps, AN_STEPS};
    if (!f->schedule)
        return true;
    if (!an_lr_extend(f->schedule, total, r->err)) {
        an_error_prefix(r->err, "%s: ", r->path);
        return false;
    }
    an__note(r, "the schedule is stretched to the new end");
    return true;
}

/* The tail that the options ask for; what is saved at once, since the checkpoint knows no tail. */
static bool land_schedule(an__restore *r)
{
    const an_landing *landing = &r->fit->options->landing;
    if (!(landing->length.value > 0))
        return true;
    if (!r->fit->schedule)
        return an_error_set(r->err, AN_ERROR_STATE, "%s has no schedule that could land", r->path);
    if (!an_lr_land(r->fit->schedule, landing->length, landing->tail, landing->end, r->err)) {
        an_error_prefix(r->err, "%s: ", r->path);
        return false;
    }
    an__note(r, "the schedule lands");
    return true;
}

bool an__restore_kept(an__restore *r)
{
    const an__section *saved = an__container_find(&r->container, "schedule");
    const an_resume_policy policy = r->fit->options->policy;
    if (r->back || (policy != AN_RESUME_KEEP && policy != AN_RESUME_EXTEND))
        return true;
    if (!load_slots(r) || !keep_schedule(r, saved))
        return false;
    an__look_at_schedule(r->fit);
    return true;
}

bool an__restore_schedule(an__restore *r)
{
    const an__section *saved = an__container_find(&r->container, "schedule");
    if (r->back)
        return load_slots(r) &&
               (!saved || !r->fit->schedule ||
                an_lr_roll_back(r->fit->schedule, saved->bytes, saved->size, r->err));
    switch (r->fit->options->policy) {
    case AN_RESUME_KEEP:
    case AN_RESUME_EXTEND:
        return true; /* it is there */
    case AN_RESUME_ADOPT:
        return adopt_schedule(r, saved);
    case AN_RESUME_REFUSE:
        break;
    }
    return load_slots(r) && refuse_schedule(r, saved);
}

/* A run whose rates have landed at 0 has nothing more to learn. */
static bool check_landed(an__restore *r)
{
    const an__fit *f = r->fit;
    return !f->schedule || !an_lr_has_landed(f->schedule) ||
           r->state.record.step >= an_fit_total_steps(f->options) ||
           an_error_set(r->err, AN_ERROR_STATE,
                        "%s: the schedule of this run has landed, and every further rate would be "
                        "0; go on from a checkpoint before that (anneal resume --checkpoint FILE)",
                        r->path);
}

bool an__edit_schedule(an__restore *r)
{
    if (r->back)
        return true;
    an__tell_time(r->fit);
    return check_landed(r) && (r->fit->options->policy != AN_RESUME_EXTEND || extend_schedule(r)) &&
           land_schedule(r);
}
