/*
 * table.c - the one table of schedules and their parameters. Defaults, checks, the parser, the
 * printer and the documentation all come from here.
 */
#include "lr/numeric.h"

#include "lr/node.h"
#include <string.h>

/* ------------------------------------------------------------------ ranges */

#define RANGE(low_, high_, above_low_, below_high_) \
    .low = (low_), .high = (high_), .above_low = (above_low_), .below_high = (below_high_)
#define ANY RANGE(-INFINITY, INFINITY, true, true)
#define FROM(low) RANGE(low, INFINITY, false, true)
#define ABOVE(low) RANGE(low, INFINITY, true, true)
#define WITHIN(low, high) RANGE(low, high, false, false)
#define ABOVE_TO(low, high) RANGE(low, high, true, false)
#define FROM_BELOW(low, high) RANGE(low, high, false, true)
#define WHOLE(low) RANGE(low, AN__LR_INTEGER_MAX, false, true)

static const char *const cyclic_modes[] = {"triangular", "triangular2", "exp_range", NULL};
static const char *const scale_modes[] = {"cycle", "iterations", NULL};
static const char *const strategies[] = {"cos", "linear", NULL};
static const char *const plateau_modes[] = {"min", "max", NULL};
static const char *const threshold_modes[] = {"rel", "abs", NULL};
static const char *const curves[] = {"linear", "cosine", "step", NULL};
static const char *const decay_curves[] = {
    "linear", "cosine", "mirror_cosine", "rex", "exponential", "log", NULL};
static const char *const ends[] = {"default", "hold", "zero", "repeat", "mirror", "error", NULL};

/* -------------------------------------------------------------- parameters */

#define PARAM(member, field, type_, required_, fallback_, ...)                                 \
    {                                                                                          \
        .name = #field, .offset = offsetof(an_lr_desc, member.field), .fallback = (fallback_), \
        .type = (type_), .required = (required_), __VA_ARGS__                                  \
    }

/* What every kind that can have a length has last. */
#define AFTER_END                                                                                 \
    {                                                                                             \
        .name = "after_end", .offset = offsetof(an_lr_desc, after_end),                           \
        .fallback = AN_END_DEFAULT, .type = AN_LR_CHOICE, .required = false, .choices = ends, ANY \
    }

static const an_lr_param step_params[] = {
    PARAM(step, step_size, AN_LR_INTEGER, true, NAN, WHOLE(1)),
    PARAM(step, gamma, AN_LR_REAL, false, 0.1, FROM(0)),
};

static const an_lr_param multi_step_params[] = {
    PARAM(multi_step, milestones, AN_LR_INTEGERS, true, NAN, WHOLE(0)),
    PARAM(multi_step, gamma, AN_LR_REAL, false, 0.1, FROM(0)),
};

static const an_lr_param constant_params[] = {
    PARAM(constant, factor, AN_LR_REAL, false, 1.0 / 3, WITHIN(0, 1)),
    PARAM(constant, total_iters, AN_LR_INTEGER, false, 5, WHOLE(0)),
    AFTER_END,
};

static const an_lr_param linear_params[] = {
    PARAM(linear, start_factor, AN_LR_REAL, false, 1.0 / 3, ABOVE_TO(0, 1)),
    PARAM(linear, end_factor, AN_LR_REAL, false, 1, WITHIN(0, 1)),
    PARAM(linear, total_iters, AN_LR_INTEGER, false, 5, WHOLE(0)),
    AFTER_END,
};

static const an_lr_param exponential_params[] = {
    PARAM(exponential, gamma, AN_LR_REAL, true, NAN, FROM(0)),
};

static const an_lr_param polynomial_params[] = {
    PARAM(polynomial, total_iters, AN_LR_INTEGER, false, 5, WHOLE(0)),
    PARAM(polynomial, power, AN_LR_REAL, false, 1, FROM(0)),
    AFTER_END,
};

static const an_lr_param cosine_params[] = {
    PARAM(cosine, T_max, AN_LR_INTEGER, true, NAN, WHOLE(1)),
    PARAM(cosine, eta_min, AN_LR_REAL, false, 0, FROM(0)),
    AFTER_END,
};

