/* lint.h - what the files of the linter share: a schedule taken apart, and what was found in it. */
#ifndef ANNEAL_LR_LINT_H
#define ANNEAL_LR_LINT_H

#include "lr/node.h"
#include <anneal/lr_text.h>

/*
 * One schedule of the tree. Its turn is from `begin` to `end`, its length is counted from `begin`,
 * all in steps; a NaN where that is not known (within a Loop, by the wall clock), an infinite
 * length where it has no end.
 */
typedef struct an__lint_part {
    an_lr_desc *desc;       /* in the linter's own copy of the description */
    const an_lr_desc *seen; /* in the schedule that is looked at */
    const char *prefix;     /* of its parameters' paths: "schedulers[1]." */
    size_t parent, index, composed;
    bool value; /* it is, or stands in, a parameter of another */
    bool rate;  /* it drives the lr of the group that is looked at */
    double begin, end, length;
} an__lint_part;

#define AN__LINT_NONE ((size_t)-1) /* no part */

/* A finding with what corrects it: the part that it is about. */
typedef struct an__lint_found {
    an_lint_finding finding;
    size_t part;
    bool *in; /* for each group: whether it is found there */
} an__lint_found;

struct an_lint {
    an_arena arena;
    an_lint_options options;
    an_allocator allocator;
    an__lint_part *parts; /* each before its children */
    size_t part_count;
    an_lr_group *groups, **group_list;
    size_t group_count, group; /* the one that is looked at */
    double *bases;             /* the groups' rates before the schedule */
    an_lr_schedule *schedule;  /* the parts with their feedback taken out; pure */
    double steps;              /* of the run */
    double base;               /* of the group that is looked at */
    bool feedback, foreseen;   /* whether feedback is in it; whether an_lr_at knows it */
    bool moves;                /* the rate of a group */
    double *rates;             /* of that group, at the first steps of the run */
    size_t rate_count;
    double peak;
    an__lint_found *found;
    size_t found_count;
    char text[400]; /* of the next finding */
    bool failed;    /* memory ran out */
};

/* lint.c: looks a text through as `lint` was: how many warnings it has. SIZE_MAX if no schedule can
 * be made of it, or one of its findings is of the kind and about the parameter of `as`. */
size_t an__lint_again(an_lint *lint, const char *text, const an_lint_finding *as);
/* Notes the finding that lint->text says, about a parameter of a part ("": the whole part). */
typedef struct an__lint_about {
    an_lint_kind kind;
    size_t part;
    const char *name;
    double step;
    bool after_run;
} an__lint_about;

void an__lint_note(an_lint *lint, an__lint_about about);
/* Whether there is a warning of the kind already, in the group that is looked at. */
bool an__lint_has(const an_lint *lint, an_lint_kind kind);
/* How many findings are warnings. */
size_t an__lint_warnings(const an_lint *lint);

/* lint_part.c: the steps of a part's turn. */
double an__lint_turn(const an__lint_part *part);
/* The parts; a deep copy of a description whose nodes are put into `nodes`, in the
 * same order; looking at another group; the rate of the group that is looked at, at a step. */
bool an__lint_take_apart(an_lint *lint, const an_lr_desc *desc);
bool an__lint_place(an_lint *lint);
void an__lint_select(an_lint *lint, size_t group);
an_lr_desc *an__lint_copy(an_arena *arena, const an_lr_desc *desc, an_lr_desc **nodes,
                          size_t *count);
double an__lint_rate(const an_lint *lint, int64_t step);
/* Parameter `name` of a description, NULL if it has none; where its value stands. */
const an_lr_param *an__lint_param(const an_lr_desc *desc, const char *name);
void *an__lint_at(an_lr_desc *desc, const an_lr_param *param);
/* The name of the parameter that is the schedule's length, NULL if it has none. */
const char *an__lint_length_name(const an_lr_desc *desc);
/* Whether the description has that length, and it was not left out. */
bool an__lint_is_written(an_lr_desc *desc, const char *name);
/* The rates of one schedule alone, over a base rate of 1, at the beginning and end of its length.
 */
bool an__lint_ends(const an_lint *lint, const an__lint_part *part, double *first, double *last);

/* lint_check.c: all checks of one group, and at last whether anything changes in any. lint_turn.c:
 * those of lengths, and of units. */
void an__lint_check(an_lint *lint);
void an__lint_check_effect(an_lint *lint);
void an__lint_check_turns(an_lint *lint);
void an__lint_check_units(an_lint *lint);
/* The part that is child `index` of part `parent`; AN__LINT_NONE if there is none. */
size_t an__lint_child(const an_lint *lint, size_t parent, size_t index);

/* lint_fix.c: the description with the finding corrected, as text; NULL if there is none. */
const char *an__lint_fix(an_lint *lint, const an__lint_found *found);

#endif
