/* Values worked out by hand, as docs/schedules.md explains them, and the rules of stepping. */
#include "schedule_of.h"
#include <string.h>

static void each_schedule_follows_its_formula(void **state)
{
    (void)state;
    EXPECT_RATES("StepLR(step_size=2, gamma=0.5)", 1, 1, 1, 0.5, 0.5, 0.25);
    EXPECT_RATES("MultiStepLR(milestones=[3, 1, 3], gamma=0.5)", 1, 1, 0.5, 0.5, 0.125, 0.125);
    EXPECT_RATES("MultiStepLR(milestones=[0], gamma=0.5)", 1, 0.5, 0.5);
    EXPECT_RATES("ConstantLR(factor=0.5, total_iters=2)", 1, 0.5, 0.5, 1, 1);
    EXPECT_RATES("LinearLR(start_factor=0.25, total_iters=3)", 1, 0.25, 0.5, 0.75, 1, 1);
    EXPECT_RATES("ExponentialLR(gamma=0.5)", 1, 1, 0.5, 0.25, 0.125);
    EXPECT_RATES("PolynomialLR(total_iters=2, power=2)", 1, 1, 0.25, 0, 0);
    EXPECT_RATES("CosineAnnealingLR(T_max=2, eta_min=0.5)", 1, 1, 0.75, 0.5, 0.75, 1, 0.75);
    EXPECT_RATES("CosineAnnealingWarmRestarts(T_0=2, T_mult=2)", 1, 1, 0.5, 1, 0.5 + 0.25 * sqrt(2),
                 0.5, 0.5 - 0.25 * sqrt(2), 1);
    EXPECT_RATES("CyclicLR(base_lr=1, max_lr=2, step_size_up=2, mode='triangular2')", 9, 1, 1.5, 2,
                 1.5, 1, 1.25, 1.5, 1.25, 1, 1.125);
    EXPECT_RATES("LambdaLR('1 / (1 + epoch)')", 1, 1, 0.5, 1.0 / 3, 0.25);
    EXPECT_RATES("MultiplicativeLR('0.5')", 1, 1, 0.5, 0.25);
    EXPECT_RATES("SWALR(swa_lr=0.5, anneal_epochs=2, anneal_strategy='linear')", 1, 1, 0.75, 0.5,
                 0.5);
    EXPECT_RATES("SequentialLR([ConstantLR(factor=0.5), ExponentialLR(gamma=0.5)], milestones=[2])",
                 1, 0.5, 0.5, 1, 0.5, 0.25);
    EXPECT_RATES("ChainedScheduler([ConstantLR(0.5, 1), ExponentialLR(gamma=0.5)])", 1, 0.5, 0.5,
                 0.25);
}

/* The table of docs/schedules.md: with patience 2 the third bad step reduces. */
static void a_plateau_reduces_after_its_patience(void **state)
{
    (void)state;
    const double metrics[] = {1.0, 0.9, 0.95, 0.93, 0.91, 0.8, NAN, NAN, NAN};
    const double rates[] = {1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25};
    bench b;
    bench_start(&b, "ReduceLROnPlateau(factor=0.5, patience=2)", 1, 1);
    assert_true(an_lr_wants_metric(b.schedule));
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        an_lr_step(b.schedule); /* without a metric nothing happens */
        an_lr_step_metric(b.schedule, metrics[i]);
        assert_true(bench_lr(&b, 0) == rates[i]);
        assert_int_equal(an_lr_step_count(b.schedule), i + 1);
    }
    bench_stop(&b);
}

static void edits_carry_on(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "ChainedScheduler([ExponentialLR(gamma=0.5), StepLR(step_size=9)])", 2, 1);
    assert_false(an_lr_wants_metric(b.schedule));
    an_lr_step_metric(b.schedule, 3);
    b.group[1].slot[AN_LR].value = 8;
    an_lr_step(b.schedule);
    assert_true(bench_lr(&b, 0) == 0.25 && bench_lr(&b, 1) == 4);
    assert_true(an_lr_at_step(b.schedule, 1, 2) == 0.5);
    bench_stop(&b);
}

static void momentum_goes_to_the_slot_that_is_there(void **state)
{
    (void)state;
    an_lr_group group[3], *groups[] = {&group[0], &group[1], &group[2]};
    for (int i = 0; i < 3; i++)
        an_lr_group_init(&group[i], 0.1);
    an_lr_group_set(&group[0], AN_MOMENTUM, 0.5);
    an_lr_group_set(&group[1], AN_BETA1, 0.5);
    an_lr_desc desc = an_lr_defaults(AN_ONE_CYCLE_LR);
    desc.one_cycle.max_lr.value = 1;
    desc.one_cycle.total_steps = 10;
    an_lr_schedule *schedule = an_lr_new(&desc, groups, 3, NULL, NULL);
    assert_true(group[0].slot[AN_MOMENTUM].value == 0.95);
    assert_true(group[1].slot[AN_BETA1].value == 0.95);
    assert_false(group[2].slot[AN_MOMENTUM].present || group[2].slot[AN_BETA1].present);
    assert_true(an_lr_drives(schedule, AN_MOMENTUM) && an_lr_drives(schedule, AN_BETA1));
    assert_false(an_lr_drives(schedule, AN_WEIGHT_DECAY));
    assert_true(fabs(an_lr_at(schedule, 1, AN_BETA1, 2) - 0.85) < 1e-15);
    assert_true(isnan(an_lr_at(schedule, 1, AN_MOMENTUM, 2)));
    an_lr_free(schedule);
    desc.one_cycle.cycle_momentum = false;
    group[0].slot[AN_MOMENTUM].value = 0.5;
    schedule = an_lr_new(&desc, groups, 3, NULL, NULL);
    assert_true(group[0].slot[AN_MOMENTUM].value == 0.5);
    assert_false(an_lr_drives(schedule, AN_MOMENTUM));
    an_lr_free(schedule);
}

static void functions_of_the_hosts_are_called_with_their_user(void **state)
{
    (void)state;
    bench b;
    bench_groups(&b, 2, 1);
    an_lr_text *text = an_lr_parse_text("LambdaLR(['1 + epoch', '2'])", NULL, NULL, NULL);
    an_lr_desc desc = *an_lr_text_desc(text);
    an_lr_function own[2] = {desc.lambda.lr_lambda.each[1], desc.lambda.lr_lambda.each[0]};
    desc.lambda.lr_lambda.each = own;
    b.schedule = an_lr_new(&desc, b.groups, 2, NULL, NULL);
    an_lr_step(b.schedule);
    an_lr_step(b.schedule);
    assert_true(bench_lr(&b, 0) == 2 && bench_lr(&b, 1) == 6);
    an_lr_free(b.schedule);
    own[1].call = NULL;
    an_error err = {0};
    assert_null(an_lr_new(&desc, b.groups, 2, NULL, &err));
    assert_string_equal(err.message, "LambdaLR: lr_lambda[1] is not a function");
    own[0] = (an_lr_function){0};
    desc.lambda.lr_lambda.count = 0;
    desc.lambda.lr_lambda.function = own[0];
    assert_false(an_lr_check(&desc, 0, &err));
    assert_string_equal(err.message, "LambdaLR: lr_lambda is required");
    an_lr_text_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_schedule_follows_its_formula),
        cmocka_unit_test(a_plateau_reduces_after_its_patience),
        cmocka_unit_test(edits_carry_on),
        cmocka_unit_test(momentum_goes_to_the_slot_that_is_there),
        cmocka_unit_test(functions_of_the_hosts_are_called_with_their_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
