/* Anneal's own schedules: the algebra's values, text, and what is refused. */
#include "random_desc.h"
#include "schedule_of.h"

#define GROUPS 2

/* ------------------------------------------------------------------ values */

static void shapes_go_from_start_to_end(void **state)
{
    (void)state;
    EXPECT_RATES("Linear(length=4)", 0.8, 0.8, 0.6, 0.4, 0.2, 0, 0, 0);
    EXPECT_RATES("Linear(start=0, end=1, length=2)", 0.8, 0, 0.4, 0.8, 0.8);
    EXPECT_RATES("Linear(start=0.5, end=1.5, length=0)", 0.8, 1.2000000000000002,
                 1.2000000000000002);
    EXPECT_RATES("Cosine(length=2, end=0.5)", 0.8, 0.8, 0.6, 0.4, 0.4);
    EXPECT_RATES("Constant(0.25)", 0.8, 0.2, 0.2);
    EXPECT_RATES("Interpolate([0, 2, 4], [0, 1, 0.5])", 0.8, 0, 0.4, 0.8, 0.6, 0.4, 0.4);
    EXPECT_RATES("Interpolate([1, 3], [1, 0.5], 'step')", 0.8, 0.8, 0.8, 0.8, 0.4, 0.4);
    EXPECT_RATES("Interpolate([0, 2], [1, 0], curve='cosine')", 0.8, 0.8, 0.4, 0, 0);
}

static void after_the_end(void **state)
{
    (void)state;
    EXPECT_RATES("Linear(length=2, after_end='hold')", 0.8, 0.8, 0.4, 0, 0, 0);
    EXPECT_RATES("Linear(end=0.5, length=2, after_end='zero')", 0.8, 0.8, 0.6, 0.4, 0, 0);
    EXPECT_RATES("Linear(length=2, after_end='repeat')", 0.8, 0.8, 0.4, 0.8, 0.4, 0.8);
    EXPECT_RATES("Linear(length=2, after_end='mirror')", 0.8, 0.8, 0.4, 0, 0.4, 0.8, 0.4, 0);
    EXPECT_RATES("CosineAnnealingLR(2, after_end='hold')", 0.8, 0.8, 0.4, 0, 0, 0, 0);
    EXPECT_RATES("LinearLR(0.5, total_iters=2, after_end='repeat')", 0.8, 0.4, 0.6000000000000001,
                 0.4, 0.6000000000000001);
    EXPECT_RATES("Sequence([Constant(0.5), Linear(length=2)], [1], after_end='repeat')", 0.8, 0.4,
                 0.8, 0.4, 0.4, 0.8, 0.4, 0.4);
    EXPECT_RATES("Linear(length=0, after_end='mirror')", 0.8, 0, 0);
    EXPECT_RATES("Linear(length=0, after_end='repeat')", 0.8, 0, 0);
}

static void an_end_that_is_an_error(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "Linear(end=0.5, length=2, after_end='error')", 1, 0.8);
    for (int step = 1; step <= 4; step++) {
        an_lr_step(b.schedule);
        assert_true(bench_lr(&b, 0) == (step < 2 ? 0.8 * 0.75 : 0.4));
        assert_int_equal(an_lr_ended(b.schedule), step > 2);
    }
    assert_true(isnan(an_lr_at_step(b.schedule, 0, 3)));
    bench_stop(&b);
    an_lr_run run = {.total_steps = 100};
    expect_no("Linear(length=99, after_end='error')", &run, "ends after 99st");
}

static void a_sequence_hands_over(void **state)
{
    (void)state;
    EXPECT_RATES("Sequence([Linear(start=0, end=1), Linear(length=2)], [2])", 0.8, 0, 0.4, 0.8, 0.4,
                 0, 0);
    EXPECT_RATES("Sequence([Constant(1), StepLR(2, 0.5), Constant(0.25)], [1, 4])", 0.8, 0.8, 0.8,
                 0.8, 0.4, 0.2, 0.2);
    EXPECT_RATES("Sequence([Constant(1), Constant(0.5)], [0])", 0.8, 0.4, 0.4);
    /* a milestone between two steps: the second is half a step old when it is first seen */
    EXPECT_RATES("Sequence([Constant(1), Linear(length=2)], [0.5])", 0.8, 0.8, 0.6000000000000001,
                 0.2, 0);
}

