/* What the runs' models take for what: their weights are tested on their test sets. */
#include "cli/find.h"
#include "cli/report.h"

#include <anneal/metric.h>

#include <math.h>
#include <stdio.h>

#define CELL_SIZE 32

/* Whether the model gives a score for each of its labels' classes. */
static bool chooses_classes(const an_run *run, const char *name, an_error *err)
{
    bool one_label = an_dataset_kind(run->test_data) != AN_DATA_TOKENS;
    int64_t classes = an_dataset_classes(run->test_data);
    return (one_label && classes > 1 &&
            an_shape_size(an_model_output_shape(run->model)) == classes) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "--confusion is of models that choose one of several classes, which '%s' "
                        "does not; leave the option out or the run",
                        name);
}

static bool add_batches(const an_run *run, an_confusion *confusion, an_graph *graph, an_error *err)
{
    an_batch batch;
    bool ok = true;
    an_loader_seek(run->test, 0);
    while (ok && an_loader_next(run->test, &batch)) {
        an_tensor *scores = an_forward(run->model, graph, batch.x);
        ok = !an_graph_error(graph, err) &&
             an_confusion_add(confusion, scores->data, batch.y.data, batch.size, err);
        an_graph_reset(graph, NULL);
    }
    return ok;
}

/* The run's answers to its test set; NULL with err. */
static an_confusion *test(const an_run *run, an_error *err)
{
    an_confusion *confusion = an_confusion_new(an_dataset_classes(run->test_data), err);
    an_graph *graph = confusion ? an_graph_new(run->context, err) : NULL;
    bool ok = graph != NULL;
    if (ok) {
        an_model_set_training(run->model, false);
        an_graph_set_grad(graph, false);
        ok = add_batches(run, confusion, graph, err);
    }
    an_graph_free(graph);
    if (!ok)
        an_confusion_free(confusion);
    return ok ? confusion : NULL;
}

/* ---------------------------------------------------------------- the page */

static bool add_matrix(cli_report *report, size_t r, const an_confusion *confusion, an_error *err)
{
    size_t classes = (size_t)an_confusion_classes(confusion);
    int64_t *counts = an_arena_alloc(&report->arena, classes * classes * sizeof *counts);
    if (!counts)
        return cli_report_no_memory(err);
    for (size_t i = 0; i < classes * classes; i++)
        counts[i] = an_confusion_count(confusion, (int64_t)(i / classes), (int64_t)(i % classes));
    report->matrices[report->page.matrix_count++] =
        (an_page_matrix){report->names[r + 1], classes, counts};
    return true;
}

/* "97.9", or nothing of NaN. */
static const char *percent(cli_report *report, double share)
{
    char text[CELL_SIZE];
    long tenths = isnan(share) ? 0 : lround(1000 * share);
    an_format(text, sizeof text, "%ld.%ld", tenths / 10, tenths % 10);
    return isnan(share) ? NULL : cli_report_text(report, text);
}

static const char *whole(cli_report *report, int64_t value)
{
    char text[CELL_SIZE];
    an_format(text, sizeof text, "%lld", (long long)value);
    return cli_report_text(report, text);
}

/* Precision, recall and F1 of every class, folded. */
static bool add_classes(cli_report *report, size_t r, const an_confusion *confusion, an_error *err)
{
    static const char *const heads[] = {"class", "samples", "precision, %", "recall, %", "F1, %"};
    char title[256];
    size_t classes = (size_t)an_confusion_classes(confusion), columns = 5;
    const char **cells = an_arena_alloc(&report->arena, columns * classes * sizeof *cells);
    an_format(title, sizeof title, "Classes of %s", report->names[r + 1]);
    char *name = cli_report_text(report, title);
    if (!cells || !name)
        return cli_report_no_memory(err);
    for (size_t i = 0; i < classes; i++) {
        int64_t label = (int64_t)i;
        const char **row = cells + i * columns;
        row[0] = whole(report, label);
        row[1] = whole(report, an_confusion_support(confusion, label));
        row[2] = percent(report, an_confusion_precision(confusion, label));
        row[3] = percent(report, an_confusion_recall(confusion, label));
        row[4] = percent(report, an_confusion_f1(confusion, label));
        if (!row[0] || !row[1])
            return cli_report_no_memory(err);
    }
    report->tables[report->page.table_count++] =
        (an_page_table){name, NULL, heads, columns, classes, cells, true};
    return true;
}

static bool add_run(cli_report *report, size_t r, const char *folder, const char *data,
                    an_error *err)
{
    cli_loaded loaded;
    cli_wanted wanted = {
        .what = report->run[r].known->run->name, .runs = folder, .data = data, .threads = -1};
    an_confusion *confusion = NULL;
    if (cli_load(&wanted, &loaded, err) && chooses_classes(loaded.run, wanted.what, err))
        confusion = test(loaded.run, err);
    cli_unload(&loaded);
    bool ok = confusion && add_matrix(report, r, confusion, err) &&
              add_classes(report, r, confusion, err);
    an_confusion_free(confusion);
    return ok;
}

/* The runs that could not be tested, a name and a reason each: on the page, and said. */
static void add_left_out(cli_report *report, const char *const *cells, size_t count)
{
    static const char *const heads[] = {"run", "why"};
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "anneal: no confusion matrix of '%s': %s\n", cells[2 * i],
                cells[2 * i + 1]);
    if (count > 0)
        report->tables[report->page.table_count++] =
            (an_page_table){"No confusion matrix", NULL, heads, 2, count, cells, false};
}

bool cli_report_confusion(cli_report *report, const char *folder, const char *data, an_error *err)
{
    const char **cells = an_arena_alloc(&report->arena, 2 * report->count * sizeof *cells);
    size_t left_out = 0;
    if (!cells)
        return cli_report_no_memory(err);
    for (size_t r = 0; r < report->count; r++) {
        an_error failure = {0};
        if (add_run(report, r, folder, data, &failure))
            continue;
        const char *reason = cli_report_text(report, failure.message);
        if (failure.code == AN_ERROR_MEMORY || !reason)
            return cli_report_no_memory(err);
        if (left_out == 0 && err)
            *err = failure;
        cells[2 * left_out] = report->names[r + 1];
        cells[2 * left_out++ + 1] = reason;
    }
    if (left_out == report->count)
        return false;
    add_left_out(report, cells, left_out);
    return true;
}
