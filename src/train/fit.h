/* What crosses the files of the train room. */
#ifndef AN_TRAIN_FIT_H
#define AN_TRAIN_FIT_H

#include <anneal/train.h>

/* Sums over some samples. */
typedef struct an__tally {
    double loss;
    int64_t correct, samples;
    an_metric_sum metrics[AN_RECORD_METRICS]; /* in the options' order */
} an__tally;

/* The moments of an_callback, in its order. */
#define AN_MOMENT_MAP(X) \
    X(train_begin)       \
    X(train_end)         \
    X(epoch_begin)       \
    X(epoch_end)         \
    X(batch_begin)       \
    X(batch_end)         \
    X(valid_begin)       \
    X(valid_end)         \
    X(save_begin)        \
    X(save_end)          \
    X(rate_begin)        \
    X(rate_end)

typedef enum an__moment {
#define AN_MOMENT_ENUM(name) AN__##name,
    AN_MOMENT_MAP(AN_MOMENT_ENUM)
#undef AN_MOMENT_ENUM
} an__moment;

/* A training that runs: all of it that is not in the options' objects. */
typedef struct an__fit {
    const an_fit_options *options;
    struct an_lr_schedule *schedule; /* the options', or `kept` */
    struct an_lr_schedule *kept;     /* made from a checkpoint under AN_RESUME_KEEP; its own */
    struct an_lr_text *kept_text;    /* what `kept` was made from */
    an_graph *graph;
    an_record record;
    an_control control;
    an__tally epoch, window;                 /* the epoch so far; the update being accumulated */
    double valid_metrics[AN_RECORD_METRICS]; /* of this epoch's validation; NaN before */
    int64_t full;                            /* samples in a full batch */
    int64_t labels;            /* of a sample: 1, of tokens one each; 0: numbers are predicted */
    double begun, epoch_begun; /* moments, moved on by pauses (validation, checkpoints) */
    double batch_begun;
    double seconds;       /* that count, after the last update */
    double rate_scale;    /* what rates are multiplied by: 1 before the first rollback */
    double *rates;        /* room for the rates of all groups while they are scaled */
    float *trained;       /* during a save: the parameters to train, where others are shown */
    int64_t saves;        /* the highest number of a checkpoint; -1: not looked for yet */
    int64_t saved_step;   /* of the last checkpoint written or read; -1 before */
    an_interval interval; /* of `schedule` */
    bool saved_open;      /* the in_epoch of `saved_step` */
    bool in_epoch;        /* an epoch has begun and was not ended */
    bool went_back;       /* a rollback took place: the epoch's loop begins anew */
    void *statistics;     /* buffers of the weights that are not in the model; NULL: not wanted */
    size_t statistics_size;
    bool gathered; /* there are some */
    bool shown;    /* the parameters are those to evaluate: shown.c */
    bool clocked;  /* the schedule or the budget goes by more than steps */
    bool drops;    /* the schedule drives dropout */
    bool sizes;    /* the schedule drives the batch size */
} an__fit;

/* ARGUMENT with the option's name where the options cannot be trained with. */
bool an__fit_check(const an_fit_options *options, an_error *err);

/* The loss of a batch's output: against its labels, or against its numbers. */
an_tensor *an__batch_loss(an_graph *graph, an_loss loss, an_tensor *output, const an_batch *batch);

/* What an evaluation works on; the graph is empty before and after. */
typedef struct an__evaluation {
    an_model *model;
    an_loss loss;
    an_loader *loader;
    an_graph *graph;
    const an_metric *metrics;
    size_t metric_count; /* at most AN_RECORD_METRICS */
} an__evaluation;

bool an__evaluate(const an__evaluation *evaluation, an_eval_result *result, an_error *err);

/* ------------------------------------------------------------- metrics.c */

/* ARGUMENT where metrics, or the monitor of one, cannot be had. */
bool an__metrics_check(const an_fit_options *options, an_error *err);
/* Adds a training batch to the epoch's and to the update's sums. */
void an__metrics_add(an__fit *f, const an_tensor *output, const an_batch *batch);
double an__metric_value(const an_metric *metric, const an_metric_sum *sum);
/* Names and present values into the record. */
void an__show_metrics(an__fit *f);
/* There is no validation of this epoch yet. */
void an__forget_validated(an__fit *f);
/* What the options' monitor names: over `sum`, or of the validation. */
double an__monitored_metric(const an__fit *f, const an__tally *sum);

/* --------------------------------------------------------------- shown.c */

