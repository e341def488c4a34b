/* Options of optimizers: defaults, ranges, from text and back, and what errors say. */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef struct fixture {
    an_context *context;
    an_params *params;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    an_context_options options = {.threads = 1};
    f.context = an_context_new(&options, NULL);
    f.params = an_params_new(f.context, NULL);
    an_params_add(f.params, "0.weight", an_shape_2(3, 2), NULL);
    an_params_add(f.params, "0.bias", an_shape_1(3), NULL);
    an_params_build(f.params, NULL);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    an_params_free(f->params);
    an_context_free(f->context);
    return 0;
}

static void defaults_are_pytorchs(void **state)
{
    (void)state;
    an_sgd_options sgd = an_sgd_defaults();
    assert_true(sgd.lr == 1e-3 && sgd.momentum == 0 && sgd.dampening == 0);
    assert_true(sgd.weight_decay == 0 && !sgd.nesterov && !sgd.maximize);
    an_adam_options adam = an_adam_defaults(), adamw = an_adamw_defaults();
    assert_true(adam.lr == 1e-3 && adam.beta1 == 0.9 && adam.beta2 == 0.999 && adam.eps == 1e-8);
    assert_true(adam.weight_decay == 0 && !adam.amsgrad && !adam.maximize);
    assert_true(adamw.weight_decay == 0.01 && adamw.lr == 1e-3 && adamw.beta2 == 0.999);
}

static void assert_refused(an_optim *optim, const an_error *err, const char *message)
{
    assert_null(optim);
    assert_int_equal(err->code, AN_ERROR_ARGUMENT);
    assert_string_equal(err->message, message);
}

