/* Steps that evaluate the loss: LBFGS on hard valleys, closures of plain optimizers, errors. */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

typedef struct fixture {
    an_context *context;
    an_params *params;
    int calls, fail_at; /* the call that fails, from 1; 0: none */
    double factor;      /* of the loss */
} fixture;

static int set_up(void **state)
{
    static fixture f;
    an_context_options options = {.threads = 1};
    f = (fixture){.context = an_context_new(&options, NULL), .factor = 1};
    f.params = an_params_new(f.context, NULL);
    an_params_add(f.params, "x", an_shape_1(1), NULL);
    an_params_add(f.params, "unused", an_shape_1(3), NULL);
    an_params_add(f.params, "y", an_shape_1(1), NULL);
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

static float *at(const fixture *f, const char *name)
{
    return an_params_find(f->params, name)->tensor->data;
}

static void put_gradient(const fixture *f, const char *name, double grad)
{
    an_tensor *tensor = an_params_find(f->params, name)->tensor;
    tensor->grad[0] = (float)grad;
    tensor->has_grad = true;
}

/* Rosenbrock's valley, (1 - x)^2 + 100 (y - x^2)^2; "unused" has garbage for a gradient. */
static bool valley(void *user, double *loss, an_error *err)
{
    fixture *f = user;
    if (++f->calls == f->fail_at) {
        return an_error_set(err, AN_ERROR_NUMERIC, "the valley is closed");
    }
    double x = *at(f, "x"), y = *at(f, "y"), off = y - x * x;
    *loss = f->factor * ((1 - x) * (1 - x) + 100 * off * off);
    put_gradient(f, "x", f->factor * (-2 * (1 - x) - 400 * x * off));
    put_gradient(f, "y", f->factor * (200 * off));
    an_tensor *unused = an_params_find(f->params, "unused")->tensor;
    unused->has_grad = false;
    unused->grad[0] = unused->grad[1] = NAN;
    return true;
}

static void start(fixture *f)
{
    *at(f, "x") = -1.5f;
    *at(f, "y") = 2;
    at(f, "unused")[1] = 7;
    f->calls = 0;
}

static void lbfgs_finds_the_end_of_the_valley(void **state)
{
    fixture *f = *state;
    an_optim *optim =
        an_optim_parse(f->params, "LBFGS(max_iter=60, line_search_fn='strong_wolfe')", NULL);
    start(f);
    double loss = 0;
    assert_true(an_optim_step_closure(optim, valley, f, &loss, NULL));
    assert_true(fabs(loss - (6.25 + 100 * 0.0625)) < 1e-6);
    assert_true(fabsf(*at(f, "x") - 1) < 1e-3f && fabsf(*at(f, "y") - 1) < 2e-3f);
    assert_true(at(f, "unused")[1] == 7);
    assert_true(f->calls > 20 && f->calls <= 76);
    assert_int_equal(an_optim_step_count(optim), 1);
    int before = f->calls;
    for (int i = 0; i < 5; i++) {
        assert_true(an_optim_step_closure(optim, valley, f, &loss, NULL));
    }
    assert_true(loss < 1e-8 && f->calls - before < 60);
    an_optim_free(optim);
}

static void max_eval_ends_a_step(void **state)
{
    fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "LBFGS(lr=0.001, max_eval=3)", NULL);
    start(f);
    assert_true(an_optim_step_closure(optim, valley, f, NULL, NULL));
    assert_int_equal(f->calls, 3);
    an_optim_free(optim);
    optim = an_optim_parse(f->params, "LBFGS(lr=0.001, max_iter=1)", NULL);
    start(f);
    assert_true(an_optim_step_closure(optim, valley, f, NULL, NULL));
    assert_int_equal(f->calls, 1);
    an_optim_free(optim);
}

static void at_the_minimum_nothing_moves(void **state)
{
    fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "LBFGS(line_search_fn='strong_wolfe')", NULL);
    *at(f, "x") = *at(f, "y") = 1;
    f->calls = 0;
    assert_true(an_optim_step_closure(optim, valley, f, NULL, NULL));
    assert_int_equal(f->calls, 1);
    assert_true(*at(f, "x") == 1 && *at(f, "y") == 1);
    an_optim_free(optim);
}

