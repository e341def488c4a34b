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

enum { OPTION_CLOSED = CLI_OWN, OPTION_FORMAT, OPTION_HELP };

static const cli_option options[] = {
    CLI_SETTING_OPTIONS,
    [OPTION_CLOSED] = {"closed-form", NULL, "compute each value directly instead of stepping"},
    [OPTION_FORMAT] = {"format", "csv|json|text", "default: text on a terminal, csv elsewhere"},
    [OPTION_HELP] = {"help", NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

enum { FORMAT_CSV, FORMAT_JSON, FORMAT_TEXT };
static const char *const formats[] = {"csv", "json", "text"};

typedef struct request {
    cli_setting setting;
    const char *spec;
    int format; /* -1: as stdout is */
    bool closed, help;
} request;

/* The columns and their names; each column's values are `CHUNK` numbers. */
typedef struct table {
    cli_column *columns;
    size_t count;
    double *values;
    int format;
    bool several_groups;
} table;

static void print_help(void)
{
    puts("Usage: anneal schedule table SCHEDULE --steps N [OPTION]...\n"
         "Prints the values in effect after 0, 1, ... N steps of a schedule, as PyTorch has them.\n"
         "The columns are step and lr, then momentum or beta1 if the schedule drives it; of "
         "several\n"
         "groups, lr0, lr1, ... Numbers have all of their digits; what is no finite number is "
         "inf,\n-inf or nan, in JSON as a string.\n");
    cli_print_options(stdout, options, OPTION_COUNT);
    puts("\nA schedule that needs total_steps and has none gets the number of steps.\n"
         "\nExamples:\n"
         "  anneal schedule table 'StepLR(step_size=30, gamma=0.1)' --steps 90 --base-lr 0.1\n"
         "  anneal schedule table 'OneCycleLR(max_lr=0.1)' --steps 100 --momentum 0.9\n"
         "  anneal schedule table 'ReduceLROnPlateau()' --steps 50 --metric-file losses.txt");
}

/* --------------------------------------------------------------- arguments */

static bool take_option(void *user, int option, const char *value)
{
    request *r = user;
    switch (option) {
    case OPTION_CLOSED:
        r->closed = true;
        return true;
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
    cli_arguments arguments = {argc, argv, options, OPTION_COUNT, "anneal schedule table", ""};
    int rest;
    if (!cli_take_options(&arguments, take_option, r, &rest))
        return CLI_WRONG;
    if (r->help)
        return CLI_DONE;
    r->spec = cli_one_schedule(&arguments, rest, "StepLR(step_size=30)");
    if (!r->spec)
        return CLI_WRONG;
    if (r->setting.steps < 0)
        return cli_wrong("anneal schedule table needs --steps N, how many steps to take");
    if (r->format < 0)
        r->format = an_term_is_terminal(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_CSV;
    return cli_setting_finish(&r->setting) ? CLI_DONE : CLI_WRONG;
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
    if (t->format == FORMAT_JSON) {
        putchar('[');
        return;
    }
    if (t->format == FORMAT_TEXT)
        printf("%s%s\n\n%10s", run->label, run->filled ? "   (total_steps from --steps)" : "",
               "step");
    else
        fputs("step", stdout);
    for (size_t c = 0; c < t->count; c++)
        printf(t->format == FORMAT_TEXT ? "  %24s" : ",%s", column_name(t, c, name));
    putchar('\n');
}

static void print_row(const table *t, int64_t step, size_t i)
{
    char name[NAME_SIZE], number[40];
    static const char *const starts[] = {"%lld", "{\"step\": %lld", "%10lld"};
    if (t->format == FORMAT_JSON)
        fputs(step > 0 ? ",\n" : "\n", stdout);
    printf(starts[t->format], (long long)step);
    for (size_t c = 0; c < t->count; c++) {
        double value = t->columns[c].values[i];
        an_number_print(number, sizeof number, value);
        if (t->format == FORMAT_JSON)
            printf(isfinite(value) ? ", \"%s\": %s" : ", \"%s\": \"%s\"", column_name(t, c, name),
                   number);
        else
            printf(t->format == FORMAT_TEXT ? "  %24s" : ",%s", number);
    }
    fputs(t->format == FORMAT_JSON ? "}" : "\n", stdout);
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
    if (t->format == FORMAT_JSON)
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
    if (!cli_setting_init(&r.setting, argc, MOST_STEPS))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_DONE && r.help)
        print_help();
    else if (status == CLI_DONE && !print_table(&r, &err))
        status = cli_fail(&err);
    cli_setting_free(&r.setting);
    return status;
}
