/* lint_fix.h - what the files of the linter share that correct a schedule. */
#ifndef ANNEAL_LR_LINT_FIX_H
#define ANNEAL_LR_LINT_FIX_H

#include "lr/lint.h"

/* One try: a copy of the schedule to be edited, its nodes in the order of the lint's parts. */
typedef struct an__fixing {
    an_lint *lint;
    const an__lint_found *found;
    const an__lint_part *part;
    an_lr_desc **nodes, *desc; /* desc: the node of the part */
    const char *name;          /* of the parameter, without its path */
} an__fixing;

/* lint_edit.c. Memory that lives as long as the findings; NULL notes the failure. */
void *an__fixing_room(an__fixing *f, size_t size);
/* Sets a parameter that counts steps, rounded up; false where there is none of that name. */
bool an__fixing_set_steps(an_lr_desc *desc, const char *name, double steps);
/* Sets the length of a schedule. */
bool an__fixing_set_length(an_lr_desc *desc, double steps);
/* Sets a number, rounded; of several groups that of the one that is looked at. */
bool an__fixing_set_real(an__fixing *f, an_lr_desc *desc, const char *name, double value);
/* A number to six digits, so that a proposal reads well. */
double an__fixing_rounded(double value);
/* Puts a composite of one schedule around `node`; what it holds is then the wrapped one. NULL:
 * memory. */
an_lr_desc *an__fixing_wrap(an__fixing *f, an_lr_desc *node, an_lr_kind kind);
/* The outermost node that drives the slot of the part: below Drive and Together. */
an_lr_desc *an__fixing_outermost(const an__fixing *f);

/* An edit of the copy; false when it does not suit. */
typedef bool an__fix_by(an__fixing *f);

/* lint_fix_length.c: the length is that of the turn, or it holds after it. */
bool an__fix_length_to_turn(an__fixing *f);
bool an__fix_hold_at_end(an__fixing *f);
/* A tenth of the turn for a warm-up, a leaf or the first of a sequence. */
bool an__fix_short_warmup(an__fixing *f);
bool an__fix_short_first_turn(an__fixing *f);
/* Periods, milestones, children and points that come to pass within the turn. */
bool an__fix_a_third_of_the_turn(an__fixing *f);
bool an__fix_one_cycle_of_restarts(an__fixing *f);
bool an__fix_one_cycle_up_and_down(an__fixing *f);
bool an__fix_milestones_within(an__fixing *f);
bool an__fix_children_within(an__fixing *f);
bool an__fix_points_within(an__fixing *f);
/* As many cycles as end before the late one, over the whole turn. */
bool an__fix_whole_cycles(an__fixing *f);

/* lint_fix_unit.c: every length times or by the updates of an epoch, or all in a Stretch. */
bool an__fix_scale_all_lengths(an__fixing *f);
bool an__fix_stretch_to_run(an__fixing *f);

/* lint_fix_value.c: a first rate of 0 begins with the second, or everything a step earlier. */
bool an__fix_begin_with_next(an__fixing *f);
bool an__fix_earlier_by_one(an__fixing *f);
/* Rates within a range, or from the step on the rate of the step before. */
bool an__fix_not_below_zero(an__fixing *f);
bool an__fix_not_above_peak(an__fixing *f);
bool an__fix_not_below_a_hundredth(an__fixing *f);
bool an__fix_until_then(an__fixing *f);
/* The schedules on either side of a jump meet. */
bool an__fix_fit_earlier(an__fixing *f);
bool an__fix_end_at_next(an__fixing *f);
bool an__fix_begin_at_last(an__fixing *f);
bool an__fix_scale_later(an__fixing *f);
/* The momentum, and the rates, that the optimizer has. */
bool an__fix_keep_momentum(an__fixing *f);
bool an__fix_take_own_rates(an__fixing *f);
/* What may be left out, left out; nothing but a constant. */
bool an__fix_take_defaults(an__fixing *f);
bool an__fix_to_constant(an__fixing *f);

#endif
