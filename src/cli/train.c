/* anneal train: a configuration to a trained model. */
#include "cli/cli.h"

#include <anneal/term.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_SET, OPTION_SEED, OPTION_THREADS, OPTION_FORMAT, OPTION_SAVE, OPTION_HELP };

static const cli_option options[] = {
    [OPTION_SET] = {"set", "KEY=VALUE", "change the configuration: epochs=3, optimizer.lr=0.1"},
    [OPTION_SEED] = {"seed", "N", "start the random numbers from N (default: the file's, or 1)"},
    [OPTION_THREADS] = {"threads", "N", "compute with N threads; 0 is one per core"},
    [OPTION_FORMAT] = {"format", "text|json",
                       "json: one object per epoch and a final one, and nothing else"},
    [OPTION_SAVE] = {"save", "FILE", "write the weights to FILE (safetensors)"},
    [OPTION_HELP] = {"help", NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

/* What the command line asks for. A seed or thread count below 0 leaves the file's. */
typedef struct request {
    const char *config, *save;
    const char **sets;
    size_t set_count;
    long long seed, threads;
    bool json, help;
} request;

/* One training from the configuration to the result. */
typedef struct session {
    const request *request;
    an_run *run;
    cli_result result;
    const volatile int *stop; /* set by a signal */
    bool unsaved;             /* the weights should have been saved, and were not */
} session;

static void print_help(void)
{
    puts("Usage: anneal train CONFIG [OPTION]...\n"
         "Trains the model that CONFIG describes, tests it, and prints the test accuracy.\n");
    cli_print_options(stdout, options, OPTION_COUNT);
    puts("\nExamples:\n"
         "  anneal train examples/mnist-mlp.yaml\n"
         "  anneal train examples/mnist-mlp.yaml --set epochs=3 --set optimizer.lr=0.02\n"
         "  anneal train examples/mnist-mlp.yaml --format json --save mnist.safetensors\n"
         "\nCtrl-C ends the training after the present batch: the weights are still saved and\n"
         "tested, and the exit status is 1. Another one, half a second later, ends it at once. "
         "kill\n"
         "and a closed terminal do the same.");
}

/* -------------------------------------------------------------- arguments */

static bool take_option(request *r, int option, const char *value)
{
    switch (option) {
    case OPTION_SET:
        r->sets[r->set_count++] = value;
        return true;
    case OPTION_SEED:
        return cli_integer("seed", value, 0, LLONG_MAX, &r->seed);
    case OPTION_THREADS:
        return cli_integer("threads", value, 0, AN_MAX_THREADS, &r->threads);
    case OPTION_FORMAT:
        r->json = strcmp(value, "json") == 0;
        if (r->json || strcmp(value, "text") == 0)
            return true;
        cli_wrong("--format takes text or json, got '%s'", value);
        return false;
    case OPTION_SAVE:
        r->save = value;
        if (*value)
            return true;
        cli_wrong("--save needs the name of a file, got ''");
        return false;
    default:
        r->help = true;
        return true;
    }
}

static int parse(request *r, int argc, char **argv)
{
    cli_arguments arguments = {argc, argv, options, OPTION_COUNT, "anneal train", ""};
    const char *value;
    int option, rest;
    while ((option = cli_next(&arguments, &value, &rest)) >= 0)
        if (!take_option(r, option, value))
            return CLI_WRONG;
    if (option == CLI_BAD)
        return CLI_WRONG;
    if (r->help)
        return CLI_DONE;
    if (rest == argc)
        return cli_wrong("anneal train needs a configuration: "
                         "anneal train examples/mnist-mlp.yaml");
    if (rest + 1 < argc)
        return cli_wrong("anneal train takes one configuration, got '%s' and '%s'", argv[rest],
                         argv[rest + 1]);
    r->config = argv[rest];
    return CLI_DONE;
}

/* ------------------------------------------------------------------ saving */

static bool blame_save(bool ok, an_error *err)
{
    if (!ok)
        an_error_prefix(err, "--save: ");
    return ok;
}

/* A file that cannot be written should be found out before the training, not after it. */
static bool can_save(const char *path, an_error *err)
{
    cli_enter(CLI_SAVING);
    bool can = an_params_can_save(path, err);
    cli_enter(CLI_FREE);
    return blame_save(can, err);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat s, t;
    return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

/* The weights must not replace what the run was made from, nor its own output. */
static bool spares_inputs(const request *r, const an_run *run, an_error *err)
{
    const char *what = is_same_file(r->save, r->config)       ? "is the configuration"
                       : is_same_file(r->save, "/dev/stdout") ? "is where the output goes"
                       : an_run_reads(run, r->save)           ? "is a file of the data set"
                                                              : NULL;
    return !what ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "--save: '%s' %s; name a file of its own for the weights", r->save, what);
}

/* A failed save is told at once, and takes nothing else along. */
static bool save(const an_run *run, const char *path)
{
    an_error err = {0};
    cli_enter(CLI_SAVING);
    bool saved = blame_save(an_params_save(an_model_params(run->model), path, &err), &err);
    if (!saved)
        cli_fail(&err);
    cli_enter(CLI_FREE);
    return saved;
}

/* --------------------------------------------------------------- training */

static void note_start(void *user, const an_record *record, an_control *control)
{
    (void)record;
    (void)control;
    session *s = user;
    s->result.startup_seconds = cli_uptime();
}

/* Columns of the terminal that stdout is; 0 where it is none. */
static int window_width(void)
{
    return an_term_is_terminal(STDOUT_FILENO) ? an_term_width(STDOUT_FILENO, 80) : 0;
}

static bool fit(session *s, an_error *err)
{
    an_progress progress;
    int width = window_width();
    bool live = !s->request->json && width > 0;
    an_progress_init(&progress, stdout, width, cli_unicode());
    an_callback callbacks[] = {
        {.train_begin = note_start, .user = s},
        s->request->json ? an_json_logger(stdout)
        : live           ? an_progress_callback(&progress)
                         : an_console_logger(stdout),
    };
    an_fit_options fit = s->run->fit;
    fit.callbacks = callbacks;
    fit.callback_count = 2;
    fit.stop = s->stop;
    cli_enter(CLI_TRAINING);
    return an_fit(&fit, &s->result.fit, err);
}

static bool test(session *s, an_error *err)
{
    an_run *run = s->run;
    if (!an_evaluate(run->model, run->fit.loss, run->test, &s->result.test, err))
        return false;
    return isfinite(s->result.test.loss) ||
           an_error_set(err, AN_ERROR_NUMERIC,
                        "the test loss is %g after step %lld; try a lower learning rate, a warmup "
                        "or clip_grad_norm",
                        s->result.test.loss, (long long)s->result.fit.last.step);
}

static void say_stopped(const session *s)
{
    const an_record *last = &s->result.fit.last;
    fflush(stdout);
    fprintf(stderr, "anneal: stopped by a signal after step %lld, in epoch %lld of %lld\n",
            (long long)last->step, (long long)last->epoch, (long long)last->epochs);
}

static bool train(session *s, an_error *err)
{
    cli_result *r = &s->result;
    r->parameters = an_params_size(an_model_params(s->run->model));
    r->threads = an_context_threads(s->run->context);
    if (!s->request->json)
        cli_summary(stdout, s->run, cli_unicode(), window_width());
    if (!fit(s, err))
        return false;
    if (r->fit.stopped)
        say_stopped(s);
    s->unsaved = s->request->save && !save(s->run, s->request->save);
    cli_enter(CLI_FREE);
    if (!test(s, err))
        return false;
    if (s->request->json)
        cli_result_json(stdout, r);
    else
        cli_result_text(stdout, r);
    return true;
}

static int run(const request *r)
{
    an_error err = {0};
    session s = {.request = r, .stop = cli_catch_signals()};
    an_config *config = NULL;
    bool ok = !r->save || can_save(r->save, &err);
    if (ok)
        config = an_config_load(r->config, r->sets, r->set_count, &err);
    if (config && r->seed >= 0)
        an_config_set_seed(config, (uint64_t)r->seed);
    if (config && r->threads >= 0)
        an_config_set_threads(config, (int)r->threads);
    if (config)
        s.run = an_run_new(config, &err);
    s.result.seed = config ? (int64_t)an_config_seed(config) : 0;
    ok = s.run && (!r->save || spares_inputs(r, s.run, &err)) && train(&s, &err) && cli_flush(&err);
    an_run_free(s.run);
    an_config_free(config);
    if (!ok)
        return cli_fail(&err);
    return s.result.fit.stopped || s.unsaved ? CLI_FAILED : CLI_DONE;
}

int cli_train(int argc, char **argv)
{
    request r = {.config = "", .seed = -1, .threads = -1};
    r.sets = calloc((size_t)argc + 1, sizeof *r.sets);
    if (!r.sets) {
        an_error err = {.code = AN_ERROR_MEMORY, .message = "out of memory"};
        return cli_fail(&err);
    }
    int status = parse(&r, argc, argv);
    if (status == CLI_DONE && r.help)
        print_help();
    else if (status == CLI_DONE)
        status = run(&r);
    free(r.sets);
    return status;
}
