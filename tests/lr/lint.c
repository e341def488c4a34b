/* What the linter finds, what it proposes instead, and what it leaves alone. */
#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"
#include "random_desc.h"
#include <anneal/lr_text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A schedule over a run, and the finding that it must have. */
typedef struct lint_case {
    const char *spec;
    int64_t steps, each;
    bool per_epoch, after_run;
    an_lint_kind kind;
    const char *param, *fix;
} lint_case;

static const lint_case cases[] = {
    {"Linear(start=0, end=1, length=10)", 100, 0, false, false, AN_LINT_FIRST_ZERO, "start",
     "Linear(start=0.1, end=1, length=10)"},
    {"Sequence([Linear(start=0, end=1), Cosine()], [50])", 100, 0, false, false, AN_LINT_FIRST_ZERO,
     "schedules[0].start", "Sequence([Linear(start=0.02, end=1), Cosine()], milestones=[50])"},
    {"LambdaLR(\"min(1, epoch / 10)\")", 100, 0, false, false, AN_LINT_FIRST_ZERO, "lr_lambda",
     "Shift(LambdaLR(\"min(1, epoch / 10)\"), by=-1)"},
    {"CyclicLR(0, 0.1, 10, cycle_momentum=False)", 100, 0, false, false, AN_LINT_FIRST_ZERO,
     "base_lr", "CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=10, cycle_momentum=False)"},

    {"CosineAnnealingLR(T_max=200)", 100, 0, false, false, AN_LINT_NOT_REACHED, "T_max",
     "CosineAnnealingLR(T_max=100)"},
    {"LinearLR(1, 0, 10)", 10, 0, false, false, AN_LINT_NOT_REACHED, "total_iters",
     "LinearLR(start_factor=1, end_factor=0, total_iters=9)"},
    {"SequentialLR([LinearLR(0.1), CosineAnnealingLR(T_max=100)], [5])", 100, 0, false, false,
     AN_LINT_NOT_REACHED, "schedulers[1].T_max",
     "SequentialLR([LinearLR(start_factor=0.1), CosineAnnealingLR(T_max=95)], milestones=[5])"},
    {"MultiStepLR([30, 60, 90])", 70, 0, false, false, AN_LINT_NOT_REACHED, "milestones",
     "MultiStepLR(milestones=[30, 60])"},
    {"MultiStepLR([300, 600])", 100, 0, false, false, AN_LINT_NOT_REACHED, "milestones",
     "MultiStepLR(milestones=[50, 75])"},
    {"StepLR(100)", 100, 0, false, false, AN_LINT_NOT_REACHED, "step_size", "StepLR(step_size=33)"},
    {"CosineAnnealingWarmRestarts(200)", 100, 0, false, false, AN_LINT_NOT_REACHED, "T_0",
     "CosineAnnealingWarmRestarts(T_0=100)"},
    {"CyclicLR(0.01, 0.1)", 100, 0, false, false, AN_LINT_NOT_REACHED, "step_size_up",
     "CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=50)"},
    {"Interpolate([0, 10, 200], [0.1, 1, 0])", 100, 0, false, false, AN_LINT_NOT_REACHED, "at",
     "Interpolate(at=[0, 4.95, 99], values=[0.1, 1, 0])"},
    {"Sequence([Cosine(length=30), Constant(0.1)], [300])", 100, 0, false, false,
     AN_LINT_NOT_REACHED, "milestones", "Cosine(length=30)"},

    {"LinearLR(0.1, total_iters=200)", 100, 0, false, false, AN_LINT_LONG_WARMUP, "total_iters",
     "LinearLR(start_factor=0.1, total_iters=10)"},
    {"Sequence([Linear(start=0.1, end=1), Cosine()], [500])", 100, 0, false, false,
     AN_LINT_LONG_WARMUP, "milestones",
     "Sequence([Linear(start=0.1, end=1), Cosine()], milestones=[10])"},
    {"SequentialLR([LinearLR(0.1, total_iters=500), ExponentialLR(0.99)], [500])", 100, 0, false,
     false, AN_LINT_LONG_WARMUP, "milestones",
     "SequentialLR([LinearLR(start_factor=0.1, total_iters=10), ExponentialLR(gamma=0.99)], "
     "milestones=[10])"},

    {"CosineAnnealingLR(T_max=50)", 100, 0, false, false, AN_LINT_RISES, "T_max",
     "CosineAnnealingLR(T_max=100)"},
    {"CosineAnnealingLR(T_max=100)", 100, 0, false, true, AN_LINT_RISES, "T_max",
     "CosineAnnealingLR(T_max=100, after_end='hold')"},

    {"PolynomialLR()", 100, 0, false, false, AN_LINT_ZERO_TAIL, "total_iters",
     "PolynomialLR(total_iters=100)"},
    {"MultiStepLR([50], gamma=0)", 100, 0, false, false, AN_LINT_ZERO_TAIL, "",
     "Clamp(MultiStepLR(milestones=[50], gamma=0), min=0.001)"},

    {"LambdaLR(\"1 - epoch / 10\")", 20, 0, false, false, AN_LINT_NEGATIVE, "lr_lambda",
     "Clamp(LambdaLR(\"1 - epoch / 10\"), min=0)"},
    {"LambdaLR(\"1 - epoch / 20\")", 20, 0, false, true, AN_LINT_NEGATIVE, "lr_lambda",
     "Clamp(LambdaLR(\"1 - epoch / 20\"), min=0)"},
    {"LambdaLR(\"1 / (10 - epoch)\")", 20, 0, false, false, AN_LINT_NOT_FINITE, "lr_lambda",
     "Clamp(LambdaLR(\"1 / (10 - epoch)\"), min=0, max=0.1)"},
    {"LambdaLR(\"sqrt(10 - epoch)\")", 11, 0, false, true, AN_LINT_NOT_FINITE, "lr_lambda", NULL},

    {"SequentialLR([LinearLR(0.1, total_iters=10), CosineAnnealingLR(T_max=95)], [5])", 100, 0,
     false, false, AN_LINT_JUMP, "milestones",
     "SequentialLR([LinearLR(start_factor=0.1), CosineAnnealingLR(T_max=95)], milestones=[5])"},
    {"Sequence([Linear(start=0.1, end=0.5), Cosine()], [10])", 100, 0, false, false, AN_LINT_JUMP,
     "milestones", "Sequence([Linear(start=0.1, end=1), Cosine()], milestones=[10])"},
    {"Sequence([Cosine(end=0.1), ExponentialLR(0.9)], [50])", 100, 0, false, false, AN_LINT_JUMP,
     "milestones",
     "Sequence([Cosine(end=0.1), Scale(ExponentialLR(gamma=0.9), by=0.100888)], milestones=[50])"},

    {"CosineAnnealingWarmRestarts(T_0=33)", 100, 0, false, false, AN_LINT_LATE_RESTART, "T_0",
     "CosineAnnealingWarmRestarts(T_0=34)"},
    {"CosineAnnealingWarmRestarts(T_0=14, T_mult=2)", 100, 0, false, false, AN_LINT_LATE_RESTART,
     "T_0", "CosineAnnealingWarmRestarts(T_0=15, T_mult=2)"},
    {"Loop(Cosine(), length=33)", 100, 0, false, false, AN_LINT_LATE_RESTART, "length",
     "Loop(Cosine(), length=34)"},
    {"Restarts(Cosine(), length=14, growth=2)", 100, 0, false, false, AN_LINT_LATE_RESTART,
     "length", "Restarts(Cosine(), length=15, growth=2)"},

    {"StepLR(30)", 93800, 938, false, false, AN_LINT_UNIT, "", "StepLR(step_size=28140)"},
    {"CosineAnnealingLR(T_max=10)", 9380, 938, false, false, AN_LINT_UNIT, "",
     "CosineAnnealingLR(T_max=9380)"},
    {"SequentialLR([LinearLR(0.1), CosineAnnealingLR(T_max=5)], [5])", 9380, 938, false, false,
     AN_LINT_UNIT, "",
     "SequentialLR([LinearLR(start_factor=0.1, total_iters=4690), CosineAnnealingLR(T_max=4690)], "
     "milestones=[4690])"},
    {"CosineAnnealingLR(T_max=9380)", 10, 938, true, false, AN_LINT_UNIT, "",
     "CosineAnnealingLR(T_max=10)"},
    {"OneCycleLR(max_lr=0.1, total_steps=9380)", 10, 938, true, false, AN_LINT_UNIT, "",
     "OneCycleLR(max_lr=0.1, total_steps=10)"},

    {"OneCycleLR(max_lr=0.1, total_steps=50)", 100, 0, false, false, AN_LINT_TOTAL_STEPS,
     "total_steps", "OneCycleLR(max_lr=0.1, total_steps=100)"},
    {"OneCycleLR(max_lr=0.1, epochs=10, steps_per_epoch=20)", 100, 0, false, false,
     AN_LINT_TOTAL_STEPS, "total_steps", "OneCycleLR(max_lr=0.1, total_steps=100)"},

    {"StepLR(30, gamma=1)", 90, 0, false, false, AN_LINT_NO_EFFECT, "", "StepLR(step_size=30)"},
    {"ExponentialLR(gamma=1)", 90, 0, false, false, AN_LINT_NO_EFFECT, "", "Constant()"},
};

