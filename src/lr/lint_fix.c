/*
 * lint_fix.c - the schedule that was probably meant. For each kind of finding there is a list of
 * edits, the likeliest first. Each is written as text, read and looked through as the schedule was:
 * the first that has the finding no more, and no other warning instead, is taken, and if there is
 * none the first that has the finding no more.
 */
#include "lr/numeric.h"

#include "lr/lint.h"
#include <string.h>

#define NONE ((size_t)-1)

/* One try: a copy of the schedule to be edited, `nodes` as the parts are. */
typedef struct fixing {
    an_lint *lint;
    const an__lint_found *found;
    const an__lint_part *part;
    an_lr_desc **nodes, *desc; /* desc: the node of the part */
    const char *name;          /* of the parameter, without its path */
} fixing;

/* An edit; false when it does not suit. */
typedef bool fix_by(fixing *f);

/* Memory that lives as long as the findings. */
static void *room(fixing *f, size_t size)
{
    void *memory = an_arena_alloc(&f->lint->arena, size);
    if (!memory)
        f->lint->failed = true;
    return memory;
}

/* ---------------------------------------------------------------- parameters */

static bool set_steps(an_lr_desc *desc, const char *name, double steps)
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

/* A number to six digits, so that a proposal reads well. */
static double rounded(double value)
{
    char text[32];
    an_format(text, sizeof text, "%g", value);
    an_number_parse(text, strlen(text), &value);
    return value;
}

