/* anneal: finds the subcommand and runs it. */
#include "cli/cli.h"

#include <locale.h>
#include <string.h>
#include <time.h>

static const cli_command commands[] = {
    {"train", "train a model as a configuration says", cli_train},
    {"resume", "go on with a run that was interrupted", cli_resume},
    {"eval", "loss and accuracy of a run's or a file's weights", cli_eval},
    {"predict", "classes and probabilities of new samples", cli_predict},
    {"sample", "text that a model of a text writes", cli_sample},
    {"runs", "look up, compare and delete what was trained", cli_runs_command},
    {"report", "runs as one HTML file with charts", cli_report_command},
    {"list", "layers, losses, optimizers and metrics with their arguments", cli_list},
    {"schedule", "look at schedules: table, plot, lint, explain, import, export", cli_schedule},
};

static const cli_group group = {
    .prefix = "",
    .commands = commands,
    .count = sizeof commands / sizeof *commands,
    .about = "Usage: anneal COMMAND [ARGUMENT]...\n"
             "Trains neural networks under learning-rate schedules.\n",
    .more = "  --help      this text; anneal COMMAND --help says more\n"
            "  --version   the version\n"
            "\nExample:\n  anneal train examples/mnist-mlp.yaml\n"
            "\nExit status: 0 done, 1 the work failed (data, training, input or output),\n"
            "2 wrong arguments or configuration.\n",
};

static double started;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double cli_uptime(void)
{
    return now() - started;
}

static int run(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--version") != 0)
        return cli_run_group(&group, argc, argv);
    puts("anneal " AN_VERSION_TEXT);
    return CLI_DONE;
}

int main(int argc, char **argv)
{
    an_error err = {0};
    started = now();
    setlocale(LC_CTYPE, "");
    int status = run(argc, argv);
    return status == CLI_DONE && !cli_flush(&err) ? cli_fail(&err) : status;
}