#define CASE_COUNT (sizeof cases / sizeof *cases)

static an_lint_options options_of(const lint_case *c)
{
    an_lint_options o = {.per_epoch = c->per_epoch, .updates_per_epoch = c->each};
    o.run.total_steps = c->steps;
    return o;
}

static an_lint *look(const char *spec, const an_lint_options *o)
{
    an_error err = {0};
    an_lr_text *text = an_lr_parse_text(spec, &o->run, NULL, &err);
    if (!text)
        fail_msg("%s: %s", spec, err.message);
    an_lint *lint = an_lint_new(an_lr_text_desc(text), o, NULL, &err);
    if (!lint)
        fail_msg("%s: %s", spec, err.message);
    an_lr_text_free(text);
    return lint;
}

/* The finding of a kind about a parameter, or NULL. */
static const an_lint_finding *find(const an_lint *lint, const lint_case *c)
{
    for (size_t i = 0; i < an_lint_count(lint); i++) {
        const an_lint_finding *f = an_lint_get(lint, i);
        if (f->kind == c->kind && f->after_run == c->after_run && strcmp(f->param, c->param) == 0)
            return f;
    }
    return NULL;
}

static void print(const an_lint *lint)
{
    for (size_t i = 0; i < an_lint_count(lint); i++) {
        const an_lint_finding *f = an_lint_get(lint, i);
        print_message("  %s%s [%s] at %lld: %s\n    %s\n", an_lint_name(f->kind),
                      f->after_run ? " (after)" : "", f->param, (long long)f->step, f->text,
                      f->fix ? f->fix : "-");
    }
}

