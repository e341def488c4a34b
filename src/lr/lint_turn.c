/* lint_turn.c - checks of lengths: whether a schedule's part fits its turn, and in which unit. */
#include "lr/numeric.h"

#include "lr/lint.h"
#include <string.h>

/* Whether a part's turn lasts to the end of the run. */
static bool is_last(const an_lint *lint, const an__lint_part *part)
{
    return part->end == lint->steps;
}

size_t an__lint_child(const an_lint *lint, size_t parent, size_t index)
{
    for (size_t i = parent + 1; i < lint->part_count; i++)
        if (lint->parts[i].parent == parent && lint->parts[i].index == index &&
            !lint->parts[i].value)
            return i;
    return AN__LINT_NONE;
}

static bool rises(const an_lint *lint, const an__lint_part *part)
{
    double first, last;
    return an__lint_ends(lint, part, &first, &last) && last > first;
}

/* ------------------------------------------------------------ plain lengths */

/* Whose steps a part's turn is. */
static const char *owner_of(const an_lint *lint, const an__lint_part *part)
{
    return an__lint_turn(part) == lint->steps ? "the run" : "its turn";
}

static const char *steps_word(double count)
{
    return count == 1 ? "step" : "steps";
}

static void not_reached(an_lint *lint, size_t i, const char *name, double length, const char *what)
{
    const an__lint_part *part = &lint->parts[i];
    an_format(lint->text, sizeof lint->text, "%s: %s=%g, but %s has %g %s: %s",
              an_lr_name(part->desc->kind), name, length, owner_of(lint, part), an__lint_turn(part),
              steps_word(an__lint_turn(part)), what);
    an__lint_note(lint, (an__lint_about){AN_LINT_NOT_REACHED, i, name, lint->steps - 1, false});
}

static void long_warmup(an_lint *lint, size_t i, const char *name, double length)
{
    const an__lint_part *part = &lint->parts[i];
    an_format(lint->text, sizeof lint->text,
              "%s: the warm-up takes %s=%g steps, but %s has %g: the full rate is not reached",
              an_lr_name(part->desc->kind), name, length, owner_of(lint, part),
              an__lint_turn(part));
    an__lint_note(lint, (an__lint_about){AN_LINT_LONG_WARMUP, i, name, lint->steps - 1, false});
}

/* The end falls on the step after the last update, and that misses it by more than a twentieth. */
static void check_last_step(an_lint *lint, size_t i, const char *name)
{
    const an__lint_part *part = &lint->parts[i];
    double first, last, rate = an__lint_rate(lint, (int64_t)lint->steps - 1);
    if (i != 0 || an__lint_turn(part) < 3 || !lint->foreseen ||
        !an__lint_ends(lint, part, &first, &last))
        return;
    double top = first * an__lint_rate(lint, 0) / first, end = last * top / first;
    if (!(first > last) || !(rate - end > 0.05 * (top - end)))
        return;
    an_format(lint->text, sizeof lint->text,
              "%s: with %s=%g its end, a rate of %.3g, comes after the last update, which has "
              "%.3g",
              an_lr_name(part->desc->kind), name, part->length, end, rate);
    an__lint_note(lint, (an__lint_about){AN_LINT_NOT_REACHED, i, name, lint->steps - 1, false});
}

static void check_length(an_lint *lint, size_t i)
{
    const an__lint_part *part = &lint->parts[i];
    const char *name = an__lint_length_name(part->desc);
    bool leaf = part->composed == 0;
    if (!leaf || !name || !isfinite(part->length) || !is_last(lint, part) ||
        !an__lint_is_written(part->desc, name))
        return;
    if (part->length > an__lint_turn(part)) {
        if (rises(lint, part))
            long_warmup(lint, i, name, part->length);
        else
            not_reached(lint, i, name, part->length, "its end is not reached");
    } else if (part->length == an__lint_turn(part)) {
        check_last_step(lint, i, name);
    }
}

