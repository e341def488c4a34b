/* anneal report: runs as one HTML file. */
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

typedef struct request {
    const char *names[CLI_REPORT_RUNS];
    size_t count;
    const char *output, *data, *folder;
    bool confusion;
} request;

static const cli_option options[] = {
    {"output", "FILE", "where to write, -o for short (default: report.html)",
     CLI_SET_TEXT(request, output)},
    {"confusion", NULL, "test the runs' weights: what was taken for what",
     CLI_SET_FLAG(request, confusion)},
    {"data", "FOLDER", "with --confusion: take the test set from here",
     CLI_SET_TEXT(request, data)},
    {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(request, folder)},
};

static const cli_usage usage = {
    .command = "anneal report",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .letters = "o",
    .about =
        "Usage: anneal report RUN... [OPTION]...\n"
        "Writes what runs came to into one HTML file, which opens in any browser without a\n"
        "network: charts that zoom, what differs between the runs, results, times and events.\n",
    .more = "\nExamples:\n"
            "  anneal report mnist-mlp-3f2a --confusion\n"
            "  anneal report mnist-mlp-3f2a mnist-mlp-81c0 -o compared.html",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    r->count = (size_t)rest.count;
    if (r->count < 1 || r->count > CLI_REPORT_RUNS)
        return cli_wrong("anneal report takes 1 to %d runs, got %zu; 'anneal runs list' names them",
                         CLI_REPORT_RUNS, r->count);
    if (r->data && !r->confusion)
        return cli_wrong("--data is the test set of --confusion; give both or none");
    for (size_t i = 0; i < r->count; i++)
        r->names[i] = rest.each[i];
    return CLI_TAKEN;
}

/* ------------------------------------------------------------------ shared */

bool cli_report_no_memory(an_error *err)
{
    return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the report");
}

char *cli_report_text(cli_report *report, const char *text)
{
    return an_arena_text(&report->arena, text, strlen(text));
}

/* ----------------------------------------------------------------- reading */

static bool read_run(cli_report *report, const char *name, an_error *err)
{
    cli_report_run *run = &report->run[report->count];
    run->known = cli_runs_find(&report->runs, name, err);
    if (!run->known)
        return false;
    for (size_t i = 0; i < report->count; i++)
        if (report->run[i].known == run->known)
            return an_error_set(err, AN_ERROR_ARGUMENT, "the run '%s' is given twice", name);
    int64_t id = run->known->run->id;
    report->names[++report->count] = run->known->run->name;
    return an_store_rows(report->runs.store, id, true, &run->epochs, err) &&
           an_store_rows(report->runs.store, id, false, &run->steps, err) &&
           an_store_events(report->runs.store, id, &run->events, err);
}

static bool read_runs(cli_report *report, const request *r, an_error *err)
{
    report->names[0] = "";
    if (!cli_runs_open(&report->runs, r->folder, err))
        return false;
    for (size_t i = 0; i < r->count; i++)
        if (!read_run(report, r->names[i], err))
            return false;
    return true;
}

static void close_report(cli_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        an_table_free(&report->run[i].epochs);
        an_table_free(&report->run[i].steps);
        an_stored_events_free(&report->run[i].events);
    }
    cli_runs_close(&report->runs);
    an_arena_free(&report->arena);
}

/* ----------------------------------------------------------------- the command */

/* "mnist-mlp-3f2a", or how many there are. */
static bool add_title(cli_report *report, an_error *err)
{
    char text[64];
    an_format(text, sizeof text, "%zu runs", report->count);
    report->page.title = report->count == 1 ? report->names[1] : cli_report_text(report, text);
    return report->page.title || cli_report_no_memory(err);
}

static bool write_report(cli_report *report, const request *r, an_error *err)
{
    report->page = (an_page){.runs = report->names + 1,
                             .run_count = report->count,
                             .charts = report->charts,
                             .tables = report->tables,
                             .matrices = report->matrices,
                             .texts = report->texts};
    if (!add_title(report, err) || !cli_report_charts(report, err) ||
        !cli_report_tables(report, err))
        return false;
    if (r->confusion && !cli_report_confusion(report, r->folder, r->data, err))
        return false;
    if (!an_report_page(&report->page, r->output, NULL, err))
        return false;
    printf("wrote %s\n", r->output);
    return cli_flush(err);
}

static int run(const request *r)
{
    an_error err = {0};
    cli_report *report = calloc(1, sizeof *report);
    if (!report) {
        cli_report_no_memory(&err);
        return cli_fail(&err);
    }
    an_arena_init(&report->arena, an_allocator_default());
    bool ok = read_runs(report, r, &err) && write_report(report, r, &err);
    close_report(report);
    free(report);
    return ok ? CLI_DONE : cli_fail(&err);
}

int cli_report_command(int argc, char **argv)
{
    request r = {.output = "report.html", .folder = "runs"};
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = run(&r);
    return status;
}
