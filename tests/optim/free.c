/* Optimizers that find their own rate or need no schedule: faces, rates that grow, averages. */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define SIZE 40

typedef struct fixture {
    an_context *context;
    an_params *params;
    an_tensor *w, *b;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    an_context_options options = {.threads = 2};
    f.context = an_context_new(&options, NULL);
    f.params = an_params_new(f.context, NULL);
    f.w = an_params_add(f.params, "w", an_shape_2(4, SIZE / 4), NULL);
    f.b = an_params_add(f.params, "b", an_shape_1(3), NULL);
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

static double target(int64_t i)
{
    return 3 * cos((double)i);
}

/* Half the squared distance to the target, with curvatures from 0.1 to 1; puts the gradient. */
static double quadratic(const fixture *f)
{
    double loss = 0;
    for (int64_t i = 0; i < SIZE; i++) {
        double off = f->w->data[i] - target(i), curve = 0.1 + 0.9 * (double)i / SIZE;
        f->w->grad[i] = (float)(curve * off);
        loss += curve * off * off / 2;
    }
    f->w->has_grad = true;
    f->b->has_grad = false;
    return loss;
}

static void restart(const fixture *f)
{
    memset(an_params_values(f->params), 0, (size_t)an_params_length(f->params) * sizeof(float));
    f->b->data[1] = 5;
}

/* The loss after `steps`, evaluated as the method wants it. */
static double train(const fixture *f, const char *text, int steps)
{
    an_error err = {0};
    an_optim *optim = an_optim_parse(f->params, text, &err);
    if (!optim) {
        fail_msg("%s: %s", text, err.message);
    }
    restart(f);
    for (int i = 0; i < steps; i++) {
        quadratic(f);
        an_optim_step(optim);
    }
    an_optim_eval(optim);
    double loss = quadratic(f);
    assert_true(f->b->data[1] == 5);
    an_optim_free(optim);
    return loss;
}

static void rates_are_found(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {
        "Prodigy()",
        "DAdaptAdam()",
        "DAdaptSGD()",
        "DoG()",
        "LDoG()",
        "Mechanic(SGD(lr=0.01))",
        "Mechanic(SGD(lr=100, momentum=0.9))",
        "Mechanic(AdamW(lr=1, weight_decay=0))",
        "SGDScheduleFree()",
        "AdamWScheduleFree(lr=0.1)",
        "SGD(lr=0.5)",
        "Adam(lr=0.1)",
        "NAdam(lr=0.1)",
        "RAdam(lr=0.1)",
        "Adamax(lr=0.1)",
        "Adagrad(lr=1)",
        "RMSprop(lr=0.05)",
        "Rprop()",
        "ASGD(lr=0.5)",
        "Lion(lr=0.03)",
        "LAMB(lr=0.03, weight_decay=0)",
        "Adafactor(lr=0.1)",
        "Muon([dict(params='b', use_muon=False)], lr=0.1, weight_decay=0)",
    };
    restart(f);
    double first = quadratic(f);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double last = train(f, texts[i], 500);
        if (!(last < 0.03 * first)) {
            fail_msg("%s: from %g to %g", texts[i], first, last);
        }
    }
}

static void what_was_found_can_be_asked(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {"Prodigy()", "DAdaptAdam()", "DAdaptSGD()",
                                        "DoG()",     "LDoG()",       "Mechanic(SGD(lr=1))"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        an_optim *optim = an_optim_parse(f->params, texts[i], NULL);
        double first = an_optim_found(optim);
        assert_true(first >= 0 && first < 1e-4);
        restart(f);
        for (int step = 0; step < 200; step++) {
            quadratic(f);
            an_optim_step(optim);
        }
        double found = an_optim_found(optim);
        if (!(found > 1e-2 && found < 100)) {
            fail_msg("%s found %g", texts[i], found);
        }
        an_optim_free(optim);
    }
    an_optim *plain = an_optim_parse(f->params, "SGD()", NULL);
    assert_true(an_optim_found(plain) == 1);
    an_optim_free(plain);
}

