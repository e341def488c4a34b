/* schedule.c - stepping a schedule. */
#include "lr/numeric.h"

#include "lr/node.h"

/* -------------------------------------------------------------- one step, one slot */

/*
 * The momentum that a track writes beside its rate. Where a node of Anneal's own is in the tree it
 * follows from the time alone: what nobody has driven yet is what the schedule found.
 */
static void write_momentum(const an__lr_track *track, an__lr_member *m, const an__lr_time *t,
                           bool hold)
{
    an_slot *slot = an__lr_momentum_slot(m->group);
    const an__lr_node *root = track->root;
    if (!slot)
        return;
    if (track->holds_momentum)
        slot->value = slot->initial;
    if (root->class->momentum)
        root->class->momentum(root, m->index, an__lr_whole(t->at[AN_STEPS]), &track->memo,
                              &slot->value);
    else
        an__lr_momentum(root, m->index, t, hold || track->holds_momentum, &slot->value);
}

void an__lr_write_start(const an_lr_schedule *s, an__lr_member *m, const an__lr_time *t, bool hold)
{
    for (size_t i = 0; i < s->track_count; i++)
        if (s->tracks[i].drives_momentum && an__lr_covers(&s->tracks[i], m))
            write_momentum(&s->tracks[i], m, t, hold);
}

/* A counting root goes from step to step as PyTorch does; over several at once by its formula. */
static double counted(const an__lr_track *track, const an__lr_member *m, int64_t from, int64_t to,
                      double lr)
{
    const an__lr_node *root = track->root;
    if (to > from + 1 && !root->observes && !an__lr_replays(root))
        return an__lr_value(root, m, to);
    for (int64_t e = from + 1; e <= to; e++)
        lr = root->class->next(root, m, e, lr);
    return lr;
}

/* Moves a track, and the slots that it drives, from time `from` to `to` on the schedule's plan. */
static void move_track(an_lr_schedule *s, an__lr_track *track, const an__lr_time *from,
                       const an__lr_time *to)
{
    const an__lr_node *root = track->root;
    int64_t e = an__lr_whole(to->at[AN_STEPS]), before = an__lr_whole(from->at[AN_STEPS]);
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_member *m = an__lr_member_at(s, i);
        an_slot *slot = &m->group->slot[track->slot];
        double rate;
        if (!an__lr_covers(track, m))
            continue;
        if (track->slot == AN_LR && an__lr_landed(s, m, to, &slot->value))
            continue;
        if (root->class->rate)
            rate = an__lr_rate(root, m, to, an__lr_base(root, m));
        else if (root->class->step && e == before + 1)
            rate = root->class->step(root, m, e, slot->value, &track->memo);
        else
            rate = counted(track, m, before, e, slot->value);
        slot->value = isnan(rate) && root->class->rate ? slot->value : rate;
        if (track->slot == AN_LR && s->landing)
            an__lr_begin_landing(s, m, to);
        if (track->drives_momentum)
            write_momentum(track, m, to, false);
    }
}

static void move(an_lr_schedule *s, const an__lr_time *from, const an__lr_time *to)
{
    s->ended = false;
    for (size_t i = 0; i < s->track_count; i++) {
        move_track(s, &s->tracks[i], from, to);
        s->ended |= s->may_end && an__lr_past_error(s->tracks[i].root, to);
    }
}

void an__lr_rewrite(an_lr_schedule *s)
{
    an__lr_time now = an__lr_plan_now(s);
    for (size_t i = 0; i < s->track_count; i++)
        if (s->tracks[i].root->class->rate)
            move_track(s, &s->tracks[i], &now, &now);
}

/* ------------------------------------------------------------------- steps */

/* Almost every schedule: one tree over the learning rate, on the steps themselves. */
static bool is_plain(const an_lr_schedule *s)
{
    return s->plain && s->edit_count == 0 && !(s->landing && s->landing->active);
}

/* What its root makes of the rate `lr`, by the shortest way. */
static double plain_rate(const an__lr_node *root, const an__lr_member *m, const an__lr_time *now,
                         double lr, an__lr_memo *memo)
{
    const an__lr_class *class = root->class;
    int64_t e = (int64_t)now->at[AN_STEPS];
    if (class->step)
        return class->step(root, m, e, lr, memo);
    if (!class->rate)
        return class->next(root, m, e, lr);
    double rate = an__lr_rate(root, m, now, an__lr_base(root, m));
    return isnan(rate) ? lr : rate;
}

