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

/* What each name alone becomes: PyTorch's rate, or that of the authors' package. */
static const char *const plain[] = {
    "SGD(lr=0.001)",
    "Adam(lr=0.001)",
    "AdamW(lr=0.001)",
    "NAdam(lr=0.002)",
    "RAdam(lr=0.001)",
    "Adamax(lr=0.002)",
    "Adagrad(lr=0.01)",
    "Adadelta(lr=1)",
    "RMSprop(lr=0.01)",
    "Rprop(lr=0.01)",
    "ASGD(lr=0.01)",
    "Adafactor(lr=0.01)",
    "Muon([dict(params='*.bias', use_muon=False)], lr=0.001)",
    "Lion(lr=0.0001)",
    "LAMB(lr=0.001)",
    "LBFGS(lr=1)",
    "SGDScheduleFree(lr=1)",
    "AdamWScheduleFree(lr=0.0025)",
    "Prodigy(lr=1)",
    "DAdaptSGD(lr=1)",
    "DAdaptAdam(lr=1)",
    "DoG(lr=1)",
    "LDoG(lr=1)",
    "Mechanic(SGD(lr=0.001))",
};

static void every_name_makes_an_optimizer(void **state)
{
    fixture *f = *state;
    const char *const *names = an_optim_names();
    size_t count = 0;
    for (; names[count]; count++) {
        assert_true(count < COUNT(plain));
        char text[64];
        bool call = strchr(plain[count], '[') || strstr(plain[count], "((") ||
                    strcmp(names[count], "Mechanic") == 0;
        an_format(text, sizeof text, "%s()", names[count]);
        an_error err = {0};
        an_optim *optim = an_optim_parse(f->params, call ? plain[count] : text, &err);
        if (!optim) {
            fail_msg("%s: %s", names[count], err.message);
        }
        assert_string_equal(an_optim_text(optim), plain[count]);
        an_optim *again = an_optim_parse(f->params, an_optim_text(optim), NULL);
        assert_string_equal(an_optim_text(again), plain[count]);
        an_optim_free(again);
        an_optim_free(optim);
    }
    assert_int_equal(count, COUNT(plain));
    an_optim_free(NULL);
}