static void rates_are_made_of_rates(void **state)
{
    (void)state;
    EXPECT_RATES("Product([Linear(length=4), Constant(0.5)])", 0.8, 0.4, 0.3, 0.2, 0.1, 0);
    EXPECT_RATES("Product([Constant(0.5), CosineAnnealingLR(2, eta_min=0.2)])", 0.8, 0.4, 0.3, 0.2);
    EXPECT_RATES(
        "Product([OneCycleLR(1, total_steps=2, pct_start=0, div_factor=2), Constant(0.5)])", 0.8,
        0.5, 2.5e-5);
    EXPECT_RATES("Sum([Linear(length=2), Constant(0.5)])", 0.8, 1.2, 0.8, 0.4, 0.4);
    EXPECT_RATES("Min([Linear(length=4), Constant(0.5)])", 0.8, 0.4, 0.4, 0.4, 0.2, 0);
    EXPECT_RATES("Max([Linear(length=4), Constant(0.5)])", 0.8, 0.8, 0.6, 0.4, 0.4, 0.4);
    EXPECT_RATES("Clamp(Linear(length=4), min=0.3, max=0.7)", 0.8, 0.7, 0.6, 0.4, 0.3, 0.3);
    EXPECT_RATES("Clamp(Linear(length=2), min=Linear(start=0.2, end=0.1, length=2))", 0.8, 0.8, 0.4,
                 0.1, 0.1);
    EXPECT_RATES("Scale(Linear(length=2), 0.5)", 0.8, 0.4, 0.2, 0);
    bench b;
    bench_start(&b, "Scale(Constant(), by=[1, 0.25])", 2, 0.4);
    assert_true(bench_lr(&b, 0) == 0.4 && bench_lr(&b, 1) == 0.2);
    bench_stop(&b);
}

static void clocks_are_bent(void **state)
{
    (void)state;
    EXPECT_RATES("Shift(Linear(length=2), 1)", 0.8, 0.8, 0.8, 0.4, 0);
    EXPECT_RATES("Shift(Linear(length=2), -1)", 0.8, 0.4, 0, 0);
    EXPECT_RATES("Loop(Linear(length=2))", 0.8, 0.8, 0.4, 0.8, 0.4);
    EXPECT_RATES("Loop(Linear(length=4), 3)", 0.8, 0.8, 0.6, 0.4, 0.8, 0.6);
    EXPECT_RATES("Loop(Linear(), 2)", 0.8, 0.8, 0.4, 0.8);
    EXPECT_RATES("Reverse(Linear(length=4))", 0.8, 0, 0.2, 0.4, 0.6, 0.8, 0.8);
    EXPECT_RATES("Reverse(ExponentialLR(0.5), 2)", 0.8, 0.2, 0.4, 0.8, 0.8);
    EXPECT_RATES("Reverse(LinearLR(0.5), 1e100)", 0.8, 0.8, 0.8); /* 2^53 steps and more are one */
    EXPECT_RATES("Stretch(Linear(length=2), 4)", 0.8, 0.8, 0.6, 0.4, 0.2, 0);
    EXPECT_RATES("Stretch(StepLR(1, 0.5), to=4, length=2)", 0.8, 0.8, 0.8, 0.4, 0.4, 0.2);
    EXPECT_RATES("Stretch(Linear(length=2), 0)", 0.8, 0, 0);
}

static void parameters_are_schedules(void **state)
{
    (void)state;
    EXPECT_RATES("Linear(start=1, end=Linear(start=1, end=0, length=2), length=2)", 0.8, 0.8,
                 0.6000000000000001, 0);
    EXPECT_RATES("Constant(Loop(Linear(length=2)))", 0.8, 0.8, 0.4, 0.8, 0.4);
    bench b; /* a parameter's schedule has no part in the group's base rate */
    bench_start(&b, "Constant(factor=OneCycleLR(1, total_steps=10))", 1, 0.8);
    assert_true(b.group[0].slot[AN_LR].initial == 0.8);
    assert_true(fabs(bench_lr(&b, 0) - 0.8 / 25) < 1e-15);
    bench_stop(&b);
}

/* --------------------------------------------------------------- properties */

