/*
 * One update: its batches forward and backward, clipping, the optimizer's step, the schedule's.
 *
 * Gradient accumulation: the loss of a batch is the mean over its n samples. An update is made from
 * a window of `accumulate` batches with N samples in all; weighting each batch's loss by n / N
 * before the backward pass makes the summed gradient the mean over the N samples, whatever the
 * sizes. N must be known before the window's first backward: every batch of an epoch but the last
 * has the size of the first, so it follows from where the window begins.
 */
#include "train/fit.h"

#include <math.h>

/* ------------------------------------------------------------------- sums */

static void tally_add(an__tally *sum, double mean_loss, int64_t correct, int64_t samples)
{
    sum->loss += mean_loss * (double)samples;
    sum->correct += correct;
    sum->samples += samples;
}

double an__tally_loss(const an__tally *sum)
{
    return sum->loss / (double)sum->samples;
}

double an__tally_accuracy(const an__fit *f, const an__tally *sum)
{
    return f->labels ? (double)sum->correct / (double)(sum->samples * f->labels) : NAN;
}

/* ------------------------------------------------------------- one batch */

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

/* Minus the logarithm of a probability is never below 0: a loss that is, was given something else.
 */
static const char *advice(const an__fit *f, double value)
{
    return f->options->loss.kind == AN_NLL_LOSS && value < 0
               ? "NLLLoss takes logarithms of probabilities: end the model with LogSoftmax(), or "
                 "take CrossEntropyLoss()"
               : "try a lower learning rate, a warmup or clip_grad_norm";
}

static bool diverged(an__fit *f, const char *what, double value, an_error *err)
{
    f->record.batch_loss = value;
    an_lr_group *group = an_optim_group(f->options->optim, 0);
    return an_error_set(
        err, AN_ERROR_NUMERIC, "%s became %g at step %lld (epoch %lld, batch %lld) with lr %g; %s",
        what, value, (long long)f->record.step + 1, (long long)f->record.epoch,
        (long long)f->record.batch + 1, group->slot[AN_LR].value * f->rate_scale, advice(f, value));
}

/* Forward and backward; adds the batch to the tallies. */
static bool train_batch(an__fit *f, const an_batch *batch, an_error *err)
{
    const an_fit_options *o = f->options;
    double weight = batch_weight(f, batch);
    an_loss setting = o->loss;
    setting.label_smoothing = an__driven(f, AN_LABEL_SMOOTHING, setting.label_smoothing);
    if (f->drops)
        an_model_set_dropout(o->model, an__driven(f, AN_DROPOUT, 0));
    an_tensor *output = an_forward(o->model, f->graph, batch->x);
    an_tensor *loss = an__batch_loss(f->graph, setting, output, batch);
    if (an_graph_error(f->graph, err))
        return false;
    double value = an_item(loss);
    if (!isfinite(value)) {
        an__warn_schedule(f, value);
        return diverged(f, "the loss", value, err);
    }
    int64_t correct = batch->y.count > 0 ? an_count_correct(output, batch->y) : 0;
    f->labels = batch->y.count / batch->size;
    an__metrics_add(f, output, batch);
    f->record.batch_loss = value;
    tally_add(&f->epoch, value, correct, batch->size);
    tally_add(&f->window, value, correct, batch->size);
    if (o->accumulate > 1)
        loss = an_affine(f->graph, loss, weight, 0);
    return an_backward(f->graph, loss, err) && an_graph_reset(f->graph, err);
}

/* ------------------------------------------------------------- one update */

/* Clips, updates the parameters and forgets the window. */
static bool update(an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    const double most = an__driven(f, AN_CLIP_NORM, o->clip_grad_norm);
    f->record.grad_norm = NAN;
    if (most > 0 || an__norm_wanted(f)) {
        double norm = an_clip_grad_norm(an_model_params(o->model), most);
        if (most > 0 && !isfinite(norm))
            return diverged(f, "the norm of the gradients", norm, err);
        f->record.grad_norm = norm;
    }
    an__record_rates(f);
    if (!an__step_optimizer(f, err))
        return false;
    an_optim_zero_grad(o->optim);
    f->record.step++;
    an__average(f, false);
    an__tick(f);
    an__step_schedule(f, AN_INTERVAL_STEP, &f->window);
    f->window = (an__tally){0};
    return true;
}

static void record_progress(an__fit *f)
{
    an_record *r = &f->record;
    double t = an__now();
    r->loss = an__tally_loss(&f->epoch);
    r->accuracy = an__tally_accuracy(f, &f->epoch);
    an__show_metrics(f);
    r->seconds = f->clocked ? f->seconds : t - f->begun;
    r->epoch_seconds = t - f->epoch_begun;
    r->batch_seconds = t - f->batch_begun;
    f->batch_begun = t;
    r->samples_per_second = r->epoch_seconds > 0 ? (double)f->epoch.samples / r->epoch_seconds : 0;
}

bool an__train_and_update(an__fit *f, const an_batch *batch, an_error *err)
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
