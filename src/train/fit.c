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

#include <anneal/lr.h>

#include <math.h>
#include <sys/resource.h>
#include <time.h>

/* Sums over some samples. */
typedef struct tally {
    double loss;
    int64_t correct, samples;
} tally;

typedef struct fit {
    const an_fit_options *options;
    an_graph *graph;
    an_record record;
    an_control control;
    tally epoch, window;       /* the epoch so far; the update being accumulated */
    int64_t full;              /* samples in a full batch */
    double begun, epoch_begun; /* moments, moved on by pauses (validation) */
    double batch_begun;
} fit;

typedef enum moment {
    TRAIN_BEGIN,
    EPOCH_BEGIN,
    BATCH_BEGIN,
    BATCH_END,
    EPOCH_END,
    TRAIN_END
} moment;

static an_callback_function *function_of(const an_callback *c, moment when)
{
    switch (when) {
    case TRAIN_BEGIN:
        return c->train_begin;
    case EPOCH_BEGIN:
        return c->epoch_begin;
    case BATCH_BEGIN:
        return c->batch_begin;
    case BATCH_END:
        return c->batch_end;
    case EPOCH_END:
        return c->epoch_end;
    case TRAIN_END:
        return c->train_end;
    }
    return NULL;
}
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------------ the callbacks */

/* Batch moments come for every `every`th batch of the run; the others always. */
static bool is_due(const fit *f, const an_callback *c, moment when)
{
    const an_record *r = &f->record;
    if (when != BATCH_BEGIN && when != BATCH_END)
        return true;
    int64_t done = (r->epoch - 1) * r->batches + r->batch + (when == BATCH_BEGIN);
    return c->every <= 1 || done % c->every == 0;
}

static void call_back(fit *f, moment when)
{
    for (size_t i = 0; i < f->options->callback_count; i++) {
        const an_callback *c = &f->options->callbacks[i];
        an_callback_function *function = function_of(c, when);
        if (function && is_due(f, c, when))
            function(c->user, &f->record, &f->control);
    }
}

/* an_control's `tell`. */
static void tell(void *host, const char *kind, const char *text)
{
    const fit *f = host;
    const an_event event = {kind, text};
    for (size_t i = 0; i < f->options->callback_count; i++) {
        const an_callback *c = &f->options->callbacks[i];
        if (c->event)
            c->event(c->user, &f->record, &event);
    }
}

/* Whether a callback will want the norm of the gradients after the batch that has begun. */
static bool norm_wanted(const fit *f)
{
    for (size_t i = 0; i < f->options->callback_count; i++) {
        const an_callback *c = &f->options->callbacks[i];
        if (c->wants_grad_norm && is_due(f, c, BATCH_BEGIN))
            return true;
    }
    return false;
}

/* Peak resident set in bytes. */
static int64_t process_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

static void tally_add(tally *sum, double mean_loss, int64_t correct, int64_t samples)
{
    sum->loss += mean_loss * (double)samples;
    sum->correct += correct;
    sum->samples += samples;
}

static double tally_loss(const tally *sum)
{
    return sum->loss / (double)sum->samples;
}

static double tally_accuracy(const tally *sum)
{
    return (double)sum->correct / (double)sum->samples;
}

/* ------------------------------------------------------------- one update */

/* The share of its window's samples that a batch has. */
static double batch_weight(fit *f, const an_batch *batch)
{
    int64_t k = f->options->accumulate;
    if (batch->index == 0)
        f->full = batch->size;
    int64_t before = batch->index / k * k * f->full;
    int64_t rest = an_loader_samples(f->options->train) - before;
    int64_t window = k > rest / f->full ? rest : k * f->full;
    return (double)batch->size / (double)window;
}

static bool diverged(const fit *f, const char *what, double value, an_error *err)
{
    an_lr_group *group = an_optim_group(f->options->optim, 0);
    return an_error_set(err, AN_ERROR_NUMERIC,
                        "%s became %g at step %lld (epoch %lld, batch %lld) with lr %g; try a "
                        "lower learning rate, a warmup or clip_grad_norm",
                        what, value, (long long)f->record.step + 1, (long long)f->record.epoch,
                        (long long)f->record.batch + 1, group->slot[AN_LR].value);
}

