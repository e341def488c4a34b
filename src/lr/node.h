/*
 * node.h - what a schedule is inside: a tree of nodes, and a record per group.
 *
 * A description is copied into a tree of nodes. Each kind has a class: a few pure functions. There
 * are two sorts of kinds:
 *
 *   PyTorch's     count whole steps e, and move from the rate they find to the next (`next`), since
 *                 that is how PyTorch's numbers come about. Their closed form is `value`.
 *   Anneal's own  are functions (time, base rate) -> rate, and nothing else: `rate`. Time is real
 *                 and may be counted in several units at once.
 *
 * Each sort can stand inside the other: an own node gives a counting parent its rate at whole
 * steps, a counting node gives an own parent its closed form at the step rounded down.
 *
 * Nothing else moves: the whole state of a schedule is one clock, the base rates, the memory of its
 * feedback nodes, and what an_lr_land and an_lr_extend have changed. That is what lets the same
 * functions step, answer `at`, and replay.
 *
 * Three ways for a counting node to meet step 0, because PyTorch has three:
 *   start    its constructor, on the rate that it finds in the group
 *   restart  its turn as a later child of SequentialLR, which forces it to epoch 0
 *   value    the closed form at 0
 *
 * How to add a kind of Anneal's own
 *   1. include/anneal/lr_desc.h: its struct, a row at the end of AN_LR_KIND_MAP, a member of
 *      an_lr_desc. An alternating parameter is an an_lr_value, a length an an_lr_length.
 *   2. table.c: its parameters, with defaults and ranges. `length` first among the lengths; it is
 *      the node's length, and what it is when it is left out comes by itself (unit.c).
 *   3. a source: `rate`, from an__lr_part (p) and an__lr_param (parameters), and the class.
 * The checks, the parser, the printer, the state, the command line and the property tests follow.
 */
#ifndef ANNEAL_LR_NODE_H
#define ANNEAL_LR_NODE_H

#include "lr/numeric.h"
#include <anneal/lr.h>
#include <math.h>
#include <stddef.h>

/* Limits of a description, so that no input can exhaust the stack or the address space. */
#define AN__LR_MAX_DEPTH 32
#define AN__LR_MAX_NODES 1024
#define AN__LR_MAX_LIST ((size_t)1 << 24)
#define AN__LR_MAX_GROUPS ((size_t)4096)
#define AN__LR_MAX_TRACKS 64

typedef struct an__lr_node an__lr_node;
typedef struct an__lr_tracer an__lr_tracer;

/* The units that a clock has: all but AN_RUNS. */
#define AN__LR_CLOCKS AN_RUNS

/* Time on some node's clock, in each unit. */
typedef struct an__lr_time {
    double at[AN__LR_CLOCKS];
} an__lr_time;

/* Who is told of every node that has a part in a value. */
struct an__lr_tracer {
    void (*visit)(const an__lr_tracer *tracer, const an__lr_node *node, const an__lr_time *t,
                  double base, double rate);
    an_lr_visit user_visit; /* the user's own, and what it is called with */
    void *user;
};

/*
 * A length that the run's facts have turned: into steps where they can. Infinite: it never ends.
 * The unit is AN_UNIT_COUNT, and the value a NaN, where several units mix.
 */
typedef struct an__lr_span {
    double value;
    an_lr_unit unit;
} an__lr_span;

/*
 * One group under a schedule: the group, its number, and the base rate that each node has for it.
 * Where a node of Anneal's own asks a counting child, `given` is the base rate instead; else NaN.
 */
typedef struct an__lr_member {
    an_lr_group *group;
    size_t index;
    double *base;
    double given;
    double from;      /* the rate that a landing began at; a NaN: its time has not come */
    uint64_t covered; /* a bit for each track that drives its slot */
    const an__lr_tracer *tracer; /* of an_lr_trace, or NULL */
} an__lr_member;

/* How a node's rate at a step depends on the rate before. */
typedef enum an__lr_form {
    AN__MULTIPLIES, /* the rate is the base times a factor of e, and chains are products */
    AN__ABSOLUTE,   /* ignores the rate that it finds */
    AN__DEPENDS     /* neither */
} an__lr_form;

/*
 * What a function of the step was at e - 1 and at e, so that the next step finds half of what it
 * needs. It follows from e alone, so no state holds it. `e` is AN__LR_NO_STEP before the first.
 */
typedef struct an__lr_memo {
    int64_t e;
    double before, now;
} an__lr_memo;

#define AN__LR_NO_STEP (-2)

