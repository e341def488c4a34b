/* The loop itself: what is called when, what the record says, where it ends, what is refused. */
#include "world.h"

/* Trains with a log; gives whether it went well. */
static bool fit(world *w, world_log *log, an_fit_result *result, an_error *err)
{
    an_callback callback = world_callback(log);
    w->fit.callbacks = &callback;
    w->fit.callback_count = 1;
    w->fit.stop = &log->stop;
    return an_fit(&w->fit, result, err);
}

static void test_order_of_calls(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {0};
    world_open(&w);
    w.fit.epochs = 2;
    assert_true(fit(&w, &log, NULL, NULL));
    assert_string_equal(log.calls, "tebbbEebbbET");
    assert_int_equal(log.info.epochs, 2);
    assert_int_equal(log.info.steps, 6);
    assert_int_equal(log.info.batches, 3);
    assert_int_equal(log.info.train_samples, 10);
    assert_int_equal(log.info.valid_samples, 0);
    world_close(&w);
}

static void test_records(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {0};
    an_fit_result result;
    world_open(&w);
    w.fit.epochs = 2;
    assert_true(fit(&w, &log, &result, NULL));
    assert_int_equal(log.batches, 6);
    const int64_t samples[] = {4, 8, 10, 14, 18, 20};
    for (int i = 0; i < 6; i++) {
        const an_record *r = &log.batch[i];
        assert_int_equal(r->step, i + 1);
        assert_int_equal(r->epoch, i / 3 + 1);
        assert_int_equal(r->epochs, 2);
        assert_int_equal(r->batch, i % 3 + 1);
        assert_int_equal(r->batches, 3);
        assert_int_equal(r->samples, samples[i]);
        assert_true(r->loss > 0 && r->accuracy >= 0 && r->accuracy <= 1);
        assert_true(isnan(r->valid_loss) && isnan(r->valid_accuracy));
        assert_int_equal(r->groups, 1);
        assert_true(r->lr[0] == 0.1 && r->momentum[0] == 0.9);
        assert_true(r->seconds >= r->epoch_seconds && r->epoch_seconds >= 0);
    }
    assert_int_equal(result.last.step, 6);
    assert_false(result.stopped);
    assert_true(result.graph_bytes > 0);
    world_close(&w);
}

/* With a rate of 0 nothing moves: the epoch's mean must be what an evaluation says. */
static void test_means_are_over_samples(void **state)
{
    (void)state;
    world w = {.count = 11};
    world_log log = {0};
    an_eval_result eval;
    world_open(&w);
    an_optim_group(w.optim, 0)->slot[AN_LR].value = 0;
    w.fit.epochs = 1;
    w.fit.valid = w.valid;
    assert_true(fit(&w, &log, NULL, NULL));
    assert_true(an_evaluate(w.model, w.fit.loss, w.valid, &eval, NULL));
    assert_int_equal(eval.samples, 11);
    assert_float_equal((float)log.epoch[0].loss, (float)eval.loss, 1e-6);
    assert_float_equal((float)log.epoch[0].valid_loss, (float)eval.loss, 1e-6);
    assert_true(log.epoch[0].accuracy == eval.accuracy);
    assert_true(log.epoch[0].valid_accuracy == eval.accuracy);
    assert_int_equal(log.info.valid_samples, 11);
    world_close(&w);
}

static void test_it_learns(void **state)
{
    (void)state;
    world w = {.count = 30, .shuffle = true};
    world_log log = {0};
    world_open(&w);
    w.fit.epochs = 30;
    assert_true(fit(&w, &log, NULL, NULL));
    assert_true(log.epoch[29].loss < 0.2 * log.epoch[0].loss);
    assert_true(log.epoch[29].accuracy == 1);
    world_close(&w);
}

