/*
 * anneal/lr.h - learning-rate schedules: groups, descriptions, schedules.
 *
 * This header and its library, libanneal-lr, stand alone: libm only, no stdio, no global state, no
 * allocation after construction. A schedule gives the numbers that torch.optim.lr_scheduler gives,
 * bit for bit; the closed list of exceptions, each a bug there, is in docs/schedules.md.
 *
 * Intended usage
 *
 *   an_lr_group group;                                  1. the hyper-parameters live in a group
 *   an_lr_group_init(&group, 0.1);
 *   an_lr_group *groups[] = {&group};
 *
 *   an_lr_desc desc = an_lr_defaults(AN_STEP_LR);       2. describe the schedule: plain data
 *   desc.step.step_size = 30;
 *
 *   an_error err = {0};                                 3. make it; the group now holds the values
 *   an_lr_schedule *schedule =                             for the first update
 *       an_lr_new(&desc, groups, 1, NULL, &err);
 *
 *   while (training) {
 *       update(parameters, group.slot[AN_LR].value);    4. the optimizer reads the group
 *       an_lr_step(schedule);                           5. then the schedule moves on by one
 *   }
 *   an_lr_free(schedule);
 *
 * The same from text, "StepLR(step_size=30)", is anneal/lr_text.h.
 *
 * Beyond PyTorch
 *
 * A schedule is a function of a clock and a base rate, and functions compose. The kinds after
 * ReduceLROnPlateau in the list below are Anneal's own: shapes (Linear, Cosine, ...) and an algebra
 * of schedules (Sequence, Product, Clamp, Loop, ...). In their own tongue:
 *
 *   Sequence([Linear(start=0.01, end=1), Cosine(end=0.1)], [500st])      warmup, then cosine
 *   Product([Cosine(length=90ep), ReduceLROnPlateau(patience=5)])        and a plateau on top
 *   Clamp(Cosine(length=10min), min=1e-5)                                by the wall clock
 *   Together([Cosine(), Drive(Linear(start=0.85, end=0.95), 'momentum', base=1)])
 *
 * What holds for all of them:
 *
 * - They are pure: the value at a clock follows from the clock, the base rate and, with feedback
 *   inside, from what the feedback has decided. Stepping gives what an_lr_at gives, bit for bit; an
 *   edit of a slot lasts until the next step. Where one of them stands at the top or in Sequence,
 *   a schedule with PyTorch's name inside is asked for its closed form as well.
 * - Time is real: a Stretch may ask a Cosine for step 3.5. Schedules with PyTorch's names count
 *   whole steps there, rounded down.
 * - A length left out is what there is: up to the hand-off in a Sequence, else to the run's end.
 * - A real parameter may be a schedule of the same clock, whose base rate is 1:
 *   Cosine(length=100, end=Linear(start=0.2, end=0.1, length=1000)).
 */
#ifndef ANNEAL_LR_H
#define ANNEAL_LR_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ groups */

/* The hyper-parameters that a schedule can drive: X(constant, name). */
#define AN_SLOT_MAP(X)                     \
    X(AN_LR, lr)                           \
    X(AN_MOMENTUM, momentum)               \
    X(AN_BETA1, beta1)                     \
    X(AN_WEIGHT_DECAY, weight_decay)       \
    X(AN_CLIP_NORM, clip_norm)             \
    X(AN_DROPOUT, dropout)                 \
    X(AN_LABEL_SMOOTHING, label_smoothing) \
    X(AN_BATCH_SIZE, batch_size)           \
    X(AN_USER0, user0)                     \
    X(AN_USER1, user1)                     \
    X(AN_USER2, user2)                     \
    X(AN_USER3, user3)

typedef enum an_slot_id {
#define AN_SLOT_ENUM(constant, name) constant,
    AN_SLOT_MAP(AN_SLOT_ENUM)
#undef AN_SLOT_ENUM
        AN_SLOT_COUNT
} an_slot_id;

