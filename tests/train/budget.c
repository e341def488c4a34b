/* Training by the clock: budgets, lengths in seconds, clocks that are repeated; driven slots. */
#include "folder.h"

#include <anneal/lr_text.h>

/* A clock that shows `tick` seconds more after each update; `slow_from` on, ten times as much. */
typedef struct pretended {
    double tick;
    int64_t slow_from, calls;
    double shown;
} pretended;

static double show(void *user, int64_t step, double measured)
{
    (void)measured;
    pretended *clock = user;
    clock->calls++;
    clock->shown += clock->slow_from && step >= clock->slow_from ? 10 * clock->tick : clock->tick;
    return clock->shown;
}

typedef struct timed {
    world w;
    an_lr_text *text;
    an_lr_schedule *schedule;
    pretended clock;
} timed;

/* A world whose plan is `planned` updates under `text`, and whose budget is `budget` seconds. */
static void timed_open(timed *t, const char *text, int64_t planned, double budget)
{
    an_error err = {0};
    world_open(&t->w);
    an_lr_run run = {.total_steps = planned, .seconds = budget, .clocked = true};
    an_lr_group *group = an_optim_group(t->w.optim, 0);
    an_lr_group_set(group, AN_CLIP_NORM, 1);
    an_lr_group_set(group, AN_DROPOUT, 1);
    an_lr_group_set(group, AN_LABEL_SMOOTHING, 1);
    t->text = an_lr_parse_text(text, &run, NULL, &err);
    if (t->text)
        t->schedule = an_lr_new_run(an_lr_text_desc(t->text), &run, an_optim_groups(t->w.optim), 1,
                                    NULL, &err);
    if (!t->schedule)
        fail_msg("%s: %s", text, err.message);
    t->w.fit.schedule = t->schedule;
    t->w.fit.interval = AN_INTERVAL_STEP;
    t->w.fit.steps = planned;
    t->w.fit.budget = budget;
    t->w.fit.clock = (an_clock_source){show, &t->clock};
}

static void timed_close(timed *t)
{
    an_lr_free(t->schedule);
    an_lr_text_free(t->text);
    world_close(&t->w);
}

static void fit(timed *t, world_log *log, an_fit_result *result)
{
    an_error err = {0};
    an_callback callback = world_callback(log);
    t->w.fit.callbacks = &callback;
    t->w.fit.callback_count = 1;
    if (!an_fit(&t->w.fit, result, &err))
        fail_msg("%s", err.message);
}

/* Faster or slower than planned, the schedule lands when the time is up. */
static void test_lands_with_the_time(void **state)
{
    (void)state;
    static const struct {
        double tick;
        int64_t slow_from, updates;
    } speeds[] = {{0.1, 0, 100}, {0.02, 0, 500}, {1, 0, 10}, {0.1, 51, 55}, {3, 0, 4}};
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        timed t = {.clock = {.tick = speeds[i].tick, .slow_from = speeds[i].slow_from}};
        world_log log = {0};
        an_fit_result result;
        timed_open(&t, "LinearLR(1, 0, 100)", 100, 10);
        fit(&t, &log, &result);
        /* Sums of ticks may fall just short of the end. */
        assert_true(result.last.step >= speeds[i].updates &&
                    result.last.step <= speeds[i].updates + 1);
        assert_int_equal(t.clock.calls, result.last.step);
        assert_true(t.clock.shown >= 10 && t.clock.shown < 10 + 10 * speeds[i].tick + 1e-9);
        assert_true(result.last.seconds == t.clock.shown);
        assert_true(fabs(an_optim_group(t.w.optim, 0)->slot[AN_LR].value) < 1e-12);
        assert_int_equal(result.last.epochs, 0);
        assert_true(result.last.budget == 10);
        timed_close(&t);
    }
}

/* Half of the time, half of the way, whatever happened to the speed. */
static void test_goes_with_the_time(void **state)
{
    (void)state;
    timed t = {.clock = {.tick = 0.1, .slow_from = 31}};
    world_log log = {0};
    timed_open(&t, "Linear(1, 0)", 80, 10);
    fit(&t, &log, NULL);
    double seconds = 0;
    for (size_t i = 0; i < log.batches; i++) {
        assert_float_equal((float)log.batch[i].lr[0], (float)(0.1 * (1 - seconds / 10)), 1e-8F);
        seconds = log.batch[i].seconds;
    }
    timed_close(&t);
}

