/*
 * The options of an optimizer, such as lr or betas: one table each (sgd.c, adam.c) drives the
 * defaults, the checks, the reading and the printing of text, and which slot of a group holds them.
 */
#ifndef AN_OPTIM_OPTION_H
#define AN_OPTIM_OPTION_H

#include <anneal/optim.h>

typedef enum an_option_kind {
    AN_OPTION_NUMBER, /* a double */
    AN_OPTION_PAIR,   /* two doubles, one after the other: betas=(0.9, 0.999) */
    AN_OPTION_FLAG    /* a bool */
} an_option_kind;

typedef enum an_option_range {
    AN_RANGE_FINITE,       /* any finite number */
    AN_RANGE_NOT_NEGATIVE, /* finite, at least 0 */
    AN_RANGE_FRACTION      /* at least 0 and below 1 */
} an_option_range;

#define AN_NO_SLOT (-1)

/* One row of a table. The value lies at `offset` of the optimizer's option struct. */
typedef struct an_option {
    const char *name;
    an_option_kind kind;
    size_t offset;
    double initial[2]; /* the default; of a flag: false */
    an_option_range range;
    int slot; /* the an_slot_id that holds the (first) number, or AN_NO_SLOT */
} an_option;

/* A row: AN_OPTION("lr", an_sgd_options, lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3). */
#define AN_OPTION(name, type, field, kind, range, slot, ...)                                 \
    {                                                                                        \
        name, AN_OPTION_##kind, offsetof(type, field), {__VA_ARGS__}, AN_RANGE_##range, slot \
    }

#define AN_MAX_OPTIONS 8

/* The option struct of any optimizer. */
typedef union an_options {
    an_sgd_options sgd;
    an_adam_options adam;
} an_options;

/* The numbers of `option` within `options`: one, or two of a pair. NULL for a flag. */
double *an__option_numbers(const an_option *option, an_options *options);
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
 * Appends "lr=0.1, momentum=0.9" at `at` of a buffer: what differs from `base`, and with `rate` lr
 * in any case. Returns where the text ends, also beyond `size`.
 */
size_t an__options_print(const an_option *table, size_t count, const an_options *options,
                         const an_options *base, bool rate, char *buffer, size_t size, size_t at);

#endif
