/* Another end while the run trains: landing and extending; and the parts and the trace. */
#include "schedule_of.h"

static void near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-14))
        fail_msg("%.17g, expected %.17g", value, expected);
}

static void steps(bench *b, int count)
{
    for (int i = 0; i < count; i++)
        an_lr_step(b->schedule);
}

static const an_lr_run editable = {.total_steps = 100, .steps_per_epoch = 10, .edits = 3};

static const char *const specs[] = {"Cosine()", "CosineAnnealingLR(100)", "OneCycleLR(1)",
                                    "Sequence([Linear(start=0, end=1), Linear()], [10])",
                                    "MultiplicativeLR('0.97')"};

static void landing_goes_from_here_to_the_end(void **state)
{
    (void)state;
    static const an_lr_tail tails[] = {AN_TAIL_LINEAR, AN_TAIL_COSINE, AN_TAIL_SQRT,
                                       AN_TAIL_SQUARE};
    static const double halfway[] = {0.5, 0.5, 0.29289321881345254, 0.75};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        for (int t = 0; t < 4; t++) {
            bench b;
            an_error err = {0};
            bench_start_run(&b, specs[i], &editable, 1);
            steps(&b, 37);
            b.group[0].slot[AN_LR].value = 0.4; /* the user's edit is where it lands from */
            assert_true(an_lr_land(b.schedule, (an_lr_length){2, AN_EPOCHS}, tails[t], 0.25, &err));
            assert_true(bench_lr(&b, 0) == 0.4);
            for (int step = 1; step <= 30; step++) {
                double before = bench_lr(&b, 0);
                steps(&b, 1);
                assert_true(step > 20 ? bench_lr(&b, 0) == before : bench_lr(&b, 0) < before);
                assert_true(an_lr_at_step(b.schedule, 0, 37 + step) == bench_lr(&b, 0));
                if (step == 10)
                    near(bench_lr(&b, 0), 0.1 + 0.3 * halfway[t]);
            }
            near(bench_lr(&b, 0), 0.1);
            bench_stop(&b);
        }
}

static void landing_by_the_clock(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 1000, .seconds = 60, .edits = 1};
    bench b;
    bench_start_run(&b, "Constant()", &run, 0.8);
    an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){3, .seconds = 30}});
    assert_true(an_lr_land(b.schedule, (an_lr_length){10, AN_SECONDS}, AN_TAIL_LINEAR, 0, NULL));
    an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){4, .seconds = 35}});
    near(bench_lr(&b, 0), 0.4);
    an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){5, .seconds = 41}});
    near(bench_lr(&b, 0), 0);
    bench_stop(&b);
}

/* A plateau that is told the time without a metric counts no step, but lands from that time on. */
static void a_plateau_lands_by_the_clock(void **state)
{
    (void)state;
    an_lr_run run = {.clocked = true, .edits = 1};
    bench b;
    bench_start_run(&b, "ReduceLROnPlateau(patience=9)", &run, 0.8);
    an_lr_step_with(b.schedule, &(an_lr_input){.metric = 1, .has_metric = true});
    an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){9, .seconds = 600}});
    assert_int_equal(an_lr_step_count(b.schedule), 1);
    assert_true(an_lr_land(b.schedule, (an_lr_length){10, AN_SECONDS}, AN_TAIL_LINEAR, 0, NULL));
    an_lr_input input = {.clock = &(an_lr_clock){2, .seconds = 605}, .metric = 1};
    input.has_metric = true;
    an_lr_step_with(b.schedule, &input);
    near(bench_lr(&b, 0), 0.4);
    bench_stop(&b);
}

/* Continuous, falling wherever it would have fallen, at its end where it was told. */
static void extending_stretches_what_is_left(void **state)
{
    (void)state;
    static const double totals[] = {160, 60, 1000};
    for (size_t i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++) {
            bench b, plain;
            an_error err = {0};
            bench_start_run(&b, specs[i], &editable, 1);
            bench_start_run(&plain, specs[i], &editable, 1);
            steps(&b, 40);
            double before = bench_lr(&b, 0);
            if (!an_lr_extend(b.schedule, (an_lr_length){totals[k], AN_STEPS}, &err))
                fail_msg("%s: %s", specs[i], err.message);
            assert_true(bench_lr(&b, 0) == before);
            for (int step = 41; step <= (int)totals[k] + 10; step++) {
                steps(&b, 1);
                assert_true(bench_lr(&b, 0) <= before + 1e-15);
                assert_true(before - bench_lr(&b, 0) < 0.1);
                near(an_lr_at_step(b.schedule, 0, step), bench_lr(&b, 0));
                before = bench_lr(&b, 0);
                if (step == totals[k])
                    break;
            }
            near(bench_lr(&b, 0), an_lr_at_step(plain.schedule, 0, 100));
            near(an_lr_at_step(b.schedule, 0, 20), an_lr_at_step(plain.schedule, 0, 20));
            bench_stop(&b);
            bench_stop(&plain);
        }
}

