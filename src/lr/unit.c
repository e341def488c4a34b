/*
 * unit.c - lengths in the units of a run: turned into steps where the run's facts allow it, and
 * handed down to the nodes that were given none.
 */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

static const struct {
    const char *name, *text;
} units[] = {
#define UNIT(constant, name, text) {#name, #text},
    AN_LR_UNIT_MAP(UNIT)
#undef UNIT
};

const char *an__lr_unit_text(an_lr_unit unit)
{
    return (unsigned)unit < AN_UNIT_COUNT ? units[unit].text : "?";
}

/* How far a schedule that replays may be moved. */
#define MOST_REPLAYED 1e6

static const an__lr_span absent = {NAN, AN_STEPS};
static const an__lr_span endless = {INFINITY, AN_STEPS};
static const an__lr_span mixed = {NAN, AN_UNIT_COUNT};

/* ------------------------------------------------------------------- facts */

static double total_steps(const an_lr_run *run)
{
    if (run->total_steps > 0)
        return (double)run->total_steps;
    return (double)run->epochs * (double)run->steps_per_epoch;
}

double an__lr_steps_of(const an_lr_run *run, an_lr_unit unit)
{
    switch (unit) {
    case AN_STEPS:
        return 1;
    case AN_EPOCHS:
        return (double)run->steps_per_epoch;
    case AN_SAMPLES:
        return run->samples_per_step > 0 ? 1 / run->samples_per_step : 0;
    case AN_TOKENS:
        return run->tokens_per_step > 0 ? 1 / run->tokens_per_step : 0;
    case AN_RUNS:
        return total_steps(run);
    case AN_SECONDS:
    case AN_UNIT_COUNT:
        break;
    }
    return 0;
}

an__lr_span an__lr_run_span(const an_lr_run *run)
{
    if (total_steps(run) > 0)
        return (an__lr_span){total_steps(run), AN_STEPS};
    return run->seconds > 0 ? (an__lr_span){run->seconds, AN_SECONDS} : absent;
}

/* The nearest whole number of steps where only rounding lies between: 0.3 of 9380 are 2814. */
static double tidy(double steps)
{
    double whole = floor(steps + 0.5);
    return fabs(steps - whole) <= 1e-9 * fabs(whole) ? whole : steps;
}

static bool missing_fact(const an__lr_node *node, const char *name, an_lr_length length,
                         an_error *err)
{
    static const char *const remedies[] = {
        [AN_STEPS] = "",
        [AN_EPOCHS] = "how many steps an epoch has (steps_per_epoch)",
        [AN_SAMPLES] = "how many samples a step takes (samples_per_step)",
        [AN_TOKENS] = "how many tokens a step takes (tokens_per_step)",
        [AN_SECONDS] = "that the steps come with a clock (clocked)",
        [AN_RUNS] = "how long it is (total_steps, or seconds)",
    };
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "%s: %s is %g%s, but nothing is known of the run; say in its an_lr_run %s",
                        an_lr_name(node->desc.kind), name, length.value,
                        an__lr_unit_text(length.unit),
                        length.unit < AN_UNIT_COUNT ? remedies[length.unit] : "more");
}

static bool turn(const an__lr_node *node, const char *name, const an_lr_run *run,
                 an_lr_length length, an__lr_span *out, an_error *err)
{
    double steps = an__lr_steps_of(run, length.unit);
    if (steps > 0)
        *out = (an__lr_span){tidy(length.value * steps), AN_STEPS};
    else if (length.unit == AN_RUNS && run->seconds > 0)
        *out = (an__lr_span){length.value * run->seconds, AN_SECONDS};
    else if (length.unit != AN_RUNS &&
             (run->clocked || (length.unit == AN_SECONDS && run->seconds > 0)))
        *out = (an__lr_span){length.value, length.unit};
    else
        return missing_fact(node, name, length, err);
    return true;
}

/* ------------------------------------------------------- a node's own lengths */

size_t an__lr_span_count(const an_lr_desc *desc)
{
    size_t count, spans = 0;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const unsigned char *)desc + params[i].offset;
        if (params[i].type == AN_LR_LENGTH)
            spans++;
        if (params[i].type == AN_LR_LENGTHS)
            spans += ((const an_lr_lengths *)at)->count;
    }
    return spans;
}

