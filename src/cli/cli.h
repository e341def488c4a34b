/*
 * What the files of the command share. The command uses nothing but the library's public headers
 * and the room of files.
 *
 * Results go to stdout; errors are a sentence on stderr, begun with "anneal: ", and where it helps
 * the line in question with a caret. Only here may the process look at its environment.
 */
#ifndef AN_CLI_CLI_H
#define AN_CLI_CLI_H

#include <anneal/config.h>

#include <stddef.h>
#include <stdio.h>

/* Exit statuses. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_WRONG = 2 };

/* A subcommand: `run` gets the arguments from its own name on, and gives the exit status. */
typedef struct cli_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} cli_command;

int cli_train(int argc, char **argv);
int cli_resume(int argc, char **argv);
int cli_eval(int argc, char **argv);
int cli_predict(int argc, char **argv);
int cli_sample(int argc, char **argv);
int cli_runs_command(int argc, char **argv);
int cli_report_command(int argc, char **argv);
int cli_list(int argc, char **argv);
int cli_schedule(int argc, char **argv);

/* Commands below one word: "schedule ", or "" for all of them. */
typedef struct cli_group {
    const char *prefix;
    const cli_command *commands;
    size_t count;
    const char *about, *more; /* the help above and below their list */
} cli_group;

/*
 * Runs the command that argv[1] names, with the arguments from that name on; prints the group's
 * help for --help, says so where there is none of that name.
 */
int cli_run_group(const cli_group *group, int argc, char **argv);

/* Prints an error; gives the exit status that suits its code. */
int cli_fail(const an_error *err);
/* The same for a sentence about wrong arguments; gives CLI_WRONG. */
int cli_wrong(const char *format, ...) AN_PRINTF(1, 2);

/* What an option does with its argument, and with it the type of the member that it sets. */
typedef enum cli_effect {
    CLI_SETS_FLAG,    /* bool: true; the option has no argument */
    CLI_SETS_TEXT,    /* const char *: the argument */
    CLI_SETS_INTEGER, /* long long: from `least` to `most` */
    CLI_SETS_NUMBER,  /* double: finite, from `low` to `high` */
    CLI_SETS_CHOICE,  /* int: which of the words between the bars of `argument`, from 0 */
    CLI_SETS_BY,      /* what `take` sets; false after a message */
} cli_effect;

typedef bool cli_take(void *member, const char *value);

/* An option that starts with "--". `argument` is its name in the help, NULL without one. */
typedef struct cli_option {
    const char *name, *argument, *help;
    cli_effect effect;
    size_t member; /* bytes from the start of the request */
    long long least, most;
    double low, high;
    cli_take *take;
} cli_option;

/* How a row of options ends: what it sets in a request of `type`. */
#define CLI_SET_FLAG(type, name) CLI_SETS_FLAG, .member = offsetof(type, name)
#define CLI_SET_TEXT(type, name) CLI_SETS_TEXT, .member = offsetof(type, name)
#define CLI_SET_INTEGER(type, name, from, to) \
    CLI_SETS_INTEGER, .member = offsetof(type, name), .least = (from), .most = (to)
#define CLI_SET_NUMBER(type, name, from, to) \
    CLI_SETS_NUMBER, .member = offsetof(type, name), .low = (from), .high = (to)
#define CLI_SET_CHOICE(type, name) CLI_SETS_CHOICE, .member = offsetof(type, name)
#define CLI_SET_PART(type, name, by) CLI_SETS_BY, .member = offsetof(type, name), .take = (by)
#define CLI_SET_BY(by) CLI_SETS_BY, .take = (by)

/* A command's options and its help; --help comes of itself. */
typedef struct cli_usage {
    const char *command; /* "anneal train", for the messages */
    const cli_option *options;
    size_t option_count;
    const char *letters;      /* "o" makes -o of the option whose name begins with o; or NULL */
    const char *about, *more; /* the help above and below the options */
} cli_usage;

/* What stands on a command line beside the options. */
typedef struct cli_arguments {
    const char *command;
    char **each;
    int count;
} cli_arguments;

/* What --format chooses, in the order of the words in its help; beside JSON alone it may be CSV. */
enum { CLI_TEXT, CLI_JSON, CLI_CSV };