static void test_a_run_in_steps_ends_within_an_epoch(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {0};
    an_fit_result result;
    world_open(&w);
    w.fit.steps = 4;
    w.fit.valid = w.valid;
    assert_int_equal(an_fit_total_steps(&w.fit), 4);
    assert_true(fit(&w, &log, &result, NULL));
    assert_string_equal(log.calls, "tebbbEebET");
    assert_int_equal(log.info.epochs, 2);
    assert_int_equal(result.last.step, 4);
    assert_true(!isnan(result.last.valid_loss));
    world_close(&w);
}

static void test_stop(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {.stop_after = 5};
    an_fit_result result;
    world_open(&w);
    w.fit.epochs = 9;
    w.fit.accumulate = 3;
    assert_true(fit(&w, &log, &result, NULL));
    assert_string_equal(log.calls, "tebbbEebbT");
    assert_true(result.stopped);
    assert_int_equal(result.last.step, 1);
    /* What waited for its update was dropped: a step now changes nothing but by momentum. */
    for (size_t i = 0; i < an_params_count(an_model_params(w.model)); i++)
        assert_null(an_tensor_grad(an_params_get(an_model_params(w.model), i)->tensor));
    world_close(&w);
}

static void test_a_loss_that_is_not_finite(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {0};
    an_fit_result result;
    an_error err = {0};
    world_open(&w);
    an_optim_group(w.optim, 0)->slot[AN_LR].value = 1e38;
    w.fit.epochs = 50;
    assert_false(fit(&w, &log, &result, &err));
    assert_int_equal(err.code, AN_ERROR_NUMERIC);
    char step[64];
    snprintf(step, sizeof step, "at step %lld ", (long long)result.last.step + 1);
    assert_non_null(strstr(err.message, step));
    assert_non_null(strstr(err.message, "1e+38"));
    assert_non_null(strstr(err.message, "try"));
    assert_true(log.calls[log.call_count - 1] == 'T');
    world_close(&w);
}

static void refuse(world *w, const char *part)
{
    an_error err = {0};
    assert_false(an_fit(&w->fit, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, part));
}

static void test_options_that_do_not_fit(void **state)
{
    (void)state;
    world w = {0};
    world_open(&w);
    an_fit_options good = w.fit;
    good.epochs = 1;
    refuse(&w, "epochs and steps");
    w.fit.epochs = w.fit.steps = 1;
    refuse(&w, "epochs and steps");
    w.fit = good, w.fit.epochs = -1;
    refuse(&w, "-1");
    w.fit = good, w.fit.accumulate = 0;
    refuse(&w, "accumulate");
    w.fit = good, w.fit.clip_grad_norm = -1;
    refuse(&w, "clip_grad_norm");
    w.fit.clip_grad_norm = NAN;
    refuse(&w, "clip_grad_norm");
    w.fit = good, w.fit.model = NULL;
    refuse(&w, "model");
    w.fit = good, w.fit.keep = -1;
    refuse(&w, "keep");
    world closure = {.optimizer = "LBFGS()"};
    world_open(&closure);
    closure.fit.epochs = 1;
    refuse(&closure, "LBFGS");
    world_close(&closure);
    an_lr_desc desc = an_lr_defaults(AN_PLATEAU_LR);
    w.fit = good;
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    w.fit.monitor = AN_MONITOR_VALID_LOSS;
    refuse(&w, "validation");
    w.fit.valid = w.valid;
    w.fit.interval = AN_INTERVAL_STEP;
    refuse(&w, "interval epoch");
    an_lr_free(schedule);
    world_close(&w);
}

static void test_step_counts(void **state)
{
    (void)state;
    world w = {.count = 21};
    world_open(&w);
    w.fit.epochs = 3;
    assert_int_equal(an_fit_steps_per_epoch(&w.fit), 6);
    assert_int_equal(an_fit_total_steps(&w.fit), 18);
    w.fit.accumulate = 4;
    assert_int_equal(an_fit_steps_per_epoch(&w.fit), 2);
    w.fit.accumulate = 100;
    assert_int_equal(an_fit_total_steps(&w.fit), 3);
    w.fit.epochs = INT64_MAX;
    w.fit.accumulate = 1;
    assert_true(an_fit_total_steps(&w.fit) == INT64_MAX);
    world_close(&w);
}

