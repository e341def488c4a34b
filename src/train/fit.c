/*
 * The fit loop.
 *
 * Gradient accumulation: the loss of a batch is the mean over its n samples. An update is made from
 * a window of `accumulate` batches with N samples in all; weighting each batch's loss by n / N
 * before the backward pass makes the summed gradient the mean over the N samples, whatever the
 * sizes. N must be known before the window's first backward: every batch of an epoch but the last
 * has the size of the first, so it follows from where the window begins.
 */
#include "train/fit.h"

#include <anneal/lr_text.h>

#include <math.h>
#include <sys/resource.h>
#include <time.h>

double an__now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void an__show(an__fit *f, bool shown)
{
    if (shown && !f->shown)
        an_optim_eval(f->options->optim);
    else if (!shown && f->shown)
        an_optim_train(f->options->optim);
    f->shown = shown;
}

/* ---------------------------------------------------- what callbacks ask for */

static bool fail_with(const an_error *failure, an_error *err)
{
    if (err)
        *err = *failure;
    return false;
}

/* A checkpoint waits until the update that is under way is complete. */
static bool save_if_possible(an__fit *f, an_error *err)
{
    an_control *c = &f->control;
    bool best = c->best;
    if (f->window.samples > 0)
        return true;
    c->save = c->best = false;
    return !f->options->checkpoints || an__save(f, best, err);
}

static bool obey(an__fit *f, an_error *err)
{
    an_control *c = &f->control;
    double factor = c->rate_factor;
    if (c->error.code != AN_ERROR_OK)
        return fail_with(&c->error, err);
    c->rate_factor = 1;
    if (c->roll_back) {
        c->roll_back = c->save = c->best = false;
        return an__roll_back(f, factor, err);
    }
    return !c->save || save_if_possible(f, err);
}

/* Calls the callbacks and does what they ask for, but for stopping. */
static bool moment(an__fit *f, an__moment when, an_error *err)
{
    an__call_back(f, when);
    return obey(f, err);
}

/*
 * After a loss that is not finite: the callbacks see it, and one of them may have the run go back.
 * False with the failure where none does.
 */
static bool rescue(an__fit *f, an__moment when, const an_error *failure, an_error *err)
{
    an_graph_reset(f->graph, NULL);
    if (failure->code != AN_ERROR_NUMERIC)
        return fail_with(failure, err);
    an__call_back(f, when);
    bool goes_back = f->control.roll_back && f->control.error.code == AN_ERROR_OK;
    if (!goes_back && f->control.error.code == AN_ERROR_OK)
        return fail_with(failure, err);
    return obey(f, err);
}

/* ------------------------------------------------------------------- sums */

/* Peak resident set in bytes. */
static int64_t process_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

static void tally_add(an__tally *sum, double mean_loss, int64_t correct, int64_t samples)
{
    sum->loss += mean_loss * (double)samples;
    sum->correct += correct;
    sum->samples += samples;
}

static double tally_loss(const an__tally *sum)
{
    return sum->loss / (double)sum->samples;
}

/* NaN where there are no labels. */
static double tally_accuracy(const an__fit *f, const an__tally *sum)
{
    return f->labels ? (double)sum->correct / (double)(sum->samples * f->labels) : NAN;
}

/* ------------------------------------------------------------- one update */

/* The share of its window's samples that a batch has. */
static double batch_weight(an__fit *f, const an_batch *batch)
{
    int64_t k = f->options->accumulate;
    if (batch->index == 0)
        f->full = batch->size;
    int64_t before = batch->index / k * k * f->full;
    int64_t rest = an_loader_samples(f->options->train) - before;
    int64_t window = k > rest / f->full ? rest : k * f->full;
    return (double)batch->size / (double)window;
}

static bool diverged(an__fit *f, const char *what, double value, an_error *err)
{
    f->record.batch_loss = value;
    an_lr_group *group = an_optim_group(f->options->optim, 0);
    return an_error_set(err, AN_ERROR_NUMERIC,
                        "%s became %g at step %lld (epoch %lld, batch %lld) with lr %g; try a "
                        "lower learning rate, a warmup or clip_grad_norm",
                        what, value, (long long)f->record.step + 1, (long long)f->record.epoch,
                        (long long)f->record.batch + 1, group->slot[AN_LR].value * f->rate_scale);
}

