/* anneal schedule: finds its subcommand. */
#include "cli/schedule.h"

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

static const cli_group group = {
    .prefix = "schedule ",
    .commands = commands,
    .count = sizeof commands / sizeof *commands,
    .about = "Usage: anneal schedule COMMAND [ARGUMENT]...\n"
             "Shows learning-rate schedules, written as in PyTorch.\n",
    .more = "Examples:\n"
            "  anneal schedule table 'StepLR(step_size=30)' --steps 90 --base-lr 0.1\n"
            "  anneal schedule plot 'CosineAnnealingLR(T_max=100)' 'LinearLR(total_iters=20)'\n"
            "  anneal schedule list\n",
};

int cli_schedule(int argc, char **argv)
{
    return cli_run_group(&group, argc, argv);
}
