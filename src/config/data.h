/* The data of a run: found, read and cut into what is learned from, validated and tested with. */
#ifndef AN_CONFIG_DATA_H
#define AN_CONFIG_DATA_H

#include "config/config.h"

/*
 * Where the data were found: the path of each key that names one, NULL for the others. The texts
 * live in the arena that the data were opened with.
 */
typedef struct an__found {
    const char *path[AN__SPOTS];
} an__found;

/*
 * Opens the data of `config` into the datasets of `run`. What is kept lives in `texts`. `*learned`
 * is what training and validation are cut from, or NULL: to be freed after them.
 */
bool an__data_open(const an_config *config, an_run *run, an_arena *texts, an__found *found,
                   an_dataset **learned, an_error *err);

/* Whether a loss compares scores with a class; others compare numbers. */
bool an__wants_labels(an_loss loss);

/* Whether the data that `config` names have numbers to predict, not classes. */
bool an__predicts_numbers(const an_config *config);

/* Whether `path` is a file of the data. */
bool an__data_reads(const an_config *config, const an__found *found, const char *path);

#endif