static void check_one_cycle(an_lint *lint, size_t i)
{
    const an__lint_part *part = &lint->parts[i];
    double turn = an__lint_turn(part);
    if (part->length == turn)
        return;
    an_format(
        lint->text, sizeof lint->text,
        part->length < turn
            ? "OneCycleLR: total_steps is %g, but it has %g %s: it holds its last rate for the rest"
            : "OneCycleLR: total_steps is %g, but it has %g %s: the rate does not come down to its "
              "end",
        part->length, turn, steps_word(turn));
    an__lint_note(lint, (an__lint_about){AN_LINT_TOTAL_STEPS, i, "total_steps",
                                         fmin(part->length, turn) - 1, false});
}

/* A cosine that is stepped on rises again: within the run, or after it. */
static void check_cosine(an_lint *lint, size_t i)
{
    const an__lint_part *part = &lint->parts[i];
    const an_cosine_annealing_lr *cosine = &part->desc->cosine;
    double length = part->length, turn = an__lint_turn(part);
    bool within = turn > length + 1;
    if (part->desc->after_end != AN_END_DEFAULT || (!within && !is_last(lint, part)) ||
        length > turn)
        return;
    an_format(lint->text, sizeof lint->text,
              within ? "CosineAnnealingLR: T_max=%lld, but %s has %g %s: after T_max the rate "
                       "rises again"
                     : "CosineAnnealingLR: after T_max=%lld the rate rises again, if %s goes on "
                       "after its %g %s",
              (long long)cosine->T_max, owner_of(lint, part), turn, steps_word(turn));
    an__lint_note(lint,
                  (an__lint_about){AN_LINT_RISES, i, "T_max", part->begin + length + 1, !within});
}

/* ------------------------------------------------------- periods and milestones */

static void check_milestones(an_lint *lint, size_t i)
{
    const an__lint_part *part = &lint->parts[i];
    const an_lr_integers *m = &part->desc->multi_step.milestones;
    for (size_t k = 0; k < m->count && is_last(lint, part); k++) {
        if ((double)m->each[k] < an__lint_turn(part))
            continue;
        an_format(lint->text, sizeof lint->text,
                  "MultiStepLR: the milestone %lld is not reached, since %s has %g %s",
                  (long long)m->each[k], owner_of(lint, part), an__lint_turn(part),
                  steps_word(an__lint_turn(part)));
        an__lint_note(
            lint, (an__lint_about){AN_LINT_NOT_REACHED, i, "milestones", lint->steps - 1, false});
        return;
    }
}

/* A child of a sequence whose turn does not come. */
static void check_turns_of(an_lint *lint, size_t i)
{
    for (size_t k = 1; k < lint->parts[i].composed; k++) {
        size_t later = an__lint_child(lint, i, k), earlier = an__lint_child(lint, i, k - 1);
        if (later == AN__LINT_NONE || !(lint->parts[later].begin >= lint->parts[i].end))
            continue;
        double milestone = lint->parts[later].begin - lint->parts[i].begin;
        if (k == 1 && rises(lint, &lint->parts[earlier]))
            long_warmup(lint, i, "milestones", milestone);
        else
            not_reached(lint, i, "milestones", milestone, "the next schedule has no turn");
        return;
    }
}

static void check_period(an_lint *lint, size_t i, const char *name, int64_t period, bool at_end,
                         const char *what)
{
    double turn = an__lint_turn(&lint->parts[i]);
    if ((double)period > turn || (at_end && (double)period == turn))
        not_reached(lint, i, name, (double)period, what);
}

