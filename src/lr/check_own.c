/* check_own.c - what the parameters of Anneal's own schedules must be together. */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

static bool list_rules(const an_lr_desc *desc, const char **blame, an_error *err)
{
    const an_lr_children *children = an__lr_children_of(desc);
    const char *kind = an_lr_name(desc->kind);
    *blame = "schedules";
    if (children->count == 0 || !children->each)
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: schedules must hold at least one", kind);
    for (size_t i = 0; i < children->count; i++)
        if (!children->each[i])
            return an_error_set(err, AN_ERROR_ARGUMENT, "%s: schedule %zu is NULL", kind, i);
    return true;
}

/* Moments in one unit must increase; in several, it shows when the run's facts are there. */
static bool increasing(const char *kind, const char *name, const an_lr_lengths *list, an_error *err)
{
    for (size_t i = 1; i < list->count; i++) {
        an_lr_length a = list->each[i - 1], b = list->each[i];
        if (a.unit == b.unit && !(a.value < b.value))
            return an_error_set(
                err, AN_ERROR_ARGUMENT, "%s: %s must increase, but %g%s comes after %g%s", kind,
                name, b.value, an__lr_unit_text(b.unit), a.value, an__lr_unit_text(a.unit));
    }
    return true;
}

static bool sequence_rules(const an_lr_sequence *p, const char **blame, an_error *err)
{
    *blame = "milestones";
    size_t needed = p->schedules.count - 1;
    if (p->milestones.count != needed)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "Sequence: milestones must hold the %zu moment%s at which the "
                            "schedules after the first begin, got %zu",
                            needed, needed == 1 ? "" : "s", p->milestones.count);
    return increasing("Sequence", *blame, &p->milestones, err);
}

/* Whether the schedule has its base rate from its parameters, and erases what it is given. */
static bool has_own_base(const an_lr_desc *desc)
{
    size_t count = an__lr_composed(desc);
    if (desc->kind == AN_CYCLIC_LR || desc->kind == AN_ONE_CYCLE_LR || desc->kind == AN_LR_BASE)
        return true;
    for (size_t i = 0; i < count; i++)
        if (has_own_base(an_lr_child(desc, i)))
            return true;
    return false;
}

bool an__lr_check_product(const an_lr_product *p, an_error *err)
{
    for (size_t i = 1; i < p->schedules.count; i++)
        if (has_own_base(p->schedules.each[i]))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "Product: schedule %zu, %s, has rates of its own and would erase "
                                "those before it; put it first",
                                i, an_lr_name(p->schedules.each[i]->kind));
    return true;
}

static bool interpolate_rules(const an_lr_interpolate *p, const char **blame, an_error *err)
{
    *blame = "values";
    if (p->values.count != p->at.count)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "Interpolate: values must be as many as at, %zu, got %zu", p->at.count,
                            p->values.count);
    *blame = "at";
    return increasing("Interpolate", *blame, &p->at, err);
}

static bool together_rules(const an_lr_together *p, const char **blame, an_error *err)
{
    *blame = "schedules";
    if (p->schedules.count > AN__LR_MAX_TRACKS)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "Together: there can be up to %d schedules, got %zu", AN__LR_MAX_TRACKS,
                            p->schedules.count);
    return true;
}

static bool clamp_rules(const an_lr_clamp *p, const char **blame, an_error *err)
{
    *blame = "max";
    if (!p->min.schedule && !p->max.schedule && p->min.value > p->max.value)
        return an_error_set(err, AN_ERROR_ARGUMENT, "Clamp: max must be at least min, %g, got %g",
                            p->min.value, p->max.value);
    return true;
}

bool an__lr_check_place(const an_lr_desc *desc, const an_lr_desc *child, an_error *err)
{
    bool together = child->kind == AN_LR_TOGETHER;
    if (!together && (child->kind != AN_LR_DRIVE || desc->kind == AN_LR_TOGETHER))
        return true;
    return an_error_set(err, AN_ERROR_ARGUMENT, "%s stands within %s, but it can only stand %s",
                        an_lr_name(child->kind), an_lr_name(desc->kind),
                        together ? "at the top" : "at the top or in Together");
}

static bool chebyshev_rules(const an_lr_chebyshev *p, const char **blame, an_error *err)
{
    *blame = "count";
    if ((p->count & (p->count - 1)) != 0)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "Chebyshev: count must be a power of 2, got %lld; give the next one, "
                            "and end the schedule by the Sequence around it",
                            (long long)p->count);
    *blame = "most";
    if (p->least > p->most)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "Chebyshev: most must be at least least, %g, got %g", p->least,
                            p->most);
    return true;
}

/* A part of a cycle that is in another unit than the cycle could outlast it. */
static bool again_rules(const an_lr_again *p, const char **blame, an_error *err)
{
    *blame = "warmup";
    if (p->warmup.value == 0 ||
        (p->warmup.unit == p->length.unit && p->warmup.value < p->length.value))
        return true;
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "Restarts: warmup must be shorter than length, %g%s, and in the same unit, "
                        "got %g%s",
                        p->length.value, an__lr_unit_text(p->length.unit), p->warmup.value,
                        an__lr_unit_text(p->warmup.unit));
}

bool an__lr_check_own(const an_lr_desc *desc, const char **blame, an_error *err)
{
    if (an__lr_children_of(desc) && !list_rules(desc, blame, err))
        return false;
    switch (desc->kind) {
    case AN_LR_TOGETHER:
        return together_rules(&desc->together, blame, err);
    case AN_LR_SEQUENCE:
        return sequence_rules(&desc->sequence, blame, err);
    case AN_LR_INTERPOLATE:
        return interpolate_rules(&desc->interpolate, blame, err);
    case AN_LR_CLAMP:
        return clamp_rules(&desc->clamp, blame, err);
    case AN_LR_CHEBYSHEV:
        return chebyshev_rules(&desc->chebyshev, blame, err);
    case AN_LR_RESTARTS:
        return again_rules(&desc->again, blame, err);
    default:
        return true;
    }
}

AN__COLD_END