/*
 * One hyper-parameter of a group. `value` is what the optimizer uses now; `initial` is what the
 * first schedule found (PyTorch's initial_lr), set once `has_initial`. An optimizer that lacks the
 * hyper-parameter leaves `present` false.
 */
typedef struct an_slot {
    double value, initial;
    bool present, has_initial;
} an_slot;

/* How many slots a program may name for itself. */
#define AN_USER_SLOTS 4

/*
 * A parameter group as a schedule sees it. The optimizer owns it; it must not move. `user_name[i]`
 * is the program's name of slot AN_USER0 + i, or NULL; an_lr_group_name sets it.
 */
typedef struct an_lr_group {
    an_slot slot[AN_SLOT_COUNT];
    const char *user_name[AN_USER_SLOTS];
} an_lr_group;

/* A group whose only slot is the learning rate `lr`. */
AN_API void an_lr_group_init(an_lr_group *group, double lr);
/* Makes slot `id` present with `value`. */
AN_API void an_lr_group_set(an_lr_group *group, an_slot_id id, double value);
/* "lr", "momentum", ...; of a slot of the program's own, "user0". */
AN_API const char *an_slot_name(an_slot_id id);

/*
 * Gives the group a hyper-parameter of the program's own, which a schedule can then drive by name:
 * Drive(Linear(), 'temperature'). The slot that has the name already, or else the first of the
 * four that has none, becomes present with `value`; its id, or AN_SLOT_COUNT when all four have
 * other names. `name` must outlive the group.
 */
AN_API an_slot_id an_lr_group_name(an_lr_group *group, const char *name, double value);
/* The slot of that name, also of the program's own, or AN_SLOT_COUNT. */
AN_API an_slot_id an_lr_group_find(const an_lr_group *group, const char *name);

/*
 * Layer-wise decay (arXiv 1801.06146, section 3.3; 2003.10555): groups in the order of the layers,
 * the last with the full rate, each before it with `decay` of the one above, but not less than
 * `least` of the full rate. Multiplies slot AN_LR; call it before the first schedule is made.
 */
AN_API void an_lr_layer_decay(an_lr_group *const *groups, size_t count, double decay, double least);

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
 * that shows without the run and the groups' slots. The error (ARGUMENT) names the schedule, the parameter, the value and the allowed range. Descriptions nest
 * up to 32 deep and hold up to 1024 schedules in all; lists have up to 2^24 values.
 */
AN_API bool an_lr_check(const an_lr_desc *desc, size_t group_count, an_error *err);

/* The schedules within `desc`: children and parameters that are schedules, in the table's order. */
AN_API size_t an_lr_child_count(const an_lr_desc *desc);
AN_API const an_lr_desc *an_lr_child(const an_lr_desc *desc, size_t index);

/* --------------------------------------------------------------- one clock */

/*
 * What is known of a run before it begins; 0 where it is not. It turns every length into steps:
 * epochs by steps_per_epoch, samples and tokens by what a step takes, a part of the run by
 * total_steps (or epochs * steps_per_epoch). A length whose unit cannot be turned into steps needs
 * the clock: say that it will be there with `clocked`, and step with an_lr_step_with. Without, such
 * a length is an error that names what is missing.
 *
 * `seconds` above 0 is a time budget. Then the plan of total_steps is stretched over it, whatever
 * the machine's speed: at half of the budget the schedule stands where half of total_steps would
 * have it, and when the budget is spent it stands at its end. Only lengths in seconds stay what
 * they are. Without total_steps, a part of the run is a part of the budget.
 *
 * `edits` is how often the run may be landed or extended while it trains (an_lr_land,
 * an_lr_extend): room for that many is kept in the schedule.
 */
typedef struct an_lr_run {
    int64_t total_steps, epochs, steps_per_epoch;
    double samples_per_step, tokens_per_step, seconds;
    bool clocked;
    int edits;
} an_lr_run;

/*
 * Where a run stands: the updates that were applied, and what they took. Seconds are of training:
 * pauses do not count, and whoever stops and resumes a run goes on from the seconds he had.
 */
