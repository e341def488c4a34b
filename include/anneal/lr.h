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

#include <anneal/lr_desc.h>

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
 * an_lr_extend): room for that many, at most AN_LR_MOST_EDITS, is kept in the schedule, 24 bytes
 * for each.
 */
enum { AN_LR_MOST_EDITS = 1000 };

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
 * happens, and by several the value is that of an_lr_at, unless it replays. Without a metric a
 * ReduceLROnPlateau at the top takes the time and counts no step.
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
/* Whether a landing at 0 is over: the rates stay there. */
AN_API bool an_lr_has_landed(const an_lr_schedule *schedule);
/* Whether there is a landing: to come, under way or over. */
AN_API bool an_lr_is_landing(const an_lr_schedule *schedule);

/*
 * The facts of the run that a schedule was made with; and where it stands on its plan, in steps, at
 * a clock: what an_lr_extend and a time budget have made of the run's own steps. anneal/lr_text.h
 * has all of that as text (an_lr_course_print).
 */
AN_API an_lr_run an_lr_run_of(const an_lr_schedule *schedule);
AN_API double an_lr_plan_at(const an_lr_schedule *schedule, const an_lr_clock *clock);

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
