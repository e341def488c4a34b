/* One clock: lengths in every unit, budgets of time, and replaying a recorded clock. */
#include "schedule_of.h"

static void near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-14))
        fail_msg("%.17g, expected %.17g", value, expected);
}

static void step_to_clock(bench *b, an_lr_clock clock)
{
    an_lr_step_with(b->schedule, &(an_lr_input){.clock = &clock});
}

/* ------------------------------------------------------------------- facts */

static void facts_turn_lengths_into_steps(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 1000,
                     .epochs = 10,
                     .steps_per_epoch = 100,
                     .samples_per_step = 64,
                     .tokens_per_step = 2048};
    static const char *const same[] = {
        "Linear(length=200)",    "Linear(length=200st)",    "Linear(length=2ep)",
        "Linear(length=0.2run)", "Linear(length=12_800sa)", "Linear(length=409600tok)",
        "LinearLR(1, 0, 2ep)",   "LinearLR(1, 0, 0.2run)",  "Stretch(Linear(), to=2ep)",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        bench b;
        bench_start_run(&b, same[i], &run, 0.8);
        assert_false(an_lr_wants_clock(b.schedule));
        near(an_lr_at_step(b.schedule, 0, 50), 0.6);
        near(an_lr_at_step(b.schedule, 0, 200), 0);
        bench_stop(&b);
    }
    bench b;
    bench_start_run(&b, "Cosine()", &run, 0.8); /* the whole run */
    near(an_lr_at_step(b.schedule, 0, 500), 0.4);
    an_lr_step(b.schedule);
    assert_true(an_lr_now(b.schedule).epochs == 0.01 && an_lr_now(b.schedule).samples == 64);
    bench_stop(&b);
    run.total_steps = 0; /* epochs * steps_per_epoch */
    bench_start_run(&b, "Sequence([Linear(start=0, end=1), Linear()], [0.3run])", &run, 0.8);
    near(an_lr_at_step(b.schedule, 0, 300), 0.8);
    near(an_lr_at_step(b.schedule, 0, 1000), 0);
    assert_true(an_lr_length_of(b.schedule).value == 1000);
    bench_stop(&b);
}

static void facts_must_fit_pytorchs_parameters(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 100, .steps_per_epoch = 30};
    char text[200];
    an_lr_text *parsed = an_lr_parse_text(
        "SequentialLR([LinearLR(total_iters=1ep), OneCycleLR(0.1)], milestones=[1ep])", &run, NULL,
        NULL);
    an_lr_print(text, sizeof text, an_lr_text_desc(parsed));
    assert_string_equal(text, "SequentialLR([LinearLR(total_iters=30), OneCycleLR(max_lr=0.1, "
                              "total_steps=100)], milestones=[30])");
    an_lr_text_free(parsed);
    expect_no("OneCycleLR(0.1, epochs=5ep, steps_per_epoch=3)", &run, "without a unit");
    expect_no("StepLR(1tok)", &run, "how many steps are 1tok is not known here");
    expect_no("StepLR(1e300ep)", &run, "must be below 2^53 steps");
}

/* ----------------------------------------------------------------- seconds */

static void seconds_come_from_the_clock(void **state)
{
    (void)state;
    an_lr_run run = {.clocked = true};
    bench b;
    bench_start_run(&b, "Linear(length=90s)", &run, 0.9);
    assert_true(an_lr_wants_clock(b.schedule));
    assert_true(isnan(an_lr_at_step(b.schedule, 0, 10)));
    step_to_clock(&b, (an_lr_clock){.steps = 1, .seconds = 30});
    near(bench_lr(&b, 0), 0.6);
    an_lr_step(b.schedule); /* a step of which nobody knows how long it took */
    near(bench_lr(&b, 0), 0.6);
    step_to_clock(&b, (an_lr_clock){.steps = 3, .seconds = 20}); /* time does not go backwards */
    near(bench_lr(&b, 0), 0.6);
    step_to_clock(&b, (an_lr_clock){.steps = 4, .seconds = NAN}); /* no clock */
    near(bench_lr(&b, 0), 0.6);
    near(an_lr_at_clock(b.schedule, 0, AN_LR, &(an_lr_clock){.seconds = 45}), 0.45);
    assert_true(isnan(an_lr_at_clock(b.schedule, 0, AN_LR, &(an_lr_clock){.seconds = -1})));
    an_error err = {0};
    assert_false(an_lr_step_to(b.schedule, 5, &err));
    assert_non_null(strstr(err.message, "an_lr_step_with"));
    bench_stop(&b);
    expect_no("SequentialLR([LinearLR(), Linear(length=5s)], [9])", &run,
              "compose them with Sequence");
}