typedef struct an_lr_clock {
    double steps, epochs, samples, tokens, seconds;
} an_lr_clock;

/* --------------------------------------------------------------- schedules */

typedef struct an_lr_schedule an_lr_schedule;

/*
 * A schedule over `groups`, whose slots it writes from now on. As in PyTorch, making it writes the
 * values of step 0, and the rate that it finds becomes the base rate (slot.initial, unless an
 * earlier schedule has set that). `desc` is copied; the groups must outlive the schedule, and so
 * must what a description's functions use. `allocator` NULL: the C library's. NULL with err
 * (ARGUMENT, MEMORY) when it cannot be made; then the groups are untouched.
 */
AN_API an_lr_schedule *an_lr_new(const an_lr_desc *desc, an_lr_group *const *groups,
                                 size_t group_count, const an_allocator *allocator, an_error *err);
/* The same for a run of which something is known; NULL: nothing. `run` is copied. */
AN_API an_lr_schedule *an_lr_new_run(const an_lr_desc *desc, const an_lr_run *run,
                                     an_lr_group *const *groups, size_t group_count,
                                     const an_allocator *allocator, an_error *err);
AN_API void an_lr_free(an_lr_schedule *schedule);

/*
 * The same in memory of the caller's, for programs without an allocator: an_lr_size gives the bytes
 * that a schedule of up to `capacity` groups takes (0 for a description that an_lr_check refuses),
 * and an_lr_init makes it in `memory`, which must be aligned to 16 bytes. It is not freed.
 */
AN_API size_t an_lr_size(const an_lr_desc *desc, size_t capacity);
AN_API an_lr_schedule *an_lr_init(void *memory, size_t size, const an_lr_desc *desc,
                                  an_lr_group *const *groups, size_t group_count, an_error *err);
AN_API size_t an_lr_size_run(const an_lr_desc *desc, const an_lr_run *run, size_t capacity);
AN_API an_lr_schedule *an_lr_init_run(void *memory, size_t size, const an_lr_desc *desc,
                                      const an_lr_run *run, an_lr_group *const *groups,
                                      size_t group_count, an_error *err);

/*
 * Takes one more group under the schedule, at the schedule's present step: its rate is the base
 * rate, and it gets the value that a group with that base has now. Err (STATE) when the memory that
 * an_lr_init was given is full; a schedule from an_lr_new has room for the groups it was made with.
 */
AN_API bool an_lr_add_group(an_lr_schedule *schedule, an_lr_group *group, an_error *err);

/*
 * One step: PyTorch's scheduler.step(). Call it after the optimizer's update. What the user wrote
 * into a slot since the last step carries on as it does there. A ReduceLROnPlateau at the top is
 * left alone; feedback elsewhere sees nothing in such a step.
 */
AN_API void an_lr_step(an_lr_schedule *schedule);

/* Whether feedback is in the schedule (ReduceLROnPlateau, Greedy; ReduceOnSlope, SpikeGuard), so
 * that it is stepped with a metric, and that nobody knows its values beforehand. */
AN_API bool an_lr_wants_metric(const an_lr_schedule *schedule);
/* One step with the metric, which counts as the loss too; an_lr_step if the schedule wants none. */
AN_API void an_lr_step_metric(an_lr_schedule *schedule, double metric);

/*
 * One step with all that there is to know. `clock` NULL: one step more than before, and what
 * follows from it by the run's facts. `metric` is for ReduceLROnPlateau and Greedy, `loss` for
 * ReduceOnSlope and SpikeGuard: a training may step with the loss of every update, and once an
 * epoch with the metric of the validation too. In a sequence only feedback whose turn it is counts.
 *
 * The clock may move by any amount, and must not go backwards. A schedule with PyTorch's name at
 * the top counts whole steps of its plan: by one it steps as an_lr_step does, by none nothing
 * happens, and by several the value is that of an_lr_at, unless it replays.
 */
typedef struct an_lr_input {
    const an_lr_clock *clock;
    double metric, loss;
    bool has_metric, has_loss;
} an_lr_input;

