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
 * A schedule may drive more than rates, where it finds the slot in group 0 (set it before the
 * schedule is made): AN_CLIP_NORM is what gradients are clipped to, AN_LABEL_SMOOTHING that of the
 * loss, AN_DROPOUT the probability of all Dropout layers, AN_BATCH_SIZE (rounded) that of the
 * batches of an epoch, taken when it begins. A schedule with a SpikeGuard that asks
 * for it takes the run back to its last checkpoint.
 *
 * Gradients of an accumulated update are the mean over its samples, also when its last micro-batch
 * is short. A schedule that wants a metric (ReduceLROnPlateau) is fed what `monitor` says: under
 * interval epoch over the epoch and its validation, under interval step over the samples of the
 * update (there monitor auto is the training loss, and a validation monitor is refused).
 *
 * The record's clock counts training alone: it stands still during the validation.
 *
 * What is evaluated and saved need not be what is trained: an average of the weights (`average`),
 * or the one that Schedule-Free keeps. Such weights are in the model from an epoch's end until the
 * next begins, and after the fit; checkpoints have them in their file of weights, and what is
 * trained in their state. A model with a batch norm goes once through the training data with them
 * at every epoch's end, for running statistics of their own (as PyTorch's update_bn); a checkpoint
 * within an epoch has those of the epoch before. An average that has not begun shows the trained
 * weights.
 *
 * A fit is for models of layers and any dataset: with class labels, with numbers to predict (then
 * there is no accuracy, and the loss is one between tensors, such as MSELoss), with tokens (the
 * accuracy is over tokens). Anything else (own operations, graphs written out in C) takes the loop
 * of anneal/autograd.h: it is ten lines.
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
    AN_MONITOR_VALID_ACCURACY,
    AN_MONITOR_METRIC_MIN, /* the metric that `metric` beside it names: the lower the better */
    AN_MONITOR_METRIC_MAX  /* the same: the higher the better */
} an_monitor;

/*
 * A number of your own about what the model answers, shown and logged by its name beside loss and
 * accuracy. `add` is called with every batch and its output, after the forward pass, and adds to
 * the sum and to the weight; what is shown is sum / weight (NaN where the weight is 0), so that a
 * shorter last batch counts for what it is:
 *
 *   static void near(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *s)
 *   {
 *       for (int64_t i = 0; i < output->size; i++)
 *           s->sum += fabsf(output->data[i] - batch->target->data[i]) < *(const float *)user;
 *       s->weight += (double)output->size;
 *   }
 *   const an_metric metrics[] = {
 *       {.name = "near", .valid = "valid_near", .add = near, .user = &distance}};
 *   options.metrics = metrics;
 *   options.metric_count = 1;
 *
 * A name is not that of another metric nor of a column (an_is_log_column), has 1 to 63 bytes,
 * no control character among them, and lives as long as the records that have it. Sums of an epoch
 * are part of its checkpoints.
 *
 * What is no mean over samples, such as R2 or F1, is gathered in `user` instead: `begin` forgets
 * what is there, before every evaluation, and `value` says at its end what it came to. Such a
 * metric has no `name`, for the training: nobody keeps what `user` holds in checkpoints.
 */
typedef struct an_metric_sum {
    double sum, weight;
} an_metric_sum;

typedef struct an_metric {
    const char *name;  /* over the epoch's training batches so far; NULL: not in the training */
    const char *valid; /* over an evaluation; NULL: not there */
    void (*add)(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum);
    void *user;
    double (*of_mean)(double mean); /* of sum / weight: exp for a perplexity; NULL: itself */
    void (*begin)(void *user);      /* these two: both or neither */
    double (*value)(void *user);    /* in the place of sum / weight */
} an_metric;

/*
 * What a resumed run does when its optimizer or its schedule is not the one that was saved. The
 * checkpoint's event "resumed" says in every case what is different.
 */
typedef enum an_resume_policy {
    AN_RESUME_REFUSE, /* an error that names what is different */
    AN_RESUME_ADOPT,  /* the new rates and the new schedule count from here on, at the saved step */
    AN_RESUME_KEEP,   /* the saved rates and schedule go on; the optimizer must be the same */
    AN_RESUME_EXTEND  /* as KEEP, and the schedule arrives at the run's new end (an_lr_extend) */
} an_resume_policy;

/*
 * Another end for a run that goes on: from the rates of now to `end` times these in `length`, along
 * `tail` (an_lr_land). The run's own end is set by steps, epochs or budget as always. The schedule
 * must have been made with an_lr_run.edits. length.value 0: none.
 */
typedef struct an_landing {
    an_lr_length length;
    an_lr_tail tail;
    double end;
} an_landing;

