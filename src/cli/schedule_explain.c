/* anneal schedule explain: how a value comes about, schedule by schedule. */
#include "cli/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 1000000000000
#define NAME_WIDTH 34
#define FORMULA_SIZE 1024

typedef struct request {
    cli_setting setting;
    const char *spec;
    long long at;
    int format;
} request;

/* All parts of the schedule, each before its children; `asked`: it has a part in the value. */
typedef struct parts {
    an_lr_part *each;
    bool *asked;
    size_t count, room;
} parts;

/* --------------------------------------------------------------- arguments */

static const cli_option options[] = {
    CLI_SETTING_OPTIONS(request, MOST_STEPS),
    {"at", "N", "the step to explain", CLI_SET_INTEGER(request, at, 0, MOST_STEPS)},
    {"format", "text|json", "how to print it (text)", CLI_SET_CHOICE(request, format)},
};

static const cli_usage usage = {
    .command = "anneal schedule explain",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal schedule explain SCHEDULE --at N [OPTION]...\n"
        "Shows how the learning rate at step N comes about: every schedule within the schedule, "
        "the\ntime on its own clock, the rate that it gives, and its formula with the numbers put "
        "in, in\nPython's notation. --steps is the length of the run, where the schedule needs "
        "it.\n",
    .more =
        "\nExamples:\n"
        "  anneal schedule explain 'StepLR(step_size=30)' --at 45\n"
        "  anneal schedule explain 'Sequence([Linear(start=0.1, end=1), Cosine()], [5])' --at 40 "
        "--steps 100",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    r->spec = cli_one_schedule(&rest, "StepLR(step_size=30)");
    if (!r->spec)
        return CLI_WRONG;
    if (r->at < 0)
        return cli_wrong("anneal schedule explain needs --at N, the step to explain");
    if (r->setting.group_count > 1)
        return cli_wrong("anneal schedule explain takes one --base-lr: it explains one group");
    if (r->setting.metric_file)
        return cli_wrong("anneal schedule explain takes no --metric-file: what follows from a "
                         "metric has no formula");
    if (r->setting.steps < 0)
        r->setting.steps = 0;
    return cli_setting_finish(&r->setting) ? CLI_TAKEN : CLI_WRONG;
}

/* ------------------------------------------------------------------- parts */

static void count_part(void *user, const an_lr_part *part)
{
    (void)part;
    ((parts *)user)->room++;
}

static void add_part(void *user, const an_lr_part *part)
{
    parts *p = user;
    p->each[p->count++] = *part;
}

/* A part that is asked twice, as within a Restarts, keeps the last answer. */
static void trace_part(void *user, const an_lr_part *part)
{
    parts *p = user;
    for (size_t i = 0; i < p->count; i++)
        if (p->each[i].desc == part->desc) {
            p->asked[i] = true;
            p->each[i].time = part->time;
            p->each[i].base = part->base;
            p->each[i].rate = part->rate;
        }
}

static bool trace(parts *p, const an_lr_schedule *schedule, long long at, double *rate,
                  an_error *err)
{
    const an_lr_clock clock = {.steps = (double)at};
    an_lr_parts(schedule, count_part, p);
    p->each = calloc(p->room, sizeof *p->each);
    p->asked = calloc(p->room, sizeof *p->asked);
    if (!p->each || !p->asked)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a schedule");
    an_lr_parts(schedule, add_part, p);
    *rate = an_lr_trace(schedule, 0, AN_LR, &clock, trace_part, p);
    return true;
}

/* ---------------------------------------------------------------- printing */

static const char *name_of(const an_lr_part *part)
{
    return an_lr_name(part->desc->kind);
}

static void number(char *text, size_t size, double value)
{
    an_format(text, size, "%g", value);
}

static void print_part(const an_lr_part *part, bool asked)
{
    char name[128], time[32], rate[32], formula[FORMULA_SIZE];
    int indent = 2 * part->depth;
    an_format(name, sizeof name, "%s", name_of(part));
    printf("%*s%-*s", indent, "", indent < NAME_WIDTH ? NAME_WIDTH - indent : 0, name);
    if (!asked) {
        puts("  no part in it");
        return;
    }
    number(time, sizeof time, part->time);
    number(rate, sizeof rate, part->rate);
    an_lr_formula(formula, sizeof formula, part);
    printf("  t = %-8s %-12s %s\n", time, rate, formula);
}

static void print_text(const request *r, const cli_run *run, const parts *p, double rate)
{
    char text[40];
    an_number_print_short(text, sizeof text, rate);
    printf("%s\nlr at step %lld: %s\n\n", run->label, r->at, text);
    for (size_t i = 0; i < p->count; i++)
        print_part(&p->each[i], p->asked[i]);
}

static void json_number(const char *name, double value)
{
    char text[40];
    an_number_print(text, sizeof text, value);
    printf(isfinite(value) ? ", \"%s\": %s" : ", \"%s\": \"%s\"", name, text);
}

static void json_part(const an_lr_part *part, bool asked)
{
    char formula[FORMULA_SIZE];
    printf("{\"schedule\": \"%s\", \"depth\": %d", name_of(part), part->depth);
    if (asked) {
        an_lr_formula(formula, sizeof formula, part);
        json_number("time", part->time);
        json_number("base", part->base);
        json_number("rate", part->rate);
        fputs(", \"formula\": ", stdout);
        cli_put_json(formula);
    }
    putchar('}');
}

static void print_json(const request *r, const cli_run *run, const parts *p, double rate)
{
    fputs("{\"schedule\": ", stdout);
    cli_put_json(run->name);
    printf(", \"step\": %lld", r->at);
    json_number("lr", rate);
    fputs(", \"parts\": [", stdout);
    for (size_t i = 0; i < p->count; i++) {
        fputs(i > 0 ? ",\n" : "\n", stdout);
        json_part(&p->each[i], p->asked[i]);
    }
    fputs("\n]}\n", stdout);
}

static bool explain(const request *r, an_error *err)
{
    cli_run run;
    parts p = {0};
    double rate = NAN;
    bool ok = cli_run_make(&run, r->spec, &r->setting, err);
    if (ok && an_lr_wants_metric(run.schedule))
        ok = an_error_set(err, AN_ERROR_ARGUMENT,
                          "a schedule that is stepped with a metric has no value beforehand, and "
                          "so no explanation");
    ok = ok && trace(&p, run.schedule, r->at, &rate, err);
    if (ok && r->format == CLI_JSON)
        print_json(r, &run, &p, rate);
    else if (ok)
        print_text(r, &run, &p, rate);
    free(p.each);
    free(p.asked);
    cli_run_close(&run);
    return ok && cli_flush(err);
}

int cli_schedule_explain(int argc, char **argv)
{
    request r = {.at = -1};
    an_error err = {0};
    if (!cli_setting_init(&r.setting, argc))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = explain(&r, &err) ? CLI_DONE : cli_fail(&err);
    cli_setting_free(&r.setting);
    return status;
}