/* Whether the schedule is one of Anneal's own at its top, not PyTorch's behind a Drive. */
static bool is_own(const bench *b)
{
    an_lr_kind kind = an_lr_desc_of(b->schedule)->kind;
    return kind >= AN_LR_CONSTANT && kind != AN_LR_DRIVE && kind != AN_LR_TOGETHER;
}

static void start(random_desc *draw, uint64_t seed, bench *b)
{
    an_lr_run run = random_run();
    draw->state = seed;
    b->text = NULL;
    b->schedule = NULL;
    do {
        an_lr_free(b->schedule);
        const an_lr_desc *desc = random_desc_for_run(draw, GROUPS);
        bench_groups(b, GROUPS, 0.01 + random_unit(draw));
        b->schedule = an_lr_new_run(desc, &run, b->groups, GROUPS, NULL, NULL);
        assert_non_null(b->schedule);
    } while (!is_own(b));
}

/* Whatever was asked before, whatever the user wrote into the slot. */
static void own_schedules_step_as_they_answer(void **state)
{
    (void)state;
    static random_desc draw;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        bench b;
        start(&draw, seed, &b);
        for (int step = 0; step < 250; step++) {
            for (size_t g = 0; g < GROUPS && (!an_lr_replays(b.schedule) || step % 31 == 0); g++) {
                if (an_lr_at_step(b.schedule, g, step) != bench_lr(&b, g))
                    fail_msg("seed %llu, step %d: %.17g, stepped %.17g", (unsigned long long)seed,
                             step, an_lr_at_step(b.schedule, g, step), bench_lr(&b, g));
                an_lr_clock clock = {.steps = step};
                assert_true(an_lr_at_clock(b.schedule, g, AN_LR, &clock) == bench_lr(&b, g));
            }
            b.group[0].slot[AN_LR].value *= 3;
            an_lr_step(b.schedule);
        }
        bench_stop(&b);
    }
}

static void a_jump_lands_where_steps_do(void **state)
{
    (void)state;
    static random_desc draw;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        bench a, b;
        start(&draw, seed, &a);
        start(&draw, seed, &b);
        for (int step = 1; step <= 60; step++)
            an_lr_step(a.schedule);
        an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){.steps = 17}});
        an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){.steps = 60}});
        for (size_t g = 0; g < GROUPS; g++)
            assert_true(bench_lr(&a, g) == bench_lr(&b, g));
        bench_stop(&a);
        bench_stop(&b);
    }
}

/* -------------------------------------------------------------------- text */

static const char *const canonical[][2] = {
    {"Linear(1, 0, 500st)", "Linear(length=500)"},
    {"Linear(length=1_000_000sa, start=0.5)", "Linear(start=0.5, length=1000000sa)"},
    {"Cosine(length=10min)", "Cosine(length=600s)"},
    {"Drive(Constant(), \"a\\n\\t\\r\\\\'b\\\"\")",
     "Drive(Constant(), slot='a\\n\\t\\r\\\\\\'b\"')"},
    {"Cosine(length=2h, end=None)", NULL},
    {"Cosine(length=None, after_end='default')", "Cosine()"},
    {"Cosine(length=0.3run, after_end='zero')", "Cosine(length=0.3run, after_end='zero')"},
    {"Cosine(end=Linear(0.2, 0.1, 2e9tok))",
     "Cosine(end=Linear(start=0.2, end=0.1, length=2000000000tok))"},
    {"Sequence([Linear(0, 1), Cosine()], [5ep])",
     "Sequence([Linear(start=0, end=1), Cosine()], milestones=[5ep])"},
    {"Clamp(StepLR(3), 0.1)", "Clamp(StepLR(step_size=3), min=0.1)"},
    {"Clamp(schedule=StepLR(3), max=Constant())", "Clamp(StepLR(step_size=3), max=Constant())"},
    {"Interpolate([0, 1ep], (1, 0.5))", "Interpolate(at=[0, 1ep], values=[1, 0.5])"},
    {"Drive(Linear(), 'weight_decay', [1])", "Drive(Linear(), slot='weight_decay', groups=[1])"},
    {"Together([Linear(), Drive(Constant(2), slot='my slot', base=1)])",
     "Together([Linear(), Drive(Constant(factor=2), slot='my slot', base=1)])"},
    {"CosineAnnealingLR(10, 0, -1, False, 'hold')",
     "CosineAnnealingLR(T_max=10, after_end='hold')"},
};

