/* anneal runs rm: deletes runs. */
#include "cli/runs.h"

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
} request;

static const cli_option options[] = {
    {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(request, folder)},
};

static const cli_usage usage = {
    .command = "anneal runs rm",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about = "Usage: anneal runs rm RUN... [OPTION]...\n"
             "Deletes runs: their folders with checkpoints and logs, and what the store holds of\n"
             "them. A run that is being trained is spared. Nothing asks again.\n",
    .more = "\nExample:\n  anneal runs rm mnist-mlp-3f2a mnist-mlp-81c0",
};

int cli_runs_rm(int argc, char **argv)
{
    request r = {.folder = "runs"};
    an_error err = {0};
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, &r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (rest.count == 0)
        return cli_wrong("anneal runs rm needs a run, such as mnist-mlp-3f2a; 'anneal runs list' "
                         "names them");
    return remove_all(r.folder, rest.each, rest.count, &err) ? CLI_DONE : cli_fail(&err);
}