/* Of numbers that differ per group, that of the group that is looked at. */
static bool set_of_group(fixing *f, an_lr_reals *reals, double value)
{
    size_t count = reals->count, group = f->lint->group;
    double *each = count > group ? room(f, count * sizeof *each) : NULL;
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

static bool set_real(fixing *f, an_lr_desc *desc, const char *name, double value)
{
    const an_lr_param *param = an__lint_param(desc, name);
    if (!param || !isfinite(value))
        return false;
    if (param->type == AN_LR_REAL)
        *(double *)an__lint_at(desc, param) = rounded(value);
    else if (param->type == AN_LR_REALS)
        return set_of_group(f, an__lint_at(desc, param), rounded(value));
    else if (param->type == AN_LR_VALUE)
        *(an_lr_value *)an__lint_at(desc, param) = (an_lr_value){.value = rounded(value)};
    else
        return false;
    return true;
}

/* The length of a leaf. */
static bool set_length(an_lr_desc *desc, double steps)
{
    if (desc->kind == AN_ONE_CYCLE_LR)
        desc->one_cycle.epochs = desc->one_cycle.steps_per_epoch = AN_LR_NONE;
    return set_steps(desc, an__lint_length_name(desc), steps);
}

static double turn_of(const an__lint_part *part)
{
    return part->end - part->begin;
}

/* ------------------------------------------------------------------ wrapping */

/* Puts a composite of one schedule around `node`; what it holds is then the wrapped one. */
static an_lr_desc *wrap(fixing *f, an_lr_desc *node, an_lr_kind kind)
{
    an_lr_desc *inner = room(f, sizeof *inner);
    if (!inner)
        return NULL;
    *inner = *node;
    *node = an_lr_defaults(kind);
    *an__lr_child_place(node, 0) = inner;
    return node;
}

/* The outermost node that drives the slot of the part: below Drive and Together. */
static an_lr_desc *outermost(const fixing *f)
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

static bool to_constant(fixing *f)
{
    *outermost(f) = an_lr_defaults(AN_LR_CONSTANT);
    return true;
}

static bool earlier_by_one(fixing *f)
{
    an_lr_desc *shift = wrap(f, outermost(f), AN_LR_SHIFT);
    if (shift)
        shift->shift.by = (an_lr_length){-1, AN_STEPS};
    return shift;
}

static bool clamp(fixing *f, double min, double max)
{
    an_lr_desc *node = wrap(f, outermost(f), AN_LR_CLAMP);
    if (node) {
        node->clamp.min.value = min;
        node->clamp.max.value = max;
    }
    return node;
}

static bool not_below_zero(fixing *f)
{
    return clamp(f, 0, NAN);
}

static bool not_above_peak(fixing *f)
{
    return clamp(f, 0, rounded(f->lint->peak));
}

static bool not_below_a_hundredth(fixing *f)
{
    return clamp(f, rounded(f->lint->peak / 100), NAN);
}

/* From the step on, the rate of the step before. */
static bool until_then(fixing *f)
{
    const int64_t step = f->found->finding.step;
    an_lr_desc *inner = room(f, 2 * sizeof *inner);
    const an_lr_desc **each = room(f, 2 * sizeof(void *));
    an_lr_length *milestone = room(f, sizeof *milestone);
    if (step < 1 || !inner || !each || !milestone)
        return false;
    an_lr_desc *node = outermost(f);
    inner[0] = *node;
    inner[1] = an_lr_defaults(AN_LR_CONSTANT);
    inner[1].flat.factor.value = rounded(an__lint_rate(f->lint, step - 1) / f->lint->base);
    each[0] = &inner[0];
    each[1] = &inner[1];
    *milestone = (an_lr_length){(double)step, AN_STEPS};
    *node = an_lr_defaults(AN_LR_SEQUENCE);
    node->sequence.schedules = (an_lr_children){each, 2};
    node->sequence.milestones = (an_lr_lengths){milestone, 1};
    return true;
}

/* ------------------------------------------------------------------- lengths */

static bool length_to_turn(fixing *f)
{
    bool missed = f->part->length == turn_of(f->part);
    return set_length(f->desc, turn_of(f->part) - (missed ? 1 : 0));
}

static bool hold_at_end(fixing *f)
{
    if (!an__lint_param(f->desc, "after_end"))
        return false;
    f->desc->after_end = AN_END_HOLD;
    return true;
}

static bool short_warmup(fixing *f)
{
    return f->part->composed == 0 && set_length(f->desc, fmax(1, floor(turn_of(f->part) / 10)));
}

/* The first child of a sequence and its milestone. */
static bool short_first_turn(fixing *f)
{
    double steps = fmax(1, floor(turn_of(f->part) / 10));
    an_lr_desc *desc = f->desc;
    an_lr_desc *first = f->part->composed > 0 ? f->nodes[f->part - f->lint->parts + 1] : NULL;
    int64_t *whole = room(f, sizeof *whole);
    an_lr_length *length = room(f, sizeof *length);
    if (!first || !whole || !length)
        return false;
    *whole = (int64_t)steps;
    *length = (an_lr_length){steps, AN_STEPS};
    if (desc->kind == AN_SEQUENTIAL_LR && desc->sequential.milestones.count == 1)
        desc->sequential.milestones.each = whole;
    else if (desc->kind == AN_LR_SEQUENCE && desc->sequence.milestones.count == 1)
        desc->sequence.milestones.each = length;
    else
        return false;
    const char *name = an__lint_length_name(first);
    if (name && an__lint_is_written(first, name))
        set_length(first, steps);
    return true;
}

static bool a_third_of_the_turn(fixing *f)
{
    return f->desc->kind == AN_STEP_LR &&
           set_steps(f->desc, "step_size", fmax(1, floor(turn_of(f->part) / 3)));
}

static bool one_cycle_of_restarts(fixing *f)
{
    return f->desc->kind == AN_WARM_RESTARTS_LR && set_steps(f->desc, "T_0", turn_of(f->part));
}

static bool one_cycle_up_and_down(fixing *f)
{
    if (f->desc->kind != AN_CYCLIC_LR)
        return false;
    f->desc->cyclic.step_size_down = AN_LR_NONE;
    return set_steps(f->desc, "step_size_up", fmax(1, floor(turn_of(f->part) / 2)));
}

static bool milestones_within(fixing *f)
{
    if (f->desc->kind != AN_MULTI_STEP_LR)
        return false;
    an_lr_integers *m = &f->desc->multi_step.milestones;
    double turn = turn_of(f->part);
    size_t kept = 0;
    int64_t *each = room(f, (m->count + 2) * sizeof *each);
    if (!each)
        return false;
    for (size_t i = 0; i < m->count; i++)
        if ((double)m->each[i] < turn)
            each[kept++] = m->each[i];
    if (kept == 0 && turn < 2)
        return false;
    if (kept == 0) {
        each[kept++] = (int64_t)(turn / 2);
        each[kept] = (int64_t)(turn * 3 / 4);
        kept += each[1] > each[0];
    }
    *m = (an_lr_integers){each, kept};
    return true;
}

/* Without the children whose turn does not come. */
static bool children_within(fixing *f)
{
    const an_lint *lint = f->lint;
    an_lr_desc *desc = f->desc;
    size_t own = (size_t)(f->part - lint->parts), kept = 1;
    bool sequence = desc->kind == AN_LR_SEQUENCE;
    if (!sequence && desc->kind != AN_SEQUENTIAL_LR)
        return false;
    for (; kept < f->part->composed; kept++)
        if (!(lint->parts[an__lint_child(lint, own, kept)].begin < f->part->end))
            break;
    if (kept == 1) {
        *desc = *an_lr_child(desc, 0);
    } else if (sequence) {
        desc->sequence.schedules.count = kept;
        desc->sequence.milestones.count = kept - 1;
    } else {
        desc->sequential.schedulers.count = kept;
        desc->sequential.milestones.count = kept - 1;
    }
    return true;
}

static bool points_within(fixing *f)
{
    if (f->desc->kind != AN_LR_INTERPOLATE)
        return false;
    an_lr_lengths *at = &f->desc->interpolate.at;
    an_lr_length *each = room(f, (at->count + 1) * sizeof *each);
    if (!each)
        return false;
    for (size_t i = 0; i < at->count; i++) {
        each[i] = at->each[i];
        each[i].value = rounded(each[i].value * (turn_of(f->part) - 1) / f->part->length);
    }
    at->each = each;
    return true;
}

/* ------------------------------------------------------------------ restarts */

static double growth_of(const an_lr_desc *desc)
{
    if (desc->kind == AN_WARM_RESTARTS_LR)
        return (double)desc->restarts.T_mult;
    return desc->kind == AN_LR_RESTARTS ? desc->again.growth : 1;
}

/* As many cycles as end before the late one, over the whole turn. */
static bool whole_cycles(fixing *f)
{
    const an_lr_desc *desc = f->part->desc;
    const char *name = desc->kind == AN_WARM_RESTARTS_LR ? "T_0" : an__lint_length_name(desc);
    const an_lr_param *param = name ? an__lint_param(desc, name) : NULL;
    double local = (double)f->found->finding.step - f->part->begin, growth = growth_of(desc);
    double period = f->part->length;
    if (!param)
        return false;
    const void *at = an__lint_at(f->desc, param);
    if (param->type == AN_LR_INTEGER)
        period = (double)*(const int64_t *)at;
    else if (!isnan(((const an_lr_length *)at)->value))
        period =
            ((const an_lr_length *)at)->unit == AN_STEPS ? ((const an_lr_length *)at)->value : NAN;
    else if (f->part->composed > 0)
        period = f->part[1].length;
    double sum = period, cycle = period;
    if (!(period >= 1))
        return false;
    if (growth == 1)
        sum = period * floor(local / period + 0.5);
    while (growth > 1 && sum + cycle * growth <= local + 0.5) {
        cycle *= growth;
        sum += cycle;
    }
    return set_steps(f->desc, name, ceil(period * turn_of(f->part) / sum));
}

/* --------------------------------------------------------------------- values */

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
static bool begin_with_next(fixing *f)
{
    const an_lr_clock clock = {.steps = 1};
    begun b = {f->part->seen, NAN, NAN};
    an_lr_trace(f->lint->schedule, f->lint->group, AN_LR, &clock, visit, &b);
    bool rate = strcmp(f->name, "base_lr") == 0;
    return f->name[0] && set_real(f, f->desc, f->name, rate ? b.rate : b.rate / b.base);
}

/* ---------------------------------------------------------------- hand-overs */

/* The parts on either side of the jump. */
static bool sides(const fixing *f, size_t *earlier, size_t *later)
{
    size_t own = (size_t)(f->part - f->lint->parts);
    for (size_t k = 1; k < f->part->composed; k++) {
        *earlier = an__lint_child(f->lint, own, k - 1);
        *later = an__lint_child(f->lint, own, k);
        if (*later != NONE && f->lint->parts[*later].begin == (double)f->found->finding.step)
            return true;
    }
    return false;
}

static bool fit_earlier(fixing *f)
{
    size_t a, b;
    if (!sides(f, &a, &b))
        return false;
    const an__lint_part *earlier = &f->lint->parts[a];
    return earlier->length > turn_of(earlier) && earlier->composed == 0 &&
           set_length(f->nodes[a], turn_of(earlier));
}

/* A warm-up goes to where the next begins. */
static bool end_at_next(fixing *f)
{
    size_t a, b;
    double first, last, to = an__lint_rate(f->lint, f->found->finding.step) / f->lint->base;
    if (!sides(f, &a, &b) || !an__lint_ends(f->lint, &f->lint->parts[a], &first, &last) ||
        !(last > first))
        return false;
    return set_real(f, f->nodes[a], "end", to) || set_real(f, f->nodes[a], "end_factor", to);
}

static bool begin_at_last(fixing *f)
{
    size_t a, b;
    double from = an__lint_rate(f->lint, f->found->finding.step - 1) / f->lint->base;
    return sides(f, &a, &b) && (set_real(f, f->nodes[b], "start", from) ||
                                set_real(f, f->nodes[b], "start_factor", from));
}

static bool scale_later(fixing *f)
{
    size_t a, b;
    int64_t step = f->found->finding.step;
    double by = an__lint_rate(f->lint, step - 1) / an__lint_rate(f->lint, step);
    if (!sides(f, &a, &b) || !isfinite(by))
        return false;
    an_lr_desc *scale = wrap(f, f->nodes[b], AN_LR_SCALE);
    if (scale)
        scale->scale.by = (an_lr_reals){.value = rounded(by)};
    return scale;
}

/* ----------------------------------------------------------------------- units */

/* PyTorch's integers that count steps. */
static bool counts_steps(const char *name)
{
    static const char *const names[] = {"step_size",   "total_iters",  "T_max",
                                        "T_0",         "step_size_up", "step_size_down",
                                        "total_steps", "anneal_epochs"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static double scaled(double steps, double by)
{
    return by < 1 ? fmax(1, floor(steps * by + 0.5)) : steps * by;
}

static bool scale_integers(fixing *f, an_lr_integers *list, double by)
{
    int64_t *each = room(f, (list->count + 1) * sizeof *each);
    for (size_t i = 0; each && i < list->count; i++)
        each[i] = (int64_t)scaled((double)list->each[i], by);
    list->each = each;
    return each;
}

static bool scale_lengths(fixing *f, an_lr_lengths *list, double by)
{
    an_lr_length *each = room(f, (list->count + 1) * sizeof *each);
    for (size_t i = 0; each && i < list->count; i++) {
        each[i] = list->each[i];
        if (each[i].unit == AN_STEPS)
            each[i].value = scaled(each[i].value, by);
    }
    list->each = each;
    return each;
}

static bool scale_param(fixing *f, an_lr_desc *desc, const an_lr_param *param, double by)
{
    void *at = an__lint_at(desc, param);
    an_lr_length *length = at;
    int64_t *integer = at;
    if (param->type == AN_LR_INTEGERS && strcmp(param->name, "milestones") == 0)
        return scale_integers(f, at, by);
    if (param->type == AN_LR_LENGTHS)
        return scale_lengths(f, at, by);
    if (param->type == AN_LR_LENGTH && length->unit == AN_STEPS && !isnan(length->value))
        length->value = scaled(length->value, by);
    if (param->type == AN_LR_INTEGER && counts_steps(param->name) && *integer != AN_LR_NONE)
        *integer = (int64_t)scaled((double)*integer, by);
    return true;
}

static bool scale_all_lengths(fixing *f)
{
    const an_lint_options *o = &f->lint->options;
    double each = (double)o->updates_per_epoch, by = o->per_epoch ? 1 / each : each;
    for (size_t i = 0; i < f->lint->part_count; i++) {
        an_lr_desc *desc = f->nodes[i];
        size_t count;
        const an_lr_param *params = an_lr_params(desc->kind, &count);
        for (size_t k = 0; k < count; k++)
            if (!scale_param(f, desc, &params[k], by))
                return false;
        if (desc->kind == AN_EXPONENTIAL_LR)
            desc->exponential.gamma = pow(desc->exponential.gamma, 1 / by);
        if (desc->kind == AN_ONE_CYCLE_LR && desc->one_cycle.total_steps == AN_LR_NONE)
            return false;
    }
    return true;
}

static bool stretch_to_run(fixing *f)
{
    const an_lint_options *o = &f->lint->options;
    double epochs = ceil(f->lint->steps / (double)o->updates_per_epoch);
    an_lr_desc *node = wrap(f, outermost(f), AN_LR_STRETCH);
    if (!node)
        return false;
    node->stretch.to = (an_lr_length){f->lint->steps, AN_STEPS};
    node->stretch.length = (an_lr_length){
        o->per_epoch ? f->lint->steps * (double)o->updates_per_epoch : epochs, AN_STEPS};
    return true;
}

/* -------------------------------------------------------------- the optimizer's */

static bool keep_momentum(fixing *f)
{
    const an_lr_param *param = an__lint_param(f->desc, "cycle_momentum");
    if (!param || strcmp(f->name, "cycle_momentum") != 0)
        return false;
    *(bool *)an__lint_at(f->desc, param) = false;
    return true;
}

/* The optimizer's own rates, one or one for each group. */
static bool take_own_rates(fixing *f)
{
    const an_lint *lint = f->lint;
    an_lr_reals own = {.value = lint->options.groups[0]->slot[AN_LR].value};
    double *each = room(f, lint->group_count * sizeof *each);
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

/* -------------------------------------------------------------------- no effect */

/* What may be left out, left out. */
static bool take_defaults(fixing *f)
{
    an_lr_desc *node = outermost(f), fresh = an_lr_defaults(node->kind);
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

/* --------------------------------------------------------------------- tables */

#define MOST_EDITS 8

static fix_by *const edits[AN_LINT_COUNT][MOST_EDITS] = {
    [AN_LINT_FIRST_ZERO] = {begin_with_next, earlier_by_one},
    [AN_LINT_NOT_REACHED] = {length_to_turn, milestones_within, children_within,
                             a_third_of_the_turn, one_cycle_of_restarts, one_cycle_up_and_down,
                             points_within},
    [AN_LINT_LONG_WARMUP] = {short_warmup, short_first_turn, children_within},
    [AN_LINT_RISES] = {length_to_turn, hold_at_end},
    [AN_LINT_ZERO_TAIL] = {length_to_turn, not_below_a_hundredth},
    [AN_LINT_NEGATIVE] = {not_below_zero, until_then},
    [AN_LINT_NOT_FINITE] = {not_below_zero, not_above_peak, until_then},
    [AN_LINT_JUMP] = {fit_earlier, end_at_next, begin_at_last, scale_later},
    [AN_LINT_LATE_RESTART] = {whole_cycles},
    [AN_LINT_UNIT] = {scale_all_lengths, stretch_to_run},
    [AN_LINT_TOTAL_STEPS] = {length_to_turn},
    [AN_LINT_OVERWRITES] = {keep_momentum, take_own_rates},
    [AN_LINT_NO_EFFECT] = {take_defaults, to_constant},
};

/* The text of an edit, when it has the finding no more, and fewer warnings than `most`. */
static const char *try_edit(fixing *f, fix_by *e, size_t most)
{
    an_lint *lint = f->lint;
    size_t count = 0;
    f->nodes = room(f, lint->part_count * sizeof(void *));
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
    char *text = room(f, size);
    if (!text)
        return NULL;
    an_lr_print(text, size, root);
    return an__lint_again(lint, text, &f->found->finding) < most ? text : NULL;
}

const char *an__lint_fix(an_lint *lint, const an__lint_found *found)
{
    const char *dot = strrchr(found->finding.param, '.');
    fixing f = {.lint = lint, .found = found, .part = &lint->parts[found->part]};
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
    return !text && hopeless ? try_edit(&f, to_constant, SIZE_MAX) : text;
}
