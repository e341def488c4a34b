#include "cli/find.h"

#include "file/io_error.h"

#include <anneal/term.h>

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------- the run's folder */

/*
 * What cannot be kept ends the training only where it was said so; not because of a full disk, but
 * when the run to go on with is not one, or somebody is at it.
 */
static bool go_on_without(const cli_training *t, const an_error *failure, an_error *err)
{
    bool disk = failure->code != AN_ERROR_STATE && failure->code != AN_ERROR_ARGUMENT;
    if (t->run->must_write || !disk) {
        *err = *failure;
        return false;
    }
    if (t->name)
        return an_error_set(err, failure->code,
                            "%s; a run goes on only where it can be kept: put that right, and "
                            "resume it then",
                            failure->message);
    fflush(stdout);
    fprintf(stderr, "anneal: %s; the training goes on, and nothing of it is kept\n",
            failure->message);
    return true;
}

static bool make_checkpoints(cli_training *t, an_error *err)
{
    const char *folder = an_store_run_folder(t->stored);
    size_t size = sizeof t->checkpoints;
    if (an_format(t->checkpoints, size, "%s/checkpoints", folder) >= size)
        return an_error_set(err, AN_ERROR_ARGUMENT, "the path of '%.60s...' is too long", folder);
    return mkdir(t->checkpoints, 0777) == 0 || errno == EEXIST ||
           an__io_error("make the folder", t->checkpoints, errno, err);
}

static an_store_run *new_run(const cli_training *t, an_error *err)
{
    const an_run *run = t->run;
    an_store_run_options options = {.base = t->base,
                                    .config = run->config_text,
                                    .resolved = run->resolved_text,
                                    .params = run->params,
                                    .param_count = run->param_count,
                                    .log = run->log};
    return an_store_run_new(t->store, &options, err);
}

static an_store_run *old_run(const cli_training *t, an_error *err)
{
    return an_store_run_open(t->store, t->name, &t->run->log, err);
}

static bool log_path(const cli_training *t, const char *name, char path[CLI_PATH], an_error *err)
{
    const char *folder = an_store_run_folder(t->stored);
    return an_format(path, CLI_PATH, "%s/%s", folder, name) < CLI_PATH ||
           an_error_set(err, AN_ERROR_ARGUMENT, "the path of '%.60s...' is too long", folder);
}

static bool open_csv(const cli_training *t, const char *name, int64_t every, an_csv **csv,
                     an_error *err)
{
    char path[CLI_PATH];
    an_log_options log = t->run->log;
    log.every = every;
    *csv = log_path(t, name, path, err) ? an_csv_new(path, &log, err) : NULL;
    return *csv;
}

static bool open_events(cli_training *t, an_error *err)
{
    char path[CLI_PATH];
    an_events_options options = {.log = t->run->log,
                                 .histograms = t->run->log_histograms,
                                 .params = t->run->params,
                                 .param_count = t->run->param_count};
    t->events = log_path(t, "events.out.tfevents.anneal", path, err)
                    ? an_events_new(path, &options, err)
                    : NULL;
    return t->events;
}

/* The logs beside the store. They are opened when the training begins. */
static bool open_logs(cli_training *t, an_error *err)
{
    const an_run *run = t->run;
    int64_t every = run->log.every;
    return (!run->log_csv ||
            (open_csv(t, "epochs.csv", 0, &t->epochs_csv, err) &&
             (every == 0 || open_csv(t, "steps.csv", every, &t->steps_csv, err)))) &&
           (!run->log_tensorboard || open_events(t, err));
}

static bool open_record(cli_training *t, an_error *err)
{
    const char *runs = t->name ? t->runs : t->run->runs;
    t->store = an_store_open(runs, !t->name, err);
    if (!t->store)
        return false;
    t->stored = t->name ? old_run(t, err) : new_run(t, err);
    return t->stored && make_checkpoints(t, err) && open_logs(t, err);
}

/* False with err only where the training must not go on without a record. */
static bool keep(cli_training *t, an_error *err)
{
    an_error failure = {0};
    if (!t->name && !t->run->runs)
        return true;
    if (open_record(t, &failure)) {
        t->result.folder = an_store_run_folder(t->stored);
        return true;
    }
    cli_training_close(t);
    return go_on_without(t, &failure, err);
}

void cli_training_close(cli_training *t)
{
    an_csv_free(t->epochs_csv);
    an_csv_free(t->steps_csv);
    an_events_free(t->events);
    cli_clock_close(&t->clock);
    an_store_run_free(t->stored);
    an_store_close(t->store);
    t->epochs_csv = t->steps_csv = NULL;
    t->events = NULL;
    t->stored = NULL;
    t->store = NULL;
}

/* --------------------------------------------------------------- training */