/* The value of a slot of group 0 that the schedule drives, or what the options say. */
static double driven(const an__fit *f, an_slot_id id, double otherwise)
{
    const an_slot *slot = &an_optim_group(f->options->optim, 0)->slot[id];
    return slot->present && f->schedule && an_lr_drives(f->schedule, id) ? slot->value : otherwise;
}

/* A loss that is not finite makes no step, but a SpikeGuard in the schedule hears of it. */
static void warn_schedule(an__fit *f, double loss)
{
    if (!f->schedule || f->interval != AN_INTERVAL_STEP || !an_lr_wants_metric(f->schedule))
        return;
    const an_lr_clock now = an_lr_now(f->schedule);
    an_lr_step_with(f->schedule, &(an_lr_input){.clock = &now, .loss = loss, .has_loss = true});
    if (an_lr_wants_rollback(f->schedule))
        f->control.roll_back = true;
}

/* Forward and backward; adds the batch to the tallies. */
static bool train_batch(an__fit *f, const an_batch *batch, an_error *err)
{
    const an_fit_options *o = f->options;
    double weight = batch_weight(f, batch);
    an_loss setting = o->loss;
    setting.label_smoothing = driven(f, AN_LABEL_SMOOTHING, setting.label_smoothing);
    if (f->drops)
        an_model_set_dropout(o->model, driven(f, AN_DROPOUT, 0));
    an_tensor *output = an_forward(o->model, f->graph, batch->x);
    an_tensor *loss = an__batch_loss(f->graph, setting, output, batch);
    if (an_graph_error(f->graph, err))
        return false;
    double value = an_item(loss);
    if (!isfinite(value)) {
        warn_schedule(f, value);
        return diverged(f, "the loss", value, err);
    }
    int64_t correct = batch->y.count > 0 ? an_count_correct(output, batch->y) : 0;
    f->labels = batch->y.count / batch->size;
    f->record.batch_loss = value;
    tally_add(&f->epoch, value, correct, batch->size);
    tally_add(&f->window, value, correct, batch->size);
    if (o->accumulate > 1)
        loss = an_affine(f->graph, loss, weight, 0);
    return an_backward(f->graph, loss, err) && an_graph_reset(f->graph, err);
}

/* The rates in use go into the record before a schedule changes them. */
static void record_rates(an__fit *f)
{
    size_t count = an_optim_group_count(f->options->optim);
    f->record.groups = count < AN_RECORD_GROUPS ? count : AN_RECORD_GROUPS;
    for (size_t i = 0; i < f->record.groups; i++) {
        const an_slot *slot = an_optim_group(f->options->optim, i)->slot;
        f->record.lr[i] = slot[AN_LR].value * f->rate_scale;
        f->record.momentum[i] = slot[AN_MOMENTUM].present ? slot[AN_MOMENTUM].value
                                : slot[AN_BETA1].present  ? slot[AN_BETA1].value
                                                          : NAN;
    }
}

/* A momentum that there is not is NaN in both. */
static bool has_rates_of(const an_record *a, const an_record *b)
{
    for (size_t i = 0; i < a->groups; i++) {
        bool none = isnan(a->momentum[i]) && isnan(b->momentum[i]);
        if (a->lr[i] != b->lr[i] || (!none && a->momentum[i] != b->momentum[i]))
            return false;
    }
    return true;
}

/* Tells those who wait for it that the schedule's step has changed the rates. */
static void announce_rates(an__fit *f)
{
    an_record *r = &f->record;
    an_record used = *r;
    if (!an__is_awaited(f, AN__rate_begin) && !an__is_awaited(f, AN__rate_end))
        return;
    record_rates(f);
    if (has_rates_of(r, &used))
        return;
    an_record next = *r;
    *r = used;
    an__call_back(f, AN__rate_begin);
    *r = next;
    an__call_back(f, AN__rate_end);
    *r = used;
}

