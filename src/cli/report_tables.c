/* The tables of a report, and the runs' configurations. */
#include "cli/report.h"

#include <anneal/term.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_SIZE 64
#define NAMES_MOST 256
#define EVENTS_OPEN 12

/* A table under construction, whose cells lie in the arena. */
typedef struct grid {
    cli_report *report;
    const char **cells;
    size_t columns, rows;
    bool failed; /* no memory */
} grid;

static grid new_grid(cli_report *report, size_t columns, size_t rows)
{
    grid g = {report, NULL, columns, rows, false};
    size_t count = columns * rows + 1;
    g.cells = an_arena_alloc(&report->arena, count * sizeof *g.cells);
    g.failed = !g.cells;
    for (size_t i = 0; g.cells && i < count; i++)
        g.cells[i] = NULL;
    return g;
}

/* Copies the text. */
static void put(grid *g, size_t row, size_t column, const char *text)
{
    if (g->failed)
        return;
    char *copy = cli_report_text(g->report, text);
    g->cells[row * g->columns + column] = copy;
    g->failed = !copy;
}

static bool add_table(grid *g, an_page_table table, an_error *err)
{
    if (g->failed)
        return cli_report_no_memory(err);
    table.columns = g->columns;
    table.rows = g->rows;
    table.cells = g->cells;
    g->report->tables[g->report->page.table_count++] = table;
    return true;
}

static void put_fact(grid *g, size_t row, size_t column, const cli_fact *fact)
{
    char buffer[CELL_SIZE];
    if (fact)
        put(g, row, column, cli_fact_shown(fact, buffer, sizeof buffer));
}

/* ----------------------------------------------------------------- results */

static bool is_result(const cli_fact *fact)
{
    static const char *const hidden[] = {
        "samples", "step", "epoch", "epoch_seconds", "samples_per_second", "seconds", "memory"};
    return fact->kind == CLI_FACT_VALUE &&
           !cli_is_listed(hidden, sizeof hidden / sizeof *hidden, fact->name);
}

/* What a run is, then what was measured last and at the end. */
static size_t result_names(const cli_report *report, const char *names[NAMES_MOST])
{
    static const char *const first[] = {"status", "started", "seconds", "epoch", "step"};
    size_t count = 0;
    for (; count < sizeof first / sizeof *first; count++)
        names[count] = first[count];
    for (size_t r = 0; r < report->count; r++) {
        const cli_known *known = report->run[r].known;
        for (size_t f = 0; f < known->count && count < NAMES_MOST - 1; f++)
            if (is_result(&known->facts[f]) && !cli_is_listed(names, count, known->facts[f].name))
                names[count++] = known->facts[f].name;
    }
    for (size_t r = 0; r < report->count; r++)
        if (cli_fact_of(report->run[r].known, "note") && !cli_is_listed(names, count, "note"))
            names[count++] = "note";
    return count;
}

/* "test_accuracy" as "test accuracy". */
static void put_label(grid *g, size_t row, const char *name)
{
    char text[CELL_SIZE];
    bool time = strcmp(name, "seconds") == 0;
    an_format(text, sizeof text, "%s", time ? "training time" : name);
    for (char *c = text; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    put(g, row, 0, text);
}

/* "3 of 10" where it was to be more. */
static void put_progress(grid *g, size_t row, size_t column, int64_t done, int64_t planned)
{
    char text[CELL_SIZE];
    if (planned > 0 && done != planned)
        an_format(text, sizeof text, "%lld of %lld", (long long)done, (long long)planned);
    else
        an_format(text, sizeof text, "%lld", (long long)done);
    put(g, row, column, text);
}

static bool add_results(cli_report *report, an_error *err)
{
    const char *names[NAMES_MOST];
    size_t count = result_names(report, names);
    grid g = new_grid(report, report->count + 1, count);
    for (size_t i = 0; i < count; i++) {
        put_label(&g, i, names[i]);
        for (size_t r = 0; r < report->count; r++) {
            const an_stored_run *run = report->run[r].known->run;
            if (strcmp(names[i], "epoch") == 0)
                put_progress(&g, i, r + 1, run->epoch, run->epochs);
            else if (strcmp(names[i], "step") == 0)
                put_progress(&g, i, r + 1, run->step, run->steps);
            else
                put_fact(&g, i, r + 1, cli_fact_of(report->run[r].known, names[i]));
        }
    }
    return add_table(&g, (an_page_table){.title = "Results", .heads = report->names}, err);
}

/* ------------------------------------------------------------- differences */

static bool add_differences(cli_report *report, an_error *err)
{
    const char *names[NAMES_MOST];
    const cli_known *known[CLI_REPORT_RUNS];
    for (size_t r = 0; r < report->count; r++)
        known[r] = report->run[r].known;
    size_t count = cli_runs_differences(known, report->count, true, names, NAMES_MOST);
    grid g = new_grid(report, report->count + 1, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t r = 0; r < report->count; r++) {
            const cli_fact *fact = cli_fact_of(known[r], names[i]);
            if (!fact)
                continue;
            put(&g, i, 0, cli_fact_key(fact));
            put(&g, i, r + 1, fact->text);
        }
    }
    an_page_table table = {.title = "What differs",
                           .heads = report->names,
                           .note = count == 0 ? "The configurations are the same." : NULL};
    return report->count < 2 || add_table(&g, table, err);
}

