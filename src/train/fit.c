/* The fit loop: epochs, their validation, and the way from a beginning or a checkpoint to the end.
 */
#include "train/fit.h"

#include <anneal/lr_text.h>

#include <math.h>
#include <string.h>
#include <sys/resource.h>

/* Peak resident set in bytes. */
static int64_t process_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* -------------------------------------------------------------- one epoch */

/* Where there will be a checkpoint, the update that is under way is completed first. */
static bool must_stop(const an__fit *f)
{
    return an__stop_wanted(f) && (f->window.samples == 0 || !f->options->checkpoints);
}

/* Whether the run's last update is done: in a run in steps, or under a budget. */
static bool updates_done(const an__fit *f)
{
    const an_fit_options *o = f->options;
    if (o->budget > 0)
        return f->seconds >= o->budget && f->window.samples == 0;
    return o->steps > 0 && f->record.step >= o->steps;
}

/* The batches of an epoch that are left, up to the last step, the wish to stop or a rollback. */
static bool train_epoch(an__fit *f, an_error *err)
{
    an_batch batch;
    f->batch_begun = an__now();
    while (!must_stop(f) && !updates_done(f) && an_loader_next(f->options->train, &batch)) {
        an_error failure = {0};
        an__call_back(f, AN__batch_begin);
        bool ok = an__train_and_update(f, &batch, &failure)
                      ? an__reach(f, AN__batch_end, err)
                      : an__rescue(f, AN__batch_end, &failure, err);
        if (!ok || f->went_back)
            return ok;
    }
    return true;
}

static bool begin_epoch(an__fit *f, an_error *err)
{
    an_record *r = &f->record;
    if (!an__size_batches(f, err))
        return false;
    r->epoch++;
    r->batch = 0;
    r->loss = r->accuracy = r->batch_loss = r->valid_loss = r->valid_accuracy = NAN;
    r->epoch_seconds = r->batch_seconds = r->samples_per_second = 0;
    f->epoch = (an__tally){0};
    an__forget_validated(f);
    an__show_metrics(f);
    f->epoch_begun = an__now();
    f->in_epoch = true;
    an__show(f, false);
    return an__reach(f, AN__epoch_begin, err);
}

static bool evaluate(an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    an_eval_result result;
    const an__evaluation evaluation = {o->model, o->loss,    o->valid,
                                       f->graph, o->metrics, o->metric_count};
    if (!an__evaluate(&evaluation, &result, err))
        return false;
    memcpy(f->valid_metrics, result.metrics, sizeof f->valid_metrics);
    an__show_metrics(f);
    f->record.valid_loss = result.loss;
    f->record.valid_accuracy = result.accuracy;
    return isfinite(result.loss) ||
           an_error_set(err, AN_ERROR_NUMERIC,
                        "the validation loss is %g after step %lld (epoch %lld) with lr %g; try a "
                        "lower learning rate, a warmup or clip_grad_norm",
                        result.loss, (long long)f->record.step, (long long)f->record.epoch,
                        f->record.lr[0]);
}

/* The training clock stands still during the validation. */
static bool validate(an__fit *f, an_error *err)
{
    an_error failure = {0};
    if (!f->options->valid)
        return true;
    double t = an__now();
    an__call_back(f, AN__valid_begin);
    bool ok = evaluate(f, &failure);
    an__pause_since(f, t);
    if (!ok)
        return an__rescue(f, AN__valid_end, &failure, err);
    an__call_back(f, AN__valid_end);
    return f->control.roll_back ? an__obey(f, err) : true;
}

/* What is validated is what callbacks see and what is saved at the epoch's end. */
static bool end_epoch(an__fit *f, an_error *err)
{
    an__average(f, true);
    an__show(f, true);
    if (!an__gather_statistics(f, err) || !validate(f, err))
        return false;
    if (f->went_back)
        return true;
    f->record.memory = process_memory();
    f->in_epoch = false;
    if (f->record.batch == f->record.batches)
        an__step_schedule(f, AN_INTERVAL_EPOCH, &f->epoch);
    return an__show_params(f, err) && an__reach(f, AN__epoch_end, err);
}

/* ------------------------------------------------------------ all of them */

