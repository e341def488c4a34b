/*
 * anneal/lr_text.h - schedules as text: "StepLR(step_size=30, gamma=0.1)", to and from
 * descriptions.
 *
 *   an_lr_text *text = an_lr_parse_text("CosineAnnealingLR(T_max=100)", NULL, NULL, &err);
 *   an_lr_schedule *schedule = an_lr_new(an_lr_text_desc(text), groups, 1, NULL, &err);
 *   an_lr_text_free(text);      (after the schedule, if the text holds lambdas)
 *
 * The calls are written as a PyTorch user writes them (anneal/spec.h has the grammar) and nest:
 * "SequentialLR([LinearLR(total_iters=5), ExponentialLR(0.9)], milestones=[5])". What PyTorch's
 * calls may end with, last_epoch=-1 and verbose, is read and left out.
 *
 * A function of the step is a lambda, also in quotes, or its expression of `epoch` in quotes:
 * LambdaLR(lambda epoch: 0.95 ** epoch), LambdaLR("0.95 ** epoch"). There are + - * / // % **,
 * comparisons (also a < b < c), and, or, not, `x if c else y`, min, max, abs, cos, sin, sqrt, exp,
 * log, floor, int, pow and pi, with or without `math.`. Precedence and values are Python's, also of
 * `a or b` and of // and % with signs. These are the limits:
 *
 *   - Integers are exact up to 2^53 and doubles beyond; one that is written larger is refused.
 *   - Where Python raises an exception or goes over to complex numbers, the value is what IEEE
 *     arithmetic has: x / 0 is infinite (0 / 0 NaN), x // 0 and x % 0 are NaN, an overflow is
 *     infinite, log(0) is -inf; logarithms, roots and fractional powers below 0 are NaN.
 *   - An expression has up to 10000 bytes and nests up to 64 deep.
 *
 * Lengths may have units: 500st, 5ep, 1_000_000sa, 2e9tok, 90s, 10min, 2h, 0.3run. Where PyTorch
 * counts steps (T_max=5ep), the run's facts must turn them into whole steps when the text is read.
 */
#ifndef ANNEAL_LR_TEXT_H
#define ANNEAL_LR_TEXT_H

#include <anneal/lr.h>
#include <anneal/spec.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A parsed call: it owns the description's lists, children and expressions. */
typedef struct an_lr_text an_lr_text;

/*
 * Reads and checks `call`, a call node of `source`; see an_lr_check. `run` and `allocator` may be
 * NULL. What a trainer knows of the run turns PyTorch's lengths into steps, and fills in what a
 * schedule needs and was not given: OneCycleLR's total_steps, anywhere in the outermost call. Make
 * the schedule with the same run. NULL with err at the argument that is wrong: unknown schedule or
 * parameter (with the nearest name), wrong type, out of range.
 */
AN_API an_lr_text *an_lr_parse(const an_spec_source *source, const an_spec_node *call,
                               const an_lr_run *run, const an_allocator *allocator, an_error *err);
/* The same from a plain string. */
AN_API an_lr_text *an_lr_parse_text(const char *text, const an_lr_run *run,
                                    const an_allocator *allocator, an_error *err);
AN_API const an_lr_desc *an_lr_text_desc(const an_lr_text *text);
AN_API void an_lr_text_free(an_lr_text *text);

/*
 * Writes `desc` as canonical text, as snprintf does: at most `size` bytes, always terminated when
 * size > 0; returns the length of the whole. Parameters that have their default are left out, so
 * that parsing the text gives `desc` back and printing that gives the text.
 */
AN_API size_t an_lr_print(char *buffer, size_t size, const an_lr_desc *desc);

/* --------------------------------------------------- the course of a schedule */

/*
 * What a description does not say of a schedule that was kept, landed or extended, as a call:
 *
 *   Course(steps=2000, epochs=20, extended=[[1100, 1100, 0.6]], landing=[1500, 70, 'sqrt', 0])
 *
 *   steps, epochs, seconds   the total_steps, epochs and seconds of the an_lr_run that it was made
 *                            with; left out where they are those of `run`
 *   extended                 of each an_lr_extend: since when, from where on the plan, how fast the
 *                            plan runs from there on; in steps, or under a budget in seconds
 *   landing                  of an_lr_land: since when on the plan, how long (70, 30s), the tail,
 *                            and the end as a part of the rate that it lands from
 *
 * Written as an_lr_print does; "" where there is nothing to say.
 */
