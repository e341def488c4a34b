/* lint_fix_value.c - corrections of values: rates that leave their range, jump, or have no effect.
 */
#include "lr/numeric.h"

#include "lr/lint_fix.h"
#include <string.h>

bool an__fix_to_constant(an__fixing *f)
{
    *an__fixing_outermost(f) = an_lr_defaults(AN_LR_CONSTANT);
    return true;
}

bool an__fix_take_defaults(an__fixing *f)
{
    an_lr_desc *node = an__fixing_outermost(f), fresh = an_lr_defaults(node->kind);
    size_t count;
    const an_lr_param *params = an_lr_params(node->kind, &count);
    for (size_t i = 0; i < count; i++) {
        const an_lr_param *p = &params[i];
        if (!p->required && p->type == AN_LR_REAL)
            *(double *)an__lint_at(node, p) = *(double *)an__lint_at(&fresh, p);
        if (!p->required && p->type == AN_LR_VALUE)
            *(an_lr_value *)an__lint_at(node, p) = *(an_lr_value *)an__lint_at(&fresh, p);
    }
    return an__lr_composed(node) == 0;
}

bool an__fix_earlier_by_one(an__fixing *f)
{
    an_lr_desc *shift = an__fixing_wrap(f, an__fixing_outermost(f), AN_LR_SHIFT);
    if (shift)
        shift->shift.by = (an_lr_length){-1, AN_STEPS};
    return shift;
}

typedef struct begun {
    const an_lr_desc *desc;
    double base, rate;
} begun;

static void visit(void *user, const an_lr_part *part)
{
    begun *b = user;
    if (part->desc == b->desc) {
        b->base = part->base;
        b->rate = part->rate;
    }
}

/* Begins with what the second step has. */
bool an__fix_begin_with_next(an__fixing *f)
{
    const an_lr_clock clock = {.steps = 1};
    begun b = {f->part->seen, NAN, NAN};
    an_lr_trace(f->lint->schedule, f->lint->group, AN_LR, &clock, visit, &b);
    bool rate = strcmp(f->name, "base_lr") == 0;
    return f->name[0] && an__fixing_set_real(f, f->desc, f->name, rate ? b.rate : b.rate / b.base);
}

/* -------------------------------------------------------------------- ranges */

static bool clamp(an__fixing *f, double min, double max)
{
    an_lr_desc *node = an__fixing_wrap(f, an__fixing_outermost(f), AN_LR_CLAMP);
    if (node) {
        node->clamp.min.value = min;
        node->clamp.max.value = max;
    }
    return node;
}

bool an__fix_not_below_zero(an__fixing *f)
{
    return clamp(f, 0, NAN);
}

bool an__fix_not_above_peak(an__fixing *f)
{
    return clamp(f, 0, an__fixing_rounded(f->lint->peak));
}

bool an__fix_not_below_a_hundredth(an__fixing *f)
{
    return clamp(f, an__fixing_rounded(f->lint->peak / 100), NAN);
}

bool an__fix_until_then(an__fixing *f)
{
    const int64_t step = f->found->finding.step;
    an_lr_desc *inner = an__fixing_room(f, 2 * sizeof *inner);
    const an_lr_desc **each = an__fixing_room(f, 2 * sizeof(void *));
    an_lr_length *milestone = an__fixing_room(f, sizeof *milestone);
    if (step < 1 || !inner || !each || !milestone)
        return false;
    an_lr_desc *node = an__fixing_outermost(f);
    inner[0] = *node;
    inner[1] = an_lr_defaults(AN_LR_CONSTANT);
    inner[1].flat.factor.value =
        an__fixing_rounded(an__lint_rate(f->lint, step - 1) / f->lint->base);
    each[0] = &inner[0];
    each[1] = &inner[1];
    *milestone = (an_lr_length){(double)step, AN_STEPS};
    *node = an_lr_defaults(AN_LR_SEQUENCE);
    node->sequence.schedules = (an_lr_children){each, 2};
    node->sequence.milestones = (an_lr_lengths){milestone, 1};
    return true;
}

/* ---------------------------------------------------------------- hand-overs */

/* The parts on either side of the jump. */
static bool sides(const an__fixing *f, size_t *earlier, size_t *later)
{
    size_t own = (size_t)(f->part - f->lint->parts);
    for (size_t k = 1; k < f->part->composed; k++) {
        *earlier = an__lint_child(f->lint, own, k - 1);
        *later = an__lint_child(f->lint, own, k);
        if (*later != AN__LINT_NONE &&
            f->lint->parts[*later].begin == (double)f->found->finding.step)
            return true;
    }
    return false;
}

bool an__fix_fit_earlier(an__fixing *f)
{
    size_t a, b;
    if (!sides(f, &a, &b))
        return false;
    const an__lint_part *earlier = &f->lint->parts[a];
    return earlier->length > an__lint_turn(earlier) && earlier->composed == 0 &&
           an__fixing_set_length(f->nodes[a], an__lint_turn(earlier));
}

/* A warm-up goes to where the next begins. */
bool an__fix_end_at_next(an__fixing *f)
{
    size_t a, b;
    double first, last, to = an__lint_rate(f->lint, f->found->finding.step) / f->lint->base;
    if (!sides(f, &a, &b) || !an__lint_ends(f->lint, &f->lint->parts[a], &first, &last) ||
        !(last > first))
        return false;
    return an__fixing_set_real(f, f->nodes[a], "end", to) ||
           an__fixing_set_real(f, f->nodes[a], "end_factor", to);
}

bool an__fix_begin_at_last(an__fixing *f)
{
    size_t a, b;
    double from = an__lint_rate(f->lint, f->found->finding.step - 1) / f->lint->base;
    return sides(f, &a, &b) && (an__fixing_set_real(f, f->nodes[b], "start", from) ||
                                an__fixing_set_real(f, f->nodes[b], "start_factor", from));
}

bool an__fix_scale_later(an__fixing *f)
{
    size_t a, b;
    int64_t step = f->found->finding.step;
    double by = an__lint_rate(f->lint, step - 1) / an__lint_rate(f->lint, step);
    if (!sides(f, &a, &b) || !isfinite(by))
        return false;
    an_lr_desc *scale = an__fixing_wrap(f, f->nodes[b], AN_LR_SCALE);
    if (scale)
        scale->scale.by = (an_lr_reals){.value = an__fixing_rounded(by)};
    return scale;
}

/* ----------------------------------------------------------- the optimizer's */

bool an__fix_keep_momentum(an__fixing *f)
{
    const an_lr_param *param = an__lint_param(f->desc, "cycle_momentum");
    if (!param || strcmp(f->name, "cycle_momentum") != 0)
        return false;
    *(bool *)an__lint_at(f->desc, param) = false;
    return true;
}

/* The optimizer's own rates, one or one for each group. */
bool an__fix_take_own_rates(an__fixing *f)
{
    const an_lint *lint = f->lint;
    an_lr_reals own = {.value = lint->options.groups[0]->slot[AN_LR].value};
    double *each = an__fixing_room(f, lint->group_count * sizeof *each);
    const an_lr_param *param = an__lint_param(f->desc, f->name);
    if (!each || !param || param->type != AN_LR_REALS)
        return false;
    for (size_t g = 0; g < lint->group_count; g++) {
        each[g] = lint->options.groups[g]->slot[AN_LR].value;
        if (each[g] != own.value)
            own = (an_lr_reals){.value = own.value, .each = each, .count = lint->group_count};
    }
    *(an_lr_reals *)an__lint_at(f->desc, param) = own;
    return true;
}