/* ------------------------------------------------------------------ events */

static bool add_events(cli_report *report, an_error *err)
{
    static const char *const heads[] = {"run", "when", "step", "what", ""};
    char text[CELL_SIZE];
    size_t count = 0, row = 0;
    for (size_t r = 0; r < report->count; r++)
        count += report->run[r].events.count;
    grid g = new_grid(report, 5, count);
    for (size_t r = 0; r < report->count; r++)
        for (size_t i = 0; i < report->run[r].events.count; i++, row++) {
            const an_stored_event *e = &report->run[r].events.events[i];
            put(&g, row, 0, report->names[r + 1]);
            cli_time_text(text, sizeof text, e->time);
            put(&g, row, 1, text);
            an_format(text, sizeof text, "%lld", (long long)e->step);
            put(&g, row, 2, text);
            put(&g, row, 3, e->kind);
            put(&g, row, 4, e->text);
        }
    an_page_table table = {.title = "Events", .heads = heads, .folded = count > EVENTS_OPEN};
    return count == 0 || add_table(&g, table, err);
}

/* ------------------------------------------------------------------- times */

static double cell_of(const an_table *table, size_t row, const char *name)
{
    const size_t column = cli_column_of(table, name);
    return column < table->columns ? table->values[row * table->columns + column] : NAN;
}

static bool add_times(cli_report *report, an_error *err)
{
    char text[CELL_SIZE];
    size_t rows = 0;
    for (size_t r = 0; r < report->count; r++)
        rows = report->run[r].epochs.rows > rows ? report->run[r].epochs.rows : rows;
    grid g = new_grid(report, report->count + 1, rows);
    for (size_t i = 0; i < rows; i++) {
        an_format(text, sizeof text, "%zu", i + 1);
        put(&g, i, 0, text);
        for (size_t r = 0; r < report->count; r++) {
            const an_table *epochs = &report->run[r].epochs;
            double seconds = i < epochs->rows ? cell_of(epochs, i, "epoch_seconds") : NAN;
            an_term_duration(text, sizeof text, seconds);
            if (!isnan(seconds))
                put(&g, i, r + 1, text);
        }
    }
    an_page_table table = {.title = "Time of each epoch", .heads = report->names, .folded = true};
    return rows == 0 || add_table(&g, table, err);
}

/* ---------------------------------------------------------- configurations */

/* A run's folder may be gone: then there is nothing to show. */
static bool add_configuration(cli_report *report, size_t r, an_error *err)
{
    char path[1024], title[256];
    size_t length = 0;
    const an_stored_run *run = report->run[r].known->run;
    if (an_format(path, sizeof path, "%s/resolved.yaml", run->folder) >= sizeof path)
        return true;
    char *text = cli_read_file(path, "configuration", &length, NULL);
    if (!text)
        return true;
    an_format(title, sizeof title, "Configuration of %s", run->name);
    an_page_text shown = {cli_report_text(report, title), cli_report_text(report, text)};
    free(text);
    report->texts[report->page.text_count++] = shown;
    return (shown.title && shown.text) || cli_report_no_memory(err);
}

bool cli_report_tables(cli_report *report, an_error *err)
{
    bool ok = add_results(report, err) && add_differences(report, err) && add_events(report, err) &&
              add_times(report, err);
    for (size_t r = 0; ok && r < report->count; r++)
        ok = add_configuration(report, r, err);
    return ok;
}