/* What feedback does. `memory` is the node's; all of it is saved, so integers are doubles too. */
typedef struct an__lr_feedback {
    size_t (*room)(const an_lr_desc *desc); /* how many doubles it needs */
    size_t aside;                           /* and after these, which are not saved */
    void (*reset)(const an__lr_node *node);
    /* One step in which it is the node's turn, with what was seen. True: the rate is another. */
    bool (*observe)(const an__lr_node *node, const an_lr_input *input);
    /* Makes what a state has brought safe to go on with; NULL: anything is. */
    void (*mend)(const an__lr_node *node);
    /* The names of the first doubles in the JSON form of a state, NULL at the end; further ones are
     * a list. */
    const char *const *names;
} an__lr_feedback;

/* Whether it is a child's turn. */
typedef enum an__lr_turn { AN__NOW, AN__OVER, AN__COMING } an__lr_turn;

/* What every kind does. `m` is the group's record; e >= 1 in `next`, e >= 0 in the closed forms. */
typedef struct an__lr_class {
    /* PyTorch's kinds; for Anneal's own an__lr_start_value and an__lr_next_value. */
    double (*start)(const an__lr_node *node, const an__lr_member *m, double lr);
    double (*next)(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr);
    /* The same bits sooner, for the outermost node of a schedule that is stepped; NULL: `next`. */
    double (*step)(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr,
                   an__lr_memo *memo);
    /* NULL: `value` at 0. */
    double (*restart)(const an__lr_node *node, const an__lr_member *m, double lr);
    /* The closed form over the base rate; NULL: it is not a plain factor. */
    double (*factor)(const an__lr_node *node, size_t group, int64_t e);
    /* The rate at step e when nobody edits it. NULL: `rate`, or else base * factor. */
    double (*value)(const an__lr_node *node, const an__lr_member *m, int64_t e);
    /* Sets *momentum and returns true if the leaf drives it; NULL: it never does. `memo` is what
     * `step` left, or NULL. */
    bool (*momentum)(const an__lr_node *node, size_t group, int64_t e, const an__lr_memo *memo,
                     double *momentum);

    /* Anneal's own kinds. The rate at time t >= 0, which after_end has brought into the length. */
    double (*rate)(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                   double base);
    /* The time on the clock of a child; when its turn is over, the time it had then. NULL: the
     * same, and always its turn. */
    an__lr_turn (*local)(const an__lr_node *node, size_t child, const an__lr_time *t,
                         an__lr_time *local);
    /* When the node has arrived, children before it known. NULL: spans[0] of a leaf that has a
     * length, the latest child of a composite. */
    an__lr_span (*length)(const an__lr_node *node);
    /* How long the child may be at most, for children that do not say it. NULL: as long as the
     * node. */
    an__lr_span (*leave)(const an__lr_node *node, size_t child, an__lr_span available);
    const an__lr_feedback *feedback; /* NULL: the kind has none */
} an__lr_class;

struct an__lr_node {
    const an__lr_class *class;
    const an__lr_class *inner; /* the kind's class, where after_end has put another before it */
    an_lr_desc desc;           /* lists and children point into the schedule's memory */
    size_t index;              /* of its base rate in an__lr_member */
    an__lr_form form;
    int64_t product_until; /* the last step at which a node that multiplies is a plain factor */
    bool later;            /* a later child of a SequentialLR */
    bool own_base;         /* its base rate comes from its parameters, whatever it is given */
    bool observes;         /* feedback is in it */
    bool acted;            /* feedback has moved the rate in this step */
    an__lr_span length;    /* when it has arrived */
    an__lr_span *spans;    /* its lengths, in the table's order */
    double *memory;        /* of feedback, and of hand-offs between units */
    size_t memory_count;
    an__lr_node **children; /* as an_lr_child counts them: first those that it composes */
    size_t child_count;     /* of those that it composes */
    size_t value_count;     /* parameters that are schedules come after */
};

extern const an__lr_class an__lr_step_class, an__lr_multi_step_class, an__lr_constant_class,
    an__lr_linear_class, an__lr_exponential_class, an__lr_polynomial_class, an__lr_cosine_class,
    an__lr_restarts_class, an__lr_cyclic_class, an__lr_one_cycle_class, an__lr_lambda_class,
    an__lr_multiplicative_class, an__lr_swa_class, an__lr_sequential_class, an__lr_chained_class,
    an__lr_plateau_class, an__lr_flat_class, an__lr_line_class, an__lr_half_wave_class,
    an__lr_interpolate_class, an__lr_sequence_class, an__lr_product_class, an__lr_sum_class,
    an__lr_min_class, an__lr_max_class, an__lr_clamp_class, an__lr_scale_class, an__lr_shift_class,
    an__lr_loop_class, an__lr_reverse_class, an__lr_stretch_class, an__lr_slope_class,
    an__lr_greedy_class, an__lr_spike_class, an__lr_drive_class, an__lr_together_class,
    an__lr_ended_class;
