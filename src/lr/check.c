/*
 * check.c - what a description must be. PyTorch accepts much that crashes later or trains wrongly
 * in silence; here everything is refused where it is said, with the parameter, the value and the
 * range.
 */
#include "lr/numeric.h"

#include "lr/node.h"
#include <string.h>

AN__COLD_BEGIN

#define RANGE_SIZE 80

/* -------------------------------------------------------------- parameters */

/* "from 0 to 1", "above 0 and at most 1", "1 or more". */
static void describe_range(const an_lr_param *p, char *text)
{
    bool open = p->high > 1e15;
    if (open && isinf(p->low))
        an_format(text, RANGE_SIZE, "a finite number");
    else if (open)
        an_format(text, RANGE_SIZE, p->above_low ? "above %g" : "%g or more", p->low);
    else if (!p->above_low && !p->below_high)
        an_format(text, RANGE_SIZE, "from %g to %g", p->low, p->high);
    else
        an_format(text, RANGE_SIZE, "%s %g and %s %g", p->above_low ? "above" : "at least", p->low,
                  p->below_high ? "below" : "at most", p->high);
}

static bool in_range(const an_lr_param *p, double value)
{
    return (p->above_low ? value > p->low : value >= p->low) &&
           (p->below_high ? value < p->high : value <= p->high);
}

/* `at`: which element of a list, or -1. */
static AN__SMALL bool check_number(const char *kind, const an_lr_param *p, double value, long at,
                                   an_error *err)
{
    if (in_range(p, value))
        return true;
    char range[RANGE_SIZE], where[32] = "";
    describe_range(p, range);
    if (at >= 0)
        an_format(where, sizeof where, "[%ld]", at);
    return an_error_set(
        err, AN_ERROR_ARGUMENT, "%s: %s%s must be %s, got %g%s", kind, p->name, where, range, value,
        value > AN__LR_INTEGER_MAX && isfinite(value) ? ", which is too large" : "");
}

static bool missing(const char *kind, const an_lr_param *p, an_error *err)
{
    return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s is required", kind, p->name);
}

/* In C, NaN stands for a real that was not given; in text somebody wrote it. */
static bool missing_real(const char *kind, const an_lr_param *p, an_error *err)
{
    char range[RANGE_SIZE];
    describe_range(p, range);
    return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s is required and must be %s, got nan", kind,
                        p->name, range);
}

static bool check_integer(const char *kind, const an_lr_param *p, int64_t value, an_error *err)
{
    if (value != AN_LR_NONE)
        return check_number(kind, p, (double)value, -1, err);
    return p->required || !isnan(p->fallback) ? missing(kind, p, err) : true;
}

static bool check_count(const char *kind, const an_lr_param *p, size_t count, const void *each,
                        size_t groups, an_error *err)
{
    if (groups > 0 && count != groups)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: %s has %zu value%s for %zu group%s: give one value for all, or "
                            "one for each",
                            kind, p->name, count, count == 1 ? "" : "s", groups,
                            groups == 1 ? "" : "s");
    if (count > AN__LR_MAX_LIST)
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s can have up to %zu values, got %zu",
                            kind, p->name, AN__LR_MAX_LIST, count);
    if (!each)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: %s counts %zu values, but its list is NULL", kind, p->name, count);
    return true;
}

static bool check_reals(const char *kind, const an_lr_param *p, const an_lr_reals *reals,
                        size_t groups, an_error *err)
{
    if (reals->count == 0)
        return p->required && isnan(reals->value) ? missing_real(kind, p, err)
                                                  : check_number(kind, p, reals->value, -1, err);
    if (!check_count(kind, p, reals->count, reals->each, groups, err))
        return false;
    for (size_t i = 0; i < reals->count; i++)
        if (!check_number(kind, p, reals->each[i], (long)i, err))
            return false;
    return true;
}

static bool check_integers(const char *kind, const an_lr_param *p, const an_lr_integers *integers,
                           an_error *err)
{
    if (integers->count == 0)
        return true;
    if (!check_count(kind, p, integers->count, integers->each, 0, err))
        return false;
    for (size_t i = 0; i < integers->count; i++)
        if (!check_number(kind, p, (double)integers->each[i], (long)i, err))
            return false;
    return true;
}

static bool check_functions(const char *kind, const an_lr_param *p,
                            const an_lr_functions *functions, size_t groups, an_error *err)
{
    if (functions->count == 0)
        return functions->function.call ? true : missing(kind, p, err);
    if (!check_count(kind, p, functions->count, functions->each, groups, err))
        return false;
    for (size_t i = 0; i < functions->count; i++)
        if (!functions->each[i].call)
            return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s[%zu] is not a function", kind,
                                p->name, i);
    return true;
}

