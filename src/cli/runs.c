/* anneal runs: finds its subcommand. */
#include "cli/runs.h"

static const cli_command commands[] = {
    {"list", "the runs, filtered and sorted", cli_runs_list},
    {"show", "everything about a run, with plots", cli_runs_show},
    {"compare", "what differs between runs", cli_runs_compare},
    {"export", "the logged numbers of a run as CSV or JSON", cli_runs_export},
    {"rm", "delete runs with everything that belongs to them", cli_runs_rm},
};

static const cli_group group = {
    .prefix = "runs ",
    .commands = commands,
    .count = sizeof commands / sizeof *commands,
    .about =
        "Usage: anneal runs COMMAND [ARGUMENT]...\n"
        "Looks up what was trained. Runs lie in the folder runs, or the one that --runs names.\n",
    .more = "Examples:\n"
            "  anneal runs list --where 'test_accuracy>0.98' --sort -test_accuracy\n"
            "  anneal runs show mnist-mlp-3f2a --plot\n"
            "  anneal runs compare mnist-mlp-3f2a mnist-mlp-81c0\n",
};

int cli_runs_command(int argc, char **argv)
{
    return cli_run_group(&group, argc, argv);
}
