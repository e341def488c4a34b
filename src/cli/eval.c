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
    return cli_take_one(&usage, argc, argv, r,
                        "one run or file of weights: anneal eval mnist-mlp-3f2a", &r->wanted.what);
}

static void print_text(const an_eval_result *result, const an_fit_options *fit, const char *weights)
{
    char loss[40], count[40], name[CLI_METRIC];
    an_term_number(loss, sizeof loss, result->loss);
    an_term_count(count, sizeof count, result->samples);
    if (result->accuracy == result->accuracy)
        printf("test accuracy %.1f %%   loss %s", 100 * result->accuracy, loss);
    else
        printf("test loss %s", loss);
    for (size_t i = 0; i < fit->metric_count; i++) {
        an_term_number(loss, sizeof loss, result->metrics[i]);
        printf("   %s %s", cli_test_name(&fit->metrics[i], name), loss);
    }
    printf("   %s samples   %s\n", count, weights);
}

static void print_json(const an_eval_result *result, const an_fit_options *fit)
{
    char name[CLI_METRIC];
    putchar('{');
    cli_put_json_member("test_accuracy", result->accuracy);
    cli_put_json_member("test_loss", result->loss);
    for (size_t i = 0; i < fit->metric_count; i++) {
        cli_test_name(&fit->metrics[i], name);
        cli_put_json_member(name, result->metrics[i]);
    }
    printf("\"samples\": %lld}\n", (long long)result->samples);
}

static int run(const request *r)
{
    an_error err = {0};
    cli_loaded loaded;
    an_eval_result result;
    bool ok = cli_load(&r->wanted, &loaded, &err);
    const an_run *run = loaded.run;
    ok = ok && an_evaluate_metrics(run->model, run->fit.loss, run->test, run->fit.metrics,
                                   run->fit.metric_count, &result, &err);
    if (ok && r->format == CLI_JSON)
        print_json(&result, &run->fit);
    else if (ok)
        print_text(&result, &run->fit, loaded.weights);
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
