/*
 * anneal/lr_desc.h - what a schedule is, as plain data: the kinds of schedules, the parameters of
 * each, lengths with units. Part of anneal/lr.h, which says how they are used and what holds for
 * all of them; nobody needs to include this header by itself.
 */
#ifndef ANNEAL_LR_DESC_H
#define ANNEAL_LR_DESC_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------ descriptions */

/*
 * The schedules: X(constant, name in text, member of an_lr_desc). A description is a kind and that
 * kind's parameters; up to ReduceLROnPlateau under PyTorch's names and with PyTorch's meaning, then
 * Anneal's own. In the formulas, e is the number of steps taken, t the time on the clock, b the
 * base rate, p = t / length the part of the length that is done, and everything is a double.
 */
#define AN_LR_KIND_MAP(X)                                         \
    X(AN_STEP_LR, StepLR, step)                                   \
    X(AN_MULTI_STEP_LR, MultiStepLR, multi_step)                  \
    X(AN_CONSTANT_LR, ConstantLR, constant)                       \
    X(AN_LINEAR_LR, LinearLR, linear)                             \
    X(AN_EXPONENTIAL_LR, ExponentialLR, exponential)              \
    X(AN_POLYNOMIAL_LR, PolynomialLR, polynomial)                 \
    X(AN_COSINE_ANNEALING_LR, CosineAnnealingLR, cosine)          \
    X(AN_WARM_RESTARTS_LR, CosineAnnealingWarmRestarts, restarts) \
    X(AN_CYCLIC_LR, CyclicLR, cyclic)                             \
    X(AN_ONE_CYCLE_LR, OneCycleLR, one_cycle)                     \
    X(AN_LAMBDA_LR, LambdaLR, lambda)                             \
    X(AN_MULTIPLICATIVE_LR, MultiplicativeLR, multiplicative)     \
    X(AN_SWA_LR, SWALR, swa)                                      \
    X(AN_SEQUENTIAL_LR, SequentialLR, sequential)                 \
    X(AN_CHAINED_LR, ChainedScheduler, chained)                   \
    X(AN_PLATEAU_LR, ReduceLROnPlateau, plateau)                  \
    X(AN_LR_CONSTANT, Constant, flat)                             \
    X(AN_LR_LINEAR, Linear, line)                                 \
    X(AN_LR_COSINE, Cosine, half_wave)                            \
    X(AN_LR_INTERPOLATE, Interpolate, interpolate)                \
    X(AN_LR_SEQUENCE, Sequence, sequence)                         \
    X(AN_LR_PRODUCT, Product, product)                            \
    X(AN_LR_SUM, Sum, sum)                                        \
    X(AN_LR_MIN, Min, min)                                        \
    X(AN_LR_MAX, Max, max)                                        \
    X(AN_LR_CLAMP, Clamp, clamp)                                  \
    X(AN_LR_SCALE, Scale, scale)                                  \
    X(AN_LR_SHIFT, Shift, shift)                                  \
    X(AN_LR_LOOP, Loop, loop)                                     \
    X(AN_LR_REVERSE, Reverse, reverse)                            \
    X(AN_LR_STRETCH, Stretch, stretch)                            \
    X(AN_LR_SLOPE, ReduceOnSlope, slope)                          \
    X(AN_LR_GREEDY, Greedy, greedy)                               \
    X(AN_LR_SPIKE, SpikeGuard, spike)                             \
    X(AN_LR_DRIVE, Drive, drive)                                  \
    X(AN_LR_TOGETHER, Together, together)                         \
    X(AN_LR_DECAY, Decay, decay)                                  \
    X(AN_LR_GEOMETRIC, Geometric, geometric)                      \
    X(AN_LR_EXPONENTIAL, Exponential, power_of)                   \
    X(AN_LR_INVERSE, Inverse, inverse)                            \
    X(AN_LR_SIGMOID, Sigmoid, sigmoid)                            \
    X(AN_LR_TABLE, Table, table)                                  \
    X(AN_LR_CHEBYSHEV, Chebyshev, chebyshev)                      \
    X(AN_LR_RADAM, RAdamWarmup, radam)                            \
    X(AN_LR_RESTARTS, Restarts, again)                            \
    X(AN_LR_STAIRS, Stairs, stairs)                               \
    X(AN_LR_BASE, Base, own_base)