static void check_turn(an_lint *lint, size_t i)
{
    const an_lr_desc *desc = lint->parts[i].desc;
    bool last = is_last(lint, &lint->parts[i]);
    switch (desc->kind) {
    case AN_ONE_CYCLE_LR:
        check_one_cycle(lint, i);
        return;
    case AN_MULTI_STEP_LR:
        check_milestones(lint, i);
        return;
    case AN_SEQUENTIAL_LR:
    case AN_LR_SEQUENCE:
        check_turns_of(lint, i);
        return;
    case AN_STEP_LR:
        if (last)
            check_period(lint, i, "step_size", desc->step.step_size, true, "the rate never falls");
        return;
    case AN_WARM_RESTARTS_LR:
        if (last)
            check_period(lint, i, "T_0", desc->restarts.T_0, false, "the first cycle does not end");
        return;
    case AN_CYCLIC_LR:
        if (last)
            check_period(lint, i, "step_size_up", desc->cyclic.step_size_up, true,
                         "the first cycle does not reach max_lr");
        return;
    case AN_LR_INTERPOLATE:
        if (last && lint->parts[i].length > an__lint_turn(&lint->parts[i]))
            not_reached(lint, i, "at", lint->parts[i].length, "its last moment is not reached");
        return;
    case AN_COSINE_ANNEALING_LR:
        check_cosine(lint, i);
        check_length(lint, i);
        return;
    default:
        check_length(lint, i);
    }
}

void an__lint_check_turns(an_lint *lint)
{
    for (size_t i = 0; i < lint->part_count; i++) {
        const an__lint_part *part = &lint->parts[i];
        if (part->rate && !part->value && an__lint_turn(part) > 0)
            check_turn(lint, i);
    }
}

/* ------------------------------------------------------------------- units */

/* When a leaf's last or first change comes, counted from its turn; 0: never, a NaN: unknown. */
static double extent(const an_lint *lint, const an__lint_part *part)
{
    const an_lr_desc *desc = part->desc;
    double last = 0;
    switch (desc->kind) {
    case AN_STEP_LR:
        return (double)desc->step.step_size;
    case AN_MULTI_STEP_LR:
        for (size_t k = 0; k < desc->multi_step.milestones.count; k++)
            last = fmax(last, (double)desc->multi_step.milestones.each[k]);
        return last;
    case AN_EXPONENTIAL_LR: /* down to a hundredth */
        return desc->exponential.gamma < 1 ? log(0.01) / log(desc->exponential.gamma) : NAN;
    case AN_WARM_RESTARTS_LR:
        return (double)desc->restarts.T_0;
    case AN_CYCLIC_LR:
        return (double)desc->cyclic.step_size_up;
    case AN_LR_CONSTANT:
        return 0;
    default:
        if (isnan(part->length) || isinf(part->length))
            return NAN;
        return desc->kind < AN_LR_CONSTANT && rises(lint, part) ? 0 : part->length;
    }
}

/* The step at which the last leaf has arrived; 0 when one of them tells nothing. */
static double horizon(const an_lint *lint)
{
    double latest = 0;
    for (size_t i = 0; i < lint->part_count; i++) {
        const an__lint_part *part = &lint->parts[i];
        if (part->composed > 0 || part->value || !part->rate)
            continue;
        double here = part->begin + extent(lint, part);
        if (isnan(here) || here == INFINITY)
            return 0;
        latest = extent(lint, part) > 0 ? fmax(latest, here) : latest;
    }
    return latest;
}

void an__lint_check_units(an_lint *lint)
{
    const an_lint_options *o = &lint->options;
    double each = (double)o->updates_per_epoch, end = horizon(lint), epochs = lint->steps / each;
    const char *kind = an_lr_name(lint->parts[0].desc->kind);
    if (each < 2 || end <= 0 || lint->feedback)
        return;
    if (!o->per_epoch && epochs >= 2 && end <= ceil(epochs) && lint->steps >= 4 * end) {
        an_format(lint->text, sizeof lint->text,
                  "%s acts within %g steps, as if it counted epochs, but it is stepped after "
                  "every update (%lld in an epoch, %g in all): step it per epoch, or count in "
                  "updates",
                  kind, ceil(end), (long long)o->updates_per_epoch, lint->steps);
        an__lint_note(lint, (an__lint_about){AN_LINT_UNIT, 0, "", end, false});
    }
    if (o->per_epoch && end >= each && end >= 3 * lint->steps) {
        an_format(lint->text, sizeof lint->text,
                  "%s takes %g steps, as if its lengths were updates, but it is stepped once an "
                  "epoch (%g times in all); step it per update, or count in epochs",
                  kind, end, lint->steps);
        an__lint_note(lint, (an__lint_about){AN_LINT_UNIT, 0, "", lint->steps - 1, false});
    }
}
