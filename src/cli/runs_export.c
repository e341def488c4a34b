/* anneal runs export: a run's logged numbers, for other programs. */
#include "cli/runs.h"

#include <stdio.h>

typedef struct request {
    const char *name, *folder;
    int format;
    bool steps;
} request;

static const cli_option options[] = {
    {"steps", NULL, "the rows of its updates, not of its epochs", CLI_SET_FLAG(request, steps)},
    {"format", "csv|json", "default: csv", CLI_SET_CHOICE(request, format)},
    {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(request, folder)},
};

static const cli_usage usage = {
    .command = "anneal runs export",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal runs export RUN [OPTION]...\n"
        "Prints what a run logged, a row for every epoch or for every logged update, as a CSV\n"
        "log has it: numbers with 17 digits, so that they read back exactly.\n",
    .more = "\nExamples:\n"
            "  anneal runs export mnist-mlp-3f2a > epochs.csv\n"
            "  anneal runs export mnist-mlp-3f2a --steps --format json > steps.json",
};

static int parse(request *r, int argc, char **argv)
{
    return cli_take_one(&usage, argc, argv, r,
                        "one run, such as mnist-mlp-3f2a; 'anneal runs list' names them", &r->name);
}

static bool export_run(const request *r, an_error *err)
{
    cli_runs runs;
    an_table table = {0};
    const cli_known *known =
        cli_runs_open(&runs, r->folder, err) ? cli_runs_find(&runs, r->name, err) : NULL;
    bool ok = known && an_store_rows(runs.store, known->run->id, !r->steps, &table, err);
    if (ok) {
        cli_rows_print(&table, r->format == CLI_JSON ? CLI_JSON : CLI_CSV);
        if (r->format == CLI_JSON)
            putchar('\n');
        ok = cli_flush(err);
        if (ok && r->steps && table.rows == 0)
            fprintf(stderr,
                    "anneal: '%s' has logged no updates; log: {every: 10} logs every tenth\n",
                    known->run->name);
    }
    an_table_free(&table);
    cli_runs_close(&runs);
    return ok;
}

int cli_runs_export(int argc, char **argv)
{
    an_error err = {0};
    request r = {.folder = "runs"};
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = export_run(&r, &err) ? CLI_DONE : cli_fail(&err);
    return status;
}