/* A call with every option away from its default; the canonical text has all of them. */
static void every_option_is_read_and_printed(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {
        "SGD(lr=0.5, momentum=0.25, dampening=0.5, weight_decay=0.125, maximize=True)",
        "Adam(lr=0.5, betas=(0.5, 0.75), eps=0.125, weight_decay=0.25, amsgrad=True, "
        "maximize=True)",
        "NAdam(lr=0.5, betas=(0.5, 0.75), eps=0.125, weight_decay=0.25, momentum_decay=0.5, "
        "decoupled_weight_decay=True, maximize=True)",
        "RAdam(lr=0.5, betas=(0.5, 0.75), eps=0.125, weight_decay=0.25, "
        "decoupled_weight_decay=True, maximize=True)",
        "Adamax(lr=0.5, betas=(0.5, 0.75), eps=0.125, weight_decay=0.25, maximize=True)",
        "Adagrad(lr=0.5, lr_decay=0.25, weight_decay=0.125, initial_accumulator_value=0.5, "
        "eps=0.125, maximize=True)",
        "Adadelta(lr=0.5, rho=0.25, eps=0.125, weight_decay=0.5, maximize=True)",
        "RMSprop(lr=0.5, alpha=0.25, eps=0.125, weight_decay=0.5, momentum=0.75, centered=True, "
        "maximize=True)",
        "Rprop(lr=0.5, etas=(0.25, 2), step_sizes=(0.125, 4), maximize=True)",
        "ASGD(lr=0.5, lambd=0.25, alpha=0.5, t0=10, weight_decay=0.125, maximize=True)",
        "Adafactor(lr=0.5, beta2_decay=-0.5, eps=(0.25, 0.125), d=2, weight_decay=0.5, "
        "maximize=True)",
        "Muon([dict(params='*.bias', use_muon=False)], lr=0.5, weight_decay=0.25, momentum=0.5, "
        "nesterov=False, ns_coefficients=(3, -4, 2), eps=0.125, ns_steps=3, "
        "adjust_lr_fn='match_rms_adamw', betas=(0.5, 0.75), adamw_eps=0.25)",
        "Lion(lr=0.5, betas=(0.25, 0.5), weight_decay=0.125, maximize=True)",
        "LAMB(lr=0.5, betas=(0.25, 0.5), eps=0.125, weight_decay=0.25, maximize=True)",
        "LBFGS(lr=0.5, max_iter=3, max_eval=7, tolerance_grad=0.25, tolerance_change=0.125, "
        "history_size=2, line_search_fn='strong_wolfe')",
        "SGDScheduleFree(lr=0.5, momentum=0.25, weight_decay=0.125, warmup_steps=3, r=1, "
        "weight_lr_power=1)",
        "AdamWScheduleFree(lr=0.5, betas=(0.25, 0.5), eps=0.125, weight_decay=0.25, "
        "warmup_steps=3, r=1, weight_lr_power=1)",
        "Prodigy(lr=0.5, betas=(0.25, 0.5), beta3=0.75, eps=0.125, weight_decay=0.25, "
        "decouple=False, use_bias_correction=True, safeguard_warmup=True, d0=0.5, d_coef=2, "
        "growth_rate=1.5)",
        "DAdaptSGD(lr=0.5, momentum=0.25, weight_decay=0.125, d0=0.5, growth_rate=2)",
        "DAdaptAdam(lr=0.5, betas=(0.25, 0.5), eps=0.125, weight_decay=0.25, decouple=True, "
        "use_bias_correction=True, d0=0.5, growth_rate=2)",
        "DoG(reps_rel=0.5, lr=0.25, weight_decay=0.125, eps=0.5, init_eta=0.25)",
        "Mechanic(AdamW(lr=0.5, weight_decay=0), weight_decay=0, eps=0.5, s_init=0.25, "
        "num_betas=3)",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        an_error err = {0};
        an_optim *optim = an_optim_parse(f->params, texts[i], &err);
        if (!optim) {
            fail_msg("%s: %s", texts[i], err.message);
        }
        assert_string_equal(an_optim_text(optim), texts[i]);
        an_optim_free(optim);
    }
}

static void what_pytorch_has_for_its_implementations_is_ignored(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"Adam(lr=0.5, foreach=None, fused=True, capturable=False, differentiable=False)",
         "Adam(lr=0.5)"},
        {"SGD(foreach=True, lr=0.5)", "SGD(lr=0.5)"},
        {"Prodigy(beta3=None, fsdp_in_use=False)", "Prodigy(lr=1)"},
        {"Adafactor(eps=(None, 0.001), foreach=False)", "Adafactor(lr=0.01)"},
        {"LBFGS(max_eval=None, line_search_fn=None)", "LBFGS(lr=1)"},
        {"Prodigy(growth_rate=inf)", "Prodigy(lr=1)"},
        {"Muon([dict(params='*.bias', use_muon=False)], adjust_lr_fn='original')",
         "Muon([dict(params='*.bias', use_muon=False)], lr=0.001)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        an_optim *optim = an_optim_parse(f->params, cases[i][0], &err);
        if (!optim) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        assert_string_equal(an_optim_text(optim), cases[i][1]);
        an_optim_free(optim);
    }
    assert_points(f, "Adam(foreach=3)", 14, "foreach");
}

