/* anneal schedule: finds its subcommand. */
#include "cli/schedule.h"

#include <string.h>

static const cli_command commands[] = {
    {"table", "the values of a schedule, step by step", cli_schedule_table},
    {"plot", "one or several schedules, drawn in the terminal or to a picture", cli_schedule_plot},
    {"bound", "what convex theory promises schedules, and their best rates", cli_schedule_bound},
    {"explain", "how the value at a step comes about", cli_schedule_explain},
    {"export", "a schedule as a C table, CSV or PyTorch's own expression", cli_schedule_export},
    {"import", "a schedule of another system, or of its JSON, in Anneal's text",
     cli_schedule_import},
    {"lint", "what in a schedule is probably not meant, and what was", cli_schedule_lint},
    {"list", "every schedule with its parameters and defaults", cli_schedule_list},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_help(FILE *stream)
{
    fputs("Usage: anneal schedule COMMAND [ARGUMENT]...\n"
          "Shows learning-rate schedules, written as in PyTorch.\n\nCommands:\n",
          stream);
    cli_print_commands(stream, commands, COMMAND_COUNT);
    fputs("\nExamples:\n"
          "  anneal schedule table 'StepLR(step_size=30)' --steps 90 --base-lr 0.1\n"
          "  anneal schedule plot 'CosineAnnealingLR(T_max=100)' 'LinearLR(total_iters=20)'\n"
          "  anneal schedule list\n",
          stream);
}

int cli_schedule(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_WRONG;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return CLI_DONE;
    }
    return cli_run_command(commands, COMMAND_COUNT, "schedule ", argc, argv);
}
