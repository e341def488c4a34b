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
 */
#ifndef ANNEAL_LR_H
#define ANNEAL_LR_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ groups */

/* The hyper-parameters that a schedule can drive: X(constant, name). */
#define AN_SLOT_MAP(X)       \
    X(AN_LR, lr)             \
    X(AN_MOMENTUM, momentum) \
    X(AN_BETA1, beta1)       \
    X(AN_WEIGHT_DECAY, weight_decay)

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

/* A parameter group as a schedule sees it. The optimizer owns it; it must not move. */
typedef struct an_lr_group {
    an_slot slot[AN_SLOT_COUNT];
} an_lr_group;

/* A group whose only slot is the learning rate `lr`. */
AN_API void an_lr_group_init(an_lr_group *group, double lr);
/* Makes slot `id` present with `value`. */
AN_API void an_lr_group_set(an_lr_group *group, an_slot_id id, double value);
/* "lr", "momentum", ... */
AN_API const char *an_slot_name(an_slot_id id);

/* ------------------------------------------------------------ descriptions */

/*
 * The schedules: X(constant, PyTorch's name, member of an_lr_desc). A description is a kind and
 * that kind's parameters, under PyTorch's names and with PyTorch's meaning. In the formulas, e is
 * the number of steps taken, b the group's base rate, and everything is a double.
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
    X(AN_PLATEAU_LR, ReduceLROnPlateau, plateau)

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

/* One schedule, described. Descriptions nest through `schedulers`. */
struct an_lr_desc {
    an_lr_kind kind;
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
    };
};

/* PyTorch's defaults for `kind`; what PyTorch requires is absent and must be set. */
AN_API an_lr_desc an_lr_defaults(an_lr_kind kind);

/*
 * Whether `desc` can be made into a schedule over `group_count` groups (0: any number). The error
 * (ARGUMENT) names the schedule, the parameter, the value and the allowed range.
 */
AN_API bool an_lr_check(const an_lr_desc *desc, size_t group_count, an_error *err);

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
AN_API void an_lr_free(an_lr_schedule *schedule);

/*
 * The same in memory of the caller's, for programs without an allocator: an_lr_size gives the bytes
 * that a schedule of up to `capacity` groups takes (0 for a description that an_lr_check refuses),
 * and an_lr_init makes it in `memory`, which must be aligned to 16 bytes. It is not freed.
 */
AN_API size_t an_lr_size(const an_lr_desc *desc, size_t capacity);
AN_API an_lr_schedule *an_lr_init(void *memory, size_t size, const an_lr_desc *desc,
                                  an_lr_group *const *groups, size_t group_count, an_error *err);

/*
 * Takes one more group under the schedule, at the schedule's present step: its rate is the base
 * rate, and it gets the value that a group with that base has now. Err (STATE) when the memory that
 * an_lr_init was given is full; a schedule from an_lr_new has room for the groups it was made with.
 */
AN_API bool an_lr_add_group(an_lr_schedule *schedule, an_lr_group *group, an_error *err);

/*
 * One step: PyTorch's scheduler.step(). Call it after the optimizer's update. What the user wrote
 * into a slot since the last step carries on as it does there. A schedule that wants a metric is
 * left alone.
 */
AN_API void an_lr_step(an_lr_schedule *schedule);

/* Whether the schedule is stepped with a metric (ReduceLROnPlateau). */
AN_API bool an_lr_wants_metric(const an_lr_schedule *schedule);
/* One step with the metric; the same as an_lr_step for a schedule that wants none. */
AN_API void an_lr_step_metric(an_lr_schedule *schedule, double metric);

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

/* ------------------------------------------------------------------- state */

/*
 * What a run has to keep to go on bit for bit: the clock, the base rates, the plateau's memory, the
 * values of the groups' slots, and the description that they belong to. Here as bytes, the same on
 * every machine, with a version and a checksum; as JSON in anneal/lr_text.h. Loading restores the
 * slots too, so it does not matter what was built or loaded before.
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
 * To keep the saved parameters instead, make the schedule from them: an_lr_state_desc of
 * anneal/lr_text.h reads them out of a state.
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
    AN_LR_CHILDREN   /* an_lr_children */
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

/* PyTorch's name of `kind`; its parameters in PyTorch's order. */
AN_API const char *an_lr_name(an_lr_kind kind);
AN_API const an_lr_param *an_lr_params(an_lr_kind kind, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
