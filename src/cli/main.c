/* anneal: finds the subcommand and runs it. */
#include "cli/cli.h"

#include <locale.h>
#include <string.h>
#include <time.h>

static const cli_command commands[] = {
    {"train", "train a model as a configuration says", cli_train},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

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

static void print_help(FILE *stream)
{
    fputs("Usage: anneal COMMAND [ARGUMENT]...\n"
          "Trains neural networks under learning-rate schedules.\n\nCommands:\n",
          stream);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(stream, "  %-12s%s\n", commands[i].name, commands[i].summary);
    fputs("\n  --help      this text; anneal COMMAND --help says more\n"
          "  --version   the version\n"
          "\nExample:\n  anneal train examples/mnist-mlp.yaml\n"
          "\nExit status: 0 done, 1 the work failed (data, training, input or output),\n"
          "2 wrong arguments or configuration.\n",
          stream);
}

static int unknown_command(const char *word)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *near = an_nearest(word, strlen(word), names, COMMAND_COUNT);
    const char *what = word[0] == '-' ? "option" : "command";
    if (near)
        return cli_wrong("there is no %s '%s'; did you mean '%s'?", what, word, near);
    return cli_wrong("there is no %s '%s'; 'anneal --help' lists what there is", what, word);
}

int main(int argc, char **argv)
{
    started = now();
    setlocale(LC_CTYPE, "");
    const char *word = argc > 1 ? argv[1] : NULL;
    if (!word) {
        print_help(stderr);
        return CLI_WRONG;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_help(stdout);
        return CLI_DONE;
    }
    if (strcmp(word, "--version") == 0) {
        puts("anneal " AN_VERSION_TEXT);
        return CLI_DONE;
    }
    return unknown_command(word);
}