/* x = y + (1 - 1 / beta) (z - y), and back; steps are refused in between. */
static void schedule_free_has_two_faces(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {"SGDScheduleFree(lr=0.5, momentum=0.75)",
                                        "AdamWScheduleFree(lr=0.1, betas=(0.75, 0.9))"};
    for (size_t k = 0; k < 2; k++) {
        an_optim *optim = an_optim_parse(f->params, texts[k], NULL);
        assert_true(an_optim_has_modes(optim));
        restart(f);
        an_optim_eval(optim); /* nothing was updated yet: nothing changes */
        assert_true(f->w->data[3] == 0);
        an_optim_train(optim);
        for (int step = 0; step < 10; step++) {
            quadratic(f);
            assert_true(an_optim_step(optim));
        }
        float y[SIZE];
        memcpy(y, f->w->data, sizeof y);
        const float *z = NULL;
        for (size_t i = 0; i < an_optim_state_count(optim); i++) {
            an_optim_state entry = an_optim_state_get(optim, i);
            z = strcmp(entry.name, "z") == 0 ? entry.data : z;
        }
        assert_non_null(z);
        z += an_params_find(f->params, "w")->offset;
        an_optim_eval(optim);
        an_optim_eval(optim);
        for (int i = 0; i < SIZE; i++) {
            double x = y[i] + (1 - 1 / 0.75) * (z[i] - y[i]);
            assert_true(fabs(f->w->data[i] - x) <= 1e-6 * (1 + fabs(x)));
        }
        an_error err = {0};
        assert_false(an_optim_step(optim));
        assert_true(an_optim_error(optim, &err));
        assert_non_null(strstr(err.message, "call an_optim_train before the next step"));
        assert_int_equal(an_optim_step_count(optim), 10);
        an_optim_train(optim);
        an_optim_train(optim);
        for (int i = 0; i < SIZE; i++) {
            assert_true(fabsf(f->w->data[i] - y[i]) <= 1e-6f * (1 + fabsf(y[i])));
        }
        assert_true(an_optim_step(optim));
        assert_true(f->b->data[1] == 5);
        an_optim_free(optim);
    }
    an_optim *plain = an_optim_parse(f->params, "Adam()", NULL);
    assert_false(an_optim_has_modes(plain));
    float before = f->w->data[0];
    an_optim_eval(plain);
    an_optim_train(plain);
    assert_true(f->w->data[0] == before && an_optim_step(plain));
    an_optim_free(plain);
}

/* A schedule cannot drive what the two faces depend on. */
static void schedule_free_has_no_momentum_slot(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {"SGDScheduleFree()", "AdamWScheduleFree()"};
    for (size_t k = 0; k < 2; k++) {
        an_optim *optim = an_optim_parse(f->params, texts[k], NULL);
        const an_slot *slot = an_optim_group(optim, 0)->slot;
        assert_true(slot[AN_LR].present && slot[AN_WEIGHT_DECAY].present);
        assert_false(slot[AN_MOMENTUM].present || slot[AN_BETA1].present);
        an_optim_free(optim);
    }
}

/* Warm-up from a rate of 0: nothing moves, and the start is kept when it begins. */
static void a_rate_of_zero_keeps_parameters_out(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {"Prodigy()", "DAdaptAdam()", "DAdaptSGD()"};
    for (size_t k = 0; k < 3; k++) {
        an_optim *optim = an_optim_parse(f->params, texts[k], NULL);
        restart(f);
        f->w->data[7] = 2;
        an_optim_group(optim, 0)->slot[AN_LR].value = 0;
        for (int step = 0; step < 3; step++) {
            quadratic(f);
            assert_true(an_optim_step(optim));
            assert_true(f->w->data[7] == 2 && f->w->data[8] == 0);
        }
        an_optim_group(optim, 0)->slot[AN_LR].value = 1;
        double first = quadratic(f);
        for (int step = 0; step < 300; step++) {
            quadratic(f);
            an_optim_step(optim);
        }
        assert_true(quadratic(f) < 0.2 * first);
        an_optim_free(optim);
    }
}

