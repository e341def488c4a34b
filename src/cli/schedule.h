/* What `anneal schedule`'s commands share: a schedule in text, run over groups from the options. */
#ifndef AN_CLI_SCHEDULE_H
#define AN_CLI_SCHEDULE_H

#include "cli/cli.h"

#include <anneal/lr_text.h>

int cli_schedule_table(int argc, char **argv);
int cli_schedule_plot(int argc, char **argv);
int cli_schedule_bound(int argc, char **argv);
int cli_schedule_explain(int argc, char **argv);
int cli_schedule_export(int argc, char **argv);
int cli_schedule_import(int argc, char **argv);
int cli_schedule_lint(int argc, char **argv);
int cli_schedule_list(int argc, char **argv);

/* What `list` has of other systems: their names by system; with --aliases their calls. */
void cli_print_alias_names(void);
void cli_print_aliases(int format);

/* Over what a schedule runs. `momentum` or `beta1` NaN and `steps` -1: not said. */
typedef struct cli_setting {
    double *rates;
    size_t group_count;
    double momentum, beta1;
    long long steps;
    const char *metric_file;
} cli_setting;

/* `argc` bounds the number of groups. False after a message. */
bool cli_setting_init(cli_setting *setting, int argc);
/* Checks what belongs together and puts in the defaults; false after a message. */
bool cli_setting_finish(cli_setting *setting);
void cli_setting_free(cli_setting *setting);

/* The options that fill a cli_setting, which is the member `setting` of a request of `type`. */
#define CLI_SETTING_OPTIONS(type, most_steps)                                            \
    {"steps", "N", "take N steps", CLI_SET_INTEGER(type, setting.steps, 0, most_steps)}, \
        {"base-lr", "X", "the optimizer's lr (0.1); once for each parameter group",      \
         CLI_SET_PART(type, setting, cli_take_rate)},                                    \
        {"momentum", "X", "the optimizer's momentum (0)",                                \
         CLI_SET_NUMBER(type, setting.momentum, 0, 1)},                                  \
        {"beta1", "X", "the optimizer is an Adam with this beta1",                       \
         CLI_SET_NUMBER(type, setting.beta1, 0, 1)},                                     \
    {                                                                                    \
        "metric-file", "FILE", "one number a line: line n is the metric of step n",      \
            CLI_SET_TEXT(type, setting.metric_file)                                      \
    }

/* Adds a rate to a cli_setting; false after a message. */
bool cli_take_rate(void *member, const char *value);

/* A schedule and the groups that it drives, at the step that its values were last taken from. */
typedef struct cli_run {
    const cli_setting *setting;
    an_lr_text *text;
    an_lr_group *groups;
    an_lr_schedule *schedule;
    char *name;  /* the canonical text */
    char *label; /* the same for people, with long lists cut short */
    bool filled; /* whether total_steps came from --steps */
    double *metrics;
} cli_run;

/* Reads a schedule as an_lr_parse_text does, but with the numbers of each '@FILE' in it. */
an_lr_text *cli_parse_schedule(const char *text, const an_lr_run *run, an_error *err);

/* Makes the schedule of `text`, which may lack total_steps. To be closed also after a failure. */
bool cli_run_open(cli_run *run, const char *text, const cli_setting *setting, an_error *err);
/* The same without the metrics, for a schedule that is not stepped. */
bool cli_run_make(cli_run *run, const char *text, const cli_setting *setting, an_error *err);
void cli_run_close(cli_run *run);

/* A slot of a group over the steps: one column of a table, one line of a plot. */
typedef struct cli_column {
    size_t group;
    an_slot_id slot;
    double *values;
} cli_column;

/*
 * Fills every column's values with those of the steps first, first + 1, ... (`count` of them). They
 * are stepped to, so that calls must follow on one another, or with `closed` computed directly.
 */
void cli_run_values(cli_run *run, const cli_column *columns, size_t column_count, int64_t first,
                    size_t count, bool closed);

/* schedule_pytorch.c: prints PyTorch's own expression; err (ARGUMENT) says why it has none. */
bool cli_print_pytorch(const cli_run *run, an_error *err);

/* `count` numbers from a file with one a line; NULL with err (IO, DATA, MEMORY). */
double *cli_read_metrics(const char *path, size_t count, an_error *err);

/* Whether a schedule is on the command line; false after a message with `example`. */
bool cli_has_schedule(const cli_arguments *rest, const char *example);

/* The only schedule; NULL after a message. */
const char *cli_one_schedule(const cli_arguments *rest, const char *example);

#endif
