/* What crosses the files of the train room. */
#ifndef AN_TRAIN_FIT_H
#define AN_TRAIN_FIT_H

#include <anneal/train.h>

/* Sums over some samples. */
typedef struct an__tally {
    double loss;
    int64_t correct, samples;
} an__tally;

/* A training that runs: all of it that is not in the options' objects. */
typedef struct an__fit {
    const an_fit_options *options;
    struct an_lr_schedule *schedule; /* the options', or `kept` */
    struct an_lr_schedule *kept;     /* made from a checkpoint under AN_RESUME_KEEP; its own */
    struct an_lr_text *kept_text;    /* what `kept` was made from */
    an_graph *graph;
    an_record record;
    an_control control;
    an__tally epoch, window;   /* the epoch so far; the update being accumulated */
    int64_t full;              /* samples in a full batch */
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
    bool shown;           /* the parameters are those to evaluate: see an_optim_eval */
    bool clocked;         /* seconds decide something */
    bool drops;           /* the schedule drives dropout */
    bool sizes;           /* the schedule drives the batch size */
} an__fit;

/* ARGUMENT with the option's name where the options cannot be trained with. */
bool an__fit_check(const an_fit_options *options, an_error *err);

/* The loss of a batch's output: against its labels, or against its numbers. */
an_tensor *an__batch_loss(an_graph *graph, an_loss loss, an_tensor *output, const an_batch *batch);

/* an_evaluate on a graph that is there already: empty before and after. */
bool an__evaluate(an_model *model, an_loss loss, an_loader *loader, an_graph *graph,
                  an_eval_result *result, an_error *err);

/* Puts the parameters to evaluate, or those to train, into the model: an_optim_eval, _train. */
void an__show(an__fit *f, bool shown);

/* Seconds on a clock that nobody sets. */
double an__now(void);

/* ------------------------------------------------------------- moments.c */

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
