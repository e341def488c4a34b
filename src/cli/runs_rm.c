/* anneal runs rm: deletes runs. */
#include "cli/runs.h"

enum { OPTION_RUNS, OPTION_HELP };

static const cli_option options[] = {
    [OPTION_RUNS] = {"runs", "FOLDER", "where the runs lie (default: runs)"},
    [OPTION_HELP] = {"help", NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

static void print_help(void)
{
    puts("Usage: anneal runs rm RUN... [OPTION]...\n"
         "Deletes runs: their folders with checkpoints and logs, and what the store holds of\n"
         "them. A run that is being trained is spared. Nothing asks again.\n");
    cli_print_options(stdout, options, OPTION_COUNT);
    puts("\nExample:\n  anneal runs rm mnist-mlp-3f2a mnist-mlp-81c0");
}

/* Every name must be right before anything is deleted. */
static bool remove_all(const char *folder, char **names, int count, an_error *err)
{
    cli_runs runs;
    bool ok = cli_runs_open(&runs, folder, err);
    for (int i = 0; ok && i < count; i++)
        ok = cli_runs_find(&runs, names[i], err);
    for (int i = 0; ok && i < count; i++) {
        const char *name = cli_runs_find(&runs, names[i], err)->run->name;
        ok = an_store_remove(runs.store, name, err);
        if (ok)
            printf("removed %s\n", name);
    }
    cli_runs_close(&runs);
    return ok && cli_flush(err);
}

typedef struct request {
    const char *folder;
    bool help;
} request;

static bool take_option(void *user, int option, const char *value)
{
    request *r = user;
    if (option == OPTION_RUNS)
        r->folder = value;
    r->help = r->help || option == OPTION_HELP;
    return true;
}

int cli_runs_rm(int argc, char **argv)
{
    cli_arguments arguments = {argc, argv, options, OPTION_COUNT, "anneal runs rm", ""};
    request r = {.folder = "runs"};
    an_error err = {0};
    int rest;
    if (!cli_take_options(&arguments, take_option, &r, &rest))
        return CLI_WRONG;
    if (r.help) {
        print_help();
        return CLI_DONE;
    }
    if (rest == argc)
        return cli_wrong("anneal runs rm needs a run, such as mnist-mlp-3f2a; 'anneal runs list' "
                         "names them");
    return remove_all(r.folder, argv + rest, argc - rest, &err) ? CLI_DONE : cli_fail(&err);
}
