/* One training from its objects to the result: what train and resume share. */
#ifndef AN_CLI_TRAINING_H
#define AN_CLI_TRAINING_H

#include "cli/cli.h"

#include <anneal/store.h>

#define CLI_PATH 4096

/* The clock of a run under a budget, or with a schedule in seconds; see clock.c. */
typedef struct cli_clock {
    double *seconds; /* after updates 1, 2, ..., as far as that is known; NaN: it is not */
    size_t count;
    size_t next;        /* of those, where one that is known was looked for */
    int64_t begun_step; /* what the run began at, from its checkpoint */
    double begun_seconds;
    char path[CLI_PATH]; /* "": nothing is written */
    FILE *file;          /* opened for the first update that goes by the clock */
    int64_t whole;       /* bytes of whole lines that it had */
    int64_t written;     /* lines */
    an_error failure;    /* to be told */
    bool must_write;     /* what cannot be written ends the training */
} cli_clock;

/*
 * Reads what is known: from `replay`, another run's record, or else from clock.txt in `folder`, and
 * goes on writing there. Either may be NULL. Close it also after a failure.
 */
bool cli_clock_open(cli_clock *clock, const char *replay, const char *folder, an_error *err);
an_clock_source cli_clock_source(cli_clock *clock);
/* Writes down what there is before every checkpoint, and tells what could not be written. */
an_callback cli_clock_callback(cli_clock *clock);
void cli_clock_close(cli_clock *clock);

#define CLI_CLOCK_TIME 40 /* bytes of a time as text, and of a line */
#define CLI_CLOCK_LINE 64
/* Writes "0.0031 63ef8a20", the line of update `step` with its check; gives its length. */
size_t cli_clock_line(char *line, size_t size, int64_t step, const char *time);

typedef struct cli_training {
    an_run *run;
    const char *save;   /* the weights, besides what the run's folder gets; NULL: nowhere */
    const char *replay; /* the clock.txt of a run to repeat; NULL: the machine's clock */
    bool json;
    const volatile int *stop; /* set by a signal */
    const char *base;         /* a new run: what its name begins with, "mnist-mlp" */
    const char *runs, *name; /* a run that goes on: the folder of the runs, and its name in there */
    const char *resume;      /* and its checkpoint, or ""; see an_fit_options */
    an_resume_policy policy;
    an_landing landing;

    /* The rest is its own. */
    an_store *store; /* NULL: nothing is kept */
    an_store_run *stored;
    an_csv *epochs_csv, *steps_csv; /* these logs: NULL without */
    an_events *events;
    char checkpoints[CLI_PATH];
    cli_clock clock;
    bool begun;
    bool unsaved; /* something should have been written at the end, and was not */
    cli_result result;
} cli_training;

/*
 * Trains, saves, tests and prints. False with err when the work failed; what was trained until then
 * is kept. cli_training_status is the exit status after a true.
 */
bool cli_training_run(cli_training *t, an_error *err);
int cli_training_status(const cli_training *t);
/* Lets go of the run's record; before the an_run is freed. */
void cli_training_close(cli_training *t);

/* The settings of a configuration, --set KEY=VALUE, as the command line has them. */
typedef struct cli_sets {
    const char **each;
    size_t count;
} cli_sets;

/* Room for as many as there are arguments. False without memory. */
bool cli_sets_init(cli_sets *sets, int argc);
/* Adds to a cli_sets. */
bool cli_take_set(void *member, const char *value);
void cli_sets_free(cli_sets *sets);

/* Takes the name of the file of --save, into a const char *; false after a message. */
bool cli_take_save(void *member, const char *value);
/* Whether it can be written, which should be found out before the training; NULL is no file. */
bool cli_can_save(const char *path, an_error *err);
/* Whether the weights would replace neither what the run was made from nor its output. */
bool cli_spares_inputs(const char *path, const char *config, const an_run *run, an_error *err);

#endif