/* Every case has its finding and its fix; the fix has the finding no more. */
static void every_finding_is_found_and_fixed(void **state)
{
    (void)state;
    bool met[AN_LINT_COUNT] = {false};
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const lint_case *c = &cases[i];
        an_lint_options o = options_of(c);
        an_lint *lint = look(c->spec, &o);
        const an_lint_finding *f = find(lint, c);
        if (!f || !f->fix || (c->fix && strcmp(f->fix, c->fix) != 0)) {
            print(lint);
            fail_msg("%s over %lld steps: %s [%s] is not found, or not fixed as %s", c->spec,
                     (long long)c->steps, an_lint_name(c->kind), c->param, c->fix ? c->fix : "any");
        }
        assert_true(strlen(f->text) > 20 && f->step >= 0);
        an_lint *again = look(f->fix, &o);
        if (find(again, c))
            fail_msg("%s still has it", f->fix);
        an_lint_free(again);
        an_lint_free(lint);
        met[c->kind] = true;
    }
    for (int kind = 0; kind < AN_LINT_COUNT; kind++)
        if (kind != AN_LINT_OVERWRITES)
            assert_true(met[kind]);
}

static const struct {
    const char *spec;
    int64_t steps, each;
    bool per_epoch;
} good[] = {
    {"CosineAnnealingLR(T_max=100)", 100, 10, false},
    {"CosineAnnealingLR(T_max=90, eta_min=1e-5)", 90, 938, true},
    {"StepLR(30)", 90, 938, true},
    {"StepLR(30)", 61, 0, false},
    {"MultiStepLR([30, 60, 80])", 90, 938, true},
    {"ExponentialLR(0.95)", 100, 100, true},
    {"ExponentialLR(1.1)", 100, 100, false},
    {"LinearLR()", 1000, 100, false},
    {"ConstantLR()", 100, 0, false},
    {"LinearLR(1, 0, 100)", 100, 0, false},
    {"PolynomialLR(100, 0.9)", 100, 0, false},
    {"OneCycleLR(max_lr=0.1)", 9380, 938, false},
    {"CyclicLR(0.001, 0.1, 200)", 9380, 938, false},
    {"CosineAnnealingWarmRestarts(T_0=25)", 100, 0, false},
    {"CosineAnnealingWarmRestarts(T_0=10, T_mult=2)", 70, 0, false},
    {"SequentialLR([LinearLR(0.01), CosineAnnealingLR(95)], [5])", 100, 938, true},
    {"SequentialLR([ConstantLR(0.1, 20), ExponentialLR(0.9)], [20])", 100, 0, false},
    {"SequentialLR([CosineAnnealingLR(50), CosineAnnealingLR(50)], [50])", 100, 0, false},
    {"ChainedScheduler([LinearLR(0.1, total_iters=10), ExponentialLR(0.97)])", 100, 0, false},
    {"ReduceLROnPlateau()", 100, 0, false},
    {"Product([Cosine(), ReduceLROnPlateau(patience=5)])", 100, 0, false},
    {"LambdaLR(\"0.95 ** epoch\")", 100, 10, false},
    {"Constant()", 100, 0, false},
    {"Sequence([Linear(start=0.01, end=1), Constant(), Decay('cosine')], [100, 800])", 1000, 0,
     false},
    {"Sequence([Constant(1), Constant(0.1)], [50])", 100, 0, false},
    {"Sequence([Linear(start=0.1, end=1), Cosine()], [5ep])", 9380, 938, false},
    {"Loop(Cosine(length=25))", 100, 0, false},
    {"Cosine(length=50, after_end='zero')", 100, 0, false},
    {"Cosine(end=Linear(start=0.2, end=0.1, length=1000))", 100, 0, false},
    {"SequentialLR([OneCycleLR(max_lr=0.1, total_steps=50), ExponentialLR(0.9)], [50])", 60, 0,
     false},
    {"Sequence([Cosine(end=0.1, length=50), Constant(0.1)], [50])", 100, 0, false},
};