AN_API size_t an_lr_course_print(char *buffer, size_t size, const an_lr_schedule *schedule,
                                 const an_lr_run *run);
/*
 * A schedule with such a course, from its beginning: make it with what an_lr_course_run puts into
 * the facts of its run, with room for edits, and have it take the rest. A landing begins at the
 * rate that the schedule has then. `source` is the text that `course` was parsed from; errors
 * (CONFIG) point into it, and leave a schedule that is only to be freed.
 */
AN_API bool an_lr_course_run(const an_spec_source *source, const an_spec_node *course,
                             an_lr_run *run, an_error *err);
AN_API bool an_lr_course_take(an_lr_schedule *schedule, const an_spec_source *source,
                              const an_spec_node *course, an_error *err);

/* -------------------------------------------------------- numbers in a file */

/*
 * A list of numbers may stand in a file, whose name follows an @: Table('@rates.csv'). The library
 * opens no file: who may do that has an_lr_expand put the numbers in the name's place, then parses.
 * What is printed and saved has the numbers, so that it holds after the file has changed.
 *
 * Such a file has one number a line, or what `anneal schedule table` prints: the steps 0, 1, 2, ...
 * with a number each, behind a comma, below a line that says step,NAME. The numbers are 0 or more;
 * there are up to AN_LR_FILE_NUMBERS of them.
 */
#define AN_LR_FILE_NUMBERS 262144

/* Reads the file `path` into `file`, with its name for errors, in memory that lasts as long as
 * `arena`. False with err. */
typedef bool an_lr_read_file(void *user, const char *path, an_arena *arena, an_spec_source *file,
                             an_error *err);

/*
 * In `out` the text of `source` with the numbers in place of each '@FILE'; the source itself if
 * there is none. What is new is in `arena`; errors in `out` point into the source, which must live
 * as long. False with err: CONFIG at what is no text of the grammar, DATA at the file and line of
 * what is no such list, or what `read` says.
 */
AN_API bool an_lr_expand(const an_spec_source *source, an_lr_read_file *read, void *user,
                         an_arena *arena, an_spec_source *out, an_error *err);

/* The numbers of such a file, in `arena`. NULL with err: DATA at the file and line, MEMORY. */
AN_API double *an_lr_file_numbers(const an_spec_source *file, size_t *count, an_arena *arena,
                                  an_error *err);

/* ------------------------------------------------------------------- state */

/*
 * The schedule's state (anneal/lr.h) as a JSON object, for people and other programs to read:
 *
 *   {"anneal_lr_state": 1, "schedule": "StepLR(step_size=30)", "step": 40,
 *    "groups": [{"base_rates": [0.1],
 *                "lr": {"value": 0.010000000000000002, "initial": 0.1},
 *                "momentum": {"value": 0.9}}]}
 *
 * Every double has the digits that read back as the same double; those that JSON has no number for
 * are the strings "inf", "-inf" and "nan". `base_rates` has one for each schedule of the
 * description, the outermost first, each before its children. A ReduceLROnPlateau adds
 * "plateau": {"best": "inf", "bad_steps": 0, "cooldown_left": 0}.
 *
 * What a PyTorch schedule alone does not have makes it version 2, each only where there is any:
 *
 *   "run": {"total_steps": 1000}          what was known of the run
 *   "clock": {"seconds": 12.5}            where it stands beside the step
 *   "feedback": [{"of": "Greedy", "best": 0.5, "good_steps": 0, ...}]
 *                                         what feedback remembers, the outermost first
 *   "edits": [[100, 100, 0.5]]            of an_lr_extend: since when, from where, how fast
 *   "landing": {"tail": "cosine", "length": 20, "unit": "s", "begin": 12.5, "end": 0}
 *
 * Both versions are read. Returns the length of the whole, as an_lr_print does.
 */
AN_API size_t an_lr_state_print(char *buffer, size_t size, const an_lr_schedule *schedule);

