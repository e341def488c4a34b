/*
 * The optimizer object, and the rules that make it SGD or Adam. A rule is a row of a table
 * (rule.c): its name, its options, what state it needs, how it updates.
 *
 * Most rules are one kernel: `prepare` says which and with which scalars, and the object passes
 * over each run once (update.c). Rules that look at all parameters, or at a whole tensor, before
 * they move anything have a `whole` step of their own.
 *
 * The room computes in an_real, which is float; tests compile it once more for double, and then
 * put vectors and kernels of their own into the object.
 */
#ifndef AN_OPTIM_RULE_H
#define AN_OPTIM_RULE_H

#include "optim/option.h"
#include "optim/run.h"
#include "tensor/kernels/update.h"

/* The most state vectors that a rule has, numbers of each parameter, and numbers of the whole. */
#define AN_MAX_VECTORS AN_UPDATE_VECTORS
#define AN_MAX_NUMBERS 2
#define AN_MAX_SCALARS 4
/* The most entries of a state table. */
#define AN_MAX_STATES 20

/*
 * A parameter group. The values that a schedule may drive are in `slots`; `options` has the values
 * at construction, of which those without a slot stay in force.
 */
typedef struct an_group {
    an_lr_group slots;
    an_options options;
} an_group;

/* The first n state vectors, and vector k alone, as a set for an_update. */
#define AN_FIRST(n) ((1u << (n)) - 1u)
#define AN_ONE(k) (1u << (k))

/* One pass over a run: a kernel, its scalars, and the set of state vectors that it is given. */
typedef struct an_update {
    an_update_id kernel;
    an_scalars scalars;
    unsigned vectors;
    bool uncounted; /* true: not a step of these parameters */
} an_update;

typedef struct an_mechanic an_mechanic;

typedef struct an_rule {
    const char *name;
    const an_option *options;
    size_t option_count;
    /* Updates are not the same at every step: parameters of different `steps` need runs of their
     * own. Otherwise only a parameter's first update differs from the later ones. */
    bool timed;
    bool by_tensor; /* each parameter is a run of its own */
    bool own_rate;  /* finds its rate, or is no plain step: no Mechanic around it */
    const char *vector_names[AN_MAX_VECTORS];
    const char *number_names[AN_MAX_NUMBERS]; /* of each parameter; NULL ends them */
    const char *scalar_names[AN_MAX_SCALARS]; /* of the whole; NULL ends them */
    /* NULL, or checks what no single range can: false with the reason in `message`. */
    bool (*check)(const an_options *options, char *message, size_t size);
    /* NULL (all of vector_names), or how many state vectors the options ask for. */
    int (*vectors)(const an_options *options);
    /* NULL, or whether zeros in the alignment gaps stay zeros under these options. */
    bool (*keeps_gaps)(const an_options *options);
    /* NULL, or whether the rule can work on these parameters in these groups. */
    bool (*fits)(const an_optim *optim, an_error *err);
    /* NULL, or makes what else the rule needs (`own`), and sets what does not begin at zero. */
    bool (*make)(an_optim *optim, an_error *err);
    /* NULL, or makes scratch for the parameters in their present groups; again after each change
     * of them. On failure the scratch is as it was. */
    bool (*reserve)(an_optim *optim, an_error *err);

    /* One of three: how a run is updated under its group's present options; */
    void (*prepare)(an_optim *optim, const an_param_run *run, const an_options *options,
                    an_update *out);
    /* a step of everything; it counts the steps itself (an__count_step); */
    void (*whole)(an_optim *optim);
    /* a step that evaluates the loss. */
    bool (*search)(an_optim *optim, an_closure closure, void *user, double *loss, an_error *err);

    /* NULL, or for an_optim_eval and an_optim_train: the momentum between the two faces. */
    double (*faces)(const an_options *options);
    /* NULL, or for an_optim_found. */
    double (*found)(const an_optim *optim);
} an_rule;

/* Every optimizer, in the order of an_optim_names. */
#define AN_RULE_MAP(X)   \
    X(SGD)               \
    X(Adam)              \
    X(AdamW)             \
    X(NAdam)             \
    X(RAdam)             \
    X(Adamax)            \
    X(Adagrad)           \
    X(Adadelta)          \
    X(RMSprop)           \
    X(Rprop)             \
    X(ASGD)              \
    X(Adafactor)         \
    X(Muon)              \
    X(Lion)              \
    X(LAMB)              \
    X(LBFGS)             \
    X(SGDScheduleFree)   \
    X(AdamWScheduleFree) \
    X(Prodigy)           \
    X(DAdaptSGD)         \
    X(DAdaptAdam)        \
    X(DoG)               \
    X(LDoG)

#define AN_RULE_DECLARE(name) extern const an_rule an__rule_##name;
AN_RULE_MAP(AN_RULE_DECLARE)
#undef AN_RULE_DECLARE

/* The rows of a table as two members of a rule. */
#define AN_RULE_OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof(table)[0]