/* Gradients of zero, and none at all, leave everything finite and unmoved. */
static void nothing_comes_from_nothing(void **state)
{
    const fixture *f = *state;
    for (const char *const *name = an_optim_names(); *name; name++) {
        bool muon = strcmp(*name, "Muon") == 0, mechanic = strcmp(*name, "Mechanic") == 0;
        char text[80];
        an_format(text, sizeof text,
                  muon       ? "%s([dict(params='b', use_muon=False)], weight_decay=0)"
                  : mechanic ? "%s(SGD())"
                             : "%s()",
                  *name);
        an_optim *optim = an_optim_parse(f->params, text, NULL);
        restart(f);
        f->w->data[5] = 4;
        bool decays =
            strcmp(*name, "AdamW") == 0 || strcmp(*name, "LAMB") == 0 || strcmp(*name, "ASGD") == 0;
        for (int step = 0; step < 4 && !an_optim_needs_closure(optim); step++) {
            memset(f->w->grad, 0, SIZE * sizeof(float));
            f->w->has_grad = step % 2 == 0;
            f->b->has_grad = false;
            assert_true(an_optim_step(optim));
            double moved = fabs((double)f->w->data[5] - 4);
            if (!(moved == 0 || (decays && moved < 0.3))) {
                fail_msg("%s: 4 became %g", text, f->w->data[5]);
            }
            assert_true(f->w->data[6] == 0 && f->b->data[1] == 5);
        }
        an_optim_free(optim);
    }
}

/* The polynomial average of DoG lies nearer to the target than its last point, under noise. */
static void dogs_average_calms_noise(void **state)
{
    const fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "DoG(reps_rel=0.01)", NULL);
    an_average *average = an_average_parse(f->params, "PolynomialDecay(gamma=8)", NULL);
    an_rng rng = an_rng_init(1, 2);
    restart(f);
    double points = 0;
    for (int step = 0; step < 1000; step++) {
        double loss = quadratic(f);
        points += step >= 900 ? loss / 100 : 0;
        for (int i = 0; i < SIZE; i++) {
            f->w->grad[i] += (float)an_rng_normal(&rng);
        }
        an_optim_step(optim);
        an_average_update(average);
    }
    an_average_swap(average);
    double mean = quadratic(f);
    assert_true(mean < 0.5 * points && points < 20);
    an_average_free(average);
    an_optim_free(optim);
}

/* ASGD's average begins t0 steps in: with t0 0, PyTorch's is the mean from the second update on. */
static void asgd_keeps_an_average(void **state)
{
    const fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "ASGD(lr=0.5, t0=0)", NULL);
    double sum[SIZE] = {0};
    restart(f);
    for (int step = 0; step < 50; step++) {
        quadratic(f);
        an_optim_step(optim);
        for (int i = 0; i < SIZE && step > 0; i++) {
            sum[i] += (double)f->w->data[i];
        }
    }
    an_optim_state entry = {0};
    for (size_t i = 0; i < an_optim_state_count(optim); i++) {
        an_optim_state each = an_optim_state_get(optim, i);
        entry = strcmp(each.name, "ax") == 0 ? each : entry;
    }
    assert_int_equal(entry.layout, AN_STATE_PER_VALUE);
    const float *ax = (const float *)entry.data + an_params_find(f->params, "w")->offset;
    for (int i = 0; i < SIZE; i++) {
        assert_true(fabs((double)ax[i] - sum[i] / 49) < 1e-5);
    }
    an_optim_free(optim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_found),
        cmocka_unit_test(what_was_found_can_be_asked),
        cmocka_unit_test(schedule_free_has_two_faces),
        cmocka_unit_test(schedule_free_has_no_momentum_slot),
        cmocka_unit_test(a_rate_of_zero_keeps_parameters_out),
        cmocka_unit_test(nothing_comes_from_nothing),
        cmocka_unit_test(dogs_average_calms_noise),
        cmocka_unit_test(asgd_keeps_an_average),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
