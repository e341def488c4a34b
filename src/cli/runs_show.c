/* anneal runs show: everything about one run. */
#include "cli/runs.h"

#include <anneal/term.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLOT_ROWS 12
#define PLOT_STEPS_MOST 2000000
#define SHOWN_SIZE 64
#define NUMBER_WIDTH 7

typedef struct request {
    const char *name, *folder;
    int format;
    bool plot;
} request;

/* What is shown: the run, its epochs, its events, and, to be drawn, its updates. */
typedef struct view {
    const cli_known *known;
    an_table epochs, steps;
    an_stored_events events;
} view;

static const cli_option options[] = {
    {"plot", NULL, "draw loss and rate in the terminal", CLI_SET_FLAG(request, plot)},
    {"format", "text|json|csv", "default: text; csv: a line for each fact",
     CLI_SET_CHOICE(request, format)},
    {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(request, folder)},
};

static const cli_usage usage = {
    .command = "anneal runs show",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal runs show RUN [OPTION]...\n"
        "Shows a run: how far it came, its results, what it is made of, its epochs and events.\n",
    .more = "\nExamples:\n"
            "  anneal runs show mnist-mlp-3f2a --plot\n"
            "  anneal runs show mnist-mlp-3f2a --format json",
};

static int parse(request *r, int argc, char **argv)
{
    const int status =
        cli_take_one(&usage, argc, argv, r,
                     "one run, such as mnist-mlp-3f2a; 'anneal runs list' names them", &r->name);
    if (status == CLI_TAKEN && r->plot && r->format != CLI_TEXT)
        return cli_wrong("--plot draws text; leave out --format");
    return status;
}

/* ---------------------------------------------------------------- for people */

static void print_facts(const cli_known *known, cli_fact_kind kind, const char *title)
{
    char buffer[SHOWN_SIZE];
    bool begun = false;
    for (size_t i = 0; i < known->count; i++) {
        const cli_fact *fact = &known->facts[i];
        if (fact->kind != kind)
            continue;
        if (!begun)
            printf("%s\n", title);
        begun = true;
        printf("  %-20s %s\n", cli_fact_key(fact), cli_fact_shown(fact, buffer, sizeof buffer));
    }
}

/* A column is shown where it has a number and is not always the same as the row's own place. */
static bool is_shown(const an_table *table, size_t column)
{
    static const char *const hidden[] = {"samples", "seconds", "memory"};
    if (cli_is_listed(hidden, sizeof hidden / sizeof *hidden, table->names[column]))
        return false;
    for (size_t row = 0; row < table->rows; row++)
        if (!isnan(table->values[row * table->columns + column]))
            return true;
    return false;
}

/* What a column is called above a table for people. */
static const char *label_of(const char *name)
{
    static const char *const labels[][2] = {{"epoch_seconds", "time"},
                                            {"accuracy", "acc"},
                                            {"valid_loss", "valid loss"},
                                            {"valid_accuracy", "valid acc"},
                                            {"samples_per_second", "samples/s"}};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(name, labels[i][0]) == 0)
            return labels[i][1];
    return name;
}

static void number_text(char text[SHOWN_SIZE], const an_table *table, size_t row, size_t column)
{
    const char *name = table->names[column];
    const double value = table->values[row * table->columns + column];
    cli_fact fact = {.kind = CLI_FACT_VALUE, .name = name, .is_number = true, .number = value};
    if (isnan(value))
        an_format(text, SHOWN_SIZE, "-");
    else if (strcmp(name, "samples_per_second") == 0)
        an_term_rate(text, SHOWN_SIZE, value);
    else
        cli_fact_shown(&fact, text, SHOWN_SIZE);
}

static int column_width(const an_table *table, size_t column)
{
    char text[SHOWN_SIZE];
    int most = an_term_columns(label_of(table->names[column]));
    for (size_t row = 0; row < table->rows; row++) {
        number_text(text, table, row, column);
        int width = an_term_columns(text);
        most = width > most ? width : most;
    }
    return most > NUMBER_WIDTH ? most : NUMBER_WIDTH;
}

static void print_cell(const char *text, int width)
{
    printf("  %*s%s", width - an_term_columns(text), "", text);
}