typedef enum an_lr_kind {
#define AN_LR_KIND_ENUM(constant, name, member) constant,
    AN_LR_KIND_MAP(AN_LR_KIND_ENUM)
#undef AN_LR_KIND_ENUM
        AN_LR_KIND_COUNT
} an_lr_kind;

/* An integer parameter that is absent (Python's None). An absent real is NaN, an absent list has
 * count 0. */
#define AN_LR_NONE INT64_MIN

/* A real that may differ per group: `value` for all of them, or `count` of them at `each`. */
typedef struct an_lr_reals {
    double value;
    const double *each;
    size_t count;
} an_lr_reals;

typedef struct an_lr_integers {
    const int64_t *each;
    size_t count;
} an_lr_integers;

/* Numbers in a row. */
typedef struct an_lr_numbers {
    const double *each;
    size_t count;
} an_lr_numbers;

/* What a length or a moment is counted in: X(constant, name, unit in text). */
#define AN_LR_UNIT_MAP(X)      \
    X(AN_STEPS, steps, st)     \
    X(AN_EPOCHS, epochs, ep)   \
    X(AN_SAMPLES, samples, sa) \
    X(AN_TOKENS, tokens, tok)  \
    X(AN_SECONDS, seconds, s)  \
    X(AN_RUNS, runs, run)

typedef enum an_lr_unit {
#define AN_LR_UNIT_ENUM(constant, name, text) constant,
    AN_LR_UNIT_MAP(AN_LR_UNIT_ENUM)
#undef AN_LR_UNIT_ENUM
        AN_UNIT_COUNT
} an_lr_unit;

/*
 * A length of time: {500} is 500 steps, {5, AN_EPOCHS} five epochs, {0.3, AN_RUNS} three tenths of
 * the run. Absent: a NaN. In text 500, 500st, 5ep, 1_000_000sa, 2e9tok, 90s, 10min, 2h, 0.3run.
 */
typedef struct an_lr_length {
    double value;
    an_lr_unit unit;
} an_lr_length;

typedef struct an_lr_lengths {
    const an_lr_length *each;
    size_t count;
} an_lr_lengths;

/* A function of the step count. `text`, if not NULL, is the expression that it was made from. */
typedef struct an_lr_function {
    double (*call)(void *user, double epoch);
    void *user;
    const char *text;
} an_lr_function;

/* One function for all groups, or `count` of them at `each`. */
typedef struct an_lr_functions {
    an_lr_function function;
    const an_lr_function *each;
    size_t count;
} an_lr_functions;

typedef struct an_lr_desc an_lr_desc;

typedef struct an_lr_children {
    const an_lr_desc *const *each;
    size_t count;
} an_lr_children;

/* A real, or the values of a schedule (if that is not NULL) whose base rate is 1. */
typedef struct an_lr_value {
    double value;
    const an_lr_desc *schedule;
} an_lr_value;

/*
 * What a schedule that has a length does after it. The default is, for PyTorch's names, what
 * PyTorch does (CosineAnnealingLR rises again; OneCycleLR, which raises there, holds), for Anneal's
 * own to hold the last value. AN_END_ERROR: an_lr_at gives NaN there, a step leaves the slots alone
 * and an_lr_ended tells; a run that is known to be longer is refused at construction.
 */
typedef enum an_lr_end {
    AN_END_DEFAULT,
    AN_END_HOLD,
    AN_END_ZERO,
    AN_END_REPEAT, /* from the beginning */
    AN_END_MIRROR, /* back to the beginning, and forth again */
    AN_END_ERROR
} an_lr_end;

/* b * gamma^(e / step_size), the quotient rounded down. */
typedef struct an_step_lr {
    int64_t step_size;
    double gamma;
} an_step_lr;

/* b * gamma^(how many milestones are at or below e). Order is free; a doubled one counts twice. */
typedef struct an_multi_step_lr {
    an_lr_integers milestones;
    double gamma;
} an_multi_step_lr;

/* b * factor while e < total_iters, then b. */
typedef struct an_constant_lr {
    double factor;
    int64_t total_iters;
} an_constant_lr;

