/*
 * node.h - what a schedule is inside: a tree of nodes, and a record per group.
 *
 * A description is copied into a tree of nodes. Each kind has a class: a few pure functions of the
 * step e and the present rate. Nothing else moves: the whole state of a schedule is one clock, the
 * base rates, and the memory of a plateau. That is what lets the same functions step, answer `at`,
 * and replay.
 *
 * Three ways for a node to meet step 0, because PyTorch has three:
 *   start    its constructor, on the rate that it finds in the group
 *   restart  its turn as a later child of SequentialLR, which forces it to epoch 0
 *   value    the closed form at 0
 */
#ifndef ANNEAL_LR_NODE_H
#define ANNEAL_LR_NODE_H

#include <anneal/lr.h>

/* Limits of a description, so that no input can exhaust the stack or the address space. */
#define AN__LR_MAX_DEPTH 32
#define AN__LR_MAX_NODES 1024
#define AN__LR_MAX_LIST ((size_t)1 << 24)
#define AN__LR_MAX_GROUPS ((size_t)4096)

typedef struct an__lr_node an__lr_node;

/* One group under a schedule: the group, its number, and the base rate that each node has for it.
 */
typedef struct an__lr_member {
    an_lr_group *group;
    size_t index;
    double base[];
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

/* What every kind does. `m` is the group's record; e >= 1 in `next`, e >= 0 in the closed forms. */
typedef struct an__lr_class {
    double (*start)(const an__lr_node *node, const an__lr_member *m, double lr);
    double (*next)(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr);
    /* The same bits sooner, for the outermost node of a schedule that is stepped; NULL: `next`. */
    double (*step)(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr,
                   an__lr_memo *memo);
    /* NULL: `value` at 0. */
    double (*restart)(const an__lr_node *node, const an__lr_member *m, double lr);
    /* The closed form over the base rate; NULL: it is not a plain factor. */
    double (*factor)(const an__lr_node *node, size_t group, int64_t e);
    /* The rate at step e when nobody edits it. NULL: base * factor. */
    double (*value)(const an__lr_node *node, const an__lr_member *m, int64_t e);
    /* Sets *momentum and returns true if the leaf drives it; NULL: it never does. `memo` is what
     * `step` left, or NULL. */
    bool (*momentum)(const an__lr_node *node, size_t group, int64_t e, const an__lr_memo *memo,
                     double *momentum);
} an__lr_class;

struct an__lr_node {
    const an__lr_class *class;
    an_lr_desc desc; /* lists and children point into the schedule's memory */
    size_t index;    /* of its base rate in an__lr_member */
    an__lr_form form;
    int64_t product_until; /* the last step at which a node that multiplies is a plain factor */
    bool later;            /* a later child of a SequentialLR */
    an__lr_node **children;
    size_t child_count;
};

extern const an__lr_class an__lr_step_class, an__lr_multi_step_class, an__lr_constant_class,
    an__lr_linear_class, an__lr_exponential_class, an__lr_polynomial_class, an__lr_cosine_class,
    an__lr_restarts_class, an__lr_cyclic_class, an__lr_one_cycle_class, an__lr_lambda_class,
    an__lr_multiplicative_class, an__lr_swa_class, an__lr_sequential_class, an__lr_chained_class,
    an__lr_plateau_class;

/* The memory of a plateau: PyTorch's best, num_bad_epochs, cooldown_counter. */
typedef struct an__lr_plateau {
    double best;
    int64_t bad, cooldown;
} an__lr_plateau;

struct an_lr_schedule {
    an__lr_node *root;
    size_t node_count, member_count, capacity;
    unsigned char *members; /* `capacity` records of `stride` bytes */
    size_t stride;
    int64_t clock;
    bool drives_momentum;
    an__lr_plateau plateau;
    an__lr_memo memo;
    an_allocator allocator; /* of an_lr_new; `size` bytes, 0 when the memory is the caller's */
    size_t size;
};

static inline an__lr_member *an__lr_member_at(const an_lr_schedule *s, size_t index)
{
    return (an__lr_member *)(void *)(s->members + index * s->stride);
}

static inline double an__lr_base(const an__lr_node *node, const an__lr_member *m)
{
    return m->base[node->index];
}

/* A parameter's value for a group. */
static inline double an__lr_real(const an_lr_reals *reals, size_t group)
{
    return reals->count > 0 ? reals->each[group] : reals->value;
}

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
/*
 * The momentum that the tree writes at step e; false if it writes none then. With `hold`, what the
 * last child that wrote one has left counts too.
 */
bool an__lr_momentum(const an__lr_node *node, size_t group, int64_t e, bool hold, double *momentum);
/* Whether `desc` throws away the rate that it finds, so that no chain may have it after another. */
bool an__lr_erases(const an_lr_desc *desc);
/* The children that a description has; NULL for a leaf. */
const an_lr_children *an__lr_children_of(const an_lr_desc *desc);
/* The description that composites of one child around it stand for. */
const an_lr_desc *an__lr_unwrap(const an_lr_desc *desc);

/* Whether any leaf drives momentum; whether any parameter is a list with one value per group. */
bool an__lr_has_momentum(const an__lr_node *node);
bool an__lr_has_lists(const an__lr_node *node);

/* build.c: the slot that a driven momentum goes to: momentum, or else beta1, or else none. */
an_slot *an__lr_momentum_slot(an_lr_group *group);

/* schedule.c: writes the momentum of step e, if the schedule drives one and the group has it. */
void an__lr_write_momentum(const an_lr_schedule *schedule, an__lr_member *m, int64_t e, bool hold);

/* plateau.c */
void an__lr_plateau_init(an_lr_schedule *schedule);
void an__lr_plateau_step(an_lr_schedule *schedule, double metric);

/*
 * check.c: one parameter of a description, whose lists must have `groups` values (0: any number);
 * and what the parameters of one description (without its children's own) must be together. The
 * second names the parameter to blame in *blame.
 */
bool an__lr_check_param(const an_lr_desc *desc, const an_lr_param *param, size_t groups,
                        an_error *err);
bool an__lr_check_rules(const an_lr_desc *desc, const char **blame, an_error *err);

/* table.c: the value of a choice, whose enum may have any size. */
int an__lr_choice(const an_lr_desc *desc, const an_lr_param *param);
void an__lr_choice_set(an_lr_desc *desc, const an_lr_param *param, int value);
/* The name of choice `index`, "?" if there is none. */
const char *an__lr_choice_name(const an_lr_param *param, uint64_t index);
/* Whether the parameter has its default, so that a text may leave it out. */
bool an__lr_is_default(const an_lr_desc *desc, const an_lr_param *param);

#endif
