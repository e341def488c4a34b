/* Every wrong parameter is refused where it is said: the text, and what the error says about it. */
#include "schedule_of.h"
#include <string.h>

static const struct {
    const char *spec, *says;
} refused[] = {
    {"StepLR(step_size=0)", "StepLR: step_size must be 1 or more, got 0"},
    {"StepLR(step_size=-3)", "step_size must be 1 or more, got -3"},
    {"StepLR(step_size=5, gamma=-0.1)", "gamma must be 0 or more, got -0.1"},
    {"StepLR(step_size=5, gamma=inf)", "gamma must be 0 or more, got inf"},
    {"StepLR(5, nan)", "gamma must be 0 or more, got nan"},
    {"Table(1, nan)", "Table: every must be above 0, got nan"},
    {"MultiStepLR(milestones=[3, -1])", "milestones[1] must be 0 or more, got -1"},
    {"ConstantLR(factor=1.5)", "ConstantLR: factor must be from 0 to 1, got 1.5"},
    {"ConstantLR(total_iters=-1)", "total_iters must be 0 or more, got -1"},
    {"LinearLR(start_factor=0)", "start_factor must be above 0 and at most 1, got 0"},
    {"LinearLR(end_factor=2)", "end_factor must be from 0 to 1, got 2"},
    {"ExponentialLR(gamma=-1)", "gamma must be 0 or more"},
    {"PolynomialLR(power=-1)", "power must be 0 or more"},
    {"CosineAnnealingLR(T_max=0)", "T_max must be 1 or more, got 0"},
    {"CosineAnnealingLR(T_max=5, eta_min=-1)", "eta_min must be 0 or more"},
    {"CosineAnnealingWarmRestarts(T_0=0)", "T_0 must be 1 or more"},
    {"CosineAnnealingWarmRestarts(T_0=1, T_mult=0)", "T_mult must be from 1 to 1000, got 0"},
    {"CyclicLR(base_lr=0.1, max_lr=1, step_size_up=0)", "step_size_up must be 1 or more"},
    {"CyclicLR(base_lr=0.1, max_lr=-1)", "max_lr must be 0 or more, got -1"},
    {"CyclicLR(base_lr=0.1, max_lr=1, base_momentum=[0.5, 2])",
     "base_momentum[1] must be from 0 to 1, got 2"},
    {"OneCycleLR(max_lr=0.1)", "give total_steps, or epochs and steps_per_epoch"},
    {"OneCycleLR(max_lr=0.1, epochs=3)", "give total_steps, or epochs and steps_per_epoch"},
    {"OneCycleLR(max_lr=0.1, total_steps=0)", "total_steps must be 1 or more"},
    {"OneCycleLR(max_lr=0.1, total_steps=9, pct_start=1.5)", "pct_start must be from 0 to 1"},
    {"OneCycleLR(max_lr=0.1, total_steps=9, div_factor=0)", "div_factor must be above 0, got 0"},
    {"OneCycleLR(max_lr=0.1, total_steps=9, final_div_factor=0)", "must be above 0, got 0"},
    {"OneCycleLR(max_lr=0.1, total_steps=9, pct_start=0.6, three_phase=True)",
     "pct_start must be from 0 to 0.5 with three_phase"},
    {"OneCycleLR(max_lr=0.1, epochs=3000000000, steps_per_epoch=3000000000)", "below 2^53"},
    {"OneCycleLR(max_lr=nan, total_steps=9)",
     "OneCycleLR: max_lr is required and must be 0 or more, got nan"},
    {"OneCycleLR(max_lr=[0.1, nan], total_steps=9)", "max_lr[1] must be 0 or more, got nan"},
    {"ExponentialLR(nan)", "ExponentialLR: gamma is required and must be 0 or more, got nan"},
    {"SWALR(swa_lr=-1)", "swa_lr must be 0 or more"},
    {"SWALR(swa_lr=0.1, anneal_epochs=-1)", "anneal_epochs must be 0 or more"},
    {"ReduceLROnPlateau(factor=1)", "factor must be at least 0 and below 1, got 1"},
    {"ReduceLROnPlateau(patience=-1)", "patience must be 0 or more"},
    {"ReduceLROnPlateau(threshold=-1)", "threshold must be 0 or more"},
    {"SequentialLR([], [])", "schedulers must hold at least one"},
    {"SequentialLR([StepLR(3)], [4])", "milestones must be empty for one scheduler, got 1"},
    {"SequentialLR([StepLR(3), StepLR(4)], [0])", "milestones[0] must be 1 or more, got 0"},
    {"SequentialLR([StepLR(3), StepLR(4), StepLR(5)], [5, 3])",
     "milestones must increase, but 3 comes after 5"},
    {"SequentialLR([StepLR(3), StepLR(4), StepLR(5)], [5, 5])", "5 comes after 5"},
    {"ChainedScheduler([])", "schedulers must hold at least one"},
    {"ChainedScheduler([StepLR(3), LambdaLR(\"1\")])",
     "scheduler 1, LambdaLR, sets the rate from its own base"},
    {"ChainedScheduler([StepLR(3), ChainedScheduler([SequentialLR([StepLR(2), StepLR(3)], [4])])])",
     "would erase what those before it did; put it first"},
};

