/*
 * Where systems differ: the rate of chosen updates, at a milestone and past the planned end. A peak
 * of 1, W = 100 updates of warm-up, N = 1000 in all, a floor of 0 (DeepSpeed's is 1e-4, nanoGPT's
 * 0.1). The digits are those that the systems' own code gives; what is compared is whether the
 * names that stand for the systems give them too.
 */
#include "schedule_of.h"
#include <string.h>

#define MOMENTS 7

static const int64_t moments[MOMENTS] = {0, 99, 100, 999, 1000, 1500, 2000};

typedef struct row {
    const char *call;
    double value[MOMENTS], digit[MOMENTS]; /* and how much half of the last digit is */
} row;

/* The digits of x.xx to two places, of 3e-6 to one. */
static const row rows[] = {
    {"get_cosine_schedule_with_warmup(100, 1000)",
     {0, .99, 1, 3e-6, 0, .587, .970},
     {0, .005, 0, .5e-6, 0, .0005, .0005}},
    {"get_linear_schedule_with_warmup(100, 1000)",
     {0, .99, 1, 1.1e-3, 0, 0, 0},
     {0, .005, 0, .05e-3, 0, 0, 0}},
    {"optax.warmup_cosine_decay_schedule(0, 1, 100, 1000)",
     {0, .99, 1, 3e-6, 0, 0, 0},
     {0, .005, 0, .5e-6, 0, 0, 0}},
    {"keras.CosineDecay(0, 900, warmup_target=1, warmup_steps=100)",
     {0, .99, 1, 3e-6, 0, 0, 0},
     {0, .005, 0, .5e-6, 0, 0, 0}},
    {"CosineAnnealingWithWarmupScheduler('100ba', '1000ba')",
     {0, .99, 1, 3e-6, 0, 0, 0},
     {0, .005, 0, .5e-6, 0, 0, 0}},
    {"OptimizerParamScheduler(0, 1, 0, 100, 1000, 'cosine')",
     {0, .99, 1, 3e-6, 0, 0, 0},
     {0, .005, 0, .5e-6, 0, 0, 0}},
    {"WarmupCosineLR(1000, warmup_num_steps=100)",
     {0, 1.0, 1, 1e-4, 1e-4, 1e-4, 1e-4},
     {0, .05, 5e-5, .5e-4, .5e-4, .5e-4, .5e-4}},
    {"build_lr_schedulers(1000, 100)",
     {.01, 1, 1, 1.1e-3, 0, -.556, -1.11},
     {0, 0, 0, .05e-3, 0, .0005, .005}},
    {"CosineLRScheduler(1000, warmup_t=100)",
     {0, .99, .976, 2e-6, 0, 0, 0},
     {0, .005, .0005, .5e-6, 0, 0, 0}},
    {"lr_scheduler_init(1, 100, 1000, 0)",
     {.01, 1, 1, 3e-6, 0, NAN, NAN},
     {0, 0, 0, .5e-6, 0, 0, 0}},
    {"nanogpt.get_lr(1, 100, 1000, 0.1)",
     {.0099, .990, 1, .100, .1, .1, .1},
     {.00005, .0005, 0, .0005, 0, 0, 0}},
    {"CosineAnnealingLR(T_max=1000)",
     {1, .976, .976, 2e-6, 0, .5, 1.0},
     {0, .0005, .0005, .5e-6, 0, 0, 0}},
};

static void check_value(const row *r, size_t i, double value)
{
    double slack = r->digit[i] + 1e-12;
    if (isnan(r->value[i]) ? !isnan(value) : !(fabs(value - r->value[i]) <= slack))
        fail_msg("%s: update %d has %.17g, not %g", r->call, (int)moments[i], value, r->value[i]);
}

static void chosen_updates_and_the_end(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        bench b;
        bench_start(&b, rows[r].call, 1, 1);
        for (size_t i = 0; i < MOMENTS; i++)
            check_value(&rows[r], i, an_lr_at_step(b.schedule, 0, moments[i]));
        bench_stop(&b);
    }
}

/* The rates at 29, 30 and 31 of a milestone of 30 and a factor of 1/2. */
static void expect_milestone(const char *call, double before, double at, double after)
{
    bench b;
    bench_start(&b, call, 1, 1);
    const double expected[] = {before, at, after};
    for (int i = 0; i < 3; i++)
        if (fabs(an_lr_at_step(b.schedule, 0, 29 + i) - expected[i]) > 1e-15)
            fail_msg("%s: step %d has %g, not %g", call, 29 + i,
                     an_lr_at_step(b.schedule, 0, 29 + i), expected[i]);
    bench_stop(&b);
}

static void a_milestone_is_met_at_it_after_it_or_before_it(void **state)
{
    (void)state;
    expect_milestone("MultiStepLR([30], 0.5)", 1, 0.5, 0.5);
    expect_milestone("optax.join_schedules([optax.constant_schedule(1), "
                     "optax.constant_schedule(0.5)], [30])",
                     1, 0.5, 0.5);
    expect_milestone("paddle.optimizer.lr.PiecewiseDecay([30], [1, 0.5])", 1, 0.5, 0.5);
    expect_milestone("darknet.steps([30], [0.5])", 1, 0.5, 0.5);
    expect_milestone("MultiStepScheduler(['30ba'], 0.5)", 1, 0.5, 0.5);
    expect_milestone("keras.PiecewiseConstantDecay([30], [1, 0.5])", 1, 1, 0.5);
    expect_milestone("MultiFactorScheduler([30], 0.5, base_lr=1)", 1, 1, 0.5);
    expect_milestone("MultiStepLRScheduler([30], 0.5)", 0.5, 0.5, 0.5);
}

/* A run that is known to be longer than llm.c's schedule is refused, as llm.c aborts. */
static void an_end_that_is_an_error_refuses_longer_runs(void **state)
{
    (void)state;
    an_lr_group group, *groups[] = {&group};
    an_lr_group_init(&group, 1);
    an_lr_text *text = an_lr_parse_text("lr_scheduler_init(1, 100, 1000, 0)", NULL, NULL, NULL);
    assert_non_null(text);
    an_lr_run exact = {.total_steps = 1000}, longer = {.total_steps = 1500};
    an_error err = {0};
    an_lr_schedule *schedule = an_lr_new_run(an_lr_text_desc(text), &exact, groups, 1, NULL, &err);
    assert_non_null(schedule);
    an_lr_free(schedule);
    schedule = an_lr_new_run(an_lr_text_desc(text), &longer, groups, 1, NULL, &err);
    assert_null(schedule);
    assert_non_null(strstr(err.message, "the run has 1500"));
    an_lr_text_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_updates_and_the_end),
        cmocka_unit_test(a_milestone_is_met_at_it_after_it_or_before_it),
        cmocka_unit_test(an_end_that_is_an_error_refuses_longer_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
