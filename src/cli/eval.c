/* anneal eval: loss and accuracy of weights on the test set. */
#include "cli/find.h"

#include <anneal/term.h>

#include <string.h>

typedef struct request {
    cli_wanted wanted;
    int format;
} request;

static const cli_option options[] = {
    {"data", "PATH", "take the test set from here (default: the run's)",
     CLI_SET_TEXT(request, wanted.data)},
    CLI_WANTED_OPTIONS(request),
    {"format", "text|json", "json: one object", CLI_SET_CHOICE(request, format)},
};

static const cli_usage usage = {
    .command = "anneal eval",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal eval RUN|FILE [OPTION]...\n"
        "Tests weights: those that a run ended with (without an end: of its last checkpoint), or\n"
        "a file's in safetensors format.\n",
    .more = "\nExamples:\n"
            "  anneal eval mnist-mlp-3f2a --checkpoint best\n"
            "  anneal eval mnist.safetensors --config examples/mnist-mlp.yaml --data data/mnist",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (rest.count != 1)
        return cli_wrong("anneal eval takes one run or file of weights: "
                         "anneal eval mnist-mlp-3f2a");
    r->wanted.what = rest.each[0];
    return CLI_TAKEN;
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
    if (ok && r->format == CLI_JSON)
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
    if (status == CLI_TAKEN)
        status = run(&r);
    return status;
}
