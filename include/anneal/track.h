/*
 * anneal/track.h - the record of a training run and the callbacks that receive it.
 *
 * A callback is a struct of functions, each of which may be NULL, and a `user` pointer. The trainer
 * calls them in the order in which they were given. Progress bars, loggers and files are callbacks
 * like any that you write:
 *
 *   static void note(void *user, const an_record *r, an_control *control)
 *   {
 *       fprintf(user, "%lld %g\n", (long long)r->step, r->loss);
 *       if (r->accuracy > 0.99)
 *           control->stop = true;
 *   }
 *   an_callback callback = {.epoch_end = note, .user = stdout};
 */
#ifndef ANNEAL_TRACK_H
#define ANNEAL_TRACK_H

#include <anneal/lr.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------- the record */

#define AN_RECORD_GROUPS 16
#define AN_RECORD_METRICS 16

/* A number with its name, which lives as long as the run. */
typedef struct an_named_value {
    const char *name;
    double value;
} an_named_value;

/*
 * What is known at one moment of a run. Losses and accuracies are NaN where there are none. Rates
 * are those that the last update USED, not the next one's; before the first update, those that it
 * will use. The clocks stand still during validations and checkpoints, and go on where they were
 * when a run is resumed. The names of the metrics and the number of groups are the same all through
 * a run.
 */
typedef struct an_record {
    int64_t step, steps; /* optimizer updates done, and how many are planned */
    /* epochs begun (1 during the first), and how many are planned; 0: as many as the budget lets */
    int64_t epoch, epochs;
    int64_t batch, batches;               /* batches done in this epoch, and how many it has */
    int64_t samples;                      /* training samples seen since the start */
    int64_t train_samples, valid_samples; /* in the data sets */
    double seconds;                       /* of training since the start */
    double epoch_seconds;                 /* of training in this epoch */
    double batch_seconds;                 /* of the last batch */
    double budget;         /* the seconds of training after which the run ends; 0: none */
    double loss, accuracy; /* means over the samples of this epoch so far */
    double batch_loss;     /* mean over the samples of the last batch */
    double valid_loss, valid_accuracy;         /* of this epoch's validation */
    size_t metric_count;                       /* at most AN_RECORD_METRICS */
    an_named_value metrics[AN_RECORD_METRICS]; /* any others, by name: "top5", "valid_top5" */
    size_t groups;                             /* groups recorded, at most AN_RECORD_GROUPS */
    double lr[AN_RECORD_GROUPS];               /* as used */
    double momentum[AN_RECORD_GROUPS];         /* momentum or beta1, as used; NaN without */
    double grad_norm; /* of the last update, before clipping; NaN where nobody asked for it */
    double samples_per_second; /* of this epoch so far */
    int64_t memory; /* bytes: the most that the process has held, measured at the epochs' ends */
} an_record;

/* ----------------------------------------------------------- the callbacks */

/*
 * What a callback may ask for. The trainer hands it over with everything false; after all callbacks
 * of a moment have been called, it does what any of them asked: first roll_back, then save, then
 * stop.
 */
typedef struct an_control {
    bool stop;      /* end the training here, as if it were done */
    bool save;      /* write a checkpoint of this moment */
    bool best;      /* with save: the best state so far, kept until there is a better one */
    bool roll_back; /* go back to the last good state */
    /* With roll_back: what all rates are multiplied by from there on; 1 as handed over. */
    double rate_factor;
    an_error error; /* a code other than OK ends the training, which then fails with it */
    /* The schedule that the run goes by, with what a checkpoint has brought; NULL: none. */
    const struct an_lr_schedule *schedule;
    bool by_step; /* it is stepped after every update, not after every epoch */
    /* The trainer's: see an_tell. */
    void (*tell)(void *host, const char *kind, const char *text);
    void *host;
} an_control;

/*
 * Something that happened in a run, besides its numbers: for the journal. Kinds of the trainer's:
 * "resumed", "saved", "rolled_back", "stopped"; of the loggers': "log_failed", "log_recovered"; of
 * the command: "changed", the configuration of a run that goes on. A text is one sentence without a
 * full stop.
 */
typedef struct an_event {
    const char *kind, *text;
} an_event;

/* Tells every callback of the run, at once, that something happened. */
AN_API void an_tell(const an_control *control, const char *kind, const char *text);

/* A parameter as the last update left it, with the gradient that the update was made of. */
typedef struct an_param_view {
    const char *name;               /* "1.weight" */
    const float *values, *gradient; /* gradient NULL: none */
    int64_t count;
} an_param_view;