static bool check_choice(const char *kind, const an_lr_param *p, int value, an_error *err)
{
    int count = 0;
    while (p->choices[count])
        count++;
    if (value >= 0 && value < count)
        return true;
    return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s must be one of its %d choices, got %d",
                        kind, p->name, count, value);
}

static bool check_numbers(const char *kind, const an_lr_param *p, const an_lr_numbers *numbers,
                          an_error *err)
{
    if (numbers->count == 0)
        return p->required ? missing(kind, p, err) : true;
    if (!check_count(kind, p, numbers->count, numbers->each, 0, err))
        return false;
    for (size_t i = 0; i < numbers->count; i++)
        if (!check_number(kind, p, numbers->each[i], (long)i, err))
            return false;
    return true;
}

/* `at`: which element of a list, or -1: only a parameter of its own, without a default, may be
 * absent. */
static bool check_length(const char *kind, const an_lr_param *p, an_lr_length length, long at,
                         an_error *err)
{
    if (at < 0 && isnan(length.value) && (p->required || isnan(p->fallback)))
        return p->required ? missing(kind, p, err) : true;
    if ((unsigned)length.unit >= AN_UNIT_COUNT)
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s has no unit that is numbered %d", kind,
                            p->name, (int)length.unit);
    return check_number(kind, p, length.value, at, err);
}

static bool check_lengths(const char *kind, const an_lr_param *p, const an_lr_lengths *lengths,
                          an_error *err)
{
    if (lengths->count == 0)
        return p->required ? missing(kind, p, err) : true;
    if (!check_count(kind, p, lengths->count, lengths->each, 0, err))
        return false;
    for (size_t i = 0; i < lengths->count; i++)
        if (!check_length(kind, p, lengths->each[i], (long)i, err))
            return false;
    return true;
}

static bool check_value(const char *kind, const an_lr_param *p, const an_lr_value *value,
                        an_error *err)
{
    if (value->schedule || (!p->required && isnan(p->fallback) && isnan(value->value)))
        return true;
    return check_number(kind, p, value->value, -1, err);
}

bool an__lr_check_param(const an_lr_desc *desc, const an_lr_param *param, size_t groups,
                        an_error *err)
{
    const char *kind = an_lr_name(desc->kind);
    const void *at = (const unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        return check_integer(kind, param, *(const int64_t *)at, err);
    case AN_LR_REAL:
        if (param->required && isnan(*(const double *)at))
            return missing_real(kind, param, err);
        if (isnan(param->fallback) && isnan(*(const double *)at))
            return true;
        return check_number(kind, param, *(const double *)at, -1, err);
    case AN_LR_CHOICE:
        return check_choice(kind, param, an__lr_choice(desc, param), err);
    case AN_LR_REALS:
        return check_reals(kind, param, at, groups, err);
    case AN_LR_INTEGERS:
        return check_integers(kind, param, at, err);
    case AN_LR_FUNCTIONS:
        return check_functions(kind, param, at, groups, err);
    case AN_LR_NUMBERS:
        return check_numbers(kind, param, at, err);
    case AN_LR_LENGTH:
        return check_length(kind, param, *(const an_lr_length *)at, -1, err);
    case AN_LR_LENGTHS:
        return check_lengths(kind, param, at, err);
    case AN_LR_VALUE:
        return check_value(kind, param, at, err);
    case AN_LR_CHILD:
        return *(const an_lr_desc *const *)at ? true : missing(kind, param, err);
    case AN_LR_NAME:
        return *(const char *const *)at || !param->required ? true : missing(kind, param, err);
    case AN_LR_BOOL:
    case AN_LR_FUNCTION:
    case AN_LR_CHILDREN:
        break;
    }
    return true;
}

/* ------------------------------------------------------------------- rules */

static bool one_cycle_rules(const an_one_cycle_lr *p, const char **blame, an_error *err)
{
    if (p->total_steps == AN_LR_NONE) {
        *blame = p->epochs == AN_LR_NONE ? "epochs" : "steps_per_epoch";
        if (p->epochs == AN_LR_NONE || p->steps_per_epoch == AN_LR_NONE)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "OneCycleLR: its length is not known; give total_steps, or epochs "
                                "and steps_per_epoch");
        if ((double)p->epochs * (double)p->steps_per_epoch > AN__LR_INTEGER_MAX)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "OneCycleLR: epochs * steps_per_epoch must be below 2^53, got "
                                "%lld * %lld",
                                (long long)p->epochs, (long long)p->steps_per_epoch);
    }
    *blame = "pct_start";
    if (p->three_phase && p->pct_start > 0.5)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "OneCycleLR: pct_start must be from 0 to 0.5 with three_phase, which "
                            "comes down in as many steps as it goes up; got %g",
                            p->pct_start);
    return true;
}