extern const an__lr_class an__lr_decay_class, an__lr_geometric_class, an__lr_power_of_class,
    an__lr_inverse_class, an__lr_sigmoid_class, an__lr_table_class, an__lr_chebyshev_class,
    an__lr_radam_class, an__lr_again_class, an__lr_stairs_class, an__lr_own_base_class;

/* A schedule that drives one slot. `groups` NULL: of all groups that have it. */
typedef struct an__lr_track {
    an__lr_node *root;
    an_slot_id slot;
    unsigned bit; /* of an__lr_member.covered */
    const char *name;
    const an_lr_integers *groups;
    double base;          /* instead of the slot's value; a NaN: that */
    bool drives_momentum; /* beside the learning rate */
    bool holds_momentum;  /* it follows from the time, since a node of Anneal's own is there */
    an__lr_memo memo;
} an__lr_track;

/* What an_lr_extend has changed: from `begin` on the plan runs at `speed`. */
typedef struct an__lr_edit {
    double begin, plan, speed;
} an__lr_edit;

typedef struct an__lr_landing {
    bool active;
    an_lr_tail tail;
    an__lr_span length;
    double begin, end;
} an__lr_landing;

struct an_lr_schedule {
    an__lr_node *root;
    an__lr_track *tracks;
    size_t track_count, node_count, member_count, capacity;
    unsigned char *members; /* `capacity` records of `stride` bytes */
    size_t stride;
    an__lr_time now;
    bool plain;        /* one tree, a plateau or without feedback, on the steps, that never ends */
    bool counts_clock; /* some length is not in steps */
    bool may_end;      /* some after_end is an error */
    bool ended;
    int edit_count;
    an__lr_edit *edits;      /* run.edits of them */
    an__lr_landing *landing; /* NULL without edits */
    an_lr_run run;
    an_allocator allocator; /* of an_lr_new; `size` bytes, 0 when the memory is the caller's */
    size_t size;
};

static inline an__lr_member *an__lr_member_at(const an_lr_schedule *s, size_t index)
{
    return (an__lr_member *)(void *)(s->members + index * s->stride);
}

static inline double an__lr_base(const an__lr_node *node, const an__lr_member *m)
{
    return isnan(m->given) || node->own_base ? m->base[node->index] : m->given;
}

/* The node of a description that stands in a schedule. */
static inline const an__lr_node *an__lr_node_of(const an_lr_desc *desc)
{
    return (const an__lr_node *)(const void *)((const unsigned char *)desc -
                                               offsetof(an__lr_node, desc));
}

/* A parameter's value for a group. */
static inline double an__lr_real(const an_lr_reals *reals, size_t group)
{
    return reals->count > 0 ? reals->each[group] : reals->value;
}

/* The whole steps in a time, up to the largest that a double counts. */
static inline int64_t an__lr_whole(double steps)
{
    if (steps >= AN__LR_INTEGER_MAX)
        return (int64_t)AN__LR_INTEGER_MAX;
    return steps >= 0 ? (int64_t)steps : 0;
}

/*
 * node.c: the rate of any node at time `t` on its clock from the base rate `base`, with what
 * after_end says.
 */
double an__lr_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                   double base);

/* A parameter's value at `t`. */
static inline double an__lr_param(const an_lr_value *value, const an__lr_member *m,
                                  const an__lr_time *t)
{
    return value->schedule ? an__lr_rate(an__lr_node_of(value->schedule), m, t, 1.0) : value->value;
}

/* The part of spans[0] that is done, 1 when that has no length. */
static inline double an__lr_part(const an__lr_node *node, const an__lr_time *t)
{
    double length = node->spans[0].value;
    return length > 0 ? t->at[node->spans[0].unit] / length : 1.0;
}

/* Whether the node, or what it composes, is past an end that is an error. */
bool an__lr_past_error(const an__lr_node *node, const an__lr_time *t);
/* Brings a time that is past the node's end to where after_end has it. */
void an__lr_bring(const an__lr_node *node, an__lr_time *t);
/* Moves a time to `to` in `unit`, the other units in proportion. */
void an__lr_move(an__lr_time *t, an_lr_unit unit, double to);

/*
 * unit.c: turns the lengths of the tree with the facts of `run`. A length that was left out is
 * `available`, which may be absent too (a NaN). Errs when a fact is missing.
 */
