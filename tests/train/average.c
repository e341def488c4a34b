/*
 * A training that is evaluated and saved by an average of its weights: PyTorch's losses, parameters
 * and running statistics (average.py), what is in the files, what is refused.
 */
#include "folder.h"

enum { VALUES = 53, EPOCHS = 5, CHANNELS = 5 };

typedef struct recorded {
    const char *text;
    float losses[EPOCHS]; /* of the shown weights after each epoch */
    float values[VALUES]; /* at the end */
    float mean[CHANNELS], variance[CHANNELS];
} recorded;

#include "average.inc"

static an_average *average_of(world *w, const char *text)
{
    an_error err = {0};
    an_average *average = an_average_parse(an_model_params(w->model), text, &err);
    if (!average)
        fail_msg("%s: %s", text, err.message);
    w->fit.average = average;
    return average;
}

static void put_values(const world *w, const float *values)
{
    const an_params *params = an_model_params(w->model);
    for (size_t i = 0; i < an_params_count(params); i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        memcpy(tensor->data, values, (size_t)tensor->size * sizeof *values);
        values += tensor->size;
    }
}

static void assert_near(const char *text, const char *what, const float *got, const float *want,
                        int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= 2e-5f * fmaxf(1, fabsf(want[i]))))
            fail_msg("%s: %s[%d] is %.9g, PyTorch has %.9g", text, what, (int)i, (double)got[i],
                     (double)want[i]);
}

static void assert_values(const world *w, const recorded *want)
{
    const an_params *params = an_model_params(w->model);
    const float *expected = want->values;
    for (size_t i = 0; i < an_params_count(params); i++) {
        const an_tensor *tensor = an_params_get(params, i)->tensor;
        assert_near(want->text, an_params_get(params, i)->name, tensor->data, expected,
                    tensor->size);
        expected += tensor->size;
    }
    assert_near(want->text, "running_mean",
                an_params_find_buffer(params, "2.running_mean")->tensor->data, want->mean,
                CHANNELS);
    assert_near(want->text, "running_var",
                an_params_find_buffer(params, "2.running_var")->tensor->data, want->variance,
                CHANNELS);
}

static void open_world(world *w, const char *text)
{
    w->layer = "BatchNorm1d(5)";
    world_open(w);
    put_values(w, initial);
    w->fit.epochs = EPOCHS;
    w->fit.valid = w->valid;
    average_of(w, text);
}

static void close_world(world *w)
{
    an_average_free(w->fit.average);
    world_close(w);
}

static void averages_are_pytorchs(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const recorded *want = &cases[k];
        world w = {0};
        static world_log log;
        memset(&log, 0, sizeof log);
        open_world(&w, want->text);
        an_callback callback = world_callback(&log);
        w.fit.callbacks = &callback;
        w.fit.callback_count = 1;
        assert_true(an_fit(&w.fit, NULL, NULL));
        for (size_t e = 0; e < EPOCHS; e++) {
            float loss = (float)log.epoch[e].valid_loss;
            assert_near(want->text, "loss", &loss, &want->losses[e], 1);
        }
        assert_values(&w, want);
        close_world(&w);
    }
}

/* The average changes nothing of the training: the losses of the batches are those without it. */
static void the_training_goes_on_beside_it(void **state)
{
    (void)state;
    static world_log with, without;
    for (int k = 0; k < 2; k++) {
        world w = {.dropout = true, .shuffle = true};
        world_log *log = k ? &with : &without;
        memset(log, 0, sizeof *log);
        w.layer = "BatchNorm1d(5)";
        world_open(&w);
        w.fit.epochs = 4;
        w.fit.average = k ? average_of(&w, "EMA(decay=0.8)") : NULL;
        an_callback callback = world_callback(log);
        w.fit.callbacks = &callback;
        w.fit.callback_count = 1;
        assert_true(an_fit(&w.fit, NULL, NULL));
        close_world(&w);
    }
    assert_int_equal(with.batches, 20);
    for (size_t i = 0; i < with.batches; i++)
        assert_true(with.batch[i].batch_loss == without.batch[i].batch_loss);
}

/* A second fit with the same objects goes on with what is trained. */
static void a_fit_may_follow_a_fit(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"SGD(lr=0.1)", "SGDScheduleFree(lr=0.1)"};
    for (size_t k = 0; k < 2; k++) {
        world w = {.optimizer = optimizers[k]};
        world_open(&w);
        w.fit.epochs = 2;
        an_average *average = k == 0 ? average_of(&w, "EMA(decay=0.5)") : NULL;
        assert_true(an_fit(&w.fit, NULL, NULL));
        an_error err = {0};
        if (!an_fit(&w.fit, NULL, &err))
            fail_msg("%s", err.message);
        assert_int_equal(an_optim_step_count(w.optim), 20);
        assert_true(!average || (an_average_count(average) == 20 && an_average_swapped(average)));
        close_world(&w);
    }
}

