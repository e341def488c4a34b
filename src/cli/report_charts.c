/* The charts of a report: logged columns over epochs. */
#include "cli/report.h"

#include <math.h>
#include <string.h>

#define GROUPS_MOST 16
#define NAME_SIZE 64
/* More marks of one kind and run are too many to tell apart. */
#define MARKS_MOST 24

/* A line of every run in a chart: a column, and what it is called there. */
typedef struct part {
    const char *column, *name;
    int dash;
    bool steps; /* of the updates' rows, where some were logged */
} part;

/* A chart to be made, of the parts that any run has. */
typedef struct chart_plan {
    const char *title, *label;
    bool may_be_log;
    double factor; /* what values are multiplied by */
    const part *parts;
    size_t part_count;
} chart_plan;

/* ----------------------------------------------------------------- columns */

/* The value of a row, NaN where there is no such column. */
static double value_of(const an_table *table, size_t row, size_t column)
{
    return column < table->columns ? table->values[row * table->columns + column] : NAN;
}

static bool has_numbers(const an_table *table, size_t column)
{
    for (size_t row = 0; column < table->columns && row < table->rows; row++)
        if (!isnan(value_of(table, row, column)))
            return true;
    return false;
}

double cli_report_epoch(const cli_report_run *run, double step)
{
    const an_table *t = &run->epochs;
    const an_stored_run *r = run->known->run;
    size_t steps = cli_column_of(t, "step"), epochs = cli_column_of(t, "epoch");
    double from = 0, from_epoch = 0;
    double rate = r->steps > 0 && r->epochs > 0 ? (double)r->epochs / (double)r->steps : 0;
    for (size_t row = 0; row < t->rows; row++) {
        double to = value_of(t, row, steps), to_epoch = value_of(t, row, epochs);
        if (to > from)
            rate = (to_epoch - from_epoch) / (to - from);
        if (step <= to)
            break;
        from = to;
        from_epoch = to_epoch;
    }
    return from_epoch + (step - from) * rate;
}

/* ------------------------------------------------------------------- lines */

/* Of the part's two tables the one to take. */
static const an_table *table_of(const cli_report_run *run, const part *p)
{
    return p->steps && run->steps.rows > 1 ? &run->steps : &run->epochs;
}

static bool fill_line(cli_report *report, size_t r, const part *p, double factor,
                      an_chart_line *line)
{
    const cli_report_run *run = &report->run[r];
    const an_table *table = table_of(run, p);
    size_t column = cli_column_of(table, p->column), step = cli_column_of(table, "step"),
           n = table->rows;
    double *x = an_arena_alloc(&report->arena, (n + 1) * sizeof *x);
    double *y = an_arena_alloc(&report->arena, (n + 1) * sizeof *y);
    *line = (an_chart_line){r, p->name, p->dash, x, y, n};
    for (size_t row = 0; x && y && row < n; row++) {
        x[row] = cli_report_epoch(run, value_of(table, row, step));
        y[row] = factor * value_of(table, row, column);
    }
    return x && y;
}

/* Adds the chart unless no run has anything for it. */
static bool add_chart(cli_report *report, const chart_plan *plan, an_error *err)
{
    an_page *page = &report->page;
    an_chart_line *lines =
        an_arena_alloc(&report->arena, report->count * plan->part_count * sizeof *lines);
    size_t count = 0;
    if (!lines)
        return cli_report_no_memory(err);
    for (size_t r = 0; r < report->count; r++)
        for (size_t i = 0; i < plan->part_count; i++) {
            const part *p = &plan->parts[i];
            const an_table *table = table_of(&report->run[r], p);
            if (!has_numbers(table, cli_column_of(table, p->column)))
                continue;
            if (!fill_line(report, r, p, plan->factor, &lines[count++]))
                return cli_report_no_memory(err);
        }
    if (count > 0 && page->chart_count < CLI_REPORT_CHARTS)
        report->charts[page->chart_count++] =
            (an_chart){plan->title, "epoch", plan->label, plan->may_be_log, lines, count};
    return true;
}

/* -------------------------------------------------------------- the charts */

static bool add_losses(cli_report *report, an_error *err)
{
    static const part loss[] = {{"loss", "training", 0, false},
                                {"valid_loss", "validation", 1, false}};
    static const part accuracy[] = {{"accuracy", "training", 0, false},
                                    {"valid_accuracy", "validation", 1, false}};
    const chart_plan plans[] = {{"Loss", "loss", true, 1, loss, 2},
                                {"Accuracy", "accuracy, %", false, 100, accuracy, 2}};
    return add_chart(report, &plans[0], err) && add_chart(report, &plans[1], err);
}

