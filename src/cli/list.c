/* anneal list: how layers, losses, optimizers and metrics are called, from the library's tables. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { LAYERS, LOSSES, OPTIMIZERS, METRICS, SORTS };
static const char *const sorts[] = {"layers", "losses", "optimizers", "metrics"};

/* Longer than any call. */
enum { TEXT_SIZE = 512 };

static void print_layers(void)
{
    char text[TEXT_SIZE];
    for (const char *const *name = an_layer_names(); *name; name++) {
        an_layer_signature(*name, text, sizeof text);
        puts(text);
    }
}

static void print_losses(void)
{
    char text[TEXT_SIZE];
    for (int kind = AN_CROSS_ENTROPY_LOSS; kind <= AN_KL_DIV_LOSS; kind++) {
        an_loss_signature((an_loss_kind)kind, text, sizeof text);
        puts(text);
    }
}

static void print_optimizers(void)
{
    char text[TEXT_SIZE];
    for (const char *const *name = an_optim_names(); *name; name++) {
        an_optim_signature(*name, text, sizeof text);
        puts(text);
    }
}

static void print_metrics(void)
{
    char text[TEXT_SIZE];
    for (size_t i = 0; an_metric_signature(i, text, sizeof text) > 0; i++)
        puts(text);
}

static const cli_usage usage = {
    .command = "anneal list",
    .about = "Usage: anneal list [layers | losses | optimizers | metrics]\n"
             "Prints how each is called, with all arguments and their defaults, one a line.\n",
    .more = "\nExamples:\n"
            "  anneal list\n"
            "  anneal list layers",
};

int cli_list(int argc, char **argv)
{
    static void (*const print[])(void) = {print_layers, print_losses, print_optimizers,
                                          print_metrics};
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, NULL, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (rest.count > 1)
        return cli_wrong("anneal list takes one argument, got '%s' and '%s'", rest.each[0],
                         rest.each[1]);
    int chosen = 0;
    while (rest.count == 1 && chosen < SORTS && strcmp(rest.each[0], sorts[chosen]) != 0)
        chosen++;
    if (rest.count == 1 && chosen == SORTS)
        return cli_wrong("anneal list takes layers, losses, optimizers or metrics, got '%s'",
                         rest.each[0]);
    for (int i = 0; i < SORTS; i++)
        if (rest.count == 0 || chosen == i)
            print[i]();
    an_error err = {0};
    return cli_flush(&err) ? CLI_DONE : cli_fail(&err);
}
