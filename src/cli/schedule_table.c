/* anneal schedule table: the values of a schedule, one row a step. */
#include "cli/schedule.h"

#include <anneal/term.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_STEPS 1000000000
#define CHUNK 1024
#define NAME_SIZE 32

typedef struct request {
    cli_setting setting;
    const char *spec;
    int format; /* -1: as stdout is */
    bool closed;
} request;

/* The columns and their names; each column's values are `CHUNK` numbers. */
typedef struct table {
    cli_column *columns;
    size_t count;
    double *values;
    int format;
    bool several_groups;
} table;

/* --------------------------------------------------------------- arguments */

static const cli_option options[] = {
    CLI_SETTING_OPTIONS(request, MOST_STEPS),
    {"closed-form", NULL, "compute each value directly instead of stepping",
     CLI_SET_FLAG(request, closed)},
    {"format", "text|json|csv", "default: text on a terminal, csv elsewhere",
     CLI_SET_CHOICE(request, format)},
};

static const cli_usage usage = {
    .command = "anneal schedule table",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal schedule table SCHEDULE --steps N [OPTION]...\n"
        "Prints the values in effect after 0, 1, ... N steps of a schedule, as PyTorch has them.\n"
        "The columns are step and lr, then momentum or beta1 if the schedule drives it; of "
        "several\n"
        "groups, lr0, lr1, ... Numbers have all of their digits; what is no finite number is "
        "inf,\n-inf or nan, in JSON as a string.\n",
    .more = "\nA schedule that needs total_steps and has none gets the number of steps.\n"
            "\nExamples:\n"
            "  anneal schedule table 'StepLR(step_size=30, gamma=0.1)' --steps 90 --base-lr 0.1\n"
            "  anneal schedule table 'OneCycleLR(max_lr=0.1)' --steps 100 --momentum 0.9\n"
            "  anneal schedule table 'ReduceLROnPlateau()' --steps 50 --metric-file losses.txt",
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
    if (r->setting.steps < 0)
        return cli_wrong("anneal schedule table needs --steps N, how many steps to take");
    if (r->format < 0)
        r->format = an_term_is_terminal(STDOUT_FILENO) ? CLI_TEXT : CLI_CSV;
    return cli_setting_finish(&r->setting) ? CLI_TAKEN : CLI_WRONG;
}

/* ----------------------------------------------------------------- columns */

/* lr of every group, then the other slots that the schedule drives. */
static bool make_columns(table *t, const cli_run *run, an_error *err)
{
    size_t groups = run->setting->group_count, most = groups * AN_SLOT_COUNT;
    t->columns = calloc(most, sizeof *t->columns);
    t->values = calloc(most, CHUNK * sizeof *t->values);
    if (!t->columns || !t->values)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a table");
    for (int slot = 0; slot < AN_SLOT_COUNT; slot++)
        for (size_t g = 0; g < groups; g++)
            if (slot == AN_LR || an_lr_drives(run->schedule, (an_slot_id)slot)) {
                double *values = t->values + t->count * CHUNK;
                t->columns[t->count++] = (cli_column){g, (an_slot_id)slot, values};
            }
    t->several_groups = groups > 1;
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

/* -------------------------------------------------------------------- rows */

static void print_head(const table *t, const cli_run *run)
{
    char name[NAME_SIZE];
    if (t->format == CLI_JSON) {
        putchar('[');
        return;
    }
    if (t->format == CLI_TEXT)
        printf("%s%s\n\n%10s", run->label, run->filled ? "   (total_steps from --steps)" : "",
               "step");
    else
        fputs("step", stdout);
    for (size_t c = 0; c < t->count; c++)
        printf(t->format == CLI_TEXT ? "  %24s" : ",%s", column_name(t, c, name));
    putchar('\n');
}

static void print_row(const table *t, int64_t step, size_t i)
{
    char name[NAME_SIZE], number[40];
    static const char *const starts[] = {
        [CLI_CSV] = "%lld", [CLI_JSON] = "{\"step\": %lld", [CLI_TEXT] = "%10lld"};
    if (t->format == CLI_JSON)
        fputs(step > 0 ? ",\n" : "\n", stdout);
    printf(starts[t->format], (long long)step);
    for (size_t c = 0; c < t->count; c++) {
        double value = t->columns[c].values[i];
        an_number_print(number, sizeof number, value);
        if (t->format == CLI_JSON)
            printf(isfinite(value) ? ", \"%s\": %s" : ", \"%s\": \"%s\"", column_name(t, c, name),
                   number);
        else
            printf(t->format == CLI_TEXT ? "  %24s" : ",%s", number);
    }
    fputs(t->format == CLI_JSON ? "}" : "\n", stdout);
}

static bool print_rows(table *t, cli_run *run, bool closed, an_error *err)
{
    int64_t rows = run->setting->steps + 1;
    print_head(t, run);
    for (int64_t first = 0; first < rows && !ferror(stdout); first += CHUNK) {
        size_t count = (size_t)(rows - first < CHUNK ? rows - first : CHUNK);
        cli_run_values(run, t->columns, t->count, first, count, closed);
        for (size_t i = 0; i < count; i++)
            print_row(t, first + (int64_t)i, i);
    }
    if (t->format == CLI_JSON)
        fputs("\n]\n", stdout);
    return cli_flush(err);
}

static bool print_table(request *r, an_error *err)
{
    cli_run run;
    table t = {.format = r->format};
    bool ok = cli_run_open(&run, r->spec, &r->setting, err);
    if (ok && r->closed && an_lr_wants_metric(run.schedule))
        ok = an_error_set(err, AN_ERROR_ARGUMENT,
                          "--closed-form: a schedule that is stepped with a metric has none");
    ok = ok && make_columns(&t, &run, err) && print_rows(&t, &run, r->closed, err);
    free(t.columns);
    free(t.values);
    cli_run_close(&run);
    return ok;
}

int cli_schedule_table(int argc, char **argv)
{
    request r = {.format = -1};
    an_error err = {0};
    if (!cli_setting_init(&r.setting, argc))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = print_table(&r, &err) ? CLI_DONE : cli_fail(&err);
    cli_setting_free(&r.setting);
    return status;
}
