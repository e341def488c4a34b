/*
 * lint_fix.c - the schedule that was probably meant. For each kind of finding there is a list of
 * edits, the likeliest first. Each is written as text, read and looked through as the schedule was:
 * the first that has the finding no more, and no other warning instead, is taken, and if there is
 * none the first that has the finding no more.
 */
#include "lr/numeric.h"

#include "lr/lint_fix.h"
#include <string.h>

#define MOST_EDITS 8

static an__fix_by *const edits[AN_LINT_COUNT][MOST_EDITS] = {
    [AN_LINT_FIRST_ZERO] = {an__fix_begin_with_next, an__fix_earlier_by_one},
    [AN_LINT_NOT_REACHED] = {an__fix_length_to_turn, an__fix_milestones_within,
                             an__fix_children_within, an__fix_a_third_of_the_turn,
                             an__fix_one_cycle_of_restarts, an__fix_one_cycle_up_and_down,
                             an__fix_points_within},
    [AN_LINT_LONG_WARMUP] = {an__fix_short_warmup, an__fix_short_first_turn,
                             an__fix_children_within},
    [AN_LINT_RISES] = {an__fix_length_to_turn, an__fix_hold_at_end},
    [AN_LINT_ZERO_TAIL] = {an__fix_length_to_turn, an__fix_not_below_a_hundredth},
    [AN_LINT_NEGATIVE] = {an__fix_not_below_zero, an__fix_until_then},
    [AN_LINT_NOT_FINITE] = {an__fix_not_below_zero, an__fix_not_above_peak, an__fix_until_then},
    [AN_LINT_JUMP] = {an__fix_fit_earlier, an__fix_end_at_next, an__fix_begin_at_last,
                      an__fix_scale_later},
    [AN_LINT_LATE_RESTART] = {an__fix_whole_cycles},
    [AN_LINT_UNIT] = {an__fix_scale_all_lengths, an__fix_stretch_to_run},
    [AN_LINT_TOTAL_STEPS] = {an__fix_length_to_turn},
    [AN_LINT_OVERWRITES] = {an__fix_keep_momentum, an__fix_take_own_rates},
    [AN_LINT_NO_EFFECT] = {an__fix_take_defaults, an__fix_to_constant},
};

/* The text of an edit, when it has the finding no more, and fewer warnings than `most`. */
static const char *try_edit(an__fixing *f, an__fix_by *e, size_t most)
{
    an_lint *lint = f->lint;
    size_t count = 0;
    f->nodes = an__fixing_room(f, lint->part_count * sizeof(void *));
    an_lr_desc *root =
        f->nodes ? an__lint_copy(&lint->arena, lint->parts[0].desc, f->nodes, &count) : NULL;
    if (!root) {
        lint->failed = true;
        return NULL;
    }
    f->desc = f->nodes[f->part - lint->parts];
    if (!e(f))
        return NULL;
    size_t size = an_lr_print(NULL, 0, root) + 1;
    char *text = an__fixing_room(f, size);
    if (!text)
        return NULL;
    an_lr_print(text, size, root);
    return an__lint_again(lint, text, &f->found->finding) < most ? text : NULL;
}

const char *an__lint_fix(an_lint *lint, const an__lint_found *found)
{
    const char *dot = strrchr(found->finding.param, '.');
    an__fixing f = {.lint = lint, .found = found, .part = &lint->parts[found->part]};
    f.name = dot ? dot + 1 : found->finding.param;
    size_t warnings = an__lint_warnings(lint),
           fewer = warnings + (found->finding.after_run ? 1 : 0);
    const size_t limits[] = {fewer, SIZE_MAX};
    const char *text = NULL;
    for (size_t strict = 0; strict < 2; strict++)
        for (size_t i = 0; !text && i < MOST_EDITS && edits[found->finding.kind][i]; i++)
            text = try_edit(&f, edits[found->finding.kind][i], limits[strict]);
    bool hopeless =
        found->finding.kind == AN_LINT_NEGATIVE || found->finding.kind == AN_LINT_NOT_FINITE;
    return !text && hopeless ? try_edit(&f, an__fix_to_constant, SIZE_MAX) : text;
}