static void good_schedules_are_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        an_lint_options o = {.per_epoch = good[i].per_epoch, .updates_per_epoch = good[i].each};
        o.run.total_steps = good[i].steps;
        o.run.steps_per_epoch = good[i].per_epoch ? 1 : good[i].each;
        an_lint *lint = look(good[i].spec, &o);
        for (size_t k = 0; k < an_lint_count(lint); k++)
            if (!an_lint_get(lint, k)->after_run) {
                print(lint);
                fail_msg("%s has a warning", good[i].spec);
            }
        an_lint_free(lint);
    }
}

/* Of a plan for 100 steps the run may go through fewer, or more. */
static void the_steps_of_the_plan_that_come_to_pass(void **state)
{
    (void)state;
    static const int64_t steps[] = {0, 100, 60, 140};
    for (size_t i = 0; i < 4; i++) {
        const an_lint_options o = {.run.total_steps = 100, .steps = steps[i]};
        an_lint *lint = look("OneCycleLR(max_lr=0.1)", &o);
        assert_int_equal(an_lint_count(lint), i < 2 ? 0 : 1);
        if (i >= 2)
            assert_int_equal(an_lint_get(lint, 0)->kind, AN_LINT_TOTAL_STEPS);
        an_lint_free(lint);
    }
}

/* ------------------------------------------------------------- the optimizer's */

static an_lr_group groups[2], *list[] = {&groups[0], &groups[1]};

/* How many findings, and the first of them if there is one. */
static an_lint *over(const char *spec, double lr, double second, double momentum, double beta1)
{
    groups[0] = groups[1] = (an_lr_group){0};
    an_lr_group_set(&groups[0], AN_LR, lr);
    an_lr_group_set(&groups[1], AN_LR, second);
    for (int g = 0; g < 2; g++) {
        if (!isnan(momentum))
            an_lr_group_set(&groups[g], AN_MOMENTUM, momentum);
        if (!isnan(beta1))
            an_lr_group_set(&groups[g], AN_BETA1, beta1);
    }
    an_lint_options o = {.groups = list, .group_count = isnan(second) ? 1 : 2};
    o.run.total_steps = 100;
    return look(spec, &o);
}

