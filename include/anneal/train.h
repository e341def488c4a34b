/*
 * anneal/train.h - the fit loop: epochs, batches, accumulation, clipping, validation, the schedule.
 *
 * The trainer owns the order in which things happen, so that nobody gets it wrong:
 *
 *   for every batch     forward, loss, backward; after `accumulate` batches (or the epoch's last):
 *                       clip, record the rates in use, optimizer step, zero_grad, schedule step
 *                       (interval step)
 *   for every epoch     validation, schedule step (interval epoch), callbacks
 *
 * Gradients of an accumulated update are the mean over its samples, also when its last micro-batch
 * is short. A schedule that wants a metric (ReduceLROnPlateau) is fed what `monitor` says: under
 * interval epoch over the epoch and its validation, under interval step over the samples of the
 * update (there monitor auto is the training loss, and a validation monitor is refused).
 *
 * The record's clock counts training alone: it stands still during the validation.
 *
 * A fit is for models of layers, datasets of bytes and class labels. Anything else (regression, own
 * operations, graphs written out in C) takes the loop of anneal/autograd.h: it is ten lines.
 */
#ifndef ANNEAL_TRAIN_H
#define ANNEAL_TRAIN_H

#include <anneal/data.h>
#include <anneal/nn.h>
#include <anneal/optim.h>
#include <anneal/track.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum an_interval { AN_INTERVAL_EPOCH, AN_INTERVAL_STEP } an_interval;

typedef enum an_monitor {
    AN_MONITOR_AUTO, /* validation loss where there is a validation set, else training loss */
    AN_MONITOR_TRAIN_LOSS,
    AN_MONITOR_TRAIN_ACCURACY,
    AN_MONITOR_VALID_LOSS,
    AN_MONITOR_VALID_ACCURACY
} an_monitor;

/* What a fit works on and how. All objects belong to the caller and must outlive the fit. */
typedef struct an_fit_options {
    an_model *model;
    an_loss loss;
    an_optim *optim;
    struct an_lr_schedule *schedule; /* NULL: constant rate */
    an_interval interval;
    an_monitor monitor;
    an_loader *train;
    an_loader *valid;      /* NULL: none */
    int64_t epochs;        /* one of epochs and steps is positive, the other 0 */
    int64_t steps;         /* stops within an epoch */
    int64_t accumulate;    /* batches per optimizer update; at least 1 */
    double clip_grad_norm; /* 0: no clipping */
    const an_callback *callbacks;
    size_t callback_count;
    const volatile int
        *stop; /* NULL, or set to non-zero (by a signal handler) to end after a batch */
} an_fit_options;

typedef struct an_fit_result {
    an_record last;     /* at the end of training */
    bool stopped;       /* by `stop` or a callback */
    size_t graph_bytes; /* the most that the graph's arena held */
} an_fit_result;

/* accumulate 1, interval epoch, monitor auto, everything else zero. */
AN_API an_fit_options an_fit_defaults(void);

/* Optimizer updates that these options make in an epoch, and in all. */
AN_API int64_t an_fit_steps_per_epoch(const an_fit_options *options);
AN_API int64_t an_fit_total_steps(const an_fit_options *options);

/*
 * Trains, from the beginning of the loader's epoch 0. False with err: options that do not fit
 * (ARGUMENT), a loss or gradient norm that is NaN or infinite (NUMERIC, naming the step, the rate
 * and what to try), memory. What was trained until then stays. `result` may be NULL.
 *
 * A run in steps ends with its last update, in the middle of an epoch, which is then validated and
 * reported like a whole one. `stop` ends a run after the batch, without that; gradients that wait
 * for their update are dropped. train_end is called whenever train_begin was.
 */
AN_API bool an_fit(const an_fit_options *options, an_fit_result *result, an_error *err);

typedef struct an_eval_result {
    double loss, accuracy; /* means over all samples; accuracy a fraction 0..1 */
    int64_t samples;
} an_eval_result;

/*
 * Evaluates a model on all of a loader, from its first batch: no gradients, evaluation mode
 * (restored afterwards). A loss that is not finite is a result like any other.
 */
AN_API bool an_evaluate(an_model *model, an_loss loss, an_loader *loader, an_eval_result *result,
                        an_error *err);

#ifdef __cplusplus
}
#endif
#endif