AN_API void an_lr_step_with(an_lr_schedule *schedule, const an_lr_input *input);

/* Whether the schedule has lengths that an_lr_step cannot count: step it with clocks. */
AN_API bool an_lr_wants_clock(const an_lr_schedule *schedule);
/* The clock of the last step. */
AN_API an_lr_clock an_lr_now(const an_lr_schedule *schedule);
/* Whether the last step went past the end of a schedule whose after_end is an error. */
AN_API bool an_lr_ended(const an_lr_schedule *schedule);

/*
 * Whether a SpikeGuard asks to go back to the last good state of the training, since the last loss
 * was a spike. an_lr_roll_back then takes the state that an_lr_state_save gave at that point: the
 * clock, the slots and all feedback are as they were, but each guard that asked keeps count and
 * lowers its factor. False, with nothing changed, as an_lr_state_load says.
 */
AN_API bool an_lr_wants_rollback(const an_lr_schedule *schedule);
AN_API bool an_lr_roll_back(an_lr_schedule *schedule, const void *bytes, size_t size,
                            an_error *err);

/*
 * Sets the clock to `step` and writes the values that an_lr_at has there: PyTorch's
 * scheduler.step(epoch), where that is right. The user's edits are forgotten, and stepping goes on
 * from these values. False, with nothing changed, for a schedule that wants a metric (STATE) and
 * for a step below 0 or above 2^53 (ARGUMENT).
 */
AN_API bool an_lr_step_to(an_lr_schedule *schedule, int64_t step, an_error *err);

/* How many steps were taken, or the step that an_lr_step_to has set; 0 after construction. */
AN_API int64_t an_lr_step_count(const an_lr_schedule *schedule);
/* What the schedule was made from, in its own memory; composites of one child are that child. */
AN_API const an_lr_desc *an_lr_desc_of(const an_lr_schedule *schedule);
/* Whether the schedule writes slot `id` of any of its groups. */
AN_API bool an_lr_drives(const an_lr_schedule *schedule, an_slot_id id);

/* ---------------------------------------------------------- values at a step */

/*
 * The value that slot `id` of group `group` has after `step` steps, in closed form from the base
 * rate: it ignores the user's edits, changes nothing and may be asked in any order. NaN for a slot
 * that the schedule does not drive, for a group or step that does not exist, and for a schedule
 * that wants a metric. Equal to stepping within 1e-12 of the base rate, except for a
 * CosineAnnealingLR with an eta_min above 0 long past its T_max, where PyTorch's steps drift.
 */
AN_API double an_lr_at(const an_lr_schedule *schedule, size_t group, an_slot_id id, int64_t step);
/* an_lr_at for AN_LR. */
AN_API double an_lr_at_step(const an_lr_schedule *schedule, size_t group, int64_t step);
/* Writes `count` values from step `first` on: out[i] = an_lr_at(schedule, group, id, first + i). */
AN_API void an_lr_values(const an_lr_schedule *schedule, size_t group, an_slot_id id, int64_t first,
                         double *out, size_t count);
/*
 * Whether an_lr_at has to replay all steps from 0, so that its cost grows with the step. It does
 * for MultiplicativeLR, for SWALR as a later child of SequentialLR, and for a ChainedScheduler,
 * unless its first child sets the rate from its own base or all of its children are plain factors
 * of the step (a cosine is one only down to its bottom).
 */
AN_API bool an_lr_replays(const an_lr_schedule *schedule);

/* The value at a clock; an_lr_at asks for the clock that `step` steps give by the run's facts. With
 * a time budget an_lr_at answers by the plan: step total_steps is the end of the budget. */
AN_API double an_lr_at_clock(const an_lr_schedule *schedule, size_t group, an_slot_id id,
                             const an_lr_clock *clock);

/*
 * When the schedule has arrived, in the unit that its lengths have in common after the run's facts
 * have turned them (mostly steps); infinite if it never does (StepLR, Loop), NaN if its lengths
 * have no unit in common.
 */