/* A run that goes on does so under its present configuration, now that it was accepted. */
static void save_configuration(cli_training *t, an_control *control)
{
    char path[CLI_PATH];
    an_error err = {0};
    char changes[AN_ERROR_MESSAGE_SIZE];
    if (an_format(path, sizeof path, "%s/resolved.yaml", t->result.folder) < sizeof path &&
        an_run_save_resolved(t->run, path, &err) &&
        an_store_run_params(t->stored, t->run->params, t->run->param_count, changes, sizeof changes,
                            &err)) {
        if (changes[0])
            an_tell(control, "changed", changes);
        return;
    }
    if (t->run->must_write)
        control->error = err;
    else
        an_tell(control, "save_failed", err.message);
}

/* Columns of the terminal that stdout is; 0 where it is none. */
static int window_width(void)
{
    return an_term_is_terminal(STDOUT_FILENO) ? an_term_width(STDOUT_FILENO, 80) : 0;
}

/* What is said of the run is said of what it goes by, as a checkpoint may have brought it. */
static void note_start(void *user, const an_record *record, an_control *control)
{
    (void)record;
    cli_training *t = user;
    const an_interval interval = control->by_step ? AN_INTERVAL_STEP : AN_INTERVAL_EPOCH;
    t->result.startup_seconds = cli_uptime();
    if (!an_run_follow(t->run, control->schedule, interval, &control->error))
        return;
    t->begun = true;
    if (!t->json)
        cli_summary(stdout, t->run, control->schedule, cli_unicode(), window_width());
    if (t->name && t->stored)
        save_configuration(t, control);
}

/* Where stdout is for numbers alone, stderr says what happens. */
static void say_event(void *user, const an_record *record, const an_event *event)
{
    (void)user;
    (void)record;
    fflush(stdout);
    fprintf(stderr, "anneal: %s: %s\n", event->kind, event->text);
}

#define CALLBACKS_MOST 12

/* What shows, what records, what steers. */
static size_t list_callbacks(cli_training *t, an_progress *progress,
                             an_callback list[CALLBACKS_MOST])
{
    an_run *run = t->run;
    size_t count = 0;
    int width = window_width();
    bool live = !t->json && width > 0;
    an_progress_init(progress, stdout, width, cli_unicode());
    list[count++] = (an_callback){.train_begin = note_start, .user = t};
    list[count++] = t->json ? an_json_logger(stdout)
                    : live  ? an_progress_callback(progress)
                            : an_console_logger(stdout);
    if (t->json)
        list[count++] = (an_callback){.event = say_event};
    if (t->stored)
        list[count++] = an_store_run_callback(t->stored);
    if (t->epochs_csv)
        list[count++] = an_csv_callback(t->epochs_csv);
    if (t->steps_csv)
        list[count++] = an_csv_callback(t->steps_csv);
    if (t->events)
        list[count++] = an_events_callback(t->events);
    if (run->guarded)
        list[count++] = an_guard_callback(&run->guard);
    if (run->stops_early)
        list[count++] = an_early_stopping_callback(&run->early_stopping);
    if (t->stored) {
        list[count++] = cli_clock_callback(&t->clock);
        list[count++] = an_checkpointer_callback(&run->checkpointer);
    }
    return count;
}

static bool fit(cli_training *t, an_error *err)
{
    an_progress progress;
    an_callback callbacks[CALLBACKS_MOST];
    an_fit_options options = t->run->fit;
    if (!cli_clock_open(&t->clock, t->replay, t->stored ? t->result.folder : NULL, err))
        return false;
    t->clock.must_write = t->run->must_write;
    options.clock = cli_clock_source(&t->clock);
    options.callback_count = list_callbacks(t, &progress, callbacks);
    options.callbacks = callbacks;
    options.stop = t->stop;
    options.checkpoints = t->stored ? t->checkpoints : NULL;
    options.resume = t->resume;
    options.policy = t->policy;
    options.landing = t->landing;
    cli_enter(CLI_TRAINING);
    const bool ok = an_fit(&options, &t->result.fit, err);
    cli_clock_close(&t->clock);
    return ok;
}

static bool is_interrupted(const cli_training *t)
{
    return t->stop && *t->stop;
}

/* What `anneal resume` takes: a run's name is enough where it lies in the usual folder. */
static const char *name_to_resume(const cli_training *t)
{
    const char *folder = t->result.folder ? t->result.folder : "";
    return t->stored && strncmp(folder, "runs/", 5) == 0 ? an_store_run_name(t->stored) : folder;
}

static void say_stopped(const cli_training *t)
{
    const an_fit_result *fit = &t->result.fit;
    fflush(stdout);
    fprintf(stderr, "anneal: stopped by a signal after step %lld, in epoch %lld",
            (long long)fit->last.step, (long long)fit->last.epoch);
    if (fit->last.epochs > 0)
        fprintf(stderr, " of %lld", (long long)fit->last.epochs);
    if (fit->saved)
        fprintf(stderr, "; go on with: anneal resume %s", name_to_resume(t));
    fputc('\n', stderr);
}

/* ------------------------------------------------------------------- results */