/* No exit status: the command goes on. */
#define CLI_TAKEN (-1)

/*
 * Takes every option of the command line, in order, into `request`. CLI_TAKEN, or the exit status
 * with which the command ends: CLI_DONE after its help, CLI_WRONG after a message.
 */
int cli_take_options(const cli_usage *usage, int argc, char **argv, void *request,
                     cli_arguments *rest);

/*
 * The same for a command of one argument beside its options, which goes to `one`; the message says
 * that it takes `what`: "one run: anneal resume mnist-mlp-3f2a".
 */
int cli_take_one(const cli_usage *usage, int argc, char **argv, void *request, const char *what,
                 const char **one);

/* Says that there is no memory for the arguments; gives CLI_FAILED. */
int cli_no_memory(void);

/* A whole number from `low` to `high`; false after a message that names the option. */
bool cli_integer(const char *option, const char *text, long long low, long long high,
                 long long *out);

/* A finite number from `low` to `high` (may be infinite); false after a message likewise. */
bool cli_number(const char *option, const char *text, double low, double high, double *out);

/* The index of `text` among `count` names; -1 after a message that lists them. */
int cli_choice(const char *option, const char *text, const char *const *names, size_t count);

/* Whether the terminal shows Unicode: the one thing that is asked of the locale. */
bool cli_unicode(void);
/* Whether stdout is a terminal that should get colours (https://no-color.org). */
bool cli_colour(void);
/* A text as a string of JSON on stdout, in quotes. */
void cli_put_json(const char *text);
/* A member of an object of JSON, and a comma; what is no finite number is null. */
void cli_put_json_member(const char *name, double value);
/* A text as a field of CSV on stdout, in quotes where it needs them. */
void cli_put_csv(const char *text);
/* A copy of a call for people, to be freed: of long lists of numbers the first three and the last.
 * NULL: memory. */
char *cli_shortened(const char *call);
/* Whether everything that was printed has arrived. */
bool cli_flush(an_error *err);

/*
 * The lines above the training: data, model, optimizer, and the schedule that it goes by (NULL:
 * none), as an_run_follow has said it. They keep within a window of `width` columns where breaks
 * between layers and values allow it; 0: no limit.
 */
void cli_summary(FILE *stream, const an_run *run, const struct an_lr_schedule *schedule,
                 bool unicode, int width);

/* What a training came to. */
typedef struct cli_result {
    an_fit_result fit;
    an_eval_result test;
    const an_metric *metrics; /* whose values the test has */
    size_t metric_count;
    double startup_seconds;
    int64_t parameters, seed;
    int threads;
    const char *folder; /* of the run, NULL: nothing was kept */
} cli_result;

/*
 * Writes "test_top5" of the metric "valid_top5" of a run to `text`, as results are called; gives
 * the part after "test_".
 */
#define CLI_METRIC 80
const char *cli_test_name(const an_metric *metric, char text[CLI_METRIC]);

/* In a window of `width` columns how to get a report may go to a line of its own; 0: no limit. */
void cli_result_text(FILE *stream, const cli_result *result, int width);
void cli_result_json(const cli_result *result);

/*
 * What SIGINT, SIGTERM and SIGHUP do (the last unless it is ignored, as under nohup):
 *   CLI_FREE      end the process
 *   CLI_TRAINING  set the flag of cli_catch_signals; half a second later, end the process
 *   CLI_SAVING    wait for the next stage, and then end the process
 */
typedef enum cli_stage { CLI_FREE, CLI_TRAINING, CLI_SAVING } cli_stage;

/*
 * Takes the signals over, in stage CLI_FREE; gives the flag that ends a training. A broken pipe and
 * a limit on file sizes become errors of the write.
 */
const volatile int *cli_catch_signals(void);
void cli_enter(cli_stage next);

/*
 * The whole file, ended by a zero, to be freed; NULL with err (IO, MEMORY; may be NULL), where it
 * is called `what`.
 */
char *cli_read_file(const char *path, const char *what, size_t *length, an_error *err);
/* The same of the standard input. */
char *cli_read_stdin(const char *what, size_t *length, an_error *err);

/* Seconds since the process began its main function. */
double cli_uptime(void);

#endif