AN_API an_lr_length an_lr_length_of(const an_lr_schedule *schedule);

/*
 * One node of a schedule: its description, how deep it stands, and when its clock begins and how
 * long it is, both in `length.unit`. From an_lr_trace also the time on its own clock, the base rate
 * that it was given and the rate that it made of that.
 */
typedef struct an_lr_part {
    const an_lr_desc *desc;
    int depth;
    double begin;
    an_lr_length length;
    double time, base, rate;
} an_lr_part;

typedef void (*an_lr_visit)(void *user, const an_lr_part *part);

/* Visits all nodes, each before its children. */
AN_API void an_lr_parts(const an_lr_schedule *schedule, an_lr_visit visit, void *user);
/*
 * How a value comes about: an_lr_at_clock, which also visits every node that has a part in it, each
 * after its children.
 */
AN_API double an_lr_trace(const an_lr_schedule *schedule, size_t group, an_slot_id id,
                          const an_lr_clock *clock, an_lr_visit visit, void *user);

/* ------------------------------------------- another end, while the run trains */

/* The tail of a landing at part p: 1 - p; (1 + cos(pi p)) / 2; 1 - sqrt(p); 1 - p^2. */
typedef enum an_lr_tail { AN_TAIL_LINEAR, AN_TAIL_COSINE, AN_TAIL_SQRT, AN_TAIL_SQUARE } an_lr_tail;

/*
 * Lands: from the rates of now, edits included, to `end` times these in `length` (steps, seconds,
 * ...) along the tail, and stays there. Only the learning rate lands; other slots go on.
 *
 * an_lr_extend lets the schedule arrive at `total` (steps, or with a time budget seconds) instead
 * of where it would: what is left of it is stretched or shortened, so that the rate goes on from
 * where it is and decay_curves wherever it would have fallen. A landing that is under way is
 * stretched too. Both are kept in the state. Err (STATE): no room is left (an_lr_run's edits), the
 * schedule has no end or is past it; (ARGUMENT) a length that is not in the future or cannot be
 * counted.
 */
AN_API bool an_lr_land(an_lr_schedule *schedule, an_lr_length length, an_lr_tail tail, double end,
                       an_error *err);
AN_API bool an_lr_extend(an_lr_schedule *schedule, an_lr_length total, an_error *err);

/* ------------------------------------------------------------------- state */

/*
 * What a run has to keep to go on bit for bit: the clock, the base rates, the plateau's memory, the
 * values of the groups' slots, and the description that they belong to. Here as bytes, the same on
 * every machine, with a version and a checksum; as JSON in anneal/lr_text.h. Loading restores the
 * slots too, so it does not matter what was built or loaded before. States of earlier versions
 * load.
 */
AN_API size_t an_lr_state_size(const an_lr_schedule *schedule);
/* Writes the state; returns its size, or 0 if `size` is less than an_lr_state_size. */
AN_API size_t an_lr_state_save(const an_lr_schedule *schedule, void *bytes, size_t size);

/*
 * What loading does when the parameters of the schedule are not those that were saved: a longer
 * training, another peak. PyTorch's load_state_dict puts the old ones back in silence. Here one
 * says what is meant:
 *
 *   AN_LR_REFUSE   an error that names what differs
 *   AN_LR_ADOPT    the schedule's own parameters count from now on. The clock, the base rates and
 *                  the plateau's memory are the saved ones (CyclicLR and OneCycleLR have their base
 *                  rate from their parameters), and the slots get the values that the new
 *                  parameters have at the saved step; the user's edits are forgotten. The schedule
 *                  must be the same but for its parameters, lists of any length: it must nest the
 *                  same kinds.
 *
 * To keep the saved parameters instead, make the schedule from them and load into it:
 * an_lr_state_desc of anneal/lr_text.h reads the description out of a state, of either form. That
 * is no third policy, since it takes more than the schedule's memory holds: lists may be longer
 * than those it was made with, and expressions are read anew. A program with the core alone keeps
 * by describing its schedule as it was saved; `changes` names what it has to put back.
 */