static void prepare(an__fit *f)
{
    const an_fit_options *o = f->options;
    int64_t steps = an_fit_total_steps(o), each = an_fit_steps_per_epoch(o);
    f->record = (an_record){
        .steps = steps,
        .epochs = o->budget > 0   ? 0
                  : o->epochs > 0 ? o->epochs
                                  : steps / each + (steps % each != 0),
        .budget = o->budget,
        .batches = an_loader_batches(o->train),
        .train_samples = an_loader_samples(o->train),
        .valid_samples = o->valid ? an_loader_samples(o->valid) : 0,
        .loss = NAN,
        .accuracy = NAN,
        .batch_loss = NAN,
        .valid_loss = NAN,
        .valid_accuracy = NAN,
        .grad_norm = NAN,
        .memory = process_memory(),
    };
    f->control = (an_control){.rate_factor = 1, .tell = an__tell, .host = f};
    an__forget_validated(f);
    an__show_metrics(f);
    an__record_rates(f);
    an_optim_zero_grad(o->optim);
    an_loader_seek(o->train, 0);
}

/* One epoch, or what is left of it. */
static bool run_epoch(an__fit *f, bool *stopped, an_error *err)
{
    f->went_back = false;
    if (!f->in_epoch && (!begin_epoch(f, err) || f->went_back))
        return f->went_back;
    if (!train_epoch(f, err) || f->went_back)
        return f->went_back;
    *stopped = an__stop_wanted(f);
    return *stopped || end_epoch(f, err);
}

static bool train(an__fit *f, bool *stopped, an_error *err)
{
    while (f->in_epoch ||
           ((f->record.epochs == 0 || f->record.epoch < f->record.epochs) && !updates_done(f))) {
        *stopped = an__stop_wanted(f);
        if (*stopped)
            return true;
        if (!run_epoch(f, stopped, err))
            return false;
        if (*stopped)
            return true;
    }
    return true;
}

/* The end of the training goes into a checkpoint, unless it is in one. */
static bool save_the_end(an__fit *f, an_error *err)
{
    bool saved = f->saved_step == f->record.step && f->saved_open == f->in_epoch;
    return saved || !f->options->checkpoints || an__save(f, false, err);
}

/*
 * A run that goes on as another one, or from another place than its newest checkpoint, is saved as
 * such at once: else it would be the old one if it were interrupted.
 */
static bool tell_resumed(an__fit *f, const char *news, an_error *err)
{
    bool changed = f->saved_step < 0;
    an__tell(f, "resumed", news);
    return !changed || !f->options->checkpoints || an__save(f, false, err);
}

/* From the first callback to the last. */
static bool run(an__fit *f, const char *news, an_fit_result *result, an_error *err)
{
    bool ok = an__reach(f, AN__train_begin, err);
    ok = ok && (!news[0] || tell_resumed(f, news, err)) && an__save_the_beginning(f, err);
    an__start_clock(f);
    ok = ok && train(f, &result->stopped, err) && save_the_end(f, err);
    result->saved = f->saved_step == f->record.step && f->saved_open == f->in_epoch;
    an__show(f, true);
    an__call_back(f, AN__train_end);
    return ok && (f->control.error.code == AN_ERROR_OK || an__deliver(&f->control.error, err));
}

static bool open_fit(an__fit *f, an_error *err)
{
    an_context *context = an_params_context(an_model_params(f->options->model));
    size_t groups = an_optim_group_count(f->options->optim);
    f->graph = an_graph_new(context, err);
    if (!f->graph)
        return false;
    f->rates = an_alloc(an_context_allocator(context), groups, sizeof *f->rates, err);
    return f->rates && an__shown_open(f, err);
}

static void close_fit(an__fit *f)
{
    an_context *context = an_params_context(an_model_params(f->options->model));
    size_t groups = an_optim_group_count(f->options->optim);
    an_release(an_context_allocator(context), f->rates, groups, sizeof *f->rates);
    an__shown_close(f);
    an_lr_free(f->kept);
    an_lr_text_free(f->kept_text);
    an_graph_free(f->graph);
}

bool an_fit(const an_fit_options *options, an_fit_result *result, an_error *err)
{
    an_fit_result none;
    char news[AN_ERROR_MESSAGE_SIZE] = "";
    result = result ? result : &none;
    *result = (an_fit_result){0};
    if (!an__fit_check(options, err))
        return false;
    an__fit f = {.options = options,
                 .schedule = options->schedule,
                 .interval = options->interval,
                 .full = 1,
                 .rate_scale = 1,
                 .saves = -1,
                 .saved_step = -1};
    bool training = an_model_set_training(options->model, true);
    bool ok = open_fit(&f, err);
    if (ok) {
        prepare(&f);
        an__look_at_schedule(&f);
        ok = (!options->resume || an__resume(&f, news, sizeof news, err)) &&
             run(&f, news, result, err);
        an_optim_zero_grad(options->optim);
        result->last = f.record;
        result->graph_bytes = an_graph_peak_bytes(f.graph);
    }
    an_model_set_training(options->model, training);
    close_fit(&f);
    return ok;
}