/* From b * start_factor straight to b * end_factor in total_iters steps, then constant. */
typedef struct an_linear_lr {
    double start_factor, end_factor;
    int64_t total_iters;
} an_linear_lr;

/* b * gamma^e. */
typedef struct an_exponential_lr {
    double gamma;
} an_exponential_lr;

/* b * (1 - e / total_iters)^power, then 0. */
typedef struct an_polynomial_lr {
    int64_t total_iters;
    double power;
} an_polynomial_lr;

/* eta_min + (b - eta_min) (1 + cos(pi e / T_max)) / 2: periodic, it rises again after T_max. */
typedef struct an_cosine_annealing_lr {
    int64_t T_max;
    double eta_min;
} an_cosine_annealing_lr;

/* The falling half of the cosine, over T_0 steps, then T_0 T_mult, T_0 T_mult^2, ... */
typedef struct an_warm_restarts_lr {
    int64_t T_0, T_mult;
    double eta_min;
} an_warm_restarts_lr;

typedef enum an_cyclic_mode { AN_TRIANGULAR, AN_TRIANGULAR2, AN_EXP_RANGE } an_cyclic_mode;
typedef enum an_scale_mode { AN_SCALE_CYCLE, AN_SCALE_ITERATIONS } an_scale_mode;

/*
 * Up from base_lr to max_lr in step_size_up steps, down again in step_size_down (absent: the same);
 * the height halves with each cycle (triangular2), shrinks by gamma each step (exp_range), or is
 * multiplied by scale_fn of the cycle (from 1) or of e. Momentum goes the other way.
 */
typedef struct an_cyclic_lr {
    an_lr_reals base_lr, max_lr;
    int64_t step_size_up, step_size_down;
    an_cyclic_mode mode;
    double gamma;
    an_lr_function scale_fn;
    an_scale_mode scale_mode;
    bool cycle_momentum;
    an_lr_reals base_momentum, max_momentum;
} an_cyclic_lr;

typedef enum an_anneal_strategy { AN_ANNEAL_COS, AN_ANNEAL_LINEAR } an_anneal_strategy;

/*
 * From max_lr / div_factor up to max_lr in the first pct_start of total_steps, then down to
 * max_lr / div_factor / final_div_factor, which it keeps. With three_phase it comes down as it went
 * up, then anneals. Momentum (or beta1) goes the other way. Without total_steps, epochs *
 * steps_per_epoch.
 */
typedef struct an_one_cycle_lr {
    an_lr_reals max_lr;
    int64_t total_steps, epochs, steps_per_epoch;
    double pct_start;
    an_anneal_strategy anneal_strategy;
    bool cycle_momentum;
    an_lr_reals base_momentum, max_momentum;
    double div_factor, final_div_factor;
    bool three_phase;
} an_one_cycle_lr;

/* b * lr_lambda(e). */
typedef struct an_lambda_lr {
    an_lr_functions lr_lambda;
} an_lambda_lr;

/* At each step the rate times lr_lambda(e). */
typedef struct an_multiplicative_lr {
    an_lr_functions lr_lambda;
} an_multiplicative_lr;

/* From whatever the rate is to swa_lr in anneal_epochs steps, then constant. */
typedef struct an_swa_lr {
    an_lr_reals swa_lr;
    int64_t anneal_epochs;
    an_anneal_strategy anneal_strategy;
} an_swa_lr;

/* Child i runs from milestones[i - 1] (the first from 0), each on its own clock from 0. */
typedef struct an_sequential_lr {
    an_lr_children schedulers;
    an_lr_integers milestones;
} an_sequential_lr;

/* All children at once: each goes on from the rate that the one before it left. */
typedef struct an_chained_lr {
    an_lr_children schedulers;
} an_chained_lr;

typedef enum an_plateau_mode { AN_PLATEAU_MIN, AN_PLATEAU_MAX } an_plateau_mode;
typedef enum an_threshold_mode { AN_THRESHOLD_REL, AN_THRESHOLD_ABS } an_threshold_mode;

/*
 * Multiplies the rate by factor, but not below min_lr, when the metric has not improved in more
 * than patience steps; then counts no bad steps for cooldown steps. Changes up to eps are left out.
 */
