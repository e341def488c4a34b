/*
 * anneal/config.h - a YAML file to a run: data, model, optimizer, schedule and trainer options.
 *
 * The keys, in the file's usual order (those with * are required):
 *
 *   data*            {format: idx, path: FOLDER, normalize: [MEAN, DEVIATION]} (format
 *                    cifar: a folder with CIFAR-10's or -100's binary files), or a text:
 *                    {format: text, path: FILE, context: 64, unit: characters}: samples of 64
 *                    tokens, which are its characters (the default) or bytes; path may be gzip;
 *                    or a table with a header: {format: csv, path: FILE, target: NAME, ignore:
 *                    [NAME, ...], separator: ',', missing: refuse, standardize: false}: missing
 *                    is refuse, mean (of the training set) or a number; standardize takes each
 *                    feature's mean and deviation from the training set. CrossEntropyLoss and
 *                    NLLLoss take the target as a class, other losses as a number, or a list of
 *                    targets as numbers
 *                    or NumPy's arrays: {format: npy, x: FILE, y: FILE} or {format: npz, path:
 *                    FILE, x: NAME, y: NAME}, with test_x and test_y if there is a test set;
 *                    channels: last for images as (N, H, W, C); normalize as above, missing and
 *                    standardize as of a table (docs/data.md)
 *   model*           a list of layer calls; a list in it is a Sequential, and 'Residual:' with a
 *                    list below it a Residual
 *   loss             a call: CrossEntropyLoss() (the default), ... (anneal/nn.h)
 *   optimizer*       a call: SGD(lr=0.05, momentum=0.9)
 *   average          a call: EMA(decay=0.999), SWA(start=5ep) or PolynomialDecay(gamma=8)
 *                    (anneal/optim.h): the average of the weights that is evaluated and saved in
 *                    their place; absent: none
 *   schedule         a call: OneCycleLR(max_lr=0.05); absent: constant. The numbers of
 *                    Table('@FILE') are read from a file, and written out in resolved_text
 *   course           what became of the schedule while the run trained: a call of Course
 *                    (anneal/lr_text.h), as resume writes it into resolved_text; a --set of the
 *                    schedule, interval, epochs, steps or budget leaves it out
 *   interval         step or epoch: when the schedule is stepped (default epoch)
 *   metrics          a call or a list of calls, measured besides loss and accuracy in every
 *                    validation, logged as valid_NAME, and in the test, as test_NAME; over all
 *                    samples (of a text: tokens), however they are cut into batches. Of classes:
 *                    TopK(k) (NAME: top5), MacroF1() (macro_f1), F1(label), Precision(label),
 *                    Recall(label) (f1_3, precision_3, recall_3: of class 3, counted from 0; NaN
 *                    where anneal/metric.h says so), Perplexity() (perplexity: exp of the mean
 *                    cross-entropy, without label smoothing and weights; with CrossEntropyLoss
 *                    or NLLLoss). Of numbers: R2() (r2, the mean over the targets)
 *   monitor          what a metric-driven schedule watches: train_loss or train_accuracy (in logs
 *                    loss and accuracy, which may be written too), valid_loss, valid_accuracy, one
 *                    of `metrics` as it is logged (valid_top5), or auto (the default): the
 *                    validation loss, without validation the training loss. The same names
 *                    are those of checkpoint and early_stopping
 *   validation       a fraction (0.1) or count (5000) cut from the training set; of a text its end
 *   test             the same, cut from all data before, where the format has no test set of its
 *                    own (default 0.1)
 *   stratify         true: of what is cut off, every class has its share (default false)
 *   sampling         balanced or weighted: an epoch's samples are drawn with replacement, so that
 *                    all classes are as frequent, or by the weights that data's 'weight' names (a
 *                    column, or an array); {weights: balanced, samples: N}: N of them
 *   augment          a list of calls that change images before they are learned from, anew in
 *                    every epoch: RandomCrop(size, padding=0), RandomHorizontalFlip(p=0.5),
 *                    RandomShift(pixels)
 *   epochs* | steps* how long
 *   batch_size       default 64; evaluation takes as many, at most 512
 *   accumulate       batches per update, default 1
 *   clip_grad_norm   default: no clipping
 *   budget           a time, such as 60s, 10min or 2h: the training ends when it is spent, and the
 *                    schedule, planned over epochs or steps, is stretched to end with it
 *   seed             default 1
 *   threads          default 0: one per core
 *   runs             the folder of the runs, default runs; none: nothing is kept
 *   on_write_error   continue (the default) or stop: what becomes of a training when a checkpoint,
 *                    a log or the run's folder cannot be written
 *   log              {every: N, grad_norm: true, csv: true, tensorboard: true, histograms: true}:
 *                    besides every epoch, every Nth update is logged (default 0: none), with the
 *                    norm of the gradients (default false: it costs time at every update); besides
 *                    the store also in epochs.csv and steps.csv, or an event file for TensorBoard,
 *                    in the run's folder; in that every epoch's histograms of the parameters and
 *                    their gradients
 *   checkpoint       {epochs: N, minutes: M, best: true, monitor: auto, keep: K}: after every Nth
 *                    epoch, when M minutes of training (default 1) have passed, and when an epoch
 *                    is the best so far (default false); the newest K stay (default 2, 0: all),
 *                    and the best
 *   early_stopping   {patience: 3, min_delta: 0, monitor: auto, restore: true}
 *   guard            {spike: S, rollbacks: N, rate_factor: 0.5}: what to do when the loss is not
 *                    finite, or above S times its running mean: go back to the last checkpoint with
 *                    lower rates, at most N times (default 0), then end with an error
 *
 * The relative path of the data, or of a schedule's table, is taken from the current folder first,
 * then from the configuration's folder. Every error points at its place: file, line, column, the
 * line itself and a caret.
 */