static void extending_a_budget_and_again(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 1000, .seconds = 60, .edits = 2};
    bench b;
    bench_start_run(&b, "Linear()", &run, 1);
    an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){3, .seconds = 30}});
    near(bench_lr(&b, 0), 0.5);
    assert_true(an_lr_extend(b.schedule, (an_lr_length){90, AN_SECONDS}, NULL));
    near(an_lr_at_clock(b.schedule, 0, AN_LR, &(an_lr_clock){.seconds = 60}), 0.25);
    an_lr_step_with(b.schedule, &(an_lr_input){.clock = &(an_lr_clock){4, .seconds = 60}});
    near(bench_lr(&b, 0), 0.25);
    assert_true(an_lr_extend(b.schedule, (an_lr_length){70, AN_SECONDS}, NULL));
    near(an_lr_at_clock(b.schedule, 0, AN_LR, &(an_lr_clock){.seconds = 65}), 0.125);
    near(an_lr_at_clock(b.schedule, 0, AN_LR, &(an_lr_clock){.seconds = 45}), 0.375);
    near(an_lr_at_clock(b.schedule, 0, AN_LR, &(an_lr_clock){.seconds = 99}), 0);
    bench_stop(&b);
}

static void a_landing_is_extended(void **state)
{
    (void)state;
    bench b;
    bench_start_run(&b, "Constant()", &editable, 0.8);
    steps(&b, 10);
    assert_true(an_lr_land(b.schedule, (an_lr_length){10, AN_STEPS}, AN_TAIL_LINEAR, 0, NULL));
    steps(&b, 5);
    near(bench_lr(&b, 0), 0.4);
    assert_true(an_lr_extend(b.schedule, (an_lr_length){35, AN_STEPS}, NULL));
    steps(&b, 10);
    near(bench_lr(&b, 0), 0.2);
    assert_false(an_lr_has_landed(b.schedule));
    steps(&b, 10);
    near(bench_lr(&b, 0), 0);
    assert_true(an_lr_has_landed(b.schedule));
    bench_stop(&b);
}

static void expect_state(const bench *b, bool done, an_error *err, an_error_code code,
                         const char *message)
{
    (void)b;
    assert_false(done);
    assert_int_equal(err->code, code);
    if (!strstr(err->message, message))
        fail_msg("%s\ninstead of %s", err->message, message);
    *err = (an_error){0};
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    an_error err = {0};
    an_lr_length ten = {10, AN_STEPS};
    bench b;
    bench_start(&b, "CosineAnnealingLR(50)", 1, 1);
    expect_state(&b, an_lr_land(b.schedule, ten, AN_TAIL_LINEAR, 0, &err), &err, AN_ERROR_STATE,
                 "no room to be landed; make it with an_lr_run.edits");
    expect_state(&b, an_lr_extend(b.schedule, ten, &err), &err, AN_ERROR_STATE, "an_lr_run.edits");
    bench_stop(&b);
    bench_start_run(&b, "StepLR(3)", &editable, 1);
    expect_state(&b, an_lr_extend(b.schedule, ten, &err), &err, AN_ERROR_STATE, "has no end");
    expect_state(&b, an_lr_land(b.schedule, (an_lr_length){10, AN_TOKENS}, AN_TAIL_LINEAR, 0, &err),
                 &err, AN_ERROR_ARGUMENT, "10tok, but the an_lr_run");
    expect_state(&b, an_lr_land(b.schedule, (an_lr_length){0, AN_STEPS}, AN_TAIL_LINEAR, 0, &err),
                 &err, AN_ERROR_ARGUMENT, "must be above 0, got 0");
    expect_state(&b, an_lr_land(b.schedule, ten, AN_TAIL_LINEAR, 2, &err), &err, AN_ERROR_ARGUMENT,
                 "from 0 to 1 of the rate, got 2");
    bench_stop(&b);
    bench_start_run(&b, "Cosine()", &editable, 1);
    steps(&b, 50);
    expect_state(&b, an_lr_extend(b.schedule, ten, &err), &err, AN_ERROR_ARGUMENT,
                 "later than now, 50st, got 10");
    for (int i = 0; i < 3; i++)
        assert_true(an_lr_extend(b.schedule, (an_lr_length){200, AN_STEPS}, &err));
    expect_state(&b, an_lr_extend(b.schedule, (an_lr_length){200, AN_STEPS}, &err), &err,
                 AN_ERROR_STATE, "no room to be extended once more");
    bench_stop(&b);
    bench_start_run(&b, "Cosine()", &editable, 1);
    steps(&b, 100);
    expect_state(&b, an_lr_extend(b.schedule, (an_lr_length){200, AN_STEPS}, &err), &err,
                 AN_ERROR_STATE, "arrived at its end already");
    bench_stop(&b);
}