/*
 * Where the seconds come from that decide something: under a budget, or with a schedule that goes
 * by more than steps; elsewhere it is not asked. After update `step`, `seconds` gets what was
 * measured and gives what is to count. A program that writes them down and gives them again makes a
 * run that repeats itself to the bit, whatever the speed. NULL: what was measured.
 */
typedef struct an_clock_source {
    double (*seconds)(void *user, int64_t step, double measured);
    void *user;
} an_clock_source;

/* What a fit works on and how. All objects belong to the caller and must outlive the fit. */
typedef struct an_fit_options {
    an_model *model;
    an_loss loss;
    an_optim *optim;
    struct an_lr_schedule *schedule; /* NULL: constant rate */
    an_interval interval;
    an_monitor monitor;
    const char *metric; /* that monitor means: a metric's name, "valid_near" */
    an_loader *train;
    an_loader *valid;      /* NULL: none */
    int64_t epochs;        /* one of epochs and steps is positive, the other 0 */
    int64_t steps;         /* stops within an epoch */
    int64_t accumulate;    /* batches per optimizer update; at least 1 */
    double clip_grad_norm; /* 0: no clipping */
    /* Of the model's parameters, or NULL: updated when an_average_is_due says so, evaluated and
     * saved. Not with an optimizer that has one of its own (an_optim_has_modes). */
    an_average *average;
    /*
     * Seconds of training (validations and pauses do not count) after which the run ends, with the
     * update that is under way; 0: none. Then epochs or steps are only the plan that the schedule
     * is stretched from: make it with an_lr_run.seconds = budget. Interval is step then.
     */
    double budget;
    an_clock_source clock;
    const an_metric *metrics; /* with at most AN_RECORD_METRICS names in all */
    size_t metric_count;
    const an_callback *callbacks;
    size_t callback_count;
    const volatile int
        *stop; /* NULL, or set to non-zero (by a signal handler) to end after a batch */

    const char *checkpoints; /* a folder that exists, to save in; NULL: nothing is ever saved */
    int64_t keep;            /* how many of the newest checkpoints stay; default 2, 0: all */
    bool must_save;          /* a checkpoint that cannot be written ends the training */
    /* A checkpoint to go on from; NULL: from the beginning; "": from the beginning of a run that
     * has begun before and saved nothing, so that callbacks take back what they wrote. */
    const char *resume;
    an_resume_policy policy; /* with resume: for other rates and schedules; default refuse */
    an_landing landing;      /* with resume */
} an_fit_options;

typedef struct an_fit_result {
    an_record last;     /* at the end of training */
    bool stopped;       /* by `stop` or a callback */
    bool saved;         /* the state at the end is in a checkpoint */
    size_t graph_bytes; /* the most that the graph's arena held */
} an_fit_result;

/* accumulate 1, interval epoch, monitor auto, keep 2, everything else zero. */
AN_API an_fit_options an_fit_defaults(void);

/* Optimizer updates that these options make in an epoch, and in all. */
AN_API int64_t an_fit_steps_per_epoch(const an_fit_options *options);
AN_API int64_t an_fit_total_steps(const an_fit_options *options);

/*
 * Trains, from the beginning of the loader's epoch 0 or from a checkpoint. False with err: options
 * that do not fit (ARGUMENT), a loss or gradient norm that is NaN or infinite and that no callback
 * rolls back (NUMERIC, naming the step, the rate and what to try), memory, a checkpoint that cannot
 * be read (IO, DATA) or is another run's (STATE). What was trained until then stays. `result` may
 * be NULL.
 *
 * A run in steps ends with its last update, in the middle of an epoch, which is then validated and
 * reported like a whole one. `stop` and a callback's wish to stop end a run after the batch,
 * without that; gradients that wait for their update are dropped, but with `checkpoints` the update
 * is completed first. train_end is called whenever train_begin was.
 *
 * Callbacks are asked what they want after every moment. A checkpoint is written when the present
 * update is complete, outside of validations, and by itself at the end of the training, before
 * train_end. A batch whose loss is not finite is reported to batch_end as its batch_loss, so that a
 * callback may ask to roll back. A run that goes on with changes is saved before it does.
 */
AN_API bool an_fit(const an_fit_options *options, an_fit_result *result, an_error *err);

/* ------------------------------------------------------------- checkpoints */

/*
 * A checkpoint is two files of one name: NAME.safetensors, the weights, and NAME.state, everything
 * else that the run needs to go on to the same bits (docs/checkpoints.md draws it). In a folder
 * they are called last-N and best-N, N growing with every save; so nothing is ever written over.
 * The state is written after the weights, and both are synced: a checkpoint is there when its state
 * is. Those that are no longer wanted are removed when a newer one is durable.
 *
 * Functions take and give a checkpoint's path without the endings; one that ends in .state or
 * .safetensors is understood.
 */