static bool children_rules(const char *kind, const an_lr_children *children, const char **blame,
                           an_error *err)
{
    *blame = "schedulers";
    if (children->count == 0 || !children->each)
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: schedulers must hold at least one", kind);
    for (size_t i = 0; i < children->count; i++) {
        const an_lr_desc *child = children->each[i];
        if (!child)
            return an_error_set(err, AN_ERROR_ARGUMENT, "%s: scheduler %zu is NULL", kind, i);
    }
    return true;
}

static bool sequential_rules(const an_sequential_lr *p, const char **blame, an_error *err)
{
    if (!children_rules("SequentialLR", &p->schedulers, blame, err))
        return false;
    *blame = "milestones";
    size_t needed = p->schedulers.count - 1;
    if (needed == 0 && p->milestones.count > 0)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "SequentialLR: milestones must be empty for one scheduler, got %zu",
                            p->milestones.count);
    if (p->milestones.count != needed)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "SequentialLR: milestones must hold the %zu step%s at which the "
                            "schedulers after the first begin, got %zu",
                            needed, needed == 1 ? "" : "s", p->milestones.count);
    for (size_t i = 1; i < p->milestones.count; i++)
        if (p->milestones.each[i] <= p->milestones.each[i - 1])
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "SequentialLR: milestones must increase, but %lld comes after %lld",
                                (long long)p->milestones.each[i],
                                (long long)p->milestones.each[i - 1]);
    return true;
}

bool an__lr_check_rules(const an_lr_desc *desc, const char **blame, an_error *err)
{
    if (desc->kind == AN_ONE_CYCLE_LR)
        return one_cycle_rules(&desc->one_cycle, blame, err);
    if (desc->kind == AN_SEQUENTIAL_LR)
        return sequential_rules(&desc->sequential, blame, err);
    if (desc->kind == AN_CHAINED_LR)
        return children_rules("ChainedScheduler", &desc->chained.schedulers, blame, err);
    return desc->kind < AN_LR_CONSTANT || an__lr_check_own(desc, blame, err);
}

/* Called when the children themselves are known to be sound. */
static bool chain_rules(const an_chained_lr *p, an_error *err)
{
    for (size_t i = 1; i < p->schedulers.count; i++)
        if (an__lr_erases(p->schedulers.each[i]))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "ChainedScheduler: scheduler %zu, %s, sets the rate from its own "
                                "base and would erase what those before it did; put it first",
                                i, an_lr_name(p->schedulers.each[i]->kind));
    return true;
}

/* -------------------------------------------------------------------- tree */

static bool check_one(const an_lr_desc *desc, size_t groups, an_error *err)
{
    size_t count;
    const char *blame;
    if ((unsigned)desc->kind >= AN_LR_KIND_COUNT)
        return an_error_set(err, AN_ERROR_ARGUMENT, "there is no schedule of kind %d",
                            (int)desc->kind);
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++)
        if (!an__lr_check_param(desc, &params[i], groups, err))
            return false;
    return an__lr_check_rules(desc, &blame, err);
}

/* `left` is how many more nodes there may be: descriptions that share children could be many. */
static AN__SMALL bool check_tree(const an_lr_desc *desc, size_t groups, int depth, size_t *left,
                                 an_error *err)
{
    if (depth > AN__LR_MAX_DEPTH || *left == 0) {
        *left = 0; /* the error is of the whole: no place in it is named */
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "a schedule can nest %d deep and hold %d schedules in all",
                            AN__LR_MAX_DEPTH, AN__LR_MAX_NODES);
    }
    --*left;
    if (!check_one(desc, groups, err))
        return false;
    size_t count = an_lr_child_count(desc);
    for (size_t i = 0; i < count; i++)
        if (!an__lr_check_place(desc, an_lr_child(desc, i), err) ||
            !check_tree(an_lr_child(desc, i), groups, depth + 1, left, err)) {
            if (*left > 0)
                an_error_prefix(err, "%s, scheduler %zu: ", an_lr_name(desc->kind), i);
            return false;
        }
    if (desc->kind == AN_LR_PRODUCT)
        return an__lr_check_product(&desc->product, err);
    return desc->kind == AN_CHAINED_LR ? chain_rules(&desc->chained, err) : true;
}

bool an_lr_check(const an_lr_desc *desc, size_t group_count, an_error *err)
{
    size_t left = AN__LR_MAX_NODES;
    if (!desc)
        return an_error_set(err, AN_ERROR_ARGUMENT, "the description of a schedule is NULL");
    return check_tree(desc, group_count, 1, &left, err);
}

AN__COLD_END