/*
 * Loads such an object, as an_lr_state_load loads bytes. Keys may come in any order; an unknown
 * key, one that is missing or comes twice, a value of the wrong type, a count that is not exactly
 * an integer from 0 to 2^53 and a number beyond the largest double are refused (DATA), with the
 * line, the column and the path of what is wrong ("groups[1].lr.value"); another version is refused
 * before all of these, with its number. `allocator` (for the
 * reading only) and `changes` may be NULL.
 */
AN_API bool an_lr_state_parse(an_lr_schedule *schedule, const char *text, size_t length,
                              an_lr_policy policy, an_lr_changes *changes,
                              const an_allocator *allocator, an_error *err);

/*
 * The description that a state was saved with, bytes or JSON: make the schedule from it to keep the
 * saved parameters, then load the state. NULL with err (DATA) when it is not a state, and (STATE)
 * when it holds a function of the host's, which no text can bring back.
 */
AN_API an_lr_text *an_lr_state_desc(const void *state, size_t size, const an_allocator *allocator,
                                    an_error *err);

/* ------------------------------------------------------------------ import */

/*
 * A schedule as the configurations of other systems have it: a call, as an_lr_parse_text reads it,
 * or a JSON object (RFC 8259), which is one of these:
 *
 *   Keras         {"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, ...}}
 *   DeepSpeed     {"type": "WarmupLR", "params": {"warmup_num_steps": 100, ...}}
 *   transformers  {"name": "cosine", "num_warmup_steps": 10, "num_training_steps": 100,
 *                  "scheduler_specific_kwargs": {...}}, what get_scheduler takes; or
 *                 {"lr_scheduler_type": "cosine", "warmup_steps": 10, "max_steps": 100, ...}, what
 *                 TrainingArguments save; without max_steps the run's total_steps
 *   timm          {"sched": "cosine", "epochs": 300, "warmup_epochs": 5, ...}, its scripts' options
 *   Composer      {"name": "cosine_with_warmup", "t_warmup": "100ba", ...}
 *   mmengine      {"type": "LinearLR", "start_factor": 0.1, "by_epoch": true, "end": 5, ...}, with
 *                 by_epoch, since its names are PyTorch's
 *   any           {"_target_": "optax.cosine_decay_schedule", "init_value": 0.1, ...}; "name" or
 *                 "type" do the same: the other keys are the call's arguments
 *
 * or an object with one of these under the key "scheduler" or "lr_scheduler", such as DeepSpeed's
 * whole configuration, whose other keys are not looked at. An argument may be such an object too.
 *
 * The text is what an_lr_print writes of it, with the system's conventions. NULL with err: DATA at
 * the place for what is no JSON or no schedule, CONFIG for the call that it stands for.
 */
AN_API an_lr_text *an_lr_import(const char *text, size_t length, const an_lr_run *run,
                                const an_allocator *allocator, an_error *err);

/* ----------------------------------------------------------------- explain */

/*
 * How a part of an_lr_trace made its rate of its base and its time, as a formula with the numbers
 * put in: "0.1 * (1 + (0 - 1) * 35 / 95)", in Python's notation. Of a schedule that has others in
 * it, what it does with their rates, in words. Written as snprintf does.
 */
AN_API size_t an_lr_formula(char *buffer, size_t size, const an_lr_part *part);

/* -------------------------------------------------------------------- lint */

/*
 * What in a schedule is probably not meant: X(constant, name in text, what it says). All but the
 * last two are about the learning rate, of every group.
 */
#define AN_LINT_MAP(X)                                                                        \
    X(AN_LINT_FIRST_ZERO, first_zero, "the first update has a rate of 0")                     \
    X(AN_LINT_NOT_REACHED, not_reached, "an end or a milestone is not reached")               \
    X(AN_LINT_LONG_WARMUP, long_warmup, "the warm-up is longer than the run")                 \
    X(AN_LINT_RISES, rises, "the rate rises again after its end")                             \
    X(AN_LINT_ZERO_TAIL, zero_tail, "the rate is 0 long before the end of the run")           \
    X(AN_LINT_NEGATIVE, negative, "the rate becomes negative")                                \
    X(AN_LINT_NOT_FINITE, not_finite, "the rate becomes infinite or NaN")                     \
    X(AN_LINT_JUMP, jump, "the rate jumps where one schedule hands over to the next")         \
    X(AN_LINT_LATE_RESTART, late_restart, "a restart in the last steps of the run")           \
    X(AN_LINT_UNIT, unit, "lengths that count epochs are stepped per update, or the reverse") \
    X(AN_LINT_TOTAL_STEPS, total_steps, "total_steps is not the length of the run")           \
    X(AN_LINT_OVERWRITES, overwrites, "the optimizer's own lr or momentum is not used")       \
    X(AN_LINT_NO_EFFECT, no_effect, "the schedule changes nothing")