typedef void an_callback_function(void *user, const an_record *record, an_control *control);

typedef struct an_callback {
    an_callback_function *train_begin, *train_end; /* the end is called whenever the begin was */
    an_callback_function *epoch_begin, *epoch_end; /* the end after the validation */
    an_callback_function *batch_begin, *batch_end; /* with an update or not */
    an_callback_function *valid_begin, *valid_end;
    an_callback_function *save_begin, *save_end; /* a checkpoint; the end when it is durable */
    /* A learning rate or momentum changed: the record has the old values, then the new ones. */
    an_callback_function *rate_begin, *rate_end;
    /* Something was told, by the trainer or a callback. */
    void (*event)(void *user, const an_record *record, const an_event *event);
    /* All parameters, at every epoch's end, before epoch_end. */
    void (*params)(void *user, const an_record *record, const an_param_view *params, size_t count);

    /* batch_begin and batch_end are called for every `every`th batch of the run; 0 is 1. */
    int64_t every;
    /* Asks for the record's grad_norm in batch_end: that costs a pass over the gradients. */
    bool wants_grad_norm;

    /*
     * The callback's own state in checkpoints, under `name` (unique in a run; NULL: no state).
     * `save_state` writes at most `size` bytes and returns how many there are, like snprintf. It is
     * called when all callbacks of the moment have been; before it comes save_begin where the state
     * goes to a file, and there a callback with files of its own syncs them.
     *
     * `load_state` is called with the record of the checkpoint when a run is resumed, before
     * train_begin, and when it is rolled back; bytes NULL: the checkpoint has nothing under this
     * name. What the callback wrote elsewhere after the checkpoint is to be taken back, since it
     * will come again. False with err ends the run.
     */
    const char *name;
    size_t (*save_state)(void *user, void *bytes, size_t size);
    bool (*load_state)(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err);
    void *user;
} an_callback;

/* ------------------------------------------------------------ built-in ones */

/*
 * One plain line per epoch to `stream`: "epoch 3/10  loss 0.0712  acc 97.9 %  lr 0.0411", and one
 * per event.
 */
AN_API an_callback an_console_logger(FILE *stream);

/*
 * One JSON object per epoch and line to `stream`. Keys: epoch, step, samples, seconds, loss,
 * accuracy, valid_loss and valid_accuracy (where there was a validation: not both are NaN), lr and
 * momentum (where there is one; an array with several groups), samples_per_second, then the other
 * metrics by their names. NaN and infinity are null.
 */
AN_API an_callback an_json_logger(FILE *stream);

#define AN_TRAIL_PARTS 64

/* The run so far in at most so many parts, each of `each` batches but the last. */
typedef struct an_trail {
    int count;
    int64_t each, batches;                             /* batches: of the last part */
    int64_t first[AN_TRAIL_PARTS];                     /* the step of each part's first batch */
    double loss[AN_TRAIL_PARTS], rate[AN_TRAIL_PARTS]; /* the mean; the last one of group 0 */
} an_trail;

/*
 * The live line of a terminal: epoch, bar, loss, accuracy, metrics, rate, samples/s and eta,
 * redrawn in place at most 20 times a second (by the records' own seconds) and finished as a line
 * at each epoch's end; an event has a line of its own. `width` in columns, of which the last stays
 * empty. Where it is wide enough, small curves show what loss and rate have been since the training
 * began.
 */
typedef struct an_progress {
    FILE *stream;
    int width;
    bool unicode;
    /* The rest is its own. */
    double drawn_at; /* in seconds of training */
    bool open;       /* the line on the screen is not finished */
    an_trail trail;
} an_progress;

AN_API void an_progress_init(an_progress *progress, FILE *stream, int width, bool unicode);
AN_API an_callback an_progress_callback(an_progress *progress);

/* ------------------------------------------------------------------- files */

/*
 * What is logged, and what becomes of a run whose log cannot be written (full disk, folder gone).
 * Going on, rows wait in memory (at most 8 MiB) for the next chance; what happened is told once, as
 * an event "log_failed", and "log_recovered" when writing works again. What a file holds
 * already is never harmed.
 */
typedef struct an_log_options {
    int64_t every;        /* a row for every so many updates; 0: one for every epoch */
    bool grad_norm;       /* ask the trainer for the norm of the gradients */
    bool stop_on_failure; /* a log that cannot be written ends the run; else it goes on without */
} an_log_options;

