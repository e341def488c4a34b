/* anneal resume: a run goes on where it was. */
#include "cli/find.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

typedef struct request {
    const char *name, *checkpoint, *runs, *save;
    cli_sets sets;
    long long threads;
    an_resume_policy policy;
    bool changes; /* said */
    an_landing landing;
    int format;
} request;

static bool take_changes(void *member, const char *value)
{
    request *r = member;
    static const char *const names[] = {
        [AN_RESUME_REFUSE] = "refuse",
        [AN_RESUME_ADOPT] = "adopt",
        [AN_RESUME_KEEP] = "keep",
        [AN_RESUME_EXTEND] = "extend",
    };
    int choice = cli_choice("changes", value, names, 4);
    r->changes = true;
    r->policy = (an_resume_policy)choice;
    return choice >= 0;
}

/* "500", "500st", "2ep", "30s", "10min", "1h" */
static bool take_land(void *member, const char *value)
{
    request *r = member;
    static const struct {
        const char *unit;
        an_lr_unit counted;
        double times;
    } units[] = {{"", AN_STEPS, 1},    {"st", AN_STEPS, 1},     {"ep", AN_EPOCHS, 1},
                 {"s", AN_SECONDS, 1}, {"min", AN_SECONDS, 60}, {"h", AN_SECONDS, 3600}};
    double number;
    const size_t used = an_number_parse(value, strlen(value), &number);
    r->landing.length = (an_lr_length){0};
    for (size_t i = 0; used > 0 && i < sizeof units / sizeof *units; i++)
        if (strcmp(value + used, units[i].unit) == 0)
            r->landing.length = (an_lr_length){number * units[i].times, units[i].counted};
    const double length = r->landing.length.value;
    const an_lr_unit unit = r->landing.length.unit;
    const bool whole = unit == AN_SECONDS || length == floor(length);
    if (length > 0 && length < (unit == AN_EPOCHS ? 1e9 : 1e15) && whole)
        return true;
    cli_wrong("--land takes a length above 0: steps (500), epochs (2ep) or a time (30s, 10min), "
              "got '%s'",
              value);
    return false;
}

static bool take_tail(void *member, const char *value)
{
    request *r = member;
    static const char *const names[] = {
        [AN_TAIL_LINEAR] = "linear",
        [AN_TAIL_COSINE] = "cosine",
        [AN_TAIL_SQRT] = "sqrt",
        [AN_TAIL_SQUARE] = "square",
    };
    int choice = cli_choice("tail", value, names, 4);
    r->landing.tail = (an_lr_tail)choice;
    return choice >= 0;
}

static const cli_option options[] = {
    {"set", "KEY=VALUE", "change the configuration: epochs=20, optimizer.lr=0.01",
     CLI_SET_PART(request, sets, cli_take_set)},
    {"changes", "refuse|adopt|keep|extend",
     "what other rates or another schedule do (default: refuse)", CLI_SET_BY(take_changes)},
    {"land", "LENGTH", "end in so many steps, epochs (2ep) or seconds (30s), the rate falling to 0",
     CLI_SET_BY(take_land)},
    {"tail", "linear|cosine|sqrt|square",
     "how it falls: 1-p (the default), cosine, 1-sqrt(p), 1-p^2", CLI_SET_BY(take_tail)},
    {"checkpoint", "last|best|FILE", "where to go on from (default: last)",
     CLI_SET_TEXT(request, checkpoint)},
    {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(request, runs)},
    {"threads", "N", "compute with N threads (default: as before)",
     CLI_SET_INTEGER(request, threads, 0, AN_MAX_THREADS)},
    {"format", "text|json", "as for anneal train", CLI_SET_CHOICE(request, format)},
    {"save", "FILE", "write the weights to FILE (safetensors)",
     CLI_SET_PART(request, save, cli_take_save)},
};

static const cli_usage usage = {
    .command = "anneal resume",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal resume RUN [OPTION]...\n"
        "Goes on with a run, in the middle of an epoch too, as if it had never been interrupted:\n"
        "the same weights, losses and rates to the last bit. RUN is a name in runs/, or the path\n"
        "of a run's folder.\n",
    .more =
        "\nA run can be made longer with --set epochs=N. Where that, or another --set, changes "
        "the\n"
        "schedule or the optimizer's numbers, --changes says what counts: adopt takes the new\n"
        "ones from the present step on, keep goes on with the saved ones, extend stretches what\n"
        "is left of the saved schedule to the new end, from the present rate on.\n"
        "With --land the run goes on under the saved schedule, and ends soon.\n"
        "\nExamples:\n"
        "  anneal resume mnist-mlp-3f2a\n"
        "  anneal resume mnist-mlp-3f2a --set epochs=20 --changes extend\n"
        "  anneal resume mnist-mlp-3f2a --land 500 --tail sqrt",
};