/* "; ..." of where weights are that could not be written; "" where they are nowhere. */
static void tell_where(const cli_training *t, bool in_folder, char text[CLI_PATH])
{
    char path[CLI_PATH];
    an_checkpoint_info info;
    const char *folder = t->result.folder;
    text[0] = '\0';
    if (!t->stored)
        return;
    if (in_folder)
        an_format(text, CLI_PATH, "; they are in '%s/weights.safetensors'", folder);
    else if (t->result.fit.saved && is_interrupted(t))
        an_format(text, CLI_PATH, "; the checkpoint of step %lld has them",
                  (long long)t->result.fit.last.step);
    else if (t->result.fit.saved)
        an_format(text, CLI_PATH,
                  "; the checkpoint of step %lld has them: put that right, and write them with "
                  "anneal resume %s",
                  (long long)t->result.fit.last.step, name_to_resume(t));
    else if (cli_find_checkpoint(folder, AN_CHECKPOINT_LAST, path, &info, NULL))
        an_format(text, CLI_PATH,
                  "; what is saved is step %lld, in '%s': put that right, and go on from there "
                  "with anneal resume %s",
                  (long long)info.step, path, name_to_resume(t));
}

/* A failed save is told at once, and takes nothing else along. */
static bool save_weights(cli_training *t, const char *path, bool asked, bool in_folder)
{
    an_error err = {0};
    char where[CLI_PATH];
    if (an_params_save(an_model_params(t->run->model), path, &err))
        return true;
    if (asked)
        an_error_prefix(&err, "--save: ");
    t->unsaved = true;
    tell_where(t, in_folder, where);
    an_error_set(&err, err.code, "%s%s", err.message, where);
    cli_fail(&err);
    return false;
}

/* The run's folder gets the weights of a training that came to its end. */
static void save_all(cli_training *t)
{
    char path[CLI_PATH];
    bool in_folder = false;
    cli_enter(CLI_SAVING);
    if (t->stored && !is_interrupted(t) &&
        an_format(path, sizeof path, "%s/weights.safetensors", t->result.folder) < sizeof path)
        in_folder = save_weights(t, path, false, false);
    if (t->save)
        save_weights(t, t->save, true, in_folder);
    cli_enter(CLI_FREE);
}

static bool test(cli_training *t, an_error *err)
{
    an_run *run = t->run;
    t->result.metrics = run->fit.metrics;
    t->result.metric_count = run->fit.metric_count;
    if (!an_evaluate_metrics(run->model, run->fit.loss, run->test, run->fit.metrics,
                             run->fit.metric_count, &t->result.test, err))
        return false;
    return isfinite(t->result.test.loss) ||
           an_error_set(err, AN_ERROR_NUMERIC,
                        "the test loss is %g after step %lld; try a lower learning rate, a warmup "
                        "or clip_grad_norm",
                        t->result.test.loss, (long long)t->result.fit.last.step);
}

static bool store_results(const cli_training *t, an_error *err)
{
    const cli_result *r = &t->result;
    char name[CLI_METRIC];
    bool ok = an_store_run_result(t->stored, "test_accuracy", r->test.accuracy, err) &&
              an_store_run_result(t->stored, "test_loss", r->test.loss, err);
    for (size_t i = 0; ok && i < r->metric_count; i++) {
        cli_test_name(&r->metrics[i], name);
        ok = an_store_run_result(t->stored, name, r->test.metrics[i], err);
    }
    return ok;
}

/* The record of what it came to; a record that fails is told, and changes nothing else. */
static void record_end(cli_training *t, an_run_status status, const char *note)
{
    an_error err = {0};
    if (!t->stored)
        return;
    bool ok = status == AN_RUN_FAILED || store_results(t, &err);
    if (ok && an_store_run_end(t->stored, status, note, &err))
        return;
    if (status == AN_RUN_FAILED) /* that has its own error, and often the same one */
        return;
    t->unsaved = t->unsaved || t->run->must_write;
    cli_fail(&err);
}

static void print_result(const cli_training *t)
{
    if (t->json)
        cli_result_json(&t->result);
    else
        cli_result_text(stdout, &t->result, window_width());
}

static bool train_and_test(cli_training *t, an_error *err)
{
    if (!fit(t, err))
        return false;
    if (is_interrupted(t))
        say_stopped(t);
    save_all(t);
    if (!test(t, err))
        return false;
    record_end(t, is_interrupted(t) ? AN_RUN_STOPPED : AN_RUN_DONE, NULL);
    print_result(t);
    return true;
}

bool cli_training_run(cli_training *t, an_error *err)
{
    cli_result *r = &t->result;
    r->parameters = an_params_size(an_model_params(t->run->model));
    r->threads = an_context_threads(t->run->context);
    cli_enter(CLI_SAVING); /* a signal waits until the run is one that can be gone on with */
    bool kept = keep(t, err);
    cli_enter(CLI_FREE);
    if (!kept)
        return false;
    if (train_and_test(t, err))
        return true;
    cli_enter(CLI_FREE);
    if (t->begun || !t->name) /* a run that is not gone on with is what it was */
        record_end(t, AN_RUN_FAILED, err->message);
    return false;
}

int cli_training_status(const cli_training *t)
{
    return is_interrupted(t) || t->unsaved ? CLI_FAILED : CLI_DONE;
}
