/* lint_fix_unit.c - corrections of units: steps meant as epochs, and epochs meant as steps. */
#include "lr/numeric.h"

#include "lr/lint_fix.h"
#include <string.h>

/* PyTorch's integers that count steps. */
static bool counts_steps(const char *name)
{
    static const char *const names[] = {"step_size",   "total_iters",  "T_max",
                                        "T_0",         "step_size_up", "step_size_down",
                                        "total_steps", "anneal_epochs"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* What no integer of a schedule may be is refused where it is read, and another edit tried. */
static double scaled(double steps, double by)
{
    return by < 1 ? fmax(1, floor(steps * by + 0.5)) : fmin(steps * by, AN__LR_INTEGER_MAX);
}

static bool scale_integers(an__fixing *f, an_lr_integers *list, double by)
{
    int64_t *each = an__fixing_room(f, (list->count + 1) * sizeof *each);
    for (size_t i = 0; each && i < list->count; i++)
        each[i] = (int64_t)scaled((double)list->each[i], by);
    list->each = each;
    return each;
}

static bool scale_lengths(an__fixing *f, an_lr_lengths *list, double by)
{
    an_lr_length *each = an__fixing_room(f, (list->count + 1) * sizeof *each);
    for (size_t i = 0; each && i < list->count; i++) {
        each[i] = list->each[i];
        if (each[i].unit == AN_STEPS)
            each[i].value = scaled(each[i].value, by);
    }
    list->each = each;
    return each;
}

static bool scale_param(an__fixing *f, an_lr_desc *desc, const an_lr_param *param, double by)
{
    void *at = an__lint_at(desc, param);
    an_lr_length *length = at;
    int64_t *integer = at;
    if (param->type == AN_LR_INTEGERS && strcmp(param->name, "milestones") == 0)
        return scale_integers(f, at, by);
    if (param->type == AN_LR_LENGTHS)
        return scale_lengths(f, at, by);
    if (param->type == AN_LR_LENGTH && length->unit == AN_STEPS && !isnan(length->value))
        length->value = scaled(length->value, by);
    if (param->type == AN_LR_INTEGER && counts_steps(param->name) && *integer != AN_LR_NONE)
        *integer = (int64_t)scaled((double)*integer, by);
    return true;
}

bool an__fix_scale_all_lengths(an__fixing *f)
{
    const an_lint_options *o = &f->lint->options;
    double each = (double)o->updates_per_epoch, by = o->per_epoch ? 1 / each : each;
    for (size_t i = 0; i < f->lint->part_count; i++) {
        an_lr_desc *desc = f->nodes[i];
        size_t count;
        const an_lr_param *params = an_lr_params(desc->kind, &count);
        for (size_t k = 0; k < count; k++)
            if (!scale_param(f, desc, &params[k], by))
                return false;
        if (desc->kind == AN_EXPONENTIAL_LR)
            desc->exponential.gamma = pow(desc->exponential.gamma, 1 / by);
        if (desc->kind == AN_ONE_CYCLE_LR && desc->one_cycle.total_steps == AN_LR_NONE)
            return false;
    }
    return true;
}

bool an__fix_stretch_to_run(an__fixing *f)
{
    const an_lint_options *o = &f->lint->options;
    double epochs = ceil(f->lint->steps / (double)o->updates_per_epoch);
    an_lr_desc *node = an__fixing_wrap(f, an__fixing_outermost(f), AN_LR_STRETCH);
    if (!node)
        return false;
    node->stretch.to = (an_lr_length){f->lint->steps, AN_STEPS};
    node->stretch.length = (an_lr_length){
        o->per_epoch ? f->lint->steps * (double)o->updates_per_epoch : epochs, AN_STEPS};
    return true;
}
