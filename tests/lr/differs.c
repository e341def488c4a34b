/*
 * Where Anneal differs from PyTorch, and why: one test for each row of the list in
 * docs/schedules.md. What is not here is bit for bit the same (replay.c).
 */
#include "schedule_of.h"

static void empty_ramps_are_at_their_end(void **state)
{
    (void)state;
    EXPECT_RATES("LinearLR(start_factor=0.25, end_factor=0.5, total_iters=0)", 1, 0.5, 0.5, 0.5);
    EXPECT_RATES("ConstantLR(factor=0.25, total_iters=0)", 1, 1, 1, 1);
    EXPECT_RATES("PolynomialLR(total_iters=0)", 1, 0, 0, 0);
}

static void a_factor_of_zero_ends(void **state)
{
    (void)state;
    EXPECT_RATES("ConstantLR(factor=0, total_iters=2)", 0.5, 0, 0, 0.5, 0.5);
}

static void one_cycle_holds_its_last_value(void **state)
{
    (void)state;
    EXPECT_RATES("OneCycleLR(max_lr=1, total_steps=4, pct_start=0.5, anneal_strategy='linear', "
                 "div_factor=4, final_div_factor=2)",
                 1, 0.25, 1, 0.5625, 0.125, 0.125, 0.125, 0.125);
}

static void one_cycle_may_have_empty_phases(void **state)
{
    (void)state;
    EXPECT_RATES("OneCycleLR(max_lr=1, total_steps=4, pct_start=0.25, anneal_strategy='linear', "
                 "div_factor=4, final_div_factor=1)",
                 1, 1, 0.75, 0.5, 0.25, 0.25);
    EXPECT_RATES("OneCycleLR(max_lr=1, total_steps=2, pct_start=0.5)", 1, 1, 1.0 / 25 / 1e4);
    EXPECT_RATES("OneCycleLR(max_lr=1, total_steps=5, pct_start=0, anneal_strategy='linear', "
                 "div_factor=4, final_div_factor=1)",
                 1, 1, 0.8125, 0.625, 0.4375, 0.25, 0.25);
    EXPECT_RATES("OneCycleLR(max_lr=1, total_steps=4, pct_start=1, anneal_strategy='linear', "
                 "div_factor=4)",
                 1, 0.25, 0.5, 0.75, 1, 1, 1);
    EXPECT_RATES("OneCycleLR(max_lr=1, total_steps=4, pct_start=0.25, anneal_strategy='linear', "
                 "three_phase=True, div_factor=4, final_div_factor=2)",
                 1, 1, 0.25 - 0.125 / 3, 0.25 - 0.25 / 3, 0.125, 0.125);
    EXPECT_RATES("OneCycleLR(max_lr=1, total_steps=3, pct_start=0, anneal_strategy='linear', "
                 "three_phase=True, div_factor=4, final_div_factor=2)",
                 1, 0.25, 0.1875, 0.125, 0.125);
}

static void restarts_are_found_exactly(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "CosineAnnealingWarmRestarts(T_0=1, T_mult=3)", 1, 0.1);
    assert_true(an_lr_at_step(b.schedule, 0, 121) == 0.1);   /* log3(243) truncates to 4 there */
    assert_true(an_lr_at_step(b.schedule, 0, 29524) == 0.1); /* and log3(59049) to 9 */
    assert_true(an_lr_at_step(b.schedule, 0, 120) < 0.1);
    bench_stop(&b);
}

/* Steps a plateau through metrics and returns the rate. */
static double plateau_after(const char *spec, const double *metrics, size_t count)
{
    bench b;
    bench_start(&b, spec, 1, 1);
    for (size_t i = 0; i < count; i++)
        an_lr_step_metric(b.schedule, metrics[i]);
    double lr = bench_lr(&b, 0);
    bench_stop(&b);
    return lr;
}

static void a_relative_threshold_takes_part_of_the_size(void **state)
{
    (void)state;
    const double worse[] = {-1, -0.95, -0.9, -0.85};
    assert_true(plateau_after("ReduceLROnPlateau(patience=2, threshold=0.1)", worse, 4) == 0.1);
    const double falling[] = {-1, -1.05, -1.04, -1.06};
    assert_true(plateau_after("ReduceLROnPlateau('max', patience=2, threshold=0.1)", falling, 4) ==
                0.1);
    const double better[] = {-1, -1.2, -1.4, -1.6};
    assert_true(plateau_after("ReduceLROnPlateau(patience=2, threshold=0.1)", better, 4) == 1);
}

static void cyclic_starts_from_its_own_base(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "ExponentialLR(gamma=0.5)", 1, 0.5);
    an_error err = {0};
    an_lr_text *text = an_lr_parse_text("CyclicLR(base_lr=0.125, max_lr=1)", NULL, NULL, &err);
    an_lr_schedule *second = an_lr_new(an_lr_text_desc(text), b.groups, 1, NULL, &err);
    assert_true(bench_lr(&b, 0) == 0.125);
    an_lr_free(second);
    an_lr_text_free(text);
    bench_stop(&b);
}