/* The file of weights has the average, within an epoch too. */
static void checkpoints_hold_the_average(void **state)
{
    (void)state;
    for (size_t after = 3; after <= 5; after++) {
        char folder[64], path[512];
        world w = {0}, other = {0};
        static world_log log;
        memset(&log, 0, sizeof log);
        folder_make(folder);
        open_world(&w, "EMA(decay=0.75)");
        an_callback callback = world_callback(&log);
        log.stop_after = after;
        w.fit.callbacks = &callback;
        w.fit.callback_count = 1;
        w.fit.stop = &log.stop;
        w.fit.checkpoints = folder;
        assert_true(an_fit(&w.fit, NULL, NULL));
        folder_newest(folder, path);
        strcat(path, ".safetensors");
        open_world(&other, "EMA(decay=0.75)");
        assert_true(an_params_load(an_model_params(other.model), path, NULL));
        size_t bytes = (size_t)world_length(&w) * sizeof(float);
        assert_true(an_average_swapped(w.fit.average));
        assert_memory_equal(world_values(&other), world_values(&w), bytes);
        an_average_swap(w.fit.average);
        assert_memory_not_equal(world_values(&other), world_values(&w), bytes);
        close_world(&other);
        close_world(&w);
        folder_remove(folder);
    }
}

static void ask_back_once(void *user, const an_record *record, an_control *control)
{
    bool *asked = user;
    control->save = record->step == 4;
    if (record->step == 8 && !*asked) {
        *asked = true;
        control->roll_back = true;
    }
}

/* Back at a checkpoint, with rates as they were, the average is the one of then too. */
static void a_rollback_takes_the_average_along(void **state)
{
    (void)state;
    world worlds[2] = {{.dropout = true, .shuffle = true, .layer = "BatchNorm1d(5)"}};
    char folder[64];
    worlds[1] = worlds[0];
    folder_make(folder);
    for (int k = 0; k < 2; k++) {
        world *w = &worlds[k];
        bool asked = k == 0;
        an_callback callback = {.batch_end = ask_back_once, .user = &asked};
        world_open(w);
        average_of(w, "EMA(decay=0.9)");
        w->fit.epochs = 3;
        w->fit.checkpoints = folder;
        w->fit.callbacks = &callback;
        w->fit.callback_count = 1;
        assert_true(an_fit(&w->fit, NULL, NULL));
        assert_true(asked);
        assert_int_equal(an_average_count(w->fit.average), 15);
    }
    assert_memory_equal(world_values(&worlds[0]), world_values(&worlds[1]),
                        (size_t)world_length(&worlds[0]) * sizeof(float));
    close_world(&worlds[0]);
    close_world(&worlds[1]);
    folder_remove(folder);
}

/* Weights that are trained to what is no number are not saved, however sound the average is. */
static void broken_weights_are_not_saved(void **state)
{
    (void)state;
    char folder[64];
    world w = {0};
    told t = {0};
    folder_make(folder);
    open_world(&w, "SWA(start=1ep)");
    an_callback callback = told_callback(&t);
    w.fit.epochs = 2;
    assert_true(an_fit(&w.fit, NULL, NULL));
    an_average_swap(w.fit.average);
    an_params_values(an_model_params(w.model))[0] = NAN;
    w.fit.callbacks = &callback;
    w.fit.callback_count = 1;
    w.fit.checkpoints = folder;
    an_error err = {0};
    assert_false(an_fit(&w.fit, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_NUMERIC);
    assert_int_equal(folder_each(folder, NULL), 0);
    close_world(&w);
    folder_remove(folder);
}

static void another_average_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *saved, *now, *message;
        an_resume_policy policy;
    } rows[] = {
        {"EMA(decay=0.5)", "EMA(decay=0.25)", "was averaged by EMA(decay=0.5), not by EMA",
         AN_RESUME_REFUSE},
        {"EMA(decay=0.5)", "EMA(decay=0.25)", "was averaged by", AN_RESUME_KEEP},
        {"EMA(decay=0.5)", "EMA(decay=0.25)", NULL, AN_RESUME_ADOPT},
        {"EMA(decay=0.5)", NULL, "it has an average of the weights", AN_RESUME_ADOPT},
        {NULL, "SWA()", "it has no average of the weights", AN_RESUME_ADOPT},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        char folder[64], path[512];
        an_error err = {0};
        folder_make(folder);
        for (int part = 0; part < 2; part++) {
            world w = {0};
            world_open(&w);
            const char *text = part ? rows[k].now : rows[k].saved;
            an_average *average = text ? average_of(&w, text) : NULL;
            w.fit.epochs = 1 + part;
            w.fit.checkpoints = folder;
            if (part) {
                folder_newest(folder, path);
                w.fit.resume = path;
                w.fit.policy = rows[k].policy;
            }
            assert_int_equal(an_fit(&w.fit, NULL, &err), !part || !rows[k].message);
            assert_true(!part || rows[k].message || an_average_count(average) == 10);
            close_world(&w);
        }
        if (rows[k].message && !strstr(err.message, rows[k].message))
            fail_msg("%s", err.message);
        folder_remove(folder);
    }
}

static void one_average_is_enough(void **state)
{
    (void)state;
    world w = {.optimizer = "SGDScheduleFree(lr=0.1)"};
    an_error err = {0};
    world_open(&w);
    w.fit.epochs = 1;
    average_of(&w, "EMA()");
    assert_false(an_fit(&w.fit, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_string_equal(err.message,
                        "SGDScheduleFree(lr=0.1) evaluates an average of its own; leave out the "
                        "average EMA(decay=0.999)");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_are_pytorchs),
        cmocka_unit_test(the_training_goes_on_beside_it),
        cmocka_unit_test(a_fit_may_follow_a_fit),
        cmocka_unit_test(checkpoints_hold_the_average),
        cmocka_unit_test(a_rollback_takes_the_average_along),
        cmocka_unit_test(broken_weights_are_not_saved),
        cmocka_unit_test(another_average_is_refused),
        cmocka_unit_test(one_average_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