static int parse(request *r, int argc, char **argv)
{
    const int status =
        cli_take_one(&usage, argc, argv, r, "one run: anneal resume mnist-mlp-3f2a", &r->name);
    if (status != CLI_TAKEN || r->landing.length.value == 0)
        return status;
    if (r->changes && r->policy != AN_RESUME_KEEP)
        return cli_wrong(
            "--land goes on under the saved schedule: --changes keep, or leave it out");
    r->policy = AN_RESUME_KEEP;
    return CLI_TAKEN;
}

/* ------------------------------------------------------------------ the run */

/* The folder's own name, and in `runs` the folder that it lies in. */
static const char *split_folder(char folder[CLI_PATH], char runs[CLI_PATH])
{
    folder[cli_name_length(folder)] = '\0';
    const char *slash = strrchr(folder, '/');
    an_format(runs, CLI_PATH, "%.*s", slash ? (int)(slash - folder) : 1, slash ? folder : ".");
    return slash ? slash + 1 : folder;
}

/* Whether a run has no checkpoint: there is none, not one that is unreadable. */
static bool has_none(const char *checkpoints, const an_error *failure)
{
    struct stat facts;
    return failure->code == AN_ERROR_STATE ||
           (failure->code == AN_ERROR_IO && stat(checkpoints, &facts) != 0 && errno == ENOENT);
}

/* The checkpoint that was asked for, in `path`; "" where the run has none yet. */
static bool find_checkpoint(const request *r, const cli_training *t, const char *folder,
                            char path[CLI_PATH], an_checkpoint_info *info, an_error *err)
{
    char checkpoints[CLI_PATH];
    an_error failure = {0};
    const bool best = strcmp(r->checkpoint, "best") == 0, last = strcmp(r->checkpoint, "last") == 0;
    const an_checkpoint_kind kind = best ? AN_CHECKPOINT_BEST : AN_CHECKPOINT_LAST;
    if (!cli_join(checkpoints, folder, "checkpoints", err))
        return false;
    if (!best && !last)
        return an_format(path, CLI_PATH, "%s", r->checkpoint) < CLI_PATH
                   ? an_checkpoint_check(path, info, err)
                   : an_error_set(err, AN_ERROR_ARGUMENT, "the path '%.60s...' is too long", path);
    if (cli_find_checkpoint(folder, kind, path, info, &failure))
        return true;
    if (last && has_none(checkpoints, &failure)) {
        path[0] = '\0';
        if (!cli_may_begin_again(t->runs, t->name, err))
            return false;
        return r->landing.length.value == 0 ||
               an_error_set(err, AN_ERROR_STATE,
                            "--land: '%s' has no checkpoint yet, and so no rate to land from; "
                            "without --land it begins again",
                            folder);
    }
    *err = failure;
    return false;
}

/* Whether the run has come further than its configuration now says, and so ends where it is. */
static bool say_past(const char *folder, const an_fit_options *fit, const an_checkpoint_info *info)
{
    const bool by_epoch = fit->epochs > 0;
    if (fit->budget > 0 || (by_epoch ? info->epoch <= fit->epochs : info->step <= fit->steps))
        return false;
    fprintf(stderr,
            "anneal: '%s' has come to step %lld in epoch %lld, past the end that %s=%lld gives it: "
            "it ends %s; a larger number makes it longer\n",
            folder, (long long)info->step, (long long)info->epoch, by_epoch ? "epochs" : "steps",
            (long long)(by_epoch ? fit->epochs : fit->steps),
            by_epoch && info->in_epoch ? "with this epoch" : "here");
    return true;
}

/*
 * A run that has nothing left to train is still tested and recorded, for that may be what it was
 * interrupted in.
 */
