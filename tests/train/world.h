/* A small training for tests: 4 pixels a sample, 3 classes, one hidden layer. */
#ifndef AN_TESTS_TRAIN_WORLD_H
#define AN_TESTS_TRAIN_WORLD_H

#include "../base/cmocka_all.h"

#include <anneal/lr.h>
#include <anneal/train.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WORLD_MOST 256

typedef struct world {
    /* Set before world_open; 0 means what is said. */
    int64_t count, batch; /* 20 samples, batches of 4 */
    double lr;            /* 0.1 */
    bool shuffle, dropout, adam;
    const char *optimizer;  /* in the place of SGD or Adam, as text */
    const char *layer;      /* one more before the last, as text */
    uint64_t seed;          /* of the loaders: 3 */
    an_allocator allocator; /* the C library's */

    an_context *context;
    an_dataset *data;
    an_loader *loader, *valid;
    an_model *model;
    an_optim *optim;
    an_fit_options fit;
} world;

static inline an_loader *world_loader(world *w, int64_t batch, bool shuffle)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = batch;
    options.shuffle = shuffle;
    options.seed = w->seed ? w->seed : 3;
    an_loader *loader = an_loader_new(w->context, w->data, &options, NULL);
    assert_non_null(loader);
    return loader;
}

static inline void world_open(world *w)
{
    uint8_t pixels[4 * WORLD_MOST];
    int32_t labels[WORLD_MOST];
    w->count = w->count ? w->count : 20;
    w->batch = w->batch ? w->batch : 4;
    assert_true(w->count <= WORLD_MOST);
    for (int64_t i = 0; i < w->count; i++) {
        labels[i] = (int32_t)((i * 5 + 1) % 3);
        for (int64_t j = 0; j < 4; j++)
            pixels[4 * i + j] = (uint8_t)((j == labels[i] ? 200 : 20) + (i * 31 + j * 17) % 50);
    }
    an_context_options options = {.threads = 1, .allocator = w->allocator};
    w->context = an_context_new(&options, NULL);
    assert_non_null(w->context);
    const an_allocator *allocator = an_context_allocator(w->context);
    w->data = an_dataset_from_bytes(allocator, pixels, labels, w->count, an_shape_1(4), 3, NULL);
    assert_non_null(w->data);
    w->loader = world_loader(w, w->batch, w->shuffle);
    w->valid = world_loader(w, 7, false);
    w->model = an_model_new(w->context, NULL);
    an_model_linear(w->model, 4, 5, true);
    an_model_tanh(w->model);
    if (w->dropout)
        an_model_dropout(w->model, 0.5);
    if (w->layer)
        assert_true(an_model_add(w->model, w->layer, NULL));
    an_model_linear(w->model, 5, 3, true);
    assert_true(an_model_build(w->model, an_shape_1(4), 1, NULL));
    an_sgd_options sgd = an_sgd_defaults();
    sgd.lr = w->lr != 0 ? w->lr : 0.1;
    sgd.momentum = 0.9;
    an_adam_options adam = an_adam_defaults();
    adam.lr = sgd.lr;
    an_params *params = an_model_params(w->model);
    w->optim = w->optimizer ? an_optim_parse(params, w->optimizer, NULL)
               : w->adam    ? an_adam_new(params, &adam, NULL)
                            : an_sgd_new(params, &sgd, NULL);
    assert_non_null(w->optim);
    w->fit = an_fit_defaults();
    w->fit.model = w->model;
    w->fit.loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    w->fit.optim = w->optim;
    w->fit.train = w->loader;
}

static inline void world_close(world *w)
{
    an_optim_free(w->optim);
    an_model_free(w->model);
    an_loader_free(w->loader);
    an_loader_free(w->valid);
    an_dataset_free(w->data);
    an_context_free(w->context);
}

static inline const float *world_values(const world *w)
{
    return an_params_values(an_model_params(w->model));
}

static inline int64_t world_length(const world *w)
{
    return an_params_length(an_model_params(w->model));
}

static inline an_lr_schedule *world_schedule(world *w, const an_lr_desc *desc)
{
    an_lr_schedule *schedule =
        an_lr_new(desc, an_optim_groups(w->optim), an_optim_group_count(w->optim), NULL, NULL);
    assert_non_null(schedule);
    w->fit.schedule = schedule;
    return schedule;
}

/* A callback that keeps every record, and what was called in which order. */
typedef struct world_log {
    char calls[4096]; /* t e b E T: train begin, epoch begin, batch, epoch end, train end */
    size_t call_count;
    an_record batch[512], epoch[64];
    size_t batches, epochs;
    an_record info;    /* at the begin */
    volatile int stop; /* for an_fit_options.stop */
    size_t stop_after; /* batches; 0: never */
} world_log;

static inline void log_call(world_log *log, char what)
{
    if (log->call_count + 1 < sizeof log->calls)
        log->calls[log->call_count++] = what;
}

static inline void log_train_begin(void *user, const an_record *record, an_control *control)
{
    (void)control;
    world_log *log = user;
    log->info = *record;
    log_call(log, 't');
}

static inline void log_epoch_begin(void *user, const an_record *record, an_control *control)
{
    (void)control;
    (void)record;
    log_call(user, 'e');
}

static inline void log_batch_end(void *user, const an_record *record, an_control *control)
{
    (void)control;
    world_log *log = user;
    log_call(log, 'b');
    if (log->batches < 512)
        log->batch[log->batches++] = *record;
    log->stop = log->stop_after && log->batches >= log->stop_after;
}

static inline void log_epoch_end(void *user, const an_record *record, an_control *control)
{
    (void)control;
    world_log *log = user;
    log_call(log, 'E');
    if (log->epochs < 64)
        log->epoch[log->epochs++] = *record;
}

static inline void log_train_end(void *user, const an_record *record, an_control *control)
{
    (void)control;
    (void)record;
    log_call(user, 'T');
}

static inline an_callback world_callback(world_log *log)
{
    return (an_callback){.train_begin = log_train_begin,
                         .epoch_begin = log_epoch_begin,
                         .batch_end = log_batch_end,
                         .epoch_end = log_epoch_end,
                         .train_end = log_train_end,
                         .user = log};
}

#endif