/* Makes the fit train the weights to train, and what it needs to show others. Errors: MEMORY. */
bool an__shown_open(an__fit *f, an_error *err);
void an__shown_close(an__fit *f);
/* Puts the weights to evaluate, or those to train, into the model, with their statistics. */
void an__show(an__fit *f, bool shown);
/* Whether the weights to evaluate are not those to train. */
bool an__shows_others(const an__fit *f);
/* Updates the average where that is due: after an update, or where an epoch ends. */
void an__average(an__fit *f, bool epoch_ends);
/* Gathers the running statistics of the shown weights from the training data, at an epoch's end. */
bool an__gather_statistics(an__fit *f, an_error *err);

/* -------------------------------------------------------------- update.c */

double an__tally_loss(const an__tally *sum);
/* NaN where there are no labels. */
double an__tally_accuracy(const an__fit *f, const an__tally *sum);

/* Forward, backward and, where its window ends, the update. */
bool an__train_and_update(an__fit *f, const an_batch *batch, an_error *err);

/* --------------------------------------------------------------- rates.c */

/* The rates in use go into the record before a schedule changes them. */
void an__record_rates(an__fit *f);
/* Tells those who wait for it that the schedule's step has changed the rates. */
void an__announce_rates(an__fit *f);
/* The optimizer's step, at the rates of the groups times what rollbacks have left of them. */
bool an__step_optimizer(an__fit *f, an_error *err);

/* --------------------------------------------------------------- clock.c */

/* Seconds on a clock that nobody sets. */
double an__now(void);
/* The training begins here, or goes on at the seconds that the record has. */
void an__start_clock(an__fit *f);
/* What went by since `moment` is not training. */
void an__pause_since(an__fit *f, double moment);
/* After an update: what counts as the time is up to options.clock. */
void an__tick(an__fit *f);
/* Where the run stands, as the schedule counts: an epoch is a step under interval epoch. */
an_lr_clock an__clock_of(const an__fit *f);

/* ------------------------------------- schedule.c, driven.c and spike.c */

/* The schedule's step, if `when` is its interval; `sum` is what it is fed. */
void an__step_schedule(an__fit *f, an_interval when, const an__tally *sum);

/* The schedule learns where the run stands, of which it may have been told nothing but steps. */
void an__tell_time(an__fit *f);

/* Sets what follows from the schedule: `clocked`, `drops`, `sizes`. After every change of it. */
void an__look_at_schedule(an__fit *f);
/* The value of a slot of group 0 that the schedule drives, or what the options say. */
double an__driven(const an__fit *f, an_slot_id id, double otherwise);
/* Before an epoch: its batches have the size that the schedule has now. */
bool an__size_batches(an__fit *f, an_error *err);

/* Under a SpikeGuard the run is saved before its first update. */
bool an__save_the_beginning(an__fit *f, an_error *err);
/* A loss that is not finite makes no step, but a SpikeGuard hears of it. */
void an__warn_schedule(an__fit *f, double loss);

/* --------------------------------------------------------------- steer.c */

/* False, with `failure` in err. */
bool an__deliver(const an_error *failure, an_error *err);
/* Does what callbacks have asked for, but for stopping. */
bool an__obey(an__fit *f, an_error *err);
/* Calls the callbacks of a moment and does what they ask for, but for stopping. */
bool an__reach(an__fit *f, an__moment when, an_error *err);
/*
 * After a loss that is not finite: the callbacks see it, and one of them may have the run go back.
 * False with the failure where none does.
 */
bool an__rescue(an__fit *f, an__moment when, const an_error *failure, an_error *err);
bool an__stop_wanted(const an__fit *f);

/* ------------------------------------------------------------- moments.c */

/* Calls the function that every callback has for this moment. */
void an__call_back(an__fit *f, an__moment when);
/* Whether anybody has a function for it. */
bool an__is_awaited(const an__fit *f, an__moment when);
/* an_control's `tell`; `host` is the fit. */
void an__tell(void *host, const char *kind, const char *text);
/* Whether a callback will want the norm of the gradients after the batch that has begun. */
bool an__norm_wanted(const an__fit *f);
/* Shows all parameters to those who want to see them; false with err (MEMORY). */
bool an__show_params(an__fit *f, an_error *err);

/* ------------------------------------------------------- the run's saves */

/*
 * Writes a checkpoint of the present moment, in which no update is under way, and removes those
 * that it replaces. What goes wrong is told; it is an error only with options.must_save.
 */
bool an__save(an__fit *f, bool best, an_error *err);

/*
 * Goes to what options.resume has, in the place of a beginning. `news` gets a sentence that says
 * where the run goes on, and what is different from then.
 */
bool an__resume(an__fit *f, char *news, size_t size, an_error *err);

/* Goes back to the newest sound checkpoint, with all rates multiplied by `factor` from there on. */
bool an__roll_back(an__fit *f, double factor, an_error *err);

#endif