static void expect_overwrites(an_lint *lint, const char *param, const char *fix)
{
    const an_lint_finding *f = an_lint_get(lint, 0);
    assert_int_equal(an_lint_count(lint), 1);
    assert_int_equal(f->kind, AN_LINT_OVERWRITES);
    assert_string_equal(f->param, param);
    assert_string_equal(f->fix, fix);
    an_lint_free(lint);
}

static void expect_nothing(an_lint *lint)
{
    if (an_lint_count(lint) > 0)
        print(lint);
    assert_int_equal(an_lint_count(lint), 0);
    an_lint_free(lint);
}

static void momentum_and_rate_that_are_not_used(void **state)
{
    (void)state;
    const char *one = "OneCycleLR(max_lr=0.1)";
    expect_overwrites(over(one, 0.1, NAN, 0.9, NAN), "cycle_momentum",
                      "OneCycleLR(max_lr=0.1, total_steps=100, cycle_momentum=False)");
    expect_overwrites(over(one, 0.1, NAN, NAN, 0.8), "cycle_momentum",
                      "OneCycleLR(max_lr=0.1, total_steps=100, cycle_momentum=False)");
    expect_overwrites(over(one, 0.5, NAN, NAN, NAN), "max_lr",
                      "OneCycleLR(max_lr=0.5, total_steps=100)");
    expect_overwrites(over(one, 0.1, 0.5, NAN, NAN), "max_lr",
                      "OneCycleLR(max_lr=[0.1, 0.5], total_steps=100)");
    expect_overwrites(over("CyclicLR(0.01, 0.1, 10, cycle_momentum=False)", 0.02, NAN, 0.5, NAN),
                      "base_lr",
                      "CyclicLR(base_lr=0.02, max_lr=0.1, step_size_up=10, cycle_momentum=False)");
    expect_nothing(over(one, 0.1, NAN, 0.95, NAN)); /* what it begins with */
    expect_nothing(over(one, 0.1, NAN, 0, NAN));    /* what SGD has when nobody says it */
    expect_nothing(over(one, 0.1, NAN, NAN, 0.9));  /* what Adam has */
    expect_nothing(over(one, 0.004, NAN, NAN, NAN));
    expect_nothing(over("StepLR(30)", 0.5, NAN, 0.9, NAN));
    assert_true(groups[0].slot[AN_LR].value == 0.5 && !groups[0].slot[AN_LR].has_initial);
}

/* What the linter says of a schedule over three groups with these rates. */
static void expect_of_groups(const char *spec, const double *rates, an_lint_kind kind,
                             int64_t group, const char *part, const char *fix)
{
    an_lr_group each[3], *all[] = {&each[0], &each[1], &each[2]};
    an_error err = {0};
    const an_lint_options o = {.run = {.total_steps = 100}, .groups = all, .group_count = 3};
    for (size_t i = 0; i < 3; i++)
        an_lr_group_init(&each[i], rates[i]);
    an_lr_text *text = an_lr_parse_text(spec, &o.run, NULL, &err);
    an_lint *lint = text ? an_lint_new(an_lr_text_desc(text), &o, NULL, &err) : NULL;
    if (!lint)
        fail_msg("%s: %s", spec, err.message);
    if (!part) {
        if (an_lint_count(lint) > 0)
            fail_msg("%s: %s", spec, an_lint_get(lint, 0)->text);
    } else {
        size_t first = 0;
        while (an_lint_get(lint, first) && an_lint_get(lint, first)->kind != kind)
            first++;
        const an_lint_finding *f = an_lint_get(lint, first);
        assert_non_null(f);
        if (f->group != group || !strstr(f->text, part))
            fail_msg("%s: group %lld: %s", spec, (long long)f->group, f->text);
        if (fix) {
            assert_non_null(f->fix);
            assert_string_equal(f->fix, fix);
        }
        for (size_t i = first + 1; i < an_lint_count(lint); i++)
            assert_int_not_equal(an_lint_get(lint, i)->kind, kind);
    }
    an_lint_free(lint);
    an_lr_text_free(text);
}

