/* anneal schedule export: a schedule for other programs: a table in C, CSV, PyTorch's expression.
 */
#include "cli/schedule.h"

#include <math.h>
#include <stdlib.h>

#define MOST_STEPS 10000000
#define NAME_SIZE 32
#define PER_LINE 4

enum { TO_C, TO_CSV, TO_PYTORCH };

typedef struct request {
    cli_setting setting;
    const char *spec;
    int to; /* -1: not said */
} request;

/* What the schedule drives, in the order of the slots: `steps` values each. */
typedef struct table {
    cli_column *columns;
    size_t count, steps;
    double *values;
    bool several_groups;
} table;

/* --------------------------------------------------------------- arguments */

static const cli_option options[] = {
    CLI_SETTING_OPTIONS(request, MOST_STEPS),
    {"to", "c|csv|pytorch", "a table in C, a table, or PyTorch's own expression",
     CLI_SET_CHOICE(request, to)},
};

static const cli_usage usage = {
    .command = "anneal schedule export",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal schedule export SCHEDULE --steps N --to c|csv|pytorch [OPTION]...\n"
        "Writes a schedule for other programs. In the tables, value i is what update i uses, from "
        "0\nto N - 1; the names are lr and what else the schedule drives, of several groups lr0, "
        "lr1,\n... The expression of PyTorch expects `optimizer` and, with functions, `math`; a "
        "schedule\nthat PyTorch has not is refused with the reason.\n",
    .more = "\nExamples:\n"
            "  anneal schedule export 'Cosine(end=0.1)' --steps 100 --to c\n"
            "  anneal schedule export 'StepLR(step_size=30)' --steps 90 --to pytorch",
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
    if (r->to < 0)
        return cli_wrong("anneal schedule export needs --to c, --to csv or --to pytorch");
    if (r->setting.steps < 1)
        return cli_wrong("anneal schedule export needs --steps N, how many updates are made");
    return cli_setting_finish(&r->setting) ? CLI_TAKEN : CLI_WRONG;
}

/* ------------------------------------------------------------------- values */

static bool fill(table *t, cli_run *run, an_error *err)
{
    size_t groups = run->setting->group_count;
    t->steps = (size_t)run->setting->steps;
    t->columns = calloc(groups * AN_SLOT_COUNT, sizeof *t->columns);
    for (int slot = 0; t->columns && slot < AN_SLOT_COUNT; slot++)
        for (size_t g = 0; g < groups; g++)
            if (an_lr_drives(run->schedule, (an_slot_id)slot))
                t->columns[t->count++] = (cli_column){g, (an_slot_id)slot, NULL};
    t->values = calloc(t->count > 0 ? t->count : 1, t->steps * sizeof *t->values);
    if (!t->columns || !t->values)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu steps", t->steps);
    for (size_t c = 0; c < t->count; c++)
        t->columns[c].values = t->values + c * t->steps;
    t->several_groups = groups > 1;
    cli_run_values(run, t->columns, t->count, 0, t->steps, false);
    for (size_t i = 0; i < t->count * t->steps; i++)
        if (!isfinite(t->values[i]))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "the schedule is no finite number at step %zu (%g); anneal "
                                "schedule lint says more",
                                i % t->steps, t->values[i]);
    return true;
}

static const char *column_name(const table *t, size_t c, char *buffer)
{
    const char *slot = an_slot_name(t->columns[c].slot);
    if (t->several_groups)
        an_format(buffer, NAME_SIZE, "%s%zu", slot, t->columns[c].group);
    else
        an_format(buffer, NAME_SIZE, "%s", slot);
    return buffer;
}

/* ----------------------------------------------------------------- printing */

static void print_number(double value)
{
    char text[40];
    an_number_print(text, sizeof text, value);
    fputs(text, stdout);
}

static void print_array(const table *t, size_t c)
{
    char name[NAME_SIZE];
    printf("static const double %s[%zu] = {", column_name(t, c, name), t->steps);
    for (size_t i = 0; i < t->steps; i++) {
        fputs(i % PER_LINE == 0 ? "\n    " : " ", stdout);
        print_number(t->columns[c].values[i]);
        putchar(',');
    }
    puts("\n};");
}

/* No text of the user's may end the comment. */
static void print_c(const table *t, const cli_run *run)
{
    fputs("/* ", stdout);
    for (const char *at = run->name; *at; at++)
        printf(*at == '*' && at[1] == '/' ? "* " : "%c", *at);
    puts(": value i is what update i uses. */");
    for (size_t c = 0; c < t->count; c++)
        print_array(t, c);
}

static void print_csv(const table *t)
{
    char name[NAME_SIZE];
    fputs("step", stdout);
    for (size_t c = 0; c < t->count; c++)
        printf(",%s", column_name(t, c, name));
    for (size_t i = 0; i < t->steps; i++) {
        printf("\n%zu", i);
        for (size_t c = 0; c < t->count; c++) {
            putchar(',');
            print_number(t->columns[c].values[i]);
        }
    }
    putchar('\n');
}

static bool write_out(const request *r, an_error *err)
{
    cli_run run;
    table t = {0};
    bool ok = r->to == TO_PYTORCH ? cli_run_make(&run, r->spec, &r->setting, err)
                                  : cli_run_open(&run, r->spec, &r->setting, err);
    if (ok && r->to == TO_PYTORCH)
        ok = cli_print_pytorch(&run, err);
    else if (ok)
        ok = fill(&t, &run, err);
    if (ok && r->to == TO_C)
        print_c(&t, &run);
    else if (ok && r->to == TO_CSV)
        print_csv(&t);
    free(t.columns);
    free(t.values);
    cli_run_close(&run);
    return ok && cli_flush(err);
}

int cli_schedule_export(int argc, char **argv)
{
    request r = {.to = -1};
    an_error err = {0};
    if (!cli_setting_init(&r.setting, argc))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = write_out(&r, &err) ? CLI_DONE : cli_fail(&err);
    cli_setting_free(&r.setting);
    return status;
}