static void wrong_sgd_options_are_refused(void **state)
{
    fixture *f = *state;
    const struct {
        an_sgd_options options;
        const char *message;
    } cases[] = {
        {{.lr = -0.1}, "SGD: lr must be a finite number of at least 0, got -0.1"},
        {{.lr = NAN}, "SGD: lr must be a finite number of at least 0, got nan"},
        {{.lr = INFINITY}, "SGD: lr must be a finite number of at least 0, got inf"},
        {{.momentum = -1}, "SGD: momentum must be a finite number of at least 0, got -1"},
        {{.dampening = NAN}, "SGD: dampening must be a finite number, got nan"},
        {{.weight_decay = -1e-4},
         "SGD: weight_decay must be a finite number of at least 0, got -0.0001"},
        {{.nesterov = true}, "SGD: nesterov needs a momentum above 0 and a dampening of 0"},
        {{.momentum = 0.9, .dampening = 0.1, .nesterov = true},
         "SGD: nesterov needs a momentum above 0 and a dampening of 0"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        assert_refused(an_sgd_new(f->params, &cases[i].options, &err), &err, cases[i].message);
        assert_null(an_sgd_new(f->params, &cases[i].options, NULL));
    }
}

static void wrong_adam_options_are_refused(void **state)
{
    fixture *f = *state;
    const struct {
        double lr, beta1, beta2, eps, weight_decay;
        const char *message;
    } cases[] = {
        {-1, 0.9, 0.999, 1e-8, 0, "lr must be a finite number of at least 0, got -1"},
        {1, 1, 0.999, 1e-8, 0, "betas[0] must be at least 0 and below 1, got 1"},
        {1, -0.1, 0.999, 1e-8, 0, "betas[0] must be at least 0 and below 1, got -0.1"},
        {1, 0.9, NAN, 1e-8, 0, "betas[1] must be at least 0 and below 1, got nan"},
        {1, 0.9, 0.999, -1, 0, "eps must be a finite number of at least 0, got -1"},
        {1, 0.9, 0.999, 1e-8, INFINITY,
         "weight_decay must be a finite number of at least 0, got inf"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_adam_options options = {cases[i].lr,  cases[i].beta1,        cases[i].beta2,
                                   cases[i].eps, cases[i].weight_decay, false,
                                   false};
        an_error err = {0};
        char message[128];
        an_format(message, sizeof message, "Adam: %s", cases[i].message);
        assert_refused(an_adam_new(f->params, &options, &err), &err, message);
        an_format(message, sizeof message, "AdamW: %s", cases[i].message);
        assert_refused(an_adamw_new(f->params, &options, &err), &err, message);
    }
}

static void parameters_must_be_there(void **state)
{
    fixture *f = *state;
    an_error err = {0};
    an_sgd_options options = an_sgd_defaults();
    an_params *params = an_params_new(f->context, NULL);
    assert_refused(an_sgd_new(params, &options, &err), &err,
                   "SGD: the model has no parameters to train");
    an_params_add(params, "w", an_shape_1(3), NULL);
    assert_null(an_sgd_new(params, &options, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_string_equal(err.message,
                        "SGD: the parameters are not laid out yet; build the model first");
    an_params_free(params);
}

static void slots_hold_the_options(void **state)
{
    fixture *f = *state;
    an_optim *sgd =
        an_optim_parse(f->params, "SGD(lr=0.5, momentum=0.25, weight_decay=0.125)", NULL);
    const an_slot *slot = an_optim_group(sgd, 0)->slot;
    assert_true(slot[AN_LR].present && slot[AN_LR].value == 0.5);
    assert_true(slot[AN_MOMENTUM].present && slot[AN_MOMENTUM].value == 0.25);
    assert_true(slot[AN_WEIGHT_DECAY].present && slot[AN_WEIGHT_DECAY].value == 0.125);
    assert_false(slot[AN_BETA1].present || slot[AN_LR].has_initial);
    an_optim_free(sgd);
    an_optim *adam = an_optim_parse(f->params, "Adam(betas=(0.5, 0.75))", NULL);
    slot = an_optim_group(adam, 0)->slot;
    assert_true(slot[AN_BETA1].present && slot[AN_BETA1].value == 0.5);
    assert_true(slot[AN_LR].present && slot[AN_LR].value == 1e-3);
    assert_true(slot[AN_WEIGHT_DECAY].present && !slot[AN_MOMENTUM].present);
    an_optim_free(adam);
}

static void text_becomes_canonical(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"SGD()", "SGD(lr=0.001)"},
        {"SGD(0.1)", "SGD(lr=0.1)"},
        {"SGD(0.1, 0.9)", "SGD(lr=0.1, momentum=0.9)"},
        {"torch.optim.SGD(model.parameters(), lr=1e-1, momentum=0)", "SGD(lr=0.1)"},
        {"optim.SGD(momentum=.5, lr=1/4)", "SGD(lr=0.25, momentum=0.5)"},
        {"SGD(lr=0, nesterov=True, momentum=2)", "SGD(lr=0, momentum=2, nesterov=True)"},
        {"SGD(dampening=-1, nesterov=False)", "SGD(lr=0.001, dampening=-1)"},
        {"Adam(betas=[0.9, 0.99], eps=0)", "Adam(lr=0.001, betas=(0.9, 0.99), eps=0)"},
        {"Adam(0.01, (0, 0.5))", "Adam(lr=0.01, betas=(0, 0.5))"},
        {"AdamW(weight_decay=0.01, amsgrad=True)", "AdamW(lr=0.001, amsgrad=True)"},
        {"AdamW(weight_decay=0, maximize=True)", "AdamW(lr=0.001, weight_decay=0, maximize=True)"},
        {"SGD([], lr=1)", "SGD(lr=1)"},
        {"SGD([dict(params='*.bias', weight_decay=0)], 0.1, weight_decay=2e-4)",
         "SGD([dict(params='*.bias', weight_decay=0)], lr=0.1, weight_decay=0.0002)"},
        {"SGD([dict(params=\"0.*\")], lr=0.1)", "SGD([dict(params='0.*')], lr=0.1)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        an_optim *optim = an_optim_parse(f->params, cases[i][0], &err);
        if (!optim) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        assert_string_equal(an_optim_text(optim), cases[i][1]);
        an_optim *again = an_optim_parse(f->params, an_optim_text(optim), &err);
        assert_non_null(again);
        assert_string_equal(an_optim_text(again), cases[i][1]);
        an_optim_free(again);
        an_optim_free(optim);
    }
}

/* The sentence must contain `part`, and the caret stand under column `column` of the text. */
static void assert_points(const fixture *f, const char *text, int column, const char *part)
{
    an_error err = {0};
    assert_null(an_optim_parse(f->params, text, &err));
    assert_int_equal(err.code, AN_ERROR_CONFIG);
    if (!strstr(err.message, part)) {
        fail_msg("%s: '%s' is not in '%s'", text, part, err.message);
    }
    const char *line = strchr(err.excerpt, '\n');
    const char *caret = strchr(err.excerpt, '^');
    if (!line || !caret || caret - line != column) {
        fail_msg("%s: the caret is not at column %d:\n%s", text, column, err.excerpt);
    }
}

static void wrong_text_points_at_its_place(void **state)
{
    const fixture *f = *state;
    assert_points(f, "Sgd(lr=0.1)", 1, "there is no optimizer 'Sgd'; did you mean 'SGD'?");
    assert_points(f, "Xyzzyplugh()", 1, "there are SGD, Adam, AdamW");
    assert_points(f, "SGD", 1, "written as a call");
    assert_points(f, "SGD(momentun=0.9)", 5, "momentum");
    assert_points(f, "SGD(lr=-0.1)", 8, "SGD: lr must be a finite number of at least 0, got -0.1");
    assert_points(f, "SGD(lr=nan)", 8, "lr");
    assert_points(f, "SGD(lr='x')", 8, "lr");
    assert_points(f, "SGD(lr=0.1, nesterov=True)", 1, "nesterov needs a momentum");
    assert_points(f, "SGD(nesterov=2)", 14, "nesterov");
    assert_points(f, "Adam(betas=0.9)", 12, "betas must be two numbers");
    assert_points(f, "Adam(betas=(0.9,))", 12, "betas must be two numbers");
    assert_points(f, "Adam(betas=(0.9, 1))", 12, "betas[1] must be at least 0 and below 1, got 1");
    assert_points(f, "Adam(betas=(0.9, 'x'))", 18, "betas");
    assert_points(f, "SGD([3], lr=0.1)", 6, "dict(params='*.bias', lr=0.01)");
    assert_points(f, "SGD([list(3)], lr=0.1)", 6, "dict(params='*.bias', lr=0.01)");
    assert_points(f, "SGD([dict(lr=1)], lr=0.1)", 6, "params");
    assert_points(f, "SGD([dict(params=3)], lr=0.1)", 18, "params must be a pattern in quotes");
    assert_points(f, "SGD([dict(params='0.*', lr=-1)], lr=0.1)", 28, "lr must be");
    assert_points(f, "SGD([dict(params='9.*')], lr=0.1)", 18, "is called '9.*'");
    assert_points(f, "SGD([dict(params='*'), dict(params='0.bias')])", 36, "is called '0.bias'");
}

static void broken_text_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {"", "SGD(", "SGD(lr=", "3", "[1]", "SGD(lr=0.1) x", "None"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        an_error err = {0};
        assert_null(an_optim_parse(f->params, texts[i], &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
    }
}

static void every_name_makes_an_optimizer(void **state)
{
    fixture *f = *state;
    const char *const *names = an_optim_names();
    size_t count = 0;
    for (; names[count]; count++) {
        char text[64], want[64];
        an_format(text, sizeof text, "%s()", names[count]);
        an_format(want, sizeof want, "%s(lr=0.001)", names[count]);
        an_optim *optim = an_optim_parse(f->params, text, NULL);
        assert_non_null(optim);
        assert_string_equal(an_optim_text(optim), want);
        an_optim_free(optim);
    }
    assert_int_equal(count, 3);
    an_optim_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_pytorchs),
        cmocka_unit_test(wrong_sgd_options_are_refused),
        cmocka_unit_test(wrong_adam_options_are_refused),
        cmocka_unit_test(parameters_must_be_there),
        cmocka_unit_test(slots_hold_the_options),
        cmocka_unit_test(text_becomes_canonical),
        cmocka_unit_test(wrong_text_points_at_its_place),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(every_name_makes_an_optimizer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