static void test_the_same_seed_gives_the_same_bits(void **state)
{
    (void)state;
    world a = {.shuffle = true}, b = {.shuffle = true};
    world_open(&a), world_open(&b);
    a.fit.epochs = b.fit.epochs = 3;
    assert_true(an_fit(&a.fit, NULL, NULL));
    assert_true(an_fit(&b.fit, NULL, NULL));
    assert_memory_equal(world_values(&a), world_values(&b), (size_t)world_length(&a) * 4);
    world_close(&a), world_close(&b);
}

/* A callback that asks for something at the end of every batch that it is called for. */
typedef struct asking {
    int64_t stop_at, fail_at; /* batches of the epoch; 0: never */
    int begun, ended, told;
    double norm;
} asking;

static void ask_begin(void *user, const an_record *record, an_control *control)
{
    (void)record, (void)control;
    ((asking *)user)->begun++;
}

static void ask_end(void *user, const an_record *record, an_control *control)
{
    asking *a = user;
    a->ended++;
    a->norm = record->grad_norm;
    assert_true(control->rate_factor == 1);
    control->stop = record->batch == a->stop_at;
    if (record->batch == a->fail_at)
        an_error_set(&control->error, AN_ERROR_IO, "no room for the log");
    an_tell(control, "asked", "something");
}

static void hear(void *user, const an_record *record, const an_event *event)
{
    asking *a = user;
    a->told += record->batch > 0 && strcmp(event->kind, "asked") == 0 &&
               strcmp(event->text, "something") == 0;
}

static bool fit_asking(asking *a, int64_t every, an_fit_result *result, an_error *err)
{
    world w = {.count = 10};
    world_open(&w);
    w.fit.epochs = 3;
    an_callback callbacks[] = {{.batch_begin = ask_begin,
                                .batch_end = ask_end,
                                .every = every,
                                .wants_grad_norm = every > 1,
                                .user = a},
                               {.event = hear, .user = a}};
    w.fit.callbacks = callbacks;
    w.fit.callback_count = 2;
    bool ok = an_fit(&w.fit, result, err);
    world_close(&w);
    return ok;
}

static void test_a_callback_stops(void **state)
{
    (void)state;
    asking a = {.stop_at = 2};
    an_fit_result result;
    assert_true(fit_asking(&a, 1, &result, NULL));
    assert_true(result.stopped);
    assert_int_equal(result.last.step, 2);
    assert_int_equal(a.begun, 2);
    assert_int_equal(a.told, 2);
    assert_true(isnan(a.norm));
}

static void test_a_callback_fails(void **state)
{
    (void)state;
    asking a = {.fail_at = 1};
    an_fit_result result;
    an_error err = {0};
    assert_false(fit_asking(&a, 0, &result, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_string_equal(err.message, "no room for the log");
    assert_int_equal(result.last.step, 1);
}

static void test_every_second_batch(void **state)
{
    (void)state;
    asking a = {0};
    an_fit_result result;
    assert_true(fit_asking(&a, 2, &result, NULL));
    assert_false(result.stopped);
    assert_int_equal(a.begun, 4);
    assert_int_equal(a.ended, 4);
    assert_true(a.norm > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_means_are_over_samples),
        cmocka_unit_test(test_it_learns),
        cmocka_unit_test(test_a_run_in_steps_ends_within_an_epoch),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_a_loss_that_is_not_finite),
        cmocka_unit_test(test_options_that_do_not_fit),
        cmocka_unit_test(test_step_counts),
        cmocka_unit_test(test_the_same_seed_gives_the_same_bits),
        cmocka_unit_test(test_a_callback_stops),
        cmocka_unit_test(test_a_callback_fails),
        cmocka_unit_test(test_every_second_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