static void test_lengths_in_seconds(void **state)
{
    (void)state;
    timed t = {.clock = {.tick = 0.5}};
    world_log log = {0};
    timed_open(&t, "Sequence([Linear(0, 1, 2s), Constant()], [2s])", 12, 0);
    fit(&t, &log, NULL);
    for (size_t i = 0; i < log.batches; i++)
        assert_true(fabs(log.batch[i].lr[0] - 0.1 * fmin(1, 0.25 * (double)i)) < 1e-12);
    assert_int_equal(log.batches, 12);
    timed_close(&t);
}

/* A clock that is repeated gives the same bits; an accumulated update is one moment. */
static void test_repeats(void **state)
{
    (void)state;
    static float first[WORLD_MOST];
    for (int round = 0; round < 2; round++) {
        timed t = {.w = {.shuffle = true, .dropout = true}, .clock = {.tick = 0.37}};
        an_fit_result result;
        world_log log = {0};
        timed_open(&t, "CosineAnnealingLR(20)", 20, 9);
        t.w.fit.accumulate = 2;
        fit(&t, &log, &result);
        assert_int_equal(result.last.step, 25);
        const size_t size = (size_t)world_length(&t.w) * sizeof(float);
        assert_true(size <= sizeof first);
        if (round == 0)
            memcpy(first, world_values(&t.w), size);
        else
            assert_memory_equal(first, world_values(&t.w), size);
        timed_close(&t);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const double budgets[] = {-1, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        timed t = {.clock = {.tick = 1}};
        an_error err = {0};
        timed_open(&t, "LinearLR(1, 0, 9)", 9, 5);
        if (i < 3)
            t.w.fit.budget = budgets[i];
        else
            t.w.fit.interval = AN_INTERVAL_EPOCH;
        assert_false(an_fit(&t.w.fit, NULL, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        assert_non_null(strstr(err.message, "budget"));
        timed_close(&t);
    }
}

/* --------------------------------------------------------------- driven slots */

/* Gradients are clipped to what the schedule says: with plain SGD, no step is longer than that. */
static void test_clipping(void **state)
{
    (void)state;
    timed t = {.w = {.optimizer = "SGD(lr=1)"}, .clock = {.tick = 1}};
    float before[WORLD_MOST];
    timed_open(&t, "Drive(Linear(0.01, 0.001, 20), 'clip_norm')", 20, 0);
    t.w.fit.steps = 1;
    memcpy(before, world_values(&t.w), (size_t)world_length(&t.w) * sizeof(float));
    assert_true(an_fit(&t.w.fit, NULL, NULL));
    double moved = 0;
    for (int64_t i = 0; i < world_length(&t.w); i++)
        moved += pow((double)(world_values(&t.w)[i] - before[i]), 2);
    assert_float_equal(sqrt(moved), 0.01, 1e-5);
    assert_float_equal(an_optim_group(t.w.optim, 0)->slot[AN_CLIP_NORM].value, 0.00955, 1e-12);
    timed_close(&t);
}

/* The loss of the first batch under a driven label smoothing is that of a fixed one. */
static void test_label_smoothing(void **state)
{
    (void)state;
    double losses[3];
    for (int i = 0; i < 3; i++) {
        timed t = {.clock = {.tick = 1}};
        world_log log = {0};
        timed_open(&t, i == 1 ? "Drive(Constant(0.3), 'label_smoothing')" : "Constant()", 1, 0);
        t.w.fit.loss.label_smoothing = i == 2 ? 0.3 : 0;
        fit(&t, &log, NULL);
        losses[i] = log.batch[0].batch_loss;
        timed_close(&t);
    }
    assert_true(losses[0] != losses[1] && losses[1] == losses[2]);
}

/* The same of dropout. */
static void test_dropout(void **state)
{
    (void)state;
    double losses[3];
    for (int i = 0; i < 3; i++) {
        timed t = {.w = {.dropout = true}, .clock = {.tick = 1}};
        world_log log = {0};
        timed_open(&t,
                   i == 1   ? "Drive(Constant(0.2), 'dropout')"
                   : i == 2 ? "Drive(Constant(0.5), 'dropout')"
                            : "Constant()",
                   1, 0);
        fit(&t, &log, NULL);
        losses[i] = log.batch[0].batch_loss;
        timed_close(&t);
    }
    assert_true(losses[0] != losses[1] && losses[0] == losses[2]); /* the layer's own is 0.5 */
}

/* Batches grow from epoch to epoch; the clock goes on by what they are. */
static void test_batch_size(void **state)
{
    (void)state;
    timed t = {.clock = {.tick = 1}};
    world_log log = {0};
    an_error err = {0};
    world_open(&t.w); /* 20 samples, batches of 4 */
    an_lr_group *group = an_optim_group(t.w.optim, 0);
    an_lr_group_set(group, AN_BATCH_SIZE, 4);
    const an_lr_run run = {.clocked = true};
    t.text = an_lr_parse_text("Together([Drive(Linear(1, 3, 2ep), 'batch_size'), "
                              "Linear(1, 0, 60sa)])",
                              &run, NULL, &err);
    if (!t.text)
        fail_msg("%s", err.message);
    t.schedule =
        an_lr_new_run(an_lr_text_desc(t.text), &run, an_optim_groups(t.w.optim), 1, NULL, &err);
    if (!t.schedule)
        fail_msg("%s", err.message);
    t.w.fit.schedule = t.schedule;
    t.w.fit.interval = AN_INTERVAL_STEP;
    t.w.fit.epochs = 3;
    fit(&t, &log, NULL);
    /* Sizes 4, 8, 12: 5, 3 and 2 batches. */
    static const int64_t samples[] = {4, 8, 12, 16, 20, 28, 36, 40, 52, 60};
    assert_int_equal(log.batches, 10);
    for (size_t i = 0; i < log.batches; i++) {
        assert_int_equal(log.batch[i].samples, samples[i]);
        const double before = i ? (double)samples[i - 1] : 0;
        assert_true(fabs(log.batch[i].lr[0] - 0.1 * (1 - before / 60)) < 1e-12);
    }
    assert_int_equal(log.epoch[1].batches, 3);
    timed_close(&t);
}

/* A schedule whose rate is `peak` times as high at step 12, and its guard, which goes back. */
static bool spike(const char *peak, int64_t *rollbacks, an_fit_result *result, an_error *err)
{
    timed t = {.w = {.count = 40, .optimizer = "SGD(lr=0.1)"}, .clock = {.tick = 1}};
    char folder[64], text[160];
    snprintf(text, sizeof text,
             "Product([Table([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, %s, 1]), SpikeGuard(window=8, "
             "factor=0.25, limit=2)])",
             peak);
    folder_make(folder);
    timed_open(&t, text, 30, 0);
    t.w.fit.checkpoints = folder;
    const bool ok = an_fit(&t.w.fit, result, err);
    *rollbacks = lround(log(0.1 / an_optim_group(t.w.optim, 0)->slot[AN_LR].value) / log(4));
    folder_remove(folder);
    timed_close(&t);
    return ok;
}

static void test_spikes(void **state)
{
    (void)state;
    an_error err = {0};
    an_fit_result result;
    int64_t rollbacks;
    /* A spike: the second time, at a quarter of the rate, it is none. */
    if (!spike("60", &rollbacks, &result, &err))
        fail_msg("%s", err.message);
    assert_int_equal(rollbacks, 1);
    assert_int_equal(result.last.step, 30);
    assert_true(result.last.loss < 2);
    /* No number, however often: the guard gives up, and the training fails. */
    assert_false(spike("1e300", &rollbacks, &result, &err));
    assert_int_equal(err.code, AN_ERROR_NUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lands_with_the_time),
        cmocka_unit_test(test_goes_with_the_time),
        cmocka_unit_test(test_lengths_in_seconds),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_label_smoothing),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_batch_size),
        cmocka_unit_test(test_spikes),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
