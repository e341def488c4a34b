/* anneal eval: loss and accuracy of weights on the test set. */
#include "cli/find.h"

#include <anneal/term.h>

#include <string.h>

enum { OPTION_DATA, OPTION_WANTED, OPTION_FORMAT = OPTION_WANTED + CLI_WANTED_COUNT, OPTION_HELP };

static const cli_option options[] = {
    [OPTION_DATA] = {"data", "PATH", "take the test set from here (default: the run's)"},
    CLI_WANTED_OPTIONS(OPTION_WANTED),
    [OPTION_FORMAT] = {"format", "text|json", "json: one object"},
    [OPTION_HELP] = {"help", NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

typedef struct request {
    cli_wanted wanted;
    bool json, help;
} request;

static void print_help(void)
{
    puts("Usage: anneal eval RUN|FILE [OPTION]...\n"
         "Tests weights: those that a run ended with (without an end: of its last checkpoint), or\n"
         "a file's in safetensors format.\n");
    cli_print_options(stdout, options, OPTION_COUNT);
    puts("\nExamples:\n"
         "  anneal eval mnist-mlp-3f2a --checkpoint best\n"
         "  anneal eval mnist.safetensors --config examples/mnist-mlp.yaml --data data/mnist");
}

static bool take_option(void *user, int option, const char *value)
{
    request *r = user;
    static const char *const formats[] = {"text", "json"};
    int choice;
    if (option >= OPTION_WANTED && option < OPTION_WANTED + CLI_WANTED_COUNT)
        return cli_wanted_take(&r->wanted, option - OPTION_WANTED, value);
    switch (option) {
    case OPTION_DATA:
        r->wanted.data = value;
        return true;
    case OPTION_FORMAT:
        choice = cli_choice("format", value, formats, 2);
        r->json = choice == 1;
        return choice >= 0;
    default:
        r->help = true;
        return true;
    }
}

static int parse(request *r, int argc, char **argv)
{
    cli_arguments arguments = {argc, argv, options, OPTION_COUNT, "anneal eval", ""};
    int rest;
    if (!cli_take_options(&arguments, take_option, r, &rest))
        return CLI_WRONG;
    if (!r->help && rest + 1 != argc)
        return cli_wrong("anneal eval takes one run or file of weights: "
                         "anneal eval mnist-mlp-3f2a");
    r->wanted.what = r->help ? NULL : argv[rest];
    return CLI_DONE;
}

static void print_text(const an_eval_result *result, const char *weights)
{
    char loss[40], count[40];
    an_term_number(loss, sizeof loss, result->loss);
    an_term_count(count, sizeof count, result->samples);
    if (result->accuracy == result->accuracy)
        printf("test accuracy %.1f %%   loss %s   %s samples   %s\n", 100 * result->accuracy, loss,
               count, weights);
    else
        printf("test loss %s   %s samples   %s\n", loss, count, weights);
}

static void print_json(const an_eval_result *result)
{
    char accuracy[40], loss[40];
    an_number_print_short(accuracy, sizeof accuracy, result->accuracy);
    an_number_print_short(loss, sizeof loss, result->loss);
    bool finite = result->loss - result->loss == 0;
    bool counted = result->accuracy == result->accuracy;
    printf("{\"test_accuracy\": %s, \"test_loss\": %s, \"samples\": %lld}\n",
           counted ? accuracy : "null", finite ? loss : "null", (long long)result->samples);
}

static int run(const request *r)
{
    an_error err = {0};
    cli_loaded loaded;
    an_eval_result result;
    bool ok = cli_load(&r->wanted, &loaded, &err) &&
              an_evaluate(loaded.run->model, loaded.run->fit.loss, loaded.run->test, &result, &err);
    if (ok && r->json)
        print_json(&result);
    else if (ok)
        print_text(&result, loaded.weights);
    cli_unload(&loaded);
    return ok ? CLI_DONE : cli_fail(&err);
}

int cli_eval(int argc, char **argv)
{
    request r = {.wanted = {.runs = "runs", .threads = -1}};
    int status = parse(&r, argc, argv);
    if (status == CLI_DONE && r.help)
        print_help();
    else if (status == CLI_DONE)
        status = run(&r);
    return status;
}
