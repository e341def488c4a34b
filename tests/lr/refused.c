/*
 * What PyTorch accepts at construction and Anneal does not: one test for each such row of the list
 * in docs/schedules.md. check.c has the messages in full.
 */
#include "schedule_of.h"
#include <string.h>

/* `spec` is refused with a message that names `parameter`. */
static void expect_refused(const char *spec, const char *parameter)
{
    an_error err = {0};
    an_lr_text *text = an_lr_parse_text(spec, NULL, NULL, &err);
    if (text)
        fail_msg("%s was accepted", spec);
    if (!strstr(err.message, parameter))
        fail_msg("%s: says '%s'", spec, err.message);
}

static void expect_accepted(const char *spec)
{
    bench b;
    bench_start(&b, spec, 1, 0.1);
    bench_stop(&b);
}

static void lengths_of_zero_or_less(void **state)
{
    (void)state;
    expect_refused("StepLR(step_size=0)", "step_size");
    expect_refused("StepLR(step_size=-3)", "step_size");
    expect_refused("MultiStepLR(milestones=[3, -1])", "milestones");
    expect_refused("ConstantLR(total_iters=-1)", "total_iters");
    expect_refused("LinearLR(total_iters=-1)", "total_iters");
    expect_refused("PolynomialLR(total_iters=-4)", "total_iters");
    expect_refused("CosineAnnealingLR(T_max=0)", "T_max");
    expect_refused("CosineAnnealingLR(T_max=-4)", "T_max");
    expect_refused("CyclicLR(0.1, 1, step_size_up=0)", "step_size_up");
    expect_refused("CyclicLR(0.1, 1, step_size_up=-2)", "step_size_up");
    expect_refused("CyclicLR(0.1, 1, step_size_down=-1)", "step_size_down");
    expect_accepted("CyclicLR(0.1, 1, step_size_down=0)"); /* falls at once, as in PyTorch */
    expect_refused("ReduceLROnPlateau(patience=-1)", "patience");
    expect_refused("ReduceLROnPlateau(cooldown=-2)", "cooldown");
}

static void lengths_with_a_fraction(void **state)
{
    (void)state;
    expect_refused("StepLR(step_size=2.5)", "step_size");
    expect_refused("MultiStepLR(milestones=[2.5])", "milestones");
    expect_refused("ConstantLR(total_iters=2.5)", "total_iters");
    expect_refused("LinearLR(total_iters=2.5)", "total_iters");
    expect_refused("PolynomialLR(total_iters=4.5)", "total_iters");
    expect_refused("CosineAnnealingLR(T_max=4.5)", "T_max");
    expect_refused("CyclicLR(0.1, 1, step_size_up=2.5)", "step_size_up");
    expect_refused("ReduceLROnPlateau(patience=1.5)", "patience");
    expect_accepted("StepLR(step_size=30.0)");
    expect_accepted("MultiStepLR(milestones=[1e2, 150.0])");
}

static void lengths_beyond_exact_doubles(void **state)
{
    (void)state;
    expect_refused("StepLR(step_size=9007199254740992)", "step_size");
    expect_refused("CosineAnnealingLR(T_max=1e300)", "T_max");
    expect_refused("ReduceLROnPlateau(patience=9007199254740992)", "patience");
    expect_accepted("StepLR(step_size=9007199254740991)");
}

static void rates_below_zero_or_not_finite(void **state)
{
    (void)state;
    static const char *const gammas[] = {"-0.5", "nan", "inf"};
    for (int i = 0; i < 3; i++) {
        char spec[80];
        an_format(spec, sizeof spec, "StepLR(3, gamma=%s)", gammas[i]);
        expect_refused(spec, "gamma");
        an_format(spec, sizeof spec, "MultiStepLR([3], gamma=%s)", gammas[i]);
        expect_refused(spec, "gamma");
        an_format(spec, sizeof spec, "ExponentialLR(gamma=%s)", gammas[i]);
        expect_refused(spec, "gamma");
        an_format(spec, sizeof spec, "CyclicLR(0.1, 1, mode='exp_range', gamma=%s)", gammas[i]);
        expect_refused(spec, "gamma");
    }
    expect_refused("CosineAnnealingLR(4, eta_min=-0.5)", "eta_min");
    expect_refused("CosineAnnealingWarmRestarts(4, eta_min=-0.5)", "eta_min");
    expect_refused("CyclicLR(base_lr=-0.1, max_lr=1)", "base_lr");
    expect_refused("CyclicLR(base_lr=0.1, max_lr=-1)", "max_lr");
    expect_refused("OneCycleLR(max_lr=-1, total_steps=9)", "max_lr");
    expect_refused("OneCycleLR(1, total_steps=9, div_factor=-25)", "div_factor");
    expect_refused("OneCycleLR(1, total_steps=9, final_div_factor=-1)", "final_div_factor");
    expect_refused("SWALR(swa_lr=-0.1)", "swa_lr");
    expect_refused("ReduceLROnPlateau(factor=-0.5)", "factor");
    expect_refused("ReduceLROnPlateau(min_lr=-1)", "min_lr");
    expect_accepted("ExponentialLR(gamma=1.01)"); /* a rate may rise: range tests do */
}

static void a_momentum_outside_its_range(void **state)
{
    (void)state;
    expect_refused("CyclicLR(0.1, 1, max_momentum=1.5)", "max_momentum");
    expect_refused("CyclicLR(0.1, 1, base_momentum=-0.2)", "base_momentum");
    expect_refused("OneCycleLR(1, total_steps=9, max_momentum=1.5)", "max_momentum");
    expect_refused("OneCycleLR(1, total_steps=9, base_momentum=-0.5)", "base_momentum");
}

static void a_negative_power(void **state)
{
    (void)state;
    expect_refused("PolynomialLR(4, power=-1)", "power");
    expect_refused("PolynomialLR(4, power=-0.5)", "power");
    expect_accepted("PolynomialLR(4, power=0)");
}

static void negative_thresholds(void **state)
{
    (void)state;
    expect_refused("ReduceLROnPlateau(threshold=-0.1)", "threshold");
    expect_refused("ReduceLROnPlateau(threshold=-0.1, threshold_mode='abs')", "threshold");
    expect_refused("ReduceLROnPlateau(eps=-1)", "eps");
    expect_accepted("ReduceLROnPlateau(threshold=0, eps=0)");
}

static void restarts_that_grow_beyond_whole_numbers(void **state)
{
    (void)state;
    expect_refused("CosineAnnealingWarmRestarts(2, T_mult=1001)", "T_mult");
    expect_accepted("CosineAnnealingWarmRestarts(9007199254740991, T_mult=1000)");
    /* The last cycle that there is: its end lies beyond every step, and nothing overflows. */
    bench b;
    bench_start(&b, "CosineAnnealingWarmRestarts(9007199254740991, T_mult=1000)", 1, 0.1);
    double last = an_lr_at_step(b.schedule, 0, INT64_C(1) << 53);
    assert_true(fabs(last - 0.1) < 1e-15);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_of_zero_or_less),
        cmocka_unit_test(lengths_with_a_fraction),
        cmocka_unit_test(lengths_beyond_exact_doubles),
        cmocka_unit_test(rates_below_zero_or_not_finite),
        cmocka_unit_test(a_momentum_outside_its_range),
        cmocka_unit_test(a_negative_power),
        cmocka_unit_test(negative_thresholds),
        cmocka_unit_test(restarts_that_grow_beyond_whole_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
