/* The callbacks that steer: saving every so often, early stopping, the guard and its rollbacks. */
#include "folder.h"

/* A record at an epoch's end that only says what is watched. */
static an_record epoch_of(int64_t epoch, double loss, double valid_loss)
{
    return (an_record){.epoch = epoch,
                       .step = 10 * epoch,
                       .loss = loss,
                       .valid_loss = valid_loss,
                       .accuracy = -loss,
                       .valid_accuracy = -valid_loss,
                       .valid_samples = 5,
                       .seconds = 30.0 * (double)epoch};
}

/* ------------------------------------------------------------- checkpointer */

static an_control end_epoch(const an_callback *c, an_record record)
{
    an_control control = {.rate_factor = 1};
    c->epoch_end(c->user, &record, &control);
    return control;
}

static void saves_every_few_epochs(void **state)
{
    (void)state;
    an_checkpointer checkpointer = an_checkpointer_defaults();
    checkpointer.epochs = 3;
    an_callback c = an_checkpointer_callback(&checkpointer);
    for (int64_t epoch = 1; epoch < 10; epoch++)
        assert_true(end_epoch(&c, epoch_of(epoch, 1, NAN)).save == (epoch % 3 == 0));
}

static void saves_every_few_minutes(void **state)
{
    (void)state;
    an_checkpointer checkpointer = an_checkpointer_defaults();
    checkpointer.minutes = 0.5;
    an_callback c = an_checkpointer_callback(&checkpointer);
    an_record record = {.seconds = 100};
    an_control control = {0};
    c.train_begin(c.user, &record, &control);
    static const double seconds[] = {101, 129, 130, 135, 164, 165, 166};
    static const bool saved[] = {false, false, true, false, false, true, false};
    for (int i = 0; i < 7; i++) {
        control = (an_control){0};
        record.seconds = seconds[i];
        c.batch_end(c.user, &record, &control);
        assert_true(control.save == saved[i]);
        if (control.save) {
            record.seconds += 5; /* at the end of the update, later */
            c.save_end(c.user, &record, &control);
        }
    }
}

static void saves_what_is_best(void **state)
{
    (void)state;
    static const double losses[] = {NAN, 3, NAN, 4, 2, 2, 1, INFINITY};
    static const bool best[] = {false, true, false, false, true, false, true, false};
    an_checkpointer checkpointer = an_checkpointer_defaults();
    checkpointer.best = true;
    checkpointer.monitor = AN_MONITOR_VALID_LOSS;
    an_callback c = an_checkpointer_callback(&checkpointer);
    for (int i = 0; i < 8; i++) {
        an_control control = end_epoch(&c, epoch_of(i + 1, 1, losses[i]));
        assert_true(control.save == best[i] && control.best == best[i]);
    }
    /* What was the best is part of its state. */
    double kept[1];
    assert_int_equal(c.save_state(c.user, NULL, 0), sizeof kept);
    c.save_state(c.user, kept, sizeof kept);
    an_checkpointer other = an_checkpointer_defaults();
    other.best = true;
    an_callback d = an_checkpointer_callback(&other);
    assert_true(d.load_state(d.user, NULL, kept, sizeof kept, NULL));
    assert_false(end_epoch(&d, epoch_of(9, 1, 1)).save);
    assert_true(end_epoch(&d, epoch_of(9, 1, 0.5)).best);
    assert_false(d.load_state(d.user, NULL, kept, 3, NULL));
    assert_true(d.load_state(d.user, NULL, NULL, 0, NULL));
    assert_true(end_epoch(&d, epoch_of(9, 1, 7)).best);
}

/* ----------------------------------------------------------- early stopping */

static void mark(world *w, float value)
{
    float *values = an_params_values(an_model_params(w->model));
    for (int64_t i = 0; i < world_length(w); i++)
        values[i] = value;
}

/* Sends it epochs of these validation losses, weights marked 1, 2, 3, ...; gives where it stops. */
static int run_epochs(world *w, const an_callback *c, const double *losses, int count)
{
    for (int i = 0; i < count; i++) {
        mark(w, (float)(i + 1));
        an_control control = end_epoch(c, epoch_of(i + 1, 1, losses[i]));
        if (control.stop)
            return i + 1;
    }
    return 0;
}

