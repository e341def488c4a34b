/*
 * anneal/track.h - the record of a training run and the callbacks that receive it.
 *
 * A callback is a struct of functions, each of which may be NULL, and a `user` pointer. The trainer
 * calls them in the order in which they were given. Progress bars, loggers and files are callbacks
 * like any that you write.
 */
#ifndef ANNEAL_TRACK_H
#define ANNEAL_TRACK_H

#include <anneal/lr.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AN_RECORD_GROUPS 8

/*
 * What is known at one moment of a run. Losses and accuracies are NaN where there are none. Rates
 * are those that the last update USED, not the next one's; before the first update, those that it
 * will use.
 */
typedef struct an_record {
    int64_t step;           /* optimizer updates done */
    int64_t epoch, epochs;  /* epochs begun (1 during the first), and how many are planned */
    int64_t batch, batches; /* batches done in this epoch, and how many it has */
    int64_t samples;        /* training samples seen since the start */
    double seconds;         /* of training since the start */
    double epoch_seconds;   /* of training in this epoch */
    double loss, accuracy;  /* means over the samples of this epoch so far */
    double valid_loss, valid_accuracy;
    size_t groups;                     /* groups recorded, at most AN_RECORD_GROUPS */
    double lr[AN_RECORD_GROUPS];       /* as used */
    double momentum[AN_RECORD_GROUPS]; /* momentum or beta1, as used; NaN without */
    double samples_per_second;         /* of this epoch so far */
} an_record;

/* What stays the same during a run. */
typedef struct an_run_info {
    int64_t epochs;  /* planned; rounded up when the run is given in steps */
    int64_t steps;   /* planned optimizer updates */
    int64_t batches; /* per epoch */
    int64_t train_samples, valid_samples;
} an_run_info;

typedef struct an_callback {
    void (*train_begin)(void *user, const an_run_info *info);
    void (*epoch_begin)(void *user, const an_record *record);
    void (*batch_end)(void *user, const an_record *record); /* every batch, with an update or not */
    void (*epoch_end)(void *user, const an_record *record); /* after the validation */
    void (*train_end)(void *user, const an_record *record);
    void *user;
} an_callback;

/* ------------------------------------------------------------ built-in ones */

/* One plain line per epoch to `stream`: "epoch 3/10  loss 0.0712  acc 97.9 %  lr 0.0411". */
AN_API an_callback an_console_logger(FILE *stream);

/*
 * One JSON object per epoch and line to `stream`. Keys: epoch, step, samples, seconds, loss,
 * accuracy, valid_loss and valid_accuracy (where there was a validation: not both are NaN), lr and
 * momentum (where there is one; an array with several groups), samples_per_second. NaN and
 * infinity are null.
 */
AN_API an_callback an_json_logger(FILE *stream);

/*
 * The live line of a terminal: epoch, bar, loss, accuracy, rate, samples/s and eta, redrawn in
 * place at most 20 times a second (by the records' own seconds) and finished as a line at each
 * epoch's end. `width` in columns, of which the last stays empty.
 */
typedef struct an_progress {
    FILE *stream;
    int width;
    bool unicode;
    /* The rest is its own. */
    an_run_info info; /* from train_begin */
    double drawn_at;  /* in seconds of training */
    bool open;        /* the line on the screen is not finished */
} an_progress;

AN_API void an_progress_init(an_progress *progress, FILE *stream, int width, bool unicode);
AN_API an_callback an_progress_callback(an_progress *progress);

#ifdef __cplusplus
}
#endif
#endif
