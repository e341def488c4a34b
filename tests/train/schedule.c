/* When the schedule is stepped, with what, and that the record holds the rates that were used. */
#include "world.h"

static void fit(world *w, world_log *log)
{
    an_callback callback = world_callback(log);
    w->fit.callbacks = &callback;
    w->fit.callback_count = 1;
    assert_true(an_fit(&w->fit, NULL, NULL));
}

static void test_per_epoch(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {0};
    world_open(&w);
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR);
    desc.exponential.gamma = 0.5;
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    w.fit.epochs = 3;
    fit(&w, &log);
    for (int i = 0; i < 9; i++)
        assert_true(log.batch[i].lr[0] == 0.1 * pow(0.5, i / 3));
    assert_true(log.epoch[2].lr[0] == 0.025);
    assert_int_equal(an_lr_step_count(schedule), 3);
    assert_true(an_optim_group(w.optim, 0)->slot[AN_LR].value == 0.0125);
    an_lr_free(schedule);
    world_close(&w);
}

static void test_per_step(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {0};
    world_open(&w);
    an_lr_desc desc = an_lr_defaults(AN_ONE_CYCLE_LR);
    desc.one_cycle.max_lr.value = 0.2;
    desc.one_cycle.total_steps = 4;
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    w.fit.epochs = 2;
    w.fit.accumulate = 2; /* batches 1 2 | 3 || 1 2 | 3 */
    w.fit.interval = AN_INTERVAL_STEP;
    fit(&w, &log);
    assert_int_equal(an_lr_step_count(schedule), 4);
    const int update_of_batch[] = {-1, 0, 1, 1, 2, 3};
    for (int i = 1; i < 6; i++) {
        double expected = an_lr_at_step(schedule, 0, update_of_batch[i]);
        double momentum = an_lr_at(schedule, 0, AN_MOMENTUM, update_of_batch[i]);
        assert_float_equal((float)log.batch[i].lr[0], (float)expected, 1e-9);
        assert_float_equal((float)log.batch[i].momentum[0], (float)momentum, 1e-7);
    }
    an_lr_free(schedule);
    world_close(&w);
}

/* An epoch that a run in steps breaks off is no epoch for the schedule. */
static void test_broken_epoch(void **state)
{
    (void)state;
    world w = {.count = 10};
    world_log log = {0};
    world_open(&w);
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR);
    desc.exponential.gamma = 0.5;
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    w.fit.steps = 5;
    fit(&w, &log);
    assert_int_equal(an_lr_step_count(schedule), 1);
    an_lr_free(schedule);
    world_close(&w);
}

/* A plateau schedule that reacts often, over the world's optimizer. */
static an_lr_desc nervous(an_plateau_mode mode)
{
    an_lr_desc desc = an_lr_defaults(AN_PLATEAU_LR);
    desc.plateau.mode = mode;
    desc.plateau.patience = 0;
    desc.plateau.factor = 0.9;
    desc.plateau.threshold = 0.1;
    return desc;
}

static double metric(an_monitor monitor, const an_record *r)
{
    switch (monitor) {
    case AN_MONITOR_TRAIN_ACCURACY:
        return r->accuracy;
    case AN_MONITOR_VALID_ACCURACY:
        return r->valid_accuracy;
    case AN_MONITOR_VALID_LOSS:
        return r->valid_loss;
    default:
        return r->loss;
    }
}

/* The run's rates are those of a second schedule that is fed the record's `expected` metric. */
static void check_epochs(an_monitor monitor, bool valid, an_monitor expected)
{
    world w = {.count = 30, .lr = 0.3, .shuffle = true};
    world_log log = {0};
    an_lr_group shadow, *groups[] = {&shadow};
    bool accuracy = expected == AN_MONITOR_TRAIN_ACCURACY || expected == AN_MONITOR_VALID_ACCURACY;
    an_lr_desc desc = nervous(accuracy ? AN_PLATEAU_MAX : AN_PLATEAU_MIN);
    world_open(&w);
    an_lr_group_init(&shadow, 0.3);
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    an_lr_schedule *other = an_lr_new(&desc, groups, 1, NULL, NULL);
    w.fit.monitor = monitor;
    w.fit.valid = valid ? w.valid : NULL;
    w.fit.epochs = 20;
    fit(&w, &log);
    for (int i = 0; i < 20; i++) {
        assert_true(log.epoch[i].lr[0] == shadow.slot[AN_LR].value);
        an_lr_step_metric(other, metric(expected, &log.epoch[i]));
    }
    assert_true(shadow.slot[AN_LR].value < 0.3);
    an_lr_free(other);
    an_lr_free(schedule);
    world_close(&w);
}

static void test_plateau_per_epoch(void **state)
{
    (void)state;
    check_epochs(AN_MONITOR_AUTO, false, AN_MONITOR_TRAIN_LOSS);
    check_epochs(AN_MONITOR_AUTO, true, AN_MONITOR_VALID_LOSS);
    check_epochs(AN_MONITOR_TRAIN_LOSS, true, AN_MONITOR_TRAIN_LOSS);
    check_epochs(AN_MONITOR_VALID_LOSS, true, AN_MONITOR_VALID_LOSS);
    check_epochs(AN_MONITOR_TRAIN_ACCURACY, true, AN_MONITOR_TRAIN_ACCURACY);
    check_epochs(AN_MONITOR_VALID_ACCURACY, true, AN_MONITOR_VALID_ACCURACY);
}

/* Under interval step, auto is the loss of the update: its window's samples, not the epoch's. */
static void test_plateau_per_step(void **state)
{
    (void)state;
    world w = {.count = 20, .lr = 0.3, .shuffle = true};
    world_log log = {0};
    an_lr_group shadow, *groups[] = {&shadow};
    an_lr_desc desc = nervous(AN_PLATEAU_MIN);
    world_open(&w);
    an_lr_group_init(&shadow, 0.3);
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    an_lr_schedule *other = an_lr_new(&desc, groups, 1, NULL, NULL);
    w.fit.interval = AN_INTERVAL_STEP;
    w.fit.valid = w.valid;
    w.fit.epochs = 4;
    fit(&w, &log);
    for (int i = 0; i < 20; i++) {
        const an_record *r = &log.batch[i];
        double before = r->batch > 1 ? log.batch[i - 1].loss * (double)(r->batch - 1) : 0;
        assert_float_equal((float)r->lr[0], (float)shadow.slot[AN_LR].value, 1e-9);
        an_lr_step_metric(other, r->loss * (double)r->batch - before);
    }
    assert_int_equal(an_lr_step_count(schedule), 20);
    an_lr_free(other);
    an_lr_free(schedule);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_per_epoch),        cmocka_unit_test(test_per_step),
        cmocka_unit_test(test_broken_epoch),     cmocka_unit_test(test_plateau_per_epoch),
        cmocka_unit_test(test_plateau_per_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
