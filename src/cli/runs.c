/* anneal runs: finds its subcommand. */
#include "cli/runs.h"

#include <string.h>

static const cli_command commands[] = {
    {"list", "the runs, filtered and sorted", cli_runs_list},
    {"show", "everything about a run, with plots", cli_runs_show},
    {"compare", "what differs between runs", cli_runs_compare},
    {"export", "the logged numbers of a run as CSV or JSON", cli_runs_export},
    {"rm", "delete runs with everything that belongs to them", cli_runs_rm},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_help(FILE *stream)
{
    fputs("Usage: anneal runs COMMAND [ARGUMENT]...\n"
          "Looks up what was trained. Runs lie in the folder runs, or the one that --runs names.\n"
          "\nCommands:\n",
          stream);
    cli_print_commands(stream, commands, COMMAND_COUNT);
    fputs("\nExamples:\n"
          "  anneal runs list --where 'test_accuracy>0.98' --sort -test_accuracy\n"
          "  anneal runs show mnist-mlp-3f2a --plot\n"
          "  anneal runs compare mnist-mlp-3f2a mnist-mlp-81c0\n",
          stream);
}

int cli_runs_command(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_WRONG;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return CLI_DONE;
    }
    return cli_run_command(commands, COMMAND_COUNT, "runs ", argc, argv);
}
