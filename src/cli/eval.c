/* anneal eval: loss and accuracy of weights on the test set. */
#include "cli/find.h"

#include <anneal/term.h>

#include <string.h>

enum {
    OPTION_DATA,
    OPTION_CHECKPOINT,
    OPTION_CONFIG,
    OPTION_RUNS,
    OPTION_THREADS,
    OPTION_FORMAT,
    OPTION_HELP
};

static const cli_option options[] = {
    [OPTION_DATA] = {"data", "PATH", "take the test set from here (default: the run's)"},
    [OPTION_CHECKPOINT] = {"checkpoint", "last|best",
                           "which of a run's weights (default: its end's)"},
    [OPTION_CONFIG] = {"config", "FILE", "what a file of weights was trained with"},
    [OPTION_RUNS] = {"runs", "FOLDER", "where the runs lie (default: runs)"},
    [OPTION_THREADS] = {"threads", "N", "compute with N threads; 0 is one per core"},
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

static bool take_option(request *r, int option, const char *value)
{
    static const char *const kinds[] = {"last", "best"}, *const formats[] = {"text", "json"};
    int choice;
    switch (option) {
    case OPTION_DATA:
        r->wanted.data = value;
        return true;
    case OPTION_CHECKPOINT:
        r->wanted.checkpoint = value;
        return cli_choice("checkpoint", value, kinds, 2) >= 0;
    case OPTION_CONFIG:
        r->wanted.config = value;
        return true;
    case OPTION_RUNS:
        r->wanted.runs = value;
        return true;
    case OPTION_THREADS:
        return cli_integer("threads", value, 0, AN_MAX_THREADS, &r->wanted.threads);
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
    const char *value;
    int option, rest;
    while ((option = cli_next(&arguments, &value, &rest)) >= 0)
        if (!take_option(r, option, value))
            return CLI_WRONG;
    if (option == CLI_BAD)
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
