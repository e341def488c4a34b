/* Schedules as text: parsing, printing, the places of errors, what a trainer fills in. */
#include "german_locale.h"
#include "random_desc.h"
#include "schedule_of.h"
#include <string.h>

/* The text and its canonical form. */
static const char *const canonical[][2] = {
    {"StepLR(30)", "StepLR(step_size=30)"},
    {"torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)", "StepLR(step_size=30)"},
    {"StepLR(30, last_epoch=-1)", "StepLR(step_size=30)"},
    {"StepLR(30, last_epoch=-1, verbose=True)", "StepLR(step_size=30)"},
    {"StepLR(optimizer, 30, 0.1, -1, False)", "StepLR(step_size=30)"},
    {"StepLR(30, verbose='deprecated')", "StepLR(step_size=30)"},
    {"ReduceLROnPlateau(opt, 'min', 0.1, 10, 1e-4, 'rel', 0, 0, 1e-8, True)",
     "ReduceLROnPlateau()"},
    {"SequentialLR([StepLR(2, verbose=True), StepLR(3)], [5], -1, False)",
     "SequentialLR([StepLR(step_size=2), StepLR(step_size=3)], milestones=[5])"},
    {"StepLR(30, 1/4)", "StepLR(step_size=30, gamma=0.25)"},
    {"MultiStepLR([30, 80])", "MultiStepLR(milestones=[30, 80])"},
    {"LinearLR()", "LinearLR()"},
    {"LinearLR(1/3)", "LinearLR()"},
    {"LinearLR(start_factor = 0.5 , total_iters=1_000)",
     "LinearLR(start_factor=0.5, total_iters=1000)"},
    {"CosineAnnealingLR(T_max=10, eta_min=1e-5)", "CosineAnnealingLR(T_max=10, eta_min=1e-05)"},
    {"CyclicLR(0.1, [1, 2], mode='exp_range', gamma=.9, cycle_momentum=False)",
     "CyclicLR(base_lr=0.1, max_lr=[1, 2], mode='exp_range', gamma=0.9, cycle_momentum=False)"},
    {"CyclicLR(0.1, 1, scale_fn='0.5 ** epoch', step_size_down=None)",
     "CyclicLR(base_lr=0.1, max_lr=1, scale_fn=\"0.5 ** epoch\")"},
    {"OneCycleLR(max_lr=0.1, total_steps=10, epochs=None)",
     "OneCycleLR(max_lr=0.1, total_steps=10)"},
    {"LambdaLR('0.95 ** epoch')", "LambdaLR(\"0.95 ** epoch\")"},
    {"LambdaLR('0.95\\n**\\tepoch')", "LambdaLR(\"0.95 ** epoch\")"},
    {"LambdaLR(lr_lambda=lambda e: 0.95 ** e)", "LambdaLR(lambda e: 0.95 ** e)"},
    {"LambdaLR([lambda e: 1 / (e + 1), \"0.5\"])", "LambdaLR([lambda e: 1 / (e + 1), \"0.5\"])"},
    {"LambdaLR('lambda epoch: 0.95 ** epoch')", "LambdaLR(lambda epoch: 0.95 ** epoch)"},
    {"LambdaLR([' lambda  e :min(1, e / 9) \\n', 'epoch'])",
     "LambdaLR([lambda e: min(1, e / 9), \"epoch\"])"},
    {"CyclicLR(0.1, 1, scale_fn=\"lambda x: 1 / x\")",
     "CyclicLR(base_lr=0.1, max_lr=1, scale_fn=lambda x: 1 / x)"},
    {"SequentialLR(optimizer, schedulers=[ConstantLR(), StepLR(2)], milestones=[5])",
     "SequentialLR([ConstantLR(), StepLR(step_size=2)], milestones=[5])"},
    {"SequentialLR([StepLR(2)], [])", "SequentialLR([StepLR(step_size=2)])"},
    {"ChainedScheduler([ConstantLR(0.5), ExponentialLR(0.9)])",
     "ChainedScheduler([ConstantLR(factor=0.5), ExponentialLR(gamma=0.9)])"},
    {"ReduceLROnPlateau('max', patience=0, min_lr=[0.1, 0.2])",
     "ReduceLROnPlateau(mode='max', patience=0, min_lr=[0.1, 0.2])"},
};