/* The columns that have a width. */
static void print_table(const an_table *table, const int *widths)
{
    char text[SHOWN_SIZE];
    for (size_t c = 0; c < table->columns; c++)
        if (widths[c] > 0)
            print_cell(label_of(table->names[c]), widths[c]);
    putchar('\n');
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t c = 0; c < table->columns; c++) {
            if (widths[c] == 0)
                continue;
            number_text(text, table, row, c);
            print_cell(text, widths[c]);
        }
        putchar('\n');
    }
}

static bool print_epochs(const an_table *table, an_error *err)
{
    if (table->rows == 0)
        return true;
    int *widths = malloc(table->columns * sizeof *widths);
    if (!widths)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the table of epochs");
    for (size_t c = 0; c < table->columns; c++)
        widths[c] = is_shown(table, c) ? column_width(table, c) : 0;
    puts("\nepochs");
    print_table(table, widths);
    free(widths);
    return true;
}

static void print_events(const an_stored_events *events)
{
    char when[SHOWN_SIZE];
    if (events->count > 0)
        puts("\nevents");
    for (size_t i = 0; i < events->count; i++) {
        const an_stored_event *event = &events->events[i];
        cli_time_text(when, sizeof when, event->time);
        printf("  %s  step %lld  %s: %s\n", when, (long long)event->step, event->kind, event->text);
    }
}

static bool print_text(const view *v, an_error *err)
{
    print_facts(v->known, CLI_FACT_RUN, "run");
    print_facts(v->known, CLI_FACT_VALUE, "\nlast epoch and results");
    print_facts(v->known, CLI_FACT_PARAM, "\nparameters");
    if (!print_epochs(&v->epochs, err))
        return false;
    print_events(&v->events);
    return true;
}

/* -------------------------------------------------------------------- plots */

/*
 * A column over the steps or epochs that `along` gives; between rows the last one holds. To be
 * freed. NULL without numbers or memory.
 */
static double *line_of(const an_table *table, const char *name, const char *along, size_t *count)
{
    size_t column = cli_column_of(table, name), x = cli_column_of(table, along), last = 0;
    if (column == table->columns || x == table->columns || table->rows == 0 ||
        !is_shown(table, column))
        return NULL;
    double end = table->values[(table->rows - 1) * table->columns + x];
    *count = end >= 0 && end <= PLOT_STEPS_MOST ? (size_t)end + 1 : 0;
    double *values = *count > 0 ? malloc(*count * sizeof *values) : NULL;
    if (!values)
        return NULL;
    for (size_t i = 0; i < *count; i++)
        values[i] = NAN;
    for (size_t row = 0; row < table->rows; row++) {
        double at = table->values[row * table->columns + x];
        if (!(at >= 0 && at < (double)*count))
            continue;
        for (size_t i = last + 1; row > 0 && i < (size_t)at; i++)
            values[i] = values[last];
        last = (size_t)at;
        values[last] = table->values[row * table->columns + column];
    }
    return values;
}

static bool draw(const an_table *table, const char *along, const char *label,
                 const char *const names[2], an_error *err)
{
    an_series series[2];
    double *lines[2] = {NULL, NULL};
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        size_t length = 0;
        lines[i] = names[i] ? line_of(table, names[i], along, &length) : NULL;
        if (lines[i])
            series[count++] = (an_series){names[i], lines[i], length};
    }
    an_plot plot = {along, label, series, count};
    an_term_canvas canvas = {.columns = an_term_width(STDOUT_FILENO, 80),
                             .rows = PLOT_ROWS,
                             .unicode = cli_unicode(),
                             .colour = cli_colour()};
    size_t size = count > 0 ? an_term_plot(NULL, 0, &plot, &canvas) + 1 : 1;
    char *text = malloc(size);
    if (text && count > 0) {
        an_term_plot(text, size, &plot, &canvas);
        printf("\n%s", text);
    }
    free(text);
    free(lines[0]);
    free(lines[1]);
    return text || an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a plot");
}

