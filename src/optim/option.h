/*
 * The options of an optimizer, such as lr or betas: one table each (sgd.c, adam.c, ...) drives the
 * defaults, the checks, the reading and the printing of text, and which slot of a group holds them.
 */
#ifndef AN_OPTIM_OPTION_H
#define AN_OPTIM_OPTION_H

#include <anneal/optim.h>

typedef enum an_option_kind {
    AN_OPTION_NUMBER,  /* a double */
    AN_OPTION_PAIR,    /* two doubles, one after the other: betas=(0.9, 0.999) */
    AN_OPTION_TRIPLE,  /* three */
    AN_OPTION_INTEGER, /* an int64_t */
    AN_OPTION_CHOICE,  /* an int, the index of one of `choices`, written as a string */
    AN_OPTION_FLAG,    /* a bool */
    AN_OPTION_IGNORED  /* read and forgotten: what chooses between PyTorch's implementations */
} an_option_kind;

typedef enum an_option_range {
    AN_RANGE_FINITE,       /* any finite number */
    AN_RANGE_NOT_NEGATIVE, /* finite, at least 0 */
    AN_RANGE_NOT_POSITIVE, /* finite, at most 0 */
    AN_RANGE_POSITIVE,     /* finite, above 0 */
    AN_RANGE_FRACTION,     /* at least 0 and below 1 */
    AN_RANGE_OPEN,         /* above 0 and below 1 */
    AN_RANGE_UNIT,         /* from 0 to 1 */
    AN_RANGE_FROM_ONE,     /* finite, at least 1 */
    AN_RANGE_GROWTH        /* at least 1, infinity too */
} an_option_range;

#define AN_NO_SLOT (-1)

/* One row of a table. The value lies at `offset` of the optimizer's option struct. */
typedef struct an_option {
    const char *name;
    size_t offset;
    double initial[3]; /* the default; of a flag 0 or 1 */
    /* Of a choice: the names, ended by NULL. None is the first, which may have no name (""). */
    const char *const *choices;
    an_option_kind kind;
    an_option_range range;
    int slot;  /* the an_slot_id that holds the (first) number, or AN_NO_SLOT */
    bool none; /* None is allowed, for the first number: NaN, or the integer 0 */
} an_option;

/* A row: AN_OPTION("lr", an_sgd_options, lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3). */
#define AN_OPTION(name_, type, field, kind_, range_, slot_, ...)                     \
    {                                                                                \
        .name = (name_), .kind = AN_OPTION_##kind_, .offset = offsetof(type, field), \
        .initial = {__VA_ARGS__}, .range = AN_RANGE_##range_, .slot = (slot_)        \
    }
/* A row whose (first) number may be None. */
#define AN_OPTION_OR_NONE(name_, type, field, kind_, range_, ...)                              \
    {                                                                                          \
        .name = (name_), .kind = AN_OPTION_##kind_, .offset = offsetof(type, field),           \
        .initial = {__VA_ARGS__}, .range = AN_RANGE_##range_, .slot = AN_NO_SLOT, .none = true \
    }
#define AN_OPTION_CHOOSE(name_, type, field, choices_)                              \
    {                                                                               \
        .name = (name_), .kind = AN_OPTION_CHOICE, .offset = offsetof(type, field), \
        .slot = AN_NO_SLOT, .choices = (choices_)                                   \
    }
#define AN_OPTION_IGNORE(name_)                                        \
    {                                                                  \
        .name = (name_), .kind = AN_OPTION_IGNORED, .slot = AN_NO_SLOT \
    }

/* What a PAIR needs of its two fields. */
#define AN_OPTION_IS_PAIR(type, first, second)                                       \
    _Static_assert(offsetof(type, second) == offsetof(type, first) + sizeof(double), \
                   #first " and " #second " are read as a pair")

#define AN_MAX_OPTIONS 16

/* The option struct of any optimizer. */
typedef union an_options {
    an_sgd_options sgd;
    an_adam_options adam;
    an_nadam_options nadam;
    an_radam_options radam;
    an_adamax_options adamax;
    an_adagrad_options adagrad;
    an_adadelta_options adadelta;
    an_rmsprop_options rmsprop;
    an_rprop_options rprop;
    an_asgd_options asgd;
    an_adafactor_options adafactor;
    an_muon_options muon;
    an_lion_options lion;
    an_lamb_options lamb;
    an_lbfgs_options lbfgs;
    an_sgd_schedule_free_options free_sgd;
    an_adamw_schedule_free_options free_adam;
    an_prodigy_options prodigy;
    an_dadapt_sgd_options dadapt_sgd;
    an_dadapt_adam_options dadapt_adam;
    an_dog_options dog;
    an_mechanic_options mechanic;
    an_average_options average;
} an_options;

/* The double that a slot drives; of a row with a slot only. */
double *an__option_number(const an_option *option, an_options *options);
/* The flag called `name`; false where the table has none. */
bool an__option_flag(const an_option *table, size_t count, const an_options *options,
                     const char *name);
/* Sets all options to their defaults. */
void an__options_default(const an_option *table, size_t count, an_options *options);
/* Checks every range; the error (ARGUMENT) begins with `owner`, the optimizer's name. */
bool an__options_check(const char *owner, const an_option *table, size_t count,
                       const an_options *options, an_error *err);
/*
 * Reads `value` (NULL: nothing to read) into `option` of `options` and checks its range; errors
 * (CONFIG) point at the value.
 */
bool an__option_read(const char *owner, const an_option *option, const an_spec_source *source,
                     const an_spec_node *value, an_options *options, an_error *err);
/*
 * Appends "lr=0.1, momentum=0.9" at `at` of a buffer: what differs from `base` (NULL: all), and
 * with `rate` lr in any case. Returns where the text ends, also beyond `size`.
 */
size_t an__options_print(const an_option *table, size_t count, const an_options *options,
                         const an_options *base, bool rate, char *buffer, size_t size, size_t at);

#endif