static void print_of(const char *spec, char *out, size_t size)
{
    an_error err = {0};
    an_lr_text *text = an_lr_parse_text(spec, NULL, NULL, &err);
    if (!text)
        fail_msg("%s: %s", spec, err.message);
    assert_true(an_lr_print(out, size, an_lr_text_desc(text)) < size);
    an_lr_text_free(text);
}

static void text_becomes_canonical(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof canonical / sizeof canonical[0]; i++) {
        char once[300], twice[300];
        print_of(canonical[i][0], once, sizeof once);
        assert_string_equal(once, canonical[i][1]);
        print_of(once, twice, sizeof twice);
        assert_string_equal(twice, once);
    }
}

/* Same text means same parameters, since numbers are printed to their last bit; and the schedules
 * made from both step alike. */
static void random_schedules_survive_text(void **state)
{
    (void)state;
    static random_desc draw;
    draw.metric = true;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        static char once[20000], twice[20000];
        an_error err = {0};
        draw.state = seed;
        const an_lr_desc *desc = random_desc_draw(&draw, 2);
        assert_true(an_lr_print(once, sizeof once, desc) < sizeof once);
        an_lr_text *text = an_lr_parse_text(once, NULL, NULL, &err);
        if (!text)
            fail_msg("seed %llu: %s: %s", (unsigned long long)seed, once, err.message);
        an_lr_print(twice, sizeof twice, an_lr_text_desc(text));
        assert_string_equal(once, twice);
        bench a, b;
        bench_groups(&a, 2, 0.1);
        bench_groups(&b, 2, 0.1);
        a.schedule = an_lr_new(desc, a.groups, 2, NULL, NULL);
        b.schedule = an_lr_new(an_lr_text_desc(text), b.groups, 2, NULL, NULL);
        for (int step = 0; step < 50; step++) {
            an_lr_step_metric(a.schedule, step % 7);
            an_lr_step_metric(b.schedule, step % 7);
            assert_true(bench_lr(&a, 1) == bench_lr(&b, 1));
        }
        an_lr_free(a.schedule);
        an_lr_free(b.schedule);
        an_lr_text_free(text);
    }
}

