/* lint_edit.c - what corrections are made with: parameters set, schedules wrapped, in the copy. */
#include "lr/numeric.h"

#include "lr/lint_fix.h"
#include <string.h>

void *an__fixing_room(an__fixing *f, size_t size)
{
    void *memory = an_arena_alloc(&f->lint->arena, size);
    if (!memory)
        f->lint->failed = true;
    return memory;
}

/* ---------------------------------------------------------------- parameters */

bool an__fixing_set_steps(an_lr_desc *desc, const char *name, double steps)
{
    const an_lr_param *param = name ? an__lint_param(desc, name) : NULL;
    if (!param || !(steps >= 1) || steps > AN__LR_INTEGER_MAX)
        return false;
    if (param->type == AN_LR_INTEGER)
        *(int64_t *)an__lint_at(desc, param) = (int64_t)ceil(steps);
    else if (param->type == AN_LR_LENGTH)
        *(an_lr_length *)an__lint_at(desc, param) = (an_lr_length){ceil(steps), AN_STEPS};
    return param->type == AN_LR_INTEGER || param->type == AN_LR_LENGTH;
}

double an__fixing_rounded(double value)
{
    char text[32];
    an_format(text, sizeof text, "%g", value);
    an_number_parse(text, strlen(text), &value);
    return value;
}

/* Of numbers that differ per group, that of the group that is looked at. */
static bool set_of_group(an__fixing *f, an_lr_reals *reals, double value)
{
    size_t count = reals->count, group = f->lint->group;
    double *each = count > group ? an__fixing_room(f, count * sizeof *each) : NULL;
    if (count > group && !each)
        return false;
    for (size_t i = 0; each && i < count; i++)
        each[i] = i == group ? value : reals->each[i];
    if (each)
        reals->each = each;
    else
        *reals = (an_lr_reals){.value = value};
    return true;
}

bool an__fixing_set_real(an__fixing *f, an_lr_desc *desc, const char *name, double value)
{
    const an_lr_param *param = an__lint_param(desc, name);
    if (!param || !isfinite(value))
        return false;
    if (param->type == AN_LR_REAL)
        *(double *)an__lint_at(desc, param) = an__fixing_rounded(value);
    else if (param->type == AN_LR_REALS)
        return set_of_group(f, an__lint_at(desc, param), an__fixing_rounded(value));
    else if (param->type == AN_LR_VALUE)
        *(an_lr_value *)an__lint_at(desc, param) =
            (an_lr_value){.value = an__fixing_rounded(value)};
    else
        return false;
    return true;
}

bool an__fixing_set_length(an_lr_desc *desc, double steps)
{
    if (desc->kind == AN_ONE_CYCLE_LR)
        desc->one_cycle.epochs = desc->one_cycle.steps_per_epoch = AN_LR_NONE;
    return an__fixing_set_steps(desc, an__lint_length_name(desc), steps);
}

/* ----------------------------------------------------------------- schedules */

an_lr_desc *an__fixing_wrap(an__fixing *f, an_lr_desc *node, an_lr_kind kind)
{
    an_lr_desc *inner = an__fixing_room(f, sizeof *inner);
    if (!inner)
        return NULL;
    *inner = *node;
    *node = an_lr_defaults(kind);
    *an__lr_child_place(node, 0) = inner;
    return node;
}

an_lr_desc *an__fixing_outermost(const an__fixing *f)
{
    const an_lint *lint = f->lint;
    size_t i = (size_t)(f->part - lint->parts);
    while (i > 0) {
        an_lr_kind above = lint->parts[lint->parts[i].parent].desc->kind;
        if (above == AN_LR_DRIVE || above == AN_LR_TOGETHER)
            break;
        i = lint->parts[i].parent;
    }
    while (f->nodes[i]->kind == AN_LR_DRIVE || f->nodes[i]->kind == AN_LR_TOGETHER)
        i++;
    return f->nodes[i];
}