static void wrong_parameters_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        an_error err = {0};
        an_lr_text *text = an_lr_parse_text(refused[i].spec, NULL, NULL, &err);
        if (text)
            fail_msg("%s was accepted", refused[i].spec);
        if (!strstr(err.message, refused[i].says))
            fail_msg("%s: says '%s'", refused[i].spec, err.message);
    }
}

/* The same through descriptions: nothing depends on the text. */
static bool make(const an_lr_desc *desc, size_t groups, an_error *err)
{
    bench b = {0};
    bench_groups(&b, groups, 0.1);
    an_lr_run run = {.total_steps = 100};
    an_lr_schedule *schedule = an_lr_new_run(desc, &run, b.groups, groups, NULL, err);
    for (size_t i = 0; i < groups && !schedule; i++)
        assert_false(b.group[i].slot[AN_LR].has_initial);
    an_lr_free(schedule);
    return schedule != NULL;
}

static void what_is_required_must_be_set(void **state)
{
    (void)state;
    for (an_lr_kind kind = 0; kind < AN_LR_KIND_COUNT; kind++) {
        an_error err = {0};
        an_lr_desc desc = an_lr_defaults(kind);
        size_t count;
        const an_lr_param *params = an_lr_params(kind, &count);
        bool required = kind == AN_ONE_CYCLE_LR;
        for (size_t i = 0; i < count; i++)
            required |= params[i].required && params[i].type != AN_LR_INTEGERS;
        assert_int_equal(make(&desc, 1, &err), !required);
        assert_int_equal(err.code, required ? AN_ERROR_ARGUMENT : AN_ERROR_OK);
    }
    an_error err = {0};
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR);
    assert_false(an_lr_check(&desc, 0, &err));
    assert_string_equal(err.message,
                        "ExponentialLR: gamma is required and must be 0 or more, got nan");
}

static void lists_must_match_the_groups(void **state)
{
    (void)state;
    const double rates[] = {0.1, 0.2};
    an_error err = {0};
    an_lr_desc desc = an_lr_defaults(AN_SWA_LR);
    desc.swa.swa_lr = (an_lr_reals){.each = rates, .count = 2};
    assert_true(make(&desc, 2, &err));
    assert_false(make(&desc, 3, &err));
    assert_non_null(
        strstr(err.message, "swa_lr has 2 values for 3 groups: give one value for all"));
    desc.swa.swa_lr.each = NULL;
    assert_false(make(&desc, 2, &err));
}

static void groups_must_be_sound(void **state)
{
    (void)state;
    an_error err = {0};
    an_lr_desc desc = an_lr_defaults(AN_PLATEAU_LR);
    an_lr_group group, empty = {0}, *groups[] = {&group, &group}, *none[] = {NULL},
                       *bare[] = {&empty};
    an_lr_group_init(&group, 0.1);
    assert_null(an_lr_new(&desc, groups, 2, NULL, &err));
    assert_string_equal(err.message, "groups 0 and 1 of the schedule are the same");
    assert_null(an_lr_new(&desc, none, 1, NULL, &err));
    assert_null(an_lr_new(&desc, bare, 1, NULL, &err));
    assert_null(an_lr_new(&desc, groups, 0, NULL, &err));
    assert_null(an_lr_new(NULL, groups, 1, NULL, &err));
    group.slot[AN_LR].value = -0.5;
    assert_null(an_lr_new(&desc, groups, 1, NULL, &err));
    assert_string_equal(err.message, "the learning rate of group 0 must be 0 or more, got -0.5");
    group.slot[AN_LR].has_initial = true; /* an earlier schedule's doing: two on one group */
    an_lr_schedule *second = an_lr_new(&desc, groups, 1, NULL, &err);
    assert_non_null(second);
    an_lr_free(second);
    group.slot[AN_LR].value = NAN;
    assert_null(an_lr_new(&desc, groups, 1, NULL, &err));
    assert_string_equal(err.message,
                        "the learning rate of group 0 must be a finite number, got nan");
}

/* Children shared by many parents would make a tree of 2^30 nodes. */
static void trees_have_a_limit(void **state)
{
    (void)state;
    an_error err = {0};
    an_lr_desc desc[31];
    const an_lr_desc *children[31][2];
    desc[0] = an_lr_defaults(AN_EXPONENTIAL_LR);
    desc[0].exponential.gamma = 0.5;
    for (int i = 1; i < 31; i++) {
        desc[i] = an_lr_defaults(AN_CHAINED_LR);
        children[i][0] = children[i][1] = &desc[i - 1];
        desc[i].chained.schedulers = (an_lr_children){children[i], 2};
    }
    assert_true(make(&desc[8], 1, &err));
    assert_false(make(&desc[30], 1, &err));
    assert_int_equal(an_lr_size(&desc[30], 1), 0);
    assert_non_null(strstr(err.message, "hold 1024 schedules"));
    desc[0].kind = (an_lr_kind)99;
    assert_false(make(&desc[0], 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_parameters_are_refused),
        cmocka_unit_test(what_is_required_must_be_set),
        cmocka_unit_test(lists_must_match_the_groups),
        cmocka_unit_test(groups_must_be_sound),
        cmocka_unit_test(trees_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
