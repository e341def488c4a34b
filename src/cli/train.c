/* anneal train: a configuration to a trained model. */
#include "cli/training.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What the command line asks for. A seed or thread count below 0 leaves the file's. */
typedef struct request {
    const char *config, *save, *clock;
    char *budget; /* as a --set */
    cli_sets sets;
    long long seed, threads;
    int format;
} request;

/* -------------------------------------------------------------- arguments */

/* --budget TIME is --set budget=TIME, and the last one counts. */
static bool take_budget(void *member, const char *value)
{
    char **budget = member;
    static const char key[] = "budget=";
    const size_t size = sizeof key + strlen(value);
    free(*budget);
    *budget = malloc(size);
    if (!*budget) {
        cli_no_memory();
        return false;
    }
    an_format(*budget, size, "%s%s", key, value);
    return true;
}

static const cli_option options[] = {
    {"set", "KEY=VALUE", "change the configuration: epochs=3, optimizer.lr=0.1",
     CLI_SET_PART(request, sets, cli_take_set)},
    {"seed", "N", "start the random numbers from N (default: the file's, or 1)",
     CLI_SET_INTEGER(request, seed, 0, LLONG_MAX)},
    {"threads", "N", "compute with N threads; 0 is one per core",
     CLI_SET_INTEGER(request, threads, 0, AN_MAX_THREADS)},
    {"budget", "TIME", "train for so long, 60s or 10min, and land the schedule then",
     CLI_SET_PART(request, budget, take_budget)},
    {"clock", "FILE", "repeat a run that went by the clock: its clock.txt",
     CLI_SET_TEXT(request, clock)},
    {"format", "text|json", "json: one object per epoch and a final one, and nothing else",
     CLI_SET_CHOICE(request, format)},
    {"save", "FILE", "write the weights to FILE (safetensors)",
     CLI_SET_PART(request, save, cli_take_save)},
};

static const cli_usage usage = {
    .command = "anneal train",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about = "Usage: anneal train CONFIG [OPTION]...\n"
             "Trains the model that CONFIG describes, tests it, and prints the test accuracy.\n",
    .more =
        "\nExamples:\n"
        "  anneal train examples/mnist-mlp.yaml\n"
        "  anneal train examples/mnist-mlp.yaml --set epochs=3 --set optimizer.weight_decay=0\n"
        "  anneal train examples/mnist-mlp.yaml --format json --save mnist.safetensors\n"
        "  anneal train examples/mnist-mlp.yaml --budget 20s\n"
        "\nEvery run gets a folder in runs/ with its configuration, its checkpoints and its\n"
        "weights (--set runs=none: it gets none).\n"
        "\nCtrl-C ends the training after the present update: a checkpoint is written, the\n"
        "weights are tested, and the exit status is 1; anneal resume goes on from there. Another\n"
        "one, half a second later, ends it at once. kill and a closed terminal do the same.",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (rest.count == 0)
        return cli_wrong("anneal train needs a configuration: "
                         "anneal train examples/mnist-mlp.yaml");
    if (rest.count > 1)
        return cli_wrong("anneal train takes one configuration, got '%s' and '%s'", rest.each[0],
                         rest.each[1]);
    r->config = rest.each[0];
    if (r->budget)
        cli_take_set(&r->sets, r->budget);
    return CLI_TAKEN;
}

/* --------------------------------------------------------------- training */

/* "mnist-mlp" of "examples/mnist-mlp.yaml": what the run will be called after; to be freed. */
static char *base_of(const char *config)
{
    const char *slash = strrchr(config, '/'), *name = slash ? slash + 1 : config;
    const char *dot = strrchr(name, '.');
    return strndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static bool train(cli_training *t, const request *r, an_error *err)
{
    char *base = base_of(r->config);
    t->base = base;
    bool ok = base ? cli_spares_inputs(r->save, r->config, t->run, err) &&
                         cli_training_run(t, err) && cli_flush(err)
                   : an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the run's name");
    cli_training_close(t);
    free(base);
    return ok;
}

static int run(const request *r)
{
    an_error err = {0};
    cli_training t = {.save = r->save,
                      .replay = r->clock,
                      .json = r->format == CLI_JSON,
                      .stop = cli_catch_signals()};
    an_config *config = NULL;
    if (cli_can_save(r->save, &err))
        config = an_config_load(r->config, r->sets.each, r->sets.count, &err);
    if (config && r->seed >= 0)
        an_config_set_seed(config, (uint64_t)r->seed);
    if (config && r->threads >= 0)
        an_config_set_threads(config, (int)r->threads);
    if (config)
        t.run = an_run_new(config, &err);
    t.result.seed = config ? (int64_t)an_config_seed(config) : 0;
    bool ok = t.run && train(&t, r, &err);
    an_run_free(t.run);
    an_config_free(config);
    return ok ? cli_training_status(&t) : cli_fail(&err);
}

int cli_train(int argc, char **argv)
{
    request r = {.config = "", .seed = -1, .threads = -1};
    if (!cli_sets_init(&r.sets, argc))
        return cli_no_memory();
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = run(&r);
    free(r.budget);
    cli_sets_free(&r.sets);
    return status;
}