/* The two public functions of a rule: AN_RULE_DOOR(sgd, an_sgd_options, SGD, sgd). */
#define AN_RULE_DOOR(prefix, type, rule, member)                                              \
    type an_##prefix##_defaults(void)                                                         \
    {                                                                                         \
        an_options options = {0};                                                             \
        an__options_default(an__rule_##rule.options, an__rule_##rule.option_count, &options); \
        return options.member;                                                                \
    }                                                                                         \
    an_optim *an_##prefix##_new(an_params *params, const type *options, an_error *err)        \
    {                                                                                         \
        an_options all = {.member = *options};                                                \
        return an__optim_from_options(params, &an__rule_##rule, &all, err);                   \
    }

struct an_optim {
    an_params *params;
    const an_rule *rule;
    const an_update_table *kernels;
    an_real *values; /* those of `params` */
    const an_real *grads;
    an_arena arena;      /* everything below */
    an_group **group;    /* group_count, each where it was made */
    an_lr_group **slots; /* their slots, as the public functions hand them out */
    size_t group_count, group_capacity;
    size_t *group_of; /* of each parameter */
    int64_t *steps;   /* of each parameter: updates that its state has seen */
    int vector_count;
    an_real *vector[AN_MAX_VECTORS]; /* the state: flat, laid out as the parameters */
    double *number[AN_MAX_NUMBERS];  /* one a parameter; parameters of a run agree in them */
    double scalar[AN_MAX_SCALARS];
    int64_t step_count;
    int64_t showing_average;             /* 1 between an_optim_eval and an_optim_train */
    void *own;                           /* what rule->make made */
    an_mechanic *mechanic;               /* NULL: none */
    an_optim_state state[AN_MAX_STATES]; /* where all of it is, for an_optim_state_get */
    size_t state_count;
    const char *complaint; /* why the last step was none */
    const char *text;
};

/* A group before the optimizer is made. */
typedef struct an_group_plan {
    an_options options;
    const char *pattern; /* lives as long as the call that makes the optimizer */
    size_t offset;       /* of the pattern in the text, for errors */
} an_group_plan;

/*
 * An optimizer of `rule`. The plans come in the order in which their patterns are tried; parameters
 * that none names form a last group with `base`. Ranges have been checked. `source` (NULL: none) is
 * where errors point.
 */
an_optim *an__optim_new(an_params *params, const an_rule *rule, const an_options *base,
                        const an_group_plan *plans, size_t plan_count, const an_spec_source *source,
                        an_error *err);
/* An optimizer from options given in C: checks them, and makes one group. */
an_optim *an__optim_from_options(an_params *params, const an_rule *rule, const an_options *options,
                                 an_error *err);
/* `count * size` zeroed bytes of the optimizer's arena, or NULL with err. */
void *an__optim_take(an_optim *optim, size_t count, size_t size, an_error *err);
/* Puts an entry into the state table. */
void an__optim_list(an_optim *optim, an_optim_state entry);
/* The options of group `index` with the present values of its slots. */
an_options an__group_options(const an_optim *optim, size_t index);
/* Whether `name` fits `pattern`: * is any text, ? any one byte. */
bool an__name_matches(const char *pattern, const char *name);
/* The rule called `name`, or NULL. */
const an_rule *an__rule_find(const char *name);
/* The optimizer as text, from its plans. Returns the length, as an_format does. */
size_t an__optim_print(const an_rule *rule, const an_options *base, const an_group_plan *plans,
                       size_t plan_count, char *buffer, size_t size);

/* ------------------------------------------------------------------ update.c */

/* Floats that one thread takes at least: several microseconds of work. */
#define AN_UPDATE_GRAIN 8192

/* The next run of parameters with gradients that can be updated in one pass. */
bool an__next_run(const an_optim *optim, an_param_run *run);
/* Whether a rule that divides by a root plus eps keeps zeros in the gaps: not by an eps of 0. */
static inline bool an__eps_keeps_gaps(double eps)
{
    return (an_real)eps > 0;
}
/* The parameters, gradients and the state vectors of the set `vectors` from float `begin` on. */
an_vectors an__vectors_at(const an_optim *optim, int64_t begin, unsigned vectors);
/* A pass of `kernel` over `count` values, on all threads. */
void an__update(const an_optim *optim, an_update_id kernel, const an_scalars *scalars,
                const an_vectors *vectors, int64_t count);
/* The same of a kernel that gives sums, which are added to; the order is that of the length alone.
 */
void an__update_sums(const an_optim *optim, an_update_id kernel, const an_scalars *scalars,
                     const an_vectors *vectors, int64_t count, double sums[AN_UPDATE_SUMS]);
/* Counts a step of the run's parameters. */
void an__count_step(an_optim *optim, const an_param_run *run);
/* One step of the rule, without Mechanic. */
void an__step(an_optim *optim);

/* ---------------------------------------------------------------- mechanic.c */

/* The name and the options of what is written around an optimizer. */
#define AN_MECHANIC "Mechanic"
extern const an_option an__mechanic_table[];
extern const size_t an__mechanic_options;
/* The step of an optimizer with Mechanic around it. */
void an__mechanic_step(an_optim *optim);
double an__mechanic_scale(const an_optim *optim);

#endif