/* move_track for these. */
static void step_plain(an_lr_schedule *s)
{
    an__lr_track *track = s->tracks;
    s->now.at[AN_STEPS] += 1;
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_member *m = an__lr_member_at(s, i);
        double *lr = &m->group->slot[AN_LR].value;
        *lr = plain_rate(track->root, m, &s->now, *lr, &track->memo);
        if (track->drives_momentum)
            write_momentum(track, m, &s->now, false);
    }
}

static bool plateau_alone(const an_lr_schedule *s)
{
    return s->root->desc.kind == AN_PLATEAU_LR;
}

void an_lr_step(an_lr_schedule *schedule)
{
    an_lr_schedule *s = schedule;
    if (plateau_alone(s))
        return;
    if (is_plain(s)) {
        step_plain(s);
        return;
    }
    if (s->root->observes) {
        an_lr_step_with(s, &(an_lr_input){0});
        return;
    }
    an__lr_time from = an__lr_plan_now(s);
    s->now.at[AN_STEPS] += 1;
    an__lr_time to = an__lr_plan_now(s);
    move(s, &from, &to);
}

void an_lr_step_metric(an_lr_schedule *schedule, double metric)
{
    an__lr_node *root = schedule->root;
    if (!root->observes) {
        an_lr_step(schedule);
        return;
    }
    an_lr_input input = {.metric = metric, .loss = metric, .has_metric = true, .has_loss = true};
    if (is_plain(schedule)) { /* a ReduceLROnPlateau at the top */
        root->acted = root->class->feedback->observe(root, &input);
        if (root->acted)
            step_plain(schedule);
        else
            schedule->now.at[AN_STEPS] += 1;
    } else {
        an_lr_step_with(schedule, &input);
    }
}

/* Without a metric a plateau counts no step, but a landing begins at the time that it has then. */
static void tell_time(an_lr_schedule *s, an_lr_clock clock)
{
    clock.steps = s->now.at[AN_STEPS];
    an__lr_set_clock(s, &clock);
}

void an_lr_step_with(an_lr_schedule *schedule, const an_lr_input *input)
{
    static const an_lr_input nothing = {0};
    an_lr_schedule *s = schedule;
    input = input ? input : &nothing;
    if (plateau_alone(s) && !input->has_metric) {
        if (input->clock)
            tell_time(s, *input->clock);
        return;
    }
    an__lr_time from = an__lr_plan_now(s);
    if (s->root->observes)
        an__lr_observe(s->root, &from, input);
    if (input->clock)
        an__lr_set_clock(s, input->clock);
    else
        s->now.at[AN_STEPS] += 1;
    an__lr_time to = an__lr_plan_now(s);
    if (s->run.clocked || s->run.seconds > 0)
        an__lr_record(s->root, &to);
    move(s, &from, &to);
}

bool an_lr_step_to(an_lr_schedule *schedule, int64_t step, an_error *err)
{
    an_lr_schedule *s = schedule;
    if (an_lr_wants_metric(s))
        return an_error_set(err, AN_ERROR_STATE,
                            "%s follows a metric, so its rate at a step is not known beforehand",
                            an_lr_name(s->root->desc.kind));
    if (an_lr_wants_clock(s))
        return an_error_set(err, AN_ERROR_STATE, "%s follows a clock; step it with an_lr_step_with",
                            an_lr_name(s->root->desc.kind));
    if (step < 0 || (double)step > AN__LR_INTEGER_MAX)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the step of a schedule must be from 0 to 2^53, got %lld",
                            (long long)step);
    s->now.at[AN_STEPS] = (double)step;
    an__lr_write_values(s);
    return true;
}

/* --------------------------------------------------------------- questions */

bool an_lr_wants_metric(const an_lr_schedule *schedule)
{
    return schedule->root->observes;
}

bool an_lr_ended(const an_lr_schedule *schedule)
{
    return schedule->ended;
}

int64_t an_lr_step_count(const an_lr_schedule *schedule)
{
    return (int64_t)schedule->now.at[AN_STEPS];
}

const an_lr_desc *an_lr_desc_of(const an_lr_schedule *schedule)
{
    return &schedule->root->desc;
}
