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
 * when a run is resumed.
 */
typedef struct an_record {
    int64_t step, steps;    /* optimizer updates done, and how many are planned */
    int64_t epoch, epochs;  /* epochs begun (1 during the first), and how many are planned */
    int64_t batch, batches; /* batches done in this epoch, and how many it has */
    int64_t samples;        /* training samples seen since the start */
    int64_t train_samples, valid_samples;      /* in the data sets */
    double seconds;                            /* of training since the start */
    double epoch_seconds;                      /* of training in this epoch */
    double batch_seconds;                      /* of the last batch */
    double loss, accuracy;                     /* means over the samples of this epoch so far */
    double batch_loss;                         /* mean over the samples of the last batch */
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
    /* The trainer's: see an_tell. */
    void (*tell)(void *host, const char *kind, const char *text);
    void *host;
} an_control;

/*
 * Something that happened in a run, besides its numbers: for the journal. Kinds of the trainer's:
 * "resumed", "saved", "rolled_back", "stopped"; of the loggers': "log_failed". A text is one
 * sentence without a full stop.
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

/*
 * The live line of a terminal: epoch, bar, loss, accuracy, rate, samples/s and eta, redrawn in
 * place at most 20 times a second (by the records' own seconds) and finished as a line at each
 * epoch's end; an event has a line of its own. `width` in columns, of which the last stays empty.
 */
typedef struct an_progress {
    FILE *stream;
    int width;
    bool unicode;
    /* The rest is its own. */
    double drawn_at; /* in seconds of training */
    bool open;       /* the line on the screen is not finished */
} an_progress;

AN_API void an_progress_init(an_progress *progress, FILE *stream, int width, bool unicode);
AN_API an_callback an_progress_callback(an_progress *progress);

#ifdef __cplusplus
}
#endif
#endif