static void a_later_child_touches_nothing_before_its_turn(void **state)
{
    (void)state;
    const char *spec = "SequentialLR([ExponentialLR(gamma=0.5), OneCycleLR(max_lr=4, "
                       "total_steps=9, div_factor=2)], milestones=[3])";
    bench b;
    bench_start(&b, spec, 1, 1);
    for (int step = 0; step < 3; step++) {
        assert_true(bench_lr(&b, 0) == pow(0.5, step));
        assert_true(b.group[0].slot[AN_MOMENTUM].value == 0.5);
        assert_true(an_lr_at(b.schedule, 0, AN_MOMENTUM, step) == 0.5);
        an_lr_step(b.schedule);
    }
    assert_true(bench_lr(&b, 0) == 2);
    assert_true(b.group[0].slot[AN_MOMENTUM].value == 0.95);
    bench_stop(&b);
}

static void expect_same(const char *left, const char *right)
{
    bench a, b;
    bench_start(&a, left, 2, 0.3);
    bench_start(&b, right, 2, 0.3);
    for (int step = 0; step < 40; step++) {
        for (size_t g = 0; g < 2; g++) {
            assert_true(bench_lr(&a, g) == bench_lr(&b, g));
            assert_true(an_lr_at_step(a.schedule, g, step) == an_lr_at_step(b.schedule, g, step));
        }
        if (step % 7 == 3)
            a.group[1].slot[AN_LR].value = b.group[1].slot[AN_LR].value = 0.01 * step;
        an_lr_step(a.schedule);
        an_lr_step(b.schedule);
    }
    bench_stop(&a);
    bench_stop(&b);
}

static void a_wrapper_changes_nothing(void **state)
{
    (void)state;
    const char *inner = "SequentialLR([LinearLR(total_iters=6), CosineAnnealingLR(T_max=9)], "
                        "milestones=[6])";
    expect_same("SequentialLR([ExponentialLR(gamma=0.9)], milestones=[])",
                "ExponentialLR(gamma=0.9)");
    expect_same("ChainedScheduler([ChainedScheduler([CosineAnnealingLR(T_max=7)])])",
                "CosineAnnealingLR(T_max=7)");
    char wrapped[300];
    an_format(wrapped, sizeof wrapped, "ChainedScheduler([SequentialLR([%s])])", inner);
    expect_same(wrapped, inner);
    an_format(wrapped, sizeof wrapped,
              "SequentialLR([StepLR(step_size=2), ChainedScheduler([%s])], milestones=[5])", inner);
    char flat[300];
    an_format(flat, sizeof flat, "SequentialLR([StepLR(step_size=2), %s], milestones=[5])", inner);
    expect_same(wrapped, flat);
}

/* A sequence as a later child begins at its own step 0 on its turn. */
static void sequences_nest(void **state)
{
    (void)state;
    EXPECT_RATES("SequentialLR([ConstantLR(factor=0.5, total_iters=9), "
                 "SequentialLR([ExponentialLR(gamma=0.5), ConstantLR(factor=0.25)], "
                 "milestones=[2])], milestones=[2])",
                 1, 0.5, 0.5, 1, 0.5, 0.25, 0.25);
    EXPECT_RATES("SequentialLR([StepLR(step_size=9), ChainedScheduler([ExponentialLR(gamma=0.5), "
                 "ConstantLR(factor=0.5, total_iters=1)])], milestones=[1])",
                 1, 1, 0.5, 0.5, 0.25, 0.125);
}

static void groups_join_later(void **state)
{
    (void)state;
    _Alignas(16) unsigned char memory[2048];
    bench b;
    bench_groups(&b, 3, 1);
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR);
    desc.exponential.gamma = 0.5;
    size_t size = an_lr_size(&desc, 2);
    assert_in_range(size, 1, sizeof memory);
    an_lr_schedule *schedule = an_lr_init(memory, size, &desc, b.groups, 1, NULL);
    assert_non_null(schedule);
    an_lr_step(schedule);
    an_lr_step(schedule);
    assert_true(an_lr_add_group(schedule, b.groups[1], NULL));
    assert_true(bench_lr(&b, 1) == 0.5);
    an_lr_step(schedule);
    assert_true(bench_lr(&b, 0) == 0.125 && bench_lr(&b, 1) == 0.25);
    an_error err = {0};
    assert_false(an_lr_add_group(schedule, b.groups[1], &err));
    assert_string_equal(err.message, "the schedule has this group already, as 1");
    assert_false(an_lr_add_group(schedule, b.groups[2], &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_true(bench_lr(&b, 2) == 4);
}

/* Not a difference from PyTorch 1.13, but from later ones: a restart is SWALR's first move. */
static void swa_goes_on_from_what_it_finds(void **state)
{
    (void)state;
    EXPECT_RATES("SequentialLR([ExponentialLR(gamma=0.5), SWALR(swa_lr=0.125, anneal_epochs=4, "
                 "anneal_strategy='linear')], milestones=[2])",
                 1, 1, 0.5, 0.40625, 0.3125, 0.21875, 0.125, 0.125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_ramps_are_at_their_end),
        cmocka_unit_test(a_factor_of_zero_ends),
        cmocka_unit_test(one_cycle_holds_its_last_value),
        cmocka_unit_test(one_cycle_may_have_empty_phases),
        cmocka_unit_test(restarts_are_found_exactly),
        cmocka_unit_test(a_relative_threshold_takes_part_of_the_size),
        cmocka_unit_test(cyclic_starts_from_its_own_base),
        cmocka_unit_test(a_later_child_touches_nothing_before_its_turn),
        cmocka_unit_test(a_wrapper_changes_nothing),
        cmocka_unit_test(sequences_nest),
        cmocka_unit_test(groups_join_later),
        cmocka_unit_test(swa_goes_on_from_what_it_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