static void wrong_values_of_the_others_point_at_their_place(void **state)
{
    const fixture *f = *state;
    assert_points(f, "Adadelta(rho=1.5)", 14, "Adadelta: rho must be from 0 to 1, got 1.5");
    assert_points(f, "Rprop(etas=(1.2, 0.5))", 1, "etas must be one below 1 and one above 1");
    assert_points(f, "Rprop(etas=(0, 2))", 12, "etas[0] must be a finite number above 0, got 0");
    assert_points(f, "Rprop(step_sizes=(2, 1))", 1, "step_sizes must be the smallest");
    assert_points(f, "Adafactor(beta2_decay=0.5)", 23, "must be a finite number of at most 0");
    assert_points(f, "Adafactor(d=0.5)", 13, "d must be a finite number of at least 1, got 0.5");
    assert_points(f, "Adafactor(eps=(None, None))", 22, "eps");
    assert_points(f, "Adafactor(eps=(-1, 1))", 15,
                  "eps[0] must be a finite number of at least 0, or None, got -1");
    assert_points(f, "Muon([dict(params='*.bias', use_muon=False)], ns_coefficients=(1, 2))", 63,
                  "ns_coefficients must be three numbers");
    assert_points(f, "Muon([dict(params='*.bias', use_muon=False)], ns_steps=100)", 1,
                  "ns_steps must be below 100");
    assert_points(f, "Muon([dict(params='*.bias', use_muon=False)], ns_steps=1.5)", 56, "ns_steps");
    assert_points(f, "Muon([dict(params='*.bias', use_muon=False)], adjust_lr_fn='x')", 60,
                  "adjust_lr_fn must be None or 'match_rms_adamw'");
    assert_points(f, "LBFGS(line_search_fn='wolfe')", 22,
                  "line_search_fn must be None or 'strong_wolfe'");
    assert_points(f, "LBFGS(max_iter=0)", 16, "max_iter must be a finite number of at least 1");
    assert_points(f, "LBFGS(max_eval=-1)", 16, "or None, got -1");
    assert_points(f, "LBFGS(history_size=10001)", 1,
                  "history_size must be at most 10000, got 10001");
    assert_points(f, "SGDScheduleFree(momentum=0)", 26, "momentum must be above 0 and below 1");
    assert_points(f, "AdamWScheduleFree(betas=(0, 0.9))", 1, "betas[0] must be above 0");
    assert_points(f, "AdamWScheduleFree(warmup_steps=-1)", 32, "warmup_steps must be");
    assert_points(f, "Prodigy(d0=0)", 12, "d0 must be a finite number above 0, got 0");
    assert_points(f, "Prodigy(growth_rate=0.5)", 21, "growth_rate must be at least 1");
    assert_points(f, "Mechanic()", 1, "optimizer");
    assert_points(f, "Mechanic(3)", 10, "written as a call");
    assert_points(f, "Mechanic(Sgd())", 10, "did you mean 'SGD'");
    assert_points(f, "Mechanic(SGD(lr=1), s_init=0)", 28, "s_init must be a finite number above 0");
    assert_points(f, "Mechanic(SGD(lr=1), num_betas=99)", 10, "num_betas must be at most 16");
    assert_points(f, "Mechanic(Prodigy())", 10, "Prodigy finds its own");
    assert_points(f, "Mechanic(LBFGS())", 10, "LBFGS searches along lines");
    assert_points(f, "Mechanic(Mechanic(SGD()))", 10, "there is no optimizer 'Mechanic'");
}

static void what_does_not_fit_the_parameters_is_refused(void **state)
{
    fixture *f = *state;
    an_error err = {0};
    assert_null(an_optim_parse(f->params, "Muon()", &err));
    assert_string_equal(err.message,
                        "Muon updates matrices, and '0.bias' is (3,); put it into a group that "
                        "AdamW updates: Muon([dict(params='0.bias', use_muon=False)])");
    assert_null(an_optim_parse(f->params, "LBFGS([dict(params='*.bias')])", &err));
    assert_string_equal(err.message,
                        "LBFGS looks at all parameters at once and has one group only, not 2");
    an_optim *lbfgs = an_optim_parse(f->params, "LBFGS()", NULL);
    assert_int_equal(an_optim_add_group(lbfgs, "*.bias", &err), -1);
    assert_string_equal(err.message, "LBFGS has one group only");
    an_optim_free(lbfgs);
}