static void say_done(const char *folder, const an_run *run, const an_checkpoint_info *info)
{
    const an_fit_options *fit = &run->fit;
    if (say_past(folder, fit, info))
        return;
    const bool done = fit->budget > 0   ? !info->in_epoch && info->seconds >= fit->budget
                      : fit->epochs > 0 ? !info->in_epoch && info->epoch >= fit->epochs
                                        : info->step >= fit->steps;
    if (done)
        fprintf(stderr, "anneal: '%s' is trained to its end, step %lld; --set %s makes it longer\n",
                folder, (long long)info->step,
                fit->budget > 0 ? "budget=TIME" : "epochs=N or steps=N");
}

/*
 * Where a landing ends, as a --set: in steps or epochs counted from the run's beginning, or in
 * seconds of training.
 */
static bool end_of_landing(const request *r, const an_run *run, const an_checkpoint_info *info,
                           char set[64], an_error *err)
{
    const an_lr_length length = r->landing.length;
    const bool by_step = run->fit.interval == AN_INTERVAL_STEP;
    const int64_t count = (int64_t)length.value;
    if (!run->fit.schedule)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "--land: the run has no schedule; its rate stays as it is");
    if (!by_step && length.unit != AN_EPOCHS)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "--land: the schedule is stepped once an epoch; give epochs, such as "
                            "2ep");
    if (run->fit.budget > 0 && length.unit != AN_SECONDS)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "--land: the run goes by its time; give one, such as 30s");
    char seconds[40];
    an_number_print(seconds, sizeof seconds, info->seconds + length.value);
    if (length.unit == AN_SECONDS) {
        an_format(set, 64, "budget=%ss", seconds);
    } else if (by_step) {
        int64_t each = length.unit == AN_EPOCHS ? an_fit_steps_per_epoch(&run->fit) : 1;
        int64_t steps = info->step + count * each;
        an_format(set, 64, "steps=%lld", (long long)steps);
    } else {
        int64_t epochs = info->epoch - info->in_epoch + count;
        an_format(set, 64, "epochs=%lld", (long long)epochs);
    }
    return true;
}

static bool load_run(const request *r, const char *folder, an_config **config, an_run **run,
                     an_error *err)
{
    char path[CLI_PATH];
    if (!cli_join(path, folder, "resolved.yaml", err))
        return false;
    *config = an_config_load(path, r->sets.each, r->sets.count, err);
    if (*config && r->threads >= 0)
        an_config_set_threads(*config, (int)r->threads);
    *run = *config ? an_run_new(*config, err) : NULL;
    return *run && cli_spares_inputs(r->save, path, *run, err);
}

/* The same run with the end that its landing gives it. */
static bool land(const request *r, const char *folder, const an_checkpoint_info *info,
                 an_config **config, an_run **run, an_error *err)
{
    char set[64];
    request again = *r;
    if (!end_of_landing(r, *run, info, set, err))
        return false;
    cli_take_set(&again.sets, set); /* there is room: one of the arguments was --land */
    an_run_free(*run);
    an_config_free(*config);
    *run = NULL;
    *config = NULL;
    return load_run(&again, folder, config, run, err);
}

static int run(const request *r)
{
    an_error err = {0};
    char folder[CLI_PATH], runs[CLI_PATH], checkpoint[CLI_PATH];
    an_config *config = NULL;
    cli_training t = {.save = r->save, .json = r->format == CLI_JSON, .policy = r->policy};
    t.stop = cli_catch_signals();
    an_checkpoint_info info = {0};
    bool ok = cli_can_save(r->save, &err) && cli_find_run(r->runs, r->name, folder, &err);
    t.name = ok ? split_folder(folder, runs) : NULL;
    t.runs = runs;
    ok = ok && load_run(r, folder, &config, &t.run, &err) &&
         find_checkpoint(r, &t, folder, checkpoint, &info, &err) &&
         (r->landing.length.value == 0 || land(r, folder, &info, &config, &t.run, &err));
    if (ok) {
        if (checkpoint[0] && r->landing.length.value == 0)
            say_done(folder, t.run, &info);
        t.landing = r->landing;
        t.resume = checkpoint;
        t.result.seed = (int64_t)an_config_seed(config);
        ok = cli_training_run(&t, &err) && cli_flush(&err);
    }
    cli_training_close(&t);
    an_run_free(t.run);
    an_config_free(config);
    return ok ? cli_training_status(&t) : cli_fail(&err);
}

int cli_resume(int argc, char **argv)
{
    request r = {.checkpoint = "last", .runs = "runs", .threads = -1};
    if (!cli_sets_init(&r.sets, argc))
        return cli_no_memory();
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = run(&r);
    cli_sets_free(&r.sets);
    return status;
}
