/* lint_fix_length.c - corrections of lengths: what was meant fills its turn, or ends with it. */
#include "lr/numeric.h"

#include "lr/lint_fix.h"

bool an__fix_length_to_turn(an__fixing *f)
{
    bool missed = f->part->length == an__lint_turn(f->part);
    return an__fixing_set_length(f->desc, an__lint_turn(f->part) - (missed ? 1 : 0));
}

bool an__fix_hold_at_end(an__fixing *f)
{
    if (!an__lint_param(f->desc, "after_end"))
        return false;
    f->desc->after_end = AN_END_HOLD;
    return true;
}

bool an__fix_short_warmup(an__fixing *f)
{
    return f->part->composed == 0 &&
           an__fixing_set_length(f->desc, fmax(1, floor(an__lint_turn(f->part) / 10)));
}

/* The first child of a sequence and its milestone. */
bool an__fix_short_first_turn(an__fixing *f)
{
    double steps = fmax(1, floor(an__lint_turn(f->part) / 10));
    an_lr_desc *desc = f->desc;
    an_lr_desc *first = f->part->composed > 0 ? f->nodes[f->part - f->lint->parts + 1] : NULL;
    int64_t *whole = an__fixing_room(f, sizeof *whole);
    an_lr_length *length = an__fixing_room(f, sizeof *length);
    if (!first || !whole || !length)
        return false;
    *whole = (int64_t)steps;
    *length = (an_lr_length){steps, AN_STEPS};
    if (desc->kind == AN_SEQUENTIAL_LR && desc->sequential.milestones.count == 1)
        desc->sequential.milestones.each = whole;
    else if (desc->kind == AN_LR_SEQUENCE && desc->sequence.milestones.count == 1)
        desc->sequence.milestones.each = length;
    else
        return false;
    const char *name = an__lint_length_name(first);
    if (name && an__lint_is_written(first, name))
        an__fixing_set_length(first, steps);
    return true;
}

bool an__fix_a_third_of_the_turn(an__fixing *f)
{
    return f->desc->kind == AN_STEP_LR &&
           an__fixing_set_steps(f->desc, "step_size", fmax(1, floor(an__lint_turn(f->part) / 3)));
}

bool an__fix_one_cycle_of_restarts(an__fixing *f)
{
    return f->desc->kind == AN_WARM_RESTARTS_LR &&
           an__fixing_set_steps(f->desc, "T_0", an__lint_turn(f->part));
}

bool an__fix_one_cycle_up_and_down(an__fixing *f)
{
    if (f->desc->kind != AN_CYCLIC_LR)
        return false;
    f->desc->cyclic.step_size_down = AN_LR_NONE;
    return an__fixing_set_steps(f->desc, "step_size_up",
                                fmax(1, floor(an__lint_turn(f->part) / 2)));
}

bool an__fix_milestones_within(an__fixing *f)
{
    if (f->desc->kind != AN_MULTI_STEP_LR)
        return false;
    an_lr_integers *m = &f->desc->multi_step.milestones;
    double turn = an__lint_turn(f->part);
    size_t kept = 0;
    int64_t *each = an__fixing_room(f, (m->count + 2) * sizeof *each);
    if (!each)
        return false;
    for (size_t i = 0; i < m->count; i++)
        if ((double)m->each[i] < turn)
            each[kept++] = m->each[i];
    if (kept == 0 && turn < 2)
        return false;
    if (kept == 0) {
        each[kept++] = (int64_t)(turn / 2);
        each[kept] = (int64_t)(turn * 3 / 4);
        kept += each[1] > each[0];
    }
    *m = (an_lr_integers){each, kept};
    return true;
}

/* Without the children whose turn does not come. */
bool an__fix_children_within(an__fixing *f)
{
    const an_lint *lint = f->lint;
    an_lr_desc *desc = f->desc;
    size_t own = (size_t)(f->part - lint->parts), kept = 1;
    bool sequence = desc->kind == AN_LR_SEQUENCE;
    if (!sequence && desc->kind != AN_SEQUENTIAL_LR)
        return false;
    for (; kept < f->part->composed; kept++)
        if (!(lint->parts[an__lint_child(lint, own, kept)].begin < f->part->end))
            break;
    if (kept == 1) {
        *desc = *an_lr_child(desc, 0);
    } else if (sequence) {
        desc->sequence.schedules.count = kept;
        desc->sequence.milestones.count = kept - 1;
    } else {
        desc->sequential.schedulers.count = kept;
        desc->sequential.milestones.count = kept - 1;
    }
    return true;
}

bool an__fix_points_within(an__fixing *f)
{
    if (f->desc->kind != AN_LR_INTERPOLATE)
        return false;
    an_lr_lengths *at = &f->desc->interpolate.at;
    an_lr_length *each = an__fixing_room(f, (at->count + 1) * sizeof *each);
    if (!each)
        return false;
    for (size_t i = 0; i < at->count; i++) {
        each[i] = at->each[i];
        each[i].value =
            an__fixing_rounded(each[i].value * (an__lint_turn(f->part) - 1) / f->part->length);
    }
    at->each = each;
    return true;
}

/* ------------------------------------------------------------------ restarts */

static double growth_of(const an_lr_desc *desc)
{
    if (desc->kind == AN_WARM_RESTARTS_LR)
        return (double)desc->restarts.T_mult;
    return desc->kind == AN_LR_RESTARTS ? desc->again.growth : 1;
}

bool an__fix_whole_cycles(an__fixing *f)
{
    const an_lr_desc *desc = f->part->desc;
    const char *name = desc->kind == AN_WARM_RESTARTS_LR ? "T_0" : an__lint_length_name(desc);
    const an_lr_param *param = name ? an__lint_param(desc, name) : NULL;
    double local = (double)f->found->finding.step - f->part->begin, growth = growth_of(desc);
    double period = f->part->length;
    if (!param)
        return false;
    const void *at = an__lint_at(f->desc, param);
    if (param->type == AN_LR_INTEGER)
        period = (double)*(const int64_t *)at;
    else if (!isnan(((const an_lr_length *)at)->value))
        period =
            ((const an_lr_length *)at)->unit == AN_STEPS ? ((const an_lr_length *)at)->value : NAN;
    else if (f->part->composed > 0)
        period = f->part[1].length;
    double sum = period, cycle = period;
    if (!(period >= 1))
        return false;
    if (growth == 1)
        sum = period * floor(local / period + 0.5);
    while (growth > 1 && sum + cycle * growth <= local + 0.5) {
        cycle *= growth;
        sum += cycle;
    }
    return an__fixing_set_steps(f->desc, name, ceil(period * an__lint_turn(f->part) / sum));
}