bool an__lr_resolve(an__lr_node *node, const an_lr_run *run, an__lr_span available, an_error *err);
/* Whether the tree has a length that is not in steps; an after_end that is an error. */
bool an__lr_counts_clock(const an__lr_node *node);
bool an__lr_may_end(const an__lr_node *node);
/* The whole run; absent when it is not known. */
an__lr_span an__lr_run_span(const an_lr_run *run);
/* How many steps one of `unit` has; 0 where that is not known, or not always the same. */
double an__lr_steps_of(const an_lr_run *run, an_lr_unit unit);
/* st, ep, ... */
const char *an__lr_unit_text(an_lr_unit unit);
/* How many lengths a description has. */
size_t an__lr_span_count(const an_lr_desc *desc);
/* The later of two moments; the moment after a beginning and a length. */
an__lr_span an__lr_later(an__lr_span a, an__lr_span b);
an__lr_span an__lr_after(an__lr_span begin, an__lr_span length);
/* What is left from a beginning to an end; absent if the units differ. */
an__lr_span an__lr_left(an__lr_span begin, an__lr_span end);

/* node.c: `value` and `restart` of any node, with the fallbacks that the class allows. */
double an__lr_value(const an__lr_node *node, const an__lr_member *m, int64_t e);
double an__lr_restart(const an__lr_node *node, const an__lr_member *m, double lr);
/* What a node that never looks at the rate does for start and next. */
double an__lr_start_value(const an__lr_node *node, const an__lr_member *m, double lr);
double an__lr_next_value(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr);
/* Moves the memo of `f` to e: from e - 1 it takes one call, from e none. */
void an__lr_remember(an__lr_memo *memo, const an__lr_node *node, int64_t e,
                     double (*f)(const an__lr_node *node, int64_t e));
/* The start of nodes that leave the rate alone at step 0. */
double an__lr_start_same(const an__lr_node *node, const an__lr_member *m, double lr);

/* compose.c: sets `form` and `product_until` of a node whose children have theirs. */
void an__lr_classify(an__lr_node *node);
/* Whether `value` has to replay steps. */
bool an__lr_replays(const an__lr_node *node);
/* The child of a SequentialLR whose turn step e is, and the step at which its turn began. */
size_t an__lr_sequential_child(const an__lr_node *node, int64_t e, int64_t *began);
/* Whether `desc` throws away the rate that it finds, so that no chain may have it after another. */
bool an__lr_erases(const an_lr_desc *desc);
/* The list of children that a description has, or NULL. */
const an_lr_children *an__lr_children_of(const an_lr_desc *desc);
/* Where the description of an_lr_child stands within `desc`; NULL when there are not so many. */
const an_lr_desc **an__lr_child_place(const an_lr_desc *desc, size_t index);
/* How many of the children are composed, not parameters. */
size_t an__lr_composed(const an_lr_desc *desc);
/* The description that composites of one child around it stand for. */
const an_lr_desc *an__lr_unwrap(const an_lr_desc *desc);

/*
 * momentum.c: the momentum that the tree writes at time t; false if it writes none then. With
 * `hold`, what the last child of a SequentialLR that wrote one has left counts too; in a Sequence
 * it always counts.
 */
bool an__lr_momentum(const an__lr_node *node, size_t group, const an__lr_time *t, bool hold,
                     double *momentum);

/* Whether any leaf drives momentum; whether any parameter is a list with one value per group. */
bool an__lr_has_momentum(const an__lr_node *node);
/* Whether any node is a function of the time. */
bool an__lr_has_rate(const an__lr_node *node);
bool an__lr_has_lists(const an__lr_node *node);

/* build.c: the class of a kind; how many doubles a node remembers: feedback, and hand-offs where
 * the run has a clock. */
const an__lr_class *an__lr_class_of(an_lr_kind kind);
size_t an__lr_memory_of(const an_lr_desc *desc, const an_lr_run *run);

/* The slot that a driven momentum goes to: momentum, or else beta1, or else none. */
static inline an_slot *an__lr_momentum_slot(an_lr_group *group)
{
    if (group->slot[AN_MOMENTUM].present)
        return &group->slot[AN_MOMENTUM];
    return group->slot[AN_BETA1].present ? &group->slot[AN_BETA1] : NULL;
}

/* drive.c: how many tracks a description has; making them. */
size_t an__lr_track_count(const an_lr_desc *desc);
bool an__lr_make_tracks(an_lr_schedule *schedule, an_lr_group *const *groups, size_t count,
                        an_error *err);