/*
 * Rows as comma-separated values, appended to `path`. Columns, of a log of epochs:
 *
 *   step,epoch,samples,seconds,epoch_seconds,loss,accuracy,valid_loss,valid_accuracy,
 *   lr,momentum,grad_norm,samples_per_second,memory and the other metrics by their names
 *
 * and of a log of updates:
 *
 *   step,epoch,batch,samples,seconds,loss,accuracy,batch_loss,
 *   lr,momentum,grad_norm,samples_per_second and the other metrics
 *
 * With several groups lr and momentum become lr0, momentum0, lr1, ... Numbers are as
 * an_number_print has them, so that they read back exactly; what is not known is nan.
 *
 * A file that is there must begin with the same names, else the log is refused; a half row at its
 * end (of a process that was killed) is removed. Rows of epochs are written at once; rows of
 * updates whenever a second of training or 65,536 numbers have come together, before a checkpoint
 * is saved, and at the end. When a run is resumed or rolled back, the rows after the checkpoint are
 * cut off.
 */
typedef struct an_csv an_csv;
/* The file is opened when the training begins. NULL with err: ARGUMENT, MEMORY. */
AN_API an_csv *an_csv_new(const char *path, const an_log_options *options, an_error *err);
/* The callback's name in checkpoints is "csv:" and the file's name without its folder. */
AN_API an_callback an_csv_callback(an_csv *csv);
/* Writes what waits and closes the file. NULL allowed. */
AN_API void an_csv_free(an_csv *csv);

/*
 * Whether logs have a column of this name of their own, as "loss", "lr" or "momentum1"; metrics are
 * called otherwise.
 */
AN_API bool an_is_log_column(const char *name);

/* A text with its name. */
typedef struct an_named_text {
    const char *name, *text;
} an_named_text;

/*
 * TensorBoard's event files: scalars under the names of the CSV's columns, "epoch/loss" at every
 * epoch's end and "step/loss" every `every` updates; with `histograms`, every epoch's histogram of
 * each parameter ("params/1.weight") and of its gradient ("gradients/1.weight"); and the run's
 * hyper-parameters, if given, for the HPARAMS page. Scalars are floats there, so they
 * agree with the CSV to 24 bits. `path` is the file itself; TensorBoard finds it
 * in a folder when "tfevents" is part of its name. Resumed and rolled back like a CSV.
 */
typedef struct an_events an_events;

typedef struct an_events_options {
    an_log_options log;
    bool histograms;
    const an_named_text *params; /* hyper-parameters; copied */
    size_t param_count;
} an_events_options;

AN_API an_events *an_events_new(const char *path, const an_events_options *options, an_error *err);
/* The callback's name in checkpoints is "events:" and the file's name without its folder. */
AN_API an_callback an_events_callback(an_events *events);
AN_API void an_events_free(an_events *events);

/*
 * One value found in an event file. `tag` has no terminating zero. `value` is a scalar's, NaN of
 * everything else (histograms, hyper-parameters, kinds that Anneal does not write).
 */
typedef struct an_event_value {
    double wall_time; /* seconds since 1970 */
    int64_t step;
    const char *tag;
    size_t tag_length;
    bool is_scalar;
    double value;
} an_event_value;

/*
 * Reads the bytes of an event file, calling `visit` for every value in order until it gives false.
 * DATA with the position: a checksum or length that is wrong, a record cut short, fields that are
 * no event's, a file that begins as another kind.
 */
AN_API bool an_events_read(const void *bytes, size_t size,
                           bool (*visit)(void *user, const an_event_value *value), void *user,
                           an_error *err);

/* --------------------------------------------------------- learning rates */

/*
 * The learning-rate monitor: every rate and momentum as used, by update. It keeps only changes, so
 * that a constant rate costs nothing and a schedule stepped per epoch an entry per epoch.
 */
typedef struct an_rate_monitor an_rate_monitor;
AN_API an_rate_monitor *an_rate_monitor_new(an_error *err);
/* The callback's name in checkpoints is "rates"; running out of memory ends the run (MEMORY). */
AN_API an_callback an_rate_monitor_callback(an_rate_monitor *monitor);
/* The last update seen; 0: none. */
AN_API int64_t an_rate_monitor_step(const an_rate_monitor *monitor);
/*
 * What update `step` (from 1 to the last one seen) used in `group`. False outside, and for steps
 * from before a checkpoint that knew nothing of the monitor. momentum may be NULL.
 */
AN_API bool an_rate_monitor_at(const an_rate_monitor *monitor, int64_t step, size_t group,
                               double *lr, double *momentum);
AN_API void an_rate_monitor_free(an_rate_monitor *monitor);

#ifdef __cplusplus
}
#endif
#endif