static const an_lr_param restarts_params[] = {
    PARAM(restarts, T_0, AN_LR_INTEGER, true, NAN, WHOLE(1)),
    PARAM(restarts, T_mult, AN_LR_INTEGER, false, 1, WITHIN(1, 1000)),
    PARAM(restarts, eta_min, AN_LR_REAL, false, 0, FROM(0)),
};

static const an_lr_param cyclic_params[] = {
    PARAM(cyclic, base_lr, AN_LR_REALS, true, NAN, FROM(0)),
    PARAM(cyclic, max_lr, AN_LR_REALS, true, NAN, FROM(0)),
    PARAM(cyclic, step_size_up, AN_LR_INTEGER, false, 2000, WHOLE(1)),
    PARAM(cyclic, step_size_down, AN_LR_INTEGER, false, NAN, WHOLE(0)),
    PARAM(cyclic, mode, AN_LR_CHOICE, false, AN_TRIANGULAR, ANY, .choices = cyclic_modes),
    PARAM(cyclic, gamma, AN_LR_REAL, false, 1, FROM(0)),
    PARAM(cyclic, scale_fn, AN_LR_FUNCTION, false, NAN, ANY),
    PARAM(cyclic, scale_mode, AN_LR_CHOICE, false, AN_SCALE_CYCLE, ANY, .choices = scale_modes),
    PARAM(cyclic, cycle_momentum, AN_LR_BOOL, false, true, ANY),
    PARAM(cyclic, base_momentum, AN_LR_REALS, false, 0.8, WITHIN(0, 1)),
    PARAM(cyclic, max_momentum, AN_LR_REALS, false, 0.9, WITHIN(0, 1)),
};

static const an_lr_param one_cycle_params[] = {
    PARAM(one_cycle, max_lr, AN_LR_REALS, true, NAN, FROM(0)),
    PARAM(one_cycle, total_steps, AN_LR_INTEGER, false, NAN, WHOLE(1)),
    PARAM(one_cycle, epochs, AN_LR_INTEGER, false, NAN, WHOLE(1)),
    PARAM(one_cycle, steps_per_epoch, AN_LR_INTEGER, false, NAN, WHOLE(1)),
    PARAM(one_cycle, pct_start, AN_LR_REAL, false, 0.3, WITHIN(0, 1)),
    PARAM(one_cycle, anneal_strategy, AN_LR_CHOICE, false, AN_ANNEAL_COS, ANY,
          .choices = strategies),
    PARAM(one_cycle, cycle_momentum, AN_LR_BOOL, false, true, ANY),
    PARAM(one_cycle, base_momentum, AN_LR_REALS, false, 0.85, WITHIN(0, 1)),
    PARAM(one_cycle, max_momentum, AN_LR_REALS, false, 0.95, WITHIN(0, 1)),
    PARAM(one_cycle, div_factor, AN_LR_REAL, false, 25, ABOVE(0)),
    PARAM(one_cycle, final_div_factor, AN_LR_REAL, false, 1e4, ABOVE(0)),
    PARAM(one_cycle, three_phase, AN_LR_BOOL, false, false, ANY),
    AFTER_END,
};

static const an_lr_param lambda_params[] = {
    PARAM(lambda, lr_lambda, AN_LR_FUNCTIONS, true, NAN, ANY),
};

static const an_lr_param multiplicative_params[] = {
    PARAM(multiplicative, lr_lambda, AN_LR_FUNCTIONS, true, NAN, ANY),
};

static const an_lr_param swa_params[] = {
    PARAM(swa, swa_lr, AN_LR_REALS, true, NAN, FROM(0)),
    PARAM(swa, anneal_epochs, AN_LR_INTEGER, false, 10, WHOLE(0)),
    PARAM(swa, anneal_strategy, AN_LR_CHOICE, false, AN_ANNEAL_COS, ANY, .choices = strategies),
    AFTER_END,
};

static const an_lr_param sequential_params[] = {
    PARAM(sequential, schedulers, AN_LR_CHILDREN, true, NAN, ANY),
    PARAM(sequential, milestones, AN_LR_INTEGERS, false, NAN, WHOLE(1)),
    AFTER_END,
};