typedef enum an_lint_kind {
#define AN_LINT_ENUM(constant, name, text) constant,
    AN_LINT_MAP(AN_LINT_ENUM)
#undef AN_LINT_ENUM
        AN_LINT_COUNT
} an_lint_kind;

/*
 * One finding: the parameter that it is about, by its path ("schedulers[1].T_max"; "" when it is
 * the schedule as a whole); the step at which it shows; a sentence; and the whole schedule as it
 * was probably meant, which parses and has this finding no more (NULL when there is no such text,
 * since a function of the host's is in it). `after_run`: it shows only when the run goes on beyond
 * its planned length; such a finding is a remark, not a warning. `group`: the first group in which
 * it shows, and `text` names all of them; -1: in every group.
 */
typedef struct an_lint_finding {
    an_lint_kind kind;
    bool after_run;
    int64_t step, group;
    const char *param, *text, *fix;
} an_lint_finding;

/*
 * What is known of the training. `run` as for an_lr_new_run; its total_steps, how often the
 * schedule is stepped, is required. With `per_epoch` each of these steps is an epoch, otherwise an
 * update. `updates_per_epoch` 0 and `optimizer` (its name) NULL: not known. `groups` as for
 * an_lr_new, as they are before the schedule is made; they are not touched. A group without a
 * present lr has 0.1, and it is not asked whether the optimizer's own is used. NULL: as many such
 * groups as the schedule has values for.
 */
typedef struct an_lint_options {
    an_lr_run run;
    int64_t steps; /* of its plan that the run goes through, if not run.total_steps; 0: these */
    bool per_epoch;
    int64_t updates_per_epoch;
    an_lr_group *const *groups;
    size_t group_count;
    const char *optimizer;
} an_lint_options;

typedef struct an_lint an_lint;

/*
 * Looks `desc` through. NULL with err (ARGUMENT, MEMORY) when no schedule can be made of it, or
 * total_steps is not above 0. A step of the run is looked at as an_lr_at has it; what follows from
 * feedback, and from a clock that steps do not tell, cannot be foreseen and is left out.
 */
AN_API an_lint *an_lint_new(const an_lr_desc *desc, const an_lint_options *options,
                            const an_allocator *allocator, an_error *err);
AN_API size_t an_lint_count(const an_lint *lint);
/* Finding `index`, in the order of AN_LINT_MAP; it lives as long as `lint`. */
AN_API const an_lint_finding *an_lint_get(const an_lint *lint, size_t index);
AN_API void an_lint_free(an_lint *lint);
/* "first_zero", ... */
AN_API const char *an_lint_name(an_lint_kind kind);

/* The names of all schedules, NULL at the end. */
AN_API const char *const *an_lr_names(void);

/* --------------------------------------------- the names of other systems */

/*
 * A schedule under the name that another system has for it: everything that reads schedules reads
 * such calls too, get_cosine_schedule_with_warmup(100, 1000) or optax.cosine_decay_schedule(0.1,
 * 1000), and an_lr_print writes what they stand for. Where several systems have the name, the call
 * must begin with the system's: keras.ExponentialDecay(...).
 *
 * `signature` has the system's parameters and defaults, `form` the text with holes for them
 * (src/lr/alias.h), `source` where the system defines it.
 */
typedef struct an_lr_alias {
    const char *name, *system, *signature, *form, *source;
} an_lr_alias;

/* All of them, ordered by systems. */
AN_API const an_lr_alias *an_lr_aliases(size_t *count);

#ifdef __cplusplus
}
#endif
#endif
