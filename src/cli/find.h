/* Runs and weights by what a user calls them. */
#ifndef AN_CLI_FIND_H
#define AN_CLI_FIND_H

#include "cli/training.h"

/* The bytes of a run's name or path without the slashes that end it: "mnist-mlp-3f2a/". */
size_t cli_name_length(const char *name);

/*
 * The folder of the run that is `given`: a path to one, or a name in the folder `runs`. False with
 * err (IO) where there is none, with the nearest name.
 */
bool cli_find_run(const char *runs, const char *given, char folder[CLI_PATH], an_error *err);

/* "FOLDER/NAME"; false with err (ARGUMENT) when it is too long. */
bool cli_join(char path[CLI_PATH], const char *folder, const char *name, an_error *err);

/* Room that a checkpoint's path leaves for what its files end in. */
#define CLI_ENDING 16

/*
 * The newest sound checkpoint of a run's folder, or of the best; says on stderr which one was
 * damaged, and which is taken. Errors as of an_checkpoint_find.
 */
bool cli_find_checkpoint(const char *folder, an_checkpoint_kind kind, char path[CLI_PATH],
                         an_checkpoint_info *info, an_error *err);
/* Whether run `name` in `runs`, which has no checkpoint, never had one; false with err (STATE). */
bool cli_may_begin_again(const char *runs, const char *name, an_error *err);

/* What eval, predict and sample ask for. */
typedef struct cli_wanted {
    const char *what;       /* a run, or a file of weights */
    const char *runs;       /* where runs lie */
    const char *config;     /* --config, or NULL */
    const char *checkpoint; /* last, best, or NULL */
    const char *data;       /* --data, or NULL */
    long long threads;      /* below 0: the configuration's */
} cli_wanted;

/* The options that fill a cli_wanted, which is the member `wanted` of a request of `type`. */
#define CLI_WANTED_OPTIONS(type)                                                                   \
    {"checkpoint", "last|best", "which of a run's weights (default: its end's)",                   \
     CLI_SET_PART(type, wanted.checkpoint, cli_take_kind)},                                        \
        {"config", "FILE", "what a file of weights was trained with",                              \
         CLI_SET_TEXT(type, wanted.config)},                                                       \
        {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(type, wanted.runs)}, \
    {                                                                                              \
        "threads", "N", "compute with N threads; 0 is one per core",                               \
            CLI_SET_INTEGER(type, wanted.threads, 0, AN_MAX_THREADS)                               \
    }

/* Takes "last" or "best", into a const char *; false after a message. */
bool cli_take_kind(void *member, const char *value);

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
