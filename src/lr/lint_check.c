/* lint_check.c - checks of a schedule's values, and of what it does to the optimizer. */
#include "lr/numeric.h"

#include "lr/lint.h"
#include <string.h>

/* Steps beyond those that are kept, and beyond the run, that are looked at. */
#define SAMPLES 256
/* Steps before the end in which a restart is late, at most. */
#define MOST_TAIL 1000000

/* ------------------------------------------------------------- whose value it is */

typedef struct asking {
    const an_lint *lint;
    bool (*is)(double rate);
    size_t found;
} asking;

static void visit(void *user, const an_lr_part *part)
{
    asking *a = user;
    for (size_t i = 0; a->found == AN__LINT_NONE && i < a->lint->part_count; i++)
        if (a->lint->parts[i].seen == part->desc && !a->lint->parts[i].value &&
            a->lint->parts[i].composed == 0 && part->base != 0 && a->is(part->rate))
            a->found = i;
}

/* The first leaf that has such a rate at a step; the whole schedule if none has. */
static size_t whose(const an_lint *lint, double step, bool (*is)(double rate))
{
    asking a = {lint, is, AN__LINT_NONE};
    const an_lr_clock clock = {.steps = step};
    an_lr_trace(lint->schedule, lint->group, AN_LR, &clock, visit, &a);
    return a.found == AN__LINT_NONE ? 0 : a.found;
}

static bool is_zero(double rate)
{
    return rate == 0;
}

static bool is_negative(double rate)
{
    return isfinite(rate) && rate < 0;
}

static bool is_not_finite(double rate)
{
    return !isfinite(rate);
}

