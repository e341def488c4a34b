/*
 * How far stepping, which is PyTorch's to the bit, and the formula of an_lr_at drift apart in long
 * runs, and what happens at the bottom of a very long cosine: as docs/schedules.md says it.
 */
#include "schedule_of.h"
#include <string.h>

/* The largest distance while stepping from step `from` to step `to`, as part of the base rate 1. */
static double drift(const char *spec, int64_t from, int64_t to)
{
    bench b;
    double worst = 0;
    bench_start(&b, spec, 1, 1);
    assert_true(an_lr_step_to(b.schedule, from, NULL));
    for (int64_t step = from; step < to; step++) {
        an_lr_step(b.schedule);
        double apart = fabs(bench_lr(&b, 0) - an_lr_at_step(b.schedule, 0, step + 1));
        if (!(apart <= worst))
            worst = apart;
    }
    bench_stop(&b);
    return worst;
}

static void expect_within(const char *spec, int64_t from, int64_t to, double bound)
{
    double worst = drift(spec, from, to);
    if (!(worst <= bound))
        fail_msg("%s, %lld to %lld: %g apart, expected %g at most", spec, (long long)from,
                 (long long)to, worst, bound);
}

static void up_to_its_T_max_a_cosine_drifts_with_its_length(void **state)
{
    (void)state;
    expect_within("CosineAnnealingLR(T_max=100)", 0, 100, 1e-14);
    expect_within("CosineAnnealingLR(T_max=20000, eta_min=0.2)", 0, 20000, 2e-17 * 2e4);
    expect_within("CosineAnnealingLR(T_max=200000, eta_min=0.2)", 0, 200000, 2e-17 * 2e5);
}

/* The angle pi e / T_max has a rounding error that grows with e. */
static void past_its_T_max_a_cosine_drifts_with_the_steps(void **state)
{
    (void)state;
    static const int64_t begins[] = {0, 100000000, 10000000000};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        int64_t from = begins[i], to = from + 300000;
        expect_within("CosineAnnealingLR(T_max=100)", from, to, 1e-15 * (double)to);
        expect_within("CosineAnnealingLR(T_max=1000)", from, to, 1e-15 * (double)to);
    }
    assert_true(drift("CosineAnnealingLR(T_max=100)", 0, 300000) > 1e-12);
}

/* An eta_min above 0 is subtracted and added again beside the bottom, where little is left. */
static void an_eta_min_drifts_with_the_square_of_T_max(void **state)
{
    (void)state;
    expect_within("CosineAnnealingLR(T_max=1000, eta_min=0.2)", 0, 4000, 1e-16 * 0.2 * 1e6);
    expect_within("CosineAnnealingLR(T_max=20000, eta_min=0.2)", 0, 80000, 1e-16 * 0.2 * 4e8);
    assert_true(drift("CosineAnnealingLR(T_max=20000, eta_min=0.2)", 0, 80000) > 1e-12);
}

static void long_ramps_drift_with_their_length(void **state)
{
    (void)state;
    expect_within("LinearLR(total_iters=1000)", 0, 2000, 2e-14);
    expect_within("LinearLR(total_iters=300000)", 0, 300000, 2e-17 * 3e5);
    expect_within("LinearLR(1e-6, total_iters=300000)", 0, 300000, 2e-17 * 3e5);
    expect_within("PolynomialLR(total_iters=300000)", 0, 300000, 2e-17 * 3e5);
    assert_true(drift("LinearLR(total_iters=300000)", 0, 300000) > 1e-12);
}

/* --------------------------------------------- the bottom of a very long cosine */

/* PyTorch 1.13's rates at the six steps from T_max - 2 on, over a base of 0.1, set at T_max - 3. */
static const struct {
    const char *spec;
    int64_t T_max;
    double rates[6];
} bottoms[] = {
    {"CosineAnnealingLR(T_max=100000000, eta_min=0.01)",
     100000000,
     {0x1.47ae147ae14afp-7, 0x1.47ae147ae1487p-7, 0x1.47ae147ae147bp-7, 0x1.47ae147ae1487p-7,
      0x1.47ae147ae14b1p-7, 0x1.47ae147ae14f3p-7}},
    {"CosineAnnealingLR(T_max=298000000, eta_min=0.01)",
     298000000,
     {0x1.47ae147ae1481p-7, 0x1.47ae147ae147ep-7, 0x1.47ae147ae147bp-7, 0x1.47ae147ae147ep-7,
      0x1.47ae147ae1481p-7, 0x1.47ae147ae148ap-7}},
    {"CosineAnnealingLR(T_max=290000000)",
     290000000,
     {0x1.999999999999ap-57, 0x1.999999999999ap-58, 0, 0x1.999999999999ap-58, 0x1.999999999999ap-57,
      0x1.0p-55}},
};

static void the_bottom_is_pytorchs_where_that_has_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bottoms / sizeof bottoms[0]; i++) {
        bench b;
        bench_start(&b, bottoms[i].spec, 1, 0.1);
        assert_true(an_lr_step_to(b.schedule, bottoms[i].T_max - 3, NULL));
        for (int step = 0; step < 6; step++) {
            an_lr_step(b.schedule);
            double expected = bottoms[i].rates[step];
            if (fabs(bench_lr(&b, 0) - expected) > 4 * 0x1p-52 * expected)
                fail_msg("%s, %d: %a", bottoms[i].spec, step, bench_lr(&b, 0));
        }
        bench_stop(&b);
    }
}

/* From T_max = 299,000,000 on PyTorch divides by 0 there. */
static void a_longer_cosine_has_a_bottom_too(void **state)
{
    (void)state;
    static const int64_t lengths[] = {299000000, 300000000, 1000000000, 1000000000000,
                                      INT64_C(1) << 52};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char spec[80];
        int64_t T_max = lengths[i];
        for (int raised = 0; raised < 2; raised++) {
            an_format(spec, sizeof spec, "CosineAnnealingLR(T_max=%lld, eta_min=%s)",
                      (long long)T_max, raised ? "0.01" : "0");
            expect_within(spec, T_max - 2000, T_max + 2000, 1e-12);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_its_T_max_a_cosine_drifts_with_its_length),
        cmocka_unit_test(past_its_T_max_a_cosine_drifts_with_the_steps),
        cmocka_unit_test(an_eta_min_drifts_with_the_square_of_T_max),
        cmocka_unit_test(long_ramps_drift_with_their_length),
        cmocka_unit_test(the_bottom_is_pytorchs_where_that_has_one),
        cmocka_unit_test(a_longer_cosine_has_a_bottom_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
