/*
 * From a configuration to everything that a run needs, in the order of dependence: context, model
 * (described), data, model (built for the data's shape), optimizer, schedule.
 */
#include "config/build.h"
#include "config/errors.h"
#include "config/loaders.h"
#include "config/metrics.h"
#include "config/monitor.h"
#include "config/output.h"

#include "file/durable.h"

#include <string.h>

/* -------------------------------------------------------------------- data */

static bool open_data(an__build *b)
{
    return an__data_open(b->config, &b->run, &b->texts, &b->found, &b->learned, b->err);
}

static an_loader *loader(const an__build *b, const an_dataset *data, bool training, an_error *err)
{
    return an__loader_new(b->config, b->run.context, data, training, err);
}

static bool make_loaders(an__build *b)
{
    an_run *run = &b->run;
    run->train = loader(b, run->train_data, true, b->err);
    if (run->train && run->valid_data)
        run->valid = loader(b, run->valid_data, false, b->err);
    if (run->train && (run->valid || !run->valid_data))
        run->test = loader(b, run->test_data, false, b->err);
    return run->test != NULL;
}

/* ------------------------------------------------------------------- model */

static bool add_layers(an__build *b, const an__call *layers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const an__call *layer = &layers[i];
        if (layer->holds) {
            an_model_begin(b->run.model, layer->holds);
            if (!add_layers(b, layer->layers, layer->layer_count))
                return false;
            an_model_end(b->run.model);
        } else if (!an_model_add_spec(b->run.model, &layer->node->source, layer->call, b->err)) {
            return an__blame(layer->node, false, b->err);
        }
    }
    return true;
}

static bool describe_model(an__build *b)
{
    const an_config *c = b->config;
    b->run.model = an_model_new(b->run.context, b->err);
    return b->run.model && add_layers(b, c->layers, c->layer_count);
}

static bool build_model(an__build *b)
{
    an_shape sample = an_dataset_shape(b->run.train_data);
    if (!an_model_build(b->run.model, sample, (uint64_t)b->config->seed, b->err))
        return an__place(an__layer_blamed(b->config, b->err), b->err);
    return an__check_output(b->config, &b->run, b->err);
}

/* --------------------------------------------------- optimizer and average */

static bool make_optim(an__build *b)
{
    const an__call *call = &b->config->optimizer;
    an_params *params = an_model_params(b->run.model);
    b->run.optim = an_optim_parse_spec(params, &call->node->source, call->call, b->err);
    return an__blame(call->node, b->run.optim != NULL, b->err);
}

static void fill_fit(an__build *b)
{
    const an_config *c = b->config;
    an_fit_options *fit = &b->run.fit;
    *fit = an_fit_defaults();
    fit->model = b->run.model;
    fit->loss = c->loss;
    fit->optim = b->run.optim;
    fit->interval = c->interval;
    fit->monitor = c->monitor.monitor;
    fit->metric = c->monitor.metric;
    fit->train = b->run.train;
    fit->valid = b->run.valid;
    fit->epochs = c->epochs;
    fit->steps = c->steps;
    fit->accumulate = c->accumulate;
    fit->clip_grad_norm = c->clip_grad_norm;
    fit->budget = c->budget;
}

/* How far the run goes in the unit of `start`, or 0 where its end is a time. */
static int64_t run_length(const an_fit_options *fit, an_average_time start)
{
    int64_t total = an_fit_total_steps(fit), each = an_fit_steps_per_epoch(fit);
    if (fit->budget > 0)
        return 0;
    return !start.epochs ? total : fit->epochs > 0 ? fit->epochs : (total + each - 1) / each;
}

static bool make_average(an__build *b)
{
    const an__call *call = &b->config->average;
    an_run *run = &b->run;
    if (!call->node)
        return true;
    run->average =
        an_average_parse_spec(an_model_params(run->model), &call->node->source, call->call, b->err);
    if (!an__blame(call->node, run->average != NULL, b->err))
        return false;
    run->fit.average = run->average;
    if (an_optim_has_modes(run->optim))
        return AN__FAIL(call->node, b->err,
                        "average: the optimizer evaluates an average of its own; leave out one of "
                        "the two");
    const an_average_time start = an_average_options_of(run->average).start;
    const int64_t length = run_length(&run->fit, start);
    return length == 0 || start.count < length ||
           AN__FAIL(call->node, b->err,
                    "average: it begins after %s %lld, and the run ends with %lld; begin earlier, "
                    "or train longer",
                    start.epochs ? "epoch" : "update", (long long)start.count, (long long)length);
}

/* ------------------------------------------------- what is kept, what steers */