static void every_group_is_looked_at(void **state)
{
    (void)state;
    const double same[] = {0.1, 0.1, 0.1}, falling[] = {0.1, 0.01, 0.001}, two[] = {0.1, 0.01, 0.1};
    expect_of_groups("CyclicLR([0.01, 0.01, 0], 0.1, 10, cycle_momentum=False)", same,
                     AN_LINT_FIRST_ZERO, 2, "changes nothing (group 2)",
                     "CyclicLR(base_lr=[0.01, 0.01, 0.01], max_lr=0.1, step_size_up=10, "
                     "cycle_momentum=False)");
    expect_of_groups("LambdaLR([\"1 - epoch / 10\", \"1\", \"1 - epoch / 50\"])", same,
                     AN_LINT_NEGATIVE, 0, "(groups 0 and 2)",
                     "Clamp(LambdaLR([\"1 - epoch / 10\", \"1\", \"1 - epoch / 50\"]), min=0)");
    /* A floor that only one group falls to. */
    expect_of_groups("Clamp(Cosine(length=99), max=0.01)", falling, AN_LINT_NOT_FINITE, -1, NULL,
                     NULL);
    expect_of_groups("Sequence([Constant(), Base(Linear(start=1, end=0), lr=0.1)], [50])", two,
                     AN_LINT_JUMP, 1, NULL, NULL);
    expect_of_groups("SequentialLR([LinearLR(0.1, total_iters=10), CosineAnnealingLR(T_max=95)], "
                     "[5])",
                     falling, AN_LINT_JUMP, -1, "hands over to CosineAnnealingLR",
                     "SequentialLR([LinearLR(start_factor=0.1), CosineAnnealingLR(T_max=95)], "
                     "milestones=[5])");
    /* A group's own schedule; the groups that nothing drives have no findings. */
    expect_of_groups("Together([Drive(Cosine(length=99), 'lr', [0]), "
                     "Drive(Linear(start=0, end=1, length=10), 'lr', [1])])",
                     same, AN_LINT_FIRST_ZERO, 1, "Linear begins at 0", NULL);
    expect_of_groups("Drive(Cosine(length=99), 'lr', groups=[2])", same, AN_LINT_NO_EFFECT, -1,
                     NULL, NULL);
    /* One that stands still for all changes nothing; one that moves a single group does. */
    expect_of_groups("Scale(Table([1, 1]), [1, 2, 3])", same, AN_LINT_NO_EFFECT, -1,
                     "the rates stay as they are", "Constant()");
    expect_of_groups("LambdaLR([\"1\", \"1\", \"0.99 ** epoch\"])", same, AN_LINT_NO_EFFECT, -1,
                     NULL, NULL);
}

static void rprop_does_not_read_the_rate(void **state)
{
    (void)state;
    an_lint_options o = {.optimizer = "Rprop"};
    o.run.total_steps = 90;
    an_lint *lint = look("StepLR(30)", &o);
    assert_int_equal(an_lint_count(lint), 1);
    assert_int_equal(an_lint_get(lint, 0)->kind, AN_LINT_NO_EFFECT);
    assert_string_equal(an_lint_get(lint, 0)->fix, "Constant()");
    an_lint_free(lint);
    expect_nothing(look("Constant()", &o));
    o.optimizer = "SGD";
    expect_nothing(look("StepLR(30)", &o));
}

/* ---------------------------------------------------------------------- edges */

static void what_cannot_be_looked_through(void **state)
{
    (void)state;
    an_error err = {0};
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR);
    an_lint_options o = {0};
    assert_null(an_lint_new(&desc, &o, NULL, &err));
    assert_true(strstr(err.message, "total_steps") != NULL);
    o.run.total_steps = 10;
    assert_null(an_lint_new(&desc, &o, NULL, &err)); /* gamma is required */
    assert_true(strstr(err.message, "gamma") != NULL);
    desc.exponential.gamma = 0.5;
    o.run.total_steps = INT64_MAX;
    assert_null(an_lint_new(&desc, &o, NULL, &err));
    an_lint_free(NULL);
    assert_string_equal(an_lint_name(AN_LINT_COUNT), "?");
}

static double falling(void *user, double epoch)
{
    (void)user;
    return 1 - epoch / 10;
}