static void stops_and_restores_the_best(void **state)
{
    (void)state;
    static const double losses[] = {NAN, NAN, 3, 2, NAN, 2.5, 1.95, 1.94, 1};
    an_early_stopping stopping;
    world w = {0};
    an_control control = {0};
    world_open(&w);
    assert_true(an_early_stopping_init(&stopping, w.model, NULL));
    stopping.min_delta = 0.1;
    stopping.patience = 4;
    an_callback c = an_early_stopping_callback(&stopping);
    assert_int_equal(run_epochs(&w, &c, losses, 9), 8);
    assert_int_equal(stopping.best_epoch, 4);
    an_record last = epoch_of(8, 1, 1.94);
    c.train_end(c.user, &last, &control);
    assert_true(world_values(&w)[0] == 4);
    /* With its state another one stops at once, and has the same weights; with more patience not.
     */
    size_t size = c.save_state(c.user, NULL, 0);
    char *bytes = malloc(size);
    assert_int_equal(c.save_state(c.user, bytes, size), size);
    an_early_stopping other;
    assert_true(an_early_stopping_init(&other, w.model, NULL));
    an_callback d = an_early_stopping_callback(&other);
    assert_true(d.load_state(d.user, NULL, bytes, size, NULL));
    assert_false(d.load_state(d.user, NULL, bytes, size - 1, NULL));
    mark(&w, 9);
    d.train_begin(d.user, &last, &control);
    assert_true(control.stop);
    d.train_end(d.user, &last, &control);
    assert_true(world_values(&w)[0] == 4);
    control.stop = false;
    other.patience = 5;
    d.train_begin(d.user, &last, &control);
    assert_false(control.stop);
    free(bytes);
    an_early_stopping_free(&stopping);
    an_early_stopping_free(&other);
    world_close(&w);
}

static void accuracies_rise(void **state)
{
    (void)state;
    static const double losses[] = {3, 2, 1, 2, 3}; /* accuracies -3, -2, -1, ... */
    an_early_stopping stopping;
    world w = {0};
    world_open(&w);
    assert_true(an_early_stopping_init(&stopping, w.model, NULL));
    stopping.monitor = AN_MONITOR_VALID_ACCURACY;
    stopping.patience = 2;
    an_callback c = an_early_stopping_callback(&stopping);
    assert_int_equal(run_epochs(&w, &c, losses, 5), 5);
    assert_int_equal(stopping.best_epoch, 3);
    an_early_stopping_free(&stopping);
    world_close(&w);
}

static void nothing_was_ever_best(void **state)
{
    (void)state;
    static const double losses[] = {NAN, NAN, NAN};
    an_early_stopping stopping;
    world w = {0};
    an_control control = {0};
    world_open(&w);
    assert_true(an_early_stopping_init(&stopping, w.model, NULL));
    an_callback c = an_early_stopping_callback(&stopping);
    assert_int_equal(run_epochs(&w, &c, losses, 3), 3);
    an_record last = epoch_of(3, 1, NAN);
    c.train_end(c.user, &last, &control);
    assert_true(world_values(&w)[0] == 3);
    an_early_stopping_free(&stopping);
    world_close(&w);
}

/* The best epoch's running statistics come back with its weights. */
static void buffers_come_back_too(void **state)
{
    (void)state;
    static const double losses[] = {2, 1, 3, 4, 5};
    an_early_stopping stopping;
    world w = {.layer = "BatchNorm1d(5)"};
    an_control control = {0};
    world_open(&w);
    assert_true(an_early_stopping_init(&stopping, w.model, NULL));
    an_callback c = an_early_stopping_callback(&stopping);
    const an_buffer *mean = an_params_find_buffer(an_model_params(w.model), "2.running_mean");
    for (int i = 0; i < 5; i++) {
        mean->tensor->data[0] = (float)(10 * i);
        (void)end_epoch(&c, epoch_of(i + 1, 1, losses[i]));
    }
    size_t size = c.save_state(c.user, NULL, 0);
    char *bytes = malloc(size);
    c.save_state(c.user, bytes, size);
    stopping.best_epoch = 0;
    assert_true(c.load_state(c.user, NULL, bytes, size, NULL));
    an_record last = epoch_of(5, 1, 5);
    c.train_end(c.user, &last, &control);
    assert_true(mean->tensor->data[0] == 10);
    free(bytes);
    an_early_stopping_free(&stopping);
    world_close(&w);
}