/* Forward and backward; adds the batch to the tallies. */
static bool train_batch(fit *f, const an_batch *batch, an_error *err)
{
    const an_fit_options *o = f->options;
    double weight = batch_weight(f, batch);
    an_tensor *output = an_forward(o->model, f->graph, batch->x);
    an_tensor *loss = an_loss_apply(o->loss, f->graph, output, batch->y);
    if (an_graph_error(f->graph, err))
        return false;
    double value = an_item(loss);
    if (!isfinite(value))
        return diverged(f, "the loss", value, err);
    int64_t correct = an_count_correct(output, batch->y);
    f->record.batch_loss = value;
    tally_add(&f->epoch, value, correct, batch->size);
    tally_add(&f->window, value, correct, batch->size);
    if (o->accumulate > 1)
        loss = an_affine(f->graph, loss, weight, 0);
    return an_backward(f->graph, loss, err) && an_graph_reset(f->graph, err);
}

/* The rates in use go into the record before a schedule changes them. */
static void record_rates(fit *f)
{
    size_t count = an_optim_group_count(f->options->optim);
    f->record.groups = count < AN_RECORD_GROUPS ? count : AN_RECORD_GROUPS;
    for (size_t i = 0; i < f->record.groups; i++) {
        const an_slot *slot = an_optim_group(f->options->optim, i)->slot;
        f->record.lr[i] = slot[AN_LR].value;
        f->record.momentum[i] = slot[AN_MOMENTUM].present ? slot[AN_MOMENTUM].value
                                : slot[AN_BETA1].present  ? slot[AN_BETA1].value
                                                          : NAN;
    }
}

/* What the schedule is fed: over the last update, or over the epoch and its validation. */
static double monitored(const fit *f, const tally *sum)
{
    switch (f->options->monitor) {
    case AN_MONITOR_TRAIN_LOSS:
        return tally_loss(sum);
    case AN_MONITOR_TRAIN_ACCURACY:
        return tally_accuracy(sum);
    case AN_MONITOR_VALID_LOSS:
        return f->record.valid_loss;
    case AN_MONITOR_VALID_ACCURACY:
        return f->record.valid_accuracy;
    case AN_MONITOR_AUTO:
        break;
    }
    bool valid = f->options->valid && f->options->interval == AN_INTERVAL_EPOCH;
    return valid ? f->record.valid_loss : tally_loss(sum);
}

static void step_schedule(fit *f, an_interval when, const tally *sum)
{
    struct an_lr_schedule *schedule = f->options->schedule;
    if (!schedule || f->options->interval != when)
        return;
    if (an_lr_wants_metric(schedule))
        an_lr_step_metric(schedule, monitored(f, sum));
    else
        an_lr_step(schedule);
}

/* Clips, updates the parameters and forgets the window. */
static bool update(fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    f->record.grad_norm = NAN;
    if (o->clip_grad_norm > 0 || norm_wanted(f)) {
        double norm = an_clip_grad_norm(an_model_params(o->model), o->clip_grad_norm);
        if (o->clip_grad_norm > 0 && !isfinite(norm))
            return diverged(f, "the norm of the gradients", norm, err);
        f->record.grad_norm = norm;
    }
    record_rates(f);
    an_optim_step(o->optim);
    an_optim_zero_grad(o->optim);
    f->record.step++;
    step_schedule(f, AN_INTERVAL_STEP, &f->window);
    f->window = (tally){0};
    return true;
}

/* -------------------------------------------------------------- one epoch */

static void record_progress(fit *f)
{
    an_record *r = &f->record;
    double t = now();
    r->loss = tally_loss(&f->epoch);
    r->accuracy = tally_accuracy(&f->epoch);
    r->seconds = t - f->begun;
    r->epoch_seconds = t - f->epoch_begun;
    r->batch_seconds = t - f->batch_begun;
    f->batch_begun = t;
    r->samples_per_second = r->epoch_seconds > 0 ? (double)f->epoch.samples / r->epoch_seconds : 0;
}

static bool stop_wanted(const fit *f)
{
    return f->control.stop || f->control.error.code != AN_ERROR_OK ||
           (f->options->stop && *f->options->stop);
}

static bool steps_done(const fit *f)
{
    return f->options->steps > 0 && f->record.step >= f->options->steps;
}