static const an_lr_param chained_params[] = {
    PARAM(chained, schedulers, AN_LR_CHILDREN, true, NAN, ANY),
    AFTER_END,
};

static const an_lr_param plateau_params[] = {
    PARAM(plateau, mode, AN_LR_CHOICE, false, AN_PLATEAU_MIN, ANY, .choices = plateau_modes),
    PARAM(plateau, factor, AN_LR_REAL, false, 0.1, FROM_BELOW(0, 1)),
    PARAM(plateau, patience, AN_LR_INTEGER, false, 10, WHOLE(0)),
    PARAM(plateau, threshold, AN_LR_REAL, false, 1e-4, FROM(0)),
    PARAM(plateau, threshold_mode, AN_LR_CHOICE, false, AN_THRESHOLD_REL, ANY,
          .choices = threshold_modes),
    PARAM(plateau, cooldown, AN_LR_INTEGER, false, 0, WHOLE(0)),
    PARAM(plateau, min_lr, AN_LR_REALS, false, 0, FROM(0)),
    PARAM(plateau, eps, AN_LR_REAL, false, 1e-8, FROM(0)),
};

/* ----------------------------------------------------- Anneal's own schedules */

#define LENGTH(member, field) PARAM(member, field, AN_LR_LENGTH, false, NAN, FROM(0))

static const an_lr_param flat_params[] = {
    PARAM(flat, factor, AN_LR_VALUE, false, 1, FROM(0)),
};

static const an_lr_param line_params[] = {
    PARAM(line, start, AN_LR_VALUE, false, 1, FROM(0)),
    PARAM(line, end, AN_LR_VALUE, false, 0, FROM(0)),
    LENGTH(line, length),
    AFTER_END,
};

static const an_lr_param half_wave_params[] = {
    PARAM(half_wave, start, AN_LR_VALUE, false, 1, FROM(0)),
    PARAM(half_wave, end, AN_LR_VALUE, false, 0, FROM(0)),
    LENGTH(half_wave, length),
    AFTER_END,
};

static const an_lr_param interpolate_params[] = {
    PARAM(interpolate, at, AN_LR_LENGTHS, true, NAN, FROM(0)),
    PARAM(interpolate, values, AN_LR_NUMBERS, true, NAN, FROM(0)),
    PARAM(interpolate, curve, AN_LR_CHOICE, false, AN_CURVE_LINEAR, ANY, .choices = curves),
    AFTER_END,
};

static const an_lr_param sequence_params[] = {
    PARAM(sequence, schedules, AN_LR_CHILDREN, true, NAN, ANY),
    PARAM(sequence, milestones, AN_LR_LENGTHS, false, NAN, FROM(0)),
    AFTER_END,
};

#define LIST_PARAMS(member)                                       \
    static const an_lr_param member##_params[] = {                \
        PARAM(member, schedules, AN_LR_CHILDREN, true, NAN, ANY), \
        AFTER_END,                                                \
    }

LIST_PARAMS(product);
LIST_PARAMS(sum);
LIST_PARAMS(min);
LIST_PARAMS(max);