/* In a whole run: it ends early, what is saved is the last epoch, the model has the best. */
static void ends_a_training(void **state)
{
    (void)state;
    char folder[64], path[512];
    world w = {.lr = 1e-30};
    world_log log = {0};
    told t = {0};
    an_early_stopping stopping;
    an_fit_result result;
    folder_make(folder);
    world_open(&w);
    assert_true(an_early_stopping_init(&stopping, w.model, NULL));
    an_callback callbacks[] = {world_callback(&log), an_early_stopping_callback(&stopping),
                               told_callback(&t)};
    w.fit.callbacks = callbacks;
    w.fit.callback_count = 3;
    w.fit.epochs = 50;
    w.fit.valid = w.valid;
    w.fit.checkpoints = folder;
    assert_true(an_fit(&w.fit, &result, NULL));
    assert_true(result.stopped && result.saved);
    assert_int_equal(result.last.epoch, 4);
    assert_non_null(strstr(t.text, "stopped: no better epoch in 3 since epoch 1"));
    assert_non_null(strstr(t.text, "restored: the weights are those of epoch 1"));
    /* Gone on with, it ends at once. */
    folder_newest(folder, path);
    w.fit.resume = path;
    log.call_count = 0;
    assert_true(an_fit(&w.fit, &result, NULL));
    assert_memory_equal(log.calls, "tT", 2);
    an_early_stopping_free(&stopping);
    world_close(&w);
    folder_remove(folder);
}

/* -------------------------------------------------------------------- guard */

/* Spoils the last layer before the batches with these numbers, counted over the whole run. */
typedef struct vandal {
    world *w;
    int64_t batches, at[4];
    float value;
} vandal;

static void spoil(void *user, const an_record *record, an_control *control)
{
    (void)record, (void)control;
    vandal *v = user;
    v->batches++;
    const an_params *params = an_model_params(v->w->model);
    bool now = false;
    for (int i = 0; i < 4; i++)
        now = now || v->batches == v->at[i];
    for (size_t i = 2; now && i < an_params_count(params); i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        for (int64_t k = 0; k < tensor->size; k++)
            tensor->data[k] *= v->value;
    }
}

static bool guarded(world *w, world_log *log, vandal *v, an_guard *guard, told *t, an_error *err)
{
    an_callback callbacks[] = {world_callback(log),
                               {.batch_begin = spoil, .user = v},
                               an_guard_callback(guard),
                               told_callback(t)};
    v->w = w;
    w->fit.callbacks = callbacks;
    w->fit.callback_count = 4;
    return an_fit(&w->fit, NULL, err);
}

static void rolls_back_and_lowers_the_rate(void **state)
{
    (void)state;
    char folder[64];
    world w = {.shuffle = true};
    static world_log log;
    told t = {0};
    vandal v = {.at = {4, 9}, .value = NAN};
    an_guard guard = an_guard_defaults();
    an_error err = {0};
    memset(&log, 0, sizeof log);
    guard.rollbacks = 2;
    folder_make(folder);
    world_open(&w);
    w.fit.epochs = 2;
    w.fit.checkpoints = folder;
    if (!guarded(&w, &log, &v, &guard, &t, &err))
        fail_msg("%s", err.message);
    /* Back to the beginning both times, for no other checkpoint was asked for. */
    assert_string_equal(log.calls, "tebbbbebbbbbebbbbbEebbbbbET");
    assert_non_null(strstr(t.text, "fault: the loss of nan at step 3 is not finite"));
    assert_non_null(strstr(t.text, "rolled_back: from step 3 to step 0; rates times 0.5"));
    assert_non_null(strstr(t.text, "to step 0; rates times 0.25"));
    assert_true(log.batch[2].lr[0] == 0.1);
    assert_true(isnan(log.batch[3].batch_loss));
    assert_true(log.batch[4].lr[0] == 0.05 && log.batch[4].step == 1);
    assert_true(log.batch[log.batches - 1].lr[0] == 0.025);
    assert_true(an_optim_group(w.optim, 0)->slot[AN_LR].value == 0.1);
    for (size_t i = 1; i < log.batches; i++)
        assert_true(log.batch[i].seconds >= log.batch[i - 1].seconds);
    world_close(&w);
    folder_remove(folder);
}

