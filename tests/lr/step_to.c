/* Setting the clock: PyTorch's step(epoch). */
#include "random_desc.h"
#include "schedule_of.h"
#include <string.h>

/* The slots hold what an_lr_at says, in whatever order steps are asked for, and go on from there.
 */
static void any_step_can_be_set(void **state)
{
    (void)state;
    static random_desc draw;
    static const int64_t steps[] = {5, 0, 30, 30, 1, 12, 29};
    for (uint64_t seed = 1; seed <= 300; seed++) {
        draw.state = seed;
        const an_lr_desc *desc = random_desc_draw(&draw, 2);
        bench b;
        bench_groups(&b, 2, 0.3);
        b.schedule = an_lr_new(desc, b.groups, 2, NULL, NULL);
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            b.group[0].slot[AN_LR].value *= 0.5; /* forgotten */
            assert_true(an_lr_step_to(b.schedule, steps[i], NULL));
            assert_int_equal(an_lr_step_count(b.schedule), steps[i]);
            for (size_t g = 0; g < 2; g++) {
                assert_true(bench_lr(&b, g) == an_lr_at_step(b.schedule, g, steps[i]));
                if (an_lr_drives(b.schedule, AN_MOMENTUM))
                    assert_true(b.group[g].slot[AN_MOMENTUM].value ==
                                an_lr_at(b.schedule, g, AN_MOMENTUM, steps[i]));
            }
        }
        an_lr_step(b.schedule);
        double next = an_lr_at_step(b.schedule, 1, 30);
        assert_true(fabs(bench_lr(&b, 1) - next) <= 1e-12 * fmax(fabs(next), 1));
        an_lr_free(b.schedule);
    }
}

static void expect_rate(const char *spec, int64_t step, double value)
{
    bench b;
    bench_start(&b, spec, 1, 0.1);
    assert_true(an_lr_step_to(b.schedule, step, NULL));
    if (fabs(bench_lr(&b, 0) - value) > 1e-15 * fabs(value))
        fail_msg("%s at %d: %.17g instead of %.17g", spec, (int)step, bench_lr(&b, 0), value);
    bench_stop(&b);
}

/* What scheduler.step(epoch) of PyTorch 1.13 gives; cos and pow of other systems may differ in the
 * last digits. */
static void steps_that_pytorch_gets_right(void **state)
{
    (void)state;
    expect_rate("StepLR(5, gamma=0.3)", 3, 0.1);
    expect_rate("StepLR(5, gamma=0.3)", 17, 0.0026999999999999997);
    expect_rate("MultiStepLR([3, 9])", 3, 0.010000000000000002);
    expect_rate("MultiStepLR([3, 9])", 17, 0.0010000000000000002);
    expect_rate("ConstantLR(0.25, 7)", 3, 0.025);
    expect_rate("ConstantLR(0.25, 7)", 17, 0.1);
    expect_rate("LinearLR(total_iters=9)", 3, 0.05555555555555556);
    expect_rate("LinearLR(total_iters=9)", 17, 0.1);
    expect_rate("ExponentialLR(0.93)", 3, 0.08043570000000001);
    expect_rate("ExponentialLR(0.93)", 17, 0.029121257558844135);
    expect_rate("PolynomialLR(20, 0.9)", 3, 0.08639269723028192);
    expect_rate("PolynomialLR(20, 0.9)", 17, 0.018133520731367456);
    expect_rate("CosineAnnealingLR(30, 0.01)", 3, 0.09779754323328192);
    expect_rate("CosineAnnealingLR(30, 0.01)", 17, 0.04564397391320083);
    expect_rate("CosineAnnealingWarmRestarts(5, 2, 0.01)", 3, 0.04109423525312737);
    expect_rate("CosineAnnealingWarmRestarts(5, 2, 0.01)", 17, 0.09779754323328192);
    expect_rate("CyclicLR(0.01, 0.2, 4)", 3, 0.15250000000000002);
    expect_rate("CyclicLR(0.01, 0.2, 4)", 17, 0.0575);
    expect_rate("OneCycleLR(0.5, total_steps=40)", 3, 0.10283342385313154);
    expect_rate("OneCycleLR(0.5, total_steps=40)", 17, 0.445458088785525);
    expect_rate("LambdaLR(\"1 / (1 + epoch)\")", 3, 0.025);
    expect_rate("LambdaLR(\"1 / (1 + epoch)\")", 17, 0.005555555555555556);
}

/* The cycles begin at 1 + 3 + 9 + ...: PyTorch finds the fifth and the tenth by a logarithm that
 * rounds down, and is at the end of the one before, with a rate of 0. */
static void restarts_are_found_by_whole_numbers(void **state)
{
    (void)state;
    int64_t begin = 0, length = 1;
    for (int cycle = 0; cycle <= 30; cycle++, begin += length, length *= 3)
        expect_rate("CosineAnnealingWarmRestarts(1, 3)", begin, 0.1);
}

static void what_cannot_be_set_is_refused(void **state)
{
    (void)state;
    an_error err = {0};
    bench b;
    bench_start(&b, "StepLR(5)", 1, 0.1);
    an_lr_step(b.schedule);
    assert_false(an_lr_step_to(b.schedule, -1, &err));
    assert_string_equal(err.message, "the step of a schedule must be from 0 to 2^53, got -1");
    assert_false(an_lr_step_to(b.schedule, INT64_MAX, NULL));
    assert_true(an_lr_step_to(b.schedule, INT64_C(1) << 53, NULL));
    assert_true(an_lr_step_to(b.schedule, 1, NULL));
    assert_int_equal(an_lr_step_count(b.schedule), 1);
    bench_stop(&b);
    bench_start(&b, "ReduceLROnPlateau()", 1, 0.1);
    assert_false(an_lr_step_to(b.schedule, 1, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_non_null(strstr(err.message, "ReduceLROnPlateau follows a metric"));
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_step_can_be_set),
        cmocka_unit_test(steps_that_pytorch_gets_right),
        cmocka_unit_test(restarts_are_found_by_whole_numbers),
        cmocka_unit_test(what_cannot_be_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