static const struct {
    const char *spec, *says;
    size_t column; /* of the caret, from 1 */
} wrong[] = {
    {"StepLP(30)", "there is no schedule 'StepLP'; did you mean 'StepLR'?", 1},
    {"Quux(30)", "there is no schedule 'Quux'; anneal schedule list shows all, with --aliases", 1},
    {"30", "a schedule is written as a call", 1},
    {"CosineAnnealingLR(tmax=10)", "did you mean 'T_max'?", 19},
    {"StepLR(gamma=0.5)", "step_size", 1},
    {"StepLR(step_size=0)", "StepLR: step_size must be 1 or more, got 0", 18},
    {"StepLR(2, gamma='x')", "gamma", 17},
    {"StepLR(2.5)", "step_size", 8},
    {"CyclicLR(0.1, 1, mode='triangle')",
     "mode must be one of 'triangular', 'triangular2', "
     "'exp_range', got 'triangle'",
     23},
    {"OneCycleLR(max_lr=nan, total_steps=8)", "must be 0 or more, got nan", 19},
    {"CyclicLR(0.1, [])", "max_lr is an empty list", 15},
    {"OneCycleLR(max_lr=1, total_steps=8, pct_start=0.7, three_phase=True)", "from 0 to 0.5", 47},
    {"SequentialLR([StepLR(2), StepLR(3)], milestones=[0])", "milestones[0] must be 1 or more", 49},
    {"SequentialLR([StepLR(2), StepLR(0)], milestones=[4])", "step_size must be 1 or more", 33},
    {"ChainedScheduler([StepLR(2), LambdaLR('1')])", "put it first", 30},
    {"StepLR(2, last_epoch=5)", "last_epoch can only be -1; to go on with an earlier run, load",
     22},
    {"StepLR(2, 0.1, 5)", "last_epoch can only be -1", 16},
    {"StepLR(2, last_epoch=0.5)", "'last_epoch' must be a whole number", 22},
    {"StepLR(2, verbose=2)", "'verbose' must be True or False, not 2", 19},
    {"StepLR(2, verbose='yes')", "'verbose' must be True or False", 19},
    {"StepLR(2, 0.1, -1, False, 3)", "takes at most 4 arguments: step_size, gamma, last_epoch", 27},
    {"SequentialLR([StepLR(2), StepLR(3)])", "milestones must hold the 1 step at which", 1},
    {"SequentialLR([StepLR(2), StepLR(3), StepLR(4)], milestones=[])",
     "milestones must hold the 2 steps", 60},
    {"LambdaLR(3)", "must be an expression of epoch", 10},
    {"LambdaLR('0.5 ** epoc')", "unknown name 'epoc' in the expression; its variable is 'epoch'",
     18},
    {"LambdaLR(lambda e: 0.5 ** epoch)", "its variable is 'e'", 27},
    {"LambdaLR('lambda e: 0.5 ** epoch')", "its variable is 'e'", 28},
    {"LambdaLR('lambda: 0.5')", "a lambda has one variable and a colon", 17},
    {"LambdaLR('lambda a, b: 0.5')", "a lambda has one variable and a colon", 19},
    {"LambdaLR('lambda e')", "a lambda has one variable and a colon", 19},
    {"LambdaLR('lambda 1: 2')", "a lambda has one variable and a colon", 19},
    {"LambdaLR('lambda e:')", "ends where a value should be", 20},
    {"LambdaLR('lambdas')", "unknown name 'lambdas'", 11},
    {"LambdaLR('0.5 * 007')", "an integer does not begin with 0, here as in Python; write 7", 17},
    {"LambdaLR('0_7')", "write 7", 11},
    {"LambdaLR('9007199254740993')", "integers are exact up to 2^53 here; write a larger", 11},
    {"LambdaLR('epoch / 100000000000000000000000')", "such as 1e16", 19},
    {"LambdaLR('1 + coss(epoch)')", "there is no function 'coss'; did you mean 'cos'?", 15},
    {"LambdaLR('erf(epoch)')", "there is no function 'erf'; there are min, max", 11},
    {"LambdaLR('0.5 **')", "ends where a value should be", 17},
};

static void errors_point_at_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        an_error err = {0};
        an_lr_text *text = an_lr_parse_text(wrong[i].spec, NULL, NULL, &err);
        if (text)
            fail_msg("%s was accepted", wrong[i].spec);
        if (!strstr(err.message, wrong[i].says))
            fail_msg("%s: says '%s'", wrong[i].spec, err.message);
        const char *line = strchr(err.excerpt, '\n');
        assert_non_null(line);
        size_t column =
            strcspn(line + 1, "^") - (strcspn(err.excerpt, "\n") - strlen(wrong[i].spec)) + 1;
        if (column != wrong[i].column)
            fail_msg("%s: caret at %zu, expected %zu", wrong[i].spec, column, wrong[i].column);
    }
}

static void expect_filled(const char *spec, const an_lr_run *fill, const char *printed)
{
    char out[200];
    an_error err = {0};
    an_lr_text *text = an_lr_parse_text(spec, fill, NULL, &err);
    if (!text)
        fail_msg("%s: %s", spec, err.message);
    an_lr_print(out, sizeof out, an_lr_text_desc(text));
    assert_string_equal(out, printed);
    an_lr_text_free(text);
}

static void a_trainer_fills_in_the_length(void **state)
{
    (void)state;
    an_lr_run fill = {.total_steps = 90, .epochs = 3, .steps_per_epoch = 30};
    expect_filled("OneCycleLR(0.5)", &fill, "OneCycleLR(max_lr=0.5, total_steps=90)");
    expect_filled("OneCycleLR(0.5, total_steps=7)", &fill, "OneCycleLR(max_lr=0.5, total_steps=7)");
    expect_filled("OneCycleLR(0.5, epochs=2)", &fill,
                  "OneCycleLR(max_lr=0.5, epochs=2, steps_per_epoch=30)");
    expect_filled("SequentialLR([LinearLR(), OneCycleLR(0.5)], [5])", &fill,
                  "SequentialLR([LinearLR(), OneCycleLR(max_lr=0.5, total_steps=90)], "
                  "milestones=[5])");
    fill.total_steps = 0;
    expect_filled("OneCycleLR(0.5)", &fill, "OneCycleLR(max_lr=0.5, epochs=3, steps_per_epoch=30)");
}