static void text_becomes_canonical(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof canonical / sizeof canonical[0]; i++) {
        char once[300];
        an_error err = {0};
        an_lr_text *text = an_lr_parse_text(canonical[i][0], NULL, NULL, &err);
        if (!canonical[i][1]) {
            assert_null(text);
            continue;
        }
        if (!text)
            fail_msg("%s: %s", canonical[i][0], err.message);
        an_lr_print(once, sizeof once, an_lr_text_desc(text));
        assert_string_equal(once, canonical[i][1]);
        an_lr_text_free(text);
    }
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"Sequence([Constant(), Constant()])", "must hold the 1 moment at which"},
        {"Sequence([Constant(), Constant(), Constant()], [5, 5])", "5st comes after 5st"},
        {"Sequence([], [])", "Sequence: schedules must hold at least one"},
        {"Sequence([Constant(), Constant()], [-1])", "milestones[0] must be 0 or more, got -1"},
        {"Product([Constant(), OneCycleLR(1, total_steps=3)])",
         "schedule 1, OneCycleLR, has rates"},
        {"Clamp(Constant(), min=2, max=1)", "max must be at least min, 2, got 1"},
        {"Interpolate([0, 1], [1])", "values must be as many as at, 2, got 1"},
        {"Interpolate([1, 0], [1, 2])", "at must increase, but 0st comes after 1st"},
        {"Loop(ExponentialLR(0.5))", "Loop: length is required, since its schedule, ExponentialLR"},
        {"Linear()", "Linear: length is required"},
        {"Linear(length=5ep)", "how many steps an epoch has (steps_per_epoch)"},
        {"Linear(length=90s)", "that the steps come with a clock (clocked)"},
        {"Linear(length=0.5run)", "how long it is (total_steps, or seconds)"},
        {"Linear(length=5parsec)", "length must be a length, such as 500, 500st"},
        {"StepLR(5ep)", "how many steps are 5ep is not known here"},
        {"StepLR(5s)", "is not known beforehand; Anneal's own schedules"},
        {"Together([Together([Constant(), Constant()]), Constant()])", "can only stand at the top"},
        {"Product([Drive(Constant(), 'lr'), Constant()])", "or in Together"},
        {"Drive(Constant(), 'momentun')", "no group has a slot 'momentun'"},
        {"Drive(Constant(), 'lr', [2])", "groups[0] must be from 0 to 1, got 2"},
        {"Together([Constant(), Drive(Constant(), 'lr', [1])])",
         "two schedules drive lr of group 1"},
        {"Together([OneCycleLR(1, total_steps=9), Drive(Constant(), 'momentum')])",
         "two schedules drive momentum of group 0"},
        {"Reverse(MultiplicativeLR('0.9'), length=1e13)",
         "MultiplicativeLR within it is computed from its first step on"},
        {"Sequence([Constant(), Shift(MultiplicativeLR('0.9'), by=-1e13)], [5])", "up to 1e+06"},
        {"Restarts(Product([MultiplicativeLR('0.9'), Constant()]), length=2e6, warmup=9)",
         "got 2e+06st"},
        {"Stretch(MultiplicativeLR('0.9'), to=5, length=1e9)", "Stretch: MultiplicativeLR within"},
        {"ExponentialLR(0.5, after_end='hold')", "no parameter 'after_end'"},
        {"ChainedScheduler([ExponentialLR(0.5)], after_end='hold')", "needs a schedule that ends"},
        {"Linear(length=5, after_end='stop')", "after_end must be one of 'default', 'hold'"},
        {"ReduceOnSlope(window=5)", "window must be from 10 to 1e+06, got 5"},
        {"ChainedScheduler([Constant(), Linear(length=2)])",
         "would erase what those before it did"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_no(wrong[i][0], NULL, wrong[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_go_from_start_to_end),
        cmocka_unit_test(after_the_end),
        cmocka_unit_test(an_end_that_is_an_error),
        cmocka_unit_test(a_sequence_hands_over),
        cmocka_unit_test(rates_are_made_of_rates),
        cmocka_unit_test(clocks_are_bent),
        cmocka_unit_test(parameters_are_schedules),
        cmocka_unit_test(own_schedules_step_as_they_answer),
        cmocka_unit_test(a_jump_lands_where_steps_do),
        cmocka_unit_test(text_becomes_canonical),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