/* Updates where they were logged and are not too many, else epochs. */
static bool draw_all(const view *v, an_error *err)
{
    bool steps = v->steps.rows > 1 &&
                 v->steps.values[(v->steps.rows - 1) * v->steps.columns] <= PLOT_STEPS_MOST;
    const an_table *table = steps ? &v->steps : &v->epochs;
    const char *along = steps ? "step" : "epoch";
    const char *rate = cli_column_of(table, "lr") < table->columns ? "lr" : "lr0";
    const char *losses[] = {steps ? "batch_loss" : "loss", steps ? "loss" : "valid_loss"};
    const char *rates[] = {rate, NULL};
    if (v->epochs.rows == 0 && !steps) {
        puts("\nno epoch is finished yet: there is nothing to draw");
        return true;
    }
    return draw(table, along, "loss", losses, err) && draw(table, along, rate, rates, err);
}

/* ------------------------------------------------------------- for programs */

static void put_fact(const cli_fact *fact)
{
    if (!fact->is_number || cli_fact_is_given(fact))
        cli_put_json(fact->text);
    else
        fputs(isfinite(fact->number) ? fact->text : "null", stdout);
}

static void put_facts(const cli_known *known, cli_fact_kind kind)
{
    bool begun = false;
    for (size_t i = 0; i < known->count; i++) {
        const cli_fact *fact = &known->facts[i];
        if (fact->kind != kind)
            continue;
        fputs(begun ? ", " : "", stdout);
        begun = true;
        cli_put_json(cli_fact_key(fact));
        fputs(": ", stdout);
        put_fact(fact);
    }
}

static void put_event(const an_stored_event *event)
{
    char time[SHOWN_SIZE], seconds[SHOWN_SIZE];
    an_number_print(time, sizeof time, event->time);
    an_number_print(seconds, sizeof seconds, event->seconds);
    printf("{\"time\": %s, \"step\": %lld, \"epoch\": %lld, \"seconds\": %s, \"kind\": ", time,
           (long long)event->step, (long long)event->epoch, seconds);
    cli_put_json(event->kind);
    fputs(", \"text\": ", stdout);
    cli_put_json(event->text);
    putchar('}');
}

static void print_json(const view *v)
{
    putchar('{');
    put_facts(v->known, CLI_FACT_RUN);
    fputs(",\n\"values\": {", stdout);
    put_facts(v->known, CLI_FACT_VALUE);
    fputs("},\n\"parameters\": {", stdout);
    put_facts(v->known, CLI_FACT_PARAM);
    fputs("},\n\"epochs\": ", stdout);
    cli_rows_print(&v->epochs, CLI_JSON);
    fputs(",\n\"events\": [", stdout);
    for (size_t i = 0; i < v->events.count; i++) {
        fputs(i > 0 ? ",\n" : "\n", stdout);
        put_event(&v->events.events[i]);
    }
    fputs("\n]}\n", stdout);
}

static void print_csv(const view *v)
{
    puts("name,value");
    for (size_t i = 0; i < v->known->count; i++) {
        cli_put_csv(v->known->facts[i].name);
        putchar(',');
        cli_put_csv(v->known->facts[i].text);
        putchar('\n');
    }
}

/* ----------------------------------------------------------------- the command */

static bool print(const view *v, const request *r, an_error *err)
{
    bool ok = true;
    if (r->format == CLI_JSON)
        print_json(v);
    else if (r->format == CLI_CSV)
        print_csv(v);
    else
        ok = print_text(v, err);
    return ok && (!r->plot || draw_all(v, err)) && cli_flush(err);
}

static bool show(const request *r, an_error *err)
{
    cli_runs runs;
    view v = {.known = NULL};
    bool ok = cli_runs_open(&runs, r->folder, err);
    v.known = ok ? cli_runs_find(&runs, r->name, err) : NULL;
    if (v.known) {
        int64_t id = v.known->run->id;
        ok = an_store_rows(runs.store, id, true, &v.epochs, err) &&
             an_store_events(runs.store, id, &v.events, err) &&
             (!r->plot || an_store_rows(runs.store, id, false, &v.steps, err)) && print(&v, r, err);
    }
    ok = ok && v.known;
    an_table_free(&v.epochs);
    an_table_free(&v.steps);
    an_stored_events_free(&v.events);
    cli_runs_close(&runs);
    return ok;
}

int cli_runs_show(int argc, char **argv)
{
    an_error err = {0};
    request r = {.folder = "runs", .format = CLI_TEXT};
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = show(&r, &err) ? CLI_DONE : cli_fail(&err);
    return status;
}