/* A cliff: beyond x = 0.5 the loss is NaN. The search must come back from it. */
static bool cliff(void *user, double *loss, an_error *err)
{
    (void)err;
    fixture *f = user;
    double x = *at(f, "x");
    f->calls++;
    *loss = x > 0.5 ? NAN : -x;
    put_gradient(f, "x", x > 0.5 ? NAN : -1);
    put_gradient(f, "y", 0);
    an_params_find(f->params, "unused")->tensor->has_grad = false;
    return true;
}

static void a_loss_that_is_nan_is_too_large(void **state)
{
    fixture *f = *state;
    an_optim *optim =
        an_optim_parse(f->params, "LBFGS(lr=4, max_iter=1, line_search_fn='strong_wolfe')", NULL);
    *at(f, "x") = 0;
    *at(f, "y") = 0;
    f->calls = 0;
    assert_true(an_optim_step_closure(optim, cliff, f, NULL, NULL));
    assert_true(*at(f, "x") > 0 && *at(f, "x") <= 0.5 && f->calls <= 27);
    an_optim_free(optim);
}

static void a_failing_closure_ends_the_step(void **state)
{
    fixture *f = *state;
    for (f->fail_at = 1; f->fail_at < 12; f->fail_at++) {
        an_optim *optim = an_optim_parse(f->params, "LBFGS(line_search_fn='strong_wolfe')", NULL);
        an_error err = {0};
        start(f);
        assert_false(an_optim_step_closure(optim, valley, f, NULL, &err));
        assert_string_equal(err.message, "the valley is closed");
        assert_int_equal(f->calls, f->fail_at);
        assert_int_equal(an_optim_step_count(optim), 0);
        int failed = f->fail_at;
        f->fail_at = 0;
        for (int i = 0; i < 8; i++) {
            assert_true(an_optim_step_closure(optim, valley, f, NULL, NULL));
        }
        f->fail_at = failed;
        assert_true(fabsf(*at(f, "x") - 1) < 1e-2f);
        an_optim_free(optim);
    }
    f->fail_at = 0;
}

static void without_a_closure_lbfgs_does_nothing(void **state)
{
    fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "LBFGS()", NULL);
    an_error err = {0};
    start(f);
    assert_true(an_optim_needs_closure(optim));
    assert_false(an_optim_error(optim, &err));
    assert_false(an_optim_step(optim));
    assert_true(an_optim_error(optim, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_string_equal(err.message, "LBFGS evaluates the loss several times in a step; call "
                                     "an_optim_step_closure");
    assert_true(*at(f, "x") == -1.5f);
    assert_int_equal(an_optim_step_count(optim), 0);
    assert_true(an_optim_step_closure(optim, valley, f, NULL, &err));
    assert_false(an_optim_error(optim, NULL));
    an_optim_free(optim);
}

static void plain_optimizers_call_the_closure_once(void **state)
{
    fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "SGD(lr=0.125)", NULL);
    double loss = 0;
    an_error err = {0};
    start(f);
    f->factor = 1.0 / 64;
    assert_false(an_optim_needs_closure(optim));
    assert_true(an_optim_step_closure(optim, valley, f, &loss, &err));
    assert_int_equal(f->calls, 1);
    assert_true(fabs(loss - 12.5 / 64) < 1e-9);
    double grad = (-2 * 2.5 - 400 * -1.5 * -0.25) / 64;
    assert_true(fabs(*at(f, "x") - (-1.5 - 0.125 * grad)) < 1e-6);
    f->fail_at = 2;
    assert_false(an_optim_step_closure(optim, valley, f, NULL, &err));
    assert_string_equal(err.message, "the valley is closed");
    assert_int_equal(an_optim_step_count(optim), 1);
    f->fail_at = 0;
    an_optim_free(optim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lbfgs_finds_the_end_of_the_valley),
        cmocka_unit_test(max_eval_ends_a_step),
        cmocka_unit_test(at_the_minimum_nothing_moves),
        cmocka_unit_test(a_loss_that_is_nan_is_too_large),
        cmocka_unit_test(a_failing_closure_ends_the_step),
        cmocka_unit_test(without_a_closure_lbfgs_does_nothing),
        cmocka_unit_test(plain_optimizers_call_the_closure_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