/* A length that was left out stays a NaN here. */
static bool turn_own(an__lr_node *node, const an_lr_run *run, an_error *err)
{
    size_t count, used = 0;
    const an_lr_param *params = an_lr_params(node->desc.kind, &count);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const unsigned char *)&node->desc + params[i].offset;
        an_lr_lengths list = {.each = at, .count = 0};
        if (params[i].type == AN_LR_LENGTH)
            list.count = 1;
        if (params[i].type == AN_LR_LENGTHS)
            list = *(const an_lr_lengths *)at;
        for (size_t k = 0; k < list.count; k++, used++) {
            node->spans[used] = absent;
            if (!isnan(list.each[k].value) &&
                !turn(node, params[i].name, run, list.each[k], &node->spans[used], err))
                return false;
        }
    }
    return true;
}

/* --------------------------------------------------------- when it has arrived */

static an__lr_span steps_or_endless(int64_t steps)
{
    return steps == AN_LR_NONE ? endless : (an__lr_span){(double)steps, AN_STEPS};
}

an__lr_span an__lr_later(an__lr_span a, an__lr_span b)
{
    if (isinf(a.value) || isinf(b.value))
        return endless;
    if (a.unit != b.unit || isnan(a.value) || isnan(b.value))
        return mixed;
    return a.value > b.value ? a : b;
}

an__lr_span an__lr_after(an__lr_span begin, an__lr_span length)
{
    if (isinf(length.value))
        return endless;
    if (length.value == 0)
        return begin;
    if (begin.value == 0)
        return length;
    return begin.unit == length.unit ? (an__lr_span){begin.value + length.value, begin.unit}
                                     : mixed;
}

an__lr_span an__lr_left(an__lr_span begin, an__lr_span end)
{
    if (begin.value == 0)
        return end;
    if (begin.unit != end.unit || isnan(end.value))
        return absent;
    return (an__lr_span){fmax(0, end.value - begin.value), end.unit};
}

static an__lr_span counted_length(const an__lr_node *node)
{
    const an_lr_desc *desc = &node->desc;
    switch (desc->kind) {
    case AN_CONSTANT_LR:
        return steps_or_endless(desc->constant.total_iters);
    case AN_LINEAR_LR:
        return steps_or_endless(desc->linear.total_iters);
    case AN_POLYNOMIAL_LR:
        return steps_or_endless(desc->polynomial.total_iters);
    case AN_COSINE_ANNEALING_LR:
        return steps_or_endless(desc->cosine.T_max);
    case AN_SWA_LR:
        return steps_or_endless(desc->swa.anneal_epochs);
    case AN_ONE_CYCLE_LR:
        return steps_or_endless(desc->one_cycle.total_steps != AN_LR_NONE
                                    ? desc->one_cycle.total_steps
                                    : desc->one_cycle.epochs * desc->one_cycle.steps_per_epoch);
    case AN_SEQUENTIAL_LR: {
        const an_lr_integers *m = &desc->sequential.milestones;
        an__lr_span begin = steps_or_endless(m->count > 0 ? m->each[m->count - 1] : 0);
        return an__lr_after(begin, node->children[node->child_count - 1]->length);
    }
    default:
        return endless;
    }
}

static an__lr_span length_of(const an__lr_node *node)
{
    if (node->class->length)
        return node->class->length(node);
    if (node->desc.kind < AN_LR_CONSTANT && node->desc.kind != AN_CHAINED_LR)
        return counted_length(node);
    if (node->child_count == 0)
        return node->spans ? node->spans[0] : endless;
    an__lr_span latest = node->children[0]->length;
    for (size_t i = 1; i < node->child_count; i++)
        latest = an__lr_later(latest, node->children[i]->length);
    return latest;
}

/* ---------------------------------------------------------------- the tree */

/* The moments of a list must increase, where they can be compared. */
static bool check_order(const an__lr_node *node, an_error *err)
{
    bool points = node->desc.kind == AN_LR_INTERPOLATE;
    size_t count = points || node->desc.kind == AN_LR_SEQUENCE ? an__lr_span_count(&node->desc) : 0;
    for (size_t i = 1; i < count; i++) {
        an__lr_span a = node->spans[i - 1], b = node->spans[i];
        if (points && a.unit != b.unit)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "Interpolate: at[%zu] and at[%zu] are in units that cannot be "
                                "compared; give both in one",
                                i - 1, i);
        if (a.unit == b.unit && !(a.value < b.value))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "%s: %s must increase, but %g%s comes after %g%s",
                                an_lr_name(node->desc.kind), points ? "at" : "milestones", b.value,
                                an__lr_unit_text(b.unit), a.value, an__lr_unit_text(a.unit));
    }
    return true;
}