/* What the rates are multiplied by goes into the checkpoints: both ways give the same bits. */
static void lowered_rates_stay_low_when_resumed(void **state)
{
    (void)state;
    char folder[64], path[512];
    float whole[256];
    static world_log log;
    for (int resumed = 0; resumed < 2; resumed++) {
        world w = {.shuffle = true};
        told t = {0};
        vandal v = {.at = {2}, .value = NAN};
        an_guard guard = an_guard_defaults();
        memset(&log, 0, sizeof log);
        guard.rollbacks = 1;
        folder_make(folder);
        world_open(&w);
        w.fit.epochs = 2;
        w.fit.checkpoints = folder;
        w.fit.stop = &log.stop;
        log.stop_after = resumed ? 5 : 0;
        assert_true(guarded(&w, &log, &v, &guard, &t, NULL));
        if (resumed) {
            folder_newest(folder, path);
            world_close(&w);
            w = (world){.shuffle = true};
            world_open(&w);
            w.fit.epochs = 2;
            w.fit.resume = path;
            v.at[0] = 0;
            assert_true(guarded(&w, &log, &v, &guard, &t, NULL));
        }
        assert_true(log.batch[log.batches - 1].lr[0] == 0.05);
        size_t size = (size_t)world_length(&w) * sizeof(float);
        assert_true(size <= sizeof whole);
        if (resumed)
            assert_memory_equal(whole, world_values(&w), size);
        memcpy(whole, world_values(&w), size);
        world_close(&w);
        folder_remove(folder);
    }
}

static void fails_when_rollbacks_are_used_up(void **state)
{
    (void)state;
    char folder[64];
    world w = {.shuffle = true};
    static world_log log;
    told t = {0};
    vandal v = {.at = {2, 4, 6}, .value = NAN};
    an_guard guard = an_guard_defaults();
    an_error err = {0};
    memset(&log, 0, sizeof log);
    guard.rollbacks = 2;
    folder_make(folder);
    world_open(&w);
    w.fit.epochs = 2;
    w.fit.checkpoints = folder;
    assert_false(guarded(&w, &log, &v, &guard, &t, &err));
    assert_int_equal(err.code, AN_ERROR_NUMERIC);
    assert_non_null(strstr(err.message, "after 2 rollbacks of at most 2"));
    assert_true(log.calls[log.call_count - 1] == 'T');
    world_close(&w);
    folder_remove(folder);
}

static void needs_checkpoints_to_roll_back(void **state)
{
    (void)state;
    world w = {.shuffle = true};
    static world_log log;
    told t = {0};
    vandal v = {.at = {2}, .value = NAN};
    an_guard guard = an_guard_defaults();
    an_error err = {0};
    memset(&log, 0, sizeof log);
    guard.rollbacks = 1;
    world_open(&w);
    w.fit.epochs = 1;
    assert_false(guarded(&w, &log, &v, &guard, &t, &err));
    assert_non_null(strstr(err.message, "saves no checkpoints"));
    world_close(&w);
}

static void sees_leaps(void **state)
{
    (void)state;
    char folder[64];
    world w = {.shuffle = true};
    static world_log log;
    told t = {0};
    vandal v = {.at = {31}, .value = -1000};
    an_guard guard = an_guard_defaults();
    memset(&log, 0, sizeof log);
    guard.rollbacks = 1;
    guard.spike = 10;
    folder_make(folder);
    world_open(&w);
    w.fit.epochs = 8;
    w.fit.checkpoints = folder;
    assert_true(guarded(&w, &log, &v, &guard, &t, NULL));
    assert_non_null(strstr(t.text, "has leapt above its running mean"));
    assert_int_equal(log.batches, 31 + 40);
    assert_int_equal(guard.done, 1);
    world_close(&w);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saves_every_few_epochs),
        cmocka_unit_test(saves_every_few_minutes),
        cmocka_unit_test(saves_what_is_best),
        cmocka_unit_test(stops_and_restores_the_best),
        cmocka_unit_test(accuracies_rise),
        cmocka_unit_test(nothing_was_ever_best),
        cmocka_unit_test(buffers_come_back_too),
        cmocka_unit_test(ends_a_training),
        cmocka_unit_test(rolls_back_and_lowers_the_rate),
        cmocka_unit_test(lowered_rates_stay_low_when_resumed),
        cmocka_unit_test(fails_when_rollbacks_are_used_up),
        cmocka_unit_test(needs_checkpoints_to_roll_back),
        cmocka_unit_test(sees_leaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