typedef struct an_plateau_lr {
    an_plateau_mode mode;
    double factor;
    int64_t patience;
    double threshold;
    an_threshold_mode threshold_mode;
    int64_t cooldown;
    an_lr_reals min_lr;
    double eps;
} an_plateau_lr;

/* ---- Anneal's own: shapes. Factors are of the base rate. */

/* b * factor. */
typedef struct an_lr_flat {
    an_lr_value factor;
} an_lr_flat;

/* b * (start + (end - start) p). */
typedef struct an_lr_line {
    an_lr_value start, end;
    an_lr_length length;
} an_lr_line;

/* b * (end + (start - end) (1 + cos(pi p)) / 2). */
typedef struct an_lr_half_wave {
    an_lr_value start, end;
    an_lr_length length;
} an_lr_half_wave;

typedef enum an_lr_curve { AN_CURVE_LINEAR, AN_CURVE_COSINE, AN_CURVE_STEP } an_lr_curve;

/*
 * b * values[i] at the moment at[i], on lines or half waves between, or (step) on values[i] up to
 * the next moment; values[0] before the first. The moments must increase.
 */
typedef struct an_lr_interpolate {
    an_lr_lengths at;
    an_lr_numbers values;
    an_lr_curve curve;
} an_lr_interpolate;

/* What decay_curves from 1 to 0 as q goes from 0 to 1; r is `ratio`. */
typedef enum an_lr_decay_curve {
    AN_DECAY_LINEAR,        /* 1 - q */
    AN_DECAY_COSINE,        /* (1 + cos(pi q)) / 2 */
    AN_DECAY_MIRROR_COSINE, /* 2 (1 - q) - (1 + cos(pi q)) / 2 */
    AN_DECAY_REX,           /* (1 - q) / (1 - q / 2), arXiv 2107.04197 */
    AN_DECAY_EXPONENTIAL,   /* (r^q - r) / (1 - r) */
    AN_DECAY_LOG            /* 1 - log(1 + (r - 1) q) / log(r): the inverse of the one before */
} an_lr_decay_curve;

/*
 * b * (end + (start - end) c(p^k)^power), c of the curve; k is that of k-decay (arXiv 2004.05909).
 * From start to end whichever is greater, so that it warms up too. With `cycle` the length is
 * doubled, tripled, ... each time it is over: p = t / (length ceil(t / length)), and it never ends.
 */
typedef struct an_lr_decay {
    an_lr_decay_curve curve;
    an_lr_value start, end;
    an_lr_length length;
    an_lr_value power, k;
    double ratio;
    bool cycle;
} an_lr_decay;

/* b * start (end / start)^p: by the same factor in every step. */
typedef struct an_lr_geometric {
    double start, end;
    an_lr_length length;
} an_lr_geometric;

/* b * (end + (start - end) factor^(t / every)): it never ends. */
typedef struct an_lr_power_of {
    an_lr_value factor;
    an_lr_length every;
    an_lr_value start, end;
} an_lr_power_of;

/*
 * b * (end + (start - end) (1 + (t / timescale)^inner)^-power): 1 / t with power 1, 1 / sqrt(t)
 * with 1/2. It never ends.
 */
typedef struct an_lr_inverse {
    an_lr_length timescale;
    an_lr_value power, inner, start, end;
} an_lr_inverse;

/*
 * b * (end + (start - end) / (1 + e^((t - center) / width))): it never ends. That is the fall of
 * the hyperbolic tangent too (arXiv 1806.01593).
 */
typedef struct an_lr_sigmoid {
    an_lr_length center, width;
    an_lr_value start, end;
} an_lr_sigmoid;

/* b * values[i] from i * every on; the last one stays. */
typedef struct an_lr_table {
    an_lr_numbers values;
    an_lr_length every;
} an_lr_table;

/*
 * Chebyshev's steps for curvatures from `least` to `most`, in their fractal order (arXiv
 * 2103.01338): `count`, a power of 2, of them, each for `every`. At i the factor is
 *
 *   2 / (most + least - (most - least) cos(pi (s(i) + 1/2) / count))
 *
 * where s(0) = 0 for one, and for 2n: s(2i) = s_n(i), s(2i + 1) = 2n - 1 - s_n(i).
 */