/* A Loop, Reverse or Stretch that was given no length takes its schedule's. */
static bool take_length(an__lr_node *node, an_error *err)
{
    an__lr_span length = node->child_count > 0 ? node->children[0]->length : absent;
    size_t count = an__lr_span_count(&node->desc);
    if (node->child_count == 0 || count == 0 || !isnan(node->spans[count - 1].value))
        return true;
    node->spans[count - 1] = length;
    if (isfinite(length.value))
        return true;
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "%s: length is required, since its schedule, %s, has no end in one unit",
                        an_lr_name(node->desc.kind), an_lr_name(node->children[0]->desc.kind));
}

static bool no_length(const an__lr_node *node, an_error *err)
{
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "%s: length is required, since neither the schedule around it nor the run "
                        "has one; give it, or total_steps in the an_lr_run",
                        an_lr_name(node->desc.kind));
}

/* The end must be known where something is to happen after it. */
static bool check_end(const an__lr_node *node, const an_lr_run *run, an_error *err)
{
    const char *kind = an_lr_name(node->desc.kind);
    if (node->desc.after_end == AN_END_DEFAULT)
        return true;
    if (!isfinite(node->length.value))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: after_end needs a schedule that ends, in one unit, and this one "
                            "does not",
                            kind);
    an__lr_span whole = an__lr_run_span(run);
    if (node->desc.after_end == AN_END_ERROR && node->index == 0 &&
        whole.unit == node->length.unit && whole.value > node->length.value)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s: it ends after %g%s and after_end is 'error', but the run has %g",
                            kind, node->length.value, an__lr_unit_text(whole.unit), whole.value);
    return true;
}

bool an__lr_counts_clock(const an__lr_node *node)
{
    for (size_t i = 0; i < an__lr_span_count(&node->desc); i++)
        if (node->spans[i].unit != AN_STEPS)
            return true;
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        if (an__lr_counts_clock(node->children[i]))
            return true;
    return false;
}

bool an__lr_may_end(const an__lr_node *node)
{
    for (size_t i = 0; i < node->child_count; i++)
        if (an__lr_may_end(node->children[i]))
            return true;
    return node->desc.after_end == AN_END_ERROR;
}

/* PyTorch's composites count whole steps, so within them nothing can count seconds. */
static bool check_counted(const an__lr_node *node, const an__lr_node *child, an_error *err)
{
    bool counts = node->desc.kind == AN_SEQUENTIAL_LR || node->desc.kind == AN_CHAINED_LR;
    if (!counts || !an__lr_counts_clock(child))
        return true;
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "%s counts steps, but %s within it has a length that needs a clock; "
                        "compose them with %s",
                        an_lr_name(node->desc.kind), an_lr_name(child->desc.kind),
                        node->desc.kind == AN_SEQUENTIAL_LR ? "Sequence" : "Product");
}

/*
 * What replays would keep the program busy for years where its clock is set far ahead: by a Shift
 * back, a Reverse, a Stretch or the warm-up of Restarts. `at` of such a step is the caller's wish,
 * but these are computed at every step, the first included.
 */
static bool check_replay(const an__lr_node *node, an_error *err)
{
    bool shift = node->desc.kind == AN_LR_SHIFT;
    if (!shift && node->desc.kind != AN_LR_REVERSE && node->desc.kind != AN_LR_STRETCH &&
        node->desc.kind != AN_LR_RESTARTS)
        return true;
    const an__lr_span *length = &node->spans[node->desc.kind == AN_LR_STRETCH];
    if (!((shift ? -length->value : length->value) > MOST_REPLAYED) ||
        !an__lr_replays(node->children[0]))
        return true;
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "%s: %s within it is computed from its first step on, so it can be moved "
                        "by up to %g, got %g%s",
                        an_lr_name(node->desc.kind), an_lr_name(node->children[0]->desc.kind),
                        MOST_REPLAYED, length->value, an__lr_unit_text(length->unit));
}

bool an__lr_resolve(an__lr_node *node, const an_lr_run *run, an__lr_span available, an_error *err)
{
    bool leaf = node->child_count == 0;
    if (!turn_own(node, run, err) || !check_order(node, err))
        return false;
    if (leaf && an__lr_span_count(&node->desc) == 1 && isnan(node->spans[0].value)) {
        node->spans[0] = available;
        if (isnan(available.value))
            return no_length(node, err);
    }
    for (size_t i = 0; i < node->child_count + node->value_count; i++) {
        an__lr_span left = available;
        if (i < node->child_count && node->class->leave)
            left = node->class->leave(node, i, available);
        if (!an__lr_resolve(node->children[i], run, left, err) ||
            !check_counted(node, node->children[i], err))
            return false;
    }
    if (!take_length(node, err) || !check_replay(node, err))
        return false;
    node->length = length_of(node);
    return check_end(node, run, err);
}

AN__COLD_END