/* What the schedule is fed: over the last update, or over the epoch and its validation. */
static double monitored(const an__fit *f, const an__tally *sum)
{
    switch (f->options->monitor) {
    case AN_MONITOR_TRAIN_LOSS:
        return tally_loss(sum);
    case AN_MONITOR_TRAIN_ACCURACY:
        return tally_accuracy(f, sum);
    case AN_MONITOR_VALID_LOSS:
        return f->record.valid_loss;
    case AN_MONITOR_VALID_ACCURACY:
        return f->record.valid_accuracy;
    case AN_MONITOR_AUTO:
        break;
    }
    bool valid = f->options->valid && f->interval == AN_INTERVAL_EPOCH;
    return valid ? f->record.valid_loss : tally_loss(sum);
}

/* What counts as the time is up to options.clock; measured time then goes on from there. */
static void tick(an__fit *f)
{
    const an_clock_source *source = &f->options->clock;
    const double measured = an__now() - f->begun;
    double seconds = measured;
    if (source->seconds)
        seconds = source->seconds(source->user, f->record.step, measured);
    f->seconds = seconds > f->seconds ? seconds : f->seconds;
    f->begun += measured - f->seconds;
    f->epoch_begun += measured - f->seconds;
}

/* Where the run stands, as the schedule counts: an epoch is a step under interval epoch. */
static an_lr_clock clock_of(const an__fit *f)
{
    const an_record *r = &f->record;
    const bool by_step = f->interval == AN_INTERVAL_STEP;
    const double samples = (double)r->samples;
    return (an_lr_clock){.steps = (double)(by_step ? r->step : r->epoch),
                         .epochs = samples / (double)r->train_samples,
                         .samples = samples,
                         .tokens = samples * (double)(f->labels > 1 ? f->labels : 1),
                         .seconds = f->seconds};
}

static void step_schedule(an__fit *f, an_interval when, const an__tally *sum)
{
    struct an_lr_schedule *schedule = f->schedule;
    if (!schedule || f->interval != when)
        return;
    const an_lr_clock clock = clock_of(f);
    an_lr_input input = {.clock = f->clocked ? &clock : NULL};
    if (an_lr_wants_metric(schedule)) {
        input.has_metric = input.has_loss = true;
        input.metric = monitored(f, sum);
        input.loss = tally_loss(sum);
    }
    an_lr_step_with(schedule, &input);
    if (an_lr_wants_rollback(schedule))
        f->control.roll_back = true;
    announce_rates(f);
}

/*
 * The optimizer's step, at the rates of the groups times what rollbacks have left of them. The
 * slots themselves stay as the schedule wrote them, which may go on from there.
 */
static bool step_optimizer(an__fit *f, an_error *err)
{
    an_optim *optim = f->options->optim;
    size_t count = f->rate_scale != 1 ? an_optim_group_count(optim) : 0;
    for (size_t i = 0; i < count; i++) {
        f->rates[i] = an_optim_group(optim, i)->slot[AN_LR].value;
        an_optim_group(optim, i)->slot[AN_LR].value *= f->rate_scale;
    }
    bool ok = an_optim_step(optim);
    for (size_t i = 0; i < count; i++)
        an_optim_group(optim, i)->slot[AN_LR].value = f->rates[i];
    return ok || !an_optim_error(optim, err);
}

/* Clips, updates the parameters and forgets the window. */
static bool update(an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    const double most = driven(f, AN_CLIP_NORM, o->clip_grad_norm);
    f->record.grad_norm = NAN;
    if (most > 0 || an__norm_wanted(f)) {
        double norm = an_clip_grad_norm(an_model_params(o->model), most);
        if (most > 0 && !isfinite(norm))
            return diverged(f, "the norm of the gradients", norm, err);
        f->record.grad_norm = norm;
    }
    record_rates(f);
    if (!step_optimizer(f, err))
        return false;
    an_optim_zero_grad(o->optim);
    f->record.step++;
    tick(f);
    step_schedule(f, AN_INTERVAL_STEP, &f->window);
    f->window = (an__tally){0};
    return true;
}