typedef struct an_lr_chebyshev {
    int64_t count;
    double least, most;
    an_lr_length every;
} an_lr_chebyshev;

/*
 * RAdam's factor (arXiv 1908.03265) from the first step d at which it is defined, i = t + d:
 * b * sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r)), r = R - 2 i beta2^i / (1 - beta2^i),
 * R = 2 / (1 - beta2) - 1.
 */
typedef struct an_lr_radam {
    double beta2;
} an_lr_radam;

/* ---- the algebra */

/*
 * Child i runs from milestones[i - 1] (the first from 0), each on its own clock from 0, each from
 * the base rate b; but feedback (ReduceLROnPlateau, Greedy, ...) as a later child goes on from
 * where the child before it arrives at the milestone.
 */
typedef struct an_lr_sequence {
    an_lr_children schedules;
    an_lr_lengths milestones;
} an_lr_sequence;

/* Each child has the rate of the one before it as its base rate: factors multiply. */
typedef struct an_lr_product {
    an_lr_children schedules;
} an_lr_product;

/* The sum, the least, the greatest of the children, each from the base rate b. */
typedef struct an_lr_sum {
    an_lr_children schedules;
} an_lr_sum, an_lr_min, an_lr_max;

/* The rate, but not below min and not above max: rates, not factors. */
typedef struct an_lr_clamp {
    const an_lr_desc *schedule;
    an_lr_value min, max;
} an_lr_clamp;

/* The rate times `by`, which may differ per group. */
typedef struct an_lr_scale {
    const an_lr_desc *schedule;
    an_lr_reals by;
} an_lr_scale;

/* Later by `by`: the schedule at t - by, and its first value until then; earlier if by < 0. */
typedef struct an_lr_shift {
    const an_lr_desc *schedule;
    an_lr_length by;
} an_lr_shift;

/* The first `length` of the schedule again and again. Absent: its own length. */
typedef struct an_lr_loop {
    const an_lr_desc *schedule;
    an_lr_length length;
} an_lr_loop;

/* The first `length` of the schedule backwards: the value at length - t. */
typedef struct an_lr_reverse {
    const an_lr_desc *schedule;
    an_lr_length length;
} an_lr_reverse;

/* The first `length` of the schedule in the time `to`: the value at t * length / to. */
typedef struct an_lr_stretch {
    const an_lr_desc *schedule;
    an_lr_length to, length;
} an_lr_stretch;

/*
 * The schedule again and again, in cycles of length, length growth, length growth^2, ...; in cycle
 * i (from 0) it is stretched to the cycle, over the base rate b shrink^i. With `warmup` each cycle
 * begins on a line from the schedule's end to its beginning; that part does not grow: cycle i is
 * warmup + (length - warmup) growth^i long.
 */
typedef struct an_lr_again {
    const an_lr_desc *schedule;
    an_lr_length length;
    double growth, shrink;
    an_lr_length warmup;
} an_lr_again;

/* The schedule on a clock that moves once per `every`: its value at every floor(t / every). */
typedef struct an_lr_stairs {
    const an_lr_desc *schedule;
    an_lr_length every;
} an_lr_stairs;

/* The schedule over the base rate `lr`, whatever the group's: rates, not factors. */
typedef struct an_lr_own_base {
    const an_lr_desc *schedule;
    an_lr_reals lr;
} an_lr_own_base;

/* ---- feedback: b times a factor that the losses or the metric decide. See an_lr_input. */

/*
 * dlib's test (dlib/dnn/trainer.h): when the last `window` losses do not fall, the factor is
 * multiplied by `factor` and the window starts again. They fall when the slope of the line through
 * them is below 0 with more than `probability`; to be robust against spikes, the rate is reduced
 * only if they do not fall without their greatest tenth either. Not below `least`.
 */
typedef struct an_lr_slope {
    int64_t window;
    double probability, factor, least;
} an_lr_slope;

/*
 * GreedyLR (arXiv 2512.14527): more than `patience` metrics in a row that are better raise the rate
 * by 1 / factor, as many that are not lower it by `factor`; then nothing counts for `warmup` or
 * `cooldown` metrics. The factor stays from `least` to `most`; after `reset` metrics in a row at
 * `least` (0: never) it starts from 1 again, and the best metric is forgotten.
 */
