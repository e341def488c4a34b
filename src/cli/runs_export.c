/* anneal runs export: a run's logged numbers, for other programs. */
#include "cli/runs.h"

#include <string.h>

enum { OPTION_STEPS, OPTION_FORMAT, OPTION_RUNS, OPTION_HELP };

static const cli_option options[] = {
    [OPTION_STEPS] = {"steps", NULL, "the rows of its updates, not of its epochs"},
    [OPTION_FORMAT] = {"format", "csv|json", "default: csv"},
    [OPTION_RUNS] = {"runs", "FOLDER", "where the runs lie (default: runs)"},
    [OPTION_HELP] = {"help", NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

typedef struct request {
    const char *name, *folder;
    int format;
    bool steps, help;
} request;

static void print_help(void)
{
    puts("Usage: anneal runs export RUN [OPTION]...\n"
         "Prints what a run logged, a row for every epoch or for every logged update, as a CSV\n"
         "log has it: numbers with 17 digits, so that they read back exactly.\n");
    cli_print_options(stdout, options, OPTION_COUNT);
    puts("\nExamples:\n"
         "  anneal runs export mnist-mlp-3f2a > epochs.csv\n"
         "  anneal runs export mnist-mlp-3f2a --steps --format json > steps.json");
}

static bool take_option(void *user, int option, const char *value)
{
    request *r = user;
    static const char *const formats[] = {"csv", "json"};
    switch (option) {
    case OPTION_STEPS:
        r->steps = true;
        return true;
    case OPTION_FORMAT:
        option = cli_choice("format", value, formats, 2);
        r->format = option == 1 ? CLI_JSON : CLI_CSV;
        return option >= 0;
    case OPTION_RUNS:
        r->folder = value;
        return true;
    default:
        r->help = true;
        return true;
    }
}

static int parse(request *r, int argc, char **argv)
{
    cli_arguments arguments = {argc, argv, options, OPTION_COUNT, "anneal runs export", ""};
    int rest;
    if (!cli_take_options(&arguments, take_option, r, &rest))
        return CLI_WRONG;
    if (r->help)
        return CLI_DONE;
    if (rest + 1 != argc)
        return cli_wrong("anneal runs export takes one run, such as mnist-mlp-3f2a; 'anneal runs "
                         "list' names them");
    r->name = argv[rest];
    return CLI_DONE;
}

static bool export_run(const request *r, an_error *err)
{
    cli_runs runs;
    an_table table = {0};
    const cli_known *known =
        cli_runs_open(&runs, r->folder, err) ? cli_runs_find(&runs, r->name, err) : NULL;
    bool ok = known && an_store_rows(runs.store, known->run->id, !r->steps, &table, err);
    if (ok) {
        cli_rows_print(&table, r->format);
        if (r->format == CLI_JSON)
            putchar('\n');
        ok = cli_flush(err);
    }
    an_table_free(&table);
    cli_runs_close(&runs);
    return ok;
}

int cli_runs_export(int argc, char **argv)
{
    an_error err = {0};
    request r = {.folder = "runs", .format = CLI_CSV};
    int status = parse(&r, argc, argv);
    if (status == CLI_DONE && r.help)
        print_help();
    else if (status == CLI_DONE && !export_run(&r, &err))
        status = cli_fail(&err);
    return status;
}