static const an_lr_param clamp_params[] = {
    PARAM(clamp, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(clamp, min, AN_LR_VALUE, false, NAN, FROM(0)),
    PARAM(clamp, max, AN_LR_VALUE, false, NAN, FROM(0)),
    AFTER_END,
};

static const an_lr_param scale_params[] = {
    PARAM(scale, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(scale, by, AN_LR_REALS, true, NAN, FROM(0)),
    AFTER_END,
};

static const an_lr_param shift_params[] = {
    PARAM(shift, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(shift, by, AN_LR_LENGTH, true, NAN, ANY),
    AFTER_END,
};

static const an_lr_param loop_params[] = {
    PARAM(loop, schedule, AN_LR_CHILD, true, NAN, ANY),
    LENGTH(loop, length),
};

static const an_lr_param reverse_params[] = {
    PARAM(reverse, schedule, AN_LR_CHILD, true, NAN, ANY),
    LENGTH(reverse, length),
    AFTER_END,
};

static const an_lr_param stretch_params[] = {
    PARAM(stretch, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(stretch, to, AN_LR_LENGTH, true, NAN, FROM(0)),
    LENGTH(stretch, length),
    AFTER_END,
};

#define WINDOW 1e6

static const an_lr_param slope_params[] = {
    PARAM(slope, window, AN_LR_INTEGER, false, 500, WITHIN(10, WINDOW)),
    PARAM(slope, probability, AN_LR_REAL, false, 0.51, WITHIN(0, 1)),
    PARAM(slope, factor, AN_LR_REAL, false, 0.1, FROM_BELOW(0, 1)),
    PARAM(slope, least, AN_LR_REAL, false, 0, WITHIN(0, 1)),
};

static const an_lr_param greedy_params[] = {
    PARAM(greedy, mode, AN_LR_CHOICE, false, AN_PLATEAU_MIN, ANY, .choices = plateau_modes),
    PARAM(greedy, factor, AN_LR_REAL, false, 0.95, RANGE(0, 1, true, true)),
    PARAM(greedy, patience, AN_LR_INTEGER, false, 10, WHOLE(0)),
    PARAM(greedy, threshold, AN_LR_REAL, false, 1e-6, FROM(0)),
    PARAM(greedy, threshold_mode, AN_LR_CHOICE, false, AN_THRESHOLD_ABS, ANY,
          .choices = threshold_modes),
    PARAM(greedy, warmup, AN_LR_INTEGER, false, 0, WHOLE(0)),
    PARAM(greedy, cooldown, AN_LR_INTEGER, false, 0, WHOLE(0)),
    PARAM(greedy, reset, AN_LR_INTEGER, false, 500, WHOLE(0)),
    PARAM(greedy, least, AN_LR_REAL, false, 1e-3, WITHIN(0, 1)),
    PARAM(greedy, most, AN_LR_REAL, false, 10, FROM(1)),
};

static const an_lr_param spike_params[] = {
    PARAM(spike, window, AN_LR_INTEGER, false, 128, WITHIN(2, WINDOW)),
    PARAM(spike, deviations, AN_LR_REAL, false, 6, ABOVE(0)),
    PARAM(spike, factor, AN_LR_REAL, false, 0.5, ABOVE_TO(0, 1)),
    PARAM(spike, limit, AN_LR_INTEGER, false, 3, WHOLE(0)),
};

static const an_lr_param drive_params[] = {
    PARAM(drive, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(drive, slot, AN_LR_NAME, true, NAN, ANY),
    PARAM(drive, groups, AN_LR_INTEGERS, false, NAN, WHOLE(0)),
    PARAM(drive, base, AN_LR_REAL, false, NAN, ANY),
};

static const an_lr_param together_params[] = {
    PARAM(together, schedules, AN_LR_CHILDREN, true, NAN, ANY),
};

#define VALUE(member, field, fallback, ...) \
    PARAM(member, field, AN_LR_VALUE, false, fallback, __VA_ARGS__)

static const an_lr_param decay_params[] = {
    PARAM(decay, curve, AN_LR_CHOICE, false, AN_DECAY_LINEAR, ANY, .choices = decay_curves),
    VALUE(decay, start, 1, FROM(0)),
    VALUE(decay, end, 0, FROM(0)),
    LENGTH(decay, length),
    VALUE(decay, power, 1, FROM(0)),
    VALUE(decay, k, 1, FROM(0)),
    PARAM(decay, ratio, AN_LR_REAL, false, 0.5, ABOVE(0)),
    PARAM(decay, cycle, AN_LR_BOOL, false, false, ANY),
    AFTER_END,
};

static const an_lr_param geometric_params[] = {
    PARAM(geometric, start, AN_LR_REAL, false, 1, ABOVE(0)),
    PARAM(geometric, end, AN_LR_REAL, false, 0.01, ABOVE(0)),
    LENGTH(geometric, length),
    AFTER_END,
};

static const an_lr_param power_of_params[] = {
    PARAM(power_of, factor, AN_LR_VALUE, true, NAN, FROM(0)),
    PARAM(power_of, every, AN_LR_LENGTH, false, 1, ABOVE(0)),
    VALUE(power_of, start, 1, FROM(0)),
    VALUE(power_of, end, 0, FROM(0)),
};

static const an_lr_param inverse_params[] = {
    PARAM(inverse, timescale, AN_LR_LENGTH, true, NAN, ABOVE(0)),
    VALUE(inverse, power, 1, FROM(0)),
    VALUE(inverse, inner, 1, FROM(0)),
    VALUE(inverse, start, 1, FROM(0)),
    VALUE(inverse, end, 0, FROM(0)),
};

static const an_lr_param sigmoid_params[] = {
    PARAM(sigmoid, center, AN_LR_LENGTH, true, NAN, FROM(0)),
    PARAM(sigmoid, width, AN_LR_LENGTH, true, NAN, ABOVE(0)),
    VALUE(sigmoid, start, 1, FROM(0)),
    VALUE(sigmoid, end, 0, FROM(0)),
};

static const an_lr_param table_params[] = {
    PARAM(table, values, AN_LR_NUMBERS, true, NAN, FROM(0)),
    PARAM(table, every, AN_LR_LENGTH, false, 1, ABOVE(0)),
    AFTER_END,
};

static const an_lr_param chebyshev_params[] = {
    PARAM(chebyshev, count, AN_LR_INTEGER, true, NAN, WITHIN(1, 65536)),
    PARAM(chebyshev, least, AN_LR_REAL, false, 0.05, ABOVE(0)),
    PARAM(chebyshev, most, AN_LR_REAL, false, 1, ABOVE(0)),
    PARAM(chebyshev, every, AN_LR_LENGTH, false, 1, ABOVE(0)),
    AFTER_END,
};

static const an_lr_param radam_params[] = {
    PARAM(radam, beta2, AN_LR_REAL, false, 0.999, RANGE(0.6, 1, true, true)),
};

static const an_lr_param again_params[] = {
    PARAM(again, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(again, length, AN_LR_LENGTH, true, NAN, ABOVE(0)),
    PARAM(again, growth, AN_LR_REAL, false, 1, WITHIN(1, 1000)),
    PARAM(again, shrink, AN_LR_REAL, false, 1, FROM(0)),
    PARAM(again, warmup, AN_LR_LENGTH, false, 0, FROM(0)),
};

static const an_lr_param stairs_params[] = {
    PARAM(stairs, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(stairs, every, AN_LR_LENGTH, true, NAN, ABOVE(0)),
    AFTER_END,
};

static const an_lr_param own_base_params[] = {
    PARAM(own_base, schedule, AN_LR_CHILD, true, NAN, ANY),
    PARAM(own_base, lr, AN_LR_REALS, true, NAN, FROM(0)),
    AFTER_END,
};

/* --------------------------------------------------------------- schedules */

static const struct {
    const char *name;
    const an_lr_param *params;
    size_t count;
} kinds[] = {
#define KIND(constant, name, member) \
    {#name, member##_params, sizeof member##_params / sizeof member##_params[0]},
    AN_LR_KIND_MAP(KIND)
#undef KIND
};

const char *an_lr_name(an_lr_kind kind)
{
    return (unsigned)kind < AN_LR_KIND_COUNT ? kinds[kind].name : NULL;
}

const an_lr_param *an_lr_params(an_lr_kind kind, size_t *count)
{
    if ((unsigned)kind >= AN_LR_KIND_COUNT) {
        *count = 0;
        return NULL;
    }
    *count = kinds[kind].count;
    return kinds[kind].params;
}

/* ---------------------------------------------------------------- defaults */

/* All choices are read and written as one of their enums: small enums of one size. */
_Static_assert(sizeof(an_cyclic_mode) == sizeof(an_scale_mode) &&
                   sizeof(an_cyclic_mode) == sizeof(an_anneal_strategy) &&
                   sizeof(an_cyclic_mode) == sizeof(an_plateau_mode) &&
                   sizeof(an_cyclic_mode) == sizeof(an_threshold_mode) &&
                   sizeof(an_cyclic_mode) == sizeof(an_lr_end) &&
                   sizeof(an_cyclic_mode) == sizeof(an_lr_curve) &&
                   sizeof(an_cyclic_mode) == sizeof(an_lr_decay_curve),
               "the choices of a description must have one size");

int an__lr_choice(const an_lr_desc *desc, const an_lr_param *param)
{
    an_cyclic_mode choice;
    memcpy(&choice, (const unsigned char *)desc + param->offset, sizeof choice);
    return (int)choice;
}

void an__lr_choice_set(an_lr_desc *desc, const an_lr_param *param, int value)
{
    an_cyclic_mode choice = (an_cyclic_mode)value;
    memcpy((unsigned char *)desc + param->offset, &choice, sizeof choice);
}

const char *an__lr_choice_name(const an_lr_param *param, uint64_t index)
{
    for (uint64_t i = 0; param->choices[i]; i++)
        if (i == index)
            return param->choices[i];
    return "?";
}

static void set_default(an_lr_desc *desc, const an_lr_param *param)
{
    void *at = (unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        *(int64_t *)at = isnan(param->fallback) ? AN_LR_NONE : (int64_t)param->fallback;
        break;
    case AN_LR_REAL:
        *(double *)at = param->fallback;
        break;
    case AN_LR_REALS:
        ((an_lr_reals *)at)->value = param->fallback;
        break;
    case AN_LR_BOOL:
        *(bool *)at = param->fallback != 0;
        break;
    case AN_LR_CHOICE:
        an__lr_choice_set(desc, param, (int)param->fallback);
        break;
    case AN_LR_VALUE:
        ((an_lr_value *)at)->value = param->fallback;
        break;
    case AN_LR_LENGTH:
        ((an_lr_length *)at)->value = param->fallback;
        break;
    case AN_LR_INTEGERS:
    case AN_LR_NUMBERS:
    case AN_LR_LENGTHS:
    case AN_LR_FUNCTION:
    case AN_LR_FUNCTIONS:
    case AN_LR_CHILDREN:
    case AN_LR_CHILD:
    case AN_LR_NAME:
        break; /* empty, as it is */
    }
}

an_lr_desc an_lr_defaults(an_lr_kind kind)
{
    an_lr_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.kind = kind;
    size_t count;
    const an_lr_param *params = an_lr_params(kind, &count);
    for (size_t i = 0; i < count; i++)
        set_default(&desc, &params[i]);
    return desc;
}

static bool is_fallback(double value, const an_lr_param *param)
{
    return isnan(param->fallback) ? isnan(value) : value == param->fallback;
}

bool an__lr_is_default(const an_lr_desc *desc, const an_lr_param *param)
{
    const void *at = (const unsigned char *)desc + param->offset;
    if (param->required)
        return false;
    switch (param->type) {
    case AN_LR_INTEGER:
        return isnan(param->fallback) ? *(const int64_t *)at == AN_LR_NONE
                                      : (double)*(const int64_t *)at == param->fallback;
    case AN_LR_REAL:
        return is_fallback(*(const double *)at, param);
    case AN_LR_BOOL:
        return *(const bool *)at == (param->fallback != 0);
    case AN_LR_CHOICE:
        return an__lr_choice(desc, param) == (int)param->fallback;
    case AN_LR_REALS:
        return ((const an_lr_reals *)at)->count == 0 &&
               ((const an_lr_reals *)at)->value == param->fallback;
    case AN_LR_INTEGERS:
        return ((const an_lr_integers *)at)->count == 0;
    case AN_LR_NUMBERS:
        return ((const an_lr_numbers *)at)->count == 0;
    case AN_LR_LENGTHS:
        return ((const an_lr_lengths *)at)->count == 0;
    case AN_LR_FUNCTION:
        return !((const an_lr_function *)at)->call;
    case AN_LR_VALUE:
        return !((const an_lr_value *)at)->schedule &&
               is_fallback(((const an_lr_value *)at)->value, param);
    case AN_LR_LENGTH:
        return ((const an_lr_length *)at)->unit == AN_STEPS &&
               is_fallback(((const an_lr_length *)at)->value, param);
    case AN_LR_NAME:
        return !*(const char *const *)at;
    case AN_LR_FUNCTIONS:
    case AN_LR_CHILDREN:
    case AN_LR_CHILD:
        break;
    }
    return false;
}
