/*
 * Optimizers fed with recorded gradients against the double twins of twins.py: NAdam, Adafactor,
 * Muon and others within 1e-6, and those that find their own rate, whose estimates grow by orders
 * of magnitude, within 2e-4.
 */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define STEPS 200
#define VALUES 19

/* What updates.inc has beside the gradients is updates.c's. */
typedef struct recorded_case {
    const char *text;
    float after[3][VALUES];
} recorded_case;
#define update_case recorded_case
#define cases recorded_cases
#include "updates.inc"
#undef cases
#undef update_case

typedef struct update_case {
    const char *text;
    int last;
    double after[3][VALUES];
} update_case;

#include "twin_updates.inc"

#define PARAMS 4

static const char *const names[PARAMS] = {"a.weight", "a.bias", "b.weight", "b.bias"};

static an_params *make_params(an_context *context)
{
    const an_shape shapes[PARAMS] = {an_shape_2(7, 1), an_shape_1(3), an_shape_2(2, 4),
                                     an_shape_1(1)};
    an_params *params = an_params_new(context, NULL);
    for (int i = 0; i < PARAMS; i++) {
        assert_non_null(an_params_add(params, names[i], shapes[i], NULL));
    }
    assert_true(an_params_build(params, NULL));
    const float *next = initial;
    for (size_t i = 0; i < PARAMS; i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        memcpy(tensor->data, next, (size_t)tensor->size * sizeof *next);
        next += tensor->size;
    }
    return params;
}

static void set_gradients(an_params *params, int step)
{
    const short *next = gradients[step];
    for (size_t i = 0; i < PARAMS; i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        float *grad = an_params_grads(params) + an_params_get(params, i)->offset;
        tensor->has_grad = !(absent[step] >> i & 1);
        for (int64_t k = 0; k < tensor->size; k++, next++) {
            grad[k] = tensor->has_grad ? (float)*next / 8192 : 1e30f;
        }
    }
}

static void drive(an_lr_group *group, double lr, int step)
{
    group->slot[AN_LR].value = lr * (1 + step % 10) / 10;
    if (step == 40) {
        group->slot[AN_WEIGHT_DECAY].value *= 2;
    }
    if (step == 60) {
        group->slot[AN_MOMENTUM].value *= 0.5;
        group->slot[AN_BETA1].value *= 0.5;
    }
}

static void compare(const update_case *want, int snapshot, int steps, const an_params *params,
                    double tolerance)
{
    const double *expected = want->after[snapshot];
    for (size_t i = 0; i < PARAMS; i++) {
        const an_tensor *tensor = an_params_get(params, i)->tensor;
        for (int64_t k = 0; k < tensor->size; k++, expected++) {
            double got = tensor->data[k];
            double scale = tolerance > 1e-6 ? fmax(1, fabs(*expected)) : fabs(*expected);
            if (!(fabs(got - *expected) <= tolerance * scale)) {
                fail_msg("%s: %s[%d] after %d steps is %.9g, its twin has %.9g", want->text,
                         names[i], (int)k, steps, got, *expected);
            }
        }
    }
}

static void follow(an_context *context, const update_case *want, double tolerance)
{
    const int snapshots[3] = {1, 10, want->last};
    an_error err = {0};
    an_params *params = make_params(context);
    an_optim *optim = an_optim_parse(params, want->text, &err);
    if (!optim) {
        fail_msg("%s: %s", want->text, err.message);
    }
    double lr[PARAMS] = {0};
    for (size_t i = 0; i < an_optim_group_count(optim); i++) {
        lr[i] = an_optim_group(optim, i)->slot[AN_LR].value;
    }
    int snapshot = 0;
    for (int step = 0; step < STEPS; step++) {
        for (size_t i = 0; i < an_optim_group_count(optim); i++) {
            drive(an_optim_group(optim, i), lr[i], step);
        }
        set_gradients(params, step);
        assert_true(an_optim_step(optim));
        if (step + 1 == snapshots[snapshot]) {
            compare(want, snapshot++, step + 1, params, tolerance);
        }
    }
    assert_string_equal(an_optim_text(optim), want->text);
    an_optim_free(optim);
    an_params_free(params);
}

static void each_width(const update_case *all, size_t count, double tolerance)
{
    static const int widths[] = {128, 256, 512};
    for (size_t w = 0; w < 3; w++) {
        an_context_options options = {.threads = 2, .vector_bits = widths[w]};
        an_context *context = an_context_new(&options, NULL);
        for (size_t i = 0; context && i < count; i++) {
            follow(context, &all[i], tolerance);
        }
        an_context_free(context);
    }
}

static void floats_follow_their_twins(void **state)
{
    (void)state;
    assert_true(sizeof recorded_cases / sizeof *recorded_cases > 80);
    each_width(plain_cases, sizeof plain_cases / sizeof *plain_cases, 1e-6);
}

static void floats_without_a_rate_follow_their_twins(void **state)
{
    (void)state;
    each_width(rateless_cases, sizeof rateless_cases / sizeof *rateless_cases, 2e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_follow_their_twins),
        cmocka_unit_test(floats_without_a_rate_follow_their_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
