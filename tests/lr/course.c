/* The course of a schedule: what landing and extending have made of it, as text and back. */
#include "schedule_of.h"

static const an_lr_run planned = {.total_steps = 100, .steps_per_epoch = 10, .edits = 3};

static const char *const specs[] = {"Cosine()", "CosineAnnealingLR(100)", "OneCycleLR(1)",
                                    "Sequence([Linear(start=0, end=1), Linear()], [10])"};

static const char *course_of(const bench *b, const an_lr_run *run)
{
    static char text[512];
    assert_true(an_lr_course_print(text, sizeof text, b->schedule, run) < sizeof text);
    return text;
}

/* A schedule that is made anew with a course; false with err. */
static bool follow(bench *b, const char *spec, const char *course, const an_lr_run *run,
                   an_error *err)
{
    an_lr_run facts = *run;
    an_spec_source source = an_spec_source_text(course);
    an_spec *parsed = an_spec_parse(&source, NULL, err);
    assert_non_null(parsed);
    *b = (bench){.schedule = NULL};
    bool ok = an_lr_course_run(&source, an_spec_root(parsed), &facts, err);
    if (ok) {
        bench_start_run(b, spec, &facts, 1);
        ok = an_lr_course_take(b->schedule, &source, an_spec_root(parsed), err);
    }
    an_spec_free(parsed);
    return ok;
}

/* What was extended and landed while it was stepped, made anew with its course: the same bits. */
static void what_is_printed_goes_the_same_way(void **state)
{
    (void)state;
    const an_lr_run longer = {.total_steps = 150, .steps_per_epoch = 10, .edits = 3};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        double rates[200];
        bench a, b;
        an_error err = {0};
        bench_start_run(&a, specs[i], &planned, 1);
        for (int step = 0; step < 200; step++) {
            if (step == 40)
                assert_true(an_lr_extend(a.schedule, (an_lr_length){150, AN_STEPS}, NULL));
            if (step == 60)
                assert_true(
                    an_lr_land(a.schedule, (an_lr_length){3, AN_EPOCHS}, AN_TAIL_SQRT, 0.1, NULL));
            rates[step] = bench_lr(&a, 0);
            an_lr_step(a.schedule);
        }
        if (!follow(&b, specs[i], course_of(&a, &longer), &longer, &err))
            fail_msg("%s", err.message);
        for (int step = 0; step < 200; step++) {
            assert_true(fabs(an_lr_at_step(b.schedule, 0, step) - rates[step]) < 1e-12);
            if (bench_lr(&b, 0) != rates[step])
                fail_msg("%s at %d: %.17g, not %.17g", specs[i], step, bench_lr(&b, 0),
                         rates[step]);
            an_lr_step(b.schedule);
        }
        assert_string_equal(course_of(&b, &longer), course_of(&a, &longer));
        bench_stop(&a);
        bench_stop(&b);
    }
}

static void as_text(void **state)
{
    (void)state;
    const an_lr_run now = {.total_steps = 160, .steps_per_epoch = 10};
    bench b;
    bench_start_run(&b, "Linear()", &planned, 1);
    assert_false(an_lr_is_landing(b.schedule));
    assert_int_equal(an_lr_run_of(b.schedule).total_steps, 100);
    assert_string_equal(course_of(&b, &planned), "");
    assert_string_equal(course_of(&b, &now), "Course(steps=100)");
    for (int step = 0; step < 40; step++)
        an_lr_step(b.schedule);
    assert_true(an_lr_extend(b.schedule, (an_lr_length){160, AN_STEPS}, NULL));
    assert_string_equal(course_of(&b, &planned), "Course(extended=[[40, 40, 0.5]])");
    assert_true(an_lr_plan_at(b.schedule, &(an_lr_clock){.steps = 60}) == 50);
    assert_true(an_lr_plan_at(b.schedule, &(an_lr_clock){.steps = 160}) == 100);
    assert_true(an_lr_land(b.schedule, (an_lr_length){20, AN_STEPS}, AN_TAIL_COSINE, 0, NULL));
    assert_true(an_lr_is_landing(b.schedule));
    assert_string_equal(course_of(&b, &now), "Course(steps=100, extended=[[40, 40, 0.5]], "
                                             "landing=[40, 20, 'cosine', 0])");
    bench_stop(&b);
}

static void by_the_clock(void **state)
{
    (void)state;
    an_error err = {0};
    const an_lr_run run = {.total_steps = 100, .seconds = 60, .edits = 1};
    bench b;
    assert_true(follow(&b, "Constant()", "Course(landing=[30, 20s, 'linear', 0.5])", &run, &err));
    const an_lr_clock clocks[] = {{1, .seconds = 29}, {2, .seconds = 30}, {3, .seconds = 40}};
    const double rates[] = {1, 1, 0.75};
    for (int i = 0; i < 3; i++) {
        assert_true(an_lr_at_clock(b.schedule, 0, AN_LR, &clocks[i]) == rates[i]);
        an_lr_step_with(b.schedule, &(an_lr_input){.clock = &clocks[i]});
        assert_true(bench_lr(&b, 0) == rates[i]);
    }
    assert_string_equal(course_of(&b, &run), "Course(landing=[30, 20s, 'linear', 0.5])");
    bench_stop(&b);
}

static void what_is_no_course_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"Curse()", "a call of Course"},
        {"[1]", "expected a call"},
        {"Course(stepz=3)", "did you mean 'steps'"},
        {"Course(steps=-1)", "must be 0 or more"},
        {"Course(seconds=inf)", "must be 0 or more"},
        {"Course(extended=3)", "a list of at most 3"},
        {"Course(extended=[[1, 1, 1], [2, 2, 1], [3, 3, 1], [4, 4, 1]])", "a list of at most 3"},
        {"Course(extended=[[1, 1]])", "[since when, from where, how fast]"},
        {"Course(extended=[[5, 5, 1], [4, 5, 1]])", "from 5 to"},
        {"Course(extended=[[5, nan, 1]])", "got nan"},
        {"Course(landing=[5, 10, 'sqrt'])", "[since when, how long, tail, end]"},
        {"Course(landing=[-1, 10, 'sqrt', 0])", "got -1"},
        {"Course(landing=[5, 0, 'sqrt', 0])", "a length above 0"},
        {"Course(landing=[5, inf, 'sqrt', 0])", "a length above 0"},
        {"Course(landing=[5, 0.1run, 'sqrt', 0])", "a length above 0"},
        {"Course(landing=[5, 10, 'round', 0])", "'linear', 'cosine', 'sqrt' or 'square'"},
        {"Course(landing=[5, 10, 'sqrt', 2])", "from 0 to 1, got 2"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bench b;
        an_error err = {0};
        assert_false(follow(&b, "Cosine()", wrong[i][0], &planned, &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        if (!strstr(err.message, wrong[i][1]))
            fail_msg("%s: %s", wrong[i][0], err.message);
        bench_stop(&b);
    }
    bench b;
    an_error err = {0};
    const an_lr_run rigid = {.total_steps = 100};
    assert_false(follow(&b, "Cosine()", "Course(landing=[5, 10, 'sqrt', 0])", &rigid, &err));
    assert_non_null(strstr(err.message, "no room to land (an_lr_run.edits)"));
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_goes_the_same_way),
        cmocka_unit_test(as_text),
        cmocka_unit_test(by_the_clock),
        cmocka_unit_test(what_is_no_course_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