/* -------------------------------------------------------------- one epoch */

static void record_progress(an__fit *f)
{
    an_record *r = &f->record;
    double t = an__now();
    r->loss = tally_loss(&f->epoch);
    r->accuracy = tally_accuracy(f, &f->epoch);
    r->seconds = f->clocked ? f->seconds : t - f->begun;
    r->epoch_seconds = t - f->epoch_begun;
    r->batch_seconds = t - f->batch_begun;
    f->batch_begun = t;
    r->samples_per_second = r->epoch_seconds > 0 ? (double)f->epoch.samples / r->epoch_seconds : 0;
}

static bool stop_wanted(const an__fit *f)
{
    return f->control.stop || (f->options->stop && *f->options->stop);
}

/* Where there will be a checkpoint, the update that is under way is completed first. */
static bool must_stop(const an__fit *f)
{
    return stop_wanted(f) && (f->window.samples == 0 || !f->options->checkpoints);
}

/* Whether the run's last update is done: in a run in steps, or under a budget. */
static bool updates_done(const an__fit *f)
{
    const an_fit_options *o = f->options;
    if (o->budget > 0)
        return f->seconds >= o->budget && f->window.samples == 0;
    return o->steps > 0 && f->record.step >= o->steps;
}

/* Forward, backward and, where its window ends, the update. */
static bool train_and_update(an__fit *f, const an_batch *batch, an_error *err)
{
    an_record *r = &f->record;
    int64_t done = batch->index + 1;
    if (!train_batch(f, batch, err))
        return false;
    r->samples += batch->size;
    if ((done % f->options->accumulate == 0 || done == r->batches) && !update(f, err))
        return false;
    r->batch = done;
    record_progress(f);
    return true;
}

/* The batches of an epoch that are left, up to the last step, the wish to stop or a rollback. */
static bool train_epoch(an__fit *f, an_error *err)
{
    an_batch batch;
    f->batch_begun = an__now();
    while (!must_stop(f) && !updates_done(f) && an_loader_next(f->options->train, &batch)) {
        an_error failure = {0};
        an__call_back(f, AN__batch_begin);
        bool ok = train_and_update(f, &batch, &failure) ? moment(f, AN__batch_end, err)
                                                        : rescue(f, AN__batch_end, &failure, err);
        if (!ok || f->went_back)
            return ok;
    }
    return true;
}

/* The epoch's batches have the size that the schedule has now. */
static bool size_batches(an__fit *f, an_error *err)
{
    an_loader *loader = f->options->train;
    if (!f->sizes)
        return true;
    const double size = driven(f, AN_BATCH_SIZE, 1);
    if (!(size >= 0.5 && size < 1e9))
        return an_error_set(err, AN_ERROR_NUMERIC,
                            "the schedule's batch_size is %g at step %lld; it must come to at "
                            "least 1",
                            size, (long long)f->record.step);
    if (!an_loader_set_batch_size(loader, (int64_t)(size + 0.5), err))
        return false;
    f->record.batches = an_loader_batches(loader);
    return true;
}

static bool begin_epoch(an__fit *f, an_error *err)
{
    an_record *r = &f->record;
    if (!size_batches(f, err))
        return false;
    r->epoch++;
    r->batch = 0;
    r->loss = r->accuracy = r->batch_loss = r->valid_loss = r->valid_accuracy = NAN;
    r->epoch_seconds = r->batch_seconds = r->samples_per_second = 0;
    f->epoch = (an__tally){0};
    f->epoch_begun = an__now();
    f->in_epoch = true;
    an__show(f, false);
    return moment(f, AN__epoch_begin, err);
}

static bool evaluate(an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    an_eval_result result;
    if (!an__evaluate(o->model, o->loss, o->valid, f->graph, &result, err))
        return false;
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
    double pause = an__now() - t;
    f->begun += pause;
    f->epoch_begun += pause;
    if (!ok)
        return rescue(f, AN__valid_end, &failure, err);
    an__call_back(f, AN__valid_end);
    return f->control.roll_back ? obey(f, err) : true;
}