static void units_mix(void **state)
{
    (void)state;
    an_lr_run run = {.clocked = true};
    bench b;
    /* 10 steps of warmup, then 60 seconds from wherever the clock stands */
    bench_start_run(&b,
                    "Sequence([Linear(start=0, end=1), Linear(length=60s), Constant(0.1)], "
                    "[10st, 1000tok])",
                    &run, 1);
    step_to_clock(&b, (an_lr_clock){.steps = 5, .seconds = 100, .tokens = 50});
    near(bench_lr(&b, 0), 0.5);
    step_to_clock(&b, (an_lr_clock){.steps = 10, .seconds = 130, .tokens = 100});
    near(bench_lr(&b, 0), 1);
    step_to_clock(&b, (an_lr_clock){.steps = 11, .seconds = 145, .tokens = 200});
    near(bench_lr(&b, 0), 0.75);
    an_lr_clock now = an_lr_now(b.schedule);
    assert_true(an_lr_at_clock(b.schedule, 0, AN_LR, &now) == bench_lr(&b, 0));
    step_to_clock(&b, (an_lr_clock){.steps = 12, .seconds = 146, .tokens = 1000});
    near(bench_lr(&b, 0), 0.1);
    bench_stop(&b);
}

/* Samples and tokens under a batch size that is not always the same. */
static void samples_come_from_the_clock(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 100, .clocked = true};
    bench b;
    bench_start_run(&b, "Product([Linear(length=1000sa), Linear(start=1, end=0.5, length=0.5run)])",
                    &run, 1);
    step_to_clock(&b, (an_lr_clock){.steps = 50, .samples = 500});
    near(bench_lr(&b, 0), 0.25);
    step_to_clock(&b, (an_lr_clock){.steps = 51, .samples = 900});
    near(bench_lr(&b, 0), 0.05);
    bench_stop(&b);
}

/* ------------------------------------------------------------------ budgets */

static const char *const budgeted[] = {
    "Cosine(end=0.1)",
    "Sequence([Linear(start=0, end=1), Linear(end=0.1)], [0.2run])",
    "OneCycleLR(1)",
    "CosineAnnealingLR(1run)",
    "SequentialLR([LinearLR(total_iters=100), CosineAnnealingLR(900)], [100])",
    "ChainedScheduler([LinearLR(1, 0.5, 1000), ExponentialLR(0.999)])",
    "MultiplicativeLR('0.99')",
};

/* Simulated runs: steady, with pauses that nobody counts, ever slower, in jumps. */
static double next_second(int machine, int step)
{
    static const double pace[] = {0.01, 0.37, 0, 7};
    if (machine == 2)
        return 0.001 * step;
    return pace[machine] * (1 + 0.5 * sin(step));
}

static void a_budget_ends_at_the_final_value(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 1000, .seconds = 60};
    for (size_t i = 0; i < sizeof budgeted / sizeof budgeted[0]; i++)
        for (int machine = 0; machine < 4; machine++) {
            bench b;
            bench_start_run(&b, budgeted[i], &run, 1);
            assert_true(an_lr_wants_clock(b.schedule));
            double final = an_lr_at_step(b.schedule, 0, 1000);
            an_lr_clock clock = {0};
            while (clock.seconds < 60) {
                clock.steps++;
                clock.seconds += next_second(machine, (int)clock.steps);
                step_to_clock(&b, clock);
                near(bench_lr(&b, 0), an_lr_at_clock(b.schedule, 0, AN_LR, &clock));
            }
            near(bench_lr(&b, 0), final);
            clock.seconds += 500; /* whatever comes after it */
            step_to_clock(&b, clock);
            near(bench_lr(&b, 0), final);
            bench_stop(&b);
        }
}

static void a_budget_without_a_plan(void **state)
{
    (void)state;
    an_lr_run run = {.seconds = 60};
    bench b;
    bench_start_run(&b, "Sequence([Linear(start=0, end=1), Cosine()], [0.1run])", &run, 1);
    step_to_clock(&b, (an_lr_clock){.steps = 3, .seconds = 6});
    near(bench_lr(&b, 0), 1);
    step_to_clock(&b, (an_lr_clock){.steps = 9, .seconds = 33});
    near(bench_lr(&b, 0), 0.5);
    step_to_clock(&b, (an_lr_clock){.steps = 12, .seconds = 61});
    near(bench_lr(&b, 0), 0);
    assert_int_equal(an_lr_length_of(b.schedule).unit, AN_SECONDS);
    bench_stop(&b);
}