typedef enum an_lr_policy { AN_LR_REFUSE, AN_LR_ADOPT } an_lr_policy;

/*
 * How the saved description differs: how many parameters, and the saved and the schedule's own
 * values of as many as there is room for ("T_max 100 -> 200; schedulers[1].gamma 0.1 -> 0.5").
 */
typedef struct an_lr_changes {
    size_t count;
    char text[256];
} an_lr_changes;

/*
 * Errors leave the schedule as it was: bytes that are not a state or are damaged (DATA), and a
 * state of other parameters, of another schedule or another number of groups (STATE). `changes`
 * may be NULL; it is filled whenever the bytes are sound and the number of groups fits.
 */
AN_API bool an_lr_state_load(an_lr_schedule *schedule, const void *bytes, size_t size,
                             an_lr_policy policy, an_lr_changes *changes, an_error *err);

/* ------------------------------------------------------- what theory promises */

/*
 * The convex last-iterate bound of a schedule (A. Defazio and others, arXiv 2310.07831, theorem 10;
 * F. Schaipp and others, ICML 2025): how far above the optimum the loss may be after the last
 * update, for a convex function, a start at `distance` from the optimum and gradients of norm
 * `gradient`. It ranks shapes and carries a tuned rate from one to another; for a network it is a
 * prior, no evidence.
 */
typedef struct an_lr_bound {
    double value;      /* of the rates as given */
    double best_scale; /* what to multiply all rates by for the least bound */
    double best;       /* that bound */
} an_lr_bound;

/*
 * `rates`: those of `count` updates, in order. In one pass from the end. Errors (ARGUMENT): a rate
 * that is negative or not finite, rates that are all 0, a distance or gradient that is not above 0.
 */
AN_API bool an_lr_bound_of(const double *rates, size_t count, double distance, double gradient,
                           an_lr_bound *bound, an_error *err);

/*
 * What was known of the run that a state was saved in, with room for the edits that it holds: for a
 * schedule that is made anew from a state. False with err (DATA) for what is no state.
 */
AN_API bool an_lr_state_run(const void *bytes, size_t size, an_lr_run *run, an_error *err);

/* ------------------------------------------------------- the table of schedules */

typedef enum an_lr_type {
    AN_LR_INTEGER,   /* int64_t */
    AN_LR_REAL,      /* double */
    AN_LR_BOOL,      /* bool */
    AN_LR_CHOICE,    /* an enum; `choices` are its names */
    AN_LR_REALS,     /* an_lr_reals */
    AN_LR_INTEGERS,  /* an_lr_integers */
    AN_LR_FUNCTION,  /* an_lr_function */
    AN_LR_FUNCTIONS, /* an_lr_functions */
    AN_LR_CHILDREN,  /* an_lr_children */
    AN_LR_CHILD,     /* const an_lr_desc * */
    AN_LR_VALUE,     /* an_lr_value */
    AN_LR_NUMBERS,   /* an_lr_numbers */
    AN_LR_LENGTH,    /* an_lr_length */
    AN_LR_LENGTHS,   /* an_lr_lengths */
    AN_LR_NAME       /* const char * */
} an_lr_type;

/*
 * One parameter: its name, where it stands in an_lr_desc, its default (`fallback`; NaN: none) and
 * the range of what it may be. The defaults, the checks, the parser, the printer and the
 * documentation all read this table.
 */
typedef struct an_lr_param {
    const char *name;
    size_t offset;
    double fallback;
    double low, high;           /* the range; for lists, of each element */
    const char *const *choices; /* ends in NULL */
    an_lr_type type;
    bool required;
    bool above_low, below_high; /* whether the ends themselves are excluded */
} an_lr_param;

/* The name of `kind`; its parameters in the order of the call, PyTorch's where it has the name. */
AN_API const char *an_lr_name(an_lr_kind kind);
AN_API const an_lr_param *an_lr_params(an_lr_kind kind, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