typedef struct an_checkpoint_info {
    int64_t step, epoch, batch; /* as in an_record */
    bool in_epoch;              /* the epoch is not finished: its validation is still to come */
    double seconds, loss, accuracy, valid_loss, valid_accuracy;
    int threads, vector_bits; /* that the run was trained with: other ones give other bits */
    /* By an_checkpoint_find: what is wrong with the newest that was passed over; "" without one. */
    char passed_over[AN_ERROR_MESSAGE_SIZE];
} an_checkpoint_info;

typedef enum an_checkpoint_kind { AN_CHECKPOINT_LAST, AN_CHECKPOINT_BEST } an_checkpoint_kind;

/*
 * The newest sound checkpoint of a folder. Damaged ones are passed over, and `info` says so. Of
 * AN_CHECKPOINT_LAST it may be one that was the best when it was saved. False with err: IO where
 * the folder cannot be read, STATE where there is none in it, and where all are damaged the code of
 * the newest's error, which the message has. `info` may be NULL.
 */
AN_API bool an_checkpoint_find(const char *folder, an_checkpoint_kind kind, char *path, size_t size,
                               an_checkpoint_info *info, an_error *err);
/* Reads a checkpoint's state and checks both of its files. Errors: IO, DATA (damaged), MEMORY. */
AN_API bool an_checkpoint_check(const char *path, an_checkpoint_info *info, an_error *err);

/* ------------------------------------------------- callbacks that steer a run */

/*
 * Saves every so often: after every `epochs`th epoch, whenever `minutes` of training have passed
 * since the last one, and when an epoch is the best so far. Zero leaves a reason out.
 */
typedef struct an_checkpointer {
    int64_t epochs;
    double minutes;
    bool best;
    an_monitor monitor; /* what is best */
    const char *metric; /* that monitor means; one that the run has not ends it (ARGUMENT) */
    /* The rest is its own. */
    double saved_at, best_value;
} an_checkpointer;

/* minutes 1, everything else off. */
AN_API an_checkpointer an_checkpointer_defaults(void);
AN_API an_callback an_checkpointer_callback(an_checkpointer *checkpointer);

/*
 * Stops when `patience` epochs in a row have not been better than the best by more than min_delta,
 * and puts the best epoch's weights back at the end of the training, however it ends. The copy of
 * the weights is part of its state in checkpoints.
 */
typedef struct an_early_stopping {
    int64_t patience;
    double min_delta;
    an_monitor monitor;
    const char *metric; /* that monitor means; one that the run has not ends it (ARGUMENT) */
    bool restore;       /* the best weights come back at the end */
    an_model *model;    /* whose weights they are */
    /* The rest is its own. */
    double best_value;
    int64_t best_epoch, bad_epochs;
    void *weights; /* the best ones, and the buffers with them */
} an_early_stopping;

/* patience 3, min_delta 0, monitor auto, restore. `model` must be built. */
AN_API bool an_early_stopping_init(an_early_stopping *stopping, an_model *model, an_error *err);
AN_API void an_early_stopping_free(an_early_stopping *stopping);
AN_API an_callback an_early_stopping_callback(an_early_stopping *stopping);

/*
 * Watches the loss of every batch, and acts when it is not finite or, with spike above 0, more than
 * `spike` times its running mean (over about 50 batches, of which 20 must have been). With
 * `rollbacks` left it goes back to the last checkpoint and multiplies the rates by rate_factor;
 * then, or with none, it ends the training with an error. It asks for a checkpoint at the very
 * beginning, so that there is one to go back to.
 */
typedef struct an_guard {
    double spike;       /* 0: only what is not finite */
    int64_t rollbacks;  /* at most so many */
    double rate_factor; /* above 0, at most 1 */
    /* The rest is its own. */
    double mean;
    int64_t seen, done;
} an_guard;

/* spike 0, rollbacks 0, rate_factor 0.5. */
AN_API an_guard an_guard_defaults(void);
AN_API an_callback an_guard_callback(an_guard *guard);

/* -------------------------------------------------------------- evaluation */

typedef struct an_eval_result {
    double loss,
        accuracy; /* means over all samples; accuracy a fraction 0..1, NaN without labels */
    int64_t samples;
    double metrics[AN_RECORD_METRICS]; /* in their order; NaN of those that are not there */
} an_eval_result;

/*
 * Evaluates a model on all of a loader, from its first batch: no gradients, evaluation mode
 * (restored afterwards). A loss that is not finite is a result like any other.
 */
AN_API bool an_evaluate(an_model *model, an_loss loss, an_loader *loader, an_eval_result *result,
                        an_error *err);
/* The same with those of the metrics that have a name for it, at most AN_RECORD_METRICS. */
AN_API bool an_evaluate_metrics(an_model *model, an_loss loss, an_loader *loader,
                                const an_metric *metrics, size_t count, an_eval_result *result,
                                an_error *err);

#ifdef __cplusplus
}
#endif
#endif