/* The tracks of a group that comes under the schedule, as bits. */
uint64_t an__lr_tracks_of(const an_lr_schedule *schedule, const an_lr_group *group, size_t index);

/* Whether a track drives its slot in a group. */
static inline bool an__lr_covers(const an__lr_track *track, const an__lr_member *m)
{
    return m->covered >> track->bit & 1;
}

/* schedule.c: writes the momentum that is driven beside rates at time `t`. */
void an__lr_write_start(const an_lr_schedule *schedule, an__lr_member *m, const an__lr_time *t,
                        bool hold);
/* Writes once more what follows from the time alone. */
void an__lr_rewrite(an_lr_schedule *schedule);
/* at.c: writes the values of now into the slots; an_lr_at_clock with a tracer. */
void an__lr_write_values(an_lr_schedule *schedule);
double an__lr_ask(const an_lr_schedule *schedule, size_t group, an_slot_id id,
                  const an_lr_clock *clock, const an__lr_tracer *tracer);

/* clock.c: the time on the plan, now and at a clock; whether a clock is one. */
an__lr_time an__lr_plan_now(const an_lr_schedule *schedule);
an__lr_time an__lr_plan(const an_lr_schedule *schedule, const an_lr_clock *clock);
bool an__lr_is_clock(const an_lr_clock *clock);
void an__lr_set_clock(an_lr_schedule *schedule, const an_lr_clock *clock);
/* The unit that drives the plan, what an_lr_extend has made of a time on it, and whether the plan's
 * steps are stretched over a budget of seconds. */
an_lr_unit an__lr_driver(const an_lr_schedule *schedule);
double an__lr_edited(const an_lr_schedule *schedule, double x);
bool an__lr_is_budget(const an_lr_schedule *schedule);

/*
 * landing.c: the rate while the schedule lands; false also where it is not known yet what from,
 * which is a NaN in `from`. The part of that which is left at time `t`; false before a landing.
 * What it lands from is the group's rate, where its time has come.
 */
bool an__lr_landed(const an_lr_schedule *schedule, const an__lr_member *m, const an__lr_time *t,
                   double *rate);
bool an__lr_landing_at(const an_lr_schedule *schedule, const an__lr_time *t, double *share);
void an__lr_begin_landing(const an_lr_schedule *schedule, an__lr_member *m, const an__lr_time *t);

/* feedback.c: gives the feedback whose turn it is what was seen; remembers hand-offs. */
void an__lr_observe(an__lr_node *node, const an__lr_time *t, const an_lr_input *input);
void an__lr_record(an__lr_node *node, const an__lr_time *t);
/* sequence.c: remembers when the children's turns came, by the time `t`. */
void an__lr_hand_over(const an__lr_node *node, const an__lr_time *t);

/* plateau.c: whether a metric is better than the best. */
bool an__lr_better(an_plateau_mode mode, an_threshold_mode threshold_mode, double threshold,
                   double metric, double best);
/* slope.c: the normal distribution function. */
double an__lr_normal(double z);
/* spike.c: whether a guard asks for a rollback; what it remembers, over a rollback. */
bool an__lr_spike_asks(const an__lr_node *guard);
void an__lr_spike_put_aside(const an__lr_node *guard);
void an__lr_spike_take_up(const an__lr_node *guard);

/*
 * check.c: one parameter of a description, whose lists must have `groups` values (0: any number);
 * and what the parameters of one description (without its children's own) must be together. The
 * second names the parameter to blame in *blame.
 */
bool an__lr_check_param(const an_lr_desc *desc, const an_lr_param *param, size_t groups,
                        an_error *err);
bool an__lr_check_rules(const an_lr_desc *desc, const char **blame, an_error *err);

/* check_own.c: the same rules for Anneal's own kinds; and what a Product's children must be. */
bool an__lr_check_own(const an_lr_desc *desc, const char **blame, an_error *err);
bool an__lr_check_product(const an_lr_product *product, an_error *err);
/* Whether `child` may stand within `desc`: Together at the top, Drive there or in Together. */
bool an__lr_check_place(const an_lr_desc *desc, const an_lr_desc *child, an_error *err);

/* table.c: the value of a choice, whose enum may have any size. */
int an__lr_choice(const an_lr_desc *desc, const an_lr_param *param);
void an__lr_choice_set(an_lr_desc *desc, const an_lr_param *param, int value);
/* The name of choice `index`, "?" if there is none. */
const char *an__lr_choice_name(const an_lr_param *param, uint64_t index);
/* Whether the parameter has its default, so that a text may leave it out. */
bool an__lr_is_default(const an_lr_desc *desc, const an_lr_param *param);

#endif