/* A chain in a chain and so on, `depth` schedules deep; its text and the state's bring it back. */
static void the_deepest_description_survives_text(void **state)
{
    (void)state;
    char text[2048] = "", back[2048];
    for (int depth = 1; depth <= 33; depth++) {
        static const char *const inner = "StepLR(step_size=3)";
        size_t used = 0;
        for (int i = 1; i < depth; i++)
            used += an_format(text + used, sizeof text - used, "ChainedScheduler([%s, ", inner);
        used += an_format(text + used, sizeof text - used, "%s", inner);
        for (int i = 1; i < depth; i++)
            used += an_format(text + used, sizeof text - used, "])");
        an_error err = {0};
        an_lr_text *parsed = an_lr_parse_text(text, NULL, NULL, &err);
        assert_int_equal(parsed != NULL, depth <= 32);
        if (parsed)
            an_lr_print(back, sizeof back, an_lr_text_desc(parsed));
        else
            assert_non_null(strstr(err.message, "a schedule can nest 32 deep"));
        if (parsed)
            assert_string_equal(back, text);
        an_lr_text_free(parsed);
    }
}

static void printing_cuts_where_the_buffer_ends(void **state)
{
    (void)state;
    an_lr_desc desc = an_lr_defaults(AN_STEP_LR);
    desc.step.step_size = 30;
    char text[32];
    for (size_t size = 0; size <= 24; size++) {
        memset(text, '#', sizeof text);
        assert_int_equal(an_lr_print(text, size, &desc), strlen("StepLR(step_size=30)"));
        assert_int_equal(text[size], '#');
        if (size > 0)
            assert_memory_equal(text, "StepLR(step_size=30)", strlen(text));
        if (size > 0 && size <= 20)
            assert_int_equal(strlen(text), size - 1);
    }
}

/* Where a decimal comma rules. */
static void text_knows_no_locale(void **state)
{
    (void)state;
    char out[80], libc[16];
    german_locale locale;
    german_locale_enter(&locale);
    snprintf(libc, sizeof libc, "%g", 0.5);
    print_of("LambdaLR(\"0.25 + epoch / 1.5e3\")", out, sizeof out);
    assert_string_equal(out, "LambdaLR(\"0.25 + epoch / 1.5e3\")");
    print_of("StepLR(step_size=30, gamma=0.25)", out, sizeof out);
    bench b;
    bench_start(&b, "LambdaLR(\"0.25 + epoch / 1.5e3\")", 1, 1);
    german_locale_leave(&locale);
    assert_string_equal(out, "StepLR(step_size=30, gamma=0.25)");
    assert_true(bench_lr(&b, 0) == 0.25);
    bench_stop(&b);
    if (!locale.on)
        skip();
    assert_string_equal(libc, "0,5"); /* the locale was really on */
}

static void the_table_names_every_schedule(void **state)
{
    (void)state;
    const char *const *names = an_lr_names();
    for (an_lr_kind kind = 0; kind < AN_LR_KIND_COUNT; kind++) {
        size_t count;
        assert_string_equal(names[kind], an_lr_name(kind));
        assert_non_null(an_lr_params(kind, &count));
        assert_in_range(count, 1, 16);
    }
    assert_null(names[AN_LR_KIND_COUNT]);
    assert_null(an_lr_name(AN_LR_KIND_COUNT));
    assert_string_equal(an_slot_name(AN_BETA1), "beta1");
    assert_string_equal(an_slot_name(AN_SLOT_COUNT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_canonical),
        cmocka_unit_test(random_schedules_survive_text),
        cmocka_unit_test(errors_point_at_the_place),
        cmocka_unit_test(a_trainer_fills_in_the_length),
        cmocka_unit_test(the_deepest_description_survives_text),
        cmocka_unit_test(printing_cuts_where_the_buffer_ends),
        cmocka_unit_test(text_knows_no_locale),
        cmocka_unit_test(the_table_names_every_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
