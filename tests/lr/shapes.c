/* Anneal's own shapes: their limits and edges. Their values are in vectors/formulas.txt. */
#include "schedule_of.h"
#include <string.h>

static void expect_error(const char *call, const char *part)
{
    an_lr_group group, *groups[] = {&group};
    an_error err = {0};
    an_lr_group_init(&group, 0.1);
    an_lr_text *text = an_lr_parse_text(call, NULL, NULL, &err);
    an_lr_schedule *schedule =
        text ? an_lr_new(an_lr_text_desc(text), groups, 1, NULL, &err) : NULL;
    if (schedule)
        fail_msg("%s is accepted", call);
    if (!strstr(err.message, part))
        fail_msg("%s: '%s' does not say '%s'", call, err.message, part);
    an_lr_text_free(text);
}

static void wrong_shapes_are_refused(void **state)
{
    (void)state;
    expect_error("Decay(length=10, ratio=0)", "ratio must be");
    expect_error("Decay(length=10, power=-1)", "power must be");
    expect_error("Decay(curve='tanh', length=10)", "'linear', 'cosine'");
    expect_error("Decay()", "length is required");
    expect_error("Decay(length=10, cycle=True, after_end='zero')", "does not");
    expect_error("Geometric(end=0, length=10)", "end must be");
    expect_error("Exponential(0.5, every=0)", "every must be");
    expect_error("Inverse(0)", "timescale must be");
    expect_error("Sigmoid(10, 0)", "width must be");
    expect_error("Sigmoid(10)", "needs 'width'");
    expect_error("Table([1, -1])", "values[1] must");
    expect_error("Chebyshev(6)", "power of 2");
    expect_error("Chebyshev(8, least=2)", "most must be at least");
    expect_error("RAdamWarmup(0.6)", "beta2 must be");
    expect_error("RAdamWarmup(1)", "beta2 must be");
    expect_error("Restarts(Cosine(), 10, growth=0.5)", "growth must be");
    expect_error("Restarts(Cosine(), 10, warmup=10)", "shorter than length");
    expect_error("Restarts(Cosine(), 10, warmup=1ep)", "same unit");
    expect_error("Stairs(Cosine(length=10), 0)", "every must be");
    expect_error("Base(Cosine(length=10), lr=-1)", "lr must be");
    expect_error("Product([Cosine(length=10), Base(Cosine(length=10), lr=1)])", "put it first");
}

static void shapes_without_length_are_at_their_end(void **state)
{
    (void)state;
    EXPECT_RATES("Decay(length=0, end=0.5)", 1, 0.5, 0.5);
    EXPECT_RATES("Decay(length=0, end=0.5, cycle=True)", 1, 0.5, 0.5);
    EXPECT_RATES("Geometric(length=0, end=0.25)", 1, 0.25, 0.25);
    EXPECT_RATES("Chebyshev(1, least=0.5, most=0.5)", 1, 2, 2, 2);
    EXPECT_RATES("Table([0.5])", 1, 0.5, 0.5);
}

static void curves_begin_and_end_where_they_should(void **state)
{
    (void)state;
    static const char *const curves[] = {"linear", "cosine",      "mirror_cosine",
                                         "rex",    "exponential", "log"};
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        char spec[96];
        an_format(spec, sizeof spec, "Decay(curve='%s', start=2, end=0.5, length=7)", curves[i]);
        bench b;
        bench_start(&b, spec, 1, 1);
        assert_true(fabs(an_lr_at_step(b.schedule, 0, 0) - 2) < 1e-15);
        assert_true(fabs(an_lr_at_step(b.schedule, 0, 7) - 0.5) < 1e-15);
        assert_true(an_lr_at_step(b.schedule, 0, 1000) == an_lr_at_step(b.schedule, 0, 7));
        for (int t = 0; t < 7; t++)
            assert_true(an_lr_at_step(b.schedule, 0, t) > an_lr_at_step(b.schedule, 0, t + 1));
        bench_stop(&b);
    }
    EXPECT_RATES("Decay(curve='exponential', ratio=1, length=2)", 1, 1, 0.5, 0);
    EXPECT_RATES("Decay(curve='log', ratio=1, length=2)", 1, 1, 0.5, 0);
}

/* The beginnings of cycles are exact, however many there were. */
static void cycles_begin_where_they_begin(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "Restarts(Linear(), 3, growth=3)", 1, 1);
    int64_t begin = 0, length = 3;
    for (int i = 0; i < 20; i++) {
        assert_true(an_lr_at_step(b.schedule, 0, begin) == 1);
        assert_true(begin == 0 || an_lr_at_step(b.schedule, 0, begin - 1) < 0.5);
        begin += length;
        length *= 3;
    }
    bench_stop(&b);
    EXPECT_RATES("Restarts(Linear(), 4, growth=2, shrink=0.5, warmup=2)", 1, 0, 0.5, 1, 0.5, 0,
                 0.25, 0.5, 0.375, 0.25, 0.125, 0);
}

static void stairs_hold_on_the_schedules_own_clock(void **state)
{
    (void)state;
    EXPECT_RATES("Stairs(Linear(length=4), 2)", 1, 1, 1, 0.5, 0.5, 0, 0);
    EXPECT_RATES("Sequence([Constant(), Stairs(Linear(length=4), 2)], [1])", 1, 1, 1, 1, 0.5, 0.5,
                 0);
    EXPECT_RATES("Stairs(Linear(length=3), 2, after_end='zero')", 1, 1, 1, 1.0 / 3, 1.0 / 3, 0);
}

static void a_base_forgets_the_groups_rate(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "Base(Linear(length=2), lr=[0.5, 4])", 2, 0.1);
    assert_true(an_lr_at_step(b.schedule, 0, 1) == 0.25);
    assert_true(an_lr_at_step(b.schedule, 1, 1) == 2);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_shapes_are_refused),
        cmocka_unit_test(shapes_without_length_are_at_their_end),
        cmocka_unit_test(curves_begin_and_end_where_they_should),
        cmocka_unit_test(cycles_begin_where_they_begin),
        cmocka_unit_test(stairs_hold_on_the_schedules_own_clock),
        cmocka_unit_test(a_base_forgets_the_groups_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