/* "lr" of one group, "lr0", "lr1", ... of several. */
static bool add_groups(cli_report *report, const char *title, const char *column, bool may_be_log,
                       an_error *err)
{
    part parts[GROUPS_MOST + 1] = {{column, column, 0, true}};
    chart_plan plan = {title, column, may_be_log, 1, parts, GROUPS_MOST + 1};
    for (size_t i = 0; i < GROUPS_MOST; i++) {
        char text[NAME_SIZE];
        an_format(text, sizeof text, "%s%zu", column, i);
        parts[i + 1] = (part){cli_report_text(report, text), NULL, (int)(i % 4), true};
        an_format(text, sizeof text, "group %zu", i);
        parts[i + 1].name = cli_report_text(report, text);
        if (!parts[i + 1].column || !parts[i + 1].name)
            return cli_report_no_memory(err);
    }
    return add_chart(report, &plan, err);
}

static bool add_updates(cli_report *report, an_error *err)
{
    static const part loss = {"batch_loss", "loss of an update", 0, true};
    static const part norm = {"grad_norm", "gradient norm", 0, true};
    const chart_plan plans[] = {{"Loss of updates", "loss", true, 1, &loss, 1},
                                {"Gradient norm", "norm", true, 1, &norm, 1}};
    return add_chart(report, &plans[0], err) && add_chart(report, &plans[1], err);
}

static bool add_times(cli_report *report, an_error *err)
{
    static const part time = {"epoch_seconds", "seconds", 0, false};
    const chart_plan plan = {"Time per epoch", "seconds", false, 1, &time, 1};
    return add_chart(report, &plan, err);
}

/* ------------------------------------------------------------ other metrics */

/* Whether the name is a column that every log has. */
static bool is_usual(const char *name)
{
    static const char *const usual[] = {"step",
                                        "epoch",
                                        "samples",
                                        "seconds",
                                        "loss",
                                        "epoch_seconds",
                                        "accuracy",
                                        "valid_loss",
                                        "valid_accuracy",
                                        "lr",
                                        "momentum",
                                        "grad_norm",
                                        "samples_per_second",
                                        "memory"};
    if (cli_is_listed(usual, sizeof usual / sizeof *usual, name))
        return true;
    return (strncmp(name, "lr", 2) == 0 && name[2] >= '0' && name[2] <= '9') ||
           (strncmp(name, "momentum", 8) == 0 && name[8] >= '0' && name[8] <= '9');
}

static bool has_chart(const cli_report *report, const char *title)
{
    for (size_t i = 0; i < report->page.chart_count; i++)
        if (strcmp(report->charts[i].title, title) == 0)
            return true;
    return false;
}

/* A chart for a metric by its name; "valid_top5" goes with "top5". */
static bool add_metric(cli_report *report, const char *name, an_error *err)
{
    char text[NAME_SIZE];
    const char *bare = strncmp(name, "valid_", 6) == 0 ? name + 6 : name;
    if (has_chart(report, bare))
        return true;
    an_format(text, sizeof text, "valid_%s", bare);
    const char *valid = cli_report_text(report, text);
    const part parts[] = {{bare, "training", 0, false}, {valid, "validation", 1, false}};
    const chart_plan plan = {bare, bare, true, 1, parts, 2};
    return valid ? add_chart(report, &plan, err) : cli_report_no_memory(err);
}

static bool add_metrics(cli_report *report, an_error *err)
{
    for (size_t r = 0; r < report->count; r++) {
        const an_table *table = &report->run[r].epochs;
        for (size_t c = 0; c < table->columns; c++)
            if (!is_usual(table->names[c]) && !add_metric(report, table->names[c], err))
                return false;
    }
    return true;
}

/* ------------------------------------------------------------------- marks */

static size_t count_kind(const an_stored_events *events, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < events->count; i++)
        count += strcmp(events->events[i].kind, kind) == 0;
    return count;
}

static bool add_marks(cli_report *report, an_error *err)
{
    size_t most = 0;
    for (size_t r = 0; r < report->count; r++)
        most += report->run[r].events.count;
    report->marks = an_arena_alloc(&report->arena, (most + 1) * sizeof *report->marks);
    if (!report->marks)
        return cli_report_no_memory(err);
    report->page.marks = report->marks;
    for (size_t r = 0; r < report->count; r++) {
        const an_stored_events *events = &report->run[r].events;
        for (size_t i = 0; i < events->count; i++) {
            const an_stored_event *e = &events->events[i];
            if (count_kind(events, e->kind) <= MARKS_MOST)
                report->marks[report->page.mark_count++] = (an_page_mark){
                    r, cli_report_epoch(&report->run[r], (double)e->step), e->kind, e->text};
        }
    }
    return true;
}

bool cli_report_charts(cli_report *report, an_error *err)
{
    return add_losses(report, err) && add_groups(report, "Learning rate", "lr", true, err) &&
           add_groups(report, "Momentum", "momentum", false, err) && add_updates(report, err) &&
           add_metrics(report, err) && add_times(report, err) && add_marks(report, err);
}
