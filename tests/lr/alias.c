/* Names of other systems: what their calls stand for, and what is said of wrong ones. */
#include "../base/failing_allocator.h"
#include "schedule_of.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect_text(const char *call, const char *expected)
{
    char text[1024];
    an_error err = {0};
    an_lr_text *parsed = an_lr_parse_text(call, NULL, NULL, &err);
    if (!parsed)
        fail_msg("%s: %s", call, err.message);
    an_lr_print(text, sizeof text, an_lr_text_desc(parsed));
    assert_string_equal(text, expected);
    an_lr_text_free(parsed);
}

static void expect_error(const char *call, const char *part)
{
    an_error err = {0};
    an_lr_text *parsed = an_lr_parse_text(call, NULL, NULL, &err);
    if (parsed)
        fail_msg("%s is accepted", call);
    if (!strstr(err.message, part))
        fail_msg("%s: '%s' does not say '%s'", call, err.message, part);
}

static void the_conventions_stand_in_the_text(void **state)
{
    (void)state;
    expect_text("get_cosine_schedule_with_warmup(100, 1000)",
                "Sequence([Linear(start=0, end=1), Cosine(length=900, after_end='mirror')], "
                "milestones=[100])");
    expect_text("transformers.get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, "
                "num_training_steps=1_000, last_epoch=-1)",
                "Linear(length=1000)");
    expect_text("CosineLRScheduler(opt, t_initial=300)", "Decay(curve='cosine', length=300)");
    expect_text("keras.PiecewiseConstantDecay([30, 60], [1, 0.5, 0.1])",
                "Base(Interpolate(at=[0, 31, 61], values=[1, 0.5, 0.1], curve='step'), lr=1)");
    expect_text("darknet.steps([40, 80], [0.5, 0.5])",
                "Interpolate(at=[0, 40, 80], values=[1, 0.5, 0.25], curve='step')");
}

static void units_and_time_strings_go_through(void **state)
{
    (void)state;
    expect_text("CosineAnnealingWithWarmupScheduler('1_000tok', '0.9dur', 0.1)",
                "Sequence([Linear(start=0, end=1), Cosine(end=0.1), Constant(factor=0.1)], "
                "milestones=[1000tok, 0.9run])");
    expect_text("ExponentialScheduler(0.9)", "Exponential(factor=0.9, every=1ep)");
    expect_text("get_inverse_sqrt_schedule(0, timescale=500st)",
                "Inverse(timescale=500, power=0.5)");
    expect_error("composer.CosineAnnealingScheduler('10 minutes')", "a time is written '10ep'");
    expect_error("get_linear_schedule_with_warmup(5ep, 1000)", "is not known here");
}

static void a_run_turns_units_into_steps(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 1000, .steps_per_epoch = 20};
    an_error err = {0};
    char text[256];
    an_lr_text *parsed =
        an_lr_parse_text("get_linear_schedule_with_warmup(5ep, 1run)", &run, NULL, &err);
    assert_non_null(parsed);
    an_lr_print(text, sizeof text, an_lr_text_desc(parsed));
    assert_non_null(strstr(text, "Linear(length=900)"));
    an_lr_text_free(parsed);
    parsed = an_lr_parse_text("CosWithWarmup(warmup_steps=100)", &run, NULL, &err);
    assert_non_null(parsed);
    an_lr_print(text, sizeof text, an_lr_text_desc(parsed));
    assert_non_null(strstr(text, "Cosine(end=0.1, length=900)"));
    an_lr_text_free(parsed);
    an_lr_run small = {.total_steps = 4};
    assert_null(an_lr_parse_text("CosWithWarmup(2000)", &small, NULL, &err));
    assert_non_null(strstr(err.message, "got -1996; the run has 4 steps (--steps, or the "));
    an_lr_run endless = {.epochs = INT64_MAX / 2, .steps_per_epoch = 4};
    parsed = an_lr_parse_text("LinearWithWarmup(warmup_steps=0)", &endless, NULL, &err);
    assert_non_null(parsed);
    an_lr_text_free(parsed);
}

static void names_that_several_systems_have_need_the_system(void **state)
{
    (void)state;
    expect_text("keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)",
                "Base(Exponential(factor=0.9, every=100), lr=0.1)");
    expect_text("paddle.optimizer.lr.ExponentialDecay(0.1, 0.9)",
                "Base(Exponential(factor=0.9), lr=0.1)");
    expect_error("ExponentialDecay(0.1, 100, 0.9)", "of keras and of paddle");
    expect_text("caffe.sigmoid(0.1, 50)", "Sigmoid(center=50, width=10, start=0, end=1)");
    expect_text("darknet.sigmoid(0.1, 50)", "Sigmoid(center=50, width=10)");
    expect_error("sigmoid(0.1, 50)", "write caffe.sigmoid");
}

