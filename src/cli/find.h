/* Runs and weights by what a user calls them. */
#ifndef AN_CLI_FIND_H
#define AN_CLI_FIND_H

#include "cli/training.h"

/*
 * The folder of run `name`: a path to one, or a name in the folder `runs`. False with err (IO)
 * where there is none, with the nearest name.
 */
bool cli_find_run(const char *runs, const char *name, char folder[CLI_PATH], an_error *err);

/* "FOLDER/NAME"; false with err (ARGUMENT) when it is too long. */
bool cli_join(char path[CLI_PATH], const char *folder, const char *name, an_error *err);

/* What eval, predict and sample ask for. */
typedef struct cli_wanted {
    const char *what;       /* a run, or a file of weights */
    const char *runs;       /* where runs lie */
    const char *config;     /* --config, or NULL */
    const char *checkpoint; /* last, best, or NULL */
    const char *data;       /* --data, or NULL */
    long long threads;      /* below 0: the configuration's */
} cli_wanted;

/* A model with its weights in it. */
typedef struct cli_loaded {
    an_config *config;
    an_run *run;
    char weights[CLI_PATH];
} cli_loaded;

/* Finds configuration and weights, and makes the run; cli_unload in any case. */
bool cli_load(const cli_wanted *wanted, cli_loaded *loaded, an_error *err);
void cli_unload(cli_loaded *loaded);

#endif
