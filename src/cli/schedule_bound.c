/* anneal schedule bound: what convex theory promises schedules, and how their best rates compare.
 */
#include "cli/schedule.h"

#include <anneal/term.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_STEPS 100000000

enum { OPTION_DISTANCE = CLI_OWN, OPTION_GRADIENT, OPTION_FORMAT, OPTION_HELP };

static const cli_option options[] = {
    CLI_SETTING_OPTIONS,
    [OPTION_DISTANCE] = {"distance", "D", "from the start to the optimum (1)"},
    [OPTION_GRADIENT] = {"gradient", "G", "the norm of the gradients (1)"},
    [OPTION_FORMAT] = {"format", "csv|json|text", "default: text on a terminal, csv elsewhere"},
    [OPTION_HELP] = {"help", NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

enum { FORMAT_CSV, FORMAT_JSON, FORMAT_TEXT };
static const char *const formats[] = {"csv", "json", "text"};

typedef struct request {
    cli_setting setting;
    char **specs;
    int spec_count;
    double distance, gradient;
    int format; /* -1: as stdout is */
    bool help;
} request;

static void print_help(void)
{
    puts("Usage: anneal schedule bound SCHEDULE... --steps N [OPTION]...\n"
         "How far above the optimum the loss of a convex function may be after N updates, at most\n"
         "(arXiv 2310.07831, theorem 10). For each schedule: the best rate, which is --base-lr "
         "times\nthe best factor on all of its rates; the bound there, and the bound at the rates "
         "as given.\n"
         "The ratio of two best rates carries a tuned rate from one schedule to the other.\n\n"
         "It is a bound for convex functions with gradients of one norm: a prior for a network,\n"
         "not evidence. Differences of a few percent mean nothing.\n");
    cli_print_options(stdout, options, OPTION_COUNT);
    puts("\nExample:\n"
         "  anneal schedule bound 'LinearLR(1, 0, 1000)' 'CosineAnnealingLR(1000)' --steps 1000");
}

/* --------------------------------------------------------------- arguments */

static bool take_option(void *user, int option, const char *value)
{
    request *r = user;
    switch (option) {
    case OPTION_DISTANCE:
        return cli_number("distance", value, 0, INFINITY, &r->distance);
    case OPTION_GRADIENT:
        return cli_number("gradient", value, 0, INFINITY, &r->gradient);
    case OPTION_FORMAT:
        r->format = cli_choice("format", value, formats, sizeof formats / sizeof *formats);
        return r->format >= 0;
    case OPTION_HELP:
        r->help = true;
        return true;
    default:
        return cli_setting_take(&r->setting, option, value);
    }
}

static int parse(request *r, int argc, char **argv)
{
    cli_arguments arguments = {argc, argv, options, OPTION_COUNT, "anneal schedule bound", ""};
    int rest;
    if (!cli_take_options(&arguments, take_option, r, &rest))
        return CLI_WRONG;
    if (r->help)
        return CLI_DONE;
    if (!cli_has_schedule(&arguments, rest, "CosineAnnealingLR(1000)"))
        return CLI_WRONG;
    if (r->setting.steps < 1)
        return cli_wrong("anneal schedule bound needs --steps N, how many updates are made");
    if (r->setting.group_count > 1)
        return cli_wrong("anneal schedule bound takes one --base-lr: the bound is of one group");
    r->specs = argv + rest;
    r->spec_count = argc - rest;
    if (r->format < 0)
        r->format = an_term_is_terminal(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_CSV;
    return cli_setting_finish(&r->setting) ? CLI_DONE : CLI_WRONG;
}

/* -------------------------------------------------------------------- rows */

static void print_head(const request *r)
{
    static const char *const heads[] = {"schedule,best_lr,best_bound,best_bound_sqrt_steps,bound\n",
                                        "[",
                                        "   best lr  best bound  x sqrt(N)     bound  schedule\n"};
    fputs(heads[r->format], stdout);
}

/* A field of CSV: in quotes, since a schedule has commas; one of JSON the same way. */
static void print_quoted(const char *text, char escape)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || (escape == '\\' && *text == '\\'))
            putchar(escape);
        putchar(*text);
    }
    putchar('"');
}

static void print_row(const request *r, const char *name, const an_lr_bound *bound, bool first)
{
    const double numbers[] = {r->setting.rates[0] * bound->best_scale, bound->best,
                              bound->best * sqrt((double)r->setting.steps), bound->value};
    static const char *const keys[] = {"best_lr", "best_bound", "best_bound_sqrt_steps", "bound"};
    char number[40];
    if (r->format == FORMAT_TEXT) {
        printf("%10.6g  %10.6g  %9.5g  %8.4g  %s\n", numbers[0], numbers[1], numbers[2], numbers[3],
               name);
        return;
    }
    if (r->format == FORMAT_JSON)
        fputs(first ? "\n{\"schedule\": " : ",\n{\"schedule\": ", stdout);
    print_quoted(name, r->format == FORMAT_JSON ? '\\' : '"');
    for (int i = 0; i < 4; i++) {
        an_number_print(number, sizeof number, numbers[i]);
        if (r->format == FORMAT_JSON)
            printf(", \"%s\": %s", keys[i], number);
        else
            printf(",%s", number);
    }
    fputs(r->format == FORMAT_JSON ? "}" : "\n", stdout);
}

/* The bound of one schedule: its rates are those that updates 0 to N - 1 use. */
static bool bound_of(const request *r, const char *spec, bool first, an_error *err)
{
    cli_run run;
    an_lr_bound bound;
    const size_t count = (size_t)r->setting.steps;
    double *rates = calloc(count, sizeof *rates);
    if (!rates)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu rates", count);
    const cli_column column = {0, AN_LR, rates};
    bool ok = cli_run_open(&run, spec, &r->setting, err);
    if (ok) {
        cli_run_values(&run, &column, 1, 0, count, false);
        ok = an_lr_bound_of(rates, count, r->distance, r->gradient, &bound, err);
    }
    if (ok)
        print_row(r, r->format == FORMAT_TEXT ? run.label : run.name, &bound, first);
    else if (r->spec_count > 1)
        an_error_prefix(err, "%s: ", spec);
    cli_run_close(&run);
    free(rates);
    return ok;
}

static bool print_bounds(const request *r, an_error *err)
{
    print_head(r);
    for (int i = 0; i < r->spec_count; i++)
        if (!bound_of(r, r->specs[i], i == 0, err))
            return false;
    if (r->format == FORMAT_JSON)
        fputs("\n]\n", stdout);
    return cli_flush(err);
}

int cli_schedule_bound(int argc, char **argv)
{
    request r = {.format = -1, .distance = 1, .gradient = 1};
    an_error err = {0};
    if (!cli_setting_init(&r.setting, argc, MOST_STEPS))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_DONE && r.help)
        print_help();
    else if (status == CLI_DONE && !print_bounds(&r, &err))
        status = cli_fail(&err);
    cli_setting_free(&r.setting);
    return status;
}
