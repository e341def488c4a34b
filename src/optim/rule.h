/*
 * The optimizer object, and the rules that make it SGD or Adam. A rule is a row of a table
 * (rule.c): its name, its options, what state it needs, how it updates a run.
 */
#ifndef AN_OPTIM_RULE_H
#define AN_OPTIM_RULE_H

#include "optim/option.h"
#include "optim/run.h"

/* The most state vectors that a rule has, and the most entries of a state table. */
#define AN_MAX_VECTORS 3
#define AN_MAX_STATES (AN_MAX_VECTORS + 2)

/*
 * A parameter group. The values that a schedule may drive are in `slots`; `options` has the values
 * at construction, of which those without a slot stay in force.
 */
typedef struct an_group {
    an_lr_group slots;
    an_options options;
    const char *pattern; /* NULL: the parameters that no pattern named */
} an_group;

typedef struct an_rule {
    const char *name;
    const an_option *options;
    size_t option_count;
    /* Updates are not the same at every step: parameters of different `steps` need runs of their
     * own. Otherwise only a parameter's first update differs from the later ones. */
    bool timed;
    /* NULL, or checks what no single range can: false with the reason in `message`. */
    bool (*check)(const an_options *options, char *message, size_t size);
    /* How many state vectors the options ask for, and what they are called. */
    int (*vectors)(const an_options *options);
    const char *vector_names[AN_MAX_VECTORS];
    /* NULL, or whether zeros in the alignment gaps stay zeros under these options. */
    bool (*keeps_gaps)(const an_options *options);
    /* Updates a run from its group's present options; false if that does not count as a step. */
    bool (*update)(an_optim *optim, const an_run *run, const an_options *options);
} an_rule;

/* Every optimizer, in the order of an_optim_names. */
#define AN_RULE_MAP(X) \
    X(SGD)             \
    X(Adam)            \
    X(AdamW)

#define AN_RULE_DECLARE(name) extern const an_rule an__rule_##name;
AN_RULE_MAP(AN_RULE_DECLARE)
#undef AN_RULE_DECLARE

struct an_optim {
    an_params *params;
    const an_rule *rule;
    an_arena arena;      /* everything below */
    an_group **group;    /* group_count, each where it was made */
    an_lr_group **slots; /* their slots, as the public functions hand them out */
    size_t group_count, group_capacity;
    size_t *group_of; /* of each parameter */
    int64_t *steps;   /* of each parameter: updates that its state has seen */
    int vector_count;
    float *vector[AN_MAX_VECTORS]; /* the state: flat, laid out as the parameters */
    int64_t step_count;
    an_optim_state state[AN_MAX_STATES]; /* where all of it is, for an_optim_state_get */
    size_t state_count;
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
/* The options of group `index` with the present values of its slots. */
an_options an__group_options(const an_optim *optim, size_t index);
/* Whether `name` fits `pattern`: * is any text, ? any one byte. */
bool an__name_matches(const char *pattern, const char *name);
/* The rule called `name`, or NULL. */
const an_rule *an__rule_find(const char *name);
/* The optimizer as text, from its plans. Returns the length, as an_format does. */
size_t an__optim_print(const an_rule *rule, const an_options *base, const an_group_plan *plans,
                       size_t plan_count, char *buffer, size_t size);

/* Floats that one thread takes at least: several microseconds of work. */
#define AN_UPDATE_GRAIN 8192

#endif