/* mmengine has PyTorch's names: without the system they are PyTorch's. */
static void a_name_of_anneals_needs_the_system(void **state)
{
    (void)state;
    expect_text("LinearLR(0.1)", "LinearLR(start_factor=0.1)");
    expect_text("torch.optim.lr_scheduler.LinearLR(0.1)", "LinearLR(start_factor=0.1)");
    expect_text("mmengine.LinearLR(0.1, end=101)", "Linear(start=0.1, end=1, length=100)");
    expect_text("ParameterSchedulers.Loop(Exp(1, 0.5), 3)",
                "Loop(Base(Exponential(factor=0.5), lr=1), length=3)");
    expect_error("mmengine.MultiStepLR([5], end=10)", "this can only be 1000000000");
    expect_error("CosineAnnealingScheduler('1dur')", "of composer and of ignite");
}

/* Sums of a list, the halves of pairs, and what else is driven than lr. */
static void lists_and_other_slots(void **state)
{
    (void)state;
    expect_text("Step(1, 0.5, [10, 5, 20])",
                "Base(MultiStepLR(milestones=[10, 15], gamma=0.5), lr=1)");
    expect_text("PiecewiseLinear(optimizer, 'momentum', [(0, 0.8), (10, 0.9)], "
                "param_group_index=1)",
                "Drive(Base(Interpolate(at=[0, 10], values=[0.8, 0.9]), lr=1), slot='momentum', "
                "groups=[1])");
    expect_error("PiecewiseLinear('lr', [(0, 0.8), 10])", "a list of pairs");
    expect_error("PiecewiseLinear('lr', 5)", "a list of pairs");
    expect_error("PiecewiseLinear('beta', [(0, 1)])", "'lr'|'momentum'|'weight_decay'");
    expect_error("ignite.LinearCyclicalScheduler('lr', 1, 0, 10, cycle_mult=1.5)",
                 "cycle_mult must be whole");
}

/* A form for each element of a list, with the other list's beside it. */
static void lists_of_schedules(void **state)
{
    (void)state;
    expect_text("CosineRestartLR([10, 20], [1, 0.5], eta_min_ratio=0.5)",
                "Sequence([Cosine(end=0.5, length=10), Cosine(start=0.5, end=0.5, length=20), "
                "Constant(factor=0.5)], milestones=[10, 30])");
    expect_text("WSDS(20, warmup=0, decay=5)",
                "Shift(Sequence([Shift(Sequence([Constant(), Linear(length=5)], "
                "milestones=[15]), by=-1)]), by=1)");
    expect_error("CosineRestartLR([], eta_min=0)", "this has no elements: periods");
    expect_error("CosineRestartLR([10, 20], [1], eta_min=0)", "as many elements as periods");
    expect_error("CosineRestartLR([10])", "give eta_min or eta_min_ratio");
    expect_error("CosineRestartLR([10, 'x'], eta_min=0)", "not a number: x");
    expect_error("WSDS([10], warmup=0, decay=0)", "must be above 0");
    expect_error("WSDS([10, 4], warmup=0, decay=5)", "shorter than its decay");
    expect_error("WSDS([10], warmup=8, decay=3)", "shorter than its warmup and its decay");
    expect_error("WSDS([10], warmup=1, warmup_fraction=0.1, decay=3)", "not both");
    expect_error("mmengine.OneCycleLR(0.1)", "give total_steps or end");
    expect_error("Interpolator(Exp(1, 0.9), 1.5)", "rate must be whole");
}

/* arXiv 2408.13359: min(lr_max, batch_size * a * n^b), n the tokens that were seen. */
static void the_power_scheduler_counts_tokens(void **state)
{
    (void)state;
    an_lr_group group, *groups[] = {&group};
    an_lr_run run = {.tokens_per_step = 1e6};
    an_error err = {0};
    an_lr_group_init(&group, 0.1);
    an_lr_text *text = an_lr_parse_text("PowerScheduler(batch_size=512, a=4.6)", &run, NULL, &err);
    assert_non_null(text);
    an_lr_schedule *schedule = an_lr_new_run(an_lr_text_desc(text), &run, groups, 1, NULL, &err);
    assert_non_null(schedule);
    for (int step = 0; step < 100000; step += 997) {
        double power = 512 * 4.6 * pow(step * 1e6, -0.51), rate = an_lr_at_step(schedule, 0, step);
        assert_true(fabs(rate - fmin(0.02, power)) < 1e-12);
    }
    an_lr_free(schedule);
    an_lr_text_free(text);
}