#ifndef ANNEAL_CONFIG_H
#define ANNEAL_CONFIG_H

#include <anneal/lr_text.h>
#include <anneal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct an_config an_config;

/*
 * Reads and checks `path`, after applying `sets` in order: "epochs=3" replaces or adds a key,
 * "data.path=x" one of a map, "model.1=Linear(784, 64)" an element of a list (counted from 0),
 * "optimizer.lr=0.05" or "model.1.bias=False" an argument of a call. Errors: IO, CONFIG.
 */
AN_API an_config *an_config_load(const char *path, const char *const *sets, size_t set_count,
                                 an_error *err);
/* The same from text; `name` stands for the file in errors. */
AN_API an_config *an_config_parse(const char *name, const char *text, size_t length,
                                  const char *const *sets, size_t set_count, an_error *err);
AN_API void an_config_free(an_config *config);

/* Replaces the seed (its lower 63 bits count) and the number of threads that the file says. */
AN_API void an_config_set_seed(an_config *config, uint64_t seed);
AN_API void an_config_set_threads(an_config *config, int threads);
AN_API uint64_t an_config_seed(const an_config *config);

/*
 * How metric `index`, from 0, of the key `metrics` is called, "TopK(k)", into `text` of `size`
 * bytes, cut off at its end. Returns the whole length; 0 where there are no more.
 */
AN_API size_t an_metric_signature(size_t index, char *text, size_t size);

/*
 * Everything that a run needs, made from a configuration and owned as one. `fit` is complete but
 * for callbacks and stop; its metrics have names that begin with "valid_". A schedule that needs
 * the run's length and was given none gets it: in updates under interval step, in epochs under
 * interval epoch.
 */
typedef struct an_run {
    an_context *context;
    an_dataset *train_data, *valid_data, *test_data; /* valid_data may be NULL */
    an_dataset *whole_data; /* what all parts are cut from, where there is one file, or NULL */
    an_loader *train, *valid, *test;
    an_model *model;
    an_optim *optim;
    an_average *average;             /* NULL: none */
    struct an_lr_schedule *schedule; /* NULL: constant */
    an_fit_options fit;
    const char *data_path;       /* as the configuration says; lives as long as that */
    const char *schedule_text;   /* canonical, with what was filled in; NULL without a schedule */
    const char *course_text;     /* what became of it while the run trained; NULL: nothing */
    an_lint *schedule_lint;      /* what in it is probably not meant; NULL: none, or it lands */
    const char *config_text;     /* the configuration as given, without the settings */
    const char *resolved_text;   /* as a configuration of its own, with everything that counts */
    const an_named_text *params; /* its keys and values, for looking up */
    size_t param_count;

    /* What is kept and what steers: made, not in `fit` yet. */
    const char *runs; /* NULL: nothing is kept */
    bool must_write;  /* on_write_error: stop */
    an_log_options log;
    bool log_csv, log_tensorboard, log_histograms;
    an_checkpointer checkpointer;
    bool stops_early, guarded; /* whether the next two are wanted */
    an_early_stopping early_stopping;
    an_guard guard;
} an_run;

/*
 * Opens the data, builds model, optimizer and schedule. The configuration must outlive the run.
 * NULL with err: DATA, IO, CONFIG, SHAPE, ...
 */
AN_API an_run *an_run_new(const an_config *config, an_error *err);
AN_API void an_run_free(an_run *run);

/*
 * Makes what the run says of its schedule (schedule_text, course_text, schedule_lint,
 * fit.interval, resolved_text, params) true for the one that a fit goes by, which a checkpoint may
 * have brought, landed or extended: see an_control.schedule. Steps in the lint's sentences are then
 * those of the schedule's plan. Errors: MEMORY, CONFIG (resolved_text is too long).
 */
AN_API bool an_run_follow(an_run *run, const struct an_lr_schedule *schedule, an_interval interval,
                          an_error *err);

/*
 * A loader of other data, normalised as the run's and in their own order, as its test data are
 * loaded. Free it before the run. Errors: as an_loader_new.
 */
AN_API an_loader *an_run_loader(const an_run *run, const an_dataset *data, an_error *err);

/* Writes resolved_text to `path`, durably. Errors: IO. */
AN_API bool an_run_save_resolved(const an_run *run, const char *path, an_error *err);

/* Whether `path` is a file of the run's data, by whatever name: not a place to write to. */
AN_API bool an_run_reads(const an_run *run, const char *path);

#ifdef __cplusplus
}
#endif
#endif
