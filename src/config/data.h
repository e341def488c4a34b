/* The data of a run: found, read and cut into what is learned from, validated and tested with. */
#ifndef AN_CONFIG_DATA_H
#define AN_CONFIG_DATA_H

#include "config/config.h"

/*
 * Opens the data of `config` into the datasets of `run`. `*path` is where they were found; it and
 * what else is kept lives in `texts`. `*learned` is the view that training and validation are cut
 * from, or NULL: to be freed after them.
 */
bool an__data_open(const an_config *config, an_run *run, an_arena *texts, const char **path,
                   an_dataset **learned, an_error *err);

/* Whether `path` is a file of the data, which were found at `data`. */
bool an__data_reads(const an_config *config, const char *data, const char *path);

#endif