static void wrong_calls_are_refused_with_the_reason(void **state)
{
    (void)state;
    expect_error("get_cosine_schedule_with_warmup(100)", "needs 'num_training_steps'");
    expect_error("get_cosine_schedule_with_warmup(100, 1000, num_cycle=2)",
                 "did you mean 'num_cycles'");
    expect_error("get_cosine_schedule_with_warmu(100, 1000)", "get_cosine_schedule_with_warmup");
    expect_error("get_cosine_schedule_with_warmup('a', 1000)", "not a number: a");
    expect_error("get_cosine_schedule_with_warmup([1], 1000)", "must be a number");
    expect_error("get_cosine_schedule_with_warmup(100, 1000, num_cycles=0)", "finite number");
    expect_error("get_cosine_schedule_with_warmup(100, 1000, last_epoch=5)", "only be -1");
    expect_error("get_wsd_schedule(100, 200)", "give num_training_steps or num_stable_steps");
    expect_error("get_wsd_schedule(100, 200, 900, decay_type='foo')", "'cosine'|'linear'|'1-sqrt'");
    expect_error("CosineLRScheduler(300, noise_range_t=[10, 20])", "must be a number");
    expect_error("optax.linear_schedule(-1, 1, 100)", "start must be");
    expect_error("optax.join_schedules([optax.constant_schedule(1)], [30])", "milestones");
    expect_error("KneeLRScheduler(0.1)", "give total_steps");
    expect_error("get_scheduler('linear', 100)", "give num_training_steps");
}

/* Long arguments, deep calls and words that are nothing end in an error or in a schedule. */
static void odd_calls_do_no_harm(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "keras.PiecewiseConstantDecay([], [])",
        "keras.PiecewiseConstantDecay(30, [1, 0.5])",
        "MultiStepLRScheduler([], 0.5)",
        "MultiStepScheduler([5, 'x'], 0.5)",
        "optax.join_schedules(5, [30])",
        "optax.join_schedules([optax.join_schedules([optax.constant_schedule(1)], [])], [])",
        "optax.exponential_decay(0.1, 0, 0.9)",
        "optax.exponential_decay(nan, inf, -inf)",
        "get_scheduler(None)",
        "get_scheduler(StepLR(3), 5, 5)",
        "get_constant_schedule(lambda epoch: 3)",
        "TanhLRScheduler(0, lb=1, ub=1)",
        "OneCycle(0, 0)",
        "OptimizerParamScheduler(0, 0, 0, 0, 0, 'WSD')",
        "fit_sgdr(1e300, 1e300)",
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        an_error err = {0};
        an_lr_text *parsed = an_lr_parse_text(calls[i], NULL, NULL, &err);
        assert_true(parsed || err.message[0] != '\0');
        an_lr_text_free(parsed);
    }
}

/* Every row has all of its parts, and rows of one name stand together. */
static void the_rows_are_whole(void **state)
{
    (void)state;
    size_t count;
    const an_lr_alias *rows = an_lr_aliases(&count);
    assert_true(count > 90);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].name[0] && rows[i].system[0] && rows[i].form[0] && rows[i].source[0]);
        for (size_t k = 0; k + 1 < i; k++)
            assert_true(strcmp(rows[i].name, rows[k].name) != 0 ||
                        strcmp(rows[i - 1].name, rows[i].name) == 0);
    }
}

/* Memory that runs out at any point is an error, and nothing leaks. */
static void expect_memory_error(const char *call)
{
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = n};
        an_allocator hooks = failing_hooks(&failing);
        an_error err = {0};
        an_lr_text *parsed = an_lr_parse_text(call, NULL, &hooks, &err);
        bool made = parsed != NULL;
        if (!made && err.code != AN_ERROR_MEMORY)
            fail_msg("%s, request %ld: %s", call, n, err.message);
        an_lr_text_free(parsed);
        assert_int_equal(failing.blocks, 0);
        if (made && failing.requests <= n)
            break;
    }
}

static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    expect_memory_error("CosineLRScheduler(100, lr_min=0.001, cycle_limit=3)");
    expect_memory_error("CosAnneal(0.1, 0.3, 300)");
    expect_memory_error("OneCycle(2, 9)");
    expect_memory_error("CosWithWarmupAndLinearDecay(100, max_steps=1000, decay_fraction=0.2)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_conventions_stand_in_the_text),
        cmocka_unit_test(units_and_time_strings_go_through),
        cmocka_unit_test(a_run_turns_units_into_steps),
        cmocka_unit_test(names_that_several_systems_have_need_the_system),
        cmocka_unit_test(a_name_of_anneals_needs_the_system),
        cmocka_unit_test(lists_and_other_slots),
        cmocka_unit_test(lists_of_schedules),
        cmocka_unit_test(the_power_scheduler_counts_tokens),
        cmocka_unit_test(wrong_calls_are_refused_with_the_reason),
        cmocka_unit_test(odd_calls_do_no_harm),
        cmocka_unit_test(the_rows_are_whole),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
