/* anneal schedule bound: what convex theory promises schedules, and how their best rates compare.
 */
#include "cli/schedule.h"

#include <anneal/term.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_STEPS 100000000

typedef struct request {
    cli_setting setting;
    char **specs;
    int spec_count;
    double distance, gradient;
    int format; /* -1: as stdout is */
} request;

/* --------------------------------------------------------------- arguments */

static const cli_option options[] = {
    CLI_SETTING_OPTIONS(request, MOST_STEPS),
    {"distance", "D", "from the start to the optimum (1)",
     CLI_SET_NUMBER(request, distance, 0, INFINITY)},
    {"gradient", "G", "the norm of the gradients (1)",
     CLI_SET_NUMBER(request, gradient, 0, INFINITY)},
    {"format", "text|json|csv", "default: text on a terminal, csv elsewhere",
     CLI_SET_CHOICE(request, format)},
};

static const cli_usage usage = {
    .command = "anneal schedule bound",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal schedule bound SCHEDULE... --steps N [OPTION]...\n"
        "How far above the optimum the loss of a convex function may be after N updates, at most\n"
        "(arXiv 2310.07831, theorem 10). For each schedule: the best rate, which is --base-lr "
        "times\nthe best factor on all of its rates; the bound there, and the bound at the rates "
        "as given.\n"
        "The ratio of two best rates carries a tuned rate from one schedule to the other.\n\n"
        "It is a bound for convex functions with gradients of one norm: a prior for a network,\n"
        "not evidence. Differences of a few percent mean nothing.\n",
    .more = "\nExample:\n"
            "  anneal schedule bound 'LinearLR(1, 0, 1000)' 'CosineAnnealingLR(1000)' --steps 1000",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (!cli_has_schedule(&rest, "CosineAnnealingLR(1000)"))
        return CLI_WRONG;
    if (r->setting.steps < 1)
        return cli_wrong("anneal schedule bound needs --steps N, how many updates are made");
    if (r->setting.group_count > 1)
        return cli_wrong("anneal schedule bound takes one --base-lr: the bound is of one group");
    r->specs = rest.each;
    r->spec_count = rest.count;
    if (r->format < 0)
        r->format = an_term_is_terminal(STDOUT_FILENO) ? CLI_TEXT : CLI_CSV;
    return cli_setting_finish(&r->setting) ? CLI_TAKEN : CLI_WRONG;
}

/* -------------------------------------------------------------------- rows */

static void print_head(const request *r)
{
    static const char *const heads[] = {
        [CLI_CSV] = "schedule,best_lr,best_bound,best_bound_sqrt_steps,bound\n",
        [CLI_JSON] = "[",
        [CLI_TEXT] = "   best lr  best bound  x sqrt(N)     bound  schedule\n"};
    fputs(heads[r->format], stdout);
}

static void print_row(const request *r, const char *name, const an_lr_bound *bound, bool first)
{
    const double numbers[] = {r->setting.rates[0] * bound->best_scale, bound->best,
                              bound->best * sqrt((double)r->setting.steps), bound->value};
    static const char *const keys[] = {"best_lr", "best_bound", "best_bound_sqrt_steps", "bound"};
    char number[40];
    if (r->format == CLI_TEXT) {
        printf("%10.6g  %10.6g  %9.5g  %8.4g  %s\n", numbers[0], numbers[1], numbers[2], numbers[3],
               name);
        return;
    }
    if (r->format == CLI_JSON) {
        fputs(first ? "\n{\"schedule\": " : ",\n{\"schedule\": ", stdout);
        cli_put_json(name);
    } else {
        cli_put_csv(name);
    }
    for (int i = 0; i < 4; i++) {
        an_number_print(number, sizeof number, numbers[i]);
        if (r->format == CLI_JSON)
            printf(", \"%s\": %s", keys[i], number);
        else
            printf(",%s", number);
    }
    fputs(r->format == CLI_JSON ? "}" : "\n", stdout);
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
        print_row(r, r->format == CLI_TEXT ? run.label : run.name, &bound, first);
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
    if (r->format == CLI_JSON)
        fputs("\n]\n", stdout);
    return cli_flush(err);
}

int cli_schedule_bound(int argc, char **argv)
{
    request r = {.format = -1, .distance = 1, .gradient = 1};
    an_error err = {0};
    if (!cli_setting_init(&r.setting, argc))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = print_bounds(&r, &err) ? CLI_DONE : cli_fail(&err);
    cli_setting_free(&r.setting);
    return status;
}
