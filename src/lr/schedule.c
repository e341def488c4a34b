/* schedule.c - stepping a schedule, and asking it for values. */
#include "lr/numeric.h"

#include "lr/node.h"

static const double nothing = NAN;

void an__lr_write_momentum(const an_lr_schedule *s, an__lr_member *m, int64_t e, bool hold)
{
    an_slot *slot = s->drives_momentum ? an__lr_momentum_slot(m->group) : NULL;
    const an__lr_node *root = s->root;
    if (!slot)
        return;
    if (s->holds_momentum)
        slot->value = slot->initial;
    if (root->class->momentum)
        root->class->momentum(root, m->index, e, &s->memo, &slot->value);
    else
        an__lr_momentum(root, m->index, &(an__lr_time){{(double)e}}, hold || s->holds_momentum,
                        &slot->value);
}

bool an_lr_wants_metric(const an_lr_schedule *schedule)
{
    return schedule->root->desc.kind == AN_PLATEAU_LR;
}

void an_lr_step(an_lr_schedule *schedule)
{
    const an__lr_node *root = schedule->root;
    if (root->desc.kind == AN_PLATEAU_LR)
        return;
    int64_t e = ++schedule->clock;
    for (size_t i = 0; i < schedule->member_count; i++) {
        an__lr_member *m = an__lr_member_at(schedule, i);
        an_slot *lr = &m->group->slot[AN_LR];
        if (root->class->step)
            lr->value = root->class->step(root, m, e, lr->value, &schedule->memo);
        else
            lr->value = root->class->next(root, m, e, lr->value);
        an__lr_write_momentum(schedule, m, e, false);
    }
}

void an_lr_step_metric(an_lr_schedule *schedule, double metric)
{
    if (an_lr_wants_metric(schedule))
        an__lr_plateau_step(schedule, metric);
    else
        an_lr_step(schedule);
}

int64_t an_lr_step_count(const an_lr_schedule *schedule)
{
    return schedule->clock;
}

const an_lr_desc *an_lr_desc_of(const an_lr_schedule *schedule)
{
    return &schedule->root->desc;
}

bool an_lr_drives(const an_lr_schedule *schedule, an_slot_id id)
{
    if (id == AN_LR)
        return true;
    if (!schedule->drives_momentum || (unsigned)id >= AN_SLOT_COUNT)
        return false;
    for (size_t i = 0; i < schedule->member_count; i++) {
        an_lr_group *group = an__lr_member_at(schedule, i)->group;
        if (an__lr_momentum_slot(group) == &group->slot[id])
            return true;
    }
    return false;
}

/* The driven momentum of one group; before the first write it is what the schedule found. */
static double momentum_at(const an_lr_schedule *s, const an__lr_member *m, an_slot_id id, int64_t e)
{
    const an_slot *slot = &m->group->slot[id];
    if (!s->drives_momentum || an__lr_momentum_slot(m->group) != slot)
        return nothing;
    double momentum = slot->initial;
    an__lr_momentum(s->root, m->index, &(an__lr_time){{(double)e}}, true, &momentum);
    return momentum;
}

double an_lr_at(const an_lr_schedule *schedule, size_t group, an_slot_id id, int64_t step)
{
    if (an_lr_wants_metric(schedule) || group >= schedule->member_count || step < 0 ||
        (double)step > AN__LR_INTEGER_MAX || (unsigned)id >= AN_SLOT_COUNT)
        return nothing;
    const an__lr_member *m = an__lr_member_at(schedule, group);
    return id == AN_LR ? an__lr_value(schedule->root, m, step) : momentum_at(schedule, m, id, step);
}

bool an_lr_step_to(an_lr_schedule *schedule, int64_t step, an_error *err)
{
    an_lr_schedule *s = schedule;
    if (an_lr_wants_metric(s))
        return an_error_set(err, AN_ERROR_STATE,
                            "%s follows a metric, so its rate at a step is not known beforehand",
                            an_lr_name(s->root->desc.kind));
    if (step < 0 || (double)step > AN__LR_INTEGER_MAX)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the step of a schedule must be from 0 to 2^53, got %lld",
                            (long long)step);
    s->clock = step;
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_member *m = an__lr_member_at(s, i);
        an_slot *momentum = an__lr_momentum_slot(m->group);
        m->group->slot[AN_LR].value = an__lr_value(s->root, m, step);
        if (momentum && s->drives_momentum)
            momentum->value = momentum_at(s, m, (an_slot_id)(momentum - m->group->slot), step);
    }
    return true;
}

double an_lr_at_step(const an_lr_schedule *schedule, size_t group, int64_t step)
{
    return an_lr_at(schedule, group, AN_LR, step);
}

bool an_lr_replays(const an_lr_schedule *schedule)
{
    return an__lr_replays(schedule->root);
}

/* A schedule that replays is replayed once, not once for every value. */
void an_lr_values(const an_lr_schedule *schedule, size_t group, an_slot_id id, int64_t first,
                  double *out, size_t count)
{
    const an__lr_node *root = schedule->root;
    bool replays = id == AN_LR && first >= 0 && group < schedule->member_count &&
                   (double)first + (double)count < AN__LR_INTEGER_MAX && an__lr_replays(root);
    for (size_t i = 0; i < count; i++) {
        int64_t e = first > INT64_MAX - (int64_t)i ? -1 : first + (int64_t)i;
        if (replays && i > 0)
            out[i] = root->class->next(root, an__lr_member_at(schedule, group), e, out[i - 1]);
        else
            out[i] = an_lr_at(schedule, group, id, e);
    }
}