static bool make_early_stopping(an__build *b)
{
    const an_config *c = b->config;
    an_early_stopping *early = &b->run.early_stopping;
    b->run.stops_early = c->early_stopping_node != NULL;
    if (!b->run.stops_early)
        return true;
    if (!an_early_stopping_init(early, b->run.model, b->err))
        return false;
    early->patience = c->patience;
    early->min_delta = c->min_delta;
    early->monitor = c->stopping_monitor.monitor;
    early->metric = c->stopping_monitor.metric;
    early->restore = c->restore_best;
    return true;
}

static bool make_steering(an__build *b)
{
    const an_config *c = b->config;
    an_run *run = &b->run;
    run->runs = c->runs;
    run->must_write = run->fit.must_save = c->must_write;
    run->fit.keep = c->keep;
    run->log = c->log;
    run->log.stop_on_failure = c->must_write;
    run->log_csv = c->log_csv;
    run->log_tensorboard = c->log_tensorboard;
    run->log_histograms = c->log_histograms;
    run->checkpointer = c->checkpointer;
    run->guard = c->guard;
    run->guarded = c->guard_node != NULL;
    run->checkpointer.monitor = c->checkpoint_monitor.monitor;
    run->checkpointer.metric = c->checkpoint_monitor.metric;
    if (!an__monitor_check_schedule(run, &c->monitor, c->monitor_node, b->err) ||
        !an__monitor_check(run, &c->checkpoint_monitor, c->checkpoint_node, b->err) ||
        !an__monitor_check(run, &c->stopping_monitor, c->early_stopping_node, b->err))
        return false;
    if (c->log_node && !c->runs)
        return AN__FAIL(c->log_node, b->err,
                        "log: logs lie in the run's folder, and runs: none keeps nothing; leave "
                        "out one of the two");
    if (run->guarded && c->guard.rollbacks > 0 && !c->runs)
        return AN__FAIL(c->guard_node, b->err,
                        "guard: rollbacks need checkpoints, and runs: none keeps nothing; leave "
                        "out one of the two");
    return make_early_stopping(b);
}

/* ------------------------------------------------------------------ a run */

static bool build(an__build *b)
{
    an_context_options options = {.threads = (int)b->config->threads};
    const an__data *data = &b->config->data;
    b->run.data_path = data->at[data->at[AN__PATH].text ? AN__PATH : AN__X].text;
    b->run.context = an_context_new(&options, b->err);
    if (!b->run.context)
        return false;
    if (!describe_model(b) || !open_data(b) || !build_model(b) || !make_loaders(b) ||
        !make_optim(b))
        return false;
    fill_fit(b);
    return an__metrics_make(b->config, &b->run, &b->texts, b->err) && make_average(b) &&
           an__build_schedule(b) && make_steering(b) && an__build_resolved(b);
}

an_run *an_run_new(const an_config *config, an_error *err)
{
    an_allocator allocator = an_allocator_default();
    an__build *b = an_alloc(&allocator, 1, sizeof *b, err);
    if (!b)
        return NULL;
    b->config = config;
    b->err = err;
    an_arena_init(&b->texts, allocator);
    if (build(b))
        return &b->run;
    an_run_free(&b->run);
    return NULL;
}

an_loader *an_run_loader(const an_run *run, const an_dataset *data, an_error *err)
{
    return loader((const an__build *)run, data, false, err);
}

bool an_run_save_resolved(const an_run *run, const char *path, an_error *err)
{
    an_durable file;
    if (!an__durable_open(&file, path, err))
        return false;
    an__durable_write(&file, run->resolved_text, strlen(run->resolved_text));
    return an__durable_finish(&file, err);
}

bool an_run_reads(const an_run *run, const char *path)
{
    const an__build *b = (const an__build *)run;
    return an__data_reads(b->config, &b->found, path);
}

void an_run_free(an_run *run)
{
    if (!run)
        return;
    an__build *b = (an__build *)run;
    an_early_stopping_free(&run->early_stopping);
    an__metrics_free(run);
    an_lr_free(run->schedule);
    an_lint_free(run->schedule_lint);
    an_lr_text_free(b->schedule_text);
    an_spec_free(b->schedule_spec);
    an_average_free(run->average);
    an_optim_free(run->optim);
    an_model_free(run->model);
    an_loader_free(run->train);
    an_loader_free(run->valid);
    an_loader_free(run->test);
    an_dataset_free(run->train_data);
    an_dataset_free(run->valid_data);
    an_dataset_free(run->test_data);
    an_dataset_free(b->learned);
    an_dataset_free(run->whole_data);
    an_context_free(run->context);
    an_arena_free(&b->texts);
    an_allocator allocator = an_allocator_default();
    an_release(&allocator, b, 1, sizeof *b);
}
