/* What is broken stays in sight: gradients that are no numbers, state from a bad file, borders. */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

enum { ROWS = 6, COLUMNS = 5, VALUES = ROWS * COLUMNS };

typedef struct fixture {
    an_context *context;
    an_params *params;
    an_tensor *w;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    an_context_options options = {.threads = 1};
    f.context = an_context_new(&options, NULL);
    f.params = an_params_new(f.context, NULL);
    f.w = an_params_add(f.params, "w", an_shape_2(ROWS, COLUMNS), NULL);
    assert_true(an_params_build(f.params, NULL));
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

static void fill(const fixture *f, float value, float grad)
{
    f->w->has_grad = true;
    for (int i = 0; i < VALUES; i++) {
        f->w->data[i] = value;
        f->w->grad[i] = grad;
    }
}

static an_optim *make(const fixture *f, const char *text)
{
    an_error err = {0};
    an_optim *optim = an_optim_parse(f->params, text, &err);
    if (!optim) {
        fail_msg("%s: %s", text, err.message);
    }
    return optim;
}

/* Half the squared length of w. */
static bool closure(void *user, double *loss, an_error *err)
{
    (void)err;
    const fixture *f = user;
    *loss = 0;
    f->w->has_grad = true;
    for (int i = 0; i < VALUES; i++) {
        f->w->grad[i] = f->w->data[i];
        *loss += (double)f->w->data[i] * (double)f->w->data[i] / 2;
    }
    return true;
}

/* -------------------------------------------------------------- gradients */

/* Steps with one gradient that is no number, then with sound ones. Of infinity a sign is left. */
static void meet(const fixture *f, const char *text, float bad)
{
    fill(f, 0.5f, 0.25f);
    an_optim *optim = make(f, text);
    for (int step = 0; step < 6; step++) {
        for (int i = 0; i < VALUES; i++) {
            f->w->grad[i] = step == 2 && i == 7 ? bad : 0.25f;
        }
        assert_true(an_optim_step(optim));
    }
    if (isnan(bad) && !isnan(f->w->data[7])) {
        fail_msg("%s hides it: %g", text, (double)f->w->data[7]);
    }
    for (int i = 0; i < VALUES; i++) {
        if (isinf(f->w->data[i]) || fabsf(f->w->data[i]) > 10) {
            fail_msg("%s leaps to %g", text, (double)f->w->data[i]);
        }
    }
    an_optim_free(optim);
}

/* They end in values that are no numbers either, where a guard sees them, and in no leap. */
static void no_number_goes_unseen(void **state)
{
    static const char *const more[] = {"Adam(amsgrad=True)", "RMSprop(centered=True, momentum=0.5)",
                                       "Mechanic(AdamW(lr=1))", "Muon(nesterov=False)"};
    for (const char *const *name = an_optim_names(); *name; name++) {
        char text[40];
        an_format(text, sizeof text, "%s(lr=0.01)", *name);
        an_optim *optim = an_optim_parse(((fixture *)*state)->params, text, NULL);
        bool plain = optim && !an_optim_needs_closure(optim);
        an_optim_free(optim);
        if (plain) {
            meet(*state, text, NAN);
            meet(*state, text, INFINITY);
        }
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        meet(*state, more[i], NAN);
    }
}

/* DoG's sums keep what broke them. */
static void a_broken_rate_does_not_begin_anew(void **state)
{
    const fixture *f = *state;
    fill(f, 0.5f, NAN);
    an_optim *optim = make(f, "DoG()");
    for (int step = 0; step < 3; step++) {
        assert_true(an_optim_step(optim));
        assert_true(isnan(an_optim_found(optim)));
        fill(f, 0.5f, 0.25f);
    }
    an_optim_free(optim);
}

/* v - mean^2 of a gradient that never changes is below 0 by a rounding at times; see squares.c. */
static void a_steady_gradient_has_no_negative_spread(void **state)
{
    const fixture *f = *state;
    static const float grads[] = {0.1f, 0.3f, 1.7f, 5.1f, 0.013f};
    for (size_t k = 0; k < sizeof grads / sizeof *grads; k++) {
        fill(f, 1, grads[k]);
        an_optim *optim = make(f, "RMSprop(lr=0.001, centered=True)");
        for (int step = 0; step < 4000; step++) {
            assert_true(an_optim_step(optim));
        }
        assert_true(isfinite(f->w->data[0]));
        an_optim_free(optim);
    }
}

/* ---------------------------------------------------------------- borders */

/* A weight that is infinite is all of the average, as in the limit. */
static void infinite_weights_make_an_average(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {"SGDScheduleFree(lr=0.1, weight_lr_power=-1)",
                                        "SGDScheduleFree(lr=0.1, r=1000)",
                                        "AdamWScheduleFree(lr=0.1, r=1000)"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        fill(f, 1, 0.5f);
        an_optim *optim = make(f, texts[k]);
        an_optim_group(optim, 0)->slot[AN_LR].value = k == 0 ? 0 : 0.1;
        for (int step = 0; step < 3; step++) {
            assert_true(an_optim_step(optim));
        }
        an_optim_eval(optim);
        assert_true(isfinite(f->w->data[0]));
        an_optim_free(optim);
    }
}

static void lbfgs_takes_any_number_of_iterations(void **state)
{
    const fixture *f = *state;
    double loss;
    fill(f, 1, 0);
    an_lbfgs_options options = an_lbfgs_defaults();
    options.max_iter = INT64_MAX;
    an_optim *optim = an_lbfgs_new(f->params, &options, NULL);
    assert_true(an_optim_step_closure(optim, closure, (void *)f, &loss, NULL));
    assert_true(fabsf(f->w->data[0]) < 1e-4f);
    an_optim_free(optim);
}

/* Numbers that index the history come from a file when a run goes on. */
static void counts_beyond_the_history_empty_it(void **state)
{
    const fixture *f = *state;
    static const int64_t bad[][2] = {
        {-1, 1}, {0, -5}, {4, 1}, {0, 4}, {INT64_MAX, 2}, {1, INT64_MAX}, {INT64_MIN, INT64_MIN}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        fill(f, 1, 0);
        an_optim *optim = make(f, "LBFGS(lr=0.1, max_iter=4, history_size=3)");
        assert_true(an_optim_step_closure(optim, closure, (void *)f, NULL, NULL));
        an_optim_state counts = {0};
        for (size_t i = 0; i < an_optim_state_count(optim); i++) {
            an_optim_state entry = an_optim_state_get(optim, i);
            counts = strcmp(entry.name, "counts") == 0 ? entry : counts;
        }
        ((int64_t *)counts.data)[2] = bad[k][0];
        ((int64_t *)counts.data)[3] = bad[k][1];
        float before = f->w->data[0];
        assert_true(an_optim_step_closure(optim, closure, (void *)f, NULL, NULL));
        assert_true(f->w->data[0] > 0 && f->w->data[0] < before);
        an_optim_free(optim);
    }
}

/* Parameters without values take part in nothing. */
static void empty_parameters_are_in_nobodys_way(void **state)
{
    const fixture *f = *state;
    an_params *params = an_params_new(f->context, NULL);
    assert_non_null(an_params_add(params, "none", an_shape_2(0, 4), NULL));
    assert_non_null(an_params_add(params, "w", an_shape_2(2, 2), NULL));
    assert_non_null(an_params_add(params, "no", an_shape_2(3, 0), NULL));
    assert_true(an_params_build(params, NULL));
    for (const char *const *name = an_optim_names(); *name; name++) {
        char text[60];
        bool around = strcmp(*name, "Mechanic") == 0;
        an_format(text, sizeof text, around ? "%s(AdamW(lr=1))" : "%s(lr=0.01)", *name);
        an_optim *optim = an_optim_parse(params, text, NULL);
        assert_non_null(optim);
        for (int step = 0; step < 3 && !an_optim_needs_closure(optim); step++) {
            for (size_t i = 0; i < 3; i++) {
                an_tensor *tensor = an_params_get(params, i)->tensor;
                tensor->has_grad = true;
                for (int64_t k = 0; k < tensor->size; k++) {
                    tensor->data[k] = 1;
                    tensor->grad[k] = 0.5f;
                }
            }
            assert_true(an_optim_step(optim));
        }
        assert_true(isfinite(an_params_get(params, 1)->tensor->data[3]));
        an_optim_free(optim);
    }
    an_params_free(params);
}

static void mechanic_wants_one_direction(void **state)
{
    const fixture *f = *state;
    an_params *params = an_params_new(f->context, NULL);
    assert_non_null(an_params_add(params, "a", an_shape_1(2), NULL));
    assert_non_null(an_params_add(params, "b", an_shape_1(2), NULL));
    assert_true(an_params_build(params, NULL));
    an_error err = {0};
    assert_null(
        an_optim_parse(params, "Mechanic(SGD([dict(params='a', maximize=True)], lr=1))", &err));
    assert_non_null(strstr(err.message, "Mechanic finds one scale for all groups of SGD; give "
                                        "maximize to all of them or to none"));
    an_optim *optim = an_optim_parse(
        params, "Mechanic(SGD([dict(params='a', lr=0.5)], lr=1, maximize=True))", NULL);
    assert_non_null(optim);
    an_optim_free(optim);
    an_params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_number_goes_unseen),
        cmocka_unit_test(a_broken_rate_does_not_begin_anew),
        cmocka_unit_test(a_steady_gradient_has_no_negative_spread),
        cmocka_unit_test(infinite_weights_make_an_average),
        cmocka_unit_test(lbfgs_takes_any_number_of_iterations),
        cmocka_unit_test(counts_beyond_the_history_empty_it),
        cmocka_unit_test(empty_parameters_are_in_nobodys_way),
        cmocka_unit_test(mechanic_wants_one_direction),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