/* The parameter that says how a schedule begins, or its function. */
static const char *beginning_of(const an_lr_desc *desc)
{
    static const char *const names[] = {"start", "start_factor", "factor", "base_lr", "lr_lambda"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (an__lint_param(desc, names[i]))
            return names[i];
    return "";
}

static const char *function_of(const an_lr_desc *desc)
{
    return an__lint_param(desc, "lr_lambda") ? "lr_lambda" : "";
}

static const char *kind_of(const an_lint *lint, size_t part)
{
    const char *name = an_lr_name(lint->parts[part].desc->kind);
    return name ? name : "?";
}

/* ------------------------------------------------------------------ values */

static void check_first(an_lint *lint)
{
    if (lint->rates[0] != 0 || lint->peak == 0)
        return;
    size_t part = whose(lint, 0, is_zero);
    an_format(lint->text, sizeof lint->text, "%s begins at 0: the first update changes nothing",
              kind_of(lint, part));
    an__lint_note(lint, (an__lint_about){AN_LINT_FIRST_ZERO, part,
                                         beginning_of(lint->parts[part].desc), 0, false});
}

/* The first step of the run, or after it, with such a rate; -1 when there is none. */
static double first_step(const an_lint *lint, bool after, bool (*is)(double rate))
{
    for (size_t i = 0; !after && i < lint->rate_count; i++)
        if (is(lint->rates[i]))
            return (double)i;
    double from = after ? lint->steps : (double)lint->rate_count;
    double to = after ? fmin(2 * lint->steps, AN__LR_INTEGER_MAX - 1) : lint->steps - 1;
    if (an_lr_replays(lint->schedule) && to > (double)lint->rate_count)
        return -1;
    for (int i = 0; i <= SAMPLES && from <= to; i++) {
        double step = floor(from + (to - from) * i / SAMPLES);
        if (is(an__lint_rate(lint, (int64_t)step)))
            return step;
    }
    return -1;
}

static bool ends_in_error(const an_lint *lint)
{
    for (size_t i = 0; i < lint->part_count; i++)
        if (lint->parts[i].desc->after_end == AN_END_ERROR)
            return true;
    return false;
}

static void check_sign(an_lint *lint, an_lint_kind kind, bool (*is)(double rate), const char *what)
{
    bool after = false;
    double step = first_step(lint, false, is);
    if (step < 0 && !ends_in_error(lint)) {
        after = true;
        step = first_step(lint, true, is);
    }
    if (step < 0)
        return;
    size_t part = whose(lint, step, is);
    an_format(lint->text, sizeof lint->text, "%s: the rate %s from step %g on (%g)%s",
              kind_of(lint, part), what, step, an__lint_rate(lint, (int64_t)step),
              after ? ", if the run goes on after its end" : "");
    an__lint_note(lint,
                  (an__lint_about){kind, part, function_of(lint->parts[part].desc), step, after});
}

static bool ends_at_zero_on_purpose(const an_lint *lint)
{
    for (size_t i = 0; i < lint->part_count; i++)
        if (lint->parts[i].desc->after_end == AN_END_ZERO)
            return true;
    return false;
}

/* Two updates at the end, and more than a hundredth of the run, change nothing. */
static void check_tail(an_lint *lint)
{
    size_t last = lint->rate_count;
    if (lint->peak == 0 || (double)last < lint->steps || ends_at_zero_on_purpose(lint))
        return;
    while (last > 0 && lint->rates[last - 1] == 0)
        last--;
    double idle = (double)(lint->rate_count - last);
    if (idle < 2 || idle <= lint->steps / 100)
        return;
    size_t part = whose(lint, lint->steps - 1, is_zero);
    const char *name = an__lint_length_name(lint->parts[part].desc);
    an_format(lint->text, sizeof lint->text,
              "%s: the rate is 0 from step %zu on: the last %g of %g updates change nothing",
              kind_of(lint, part), last, idle, lint->steps);
    an__lint_note(lint,
                  (an__lint_about){AN_LINT_ZERO_TAIL, part, name ? name : "", (double)last, false});
}

/* ---------------------------------------------------------------- hand-overs */

/* Whether a part has one rate in its turn up to step `to`. */
static bool is_flat(const an_lint *lint, double from, double to)
{
    double first = an__lint_rate(lint, (int64_t)from);
    for (int i = 1; i <= SAMPLES; i++)
        if (an__lint_rate(lint, (int64_t)(from + (to - 1 - from) * i / SAMPLES)) != first)
            return false;
    return true;
}

/* Restarts, and a flat warm-up or stairs, jump on purpose. */
static bool is_meant(const an_lint *lint, const an__lint_part *earlier, const an__lint_part *later)
{
    double m = later->begin;
    bool arrived = !(earlier->length > m - earlier->begin);
    bool up = an__lint_rate(lint, (int64_t)m) > an__lint_rate(lint, (int64_t)m - 1);
    return is_flat(lint, earlier->begin, m) ||
           (arrived && up && earlier->desc->kind == later->desc->kind);
}

static void check_hand_over(an_lint *lint, size_t sequence, size_t earlier, size_t later)
{
    double m = lint->parts[later].begin;
    if (!(m >= 1) || m >= lint->steps || is_meant(lint, &lint->parts[earlier], &lint->parts[later]))
        return;
    int64_t step = (int64_t)m;
    double from = an__lint_rate(lint, step - 1), to = an__lint_rate(lint, step);
    double before = m >= 2 ? fabs(from - an__lint_rate(lint, step - 2)) : 0;
    double after = fabs(an__lint_rate(lint, step + 1) - to), jump = fabs(to - from);
    if (!(jump > 0.1 * lint->peak) || !(jump > 3 * fmax(before, after)))
        return;
    an_format(lint->text, sizeof lint->text,
              "%s: the rate jumps from %.3g to %.3g at step %g, where %s hands over to %s",
              kind_of(lint, sequence), from, to, m, kind_of(lint, earlier), kind_of(lint, later));
    an__lint_note(lint, (an__lint_about){AN_LINT_JUMP, sequence, "milestones", m, false});
}

static void check_jumps(an_lint *lint)
{
    for (size_t i = 0; i < lint->part_count; i++) {
        const an__lint_part *p = &lint->parts[i];
        bool sequence = p->desc->kind == AN_SEQUENTIAL_LR || p->desc->kind == AN_LR_SEQUENCE;
        for (size_t k = 1; sequence && p->rate && !p->value && k < p->composed; k++) {
            size_t earlier = an__lint_child(lint, i, k - 1), later = an__lint_child(lint, i, k);
            if (earlier != AN__LINT_NONE && later != AN__LINT_NONE)
                check_hand_over(lint, i, earlier, later);
        }
    }
}

/* ----------------------------------------------------------------- restarts */

/* The first part that begins again and again. */
static size_t restarter(const an_lint *lint)
{
    for (size_t i = 0; i < lint->part_count; i++) {
        const an_lr_desc *desc = lint->parts[i].desc;
        if (lint->parts[i].rate && !lint->parts[i].value &&
            (desc->kind == AN_WARM_RESTARTS_LR || desc->kind == AN_LR_LOOP ||
             desc->kind == AN_LR_RESTARTS || desc->after_end == AN_END_REPEAT))
            return i;
    }
    return AN__LINT_NONE;
}

/* In the last twentieth of the run, or its last three steps. */
static void check_late_restart(an_lint *lint)
{
    size_t part = restarter(lint);
    if (part == AN__LINT_NONE || lint->steps < 8 || lint->parts[part].length == lint->steps)
        return;
    int64_t steps = (int64_t)lint->steps, tail = steps / 20 > 3 ? steps / 20 : 3;
    if (an_lr_replays(lint->schedule) && lint->rate_count < (size_t)steps)
        return;
    if (tail > MOST_TAIL)
        tail = MOST_TAIL;
    for (int64_t step = steps - 1; step >= steps - tail; step--) {
        double rise = an__lint_rate(lint, step) - an__lint_rate(lint, step - 1);
        if (!(rise > 0.5 * lint->peak))
            continue;
        const an_lr_desc *desc = lint->parts[part].desc;
        const char *name = an__lint_param(desc, "T_0") ? "T_0" : an__lint_length_name(desc);
        an_format(lint->text, sizeof lint->text,
                  "%s begins again at step %g of %g: the run ends at a high rate, %.3g",
                  kind_of(lint, part), (double)step, lint->steps, an__lint_rate(lint, steps - 1));
        an__lint_note(lint, (an__lint_about){AN_LINT_LATE_RESTART, part, name ? name : "",
                                             (double)step, false});
        return;
    }
}

/* ------------------------------------------------------- the optimizer's own */

typedef struct drive {
    const an_lr_reals *low, *high, *momentum_low, *momentum_high;
    double start; /* low / start is the first rate */
    bool momentum;
    const char *rate_name;
} drive;

static bool drives(const an_lr_desc *desc, drive *d)
{
    const an_one_cycle_lr *one = &desc->one_cycle;
    const an_cyclic_lr *cyclic = &desc->cyclic;
    if (desc->kind == AN_ONE_CYCLE_LR)
        *d = (drive){&one->max_lr,
                     &one->max_lr,
                     &one->base_momentum,
                     &one->max_momentum,
                     one->div_factor,
                     one->cycle_momentum,
                     "max_lr"};
    else if (desc->kind == AN_CYCLIC_LR)
        *d = (drive){&cyclic->base_lr,
                     &cyclic->max_lr,
                     &cyclic->base_momentum,
                     &cyclic->max_momentum,
                     1,
                     cyclic->cycle_momentum,
                     "base_lr"};
    else
        return false;
    return true;
}

static void check_momentum(an_lint *lint, size_t part, const drive *d)
{
    size_t g = lint->group;
    an_lr_group *group = lint->options.groups[g];
    const an_slot *slot = an__lr_momentum_slot(group);
    double usual = slot == &group->slot[AN_BETA1] ? 0.9 : 0;
    double low = an__lr_real(d->momentum_low, g), high = an__lr_real(d->momentum_high, g);
    if (!d->momentum || !slot || slot->value == high || slot->value == usual)
        return;
    an_format(lint->text, sizeof lint->text,
              "%s drives momentum from %g to %g and back; the optimizer's %g is not used "
              "(cycle_momentum=False keeps it)",
              kind_of(lint, part), high, low, slot->value);
    an__lint_note(lint, (an__lint_about){AN_LINT_OVERWRITES, part, "cycle_momentum", 0, false});
}

static void check_rate(an_lint *lint, size_t part, const drive *d)
{
    size_t g = lint->group;
    const an_slot *slot = &lint->options.groups[g]->slot[AN_LR];
    double low = an__lr_real(d->low, g), high = an__lr_real(d->high, g);
    if (!slot->present || slot->value == low || slot->value == high ||
        slot->value == low / d->start)
        return;
    an_format(lint->text, sizeof lint->text,
              "%s has rates of its own, up to %g; the optimizer's lr=%g is not used",
              kind_of(lint, part), high, slot->value);
    an__lint_note(lint, (an__lint_about){AN_LINT_OVERWRITES, part, d->rate_name, 0, false});
}

static void check_overwrites(an_lint *lint)
{
    drive d;
    for (size_t i = 0; lint->options.groups && i < lint->part_count; i++) {
        if (!lint->parts[i].rate || lint->parts[i].value || !drives(lint->parts[i].desc, &d))
            continue;
        check_rate(lint, i, &d);
        check_momentum(lint, i, &d);
    }
}

/* --------------------------------------------------------------- no effect */

/* Optimizers that take lr for their first step alone. */
static bool ignores_rate(const char *optimizer)
{
    return optimizer && strcmp(optimizer, "Rprop") == 0;
}

/* Constant() and Base() say themselves that nothing moves. */
static bool is_constant_by_name(const an_lint *lint)
{
    an_lr_kind kind = lint->parts[0].desc->kind;
    return kind == AN_LR_CONSTANT || kind == AN_LR_BASE;
}

/* Notes what is so in every group. */
static void note_everywhere(an_lint *lint)
{
    an__lint_note(lint, (an__lint_about){AN_LINT_NO_EFFECT, 0, "", 0, false});
    for (size_t i = 0; i < lint->found_count; i++)
        if (lint->found[i].finding.kind == AN_LINT_NO_EFFECT)
            memset(lint->found[i].in, true, lint->group_count);
}

void an__lint_check_effect(an_lint *lint)
{
    if (ignores_rate(lint->options.optimizer) && an_lr_drives(lint->schedule, AN_LR) &&
        !is_constant_by_name(lint)) {
        an_format(lint->text, sizeof lint->text,
                  "%s takes lr for its first step alone: %s changes nothing after it",
                  lint->options.optimizer, kind_of(lint, 0));
        note_everywhere(lint);
        return;
    }
    if (!lint->foreseen || lint->feedback || lint->found_count > 0 || lint->steps < 2 ||
        is_constant_by_name(lint) || lint->moves)
        return;
    an_format(lint->text, sizeof lint->text,
              lint->group_count > 1 ? "%s changes nothing: the rates stay as they are"
                                    : "%s changes nothing: the rate is %g throughout",
              kind_of(lint, 0), lint->rates[0]);
    note_everywhere(lint);
}

/* Whether the rate of the group is another at some step. */
static bool moves(const an_lint *lint)
{
    for (size_t i = 1; i < lint->rate_count; i++)
        if (lint->rates[i] != lint->rates[0])
            return true;
    return !is_flat(lint, 0, lint->steps);
}

void an__lint_check(an_lint *lint)
{
    an__lint_check_units(lint);
    if (!an__lint_has(lint, AN_LINT_UNIT))
        an__lint_check_turns(lint);
    if (lint->foreseen) {
        check_first(lint);
        check_sign(lint, AN_LINT_NEGATIVE, is_negative, "is negative");
        check_sign(lint, AN_LINT_NOT_FINITE, is_not_finite, "is not a finite number");
        check_jumps(lint);
        check_late_restart(lint);
        if (!an__lint_has(lint, AN_LINT_UNIT))
            check_tail(lint);
    }
    check_overwrites(lint);
    lint->moves = lint->moves || moves(lint);
}