typedef struct an_lr_greedy {
    an_plateau_mode mode;
    double factor;
    int64_t patience;
    double threshold;
    an_threshold_mode threshold_mode;
    int64_t warmup, cooldown, reset;
    double least, most;
} an_lr_greedy;

/*
 * Watches the loss: one that is not a number, or more than `deviations` standard deviations above
 * the mean of the last `window`, asks for a rollback (an_lr_wants_rollback), up to `limit` times.
 * After a rollback the rate is multiplied by `factor`.
 */
typedef struct an_lr_spike {
    int64_t window;
    double deviations, factor;
    int64_t limit;
} an_lr_spike;

/* ---- targets */

/*
 * Which slot of which groups a schedule drives, by name ("momentum", or a name that was given to
 * an_lr_group_name) and by index (none: all groups that have the slot). The slot's value is the
 * base rate, or else `base`: with 1 the factors are the values themselves. It stands at the top or
 * in Together; a schedule without it drives "lr".
 */
typedef struct an_lr_drive {
    const an_lr_desc *schedule;
    const char *slot;
    an_lr_integers groups;
    double base;
} an_lr_drive;

/* Several schedules on one clock, each on slots that no other drives. It stands at the top. */
typedef struct an_lr_together {
    an_lr_children schedules;
} an_lr_together;

/* One schedule, described. Descriptions nest through `schedulers` and the like. */
struct an_lr_desc {
    an_lr_kind kind;
    an_lr_end after_end; /* of kinds that have a length */
    union {
        an_step_lr step;
        an_multi_step_lr multi_step;
        an_constant_lr constant;
        an_linear_lr linear;
        an_exponential_lr exponential;
        an_polynomial_lr polynomial;
        an_cosine_annealing_lr cosine;
        an_warm_restarts_lr restarts;
        an_cyclic_lr cyclic;
        an_one_cycle_lr one_cycle;
        an_lambda_lr lambda;
        an_multiplicative_lr multiplicative;
        an_swa_lr swa;
        an_sequential_lr sequential;
        an_chained_lr chained;
        an_plateau_lr plateau;
        an_lr_flat flat;
        an_lr_line line;
        an_lr_half_wave half_wave;
        an_lr_interpolate interpolate;
        an_lr_sequence sequence;
        an_lr_product product;
        an_lr_sum sum;
        an_lr_min min;
        an_lr_max max;
        an_lr_clamp clamp;
        an_lr_scale scale;
        an_lr_shift shift;
        an_lr_loop loop;
        an_lr_reverse reverse;
        an_lr_stretch stretch;
        an_lr_decay decay;
        an_lr_geometric geometric;
        an_lr_power_of power_of;
        an_lr_inverse inverse;
        an_lr_sigmoid sigmoid;
        an_lr_table table;
        an_lr_chebyshev chebyshev;
        an_lr_radam radam;
        an_lr_again again;
        an_lr_stairs stairs;
        an_lr_own_base own_base;
        an_lr_slope slope;
        an_lr_greedy greedy;
        an_lr_spike spike;
        an_lr_drive drive;
        an_lr_together together;
    };
};

/* The defaults for `kind`, PyTorch's where it has the name; what is required is absent. */
AN_API an_lr_desc an_lr_defaults(an_lr_kind kind);

/*
 * Whether `desc` can be made into a schedule over `group_count` groups (0: any number), as far as
 * that shows without the run and the groups' slots. The error (ARGUMENT) names the schedule, the
 * parameter, the value and the allowed range. Descriptions nest up to 32 deep and hold up to 1024
 * schedules in all; lists have up to 2^24 values.
 */
AN_API bool an_lr_check(const an_lr_desc *desc, size_t group_count, an_error *err);

/* The schedules within `desc`: children and parameters that are schedules, in the table's order. */
AN_API size_t an_lr_child_count(const an_lr_desc *desc);
AN_API const an_lr_desc *an_lr_child(const an_lr_desc *desc, size_t index);

#ifdef __cplusplus
}
#endif
#endif