static void edits_are_in_the_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        for (int cut = 41; cut < 90; cut += 6) {
            static char text[4096];
            unsigned char bytes[4096];
            an_error err = {0};
            bench a, b, c;
            bench_start_run(&a, specs[i], &editable, 1);
            bench_start_run(&b, specs[i], &editable, 2);
            bench_start_run(&c, specs[i], &editable, 3);
            steps(&a, 40);
            an_lr_extend(a.schedule, (an_lr_length){150, AN_STEPS}, NULL);
            steps(&a, 20);
            assert_true(
                an_lr_land(a.schedule, (an_lr_length){45, AN_STEPS}, AN_TAIL_SQRT, 0.1, NULL));
            steps(&a, cut - 40);
            size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
            assert_true(an_lr_state_print(text, sizeof text, a.schedule) < sizeof text);
            assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, &err));
            if (!an_lr_state_parse(c.schedule, text, strlen(text), AN_LR_REFUSE, NULL, NULL, &err))
                fail_msg("%s\n%s", err.message, text);
            for (int step = 0; step < 70; step++) {
                steps(&a, 1);
                steps(&b, 1);
                steps(&c, 1);
                assert_true(bench_lr(&a, 0) == bench_lr(&b, 0));
                assert_true(bench_lr(&a, 0) == bench_lr(&c, 0));
            }
            bench_stop(&b);
            an_lr_run less = {.total_steps = 100, .steps_per_epoch = 10};
            bench_start_run(&b, specs[i], &less, 2);
            assert_false(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, &err));
            assert_non_null(strstr(err.message, "make it with more an_lr_run.edits"));
            bench_stop(&a);
            bench_stop(&b);
            bench_stop(&c);
        }
}

/* ---------------------------------------------------------- parts and trace */

typedef struct seen {
    int count;
    an_lr_part part[16];
} seen;

static void see(void *user, const an_lr_part *part)
{
    seen *s = user;
    assert_true(s->count < 16);
    s->part[s->count++] = *part;
}

static void nodes_are_shown(void **state)
{
    (void)state;
    bench b;
    seen s = {0};
    bench_start(&b,
                "Clamp(Sequence([Linear(start=0, end=1), Shift(Cosine(length=50), 5)], [10]), "
                "min=Constant(0.01))",
                1, 0.8);
    an_lr_parts(b.schedule, see, &s);
    assert_int_equal(s.count, 6);
    assert_string_equal(an_lr_name(s.part[0].desc->kind), "Clamp");
    assert_string_equal(an_lr_name(s.part[2].desc->kind), "Linear");
    assert_true(s.part[2].begin == 0 && s.part[2].length.value == 10 && s.part[2].depth == 2);
    assert_true(s.part[4].begin == 15 && s.part[4].length.value == 50 && s.part[4].depth == 3);
    assert_true(s.part[0].length.value == 65 && an_lr_length_of(b.schedule).value == 65);
    assert_string_equal(an_lr_name(s.part[5].desc->kind), "Constant");

    s.count = 0;
    an_lr_clock clock = {.steps = 40};
    double value = an_lr_trace(b.schedule, 0, AN_LR, &clock, see, &s);
    near(value, 0.4);
    assert_int_equal(s.count, 5); /* not the warmup */
    assert_string_equal(an_lr_name(s.part[0].desc->kind), "Cosine");
    assert_true(s.part[0].time == 25 && s.part[0].base == 0.8 && s.part[0].depth == 3);
    assert_true(s.part[3].base == 1 && s.part[3].rate == 0.01);
    assert_true(s.part[4].rate == value && s.part[4].depth == 0);
    bench_stop(&b);
    s.count = 0;
    bench_start(&b, "SequentialLR([ConstantLR(0.5), ExponentialLR(0.9)], [3])", 1, 0.8);
    near(an_lr_trace(b.schedule, 0, AN_LR, &clock, see, &s), 0.8 * pow(0.9, 37));
    assert_int_equal(s.count, 2);
    assert_true(s.part[0].time == 37);
    s.count = 0;
    an_lr_parts(b.schedule, see, &s);
    assert_int_equal(s.count, 3);
    assert_true(s.part[2].begin == 3 && isinf(s.part[2].length.value));
    bench_stop(&b);
}

static void extending_ends_somewhere(void **state)
{
    (void)state;
    an_error err = {0};
    an_lr_run run = {.total_steps = 100, .edits = AN_LR_MOST_EDITS};
    bench b;
    bench_start_run(&b, "Linear()", &run, 1);
    for (int i = 0; i < AN_LR_MOST_EDITS; i++)
        assert_true(an_lr_extend(b.schedule, (an_lr_length){200 + i, AN_STEPS}, &err));
    steps(&b, 600);
    near(bench_lr(&b, 0), 1 - 600.0 / 1199);
    expect_state(&b, an_lr_extend(b.schedule, (an_lr_length){2000, AN_STEPS}, &err), &err,
                 AN_ERROR_STATE, "was extended 1000 times, which is the most");
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(landing_goes_from_here_to_the_end),
        cmocka_unit_test(landing_by_the_clock),
        cmocka_unit_test(a_plateau_lands_by_the_clock),
        cmocka_unit_test(extending_stretches_what_is_left),
        cmocka_unit_test(extending_a_budget_and_again),
        cmocka_unit_test(a_landing_is_extended),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(extending_ends_somewhere),
        cmocka_unit_test(edits_are_in_the_state),
        cmocka_unit_test(nodes_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