/* Within a budget, seconds stay seconds. */
static void seconds_are_not_stretched(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 1000, .seconds = 60};
    bench b;
    bench_start_run(&b, "Product([Linear(length=30s), Linear()])", &run, 1);
    step_to_clock(&b, (an_lr_clock){.steps = 1, .seconds = 15});
    near(bench_lr(&b, 0), 0.5 * 0.75);
    bench_stop(&b);
}

/* ------------------------------------------------------------------- replay */

static void recorded_clocks_replay_and_resume(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 300, .seconds = 60, .clocked = true};
    static const char *const specs[] = {
        "Sequence([Linear(start=0, end=1), Cosine(length=20s), ExponentialLR(0.9)], [10st, 40s])",
        ("Sequence([Cosine(length=8s), Sequence([Linear(length=3s), Constant(0.3)], [70st])], "
         "[33st])"),
        "OneCycleLR(1)",
    };
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        an_lr_clock clocks[200];
        double rates[200];
        bench a, b;
        bench_start_run(&a, specs[i], &run, 1);
        for (int k = 0; k < 200; k++) {
            clocks[k] = k > 0 ? clocks[k - 1] : (an_lr_clock){0};
            clocks[k].steps++;
            clocks[k].seconds += 0.2 + 0.15 * sin(k * k);
            step_to_clock(&a, clocks[k]);
            rates[k] = bench_lr(&a, 0);
        }
        for (int cut = 1; cut < 200; cut += 13) {
            static char text[4096];
            unsigned char bytes[4096];
            an_error err = {0};
            bench c;
            bench_start_run(&b, specs[i], &run, 1);
            bench_start_run(&c, specs[i], &run, 3);
            for (int k = 0; k < cut; k++)
                step_to_clock(&b, clocks[k]);
            assert_true(bench_lr(&b, 0) == rates[cut - 1]);
            size_t size = an_lr_state_save(b.schedule, bytes, sizeof bytes);
            an_lr_state_print(text, sizeof text, b.schedule);
            assert_true(an_lr_state_load(c.schedule, bytes, size, AN_LR_REFUSE, NULL, &err));
            if (!an_lr_state_parse(b.schedule, text, strlen(text), AN_LR_REFUSE, NULL, NULL, &err))
                fail_msg("%s\n%s", err.message, text);
            for (int k = cut; k < 200; k++) {
                step_to_clock(&b, clocks[k]);
                step_to_clock(&c, clocks[k]);
                assert_true(bench_lr(&b, 0) == rates[k] && bench_lr(&c, 0) == rates[k]);
            }
            bench_stop(&b);
            bench_stop(&c);
        }
        bench_stop(&a);
    }
}

static void another_run_is_another_schedule(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 100}, longer = {.total_steps = 200};
    unsigned char bytes[1024];
    an_lr_changes changes;
    an_error err = {0};
    bench a, b;
    bench_start_run(&a, "Linear()", &run, 1);
    for (int step = 0; step < 50; step++)
        an_lr_step(a.schedule);
    size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
    bench_start_run(&b, "Linear()", &longer, 1);
    assert_false(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, &changes, &err));
    assert_string_equal(changes.text, "run.total_steps 100 -> 200");
    assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_ADOPT, &changes, &err));
    near(bench_lr(&b, 0), 0.75);
    bench_stop(&b);
    bench_start_run(&b, "Linear(length=100)", &run, 1); /* where nothing depends on the run */
    size = an_lr_state_save(b.schedule, bytes, sizeof bytes);
    bench_stop(&b);
    bench_start_run(&b, "Linear(length=100)", &longer, 1);
    assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, &changes, &err));
    bench_stop(&a);
    bench_stop(&b);
}

static void facts_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const an_lr_run wrong[] = {{.total_steps = -1}, {.seconds = NAN},      {.seconds = INFINITY},
                               {.edits = -1},       {.epochs = INT64_MAX}, {.tokens_per_step = -2}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        an_lr_desc desc = an_lr_defaults(AN_LR_CONSTANT);
        expect_no("Constant()", &wrong[i], "which means unknown, to ");
        assert_int_equal(an_lr_size_run(&desc, &wrong[i], 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_turn_lengths_into_steps),
        cmocka_unit_test(facts_must_fit_pytorchs_parameters),
        cmocka_unit_test(seconds_come_from_the_clock),
        cmocka_unit_test(units_mix),
        cmocka_unit_test(samples_come_from_the_clock),
        cmocka_unit_test(a_budget_ends_at_the_final_value),
        cmocka_unit_test(a_budget_without_a_plan),
        cmocka_unit_test(seconds_are_not_stretched),
        cmocka_unit_test(recorded_clocks_replay_and_resume),
        cmocka_unit_test(another_run_is_another_schedule),
        cmocka_unit_test(facts_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