/* What is validated is what callbacks see and what is saved at the epoch's end. */
static bool end_epoch(an__fit *f, an_error *err)
{
    an__show(f, true);
    if (!validate(f, err))
        return false;
    if (f->went_back)
        return true;
    f->record.memory = process_memory();
    if (f->record.batch == f->record.batches)
        step_schedule(f, AN_INTERVAL_EPOCH, &f->epoch);
    f->in_epoch = false;
    return an__show_params(f, err) && moment(f, AN__epoch_end, err);
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
    record_rates(f);
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
    *stopped = stop_wanted(f);
    return *stopped || end_epoch(f, err);
}

static bool train(an__fit *f, bool *stopped, an_error *err)
{
    while (f->in_epoch ||
           ((f->record.epochs == 0 || f->record.epoch < f->record.epochs) && !updates_done(f))) {
        *stopped = stop_wanted(f);
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

/* A run that goes on as another one is saved as such at once: the checkpoint was the old one's. */
static bool tell_resumed(an__fit *f, const char *news, an_error *err)
{
    bool changed = f->saved_step < 0;
    an__tell(f, "resumed", news);
    return !changed || !f->options->checkpoints || an__save(f, false, err);
}

/* Whether a SpikeGuard is in there, which needs something to go back to. */
static bool guards(const an_lr_desc *desc)
{
    bool found = desc->kind == AN_LR_SPIKE;
    for (size_t i = 0; !found && i < an_lr_child_count(desc); i++)
        found = guards(an_lr_child(desc, i));
    return found;
}

static bool save_the_beginning(an__fit *f, an_error *err)
{
    const bool saves = f->options->checkpoints && f->saved_step < 0;
    return !saves || !f->schedule || !guards(an_lr_desc_of(f->schedule)) || an__save(f, false, err);
}

/* From the first callback to the last. */
static bool run(an__fit *f, const char *news, an_fit_result *result, an_error *err)
{
    bool ok = moment(f, AN__train_begin, err);
    ok = ok && (!news[0] || tell_resumed(f, news, err)) && save_the_beginning(f, err);
    f->seconds = f->record.seconds;
    f->begun = an__now() - f->seconds;
    f->epoch_begun = an__now() - f->record.epoch_seconds;
    ok = ok && train(f, &result->stopped, err) && save_the_end(f, err);
    result->saved = f->saved_step == f->record.step && f->saved_open == f->in_epoch;
    an__show(f, true);
    an__call_back(f, AN__train_end);
    if (ok && f->control.error.code != AN_ERROR_OK)
        ok = fail_with(&f->control.error, err);
    return ok;
}

static bool open_fit(an__fit *f, an_error *err)
{
    an_context *context = an_params_context(an_model_params(f->options->model));
    size_t groups = an_optim_group_count(f->options->optim);
    f->graph = an_graph_new(context, err);
    if (!f->graph)
        return false;
    f->rates = an_alloc(an_context_allocator(context), groups, sizeof *f->rates, err);
    return f->rates != NULL;
}

static void close_fit(an__fit *f)
{
    an_context *context = an_params_context(an_model_params(f->options->model));
    size_t groups = an_optim_group_count(f->options->optim);
    an_release(an_context_allocator(context), f->rates, groups, sizeof *f->rates);
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
        f.clocked = options->budget > 0 || options->clock.seconds ||
                    (f.schedule && an_lr_wants_clock(f.schedule));
        f.sizes = f.schedule && an_lr_drives(f.schedule, AN_BATCH_SIZE) &&
                  an_optim_group(options->optim, 0)->slot[AN_BATCH_SIZE].present;
        f.clocked = f.clocked || f.sizes;
        f.drops = f.schedule && an_lr_drives(f.schedule, AN_DROPOUT) &&
                  an_optim_group(options->optim, 0)->slot[AN_DROPOUT].present;
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