/* A function of the host's has no text: there is a finding, and no fix. */
static void functions_of_the_host_have_no_fix(void **state)
{
    (void)state;
    an_lr_desc desc = an_lr_defaults(AN_LAMBDA_LR);
    desc.lambda.lr_lambda.function.call = falling;
    an_lint_options o = {.run = {.total_steps = 20}};
    an_lint *lint = an_lint_new(&desc, &o, NULL, NULL);
    assert_non_null(lint);
    assert_int_equal(an_lint_get(lint, 0)->kind, AN_LINT_NEGATIVE);
    assert_null(an_lint_get(lint, an_lint_count(lint)));
    an_lint_free(lint);
}

/* Runs longer than what is kept of them, one step, and two groups by their lists. */
static void runs_of_any_length(void **state)
{
    (void)state;
    an_lint_options o = {.run = {.total_steps = 3000000}};
    an_lint_free(look("MultiplicativeLR(\"0.999\")", &o));
    expect_nothing(look("Cosine()", &o));
    o.run.total_steps = (int64_t)1 << 50;
    expect_nothing(look("Cosine(end=0.1)", &o));
    o.run.total_steps = 1;
    expect_nothing(look("Cosine()", &o));
    o.run.total_steps = 100;
    expect_nothing(look("OneCycleLR(max_lr=[0.1, 0.2, 0.3])", &o));
    expect_nothing(look("LambdaLR([\"0.9 ** epoch\", \"0.8 ** epoch\"])", &o));
    o.run.seconds = 60;
    expect_nothing(look("Clamp(Cosine(length=60s), min=1e-5)", &o));
}

/* Random trees: whatever is found in them, its fix reads and has it no more. */
static void random_schedules_are_looked_through(void **state)
{
    (void)state;
    static random_desc draw;
    size_t found = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        draw.state = seed;
        draw.metric = seed % 2;
        an_lint_options o = {.per_epoch = seed % 3 == 0,
                             .updates_per_epoch = (int64_t)(seed % 7 * 5)};
        o.run.total_steps = (int64_t)(1 + seed % 120);
        o.run.steps_per_epoch = 4;
        const an_lr_desc *desc = random_desc_draw(&draw, 2);
        an_lr_group two[2], *groups_of_two[] = {&two[0], &two[1]};
        an_lr_group_init(&two[0], 0.1);
        an_lr_group_init(&two[1], 0.2);
        o.groups = groups_of_two;
        o.group_count = 2;
        an_lint *lint = an_lint_new(desc, &o, NULL, NULL);
        for (size_t i = 0; lint && i < an_lint_count(lint); i++) {
            const an_lint_finding *f = an_lint_get(lint, i);
            const lint_case again = {.kind = f->kind, .after_run = f->after_run, .param = f->param};
            an_lint *fixed = f->fix ? look(f->fix, &o) : NULL;
            assert_true(!fixed || !find(fixed, &again));
            found += fixed != NULL;
            an_lint_free(fixed);
        }
        an_lint_free(lint);
    }
    assert_true(found > 100);
}

/* ------------------------------------------------------------------ allocation */

static void every_allocation_may_fail(void **state)
{
    (void)state;
    an_lint_options o = {.run = {.total_steps = 100}};
    an_lr_text *text = an_lr_parse_text(
        "Sequence([Linear(start=0, end=0.5), CosineAnnealingLR(20)], [10])", NULL, NULL, NULL);
    bool made = false;
    for (long n = 0; !made; n++) {
        failing_allocator failing = {.fail_at = n};
        an_allocator hooks = failing_hooks(&failing);
        an_error err = {0};
        an_lint *lint = an_lint_new(an_lr_text_desc(text), &o, &hooks, &err);
        if (!lint)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        made = lint != NULL;
        for (size_t i = 0; made && i < an_lint_count(lint); i++)
            assert_non_null(an_lint_get(lint, i)->fix);
        an_lint_free(lint);
        assert_int_equal(failing.blocks, 0);
    }
    an_lr_text_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_is_found_and_fixed),
        cmocka_unit_test(good_schedules_are_left_alone),
        cmocka_unit_test(the_steps_of_the_plan_that_come_to_pass),
        cmocka_unit_test(momentum_and_rate_that_are_not_used),
        cmocka_unit_test(every_group_is_looked_at),
        cmocka_unit_test(rprop_does_not_read_the_rate),
        cmocka_unit_test(what_cannot_be_looked_through),
        cmocka_unit_test(functions_of_the_host_have_no_fix),
        cmocka_unit_test(runs_of_any_length),
        cmocka_unit_test(random_schedules_are_looked_through),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