/* The C form of every optimizer gives what its text gives. */
static void defaults_in_c_are_those_of_text(void **state)
{
    fixture *f = *state;
    an_params *params = an_params_new(f->context, NULL);
    an_params_add(params, "w", an_shape_2(3, 2), NULL);
    assert_true(an_params_build(params, NULL));
    size_t index = 0;
#define CHECK_C(prefix, type)                                                                  \
    {                                                                                          \
        type options = an_##prefix##_defaults();                                               \
        an_optim *optim = an_##prefix##_new(params, &options, NULL);                           \
        assert_non_null(optim);                                                                \
        const char *end = strchr(plain[index], '(');                                           \
        assert_memory_equal(an_optim_text(optim), plain[index], (size_t)(end - plain[index])); \
        options.lr = -1;                                                                       \
        assert_null(an_##prefix##_new(params, &options, NULL));                                \
        an_optim_free(optim);                                                                  \
        index++;                                                                               \
    }
    AN_OPTIM_MAP(CHECK_C)
#undef CHECK_C
    assert_int_equal(index + 1, COUNT(plain));
    an_params_free(params);
}

static void mechanic_goes_around_in_c(void **state)
{
    fixture *f = *state;
    an_error err = {0};
    an_sgd_options sgd = {.lr = 1, .momentum = 0.5};
    an_mechanic_options options = an_mechanic_defaults();
    assert_true(options.weight_decay == 0.01 && options.eps == 1e-8 && options.s_init == 1e-6 &&
                options.num_betas == 6);
    an_optim *optim = an_sgd_new(f->params, &sgd, NULL);
    options.s_init = -1;
    assert_null(an_mechanic_wrap(optim, &options, &err));
    assert_string_equal(err.message, "Mechanic: s_init must be a finite number above 0, got -1");
    assert_string_equal(an_optim_text(optim), "SGD(lr=1, momentum=0.5)");
    options.s_init = 0.5;
    assert_ptr_equal(an_mechanic_wrap(optim, &options, &err), optim);
    assert_string_equal(an_optim_text(optim), "Mechanic(SGD(lr=1, momentum=0.5), s_init=0.5)");
    assert_true(an_optim_found(optim) == 3);
    assert_null(an_mechanic_wrap(optim, &options, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    an_optim_free(optim);
    optim = an_sgd_new(f->params, &sgd, NULL);
    an_optim_step(optim);
    assert_null(an_mechanic_wrap(optim, &options, &err));
    assert_string_equal(err.message, "Mechanic must be put around SGD before its first step");
    an_optim_free(optim);
}

static void signatures_have_all_options(void **state)
{
    (void)state;
    char text[100];
    assert_int_equal(an_optim_signature("Lion", text, sizeof text), 66);
    assert_string_equal(text, "Lion(lr=0.0001, betas=(0.9, 0.99), weight_decay=0, maximize=False)");
    assert_int_equal(an_optim_signature("Mechanic", text, 20), 76);
    assert_string_equal(text, "Mechanic(optimizer,");
    assert_int_equal(an_optim_signature("Lino", text, sizeof text), 0);
    assert_string_equal(text, "");
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
        cmocka_unit_test(every_option_is_read_and_printed),
        cmocka_unit_test(what_pytorch_has_for_its_implementations_is_ignored),
        cmocka_unit_test(wrong_values_of_the_others_point_at_their_place),
        cmocka_unit_test(what_does_not_fit_the_parameters_is_refused),
        cmocka_unit_test(defaults_in_c_are_those_of_text),
        cmocka_unit_test(mechanic_goes_around_in_c),
        cmocka_unit_test(signatures_have_all_options),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