/* All batches of an epoch, or those until the last step or the wish to stop. */
static bool train_epoch(fit *f, an_error *err)
{
    an_record *r = &f->record;
    an_batch batch;
    f->batch_begun = now();
    while (!stop_wanted(f) && !steps_done(f) && an_loader_next(f->options->train, &batch)) {
        call_back(f, BATCH_BEGIN);
        if (!train_batch(f, &batch, err))
            return false;
        int64_t done = batch.index + 1;
        if ((done % f->options->accumulate == 0 || done == r->batches) && !update(f, err))
            return false;
        r->batch = done;
        r->samples += batch.size;
        record_progress(f);
        call_back(f, BATCH_END);
    }
    return true;
}

static void begin_epoch(fit *f)
{
    an_record *r = &f->record;
    r->epoch++;
    r->batch = 0;
    r->loss = r->accuracy = r->batch_loss = r->valid_loss = r->valid_accuracy = NAN;
    r->epoch_seconds = r->batch_seconds = r->samples_per_second = 0;
    f->epoch = (tally){0};
    f->epoch_begun = now();
    call_back(f, EPOCH_BEGIN);
}

/* The training clock stands still during the validation. */
static bool validate(fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    an_eval_result result;
    if (!o->valid)
        return true;
    double t = now();
    if (!an__evaluate(o->model, o->loss, o->valid, f->graph, &result, err))
        return false;
    f->record.valid_loss = result.loss;
    f->record.valid_accuracy = result.accuracy;
    if (!isfinite(result.loss))
        return an_error_set(err, AN_ERROR_NUMERIC,
                            "the validation loss is %g after step %lld (epoch %lld) with lr %g; "
                            "try a lower learning rate, a warmup or clip_grad_norm",
                            result.loss, (long long)f->record.step, (long long)f->record.epoch,
                            f->record.lr[0]);
    double pause = now() - t;
    f->begun += pause;
    f->epoch_begun += pause;
    return true;
}

static bool end_epoch(fit *f, an_error *err)
{
    if (!validate(f, err))
        return false;
    f->record.memory = process_memory();
    if (f->record.batch == f->record.batches)
        step_schedule(f, AN_INTERVAL_EPOCH, &f->epoch);
    call_back(f, EPOCH_END);
    return true;
}

/* ------------------------------------------------------------ all of them */

static void prepare(fit *f)
{
    const an_fit_options *o = f->options;
    int64_t steps = an_fit_total_steps(o), each = an_fit_steps_per_epoch(o);
    f->record = (an_record){
        .steps = steps,
        .epochs = o->epochs > 0 ? o->epochs : steps / each + (steps % each != 0),
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
    f->control = (an_control){.rate_factor = 1, .tell = tell, .host = f};
    record_rates(f);
    an_optim_zero_grad(o->optim);
    an_loader_seek(o->train, 0);
}

static bool train(fit *f, bool *stopped, an_error *err)
{
    while (f->record.epoch < f->record.epochs) {
        *stopped = stop_wanted(f);
        if (*stopped)
            return true;
        begin_epoch(f);
        if (!train_epoch(f, err))
            return false;
        *stopped = stop_wanted(f);
        if (*stopped)
            return true;
        if (!end_epoch(f, err))
            return false;
    }
    return true;
}

bool an_fit(const an_fit_options *options, an_fit_result *result, an_error *err)
{
    an_fit_result none;
    result = result ? result : &none;
    *result = (an_fit_result){0};
    if (!an__fit_check(options, err))
        return false;
    fit f = {.options = options, .full = 1};
    f.graph = an_graph_new(an_params_context(an_model_params(options->model)), err);
    if (!f.graph)
        return false;
    bool training = an_model_set_training(options->model, true);
    prepare(&f);
    call_back(&f, TRAIN_BEGIN);
    f.begun = now();
    bool ok = train(&f, &result->stopped, err);
    call_back(&f, TRAIN_END);
    if (ok && f.control.error.code != AN_ERROR_OK) {
        if (err)
            *err = f.control.error;
        ok = false;
    }
    an_optim_zero_grad(options->optim);
    an_model_set_training(options->model, training);
    result->last = f.record;
    result->graph_bytes = an_graph_peak_bytes(f.graph);
    an_graph_free(f.graph);
    return ok;
}
